"""The search for splits finds what a plain look at every group, day and window finds."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardwatch.features import FEATURES, build_features, name_of, split
from cardwatch.features.ledger import BAND
from cardwatch.features.split import (
    SEARCHES,
    SPLIT_DEFAULTS,
    STANDING_MONTHS,
    Search,
    find_splits,
    refunded_on,
)

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
NAMES = ["ALPHA STORES", "ALPHA STORES", "ALPHA STORES LEEDS", "BRAVO"]
"""Two merchants that look like one, and another."""
DETAILS = st.fixed_dictionaries(
    {
        "cost_centre": st.sampled_from(["u1", "u1", "u2"]),
        "day_doubled": st.sampled_from([False, False, False, False, True]),
        "mcc": st.sampled_from(["5111", "5111", "5251", ""]),
        "description": st.sampled_from(["Paper", "paper ", "tools"]),
    }
)
PAYMENTS = st.lists(
    st.tuples(
        st.integers(0, 13).map(lambda days: START + dt.timedelta(days=days)),
        st.sampled_from(["h1", "h2", "h3"]),
        st.sampled_from(NAMES),
        st.sampled_from([2_500, 4_000, 5_000, 6_000, 9_900, 10_000, 10_100, -4_000, -6_000]),
        DETAILS,
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
    needed_pence: float
    needed_least_pence: float
    needed_bookings_count: float
    several_count: float


NO_WINDOW = Window(*(SPLIT_DEFAULTS[name] for name in Window._fields))


Line = dict[str, Any]


def _lines(ledger: Ledger) -> list[Line]:
    """Return the payments one by one, with the ledger's own groups made anew."""
    lines = ledger.frame.to_dict("records")
    for line, day in zip(lines, ledger.day, strict=True):
        line["category_id"], line["day"] = line["mcc"], int(day)
        line["purpose_id"] = line["description"].lower().strip()
        line["organisation"] = "all"
    return lines


def _window(lines: list[Line], close: int, limit: float, search: Search) -> Window | None:
    """Return one window's figures if it qualifies, found payment by payment."""
    pence, days = [x["amount_pence"] for x in lines], [x["day"] for x in lines]
    one_of = [line[search.several or "holder_id"] for line in lines]
    if len(lines) < 2 or sum(pence) <= limit or max(days) != close:
        return None
    if search.several and len(set(one_of)) < 2:
        return None
    largest = sorted(pence, reverse=True)
    needed = int(np.argmax(np.cumsum(largest) > limit)) + 1
    may_be = [i for i, one in enumerate(pence) if one >= largest[needed - 1]]
    if search.several_needed and len({one_of[i] for i in may_be}) < 2:
        return None
    booked = {tuple(lines[i][name] for name in search.booked_by) for i in may_be}
    total, passing = sum(pence), sum(largest[:needed])
    span = close - min(days)
    least, several = largest[needed - 1], len(set(one_of))
    return Window(len(lines), total, span, needed, passing, least, len(booked), several)


def _is_standing(lines: list[Line], line: Line) -> bool:
    """Return whether like sums began six months of the year before a payment, found by loops."""

    def like(other: Line) -> tuple[Any, ...]:
        band = round(math.log(max(abs(other["amount_pence"]), 100)) / BAND)
        return other["holder_id"], other["merchant_id"], band

    began: dict[tuple[int, int], int] = {}
    for other in lines:
        if other["kind"] == "purchase" and other["amount_pence"] > 0 and like(other) == like(line):
            began.setdefault((other["date"].year, other["date"].month), other["day"])
    return sum(line["day"] - 365 <= day < line["day"] for day in began.values()) >= STANDING_MONTHS


def _parts(ledger: Ledger, search: Search) -> dict[tuple[Any, ...], list[int]]:
    """Return for each group the payments that may be part of a split."""
    groups: dict[tuple[Any, ...], list[int]] = {}
    lines = _lines(ledger)
    for i, line in enumerate(lines):
        group = tuple(line[name] for name in search.by)
        within = 0 < line["amount_pence"] <= line[search.limit] and line["kind"] == "purchase"
        within &= not (search.several_needed and _is_standing(lines, line))
        if within and all(group) and not line["day_doubled"]:
            groups.setdefault(group, []).append(i)
    return groups


