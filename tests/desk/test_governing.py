"""The quarterly report: figures that can be counted by hand, no name, and nothing of psd's lane."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from books import EQUAL, NOW, SPLIT, month, needs_pdf

from cardwatch import desk
from cardwatch.casebook import Actor
from cardwatch.casebook.alerts import Said
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.reports import pdf_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.reports import Document

    At = Callable[..., desk.Desk]
    Read = Callable[..., Any]


def _words(made: Document) -> str:
    return repr(made.sections)


def _table(made: Document, caption: str) -> list[tuple[str, ...]]:
    return next(
        list(table.rows)
        for one in made.sections
        for table in one.tables
        if table.caption == caption
    )


@pytest.fixture
def report(at: At, read: Read) -> Callable[..., Document]:
    """Give the report on the quarter of a casebook with one alert of each lane."""
    desk.receive(at(), read(*month(9)), is_history=True)
    desk.receive(at(), read(*month(10), *SPLIT, *EQUAL, "2026-10-20,E2,SHOP 1,-3.50,C1"))
    return lambda role="finance", quarter="2026-Q4": desk.report_governance(
        at(role), quarter, marking="OFFICIAL"
    )


def test_figures_are_those_of_the_payments(report: Callable[..., Document], at: At) -> None:
    made = report()
    rows = desk.list_statements(at())
    pence = rows[1]["pence"]
    ((name, payments, spent, cards, holders, small, _),) = _table(made, "Payments by month")
    assert (name, spent) == ("Oct 2026", f"£{pence / 100:,.2f}")
    assert int(payments) == rows[1]["transactions"] - 1  # a refund is no payment
    assert (cards, small) == ("0", payments)
    assert int(holders) >= 4
    steps = _table(made, "Merchants over each sum")
    assert [row[1] for row in steps] == ["0"] * 5
    kinds = _table(made, "Questions by kind")
    assert sum(int(row[1]) for row in kinds) == len(desk.list_alerts(at(), state="open"))
    assert "Nothing has been answered yet." in _words(made)
    assert "have no merchant category" in _words(made)
    assert "days of the time lie in no statement" in _words(made)


def test_small_payments_that_come_to_more_than_a_sum_are_counted(at: At, read: Read) -> None:
    small = [f"2026-10-{day:02},E{day % 4},NEW FIRM,900.00,N{day}" for day in range(1, 13)]
    large = ["2026-10-05,E1,OLD FIRM,30000.00,L1"]
    desk.receive(at(), read(*month(9), *small, *large))
    made = desk.report_governance(at(), "2026-Q4", marking="OFFICIAL")
    steps = {row[0]: row for row in _table(made, "Merchants over each sum")}
    assert steps["£5,000"] == ("£5,000", "2", "£40,800.00", "1", "1")
    assert steps["£10,000"] == ("£10,000", "2", "£40,800.00", "1", "1")
    assert steps["£25,000"] == ("£25,000", "1", "£30,000.00", "0", "0")


def test_nobody_is_named_and_answers_are_timed(report: Callable[..., Document], at: At) -> None:
    for one in desk.list_alerts(at()):
        desk.decide(at(), one["alert_id"], Said("two sites", "policy-breach"))
    made = report()
    told = _words(made)
    for name in ("E0", "E1", "E2", "E3", "NEW FIRM", "SHOP"):
        assert name not in told
    assert "took 0 days or less" in told
    assert _table(made, "Share of questions upheld, by rule")[0][3] == "1"


def test_nothing_of_the_other_lane_is_in_it_whoever_makes_it(
    report: Callable[..., Document], at: At
) -> None:
    before = report()
    for one in desk.list_alerts(at("psd"), lane="psd"):
        desk.decide(at("psd"), one["alert_id"], Said("so", "confirmed"))
    assert report() == before == report("psd") == report("auditor")
    with pytest.raises(NotAllowed):
        report("admin")


def test_questions_about_whoever_makes_it_are_left_out(
    report: Callable[..., Document], at: At
) -> None:
    own = desk.Desk(at().casebook, Actor(at().actor.organisation_id, "me", "finance", "E1"), NOW)
    made = desk.report_governance(own, "2026-Q4", marking="OFFICIAL")
    assert len(_table(made, "Questions by kind")) < len(_table(report(), "Questions by kind"))


@pytest.mark.parametrize("quarter", ["", "2026", "2026-Q5", "1926-Q1", "2026-Q1 "])
def test_what_is_no_quarter_is_refused(report: Callable[..., Document], quarter: str) -> None:
    with pytest.raises(CardwatchError, match="2026-Q3"):
        report(quarter=quarter)


@pytest.mark.parametrize(
    ("day", "quarter"),
    [("2026-01-01", "2025-Q4"), ("2026-03-31", "2025-Q4"), ("2026-04-01", "2026-Q1"),
     ("2026-11-25", "2026-Q3")],
)  # fmt: skip
def test_the_last_quarter_is_the_one_that_is_over(day: str, quarter: str) -> None:
    assert desk.last_quarter(dt.date.fromisoformat(day)) == quarter


@needs_pdf
def test_an_empty_quarter_is_a_report_too(report: Callable[..., Document]) -> None:
    made = report(quarter="2020-Q1")
    assert "0 payments by 0 holders" in _words(made)
    assert pdf_of(made).startswith(b"%PDF-")
