"""Proposals: a policy, rule set, register or model that another person has to approve."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.api_keys import actor_now, person_behind
from cardwatch.casebook.documents import keep_document, put_in_force, read_document
from cardwatch.casebook.tables import proposals
from cardwatch.casebook.work import Actor
from cardwatch.errors import CardwatchError, Conflict, NotAllowed, NotFound

if TYPE_CHECKING:
    from cardwatch.casebook.work import Row, Work

OPEN, AGREED, REFUSED = "open", "agreed", "refused"


def propose(work: Work, kind: str, content: bytes, *, holds_from: str, reason: str) -> Row:
    """Keep a document and propose that it holds from a day on; return the proposal.

    Raises:
        CardwatchError: no reason is given.
    """
    if not reason.strip():
        raise CardwatchError("Enter a reason", field="reason")
    lane = work.actor.chain
    digest = keep_document(work, kind, content)
    name = work.keyed("proposal", lane, kind, digest, work.actor.actor_id, work.now)[:12]
    work.event.object_id = name
    row = {"proposal_id": name, "lane": lane, "kind": kind, "sha256": digest, "state": OPEN}
    row |= {"holds_from": holds_from, "reason": reason}
    if _find(work, name) is None:  # the same within one second is one
        work.add(proposals, [row | {"made_by": work.actor.actor_id, "made_at": work.now}])
    return get_proposal(work, name)


def decide_proposal(work: Work, proposal_id: str, *, agrees: bool) -> Row:
    """Approve a proposal, which activates it, or reject it; return the result.

    Raises:
        NotFound: there is none of that id for the actor.
        NotAllowed: it is their own, or that of a key they made, which they may only withdraw; or of
            another role; or they are a key that records no decisions; or whoever proposed it no
            longer has access.
        Conflict: it was decided already.
    """
    found = get_proposal(work, proposal_id)
    work.event.object_id = proposal_id
    if agrees and person_behind(work, found["made_by"]) == person_behind(work, work.actor.actor_id):
        raise NotAllowed("Another person must approve your proposal.")
    if found["lane"] != work.actor.role:
        raise NotAllowed("This role decides no such proposal.")
    if not work.actor.can_decide:
        raise NotAllowed("This key records no decisions. Sign in, or make a key that may.")
    if agrees and not _still_proposes(work, found):
        raise NotAllowed("The person who proposed this no longer has access. Propose it again.")
    decided = {"state": AGREED if agrees else REFUSED}
    decided |= {"decided_by": work.actor.actor_id, "decided_at": work.now}
    still = (proposals.c.proposal_id == proposal_id) & (proposals.c.state == OPEN)
    if not work.change(proposals, still, decided):
        raise Conflict("This proposal has already been decided.")
    if agrees:
        content = read_document(work, found["sha256"])
        put_in_force(work, found["kind"], content, found["holds_from"])
    return get_proposal(work, proposal_id)


def _still_proposes(work: Work, proposal: Row) -> bool:
    """Whether the person who proposed it still has access, in the same role."""
    proposer = Actor(work.actor.organisation_id, proposal["made_by"], proposal["lane"])
    try:
        return actor_now(work, proposer).role == proposal["lane"]
    except NotAllowed:
        return False


def get_proposal(work: Work, proposal_id: str) -> Row:
    """Return a proposal of the actor's lanes.

    Raises:
        NotFound: there is none of that id.
    """
    found = _find(work, proposal_id)
    if found is None:
        raise NotFound(f"There is no proposal '{proposal_id}'.")
    return found


def list_proposals(work: Work) -> list[Row]:
    """Return the proposals of the actor's lanes, the newest first."""
    question = sa.select(proposals).where(work.mine(proposals))
    return work.rows(question.order_by(proposals.c.made_at.desc(), proposals.c.proposal_id))


def _find(work: Work, proposal_id: str) -> Row | None:
    same = proposals.c.proposal_id == proposal_id
    return work.one(sa.select(proposals).where(work.mine(proposals), same))
