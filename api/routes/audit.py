"""Routes of the audit chains, samples, retention and deletion."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from api.deps import Context, VerifiedContext
from api.schemas.audit import (
    Erased,
    RetentionPeriods,
    RetentionUpdate,
    Sample,
    SampleCreate,
)
from api.schemas.base import Short
from cardwatch import services
from cardwatch.casebook import rows
from cardwatch.casebook.audit import ChainCheck
from cardwatch.casebook.unit_of_work import ACTIONS
from cardwatch.services import answers
from cardwatch.vocabulary import Lane, Role

router = APIRouter(tags=["audit"])


@router.get("/audit/events")
def list_events(
    context: Context,
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
) -> list[rows.Event]:
    """List the matching events of a chain, the newest first."""
    filters = {"action": action, "object": object, "role": role, "actor": actor, "id": id,
             "outcome": outcome}  # fmt: skip
    chosen_filters = {name: value for name, value in filters.items() if value}
    return services.audit_events(
        context, lane=lane, last=last, skip=0, before=before, **chosen_filters
    )


@router.get("/audit/verification")
def verify_audit(context: Context) -> list[ChainCheck]:
    """Verify the audit chains that the caller may see, and the hashes in them."""
    return services.verify_audit(context)


@router.post("/samples", response_model=Sample)
def draw_sample(body: SampleCreate, context: Context) -> answers.Sample:
    """Draw a sample for a dip test; its seed and size stay in the audit chain."""
    return services.pseudonymise(
        context, services.draw_sample(context, services.SampleRequest(**body.model_dump()))
    )


@router.get("/retention", response_model=RetentionPeriods)
def get_retention(context: Context) -> dict[str, int]:
    """Show the retention period of each class of data."""
    return services.retention_periods(context)


@router.put("/retention", response_model=RetentionPeriods)
def set_retention(body: RetentionUpdate, context: VerifiedContext) -> dict[str, int]:
    """Set the retention period of one class of data."""
    return services.retention_periods(context, kind=body.kind, days=body.days)


@router.post("/erasures", response_model=Erased)
def erase(context: VerifiedContext) -> dict[str, int]:
    """Delete expired data that is not on hold."""
    return {"transactions": services.erase(context)}
