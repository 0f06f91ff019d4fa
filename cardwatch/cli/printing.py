"""Prints what was read and what was found, for a person at a terminal."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cardwatch.alerts import pounds

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from cardwatch.records import Alert, AlertList, Statements

LANE_WORDS = {"finance": "Questions for finance", "psd": "For professional standards only"}
SHOWN_PROBLEMS, NAMED_PAYMENTS = 10, 6
out, err = Console(highlight=False), Console(stderr=True, highlight=False, soft_wrap=True)


def busy(what: str) -> AbstractContextManager[object]:
    """Show that work is going on, to a person who watches."""
    return err.status(f"{what} ...") if err.is_terminal else nullcontext()


def print_reading(read: Statements) -> None:
    """Print what happened to every row."""
    rows = sum(report.rows for report in read.reports)
    kept = sum(report.transactions for report in read.reports)
    pence = sum(report.pence for report in read.reports)
    files = sum(not report.refused for report in read.reports)
    err.print(
        f"Read {files} of {len(read.reports)} files: {rows:,} rows, {kept:,} transactions, "
        f"{pounds(pence)} net of refunds."
    )
    noted: dict[str, list[str]] = {}
    for report in read.reports:
        if report.refused:
            err.print(f"[bold]Not read:[/] {escape(report.file)}: {escape(report.refused)}")
        for total in (total for total in report.totals if not total.agrees):
            declared, found = pounds(total.declared_pence), pounds(total.found_pence)
            place = escape(f"{report.file}, row {total.row}")
            err.print(f"{place}: the total says {declared}, the rows above come to {found}.")
        for note in report.notes:
            noted.setdefault(note, []).append(report.file)
    for note, names in noted.items():
        also = f" and {len(names) - 1} more" if len(names) > 1 else ""
        err.print(f"{escape(names[0])}{also}: {escape(note)}.")
    _print_problems(read)
    for note in read.notes:
        err.print(escape(note[0].upper() + note[1:]) + ("" if note.endswith("?") else "."))


def _print_problems(read: Statements) -> None:
    """Print the first rows that were not read, and how many there are."""
    problems = [problem for report in read.reports for problem in report.problems]
    for problem in problems[:SHOWN_PROBLEMS]:
        place = escape(f"{problem.file}, row {problem.row}, {problem.column}")
        err.print(f"[bold]Row not read:[/] {place}: {escape(problem.message)}.")
    if len(problems) > SHOWN_PROBLEMS:
        more = len(problems) - SHOWN_PROBLEMS
        err.print(f"... and {more} more rows; every one is in the list written as .xlsx or .json.")


def print_list(lane: str, made: AlertList, *, show_all: bool) -> None:
    """Print one lane's list: money, days, who, where, why, what to ask."""
    whose = f"{escape(made.organisation)}: " if made.organisation else ""
    out.print(
        f"\n[bold]{whose}{LANE_WORDS[lane]}[/], {made.payments_count:,} payments, "
        f"{made.first_on} to {made.last_on}"
    )
    for note in made.notes:
        out.print(escape(note), style="dim")
    alerts = made.alerts if show_all else made.shown
    if not alerts:
        return
    table = Table(show_lines=True)
    table.add_column("What it is about", min_width=22, max_width=28, overflow="fold")
    table.add_column("Why, and what to ask", ratio=1, overflow="fold")
    for alert in alerts:
        table.add_row(_about(alert), _why(alert))
    out.print(table)
    out.print("[dim]Tier A: against a stated limit or list. B: unusual. C: for information.[/]")


def _about(alert: Alert) -> str:
    """Return the facts of one alert: money, days, who, where."""
    days = " to ".join(dict.fromkeys([alert.first_on, alert.last_on]))
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
