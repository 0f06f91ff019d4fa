"""Reads the tables of a web page saved as .xls. Runs in the limited child only."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from html.parser import HTMLParser

from cardwatch.errors import FileRefused
from cardwatch.quantities import quantity
from cardwatch.tabular.cell_formats import ShownCells, red_beside_others
from cardwatch.tabular.encoding import decode
from cardwatch.tabular.headings import SEARCHED_ROWS, Headings
from cardwatch.tabular.limits import Limits
from cardwatch.tabular.sheets import Sheet, choose_sheets, has_payments, join_sheets
from cardwatch.tabular.table import Found
from cardwatch.tabular.workbook import cell_text, check_shown

UNREAD = frozenset({"script", "style", "template", "title", "select", "textarea"})
"""Elements whose text is no text of the page, or of which only a part is chosen."""
VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "wbr"}
)
"""Elements that have no end."""
BLOCKS = frozenset({
    "br", "hr", "p", "div", "li", "ul", "ol", "dl", "dt", "dd", "pre", "center", "caption", "sup",
    "sub", "section", "header", "footer", "thead", "tbody", "tfoot",
    *(f"h{level}" for level in range(1, 7)),
})  # fmt: skip
"""Elements that part words: the small figure of a note behind an amount is no digit of it."""
NOT_DISPLAYED = re.compile(r"display\s*:\s*none", re.IGNORECASE)
PLAIN_NUMBER = re.compile(r"[-+£$€(]*\d[\d,]*(?:\.\d*)?\)?")
"""An amount, or the number of a card; no day."""
UNSIGNED_PENCE = re.compile(r"\+?[£ ]*\d[\d,]*\.\d\d")
"""An amount with pence and without a minus."""
RED_LETTERS = re.compile(r"(?<![-\w])color\s*:\s*(?:red|#f00|#ff0000|#c00000)\b", re.IGNORECASE)
RED_CLASSES = frozenset({"negative", "neg", "red", "credit", "refund"})
STRIKES = frozenset({"s", "strike", "del"})
STRUCK_CLASSES = frozenset({
    "line-through", "text-decoration-line-through", "strike", "strikethrough", "strike-through",
    "struck", "deleted", "void", "voided",
})  # fmt: skip
LINE_THROUGH = re.compile(r"text-decoration[^;]*line-through", re.IGNORECASE)
SHOWN_VALUES = ("x:num", "sdval")
"""Attributes in which Excel and LibreOffice keep the number that a cell may show rounded."""
STRUCTURE = frozenset({"table", "tr", "td", "th"})
MOST_NESTED_TABLES = 20
"""Tables stand in one another no deeper than this."""
MOST_ROWS_SPANNED = 65_534
"""A cell spans no more rows, by the HTML standard."""
LINES_ABOVE = SEARCHED_ROWS // 2
"""Titles of a table are looked for in so many lines before it: more are menus."""


@dataclass
class _Cell:
    """A cell while it is read."""

    columns: int
    rows: int
    value: str
    is_red: bool = False
    is_struck: bool = False
    is_heading: bool = False
    texts: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Its text, or the number that it shows rounded."""
        text = " ".join("".join(self.texts).split())
        is_negative = any(mark in text for mark in "-(")
        is_same = is_negative == self.value.lstrip().startswith("-") and not {"€", "$"} & set(text)
        if self.value and is_same and PLAIN_NUMBER.fullmatch(text):
            try:
                return cell_text(float(self.value))
            except ValueError:
                return text
        return text


