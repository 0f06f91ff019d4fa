"""Measures the matching of names in registers: precision and recall by labelled names."""

from __future__ import annotations

import itertools
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from rapidfuzz import fuzz
from sklearn.feature_extraction.text import TfidfVectorizer

from cardwatch.registers import BANDS, judge_names
from cardwatch.registers.organisations import comparable_name, names_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

TFIDF_LIKENESS = 0.7
"""Cosine likeness of character trigrams from which the rival says that two names are one."""
NOMENKLATURA_SCORE = 0.7
"""Score from which yente, the service built on it, says that two are one (`SCORE_THRESHOLD`)."""


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
    return rivals | _nomenklatura(names, pairs)


def _nomenklatura(
    names: Iterable[str], pairs: Sequence[tuple[str, str]]
) -> dict[str, Iterable[bool]]:
    """Return which pairs nomenklatura matches, by the names as printed; nothing without it.

    It is a program that compares companies of sanctions lists, and no part of any extra: its
    dependencies are as many as cardwatch's own.
    """
    try:
        from followthemoney import model  # noqa: PLC0415  a rival, if it is installed
        from nomenklatura.matching import LogicV2  # noqa: PLC0415  the same
    except ImportError:
        return {}
    companies = {}
    for number, name in enumerate(names):  # it remembers companies by their ids
        companies[name] = model.make_entity("Company")
        companies[name].id = f"company {number}"
        companies[name].add("name", name)
    config = LogicV2.default_config()
    return {
        f"nomenklatura's logic-v2, {NOMENKLATURA_SCORE} or more": [
            LogicV2.compare(companies[a], companies[b], config).score >= NOMENKLATURA_SCORE
            for a, b in pairs
        ]
    }


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
