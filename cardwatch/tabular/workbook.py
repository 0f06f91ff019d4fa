"""Reads XLS, XLSX and ODS workbooks through calamine. Runs in the limited child only."""

import datetime as dt
import io
import re
import zipfile
from collections.abc import Mapping, Sequence

import python_calamine

from cardwatch.errors import FileRefused
from cardwatch.quantities import plural, quantity
from cardwatch.tabular.cell_formats import SheetLook, ShownCells, shown_cells
from cardwatch.tabular.detect_format import ZIP
from cardwatch.tabular.headings import Headings
from cardwatch.tabular.limits import Limits
from cardwatch.tabular.ods_look import ods_looks
from cardwatch.tabular.sheets import Sheet, choose_sheets, join_sheets
from cardwatch.tabular.table import Found
from cardwatch.tabular.xls_look import xls_looks
from cardwatch.tabular.xlsx_look import xlsx_looks

EXACT_FLOAT = 1e15
"""Excel keeps 15 significant digits: a larger number has lost some."""
DAY_NUMBER = re.compile(r"[1-9]\d{4}(?:\.\d+)?")
DAYS_TO_1904 = 1462
"""Days between the calendars from which workbooks count, of 1900 and of 1904."""
Cell = float | str | bool | dt.date | dt.datetime | dt.time | dt.timedelta | int


def cell_text(cell: Cell) -> str:
    """Return a typed cell as text that reads back to the same value.

    Numbers take their shortest form, noise below a millionth rounded off. Three decimals get a
    fourth, so that 1.083 is never taken for a thousand and eighty-three. Numbers that Excel has
    already cut short stay in scientific form, as a mark that they are damaged.
    """
    if isinstance(cell, str):
        return cell
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        return cell.date().isoformat()
    if isinstance(cell, (dt.date, dt.time)):
        return cell.isoformat()
    if isinstance(cell, (bool, dt.timedelta)):
        return str(cell)
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
    looks, from_1904, unread = _looks(data, [sheet.name for sheet in chosen])
    if from_1904:
        for sheet in chosen:
            _count_from_1900(sheet)
    notes += unread + check_looks(chosen, looks, file)
    return join_sheets(chosen, len(sheets), notes, file, limits)


def _looks(data: bytes, names: Sequence[str]) -> tuple[Mapping[str, SheetLook], bool, list[str]]:
    """Return how some sheets look, whether days count from 1904, and a note if neither is known."""
    try:
        if data.startswith(ZIP):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                is_ods = "content.xml" in archive.namelist()
            if is_ods:
                return ods_looks(data), False, []
            return (*xlsx_looks(data, names), [])
        return (*xls_looks(data, names), [])
    except (FileRefused, MemoryError):
        raise
    except Exception:  # noqa: BLE001  its values were read by another program, less strict than these
        note = (
            "how its cells look could not be read: hidden rows, red and struck-through letters, "
            "and number formats that print CR or another currency"
        )
        return {}, False, [note]


def check_looks(sheets: Sequence[Sheet], looks: Mapping[str, SheetLook], file: str) -> list[str]:
    """Empty hidden twins of amounts; return notes on what the cells of some sheets show.

    Raises:
        FileRefused: as `check_shown`.
    """
    return _drop_hidden_twins(sheets, looks) + check_shown(shown_cells(looks, sheets), file)


def _drop_hidden_twins(sheets: Sequence[Sheet], looks: Mapping[str, SheetLook]) -> list[str]:
    """Empty hidden columns of amounts beside one headed the same but for a number; return notes.

    A person who opens the workbook sees one column of amounts. One that another sheet shows is
    emptied too if it says the same there, and otherwise left, as two columns are seen then.
    """
    hidden = {
        sheet.name: looks[sheet.name].hidden_columns if sheet.name in looks else frozenset()
        for sheet in sheets
    }
    headings: dict[str, str] = {}
    for sheet in sheets:
        for i in sorted(hidden[sheet.name]):
            if i < len(sheet.names) and sheet.headings.is_amount(sheet.names[i]):
                headings.setdefault(sheet.names[i], " ".join(sheet.found.names[i].split()))
    notes = []
    for name, heading in headings.items():
        columns = [(sheet, _columns(sheet, name, hidden[sheet.name])) for sheet in sheets]
        note = f"column '{heading}' is hidden in the workbook"
        if all(_repeat(sheet, same, hidden[sheet.name]) for sheet, same in columns):
            for sheet, same in columns:
                _empty_columns(sheet, same)
            note += ", and not read"
        notes.append(note)
    return notes