@dataclass
class _Table:
    """A table while it is read.

    Attributes:
        above: the lines before it.
        rows: its rows, each cell as text.
        cells: the cells of the row that is open; none between rows.
        in_cell: whether the last of these is open.
        row_is_red, row_is_struck: whether the letters of the whole open row are.
        spans: for each column the text of a cell that goes on, and in how many more rows.
        taken: how many of its rows stand before a table inside it.
        amounts: how many amounts with pence and no minus it has.
        red, struck: how many of them are in red letters, and how many are struck through.
        holds_table: whether there is one.
    """

    above: list[list[str]]
    rows: list[list[str]] = field(default_factory=list)
    cells: list[_Cell] | None = None
    in_cell: bool = False
    row_is_red: bool = False
    row_is_struck: bool = False
    spans: dict[int, tuple[str, int]] = field(default_factory=dict)
    taken: int = 0
    amounts: int = 0
    red: int = 0
    struck: int = 0
    holds_table: bool = False

    def end_row(self) -> None:
        """Place the cells of the open row where those that go on from above leave room."""
        if self.cells is None:
            return
        row: list[str] = []
        spans: dict[int, tuple[str, int]] = {}
        waiting = self.cells[::-1]
        are_headings = all(cell.is_heading for cell in waiting)
        while waiting or len(row) <= max(self.spans, default=-1):
            column = len(row)
            if column in self.spans:
                text, more = self.spans[column]
                row.append(text)
                spans |= {column: (text, more - 1)} if more > 1 else {}
            elif waiting:
                cell = waiting.pop()
                row += [cell.text, *[""] * (cell.columns - 1)]
                is_amount = UNSIGNED_PENCE.fullmatch(row[column]) is not None
                self.amounts += is_amount
                self.red += is_amount and cell.is_red
                self.struck += is_amount and cell.is_struck
                spans |= _further_rows(cell, column, is_once=are_headings)
            else:
                row.append("")
        self.rows.append(row)
        self.cells, self.in_cell, self.spans = None, False, spans
        self.row_is_red = self.row_is_struck = False

    def begin_row(self, attributes: Mapping[str, str | None]) -> None:
        """Begin a row; one that is open ends."""
        self.end_row()
        self.cells = []
        self.row_is_red, self.row_is_struck = _is_red(attributes), _is_struck("tr", attributes)

    def begin_cell(self, tag: str, attributes: Mapping[str, str | None], most_columns: int) -> None:
        """Begin a cell, in a row of its own if none is open."""
        columns = _span(attributes.get("colspan"), most_columns + 1)
        rows = _span(attributes.get("rowspan"), MOST_ROWS_SPANNED)
        value = next(filter(None, map(attributes.get, SHOWN_VALUES)), "") or ""
        cell = _Cell(columns, rows, value, self.row_is_red, self.row_is_struck)
        self.cells = [*(self.cells or ()), cell]
        self.cells[-1].is_heading = tag == "th"
        self.in_cell = True

    def lines_before(self) -> list[list[str]]:
        """Return its rows since the last table inside it, which stand above the next one."""
        rows = [*self.rows[self.taken :], [cell.text for cell in self.cells or ()]]
        self.taken, self.holds_table = len(self.rows), True
        return rows


def _further_rows(cell: _Cell, column: int, *, is_once: bool) -> dict[int, tuple[str, int]]:
    """Return for the columns of a cell over several rows the text below it, and in how many rows.

    A number is not repeated: over several lines it is one payment. Nor is a heading.
    """
    if cell.rows == 1:
        return {}
    is_once = is_once or PLAIN_NUMBER.fullmatch(cell.text) is not None
    blank = {column + i: ("", cell.rows - 1) for i in range(cell.columns)}
    return blank | {column: ("" if is_once else cell.text, cell.rows - 1)}


