"""Marks in cells and headings, and lines that say what is missing: read, refused, or told of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from one_file import notes_of, pence_of, read, refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]

HEAD = "Date,Cardholder,Merchant,Amount"


def rows(*lines: str, head: str = HEAD) -> str:
    body = [f"{13 + i}/10/2026,A Roe,S{i},{line}" for i, line in enumerate(lines)]
    return "\n".join([head, *body]) + "\n"


def days_of(path: Path, *profiles: str) -> list[str]:
    days = read(path, *profiles)[0].transactions["date"]
    return sorted({str(day.date()) for day in days})


# Amounts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("printed", "pence"),
    [
        ("193.\u2013", 19_300), ("193.-", 19_300), ("193.--", 19_300), ("193-", -19_300),
        ("193.00-", -19_300), ("1193.\u2014", 119_300), ("\u00ad78.41", -7_841), ("99p", 99),
        ("145p", 145), ("12.50 pounds", 1_250), ("Sterling -4.10", -410), ("1 pound", 100),
    ],
)  # fmt: skip
def test_marks_in_an_amount_are_read_as_people_mean_them(
    write: Write, printed: str, pence: int
) -> None:
    assert pence_of(write(rows("5.00", printed, "7.00", "8.00"))) == [500, pence, 700, 800]


def test_a_dash_for_no_pence_is_read_with_a_decimal_comma_too(write: Write) -> None:
    amounts = ["5,10", "193,-", "7,00"]
    lines = [f"{13 + i}/10/2026;A Roe;S;{amount}" for i, amount in enumerate(amounts)]
    body = "\n".join([HEAD.replace(",", ";"), *lines])
    assert pence_of(write(body + "\n")) == [510, 19_300, 700]


def test_a_capital_p_after_an_amount_is_a_code_and_no_pence(write: Write) -> None:
    _, report = read(write(rows("5.00", "6 P", "7.00")))
    assert [problem.code for problem in report.problems] == ["bad_amount"]


def test_a_soft_hyphen_within_an_amount_is_no_amount(write: Write) -> None:
    _, report = read(write(rows("5.00", "1\u00ad200.00", "7.00")))
    assert [problem.code for problem in report.problems] == ["bad_amount"]


def test_some_amounts_with_a_plus_are_told_of(write: Write) -> None:
    assert "1 amount has a plus" in notes_of(write(rows("5.00", "+6.00", "7.00")))
    assert "plus" not in notes_of(write(rows("+5.00", "+6.00", "+7.00"), "b.csv"))
    assert "plus" not in notes_of(write(rows("+5.00", "-6.00", "7.00"), "c.csv"))


def test_a_second_amount_without_a_space_is_a_second_amount(write: Write) -> None:
    head = f"{HEAD},Amount2"
    assert refusal(write(rows("5.00,5.00", "6.00,6.17", head=head))).code == "amount_unclear"
    assert pence_of(write(rows("5.00,5.00", "6.00,6.00", head=head), "b.csv")) == [500, 600]


def test_what_an_amount_includes_is_no_other_amount(write: Write) -> None:
    head = HEAD.removesuffix("Amount")
    head += 'Original amount,Original currency,"Billing amount (GBP, incl. fee)",Fee'
    assert pence_of(write(rows("6000,JPY,31.90,0.95", "700,JPY,4.10,0.12", head=head))) == [
        3190,
        410,
    ]
    fees = f"{HEAD},Total fee"
    assert pence_of(write(rows("5.00,0.10", "6.00,0.20", head=fees), "b.csv")) == [500, 600]


def test_fractions_of_a_penny_in_the_net_amount_say_nothing_of_the_gross(write: Write) -> None:
    head = "Date,Cardholder,Merchant,Net,VAT,Gross"
    lines = ["296.6500,59.3300,355.9800", "223.3167,44.6633,267.9800", "111.4917,22.2983,133.7900"]
    path = write(rows(*lines, head=head))
    assert pence_of(path) == [35_598, 26_798, 13_379]
    assert "whole numbers" not in notes_of(path)


@pytest.mark.parametrize("heading", ["Refund", "Less Refund", "Refunded"])
def test_refunds_in_a_column_of_their_own_are_taken_off(write: Write, heading: str) -> None:
    head = f"Date,Cardholder,Merchant,Spend,{heading}"
    assert pence_of(write(rows("5.00,", ",6.00", "7.00,", head=head))) == [500, -600, 700]


def test_a_column_of_refunds_that_says_yes_is_a_mark(write: Write) -> None:
    head = f"{HEAD},Refund"
    assert pence_of(write(rows("5.00,N", "6.00,Y", "7.00,N", head=head))) == [500, -600, 700]


def test_a_refund_that_was_taken_back_is_a_charge(write: Write) -> None:
    head = f"{HEAD},Type"
    lines = ["5.00,Sale", "6.00,Refund", "6.00,Refund Reversal", "7.00,Credit Voucher"]
    assert pence_of(write(rows(*lines, head=head))) == [500, -600, 600, -700]


def test_a_balance_owed_that_falls_after_an_amount_without_sign_is_asked_about(
    write: Write,
) -> None:
    head = f"{HEAD},Balance owed"
    lines = ["340.00,1540.00", "345.00,1885.00", "62.00,1823.00", "110.00,1933.00"]
    assert refusal(write(rows(*lines, head=head))).code == "direction_unclear"


def test_a_payment_of_the_bill_that_was_returned_is_no_purchase(write: Write) -> None:
    text = rows("500.00", "-800.00", "800.00", "7.00").replace("S1", "DIRECT DEBIT PAYMENT")
    path = write(text.replace("S2", "DIRECT DEBIT RETURNED UNPAID"))
    kinds = read(path)[0].transactions["kind"].tolist()
    assert kinds == ["purchase", "payment", "adjustment", "purchase"]


# Days ---------------------------------------------------------------------------------------------


def test_days_as_people_mistype_them_are_read(write: Write) -> None:
    days = [
        "13/10/2026",
        "14 / 10 / 2026",
        "15//10/2026",
        "16/10/2026.",
        "17--10-2026",
        "18 Oct '26",
    ]
    body = "\n".join(f"{day},A Roe,S,5.00" for day in days)
    assert days_of(write(f"{HEAD}\n{body}\n")) == [f"2026-10-{day}" for day in range(13, 19)]


def test_days_with_their_time_in_figures_alone_are_read(write: Write) -> None:
    body = "20261013143000,A Roe,S,5.00\n20261014000001,A Roe,T,6.00\n"
    path = write(f"{HEAD.replace('Date', 'Stamp')}\n{body}")
    assert days_of(path) == ["2026-10-13", "2026-10-14"]


def test_days_of_the_week_decide_the_order(write: Write) -> None:
    body = "Thu 02/10/25,A Roe,S,5.00\nSun 12/10/25,A Roe,T,6.00\n"
    assert days_of(write(f"{HEAD}\n{body}")) == ["2025-10-02", "2025-10-12"]
    wrong = body.replace("Thu", "Fri")
    assert refusal(write(f"{HEAD}\n{wrong}", "b.csv")).code == "date_order_unknown"


@pytest.mark.parametrize(
    ("heading", "days"),
    [
        ("Transaction Date (MM/DD/YYYY)", ["2026-05-01", "2026-05-02"]),
        ("Date (dd/mm/yyyy hh:mm)", ["2026-01-05", "2026-02-05"]),
        ("Date (HH:MM DD/MM/YYYY)", ["2026-01-05", "2026-02-05"]),
    ],
)
def test_a_heading_states_the_order_of_its_dates(
    write: Write, heading: str, days: list[str]
) -> None:
    body = "05/01/2026,A Roe,S,5.00\n05/02/2026,A Roe,T,6.00\n"
    assert days_of(write(f"{HEAD.replace('Date', heading)}\n{body}")) == days


def test_dates_beat_a_heading_that_states_another_order(write: Write) -> None:
    head = HEAD.replace("Date", "Date (MM/DD/YYYY)")
    assert days_of(write(rows("5.00", head=head))) == ["2026-10-13"]


def test_days_under_posted_are_days_of_posting(write: Write) -> None:
    body = "01/03/2026,2026-03-02,A Roe,S,5.00\n06/04/2026,2026-04-07,A Roe,T,6.00\n"
    head = HEAD.replace("Date", "Date,Posted")
    assert days_of(write(f"{head}\n{body}")) == ["2026-03-01", "2026-04-06"]


@pytest.mark.parametrize(("year", "first"), [("1900", "2025-10-03"), ("1904", "2029-10-04")])
def test_a_person_states_from_which_year_day_numbers_count(
    write: Write, year: str, first: str
) -> None:
    path = write(f"{HEAD}\n45933,A Roe,S,5.00\n45935,A Roe,T,6.00\n")
    told = refusal(path)
    assert told.code == "date_order_unknown"
    assert "from 1900 they are of 2025, from 1904 of 2029" in str(told)
    profile = "[columns]\n" + "".join(f'{h.lower()} = "{h}"\n' for h in HEAD.split(","))
    assert days_of(path, f'day_numbers = "{year}"\n{profile}')[0] == first


def test_joined_exports_with_days_and_months_the_other_way_round_are_refused(
    write: Write,
) -> None:
    american = "04/08/2026,A Roe,S,5.00\n04/15/2026,A Roe,T,6.00\n04/20/2026,A Roe,U,7.00\n"
    british = "".join(f"{day},A Roe,V,8.00\n" for day in ("01/04/2026", "06/04/2026", "10/04/2026"))
    joined = f"{HEAD}\n{american}{HEAD}\n{british}"
    assert refusal(write(joined)).code == "dates_flipped"
    near = "".join(f"04/{day}/2026,A Roe,V,8.00\n" for day in ("01", "06", "10"))
    assert len(days_of(write(f"{HEAD}\n{american}{HEAD}\n{near}", "b.csv"))) == 6


def test_one_day_for_all_where_only_the_bill_has_one_is_told_of(write: Write) -> None:
    line = "30/09/2026,A Roe,S{},{}.50"
    body = "\n".join(line.format(i, i + 1) for i in range(6))
    billed = write(f"{HEAD.replace('Date', 'Statement Date')}\n{body}\n")
    assert "no column has the days of the purchases" in notes_of(billed)
    assert "days of the purchases" not in notes_of(write(f"{HEAD}\n{body}\n", "b.csv"))


# Rows and lines -----------------------------------------------------------------------------------


def test_payments_above_the_headings_are_refused(write: Write) -> None:
    head, *body = rows("5.00", "6.00", "7.00").strip().split("\n")
    told = refusal(write("\n".join([*body[:2], head, body[2]]) + "\n"))
    assert told.code == "no_headings"
    assert "2 payments stand above" in str(told)
    for above in (
        "Statement date,30/10/2026,Balance due,2014.39",
        "01/10/2026,A Roe,Opening balance,2014.39",
        "01/11/2026,Run by B Poe,09.15",
    ):
        assert pence_of(write("\n".join([above, head, *body]) + "\n", "b.csv")) == [500, 600, 700]


def test_payments_above_the_headings_are_refused_though_they_have_empty_cells(
    write: Write,
) -> None:
    head, *body = rows("5.00,", "6.00,", "7.00,x", head=f"{HEAD},Notes").strip().split("\n")
    told = refusal(write("\n".join([*body[:2], head, body[2]]) + "\n"))
    assert "2 payments stand above" in str(told)


def test_missing_and_repeated_pages_are_told_of(write: Write) -> None:
    def paged(*numbers: int) -> str:
        return "".join(f"Page {n} of 3,,,\n{rows(f'{n}.50', f'{n}.75')}" for n in numbers)

    assert "page 2 is missing" in notes_of(write(paged(1, 3)))
    assert "page 2 stands there more than once" in notes_of(write(paged(1, 2, 2, 3), "b.csv"))
    assert "page" not in notes_of(write(paged(1, 2, 3), "c.csv"))


@pytest.mark.parametrize(
    ("line", "is_told"),
    [
        ("Only the first 2 of 31 rows are shown", True),
        ("Showing 1 to 25 of 1,204 entries", True),
        ("This list was truncated", True),
        ("Further transactions are not shown", True),
        ("Showing 1 to 25 of 25 entries", False),
        ("First 3 of the year", False),
        ("Card numbers in this report are truncated", False),
        ("Report limited to the first quarter", False),
    ],
)
def test_a_line_that_says_that_rows_are_left_out_is_told_of(
    write: Write, line: str, *, is_told: bool
) -> None:
    path = write(f'{rows("5.00", "6.00")}\n"{line}",,,\n')
    assert ("rows are left out" in notes_of(path)) is is_told


def test_joined_pages_that_together_show_every_row_leave_none_out(write: Write) -> None:
    def paged(*shown: str) -> str:
        return "".join(f"Showing {part} of 4,,,\n{rows('5.00', '6.00')}" for part in shown)

    assert "left out" not in notes_of(write(paged("1 to 2", "3 to 4")))
    assert "left out" in notes_of(write(paged("1 to 2", "4 to 4"), "b.csv"))
    assert "left out" in notes_of(write(paged("1 to 2", "1 to 2"), "c.csv"))
    many = "".join(f"Showing {n} to {n} of 30,,,\n{rows(f'{n}.50')}" for n in range(1, 31))
    assert "left out" not in notes_of(write(many, "d.csv"))
    figures = f"Showing 1 to {'9' * 5000} of {'9' * 5001},,,\n{rows('5.00', '6.00')}"
    assert pence_of(write(figures, "e.csv")) == [500, 600]


@pytest.mark.parametrize(
    ("legend", "is_told"),
    [
        ("Key: F = forecast; A = actual", True),
        ("A = actual F = forecast", True),
        ("A=actual/F=forecast", True),
        ("F = forecast that was not approved", True),
        ("A = forecast F = actual", False),
        ("F = not cancelled", False),
        ("F = not a forecast", False),
    ],
)
def test_a_legend_is_read_however_its_marks_are_parted(
    write: Write, legend: str, *, is_told: bool
) -> None:
    path = write(f'{rows("5.00,", "6.00,F", head=f"{HEAD},A/F")}"{legend}",,,,\n')
    assert ("line of text explains" in notes_of(path)) is is_told


def test_a_mark_that_a_line_explains_as_no_payment_is_told_of(write: Write) -> None:
    text = rows("5.00,A", "6.00,F", "7.00,F", head=f"{HEAD},A/F")
    legend = '"A = actual, F = forecast commitment",,,,\n'
    assert "2 payments are counted though 'A/F'" in notes_of(write(text + legend))
    harmless = '"A = card, F = fuel card",,,,\n'
    assert "line of text explains" not in notes_of(write(text + harmless, "b.csv"))


def test_a_list_of_people_fills_no_payments_below_it(tmp_path: Path) -> None:
    people = [
        {"holder": "A Roe", "last4": "3227"}, {"holder": "B Poe", "last4": "3946"},
    ]  # fmt: skip
    paid = [
        {"last4": last, "date": f"2026-10-{day}", "merchant": "S", "amount": 5.5}
        for day, last in [(13, "3227"), (14, "3946"), (15, "3227")]
    ]
    path = tmp_path / "a.json"
    path.write_text("\n".join(map(json.dumps, [*people, *paid])))
    holders = read(path)[0].transactions["holder_id"].tolist()
    assert holders == ["card ending 3227", "card ending 3946", "card ending 3227"]


def test_few_payments_that_are_equal_are_told_of_by_their_rows(write: Write) -> None:
    many = [f"{13 + i % 9}/10/2026,A Roe,S{i},{i}.50" for i in range(90)]
    twice = write("\n".join([HEAD, *many, many[7]]) + "\n")
    assert "another in every cell, and counted (row 92)" in notes_of(twice)
    ordinary = write("\n".join([HEAD, *many, *many[:80:10]]) + "\n", "b.csv")
    assert "every cell" not in notes_of(ordinary)


def test_a_title_that_names_another_person_than_every_row_is_told_of(write: Write) -> None:
    text = rows("5.00", "6.00")
    other = "names another cardholder"
    assert other in notes_of(write(f"Cardholder statement: Orla Quenby\n\n{text}"))
    for i, title in enumerate(["Corporate Card", "October 2026", "A Roe", "Example Police"]):
        path = write(f"Cardholder statement: {title}\n\n{text}", f"{i}.csv")
        assert other not in notes_of(path)


def test_cells_in_single_quotation_marks_are_parted_by_the_commas_between(write: Write) -> None:
    text = (
        "'Date','Cardholder','Merchant','Amount'\n"
        "'13/10/2026','A Roe','Shop, York','5.00'\n'14/10/2026','B Poe','Inn','-6.00'\n"
    )
    statements, _ = read(write(text))
    assert statements.transactions["merchant"].tolist() == ["Shop, York", "Inn"]
    assert statements.transactions["amount_pence"].tolist() == [500, -600]
