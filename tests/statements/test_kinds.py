"""Kinds of misreading that made-up exports showed, each read right, refused or told of."""

from __future__ import annotations

import re
import signal
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest
from one_file import days_of, pence_of, read, refusal
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.utils.datetime import CALENDAR_MAC_1904

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Write = Callable[..., Path]

HEAD = "Date,Cardholder,Merchant,Amount"
PROFILE = "[columns]\n" + "".join(f'{h.lower()} = "{h}"\n' for h in HEAD.split(","))
CASES = Path(__file__).parent / "cases"


# Days -------------------------------------------------------------------------------------------

NUMBERS = "Date,Cardholder,Merchant,Amount\n44834,A,S,1.00\n44851,B,T,2.00\n"


def test_day_numbers_of_either_calendar_are_refused(write: Write) -> None:
    assert refusal(write(NUMBERS)).code == "date_order_unknown"


@pytest.mark.parametrize(
    ("above", "first"),
    [("Card payments October 2026", "2026-10-01"), ("Card payments 2022/23", "2022-09-30")],
)
def test_a_year_above_the_headings_decides_the_calendar(
    write: Write, above: str, first: str
) -> None:
    assert days_of(write(f"{above}\n\n{NUMBERS}"))[0] == first


def test_days_of_booking_decide_the_calendar(write: Write) -> None:
    rows = "44834,04/10/2026,A,S,1.00\n44851,20/10/2026,B,T,2.00\n"
    assert days_of(write(f"Date,Posting Date,Cardholder,Merchant,Amount\n{rows}")) == [
        "2026-10-01",
        "2026-10-18",
    ]


def test_years_that_fit_neither_calendar_decide_nothing(write: Write) -> None:
    assert refusal(write(f"Policy of 2019\n\n{NUMBERS}")).code == "date_order_unknown"


def turned(*days: str) -> str:
    return f"{HEAD}\n" + "".join(f"{day}/2026,A,S{day},1.00\n" for day in days)


def test_days_taken_for_months_are_refused_where_they_spread_a_month_over_a_year(
    write: Write,
) -> None:
    path = write(turned("01/10", "02/10", "05/10", "13/10", "30/10"))
    assert days_of(path)[0] == "2026-10-01"
    path = write(turned("10/01", "10/02", "10/05", "13/10", "30/10"))
    assert refusal(path).code == "dates_flipped"


def test_an_order_that_is_stated_is_a_way_out_of_days_that_look_turned(write: Write) -> None:
    path = write(turned("10/01", "10/02", "10/05", "13/10", "30/10"))
    assert "state day-first" in refusal(path).what
    stated = 'date_order = "day-first"\n' + PROFILE
    statements, _ = read(path, stated)
    assert str(statements.transactions["date"][0].date()) == "2026-01-10"


@pytest.mark.parametrize("names", [("Adobe",) * 4, ("Adobe *1", "Adobe *2", "Adobe *3", "Adobe")])
@pytest.mark.parametrize("start", [3, 5])
def test_a_payment_of_every_month_is_not_turned(
    write: Write, names: tuple[str, ...], start: int
) -> None:
    rows = [f"04/{month:02}/2026,A,{name},5.00" for month, name in enumerate(names, start)]
    first = ["14/04/2026,A,Shop,5.00", "28/04/2026,B,Shop,5.00"]
    assert days_of(write("\n".join([HEAD, *first, *rows]) + "\n"))[-1] == f"2026-{start + 3:02}-04"
    others = [row.replace("Adobe", f"Shop{i}") for i, row in enumerate(rows)]
    path = write("\n".join([HEAD, *first, *others]) + "\n", "b.csv")
    assert refusal(path).code == "dates_flipped"


def test_days_over_a_whole_year_are_read_whatever_their_order_would_be(write: Write) -> None:
    path = write(turned("10/01", "10/02", "10/05", "13/01", "30/10"))
    assert days_of(path)[0] == "2026-01-10"


@pytest.mark.parametrize("time", ["23:00", "23:00:00", "11:00 PM"])
def test_midnights_of_utc_are_told_of_in_every_spelling(write: Write, time: str) -> None:
    _, report = read(write(turned("12/06", "13/06").replace("/2026", f"/2026 {time}")))
    assert any("one too early" in note for note in report.notes)


@pytest.mark.parametrize("time", ["23:00", "11:00 PM", "23:00 Z"])
@pytest.mark.parametrize("days", [("13/01", "14/12"), ("01/02", "13/01"), ("13 Jan ", "14 Jan ")])
def test_late_times_in_winter_are_no_midnights(
    write: Write, days: tuple[str, str], time: str
) -> None:
    text = turned(*days).replace("/2026", f"/2026 {time}").replace(" /", " ")
    _, report = read(write(text))
    assert not any("too early" in note for note in report.notes)


@pytest.mark.parametrize("time", ["23:01", "22:00", "11:00 AM"])
def test_other_times_say_nothing_of_midnight(write: Write, time: str) -> None:
    _, report = read(write(turned("12/06", "13/06").replace("/2026", f"/2026 {time}")))
    assert not any("too early" in note for note in report.notes)


