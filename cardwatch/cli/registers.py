"""The commands about registers: list the kinds, read one, match them to payments, templates."""

from __future__ import annotations

import datetime as dt
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cardwatch.cli.context import (
    Owner,
    Who,
    open_context,
    print_json,
    print_rows,
    read_text,
    sign_checkpoint,
    write_file,
)
from cardwatch.cli.noun_group import NounGroup
from cardwatch.cli.options import PARTLY, REFUSED, AsJson, DateOrder, busy, reading_choices
from cardwatch.errors import CardwatchError
from cardwatch.quantities import quantity
from cardwatch.vocabulary import SECOND_PERSON

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cardwatch.features import Ledger
    from cardwatch.records import Register
    from cardwatch.services import RegisterReceipt
    from cardwatch.statements import Profile, ReadingChoices

registers_app = typer.Typer(
    cls=NounGroup,
    no_args_is_help=True,
    help="Gifts, interests, contracts, people and other registers beside the card register.",
)

RegisterFile = Annotated[Path, typer.Argument(help="CSV, XLSX, XLS or ODS.", show_default=False)]
RegisterKindName = Annotated[
    str, typer.Option("--kind", help="Which register it is; by its name and headings if not said.")
]
RegisterColumns = Annotated[
    Path | None,
    typer.Option(
        "--columns",
        help="Column profile (TOML) for these files, as 'cardwatch registers columns' writes it.",
    ),
]
KnownFrom = Annotated[
    dt.datetime | None,
    typer.Option(
        "--known-from",
        formats=["%Y-%m-%d"],
        help="Day from which entries count as known that do not say when they were recorded.",
    ),
]
RegistersFolder = Annotated[Path, typer.Argument(help="A folder of registers.", show_default=False)]
CHANCE_COLUMNS = ("kind", "entries", "pairs", "by_chance", "per_hundred", "stated_per_hundred")
REVIEW_COLUMNS = ("register", "organisation", "merchant", "band", "waiting", "words")
OfStatements = Annotated[
    list[Path],
    typer.Option("--statements", help="Statements or folders to match; repeat for more."),
]


@registers_app.command("import", epilog="Example: cardwatch registers import gifts.csv")
def import_files(
    files: Annotated[list[Path], typer.Argument(help="Registers: CSV, XLSX, XLS or ODS.")],
    kind: RegisterKindName = "",
    known_from: KnownFrom = None,
    replaces: Annotated[
        bool,
        typer.Option(
            "--replaces", help="Entries of earlier versions that this file lacks are used no more."
        ),
    ] = False,
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
    date_order: DateOrder = "decide",
    columns: RegisterColumns = None,
) -> None:
    """Import registers into the casebook: each file is the newest version of its register.

    A column profile is remembered for your files with the same headings, and for your colleagues'
    once one of them has given the same.
    """
    from cardwatch import services

    day = str(known_from.date()) if known_from else ""
    choices, stated_profiles = reading_choices(None, date_order), _profiles(columns)

    with open_context(person, organisation) as context:
        profiles = [*stated_profiles, *services.list_register_profiles(context)]

        def import_one(file: Path) -> RegisterReceipt:
            register = _read(file, choices, kind, profiles, len(stated_profiles))
            for profile in stated_profiles:
                services.save_register_profile(context, profile)
            return services.import_register(context, register, known_from=day, replaces=replaces)

        receipts = [_import_one(file, import_one, len(files), json=json) for file in files]
        received = [receipt for receipt in receipts if receipt is not None]
        if any(receipt.outcome != SECOND_PERSON for receipt in received):
            with busy("Comparing the statements of the last 12 months"):
                services.check_registers_now(context)
        sign_checkpoint(context)
    if json:
        print_json([asdict(receipt) for receipt in received])
    _end(received, len(receipts) - len(received))


def _profiles(columns: Path | None) -> list[Profile]:
    """Return the column profile in a file, if one is given."""
    from cardwatch.registers import parse_register_profile

    return [parse_register_profile(read_text(columns), columns.name)] if columns else []


def _read(
    file: Path, choices: ReadingChoices, kind: str, profiles: Sequence[Profile], given_count: int
) -> Register:
    """Return the register in a file that is imported."""
    from cardwatch.registers import read_register

    with busy(f"Reading {file.name}"):
        return read_register(file, choices, kind=kind, profiles=profiles, given_count=given_count)


