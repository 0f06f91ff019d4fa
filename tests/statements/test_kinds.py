"""Kinds of misreading that made-up exports showed, each read right, refused or told of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from one_file import read, refusal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., Path]

HEAD = "Date,Cardholder,Merchant,Amount"


def pence_of(path: Path) -> list[int]:
    statements, _ = read(path)
    return statements.transactions["amount_pence"].tolist()


def days_of(path: Path) -> list[str]:
    statements, _ = read(path)
    return [str(day.date()) for day in statements.transactions["date"]]


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


def test_days_over_a_whole_year_are_read_whatever_their_order_would_be(write: Write) -> None:
    path = write(turned("10/01", "10/02", "10/05", "13/01", "30/10"))
    assert days_of(path)[0] == "2026-01-10"


@pytest.mark.parametrize("time", ["23:00", "23:00:00", "11:00 PM"])
def test_midnights_of_utc_are_told_of_in_every_spelling(write: Write, time: str) -> None:
    _, report = read(write(turned("12/06", "13/06").replace("/2026", f"/2026 {time}")))
    assert any("one too early" in note for note in report.notes)


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


def test_the_same_amounts_with_their_signs_say_which_are_refunds(write: Write) -> None:
    rows = ("5.00,5.00", "6.00,6.00", "7.00,-7.00")
    assert pence_of(write(signed(*rows, heading="Signed Amount"))) == [500, 600, -700]
    rows = ("5.00,5.00", "6.00,6.50", "7.00,-7.00")
    assert pence_of(write(signed(*rows, heading="Signed Amount"), "b.csv")) == [500, 600, 700]


def test_a_mark_of_credit_in_the_row_below_is_refused(write: Write) -> None:
    path = write(f"{HEAD}\n13/10/2026,A,S,5.00\n14/10/2026,A,S,6.00\n,,,CR\n15/10/2026,A,T,7.00\n")
    assert refusal(path).code == "direction_unclear"


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
    path = write("\n".join(["Date,Name,Merchant,Amount", *lines]).replace(",Shop", ",B", 1) + "\n")
    assert refusal(path).code == "columns_unknown"


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


def test_what_an_issuer_answered_to_a_refused_payment_is_known(write: Write) -> None:
    rows = "13/10/2026,A,S,1.50,Approved\n14/10/2026,A,T,900.00,Insufficient funds\n"
    _, report = read(write(f"{HEAD},Response\n{rows}"))
    assert (report.transactions, report.not_booked) == (1, 1)