# Charge or refund -------------------------------------------------------------------------------


def signed(*rows: str, heading: str) -> str:
    lines = [f"{13 + i}/10/2026,A,S{i},{row}" for i, row in enumerate(rows)]
    return "\n".join([f"{HEAD},{heading}", *lines]) + "\n"


@pytest.mark.parametrize("heading", ["+/-", "Sign", ""])
def test_a_minus_beside_an_amount_is_read_as_one_before_it(write: Write, heading: str) -> None:
    issuer = write(signed("5.00,+", "6.00,+", "7.00,-", heading=heading))
    bank = write(signed("5.00,-", "6.00,-", "7.00,+", "8.00,-", heading=heading), "b.csv")
    assert pence_of(issuer) == [500, 600, -700]
    assert pence_of(bank) == [500, 600, -700, 800]


def test_signs_beside_that_decide_nothing_are_refused(write: Write) -> None:
    path = write(signed("5,-", "6,+", "7,-", "8,+", "9,-", "4,+", "30,-", heading="+/-"))
    assert refusal(path).code == "direction_unclear"


@pytest.mark.parametrize(
    ("heading", "charge", "refund"), [("Dr/Cr", "Dr", "Cr"), ("Transaction Type", "Sale", "Refund")]
)
@pytest.mark.parametrize("beside", ["", "Budget variance"])
def test_a_column_of_words_beats_signs_beside_it(
    write: Write, heading: str, charge: str, refund: str, beside: str
) -> None:
    rows = (f"5.00,{charge},-", f"6.00,{refund},-", f"7.00,{charge},+")
    assert pence_of(write(signed(*rows, heading=f"{heading},{beside}"))) == [500, -600, 700]


def test_a_column_that_a_profile_names_beats_signs_beside_it(write: Write) -> None:
    path = write(signed("5.00,Dr,-", "6.00,Cr,-", "7.00,Dr,+", heading="Way,+/-"))
    statements, _ = read(path, f'{PROFILE}debit_credit = "Way"\n')
    assert statements.transactions["amount_pence"].tolist() == [500, -600, 700]


@pytest.mark.parametrize("heading", ["Receipt", "VAT receipt", "Receipt flag", "Cost type"])
def test_a_plus_and_a_minus_under_another_heading_are_no_signs(write: Write, heading: str) -> None:
    path = write(signed("5.00,+", "6.00,+", "7.00,-", "8.00,+", heading=heading))
    _, report = read(path)
    assert not any("signs of the amounts" in decision for decision in report.decisions)


def test_a_lone_minus_behind_the_last_heading_drops_no_payment(write: Write) -> None:
    rows = ("5.00,", "6.00,", "7.00,-", "8.00,")
    assert pence_of(write(signed(*rows, heading=""))) == [500, 600, -700, 800]


def test_other_money_with_the_same_amounts_turns_no_sign(write: Write) -> None:
    rows = ("5.00,-5.00", "6.00,6.00", "7.00,7.00")
    statements, report = read(write(signed(*rows, heading="Balance Adjustment Amount")))
    assert statements.transactions["amount_pence"].tolist() == [500, 600, 700]
    assert any("'Balance Adjustment Amount' has the same amounts" in n for n in report.notes)


def test_the_amounts_that_a_profile_names_keep_their_signs(write: Write) -> None:
    path = write(signed("5.00,5.00", "6.00,6.00", "7.00,-7.00", heading="Signed Amount"))
    statements, _ = read(path, PROFILE)
    assert statements.transactions["amount_pence"].tolist() == [500, 600, 700]


def test_the_same_amounts_with_their_signs_say_which_are_refunds(write: Write) -> None:
    rows = ("5.00,5.00", "6.00,6.00", "7.00,-7.00")
    assert pence_of(write(signed(*rows, heading="Signed Amount"))) == [500, 600, -700]
    rows = ("5.00,5.00", "6.00,6.50", "7.00,-7.00")
    assert pence_of(write(signed(*rows, heading="Signed Amount"), "b.csv")) == [500, 600, 700]


def test_a_mark_of_credit_in_the_row_below_is_refused(write: Write) -> None:
    path = write(f"{HEAD}\n13/10/2026,A,S,5.00\n14/10/2026,A,S,6.00\n,,,CR\n15/10/2026,A,T,7.00\n")
    assert refusal(path).code == "direction_unclear"


@pytest.mark.parametrize("row", [",,Total,DR", ",,,", "Total,,,DR"])
@pytest.mark.parametrize("units", ["", ",,,(DR)\n"])
def test_a_mark_of_a_total_or_below_the_headings_is_of_no_payment(
    write: Write, row: str, units: str
) -> None:
    rows = "13/10/2026,A,S,5.00 DR\n14/10/2026,A,T,6.00 CR\n15/10/2026,A,U,7.00 DR\n"
    assert pence_of(write(f"{HEAD}\n{units}{rows},,,\n{row}\n")) == [500, -600, 700]


