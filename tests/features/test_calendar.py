"""Weekends, bank holidays by country, gaps and busy days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardwatch.features import calendar

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.features import Ledger

    MakeLedger = Callable[..., Ledger]


@pytest.mark.parametrize(
    ("day", "country", "free"),
    [
        ("2026-08-03", "SCT", True),
        ("2026-08-03", "ENG", False),
        ("2026-08-31", "ENG", True),
        ("2026-08-31", "WLS", True),
        ("2026-08-31", "NIR", True),
        ("2026-08-31", "SCT", False),
        ("2026-03-17", "NIR", True),
        ("2026-03-17", "ENG", False),
        ("2026-11-30", "SCT", True),
        ("2026-11-30", "WLS", False),
        ("2026-01-02", "SCT", True),
        ("2026-01-02", "ENG", False),
        ("2026-04-06", "ENG", True),  # Easter Monday
        ("2026-04-06", "SCT", False),
        ("2026-12-28", "ENG", True),  # in lieu of Boxing Day, a Saturday
        ("2026-12-25", "SCT", True),
        ("2026-08-01", "ENG", True),  # a Saturday
        ("2026-08-04", "ENG", False),
    ],
)
def test_a_bank_holiday_is_one_only_where_the_organisation_is(
    make_ledger: MakeLedger, day: str, country: str, *, free: bool
) -> None:
    ledger = make_ledger([(day, "h", "ALPHA", 100)], f'country = "{country}"')
    assert calendar.is_non_working_day(ledger).tolist() == [free]


def test_working_days_are_those_the_organisation_states(make_ledger: MakeLedger) -> None:
    payments = [("2026-08-01", "h", "ALPHA", 100), ("2026-08-04", "h", "ALPHA", 100)]
    ledger = make_ledger(payments, 'working_days = ["Mon", "Wed", "Thu", "Fri", "Sat"]')
    assert calendar.is_non_working_day(ledger).tolist() == [False, True]


def test_a_bank_holiday_is_known_in_every_year_of_the_statements(make_ledger: MakeLedger) -> None:
    days = ["2024-12-25", "2025-12-25", "2026-12-25", "2027-12-27"]
    ledger = make_ledger([(day, "h", "ALPHA", 100) for day in days])
    assert calendar.is_non_working_day(ledger).all()


def test_a_weekend_payment_surprises_less_from_somebody_who_works_weekends(
    make_ledger: MakeLedger,
) -> None:
    weekend = [f"2026-{m:02}-{d:02}" for m, d in ((5, 2), (5, 9), (5, 16), (5, 23), (5, 30))]
    week = [f"2026-05-{d:02}" for d in (5, 6, 7, 12, 13)]
    payments = [(day, "shift", "ALPHA", 100) for day in weekend]
    payments += [(day, "office", "ALPHA", 100) for day in week]
    payments += [("2026-06-06", "shift", "ALPHA", 100), ("2026-06-06", "office", "ALPHA", 100)]
    ledger = make_ledger(payments)
    surprise = calendar.non_working_day_surprise(ledger)
    assert surprise[-1] > surprise[-2] > 0
    assert (surprise[~calendar.is_non_working_day(ledger)] == 0).all()


def test_days_since_the_last_payment_are_counted_from_an_earlier_day_of_the_same_holder(
    make_ledger: MakeLedger,
) -> None:
    payments = [
        ("2026-03-01", "h", "ALPHA", 100),
        ("2026-03-01", "h", "BRAVO", 100),
        ("2026-03-04", "other", "ALPHA", 100),
        ("2026-03-05", "h", "ALPHA", -100),
        ("2026-03-11", "h", "ALPHA", 100),
    ]
    assert calendar.days_since_holder_paid(make_ledger(payments)).tolist() == [0, 0, 0, 4, 10]


def test_a_gap_surprises_only_when_it_is_longer_than_usual(make_ledger: MakeLedger) -> None:
    weekly = [(f"2026-{m:02}-{d:02}", "h", "ALPHA", 100) for m in (1, 2, 3) for d in (1, 8, 15, 22)]
    surprise = calendar.gap_surprise(make_ledger([*weekly, ("2026-12-01", "h", "ALPHA", 100)]))
    assert (surprise[:-1] < 0.5).all()
    assert surprise[-1] > 3


def test_eleven_payments_on_one_day_surprise_from_somebody_who_makes_one(
    make_ledger: MakeLedger,
) -> None:
    def last(each_day: int) -> float:
        payments = [
            (f"2026-03-{day:02}", "h", "ALPHA", 100)
            for day in range(1, 21)
            for _ in range(each_day)
        ]
        ledger = make_ledger([*payments, *[("2026-03-25", "h", "ALPHA", 100)] * 11])
        assert calendar.holder_day_count(ledger)[-1] == 11
        return float(calendar.busy_day_surprise(ledger)[-1])

    assert last(1) > 4
    assert last(11) < 1


def test_a_day_of_high_spending_surprises_and_an_ordinary_one_does_not(
    make_ledger: MakeLedger,
) -> None:
    usual = [(f"2026-03-{day:02}", "h", "ALPHA", 2_000 + day) for day in range(1, 25)]
    many = [*usual, *[("2026-03-30", "h", "BRAVO", 9_000)] * 20]
    surprise = calendar.day_total_surprise(make_ledger(many))
    assert surprise[-1] > 3
    assert surprise[10:24].max() < 1


def test_how_many_payments_end_a_gap_does_not_change_how_unusual_the_gap_was(
    make_ledger: MakeLedger,
) -> None:
    weekly = [(f"2026-03-{day:02}", "h", "ALPHA", 100) for day in (1, 8, 15, 22, 29)]
    last = ("2026-12-01", "h", "ALPHA", 100)
    one, ten = (
        calendar.gap_surprise(make_ledger([*weekly, *[last] * count]))[-1] for count in (1, 10)
    )
    assert one == ten > 0
