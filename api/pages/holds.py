"""Pages of legal holds: create, list and end them."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from api.deps import At
from api.pages.page import Sent, confirm, field_errors, go, own_row, render, sentence
from cardwatch import desk
from cardwatch.errors import CardwatchError, NotAllowed

router = APIRouter()


@router.get("/alerts/{alert_id}/hold")
def show_holding(request: Request, at: At, alert_id: str) -> Response:
    """Show the form that puts an alert on legal hold."""
    return _hold_page(request, at, alert_id, {}, {})


def _hold_page(
    request: Request, at: At, alert_id: str, sent: dict[str, str], errors: dict[str, str]
) -> Response:
    found = desk.get_history(at, alert_id)
    check_decides(at, found)
    return render(request, "hold.html", found=found, sent=sent, errors=errors)


def check_decides(at: At, alert: dict[str, Any]) -> None:
    """Refuse a role that does not decide on an alert.

    Raises:
        NotAllowed: the role does not.
    """
    if alert["lane"] != at.actor.role:
        raise NotAllowed("Your role cannot decide on this alert.")


@router.post("/alerts/{alert_id}/hold")
def hold(request: Request, at: At, alert_id: str, sent: Sent) -> Response:
    """Put an alert on legal hold."""
    try:
        desk.hold(at, alert_id, reason=sent.get("reason", ""))
    except CardwatchError as refusal:
        return _hold_page(request, at, alert_id, sent, field_errors(refusal))
    return go(f"/alerts/{alert_id}")


@router.get("/holds")
def list_holds(request: Request, at: At) -> Response:
    """Show the legal holds."""
    holds = desk.list_holds(at)
    heads = desk.headlines(at, {one["alert_id"] for one in holds})
    return render(request, "holds.html", holds=holds, heads=heads, own=at.actor.role)


@router.get("/holds/{hold_id}/end")
def show_ending_hold(request: Request, at: At, hold_id: str) -> Response:
    """Ask whether a legal hold is to end."""
    found = own_row(at.actor.role, desk.list_holds(at), "hold_id", hold_id)
    return confirm(
        request, "End this legal hold?", "/holds",
        f"Reason for the hold: {sentence(found['reason'])} After it ends, the alert and its "
        "payments are deleted when they expire.", "End the legal hold",
    )  # fmt: skip


@router.post("/holds/{hold_id}/end")
def end_hold(at: At, hold_id: str) -> Response:
    """End a legal hold."""
    desk.end_hold(at, hold_id)
    return go("/holds")
