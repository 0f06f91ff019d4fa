"""Pages of alerts: the list, one alert, its decision form and the printed review."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from api.deps import At
from api.listing import page_of
from api.pages.page import (
    LISTS,
    Fields,
    Sent,
    chips,
    day_faults,
    field_errors,
    filled,
    go,
    number,
    render,
)
from cardwatch import desk
from cardwatch.casebook import STATES
from cardwatch.casebook.alerts import Said
from cardwatch.casebook.suppressions import is_suppressible
from cardwatch.casebook.tables import RECEIVES
from cardwatch.errors import CardwatchError
from cardwatch.reports.words import day, title
from cardwatch.vocabulary import AUTOMATIC

router = APIRouter()
PAGE_ROWS = 25
UNANSWERED = "unanswered"
FILTERS = ("state", "lane", "tier", "kind", "rule", "statement_id", "besides", "same_holder_as",
           "same_merchant_as", "at_least", "since", "until", "due_by", "tag", "assigned_to",
           "snoozed", "order")  # fmt: skip
DAYS = ("since", "until", "due_by")
ORDERS = {"evidence": "Strength of evidence", "money": "Money at stake", "age": "Oldest first"}
SORTS = {"evidence": ("Tier", "descending"), "money": ("At stake", "descending"),
         "age": ("Last day", "ascending")}  # fmt: skip
"""The column that each order sorts by, and which way."""
TIERS = {"A": "A: against policy", "B": "B: unusual", "C": "C: information"}
DECISIONS = [
    {"value": name, "label": title(name), "hint": meaning}
    for name, meaning in STATES.items()
    if name not in AUTOMATIC
]


@router.get("/alerts")
def list_alerts(request: Request, at: At) -> Response:
    """Show what to ask, in order."""
    chosen = _chosen(request)
    errors = _faults(chosen)
    found: list[dict[str, Any]] = []
    after = ""
    if not errors:
        try:
            found, after = _page_of(at, chosen, request.query_params.get("cursor", ""))
        except CardwatchError as refusal:
            errors = field_errors(refusal, {"cursor": ""})
    more = urlencode(chosen | {"cursor": after}) if after else ""
    around = desk.overview(at)
    words = {
        "state": {UNANSWERED: "Open or asked"} | {one: title(one) for one in STATES},
        "lane": LISTS, "tier": TIERS, "order": ORDERS, "rule": around["rules"],
        "statement_id": around["statements"],
    }  # fmt: skip
    return render(
        request, "alerts.html", errors=errors, alerts=found,
        heads=desk.headlines(at, [one["alert_id"] for one in found]), around=around,
        names=desk.mask(at, desk.people_of(found)), chosen=chosen, words=words,
        chips=chips(chosen, lambda k, v: _said(k, v, words), _link, besides=("order",)),
        headings=_headings(chosen),
        next=f"/alerts?{more}" if more else "",
        first=_link(chosen) if request.query_params.get("cursor") else "",
        may_receive=at.actor.role in RECEIVES,
    )  # fmt: skip


def _chosen(request: Request) -> dict[str, str]:
    """The filters of an address; by default, alerts that wait for an answer."""
    chosen = {k: v for k, v in filled(request.query_params).items() if k in FILTERS}
    return chosen if request.query_params else {"state": UNANSWERED}


def _faults(chosen: dict[str, str]) -> dict[str, str]:
    """Return what is wrong with the filters, by field."""
    errors = day_faults(chosen, DAYS)
    if not re.fullmatch(r"[0-9]{0,9}", chosen.get("at_least", "")):
        errors["at_least"] = "Enter whole pounds, like 500"
    return errors


def _link(chosen: dict[str, str]) -> str:
    """Return the address of the list with some filters; without any it shows every alert."""
    return f"/alerts?{urlencode(chosen or {'state': ''})}"


def _said(name: str, value: str, words: dict[str, dict[str, str]]) -> str:
    """Return a filter that was chosen in words."""
    said = {
        "same_holder_as": "Same cardholder", "same_merchant_as": "Same merchant",
        "assigned_to": "Assigned to me", "snoozed": "Including snoozed",
        "besides": "From earlier statements",
    }  # fmt: skip
    names = {"since": "From", "until": "To", "due_by": "Due by", "at_least": "At least",
             "rule": "Alert", "lane": "List", "statement_id": "Statement"}  # fmt: skip
    text = words.get(name, {}).get(value, value)
    text = day(value) if name in DAYS and not _faults({name: value}) else text
    text = f"£{text}" if name == "at_least" else text
    return said.get(name, f"{names.get(name, title(name))}: {text}")


def _headings(chosen: dict[str, str]) -> list[str | dict[str, str]]:
    """Return the headings of the list; those by which it can be sorted are links."""
    made: list[str | dict[str, str]] = [
        "Alert", "Cardholder", "Merchant", "At stake", "Last day", "Tier", "State",
    ]  # fmt: skip
    for order, (label, way) in SORTS.items():
        sort = {"sort": way} if chosen.get("order", "evidence") == order else {}
        link = {"label": label, "href": _link(chosen | {"order": order})}
        made[made.index(label)] = link | sort
    return made


def _page_of(at: At, chosen: dict[str, str], cursor: str) -> tuple[list[dict[str, Any]], str]:
    """Return one page of the alerts that were chosen, and where the next begins."""
    asked: dict[str, Any] = {k: v for k, v in chosen.items() if k not in {"snoozed", "at_least"}}
    if asked.get("state") == UNANSWERED:
        asked |= {"state": "", "unanswered": True}
    if "at_least" in chosen:
        asked["at_least_pence"] = 100 * int(chosen["at_least"])
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
        request, "alert.html", errors=errors, sent=sent,
        found=found, raised=found["raised"], names=found["names"], decisions=DECISIONS,
        heads=desk.headlines(at, [one["alert_id"] for one in found["related"]]), tiers=TIERS,
        may_decide=at.actor.role == found["lane"], can_suppress=is_suppressible(found),
    )  # fmt: skip


@router.post("/alerts/{alert_id}/decision")
def decide(request: Request, at: At, alert_id: str, sent: Fields) -> Response:
    """Record what somebody decides; a form that is wrong is shown again as it was sent."""
    said = Said(
        reason=sent.get("reason", ""),
        state=sent.get("state", ""),
        assigned_to=sent.get("assigned_to"),
        due_on=sent.get("due_on"),
        snoozed_until=sent.get("snoozed_until"),
        tags=sent.get("tags"),
        seen=number(sent.get("seen", "")),
    )
    try:
        desk.decide(at, alert_id, said)
    except CardwatchError as refusal:
        return _alert_page(request, at, alert_id, sent, field_errors(refusal))
    return go(f"/alerts/{alert_id}")


@router.post("/alerts/{alert_id}/name")
def show_name(request: Request, at: At, alert_id: str, sent: Sent) -> Response:
    """Show by name whom an alert is about, for a reason that is kept."""
    try:
        desk.unmask(at, alert_id, reason=sent.get("why", ""))
    except CardwatchError as refusal:
        return _alert_page(request, at, alert_id, sent, field_errors(refusal, {"reason": "why"}))
    return go(f"/alerts/{alert_id}")


@router.get("/alerts/{alert_id}/holder")
def show_holder(request: Request, at: At, alert_id: str) -> Response:
    """Show the year of whom an alert is about, on one page."""
    found = desk.get_history(at, alert_id)
    heads = desk.headlines(at, [one["alert_id"] for one in found["related"]])
    return render(request, "holder.html", found=found, names=found["names"], heads=heads)


@router.get("/alerts/{alert_id}/merchant")
def show_merchant(request: Request, at: At, alert_id: str) -> Response:
    """Show who uses an alert's merchant, and since when."""
    found = desk.get_history(at, alert_id)
    heads = desk.headlines(at, [one["alert_id"] for one in found["related"]])
    return render(request, "merchant.html", found=found, names=found["names"], heads=heads)


@router.get("/review")
def show_review(request: Request, at: At) -> Response:
    """Show every open question with what to ask, to be printed or sent on."""
    chosen = _chosen(request)
    found, more = ([], "") if _faults(chosen) else _page_of(at, chosen, "")
    whole = [desk.get_alert(at, one["alert_id"]) for one in found]
    names = desk.mask(at, desk.people_of(whole))
    return render(
        request, "review.html", alerts=whole, names=names, has_more=bool(more), back=_link(chosen)
    )
