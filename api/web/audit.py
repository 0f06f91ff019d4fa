"""Audit pages: verification of chains and statements, events and exports."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from api.deps import AppStateDep, Context
from api.web.base import nonempty, number, render
from cardwatch import services
from cardwatch.casebook import FINANCE, ROLES
from cardwatch.casebook.checkpoints import public_text
from cardwatch.casebook.unit_of_work import ACTIONS

router = APIRouter()
PAGE_EVENTS = 50
EVENT_FILTERS = ("action", "object", "role", "actor", "id", "outcome")
EVENT_OUTCOMES = ("done", "denied", "not-found", "failed")


@router.get("/audit")
def show_audit(request: Request, context: Context, service: AppStateDep) -> Response:
    """Verify the audit chains that the reader may see, and show what else can be verified."""
    checks = [] if context.actor.holder_id else services.verify_audit(context)
    statements = list(reversed(services.list_statements(context)))
    counts = services.state_counts(context) if context.actor.lanes else {}
    exports = services.list_exports(context) if context.actor.lanes else []
    return render(
        request, "audit.html", checks=checks, statements=statements, counts=counts,
        exports=list(reversed(exports)), key=public_text(service.signing_key.public_key()),
        sees_alerts=bool(context.actor.lanes),
    )  # fmt: skip


@router.get("/audit/events")
def list_events(request: Request, context: Context) -> Response:
    """List events of a chain, a page at a time, the newest first."""
    query = nonempty(request.query_params)
    lane = query.get("lane", FINANCE)
    chosen = {name: query[name] for name in EVENT_FILTERS if name in query}
    before = number(query.get("before", ""), 0)
    filters = dict(chosen)
    if "actor" in chosen:
        ids = {name: actor_id for actor_id, name in services.display_names(context).items()}
        filters["actor"] = ids.get(chosen["actor"].casefold(), chosen["actor"])
    event_rows = services.audit_events(
        context, lane=lane, last=PAGE_EVENTS + 1, before=before, **filters
    )
    more = len(event_rows) > PAGE_EVENTS
    same = urlencode({"lane": lane} | chosen)
    return render(
        request, "audit_events.html", events=event_rows[:PAGE_EVENTS], lane=lane, chosen=chosen,
        lanes=context.chains, actions=ACTIONS, roles=list(ROLES), outcomes=EVENT_OUTCOMES,
        next=f"/audit/events?{same}&before={event_rows[PAGE_EVENTS - 1]['seq']}" if more else "",
        first=f"/audit/events?{same}" if before else "",
    )  # fmt: skip


@router.post("/audit/statements/{statement_id}/verification")
def verify_statement(
    request: Request, context: Context, service: AppStateDep, statement_id: str
) -> Response:
    """Verify that a statement's rows are unchanged and its alerts can be reproduced."""
    with service.scoring():
        statement = services.get_statement(context, statement_id)
        check = services.verify_statement(context, statement["statement_id"])
    return render(
        request,
        "verified.html",
        found=statement,
        check=check,
        sees_alerts=bool(context.actor.lanes),
    )


@router.post("/audit/statements/{statement_id}/verification/independent")
def verify_independently(
    request: Request, context: Context, service: AppStateDep, statement_id: str
) -> Response:
    """Find a statement's limits, splits and duplicates again by a second program."""
    with service.scoring():
        statement = services.get_statement(context, statement_id)
        check = services.verify_independently(context, statement["statement_id"])
    rows = services.agreement_rows(check)
    return render(request, "agreement.html", found=statement, check=check, rows=rows)