def test_both_sides_of_a_ledger_are_refused(write: Write) -> None:
    rows = [
        f"{13 + i}/10/2026,{account},A,S,{sides}"
        for i, pence in enumerate(["5.00", "6.50"])
        for account, sides in (("4210", f"{pence},"), ("2100", f",{pence}"))
    ]
    path = write("\n".join(["Date,Account,Cardholder,Merchant,Debit,Credit", *rows]) + "\n")
    assert refusal(path).code == "account_entries"
    rows[-1] = rows[-1].replace("6.50", "6.00")
    path = write("\n".join(["Date,Account,Cardholder,Merchant,Debit,Credit", *rows]) + "\n")
    assert pence_of(path) == [500, -500, 650, -600]


def test_purchases_that_were_each_taken_back_are_no_ledger(write: Write) -> None:
    rows = [f"{13 + i}/10/2026,A,S{i},{sign}{i + 1}.50" for i in range(2) for sign in ("", "-")]
    assert pence_of(write("\n".join([HEAD, *rows]) + "\n")) == [150, -150, 250, -250]


@pytest.mark.parametrize("nil", ["£-   ", " - ", "£ -"])
def test_a_nil_of_accounts_is_an_empty_cell(write: Write, nil: str) -> None:
    path = write(
        f"Date,Cardholder,Merchant,Debit,Credit\n13/10/2026,A,S,£5.00,{nil}\n"
        f"14/10/2026,A,S,{nil},£2.00\n15/10/2026,A,S,£3.00,{nil}\n"
    )
    assert pence_of(path) == [500, -200, 300]


# Who paid, and what is posted -------------------------------------------------------------------


def test_the_other_side_of_a_payment_is_no_cardholder(write: Write) -> None:
    lines = [f"{13 + i}/10/2026,Shop {i},Shop {i} Leeds,{i}.50" for i in range(1, 5)]
    path = write("\n".join(["Date,Name,Merchant,Amount", *lines]) + "\n")
    assert refusal(path).code == "columns_unknown"
    assert "'Name' names no cardholder" in refusal(path).what
    path = write("\n".join(["Date,Name,Merchant,Amount", *lines]).replace(",Shop", ",B", 1) + "\n")
    assert refusal(path).code == "columns_unknown"


def test_a_name_of_the_other_side_is_passed_over_for_the_next_heading(write: Write) -> None:
    lines = [f"{13 + i}/10/2026,Shop {i},Holder {i % 2},Shop {i} Leeds,{i}.50" for i in range(1, 5)]
    statements, _ = read(write("\n".join(["Date,Name,Employee,Merchant,Amount", *lines]) + "\n"))
    assert statements.transactions["holder_id"].tolist() == ["Holder 1", "Holder 0"] * 2


@pytest.mark.parametrize("heading", ["Cardholder", "Card Holder Name", "Employee"])
def test_a_cardholder_stays_whose_name_begins_that_of_the_shop(write: Write, heading: str) -> None:
    lines = [f"{13 + i}/10/2026,Shop{i},Shop{i} Leeds,{i}.50" for i in range(1, 5)]
    statements, _ = read(write("\n".join([f"Date,{heading},Merchant,Amount", *lines]) + "\n"))
    assert statements.transactions["holder_id"].nunique() == 4


def test_a_cardholder_named_like_one_shop_stays_a_cardholder(write: Write) -> None:
    rows = "13/10/2026,A Roe,A Roe,1.50\n14/10/2026,A Roe,Shop,2.50\n15/10/2026,B Doe,Shop,3.50\n"
    statements, _ = read(write(f"Date,Name,Merchant,Amount\n{rows}"))
    assert statements.transactions["holder_id"].nunique() == 2


def test_a_name_with_and_without_a_middle_name_is_told_of(write: Write) -> None:
    def notes(*names: str) -> str:
        rows = "".join(f"{13 + i}/10/2026,{name},S{i},1.50\n" for i, name in enumerate(names))
        return " ".join(read(write(f"{HEAD}\n{rows}"))[1].notes)

    assert "middle name" in notes("Ann Roe", '"ROE, Ann J"')
    assert "middle name" not in notes("Ann J Roe", "Ann K Roe")
    assert "middle name" not in notes("Ann Roe", "Ann J Doe")


@pytest.mark.parametrize("line", ["Authorisations awaiting settlement", "Pending and declined"])
def test_a_line_of_several_states_heads_unposted_payments(write: Write, line: str) -> None:
    payments = "13/10/2026,A,S,1.50\n14/10/2026,A,T,2.50\n"
    assert refusal(write(f"{line}\n{HEAD}\n{payments}")).code == "status_unclear"
    below = write(f"{HEAD}\n{payments}{line}\n15/10/2026,A,U,3.50\n", "b.csv")
    assert refusal(below).code == "status_unclear"


@pytest.mark.parametrize("line", ["Cancelled cards", "Expired card", "Cancelled cards 2026"])
def test_a_line_of_the_state_of_cards_heads_posted_payments(write: Write, line: str) -> None:
    payments = "13/10/2026,A,S,1.50\n14/10/2026,A,T,2.50\n"
    assert pence_of(write(f"{line}\n{HEAD}\n{payments}")) == [150, 250]
    assert pence_of(write(f"{HEAD}\n{line}\n{payments}", "b.csv")) == [150, 250]


