"""Guesses which heading holds which field, by the heading or by what stands under it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardwatch.statements.cells import TextColumn, read_pence
from cardwatch.statements.dates import read_date
from cardwatch.statements.profiles import closest_profile, missing_fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardwatch.statements.profiles import Profile
    from cardwatch.tabular import Table

BY_HEADING, BY_CONTENT = "by heading", "by content"
SAMPLE_VALUES = 1_000
"""Distinct cells of a column that are looked at."""
CLEAR_SHARE = 0.9
"""A column is of a kind if at least this share of its filled cells are."""
PENCE_SHARE = 0.5
"""A column of numbers is one of money if this share of its cells show pence or a pound sign."""
REPEATED_SHARE = 0.5
"""A column names people only if its distinct cells are at most this share of the rows."""
PENCE_SHOWN = re.compile(r"[.,]\d{2}\D*$|£")
CARD = re.compile(r"(?=.*[xX*•#]{2}|\d{13,19}$)[\dxX*•# -]*\d{4}")
STAFF_NUMBER = re.compile(r"[A-Za-z]{1,3}[-/ ]?\d{1,8}|\d{4,8}")
PERSON = re.compile(r"[^\W\d_]+(?:[ ,.'-]+[^\W\d_]+){1,3}\.?")
WORDED = re.compile(r"[^\W\d_]{3}")


@dataclass(frozen=True)
class Guess:
    """The heading that a field may have, and the reason: by heading or by content."""

    heading: str
    reason: str


def guess_fields(
    table: Table, headings: Sequence[str], profiles: Sequence[Profile]
) -> dict[str, Guess]:
    """Return a guess of the heading of each field for which there is one.

    Headings that a profile knows come first. For date, amount, holder and merchant the cells of the
    other columns are looked at.

    Args:
        table: the file.
        headings: of the file, each distinct.
        profiles: the layouts that come with cardwatch.
    """
    mapping = closest_profile(headings, profiles).map(headings)
    guesses = {field: Guess(headings[place], BY_HEADING) for field, place in mapping.items()}
    free = {
        place: _Content.of(table, place)
        for place, heading in enumerate(headings)
        if heading.strip() and place not in mapping.values()
    }
    for need in missing_fields(mapping):
        for field, place in _by_content(need, free):
            guesses[field] = Guess(headings[place], BY_CONTENT)
            del free[place]
    return guesses


@dataclass(frozen=True)
class _Content:
    """The distinct filled cells of a column, and how many rows there are."""

    texts: list[str]
    rows: int

    @classmethod
    def of(cls, table: Table, place: int) -> _Content:
        column = TextColumn.of(table.cells[str(place)])
        filled = [text.strip() for text in column.used if text.strip()]
        return cls(filled[:SAMPLE_VALUES], len(table.rows))

    def share(self, pattern: re.Pattern[str], *, whole: bool = True) -> float:
        """Return the share of cells that a pattern matches."""
        matches = pattern.fullmatch if whole else pattern.search
        return sum(bool(matches(text)) for text in self.texts) / max(len(self.texts), 1)

    @property
    def is_repeated(self) -> bool:
        """Whether few distinct cells stand in many rows, as cardholders do."""
        return 0 < len(self.texts) <= REPEATED_SHARE * self.rows

    @property
    def is_date(self) -> bool:
        days = sum(
            any(read_date(text, order, serial=False) for order in ("day-first", "month-first"))
            for text in self.texts
        )
        return days >= CLEAR_SHARE * max(len(self.texts), 1)

    @property
    def is_amount(self) -> bool:
        amounts = sum(any(read_pence(text, mark) is not None for mark in ".,")
                      for text in self.texts)  # fmt: skip
        shown = self.share(PENCE_SHOWN, whole=False)
        return amounts >= CLEAR_SHARE * max(len(self.texts), 1) and shown >= PENCE_SHARE


def _by_content(need: str, free: dict[int, _Content]) -> list[tuple[str, int]]:
    """Return the field and column that a need may be served by; empty where nothing shows it."""
    if need == "date":
        places = [place for place, content in free.items() if content.is_date]
        return [("date", places[0])] if places else []
    if need == "amount":
        places = [place for place, content in free.items() if content.is_amount]
        return [("amount", places[0])] if len(places) == 1 else []
    if need == "holder":
        return _holder_by_content(free)
    worded = {
        place: len(content.texts)
        for place, content in free.items()
        if content.share(WORDED, whole=False) >= CLEAR_SHARE
        and content.share(STAFF_NUMBER) < CLEAR_SHARE
        and not content.is_date
    }
    most = max(worded.values(), default=0)
    places = [place for place, count in worded.items() if count == most]
    return [("merchant", places[0])] if len(places) == 1 else []


def _holder_by_content(free: dict[int, _Content]) -> list[tuple[str, int]]:
    """Return the column of cards, staff numbers or names, if one alone looks like that."""
    kinds = {"card_number": CARD, "employee_id": STAFF_NUMBER, "cardholder": PERSON}
    for field, pattern in kinds.items():
        places = [
            place
            for place, content in free.items()
            if content.is_repeated
            and content.share(pattern) >= CLEAR_SHARE
            and not content.is_amount
            and not content.is_date
        ]
        if len(places) == 1:
            return [(field, places[0])]
    return []
