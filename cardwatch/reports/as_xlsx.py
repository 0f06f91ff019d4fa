"""Alerts as a workbook that prints on A4: what the list is, its alerts, and the evidence beside it.

The first sheet says what the list is and how to read it; the second has one row an alert, in nine
columns. Payments, evidence and versions follow on sheets of their own.
"""

from __future__ import annotations

import datetime as dt
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cardwatch.alerts import people_label
from cardwatch.reports.about import about_rows, version_rows
from cardwatch.reports.columns import (
    ALERT_COLUMNS,
    EVIDENCE_COLUMNS,
    PAYMENT_COLUMNS,
    READING_COLUMNS,
    Cell,
    Columns,
    evidence_cells,
    payment_sheet_cells,
    reading_cells,
    short_alert_cells,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import xlsxwriter

    from cardwatch.records import Alert, AlertList, Statements
    from cardwatch.reports.handover import ExportCover

SWITCHES = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "in_memory": True,
}
WORKBOOK_CREATED = dt.datetime(2000, 1, 1)  # noqa: DTZ001  no clock: the same list gives the same bytes
MONEY_FORMAT = "£"
"""Text in the headings of amount columns."""
A4 = 9
"""The number by which Excel knows the paper."""
MARGINS = {"left": 0.4, "right": 0.4, "top": 0.7, "bottom": 0.7}
"""Inches around the page."""
FONT = {"font_name": "Calibri", "font_size": 10, "valign": "top"}
LINE_POINTS, HIGHEST_ROW = 13.0, 409.0
"""Height of one line of text, and the greatest height of a row that Excel takes."""
LETTERS, CAPITALS = 1.05, 0.35
"""Letters for each character of a column's width, in a wide font; capitals take more."""
LONGEST_CELL = 32_767
"""Characters that Excel takes in a cell."""
ABOUT_COLUMNS: Columns = (("What", 24), ("Note", 112))
PROBLEM_COLUMNS: Columns = (("File", 30), ("Row", 8), ("Column", 18), ("Code", 20), ("Note", 60))
VERSION_COLUMNS: Columns = (("List", 30), ("What", 24), ("Version or hash", 82))

CASE_SHEETS: dict[str, tuple[str, tuple[tuple[str, str, float], ...]]] = {
    "decisions": ("Decisions", (
        ("decided_at", "When", 22), ("state", "State", 18), ("reason", "Note", 60),
        ("decided_by", "By", 22),
    )),
    "neighbours": ("Other payments", (
        ("date", "Date", 13), ("holder_id", "Cardholder", 24), ("merchant", "Merchant", 38),
        ("amount_pence", "Amount (£)", 13), ("statement_id", "Statement", 26), ("row", "Row", 8),
    )),
    "related": ("Other alerts", (
        ("alert_id", "Other alert", 16), ("rule", "Rule", 32), ("people", "Cardholder", 24),
        ("at_stake_pence", "At stake (£)", 13), ("last_on", "Last day", 13),
        ("state", "State", 18),
    )),
    "seen": ("Seen by", (
        ("at", "When", 28), ("actor", "Who", 30), ("role", "Role", 14), ("action", "What", 40),
    )),
}  # fmt: skip
"""Sheets of a case, one for each kind of thing that is kept of an alert, with widths."""


def write_xlsx(
    path: Path,
    lists: dict[str, AlertList],
    statements: Statements,
    handed: ExportCover | None = None,
) -> None:
    """Write the lists as a workbook in which every text is text and every number a number.

    Raises:
        OSError: the file cannot be written.
    """
    import xlsxwriter  # noqa: PLC0415  a list that is printed does not need it
    from xlsxwriter.exceptions import FileCreateError  # noqa: PLC0415  the same

    try:
        with xlsxwriter.Workbook(path, SWITCHES) as book:
            _fill(book, lists, statements, handed)
    except FileCreateError as error:
        raise OSError(str(error)) from error


def _fill(
    book: xlsxwriter.Workbook,
    lists: dict[str, AlertList],
    statements: Statements,
    handed: ExportCover | None,
) -> None:
    """Write every sheet of a workbook of lists."""
    alerts = [alert for alert_list in lists.values() for alert in alert_list.alerts]
    is_part = bool(handed and handed.is_part)
    book.set_properties({"title": "Alerts", "created": WORKBOOK_CREATED})
    writer = _Writer(book, handed.marking if handed else "")
    writer.add("About this list", ABOUT_COLUMNS, about_rows(lists, statements, handed))
    for name, chosen in _alert_sheets(alerts, is_part=is_part).items():
        writer.add(name, ALERT_COLUMNS, map(short_alert_cells, chosen))
    payments = (cells for alert in alerts for cells in payment_sheet_cells(alert))
    writer.add("Payments", PAYMENT_COLUMNS, payments)
    evidence = (cells for alert in alerts for cells in evidence_cells(alert))
    writer.add("Evidence", EVIDENCE_COLUMNS, evidence)
    if handed and handed.cases:
        for kind, (name, columns) in CASE_SHEETS.items():
            headings = (("Alert id", 16), *((title, width) for _, title, width in columns))
            writer.add(name, headings, _case_rows(handed, kind, [column[0] for column in columns]))
    writer.add("How it was read", READING_COLUMNS, map(reading_cells, statements.reports))
    problems = [p for report in statements.reports for p in report.problems]
    rows = [(p.file, p.row, p.column, p.code, p.message) for p in problems]
    writer.add("Rows not read", PROBLEM_COLUMNS, rows)
    writer.add("Versions", VERSION_COLUMNS, version_rows(lists))