class _Page(HTMLParser):
    """The tables of a page, each with the lines before it."""

    def __init__(self, file: str, limits: Limits) -> None:
        """Begin a page."""
        super().__init__(convert_charrefs=True)
        self._file, self._limits = file, limits
        self.tables: list[_Table] = []
        self._open: list[_Table] = []
        self._lines: list[list[str]] = []
        self._line: list[str] = []
        self._unread: list[str] = []

    @property
    def is_whole(self) -> bool:
        """Whether everything that was begun has an end."""
        return not self._open and not self._unread

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a table, a row, a cell or a text that is not shown."""
        if tag in STRUCTURE:
            self._unread = []  # what is not shown ends with its cell at the latest
            self._begin(tag, dict(attrs))
        elif self._unread:
            self._unread += [tag] if tag == self._unread[0] else []
        elif tag in UNREAD or (tag not in VOID and _is_invisible(dict(attrs))):
            self._unread = [tag]
        elif tag in BLOCKS:
            self._part()
        if self._open and self._open[-1].in_cell and self._open[-1].cells:
            cell = self._open[-1].cells[-1]
            cell.is_red = cell.is_red or _is_red(dict(attrs))
            cell.is_struck = cell.is_struck or _is_struck(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        """End a table, a row, a cell, the page or a text that is not shown."""
        if tag in STRUCTURE:
            self._unread = []
            self._end(tag)
        elif tag in {"body", "html"}:
            while self._open:
                self._end("table")
        elif self._unread:
            self._unread = self._unread[1:] if tag == self._unread[0] else self._unread
        elif tag in BLOCKS:
            self._part()

    def handle_data(self, data: str) -> None:
        """Take a text for the open cell, or for the line outside of cells."""
        if not self._unread:
            self._texts().append(data)

    def _texts(self) -> list[str]:
        """Return the texts of the open cell, or else of the line outside of cells."""
        table = self._open[-1] if self._open else None
        return table.cells[-1].texts if table and table.in_cell and table.cells else self._line

    def _part(self) -> None:
        """Part words in a cell; outside of cells, end the line."""
        texts = self._texts()
        texts.append(" ")
        if texts is self._line:
            if text := " ".join("".join(texts).split()):
                table = self._open[-1] if self._open else None
                is_caption = table is not None and not table.rows and table.cells is None
                (table.above if table and is_caption else self._lines).append([text])
            self._line = []

    def _begin(self, tag: str, attributes: Mapping[str, str | None]) -> None:
        """Begin a table, a row or a cell; a row or cell that is open ends.

        Raises:
            FileRefused: too many tables stand in one another, or cells in a row.
        """
        self._part()
        if tag == "table":
            inside = self._open[-1].lines_before() if self._open else []
            self._open.append(_Table([*self._lines, *inside]))
            self._lines = []
            self.tables.append(self._open[-1])
        elif self._open and tag == "tr":
            self._open[-1].begin_row(attributes)
        elif self._open:
            self._open[-1].begin_cell(tag, attributes, self._limits.columns)
        if len(self._open) > MOST_NESTED_TABLES or self._is_wide():
            reason = f"it has over {self._limits.columns} columns, or tables too deep in others"
            raise FileRefused(self._file, "too_wide", f"{reason}. Export it as CSV or XLSX")

    def _is_wide(self) -> bool:
        """Return whether the open row has more cells than a table may have columns."""
        return bool(self._open) and len(self._open[-1].cells or ()) > self._limits.columns

    def _end(self, tag: str) -> None:
        """End the open cell, row or table."""
        if not self._open:
            return
        self._part()
        if tag in {"tr", "table"}:
            self._open[-1].end_row()
        self._open[-1].in_cell = False
        if tag == "table":
            self._open.pop()
            if self._open:  # the cell in which it stood goes on
                self._open[-1].in_cell = bool(self._open[-1].cells)


def _is_invisible(attributes: Mapping[str, str | None]) -> bool:
    """Return whether an element is not shown."""
    return "hidden" in attributes or bool(NOT_DISPLAYED.search(attributes.get("style") or ""))


def _is_red(attributes: Mapping[str, str | None]) -> bool:
    """Return whether an element's letters are red, or of a class for amounts below zero."""
    classes = set((attributes.get("class") or "").casefold().split())
    style = f"color:{attributes.get('color') or ''};{attributes.get('style') or ''}"
    return bool(RED_LETTERS.search(style)) or not RED_CLASSES.isdisjoint(classes)


