"""Precision of rules: the share of alerts upheld by decisions, used for order once known.

Nothing is trained. What is shown of a rule is its own share and the exact interval of it. What the
list is ordered by begins with what is known of purchase cards before any answer (13 in 100, US DoD
2003: docs/detection.md), which counts as seven answers.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardwatch.rarity import exact_interval
from cardwatch.vocabulary import UPHELD

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardwatch.casebook.alert_rows import Answered

PRIOR_UPHELD, PRIOR_OTHERS = 1.0, 6.0
"""Beta(1, 6): the DoD's 13.4 in 100 that needed looking into (docs/detection.md, section 6.6)."""
FEWEST_ANSWERS = 20
"""Below so many answers a rule's precision is shown but orders nothing."""
RARITY_BANDS = ((1e-4, "1 in 10,000 or rarer"), (1e-3, "1 in 1,000 or rarer"), (1.0, "more usual"))
PRIOR_SHARE = PRIOR_UPHELD / (PRIOR_UPHELD + PRIOR_OTHERS)
"""The assumed precision of a rule with few outcomes: evidence alone orders."""


@dataclass(frozen=True)
class Precision:
    """How often one rule's alerts in one band of evidence were upheld.

    Attributes:
        answered: alerts a person has explained or upheld; data errors are no answers.
        upheld: those of them outside policy or confirmed.
        share: upheld as a share of answered.
        low, high: its exact 95 % interval.
        expected: the share expected of the next, which begins at the prior; it orders the list.
        orders: whether there are enough answers for it to order alerts.
    """

    rule: str
    band: str
    answered: int
    upheld: int
    share: float
    low: float
    high: float
    expected: float
    orders: bool


def band_of(chance: float) -> str:
    """Return the band of evidence in which an alert's chance lies."""
    return next(name for limit, name in RARITY_BANDS if chance <= limit)


def precision_by_rule(answers: Iterable[Answered]) -> list[Precision]:
    """Return the precision of every rule and band that has been answered, by rule and band.

    Args:
        answers: how many alerts that a person has answered are of a `rule`, `band` and `state`.
    """
    answered: Counter[tuple[str, str]] = Counter()
    upheld: Counter[tuple[str, str]] = Counter()
    for row in answers:
        answered[row["rule"], row["band"]] += row["count"]
        upheld[row["rule"], row["band"]] += row["count"] * (row["state"] in UPHELD)
    return [
        _precision(rule, band, count, upheld[rule, band])
        for (rule, band), count in sorted(answered.items())
    ]


def _precision(rule: str, band: str, answered: int, upheld: int) -> Precision:
    """The precision of one rule in one band, with at least one answer."""
    low, high = (round(limit, 4) for limit in exact_interval(upheld, answered))
    expected = (PRIOR_UPHELD + upheld) / (PRIOR_UPHELD + PRIOR_OTHERS + answered)
    return Precision(
        rule=rule,
        band=band,
        answered=answered,
        upheld=upheld,
        share=round(upheld / answered, 4),
        low=low,
        high=high,
        expected=round(expected, 4),
        orders=answered >= FEWEST_ANSWERS,
    )
