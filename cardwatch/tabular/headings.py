"""Headings: how they are compared, and which row of a table holds them."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SEARCHED_ROWS = 50
"""Headings are looked for in this many first rows; published files put up to a dozen above."""
POUND_MARKS = frozenset({"£", "gbp", "sterling", "pounds"})
"""Words that say a column is in pounds and belong to no heading."""

NUMBER = re.compile(r"[£$€(+-]*\d[\d.,:/\s-]*\)?")
"""A day or an amount, which stands in a payment and in no heading."""


@dataclass(frozen=True)
class Headings:
    """The headings by which tables are found.

    Attributes:
        known: normalised headings of every layout.
        needed: for each field that a table has to have, the normalised headings that hold it.
    """

    known: frozenset[str]
    needed: Sequence[frozenset[str]] = ()

    def needs_met(self, headings: Iterable[str]) -> int:
        """Count the required fields among normalised headings."""
        plain = {*headings, *map(without_pound_mark, headings)}
        return sum(bool(plain & field) for field in self.needed)


def normalise_heading(heading: str) -> str:
    r"""Return a heading in the form in which headings are compared.

    NFKC, lower case, punctuation to spaces except the hash and the signs of currencies, white space
    and line breaks collapsed: `Transaction\nAmt. (£)` is `transaction amt £`.
    """
    text = unicodedata.normalize("NFKC", heading).casefold()
    return " ".join(re.sub(r"[^\w£€$#]|_", " ", text).split())


def without_pound_mark(heading: str) -> str:
    """Return a normalised heading without its currency: `amount gbp` is `amount`."""
    words = [word for word in heading.split() if word not in POUND_MARKS]
    return " ".join(words) or heading


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
    known_headings = headings.known

    def count_known(cells: Iterable[str]) -> int:
        return sum(
            cell in known_headings or without_pound_mark(cell) in known_headings for cell in cells
        )

    def strength(index: int) -> tuple[bool, int, int, int]:
        cells = {normalise_heading(cell) for cell in rows[index]} - {""}
        values = sum(bool(NUMBER.fullmatch(cell.strip())) for cell in rows[index])
        is_whole = bool(headings.needed) and headings.needs_met(cells) == len(headings.needed)
        return is_whole and not values, max(count_known(cells) - values, 0), len(cells), -index

    if not rows:
        return 0, 0
    best = max(range(min(len(rows), SEARCHED_ROWS)), key=strength)
    return best, count_known({normalise_heading(cell) for cell in rows[best]} - {""})
