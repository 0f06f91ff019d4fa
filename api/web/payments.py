"""Pages of payments: the list by filters, its CSV, one payment, and every rule applied to it."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from api.deps import AppStateDep, Context
from api.downloads import as_file
from api.quotas import ExportContext
from api.schemas.base import RowNumber
from api.search_terms import read_term, with_term
from api.web.base import (
    FormFields,
    chips,
    day_faults,
    field_errors,
    form_errors,
    nonempty,
    redirect,
    render,
    sent_form,
    shown_again,
    subjects_for,
)
from api.web.list_queries import PAYMENT_FILTERS, as_query, list_params
from api.web.paging import numbered_page
from cardwatch import services
from cardwatch.casebook.payment_queries import PLACE, PaymentFilters
from cardwatch.casebook.tables import RECEIVES
from cardwatch.errors import CardwatchError, NotAllowed, NotFound
from cardwatch.line_items import line_item_label
from cardwatch.reports import csv_text, payments_filename, safe_text
from cardwatch.reports.formatting import day
from cardwatch.services.answers import ListedPayment

router = APIRouter()
PAYMENTS_PER_PAGE = 50
PAYMENT_DATE_FILTERS = ("since", "until")
AMOUNTS = {"at_least": "least_pence", "at_most": "most_pence"}
POUNDS = re.compile(r"(-?)£?([0-9]{1,9})(?:\.([0-9]{2}))?", re.ASCII)
COLUMNS = ("date", "holder", "unit", "cost_centre", "merchant", "mcc", "category", "kind",
           "amount_pence", "vat", "line_items", "transaction_id", "label", "row")  # fmt: skip
PAYMENT_LIST_HEADINGS = ("Day", "Cardholder", "Unit", "Cost centre", "Merchant",
                         "Merchant category code", "Category", "Kind", "Amount (£)", "VAT (£)",
                         "Line items", "Reference",
                         "Statement", "Row")  # fmt: skip


@router.get("/payments")
def list_payments(request: Request, context: Context, service: AppStateDep) -> Response:
    """Show the payments that fit some filters, the newest first."""
    if not context.actor.lanes:
        raise NotAllowed("Your role has no access to payments.")
    chosen = _chosen(request)
    filters, term, faults = _filters(service, context, chosen)
    rows: list[ListedPayment] = []
    totals = (0, 0) if faults else services.count_payments(context, filters)
    page = numbered_page(request, _address(chosen), totals[0], PAYMENTS_PER_PAGE)
    if not faults:
        rows = services.list_payments(context, filters, offset=page.offset, limit=page.size)
    statements = {
        statement["statement_id"]: statement["label"]
        for statement in reversed(services.list_statements(context))
    }
    return render(
        request, "payments.html", errors=form_errors(request) | faults, rows=rows, totals=totals,
        chosen=chosen, term=sent_form(request).get("text", term), statements=statements,
        query=as_query(chosen),
        list_query=as_query(chosen | ({"page": str(page.number)} if page.number > 1 else {})),
        chips=chips(chosen, lambda name, value: _filter_label(name, value, term, statements),
                    _address),
        page=page, selected=request.query_params.getlist("payment"),
        subjects=_subjects(context, chosen, rows),
        max_exported=services.MAX_EXPORTED,
    )  # fmt: skip


@router.post("/payments/search")
@shown_again(list_payments)
def search_payments(
    request: Request, context: Context, service: AppStateDep, form: FormFields
) -> Response:
    """Go to the payments with some words in a name; the words are sealed in the address.

    Raises:
        NotAllowed: the role sees no payments.
    """
    if not context.actor.lanes:
        raise NotAllowed("Your role has no access to payments.")
    filters = {name: value for name, value in form.items() if name in PAYMENT_FILTERS}
    return redirect(_address(with_term(service, context.actor, filters, form.get("text", ""))))


@router.get("/payments.csv")
def get_payments(request: Request, context: ExportContext, service: AppStateDep) -> Response:
    """Give the payments that fit some filters as CSV.

    Raises:
        CardwatchError: a filter is wrong, or too many payments fit.
    """
    filters, _, faults = _filters(service, context, _chosen(request))
    if faults:
        raise CardwatchError(next(iter(faults.values())))
    rows = services.list_payments(context, filters, limit=services.MAX_EXPORTED + 1, is_export=True)
    if len(rows) > services.MAX_EXPORTED:
        raise CardwatchError(f"Filter the list to {services.MAX_EXPORTED:,} payments or fewer.")
    lines = [[_cell(name, row) for name in COLUMNS] for row in rows]
    return as_file(
        csv_text([PAYMENT_LIST_HEADINGS, *lines]), payments_filename(row["date"] for row in rows)
    )


@router.get("/alerts/new")
@shown_again(list_payments)
def show_raising(request: Request, context: Context, service: AppStateDep) -> Response:
    """Show the form that raises an alert about the payments that were selected."""
    places = request.query_params.getlist("payment")
    if not 1 <= len(places) <= services.MAX_RAISED_TOGETHER:
        sentence = f"Select 1 to {services.MAX_RAISED_TOGETHER} payments"
        raise CardwatchError(sentence, field="payment")
    return _raising_page(request, context, places, "", {})


def _raising_page(
    request: Request, context: Context, places: list[str], question: str, errors: dict[str, str]
) -> Response:
    if context.actor.role not in RECEIVES:
        raise NotAllowed("Your role cannot raise alerts.")
    rows = [services.get_payment(context, *_place(place)) for place in dict.fromkeys(places)]
    return render(
        request, "alert_new.html", errors=errors, rows=rows, question=question,
        pence=sum(row["amount_pence"] for row in rows),
    )  # fmt: skip


@router.post("/alerts/new")
def raise_alert(
    request: Request,
    context: Context,
    question: Annotated[str, Form(max_length=2_000)] = "",
    payment: Annotated[list[str], Form(max_length=services.MAX_RAISED_TOGETHER)] = [],  # noqa: B006  FastAPI copies it
) -> Response:
    """Raise an alert about the payments that were selected."""
    places = [_place(place) for place in payment]
    try:
        alert_id = services.raise_by_hand(context, places, question=question)
    except CardwatchError as refusal:
        errors = field_errors(refusal, {"payments": ""})
        return _raising_page(request, context, payment, question, errors)
    return redirect(f"/alerts/{alert_id}", "alert-raised")


def _place(text: str) -> tuple[str, int]:
    """Return a payment's statement and row, which an address or a form names.

    Raises:
        NotFound: it names none.
    """
    place = PLACE.fullmatch(text)
    if place is None:
        raise NotFound("There is no such payment.")
    return place[1], int(place[2])


@router.get("/payments/{statement_id}/{row}")
def show_payment(request: Request, context: Context, statement_id: str, row: RowNumber) -> Response:
    """Show one payment with the alerts that it is evidence of."""
    payment = services.get_payment(context, statement_id, row)
    heads = services.alert_titles(context, [alert["alert_id"] for alert in payment["alerts"]])
    return render(request, "payment.html", payment=payment, heads=heads, back=_way_back(request),
                  subjects=subjects_for(context, [f"{statement_id}:{row}"]))  # fmt: skip


@router.get("/payments/{statement_id}/{row}/rules")
def show_rules(
    request: Request, context: Context, service: AppStateDep, statement_id: str, row: RowNumber
) -> Response:
    """Show every rule with its figures for one payment: those that fire, and those that do not."""
    payment = services.get_payment(context, statement_id, row)
    with service.scoring():
        results = services.explain_payment(context, statement_id, row)
    return render(
        request, "payment_rules.html", payment=payment, results=results,
        holds_card=bool(context.actor.holder_id),
    )  # fmt: skip


def _way_back(request: Request) -> str:
    """Return the address of the list, or of the alert, that led to a payment."""
    params = list_params(request)
    alert_id = params.pop("alert", "")
    return (f"/alerts/{alert_id}" if alert_id else "/payments") + as_query(params)


def _subjects(
    context: Context, chosen: dict[str, str], rows: list[ListedPayment]
) -> services.SubjectLinks | None:
    """Return links for a list of one cardholder's or merchant's payments: of whom it was asked."""
    named = [chosen[name] for name in ("same_holder_as", "same_merchant_as") if name in chosen]
    return subjects_for(context, named) if rows else None


def _chosen(request: Request) -> dict[str, str]:
    """Return the filters of an address."""
    params = nonempty(request.query_params)
    return {name: value for name, value in params.items() if name in PAYMENT_FILTERS}


def _address(chosen: dict[str, str]) -> str:
    """Return the address of the list with some filters."""
    return f"/payments{as_query(chosen)}"


def _filters(
    service: AppStateDep, context: Context, chosen: dict[str, str]
) -> tuple[PaymentFilters, str, dict[str, str]]:
    """Return filters as the casebook takes them, the words searched for, and what is wrong."""
    errors = day_faults(chosen, PAYMENT_DATE_FILTERS)
    fields: dict[str, Any] = {k: v for k, v in chosen.items() if k not in {*AMOUNTS, "search"}}
    for name, field in AMOUNTS.items():
        if amount := POUNDS.fullmatch(chosen.get(name, "0").replace(",", "")):
            pence = 100 * int(amount[2]) + int(amount[3] or 0)
            fields[field] = (-pence if amount[1] else pence) if name in chosen else None
        else:
            errors[name] = "Enter an amount like 500 or 12.50"
    try:
        fields["text"] = read_term(service, context.actor, chosen.get("search", ""))
    except CardwatchError as refusal:
        errors["text"] = str(refusal)
    return PaymentFilters(**fields), fields.get("text", ""), errors


def _filter_label(name: str, value: str, term: str, statements: dict[str, str]) -> str:
    """Return a filter that was chosen in words."""
    alone = {"same_holder_as": "Same cardholder", "same_merchant_as": "Same merchant",
             "search": f"Search: {term}" if term else "Search"}  # fmt: skip
    names = {"statement_id": "Statement", "unit": "Unit or cost centre", "since": "Days from",
             "until": "Days to", "at_least": "Amount at least",
             "at_most": "Amount at most"}  # fmt: skip
    text = statements.get(value, value) if name == "statement_id" else value
    text = (
        day(value)
        if name in PAYMENT_DATE_FILTERS and not day_faults({name: value}, [name])
        else text
    )
    return alone.get(name, f"{names.get(name, '')}: {'£' if name in AMOUNTS else ''}{text}")


def _cell(name: str, row: ListedPayment) -> object:
    """Return a cell that is safe in a spreadsheet; pence as pounds, line items a line each."""
    if name == "amount_pence":
        return row["amount_pence"] / 100
    if name == "row":
        return row["row"]
    if name == "line_items":
        return safe_text("\n".join(line_item_label(i) for i in row["line_items"]))
    return safe_text(str(row.get(name) or ""))