def _empty_columns(sheet: Sheet, columns: Sequence[int]) -> None:
    """Empty the cells of some columns; a row that ends before them stays as it is."""
    for row in sheet.body:
        for i in columns:
            row[i : i + 1] = [""] * len(row[i : i + 1])


def _columns(sheet: Sheet, name: str, hidden: frozenset[int]) -> list[int]:
    """Return the positions of the hidden columns of a heading, or else the last shown."""
    same = [i for i, other in enumerate(sheet.names) if other == name]
    return [i for i in same if i in hidden] or same[-1:]


def _repeat(sheet: Sheet, columns: Sequence[int], hidden: frozenset[int]) -> bool:
    """Return whether columns of one heading only repeat a shown one.

    That is one headed the same but for a number, with the same cells where they are shown.
    """
    name = sheet.names[columns[0]]
    alike = {name, re.sub(r" \d+$", "", name)}
    return any(
        hidden.issuperset(columns)
        or all(row[i : i + 1] == row[other : other + 1] for row in sheet.body for i in columns)
        for other, other_name in enumerate(sheet.names)
        if other_name in alike and other not in {*columns, *hidden}
    )


def _count_from_1900(sheet: Sheet) -> None:
    """Write day numbers of a workbook that counts from 1904 as any other workbook has them."""
    days = sheet.headings.needed[0] if sheet.headings.needed else frozenset()
    for i in (i for i, name in enumerate(sheet.names) if name in days):
        for row in sheet.body:
            if i < len(row) and DAY_NUMBER.fullmatch(row[i]):
                row[i] = str(int(row[i].split(".")[0]) + DAYS_TO_1904)


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
            rows = [
                [cell if isinstance(cell, str) else cell_text(cell) for cell in row]
                for row in _unmerged(sheet)
            ]
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
        FileRefused: formulas were never worked out, so that their cells look empty; or a format
            alone prints a mark of credit, another number, or another currency throughout.
    """
    _check_printed(shown, file)
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
        payments_are = quantity(shown.struck, "payment is", "payments are")
        notes.append(
            f"{payments_are} struck through, and counted. If {plural(shown.struck, 'it', 'they')} "
            f"should not count, take the {plural(shown.struck, 'row', 'rows')} out"
        )
    if shown.hidden_rows:
        rows_are = quantity(shown.hidden_rows, "row is", "rows are")
        notes.append(f"{rows_are} hidden in the workbook, as by a filter, and read like the others")
    return notes


def _check_printed(shown: ShownCells, file: str) -> None:
    """Refuse amounts of which the printed form contradicts the value, and formulas without one.

    Raises:
        FileRefused: there are some.
    """
    for is_so, code, reason in (
        (
            shown.without_value,
            "formulas",
            (
                "it has formulas without saved values, as a program wrote it. Open it in a "
                "spreadsheet, save it and try again"
            ),
        ),
        (
            shown.credits,
            "direction_unclear",
            (
                f"{_cells_show(shown.credits)} CR, a minus or brackets by format alone, beside an "
                "amount without a minus. Write a minus before the amounts that are refunds, and "
                "save it"
            ),
        ),
        (
            shown.scaled,
            "amount_unclear",
            (
                f"{_cells_show(shown.scaled)} a point, thousands or a percentage by format alone, "
                "which the number does not have. Write the amounts in pounds, and save it"
            ),
        ),
        (
            shown.foreign and shown.foreign == shown.amounts,
            "not_in_pounds",
            (
                "all its amounts have the sign of another currency, by their format. Export it "
                "with the billed amounts in pounds, or give them the format of pounds if they are"
            ),
        ),
    ):
        if is_so:
            raise FileRefused(file, code, reason)


def _cells_show(counts: Mapping[str, int]) -> str:
    """Return the beginning of a sentence on some cells, counted by the names of their columns."""
    count = sum(counts.values())
    columns = f"{plural(len(counts), 'column', 'columns')} {', '.join(counts)}"
    return f"{quantity(count, 'cell')} in {columns} {plural(count, 'shows', 'show')}"
