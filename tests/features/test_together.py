"""Cardholders who buy together, and what is billed for each person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from cardwatch.features import split, together

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.features import Ledger

    MakeLedger = Callable[..., Ledger]
    Payment = tuple[Any, ...]

NO_TEAM = {"cost_centre": ""}


SYLLABLES = ("ba", "ko", "li", "mu", "ne", "po", "ra", "su", "ti", "vo")


def own_name(number: int) -> str:
    """Return a name that is like no other: its digits as syllables, the last ones first."""
    return "".join(SYLLABLES[int(digit)] for digit in reversed(f"{number:04}")).upper()


def crowd(days: int = 40) -> list[Payment]:
    """Twenty holders at merchants of their own, so that little in common is to be expected."""
    dates = pd.date_range("2026-01-01", periods=days)
    return [
        (
            str(day.date()),
            f"h{holder}",
            own_name(holder * 100 + number),
            1_000 + 41 * holder + number,
            NO_TEAM,
        )
        for number, day in enumerate(dates)
        for holder in range(20)
    ]


def split_between(one: str, two: str) -> list[Payment]:
    return [
        ("2026-03-02", one, "KESTREL WORKS", 6_000, NO_TEAM),
        ("2026-03-02", two, "KESTREL WORKS", 7_000, NO_TEAM),
    ]


def test_uncommon_merchants_in_common_make_a_tie(make_ledger: MakeLedger) -> None:
    common = [
        ("2026-02-20", holder, merchant, 900, NO_TEAM)
        for holder in ("h1", "h2")
        for merchant in ("OSIER HIRE", "TEASEL SIGNS", "PLOVER TOOLS")
    ]
    tied = make_ledger(crowd() + common + split_between("h1", "h2"))
    apart = make_ledger(crowd() + common + split_between("h3", "h4"))
    assert split.SEARCH_FEATURES
    read = next(f for f in split.SEARCH_FEATURES if f.__name__ == "unit_split_pairs_count")
    assert read(tied)[-1] == 1
    assert read(apart)[-1] == 0


def test_what_comes_to_be_common_later_ties_nobody_before(make_ledger: MakeLedger) -> None:
    later = [
        ("2026-03-03", holder, merchant, 900, NO_TEAM)
        for holder in ("h1", "h2")
        for merchant in ("OSIER HIRE", "TEASEL SIGNS", "PLOVER TOOLS")
    ]
    ledger = make_ledger(crowd() + later)
    holders = ledger.group("holder_id")
    names = ledger.frame["holder_id"]
    one, two = (np.array([holders[names[names == h].index[0]]]) for h in ("h1", "h2"))
    day = ledger.day.max()
    assert not together.bought_together(ledger, one, two, np.array([day]))[0]
    assert together.bought_together(ledger, one, two, np.array([day + 1]))[0]


def test_a_cost_centre_of_many_ties_nobody(make_ledger: MakeLedger) -> None:
    payments = [("2026-03-02", f"h{n}", "SHOP", 1_000) for n in range(31)]
    assert (together.small_team(make_ledger(payments)) == -1).all()
    assert (together.small_team(make_ledger(payments[:30])) >= 0).all()


def test_equal_places_of_a_day_make_a_merchant_bill_by_person(make_ledger: MakeLedger) -> None:
    days = [f"2026-03-{day:02}" for day in range(1, 11)]
    places = [(day, f"h{n}", "THE OAK", 7_600) for day in days for n in range(2)]
    sums = [(day, f"h{n}", "ELM TOOLS", 5_000 + 7 * i + n) for i, day in enumerate(days)
            for n in range(2)]  # fmt: skip
    ledger = make_ledger(places + sums)
    by_person = pd.Series(together.is_billed_per_person(ledger))
    names = ledger.frame["merchant"]
    assert by_person[names == "THE OAK"].iloc[-1]
    assert not by_person[names == "ELM TOOLS"].any()


def test_equal_payments_of_a_day_may_be_one_purchase(make_ledger: MakeLedger) -> None:
    bought = [("2026-03-02", f"h{n}", "RAVEN", 3_300) for n in range(3)]
    shared = together.is_shared_equally(make_ledger([*crowd(), *bought]))
    assert shared[-3:].all()
    assert not shared[:-3].any()


def test_two_places_of_one_holder_are_no_share(make_ledger: MakeLedger) -> None:
    bought = [("2026-03-02", f"h{n}", "RAVEN", 3_300) for n in range(3)]
    ledger = make_ledger([*crowd(), *bought, bought[0]])
    assert not together.is_shared_equally(ledger).any()


def test_users_are_those_of_the_days_before(make_ledger: MakeLedger) -> None:
    payments = [
        ("2026-03-01", "h1", "ALPHA", 100),
        ("2026-03-01", "h2", "BRAVO", 100),
        ("2026-03-02", "h2", "ALPHA", 100),
    ]
    assert together.merchant_users_share(make_ledger(payments)).tolist() == [0, 0, 0.5]


@pytest.mark.parametrize(
    ("holders", "users", "wide"), [(20, 9, True), (20, 8, False), (100, 9, False), (3, 3, False)]
)
def test_a_merchant_is_widely_used_by_many_cardholders_and_a_large_part_of_all(
    make_ledger: MakeLedger, holders: int, users: int, *, wide: bool
) -> None:
    others = [("2026-03-01", f"h{n}", f"FIRM {n}", 100) for n in range(holders)]
    there = [("2026-03-01", f"h{n}", "BAZAAR", 100) for n in range(users)]
    ledger = make_ledger([*others, *there, ("2026-03-02", "h0", "BAZAAR", 100)])
    assert together.is_widely_used(ledger).tolist()[-1] is wide
