"""In what amounts are, by the words over their column, above the headings or of a sheet's name.

Another currency, thousands or pence are refused; amounts without VAT are noted.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cardwatch.errors import FileRefused
from cardwatch.statements.money_columns import has_amount_word
from cardwatch.statements.words import plain_word, word_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cardwatch.statements.sheet import ParsedSheet

AMOUNT_FIELDS = ("amount", "debit", "credit")
ABOUT_AMOUNTS = (
    r"\b(?:all|(?:amount|value|figure|price|sum|total|cost|payment|transaction)s?|spend)\b"
)
SAID_TO_BE = r"\b(?:are|is|shown|stated|given|expressed|reported|quoted|billed)(?: all)? in\b"
AT_ITS_END = r"(?:\W+\w+){0,3}\W*$"
ABOUT_CURRENCY = re.compile(
    rf"\b(?:currency|ccy)\b{AT_ITS_END}"
    rf"|{ABOUT_AMOUNTS}(?:\s*\(|.{{0,40}}(?:{SAID_TO_BE}|\bin\b{AT_ITS_END}))",
    re.IGNORECASE,
)
"""A text above the headings that says in which currency the amounts are, and not what is done with
payments in another."""
IN_THOUSANDS = re.compile(
    r"(?:£|GBP|\()\s?['\u2019]?000s?\b|£[km]\b"
    r"|(?:\bin\b.{0,12}|£\s?|\bGBP\s?)\b(?:thousand|million)s?\b",
    re.IGNORECASE,
)
IN_PENCE = re.compile(
    rf"{ABOUT_AMOUNTS}.{{0,40}}(?<!and )(?:\bin pence\b|\(pence\))"
    r"|^(?:\S{1,12} )?(?<!and )pence$",
    re.IGNORECASE,
)
WITHOUT_VAT = re.compile(
    r"\b(?:net|excl?|exclud\w+|exclusive|without)\b\W{0,2}(?:of )?(?:recoverable |any )?VAT\b",
    re.IGNORECASE,
)
"""Texts above the headings about the amounts: their unit, and that VAT is not in them."""
POUND_WORDS = frozenset({"gbp", "sterling", "pound", "pounds"})
CODE_LETTERS = 3
SIGNS = re.compile(r"[$\xa2\xa5\u0e3f\u20a0-\u20cf\ufdfc\uffe0\uffe5\uffe6]")
"""Signs of currencies other than the pound's."""


def foreign_currency(text: str) -> str:
    """Return the currency that a text names; empty where it names none, or the pound beside it."""
    if _names_pound(text):
        return ""
    words = plain_word(text).split()
    if sign := SIGNS.search(text):
        return sign[0]
    return next((word.upper() for word in words if word in word_set("currencies", "foreign")), "")


def check_unit(sheet: ParsedSheet, texts: Sequence[str]) -> None:
    """Refuse a file that says that its amounts are in another currency, in thousands or in pence.

    Args:
        sheet: the file.
        texts: lines above its headings or below its payments.

    Raises:
        FileRefused: one of them says so, a heading of its amounts or a sheet's name.
    """
    if sheet.table.feed:
        return
    headings = [sheet.sources[name] for name in AMOUNT_FIELDS if name in sheet.sources]
    about = [t for t in texts if ABOUT_CURRENCY.search(t) or len(t) <= CODE_LETTERS]
    _check_currency(sheet, headings, about)
    names = [part.name for part in sheet.table.parts]
    if any(map(IN_THOUSANDS.search, [*headings, *texts, *names])):
        raise _in_thousands(sheet)
    if any(map(IN_PENCE.search, texts)):
        reason = (
            "a line above or below its payments says that amounts are in pence. Head their column "
            "'Amount (pence)', or export it in pounds"
        )
        raise FileRefused(sheet.table.file, "amount_unclear", reason)
    if any(map(WITHOUT_VAT.search, texts)):
        sheet.notes.append(
            "the amounts are without VAT, as a line above or below the payments says"
        )


def check_unread_amounts(sheet: ParsedSheet) -> None:
    """Refuse a file whose only amounts, by their heading, are no amounts in pounds.

    Raises:
        FileRefused: they are in another currency, or in thousands.
    """
    headings = [heading for heading in sheet.headings if has_amount_word(heading)]
    if any(map(IN_THOUSANDS.search, headings)):
        raise _in_thousands(sheet)
    _check_currency(sheet, headings, [])


def _in_thousands(sheet: ParsedSheet) -> FileRefused:
    reason = (
        "its amounts are in thousands of pounds, as a heading, the name of a sheet or a line "
        "above or below its payments says. Export it with each amount in pounds and pence"
    )
    return FileRefused(sheet.table.file, "amount_unclear", reason)


def _check_currency(sheet: ParsedSheet, headings: list[str], lines: list[str]) -> None:
    """Refuse a file that says that its amounts are in another currency than pounds.

    Args:
        sheet: the file.
        headings: those of its amounts.
        lines: those above or below its payments that say in which currency amounts are.

    Raises:
        FileRefused: one of them does, a heading of its amounts, or a sheet's name.
    """
    if any(map(_names_pound, lines)):
        lines = []
    names = [part.name for part in sheet.table.parts]
    for place, texts in (
        ("the heading of its amounts", headings),
        ("a line above or below its payments", lines),
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
