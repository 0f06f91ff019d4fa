"""Pages of legal holds: create, list and end them."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.deps import Context
from api.web.base import FormFields, confirm, own_row, redirect, render, shown_again
from api.web.list_queries import as_query, list_params
from cardwatch import services
from cardwatch.casebook.alert_rows import AlertRow
from cardwatch.errors import NotAllowed

router = APIRouter()


@router.get("/alerts/{alert_id}/hold")
def show_holding(request: Request, context: Context, alert_id: str) -> Response:
    """Show the form that puts an alert on legal hold."""
    alert = services.get_history(context, alert_id)
    check_decides(context, alert)
    return render(request, "hold.html", found=alert)


def check_decides(context: Context, alert: AlertRow) -> None:
    """Refuse a role that does not decide on an alert.

    Raises:
        NotAllowed: the role does not.
    """
    if alert["lane"] != context.actor.role:
        raise NotAllowed("Your role cannot decide on this alert.")


@router.post("/alerts/{alert_id}/hold")
@shown_again(show_holding)
def hold(request: Request, context: Context, alert_id: str, form: FormFields) -> Response:
    """Put an alert on legal hold."""
    services.place_hold(context, alert_id, reason=form.get("reason", ""))
    return redirect(f"/alerts/{alert_id}{as_query(list_params(request))}", "held")


@router.get("/holds")
def list_holds(request: Request, context: Context) -> Response:
    """Show the legal holds."""
    holds = services.list_holds(context)
    heads = services.alert_titles(context, {hold_row["alert_id"] for hold_row in holds})
    return render(request, "holds.html", holds=holds, heads=heads)


@router.get("/holds/{hold_id}/end")
def show_ending_hold(request: Request, context: Context, hold_id: str) -> Response:
    """Ask whether a legal hold is to end."""
    hold_row = own_row(context.actor.role, services.list_holds(context), "hold_id", hold_id)
    return confirm(
        request, "End this legal hold?", "/holds",
        f"Reason for the hold: “{hold_row['reason']}”. After it ends, the alert and its "
        "payments are deleted when they expire.", "End the legal hold",
    )  # fmt: skip


@router.post("/holds/{hold_id}/end")
def end_hold(context: Context, hold_id: str) -> Response:
    """End a legal hold."""
    services.end_hold(context, hold_id)
    return redirect("/holds", "hold-ended")
