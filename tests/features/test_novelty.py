"""What is new to a holder and rare in the organisation, alone or in a burst."""

from __future__ import annotations

import datetime as dt
import math
from typing import TYPE_CHECKING, Any

import pytest

from cardwatch.features import novelty

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.features import Ledger

    MakeLedger = Callable[..., Ledger]
    Payment = tuple[Any, ...]

START = dt.date(2026, 1, 1)


def _daily(holder: str, merchants: list[str], days: int, **more: str) -> list[Payment]:
    """Return a payment a day, to each merchant in turn."""
    return [
        (START + dt.timedelta(days=n), holder, merchants[n % len(merchants)], 4_000 + n, more)
        for n in range(days)
    ]


def _ordinary() -> list[Payment]:
    payments: list[Payment] = []
    for number in range(6):
        payments += _daily(f"h{number}", ["ALPHA STATIONERS", "BETA FOODS", "GAMMA TOOLS"], 60)
    return payments


LATER = dt.date(2026, 4, 1)


def test_a_new_merchant_says_more_of_a_holder_who_seldom_pays_one(make_ledger: MakeLedger) -> None:
    names = [f"SHOP {chr(65 + n)}{chr(75 + n)}" for n in range(24)]
    payments = [*_daily("steady", ["ALPHA"], 24), *_daily("curious", names, 24)]
    new = [(LATER, holder, "OMEGA", 5_000) for holder in ("steady", "curious")]
    found = novelty.holder_novelty_surprise(make_ledger([*payments, *new]))[-2:]
    assert found[0] > found[1] > 0
    known = [(LATER, "steady", "ALPHA", 5_000)]
    assert novelty.holder_novelty_surprise(make_ledger([*payments, *known]))[-1] == 0


def test_a_merchant_that_nobody_uses_is_rarer_than_one_that_others_use(
    make_ledger: MakeLedger,
) -> None:
    payments = _ordinary()
    for name, rare in (("UNHEARD OF", True), ("ALPHA STATIONERS", False)):
        ledger = make_ledger([*payments, (LATER, "stranger", name, 5_000)])
        assert (novelty.merchant_rarity_surprise(ledger)[-1] > 2) == rare


@pytest.mark.parametrize("view", ["mcc", "category"])
def test_a_category_that_hardly_anybody_buys_in_is_rare_by_code_or_by_words(
    make_ledger: MakeLedger, view: str
) -> None:
    code = {"mcc": ("5943", "5944"), "category": ("Stationery", "Jewellery")}[view]
    payments = [(*payment[:4], {view: code[0]}) for payment in _ordinary()]
    usual, odd = (
        novelty.category_rarity_surprise(
            make_ledger([*payments, (LATER, "h1", "OMEGA", 5_000, {view: word})])
        )[-1]
        for word in code
    )
    assert odd > 2 > usual


def test_a_name_says_an_odd_trade_without_any_category(make_ledger: MakeLedger) -> None:
    payments = _ordinary()
    found = {
        name: novelty.trade_rarity_surprise(make_ledger([*payments, (LATER, "h1", name, 5_000)]))[
            -1
        ]
        for name in ("OMEGA JEWELLERS", "OMEGA STATIONERS", "OMEGA LTD")
    }
    assert found["OMEGA JEWELLERS"] > 2 > found["OMEGA STATIONERS"]
    assert found["OMEGA LTD"] == 0


@pytest.mark.parametrize(
    "name", ["OMEGA TATTOO STUDIO", "OMEGA PERFUMERY", "omega saddlery", "OMEGA HAIRDRESSING"]
)
def test_a_shop_is_known_by_the_word_over_its_door_that_the_standard_lacks(
    make_ledger: MakeLedger, name: str
) -> None:
    """ISO 18245 says cosmetics and beauty; the shops call themselves otherwise."""
    odd = [*_ordinary(), (LATER, "h1", name, 5_000)]
    assert novelty.trade_rarity_surprise(make_ledger(odd))[-1] > 2
    used = [(START + dt.timedelta(days=n), f"h{n}", name, 900) for n in range(6)]
    usual = [*_ordinary(), *used, (LATER, "h9", name, 5_000)]
    assert novelty.trade_rarity_surprise(make_ledger(usual))[-1] < 2


@pytest.mark.parametrize("word", ["lgbtq", "shop", "store"])
def test_a_word_that_names_customers_or_no_trade_says_nothing(
    make_ledger: MakeLedger, word: str
) -> None:
    odd = [*_ordinary(), (LATER, "h1", f"OMEGA {word.upper()}", 5_000)]
    assert novelty.trade_rarity_surprise(make_ledger(odd))[-1] == 0


def test_in_the_month_in_which_codes_come_no_category_is_rare(make_ledger: MakeLedger) -> None:
    payments = _ordinary()
    coded = [(LATER, f"h{n}", f"NEW {chr(65 + n)}", 5_000, {"mcc": f"59{n}3"}) for n in range(4)]
    found = novelty.category_rarity_surprise(make_ledger([*payments, *coded]))
    assert found.tolist() == [0.0] * len(found)


