"""Imports that need two people: each asks for the same one within some days."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from cardwatch.casebook.api_keys import actor_now, person_behind
from cardwatch.casebook.tables import import_requests
from cardwatch.casebook.unit_of_work import Actor, UnitOfWork, as_text
from cardwatch.errors import NotAllowed

REQUEST_DAYS = 7
"""Days for which the request of one person waits for that of another."""


def confirm_import(uow: UnitOfWork, *parts: str) -> bool:
    """Record that the actor asks for an import.

    Args:
        uow: the work it is done in.
        *parts: what is asked for: the same from two people are one import.

    Returns:
        Whether another person of the same role, who has that role still, has asked for the same.
    """
    request_id = uow.keyed("import request", uow.actor.role, *parts)
    oldest = dt.datetime.fromisoformat(uow.now) - dt.timedelta(REQUEST_DAYS)
    uow.delete(import_requests, import_requests.c.made_at < as_text(oldest))
    same = import_requests.c.request_id == request_id
    rows = uow.fetch_all(sa.select(import_requests).where(uow.scope(import_requests), same))
    requester = person_behind(uow, uow.actor.actor_id)
    other_requesters = [row["made_by"] for row in rows if row["made_by"] != requester]
    if requester not in {row["made_by"] for row in rows}:
        uow.insert(
            import_requests, [{"request_id": request_id, "made_by": requester, "made_at": uow.now}]
        )
    return any(_has_role(uow, other) for other in other_requesters)


def _has_role(uow: UnitOfWork, person_id: str) -> bool:
    """Return whether a person has access in the actor's role."""
    person = Actor(uow.actor.organisation_id, person_id, uow.actor.role)
    try:
        return actor_now(uow, person).role == uow.actor.role
    except NotAllowed:
        return False
