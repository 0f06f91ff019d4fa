"""The commands: each reads its arguments, calls the core once, and prints.

The core is imported inside them, so that help does not wait for it.
"""

from __future__ import annotations

import datetime as dt
import json as json_text
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cardwatch import __version__, installation
from cardwatch.cli import (
    admin,
    approvals,
    audit,
    casebook,
    cases,
    forces,
    national,
    packs,
    queries,
    registers,
    rights,
    secrets,
)
from cardwatch.cli.options import (
    FAULTY,
    PARTLY,
    AsJson,
    ColumnsFile,
    DateOrder,
    busy,
    one_of,
    reading_choices,
)
from cardwatch.errors import CardwatchError
from cardwatch.quantities import quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardwatch.evaluation.benchmark import Evaluation
    from cardwatch.evaluation.reading import Item
    from cardwatch.records import AlertList, CardRegister, Statements
    from cardwatch.statements import ReadingChoices

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Finds split purchases and unusual merchants in procurement-card statements.",
    epilog="Exit codes: 0 done; 2 wrong usage; 3 refused, nothing changed; "
    "4 done, but some files or rows were not read; 5 verification failed.",
)
policy_app = typer.Typer(no_args_is_help=True, help="Check a policy file, or show the defaults.")
app.add_typer(policy_app, name="policy")
app.registered_commands += casebook.app.registered_commands + admin.app.registered_commands
app.registered_commands += national.app.registered_commands + forces.app.registered_commands
app.registered_commands += rights.app.registered_commands + approvals.app.registered_commands
app.add_typer(national.casebook_app, name="casebook")
app.add_typer(cases.cases_app, name="case")
app.add_typer(audit.app, name="audit")
app.add_typer(admin.keep_app, name="keep")
app.add_typer(secrets.app, name="secrets")
app.add_typer(registers.registers_app, name="registers")
app.add_typer(queries.queries_app, name="queries")
app.add_typer(packs.packs_app, name="pack")

Files = Annotated[
    list[Path], typer.Argument(help="Statements, or folders of them.", show_default=False)
]
OneFile = Annotated[Path, typer.Argument(help="The file.", show_default=False)]
SomeFile = Annotated[Path | None, typer.Argument(help="The file.", show_default=False)]
PolicyFile = Annotated[
    Path | None, typer.Option("--policy", help="The organisation's figures (TOML).")
]
Overlap = Annotated[
    str, typer.Option(help="Rows that two files share: keep both, or count them once.")
]
History = Annotated[
    list[Path] | None,
    typer.Option(help="Earlier statements or folders to compare with; repeat for more."),
]
ModelFolder = Annotated[
    Path | None,
    typer.Option("--model", help="A model; without it one is trained on the history."),
]
CardsFile = Annotated[
    Path | None,
    typer.Option("--cards", help="The card register: holders, limits, approvers, dates."),
]
OtherRegisters = Annotated[
    Path | None,
    typer.Option(
        "--registers", help="A folder of other registers: gifts, interests, contracts ..."
    ),
]
OfStatements = Annotated[
    list[Path] | None,
    typer.Option("--statements", help="Statements or folders to match; repeat for more."),
]
Lane = Annotated[str, typer.Option(help="finance, psd or all.")]
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
EvaluateFrom = Annotated[
    dt.datetime | None,
    typer.Option(
        "--from", formats=["%Y-%m-%d"], help="First day to score; if empty, half of the payments."
    ),
]
EvaluateLimits = Annotated[
    list[int] | None,
    typer.Option(help="Limit in pounds for the invented splits; if empty, the policy's."),
]
EvaluateSeeds = Annotated[
    int, typer.Option(min=1, max=100, help="Number of data sets of each kind.")
]
EvaluateSize = Annotated[
    int | None,
    typer.Option(
        "--organisation", min=100, max=100_000,
        help="Measure on an organisation of so many payments a month, made of these cardholders.",
    ),
]  # fmt: skip
EvaluateOut = Annotated[
    Path | None, typer.Option("--out", help="Folder for the figures (JSON) and plots (SVG).")
]
EvaluateRead = Annotated[
    int | None,
    typer.Option(
        "--read", min=1, max=1000,
        help="Write a sheet to be read blind instead: so many questions, by whom is not said; "
        "--lane chooses the list.",
    ),
]  # fmt: skip
EvaluateFilled = Annotated[
    list[Path] | None,
    typer.Option(
        "--filled", exists=True, dir_okay=False,
        help="Score that sheet as a person has filled it; repeat it for further readers.",
    ),
]  # fmt: skip
CasebookFolder = Annotated[
    Path | None,
    typer.Option(
        "--casebook",
        help="Store the force in a casebook in this folder, and invite people to its pages.",
    ),
]
CorpusFolder = Annotated[Path, typer.Argument(help="A folder of statements.", show_default=False)]
RuleName = Annotated[str | None, typer.Argument(help="A rule to show in full.")]
PrintedName = Annotated[str, typer.Argument(help="A merchant as printed on a statement.")]
Version = Annotated[bool, typer.Option("--version", help="Print the version.")]


