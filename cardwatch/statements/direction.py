"""Charge or refund: decided from the file's own evidence, and stated; never guessed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cardwatch.errors import FileRefused
from cardwatch.quantities import plural, quantity
from cardwatch.statements import cells
from cardwatch.statements.amounts import FAULTLESS
from cardwatch.statements.direction_words import (
    MOST_WORDS,
    WordColumn,
    sign_by_words,
    tell_kinds_of_cards,
    tell_states_of_papers,
    word_column,
    words_beside_signs,
)
from cardwatch.statements.printed_signs import (
    FEW_ROWS,
    MAJORITY,
    REFUND_WORDS,
    count_signs,
    described_as_refunds,
    meaning_by_evidence,
    stated_meaning,
)
from cardwatch.statements.signs_beside import with_signs, with_stated_signs
from cardwatch.statements.words import direction_of, plain_word, word_set
from cardwatch.tabular import normalise_heading

if TYPE_CHECKING:
    from cardwatch.statements.amounts import Amounts
    from cardwatch.statements.sheet import ParsedSheet

    Flags = np.ndarray[Any, np.dtype[np.bool_]]
    Kinds = np.ndarray[Any, np.dtype[np.object_]]
    Pence = np.ndarray[Any, np.dtype[np.int64]]

WITH_PLUS = r"^\s*£?\s*\+|\d\s*\+\s*$"
CREDIT_AT_END = r"\w\W+CR\W*$"
MOST_CODE_CHARACTERS = 4
"""Codes of transactions have no more characters than this."""


def sign_amounts(
    sheet: ParsedSheet, amounts: Amounts, rows: Flags, kinds: Kinds
) -> tuple[Pence, Kinds]:
    """Return the amounts with charges positive and refunds negative, and the kinds of the rows.

    Evidence in this order: a column of words, which signs in another may not contradict; columns of
    their own; what a person or the layout says; marks of credit and debit; payments of the account
    and the signs of most rows.

    Args:
        sheet: the file.
        amounts: as printed. A row whose direction is not said is marked as faulty.
        rows: which rows are payments.
        kinds: what the merchant's words say a row is.

    Raises:
        FileRefused: the evidence contradicts itself or decides nothing.
    """
    read = rows & amounts.given & (amounts.fault == FAULTLESS)
    pence = None
    if stated := with_stated_signs(sheet, amounts, read):
        position, pence = stated
        words = words_beside_signs(sheet, position, replace(amounts, pence=pence), read)
    else:
        words = word_column(sheet, amounts, read)
        if words is None and "debit_credit" not in sheet.positions:
            pence = with_signs(sheet, amounts, read)
    if pence is not None:
        amounts = replace(amounts, pence=pence)
    if words:
        return _by_words(sheet, amounts, read, kinds, words)
    if amounts.in_two_columns:
        kinds = _kinds_beside(sheet, read, kinds)
        _check_sides(sheet, amounts, read, kinds)
        pence = amounts.pence
    else:
        if not (amounts.pence[read] < 0).any():
            _tell_unread(sheet, read)
        positive = stated_meaning(sheet, amounts, read) or meaning_by_evidence(
            sheet, amounts, read, kinds
        )
        pence = -amounts.pence if positive == "refund" else amounts.pence
    _tell_described(sheet, read & (kinds == "") & (pence > 0))
    return pence, kinds


def _by_words(
    sheet: ParsedSheet, amounts: Amounts, read: Flags, kinds: Kinds, words: WordColumn
) -> tuple[Pence, Kinds]:
    """Return the amounts signed by a column of words, and the kinds of the rows.

    That words make refunds of most payments is named, as they do where they mean the other side.
    """
    kinds = np.where(kinds == "", words.meanings, kinds)
    kinds[np.isin(kinds, ["charge", "refund"])] = ""
    pence = sign_by_words(sheet, amounts, read, words)
    backs, charges = count_signs(replace(amounts, pence=pence), read & (kinds == ""))
    if backs >= FEW_ROWS and backs >= MAJORITY * (backs + charges):
        sheet.notes.append(
            f"{backs} of {backs + charges} payments are refunds by the words in column "
            f"'{words.heading}'; if they are charges, leave that column out of the file"
        )
    return pence, kinds


def _tell_described(sheet: ParsedSheet, charges: Flags) -> None:
    """Say how many charges are described as refunds."""
    described = described_as_refunds(sheet)
    for position in sheet.unused:
        described |= sheet.column_at(position).matches(REFUND_WORDS)
    if count := int((described & charges).sum()):
        sheet.notes.append(
            f"{quantity(count, 'payment is', 'payments are')} described as "
            f"{plural(count, 'a refund', 'refunds')} and counted as "
            f"{plural(count, 'a charge', 'charges')}"
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
    backs, charges = count_signs(amounts, read & (kinds == ""))
    paid_backs, paid_charges = count_signs(amounts, read & (kinds == "payment"))
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


def _tell_unread(sheet: ParsedSheet, read: Flags) -> None:
    """Say which columns may tell refunds from charges, where no amount has a sign."""
    _tell_codes(sheet)
    _tell_plus(sheet, read)
    _tell_marked(sheet, read)
    tell_kinds_of_cards(sheet, read)
    tell_states_of_papers(sheet, read)


def _tell_plus(sheet: ParsedSheet, read: Flags) -> None:
    """Say that some amounts have a plus and the others no sign, as of money that comes in."""
    has_plus = sheet.column("amount").matches(WITH_PLUS) & read
    count = int(has_plus.sum())
    if count and count < read.sum():
        amounts_have = quantity(count, "amount has", "amounts have")
        sheet.notes.append(
            f"{amounts_have} a plus and the others no sign, and all are read alike. If a plus "
            "means a refund, write a minus in its place"
        )


def _tell_marked(sheet: ParsedSheet, read: Flags) -> None:
    """Say that a mark of credit stands behind some merchants, and no amount has a sign."""
    if count := int((sheet.column("merchant").matches(CREDIT_AT_END) & read).sum()):
        merchants = quantity(count, "merchant ends", "merchants end")
        sheet.notes.append(
            f"{merchants} with CR, and no amount has a sign: if these are refunds, write a minus "
            "before them"
        )


def _tell_codes(sheet: ParsedSheet) -> None:
    """Say that a column has codes or words of transactions, of which some may mean a refund."""
    codes_headings = word_set("direction", "code_headings")
    flags = word_set("direction", "flag_headings")
    for position in sheet.unused:
        heading = sheet.headings[position]
        name = normalise_heading(heading)
        is_flag = not flags.isdisjoint(name.split())
        if name not in codes_headings and not is_flag:
            continue
        texts = {text.strip() for text in sheet.column_at(position).used} - {""}
        unknown = [text for text in texts if not direction_of(plain_word(cells.plain_cell(text)))]
        is_code = all(len(text) <= MOST_CODE_CHARACTERS for text in texts)
        if all(map(cells.PLAIN.fullmatch, texts)):  # amounts, as of `Credit limit`
            continue
        if unknown and is_flag <= len(texts) <= MOST_WORDS and (is_flag or len(texts) > 1):
            sheet.notes.append(
                f"column '{heading}' has {len(texts)} {'codes' if is_code else 'words'} that are "
                "not known, and no amount has a sign: if one means a refund, add a column with "
                "charge or refund"
            )
