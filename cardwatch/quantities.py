"""Sums of money, and counts with their nouns in the singular or plural."""

from __future__ import annotations


def money(pence: float) -> str:
    """Format pence as pounds and pence: `£6,120.00`, `-£12.50`."""
    whole = round(pence)
    return f"{'-' if whole < 0 else ''}£{abs(whole) / 100:,.2f}"


def plural(count: float, singular: str, many: str = "") -> str:
    """Return the form of a word that goes with a count.

    Args:
        count: how many.
        singular: the word as it goes with one: `alert`, `is`, `person`.
        many: as it goes with none or several; `one` with an s where it is not given.
    """
    return singular if count == 1 else many or f"{singular}s"


def quantity(count: int, noun: str, nouns: str = "") -> str:
    """Return a count with its noun: `1 alert`, `2 alerts`, `1,204 people`.

    Args:
        count: how many.
        noun: what is counted, in the singular.
        nouns: the same in the plural, where that is not the singular with an s.
    """
    return f"{count:,} {plural(count, noun, nouns)}"
