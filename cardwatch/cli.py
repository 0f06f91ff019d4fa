"""The command: reads arguments, calls the core, prints, and turns refusals into exit codes."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.markup import escape
from rich.table import Table

from cardwatch import __version__
from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from cardwatch.records import Alert, AlertList, Statements
    from cardwatch.statements import Profile, ReadingChoices

DONE, USAGE, REFUSED, PARTLY = 0, 2, 3, 4
"""Exit codes: all done; wrong usage; refused, nothing done; done, but not everything was read."""
LANE_WORDS = {"finance": "Questions for finance", "psd": "For professional standards only"}
SHOWN_PROBLEMS = 10
NAMED_PAYMENTS = 6

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Finds split purchases and unusual merchants in procurement-card statements.",
    epilog="Exit codes: 0 done; 2 wrong usage; 3 refused, nothing done; "
    "4 done, but some files or rows were not read.",
)
policy_app = typer.Typer(no_args_is_help=True, help="Check a policy file, or show the defaults.")
app.add_typer(policy_app, name="policy")
out, err = Console(), Console(stderr=True)

Files = Annotated[list[Path], typer.Argument(help="Statements, or folders of them.", show_default=False)]  # fmt: skip
PolicyFile = Annotated[Path | None, typer.Option("--policy", help="The organisation's figures (TOML).")]  # fmt: skip
ColumnsFile = Annotated[Path | None, typer.Option("--columns", help="A column profile; it is remembered for files with the same headings.")]  # fmt: skip
DateOrder = Annotated[str, typer.Option(help="decide, day-first or month-first.")]
Overlap = Annotated[str, typer.Option(help="Rows that two files share: keep, or count them once.")]


def main() -> None:
    """Run the command; every refusal is one sentence on standard error and an exit code."""
    try:
        app()
    except CardwatchError as refusal:
        err.print(f"[bold]cardwatch:[/] {escape(str(refusal))}", soft_wrap=True)
        sys.exit(REFUSED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(DONE)


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        out.print(f"cardwatch {__version__}")
        raise typer.Exit


@app.command(epilog="Example: cardwatch score october.csv --history statements/ --out list.xlsx")
def score(
    statements: Files,
    history: Annotated[list[Path] | None, typer.Option(help="Earlier statements or folders to compare with; repeat for more.")] = None,
    policy: PolicyFile = None,
    columns: ColumnsFile = None,
    model: Annotated[Path | None, typer.Option(help="A model folder; without it a forest is fitted to the history.")] = None,
    lane: Annotated[str, typer.Option(help="finance, psd or all.")] = "finance",
    save: Annotated[list[Path] | None, typer.Option("--out", help="Write the list: .csv, .xlsx or .json; repeat for more.")] = None,
    show_all: Annotated[bool, typer.Option("--all", help="Print alerts beyond the budget as well.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON in place of tables.")] = False,
    date_order: DateOrder = "decide",
    overlap: Overlap = "keep",
) -> None:  # fmt: skip
    """Score statements: which payments deserve a question, in order, and why."""
    _one_of("--lane", lane, ("finance", "psd", "all"))
    choices = _choices(columns, date_order, overlap)
    _score(
        [*statements],
        [*(history or [])],
        policy=policy,
        model=model,
        lane=lane,
        save=save or [],
        show_all=show_all,
        json=json,
        choices=choices,
        overlap=overlap,
    )


def _score(
    paths: list[Path],
    history: list[Path],
    *,
    choices: ReadingChoices,
    policy: Path | None = None,
    model: Path | None = None,
    lane: str = "finance",
    save: list[Path],
    show_all: bool = False,
    json: bool = False,
    overlap: str = "keep",
) -> None:
    """Read, score, print and write."""
    from cardwatch.policy import load_policy  # noqa: PLC0415  --help should not wait for it
    from cardwatch.reports import FORMATS, as_json, write_alerts  # noqa: PLC0415  the same
    from cardwatch.scoring import score as score_transactions  # noqa: PLC0415  the same
    from cardwatch.statements import list_files, read_statements  # noqa: PLC0415  the same

    for path in save:
        if path.suffix.lower() not in FORMATS:
            raise typer.BadParameter(f"a list ends in {', '.join(FORMATS)}", param_hint="--out")
    figures, asked = load_policy(policy), list_files(paths)
    with _busy("Reading statements"):
        read = read_statements([*asked, *history], choices, overlap=overlap)
    forest = None
    if model:
        from cardwatch.forest import load_forest  # noqa: PLC0415  the same

        forest = load_forest(model)
    names = [report.file for report in read.reports[: len(asked)]] if history else []
    with _busy("Scoring"):
        scoring = score_transactions(read.transactions, figures, asked_files=names, forest=forest)
    lists = {k: v for k, v in scoring.lists.items() if lane in {k, "all"}}
    if json:
        sys.stdout.write(as_json(lists, read))
    else:
        _print_reading(read)
        for name, made in lists.items():
            _print_list(name, made, show_all=show_all)
    for path in save:
        write_alerts(path, lists, read)
        err.print(f"Written: {path}", soft_wrap=True)
    if any(report.refused or report.problems for report in read.reports):
        raise typer.Exit(PARTLY)


@app.command(epilog="Example: cardwatch train statements/ --out models/ourforce")
def train(
    statements: Files,
    save: Annotated[Path, typer.Option("--out", help="Folder of the model; its name is the model's.")],
    policy: PolicyFile = None,
    columns: ColumnsFile = None,
    date_order: DateOrder = "decide",
    overlap: Overlap = "keep",
) -> None:  # fmt: skip
    """Fit an isolation forest to statements and keep it with its manifest and card."""
    from cardwatch.forest import save_forest  # noqa: PLC0415  --help should not wait for it
    from cardwatch.policy import load_policy  # noqa: PLC0415  the same
    from cardwatch.scoring import train as train_forest  # noqa: PLC0415  the same
    from cardwatch.statements import read_statements  # noqa: PLC0415  the same

    choices, figures = _choices(columns, date_order, overlap), load_policy(policy)
    with _busy("Reading statements"):
        read = read_statements(statements, choices, overlap=overlap)
    with _busy("Fitting the forest"):
        forest = train_forest(read.transactions, figures)
    try:
        save_forest(forest, save)
    except OSError as error:
        raise CardwatchError(f"{save} cannot be written: {error.strerror}.") from error
    _print_reading(read)
    out.print(
        f"Model '{save.name}' written to {save}: {forest.rows:,} payments of {forest.holders:,} "
        f"holders, {forest.first_on} to {forest.last_on}.",
        soft_wrap=True,
    )


@app.command(epilog="Example: cardwatch rules split-same-day")
def rules(
    name: Annotated[str | None, typer.Argument(help="A rule to show whole.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the rules, or show one whole: what it compares, why, what to ask, its sources."""
    from cardwatch.rules import load_rules, rule_page  # noqa: PLC0415  --help should not wait

    known = {rule.id: rule for rule in load_rules()}
    if name is not None and name not in known:
        raise CardwatchError(f"There is no rule '{name}'. 'cardwatch rules' lists them.")
    if json:
        import json as json_text  # noqa: PLC0415  the option has its name
        from dataclasses import asdict  # noqa: PLC0415  used here only

        chosen = [known[name]] if name else list(known.values())
        out.print_json(json_text.dumps([asdict(rule) for rule in chosen], default=str))
    elif name:
        out.print(Markdown(rule_page(known[name])))
    else:
        table = Table("Rule", "What it finds", "Level", "Lane", "Role", box=None, pad_edge=False)
        for rule in known.values():
            table.add_row(rule.id, rule.title, rule.level, rule.lane, rule.role)
        out.print(table)


