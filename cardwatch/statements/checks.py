"""Invariants checked for every file; the results are in the reading report."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cardwatch.errors import FileRefused
from cardwatch.quantities import money, plural, quantity
from cardwatch.records import Check
from cardwatch.statements import cells
from cardwatch.statements.amounts import WITH_DECIMALS
from cardwatch.statements.cells import TextColumn, card_name
from cardwatch.statements.holders import fold_name, labelled, name_words, titled_name
from cardwatch.statements.profiles import HOLDER_FIELDS
from cardwatch.statements.words import PLUS_MINUS, plain_word, word_set
from cardwatch.tabular import normalise_heading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardwatch.records import Total
    from cardwatch.statements.amounts import Amounts
    from cardwatch.statements.sheet import ParsedSheet

    Days = np.ndarray[Any, np.dtype[np.datetime64]]
    Flags = np.ndarray[Any, np.dtype[np.bool_]]
    Pence = np.ndarray[Any, np.dtype[np.int64]]

EARLIEST = np.datetime64("2000-01-01")
"""No statement that is read is older; an earlier day is a century or a typing error."""
GAP_DAYS, FAR_DAYS = 400, 1000
"""Days that a gap of more than a year parts from the others, and that are years away from them,
belong to another statement or are wrong."""
OWN_ROWS, OWN_SHARE = 20, 0.1
"""A group of days apart from the others is taken for right if it has this many rows and share."""
LATEST_BOOKING_DAYS, EARLIEST_BOOKING_DAYS = 120, -3
"""Issuers book a payment between these many days after its day, in any time zone."""
CONTINUED = r"^[\s\p{Z}]*\d{3}(?:\.\d{1,2})?\)?(?:[\s\p{Z}]*CR)?[\s\p{Z}]*$"
CUT_OFF_AMOUNT = r"^[\s\p{Z}]*[-(£]*[\s\p{Z}]*\d{1,3}[\s\p{Z}]*$"
"""An amount cut at a thousands comma, and what follows it in the next column."""
WHOLE_POUNDS = r"^[\s\p{Z}]*[-(£]*[\s\p{Z}]*\d+[\s\p{Z}]*$"
PENCE = r"^[\s\p{Z}]*\d\d\)?[\s\p{Z}]*$"
"""An amount cut at a decimal comma, and what follows it in the next column."""
TAX_ROW = r"(?i)^\W*(?:input |recoverable )?vat\b"
VAT_RATES = (0.2, 0.05)
"""VAT Act 1994, sections 2 and 29A: the standard and the reduced rate."""
PENCE_IN_A_POUND = 100
MONTH_ROWS = 10
"""Fewer payments than this may well all be of the first of a month."""
SAME_TEXT_ROWS = 5
"""Fewer payments than this may well have one merchant or one card."""
YEAR_GAP_DAYS, FEW_OTHER_YEAR = 150, 3
"""So few payments, so many days from the others that lie in fewer, may have a wrong year."""
COUNT_HEADINGS = frozenset({
    "no of transactions", "number of transactions", "no of payments", "number of payments",
    "transaction count", "count of transactions", "transactions", "count", "no of purchases",
})  # fmt: skip
"""Headings of columns that say of how many payments a row is the sum."""
FEW_EQUAL, MANY_EQUAL = 5, 0.2
"""Equal payments that a person can check one by one; and a share of them above the ordinary: in
published lists of purchasing cards, which have no references, up to a tenth are equal."""
MOSTLY = 0.5
LOOSE_FIELDS = ("description", "merchant", "category", "unit")
"""Fields whose cells are seldom amounts."""


def cells_outside(sheet: ParsedSheet, amounts: Amounts) -> Flags:
    """Return which rows have a filled cell outside the named columns, or an amount cut in two.

    A column without a heading that most rows fill is a column of the file, and noted; one that few
    rows fill is where an unquoted comma pushed their last cell.
    """
    outside = np.zeros(len(sheet.table.rows), dtype=bool)
    outside[list(sheet.table.long_rows)] = True
    unnamed, unread = 0, ""
    for position, heading in enumerate(sheet.headings):
        if heading.strip():
            continue
        filled = sheet.column_at(position).matches(cells.FILLED)
        few = filled.mean() < MOSTLY if len(filled) else False
        after_last = not any(name.strip() for name in sheet.headings[position:])
        is_pushed = not sheet.table.is_workbook or _is_number(sheet, position)
        beside = is_pushed and not _is_mark(sheet, position) and not _is_parted(sheet)
        if few and after_last and beside:
            outside |= filled
        elif filled.any():
            unnamed += 1
    outside |= _cut_amounts(sheet)
    if unnamed:
        columns = quantity(unnamed, "column has no heading", "columns have no heading")
        unread = f"{columns}, so nothing is read there but signs and words for charge or refund"
        sheet.notes.append(unread)
    count = int((outside & amounts.given).sum())
    sentence = (
        f"{quantity(count, 'row has', 'rows have')} more cells than headings"
        if count
        else "no cell is outside the columns"
    )
    sentence = unread if unnamed and not count else sentence
    sheet.checks.append(Check("cells", not count and not unnamed, sentence))
    return outside


def _is_parted(sheet: ParsedSheet) -> bool:
    """Return whether an empty column parts the headings from what stands beside their table."""
    last = max(i for i, heading in enumerate(sheet.headings) if heading.strip())
    return not sheet.column_at(last + 1).matches(cells.FILLED).any()


def _is_mark(sheet: ParsedSheet, position: int) -> bool:
    """Return whether every filled cell of a column is a sign or a mark of credit beside amounts."""
    words = {plain_word(text) for text in sheet.column_at(position).used} - {""}
    return words <= word_set("direction", "unnamed_credit_marks") | PLUS_MINUS


def _is_number(sheet: ParsedSheet, position: int) -> bool:
    """Return whether every filled cell of a column is a number, as a part of an amount is."""
    texts = [text for text in sheet.column_at(position).used if text.strip()]
    return all(cells.read_pence(text, ".") is not None for text in texts)


def _cut_amounts(sheet: ParsedSheet) -> Flags:
    """Return the rows whose amount goes on in the next column, which holds other things."""
    cut = np.zeros(len(sheet.table.rows), dtype=bool)
    used_positions = {place for name, place in sheet.positions.items() if name not in LOOSE_FIELDS}
    for name in ("amount", "debit", "credit"):
        position = sheet.positions.get(name)
        if position is None or sheet.table.separator != "," or position + 1 >= len(sheet.headings):
            continue
        following = sheet.column_at(position + 1)
        is_cut = sheet.column(name).matches(CUT_OFF_AMOUNT) & following.matches(CONTINUED)
        if position + 1 in used_positions:
            continue
        _check_decimal_comma(sheet, position)
        if is_cut.sum() and is_cut.sum() > MOSTLY * following.matches(CONTINUED).sum():
            pointed = following.matches(r"\.\d\d\)?[\s\p{Z}]*$")
            cut |= is_cut & pointed
    return cut


def _check_decimal_comma(sheet: ParsedSheet, position: int) -> None:
    """Refuse a file in which commas divide the pence of amounts and the cells alike.

    Raises:
        FileRefused: rows have more cells than headings, amounts have no pence, and the next column
            has nothing but two digits.
    """
    amounts, following = sheet.column_at(position), sheet.column_at(position + 1)
    cut = amounts.matches(WHOLE_POUNDS) & following.matches(PENCE)
    whole = following.matches(cells.FILLED) & amounts.matches(r"\d")
    is_wide = not sheet.headings[-1].strip()
    if is_wide and cut.any() and not (whole & ~cut).any():
        reason = (
            f"a comma seems to divide the pence of {int(cut.sum())} amounts and its cells alike. "
            "Export it with semicolons between cells, or with a point before the pence"
        )
        raise FileRefused(sheet.table.file, "decimal_unclear", reason)


class _DayGroup(NamedTuple):
    """Days of a file, as numbers, without a gap of more than a year between them."""

    first: int
    last: int
    size: int


def _day_groups(numbers: Pence) -> list[_DayGroup]:
    """Return the groups of days that gaps of more than a year part, in order."""
    counts = np.bincount(numbers - numbers.min())
    days = np.flatnonzero(counts)
    starts = np.concatenate([[0], np.flatnonzero(np.diff(days) > GAP_DAYS) + 1])
    sizes = np.add.reduceat(counts[days], starts)
    ends = np.concatenate([days[starts[1:] - 1], days[-1:]])
    first = int(numbers.min())
    return [
        _DayGroup(int(days[start]) + first, int(end) + first, int(size))
        for start, end, size in zip(starts, ends, sizes, strict=True)
    ]


def days_implausible(sheet: ParsedSheet, dates: Days, rows: Flags) -> Flags:
    """Return which rows have a day that cannot be right: long before or after all the others.

    The core has no clock, so the file's own days are the measure: those that are years away from
    the largest group, and few, are wrong.
    """
    has_date = rows & ~np.isnat(dates)
    wrong = has_date & (dates < EARLIEST)
    if not has_date.any():
        return wrong
    numbers = dates[has_date].astype("int64")
    groups = _day_groups(numbers)
    middle = np.median(numbers)
    main = max(groups, key=lambda g: (g.size, g.first <= middle <= g.last))
    apart = 0
    for group in groups:
        far = max(main.first - group.last, group.first - main.last) > FAR_DAYS
        is_large_group = group.size >= max(OWN_ROWS, OWN_SHARE * len(numbers))
        if far and group.size == main.size and len(groups) == 2:
            wrong |= has_date  # neither is known to be right
        elif far and not is_large_group:
            inside = (dates.astype("int64") >= group.first) & (dates.astype("int64") <= group.last)
            wrong |= has_date & inside
        elif group is not main:
            apart += group.size
    if apart:
        rows_are = quantity(apart, "row is", "rows are")
        sheet.notes.append(f"{rows_are} more than a year before or after the others")
    count = int(wrong.sum())
    dates_are = quantity(count, "date is", "dates are") if count else "no date is"
    sentence = f"{dates_are} years away from the others"
    sheet.checks.append(Check("dates", not wrong.any() and not apart, sentence))
    return wrong


def check_bookings(sheet: ParsedSheet, dates: Days, posted: Days, rows: Flags) -> None:
    """Check that payments are booked on or soon after their day; say how many are not."""
    has_dates = rows & ~np.isnat(dates) & ~np.isnat(posted)
    if not has_dates.any():
        return
    lag = (posted[has_dates] - dates[has_dates]).astype("int64")
    odd = int(((lag < EARLIEST_BOOKING_DAYS) | (lag > LATEST_BOOKING_DAYS)).sum())
    if odd:
        sheet.notes.append(
            f"{odd:,} of {quantity(len(lag), 'payment')} {plural(odd, 'is', 'are')} posted before "
            f"{plural(odd, 'its', 'their')} date or more than {LATEST_BOOKING_DAYS} days after it"
        )
    sentence = f"{len(lag) - odd} of {len(lag)} payments are posted soon after their date"
    sheet.checks.append(Check("bookings", not odd, sentence))


def check_tax_rows(sheet: ParsedSheet, good: Flags, pence: Pence) -> None:
    """Refuse a file that puts the VAT of a payment on a row of its own, below it.

    Raises:
        FileRefused: several rows have VAT in place of a merchant or a purpose, and a rate of the
            row above.
    """
    texts = [sheet.column(name) for name in ("merchant", "description", "category")]
    has_tax = np.logical_or.reduce([column.matches(TAX_ROW) for column in texts])
    rows = np.flatnonzero(good & has_tax)
    rows = rows[rows > 0]
    shares = [np.abs(np.rint(pence[rows - 1] * rate) - pence[rows]) <= 1 for rate in VAT_RATES]
    if len(rows) > 1 and np.logical_or.reduce(shares).mean() > MOSTLY:
        reason = (
            f"{len(rows)} of its rows are VAT of the payment above them, so a payment is on two "
            "rows. Export it with a row for each payment, VAT in a column"
        )
        raise FileRefused(sheet.table.file, "tax_rows", reason)


def tell_numbers_cut(sheet: ParsedSheet, good: Flags) -> None:
    """Say that some staff numbers stand with and without zeros in front, as a spreadsheet cuts."""
    for name in ("holder_id", "employee_id"):
        if name not in sheet.columns:
            continue
        column = sheet.column(name).kept(good)
        numbers = {text.strip() for text in column.used if text.strip().isdecimal()}
        if count := len(numbers) - len({number.lstrip("0") for number in numbers}):
            are = quantity(count, "number stands", "numbers stand")
            sheet.notes.append(
                f"{are} in '{sheet.sources[name]}' with zeros in front and without, and "
                f"{plural(count, 'counts', 'count')} as different cardholders"
            )


def tell_names_shared(sheet: ParsedSheet, good: Flags) -> None:
    """Say which cardholders' names stand beside several staff numbers: two people, perhaps."""
    if not {"employee_id", "cardholder"} <= sheet.columns.keys():
        return
    numbers, names = (sheet.tidy(name).kept(good) for name in ("employee_id", "cardholder"))
    pairs = {*zip(names.codes.tolist(), numbers.codes.tolist(), strict=True)}
    people = {(fold_name(names.values[name]), numbers.values[number]) for name, number in pairs}
    counts = Counter(name for name, number in people if name and number)
    if shared := sum(count > 1 for count in counts.values()):
        stand = quantity(shared, "cardholder's name stands", "cardholders' names stand")
        sheet.notes.append(
            f"{stand} beside several numbers in '{sheet.sources['employee_id']}'. With a file that "
            "has only names, they count as one person"
        )


