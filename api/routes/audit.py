"""The audit chains, how long data is kept, and erasing it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query

from api.deps import At
from api.schemas import ChainCheck, Erased, Keeps, Lane, Sample, ToDraw, ToKeep
from cardwatch import desk

router = APIRouter(tags=["audit"])


@router.get("/audit/events", response_model=list[dict[str, Any]])
def list_events(
    at: At,
    lane: Lane = "finance",
    last: Annotated[int, Query(ge=1, le=1_000, examples=[100])] = 100,
) -> list[dict[str, Any]]:
    """List the newest events of a chain, the newest first."""
    return desk.audit_events(at, lane=lane, last=last)


@router.get("/audit/verification", response_model=list[ChainCheck])
def verify_audit(at: At) -> list[dict[str, Any]]:
    """Verify the chains that the caller may see, with the seals of what they tell of."""
    return [asdict(one) for one in desk.verify_audit(at)]


@router.post("/samples", response_model=Sample)
def draw_sample(sent: ToDraw, at: At) -> dict[str, Any]:
    """Draw a sample for a dip test; its seed and size stay in the audit chain."""
    return desk.draw_sample(at, desk.Draw(**sent.model_dump()))


@router.get("/retention", response_model=Keeps)
def get_retention(at: At) -> dict[str, int]:
    """Show for how many days each class of data is kept."""
    return desk.keeps(at)


@router.put("/retention", response_model=Keeps)
def set_retention(sent: ToKeep, at: At) -> dict[str, int]:
    """Set for how many days one class of data is kept."""
    return desk.keeps(at, kind=sent.kind, days=sent.days)


@router.post("/erasures", response_model=Erased)
def erase(at: At) -> dict[str, int]:
    """Erase what is past its time and not held."""
    return {"transactions": desk.erase(at)}
