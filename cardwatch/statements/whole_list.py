"""Checks that a file is one list of card payments: nothing twice, missing or of an account."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cardwatch.errors import FileRefused
from cardwatch.quantities import plural, quantity
from cardwatch.records import Check
from cardwatch.statements.amounts import read_column
from cardwatch.statements.cells import BLANK, TextColumn
from cardwatch.statements.money_columns import money_columns
from cardwatch.statements.places import FORWARDED, SUMS, TEXT
from cardwatch.statements.profiles import HOLDER_FIELDS
from cardwatch.statements.states import heads_unbooked
from cardwatch.statements.words import MOST_LINE_CHARACTERS, plain_word, word_set
from cardwatch.tabular import normalise_heading

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.statements.sheet import ParsedSheet

    Codes = np.ndarray[Any, np.dtype[np.int64]]
    Days = np.ndarray[Any, np.dtype[np.datetime64]]
    Flags = np.ndarray[Any, np.dtype[np.bool_]]
    Pence = np.ndarray[Any, np.dtype[np.int64]]

DOUBLED_ROWS = 5
"""Payments of several days that do not recur in the same order by chance."""
MANY_DOUBLED = 20
"""Number of payments found twice, in any order and by anybody, that is not chance."""
HASH_FACTOR = np.uint64(0x9E3779B97F4A7C15)
"""The golden ratio as a fraction of 2^64, by which Knuth (The Art of Computer Programming,
volume 3, 6.4) spreads keys."""
BROUGHT = r"(?i)^\W*(?:balance |total )?(?:brought\W+(?:forward|down)|b/?f(?:wd)?)\b"
REFUNDS_BELOW = re.compile(
    r"\W*(?:refunds?|credits?|returns?|credit notes?)"
    r"(?:\W+(?:(?:and|or)\W+)?(?:refunds?|credits?|returns?|adjustments?))*\W*$",
    re.IGNORECASE,
)
"""A line that heads refunds. There is one way to divide it, so a long one takes no longer."""
BOTH_SIDES_ROWS, MANY_BOTH_SIDES = 4, 20
"""Fewer payments than the first may all be taken back on their day, whatever their accounts, and
fewer than the second where no column says that the sides are of different accounts."""
ACCOUNT_WORDS = frozenset({"account", "acct", "gl", "nominal", "ledger", "code"})
"""Words of headings of columns that say to which account of a ledger a row belongs."""


def check_list(sheet: ParsedSheet, place: Codes, good: Flags, dates: Days, pence: Pence) -> None:
    """Refuse a file that is no plain list of card payments.

    Args:
        sheet: the file.
        place: what every row is.
        good: which rows are payments.
        dates: of each row.
        pence: the amount of every row.

    Raises:
        FileRefused: payments stand twice, an account's other entries stand among them, or refunds
            have no minus.
    """
    check_doubled(sheet, good, dates)
    check_account(sheet, good)
    check_both_sides(sheet, good, dates, pence)
    check_sections(sheet, place == TEXT, good, pence)


def check_doubled(sheet: ParsedSheet, good: Flags, dates: Days) -> None:
    """Refuse a file in which payments of several days stand again, as in exports that were joined.

    Twenty rows do; fewer do where they follow on the first ones, at the start of the file or of
    several cardholders, as far as these are named. Of others it is said that they stand twice.

    Args:
        sheet: the file.
        good: which rows are payments.
        dates: of each row.

    Raises:
        FileRefused: such a run of payments stands again, in one order and with equal cells.
    """
    if good.sum() < 2 * DOUBLED_ROWS:
        return
    rows = np.flatnonzero(good)
    holders = [column for name in HOLDER_FIELDS if (column := sheet.columns.get(name))]
    sentences = []
    for first, second, count in _doubled_runs(sheet, rows, dates[rows]):
        run = rows[first : first + count]
        is_one = bool(holders) and all(len(np.unique(h.codes[run])) == 1 for h in holders)
        sentences.append(
            f"{count} payments from row {sheet.table.rows[int(rows[first])]} on stand again from "
            f"row {sheet.table.rows[int(rows[second])]} on, in the same order"
        )
        follows = second - first == count
        if count >= MANY_DOUBLED or (follows and not (first and is_one)):
            reason = f"{sentences[-1]}. Take out what is there twice"
            raise FileRefused(sheet.table.file, "doubled", reason)
    if sentences:
        sheet.notes.append(f"{sentences[0]}, and are counted: if they are a copy, take it out")


def _doubled_runs(sheet: ParsedSheet, rows: Pence, dates: Days) -> list[tuple[int, int, int]]:
    """Return where runs of payments of several days stand, where again, and their lengths.

    The longest comes first.
    """
    hashes = np.zeros(len(rows), dtype="uint64")
    for column in map(TextColumn.of, sheet.table.cells.columns):
        if len(column.distinct) >= len(column.codes):
            return []  # each row has a number or reference of its own
        hashes = hashes * HASH_FACTOR + column.codes[rows].astype("uint64")
    windows = np.zeros(len(rows) - DOUBLED_ROWS + 1, dtype="uint64")
    for i in range(DOUBLED_ROWS):
        windows = windows * HASH_FACTOR + hashes[i : len(windows) + i]
    places = np.flatnonzero(pd.Series(windows).duplicated(keep=False).to_numpy())
    order = places[np.argsort(windows[places], kind="stable")]
    apart = order[1:] - order[:-1]
    is_pair = (windows[order[1:]] == windows[order[:-1]]) & (apart >= DOUBLED_ROWS)
    firsts, apart = order[:-1][is_pair], apart[is_pair]
    if not len(firsts):
        return []
    along = np.lexsort((firsts, apart))  # windows next to each other, as far apart, are one run
    firsts, apart = firsts[along], apart[along]
    begins = np.flatnonzero(np.append(True, (np.diff(firsts) != 1) | (np.diff(apart) != 0)))
    counts = np.diff(np.append(begins, len(firsts))) + DOUBLED_ROWS - 1
    runs = zip(firsts[begins].tolist(), apart[begins].tolist(), counts.tolist(), strict=True)
    return sorted(
        (
            (first, first + gap, count)
            for first, gap, count in runs
            if (dates[first : first + count] != dates[first]).any()
        ),
        key=lambda run: (-run[2], run[0]),
    )


def check_forwarded(sheet: ParsedSheet, levels_only: Flags, good: Flags, pence: Pence) -> None:
    """Check that what each page carries forward is what it brought forward and its payments.

    Args:
        sheet: the file.
        levels_only: rows that say a balance, or what is brought or carried forward.
        good: which rows are payments.
        pence: the amount of every row.

    Raises:
        FileRefused: a page brings forward another sum than the page before carried.
    """
    if not levels_only.any():
        return
    sums = np.cumsum(np.where(good, pence, 0))
    columns = [TextColumn.of(column) for column in sheet.table.cells.columns]
    forwarded = levels_only & np.logical_or.reduce([c.matches(FORWARDED) for c in columns])
    forwarded &= np.logical_or.reduce([sheet.column(name).matches(r"\d") for name in SUMS])
    brought = np.logical_or.reduce([column.matches(BROUGHT) for column in columns])
    before, odd = 0, 0
    level: int | None = None
    for i in map(int, np.flatnonzero(forwarded)):
        own, whole = abs(int(pence[i])), int(sums[i])
        if brought[i] and level is not None and whole == before and own != level:
            reason = (
                f"row {sheet.table.rows[i]} brings forward another sum than was carried forward "
                "above it, so a page is missing. Export it again"
            )
            raise FileRefused(sheet.table.file, "incomplete", reason)
        if not brought[i] and level is not None:
            odd += own not in {abs(level + whole - before), abs(level - whole + before)}
        level, before = own, whole
    sums_do = quantity(odd, "sum carried forward does", "sums carried forward do")
    sentence = (
        f"{sums_do} not follow from the payments"
        if odd
        else "all sums carried forward follow from the payments"
    )
    if odd:
        sheet.notes.append(f"{sentence}: are rows missing?")
    if level is not None:
        sheet.checks.append(Check("forwarded", not odd, sentence))


def check_account(sheet: ParsedSheet, good: Flags) -> None:
    """Refuse the statement of a bank account with entries that no card made.

    Raises:
        FileRefused: a column has a bank's codes, some for cards and some for direct debits,
            transfers and alike.
    """
    cards, others = word_set("account_codes", "card"), word_set("account_codes", "other")
    for position in sheet.unused:
        column = sheet.column_at(position)
        words = {word for text in column.used if (word := plain_word(text))}
        if not words <= cards | others | word_set("account_codes", "either") or not words & cards:
            continue
        count = int((column.each(lambda text: plain_word(text) in others, "bool") & good).sum())
        if count:
            entries = quantity(count, "entry", "entries")
            reason = (
                f"column '{sheet.headings[position]}' marks {entries} as direct debits, "
                "transfers or cheques, which are not card payments. "
                "Take these out, or export the card's own statement"
            )
            raise FileRefused(sheet.table.file, "account_entries", reason)


def check_both_sides(sheet: ParsedSheet, good: Flags, dates: Days, pence: Pence) -> None:
    """Refuse a ledger with both sides of each payment, which come to nothing.

    Raises:
        FileRefused: on every day each sum stands as often as a charge as it does as a refund, and
            the two sides are of different accounts or the payments many.
    """
    amounts = pence[good]
    if good.sum() < BOTH_SIDES_ROWS or amounts.sum() or not amounts.any():
        return
    sums = pd.Series(np.sign(amounts)).groupby([dates[good], np.abs(amounts)]).sum()
    if not sums.any() and (
        good.sum() >= MANY_BOTH_SIDES or _accounts_differ(sheet, good, dates[good], pence)
    ):
        reason = (
            "every payment stands once as a charge and once as a refund of the same sum and day, "
            "as in a ledger with both sides of each. Export the side of the expense alone"
        )
        raise FileRefused(sheet.table.file, "account_entries", reason)


def _accounts_differ(sheet: ParsedSheet, good: Flags, days: Days, pence: Pence) -> bool:
    """Return whether a column has other accounts for the charges than for the refunds beside them.

    On each day and for each sum it does: a refund has its two sides the other way round.
    """
    sizes = np.abs(pence[good])
    for position, heading in enumerate(sheet.headings):
        if ACCOUNT_WORDS & set(normalise_heading(heading).split()):
            column = sheet.column_at(position).kept(good)
            if column.matches(BLANK).any():
                continue
            entries = pd.DataFrame({"day": days, "size": sizes, "account": column.codes})
            charges, refunds = entries[pence[good] > 0], entries[pence[good] < 0]
            if charges.merge(refunds).empty:
                return True
    return False


def check_sections(sheet: ParsedSheet, texts: Flags, good: Flags, pence: Pence) -> None:
    """Refuse payments that a line above them or the name of their sheet heads as something else.

    Args:
        sheet: the file.
        texts: rows that are lines of text.
        good: which rows are payments.
        pence: the amount of every row.

    Raises:
        FileRefused: payments without a minus stand below refunds, or any below pending or declined.
    """
    for label, rows in _refund_sections(sheet, texts):
        if count := int((good[rows] & (pence[rows] > 0)).sum()):
            reason = (
                f"{label} heads refunds, and {quantity(count, 'amount')} "
                f"below it {plural(count, 'has', 'have')} no minus. Write a minus before refunds"
            )
            raise FileRefused(sheet.table.file, "direction_unclear", reason)
    for label, rows in [*_sections(sheet, texts, heads_unbooked), *_titled(sheet, heads_unbooked)]:
        if count := int(good[rows].sum()):
            reason = (
                f"{label} heads payments that are not posted, and {count} stand below it. Take "
                "them out, or add a column that says which are posted"
            )
            raise FileRefused(sheet.table.file, "status_unclear", reason)


def _heads_refunds(text: str) -> bool:
    return len(text) <= MOST_LINE_CHARACTERS and REFUNDS_BELOW.match(text) is not None


def _refund_sections(sheet: ParsedSheet, texts: Flags) -> list[tuple[str, slice]]:
    """Return the sections of refunds: those below a line of text, and sheets by their names."""
    sheets = [
        (f"the name of sheet '{name}'", rows)
        for name, rows in sheet.parts()
        if _heads_refunds(name)
    ]
    return [*_sections(sheet, texts, _heads_refunds), *_titled(sheet, _heads_refunds), *sheets]


def _titled(sheet: ParsedSheet, heads: Callable[[str], bool]) -> list[tuple[str, slice]]:
    """Return the rows of each sheet or table with a line above its headings that heads them."""
    return [(f"'{line}' above the headings", rows) for line, rows in sheet.titles() if heads(line)]


def _sections(
    sheet: ParsedSheet, texts: Flags, heads: Callable[[str], bool]
) -> list[tuple[str, slice]]:
    """Return the rows below each line of text that heads them, up to the next line of text."""
    lines = np.flatnonzero(texts)
    if not len(lines):
        return []
    headed = np.zeros(len(lines), dtype=bool)
    for column in map(TextColumn.of, sheet.table.cells.columns):
        first, place = np.unique(column.codes[lines], return_index=True, return_inverse=True)[1:]
        texts_used = column.picked(lines[first])
        headed |= np.array([bool(text) and heads(text) for text in texts_used], dtype=bool)[place]
    ends = [*lines[1:].tolist(), len(texts)]
    return [
        (f"row {sheet.table.rows[start]}", slice(start, end))
        for start, end, is_head in zip(lines.tolist(), ends, headed, strict=True)
        if is_head
    ]


def check_levels(sheet: ParsedSheet, good: Flags, levels_only: Flags, pence: Pence) -> None:
    """Check that balances and sums carried from page to page follow from the payments.

    Args:
        sheet: the file.
        good: which rows are transactions.
        levels_only: which rows say a balance; their amounts are no transactions.
        pence: the amount of every row.

    Raises:
        FileRefused: the balance contradicts the direction of some amounts, or a page is missing.
    """
    check_balance(sheet, good, levels_only, pence)
    check_forwarded(sheet, levels_only, good, pence)


def check_balance(sheet: ParsedSheet, good: Flags, levels_only: Flags, pence: Pence) -> None:
    """Check that a running balance follows from the amounts, oldest or newest row first.

    Where amounts have no sign and the balance goes both ways by them, it says that some are
    refunds and not which way a charge goes.

    Args:
        sheet: the file.
        good: which rows are transactions.
        levels_only: which rows say a balance; their amounts are no transactions.
        pence: the amount of every row.

    Raises:
        FileRefused: the balance contradicts the direction of some amounts.
    """
    position = money_columns(sheet.headings).balance
    if position is None or position in sheet.positions.values():
        return
    balance = read_column(sheet.column_at(position), ".")
    balance_rows = (good | levels_only) & balance.given & (balance.fault == 0)
    amounts, levels = np.where(levels_only, 0, pence)[balance_rows], balance.pence[balance_rows]
    if len(levels) < 2:
        return
    steps = np.diff(levels)
    agreements = [
        int((steps == sign * part).sum())
        for sign in (1, -1)
        for part in (amounts[1:], amounts[:-1])
    ]
    count = max(agreements)
    mirrored = any((np.abs(steps) == np.abs(part)).all() for part in (amounts[1:], amounts[:-1]))
    if count < len(steps) and mirrored and not (pence[good] < 0).any():
        reason = (
            f"its balance rises after some amounts and falls after {count} of {len(steps)}, though "
            "no amount has a sign. Add a column with charge or refund for each row"
        )
        raise FileRefused(sheet.table.file, "direction_unclear", reason)
    sentence = f"the balance follows from the amounts in {count} of {len(steps)} rows"
    if count < len(steps):
        sheet.notes.append(f"{sentence}: are rows missing?")
    sheet.checks.append(Check("balance", count == len(steps), sentence))
