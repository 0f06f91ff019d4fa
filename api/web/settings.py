"""Pages of the active rules, policy and model, with their history and precision."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.deps import Context
from api.web.base import render
from cardwatch import services
from cardwatch.casebook.tables import RECEIVES
from cardwatch.features import FEATURES, meaning_of, name_of
from cardwatch.forest import SAMPLES, SEED, TREES
from cardwatch.rules import meanings

router = APIRouter()
SAYS = {name_of(feature): meaning_of(feature) for feature in FEATURES}
"""The meaning of each feature."""


@router.get("/rules")
def list_rules(request: Request, context: Context) -> Response:
    """List the active rules."""
    return render(request, "rules.html", rules=services.list_rules(context))


@router.get("/rules/{rule_id}")
def show_rule(request: Request, context: Context, rule_id: str) -> Response:
    """Show one rule in words, with the figures of the active policy."""
    detail = services.get_rule(context, rule_id)
    reads = [(name, meanings()[name]) for name in detail.rule.reads]
    return render(request, "rule.html", rule=detail.rule, detail=detail, reads=reads)


@router.get("/precision")
def show_precision(request: Request, context: Context) -> Response:
    """Show how often each rule's alerts were upheld, with the form to propose an order by it."""
    return render(
        request, "precision.html",
        by_month=services.rule_precision(context, by_month=True),
        by_band=services.rule_precision(context), orders=services.alert_orders(context),
        own_lane=context.actor.chain if context.actor.role in RECEIVES else "",
    )  # fmt: skip


@router.get("/settings")
def show_settings(request: Request, context: Context) -> Response:
    """Show the active policy and model, their history and proposals."""
    return render(
        request, "settings.html", policy=services.get_policy(context),
        model=services.get_model(context),
        held=services.list_active(context), proposals=services.list_proposals(context),
    )  # fmt: skip


@router.get("/settings/model")
def show_model(request: Request, context: Context) -> Response:
    """Show the card of the active model."""
    model = services.get_model(context)
    in_force = [
        activation
        for activation in services.list_active(context)
        if activation["sha256"] == model["sha256"]
    ]
    reads = [(name, SAYS[name]) for name in model.get("features", ())]
    return render(
        request, "model.html", model=model, put=in_force[-1] if in_force else None, reads=reads,
        made_of=(TREES, SAMPLES, SEED),
    )  # fmt: skip
