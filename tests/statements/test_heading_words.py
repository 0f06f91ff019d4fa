"""Headings are known by the words that they are made of, and the better of two is taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openpyxl
import pytest

from cardwatch.errors import FileRefused
from cardwatch.statements import ReadingChoices, read_statements, shipped_profiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.records import ReadingReport

    Write = Callable[..., Path]

CHOICES = ReadingChoices(shipped_profiles(), b"a key for tests, of no other use")
ROWS = "2025-10-13,A Roe,ALPHA,10.50\n2025-10-14,B Poe,BETA,20.00\n"


def report_of(path: Path) -> ReadingReport:
    (report,) = read_statements([path], CHOICES).reports
    return report


@pytest.mark.parametrize("headings", ["Name,Submitted By", "User,Submitter"])
def test_who_hands_a_claim_in_is_not_who_bought(write: Write, headings: str) -> None:
    rows = "2025-10-13,A Roe,P Clerk,ALPHA,10.50\n2025-10-14,B Poe,P Clerk,BETA,20.00\n"
    report = report_of(write(f"Date,{headings},Merchant,Amount\n{rows}"))
    assert report.columns["cardholder"] == headings.partition(",")[0]


@pytest.mark.parametrize(
    "headings",
    [
        "Purchased On,Bought By,Bought From,Sum Paid",
        "when,who,where,how much",
        "Trans Dt,Cardholder Nm,Merch Nm,Txn Amt",
        "Date of Expense,Submitter Name,Retailer Name,Expense Total",
        "Doc. Date,Name of Employee,Vendor Text,Amount in LC",
        "Created (UTC),Spender,Shop,£",
        "Payment day,Accountholder,Supplier's name,Amount inc. VAT",
        "purchasedAt,cardUserName,vendorName,amountGBP",
        "Dyddiad / Date,Deiliad y Cerdyn / Cardholder,Cyflenwr / Supplier,Swm / Amount (£)",
        "Spent Date,Member of Staff,Store Name,Cost",
    ],
)
def test_headings_are_known_by_their_words(write: Write, headings: str) -> None:
    report = report_of(write(f"{headings}\n{ROWS}"))
    assert (report.transactions, report.pence, report.first_on) == (2, 3050, "2025-10-13")
    names = headings.split(",")
    assert [
        report.columns[field] for field in ("date", "cardholder", "merchant", "amount")
    ] == names


@pytest.mark.parametrize(
    ("headings", "cells", "field", "taken"),
    [
        ("Date,Purchased On", "2025-09-01,2025-10-13", "date", "Purchased On"),
        ("Document Date,Date", "2025-09-01,2025-10-13", "date", "Date"),
        ("Posting Date,Transaction Date", "2025-10-15,2025-10-13", "date", "Transaction Date"),
    ],
)
def test_the_day_of_the_purchase_is_taken(
    write: Write, headings: str, cells: str, field: str, taken: str
) -> None:
    text = f"Cardholder,Merchant,Amount,{headings}\nA,ALPHA,10.50,{cells}\n"
    report = report_of(write(text))
    assert report.columns[field] == taken
    assert report.first_on == "2025-10-13"


@pytest.mark.parametrize("heading", ["GBP", "£", "Pounds Sterling"])
def test_a_column_headed_by_the_pound_is_the_billed_amount(write: Write, heading: str) -> None:
    text = f"Date,Employee,Merchant,Amount,{heading}\n2025-10-13,A,ALPHA,13.40,10.50\n"
    assert report_of(write(text)).pence == 1050


@pytest.mark.parametrize("second", ["Supplier Text", "Vendor Text", "Bought From"])
def test_a_text_beside_the_merchant_is_not_the_merchant(write: Write, second: str) -> None:
    text = f"Date,Employee,Text,{second},Amount\n2025-10-13,A,for the office,ALPHA,10.50\n"
    assert report_of(write(text)).columns["merchant"] == second


def test_days_of_posting_serve_where_there_are_no_others(write: Write) -> None:
    report = report_of(write("Posting Date,Cardholder,Merchant,Amount\n" + ROWS))
    assert report.first_on == "2025-10-13"
    assert any("days are those of 'Posting Date'" in decision for decision in report.decisions)


def test_every_sheet_with_such_headings_is_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for month in range(1, 5):
        sheet = book.create_sheet(f"Month {month}")
        sheet.append(["Posting Date", "Bought By", "Bought From", "Sum Paid"])
        for day in range(1, 6 + month):
            sheet.append([f"2025-0{month}-{day:02}", "A", f"SHOP {day}", 1.5])
    book.save(tmp_path / "a.xlsx")
    assert report_of(tmp_path / "a.xlsx").transactions == 6 + 7 + 8 + 9


@pytest.mark.parametrize(
    "headings",
    [
        "Date,Approved By,Merchant,Amount",
        "Date Issued,Cardholder,Merchant,Amount",
        "Order Date,Cardholder,Supplier,Order Limit",
        "Date,Cardholder,Merchant Type,Amount",
    ],
)
def test_words_of_other_things_make_no_heading(write: Write, headings: str) -> None:
    with pytest.raises(FileRefused) as refused:
        report_of(write(f"{headings}\n{ROWS}"))
    assert refused.value.code == "columns_unknown"


def test_a_heading_that_is_used_is_no_hint_for_another_field(write: Write) -> None:
    with pytest.raises(FileRefused) as refused:
        report_of(write("Date,Vendor Name,Amount\n2025-10-13,ALPHA,10.50\n"))
    assert "Vendor Name'" not in str(refused.value)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("Vendor", "Vendor Name"),
        ("Supplier", "Supplier Text"),
        ("Store", "Shop"),
        ("Store", "Narrative"),
    ],
)
def test_names_of_merchants_come_before_their_numbers(write: Write, number: str, name: str) -> None:
    rows = "2025-10-13,A,0040012,ALPHA 1,10.50\n2025-10-14,B,0040077,BETA,20.00\n"
    report = report_of(write(f"Date,Employee,{number},{name},Amount\n{rows}"))
    assert report.columns["merchant"] == name


def test_merchants_that_are_only_numbers_are_named(write: Write) -> None:
    rows = "2025-10-13,A,0040012,10.50\n2025-10-14,B,0040077,20.00\n"
    report = report_of(write(f"Date,Employee,Vendor,Amount\n{rows}"))
    assert any("the merchants in 'Vendor' are numbers" in note for note in report.notes)
