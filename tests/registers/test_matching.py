"""Each payment finds its card as the register stood on its day, or none: never a wrong one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardwatch.records import CARD_COLUMNS, MATCH_COLUMNS, CardRegister, ReadingReport
from cardwatch.registers import cards_in_force, match_cards, read_cards
from cardwatch.statements import ReadingChoices, read_statements, shipped_profiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Match = Callable[[str, str], pd.DataFrame]

CHOICES = ReadingChoices(shipped_profiles(), b"a key for tests, 32 bytes long..", "day-first")
CARD, OTHER = "4111111111111111", "5555555555554444"
PAID = "Date,Holder,Merchant,Amount,Card Number,Cost Centre\n"
HELD = "Card,Employee No,Name,Unit,Single Limit,Monthly Limit,Opened,Closed,Status,From\n"


@pytest.fixture
def match(tmp_path: Path) -> Match:
    """Return a function that matches payments to a register, both given as text."""

    def matched(payments: str, cards: str) -> pd.DataFrame:
        (tmp_path / "s.csv").write_text(PAID + payments, encoding="utf-8")
        (tmp_path / "cards.csv").write_text(HELD + cards, encoding="utf-8")
        paid = read_statements([tmp_path / "s.csv"], CHOICES).transactions
        return match_cards(paid, read_cards(tmp_path / "cards.csv", CHOICES))

    return matched


def one(frame: pd.DataFrame) -> dict[str, Any]:
    assert len(frame) == 1
    return frame.iloc[0].to_dict()


def test_matching_adds_the_documented_columns_and_no_row(match: Match) -> None:
    found = match(f"2026-10-05,x,Shop,1,{CARD},\n2026-10-06,y,Shop,1,,\n", f"{CARD},E1,,a,9,,,,,\n")
    assert set(MATCH_COLUMNS) <= set(found.columns)
    assert len(found) == 2
    assert found["is_card_known"].tolist() == [True, False]
    assert found["card_single_limit_pence"].tolist() == [900, 0]


@pytest.mark.parametrize(
    ("payment", "limit"),
    [
        (f"E9,Shop,1,{CARD}", 100),  # the whole number, whatever the holder
        ("E2,Shop,1,************4444", 200),  # holder and digits
        ("ANN  roe,Shop,1,1111", 100),  # a name, letters and spaces aside
        ("e 3,Shop,1,", 300),  # the holder alone, where the statement has no digits
        ("E4,Shop,1,7777", 400),  # the same, where the register has none
        ("nobody known,Shop,1,4444", 200),  # digits alone, one card has them
        ("nobody known,Shop,1,8888", 0),  # two cards have them
        ("E3,Shop,1,4444", 0),  # a known holder with another's digits
        ("E3,Shop,1,9999", 0),  # a known holder with digits nobody has
    ],
)
def test_a_card_is_found_by_the_best_key_and_never_by_a_wrong_one(
    match: Match, payment: str, limit: int
) -> None:
    cards = (
        f"{CARD},E1,Ann Roe,a,1,,,,,\n{OTHER},E2,Bob Poe,a,2,,,,,\n3333,E3,Cay Doe,a,3,,,,,\n"
        ",E4,Dee Foe,a,4,,,,,\n8888,E5,Eve Moe,a,5,,,,,\n8888,E6,Flo Noe,a,6,,,,,\n"
    )
    found = one(match(f"2026-10-05,{payment},\n", cards))
    assert found["card_single_limit_pence"] == limit
    assert (found["card_id"] != "") == found["is_card_known"] == (limit > 0)


def test_a_masked_number_never_beats_the_holder(match: Match) -> None:
    """Two cards that look alike when masked: the holder says which."""
    cards = "************1111,E1,,a,1,,,01/01/2026,,\n************1111,E2,,a,2,,,,,\n"
    found = one(match("2026-10-05,E1,Shop,1,************1111,\n", cards))
    assert found["card_single_limit_pence"] == 100


def test_a_name_that_two_people_share_names_nobody(match: Match) -> None:
    cards = "1111,E1,Ann Roe,a,1,,,,,\n2222,E2,Ann Roe,a,2,,,,,\n"
    found = one(match("2026-10-05,Ann Roe,Shop,1,,\n", cards))
    assert (found["card_id"], found["holder_id"]) == ("", "Ann Roe")
    by_digits = one(match("2026-10-05,Ann Roe,Shop,1,2222,\n", cards))
    assert (by_digits["card_single_limit_pence"], by_digits["holder_id"]) == (200, "E2")


def test_of_a_holders_cards_the_one_open_on_the_day_is_meant(match: Match) -> None:
    cards = "1111,E1,,a,1,,,30/09/2026,,\n2222,E1,,a,2,,01/10/2026,,,\n"
    found = match("2026-09-30,E1,Shop,1,,\n2026-10-01,E1,Shop,1,,\n", cards)
    assert found["card_single_limit_pence"].tolist() == [100, 200]


def test_where_a_holder_had_two_open_cards_nothing_is_said_of_the_card(match: Match) -> None:
    found = one(match("2026-10-05,Ann Roe,Shop,1,,\n", "1,E1,Ann Roe,a,1,,,,,\n2,E1,,a,2,,,,,\n"))
    assert (found["card_id"], found["holder_id"]) == ("", "E1")
    assert found["is_card_known"]
    assert found["card_single_limit_pence"] == 0


def test_two_cards_of_one_person_are_one_holder_with_both_month_limits(match: Match) -> None:
    cards = "1111,E1,Ann Roe,a,1,50,,,,\n2222,E1,Ann Roe,a,2,70,,30/09/2026,,\n"
    paid = "2026-09-30,Ann Roe,Shop,1,1111,\n2026-09-30,A. Roe,Shop,1,2222,\n"
    found = match(paid + "2026-10-01,Ann Roe,Shop,1,1111,\n", cards)
    assert set(found["holder_id"]) == {"E1"}
    assert found["card_id"].nunique() == 2
    assert found["cards_month_limit_pence"].tolist() == [12_000, 12_000, 5_000]


def test_one_open_card_without_a_month_limit_leaves_the_month_to_the_policy(match: Match) -> None:
    cards = "1111,E1,,a,1,50,,,,\n2222,E1,,a,2,,,,,\n"
    assert one(match("2026-10-01,E1,Shop,1,1111,\n", cards))["cards_month_limit_pence"] == 0


def test_the_statements_cost_centre_stands_and_the_registers_unit_fills_in(match: Match) -> None:
    paid = "2026-10-01,E1,Shop,1,,CC1\n2026-10-01,E1,Shop,1,,\n"
    assert match(paid, ",E1,,Fleet,,,,,,\n")["cost_centre"].tolist() == ["CC1", "Fleet"]


def test_limits_are_those_of_the_day_with_the_limit_before_and_its_first_day(
    match: Match,
) -> None:
    cards = (
        ",E1,,a,5,,,,,\n,E1,,b,5,,,,,01/03/2026\n"  # another unit, the same limit
        ",E1,,b,20,,,,,10/03/2026\n,E1,,b,5,,,,,20/03/2026\n"
    )
    days = ["2026-02-28", "2026-03-01", "2026-03-09", "2026-03-10", "2026-03-19", "2026-03-20"]
    found = match("".join(f"{day},E1,Shop,1,,\n" for day in days), cards)
    assert found["card_single_limit_pence"].tolist() == [500, 500, 500, 2_000, 2_000, 500]
    assert found["card_limit_before_pence"].tolist() == [0, 0, 0, 500, 500, 2_000]
    since = found["card_limit_since"].dt.strftime("%m-%d").fillna("").tolist()
    assert since == ["", "", "", "03-10", "03-10", "03-20"]
    assert found["cost_centre"].tolist() == ["a", *["b"] * 5]


def test_a_register_that_begins_later_says_nothing_of_the_days_before(match: Match) -> None:
    cards = "1111,E1,,a,1,,,,,01/09/2026\n2222,E2,,a,1,,,,,05/09/2026\n"
    paid = "2026-08-31,E1,Shop,1,1111,\n2026-09-04,E2,Shop,1,2222,\n2026-09-05,E2,Shop,1,2222,\n"
    found = match(paid, cards)
    assert found["is_card_known"].tolist() == [True, False, True]
    assert (found["card_id"] != "").tolist() == [False, False, True]


def test_the_day_on_which_another_card_of_the_holder_was_lost_is_known_after_it(
    match: Match,
) -> None:
    cards = (
        "1111,E1,,a,1,,,10/09/2026,Stolen,\n2222,E1,,a,1,,11/09/2026,,,\n"
        "3333,E2,,a,1,,,10/09/2026,Stolen,\n4444,E3,,a,1,,,10/09/2026,Closed,\n"
        "5555,E3,,a,1,,,,,\n"
    )
    paid = (
        "2026-09-10,E1,Shop,1,2222,\n2026-09-11,E1,Shop,1,2222,\n2026-09-12,E1,Shop,1,1111,\n"
        "2026-09-12,E2,Shop,1,3333,\n2026-09-12,E3,Shop,1,5555,\n"
    )
    lost = match(paid, cards)["card_replaced_on"].dt.strftime("%m-%d").fillna("").tolist()
    assert lost == ["", "09-10", "", "", ""]


def test_cards_in_force_are_those_open_on_the_day(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(
        HELD + "1,A,,a,1,,02/05/2026,,,\n2,B,,a,1,,,01/05/2026,,\n3,C,,a,1,,,,Cancelled,\n"
        "4,D,,a,1,,,,,\n4,D,,b,2,,,,,03/05/2026\n5,E,,a,1,,,,,03/05/2026\n",
        encoding="utf-8",
    )
    register = read_cards(tmp_path / "c.csv", CHOICES)

    def on(day: str) -> list[tuple[str, str]]:
        cards = cards_in_force(register, pd.Timestamp(day))
        return list(zip(cards["holder_id"], cards["unit"], strict=True))

    assert on("2026-05-01") == [("B", "a"), ("D", "a")]
    assert on("2026-05-02") == [("A", "a"), ("D", "a")]
    assert on("2026-05-03") == [("A", "a"), ("D", "b"), ("E", "a")]


DAYS = st.integers(0, 9)
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "card_id": st.sampled_from(["c1", "c2", "c3"]),
            "card_last4": st.sampled_from(["1111", "2222", ""]),
            "holder_id": st.sampled_from(["E1", "E2"]),
            "key_cardholder": st.sampled_from(["annroe", "bobpoe"]),
            "unit": st.just("a"),
            "single_limit_pence": st.sampled_from([0, 500, 900]),
            "month_limit_pence": st.sampled_from([0, 5_000]),
            "opened_on": st.one_of(st.none(), DAYS),
            "closed_on": st.one_of(st.none(), DAYS),
            "status": st.sampled_from(["open", "closed", "lost"]),
            "effective_from": st.one_of(st.none(), DAYS),
        }
    ),
    min_size=1,
    max_size=8,
    unique_by=lambda row: (row["card_id"], row["effective_from"]),
)
PAYMENTS = st.lists(
    st.tuples(
        DAYS,
        st.sampled_from(["E1", "E2", "Ann Roe", "else"]),
        st.sampled_from(["", "1111", "2222", "9999"]),
        st.sampled_from(["", "c1", "c2"]),
    ),
    min_size=1,
    max_size=8,
)


def _register(rows: list[dict[str, Any]]) -> CardRegister:
    frame = pd.DataFrame(rows).assign(is_own_approver=False, row=range(len(rows)))
    frame["key_employee_id"] = frame["holder_id"].str.lower()
    frame["card_token"] = frame["card_id"]
    for name in ("opened_on", "closed_on", "effective_from"):
        days = pd.to_timedelta(pd.to_numeric(frame[name]), unit="D")
        frame[name] = (pd.Timestamp("2026-01-01") + days).astype("datetime64[s]")
    frame = frame.reindex(columns=list(CARD_COLUMNS), fill_value="")
    return CardRegister(frame, ReadingReport("c.csv", ""))


def _payments(lines: list[tuple[Any, ...]]) -> pd.DataFrame:
    frame = pd.DataFrame(lines, columns=["date", "holder_id", "card_last4", "card_token"])
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(frame["date"], unit="D")
    return frame.assign(date=days.astype("datetime64[s]"), cost_centre="")


@settings(derandomize=True, max_examples=20, deadline=None)
@given(ROWS, PAYMENTS, DAYS)
def test_a_row_that_begins_later_never_matters_to_an_earlier_payment(
    rows: list[dict[str, Any]], lines: list[tuple[Any, ...]], cut: int
) -> None:
    rows = [{**rows[0], "effective_from": None}, *rows[1:]]
    rows = list({(row["card_id"], row["effective_from"]): row for row in rows}.values())
    known = [row for row in rows if row["effective_from"] is None or row["effective_from"] <= cut]
    paid = _payments([line for line in lines if line[0] <= cut] or [(cut, "E1", "", "")])
    pd.testing.assert_frame_equal(
        match_cards(paid, _register(rows)), match_cards(paid, _register(known))
    )


@settings(derandomize=True, max_examples=10, deadline=None)
@given(ROWS, PAYMENTS, st.integers(0, 99))
def test_the_order_of_rows_in_either_file_changes_nothing(
    rows: list[dict[str, Any]], lines: list[tuple[Any, ...]], seed: int
) -> None:
    random = np.random.default_rng(seed)
    paid, register = _payments(lines), _register(rows)
    order, shuffled = random.permutation(len(paid)), random.permutation(len(rows))
    straight = match_cards(paid, register)
    turned = match_cards(
        paid.iloc[order], CardRegister(register.cards.iloc[shuffled], register.report)
    )
    pd.testing.assert_frame_equal(straight, turned.sort_index())
