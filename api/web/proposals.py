"""Pages of proposals: the change line by line, and its approval."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.deps import AppStateDep, Context, VerifiedContext
from api.state import UPLOAD_BYTES
from api.uploads import read_register
from api.web.base import Files, FormFields, redirect, render, sent_form, shown_again
from api.web.settings import show_precision
from cardwatch import services
from cardwatch.casebook.tables import POLICY_PACK, RECEIVES
from cardwatch.errors import CardwatchError, NotAllowed, NotFound

router = APIRouter()


@router.get("/settings/propose")
def show_proposing(request: Request, context: Context, job: str = "") -> Response:
    """Show what a change that was tried would change, to be proposed."""
    return propose_page(request, context, {"job": job} | sent_form(request))


def propose_page(request: Request, context: Context, form: dict[str, str]) -> Response:
    """Show what a policy or rules would change, with the form to propose it."""
    kind, content = _document(context, form)
    if kind == POLICY_PACK:
        change = services.preview_pack(context, content)
        return render(
            request, "propose.html", form=form, kind=kind, change=change,
            has_approver=services.has_approver(context),
        )  # fmt: skip
    changes = services.preview(context, kind, content)
    return render(
        request, "propose.html", form=form,
        kind=kind, changes=changes, has_approver=services.has_approver(context),
        before_after=services.preview_policy(context, content) if kind == "policy" else [],
    )  # fmt: skip


@router.post("/settings/propose")
@shown_again(show_proposing)
def propose(request: Request, context: Context, service: AppStateDep, form: FormFields) -> Response:
    """Propose a policy or rules."""
    service.check_texts({"policy.toml": form.get("policy", "")}, "policy")
    kind, content = _document(context, form)
    chosen = {name: form.get(name, "") for name in ("effective_from", "reason")}
    if kind == POLICY_PACK:
        proposal = services.propose_pack(context, form["job"], **chosen)
    else:
        proposal = services.propose(context, kind, content, **chosen)
    return redirect(f"/settings/proposals/{proposal['proposal_id']}", "proposed")


def _document(context: Context, form: dict[str, str]) -> tuple[str, bytes]:
    """Return the kind and content of what is to be proposed: what a job tried, or as it was sent.

    Raises:
        NotFound: there is no such job of the caller's.
    """
    if not form.get("job"):
        return "policy", (form.get("policy", "") + "\n").encode()
    job = services.get_job(context, form["job"])
    if job["state"] != "done" or "document" not in (job["answer"] or {}):
        raise NotFound("This back-test has no results.")
    return job["answer"]["kind"], job["answer"]["document"].encode()


@router.get("/settings/propose/model")
def show_proposing_model(request: Request, context: Context) -> Response:
    """Show the form to retrain the model and propose it."""
    return _more_page(request, context, "model")


@router.get("/settings/propose/cards")
def show_proposing_cards(request: Request, context: Context) -> Response:
    """Show the form to propose a card register."""
    return _more_page(request, context, "cards")


def _more_page(request: Request, context: Context, kind: str) -> Response:
    if context.actor.role not in RECEIVES:
        raise NotAllowed("Your role cannot change settings.")
    model = services.get_model(context)
    return render(
        request, "propose_more.html", kind=kind, model=model,
        has_approver=services.has_approver(context),
    )  # fmt: skip


@router.post("/settings/propose/model")
@shown_again(show_proposing_model)
def propose_model(
    request: Request, context: Context, service: AppStateDep, form: FormFields
) -> Response:
    """Fit a model to the last thirteen months and propose it."""
    try:
        with service.scoring():
            proposal = services.propose(
                context, "model", None,
                effective_from=form.get("effective_from", ""), reason=form.get("reason", ""),
            )  # fmt: skip
    except NotFound as refusal:  # nothing to fit it to
        raise CardwatchError(str(refusal)) from refusal
    return redirect(f"/settings/proposals/{proposal['proposal_id']}", "proposed")


@router.post("/settings/propose/order")
@shown_again(show_precision)
def propose_order(request: Request, context: Context, form: FormFields) -> Response:
    """Propose to order alerts by the answers so far, or by evidence alone."""
    kind = form.get("kind", "")
    if kind not in services.PROPOSED_ORDERS:
        raise CardwatchError("Choose an order", field="kind")
    proposal = services.propose(
        context, kind, None, effective_from="", reason=form.get("reason", "")
    )
    return redirect(f"/settings/proposals/{proposal['proposal_id']}", "proposed")


@router.post("/settings/propose/cards", max_body_size=UPLOAD_BYTES)
@shown_again(show_proposing_cards, {"file": "files"})
def propose_cards(
    request: Request, context: Context, service: AppStateDep, form: FormFields, files: Files
) -> Response:
    """Read a card register and propose it."""
    if not files:
        raise CardwatchError("Select a card register", field="files")
    register = read_register(service, files[0])
    proposal = services.propose(
        context, "cards", register,
        effective_from=form.get("effective_from", ""), reason=form.get("reason", ""),
    )  # fmt: skip
    return redirect(f"/settings/proposals/{proposal['proposal_id']}", "proposed")


@router.get("/settings/proposals/{proposal_id}")
def show_proposal(request: Request, context: Context, proposal_id: str) -> Response:
    """Show a proposal: who proposed it, why, and its changes against what is active."""
    proposal = services.get_proposal(context, proposal_id)
    return render(
        request, "proposal.html", found=proposal,
        is_own=proposal["made_by"] == context.actor.actor_id,
        has_approver=services.has_approver(context),
        may_decide=context.actor.role == proposal["lane"] and proposal["state"] == "open",
    )  # fmt: skip


@router.post("/settings/proposals/{proposal_id}/agreement")
def agree(context: VerifiedContext, proposal_id: str) -> Response:
    """Approve another person's proposal, which activates it."""
    services.decide_proposal(context, proposal_id, agrees=True)
    return redirect("/settings", "approved")


@router.post("/settings/proposals/{proposal_id}/refusal")
def refuse(context: Context, proposal_id: str) -> Response:
    """Reject a proposal, or withdraw one's own."""
    proposal = services.decide_proposal(context, proposal_id, agrees=False)
    is_own = proposal["made_by"] == context.actor.actor_id
    return redirect("/settings", "withdrawn" if is_own else "rejected")
