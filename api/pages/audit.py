"""Audit pages: verification of chains and statements, events and exports."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from api.deps import At, Serving
from api.pages.page import filled, number, render
from cardwatch import desk
from cardwatch.casebook import FINANCE, ROLES
from cardwatch.casebook.audit import public_text
from cardwatch.casebook.work import ACTIONS

router = APIRouter()
PAGE_EVENTS = 50
FILTERS = ("action", "object", "role", "actor", "id", "outcome")
OUTCOMES = ("done", "denied", "not-found", "failed")


@router.get("/audit")
def show_audit(request: Request, at: At, service: Serving) -> Response:
    """Verify the audit chains that the reader may see, and show what else can be verified."""
    checks = [] if at.actor.holder_id else desk.verify_audit(at)
    statements = list(reversed(desk.list_statements(at)))
    counts = desk.reconciled(at) if at.actor.lanes else {}
    exports = desk.list_disclosures(at) if at.actor.lanes else []
    return render(
        request, "audit.html", checks=checks, statements=statements, counts=counts,
        exports=list(reversed(exports)), key=public_text(service.signing_key.public_key()),
        sees_alerts=bool(at.actor.lanes),
    )  # fmt: skip


@router.get("/audit/events")
def list_events(request: Request, at: At) -> Response:
    """List events of a chain, a page at a time, the newest first."""
    asked = filled(request.query_params)
    lane = asked.get("lane", FINANCE)
    chosen = {name: asked[name] for name in FILTERS if name in asked}
    before = number(asked.get("before", ""), 0)
    wanted = dict(chosen)
    if "actor" in chosen:
        ids = {name: one for one, name in desk.who(at).items()}
        wanted["actor"] = ids.get(chosen["actor"].casefold(), chosen["actor"])
    found = desk.audit_events(at, lane=lane, last=PAGE_EVENTS + 1, before=before, **wanted)
    more = len(found) > PAGE_EVENTS
    same = urlencode({"lane": lane} | chosen)
    return render(
        request, "audit_events.html", events=found[:PAGE_EVENTS], lane=lane, chosen=chosen,
        lanes=at.chains, actions=ACTIONS, roles=ROLES, outcomes=OUTCOMES,
        next=f"/audit/events?{same}&before={found[PAGE_EVENTS - 1]['seq']}" if more else "",
        first=f"/audit/events?{same}" if before else "",
    )  # fmt: skip


@router.post("/audit/statements/{statement_id}/verification")
def verify_statement(request: Request, at: At, service: Serving, statement_id: str) -> Response:
    """Verify that a statement's rows are unchanged and its alerts can be reproduced."""
    with service.scoring():
        found = desk.get_statement(at, statement_id)
        check = desk.verify_statement(at, found["statement_id"])
    return render(
        request, "verified.html", found=found, check=check, sees_alerts=bool(at.actor.lanes)
    )
