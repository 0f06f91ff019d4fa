"""Routes of the audit chains, samples, retention and deletion."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from api.deps import At
from api.schemas import ChainCheck, Erased, Keeps, Lane, Role, Sample, Short, ToDraw, ToKeep
from cardwatch import desk
from cardwatch.casebook.work import ACTIONS

router = APIRouter(tags=["audit"])


@router.get("/audit/events", response_model=list[dict[str, Any]])
def list_events(
    at: At,
    lane: Lane = "finance",
    last: Annotated[int, Query(ge=1, le=1_000, examples=[100])] = 100,
    before: Annotated[
        int, Query(ge=0, le=10**15, description="Only events before the event `seq`.")
    ] = 0,
    action: Literal[ACTIONS] | None = None,  # type: ignore[valid-type]
    object: Short = "",  # noqa: A002  as it is called in an event
    role: Role | None = None,
    actor: Short = "",
    id: Short = "",  # noqa: A002  as it is called in an event
    outcome: Literal["done", "denied", "not-found", "failed"] | None = None,
) -> list[dict[str, Any]]:
    """List the matching events of a chain, the newest first."""
    asked = {"action": action, "object": object, "role": role, "actor": actor, "id": id,
             "outcome": outcome}  # fmt: skip
    wanted = {name: value for name, value in asked.items() if value}
    return desk.audit_events(at, lane=lane, last=last, before=before, **wanted)


@router.get("/audit/verification", response_model=list[ChainCheck])
def verify_audit(at: At) -> list[dict[str, Any]]:
    """Verify the audit chains that the caller may see, and the hashes in them."""
    return [asdict(one) for one in desk.verify_audit(at)]


@router.post("/samples", response_model=Sample)
def draw_sample(sent: ToDraw, at: At) -> dict[str, Any]:
    """Draw a sample for a dip test; its seed and size stay in the audit chain."""
    return desk.pseudonymise(at, desk.draw_sample(at, desk.Draw(**sent.model_dump())))


@router.get("/retention", response_model=Keeps)
def get_retention(at: At) -> dict[str, int]:
    """Show the retention period of each class of data."""
    return desk.keeps(at)


@router.put("/retention", response_model=Keeps)
def set_retention(sent: ToKeep, at: At) -> dict[str, int]:
    """Set the retention period of one class of data."""
    return desk.keeps(at, kind=sent.kind, days=sent.days)


@router.post("/erasures", response_model=Erased)
def erase(at: At) -> dict[str, int]:
    """Delete expired data that is not on hold."""
    return {"transactions": desk.erase(at)}