@pytest.fixture
def ended() -> Iterator[None]:
    """End a test that has computed for twenty seconds: what it reads takes a tenth of one."""

    def end(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGPROF, end)
    signal.setitimer(signal.ITIMER_PROF, 20)
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, before)


@pytest.mark.usefixtures("ended")
def test_long_texts_in_place_of_days_hold_nobody_up(write: Write) -> None:
    rows = "13/10/2026,A,S,1.50\n14/10/2026,A,T,2.50\n"
    long = "".join(f"{n}{' ' * 30_000}x,A,U,3.50\n" for n in range(10))  # each took seven seconds
    assert len(read(write(f"{HEAD}\n{rows}{long}"))[1].problems) == 10


@pytest.mark.parametrize(
    "line",
    ["refund" + "   refund" * 30 + " x", "refund" + " - and " * 4000 + "x", "pending " * 4000],
    ids=["gaps", "long", "states"],
)
@pytest.mark.usefixtures("ended")
def test_a_long_line_of_text_holds_nobody_up(write: Write, line: str) -> None:
    path = write(f"{HEAD}\n{line}\n13/10/2026,A,S,1.50\n14/10/2026,A,T,2.50\n")
    assert pence_of(path) == [150, 250]


def test_what_an_issuer_answered_to_a_refused_payment_is_known(write: Write) -> None:
    rows = "13/10/2026,A,S,1.50,Approved\n14/10/2026,A,T,900.00,Insufficient funds\n"
    _, report = read(write(f"{HEAD},Response\n{rows}"))
    assert (report.transactions, report.not_booked) == (1, 1)


# What a workbook shows and its values do not say ------------------------------------------------


def workbook(path: Path, *amounts: float, number_format: str = "0.00") -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.active.append(HEAD.split(","))
    for i, amount in enumerate(amounts):
        book.active.append([f"{13 + i}/10/2026", "A", f"S{i}", amount])
        book.active.cell(i + 2, 4).number_format = (
            number_format if i == len(amounts) - 1 else "0.00"
        )
    book.save(path)
    return book


