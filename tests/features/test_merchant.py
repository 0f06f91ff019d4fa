"""Merchants: new ones, hidden sellers, listed categories, and sums of a year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cardwatch.features import merchant

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from cardwatch.features import Ledger

    MakeLedger = Callable[..., Ledger]

LISTS = """
blocked_categories = ["7995"]
watched_categories = ["5900-5950", "7801"]
cash_categories = ["6010-6012"]
bulk_categories = ["3000-3999"]
gift_card_words = ["gift card", "love2shop"]
bulk_words = ["inn", "air"]
personal_categories = ["5995"]
personal_words = ["toy shop"]
hospitality_categories = ["5811-5814"]
hospitality_words = ["catering"]
fuel_categories = ["5541"]
fuel_words = ["filling station"]
restricted_words = ["wine"]
watched_merchants = ["Ravelstoke Bookmakers Ltd", "ACE"]
"""


@pytest.mark.parametrize(
    ("feature", "inside", "outside"),
    [
        (merchant.is_blocked_category, ["7995"], ["7994", "7996", "", "79"]),
        (merchant.is_watched_category, ["5900", "5921", "5950", "7801"], ["5899", "5951", ""]),
        (merchant.is_cash, ["6010", "6011", "6012"], ["6009", "6013", ""]),
        (merchant.is_billed_in_parts, ["3000", "3500", "3999"], ["2999", "4000", "0300"]),
        (merchant.is_personal_kind, ["5995"], ["5996", ""]),
        (merchant.is_watched_kind, ["5995", "5900", "7801"], ["5996", ""]),
        (merchant.is_hospitality, ["5811", "5812", "5814"], ["5810", "5815", ""]),
        (merchant.is_fuel, ["5541"], ["5540", "5983", ""]),
    ],
)
def test_a_range_of_categories_holds_both_its_ends_and_nothing_beyond(
    make_ledger: MakeLedger,
    feature: Callable[[Ledger], pd.Series[bool]],
    inside: list[str],
    outside: list[str],
) -> None:
    codes = [*inside, *outside]
    payments = [("2026-03-02", "h", "ALPHA", 100, {"mcc": code}) for code in codes]
    wanted = [True] * len(inside) + [False] * len(outside)
    assert feature(make_ledger(payments, LISTS)).tolist() == wanted


def test_a_refund_from_a_blocked_category_is_not_asked_about(make_ledger: MakeLedger) -> None:
    ledger = make_ledger([("2026-03-02", "h", "ALPHA", -100, {"mcc": "7995"})], LISTS)
    assert not merchant.is_blocked_category(ledger).any()


def test_cash_drawn_is_cash_whatever_its_category(make_ledger: MakeLedger) -> None:
    ledger = make_ledger([("2026-03-02", "h", "ATM", 100, {"kind": "cash"})], LISTS)
    assert merchant.is_cash(ledger).all()


@pytest.mark.parametrize(
    ("name", "category", "found"),
    [
        ("The Gift Card Shop", "", True),
        ("LOVE2SHOP.CO.UK", "", True),
        ("ALPHA", "Gift card sellers", True),
        ("GIFT CARDS R US", "", False),  # whole words: plurals are listed for themselves
        ("CARD FACTORY", "", False),
    ],
)
def test_gift_cards_are_known_by_whole_words_of_merchant_or_category(
    make_ledger: MakeLedger, name: str, category: str, *, found: bool
) -> None:
    ledger = make_ledger([("2026-03-02", "h", name, 100, {"category": category})], LISTS)
    assert merchant.is_gift_card(ledger).tolist() == [found]


def test_a_word_inside_another_word_lists_no_merchant(make_ledger: MakeLedger) -> None:
    names = ["PREMIER INN", "INNOVATION LTD", "AIR FRANCE", "REPAIRS", "Hairdresser"]
    ledger = make_ledger([("2026-03-02", "h", name, 100) for name in names], LISTS)
    assert merchant.is_billed_in_parts(ledger).tolist() == [True, False, True, False, False]


@pytest.mark.parametrize(
    ("name", "code", "is_fee"),
    [
        ("DVSA", "", True), ("DSA", "", True), ("DSA THEORY TEST", "", True),
        ("HMCOURTS-SERVICE.G", "9222", True), ("COMPANIES HOUSE", "9399", True),
        ("ALPHA", "9311", True), ("DSA SUPPLIES", "", False), ("HMRC ADVICE LTD", "", False),
        ("DRIVING STANDARDS TRAINING", "", False), ("TENNIS COURT SERVICE", "", False),
        ("DVLA PLATES", "5533", False), ("COUNTY COURT CLEANING LIMITED", "9399", False),
    ],
)  # fmt: skip
def test_a_name_alone_makes_no_public_body_of_a_firm(
    make_ledger: MakeLedger, name: str, code: str, *, is_fee: bool
) -> None:
    ledger = make_ledger([("2026-03-02", "h", name, 100, {"mcc": code})])
    assert merchant.is_statutory_fee(ledger).tolist() == [is_fee]


def test_an_empty_list_of_words_lists_nobody(make_ledger: MakeLedger) -> None:
    ledger = make_ledger([("2026-03-02", "h", "GIFT CARD", 100)], "gift_card_words = []")
    assert not merchant.is_gift_card(ledger).any()


def test_a_payment_in_pounds_or_in_a_currency_not_said_is_not_foreign(
    make_ledger: MakeLedger,
) -> None:
    currencies = ["", "GBP", "USD", "EUR"]  # the reader writes pounds as GBP
    payments = [("2026-03-02", "h", "A", 100, {"original_currency": c}) for c in currencies]
    assert merchant.is_foreign(make_ledger(payments)).tolist() == [False, False, True, True]


def test_earlier_purchases_are_those_of_days_before(make_ledger: MakeLedger) -> None:
    mcc = {"mcc": "5111"}
    payments = [
        ("2026-03-01", "h1", "ALPHA", 100, mcc),
        ("2026-03-01", "h2", "ALPHA", 100),
        ("2026-03-02", "h1", "ALPHA LTD", 100, mcc),
        ("2026-03-02", "h1", "BRAVO", 100, mcc),
        ("2026-03-02", "h1", "ALPHA", -100),
        ("2026-03-03", "h1", "ALPHA", 100),
    ]
    ledger = make_ledger(payments)
    assert merchant.holder_merchant_before_count(ledger).tolist() == [0, 0, 1, 0, 1, 2]
    assert merchant.merchant_before_count(ledger).tolist() == [0, 0, 2, 0, 2, 3]
    assert merchant.category_before_count(ledger).tolist() == [0, -1, 1, 1, -1, -1]
    assert merchant.organisation_before_count(ledger).tolist() == [0, 0, 2, 2, 2, 4]
    assert merchant.holder_before_count(ledger).tolist() == [0, 0, 1, 1, 1, 3]
    assert merchant.merchant_holders_count(ledger).tolist() == [2, 2, 2, 1, 2, 2]
    assert merchant.organisation_holders_count(ledger).tolist() == [2] * 6


def test_a_years_sums_take_refunds_off_and_drop_what_is_older_than_a_year(
    make_ledger: MakeLedger,
) -> None:
    payments = [
        ("2025-03-01", "h1", "ALPHA", 100),
        ("2025-03-02", "h1", "ALPHA", 1_000),
        ("2025-06-01", "h2", "ALPHA", 7),
        ("2026-02-28", "h1", "ALPHA", -300),
        ("2026-03-01", "h1", "ALPHA", 50),
    ]
    ledger = make_ledger(payments)
    assert merchant.holder_merchant_year_pence(ledger)[-1] == 1_000 - 300 + 50
    assert merchant.holder_merchant_year_before_pence(ledger)[-1] == 100 + 1_000 - 300
    assert merchant.merchant_year_pence(ledger)[-1] == 1_000 + 7 - 300 + 50
    assert merchant.merchant_year_before_pence(ledger)[-1] == 100 + 1_000 + 7 - 300
    assert merchant.holder_merchant_year_count(ledger)[-1] == 2


def test_months_of_a_year_are_counted_once_each(make_ledger: MakeLedger) -> None:
    days = ["2026-01-05", "2026-01-20", "2026-02-01", "2026-04-30"]
    ledger = make_ledger([(day, "h", "ALPHA", 100) for day in days])
    assert merchant.holder_merchant_year_months_count(ledger).tolist() == [1, 1, 2, 3]


def test_a_hidden_seller_surprises_more_the_rarer_for_the_holder_and_the_larger_the_sum(
    make_ledger: MakeLedger,
) -> None:
    usual = [(f"2026-03-{day:02}", "seldom", "ALPHA", 2_000) for day in range(1, 25)]
    often = [(f"2026-03-{day:02}", "often", "PAYPAL *MANY", 2_000) for day in range(1, 25)]
    last = [
        ("2026-03-30", "seldom", "PAYPAL *ONE", 50_000),
        ("2026-03-30", "seldom", "PAYPAL *ONE", 500),
        ("2026-03-30", "often", "PAYPAL *ONE", 50_000),
        ("2026-03-30", "often", "ALPHA", 50_000),
    ]
    ledger = make_ledger([*usual, *often, *last])
    surprise = merchant.hidden_seller_surprise(ledger).tolist()
    assert surprise[-4] > surprise[-3] > 0
    assert surprise[-4] > surprise[-2] > 0
    assert surprise[-1] == 0
    assert merchant.is_seller_hidden(ledger).tolist()[-4:] == [True, True, True, False]


@pytest.mark.parametrize(
    ("feature", "name", "category"),
    [
        (merchant.is_personal_kind, "THE TOY SHOP 12", ""),
        (merchant.is_watched_kind, "ALPHA", "Toy shop"),
        (merchant.is_hospitality, "BRAVO CATERING", ""),
        (merchant.is_fuel, "ALPHA", "Filling station"),
        (merchant.is_restricted_item, "BRAVO WINE CELLAR", ""),
    ],
)
def test_a_list_works_by_words_where_there_are_no_codes_and_leaves_refunds_out(
    make_ledger: MakeLedger,
    feature: Callable[[Ledger], pd.Series[bool]],
    name: str,
    category: str,
) -> None:
    payments: list[tuple[Any, ...]] = [
        ("2026-03-02", "h", name, 100, {"category": category}),
        ("2026-03-02", "h", name, -100, {"category": category}),
        ("2026-03-02", "h", "CHARLIE", 100),
    ]
    assert feature(make_ledger(payments, LISTS)).tolist() == [True, False, False]


def test_restricted_goods_are_also_looked_for_in_what_a_payment_was_for(
    make_ledger: MakeLedger,
) -> None:
    purposes = ["Wine for the retirement", "Winery visit, no goods", ""]
    payments = [("2026-03-02", "h", "ALPHA", 100, {"description": text}) for text in purposes]
    found = merchant.is_restricted_item(make_ledger(payments, LISTS)).tolist()
    assert found == [True, False, False]


def test_a_listed_merchant_is_known_by_like_spellings_and_through_a_payment_service(
    make_ledger: MakeLedger,
) -> None:
    names = {
        "RAVELSTOKE BOOKMAKERS": True,
        "ravelstoke bookmaker": True,
        "RAVELSTOKE BOOKMAKERS HULL 0231": True,
        "PAYPAL *RAVELSTOKE BOOKMAKERS": True,
        "RAVELSTOKE BAKERS": False,
        "ACE HARDWARE": True,
        "ACES": False,
        "THE ACE": False,
    }
    ledger = make_ledger([("2026-03-02", "h", name, 100) for name in names], LISTS)
    found = dict(zip(ledger.frame["merchant"], merchant.is_watched_merchant(ledger), strict=True))
    assert found == names


def test_no_merchant_is_listed_by_default_and_no_refund_ever(make_ledger: MakeLedger) -> None:
    payments = [("2026-03-02", "h", "ACE", 100), ("2026-03-02", "h", "ACE", -100)]
    assert not merchant.is_watched_merchant(make_ledger(payments)).any()
    assert merchant.is_watched_merchant(make_ledger(payments, LISTS)).tolist() == [True, False]


def test_a_merchant_under_another_name_of_the_organisations_own_stays_listed(
    make_ledger: MakeLedger,
) -> None:
    policy = 'watched_merchants = ["ALPHA"]\n[merchant_aliases]\n"ALPHA" = "ZULU HOLDINGS"\n'
    payments = [("2026-03-02", "h", name, 100) for name in ("ALPHA", "BRAVO")]
    found = merchant.is_watched_merchant(make_ledger(payments, policy)).tolist()
    assert found == [True, False]


def test_a_holders_fuel_is_counted_to_the_day_before(make_ledger: MakeLedger) -> None:
    fuel = {"mcc": "5541"}
    payments = [
        ("2026-03-01", "h", "ALPHA", 100, fuel),
        ("2026-03-02", "h", "ALPHA", 100, fuel),
        ("2026-03-02", "other", "ALPHA", 100, fuel),
        ("2026-03-03", "h", "BRAVO", 100),
    ]
    counts = merchant.holder_fuel_before_count(make_ledger(payments, LISTS)).tolist()
    assert counts == [0, 1, 0, 2]


def test_a_merchants_categories_are_those_of_days_before_and_blank_ones_are_none(
    make_ledger: MakeLedger,
) -> None:
    codes = ["5111", "5111", "", "7299"]
    payments = [
        (f"2026-03-0{day}", "h", "ALPHA", 100, {"mcc": code})
        for day, code in enumerate(codes, start=1)
    ]
    ledger = make_ledger(payments)
    assert merchant.merchant_category_before_count(ledger).tolist() == [0, 1, -1, 0]
    assert merchant.merchant_categories_before_count(ledger).tolist() == [0, 1, 1, 1]


def test_fuel_is_known_by_what_it_was_booked_for(make_ledger: MakeLedger) -> None:
    booked = [{"description": text} for text in ("Vehicle FILLING STATION", "stationery")]
    lines = [("2026-03-02", "h", "ALPHA", 5_000, more) for more in booked]
    assert merchant.is_fuel(make_ledger(lines, LISTS)).tolist() == [True, False]


@pytest.mark.parametrize(
    ("word", "merchant_name", "expected"),
    [
        ("£50 card", "Shop £50 card", True),
        ("£50 card", "Shop £50 cards", False),
        ("gift (e-code)", "GIFT (E-CODE)", True),
        ("gift+", "A gift+ shop", True),
        ("gift+", "A gifting shop", False),
        ("a.b", "a.b", True),
        ("a.b", "axb", False),
        ("café", "Vin CAFÉ Ltd", True),
        ("caf", "Vin café", False),
    ],
)
def test_a_listed_word_means_itself_whatever_marks_it_has(
    make_ledger: MakeLedger, word: str, merchant_name: str, *, expected: bool
) -> None:
    ledger = make_ledger([("2026-03-02", "h", merchant_name, 100)], f'gift_card_words = ["{word}"]')
    assert merchant.is_gift_card(ledger).tolist() == [expected]


def test_lists_that_a_policy_leaves_empty_mark_no_payment(make_ledger: MakeLedger) -> None:
    """An empty list of words is no pattern: some engines refuse it, others match everything."""
    empty = "\n".join(f"{line.split(' = ')[0]} = []" for line in LISTS.strip().splitlines())
    payments = [("2026-03-02", "h", "Gift card catering wine inn", 100)]
    ledger = make_ledger(payments, empty)
    for feature in (
        merchant.is_gift_card,
        merchant.is_billed_in_parts,
        merchant.is_personal_kind,
        merchant.is_hospitality,
        merchant.is_fuel,
        merchant.is_restricted_item,
        merchant.is_watched_merchant,
    ):
        assert not feature(ledger).any()
