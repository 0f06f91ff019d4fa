"""Audit pages: verification of chains and statements, events and exports."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from api.deps import AppStateDep, Context
from api.web.base import chips, nonempty, number, render
from api.web.paging import numbered_page
from cardwatch import services
from cardwatch.casebook import FINANCE, ROLES
from cardwatch.casebook.checkpoints import public_text
from cardwatch.casebook.unit_of_work import ACTIONS
from cardwatch.reports.formatting import title

router = APIRouter()
PAGE_EVENTS = 50
EVENT_FILTERS = {"action": "Action", "object": "Object", "role": "Role", "actor": "Who",
                 "id": "Object's id", "outcome": "Outcome"}  # fmt: skip
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
    """List events of a chain, a page at a time, the newest first.

    The address of a further page names the event before which the first page began: looking at
    events adds one, which would move the others on.
    """
    query = nonempty(request.query_params)
    lane = query.get("lane", FINANCE)
    chosen = {name: query[name] for name in EVENT_FILTERS if name in query}
    before = number(query.get("before", ""), 0)
    filters = dict(chosen)
    if "actor" in chosen:
        ids = {name: actor_id for actor_id, name in services.display_names(context).items()}
        filters["actor"] = ids.get(chosen["actor"].casefold(), chosen["actor"])
    if "object" in chosen:
        filters["object"] = chosen["object"].casefold()
    total, newest = services.count_audit_events(context, lane=lane, before=before, **filters)
    if not total and " " in filters.get("object", ""):  # most words are stored with hyphens
        filters["object"] = filters["object"].replace(" ", "-")
        total, newest = services.count_audit_events(context, lane=lane, before=before, **filters)
    address = _address({"lane": lane} | chosen)
    page = numbered_page(request, f"{address}&before={before or newest + 1}", total, PAGE_EVENTS)
    event_rows = services.audit_events(
        context, lane=lane, last=page.size, skip=page.offset, before=before, **filters
    )
    return render(
        request, "audit_events.html", events=event_rows, lane=lane, chosen=chosen, page=page,
        lanes=context.chains, actions=ACTIONS, roles=list(ROLES), outcomes=EVENT_OUTCOMES,
        newest=address if before else "",
        chips=chips({"lane": lane} | chosen, _filter_words, _address, besides=("lane",)),
    )  # fmt: skip


def _filter_words(name: str, value: str) -> str:
    return f"{EVENT_FILTERS[name]}: {value if name in {'actor', 'id'} else title(value)}"


def _address(chosen: dict[str, str]) -> str:
    return f"/audit/events?{urlencode(chosen)}"


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
