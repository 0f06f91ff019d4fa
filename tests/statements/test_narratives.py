"""A bank's texts are the merchants where no column names these; what people write is not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import openpyxl
import pytest

from cardwatch.errors import FileRefused
from cardwatch.statements import ReadingChoices, read_statements, shipped_profiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from cardwatch.records import ReadingReport, Statements

    Write = Callable[..., Path]

CHOICES = ReadingChoices(shipped_profiles(), b"a key for tests, of no other use")

BANK = ["TESCO STORES 3298 LEEDS", "AMZN MKTP UK*1A2B3C4D", "CARD PAYMENT TO WICKES", "B&Q 1132",
        "TRAINLINE.COM", "POST OFFICE COUNTER", "GREGGS PLC", "SP BIGSHOP.CO.UK"]  # fmt: skip
APP = ["Tesco Stores", "Premier Inn Leeds", "Screwfix Direct", "amazon.co.uk", "Wickes", "WH Smith",
       "Trainline", "Shell Station of York"]  # fmt: skip
PURPOSES = ["Stationery", "Train tickets to Leeds", "Hotel for training course", "Office Supplies",
            "Fuel", "Refreshments for visitors", "replacement charger", "Books"]  # fmt: skip
CAPITAL_PURPOSES = [text.upper() for text in PURPOSES]
CATEGORIES = ["Eating places and restaurants", "Veterinary services", "Stationery stores",
              "Taxicabs and limousines", "Book stores"]  # fmt: skip
KINDS = ["PURCHASE DOMESTIC", "PURCHASE INTERNATIONAL", "CARD PAYMENT"]


def read(path: Path) -> tuple[Statements, ReadingReport]:
    statements = read_statements([path], CHOICES)
    return statements, statements.reports[0]


def lines(texts: Sequence[str], heading: str = "Description", more: str = "") -> str:
    rows = [f'{10 + i}/10/2025,{"AB"[i % 2]},"{text}",{i + 1}.50' for i, text in enumerate(texts)]
    return "\n".join([f"Date,Cardholder,{heading},Amount", *(row + more for row in rows)]) + "\n"


def test_a_cell_of_dots_costs_no_more_than_its_length(write: Write) -> None:
    """A pattern that tried every place twice took days for the longest cell that is allowed."""
    statements, _ = read(write(lines([*BANK, "." * 32_000])))
    assert len(statements.transactions) == len(BANK) + 1


@pytest.mark.parametrize("texts", [BANK, APP, BANK[:1]], ids=["bank", "app", "one payment"])
@pytest.mark.parametrize(
    "heading", ["Description", "TRANSACTION DESCRIPTION", "Narrative", "Details"]
)
def test_texts_of_a_bank_are_the_merchants(write: Write, texts: list[str], heading: str) -> None:
    statements, report = read(write(lines(texts, heading)))
    assert statements.transactions["merchant"].tolist() == texts
    assert any(heading in note and "column profile" in note for note in report.notes)


@pytest.mark.parametrize(
    "texts",
    [
        PURPOSES,
        CAPITAL_PURPOSES,
        CATEGORIES,
        KINDS,
        [*BANK[:6], *PURPOSES[:2]],
        ["Operation Heron", "Leeds Custody", "Visit Of The Mayor"],
        ["lunch with leeds team", "print cartridges", "court bundle copies"],
    ],
    ids=["purposes", "in capitals", "categories", "kinds", "some", "titles", "small letters"],
)
def test_what_people_write_is_no_merchant(write: Write, texts: list[str]) -> None:
    with pytest.raises(FileRefused, match="no column for merchant"):
        read(write(lines(texts)))


def test_a_column_of_merchants_comes_before_texts(write: Write) -> None:
    text = lines(BANK).replace("Amount\n", "Amount,Supplier\n")
    rows = [row + ",ACME" if i else row for i, row in enumerate(text.splitlines())]
    statements, report = read(write("\n".join(rows)))
    assert set(statements.transactions["merchant"]) == {"ACME"}
    assert statements.transactions["description"].tolist() == BANK
    assert not any("no column is headed merchant" in note for note in report.notes)


def test_the_other_texts_stay_the_description(write: Write) -> None:
    rows = [f"{10 + i}/10/2025,A,{BANK[i]},{PURPOSES[i]},{i}.50" for i in range(1, 6)]
    path = write("\n".join(["Date,Cardholder,Details,Description,Amount", *rows]))
    statements, _ = read(path)
    assert statements.transactions["merchant"].tolist() == BANK[1:6]
    assert statements.transactions["description"].tolist() == PURPOSES[1:6]


def test_two_columns_of_a_banks_texts_that_suit_alike_are_asked_about(write: Write) -> None:
    rows = [f"{10 + i}/10/2025,A,{BANK[i]},{BANK[-i]},{i}.50" for i in range(1, 6)]
    with pytest.raises(FileRefused, match="no column for merchant"):
        read(write("\n".join(["Date,Cardholder,Details,Narrative,Amount", *rows])))


def test_a_year_of_sheets_with_a_banks_texts_is_read_whole(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for month in range(1, 13):
        sheet = book.create_sheet(f"Month {month}")
        sheet.append(["Date", "Cardholder", "Description", "Amount"])
        for day, text in enumerate(BANK, 1):
            sheet.append([f"2025-{month:02}-{day:02}", "A", text, day])
    book.save(tmp_path / "a.xlsx")
    _, report = read(tmp_path / "a.xlsx")
    assert (report.transactions, report.pence) == (96, 12 * 3600)


# Web pages and JSON -----------------------------------------------------------------------------


def test_headings_that_programs_join_are_known(write: Write) -> None:
    text = "transactionDate,cardholderName,merchantName,amountGBP\n2025-10-13,A,ALPHA,10.50\n"
    assert read(write(text))[1].pence == 1050


def test_records_of_an_app_become_payments(write: Write) -> None:
    record = {
        "transactionDate": "2025-10-13T09:30:00Z",
        "merchant": {"name": "ALPHA", "mcc": 5111},
        "user": {"first_name": "A", "last_name": "Roe"},
        "amount": {"value": 10.5, "currency": "GBP"},
    }
    statements, report = read(write(json.dumps({"data": [record]}), "a.json"))
    (payment,) = statements.transactions.to_dict("records")
    assert (payment["merchant"], payment["mcc"], payment["amount_pence"]) == ("ALPHA", "5111", 1050)
    assert (payment["holder_id"], report.form) == ("A Roe", "json")


def test_records_in_another_currency_are_problems(write: Write) -> None:
    records = [
        {"date": "2025-10-13", "merchant": "A", "user": "B", "amount": 10.5, "currency": currency}
        for currency in ("GBP", "EUR")
    ]
    _, report = read(write(json.dumps(records), "a.json"))
    assert [problem.code for problem in report.problems] == ["not_in_pounds"]


def test_whole_amounts_of_records_may_be_pence(write: Write) -> None:
    def written(name: str, *amounts: float) -> Path:
        records = [
            {"date": f"2025-10-{13 + i}", "merchant": "ALPHA", "user": "A", name: amount}
            for i, amount in enumerate(amounts)
        ]
        return write(json.dumps(records), "a.json")

    with pytest.raises(FileRefused, match="pounds or pence"):
        read(written("amount", 1050, 900))
    assert read(written("amount", 1050, 9.5))[1].pence == 105_950
    assert read(written("amountPence", 1050, 900))[1].pence == 1950


@pytest.mark.parametrize(
    ("headings", "cells", "pence"),
    [
        ("Amount (pence)", "1250", 1250),
        ("amountMinorUnits", "1250", 1250),
        ("Amount,Amount (pence)", "12.50,1250", 1250),
        ("Gross Amount in pence,VAT", "1250,2.08", 1250),
    ],
)
def test_amounts_in_pence_are_known_by_their_heading(
    write: Write, headings: str, cells: str, pence: int
) -> None:
    text = f"Date,Cardholder,Merchant,{headings}\n13/10/2025,A,ALPHA,{cells}\n"
    assert read(write(text))[1].pence == pence


def test_a_count_of_pieces_is_no_amount(write: Write) -> None:
    text = "Date,Cardholder,Merchant,Total Units\n13/10/2025,A,ALPHA,1250\n"
    with pytest.raises(FileRefused, match="no column for amount"):
        read(write(text))


def test_a_web_page_becomes_payments(write: Write) -> None:
    page = (
        "<html><body><h3>Card statement</h3><table><tr><td>Cardholder:</td><td>A Roe</td></tr>"
        "</table><table><tr><th>Transaction<br>Date</th><th>Merchant</th><th>Amount (&pound;)</th>"
        "</tr><tr><td>13/10/2025</td><td>B &amp; Q</td><td>1,200.00</td></tr><tr><td>14/10/2025"
        "</td><td>GAMMA</td><td>-&pound;3.00</td></tr><tr><td colspan=2>Total</td><td>1,197.00</td>"
        "</tr></table></body></html>"
    )
    statements, report = read(write(page, "a.xls"))
    assert statements.transactions["merchant"].tolist() == ["B & Q", "GAMMA"]
    assert statements.transactions["holder_id"].tolist() == ["A Roe", "A Roe"]
    assert (report.pence, report.form, len(report.totals)) == (119_700, "html", 1)
    assert report.totals[0].agrees


def test_a_table_without_a_label_is_nobodys(write: Write) -> None:
    head = "<tr><th>Date<th>Merchant<th>Amount</tr>"
    page = "".join(
        f"{label}<table>{head}<tr><td>{13 + i}/10/2025<td>SHOP {i}<td>{i + 1}.50</tr></table>"
        for i, label in enumerate(["<p>Cardholder: A Roe</p>", "<p>Cardholder: B Poe</p>", ""])
    )
    statements, report = read(write(f"<html><body>{page}</body></html>", "a.xls"))
    assert statements.transactions["holder_id"].tolist() == ["A Roe", "B Poe"]
    assert [problem.code for problem in report.problems] == ["no_holder"]


def test_a_web_page_that_says_another_currency_is_refused(write: Write) -> None:
    rows = "<tr><td>13/10/2025<td>A<td>ALPHA<td>1.00</tr>" * 3
    page = f"<p>All amounts in EUR<table><tr><th>Date<th>User<th>Merchant<th>Amount</tr>{rows}"
    with pytest.raises(FileRefused) as refused:
        read(write(f"{page}</table>", "a.xls"))
    assert refused.value.code == "not_in_pounds"
