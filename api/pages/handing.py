"""Export pages: a statement's list, a case, a query to a line manager."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response

from api.deps import At, Serving
from api.handing import drawn, handed_over
from api.pages.alert_filters import AlertFilters, filter_chips, filter_words, read_filters
from api.pages.page import LISTS, field_errors, render
from cardwatch import desk
from cardwatch.casebook import FINANCE
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.quantities import quantity

router = APIRouter()
Text = Annotated[str, Form(max_length=200)]
PURPOSES = [{"value": name, "label": label} for name, label in desk.PURPOSES.items()]
FORMS = [
    {"value": "zip", "label": "All of these in one file, with a signed list of its contents"},
    {"value": "pdf", "label": "PDF, to read or print"},
    {"value": "xlsx", "label": "Excel"},
    {"value": "csv", "label": "CSV"},
    {"value": "json", "label": "JSON, for other software"},
]
FIELDS = {"alert_ids": "also"}
"""Form names of API fields."""
LANES = [{"value": name, "label": label} for name, label in LISTS.items()]


@router.get("/alerts/{alert_id}/hand-over")
def show_case(request: Request, at: At, alert_id: str) -> Response:
    """Show the form on which an alert, and others of its holder, are handed over as a case."""
    return _case_page(request, desk.get_history(at, alert_id), {}, {})


@router.post("/alerts/{alert_id}/hand-over")
def hand_case_over(
    request: Request,
    at: At,
    service: Serving,
    alert_id: str,
    purpose: Text = "",
    recipient: Text = "",
    form: Text = "",
    also: Annotated[list[str], Form(max_length=desk.MOST_IN_CASE)] = [],  # noqa: B006  FastAPI copies it
) -> Response:
    """Hand a case over as a file."""
    found = desk.get_history(at, alert_id)
    if not found["is_named"]:
        raise NotAllowed("A case names people. First show the name on the alert's page.")
    beside = {one["alert_id"] for one in _beside(found)}
    try:
        return handed_over(
            at, service, form, purpose=purpose, recipient=recipient,
            alert_ids=(found["alert_id"], *(one for one in also if one in beside)),
        )  # fmt: skip
    except CardwatchError as refusal:
        sent = {"purpose": purpose, "recipient": recipient, "form": form, "also": also}
        return _case_page(request, found, sent, field_errors(refusal, FIELDS))


def _beside(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The other alerts about any of the same people."""
    people = desk.people_of([found])
    return [alert for alert in found["related"] if people & desk.people_of([alert])]


def _case_page(
    request: Request, found: dict[str, Any], sent: dict[str, Any], errors: dict[str, str]
) -> Response:
    return render(
        request, "hand_over.html", errors=errors, sent=sent,
        back=f"/alerts/{found['alert_id']}", what=found["raised"]["title"],
        beside=_beside(found), forms=FORMS, purposes=PURPOSES, lists=[],
        is_named=found["is_named"],
    )  # fmt: skip


@router.get("/alerts/export")
def show_export(request: Request, at: At, service: Serving) -> Response:
    """Show the form on which the alerts that fit some filters are shared as a file."""
    return _export_page(request, at, service, {}, {})


@router.post("/alerts/export")
def export_alerts(
    request: Request,
    at: At,
    service: Serving,
    purpose: Text = "",
    recipient: Text = "",
    form: Text = "",
) -> Response:
    """Share the alerts that fit some filters as a file."""
    sent = {"purpose": purpose, "recipient": recipient, "form": form}
    filters = read_filters(request, service, at)
    if filters.errors:
        return _export_page(request, at, service, sent, {})
    try:
        return handed_over(
            at, service, form, purpose=purpose, recipient=recipient, filters=filters.to_asked(at)
        )
    except CardwatchError as refusal:
        return _export_page(request, at, service, sent, field_errors(refusal))


def _export_page(
    request: Request, at: At, service: Serving, sent: dict[str, Any], errors: dict[str, str]
) -> Response:
    if not at.actor.lanes:
        raise NotAllowed("Your role has no access to alerts.")
    filters = read_filters(request, service, at)
    labels = [label for label, _ in filter_chips(filters, filter_words(at, desk.overview(at)))]
    rows = [] if filters.errors else _selected(at, filters)
    return render(
        request, "hand_over.html", errors=filters.errors | errors, sent=sent,
        back=filters.back, what=f"{quantity(len(rows), 'alert')}. {'; '.join(labels)}",
        beside=[], forms=FORMS, purposes=PURPOSES, lists=[], is_named=True,
    )  # fmt: skip


def _selected(at: At, filters: AlertFilters) -> list[dict[str, Any]]:
    """Return the alerts that would be shared."""
    asked = asdict(filters.to_asked(at))
    return desk.list_alerts(at, limit=desk.MAX_SELECTED, **asked)


@router.get("/statements/{statement_id}/hand-over")
def show_list(request: Request, at: At, statement_id: str) -> Response:
    """Show the form on which a statement's list is handed over."""
    if not at.actor.lanes:
        raise NotAllowed("Your role cannot see alerts.")
    return _list_page(request, at, desk.get_statement(at, statement_id), {}, {})


@router.post("/statements/{statement_id}/hand-over")
def hand_list_over(
    request: Request,
    at: At,
    service: Serving,
    statement_id: str,
    purpose: Text = "",
    recipient: Text = "",
    form: Text = "",
    lane: Text = FINANCE,
) -> Response:
    """Hand a statement's list over as a file, as it was made."""
    found = desk.get_statement(at, statement_id)
    asked = {"purpose": purpose, "recipient": recipient, "lane": lane}
    try:
        return handed_over(at, service, form, statement_id=found["statement_id"], **asked)
    except CardwatchError as refusal:
        return _list_page(request, at, found, asked | {"form": form}, field_errors(refusal))


def _list_page(
    request: Request, at: At, found: dict[str, Any], sent: dict[str, Any], errors: dict[str, str]
) -> Response:
    return render(
        request, "hand_over.html", errors=errors, sent=sent,
        back=f"/statements/{found['statement_id']}", what=found["label"],
        beside=[], forms=FORMS, purposes=PURPOSES,
        lists=LANES if len(at.actor.lanes) > 1 else [], is_named=True,
    )  # fmt: skip


@router.get("/alerts/{alert_id}/questions")
def show_questions(request: Request, at: At, alert_id: str) -> Response:
    """Show the form on which a holder's open questions are made a document for their manager."""
    return _questions_page(request, at, alert_id, "", {})


@router.post("/alerts/{alert_id}/questions")
def make_questions(
    request: Request, at: At, service: Serving, alert_id: str, recipient: Text = ""
) -> Response:
    """Give a holder's open questions as a PDF for their line manager."""
    try:
        return drawn(
            service,
            lambda: desk.ask_manager(
                at, alert_id, recipient=recipient, marking=service.settings.marking
            ),
        )
    except CardwatchError as refusal:
        return _questions_page(request, at, alert_id, recipient, field_errors(refusal))


def _questions_page(
    request: Request, at: At, alert_id: str, recipient: str, errors: dict[str, str]
) -> Response:
    asked = desk.list_questions(at, alert_id)
    found = desk.get_alert(at, alert_id)
    return render(
        request, "questions.html", errors=errors,
        found=found, asked=asked, recipient=recipient, names=desk.mask(at, desk.people_of([found])),
        heads=desk.headlines(at, [one["alert_id"] for one in asked]),
    )  # fmt: skip