def with_parts(source: Path, target: Path, changed: dict[str, str]) -> Path:
    """Write a workbook with the parts of its sheets under other names."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith((".rels", "[Content_Types].xml")):
                for before, after in changed.items():
                    data = data.replace(before.encode(), f"{after}!".encode())
                data = data.replace(b"!", b"")
            folder, _, part = name.rpartition("/")
            is_sheet = folder == "xl/worksheets"
            new.writestr(f"{folder}/{changed.get(part, part)}" if is_sheet else name, data)
    return target


@pytest.mark.parametrize(
    "changed",
    [{"sheet1.xml": "export.xml"}, {"sheet1.xml": "sheet9.xml"}],
    ids=["other name", "other number"],
)
def test_a_sheet_is_found_by_the_relations_of_its_workbook(
    tmp_path: Path, changed: dict[str, str]
) -> None:
    workbook(tmp_path / "a.xlsx", 5, 6, 7, number_format='0.00" CR"')
    path = with_parts(tmp_path / "a.xlsx", tmp_path / "b.xlsx", changed)
    assert refusal(path).code == "direction_unclear"


def test_parts_whose_elements_have_a_prefix_are_looked_at(tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx", 5, 6, 7, number_format='0.00" CR"')
    with (
        zipfile.ZipFile(tmp_path / "a.xlsx") as old,
        zipfile.ZipFile(tmp_path / "b.xlsx", "w") as new,
    ):
        for name in old.namelist():
            text = old.read(name).decode()
            if name.startswith("xl/worksheets/sheet"):
                text = text.replace("</", "</x:").replace("<", "<x:").replace("<x:/x:", "</x:")
                text = text.replace("<x:?xml", "<?xml").replace("xmlns=", "xmlns:x=")
            new.writestr(name, text)
    assert refusal(tmp_path / "b.xlsx").code == "direction_unclear"


@pytest.mark.parametrize(
    ("number_format", "code"),
    [("0.00,", "amount_unclear"), ("0.00%", "amount_unclear"), ('0.0,"k"', ""), ("0.00", "")],
)
def test_a_format_that_prints_another_number_is_refused(
    tmp_path: Path, number_format: str, code: str
) -> None:
    path = tmp_path / "a.xlsx"
    workbook(path, 5.5, 6.5, 7.5, number_format=number_format)
    assert (refusal(path).code if code else pence_of(path)) == (code or [550, 650, 750])


def test_amounts_all_in_euros_by_their_format_are_refused(tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx", 5.5, number_format="[$€-2] 0.00")
    assert refusal(tmp_path / "a.xlsx").code == "not_in_pounds"


@pytest.mark.parametrize("is_run", [True, False])
def test_a_text_struck_through_is_told_of(tmp_path: Path, is_run: bool) -> None:  # noqa: FBT001
    book = workbook(tmp_path / "a.xlsx", 5, 6, 7)
    cell = book.active.cell(3, 3)
    if is_run:
        cell.value = CellRichText("S", TextBlock(InlineFont(strike=True), "1"))
    else:
        cell.font = openpyxl.styles.Font(strike=True)
    book.save(tmp_path / "a.xlsx")
    _, report = read(tmp_path / "a.xlsx")
    assert any(note.startswith("1 payment is struck through") for note in report.notes)


def test_a_hidden_second_column_of_amounts_is_not_read(tmp_path: Path) -> None:
    book = workbook(tmp_path / "a.xlsx", 5, 6, 7)
    for i, text in enumerate(["Amount 2", 50, 60, 70], 1):
        book.active.cell(i, 5).value = text
    book.save(tmp_path / "a.xlsx")
    assert refusal(tmp_path / "a.xlsx").code == "amount_unclear"
    book.active.column_dimensions["E"].hidden = True
    book.save(tmp_path / "a.xlsx")
    _, report = read(tmp_path / "a.xlsx")
    assert report.pence == 1800
    assert "column 'Amount 2' is hidden in the workbook, and not read" in report.notes


def with_column(path: Path, heading: str, *values: float, number_format: str = "0.00") -> Path:
    """Write payments of 5, 6 and 7 pounds, and a column beside them."""
    book = workbook(path, 5, 6, 7)
    for i, value in enumerate([heading, *values], 1):
        cell = book.active.cell(i, 5, value)
        cell.number_format = number_format if i > 1 else "General"
    book.save(path)
    return path


def in_two_sheets(path: Path, *values: float) -> Path:
    """Write two sheets with a second column of amounts, hidden in the first with these values."""
    book = openpyxl.load_workbook(with_column(path, "Amount 2", *values))
    book.active.column_dimensions["E"].hidden = True
    other = book.create_sheet("November")
    other.append([*HEAD.split(","), "Amount 2"])
    for i, pounds in enumerate((8, 9)):
        other.append([f"{13 + i}/11/2026", "B", f"T{i}", pounds, pounds])
    book.save(path)
    return path


def test_a_second_column_of_amounts_that_one_sheet_hides_and_one_shows(tmp_path: Path) -> None:
    _, report = read(in_two_sheets(tmp_path / "same.xlsx", 5, 6, 7))
    assert (report.transactions, report.pence) == (5, 3500)
    _, report = read(in_two_sheets(tmp_path / "differs.xlsx", 50, 60, 70))
    assert (report.transactions, report.pence) == (5, 3500)
    assert "column 'Amount 2' is hidden in the workbook, and not read" in report.notes


def test_a_second_column_of_amounts_that_another_sheet_shows_with_others_is_asked_about(
    tmp_path: Path,
) -> None:
    path = in_two_sheets(tmp_path / "a.xlsx", 50, 60, 70)
    book = openpyxl.load_workbook(path)
    book["November"]["E3"] = 10
    book.save(path)
    assert refusal(path).code == "amount_unclear"


def test_two_columns_of_amounts_that_are_both_hidden_are_asked_about(tmp_path: Path) -> None:
    path = with_column(tmp_path / "a.xlsx", "Amount 2", 50, 60, 70)
    book = openpyxl.load_workbook(path)
    for letter in "DE":
        book.active.column_dimensions[letter].hidden = True
    book.save(path)
    assert refusal(path).code == "amount_unclear"


def test_hidden_amounts_are_told_of_once_and_only_of_sheets_that_are_read(tmp_path: Path) -> None:
    path = with_column(tmp_path / "a.xlsx", "Net Amount", 4, 5, 6)
    book = openpyxl.load_workbook(path)
    second = book.copy_worksheet(book.active)
    for i in range(2, 5):
        second.cell(i, 1).value = f"{i}/11/2026"
        second.cell(i, 4).value = i + 10
    lookup = book.create_sheet("Lookup")
    lookup.append(["Code", "Total Amount"])
    lookup.append(["1", 5])
    lookup.column_dimensions["B"].hidden = True
    for sheet in (book.active, second):
        sheet.column_dimensions["E"].hidden = True
    book.save(path)
    _, report = read(path)
    assert report.transactions == 6
    assert [note for note in report.notes if "hidden" in note] == [
        "column 'Net Amount' is hidden in the workbook"
    ]


@pytest.mark.parametrize(
    "heading",
    ["VAT Amount %", "Net %", "Percentage of Spend", "Amount, pct", "Price Change"],
)
def test_percentages_beside_amounts_are_none(tmp_path: Path, heading: str) -> None:
    path = with_column(tmp_path / "a.xlsx", heading, 0.2, 0.2, 0.05, number_format="0%")
    assert pence_of(path) == [500, 600, 700]


def test_the_column_whose_format_prints_another_number_is_named(tmp_path: Path) -> None:
    workbook(tmp_path / "a.xlsx", 5.5, 6.5, number_format="0.00,")
    assert "1 cell in column 'Amount' shows" in refusal(tmp_path / "a.xlsx").what


@pytest.mark.parametrize(("place", "value"), [((3, 1), 46_309), ((3, 4), -6)], ids=["day", "minus"])
def test_days_and_refunds_struck_through_are_not_told_of(
    tmp_path: Path, place: tuple[int, int], value: int
) -> None:
    book = workbook(tmp_path / "a.xlsx", 5, 6, 7)
    for row in range(2, 5):
        book.active.cell(row, 1).value = 46_306 + row
        book.active.cell(row, 1).number_format = "dd/mm/yyyy"
    cell = book.active.cell(*place)
    cell.value, cell.font = value, openpyxl.styles.Font(strike=True)
    book.save(tmp_path / "a.xlsx")
    _, report = read(tmp_path / "a.xlsx")
    assert report.transactions == 3
    assert not any("struck through" in note for note in report.notes)


def of_no_font(data: bytes) -> bytes:
    """Return an old workbook whose styles have a font that it does not have."""
    return re.sub(rb"(?s)\xe0\x00\x14\x00..", b"\xe0\x00\x14\x00\xff\x7f", data)


def of_another_order(data: bytes) -> bytes:
    """Return an old workbook whose mark of the order of bytes is not as it should be."""
    return data[:28] + b"\0\0" + data[30:]


@pytest.mark.parametrize("damage", [of_no_font, of_another_order])
def test_values_are_read_where_how_they_look_cannot_be(
    tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    whole = CASES / "91c_struck_and_hidden.xls"
    (tmp_path / "a.xls").write_bytes(damage(whole.read_bytes()))
    _, report = read(tmp_path / "a.xls")
    assert pence_of(tmp_path / "a.xls") == pence_of(whole)
    assert any(note.startswith("how its cells look could not be read") for note in report.notes)


def without_addresses(path: Path) -> None:
    """Take from each cell of a workbook where it stands, as some programs leave it out."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            is_sheet = name.startswith("xl/worksheets/")
            plain = re.sub(rb'(<(?:c|row)) r="[^"]*"', rb"\1", content) if is_sheet else content
            archive.writestr(name, plain)


