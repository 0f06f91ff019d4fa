"""What every row charges: billed or original, one column or two, charge or refund."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cardwatch.statements import cells

if TYPE_CHECKING:
    from cardwatch.statements.reading import Reading

    Codes = np.ndarray[Any, np.dtype[np.int64]]
    Flags = np.ndarray[Any, np.dtype[np.bool_]]
    Pence = np.ndarray[Any, np.dtype[np.int64]]

HOME_CURRENCY = "GBP"
HOME = r"(?i)^[\s\p{Z}]*(?:GBP|£|826|pounds?(?: sterling)?|sterling)?[\s\p{Z}]*$"
AMOUNT_FAULTS = ("", "bad_amount", "no_billed_amount", "two_amounts", "no_direction")
FAULTLESS = 0
IN_TOTALS = ("two_amounts", "no_direction")
"""What no payment has, and totals may."""
CREDIT, DEBIT = r"(?i)^\s*(?:C|CR|CREDIT|REFUND)\s*$", r"(?i)^\s*(?:D|DR|DEBIT|CHARGE|PURCHASE)\s*$"


@dataclass(frozen=True)
class Amounts:
    """Pence of every row; `given` is false for an empty cell, `fault` numbers what is wrong."""

    pence: Pence
    given: Flags
    fault: Codes

    @property
    def in_total(self) -> Flags:
        """Whether each row has an amount such as a total has: charges and refunds beside it too."""
        fine = np.isin(self.fault, [FAULTLESS, *map(AMOUNT_FAULTS.index, IN_TOTALS)])
        return self.given & fine


def read_currency(text: str) -> str:
    """Return a currency by its code; the home currency by the one code it has."""
    return HOME_CURRENCY if re.search(HOME.replace(r"\p{Z}", ""), text) else text.upper()


def read_amounts(reading: Reading) -> Amounts:
    """Return what every row charges.

    The billed amount counts. Where a row has none, its original amount does if that is in pounds,
    or if no column says in which currency it is: that is stated once.
    """
    names = ("amount", "debit", "credit", "original_amount")
    mark = cells.decimal_mark(text for name in names for text in reading.column(name).values)
    if mark == ",":
        reading.decisions.append("amounts with a decimal comma")
    billed, original = _amounts(reading, "amount", mark), _amounts(reading, "original_amount", mark)
    if "debit" in reading.at and "amount" not in reading.at:
        billed = _two_columns(reading, mark)
    home = reading.column("original_currency").matches(HOME)
    unbilled = ~billed.given & original.given
    pence = np.where(unbilled, original.pence, billed.pence)
    unknown = np.where(home, original.fault, AMOUNT_FAULTS.index("no_billed_amount"))
    fault = np.where(unbilled, unknown, billed.fault)
    if not billed.given.any() and "original_currency" not in reading.at:
        reading.notes.append("the currency is not stated; all amounts are taken for pounds")
    amounts = Amounts(_signed(reading, pence), billed.given | unbilled, fault)
    if "debit_credit" in reading.at:
        mark_column = reading.column("debit_credit")
        unmarked = ~mark_column.matches(CREDIT) & ~mark_column.matches(DEBIT)
        amounts.fault[unmarked & (fault == FAULTLESS)] = AMOUNT_FAULTS.index("no_direction")
    return amounts


def _two_columns(reading: Reading, mark: str) -> Amounts:
    """Return amounts of which charges and refunds stand in columns of their own."""
    debit, credit = _amounts(reading, "debit", mark), _amounts(reading, "credit", mark)
    fault = np.maximum(debit.fault, credit.fault)
    both = debit.given & credit.given & (debit.pence != 0) & (credit.pence != 0)
    fault[both] = AMOUNT_FAULTS.index("two_amounts")
    reading.decisions.append("charges and refunds in columns of their own")
    return Amounts(debit.pence - np.abs(credit.pence), debit.given | credit.given, fault)


def _amounts(reading: Reading, name: str, mark: str) -> Amounts:
    """Return one column of amounts as printed."""
    column = reading.column(name)
    read = [cells.read_pence(text, mark) for text in column.values]
    pence = np.array([x or 0 for x in read], dtype="int64")[column.codes]
    given = column.matches(cells.FILLED)
    bad = np.array([x is None for x in read], dtype=bool)[column.codes] & given
    return Amounts(pence, given, bad.astype("int64") * AMOUNT_FAULTS.index("bad_amount"))


def _signed(reading: Reading, pence: Pence) -> Pence:
    """Make charges positive and refunds negative, and say how it was decided."""
    if "debit_credit" in reading.at:
        credit = reading.column("debit_credit").matches(CREDIT)
        reading.decisions.append("charge or refund by the column that says so")
        return np.where(credit, -np.abs(pence), pence)
    positive, mostly_negative = reading.profile.positive, (pence < 0).sum() > (pence > 0).sum()
    if positive == "decide":
        positive = "refund" if mostly_negative else "charge"
        reading.decisions.append(f"amounts without a minus are {positive}s, as most rows show")
    elif mostly_negative == (positive == "charge"):
        reading.notes.append(
            f"amounts without a minus are taken for {positive}s, as the layout says, "
            "though fewer rows have them than not"
        )
    return -pence if positive == "refund" else pence
