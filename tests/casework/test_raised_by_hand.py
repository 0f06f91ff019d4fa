"""Alerts that people raise by hand: worked on like any other, and never made again or counted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from books import EQUAL, SPLIT, activate_cards, assert_whole, export_alerts, month

from cardwatch import services
from cardwatch.casebook import PSD
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.casebook.payment_queries import PaymentFilters
from cardwatch.errors import CardwatchError, Conflict, NotAllowed, NotFound
from cardwatch.statements import read_each

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.statements import ReadingChoices

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

QUESTION = "Was this for the training day?"


@pytest.fixture
def statements(at: Context, read: Read) -> tuple[str, str]:
    """Give a month that was kept as history, and one that was scored."""
    history = services.receive(at(), read(*month(9)), is_history=True).statement_id
    return history, services.receive(at(), read(*month(10), *SPLIT, *EQUAL)).statement_id


def test_an_alert_raised_by_hand_is_worked_on_like_any_other(
    at: Context, read: Read, statements: tuple[str, str]
) -> None:
    history, scored = statements

    def figures() -> list[Any]:
        report = services.report_governance(at(), "2026-Q4", marking="OFFICIAL")
        return [services.rule_precision(at()), export_alerts(at(), scored, ".csv"), report]

    before = figures()
    alert_id = services.raise_by_hand(at(), [(history, 2), (scored, 3)], question=QUESTION)
    alert = services.get_history(at(), alert_id)
    assert alert["raised"].title == "Raised by hand by finance@saltmarsh-vale.example"
    assert (alert["facts"], alert["state"]) == ([QUESTION], "open")
    assert len(alert["raised"].payments) == 2
    assert alert["at_stake_pence"] == 1050 + 1150
    assert alert_id in {one["alert_id"] for one in services.list_alerts(at())}
    assert alert_id in {one["alert_id"] for one in services.get_payment(at(), scored, 3)["alerts"]}
    services.decide(at(), alert_id, DecisionInput("no receipt", "confirmed",
                                                  at_email(at)))  # fmt: skip
    services.refer_alert(at(), alert_id, reason="so")
    case = services.open_case(at("psd"), services.NewCase("By hand", "so", (alert_id,)))
    assert case["alerts"][0]["facts"] == [QUESTION]
    told = json.loads(export_alerts(at(), alert_ids=(alert_id,))[0])
    assert [one["alert_id"] for one in next(iter(told["lists"].values()))["alerts"]] == [alert_id]
    for form in (".csv", ".xlsx"):
        assert export_alerts(at(), alert_ids=(alert_id,), form=form)[1] == 1
    assert figures() == before
    services.receive(
        at(), read(*month(10), *SPLIT, *EQUAL, "2026-10-30,E1,SHOP 1,4.00,N1"), corrects=scored
    )
    assert services.get_alert(at(), alert_id)["state"] == "confirmed"
    assert services.get_alert(at(), alert_id)["source_corrected_by"]
    assert {check.fault for check in services.verify(at("psd"))} == {""}
    assert_whole(at("psd"))


def at_email(at: Context) -> str:
    """Return finance's email address."""
    return services.email_of(at())


def test_each_list_has_its_own(at: Context, statements: tuple[str, str]) -> None:
    _, scored = statements
    places = [(scored, 4), (scored, 5)]
    first = services.raise_by_hand(at(), places, question=QUESTION)
    with pytest.raises(Conflict, match=first):
        services.raise_by_hand(at(), places[::-1], question="again")
    theirs = services.raise_by_hand(at("psd"), places, question="theirs")
    assert theirs != first
    assert services.get_alert(at("psd"), theirs)["lane"] == PSD
    for role in ("finance", "auditor"):
        with pytest.raises(NotFound):
            services.get_alert(at(role), theirs)
        shown = services.get_payment(at(role), scored, 4)["alerts"]
        assert [one["alert_id"] for one in shown] == [first]
    assert_whole(at("psd"))


def test_what_cannot_be_raised_is_refused(at: Context, statements: tuple[str, str]) -> None:
    _, scored = statements
    for role in ("auditor", "admin"):
        with pytest.raises(NotAllowed):
            services.raise_by_hand(at(role), [(scored, 2)], question=QUESTION)
    for places, question in (([], QUESTION), ([(scored, 2)] * 51, QUESTION), ([(scored, 2)], " "),
                             ([(scored, 2)], "x" * 2_001)):  # fmt: skip
        with pytest.raises(CardwatchError):
            services.raise_by_hand(at(), places, question=question)
    with pytest.raises(NotFound):
        services.raise_by_hand(at(), [(scored, 999)], question=QUESTION)
    subject = at(person="subject", holder_id="E1")
    with pytest.raises(NotAllowed, match="Somebody else"):
        services.raise_by_hand(subject, [(scored, 2), (scored, 3)], question=QUESTION)
    alert_id = services.raise_by_hand(at(), [(scored, 3)], question=QUESTION)  # of E1
    with pytest.raises(NotFound):
        services.get_alert(subject, alert_id)
    ranks = [services.get_alert(subject, one["alert_id"])["raised"].rank
             for one in services.list_alerts(subject)]  # fmt: skip
    assert sorted(ranks) == list(range(1, len(ranks) + 1))


CARDS = """employee_id,card_number,single_limit,opened_on,approver_id
E1,************1111,500,2026-01-20,E5
E2,************2222,500,2026-01-20,E6
"""


@pytest.mark.parametrize("reader", ["E1", "E5"])
def test_whose_card_it_is_says_the_card_register_where_the_statement_has_a_number_alone(
    at: Context, tmp_path: Path, choices: ReadingChoices, reader: str
) -> None:
    """Or they saw what a colleague asks about them, and could ask about themselves."""
    activate_cards(at(), tmp_path, choices, CARDS)
    lines = [f"2026-10-{day},************{'1111' if day % 2 else '2222'},SHOP,{day}.50,R{day}"
             for day in range(10, 24)]  # fmt: skip
    path = tmp_path / "october.csv"
    headings = "Date,Card Number,Merchant,Amount,Reference"
    path.write_text("\n".join([headings, *lines, ""]), encoding="utf-8")
    (statement,) = read_each([path], choices)
    assert isinstance(statement, tuple), statement
    services.receive(at(), statement)
    places: dict[str, list[tuple[str, int]]] = {"1111": [], "2222": []}
    for row in services.list_payments(at(), PaymentFilters(), limit=100):
        places[row["card_last4"]].append((row["statement_id"], row["row"]))
    asked = services.raise_by_hand(at(), places["1111"][:2], question="What for?")
    assert services.get_alert(at(), asked)["holders"] == ["E1"]
    subject = at(person="subject", holder_id=reader)
    with pytest.raises(NotFound):
        services.get_alert(subject, asked)
    with pytest.raises(NotAllowed, match="those you approve"):
        services.raise_by_hand(subject, places["1111"][2:4], question="What for?")
    assert services.raise_by_hand(subject, places["2222"][:1], question="What for?")
