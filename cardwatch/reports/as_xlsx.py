"""Alerts as a workbook: alerts, their payments, how the statements were read, what made it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import xlsxwriter

from cardwatch.reports.columns import (
    ALERT_HEADINGS,
    PAYMENT_HEADINGS,
    Cell,
    alert_cells,
    payment_cells,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from cardwatch.records import AlertList, Statements
    from cardwatch.reports.handover import HandOver

SWITCHES = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "in_memory": True,
}
WIDTHS = {
    "Alert": 34, "Holder": 18, "Merchant": 26, "What was found": 60, "All reasons": 60,
    "Comparisons": 50, "History with the merchant": 40, "Why it matters": 40, "What to ask": 40,
    "It can be innocent": 40, "Weakened by": 40, "Note": 110, "Rank": 6, "Tier": 6, "File": 24,
    "What": 22, "What raised the forest's score": 40,
}  # fmt: skip
READING_HEADINGS = (
    "File", "Form", "Layout", "Rows", "Transactions", "Cards", "Problems", "Totals", "Blank",
    "Headings", "After the end", "Balances", "Not booked", "Further lines", "Lines of text",
    "Sum (£)", "First day", "Last day", "Not read because", "Decided", "Notes", "SHA-256",
)  # fmt: skip
MADE = dt.datetime(2000, 1, 1)  # noqa: DTZ001  no clock: the same list gives the same bytes


CASE_SHEETS: dict[str, tuple[tuple[str, str], ...]] = {
    "Decisions": (
        ("decided_at", "When"), ("state", "State"), ("reason", "Note"), ("decided_by", "By")
    ),
    "Neighbours": (
        ("date", "Date"), ("holder_id", "Holder"), ("merchant", "Merchant"),
        ("amount_pence", "Amount (£)"), ("statement_id", "Statement"), ("row", "Row"),
    ),
    "Related": (
        ("alert_id", "Related alert"), ("rule", "Rule"), ("holder_id", "Holder"),
        ("at_stake_pence", "At stake (£)"), ("last_on", "Last day"), ("state", "State"),
    ),
    "Seen": (("at", "When"), ("actor", "Who"), ("role", "Role"), ("action", "What")),
}  # fmt: skip
"""Sheets of a case, one for each kind of thing that is kept of an alert."""


def write_xlsx(
    path: Path,
    lists: dict[str, AlertList],
    statements: Statements,
    handed: HandOver | None = None,
) -> None:
    """Write the lists as a workbook in which every text is text and every number a number."""
    with xlsxwriter.Workbook(path, SWITCHES) as book:
        book.set_properties({"title": "cardwatch alerts", "created": MADE})
        alerts = [alert for made in lists.values() for alert in made.alerts]
        _sheet(book, "Alerts", ALERT_HEADINGS, map(alert_cells, alerts))
        payments = (cells for alert in alerts for cells in payment_cells(alert))
        _sheet(book, "Payments", PAYMENT_HEADINGS, payments)
        _sheet(book, "How it was read", READING_HEADINGS, _reading(statements))
        problems = [p for report in statements.reports for p in report.problems]
        rows = [(p.file, p.row, p.column, p.code, p.message) for p in problems]
        _sheet(book, "Rows not read", ("File", "Row", "Column", "Code", "Note"), rows)
        about = list(_about(lists, statements))
        if handed:
            about = [*handed.said.items(), *about]
            for name, columns in CASE_SHEETS.items() if handed.cases else ():
                headings = ("Alert id", *(heading for _, heading in columns))
                _sheet(book, name, headings, _case_rows(handed, name.lower(), columns))
        _sheet(book, "About this list", ("What", "Note"), about)
        marking = f"&C&B{handed.marking.replace('&', '&&')}" if handed else ""
        for sheet in book.worksheets():
            sheet.set_header(marking)
            sheet.set_footer(f"{marking}&R&P / &N" if marking else "")


def _case_rows(
    handed: HandOver, what: str, columns: Sequence[tuple[str, str]]
) -> Iterable[tuple[Cell, ...]]:
    """Return what is kept of each alert of a case, of one kind."""
    for case in handed.cases:
        for row in case[what]:
            cells = [
                row[name] / 100 if name.endswith("_pence") else row[name] or ""
                for name, _ in columns
            ]
            yield (case["alert_id"], *cells)


def _sheet(book: Any, name: str, headings: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:  # noqa: ANN401  xlsxwriter has no types
    """Write one sheet with a frozen, filtered heading row."""
    sheet = book.add_worksheet(name)
    top = book.add_format({"bold": True, "text_wrap": True, "bottom": 1, "valign": "top"})
    text = book.add_format({"text_wrap": True, "valign": "top"})
    money = book.add_format({"num_format": "#,##0.00", "valign": "top"})
    day = book.add_format({"num_format": "dd/mm/yyyy", "valign": "top"})
    for column, heading in enumerate(headings):
        sheet.set_column(column, column, WIDTHS.get(heading, 13))
        sheet.write_string(0, column, heading, top)
    count = 0
    for count, cells in enumerate(rows, start=1):
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                sheet.write_string(count, column, cell.replace("\x00", ""), text)
            elif isinstance(cell, dt.date):
                sheet.write_datetime(count, column, cell, day)
            else:
                sheet.write_number(count, column, cell, money if "£" in headings[column] else text)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(count, 1), len(headings) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)


def _reading(statements: Statements) -> Iterable[tuple[Cell, ...]]:
    """Return one row a file: what happened to every row of it."""
    for report in statements.reports:
        yield (
            report.file,
            report.form,
            report.layout,
            report.rows,
            report.transactions,
            report.cards,
            len(report.problems),
            len(report.totals),
            report.blank,
            report.headings,
            report.ended,
            report.balances,
            report.not_booked,
            report.further_lines,
            report.text_lines,
            report.pence / 100,
            report.first_on,
            report.last_on,
            report.refused,
            "; ".join(report.decisions),
            "; ".join(report.notes),
            report.sha256,
        )


def _about(lists: dict[str, AlertList], statements: Statements) -> Iterable[tuple[str, str]]:
    """Return what made the list, and what to know before relying on it."""
    for lane, made in lists.items():
        yield f"{lane} list", made.organisation or "organisation not named in the policy"
        yield f"{lane} list", f"{made.payments_count:,} payments, {made.first_on} to {made.last_on}"
        yield from ((f"{lane} list", note) for note in made.notes)
    yield from (("statements", note) for note in statements.notes)
    for made in list(lists.values())[:1]:
        yield from ((f"made by: {name}", value) for name, value in made.made_by.items())
