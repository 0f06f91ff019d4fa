"""Pages of rules, settings, people and the audit chain, as far as each role may see them."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.deps import At
from api.pages.page import go, render
from cardwatch import desk
from cardwatch.errors import NotFound

router = APIRouter()


@router.get("/rules")
def list_rules(request: Request, at: At) -> Response:
    """List the rules in force."""
    return render(request, "rules.html", rules=desk.list_rules(at))


@router.get("/rules/{rule_id}")
def show_rule(request: Request, at: At, rule_id: str) -> Response:
    """Show one rule: what it compares, why, what to ask and what would be innocent."""
    found = [rule for rule in desk.list_rules(at) if rule.id == rule_id]
    if not found:
        raise NotFound("There is no such rule.")
    return render(request, "rule.html", rule=found[0])


@router.get("/settings")
def show_settings(request: Request, at: At) -> Response:
    """Show the policy and model in force, their history, and what is proposed."""
    return render(
        request, "settings.html", policy=desk.get_policy(at), model=desk.get_model(at),
        held=desk.list_in_force(at), proposals=desk.list_proposals(at), actor=at.actor,
    )  # fmt: skip


@router.post("/settings/proposals/{proposal_id}/agreement")
def agree(at: At, proposal_id: str) -> Response:
    """Agree to what somebody else has proposed: it is put in force."""
    desk.decide_proposal(at, proposal_id, agrees=True)
    return go("/settings")


@router.post("/settings/proposals/{proposal_id}/refusal")
def refuse(at: At, proposal_id: str) -> Response:
    """Refuse what was proposed, or withdraw one's own."""
    desk.decide_proposal(at, proposal_id, agrees=False)
    return go("/settings")


@router.get("/audit")
def show_audit(request: Request, at: At) -> Response:
    """Verify the audit chains that the reader may see, and show their newest events."""
    checks = desk.verify_audit(at)
    events = {one.lane: desk.audit_events(at, lane=one.lane, last=50) for one in checks}
    return render(request, "audit.html", checks=checks, events=events)


@router.get("/people")
def show_people(request: Request, at: At) -> Response:
    """Show who has access, and the keys of machines."""
    people, keys = desk.list_people(at), desk.list_keys(at)
    return render(request, "people.html", people=people, keys=keys)
