"""Imports that need two people: each asks for the same one within some days."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from cardwatch.casebook.api_keys import actor_now, person_behind
from cardwatch.casebook.people import check_independent
from cardwatch.casebook.tables import PSD, import_requests
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
        Professional standards invite each other: neither was lately invited by the other, or both
        by the same person.
    """
    request_id = uow.keyed("import request", uow.actor.role, *parts)
    oldest = dt.datetime.fromisoformat(uow.now) - dt.timedelta(REQUEST_DAYS)
    is_own = import_requests.c.role == uow.actor.role  # its seal is in the chain of this event
    uow.delete(import_requests, is_own & (import_requests.c.made_at < as_text(oldest)))
    same = import_requests.c.request_id == request_id
    rows = uow.fetch_all(sa.select(import_requests).where(uow.scope(import_requests), same))
    requester = person_behind(uow, uow.actor.actor_id)
    other_requesters = [row["made_by"] for row in rows if row["made_by"] != requester]
    if requester not in {row["made_by"] for row in rows}:
        row = {"request_id": request_id, "made_by": requester, "role": uow.actor.role}
        uow.insert(import_requests, [row | {"made_at": uow.now}])
    return any(_confirms(uow, requester, other) for other in other_requesters)


def _confirms(uow: UnitOfWork, requester: str, other: str) -> bool:
    """Whether another person has access in the actor's role, and is independent of the actor."""
    person = Actor(uow.actor.organisation_id, other, uow.actor.role)
    try:
        if uow.actor.role == PSD:
            check_independent(uow, requester, other)
        return actor_now(uow, person).role == uow.actor.role
    except NotAllowed:
        return False
