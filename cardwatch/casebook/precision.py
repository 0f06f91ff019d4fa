"""Precision of rules: the share of alerts upheld by decisions, which can be put in force as order.

Nothing is trained, and nothing changes the order by itself. What is shown of a rule is its own
share and the exact interval of it. The share by which alerts can be ordered begins with what is
known of purchase cards before any answer (13 in 100, US DoD 2003: docs/detection.md), which counts
as seven answers. It orders from the day on which two people have put it in force.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardwatch.rarity import exact_interval
from cardwatch.vocabulary import UPHELD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from cardwatch.casebook.alert_rows import Answered, AnsweredAlert

PRIOR_UPHELD, PRIOR_OTHERS = 1.0, 6.0
"""Beta(1, 6): the DoD's 13.4 in 100 that needed looking into (docs/detection.md, section 6.6)."""
FEWEST_ANSWERS = 20
"""Below so many answers a rule's precision is shown but orders nothing."""
RATE_STEPS, FEWEST_TESTED = 20, 10
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
        expected: the share expected of the next, which begins at the prior.
        orders: whether there are enough answers for it to order alerts, if that is put in force.
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


@dataclass(frozen=True)
class OrderBackTest:
    """Result of an order by answers on alerts it was not made from.

    Attributes:
        learned: alerts whose answers made the order: two in three, the earlier answered.
        tested: the alerts answered later.
        read: the first half of those, in either order.
        upheld: how many of those tested were upheld.
        upheld_by_evidence: how many of them stand in the first half by evidence alone.
        upheld_by_answers: how many stand there by the order that the earlier answers make.
    """

    learned: int
    tested: int
    read: int
    upheld: int
    upheld_by_evidence: int
    upheld_by_answers: int


def upheld_rates(answers: Iterable[Answered]) -> dict[tuple[str, str], float]:
    """Return the rates that answers put in an order, by rule and band.

    Rates are whole twentieths, so that the order does not tell how one alert was answered.
    """
    return {
        (precision.rule, precision.band): round(precision.expected * RATE_STEPS) / RATE_STEPS
        for precision in precision_by_rule(answers)
        if precision.orders
    }


def pack_order(rates: Mapping[tuple[str, str], float]) -> bytes:
    """Return rates as a document, the same bytes for the same rates."""
    lines = [{"rule": rule, "band": band, "rate": rate} for (rule, band), rate in rates.items()]
    lines.sort(key=lambda line: (line["rule"], line["band"]))
    return json.dumps(lines, indent=1).encode()


def unpack_order(content: bytes) -> dict[tuple[str, str], float]:
    """Return the rates of a document; see `pack_order`."""
    return {(line["rule"], line["band"]): line["rate"] for line in json.loads(content or b"[]")}


def back_test_order(answered: Sequence[AnsweredAlert]) -> OrderBackTest | None:
    """Return what the order of earlier answers does to alerts answered later.

    Args:
        answered: a lane's answered alerts.

    Returns:
        None where the earlier answers are too few to order anything.
    """
    in_time = sorted(answered, key=lambda alert: (alert["decided_at"], alert["alert_id"]))
    learned = in_time[: len(in_time) * 2 // 3]
    tested = in_time[len(learned) :]
    rates = upheld_rates(
        {"rule": alert["rule"], "band": alert["band"], "state": alert["state"], "count": 1}
        for alert in learned
    )
    if not rates or len(tested) < FEWEST_TESTED:
        return None
    read = len(tested) // 2

    def upheld_first(rate: Callable[[AnsweredAlert], float]) -> int:
        by_order = sorted(tested, key=lambda a: (-rate(a), -a["strength"], a["alert_id"]))
        return sum(alert["state"] in UPHELD for alert in by_order[:read])

    return OrderBackTest(
        learned=len(learned),
        tested=len(tested),
        read=read,
        upheld=sum(alert["state"] in UPHELD for alert in tested),
        upheld_by_evidence=upheld_first(lambda _: PRIOR_SHARE),
        upheld_by_answers=upheld_first(lambda a: rates.get((a["rule"], a["band"]), PRIOR_SHARE)),
    )