def tell_noughts(sheet: ParsedSheet, good: Flags, pence: Pence) -> None:
    """Say how many payments are of no money."""
    if count := int((pence[good] == 0).sum()):
        sheet.notes.append(f"{quantity(count, 'payment is', 'payments are')} of £0.00, and counted")


def check_holders(sheet: ParsedSheet, good: Flags) -> None:
    """Count the holders that are spelt in several ways, which are counted as one each."""
    tell_numbers_cut(sheet, good)
    tell_names_shared(sheet, good)
    column = sheet.columns.get("cardholder")
    if column is None:
        return
    used_codes = np.flatnonzero(np.bincount(column.codes[good]))
    tidy = sheet.tidy("cardholder").values
    spelt = {tidy[i] for i in used_codes if tidy[i]}
    several = len(spelt) - len({fold_name(text) for text in spelt})
    sentence = (
        f"{quantity(several, 'cardholder has', 'cardholders have')} another spelling and "
        f"{plural(several, 'is', 'are')} counted as the same"
        if several
        else "no cardholder's name has two spellings"
    )
    if several:
        sheet.notes.append(sentence)
    if alike := _names_alike({fold_name(text) for text in spelt}):
        names = quantity(alike, "cardholder's name is", "cardholders' names are")
        sheet.notes.append(
            f"{names} in the file with and without a middle name, and counted as different people. "
            "If they are the same, write the name in one way"
        )
    if near := _names_near({fold_name(text) for text in spelt}):
        names = quantity(near, "cardholder's name stands", "cardholders' names stand")
        sheet.notes.append(
            f"{names} in the file in two forms, with another title, rank, initial, number or order "
            f"of its words, and {plural(near, 'counts', 'count')} as different people. If they are "
            "the same, write the name in one way"
        )
    sheet.checks.append(Check("holders", not several, sentence))