def _windows(ledger: Ledger, search: Search) -> dict[tuple[Any, int], set[Window]]:
    """Return for each group and closing day its best windows by payments needed; loops only."""
    lines, back = _lines(ledger), refunded_on(ledger)
    limit = lines[0][search.limit]
    lengths = ledger.policy.split_windows_days if search.only_days is None else (search.only_days,)
    best = {}
    for group, parts in _parts(ledger, search).items():
        for close in sorted({lines[i]["day"] for i in parts}):
            standing = [lines[i] for i in parts if not back[i] <= close]
            found = [
                _window(
                    [x for x in standing if 0 <= close - x["day"] <= days], close, limit, search
                )
                for days in lengths
            ]
            fewest = min((w.needed_count for w in found if w), default=0)
            if fewest:
                best[group, close] = {w for w in found if w and w.needed_count == fewest}
    return best


def _check(ledger: Ledger, search_name: str) -> None:
    """Hold every row's split against the windows found by loops."""
    search = SEARCHES[search_name]
    found, best = find_splits(ledger, search), _windows(ledger, search)
    # Earlier windows under one name alone are a habit at that merchant too.
    ended = best if search.several_needed else _windows(ledger, replace(search, several=""))
    back, limits = refunded_on(ledger), ledger.frame[search.limit].to_numpy()
    group_of = {i: group for group, rows in _parts(ledger, search).items() for i in rows}
    for i in range(len(ledger)):
        group, day = group_of.get(i), int(ledger.day[i])
        told = Window(*(float(found[name][i]) for name in Window._fields))
        if group is None or back[i] <= day or (group, day) not in best:
            assert told == NO_WINDOW
            continue
        assert told in best[group, day]
        assert 0 < found["chance_share"][i] <= 1
        assert found["limit_pence"][i] == limits[i]
        earlier = [e for g, e in ended if g == group and day - 365 <= e < day - told.span_days]
        assert found["earlier_count"][i] == len(earlier)


@pytest.mark.parametrize("search", SEARCHES)
def test_every_split_is_found_with_its_count_total_span_and_fewest_payments(
    make_ledger: MakeLedger, search: str
) -> None:
    @settings(derandomize=True, max_examples=25, deadline=None)
    @given(PAYMENTS)
    def check(payments: list[tuple[Any, ...]]) -> None:
        _check(make_ledger(payments, POLICY), search)

    check()


@pytest.mark.parametrize("search", SEARCHES)
def test_every_split_of_a_busy_unit_is_found_over_two_years(
    make_ledger: MakeLedger, search: str
) -> None:
    random = np.random.default_rng(3)
    days = np.sort(random.choice(random.integers(0, 730, 120), 400))
    payments = [
        (
            START + dt.timedelta(days=int(day)),
            str(random.choice(["h1", "h2", "h3"])),
            str(random.choice(NAMES)),
            int(random.choice([2_500, 4_000, 6_000, 9_900, 10_000, 10_100, -4_000])),
            {
                "cost_centre": str(random.choice(["u1", "u2"])),
                "mcc": str(random.choice(["5111", "5251", ""])),
                "description": str(random.choice(["paper", "tools"])),
            },
        )
        for day in days
    ]
    ledger = make_ledger(payments, POLICY)
    assert len(_windows(ledger, SEARCHES[search])) > 5
    _check(ledger, search)


def _counts(ledger: Ledger) -> list[float]:
    return find_splits(ledger, SEARCHES["limit"])["count"].tolist()


def test_two_payments_that_together_come_to_the_limit_exactly_are_no_split(
    make_ledger: MakeLedger,
) -> None:
    day = "2026-03-02"
    assert _counts(make_ledger([(day, "h", "ALPHA", 5_000), (day, "h", "ALPHA", 5_000)])) == [0, 0]
    assert _counts(make_ledger([(day, "h", "ALPHA", 5_000), (day, "h", "ALPHA", 5_001)])) == [2, 2]


def test_what_came_back_leaves_a_total_at_the_limit_exactly_which_is_no_split(
    make_ledger: MakeLedger,
) -> None:
    first = ("2026-03-02", "h", "ALPHA", 9_000)
    returned = [("2026-03-02", "h", "ALPHA", 700), ("2026-03-03", "h", "ALPHA", -700)]
    at_limit, over = (("2026-03-04", "h", "ALPHA", pence) for pence in (1_000, 1_001))
    assert _counts(make_ledger([first, *returned, at_limit])) == [0, 0, 0, 0]
    assert _counts(make_ledger([first, *returned, over])) == [0, 0, 0, 2]


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
    assert find_splits(ledger, SEARCHES["limit"])["needed_count"].tolist() == [0, 0]


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