def _import_one(
    file: Path, import_one: Callable[[Path], RegisterReceipt], count: int, *, json: bool
) -> RegisterReceipt | None:
    """Import one of some files and print what became of it; none where it is refused.

    Raises:
        CardwatchError: the only file is refused.
    """
    from cardwatch.cli.output import err, out

    try:
        receipt = import_one(file)
    except CardwatchError as refusal:
        if count == 1:
            raise
        message = str(refusal)
        with_file = message if message.startswith(file.name) else f"{file.name}: {message}"
        err.print(f"Not imported: {with_file}", markup=False, soft_wrap=True)
        return None
    if receipt.outcome == SECOND_PERSON:
        message = "\n".join(receipt.notes)
        err.print(f"Not imported: {message}", markup=False, soft_wrap=True)
    elif not json:
        out.print(_received(receipt), markup=False, soft_wrap=True)
    return receipt


def _end(receipts: list[RegisterReceipt], refused: int) -> None:
    """End with the code that says whether every file was received, and all of it."""
    waiting = [receipt for receipt in receipts if receipt.outcome == SECOND_PERSON]
    if len(waiting) == len(receipts):
        raise typer.Exit(REFUSED)
    if refused or waiting or any(receipt.unreadable for receipt in receipts):
        raise typer.Exit(PARTLY)


def _received(receipt: RegisterReceipt) -> str:
    """Return what became of a file in a sentence."""
    if receipt.outcome == "held":
        return f"{receipt.file}: the same file is the newest version already ({receipt.version_id})"
    entries = quantity(receipt.entries, "entry", "entries")
    counts = f"{entries}, {quantity(receipt.unreadable, 'row')} not readable"
    version = f" ({receipt.version_id})" if receipt.version_id else ""
    return f"{receipt.file}: {receipt.kind}, {counts}{version}"


@registers_app.command("list", epilog="Example: cardwatch registers list --as you@force.example")
def list_stored(person: Who = None, organisation: Owner = None, json: AsJson = False) -> None:
    """List the registers in the casebook that you may see, with how much of each is held."""
    from cardwatch import services

    with open_context(person, organisation) as context:
        rows = [asdict(summary) for summary in services.list_registers(context)]
    columns = ("kind", "title", "owner", "lane", "versions", "entries", "last_received_at")
    print_rows(rows, columns, json=json)


@registers_app.command("kinds", epilog="Example: cardwatch registers kinds")
def list_kinds(json: AsJson = False) -> None:
    """List the registers that can be read: what a row is, whose it is, who may see it."""
    from cardwatch.registers import register_kinds

    rows = [
        {
            "register": kind.kind,
            "title": kind.title,
            "a row is": kind.row,
            "owner": kind.owner,
            "lane": kind.lane,
        }
        for kind in register_kinds().values()
    ]
    print_rows(rows, ("register", "title", "a row is", "owner", "lane"), json=json)


@registers_app.command("template", epilog="Example: cardwatch registers template gifts > gifts.csv")
def template(kind: Annotated[str, typer.Argument(help="gifts, interests, contracts ...")]) -> None:
    """Print an empty register as CSV: a row of headings, ready to be filled in."""
    from cardwatch.registers import register_kind, template_text

    sys.stdout.write(template_text(register_kind(kind)))


@registers_app.command(
    "columns", epilog="Example: cardwatch registers columns gifts.csv > gifts.toml"
)
def columns(file: RegisterFile, kind: RegisterKindName = "") -> None:
    """Print a column profile for a register to edit and give with --columns, or put beside it.

    The headings of the file stand in it, with the likely field of each.
    """
    from cardwatch.registers import register_headings, register_profile_text

    choices = reading_choices(None, "decide")
    sys.stdout.write(register_profile_text(*register_headings(file, choices, kind)))


