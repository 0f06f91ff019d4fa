"""A holder's month is told by what is new in it, not by what is paid every month anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardwatch.features.holder_month import (
    holder_earlier_months_count,
    holder_month_single_count,
)
from cardwatch.features.split import STANDING_MONTHS

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.features import Ledger

    MakeLedger = Callable[..., Ledger]


def test_standing_payments_are_not_counted_among_the_purchases_of_a_month(
    make_ledger: MakeLedger,
) -> None:
    months = range(1, STANDING_MONTHS + 2)
    weekly = [
        (f"2026-{month:02}-{day:02}", "h", "ALPHA", 5_000) for month in months for day in (2, 9)
    ]
    new = [("2026-07-16", "h", "BRAVO", 700), ("2026-07-17", "h", "ALPHA", 9_000)]
    counts = holder_month_single_count(make_ledger([*weekly, *new])).tolist()
    assert counts[:-6] == [1, 2] * (STANDING_MONTHS - 1)
    assert counts[-6:-4] == [1, 1]  # on the ninth of June the sixth month has begun before
    assert counts[-4:] == [0, 0, 1, 2]


def test_of_earlier_months_a_cards_first_month_has_none_however_busy(
    make_ledger: MakeLedger,
) -> None:
    first = [(f"2026-01-{day:02}", "h", "ALPHA", 500) for day in range(1, 26)]
    later = [("2026-02-03", "h", "ALPHA", 500), ("2026-02-04", "h", "BRAVO", 500)]
    other = [("2026-01-09", "k", "ALPHA", 500)]
    ledger = make_ledger([*first, *other, *later])
    counts = holder_earlier_months_count(ledger)
    assert counts[(ledger.frame["date"] < "2026-02-01").to_numpy()].tolist() == [0] * 26
    assert counts.tolist()[-2:] == [25, 25]