@app.command(epilog="Example: cardwatch columns statement.csv > profile.toml")
def columns(
    file: Annotated[Path, typer.Argument(help="A statement.", show_default=False)],
) -> None:
    """Print a column profile for a statement, ready to edit and to give with --columns."""
    from cardwatch.statements import known_headings, profile_text  # noqa: PLC0415  see above
    from cardwatch.tabular import read_tables  # noqa: PLC0415  the same

    profiles = _profiles()
    table = read_tables([file], known_headings(profiles))[0]
    if isinstance(table, CardwatchError):
        raise table
    from cardwatch.statements.cells import redact_cards  # noqa: PLC0415  the same

    headings = [redact_cards(heading, _card_key()) for heading in table.headings]
    sys.stdout.write(profile_text(headings, profiles))


@app.command(epilog="Example: cardwatch merchant 'AMAZON.CO.UK M67LE0CR4 AM'")
def merchant(
    name: Annotated[str, typer.Argument(help="A merchant as a statement prints it.")],
) -> None:
    """Say under which name a merchant is compared, and which steps made it."""
    from cardwatch.merchants import canonical_name  # noqa: PLC0415  --help should not wait

    found = canonical_name(name)
    table = Table("Step", "Name", box=None, pad_edge=False)
    table.add_row("as printed", escape(found.raw))
    for step, result in found.steps:
        table.add_row(step, escape(result))
    out.print(table)
    hidden = " The seller is hidden." if found.seller_hidden else ""
    out.print(f"Compared as: {escape(found.name)}.{hidden}")


