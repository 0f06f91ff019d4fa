"""Queries after they were sent: who sees them, replies, reminders and erasing."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from books import EQUAL, SPLIT, month

from cardwatch import services
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.casebook.queries import ReplyInput
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.errors import CardwatchError, NotAllowed, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.casebook.rows import SentQuery

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

DUE = "2026-12-04"
REPLY = ReplyInput("The Manager", "Two sites, two orders.")


@pytest.fixture
def query(at: Context, read: Read) -> SentQuery:
    """Send a query about the finance alert of a casebook with one of each lane."""
    services.receive(at(), read(*month(9)), is_history=True)
    services.receive(at(), read(*month(10), *SPLIT, *EQUAL))
    alert_id = services.list_alerts(at(), services.AlertFilter(lane="finance"))[0]["alert_id"]
    wanted = services.Query("The Manager", "manager@force.example", DUE)
    return services.send_query(at(), alert_id, wanted, lambda *_: None, marking="OFFICIAL")


def _days_to(context: services.ServiceContext, day: str, more: int = 0) -> int:
    return (dt.date.fromisoformat(day) - context.now.date()).days + more


def test_a_sent_query_is_listed_with_its_age(at: Context, query: SentQuery) -> None:
    assert query["is_open"]
    assert (query["age_days"], query["overdue_days"], query["reminders"]) == (0, 0, 0)
    assert query["next_reminder_on"] == "2026-12-05"
    assert all(services.get_alert(at(), one)["state"] == "asked" for one in query["alert_ids"])
    late = at(days=_days_to(at(), DUE, 3))
    (listed,) = services.list_queries(late, open_only=True)
    assert (listed["overdue_days"], listed["alert_ids"]) == (3, query["alert_ids"])
    assert listed["age_days"] > 3
    assert services.show_home(late).queries == (1, 1)
    assert services.list_queries(at("psd"))[0]["query_id"] == query["query_id"]
    assert services.list_queries(at(organisation="Other")) == []
    with pytest.raises(NotAllowed):
        services.list_queries(at("admin"))


@pytest.mark.parametrize("role", ["psd", ""])
def test_a_query_does_not_tell_who_is_of_professional_standards(
    at: Context, read: Read, role: str
) -> None:
    """Whoever sends one to the cardholder it is about hears the same of a stranger."""
    services.receive(at(), read(*month(10), *SPLIT))
    if role:
        at(role, holder_id="E1")
    alert_id = services.list_alerts(at())[0]["alert_id"]
    letters: list[object] = []
    to_them = services.Query("Their manager", "psd@saltmarsh-vale.example")
    services.send_query(
        at(), alert_id, to_them, lambda *sent: letters.append(sent), marking="OFFICIAL"
    )
    assert len(letters) == 1


def test_a_key_that_decides_nothing_sends_nothing(at: Context, query: SentQuery) -> None:
    key = replace(at(), actor=replace(at().actor, can_decide=False))
    letters: list[object] = []
    with pytest.raises(NotAllowed):
        services.send_query(
            key, query["alert_ids"][0], services.Query("Them", "x@force.example"),
            lambda *sent: letters.append(sent), marking="OFFICIAL",
        )  # fmt: skip
    assert not letters


def test_a_reply_is_recorded_and_the_alerts_stay(at: Context, query: SentQuery) -> None:
    query_id = query["query_id"]
    for wrong, field in (
        (replace(REPLY, replied_by=" "), "replied_by"), (replace(REPLY, text=""), "text"),
        (replace(REPLY, replied_on="soon"), "replied_on"),
        (replace(REPLY, replied_on="2026-01-01"), "replied_on"),
        (replace(REPLY, replied_on="2027-01-01"), "replied_on"),
    ):  # fmt: skip
        with pytest.raises(CardwatchError) as refused:
            services.record_reply(at(), query_id, wrong)
        assert refused.value.field == field
    for role in ("auditor", "psd"):
        with pytest.raises(NotAllowed):
            services.record_reply(at(role), query_id, REPLY)
    with pytest.raises(NotFound):
        services.record_reply(at(), "000000000000", REPLY)
    services.record_reply(at(), query_id, REPLY)
    answered = services.record_reply(at(days=1), query_id, replace(REPLY, text="One more word."))
    assert [one["text"] for one in answered["replies"]] == [REPLY.text, "One more word."]
    assert not answered["is_open"]
    assert services.list_queries(at(), open_only=True) == []
    assert services.get_alert(at(), query["alert_ids"][0])["state"] == "asked"
    assert [check.fault for check in services.verify_audit(at())] == [""]


def test_a_query_is_hidden_from_whom_it_is_about(at: Context, query: SentQuery) -> None:
    subject = at(person="subject", holder_id="E1")
    assert services.list_queries(subject) == []
    for ask in (services.get_query, lambda *of: services.record_reply(*of, REPLY)):
        with pytest.raises(NotFound):
            ask(subject, query["query_id"])
    assert services.show_home(subject).queries == (0, 0)


def test_reminders_are_sent_once_each_week_until_a_reply(at: Context, query: SentQuery) -> None:
    sent: list[str] = []
    takes = [True]

    def remind(days: int) -> int:
        now = at(days=_days_to(at(), DUE, days)).now

        def send(one: SentQuery) -> bool:
            sent.append(one["email"])
            return takes[0]

        return services.send_query_reminders(at().casebook, lambda: now, send, days=7)

    assert [remind(days) for days in (0, 1, 1, 7)] == [0, 1, 0, 0]
    takes[0] = False
    assert remind(8) == 0  # the mail server did not take it
    assert len(sent) == 2
    takes[0] = True
    assert [remind(days) for days in (8, 9, 15, 16)] == [0, 1, 0, 1]
    assert services.get_query(at(days=40), query["query_id"])["reminders"] == 3
    events = services.audit_events(at(days=40), lane="finance", last=100)
    outcomes = [one["outcome"] for one in events
                if (one["object"], one["action"]) == ("query", "disclosure")]  # fmt: skip
    assert sorted(outcomes) == ["done", "done", "done", "done", "failed"]
    services.record_reply(at(days=40), query["query_id"], REPLY)
    assert remind(60) == 0


def test_a_query_whose_alerts_are_answered_is_closed(at: Context, query: SentQuery) -> None:
    for alert_id in query["alert_ids"]:
        services.decide(at(), alert_id, DecisionInput("two sites", "explained"))
    assert not services.get_query(at(), query["query_id"])["is_open"]
    assert services.list_queries(at(), open_only=True) == []


def test_a_query_goes_with_its_alerts(at: Context, query: SentQuery) -> None:
    services.record_reply(at(), query["query_id"], REPLY)
    for alert_id in query["alert_ids"]:
        services.decide(at(), alert_id, DecisionInput("two sites", "explained"))
    services.erase(at(SYSTEM, days=2_000))
    assert len(services.list_queries(at())) == 1
    services.erase(at(SYSTEM, days=3_000))
    assert services.list_queries(at()) == []
    assert [check.fault for check in services.verify_audit(at(days=3_000))] == [""]
