"""Finds which merchants may be an organisation that a register names, with the parts of the score.

Candidates share a distinctive word. The score is the weight of the words shared; how much of both
names that is (the coverage) says whether it is enough. Two bands: strong and possible; and stated,
where a person, an alias or a company number says that the two are one.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import chain, product
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from cardwatch.registers.organisations import (
    OrganisationName,
    comparable_name,
    firm_marks,
    names_in,
    word_weight,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Rows = np.ndarray[Any, np.dtype[np.int64]]

NAME_WORD = re.compile(r"[A-Z0-9]+")
STATED, STRONG, POSSIBLE = BANDS = "stated", "strong", "possible"
"""How sure a match is, the surest first."""
SAME_LETTERS = "the same letters"
ONE_SLIP = "the same letters but for one left out or added, or two swapped"
DISTINCTIVE = 2.4
"""A word of this weight makes a candidate."""
MOST_CANDIDATES = 400
"""A word that so many merchants share makes none alone."""
STRONG_WEIGHT = 4.0
"""The least weight shared by two names that are strong, none of whose words is left over."""
POSSIBLE_WEIGHT, POSSIBLE_COVERAGE = 3.0, 0.45
"""The least weight shared, and share of both names' weight, by two that are possible."""
NEAR_WORD, NEAR_LETTERS, NEAR_PART = 88, 6, 0.8
"""Two words of six letters or more this alike (rapidfuzz ratio) count as one, at a part of its
weight; so does a last word cut short."""
SLIP_LETTERS, SLIP_END = 12, 5
"""Names of two words or more with this many letters are strong if they differ by one slip: a letter
left out or added, or two swapped. A slip leaves the first or the last five letters as they are."""
SAME_WEIGHT = 2.0
"""Names with the same letters are strong if they have two words or this weight, else possible."""


@dataclass(frozen=True)
class OrganisationMatch:
    """One merchant that may be an organisation of a register.

    Attributes:
        organisation: as the register prints it.
        merchant: the merchant's one name.
        band: stated, strong or possible.
        score: the weight of the words shared.
        coverage: the share of both names' weight that is shared.
        shared: the words shared, each with its weight.
        only_register: words that only the register's name has.
        only_merchant: words that only the merchant's name has.
        how: how it matched, in words.
    """

    organisation: str
    merchant: str
    band: str
    score: float
    coverage: float
    shared: tuple[tuple[str, float], ...]
    only_register: tuple[str, ...]
    only_merchant: tuple[str, ...]
    how: str


