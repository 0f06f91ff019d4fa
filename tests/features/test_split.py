"""The search for splits finds what a plain look at every group, day and window finds."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardwatch.features import split
from cardwatch.features.split import SEARCHES, find_splits, refunded_on

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.features import Ledger

    MakeLedger = Callable[..., Ledger]

POLICY = """
split_windows_days = [0, 3, 7]
[[single_purchase]]
from = 2000-01-01
pounds = 100
vat = "included"
[[step]]
from = 2000-01-01
pounds = 150
vat = "included"
"""
START = dt.date(2026, 3, 1)
PAYMENTS = st.lists(
    st.tuples(
        st.integers(0, 13).map(lambda days: START + dt.timedelta(days=days)),
        st.sampled_from(["h1", "h2", "h3"]),
        st.sampled_from(["ALPHA", "ALPHA", "BRAVO"]),
        st.sampled_from([2_500, 4_000, 5_000, 6_000, 9_900, 10_000, 10_100, -4_000, -6_000]),
        st.fixed_dictionaries(
            {
                "cost_centre": st.sampled_from(["u1", "u1", "u2"]),
                "day_doubled": st.sampled_from([False, False, False, False, True]),
            }
        ),
    ),
    min_size=2,
    max_size=16,
)


class Window(NamedTuple):
    """What a window says, as columns of `find_splits`."""

    count: float
    total_pence: float
    span_days: float
    needed_count: float
    holders_count: float


def _window(
    ledger: Ledger, parts: list[int], close: int, limit: float, *, across: bool
) -> Window | None:
    """Return one window's figures if it qualifies, found payment by payment."""
    pence = [ledger.pence[i] for i in parts]
    days = [int(ledger.day[i]) for i in parts]
    spent: dict[str, float] = {}
    for i in parts:
        holder = ledger.frame["holder_id"].iloc[i]
        spent[holder] = spent.get(holder, 0) + ledger.pence[i]
    if len(parts) < 2 or sum(pence) <= limit or max(days) != close:
        return None
    if across and (len(spent) < 2 or max(spent.values()) > limit):
        return None
    largest = np.cumsum(sorted(pence, reverse=True))
    needed = int(np.argmax(largest > limit)) + 1
    return Window(len(parts), sum(pence), close - min(days), needed, len(spent))


def _windows(ledger: Ledger, search: str) -> dict[tuple[Any, int], set[Window]]:
    """Return for each group and closing day its best windows by payments needed; loops only."""
    by, limits = SEARCHES[search].by, ledger.frame[SEARCHES[search].limit]
    back = refunded_on(ledger)
    frame, groups = ledger.frame, {}
    for i in range(len(ledger)):
        if ledger.is_purchase[i] and ledger.pence[i] <= limits[i] and not frame["day_doubled"][i]:
            groups.setdefault(tuple(frame[name][i] for name in by), []).append(i)
    best = {}
    for group, parts in groups.items():
        for close in sorted({int(ledger.day[i]) for i in parts}):
            standing = [i for i in parts if not back[i] <= close]
            found = [
                _window(
                    ledger,
                    [i for i in standing if close - days <= ledger.day[i] <= close],
                    close,
                    limits[0],
                    across=SEARCHES[search].across,
                )
                for days in ledger.policy.split_windows_days
            ]
            fewest = min((w.needed_count for w in found if w), default=0)
            if fewest:
                best[group, close] = {w for w in found if w and w.needed_count == fewest}
    return best


def _check(ledger: Ledger, search: str) -> None:
    """Hold every row's split against the windows found by loops."""
    found, best = find_splits(ledger, SEARCHES[search]), _windows(ledger, search)
    limits, back = ledger.frame[SEARCHES[search].limit], refunded_on(ledger)
    for i in range(len(ledger)):
        group = tuple(ledger.frame[name][i] for name in SEARCHES[search].by)
        day = int(ledger.day[i])
        part = ledger.is_purchase[i] and ledger.pence[i] <= limits[i]
        part = part and not ledger.frame["day_doubled"][i]
        if part and back[i] <= day:
            continue  # what is said of a purchase taken back that day is tested below
        told = Window(*(float(found[name][i]) for name in Window._fields))
        if not part or (group, day) not in best:
            assert told == Window(0, 0, 0, 0, 0)
            continue
        assert told in best[group, day]
        earlier = [e for g, e in best if g == group and day - 365 <= e < day - told.span_days]
        assert found["earlier_count"][i] == len(earlier)


@pytest.mark.parametrize("search", SEARCHES)
def test_every_split_is_found_with_its_count_total_span_and_fewest_payments(
    make_ledger: MakeLedger, search: str
) -> None:
    @settings(derandomize=True, max_examples=40, deadline=None)
    @given(PAYMENTS)
    def check(payments: list[tuple[Any, ...]]) -> None:
        _check(make_ledger(payments, POLICY), search)

    check()


@pytest.mark.parametrize("search", SEARCHES)
def test_every_split_of_a_busy_unit_is_found_over_two_years(
    make_ledger: MakeLedger, search: str
) -> None:
    random = np.random.default_rng(3)
    days = np.sort(random.integers(0, 730, 260))
    payments = [
        (
            START + dt.timedelta(days=int(day)),
            str(random.choice(["h1", "h2", "h3"])),
            str(random.choice(["ALPHA", "BRAVO"])),
            int(random.choice([2_500, 4_000, 6_000, 9_900, 10_000, 10_100, -4_000])),
            {"cost_centre": str(random.choice(["u1", "u2"]))},
        )
        for day in days
    ]
    ledger = make_ledger(payments, POLICY)
    assert len(_windows(ledger, search)) > 5
    _check(ledger, search)


