"""Payments made twice, and refunds that answer no charge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cardwatch.features import repeat

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.features import Ledger

    MakeLedger = Callable[..., Ledger]
    Payment = tuple[Any, ...]

DAY = "2026-03-02"
DOUBLED = {"day_doubled": True}


def test_equal_payments_of_one_day_are_counted_for_one_holder_and_merchant(
    make_ledger: MakeLedger,
) -> None:
    payments = [
        *[(DAY, "h", "ALPHA", 5_000)] * 2,
        (DAY, "h", "ALPHA", 5_001),
        (DAY, "h", "BRAVO", 5_000),
        (DAY, "other", "ALPHA", 5_000),
        ("2026-03-03", "h", "ALPHA", 5_000),
    ]
    ledger = make_ledger(payments)
    assert repeat.same_day_equal_count(ledger).tolist() == [2, 2, 1, 1, 1, 1]


def test_equal_payments_of_the_three_days_before_are_counted_and_those_of_the_fourth_are_not(
    make_ledger: MakeLedger,
) -> None:
    payments = [
        ("2026-03-01", "h", "ALPHA", 5_000),
        ("2026-03-04", "h", "ALPHA", 5_000),
        ("2026-03-08", "h", "ALPHA", 5_000),
    ]
    assert repeat.days_before_equal_count(make_ledger(payments)).tolist() == [0, 1, 0]


def test_a_repeat_on_a_day_that_looks_loaded_twice_is_no_repeat(make_ledger: MakeLedger) -> None:
    payments = [
        *[(DAY, "h", "ALPHA", 5_000, DOUBLED)] * 2,
        ("2026-03-03", "h", "ALPHA", 5_000),
    ]
    ledger = make_ledger(payments)
    assert repeat.same_day_equal_count(ledger).tolist() == [0, 0, 1]
    assert repeat.days_before_equal_count(ledger).tolist() == [0, 0, 0]
    assert repeat.repeat_surprise(ledger).tolist() == [0, 0, 0]


def test_a_day_loaded_twice_does_not_make_a_merchant_look_like_one_that_always_repeats(
    make_ledger: MakeLedger,
) -> None:
    def share(extra: dict[str, Any]) -> float:
        copies = 2 if extra else 1
        loaded = [(DAY, "h", "ALPHA", 1_000 + i, extra) for i in range(12) for _ in range(copies)]
        ledger = make_ledger([*loaded, *[("2026-03-10", "h", "ALPHA", 9_000)] * 2])
        return float(repeat.merchant_equal_share(ledger)[-1])

    assert share(DOUBLED) < 0.1
    assert share({}) < 0.1


def test_a_charge_taken_back_the_same_day_is_no_repeat(make_ledger: MakeLedger) -> None:
    payments = [*[(DAY, "h", "ALPHA", 5_000)] * 2, (DAY, "h", "ALPHA", -5_000)]
    ledger = make_ledger(payments)
    assert repeat.same_day_equal_count(ledger).tolist() == [1, 0, 0]
    assert repeat.repeat_surprise(ledger).tolist() == [0, 0, 0]


def test_a_repeat_at_a_merchant_that_often_repeats_surprises_less(make_ledger: MakeLedger) -> None:
    payments = [
        (f"2026-03-{day:02}", "other", "CAR PARK", 450) for day in range(1, 20) for _ in range(2)
    ]
    payments += [(f"2026-03-{day:02}", "other", "TOOLS", 2_000 + day) for day in range(1, 20)]
    payments += [("2026-03-25", "h", "CAR PARK", 5_000)] * 2
    payments += [("2026-03-26", "h", "TOOLS", 5_000)] * 2
    surprise = repeat.repeat_surprise(make_ledger(payments))
    assert 0 < surprise[-3] < surprise[-1] / 2


def test_the_same_sum_twice_surprises_more_the_larger_it_is(make_ledger: MakeLedger) -> None:
    small, large = (
        repeat.repeat_surprise(make_ledger([(DAY, "h", "ALPHA", pence)] * 2))[-1]
        for pence in (200, 90_000)
    )
    assert 0 < small < large


def test_holders_who_paid_one_merchant_the_same_sum_on_one_day_are_counted_once_each(
    make_ledger: MakeLedger,
) -> None:
    payments = [
        *[(DAY, "h1", "ALPHA", 5_000)] * 2,
        (DAY, "h2", "ALPHA", 5_000),
        (DAY, "h3", "ALPHA", 5_100),
        (DAY, "h4", "ALPHA", 5_000, DOUBLED),
        ("2026-03-03", "h3", "ALPHA", 5_000),
    ]
    found = repeat.equal_amount_holders_count(make_ledger(payments)).tolist()
    assert found == [2, 2, 2, 1, 0, 1]


def test_a_price_list_shows_in_the_share_of_earlier_payments_of_that_sum(
    make_ledger: MakeLedger,
) -> None:
    payments = [
        ("2026-03-01", "h1", "ALPHA", 500),
        ("2026-03-01", "h2", "ALPHA", 700),
        ("2026-03-02", "h3", "ALPHA", 500),
    ]
    found = repeat.equal_amount_holders_before_share(make_ledger(payments)).tolist()
    assert found == [0, 0, 0.5]


def _refund(ledger: Ledger) -> float:
    return float(repeat.unanswered_refund_pence(ledger)[-1])


def test_a_refund_larger_than_any_charge_before_it_is_unanswered_and_a_partial_one_is_answered(
    make_ledger: MakeLedger,
) -> None:
    charge = ("2026-03-02", "h", "ALPHA", 5_000)
    assert _refund(make_ledger([charge, ("2026-03-05", "h", "ALPHA", -2_000)])) == 0
    assert _refund(make_ledger([charge, ("2026-03-05", "h", "ALPHA", -5_000)])) == 0
    assert _refund(make_ledger([charge, ("2026-03-05", "h", "ALPHA", -5_001)])) == 5_001


def test_a_refund_is_not_answered_by_another_holders_charge_or_another_merchants(
    make_ledger: MakeLedger,
) -> None:
    refund = ("2026-03-05", "h", "ALPHA", -4_000)
    for charge in (("2026-03-02", "other", "ALPHA", 5_000), ("2026-03-02", "h", "BRAVO", 5_000)):
        assert _refund(make_ledger([charge, refund])) == 4_000


def test_a_charge_of_the_same_day_answers_a_refund_listed_before_it(
    make_ledger: MakeLedger,
) -> None:
    payments = [(DAY, "h", "ALPHA", -4_000), (DAY, "h", "ALPHA", 4_000)]
    assert repeat.unanswered_refund_pence(make_ledger(payments)).tolist() == [0, 0]


def test_a_charge_of_a_later_day_does_not_answer_a_refund(make_ledger: MakeLedger) -> None:
    payments = [(DAY, "h", "ALPHA", -4_000), ("2026-03-03", "h", "ALPHA", 4_000)]
    assert repeat.unanswered_refund_pence(make_ledger(payments)).tolist() == [4_000, 0]


def test_an_unanswered_refund_surprises_only_once_the_holder_is_known_for_90_days(
    make_ledger: MakeLedger,
) -> None:
    first = ("2026-01-01", "h", "BRAVO", 100)
    for day, surprises in (("2026-03-31", False), ("2026-04-01", True)):
        ledger = make_ledger([first, (day, "h", "ALPHA", -9_000)])
        assert (repeat.refund_surprise(ledger)[-1] > 0) == surprises


def test_a_burst_is_nine_payments_at_one_merchant_on_one_day(make_ledger: MakeLedger) -> None:
    nine = [("2026-03-01", "h", "ALPHA", 100 + i) for i in range(9)]
    eight = [("2026-03-02", "h", "BRAVO", 100 + i) for i in range(8)]
    last = [("2026-03-03", "h2", name, 100) for name in ("ALPHA", "BRAVO")]
    ledger = make_ledger([*nine, *eight, *last])
    assert repeat.holder_merchant_day_count(ledger).tolist() == [9] * 9 + [8] * 8 + [1, 1]
    assert repeat.merchant_burst_before_count(ledger).tolist() == [0] * 17 + [9, 0]


def test_a_day_that_looks_loaded_twice_is_no_burst(make_ledger: MakeLedger) -> None:
    nine = [("2026-03-01", "h", "ALPHA", 100 + i, {"day_doubled": True}) for i in range(9)]
    assert repeat.holder_merchant_day_count(make_ledger(nine)).sum() == 0


def test_a_charge_taken_back_and_made_again_is_no_repeat(make_ledger: MakeLedger) -> None:
    charge, back = ("2026-03-02", "h", "ALPHA", 5_000), ("2026-03-03", "h", "ALPHA", -5_000)
    for again in ("2026-03-03", "2026-03-04"):
        ledger = make_ledger([charge, back, (again, "h", "ALPHA", 5_000)])
        assert repeat.days_before_equal_count(ledger).sum() == 0
        assert repeat.same_day_equal_count(ledger).max() == 1
        assert repeat.repeat_surprise(ledger).sum() == 0


def test_of_two_charges_before_one_refund_one_still_stands(make_ledger: MakeLedger) -> None:
    payments = [
        *[("2026-03-02", "h", "ALPHA", 5_000)] * 2,
        ("2026-03-03", "h", "ALPHA", -5_000),
        ("2026-03-04", "h", "ALPHA", 5_000),
    ]
    assert repeat.days_before_equal_count(make_ledger(payments)).tolist() == [0, 0, 0, 1]


def test_a_refund_before_any_charge_hides_no_repeat(make_ledger: MakeLedger) -> None:
    payments = [
        ("2026-03-01", "h", "ALPHA", -5_000),
        ("2026-03-02", "h", "ALPHA", 5_000),
        ("2026-03-03", "h", "ALPHA", 5_000),
    ]
    assert repeat.days_before_equal_count(make_ledger(payments)).tolist() == [0, 0, 1]


def test_a_refund_of_a_charge_of_its_own_day_hides_no_repeat(make_ledger: MakeLedger) -> None:
    payments = [
        ("2026-03-01", "h", "ALPHA", 5_000),
        *[("2026-03-02", "h", "ALPHA", 5_000)] * 2,
        ("2026-03-02", "h", "ALPHA", -5_000),
    ]
    assert repeat.days_before_equal_count(make_ledger(payments)).tolist() == [0, 1, 0, 0]


def test_a_refund_of_a_charge_of_long_before_hides_no_repeat(make_ledger: MakeLedger) -> None:
    payments = [
        ("2026-03-01", "h", "ALPHA", 5_000),
        ("2026-03-10", "h", "ALPHA", -5_000),
        ("2026-03-11", "h", "ALPHA", 5_000),
        ("2026-03-12", "h", "ALPHA", 5_000),
    ]
    assert repeat.days_before_equal_count(make_ledger(payments)).tolist() == [0, 0, 0, 1]


def test_a_repeat_that_is_taken_back_later_was_a_repeat_on_its_day(
    make_ledger: MakeLedger,
) -> None:
    payments = [
        ("2026-03-01", "h", "ALPHA", 5_000),
        ("2026-03-02", "h", "ALPHA", 5_000),
        ("2026-03-03", "h", "ALPHA", -5_000),
    ]
    assert repeat.days_before_equal_count(make_ledger(payments)).tolist() == [0, 1, 0]


def _bills(ledger: Ledger) -> list[float]:
    return [round(value, 6) for value in repeat.other_bill_surprise(ledger).tolist()]


def _trade(merchant: str, sums: range) -> list[tuple[Any, ...]]:
    """Return earlier payments of other sums to a merchant, by several holders."""
    return [(f"2026-01-{n % 28 + 1:02d}", f"o{n % 5}", merchant, 100 * n + 7) for n in sums]


def test_a_bill_of_two_holders_is_one_on_the_same_day_or_within_sixty_days(
    make_ledger: MakeLedger,
) -> None:
    trade = _trade("ALPHA", range(10, 40))
    for day, found in (("2026-05-30", True), ("2026-05-02", True), ("2026-08-30", False)):
        again = [("2026-05-01", "h", "ALPHA", 43_752), (day, "g", "ALPHA", 43_752)]
        assert (_bills(make_ledger([*trade, *again]))[-1] > 0) == found, day
    own = [("2026-05-01", "h", "ALPHA", 43_752), ("2026-05-02", "h", "ALPHA", 43_752)]
    assert _bills(make_ledger([*trade, *own]))[-1] == 0, "by one holder it is another question"


def test_a_bill_of_two_holders_says_more_the_nearer_the_days_are(make_ledger: MakeLedger) -> None:
    trade = _trade("ALPHA", range(10, 60))

    def bill(day: str) -> float:
        again = [("2026-05-01", "h", "ALPHA", 43_752), (day, "g", "ALPHA", 43_752)]
        return float(_bills(make_ledger([*trade, *again]))[-1])

    assert bill("2026-05-02") > bill("2026-05-08") > bill("2026-05-22") > bill("2026-06-25")


def test_a_bill_of_two_holders_says_less_where_the_sum_is_a_price(make_ledger: MakeLedger) -> None:
    again = [("2026-05-01", "h", "ALPHA", 1_500), ("2026-05-01", "g", "ALPHA", 1_500)]
    bills = _trade("ALPHA", range(20, 50))
    prices = [(day, who, where, 1_500) for day, who, where, _ in bills]
    rare, common = (_bills(make_ledger([*before, *again]))[-1] for before in (bills, prices))
    assert rare > common + 3


def test_a_bill_of_two_holders_counts_at_a_large_merchant_and_for_a_small_sum(
    make_ledger: MakeLedger,
) -> None:
    large = _trade("ALPHA", range(10, 400))
    for pence in (1_853, 43_752):
        again = [("2026-05-01", "h", "ALPHA", pence), ("2026-05-01", "g", "ALPHA", pence)]
        assert _bills(make_ledger([*large, *again]))[-1] > 5


def test_a_bill_says_more_of_a_cardholder_who_hardly_pays_there(make_ledger: MakeLedger) -> None:
    trade = _trade("ALPHA", range(10, 60)) + _trade("BETA", range(10, 2_000))

    def bill(own: int) -> float:
        often = [(f"2026-04-{n + 1:02d}", "g", "ALPHA", 50_000 + 11 * n) for n in range(own)]
        elsewhere = [(f"2026-04-{n + 1:02d}", "g", "BETA", 900 + n) for n in range(12)]
        again = [("2026-05-01", "h", "ALPHA", 43_752), ("2026-05-02", "g", "ALPHA", 43_752)]
        return _bills(make_ledger([*trade, *often, *elsewhere, *again]))[-1]

    assert bill(own=12) < bill(own=0) - 1


def test_a_bill_says_less_where_sums_that_end_like_it_have_come_twice(
    make_ledger: MakeLedger,
) -> None:
    """Sums that end in 99 are prices: two people pay one without a bill that reached both."""
    trade = _trade("ALPHA", range(10, 60)) + _trade("BETA", range(10, 60))

    def bill(ending: int, pence: int) -> float:
        twice = [
            (f"2026-02-{day:02}", who, "BETA", 10_000 * n + ending)
            for n, day in enumerate(range(1, 25), 3)
            for who in ("o1", "o2")
        ]
        again = [("2026-05-01", "h", "ALPHA", pence), ("2026-05-02", "g", "ALPHA", pence)]
        return _bills(make_ledger([*trade, *twice, *again]))[-1]

    assert bill(ending=99, pence=43_799) < bill(ending=99, pence=43_752) - 1
    assert bill(ending=52, pence=43_752) < bill(ending=52, pence=43_799) - 1
    assert bill(ending=0, pence=43_000) < bill(ending=0, pence=43_700 + 52) - 1
    assert bill(ending=0, pence=43_500) == bill(ending=99, pence=43_500), "fives are no tens"


def test_a_charge_taken_back_on_its_day_is_no_second_bill(make_ledger: MakeLedger) -> None:
    payments = [
        ("2026-05-01", "h", "ALPHA", 43_752),
        ("2026-05-02", "g", "ALPHA", 43_752),
        ("2026-05-02", "g", "ALPHA", -43_752),
    ]
    assert _bills(make_ledger(payments))[1] == 0


def test_a_sum_charged_twice_says_more_the_rarer_it_is(make_ledger: MakeLedger) -> None:
    def twice(before: list[tuple[Any, ...]], pence: int) -> float:
        again = [("2026-05-01", "h", "ALPHA", pence), ("2026-05-03", "h", "ALPHA", pence)]
        return float(repeat.charged_twice_surprise(make_ledger([*before, *again]))[-1])

    bills = _trade("ALPHA", range(20, 50))
    prices = [(day, who, where, 1_500) for day, who, where, _ in bills]
    assert twice(bills, 1_500) > twice(prices, 1_500) > 0


def test_pairs_of_one_day_say_nothing_of_a_sum_charged_again_days_later(
    make_ledger: MakeLedger,
) -> None:
    """Tickets bought two at a time do not explain a bill that is paid again two days later."""
    pairs = [
        (f"2026-{month:02}-{day:02}", "h", "ALPHA", 1_000 * day + 10 * month)
        for month in (1, 2, 3)
        for day in range(1, 20, 3)
        for _ in range(2)
    ]
    alone = [payment for n, payment in enumerate(pairs) if n % 2]

    def twice(before: list[Any], day: str) -> float:
        again = [("2026-05-01", "h", "ALPHA", 43_752), (day, "h", "ALPHA", 43_752)]
        return float(repeat.charged_twice_surprise(make_ledger([*before, *again]))[-1])

    assert twice(pairs, "2026-05-01") < twice(alone, "2026-05-01") - 1
    assert twice(pairs, "2026-05-03") > twice(alone, "2026-05-03")


def test_a_sum_charged_twice_is_no_rarer_where_everybody_buys(make_ledger: MakeLedger) -> None:
    small, large = _trade("SMALL", range(10, 200)), _trade("LARGE", range(10, 6_000))
    found = {}
    for name in ("SMALL", "LARGE"):
        again = [("2026-05-01", "h", name, 43_752), ("2026-05-03", "h", name, 43_752)]
        ledger = make_ledger([*small, *large, *again])
        found[name] = float(repeat.charged_twice_surprise(ledger)[-1])
    assert abs(found["LARGE"] - found["SMALL"]) < 3


def test_a_refund_that_answers_another_holders_charge_says_more(make_ledger: MakeLedger) -> None:
    def refund(payer: str) -> float:
        payments = [
            ("2026-05-01", payer, "ALPHA", 20_000),
            ("2026-05-20", "h", "ALPHA", -20_000),
        ]
        return float(repeat.unanswered_refund_surprise(make_ledger(payments))[-1])

    assert refund("h") == 0
    assert refund("other") > 0
    charge = [("2026-05-01", "other", "ALPHA", 20_000), ("2026-05-20", "h", "ALPHA", -9_000)]
    assert refund("other") > repeat.unanswered_refund_surprise(make_ledger(charge))[-1]


def _to_other(ledger: Ledger) -> float:
    return float(repeat.refund_to_other_pence(ledger)[-1])


def test_a_refund_of_part_of_a_colleagues_charge_went_to_another_card(
    make_ledger: MakeLedger,
) -> None:
    refund = ("2026-05-20", "h", "ALPHA", -9_000)
    for day, pence, expected in (
        ("2026-05-01", 20_000, 9_000),
        ("2026-05-20", 9_000, 9_000),
        ("2026-03-21", 20_000, 9_000),
        ("2026-03-20", 20_000, 0),  # longer ago than 60 days
        ("2026-05-21", 20_000, 0),  # after the refund
        ("2026-05-01", 8_999, 0),  # too little to be what came back
    ):
        assert _to_other(make_ledger([(day, "other", "ALPHA", pence), refund])) == expected


def test_who_ever_paid_the_merchant_has_a_refund_of_their_own(make_ledger: MakeLedger) -> None:
    charge = ("2026-05-01", "other", "ALPHA", 20_000)
    own = ("2025-01-05", "h", "ALPHA", 300)
    refund = ("2026-05-20", "h", "ALPHA", -9_000)
    assert _to_other(make_ledger([own, charge, refund])) == 0
    assert _to_other(make_ledger([refund])) == 0


def test_a_charge_elsewhere_answers_a_refund_unless_a_colleagues_here_is_of_its_very_size(
    make_ledger: MakeLedger,
) -> None:
    elsewhere = ("2026-04-01", "h", "BRAVO", 9_000)
    refund = ("2026-05-20", "h", "ALPHA", -9_000)
    for pence, expected in ((20_000, 0), (9_000, 9_000)):
        charge = ("2026-05-01", "other", "ALPHA", pence)
        ledger = make_ledger([elsewhere, charge, refund])
        assert _to_other(ledger) == expected
        assert (repeat.unanswered_refund_surprise(ledger)[-1] > 0) == (expected > 0)


def test_a_purchase_is_no_refund_to_another_card(make_ledger: MakeLedger) -> None:
    payments = [("2026-05-01", "other", "ALPHA", 9_000), ("2026-05-20", "h", "ALPHA", 9_000)]
    assert not repeat.refund_to_other_pence(make_ledger(payments)).any()
