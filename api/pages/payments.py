"""Pages of payments: the list by filters, its CSV, one payment, and every rule applied to it."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from api.deps import At, Serving, make_cursor, read_cursor
from api.handing import as_file
from api.pages.page import Sent, chips, day_faults, field_errors, filled, go, render
from api.search_terms import read_term, seal_term
from cardwatch import desk
from cardwatch.casebook.payment_queries import PaymentFilters
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.reports import csv_text, payments_filename, safe_text
from cardwatch.reports.words import day

router = APIRouter()
PAGE_ROWS = 50
FILTERS = ("statement_id", "unit", "since", "until", "at_least", "at_most", "same_holder_as",
           "same_merchant_as", "search")  # fmt: skip
DAYS = ("since", "until")
AMOUNTS = {"at_least": "least_pence", "at_most": "most_pence"}
AMOUNT = re.compile(r"(-?)£?([0-9]{1,9})(?:\.([0-9]{2}))?", re.ASCII)
COLUMNS = ("date", "holder", "unit", "cost_centre", "merchant", "mcc", "category", "kind",
           "amount_pence", "transaction_id", "label", "row")  # fmt: skip
HEADINGS = ("Day", "Cardholder", "Unit", "Cost centre", "Merchant", "Merchant category code",
            "Category", "Kind", "Amount (£)", "Reference", "Statement", "Row")  # fmt: skip


@router.get("/payments")
def list_payments(request: Request, at: At, service: Serving) -> Response:
    """Show the payments that fit some filters, the newest first."""
    return _list_page(request, at, service, {})


def _list_page(
    request: Request, at: At, service: Serving, errors: dict[str, str], sent_text: str = ""
) -> Response:
    """Return the list of payments with what is wrong in its filters or search."""
    if not at.actor.lanes:
        raise NotAllowed("Your role has no access to payments.")
    chosen = _chosen(request)
    filters, term, faults = _filters(service, at, chosen)
    rows: list[dict[str, Any]] = []
    after, totals = "", (0, 0)
    cursor = request.query_params.get("cursor", "")
    if not faults:
        try:
            rows = desk.list_payments(at, filters, after=read_cursor(cursor), limit=PAGE_ROWS + 1)
            totals = desk.count_payments(at, filters)
        except CardwatchError as refusal:
            errors |= field_errors(refusal, {"cursor": ""})
    if len(rows) > PAGE_ROWS:
        after = make_cursor(rows[PAGE_ROWS - 1]["place"])
    statements = {one["statement_id"]: one["label"] for one in desk.list_statements(at)}
    return render(
        request, "payments.html", errors=errors | faults, rows=rows[:PAGE_ROWS], totals=totals,
        chosen=chosen, term=sent_text or term, statements=statements, query=urlencode(chosen),
        chips=chips(chosen, lambda name, value: _filter_label(name, value, term, statements),
                    _address),
        next=_address(chosen | {"cursor": after}) if after else "",
        first=_address(chosen) if cursor else "", max_exported=desk.MAX_EXPORTED,
    )  # fmt: skip


@router.post("/payments/search")
def search_payments(request: Request, at: At, service: Serving, sent: Sent) -> Response:
    """Go to the payments with some words in a name; the words are sealed in the address.

    Raises:
        NotAllowed: the role sees no payments.
    """
    if not at.actor.lanes:
        raise NotAllowed("Your role has no access to payments.")
    chosen = {name: value for name, value in sent.items() if name in FILTERS and name != "search"}
    text = sent.get("text", "")
    try:
        token = seal_term(service, at.actor, text) if text else ""
    except CardwatchError as refusal:
        return _list_page(request, at, service, field_errors(refusal), text)
    return go(_address(chosen | ({"search": token} if token else {})))


@router.get("/payments.csv")
def get_payments(request: Request, at: At, service: Serving) -> Response:
    """Give the payments that fit some filters as CSV.

    Raises:
        CardwatchError: a filter is wrong, or too many payments fit.
    """
    filters, _, faults = _filters(service, at, _chosen(request))
    if faults:
        raise CardwatchError(next(iter(faults.values())))
    rows = desk.list_payments(at, filters, limit=desk.MAX_EXPORTED + 1, is_export=True)
    if len(rows) > desk.MAX_EXPORTED:
        raise CardwatchError(f"Choose filters that {desk.MAX_EXPORTED:,} payments or fewer fit.")
    lines = [[_cell(row[name]) for name in COLUMNS] for row in rows]
    return as_file(csv_text([HEADINGS, *lines]), payments_filename(row["date"] for row in rows))


@router.get("/payments/{statement_id}/{row}")
def show_payment(request: Request, at: At, statement_id: str, row: int) -> Response:
    """Show one payment with the alerts that it is evidence of."""
    payment = desk.get_payment(at, statement_id, row)
    heads = desk.headlines(at, [one["alert_id"] for one in payment["alerts"]])
    return render(request, "payment.html", payment=payment, heads=heads)


@router.get("/payments/{statement_id}/{row}/rules")
def show_rules(request: Request, at: At, service: Serving, statement_id: str, row: int) -> Response:
    """Show every rule with its figures for one payment: those that fire, and those that do not."""
    payment = desk.get_payment(at, statement_id, row)
    with service.scoring():
        results = desk.explain_payment(at, statement_id, row)
    return render(request, "payment_rules.html", payment=payment, results=results)


def _chosen(request: Request) -> dict[str, str]:
    """Return the filters of an address."""
    given = filled(request.query_params)
    return {name: value for name, value in given.items() if name in FILTERS}


def _address(chosen: dict[str, str]) -> str:
    """Return the address of the list with some filters."""
    return f"/payments?{urlencode(chosen)}".rstrip("?")


def _filters(
    service: Serving, at: At, chosen: dict[str, str]
) -> tuple[PaymentFilters, str, dict[str, str]]:
    """Return filters as the casebook takes them, the words searched for, and what is wrong."""
    errors = day_faults(chosen, DAYS)
    fields: dict[str, Any] = {k: v for k, v in chosen.items() if k not in {*AMOUNTS, "search"}}
    for name, field in AMOUNTS.items():
        if amount := AMOUNT.fullmatch(chosen.get(name, "0").replace(",", "")):
            pence = 100 * int(amount[2]) + int(amount[3] or 0)
            fields[field] = (-pence if amount[1] else pence) if name in chosen else None
        else:
            errors[name] = "Enter an amount like 500 or 12.50"
    try:
        fields["text"] = read_term(service, at.actor, chosen.get("search", ""))
    except CardwatchError as refusal:
        errors["text"] = str(refusal)
    return PaymentFilters(**fields), fields.get("text", ""), errors


def _filter_label(name: str, value: str, term: str, statements: dict[str, str]) -> str:
    """Return a filter that was chosen in words."""
    alone = {"same_holder_as": "Same cardholder", "same_merchant_as": "Same merchant",
             "search": f"Search: {term}"}  # fmt: skip
    names = {"statement_id": "Statement", "unit": "Unit", "since": "From", "until": "To",
             "at_least": "At least", "at_most": "At most"}  # fmt: skip
    text = statements.get(value, value) if name == "statement_id" else value
    text = day(value) if name in DAYS and not day_faults({name: value}, [name]) else text
    return alone.get(name, f"{names.get(name, '')}: {'£' if name in AMOUNTS else ''}{text}")


def _cell(value: object) -> object:
    """Return a cell that is safe in a spreadsheet; pence as pounds."""
    return value / 100 if isinstance(value, int) else safe_text(str(value or ""))
