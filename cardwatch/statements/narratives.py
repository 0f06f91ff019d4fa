"""Tells a bank's texts, which name the merchant, from what people write a payment was for."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from cardwatch.statements.bookings import kind_by_words
from cardwatch.statements.words import plain_word, word_set

if TYPE_CHECKING:
    from collections.abc import Sequence

SAMPLE_TEXTS = 2_000
"""Number of distinct texts of a column that are examined."""
NAMED_SHARE, PURPOSE_SHARE = 0.8, 0.1
"""A column names merchants if so large a share of its distinct texts look like merchants at least,
and so large a share like a purpose at most."""
SENTENCE_WORDS = 3
"""Fewer words with small first letters may be a name."""
LEAD = re.compile(
    r"\W{0,9}(?:card|visa|debit card|contactless|pos|online|credit card|purchasing card)?\W{0,9}"
    r"(?:payment|purchase|transaction|sale)s?\s+(?:to|at|from|by)\b",
    re.IGNORECASE,
)
"""Words that a bank puts before a merchant."""
MARK = re.compile(
    r"\.(?:com|co|uk|org|net|gov|eu|io|shop|london)\b|\*|\b(?:ltd|limited|plc|llp|inc|gmbh)\b|"
    r"\b(?:gb|gbr)$|#\d|\b\d{3,}\b",
    re.IGNORECASE,
)
"""Words that banks print with a merchant and people do not write of a purpose."""
PRINTED_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")


def is_purpose(text: str) -> bool:
    """Return whether a text says what was bought or why, as a person writes it."""
    plain = LEAD.sub(" ", text, count=1)
    words = plain_word(plain).split()
    if word_set("narratives", "purpose") & set(words):
        return True
    if words and not MARK.search(plain) and set(words) <= word_set("narratives", "goods"):
        return True
    small = sum(word[0].islower() for word in PRINTED_WORD.findall(plain))
    return len(words) >= SENTENCE_WORDS and small > len(words) / 2 and not MARK.search(plain)


def is_named(text: str) -> bool:
    """Return whether a text names a merchant as a bank prints it: in capitals, or with a mark."""
    words = PRINTED_WORD.findall(text)
    long_words = [word for word in words if len(word) > 3]
    capitals = bool(words) and all(word[0].isupper() for word in long_words or words)
    return (capitals or bool(MARK.search(text))) and not is_purpose(text)


@cache
def _category_names() -> frozenset[str]:
    """Return the names of merchant categories, which are capitalised as merchants are."""
    import iso18245  # noqa: PLC0415  seldom needed

    codes = iso18245.get_all_mccs()  # some lists give the codes of one firm its own name
    texts = [text for code in codes for text in (code.iso_description, code.usda_description)]
    return frozenset(map(plain_word, filter(None, texts)))


def names_merchants(texts: Sequence[str]) -> bool:
    """Return whether distinct texts of a column name merchants, and few a purpose."""
    if not texts:
        return False
    named, purposes = sum(map(is_named, texts)), sum(map(is_purpose, texts))
    if sum(plain_word(text) in _category_names() for text in texts) > PURPOSE_SHARE * len(texts):
        return False
    return named >= NAMED_SHARE * len(texts) and purposes <= PURPOSE_SHARE * len(texts)


def purchases_alone(texts: Sequence[str]) -> list[str]:
    """Return a bank's texts without those of its own bookings, such as fees, unless all are."""
    return [text for text in texts if not kind_by_words(text)] or list(texts)


def narrative_column(texts: dict[int, list[str]]) -> int | None:
    """Return which column of a bank's texts names merchants; none where none or two do.

    Args:
        texts: the distinct filled texts of each column with such a heading, by its position.
    """
    naming = {
        position: len(distinct)
        for position, distinct in texts.items()
        if names_merchants(purchases_alone(distinct[:SAMPLE_TEXTS]))
    }
    most = max(naming.values(), default=0)
    places = [position for position, count in naming.items() if count == most]
    return places[0] if len(places) == 1 else None
