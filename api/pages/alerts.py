"""Pages of alerts: the list, one alert, its decision form and the printed review."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from api.deps import At, Serving
from api.listing import page_of, with_titles
from api.pages.alert_filters import (
    FILTERS,
    TIERS,
    AlertFilters,
    filter_chips,
    filter_words,
    list_address,
    list_headings,
    read_filters,
)
from api.pages.page import Fields, Sent, field_errors, go, number, render
from api.search_terms import seal_term
from cardwatch import desk
from cardwatch.casebook import STATES
from cardwatch.casebook.alerts import Said
from cardwatch.casebook.suppressions import is_suppressible
from cardwatch.casebook.tables import RECEIVES
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.reports.words import title
from cardwatch.vocabulary import AUTOMATIC

router = APIRouter()
PAGE_ROWS = 25
DECISIONS = [
    {"value": name, "label": title(name), "hint": meaning}
    for name, meaning in STATES.items()
    if name not in AUTOMATIC
]


@router.get("/alerts")
def list_alerts(request: Request, at: At, service: Serving) -> Response:
    """Show what to ask, in order."""
    return _list_page(request, at, service, {})


def _list_page(
    request: Request, at: At, service: Serving, errors: dict[str, str], sent_text: str = ""
) -> Response:
    """Return the list of alerts with what is wrong in its filters or search."""
    filters = read_filters(request, service, at)
    cursor = request.query_params.get("cursor", "")
    errors = errors | filters.errors
    rows: list[dict[str, Any]] = []
    after, totals = "", (0, 0)
    if not filters.errors:
        try:
            asked = filters.to_asked(at)
            totals = desk.count_alerts(at, asked)
            rows, after = page_of(at, asked, cursor=cursor, limit=PAGE_ROWS)
        except CardwatchError as refusal:
            errors |= field_errors(refusal, {"cursor": ""})
    around = desk.overview(at)
    words = filter_words(at, around)
    rows = with_titles(at, rows)
    return render(
        request, "alerts.html", errors=errors, alerts=rows, around=around, totals=totals,
        names=desk.mask(at, desk.people_of(rows)), chosen=filters.chosen, words=words,
        query=filters.query, term=sent_text or filters.term, chips=filter_chips(filters, words),
        headings=list_headings(filters.chosen),
        next=list_address(filters.chosen | {"cursor": after}) if after else "",
        first=filters.back if cursor else "", may_receive=at.actor.role in RECEIVES,
        decided_count=number(request.query_params.get("decided", ""), 0),
    )  # fmt: skip


@router.post("/alerts/search")
def search_alerts(request: Request, at: At, service: Serving, sent: Sent) -> Response:
    """Go to the list of alerts with some words in a name; the words are sealed in its address.

    Raises:
        NotAllowed: the role sees no alerts.
    """
    if not at.actor.lanes:
        raise NotAllowed("Your role has no access to alerts.")
    chosen = {name: value for name, value in sent.items() if name in FILTERS}
    chosen.pop("search", None)
    text = sent.get("text", "")
    try:
        token = seal_term(service, at.actor, text) if text else ""
    except CardwatchError as refusal:
        return _list_page(request, at, service, field_errors(refusal), text)
    return go(list_address(chosen | ({"search": token} if token else {})))


@router.get("/alerts/decisions")
def show_decisions(request: Request, at: At, service: Serving) -> Response:
    """Show the alerts that were selected, and the form that decides them together."""
    alert_ids = request.query_params.getlist("alert")
    if not 1 <= len(alert_ids) <= desk.MAX_DECIDED_TOGETHER:
        sentence = f"Select 1 to {desk.MAX_DECIDED_TOGETHER} alerts"
        return _list_page(request, at, service, {"alert": sentence})
    return _decisions_page(request, at, service, alert_ids, {}, {})


@router.post("/alerts/decisions")
def decide_together(
    request: Request,
    at: At,
    service: Serving,
    sent: Fields,
    alert: Annotated[list[str], Form(max_length=desk.MAX_DECIDED_TOGETHER)] = [],  # noqa: B006  FastAPI copies it
) -> Response:
    """Record one decision on the alerts that were selected, on all of them or on none."""
    versions = {name: number(version) for name, _, version in (one.partition(":") for one in alert)}
    decision = Said(reason=sent.get("reason", ""), state=sent.get("state", ""))
    try:
        count = desk.decide_together(at, versions, decision)
    except CardwatchError as refusal:
        errors = field_errors(refusal)
        return _decisions_page(request, at, service, list(versions), sent, errors)
    filters = read_filters(request, service, at)
    return go(list_address(filters.chosen | {"decided": str(count)}))


def _decisions_page(
    request: Request,
    at: At,
    service: Serving,
    alert_ids: list[str],
    sent: dict[str, str],
    errors: dict[str, str],
) -> Response:
    """Return the page on which several alerts are decided together."""
    alerts = [desk.get_alert(at, one) for one in dict.fromkeys(alert_ids) if one]
    if any(one["lane"] != at.actor.role for one in alerts):
        raise NotAllowed("Your role cannot decide this alert.")
    filters = read_filters(request, service, at)
    return render(
        request, "alerts_decisions.html", errors=errors, sent=sent, query=filters.query,
        back=filters.back, alerts=with_titles(at, alerts), decisions=DECISIONS,
        names=desk.mask(at, desk.people_of(alerts)),
    )  # fmt: skip


@router.get("/alerts/{alert_id}")
def show_alert(request: Request, at: At, service: Serving, alert_id: str) -> Response:
    """Show one alert whole: facts first, then reasons, payments, history and the decision."""
    return _alert_page(request, at, service, alert_id, {}, {})


def _alert_page(
    request: Request,
    at: At,
    service: Serving,
    alert_id: str,
    sent: dict[str, str],
    errors: dict[str, str],
) -> Response:
    found = desk.get_history(at, alert_id)
    filters = read_filters(request, service, at)
    saved = number(request.query_params.get("saved", ""))
    return render(
        request, "alert.html", errors=errors, sent=sent,
        found=found, raised=found["raised"], names=found["names"], decisions=DECISIONS,
        heads=desk.headlines(at, [one["alert_id"] for one in found["related"]]), tiers=TIERS,
        may_decide=at.actor.role == found["lane"], can_suppress=is_suppressible(found),
        assignees=desk.list_assignees(at), back=filters.back, query=filters.query,
        adjacent=_adjacent(at, filters, found["alert_id"]),
        is_saved=saved == found["version"] > 0,
    )  # fmt: skip


def _adjacent(at: At, filters: AlertFilters, alert_id: str) -> tuple[str, str]:
    """Return the addresses of the alerts before and after one; empty where there is none."""
    if filters.errors:
        return "", ""
    before, after = desk.adjacent_alerts(at, filters.to_asked(at), alert_id)
    address = [_alert_address(one, filters.query) if one else "" for one in (before, after)]
    return address[0], address[1]


def _alert_address(alert_id: str, query: str, **more: str) -> str:
    """Return the address of an alert in a list with some filters."""
    parts = [query, *(f"{name}={value}" for name, value in more.items())]
    return f"/alerts/{alert_id}?{'&'.join(filter(None, parts))}".rstrip("?")


@router.post("/alerts/{alert_id}/decision")
def decide(request: Request, at: At, service: Serving, alert_id: str, sent: Fields) -> Response:
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
        decided = desk.decide(at, alert_id, said)
    except CardwatchError as refusal:
        return _alert_page(request, at, service, alert_id, sent, field_errors(refusal))
    query = read_filters(request, service, at).query
    return go(_alert_address(alert_id, query, saved=decided["version"]))


@router.post("/alerts/{alert_id}/name")
def show_name(request: Request, at: At, service: Serving, alert_id: str, sent: Sent) -> Response:
    """Show by name whom an alert is about, for a reason that is kept."""
    try:
        desk.unmask(at, alert_id, reason=sent.get("why", ""))
    except CardwatchError as refusal:
        errors = field_errors(refusal, {"reason": "why"})
        return _alert_page(request, at, service, alert_id, sent, errors)
    return go(_alert_address(alert_id, read_filters(request, service, at).query))


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
def show_review(request: Request, at: At, service: Serving) -> Response:
    """Show every open question with what to ask, to be printed or sent on."""
    filters = read_filters(request, service, at)
    rows: list[dict[str, Any]] = []
    more = ""
    if not filters.errors:
        rows, more = page_of(at, filters.to_asked(at), cursor="", limit=PAGE_ROWS)
    whole = [desk.get_alert(at, one["alert_id"]) for one in rows]
    names = desk.mask(at, desk.people_of(whole))
    return render(
        request, "review.html", alerts=whole, names=names, has_more=bool(more), back=filters.back
    )
