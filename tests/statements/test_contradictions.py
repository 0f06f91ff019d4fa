"""Files of which one part says another thing than the rest: read by both, refused, or told of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openpyxl
import pytest
from one_file import notes_of, pence_of, read, refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]

HEAD = "Date,Cardholder,Merchant,Amount"
PROFILE = "[columns]\n" + "".join(f'{h.lower()} = "{h}"\n' for h in HEAD.split(","))


def rows(*lines: str, head: str = HEAD) -> str:
    return (
        "\n".join([head, *(f"{13 + i}/10/2026,A,S{i},{line}" for i, line in enumerate(lines))])
        + "\n"
    )


def holders_of(path: Path) -> list[str]:
    statements, _ = read(path)
    return statements.transactions["holder_id"].tolist()


# Signs and words ----------------------------------------------------------------------------------

TYPED = f"{HEAD},{{}},Transaction Type"


@pytest.mark.parametrize("sign", ["Sign", "Indicator"])
@pytest.mark.parametrize(("charge", "refund"), [("+", "-"), ("-", "+")])
def test_signs_that_agree_with_words_are_read_by_the_words(
    write: Write, sign: str, charge: str, refund: str
) -> None:
    lines = (f"5.00,{charge},Purchase", f"6.00,{refund},Refund", f"7.00,{refund},Refund")
    assert pence_of(write(rows(*lines, head=TYPED.format(sign)))) == [500, -600, -700]


@pytest.mark.parametrize("sign", ["Sign", "Indicator"])
def test_signs_that_contradict_words_are_refused(write: Write, sign: str) -> None:
    lines = ("5.00,-,Purchase", "6.00,+,Refund", "7.00,+,Purchase", "8.00,-,Purchase")
    told = refusal(write(rows(*lines, head=TYPED.format(sign))))
    assert told.code == "direction_unclear"
    assert f"columns '{sign}' and 'Transaction Type' disagree" in told.what


def test_signs_that_are_all_alike_contradict_words_of_both_sides(write: Write) -> None:
    lines = ("5.00,+,Purchase", "6.00,+,Refund", "7.00,+,Purchase")
    path = write(rows(*lines, head=TYPED.format("Sign")))
    assert refusal(path).code == "direction_unclear"
    assert pence_of(path, f'{PROFILE}debit_credit = "Sign"\n') == [500, 600, 700]
    assert pence_of(path, f'{PROFILE}debit_credit = "Transaction Type"\n') == [500, -600, 700]


@pytest.mark.parametrize("heading", ["Card Type", "Type of card", "Account type"])
@pytest.mark.parametrize("sign", ["Sign", "Till"])
def test_what_a_card_is_says_nothing_of_what_it_paid(write: Write, heading: str, sign: str) -> None:
    lines = ("5.00,+,Credit", "6.00,+,Debit", "7.00,+,Debit")
    assert pence_of(write(rows(*lines, head=f"{HEAD},{sign},{heading}"))) == [500, 600, 700]


def test_letters_that_may_be_codes_leave_the_signs_in_force(write: Write) -> None:
    lines = ("5.00,+,S", "6.00,-,S", "7.00,+,H")
    assert pence_of(write(rows(*lines, head=f"{HEAD},Sign,VAT Code"))) == [500, -600, 700]


def test_a_type_with_a_strange_word_leaves_the_signs_in_force(write: Write) -> None:
    lines = ("5.00,+,Purchase", "6.00,-,Refund", "7.00,+,Fleet", "8.00,+,Purchase")
    assert pence_of(write(rows(*lines, head=TYPED.format("Sign")))) == [500, -600, 700, 800]


@pytest.mark.parametrize(("heading", "word"), [("DC", "C"), ("Dr/Cr", "Cr"), ("Sign", "Credit")])
def test_a_file_of_which_every_row_is_marked_credit_is_refused(
    write: Write, heading: str, word: str
) -> None:
    path = write(rows(*[f"{i}.50,{word}" for i in range(1, 5)], head=f"{HEAD},{heading}"))
    assert refusal(path).code == "direction_unclear"
    assert pence_of(path, f'{PROFILE}debit_credit = "{heading}"\n') == [-150, -250, -350, -450]


def test_a_file_of_which_every_row_is_marked_debit_is_read(write: Write) -> None:
    assert pence_of(write(rows("1.50,D", "2.50,D", "3.50,D", head=f"{HEAD},DC"))) == [150, 250, 350]


def test_codes_beside_amounts_without_signs_are_told_of(write: Write) -> None:
    path = write(rows("1.50,A", "2.50,B", "3.50,A", head=f"{HEAD},Tx"))
    assert "'Tx' has 2 codes that are not known" in notes_of(path)


# Totals and periods -------------------------------------------------------------------------------


def test_a_total_of_a_hundredth_says_that_amounts_are_pence(write: Write) -> None:
    text = rows("1250", "3333", "4999")
    path = write(f"{text},,Total,95.82\n")
    assert refusal(path).code == "amount_unclear"
    assert "pence" in refusal(path).what
    assert pence_of(write(f"{text},,Total,9582.00\n", "b.csv")) == [125000, 333300, 499900]
    assert "are rows missing" in notes_of(write(f"{text},,Total,95.83\n", "c.csv"))


def test_a_total_that_takes_refunds_off_refuses_them_without_a_minus(write: Write) -> None:
    text = rows("5.00", "6.00", "9.00").replace("S1", "REFUND - Shop")
    assert refusal(write(f"{text},,Total,8.00\n")).code == "direction_unclear"
    assert pence_of(write(f"{text},,Total,20.00\n", "b.csv")) == [500, 600, 900]
    assert "are rows missing" in notes_of(write(f"{text},,Total,9.00\n", "c.csv"))


LOW = f"{HEAD}\n10/02/2026,A,S,5.00\n10/04/2026,B,T,6.00\n10/05/2026,A,U,7.00\n"


@pytest.mark.parametrize(
    "line",
    [
        "Statement period: 1 October 2026 to 12 October 2026",
        "Period,01 Oct 2026,to,12 Oct 2026",
        "From 2026-10-01 to 2026-10-31",
        "10/01/2026 - 10/31/2026",
        "1-12 October 2026",
        "Purchasing card activity - October 2026",
    ],
)
def test_a_period_above_the_headings_decides_the_order_of_the_dates(
    write: Write, line: str
) -> None:
    statements, report = read(write(f"{line}\n\n{LOW}"))
    assert [str(day.date()) for day in statements.transactions["date"]] == [
        "2026-10-02",
        "2026-10-04",
        "2026-10-05",
    ]
    assert not any("no payment is of these days" in note for note in report.notes)


@pytest.mark.parametrize(
    "line",
    [
        "Exported 12 October 2026",
        "Printed October 2026",
        "Policy of 2026",
        "Closing date 12 October 2026",
        "10/01/2026 - 10/06/2026",
        "September 2026",
        "October 2026 and May 2026",
        "Year from January 2026 to December 2026",
    ],
)
def test_other_lines_above_the_headings_decide_no_order(write: Write, line: str) -> None:
    assert refusal(write(f"{line}\n\n{LOW}")).code == "date_order_unknown"


def test_payments_that_all_lie_outside_the_stated_period_are_told_of(write: Write) -> None:
    line = "Statement period: 1 September 2026 to 30 September 2026"
    path = write(f"{line}\n\n{rows('5.00', '6.00')}")
    assert pence_of(path) == [500, 600]
    assert "1 September 2026 to 30 September 2026, and no payment" in notes_of(path)
    path = write(f"{line}\n\n{rows('5.00', '6.00').replace('13/10', '30/09')}", "b.csv")
    assert "no payment is of these days" not in notes_of(path)


@pytest.mark.parametrize(
    ("days", "is_refused"),
    [
        (("24-10-25", "25-10-24", "24-10-24"), True),
        (("24/10/25", "24/11/25", "24/12/25"), True),
        (("15/10/25", "15/11/25", "15/12/25"), False),
        (("24/10/25", "25/10/25", "26/10/25"), False),
        (("24/10/25",), False),
    ],
)
def test_years_of_two_digits_that_may_stand_in_front_are_refused(
    write: Write, days: tuple[str, ...], *, is_refused: bool
) -> None:
    lines = "".join(f"{day},A,S{i},5.00\n" for i, day in enumerate(days))
    path = write(f"{HEAD}\n{lines}")
    if is_refused:
        assert refusal(path).code == "date_order_unknown"
        assert "state day-first" in refusal(path).what
    else:
        assert len(pence_of(path)) == len(days)


# Who paid -----------------------------------------------------------------------------------------


def test_another_cardholder_above_the_headings_is_told_of(write: Write) -> None:
    for name, is_told in (("Ann Roe", True), ("Roe, Bob", False), ("B DOE", False)):
        text = rows("5.00", "6.00").replace(",A,", ",Bob Doe,")
        text = text.replace("Bob Doe", "Bob Roe") if name == "Roe, Bob" else text
        path = write(f'"Cardholder: {name}"\n{text}')
        assert ("another cardholder" in notes_of(path)) == is_told
        assert len(set(holders_of(path))) == 1


SECTIONS = "Cardholder: Ann Roe{0}\n{1}Cardholder: Bob Doe{0}\n{2}"


@pytest.mark.parametrize("head", ["Date,Name,Amount", "Date,Name,Description,Amount"])
def test_a_name_below_labels_of_cardholders_is_the_merchant(write: Write, head: str) -> None:
    extra = ",for our visit" if "Description" in head else ""
    first = f"13/10/2026,Alpha Shop{extra},5.00\n14/10/2026,Beta Shop{extra},6.00\n"
    second = f"13/10/2026,Alpha Shop{extra},7.00\n"
    text = SECTIONS.format("," * head.count(","), first, second)
    statements, _ = read(write(f"{head}\n{text}"))
    assert statements.transactions["holder_id"].tolist() == ["Ann Roe", "Ann Roe", "Bob Doe"]
    assert statements.transactions["merchant"].tolist() == ["Alpha Shop", "Beta Shop", "Alpha Shop"]


def test_labels_of_cardholders_come_before_a_name_beside_the_merchant(write: Write) -> None:
    first, second = "13/10/2026,Paper,Alpha,5.00\n", "14/10/2026,Tea,Beta,6.00\n"
    text = SECTIONS.format(",,,", first, second)
    assert holders_of(write(f"Date,Name,Supplier,Amount\n{text}")) == ["Ann Roe", "Bob Doe"]


def test_one_label_beside_other_names_is_asked_about(write: Write) -> None:
    text = rows("5.00", "6.00", head="Date,Name,Merchant,Amount").replace(",A,", ",Bob Doe,")
    assert refusal(write(f"Cardholder: Ann Roe\n{text}")).code == "columns_unclear"
    text = text.replace("Bob Doe", "ROE A")
    assert holders_of(write(f"Cardholder: Ann Roe\n{text}", "b.csv")) == ["ROE A", "ROE A"]
    named = 'name = "ours"\n' + PROFILE.replace('"Cardholder"', '"Name"')
    path = write(f"Cardholder: Ann Roe\n{text.replace('ROE A', 'Bob Doe')}", "c.csv")
    statements, _ = read(path, named)
    assert statements.transactions["holder_id"].tolist() == ["Bob Doe", "Bob Doe"]


@pytest.mark.parametrize("cell", ["", "REDACTED", "N/A"])
def test_a_column_that_names_nobody_is_asked_about_and_another_taken(
    write: Write, cell: str
) -> None:
    text = rows("5.00", "6.00").replace(",A,", f",{cell},")
    told = refusal(write(text))
    assert told.code == "columns_unknown"
    assert "'Cardholder' names nobody" in told.what
    assert len(pence_of(write(text), f'holders = "none"\n{PROFILE}')) == 2
    head = "Date,Cardholder,Employee,Merchant,Amount"
    both = rows("5.00", "6.00", head=head).replace(",A,", f",{cell},Ann Roe,")
    assert holders_of(write(both, "b.csv")) == ["Ann Roe", "Ann Roe"]


def test_a_heading_without_rows_is_no_question_about_cardholders(write: Write) -> None:
    assert refusal(write(f"{HEAD}\n")).code == "no_transactions"
    assert refusal(write(f"{HEAD}\nNo payments this month,,,\n", "b.csv")).code == "no_transactions"


# Whole lists --------------------------------------------------------------------------------------


def test_lines_divided_by_another_mark_are_refused(write: Write) -> None:
    lines = ["13/10/2026;A;S;5.00", "14/10/2026,A,T,6.00", "15/10/2026;A;U;7.00"]
    path = write("\n".join([HEAD, *lines]) + "\n")
    assert refusal(path).code == "separators_differ"
    assert "2 lines hold" in refusal(path).what


@pytest.mark.parametrize(
    "note", ["Printed 01/11/2026, total payments 11.00", "Balance at, 01/11/2026, 11.00", "a;b;c;d"]
)
def test_a_note_with_a_day_and_an_amount_is_no_payment(write: Write, note: str) -> None:
    assert pence_of(write(f'{rows("5.00", "6.00")}"{note}",,,\n')) == [500, 600]


@pytest.mark.parametrize("method", ["BACS", "Cheque", "Faster Payment", "Direct Debit"])
def test_payments_that_a_bank_made_are_refused(write: Write, method: str) -> None:
    lines = ("5.00,Procurement Card", f"6.00,{method}", "7.00,Procurement Card")
    told = refusal(write(rows(*lines, head=f"{HEAD},Payment Method")))
    assert told.code == "account_entries"
    assert "1 of 3 payments was made" in told.what
    assert len(pence_of(write(rows(*lines, head=f"{HEAD},Refund Method"), "b.csv"))) == 3


def test_a_ledger_with_both_sides_of_a_refund_too_is_refused(write: Write) -> None:
    lines = [
        f"{13 + i}/10/2026,{account},A,S{i},{sides}"
        for i, is_refund in enumerate([False, True, False])
        for account, sides in (
            ("4410 Supplies", f",{i + 5}.50" if is_refund else f"{i + 5}.50,"),
            ("2105 Card control", f"{i + 5}.50," if is_refund else f",{i + 5}.50"),
        )
    ]
    head = "Date,Account,Cardholder,Merchant,Debit,Credit"
    assert refusal(write("\n".join([head, *lines]) + "\n")).code == "account_entries"


def test_payments_taken_back_under_their_own_code_are_no_ledger(write: Write) -> None:
    lines = [
        f"{13 + i}/10/2026,{code},A,S{i},{sign}{i + 5}.50"
        for i, code in enumerate(["4410", "4420"])
        for sign in ("", "-")
    ]
    path = write("\n".join(["Date,Cost Code,Cardholder,Merchant,Amount", *lines]) + "\n")
    assert pence_of(path) == [550, -550, 650, -650]


def test_payments_equal_in_every_cell_are_told_of(write: Write) -> None:
    line = "13/10/2026,A,S,5.00"
    path = write(f"{HEAD},Reference\n{line},1\n{line},1\n{line},2\n14/10/2026,A,S,6.00,3\n")
    assert "1 payment is the same as another in every cell" in notes_of(path)
    path = write(f"{HEAD},Reference\n{line},1\n{line},2\n{line},3\n", "b.csv")
    assert "every cell" not in notes_of(path)


def test_a_last_amount_without_pence_or_line_end_is_told_of(write: Write) -> None:
    text = rows(*[f"{i}.51" for i in range(1, 8)], "37").rstrip("\n")
    assert "If it was cut off there" in notes_of(write(text))
    assert "cut off" not in notes_of(write(f"{text}\n", "b.csv"))
    assert "cut off" not in notes_of(write(rows("5.51", "6.51", "37").rstrip("\n"), "c.csv"))


def test_a_sheet_in_pence_beside_one_in_pounds_is_refused(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    second = book.create_sheet("B")
    for sheet, amount in ((book.active, "Amount"), (second, "Amount (p)")):
        sheet.append(["Date", "Cardholder", "Merchant", amount])
        for i in range(4):
            sheet.append([f"{13 + i}/10/2026", "A", f"S{i}", 500 + i])
    book.save(tmp_path / "a.xlsx")
    assert refusal(tmp_path / "a.xlsx").code == "sheets_differ"


# States and headings ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "is_posted"),
    [
        ("Approved by manager", True),
        ("Authorisation failed", False),
        ("DECLINED - insufficient limit", False),
        ("Payment reversed", False),
    ],
)
def test_states_of_several_words_are_known(write: Write, state: str, *, is_posted: bool) -> None:
    lines = ("5.00,Settled", f"6.00,{state}", "7.00,Declined")
    _, report = read(write(rows(*lines, head=f"{HEAD},State")))
    assert report.transactions == 1 + is_posted


@pytest.mark.parametrize("state", ["Not declined", "Never reversed", "Flagged by manager"])
def test_states_that_say_neither_are_asked_about(write: Write, state: str) -> None:
    path = write(rows("5.00,Settled", f"6.00,{state}", "7.00,Declined", head=f"{HEAD},State"))
    assert refusal(path).code == "status_unclear"
    assert "1 word that is not known" in refusal(path).what


@pytest.mark.parametrize(
    ("headings", "cells", "pence"),
    [
        ("Approved Amount", "5.00", 500),
        ("Approved Amount (reporting currency)", "5.00", 500),
        ("Expense Amount (reporting currency)", "5.00", 500),
        ("Base Amount", "5.00", 500),
        ("VALDOC", "5.00", 500),
        ("P-Card Amount", "5.00", 500),
        ("Amount (p)", "500", 500),
        ("Authorised limit £,Estimate £,Actual charged £", "900.00,6.00,5.00", 500),
        ("Budget £,Actual £", "900.00,5.00", 500),
        ("Approved Amount,Amount", "4.00,5.00", 500),
        (
            "Expense Amount (transaction currency),Expense Amount (reporting currency)",
            "9.00,5.00",
            500,
        ),
    ],
)
def test_amounts_under_further_headings_are_read(
    write: Write, headings: str, cells: str, pence: int
) -> None:
    path = write(f"Date,Cardholder,Merchant,{headings}\n13/10/2026,A,S,{cells}\n")
    assert pence_of(path) == [pence]


@pytest.mark.parametrize("headings", ["Base Amount,VAT", "Approved limit £", "Amount currency"])
def test_columns_that_may_be_no_amounts_paid_are_asked_about(write: Write, headings: str) -> None:
    cells = ",".join(["5.00"] * (headings.count(",") + 1))
    path = write(f"Date,Cardholder,Merchant,{headings}\n13/10/2026,A,S,{cells}\n")
    assert refusal(path).code == "columns_unknown"


def test_amounts_that_were_approved_are_told_of(write: Write) -> None:
    path = write("Date,Cardholder,Merchant,Approved Amount\n13/10/2026,A,S,5.00\n")
    assert "may be less than what was paid" in notes_of(path)


@pytest.mark.parametrize(
    "heading", ["Transaction Time", "Effective Date", "DOCDATE", "Date and time"]
)
def test_days_under_further_headings_are_read(write: Write, heading: str) -> None:
    days = "2026-10-13T09:30:00" if "ime" in heading else "2026-10-13"
    path = write(f"{heading},Member Name,Merchant,Amount\n{days},A,S,5.00\n")
    assert pence_of(path) == [500]
    path = write(
        f"Date,{heading},Member Name,Merchant,Amount\n14/10/2026,{days},A,S,5.00\n", "b.csv"
    )
    statements, _ = read(path)
    assert str(statements.transactions["date"][0].date()) == "2026-10-14"


def test_a_banks_own_entries_are_no_purposes(write: Write) -> None:
    texts = [
        "TOLLIVER TAXIS",
        "ANNUAL CARD FEE",
        "NON-STERLING TRANSACTION FEE",
        "INTEREST CHARGED",
    ]
    lines = "".join(f"{13 + i}/10/2026,A,{text},5.00\n" for i, text in enumerate(texts))
    path = write(f"Date,Cardholder,Description,Amount\n{lines}")
    assert pence_of(path) == [500] * 4
    purposes = lines.replace("TOLLIVER TAXIS", "paper for our training")
    path = write(f"Date,Cardholder,Description,Amount\n{purposes}", "b.csv")
    assert refusal(path).code == "columns_unknown"


def test_lines_that_are_one_cell_each_are_called_so(write: Write) -> None:
    lines = [HEAD, "13/10/2026,A,S,5.00", "14/10/2026,A,T,6.00"]
    path = write("".join(f'"{line}"\n' for line in lines))
    assert "quotation marks around whole lines" in refusal(path).what
    path = write("\n".join(lines[1:]) + "\n", "b.csv")
    assert "looks like a payment" in refusal(path).what


# What was read before, and is read so still -----------------------------------------------------


def test_what_was_charged_is_no_amount_beside_one_that_is_called_so(write: Write) -> None:
    lines = "".join(f"{13 + i}/10/2026,A,S{i},5.00,0.00\n" for i in range(3))
    path = write(f"Date,Cardholder,Merchant,Amount,Paid £\n{lines}")
    assert pence_of(path) == [500] * 3


@pytest.mark.parametrize(
    ("heading", "cell"),
    [
        ("Transaction Time", "09:30"),
        ("Purchase Time", "9:30:01 pm"),
        ("Effective Date", "1/4/2026"),
    ],
)
def test_days_of_posting_are_taken_beside_times_or_effective_days(
    write: Write, heading: str, cell: str
) -> None:
    lines = "".join(f"{13 + i}/10/2026,{cell},A,S{i},5.00\n" for i in range(3))
    statements, _ = read(write(f"Posting Date,{heading},Cardholder,Merchant,Amount\n{lines}"))
    assert [day.day for day in statements.transactions["date"]] == [13, 14, 15]


def test_a_time_beside_days_of_a_document_leaves_these(write: Write) -> None:
    lines = "".join(f"09:3{i},{13 + i}/10/2026,A,S{i},5.00\n" for i in range(3))
    path = write(f"Transaction Time,Document Date,Cardholder,Merchant,Amount\n{lines}")
    assert pence_of(path) == [500] * 3


def test_a_direct_debit_that_settles_the_account_is_no_payment_by_bank(write: Write) -> None:
    head = f"{HEAD},Payment Method"
    lines = ("5.00,Card", "6.00,Card", "-11.00,Direct Debit")
    assert pence_of(write(rows(*lines, head=head))) == [500, 600, -1100]
    lines = ("5.00,Card", "6.00,Card", "11.00,Direct Debit")
    assert refusal(write(rows(*lines, head=head), "b.csv")).code == "account_entries"
    lines = ("-5.00,Card", "-6.00,Card", "-11.00,Direct Debit")
    assert refusal(write(rows(*lines, head=head), "c.csv")).code == "account_entries"


@pytest.mark.parametrize(
    "title", ["Marketing 2026", "Marshals 2026", "Year ended March 2026", "Year to March 2026",
              "Policy approved March 2026"]
)  # fmt: skip
def test_a_line_that_names_no_month_of_payments_decides_no_order(write: Write, title: str) -> None:
    path = write(f"{title}\n{HEAD}\n03/02/2026,A,S,5.00\n03/03/2026,A,T,6.00\n")
    assert refusal(path).code == "date_order_unknown"
    later = write(f"{title}\n{HEAD}\n23/04/2026,A,S,5.00\n", "b.csv")
    assert "a line above the headings says" not in notes_of(later)


@pytest.mark.parametrize(
    "title",
    ["March 2026", "Sept 2026", "Financial year 2026/27: Mar 2026", "Paid by card Mar 2026"],
)
def test_a_line_that_names_a_month_is_compared_with_the_payments(write: Write, title: str) -> None:
    path = write(f"{title}\n{HEAD}\n23/04/2026,A,S,5.00\n")
    assert "a line above the headings says" in notes_of(path)


def test_short_dates_that_are_the_same_either_way_are_read(write: Write) -> None:
    path = write(f"{HEAD}\n26/09/26,A,S,5.00\n26/10/26,A,T,6.00\n")
    assert pence_of(path) == [500, 600]
    path = write(f"{HEAD}\n25/09/26,A,S,5.00\n25/10/26,A,T,6.00\n", "b.csv")
    assert refusal(path).code == "date_order_unknown"


def test_a_kind_of_card_that_may_be_a_side_is_told_of(write: Write) -> None:
    head = f"{HEAD},Account Type"
    path = write(rows("5.00,Debit", "6.00,Credit", "7.00,Debit", head=head))
    assert "'Account Type' is taken for the kind of card" in notes_of(path)
    assert pence_of(path, f'{PROFILE}debit_credit = "Account Type"\n') == [500, -600, 700]
    signed = write(rows("5.00,Debit", "-6.00,Credit", "7.00,Debit", head=head), "b.csv")
    assert "kind of card" not in notes_of(signed)


@pytest.mark.parametrize(
    "line",
    ["Cardholder Statement,October 2026", "Cardholder Statement - Corporate Card",
     "Cardholder Statement: Corporate Card"],
)  # fmt: skip
def test_the_title_of_a_cardholders_statement_names_no_cardholder(write: Write, line: str) -> None:
    body = "Date,Merchant,Amount\n13/10/2026,S,5.00\n"
    assert refusal(write(f"{line}\n{body}")).code == "columns_unknown"
    assert holders_of(write(f"{line}\nCardholder,Ann Roe\n{body}", "b.csv")) == ["Ann Roe"]
    named = f"{line}\n{HEAD}\n13/10/2026,Ann Roe,S,5.00\n"
    assert "names another cardholder" not in notes_of(write(named, "c.csv"))


def test_amounts_with_decimals_are_no_pence_whatever_a_total_says(write: Write) -> None:
    text = rows("60.00", "40.00")
    path = write(f"{text}Total transactions,,,1\n")
    assert pence_of(path) == [6_000, 4_000]
    assert "are rows missing" in notes_of(path)


def test_initials_of_who_paid_are_no_direct_debit(write: Write) -> None:
    lines = ("5.00,DD", "6.00,SO", "7.00,AR")
    assert pence_of(write(rows(*lines, head=f"{HEAD},Paid by"))) == [500, 600, 700]
    path = write(rows("5.00,DD", "6.00,Card", head=f"{HEAD},Payment method"), "b.csv")
    assert refusal(path).code == "account_entries"
    path = write(rows("5.00,Cheque", "6.00,Card", head=f"{HEAD},Paid by"), "c.csv")
    assert refusal(path).code == "account_entries"


@pytest.mark.parametrize("heading", ["Card Type", "Product", "Account Category"])
def test_purchase_and_refund_are_no_kinds_of_cards_under_any_heading(
    write: Write, heading: str
) -> None:
    path = write(rows("5.00,Purchase", "6.00,Refund", "7.00,Purchase", head=f"{HEAD},{heading}"))
    assert pence_of(path) == [500, -600, 700]


@pytest.mark.parametrize("label", ["ROE/ANN MS", "E1234", "Roe, Ann"])
def test_a_label_that_may_be_who_stands_under_name_contradicts_nobody(
    write: Write, label: str
) -> None:
    body = "Date,Name,Merchant,Amount\n13/10/2026,Ann Roe,S,5.00\n"
    assert holders_of(write(f'"Cardholder: {label}"\n{body}')) == ["Ann Roe"]
