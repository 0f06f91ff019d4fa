"""A column that says in words, letters or marks which amounts are charges and which refunds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cardwatch.errors import FileRefused
from cardwatch.quantities import quantity
from cardwatch.statements import cells
from cardwatch.statements.amounts import AMOUNT_FAULTS
from cardwatch.statements.printed_signs import FEW_ROWS, UNCLEAR, unclear
from cardwatch.statements.words import (
    direction_of,
    plain_word,
    scheme_codes,
    word_set,
    words_with_meaning,
)
from cardwatch.tabular import normalise_heading

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardwatch.statements.amounts import Amounts
    from cardwatch.statements.sheet import ParsedSheet

    Flags = np.ndarray[Any, np.dtype[np.bool_]]
    Kinds = np.ndarray[Any, np.dtype[np.object_]]
    Pence = np.ndarray[Any, np.dtype[np.int64]]

MOST_WORDS = 25
"""A column that says charge or refund has no more distinct texts than this."""
CARD_HEADING_WORDS = frozenset({"card", "cards", "account", "product"})
CARD_KIND_WORDS = frozenset({"type", "kind", "class", "of", "scheme", "brand", "name", "category"})
"""Words of headings of what a card is, and not of what was done with it."""
KINDS_OF_CARDS = frozenset({"credit", "debit", "credit card", "debit card"})
"""Words that say under such a heading what the card is; `Purchase` and `Refund` do not."""
SPELT_LETTERS = 4
"""Shorter texts may be codes."""
DIRECTION_TEXT_FIELDS = ("category", "description")
"""Fields whose column may say charge or refund in every row."""
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
SIDES = frozenset({"cr", "dr", "credit", "debit"})
"""Words of a heading under which a letter says on which side of the account an amount stands."""


@dataclass(frozen=True)
class WordColumn:
    """A column that says in words which way each amount goes.

    Attributes:
        heading: its heading.
        meanings: for each row charge, refund, payment, fee, cash, adjustment or nothing.
    """

    heading: str
    meanings: Kinds


def words_beside_signs(
    sheet: ParsedSheet, signs: int, amounts: Amounts, read: Flags
) -> WordColumn | None:
    """Return another column than that of signs which has words for charges and for refunds.

    Every word is known, and some of each side are spelt out: letters may be codes of anything. A
    column with a strange word says nothing: the signs do.

    Args:
        sheet: the file.
        signs: position of the column of signs.
        amounts: with these signs.
        read: which rows are payments that have an amount.

    Raises:
        FileRefused: words and signs do not part the amounts alike.
    """
    if not sheet.profile.is_shipped:
        return None
    for position in sheet.unused:
        is_other = position != signs and not is_for_direction(sheet, position)
        words = _meanings(sheet, position, amounts, read, is_needed=False) if is_other else None
        if words is not None and _both_sides(words, read):
            texts = map(plain_word, sheet.column_at(position).kept(read).used)
            spelt = {DIRECTION_SIGNS[direction_of(w)] for w in texts if len(w) >= SPELT_LETTERS}
            if spelt >= {1, -1}:
                _check_signs(sheet, signs, amounts, read, words)
                return words
    return None


def _check_signs(
    sheet: ParsedSheet, signs: int, amounts: Amounts, read: Flags, words: WordColumn
) -> None:
    """Refuse signs beside amounts that do not part them as a column of words does.

    Raises:
        FileRefused: charges by the words have both signs, or the same as refunds.
    """
    sides, own_signs = _sides(words)[read], np.sign(amounts.pence[read])
    agree = [bool((own_signs * sides >= 0).all()), bool((own_signs * sides <= 0).all())]
    if sum(agree) != 1:
        reason = (
            f"columns '{sheet.headings[signs]}' and '{words.heading}' disagree on which amounts "
            "are refunds. Name the right one as 'debit_credit' in a column profile"
        )
        raise FileRefused(sheet.table.file, "direction_unclear", reason)


def word_column(sheet: ParsedSheet, amounts: Amounts, read: Flags) -> WordColumn | None:
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
    named_columns = [c for position, c in columns if is_for_direction(sheet, position)]
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
        is_for_marks = is_for_direction(sheet, position) or not sheet.headings[position].strip()
        check = "unnamed_credit_marks" if is_for_marks else "credit_marks"
        of_heading = normalise_heading(sheet.headings[position]).split()
        is_of_sides = position in mapped or not SIDES.isdisjoint(of_heading)
        is_credit = is_of_sides and {direction_of(mark) for mark in marks} == {"refund"}
        if is_credit or marks <= word_set("direction", check):
            return WordColumn(heading, np.where(filled, "refund", "charge").astype(object))
        if marks <= word_set("direction", "debit_marks"):
            blank = int((read & ~filled).sum())
            raise unclear(sheet, f"{blank} amounts have no mark beside others marked debit")
    return None


def is_for_direction(sheet: ParsedSheet, position: int) -> bool:
    """Return whether a column is there to say charge or refund, by its heading or the profile."""
    name = normalise_heading(sheet.table.headings[position])
    return position == sheet.positions.get("debit_credit") or name in word_set(
        "direction", "headings"
    )


def tell_kinds_of_cards(sheet: ParsedSheet, read: Flags) -> None:
    """Say that a column with debit and credit is taken for the kind of each card.

    To be called where no amount has a sign: it may say which amounts are refunds.
    """
    for position in sheet.unused:
        column, heading = sheet.column_at(position), sheet.headings[position]
        if not _is_of_cards(heading) or len(column.distinct) > MOST_WORDS:
            continue
        texts = column.kept(read).used
        sides = {DIRECTION_SIGNS[direction_of(plain_word(cells.plain_cell(t)))] for t in texts}
        if sides >= {1, -1}:
            sheet.notes.append(
                f"'{heading}' is taken for the kind of card or account. If it says which amounts "
                "are refunds, name it as 'debit_credit' in a column profile"
            )


def tell_states_of_papers(sheet: ParsedSheet, read: Flags) -> None:
    """Say that a column with sent and received is taken for the state of a receipt or invoice.

    To be called where no amount has a sign: it may say which amounts are refunds.
    """
    for position in sheet.unused:
        heading, column = sheet.headings[position], sheet.column_at(position).kept(read)
        words = {plain_word(cells.plain_cell(text)) for text in column.used} - {""}
        is_known = words == word_set("papers", "states")
        if is_known and _is_of_papers(heading, words) and not is_for_direction(sheet, position):
            sheet.notes.append(
                f"'{heading}' is taken for the state of a receipt or invoice. If it says which "
                "amounts are refunds, name it as 'debit_credit' in a column profile"
            )


def _is_of_papers(heading: str, words: Iterable[str]) -> bool:
    """Return whether words such as sent and received say where a receipt or invoice is.

    They say which way the money went only in a column of types, or in one that is there for it.
    """
    name = set(normalise_heading(heading).split())
    states = word_set("papers", "states")
    return not states.isdisjoint(words) and name.isdisjoint(word_set("direction", "type_headings"))


def _is_of_cards(heading: str) -> bool:
    """Return whether a heading says what the card is: `Card Type`, with credit and debit."""
    words = set(normalise_heading(heading).split())
    return bool(words & CARD_HEADING_WORDS) and words <= CARD_HEADING_WORDS | CARD_KIND_WORDS


def _meanings(
    sheet: ParsedSheet, position: int, amounts: Amounts, read: Flags, *, is_needed: bool = True
) -> WordColumn | None:
    """Return a column's words by what they mean; none where it says something else.

    Raises:
        FileRefused: it is there to say charge or refund, has words that are not known, and nothing
            else says it.
    """
    column = sheet.column_at(position)
    if (flags := _flag_column(sheet, position)) is not None:
        return flags
    is_named = is_for_direction(sheet, position)
    if len(column.distinct) > MOST_WORDS and not is_named:
        return None
    words = [plain_word(cells.plain_cell(text)) for text in column.values]
    used_codes = np.flatnonzero(np.bincount(column.codes[read]))
    filled = {words[i] for i in used_codes if words[i]}
    meaning = {word: direction for word in filled if (direction := direction_of(word))}
    of_codes = word_set("direction", "scheme_code_headings")
    if normalise_heading(sheet.headings[position]) in of_codes and not meaning:
        meaning = scheme_codes(filled)
    if not is_named and _is_of_papers(sheet.headings[position], meaning):
        return None
    strange = filled - meaning.keys()
    own_sides = {DIRECTION_SIGNS[meaning[word]] for word in meaning.keys() - KINDS_OF_CARDS}
    if _is_of_cards(sheet.headings[position]) and not is_named and not own_sides >= {1, -1}:
        return None
    heading = sheet.headings[position] or f"number {position + 1}"
    if strange or not filled:
        if (
            is_needed
            and filled
            and (is_named or _is_direction(column, words, amounts, read, heading))
        ):
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

    Its heading says that it marks money back, and every filled cell is yes or no; or some cells
    have the first letter of that heading, or a star, and the others nothing.
    """
    heading = normalise_heading(sheet.headings[position])
    flags = word_set("direction", "flag_headings")
    words = set(heading.split())
    if not words & flags or words - flags - word_set("direction", "flag_filler_headings"):
        return None
    known_words, column = words_with_meaning("flags"), sheet.column_at(position)
    meanings = [known_words.get(text.strip().casefold(), "") for text in column.values]
    used_texts = [text for text in column.used if text.strip()]
    own = {word[0] for word in words & flags} | (words & flags) | {"*"}
    is_marked = len(used_texts) == 1 and used_texts[0].strip().casefold() in own
    if is_marked and (column.codes != column.values.index(used_texts[0])).any():
        meanings = ["yes" if text == used_texts[0] else "" for text in column.values]
        used_texts = []
    elif not used_texts:
        return None
    if any(text.strip().casefold() not in known_words for text in used_texts):
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


