"""A holder's month is told by what is new in it, not by what is paid every month anyway."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardwatch.features.holder_month import holder_month_single_count
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
