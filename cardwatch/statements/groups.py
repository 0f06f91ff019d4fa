"""Fills cells that a file prints once for a group of payments: cardholders and days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cardwatch.statements import cells
from cardwatch.statements.amounts import FAULTLESS
from cardwatch.statements.cells import TextColumn
from cardwatch.statements.places import TOTAL_WORD
from cardwatch.statements.profiles import HOLDER_FIELDS
from cardwatch.statements.words import plain_word, words_with_meaning

if TYPE_CHECKING:
    from cardwatch.statements.amounts import Amounts
    from cardwatch.statements.sheet import ParsedSheet

    Days = np.ndarray[Any, np.dtype[np.datetime64]]
    Flags = np.ndarray[Any, np.dtype[np.bool_]]

FILLED_DOWN = 0.5
"""Empty cells after a holder or day are of the same if there are this many for each."""


def fill_holders(sheet: ParsedSheet, rows: Flags, dated: Flags) -> None:
    """Fill empty holder cells with the holder above, where the file names each once, as a group.

    Each name stands once, the first payment has one, and there are at least half as many empty
    cells as names; a name that comes again would show that empty cells are missing ones. A name in
    a row without a day heads the rows below it: two such rows in turn are a list of people.

    Args:
        sheet: the file; its column is changed.
        rows: which rows are payments.
        dated: which rows have a day.
    """
    names = [name for name in HOLDER_FIELDS if name in sheet.positions]  # labels are no cells
    filled_cells = {name: sheet.columns[name].matches(cells.FILLED) for name in names}
    nobody = rows & ~np.logical_or.reduce([*filled_cells.values(), np.zeros(len(rows), dtype=bool)])
    for name, filled in filled_cells.items():
        column = sheet.columns[name]
        if not nobody.any() or (rows & ~filled & ~nobody).any():
            continue  # another column names the holder of a row that is empty here
        holder_codes = column.codes[rows & filled]
        empty = int((rows & ~filled).sum())
        first = bool(filled[rows][0])
        once = len(np.unique(holder_codes)) == len(holder_codes)
        heads = (filled & ~dated)[rows]
        is_list = bool((heads[:-1] & heads[1:]).any())
        if first and once and not is_list and empty and empty >= FILLED_DOWN * len(holder_codes):
            last = np.maximum.accumulate(np.where(filled, np.arange(len(filled)), 0))
            sheet.columns[name] = TextColumn(column.codes[last], column.distinct)
            sheet.decisions.append(
                f"'{sheet.sources[name]}' names each cardholder once, above their payments"
            )


def fill_days(sheet: ParsedSheet, amounts: Amounts, days: Days) -> Days:
    """Return the days of all rows, those of payments below a day that stands once for its group.

    Each day stands once and they are in order, the first payment has one, every payment without one
    has a merchant, an amount and whatever names its holder, and there are at least half as many as
    days. None is VAT or another part of the payment above it; where all are the same holder's, some
    come to more than it.

    Args:
        sheet: the file; its column of days is changed.
        amounts: as printed.
        days: of each row, as printed.
    """
    column, merchant = sheet.column("date"), sheet.column("merchant")
    undated = column.matches(cells.BLANK)
    if not undated.any() or sheet.table.feed:
        return days
    paid = amounts.given & (amounts.fault == FAULTLESS) & merchant.matches(cells.FILLED)
    named = [sheet.columns[name] for name in HOLDER_FIELDS if name in sheet.columns]
    for holder in named:
        paid &= holder.matches(cells.FILLED)
    meanings = words_with_meaning("lines")
    is_part = merchant.each(lambda text: plain_word(text) in meanings, "bool")
    blank = undated & paid & ~merchant.matches(TOTAL_WORD)
    dated = paid & ~np.isnat(days)
    once = days[dated]
    if (
        blank.sum() < max(2, FILLED_DOWN * len(once))
        or len(once) < 2
        or (blank & is_part).any()
        or not dated[np.argmax(blank | dated)]
        or not (_rises(once) or _rises(once[::-1]))
    ):
        return days
    last = np.maximum.accumulate(np.where(dated, np.arange(len(days)), -1))
    below = np.bincount(last[blank], weights=np.abs(amounts.pence[blank]), minlength=len(days))
    whole = np.abs(amounts.pence)
    is_same = [(holder.codes == holder.codes[last])[blank].all() for holder in named]
    if (below[dated] == whole[dated]).any() or (all(is_same) and (below <= whole)[dated].all()):
        return days
    rows = np.where(blank, last, np.arange(len(days)))
    sheet.columns["date"] = TextColumn(column.codes[rows], column.distinct)
    sheet.decisions.append(f"'{sheet.sources['date']}' states each day once, above its payments")
    return days[rows]


def _rises(days: Days) -> bool:
    """Return whether each day is after the one before."""
    return bool((days[1:] > days[:-1]).all())
