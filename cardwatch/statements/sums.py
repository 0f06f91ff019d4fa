"""Columns of sums beside the amounts, as report writers repeat them in every row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cardwatch.statements import cells
from cardwatch.statements.amounts import FAULTLESS, read_column
from cardwatch.statements.money_columns import has_amount_word, money_columns
from cardwatch.tabular import normalise_heading

if TYPE_CHECKING:
    from cardwatch.statements.amounts import Amounts
    from cardwatch.statements.money_columns import AmountColumn
    from cardwatch.statements.sheet import ParsedSheet

    Flags = np.ndarray[Any, np.dtype[np.bool_]]
    Pence = np.ndarray[Any, np.dtype[np.int64]]

SUM_WORDS = frozenset({"total", "totals", "sum"})
POINT_AND_PENCE = r"[.,]\d\d\D*$"


def without_sums(sheet: ParsedSheet) -> ParsedSheet:
    """Return a sheet that takes its amounts from the next best column if the best one sums another.

    `Card Total` repeats the sum of a card's payments in each of their rows, and `Total` may grow
    from row to row.
    """
    headings = list(sheet.headings)
    while sheet.money and len(sheet.money.candidates) > 1 and "amount" in sheet.positions:
        best, *others = sheet.money.candidates
        other = next((column for column in others if _is_sum(sheet, best, column)), None)
        if other is None:
            break
        sheet.decisions.append(
            f"'{headings[best.position]}' sums '{headings[other.position]}' over several rows, so "
            "it is not the amount"
        )
        headings[best.position] = ""
        fields = sheet.money.fields
        sheet.money = money_columns(headings)
        for name in fields:
            sheet.drop(name)
        for name, position in sheet.money.fields.items():
            sheet.take(name, position)
    return sheet


def _read(sheet: ParsedSheet, position: int) -> Amounts:
    column = sheet.column_at(position)
    return read_column(column, cells.decimal_mark(column.used))


def _is_sum(sheet: ParsedSheet, column: AmountColumn, part: AmountColumn) -> bool:
    """Return whether a column of totals has in every dated row the sum of another over several."""
    if not SUM_WORDS & set(normalise_heading(sheet.headings[column.position]).split()):
        return False
    total, single = _read(sheet, column.position), _read(sheet, part.position)
    dated = sheet.column("date").matches(r"\d")
    rows = (
        dated
        & total.given
        & single.given
        & (total.fault == FAULTLESS)
        & (single.fault == FAULTLESS)
    )
    sums, parts = total.pence[rows], single.pence[rows]
    if len(sums) < 2 or (sums == parts).all() or not sums.any():
        return False
    return _grows(sums, parts) or _grows(sums[::-1], parts[::-1]) or _repeats(sums, parts)


def _grows(sums: Pence, parts: Pence) -> bool:
    """Return whether each sum is the one before with the row's own part, or begins anew."""
    on = sums[1:] - sums[:-1] == parts[1:]
    anew = sums == parts
    return bool(anew[0] and (on | anew[1:]).all() and (on & ~anew[1:]).sum() > 1)


def _repeats(sums: Pence, parts: Pence) -> bool:
    """Return whether the rows with the same sum have parts that come to it, or a multiple of it."""
    if (np.abs(parts) > np.abs(sums)).any():
        return False
    distinct, group = np.unique(sums, return_inverse=True)
    totals = np.zeros(len(distinct), dtype="int64")
    np.add.at(totals, group, parts)
    if not distinct.all():
        return False
    return bool((totals % distinct == 0).all() and (totals != 0).all())


def tell_other_amounts(sheet: ParsedSheet, amounts: Amounts) -> None:
    """Say which columns without a known heading look like amounts and differ from those read."""
    candidates = money_columns(sheet.headings).candidates if sheet.money else ()
    chosen_among = {candidate.position for candidate in candidates}
    for position in sheet.unused:
        if position in chosen_among:
            continue
        column = sheet.column_at(position)
        is_amount = has_amount_word(sheet.headings[position])
        if not is_amount or not column.matches(POINT_AND_PENCE).any():
            continue
        other = _read(sheet, position)
        rows = amounts.given & other.given & (amounts.fault == FAULTLESS)
        readable = other.fault[rows] == FAULTLESS
        differs = abs(other.pence) != abs(amounts.pence)
        if readable.any() and readable.all() and differs[rows].any():
            sheet.notes.append(
                f"'{sheet.headings[position]}' looks like an amount too, and is not read"
            )