def test_one_refund_takes_back_one_purchase_only_the_latest(make_ledger: MakeLedger) -> None:
    payments = [
        *[("2026-03-02", "h", "ALPHA", 6_000)] * 3,
        ("2026-03-02", "h", "ALPHA", -6_000),
        ("2026-03-02", "other", "ALPHA", -6_000),
    ]
    assert np.isnan(refunded_on(make_ledger(payments))).tolist() == [True, True, False, True, True]


def test_a_split_over_the_limit_only_with_vat_is_marked_as_such(make_ledger: MakeLedger) -> None:
    policy = '[[single_purchase]]\nfrom = 2000-01-01\npounds = 100\nvat = "unknown"\n'
    day = "2026-03-02"
    for second, marked in ((6_000, True), (6_001, False)):
        ledger = make_ledger([(day, "h", "ALPHA", 6_000), (day, "h", "ALPHA", second)], policy)
        assert split.is_limit_split_only_with_vat(ledger).tolist() == [marked] * 2


@pytest.mark.parametrize("second", ["u1", " U1", "u2", ""])
def test_holders_split_together_whatever_their_cost_centres_are_called(
    make_ledger: MakeLedger, second: str
) -> None:
    payments = [
        ("2026-03-02", "h1", "ALPHA", 9_000, {"cost_centre": "u1"}),
        ("2026-03-02", "h2", "ALPHA", 9_000, {"cost_centre": second}),
    ]
    found = find_splits(make_ledger(payments), SEARCHES["unit"])
    assert found["several_count"].tolist() == [2, 2]


def test_holders_of_one_cost_centre_are_more_likely_to_buy_together(
    make_ledger: MakeLedger,
) -> None:
    def evidence(first: str, second: str) -> float:
        payments = [
            *(
                (f"2026-02-{day:02}", f"x{day}", "ALPHA", 700, {"cost_centre": f"Other {day}"})
                for day in range(1, 6)
            ),
            ("2026-03-02", "h1", "ALPHA", 9_000, {"cost_centre": first}),
            ("2026-03-02", "h2", "ALPHA", 9_000, {"cost_centre": second}),
        ]
        return float(split.unit_split_surprise(make_ledger(payments, POLICY)).max())

    assert evidence("Unit 0", "UNIT  0") > evidence("Unit 0", "Unit 1")
    assert evidence("", "") == evidence("Unit 0", "Unit 1"), "no cost centre says nothing"


def _refunded_one_by_one(ledger: Ledger) -> list[float]:
    """Return what `refunded_on` should: a plain walk in which each refund takes the last charge."""
    days = np.full(len(ledger), np.nan)
    unanswered: dict[tuple[Any, ...], list[int]] = {}
    # Of one day, charges come before refunds.
    order = sorted(range(len(ledger)), key=lambda i: (ledger.day[i], ledger.is_refund[i], i))
    for i in order:
        who = (ledger.frame["holder_id"].iloc[i], ledger.frame["merchant_id"].iloc[i])
        charges = unanswered.setdefault((*who, abs(ledger.pence[i])), [])
        if ledger.is_purchase[i]:
            charges.append(i)
        elif ledger.is_refund[i] and charges:
            days[charges.pop()] = ledger.day[i]
    return days.tolist()


@settings(derandomize=True, max_examples=40, deadline=None)
@given(
    payments=st.lists(
        st.tuples(
            st.integers(0, 8).map(lambda days: START + dt.timedelta(days=days)),
            st.sampled_from(["h1", "h1", "h1", "h2"]),
            st.sampled_from(["ALPHA", "ALPHA", "BRAVO"]),
            st.sampled_from([5_000, 5_000, 7_000, -5_000, -5_000, -7_000]),
            st.fixed_dictionaries({}, optional={"kind": st.just("fee")}),
        ),
        min_size=1,
        max_size=14,
    )
)
def test_each_refund_answers_the_latest_equal_charge_that_none_has_answered(
    make_ledger: MakeLedger, payments: list[tuple[Any, ...]]
) -> None:
    ledger = make_ledger(payments)
    np.testing.assert_array_equal(refunded_on(ledger), _refunded_one_by_one(ledger))


def _refunded_days(ledger: Ledger) -> list[int | None]:
    """Return the day of March on which each payment was taken back."""
    first = np.datetime64("2026-03-01").astype(int) - 1
    return [None if np.isnan(day) else int(day - first) for day in refunded_on(ledger)]


