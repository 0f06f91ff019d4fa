"""Reads Excel 2003 XML, which report servers save as .xls. Runs in the limited child only."""

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from cardwatch.errors import FileRefused
from cardwatch.tabular.cell_formats import (
    ANY,
    RED_COLOURS,
    UNSTYLED,
    CellStyle,
    Counted,
    counted_in,
    is_beside_others,
    shown_cells,
)
from cardwatch.tabular.feeds.xml import parse_xml
from cardwatch.tabular.headings import Headings
from cardwatch.tabular.limits import Limits
from cardwatch.tabular.sheets import Sheet, choose_sheets, join_sheets
from cardwatch.tabular.table import Found
from cardwatch.tabular.workbook import cell_text, check_shown


@dataclass
class _Rows:
    """The rows of one sheet while they are read, and what their cells show by their styles.

    Attributes:
        numbers: how many numbers other than zero a column has of a style, those below zero (true)
            apart.
        struck: for each row with something struck through its amounts above zero, or `ANY` text.
    """

    styles: Mapping[str, CellStyle]
    hidden_columns: frozenset[int] = frozenset()
    rows: list[list[str]] = field(default_factory=list)
    numbers: Counted = field(default_factory=Counter)
    struck: dict[int, set[int]] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)
    unvalued: set[int] = field(default_factory=set)
    merged: list[tuple[int, int, int]] = field(default_factory=list)

    def take(self, cell: Element) -> None:
        """Put a cell at the end of the last row, with empty ones where it covers others."""
        attributes, data = _attributes(cell), cell.find("Data")
        text, kind = "", ""
        if data is not None:
            kind = _attributes(data).get("Type", "String")
            text = _text("".join(data.itertext()), kind)
        if data is None and "Formula" in attributes:
            self.unvalued.add(len(self.rows) - 1)
        row = self.rows[-1]
        style = self.styles.get(attributes.get("StyleID", ""), UNSTYLED)
        is_amount = kind == "Number" and bool(text.strip("-0."))
        if is_amount:
            self.numbers[len(row), style, text.startswith("-")] += 1
        if style.is_struck and (kind == "String" or (is_amount and not text.startswith("-"))):
            self.struck.setdefault(len(self.rows), set()).add(len(row) if is_amount else ANY)
        if (down := _number(attributes, "MergeDown")) and kind != "Number":
            self.merged.append((len(self.rows) - 1, len(row), down))
        row += [text, *[""] * _number(attributes, "MergeAcross")]

    def amounts(self, columns: Collection[int]) -> Counted:
        """Count the numbers in some columns by their styles."""
        return counted_in(self.numbers, columns)

    def struck_rows(self, columns: Collection[int]) -> int:
        """Count the rows with a text, or an amount above zero in some columns, struck through."""
        return sum(not row.isdisjoint({ANY, *columns}) for row in self.struck.values())

    @property
    def without_value(self) -> bool:
        """Whether a formula in a row of several cells was never worked out."""
        return any(is_beside_others(sum(map(bool, self.rows[i]))) for i in self.unvalued)

    @property
    def hidden_rows(self) -> int:
        """How many filled rows are not shown."""
        return sum(any(self.rows[i]) for i in self.hidden)

    def fill_merged(self) -> None:
        """Repeat texts and days in the cells that theirs is merged with; a number is not."""
        for top, column, down in self.merged:
            for row in self.rows[top + 1 : top + 1 + down]:
                row.extend([""] * (column + 1 - len(row)))
                row[column] = row[column] or self.rows[top][column]


def read_excel_xml(data: bytes, file: str, headings: Headings, limits: Limits) -> Found:
    """Return the headings and rows of a workbook in XML, its sheets chosen as of any workbook.

    Raises:
        FileRefused: it is damaged, over a limit or has no table; sheets with payments have
            different headings; or its formulas have no saved values.
    """
    book = parse_xml(data, file)
    styles = {
        _attributes(style).get("ID", ""): _style(style) for style in book.iterfind("Styles/Style")
    }
    sheets, read = [], []
    for number, element in enumerate(book.iterfind("Worksheet"), 1):
        read.append(_rows(element.iterfind("Table/Row"), styles, file, limits))
        name = _attributes(element).get("Name", f"sheet {number}")
        hidden = element.find("WorksheetOptions/Visible") is not None
        sheets.append(Sheet(number, name, read[-1].rows, hidden, headings))
    chosen, notes = choose_sheets(sheets, file)
    looks = {sheet.name: rows for sheet, rows in zip(sheets, read, strict=True)}
    notes += check_shown(shown_cells(looks, chosen), file)
    return join_sheets(chosen, len(sheets), notes, file, limits)


def _style(element: Element) -> CellStyle:
    """Return what a style says of its own; nothing of what it has from a parent."""
    number, font = element.find("NumberFormat"), element.find("Font")
    letters = {} if font is None else _attributes(font)
    return CellStyle(
        "" if number is None else _attributes(number).get("Format", ""),
        letters.get("Color", "").upper() in RED_COLOURS,
        letters.get("StrikeThrough", "0") == "1",
    )


def _rows(
    elements: Iterable[Element], styles: Mapping[str, CellStyle], file: str, limits: Limits
) -> _Rows:
    """Return the rows of a sheet, with those and the cells that the file leaves out.

    Raises:
        FileRefused: there are too many rows or columns.
    """
    read = _Rows(styles)
    for element in elements:
        skipped = max(_number(_attributes(element), "Index") - 1 - len(read.rows), 0)
        _check(len(read.rows) + skipped < limits.rows, "too_long", f"{limits.rows:,} rows", file)
        read.rows += [[] for _ in range(skipped + 1)]
        if _attributes(element).get("Hidden") == "1":
            read.hidden.add(len(read.rows) - 1)
        for cell in element.iterfind("Cell"):
            attributes, row = _attributes(cell), read.rows[-1]
            skipped = max(_number(attributes, "Index") - 1 - len(row), 0)
            width = len(row) + skipped + _number(attributes, "MergeAcross")
            _check(width < limits.columns, "too_wide", f"{limits.columns} columns", file)
            row += [""] * skipped
            read.take(cell)
    read.fill_merged()
    return read


def _check(is_within: bool, code: str, most: str, file: str) -> None:  # noqa: FBT001  one flag
    if not is_within:
        raise FileRefused(file, code, f"it has over {most}. Export the payments as CSV")


def _attributes(element: Element) -> dict[str, str]:
    """Return the attributes of an element, names without their namespaces."""
    return {name.rpartition(":")[2]: value for name, value in element.attrib.items()}


def _number(attributes: Mapping[str, str], name: str) -> int:
    """Return an attribute that is a count; 0 where there is none."""
    text = attributes.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def _text(text: str, kind: str) -> str:
    """Return a cell as text, as any workbook's: numbers and days by their value."""
    try:
        if kind == "Number":
            return cell_text(float(text))
        if kind == "DateTime":
            return cell_text(dt.datetime.fromisoformat(text))
        return cell_text(text == "1") if kind == "Boolean" else text
    except ValueError:
        return text
