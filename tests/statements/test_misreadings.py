"""Files that were once misread without a word: each kind is read right, refused or told of."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import openpyxl
import pytest
from one_file import pence_of, read, refusal
from openpyxl.styles import Font

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Write = Callable[..., Path]

HEAD = "Date,Cardholder,Merchant,Amount"
PROFILE = (
    '[columns]\ndate = "Date"\ncardholder = "Cardholder"\nmerchant = "Merchant"\n'
    'amount = "Amount"\n'
)


# Dates ------------------------------------------------------------------------------------------

DAYS = f"{HEAD}\n13/10/2025,A,S,1\n05/10/2025,A,T,2\n15/10/2025,B,U,3\n"


def test_an_order_that_no_date_has_is_refused(write: Write) -> None:
    path = write(DAYS)
    assert refusal(path, date_order="month-first").code == "date_order_wrong"
    assert refusal(path, 'date_order = "month-first"\n' + PROFILE).code == "date_order_wrong"
    _, report = read(path, date_order="day-first")
    assert "dates day-first, as told" in report.decisions


@pytest.mark.parametrize("heading", ["Purchase Date", "Date of Transaction", "Trx Date"])
def test_the_day_of_purchase_beats_a_plain_date(write: Write, heading: str) -> None:
    rows = "31/10/2025,13/10/2025,A,S,1\n31/10/2025,14/10/2025,A,T,2\n"
    _, report = read(write(f"Date,{heading},Cardholder,Merchant,Amount\n{rows}"))
    assert (report.first_on, report.last_on) == ("2025-10-13", "2025-10-14")


def test_days_turned_by_a_spreadsheet_show_in_text(write: Write) -> None:
    rows = "2025-02-10,A,S,1\n2025-03-10,A,T,2\n13/10/2025,A,U,3\n14/10/2025,A,V,4\n"
    assert refusal(write(f"{HEAD}\n{rows}")).code == "dates_flipped"


# Currencies -------------------------------------------------------------------------------------

ROWS = "13/10/2025,A,S,10.00\n14/10/2025,B,T,11.00\n"


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD} (EUR)\n{ROWS}",
        f"{HEAD} (€)\n{ROWS}",
        f"{HEAD} ($)\n{ROWS}",
        f"Example Force\nCurrency: EUR\n\n{HEAD}\n{ROWS}",
        f"Card spend - all amounts in USD,,,\n{HEAD}\n{ROWS}",
        f"Account currency,EUR\n{HEAD}\n{ROWS}",
    ],
)
def test_amounts_in_another_currency_are_refused(write: Write, text: str) -> None:
    assert refusal(write(text)).code in {"not_in_pounds", "columns_unknown"}


def test_a_profile_does_not_make_pounds_of_euros(write: Write) -> None:
    path = write(f"{HEAD} (€)\n{ROWS}")
    assert refusal(path, PROFILE.replace('"Amount"', '"Amount (€)"')).code == "not_in_pounds"


def test_a_sheet_named_for_a_currency_is_refused(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.title = "EUR"
    for row in (HEAD.split(","), ["2025-10-13", "A", "S", 10], ["2025-10-14", "B", "T", 11]):
        workbook.active.append(row)
    workbook.save(tmp_path / "a.xlsx")
    assert refusal(tmp_path / "a.xlsx").code == "not_in_pounds"


MANIFEST = (
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
    "</manifest:manifest>"
)


@pytest.mark.parametrize(
    ("number_format", "count"),
    [
        ("[$€-2] #,##0.00", 2),
        ("[$$-409]#,##0.00", 2),
        ("[$kr-414] #,##0.00", 2),
        ("[$Fr.-807] 0.00", 2),
        ("0.00 [$zł-415]", 2),
        ("[$₹-4009]0.00", 2),
        ("[$US$-409]0.00", 2),
        ('0.00 "CHF"', 2),
        ('0.00 "kr"', 2),
        ('"£"#,##0.00', 0),
        ("[$£-809]0.00", 0),
        ("[$GBP] 0.00", 0),
        ("[$-409]0.00", 0),
    ],
)
def test_cells_with_the_sign_of_another_currency_are_told_of(
    tmp_path: Path, number_format: str, count: int
) -> None:
    workbook = openpyxl.Workbook()
    for row in (HEAD.split(","), ["2025-10-13", "A", "S", 10], ["2025-10-14", "B", "T", 11]):
        workbook.active.append(row)
    workbook.active.append(["2025-10-15", "B", "U", 12])
    for cell in ("D2", "D3"):
        workbook.active[cell].number_format = number_format
    workbook.save(tmp_path / "a.xlsx")
    _, report = read(tmp_path / "a.xlsx")
    told = [note for note in report.notes if "the sign of another currency" in note]
    assert [note.split()[0] for note in told] == ([str(count)] if count else [])


def workbook_with(path: Path, style: Callable[[openpyxl.cell.Cell], None]) -> Path:
    """Write three payments, of which the second amount has a style."""
    workbook = openpyxl.Workbook()
    for row in (HEAD.split(","), ["2025-10-13", "A", "S", 10.5], ["2025-10-14", "B", "T", 11]):
        workbook.active.append(row)
    workbook.active.append(["2025-10-15", "B", "U", 12.25])
    style(workbook.active["D3"])
    workbook.save(path / "a.xlsx")
    return path / "a.xlsx"


def test_a_mark_of_credit_that_only_a_format_prints_is_refused(tmp_path: Path) -> None:
    def style(cell: openpyxl.cell.Cell) -> None:
        cell.number_format = '#,##0.00" CR"'

    found = refusal(workbook_with(tmp_path, style))
    assert found.code == "direction_unclear"
    assert "1 cell in column 'Amount' shows CR" in str(found)


@pytest.mark.parametrize("number_format", ['0.00;0.00" CR"', '[<0]0.00" CR";0.00'])
@pytest.mark.parametrize("amount", [-11, 11])
def test_a_format_that_prints_cr_only_below_zero_changes_nothing(
    tmp_path: Path, number_format: str, amount: int
) -> None:
    def style(cell: openpyxl.cell.Cell) -> None:
        cell.value, cell.number_format = amount, number_format

    assert pence_of(workbook_with(tmp_path, style)) == [1050, amount * 100, 1225]


@pytest.mark.parametrize(("amount", "is_told"), [(11, True), (-11, False)])
def test_an_amount_in_red_letters_without_a_minus_is_told_of(
    tmp_path: Path, amount: int, *, is_told: bool
) -> None:
    def style(cell: openpyxl.cell.Cell) -> None:
        cell.value, cell.font = amount, Font(color="FFFF0000")

    _, report = read(workbook_with(tmp_path, style))
    assert any("printed in red" in note for note in report.notes) == is_told


def test_a_small_sheet_of_rows_that_stand_in_another_is_told_of(tmp_path: Path) -> None:
    workbook = openpyxl.load_workbook(workbook_with(tmp_path, lambda _: None))
    copy = workbook.create_sheet("Copy")
    for row in (HEAD.split(","), ["2025-10-14", "B", "T", 11]):
        copy.append(row)
    workbook.save(tmp_path / "a.xlsx")
    _, report = read(tmp_path / "a.xlsx")
    assert report.transactions == 4
    assert any("sheet 'Copy' has 1 row that stands in another" in note for note in report.notes)


def test_another_currency_of_all_cells_in_an_ods_is_refused(tmp_path: Path) -> None:
    def content(code: str) -> str:
        names = "".join(
            f'<table:table-cell office:value-type="string"><text:p>{name}</text:p>'
            "</table:table-cell>"
            for name in HEAD.split(",")
        )
        texts = "".join(
            f'<table:table-cell office:value-type="string"><text:p>{text}</text:p>'
            "</table:table-cell>"
            for text in ("13/10/2025", "A", "S")
        )
        amount = (
            f'<table:table-cell office:value-type="currency" office:currency="{code}" '
            'office:value="10"><text:p>10</text:p></table:table-cell>'
        )
        spaces = " ".join(
            f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
            for name in ("office", "table", "text")
        )
        return (
            f"<office:document-content {spaces}><office:body><office:spreadsheet>"
            f'<table:table table:name="S"><table:table-row>{names}</table:table-row>'
            f"<table:table-row>{texts}{amount}</table:table-row></table:table>"
            "</office:spreadsheet></office:body></office:document-content>"
        )

    for code in ("GBP", "EUR"):
        with zipfile.ZipFile(tmp_path / f"{code}.ods", "w") as archive:
            archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
            archive.writestr("content.xml", content(code))
            archive.writestr("META-INF/manifest.xml", MANIFEST)
    assert pence_of(tmp_path / "GBP.ods") == [1000]
    assert refusal(tmp_path / "EUR.ods").code == "not_in_pounds"


@pytest.mark.parametrize("amount", ["GBP10.00", "10.00GBP", "GBP 10.00", "-GBP-10.00"])
def test_the_code_of_the_pound_beside_figures_is_read(write: Write, amount: str) -> None:
    path = write(f"{HEAD}\n13/10/2025,A,S,{amount}\n14/10/2025,B,T,11.00\n")
    _, report = read(path)
    assert report.pence == (1100 if amount.startswith("-") else 2100)


@pytest.mark.parametrize(
    "above",
    [
        "Currency: GBP",
        "Amounts in GBP, converted from EUR",
        "EUR office, card payments",
        "Euro 2028 team: card amounts",
    ],
)
def test_pounds_above_the_headings_are_read(write: Write, above: str) -> None:
    assert pence_of(write(f'"{above}"\n{HEAD}\n{ROWS}')) == [1000, 1100]


@pytest.mark.parametrize("heading", ["Crncy", "Currency of transaction"])
def test_currencies_are_found_under_any_heading(write: Write, heading: str) -> None:
    text = f"{HEAD},{heading}\n13/10/2025,A,S,10.00,GBP\n14/10/2025,B,T,11.00,EUR\n"
    statements, report = read(write(text))
    assert statements.transactions["amount_pence"].tolist() == [1000]
    assert [problem.code for problem in report.problems] == ["not_in_pounds"]


def test_a_foreign_amount_is_no_amount_in_pounds(write: Write) -> None:
    rows = "13/10/2025,A,S,10.00,8.70\n14/10/2025,B,T,50.00,\n15/10/2025,B,U,,12.00\n"
    statements, report = read(write(f"{HEAD[:-6]}Foreign Amount,Amount (GBP)\n{rows}"))
    assert statements.transactions["amount_pence"].tolist() == [870, 1200]
    assert [problem.code for problem in report.problems] == ["no_billed_amount"]


@pytest.mark.parametrize("heading", ["Converted Amount", "Home Amount", "Amount (£)"])
def test_the_converted_amount_is_taken(write: Write, heading: str) -> None:
    rows = "13/10/2025,A,S,10.00,0.87,8.70\n14/10/2025,B,T,12.00,1,12.00\n"
    assert pence_of(write(f"{HEAD},Exchange Rate,{heading}\n{rows}")) == [870, 1200]


# Columns of amounts -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("heading", "sums"),
    [
        ("Card Total", ["21.00", "21.00", "12.00", "15.00"]),
        ("Statement Total", ["48.00"] * 4),
        ("Total", ["10.00", "21.00", "33.00", "48.00"]),
        ("Total", ["48.00", "38.00", "27.00", "15.00"]),
        ("Total Spend", ["10.00", "21.00", "12.00", "27.00"]),
    ],
    ids=["each card", "all rows", "growing", "newest first", "growing for each card"],
)
def test_a_column_of_sums_is_not_the_amount(write: Write, heading: str, sums: list[str]) -> None:
    rows = [("A", "10.00"), ("A", "11.00"), ("B", "12.00"), ("C", "15.00")]
    if heading == "Total Spend":
        rows[3] = ("B", "15.00")
    lines = [
        f"{13 + i}/10/2025,{holder},S{i},{amount},{total}"
        for i, ((holder, amount), total) in enumerate(zip(rows, sums, strict=True))
    ]
    path = write("\n".join([f"{HEAD},{heading}", *lines, "Total,,,48.00,\n"]))
    statements, report = read(path)
    assert statements.transactions["amount_pence"].tolist() == [1000, 1100, 1200, 1500]
    assert any(f"'{heading}' sums 'Amount'" in decision for decision in report.decisions)


@pytest.mark.parametrize(
    ("headings", "refund"),
    [
        ("Amount,Debit,Credit", "11.00,,11.00"),
        ("Amount,Paid Out,Paid In", "-11.00,,11.00"),
        ("Amount,Refund Amount", "0.00,11.00"),
        ("Amount,Credit", ",11.00"),
        ("Amount,Credit", "-11.00,11.00"),
        ("Amount,Credit", "11.00,11.00"),
    ],
)
def test_a_column_of_refunds_beside_amounts_is_read(
    write: Write, headings: str, refund: str
) -> None:
    charge = "10.00,10.00," if headings.count(",") == 2 else "10.00,"
    rows = f"13/10/2025,A,S,{charge}\n14/10/2025,A,T,{refund}\n15/10/2025,B,U,{charge}\n"
    path = write(f"Date,Cardholder,Merchant,{headings}\n{rows}")
    assert pence_of(path) == [1000, -1100, 1000]


def test_refunds_that_contradict_the_amounts_are_refused(write: Write) -> None:
    rows = "13/10/2025,A,S,10.00,4.00\n14/10/2025,A,T,11.00,\n"
    assert refusal(write(f"{HEAD},Refund Amount\n{rows}")).code == "direction_unclear"


def test_a_column_that_is_no_refund_changes_nothing(write: Write) -> None:
    rows = "13/10/2025,A,S,10.00,Y\n14/10/2025,A,T,11.00,N\n"
    assert pence_of(write(f"{HEAD},Received\n{rows}")) == [1000, 1100]


def test_pence_in_a_column_of_their_own_are_refused(write: Write) -> None:
    path = write(f"{HEAD},Pence\n13/10/2025,A,S,10,50\n14/10/2025,A,T,11,25\n")
    assert refusal(path).code == "amount_unclear"


def test_another_column_of_amounts_is_told_of(write: Write) -> None:
    rows = "13/10/2025,A,S,10.00,8.70\n14/10/2025,A,T,12.00,12.00\n"
    _, report = read(write(f"{HEAD},Base Amount\n{rows}"))
    assert "'Base Amount' looks like an amount too, and is not read" in report.notes


@pytest.mark.parametrize(("heading", "kind"), [("Balance", "a balance"), ("VAT", "VAT")])
def test_a_profile_that_takes_no_amount_is_told_of(write: Write, heading: str, kind: str) -> None:
    path = write(f"{HEAD},{heading}\n13/10/2025,A,S,10.00,2.00\n14/10/2025,A,T,11.00,2.20\n")
    _, report = read(path, PROFILE.replace('"Amount"', f'"{heading}"'))
    assert any(f"which looks like {kind}" in note for note in report.notes)


# Charge or refund -------------------------------------------------------------------------------


def rows_of(*amounts: str, texts: Sequence[str] = (), heading: str = "Description") -> str:
    lines = [
        f"{13 + i}/10/2025,A,SHOP {i},{amount}" + (f",{texts[i]}" if texts else "")
        for i, amount in enumerate(amounts)
    ]
    return "\n".join([HEAD + (f",{heading}" if texts else ""), *lines]) + "\n"


def test_a_month_of_refunds_is_no_month_of_charges(write: Write) -> None:
    texts = ["Refund of order 1", "refund - too late", "Refunded"]
    assert pence_of(write(rows_of("-10", "-11", "-12", texts=texts))) == [-1000, -1100, -1200]
    merchants = rows_of("-10", "-11", "-12").replace("SHOP", "REFUND SHOP")
    assert pence_of(write(merchants)) == [-1000, -1100, -1200]
    texts = ["Paper", "Ink", "Refund of paper", "Pens"]
    path = write(rows_of("-10", "-11", "10", "-12", texts=texts))
    assert pence_of(path) == [1000, 1100, -1000, 1200]


def test_refunds_by_their_words_alone_are_told_of(write: Write) -> None:
    _, report = read(write(rows_of("10", "10", "12", texts=["Paper", "REFUND of paper", "Ink"])))
    assert "1 payment is described as a refund and counted as a charge" in report.notes


def test_a_pair_of_which_either_may_be_the_refund_is_told_of(write: Write) -> None:
    for amounts in (("-1200", "600"), ("-1200", "1200"), ("-40", "-30", "10", "15", "12")):
        _, report = read(write(rows_of(*amounts)))
        assert any("are taken for refunds, though" in note for note in report.notes)
    _, report = read(write(rows_of("1200", "-600")))
    assert not any("taken for refunds" in note for note in report.notes)


SIDES = "Date,Cardholder,Merchant,Debit,Credit\n" + "".join(
    f"{13 + i}/10/2025,A,S{i},,1{i}.00\n" for i in range(3)
)


def test_a_ledger_is_refused_or_told_of(write: Write) -> None:
    payment = "28/10/2025,A,DIRECT DEBIT PAYMENT - THANK YOU,33.00,\n"
    assert refusal(write(SIDES + payment)).code == "direction_unclear"
    _, report = read(write(SIDES))
    assert any("3 of 3 payments stand in the column of refunds" in note for note in report.notes)
    profile = PROFILE.replace('amount = "Amount"', 'debit = "Credit"\ncredit = "Debit"')
    assert pence_of(write(SIDES + payment), profile) == [1000, 1100, 1200, -3300]


def test_amounts_without_a_mark_beside_debits_are_refused(write: Write) -> None:
    assert refusal(write(rows_of("10.00 DR", "11.00", "12.00 DR"))).code == "direction_unclear"
    assert pence_of(write(rows_of("10.00 DR", "11.00 CR", "12.00"))) == [1000, -1100, 1200]


@pytest.mark.parametrize(
    "texts",
    [
        ["Purchases", "Merchandise Refund", "Purchases"],
        ["Card Purchase - UK", "Refund (partial)", "Card Purchase - Non-UK"],
        ["Sale", "Sale reversal", "Online sale"],
    ],
)
def test_a_word_within_a_longer_text_says_refund(write: Write, texts: list[str]) -> None:
    path = write(rows_of("10", "11", "12", texts=texts, heading="Kind of entry"))
    assert pence_of(path) == [1000, -1100, 1200]


def test_a_letter_for_refunds_that_is_known_by_half_is_refused(write: Write) -> None:
    path = write(rows_of("10", "11", "12", texts=["P", "C", "P"], heading="Ind"))
    assert refusal(path).code == "direction_unclear"


# Rows that are no payments, and payments that look like such ------------------------------------


@pytest.mark.parametrize(
    ("heading", "states"),
    [
        ("Posted", ["Yes", "No", "Yes"]),
        ("Declined", ["N", "Y", "N"]),
        ("Pending?", ["", "X", ""]),
        ("Response", ["Approved", "Declined - limit exceeded", "Approved"]),
    ],
)
def test_payments_that_are_not_booked_are_counted_apart(
    write: Write, heading: str, states: list[str]
) -> None:
    path = write(rows_of("10", "11", "12", texts=states, heading=heading))
    assert pence_of(path) == [1000, 1200]
    _, report = read(path)
    assert report.not_booked == 1


@pytest.mark.parametrize("heading", ["Approval Status", "Receipt Status", "Coding status"])
def test_a_payment_that_nobody_approved_yet_is_booked(write: Write, heading: str) -> None:
    texts = ["Approved", "Pending", "Rejected"]
    path = write(rows_of("10", "11", "12", texts=texts, heading=heading))
    assert pence_of(path) == [1000, 1100, 1200]
    _, report = read(path)
    assert any("does not state what is posted, so the 2 rows" in note for note in report.notes)


def test_a_payment_described_as_declined_is_told_of(write: Write) -> None:
    texts = ["Paper", "DECLINED - insufficient funds", "Ink"]
    _, report = read(write(rows_of("10", "11", "12", texts=texts)))
    assert "1 payment is counted, though 'Description' says declined or reversed" in report.notes


def test_shops_called_balance_or_total_are_read(write: Write) -> None:
    merchants = ["NEW BALANCE LONDON", "BALANCE ON THE GREEN", "CARD TOTAL TOOLS"]
    lines = [f"{13 + i}/10/2025,A,{merchant},1{i}.00" for i, merchant in enumerate(merchants)]
    assert pence_of(write("\n".join([HEAD, *lines]))) == [1000, 1100, 1200]


def test_a_row_that_is_a_balance_by_its_text_is_told_of(write: Write) -> None:
    rows = "13/10/2025,A,NEW BALANCE,60.00,{}\n14/10/2025,A,S,1.00,5999\n"
    path = write(f"{HEAD},MCC\n{rows.format('')}")
    _, report = read(path)
    assert any("1 row is a balance or sum by the text" in note for note in report.notes)
    assert pence_of(write(f"{HEAD},MCC\n{rows.format('5661')}")) == [6000, 100]


@pytest.mark.parametrize("word", ["Cardholder Total", "Sum of spend", "Total", "Monthly total"])
def test_a_dated_total_of_a_cardholder_is_no_payment(write: Write, word: str) -> None:
    rows = "13/10/2025,A,S,10.00\n14/10/2025,A,T,11.00\n31/10/2025,A,{0},21.00\n"
    rows += "15/10/2025,B,U,12.00\n31/10/2025,B,{0},12.00\n"
    assert pence_of(write(f"{HEAD}\n{rows.format(word)}")) == [1000, 1100, 1200]


# Tables and cells -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD}\n{ROWS}\n{HEAD},MCC,Category,Cost Centre\n15/11/2025,B,U,1.00,5999,M,C1\n",
        f"{HEAD}\n{ROWS}\nTransaction Date,Merchant,Cardholder,Amount\n15/11/2025,U,B,1.00\n",
    ],
    ids=["more headings below", "other headings below"],
)
def test_a_second_table_is_refused(write: Write, text: str) -> None:
    assert refusal(write(text)).code == "headings_change"


def test_a_summary_above_the_headings_is_no_table(write: Write) -> None:
    above = "Account Name,Account Number,Statement Date,Total\nFORCE,1234,31/10/2025,21.00\n\n"
    assert pence_of(write(f"{above}{HEAD}\n{ROWS}")) == [1000, 1100]


@pytest.mark.parametrize(
    "text",
    [
        f"{HEAD},\n13/10/2025,A,S,12,50,\n14/10/2025,B,T,9,99,\n",
        f"{HEAD},Note\n13/10/2025,A,S,12,50,\n14/10/2025,B,T,11,,\n",
    ],
    ids=["no heading", "under a note"],
)
def test_pence_after_an_unquoted_comma_are_not_lost(write: Write, text: str) -> None:
    assert refusal(write(text)).code == "decimal_unclear"


def test_a_quotation_mark_closed_in_the_next_row_is_refused(write: Write) -> None:
    rows = '13/10/2025,A,"ALPHA,10.00\n14/10/2025,B,"BETA",11.00\n15/10/2025,B,GAMMA,12.00\n'
    assert refusal(write(f"{HEAD}\n{rows}")).code == "quotes"


def test_a_cell_of_several_lines_is_read(write: Write) -> None:
    rows = '13/10/2025,A,"for ""A, B"" and\nC, D",S,10.00\n14/10/2025,B,x,T,11.00\n'
    path = write(f"Date,Cardholder,Description,Merchant,Amount\n{rows}")
    assert pence_of(path) == [1000, 1100]


def test_three_decimals_as_text_in_a_workbook_are_asked_about(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    for row in (HEAD.split(","), ["2025-10-13", "A", "S", "1.250"], ["2025-10-14", "B", "T", 12]):
        workbook.active.append(row)
    workbook.save(tmp_path / "a.xlsx")
    assert refusal(tmp_path / "a.xlsx").code == "decimal_unclear"
    workbook.active["D2"] = 1250.5
    workbook.save(tmp_path / "a.xlsx")
    assert pence_of(tmp_path / "a.xlsx") == [125_050, 1200]


# Holders and merchants --------------------------------------------------------------------------


def holders_of(path: Path) -> list[str]:
    statements, _ = read(path)
    return statements.transactions["holder_id"].tolist()


def test_labels_that_close_their_sections_name_nobody_else(write: Write) -> None:
    rows = (
        "13/10/2025,S,1.00\nCardholder: A Roe,,1.00\n14/10/2025,T,2.00\nCardholder: B Poe,,2.00\n"
    )
    assert refusal(write(f"Date,Merchant,Amount\n{rows}")).code == "columns_unknown"


@pytest.mark.parametrize("mark", ["(continued)", "(cont'd)", "- cont.", "CONTINUED"])
def test_a_holder_goes_on_over_the_next_page(write: Write, mark: str) -> None:
    rows = (
        f"Cardholder: A Roe,,\n13/10/2025,S,1.00\nCardholder: A Roe {mark},,\n14/10/2025,T,2.00\n"
    )
    assert holders_of(write(f"Date,Merchant,Amount\n{rows}")) == ["A Roe", "A Roe"]


def test_a_first_name_is_not_put_before_a_whole_name(write: Write) -> None:
    rows = 'Ann,Roe,Ann Roe,13/10/2025,S,1.00\nBob,Poe,"Poe, Bob",14/10/2025,T,2.00\n'
    path = write(f"First Name,Last Name,Name,Date,Merchant,Amount\n{rows}")
    assert holders_of(path) == ["Ann Roe", "Poe, Bob"]
    rows = "Ann,Roe,13/10/2025,S,1.00\nBob,van Poe,14/10/2025,T,2.00\n"
    path = write(f"First Name,Surname,Date,Merchant,Amount\n{rows}")
    assert holders_of(path) == ["Ann Roe", "Bob van Poe"]


def test_one_merchant_for_all_payments_is_told_of(write: Write) -> None:
    lines = [f"{10 + i}/10/2025,{'AB'[i % 2]},BANK CARDS LTD,SHOP {i},1.00" for i in range(6)]
    path = write("\n".join(["Date,Cardholder,Supplier,Description,Amount", *lines]))
    _, report = read(path)
    assert any("the same merchant in 'Supplier'" in note for note in report.notes)


def test_one_kind_of_card_for_all_payments_is_told_of(write: Write) -> None:
    lines = [f"{10 + i}/10/2025,Visa Purchasing,SHOP {i},1.00" for i in range(6)]
    _, report = read(write("\n".join(["Date,Card,Merchant,Amount", *lines])))
    assert any("the same card in 'Card', without a number" in note for note in report.notes)


def test_a_cost_beside_several_pieces_is_refused_until_a_profile_says_what_it_is(
    write: Write,
) -> None:
    head = "Date,Cardholder,Merchant,Qty,Cost (£)"
    one, three = (f"2026-10-0{n},Ann Roe,ACME,{n},20.00" for n in (1, 3))
    assert pence_of(write(f"{head}\n{one}\n")) == [2_000]
    path = write(f"{head}\n{one}\n{three}\n")
    assert refusal(path).code == "amount_unclear"
    assert pence_of(path, PROFILE.replace('"Amount"', '"Cost (£)"')) == [2_000, 2_000]


# Sections ---------------------------------------------------------------------------------------

SECTION = (
    "Date,Merchant,Reference,Amount\n{0}/10/2025,SHOP,1{0},9.00\n{1}/10/2025,STORE,1{1},8.00\n"
)


@pytest.mark.parametrize(
    "label",
    [
        "Cardholder: {0},Card: ****{1},,",
        "Cardholder,{0},Card number,****{1}",
        "Cardholder: {0},,,\n\nCard number: ****{1},,,",
    ],
)
def test_a_label_above_the_headings_ends_where_the_next_section_begins(
    write: Write, label: str
) -> None:
    people = [("A Roe", "1234", 13, 14), ("B Low", "5678", 15, 16), ("C Ash", "9012", 17, 18)]
    text = "Card report,,,\n" + "\n".join(
        label.format(name, card) + "\n" + SECTION.format(first, last)
        for name, card, first, last in people
    )
    payments = read(write(text))[0].transactions
    expected = [holder for name, *_ in people for holder in [name, name]]
    assert payments["holder_id"].tolist() == expected
    assert payments["card_last4"].tolist() == [card for _, card, *_ in people for _ in range(2)]


def test_a_section_without_a_card_does_not_keep_the_card_of_the_one_before(write: Write) -> None:
    text = "Cardholder: A Roe,Card: ****1234,,\n" + SECTION.format(13, 14)
    text += "Cardholder: B Low,,,\n" + SECTION.format(15, 16)
    payments = read(write(text))[0].transactions
    assert payments["holder_id"].tolist() == ["A Roe", "A Roe", "B Low", "B Low"]
    assert payments["card_last4"].tolist() == ["1234", "1234", "", ""]


def test_a_further_card_of_a_section_is_the_same_cardholders(write: Write) -> None:
    text = "Cardholder: A Roe,,,\nCard: ****1234,,,\n" + SECTION.format(13, 14)
    text += "Card: ****5678,,,\n" + SECTION.format(15, 16)
    text += "Cardholder: B Low,,,\nCard: ****9012,,,\n" + SECTION.format(17, 18)
    payments = read(write(text))[0].transactions
    assert payments["holder_id"].tolist() == ["A Roe"] * 4 + ["B Low"] * 2
    assert payments["card_last4"].tolist()[::2] == ["1234", "5678", "9012"]


def test_a_label_may_have_a_day_beside_it(write: Write) -> None:
    text = "Cardholder: A Roe,,,\n" + SECTION.format(13, 14)
    text += "20/10/2025,Cardholder: B Low,,\n" + SECTION.format(15, 16)
    payments = read(write(text))[0].transactions
    assert payments["holder_id"].tolist() == ["A Roe", "A Roe", "B Low", "B Low"]


def test_a_note_in_a_payment_names_no_section(write: Write) -> None:
    text = "Cardholder: A Roe,,,\nDate,Merchant,Amount,Notes\n13/10/2025,SHOP,9.00,\n"
    text += "14/10/2025,STORE,8.00,Cardholder: B Low\n15/10/2025,STALL,7.00,\n"
    assert set(read(write(text))[0].transactions["holder_id"]) == {"A Roe"}


# Text that is cut, and its separators ------------------------------------------------------------

FOUR = (
    f"{HEAD}\n13/10/2025,A,S,10.50\n14/10/2025,B,T,11.25\n15/10/2025,B,U,12.75\n"
    "16/10/2025,A,V,19.99"
)


@pytest.mark.parametrize(
    "text",
    [
        FOUR.removesuffix(".99"),
        FOUR.removesuffix("9"),
        FOUR.removesuffix(",19.99"),
        FOUR.removesuffix("0/2025,A,V,19.99"),
        FOUR.replace("19.99", '"19').replace("A,V", '"A","V"'),
        FOUR.replace("V,19.99", '"V'),
        FOUR.replace("V,19.99", '"'),
    ],
)
def test_a_file_that_breaks_off_in_its_last_row_is_refused(write: Write, text: str) -> None:
    assert refusal(write(text)).code == "damaged"


@pytest.mark.parametrize(
    ("text", "last"),
    [
        (FOUR, 1999),
        (FOUR.replace("19.99", '"19.99"'), 1999),
        (FOUR.replace("19.99", "19") + "\n", 1900),
        (FOUR.replace("10.50", "10.5").replace("19.99", "19"), 1900),
        (FOUR + "\nEnd of report", 1999),
    ],
)
def test_a_file_without_a_last_line_end_is_read(write: Write, text: str, last: int) -> None:
    assert pence_of(write(text))[-1] == last


@pytest.mark.parametrize("separator", ["^", "~"])
def test_a_caret_or_tilde_may_separate_cells(write: Write, separator: str) -> None:
    text = FOUR.replace(",", separator).replace("T", "T, U")
    statements, report = read(write(text))
    assert statements.transactions["merchant"].tolist() == ["S", "T, U", "U", "V"]
    assert report.columns["amount"] == "Amount"


def test_quotation_marks_after_a_space_are_no_part_of_a_cell(write: Write) -> None:
    rows = [HEAD.split(","), ["13/10/2025", "A", "S, T", "1,010.50"], ["14/10/2025", "B", "U", "9"]]
    text = "".join(", ".join(f'"{cell}"' for cell in row) + "\n" for row in rows)
    statements, _ = read(write(text))
    assert statements.transactions["amount_pence"].tolist() == [101050, 900]
    assert statements.transactions["merchant"].tolist() == ["S, T", "U"]


# Loads, authorisations, pence --------------------------------------------------------------------


def test_money_loaded_onto_a_card_is_no_refund_beside_columns_of_debit_and_credit(
    write: Write,
) -> None:
    text = (
        "Date,Cardholder,Transaction Type,Merchant,Debit,Credit\n"
        "13/10/2025,A,Card Load,MAIN ACCOUNT,,250.00\n14/10/2025,A,POS,S,10.00,\n"
        "15/10/2025,B,POS,T,11.00,\n16/10/2025,B,Refund,T,,3.00\n17/10/2025,B,ATM Fee,T,1.50,\n"
    )
    payments = read(write(text))[0].transactions
    assert payments["kind"].tolist() == ["payment", "purchase", "purchase", "refund", "fee"]
    assert payments["amount_pence"].tolist() == [-25000, 1000, 1100, -300, 150]


def test_a_load_is_a_payment_where_only_payments_and_refunds_stand_beside_it(
    write: Write,
) -> None:
    text = (
        "Date,User,Type,Merchant,Amount\n13/10/2025,A,Wallet Load,MAIN,250.00\n"
        "14/10/2025,A,Payment,S,-10.00\n15/10/2025,B,Payment,T,-11.00\n16/10/2025,B,Refund,T,3.00\n"
    )
    payments = read(write(text))[0].transactions
    assert payments["kind"].tolist() == ["payment", "purchase", "purchase", "refund"]
    assert payments["amount_pence"].tolist() == [-25000, 1000, 1100, -300]


def test_an_authorisation_beside_its_settlement_is_not_counted(write: Write) -> None:
    rows = "".join(
        f"{day}/10/2025,A,{kind},S,{day}.00\n"
        for day in (13, 14, 15)
        for kind in ("AUTHORISATION", "SETTLEMENT")
    )
    _, report = read(write(f"Date,Cardholder,Record,Merchant,Amount\n{rows}"))
    assert (report.transactions, report.not_booked, report.pence) == (3, 3, 4200)


def test_amounts_headed_pence_are_pence(write: Write) -> None:
    text = f"{HEAD} (pence)\n13/10/2025,A,S,1050\n14/10/2025,B,T,-99\n15/10/2025,B,U,7\n"
    own = PROFILE.replace('"Amount"', '"Amount (pence)"')
    statements, report = read(write(text), own)
    assert statements.transactions["amount_pence"].tolist() == [1050, -99, 7]
    assert "amounts in pence, as 'Amount (pence)' says" in report.decisions


def test_amounts_headed_pence_that_have_decimals_are_refused(write: Write) -> None:
    text = f"{HEAD} (pence)\n13/10/2025,A,S,10.50\n14/10/2025,B,T,9.00\n"
    own = PROFILE.replace('"Amount"', '"Amount (pence)"')
    assert refusal(write(text), own).code == "amount_unclear"


def test_sap_amounts_in_the_currency_of_the_document_are_read(write: Write) -> None:
    head = "Document No;Doc. Date;Amount in doc. curr.;Curr.;{}Pers.No.;Vendor name\n"
    rows = "1;13.10.2025;1.010,50;GBP;{}E1;S\n2;14.10.2025;9,00-;GBP;{}E2;T\n"
    rows += "3;15.10.2025;7,00;GBP;{}E2;T\n"
    assert pence_of(write((head + rows).replace("{}", ""))) == [101050, -900, 700]
    own = head.replace("{}", "Amount in local cur.;") + rows.format("900,00;", "8,00-;", "6,00;")
    assert pence_of(write(own)) == [90000, -800, 600]


# Headings in two rows ----------------------------------------------------------------------------

PAID = "13/10/2025,A Roe,S,9.00,GBP\n14/10/2025,B Low,T,8.50,GBP\n15/10/2025,B Low,U,7.25,GBP\n"


@pytest.mark.parametrize(
    "headings",
    [
        "Transaction,Cardholder,Merchant,Billing,\nDate,Name,Name,Amount,Currency\n",
        "Card report,,,,\nTransaction,Cardholder,Merchant,,\nDate,Name,Name,Amount,Currency\n",
        "Date,Cardholder,Merchant,Amount,Currency\n",
    ],
)
def test_headings_in_two_rows_are_read_together(write: Write, headings: str) -> None:
    statements, _ = read(write(headings + PAID))
    payments = statements.transactions
    assert payments["holder_id"].tolist() == ["A Roe", "B Low", "B Low"]
    assert payments["merchant"].tolist() == ["S", "T", "U"]
    assert payments["amount_pence"].tolist() == [900, 850, 725]


def test_an_amount_under_two_headings_is_the_billed_one(write: Write) -> None:
    text = (
        "Transaction,,,Original,,Billing,\nDate,Cardholder,Merchant,Amount,Currency,Amount,Currency\n"
        "13/10/2025,A,S,10.00,EUR,8.70,GBP\n14/10/2025,B,T,8.50,GBP,8.50,GBP\n"
    )
    statements, _ = read(write(text))
    assert statements.transactions["amount_pence"].tolist() == [870, 850]
    assert statements.transactions["original_currency"].tolist() == ["EUR", "GBP"]


def test_headings_of_a_workbook_may_stand_in_two_rows(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    workbook.active.append(["Transaction", "Cardholder", "Merchant", "Billing"])
    workbook.active.append(["Date", "Name", "Name", "Amount"])
    for row in PAID.splitlines():
        day, holder, merchant, amount, _ = row.split(",")
        workbook.active.append([day, holder, merchant, float(amount)])
    workbook.save(tmp_path / "a.xlsx")
    statements, report = read(tmp_path / "a.xlsx")
    assert statements.transactions["merchant"].tolist() == ["S", "T", "U"]
    assert statements.transactions["row"].tolist() == [3, 4, 5]
    assert report.columns["merchant"] == "Merchant Name"


# Days that stand once above their payments -------------------------------------------------------

GROUPED = f"{HEAD}\n13/10/2025,A,S,9.00\n,B,T,8.50\n,B,U,7.25\n14/10/2025,A,S,6.00\n,C,V,5.00\n"


def test_a_day_that_stands_once_is_that_of_the_payments_below_it(write: Write) -> None:
    statements, report = read(write(GROUPED))
    days = [day.day for day in statements.transactions["date"]]
    assert days == [13, 13, 13, 14, 14]
    assert not report.problems
    assert any("states each day once" in decision for decision in report.decisions)


@pytest.mark.parametrize(
    "text",
    [
        GROUPED + "12/10/2025,A,W,1.00\n",
        GROUPED + "13/10/2025,A,W,1.00\n",
        GROUPED.replace("\n13/10/2025", "\n,D,Z,1.00\n13/10/2025"),
        GROUPED.replace(",B,U,7.25\n", "").replace(",B,T,8.50", ",B,VAT,8.50"),
        GROUPED.replace(",B,T,8.50\n,B,U,7.25", ",A,T,5.00\n,A,U,4.00"),
        GROUPED.replace(",B,T", ",,T"),
        GROUPED.replace(",B,T,8.50\n,B,U,7.25", ",A,of which post,2.00").replace(",C,V", ",A,tip"),
    ],
    ids=[
        "not in order",
        "a day comes again",
        "none above",
        "VAT",
        "parts",
        "no holder",
        "of which",
    ],
)
def test_days_are_not_filled_where_something_else_may_be_meant(write: Write, text: str) -> None:
    _, report = read(write(text))
    assert {problem.code for problem in report.problems} == {"bad_date"}


# Payments that stand twice, and VAT on rows of its own -------------------------------------------

SIX = "".join(f"{10 + i}/10/2025,{'AB'[i % 2]},SHOP {i},{i}.50\n" for i in range(6))


@pytest.mark.parametrize("between", ["", f"{HEAD}\n", "\n"])
def test_an_export_appended_to_itself_is_refused(write: Write, between: str) -> None:
    found = refusal(write(f"{HEAD}\n{SIX}{between}{SIX}17/10/2025,A,NEW,1.00\n"))
    assert found.code == "doubled"
    assert "6 payments from row 2 on stand again" in str(found)


@pytest.mark.parametrize(
    "text",
    [
        SIX + "10/10/2025,A,SHOP 0,0.50\n11/10/2025,B,SHOP 1,1.50\n",
        "13/10/2025,A,TOLL,2.50\n" * 12,
        SIX + SIX.replace("SHOP 3", "SHOP 4"),
    ],
    ids=["two rows again", "one day", "not all equal"],
)
def test_equal_payments_are_kept(write: Write, text: str) -> None:
    assert len(pence_of(write(f"{HEAD}\n{text}"))) == text.count("\n")


def test_vat_on_a_row_of_its_own_with_a_day_is_refused(write: Write) -> None:
    text = "13/10/2025,A,S,10.00\n13/10/2025,A,VAT on above,2.00\n14/10/2025,B,T,7.00\n"
    text += "15/10/2025,B,U,20.03\n15/10/2025,B,VAT,4.01\n"
    assert refusal(write(f"{HEAD}\n{text}")).code == "tax_rows"
    other = text.replace("2.00", "3.10").replace("4.01", "9.99")
    assert pence_of(write(f"{HEAD}\n{other}")) == [1000, 310, 700, 2003, 999]


# Words and names ---------------------------------------------------------------------------------


def test_the_reversal_of_a_credit_is_no_refund(write: Write) -> None:
    rows = "13/10/2025,A,S,9.00,{}\n14/10/2025,B,T,8.00,Credit\n15/10/2025,B,U,7.00,Purchase\n"
    path = write(f"{HEAD},Transaction Type\n" + rows.format("Credit Reversal"))
    assert refusal(path).code == "direction_unclear"
    path = write(f"{HEAD},Transaction Type\n" + rows.format("Purchase Reversal"))
    assert pence_of(path) == [-900, -800, 700]


def test_short_words_for_purchase_and_refund_are_known(write: Write) -> None:
    text = f"{HEAD},Code\n13/10/2025,A,S,9.00,PUR\n14/10/2025,B,T,8.00,REF\n"
    assert pence_of(write(text + "15/10/2025,B,U,7.00,PUR\n")) == [900, -800, 700]


def test_a_name_is_one_however_its_accents_are_written(write: Write) -> None:
    rows = "13/10/2025,Jos\u00e9 N,S,1.00\n14/10/2025,Jose\u0301 N,T,2.00\n15/10/2025,B,U,3.00\n"
    holders = read(write(f"{HEAD}\n{rows}"))[0].transactions["holder_id"]
    assert holders.nunique() == 2


def test_staff_numbers_that_lost_their_zeros_are_told_of(write: Write) -> None:
    rows = "13/10/2025,00123,S,1.00\n14/10/2025,123,T,2.00\n15/10/2025,456,U,3.00\n"
    _, report = read(write(f"Date,Staff Number,Merchant,Amount\n{rows}"))
    assert any("1 number stands in 'Staff Number'" in note for note in report.notes)


def test_one_account_for_every_payment_is_told_of(write: Write) -> None:
    rows = "".join(f"{10 + i}/10/2025,OPS POOL,SHOP {i},{i}.50\n" for i in range(6))
    _, report = read(write(f"Date,Account Name,Merchant,Amount\n{rows}"))
    assert any("the same account in 'Account Name'" in note for note in report.notes)


def test_a_state_that_is_not_known_is_told_of(write: Write) -> None:
    rows = "13/10/2025,A,S,1.00,Cleared\n14/10/2025,B,T,2.00,Chargeback won\n"
    _, report = read(write(f"{HEAD},State\n{rows}"))
    assert any("'State' has 1 word that is not known" in note for note in report.notes)
