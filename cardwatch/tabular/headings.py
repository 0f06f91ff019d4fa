"""Headings: how they are compared, and which row of a table holds them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Row = TypeVar("Row", bound="Sequence[str]")

SEARCHED_ROWS = 50
"""Headings are looked for in so many first filled rows; published files put up to 12 above."""
POUND_MARKS = frozenset({"£", "gbp", "sterling", "pounds"})
"""Words that say a column is in pounds and belong to no heading."""
DATE_MARKS = frozenset({"dd", "mm", "yy", "yyyy", "hh", "ss"})
"""Words that say how a column writes its days and belong to no heading."""
AMOUNT_WORDS = POUND_MARKS | {"amount", "amt", "amnt", "price", "spend"}
"""Words that only headings of amounts have."""
SHARE_WORDS = frozenset({"percent", "percentage", "pct", "change"})
"""Words of headings of shares, which are no money whatever stands beside them."""
PERCENT_MARK = re.compile(r"%|\bper cent\b")

WELSH = frozenset({
    "dyddiad", "trafodiad", "trafodyn", "cyflenwr", "masnachwr", "gwerthwr", "disgrifiad",
    "manylion", "swm", "gwerth", "cyfanswm", "pris", "enw", "deiliad", "cerdyn", "y", "r", "adran",
    "gwasanaeth", "cyfarwyddiaeth", "taliad", "prynu", "pwrpas", "categori", "rhif", "cyfeirnod",
    "gros", "taw",
})  # fmt: skip
"""Words of Welsh headings that stand beside their English ones in statements of Wales."""
JOINED_WORDS = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")
"""Places between words that are told apart by capitals alone."""
NUMBER = re.compile(r"[£$€(+-]*\d[\d.,:/\s-]*\)?")
"""A day or an amount, which stands in a payment and in no heading."""
DAY_SHAPE = r"\d{1,4}([-/. ])(?:\d{1,2}|[A-Za-z]{3,9})\1\d{2,4}"
"""The shape of a day; its one group is the mark between its parts."""


@dataclass(frozen=True)
class Headings:
    """The headings by which tables are found.

    Attributes:
        known: normalised headings of every layout.
        needed: for each field that a table has to have, the normalised headings that hold it; the
            last is that of the amounts.
    """

    known: frozenset[str]
    needed: Sequence[frozenset[str]] = ()

    def knows(self, heading: str) -> bool:
        """Whether a normalised heading is known, or is without what belongs to no heading."""
        return heading in self.known or without_pound_mark(heading) in self.known

    def is_amount(self, heading: str) -> bool:
        """Whether a normalised heading is over a column of amounts."""
        amounts = self.needed[-1] if self.needed else frozenset()
        is_known = heading in amounts or without_pound_mark(heading) in amounts
        words = set(heading.split())
        return is_known or bool(words & AMOUNT_WORDS and not words & SHARE_WORDS)

    def is_whole(self, headings: Iterable[str]) -> bool:
        """Whether normalised headings have every required field, and there are such."""
        return bool(self.needed) and self.needs_met(headings) == len(self.needed)

    def needs_met(self, headings: Iterable[str]) -> int:
        """Count the required fields among normalised headings."""
        plain = {*headings, *map(without_pound_mark, headings)}
        return sum(bool(plain & field) for field in self.needed)


@lru_cache(1 << 14)
def normalise_heading(heading: str) -> str:
    r"""Return a heading in the form in which headings are compared.

    NFKC, lower case, punctuation to spaces except the hash and the signs of currencies, white space
    and line breaks collapsed, words parted that programs join: `Transaction\nAmt. (£)` is
    `transaction amt £`, and `transactionAmt` is `transaction amt`. A percent sign is the word.
    """
    text = JOINED_WORDS.sub(" ", unicodedata.normalize("NFKC", heading)).casefold()
    text = PERCENT_MARK.sub(" percent ", text)
    return " ".join(re.sub(r"[^\w£€$#]|_", " ", text).split())


def without_pound_mark(heading: str) -> str:
    """Return a normalised heading without what belongs to no heading.

    That is its currency, as in `amount gbp`, how it writes its days, as in `date dd mm yyyy`, and
    the Welsh beside the English: `swm amount`.
    """
    words = [word for word in heading.split() if word not in POUND_MARKS | DATE_MARKS | WELSH]
    return " ".join(words) or heading


def first_rows(rows: Iterable[Row]) -> list[Row]:
    """Return the first rows, in which headings are looked for, with the empty ones among them."""
    first: list[Row] = []
    filled = 0
    for row in rows:
        first.append(row)
        filled += any(map(str.strip, row))
        if filled == SEARCHED_ROWS:
            break
    return first


def find_heading_row(rows: Sequence[Sequence[str]], headings: Headings) -> tuple[int, int]:
    """Return the index of the likeliest heading row and how many known headings it holds.

    A word of a payment, such as the name of a shop, may be a known heading; its days and amounts
    tell the row from headings. A row with every required field comes before others, such as those
    of a summary above. With no known heading anywhere it is the first row with the most filled
    cells.

    Args:
        rows: the first rows of a table, cells as text.
        headings: what headings are looked for.
    """

    def count_known(cells: Iterable[str]) -> int:
        return sum(map(headings.knows, cells))

    def strength(index: int) -> tuple[bool, int, int, int]:
        cells = {normalise_heading(cell) for cell in rows[index]} - {""}
        values = sum(bool(NUMBER.fullmatch(cell.strip())) for cell in rows[index])
        return (
            headings.is_whole(cells) and not values,
            max(count_known(cells) - values, 0),
            len(cells),
            -index,
        )

    if not rows:
        return 0, 0
    filled = [i for i, row in enumerate(first_rows(rows)) if any(map(str.strip, row))]
    best = max(filled or [0], key=strength)
    return best, count_known({normalise_heading(cell) for cell in rows[best]} - {""})


@dataclass(frozen=True)
class HeadingRows:
    """The headings of a table and where they stand.

    Attributes:
        first, last: the rows that hold them, from 0: one, or two that are joined.
        names: the headings as printed.
        known_count: how many of them are known.
    """

    first: int
    last: int
    names: list[str]
    known_count: int


def find_headings(rows: Sequence[Sequence[str]], headings: Headings) -> HeadingRows:
    """Return the headings of a table: the likeliest row, or two of which only both name its fields.

    `Transaction, Cardholder, Merchant` over `Date, Name, Name` are `Transaction Date`, `Cardholder
    Name` and `Merchant Name`. Two rows are joined only if they then have every required field, and
    more of them than the likeliest row alone, or fewer columns with one name.

    Args:
        rows: the first rows of a table, cells as text.
        headings: what headings are looked for.
    """
    index, known_count = find_heading_row(rows, headings)
    names = list(rows[index]) if rows else []
    alone = _suitability(names, headings)
    for first in (index - 1, index):
        if not headings.needed or first < 0 or first + 1 >= len(rows):
            continue
        for joined in _joined(rows[first], rows[first + 1], headings):
            met, _ = together = _suitability(joined, headings)
            if met == len(headings.needed) and together > alone:
                return HeadingRows(first, first + 1, joined, known_count)
    return HeadingRows(index, index, names, known_count)


def _suitability(names: Sequence[str], headings: Headings) -> tuple[int, int]:
    """Return how many required fields some headings have, and how few names stand twice."""
    plain = [name for cell in names if (name := normalise_heading(cell))]
    return headings.needs_met(plain), len(set(plain)) - len(plain)


def _joined(above: Sequence[str], below: Sequence[str], headings: Headings) -> Iterable[list[str]]:
    """Give the headings of two rows read together, without and with cells merged to the right.

    A cell below that is known alone, and not with the one above it, stays alone.
    """
    if any(NUMBER.fullmatch(cell.strip()) for cell in (*above, *below)):
        return
    above = [*above, *[""] * (len(below) - len(above))]
    merged = list(above)
    for i in range(1, len(merged)):
        merged[i] = merged[i] or merged[i - 1]

    def known(text: str) -> bool:
        return headings.knows(normalise_heading(text))

    for upper in (above, merged):
        both = [f"{a} {b}".strip() for a, b in zip(upper, below, strict=False)]
        yield [b if known(b) and not known(ab) else ab for b, ab in zip(below, both, strict=False)]
