"""The log of complaints and objections, for who acts for the data protection officer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardwatch.casebook import AuditEvent, complaints
from cardwatch.casebook.tables import OVERSEES

if TYPE_CHECKING:
    from cardwatch.casebook.complaints import NewComplaint
    from cardwatch.casebook.rows import Complaint
    from cardwatch.services.context import ServiceContext

COMPLAINTS_REFUSAL = "see complaints"


def list_complaints(context: ServiceContext) -> list[Complaint]:
    """Return the complaints, those that wait first.

    Raises:
        NotAllowed: the role does not oversee data protection.
    """
    with context.work(AuditEvent("consultation", "complaints"), ()) as uow:
        context.allow(OVERSEES, COMPLAINTS_REFUSAL)
        return complaints.list_complaints(uow)


def get_complaint(context: ServiceContext, complaint_id: str) -> Complaint:
    """Return one complaint; see `casebook.complaints.get_complaint`."""
    with context.work(AuditEvent("consultation", "complaint"), ()) as uow:
        context.allow(OVERSEES, COMPLAINTS_REFUSAL)
        return complaints.get_complaint(uow, complaint_id)


def add_complaint(context: ServiceContext, new: NewComplaint) -> str:
    """Record a complaint; return its id; see `casebook.complaints.add_complaint`."""
    with context.work(AuditEvent("collection", "complaint"), ()) as uow:
        context.allow(OVERSEES, COMPLAINTS_REFUSAL)
        return complaints.add_complaint(uow, new)


def acknowledge_complaint(context: ServiceContext, complaint_id: str, day: str) -> Complaint:
    """Record an acknowledgement; see `casebook.complaints.acknowledge`."""
    with context.work(AuditEvent("alteration", "complaint"), ()) as uow:
        context.allow(OVERSEES, COMPLAINTS_REFUSAL)
        complaints.acknowledge(uow, complaint_id, day)
        return complaints.get_complaint(uow, complaint_id)


def answer_complaint(
    context: ServiceContext, complaint_id: str, day: str, answer: str
) -> Complaint:
    """Record an answer; see `casebook.complaints.answer_complaint`."""
    with context.work(AuditEvent("alteration", "complaint"), ()) as uow:
        context.allow(OVERSEES, COMPLAINTS_REFUSAL)
        complaints.answer_complaint(uow, complaint_id, day, answer)
        return complaints.get_complaint(uow, complaint_id)