def _names_near(names: set[str]) -> int:
    """Return how many names have another form: with other titles, numbers or order, or an initial.

    `pc 1234 roe` and `sgt 1234 roe` are perhaps one person, `a roe - 1` and `a roe - 2`, `ada roe`
    and `roe ada`, and `ada roe` and `a roe`. A rank and a last name alone say too little.
    """
    titles = word_set("people", "titles")
    plain = [[w for w in name.split() if w not in titles and w != "-"] for name in names]
    words = [[w for w in form if not w.isdecimal()] for form in plain]
    forms = [
        tuple(sorted(letters if len(letters) > 1 else form))
        for form, letters in zip(plain, words, strict=True)
    ]
    whole = {(form[0][0], form[-1]) for form in words if len(form) > 1 and len(form[0]) > 1}
    initials = {tuple(form) for form in words if len(form) > 1 and (form[0], form[-1]) in whole}
    return sum(n - 1 for form, n in Counter(forms).items() if len(form) > 1) + len(initials)


def _names_alike(names: set[str]) -> int:
    """Return how many names of two words have others with a middle name between them."""
    longer = {(words[0], words[-1]) for name in names if len(words := name.split()) > 2}
    return sum(tuple(name.split()) in longer for name in names)


def tell_sums(sheet: ParsedSheet, good: Flags) -> None:
    """Say that rows are sums of several payments, where a column counts these."""
    for position in sheet.unused:
        if normalise_heading(sheet.headings[position]) not in COUNT_HEADINGS:
            continue
        texts = sheet.column_at(position).kept(good)
        several = texts.matches(r"^\s*(?:[2-9]|[1-9]\d{1,3})(?:\.0+)?\s*$")
        if several.any():
            rows = quantity(int(several.sum()), "row is the sum", "rows are sums")
            sheet.notes.append(
                f"{rows} of several payments, as '{sheet.headings[position]}' says, and read as "
                "one each: export every payment in a row of its own"
            )


