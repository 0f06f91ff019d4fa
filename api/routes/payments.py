"""Operations on payments: the list by filters, one payment, and every rule applied to it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import AppStateDep, Context
from api.pagination import PaymentRows, payments_page
from api.schemas.base import Day, Id, RowNumber, Short
from api.schemas.payments import PaymentPage, PaymentSearch
from cardwatch import services
from cardwatch.casebook.payment_queries import PaymentFilters
from cardwatch.services import answers

router = APIRouter(tags=["payments"])
Pence = Annotated[int | None, Query(ge=-(10**12), le=10**12)]


@router.get("/payments", response_model=PaymentPage)
def list_payments(
    context: Context,
    statement_id: Short = "",
    unit: Short = "",
    since: Day | None = None,
    until: Day | None = None,
    least_pence: Pence = None,
    most_pence: Pence = None,
    same_holder_as: Annotated[
        Short, Query(description="An alert, or a payment as `statement:row`.")
    ] = "",
    same_merchant_as: Annotated[
        Short, Query(description="An alert, or a payment as `statement:row`.")
    ] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str, Query(max_length=500)] = "",
) -> PaymentRows:
    """List the payments that count and fit some filters, each once, the newest first."""
    filters = PaymentFilters(
        statement_id=statement_id,
        unit=unit,
        since=since or "",
        until=until or "",
        least_pence=least_pence,
        most_pence=most_pence,
        same_holder_as=same_holder_as,
        same_merchant_as=same_merchant_as,
    )
    return _page(context, filters, limit, cursor)


@router.post("/payments/search", response_model=PaymentPage)
def search_payments(body: PaymentSearch, context: Context) -> PaymentRows:
    """List the payments with some words in a cardholder, merchant, unit or reference.

    The words are sent in a body, so that no name stands in an address. Professional standards
    search cardholders by the pseudonyms they are shown.
    """
    filters = PaymentFilters(text=body.text, since=body.since or "", until=body.until or "")
    return _page(context, filters, body.limit, body.cursor)


def _page(context: Context, filters: PaymentFilters, limit: int, cursor: str) -> PaymentRows:
    """Return one page of payments, and where the next begins."""
    rows, after = payments_page(context, filters, cursor=cursor, limit=limit)
    return {"payments": rows, "next": after or None}


@router.get("/payments/{statement_id}/{row}")
def get_payment(statement_id: Id, row: RowNumber, context: Context) -> answers.PaymentDetail:
    """Show one payment with the alerts it is evidence of."""
    return services.get_payment(context, statement_id, row)


@router.get("/payments/{statement_id}/{row}/rules")
def explain_payment(
    statement_id: Id, row: RowNumber, context: Context, service: AppStateDep
) -> list[services.PaymentRule]:
    """Apply every rule to one payment: those that fire, then those that do not, with figures."""
    with service.scoring():
        return services.explain_payment(context, statement_id, row)
