"""Features look back only, and do not depend on the order in which rows were read."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from cardwatch.features import Ledger, build_features
from cardwatch.policy import parse_policy

if TYPE_CHECKING:
    from collections.abc import Callable

    MakeFrame = Callable[..., pd.DataFrame]

POLICY = parse_policy(
    "[[single_purchase]]\nfrom = 2000-01-01\npounds = 100\n"
    "[[step]]\nfrom = 2000-01-01\npounds = 150",
    "policy.toml",
)
START = dt.date(2026, 1, 20)
# Mostly days close together, sometimes months apart: splits need the one, neighbours the other.
SHOPS = ("ALPHA", "BRAVO", "PAYPAL *CHARLIE", "DELTA", "ECHO", "FOXTROT")
DAYS = st.one_of(st.integers(0, 14), st.integers(0, 120))
PAYMENTS = st.lists(
    st.tuples(
        DAYS.map(lambda days: START + dt.timedelta(days=days)),
        st.sampled_from(["h1", "h2", "h3", "h4"]),
        st.sampled_from(
            [
                "ALPHA STATIONERY LTD",
                "BRAVO TOOLS",
                "PAYPAL *CHARLIE",
                "Alpha Stationary",
                "ALPHA STATIONERY LEEDS",
            ]
        ),
        st.sampled_from([500, 2_000, 5_000, 6_000, 9_600, 9_900, 10_000, 11_000, -5_000, -6_000]),
        st.fixed_dictionaries(
            {
                "mcc": st.sampled_from(["", "5111", "5251"]),
                "category": st.sampled_from(["", "Paper", "TOOLS", "tools"]),
                "description": st.sampled_from(["", "paper", "Paper", "tools"]),
                "cost_centre": st.sampled_from(["u1", "u2"]),
                "unit": st.sampled_from(["north", "south"]),
                "day_doubled": st.sampled_from([False, False, False, True]),
            }
        ),
    ),
    min_size=2,
    max_size=24,
)
EXAMPLES = settings(derandomize=True, max_examples=5, deadline=None)


def _features(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the features by file and row, so that frames can be held against each other."""
    ledger = Ledger(frame, POLICY)
    return build_features(ledger).set_axis(
        pd.MultiIndex.from_frame(ledger.frame[["file", "row"]]), axis=0
    )


def _different(one: pd.DataFrame, other: pd.DataFrame) -> list[str]:
    """Name the features that differ by more than the rounding of sums."""
    names = []
    for name in one.columns:
        a, b = one[name].to_numpy("float64"), other[name].to_numpy("float64")
        exact = name.endswith(("_pence", "_days", "_count")) or name.startswith(("is_", "days_"))
        same = np.array_equal(a, b) if exact else np.allclose(a, b, rtol=1e-6, atol=1e-6)
        if not same:
            names.append(name)
    return names


@EXAMPLES
@given(PAYMENTS, st.integers(0, 120))
def test_a_later_payment_never_changes_what_was_said_of_an_earlier_one(
    make_frame: MakeFrame, payments: list[tuple[Any, ...]], cut: int
) -> None:
    frame = make_frame(payments)
    days = sorted(frame["date"].unique())
    last = days[cut % len(days)]
    whole, upto = _features(frame), _features(frame[frame["date"] <= last])
    assert _different(whole.loc[upto.index], upto) == []


def test_every_month_added_to_a_year_leaves_what_was_said_before_it_alone(
    make_frame: MakeFrame,
) -> None:
    random = np.random.default_rng(7)
    lines = [
        (
            START + dt.timedelta(days=4 * int(random.integers(0, 75))),
            f"h{min(int(random.exponential(4)), 11)}",
            f"{random.choice(SHOPS)} {'NORTH' if random.random() < 0.2 else ''}",
            int(random.choice([500, 4_000, 6_000, 9_700, 10_000, 15_000, -4_000])),
            {
                "mcc": str(random.choice(["", "5111", "5251"])),
                "category": str(random.choice(["", "Paper", "TOOLS", "tools"])),
                "description": str(random.choice(["", "paper", "tools", f"job {number}"])),
                "cost_centre": str(random.choice(["u1", "u2"])),
                "unit": str(random.choice(["north", "south"])),
            },
        )
        for number in range(250)
    ]
    frame = make_frame(lines)
    whole = _features(frame)
    told = ("alias_split_count", "category_split_count", "unit_split_count", "purpose_surprise")
    assert [name for name in told if not whole[name].any()] == []
    for day in pd.date_range(START, periods=10, freq="29D"):
        upto = _features(frame[frame["date"] <= day])
        assert (str(day), _different(whole.loc[upto.index], upto)) == (str(day), [])


def test_a_holder_who_joins_later_does_not_change_how_unusual_an_earlier_merchant_was(
    make_frame: MakeFrame,
) -> None:
    month = [(f"2026-01-{day:02}", f"h{day % 2}", "ALPHA", 2_000) for day in range(10, 20)]
    month += [("2026-01-20", "h1", "BRAVO", 2_000), ("2026-02-03", "h0", "BRAVO", 2_000)]
    joined = [*month, ("2026-03-01", "h2", "CHARLIE", 2_000)]
    before, after = _features(make_frame(month)), _features(make_frame(joined))
    assert _different(after.loc[before.index], before) == []


@EXAMPLES
@given(PAYMENTS, st.randoms(use_true_random=False))
def test_the_order_in_which_rows_were_read_changes_no_feature(
    make_frame: MakeFrame, payments: list[tuple[Any, ...]], random: Any
) -> None:
    frame = make_frame(payments)
    order = list(range(len(frame)))
    random.shuffle(order)
    straight, shuffled = _features(frame), _features(frame.iloc[order])
    assert _different(straight, shuffled.loc[straight.index]) == []


def test_every_feature_has_a_value_for_every_payment_even_the_very_first(
    make_frame: MakeFrame,
) -> None:
    lines = [("2026-01-20", "h1", "ALPHA", 5_000), ("2026-01-20", "h1", "ALPHA", -5_000)]
    features = _features(make_frame(lines))
    assert features.columns[features.isna().any()].tolist() == []
    assert np.isfinite(features.to_numpy("float64")).all()


def test_no_surprise_is_below_nothing(make_frame: MakeFrame) -> None:
    lines = [
        (
            f"2026-{1 + i % 5:02}-{1 + i % 27:02}",
            f"h{i % 4}",
            f"SHOP {'ABCDE'[i % 5]}",
            900 * (i % 13),
        )
        for i in range(120)
    ]
    features = _features(make_frame(lines))
    surprises = [name for name in features if name.endswith("_surprise")]
    assert (features[surprises].min() >= 0).all()
