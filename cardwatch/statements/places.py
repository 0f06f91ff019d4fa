"""Classifies every row: payment, total, balance, repeated heading, text or not posted."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from cardwatch.errors import FileRefused
from cardwatch.quantities import quantity
from cardwatch.records import Total
from cardwatch.statements import cells
from cardwatch.statements.cells import TextColumn
from cardwatch.statements.dates import is_day
from cardwatch.statements.profiles import HOLDER_FIELDS, known_headings
from cardwatch.statements.states import check_paid_by_bank, not_booked
from cardwatch.statements.table_headings import CELL_MARKS
from cardwatch.statements.words import MOST_LINE_CHARACTERS, plain_word
from cardwatch.tabular import normalise_heading

if TYPE_CHECKING:
    from cardwatch.statements.amounts import Amounts
    from cardwatch.statements.sheet import ParsedSheet

    Codes = np.ndarray[Any, np.dtype[np.int64]]
    Days = np.ndarray[Any, np.dtype[np.datetime64]]
    Flags = np.ndarray[Any, np.dtype[np.bool_]]
    Kinds = np.ndarray[Any, np.dtype[np.object_]]
    Pence = np.ndarray[Any, np.dtype[np.int64]]

ROW, BLANK, HEADING, TOTALS, ENDED, TEXT, CONTROL, APART, LINE = range(9)
"""The places a row of a file can have."""
TOTAL_WORD = r"(?i)\b(?:sub-?|grand )?total\b"
ONLY_TOTAL = (
    r"(?i)^\W*(?:(?:sub|grand|overall|page|statement|card|report|net)\W*)?totals?\b\W*"
    r"(?:for\b.*|:.*|net of\b.*|amount|gbp|£|"
    r"(?:\d+ )?(?:transactions|payments|purchases|items|refunds|"
    r"credits|charges|debits|spend|spending))?\W*$"
)
WITH_PENCE = re.compile(r"\d[.,]\d\d\b")
"""An amount in a line of text."""
DASHES = r"^[\s:|]*[-=_]{2,}[\s:|]*$"
"""A cell of a line of dashes, as a table in Markdown has below its headings."""
SUMS = ("amount", "debit", "credit")
"""Fields that hold what was paid."""
FORWARDED = (
    r"(?i)^\W*(?:balance |total )?(?:(?:brought|carried)\W+(?:forward|down|over)|[bc]/f(?:wd)?)\W*$"
)
"""Amounts brought forward from the page before, or carried to the next."""
TOTAL_AT_END = r"(?i)^\W*totals?\b|\btotals?\W*$|^\W*sum(?: of\b.*)?\W*$"
"""A merchant that is perhaps a total of the rows before."""
CATEGORY_CODE = r"^\s*\d{3,4}(?:\.0)?\s*$"
"""A merchant category code: what has one is a payment, whatever its merchant is called."""
TOTAL_OF_WORDS = frozenset({
    "cardholder", "card holder", "holder", "employee", "user", "card", "account", "member", "month",
    "monthly", "period", "spend", "monthly spend", "sum", "sum of", "sum of spend",
})  # fmt: skip
"""Words beside total, or for it, that say of what it is."""
FEW_SUMMED = 3
"""No shop called Total takes in the last of so many payments as much as all others come to."""
MOST_HEADING_ROWS, HEADINGS_OF_A_TABLE = 100, 3
"""Rows searched for headings further down, and known headings that a row of them needs."""
MOST_TEXT_CELLS = 2
"""A row without day and amount is a line of text if no more cells than this are filled."""
MOST_LINES_READ = 1_000
"""Number of different lines that show whether payments are among them."""


def place_rows(sheet: ParsedSheet, amounts: Amounts, dates: Days, kinds: Kinds) -> Codes:
    """Return for every row what it is: one of the places a row can have.

    Raises:
        FileRefused: a column of states has words that are not known.
    """
    table, date = sheet.table, sheet.column("date")
    place = np.full(len(table.rows), ROW)
    balances = (kinds == "balance") & ~sheet.column("mcc").matches(CATEGORY_CODE)
    place[balances] = CONTROL
    if np.isnat(
        dates
    ).any():  # most files have a day in every row, and need not be searched further
        _place_undated(sheet, amounts, dates, place)
    _tell_balances(sheet, balances & (place == CONTROL))
    heading = normalise_heading(sheet.table.headings[sheet.positions["date"]])
    place[date.each(lambda text: normalise_heading(text) == heading, "bool")] = HEADING
    _check_repeated_headings(sheet, np.flatnonzero(place == HEADING))
    _check_lines(sheet, place == TEXT)
    _check_other_headings(
        sheet, np.flatnonzero((place == ROW) & np.isnat(dates) & (amounts.fault != 0))
    )
    _place_dated_totals(sheet, amounts, dates, place)
    place[not_booked(sheet) & (place == ROW)] = APART
    payments = (place == ROW) & ~np.isnat(dates) & (kinds != "payment")
    check_paid_by_bank(sheet, payments, amounts.pence)
    if mark := sheet.profile.end_mark:
        pattern = rf"^\s*{re.escape(mark)}\s*$"
        everything = [TextColumn.of(column) for column in table.cells.columns]
        marked = np.logical_or.reduce([column.matches(pattern) for column in everything])
        if marked.any():
            place[int(marked.argmax()) :] = ENDED
    return place


def footnotes(sheet: ParsedSheet, place: Codes, dates: Days) -> list[str]:
    """Return the lines above the headings, above the first payment and below the last.

    Those between headings and payments or below these have no amount.
    """
    titles = [line for line, _ in sheet.titles()]
    payments = np.flatnonzero((place == ROW) & ~np.isnat(dates))
    if not len(payments):
        return titles
    rows = np.arange(len(place))
    above, below = rows < payments[0], (rows > payments[-1]) & (place == TEXT)
    lines = [*sheet.lines(above), *sheet.lines(below)]
    return [*titles, *(line for line in lines if not WITH_PENCE.search(line))]


def _tell_balances(sheet: ParsedSheet, balances: Flags) -> None:
    """Say how many rows are balances by their text though they name a holder, as a shop may too."""
    holders = [sheet.column(name).matches(cells.FILLED) for name in HOLDER_FIELDS]
    if count := int((balances & np.logical_or.reduce(holders)).sum()):
        rows = quantity(count, "row is a balance or sum", "rows are balances or sums")
        sheet.notes.append(f"{rows} by the text in place of a merchant, and not counted")


def _place_undated(sheet: ParsedSheet, amounts: Amounts, dates: Days, place: Codes) -> None:
    """Set the place of rows without a day: totals, blank rows and lines of text."""
    date, merchant = sheet.column("date"), sheet.column("merchant")
    filled = np.sum(
        [TextColumn.of(column).matches(cells.FILLED) for column in sheet.table.cells.columns],
        axis=0,
    )
    undated = date.matches(cells.BLANK) | date.matches(TOTAL_WORD)
    text_fields = ("merchant", "date", *HOLDER_FIELDS, "cost_centre", "description")
    totals = np.logical_or.reduce([sheet.column(name).matches(TOTAL_WORD) for name in text_fields])
    totals |= merchant.matches(cells.BLANK)
    totals &= undated & amounts.in_total
    holders = [sheet.column(name) for name in HOLDER_FIELDS if name in sheet.positions]
    has_holder = np.zeros(len(place), dtype=bool)
    for column in holders:
        has_holder |= column.matches(cells.FILLED) & ~column.matches(TOTAL_WORD)
    only_total = np.logical_or.reduce(
        [sheet.column(name).matches(ONLY_TOTAL) for name in text_fields]
    )
    sure = totals & ~has_holder & (merchant.matches(cells.BLANK) | only_total)
    running = np.cumsum(np.where((place == ROW) & ~np.isnat(dates), amounts.pence, 0))
    before = 0
    for i in map(int, np.flatnonzero(totals)):
        fits = abs(int(amounts.pence[i])) in {abs(int(running[i])), abs(int(running[i]) - before)}
        if sure[i] or (fits and only_total[i]):
            place[i], before = TOTALS, int(running[i])
    columns = [TextColumn.of(column) for column in sheet.table.cells.columns]
    forwarded = np.logical_or.reduce([column.matches(FORWARDED) for column in columns])
    place[forwarded & np.isnat(dates) & ~has_holder & (place == ROW)] = CONTROL
    text = _is_text(sheet, amounts, filled) & np.isnat(dates)
    place[text & np.isin(place, [ROW, CONTROL])] = TEXT
    place[filled == 0] = BLANK


def _is_text(sheet: ParsedSheet, amounts: Amounts, filled: Codes) -> Flags:
    """Return which rows are lines of text: without an amount, a note below the amounts, or dashes.

    Args:
        sheet: the file.
        amounts: the amount of each row.
        filled: how many cells of each row are filled.
    """
    with_pence = [sheet.column(name).matches(WITH_PENCE.pattern) for name in SUMS]
    note = (amounts.fault != 0) & (filled == 1) & ~np.logical_or.reduce(with_pence)
    rule = sheet.column("date").matches(DASHES) & ~sheet.column("merchant").matches(r"\w")
    return note | rule | ~amounts.given & (filled <= MOST_TEXT_CELLS)


def _place_dated_totals(sheet: ParsedSheet, amounts: Amounts, dates: Days, place: Codes) -> None:
    """Set the place of totals that have a day: of a cardholder or unit, and the sum of the rows.

    A shop may be called Total, so the rest of the name has to be that of the rows before, or the
    last row the sum of all others.
    """
    named = sheet.column("merchant").matches(TOTAL_AT_END) & ~np.isnat(dates) & amounts.in_total
    paid = np.flatnonzero(place == ROW)
    last = int(paid[-1]) if len(paid) > FEW_SUMMED else -1
    before = int(amounts.pence[paid[:-1]].sum())
    rows = [
        i
        for i in np.flatnonzero(named & (place == ROW)).tolist()
        if _is_named_total(sheet, i) or (i == last and abs(int(amounts.pence[i])) == abs(before))
    ]
    if not rows:
        return
    summed = np.where(place == ROW, amounts.pence, 0)
    summed[rows] = 0
    start = 0
    for i in rows:
        start = max(start, *(np.flatnonzero(place[:i] == CONTROL) + 1), 0)
        if abs(int(amounts.pence[i])) in {abs(int(summed[start:i].sum())), abs(summed[:i].sum())}:
            place[i], start = TOTALS, i + 1
        else:
            summed[i] = amounts.pence[i]


def _is_named_total(sheet: ParsedSheet, row: int) -> bool:
    """Return whether a merchant is the word total with the cardholder or unit of the row before."""
    merchant = sheet.column("merchant")
    text = re.sub(TOTAL_WORD, "", merchant.values[merchant.codes[row]])
    columns = [sheet.column(name) for name in (*HOLDER_FIELDS, "unit", "cost_centre")]
    before = {c.values[c.codes[i]] for c in columns for i in {row, max(row - 1, 0)}}
    word = plain_word(text).removeprefix("for ")
    return word in TOTAL_OF_WORDS or word in set(map(plain_word, before)) - {""}


def _check_lines(sheet: ParsedSheet, texts: Flags) -> None:
    """Refuse a file in which some lines are payments that another mark divides into cells.

    Args:
        sheet: the file.
        texts: rows that are lines of text.

    Raises:
        FileRefused: a line of text has a day and an amount between such marks.
    """
    parts = sum(bool(heading.strip()) for heading in sheet.headings)
    whole = np.zeros(len(texts), dtype=bool)
    for column in map(TextColumn.of, sheet.table.cells.columns) if texts.any() else ():
        divided = texts & column.matches(CELL_MARKS) & column.matches(WITH_PENCE.pattern)
        codes = np.unique(column.codes[divided])[:MOST_LINES_READ].tolist()
        payments = [code for code in codes if _is_payment(column.values[code], parts)]
        whole |= divided & np.isin(column.codes, payments)
    if count := int(whole.sum()):
        lines = quantity(count, "line holds", "lines hold")
        reason = (
            f"{lines} a whole payment in one cell, the first in row "
            f"{sheet.table.rows[int(whole.argmax())]}, as if another mark divided it. Export the "
            "file with one mark between all cells"
        )
        raise FileRefused(sheet.table.file, "separators_differ", reason)


def _is_payment(text: str, least: int) -> bool:
    """Return whether a text has a day and an amount with pence, and at least so many parts."""
    if len(text) > MOST_LINE_CHARACTERS or not WITH_PENCE.search(text):
        return False
    parts = [part.strip(' "') for part in re.split(CELL_MARKS, text)]
    days = sum(map(is_day, parts))
    amounts = sum(cells.read_pence(part, ".") is not None for part in parts if part)
    return len(parts) >= least and bool(days and amounts)


def _check_repeated_headings(sheet: ParsedSheet, rows: np.ndarray[Any, Any]) -> None:
    """Refuse a file whose headings change further down, as of a second table.

    Raises:
        FileRefused: a repeated heading row has another heading over a column that is read.
    """
    for row in map(int, rows):
        for position in sheet.positions.values():
            column = sheet.column_at(position)
            name = normalise_heading(column.values[column.codes[row]])
            if name and name != normalise_heading(sheet.table.headings[position]):
                reason = (
                    f"row {sheet.table.rows[row]} has other headings than the first. Save each "
                    "table as a file of its own"
                )
                raise FileRefused(sheet.table.file, "headings_change", reason)


def _check_other_headings(sheet: ParsedSheet, rows: np.ndarray[Any, Any]) -> None:
    """Refuse a file with a row of other headings further down.

    Args:
        sheet: the file.
        rows: rows with text in place of a day and of an amount.

    Raises:
        FileRefused: one of them has headings that are known.
    """
    known = known_headings(sheet.choices.profiles)
    for row in map(int, rows[:MOST_HEADING_ROWS]):
        names = {normalise_heading(str(column[row])) for column in sheet.table.cells.columns}
        if len(names & known) >= HEADINGS_OF_A_TABLE:
            reason = (
                f"row {sheet.table.rows[row]} has other headings than the first. Save each table "
                "as a file of its own"
            )
            raise FileRefused(sheet.table.file, "headings_change", reason)


def check_totals(sheet: ParsedSheet, totals: Flags, good: Flags, pence: Pence) -> tuple[Total, ...]:
    """Compare each total with the rows since the last one, of its sheet, and all above it.

    Where no payment is above the first, totals stand above their payments: each is compared with
    those up to the next, too.
    """
    running = np.cumsum(np.where(good, pence, 0))
    starts = np.array([part.index for part in sheet.table.parts] or [0])
    compared, before = [], 0
    rows = np.flatnonzero(totals).tolist()
    is_above = bool(rows) and not good[: rows[0]].any()
    for i, following in zip(rows, [*rows[1:], len(good) - 1], strict=False):
        declared, whole = int(pence[i]), int(running[i])
        start = int(starts[np.searchsorted(starts, i, side="right") - 1])
        sheet_sum = whole - (int(running[start - 1]) if start else 0)
        below = [int(running[following]) - whole, int(running[-1])] if is_above else []
        sums = (*below, whole - before, whole, sheet_sum)
        agreeing = next((s for s in sums if abs(s) == abs(declared)), None)
        row = sheet.table.rows[i]
        if agreeing is None:
            compared.append(Total(row, declared, sums[0]))
        else:
            compared.append(Total(row, agreeing, agreeing))
        before = whole
    return tuple(compared)
