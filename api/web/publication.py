"""Page on which finance makes the file that is published, and answers to usual questions."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.deps import AppStateDep, Context
from api.downloads import publication_response
from api.quotas import ExportContext
from api.schemas.reports import PublicationCheck
from api.web.base import RequestModel, field_errors, number, render
from cardwatch import services
from cardwatch.errors import CardwatchError
from cardwatch.reports.publication import USUAL_POUNDS

router = APIRouter()
PUBLICATION_FORMS = ("json", "csv", "zip")


@router.get("/publication")
def show_publication(request: Request, context: Context) -> Response:
    """Show the form for the payments of a period as they are published."""
    services.check_publishes(context)
    sent = {"period": services.last_quarter(context.now.date()), "over_pounds": str(USUAL_POUNDS)}
    return render(request, "publication.html", sent=sent, errors={}, check=None)


@router.post("/publication")
def publish(
    request: Request, context: ExportContext, service: AppStateDep, form: RequestModel
) -> Response:
    """Show what would be redacted, or give the file or the answers."""
    kind = form.get("form", "json")
    try:
        answer = publication_response(
            context,
            service,
            period=form.get("period", ""),
            redactions=form.get("redactions", ""),
            over_pounds=number(form.get("over_pounds", str(USUAL_POUNDS))),
            form=kind if kind in PUBLICATION_FORMS else "json",
        )
    except CardwatchError as refusal:
        errors = field_errors(refusal, otherwise="redactions")
        return render(request, "publication.html", sent=form, errors=errors, check=None)
    if kind in PUBLICATION_FORMS[1:]:
        return answer
    check = PublicationCheck.model_validate_json(bytes(answer.body))
    return render(request, "publication.html", sent=form, errors={}, check=check)
