"""Pseudonyms: the people of an alert, until somebody gives a reason to see the name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.alert_rows import Reveal
from cardwatch.casebook.counting import is_visible
from cardwatch.casebook.people import display_names
from cardwatch.casebook.rows import Access
from cardwatch.casebook.tables import (
    HOLDER_KEYS,
    PSD,
    alert_subjects,
    audit_events,
    identity_reveals,
    transactions,
)
from cardwatch.errors import CardwatchError
from cardwatch.registers import person_key
from cardwatch.vocabulary import ASKED_ABOUT

if TYPE_CHECKING:
    from collections.abc import Collection

    from cardwatch.casebook.unit_of_work import UnitOfWork

MASK_CHARACTERS = 6


def pseudonym(uow: UnitOfWork, holder_id: str) -> str:
    """Return another name for a holder, the same whenever they are meant in an organisation."""
    return f"Person {uow.keyed('holder', person_key(holder_id))[:MASK_CHARACTERS].upper()}"


def holder_names(uow: UnitOfWork, holder_ids: Collection[str]) -> dict[str, str]:
    """The names of cardholders whom statements also know by a number: `A. Baker (SV1055)`.

    Returns:
        By id, the name on the newest payment that has one; nothing for who has no other name.
    """
    names: dict[str, str] = {}
    cardholder = transactions.c.key_cardholder
    for key in (transactions.c[name] for name in HOLDER_KEYS if name != cardholder.name):
        newest = sa.func.max(transactions.c.date).label("newest")
        question = (
            sa.select(key.label("holder_id"), cardholder.label("name"), newest)
            .where(uow.scope(transactions), is_visible(), key.in_(holder_ids))
            .where(cardholder.is_not(None), cardholder != "", cardholder != key)
            .group_by(key, cardholder)
            .order_by(newest, cardholder)
        )
        rows = uow.fetch_all(question) if holder_ids else []
        names |= {row["holder_id"]: f"{row['name']} ({row['holder_id']})" for row in rows}
    return names


def shown_names(
    uow: UnitOfWork, people: Collection[str], revealed: Collection[str] = ()
) -> dict[str, str]:
    """The name that the actor is shown for each person.

    Professional standards are shown a pseudonym, but for whom they have asked to see by name.

    Args:
        people: ids of cardholders and approvers.
        revealed: those of them whom professional standards are shown by name.
    """
    by_name = set(people) if uow.actor.role != PSD else set(people) & set(revealed)
    names = holder_names(uow, by_name)
    return {
        person: names.get(person, person) if person in by_name else pseudonym(uow, person)
        for person in people
    }


def reveal_identity(uow: UnitOfWork, alert_id: str, reason: str) -> None:
    """Let the actor see by name whom an alert of either lane is about, from now on.

    Raises:
        CardwatchError: no reason is given.
    """
    if not reason.strip():
        raise CardwatchError("Enter a reason", field="reason")
    uow.event.object_id = alert_id
    if not is_revealed(uow, alert_id):
        row = {"lane": uow.actor.chain, "alert_id": alert_id, "made_by": uow.actor.actor_id}
        uow.insert(identity_reveals, [row | {"reason": reason, "made_at": uow.now}])


def is_revealed(uow: UnitOfWork, alert_id: str) -> bool:
    """Return whether the actor has asked to see by name whom an alert is about."""
    columns = identity_reveals.c
    question = sa.select(columns.made_at).where(
        uow.scope(identity_reveals),
        columns.alert_id == alert_id,
        columns.made_by == uow.actor.actor_id,
    )
    return uow.fetch_one(question) is not None


def revealed_people(uow: UnitOfWork) -> frozenset[str]:
    """Return the keys of the people whom the actor has asked, of some alert, to see by name."""
    same = identity_reveals.c.alert_id == alert_subjects.c.alert_id
    question = (
        sa.select(alert_subjects.c.subject_id)
        .join(identity_reveals, uow.scope(identity_reveals) & same)
        .where(uow.scope(alert_subjects), alert_subjects.c.kind.in_(ASKED_ABOUT))
        .where(identity_reveals.c.made_by == uow.actor.actor_id)
        .distinct()
    )
    return frozenset(row["subject_id"] for row in uow.fetch_all(question))


def list_reveals(uow: UnitOfWork, alert_id: str) -> list[Reveal]:
    """Return who has asked to see by name whom an alert is about, and why."""
    columns, names = identity_reveals.c, display_names(uow)
    question = sa.select(identity_reveals).where(
        uow.scope(identity_reveals), columns.alert_id == alert_id
    )
    return [
        row | {"made_by": names.get(row["made_by"], row["made_by"])}
        for row in uow.fetch_all(question.order_by(columns.made_at, columns.made_by), Reveal)
    ]


def access_log(uow: UnitOfWork, alert_id: str) -> list[Access]:
    """Return what was done with an alert: who looked at it or changed it, by name, and when.

    It is what the chains say, and for professional standards alone; others are told nothing.
    """
    if uow.actor.role != PSD:
        return []
    names = display_names(uow)
    body = audit_events.c.body.contains(f'"id":"{alert_id}"')
    question = sa.select(audit_events.c.body).where(
        uow.scope(audit_events), audit_events.c.lane.in_(uow.lanes), body
    )
    event_bodies = [
        json.loads(row["body"]) for row in uow.fetch_all(question.order_by(audit_events.c.seq))
    ]
    return [
        Access(
            at=event_body["at"],
            actor=names.get(event_body["actor"], event_body["actor"]),
            role=event_body["role"],
            action=event_body["action"],
            object=event_body["object"],
            outcome=event_body["outcome"],
        )
        for event_body in event_bodies
        if event_body["object"] == "alert"
    ]
