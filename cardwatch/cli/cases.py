"""Commands of cases of professional standards: list, show, open, note, close and export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cardwatch import installation
from cardwatch.cli.context import (
    Owner,
    Reason,
    Who,
    open_context,
    print_json,
    print_rows,
    write_file,
)
from cardwatch.cli.noun_group import NounGroup
from cardwatch.cli.options import AsJson, one_of
from cardwatch.vocabulary import CASE_OUTCOMES

if TYPE_CHECKING:
    from cardwatch.services.answers import CaseDetail

cases_app = typer.Typer(
    cls=NounGroup, no_args_is_help=True, help="Cases of professional standards."
)
CASES_SHOWN = ("reference", "state", "title", "owner", "alerts_count", "made_at")
CaseId = Annotated[str, typer.Argument(help="The case's reference, such as C-2026-0001.")]


@cases_app.command("list", epilog="Example: cardwatch case list --state open")
def list_cases(
    state: Annotated[str, typer.Option(help="Only open or closed cases.")] = "",
    text: Annotated[str, typer.Option(help="Part of a reference or title.")] = "",
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """List cases, the newest first."""
    from cardwatch import services
    from cardwatch.casebook.cases import CASE_STATES, CaseFilter

    one_of("--state", state, ("", *CASE_STATES))
    with open_context(person, organisation) as context:
        rows = services.list_cases(context, CaseFilter(state=state, text=text))
    print_rows(rows, CASES_SHOWN, json=json)


@cases_app.command("show", epilog="Example: cardwatch case show C-2026-0001")
def show_case(
    case: CaseId, person: Who = None, organisation: Owner = None, json: AsJson = False
) -> None:
    """Show a case with its chronology."""
    from cardwatch import services

    with open_context(person, organisation) as context:
        detail = services.get_case(context, case)
    if json:
        print_json(detail)
    else:
        _print_case(detail)


@cases_app.command("open", epilog="Example: cardwatch case open 'Split orders' --reason referred")
def open_case(
    title: Annotated[str, typer.Argument(help="What the case is about.")],
    reason: Reason,
    alerts: Annotated[
        list[str] | None,
        typer.Option("--alert", help="An alert to begin with; give it once for each."),
    ] = None,
    owner: Annotated[str, typer.Option(help="Email address of the owner; you without it.")] = "",
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Open a case, with alerts or without. Waiting referrals of these alerts are answered by it."""
    from cardwatch import services

    new_case = services.NewCase(title, reason, tuple(alerts or ()), owner)
    with open_context(person, organisation) as context:
        detail = services.open_case(context, new_case)
    _print_changed(detail, json=json)


@cases_app.command(
    "note", epilog="Example: cardwatch case note C-2026-0001 'Asked for the order book'"
)
def add_note(
    case: CaseId,
    text: Annotated[str, typer.Argument(help="The note, which cannot be changed later.")],
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Add a note to an open case."""
    from cardwatch import services

    with open_context(person, organisation) as context:
        detail = services.add_case_note(context, case, text)
    _print_changed(detail, json=json)


@cases_app.command(
    "close",
    epilog="Example: cardwatch case close C-2026-0001 --outcome passed-on --reason 'To Essex'",
)
def close_case(
    case: CaseId,
    reason: Reason,
    outcome: Annotated[str, typer.Option(help=f"One of: {', '.join(CASE_OUTCOMES)}.")],
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Close a case with an outcome. Its page, or the API, opens it again."""
    from cardwatch import services
    from cardwatch.casebook.cases import CaseUpdate

    one_of("--outcome", outcome, tuple(CASE_OUTCOMES))
    with open_context(person, organisation) as context:
        detail = services.close_case(context, case, CaseUpdate(reason, outcome=outcome))
    _print_changed(detail, json=json)


def _print_changed(case: CaseDetail, *, json: bool) -> None:
    """Print the line of a case that was opened or changed, or all of it as JSON."""
    row = {**case, "alerts_count": len(case["alerts"])}
    if json:
        print_json(case)
    else:
        print_rows([row], CASES_SHOWN, json=False)


def _print_case(case: CaseDetail) -> None:
    """Print a case: its state, people, alerts, files and chronology."""
    from cardwatch.casebook.case_chronology import CHRONOLOGY_TITLES
    from cardwatch.cli.output import out

    outcome = CASE_OUTCOMES.get(case["outcome"], "")
    lines = [
        f"{case['reference']}  {case['title']}",
        ", ".join(filter(None, (case["state"], outcome, f"owner {case['owner'] or 'nobody'}"))),
        *(f"{person['name']} (alerts: {person['alerts_count']})" for person in case["people"]),
        *(f"Alert {alert['alert_id']}: {alert['title']}" for alert in case["alerts"]),
        *(f"File: {attachment['name']}" for attachment in case["attachments"]),
    ]
    for row in case["chronology"]:
        by = f" ({row['by']})" if row["by"] else ""
        lines.append(f"{row['at']}  {CHRONOLOGY_TITLES[row['kind']]}: {row['text']}{by}")
    out.print("\n".join(lines), markup=False)


@cases_app.command(
    "export", epilog="Example: cardwatch case export C-2026-0001 --purpose misconduct --to 'AA'"
)
def export_case(
    case: CaseId,
    purpose: Annotated[
        str, typer.Option(help="finance-assurance, misconduct or corruption-crime.")
    ],
    to: Annotated[str, typer.Option("--to", help="The recipient.")],
    path: Annotated[Path, typer.Argument(help="File or folder to write the pack to.")] = Path(),
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Export a whole case as a signed evidence pack, once you have shown its names."""
    from cardwatch import services

    with open_context(person, organisation) as context:
        export_request = services.ExportRequest(
            purpose, to, installation.marking(), installation.signing_key()
        )
        file = services.export_case(context, case, export_request)
    target = path / file.filename if path.is_dir() else path
    write_file(target, file.content)
    print_rows([{"file": str(target), "alerts": file.alert_count}], ("file", "alerts"), json=json)