def check_turned(sheet: ParsedSheet, totals: Sequence[Total]) -> None:
    """Refuse a file whose totals agree only if what is described as refunds is taken off.

    Args:
        sheet: the file.
        totals: compared with payments of which those described as refunds are below zero.

    Raises:
        FileRefused: all of them agree so.
    """
    if all(total.agrees for total in totals):
        reason = (
            "its totals agree only if the payments that are described as refunds are taken off, "
            "and these have no minus. Write a minus before them"
        )
        raise FileRefused(sheet.table.file, "direction_unclear", reason)


def tell_totals(sheet: ParsedSheet, totals: Sequence[Total], good: Flags) -> None:
    """Say which totals of the file are not what the rows above or below them come to.

    Args:
        sheet: the file.
        totals: compared with the payments above them, or below.
        good: which rows are payments.

    Raises:
        FileRefused: a total is a hundredth of it, as of amounts in pence: none has decimals.
    """
    wrong = [total for total in totals if not total.agrees]
    is_hundredth = any(
        PENCE_IN_A_POUND * t.declared_pence == t.found_pence and t.found_pence for t in wrong
    )
    columns = [sheet.column(name) for name in ("amount", "debit", "credit")] if is_hundredth else []
    if is_hundredth and not any(c.kept(good).matches(WITH_DECIMALS).any() for c in columns):
        reason = (
            "its payments come to exactly a hundred times the total that it states, so they are in "
            "pence. Head their column 'Amount (pence)'"
        )
        raise FileRefused(sheet.table.file, "amount_unclear", reason)
    if wrong:
        first = wrong[0]
        side = "above" if good[: sheet.table.rows.index(first.row)].any() else "below"
        of_totals = "" if len(totals) == 1 else f" ({len(wrong)} of {len(totals)} totals differ)"
        sheet.notes.append(
            f"the total in row {first.row} is {money(first.declared_pence)}, and the payments "
            f"{side} it come to {money(first.found_pence)}{of_totals}: are rows missing?"
        )
    if totals:
        sentence = f"{len(totals) - len(wrong)} of {quantity(len(totals), 'total')} agree"
        sheet.checks.append(Check("totals", not wrong, sentence))


