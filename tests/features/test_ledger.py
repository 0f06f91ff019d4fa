"""Sums over any group and window are what a plain loop over all rows would give."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardwatch.features import FeatureColumns, habits, recurring

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.features import Ledger

    MakeLedger = Callable[..., Ledger]

GROUPS = (
    (),
    ("holder_id",),
    ("merchant_id",),
    ("holder_id", "merchant_id"),
    ("holder_id", "month"),
    ("holder_id", "merchant_id", "amount_pence"),
    ("category_id",),
    ("cost_centre", "date"),
)
START = dt.date(2026, 1, 25)
EPOCH = dt.date(1970, 1, 1).toordinal()
PAYMENTS = st.lists(
    st.tuples(
        st.integers(0, 14).map(lambda days: START + dt.timedelta(days=days)),
        st.sampled_from(["h1", "h2", "h3"]),
        st.sampled_from(["ALPHA", "BRAVO"]),
        st.sampled_from([-500, 0, 500, 700, 12_345]),
        st.fixed_dictionaries(
            {"mcc": st.sampled_from(["", "5111"]), "cost_centre": st.sampled_from(["u1", "u2"])}
        ),
    ),
    min_size=1,
    max_size=14,
)
EXAMPLES = settings(derandomize=True, max_examples=12, deadline=None)
WINDOWS = [(None, 0), (None, 1), (0, 0), (3, 0), (3, 1), (7, 2), (1, 1), (30, 3)]
"""Since and until, in days before a row's own."""


def _keys(ledger: Ledger, by: tuple[str, ...]) -> list[tuple[Any, ...]]:
    frame = ledger.frame.assign(
        month=[(d.year, d.month) for d in ledger.frame["date"]], category_id=ledger.frame["mcc"]
    )
    return list(zip(*(frame[name] for name in by), strict=True)) if by else [()] * len(frame)


def _days(ledger: Ledger) -> list[int]:
    return [date.date().toordinal() for date in ledger.frame["date"]]


def _windows(ledger: Ledger, by: tuple[str, ...], since: int | None, until: int) -> list[list[int]]:
    """Return for each row the rows of its group in its window, found one by one."""
    keys, days = _keys(ledger, by), _days(ledger)
    everyone = range(len(days))
    return [
        [
            other
            for other in everyone
            if keys[other] == keys[row]
            and days[row] - days[other] >= until
            and (since is None or days[row] - days[other] <= since)
        ]
        for row in everyone
    ]


@EXAMPLES
@given(PAYMENTS)
def test_a_total_takes_exactly_the_rows_of_the_group_within_the_window(
    make_ledger: MakeLedger, payments: list[tuple[Any, ...]]
) -> None:
    ledger = make_ledger(payments)
    for by, (since, until) in itertools.product(GROUPS, WINDOWS):
        wanted = [sum(ledger.pence[rows]) for rows in _windows(ledger, by, since, until)]
        assert ledger.total(ledger.pence, by, since, until).tolist() == wanted


@EXAMPLES
@given(PAYMENTS)
def test_a_count_takes_only_rows_that_have_the_property(
    make_ledger: MakeLedger, payments: list[tuple[Any, ...]]
) -> None:
    ledger = make_ledger(payments)
    has = ledger.is_purchase
    for by, (since, until) in itertools.product(GROUPS, WINDOWS):
        wanted = [sum(has[rows]) for rows in _windows(ledger, by, since, until)]
        assert ledger.count(has, by, since, until).tolist() == wanted


@EXAMPLES
@given(PAYMENTS)
def test_the_last_day_is_the_latest_before_the_rows_own_and_missing_without_one(
    make_ledger: MakeLedger, payments: list[tuple[Any, ...]]
) -> None:
    ledger = make_ledger(payments)
    has, days = ledger.is_purchase, [day - EPOCH for day in _days(ledger)]
    for by in GROUPS:
        earlier = _windows(ledger, by, None, 1)
        wanted = [max((days[i] for i in rows if has[i]), default=np.nan) for rows in earlier]
        np.testing.assert_array_equal(ledger.last_day(has, by), wanted)


