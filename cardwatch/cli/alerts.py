"""Commands about alerts: each opens the casebook, calls one service and prints the result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cardwatch import installation
from cardwatch.cli.context import (
    LaneOption,
    LikeAlert,
    Owner,
    Reason,
    Who,
    open_context,
    print_json,
    print_rows,
)
from cardwatch.cli.noun_group import NounGroup
from cardwatch.cli.options import (
    AsJson,
    one_of,
)
from cardwatch.line_items import line_item_label
from cardwatch.quantities import money
from cardwatch.vocabulary import ROLE_TITLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cardwatch.records import Alert, Payment


ALERTS_SHOWN = ("alert_id", "tier", "state", "rule", "at_stake_pence", "last_on", "holders")
AlertId = Annotated[str, typer.Argument(help="The alert's id, or the beginning of it.")]
alerts_app = typer.Typer(
    cls=NounGroup, no_args_is_help=True, help="List, show, decide, suppress or export alerts."
)


@alerts_app.command("list", epilog="Example: cardwatch alerts list --state open")
def list_alerts(
    state: Annotated[str, typer.Option(help="Only alerts in this state.")] = "open",
    every: Annotated[bool, typer.Option("--all", help="Alerts in any state.")] = False,
    lane: Annotated[str, typer.Option(help="Only alerts of this lane: finance or psd.")] = "",
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """List alerts in order."""
    from cardwatch import services
    from cardwatch.casebook import LANES, STATES

    one_of("--state", state, tuple(STATES))
    one_of("--lane", lane, ("", *LANES))
    filters = services.AlertFilter(lane=lane, state="" if every else state)
    with open_context(person, organisation) as context:
        print_rows(services.list_alerts(context, filters), ALERTS_SHOWN, json=json)


@alerts_app.command("show", epilog="Example: cardwatch alerts show 3f2a")
def show_alert(
    alert: AlertId, person: Who = None, organisation: Owner = None, json: AsJson = False
) -> None:
    """Show an alert in full with its decisions."""
    from cardwatch import services

    with open_context(person, organisation) as context:
        _print_alert(services.get_alert(context, alert), json=json)


@alerts_app.command("counts", epilog="Example: cardwatch alerts counts")
def count_alerts(person: Who = None, organisation: Owner = None, json: AsJson = False) -> None:
    """Count the alerts in each state."""
    from cardwatch import services

    with open_context(person, organisation) as context:
        counts = services.state_counts(context)
    rows = [{"state": state, "alerts": count} for state, count in counts.items()]
    print_rows(rows, ("state", "alerts"), json=json)


@alerts_app.command(
    epilog="Example: cardwatch alerts decide 3f2a --state explained --reason 'two sites'"
)
def decide(
    alert: AlertId,
    reason: Reason,
    state: Annotated[
        str, typer.Option(help="asked, explained, policy-breach, confirmed, data-error or open.")
    ] = "",
    assign: Annotated[
        str | None, typer.Option(help="Email address of the person to assign it to.")
    ] = None,
    due: Annotated[str | None, typer.Option(help="Due date, such as 2026-12-01.")] = None,
    snooze: Annotated[
        str | None, typer.Option(help="Last day on which lists leave it out.")
    ] = None,
    tags: Annotated[str | None, typer.Option(help="Tags, in place of those it has.")] = None,
    recovered: Annotated[
        str | None, typer.Option(help="Money recovered so far, in pounds.")
    ] = None,
    seen: Annotated[
        int | None, typer.Option(help="Number of the last decision you have seen.")
    ] = None,
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Record a decision on an alert, or a note, an assignment or a due date."""
    from cardwatch import services
    from cardwatch.casebook.alerts import DecisionInput

    pence = services.pence_recovered(recovered)
    decision = DecisionInput(reason, state, assign, due, snooze, tags, pence, seen)
    with open_context(person, organisation) as context:
        alert_row = services.decide(context, alert, decision)
    _print_alert(alert_row, json=json)


