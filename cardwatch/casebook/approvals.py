"""Approvals: what needs two people. One asks, another approves, and the first then does it once.

What is asked for is kept as its scope: the ids and values of that one act. An approval lets the
same person do the same act, and no other, until it expires. Nobody approves what they asked for or
what is about them, and neither does somebody whom the person who asks invited lately.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from typing import TYPE_CHECKING, cast

import sqlalchemy as sa

from cardwatch.casebook.alerts import not_about
from cardwatch.casebook.api_keys import actor_now, person_behind
from cardwatch.casebook.cases import not_about_actor
from cardwatch.casebook.people import check_independent
from cardwatch.casebook.permissions import check_records
from cardwatch.casebook.tables import MANAGES, PSD, alerts, approvals, cases, people
from cardwatch.casebook.unit_of_work import SYSTEM, Actor, AuditEvent, as_text, canonical
from cardwatch.errors import Conflict, NotAllowed, NotFound, SecondPersonNeeded
from cardwatch.vocabulary import ApprovalKind, ApprovalState

if TYPE_CHECKING:
    from cardwatch.casebook.rows import Approval, ApprovalScope
    from cardwatch.casebook.unit_of_work import Row, UnitOfWork

APPROVAL_DAYS = 7
"""Days after a request in which it can be approved and used."""


LISTED_COLUMNS = [column for column in approvals.c if column.name != "content"]


def require_approval(
    uow: UnitOfWork, kind: ApprovalKind, scope: ApprovalScope, content: bytes | None = None
) -> None:
    """Use the actor's approval for an act, or refuse it so that the request is recorded.

    Whoever runs the installation acts without: where only one person could approve, they can.

    Args:
        uow: the work in which the act is done; it touches the lane of the actor's chain.
        kind: of the act.
        scope: the act itself.
        content: what is asked for, for the other person to see; the scope has its hash.

    Raises:
        NotAllowed: the act is about the actor, or they are a key that no person made.
        SecondPersonNeeded: another person has not approved it yet.
    """
    if uow.actor.actor_id == SYSTEM:
        return
    person_id = _responsible_person(uow)
    if scope.get("person_id") == person_id:
        raise NotAllowed("Somebody else has to do this, as it is about you.")
    rows = _current(uow, kind, canonical(scope), person_id)
    for row in rows:
        if row["state"] == ApprovalState.AGREED and _has_role(uow, str(row["decided_by"])):
            still = (approvals.c.approval_id == row["approval_id"]) & (
                approvals.c.state == ApprovalState.AGREED
            )
            used = {"state": ApprovalState.USED, "used_at": uow.now, "content": None}
            if uow.update(approvals, still, used):
                uow.extra_events.append(_event(uow, row["approval_id"], "used"))
                return
    waiting = next((row for row in rows if row["state"] == ApprovalState.OPEN), None)
    request = None if waiting else _request(uow, kind, canonical(scope), person_id)
    if request is not None:
        request["content"] = content
    place = waiting or request
    assert place is not None
    raise SecondPersonNeeded(place["approval_id"], place["expires_at"][:10], request)


def _responsible_person(uow: UnitOfWork) -> str:
    """Return the id of the person who acts, or who answers for the key that acts.

    Raises:
        NotAllowed: no person does.
    """
    person_id = person_behind(uow, uow.actor.actor_id)
    same = uow.scope(people) & (people.c.person_id == person_id)
    if uow.fetch_one(sa.select(people.c.role).where(same, people.c.ended_at.is_(None))) is None:
        raise NotAllowed("No person answers for this key. Sign in, or use a key that you made.")
    return person_id


def _current(uow: UnitOfWork, kind: ApprovalKind, scope: str, person_id: str) -> list[Row]:
    """Return a person's requests for an act that have neither expired nor come to an end."""
    question = sa.select(*LISTED_COLUMNS).where(
        uow.scope(approvals),
        approvals.c.kind == kind,
        approvals.c.scope == scope,
        approvals.c.made_by == person_id,
        approvals.c.state.in_((ApprovalState.OPEN, ApprovalState.AGREED)),
        approvals.c.expires_at > uow.now,
    )
    return uow.fetch_all(question.order_by(approvals.c.made_at, approvals.c.approval_id))


def _request(uow: UnitOfWork, kind: ApprovalKind, scope: str, person_id: str) -> Row:
    """Return a new request as it is kept."""
    same = (approvals.c.scope == scope) & (approvals.c.made_by == person_id)
    earlier = uow.fetch_all(sa.select(approvals.c.approval_id).where(uow.scope(approvals), same))
    parts = (kind, scope, person_id, uow.now, str(len(earlier)))
    expires = dt.datetime.fromisoformat(uow.now) + dt.timedelta(APPROVAL_DAYS)
    return {
        "lane": uow.actor.chain,
        "approval_id": uow.keyed("approval", *parts)[:12],
        "kind": kind,
        "scope": scope,
        "state": ApprovalState.OPEN,
        "made_by": person_id,
        "made_at": uow.now,
        "expires_at": as_text(expires),
    }


def _event(uow: UnitOfWork, approval_id: str, outcome: str) -> AuditEvent:
    return AuditEvent("access", "approval", approval_id, outcome=outcome, chain=uow.actor.chain)