def _counts(ledger: Ledger) -> list[float]:
    return split.limit_split_count(ledger).tolist()


def test_two_payments_that_together_come_to_the_limit_exactly_are_no_split(
    make_ledger: MakeLedger,
) -> None:
    day = "2026-03-02"
    assert _counts(make_ledger([(day, "h", "ALPHA", 5_000), (day, "h", "ALPHA", 5_000)])) == [0, 0]
    assert _counts(make_ledger([(day, "h", "ALPHA", 5_000), (day, "h", "ALPHA", 5_001)])) == [2, 2]


def test_a_payment_over_the_limit_by_itself_is_no_part_of_a_split(make_ledger: MakeLedger) -> None:
    payments = [("2026-03-02", "h", "ALPHA", 10_001), ("2026-03-02", "h", "ALPHA", 500)]
    assert _counts(make_ledger(payments)) == [0, 0]


def test_payments_further_apart_than_the_widest_window_are_no_split(
    make_ledger: MakeLedger,
) -> None:
    far = [("2026-03-02", "h", "ALPHA", 9_000), ("2026-03-10", "h", "ALPHA", 9_000)]
    near = [("2026-03-02", "h", "ALPHA", 9_000), ("2026-03-09", "h", "ALPHA", 9_000)]
    assert _counts(make_ledger(far)) == [0, 0]
    assert _counts(make_ledger(near)) == [0, 2]


def test_a_later_refund_does_not_undo_a_split_that_stood_on_its_day(
    make_ledger: MakeLedger,
) -> None:
    payments = [
        ("2026-03-02", "h", "ALPHA", 9_000),
        ("2026-03-02", "h", "ALPHA", 8_000),
        ("2026-03-05", "h", "ALPHA", -8_000),
        ("2026-03-06", "h", "ALPHA", 500),
    ]
    assert _counts(make_ledger(payments)) == [2, 2, 0, 0]


def test_a_purchase_taken_back_the_same_day_carries_no_split(make_ledger: MakeLedger) -> None:
    payments = [
        ("2026-03-02", "h", "ALPHA", 6_000),
        ("2026-03-02", "h", "ALPHA", 7_000),
        ("2026-03-02", "h", "ALPHA", 8_000),
        ("2026-03-02", "h", "ALPHA", -8_000),
    ]
    assert _counts(make_ledger(payments)) == [2, 2, 0, 0]


def test_a_payment_within_the_limit_of_its_day_is_no_split_when_the_limit_is_lowered_next_day(
    make_ledger: MakeLedger,
) -> None:
    policy = """
[[single_purchase]]
from = 2000-01-01
pounds = 200
vat = "included"
[[single_purchase]]
from = 2026-03-03
pounds = 100
vat = "included"
"""
    payments = [("2026-03-02", "h", "ALPHA", 15_000), ("2026-03-03", "h", "ALPHA", 2_000)]
    ledger = make_ledger(payments, policy)
    assert split.limit_split_needed_count(ledger).tolist() == [0, 0]


def test_a_refund_of_a_purchase_from_before_the_history_does_not_hide_a_later_one(
    make_ledger: MakeLedger,
) -> None:
    payments = [
        ("2026-03-01", "h", "ALPHA", -6_000),
        ("2026-03-05", "h", "ALPHA", 6_000),
        ("2026-03-05", "h", "ALPHA", -6_000),
        ("2026-03-06", "h", "ALPHA", 6_000),
    ]
    ledger = make_ledger(payments)
    assert refunded_on(ledger)[1] == ledger.day[1]
    assert _counts(ledger) == [0, 0, 0, 0]


def test_one_refund_takes_back_one_purchase_only(make_ledger: MakeLedger) -> None:
    payments = [
        *[("2026-03-02", "h", "ALPHA", 6_000)] * 3,
        ("2026-03-02", "h", "ALPHA", -6_000),
        ("2026-03-02", "other", "ALPHA", -6_000),
    ]
    assert np.isnan(refunded_on(make_ledger(payments))).tolist() == [False, True, True, True, True]


def test_a_split_over_the_limit_only_with_vat_is_marked_as_such(make_ledger: MakeLedger) -> None:
    policy = '[[single_purchase]]\nfrom = 2000-01-01\npounds = 100\nvat = "unknown"\n'
    day = "2026-03-02"
    for second, marked in ((6_000, True), (6_001, False)):
        ledger = make_ledger([(day, "h", "ALPHA", 6_000), (day, "h", "ALPHA", second)], policy)
        assert split.is_limit_split_only_with_vat(ledger).tolist() == [marked] * 2


def test_holders_of_different_cost_centres_do_not_split_together(make_ledger: MakeLedger) -> None:
    def found(second: str) -> list[float]:
        payments = [
            ("2026-03-02", "h1", "ALPHA", 9_000, {"cost_centre": "u1"}),
            ("2026-03-02", "h2", "ALPHA", 9_000, {"cost_centre": second}),
        ]
        return split.unit_split_holders_count(make_ledger(payments)).tolist()

    assert found("u1") == [2, 2]
    assert found("u2") == [0, 0]


def test_payments_without_a_cost_centre_are_not_taken_for_one_unit(make_ledger: MakeLedger) -> None:
    payments = [
        ("2026-03-02", "h1", "ALPHA", 9_000, {"cost_centre": ""}),
        ("2026-03-02", "h2", "ALPHA", 9_000, {"cost_centre": ""}),
    ]
    assert split.unit_split_count(make_ledger(payments)).tolist() == [0, 0]
