"""Signs of amounts that stand beside them: a column of plus and minus, or the amounts again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cardwatch.statements import cells
from cardwatch.statements.amounts import read_column
from cardwatch.statements.direction_words import MOST_WORDS, is_for_direction
from cardwatch.statements.money_columns import has_amount_word, is_same_money
from cardwatch.statements.words import PLUS_MINUS, plain_word, word_set
from cardwatch.tabular import normalise_heading

if TYPE_CHECKING:
    from cardwatch.statements.amounts import Amounts
    from cardwatch.statements.sheet import ParsedSheet

    Flags = np.ndarray[Any, np.dtype[np.bool_]]
    Kinds = np.ndarray[Any, np.dtype[np.object_]]
    Pence = np.ndarray[Any, np.dtype[np.int64]]

TRANSACTION_WORDS = frozenset({"transaction", "trans", "tran", "txn", "entry", "amount", "payment"})
"""Words of a heading beside one for a type, under which signs are those of the amounts."""


def _lacks_signs(amounts: Amounts, read: Flags) -> bool:
    """Return whether amounts stand in one column and none of them has a minus."""
    return not amounts.in_two_columns and bool(read.any()) and not (amounts.pence[read] < 0).any()


def with_stated_signs(
    sheet: ParsedSheet, amounts: Amounts, read: Flags
) -> tuple[int, Pence] | None:
    """Return the column that is there to say charge or refund, and amounts with its signs.

    A profile names it, or its heading; none is returned where it has words, as most have.
    """
    if not _lacks_signs(amounts, read):
        return None
    mapped = sheet.positions.get("debit_credit")
    columns = (
        [i for i in sheet.unused if is_for_direction(sheet, i)] if mapped is None else [mapped]
    )
    signed = ((position, _signed_by(sheet, position, amounts)) for position in columns)
    return next(((position, p) for position, p in signed if p is not None), None)


def with_signs(sheet: ParsedSheet, amounts: Amounts, read: Flags) -> Pence | None:
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