class OrganisationMatcher:
    """Merchants by their words, against which names of registers are held."""

    def __init__(
        self,
        merchants: Iterable[str],
        aliases: Mapping[str, str] | None = None,
        decided: Mapping[tuple[str, str], str] | None = None,
        printed: Mapping[str, str] | None = None,
    ) -> None:
        """Index the merchants by their words.

        Args:
            merchants: their one names, as `link_merchants` gives them.
            aliases: stated names for names, in canonical form.
            decided: pairs of register's name and merchant that a person has decided, in canonical
                form, with `same`, `not-the-same` or `cannot-tell`.
            printed: merchants as statements print them, where it is known.
        """
        self._names = {name: comparable_name(name) for name in dict.fromkeys(merchants)}
        for merchant, text in (printed or {}).items():
            self._names[merchant] = replace(self._names[merchant], marks=firm_marks(text))
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._by_letters: dict[str, list[str]] = defaultdict(list)
        self._by_word: dict[str, list[str]] = defaultdict(list)
        self._by_beginning: dict[str, list[str]] = defaultdict(list)
        self._by_end: dict[tuple[str, int], list[str]] = defaultdict(list)
        self._alike: dict[str, tuple[str, ...]] = {}
        for merchant, name in self._names.items():
            self._by_name[" ".join(name.words)].append(merchant)
            self._by_letters[name.letters].append(merchant)
            for word in name.words:
                self._by_word[word].append(merchant)
            for end in _ends(name.words):
                self._by_end[end, len(name.letters)].append(merchant)
        for word in self._by_word:
            self._by_beginning[word[:NEAR_LETTERS]].append(word)
        self._aliases = dict(aliases or {})
        all_names = [*self._names.values(), *map(comparable_name, self._aliases)]
        self._telling = {word[:NEAR_LETTERS] for name in all_names for word in _telling(name)}
        self._begin = {name.letters[:NEAR_LETTERS] for name in all_names if name.words}
        self._ordinary: dict[str, list[frozenset[str]]] = defaultdict(list)
        for name in all_names:
            if name.words and not _telling(name):  # known by all of its words together
                rarest = max(name.words, key=word_weight)
                self._ordinary[rarest].append(frozenset(name.words))
        self._decided = dict(decided or {})
        self._known: dict[tuple[str, tuple[str, ...]], tuple[OrganisationMatch, ...]] = {}

    def rows_to_match(self, texts: Sequence[str]) -> Rows:
        """Return the positions of the cells that `match` may find a merchant for.

        Of a large register most cells have no word of any merchant, and begin like none. All are
        looked through at once, and `match` need not be asked about the others: without stated names
        it finds nothing.
        """
        cells = pa.array(texts, pa.string())
        capitals = pc.replace_substring(pc.ascii_upper(cells), "'", "")
        separated = pc.replace_substring_regex(capitals, r"[^A-Z0-9]+", " ")
        words = pc.split_pattern(separated, " ")
        flat_words, ordinary = words.flatten(), pa.array(list(self._ordinary), pa.string())
        beginnings = pc.utf8_slice_codeunits(flat_words, 0, NEAR_LETTERS)
        is_known = pc.or_(
            pc.is_in(beginnings, pa.array(list(self._telling), pa.string())),
            pc.is_in(flat_words, ordinary),
        )
        with_word = pc.list_parent_indices(words).filter(is_known).to_numpy()
        start = pc.utf8_slice_codeunits(separated, 0, 2 * NEAR_LETTERS)  # a space to each letter
        letters = pc.utf8_slice_codeunits(pc.replace_substring(start, " ", ""), 0, NEAR_LETTERS)
        begins_alike = np.flatnonzero(pc.is_in(letters, pa.array(list(self._begin), pa.string())))
        foreign = np.flatnonzero(pc.invert(pc.string_is_ascii(cells)))
        return np.unique(np.concatenate([with_word, begins_alike, foreign]))

    def match(self, text: str, stated: Sequence[str] = ()) -> tuple[OrganisationMatch, ...]:
        """Return the merchants that may be the organisation in a cell, the surest first.

        Args:
            text: the cell: a name, or a sentence with one.
            stated: other names that are stated to be the same organisation's.
        """
        key = text, tuple(stated)
        if key in self._known:
            return self._known[key]
        if not stated and not self._may_match(text):
            return ()
        matches = self._known[key] = self._match(text, stated)
        return matches

    def _may_match(self, text: str) -> bool:
        """Return whether a text has the beginning of a merchant, or of a word that tells it.

        Most rows of a large register have none, and are not looked at further.
        """
        words = NAME_WORD.findall(text.upper().replace("'", ""))
        if not text.isascii() or not self._telling.isdisjoint([w[:NEAR_LETTERS] for w in words]):
            return True
        if "".join(words)[:NEAR_LETTERS] in self._begin:  # words joined, or split, otherwise
            return True
        if self._ordinary.keys().isdisjoint(words):
            return False
        return any(name.issubset(words) for word in words for name in self._ordinary.get(word, ()))

    def _match(self, text: str, stated: Sequence[str]) -> tuple[OrganisationMatch, ...]:
        """Return the matches of one cell."""
        by_merchant: dict[str, OrganisationMatch] = {}
        for printed in names_in(text):
            name = comparable_name(printed)
            for merchant in self._stated_as(name, stated):
                by_merchant[merchant] = self._stated_match(text, name, merchant)
            for merchant in self._candidates(name):
                match = judge(name, self._names[merchant], merchant)
                if match is not None:
                    by_merchant.setdefault(merchant, match)
        reviewed = [self._as_decided(text, match) for match in by_merchant.values()]
        matches = [match for match in reviewed if match is not None]
        return tuple(sorted(matches, key=lambda m: (BANDS.index(m.band), -m.score, m.merchant)))

    def _stated_as(self, name: OrganisationName, stated: Sequence[str]) -> Iterator[str]:
        """Give the merchants that are stated to be an organisation."""
        names = [comparable_name(other) for other in stated]
        if alias := self._aliases.get(name.name):
            names.append(comparable_name(alias))
        for other in names:
            if other.words:
                yield from self._by_name.get(" ".join(other.words), ())

    def _stated_match(self, text: str, name: OrganisationName, merchant: str) -> OrganisationMatch:
        words = name.words
        how = "an alias or company number states that the two are one"
        return OrganisationMatch(text, merchant, STATED, name.weight, 1.0, (), words, (), how)

    def _as_decided(self, text: str, match: OrganisationMatch) -> OrganisationMatch | None:
        """Return a match as a person decided it: stated, none, or as it is."""
        if not self._decided:
            return match
        names = [comparable_name(printed).name for printed in names_in(text)]
        decided = [self._decided.get((name, match.merchant), "") for name in names]
        if "not-the-same" in decided:
            return None
        if "same" in decided:
            how = "a person has confirmed that the two are one"
            return OrganisationMatch(
                match.organisation, match.merchant, STATED, match.score, match.coverage,
                match.shared, match.only_register, match.only_merchant, how,
            )  # fmt: skip
        return match

    def _candidates(self, name: OrganisationName) -> list[str]:
        """Return the merchants that share enough distinctive words with a name, or all its words.

        Most share one word and have too much else. The weight of the distinctive words shared,
        with that of all others as if they were shared too, bounds the score from above: what
        cannot reach a band is left out before it is compared.
        """
        reached: dict[str, float] = defaultdict(float)
        rest = 0.0
        for word in name.words:
            weight = word_weight(word)
            alike = self._spellings(word) if weight >= DISTINCTIVE else ()
            postings = [self._by_word[other] for other in alike]
            if weight < DISTINCTIVE or sum(map(len, postings)) > MOST_CANDIDATES:
                rest += weight
                continue
            for merchant in chain.from_iterable(postings):
                reached[merchant] += weight
        total = name.weight
        candidates = {*self._by_letters.get(name.letters, ()), *self._misspelt(name)}
        for merchant, shared in reached.items():
            score, other = shared + rest, self._names[merchant]
            # The last word of a merchant may be cut short, and then it is not left over.
            unshared = max(total + other.weight - word_weight(other.words[-1]) - 2 * score, 0.0)
            if score >= POSSIBLE_WEIGHT and 2 * score >= POSSIBLE_COVERAGE * (2 * score + unshared):
                candidates.add(merchant)
        return sorted(candidates)

    def _misspelt(self, name: OrganisationName) -> Iterator[str]:
        """Give the merchants from which a name differs by one slip."""
        count = len(name.letters)
        for end in _ends(name.words):
            for length in range(count - 1, count + 2):
                merchants = self._by_end.get((end, length), ())
                if len(merchants) <= MOST_CANDIDATES:
                    yield from (m for m in merchants if _is_slip(name, self._names[m]))

    def _spellings(self, word: str) -> tuple[str, ...]:
        """Return the merchants' words that may be spellings of a word."""
        if word not in self._alike:
            similar_words = self._by_beginning.get(word[:NEAR_LETTERS], ())
            self._alike[word] = tuple(
                other for other in similar_words if _is_near(word, other, other)
            )
        return self._alike[word]