@alerts_app.command(
    epilog="Example: cardwatch alerts suppress 3f2a --until 2027-03-31 --reason 'contract 17'"
)
def suppress(
    alert: LikeAlert = None,
    until: Annotated[str, typer.Option(help="Last day, within a year.")] = "",
    reason: Reason = "",
    end: Annotated[str | None, typer.Option(help="End this suppression.")] = None,
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Suppress alerts of one rule, cardholder and merchant until a day, or list suppressions."""
    from cardwatch import services

    with open_context(person, organisation) as context:
        if end:
            services.end_suppression(context, end)
        elif alert:
            services.suppress(context, alert, until=until, reason=reason)
        rows = services.list_suppressions(context)
    print_rows(rows, ("suppression_id", "lane", "rule", "holders", "merchants", "expires_on",
                        "ended_at", "reason"), json=json)  # fmt: skip


@alerts_app.command(
    epilog="Example: cardwatch alerts export ba0e --form pdf --purpose finance-assurance --to CFO"
)
def export(
    what: Annotated[str, typer.Argument(help="A statement's id, or alerts' ids with commas.")],
    purpose: Annotated[
        str, typer.Option(help="finance-assurance, misconduct or corruption-crime.")
    ],
    to: Annotated[str, typer.Option("--to", help="The recipient.")],
    path: Annotated[
        Path,
        typer.Argument(
            help="File to write: .csv, .xlsx, .json, .pdf or .zip. In a folder (the current "
            "one if none is given) the file is named after its contents."
        ),
    ] = Path(),
    form: Annotated[
        str, typer.Option("--form", help="In a folder: csv, xlsx, json, pdf or zip.")
    ] = "xlsx",
    case: Annotated[bool, typer.Option("--case", help="Alerts in full.")] = False,
    lane: LaneOption = "finance",
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Export a statement's list, or a case of alerts; .zip is a signed evidence pack."""
    from cardwatch import services

    if not path.absolute().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {path.parent}", param_hint="PATH")
    with open_context(person, organisation) as context:
        export_request = services.ExportRequest(
            purpose=purpose,
            recipient=to,
            marking=installation.marking(),
            key=installation.signing_key(),
            lane=lane,
            statement_id="" if case else what,
            alert_ids=tuple(what.split(",")) if case else (),
        )
        ending = f".{form.lower()}" if path.is_dir() else path.suffix.lower()
        file = services.export_alerts(context, export_request, ending)
    target = path / file.filename if path.is_dir() else path
    target.write_bytes(file.content)
    row = {"file": str(target), "alerts": file.alert_count}
    print_rows([row], ("file", "alerts"), json=json)


def _payment_lines(payments: Sequence[Payment]) -> Iterator[str]:
    """Each payment of an alert on a line, with its cardholder, and its line items below it."""
    for paid in payments:
        name = paid.reference or f"{paid.file} row {paid.row}"
        amount = money(paid.amount_pence)
        yield f"  {paid.date}  {amount:>12}  {paid.holder_id}  {paid.merchant}  {name}"
        yield from (f"    {line_item_label(item)}" for item in paid.line_items)


def _print_alert(detail: Mapping[str, Any], *, json: bool) -> None:
    """Print one alert whole: the facts, the reasons, what to ask, its payments and decisions."""
    from cardwatch.alerts import holders_label, joined_facts, merchants_label, scope_note
    from cardwatch.cli.output import out

    if json:
        print_json(detail)
        return
    raised: Alert = detail["raised"]
    lead = raised.reasons[0]
    days = " to ".join(dict.fromkeys([detail["first_on"], detail["last_on"]]))
    stake = money(detail["at_stake_pence"]) if detail["at_stake_pence"] else ""
    lane = ROLE_TITLES[detail["lane"]]
    lines = [
        f"{detail['alert_id']}  tier {detail['tier']}  {lane}  {detail['state']}",
        ", ".join(filter(None, (stake, days, holders_label(raised), merchants_label(raised)))),
        f"{raised.title}.",
    ]
    if detail["assigned_to"] or detail["due_on"]:
        lines.append(
            f"Assigned to: {detail['assigned_to'] or 'nobody yet'}"
            + (f", due {detail['due_on']}" if detail["due_on"] else "")
        )
    lines.append(f"Card policy: {detail['clause'] or 'no clause is given for this kind of alert'}")
    lines += [f"- {fact}" for fact in joined_facts(raised.reasons)]
    lines.append(scope_note(raised))
    lines += [f"Weakened: {reason.fact}" for reason in raised.weakened_by]
    lines += [*(f"- {line}" for line in raised.unusual), raised.merchant_history]
    lines += [
        f"Ask: {' '.join(lead.ask)}",
        f"Possible explanations: {' '.join(lead.innocent)}",
    ]
    lines += _payment_lines(raised.payments)
    for decision in detail["decisions"]:
        verdict = f"{decision['state']}: {decision['reason']}"
        lines.append(f"{decision['decided_at']}  {verdict} ({decision['decided_by']})")
    out.print("\n".join(line for line in lines if line), markup=False)