@policy_app.command("check", epilog="Example: cardwatch policy check policy.toml")
def policy_check(
    file: Annotated[Path, typer.Argument(help="A policy file.", show_default=False)],
) -> None:
    """List every fault of a policy file at once."""
    from cardwatch.policy import load_policy  # noqa: PLC0415  --help should not wait

    figures = load_policy(file)
    stated = [n for n in ("single_purchase", "holder_month", "step") if getattr(figures, n)[0].stated]
    out.print(f"{file.name}: no fault. Limits it states: {', '.join(stated) or 'none'}.")


@policy_app.command("show", epilog="Example: cardwatch policy show > policy.toml")
def policy_show() -> None:
    """Print the documented defaults, to start a policy file from."""
    from cardwatch.policy import default_policy_text  # noqa: PLC0415  --help should not wait

    sys.stdout.write(default_policy_text())


@app.command(epilog="Example: cardwatch demo --out alerts.xlsx")
def demo(
    save: Annotated[Path, typer.Option("--out", help="Where to write the list.")] = Path("alerts.xlsx"),
) -> None:  # fmt: skip
    """Score the invented force's newest statement against its history."""
    from cardwatch.statements import ReadingChoices, shipped_profiles  # noqa: PLC0415  see above

    inside = Path(__file__).parent / "sample_data"
    sample = inside if inside.is_dir() else Path(__file__).parents[1] / "sample_data"
    if not sample.is_dir():
        raise CardwatchError("The sample data is not installed; run the demo from a checkout.")
    folder = sample / "statements"
    out.print("Saltmarsh Vale Police is invented, and so is every payment below.\n", style="dim")
    _score(
        [max(folder.iterdir())],
        [folder],
        choices=ReadingChoices(shipped_profiles(), b"demonstration"),
        policy=sample / "policy.toml",
        lane="all",
        save=[save],
    )