def decide_approval(uow: UnitOfWork, approval_id: str, *, agrees: bool) -> Approval:
    """Approve what another person asks to do, or reject it; return the result.

    Raises:
        NotFound: there is none of that id for the actor.
        NotAllowed: it is their own request, which they may only withdraw; or one of the two was
            lately invited by the other, or both by the same person; or they are a key; or whoever
            asked no longer has access.
        Conflict: it was decided already, or has expired.
    """
    approval = get_approval(uow, approval_id)
    uow.event.object_id = approval_id
    check_records(uow)
    if agrees:
        _check_approver(uow, approval)
    if approval["expires_at"] <= uow.now:
        raise Conflict("This request has expired. It has to be made again.")
    decided: dict[str, str | None] = {
        "state": ApprovalState.AGREED if agrees else ApprovalState.REFUSED
    }
    if not agrees:
        decided["content"] = None
    decided |= {"decided_by": uow.actor.actor_id, "decided_at": uow.now}
    still = (approvals.c.approval_id == approval_id) & (approvals.c.state == ApprovalState.OPEN)
    if not uow.update(approvals, still, decided):
        raise Conflict("This request has already been decided.")
    return get_approval(uow, approval_id)


def _check_approver(uow: UnitOfWork, approval: Approval) -> None:
    """Refuse somebody who may not approve a request.

    Raises:
        NotAllowed: see `decide_approval`.
    """
    approver = uow.actor.actor_id
    if _responsible_person(uow) != approver:
        raise NotAllowed("A key cannot approve. Sign in to approve.")
    if approver == approval["made_by"]:
        raise NotAllowed("Another person must approve your request.")
    if not _has_role(uow, approval["made_by"]):
        raise NotAllowed("The person who asked for this no longer has access.")
    check_independent(uow, approver, approval["made_by"])


def _has_role(uow: UnitOfWork, person_id: str) -> bool:
    """Whether a person has access in the actor's role."""
    person = Actor(uow.actor.organisation_id, person_id, uow.actor.role)
    try:
        return actor_now(uow, person).role == uow.actor.role
    except NotAllowed:
        return False


def get_approval(uow: UnitOfWork, approval_id: str) -> Approval:
    """Return a request that the actor may know of.

    Raises:
        NotFound: there is none of that id.
    """
    question = sa.select(*LISTED_COLUMNS).where(
        uow.scope(approvals),
        approvals.c.lane == uow.actor.chain,
        approvals.c.approval_id == approval_id,
    )
    for row in uow.fetch_all(question):
        approval = _read(row)
        if _is_visible(uow, approval):
            return approval
    raise NotFound(f"There is no request '{approval_id}'.")


def approval_content(uow: UnitOfWork, approval: Approval) -> bytes | None:
    """Return what is asked for, as it was kept; None once the request is settled or has expired.

    Raises:
        Conflict: it is not as it was kept.
    """
    this = approvals.c.approval_id == approval["approval_id"]
    row = uow.fetch_one(sa.select(approvals.c.content).where(uow.scope(approvals), this))
    if row is None or row["content"] is None or approval["expires_at"] <= uow.now:
        return None
    content = bytes(row["content"])
    if hashlib.sha256(content).hexdigest() != approval["scope"]["content_sha256"]:
        raise Conflict("What this request asks for is not as it was kept. It has to be made again.")
    return content


def clear_expired(uow: UnitOfWork) -> None:
    """Let what is asked for go with the time of its request."""
    has_expired = (approvals.c.expires_at <= uow.now) & approvals.c.content.is_not(None)
    uow.update(approvals, has_expired, {"content": None})


def list_approvals(uow: UnitOfWork) -> list[Approval]:
    """Return the requests that the actor may know of, the newest first."""
    is_theirs = approvals.c.lane == uow.actor.chain
    question = sa.select(*LISTED_COLUMNS).where(uow.scope(approvals), is_theirs)
    rows = uow.fetch_all(question.order_by(approvals.c.made_at.desc(), approvals.c.approval_id))
    return [approval for approval in map(_read, rows) if _is_visible(uow, approval)]


def waiting_approvals(uow: UnitOfWork) -> list[Approval]:
    """Return what waits for the actor: others' requests to approve, and their own once approved."""
    actor_id = uow.actor.actor_id
    return [
        row
        for row in list_approvals(uow)
        if row["expires_at"] > uow.now
        and (
            row["state"]
            == (ApprovalState.AGREED if row["made_by"] == actor_id else ApprovalState.OPEN)
        )
    ]


def _read(row: Row) -> Approval:
    return cast("Approval", row | {"scope": json.loads(row["scope"])})


def _is_visible(uow: UnitOfWork, approval: Approval) -> bool:
    """Whether none of what a request names is about the actor.

    Somebody whom it is about, or an alert in it, is not told that the request is there.
    """
    if approval["made_by"] == uow.actor.actor_id:
        return True
    scope = approval["scope"]
    if scope.get("person_id") == person_behind(uow, uow.actor.actor_id):
        return False
    alert_ids = set(scope.get("alert_ids", ()))
    if alert_ids:
        seen = sa.select(alerts.c.alert_id).where(
            uow.scope(alerts), not_about(uow, alerts), alerts.c.alert_id.in_(alert_ids)
        )
        if {row["alert_id"] for row in uow.fetch_all(seen)} != alert_ids:
            return False
    if case_id := scope.get("case_id"):
        case = sa.select(cases.c.case_id).where(
            uow.scope(cases), not_about_actor(uow, cases), cases.c.case_id == case_id
        )
        return uow.fetch_one(case) is not None
    return uow.actor.role == PSD or uow.actor.role in MANAGES
