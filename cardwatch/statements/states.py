"""Which rows are not booked: pending, declined, reversed or void."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from cardwatch.errors import FileRefused
from cardwatch.quantities import plural, quantity
from cardwatch.statements import cells
from cardwatch.statements.words import (
    MOST_LINE_CHARACTERS,
    plain_word,
    word_set,
    words_with_meaning,
)
from cardwatch.tabular import normalise_heading

if TYPE_CHECKING:
    from collections.abc import Collection

    from cardwatch.statements.cells import TextColumn
    from cardwatch.statements.sheet import ParsedSheet

    Flags = np.ndarray[Any, np.dtype[np.bool_]]
    Pence = np.ndarray[Any, np.dtype[np.int64]]

MOST_STATUS_WORDS = 40
MOST_INITIALS = 3
MOST_STATE_WORDS = 12
"""A line with more words of its own than this is a sentence and no heading."""
CARD_WORDS = frozenset({"card", "cards"})
OF_PAYMENTS = frozenset(
    {"transaction", "transactions", "payments", "purchases", "items", "activity"}
)
"""Words of a heading that say whether a state is that of a card or of its payments."""


def not_booked(sheet: ParsedSheet) -> Flags:
    """Return for every row whether it is pending, declined, reversed or void.

    A column says so by its heading, or by its words if all of them are states and one means that a
    payment is not booked; or by yes and no under a heading such as `Posted`; or the day of booking
    has such a word in its place.

    Raises:
        FileRefused: a column of states has words that are not known beside one that means this.
    """
    apart = sheet.column("posting_date").each(lambda text: _is_unbooked(plain_word(text)), "bool")
    for position in sheet.unused:
        apart |= _by_column(sheet, position)
    for name, rows in sheet.parts():
        if heads_unbooked(name):
            apart[rows] = True
            sheet.decisions.append(f"no row of sheet '{name}' is posted, as its name says")
    return apart


@cache
def _heading_states() -> tuple[frozenset[str], frozenset[str], frozenset[str]]:
    """Return words beside a state in a heading, the states themselves, and those of cards."""
    return (
        word_set("status", "headed") | word_set("periods", "words"),
        word_set("status", "not_booked") - word_set("status", "approved"),
        word_set("status", "of_cards"),
    )


def heads_unbooked(text: str) -> bool:
    """Return whether a line or the name of a sheet, beside its period, heads unbooked payments.

    `Authorised` does not: as a heading it says that somebody approved them. Several states may
    stand together: `Authorisations awaiting settlement`, `Pending and declined`. `Cancelled cards`
    are cards, whose payments were posted.
    """
    if len(text) > MOST_LINE_CHARACTERS:
        return False
    every = plain_word(text).split()
    beside, heads, of_cards = _heading_states()
    words = [w for w in every if w not in beside and not w.isdigit()]
    is_of_cards = CARD_WORDS & set(every) and not OF_PAYMENTS & set(every) and of_cards & set(words)
    if len(words) > MOST_STATE_WORDS or is_of_cards:
        return False
    return any(
        (not i or " ".join(words[:i]) in heads) and " ".join(words[i:]) in heads
        for i in range(len(words))
    )


def tell_described(sheet: ParsedSheet, rows: Flags) -> None:
    """Say how many payments are counted that begin their description with declined or reversed.

    Args:
        sheet: the file.
        rows: which rows are payments.
    """
    first_words = word_set("status", "not_booked_first")
    anywhere = re.compile("|".join(sorted(first_words)), re.IGNORECASE)  # most texts have none
    places = [sheet.positions["description"]] if "description" in sheet.positions else []
    for position in [*sheet.unused, *places]:
        is_unbooked = sheet.column_at(position).each(
            lambda text: (
                anywhere.search(text) is not None
                and plain_word(text).partition(" ")[0] in first_words
            ),
            "bool",
        )
        if count := int((is_unbooked & rows).sum()):
            payments = quantity(count, "payment is", "payments are")
            heading = sheet.headings[position]
            sheet.notes.append(f"{payments} counted, though '{heading}' says declined or reversed")


def tell_paid_otherwise(sheet: ParsedSheet, rows: Flags) -> None:
    """Say how many expenses are counted that no card paid, by a column of how they were paid.

    Args:
        sheet: the file.
        rows: which rows are payments.
    """
    otherwise, yes = word_set("status", "paid_otherwise"), word_set("flags", "yes")
    for position in sheet.unused:
        column, heading = sheet.column_at(position), sheet.headings[position]
        name = normalise_heading(heading)
        known = otherwise if name in word_set("status", "payment_headings") else frozenset()
        known = yes if name in word_set("status", "reimbursable_headings") else known
        if not known or len(column.distinct) > MOST_STATUS_WORDS:
            continue
        words = [cells.plain_cell(text) for text in column.values]
        is_other = np.isin(column.codes, [i for i, word in enumerate(words) if _says(word, known)])
        if count := int((is_other & rows).sum()):
            expenses = quantity(count, "expense is", "expenses are")
            sheet.notes.append(
                f"{expenses} counted that no card of yours paid, as '{heading}' says: take them out"
            )


def _says(text: str, known_words: frozenset[str]) -> bool:
    """Return whether a text is of known words alone: `Cash`, `Cash (out of pocket)`."""
    parts = [word for part in re.split(r"[()/,;-]", text) if (word := plain_word(part))]
    return plain_word(text) in known_words or (
        bool(parts) and all(part in known_words for part in parts)
    )


def check_paid_by_bank(sheet: ParsedSheet, rows: Flags, pence: Pence) -> None:
    """Refuse a list of all payments, of which a column says that a bank and no card made some.

    Amounts of the other sign than most are none of them: a direct debit settles the card account.

    Args:
        sheet: the file.
        rows: which rows are payments.
        pence: the amount of each row, as printed.

    Raises:
        FileRefused: there are such payments.
    """
    by_bank, headings = word_set("status", "paid_by_bank"), word_set("status", "payment_headings")
    signs = np.sign(pence)
    charges = rows & (signs * np.sign(signs[rows].sum()) >= 0)
    for position in sheet.unused:
        column, heading = sheet.column_at(position), sheet.headings[position]
        name = normalise_heading(heading)
        if name not in headings or len(column.distinct) > MOST_STATUS_WORDS:
            continue
        is_of_people = "by" in name.split()  # `Paid by`: DD and SO may be somebody's initials
        transfer_words = {word for word in by_bank if len(word) > MOST_INITIALS or not is_of_people}
        words = [plain_word(cells.plain_cell(text)) for text in column.values]
        is_other = np.isin(
            column.codes, [i for i, word in enumerate(words) if word in transfer_words]
        )
        if count := int((is_other & charges).sum()):
            reason = (
                f"{count} of {quantity(int(rows.sum()), 'payment')} "
                f"{plural(count, 'was', 'were')} made by BACS, cheque or another transfer and by "
                f"no card, as '{heading}' says. Take these out, or export the card payments alone"
            )
            raise FileRefused(sheet.table.file, "account_entries", reason)


def _is_unbooked(word: str) -> bool:
    """Return whether a plain text means that a payment is not booked.

    It is known whole, by its first word, or by its last where the others are those of a payment:
    `Authorisation failed`, and not `Policy check failed`.
    """
    *others, last = word.split() or [""]
    first = others[0] if others else last
    if word in word_set("status", "not_booked") or first in word_set("status", "not_booked_first"):
        return True
    of_payment = set(others) <= word_set("status", "of_payments")
    return bool(others) and of_payment and last in word_set("status", "not_booked_last")


def _is_booked(word: str, own_words: Collection[str]) -> bool:
    """Return whether a plain text means that a payment is booked, perhaps by whom.

    Args:
        word: the text.
        own_words: further such words, of a profile.
    """
    booked = word_set("status", "booked")
    return word in booked or word in own_words or word.partition(" by ")[0] in booked


def _by_column(sheet: ParsedSheet, position: int) -> Flags:
    """Return the rows that one column says are not booked.

    Raises:
        FileRefused: it is a column of states and has words that are not known.
    """
    column, heading = sheet.column_at(position), sheet.headings[position]
    none = np.zeros(len(sheet.table.rows), dtype=bool)
    if (flags := _flags(column, heading)) is not None:
        sheet.decisions.append(f"posted or not by yes and no in column '{heading}'")
        return flags
    is_status_column = normalise_heading(heading) in word_set("status", "headings")
    if len(column.distinct) > MOST_STATUS_WORDS and not is_status_column:
        return none
    column_words = {plain_word(cells.plain_cell(text)) for text in column.used} - {""}
    unbooked = set(filter(_is_unbooked, column_words))
    own_words = set(map(plain_word, sheet.profile.booked))
    strange = {w for w in column_words - unbooked if not _is_booked(w, own_words)}
    if strange and not unbooked and is_status_column and column_words - strange:
        words = quantity(len(strange), "word that is", "words that are")
        sheet.notes.append(f"column '{heading}' has {words} not known, and counted as posted")
    if not unbooked or (strange and not is_status_column):
        return none
    if strange:
        reason = (
            f"column '{heading}' states which payments are posted, with "
            f"{quantity(len(strange), 'word that is', 'words that are')} not known. Write those "
            'that mean booked in a column profile: booked = ["..."]'
        )
        raise FileRefused(sheet.table.file, "status_unclear", reason)
    apart = column.each(lambda text: _is_unbooked(plain_word(cells.plain_cell(text))), "bool")
    if set(normalise_heading(heading).split()) & word_set("status", "other_headings"):
        count = int(apart.sum())
        rows = quantity(count, "row that is", "rows that are")
        sheet.notes.append(
            f"column '{heading}' does not state what is posted, so the {rows} not approved or "
            f"complete by it {plural(count, 'is', 'are')} counted"
        )
        return none
    sheet.decisions.append(f"posted or not by the words in column '{heading}'")
    return apart


def _flags(column: TextColumn, heading: str) -> Flags | None:
    """Return the rows that yes or no in a column says are not booked; none if it is another column.

    A column of crosses alone leaves empty what is not marked.
    """
    words = set(normalise_heading(heading).split())
    booked = words & word_set("status", "booked_flag_headings")
    unbooked = words & word_set("status", "not_booked_flag_headings")
    rest = words - booked - unbooked - word_set("status", "flag_filler_headings")
    if bool(booked) == bool(unbooked) or rest:
        return None
    meanings = words_with_meaning("flags")
    flags = {meanings.get(text.strip().casefold(), "") for text in column.used if text.strip()}
    if not flags or "" in flags:
        return None
    flag = column.each(lambda text: meanings.get(text.strip().casefold(), ""), "object")
    if unbooked:
        return flag == "yes"
    return flag == "no" if "no" in flags else flag == ""