@pytest.mark.parametrize("number_format", ['0.00" CR"', "0.00;(0.00)", "(0.00)"])
def test_formats_of_cells_that_do_not_say_where_they_stand_are_seen(
    tmp_path: Path, number_format: str
) -> None:
    workbook(tmp_path / "a.xlsx", 5.5, 6.5, number_format=number_format)
    without_addresses(tmp_path / "a.xlsx")
    if number_format == "0.00;(0.00)":
        assert pence_of(tmp_path / "a.xlsx") == [550, 650]
    else:
        assert refusal(tmp_path / "a.xlsx").code == "direction_unclear"


def test_bare_day_numbers_of_a_workbook_that_counts_from_1904_are_its_days(tmp_path: Path) -> None:
    book = workbook(tmp_path / "a.xlsx", 5, 6)
    book.epoch = CALENDAR_MAC_1904
    for row in (2, 3):
        book.active.cell(row, 1).value = 44_832 + row
    book.save(tmp_path / "a.xlsx")
    assert days_of(tmp_path / "a.xlsx") == ["2026-10-01", "2026-10-02"]


def test_rows_of_an_old_workbook_that_are_hidden_or_struck_through_are_told_of() -> None:
    _, report = read(CASES / "91c_struck_and_hidden.xls")
    assert any("1 row is hidden" in note for note in report.notes)
    assert any("1 payment is struck through" in note for note in report.notes)
    _, report = read(CASES / "91d_euros_by_format.xls")
    assert any("2 cells have the sign of another currency" in note for note in report.notes)


NAMES = "".join(
    f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{kind}:1.0"'
    for name, kind in [
        ("office", "office"),
        ("table", "table"),
        ("text", "text"),
        ("style", "style"),
    ]
)
STRUCK = (
    '<style:style style:name="s" style:family="table-cell"><style:text-properties '
    'style:text-line-through-style="solid"/></style:style>'
)


MANIFEST = (
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
    '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
    "</manifest:manifest>"
)


def ods(
    path: Path, *cells: str, row: str = "", styles: str = "", column: str = "", named: str = ""
) -> Path:
    """Write a sheet in which each payment has a cell of an amount as it is given.

    Args:
        path: of the file.
        cells: one for each payment.
        row: attributes of the first payment's row.
        styles: those of the content.
        column: attributes of the column of amounts.
        named: styles that the workbook has by their names.
    """
    rows = [HEAD.split(","), *([f"{13 + i}/10/2026", "A", f"S{i}"] for i in range(len(cells)))]
    lines = [
        "".join(
            f'<table:table-cell office:value-type="string"><text:p>{text}</text:p>'
            "</table:table-cell>"
            for text in texts
        )
        for texts in rows
    ]
    body = [f"<table:table-row>{lines[0]}</table:table-row>"]
    body += [
        f"<table:table-row{row if i == 0 else ''}>{line}{cell}</table:table-row>"
        for i, (line, cell) in enumerate(zip(lines[1:], cells, strict=True))
    ]
    content = (
        f"<office:document-content{NAMES}><office:automatic-styles>{STRUCK}{styles}"
        '</office:automatic-styles><office:body><office:spreadsheet><table:table table:name="A">'
        f'<table:table-column table:number-columns-repeated="3"/><table:table-column{column}/>'
        f"{''.join(body)}</table:table></office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", MANIFEST)
        archive.writestr("content.xml", content)
        if named:
            archive.writestr(
                "styles.xml",
                f"<office:document-styles{NAMES}><office:styles>{named}</office:styles>"
                "</office:document-styles>",
            )
    return path


