"""Pages of a supplier, a cardholder and a unit, for professional standards."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from api.deps import AppStateDep, Context
from api.web.base import render
from api.web.charts import branches_of
from api.web.paging import Page, page_asked_for
from cardwatch import services
from cardwatch.quantities import quantity
from cardwatch.services.subject_rows import Relation
from cardwatch.services.subject_timeline import ROWS_PER_PAGE

router = APIRouter()
KIND_LABELS = {"": "Everything", "payments": "Payments", "registers": "Registers",
               "approvals": "Approvals", "alerts": "Alerts"}  # fmt: skip
RELATION_LABELS = {
    "paid": "Paid",
    "approved": "Approved",
    "approved-by": "Approved their payments",
    "approver-of": "Payments they approved",
    "card-approved-by": "Approves their card",
    "approves-card-of": "Card they approve",
    "people": "Works there now",
    "tenders": "Tender",
    "gifts": "Gifts and hospitality",
    "interests": "Interest or second job",
    "associations": "Declared association",
    "contracts": "Contract",
    "companies": "Company snapshot",
}
RELATION_NOUNS = {
    "paid": ("payment", "payments"),
    "approved": ("payment", "payments"),
    "approved-by": ("approval", "approvals"),
    "approver-of": ("approval", "approvals"),
    "card-approved-by": ("card", "cards"),
    "approves-card-of": ("card", "cards"),
}


@router.get("/suppliers/{supplier_id}")
def show_supplier(
    request: Request, context: Context, service: AppStateDep, supplier_id: str
) -> Response:
    """Show a supplier: its relations, what registers say of it, and its timeline."""
    chosen = _chosen(request)
    with service.scoring():
        detail = services.get_supplier(context, supplier_id, **chosen)
    return _page(request, "supplier.html", detail, chosen)


@router.get("/cardholders/{cardholder_id}")
def show_cardholder(
    request: Request, context: Context, service: AppStateDep, cardholder_id: str
) -> Response:
    """Show a cardholder: their relations, what registers say of them, and their timeline."""
    chosen = _chosen(request)
    with service.scoring():
        detail = services.get_cardholder(context, cardholder_id, **chosen)
    return _page(request, "cardholder.html", detail, chosen)


@router.get("/units/{unit_id}")
def show_unit(request: Request, context: Context, service: AppStateDep, unit_id: str) -> Response:
    """Show a unit, summed."""
    with service.scoring():
        detail = services.get_unit(context, unit_id)
    return render(request, "unit.html", detail=detail)


def _chosen(request: Request) -> dict[str, Any]:
    """Return the part of a timeline that an address asks for; the first of all without one."""
    kind = request.query_params.get("kind", "")
    return {"kind": kind if kind in KIND_LABELS else "", "page": page_asked_for(request)}


def _page(
    request: Request,
    template: str,
    detail: services.SupplierDetail | services.CardholderDetail,
    chosen: dict[str, Any],
) -> Response:
    """Return the page of a supplier or cardholder, with a page of their timeline."""
    path, kind = request.url.path, chosen["kind"]
    address = f"{path}?kind={kind}" if kind else path
    page = Page(address, detail.timeline.total, ROWS_PER_PAGE, detail.timeline.page)
    branches, height = branches_of(map(_words, detail.relations))
    return render(
        request, template, detail=detail, kind=kind, kinds=KIND_LABELS, labels=RELATION_LABELS,
        branches=branches, height=height, page=page,
    )  # fmt: skip


def _words(relation: Relation) -> tuple[str, str, str]:
    """Return the name, match and words of a relation as the drawing has it."""
    other = relation.supplier or relation.cardholder
    nouns = RELATION_NOUNS.get(relation.how, ("entry", "entries"))
    words = f"{RELATION_LABELS[relation.how]}: {quantity(relation.count, *nouns)}"
    return other.name if other else "No person", relation.match, words
