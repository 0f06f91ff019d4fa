"""Limits with dates and holders, payments just below them, and amounts above the usual."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardwatch.features import amount

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.features import Ledger

    MakeLedger = Callable[..., Ledger]

LIMITS = """
[[single_purchase]]
from = 2000-01-01
pounds = 100
vat = "included"
[[single_purchase]]
from = 2026-04-01
pounds = 200
vat = "included"
[[single_purchase]]
from = 2026-02-01
pounds = 500
vat = "included"
holders = ["chief"]
"""


def _limit(vat: str) -> str:
    return f'[[single_purchase]]\nfrom = 2000-01-01\npounds = 100\nvat = "{vat}"\n'


def test_the_limit_is_the_one_in_force_on_the_day_and_a_holders_own_beats_a_later_general_one(
    make_ledger: MakeLedger,
) -> None:
    days = ["2026-01-31", "2026-02-01", "2026-03-31", "2026-04-01"]
    payments = [(day, holder, "ALPHA", 100) for day in days for holder in ("chief", "clerk")]
    ledger = make_ledger(payments, LIMITS)
    found = amount.limit_pence(ledger).tolist()
    assert found == [10_000, 10_000, 50_000, 10_000, 50_000, 10_000, 50_000, 20_000]


def test_before_the_first_limit_nothing_is_over_it_or_near_it(make_ledger: MakeLedger) -> None:
    policy = "[[single_purchase]]\nfrom = 2026-04-01\npounds = 100\n"
    ledger = make_ledger([("2026-03-31", "h", "ALPHA", 50_000)] * 2, policy)
    assert amount.limit_pence(ledger).tolist() == [0, 0]
    assert amount.over_limit_pence(ledger).tolist() == [0, 0]
    assert not amount.is_near_limit(ledger).any()


@pytest.mark.parametrize(
    ("vat", "pence", "over", "only_with_vat"),
    [
        ("included", 10_000, 0, False),
        ("included", 10_001, 1, False),
        ("included", 12_000, 2_000, False),
        ("excluded", 12_000, 0, False),
        ("excluded", 12_001, 1, False),
        ("unknown", 10_000, 0, False),
        ("unknown", 10_001, 1, True),
        ("unknown", 12_000, 2_000, True),
        ("unknown", 12_001, 2_001, False),
    ],
)
def test_a_payment_is_over_the_limit_as_the_vat_word_says(
    make_ledger: MakeLedger, vat: str, pence: int, over: int, *, only_with_vat: bool
) -> None:
    ledger = make_ledger([("2026-03-02", "h", "ALPHA", pence)], _limit(vat))
    assert amount.over_limit_pence(ledger).tolist() == [over]
    assert amount.is_over_limit_only_with_vat(ledger).tolist() == [only_with_vat]
    assert amount.is_over_limit(ledger).tolist() == [over > 0]


def test_a_limit_nobody_stated_is_told_apart_from_a_stated_one(make_ledger: MakeLedger) -> None:
    payments = [("2026-03-02", "h", "ALPHA", 100)]
    assert not amount.is_limit_stated(make_ledger(payments, "")).any()
    assert amount.is_limit_stated(make_ledger(payments)).all()
    assert not amount.is_month_limit_stated(make_ledger(payments)).any()


def test_a_refund_is_never_over_a_limit_or_near_it(make_ledger: MakeLedger) -> None:
    ledger = make_ledger([("2026-03-02", "h", "ALPHA", -50_000)])
    assert amount.over_limit_pence(ledger).tolist() == [0]
    for feature in (amount.is_over_limit, amount.is_near_limit):
        assert not feature(ledger).any()


def test_just_below_the_limit_reaches_from_the_share_to_the_limit_itself(
    make_ledger: MakeLedger,
) -> None:
    pence = [9_499, 9_500, 9_999, 10_000, 10_001]
    ledger = make_ledger([("2026-03-02", "h", "ALPHA", each) for each in pence])
    assert amount.is_near_limit(ledger).tolist() == [False, True, True, True, False]


def test_payments_just_below_the_limit_are_counted_for_90_days_and_one_holder(
    make_ledger: MakeLedger,
) -> None:
    payments = [
        ("2026-01-01", "h", "ALPHA", 9_900),
        ("2026-01-02", "h", "BRAVO", 9_800),
        ("2026-01-03", "other", "ALPHA", 9_900),
        ("2026-03-31", "h", "ALPHA", 9_900),
        ("2026-04-01", "h", "ALPHA", 9_900),
        ("2026-04-02", "h", "ALPHA", 9_900),
    ]
    ledger = make_ledger(payments)
    assert amount.near_limit_90_days_count(ledger).tolist() == [1, 2, 1, 3, 4, 4]
    assert amount.near_limit_one_price_share(ledger).tolist() == [1, 0.5, 1, 2 / 3, 3 / 4, 3 / 4]


def test_one_product_at_one_price_below_the_limit_surprises_ever_less(
    make_ledger: MakeLedger,
) -> None:
    ledger = make_ledger([(f"2026-03-{day:02}", "h", "ALPHA", 9_900) for day in range(1, 20)])
    surprise = amount.near_limit_surprise(ledger)
    assert surprise.tolist() == sorted(surprise, reverse=True)
    assert surprise[0] > surprise[-1] > 0


def test_the_months_spending_starts_again_each_month_and_takes_refunds_off(
    make_ledger: MakeLedger,
) -> None:
    payments = [
        ("2026-03-30", "h", "ALPHA", 5_000),
        ("2026-03-31", "h", "BRAVO", -1_000),
        ("2026-03-31", "h", "BRAVO", 300, {"kind": "fee"}),
        ("2026-03-31", "other", "BRAVO", 700),
        ("2026-04-01", "h", "ALPHA", 200),
    ]
    found = amount.holder_month_spend_pence(make_ledger(payments)).tolist()
    assert found == [5_000, 4_000, 4_000, 700, 200]


def test_a_round_sum_at_a_merchant_of_odd_sums_surprises_more_than_where_all_are_round(
    make_ledger: MakeLedger,
) -> None:
    payments = []
    for day in range(1, 26):
        payments.append((f"2026-03-{day:02}", "h", "ODD SUMS", 3_017 + day))
        payments.append((f"2026-03-{day:02}", "h", "ROUND SUMS", 10_000))
    payments += [("2026-03-28", "h", "ODD SUMS", 10_000), ("2026-03-28", "h", "ROUND SUMS", 10_000)]
    surprise = amount.round_amount_surprise(make_ledger(payments))
    assert surprise[-2] > surprise[-1]
    assert surprise[0] == 0


def _usual_and_last(pence: int) -> list[tuple[str, str, str, int]]:
    usual = [(f"2026-03-{day:02}", "h", "ALPHA", 2_000 + 10 * day) for day in range(1, 28)]
    return [*usual, ("2026-03-29", "h", "ALPHA", pence)]


@pytest.mark.parametrize(
    "surprise",
    [
        amount.amount_for_holder_surprise,
        amount.amount_for_merchant_surprise,
        amount.amount_for_holder_and_merchant_surprise,
    ],
)
def test_the_higher_above_the_usual_the_more_an_amount_surprises_and_below_it_never(
    make_ledger: MakeLedger, surprise: Callable[[Ledger], object]
) -> None:
    found = [
        surprise(make_ledger(_usual_and_last(pence)))[-1]  # type: ignore[attr-defined]
        for pence in (100, 1_900, 9_000, 90_000)
    ]
    assert found[:2] == [0, 0]
    assert 0 < found[2] < found[3]


def test_a_sum_usual_for_the_merchant_surprises_less_than_the_same_sum_elsewhere(
    make_ledger: MakeLedger,
) -> None:
    payments = [(f"2026-03-{day:02}", "other", "DEAR", 80_000 + day) for day in range(1, 28)]
    payments += [(f"2026-03-{day:02}", "other", "CHEAP", 900 + day) for day in range(1, 28)]
    payments += [("2026-03-29", "h", "DEAR", 80_000), ("2026-03-29", "h", "CHEAP", 80_000)]
    surprise = amount.amount_for_merchant_surprise(make_ledger(payments))
    assert surprise[-2] < surprise[-1] / 3


def test_sums_of_the_policy_are_told_in_pence_and_none_is_0(make_ledger: MakeLedger) -> None:
    one = [("2026-03-01", "h", "A", 100)]
    own = make_ledger(one, "large_payment_pounds = 2_500\nhospitality_cap_pounds = 0")
    assert amount.large_payment_limit_pence(own).tolist() == [250_000]
    assert amount.hospitality_cap_pence(own).tolist() == [0]
    assert amount.large_payment_limit_pence(make_ledger(one)).tolist() == [0]
    assert amount.hospitality_cap_pence(make_ledger(one)).tolist() == [50_000]
