"""Routes of requests that need two people: list, approve and reject."""

from __future__ import annotations

from fastapi import APIRouter

from api.deps import AppStateDep, Context, VerifiedContext, comparing
from api.schemas.base import Id
from cardwatch import services
from cardwatch.casebook import rows

router = APIRouter(tags=["people"])


@router.get("/approvals")
def list_approvals(context: Context) -> list[rows.Approval]:
    """List requests that need another person, the newest first."""
    return services.list_approvals(context)


@router.get("/approvals/{approval_id}")
def get_approval(approval_id: Id, context: Context, service: AppStateDep) -> rows.Approval:
    """Show a request: what is asked for, by whom, and whether it was approved."""
    with comparing(service, context, approval_id):
        return services.get_approval(context, approval_id)


@router.post("/approvals/{approval_id}/agreement")
def approve_request(
    approval_id: Id, context: VerifiedContext, service: AppStateDep
) -> rows.Approval:
    """Approve another person's request, who may then do it once; no key approves."""
    with comparing(service, context, approval_id):
        return services.decide_approval(context, approval_id, agrees=True)


@router.post("/approvals/{approval_id}/refusal")
def reject_request(approval_id: Id, context: Context) -> rows.Approval:
    """Reject a request, or withdraw one's own."""
    return services.decide_approval(context, approval_id, agrees=False)
