"""Pages about people's rights: the subject-access pack."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.deps import AppStateDep, Context
from api.downloads import as_file
from api.web.base import RequestModel, field_errors, render
from cardwatch import services
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
    request: Request, context: Context, service: AppStateDep, sent: RequestModel
) -> Response:
    """Give what is held about a cardholder as a ZIP file."""
    identifiers = sent.get("identifiers", "").splitlines()
    try:
        with service.scoring():
            content = services.make_subject_access_pack(
                context, identifiers, marking=service.settings.marking, key=service.signing_key
            )
    except CardwatchError as refusal:
        return _subject_access_page(request, sent, field_errors(refusal))
    return as_file(content, SUBJECT_ACCESS_FILENAME)


def _subject_access_page(
    request: Request, form: dict[str, str], errors: dict[str, str]
) -> Response:
    return render(request, "subject_access.html", sent=form, errors=errors)
