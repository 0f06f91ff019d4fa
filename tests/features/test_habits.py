"""Sums at a merchant of one cardholder, and splits at merchant after merchant."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from cardwatch.features import habits

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.features import Ledger

    MakeLedger = Callable[..., Ledger]
    Payment = tuple[Any, ...]


def usual() -> list[Payment]:
    """Payments to the penny by ten holders at shops of their own over two months."""
    days = pd.date_range("2026-01-01", periods=60)
    return [
        (str(day.date()), f"h{holder}", f"SHOP {holder}", 1_013 + 7 * number)
        for number, day in enumerate(days)
        for holder in range(10)
    ]


def sole(sums: list[int]) -> list[Payment]:
    return [(f"2026-03-{day:02}", "h1", "FALLOW", pence) for day, pence in enumerate(sums, 1)]


def test_round_sums_at_ones_own_merchant_are_a_surprise(make_ledger: MakeLedger) -> None:
    round_sums = make_ledger(usual() + sole([3_000, 2_500, 4_000, 3_000, 2_000, 3_000]))
    to_the_penny = make_ledger(usual() + sole([3_017, 2_551, 4_049, 3_011, 3_039, 2_073]))
    assert habits.sole_merchant_surprise(round_sums)[-1] > 4.6
    assert habits.sole_merchant_surprise(to_the_penny)[-1] < 1


def test_ever_larger_sums_are_a_surprise_in_any_order_of_rows(make_ledger: MakeLedger) -> None:
    rising = sole([2_017, 2_551, 3_049, 3_511, 4_039, 5_073])
    one = habits.sole_merchant_surprise(make_ledger(usual() + rising))
    other = habits.sole_merchant_surprise(make_ledger(rising[::-1] + usual()))
    assert one.max() > 4.6
    assert one.max() == other.max()


def test_a_merchant_of_two_holders_is_none_of_ones_own(make_ledger: MakeLedger) -> None:
    payments = usual() + sole([3_000, 2_500, 4_000, 3_000, 2_000, 3_000])
    ledger = make_ledger([*payments, ("2026-02-20", "h2", "FALLOW", 1_234)])
    assert habits.sole_merchant_surprise(ledger)[-1] == 0


def splits(merchants: int) -> list[Payment]:
    return [
        (f"2026-03-{2 * number:02}", "h1", f"FIRM {name}", pence)
        for number, name in enumerate("ABCDEFG"[:merchants], 1)
        for pence in (9_100, 8_700)
    ]


def test_splits_count_by_merchant_and_again_when_doubled(make_ledger: MakeLedger) -> None:
    counts = habits.split_merchants_count(make_ledger(usual() + splits(7)))
    assert sorted(set(counts.tolist())) == [0, 3, 6]


def test_splits_of_one_holder_are_held_against_those_of_others(make_ledger: MakeLedger) -> None:
    ledger = make_ledger(usual() + splits(3))
    assert habits.split_merchants_surprise(ledger).max() > 4.6
    assert habits.split_merchants_surprise(make_ledger(usual() + splits(2))).max() == 0


def vouchers(*payments: tuple[str, int]) -> list[Payment]:
    return [(day, "h1", "LOVE2SHOP VOUCHERS", pence) for day, pence in payments]


def test_vouchers_are_told_when_their_year_passes_the_limit_and_when_it_has_doubled(
    make_ledger: MakeLedger,
) -> None:
    limit = int(make_ledger(usual()).column("single_purchase_limit_pence")[0])
    half = limit // 2 + 1
    ledger = make_ledger(
        usual()
        + vouchers(("2026-03-02", half), ("2026-03-09", half), ("2026-03-10", half))
        + vouchers(("2026-03-11", half), ("2026-03-12", half))
    )
    told = habits.cash_and_vouchers_count(ledger)
    assert told[-5:].tolist() == [0, 2, 0, 4, 0]
    assert habits.cash_and_vouchers_pence(ledger)[-4] == 2 * half
    surprise = habits.cash_and_vouchers_surprise(ledger)
    assert 0 < surprise[-4] < surprise[-2]
    assert (surprise > 0).tolist() == (told > 0).tolist()


def test_vouchers_of_one_day_are_told_once(make_ledger: MakeLedger) -> None:
    limit = int(make_ledger(usual()).column("single_purchase_limit_pence")[0])
    ledger = make_ledger(usual() + vouchers(*[("2026-03-02", limit // 3 + 1)] * 3))
    assert habits.cash_and_vouchers_count(ledger)[-3:].tolist() == [0, 0, 3]


def test_vouchers_within_the_limit_or_a_year_apart_or_of_two_holders_are_not_told(
    make_ledger: MakeLedger,
) -> None:
    limit = int(make_ledger(usual()).column("single_purchase_limit_pence")[0])
    within = make_ledger(usual() + vouchers(("2026-03-02", limit)))
    apart = make_ledger(vouchers(("2025-02-28", limit)) + usual() + vouchers(("2026-03-02", 100)))
    others = [("2026-03-03", "h2", "LOVE2SHOP VOUCHERS", limit)]
    two = make_ledger(usual() + vouchers(("2026-03-02", limit)) + others)
    for ledger in (within, apart, two):
        assert habits.cash_and_vouchers_count(ledger).max() == 0


def test_vouchers_of_every_month_are_told_once_until_their_year_has_doubled(
    make_ledger: MakeLedger,
) -> None:
    days = [str(day.date()) for day in pd.date_range("2026-01-15", periods=40, freq="31D")]
    steady = habits.cash_and_vouchers_count(make_ledger(vouchers(*[(day, 840) for day in days])))
    assert steady.astype(bool).sum() == 1, "the oldest leaves the year as another comes"
    doubled = [(day, 840 if n < 20 else 1_700) for n, day in enumerate(days)]
    told = habits.cash_and_vouchers_count(make_ledger(vouchers(*doubled)))
    assert told.astype(bool).sum() == 2


def test_vouchers_that_were_returned_or_of_a_day_loaded_twice_are_not_added_up(
    make_ledger: MakeLedger,
) -> None:
    returned = vouchers(("2026-03-02", 6_000), ("2026-03-03", -6_000), ("2026-03-04", 6_000))
    ledger = make_ledger(returned)
    assert habits.cash_and_vouchers_count(ledger).max() == 0
    assert habits.cash_and_vouchers_pence(ledger).tolist() == [6_000, 0, 6_000]
    assert habits.is_cash_or_voucher(ledger).all(), "the alert lists the refund"
    again = make_ledger([*returned, ("2026-03-05", "h1", "LOVE2SHOP VOUCHERS", 6_000)])
    assert habits.cash_and_vouchers_count(again).tolist() == [0, 0, 0, 3]
    elsewhere = make_ledger([*returned[::2], ("2026-03-05", "h1", "HOTEL", -6_000)])
    assert habits.cash_and_vouchers_count(elsewhere).max() == 2, "another refund is none of them"
    twice = make_ledger(returned[::2], day_doubled=[False, True])
    assert habits.cash_and_vouchers_count(twice).max() == 0


def test_splits_that_leave_the_year_one_by_one_are_told_once(make_ledger: MakeLedger) -> None:
    days = pd.date_range("2026-03-02", periods=8, freq="150D")
    one_by_one = [
        (str(day.date()), "h1", f"FIRM {name}", pence)
        for name, day in zip("ABCDEFGH", days, strict=True)
        for pence in (9_100, 8_700)
    ]
    counts = habits.split_merchants_count(make_ledger(usual() + one_by_one))
    assert counts[counts > 0].tolist() == [3]