def test_a_charge_taken_back_and_made_again_is_no_split(make_ledger: MakeLedger) -> None:
    payments = [
        ("2026-03-02", "h", "ALPHA", 6_000),
        ("2026-03-03", "h", "ALPHA", -6_000),
        ("2026-03-04", "h", "ALPHA", 6_000),
    ]
    ledger = make_ledger(payments)
    assert _refunded_days(ledger) == [3, None, None]
    assert _counts(ledger) == [0, 0, 0]


def test_of_two_equal_charges_the_later_one_is_taken_back(make_ledger: MakeLedger) -> None:
    payments = [
        ("2026-03-02", "h", "ALPHA", 6_000),
        ("2026-03-03", "h", "ALPHA", 6_000),
        ("2026-03-04", "h", "ALPHA", -6_000),
        ("2026-03-05", "h", "ALPHA", 3_999),
        ("2026-03-05", "h", "ALPHA", 2),
    ]
    ledger = make_ledger(payments)
    assert _refunded_days(ledger) == [None, 4, None, None, None]
    assert _counts(ledger) == [0, 2, 0, 3, 3]


def test_a_refund_of_part_of_a_charge_takes_nothing_back(make_ledger: MakeLedger) -> None:
    payments = [("2026-03-02", "h", "ALPHA", 6_000), ("2026-03-02", "h", "ALPHA", -5_999)]
    assert _refunded_days(make_ledger(payments)) == [None, None]


def test_a_refund_that_answers_nothing_does_not_wait_for_a_later_charge(
    make_ledger: MakeLedger,
) -> None:
    payments = [
        ("2026-03-01", "h", "ALPHA", -6_000),
        ("2026-03-02", "h", "ALPHA", 6_000),
        ("2026-03-03", "h", "ALPHA", 6_000),
    ]
    ledger = make_ledger(payments)
    assert _refunded_days(ledger) == [None, None, None]
    assert _counts(ledger) == [0, 0, 2]


def _found(ledger: Ledger, search: str, column: str = "count") -> list[float]:
    return find_splits(ledger, SEARCHES[search])[column].tolist()


def test_a_purchase_under_two_names_of_one_merchant_is_a_split_of_names_alone(
    make_ledger: MakeLedger,
) -> None:
    payments = [
        ("2026-03-02", "h", "ALPHA STORES", 6_000),
        ("2026-03-03", "h", "ALPHA STORES LEEDS", 7_000),
    ]
    ledger = make_ledger(payments)
    assert _found(ledger, "limit") == [0, 0]
    assert _found(ledger, "alias") == [0, 2]
    assert _found(ledger, "alias", "several_count") == [0, 2]


def test_splits_under_one_name_are_a_habit_of_the_split_under_several(
    make_ledger: MakeLedger,
) -> None:
    before = [("2026-03-02", "h", "ALPHA STORES", 6_000)] * 2
    before += [("2026-04-02", "h", "ALPHA STORES", 6_000)] * 2
    other = [("2026-05-02", "h", "ALPHA STORES LEEDS", 7_000)]
    ledger = make_ledger([*before, ("2026-05-02", "h", "ALPHA STORES", 6_000), *other])
    assert _found(ledger, "alias", "earlier_count") == [0, 0, 0, 0, 2, 2]
    assert _found(make_ledger([*before, *other]), "alias") == [0] * 5


def test_names_are_one_merchant_among_the_payments_of_one_holder_only(
    make_ledger: MakeLedger,
) -> None:
    payments = [
        ("2026-03-02", "h", "ALPHA STORES", 6_000),
        ("2026-03-02", "i", "ALPHA STORES LEEDS", 7_000),
        ("2026-03-03", "h", "ALPHA", 5_000),
    ]
    ledger = make_ledger(payments)
    assert ledger.frame["alias_id"].tolist() == [
        "ALPHA STORES",
        "ALPHA STORES LEEDS",
        "ALPHA STORES",
    ]
    assert _found(ledger, "alias") == [0, 0, 2]


def test_a_split_under_one_name_is_no_split_of_several_names(make_ledger: MakeLedger) -> None:
    ledger = make_ledger([("2026-03-02", "h", "ALPHA STORES", 6_000)] * 2)
    assert _found(ledger, "limit") == [2, 2]
    assert _found(ledger, "alias") == [0, 0]


def test_two_merchants_of_one_category_are_a_split_on_one_day_only(
    make_ledger: MakeLedger,
) -> None:
    def found(second: str, code: str = "5111") -> list[float]:
        payments = [
            ("2026-03-02", "h", "ALPHA", 6_000, {"mcc": "5111"}),
            (second, "h", "BRAVO", 7_000, {"mcc": code}),
        ]
        return _found(make_ledger(payments), "category")

    assert found("2026-03-02") == [2, 2]
    assert found("2026-03-03") == [0, 0]
    assert found("2026-03-02", "5251") == [0, 0]


