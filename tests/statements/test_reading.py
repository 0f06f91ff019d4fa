"""Statements of every layout become transactions, and every row of them is accounted for."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cardwatch.errors import ColumnsUnknown, FileFaulty, FileRefused
from cardwatch.records import TRANSACTION_COLUMNS, ReadingReport, Statements
from cardwatch.statements import (
    ReadingChoices,
    list_files,
    load_profile,
    profile_text,
    read_statements,
    shipped_profiles,
)
from cardwatch.statements.profiles import parse_profile

KEY = b"a key for tests, of no other use"
CARD = "4111111111111111"
CHOICES = ReadingChoices(profiles=shipped_profiles(), card_key=KEY)
PLAIN = "date,holder_id,merchant,amount,description\n"
LAYOUTS = {
    "cardwatch": (
        (
            "date,posting_date,holder_id,merchant,mcc,amount,description\n"
            "2026-01-05,2026-01-07,H1,A  shop ,742,12.00,pens\n"
            "2026-01-06,2026-01-08,H2,B shop,5111,-3.50,\n"
            "2026-01-07,,H1,CASH ADVANCE FEE,0,2.00,\n"
        ),
        ["H1", "H2", "H1"],
    ),
    "SmartData": (
        (
            "ACC.LAST NAME,ACC.FIRST NAME,FIN.TRANSACTION DATE,FIN.POSTING DATE,MCH.MERCHANT NAME,"
            "FIN.TRANSACTION AMOUNT\n"
            "Roe,Ann,05/01/2026,07/01/2026,A shop,12.00\n"
            "Poe,Bob,06/01/2026,13/01/2026,B shop,-3.50\n"
            "Roe,Ann,07/01/2026,08/01/2026,cash advance fee,2.00\n"
            "##END##,,,,,\nRoe,Ann,08/01/2026,08/01/2026,never read,99.00\n"
        ),
        ["Ann Roe", "Bob Poe", "Ann Roe"],
    ),
    "TRANS": (
        (
            "TRANS DATE,ORIGINAL GROSS AMT,ORIGINAL CUR,BILLING GROSS AMT,"
            "MERCHANT NAME,CARD NUMBER\n"
            "2026-01-05,15.00,USD,12.00,a shop,************5770\n"
            "2026-01-06,-3.50,GBP,,b shop,************5771\n"
            "2026-01-07,2,GBP,2,cash advance fee,************5770\n"
        ),
        ["card ending 5770", "card ending 5771", "card ending 5770"],
    ),
    "Devon": (
        (
            "Transaction Date,Local Authority Establishment,Benificiary (Merchant),Amount\n"
            "5/1/2026,Oak School,A shop,12\n"
            "16/01/2026,Elm School,B shop,-3.5\n"
            "07/01/2026,Oak School (00123456),CASH ADVANCE FEE,2.00\n"
        ),
        ["Oak School", "Elm School", "Oak School"],
    ),
    "any, debit and credit columns": (
        (
            "Date;Cardholder;Supplier;Debit;Credit\n"
            "05 Jan 2026;A Roe;A shop;£12.00;\n"
            "06 Jan 2026;B Poe;B shop;;3.50\n"
            "07 Jan 2026;A Roe;Cash advance fee;2.00;0.00\n"
        ),
        ["A Roe", "B Poe", "A Roe"],
    ),
    "any, a mark for debit or credit": (
        (
            "Posted Date,Transaction Date,Employee ID,Merchant Info DBA Name,"
            "Debit or Credit,Amount\n"
            "2026-01-07,2026-01-05,E1,A shop,Debit,12.00\n"
            "2026-01-08,2026-01-06,E2,B shop,Credit,3.50\n"
            "2026-01-08,2026-01-07,E1,Cash advance fee,D,2.00\n"
        ),
        ["E1", "E2", "E1"],
    ),
    "any, in the manner of Amex": (
        (
            "Date,Description,Card Member,Account #,Amount,Merchant\n"
            "15/01/2026,x,A ROE,-51003,12.00,A shop\n"
            "16/01/2026,x,B POE,-51011,-3.50,B shop\n"
            "17/01/2026,x,A ROE,-51003,2.00,Cash advance fee\n"
        ),
        ["A ROE", "B POE", "A ROE"],
    ),
}
"""For each layout three payments of 12.00, -3.50 and a fee of 2.00, and who made them."""

Write = Callable[..., Path]


def one(path: Path, choices: ReadingChoices = CHOICES) -> tuple[Statements, ReadingReport]:
    found = read_statements([path], choices)
    (report,) = found.reports
    assert report.reconciles
    assert report.transactions == len(found.transactions)
    assert report.pence == found.transactions["amount_pence"].sum()
    return found, report


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_shipped_layout_gives_the_same_payments(layout: str, write: Write) -> None:
    text, holders = LAYOUTS[layout]
    found, report = one(write(text))
    frame = found.transactions
    assert report.layout == layout.partition(",")[0]
    assert list(frame.columns) == list(TRANSACTION_COLUMNS)
    assert frame["amount_pence"].tolist() == [1200, -350, 200]
    assert frame["kind"].tolist() == ["purchase", "refund", "fee"]
    assert frame["holder_id"].tolist() == holders
    assert frame["row"].tolist() == [2, 3, 4]
    assert frame["date"].dt.month.unique().tolist() == [1]
    assert [m.lower() for m in frame["merchant"]] == ["a shop", "b shop", "cash advance fee"]
    assert set(frame["currency"]) == {"GBP"}
    assert (report.first_on[:8], report.problems) == ("2026-01-", ())


def test_codes_of_three_digits_get_their_zero_back_and_nought_is_unknown(write: Write) -> None:
    found, _ = one(write(LAYOUTS["cardwatch"][0]))
    assert found.transactions["mcc"].tolist() == ["0742", "5111", ""]
    assert found.transactions["posting_date"].isna().tolist() == [False, False, True]


def test_nothing_after_the_end_mark_is_read(write: Write) -> None:
    _, report = one(write(LAYOUTS["SmartData"][0]))
    assert (report.rows, report.ended) == (5, 2)


def test_blank_rows_and_repeated_headings_are_skipped_and_counted(write: Write) -> None:
    rows = "2026-01-05,H1,A,1.00,\n"
    blank = ",,,,\n ,  ,,,\n\n\xa0,,\xa0,,\n"
    _, report = one(write(PLAIN + rows + blank + PLAIN.upper() + rows))
    assert (report.blank, report.headings, report.transactions, report.rows) == (4, 1, 2, 7)


def test_totals_are_checked_and_a_wrong_one_is_reported(write: Write) -> None:
    lines = [
        "2026-01-05,H1,A,10.00,",
        "2026-01-06,H1,B,5.50,",
        ",,Subtotal,15.50,",
        "2026-01-07,H2,TOTAL FUELS,20.00,",
        ",,Sub-total,21.00,",
        "Total,,,35.50,",
        ",,,99.00,",
    ]
    _, report = one(write(PLAIN + "\n".join(lines) + "\n"))
    assert report.transactions == 3
    assert [(t.row, t.declared_pence, t.agrees) for t in report.totals] == [
        (4, 1550, True),
        (6, 2100, False),
        (7, 3550, True),
        (8, 9900, False),
    ]


def test_a_total_under_both_money_columns_is_no_faulty_payment(write: Write) -> None:
    text = "Date,Cardholder,Supplier,Debit,Credit\n2026-01-05,A,S,9.00,\n2026-01-06,A,S,,2.00\n"
    _, report = one(write(text + ",,Total,9.00,2.00\n"))
    assert report.problems == ()
    assert [total.agrees for total in report.totals] == [True]


@pytest.mark.parametrize(
    ("code", "column", "headings", "bad"),
    [
        ("bad_date", "Date", "Date,Holder,Merchant,Amount", "2026-02-30,H1,A,1.00"),
        ("bad_date", "Date", "Date,Holder,Merchant,Amount", ",H1,A,1.00"),
        ("bad_amount", "Amount", "Date,Holder,Merchant,Amount", '2026-01-05,H1,A,"1,2.5"'),
        ("bad_amount", "Amount", "Date,Holder,Merchant,Amount", "2026-01-05,H1,A,"),
        ("bad_amount", "Amount", "Date,Holder,Merchant,Amount", "2026-01-05,H1,A,1.083"),
        ("no_merchant", "Merchant", "Date,Holder,Merchant,Amount", "2026-01-05,H1, ,1.00"),
        ("no_holder", "Holder", "Date,Holder,Merchant,Amount", "2026-01-05, ,A,1.00"),
        (
            "card_digits_lost",
            "Card No",
            "Date,Card No,Merchant,Amount",
            "2026-01-05,4.11E+15,A,1.00",
        ),
        ("no_holder", "Card No", "Date,Card No,Merchant,Amount", "2026-01-05,****,A,1.00"),
        ("two_amounts", "", "Date,Holder,Merchant,Debit,Credit", "2026-01-05,H1,A,1.00,2.00"),
        (
            "not_in_pounds",
            "Currency",
            "Date,Holder,Merchant,Amount,Currency",
            "2026-01-05,H1,A,1.00,EUR",
        ),
        (
            "no_billed_amount",
            "",
            "Date,Holder,Merchant,Original Amount,Original Currency",
            "2026-01-05,H1,A,1.00,USD",
        ),
    ],
)
def test_a_faulty_row_is_kept_out_and_named_and_the_others_are_read(
    write: Write, code: str, column: str, headings: str, bad: str
) -> None:
    good = "2026-01-05,5770,A shop,9.00" + "," * (headings.count(",") - 3)
    found, report = one(write(f"{headings}\n{good}\n{bad}\n{good}\n"))
    assert [(p.code, p.row, p.file) for p in report.problems] == [(code, 3, "a.csv")]
    assert report.problems[0].message
    assert not column or report.problems[0].column == column
    assert found.transactions["row"].tolist() == [2, 4]
    assert found.transactions["amount_pence"].tolist() == [900, 900]


def test_no_row_is_shown_with_an_empty_holder_or_merchant(write: Write) -> None:
    lines = ["2026-01-05,H1,A,1.00,", "2026-01-05,1E5,4.5E+12,2.00,", "2026-01-05,\xa0,\xa0,3.00,"]
    found, _ = one(write(PLAIN + "\n".join(lines)))
    assert (found.transactions[["holder_id", "merchant"]] != "").all(axis=None)


def test_a_message_shows_the_shape_of_a_bad_cell_and_not_what_it_says(write: Write) -> None:
    _, report = one(write(PLAIN + "2026-01-05,H1,A,1.00,\nJane Roe,H1,A,1.00,\n"))
    assert "aaaa aaa" in report.problems[0].message
    assert "Roe" not in report.problems[0].message


def test_a_file_without_any_payment_is_refused(write: Write) -> None:
    with pytest.raises(FileRefused) as caught:
        one(write(PLAIN + "2026-02-30,H1,A,1.00,\n"))
    assert caught.value.code == "no_transactions"


# Dates ------------------------------------------------------------------------------------------


def dated(*days: str, posted: str = "") -> str:
    rows = "".join(f"{day},{posted},H1,A,1.00\n" for day in days)
    return "date,posting_date,holder_id,merchant,amount\n" + rows


@pytest.mark.parametrize(
    ("text", "day"),
    [
        (dated("03/04/2026", "13/04/2026"), "2026-04-03"),
        (dated("03/04/2026", "04/13/2026"), "2026-03-04"),
        (dated("03/04/2026", posted="05/04/2026"), "2026-04-03"),
        (dated("04/03/2026", posted="04/05/2026"), "2026-04-03"),
        (dated("2026-04-03"), "2026-04-03"),
        (dated("3 April 2026"), "2026-04-03"),
    ],
    ids=["day-first", "month-first", "day-first by lag", "month-first by lag", "ISO", "named"],
)
def test_the_order_of_day_and_month_is_decided_from_the_file_and_said(
    write: Write, text: str, day: str
) -> None:
    found, report = one(write(text))
    assert str(found.transactions["date"][0].date()) == day
    assert any(decision.startswith("dates ") for decision in report.decisions)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (dated("13/04/2026", "04/13/2026"), "date_order_mixed"),
        (dated("03/04/2026", "05/06/2026"), "date_order_unknown"),
    ],
    ids=["mixed", "undecidable"],
)
def test_dates_that_decide_nothing_are_refused_until_a_person_tells(
    write: Write, text: str, code: str
) -> None:
    path = write(text)
    with pytest.raises(FileRefused) as caught:
        one(path)
    assert caught.value.code == code
    assert "--date-order" in str(caught.value)
    for order, month in (("day-first", 4), ("month-first", 3)):
        told = ReadingChoices(shipped_profiles(), KEY, date_order=order)
        found, _ = one(write(text.replace("04/13", "03/04").replace("13/04", "03/04")), told)
        assert found.transactions["date"].dt.month[0] == month


# Columns ----------------------------------------------------------------------------------------

ODD = 'Wann,Wer,Händler "Ort",Betrag\n2026-01-05,H1,A shop,12.00\n'


def test_unknown_columns_are_refused_with_what_is_there_missing_and_nearest(write: Write) -> None:
    with pytest.raises(ColumnsUnknown) as caught:
        one(write("Date,Holder,Merchants,Amuont\n2026-01-05,H1,A shop,12.00\n"))
    error = caught.value
    assert list(error.headings) == ["Date", "Holder", "Merchants", "Amuont"]
    assert list(error.missing) == ["merchant", "amount"]
    assert "'Merchants'" in str(error)
    assert "'Amuont'" in str(error)


def test_a_written_profile_makes_an_unknown_file_readable(write: Write) -> None:
    path = write(ODD)
    with pytest.raises(ColumnsUnknown) as caught:
        one(path)
    text = profile_text(caught.value.headings, shipped_profiles())
    for field, heading in (("date", "Wann"), ("holder_id", "Wer"), ("amount", "Betrag")):
        text = text.replace(f'\n{field} = ""', f'\n{field} = "{heading}"')
    text = text.replace('\nmerchant = ""', "\nmerchant = 'Händler \"Ort\"'")
    profile = load_profile(write(text, "ours.toml"))
    found, report = one(path, ReadingChoices([profile, *shipped_profiles()], KEY))
    assert found.transactions["merchant"].tolist() == ["A shop"]
    assert report.layout == "our statement"


def test_a_profile_written_for_a_known_file_reads_it_the_same(write: Write) -> None:
    path = write(LAYOUTS["Devon"][0])
    found, report = one(path)
    headings = LAYOUTS["Devon"][0].splitlines()[0].split(",")
    again = parse_profile(profile_text(headings, shipped_profiles()), "ours.toml")
    same, second = one(path, ReadingChoices([again], KEY))
    assert second.columns == report.columns
    assert same.transactions.equals(found.transactions)


def test_all_faults_of_a_profile_are_listed_at_once() -> None:
    text = 'x = 1\ndate_order = "z"\npositive = "z"\nholder_strip = "("\n[columns]\nwho = "A"\n'
    with pytest.raises(FileFaulty) as caught:
        parse_profile(text, "ours.toml")
    assert len(caught.value.faults) == 5


@pytest.mark.parametrize(
    "text",
    ["not toml", "columns = 3", "[columns]\ndate = 3", 'recognise = 3\n[columns]\ndate = "A"',
     "holder_strip = 3", "end_mark = 3\n[columns]"],
)  # fmt: skip
def test_a_profile_with_a_value_of_the_wrong_kind_is_a_fault_and_no_crash(text: str) -> None:
    with pytest.raises(FileFaulty):
        parse_profile(text, "ours.toml")


def test_a_missing_path_and_an_empty_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "gone", tmp_path):
        with pytest.raises(FileRefused) as caught:
            list_files([path])
        assert caught.value.code == "missing"


def test_pounds_are_one_currency_however_they_are_written(write: Write) -> None:
    rows = [f"2026-01-05,H1,A,1.00,{c}" for c in ("GBP", "gbp", "£", "826", "Sterling", "")]
    found, report = one(write("Date,Holder,Merchant,Amount,Currency\n" + "\n".join(rows) + "\n"))
    assert not report.problems
    assert set(found.transactions["currency"]) == {"GBP"}


def test_the_unit_stands_beside_the_cost_centre_and_in_for_it_where_there_is_none(
    write: Write,
) -> None:
    heading = "date,holder_id,merchant,amount,cost_centre,unit\n"
    lines = "2026-01-05,H1,A,1.00,CC1,North\n2026-01-05,H1,A,1.00,,North\n2026-01-05,H1,A,1.00,CC2,"
    found, report = one(write(heading + lines + "\n"))
    assert found.transactions["unit"].tolist() == ["North", "North", ""]
    assert found.transactions["cost_centre"].tolist() == ["CC1", "North", "CC2"]
    assert report.columns["unit"] == "unit"
    without, _ = one(write(PLAIN + "2026-01-05,H1,A,1.00,\n"))
    assert without.transactions["unit"].tolist() == [""]
