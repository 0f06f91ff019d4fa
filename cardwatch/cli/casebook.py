"""Commands of the casebook: each opens it, calls one service and prints the result."""

from __future__ import annotations

from contextlib import suppress as suppressed
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cardwatch import installation
from cardwatch.cli.context import (
    LaneOption,
    LikeAlert,
    Owner,
    Reason,
    SomeAlert,
    Who,
    open_context,
    print_json,
    print_rows,
    read_text,
    sign_checkpoint,
)
from cardwatch.cli.options import (
    PARTLY,
    REFUSED,
    AsJson,
    ColumnsFile,
    DateOrder,
    busy,
    one_of,
    reading_choices,
)
from cardwatch.errors import CardwatchError, CasebookBusy, CasebookFailed, FileRefused
from cardwatch.line_items import line_item_label
from cardwatch.quantities import plural, quantity
from cardwatch.records import LineItem

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from cardwatch.records import ReadingReport
    from cardwatch.services import Delivery, ServiceContext, SftpPull
    from cardwatch.statements import ReadingChoices

STATEMENTS_SHOWN = (
    "statement_id",
    "label",
    "first_on",
    "last_on",
    "transactions",
    "pence",
    "superseded_by",
)
ALERTS_SHOWN = ("alert_id", "tier", "state", "rule", "at_stake_pence", "last_on", "holders")

Files = Annotated[list[Path], typer.Argument(help="Statements, or folders of them.")]
AlertId = Annotated[str, typer.Argument(help="The alert's id, or the beginning of it.")]

NOT_RECEIVED = ("refused", "second-person")
"""Outcomes of statements that the casebook does not hold."""

app = typer.Typer()