@registers_app.command("show", epilog="Example: cardwatch registers show gifts.csv")
def show(
    file: Annotated[
        str, typer.Argument(help="A file; or a register or version in the casebook, by its name.")
    ],
    kind: RegisterKindName = "",
    known_from: KnownFrom = None,
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
    date_order: DateOrder = "decide",
    columns: RegisterColumns = None,
) -> None:
    """Show a register: every row accounted for, columns dropped, figures about its quality."""
    from cardwatch.registers import read_register

    if Path(file).is_file():
        day, profiles = known_from.date() if known_from else None, _profiles(columns)
        with busy("Reading the register"):
            register = read_register(
                Path(file),
                reading_choices(None, date_order),
                kind=kind,
                known_from=day,
                profiles=profiles,
                given_count=len(profiles),
            )
        _show_file(register, json=json)
    else:
        _show_stored(file, person, organisation, json=json)


def _show_stored(name: str, person: str | None, organisation: str | None, *, json: bool) -> None:
    """Show a register in the casebook with its versions, or one version with its problems."""
    from cardwatch import services
    from cardwatch.cli.output import print_quality
    from cardwatch.registers import register_kinds

    with open_context(person, organisation) as context:
        if name in register_kinds():
            detail = services.get_register(context, name)
            if json:
                print_json(asdict(detail))
                return
            versions = [asdict(version) for version in detail.versions]
            columns = ("version_id", "file", "received_at", "entries", "unreadable", "known_from")
            print_rows(versions, columns, json=False)
            if detail.quality:
                print_quality(asdict(detail.quality))
            return
        version, report = services.get_version(context, name)
    if json:
        print_json(asdict(version) | {"report": asdict(report)})
        return
    problems = [asdict(problem) for problem in report.problems]
    print_rows([asdict(version)], ("version_id", "kind", "file", "entries"), json=False)
    print_rows(problems, ("row", "column", "code", "message"), json=False)


def _show_file(register: Register, *, json: bool) -> None:
    """Print what a file of a register holds."""
    from cardwatch.cli.output import print_register_report

    quality = _quality(register)
    if json:
        report = register.reports[0]
        print_json(asdict(report) | {"reconciles": report.reconciles, "quality": quality})
    else:
        print_register_report(register, quality)
    if register.reports[0].problems:
        raise typer.Exit(PARTLY)


@registers_app.command(
    "match", epilog="Example: cardwatch registers match registers/ --statements statements/"
)
def match(
    folder: RegistersFolder,
    statements: OfStatements,
    policy: Annotated[Path | None, typer.Option("--policy", help="The policy (TOML).")] = None,
    save: Annotated[
        Path | None, typer.Option("--out", help="Write the matches as CSV, to be reviewed.")
    ] = None,
    json: AsJson = False,
    date_order: DateOrder = "decide",
) -> None:
    """Match the organisations of registers to merchants, with the words that they share.

    Beside it: how many entries would match by chance, were their people shuffled.
    """
    from cardwatch.cli.output import out
    from cardwatch.features import Ledger
    from cardwatch.features.chance_pairs import declared_chances
    from cardwatch.features.name_matches import name_matches
    from cardwatch.policy import load_policy
    from cardwatch.statements import read_statements

    choices = reading_choices(None, date_order)
    with busy("Reading registers and statements"):
        registers = read_folder(folder, choices)
        read = read_statements(statements, choices)
        by_kind = {register.kind: register for register in registers}
        ledger = Ledger(read.transactions, load_policy(policy), by_kind)
    with busy("Matching"):
        rows = [asdict(match) for match in name_matches(ledger)]
        kinds = [kind for kind in by_kind if "organisation" in by_kind[kind].entries]
        chance = [asdict(pairs) for pairs in declared_chances(ledger)]
    if save:
        _write_review(save, rows)
    if json:
        print_json({"matches": rows, "chance": chance})
        return
    print_rows(rows, REVIEW_COLUMNS, json=False)
    for line in _coverage(ledger, kinds, rows):
        out.print(line, markup=False)
    print_rows(chance, CHANCE_COLUMNS, json=False)


def read_folder(folder: Path | None, choices: ReadingChoices) -> list[Register]:
    """Return the registers in a folder and those below it, or in one file; none without a folder.

    A TOML file among them is a column profile, by which the others are read.

    Raises:
        CardwatchError: the folder is not there, holds no register, or a profile that fits none.
    """
    from cardwatch.registers import read_registers

    if folder is None:
        return []
    files = [folder] if folder.is_file() else sorted(folder.rglob("*"))
    files = [file for file in files if file.is_file() and not _is_hidden(file, folder)]
    profiles = [profile for file in files if file.suffix == ".toml" for profile in _profiles(file)]
    registers = [file for file in files if file.suffix != ".toml"]
    if not registers:
        raise CardwatchError(f"{folder} holds no register. Give a folder with one file a register.")
    return read_registers(registers, choices, profiles=profiles, given_count=len(profiles))


