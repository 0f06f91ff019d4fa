"""Pages of suppressions: create after a confirmation, list and end them."""

from __future__ import annotations

import datetime as dt

from fastapi import APIRouter, Request, Response

from api.deps import Context
from api.web.base import FormFields, confirm, own_row, redirect, render, shown_again
from api.web.holds import check_decides
from cardwatch import services
from cardwatch.casebook.suppressions import LONGEST_SUPPRESSION_DAYS, is_suppressible

router = APIRouter()


@router.get("/alerts/{alert_id}/suppression")
def show_suppressing(request: Request, context: Context, alert_id: str) -> Response:
    """Show the form that suppresses alerts like one."""
    alert = services.get_history(context, alert_id)
    check_decides(context, alert)
    last_day = context.now.date() + dt.timedelta(LONGEST_SUPPRESSION_DAYS)
    return render(
        request, "suppress.html", found=alert, names=alert["names"], can=is_suppressible(alert),
        last_day=str(last_day),
    )  # fmt: skip


@router.post("/alerts/{alert_id}/suppression")
@shown_again(show_suppressing)
def suppress(request: Request, context: Context, alert_id: str, form: FormFields) -> Response:
    """Suppress alerts like one, once it was shown in words which they are."""
    until, reason = form.get("until", ""), form.get("reason", "")
    if "confirmed" in form:
        services.suppress(context, alert_id, until=until, reason=reason)
        return redirect("/suppressions", "suppressed")
    services.check_suppression(context, alert_id, until=until, reason=reason)
    alert = services.get_history(context, alert_id)
    return render(
        request, "suppress_check.html", found=alert, names=alert["names"], until=until,
        reason=reason,
    )  # fmt: skip


@router.get("/suppressions")
def list_suppressions(request: Request, context: Context) -> Response:
    """Show the suppressions."""
    rows = services.list_suppressions(context)
    names = services.names_for_display(context, {name for row in rows for name in row["holders"]})
    whose = {row["suppression_id"]: ", ".join(names[h] for h in row["holders"]) for row in rows}
    today = str(context.now.date())
    return render(
        request, "suppressions.html", found=rows, whose=whose, today=today,
    )  # fmt: skip


@router.get("/suppressions/{suppression_id}/end")
def show_ending_suppression(request: Request, context: Context, suppression_id: str) -> Response:
    """Ask whether a suppression is to end."""
    row = own_row(
        context.actor.role, services.list_suppressions(context), "suppression_id", suppression_id
    )
    return confirm(
        request, "End this suppression?", "/suppressions",
        f"Reason for the suppression: “{row['reason']}”. After it ends, alerts like these "
        "in later statements are open again.", "End the suppression",
    )  # fmt: skip


@router.post("/suppressions/{suppression_id}/end")
def end_suppression(context: Context, suppression_id: str) -> Response:
    """End a suppression before its day."""
    services.end_suppression(context, suppression_id)
    return redirect("/suppressions", "suppression-ended")
