"""Names of organisations: cut out of free text, made comparable, and weighed word by word.

How much two names share is the sum of the weights of the words that both have. A word weighs more
the rarer it is in English (Google Books by way of SymSpell; see `word_frequencies.txt`) and little
if it names a trade (the descriptions of merchant category codes), a place, or what many firms call
themselves (`common_words.txt`). Nothing is learned from the organisation's own rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from importlib import resources

import iso18245

from cardwatch.merchants import MOST_CACHED, canonical_name

FILLERS = frozenset(
    {"A", "AN", "AND", "AT", "BY", "CO", "FOR", "IN", "OF", "ON", "S", "THE", "TO", "WITH"}
)  # fmt: skip
"""Words that are no part of a comparison."""
LEGAL_FORMS = frozenset(
    {"LTD", "LIMITED", "PLC", "LLP", "LP", "CIC", "CIO", "INC", "LLC", "COMPANY", "COMPANIES"}
)
"""Words for the form of a firm, which are no part of the comparison. A holding is another firm."""
LEAD_IN = re.compile(
    r"\b(?:courtesy of|hosted by|offered by|provided by|paid (?:for )?by|given by|sponsored by"
    r"|guests? of|on behalf of|received from|from|with|by)\s+(?:the\s+)?(?=[A-Z0-9])"
)
"""Words of a sentence after which the organisation is named."""
TRADING_AS = re.compile(
    r"\b(?:t/as?|t / a|trading as|formerly(?: known as)?|aka|also known as)\b[: ]*", re.IGNORECASE
)
ENDS = re.compile(
    r"\s+[-\u2013\u2014]\s+|[,;:(\[]|\s+\d|£"
    r"|\b(?:est(?:imated)?|approx(?:imately)?|value[ds]?|worth|at|for|to|in|on"
    r"|during|following|after|before|because|declined|accepted|refused|returned|which|who|as part"
    r"|annual|lunch|dinner|ticket|tickets)\b",
    re.IGNORECASE,
)
"""Words that end an organisation's name in a sentence."""
WITH_FORM = re.compile(
    r"((?:[A-Z0-9][\w&'.+-]*\s+(?:(?:and|of|for|the|in|upon|&)\s+)?"
    r"(?:\([A-Z][\w&'. -]*\)\s+)?){1,6}"
    r"(?:Limited|Ltd|PLC|plc|LLP|Llp|LLC|Inc|CIC)\b)"
)
"""A run of capitalised words, some perhaps in brackets, that ends in a legal form."""
INITIALS = re.compile(r"\b[A-Z](?: [A-Z]\b)+")
"""Single letters after each other."""
NO_SPACE = re.compile(r"(?<=[A-Za-z])\.(?=(?:Limited|Ltd|PLC|plc|LLP|Llp|LLC|Inc|CIC)\b)")
"""A full stop with a legal form straight after it: Co.Ltd."""
FIRM_MARKS = re.compile(r"\b(?:UK|GB|\d{2,})\b")
"""Words of which merchants' names are cleaned, as statements add them to any name, and that in a
register may tell a firm from another of its group."""
COMMON_WEIGHT, TRADE_WEIGHT, UNKNOWN_WEIGHT, SHORT_WEIGHT = 0.6, 1.0, 4.5, 2.0
"""Weights of words that many firms use, of trades, of words that are in no list, and of such with
three letters at most."""
COMMONEST = 7.5
"""A word this common (decimal logarithm of its count in 10^9 words) weighs nothing."""
LONGEST = 120
"""Characters of a name that are compared; what is longer is a text and no name."""
LONGEST_SENTENCE = 400
"""Characters of a cell in which a name is looked for."""


@dataclass(frozen=True)
class OrganisationName:
    """An organisation's name made comparable.

    Attributes:
        printed: the part of the text that names it, as printed.
        name: the name by which it is compared, as merchants are.
        words: its words that count, in order.
        marks: a country or numbers of which it was cleaned (`FIRM_MARKS`).
    """

    printed: str
    name: str
    words: tuple[str, ...]
    marks: tuple[str, ...] = ()

    @cached_property
    def letters(self) -> str:
        """Its words without spaces."""
        return "".join(self.words)

    @cached_property
    def weight(self) -> float:
        """The weights of its words together."""
        return sum(map(word_weight, self.words))


@cache
def _frequencies() -> dict[str, float]:
    """Return how common each listed word is, in capitals."""
    text = _read("word_frequencies.txt")
    lines = (line.split() for line in text.splitlines() if not line.startswith("#"))
    return {word.upper(): float(common) for common, *words in lines for word in words}


