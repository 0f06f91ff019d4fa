"""Card registers of every form are read, every row is accounted for, and nobody is named."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import openpyxl
import pandas as pd
import pytest

from cardwatch.errors import CardwatchError, FileRefused, RegisterUnknown
from cardwatch.records import CARD_COLUMNS
from cardwatch.registers import CARD_MESSAGES, read_cards
from cardwatch.statements import ReadingChoices, read_statements, shipped_profiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.records import CardRegister

    Read = Callable[..., CardRegister]

CHOICES = ReadingChoices(shipped_profiles(), b"a key for tests, 32 bytes long..")
CARD = "4111111111111111"
FULL = (
    "Card Number,Employee No,Cardholder,Department,Approver,Approver No,Single Limit,Monthly Limit,"
    "Issued,Cancelled,Status,Effective From\n"
)
ROWS = [
    f"{CARD},E 1,Ann Roe,Fleet,Bob Poe,E2,£500,2000.00,31/01/2024,,Active,",
    "************5772,E2,Bob Poe,Fleet,Bob Poe,,1000,n/a,01/02/2024,30/09/2026,Cancelled,",
    "5773,,Cay Doe,,,,,,,,Lost,13/05/2026",
]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Return a function that writes a text and reads it as a register."""

    def read_text(text: str, name: str = "cards.csv", **choices: Any) -> CardRegister:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8", newline="")
        return read_cards(path, ReadingChoices(CHOICES.profiles, CHOICES.card_key, **choices))

    return read_text


def days(cards: pd.DataFrame, name: str) -> list[str]:
    return ["" if pd.isna(day) else str(day.date()) for day in cards[name]]


def check(register: CardRegister) -> None:
    """Assert what the three rows of ROWS say, whatever form they came in."""
    cards = register.cards
    assert list(cards.columns) == list(CARD_COLUMNS)
    assert register.report.reconciles
    assert register.report.cards == len(cards) == 3
    assert cards["card_last4"].tolist() == ["1111", "5772", "5773"]
    assert cards["holder_id"].tolist() == ["E 1", "E2", "Cay Doe"]
    assert cards["key_employee_id"].tolist() == ["e1", "e2", ""]
    assert cards["key_cardholder"].tolist() == ["annroe", "bobpoe", "caydoe"]
    assert cards["unit"].tolist() == ["Fleet", "Fleet", ""]
    assert cards["approver_id"].tolist() == ["E2", "Bob Poe", ""]
    assert cards["is_own_approver"].tolist() == [False, True, False]
    assert cards["single_limit_pence"].tolist() == [50_000, 100_000, 0]
    assert cards["month_limit_pence"].tolist() == [200_000, 0, 0]
    assert days(cards, "opened_on") == ["2024-01-31", "2024-02-01", ""]
    assert days(cards, "closed_on") == ["", "2026-09-30", "2026-05-12"]
    assert cards["status"].tolist() == ["open", "closed", "lost"]
    assert days(cards, "effective_from") == ["", "", "2026-05-13"]
    assert cards["row"].tolist() == [2, 3, 4]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_register_of_any_separator_gives_the_same_cards(read: Read, separator: str) -> None:
    check(read((FULL + "\n".join(ROWS) + "\n").replace(",", separator)))


