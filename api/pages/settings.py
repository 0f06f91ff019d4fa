"""Pages of the active rules, policy and model, with their history and precision."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from api.deps import At
from api.pages.page import render
from cardwatch import desk
from cardwatch.casebook.tables import RECEIVES
from cardwatch.errors import NotFound
from cardwatch.features import FEATURES, meaning_of, name_of
from cardwatch.forest import SAMPLES, SEED, TREES
from cardwatch.rules import meanings

router = APIRouter()
SAYS = {name_of(one): meaning_of(one) for one in FEATURES}
"""The meaning of each feature."""


@router.get("/rules")
def list_rules(request: Request, at: At) -> Response:
    """List the active rules."""
    return render(request, "rules.html", rules=desk.list_rules(at))


@router.get("/rules/{rule_id}")
def show_rule(request: Request, at: At, rule_id: str) -> Response:
    """Show one rule: what it compares, why, what to ask and what would be innocent."""
    found = [rule for rule in desk.list_rules(at) if rule.id == rule_id]
    if not found:
        raise NotFound("There is no such rule.")
    reads = [(name, meanings()[name]) for name in found[0].reads]
    return render(request, "rule.html", rule=found[0], reads=reads)


@router.get("/precision")
def show_precision(request: Request, at: At) -> Response:
    """Show how often each rule's alerts were upheld: by month, and by band of evidence."""
    by_month, by_band = desk.learned(at, by_month=True), desk.learned(at)
    return render(request, "precision.html", by_month=by_month, by_band=by_band)


@router.get("/settings")
def show_settings(request: Request, at: At) -> Response:
    """Show the active policy and model, their history and proposals."""
    return render(
        request, "settings.html", policy=desk.get_policy(at), model=desk.get_model(at),
        held=desk.list_in_force(at), proposals=desk.list_proposals(at),
        may_propose=at.actor.role in RECEIVES,
    )  # fmt: skip


@router.get("/settings/model")
def show_model(request: Request, at: At) -> Response:
    """Show the card of the active model."""
    model = desk.get_model(at)
    put: list[dict[str, Any]] = [
        one for one in desk.list_in_force(at) if one["sha256"] == model["sha256"]
    ]
    reads = [(name, SAYS[name]) for name in model.get("features", ())]
    return render(
        request, "model.html", model=model, put=put[-1] if put else None, reads=reads,
        made_of=(TREES, SAMPLES, SEED), may_propose=at.actor.role in RECEIVES,
    )  # fmt: skip
