"""Page on which finance makes the file that is published, and answers to usual questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from fastapi import APIRouter, Request, Response

from api.deps import AppStateDep, Context
from api.downloads import publication_check, publication_response
from api.quotas import ExportContext
from api.web.base import FormFields, field_errors, number, render
from cardwatch import services
from cardwatch.errors import CardwatchError
from cardwatch.reports.publication import USUAL_POUNDS

if TYPE_CHECKING:
    from api.schemas.reports import PublicationForm

router = APIRouter()


class Wanted(TypedDict):
    """What the form asks to be published."""

    period: str
    redactions: str
    over_pounds: int


@router.get("/publication")
def show_publication(request: Request, context: Context) -> Response:
    """Show the form for the payments of a period as they are published."""
    services.check_publishes(context)
    form = {"period": services.last_quarter(context.now.date()), "over_pounds": str(USUAL_POUNDS)}
    return render(request, "publication.html", form=form, errors={}, check=None)


@router.post("/publication")
def preview(request: Request, context: Context, service: AppStateDep, form: FormFields) -> Response:
    """Count what would be published, redacted and left out."""
    try:
        check = publication_check(context, service, **_wanted(form))
    except CardwatchError as refusal:
        return _refused(request, form, refusal)
    return render(request, "publication.html", form=form, errors={}, check=check)


@router.post("/publication/file")
def publish(
    request: Request, context: ExportContext, service: AppStateDep, form: FormFields
) -> Response:
    """Give the file that is published, or answers to the usual questions."""
    kind: PublicationForm = "zip" if form.get("form") == "zip" else "csv"
    try:
        return publication_response(context, service, form=kind, **_wanted(form))
    except CardwatchError as refusal:
        return _refused(request, form, refusal)


def _wanted(form: FormFields) -> Wanted:
    return {
        "period": form.get("period", ""),
        "redactions": form.get("redactions", ""),
        "over_pounds": number(form.get("over_pounds", str(USUAL_POUNDS))),
    }


def _refused(request: Request, form: FormFields, refusal: CardwatchError) -> Response:
    errors = field_errors(refusal, otherwise="redactions")
    return render(request, "publication.html", form=form, errors=errors, check=None)
