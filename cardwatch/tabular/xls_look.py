"""How the sheets of an old workbook (XLS) look, through xlrd. Runs in the limited child only."""

import io
from collections.abc import Collection

import xlrd

from cardwatch.tabular.cell_formats import RED_COLOURS, CellStyle, SheetLook


def xls_looks(data: bytes, names: Collection[str]) -> tuple[dict[str, SheetLook], bool]:
    """Return how some sheets of a workbook look, by their names, and whether it counts from 1904.

    Excel keeps the last value of every formula here.
    """
    book = xlrd.open_workbook(
        file_contents=data, formatting_info=True, logfile=io.StringIO(), on_demand=True
    )
    styles: dict[int, CellStyle] = {}
    looks = {name: _look(book, book.sheet_by_name(name), styles) for name in names}
    return looks, book.datemode == 1


def _look(book: xlrd.book.Book, sheet: xlrd.sheet.Sheet, styles: dict[int, CellStyle]) -> SheetLook:
    look = SheetLook(
        hidden_columns=frozenset(i for i, c in sheet.colinfo_map.items() if c.hidden),
        hidden_rows=sum(
            bool(row.hidden) and any(sheet.row_values(i))
            for i, row in sheet.rowinfo_map.items()
            if i < sheet.nrows
        ),
    )
    for i in range(sheet.nrows):
        for j, cell in enumerate(sheet.row(i)):
            if cell.ctype not in {xlrd.XL_CELL_NUMBER, xlrd.XL_CELL_TEXT}:
                continue
            if cell.xf_index not in styles:
                styles[cell.xf_index] = _style(book, cell.xf_index)
            style = styles[cell.xf_index]
            if cell.ctype == xlrd.XL_CELL_NUMBER:
                look.take_number(i, j, style, cell.value)
            elif style.is_struck or any(
                book.font_list[font].struck_out
                for _, font in sheet.rich_text_runlist_map.get((i, j), ())
            ):
                look.take_struck_text(i)
    return look


def _style(book: xlrd.book.Book, number: int) -> CellStyle:
    layout = book.xf_list[number]
    font = book.font_list[layout.font_index]
    rgb = book.colour_map.get(font.colour_index) or ()
    is_red = "#" + "".join(f"{part:02X}" for part in rgb) in RED_COLOURS
    number_format = book.format_map[layout.format_key].format_str
    return CellStyle(number_format, is_red, bool(font.struck_out))
