"""Pages of retention, the webhook and health."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from api.deps import AppStateDep, Context, VerifiedContext
from api.notifications import check_address
from api.web.base import FormFields, confirm, number, redirect, render, sent_form, shown_again
from cardwatch import services
from cardwatch.casebook.retention import LEAST_DAYS
from cardwatch.casebook.tables import MANAGES
from cardwatch.errors import CardwatchError, NotAllowed, SecondPersonNeeded
from cardwatch.quantities import quantity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardwatch.services.answers import ExpiredStatement

router = APIRouter()
RETENTION_CLASSES = {
    "transactions": "Payments of statements, counted from the statement's last day",
    "alerts": "Alerts that were answered or closed, counted from their last payment. Open alerts "
    "and those on hold are kept",
    "cases": "Closed cases of professional standards, counted from the day they were closed",
    "registers": "Versions of registers, counted from the day received. The newest of each, and "
    "those by which a kept alert was raised, are kept",
    "notices": "Notices sent to other systems",
    "complaints": "Complaints and objections, counted from the day of the answer",
}


@router.get("/retention")
def show_retention(request: Request, context: Context) -> Response:
    """Show the retention periods, and what has expired."""
    keeps = services.retention_periods(context)
    return render(
        request, "retention.html",
        form={kind: str(days) for kind, days in keeps.items()} | sent_form(request),
        keeps=keeps, kept=RETENTION_CLASSES,
        least=LEAST_DAYS, past=services.list_expired(context), may=context.actor.role in MANAGES,
        daily=request.app.state.service.settings.erase,
    )  # fmt: skip


@router.post("/retention")
@shown_again(show_retention)
def set_retention(request: Request, context: VerifiedContext, form: FormFields) -> Response:
    """Set for how many days each class of data is kept, where it was changed.

    Raises:
        SecondPersonNeeded: a period is to be shorter.
    """
    if context.actor.role not in MANAGES:
        raise NotAllowed("Only an administrator can change retention periods.")
    keeps, waits = services.retention_periods(context), None
    for kind in keeps:
        days = number(form.get(kind, ""))
        if days == keeps[kind]:
            continue
        try:
            services.retention_periods(context, kind=kind, days=days)
        except SecondPersonNeeded as refusal:  # the others are set first
            waits = refusal
        except CardwatchError as refusal:
            refusal.field = kind if refusal.field == "days" else refusal.field
            raise
    if waits:
        raise waits
    return redirect("/retention", "retention-saved")


@router.get("/retention/erasure")
def show_erasing(request: Request, context: Context) -> Response:
    """Ask whether expired data should be deleted."""
    if context.actor.role not in MANAGES:
        raise NotAllowed("Your role cannot delete data.")
    past = services.list_expired(context)
    return confirm(
        request, "Delete expired data?", "/retention",
        f"{_statements(past)} Closed alerts, closed cases, earlier versions of registers and "
        "notices that have expired are deleted too. Data on hold is kept. You cannot undo this.",
        "Delete permanently",
    )  # fmt: skip


def _statements(past: Sequence[ExpiredStatement]) -> str:
    """Say which statements a deletion takes."""
    if not past:
        return "No statement has expired."
    count = sum(statement["transactions"] for statement in past)
    files = quantity(len(past), "statement")
    return f"This deletes {files} with {quantity(count, 'payment')}."


@router.post("/retention/erasure")
def erase(request: Request, context: VerifiedContext) -> Response:
    """Delete expired data and not held, and say how many payments went."""
    return render(request, "erased.html", count=services.erase(context))


@router.get("/webhook")
def show_webhook(request: Request, context: Context) -> Response:
    """Show where notices of the caller's list go, with the form to set it."""
    return render(request, "webhook.html", held=services.list_webhooks(context), secret="")


@router.post("/webhook")
@shown_again(show_webhook)
def set_webhook(
    request: Request, context: Context, service: AppStateDep, form: FormFields
) -> Response:
    """Send notices of the caller's list to an address; the secret is shown this once."""
    services.list_webhooks(context)  # says who may
    check_address(service.settings, form.get("url", ""))
    secret = services.set_webhook(context, form.get("url", ""), service.seal)
    return render(request, "webhook.html", held=services.list_webhooks(context), secret=secret)


@router.get("/webhook/end")
def show_ending_webhook(request: Request, context: Context) -> Response:
    """Ask whether notices are to stop."""
    services.list_webhooks(context)
    return confirm(
        request, "Stop sending notices?", "/webhook",
        "The other system gets no more notices. Its secret is deleted.", "Stop sending",
    )  # fmt: skip


@router.post("/webhook/end")
def end_webhook(context: Context) -> Response:
    """Send notices of the caller's list nowhere any more."""
    services.end_webhook(context)
    return redirect("/webhook", "webhook-ended")


@router.get("/health")
def show_health(request: Request, context: Context) -> Response:
    """Show the health checks, and whether the model is loaded."""
    return render(request, "health.html", found=services.health(context))
