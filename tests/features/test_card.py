"""Features of cards: of the card that paid, on its day, and of each open card on the last day."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from cardwatch.features import Ledger, OpenCards, build_card_features, build_features
from cardwatch.features.ledger import UNMATCHED
from cardwatch.policy import parse_policy
from cardwatch.records import MATCH_COLUMNS
from cardwatch.registers import cards_in_force, match_cards, read_cards
from cardwatch.statements import ReadingChoices, shipped_profiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    MakeFrame = Callable[..., pd.DataFrame]
    Matched = Callable[..., Ledger]
    Open = Callable[..., pd.DataFrame]

CHOICES = ReadingChoices(shipped_profiles(), b"a key for tests, 32 bytes long..", "day-first")
HELD = (
    "Card,Employee No,Approver No,Single Limit,Monthly Limit,Opened,Closed,Status,Effective From\n"
)
POLICY = (
    'closed_card_days = 5\n[[single_purchase]]\nfrom = 2000-01-01\npounds = 100\nvat = "excluded"\n'
    "[[holder_month]]\nfrom = 2000-01-01\npounds = 300\n"
)


@pytest.fixture
def matched(make_frame: MakeFrame, tmp_path: Path) -> Matched:
    """Return a function that makes a ledger of payments matched to a register given as text."""

    def make(payments: list[tuple[Any, ...]], cards: str) -> Ledger:
        (tmp_path / "c.csv").write_text(HELD + cards, encoding="utf-8")
        register = read_cards(tmp_path / "c.csv", CHOICES)
        frame = match_cards(make_frame(payments), register)
        return Ledger(frame, parse_policy(POLICY, "policy.toml"))

    return make


@pytest.fixture
def open_cards(matched: Matched, tmp_path: Path) -> Open:
    """Return a function that gives the card features on a day, by holder and card."""

    def make(payments: list[tuple[Any, ...]], cards: str, on: str) -> pd.DataFrame:
        ledger, day = matched(payments, cards), pd.Timestamp(on)
        held = cards_in_force(read_cards(tmp_path / "c.csv", CHOICES), day)
        return build_card_features(OpenCards(held, ledger, day)).set_index("card_last4")

    return make


def paid(*days: str, pence: int = 5_000, holder: str = "E1", last4: str = "") -> list[Any]:
    return [(day, holder, "SHOP", pence, {"card_last4": last4}) for day in days]


def test_without_a_register_nothing_is_said_of_cards_and_the_policys_limits_hold(
    make_frame: MakeFrame,
) -> None:
    assert UNMATCHED.keys() == MATCH_COLUMNS.keys()
    features = build_features(
        Ledger(make_frame(paid("2026-05-05")), parse_policy(POLICY, "policy.toml"))
    )
    names = [
        "is_card_unknown", "is_after_closing", "days_since_closing", "is_before_opening",
        "limit_before_raise_pence", "days_since_limit_raise", "is_card_replaced",
        "days_since_card_replaced",
    ]  # fmt: skip
    assert not features[names].to_numpy().any()
    assert features["limit_pence"].tolist() == [12_000]


def test_what_the_register_lists_is_known_and_the_rest_is_not(matched: Matched) -> None:
    ledger = matched([*paid("2026-05-05"), *paid("2026-05-06", holder="E2")], ",E1,,9,,,,,\n")
    assert build_features(ledger)["is_card_unknown"].tolist() == [False, True]


def test_days_after_closing_count_from_the_last_day_and_late_bookings_are_let_pass(
    matched: Matched,
) -> None:
    days = ("2026-05-09", "2026-05-10", "2026-05-11", "2026-05-15", "2026-05-16")
    features = build_features(matched(paid(*days), ",E1,,,,,10/05/2026,,\n"))
    assert features["days_since_closing"].tolist() == [0, 0, 1, 5, 6]
    assert features["is_after_closing"].tolist() == [False, False, False, False, True]


def test_a_refund_after_closing_is_no_use_of_the_card(matched: Matched) -> None:
    ledger = matched(paid("2026-06-10", pence=-500), ",E1,,,,,10/05/2026,,\n")
    assert not build_features(ledger)["is_after_closing"].any()


def test_a_purchase_on_the_day_of_opening_is_none_before_it(matched: Matched) -> None:
    ledger = matched(paid("2026-05-09", "2026-05-10"), ",E1,,,,10/05/2026,,,\n")
    assert build_features(ledger)["is_before_opening"].tolist() == [True, False]


def test_the_limit_before_a_rise_is_remembered_for_a_cycle_and_a_fall_is_no_rise(
    matched: Matched,
) -> None:
    cards = ",E1,,50,,,,,\n,E1,,80,,,,,10/05/2026\n,E1,,60,,,,,20/07/2026\n"
    days = ("2026-05-09", "2026-05-10", "2026-06-10", "2026-06-11", "2026-07-20")
    features = build_features(matched(paid(*days), cards))
    assert features["limit_before_raise_pence"].tolist() == [0, 5_000, 5_000, 0, 0]
    assert features["days_since_limit_raise"].tolist() == [0, 0, 31, 32, 0]


def test_days_since_a_card_was_lost_count_on_the_new_one(matched: Matched) -> None:
    cards = "1111,E1,,,,,10/05/2026,Stolen,\n2222,E1,,,,11/05/2026,,,\n"
    ledger = matched(paid("2026-05-24", last4="2222") + paid("2026-05-01", last4="1111"), cards)
    features = build_features(ledger)
    assert features["is_card_replaced"].tolist() == [False, True]
    assert features["days_since_card_replaced"].tolist() == [0, 14]


def test_a_limit_the_register_states_beats_the_policys_and_counts_as_stated_with_vat(
    matched: Matched,
) -> None:
    payments = [*paid("2026-05-05", pence=8_500), *paid("2026-05-06", holder="E2", pence=11_000)]
    features = build_features(matched(payments, "1,E1,,80,200,,,,\n2,E2,,,,,,,\n"))
    assert features["limit_pence"].tolist() == [8_000, 12_000]
    assert features["over_limit_pence"].tolist() == [500, 0]
    assert features["month_limit_pence"].tolist() == [20_000, 30_000]
    assert not features["is_over_limit_only_with_vat"].any()


def test_a_registers_limits_are_stated_where_the_policy_states_none(
    make_frame: MakeFrame, tmp_path: Path
) -> None:
    (tmp_path / "c.csv").write_text(HELD + "1,E1,,80,200,,,,\n2,E2,,,,,,,\n", encoding="utf-8")
    payments = [*paid("2026-05-05"), *paid("2026-05-06", holder="E2")]
    frame = match_cards(make_frame(payments), read_cards(tmp_path / "c.csv", CHOICES))
    features = build_features(Ledger(frame, parse_policy("", "policy.toml")))
    assert features["is_limit_stated"].tolist() == [True, False]
    assert features["is_month_limit_stated"].tolist() == [True, False]


def test_two_cards_of_one_person_share_a_month(matched: Matched) -> None:
    payments = [*paid("2026-05-05", last4="1111"), *paid("2026-05-06", last4="2222")]
    features = build_features(matched(payments, "1111,E1,,,80,,,,\n2222,E1,,,90,,,,\n"))
    assert features["holder_month_spend_pence"].tolist() == [5_000, 10_000]
    assert features["month_limit_pence"].tolist() == [17_000, 17_000]


def test_a_cards_highest_month_is_of_a_year_net_of_refunds_and_up_to_the_day(
    open_cards: Open,
) -> None:
    payments = [
        *paid("2025-01-10", pence=90_000),  # more than a year before
        *paid("2026-03-10", pence=20_000),
        *paid("2026-03-20", pence=-5_000),
        *paid("2026-04-10", pence=12_000),
        *paid("2026-05-10", pence=80_000),  # after the day
    ]
    cards = open_cards(payments, "1111,E1,,,600,,,,\n2222,E2,,,,,,,\n", "2026-04-30")
    assert cards["card_highest_month_pence"].tolist() == [15_000, 0]
    assert cards["card_limit_use_share"].tolist() == [0.25, 0.0]


def test_days_unused_count_from_the_last_purchase_else_the_opening_else_the_data(
    open_cards: Open,
) -> None:
    payments = [
        *paid("2026-01-01", holder="E9"),
        *paid("2026-03-01", "2026-02-01", last4="1111"),
        *paid("2026-03-20", last4="1111", pence=-100),  # a refund is no use
    ]
    cards = "1111,E1,,,,,,,\n2222,E2,,,,11/03/2026,,,\n3333,E3,,,,01/01/2019,,,\n4444,E4,,,,,,,\n"
    found = open_cards(payments, cards, "2026-03-31")
    assert found["card_unused_days"].tolist() == [30, 20, 89, 89]
    assert found["card_known_days"].tolist() == [89, 20, 89, 89]


def test_a_payment_that_names_no_card_may_have_been_on_any_of_the_holders(
    open_cards: Open,
) -> None:
    payments = [*paid("2026-01-01", last4="1111"), *paid("2026-03-30", pence=7_000)]
    found = open_cards(payments, "1111,E1,,,,,,,\n2222,E1,,,,,,,\n", "2026-03-31")
    assert found["card_unused_days"].tolist() == [1, 1]
    assert found["card_highest_month_pence"].tolist() == [12_000, 7_000]


def test_cards_are_counted_by_holder_and_by_approver_while_open(open_cards: Open) -> None:
    cards = (
        "1111,E1,A1,,,,,,\n2222,e 1,a1,,,,,,\n3333,E2,A1,,,,01/02/2026,,\n4444,E3,E3,,,,,,\n"
        "5555,E4,,,,,,,\n"
    )
    found = open_cards(paid("2026-01-01"), cards, "2026-03-31")
    assert found["holder_open_cards_count"].to_dict() == {
        "1111": 2, "2222": 2, "4444": 1, "5555": 1,
    }  # fmt: skip
    assert found["approver_cards_count"].to_dict() == {"1111": 2, "2222": 2, "4444": 1, "5555": 0}
    assert found.index[found["is_card_own_approver"]].tolist() == ["4444"]


def test_a_later_row_of_the_register_changes_no_feature_of_an_earlier_payment(
    matched: Matched,
) -> None:
    before = "1111,E1,,50,200,,,,\n2222,E2,,70,,,,,\n"
    later = (
        "1111,E1,E1,90,900,,,,02/06/2026\n2222,E2,,,,,,Stolen,02/06/2026\n"
        "3333,E2,,,,,,,02/06/2026\n"
    )
    payments = [*paid("2026-05-05", "2026-06-01"), *paid("2026-06-01", holder="E2")]
    alone, known = matched(payments, before), matched(payments, before + later)
    pd.testing.assert_frame_equal(build_features(alone), build_features(known))
