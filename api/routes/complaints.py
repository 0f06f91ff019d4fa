"""Routes of complaints and objections about the use of personal data."""

from __future__ import annotations

from fastapi import APIRouter

from api.deps import Context
from api.schemas.base import Id
from api.schemas.complaints import AcknowledgementCreate, AnswerCreate, ComplaintCreate
from cardwatch import services
from cardwatch.casebook import rows
from cardwatch.casebook.complaints import NewComplaint

router = APIRouter(tags=["complaints"])


@router.get("/complaints")
def list_complaints(context: Context) -> list[rows.Complaint]:
    """List complaints and objections, those that wait first, with the days that the law sets."""
    return services.list_complaints(context)


@router.post("/complaints", status_code=201)
def add_complaint(body: ComplaintCreate, context: Context) -> rows.Complaint:
    """Record a complaint or objection."""
    complaint_id = services.add_complaint(context, NewComplaint(**body.model_dump()))
    return services.get_complaint(context, complaint_id)


@router.get("/complaints/{complaint_id}")
def get_complaint(complaint_id: Id, context: Context) -> rows.Complaint:
    """Show one complaint or objection."""
    return services.get_complaint(context, complaint_id)


@router.post("/complaints/{complaint_id}/acknowledgement")
def acknowledge_complaint(
    complaint_id: Id, body: AcknowledgementCreate, context: Context
) -> rows.Complaint:
    """Record on which day a complaint was acknowledged."""
    return services.acknowledge_complaint(context, complaint_id, body.acknowledged_on)


@router.post("/complaints/{complaint_id}/answer")
def answer_complaint(complaint_id: Id, body: AnswerCreate, context: Context) -> rows.Complaint:
    """Record the answer to a complaint or objection."""
    return services.answer_complaint(context, complaint_id, body.answered_on, body.answer)
