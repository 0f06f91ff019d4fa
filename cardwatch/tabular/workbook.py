"""Reads XLS, XLSX and ODS workbooks through calamine. Runs in the limited child only."""

import datetime as dt
import io

import python_calamine

from cardwatch.errors import FileRefused
from cardwatch.quantities import plural, quantity
from cardwatch.tabular.cell_formats import ShownCells, shown_cells
from cardwatch.tabular.headings import Headings
from cardwatch.tabular.limits import Limits
from cardwatch.tabular.sheets import Sheet, choose_sheets, join_sheets
from cardwatch.tabular.table import Found

EXACT_FLOAT = 1e15
"""Excel keeps 15 significant digits: a larger number has lost some."""
Cell = float | str | bool | dt.date | dt.datetime | dt.time | dt.timedelta | int


def cell_text(cell: Cell) -> str:
    """Return a typed cell as text that reads back to the same value.

    Numbers take their shortest form, noise below a millionth rounded off. Three decimals get a
    fourth, so that 1.083 is never taken for a thousand and eighty-three. Numbers that Excel has
    already cut short stay in scientific form, as a mark that they are damaged.
    """
    if isinstance(cell, bool | str | dt.timedelta):
        return str(cell)
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        return cell.date().isoformat()
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    number = float(cell)
    if abs(number) >= EXACT_FLOAT:
        return f"{number:E}"
    text = f"{round(number, 6):.6f}".rstrip("0").rstrip(".")
    return text + "0" if text[-4:-3] == "." else text


def read_workbook(data: bytes, file: str, headings: Headings, limits: Limits) -> Found:
    """Return the headings, the rows after them, what was decided, and what was left unread.

    All sheets with the headings of the best one are read as one table; of the others only name and
    size are noted.

    Raises:
        FileRefused: the workbook is damaged, protected, over a limit or has no table; sheets with
            payments have different headings; or its formulas have no saved values.
    """
    sheets = _load(data, file, headings)
    chosen, notes = choose_sheets(sheets, file)
    notes += check_shown(shown_cells(data, chosen), file)
    return join_sheets(chosen, len(sheets), notes, file, limits)


def _load(data: bytes, file: str, headings: Headings) -> list[Sheet]:
    """Return every sheet as text.

    Raises:
        FileRefused: the workbook is damaged or protected.
    """
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = []
        for number, meta in enumerate(book.sheets_metadata, 1):
            sheet = book.get_sheet_by_name(meta.name)
            rows = [list(map(cell_text, row)) for row in _unmerged(sheet)]
            hidden = meta.visible != python_calamine.SheetVisibleEnum.Visible
            sheets.append(Sheet(number, meta.name, rows, hidden, headings))
    except python_calamine.PasswordError as error:
        reason = "it is password protected. Save a copy without a password"
        raise FileRefused(file, "password_protected", reason) from error
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        reason = "the workbook is damaged or cut short. Save or download it again"
        raise FileRefused(file, "damaged", reason) from error
    return sheets


def _unmerged(sheet: python_calamine.CalamineSheet) -> list[list[Cell]]:
    """Return a sheet's cells, those merged downwards each with the text or day of the first.

    A number is not repeated: a payment over several lines is one payment.
    """
    rows = sheet.to_python(skip_empty_area=False)
    for (top, column), (bottom, _) in sheet.merged_cell_ranges or ():
        inside = top < len(rows) and column < len(rows[top])
        value = rows[top][column] if inside else ""
        if isinstance(value, str | dt.date) and value:
            for row in rows[top + 1 : bottom + 1]:
                row[column] = row[column] or value
    return rows


def check_shown(shown: ShownCells, file: str) -> list[str]:
    """Return notes on what the cells of a workbook show and their values do not say.

    Raises:
        FileRefused: formulas were never worked out, so that their cells look empty; or a mark of
            credit is printed by a format alone.
    """
    if shown.without_value:
        reason = (
            "it has formulas without saved values, as a program wrote it. Open it in a "
            "spreadsheet, save it and try again"
        )
        raise FileRefused(file, "formulas", reason)
    if shown.credits:
        are = plural(shown.credits, "shows", "show")
        reason = (
            f"{quantity(shown.credits, 'cell')} {are} CR, a minus or brackets by its format, "
            "beside an amount without a minus. Write a minus before the amounts that are refunds, "
            "and save it"
        )
        raise FileRefused(file, "direction_unclear", reason)
    if shown.scaled:
        are = plural(shown.scaled, "shows", "show")
        reason = (
            f"{quantity(shown.scaled, 'cell')} {are} a point or thousands by its format, which the "
            "number does not have. Write the amounts in pounds, and save it"
        )
        raise FileRefused(file, "amount_unclear", reason)
    notes = []
    if shown.foreign:
        cells_have = quantity(shown.foreign, "cell has", "cells have")
        notes.append(
            f"{cells_have} the sign of another currency. Check that the amounts are in pounds"
        )
    if shown.red:
        cells_are = quantity(shown.red, "amount is", "amounts are")
        notes.append(
            f"{cells_are} printed in red without a minus, and read as "
            f"{plural(shown.red, 'a charge', 'charges')}. If red means a refund, write a minus "
            f"before {plural(shown.red, 'it', 'them')}"
        )
    if shown.struck:
        amounts_are = quantity(shown.struck, "amount is", "amounts are")
        notes.append(
            f"{amounts_are} struck through, and counted. If {plural(shown.struck, 'it', 'they')} "
            f"should not count, take the {plural(shown.struck, 'row', 'rows')} out"
        )
    if shown.hidden_rows:
        rows_are = quantity(shown.hidden_rows, "row is", "rows are")
        notes.append(f"{rows_are} hidden in the workbook, as by a filter, and read like the others")
    return notes
