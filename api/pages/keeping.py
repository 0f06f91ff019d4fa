"""Pages of retention, the webhook and health."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.deps import At, Serving
from api.pages.page import Sent, confirm, field_errors, go, number, render
from api.sending import check_address
from cardwatch import desk
from cardwatch.casebook.retention import LEAST_DAYS
from cardwatch.casebook.tables import MANAGES
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.quantities import quantity

router = APIRouter()
KEPT = {
    "transactions": "Payments of statements, counted from the statement's last day",
    "alerts": "Alerts that were answered or closed, counted from their last payment. Open alerts "
    "and those on hold are kept",
    "notices": "Notices sent to other systems",
}


@router.get("/retention")
def show_retention(request: Request, at: At) -> Response:
    """Show for how long data is kept, and what is past its time."""
    return _retention_page(request, at, {}, {})


def _retention_page(
    request: Request, at: At, sent: dict[str, str], errors: dict[str, str]
) -> Response:
    keeps = desk.keeps(at)
    return render(
        request, "retention.html", errors=errors,
        sent={kind: str(days) for kind, days in keeps.items()} | sent, keeps=keeps, kept=KEPT,
        least=LEAST_DAYS, past=desk.list_expired(at), may=at.actor.role in MANAGES,
        daily=request.app.state.service.settings.erase,
    )  # fmt: skip


@router.post("/retention")
def set_retention(request: Request, at: At, sent: Sent) -> Response:
    """Set for how many days each class of data is kept, where it was changed."""
    if at.actor.role not in MANAGES:
        raise NotAllowed("Only an administrator can change retention periods.")
    keeps = desk.keeps(at)
    for kind in keeps:
        days = number(sent.get(kind, ""))
        if days == keeps[kind]:
            continue
        try:
            desk.keeps(at, kind=kind, days=days)
        except CardwatchError as refusal:
            return _retention_page(request, at, sent, field_errors(refusal, {"days": kind}))
    return go("/retention")


@router.get("/retention/erasure")
def show_erasing(request: Request, at: At) -> Response:
    """Ask whether what is past its time is to be erased."""
    if at.actor.role not in MANAGES:
        raise NotAllowed("Your role cannot delete data.")
    past = desk.list_expired(at)
    count = sum(one["transactions"] for one in past)
    files = quantity(len(past), "statement")
    return confirm(
        request, "Delete expired data?", "/retention",
        f"This deletes {files} with {quantity(count, 'payment')}, and the closed alerts of that "
        "time. Data on hold is kept. You cannot undo this.", "Delete permanently",
    )  # fmt: skip


@router.post("/retention/erasure")
def erase(request: Request, at: At) -> Response:
    """Delete expired data and not held, and say how many payments went."""
    return render(request, "erased.html", count=desk.erase(at))


@router.get("/webhook")
def show_webhook(request: Request, at: At) -> Response:
    """Show where notices of the caller's list go, with the form to set it."""
    return _webhook_page(request, at, {}, {})


def _webhook_page(
    request: Request, at: At, sent: dict[str, str], errors: dict[str, str], secret: str = ""
) -> Response:
    held = desk.list_webhooks(at)
    return render(
        request, "webhook.html", errors=errors, sent=sent,
        held=held, secret=secret,
    )  # fmt: skip


@router.post("/webhook")
def set_webhook(request: Request, at: At, service: Serving, sent: Sent) -> Response:
    """Send notices of the caller's list to an address; the secret is shown this once."""
    desk.list_webhooks(at)  # says who may
    try:
        check_address(service.settings, sent.get("url", ""))
        secret = desk.set_webhook(at, sent.get("url", ""), service.seal)
    except CardwatchError as refusal:
        return _webhook_page(request, at, sent, field_errors(refusal))
    return _webhook_page(request, at, {}, {}, secret)


@router.get("/webhook/end")
def show_ending_webhook(request: Request, at: At) -> Response:
    """Ask whether notices are to stop."""
    desk.list_webhooks(at)
    return confirm(
        request, "Stop sending notices?", "/webhook",
        "The other system gets no more notices. Its secret is deleted.", "Stop sending",
    )  # fmt: skip


@router.post("/webhook/end")
def end_webhook(at: At) -> Response:
    """Send notices of the caller's list nowhere any more."""
    desk.end_webhook(at)
    return go("/webhook")


@router.get("/health")
def show_health(request: Request, at: At) -> Response:
    """Show the health checks, and whether the model is loaded."""
    return render(request, "health.html", found=desk.health(at))
