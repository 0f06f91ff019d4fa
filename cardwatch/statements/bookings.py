"""Entries that a bank books under its own words, which no purchase has in its merchant."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources


@cache
def _booking_words() -> dict[str, re.Pattern[str]]:
    text = (resources.files("cardwatch.statements") / "bookings.toml").read_text(encoding="utf-8")
    words = {kind: "|".join(patterns) for kind, patterns in tomllib.loads(text).items()}
    words["any"] = "|".join(words.values())
    return {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in words.items()}


def kind_by_words(merchant: str) -> str:
    """Return payment, fee, adjustment or cash where the merchant text is the bank's own words."""
    tidy = " ".join(merchant.split())
    if not _booking_words()["any"].search(tidy):
        return ""
    return next((kind for kind, words in _booking_words().items() if words.search(tidy)), "")
