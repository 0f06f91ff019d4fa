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
