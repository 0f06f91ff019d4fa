"""Page on which finance makes the file that is published, and answers to usual questions."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

from fastapi import APIRouter, Request, Response

from api.deps import AppStateDep, Context
from api.downloads import publication_check, publication_response
from api.quotas import ExportContext
from api.web.base import FormFields, number, render, sent_form, shown_again
from cardwatch import services
from cardwatch.reports.publication import USUAL_POUNDS

if TYPE_CHECKING:
    from api.schemas.reports import PublicationForm

router = APIRouter()


class Wanted(TypedDict):
    """Fields of the form for a publication."""

    period: str
    redactions: str
    over_pounds: int


@router.get("/publication")
def show_publication(request: Request, context: Context) -> Response:
    """Show the form for the payments of a period as they are published."""
    services.check_publishes(context)
    usual = {"period": services.last_quarter(context.now.date()), "over_pounds": str(USUAL_POUNDS)}
    return render(request, "publication.html", form=sent_form(request) or usual, check=None)


@router.post("/publication")
@shown_again(show_publication, otherwise="redactions")
def preview(request: Request, context: Context, service: AppStateDep, form: FormFields) -> Response:
    """Count what would be published, redacted and left out."""
    check = publication_check(context, service, **_wanted(form))
    return render(request, "publication.html", form=form, check=check)


@router.post("/publication/file")
@shown_again(show_publication, otherwise="redactions")
def publish(
    request: Request, context: ExportContext, service: AppStateDep, form: FormFields
) -> Response:
    """Give the file that is published, or answers to the usual questions."""
    kind: PublicationForm = "zip" if form.get("form") == "zip" else "csv"
    return publication_response(context, service, form=kind, **_wanted(form))


def _wanted(form: FormFields) -> Wanted:
    return {
        "period": form.get("period", ""),
        "redactions": form.get("redactions", ""),
        "over_pounds": number(form.get("over_pounds", str(USUAL_POUNDS))),
    }
