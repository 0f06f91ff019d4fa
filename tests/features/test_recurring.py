"""What comes again and again: drips past a step, steady sums, monthly charges."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from cardwatch.features import recurring

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.features import Ledger

    MakeLedger = Callable[..., Ledger]

STEP_100 = '[[step]]\nfrom = 2000-01-01\npounds = 100\nvat = "included"\n'
WEEKLY = ["2026-03-02", "2026-03-11", "2026-03-20", "2026-03-29"]


def _weekly(pence: int, *who: str, **more: Any) -> list[tuple[Any, ...]]:
    """Return four payments nine days apart, by the holders named in turn."""
    return [(day, who[i % len(who)], "ALPHA TOOLS", pence, more) for i, day in enumerate(WEEKLY)]


def test_a_drip_is_told_on_the_day_its_thirty_days_pass_the_step(make_ledger: MakeLedger) -> None:
    ledger = make_ledger(_weekly(3_000, "h"), STEP_100)
    assert recurring.drip_count(ledger).tolist() == [0, 0, 0, 4]
    assert recurring.drip_total_pence(ledger).tolist() == [0, 0, 0, 12_000]


def test_thirty_days_of_exactly_the_step_are_no_drip(make_ledger: MakeLedger) -> None:
    assert recurring.drip_count(make_ledger(_weekly(2_500, "h"), STEP_100)).sum() == 0
    assert recurring.drip_count(make_ledger(_weekly(2_501, "h"), STEP_100))[-1] == 4


def test_payments_thirty_one_days_apart_are_not_added_up(make_ledger: MakeLedger) -> None:
    days = {"2026-03-02": 30, "2026-03-03": 29}  # days before 1 April
    for first, apart in days.items():
        payments = [(first, "h", "ALPHA", 6_000), ("2026-04-01", "h", "ALPHA", 6_000)]
        count = recurring.drip_count(make_ledger(payments, STEP_100))[-1]
        assert count == (2 if apart <= 29 else 0)


def test_what_passes_the_step_within_eight_days_is_a_split_and_no_drip(
    make_ledger: MakeLedger,
) -> None:
    days = ["2026-03-02", "2026-03-20", "2026-03-27"]
    payments = [(day, "h", "ALPHA", 6_000) for day in days]
    assert recurring.drip_count(make_ledger(payments, STEP_100)).tolist() == [0, 2, 0]
    assert recurring.drip_count(make_ledger(payments[1:], STEP_100)).sum() == 0


def test_a_drip_is_told_once_in_a_year(make_ledger: MakeLedger) -> None:
    more = [("2026-04-07", "h", "ALPHA TOOLS", 3_000)]
    for month, told in (("03", 0), ("05", 4)):  # less and more than a year after 7 April
        again = [(f"2027-{month}-{day[8:]}", "h", "ALPHA TOOLS", 3_000) for day in WEEKLY]
        ledger = make_ledger([*_weekly(3_000, "h"), *more, *again], STEP_100)
        assert recurring.drip_count(ledger).tolist() == [0, 0, 0, 4, 0, 0, 0, 0, told]


def test_a_payment_over_the_step_alone_is_no_part_of_a_drip(make_ledger: MakeLedger) -> None:
    payments = [("2026-03-02", "h", "ALPHA", 10_001), ("2026-03-20", "h", "ALPHA", 3_000)]
    assert recurring.drip_count(make_ledger(payments, STEP_100)).sum() == 0


def test_a_refund_takes_a_drip_back_under_the_step(make_ledger: MakeLedger) -> None:
    refund = [("2026-03-15", "h", "ALPHA TOOLS", -3_000)]
    ledger = make_ledger([*_weekly(3_000, "h"), *refund], STEP_100)
    assert recurring.drip_count(ledger).sum() == 0


def test_days_that_look_loaded_twice_make_no_drip(make_ledger: MakeLedger) -> None:
    ledger = make_ledger(_weekly(3_000, "h", day_doubled=True), STEP_100)
    assert recurring.drip_count(ledger).sum() == 0


def test_holders_of_one_cost_centre_drip_together_where_none_does_alone(
    make_ledger: MakeLedger,
) -> None:
    shared = make_ledger(_weekly(3_000, "h1", "h2"), STEP_100)
    assert recurring.drip_count(shared).sum() == 0
    assert recurring.unit_drip_count(shared).tolist() == [0, 0, 0, 4]
    assert recurring.unit_drip_total_pence(shared)[-1] == 12_000
    alone = make_ledger(_weekly(3_000, "h1"), STEP_100)
    assert recurring.unit_drip_count(alone).sum() == 0


def test_holders_without_a_cost_centre_are_no_unit(make_ledger: MakeLedger) -> None:
    ledger = make_ledger(_weekly(3_000, "h1", "h2", cost_centre=""), STEP_100)
    assert recurring.unit_drip_count(ledger).sum() == 0


def _five(pence: list[int], holders: str) -> list[tuple[Any, ...]]:
    days = ["2026-03-02", "2026-03-05", "2026-03-11", "2026-03-18", "2026-03-24"]
    return [(day, f"h{who}", "ALPHA", p) for day, p, who in zip(days, pence, holders, strict=True)]


@pytest.mark.parametrize(
    ("pence", "holders", "told"),
    [
        ([2_100, 2_200, 2_000, 2_150, 2_050], "12121", 5),
        ([2_100, 2_200, 2_000, 2_150, 2_050], "11111", 0),  # one holder alone
        ([500, 6_000, 700, 2_150, 2_050], "12121", 0),  # sums that differ
        ([2_000, 2_000, 2_000, 2_000, 2_000], "12121", 0),  # the step and no penny more
    ],
)
def test_like_sums_of_several_holders_are_told_when_they_pass_the_step(
    make_ledger: MakeLedger, pence: list[int], holders: str, told: int
) -> None:
    ledger = make_ledger(_five(pence, holders), STEP_100)
    assert recurring.steady_count(ledger).tolist() == [0, 0, 0, 0, told]
    assert recurring.steady_total_pence(ledger)[-1] == (sum(pence) if told else 0)


def test_four_payments_of_like_sums_are_not_steady(make_ledger: MakeLedger) -> None:
    four = _five([3_000] * 5, "12121")[1:]
    assert recurring.steady_count(make_ledger(four, STEP_100)).sum() == 0


def test_steady_sums_are_told_once_in_a_year(make_ledger: MakeLedger) -> None:
    again = [("2026-03-27", "h1", "ALPHA", 2_100)]
    ledger = make_ledger([*_five([2_100] * 5, "12121"), *again], STEP_100)
    assert recurring.steady_count(ledger).tolist() == [0, 0, 0, 0, 5, 0]


def test_months_of_the_very_same_sum_are_counted_once_each_and_to_the_penny(
    make_ledger: MakeLedger,
) -> None:
    days = ["2026-01-05", "2026-01-25", "2026-02-05", "2026-03-05"]
    equal = [(day, "h", "ALPHA", 4_500) for day in days]
    other = [("2026-03-06", "h", "ALPHA", 4_501), ("2026-03-07", "h2", "ALPHA", 4_500)]
    ledger = make_ledger([*equal, *other])
    assert recurring.equal_months_count(ledger).tolist() == [1, 1, 2, 3, 1, 1]


def _charges(
    *days: str, pence: int = 799, first: int = 12_000, since: str = "2026-01-02"
) -> list[tuple[Any, ...]]:
    """Return one purchase and charges after it."""
    return [(since, "h", "ALPHA", first), *((day, "h", "ALPHA", pence) for day in days)]


MONTHLY = ("2026-01-09", "2026-02-09", "2026-03-09")


@pytest.mark.parametrize("first", [12_000, 100], ids=["an order", "a trial"])
def test_a_charge_of_every_month_after_one_of_another_sum_is_told_the_third_time(
    make_ledger: MakeLedger, first: int
) -> None:
    ledger = make_ledger(_charges(*MONTHLY, "2026-04-09", first=first))
    assert recurring.subscription_year_pence(ledger).tolist() == [0, 0, 0, 12 * 799, 0]


@pytest.mark.parametrize(
    "payments",
    [
        _charges("2026-01-09", "2026-02-09", "2026-05-09"),  # a month left out
        _charges("2026-01-09", "2026-01-19", "2026-03-09"),  # two in one month
        _charges(*MONTHLY, since="2026-02-01"),  # the purchase came after it began
        [*_charges(*MONTHLY), ("2026-02-20", "h", "ALPHA", 3_300)],  # a shop used often
        _charges(*MONTHLY)[1:],  # agreed as such from the first day
        [*_charges(*MONTHLY)[:-1], ("2026-03-09", "other", "ALPHA", 799)],
    ],
)
def test_other_patterns_are_no_unnoticed_subscription(
    make_ledger: MakeLedger, payments: list[tuple[Any, ...]]
) -> None:
    assert recurring.subscription_year_pence(make_ledger(payments)).sum() == 0


def _paid(days: list[int], pence: int, merchant: str = "OMEGA WORKS") -> list[tuple[Any, ...]]:
    first = dt.date(2026, 5, 4)
    return [(first + dt.timedelta(days=n), "h", merchant, pence) for n in days]


SLOW_POLICY = '[[single_purchase]]\nfrom = 2000-01-01\npounds = 100\nvat = "included"\n'


def test_a_slow_total_is_asked_when_it_passes_the_limit_and_when_it_has_doubled(
    make_ledger: MakeLedger,
) -> None:
    weekly = _paid([7 * n for n in range(9)], 4_800)
    found = recurring.slow_total_count(make_ledger(weekly, SLOW_POLICY))
    # 144 pounds at the third, over 200 at the fifth, over 400 at the ninth.
    assert np.flatnonzero(found).tolist() == [2, 4, 8]
    assert found[8] == 9
    assert recurring.slow_total_pence(make_ledger(weekly, SLOW_POLICY))[8] == 9 * 4_800


@pytest.mark.parametrize(
    ("days", "pence"),
    [([0, 7], 9_000), ([0, 10, 20], 3_000), ([0, 60, 120, 180], 4_000), ([0, 9, 18], 10_100)],
    ids=["two days", "within the limit", "too slowly", "each over the limit"],
)
def test_what_adds_up_to_no_slow_total(
    make_ledger: MakeLedger, days: list[int], pence: int
) -> None:
    assert not recurring.slow_total_count(make_ledger(_paid(days, pence), SLOW_POLICY)).any()


def _slow_surprise(make_ledger: MakeLedger, days: list[int], sums: list[int]) -> float:
    """Return the surprise of the last payment of a cardholder known for a year before."""
    before = [
        payment
        for n in range(120)
        for payment in _paid([3 * n - 400], 200 + 311 * n % 9_000, f"SHOP {n}")
    ]
    paid = [
        payment for day, pence in zip(days, sums, strict=True) for payment in _paid([day], pence)
    ]
    return float(recurring.slow_total_surprise(make_ledger(before + paid, SLOW_POLICY))[-1])


def test_a_slow_total_of_like_sums_is_more_unusual(make_ledger: MakeLedger) -> None:
    days = [0, 8, 15, 21, 30]
    alike = _slow_surprise(make_ledger, days, [2_100, 2_200, 2_050, 2_150, 2_100])
    unlike = _slow_surprise(make_ledger, days, [300, 4_000, 200, 5_000, 1_100])
    assert alike > unlike + 2
    equal = _slow_surprise(make_ledger, days, [2_120] * 5)
    assert equal == pytest.approx(alike, abs=0.3), "equal sums may be a price, and say no more"


def test_a_slow_total_says_less_where_the_cardholder_paid_as_often_before(
    make_ledger: MakeLedger,
) -> None:
    days, sums = [0, 8, 15, 21, 30], [2_100, 2_200, 2_050, 2_150, 2_100]
    often, small = [14 * n - 300 for n in range(14)], [15, 12, 17, 14, 16, 13, 15] * 2
    new = _slow_surprise(make_ledger, days, sums)
    known = _slow_surprise(make_ledger, [*often, *days], [*small, *sums])
    assert 0 < known < new - 1


def test_a_standing_supplier_has_no_slow_total_until_it_rises(make_ledger: MakeLedger) -> None:
    standing = _paid([7 * n - 420 for n in range(73)], 4_800)
    late = recurring.slow_total_count(make_ledger(standing, SLOW_POLICY))[-13:]
    assert not late.any()


def test_a_total_that_rests_on_the_limit_is_asked_about_when_it_goes_beyond(
    make_ledger: MakeLedger,
) -> None:
    exactly = _paid([0, 7, 14, 21], 2_500)
    assert not recurring.slow_total_count(make_ledger(exactly, SLOW_POLICY)).any()
    beyond = recurring.slow_total_count(make_ledger(exactly + _paid([28], 100), SLOW_POLICY))
    assert np.flatnonzero(beyond).tolist() == [4]


def _at_a_shop_for_everything(others_pence: int) -> list[tuple[Any, ...]]:
    """Return nine holders' payments at a shop, of whom one pays the most but for another."""
    shop = _paid([7 * n for n in range(3)], 4_800, "SHOP")
    payments = [(day, f"h{n}", name, 900) for n in range(9) for day, _, name, _ in shop]
    return payments + [(day, "other", name, others_pence) for day, _, name, _ in shop] + shop


