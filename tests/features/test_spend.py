"""What days, months and years come to, for holders and for cost centres."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cardwatch.features import spend

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.features import Ledger

    MakeLedger = Callable[..., Ledger]


def test_a_holders_year_takes_refunds_off_and_drops_what_is_older(make_ledger: MakeLedger) -> None:
    payments = [
        ("2025-03-01", "h", "A", 100),
        ("2025-03-02", "h", "B", 1_000),
        ("2025-09-01", "h2", "B", 7_777),
        ("2026-02-28", "h", "C", -300),
        ("2026-03-01", "h", "D", 50),
    ]
    ledger = make_ledger(payments)
    assert spend.holder_year_pence(ledger)[-1] == 1_000 - 300 + 50
    assert spend.holder_year_before_pence(ledger)[-1] == 100 + 1_000 - 300


def test_sums_of_the_policy_are_told_in_pence_and_none_is_0(make_ledger: MakeLedger) -> None:
    one = [("2026-03-01", "h", "A", 100)]
    own = make_ledger(one, "holder_year_pounds = 30_000\nnon_working_day_pounds = 99.99")
    assert spend.holder_year_limit_pence(own).tolist() == [3_000_000]
    assert spend.non_working_day_limit_pence(own).tolist() == [9_999]
    assert spend.holder_year_limit_pence(make_ledger(one)).tolist() == [0]
    assert spend.non_working_day_limit_pence(make_ledger(one)).tolist() == [0]


def test_a_day_adds_up_purchases_only_and_each_merchants_apart(make_ledger: MakeLedger) -> None:
    payments = [
        ("2026-03-01", "h", "A", 5_000),
        ("2026-03-02", "h", "A", 100),
        ("2026-03-02", "h", "B", 30),
        ("2026-03-02", "h", "A", -60),
        ("2026-03-02", "h2", "A", 9_000),
    ]
    ledger = make_ledger(payments)
    assert spend.holder_day_pence(ledger).tolist() == [5_000, 130, 130, 130, 9_000]
    assert spend.holder_merchant_day_pence(ledger).tolist() == [5_000, 100, 30, 100, 9_000]


def test_the_best_month_is_of_the_twelve_before_and_not_the_current_one(
    make_ledger: MakeLedger,
) -> None:
    payments = [
        ("2025-02-10", "h", "A", 9_000),  # thirteen months before March 2026
        ("2025-03-10", "h", "A", 4_000),
        ("2025-03-11", "h", "B", 1_000),
        ("2025-03-12", "h", "B", -500),
        ("2026-02-10", "h2", "A", 7_000),
        ("2026-03-01", "h", "A", 8_000),
        ("2026-03-20", "h", "A", 10),
    ]
    best = spend.holder_best_month_before_pence(make_ledger(payments)).tolist()
    assert best == [0, 9_000, 9_000, 9_000, 0, 4_500, 4_500]


def test_what_a_month_comes_to_elsewhere_leaves_this_merchant_out(make_ledger: MakeLedger) -> None:
    payments = [
        ("2026-02-28", "h", "B", 5_000),
        ("2026-03-01", "h", "A", 1_000),
        ("2026-03-02", "h", "B", 300),
        ("2026-03-03", "h", "B", -100),
        ("2026-03-04", "h", "A", 1_000),
        ("2026-03-05", "h", "B", 50),
    ]
    elsewhere = spend.holder_month_elsewhere_pence(make_ledger(payments)).tolist()
    assert elsewhere == [0, 0, 1_000, 1_000, 200, 2_000]


def test_a_holders_month_is_ranked_among_all_months_of_the_year_before(
    make_ledger: MakeLedger,
) -> None:
    known = [("2026-02-10", f"h{i}", "A", 1_000 * (i + 1)) for i in range(9)]
    older = [("2025-01-10", f"h{i}", "A", 99_000) for i in range(9)]
    asked = [("2026-03-05", "x", "A", 5_000), ("2026-03-06", "y", "A", 9_001)]
    share = spend.holder_month_top_share(make_ledger([*known, *older, *asked]))[-2:]
    assert share.tolist() == [6 / 10, 1 / 10]  # 5,000 to 9,000 are as large as 5,000


def test_the_month_so_far_counts_and_not_what_follows(make_ledger: MakeLedger) -> None:
    known = [("2026-02-10", f"h{i}", "A", 1_000) for i in range(9)]
    asked = [("2026-03-05", "x", "A", 500), ("2026-03-06", "x", "A", 600)]
    share = spend.holder_month_top_share(make_ledger([*known, *asked]))[-2:]
    assert share.tolist() == [1.0, 1 / 10]


def _unit(day: str, merchant: str, pence: int, unit: str = "u") -> tuple[Any, ...]:
    return (day, "h", merchant, pence, {"cost_centre": unit})


def test_a_merchants_share_of_a_cost_centre_is_of_its_own_year_and_all_holders(
    make_ledger: MakeLedger,
) -> None:
    payments = [
        _unit("2025-01-01", "A", 90_000),
        _unit("2026-03-01", "A", 3_000),
        _unit("2026-03-02", "B", 2_000),
        ("2026-03-03", "h2", "A", 3_000, {"cost_centre": "u"}),
        _unit("2026-03-03", "A", 70_000, "v"),
    ]
    ledger = make_ledger(payments)
    assert spend.unit_merchant_year_share(ledger).tolist() == [1.0, 1.0, 0.4, 0.75, 1.0]
    assert spend.unit_merchant_year_pence(ledger)[-2] == 6_000
    assert spend.unit_year_count(ledger).tolist() == [1, 1, 2, 3, 1]
    assert spend.unit_merchants_count(ledger).tolist() == [1, 1, 2, 2, 1]


def test_refunds_above_a_cost_centres_spending_make_no_share(make_ledger: MakeLedger) -> None:
    payments = [_unit("2026-03-01", "A", 3_000), _unit("2026-03-02", "A", -5_000)]
    assert spend.unit_merchant_year_share(make_ledger(payments)).tolist() == [1.0, 0.0]


def test_payments_without_a_cost_centre_are_no_cost_centre(make_ledger: MakeLedger) -> None:
    ledger = make_ledger([_unit("2026-03-01", "A", 3_000, "")])
    assert spend.unit_merchant_year_share(ledger).tolist() == [0.0]
    assert spend.unit_year_count(ledger).tolist() == [0]
    assert spend.unit_merchants_count(ledger).tolist() == [0]


def test_a_merchant_that_had_half_before_is_counted_up_to_the_day_before(
    make_ledger: MakeLedger,
) -> None:
    payments = [
        _unit("2024-01-01", "A", 1_000),
        _unit("2026-03-01", "B", 6_000),
        _unit("2026-03-02", "A", 6_000),
        _unit("2026-03-02", "A", 100),
        _unit("2026-03-03", "A", 100),
    ]
    before = spend.unit_merchant_half_before_count(make_ledger(payments)).tolist()
    assert before == [0, 0, 0, 0, 2]


def _monthly(who: str, pence: int) -> list[tuple[Any, ...]]:
    months = ["2025-04", *(f"2025-{m:02}" for m in range(5, 13)), "2026-01", "2026-02"]
    return [(f"{month}-15", who, "ALPHA", pence) for month in months]


MARCH = ("2026-03-20", "h", "ALPHA", 5_000)


def test_a_rise_in_march_is_what_exceeds_three_usual_months(make_ledger: MakeLedger) -> None:
    rise = spend.year_end_rise_pence(make_ledger([*_monthly("h", 1_000), MARCH]))
    assert rise[-1] == pytest.approx(5_000 - 3 * 1_000)
    assert rise[:-1].sum() == 0
    april = spend.year_end_rise_pence(
        make_ledger([*_monthly("h", 1_000), ("2026-04-10", *MARCH[1:])])
    )
    assert april.sum() == 0
    usual = spend.year_end_rise_pence(make_ledger([*_monthly("h", 2_000), MARCH]))
    assert usual.sum() == 0


def test_a_rise_that_others_share_is_none(make_ledger: MakeLedger) -> None:
    history = [*_monthly("h", 1_000), *_monthly("h2", 1_000)]
    steady = [*history, ("2026-03-10", "h2", "ALPHA", 1_000), MARCH]
    alike = [*history, ("2026-03-10", "h2", "ALPHA", 4_000), MARCH]
    assert spend.year_end_rise_pence(make_ledger(steady))[-1] == pytest.approx(2_000)
    assert spend.year_end_rise_pence(make_ledger(alike))[-1] == 0


def test_a_first_purchase_in_march_is_no_rise(make_ledger: MakeLedger) -> None:
    assert spend.year_end_rise_pence(make_ledger([MARCH])).sum() == 0