def sign_by_words(sheet: ParsedSheet, amounts: Amounts, read: Flags, words: WordColumn) -> Pence:
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
    if backs[read].all() and backs.sum() >= FEW_ROWS and sheet.profile.is_shipped:
        reason = (
            f"column '{words.heading}' marks every payment as a refund, as the books of a bank do "
            "with purchases. If they are charges, leave that column out of the file; if refunds, "
            "name it as 'debit_credit' in a column profile"
        )
        raise FileRefused(sheet.table.file, "direction_unclear", reason)
    if charges_minus == 0 and backs_minus == 0:
        amounts.fault[unmarked] = AMOUNT_FAULTS.index("no_direction")
    elif (charges_minus and charges_plus) or (backs_minus and backs_plus):
        if not backs.any() and not charges_minus > charges_plus:
            return pence  # one word for every row: the signs alone say which way it goes
        count = min(charges_minus, charges_plus) + min(backs_minus, backs_plus)
        reason = (
            f"column '{words.heading}' and the signs of the amounts disagree in "
            f"{quantity(count, 'row')}. {UNCLEAR}, and leave that column out of the file"
        )
        raise FileRefused(sheet.table.file, "direction_unclear", reason)
    turned = charges_minus > 0 and not backs_minus
    signed = np.where(sides == 0, -pence if turned else pence, np.abs(pence) * sides)
    return np.where(pence == 0, 0, signed)
