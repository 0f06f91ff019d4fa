"""Shops known by name, where a statement has no category codes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cardwatch.features import merchant, novelty
from cardwatch.features.shops import shop_code, shop_codes
from cardwatch.merchants import canonical_name
from cardwatch.policy import load_policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.features import Ledger

    MakeLedger = Callable[..., Ledger]


@pytest.mark.parametrize(
    ("printed", "code"),
    [
        ("LADBROKES 0417 LEEDS", "7995"),
        ("Paddy Power", "7995"),
        ("H.SAMUEL 112", "5944"),
        ("PAYPAL *THEPERFUMESHOP", ""),
        ("PAYPAL *SMYTHS TOYS", "5945"),
        ("Claire's Accessories", "5631"),
        ("WESTERN UNIONS CHAPEL", ""),
        ("NEW LOOKOUT LTD", ""),
        ("OSPREY JOINERY", ""),
        ("", ""),
    ],
)
def test_a_shop_is_known_by_the_words_its_name_begins_with(printed: str, code: str) -> None:
    assert shop_code(canonical_name(printed).name) == code


def test_every_shop_is_found_under_its_own_name_in_a_category_of_the_shipped_policy() -> None:
    policy = load_policy()
    listed = {
        *policy.blocked_categories,
        *policy.cash_categories,
        *policy.watched_categories,
        *policy.personal_categories,
    }
    for name, code in shop_codes().items():
        assert shop_code(canonical_name(name).name) == code, name
        assert code in listed, name


def test_a_name_counts_only_where_no_code_says_what_the_merchant_is(
    make_ledger: MakeLedger,
) -> None:
    payments = [
        ("2026-03-02", "h", "LADBROKES 17", 5_000),
        ("2026-03-02", "h", "LADBROKES 17", 5_000, {"mcc": "5812"}),
        ("2026-03-02", "h", "CASINO ROYALE BAR", 5_000),
        ("2026-03-02", "h", "CASINO ROYALE BAR", 5_000, {"mcc": "5812"}),
        ("2026-03-02", "h", "LADBROKES 17", -5_000),
        ("2026-03-02", "h", "OSPREY JOINERY", 5_000),
    ]
    found = merchant.is_blocked_category(make_ledger(payments)).tolist()
    assert found == [True, False, True, False, False, False]


def test_cash_is_known_by_words_where_no_code_says_so(make_ledger: MakeLedger) -> None:
    payments = [
        ("2026-03-02", "h", "WESTERN UNION LEEDS", 5_000),
        ("2026-03-02", "h", "HIGH STREET BUREAU DE CHANGE", 5_000),
        ("2026-03-02", "h", "WESTERN UNION LEEDS", 5_000, {"mcc": "5812"}),
        ("2026-03-02", "h", "CASHMERE KNITS", 5_000),
    ]
    assert merchant.is_cash(make_ledger(payments)).tolist() == [True, True, False, False]


def test_a_known_shop_is_as_rare_as_its_trade(make_ledger: MakeLedger) -> None:
    """The fifth jeweller is no new trade, whatever it is called."""
    usual = [
        (f"2026-{month:02}-{day:02}", f"h{day % 7}", f"OSPREY {chr(65 + day)} PAPER", 3_000)
        for month in (1, 2, 3)
        for day in range(1, 25)
    ]
    shops = ["H SAMUEL", "ERNEST JONES", "BEAVERBROOKS", "WARREN JAMES"]
    others = [("2026-03-25", f"h{n}", shop, 3_000) for n, shop in enumerate(shops)]
    asked = ("2026-03-26", "h5", "FRASER HART", 3_000)
    alone = novelty.trade_rarity_surprise(make_ledger([*usual, asked]))[-1]
    fifth = novelty.trade_rarity_surprise(make_ledger([*usual, *others, asked]))[-1]
    assert alone > fifth > 0