def test_a_workbook_gives_the_same_cards_by_its_days_and_numbers(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(FULL.strip().split(","))
    for line in ROWS:
        cells: list[Any] = line.split(",")
        for at in (8, 9, 11):
            if cells[at]:
                day = dt.datetime.strptime(cells[at], "%d/%m/%Y").replace(tzinfo=dt.UTC)
                cells[at] = day.replace(tzinfo=None)
        for at in (6, 7):
            cells[at] = float(cells[at].strip("£")) if cells[at].strip("£n/a") else cells[at]
        book.active.append(cells)
    book.save(tmp_path / "cards.xlsx")
    check(read_cards(tmp_path / "cards.xlsx", CHOICES))


def test_a_number_is_known_by_the_hash_it_has_in_statements(read: Read, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(
        f"date,holder_id,merchant,amount,card_number\n2026-10-05,E1,Shop,1.00,{CARD}\n",
        encoding="utf-8",
    )
    paid = read_statements([tmp_path / "s.csv"], CHOICES).transactions
    cards = read(FULL + "\n".join(ROWS)).cards
    assert cards["card_token"][0] == paid["card_token"][0] == cards["card_id"][0]


@pytest.mark.parametrize(
    ("line", "code", "column"),
    [
        (",,,Fleet,,,500,,,,,", "no_card", "Employee No"),
        ("Total 3,,,,,,500,,,,,", "no_card", "Employee No"),
        ("5001,E1,,,,,5OO,,,,,", "bad_limit", "Single Limit"),
        ("5001,E1,,,,,,-20,,,,", "bad_limit", "Monthly Limit"),
        ("5001,E1,,,,,,1.234,,,,", "bad_limit", "Monthly Limit"),
        ("5001,E1,,,,,,,31/02/2024,,,", "bad_day", "Issued"),
        ("5001,E1,,,,,,,,soon,,", "bad_day", "Cancelled"),
        ("5001,E1,,,,,,,,,,13/13/2024", "bad_day", "Effective From"),
        ("5001,E1,,,,,,,14/02/2024,13/02/2024,,", "closed_before_opened", "Cancelled"),
        ("5773,,cay  DOE,Other,,,,,,,,13/05/2026", "card_twice", "Card Number"),
    ],
)
def test_a_bad_row_is_a_problem_and_the_good_ones_are_kept(
    read: Read, line: str, code: str, column: str
) -> None:
    register = read(FULL + "\n".join([*ROWS, line]) + "\n")
    (problem,) = register.report.problems
    assert (problem.row, problem.column, problem.code) == (5, column, code)
    assert problem.message == CARD_MESSAGES[code]
    assert (register.report.rows, register.report.cards) == (4, 3)
    assert register.report.reconciles


def test_every_row_of_a_long_untidy_register_is_in_one_place(read: Read) -> None:
    lines = [*ROWS, "", FULL.strip(), ",,,,,,,,,,,", "7,E9,,,,,x,,,,,", "5004,E9,,,,,7,,,,,"]
    report = read(FULL + "\n".join(lines) + "\n").report
    assert report.reconciles
    assert (report.rows, report.cards, report.blank, report.headings) == (8, 4, 2, 1)
    assert len(report.problems) == 1


@pytest.mark.parametrize(
    ("line", "own"),
    [
        ("1,E1,Ann Roe,,Ann Roe,E2,,,,,,", False),  # namesakes: the numbers decide
        ("1,E1,Ann Roe,,Bob Poe,e 1,,,,,,", True),
        ("1,E1,Ann Roe,,ANN  ROE,,,,,,,", True),
        ("1,E1,Ann Roe,,E1,,,,,,,", True),  # a number under the heading of names
        ("1,,Ann Roe,,Ann Roe,E2,,,,,,", True),
        ("1,E1,,,,,,,,,Active,", False),
        ("1,,Ann Roe,,,E2,,,,,,", False),
    ],
)
def test_the_approver_is_the_holder_by_number_and_only_without_one_by_name(
    read: Read, line: str, *, own: bool
) -> None:
    assert read(FULL + line + "\n").cards["is_own_approver"].tolist() == [own]


def test_the_history_of_a_card_is_not_the_card_twice(read: Read) -> None:
    history = "5773,,Cay Doe,Fleet,,,900,,,,,01/06/2026"
    cards = read(FULL + "\n".join([*ROWS, history])).cards
    assert cards["card_id"][2] == cards["card_id"][3]
    assert cards["card_id"].nunique() == 3


def test_two_holders_whose_cards_end_alike_have_two_cards(read: Read) -> None:
    cards = read("Last 4 Digits,Name,Unit\n1234,Ann Roe,a\n1234,Bob Poe,a\n").cards
    assert cards["card_id"].nunique() == 2


def test_a_statement_is_no_card_register(read: Read) -> None:
    with pytest.raises(FileRefused) as refused:
        read("Date,Employee ID,Cost Centre,Merchant,Amount\n2026-10-01,E1,Fleet,SHOP,5.00\n")
    assert refused.value.code == "statement"


def test_headings_that_are_not_used_are_noted(read: Read) -> None:
    """A limit under a heading of its own would be missing without a word."""
    register = read("Card,Name,Dept,Most at once\n1234,Ann Roe,Fleet,500\n")
    assert "not used: 'Most at once'" in register.report.notes
    assert set(register.cards["unit"]) == {"Fleet"}


def test_counts_of_what_is_missing_are_noted(read: Read) -> None:
    lines = [ROWS[0], "4.11111E+15,E7,,,,,5,,,,Closed,"]
    notes = read(FULL + "\n".join(lines)).report.notes
    assert "1 row is closed, without a closing date" in notes
    assert "1 row is without a card number, because a spreadsheet has cut its digits" in notes
    assert "1 row is without an approver" in notes
    assert read("Name,Unit\nAnn Roe,a\n").report.notes == (), "no approver column, no note"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Active", "open"), ("", "open"), ("Lost in the post", "lost"), ("STOLEN", "lost"),
        ("Cancelled - leaver", "closed"), ("Compromised", "lost"), ("Expired", "closed"),
    ],
)  # fmt: skip
def test_a_status_is_open_closed_or_lost(read: Read, text: str, status: str) -> None:
    assert read(f"Name,Status,Unit\nAnn Roe,{text},a\n").cards["status"].tolist() == [status]