@EXAMPLES
@given(PAYMENTS)
def test_the_largest_is_that_of_the_group_in_the_window_and_nothing_without_one(
    make_ledger: MakeLedger, payments: list[tuple[Any, ...]]
) -> None:
    ledger = make_ledger(payments)
    sums = np.maximum(ledger.pence, 0)
    for by, until in itertools.product(GROUPS, (0, 1, 3)):
        windows = _windows(ledger, by, None, until)
        wanted = [max(sums[rows], default=0) for rows in windows]
        assert ledger.largest(sums, by, until).tolist() == wanted


@EXAMPLES
@given(PAYMENTS)
def test_the_last_rows_are_the_last_of_each_group_that_have_the_property(
    make_ledger: MakeLedger, payments: list[tuple[Any, ...]]
) -> None:
    ledger = make_ledger(payments)
    has = ledger.is_purchase
    for by in GROUPS:
        last = {key: row for row, key in enumerate(_keys(ledger, by)) if has[row]}
        assert ledger.last_rows(has, by).tolist() == sorted(last.values())


def test_a_feature_is_computed_when_it_is_read_and_once(make_ledger: MakeLedger) -> None:
    columns = FeatureColumns(make_ledger([("2026-03-02", "h", "ALPHA", 500)]))
    assert columns["amount_pence"] is columns["amount_pence"]
    more = columns | {"unusualness": np.array([0.5])}
    assert more["amount_pence"] is columns["amount_pence"]
    assert list(more) == [*columns, "unusualness"]
    assert "unusualness" not in columns
    with pytest.raises(KeyError):
        columns["unusualness"]


@EXAMPLES
@given(PAYMENTS)
def test_only_the_first_row_of_a_kind_is_called_first(
    make_ledger: MakeLedger, payments: list[tuple[Any, ...]]
) -> None:
    ledger = make_ledger(payments)
    has = ledger.is_purchase
    for by in GROUPS:
        keys = _keys(ledger, by)
        wanted = [
            bool(has[row]) and not any(has[i] and keys[i] == keys[row] for i in range(row))
            for row in range(len(keys))
        ]
        assert ledger.first_of_kind(has, by).tolist() == wanted


@EXAMPLES
@given(PAYMENTS)
def test_the_rows_back_are_those_of_the_group_up_to_the_rows_own_day_in_order_of_day(
    make_ledger: MakeLedger, payments: list[tuple[Any, ...]]
) -> None:
    ledger = make_ledger(payments)
    for by, days in itertools.product(GROUPS, (None, 0, 1, 5)):
        wanted = _windows(ledger, by, days, 0)
        found = [ledger.window_rows(row, by, days).tolist() for row in range(len(ledger))]
        assert found == wanted


def test_a_purpose_and_a_category_in_words_are_the_same_however_they_are_written(
    make_ledger: MakeLedger,
) -> None:
    details = [
        {"mcc": "", "category": "Stationery", "description": "Paper "},
        {"mcc": "", "category": "STATIONERY", "description": "PAPER"},
        {"mcc": "5111", "category": "Stationery", "description": ""},
    ]
    ledger = make_ledger([("2026-03-01", "h", "ALPHA", 100, more) for more in details])
    assert ledger.category_id.tolist() == ["stationery", "stationery", "5111"]
    assert ledger.purpose_id.tolist() == ["paper", "paper", ""]
    assert ledger.is_blank("purpose_id").tolist() == [False, False, True]
    assert len(set(ledger.group("category_id", "purpose_id").tolist())) == 2


def test_a_window_that_ends_before_it_starts_is_empty(make_ledger: MakeLedger) -> None:
    ledger = make_ledger([("2026-03-01", "h", "ALPHA", 100), ("2026-03-02", "h", "ALPHA", 200)])
    assert ledger.total(ledger.pence, (), since=1, until=2).tolist() == [0, 0]


def test_rows_are_sorted_by_day_file_and_row_whatever_order_they_came_in(
    make_ledger: MakeLedger,
) -> None:
    payments = [
        ("2026-03-02", "h", "ALPHA", 1, {"file": "a.csv", "row": 2}),
        ("2026-03-01", "h", "ALPHA", 2, {"file": "b.csv", "row": 2}),
        ("2026-03-01", "h", "ALPHA", 3, {"file": "a.csv", "row": 10}),
        ("2026-03-01", "h", "ALPHA", 4, {"file": "a.csv", "row": 9}),
    ]
    assert make_ledger(payments).frame["amount_pence"].tolist() == [4, 3, 2, 1]


