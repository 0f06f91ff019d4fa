"""Pages of alerts: the list to work through, one alert whole, the decision, the printed review."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from api.deps import At
from api.listing import page_of
from api.pages.page import filled, go, render
from cardwatch import desk
from cardwatch.casebook import STATES
from cardwatch.casebook.alerts import Said
from cardwatch.casebook.tables import AUTOMATIC
from cardwatch.errors import CardwatchError, NotAllowed

router = APIRouter()
PAGE_ROWS = 25
FILTERS = ("lane", "state", "tier", "kind", "rule", "statement_id", "tag", "since", "until",
           "due_by", "order", "snoozed", "assigned_to", "holder_of", "merchant_of")  # fmt: skip
ORDERS = {"evidence": "Strength of evidence", "money": "Money at stake", "age": "Oldest first"}
DECISIONS = [
    {"value": name, "label": name.replace("-", " ").capitalize(), "hint": meaning}
    for name, meaning in STATES.items()
    if name not in AUTOMATIC
]


@router.get("/alerts")
def list_alerts(request: Request, at: At) -> Response:
    """Show what to ask, in order."""
    chosen = {k: v for k, v in filled(request.query_params).items() if k in FILTERS}
    sent = bool(request.query_params)
    if not sent:
        chosen["state"] = "open"
    errors: dict[str, str] = {}
    try:
        found, after = _page_of(at, chosen, request.query_params.get("cursor", ""))
    except NotAllowed:
        raise
    except CardwatchError as refusal:
        found, after, errors = [], "", {"state": str(refusal)}
    names = desk.mask(at, {one["holder_id"] for one in found})
    more = urlencode(chosen | {"cursor": after}) if after else ""
    return render(
        request, "alerts.html", status=422 if errors else 200, errors=errors,
        alerts=found, names=names, chosen=chosen, orders=ORDERS, states=STATES,
        next=f"/alerts?{more}" if more else "",
        first=f"/alerts?{urlencode(chosen)}" if request.query_params.get("cursor") else "",
    )  # fmt: skip


def _page_of(at: At, chosen: dict[str, str], cursor: str) -> tuple[list[dict[str, Any]], str]:
    """Return one page of the alerts that were chosen, and where the next begins."""
    asked = {name: value for name, value in chosen.items() if name != "snoozed"}
    snoozed = chosen.get("snoozed") == "yes"
    return page_of(at, asked, cursor=cursor, limit=PAGE_ROWS, snoozed=snoozed)


@router.get("/alerts/{alert_id}")
def show_alert(request: Request, at: At, alert_id: str) -> Response:
    """Show one alert whole: facts first, then reasons, payments, history and the decision."""
    return _alert_page(request, at, alert_id, {}, {})


def _alert_page(
    request: Request, at: At, alert_id: str, sent: dict[str, str], errors: dict[str, str]
) -> Response:
    found = desk.get_history(at, alert_id)
    return render(
        request, "alert.html", status=422 if errors else 200, errors=errors, sent=sent,
        found=found, raised=found["raised"], names=found["names"], decisions=DECISIONS,
        may_decide=at.actor.role == found["lane"],
    )  # fmt: skip


@router.post("/alerts/{alert_id}/decision")
async def decide(request: Request, at: At, alert_id: str) -> Response:
    """Record what somebody decides; a form that is wrong is shown again as it was sent."""
    form = {k: v.strip() for k, v in (await request.form()).items() if isinstance(v, str)}
    seen = form.get("seen", "")
    said = Said(
        reason=form.get("reason", ""),
        state=form.get("state", ""),
        assigned_to=form.get("assigned_to"),
        due_on=form.get("due_on"),
        snoozed_until=form.get("snoozed_until"),
        tags=form.get("tags"),
        seen=int(seen) if seen.isdecimal() and len(seen) < 9 else -1,
    )
    try:
        desk.decide(at, alert_id, said)
    except NotAllowed:
        raise
    except CardwatchError as refusal:
        return _alert_page(request, at, alert_id, form, {_place(str(refusal)): str(refusal)})
    return go(f"/alerts/{alert_id}")


def _place(told: str) -> str:
    """Return the field that a refusal is about."""
    places = {"reason": "reason", "state": "state", "day": "due_on", "tags": "tags",
              "Nobody": "assigned_to"}  # fmt: skip
    return next((name for word, name in places.items() if word in told), "reason")


@router.post("/alerts/{alert_id}/name")
async def show_name(request: Request, at: At, alert_id: str) -> Response:
    """Show by name whom an alert is about, for a reason that is kept."""
    form = filled(await request.form())
    try:
        desk.unmask(at, alert_id, reason=form.get("why", ""))
    except NotAllowed:
        raise
    except CardwatchError as refusal:
        return _alert_page(request, at, alert_id, form, {"why": str(refusal)})
    return go(f"/alerts/{alert_id}")


@router.get("/alerts/{alert_id}/holder")
def show_holder(request: Request, at: At, alert_id: str) -> Response:
    """Show the year of whom an alert is about, on one page."""
    found = desk.get_history(at, alert_id)
    return render(request, "holder.html", found=found, names=found["names"])


@router.get("/alerts/{alert_id}/merchant")
def show_merchant(request: Request, at: At, alert_id: str) -> Response:
    """Show who uses an alert's merchant, and since when."""
    found = desk.get_history(at, alert_id)
    return render(request, "merchant.html", found=found, names=found["names"])


@router.get("/review")
def show_review(request: Request, at: At) -> Response:
    """Show every open question with what to ask, to be printed or sent on."""
    chosen = {k: v for k, v in filled(request.query_params).items() if k in FILTERS}
    chosen.setdefault("state", "open")
    found, _ = _page_of(at, chosen, "")
    whole = [desk.get_alert(at, one["alert_id"]) for one in found]
    names = desk.mask(at, {one["holder_id"] for one in whole})
    return render(request, "review.html", alerts=whole, names=names, most=PAGE_ROWS)
