"""Routes of rules, policy and model: show, back-test, propose and approve."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Request, Response, UploadFile

from api.deps import AppStateDep, Context, VerifiedContext
from api.schemas.base import Day, Id, Reason
from api.schemas.jobs import Job
from api.schemas.settings import (
    BackTestCreate,
    Model,
    PackProposal,
    PackUpload,
    ProposalCreate,
    Rule,
    RuleDetail,
)
from api.state import PACK_BYTES, UPLOAD_BYTES
from api.uploads import read_pack, read_register
from cardwatch import rules, services
from cardwatch.casebook import rows
from cardwatch.errors import CardwatchError, NotFound
from cardwatch.services import answers

router = APIRouter(tags=["settings"])
JOB_LINKS: dict[str, Any] = {
    "job": {"operationId": "get_job", "parameters": {"job_id": "$response.body#/job_id"}}
}


@router.get("/rules", response_model=list[Rule])
def list_rules(context: Context, day: Day | None = None) -> list[Rule]:
    """List the active rules of the caller's lanes on a day (today by default)."""
    return [_shown(rule) for rule in services.list_rules(context, day or "")]


@router.get("/rules/{rule_id}", response_model=RuleDetail)
def get_rule(rule_id: Id, context: Context) -> RuleDetail:
    """Show one active rule: its conditions in words, with the figures of the active policy."""
    detail = services.get_rule(context, rule_id)
    return RuleDetail.model_validate(
        _shown(detail.rule).model_dump()
        | {
            "clause": detail.clause,
            "conditions": [{"what": what, "met_at": met_at} for what, met_at in detail.conditions],
            "figures": [{"label": label, "value": value} for label, value in detail.figures],
        }
    )


def _shown(rule: rules.Rule) -> Rule:
    """Return what is shown of a rule."""
    plain = {name: getattr(rule, name) for name in Rule.model_fields if name != "when"}
    return Rule(**plain, when=[str(condition) for condition in rule.when])


@router.get("/policy")
def get_policy(context: Context, day: Day | None = None) -> answers.PolicyInForce:
    """Show the active policy on a day (today by default)."""
    return services.get_policy(context, day or "")


@router.get("/model", response_model=Model)
def get_model(context: Context) -> answers.ModelInForce:
    """Show the active anomaly model: loaded, none, or refused and why."""
    return services.get_model(context)


@router.get("/settings")
def list_settings(context: Context) -> list[rows.ActiveDocument]:
    """List every activated policy, register and model, by kind and time."""
    return services.list_active(context)


@router.get("/pack")
def get_pack(context: Context) -> answers.ActivePack:
    """Show the pack behind the active policy, and what differs from it here."""
    active = services.get_pack(context)
    if active is None:
        raise NotFound("The active policy was not taken from a pack.")
    return active


@router.post("/pack/preview", max_body_size=PACK_BYTES)
def preview_pack(body: PackUpload, context: Context, service: AppStateDep) -> answers.PackPreview:
    """Show what a pack would change here; nothing is stored."""
    return services.preview_pack(context, read_pack(service, body.pack.encode()))


@router.post("/pack/proposals", status_code=201)
def propose_pack(body: PackProposal, context: Context) -> rows.Proposal:
    """Propose the pack that a back-test of yours tested; another person must approve it."""
    return services.propose_pack(
        context, body.job_id, effective_from=body.effective_from, reason=body.reason
    )


@router.post(
    "/back-tests",
    response_model=Job,
    status_code=202,
    responses={202: {"links": JOB_LINKS}},
    max_body_size=PACK_BYTES,
)
def back_test(
    body: BackTestCreate,
    context: Context,
    service: AppStateDep,
    request: Request,
    response: Response,
) -> Any:  # noqa: ANN401
    """Test a policy, rules or a pack on past statements: new alerts and alerts removed."""
    content = _content(service, body)
    job = services.queue_back_test(context, body.kind, content, body.months, service.seal)
    service.wake.set()
    response.headers["Location"] = request.url_for("get_job", job_id=job["job_id"]).path
    return job


@router.post(
    "/evaluations", response_model=Job, status_code=202, responses={202: {"links": JOB_LINKS}}
)
def evaluate(context: Context, service: AppStateDep, request: Request, response: Response) -> Any:  # noqa: ANN401
    """Evaluate with invented cases in a copy of the payments."""
    job = services.queue_evaluation(context, service.seal)
    response.headers["Location"] = request.url_for("get_job", job_id=job["job_id"]).path
    return job


@router.get("/proposals")
def list_proposals(context: Context) -> list[rows.Proposal]:
    """List proposals, the newest first; those of professional standards only to them."""
    return services.list_proposals(context)


@router.post("/proposals", status_code=201)
def propose(body: ProposalCreate, context: Context, service: AppStateDep) -> rows.Proposal:
    """Propose a policy, rules or a retrained model; another person in the role must approve."""
    with service.scoring():
        content = _content(service, body) if body.kind in {"policy", "rules"} else None
        return services.propose(
            context, body.kind, content, effective_from=body.effective_from, reason=body.reason
        )


@router.post("/proposals/cards", status_code=201, max_body_size=UPLOAD_BYTES)
def propose_cards(
    context: Context,
    service: AppStateDep,
    file: Annotated[UploadFile, File(description="A card register: CSV, XLS, XLSX or ODS.")],
    reason: Annotated[Reason, Form()],
    effective_from: Annotated[Day | None, Form()] = None,
) -> rows.Proposal:
    """Propose a card register; another person in the role must approve it."""
    cards = read_register(service, file)
    return services.propose(
        context, "cards", cards, effective_from=effective_from or "", reason=reason
    )


@router.post("/proposals/{proposal_id}/agreement")
def agree(proposal_id: Id, context: VerifiedContext) -> rows.Proposal:
    """Approve another person's proposal, which activates it."""
    return services.decide_proposal(context, proposal_id, agrees=True)


@router.post("/proposals/{proposal_id}/refusal")
def refuse(proposal_id: Id, context: Context) -> rows.Proposal:
    """Reject a proposal, or withdraw one's own."""
    return services.decide_proposal(context, proposal_id, agrees=False)


def _content(service: AppStateDep, body: ProposalCreate | BackTestCreate) -> bytes:
    """Return the document that was sent.

    Raises:
        CardwatchError: it was not.
        FileFaulty: it is no TOML, or exceeds a bound.
    """
    if body.kind == "policy" and body.policy is not None:
        service.check_texts({"policy.toml": body.policy}, "policy")
        return body.policy.encode()
    if body.kind == "rules" and body.rules is not None:
        service.check_texts(body.rules, "rules")
        return services.pack_rules(body.rules)
    if isinstance(body, BackTestCreate) and body.kind == "pack" and body.pack is not None:
        return read_pack(service, body.pack.encode())
    raise CardwatchError(f"Send the {body.kind} in the field '{body.kind}'.", field=body.kind)
