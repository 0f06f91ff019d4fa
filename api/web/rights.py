"""Pages about people's rights: the subject-access pack, complaints and objections."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.deps import AppStateDep, Context
from api.downloads import as_file
from api.quotas import ExportContext
from api.web.base import FormFields, field_errors, redirect, render
from cardwatch import services
from cardwatch.casebook.complaints import NewComplaint
from cardwatch.errors import CardwatchError
from cardwatch.reports.subject_access import SUBJECT_ACCESS_FILENAME

router = APIRouter()


@router.get("/subject-access")
def show_subject_access(request: Request, context: Context) -> Response:
    """Show the form for a subject-access pack."""
    services.check_oversees(context)
    return _subject_access_page(request, {}, {})


@router.post("/subject-access")
def make_subject_access(
    request: Request, context: ExportContext, service: AppStateDep, form: FormFields
) -> Response:
    """Give what is held about a cardholder as a ZIP file."""
    identifiers = form.get("identifiers", "").splitlines()
    try:
        with service.scoring():
            content = services.make_subject_access_pack(
                context, identifiers, marking=service.settings.marking, key=service.signing_key
            )
    except CardwatchError as refusal:
        return _subject_access_page(request, form, field_errors(refusal))
    return as_file(content, SUBJECT_ACCESS_FILENAME)


def _subject_access_page(
    request: Request, form: dict[str, str], errors: dict[str, str]
) -> Response:
    return render(request, "subject_access.html", form=form, errors=errors)


@router.get("/complaints")
def list_complaints(request: Request, context: Context) -> Response:
    """Show complaints and objections, those that wait first, and the form for a new one."""
    return _complaints_page(request, context, {}, {})


@router.post("/complaints")
def add_complaint(request: Request, context: Context, form: FormFields) -> Response:
    """Record a complaint or objection."""
    new = NewComplaint(
        kind=form.get("kind", ""),
        person=form.get("person", ""),
        subject=form.get("subject", ""),
        received_on=form.get("received_on", ""),
    )
    try:
        complaint_id = services.add_complaint(context, new)
    except CardwatchError as refusal:
        return _complaints_page(request, context, form, field_errors(refusal))
    return redirect(f"/complaints/{complaint_id}", "recorded")


def _complaints_page(
    request: Request, context: Context, form: dict[str, str], errors: dict[str, str]
) -> Response:
    rows = services.list_complaints(context)
    today = str(context.now.date())
    return render(
        request, "complaints.html", complaints=rows, form={"received_on": today} | form,
        errors=errors,
    )  # fmt: skip


@router.get("/complaints/{complaint_id}")
def show_complaint(request: Request, context: Context, complaint_id: str) -> Response:
    """Show one complaint or objection, with the form for its next step."""
    return _complaint_page(request, context, complaint_id, {}, {})


@router.post("/complaints/{complaint_id}/acknowledgement")
def acknowledge_complaint(
    request: Request, context: Context, complaint_id: str, form: FormFields
) -> Response:
    """Record when a complaint was acknowledged."""
    try:
        services.acknowledge_complaint(context, complaint_id, form.get("acknowledged_on", ""))
    except CardwatchError as refusal:
        return _complaint_page(request, context, complaint_id, form, field_errors(refusal))
    return redirect(f"/complaints/{complaint_id}", "recorded")


@router.post("/complaints/{complaint_id}/answer")
def answer_complaint(
    request: Request, context: Context, complaint_id: str, form: FormFields
) -> Response:
    """Record the answer to a complaint or objection."""
    day, answer = form.get("answered_on", ""), form.get("answer", "")
    try:
        services.answer_complaint(context, complaint_id, day, answer)
    except CardwatchError as refusal:
        return _complaint_page(request, context, complaint_id, form, field_errors(refusal))
    return redirect(f"/complaints/{complaint_id}", "recorded")


def _complaint_page(
    request: Request,
    context: Context,
    complaint_id: str,
    form: dict[str, str],
    errors: dict[str, str],
) -> Response:
    complaint = services.get_complaint(context, complaint_id)
    today = str(context.now.date())
    return render(
        request, "complaint.html", complaint=complaint, errors=errors,
        form={"acknowledged_on": today, "answered_on": today} | form,
    )  # fmt: skip
