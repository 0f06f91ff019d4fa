"""How the sheets of an old workbook (XLS) look, through xlrd. Runs in the limited child only."""

import io
from collections import Counter
from collections.abc import Collection
from functools import cached_property

import xlrd

from cardwatch.tabular.cell_formats import RED_COLOURS, CellStyle, Counted


class XlsLook:
    """One sheet of an old workbook."""

    without_value = False
    """Excel keeps the last value of every formula here."""

    def __init__(self, book: xlrd.book.Book, sheet: xlrd.sheet.Sheet) -> None:
        """Take a sheet as xlrd reads it."""
        self._book, self._sheet = book, sheet
        self._styles: dict[int, CellStyle] = {}
        self.hidden_columns = frozenset(i for i, c in sheet.colinfo_map.items() if c.hidden)
        self.hidden_rows = sum(
            bool(row.hidden) and any(sheet.row_values(i))
            for i, row in sheet.rowinfo_map.items()
            if i < sheet.nrows
        )

    def _style(self, row: int, column: int) -> CellStyle:
        number = self._sheet.cell_xf_index(row, column)
        if number not in self._styles:
            layout = self._book.xf_list[number]
            font = self._book.font_list[layout.font_index]
            number_format = self._book.format_map[layout.format_key].format_str
            rgb = self._book.colour_map.get(font.colour_index) or ()
            is_red = "#" + "".join(f"{part:02X}" for part in rgb) in RED_COLOURS
            self._styles[number] = CellStyle(number_format, is_red, bool(font.struck_out))
        return self._styles[number]

    def amounts(self, columns: Collection[int]) -> Counted:
        """Count the numbers in some columns by their styles."""
        return Counter(
            (column, self._style(i, column), self._sheet.cell_value(i, column) < 0)
            for i in range(self._sheet.nrows)
            for column in columns
            if column < self._sheet.row_len(i)
            and self._sheet.cell_type(i, column) == xlrd.XL_CELL_NUMBER
            and self._sheet.cell_value(i, column)
        )

    @cached_property
    def _has_struck(self) -> bool:
        return any(font.struck_out for font in self._book.font_list)

    def struck_rows(self, columns: Collection[int]) -> int:
        """Count the rows with a text, or an amount above zero in some columns, struck through."""
        rows = range(self._sheet.nrows) if self._has_struck else range(0)
        return sum(
            any(self._is_struck(i, j, columns) for j in range(self._sheet.row_len(i))) for i in rows
        )

    def _is_struck(self, row: int, column: int, columns: Collection[int]) -> bool:
        cell = self._sheet.cell(row, column)
        if cell.ctype == xlrd.XL_CELL_TEXT:
            runs = self._sheet.rich_text_runlist_map.get((row, column), ())
            struck = any(self._book.font_list[font].struck_out for _, font in runs)
            return struck or self._style(row, column).is_struck
        is_amount = cell.ctype == xlrd.XL_CELL_NUMBER and cell.value > 0 and column in columns
        return is_amount and self._style(row, column).is_struck


def xls_looks(data: bytes) -> tuple[dict[str, XlsLook], bool]:
    """Return how each sheet of a workbook looks, by its name, and whether it counts from 1904."""
    book = xlrd.open_workbook(file_contents=data, formatting_info=True, logfile=io.StringIO())
    return {sheet.name: XlsLook(book, sheet) for sheet in book.sheets()}, book.datemode == 1
