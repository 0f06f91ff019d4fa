"""The quarterly report: figures that can be counted by hand, no name, and nothing of psd's lane."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
from books import EQUAL, NOW, SPLIT, lively_month, month, needs_pdf

from cardwatch import services
from cardwatch.casebook import Actor
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.registers import cards_in_force, read_cards
from cardwatch.reports import pdf_of
from cardwatch.services.governance_report import period_span, quarter_span
from cardwatch.vocabulary import KIND_TITLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.records import CardRegister
    from cardwatch.reports import Document
    from cardwatch.statements import ReadingChoices

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]
    Report = Callable[..., Document]

HOUSE_CARDS = Path(__file__).parent / "house-cards.csv"
SHARE = "Share of answered alerts that were upheld"
EXTRA = {
    7: ["2026-07-20,E1,BUILDERS,7200.00,L7", "2026-07-21,E9,SHOP 1,-30.00,B7"],
    10: ["2026-10-20,E2,SHOP 1,-3.50,C1", "2026-10-21,E3,BUILDERS,5000.00,L1",
         "2026-10-22,E3,ATM WITHDRAWAL CASH ADVANCE,100.00,A1"],
}  # fmt: skip


def _words(report: Document) -> str:
    return json.dumps([asdict(section) for section in report.sections], ensure_ascii=False)


def _table(report: Document, caption: str) -> list[tuple[str, ...]]:
    return next(
        list(table.rows)
        for section in report.sections
        for table in section.tables
        if table.caption == caption
    )


def _main(report: Document, column: int = 1) -> dict[str, str]:
    return {row[0]: row[column] for row in _table(report, "Main figures")}


def _lines(number: int) -> list[str]:
    return [*lively_month(number), *EXTRA.get(number, [])]


def _pounds(pence: int) -> str:
    return f"{'-' if pence < 0 else ''}£{abs(pence) / 100:,.2f}"


@pytest.fixture
def report(at: Context, read: Read) -> Report:
    """Give the report on the quarter of a casebook with one alert of each lane."""
    services.receive(at(), read(*month(9)), is_history=True)
    services.receive(at(), read(*month(10), *SPLIT, *EQUAL, "2026-10-20,E2,SHOP 1,-3.50,C1"))
    return lambda role="finance", quarter="2026-Q4": services.report_governance(
        at(role), quarter, marking="OFFICIAL"
    )


@pytest.fixture
def two_quarters(at: Context, read: Read) -> Context:
    """Give a casebook with payments, alerts and answers in the third and the fourth quarter.

    July's alert is answered in the third quarter, August's and October's in the fourth; psd's of
    July is confirmed.
    """
    for number in (7, 8, 10):
        days = {7: -110, 8: -80, 10: -14}[number]
        services.receive(at(days=days), read(*_lines(number)))
    answers = {7: ("policy-breach", -100), 8: ("explained", -30), 10: ("confirmed", 0)}
    for number, (state, days) in answers.items():
        for one in services.list_alerts(at()):
            if one["last_on"] == f"2026-{number:02}-11":
                services.decide(at(days=days), one["alert_id"], DecisionInput("checked", state))
    for one in services.list_alerts(at("psd"), services.AlertFilter(lane="psd")):
        services.decide(at("psd"), one["alert_id"], DecisionInput("checked", "confirmed"))
    return at


def _quarter_report(at: Context, quarter: str, role: str = "finance", days: int = 0) -> Document:
    return services.report_governance(at(role, days=days), quarter, marking="OFFICIAL")


def test_spending_is_that_of_the_lines(two_quarters: Context) -> None:
    made = _quarter_report(two_quarters, "2026-Q4")
    for column, numbers in ((1, (10,)), (2, (7, 8))):
        purchases, small, refunds, holders = [], [], [], set()
        for line in (line for number in numbers for line in _lines(number)):
            _, holder, merchant, pounds, _ = line.split(",")
            pence = round(float(pounds) * 100)
            if pence < 0:
                refunds.append(-pence)
            elif "CASH" not in merchant:
                purchases.append(pence)
                holders.add(holder)
                if pence < 500_000:
                    small.append(pence)
        figures = _main(made, column)
        assert figures["Purchases"] == f"{len(purchases):,}"
        assert figures["Value of purchases"] == _pounds(sum(purchases))
        assert figures["Value of purchases under £5,000"] == _pounds(sum(small))
        assert figures["Refunds"] == _pounds(sum(refunds))
        assert figures["Net spending"] == _pounds(sum(purchases) - sum(refunds))
        assert figures["Cardholders who made a purchase"] == f"{len(holders):,}"
    assert "1 other entry" in _words(made)


def test_what_is_small_is_never_more_than_all(two_quarters: Context) -> None:
    for quarter in ("2026-Q3", "2026-Q4"):
        for row in _table(_quarter_report(two_quarters, quarter), "Spending by month"):
            value, small, refunds, net = (
                round(float(row[n].replace("£", "").replace(",", "")) * 100) for n in (2, 4, 5, 6)
            )
            assert small <= value
            assert net == value - refunds


def test_answers_count_in_the_quarter_they_were_given(two_quarters: Context) -> None:
    at = two_quarters
    made = _quarter_report(at, "2026-Q4")
    for column, first, last in ((1, "2026-10-01", "2026-12-31"), (2, "2026-07-01", "2026-09-30")):
        answered = upheld = awaiting = 0
        for one in services.list_alerts(at(), services.AlertFilter(state="")):
            alert = services.get_alert(at(), one["alert_id"])
            if alert["lane"] != "finance":
                continue
            state, decided = "open", ""
            for decision in alert["decisions"]:
                if decision["decided_at"][:10] <= last and decision["state"] != state:
                    state, decided = decision["state"], decision["decided_at"][:10]
            if state in {"explained", "policy-breach", "confirmed"} and decided >= first:
                answered += 1
                upheld += state != "explained"
            if alert["raised_at"][:10] <= last and state in {"open", "asked"}:
                awaiting += 1
        figures = _main(made, column)
        assert answered
        assert figures["Alerts answered in the quarter"] == str(answered)
        assert figures[SHARE] == f"{upheld} of {answered}"
        assert figures["Alerts of any quarter without an answer at the end"] == str(awaiting)
    third = _quarter_report(at, "2026-Q3")
    assert _main(third)[SHARE] == _main(made, 2)[SHARE]
    assert _table(third, SHARE) != _table(made, SHARE)


def test_one_of_one_is_no_quarter_of_all(report: Report, at: Context) -> None:
    name = next(one["alert_id"] for one in services.list_alerts(at()) if one["kind"] == "split")
    services.decide(at(), name, DecisionInput("two sites", "policy-breach"))
    ((_, upheld, interval, before),) = _table(report(), SHARE)
    assert (upheld, before) == ("1 of 1", "No answers")
    assert interval == "2% to 100%"  # a share of 2.5% is upheld once in forty
    assert "25%" not in _words(report())
    assert "14%" not in _words(report())


def test_alerts_of_the_quarter_are_counted_by_kind(two_quarters: Context) -> None:
    made = _quarter_report(two_quarters, "2026-Q4")
    own, before = Counter(), Counter()
    for one in services.list_alerts(two_quarters(), services.AlertFilter(state="")):
        if one["lane"] == "finance":
            (own if one["last_on"] >= "2026-10" else before)[one["kind"]] += 1
    kind_of = {words: kind for kind, words in KIND_TITLES.items()}
    rows = {kind_of[row[0]]: row for row in _table(made, "Alerts by kind")}
    kinds = own.keys() | before.keys()
    assert {kind: int(row[6]) for kind, row in rows.items()} == {k: own[k] for k in kinds}
    assert {kind: int(row[7]) for kind, row in rows.items()} == {k: before[k] for k in kinds}
    for row in rows.values():
        assert int(row[6]) == sum(map(int, row[1:6]))


def test_a_note_is_no_answer_and_the_last_word_counts(report: Report, at: Context) -> None:
    name = services.list_alerts(at())[0]["alert_id"]
    services.decide(at(days=-50), name, DecisionInput("asked the manager", "explained"))
    services.decide(at(days=-5), name, DecisionInput("only a note"))
    assert _main(report())["Alerts answered in the quarter"] == "1"
    services.decide(at(days=-4), name, DecisionInput("asked again", "asked"))
    assert _main(report())["Alerts answered in the quarter"] == "0"


def test_without_a_quarter_before_nothing_is_compared(at: Context, read: Read) -> None:
    services.receive(at(), read(*month(10), *SPLIT))
    made = _quarter_report(at, "2026-Q4")
    assert (
        dict(made.facts)["Compared with"] == "Nothing: there are no records of the quarter before"
    )
    for section in made.sections:
        for table in section.tables:
            assert not any("Q3" in heading for heading in table.headings)


@pytest.fixture
def house(choices: ReadingChoices) -> CardRegister:
    """Give the register of four cards: some opened ahead, one closed ahead."""
    return read_cards(HOUSE_CARDS, choices)


@pytest.mark.parametrize(
    ("quarter", "days", "day", "count"),
    [("2026-Q3", 0, "2026-09-30", 2), ("2026-Q4", 0, "2026-11-24", 3),
     ("2026-Q4", 60, "2026-12-31", 3)],
)  # fmt: skip
def test_open_cards_are_those_in_force(
    at: Context, read: Read, house: CardRegister, quarter: str, days: int, day: str, count: int
) -> None:
    services.activate_document(at(), "cards", services.pack_cards(house), "2026-01-01")
    services.receive(at(), read(*month(9)))
    assert len(cards_in_force(house, pd.Timestamp(day))) == count
    made = _words(_quarter_report(at, quarter, days=days))
    assert (
        f"the register had {count} open cards of {count} cardholders: {count} with a limit" in made
    )


def test_a_suppression_counts_on_the_days_it_was_active(report: Report, at: Context) -> None:
    name = next(one["alert_id"] for one in services.list_alerts(at()) if one["kind"] == "split")
    services.suppress(at(days=-50), name, until="2027-01-01", reason="agreed")
    assert "0 suppressions were active" in _words(report(quarter="2026-Q3"))
    assert "1 suppression was active" in _words(report())


def test_small_payments_that_come_to_more_than_a_sum_are_counted(at: Context, read: Read) -> None:
    small = [f"2026-10-{day:02},E{day % 4},NEW FIRM,900.00,N{day}" for day in range(1, 13)]
    large = ["2026-10-05,E1,OLD FIRM,30000.00,L1"]
    services.receive(at(), read(*month(9), *small, *large))
    made = _quarter_report(at, "2026-Q4")
    steps = {row[0]: row[1:] for row in _table(made, "Merchants by total in twelve months")}
    assert steps["£5,000 or more"] == ("2", "£40,800.00", "1", "1")
    assert steps["£10,000 or more"] == ("2", "£40,800.00", "1", "1")
    assert steps["£25,000 or more"] == ("1", "£30,000.00", "0", "0")
    assert "twelve months from 25 November 2025 to 24 November 2026" in _words(made)


def test_nobody_is_named_and_answers_are_timed(report: Report, at: Context) -> None:
    for one in services.list_alerts(at()):
        services.decide(at(days=3), one["alert_id"], DecisionInput("two sites", "policy-breach"))
    made = services.report_governance(at(days=3), "2026-Q4", marking="OFFICIAL")
    for name in ("E0", "E1", "E2", "E3", "NEW FIRM", "SHOP"):
        assert name not in _words(made)
    assert "3 days after being raised" in _words(made)
    assert report() != made


def test_nothing_of_the_other_lane_is_in_it_whoever_makes_it(report: Report, at: Context) -> None:
    before = report()
    for one in services.list_alerts(at("psd"), services.AlertFilter(lane="psd")):
        services.decide(at("psd"), one["alert_id"], DecisionInput("so", "confirmed"))
        services.place_hold(at("psd"), one["alert_id"], reason="inquiry")
    assert report() == before == report("psd") == report("auditor")
    with pytest.raises(NotAllowed):
        report("admin")


def test_own_approvers_are_not_in_it(
    at: Context, read: Read, choices: ReadingChoices, tmp_path: Path
) -> None:
    reports = []
    for approver in ("E1", "B9"):
        lines = [f"E{n},111{n},500,2026-01-20,{approver if n == 1 else 'B9'}" for n in range(4)]
        text = "\n".join(["employee_id,card_last4,single_limit,opened_on,approver_id", *lines])
        (tmp_path / "cards.csv").write_text(text + "\n", encoding="utf-8")
        register = read_cards(tmp_path / "cards.csv", choices)
        assert register.cards["is_own_approver"].any() == (approver == "E1")
        force = f"Force {approver}"
        services.activate_document(
            at(organisation=force), "cards", services.pack_cards(register), "2026-01-01"
        )
        services.receive(at(organisation=force), read(*lively_month(10)))
        rules = {
            one["rule"]
            for one in services.list_alerts(at("psd", force), services.AlertFilter(lane="psd"))
        }
        assert ("own-approver" in rules) == (approver == "E1")
        made = services.report_governance(at(organisation=force), "2026-Q4", marking="OFFICIAL")
        assert "4 with an approver" in _words(made)
        reports.append(made.sections)
    assert reports[0] == reports[1]


def test_questions_about_whoever_makes_it_are_left_out(report: Report, at: Context) -> None:
    own = services.ServiceContext(
        at().casebook, Actor(at().actor.organisation_id, "me", "finance", "E1"), NOW
    )
    made = services.report_governance(own, "2026-Q4", marking="OFFICIAL")
    assert len(_table(made, "Alerts by kind")) < len(_table(report(), "Alerts by kind"))


@pytest.mark.parametrize("quarter", ["", "2026", "2026-Q5", "1926-Q1", "2026-Q1 "])
def test_what_is_no_quarter_is_refused(report: Report, quarter: str) -> None:
    with pytest.raises(CardwatchError, match="2026-Q3"):
        report(quarter=quarter)


def test_a_quarter_to_come_is_refused(report: Report) -> None:
    with pytest.raises(CardwatchError, match="2027-Q1 has not begun"):
        report(quarter="2027-Q1")


@pytest.mark.parametrize(
    ("day", "quarter"),
    [("2026-01-01", "2025-Q4"), ("2026-03-31", "2025-Q4"), ("2026-04-01", "2026-Q1"),
     ("2026-11-25", "2026-Q3")],
)  # fmt: skip
def test_the_last_quarter_is_the_one_that_is_over(day: str, quarter: str) -> None:
    assert services.last_quarter(dt.date.fromisoformat(day)) == quarter


@pytest.mark.parametrize(("day", "is_over"), [("2026-09-30", False), ("2026-10-01", True)])
def test_a_quarter_is_over_on_the_day_after_its_last(day: str, *, is_over: bool) -> None:
    assert quarter_span("2026-Q3", dt.date.fromisoformat(day)).is_over == is_over
    if is_over:
        assert period_span("2026-Q3", dt.date.fromisoformat(day)).last_on == "2026-09-30"
    else:
        with pytest.raises(CardwatchError, match="over"):
            period_span("2026-Q3", dt.date.fromisoformat(day))


@needs_pdf
def test_an_empty_quarter_is_a_report_too(report: Report) -> None:
    made = report(quarter="2020-Q1")
    assert "No purchase or refund of the quarter is known." in _words(made)
    assert "No alert was answered in the quarter." in _words(made)
    assert pdf_of(made).startswith(b"%PDF-")