def _alert_sheets(alerts: Sequence[Alert], *, is_part: bool) -> dict[str, list[Alert]]:
    """Return the alerts of each sheet: a sheet a lane, and what is beyond the budget apart."""
    listed = [alert for alert in alerts if alert.shown or is_part]
    lanes = list(dict.fromkeys(alert.lane for alert in listed)) or [""]
    sheets = {
        "Alerts" if lane == lanes[0] else f"Alerts {lane}": [
            alert for alert in listed if alert.lane == lane
        ]
        for lane in lanes
    }
    further = [] if is_part else [alert for alert in alerts if not alert.shown]
    return sheets | ({"Beyond the budget": further} if further else {})


def _case_rows(handed: ExportCover, kind: str, names: Sequence[str]) -> Iterable[tuple[Cell, ...]]:
    """Return what is kept of each alert of a case, of one kind."""
    for case in handed.cases:
        for row in case[kind]:
            yield (case["alert_id"], *(_case_cell(row, name) for name in names))


def _case_cell(row: Mapping[str, Any], name: str) -> Cell:
    """One cell of a case's sheet: people by a label, pence as pounds."""
    if name == "people":
        return people_label(row["holders"], row["approvers"])
    value: Cell = row[name] or ""
    return row[name] / 100 if name.endswith("_pence") else value


@dataclass
class _Writer:
    """Adds sheets that all print the same way: A4 landscape, as wide as the page, numbered."""

    book: Any
    marking: str

    def __post_init__(self) -> None:
        wrapped = FONT | {"text_wrap": True}
        left_aligned, right = ({"align": side, "indent": 1} for side in ("left", "right"))
        self.top = self.book.add_format(wrapped | {"bold": True, "bottom": 1} | left_aligned)
        self.top_right = self.book.add_format(wrapped | {"bold": True, "bottom": 1} | right)
        self.text = self.book.add_format(wrapped | left_aligned)
        self.number = self.book.add_format(
            FONT | {"num_format": "#,##0", "align": "left", "indent": 1}
        )
        self.money = self.book.add_format(FONT | {"num_format": "#,##0.00"} | right)
        self.day = self.book.add_format(
            FONT | {"num_format": "d mmm yyyy", "align": "left", "indent": 1}
        )

    def add(self, name: str, columns: Columns, rows: Iterable[Sequence[Cell]]) -> None:
        """Add one sheet with a frozen, filtered heading row that every printed page repeats."""
        sheet = self.book.add_worksheet(name)
        for column, (heading, width) in enumerate(columns):
            sheet.set_column(column, column, width)
            top = self.top_right if MONEY_FORMAT in heading else self.top
            sheet.write_string(0, column, heading, top)
        sheet.set_row(0, _height([heading for heading, _ in columns], columns))
        count = 0
        for count, cells in enumerate(rows, start=1):
            sheet.set_row(count, _height(cells, columns))
            for column, cell in enumerate(cells):
                self._write(
                    sheet, (count, column), cell, is_money=MONEY_FORMAT in columns[column][0]
                )
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(count, 1), len(columns) - 1)
        sheet.set_landscape()
        sheet.set_paper(A4)
        sheet.set_margins(**MARGINS)
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0)
        marking = f"&C&B{self.marking.replace('&', '&&')}" if self.marking else ""
        sheet.set_header(f"&L&A{marking}")
        sheet.set_footer(f"{marking}&RPage &P of &N")

    def _write(self, sheet: Any, place: tuple[int, int], cell: Cell, *, is_money: bool) -> None:  # noqa: ANN401  xlsxwriter has no types
        """Write one cell as what it is; no text is taken for a formula, a link or a number."""
        if isinstance(cell, str):
            sheet.write_string(*place, cell.replace("\x00", "")[:LONGEST_CELL], self.text)
        elif isinstance(cell, dt.date):
            sheet.write_datetime(*place, cell, self.day)
        else:
            sheet.write_number(*place, cell, self.money if is_money else self.number)


def _height(cells: Sequence[Cell], columns: Columns) -> float:
    """Return the height of a row in which every text shows whole, in points.

    It is written down, as not every program works it out when it opens a file.
    """
    lines = max(
        (_lines(cell, width) for cell, (_, width) in zip(cells, columns, strict=True)
         if isinstance(cell, str)),
        default=1,
    )  # fmt: skip
    return min(LINE_POINTS * lines + 2, HIGHEST_ROW)


def _lines(text: str, width: float) -> int:
    """The number of lines a text takes in a column, rounded up."""
    capitals = sum(map(str.isupper, text)) / max(len(text), 1)
    letters = max(int((width - 1) * LETTERS / (1 + CAPITALS * capitals)), 1)
    return sum(len(textwrap.wrap(line, letters)) or 1 for line in text[:LONGEST_CELL].splitlines())
