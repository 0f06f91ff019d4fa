"""Pages about people's rights: the subject-access pack, complaints and objections."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.deps import AppStateDep, Context
from api.downloads import as_file
from api.quotas import ExportContext
from api.web.base import FormFields, redirect, render, sent_form, shown_again
from cardwatch import services
from cardwatch.casebook.complaints import NewComplaint
from cardwatch.reports.subject_access import SUBJECT_ACCESS_FILENAME

router = APIRouter()


@router.get("/subject-access")
def show_subject_access(request: Request, context: Context) -> Response:
    """Show the form for a subject-access pack."""
    services.check_oversees(context)
    return render(request, "subject_access.html")


@router.post("/subject-access")
@shown_again(show_subject_access)
def make_subject_access(
    request: Request, context: ExportContext, service: AppStateDep, form: FormFields
) -> Response:
    """Give what is held about a cardholder as a ZIP file."""
    identifiers = form.get("identifiers", "").splitlines()
    with service.scoring():
        content = services.make_subject_access_pack(
            context, identifiers, marking=service.settings.marking, key=service.signing_key
        )
    return as_file(content, SUBJECT_ACCESS_FILENAME)


@router.get("/complaints")
def list_complaints(request: Request, context: Context) -> Response:
    """Show complaints and objections, those that wait first, and the form for a new one."""
    form = {"received_on": str(context.now.date())} | sent_form(request)
    complaints = services.list_complaints(context)
    return render(request, "complaints.html", complaints=complaints, form=form)


@router.post("/complaints")
@shown_again(list_complaints)
def add_complaint(request: Request, context: Context, form: FormFields) -> Response:
    """Record a complaint or objection."""
    new = NewComplaint(
        kind=form.get("kind", ""),
        person=form.get("person", ""),
        subject=form.get("subject", ""),
        received_on=form.get("received_on", ""),
    )
    return redirect(f"/complaints/{services.add_complaint(context, new)}", "recorded")


@router.get("/complaints/{complaint_id}")
def show_complaint(request: Request, context: Context, complaint_id: str) -> Response:
    """Show one complaint or objection, with the form for its next step."""
    complaint, today = services.get_complaint(context, complaint_id), str(context.now.date())
    form = {"acknowledged_on": today, "answered_on": today} | sent_form(request)
    return render(request, "complaint.html", complaint=complaint, form=form)


@router.post("/complaints/{complaint_id}/acknowledgement")
@shown_again(show_complaint)
def acknowledge_complaint(
    request: Request, context: Context, complaint_id: str, form: FormFields
) -> Response:
    """Record when a complaint was acknowledged."""
    services.acknowledge_complaint(context, complaint_id, form.get("acknowledged_on", ""))
    return redirect(f"/complaints/{complaint_id}", "recorded")


@router.post("/complaints/{complaint_id}/answer")
@shown_again(show_complaint)
def answer_complaint(
    request: Request, context: Context, complaint_id: str, form: FormFields
) -> Response:
    """Record the answer to a complaint or objection."""
    day, answer = form.get("answered_on", ""), form.get("answer", "")
    services.answer_complaint(context, complaint_id, day, answer)
    return redirect(f"/complaints/{complaint_id}", "recorded")