def _telling(name: OrganisationName) -> list[str]:
    """Return the distinctive words of a name."""
    return [word for word in name.words if word_weight(word) >= DISTINCTIVE]


def _ends(words: Sequence[str]) -> tuple[str, ...]:
    """Return the first and the last letters of a name that a slip may be looked for in."""
    letters = "".join(words)
    if len(words) < 2 or len(letters) < SLIP_LETTERS - 1:
        return ()
    return letters[:SLIP_END], f"-{letters[-SLIP_END:]}"


def _is_slip(name: OrganisationName, other: OrganisationName) -> bool:
    """Return whether two names differ by one letter left out or added, or two swapped.

    A letter in place of another makes other names (Barton, Burton), and so does a figure.
    """
    a, b = name.letters, other.letters
    if min(len(a), len(b)) < SLIP_LETTERS or min(len(name.words), len(other.words)) < 2:
        return False
    if a[0] != b[0] or not (a + b).isalpha() or OSA.distance(a, b, score_cutoff=1) != 1:
        return False
    return len(a) != len(b) or sorted(a) == sorted(b)


def judge(
    register: OrganisationName, merchant: OrganisationName, merchant_id: str = ""
) -> OrganisationMatch | None:
    """Return how a register's name and a merchant's match; none if they do not.

    Args:
        register: the register's name.
        merchant: the merchant's.
        merchant_id: the merchant's one name; its own name if not given.
    """
    shared, only_register, only_merchant = _compare(register.words, merchant.words)
    score = sum(weight for _, weight in shared)
    unshared = sum(map(word_weight, (*only_register, *only_merchant)))
    coverage = 2 * score / (2 * score + unshared) if score else 0.0
    is_same = bool(register.words) and register.letters == merchant.letters
    is_spelt_as_shared = score >= STRONG_WEIGHT and not (only_register or only_merchant)
    is_slip = not is_same and not is_spelt_as_shared and _is_slip(register, merchant)
    if is_same or is_slip:
        score, coverage = max(register.weight, merchant.weight), 1.0
        only_register = only_merchant = ()
    only_register += tuple(mark for mark in register.marks if mark not in merchant.marks)
    # A word that one name alone has tells a firm from its group, holding, trade or place.
    is_whole = not (only_register or only_merchant)
    is_telling = len(register.words) > 1 or score >= SAME_WEIGHT
    if is_whole and (is_telling if is_same else is_slip or score >= STRONG_WEIGHT):
        band = STRONG
    elif is_same or is_slip or (score >= POSSIBLE_WEIGHT and coverage >= POSSIBLE_COVERAGE):
        band = POSSIBLE
    else:
        return None
    return OrganisationMatch(
        organisation=register.printed,
        merchant=merchant_id or merchant.name,
        band=band,
        score=round(score, 2),
        coverage=round(min(coverage, 1.0), 2),
        shared=tuple((word, round(weight, 2)) for word, weight in shared),
        only_register=only_register,
        only_merchant=only_merchant,
        how=SAME_LETTERS if is_same else ONE_SLIP if is_slip else "words shared",
    )


