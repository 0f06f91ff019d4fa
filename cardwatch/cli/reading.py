"""The commands that show how files are read: columns, a folder, a card register, a merchant."""

from __future__ import annotations

import json as json_text
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from cardwatch import installation
from cardwatch.cli.noun_group import NounGroup
from cardwatch.cli.options import (
    FAULTY,
    PARTLY,
    AsJson,
    ColumnsFile,
    DateOrder,
    OneFile,
    busy,
    reading_choices,
)
from cardwatch.errors import CardwatchError

app = typer.Typer()
cards_app = typer.Typer(
    cls=NounGroup, no_args_is_help=True, help="Read a card register, or set the active one."
)
SomeFile = Annotated[Path | None, typer.Argument(help="The file.", show_default=False)]
OfStatements = Annotated[
    list[Path] | None,
    typer.Option("--statements", help="Statements or folders to match; repeat for more."),
]
CorpusFolder = Annotated[Path, typer.Argument(help="A folder of statements.", show_default=False)]
PrintedName = Annotated[str, typer.Argument(help="A merchant as printed on a statement.")]


@cards_app.command(
    "show", epilog="Example: cardwatch cards show register.csv --statements october.csv"
)
def show_cards(
    file: OneFile,
    statements: OfStatements = None,
    json: AsJson = False,
    date_order: DateOrder = "decide",
) -> None:
    """Read a card register, report every row and count the payments it matches."""
    from cardwatch.cli.output import print_reading, print_register
    from cardwatch.registers import match_cards, read_cards
    from cardwatch.statements import read_statements

    choices = reading_choices(None, date_order)
    with busy("Reading the register"):
        register = read_cards(file, choices)
        read = read_statements(statements, choices) if statements else None
    report, counts = register.report, {}
    if read is not None and len(read.transactions):
        matched_payments = match_cards(read.transactions, register)
        counts["payments"] = len(matched_payments)
        counts["matched"] = int((matched_payments["card_id"] != "").sum())
        counts["not_listed"] = int((~matched_payments["is_card_known"]).sum())
    if json:
        content = asdict(report) | {"reconciles": report.reconciles} | counts
        sys.stdout.write(json_text.dumps(content, ensure_ascii=False, indent=2) + "\n")
    else:
        if read is not None:
            print_reading(read)
        print_register(register, counts)
    refused = read is not None and any(
        statement_report.refused or statement_report.problems for statement_report in read.reports
    )
    if report.problems or refused:
        raise typer.Exit(PARTLY)


@app.command("columns", epilog="Example: cardwatch columns statement.csv > profile.toml")
def show_columns(
    file: SomeFile = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Show how the file is read, keeping nothing.")
    ] = False,
    list_all: Annotated[
        bool, typer.Option("--list", help="List the column profiles that are remembered.")
    ] = False,
    remove: Annotated[str, typer.Option(help="Forget the profile of this id.")] = "",
    columns: ColumnsFile = None,
    date_order: DateOrder = "decide",
) -> None:
    """Print a column profile for a statement to edit and give with --columns; or show its use."""
    from cardwatch.cli.output import out, print_preview
    from cardwatch.statements import preview_statement

    if list_all or remove:
        if remove:
            installation.forget_profile(remove)
        for name, profile in installation.remembered_profiles().items():
            headings = ", ".join(sorted(profile.recognise)) or "any headings"
            out.print(f"{name}  {profile.name}: {headings}", markup=False)
        return
    if file is None:
        raise typer.BadParameter("name a file, or use --list", param_hint="FILE")
    if not preview:
        _print_profile(file)
        return
    preview_of_file = preview_statement(file, reading_choices(columns, date_order))
    print_preview(preview_of_file)
    if preview_of_file.refusal:
        raise preview_of_file.refusal


def _print_profile(file: Path) -> None:
    """Print a column profile for a file, filled in as far as its headings are known."""
    from cardwatch.statements import (
        BY_CONTENT,
        check_headings,
        distinct_headings,
        guess_fields,
        known_headings,
        needed_headings,
        profile_text,
    )
    from cardwatch.tabular import read_tables

    profiles = installation.profiles()
    needed = needed_headings(profiles)
    table = read_tables([file], known_headings(profiles), needed=needed)[0]
    if isinstance(table, CardwatchError):
        raise table
    if table.feed:
        raise CardwatchError(f"{table.file} is read as {table.feed.name} and needs no profile.")
    check_headings(table, profiles)
    headings = distinct_headings(table, installation.card_key())
    guesses = guess_fields(table, headings, profiles)
    by_content = {
        field: guess.heading for field, guess in guesses.items() if guess.reason == BY_CONTENT
    }
    sys.stdout.write(profile_text(headings, profiles, by_content))


@app.command(epilog="Example: cardwatch corpus statements/ --columns profile.toml")
def corpus(
    folder: CorpusFolder, columns: ColumnsFile = None, date_order: DateOrder = "decide"
) -> None:
    """Read every file in a folder and compare each result with what is expected.

    The expected results are in expectations.toml or expectations.csv in the folder.
    """
    from cardwatch.cli.output import print_corpus
    from cardwatch.statements import differences, load_expectations, read_corpus

    expected = load_expectations(folder)
    outcomes = read_corpus(folder, reading_choices(columns, date_order))
    differing = differences(outcomes, expected)
    print_corpus(outcomes, expected, differing)
    if differing:
        raise typer.Exit(FAULTY)


@app.command(epilog="Example: cardwatch merchant 'AMAZON.CO.UK M67LE0CR4 AM'")
def merchant(name: PrintedName) -> None:
    """Show the name under which a merchant is compared, and how it was derived."""
    from cardwatch.merchants import canonical_name

    canonical = canonical_name(name)
    for step, result in (("as printed", canonical.raw), *canonical.steps):
        typer.echo(f"{step + ':':40} {result}")
    hidden = " The seller is not shown." if canonical.seller_hidden else ""
    typer.echo(f"Compared as {canonical.name}.{hidden}")
