"""The commands that score: statements, the model they are scored with, the invented force."""

from __future__ import annotations

import datetime as dt
import os
import sys
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cardwatch import installation
from cardwatch.cli import registers
from cardwatch.cli.options import (
    PARTLY,
    AsJson,
    CardsFile,
    ColumnsFile,
    DateOrder,
    Files,
    Lane,
    Overlap,
    PolicyFile,
    busy,
    one_of,
    reading_choices,
)
from cardwatch.errors import CardwatchError, NothingToScore
from cardwatch.quantities import quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardwatch.records import AlertList, CardRegister, Statements
    from cardwatch.statements import ReadingChoices

app = typer.Typer()
model_app = typer.Typer(
    no_args_is_help=True, help="Train the anomaly model, or set the active one."
)
History = Annotated[
    list[Path] | None,
    typer.Option(
        help="Earlier statements or a folder of them, to compare with. Give --history before each: "
        "a file without it is scored."
    ),
]
ModelFolder = Annotated[
    Path | None,
    typer.Option("--model", help="A model; without it one is trained on the history."),
]
OtherRegisters = Annotated[
    Path | None,
    typer.Option(
        "--registers", help="A folder of other registers: gifts, interests, contracts ..."
    ),
]
Outs = Annotated[
    list[Path] | None,
    typer.Option(
        "--out",
        help="Write the list: .csv, .xlsx or .json; repeat for more. In a folder it is an .xlsx "
        "file named after its contents.",
    ),
]
ShowAll = Annotated[bool, typer.Option("--all", help="Print alerts beyond the budget as well.")]
ModelOut = Annotated[Path, typer.Option("--out", help="Folder of the model; it names the model.")]
ListOut = Annotated[Path, typer.Option("--out", help="File or folder to write the list to.")]
CasebookFolder = Annotated[
    Path | None,
    typer.Option(
        "--casebook",
        help="Store the force in a casebook in this folder, and invite people to its pages.",
    ),
]


@app.command(epilog="Example: cardwatch score october.csv --history statements/ --out list.xlsx")
def score(
    statements: Files,
    history: History = None,
    policy: PolicyFile = None,
    columns: ColumnsFile = None,
    cards: CardsFile = None,
    others: OtherRegisters = None,
    model: ModelFolder = None,
    lane: Lane = "finance",
    save: Outs = None,
    show_all: ShowAll = False,
    json: AsJson = False,
    date_order: DateOrder = "decide",
    overlap: Overlap = "keep",
) -> None:
    """Score statements: list the payments that deserve a question, in order, and why."""
    from cardwatch.cli.output import print_registers
    from cardwatch.forest import load_forest
    from cardwatch.policy import load_policy
    from cardwatch.scoring import score as score_transactions
    from cardwatch.statements import list_files, read_statements

    one_of("--lane", lane, ("finance", "psd", "all"))
    _writable(save or [])
    choices, policy_figures = reading_choices(columns, date_order, overlap), load_policy(policy)
    forest = load_forest(model) if model else None
    files = list_files(statements)
    with busy("Reading statements"):
        register, other_registers = (
            _register(cards, choices),
            registers.read_folder(others, choices),
        )
        read = read_statements(files, choices, history=history or [], overlap=overlap)
    if columns:
        installation.remember_profile(columns)
    names = [report.file for report in read.reports[: len(files)]] if history else []
    with _unread_named(read), busy("Scoring"):
        scoring = score_transactions(
            read.transactions,
            policy_figures,
            cards=register,
            registers=other_registers,
            asked_files=names,
            forest=forest,
        )
    print_registers(other_registers)
    read = _with_register(read, register)
    lists = {
        name: alert_list for name, alert_list in scoring.lists.items() if lane in {name, "all"}
    }
    _give(lists, read, save or [], show_all=show_all, json=json)
    if any(report.refused or report.problems for report in read.reports):
        raise typer.Exit(PARTLY)


@contextmanager
def _unread_named(read: Statements) -> Iterator[None]:
    """Print what happened to every file where that leaves nothing to score."""
    from cardwatch.cli.output import print_reading

    try:
        yield
    except NothingToScore:
        print_reading(read)
        raise


def _give(
    lists: dict[str, AlertList],
    read: Statements,
    save: list[Path],
    *,
    show_all: bool = False,
    json: bool = False,
) -> None:
    """Print the lists, and write them where that was asked for."""
    from cardwatch.cli.output import err, print_list, print_reading
    from cardwatch.reports import alerts_filename, as_json, write_alerts

    if json:
        sys.stdout.write(as_json(lists, read))
    else:
        print_reading(read)
        for name, alert_list in lists.items():
            print_list(name, alert_list, show_all=show_all)
    for place in save:
        path = place / alerts_filename(lists, lists, ".xlsx") if place.is_dir() else place
        write_alerts(path, lists, read)
        err.print(f"Written: {path}", markup=False)


