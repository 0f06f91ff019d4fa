"""A merchant surprises where others use it and neither the holder nor their neighbours do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cardwatch.features import likelihood

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.features import Ledger

    MakeLedger = Callable[..., Ledger]

GARAGE, OFFICE = ("TYRES DIRECT", "OIL SUPPLY"), ("PAPER MILL", "PRINT WORKS")
CODES = {"TYRES DIRECT": "5532", "OIL SUPPLY": "5172", "PAPER MILL": "5111", "PRINT WORKS": "2741"}


def _two_groups(*last: tuple[str, str, str], coded: bool = True) -> list[tuple[Any, ...]]:
    """Return four months of two groups of holders with their own merchants, then some payments."""
    lines = []
    for month in range(1, 5):
        for who in range(6):
            group, shops = ("garage", GARAGE) if who < 3 else ("office", OFFICE)
            lines += [
                (f"2026-{month:02}-{3 + 4 * i + who:02}", f"{group}{who}", shops[i % 2], 2_000)
                for i in range(5)
                # One holder of each group has never used its second merchant.
                if not (who in {0, 3} and i % 2)
            ]
    lines += [(*payment, 2_000) for payment in last]
    return [(*x, {"mcc": CODES.get(x[2], "") if coded else "", "category": ""}) for x in lines]


def _last(ledger: Ledger, count: int) -> list[float]:
    return likelihood.merchant_surprise(ledger).tolist()[-count:]


def test_another_groups_merchant_surprises_more_than_one_the_holders_neighbours_use(
    make_ledger: MakeLedger,
) -> None:
    day = "2026-05-10"
    lines = _two_groups((day, "office3", "OIL SUPPLY"), (day, "office3", "PRINT WORKS"))
    other_group, neighbours = _last(make_ledger(lines), 2)
    assert other_group > neighbours + 1


def test_a_merchant_the_holder_always_uses_does_not_surprise(make_ledger: MakeLedger) -> None:
    lines = _two_groups(("2026-05-10", "office3", "PAPER MILL"))
    assert _last(make_ledger(lines), 1) == [0]


def test_once_used_another_groups_merchant_surprises_less_the_next_time(
    make_ledger: MakeLedger,
) -> None:
    days = ("2026-05-10", "2026-05-11")
    first, second = _last(
        make_ledger(_two_groups(*[(d, "office3", "OIL SUPPLY") for d in days])), 2
    )
    assert first > second


def test_a_category_surprises_like_its_merchants_do(make_ledger: MakeLedger) -> None:
    day = "2026-05-10"
    lines = _two_groups((day, "office3", "OIL SUPPLY"), (day, "office3", "PRINT WORKS"))
    other_group, neighbours = likelihood.category_surprise(make_ledger(lines)).tolist()[-2:]
    assert other_group > neighbours + 1


def test_where_no_category_is_known_no_category_surprises(make_ledger: MakeLedger) -> None:
    lines = _two_groups(("2026-05-10", "office3", "OIL SUPPLY"), coded=False)
    ledger = make_ledger(lines)
    assert (likelihood.category_surprise(ledger) == 0).all()
    assert likelihood.merchant_surprise(ledger).iloc[-1] > 0


def test_a_category_in_words_stands_in_where_there_is_no_code(make_ledger: MakeLedger) -> None:
    lines = _two_groups(("2026-05-10", "office3", "OIL SUPPLY"))
    worded = [(*x[:4], {"mcc": "", "category": f"Kind {x[4]['mcc']}"}) for x in lines]
    by_code = likelihood.category_surprise(make_ledger(lines))
    by_words = likelihood.category_surprise(make_ledger(worded))
    assert by_words.iloc[-1] > 0
    assert by_words.tolist() == by_code.tolist()


def test_a_refund_and_the_first_month_have_no_surprise(make_ledger: MakeLedger) -> None:
    lines = _two_groups(("2026-05-10", "office3", "OIL SUPPLY"))
    lines.append(("2026-05-11", "office4", "OIL SUPPLY", -2_000))
    ledger = make_ledger(lines)
    surprise = likelihood.merchant_surprise(ledger)
    assert surprise.iloc[-1] == 0
    assert (surprise[ledger.month == ledger.month[0]] == 0).all()


def test_a_single_holder_without_neighbours_is_scored_all_the_same(make_ledger: MakeLedger) -> None:
    lines = [(f"2026-0{m}-10", "h", name, 100) for m in (1, 2, 3) for name in ("ALPHA", "BRAVO")]
    surprise = likelihood.merchant_surprise(make_ledger([*lines, ("2026-04-01", "h", "NEW", 100)]))
    assert surprise.notna().all()


def test_a_holder_who_is_new_this_month_is_scored_all_the_same(make_ledger: MakeLedger) -> None:
    lines = _two_groups(("2026-05-10", "novice", "OIL SUPPLY"))
    assert likelihood.merchant_surprise(make_ledger(lines)).notna().all()
