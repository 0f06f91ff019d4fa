"""Precision by rule and band: shown from the first answer, fit to order from the twentieth."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import pytest

from cardwatch.casebook.precision import (
    FEWEST_ANSWERS,
    PRIOR_SHARE,
    back_test_order,
    band_of,
    pack_order,
    precision_by_rule,
    unpack_order,
    upheld_rates,
)

BAND = "1 in 1,000 or rarer"


def _answers(upheld: int, explained: int, rule: str = "split") -> list[dict[str, Any]]:
    states = ["policy-breach", "confirmed"] * upheld
    states = states[:upheld] + ["explained"] * explained
    return [{"rule": rule, "band": BAND, "state": state, "count": 1} for state in states]


def test_what_is_expected_begins_at_the_prior() -> None:
    one = precision_by_rule(_answers(0, 1))[0]
    assert one.expected == pytest.approx(1 / 8)
    many = precision_by_rule(_answers(60, 40))[0]
    assert (many.answered, many.upheld) == (100, 60)
    assert many.expected == pytest.approx(61 / 107, abs=1e-4)


def test_a_share_is_that_of_the_answers_alone() -> None:
    one = precision_by_rule(_answers(1, 0))[0]
    assert (one.share, one.high) == (1.0, 1.0)
    assert one.low == pytest.approx(0.025)  # all of one: as rare as one in forty
    none = precision_by_rule(_answers(0, 1))[0]
    assert (none.share, none.low) == (0.0, 0.0)
    assert none.high == pytest.approx(0.975)


def test_the_interval_leaves_out_a_fortieth_on_either_side() -> None:
    one = precision_by_rule(_answers(10, 10))[0]

    def chance(upheld: range, share: float) -> float:
        return sum(math.comb(20, n) * share**n * (1 - share) ** (20 - n) for n in upheld)

    assert chance(range(10, 21), one.low) == pytest.approx(0.025, abs=1e-3)
    assert chance(range(11), one.high) == pytest.approx(0.025, abs=1e-3)


def test_rules_and_bands_are_told_apart() -> None:
    rows = [*_answers(3, 1), *_answers(0, 2, "repeat")]
    rows[0] = rows[0] | {"band": "more usual"}
    told = {(one.rule, one.band): (one.upheld, one.answered) for one in precision_by_rule(rows)}
    assert told == {("split", BAND): (2, 3), ("split", "more usual"): (1, 1),
                    ("repeat", BAND): (0, 2)}  # fmt: skip


@pytest.mark.parametrize("answered", [FEWEST_ANSWERS - 1, FEWEST_ANSWERS])
def test_only_enough_answers_come_before_the_evidence(answered: int) -> None:
    one = precision_by_rule(_answers(answered, 0))[0]
    assert one.orders == (answered == FEWEST_ANSWERS)
    assert one.expected > PRIOR_SHARE


@pytest.mark.parametrize(
    ("chance", "band"),
    [(1e-9, "1 in 10,000 or rarer"), (1e-4, "1 in 10,000 or rarer"), (2e-4, BAND), (1e-3, BAND),
     (0.5, "more usual"), (1.0, "more usual")],
)  # fmt: skip
def test_every_chance_has_a_band(chance: float, band: str) -> None:
    assert band_of(chance) == band


def _answered(rule: str, states: list[str], first: int) -> list[dict[str, Any]]:
    """Return answered alerts of a rule, two days apart, with stronger evidence for each later."""
    begin = dt.date(2026, 1, 1)
    return [
        {"alert_id": f"{rule}{n}", "rule": rule, "band": BAND, "strength": 3.0 + n / 100,
         "state": state, "decided_at": str(begin + dt.timedelta(days=first + 2 * n))}
        for n, state in enumerate(states)
    ]  # fmt: skip


def test_an_order_is_tested_on_answers_it_was_not_made_from() -> None:
    good = _answered("good", ["confirmed"] * 45, 0)
    weak = _answered("weak", ["explained"] * 45, 1)
    for answer in weak:
        answer["strength"] += 1
    test = back_test_order([*weak, *good])
    assert test is not None
    assert (test.learned, test.tested, test.read, test.upheld) == (60, 30, 15, 15)
    assert (test.upheld_by_evidence, test.upheld_by_answers) == (0, 15)
    for answer in good[30:]:
        answer["state"] = "explained"  # what was upheld before no longer is: the test must say so
    turned = back_test_order([*weak, *good])
    assert turned is not None
    assert (turned.upheld, turned.upheld_by_answers) == (0, 0)
    assert back_test_order(good[:25]) is None, "too few before, and too few after"


def test_the_rates_of_an_order_do_not_tell_one_answer() -> None:
    one, more = upheld_rates(_answers(30, 30)), upheld_rates(_answers(31, 30))
    assert one == more == {("split", BAND): 0.45}
    assert unpack_order(pack_order(one)) == one
    assert unpack_order(b"") == {}
