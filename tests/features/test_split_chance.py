"""The chance of a split is that of a compound Poisson sum, and orders splits as a person would."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cardwatch.features import split
from cardwatch.features.split_probability import CELLS, SMALLEST_CHANCE, _compound_tail

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.features import Ledger

    MakeLedger = Callable[..., Ledger]
    Numbers = np.ndarray[Any, np.dtype[np.float64]]

FIRST = dt.date(2025, 1, 6)


def _severity(*cells: tuple[int, float]) -> Numbers:
    """Return one row of severities from (cell, chance) pairs."""
    row = np.zeros(CELLS + 1)
    for cell, chance in cells:
        row[cell] = chance
    return row[None, :]


def _tail(rate: float, severity: Numbers) -> float:
    return float(_compound_tail(np.array([rate]), severity)[0])


def _enumerated(rate: float, severity: Numbers) -> float:
    """Return the chance of reaching the last cell, adding up over every number of batches."""
    reached, weight, total = np.zeros(CELLS + 1), math.exp(-rate), 0.0
    reached[0] = 1.0
    for number in range(1, 200):
        added = np.convolve(reached, severity[0])
        reached = added[: CELLS + 1].copy()
        reached[CELLS] += added[CELLS + 1 :].sum()
        weight *= rate / number
        total += weight * reached[CELLS]
    return total


@pytest.mark.parametrize("rate", [0.01, 0.4, 2.0, 9.0])
def test_the_chance_is_that_of_one_batch_where_one_is_enough(rate: float) -> None:
    assert _tail(rate, _severity((CELLS, 1.0))) == pytest.approx(1 - math.exp(-rate), abs=1e-12)


@pytest.mark.parametrize("rate", [0.01, 0.4, 2.0, 9.0])
def test_the_chance_is_that_of_two_batches_where_each_is_half(rate: float) -> None:
    wanted = 1 - math.exp(-rate) * (1 + rate)
    assert _tail(rate, _severity((CELLS // 2, 1.0))) == pytest.approx(wanted, abs=1e-12)


def test_the_chance_is_what_adding_up_over_every_number_of_batches_gives() -> None:
    random = np.random.default_rng(11)
    for rate in (0.05, 0.7, 3.0, 20.0):
        severity = np.zeros((1, CELLS + 1))
        severity[0, 1:] = random.dirichlet(np.full(CELLS, 0.1))
        assert _tail(rate, severity) == pytest.approx(_enumerated(rate, severity), abs=1e-10)


def test_the_chance_is_what_simulated_months_give() -> None:
    random = np.random.default_rng(5)
    severity = _severity((7, 0.5), (20, 0.3), (45, 0.2))
    numbers = random.poisson(1.3, 40_000)
    sums = [random.choice([7, 20, 45], n, p=[0.5, 0.3, 0.2]).sum() for n in numbers]
    share = float(np.mean(np.array(sums) >= CELLS))
    assert _tail(1.3, severity) == pytest.approx(share, abs=0.01)


def test_a_buyer_who_buys_more_often_reaches_a_sum_more_easily() -> None:
    rates = np.array([1e-9, 1e-4, 0.01, 0.5, 2.0, 8.0, 30.0, 200.0, 5_000.0])
    severity = np.repeat(_severity((4, 0.5), (31, 0.5)), len(rates), axis=0)
    chance = _compound_tail(rates, severity)
    assert (np.diff(chance) >= 0).all()
    assert chance[-1] == 1


def test_a_chance_is_never_nothing_and_never_above_one() -> None:
    random = np.random.default_rng(2)
    rates = np.concatenate([[0.0, 1e-300], 10 ** random.uniform(-8, 4, 60)])
    severity = np.zeros((len(rates), CELLS + 1))
    severity[:, 1:] = random.dirichlet(np.full(CELLS, 0.05), len(rates))
    chance = _compound_tail(rates, severity)
    assert ((chance >= SMALLEST_CHANCE) & (chance <= 1)).all()


def test_one_window_does_not_change_the_chance_of_another() -> None:
    rates = np.array([0.3, 4.0])
    severity = np.concatenate([_severity((30, 1.0)), _severity((3, 0.6), (60, 0.4))])
    alone = [_tail(rate, row[None, :]) for rate, row in zip(rates, severity, strict=True)]
    assert _compound_tail(rates, severity).tolist() == pytest.approx(alone, abs=1e-15)


def _history(pence: int, *, merchants: int = 5, every: int = 3) -> list[tuple[Any, ...]]:
    """Return a year of a holder's payments around a sum, to one merchant after the other."""
    names = ["ALPHA", "BRAVO", "CHARLIE", "DELTA", "ECHO"][:merchants]
    return [
        (FIRST + dt.timedelta(days=day), "h", names[i % merchants], pence + 13 * (i % 7))
        for i, day in enumerate(range(0, 360, every))
    ]


def _last_chance(ledger: Ledger) -> float:
    found = {n: v[-1] for n, v in split.find_splits(ledger, split.SEARCHES["limit"]).items()}
    assert found["count"] > 1
    return float(found["chance_share"])


def test_a_split_far_above_the_holders_usual_is_rarer_than_one_near_it(
    make_ledger: MakeLedger,
) -> None:
    parts = [("2026-01-20", "h", "ALPHA", 8_000)] * 2
    small, large = (_last_chance(make_ledger([*_history(p), *parts])) for p in (300, 8_000))
    assert small < large / 5


def test_a_split_at_a_merchant_paid_so_every_week_is_what_chance_explains(
    make_ledger: MakeLedger,
) -> None:
    weekly = [
        (FIRST + dt.timedelta(days=7 * week), "h", "ALPHA", 6_000 + 10 * i)
        for week in range(55)
        for i in range(2)
    ]
    once = [*_history(500, merchants=5), *[("2026-01-20", "h", "ALPHA", 6_000)] * 2]
    assert _last_chance(make_ledger(weekly)) > 0.1
    assert _last_chance(make_ledger(once)) < 0.01


def test_of_two_sums_as_likely_by_chance_the_one_in_fewer_parts_speaks_for_a_split(
    make_ledger: MakeLedger,
) -> None:
    two, four = (
        make_ledger([*_history(3_000), *[("2026-01-20", "h", "ALPHA", 12_000 // n)] * n])
        for n in (2, 4)
    )
    assert _last_chance(two) == _last_chance(four)
    assert split.split_surprise(two)[-1] > split.split_surprise(four)[-1] + 2 > 2


def test_where_no_window_ends_the_chance_is_one_and_nothing_surprises(
    make_ledger: MakeLedger,
) -> None:
    ledger = make_ledger([("2026-01-20", "h", "ALPHA", 6_000)])
    found = split.find_splits(ledger, split.SEARCHES["limit"])
    assert found["chance_share"].tolist() == [1]
    assert split.split_surprise(ledger).tolist() == [0]


def test_a_holders_very_first_day_has_a_chance_too(make_ledger: MakeLedger) -> None:
    chance = _last_chance(make_ledger([("2026-01-20", "h", "ALPHA", 6_000)] * 2))
    assert SMALLEST_CHANCE <= chance <= 1