@pytest.mark.parametrize(("others_pence", "asked"), [(4_700, True), (4_900, False)])
def test_a_slow_total_at_a_shop_for_everything_is_asked_of_whoever_pays_most(
    make_ledger: MakeLedger, others_pence: int, *, asked: bool
) -> None:
    known = [(dt.date(2026, 4, 1), f"h{n}", "SHOP", 900) for n in range(9)]
    ledger = make_ledger(known + _at_a_shop_for_everything(others_pence), SLOW_POLICY)
    last = recurring.slow_total_count(ledger)[-1]
    assert (last > 0) == asked


@pytest.mark.parametrize("taken_back", ["a refund", "a day loaded twice"])
def test_what_another_did_not_spend_silences_no_slow_total(
    make_ledger: MakeLedger, taken_back: str
) -> None:
    known = [(dt.date(2026, 4, 1), f"h{n}", "SHOP", 900) for n in range(9)]
    others: list[tuple[Any, ...]] = [
        (dt.date(2026, 5, 5), "h2", "SHOP", 9_900, {"day_doubled": taken_back != "a refund"}),
        (dt.date(2026, 5, 6), "h2", "SHOP", 9_800),
    ]
    if taken_back == "a refund":
        others.append((dt.date(2026, 5, 7), "h2", "SHOP", -9_900))
    ledger = make_ledger(known + others + _paid([0, 7, 14], 4_800, "SHOP"), SLOW_POLICY)
    assert recurring.slow_total_count(ledger)[-1] == 3


