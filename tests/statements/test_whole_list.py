"""A file that is no one list of card payments is refused, or what is doubtful in it is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openpyxl
import pytest

from cardwatch.errors import FileRefused
from cardwatch.statements import ReadingChoices, read_statements, shipped_profiles
from cardwatch.statements.profiles import parse_profile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.records import ReadingReport

    Write = Callable[..., Path]

CHOICES = ReadingChoices(shipped_profiles(), b"a key for tests, of no other use")
HEAD = "Date,Cardholder,Merchant,Amount"


def report_of(path: Path) -> ReadingReport:
    (report,) = read_statements([path], CHOICES).reports
    assert report.reconciles
    return report


def code_of(path: Path) -> str:
    with pytest.raises(FileRefused) as refused:
        read_statements([path], CHOICES)
    return refused.value.code


def rows(start: int, end: int, names: str = "ABC") -> str:
    return "".join(
        f"2025-10-{i:02},{names[i % len(names)]},SHOP {i},{i}.50\n" for i in range(start, end)
    )


# Twice ------------------------------------------------------------------------------------------


def test_two_lists_that_overlap_are_refused(write: Write) -> None:
    assert code_of(write(f"{HEAD}\n{rows(1, 12)}{rows(6, 20)}")) == "doubled"


def test_many_payments_that_stand_again_anywhere_are_refused(write: Write) -> None:
    text = rows(1, 25, "A") + rows(26, 28) + rows(2, 24, "A")
    assert code_of(write(f"{HEAD}\n{text}")) == "doubled"


def test_a_few_payments_of_one_holder_that_stand_again_are_named(write: Write) -> None:
    report = report_of(write(f"{HEAD}\n{rows(1, 4)}{rows(4, 11, 'A')}{rows(4, 11, 'A')}"))
    assert report.transactions == 17
    assert any("7 payments from row 5 on stand again" in note for note in report.notes)


def test_a_short_repeat_hides_no_long_one(write: Write) -> None:
    short = rows(4, 11, "A")
    text = rows(1, 4) + short + rows(12, 14) + short + (long := rows(1, 28, "BC")) + rows(28, 30)
    assert code_of(write(f"{HEAD}\n{text}{long}")) == "doubled"


@pytest.mark.parametrize("heading", ["Reference", "Line"])
def test_payments_with_numbers_of_their_own_are_no_copy(write: Write, heading: str) -> None:
    lines = (rows(1, 12) + rows(6, 20)).splitlines()
    text = "\n".join([f"{heading},{HEAD}", *(f"T{i},{line}" for i, line in enumerate(lines))])
    assert report_of(write(text + "\n")).transactions == len(lines)


def workbook(path: Path, **sheets: list[list[object]]) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, table in sheets.items():
        sheet = book.create_sheet(name)
        for row in (HEAD.split(","), *table):
            sheet.append(row)
    book.save(path)
    return path


def table(days: range, change: float = 0.0, month: int = 10) -> list[list[object]]:
    return [
        [f"2025-{month}-{day:02}", "ABC"[day % 3], f"SHOP {day}", day + change * (day % 2)]
        for day in days
    ]


def test_two_versions_of_one_list_are_refused(tmp_path: Path) -> None:
    versions = {"Draft": table(range(1, 20)), "Final": table(range(1, 17), change=0.5)}
    assert code_of(workbook(tmp_path / "a.xlsx", **versions)) == "sheets_repeat"


def test_two_people_on_one_journey_are_no_versions(tmp_path: Path) -> None:
    people = {"A Roe": table(range(1, 7)), "B Poe": table(range(1, 5), change=0.5)}
    assert report_of(workbook(tmp_path / "a.xlsx", **people)).transactions == 10


def test_regular_payments_of_several_months_are_no_versions(tmp_path: Path) -> None:
    months = {f"M{m}": table(range(1, 20), m / 4, m) for m in (10, 11, 12)}
    assert report_of(workbook(tmp_path / "a.xlsx", **months)).transactions == 57


# Missing ----------------------------------------------------------------------------------------

PAGE_1 = "Brought forward,,,0.00\n2025-10-01,A,S,10.00\n2025-10-02,B,T,5.00\n"
PAGE_2 = "2025-10-03,A,U,7.00\n2025-10-04,B,V,-2.00\n"


def test_pages_that_follow_from_each_other_are_read(write: Write) -> None:
    text = f"{HEAD}\n{PAGE_1}Carried forward,,,15.00\nBrought forward,,,15.00\n{PAGE_2}"
    report = report_of(write(f"{text}Carried forward,,,20.00\n"))
    assert (report.pence, report.balances, report.problems) == (2000, 4, ())
    assert all(check.passed for check in report.checks)


def test_a_missing_page_is_refused(write: Write) -> None:
    text = f"{HEAD}\n{PAGE_1}Carried forward,,,15.00\nBrought forward,,,48.00\n{PAGE_2}"
    assert code_of(write(text)) == "incomplete"


def test_a_row_missing_on_a_page_is_named(write: Write) -> None:
    text = f"{HEAD}\n{PAGE_1}Carried forward,,,19.00\nb/fwd,,,19.00\n{PAGE_2}c/fwd,,,24.00\n"
    report = report_of(write(text))
    assert any("1 sum carried forward does not follow" in note for note in report.notes)
    assert not all(check.passed for check in report.checks)


@pytest.mark.parametrize(
    "line", [",,Total (9 transactions),99.00", ",,Total refunds,99.00", ",,Net total,99.00"]
)
def test_a_total_with_a_count_or_a_kind_is_compared(write: Write, line: str) -> None:
    report = report_of(write(f"{HEAD}\n{rows(1, 9)}{line}\n"))
    assert [total.agrees for total in report.totals] == [False]
    assert report.problems == ()


# Of something else ------------------------------------------------------------------------------

ACCOUNT = "Date,Transaction Type,Card Number,Transaction Description,Debit Amount,Credit Amount\n"


def test_the_entries_of_a_bank_account_are_asked_about(write: Write) -> None:
    cards = "".join(f"2025-10-0{i},DEB,****1234,SHOP {i},{i}.50,\n" for i in range(1, 8))
    assert report_of(write(ACCOUNT + cards)).transactions == 7
    for line in (
        "2025-10-08,DD,****1234,NORTHMERE WATER,99.00,",
        "2025-10-08,BGC,****1234,GRANT,,5000.00",
    ):
        assert code_of(write(f"{ACCOUNT}{cards}{line}\n")) == "account_entries"


@pytest.mark.parametrize("heading", ["REFUNDS AND CREDITS", "Refunds", "Credits & adjustments:"])
def test_refunds_below_a_heading_of_their_own_need_a_minus(write: Write, heading: str) -> None:
    text = f"{HEAD}\n{rows(1, 9)}{heading},,,\n2025-10-20,A,SHOP 1,{{}}1.50\n"
    assert code_of(write(text.format(""))) == "direction_unclear"
    assert report_of(write(text.format("-"))).pence == 3850


def test_a_shop_called_credits_heads_nothing(write: Write) -> None:
    text = f"{HEAD}\n{rows(1, 9)}2025-10-09,A,CREDITS,3.00\n2025-10-10,B,Returns,2.00\n"
    assert report_of(write(text)).transactions == 10


# Units ------------------------------------------------------------------------------------------

MIXED = ["364.99", "11623", "21.00", "3199", "36.50", "1109", "28.02", "3428", "67.15", "4067"]


def priced(amounts: list[str]) -> str:
    lines = [f"2025-10-{i + 1:02},A,SHOP {i},{amount}" for i, amount in enumerate(amounts)]
    return "\n".join([HEAD, *lines]) + "\n"


def test_amounts_partly_in_pence_are_asked_about(write: Write) -> None:
    path = write(priced(MIXED))
    assert code_of(path) == "amount_unclear"
    profile = "".join(
        f"{field} = '{name}'\n"
        for field, name in zip(
            ("date", "cardholder", "merchant", "amount"), HEAD.split(","), strict=True
        )
    )
    own = parse_profile(f"[columns]\n{profile}", "ours.toml")
    choices = ReadingChoices([own, *shipped_profiles()], CHOICES.card_key)
    assert read_statements([path], choices).reports[0].transactions == len(MIXED)


@pytest.mark.parametrize(
    "amounts",
    [
        ["5", "12.50", "20", "3.99", "150", "7.20", "40", "8.00", "10", "65.10"],
        ["1200", "12.5", "2500", "3.99", "1500", "7.2", "4000", "8.1", "1000", "65.1"],
        [*MIXED[::2], "1500"],
        [*MIXED[::2], "1500", "2400", "950", "3000", "1275"],
    ],
    ids=["typed by hand", "as a spreadsheet saves", "one large one", "round ones"],
)
def test_whole_pounds_beside_pence_are_read(write: Write, amounts: list[str]) -> None:
    pence = round(100 * sum(map(float, amounts)))
    assert report_of(write(priced(amounts))).pence == pence


def test_net_amounts_alone_are_named(write: Write) -> None:
    text = "Date,Cardholder,Merchant,Net\n2025-10-13,A,S,10.00\n2025-10-14,B,T,7.00\n"
    assert any("without VAT, as 'Net' says" in note for note in report_of(write(text)).notes)


# Beside and below the payments ------------------------------------------------------------------


def beside(write: Write, headings: str, *cells: str) -> Path:
    lines = rows(1, 9).splitlines()
    more = [*cells, *[",,"] * len(lines)]
    text = "\n".join(f"{line},,{cell}" for line, cell in zip(lines, more, strict=False))
    return write(f"{HEAD},,{headings}\n{text}\n")


def test_a_table_of_sums_beside_the_payments_is_not_read(write: Write) -> None:
    report = report_of(beside(write, "Cardholder,Total,", "A,12.00,", "B,15.00,"))
    assert (report.transactions, report.pence) == (8, 4000)
    assert any("stand apart and are not read" in note for note in report.notes)


def test_payments_of_another_holder_beside_the_payments_are_refused(write: Write) -> None:
    cells = [f"2025-10-0{i},C,SHOP,{i}.00" for i in range(1, 5)]
    assert code_of(beside(write, HEAD, *cells)) == "columns_unclear"


def test_a_sum_that_was_never_worked_out_is_no_payment(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", Data=[*table(range(1, 9)), ["", "", "Total", "=SUM(D2)"]])
    report = report_of(path)
    assert (report.transactions, report.pence, report.problems) == (8, 3600, ())
    unpriced = ["2025-10-09", "A", "x", "=1+1"]
    path = workbook(tmp_path / "b.xlsx", Data=[unpriced, *table(range(1, 9))])
    assert code_of(path) == "formulas"
