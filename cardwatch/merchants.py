"""One merchant from many spellings, each step explainable; names of merchant categories."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import defaultdict
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import iso18245
import numpy as np
import pandas as pd
from rapidfuzz import fuzz, process

from cardwatch.candidates import LONGEST_NAME, CandidateIndex

if TYPE_CHECKING:
    from collections.abc import Iterable

    Flags = np.ndarray[Any, np.dtype[np.bool_]]

PROCESSORS = ("PAYPAL", "PP*", "GOOGLE*", "KLARNA", "AMAZON PAY", "AMZN PAY")
"""Payment services that stand between buyer and seller, where no policy names them: anybody may be
the seller. A star stands for the star a statement prints, without which it is a shop."""
SERVICE_NAMES = {"PP": "PAYPAL", "AMZN PAY": "AMAZON PAY"}
"""One name of a service that statements print in two ways."""
CARD_READERS = (
    r"^(?:SQ|SQUARE|SUMUP|IZ|IZETTLE|ZETTLE_?|ZTL|STRIPE|WPY|SP|DOJO|CKO|TST|EB|FS)\s*[*_]\s*"
)
"""Card readers and checkouts that put their mark before the seller's own name."""
DOMAINS = r"CO\.UK|ORG\.UK|GOV\.UK|COM|CO|NET|ORG|EU|UK|IE|EXAMPLE"
STEPS: tuple[tuple[str, str, str], ...] = (
    ("web address", r"^(?:HTTPS?:?/*)?(?:WWW[. ])+", ""),
    ("web address", rf"(?:\.(?:{DOMAINS}))+\b(?:/\S*)?", " "),
    ("order number after a star", r"\*\s*(?=[A-Z0-9]*\d)[A-Z0-9]{4,}\b.*$", " "),
    ("spaces about &", r"\s*&\s*", "&"),
    ("punctuation", r"[^A-Z0-9&' ]", " "),
    ("order number", r"\b(?=[A-Z]*\d+[A-Z])(?=(?:[A-Z]*\d){2})[A-Z0-9]{5,}\b", " "),
    ("order number", r"(?<=\S )(?:[A-Z]+\d{3,}|(?=[A-Z0-9]{6,}\b)[A-Z]+\d[A-Z]+)\b", " "),
    ("store or reference number", r"(?<=\S )#?\d{2,}(?:\s+\d+)*\b|^\d{4,}\s+", " "),
    ("repeated word", r"^(\S{4,})(?: \1)+\b", r"\1"),
    ("apostrophe", r"'", ""),
    ("legal form", r"\b(?:LIMITED|LTD|PLC|LLP|INC|LLC|GMBH|SARL|S A R L|S A)\b", " "),
    ("marketplace", r"(?<=\S )(?:MARKETPLACE|MKTPLACE|MKTPLCE|MKTPL|MKTP|ONLINE)\b", " "),
    ("country", r"(?<=\S )(?:UK|GB|EU|GBR|U K)\b", " "),
)  # fmt: skip
"""Parts removed from a name, in order: description, pattern, replacement."""
UNACCENTED = str.maketrans(
    {"Ø": "O", "ø": "o", "Ł": "L", "ł": "l", "Đ": "D", "đ": "d", "Ð": "D", "ð": "d", "Þ": "TH",
     "þ": "th", "Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "ẞ": "SS"}
)  # fmt: skip
"""Letters that have no accent to be taken off, as printers without them write them."""
COMPILED = tuple(
    (description, re.compile(pattern), instead)
    for description, pattern, instead in (("card reader", CARD_READERS, ""), *STEPS)
)
MERCHANT_FAMILIES = {"AMAZON": r"^(?:AMAZON|AMZN|AMZ)\b(?! (?:WEB|PRIME|PAY|BUSINESS PRIME))"}
"""Sellers whose names on statements share only their first word."""
LIKENESS = 92
"""Two names this alike (rapidfuzz ratio, 0 to 100) with the same first letters are one merchant."""
FREE_BLOCK, FREE_LIKENESS, END_LIKENESS, SHORTEST_START = 4, 85, 93, 5
"""For names that may be one: letters that have to agree at the start or the end, how alike the
names then have to be, and the fewest letters with which one may begin the other."""
SHORTEST_WORD, COMMON_WORD = 3, 12
"""The fewest letters of a word cut short, and of names that may be one; a word with which so many
merchants' names begin says nothing alone."""
BLOCK_LETTERS, SHORTEST_LIKE, SHORTEST_CUT = 4, 8, 14
MOST_COMPARED, COMPARED_BY_PARTS = 500, 64
"""Names with the same first letters that a name is compared with; if there are more, those that
share its rarest parts. Blocks of a hundred thousand council payments hold up to 243 names
(docs/measurements.md), so only a name that is built to be like many is compared with fewer."""
OWN_COMPARED, OWN_COMPARED_BY_PARTS = 32, 12
"""The same for one holder's names with the same first or last letters; these blocks hold up to
16."""
MOST_CACHED, LONGEST_CACHED = 16_384, LONGEST_NAME
"""Printed names whose canonical form is kept, those used last, and the longest one that is."""


@dataclass(frozen=True)
class MerchantName:
    """How a printed name became one to compare by.

    Attributes:
        raw: as printed.
        name: to compare by.
        seller_hidden: whether a payment service stands in the seller's place.
        steps: what was done, each with the name after it.
    """

    raw: str
    name: str
    seller_hidden: bool
    steps: tuple[tuple[str, str], ...]


def canonical_name(raw: str, processors: tuple[str, ...] = PROCESSORS) -> MerchantName:
    """Return the name by which a merchant is compared, and the steps that made it.

    Args:
        raw: the name as printed.
        processors: payment services that hide the seller, see `PROCESSORS`.
    """
    canonical = _cached_canonical_name if len(raw) <= LONGEST_CACHED else _canonical_name
    return canonical(raw, processors)


def _canonical_name(raw: str, processors: tuple[str, ...]) -> MerchantName:
    bare = raw if raw.isascii() else _without_accents(raw)
    name = " ".join(bare.upper().split())
    steps = [("capitals, single spaces, no accents", name)] if name != raw else []
    match = _processor_pattern(processors).match(name)
    wallet = SERVICE_NAMES.get(match[1], match[1]) if match else ""
    if match:
        name = name[match.end() :]
        steps.append((f"paid through {wallet}", name))
    for description, pattern, instead in COMPILED:
        shorter = " ".join(pattern.sub(instead, name).split())
        if shorter != name and (shorter or wallet):
            name = shorter
            steps.append((f"{description} taken out", name))
    family = next((f for f, pattern in MERCHANT_FAMILIES.items() if re.match(pattern, name)), "")
    if family and family != name:
        name = family
        steps.append((f"all names of {family}", name))
    if wallet:
        name = f"{wallet}: {name}" if name else wallet
        steps.append(("kept apart, as the seller is hidden", name))
    return MerchantName(raw, name or raw, bool(wallet), tuple(steps))


_cached_canonical_name = lru_cache(MOST_CACHED)(_canonical_name)


@lru_cache(64)  # organisations' lists of services
def _processor_pattern(processors: tuple[str, ...]) -> re.Pattern[str]:
    """Return what a name begins with if a payment service stands in the seller's place."""
    ends = {True: r"(?=\s*\*)", False: r"\b"}
    names = [re.escape(p.upper().rstrip("*")) + ends[p.endswith("*")] for p in processors]
    return re.compile(rf"({'|'.join(names)})[\s*:/-]*" if names else r"((?!))")


def _without_accents(text: str) -> str:
    parts = unicodedata.normalize("NFKD", text).translate(UNACCENTED)
    return "".join(part for part in parts if not unicodedata.combining(part))


def link_merchants(
    raw: pd.Series[str],
    dates: pd.Series[pd.Timestamp],
    aliases: dict[str, str] | None = None,
    processors: tuple[str, ...] = PROCESSORS,
) -> pd.DataFrame:
    """Return for each payment its merchant's one name, and whether the seller is hidden.

    Names are taken in the order in which they first appear. Each new one joins the earlier name
    that it is most like, or whose cut-off form it is, or else stands for itself; so a later
    payment never changes an earlier one's merchant.

    Args:
        raw: names as printed.
        dates: day of each payment, same index.
        aliases: the organisation's own names for names; compared in canonical form.
        processors: payment services that hide the seller.

    Returns:
        `merchant_id` and `is_seller_hidden`, same index.
    """
    alias_names = _own_names(aliases)
    codes, values = pd.factorize(raw)
    parts = [canonical_name(value, processors) for value in values]
    names = [part.name for part in parts]
    first = _first_days(dates, codes, len(names))
    order = sorted(range(len(names)), key=lambda i: (first[i], names[i]))
    link = _link_in_order(list(dict.fromkeys([*alias_names, *(names[i] for i in order)])))
    final_names = [alias_names.get(name, alias_names.get(link[name], link[name])) for name in names]
    hidden = np.array([part.seller_hidden for part in parts], dtype=bool)
    linked = pd.Series(final_names, dtype="str").take(codes).set_axis(raw.index)
    return pd.DataFrame({"merchant_id": linked, "is_seller_hidden": hidden[codes]}, raw.index)


def _first_days(
    dates: pd.Series[pd.Timestamp], codes: np.ndarray[Any, np.dtype[np.intp]], count: int
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the first moment of each of some groups, which codes number from 0."""
    first = np.full(count, np.iinfo("int64").max)
    np.minimum.at(first, codes, dates.to_numpy().astype("int64"))
    return first


def _own_names(aliases: dict[str, str] | None) -> dict[str, str]:
    """Return the organisation's own names for names, both in canonical form."""
    return {canonical_name(k).name: canonical_name(v).name for k, v in (aliases or {}).items()}


def _link_in_order(names: list[str]) -> dict[str, str]:
    """Return for each name the earlier name it belongs to, or itself.

    A payment service before the name is no part of the likeness: two sellers behind one service
    are alike only if their own names are.
    """
    link: dict[str, str] = {}
    blocks: dict[tuple[str, str], _Block] = defaultdict(_Block)
    for name in names:
        service, _, seller = name.rpartition(": ")
        block = blocks[service, seller[:BLOCK_LETTERS]]
        linked_seller = block.cut_form(seller) or block.like(seller)
        if linked_seller is None:
            block.add(seller)
            linked_seller = seller
        link[name] = f"{service}: {linked_seller}" if service else linked_seller
    return link


class _Block:
    """Merchants with the same first letters.

    None that is long enough for a cut-off form begins with another one: it would have been joined.
    So in the alphabet the whole form of a name is the nearest before it, and what was cut off it
    stands right behind it: no need to look at the others.
    """

    def __init__(self) -> None:
        """Start without merchants."""
        self._index = CandidateIndex(MOST_COMPARED, COMPARED_BY_PARTS)
        self._sorted: list[str] = []
        self._numbers: dict[str, int] = {}

    def add(self, name: str) -> None:
        """Add a merchant."""
        self._index.add(name, name)
        if len(name) >= SHORTEST_CUT:
            self._numbers[name] = len(self._numbers)
            self._sorted.insert(bisect_left(self._sorted, name), name)

    def cut_form(self, name: str) -> str | None:
        """Return an earlier name of which this one is a cut-off form, or the other way round."""
        if len(name) < SHORTEST_CUT:
            return None
        after = bisect_right(self._sorted, name)
        if after and name.startswith(self._sorted[after - 1]):
            return self._sorted[after - 1]
        longer = []
        for other in self._sorted[after : after + MOST_COMPARED]:
            if not other.startswith(name):
                break
            longer.append(other)
        return min(longer, key=self._numbers.__getitem__, default=None)

    def like(self, name: str) -> str | None:
        """Return the earlier name that this one is most like, if it is like enough."""
        if not SHORTEST_LIKE <= len(name) <= LONGEST_NAME:
            return None
        candidates = self._index.near(name)
        like = process.extractOne(name, candidates, scorer=fuzz.ratio, score_cutoff=LIKENESS)
        return like[0] if like and _same_figures(name, like[0]) else None


def link_aliases(
    holders: pd.Series[str], merchants: pd.Series[str], dates: pd.Series[pd.Timestamp]
) -> pd.Series[str]:
    """Return for each payment the merchant that its own may be under another name.

    Freer than `link_merchants`, and for one question only: whether payments of one holder within
    days went to one merchant. So a holder's merchants are compared with that holder's own alone, in
    the order in which they were first paid; a later payment never changes an earlier one's alias.

    Args:
        holders: who paid.
        merchants: one name each, as `link_merchants` gives them, same index.
        dates: day of each payment, same index.
    """
    buyers, people = pd.factorize(holders)
    sellers, names = pd.factorize(merchants)
    codes, distinct = pd.factorize(buyers * len(names) + sellers)
    holder_names, merchant_names = people.tolist(), names.tolist()
    pairs = [
        (holder_names[code // len(names)], merchant_names[code % len(names)])
        for code in distinct.tolist()
    ]
    first = _first_days(dates, codes, len(distinct)).tolist()
    alias: dict[tuple[str, str], str] = {}
    blocks: dict[tuple[str, str], CandidateIndex] = defaultdict(
        lambda: CandidateIndex(OWN_COMPARED, OWN_COMPARED_BY_PARTS)
    )
    by_first_word: dict[str, set[str]] = defaultdict(set)
    spelt = {name: _Spelling.of(name) for name in merchant_names}
    paid = zip(first, pairs, strict=True)
    for _, name, holder in sorted((day, name, holder) for day, (holder, name) in paid):
        spelling = spelt[name]
        by_first_word[spelling.words[0]].add(spelling.seller)
        letters = spelling.letters
        ends = letters[:SHORTEST_WORD], "." + letters[-FREE_BLOCK:]
        holder_blocks = [blocks[holder, end] for end in ends]
        candidates = dict.fromkeys(
            other for block in holder_blocks for other in block.near(letters)
        )
        like = [other for other in candidates if _may_be_one(spelling, spelt[other], by_first_word)]
        nearest = max(like, key=lambda n: fuzz.ratio(letters, spelt[n].letters), default=name)
        alias[holder, name] = alias.get((holder, nearest), name)
        for block in holder_blocks:
            block.add(name, letters)
    alias_names = pd.Series([alias[pair] for pair in pairs], dtype="str")
    return alias_names.take(codes).set_axis(holders.index)


@dataclass(frozen=True, slots=True)
class _Spelling:
    """A merchant's name as it is compared with one holder's others.

    Attributes:
        seller: without the payment service and the article before it.
        letters: its letters alone, which is what a web address keeps of it.
        words: of the seller.
    """

    seller: str
    letters: str
    words: tuple[str, ...]

    @classmethod
    def of(cls, name: str) -> _Spelling:
        """Take a name apart.

        Shopify prints its mark without a star as well: `SP OSPREY JOINERY`.
        """
        seller = name[-LONGEST_NAME:].rpartition(": ")[2].removeprefix("SP ").removeprefix("THE ")
        letters = re.sub(r"[^A-Z]", "", seller).removeprefix("THE")
        return cls(seller, letters, tuple(seller.split(" ")))


def _may_be_one(candidate: _Spelling, other: _Spelling, by_first_word: dict[str, set[str]]) -> bool:
    """Return whether two names may be one merchant's.

    One begins as the other does; or its words are the other's in order, the first one whole, the
    others perhaps cut short; or they are alike and share their first letters, or very much alike
    and share their last. One word alone is not enough where many merchants' names begin with it.

    Args:
        candidate: a name.
        other: another one.
        by_first_word: names known to begin with a word.
    """
    short, long = (
        (candidate, other) if len(candidate.letters) <= len(other.letters) else (other, candidate)
    )
    few, many = short.letters, long.letters
    if len(few) < SHORTEST_WORD or len(by_first_word.get(short.seller, ())) >= COMMON_WORD:
        return False
    if len(few) >= SHORTEST_START and many.startswith(few):
        return True
    if short.words[0] == long.words[0] and _same_words(short.words, long.words):
        return True
    begin, end = few[:FREE_BLOCK] == many[:FREE_BLOCK], few[-FREE_BLOCK:] == many[-FREE_BLOCK:]
    least = FREE_LIKENESS if begin else END_LIKENESS
    alike = (begin or end) and len(few) >= SHORTEST_LIKE
    return alike and fuzz.ratio(few, many, score_cutoff=least) >= least


def _same_words(few: tuple[str, ...], many: tuple[str, ...]) -> bool:
    """Return whether words after the first stand in order among others, perhaps cut short."""
    position, last = 1, len(many)
    for word in few[1:]:
        while position < last and not _same_word(word, many[position]):
            position += 1
        if position == last:
            return False
        position += 1
    return True


def _same_word(word: str, other: str) -> bool:
    if word == other:
        return True
    if len(word) < SHORTEST_WORD or len(other) < SHORTEST_WORD:
        return False
    return word.startswith(other) or other.startswith(word)


def _same_figures(name: str, other: str) -> bool:
    return re.findall(r"\d+", name) == re.findall(r"\d+", other)


def listed_merchants(
    names: Iterable[str], listed: tuple[str, ...], aliases: dict[str, str] | None = None
) -> Flags:
    """Return which merchants are on a list: by name, by a like spelling, or by its first words.

    Args:
        names: merchants' one names, each once, as `link_merchants` gives them.
        listed: names as printed; a payment service before the seller's name is no part of either.
        aliases: the organisation's own names for names.
    """
    whole = pd.Series(names, dtype="str")
    if not listed:
        return np.zeros(len(whole), dtype=bool)
    alias_names = _own_names(aliases)
    listed_names = [
        name for name in (canonical_name(listed_text).name for listed_text in listed) if name
    ]
    listed_names += [alias_names[name] for name in listed_names if alias_names.get(name)]
    if not listed_names:  # an empty pattern would match every merchant
        return np.zeros(len(whole), dtype=bool)
    pattern = "|".join(rf"{re.escape(name)}\b" for name in listed_names)
    sellers = whole.str.replace(r"^.*: ", "", regex=True)
    begins_listed = whole.str.match(pattern) | sellers.str.match(pattern)
    like = process.cdist(sellers, listed_names, scorer=fuzz.ratio, score_cutoff=LIKENESS).any(
        axis=1
    )
    long = (sellers.str.len() >= SHORTEST_LIKE).to_numpy(bool)
    return begins_listed.to_numpy(bool) | (long & like)


@cache
def category_name(code: str) -> str:
    """Return the name of a merchant category code (ISO 18245), or empty if it has none."""
    try:
        return str(iso18245.get_mcc(code).iso_description or "") if code else ""
    except (iso18245.MCCNotFound, ValueError):  # not a number, as in a partition from elsewhere
        return ""
