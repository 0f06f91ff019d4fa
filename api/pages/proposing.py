"""Pages of proposals: the change line by line, and its approval."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.deps import At, Serving
from api.pages.page import Files, Sent, field_errors, go, render
from api.service import UPLOAD_BYTES
from api.uploads import read_register
from cardwatch import desk
from cardwatch.casebook.tables import RECEIVES
from cardwatch.errors import CardwatchError, NotAllowed, NotFound

router = APIRouter()


@router.get("/settings/propose")
def show_proposing(request: Request, at: At, job: str = "") -> Response:
    """Show what a change that was tried would change, to be proposed."""
    return propose_page(request, at, {"job": job}, {})


def propose_page(
    request: Request, at: At, sent: dict[str, str], errors: dict[str, str]
) -> Response:
    """Show what a policy or rules would change, with the form to propose it."""
    kind, content = _document(at, sent)
    changes = desk.preview(at, kind, content)
    return render(
        request, "propose.html", errors=errors, sent=sent,
        kind=kind, changes=changes,
    )  # fmt: skip


@router.post("/settings/propose")
def propose(request: Request, at: At, service: Serving, sent: Sent) -> Response:
    """Propose a policy or rules."""
    service.check_texts({"policy.toml": sent.get("policy", "")}, "policy")
    kind, content = _document(at, sent)
    try:
        made = desk.propose(
            at, kind, content,
            holds_from=sent.get("holds_from", ""), reason=sent.get("reason", ""),
        )  # fmt: skip
    except CardwatchError as refusal:
        return propose_page(request, at, sent, field_errors(refusal))
    return go(f"/settings/proposals/{made['proposal_id']}")


def _document(at: At, sent: dict[str, str]) -> tuple[str, bytes]:
    """Return the kind and content of what is to be proposed: what a job tried, or as it was sent.

    Raises:
        NotFound: there is no such job of the caller's.
    """
    if not sent.get("job"):
        return "policy", (sent.get("policy", "") + "\n").encode()
    job = desk.get_job(at, sent["job"])
    if job["state"] != "done" or "document" not in (job["answer"] or {}):
        raise NotFound("This back-test has no results.")
    return job["answer"]["kind"], job["answer"]["document"].encode()


@router.get("/settings/propose/model")
def show_proposing_model(request: Request, at: At) -> Response:
    """Show the form to propose a model fitted anew."""
    return _more_page(request, at, "model", {}, {})


@router.get("/settings/propose/cards")
def show_proposing_cards(request: Request, at: At) -> Response:
    """Show the form to propose a card register."""
    return _more_page(request, at, "cards", {}, {})


def _more_page(
    request: Request, at: At, kind: str, sent: dict[str, str], errors: dict[str, str]
) -> Response:
    if at.actor.role not in RECEIVES:
        raise NotAllowed("Your role cannot change settings.")
    model = desk.get_model(at)
    return render(
        request, "propose_more.html", errors=errors, sent=sent,
        kind=kind, model=model,
    )  # fmt: skip


@router.post("/settings/propose/model")
def propose_model(request: Request, at: At, service: Serving, sent: Sent) -> Response:
    """Fit a model to the last thirteen months and propose it."""
    try:
        with service.scoring():
            made = desk.propose(
                at, "model", None,
                holds_from=sent.get("holds_from", ""), reason=sent.get("reason", ""),
            )  # fmt: skip
    except NotFound as refusal:
        return _more_page(request, at, "model", sent, {"": str(refusal)})
    except CardwatchError as refusal:
        return _more_page(request, at, "model", sent, field_errors(refusal))
    return go(f"/settings/proposals/{made['proposal_id']}")


@router.post("/settings/propose/cards", max_body_size=UPLOAD_BYTES)
def propose_cards(request: Request, at: At, service: Serving, sent: Sent, files: Files) -> Response:
    """Read a card register and propose it."""
    try:
        if not files:
            return _more_page(request, at, "cards", sent, {"files": "Select a card register"})
        register = read_register(service, files[0])
        made = desk.propose(
            at, "cards", register,
            holds_from=sent.get("holds_from", ""), reason=sent.get("reason", ""),
        )  # fmt: skip
    except CardwatchError as refusal:
        return _more_page(request, at, "cards", sent, field_errors(refusal, {"file": "files"}))
    return go(f"/settings/proposals/{made['proposal_id']}")


@router.get("/settings/proposals/{proposal_id}")
def show_proposal(request: Request, at: At, proposal_id: str) -> Response:
    """Show a proposal: who proposed it, why, and its changes against what is active."""
    found = desk.get_proposal(at, proposal_id)
    return render(
        request, "proposal.html", found=found, is_own=found["made_by"] == at.actor.actor_id,
        may_decide=at.actor.role == found["lane"] and found["state"] == "open",
    )  # fmt: skip


@router.post("/settings/proposals/{proposal_id}/agreement")
def agree(at: At, proposal_id: str) -> Response:
    """Approve another person's proposal, which activates it."""
    desk.decide_proposal(at, proposal_id, agrees=True)
    return go("/settings")


@router.post("/settings/proposals/{proposal_id}/refusal")
def refuse(at: At, proposal_id: str) -> Response:
    """Reject a proposal, or withdraw one's own."""
    desk.decide_proposal(at, proposal_id, agrees=False)
    return go("/settings")
