"""Charge or refund: decided from the file's own evidence, and stated; never guessed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cardwatch.errors import FileRefused
from cardwatch.quantities import plural, quantity
from cardwatch.statements import cells
from cardwatch.statements.amounts import AMOUNT_FAULTS, FAULTLESS, read_column
from cardwatch.statements.money_columns import has_amount_word, is_same_money
from cardwatch.statements.words import (
    PLUS_MINUS,
    direction_of,
    plain_word,
    word_set,
    words_with_meaning,
)
from cardwatch.tabular import normalise_heading

if TYPE_CHECKING:
    from cardwatch.statements.amounts import Amounts
    from cardwatch.statements.sheet import ParsedSheet

    Flags = np.ndarray[Any, np.dtype[np.bool_]]
    Kinds = np.ndarray[Any, np.dtype[np.object_]]
    Pence = np.ndarray[Any, np.dtype[np.int64]]

MOST_WORDS = 25
"""A column that says charge or refund has no more distinct texts than this."""
MOST_CODE_CHARACTERS = 4
"""Codes of transactions have no more characters than this."""
DIRECTION_TEXT_FIELDS = ("category", "description")
"""Fields whose column may say charge or refund in every row."""
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
REFUND_WORDS = r"(?i)\brefund(?:s|ed)?\b|\breversal\b|^\W*credit (?:note|voucher|memo)\b"
ONLY_DEBIT = r"(?i)^\W*DR\b|[0-9.)]\s*\(?(?:DR|D)\.?\)?\s*$"
MARK_ALONE = r"(?i)^\W*(?:CR|DR)\W*$"
TRANSACTION_WORDS = frozenset({"transaction", "trans", "tran", "txn", "entry", "amount", "payment"})
"""Words of a heading beside one for a type, under which signs are those of the amounts."""
DIRECTION_SIGNS = {
    "charge": 1,
    "fee": 1,
    "cash": 1,
    "refund": -1,
    "payment": -1,
    "payment_or_charge": -1,
    "adjustment": 0,
    "": 0,
}
"""Which way an amount goes by the meaning of a word: 1 a charge, -1 money back, 0 not said."""


@dataclass(frozen=True)
class WordColumn:
    """A column that says in words which way each amount goes.

    Attributes:
        heading: its heading.
        meanings: for each row charge, refund, payment, fee, cash, adjustment or nothing.
    """

    heading: str
    meanings: Kinds


SIDES = frozenset({"cr", "dr", "credit", "debit"})
"""Words of a heading under which a letter says on which side of the account an amount stands."""


def sign_amounts(
    sheet: ParsedSheet, amounts: Amounts, rows: Flags, kinds: Kinds
) -> tuple[Pence, Kinds]:
    """Return the amounts with charges positive and refunds negative, and the kinds of the rows.

    Evidence in this order: a column of words; columns of their own; what a person or the layout
    says; marks of credit and debit; payments of the account and the signs of most rows.

    Args:
        sheet: the file.
        amounts: as printed. A row whose direction is not said is marked as faulty.
        rows: which rows are payments.
        kinds: what the merchant's words say a row is.

    Raises:
        FileRefused: the evidence contradicts itself or decides nothing.
    """
    read = rows & amounts.given & (amounts.fault == FAULTLESS)
    pence = _with_stated_signs(sheet, amounts, read)
    words = None if pence is not None else _word_column(sheet, amounts, read)
    if pence is None and words is None and "debit_credit" not in sheet.positions:
        pence = _with_signs(sheet, amounts, read)
    if pence is not None:
        amounts = replace(amounts, pence=pence)
    elif words:
        row_kinds = np.where(kinds == "", words.meanings, kinds)
        row_kinds[np.isin(row_kinds, ["charge", "refund"])] = ""
        return _by_words(sheet, amounts, read, words), row_kinds
    if amounts.in_two_columns:
        kinds = _kinds_beside(sheet, read, kinds)
        _check_sides(sheet, amounts, read, kinds)
        pence = amounts.pence
    else:
        if not (amounts.pence[read] < 0).any():
            _tell_codes(sheet)
        positive = _stated(sheet, amounts, read) or _by_evidence(sheet, amounts, read, kinds)
        pence = -amounts.pence if positive == "refund" else amounts.pence
    described = _described_as_refunds(sheet)
    for position in sheet.unused:
        described |= sheet.column_at(position).matches(REFUND_WORDS)
    if count := int((described & read & (kinds == "") & (pence > 0)).sum()):
        sheet.notes.append(
            f"{quantity(count, 'payment is', 'payments are')} described as "
            f"{plural(count, 'a refund', 'refunds')} and counted as "
            f"{plural(count, 'a charge', 'charges')}"
        )
    return pence, kinds


def _described_as_refunds(sheet: ParsedSheet) -> Flags:
    """Return which rows have a word for a refund in their merchant or description."""
    return np.logical_or.reduce(
        [sheet.column(name).matches(REFUND_WORDS) for name in ("merchant", "description")]
    )


def _kinds_beside(sheet: ParsedSheet, read: Flags, kinds: Kinds) -> Kinds:
    """Return the kinds of the rows, with those that a column of words tells from purchases.

    Charges and refunds stand in columns of their own, so it decides no direction. All its words
    are known, one means a charge, and one a payment to the account, a fee, cash or an adjustment.
    """
    for position in sheet.unused:
        column = sheet.column_at(position)
        if len(column.distinct) > MOST_WORDS:
            continue
        meanings = np.array(
            [direction_of(plain_word(cells.plain_cell(text))) for text in column.values],
            dtype=object,
        )[column.codes]
        seen = set(meanings[read & column.matches(cells.FILLED)].tolist())
        if "" not in seen and "charge" in seen and seen - {"charge", "refund"}:
            meanings[meanings == "payment_or_charge"] = "payment"
            sheet.decisions.append(
                f"rows that are no purchases by column '{sheet.headings[position]}'"
            )
            own = np.isin(meanings, ["payment", "fee", "cash", "adjustment"]) & (kinds == "")
            return np.where(own, meanings, kinds)
    return kinds


def _check_sides(sheet: ParsedSheet, amounts: Amounts, read: Flags, kinds: Kinds) -> None:
    """Check that charges and refunds in two columns are not those of a ledger, the other way round.

    Raises:
        FileRefused: payments of the account stand where charges do, and most purchases do not.
    """
    backs, charges = _signs(amounts, read & (kinds == ""))
    paid_backs, paid_charges = _signs(amounts, read & (kinds == "payment"))
    if backs < MAJORITY * max(backs + charges, 1):
        return
    if paid_charges > paid_backs:
        reason = (
            "payments to the account stand in its column of charges and most purchases in that of "
            "refunds, as in a ledger. Name them the other way round as 'debit' and 'credit' in a "
            "column profile"
        )
        raise FileRefused(sheet.table.file, "direction_unclear", reason)
    if backs >= FEW_ROWS:
        sheet.notes.append(
            f"{backs} of {backs + charges} payments stand in the column of refunds; if they are "
            "charges, name the columns the other way round in a column profile"
        )


def _tell_codes(sheet: ParsedSheet) -> None:
    """Say that a column has codes of transactions, of which some may mean a refund."""
    codes_headings = word_set("direction", "code_headings")
    for position in sheet.unused:
        heading = sheet.headings[position]
        if normalise_heading(heading) not in codes_headings:
            continue
        texts = {text.strip() for text in sheet.column_at(position).used} - {""}
        is_code = all(len(text) <= MOST_CODE_CHARACTERS for text in texts)
        if is_code and 1 < len(texts) <= MOST_WORDS:
            sheet.notes.append(
                f"column '{heading}' has {len(texts)} codes that are not known, and no amount has "
                "a sign: if one means a refund, add a column with charge or refund"
            )


def _lacks_signs(amounts: Amounts, read: Flags) -> bool:
    """Return whether amounts stand in one column and none of them has a minus."""
    return not amounts.in_two_columns and bool(read.any()) and not (amounts.pence[read] < 0).any()


def _with_stated_signs(sheet: ParsedSheet, amounts: Amounts, read: Flags) -> Pence | None:
    """Return amounts with the signs of the column that is there to say charge or refund.

    A profile names it, or its heading; none is returned where it has words, as most have.
    """
    if not _lacks_signs(amounts, read):
        return None
    mapped = sheet.positions.get("debit_credit")
    named = [i for i in sheet.unused if _is_named(sheet, i)] if mapped is None else [mapped]
    signed = (_signed_by(sheet, position, amounts) for position in named)
    return next((pence for pence in signed if pence is not None), None)


def _with_signs(sheet: ParsedSheet, amounts: Amounts, read: Flags) -> Pence | None:
    """Return amounts with the plus or minus that stands beside them; none where no column has it.

    Its heading has no letter or is of a type of transaction, or it holds the same amounts with
    their signs and its heading says that they are the same money. Which way a minus goes is decided
    as if it stood before the amount. No column of words says it.
    """
    if not _lacks_signs(amounts, read):
        return None
    is_stated = not sheet.profile.is_shipped and "amount" in sheet.positions
    for position, heading in enumerate(sheet.headings):
        column = sheet.column_at(position)
        if _is_for_signs(heading):
            if (pence := _signed_by(sheet, position, amounts)) is not None:
                return pence
        elif position in sheet.unused and has_amount_word(heading) and column.matches(r"\d").any():
            other = read_column(column, cells.decimal_mark(column.used))
            same = np.abs(other.pence) == amounts.pence
            if not (same & other.given)[read].all() or not (other.pence[read] < 0).any():
                continue
            if is_same_money(heading) and not is_stated:
                sheet.decisions.append(
                    f"signs of the amounts from '{heading}', which has the same amounts, some with "
                    "a minus"
                )
                return np.where(same, other.pence, amounts.pence)
            sheet.notes.append(
                f"'{heading}' has the same amounts, some with a minus, and is not read. If these "
                "are refunds, name it as 'amount' in a column profile"
            )
    return None


def _is_for_signs(heading: str) -> bool:
    """Return whether signs under a heading may be those of amounts: none, `Transaction Type`."""
    words = set(normalise_heading(heading).split())
    of_type = word_set("direction", "type_headings")
    return not words or bool(words & of_type and not words - of_type - TRANSACTION_WORDS)


def _signed_by(sheet: ParsedSheet, position: int, amounts: Amounts) -> Pence | None:
    """Return amounts with the signs of a column; none where it has anything else, or no sign."""
    column = sheet.column_at(position)
    if len(column.distinct) > MOST_WORDS:
        return None
    words = {plain_word(cells.plain_cell(text)) for text in column.used} - {""}
    if not words or not words <= PLUS_MINUS:
        return None
    heading = sheet.headings[position].strip() or f"number {position + 1}"
    sheet.decisions.append(f"signs of the amounts from column '{heading}'")
    minus = column.each(lambda text: plain_word(cells.plain_cell(text)) == "-", "bool")
    return np.where(minus, -amounts.pence, amounts.pence)


# A column of words ------------------------------------------------------------------------------


def _word_column(sheet: ParsedSheet, amounts: Amounts, read: Flags) -> WordColumn | None:
    """Return the column that says charge or refund; one by its heading before one by its content.

    Raises:
        FileRefused: one has words that are not known, or two contradict each other.
    """
    mapped = sheet.positions.get("debit_credit")
    if amounts.in_two_columns and mapped is None:
        return None
    texts = [sheet.positions[name] for name in DIRECTION_TEXT_FIELDS if name in sheet.positions]
    texts += [sheet.positions["credit"]] if "credit" in sheet.positions else []
    unnamed = [i for i, heading in enumerate(sheet.headings) if not heading.strip()]
    places = [mapped] if mapped is not None else [*sheet.unused, *texts, *unnamed]
    columns = [
        (position, c)
        for position in places
        if (c := _meanings(sheet, position, amounts, read)) is not None
    ]
    named_columns = [c for position, c in columns if _is_named(sheet, position)]
    both = [c for _, c in columns if _both_sides(c, read)]
    if len(both) > 1 and any(
        (_sides(both[0])[read] * _sides(other)[read] < 0).any() for other in both[1:]
    ):
        reason = (
            f"columns '{both[0].heading}' and '{both[1].heading}' disagree on which "
            "amounts are refunds. Name the right one as 'debit_credit' in a column profile"
        )
        raise FileRefused(sheet.table.file, "direction_unclear", reason)
    marks = None if both else _mark_column(sheet, amounts, read)
    return marks or next(iter([*named_columns, *both]), None)


def _mark_column(sheet: ParsedSheet, amounts: Amounts, read: Flags) -> WordColumn | None:
    """Return the column that has a mark of credit beside refunds and is blank beside charges.

    No amount has a minus then. A mark of debit alone leaves the other amounts open.

    Raises:
        FileRefused: some amounts have a mark of debit beside them, and the others none at all.
    """
    if (amounts.pence[read] < 0).any():
        return None
    mapped = [sheet.positions[name] for name in ("debit_credit",) if name in sheet.positions]
    unnamed = [i for i, heading in enumerate(sheet.headings) if not heading.strip()]
    for position in [*mapped, *sheet.unused, *unnamed]:
        column = sheet.column_at(position)
        filled = read & column.matches(cells.FILLED)
        if len(column.distinct) > MOST_WORDS or not filled.any() or not (read & ~filled).any():
            continue
        words = np.array([plain_word(cells.plain_cell(text)) for text in column.values], object)
        marks = set(words[column.codes[filled]].tolist())
        heading = sheet.headings[position] or f"number {position + 1}"
        is_for_marks = _is_named(sheet, position) or not sheet.headings[position].strip()
        known = "unnamed_credit_marks" if is_for_marks else "credit_marks"
        of_heading = normalise_heading(sheet.headings[position]).split()
        is_of_sides = position in mapped or not SIDES.isdisjoint(of_heading)
        is_credit = is_of_sides and {direction_of(mark) for mark in marks} == {"refund"}
        if is_credit or marks <= word_set("direction", known):
            return WordColumn(heading, np.where(filled, "refund", "charge").astype(object))
        if marks <= word_set("direction", "debit_marks"):
            blank = int((read & ~filled).sum())
            raise _unclear(sheet, f"{blank} amounts have no mark beside others marked debit")
    return None


def _is_named(sheet: ParsedSheet, position: int) -> bool:
    """Return whether a column is there to say charge or refund, by its heading or the profile."""
    name = normalise_heading(sheet.table.headings[position])
    return position == sheet.positions.get("debit_credit") or name in word_set(
        "direction", "headings"
    )


def _meanings(
    sheet: ParsedSheet, position: int, amounts: Amounts, read: Flags
) -> WordColumn | None:
    """Return a column's words by what they mean; none where it says something else.

    Raises:
        FileRefused: it is there to say charge or refund, and has words that are not known.
    """
    column = sheet.column_at(position)
    if (flags := _flag_column(sheet, position)) is not None:
        return flags
    is_named = _is_named(sheet, position)
    if len(column.distinct) > MOST_WORDS and not is_named:
        return None
    words = [plain_word(cells.plain_cell(text)) for text in column.values]
    used_codes = np.flatnonzero(np.bincount(column.codes[read]))
    filled = {words[i] for i in used_codes if words[i]}
    meaning = {word: said for word in filled if (said := direction_of(word))}
    strange = filled - meaning.keys()
    heading = sheet.headings[position] or f"number {position + 1}"
    if strange or not filled:
        if filled and (is_named or _is_direction(column, words, amounts, read, heading)):
            count = int(
                np.isin(column.codes, [i for i in used_codes if words[i] in strange])[read].sum()
            )
            reason = (
                f"column '{heading}' says which amounts are refunds, and {count} of its rows have "
                "a word for it that is not known. Write charge or refund there, or debit and credit"
            )
            raise FileRefused(sheet.table.file, "direction_unclear", reason)
        return None
    either = "payment" if "charge" in meaning.values() else "charge"
    meaning = {w: either if m == "payment_or_charge" else m for w, m in meaning.items()}
    meanings = np.array([meaning.get(word, "") for word in words], dtype=object)
    return WordColumn(heading, meanings[column.codes])


def _flag_column(sheet: ParsedSheet, position: int) -> WordColumn | None:
    """Return the column that marks refunds with yes or no, or with a cross; none if it is another.

    Its heading says that it marks money back, and every filled cell is yes or no.
    """
    heading = normalise_heading(sheet.headings[position])
    flags = word_set("direction", "flag_headings")
    words = set(heading.split())
    if not words & flags or words - flags - word_set("direction", "flag_filler_headings"):
        return None
    known_words, column = words_with_meaning("flags"), sheet.column_at(position)
    meanings = [known_words.get(text.strip().casefold(), "") for text in column.values]
    used_texts = [text for text in column.used if text.strip()]
    if not used_texts or any(text.strip().casefold() not in known_words for text in used_texts):
        return None
    sides = np.array(["refund" if m == "yes" else "charge" for m in meanings], dtype=object)
    return WordColumn(sheet.headings[position], sides[column.codes])


def _is_direction(
    column: cells.TextColumn, words: list[str], amounts: Amounts, read: Flags, heading: str
) -> bool:
    """Return whether a column with strange words says charge or refund all the same.

    It does if amounts have no minus, one word means money back, and half of its rows have a word
    that is known or its heading names a type.
    """
    typed = bool(set(normalise_heading(heading).split()) & word_set("direction", "type_headings"))
    meanings = np.array([direction_of(word) for word in words], dtype=object)[column.codes]
    share = (meanings[read] != "").mean()
    back = np.isin(meanings[read], ["refund", "payment", "payment_or_charge"]).any()
    unsigned = not (amounts.pence[read] < 0).any()
    return bool((share >= 0.5 or typed) and back and unsigned)


def _sides(words: WordColumn) -> Pence:
    """Return for each row 1 for a charge, -1 for money back, 0 where it is not said."""
    return np.array([DIRECTION_SIGNS[meaning] for meaning in words.meanings], dtype="int64")


def _both_sides(words: WordColumn, read: Flags) -> bool:
    """Return whether a column has words for charges and words for money back."""
    sides = _sides(words)[read]
    return bool((sides > 0).any() and (sides < 0).any())


def _by_words(sheet: ParsedSheet, amounts: Amounts, read: Flags, words: WordColumn) -> Pence:
    """Return the amounts signed by a column of words, checked against the signs that are printed.

    Raises:
        FileRefused: the words say one thing and the signs another.
    """
    pence, sides = amounts.pence, _sides(words)
    charges, backs = read & (sides > 0), read & (sides < 0)
    counts = [int((pence[side] * sign < 0).sum()) for side in (charges, backs) for sign in (1, -1)]
    charges_minus, charges_plus, backs_minus, backs_plus = counts
    sheet.decisions.append(f"charge or refund by the words in column '{words.heading}'")
    unmarked = read & (sides == 0)
    if charges_minus == 0 and backs_minus == 0:
        amounts.fault[unmarked] = AMOUNT_FAULTS.index("no_direction")
    elif (charges_minus and charges_plus) or (backs_minus and backs_plus):
        if not backs.any() and not charges_minus > charges_plus:
            return pence  # one word for every row: the signs alone say which way it goes
        reason = (
            f"column '{words.heading}' and the signs of the amounts disagree in "
            f"{min(charges_minus, charges_plus) + min(backs_minus, backs_plus)} rows. {UNCLEAR}, "
            "and leave that column out of the file"
        )
        raise FileRefused(sheet.table.file, "direction_unclear", reason)
    turned = charges_minus > 0 and not backs_minus
    signed = np.where(sides == 0, -pence if turned else pence, np.abs(pence) * sides)
    return np.where(pence == 0, 0, signed)


# Signs ------------------------------------------------------------------------------------------


def _stated(sheet: ParsedSheet, amounts: Amounts, read: Flags) -> str:
    """Return what the profile says an amount without a minus is; nothing where it does not.

    Raises:
        FileRefused: a layout that comes with cardwatch says so, and most rows say the opposite.
    """
    positive = sheet.profile.positive
    if positive == "decide":
        return ""
    minus, plus = _signs(amounts, read)
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


def _by_evidence(sheet: ParsedSheet, amounts: Amounts, read: Flags, kinds: Kinds) -> str:
    """Return whether amounts without a minus are charges or refunds, by the rows themselves.

    Raises:
        FileRefused: the evidence contradicts itself or decides nothing.
    """
    if sheet.column("amount").matches(cells.CREDIT_OR_DEBIT).any():
        _check_marks(sheet, amounts, read)
        sheet.decisions.append("charge or refund by the marks CR and DR of the amounts")
        return "charge"
    paid_minus, paid_plus = _signs(amounts, read & (kinds == "payment"))
    if paid_minus == paid_plus:
        positive, decided = _by_purchases(sheet, amounts, read & (kinds == ""))
    else:
        positive = "charge" if paid_minus > paid_plus else "refund"
        if _majority(*_signs(amounts, read & (kinds == ""))) not in {"", positive}:
            raise _unclear(sheet, "payments to the account have the same sign as most purchases")
        side = "below" if paid_minus > paid_plus else "above"
        decided = f"payments of the account are {side} zero"
    sheet.decisions.append(f"amounts without a minus are {positive}s: {decided}")
    return positive


def _by_purchases(sheet: ParsedSheet, amounts: Amounts, purchases: Flags) -> tuple[str, str]:
    """Return what an amount without a minus is by the purchases alone, and how it was decided.

    Raises:
        FileRefused: they decide nothing.
    """
    minus, plus = _signs(amounts, purchases)
    said_minus, said_plus = _signs(amounts, purchases & _described_as_refunds(sheet))
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
    raise _unclear(sheet, f"{minus} of its {minus + plus} amounts have a minus")


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
        raise _unclear(sheet, f"{are} only CR or DR, without a number")
    if (read & debits).any() and not (read & marked & ~debits).any() and bare.any():
        raise _unclear(sheet, f"{int(bare.sum())} amounts have no mark beside others marked DR")


def _marks_below(sheet: ParsedSheet, read: Flags) -> Flags:
    """Return which rows have nothing but a mark of credit or debit, right below a payment."""
    alone = sheet.column("amount").matches(MARK_ALONE)
    alone[1:] &= read[:-1]
    alone[:1] = False
    for position in range(len(sheet.headings)) if alone.any() else ():
        if position != sheet.positions["amount"]:
            alone &= ~sheet.column_at(position).matches(cells.FILLED)
    return alone


def _signs(amounts: Amounts, rows: Flags) -> tuple[int, int]:
    """The numbers of amounts below and above zero."""
    pence = amounts.pence[rows]
    return int((pence < 0).sum()), int((pence > 0).sum())


def _majority(minus: int, plus: int) -> str:
    """Return what most signs say an amount without a minus is; nothing where few more say so."""
    if minus >= MAJORITY * max(minus + plus, 1):
        return "refund"
    return "charge" if plus >= MAJORITY * (minus + plus) else ""


def _unclear(sheet: ParsedSheet, why: str) -> FileRefused:
    reason = f"it is not clear which amounts are charges and which are refunds: {why}. {UNCLEAR}"
    return FileRefused(sheet.table.file, "direction_unclear", reason)
