"""A chance is a share of comparable payments: never nothing, valid, and 1 without a surprise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardwatch.features import FAMILIES, name_of
from cardwatch.rarity import (
    ALONE,
    BUYING,
    CHANCES,
    SURPRISE,
    UNUSUALNESS,
    chances,
    share_at_least,
    surprise_shares,
)

if TYPE_CHECKING:
    Numbers = np.ndarray[Any, np.dtype[np.float64]]

NAMES = [name_of(feature) for family in FAMILIES.values() for feature in family]
FINITE = st.floats(-1e6, 1e6)
EXAMPLES = settings(derandomize=True, max_examples=100, deadline=None)


def _surprises(rows: int, seed: int = 4, zero: float = 0.5) -> pd.DataFrame:
    """Return random surprises, a share of them 0."""
    random = np.random.default_rng(seed)
    values = random.exponential(1, (rows, len(NAMES)))
    return pd.DataFrame(values * (random.random(values.shape) >= zero), columns=NAMES)


def _shares(features: pd.DataFrame, reference: np.ndarray[Any, Any]) -> pd.DataFrame:
    """Return each surprise as a share, as a table."""
    return pd.DataFrame(surprise_shares(features, reference))


def _chances(shares: pd.DataFrame, reference: np.ndarray[Any, Any]) -> pd.DataFrame:
    """Return the shares of families, as a table."""
    return pd.DataFrame(chances({str(k): v.to_numpy() for k, v in shares.items()}, reference))


OF_PAYMENTS = [
    name for name in CHANCES if name not in {"month_chance_share", "novelty_chance_share", *ALONE}
]
SHARES, ORDERS = OF_PAYMENTS, [SURPRISE, BUYING]


@EXAMPLES
@given(st.lists(FINITE, min_size=1, max_size=8), st.lists(FINITE, max_size=12))
def test_a_share_counts_the_reference_at_least_as_high_and_the_payment_itself(
    values: list[float], reference: list[float]
) -> None:
    found = share_at_least(np.array(values), np.array(reference))
    wanted = [(sum(r >= v for r in reference) + 1) / (len(reference) + 1) for v in values]
    assert found.tolist() == wanted


@EXAMPLES
@given(st.lists(FINITE, min_size=2, max_size=12), st.lists(FINITE, max_size=12))
def test_a_higher_value_never_has_a_larger_share(
    values: list[float], reference: list[float]
) -> None:
    found = share_at_least(np.sort(np.array(values)), np.array(reference))
    assert (np.diff(found) <= 0).all()
    assert ((found > 0) & (found <= 1)).all()


@pytest.mark.parametrize("alpha", [0.001, 0.01, 0.05, 0.1, 0.37, 1.0])
def test_of_all_payments_as_good_as_the_reference_a_share_alpha_is_at_or_below_alpha(
    alpha: float,
) -> None:
    # Each of n + 1 exchangeable values is held against the other n: ranks are all there is.
    values = np.random.default_rng(1).permutation(1_000).astype("float64")
    shares = np.array(
        [share_at_least(values[[i]], np.delete(values, i))[0] for i in range(len(values))]
    )
    assert np.mean(shares <= alpha) == pytest.approx(alpha, abs=1e-12)


def test_with_ties_a_share_is_too_large_rather_than_too_small() -> None:
    values = np.random.default_rng(1).integers(0, 20, 400).astype("float64")
    shares = np.array(
        [share_at_least(values[[i]], np.delete(values, i))[0] for i in range(len(values))]
    )
    for alpha in (0.01, 0.05, 0.1, 0.5):
        assert np.mean(shares <= alpha) <= alpha


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_reference_payments_are_about_as_often_rare_as_they_should_be(alpha: float) -> None:
    features = _surprises(999, zero=0.0)
    everything = np.ones(len(features), dtype=bool)
    shares = _shares(features, everything)
    exact = (np.floor(alpha * 1_000) - 1) / 999  # each payment is in its own reference
    assert (shares <= alpha + 1e-12).mean().to_numpy() == pytest.approx(exact)
    rare = (_chances(shares, everything)[SHARES] <= alpha + 1e-12).mean()
    assert ((rare <= alpha) & (rare >= alpha - 0.012)).all()


def test_where_nothing_surprises_every_share_is_one() -> None:
    features = _surprises(200)
    features.iloc[:5] = 0.0
    reference = np.arange(len(features)) >= 50
    shares = _shares(features, reference)
    assert (shares.iloc[:5] == 1).all(axis=None)
    assert (shares.to_numpy()[features.to_numpy() == 0] == 1).all()
    found = _chances(shares, reference).iloc[:5]
    assert (found[SHARES] == 1).all(axis=None)
    assert (found[ORDERS] == 0).all(axis=None)


def test_a_payment_outside_the_reference_does_not_change_what_others_are_compared_with() -> None:
    features = _surprises(120)
    reference = np.arange(len(features)) < 100
    alone = _chances(_shares(features[:101], reference[:101]), reference[:101])
    among = _chances(_shares(features, reference), reference)
    pd.testing.assert_frame_equal(alone, among[:101])


def test_the_more_surprising_of_two_payments_has_the_smaller_chance() -> None:
    features = _surprises(300)
    low, high = features.iloc[0].copy(), features.iloc[0].copy()
    low[NAMES], high[NAMES] = 1.0, 4.0
    features.iloc[298], features.iloc[299] = low, high
    reference = np.arange(len(features)) < 298
    found = _chances(_shares(features, reference), reference)
    assert (found[SHARES].iloc[299] < found[SHARES].iloc[298]).all()
    assert (found[ORDERS].iloc[299] > found[ORDERS].iloc[298]).all()


@EXAMPLES
@given(st.integers(0, 10_000), st.sampled_from(NAMES), st.floats(0.01, 5))
def test_one_surprise_more_never_makes_a_payment_more_ordinary(
    seed: int, name: str, more: float
) -> None:
    features = _surprises(40, seed)
    raised = pd.concat([features, features.iloc[[-1]]], ignore_index=True)
    raised.loc[40, name] += more
    reference = np.arange(len(raised)) < 30
    found = _chances(_shares(raised, reference), reference)
    assert (found[SHARES].iloc[40] <= found[SHARES].iloc[39]).all()
    assert (found[ORDERS].iloc[40] >= found[ORDERS].iloc[39]).all()


def test_within_a_family_the_rarest_surprise_counts_and_others_do_not_add_up() -> None:
    features = _surprises(400, zero=0.0)
    amounts = [name_of(feature) for feature in FAMILIES["amount"]]
    features.loc[398:] = 0.0
    features.loc[398, amounts[0]] = 9.0
    features.loc[399, amounts] = 9.0
    reference = np.arange(len(features)) < 398
    found = _chances(_shares(features, reference), reference)["amount_chance_share"]
    assert found.iloc[398] == found.iloc[399]


def test_surprises_of_two_families_together_are_rarer_than_one_of_them() -> None:
    features = _surprises(400)
    first, second = (name_of(FAMILIES[family][0]) for family in ("merchant", "amount"))
    features.loc[398:] = 0.0
    features.loc[398, first] = 2.0
    features.loc[399, [first, second]] = 2.0
    reference = np.arange(len(features)) < 398
    found = _chances(_shares(features, reference), reference)["payment_chance_share"]
    assert found.iloc[399] < found.iloc[398]


def test_the_forest_counts_where_there_is_one_and_is_not_missed_where_there_is_none() -> None:
    features = _surprises(100)
    features.iloc[98:] = 0.0
    features.loc[98:, NAMES[0]] = 1.0
    seen = features.assign(**{UNUSUALNESS: np.linspace(0.3, 0.5, 100)})
    seen.loc[98:, UNUSUALNESS] = [0.3, 0.9]
    reference = np.arange(len(features)) < 98
    without = _chances(_shares(features, reference), reference)["payment_chance_share"]
    having = _chances(_shares(seen, reference), reference)["payment_chance_share"]
    assert without.iloc[99] == without.iloc[98]
    assert having.iloc[99] < having.iloc[98]


def test_without_any_reference_every_payment_is_as_rare_as_any_and_none_is_impossible() -> None:
    features = _surprises(10)
    reference = np.zeros(len(features), dtype=bool)
    found = _chances(_shares(features, reference), reference)
    assert (found[SHARES] == 1).all(axis=None)
    assert (found[ORDERS] == 0).all(axis=None)


def test_every_chance_that_rules_may_read_is_there_with_its_meaning() -> None:
    features = _surprises(10)
    reference = np.ones(len(features), dtype=bool)
    found = _chances(_shares(features, reference), reference)
    assert list(found) == [*OF_PAYMENTS, SURPRISE, BUYING]
    # What is booked counts with the merchant: it has no share of its own.
    told = FAMILIES.keys() - {"purpose"}
    assert {f"{family}_chance_share" for family in told} < CHANCES.keys()
    assert all(CHANCES.values())


def test_an_unusual_merchant_is_rarer_where_its_purpose_is_unusual_too() -> None:
    features = _surprises(400)
    shop, purpose = (name_of(FAMILIES[family][0]) for family in ("merchant", "purpose"))
    features.loc[397:] = 0.0
    features.loc[397, shop] = 2.0
    features.loc[398, purpose] = 2.0
    features.loc[399, [shop, purpose]] = 2.0
    reference = np.arange(len(features)) < 397
    found = _chances(_shares(features, reference), reference)
    share = found["merchant_chance_share"].iloc[-3:].tolist()
    assert share[2] < min(share[:2])
    assert max(share[:2]) < 1
    assert found[BUYING].iloc[-1] == pytest.approx(found[BUYING].iloc[-3:-1].sum())


LEAST = st.floats(0, 1e3)
"""Surprises are never below nothing."""
