"""Headings: how they are compared, and which row of a table holds them."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

SEARCHED_ROWS = 50
"""Headings are looked for in this many first rows; published files put up to a dozen above."""


def normalise_heading(heading: str) -> str:
    r"""Return a heading in the form in which headings are compared.

    NFKC, lower case, punctuation to spaces except the pound and hash signs, white space and line
    breaks collapsed: `Transaction\nAmt. (£)` is `transaction amt £`.
    """
    text = unicodedata.normalize("NFKC", heading).casefold()
    return " ".join(re.sub(r"[^\w£#]|_", " ", text).split())


def find_heading_row(rows: Sequence[Sequence[str]], known: Iterable[str]) -> tuple[int, int]:
    """Return the index of the likeliest heading row and how many known headings it holds.

    With no known heading anywhere it is the first row with the most filled cells.

    Args:
        rows: the first rows of a table, cells as text.
        known: normalised headings of every layout.
    """
    known = frozenset(known)

    def strength(index: int) -> tuple[int, int, int]:
        cells = {normalise_heading(cell) for cell in rows[index]} - {""}
        return len(cells & known), len(cells), -index

    if not rows:
        return 0, 0
    best = max(range(min(len(rows), SEARCHED_ROWS)), key=strength)
    return best, strength(best)[0]