def test_a_decimal_comma_and_the_order_of_days_are_decided_once_and_stated(read: Read) -> None:
    text = "Name;Transaction Limit (£);Opened\nAnn Roe;1.000,50;02/13/2024\nBob Poe;20,5;01/02/2024"
    register = read(text)
    assert register.cards["single_limit_pence"].tolist() == [100_050, 2_050]
    assert days(register.cards, "opened_on") == ["2024-02-13", "2024-01-02"]
    assert any("month-first" in line for line in register.report.decisions)


def test_days_that_say_no_order_are_refused_until_it_is_said(read: Read) -> None:
    text = "Name,Opened\nAnn Roe,01/02/2024\n"
    with pytest.raises(FileRefused, match="--date-order") as refused:
        read(text)
    assert refused.value.code == "date_order_unknown"
    told = read(text, date_order="day-first")
    assert days(told.cards, "opened_on") == ["2024-02-01"]
    with pytest.raises(FileRefused) as refused:
        read("Name,Opened\nAnn Roe,13/02/2024\nBob Poe,02/13/2024\n")
    assert refused.value.code == "date_order_mixed"


@pytest.mark.parametrize(
    ("text", "missing", "near"),
    [
        ("Kit,Unit\nx,a\n", "card or holder", ""),
        ("Employee No,Colour\nE1,red\n", "limit, approver, unit, status or day", ""),
        ("Employe Numbr,Unit\nE1,a\n", "card or holder", "perhaps 'Employe Numbr'"),
    ],
)
def test_unknown_headings_are_refused_with_what_is_seen_missing_and_nearest(
    read: Read, text: str, missing: str, near: str
) -> None:
    with pytest.raises(RegisterUnknown) as refused:
        read(text)
    sentence = str(refused.value)
    assert f"no column for {missing}." in sentence
    assert f"Headings seen: {text.splitlines()[0].replace(',', ', ')}." in sentence
    assert near in sentence
    assert "docs/cards.md" in sentence
    assert "cardwatch columns" not in sentence, "that command writes profiles of statements"
    assert "state the columns" not in sentence, "a card register is not read with stated ones"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"{CARD},Ann Roe,Fleet,500\n5772,Bob Poe,Fleet,500\n", "no_headings"),
        ("Name,Unit\n", "no_cards"),
        (" \n", "empty"),
        ("%PDF-1.7", "pdf"),
    ],
)
def test_what_is_no_register_is_refused_by_its_code(read: Read, text: str, code: str) -> None:
    with pytest.raises(FileRefused) as refused:
        read(text)
    assert refused.value.code == code
    assert "Ann Roe" not in str(refused.value)
    assert CARD not in str(refused.value)


def test_a_folder_or_a_missing_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.csv"):
        with pytest.raises(FileRefused, match="there is no such file"):
            read_cards(path, CHOICES)


def test_no_name_and_no_card_number_is_in_any_message_or_kept(read: Read) -> None:
    bad = [
        f"{CARD},,Zoe Secret,,,,x,,,,,",
        f"{CARD},,Zoe Secret,,,,5,,,,,",
        f"{CARD},,Zoe Secret,,,,5,,,,,",
        f"5555555555554444,{CARD},Zoe Secret,note {CARD},,,,,13/13/2024,,,",
        f",,{CARD},,,,5,,,,,",
    ]
    register = read(FULL + "\n".join(bad) + "\n", f"cards {CARD}.csv")
    assert len(register.report.problems) == 3
    said = repr(register.report)
    assert "Zoe" not in said
    assert CARD not in said
    assert "5555555555554444" not in said
    assert CARD not in register.cards.to_csv()
    with pytest.raises(CardwatchError) as refused:
        read("Name,Colour\nZoe Secret,red\n", f"cards {CARD}.csv")
    assert "Zoe" not in str(refused.value)
    assert CARD not in str(refused.value)


def test_the_same_file_gives_the_same_register(read: Read) -> None:
    one, other = (read(FULL + "\n".join(ROWS)) for _ in range(2))
    pd.testing.assert_frame_equal(one.cards, other.cards)
    assert one.report == other.report