LONG_AGO = (dt.date(2025, 5, 4), "other", "BETA", 500)
"""A payment that begins the history a year before: what comes later at a merchant is new."""


def _shared(days: list[int], pence: int) -> list[tuple[Any, ...]]:
    """Return payments to one merchant by a cardholder each."""
    payments = _paid(days, pence)
    return [(day, f"h{n}", merchant, paid) for n, (day, _, merchant, paid) in enumerate(payments)]


def test_what_several_cardholders_pay_adds_up_for_the_organisation(
    make_ledger: MakeLedger,
) -> None:
    ledger = make_ledger([LONG_AGO, *_shared([7 * n for n in range(9)], 4_800)], STEP_100)
    count = recurring.organisation_total_count(ledger)
    assert np.flatnonzero(count).tolist() == [3, 5, 9], "144 pounds, over 200, over 400"
    assert count[9] == 9
    assert recurring.organisation_total_days(ledger)[9] == 90


def test_what_one_cardholder_exceeds_alone_is_no_total_of_all(make_ledger: MakeLedger) -> None:
    shared = [LONG_AGO, *_paid([0, 3, 5], 4_000), *_shared([7, 14, 21], 4_800)]
    assert not recurring.organisation_total_count(make_ledger(shared, STEP_100)).any()


def test_totals_of_a_year_need_a_new_merchant_or_a_year_before(make_ledger: MakeLedger) -> None:
    spread = _shared([100, 200, 300, 400], 4_000)
    days = recurring.organisation_total_days(make_ledger([LONG_AGO, *spread], STEP_100))
    assert days.tolist() == [0, 0, 0, 365, 0], "120 pounds at the third; again only when doubled"
    assert not recurring.organisation_total_days(make_ledger(spread, STEP_100)).any()


def test_a_monthly_charge_begins_with_its_third_payment_after_a_trial_or_an_order(
    make_ledger: MakeLedger,
) -> None:
    monthly = _paid([14, 44, 75, 105], 2_999)
    found = recurring.monthly_charge_surprise(make_ledger([*_paid([0], 100), *monthly]))
    assert np.flatnonzero(found).tolist() == [3]
    alone = recurring.monthly_charge_surprise(make_ledger(monthly))
    assert found[3] > alone[2] > 0, "an earlier other sum says more"
    charges = recurring.monthly_charges_pence(make_ledger(monthly))
    assert charges.tolist() == [0, 0, 3 * 2_999, 0], "the three of them together"
    old = [*_paid([-300], 100), *monthly]
    assert not recurring.monthly_charge_surprise(make_ledger(old)).any()
