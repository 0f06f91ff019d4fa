"""Habits of exports seen in a third set of files that the reader had never met."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from one_file import days_of, pence_of, read, refusal

from cardwatch.line_items import read_line_items

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]

HEAD = "Date,Cardholder,Merchant,Amount"


# Charge or refund -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "charge", "refund"),
    [
        ("Direction", "Outgoing", "Incoming"),
        ("Doc Type", "Invoice", "Credit Note"),
        ("INV/CRN", "INV", "CRN"),
        ("Tran Code", "05", "06"),
        ("Transaction Type Code", "10", "11"),
    ],
)
def test_words_and_codes_of_money_back(
    write: Write, heading: str, charge: str, refund: str
) -> None:
    rows = f"13/10/2025,A,S,10,{charge}\n14/10/2025,B,T,4,{refund}\n15/10/2025,A,U,2,{charge}\n"
    assert pence_of(write(f"{HEAD},{heading}\n{rows}")) == [1000, -400, 200]


def test_codes_of_two_schemes_are_told(write: Write) -> None:
    rows = "13/10/2025,A,S,10,05\n14/10/2025,B,T,4,11\n15/10/2025,A,U,2,05\n"
    _, report = read(write(f"{HEAD},Tran Code\n{rows}"))
    assert any("codes that are not known" in note for note in report.notes)


def test_a_column_of_directions_with_other_words_is_asked_about(write: Write) -> None:
    rows = "13/10/2025,A,S,10,Out\n14/10/2025,B,T,4,Homeward\n15/10/2025,A,U,2,Out\n"
    assert refusal(write(f"{HEAD},Direction\n{rows}")).code == "direction_unclear"


# Currencies -------------------------------------------------------------------------------------


@pytest.mark.parametrize("unit", ["₹", "₺", "Fr. francs", "yen", "rupees", "₽"])
def test_signs_and_names_of_other_currencies(write: Write, unit: str) -> None:
    rows = "13/10/2025,A,S,10.00\n14/10/2025,B,T,4.00\n"
    assert refusal(write(f"{HEAD} ({unit})\n{rows}")).code in {"not_in_pounds", "columns_unknown"}


# Payments on several rows -----------------------------------------------------------------------

ITEMS = (
    "13/10/2025,A,Inn,30.00{0}\n13/10/2025,A,Inn,10.00{1}\n13/10/2025,A,Inn,20.00{1}\n"
    "14/10/2025,B,Shop,7.00{0}\n14/10/2025,B,Shop,7.00{1}\n"
    "15/10/2025,B,Cafe,9.00{0}\n15/10/2025,B,Cafe,4.50{1}\n15/10/2025,B,Cafe,4.50{1}\n"
)


def test_an_expense_and_its_items_are_one(write: Write) -> None:
    rows = ITEMS.format(",Expense", ",Itemisation")
    assert pence_of(write(f"{HEAD},Entry Type\n{rows}")) == [3000, 700, 900]


def test_sums_above_their_parts_need_no_words(write: Write) -> None:
    path = write(f"{HEAD}\n{ITEMS.format('', '')}")
    assert pence_of(path) == [3000, 700, 900]
    _, report = read(path)
    assert report.further_lines == 5
    assert any("further lines" in note for note in report.notes)


def test_one_sum_above_its_parts_is_chance(write: Write) -> None:
    rows = "".join(ITEMS.format("", "").splitlines(keepends=True)[:5])
    assert len(pence_of(write(f"{HEAD}\n{rows}"))) == 5


def test_equal_halves_of_a_payment_are_its_lines(write: Write) -> None:
    rows = (
        "13/10/2025,A,S,10.00,R1,5.00\n13/10/2025,A,S,10.00,R1,5.00\n"
        "14/10/2025,B,T,8.00,R2,3.00\n14/10/2025,B,T,8.00,R2,5.00\n15/10/2025,A,U,2.00,R3,2.00\n"
    )
    assert pence_of(write(f"{HEAD},Transaction ID,Coded Amount\n{rows}")) == [1000, 800, 200]


# Names, days and sums ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other", "is_said"),
    [
        ("PC 1234 Roe", "Sgt 1234 Roe", True),
        ("Ada Roe", "A Roe", True),
        ("Ms Ada Roe", "ADA ROE", True),
        ("ADA ROE - 1234", "ADA ROE - 2345", True),
        ("Ada Roe", "Roe Ada", True),
        ("PC Roe", "Sgt Roe", False),
        ("1234 Roe", "2345 Roe", False),
        ("1234", "Ada Roe", False),
        ("Ada Roe", "Ben Roe", False),
    ],
)
def test_names_in_two_forms_are_told(write: Write, one: str, other: str, *, is_said: bool) -> None:
    _, report = read(write(f"{HEAD}\n13/10/2025,{one},S,10\n14/10/2025,{other},T,4\n"))
    assert any("in two forms" in note for note in report.notes) == is_said


def test_a_day_of_the_year_before_is_told(write: Write) -> None:
    rows = "".join(f"{day}/10/2025,A,S{day},1{day}.00\n" for day in range(13, 20))
    wrong = f"{HEAD}\n{rows}15/10/2024,A,T,9.00\n"
    late = f"{HEAD}\n{rows}15/03/2025,A,T,9.00\n"
    said = "dated a year before the others"
    assert any(said in note for note in read(write(wrong))[1].notes)
    assert not any(said in note for note in read(write(late))[1].notes)


ROWS = "13/10/2025,A,S,10.00\n14/10/2025,B,T,4.00\n15/10/2025,A,U,-2.00\n16/10/2025,B,V,5.00\n"


def test_a_dated_sum_with_a_name_is_a_total(write: Write) -> None:
    _, report = read(write(f"{HEAD}\n{ROWS}31/10/2025,Team,Sum of all cards,17.00\n"))
    assert (report.transactions, report.pence) == (4, 1700)
    assert [total.agrees for total in report.totals] == [True]


def test_a_shop_called_total_stays_a_payment(write: Write) -> None:
    _, report = read(write(f"{HEAD}\n{ROWS}31/10/2025,B,Fitness Total,16.00\n"))
    assert report.transactions == 5


def test_a_payment_as_large_as_all_others_is_told(write: Write) -> None:
    more = "17/10/2025,A,W,6.00\n"
    _, report = read(write(f"{HEAD}\n{ROWS}{more}31/10/2025,Team,All cards,23.00\n"))
    assert any("as much as all others together" in note for note in report.notes)


MONTHS = {
    "cy": "Ionawr Chwefror Mawrth Ebrill Mai Mehefin Gorffennaf Awst Medi Hydref Tachwedd Rhagfyr",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "es": "enero febrero marzo abril mayo junio julio agosto setembro octubre noviembre dic",
}


@pytest.mark.parametrize("language", MONTHS)
def test_months_in_other_languages(write: Write, language: str) -> None:
    rows = "".join(
        f"{14 + i}. {name} 2025,A,S{i},1.00\n" for i, name in enumerate(MONTHS[language].split())
    )
    assert days_of(write(f"{HEAD}\n{rows}")) == [f"2025-{i:02}-{13 + i}" for i in range(1, 13)]


def test_a_day_and_time_with_a_t_between(write: Write) -> None:
    assert days_of(write(f"{HEAD}\n20251031T093000,A,S,1.00\n")) == ["2025-10-31"]


def test_marks_of_a_web_page_in_names(write: Write) -> None:
    frame = read(write(f"{HEAD}\n13/10/2025,A,B&amp;Q,10\n"))[0].transactions
    assert frame["merchant"].tolist() == ["B&Q"]


# Columns ----------------------------------------------------------------------------------------


def test_billed_charges_beside_local_ones(write: Write) -> None:
    head = "Charge Date,Card Member,Supplier,Local Charge Amount,Billed Charge Amount"
    assert pence_of(write(f"{head}\n13/10/2025,A,S,5000.00,26.00\n")) == [2600]


def test_an_invoice_amount_only_where_no_other_is(write: Write) -> None:
    head = "Date,Cardholder,Supplier,Invoice Amount"
    assert pence_of(write(f"{head}\n13/10/2025,A,S,5.00\n")) == [500]
    assert pence_of(write(f"{head},Amount Paid\n13/10/2025,A,S,50.00,5.00\n")) == [500]


def test_sides_of_a_ledger_beat_what_is_without_vat(write: Write) -> None:
    head = "Date,Cardholder,Supplier,Dr,Cr,Net"
    rows = "13/10/2025,A,S,12.00,,10.00\n14/10/2025,B,T,,6.00,-5.00\n15/10/2025,A,U,24.00,,20.00\n"
    assert pence_of(write(f"{head}\n{rows}")) == [1200, -600, 2400]


def test_a_name_and_a_masked_card_head_a_section(write: Write) -> None:
    text = (
        "Date,Merchant,Amount\nA Roe   **** **** **** 1234,,\n13/10/2025,S,1.00\n,Sub-total,1.00\n"
        "B Doe XXXX-XXXX-XXXX-2345,,\n14/10/2025,T,2.00\n"
    )
    frame = read(write(text))[0].transactions
    assert frame["holder_id"].tolist() == ["A Roe", "B Doe"]


def test_marks_of_credit_behind_printed_amounts(write: Write) -> None:
    lines = [
        "COMPANY 01                      RUN 31-OCT-2025 21:14",
        "DATE         CARDHOLDER    SUPPLIER          AMOUNT",
        "13-OCT-2025  A ROE         SHOP ONE           10.00",
        "14-OCT-2025  B DOE         SHOP TWO            4.00  CR",
        "15-OCT-2025  A ROE         SHOP THREE     1,200.00",
    ]
    assert pence_of(write("\n".join(lines) + "\n", "a.txt")) == [1000, -400, 120000]


# What a second batch showed ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "charge", "refund"),
    [
        ("Flow", "Sent", "Received"),
        ("Type", "Achat", "Remboursement"),
        ("Math", "Pryniant", "Ad-daliad"),
        ("Art", "Belastung", "Gutschrift"),
        ("Reversal Indicator", "", "R"),
        ("Refund", "", "*"),
    ],
)
def test_words_of_other_languages_and_marks(
    write: Write, heading: str, charge: str, refund: str
) -> None:
    rows = f"13/10/2025,A,S,10,{charge}\n14/10/2025,B,T,4,{refund}\n15/10/2025,A,U,2,{charge}\n"
    assert pence_of(write(f"{HEAD},{heading}\n{rows}")) == [1000, -400, 200]


@pytest.mark.parametrize("heading", ["Transaction Type", "Refund Code"])
def test_unknown_words_of_types_are_told(write: Write, heading: str) -> None:
    rows = "13/10/2025,A,S,10,Abcdef\n14/10/2025,B,T,4,Ghijkl\n15/10/2025,A,U,2,Abcdef\n"
    _, report = read(write(f"{HEAD},{heading}\n{rows}"))
    assert any("words that are not known" in note for note in report.notes)


def test_sums_below_their_parts_need_no_words(write: Write) -> None:
    rows = (
        "13/10/2025,A,Inn,10.00\n13/10/2025,A,Inn,20.00\n13/10/2025,A,Inn,30.00\n"
        "14/10/2025,B,Shop,7.00\n"
        "15/10/2025,B,Cafe,4.00\n15/10/2025,B,Cafe,5.00\n15/10/2025,B,Cafe,9.00\n"
    )
    frame = read(write(f"{HEAD}\n{rows}"))[0].transactions
    assert frame["amount_pence"].tolist() == [3000, 700, 900]
    items = [[i.amount_pence for i in read_line_items(text)] for text in frame["line_items"]]
    assert items == [[1000, 2000], [], [400, 500]]


@pytest.mark.parametrize(("vat", "is_said"), [(5, True), (6, False)])
def test_amounts_without_vat_are_told_by_it(write: Write, vat: int, *, is_said: bool) -> None:
    pence = [600, 1200, 3000, 4500, 9000, 1500, 600, 1800, 2400, 3300, 7200, 8100]
    rows = "".join(
        f"{13 + i}/10/2025,A,S{i},{p / 100:.2f},{p / vat / 100:.2f}\n" for i, p in enumerate(pence)
    )
    _, report = read(write(f"{HEAD},VAT\n{rows}"))
    assert any("without VAT" in note for note in report.notes) == is_said


def test_a_mark_of_credit_behind_a_merchant_is_told(write: Write) -> None:
    rows = "13/10/2025,A,S,10\n14/10/2025,B,T SHOP  CR,4\n15/10/2025,A,U,2\n"
    _, report = read(write(f"{HEAD}\n{rows}"))
    assert any("ends with CR" in note for note in report.notes)


def test_a_line_that_is_less_than_its_total_is_told(write: Write) -> None:
    head = "Date,Cardholder,Merchant,Line Value,Invoice Total"
    rows = "13/10/2025,A,S,10.00,10.00\n14/10/2025,B,T,4.00,5.00\n15/10/2025,A,U,2.00,2.00\n"
    _, report = read(write(f"{head}\n{rows}"))
    assert any("does not add up" in note for note in report.notes)


@pytest.mark.parametrize("heading", ["Receipt", "Status", "Invoice status"])
def test_where_a_receipt_is_makes_no_refund(write: Write, heading: str) -> None:
    rows = "13/10/2025,A,S,10,Received\n14/10/2025,B,T,4,Sent\n15/10/2025,A,U,2,Received\n"
    reading, report = read(write(f"{HEAD},{heading}\n{rows}"))
    assert reading.transactions["amount_pence"].tolist() == [1000, 400, 200]
    assert any("taken for the state of a receipt" in note for note in report.notes)
    rows = rows.replace("Sent", "Missing").replace("U,2,Received", "U,2,")
    assert pence_of(write(f"{HEAD},{heading}\n{rows}")) == [1000, 400, 200]


def test_lines_without_vat_come_to_a_payment_with_it(write: Write) -> None:
    """The payment was counted once for each of its lines."""
    head = "Transaction ID,Date,Employee,Merchant,Transaction Amount,Line Amount,VAT"
    rows = (
        "T1,13/10/2025,A,S,120.00,60.00,12.00\n"
        "T1,13/10/2025,A,S,120.00,40.00,8.00\n"
        "T2,14/10/2025,B,T,15.00,12.50,2.50\n"
        "T3,15/10/2025,B,T,30.00,30.00,0.00\n"
    )
    reading, report = read(write(f"{head}\n{rows}"))
    assert reading.transactions["amount_pence"].tolist() == [12000, 1500, 3000]
    assert not any("does not add up" in note for note in report.notes)


def test_a_limit_of_credit_is_no_word_for_a_refund(write: Write) -> None:
    rows = "13/10/2025,A,S,10,1000.00\n14/10/2025,B,T,4,5000.00\n15/10/2025,A,U,2,1000.00\n"
    _, report = read(write(f"{HEAD},Credit Limit\n{rows}"))
    assert not any("are not known" in note for note in report.notes)


def test_numbers_for_credit_are_told(write: Write) -> None:
    rows = "13/10/2025,A,S,10,05\n14/10/2025,B,T,4,06\n15/10/2025,A,U,2,05\n"
    _, report = read(write(f"{HEAD},Credit ref\n{rows}"))
    assert any("2 codes that are not known" in note for note in report.notes)


def test_an_expense_that_is_not_read_is_not_said_to_be_counted(write: Write) -> None:
    rows = "13/10/2025,A,S,10,Company Card\n14/10/2025,B,,4,Out of Pocket\n"
    _, report = read(write(f"{HEAD},Payment Type\n{rows}"))
    assert not any("no card of yours paid" in note for note in report.notes)
