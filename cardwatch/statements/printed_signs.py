"""Signs and marks of amounts: whether one without a minus is a charge or a refund."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cardwatch.errors import FileRefused
from cardwatch.quantities import quantity
from cardwatch.statements import cells

if TYPE_CHECKING:
    from cardwatch.statements.amounts import Amounts
    from cardwatch.statements.sheet import ParsedSheet

    Flags = np.ndarray[Any, np.dtype[np.bool_]]
    Kinds = np.ndarray[Any, np.dtype[np.object_]]
    Pence = np.ndarray[Any, np.dtype[np.int64]]

MAJORITY = 2 / 3
"""Signs decide which way amounts go if this share of the payments has the same."""
FEW_ROWS = 3
"""Fewer payments than this, all with a minus, may as well be refunds."""
MANY_ROWS = 5
"""From this many payments on, signs may contradict a layout that comes with cardwatch."""
UNCLEAR = (
    'State it in a column profile: positive = "charge" where an amount without a minus is a '
    'charge, "refund" where it is a refund'
)
REFUND_WORDS = (
    r"(?i)\brefund(?:s|ed)?\b|\breversal\b|^\W*credit (?:note|voucher|memo)\b|\w\W+CR\W*$"
)
ONLY_DEBIT = r"(?i)^\W*DR\b|[0-9.)]\s*\(?(?:DR|D)\.?\)?\s*$"
MARK_ALONE = r"(?i)^\W*(?:CR|DR)\W*$"


def stated_meaning(sheet: ParsedSheet, amounts: Amounts, read: Flags) -> str:
    """Return what the profile says an amount without a minus is; nothing where it does not.

    Raises:
        FileRefused: a layout that comes with cardwatch says so, and most rows say the opposite.
    """
    positive = sheet.profile.positive
    if positive == "decide":
        return ""
    minus, plus = count_signs(amounts, read)
    against, rest = (minus, plus) if positive == "charge" else (plus, minus)
    if against > rest:
        if sheet.profile.is_shipped and against >= max(MANY_ROWS, MAJORITY * (against + rest)):
            reason = (
                f"{against} of {against + rest} amounts have a minus, though in this layout "
                f"charges have none. {UNCLEAR}"
            )
            raise FileRefused(sheet.table.file, "direction_unclear", reason)
        sheet.notes.append(
            f"amounts without a minus are taken for {positive}s, as the layout states, "
            "though fewer rows have them than not"
        )
    sheet.decisions.append(f"amounts without a minus are {positive}s, as the layout states")
    return positive


def meaning_by_evidence(sheet: ParsedSheet, amounts: Amounts, read: Flags, kinds: Kinds) -> str:
    """Return whether amounts without a minus are charges or refunds, by the rows themselves.

    Raises:
        FileRefused: the evidence contradicts itself or decides nothing.
    """
    if sheet.column("amount").matches(cells.CREDIT_OR_DEBIT).any():
        _check_marks(sheet, amounts, read)
        sheet.decisions.append("charge or refund by the marks CR and DR of the amounts")
        return "charge"
    paid_minus, paid_plus = count_signs(amounts, read & (kinds == "payment"))
    if paid_minus == paid_plus:
        positive, decided = _by_purchases(sheet, amounts, read & (kinds == ""))
    else:
        positive = "charge" if paid_minus > paid_plus else "refund"
        if _majority(*count_signs(amounts, read & (kinds == ""))) not in {"", positive}:
            raise unclear(sheet, "payments to the account have the same sign as most purchases")
        side = "below" if paid_minus > paid_plus else "above"
        decided = f"payments of the account are {side} zero"
    sheet.decisions.append(f"amounts without a minus are {positive}s: {decided}")
    return positive


def _by_purchases(sheet: ParsedSheet, amounts: Amounts, purchases: Flags) -> tuple[str, str]:
    """Return what an amount without a minus is by the purchases alone, and how it was decided.

    Raises:
        FileRefused: they decide nothing.
    """
    minus, plus = count_signs(amounts, purchases)
    said_minus, said_plus = count_signs(amounts, purchases & described_as_refunds(sheet))
    total = int(amounts.pence[purchases].sum())
    by_count = _majority(minus, plus)
    if said_minus > minus / 2 and not said_plus:
        return "charge", f"{said_minus} of {minus} with a minus are described as refunds"
    if said_plus > plus / 2 and minus and not said_minus:
        return "refund", f"{said_plus} of {plus} without a minus are described as refunds"
    if by_count == "refund" and minus >= FEW_ROWS and total < 0:
        return "refund", f"{minus} of {minus + plus} payments have a minus"
    above = int(amounts.pence[purchases & (amounts.pence > 0)].sum())
    few = (plus > minus or plus == minus < FEW_ROWS) and total >= -above
    if few and total <= 0 and by_count != "charge":
        sheet.notes.append(
            f"{minus} of {minus + plus} amounts have a minus and are taken for refunds, though "
            "they come to no less than the others. If they are charges, state "
            'positive = "refund" in a column profile'
        )
    if by_count == "charge" or few:
        return "charge", f"{plus} of {minus + plus} payments have no minus"
    raise unclear(sheet, f"{minus} of its {minus + plus} amounts have a minus")


def _check_marks(sheet: ParsedSheet, amounts: Amounts, read: Flags) -> None:
    """Refuse amounts of which some have the mark of a debit and the others none at all.

    Raises:
        FileRefused: those without a mark may be charges or refunds; or a mark has no amount.
    """
    column = sheet.column("amount")
    marked, debits = column.matches(cells.CREDIT_OR_DEBIT), column.matches(ONLY_DEBIT)
    bare = read & ~marked & (amounts.pence > 0)
    alone = column.matches(MARK_ALONE) & sheet.column("date").matches(r"\d")
    if count := int((alone | _marks_below(sheet, read)).sum()):
        are = quantity(count, "amount is", "amounts are")
        raise unclear(sheet, f"{are} only CR or DR, without a number")
    if (read & debits).any() and not (read & marked & ~debits).any() and bare.any():
        raise unclear(sheet, f"{int(bare.sum())} amounts have no mark beside others marked DR")


def _marks_below(sheet: ParsedSheet, read: Flags) -> Flags:
    """Return which rows have nothing but a mark of credit or debit, right below a payment."""
    alone = sheet.column("amount").matches(MARK_ALONE)
    alone[1:] &= read[:-1]
    alone[:1] = False
    for position in range(len(sheet.headings)) if alone.any() else ():
        if position != sheet.positions["amount"]:
            alone &= ~sheet.column_at(position).matches(cells.FILLED)
    return alone


def described_as_refunds(sheet: ParsedSheet) -> Flags:
    """Return which rows have a word for a refund in their merchant or description."""
    return np.logical_or.reduce(
        [sheet.column(name).matches(REFUND_WORDS) for name in ("merchant", "description")]
    )


def count_signs(amounts: Amounts, rows: Flags) -> tuple[int, int]:
    """Return the numbers of amounts below and above zero."""
    pence = amounts.pence[rows]
    return int((pence < 0).sum()), int((pence > 0).sum())


def _majority(minus: int, plus: int) -> str:
    """Return what most signs say an amount without a minus is; nothing where few more say so."""
    if minus >= MAJORITY * max(minus + plus, 1):
        return "refund"
    return "charge" if plus >= MAJORITY * (minus + plus) else ""


def unclear(sheet: ParsedSheet, why: str) -> FileRefused:
    """Return the refusal of a file whose charges and refunds cannot be told apart, with why."""
    reason = f"it is not clear which amounts are charges and which are refunds: {why}. {UNCLEAR}"
    return FileRefused(sheet.table.file, "direction_unclear", reason)
