"""Commands about statements and settings of the casebook: each calls one service and prints."""

from __future__ import annotations

from contextlib import suppress as suppressed
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cardwatch import installation
from cardwatch.cli.context import (
    Owner,
    Who,
    open_context,
    print_json,
    print_rows,
    sign_checkpoint,
)
from cardwatch.cli.noun_group import NounGroup
from cardwatch.cli.options import (
    PARTLY,
    REFUSED,
    AsJson,
    ColumnsFile,
    DateOrder,
    busy,
    reading_choices,
)
from cardwatch.errors import CardwatchError, CasebookBusy, CasebookFailed, FileRefused
from cardwatch.quantities import plural, quantity
from cardwatch.vocabulary import SECOND_PERSON

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

Files = Annotated[list[Path], typer.Argument(help="Statements, or folders of them.")]

NOT_RECEIVED = ("refused", SECOND_PERSON)
"""Outcomes of statements that the casebook does not hold."""

statements_app = typer.Typer(
    cls=NounGroup, no_args_is_help=True, help="Import, list or show statements, or watch a folder."
)


@statements_app.command("import", epilog="Example: cardwatch statements import october.csv")
def import_statements(
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


@statements_app.command(
    epilog="Example: cardwatch statements watch /srv/statements --as you@force.example"
)
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
        bool, typer.Option("--once", help="Take all that is complete after one wait, and end.")
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
    choices = reading_choices(columns, date_order)
    reader = services.ArrivalReader(choices, installation.seal(), keys=settings.keys)
    with drop_folder.locked():
        pull = services.SftpPull(settings.source, drop_folder) if settings.source else None
        drop_folder.take_complete(time.monotonic())
        _fetch(pull, is_due=True)
        time.sleep(settle if once else every)
        while True:
            _fetch(pull, is_due=once)
            _report_trouble(pull, person, organisation, is_last=once)
            deliveries: list[Delivery] = []
            if drop_folder.take_complete(time.monotonic()):
                with open_context(person, organisation) as context:
                    deliveries = services.receive_folder(
                        context, drop_folder, reader, time.monotonic()
                    )
                    services.check_registers_now(context)
                    sign_checkpoint(context)
                _print_deliveries(deliveries, json=json)
            if once and not deliveries:
                return
            time.sleep(0 if once else every)  # more may wait than one pass takes


def _fetch(pull: SftpPull | None, *, is_due: bool) -> None:
    """Fetch from the SFTP server, if there is one and it is time to; print what went wrong."""
    import time

    from cardwatch.cli.output import err

    for problem in pull.look(time.monotonic(), is_due=is_due) if pull else []:
        err.print(problem, markup=False)


def _report_trouble(
    pull: SftpPull | None, person: str | None, organisation: str | None, *, is_last: bool
) -> None:
    """Tell the casebook when fetching begins to fail, and when it works again."""
    from cardwatch import services

    if pull is None or (trouble := pull.change(is_last=is_last)) is None:
        return
    with suppressed(CasebookBusy, CasebookFailed), open_context(person, organisation) as context:
        services.report_fetching(context, pull.source.host, trouble)
        pull.announced = trouble


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


@statements_app.command("list", epilog="Example: cardwatch statements list")
def list_statements(person: Who = None, organisation: Owner = None, json: AsJson = False) -> None:
    """List statements in the order received."""
    from cardwatch import services

    with open_context(person, organisation) as context:
        print_rows(services.list_statements(context), STATEMENTS_SHOWN, json=json)


@statements_app.command("show", epilog="Example: cardwatch statements show ba0e")
def show_statement(
    statement: Annotated[str, typer.Argument(help="The statement's id, or its beginning.")],
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Show a statement with what happened to every row."""
    from cardwatch import services

    with open_context(person, organisation) as context:
        _print_statement(services.get_statement(context, statement), json=json)


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
    report: ReadingReport | None = statement["report"]
    print_rows([statement], STATEMENTS_SHOWN, json=False)
    if report is None:
        out.print("Its rows and report were deleted when they expired.", markup=False)
        return
    placed = ("rows", "transactions", "blank", "headings", "ended", "elsewhere")
    lines = [", ".join(f"{name} {getattr(report, name):,}" for name in placed)]
    lines += [f"{name} from '{heading}'" for name, heading in report.columns.items()]
    lines += [*report.decisions, *report.notes]
    lines += [
        f"row {problem.row}, {problem.column}: {problem.message} ({problem.code})"
        for problem in report.problems
    ]
    out.print("\n".join(lines), markup=False)
