"""Imports that need two people: each asks for the same one within some days."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from cardwatch.casebook.api_keys import actor_now, person_behind
from cardwatch.casebook.tables import import_requests
from cardwatch.casebook.work import Actor, Work, as_text
from cardwatch.errors import NotAllowed

REQUEST_DAYS = 7
"""Days for which the request of one person waits for that of another."""


def confirm_import(work: Work, *parts: str) -> bool:
    """Record that the actor asks for an import.

    Args:
        work: the work it is done in.
        *parts: what is asked for: the same from two people are one import.

    Returns:
        Whether another person of the same role, who has that role still, has asked for the same.
    """
    request_id = work.keyed("import request", work.actor.role, *parts)
    oldest = dt.datetime.fromisoformat(work.now) - dt.timedelta(REQUEST_DAYS)
    work.remove(import_requests, import_requests.c.made_at < as_text(oldest))
    same = import_requests.c.request_id == request_id
    rows = work.rows(sa.select(import_requests).where(work.mine(import_requests), same))
    own = person_behind(work, work.actor.actor_id)
    others = [row["made_by"] for row in rows if row["made_by"] != own]
    if own not in {row["made_by"] for row in rows}:
        work.add(import_requests, [{"request_id": request_id, "made_by": own, "made_at": work.now}])
    return any(_has_role(work, other) for other in others)


def _has_role(work: Work, person_id: str) -> bool:
    """Return whether a person has access in the actor's role."""
    person = Actor(work.actor.organisation_id, person_id, work.actor.role)
    try:
        return actor_now(work, person).role == work.actor.role
    except NotAllowed:
        return False
