"""What a file says beside its amounts and days: units, marks, counts, totals and midnights."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import openpyxl
import pytest
from one_file import days_of, notes_of, pence_of, read, refusal
from openpyxl.styles import Font

from cardwatch.errors import FileRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Write = Callable[..., Path]

HEAD = "Date,Cardholder,Merchant,Amount"
ROWS = "13/10/2025,A,S,10.00\n14/10/2025,B,T,11.00\n15/10/2025,B,U,12.50\n"


# In what the amounts are -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("All figures in Euro", "not_in_pounds"),
        ("Spend shown in US dollars", "not_in_pounds"),
        ("Card spend 2025 - £000s", "amount_unclear"),
        ("Amounts in £'000", "amount_unclear"),
        ("Amounts are in thousands", "amount_unclear"),
        ("Note: amounts are shown in pence", "amount_unclear"),
    ],
)
@pytest.mark.parametrize("is_above", [True, False])
def test_a_line_that_says_another_unit_is_heeded_above_and_below_the_payments(
    write: Write, line: str, code: str, *, is_above: bool
) -> None:
    text = f"{line},,,\n{HEAD}\n{ROWS}" if is_above else f"{HEAD}\n{ROWS}{line},,,\n"
    assert refusal(write(text)).code == code


@pytest.mark.parametrize(
    "line",
    [
        "Payments over £500",
        "Payments of £1,000 and more",
        "All amounts in pounds and pence",
        "All amounts in GBP (converted from Euro)",
        "European operations card payments",
    ],
)
@pytest.mark.parametrize("is_above", [True, False])
def test_a_line_that_says_no_other_unit_changes_nothing(
    write: Write, line: str, *, is_above: bool
) -> None:
    text = f'"{line}",,,\n{HEAD}\n{ROWS}' if is_above else f'{HEAD}\n{ROWS}"{line}",,,\n'
    assert pence_of(write(text)) == [1000, 1100, 1250]


def test_an_amount_at_the_merchant_below_a_payment_is_no_unit_of_the_file(write: Write) -> None:
    text = f"{HEAD}\n{ROWS},,AMOUNT IN USD 45.00 AT 1.25,\n"
    assert pence_of(write(text)) == [1000, 1100, 1250]


@pytest.mark.parametrize(("heading", "code"), [("£'000", "amount_unclear"), ("€", "not_in_pounds")])
def test_a_profile_makes_no_pounds_of_thousands_or_euros(
    write: Write, heading: str, code: str
) -> None:
    path = write(f"{HEAD} ({heading})\n{ROWS}")
    assert refusal(path).code == code
    profile = "[columns]\n" + "".join(
        f'{name.lower()} = "{name}"\n' for name in ("Date", "Cardholder", "Merchant")
    )
    assert refusal(path, f'{profile}amount = "Amount ({heading})"\n').code == code


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (",,,£000", "amount_unclear"),
        ("dd/mm/yyyy,,,pence", "amount_unclear"),
        (",,,EUR", "not_in_pounds"),
    ],
)
def test_a_row_of_units_below_the_headings_is_heeded(write: Write, row: str, code: str) -> None:
    assert refusal(write(f"{HEAD}\n{row}\n{ROWS}")).code == code


def test_amounts_without_vat_are_named(write: Write) -> None:
    path = write(f"Payments over £500 (net of recoverable VAT),,,\n{HEAD}\n{ROWS}")
    assert "without VAT" in notes_of(path)
    assert "VAT" not in notes_of(write(f"Payments over £500 including VAT,,,\n{HEAD}\n{ROWS}"))


# Marks of credit in a column of their own --------------------------------------------------------


@pytest.mark.parametrize("heading", ["CR", "", "Marker"])
def test_a_mark_of_credit_beside_some_amounts_makes_these_refunds(
    write: Write, heading: str
) -> None:
    rows = "13/10/2025,A,S,10.00,\n14/10/2025,B,T,11.00,CR\n15/10/2025,B,U,12.50,\n"
    assert pence_of(write(f"{HEAD},{heading}\n{rows}")) == [1000, -1100, 1250]


def test_a_minus_in_a_column_without_a_heading_is_a_sign(write: Write) -> None:
    rows = "13/10/2025,A,S,,10.00\n14/10/2025,B,T,-,11.00\n15/10/2025,B,U,,12.50\n"
    assert pence_of(write(f"Date,Cardholder,Merchant,,Amount\n{rows}")) == [1000, -1100, 1250]


def test_a_dash_in_a_column_of_something_else_is_no_sign(write: Write) -> None:
    rows = "13/10/2025,A,S,10.00,\n14/10/2025,B,T,11.00,-\n15/10/2025,B,U,12.50,\n"
    assert pence_of(write(f"{HEAD},Receipt\n{rows}")) == [1000, 1100, 1250]


def test_a_mark_of_credit_beside_a_minus_says_it_once(write: Write) -> None:
    rows = "13/10/2025,A,S,10.00,\n14/10/2025,B,T,-11.00,CR\n15/10/2025,B,U,12.50,\n"
    assert pence_of(write(f"{HEAD},CR\n{rows}")) == [1000, -1100, 1250]


@pytest.mark.parametrize("heading", ["Sign", "DR/CR", "Credit indicator"])
def test_a_column_of_signs_may_be_blank_beside_charges(write: Write, heading: str) -> None:
    mark = "-" if heading == "Sign" else "C"
    rows = f"13/10/2025,A,S,10.00,\n14/10/2025,B,T,11.00,{mark}\n15/10/2025,B,U,12.50,\n"
    assert pence_of(write(f"{HEAD},{heading}\n{rows}")) == [1000, -1100, 1250]


def test_refunds_that_only_a_remark_shows_are_named(write: Write) -> None:
    rows = "13/10/2025,A,S,10.00,Team day\n14/10/2025,B,T,11.00,Refund\n15/10/2025,B,U,12.50,\n"
    assert "1 payment is described as a refund" in notes_of(write(f"{HEAD},Remarks\n{rows}"))


def test_marks_of_debit_alone_leave_the_other_amounts_open(write: Write) -> None:
    rows = "13/10/2025,A,S,10.00,DR\n14/10/2025,B,T,11.00,\n15/10/2025,B,U,12.50,DR\n"
    assert refusal(write(f"{HEAD},Marker\n{rows}")).code == "direction_unclear"


def test_a_posting_key_is_named_as_a_code(write: Write) -> None:
    rows = "13/10/2025,A,S,10.00,40\n14/10/2025,B,T,11.00,50\n15/10/2025,B,U,12.50,40\n"
    assert "'Posting Key' has 2 codes" in notes_of(write(f"{HEAD},Posting Key\n{rows}"))


# What the file counts and sums -------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "Number of transactions: {}",
        "Total records {}",
        "({} rows)",
        "{} rows selected.",
        "Record count: {}",
    ],
)
def test_a_count_in_a_line_is_compared_with_the_payments(write: Write, line: str) -> None:
    text = f"{HEAD}\n{ROWS}"
    assert notes_of(write(f"{text}{line.format(3)},,,\n")) == ""
    assert "says that it has 5 payments, and has 3" in notes_of(
        write(f"{text}{line.format(5)},,,\n")
    )


def test_counts_of_several_sections_are_not_compared(write: Write) -> None:
    text = f"{HEAD}\n{ROWS}3 payments,,,\n{ROWS.replace('/10/', '/11/')}3 payments,,,\n"
    assert notes_of(write(text)) == ""


def test_a_total_that_its_rows_do_not_come_to_is_named(write: Write) -> None:
    assert notes_of(write(f"{HEAD}\n{ROWS}Total,,,33.50\n")) == ""
    note = notes_of(write(f"{HEAD}\n{ROWS}Total,,,83.50\n"))
    assert "total in row 5 is £83.50, and the payments above it come to £33.50" in note


def test_a_total_in_a_sentence_is_compared(write: Write) -> None:
    assert notes_of(write(f'{HEAD}\n{ROWS}"October total: £33.50",,,\n')) == ""
    assert "states a total of £1,033.50" in notes_of(
        write(f'{HEAD}\n{ROWS}"October total: £1,033.50",,,\n')
    )


def test_rows_that_are_sums_of_payments_are_named(write: Write) -> None:
    rows = "13/10/2025,A,S,10.00,1\n14/10/2025,B,T,11.00,3\n15/10/2025,B,U,12.50,2\n"
    note = notes_of(write(f"{HEAD},No. of Transactions\n{rows}"))
    assert "2 rows are sums of several payments" in note


# Sections and sheets of what is no payment -------------------------------------------------------


@pytest.mark.parametrize("line", ["Pending transactions", "Declined", "Unposted items:"])
def test_payments_below_a_line_that_heads_unposted_ones_are_refused(
    write: Write, line: str
) -> None:
    path = write(f"{HEAD}\n{ROWS}{line},,,\n16/10/2025,A,V,9.00\n")
    assert refusal(path).code == "status_unclear"


def test_a_line_that_heads_unposted_payments_and_has_none_changes_nothing(write: Write) -> None:
    assert pence_of(write(f"{HEAD}\n{ROWS}Pending transactions,,,\n")) == [1000, 1100, 1250]


def two_sheets(path: Path, second: str) -> Path:
    workbook = openpyxl.Workbook()
    workbook.active.title = "Posted"
    for sheet, first in ((workbook.active, 13), (workbook.create_sheet(second), 20)):
        sheet.append(HEAD.split(","))
        for day in range(first, first + 6):
            sheet.append([f"2025-10-{day}", "A", f"S{day}", day + 0.5])
    workbook.save(path)
    return path


@pytest.mark.parametrize("name", ["Declined", "Pending transactions"])
def test_a_sheet_named_for_unposted_payments_is_counted_apart(tmp_path: Path, name: str) -> None:
    _, report = read(two_sheets(tmp_path / "a.xlsx", name))
    assert (report.transactions, report.not_booked) == (6, 6)


def test_a_sheet_of_refunds_without_a_minus_is_refused(tmp_path: Path) -> None:
    assert refusal(two_sheets(tmp_path / "a.xlsx", "Refunds")).code == "direction_unclear"


def test_a_sheet_named_for_a_person_is_read(tmp_path: Path) -> None:
    _, report = read(two_sheets(tmp_path / "a.xlsx", "Held P"))
    assert report.transactions == 12


# Days --------------------------------------------------------------------------------------------

ISO_HEAD = "Cardholder,Merchant,Amount,Transaction Date"


def at(*times: str) -> str:
    return f"{ISO_HEAD}\n" + "".join(f"A,S{i},1{i}.50,{time}\n" for i, time in enumerate(times))


def test_days_that_begin_at_23_00_utc_are_those_of_british_summer(write: Write) -> None:
    text = at("2025-10-12T23:00:00Z", "2025-10-24T23:00:00Z", "2025-11-03T00:00:00Z")
    assert days_of(write(text)) == ["2025-10-13", "2025-10-25", "2025-11-03"]


@pytest.mark.parametrize(
    "times",
    [
        ("2025-10-12T23:00:00Z", "2025-10-13T11:25:00Z"),
        ("2025-12-12T23:00:00Z", "2025-12-13T23:00:00Z"),
        ("2025-10-12T23:00:00+01:00", "2025-10-13T23:00:00+01:00"),
    ],
)
def test_other_times_leave_the_day_as_printed(write: Write, times: Sequence[str]) -> None:
    assert days_of(write(at(*times))) == [time[:10] for time in times]


def test_times_of_23_00_without_a_zone_are_named(write: Write) -> None:
    path = write(at("2025-10-12T23:00:00", "2025-10-13T23:00:00"))
    assert days_of(path) == ["2025-10-12", "2025-10-13"]
    assert "one too early" in notes_of(path)


BILL = "Payment Date,Invoice Date,Cardholder,Supplier,Amount\n"


def test_one_day_of_the_bill_gives_way_to_days_that_differ(write: Write) -> None:
    rows = "".join(f"28/11/2025,{day}/10/2025,A,S{day},{day}.50\n" for day in range(13, 19))
    path = write(BILL + rows)
    assert days_of(path) == [f"2025-10-{day}" for day in range(13, 19)]
    assert any("same one for every payment" in text for text in read(path)[1].decisions)


def test_days_after_the_one_day_are_not_those_of_purchases(write: Write) -> None:
    rows = "".join(f"13/10/2025,{day}/11/2025,A,S{day},{day}.50\n" for day in range(13, 19))
    assert set(days_of(write(BILL + rows))) == {"2025-10-13"}


def test_days_that_are_all_the_first_of_a_month_are_named(write: Write) -> None:
    months = [f"2025-{month:02d}-01,A,S{month},{month}.50\n" for month in range(1, 11)]
    assert "first of a month" in notes_of(write(f"{HEAD}\n{''.join(months)}"))
    months[3] = months[3].replace("-01,A", "-02,A")
    assert "first of a month" not in notes_of(write(f"{HEAD}\n{''.join(months)}"))


def test_days_of_the_year_are_no_days_without_their_nought(write: Write) -> None:
    rows = "".join(f"20220{day},A,S{day},{day}.50\n" for day in range(21, 33))
    assert refusal(write(f"{HEAD}\n{rows}")).code == "no_transactions"


def test_eight_digits_of_a_day_may_have_lost_the_nought_in_front(write: Write) -> None:
    rows = "1102025,A,S,10.00\n13102025,B,T,11.00\n9112025,B,U,12.50\n"
    assert days_of(write(f"{HEAD}\n{rows}")) == ["2025-10-01", "2025-10-13", "2025-11-09"]


# What cells show ---------------------------------------------------------------------------------


def test_rows_that_are_hidden_or_struck_through_are_named(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    for line in f"{HEAD}\n{ROWS}".splitlines():
        day, holder, merchant, amount = line.split(",")
        is_heading = amount == "Amount"
        workbook.active.append([day, holder, merchant, amount if is_heading else float(amount)])
    workbook.save(tmp_path / "plain.xlsx")
    assert notes_of(tmp_path / "plain.xlsx") == ""
    workbook.active.row_dimensions[2].hidden = True
    workbook.active["D4"].font = Font(strike=True)
    workbook.save(tmp_path / "a.xlsx")
    notes = notes_of(tmp_path / "a.xlsx")
    assert "1 payment is struck through" in notes
    assert "1 row is hidden" in notes


@pytest.mark.parametrize(
    ("number_format", "code"),
    [
        ("(0.00)", "direction_unclear"),
        ("-0.00", "direction_unclear"),
        ('"-"0.00', "direction_unclear"),
        ('"Refund "0.00', "direction_unclear"),
        ("0.00\\-", "direction_unclear"),
        ('0.00"-"', "direction_unclear"),
        ("[=0]0;0.00-", "direction_unclear"),
        ("_(* #,##0.00_);_(* (#,##0.00);_(* -??_);_(@_)", ""),
        ("#,##0.00;[Red]-#,##0.00", ""),
        ("[$£-809]#,##0.00;-[$£-809]#,##0.00", ""),
        ('0"."00', "amount_unclear"),
        ('0.00"k"', "amount_unclear"),
        ("0\\k", "amount_unclear"),
        ('0\\ "m"', "amount_unclear"),
        ('0"K "', "amount_unclear"),
        ('0 "thousand"', "amount_unclear"),
        ('0 "(000s)"', "amount_unclear"),
        ('#,##0.0,"k"', ""),
        ('0.00" miles"', ""),
        ("0.00E-00", ""),
        ('0.00" (incl. VAT)"', ""),
    ],
)
def test_what_a_number_format_prints_before_an_amount_is_heeded(
    tmp_path: Path, number_format: str, code: str
) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(HEAD.split(","))
    for day in range(13, 19):
        workbook.active.append([f"2025-10-{day}", "A", f"S{day}", day + 0.25])
    workbook.active["D4"].number_format = number_format
    workbook.save(tmp_path / "a.xlsx")
    if code:
        assert refusal(tmp_path / "a.xlsx").code == code
    else:
        assert sum(pence_of(tmp_path / "a.xlsx")) == 9450


@pytest.mark.parametrize(
    ("heading", "number_format", "code"),
    [
        ("Amount", "\\-0", "direction_unclear"),
        ("Amount", "(0)", "direction_unclear"),
        ("Price paid (£)", "0-", "direction_unclear"),
        ("Sum", "0-", "direction_unclear"),
        ("Amount", '0"."00', "amount_unclear"),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_whole_pounds_are_amounts_too(
    tmp_path: Path, heading: str, number_format: str, code: str, sign: int
) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(
        ["Date", "Cardholder", "Merchant", heading, "Cost Centre", "Amount type"]
    )
    for day in range(13, 19):
        amount = sign * day if code == "amount_unclear" else day
        workbook.active.append([f"2025-10-{day}", "A", f"S{day}", amount, 1200 + day, "gross"])
    workbook.active["D4"].number_format = number_format
    workbook.save(tmp_path / "a.xlsx")
    assert refusal(tmp_path / "a.xlsx").code == code


@pytest.mark.parametrize("heading", ["Cost Centre", "Mileage", "Rate"])
@pytest.mark.parametrize("number_format", ["000-000", "00-00.00", '0" m"', "00\\.00", "(0.00)"])
def test_what_a_format_prints_in_a_column_without_amounts_says_nothing_of_amounts(
    tmp_path: Path, heading: str, number_format: str
) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append([*HEAD.split(","), heading])
    for day in range(13, 19):
        workbook.active.append([f"2025-10-{day}", "A", f"S{day}", day + 0.25, 1200.5 + day])
        workbook.active.cell(workbook.active.max_row, 5).number_format = number_format
    workbook.save(tmp_path / "a.xlsx")
    assert sum(pence_of(tmp_path / "a.xlsx")) == 9450


def test_a_day_with_dashes_and_a_time_is_no_amount_with_a_minus(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(HEAD.split(","))
    for day in range(13, 19):
        at = dt.datetime(2025, 10, day, 14, 33)  # noqa: DTZ001  cells have no zone
        workbook.active.append([at, "A", f"S{day}", day + 0.25])
        workbook.active.cell(workbook.active.max_row, 1).number_format = "dd-mm-yyyy hh:mm"
    workbook.save(tmp_path / "a.xlsx")
    assert sum(pence_of(tmp_path / "a.xlsx")) == 9450


@pytest.mark.parametrize(
    "amount", ["<s>11.00</s>", "<del>11.00</del>", '<p style="text-decoration:line-through">11.00']
)
def test_amounts_of_a_web_page_that_are_struck_through_are_named(write: Write, amount: str) -> None:
    rows = [line.split(",") for line in f"{HEAD}\n{ROWS}".splitlines()]
    rows[2][3] = amount
    cells = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    page = "<html><table>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</table></html>"
    assert "1 payment is struck through" in notes_of(write(page, "a.xls"))


@pytest.mark.parametrize("attribute", ['style="text-decoration: line-through"', "class=strike"])
def test_a_row_of_a_web_page_that_is_struck_through_is_named(write: Write, attribute: str) -> None:
    rows = [line.split(",") for line in f"{HEAD}\n{ROWS}".splitlines()]
    cells = ["".join(f"<td>{cell}</td>" for cell in row) for row in rows]
    tags = ["<tr>", "<tr>", f"<tr {attribute}>", "<tr>"]
    lines = "".join(f"{tag}{row}</tr>" for tag, row in zip(tags, cells, strict=True))
    assert "1 payment is struck" in notes_of(write(f"<html><table>{lines}</table></html>", "a.xls"))


def test_letters_of_a_workbook_in_xml_are_heeded(write: Write) -> None:
    styles = (
        '<Style ss:ID="r"><Font ss:Color="#FF0000"/></Style>'
        '<Style ss:ID="s"><Font ss:StrikeThrough="1"/></Style>'
    )
    rows = "".join(
        f'<Row{hidden}><Cell><Data ss:Type="DateTime">2025-10-{day}T00:00:00</Data></Cell>'
        '<Cell><Data ss:Type="String">A</Data></Cell><Cell><Data ss:Type="String">S</Data></Cell>'
        f'<Cell{style}><Data ss:Type="Number">{day}.5</Data></Cell></Row>'
        for day, hidden, style in (
            (13, "", ""),
            (14, "", ' ss:StyleID="r"'),
            (15, "", ' ss:StyleID="s"'),
            (16, ' ss:Hidden="1"', ""),
        )
    )
    head = "".join(f'<Cell><Data ss:Type="String">{name}</Data></Cell>' for name in HEAD.split(","))
    path = write(
        '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
        f'<Styles>{styles}</Styles><Worksheet ss:Name="a"><Table><Row>{head}</Row>{rows}</Table>'
        "</Worksheet></Workbook>",
        "a.xls",
    )
    notes = notes_of(path)
    assert "1 amount is printed in red" in notes
    assert "1 payment is struck through" in notes
    assert "1 row is hidden" in notes
    assert pence_of(path) == [1350, 1450, 1550, 1650]


# Headings and forms ------------------------------------------------------------------------------


def test_a_figure_beside_the_headings_does_not_make_a_payment_of_them(write: Write) -> None:
    lines = [f"{HEAD},,Checked total,33.50", *(f"{row},,," for row in ROWS.splitlines())]
    assert pence_of(write("\n".join(lines) + "\n")) == [1000, 1100, 1250]


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE t (d date, m text);\nINSERT INTO t VALUES ('2025-10-13','S');\n",
        "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE t (d date);\n",
        "SET statement_timeout = 0;\nSET lock_timeout = 0;\n",
        "USE cards;\n",
        "-- dump of cards\n/* 2025 */;\nINSERT INTO `t` (`Date`,`Merchant`) VALUES\n('2025','S');",
    ],
)
def test_commands_of_a_database_are_refused_for_what_they_are(write: Write, text: str) -> None:
    caught = refusal(write(text, "a.sql"))
    assert caught.code == "not_a_table"
    assert "database" in str(caught)


@pytest.mark.parametrize(
    ("heading", "mark"),
    [("Status", "Refunded"), ("Outcome", "Refund"), ("Receipt", "Refund")],
)
def test_what_became_of_a_charge_makes_no_refund_of_it(
    write: Write, heading: str, mark: str
) -> None:
    rows = f"13/10/2025,A,S,10.00,\n14/10/2025,B,T,11.00,{mark}\n15/10/2025,B,U,12.50,\n"
    assert not {-1100} & set(pence_of(write(f"{HEAD},{heading}\n{rows}")))


@pytest.mark.parametrize("title", ["Pending transactions", "Declined transactions", "Refunds"])
def test_a_title_above_the_headings_heads_what_is_below(write: Write, title: str) -> None:
    with pytest.raises(FileRefused):
        read(write(f"{title},,,\n{HEAD}\n{ROWS}"))


@pytest.mark.parametrize(
    "title",
    ["All amounts in £ thousands", "Amounts shown in £ thousand", "£ thousands", "(000s)",
     "GBP 000", "All amounts in thousand pounds", "All amounts in £ million"],
)  # fmt: skip
def test_thousands_are_refused_however_they_are_said(write: Write, title: str) -> None:
    with pytest.raises(FileRefused):
        read(write(f"{title},,,\n{HEAD}\n{ROWS}"))


@pytest.mark.parametrize(
    "line",
    ["All purchases made in US dollars carry a fee of 2.99%",
     "Transactions made in euro are converted at the daily rate"],
)  # fmt: skip
def test_what_is_done_with_other_currencies_does_not_say_that_amounts_are_in_them(
    write: Write, line: str
) -> None:
    assert pence_of(write(f"{line},,,\n{HEAD}\n{ROWS}")) == [1000, 1100, 1250]


@pytest.mark.parametrize("below", ["Total,,,33.50", "Exported by AB,,,"])
def test_a_line_below_changes_no_day(write: Write, below: str) -> None:
    rows = "".join(f"2026-06-0{i}T23:00:00Z,A,S{i},1{i}.00\n" for i in range(1, 6))
    days = days_of(write(f"{HEAD}\n{rows}{below}\n"))
    assert days == [f"2026-06-0{i}" for i in range(2, 7)]


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("first", ["Use", "Set", "Drop", "Create"])
def test_a_heading_that_is_a_word_of_sql_makes_no_dump(
    write: Write, first: str, separator: str
) -> None:
    lines = f"{HEAD}\n{ROWS}".replace(",S,", ",The Kitchen Table,").splitlines()
    text = "\n".join([f"{first},{lines[0]}", *(f"food,{line}" for line in lines[1:])]) + "\n"
    assert pence_of(write(text.replace(",", separator))) == [1000, 1100, 1250]