def test_several_new_merchants_within_days_are_a_burst_and_one_is_none(
    make_ledger: MakeLedger,
) -> None:
    payments = _daily("h", ["ALPHA", "BETA"], 80)
    one = [(LATER, "h", "OMEGA", 20_000)]
    two = [*one, (LATER + dt.timedelta(days=1), "h", "SIGMA", 20_000)]
    three = [*two, (LATER + dt.timedelta(days=2), "h", "TAU", 20_000)]
    apart = [*one, (LATER + dt.timedelta(days=20), "h", "SIGMA", 20_000)]
    last = [
        novelty.new_merchants_surprise(make_ledger([*payments, *more]))[-1]
        for more in (one, two, three, apart)
    ]
    assert last[0] == last[3] == 0
    assert last[2] > last[1] > 5


def test_larger_sums_make_a_burst_more_surprising(make_ledger: MakeLedger) -> None:
    payments = _daily("h", ["ALPHA", "BETA"], 80)

    def burst(pence: int) -> float:
        more = [(LATER, "h", name, pence) for name in ("OMEGA", "SIGMA")]
        return float(novelty.new_merchants_surprise(make_ledger([*payments, *more]))[-1])

    assert burst(80_000) > burst(4_000)


def test_small_first_payments_count_with_the_larger_ones(make_ledger: MakeLedger) -> None:
    payments = _daily("h", ["ALPHA", "BETA"], 80)
    small = [(LATER, "h", f"SHOP {chr(65 + n)}", 900) for n in range(4)]
    large = [(LATER, "h", "OMEGA", 30_000), (LATER, "h", "SIGMA", 30_000)]

    def burst(*more: Payment) -> float:
        return float(novelty.new_merchants_surprise(make_ledger([*payments, *more]))[-1])

    assert burst(*small, *large) > burst(*large) + 2
    ledger = make_ledger([*payments, *small, *large])
    assert novelty.new_merchants_count(ledger)[-1] == 6
    assert novelty.new_merchants_pence(ledger)[-1] == 63_600


def test_of_a_first_day_at_a_merchant_the_largest_payment_counts(make_ledger: MakeLedger) -> None:
    payments = _daily("h", ["ALPHA", "BETA"], 80)
    other = (LATER, "h", "SIGMA", 20_000)
    for sums in ((200, 90_000), (90_000, 200)):
        first = [(LATER, "h", "OMEGA", pence) for pence in sums]
        ledger = make_ledger([*payments, *first, other])
        assert novelty.new_merchants_pence(ledger)[-1] == 110_000, "in whatever order they stand"


def test_sums_that_rise_from_day_to_day_say_more_of_a_burst(make_ledger: MakeLedger) -> None:
    """A card in other hands is tried with a little before it is used for much."""
    payments = _daily("h", ["ALPHA", "BETA"], 80)
    sums = [3_000, 3_100, 3_200, 3_300]  # none larger than is usual

    def burst(pence: list[int]) -> float:
        days = [LATER + dt.timedelta(days=n // 2) for n in range(4)]
        more = [(days[n], "h", f"SHOP {chr(65 + n)}", pence[n]) for n in range(4)]
        return float(novelty.new_merchants_surprise(make_ledger([*payments, *more]))[-1])

    mixed, falling = [3_000, 3_300, 3_100, 3_200], sums[::-1]
    assert burst(sums) == pytest.approx(burst(falling) + math.log(6)), "one in 4! / (2! 2!)"
    assert burst(mixed) == burst(falling)
    swapped = [sums[1], sums[0], *sums[2:]]
    assert burst(swapped) == pytest.approx(burst(sums)), (
        "a statement does not tell the order within a day"
    )


def _tried(make_ledger: MakeLedger, *more: tuple[dt.date, str, str, int]) -> float:
    """Return the surprise of the last payment, after 80 days of two holders' ordinary ones."""
    payments = [*_daily("h", ["ALPHA", "BETA"], 80), *_daily("other", ["ARGOS", "BETA"], 80)]
    return float(novelty.tried_card_surprise(make_ledger([*payments, *more]))[-1])


def test_a_tiny_charge_at_an_unknown_merchant_then_a_shop_everybody_knows(
    make_ledger: MakeLedger,
) -> None:
    test = (LATER, "h", "HELP THE CHARITY", 112)
    days = [LATER + dt.timedelta(days=n) for n in range(4)]
    assert _tried(make_ledger, test, (days[2], "h", "ARGOS", 30_000)) > 0
    assert _tried(make_ledger, test, (days[3], "h", "ARGOS", 30_000)) == 0  # too late
    assert _tried(make_ledger, test, (days[1], "h", "ALPHA", 30_000)) == 0  # the holder's own shop
    assert _tried(make_ledger, test, (days[1], "other", "GAMMA", 30_000)) == 0  # another card
    assert _tried(make_ledger, test, (days[1], "h", "ARGOS", 900)) == 0  # nothing to ask about
    assert _tried(make_ledger, (LATER, "h", "ARGOS", 30_000)) == 0  # nothing was tried


def test_who_often_pays_a_pound_or_two_surprises_less_by_it(make_ledger: MakeLedger) -> None:
    def coffee(holder: str) -> list[tuple[dt.date, str, str, int]]:
        return [(LATER - dt.timedelta(days=9 + n), holder, "COFFEE", 190) for n in range(20)]

    then = [(LATER, "h", "KIOSK", 190), (LATER, "h", "HOTEL", 30_000)]
    own, others = (_tried(make_ledger, *coffee(holder), *then) for holder in ("h", "other"))
    assert others > own + 1
    dearer = _tried(make_ledger, *coffee("h"), then[0], (LATER, "h", "HOTEL", 90_000))
    assert dearer > own
