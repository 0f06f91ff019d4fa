"""Measures the matching of registers: chance pairs by shuffling, precision by labelled names."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from rapidfuzz import fuzz
from sklearn.feature_extraction.text import TfidfVectorizer

from cardwatch.features.registered import CERTAIN_BANDS, keys_of_payments, links, register_entries
from cardwatch.registers import BANDS, judge_names
from cardwatch.registers.organisations import comparable_name, names_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cardwatch.features import Ledger

SEED, SHUFFLES = 20261129, 1_000
TFIDF_LIKENESS = 0.7
"""Cosine likeness of character trigrams from which the rival says that two names are one."""


@dataclass(frozen=True)
class NameScore:
    """How one method did on pairs of names of which is known whether they are one organisation.

    Attributes:
        method: its name with its threshold.
        true_pairs: pairs that it matched and that are one organisation.
        false_pairs: pairs that it matched and that are not.
        all_pairs: pairs that are one organisation.
    """

    method: str
    true_pairs: int
    false_pairs: int
    all_pairs: int

    @property
    def precision(self) -> float | None:
        """Share of the pairs matched that are one organisation; none without any."""
        matched = self.true_pairs + self.false_pairs
        return self.true_pairs / matched if matched else None

    @property
    def recall(self) -> float | None:
        """Share of the pairs that are one organisation that were matched; none without any."""
        return self.true_pairs / self.all_pairs if self.all_pairs else None


@dataclass(frozen=True)
class ChancePairs:
    """How many entries a register would seem to tie to payments if its people were others.

    Attributes:
        entries: entries that name a person and an organisation.
        pairs: entries whose person has paid a merchant of that name.
        by_chance: the mean number of such entries when people are shuffled.
        per_hundred: the same for each 100 entries.
    """

    kind: str
    entries: int
    pairs: int
    by_chance: float
    per_hundred: float


def measure_names(names: Mapping[str, frozenset[str]]) -> list[NameScore]:
    """Return how the matcher's bands and some rivals do on every pair of some names.

    Args:
        names: names as people write them, each with the numbers of the organisations it is of.
    """
    pairs = list(itertools.combinations(sorted(names), 2))
    truth = np.array([bool(names[a] & names[b]) for a, b in pairs], dtype=bool)
    bands = [judge_names(a, b) for a, b in pairs]
    methods: dict[str, Iterable[bool]] = {
        f"this matcher, {' or '.join(BANDS[1 : 2 + n])}": [
            band in BANDS[1 : 2 + n] for band in bands
        ]
        for n in range(2)
    }
    methods |= _rivals(names, pairs)
    scores = []
    for method, matched in methods.items():
        flags = np.array(list(matched), dtype=bool)
        true, false = int((flags & truth).sum()), int((flags & ~truth).sum())
        scores.append(NameScore(method, true, false, int(truth.sum())))
    return scores


def _rivals(
    names: Mapping[str, frozenset[str]], pairs: Sequence[tuple[str, str]]
) -> dict[str, Iterable[bool]]:
    """Return which pairs simpler methods match, on the same cleaned names."""
    plain = {name: comparable_name((*names_in(name), name)[0]).name for name in names}
    scorers: dict[str, tuple[Callable[..., float], int]] = {
        "plain ratio, 92 or more": (fuzz.ratio, 92),
        "plain ratio, 85 or more": (fuzz.ratio, 85),
        "token-set ratio, 90 or more": (fuzz.token_set_ratio, 90),
    }
    rivals: dict[str, Iterable[bool]] = {
        method: [scorer(plain[a], plain[b]) >= least for a, b in pairs]
        for method, (scorer, least) in scorers.items()
    }
    order = {name: n for n, name in enumerate(plain)}
    vectors = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 3)).fit_transform(plain.values())
    likeness = (vectors @ vectors.T).toarray()
    rivals[f"character tf-idf, {TFIDF_LIKENESS} or more"] = [
        likeness[order[a], order[b]] >= TFIDF_LIKENESS for a, b in pairs
    ]
    return rivals


def labelled_names(rows: Iterable[Mapping[str, str]]) -> dict[str, frozenset[str]]:
    """Return the names of a table, each with the company numbers that stand beside it.

    Args:
        rows: with `name` and `number`; a name without a number is left out.
    """
    numbers: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row["name"].strip() and row["number"].strip():
            numbers[row["name"].strip()].add(row["number"].strip().upper().zfill(8))
    return {name: frozenset(company_numbers) for name, company_numbers in numbers.items()}


def chance_pairs(ledger: Ledger, kind: str, shuffles: int = SHUFFLES) -> ChancePairs:
    """Return how many entries of a register tie to payments, and how many would by chance.

    The people of the register are given the cards of others, each shuffle anew (a permutation test
    under the hypothesis that who declared what has nothing to do with who paid whom).
    """
    entries = register_entries(ledger, kind)
    linked = links(ledger, kind)[0]
    linked = linked[linked["band"].isin(CERTAIN_BANDS)].merge(
        entries[["entry", "person_key"]], on="entry"
    )
    linked = linked[linked["person_key"] != ""]
    payments = keys_of_payments(ledger)
    holders = sorted(set(payments["holder_key"]))
    paid_pairs = set(zip(payments["holder_key"], payments["merchant_code"], strict=True))
    people = sorted(set(entries["person_key"]) - {""})
    rng, counts = np.random.default_rng(SEED), []
    rows = list(zip(linked["entry"], linked["person_key"], linked["merchant_code"], strict=True))
    for _ in range(shuffles if rows and holders else 0):
        order = rng.permutation(max(len(holders), len(people))) % len(holders)
        holder_of = dict(zip(people, (holders[n] for n in order), strict=False))
        counts.append(_tied(rows, holder_of, paid_pairs))
    by_chance = float(np.mean(counts)) if counts else 0.0
    total = int((entries["person_key"] != "").sum())
    return ChancePairs(
        kind=kind,
        entries=total,
        pairs=_tied(rows, {person: person for person in people}, paid_pairs),
        by_chance=round(by_chance, 3),
        per_hundred=round(100 * by_chance / total, 3) if total else 0.0,
    )


def _tied(
    rows: Sequence[tuple[Any, str, Any]], holder_of: Mapping[str, str], paid: set[tuple[str, Any]]
) -> int:
    """Return the number of entries whose person, as given, has paid a merchant of the name."""
    return len({entry for entry, person, code in rows if (holder_of[person], code) in paid})