@app.callback(invoke_without_command=True)
def version(version: Version = False) -> None:
    """Handle --version; the help text is the app's."""
    if version:
        typer.echo(f"cardwatch {__version__}")
        raise typer.Exit


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
    choices, policy_figures = _choices(columns, date_order, overlap), load_policy(policy)
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
    with busy("Scoring"):
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


@app.command(epilog="Example: cardwatch train statements/ --out models/ourforce")
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

    choices, figures = _choices(columns, date_order, overlap), load_policy(policy)
    with busy("Reading statements"):
        register = _register(cards, choices)
        read = read_statements(statements, choices, overlap=overlap)
    with busy("Training the model"):
        forest = train_forest(read.transactions, figures, cards=register)
    read = _with_register(read, register)
    try:
        save_forest(forest, save)
    except OSError as error:
        raise CardwatchError(f"{save} cannot be written: {error.strerror}.") from error
    print_reading(read)
    out.print(
        f"Model '{save.name}' written to {save}: {quantity(forest.rows, 'payment')} of "
        f"{quantity(forest.holders, 'cardholder')}, {forest.first_on} to {forest.last_on}."
    )
    if any(report.refused or report.problems for report in read.reports):
        raise typer.Exit(PARTLY)


@app.command(epilog="Example: cardwatch cards register.csv --statements october.csv")
def cards(
    file: OneFile,
    statements: OfStatements = None,
    json: AsJson = False,
    date_order: DateOrder = "decide",
) -> None:
    """Read a card register, report every row and count the payments it matches."""
    from cardwatch.cli.output import print_reading, print_register
    from cardwatch.registers import match_cards, read_cards
    from cardwatch.statements import read_statements

    choices = _choices(None, date_order, "keep")
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


@app.command(epilog="Example: cardwatch evaluate statements/ --policy policy.toml --out found/")
def evaluate(
    statements: Files,
    policy: PolicyFile = None,
    start: EvaluateFrom = None,
    limit: EvaluateLimits = None,
    seeds: EvaluateSeeds = 3,
    size: EvaluateSize = None,
    save: EvaluateOut = None,
    read_count: EvaluateRead = None,
    filled: EvaluateFilled = None,
    lane: Lane = "all",
    columns: ColumnsFile = None,
    json: AsJson = False,
    date_order: DateOrder = "decide",
    overlap: Overlap = "once",
) -> None:
    """Measure detection: add invented cases to your own history and count how many are found."""
    from cardwatch.cli.output import err, print_reading
    from cardwatch.evaluation import reading
    from cardwatch.evaluation.benchmark import Plan, score_unchanged
    from cardwatch.evaluation.benchmark import evaluate as measure
    from cardwatch.evaluation.sizes import resize
    from cardwatch.policy import load_policy
    from cardwatch.statements import read_statements

    choices, figures = _choices(columns, date_order, overlap), load_policy(policy)
    with busy("Reading statements"):
        read = read_statements(statements, choices, overlap=overlap)
    if read_count is not None:
        one_of("--lane", lane, ("finance", "psd", "all"))
        scoring = score_unchanged(read.transactions, figures, start)
        _read_blind(reading.make_items(scoring, read_count, lane), filled, save)
        return
    plan = Plan(start and start.date(), tuple(pounds * 100 for pounds in limit or []), seeds)
    payments = resize(read.transactions, size, plan.first_seed) if size else read.transactions
    evaluation = measure(payments, figures, plan, lambda step: err.print(f"Measuring: {step}"))
    if not json:
        print_reading(read)
    _give_evaluation(evaluation, save, json=json)