def _is_struck(tag: str, attributes: Mapping[str, str | None]) -> bool:
    """Return whether an element strikes its text through."""
    classes = set((attributes.get("class") or "").casefold().split())
    is_styled = LINE_THROUGH.search(attributes.get("style") or "") is not None
    return tag in STRIKES or is_styled or not STRUCK_CLASSES.isdisjoint(classes)


def _span(text: str | None, most: int) -> int:
    """Return over how many columns or rows a cell goes; nought says all that follow."""
    number = re.match(r"\s*(\d{1,9})", text or "1")
    return min(int(number[1]) or most, most) if number else 1


def read_web_page(data: bytes, file: str, headings: Headings, limits: Limits) -> Found:
    """Return the payments in the tables of a web page, each table taken for a sheet.

    Lines and small tables before a table stand above its headings, as titles do.

    Raises:
        FileRefused: it has no table, is cut off, or has payments with tables in their cells; tables
            have payments under different headings; or it is over a limit.
    """
    text, encoding = decode(data, file)
    page = _Page(file, limits)
    try:
        page.feed(text)
        page.close()
        is_whole = page.is_whole
    except AssertionError:  # a declaration that the parser does not know
        is_whole = False
    if not is_whole:
        reason = "the web page is cut off or damaged. Export it again"
        raise FileRefused(file, "damaged", reason)
    sheets = _sheets(page.tables, headings, file)
    chosen, notes = choose_sheets(sheets, file)
    tables = [page.tables[sheet.number - 1] for sheet in chosen]
    red, amounts = sum(table.red for table in tables), sum(table.amounts for table in tables)
    struck = sum(table.struck for table in tables)
    notes += check_shown(ShownCells(red=red_beside_others(red, amounts), struck=struck), file)
    joined = join_sheets(chosen, len(sheets), notes, file, limits)
    decisions = [f"tables of a web page, text encoding {encoding}", *joined.decisions]
    return replace(joined, decisions=decisions)


def read_mime(data: bytes, file: str, headings: Headings, limits: Limits) -> Found:
    """Return the payments in a web page that is kept with its pictures in one file (MHTML).

    Raises:
        FileRefused: it holds several pages with tables, or none; or as `read_web_page`.
    """
    pages = [
        page
        for part in message_from_bytes(data).walk()
        if part.get_content_type() == "text/html"
        and isinstance(page := part.get_payload(decode=True), bytes)
        and b"<table" in page.lower()
    ]
    if len(pages) != 1:
        reason = (
            f"this is a web page in MIME with {quantity(len(pages), 'page')} of tables. Open it in "
            "a spreadsheet and save it as CSV or XLSX"
        )
        raise FileRefused(file, "web_page", reason)
    return read_web_page(pages[0], file, headings, limits)


def _sheets(tables: Sequence[_Table], headings: Headings, file: str) -> list[Sheet]:
    """Return the tables that may hold payments, each with the texts that stand above it.

    Raises:
        FileRefused: there is none, or one has tables in its cells.
    """
    sheets: list[Sheet] = []
    titles: list[list[str]] = []
    for number, table in enumerate(tables, 1):
        above = [*titles, *table.above][-LINES_ABOVE:]
        name, rows = f"table {number}", [*above, *table.rows]
        sheet = Sheet(number, name, rows, hidden=False, headings=headings, noun="table")
        holds = (bool(headings.needed) and sheet.is_whole) or has_payments(table.rows)
        if table.holds_table:
            if holds:
                reason = "tables stand in the cells of its payments. Export it as CSV or XLSX"
                raise FileRefused(file, "web_page", reason)
        elif holds or len(table.rows) > LINES_ABOVE or not headings.needed:
            sheets.append(sheet)
            titles = []
        else:
            titles = sheet.rows
    if not any(len(row) > 1 for sheet in sheets for row in sheet.rows):
        reason = "this is a web page without a table of payments. Export it as CSV or XLSX"
        raise FileRefused(file, "web_page", reason)
    return sheets
