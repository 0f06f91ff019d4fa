"""Words of banks and spreadsheets, kept as data: directions, statuses, placeholders, currencies."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from typing import Any

PLUS_MINUS = frozenset({"+", "-"})
MOST_LINE_CHARACTERS = 200
"""A line that heads payments or notes something is no longer."""


@cache
def _words() -> dict[str, Any]:
    text = (resources.files("cardwatch.statements") / "words.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def word_set(group: str, name: str) -> frozenset[str]:
    """Return the words of one list of `words.toml`."""
    return frozenset(_words()[group][name])


@cache
def words_with_meaning(group: str) -> dict[str, str]:
    """Return each word of a group with the name of its list; headings and marks left out."""
    lists = {
        name: words
        for name, words in _words()[group].items()
        if not name.endswith(("headings", "marks"))
    }
    return {word: name for name, words in lists.items() for word in words}


@cache
def foreign_months() -> dict[str, int]:
    """Return the names of months in other languages, each with its number."""
    months = enumerate(_words()["months"]["names"], 1)
    return {name: number for number, names in months for name in names}


def scheme_codes(codes: set[str]) -> dict[str, str]:
    """Return what codes of a card scheme mean; nothing where one is in no list of all of them."""
    lists: list[dict[str, str]] = list(_words()["scheme_codes"].values())
    return next((known for known in lists if codes <= known.keys()), {})


def direction_of(word: str) -> str:
    """Return what a plain word or text says of a direction, as `words.toml` names it; else empty.

    A longer text is known by one word in it, such as `merchandise refund`.
    """
    if meaning := words_with_meaning("direction").get(word):
        return meaning
    parts = word.split()
    backs = [part for part in parts if part in word_set("direction_parts", "refund")]
    if backs:
        taken_back = word_set("direction_parts", "unclear") & set(parts)  # `credit reversal`
        is_one = len(backs) == 1 and not (backs == ["reversal"] and taken_back)
        return "refund" if is_one else ""
    for meaning in ("payment", "fee", "adjustment"):
        if word_set("direction_parts", meaning) & set(parts):
            return meaning
    is_charge = word_set("direction_parts", "charge") & set(parts)
    return "charge" if is_charge and not word_set("direction_parts", "unclear") & set(parts) else ""


def plain_word(text: str) -> str:
    """Return a cell as words are compared: small letters, no punctuation, single spaces.

    A lone plus or minus sign stays.
    """
    if text.strip() in {"+", "-"}:
        return text.strip()
    return " ".join(re.sub(r"[^\w£]|_", " ", text.casefold()).split())


def is_period(name: str) -> bool:
    """Return whether the name of a sheet is made of months, years and numbers alone."""
    words = re.findall(r"[^\W\d_]+", name.casefold())
    return all(word in word_set("periods", "words") for word in words)