def judge_names(name: str, other: str) -> str:
    """Return the band of two names as people write them; empty if they do not match.

    Both are names of registers, so that a country or number of either counts.
    """
    bands = set()
    for a, b in product(
        map(comparable_name, names_in(name)), map(comparable_name, names_in(other))
    ):
        if match := judge(a, b):
            is_apart = match.band == STRONG and set(a.marks) != set(b.marks)
            bands.add(POSSIBLE if is_apart else match.band)
    return next((band for band in BANDS if band in bands), "")


def _compare(
    register: Sequence[str], merchant: Sequence[str]
) -> tuple[list[tuple[str, float]], tuple[str, ...], tuple[str, ...]]:
    """Return the words that two names share with their weights, and those that one alone has."""
    unmatched = list(merchant)
    shared, only_register = [], []
    for word in register:
        if word in unmatched:
            unmatched.remove(word)
            shared.append((word, word_weight(word)))
            continue
        near = next((other for other in unmatched if _is_near(word, other, merchant[-1])), None)
        if near is None:
            only_register.append(word)
        else:
            unmatched.remove(near)
            shared.append((word, NEAR_PART * min(word_weight(word), word_weight(near))))
    return shared, tuple(only_register), tuple(unmatched)


def _is_near(word: str, other: str, last: str) -> bool:
    """Return whether two words are spellings of one, or the last is cut short.

    Statements cut names to so many characters, so only their last word may be a beginning.
    """
    if word[0] != other[0]:
        return False
    if word.removesuffix("S") == other.removesuffix("S") and len(word) > 3:
        return True
    if other == last and len(other) >= 3 and word.startswith(other):
        return True
    long = min(len(word), len(other)) >= NEAR_LETTERS
    return long and fuzz.ratio(word, other) >= NEAR_WORD