def _give_evaluation(evaluation: Evaluation, save: Path | None, *, json: bool) -> None:
    """Print what was measured, and write it with its plots where a folder is named."""
    from cardwatch.cli.output import err, print_evaluation
    from cardwatch.evaluation.plots import draw

    text = json_text.dumps(asdict(evaluation), indent=2, sort_keys=True)
    if json:
        sys.stdout.write(text + "\n")
    else:
        print_evaluation(evaluation)
    if save:
        _write_text(save / "evaluation.json", text + "\n")
        for path in [save / "evaluation.json", *draw(evaluation, save)]:
            err.print(f"Written: {path}")


def _read_blind(items: list[Item], filled: Sequence[Path] | None, save: Path | None) -> None:
    """Write the sheet to be read, or score it as it was filled."""
    from cardwatch.cli.output import err, print_shares
    from cardwatch.evaluation import reading

    if filled:
        readers = {
            path.name: reading.read_answers(items, path.read_text("utf-8", "replace"), path.name)
            for path in filled
        }
        print_shares(reading.shares_of(items, readers), reading.agreements(readers))
        return
    if save is None:
        raise typer.BadParameter("say where the sheet is to be written", param_hint="--out")
    _write_text(save / "to-read.csv", reading.sheet_text(items))
    err.print(f"Written: {save / 'to-read.csv'}")
    err.print("Enter yes or no in its last column, then score it with --filled.")


@app.command(epilog="Example: cardwatch rules split-same-day")
def rules(name: RuleName = None, json: AsJson = False) -> None:
    """List the rules, or show one in full: conditions, reasons, what to ask, sources."""
    from rich.markdown import Markdown
    from rich.table import Table

    from cardwatch.cli.output import out
    from cardwatch.rules import load_rules, rule_page

    rule_by_id = {rule.id: rule for rule in load_rules()}
    if name is not None and name not in rule_by_id:
        raise CardwatchError(f"There is no rule '{name}'. 'cardwatch rules' lists them.")
    if json:
        chosen = [rule_by_id[name]] if name else list(rule_by_id.values())
        typer.echo(json_text.dumps([asdict(rule) for rule in chosen], default=str, indent=2))
    elif name:
        out.print(Markdown(rule_page(rule_by_id[name])))
    else:
        table = Table("Rule", "Rule", "Kind", "Level", "Lane", "Role", box=None, pad_edge=False)
        for rule in rule_by_id.values():
            table.add_row(rule.id, rule.title, rule.kind, rule.level, rule.lane, rule.role)
        out.print(table)


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


@policy_app.command("check", epilog="Example: cardwatch policy check policy.toml")
def policy_check(file: OneFile) -> None:
    """Check a policy file and list every fault."""
    from cardwatch.policy import LIMIT_KINDS, load_policy

    figures = load_policy(file)
    stated = [name for name in LIMIT_KINDS if getattr(figures, name)[0].stated]
    typer.echo(f"{file.name}: no faults. Limits stated: {', '.join(stated) or 'none'}.")


@policy_app.command("show", epilog="Example: cardwatch policy show > policy.toml")
def policy_show() -> None:
    """Print the default policy, to start a policy file from."""
    from cardwatch.policy import default_policy_text

    sys.stdout.write(default_policy_text())


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


def _write_text(path: Path, text: str) -> None:
    """Write a text into a folder, which is made if need be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CardwatchError(f"{path} cannot be written: {error.strerror}.") from error


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


def _choices(columns: Path | None, date_order: str, overlap: str) -> ReadingChoices:
    """The choices for reading statements."""
    one_of("--overlap", overlap, ("keep", "once"))
    return reading_choices(columns, date_order)
