"""Routes of alerts: list, show, decide, suppress, hold and export."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Response
from fastapi import Path as InPath

from api.deps import AppStateDep, Context, VerifiedContext, version_of
from api.downloads import CONTENT_TYPES, export_response
from api.pagination import AlertRows, filters_of, page_of, with_titles
from api.quotas import ExportContext
from api.schemas.alerts import (
    AlertCreate,
    AlertDetail,
    AlertPage,
    AlertRaised,
    AlertSearch,
    DecidedCount,
    Decision,
    ExportCreate,
    HoldCreate,
    SharedDecision,
    SuppressionCreate,
)
from api.schemas.base import Day, Id, Short
from cardwatch import services
from cardwatch.casebook import alert_rows, rows
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.casebook.precision import Precision
from cardwatch.services import answers
from cardwatch.vocabulary import Lane, State

router = APIRouter(tags=["alerts"])
ALERT_LINK, FIRST = "$response.body#/alert_id", "$response.body#/alerts/0/alert_id"
LISTED: dict[int | str, dict[str, Any]] = {
    200: {"links": {"alert": {"operationId": "get_alert", "parameters": {"alert_id": FIRST}}}}
}
SEEN: dict[str, Any] = {
    "headers": {"ETag": {"schema": {"type": "string"}, "description": "Its version, `If-Match`."}},
    "links": {
        "decide": {"operationId": "decide_alert",
                   "parameters": {"alert_id": ALERT_LINK, "if-match": "$response.header.ETag"}},
        "suppress": {"operationId": "suppress_alert", "parameters": {"alert_id": ALERT_LINK}},
        "hold": {"operationId": "hold_alert", "parameters": {"alert_id": ALERT_LINK}},
    },
}  # fmt: skip
AlertId = Annotated[Id, InPath(description="The id, or its beginning.")]


@router.get("/alerts", response_model=AlertPage, responses=LISTED)
def list_alerts(
    context: Context,
    lane: Lane | None = None,
    state: State | None = None,
    tier: Literal["A", "B", "C"] | None = None,
    kind: Short = "",
    rule: Short = "",
    unit: Annotated[Short, Query(description="Code of the unit that bears the cost.")] = "",
    statement_id: Short = "",
    assigned_to: Annotated[Literal["me"] | None, Query(description="To the caller.")] = None,
    tag: Annotated[str, Query(max_length=20)] = "",
    snoozed: Annotated[bool, Query(description="Include snoozed alerts.")] = True,
    same_holder_as: Annotated[
        Short, Query(description="Only alerts with a cardholder or approver of this alert.")
    ] = "",
    same_merchant_as: Annotated[
        Short, Query(description="Only alerts with a merchant of this alert.")
    ] = "",
    since: Day | None = None,
    until: Day | None = None,
    due_by: Day | None = None,
    at_least_pence: Annotated[int, Query(ge=0, le=10**12)] = 0,
    order: Literal["evidence", "money", "age"] = "evidence",
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str, Query(max_length=500)] = "",
) -> AlertRows:
    """List the alerts that the caller may see, in order, a page at a time.

    Cardholders and merchants are chosen by an alert that is about them, so that no name stands in
    an address. Pages stay where they are while new alerts come.
    """
    chosen = {"lane": lane, "state": state, "tier": tier, "kind": kind, "rule": rule,
              "unit": unit, "statement_id": statement_id, "tag": tag, "since": since,
              "until": until,
              "due_by": due_by, "at_least_pence": at_least_pence, "same_holder_as": same_holder_as,
              "same_merchant_as": same_merchant_as, "assigned_to": assigned_to,
              "order": order}  # fmt: skip
    filters = filters_of(context, chosen, snoozed=snoozed)
    rows, after = page_of(context, filters, cursor=cursor, limit=limit)
    alerts = services.pseudonymise(context, with_titles(context, rows))
    return {"alerts": alerts, "next": after or None}


@router.post("/alerts", response_model=AlertRaised, status_code=201)
def raise_alert(body: AlertCreate, context: Context) -> dict[str, str]:
    """Raise an alert by hand about some payments, in the caller's own lane."""
    places = [(payment.statement_id, payment.row) for payment in body.payments]
    return {"alert_id": services.raise_by_hand(context, places, question=body.question)}


@router.post("/alerts/search", response_model=AlertPage, responses=LISTED)
def search_alerts(body: AlertSearch, context: Context) -> AlertRows:
    """List the alerts with some words in the name of a cardholder, merchant or unit.

    Professional standards search cardholders by the pseudonyms they are shown.
    """
    chosen = body.model_dump(exclude={"limit", "cursor"})
    rows, after = page_of(
        context, filters_of(context, chosen, snoozed=True), cursor=body.cursor, limit=body.limit
    )
    alerts = services.pseudonymise(context, with_titles(context, rows))
    return {"alerts": alerts, "next": after or None}


