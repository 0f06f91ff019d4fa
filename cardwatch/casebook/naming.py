"""Pseudonyms: the people of an alert, until somebody gives a reason to see the name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.alerts.answered import person_key
from cardwatch.casebook.counting import is_visible
from cardwatch.casebook.people import who
from cardwatch.casebook.tables import HOLDER_KEYS, PSD, events, transactions, unmaskings
from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from collections.abc import Collection

    from cardwatch.casebook.work import Row, Work

MASK_CHARACTERS = 6


def masked(work: Work, holder_id: str) -> str:
    """Return another name for a holder, the same whenever they are meant in an organisation."""
    return f"Holder {work.keyed('holder', person_key(holder_id))[:MASK_CHARACTERS].upper()}"


def holder_names(work: Work, holder_ids: Collection[str]) -> dict[str, str]:
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
            .where(work.mine(transactions), is_visible(), key.in_(holder_ids))
            .where(cardholder.is_not(None), cardholder != "", cardholder != key)
            .group_by(key, cardholder)
            .order_by(newest, cardholder)
        )
        rows = work.rows(question) if holder_ids else []
        names |= {row["holder_id"]: f"{row['name']} ({row['holder_id']})" for row in rows}
    return names


def unmask(work: Work, alert_id: str, reason: str) -> None:
    """Let the actor see by name whom an alert of either lane is about, from now on.

    Raises:
        CardwatchError: no reason is given.
    """
    if not reason.strip():
        raise CardwatchError("Enter a reason", field="reason")
    work.event.object_id = alert_id
    if not is_unmasked(work, alert_id):
        row = {"lane": work.actor.chain, "alert_id": alert_id, "made_by": work.actor.actor_id}
        work.add_sealed(unmaskings, [row | {"reason": reason, "made_at": work.now}])


def is_unmasked(work: Work, alert_id: str) -> bool:
    """Return whether the actor has asked to see by name whom an alert is about."""
    mine = unmaskings.c
    question = sa.select(mine.made_at).where(
        work.mine(unmaskings), mine.alert_id == alert_id, mine.made_by == work.actor.actor_id
    )
    return work.one(question) is not None


def list_unmaskings(work: Work, alert_id: str) -> list[Row]:
    """Return who has asked to see by name whom an alert is about, and why."""
    mine, names = unmaskings.c, who(work)
    question = sa.select(unmaskings).where(work.mine(unmaskings), mine.alert_id == alert_id)
    return [
        row | {"made_by": names.get(row["made_by"], row["made_by"])}
        for row in work.rows(question.order_by(mine.made_at, mine.made_by))
    ]


def seen_by(work: Work, alert_id: str) -> list[Row]:
    """Return what was done with an alert: who looked at it or changed it, by name, and when.

    It is what the chains say, and for professional standards alone; others are told nothing.
    """
    if work.actor.role != PSD:
        return []
    names = who(work)
    body = events.c.body.contains(f'"id":"{alert_id}"')
    question = sa.select(events.c.body).where(
        work.mine(events), events.c.lane.in_(work.lanes), body
    )
    told = [json.loads(row["body"]) for row in work.rows(question.order_by(events.c.seq))]
    shown = ("at", "actor", "role", "action", "object", "outcome")
    return [
        {name: one[name] for name in shown} | {"actor": names.get(one["actor"], one["actor"])}
        for one in told
        if one["object"] == "alert"
    ]
