"""Operations on suppliers, cardholders and units for professional standards."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query

from api.deps import AppStateDep, Context
from api.schemas.base import Id
from cardwatch import services

router = APIRouter(tags=["subjects"])
TimelineKind = Annotated[
    Literal["payments", "registers", "approvals", "alerts"] | None,
    Query(description="What the timeline is limited to.", examples=["registers"]),
]
Page = Annotated[
    int, Query(ge=1, le=1_000, description="Page of the timeline; 50 rows each.", examples=[1])
]


@router.get("/subjects")
def subject_links(
    context: Context,
    same_as: Annotated[
        str,
        Query(
            max_length=80,
            pattern=r"^[0-9A-Za-z_:-]+$",
            description="An alert, or a payment as `statement:row`.",
            examples=["ba0e7c01d2f3"],
        ),
    ],
) -> services.SubjectLinks:
    """List the cardholders, suppliers and units of an alert or a payment, by id."""
    return services.subject_links(context, [same_as])


@router.get("/suppliers/{supplier_id}")
def get_supplier(
    supplier_id: Id,
    context: Context,
    service: AppStateDep,
    kind: TimelineKind = None,
    page: Page = 1,
) -> services.SupplierDetail:
    """Show a supplier: cardholders, approvers, registers and alerts, and a page of its timeline.

    A match may be only possible. Where `matched` of a register is 0, nothing is declared there
    under a similar name; that clears nobody.
    """
    with service.scoring():
        return services.get_supplier(context, supplier_id, kind=kind or "", page=page)


@router.get("/cardholders/{cardholder_id}")
def get_cardholder(
    cardholder_id: Id,
    context: Context,
    service: AppStateDep,
    kind: TimelineKind = None,
    page: Page = 1,
) -> services.CardholderDetail:
    """Show a cardholder: suppliers, registers, approvals and alerts, and a page of their timeline.

    They are shown by pseudonym until the caller has given a reason to see the names of an alert
    about them. Nobody is shown themselves, or somebody whose card they approve.
    """
    with service.scoring():
        return services.get_cardholder(context, cardholder_id, kind=kind or "", page=page)


@router.get("/units/{unit_id}")
def get_unit(unit_id: Id, context: Context, service: AppStateDep) -> services.UnitDetail:
    """Show a unit, summed: cardholders, suppliers, register coverage and alerts by state."""
    with service.scoring():
        return services.get_unit(context, unit_id)
