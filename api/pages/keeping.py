"""Pages of how long data is kept, what is held or closed unasked, where notices go, and health."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response

from api.deps import At, Serving
from api.pages.page import Sent, confirm, found_by, go, number, render, told
from api.sending import check_address
from cardwatch import desk
from cardwatch.casebook.retention import LEAST_DAYS
from cardwatch.casebook.tables import MANAGES
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.quantities import quantity

router = APIRouter()
KEPT = {
    "transactions": "Payments of statements, counted from the statement's last day",
    "alerts": "Questions that were answered or closed, counted from their last payment. One that "
    "is open, or held, stays",
    "notices": "Notices that were sent to other systems",
}


@router.get("/holds")
def list_holds(request: Request, at: At) -> Response:
    """Show what is kept beyond its time."""
    return render(request, "holds.html", holds=desk.list_holds(at), own=at.actor.role)


@router.get("/holds/{hold_id}/end")
def show_ending_hold(request: Request, at: At, hold_id: str) -> Response:
    """Ask whether a hold is to end."""
    found = _own(at, desk.list_holds(at), "hold_id", hold_id)
    return confirm(
        request, "End this hold?", "/holds",
        f"It was made because: {found['reason']}. Once it has ended, the question and its payments "
        "are erased at their time.", "End the hold",
    )  # fmt: skip


@router.post("/holds/{hold_id}/end")
def end_hold(at: At, hold_id: str) -> Response:
    """End a hold."""
    desk.end_hold(at, hold_id)
    return go("/holds")


@router.get("/suppressions")
def list_suppressions(request: Request, at: At) -> Response:
    """Show what is closed unasked until a day."""
    found = desk.list_suppressions(at)
    names = desk.mask(at, {one["holder_id"] for one in found})
    today = str(at.now.date())
    return render(
        request, "suppressions.html", found=found, names=names, own=at.actor.role, today=today,
    )  # fmt: skip


@router.get("/suppressions/{suppression_id}/end")
def show_ending_suppression(request: Request, at: At, suppression_id: str) -> Response:
    """Ask whether a suppression is to end."""
    found = _own(at, desk.list_suppressions(at), "suppression_id", suppression_id)
    return confirm(
        request, "Ask such questions again?", "/suppressions",
        f"They were closed unasked because: {found['reason']}. Those of later statements are asked "
        "again.", "Ask them again",
    )  # fmt: skip


@router.post("/suppressions/{suppression_id}/end")
def end_suppression(at: At, suppression_id: str) -> Response:
    """End a suppression before its day."""
    desk.end_suppression(at, suppression_id)
    return go("/suppressions")


def _own(at: At, rows: list[dict[str, Any]], name: str, value: str) -> dict[str, Any]:
    """Return what is of the caller's own list, and so theirs to end.

    Raises:
        NotFound: there is none.
        NotAllowed: it is of another list.
    """
    found = dict(found_by(rows, name, value))
    if found["lane"] != at.actor.role:
        raise NotAllowed("This role ends no such thing.")
    return found


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
        raise NotAllowed("Only an admin sets how long data is kept.")
    keeps = desk.keeps(at)
    for kind in keeps:
        days = number(sent.get(kind, ""))
        if days == keeps[kind]:
            continue
        try:
            desk.keeps(at, kind=kind, days=days)
        except CardwatchError as refusal:
            return _retention_page(request, at, sent, {kind: told(refusal)})
    return go("/retention")


@router.get("/retention/erasure")
def show_erasing(request: Request, at: At) -> Response:
    """Ask whether what is past its time is to be erased."""
    if at.actor.role not in MANAGES:
        raise NotAllowed("This role erases nothing.")
    past = desk.list_expired(at)
    count = sum(one["transactions"] for one in past)
    files = quantity(len(past), "statement")
    return confirm(
        request, "Erase what is past its time?", "/retention",
        f"This erases {files} with {quantity(count, 'payment')}, and the closed questions of their "
        "time. What is held stays. It cannot be brought back.", "Erase it for good",
    )  # fmt: skip


@router.post("/retention/erasure")
def erase(request: Request, at: At) -> Response:
    """Erase what is past its time and not held, and say how many payments went."""
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
        check_address(service.settings, urlsplit(sent.get("url", "")))
        secret = desk.set_webhook(at, sent.get("url", ""), service.seal)
    except (CardwatchError, ValueError) as refusal:
        said = told(refusal) if isinstance(refusal, CardwatchError) else "That is no address."
        return _webhook_page(request, at, sent, {"url": said})
    return _webhook_page(request, at, {}, {}, secret)


@router.get("/webhook/end")
def show_ending_webhook(request: Request, at: At) -> Response:
    """Ask whether notices are to stop."""
    desk.list_webhooks(at)
    return confirm(
        request, "Send no more notices?", "/webhook",
        "The other system is told of nothing any more. Its secret is forgotten.", "Send no more",
    )  # fmt: skip


@router.post("/webhook/end")
def end_webhook(at: At) -> Response:
    """Send notices of the caller's list nowhere any more."""
    desk.end_webhook(at)
    return go("/webhook")


@router.get("/health")
def show_health(request: Request, at: At) -> Response:
    """Show what the casebook stands on, and whether the model is loaded."""
    return render(request, "health.html", found=desk.health(at))