def money(value: str, shown: str, more: str = "") -> str:
    return (
        f'<table:table-cell office:value-type="float" office:value="{value}"{more}>'
        f"<text:p>{shown}</text:p></table:table-cell>"
    )


@pytest.mark.parametrize(
    ("value", "shown", "code"),
    [
        ("12.3", "12.30 CR", "direction_unclear"),
        ("12.3", "(12.30)", "direction_unclear"),
        ("12300", "12.30", "amount_unclear"),
        ("1230", "12.30", "amount_unclear"),
        ("12.3", "1230%", "amount_unclear"),
    ],
)
def test_what_an_ods_workbook_prints_in_place_of_its_value_is_refused(
    tmp_path: Path, value: str, shown: str, code: str
) -> None:
    path = ods(tmp_path / "a.ods", money("5", "5.00"), money("6", "6.00"), money(value, shown))
    assert refusal(path).code == code


@pytest.mark.parametrize("shown", ["12.30", "£12.30", "12", "12,30", "GBP 12.30", "12.30 "])
def test_what_an_ods_workbook_rounds_or_marks_as_pounds_is_read(tmp_path: Path, shown: str) -> None:
    path = ods(
        tmp_path / "a.ods", money("5", "5.00"), money("1234.5", "1,234.50"), money("12.3", shown)
    )
    assert pence_of(path) == [500, 123_450, 1_230]


def test_rows_of_an_ods_workbook_that_are_hidden_or_struck_through_are_told_of(
    tmp_path: Path,
) -> None:
    cells = money("5", "5.00"), money("6", "6.00", ' table:style-name="s"')
    path = ods(tmp_path / "a.ods", *cells, row=' table:visibility="filter"')
    _, report = read(path)
    assert any("1 row is hidden" in note for note in report.notes)
    assert any("1 payment is struck through" in note for note in report.notes)


@pytest.mark.parametrize("place", ["cell", "column", "row", "parent"])
def test_a_style_that_a_workbook_has_by_name_is_known_wherever_it_is_given(
    tmp_path: Path, place: str
) -> None:
    struck = STRUCK.replace('"s"', '"Deleted"')
    default = ' table:default-cell-style-name="Deleted"'
    child = (
        '<style:style style:name="child" style:family="table-cell" '
        'style:parent-style-name="Deleted"/>'
    )
    style = {"cell": "Deleted", "parent": "child"}.get(place, "")
    cell = money("5", "5.00", f' table:style-name="{style}"' if style else "")
    plain = money("6", "6.00", ' table:style-name="plain"')
    path = ods(
        tmp_path / "a.ods",
        cell,
        plain,
        row=default if place == "row" else "",
        column=default if place == "column" else "",
        styles=child + '<style:style style:name="plain" style:family="table-cell"/>',
        named=struck,
    )
    _, report = read(path)
    assert any("struck through" in note for note in report.notes)


def test_a_comment_on_an_amount_is_not_what_it_prints(tmp_path: Path) -> None:
    comment = (
        '<office:annotation><text:p>CR <text:span text:style-name="s">12.30</text:span></text:p>'
        "</office:annotation>"
    )
    amount = money("6", "6.00").replace("<text:p>", f"{comment}<text:p>")
    inside = money("7", f"7.00{comment}")
    path = ods(tmp_path / "a.ods", money("5", "5.00"), amount, inside)
    _, report = read(path)
    assert pence_of(path) == [500, 600, 700]
    assert not any("struck" in note for note in report.notes)


def test_letters_of_a_number_format_are_not_those_of_the_style_before_it(tmp_path: Path) -> None:
    number = (
        '<number:number-style xmlns:number="urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0" '
        'style:name="n"><style:text-properties style:text-line-through-style="solid"/>'
        "</number:number-style>"
    )
    cell = '<style:style style:name="plain" style:family="table-cell"/>'
    path = ods(
        tmp_path / "a.ods",
        money("5", "5.00", ' table:style-name="plain"'),
        money("6", "6.00"),
        styles=cell + number,
    )
    _, report = read(path)
    assert pence_of(path) == [500, 600]
    assert not any("struck" in note for note in report.notes)


# Headings, text and units -----------------------------------------------------------------------


@pytest.mark.parametrize("heading", ["Line Total", "Amount (LCY)", "Reporting Amount"])
def test_amounts_under_headings_of_accounting_systems_are_read(write: Write, heading: str) -> None:
    path = write(f"Date,Resource (T),Supplier (T),{heading}\n13/10/2026,A,S,5.00\n")
    assert pence_of(path) == [500]