def test_payments_without_a_category_are_not_taken_for_one_category(
    make_ledger: MakeLedger,
) -> None:
    payments = [("2026-03-02", "h", name, 9_000) for name in ("ALPHA", "BRAVO")]
    assert _found(make_ledger(payments), "category") == [0, 0]


def test_every_column_that_a_search_names_is_a_feature_with_a_meaning_and_its_own_values(
    make_ledger: MakeLedger,
) -> None:
    features = {name_of(feature): feature for feature in FEATURES}
    random = np.random.default_rng(5)
    payments = [
        (
            START + dt.timedelta(days=int(random.integers(0, 20))),
            f"h{random.integers(3)}",
            str(random.choice(NAMES)),
            int(random.choice([4_000, 6_000, 9_900])),
            {"mcc": "5111"},
        )
        for _ in range(60)
    ]
    ledger = make_ledger(payments, POLICY)
    built = build_features(ledger)
    for name, search in SEARCHES.items():
        table = find_splits(ledger, search)
        assert (table["count"] > 0).any(), name
        for column in search.columns:
            feature = f"{name}_split_{column}"
            assert built[feature].tolist() == table[column].tolist(), feature
            assert "{" not in (features[feature].__doc__ or "{"), feature


EVIDENCE = {
    "count": 3,
    "total_pence": 22_000,
    "limit_pence": 10_000,
    "span_days": 0,
    "needed_count": 3,
    "needed_pence": 22_000,
    "needed_bookings_count": 2,
    "chance_share": 0.01,
    "earlier_count": 1,
}
"""A split of no special kind, for which something speaks and something against."""


def _evidence_of(ledger: Ledger, **change: float) -> float:
    """Return what speaks for a split that is as `EVIDENCE` says, save for a change."""
    line = SPLIT_DEFAULTS | EVIDENCE | change
    table = {name: np.array([value]) for name, value in line.items()} | {"row": np.array([0])}
    ledger.once("split limit", lambda: table)
    return float(split.split_surprise(ledger)[0])


@pytest.mark.parametrize(
    ("column", "weaker_to_stronger"),
    [
        ("chance_share", (1.0, 0.3, 0.01, 1e-6, 1e-12)),
        ("needed_pence", (10_001, 15_000, 22_000, 30_000)),
        ("limit_pence", (20_000, 12_000, 10_000)),
        ("needed_count", (4, 3, 2)),
        ("needed_bookings_count", (5, 3, 2, 1)),
        ("earlier_count", (9, 3, 1, 0)),
    ],
)
def test_each_thing_that_speaks_for_a_split_adds_to_its_evidence_by_itself(
    make_ledger: MakeLedger, column: str, weaker_to_stronger: tuple[float, ...]
) -> None:
    payment = ("2026-03-02", "h", "ALPHA", 6_000)
    found = [_evidence_of(make_ledger([payment]), **{column: x}) for x in weaker_to_stronger]
    assert found == sorted(found)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    ("column", "weaker_to_stronger"),
    [
        ("needed_least_pence", (400, 2_000, 7_333)),
        ("needed_bookings_count", (3, 2, 1)),
    ],
)
def test_uneven_parts_and_several_purposes_weaken_what_speaks_for_several_holders(
    make_ledger: MakeLedger, column: str, weaker_to_stronger: tuple[float, ...]
) -> None:
    ledgers = [make_ledger([("2026-03-02", "h", "ALPHA", 6_000)]) for _ in weaker_to_stronger]
    found = []
    for ledger, value in zip(ledgers, weaker_to_stronger, strict=True):
        line = SPLIT_DEFAULTS | EVIDENCE | {"needed_least_pence": 7_333, column: value}
        table = {name: np.array([one]) for name, one in line.items()} | {"row": np.array([0])}
        ledger.once("split unit", lambda table=table: table)
        found.append(float(split.unit_split_surprise(ledger)[0]))
    assert found == sorted(found)
    assert len(set(found)) == len(found)


