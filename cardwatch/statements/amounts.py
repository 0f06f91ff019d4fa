"""The amount of every row as printed: which column, billed or original, one column or two."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cardwatch.errors import FileRefused
from cardwatch.records import Check
from cardwatch.statements import cells
from cardwatch.statements.money_columns import (
    COSTS,
    NET,
    QUANTITIES,
    UNSAID,
    is_in_pence,
    money_columns,
)
from cardwatch.statements.words import plain_word, word_set
from cardwatch.tabular import normalise_heading, without_pound_mark

if TYPE_CHECKING:
    from cardwatch.statements.money_columns import AmountColumn
    from cardwatch.statements.sheet import ParsedSheet

    Codes = np.ndarray[Any, np.dtype[np.int64]]
    Flags = np.ndarray[Any, np.dtype[np.bool_]]
    Pence = np.ndarray[Any, np.dtype[np.int64]]

HOME_CURRENCY = "GBP"
FIFTHS = 5
"""Standard-rated VAT is a fifth of an amount without it (VAT Act 1994, section 2)."""
AMOUNT_FAULTS = ("", "bad_amount", "no_billed_amount", "two_amounts", "no_direction")
FAULTLESS = 0
IN_TOTALS = ("two_amounts", "no_direction")
"""Text that totals can have and payments cannot."""
ONE_PIECE = frozenset({"", "1", "1.0", "1.00"})
PENCE_HEADINGS = frozenset({"pence", "p"})
FEW_UNITS, MIXED_SHARE, PENCE_RATIO = 3, 0.1, 20
"""Amounts with and without decimals are compared if there are so many different ones of each, and
so large a share; those without are pence if their median is so many times that of the others."""
WHOLE_AMOUNTS = 5
"""Number of different amounts that are seldom all in whole pounds."""
MOSTLY = 0.5
APPROVED = "approved"
WHOLE_AMOUNT = r"^-?[1-9][0-9]{0,9}$"
PLAIN_AMOUNT = r"^-?[0-9]{1,10}\.[0-9]{2}$"
DECIMAL_MARKS = {"point": ".", "comma": ","}
ROUNDING_PENCE = 2
"""Net and VAT, each rounded, may come to this many pence more or less than the gross amount."""
SUMS_SHARE, SUMS_ROWS = 0.5, 3
"""Net and VAT have to come to the gross amount in this share of the rows, where there are so many
to compare, or another column is the gross one."""


@dataclass(frozen=True)
class Amounts:
    """Pence of every row; `given` is false for an empty cell, `fault` numbers what is wrong.

    `in_two_columns` says that charges and refunds have columns of their own, and so their signs.
    """

    pence: Pence
    given: Flags
    fault: Codes
    in_two_columns: bool = False

    @property
    def in_total(self) -> Flags:
        """Whether each row has an amount such as a total has: charges and refunds beside it too."""
        fine = np.isin(self.fault, [FAULTLESS, *map(AMOUNT_FAULTS.index, IN_TOTALS)])
        return self.given & fine


WITH_DECIMALS = r"(?i)[.,](?:\d{1,2}|\d{4,6})\)?-?\s*(?:[CD]R?|GBP|£)?\s*$"
"""An amount with a part of a pound; a comma before three digits is one of thousands."""


def is_home_currency(text: str) -> bool:
    """Return whether a cell names the pound, or no currency."""
    word = plain_word(text)
    return not word or word in word_set("currencies", "pound")


def read_currency(text: str) -> str:
    """Return a currency by its code; the home currency by the one code it has."""
    return HOME_CURRENCY if is_home_currency(text) else text.upper()


def read_amounts(sheet: ParsedSheet) -> Amounts:
    """Return the amount of every row, with the sign that is printed.

    The billed amount counts. Where a row has none, its original amount does if that is in pounds,
    or if no column says in which currency it is: that is stated once.

    Raises:
        FileRefused: it is not clear which column is the amount, or what its commas mean.
    """
    _take_used(sheet)
    _check_minor_units(sheet)
    _check_mixed_units(sheet)
    mark = _decimal_mark(sheet)
    billed, original = _amounts(sheet, "amount", mark), _amounts(sheet, "original_amount", mark)
    _check_choice(sheet, mark)
    if "debit" in sheet.positions and "amount" not in sheet.positions:
        billed = _two_columns(sheet, _amounts(sheet, "debit", mark), mark)
    elif "credit" in sheet.positions:
        billed = _amount_and_credit(sheet, billed, mark)
    home = sheet.column("original_currency").each(is_home_currency, "bool")
    if billed.given.any() and "original_currency" not in sheet.positions:
        home[:] = False  # pounds stand in a column of their own, so these may be another currency
    unbilled = ~billed.given & original.given
    pence = np.where(unbilled, original.pence, billed.pence)
    unknown = np.where(home, original.fault, AMOUNT_FAULTS.index("no_billed_amount"))
    fault = np.where(unbilled, unknown, billed.fault)
    if not billed.given.any() and "original_currency" not in sheet.positions:
        sheet.notes.append("the currency is not stated; all amounts are read as pounds")
    return replace(billed, pence=pence, given=billed.given | unbilled, fault=fault)


def _check_minor_units(sheet: ParsedSheet) -> None:
    """Refuse records of JSON whose amounts are all whole numbers, as programs write pence.

    In other files people may have rounded them, so it is only said.

    Raises:
        FileRefused: they are, and neither their name nor a profile says in what they are.
    """
    names = [name for name in ("amount", "debit", "credit") if name in sheet.positions]
    stated = not sheet.profile.is_shipped or any(is_in_pence(sheet.sources[name]) for name in names)
    if stated or sheet.table.feed:
        return
    columns = [sheet.column(name) for name in names]
    if any(column.matches(WITH_DECIMALS).any() for column in columns):
        return
    count = len({text for column in columns for text in column.used if text.strip(" 0-")})
    said = "all its amounts are whole numbers, which may be pounds or pence"
    if count and sheet.table.form == "json":
        reason = (
            f"{said}. If they are pounds, name their column as 'amount' in a column profile; if "
            "pence, as 'Amount (pence)'"
        )
        raise FileRefused(sheet.table.file, "amount_unclear", reason)
    if count >= WHOLE_AMOUNTS:
        sheet.notes.append(
            f"{said}, and are read as pounds. If they are pence, head their column 'Amount (pence)'"
        )


def _check_mixed_units(sheet: ParsedSheet) -> None:
    """Refuse amounts of which some seem to be in pence and the others in pounds.

    Those in pounds have two decimals, noughts at the end too, and those without are many times as
    large.

    Raises:
        FileRefused: they are.
    """
    texts = sheet.column("amount").distinct

    def having(pattern: str) -> pa.StringArray:
        return texts.filter(pc.match_substring_regex(texts, pattern))

    whole, pounds = having(WHOLE_AMOUNT), having(PLAIN_AMOUNT)
    few = min(len(pounds), len(whole)) < max(FEW_UNITS, MIXED_SHARE * len(texts))
    if few or not sheet.profile.is_shipped or having(r"^-?\d*\.\d$"):
        return
    large, small = (np.abs(column.cast(pa.float64()).to_numpy()) for column in (whole, pounds))
    is_round = (large % 10 == 0).mean() > MOSTLY
    is_padded = len(having(r"^-?\d+\.\d0$")) > 0
    if is_padded and not is_round and np.median(large) > PENCE_RATIO * np.median(small):
        reason = (
            f"{len(whole)} different amounts have no decimals and are about a hundred times as "
            f"large as the {len(pounds)} that have, as if they were in pence. Export it with "
            "pounds throughout. If all amounts are in pounds, name the column as 'amount' in a "
            "column profile"
        )
        raise FileRefused(sheet.table.file, "amount_unclear", reason)


def _decimal_mark(sheet: ParsedSheet) -> str:
    """Return what divides pounds from pence in the file.

    Raises:
        FileRefused: nothing shows whether a mark before three digits divides thousands or pence.
    """
    names = ("amount", "debit", "credit", "original_amount")
    texts = [text for name in names for text in sheet.column(name).used]
    stated = sheet.profile.decimal
    if stated == "decide" and cells.decimal_unclear(texts, sheet.table.separator):
        reason = (
            "nothing shows whether the mark before three digits divides thousands or pounds from "
            'pence. Write decimal = "point" or "comma" in a column profile'
        )
        raise FileRefused(sheet.table.file, "decimal_unclear", reason)
    mark = DECIMAL_MARKS.get(stated) or cells.decimal_mark(texts)
    if mark == ",":
        sheet.decisions.append("amounts with a decimal comma")
    return mark


def _amount_and_credit(sheet: ParsedSheet, amount: Amounts, mark: str) -> Amounts:
    """Return the amounts of a file that has a column of them beside one of refunds.

    Where charges have a third column, the amounts are those of both without their direction.

    Raises:
        FileRefused: the columns contradict each other.
    """
    dated = sheet.column("date").matches(r"\d")
    debit, credit = _amounts(sheet, "debit", mark), _amounts(sheet, "credit", mark)
    if not (credit.pence[dated] != 0).any() or (credit.fault[dated] != FAULTLESS).any():
        return amount  # nothing is refunded, or the column holds something else
    if (debit.pence[dated] != 0).any():
        sides = _two_columns(sheet, debit, mark)
        differ = (np.abs(sides.pence) != np.abs(amount.pence)) & sides.given & amount.given & dated
        if differ.any() and _is_net(sheet):
            sheet.decisions.append(f"'{sheet.sources['amount']}' is without VAT, so it is not read")
            sheet.drop("amount")
            return sides
    else:
        both = (amount.pence != 0) & (credit.pence != 0)
        differ = both & (np.abs(amount.pence) != np.abs(credit.pence)) & dated
        charges = replace(amount, pence=np.where(both, 0, amount.pence))
        sides = _two_columns(sheet, charges, mark)
    if differ.any():
        reason = (
            f"'{sheet.sources['amount']}' and '{sheet.sources['credit']}' are both filled and "
            f"differ in {int(differ.sum())} rows, so it is not clear which amounts are refunds. "
            "Name one column as 'amount' in a profile, or two as 'debit' and 'credit'"
        )
        raise FileRefused(sheet.table.file, "direction_unclear", reason)
    return sides


def _is_net(sheet: ParsedSheet) -> bool:
    """Return whether the amounts were taken from a column without VAT, for want of a better one."""
    best = sheet.money.candidates[:1] if sheet.money else ()
    return any(c.tax == NET and c.position == sheet.positions.get("amount") for c in best)


def _two_columns(sheet: ParsedSheet, debit: Amounts, mark: str) -> Amounts:
    """Return amounts of which charges and refunds stand in columns of their own.

    A column of charges whose every amount has a minus has it as its form: the column says which way
    an amount goes.

    Raises:
        FileRefused: some charges have a minus and as many have none.
    """
    credit = _amounts(sheet, "credit", mark)
    negative, positive = int((debit.pence < 0).sum()), int((debit.pence > 0).sum())
    if negative and negative >= positive > 0:
        reason = (
            f"{negative} of {negative + positive} amounts in its column of charges have a minus, "
            "so it is not clear which are charges. Name a signed column as 'amount' in a profile, "
            'with positive = "charge" or "refund"'
        )
        raise FileRefused(sheet.table.file, "direction_unclear", reason)
    charges = np.abs(debit.pence) if negative > positive else debit.pence
    fault = np.maximum(debit.fault, credit.fault)
    both = debit.given & credit.given & (debit.pence != 0) & (credit.pence != 0)
    fault[both] = AMOUNT_FAULTS.index("two_amounts")
    sheet.decisions.append("charges and refunds in separate columns")
    is_given = debit.given | credit.given
    return Amounts(charges - np.abs(credit.pence), is_given, fault, in_two_columns=True)


def _amounts(sheet: ParsedSheet, name: str, mark: str) -> Amounts:
    """Return one column of amounts as printed; in pounds, or in pence where its heading says so.

    Raises:
        FileRefused: its heading says pence, and some amounts have decimals.
    """
    amounts = read_column(sheet.column(name), mark)
    heading = sheet.sources.get(name, "")
    if sheet.table.feed or not is_in_pence(heading):
        return amounts
    if (amounts.pence % 100 != 0).any():
        reason = (
            f"'{heading}' says that its amounts are in pence, and some have decimals. Export them "
            "in pounds"
        )
        raise FileRefused(sheet.table.file, "amount_unclear", reason)
    sheet.decisions.append(f"amounts in pence, as '{heading}' says")
    return replace(amounts, pence=amounts.pence // 100)


def read_column(column: cells.TextColumn, mark: str) -> Amounts:
    """Return a column of amounts as printed; a dash alone is an empty cell."""
    pence, unread = np.zeros(len(column.distinct), "int64"), np.ones(len(column.distinct), bool)
    if mark == ".":  # most amounts are plain, and are read together
        plain = pc.match_substring_regex(column.distinct, PLAIN_AMOUNT)
        digits = pc.replace_substring(column.distinct.filter(plain), ".", "")
        unread = ~plain.to_numpy(zero_copy_only=False)
        pence[~unread] = digits.cast(pa.int64()).to_numpy()
    for i in np.flatnonzero(unread).tolist():
        if (value := cells.read_pence(column.values[i], mark)) is not None:
            pence[i], unread[i] = value, False
    is_given = ~column.matches(cells.NIL)
    bad = unread[column.codes] & is_given
    fault = bad.astype("int64") * AMOUNT_FAULTS.index("bad_amount")
    return Amounts(pence[column.codes], is_given, fault)


# Which column -----------------------------------------------------------------------------------


def _check_choice(sheet: ParsedSheet, mark: str) -> None:
    """Say which of several amount columns was chosen, and compare net, VAT and gross.

    Raises:
        FileRefused: two columns suit as well and differ; or net and VAT do not come to the gross.
    """
    money = sheet.money
    if money is None:
        _tell_profile(sheet)
    if money is None or not money.candidates or "amount" not in sheet.positions:
        return
    _check_pence(sheet)
    best, *other_columns = money.candidates
    _check_pieces(sheet, best)
    twins = [column for column in other_columns if column.rank == best.rank]
    for twin in twins:
        if _differ(sheet, best, twin, mark):
            first, second = sheet.headings[best.position], sheet.headings[twin.position]
            reason = (
                f"columns {best.position + 1} ('{first}') and {twin.position + 1} ('{second}') may "
                "both be the amount, and they differ. Name one of them as 'amount' in a profile"
            )
            raise FileRefused(sheet.table.file, "amount_unclear", reason)
    if other_columns:
        listed = ", ".join(f"'{sheet.headings[column.position]}'" for column in other_columns)
        sheet.decisions.append(
            f"amounts from '{sheet.headings[best.position]}' and not from {listed}: "
            "billed before paid at the merchant, gross before net"
        )
    _check_sums(sheet, best, mark)
    heading = sheet.headings[best.position]
    if APPROVED in normalise_heading(heading).split():
        sheet.notes.append(
            f"the amounts are those that were approved, as '{heading}' says, and may be less than "
            "what was paid"
        )


def _tell_profile(sheet: ParsedSheet) -> None:
    """Say where a profile takes a balance or VAT for the amount, or refunds for charges."""
    money = money_columns(sheet.headings)
    for kind, position in (("a balance", money.balance), ("VAT", money.tax)):
        if position is not None and position == sheet.positions.get("amount"):
            heading = sheet.headings[position]
            sheet.notes.append(
                f"the amounts are from '{heading}', as the profile says, which looks like {kind}"
            )


def _check_pieces(sheet: ParsedSheet, column: AmountColumn) -> None:
    """Refuse a cost beside a quantity, of which nothing says whether it is of one piece or of all.

    Raises:
        FileRefused: more or less than one piece is bought in some row.
    """
    names = [without_pound_mark(normalise_heading(heading)) for heading in sheet.headings]
    quantities = [i for i, name in enumerate(names) if name in QUANTITIES]
    if names[column.position] not in COSTS or not quantities:
        return
    several = sheet.column_at(quantities[0]).each(
        lambda text: text.strip() not in ONE_PIECE, "bool"
    )
    if (several & sheet.column("date").matches(r"\d")).any():
        reason = (
            f"'{sheet.headings[column.position]}' stands beside '{sheet.headings[quantities[0]]}' "
            "and may be the cost of one piece or of all. If it is what was paid, name it as "
            "'amount' in a column profile; otherwise export the totals"
        )
        raise FileRefused(sheet.table.file, "amount_unclear", reason)


def _check_pence(sheet: ParsedSheet) -> None:
    """Refuse pounds and pence in columns of their own.

    Raises:
        FileRefused: a column is headed pence.
    """
    for position in sheet.unused:
        if normalise_heading(sheet.headings[position]) in PENCE_HEADINGS:
            reason = (
                f"column '{sheet.headings[position]}' seems to hold the pence of its amounts. "
                "Export it with pounds and pence in one column"
            )
            raise FileRefused(sheet.table.file, "amount_unclear", reason)


def _take_used(sheet: ParsedSheet) -> None:
    """Take the used one of two columns that suit as the amount, where the other has noughts."""
    money = sheet.money
    if money is None or not money.candidates or "amount" not in sheet.positions:
        return
    best, *others = money.candidates
    equals = [other for other in others if other.rank == best.rank]
    if not equals or not _is_unused(_amounts_at(sheet, best, ".")):
        return
    used = next((c for c in equals if not _is_unused(_amounts_at(sheet, c, "."))), None)
    if used is not None:
        sheet.take("amount", used.position)
        rest = (other for other in others if other is not used)
        sheet.money = replace(money, candidates=(used, *rest))
        headings = [sheet.headings[column.position] for column in (used, best)]
        sheet.decisions.append(f"amounts from '{headings[0]}', since '{headings[1]}' has none")


def _amounts_at(sheet: ParsedSheet, column: AmountColumn, mark: str) -> Amounts:
    """Return a column of amounts as printed."""
    return read_column(sheet.column_at(column.position), mark)


def _is_unused(amounts: Amounts) -> bool:
    """Return whether a column of amounts has noughts alone, or nothing."""
    return bool((amounts.fault == FAULTLESS).all()) and not amounts.pence.any()


def _differ(sheet: ParsedSheet, first: AmountColumn, other: AmountColumn, mark: str) -> bool:
    """Return whether two columns of amounts differ in any row; one of noughts alone does not."""
    ours, others = (_amounts_at(sheet, column, mark) for column in (first, other))
    return bool((ours.pence != others.pence).any()) and not _is_unused(others)


def _tell_without_vat(sheet: ParsedSheet, amount: int, tax: int, mark: str) -> None:
    """Say that amounts are without VAT where their VAT is a fifth of them, and no sixth."""
    whole, part = (read_column(sheet.column_at(position), mark) for position in (amount, tax))
    rows = (whole.fault == FAULTLESS) & (part.fault == FAULTLESS) & (part.pence != 0)
    fifths = rows & (np.abs(whole.pence - FIFTHS * part.pence) <= FIFTHS * ROUNDING_PENCE)
    if rows.sum() >= SUMS_ROWS and fifths.sum() >= SUMS_SHARE * rows.sum():
        sheet.notes.append(
            f"the amounts seem to be without VAT: '{sheet.headings[tax]}' is a fifth of them in "
            f"{int(fifths.sum())} of {int(rows.sum())} rows"
        )


def _check_sums(sheet: ParsedSheet, gross: AmountColumn, mark: str) -> None:
    """Check that net and VAT come to the gross amount, where all three stand in a row.

    An amount that headings call no less than the one taken, such as one at the merchant, may have
    the VAT in it already: it is compared where it fits every row.

    Raises:
        FileRefused: they do so in few rows, though headings call the other amount the lesser.
    """
    money = sheet.money
    assert money is not None
    lower = [column for column in reversed(money.candidates) if column.rank < gross.rank]
    net = min(lower, key=lambda column: column.tax, default=None)
    if gross.tax == NET:
        heading = sheet.headings[gross.position]
        sheet.notes.append(f"the amounts are without VAT, as '{heading}' says")
    if money.tax is not None and net is None and gross.tax == UNSAID:
        _tell_without_vat(sheet, gross.position, money.tax, mark)
    if money.tax is None or net is None:
        return
    columns = [gross.position, net.position, money.tax]
    whole, part, tax = (read_column(sheet.column_at(position), mark) for position in columns)
    compared = np.logical_and.reduce([c.given & (c.fault == FAULTLESS) for c in (whole, part, tax)])
    agree = np.abs(part.pence + tax.pence - whole.pence) <= ROUNDING_PENCE
    count, rows = int((agree & compared).sum()), int(compared.sum())
    names = [f"'{sheet.headings[position]}'" for position in columns]
    if net.tax >= gross.tax and count < rows:
        return
    if rows >= SUMS_ROWS and count < SUMS_SHARE * rows:
        reason = (
            f"{names[1]} and {names[2]} come to {names[0]} in {count} of {rows} rows only, so it "
            "is not clear which is the amount paid. Name it as 'amount' in a profile"
        )
        raise FileRefused(sheet.table.file, "amount_unclear", reason)
    sentence = f"{names[1]} and {names[2]} come to {names[0]} in {count} of {rows} rows"
    sheet.checks.append(Check("amounts", count == rows, sentence))
