"""Pages of suppressions: create after a confirmation, list and end them."""

from __future__ import annotations

import datetime as dt

from fastapi import APIRouter, Request, Response

from api.deps import At
from api.pages.holds import check_decides
from api.pages.page import Sent, confirm, field_errors, go, own_row, render, sentence
from cardwatch import desk
from cardwatch.casebook.suppressions import LONGEST_SUPPRESSION_DAYS, is_suppressible
from cardwatch.errors import CardwatchError

router = APIRouter()


@router.get("/alerts/{alert_id}/suppression")
def show_suppressing(request: Request, at: At, alert_id: str) -> Response:
    """Show the form that suppresses alerts like one."""
    return _suppress_page(request, at, alert_id, {}, {})


def _suppress_page(
    request: Request, at: At, alert_id: str, sent: dict[str, str], errors: dict[str, str]
) -> Response:
    found = desk.get_history(at, alert_id)
    check_decides(at, found)
    last_day = at.now.date() + dt.timedelta(LONGEST_SUPPRESSION_DAYS)
    return render(
        request, "suppress.html", found=found, names=found["names"], sent=sent, errors=errors,
        can=is_suppressible(found), last_day=str(last_day),
    )  # fmt: skip


@router.post("/alerts/{alert_id}/suppression")
def suppress(request: Request, at: At, alert_id: str, sent: Sent) -> Response:
    """Suppress alerts like one, once it was shown in words which they are."""
    until, reason = sent.get("until", ""), sent.get("reason", "")
    try:
        if "confirmed" in sent:
            desk.suppress(at, alert_id, until=until, reason=reason)
            return go("/suppressions")
        desk.check_suppression(at, alert_id, until=until, reason=reason)
    except CardwatchError as refusal:
        return _suppress_page(request, at, alert_id, sent, field_errors(refusal))
    found = desk.get_history(at, alert_id)
    return render(
        request, "suppress_check.html", found=found, names=found["names"], until=until,
        reason=reason,
    )  # fmt: skip


@router.get("/suppressions")
def list_suppressions(request: Request, at: At) -> Response:
    """Show the suppressions."""
    found = desk.list_suppressions(at)
    names = desk.mask(at, {name for one in found for name in one["holders"]})
    whose = {one["suppression_id"]: ", ".join(names[h] for h in one["holders"]) for one in found}
    today = str(at.now.date())
    return render(
        request, "suppressions.html", found=found, whose=whose, own=at.actor.role, today=today,
    )  # fmt: skip


@router.get("/suppressions/{suppression_id}/end")
def show_ending_suppression(request: Request, at: At, suppression_id: str) -> Response:
    """Ask whether a suppression is to end."""
    found = own_row(at.actor.role, desk.list_suppressions(at), "suppression_id", suppression_id)
    return confirm(
        request, "End this suppression?", "/suppressions",
        f"Reason for the suppression: {sentence(found['reason'])} After it ends, alerts like these "
        "in later statements are open again.", "End the suppression",
    )  # fmt: skip


@router.post("/suppressions/{suppression_id}/end")
def end_suppression(at: At, suppression_id: str) -> Response:
    """End a suppression before its day."""
    desk.end_suppression(at, suppression_id)
    return go("/suppressions")
