"""Currencies other than the pound: named over a column, above the headings or by a sheet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cardwatch.errors import FileRefused
from cardwatch.statements.words import plain_word, word_set

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardwatch.statements.sheet import ParsedSheet

AMOUNT_FIELDS = ("amount", "debit", "credit")
ABOUT_CURRENCY = re.compile(
    r"\b(?:currency|ccy)\b|\b(?:amounts?|values?)\b(?:.{0,40}\bin\b|\s*\()", re.IGNORECASE
)
"""A text above the headings that says in which currency the amounts are."""
POUND_WORDS = frozenset({"gbp", "sterling", "pound", "pounds"})
CODE_LETTERS = 3
SIGNS = re.compile(r"[€$¥]")


def foreign_currency(text: str) -> str:
    """Return the currency that a text names; empty where it names none, or the pound beside it."""
    if _names_pound(text):
        return ""
    words = plain_word(text).split()
    if sign := SIGNS.search(text):
        return sign[0]
    return next((word.upper() for word in words if word in word_set("currencies", "foreign")), "")


def check_currency(sheet: ParsedSheet) -> None:
    """Refuse a file that says that its amounts are in another currency than pounds.

    Raises:
        FileRefused: a heading of its amounts says so, a text above its headings, or a sheet's name.
    """
    if sheet.table.feed:
        return
    headings = [sheet.sources[name] for name in AMOUNT_FIELDS if name in sheet.sources]
    above = [" ".join(row) for part in sheet.table.parts for row in part.above]
    above = [text for text in above if ABOUT_CURRENCY.search(text)]
    if any(map(_names_pound, above)):
        above = []
    names = [part.name for part in sheet.table.parts]
    for place, texts in (
        ("the heading of its amounts", headings),
        ("a text above its headings", above),
        ("the name of a sheet", names),
    ):
        if currency := _first_currency(texts):
            reason = (
                f"its amounts are not all in pounds: {place} names {currency}. Export it with the "
                "billed amounts in pounds"
            )
            raise FileRefused(sheet.table.file, "not_in_pounds", reason)


def _names_pound(text: str) -> bool:
    return "£" in text or bool(POUND_WORDS & set(plain_word(text).split()))


def _first_currency(texts: Iterable[str]) -> str:
    return next(filter(None, map(foreign_currency, texts)), "")


def currency_column(sheet: ParsedSheet) -> int | None:
    """Return the first column without a known heading whose filled cells are all currency codes."""
    names = ("foreign", "foreign_codes", "pound")
    codes = frozenset().union(*(word_set("currencies", name) for name in names))

    def is_code(word: str) -> bool:
        return len(word) == CODE_LETTERS and word in codes

    for position in sheet.unused:
        words = filter(None, map(plain_word, sheet.column_at(position).used))
        if is_code(next(words, "")) and all(map(is_code, words)):
            return position
    return None