@app.command(epilog="Example: cardwatch receive october.csv")
def receive(
    statements: Files,
    history: Annotated[
        bool, typer.Option("--history", help="Store only, to compare later statements with them.")
    ] = False,
    corrects: Annotated[
        str | None, typer.Option(help="The statement that this one corrects.")
    ] = None,
    columns: ColumnsFile = None,
    date_order: DateOrder = "decide",
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Import statements: each is stored and scored completely, or not at all."""
    if corrects and len(statements) > 1:
        raise typer.BadParameter("one statement corrects one other", param_hint="--corrects")
    with open_context(person, organisation) as context:
        faults = installation.check_keys(context.casebook)
        if faults:
            raise CardwatchError(" ".join(faults))
        from cardwatch import services

        read, outcomes = _read(statements, reading_choices(columns, date_order))
        if columns:
            installation.remember_profile(columns)
        for reading in read:
            outcomes.append(_receive_one(context, reading, corrects, history=history))
            if not json and outcomes[-1]["outcome"] not in NOT_RECEIVED:
                _print_receipt(outcomes[-1])
        services.check_registers_now(context)
        if any(outcome["outcome"] not in NOT_RECEIVED for outcome in outcomes):
            sign_checkpoint(context)
    _finish(outcomes, json=json)


@app.command(epilog="Example: cardwatch watch /srv/statements --as you@force.example")
def watch(
    folder: Annotated[Path, typer.Argument(help="The folder into which statements are put.")],
    every: Annotated[
        float, typer.Option(min=0.1, help="Seconds between looks into the folder.")
    ] = 10,
    settle: Annotated[
        float, typer.Option(min=0, help="Seconds without change after which a file is complete.")
    ] = 30,
    marker: Annotated[
        str,
        typer.Option(help="Ending of the marker file, such as .done, after which a file is taken."),
    ] = "",
    once: Annotated[
        bool, typer.Option("--once", help="Take what is complete after one wait, and end.")
    ] = False,
    arrivals: Annotated[
        Path | None,
        typer.Option(help="TOML file with PGP keys and an SFTP server (docs/feeds.md)."),
    ] = None,
    columns: ColumnsFile = None,
    date_order: DateOrder = "decide",
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Receive every statement that is put into a folder, each once; it goes on until stopped."""
    import time

    from cardwatch import services

    drop_folder = services.DropFolder(folder, settle, marker)
    settings = services.load_arrivals(arrivals) if arrivals else services.ArrivalSettings()
    choices, seal = reading_choices(columns, date_order), installation.seal()
    reader = services.ArrivalReader(choices, seal, keys=settings.keys)
    with drop_folder.locked():
        pull = services.SftpPull(settings.source, drop_folder) if settings.source else None
        drop_folder.take_complete(time.monotonic())
        _fetch(pull, is_due=True)
        while True:
            time.sleep(settle if once else every)
            _fetch(pull, is_due=once)
            if pull and (trouble := pull.change(is_last=once)) is not None:
                with (
                    suppressed(CasebookBusy, CasebookFailed),
                    open_context(person, organisation) as context,
                ):
                    services.report_fetching(context, pull.source.host, trouble)
                    pull.announced = trouble
            if drop_folder.take_complete(time.monotonic()):
                with open_context(person, organisation) as context:
                    deliveries = services.receive_folder(
                        context, drop_folder, reader, time.monotonic()
                    )
                    services.check_registers_now(context)
                    sign_checkpoint(context)
                _print_deliveries(deliveries, json=json)
            if once:
                return


def _fetch(pull: SftpPull | None, *, is_due: bool) -> None:
    """Fetch from the SFTP server, if there is one and it is time to; print what went wrong."""
    import time

    from cardwatch.cli.output import err

    for problem in pull.look(time.monotonic(), is_due=is_due) if pull else []:
        err.print(problem, markup=False)


def _print_deliveries(deliveries: list[Delivery], *, json: bool) -> None:
    """Print what became of the files of a folder, a line each."""
    import json as json_text

    from cardwatch.cli.output import err, out

    for delivery in deliveries:
        if json:
            out.print(
                json_text.dumps(asdict(delivery), ensure_ascii=False), markup=False, soft_wrap=True
            )
        elif delivery.outcome == "refused":
            err.print(f"Refused: {delivery.refused}", markup=False)
        else:
            payments = quantity(delivery.transactions, "payment")
            out.print(f"{delivery.outcome.capitalize()}: {delivery.file}, {payments}", markup=False)


def _read(
    paths: list[Path], choices: ReadingChoices
) -> tuple[list[tuple[pd.DataFrame, ReadingReport]], list[dict[str, Any]]]:
    """The statements that could be read, the earliest first, and messages about the others."""
    from cardwatch.statements import read_each

    with busy("Reading statements"):
        outcomes = read_each(paths, choices)
    read = [outcome for outcome in outcomes if not isinstance(outcome, FileRefused)]
    read.sort(key=lambda reading: (reading[1].first_on, reading[1].file))
    return read, [
        _refused(outcome.file, outcome.what)
        for outcome in outcomes
        if isinstance(outcome, FileRefused)
    ]


def _receive_one(
    context: ServiceContext,
    read: tuple[pd.DataFrame, ReadingReport],
    corrects: str | None,
    *,
    history: bool,
) -> dict[str, Any]:
    """Import one statement; return its result, or its refusal."""
    from cardwatch import services

    report = read[1]
    try:
        with busy(f"Receiving {report.file}"):
            receipt = services.receive(context, read, corrects=corrects, is_history=history)
    except CardwatchError as refusal:
        return _refused(report.file, str(refusal))
    return asdict(receipt) | {"problems": [asdict(problem) for problem in report.problems]}


def _refused(file: str, why: str) -> dict[str, Any]:
    return {"label": file, "outcome": "refused", "notes": [why], "problems": []}


def _finish(outcomes: list[dict[str, Any]], *, json: bool) -> None:
    """Print what was refused, or all of it as JSON, and end with the code that says so."""
    from cardwatch.cli.output import err

    if json:
        print_json(outcomes)
    refused = [outcome for outcome in outcomes if outcome["outcome"] in NOT_RECEIVED]
    for refusal in refused:
        err.print(f"Not imported: {refusal['label']}: {refusal['notes'][0]}", markup=False)
    if refused and len(refused) == len(outcomes):
        raise typer.Exit(REFUSED)
    if refused or any(outcome["problems"] for outcome in outcomes):
        raise typer.Exit(PARTLY)


@app.command(epilog="Example: cardwatch statements ba0e")
def statements(
    statement: Annotated[
        str | None, typer.Argument(help="A statement to show with its reading report.")
    ] = None,
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """List statements, or show one with what happened to every row."""
    from cardwatch import services

    with open_context(person, organisation) as context:
        if statement:
            _print_statement(services.get_statement(context, statement), json=json)
        else:
            print_rows(services.list_statements(context), STATEMENTS_SHOWN, json=json)


@app.command(epilog="Example: cardwatch alerts --state open")
def alerts(
    alert: SomeAlert = None,
    state: Annotated[str, typer.Option(help="Only alerts in this state.")] = "open",
    every: Annotated[bool, typer.Option("--all", help="Alerts in any state.")] = False,
    lane: Annotated[str, typer.Option(help="Only alerts of this lane: finance or psd.")] = "",
    precision: Annotated[
        bool, typer.Option("--precision", help="How often each rule's alerts were upheld.")
    ] = False,
    counts: Annotated[
        bool, typer.Option("--counts", help="The number of alerts in each state.")
    ] = False,
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """List alerts in order, or show one in full with its decisions."""
    from cardwatch import services
    from cardwatch.casebook import LANES, STATES

    with open_context(person, organisation) as context:
        if alert:
            _print_alert(services.get_alert(context, alert), json=json)
        elif precision:
            precision_by_lane = services.rule_precision(context)
            rows = [
                {"lane": name} | asdict(rate)
                for name, rates in precision_by_lane.items()
                for rate in rates
            ]
            print_rows(rows, ("lane", "rule", "band", "answered", "upheld", "share", "low",
                               "high", "expected", "orders"), json=json)  # fmt: skip
        elif counts:
            stand = [{"state": k, "alerts": v} for k, v in services.state_counts(context).items()]
            print_rows(stand, ("state", "alerts"), json=json)
        else:
            one_of("--state", state, tuple(STATES))
            one_of("--lane", lane, ("", *LANES))
            state = "" if every else state
            listed = services.list_alerts(context, lane=lane, state=state)
            print_rows(listed, ALERTS_SHOWN, json=json)


@app.command(
    epilog="Example: cardwatch decide 3f2a --state explained --reason 'two sites, two orders'"
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


@app.command(epilog="Example: cardwatch suppress 3f2a --until 2027-03-31 --reason 'contract 17'")
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


@app.command("put", epilog="Example: cardwatch put policy policy.toml --from 2026-04-01")
def put(
    kind: Annotated[str, typer.Argument(help="policy, cards or model.")],
    path: Annotated[
        Path | None,
        typer.Argument(help="The file, or the model's folder; if empty, a model is trained."),
    ] = None,
    since: Annotated[
        str, typer.Option("--from", help="First day on which it applies; today if empty.")
    ] = "",
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Set the active policy, card register or model; without a folder, a model is retrained."""
    from cardwatch import services
    from cardwatch.forest import load_forest
    from cardwatch.registers import read_cards

    with open_context(person, organisation) as context:
        since = since or str(context.now.date())
        if kind == "model" and path is None:
            digest = services.retrain_model(context)
        elif path is None or kind not in {"policy", "cards", "model"}:
            raise typer.BadParameter("policy FILE, cards FILE, or model [FOLDER]")
        else:
            if kind == "policy":
                content = services.pack_policy(read_text(path), path.name)
            elif kind == "cards":
                content = services.pack_cards(read_cards(path, reading_choices(None, "decide")))
            else:
                content = services.pack_forest(load_forest(path), path.name)
            digest = services.activate_document(context, kind, content, since)
    print_rows([{"kind": kind, "sha256": digest}], ("kind", "sha256"), json=json)


@app.command(
    epilog="Example: cardwatch export ba0e --form pdf --purpose finance-assurance --to 'CFO'"
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


def _print_receipt(receipt: Mapping[str, Any]) -> None:
    """Print what became of a statement: the same words whatever was found in it."""
    from cardwatch.cli.output import out

    outcome = {
        "received": f"received: {quantity(receipt['transactions'], 'transaction')}",
        "held": "already imported; nothing was changed",
        "rows-held": "all of its transactions are already imported; nothing was changed",
    }[receipt["outcome"]]
    late = f", {receipt['late']} of them from days of earlier statements" if receipt["late"] else ""
    faulty = f"; {_unread(len(receipt['problems']))}" if receipt["problems"] else ""
    out.print(f"{receipt['label']}: {outcome}{late}{faulty}.", markup=False)
    for note in receipt["notes"]:
        out.print(f"  {note[0].upper()}{note[1:]}.", markup=False, style="dim")


def _unread(count: int) -> str:
    """The number of rows that were not read."""
    return f"{quantity(count, 'row')} {plural(count, 'was', 'were')} not read"


def _print_statement(statement: Mapping[str, Any], *, json: bool) -> None:
    """Print a statement and its reading report."""
    from cardwatch.cli.output import out

    if json:
        print_json(statement)
        return
    report = statement["report"]
    print_rows([statement], STATEMENTS_SHOWN, json=False)
    placed = ("rows", "transactions", "blank", "headings", "ended", "elsewhere")
    lines = [", ".join(f"{name} {report[name]:,}" for name in placed if name in report)]
    lines += [f"{name} from '{heading}'" for name, heading in report.get("columns", {}).items()]
    lines += [*report.get("decisions", ()), *report.get("notes", ())]
    for problem in report.get("problems", ()):
        lines.append(
            f"row {problem['row']}, {problem['column']}: {problem['message']} ({problem['code']})"
        )
    out.print(
        "\n".join(filter(None, lines)) or "Its rows and report were deleted when they expired.",
        markup=False,
    )


def _print_alert(detail: Mapping[str, Any], *, json: bool) -> None:
    """Print one alert whole: the facts, the reasons, what to ask, its payments and decisions."""
    from cardwatch.alerts import holders_label, joined_facts, merchants_label, pounds
    from cardwatch.casebook.alerts import alert_from
    from cardwatch.cli.output import out

    if json:
        print_json(detail)
        return
    raised = detail["raised"]
    lead = raised["reasons"][0]
    days = " to ".join(dict.fromkeys([detail["first_on"], detail["last_on"]]))
    stake = pounds(detail["at_stake_pence"])
    alert = alert_from(dict(raised))
    lines = [
        f"{detail['alert_id']}  tier {detail['tier']}  {detail['lane']}  {detail['state']}",
        ", ".join(filter(None, (stake, days, holders_label(alert), merchants_label(alert)))),
        f"{raised['title']}.",
    ]
    if detail["assigned_to"] or detail["due_on"]:
        lines.append(
            f"With {detail['assigned_to'] or 'nobody'}, due {detail['due_on'] or 'any day'}"
        )
    lines.append(f"Card policy: {detail['clause'] or 'no clause is given for this kind of alert'}")
    lines += [f"- {fact}" for fact in joined_facts(alert.reasons)]
    lines += [f"Weakened: {reason['fact']}" for reason in raised["weakened_by"]]
    lines += [*(f"- {line}" for line in raised["unusual"]), raised["merchant_history"]]
    lines += [
        f"Ask: {' '.join(lead['ask'])}",
        f"Possible explanations: {' '.join(lead['innocent'])}",
    ]
    for paid in raised["payments"]:
        name = paid["reference"] or f"{paid['file']} row {paid['row']}"
        lines.append(
            f"  {paid['date']}  {pounds(paid['amount_pence']):>12}  {paid['merchant']}  {name}"
        )
        lines += [f"    {line_item_label(LineItem(**item))}" for item in paid.get("line_items", ())]
    for decision in detail["decisions"]:
        verdict = f"{decision['state']}: {decision['reason']}"
        lines.append(f"{decision['decided_at']}  {verdict} ({decision['decided_by']})")
    out.print("\n".join(line for line in lines if line), markup=False)
