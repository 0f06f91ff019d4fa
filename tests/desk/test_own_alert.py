"""Somebody who holds a card learns nothing of an alert about themselves, whatever they ask."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from books import EQUAL, SPLIT, crowd, hand_over, month

from cardwatch import desk
from cardwatch.alerts import without_alerts
from cardwatch.casebook import LANES, Event
from cardwatch.casebook import alerts as kept
from cardwatch.casebook.alerts import Said
from cardwatch.casebook.raising import alert_text, list_text
from cardwatch.casebook.tables import (
    alert_subjects,
    alerts,
    decisions,
    evidence,
    holds,
    lists,
    raised,
)
from cardwatch.errors import CardwatchError, NotAllowed, NotFound
from cardwatch.registers import read_cards

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.statements import ReadingChoices

    At = Callable[..., desk.Desk]
    Read = Callable[..., Any]

WITH_ALERTS = (raised, alerts, evidence, alert_subjects, decisions, holds)


def _subject(at: At) -> desk.Desk:
    return at(person="subject", holder_id="E1")


def _hidden(at: At, subject: desk.Desk) -> str:
    """Return the alert about the subject."""
    seen = {one["alert_id"] for one in desk.list_alerts(subject)}
    (hidden,) = (one["alert_id"] for one in desk.list_alerts(at()) if one["alert_id"] not in seen)
    return str(hidden)


def _answers(subject: desk.Desk, statement_id: str, hidden: str) -> list[Any]:
    """Return what the subject is answered, whatever they ask."""
    shown = [one["alert_id"] for one in desk.list_alerts(subject)]
    found: list[Any] = [
        ask(subject)
        for ask in (desk.list_alerts, desk.learned, desk.reconciled, desk.overview, desk.list_holds,
                    desk.list_suppressions, desk.list_statements)
    ]  # fmt: skip
    for form in (".csv", ".json"):
        content, count = hand_over(subject, statement_id, form)
        found.append((count, re.sub(rb'"checkpoint":.*?"signature[^}]*}', b"", content)))
    found.append(hand_over(subject, alert_ids=(shown[-1],))[1])
    found += [desk.get_alert(subject, name) for name in shown]
    found.append(desk.draw_sample(subject, desk.Draw(statement_id=statement_id, count=3)))
    for ask_one in (desk.get_alert, desk.get_history):
        with pytest.raises(NotFound) as refusal:
            ask_one(subject, hidden)
        found.append(str(refusal.value))
    return found


def _forget(at: At, statement_id: str, hidden: str) -> None:
    """Make the casebook one in which an alert was never raised."""
    system = at("cardwatch")
    event = Event("erasure", "alert")
    with system.casebook.work(system.actor, event, system.now, lanes=LANES) as work:
        left = without_alerts(kept.read_list(work, "finance", statement_id), {hidden})
        work.change(lists, lists.c.lane == "finance", {"content": list_text(left)})
        for table in WITH_ALERTS:
            work.remove(table, table.c.alert_id == hidden)
        work.remove(raised, raised.c.lane == "finance")
        owned = {"lane": "finance", "statement_id": statement_id}
        for one in left.alerts:
            row = {"alert_id": one.alert_id, "rank": one.rank, "content": alert_text(one)}
            work.add(raised, [owned | row])


def test_worlds_with_and_without_an_alert_about_the_reader_are_the_same_to_them(
    at: At, read: Read
) -> None:
    received = desk.receive(at(), read(*month(10), *SPLIT, *EQUAL, *crowd(3)))
    subject = _subject(at)
    hidden = _hidden(at, subject)
    desk.decide(at(), hidden, Said("seen the receipts", "asked"))
    desk.hold(at(), hidden, reason="case")
    hand_over(at(), alert_ids=(hidden,))
    with_alert = _answers(subject, received.statement_id, hidden)
    _forget(at, received.statement_id, hidden)
    without = _answers(subject, received.statement_id, hidden)
    for one, other in zip(with_alert, without, strict=True):
        assert one == other


def test_ranks_and_counts_have_no_gap_where_an_alert_about_the_reader_is(
    at: At, read: Read
) -> None:
    received = desk.receive(at(), read(*month(10), *SPLIT, *EQUAL, *crowd(3)))
    subject = _subject(at)
    whole = json.loads(hand_over(at(), received.statement_id)[0])["lists"]["finance"]
    shown = json.loads(hand_over(subject, received.statement_id)[0])["lists"]["finance"]
    count = len(whole["alerts"])
    assert [one["rank"] for one in shown["alerts"]] == list(range(1, count))
    ranks = {desk.get_alert(subject, one["alert_id"])["raised"]["rank"] for one in shown["alerts"]}
    assert ranks == set(range(1, count))
    assert any(f"{count} alerts" in note for note in whole["notes"])
    assert not any(f"{count} alerts" in note for note in shown["notes"])
    assert any(f"{count - 1} alerts" in note for note in shown["notes"])


def test_the_chain_tells_a_reader_who_holds_a_card_of_their_own_acts_alone(
    at: At, read: Read
) -> None:
    desk.receive(at(), read(*month(10), *SPLIT))
    subject = _subject(at)
    hidden = desk.list_alerts(at())[0]["alert_id"]
    desk.decide(at(), hidden, Said("seen", "asked"))
    desk.receive(subject, read(*month(11)))
    desk.list_alerts(subject)
    told = desk.audit_events(subject, lane="finance", last=100)
    assert {one["actor"] for one in told} == {subject.actor.actor_id}
    assert [one["seq"] for one in told] == list(range(len(told), 0, -1))
    assert not any({"counts", "sealed"} & one.keys() for one in told)
    assert hidden not in json.dumps(told)
    assert told[-2:] == desk.audit_events(subject, lane="finance", last=2, before=3)
    with pytest.raises(NotAllowed, match="holds no card"):
        desk.verify_audit(subject)
    assert [one.fault for one in desk.verify_audit(at("auditor"))] == [""]


@pytest.mark.parametrize("role", ["finance", "psd"])
def test_who_decides_is_a_cardholder_or_stated_to_hold_no_card(at: At, role: str) -> None:
    giver = at("psd" if role == "psd" else "admin")
    given = {"name": "New", "email": "new@x.example", "role": role}
    for link in ({}, {"holder_id": "E1", "holds_no_card": True}):
        with pytest.raises(CardwatchError, match="hold no card") as refusal:
            desk.add_person(giver, **given, **link)
        assert refusal.value.field == "holder_id"
    desk.add_person(giver, **given, holds_no_card=True)
    desk.set_link(giver, "new@x.example", holder_id="E1")
    (found,) = (one for one in desk.list_people(giver) if one["email"] == "new@x.example")
    assert (found["holder_id"], found["holds_no_card"]) == ("E1", 0)


def test_nobody_sets_who_they_are_themselves(at: At) -> None:
    with pytest.raises(NotAllowed):
        desk.set_link(at("psd"), at("psd").actor.actor_id, holds_no_card=True)
    with pytest.raises(NotAllowed):
        desk.set_link(at(), at().actor.actor_id, holds_no_card=True)


def test_a_cardholder_is_chosen_from_the_register_in_force(at: At, choices: ReadingChoices) -> None:
    admin = at("admin")
    given = {"name": "New", "email": "new@x.example", "role": "finance"}
    cards = read_cards(Path(__file__).parent / "house-cards.csv", choices)
    desk.put_in_force(at(), "cards", desk.pack_cards(cards), "2026-01-01")
    known = desk.list_cardholders(admin)
    with pytest.raises(CardwatchError, match="from the card register"):
        desk.add_person(admin, **given, holder_id="nobody of the register")
    desk.add_person(admin, **given, holder_id=f" {known[0].upper()} ")
    (found,) = (one for one in desk.list_people(admin) if one["email"] == "new@x.example")
    assert found["holder_id"] == known[0]
