"""Reads XLS, XLSX and ODS workbooks through calamine. Runs in the limited child only."""

import datetime as dt
import io

import python_calamine

from cardwatch.errors import FileRefused
from cardwatch.tabular.delimited import check_size, columns_of
from cardwatch.tabular.headings import find_heading_row
from cardwatch.tabular.limits import Limits
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


def read_workbook(data: bytes, file: str, known: frozenset[str], limits: Limits) -> Found:
    """Return the headings, the rows after them, what was decided, and what was left unread.

    The sheet with the most known headings is read; of the others only name and size are told.

    Raises:
        FileRefused: the workbook is damaged, protected, over a limit or has no table.
    """
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
        sheets = [
            (name, book.get_sheet_by_name(name).to_python(skip_empty_area=False))
            for name in book.sheet_names
        ]
    except python_calamine.PasswordError as error:
        what = "it is password protected. Save a copy without a password"
        raise FileRefused(file, "password_protected", what) from error
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        what = "the workbook is damaged or cut short. Save or download it again"
        raise FileRefused(file, "damaged", what) from error
    firsts = [[[cell_text(c) for c in row] for row in rows[:50]] for _, rows in sheets]
    strengths = [find_heading_row(first, known) for first in firsts]
    sizes = [(strengths[i][1], len(sheets[i][1])) for i in range(len(sheets))]
    if not any(size for _, size in sizes):
        raise FileRefused(file, "empty", "the workbook has no filled sheet")
    chosen = max(range(len(sheets)), key=lambda i: (*sizes[i], -i))
    name, rows = sheets[chosen]
    at = strengths[chosen][0]
    rest = ([cell_text(cell) for cell in row] for row in rows[at + 1 :])
    cells = columns_of(rest, firsts[chosen][at], file, limits)
    check_size(cells, file, limits)
    left = [
        f"sheet '{other}' was left unread: {len(content)} rows"
        for i, (other, content) in enumerate(sheets)
        if i != chosen and content
    ]
    decided = [f"sheet {chosen + 1} of {len(sheets)}, '{name}'"] if len(sheets) > 1 else []
    return Found(firsts[chosen][at], at + 1, cells, decided, left)
