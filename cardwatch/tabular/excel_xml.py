"""Reads Excel 2003 XML, which report servers save as .xls. Runs in the limited child only."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from cardwatch.errors import FileRefused
from cardwatch.tabular.cell_formats import (
    RED_COLOURS,
    UNSTYLED,
    CellStyle,
    SheetLook,
    is_beside_others,
)
from cardwatch.tabular.feeds.xml import parse_xml
from cardwatch.tabular.headings import Headings
from cardwatch.tabular.limits import Limits
from cardwatch.tabular.sheets import Sheet, choose_sheets, join_sheets
from cardwatch.tabular.table import Found
from cardwatch.tabular.workbook import cell_text, check_looks


@dataclass
class _Rows:
    """The rows of one sheet while they are read, and what their cells show by their styles."""

    styles: Mapping[str, CellStyle]
    rows: list[list[str]] = field(default_factory=list)
    look: SheetLook = field(default_factory=SheetLook)
    unvalued: set[int] = field(default_factory=set)
    merged: list[tuple[int, int, int]] = field(default_factory=list)

    def take(self, cell: Element) -> None:
        """Put a cell at the end of the last row, with empty ones where it covers others."""
        attributes, data = _attributes(cell), cell.find("Data")
        text, kind = "", ""
        if data is not None:
            kind = _attributes(data).get("Type", "String")
            text = _text("".join(data.itertext()), kind)
        number, row = len(self.rows) - 1, self.rows[-1]
        if data is None and "Formula" in attributes:
            self.unvalued.add(number)
        style = self.styles.get(attributes.get("StyleID", ""), UNSTYLED)
        if kind == "Number":
            is_below, is_nought = text.startswith("-"), not text.strip("-0.")
            self.look.take_number(number, len(row), style, (not is_nought) * (1 - 2 * is_below))
        elif kind == "String" and style.is_struck:
            self.look.take_struck_text(number)
        if (down := _number(attributes, "MergeDown")) and kind != "Number":
            self.merged.append((number, len(row), down))
        row += [text, *[""] * _number(attributes, "MergeAcross")]

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
        read.append(_rows(element, styles, file, limits))
        name = _attributes(element).get("Name", f"sheet {number}")
        hidden = element.find("WorksheetOptions/Visible") is not None
        sheets.append(Sheet(number, name, read[-1].rows, hidden, headings))
    chosen, notes = choose_sheets(sheets, file)
    looks = {sheet.name: rows.look for sheet, rows in zip(sheets, read, strict=True)}
    notes += check_looks(chosen, looks, file)
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


def _rows(sheet: Element, styles: Mapping[str, CellStyle], file: str, limits: Limits) -> _Rows:
    """Return the rows of a sheet, with those and the cells that the file leaves out.

    Raises:
        FileRefused: there are too many rows or columns.
    """
    read, hidden = _Rows(styles), set()
    for element in sheet.iterfind("Table/Row"):
        skipped = max(_number(_attributes(element), "Index") - 1 - len(read.rows), 0)
        _check(len(read.rows) + skipped < limits.rows, "too_long", f"{limits.rows:,} rows", file)
        read.rows += [[] for _ in range(skipped + 1)]
        if _attributes(element).get("Hidden") == "1":
            hidden.add(len(read.rows) - 1)
        for cell in element.iterfind("Cell"):
            attributes, row = _attributes(cell), read.rows[-1]
            skipped = max(_number(attributes, "Index") - 1 - len(row), 0)
            width = len(row) + skipped + _number(attributes, "MergeAcross")
            _check(width < limits.columns, "too_wide", f"{limits.columns} columns", file)
            row += [""] * skipped
            read.take(cell)
    read.look.hidden_columns = _hidden_columns(sheet.iterfind("Table/Column"), limits)
    read.look.hidden_rows = sum(any(read.rows[i]) for i in hidden)
    read.look.without_value = any(
        is_beside_others(sum(map(bool, read.rows[i]))) for i in read.unvalued
    )
    read.fill_merged()
    return read


def _hidden_columns(columns: Iterable[Element], limits: Limits) -> frozenset[int]:
    """Return the positions of the columns that are not shown; one element may stand for several."""
    hidden: set[int] = set()
    following = 0
    for attributes in map(_attributes, columns):
        first = _number(attributes, "Index") - 1 if "Index" in attributes else following
        following = first + 1 + _number(attributes, "Span")
        if attributes.get("Hidden") == "1":
            hidden.update(range(first, min(following, limits.columns)))
    return frozenset(hidden)


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