def test_parts_of_several_holders_are_weighed_as_they_were_paid_and_booked(
    make_ledger: MakeLedger,
) -> None:
    def evidence(first: int, second: int, *purposes: str) -> float:
        payments = [
            (
                "2026-03-02",
                f"h{n}",
                "ALPHA",
                pence,
                {"cost_centre": f"u{n}", "description": purpose},
            )
            for n, (pence, purpose) in enumerate(zip((first, second), purposes, strict=True))
        ]
        return float(split.unit_split_surprise(make_ledger(payments, POLICY))[-1])

    alike = evidence(6_000, 6_000, "paper", "Paper ")
    assert alike > evidence(9_900, 2_100, "paper", "paper"), "as large together, one part small"
    assert alike > evidence(6_000, 6_000, "paper", "tools")


def test_one_holders_uneven_parts_are_weighed_as_before(make_ledger: MakeLedger) -> None:
    payment = ("2026-03-02", "h", "ALPHA", 6_000)
    even, uneven = (
        _evidence_of(make_ledger([payment]), needed_least_pence=pence) for pence in (7_333, 400)
    )
    assert even == uneven


def test_however_much_speaks_against_a_split_it_has_more_evidence_than_none(
    make_ledger: MakeLedger,
) -> None:
    payment = ("2026-03-02", "h", "ALPHA", 6_000)
    against = {"needed_pence": 10_001, "needed_count": 20, "needed_bookings_count": 20}
    assert _evidence_of(make_ledger([payment]), **against, chance_share=1, earlier_count=300) > 0
    assert split.split_surprise(make_ledger([payment])).tolist() == [0]


def test_what_else_is_bought_beside_the_parts_does_not_speak_against_them(
    make_ledger: MakeLedger,
) -> None:
    parts = [("2026-03-02", "h", "ALPHA", pence) for pence in (9_900, 9_800)]
    small = [("2026-03-02", "h", "ALPHA", 300, {"description": "stamps"})] * 3
    alone, beside = make_ledger(parts), make_ledger([*parts, *small])
    found = {n: v[0] for n, v in find_splits(beside, SEARCHES["limit"]).items()}
    assert (found["count"], found["needed_count"], found["needed_pence"]) == (5, 2, 19_700)
    assert found["needed_bookings_count"] == 1
    assert split.split_surprise(beside)[0] >= split.split_surprise(alone)[0]


def _across(make_ledger: MakeLedger, payments: list[tuple[Any, ...]]) -> list[float]:
    unit = {"cost_centre": "u1"}
    ledger = make_ledger([(*payment, unit) for payment in payments], POLICY)
    return find_splits(ledger, SEARCHES["unit"])["needed_count"].tolist()


def test_a_colleague_who_joins_in_is_found_although_one_holder_passes_the_limit_alone(
    make_ledger: MakeLedger,
) -> None:
    own = [("2026-03-02", "h1", "ALPHA", pence) for pence in (7_000, 6_000)]
    assert _across(make_ledger, [*own, ("2026-03-02", "h2", "ALPHA", 6_500)]) == [2, 2, 2]
    assert _across(make_ledger, [*own, ("2026-03-02", "h2", "ALPHA", 500)]) == [0, 0, 0]


def test_a_standing_payment_is_no_part_of_a_split_across_holders(
    make_ledger: MakeLedger,
) -> None:
    months = [(f"2025-{month:02}-03", "h1", "ALPHA", 6_300 + month) for month in range(8, 13)]
    now = [("2026-02-03", "h1", "ALPHA", 6_305), ("2026-02-03", "h2", "ALPHA", 7_000)]
    assert _across(make_ledger, [*months, *now])[-2:] == [2, 2]
    more = [("2026-01-03", "h1", "ALPHA", 6_300)]
    assert _across(make_ledger, [*months, *more, *now])[-2:] == [0, 0]
    elsewhere = [("2026-01-03", "h1", "BRAVO", 6_300)]
    assert _across(make_ledger, [*months, *elsewhere, *now])[-2:] == [2, 2]


def test_two_parts_of_almost_the_limit_speak_louder_than_three_weekly_shops(
    make_ledger: MakeLedger,
) -> None:
    past = [
        (START - dt.timedelta(days=3 + 7 * week), "h", "GROCER", 4_000 + 37 * week)
        for week in range(20)
    ]
    parts = [("2026-03-02", "h", "ALPHA", pence) for pence in (9_900, 9_800)]
    shops = [(f"2026-03-{day:02}", "h", "GROCER", 4_100) for day in (2, 5, 9)]
    surprise = split.split_surprise(make_ledger([*past, *parts, *shops])).tolist()
    assert max(surprise[22:]) > 0
    assert min(surprise[20:22]) > max(surprise[22:]) + 2