def _is_hidden(file: Path, folder: Path) -> bool:
    """Whether a file in a folder, or a folder that it is in, is hidden or a temporary one."""
    return any(part.startswith((".", "~")) for part in file.relative_to(folder).parts)


def _quality(register: Register) -> dict[str, Any]:
    """Return the figures about a register's quality; reviews are overdue as of today."""
    import pandas as pd

    from cardwatch.registers import register_quality

    return asdict(register_quality(register, pd.Timestamp(dt.datetime.now(dt.UTC).date())))


def _coverage(ledger: Ledger, kinds: list[str], rows: list[dict[str, Any]]) -> list[str]:
    """Return for each register what was read and how much of it has no match; never "clear"."""
    lines = []
    for kind in kinds:
        if kind == "matches":
            continue
        register = ledger.registers[kind]
        unread = sum(len(report.problems) for report in register.reports)
        match_count = sum(row["register"] == kind for row in rows)
        start = (
            f"{match_count} names matched"
            if match_count
            else "nothing declared under a similar name"
        )
        count = f"{len(register.entries):,} entries read, {unread:,} rows not readable"
        lines.append(f"{kind}: {start}; {count}.")
    return lines


def _write_review(path: Path, rows: list[dict[str, Any]]) -> None:
    """Write the matches to be reviewed: the columns of the register of reviewed matches, empty."""
    from cardwatch.reports import csv_text, safe_text

    headings = ["Name in register", "Merchant", "Decision", "Reason", "Decided by", "Decided on"]
    headings += ["Register", "Band", "Words shared", "Only in register", "Only in statement"]
    names = ("register", "band", "words", "only_register", "only_merchant")
    lines = [
        [row["organisation"], row["merchant"], "", "", "", "", *(row[name] for name in names)]
        for row in rows
    ]
    text = csv_text([headings, *([safe_text(cell) for cell in line] for line in lines)])
    write_file(path, text.encode())


def _named_numbers(file: Path, names: list[str], number: str) -> list[dict[str, str]]:
    """Return each name of a table with the company number beside it.

    Raises:
        CardwatchError: the file cannot be read, lacks a column, or has no row.
    """
    from cardwatch.tabular import normalise_heading, read_tables

    if not file.is_file():
        raise CardwatchError(f"{file.name}: there is no such file")
    [table] = read_tables([file], frozenset(map(normalise_heading, [*names, number])))
    if isinstance(table, CardwatchError):
        raise table
    missing = [heading for heading in [*names, number] if heading not in table.headings]
    if missing or not len(table.rows):
        raise CardwatchError(f"{file.name} has no column {', '.join(missing) or 'and no row'}.")
    columns = {
        heading: table.cells[str(table.headings.index(heading))].to_pylist()
        for heading in (*names, number)
    }
    return [
        {"name": name or "", "number": company or ""}
        for heading in names
        for name, company in zip(columns[heading], columns[number], strict=True)
    ]


@registers_app.command(
    "evaluate", epilog="Example: cardwatch registers evaluate names.csv --name donor --number crn"
)
def evaluate_names(
    file: RegisterFile,
    name: Annotated[
        list[str], typer.Option("--name", help="Column with a name; repeat for more spellings.")
    ],
    number: Annotated[str, typer.Option("--number", help="Column with the company number.")],
    json: AsJson = False,
) -> None:
    """Measure the matcher on names with company numbers: precision and recall, beside rivals."""
    from cardwatch.evaluation.register_matches import labelled_names, measure_names

    scores = measure_names(labelled_names(_named_numbers(file, name, number)))
    score_rows = [
        asdict(score)
        | {
            "precision": None if score.precision is None else round(score.precision, 3),
            "recall": None if score.recall is None else round(score.recall, 3),
        }
        for score in scores
    ]
    columns = ("method", "true_pairs", "false_pairs", "all_pairs", "precision", "recall")
    print_rows(score_rows, columns, json=json)