@model_app.command(epilog="Example: cardwatch model train statements/ --out models/ourforce")
def train(
    statements: Files,
    save: ModelOut,
    policy: PolicyFile = None,
    columns: ColumnsFile = None,
    cards: CardsFile = None,
    date_order: DateOrder = "decide",
    overlap: Overlap = "keep",
) -> None:
    """Train the anomaly model on statements and save it with its manifest and card."""
    from cardwatch.cli.output import out, print_reading
    from cardwatch.forest import save_forest
    from cardwatch.policy import load_policy
    from cardwatch.scoring import train as train_forest
    from cardwatch.statements import read_statements

    choices, figures = reading_choices(columns, date_order, overlap), load_policy(policy)
    with busy("Reading statements"):
        register = _register(cards, choices)
        read = read_statements(statements, choices, overlap=overlap)
    print_reading(_with_register(read, register))
    with busy("Training the model"):
        forest = train_forest(read.transactions, figures, cards=register)
    try:
        save_forest(forest, save)
    except OSError as error:
        raise CardwatchError(f"{save} cannot be written: {error.strerror}.") from error
    out.print(
        f"Model '{save.name}' written to {save}: {quantity(forest.rows, 'payment')} of "
        f"{quantity(forest.holders, 'cardholder')}, {forest.first_on} to {forest.last_on}."
    )
    if any(report.refused or report.problems for report in read.reports):
        raise typer.Exit(PARTLY)


@app.command(epilog="Example: cardwatch demo --out alerts.xlsx")
def demo(save: ListOut = Path(), casebook_folder: CasebookFolder = None) -> None:
    """Score the newest statement of an invented force against its history."""
    from cardwatch.cli.demo import FORCE, sample_folder
    from cardwatch.cli.output import out
    from cardwatch.policy import load_policy
    from cardwatch.registers import read_cards
    from cardwatch.scoring import score as score_transactions
    from cardwatch.statements import ReadingChoices, read_statements, shipped_profiles

    out.print(f"{FORCE} is invented, and so are its payments.\n", style="dim")
    if casebook_folder:
        _invite_to_sample(casebook_folder)
        return
    _writable([save])
    sample = sample_folder()
    newest = max((sample / "statements").iterdir())
    choices = ReadingChoices(shipped_profiles(), b"demonstration")
    with busy("Reading statements"):
        read = read_statements([newest], choices, history=[sample / "statements"])
        register = read_cards(sample / "cards.csv", choices)
        other_registers = registers.read_folder(sample / "registers", choices)
    figures = load_policy(sample / "policy.toml")
    with busy("Scoring"):
        scoring = score_transactions(
            read.transactions,
            figures,
            cards=register,
            registers=other_registers,
            asked_files=[newest.name],
        )
    _give(scoring.lists, _with_register(read, register), [save])


def _invite_to_sample(folder: Path) -> None:
    """Fill a folder's casebook with the invented force, and print its invitations."""
    from cardwatch.cli.demo import fill_casebook
    from cardwatch.cli.output import out

    os.environ["CARDWATCH_HOME"] = str(folder)
    with busy("Importing a year of statements"):
        invitations = fill_casebook(dt.datetime.now(dt.UTC))
    out.print("Set up an account with one of these invitations. Each expires after seven days:\n")
    for email, token in invitations.items():
        typer.echo(f"{email}\n  {token}")
    out.print(
        "\nThen sign in as finance and upload the newest statement: "
        "sample_data/statements/2026-10.csv"
    )


def _register(cards: Path | None, choices: ReadingChoices) -> CardRegister | None:
    """Return the card register, if one was given."""
    from cardwatch.registers import read_cards

    return read_cards(cards, choices) if cards else None


def _with_register(read: Statements, register: CardRegister | None) -> Statements:
    """Return what was read with the register among the files."""
    return replace(read, reports=(*read.reports, register.report)) if register else read


def _writable(save: list[Path]) -> None:
    """Refuse an ending nobody can write, before any work is done."""
    from cardwatch.reports import FORMATS

    files = [path for path in save if not path.is_dir()]
    if any(path.suffix.lower() not in FORMATS for path in files):
        raise typer.BadParameter(
            f"use a file that ends in {', '.join(FORMATS)}", param_hint="--out"
        )
    for path in files:
        if not path.absolute().parent.is_dir():
            raise typer.BadParameter(f"there is no folder {path.parent}", param_hint="--out")
