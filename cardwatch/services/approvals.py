"""Requests that need two people: shown, approved and rejected."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from cardwatch.casebook import AuditEvent, approvals
from cardwatch.services.context import public_row
from cardwatch.services.people import KEEPERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.rows import Approval
    from cardwatch.services.context import ServiceContext


@contextmanager
def _work(context: ServiceContext, event: AuditEvent) -> Iterator[UnitOfWork]:
    """Begin a piece of work on the requests of the actor's chain.

    Raises:
        NotAllowed: the role does nothing that needs two people.
    """
    lanes = tuple(dict.fromkeys((*context.actor.lanes, context.actor.chain)))
    with context.work(event, lanes) as uow:
        context.allow(KEEPERS, "see requests for an approval")
        yield uow


def list_approvals(context: ServiceContext) -> list[Approval]:
    """Return the requests that the actor may know of, the newest first."""
    with _work(context, AuditEvent("consultation", "approvals")) as uow:
        return [public_row(row) for row in approvals.list_approvals(uow)]


def get_approval(context: ServiceContext, approval_id: str) -> Approval:
    """Return a request; see `casebook.approvals.get_approval`."""
    event = AuditEvent("consultation", "approval")
    with _work(context, event) as uow:
        approval = approvals.get_approval(uow, approval_id)
        event.object_id = approval["approval_id"]
        return public_row(approval)


def decide_approval(context: ServiceContext, approval_id: str, *, agrees: bool) -> Approval:
    """Approve a request or reject it; see `casebook.approvals.decide_approval`."""
    event = AuditEvent("access", "approval", outcome="approved" if agrees else "rejected")
    with _work(context, event) as uow:
        return public_row(approvals.decide_approval(uow, approval_id, agrees=agrees))
