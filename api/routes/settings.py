"""Routes of rules, policy and model: show, back-test, propose and approve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, File, Form, Request, Response, UploadFile

from api.deps import At, Serving
from api.schemas import (
    Day,
    Id,
    InForce,
    Job,
    Model,
    PolicyInForce,
    Proposal,
    Reason,
    Rule,
    ToPropose,
    ToTry,
)
from api.service import UPLOAD_BYTES
from api.uploads import read_register
from cardwatch import desk
from cardwatch.errors import CardwatchError, NotFound

if TYPE_CHECKING:
    from cardwatch import rules

router = APIRouter(tags=["settings"])
JOB: dict[str, Any] = {
    "job": {"operationId": "get_job", "parameters": {"job_id": "$response.body#/job_id"}}
}


@router.get("/rules", response_model=list[Rule])
def list_rules(at: At, day: Day | None = None) -> list[dict[str, Any]]:
    """List the active rules of the caller's lanes on a day (today by default)."""
    return [_shown(rule) for rule in desk.list_rules(at, day or "")]


@router.get("/rules/{rule_id}", response_model=Rule)
def get_rule(rule_id: Id, at: At) -> dict[str, Any]:
    """Show one active rule."""
    found = [rule for rule in desk.list_rules(at) if rule.id == rule_id]
    if not found:
        raise NotFound("There is no such rule.")
    return _shown(found[0])


def _shown(rule: rules.Rule) -> dict[str, Any]:
    """Return what is shown of a rule."""
    plain = {name: getattr(rule, name) for name in Rule.model_fields if name != "when"}
    return plain | {"when": [str(condition) for condition in rule.when]}


@router.get("/policy", response_model=PolicyInForce)
def get_policy(at: At, day: Day | None = None) -> dict[str, Any]:
    """Show the active policy on a day (today by default)."""
    return desk.get_policy(at, day or "")


@router.get("/model", response_model=Model)
def get_model(at: At) -> dict[str, Any]:
    """Show the active anomaly model: loaded, none, or refused and why."""
    return desk.get_model(at)


@router.get("/settings", response_model=list[InForce])
def list_settings(at: At) -> list[dict[str, Any]]:
    """List every activated policy, register and model, by kind and time."""
    return desk.list_in_force(at)


@router.post("/back-tests", response_model=Job, status_code=202, responses={202: {"links": JOB}})
def back_test(sent: ToTry, at: At, service: Serving, request: Request, response: Response) -> Any:  # noqa: ANN401
    """Test a policy or rules on past statements: new alerts and alerts removed."""
    job = desk.ask_back_test(at, sent.kind, _content(service, sent), sent.months)
    service.wake.set()
    response.headers["Location"] = request.url_for("get_job", job_id=job["job_id"]).path
    return job


@router.post("/evaluations", response_model=Job, status_code=202, responses={202: {"links": JOB}})
def evaluate(at: At, request: Request, response: Response) -> Any:  # noqa: ANN401
    """Evaluate with invented cases in a copy of the payments."""
    job = desk.ask_evaluation(at)
    response.headers["Location"] = request.url_for("get_job", job_id=job["job_id"]).path
    return job


@router.get("/proposals", response_model=list[Proposal])
def list_proposals(at: At) -> list[dict[str, Any]]:
    """List proposals, the newest first; those of professional standards only to them."""
    return desk.list_proposals(at)


@router.post("/proposals", response_model=Proposal, status_code=201)
def propose(sent: ToPropose, at: At, service: Serving) -> dict[str, Any]:
    """Propose a policy, rules or a retrained model; another person in the role must approve."""
    with service.scoring():
        content = None if sent.kind == "model" else _content(service, sent)
        return desk.propose(at, sent.kind, content, holds_from=sent.holds_from, reason=sent.reason)


@router.post(
    "/proposals/cards", response_model=Proposal, status_code=201, max_body_size=UPLOAD_BYTES
)
def propose_cards(
    at: At,
    service: Serving,
    file: Annotated[UploadFile, File(description="A card register: CSV, XLS, XLSX or ODS.")],
    reason: Annotated[Reason, Form()],
    holds_from: Annotated[Day | None, Form()] = None,
) -> dict[str, Any]:
    """Propose a card register; another person in the role must approve it."""
    cards = read_register(service, file)
    return desk.propose(at, "cards", cards, holds_from=holds_from or "", reason=reason)


@router.post("/proposals/{proposal_id}/agreement", response_model=Proposal)
def agree(proposal_id: Id, at: At) -> dict[str, Any]:
    """Approve another person's proposal, which activates it."""
    return desk.decide_proposal(at, proposal_id, agrees=True)


@router.post("/proposals/{proposal_id}/refusal", response_model=Proposal)
def refuse(proposal_id: Id, at: At) -> dict[str, Any]:
    """Reject a proposal, or withdraw one's own."""
    return desk.decide_proposal(at, proposal_id, agrees=False)


def _content(service: Serving, sent: ToPropose | ToTry) -> bytes:
    """Return the document that was sent.

    Raises:
        CardwatchError: it was not.
        FileFaulty: it is no TOML, or exceeds a bound.
    """
    if sent.kind == "policy" and sent.policy is not None:
        service.check_texts({"policy.toml": sent.policy}, "policy")
        return sent.policy.encode()
    if sent.kind == "rules" and sent.rules is not None:
        service.check_texts(sent.rules, "rules")
        return desk.pack_rules(sent.rules)
    raise CardwatchError(f"Send the {sent.kind} in the field '{sent.kind}'.", field=sent.kind)
