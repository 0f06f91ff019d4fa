"""Further kinds that made-up statements showed: read right, refused with what to do, or named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openpyxl
import pytest
from one_file import days_of, notes_of, pence_of, read, refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.records import ReadingReport

    Write = Callable[..., Path]

HEAD = "Date,Cardholder,Merchant,Amount"
ROWS = "13/10/2025,A,S,10.00\n14/10/2025,B,T,11.00\n15/10/2025,B,U,-1.50\n"
"""They come to £19.50; the charges among them to £21."""


def report_of(path: Path) -> ReadingReport:
    return read(path)[1]


# Amounts ------------------------------------------------------------------------------------------

TAXED = "Date,Cardholder,Merchant,{},VAT,{}\n"
UNEQUAL = [(10, 2, 11), (20, 4, 21), (30, 6, 31), (40, 8, 41), (50, 10, 51)]
"""An amount, VAT and another amount that is not their sum."""


def taxed(first: str, second: str) -> str:
    rows = (f"{10 + i}/10/2025,A,S{i},{a},{v},{b}\n" for i, (a, v, b) in enumerate(UNEQUAL))
    return TAXED.format(first, second) + "".join(rows)


@pytest.mark.parametrize("heading", ["Transaction Amount", "Original Gross Amount"])
def test_an_amount_at_the_merchant_need_not_come_to_the_billed_one_with_vat(
    write: Write, heading: str
) -> None:
    assert pence_of(write(taxed(heading, "Billing Amount"))) == [1100, 2100, 3100, 4100, 5100]


def test_net_and_vat_have_to_come_to_the_gross_amount(write: Write) -> None:
    assert refusal(write(taxed("Net", "Gross"))).code == "amount_unclear"
    assert refusal(write(taxed("Amount", "Total"))).code == "amount_unclear"


def test_a_billed_amount_that_is_net_is_named_beside_another_amount(write: Write) -> None:
    path = write(taxed("Transaction Net Amount", "Billing Net Amount"))
    assert "the amounts are without VAT, as 'Billing Net Amount' says" in notes_of(path)


@pytest.mark.parametrize("printed", ["\uffe110.00", "&pound;10.00", "&#163;10.00"])
def test_other_spellings_of_the_pound_sign_are_read(write: Write, printed: str) -> None:
    rows = ROWS.replace("10.00", printed).replace("-1.50", "\uff0d1.50")
    assert pence_of(write(f"{HEAD}\n{rows}")) == [1000, 1100, -150]


def test_payments_of_no_money_are_named(write: Write) -> None:
    path = write(f"{HEAD}\n{ROWS}16/10/2025,A,V,0.00\n")
    assert pence_of(path)[-1] == 0
    assert "1 payment is of £0.00, and counted" in notes_of(path)
    assert "£0.00" not in notes_of(write(f"{HEAD}\n{ROWS}"))


# Totals -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "Total charges: £21.00",
        "New transactions £21.00",
        "Total new purchases 21.00",
        "Total 19.50",
    ],
)
def test_a_stated_total_of_all_or_of_charges_agrees(write: Write, line: str) -> None:
    report = report_of(write(f"{line}\n\n{HEAD}\n{ROWS}"))
    assert [check.passed for check in report.checks if check.name == "stated total"] == [True]
    assert not any("total" in note for note in report.notes)


@pytest.mark.parametrize("line", ["Total charges: £22.00", "New transactions £18.00"])
def test_a_stated_total_that_differs_is_named(write: Write, line: str) -> None:
    report = report_of(write(f"{line}\n\n{HEAD}\n{ROWS}"))
    assert [check.passed for check in report.checks if check.name == "stated total"] == [False]
    assert any("are rows missing?" in note for note in report.notes)


def test_a_total_without_an_amount_is_named(write: Write) -> None:
    assert "a total has no amount" in notes_of(write(f"{HEAD}\n{ROWS}Grand Total,,,\n"))
    assert "a total" not in notes_of(write(f"{HEAD}\n{ROWS}Grand Total,,,19.50\n"))


def test_balances_carried_forward_are_no_sums_of_payments(write: Write) -> None:
    rows = (
        "12/10/2025,,Balance brought forward,,5.00\n13/10/2025,A,S,10.00,15.00\n"
        "14/10/2025,,Balance carried forward,,15.00\n14/10/2025,B,T,11.00,26.00\n"
        "15/10/2025,,Balance carried forward,,26.00\n"
    )
    report = report_of(write(f"{HEAD},Balance\n{rows}"))
    assert (report.pence, report.balances) == (2100, 3)
    assert not any("forward" in note for note in report.notes)


# Names --------------------------------------------------------------------------------------------


def test_one_name_beside_several_staff_numbers_is_named(write: Write) -> None:
    head = "Date,Staff Number,Cardholder,Merchant,Amount\n"
    rows = (
        "13/10/2025,{},A Roe,S,10.00\n14/10/2025,{},A ROE,T,11.00\n15/10/2025,1003,B Doe,U,2.50\n"
    )
    path = write(head + rows.format(1001, 1002))
    assert read(path)[0].transactions["holder_id"].nunique() == 3
    assert "1 cardholder's name stands beside several numbers in 'Staff Number'" in notes_of(path)
    assert "several numbers" not in notes_of(write(head + rows.format(1001, 1001)))


# Headings -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "text"),
    [
        ("Merchant", "Shop / Supplier"),
        ("Merchant", "Payee or Vendor"),
        ("Merchant", "Supplier narrative"),
        ("Merchant", "Service Provider"),
        ("Date", "Date of the transaction"),
        ("Date", "Receipt Date"),
        ("Cardholder", "Empl. Name"),
        ("Amount", "Amount Spent"),
    ],
)
def test_further_headings_are_known(write: Write, heading: str, text: str) -> None:
    assert pence_of(write(f"{HEAD.replace(heading, text)}\n{ROWS}")) == [1000, 1100, -150]


def test_the_headings_of_the_transparency_code_are_known(write: Write) -> None:
    """As the Local Government Transparency Code 2015 lists them (part 2.1, paragraph 30)."""
    head = (
        "Date of the transaction,Local authority department which incurred the expenditure,"
        "Cardholder,Beneficiary,Summary of the purpose of the expenditure,Amount"
    )
    path = write(f"{head}\n13/10/2025,Parks,A,S,Seeds,10.00\n14/10/2025,Roads,B,T,Salt,11.00\n")
    frame = read(path)[0].transactions
    assert frame["unit"].tolist() == ["Parks", "Roads"]
    assert frame["description"].tolist() == ["Seeds", "Salt"]


def test_headings_below_many_empty_rows_are_found(write: Write, tmp_path: Path) -> None:
    assert pence_of(write("\n" * 70 + f"Card payments\n\n{HEAD}\n{ROWS}")) == [1000, 1100, -150]
    book = openpyxl.Workbook()
    for i, line in enumerate(f"{HEAD}\n{ROWS}".splitlines()):
        for j, cell in enumerate(line.split(",")):
            book.active.cell(i + 72, j + 1, cell)
    book.save(tmp_path / "a.xlsx")
    assert pence_of(tmp_path / "a.xlsx") == [1000, 1100, -150]


def test_a_text_without_known_headings_is_told_so(write: Write) -> None:
    error = refusal(write("Colour,Shape\nred,round\nblue,square\n"))
    assert error.code == "no_headings"
    assert "known headings" in str(error)


# Rows ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sides", ["Amount", "Debit,Credit"])
def test_a_note_below_the_amounts_is_no_payment(write: Write, sides: str) -> None:
    rows = "13/10/2025,A,S,10.00\n14/10/2025,B,T,11.00\n"
    text = f"Date,Cardholder,Merchant,{sides}\n{rows},,,see the note of 3 October\n"
    report = report_of(write(text))
    assert (report.transactions, report.text_lines, report.problems) == (2, 1, ())


def test_an_amount_alone_that_cannot_be_read_stays_a_problem(write: Write) -> None:
    report = report_of(write(f"{HEAD}\n{ROWS},,,12.50 ??\n"))
    assert [problem.code for problem in report.problems] == ["bad_date"]


def test_two_tables_beside_each_other_are_refused_whatever_a_profile_says(write: Write) -> None:
    rows = ROWS.splitlines()
    doubled = "".join(f"{row},{other}\n" for row, other in zip(rows, rows[::-1], strict=True))
    profile = "[columns]\n" + "".join(f'{h.lower()} = "{h}"\n' for h in HEAD.split(","))
    path = write(f"{HEAD},{HEAD}\n{doubled}")
    for profiles in ([], [profile]):
        error = refusal(path, *profiles)
        assert error.code == "columns_unclear"
        assert "two tables" in str(error)


def test_an_empty_column_parts_payments_from_what_stands_beside_them(write: Write) -> None:
    rows = ROWS.replace("10.00\n", "10.00,,Budget,500\n").replace("11.00\n", "11.00,,,\n")
    path = write(f"{HEAD},,,\n{rows.replace('-1.50', '-1.50,,,')}")
    assert pence_of(path) == [1000, 1100, -150]
    assert "no heading" in notes_of(path)
    pushed = ROWS.replace("A,S,10.00", "A,S, Ltd,10.00")
    report = report_of(write(f"{HEAD},,,\n{pushed}"))
    assert [problem.code for problem in report.problems] == ["too_many_cells"]


def test_a_line_of_dashes_is_no_payment(write: Write) -> None:
    lines = f"{HEAD}\n---,---,---,---\n{ROWS}".replace(",", "|").splitlines()
    report = report_of(write("".join(f"|{line}|\n" for line in lines), "a.txt"))
    assert (report.transactions, report.text_lines, report.problems) == (3, 1, ())


def test_totals_above_their_payments_are_compared_with_these(write: Write) -> None:
    first, *others = ROWS.splitlines(keepends=True)
    sections = f"{HEAD}\n,,Total,{{}}\n{first},,Total,9.50\n{''.join(others)}"
    assert [total.agrees for total in report_of(write(sections.format("10.00"))).totals] == [
        True
    ] * 2
    assert all(t.agrees for t in report_of(write(f"{HEAD}\n,,Total,19.50\n{ROWS}")).totals)
    note = notes_of(write(f"{HEAD}\n,,Total,18.50\n{ROWS}"))
    assert "total in row 2 is £18.50, and the payments below it come to £19.50" in note


def test_a_subtotal_below_a_section_is_compared_and_no_balance(write: Write) -> None:
    sections = "Cardholder: A Roe,,\n13/10/2025,S,10.00\n,Sub total,{}\nCardholder: B Doe,,\n"
    text = f"Date,Merchant,Amount\n{sections}14/10/2025,T,11.00\n,Sub total,11.00\n"
    report = report_of(write(text.format("10.00")))
    assert [total.agrees for total in report.totals] == [True, True]
    assert not report.notes
    assert "the total in row 4 is £12.00" in notes_of(write(text.format("12.00")))


# What words say -----------------------------------------------------------------------------------


def test_words_that_make_refunds_of_most_payments_are_named(write: Write) -> None:
    rows = "13/10/2025,A,S,{},-10.00\n14/10/2025,A,T,{},11.00\n15/10/2025,B,U,{},12.00\n"
    rows += "16/10/2025,B,V,{},13.00\n"
    path = write(
        f"Date,Cardholder,Merchant,Type,Amount\n{rows.format('Purchase', *['Refund'] * 3)}"
    )
    assert pence_of(path) == [1000, -1100, -1200, -1300]
    assert "3 of 4 payments are refunds by the words in column 'Type'" in notes_of(path)
    path = write(
        f"Date,Cardholder,Merchant,Type,Amount\n{rows.format('Refund', *['Purchase'] * 3)}"
    )
    assert "by the words" not in notes_of(path)


@pytest.mark.parametrize("heading", ["Merchant", "Description", "Category"])
def test_vat_on_rows_of_its_own_is_refused_wherever_it_is_called_so(
    write: Write, heading: str
) -> None:
    head = ["Date", "Cardholder", "Merchant", "Description", "Category", "Amount"]
    rows = []
    for day, amount in ((13, 100), (14, 200), (15, 50)):
        row = dict(
            zip(head, [f"{day}/10/2025", "A", "S", "D", "Goods", f"{amount}.00"], strict=True)
        )
        tax = row | {heading: "VAT input", "Amount": f"{amount / 5:.2f}"}
        rows += [",".join(row.values()), ",".join(tax.values())]
    assert refusal(write("\n".join([",".join(head), *rows, ""]))).code == "tax_rows"


@pytest.mark.parametrize("end", [" GBP", "-", " £"])
def test_pence_before_a_currency_or_a_minus_are_no_whole_numbers(write: Write, end: str) -> None:
    rows = "".join(f"{13 + i}/10/2025,A,S{i},{10 + i}.50{end}\n" for i in range(6))
    assert "whole numbers" not in notes_of(write(f"{HEAD}\n{rows}"))


# Days and lists that are none --------------------------------------------------------------------


def test_a_slip_in_one_date_with_the_year_in_front_turns_no_other(write: Write) -> None:
    rows = "".join(f"2025-10-{day:02},A,S{day},{day}.00\n" for day in (2, 3, 4, 5, 6))
    path = write(f"{HEAD}\n{rows}2025-13-11,A,T,9.00\n")
    assert days_of(path) == [f"2025-10-{day:02}" for day in (2, 3, 4, 5, 6)]
    assert read(path)[1].problems[0].code == "bad_date"
    for wrong in ("2025-13-11", "2025-00-14", "2025-45-11"):
        assert refusal(write(f"{HEAD}\n{wrong},A,T,9.00\n")).code == "no_transactions"


def test_what_is_no_day_of_a_month_says_nothing_of_the_order_of_days(write: Write) -> None:
    rows = "".join(f"{day}/10/2025,A,S{day},{day}.00\n" for day in range(11, 31))
    assert len(days_of(write(f"{HEAD}\n{rows}01/88/2025,A,T,9.00\n"))) == 20
    twelve = "".join(f"01/{day}/2025,A,T{day},9.00\n" for day in range(40, 52))
    assert len(days_of(write(f"{HEAD}\n{rows}{twelve}"))) == 20


def test_a_list_of_alerts_is_no_statement(write: Write) -> None:
    text = "Alert id,No.,Date,Cardholder,Merchant,Amount (£),Reference,File,Row\n"
    text += "ab12,1,13/10/2025,A,S,10.00,R1,october.csv,2\n"
    assert refusal(write(text)).code == "list_of_alerts"