def tell_month_starts(sheet: ParsedSheet, dates: Days, good: Flags) -> None:
    """Say that every payment is dated the first of a month, as a column of months reads."""
    days = np.unique(dates[good])
    if good.sum() >= MONTH_ROWS and (days == days.astype("datetime64[M]")).all():
        heading = sheet.sources["date"]
        sheet.notes.append(
            f"every day in '{heading}' is the first of a month. If the file says only months, "
            "splits and days of the week mean nothing: export it with the days"
        )


def tell_other_year(sheet: ParsedSheet, dates: Days, good: Flags) -> None:
    """Say that few payments are dated a year before or after the others, on a day among theirs."""
    numbers = dates[good].astype("int64")
    counts = np.bincount(numbers - numbers.min())
    days = np.flatnonzero(counts)
    gaps = np.diff(days)
    if not len(gaps) or gaps.max() <= YEAR_GAP_DAYS:
        return
    split = int(gaps.argmax()) + 1
    few, rest = sorted((days[:split], days[split:]), key=lambda part: int(counts[part].sum()))
    count = int(counts[few].sum())
    is_long = rest[-1] - rest[0] > YEAR_GAP_DAYS
    if count > FEW_OTHER_YEAR or count >= counts[rest].sum() or is_long:
        return
    year = 365 if few[0] < rest[0] else -365
    near = [(few + year + i >= rest[0]) & (few + year + i <= rest[-1]) for i in (-1, 0, 1)]
    if np.logical_or.reduce(near).all():
        payments = quantity(count, "payment is", "payments are")
        side = "before" if year > 0 else "after"
        sheet.notes.append(
            f"{payments} dated a year {side} the others, on a day of the year that is among "
            f"theirs: {plural(count, 'is its year', 'are their years')} right?"
        )


def tell_sum_of_others(sheet: ParsedSheet, good: Flags, pence: Pence) -> None:
    """Say that the first or the last payment is as much as all others together."""
    amounts = pence[good]
    whole = int(amounts.sum())
    for place in (0, -1):
        if len(amounts) > SAME_TEXT_ROWS and whole and 2 * int(amounts[place]) == whole:
            row = sheet.table.rows[int(np.flatnonzero(good)[place])]
            sheet.notes.append(
                f"the payment in row {row} is as much as all others together. If it is their "
                "total, take it out"
            )