@router.post("/alerts/decisions", response_model=DecidedCount, status_code=201)
def decide_alerts(body: SharedDecision, context: Context) -> dict[str, int]:
    """Record one decision on several alerts, on all of them or on none."""
    versions = {alert.alert_id: alert.version for alert in body.alerts}
    count = services.decide_together(
        context, versions, DecisionInput(reason=body.reason, state=body.state)
    )
    return {"alerts": count}


@router.get("/alerts/{alert_id}", response_model=AlertDetail, responses={200: SEEN})
def get_alert(alert_id: AlertId, context: Context, response: Response) -> alert_rows.AlertDetail:
    """Show one alert whole: payments, reasons, comparisons, neighbours, history, versions."""
    return _answer(context, response, services.get_alert(context, alert_id))


@router.post(
    "/alerts/{alert_id}/decisions", response_model=AlertDetail, status_code=201,
    responses={201: SEEN},
)  # fmt: skip
def decide_alert(
    alert_id: AlertId,
    body: Decision,
    context: Context,
    response: Response,
    if_match: Annotated[str | None, Header(max_length=50, description="The alert's ETag.")] = None,
) -> alert_rows.AlertDetail:
    """Record a decision, a note, an assignment or a due date; without a state, keep the state."""
    decision = DecisionInput(**body.model_dump(), seen=version_of(if_match))
    return _answer(context, response, services.decide(context, alert_id, decision))


def _answer(
    context: Context, response: Response, alert: alert_rows.AlertDetail
) -> alert_rows.AlertDetail:
    """Return an alert with its ETag, its people under other names where the caller is psd."""
    response.headers["ETag"] = f'"{alert["version"]}"'
    return services.pseudonymise(context, alert, alert_id=alert["alert_id"])


@router.post("/alerts/{alert_id}/names", status_code=204)
def show_names(alert_id: AlertId, body: HoldCreate, context: VerifiedContext) -> None:
    """Show professional standards the names of the people in an alert; the reason is recorded."""
    services.reveal_identity(context, alert_id, reason=body.reason)


@router.post("/alerts/{alert_id}/suppressions", status_code=201)
def suppress_alert(
    alert_id: AlertId, body: SuppressionCreate, context: Context
) -> alert_rows.Suppression:
    """Close later alerts of the same rule, cardholder and merchant automatically until a day."""
    return services.pseudonymise(
        context, services.suppress(context, alert_id, until=body.until, reason=body.reason)
    )


@router.get("/suppressions")
def list_suppressions(context: Context) -> list[alert_rows.Suppression]:
    """List the suppressions of the caller's lanes."""
    return services.pseudonymise(context, services.list_suppressions(context))


@router.delete("/suppressions/{suppression_id}", status_code=204)
def end_suppression(suppression_id: Id, context: Context) -> None:
    """End a suppression before its day."""
    services.end_suppression(context, suppression_id)


@router.post("/alerts/{alert_id}/holds", status_code=201)
def hold_alert(alert_id: AlertId, body: HoldCreate, context: Context) -> list[alert_rows.Hold]:
    """Put an alert and its payments on legal hold."""
    services.place_hold(context, alert_id, reason=body.reason)
    return services.list_holds(context)


@router.get("/holds")
def list_holds(context: Context) -> list[alert_rows.Hold]:
    """List the legal holds of the caller's lanes."""
    return services.list_holds(context)


@router.delete("/holds/{hold_id}", status_code=204)
def end_hold(hold_id: Id, context: Context) -> None:
    """End a legal hold."""
    services.end_hold(context, hold_id)


@router.post(
    "/exports", response_class=Response, status_code=200,
    responses={200: {"content": {
        media: {"schema": {"type": "object"} if form == "json" else
                          {"type": "string", "format": "binary"}}
        for form, media in CONTENT_TYPES.items()
    }}},
)  # fmt: skip
def export_list(body: ExportCreate, context: ExportContext, service: AppStateDep) -> Response:
    """Export a statement's list or a case; purpose and recipient are recorded."""
    fields = {k: v for k, v in body.model_dump().items() if k not in {"form", "alert_ids"}}
    return export_response(context, service, body.form, alert_ids=tuple(body.alert_ids), **fields)


@router.get("/exports")
def list_exports(context: Context) -> list[rows.Export]:
    """List exports with purpose and recipient."""
    return services.list_exports(context)


@router.get("/precision")
def get_precision(context: Context) -> dict[Lane, list[Precision]]:
    """Show for each of the caller's lanes how often each rule's alerts were upheld."""
    return services.rule_precision(context)


@router.get("/order")
def get_order(context: Context) -> dict[Lane, answers.AlertOrder]:
    """Show what orders the alerts, what the answers would make of it, and a test of that."""
    return services.alert_orders(context)


@router.get("/reconciliation", response_model=dict[str, int])
def get_reconciliation(context: Context) -> dict[str, int]:
    """Count all alerts by state; each has exactly one."""
    return services.state_counts(context)
