"""Pages on which the policy is changed in a form, in pounds; it ends in a proposal."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.deps import AppStateDep, Context
from api.web.base import AllFields, render, sent_form, shown_again
from api.web.proposals import propose_page
from cardwatch import services

router = APIRouter()


@router.get("/settings/policy")
def show_policy_form(request: Request, context: Context) -> Response:
    """Show the figures of the active policy as a form."""
    form = services.policy_form(context)
    return render(
        request, "settings_policy.html", form=form.values | sent_form(request),
        assumed=form.assumed, figures=services.FIGURE_LABELS, limits=services.LIMIT_LABELS,
        lists=services.LIST_LABELS, clauses=services.CLAUSE_LABELS,
    )  # fmt: skip


@router.post("/settings/policy")
@shown_again(show_policy_form)
def change_policy(
    request: Request, context: Context, service: AppStateDep, form: AllFields
) -> Response:
    """Show what the form changes, before and after, with the form to propose it."""
    policy = services.change_policy(context, form)
    service.check_texts({"policy.toml": policy}, "policy")
    return propose_page(request, context, {"policy": policy})