def test_a_missing_cost_centre_is_a_group_of_its_own(make_ledger: MakeLedger) -> None:
    payments = [
        ("2026-03-01", "h", "ALPHA", 100, {"cost_centre": None}),
        ("2026-03-01", "h", "BRAVO", 100, {"cost_centre": "u1"}),
        ("2026-03-01", "h", "ALPHA", 100, {"cost_centre": "u1"}),
        ("2026-03-01", "h", "BRAVO", 100, {"cost_centre": None}),
    ]
    groups = make_ledger(payments).group("cost_centre", "merchant_id").tolist()
    assert len(set(groups)) == 4


def test_a_fee_or_a_payment_to_the_bank_is_no_purchase(make_ledger: MakeLedger) -> None:
    payments = [
        ("2026-03-01", "h", "ALPHA", 100),
        ("2026-03-01", "h", "ALPHA", 100, {"kind": "fee"}),
        ("2026-03-01", "h", "ALPHA", 100, {"kind": "payment"}),
        ("2026-03-01", "h", "ALPHA", -100),
        ("2026-03-01", "h", "ALPHA", 0),
    ]
    ledger = make_ledger(payments)
    assert ledger.is_purchase.tolist() == [True, False, False, False, False]
    assert ledger.is_refund.tolist() == [False, False, False, True, False]


@pytest.mark.parametrize(
    "payments",
    [
        [("2026-03-02", "h", "ALPHA", -500)],
        [("2026-03-02", "h", "ALPHA", -500), ("2026-03-03", "g", "BETA", -70)],
        [("2026-03-02", "h", "ALPHA", 500)],
        [("2026-03-02", "", "", 500)],
    ],
)
def test_every_feature_is_built_of_few_rows(
    make_ledger: MakeLedger, payments: list[tuple[Any, ...]]
) -> None:
    """Of refunds alone too: a statement may hold nothing else."""
    ledger = make_ledger(payments)
    for name, column in FeatureColumns(ledger).items():
        assert len(column) == len(payments), name


def test_a_refund_takes_off_what_was_paid_before_it_and_no_more(make_ledger: MakeLedger) -> None:
    payments = [
        ("2026-03-01", "h", "ALPHA", -5_000),
        ("2026-03-02", "h", "ALPHA", 3_000),
        ("2026-03-02", "other", "ALPHA", 9_000),
        ("2026-03-03", "h", "ALPHA", -1_000),
        ("2026-03-03", "h", "BRAVO", -400),
        ("2026-03-03", "h", "BRAVO", 1_000),
        ("2026-03-04", "h", "ALPHA", -9_000),
        ("2026-03-05", "h", "ALPHA", 700),
    ]
    spent = make_ledger(payments).spent_pence.tolist()
    assert spent == [0, 3_000, 9_000, -1_000, -400, 1_000, -2_000, 700]


def test_refunds_made_up_beforehand_keep_no_total_within_the_limit(make_ledger: MakeLedger) -> None:
    """One of finance could bring a statement of refunds before the month with the payments."""
    made_up = [("2026-02-27", "h1", shop, -900_000) for shop in ("LOVE2SHOP VOUCHERS", "OSPREY")]
    usual = [(f"2025-{month:02}-03", "h1", "PAPER", 2_000) for month in range(1, 13)]
    limit = int(make_ledger(usual).column("single_purchase_limit_pence")[0])
    month = [
        (f"2026-03-{day:02}", "h1", shop, limit // 3)
        for shop in ("LOVE2SHOP VOUCHERS", "OSPREY")
        for day in (2, 9, 16, 23)
    ]
    for feature in (habits.cash_and_vouchers_count, recurring.slow_total_count):
        plain, tried = (feature(make_ledger([*usual, *first, *month])) for first in ([], made_up))
        assert plain.max() > 0
        assert tried[-len(month) :].tolist() == plain[-len(month) :].tolist()