def tell_one_day(sheet: ParsedSheet, dates: Days, good: Flags) -> None:
    """Say that all payments have one day where only days of posting or of the bill are stated."""
    is_posting = sheet.profile.is_general and not sheet.profile.columns.get("posting_date", True)
    if is_posting and good.sum() >= SAME_TEXT_ROWS and len(np.unique(dates[good])) == 1:
        sheet.notes.append(
            f"every payment has the same day in '{sheet.sources['date']}', and no column has the "
            "days of the purchases: splits and days of the week mean nothing"
        )


def tell_equal_rows(sheet: ParsedSheet, good: Flags, among: Flags, *, own: bool) -> None:
    """Say which payments are the same as another in every cell, where that is out of the ordinary.

    Without references one payment in ten may be: two tickets of one price on one day. So it is said
    where each has a reference of its own, where they are few enough to be looked at, and where they
    are many.

    Args:
        sheet: the file.
        good: which rows are payments.
        among: which of the payments may be.
        own: whether each payment should have a reference of its own.
    """
    rows = np.flatnonzero(good)[among]
    if not len(rows):
        return
    codes = np.array(
        [column.combine_chunks().indices.to_numpy()[rows] for column in sheet.table.cells.columns]
    )
    first = np.unique(codes, axis=1, return_index=True)[1]
    again = np.setdiff1d(rows, rows[first])
    if not len(again) or (FEW_EQUAL < len(again) < MANY_EQUAL * good.sum() and not own):
        return
    payments = quantity(len(again), "payment is", "payments are")
    places = [
        sheet.table.place(i) or f"row {sheet.table.rows[i]}" for i in again[:FEW_EQUAL].tolist()
    ]
    where = ", ".join(places) if len(again) <= FEW_EQUAL else f"the first in {places[0]}"
    sheet.notes.append(
        f"{payments} the same as another in every cell, and counted ({where}). If one stands twice "
        "by mistake, take it out"
    )


def tell_other_holder(sheet: ParsedSheet, good: Flags) -> None:
    """Say that lines above the headings name another cardholder than all rows below them do."""
    column = sheet.columns.get("cardholder")
    if column is None or "cardholder" not in sheet.positions:
        return
    parts = zip(sheet.table.parts, sheet.parts(), strict=True)
    for part, (_, rows) in parts:
        names = [labelled(row).get("cardholder", "") or titled_name(row) for row in part.above]
        name = next(filter(None, names), "")
        texts = TextColumn(column.codes[rows][good[rows]], column.distinct).used
        words_below = set[str]().union(*map(name_words, texts))
        words = name_words(name)
        if words and words_below and not words & words_below:
            sheet.notes.append(
                "a line above the headings names another cardholder than "
                f"'{sheet.sources['cardholder']}' does, which is read"
            )
            return


def tell_same_text(sheet: ParsedSheet, good: Flags) -> None:
    """Say that every payment has the same merchant, or the same label for its card.

    A ledger names the bank there, or the organisation, and a file its kind of card.
    """
    if good.sum() < SAME_TEXT_ROWS:
        return
    merchant = sheet.column("merchant").codes[good]
    others = [sheet.column(name).codes[good] for name in ("description", *HOLDER_FIELDS)]
    if (merchant == merchant[0]).all() and any((codes != codes[0]).any() for codes in others):
        heading = sheet.sources["merchant"]
        sheet.notes.append(
            f"every payment has the same merchant in '{heading}'. If the shops stand in another "
            "column, name it as 'merchant' in a column profile"
        )
    key = sheet.choices.card_key
    names = [name for name in HOLDER_FIELDS if name in sheet.columns]
    if names == ["account"] and len(set(sheet.tidy("account").kept(good).used)) == 1:
        sheet.notes.append(
            f"every payment has the same account in '{sheet.sources['account']}'. If another "
            "column says who paid, name it as 'cardholder' in a column profile"
        )
    labels = {card_name(text, key) for text in sheet.column("card_number").kept(good).used} - {""}
    if names == ["card_number"] and len(labels) == 1 and not any(c.isdigit() for c in min(labels)):
        heading = sheet.sources["card_number"]
        sheet.notes.append(
            f"every payment has the same card in '{heading}', without a number. If that is a kind "
            "of card, the payments of several people stand together"
        )
