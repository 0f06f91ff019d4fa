"""Proposals: a policy, rule set, register or model that another person has to approve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.api_keys import actor_now, person_behind
from cardwatch.casebook.documents import activate_document, keep_document, read_document
from cardwatch.casebook.people import check_independent
from cardwatch.casebook.permissions import check_records
from cardwatch.casebook.rows import Proposal
from cardwatch.casebook.tables import proposals
from cardwatch.casebook.unit_of_work import Actor
from cardwatch.errors import CardwatchError, Conflict, NotAllowed, NotFound

if TYPE_CHECKING:
    from cardwatch.casebook.unit_of_work import UnitOfWork

OPEN, AGREED, REFUSED = "open", "agreed", "refused"


def propose(
    uow: UnitOfWork, kind: str, content: bytes, *, effective_from: str, reason: str
) -> Proposal:
    """Keep a document and propose that it holds from a day on; return the proposal.

    Raises:
        CardwatchError: no reason is given.
    """
    if not reason.strip():
        raise CardwatchError("Enter a reason", field="reason")
    lane = uow.actor.chain
    digest = keep_document(uow, kind, content)
    name = uow.keyed("proposal", lane, kind, digest, uow.actor.actor_id, uow.now)[:12]
    uow.event.object_id = name
    row = {"proposal_id": name, "lane": lane, "kind": kind, "sha256": digest, "state": OPEN}
    row |= {"effective_from": effective_from, "reason": reason}
    if _find(uow, name) is None:  # the same within one second is one
        uow.insert(proposals, [row | {"made_by": uow.actor.actor_id, "made_at": uow.now}])
    return get_proposal(uow, name)


def decide_proposal(uow: UnitOfWork, proposal_id: str, *, agrees: bool) -> Proposal:
    """Approve a proposal, which activates it, or reject it; return the result.

    Raises:
        NotFound: there is none of that id for the actor.
        NotAllowed: it is their own, or that of a key they made, which they may only withdraw; or of
            another role; or they are a key that records no decisions; or whoever proposed it no
            longer has access; or one was lately invited by the other, or both by the same person.
        Conflict: it was decided already.
    """
    proposal = get_proposal(uow, proposal_id)
    uow.event.object_id = proposal_id
    proposer, person = (
        person_behind(uow, actor_id) for actor_id in (proposal["made_by"], uow.actor.actor_id)
    )
    if agrees and proposer == person:
        raise NotAllowed("Another person must approve your proposal.")
    if proposal["lane"] != uow.actor.role:
        raise NotAllowed("Your role cannot decide this proposal.")
    check_records(uow)
    if agrees and not _still_proposes(uow, proposal):
        raise NotAllowed("The person who proposed this no longer has access. Propose it again.")
    if agrees:
        check_independent(uow, proposer, person)
    decided = {"state": AGREED if agrees else REFUSED}
    decided |= {"decided_by": uow.actor.actor_id, "decided_at": uow.now}
    still = (proposals.c.proposal_id == proposal_id) & (proposals.c.state == OPEN)
    if not uow.update(proposals, still, decided):
        raise Conflict("This proposal has already been decided.")
    if agrees:
        content = read_document(uow, proposal["sha256"])
        activate_document(uow, proposal["kind"], content, proposal["effective_from"])
    return get_proposal(uow, proposal_id)


def _still_proposes(uow: UnitOfWork, proposal: Proposal) -> bool:
    """Whether the person who proposed it still has access, in the same role."""
    proposer = Actor(uow.actor.organisation_id, proposal["made_by"], proposal["lane"])
    try:
        return actor_now(uow, proposer).role == proposal["lane"]
    except NotAllowed:
        return False


def get_proposal(uow: UnitOfWork, proposal_id: str) -> Proposal:
    """Return a proposal of the actor's lanes.

    Raises:
        NotFound: there is none of that id.
    """
    proposal_row = _find(uow, proposal_id)
    if proposal_row is None:
        raise NotFound(f"There is no proposal '{proposal_id}'.")
    return proposal_row


def list_proposals(uow: UnitOfWork) -> list[Proposal]:
    """Return the proposals of the actor's lanes, the newest first."""
    question = sa.select(proposals).where(uow.scope(proposals))
    return uow.fetch_all(
        question.order_by(proposals.c.made_at.desc(), proposals.c.proposal_id), Proposal
    )


def _find(uow: UnitOfWork, proposal_id: str) -> Proposal | None:
    same = proposals.c.proposal_id == proposal_id
    return uow.fetch_one(sa.select(proposals).where(uow.scope(proposals), same), Proposal)
