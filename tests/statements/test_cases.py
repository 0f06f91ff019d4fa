"""Every known kind of fault is read right or refused: files with what is right for each."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest
from one_file import read, refusal

from cardwatch.errors import ColumnsUnknown, FileFaulty, FileRefused
from cardwatch.statements import (
    ReadingChoices,
    differences,
    load_expectations,
    read_corpus,
    read_each,
    read_statements,
    shipped_profiles,
)
from cardwatch.statements.bookings import kind_by_words
from cardwatch.statements.profiles import parse_profile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cardwatch.statements import Outcome

    Write = Callable[..., Path]

pytestmark = pytest.mark.xdist_group("cases")  # what they share is made once

CASES = Path(__file__).parent / "cases"
EXPECTED = load_expectations(CASES)
CHOICES = ReadingChoices(shipped_profiles(), b"a key for tests, of no other use")
SHARED = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcome]:
    return {outcome.file: outcome for outcome in read_corpus(CASES, CHOICES)}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_each_case_is_read_right_or_refused(name: str, outcomes: dict[str, Outcome]) -> None:
    assert differences([outcomes[name]], {name: EXPECTED[name]}) == {}


def test_every_case_has_an_expectation(outcomes: dict[str, Outcome]) -> None:
    assert outcomes.keys() == EXPECTED.keys()


def test_no_refusal_shows_a_cell_of_a_row() -> None:
    results = read_each([CASES], CHOICES)
    texts = [str(result) for result in results if isinstance(result, FileRefused)]
    assert len(texts) > 20
    for secret in ("Holder A", "HOLDER A", "SURNAME", "ALPHA", "4111", "Roe"):
        assert not any(secret in text for text in texts), secret


# The corpus runner ------------------------------------------------------------------------------


def test_a_corpus_says_which_files_differ(tmp_path: Path) -> None:
    shutil.copy(CASES / "02c_crdr_flag.csv", tmp_path / "a.csv")
    (tmp_path / "expectations.csv").write_text("file,rows,pence,first_on\na.csv,3,1,\nb.csv,1,1,\n")
    differing = differences(read_corpus(tmp_path, CHOICES), load_expectations(tmp_path))
    assert differing == {"a.csv": ["pence is 8000, expected 1"], "b.csv": ["it is missing"]}


@pytest.mark.parametrize(
    "text", ["not toml", '["a.csv"]\ncolour = 3'], ids=["no TOML", "unknown figure"]
)
def test_faulty_expectations_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "expectations.toml").write_text(text)
    with pytest.raises(FileFaulty):
        load_expectations(tmp_path)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the published statements are not there")
def test_the_published_statements_all_reconcile() -> None:
    outcomes = read_corpus(SHARED / "devon", CHOICES)
    assert sum(outcome.rows for outcome in outcomes) == 17_378 + 1_008
    assert differences(outcomes, {}) == {}


# Rows with too many cells -----------------------------------------------------------------------

HEAD = "Date,Cardholder,Merchant,Amount"


@pytest.mark.parametrize(
    "rows",
    [
        f"{HEAD}\n13/10/2025,A,ALPHA,1,200.00\n14/10/2025,A,BETA,11.00\n15/10/2025,A,C,12.00\n",
        f"{HEAD},Note\n13/10/2025,A,ALPHA,1,200.00,\n14/10/2025,A,BETA,11.00,\n15/10/2025,A,C,12.00,\n",
        f"{HEAD},\n13/10/2025,A,ALPHA,1,200.00\n14/10/2025,A,BETA,11.00,\n15/10/2025,A,C,12.00,\n",
        f"{HEAD},Note\n13/10/2025,A,ALPHA,1,200.00\n14/10/2025,A,BETA,11.00,x\n15/10/2025,A,C,12.00,x\n",
    ],
    ids=["beyond the headings", "an empty cell at the end", "unnamed column", "into the notes"],
)
def test_an_amount_is_never_cut_at_a_comma(write: Write, rows: str) -> None:
    statements, report = read(write(rows))
    assert statements.transactions["amount_pence"].tolist() == [1100, 1200]
    assert [(p.row, p.code) for p in report.problems] == [(2, "too_many_cells")]


def test_empty_cells_beyond_the_headings_are_no_fault(write: Write) -> None:
    _, report = read(write(f"{HEAD}\n13/10/2025,A,ALPHA,10.00,,\n14/10/2025,A,BETA,11.00,,\n"))
    assert (report.transactions, report.problems) == (2, ())


# Sheets -----------------------------------------------------------------------------------------

SHEET_HEAD = ["Transaction Date", "Cardholder", "Merchant", "Amount"]


def book(path: Path, sheets: dict[str, Sequence[Sequence[object]]], hidden: str = "") -> Path:
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for name, rows in sheets.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
        sheet.sheet_state = "hidden" if name == hidden else "visible"
    workbook.save(path)
    return path


def month(number: int, count: int = 5, *, head: Sequence[str] = SHEET_HEAD) -> list[list[object]]:
    rows = [[f"2025-{number:02}-{day:02}", "Holder A", "ALPHA", day] for day in range(1, count + 1)]
    return [list(head), *[row + [""] * (len(head) - 4) for row in rows]]


def test_every_month_of_a_workbook_is_read(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", {"Jan": month(1), "Feb": month(2), "Notes": [["x"]]})
    statements, report = read(path)
    assert (report.transactions, report.pence) == (10, 3000)
    assert any("'Jan', 'Feb'" in decision for decision in report.decisions)
    assert statements.transactions["row"].is_unique


def test_a_problem_names_its_sheet(tmp_path: Path) -> None:
    bad = [*month(2), ["soon", "Holder A", "ALPHA", 1]]
    _, report = read(book(tmp_path / "a.xlsx", {"Jan": month(1), "Feb": bad}))
    assert "sheet 'Feb', row 7" in report.problems[0].message


def test_columns_in_another_order_on_another_sheet_are_read_by_name(tmp_path: Path) -> None:
    turned = [[row[3], row[0], row[1], row[2]] for row in month(2)]
    _, report = read(book(tmp_path / "a.xlsx", {"Jan": month(1), "Feb": turned}))
    assert (report.transactions, report.pence) == (10, 3000)


def test_a_summary_sheet_is_not_read_in_place_of_the_data(tmp_path: Path) -> None:
    head = [*SHEET_HEAD, "MCC", "Cost Centre"]
    summary = [head, ["2025-01-31", "All", "All", 999, "5999", "C1"]]
    _, report = read(book(tmp_path / "a.xlsx", {"Top": summary, "Data": month(1, 24)}))
    assert (report.transactions, report.pence) == (24, 30_000)
    assert any("'Top' was not read" in note for note in report.notes)


def test_a_sheet_of_all_months_is_not_counted_beside_them(tmp_path: Path) -> None:
    everything = [*month(1), *month(2)[1:]]
    _, report = read(
        book(tmp_path / "a.xlsx", {"Jan": month(1), "Feb": month(2), "All": everything})
    )
    assert report.pence == 3000


def test_a_sheet_that_repeats_some_rows_of_others_is_refused(tmp_path: Path) -> None:
    some = [*month(1), ["2025-03-01", "Holder A", "ALPHA", 7]]
    path = book(tmp_path / "a.xlsx", {"Jan": month(1), "Feb": month(2), "Some": some})
    assert refusal(path).code == "sheets_repeat"


def test_payments_under_different_headings_are_refused(tmp_path: Path) -> None:
    other = month(2, head=["Date", "Card Holder", "Supplier", "Gross Amount"])
    path = book(tmp_path / "a.xlsx", {"Jan": month(1), "Feb": other})
    assert refusal(path).code == "sheets_differ"


def test_the_visible_sheet_comes_before_a_hidden_one(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", {"Old": month(1, 9), "New": month(2, 3)}, hidden="Old")
    _, report = read(path)
    assert (report.transactions, report.first_on) == (3, "2025-02-01")
    assert any("hidden sheet 'Old'" in note for note in report.notes)


def test_holders_are_taken_from_the_names_of_sheets(tmp_path: Path) -> None:
    head = ["Date", "Supplier", "Details", "Gross"]
    rows = [head, ["2025-01-01", "ALPHA", "x", 5], ["2025-01-02", "BETA", "x", 6]]
    statements, _ = read(book(tmp_path / "a.xlsx", {"A Roe": rows, "B Poe": rows[:2]}))
    assert statements.transactions["holder_id"].tolist() == ["A Roe", "A Roe", "B Poe"]
    assert (
        refusal(book(tmp_path / "b.xlsx", {"Jan": rows, "Feb": rows[:2]})).code == "columns_unknown"
    )


def test_merged_holder_cells_name_every_row(tmp_path: Path) -> None:
    path = book(tmp_path / "a.xlsx", {"Data": month(1, 4)})
    workbook = openpyxl.load_workbook(path)
    sheet = workbook["Data"]
    sheet["B4"] = "Holder B"
    sheet.merge_cells("B2:B3")
    sheet.merge_cells("B4:B5")
    workbook.save(path)
    statements, _ = read(path)
    assert statements.transactions["holder_id"].tolist() == ["Holder A"] * 2 + ["Holder B"] * 2


# Direction --------------------------------------------------------------------------------------


def rows_of(*amounts: str, words: Sequence[str] = (), heading: str = "Type") -> str:
    lines = [
        f"{13 + i}/10/2025,Holder A,SHOP {i},{amount}" + (f",{words[i]}" if words else "")
        for i, amount in enumerate(amounts)
    ]
    return "\n".join([HEAD + (f",{heading}" if words else ""), *lines]) + "\n"


@pytest.mark.parametrize(
    ("words", "amounts"),
    [
        (["Purchase", "Refund", "Purchase"], ["100", "40", "20"]),
        (["Sale", "Return", "Sale"], ["-100", "40", "-20"]),
        (["D", "K", "D"], ["100", "40", "20"]),
        (["+", "-", "+"], ["100", "40", "20"]),
        (["DEBIT", "CREDIT", "DEBIT"], ["100", "-40", "20"]),
        (["Debit", "Credit", "Debit"], ["-100", "-40", "-20"]),
    ],
    ids=["words", "bank signs", "letters", "signs", "issuer's signs", "all below zero"],
)
@pytest.mark.parametrize("heading", ["Transaction Type", "Flag", "Sign"])
def test_direction_words_are_found_in_any_column(
    write: Write, words: list[str], amounts: list[str], heading: str
) -> None:
    statements, report = read(write(rows_of(*amounts, words=words, heading=heading)))
    assert statements.transactions["amount_pence"].tolist() == [10_000, -4_000, 2_000]
    assert any(f"column '{heading}'" in decision for decision in report.decisions)


@pytest.mark.parametrize(
    "text",
    [
        rows_of("100", "40", "20", words=["Purchase", "Refund", "Zebra"]),
        rows_of("100", "-40", "-20", words=["Purchase", "Refund", "Purchase"]),
        rows_of("100", "40", "20", words=["1", "2", "1"], heading="Debit/Credit"),
        rows_of("100", "40", "20", words=["Travel", "Refund", "Food"], heading="Category"),
        rows_of("-1", "-2", "3", "3", "-1"),
        rows_of("-1", "-2"),
        "Date,Cardholder,Merchant,Debit,Credit\n13/10/2025,A,S,-1,\n14/10/2025,A,S,2,\n",
    ],
    ids=[
        "strange word",
        "words against signs",
        "numbers for words",
        "a refund among categories",
        "no majority",
        "two with a minus",
        "debit mixed",
    ],
)
def test_a_direction_that_cannot_be_proved_is_refused(write: Write, text: str) -> None:
    error = refusal(write(text))
    assert error.code == "direction_unclear"
    assert "profile" in str(error) or "Write charge or refund" in str(error)


def test_spending_below_zero_is_charged(write: Write) -> None:
    statements, report = read(write(rows_of("-10", "-20", "-30", "5")))
    assert statements.transactions["amount_pence"].tolist() == [1000, 2000, 3000, -500]
    assert any("are refunds: 3 of 4" in decision for decision in report.decisions)


def test_a_column_of_charges_below_zero_is_charged(write: Write) -> None:
    text = "Date,Cardholder,Merchant,Debit,Credit\n13/10/2025,A,S,-1,\n14/10/2025,A,S,,2\n"
    statements, _ = read(write(text))
    assert statements.transactions["amount_pence"].tolist() == [100, -200]


def test_a_shipped_layout_is_not_followed_against_its_rows(write: Write) -> None:
    lines = [f"2025-10-{10 + i},H1,S{i},-{i}.00" for i in range(1, 8)]
    path = write("\n".join(["date,holder_id,merchant,amount", *lines]))
    assert refusal(path).code == "direction_unclear"


# Amount columns ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headings", "cells", "pence"),
    [
        ("Transaction Amount,Billing Amount", "5000.00,26.00", 2600),
        ("Amount,Amount (GBP)", "13.40,10.00", 1000),
        ("Billing Currency Amount,Source Currency Amount", "10.00,13.40", 1000),
        ("Net Amount,VAT,Gross", "10.00,2.00,12.00", 1200),
        ("Amount,VAT,Gross Amount", "10.00,2.00,12.00", 1200),
        ("Net (£),VAT (£),Total (£)", "10.00,2.00,12.00", 1200),
        ("Debit (£),Credit (£)", "12.00,", 1200),
        ("Paid Out,Paid In", "12.00,", 1200),
    ],
)
def test_the_amount_that_was_paid_is_taken(
    write: Write, headings: str, cells: str, pence: int
) -> None:
    text = f"Date,Cardholder,Merchant,{headings}\n13/10/2025,A,S,{cells}\n14/10/2025,A,T,{cells}\n"
    statements, report = read(write(text))
    assert statements.transactions["amount_pence"].tolist() == [pence] * 2
    assert all(check.passed for check in report.checks), report.checks


@pytest.mark.parametrize(
    ("headings", "cells"),
    [
        ("Amount,Amount", "10.00,8.33"),
        ("Amount,Value", "10.00,8.33"),
        ("Net,VAT,Total", "10.00,2.00,999.00"),
    ],
    ids=["twins", "two plain ones", "sums that do not fit"],
)
def test_an_amount_column_that_is_not_clear_is_refused(
    write: Write, headings: str, cells: str
) -> None:
    rows = "".join(f"{day}/10/2025,A,S,{cells}\n" for day in range(13, 17))
    error = refusal(write(f"Date,Cardholder,Merchant,{headings}\n{rows}"))
    assert error.code == "amount_unclear"
    assert "profile" in str(error)


def test_one_of_two_equal_headings_can_be_named_in_a_profile(write: Write) -> None:
    path = write("Date,Cardholder,Merchant,Amount,Amount\n13/10/2025,A,S,10.00,8.33\n")
    profile = (
        "[columns]\ndate = 'Date'\ncardholder = 'Cardholder'\nmerchant = 'Merchant'\n"
        "amount = 'Amount (2)'\n"
    )
    statements, report = read(path, profile)
    assert statements.transactions["amount_pence"].tolist() == [833]
    assert "columns by the profile 'ours.toml'" in report.decisions


# Holders ----------------------------------------------------------------------------------------


def test_one_holder_spelt_in_several_ways_is_one(write: Write) -> None:
    names = ["Roe, Ann", "ANN ROE", "Ann  Roe", "Ann Roe", "Roe Ann"]
    lines = [f'{10 + i}/10/2025,"{name}",S{i},1.00' for i, name in enumerate(names)]
    statements, report = read(write("\n".join([HEAD, *lines])))
    assert statements.transactions["holder_id"].tolist() == ["Ann Roe"] * 4 + ["Roe Ann"]
    assert any("another spelling" in note for note in report.notes)


def test_a_card_is_not_filled_down_where_a_holder_is_named(write: Write) -> None:
    text = "Date,Holder,Card Number,Merchant,Amount\n13/10/2025,A,****1234,S,1\n14/10/2025,B,,S,2\n"
    statements, _ = read(write(text))
    assert statements.transactions["card_last4"].tolist() == ["1234", ""]


def test_two_days_a_century_apart_are_both_asked_about(write: Write) -> None:
    path = write(f"{HEAD}\n13/10/2052,A,X,10\n14/10/2025,A,Y,20\n")
    assert refusal(path).code == "no_transactions"


def test_an_account_of_the_whole_force_is_no_holder(write: Write) -> None:
    names = ["A", "B", "C", "D"]
    lines = [f"FORCE {i // 2},{name},1{i}/10/2025,S,1.00" for i, name in enumerate(names)]
    text = "Account Name,Cardholder Name,Date,Merchant,Amount\n" + "\n".join(lines)
    statements, _ = read(write(text))
    assert statements.transactions["holder_id"].tolist() == names


def test_a_file_without_holders_is_read_where_that_is_declared(write: Write) -> None:
    text = "Date,Department,Supplier,Gross\n13/10/2025,Ops,S,1.00\n14/10/2025,CID,S,2.00\n"
    path = write(text)
    with pytest.raises(ColumnsUnknown) as caught:
        read(path)
    assert 'holders = "none"' in str(caught.value)
    profile = (
        'holders = "none"\n[columns]\ndate = "Date"\nunit = "Department"\nmerchant = "Supplier"\n'
        'amount = "Gross"\n'
    )
    statements, report = read(path, profile)
    assert statements.transactions["holder_id"].tolist() == ["no holder: Ops", "no holder: CID"]
    assert any("names no holder" in note for note in report.notes)


def test_the_same_month_in_two_exports_is_counted_once(write: Write) -> None:
    paths = [
        CASES / "80a_same_month_with_reference.csv",
        CASES / "80b_same_month_without_reference.csv",
    ]
    statements = read_statements(paths, CHOICES)
    assert statements.transactions["amount_pence"].sum() == 68_600
    capitals = write(paths[1].read_text(encoding="utf-8").replace("Holder", "HOLDER"))
    statements = read_statements([paths[0], capitals], CHOICES)
    assert statements.transactions["amount_pence"].sum() == 68_600


# Rows that are no purchases ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (
            "balance",
            ["BALANCE BROUGHT FORWARD", "Closing balance", "Statement total", "BALANCE B/F"],
        ),
        (
            "payment",
            ["PAYMENT THANK YOU", "PAYMENT BY DIRECT DEBIT", "BACS PAYMENT", "DIRECT DEBIT",
             "Payment received - thank you", "AUTOPAY"],
        ),
        (
            "fee",
            ["INTEREST", "NON-STERLING TRANSACTION FEE", "FOREIGN TRANSACTION FEE",
             "CASH HANDLING FEE", "MEMBERSHIP FEE", "LATE PAYMENT CHARGE"],
        ),
        ("adjustment", ["CHARGEBACK", "PROVISIONAL CREDIT", "REBATE"]),
        (
            "",
            ["TOTAL FITNESS", "GRAND TOTAL LTD", "BALANCE CARE SERVICES", "INTEREST FLORA LTD",
             "REBATE STORES", "TOTAL ENERGIES", "THANK YOU CARDS", "FEE SIMPLE LLP"],
        ),
    ],
)  # fmt: skip
def test_bank_words_are_told_from_merchants(kind: str, words: list[str]) -> None:
    assert {word: kind_by_words(word) for word in words} == dict.fromkeys(words, kind)


def test_a_state_that_is_not_known_is_asked_about(write: Write) -> None:
    path = write(rows_of("1", "2", "3", words=["Posted", "Pending", "Zebra"], heading="Status"))
    error = refusal(path)
    assert (error.code, "Zebra" in str(error)) == ("status_unclear", False)
    profile = (
        'booked = "zebra"\n[columns]\ndate = "Date"\ncardholder = "Cardholder"\n'
        'merchant = "Merchant"\namount = "Amount"\n'
    )
    _, report = read(path, profile)
    assert (report.pence, report.not_booked) == (400, 1)


def test_lines_of_one_reference_are_counted_once(write: Write) -> None:
    lines = [f"T{i},1{i}/10/2025,A,S{i},5.00,C1" for i in range(5)]
    text = "\n".join(["Reference,Date,Cardholder,Merchant,Amount,Cost Code", *lines])
    _, report = read(write(f"{text}\nT4,14/10/2025,A,S4,5.00,C2\n"))
    assert (report.pence, report.further_lines) == (2500, 1)
    _, report = read(write(f"{text}\nT4,14/10/2025,A,S4,5.00,C1\n"))
    assert (report.pence, report.further_lines) == (3000, 0), "an equal row is a payment made twice"


def test_a_balance_that_does_not_follow_is_noted(write: Write) -> None:
    lines = ["13/10/2025,A,S,10,110", "14/10/2025,A,S,20,130", "15/10/2025,A,S,5,140"]
    _, report = read(write(f"{HEAD},Balance\n" + "\n".join(lines)))
    assert any("the balance follows from the amounts in 1 of 2 rows" in n for n in report.notes)


def test_a_profile_takes_only_files_with_its_headings(write: Write) -> None:
    profile = (
        'positive = "refund"\nrecognise = ["Date", "Cardholder", "Merchant", "Amount"]\n[columns]\n'
        'date = "Date"\ncardholder = "Cardholder"\nmerchant = "Merchant"\namount = "Amount"\n'
    )
    own, report = read(write(rows_of("10")), profile)
    assert own.transactions["amount_pence"].tolist() == [-1000]
    assert "columns by the profile 'ours.toml'" in report.decisions
    other, _ = read(write(rows_of("10", words=["x"], heading="Balance")), profile)
    assert other.transactions["amount_pence"].tolist() == [1000]


def test_a_profile_for_other_headings_is_told_of_and_not_used(write: Write) -> None:
    text = "Date,Employee ID,Merchant,Amount\n13/10/2026,E1,SHOP,5.00\n"
    own = 'name = "ours"\nrecognise = ["Date", "Employee ID", "Merchant", "Sum"]\n[columns]\n'
    profile = parse_profile(own + 'amount = "Sum"\n', "ours.toml")
    choices = ReadingChoices([profile, *shipped_profiles()], CHOICES.card_key, given_count=1)
    (report,) = read_statements([write(text)], choices).reports
    (note,) = [note for note in report.notes if "'ours' is not used" in note]
    assert "the file has no 'sum'; it does not know 'Amount'" in note
    strange = write(text.replace("Merchant", "Wo"), "b.csv")
    with pytest.raises(FileRefused, match="'ours' is not used"):
        read_statements([strange], choices)
    far = 'name = "far"\nrecognise = ["Wann", "Wo"]\n[columns]\ndate = "Wann"\n'
    remembered = [parse_profile(far, "far.toml"), *shipped_profiles()]
    (report,) = read_statements([write(text)], ReadingChoices(remembered, b"k" * 32)).reports
    assert not any("not used" in note for note in report.notes)
