"""Pages of alerts: the list, one alert, its decision form and the printed review."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request, Response

from api.deps import AppStateDep, Context, VerifiedContext
from api.pagination import with_titles
from api.search_terms import with_term
from api.web.alert_filters import (
    AlertFilters,
    filter_chips,
    filter_words,
    list_address,
    list_headings,
    read_filters,
)
from api.web.base import (
    AllFields,
    FormFields,
    field_errors,
    form_errors,
    number,
    redirect,
    render,
    sent_form,
    shown_again,
    subjects_for,
)
from api.web.list_queries import ALERT_FILTERS, ALERT_ID
from api.web.paging import Page, numbered_page
from cardwatch import services
from cardwatch.casebook import FINANCE, PSD, STATES
from cardwatch.casebook.alert_rows import ListedAlert
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.casebook.referrals import REFERRED_STATE
from cardwatch.casebook.suppressions import is_suppressible
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.reports.formatting import sentence, title
from cardwatch.vocabulary import AUTOMATIC

router = APIRouter()
ALERTS_PER_PAGE = 25
RESULTS = {
    "open": "It goes back into the list.",
    "asked": "It stays in the list until the answer is recorded.",
    "explained": "Later alerts like it, up to a similar sum, close automatically.",
    "policy-breach": "It counts as upheld.",
    "confirmed": "It counts as upheld.",
    "data-error": "It counts neither for nor against the rule.",
}
"""The consequence of each decision, in words."""
NEXT_STEPS = {
    FINANCE: "You can then refer it to professional standards.",
    PSD: "You can then put it into a case.",
}
"""Next steps with a confirmed alert."""


def _decisions(lane: str) -> list[dict[str, str]]:
    """The decisions of a form: what each means, and what follows."""
    return [
        {"value": state, "label": title(state), "hint": " ".join(
            (sentence(meaning), RESULTS[state], NEXT_STEPS[lane] if state == REFERRED_STATE else "")
        ).strip()}
        for state, meaning in STATES.items()
        if state not in AUTOMATIC
    ]  # fmt: skip


@router.get("/alerts")
def list_alerts(request: Request, context: Context, service: AppStateDep) -> Response:
    """Show what to ask, in order."""
    filters = read_filters(request, service, context)
    errors = form_errors(request) | filters.errors
    page, rows, pence = _page_of(request, context, filters)
    selected = dict.fromkeys(filter(ALERT_ID.fullmatch, request.query_params.getlist("alert")))
    around = services.inbox_summary(context)
    words = filter_words(context, around)
    titled = with_titles(context, rows)
    return render(
        request, "alerts.html", errors=errors, alerts=titled, around=around, pence=pence,
        names=services.names_for_display(context, services.people_of(titled)),
        chosen=filters.chosen, words=words,
        query=filters.query, term=sent_form(request).get("text", filters.term),
        chips=filter_chips(filters, words),
        headings=list_headings(filters.chosen), list_address=list_address,
        page=page, selected=list(selected),
        decided_count=number(request.query_params.get("decided", ""), 0),
        assignees={row["email"]: row["name"] for row in services.list_assignees(context)},
    )  # fmt: skip


def _page_of(
    request: Request, context: Context, filters: AlertFilters
) -> tuple[Page, list[ListedAlert], int]:
    """Return the page of a list that is asked for, its alerts, and the pence at stake in all."""
    path = request.url.path if request.url.path == "/review" else "/alerts"
    address = f"{path}?{urlencode(filters.chosen or {'state': ''})}"
    if filters.errors:
        return numbered_page(request, address, 0, ALERTS_PER_PAGE), [], 0
    alert_filter = filters.to_asked(context)
    count, pence = services.count_alerts(context, alert_filter)
    page = numbered_page(request, address, count, ALERTS_PER_PAGE)
    rows = services.list_alerts(context, alert_filter, offset=page.offset, limit=page.size)
    return page, rows, pence


@router.post("/alerts/search")
@shown_again(list_alerts)
def search_alerts(
    request: Request, context: Context, service: AppStateDep, form: FormFields
) -> Response:
    """Go to the list of alerts with some words in a name; the words are sealed in its address.

    Raises:
        NotAllowed: the role sees no alerts.
    """
    if not context.actor.lanes:
        raise NotAllowed("Your role has no access to alerts.")
    filters = {name: value for name, value in form.items() if name in ALERT_FILTERS}
    return redirect(list_address(with_term(service, context.actor, filters, form.get("text", ""))))


@router.get("/alerts/decisions")
@shown_again(list_alerts)
def show_decisions(request: Request, context: Context, service: AppStateDep) -> Response:
    """Show the alerts that were selected, and the form that decides them together."""
    alert_ids = request.query_params.getlist("alert")
    if not 1 <= len(alert_ids) <= services.MAX_DECIDED_TOGETHER:
        sentence = f"Select 1 to {services.MAX_DECIDED_TOGETHER} alerts"
        raise CardwatchError(sentence, field="alert")
    return _decisions_page(request, context, service, alert_ids, {}, {})


@router.post("/alerts/decisions")
def decide_together(
    request: Request,
    context: Context,
    service: AppStateDep,
    form: AllFields,
    alert: Annotated[list[str], Form(max_length=services.MAX_DECIDED_TOGETHER)] = [],  # noqa: B006  FastAPI copies it
) -> Response:
    """Record one decision on the alerts that were selected, on all of them or on none."""
    versions = {
        name: number(version) for name, _, version in (value.partition(":") for value in alert)
    }
    decision = DecisionInput(reason=form.get("reason", ""), state=form.get("state", ""))
    try:
        count = services.decide_together(context, versions, decision)
    except CardwatchError as refusal:
        errors = field_errors(refusal)
        return _decisions_page(request, context, service, list(versions), form, errors)
    filters = read_filters(request, service, context)
    return redirect(filters.address([("decided", str(count))]))


def _decisions_page(
    request: Request,
    context: Context,
    service: AppStateDep,
    alert_ids: list[str],
    form: dict[str, str],
    errors: dict[str, str],
) -> Response:
    """Return the page on which several alerts are decided together."""
    alerts = [
        services.get_alert(context, alert_id) for alert_id in dict.fromkeys(alert_ids) if alert_id
    ]
    if {context.actor.role, *(alert["lane"] for alert in alerts)} not in ({FINANCE}, {PSD}):
        raise NotAllowed("Your role cannot decide these alerts.")
    filters = read_filters(request, service, context)
    return render(
        request, "alerts_decisions.html", errors=errors, form=form, query=filters.query,
        back=filters.address([("alert", alert["alert_id"]) for alert in alerts]),
        alerts=with_titles(context, alerts),
        decisions=_decisions(context.actor.role),
        names=services.names_for_display(context, services.people_of(alerts)),
    )  # fmt: skip


@router.get("/alerts/{alert_id}")
def show_alert(request: Request, context: Context, service: AppStateDep, alert_id: str) -> Response:
    """Show one alert whole: facts first, then reasons, payments, history and the decision."""
    alert = services.get_history(context, alert_id)
    filters = read_filters(request, service, context)
    saved = number(request.query_params.get("saved", ""))
    return render(
        request, "alert.html", found=alert, raised=alert["raised"], names=alert["names"],
        decisions=_decisions(alert["lane"]),
        heads=services.alert_titles(context, [related["alert_id"] for related in alert["related"]]),
        may_decide=context.actor.role == alert["lane"], can_suppress=is_suppressible(alert),
        assignees=services.list_assignees(context), back=filters.address(), query=filters.query,
        adjacent=_adjacent(context, filters, alert["alert_id"]),
        is_saved=saved == alert["version"] > 0,
        subjects=subjects_for(context, [alert["alert_id"]]),
        queries=services.queries_about(context, alert["alert_id"]),
        cases=services.cases_with_alert(context, alert["alert_id"]),
        may_refer=context.actor.role == alert["lane"] == FINANCE
        and alert["state"] == REFERRED_STATE,
    )  # fmt: skip


def _adjacent(context: Context, filters: AlertFilters, alert_id: str) -> tuple[str, str]:
    """Return the addresses of the alerts before and after one; empty where there is none."""
    if filters.errors:
        return "", ""
    before, after = services.adjacent_alerts(context, filters.to_asked(context), alert_id)
    address = [
        _alert_address(adjacent_id, filters.query) if adjacent_id else ""
        for adjacent_id in (before, after)
    ]
    return address[0], address[1]


def _alert_address(alert_id: str, query: str, **more: str) -> str:
    """Return the address of an alert in a list with some filters."""
    parts = [query, *(f"{name}={value}" for name, value in more.items())]
    return f"/alerts/{alert_id}?{'&'.join(filter(None, parts))}".rstrip("?")


@router.post("/alerts/{alert_id}/decision")
@shown_again(show_alert)
def decide(
    request: Request, context: Context, service: AppStateDep, alert_id: str, form: AllFields
) -> Response:
    """Record what somebody decides; a form that is wrong is shown again as it was sent."""
    decision = DecisionInput(
        reason=form.get("reason", ""),
        state=form.get("state", ""),
        assigned_to=form.get("assigned_to"),
        due_on=form.get("due_on"),
        snoozed_until=form.get("snoozed_until"),
        tags=form.get("tags"),
        recovered_pence=services.pence_recovered(form.get("recovered_pence")),
        seen=number(form.get("seen", "")),
    )
    decided = services.decide(context, alert_id, decision)
    query = read_filters(request, service, context).query
    return redirect(_alert_address(alert_id, query, saved=str(decided["version"])))


@router.post("/alerts/{alert_id}/name")
@shown_again(show_alert, {"reason": "why"})
def show_name(
    request: Request,
    context: VerifiedContext,
    service: AppStateDep,
    alert_id: str,
    form: FormFields,
) -> Response:
    """Show by name whom an alert is about, for a reason that is kept."""
    services.reveal_identity(context, alert_id, reason=form.get("why", ""))
    query = read_filters(request, service, context).query
    return redirect(_alert_address(alert_id, query), "names-shown")


@router.get("/alerts/{alert_id}/holder")
def show_holder(request: Request, context: Context, alert_id: str) -> Response:
    """Show the year of whom an alert is about, on one page."""
    alert = services.get_history(context, alert_id)
    heads = services.alert_titles(context, [related["alert_id"] for related in alert["related"]])
    return render(request, "holder.html", found=alert, names=alert["names"], heads=heads)


@router.get("/alerts/{alert_id}/merchant")
def show_merchant(request: Request, context: Context, alert_id: str) -> Response:
    """Show who uses an alert's merchant, and since when."""
    alert = services.get_history(context, alert_id)
    heads = services.alert_titles(context, [related["alert_id"] for related in alert["related"]])
    return render(request, "merchant.html", found=alert, names=alert["names"], heads=heads)


@router.get("/review")
def show_review(request: Request, context: Context, service: AppStateDep) -> Response:
    """Show what to ask about the alerts of a list, a page at a time, to be printed or sent on."""
    filters = read_filters(request, service, context)
    page, rows, _ = _page_of(request, context, filters)
    whole = [services.get_alert(context, row["alert_id"]) for row in rows]
    names = services.names_for_display(context, services.people_of(whole))
    return render(
        request, "review.html", alerts=whole, names=names, page=page, back=filters.address()
    )