@cache
def _common_words() -> frozenset[str]:
    """Return the words that many firms use."""
    lines = (line for line in _read("common_words.txt").splitlines() if not line.startswith("#"))
    return frozenset(word for line in lines for word in line.split())


@cache
def _trade_words() -> frozenset[str]:
    """Return the words by which merchant category codes describe trades (ISO 18245)."""
    codes = iso18245.get_all_mccs_in_range("0001", "2999") + iso18245.get_all_mccs_in_range(
        "4000", "9999"
    )  # from 3000 to 3999 they are names of firms
    texts = (f"{code.iso_description} {code.usda_description}".upper() for code in codes)
    words = {word for text in texts for word in re.findall(r"[A-Z]{3,}", text)}
    return frozenset(words | {word.removesuffix("S") for word in words})


def _read(name: str) -> str:
    return (resources.files("cardwatch.registers") / name).read_text(encoding="utf-8")


@lru_cache(maxsize=500_000)
def word_weight(word: str) -> float:
    """Return how much it says that two names share a word: 0 for nothing, 4.5 at most."""
    if word in FILLERS or word in LEGAL_FORMS:
        return 0.0
    if word in _common_words():
        return COMMON_WEIGHT
    if word in _trade_words() or word.removesuffix("S") in _trade_words():
        return TRADE_WEIGHT
    if len(word) == 1:
        return COMMON_WEIGHT
    common = _frequencies().get(word)
    if common is None:
        common = _frequencies().get(word.removesuffix("S"))
    if common is None:
        return SHORT_WEIGHT if len(word) <= 3 or word.isdecimal() else UNKNOWN_WEIGHT
    return min(max(COMMONEST - common, 0.0), UNKNOWN_WEIGHT - 0.5)


def comparable_name(printed: str, processors: tuple[str, ...] = ()) -> OrganisationName:
    """Return a name that stands alone made comparable.

    Args:
        printed: as printed.
        processors: payment services whose name before the seller's is no part of it.
    """
    return OrganisationName(printed, *_comparable_parts(printed[:LONGEST], processors))


@lru_cache(MOST_CACHED)  # merchants and entries are the same with each statement
def _comparable_parts(
    text: str, processors: tuple[str, ...]
) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
    """Return the name by which a name is compared, its words and its marks."""
    sold_by = text.rpartition(": ")[2]  # of a merchant's one name: PAYPAL: OSPREY
    seller = canonical_name(sold_by, processors).name.rpartition(": ")[2]
    words = words_of(seller)
    marks = tuple(mark for mark in firm_marks(sold_by) if mark not in words)
    return seller, words, marks


def firm_marks(printed: str) -> tuple[str, ...]:
    """Return the country and numbers in a name as printed, each once."""
    return tuple(dict.fromkeys(FIRM_MARKS.findall(printed.upper().replace(".", ""))))


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a canonical name that count, each once, in order.

    Of initials all count: A.B. Smith is AB Smith.
    """
    plain = name.replace("'", "").replace("&", " ")
    initials = {letter for run in INITIALS.findall(plain) for letter in run.split()}
    words = re.findall(r"[A-Z0-9]+", plain)
    uncounted = (FILLERS - initials) | LEGAL_FORMS
    return tuple(dict.fromkeys(word for word in words if word not in uncounted))


def names_in(text: str) -> tuple[str, ...]:
    """Return the names of organisations in a cell: one that stands alone, or out of a sentence.

    A name with a trading name gives both. Of a sentence the part after `from`, `with`, `by` and
    the like is taken, up to a mark or word that ends it; else a run of capitalised words with a
    legal form; else its beginning.
    """
    return _names_in(NO_SPACE.sub(". ", " ".join(text.split())[:LONGEST_SENTENCE]))


@lru_cache(MOST_CACHED)
def _names_in(plain: str) -> tuple[str, ...]:
    """Return the names of organisations in the beginning of a cell."""
    parts = [part for part in TRADING_AS.split(plain) if part.strip()]
    if len(parts) > 1:
        return tuple(dict.fromkeys(name for part in parts for name in names_in(part)))
    if match := WITH_FORM.search(plain):
        begin = max((lead.end() for lead in LEAD_IN.finditer(plain, 0, match.start(1))), default=0)
        return (match[1],) if begin <= match.start(1) else (plain[begin : match.end(1)],)
    if match := LEAD_IN.search(plain):
        return _clipped(plain[match.end() :])
    return _clipped(plain)


def _clipped(text: str) -> tuple[str, ...]:
    """Return the beginning of a text up to what ends a name; nothing if that is empty."""
    match = ENDS.search(text, 1) if text else None
    name = (text[: match.start()] if match else text).strip(" .'\"")
    return (name,) if any(map(str.isalpha, name)) else ()
