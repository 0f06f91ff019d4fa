"""Imports that need two people: each asks for the same one within some days."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from cardwatch.casebook.api_keys import actor_now, person_behind
from cardwatch.casebook.people import check_independent
from cardwatch.casebook.tables import FINANCE, PSD, import_requests
from cardwatch.casebook.unit_of_work import Actor, Row, UnitOfWork, as_text
from cardwatch.errors import NotAllowed

REQUEST_DAYS = 7
"""Days for which the request of one person waits for that of another."""
CONFIRMED_ROLES = {PSD: (PSD, FINANCE)}
"""Roles whose requests a role confirms, where these are others than its own alone."""


def confirm_import(uow: UnitOfWork, *parts: str) -> bool:
    """Record that the actor asks for an import.

    Args:
        *parts: what is asked for: the same from two people are one import.

    Returns:
        Whether another person of the same role, who has that role still, has asked for the same;
        or, where the actor is of professional standards, somebody of finance. Finance confirms
        nothing that professional standards asked for, which would tell of it. Professional
        standards invite each other: neither was lately invited by the other, or both by the same
        person.
    """
    oldest = as_text(dt.datetime.fromisoformat(uow.now) - dt.timedelta(REQUEST_DAYS))
    is_own = import_requests.c.role == uow.actor.role  # its seal is in the chain of this event
    uow.delete(import_requests, is_own & (import_requests.c.made_at < oldest))
    request_ids = {
        role: uow.keyed("import request", role, *parts)
        for role in CONFIRMED_ROLES.get(uow.actor.role, (uow.actor.role,))
    }
    same = import_requests.c.request_id.in_(request_ids.values())
    question = sa.select(import_requests).where(uow.scope(import_requests), same)
    rows = uow.fetch_all(question.where(import_requests.c.made_at >= oldest))
    requester = person_behind(uow, uow.actor.actor_id)
    if requester not in {row["made_by"] for row in rows}:
        own_request = {"request_id": request_ids[uow.actor.role], "role": uow.actor.role}
        uow.insert(import_requests, [own_request | {"made_by": requester, "made_at": uow.now}])
    return any(_confirms(uow, requester, row) for row in rows if row["made_by"] != requester)


def who_confirms(role: str) -> str:
    """Return who may be the second person of a request that a role makes, to begin a sentence."""
    if role == FINANCE:
        return "Another person of finance, or somebody of professional standards,"
    return "Another person with your role"


def _confirms(uow: UnitOfWork, requester: str, request: Row) -> bool:
    """Whether a person still has the role of their request, and is independent of the actor."""
    person = Actor(uow.actor.organisation_id, request["made_by"], request["role"])
    try:
        if uow.actor.role == PSD:
            check_independent(uow, requester, request["made_by"])
        return actor_now(uow, person).role == request["role"]
    except NotAllowed:
        return False