@pytest.mark.parametrize(
    "heading", ["% of Total", "Net %", "Amount %", "Price Change", "Total (per cent)"]
)
def test_a_share_is_no_amount(tmp_path: Path, write: Write, heading: str) -> None:
    assert pence_of(write(f"{HEAD},{heading}\n13/10/2026,A,S,5.00,0.2\n")) == [500]
    book = workbook(tmp_path / "a.xlsx", 5, 6)
    for row, value in enumerate([heading, 0.2, 0.4], 1):
        book.active.cell(row, 5).value = value
        book.active.cell(row, 5).number_format = "0%"
    book.save(tmp_path / "a.xlsx")
    assert pence_of(tmp_path / "a.xlsx") == [500, 600]


def test_accounts_of_a_ledger_are_no_cards(write: Write) -> None:
    rows = "13/10/2026,4210,Training,S,5.00\n14/10/2026,4300,Travel,T,6.00\n"
    path = write(f"Date,Acct Num,Acct Name,Merchant,Amount\n{rows}")
    assert refusal(path).code == "columns_unknown"
    rows = rows.replace("Travel,", "Travel,B,").replace("Training,", "Training,A,")
    statements, _ = read(write(f"Date,Acct Num,Acct Name,Cardholder,Merchant,Amount\n{rows}"))
    assert statements.transactions["holder_id"].tolist() == ["A", "B"]


def test_the_total_of_a_line_is_no_amount_beside_another(write: Write) -> None:
    path = write("Date,Cardholder,Merchant,Amount,Line Total\n13/10/2026,A,S,5.00,2.00\n")
    assert pence_of(path) == [500]


def test_a_second_column_of_amounts_that_is_not_used_is_none(write: Write) -> None:
    assert pence_of(write(f"{HEAD},Amount 2\n13/10/2026,A,S,5.00,0.00\n")) == [500]
    assert pence_of(write(f"{HEAD},Amount 2\n13/10/2026,A,S,0.00,5.00\n")) == [500]
    assert refusal(write(f"{HEAD},Amount 2\n13/10/2026,A,S,5.00,1.00\n")).code == "amount_unclear"


def test_whole_numbers_throughout_are_told_of(write: Write) -> None:
    def notes(*amounts: str) -> str:
        rows = "".join(f"{13 + i}/10/2026,A,S{i},{pence}\n" for i, pence in enumerate(amounts))
        return " ".join(read(write(f"{HEAD}\n{rows}"))[1].notes)

    assert "whole numbers" in notes(*map(str, range(100, 111)))
    assert "whole numbers" not in notes(*map(str, range(100, 111)), "5.50")
    assert "whole numbers" not in notes("100", "200")


def test_a_text_joined_from_two_encodings_has_the_letters_of_both(tmp_path: Path) -> None:
    lines = [HEAD, "13/10/2026,A,CAFÉ NÉRO,5.00", "14/10/2026,A,CAFÉ ROUGE,6.00", ""]
    text = "\n".join(lines[:2]).encode() + b"\n" + "\n".join(lines[2:]).encode("cp1252")
    (tmp_path / "a.csv").write_bytes(text)
    statements, report = read(tmp_path / "a.csv")
    assert statements.transactions["merchant"].tolist() == ["CAFÉ NÉRO", "CAFÉ ROUGE"]
    assert any("cp1252 in 1 byte" in decision for decision in report.decisions)


def test_expenses_that_no_card_paid_are_told_of(write: Write) -> None:
    rows = "13/10/2026,A,S,5.00,Company Card\n14/10/2026,A,T,6.00,Out of Pocket\n"
    _, report = read(write(f"{HEAD},Payment Type\n{rows}"))
    assert any("1 expense is counted that no card" in note for note in report.notes)


@pytest.mark.parametrize(
    ("heading", "text"),
    [
        ("Non-reimbursable", "Yes"),
        ("Not Reimbursable", "Yes"),
        ("Paid Category", "Mileage"),
        ("Payment Category", "Mileage"),
        ("Delivery Method", "Personal"),
        ("Funding Source", "Invoice"),
        ("Paid To", "Petty Cash"),
    ],
)
def test_other_columns_say_nothing_of_how_an_expense_was_paid(
    write: Write, heading: str, text: str
) -> None:
    rows = f"13/10/2026,A,S,5.00,{text}\n14/10/2026,A,T,6.00,Other\n"
    _, report = read(write(f"{HEAD},{heading}\n{rows}"))
    assert not any("no card of yours" in note for note in report.notes)


PAGE = f"<html><table><tr><td>{HEAD.replace(',', '</td><td>')}</td></tr>{{}}</table></html>"


def mime(*pages: str) -> str:
    parts = [f"--b\nContent-Type: text/html\n\n{page}\n" for page in pages]
    head = 'MIME-Version: 1.0\nContent-Type: multipart/related; boundary="b"\n\n'
    return head + "".join(parts) + "--b--\n"


def test_a_web_page_kept_in_one_file_is_read_and_several_are_refused(write: Write) -> None:
    rows = "<tr><td>13/10/2026</td><td>A</td><td>S</td><td>5.00</td></tr>"
    page = PAGE.format(rows)
    assert pence_of(write(mime(page, "<html>no table</html>"), "a.mht")) == [500]
    assert refusal(write(mime(page, page), "b.mht")).code == "web_page"
    assert refusal(write(mime("<html></html>"), "c.mht")).code == "web_page"