def _one_of(option: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise typer.BadParameter(f"one of {', '.join(allowed)}", param_hint=option)


def _busy(what: str) -> AbstractContextManager[object]:
    """Show that work is going on, to a person who watches."""
    return err.status(f"{what} ...") if err.is_terminal else nullcontext()


def _home() -> Path:
    """Return the folder where cardwatch remembers: the card key and column profiles."""
    return Path(os.environ.get("CARDWATCH_HOME") or Path.home() / ".cardwatch")


def _card_key() -> bytes:
    """Return this installation's secret for card numbers, made at first use, for its owner only."""
    path = _home() / "card.key"
    try:
        _home().mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
            new.write(secrets.token_bytes(32))
    except FileExistsError:
        pass
    except OSError as error:
        raise CardwatchError(f"The card key cannot be kept in {_home()}: {error.strerror}.") from error
    return path.read_bytes()


def _profiles(given: Path | None = None) -> tuple[Profile, ...]:
    """Return the column profiles to try: the one given, those remembered, those shipped."""
    from cardwatch.statements import load_profile, shipped_profiles  # noqa: PLC0415  see above

    remembered = sorted((_home() / "columns").glob("*.toml"))
    own = [load_profile(path) for path in [*([given] if given else []), *remembered]]
    return (*own, *shipped_profiles())


def _choices(columns: Path | None, date_order: str, overlap: str) -> ReadingChoices:
    """Return how to read, and remember a column profile that was given."""
    from cardwatch.statements import ReadingChoices  # noqa: PLC0415  --help should not wait

    _one_of("--date-order", date_order, ("decide", "day-first", "month-first"))
    _one_of("--overlap", overlap, ("keep", "once"))
    profiles = _profiles(columns)
    if columns:
        folder = _home() / "columns"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if columns.resolve().parent != folder.resolve():
            shutil.copyfile(columns, folder / columns.name)
    return ReadingChoices(profiles, _card_key(), date_order)


def _print_reading(read: Statements) -> None:
    """Print what happened to every row."""
    from cardwatch.alerts import pounds  # noqa: PLC0415  --help should not wait

    rows = sum(report.rows for report in read.reports)
    kept = sum(report.transactions for report in read.reports)
    pence = sum(report.pence for report in read.reports)
    files = sum(not report.refused for report in read.reports)
    err.print(
        f"Read {files} of {len(read.reports)} files: {rows:,} rows, {kept:,} transactions, "
        f"{pounds(pence)} net of refunds.",
        highlight=False,
    )
    problems = [problem for report in read.reports for problem in report.problems]
    for report in read.reports:
        if report.refused:
            err.print(f"[bold]Not read:[/] {escape(report.file)}: {escape(report.refused)}", soft_wrap=True)  # fmt: skip
        for total in report.totals:
            if not total.agrees:
                err.print(
                    f"{escape(report.file)}, row {total.row}: the total says "
                    f"{pounds(total.declared_pence)}, the rows come to {pounds(total.found_pence)}."
                )
    noted: dict[str, list[str]] = {}
    for report in read.reports:
        for note in report.notes:
            noted.setdefault(note, []).append(report.file)
    for note, names in noted.items():
        also = f" and {len(names) - 1} more" if len(names) > 1 else ""
        err.print(f"{escape(names[0])}{also}: {escape(note)}.", highlight=False, soft_wrap=True)
    for problem in problems[:SHOWN_PROBLEMS]:
        place = f"{problem.file}, row {problem.row}, {problem.column}"
        err.print(f"[bold]Row not read:[/] {escape(place)}: {escape(problem.message)}.", highlight=False)  # fmt: skip
    if len(problems) > SHOWN_PROBLEMS:
        err.print(f"... and {len(problems) - SHOWN_PROBLEMS} more rows; every one is in the .xlsx.")
    for note in read.notes:
        err.print(f"{escape(note[0].upper() + note[1:])}.".replace("?.", "?"), highlight=False, soft_wrap=True)  # fmt: skip


def _print_list(lane: str, made: AlertList, *, show_all: bool) -> None:
    """Print one lane's list: money, days, who, where, why, what to ask."""
    from cardwatch.alerts import pounds  # noqa: PLC0415  --help should not wait

    out.print(
        f"\n[bold]{LANE_WORDS[lane]}[/]: {made.payments_count:,} payments, "
        f"{made.first_on} to {made.last_on}",
        highlight=False,
    )
    for note in made.notes:
        out.print(escape(note), style="dim", highlight=False)
    alerts = made.alerts if show_all else made.shown
    if not alerts:
        return
    table = Table(show_lines=True, highlight=False)
    table.add_column("What it is about", min_width=22, max_width=28, overflow="fold")
    table.add_column("Why, and what to ask", ratio=1, overflow="fold")
    for alert in alerts:
        table.add_row(_about(alert), _why(alert))
    out.print(table)
    out.print("[dim]Tier A: a documented breach. B: beyond what is usual. C: for information.[/]")


def _about(alert: Alert) -> str:
    """Return the facts of one alert: money, days, who, where."""
    from cardwatch.alerts import pounds  # noqa: PLC0415  --help should not wait

    days = alert.first_on if alert.first_on == alert.last_on else f"{alert.first_on} to {alert.last_on}"  # fmt: skip
    count = len(alert.payments)
    payments = f"{count} payment{'s' * (count > 1)}"
    return "\n".join(
        [
            f"[bold]{alert.rank}.  {pounds(alert.at_stake_pence)}[/]  tier {alert.tier}",
            f"{payments}, {days}",
            f"[bold]{escape(alert.merchant)}[/]",
            f"holder {escape(alert.holder_id)}",
        ]
    )


def _why(alert: Alert) -> str:
    """Return why one alert deserves a question, and what to ask."""
    lines = [f"[bold]{escape(alert.title)}.[/]", escape(alert.reasons[0].fact)]
    lines += [f"Also: {escape(reason.fact)}" for reason in alert.reasons[1:]]
    lines += [f"Weakened: {escape(reason.fact)}" for reason in alert.weakened_by]
    lines.append(escape(alert.merchant_history))
    lines += [f"[dim]- {escape(line)}[/]" for line in alert.unusual]
    lines.append(f"[bold]Ask:[/] {escape(' '.join(alert.reasons[0].ask))}")
    lines.append(f"Innocent if: {escape(alert.reasons[0].innocent[0])}")
    names = [p.reference or f"{p.file} row {p.row}" for p in alert.payments]
    more = f" and {len(names) - NAMED_PAYMENTS} more" if len(names) > NAMED_PAYMENTS else ""
    lines.append(f"[dim]Payments: {escape(', '.join(names[:NAMED_PAYMENTS]))}{more}[/]")
    return "\n".join(line for line in lines if line)
