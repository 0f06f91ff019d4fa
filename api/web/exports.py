"""Export pages: a statement's list, a case, a query to a line manager."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Form, Request, Response
from pydantic import BaseModel, Field

from api.deps import AppStateDep, Context
from api.downloads import drawn, export_response
from api.query_email import email_query
from api.quotas import ExportContext
from api.web.alert_filters import AlertFilters, filter_chips, filter_words, read_filters
from api.web.base import LANE_TITLES, field_errors, form_errors, redirect, render, shown_again
from api.web.list_queries import as_query, list_params
from cardwatch import services
from cardwatch.casebook import FINANCE
from cardwatch.casebook.alert_rows import ListedAlert, RelatedAlert
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.quantities import quantity
from cardwatch.services.answers import AlertHistory

if TYPE_CHECKING:
    from collections.abc import Sequence

router = APIRouter()
Text = Annotated[str, Form(max_length=200)]
ShortText = Annotated[str, Field(max_length=200)]
PURPOSE_CHOICES = [{"value": name, "label": label} for name, label in services.PURPOSES.items()]
FORMAT_CHOICES = [
    {"value": "zip", "label": "All of these in one file, with a signed list of its contents"},
    {"value": "pdf", "label": "PDF, to read or print"},
    {"value": "xlsx", "label": "Excel"},
    {"value": "csv", "label": "CSV"},
    {"value": "json", "label": "JSON, for other software"},
]
USUAL_ANSWER_DAYS = 14
"""Days in which a line manager is asked to answer, unless another day is entered."""
LANE_CHOICES = [{"value": name, "label": label} for name, label in LANE_TITLES.items()]


class ShareForm(BaseModel):
    """The form on which alerts are shared as a file."""

    purpose: ShortText = ""
    recipient: ShortText = ""
    form: ShortText = ""
    lane: ShortText = FINANCE
    also: Annotated[list[str], Field(max_length=services.MOST_IN_CASE)] = []


ShareFields = Annotated[ShareForm, Form()]


@router.get("/alerts/{alert_id}/hand-over")
def show_alert_export(request: Request, context: Context, alert_id: str) -> Response:
    """Show the form on which an alert, and others of its holder, are handed over as a case."""
    alert = services.get_history(context, alert_id)
    return share_page(
        request, back=f"/alerts/{alert['alert_id']}{as_query(list_params(request))}",
        what=alert["raised"].title, beside=_beside(alert), is_named=alert["is_named"],
    )  # fmt: skip


@router.post("/alerts/{alert_id}/hand-over")
@shown_again(show_alert_export, {"alert_ids": "also"})
def hand_case_over(
    request: Request, context: ExportContext, service: AppStateDep, alert_id: str, form: ShareFields
) -> Response:
    """Hand a case over as a file."""
    alert = services.get_history(context, alert_id)
    if not alert["is_named"]:
        raise NotAllowed("A case names people. First show the name on the alert's page.")
    beside = {related["alert_id"] for related in _beside(alert)}
    also = [other_id for other_id in form.also if other_id in beside]
    return export_response(
        context, service, form.form, purpose=form.purpose, recipient=form.recipient,
        alert_ids=(alert["alert_id"], *also),
    )  # fmt: skip


def _beside(case_alert: AlertHistory) -> list[RelatedAlert]:
    """The other alerts about any of the same people."""
    people = services.people_of([case_alert])
    return [alert for alert in case_alert["related"] if people & services.people_of([alert])]


def share_page(
    request: Request,
    *,
    back: str,
    what: str,
    beside: Sequence[RelatedAlert] = (),
    lists: Sequence[dict[str, str]] = (),
    is_named: bool = True,
    forms: Sequence[dict[str, str]] = FORMAT_CHOICES,
    filter_errors: dict[str, str] | None = None,
) -> Response:
    """Return the form on which alerts are shared as a file.

    Args:
        request: what is answered.
        back: the address to go back to.
        what: what is shared, in words.
        beside: alerts that can be added to a case.
        lists: lists to choose from.
        is_named: whether the reader sees the people by name.
        forms: formats to choose from; none where there is one only.
        filter_errors: what is wrong with the filters of the alerts, by field.
    """
    return render(
        request, "hand_over.html", errors=(filter_errors or {}) | form_errors(request), back=back,
        what=what, beside=beside, forms=forms, purposes=PURPOSE_CHOICES, lists=lists,
        is_named=is_named,
    )  # fmt: skip


@router.get("/alerts/export")
def show_export(request: Request, context: Context, service: AppStateDep) -> Response:
    """Show the form on which the alerts that fit some filters are shared as a file."""
    if not context.actor.lanes:
        raise NotAllowed("Your role has no access to alerts.")
    filters = read_filters(request, service, context)
    labels = [
        label
        for label, _ in filter_chips(
            filters, filter_words(context, services.inbox_summary(context))
        )
    ]
    rows = [] if filters.errors else _selected(context, filters)
    summary = f"{quantity(len(rows), 'alert')}. {'; '.join(labels)}"
    return share_page(request, back=filters.address(), what=summary, filter_errors=filters.errors)


@router.post("/alerts/export")
@shown_again(show_export)
def export_alerts(
    request: Request, context: ExportContext, service: AppStateDep, form: ShareFields
) -> Response:
    """Share the alerts that fit some filters as a file."""
    filters = read_filters(request, service, context)
    if filters.errors:
        field, sentence = next(iter(filters.errors.items()))
        raise CardwatchError(sentence, field=field)
    return export_response(
        context, service, form.form, purpose=form.purpose, recipient=form.recipient,
        filters=filters.to_asked(context),
    )  # fmt: skip


def _selected(context: Context, filters: AlertFilters) -> list[ListedAlert]:
    """Return the alerts that would be shared."""
    alert_filter = filters.to_asked(context)
    return services.list_alerts(context, alert_filter, limit=services.MAX_SELECTED)


@router.get("/statements/{statement_id}/hand-over")
def show_list(request: Request, context: Context, statement_id: str) -> Response:
    """Show the form on which a statement's list is handed over."""
    if not context.actor.lanes:
        raise NotAllowed("Your role cannot see alerts.")
    statement = services.get_statement(context, statement_id)
    return share_page(
        request, back=f"/statements/{statement['statement_id']}", what=statement["label"],
        lists=LANE_CHOICES if len(context.actor.lanes) > 1 else (),
    )  # fmt: skip


@router.post("/statements/{statement_id}/hand-over")
@shown_again(show_list)
def hand_list_over(
    request: Request,
    context: ExportContext,
    service: AppStateDep,
    statement_id: str,
    form: ShareFields,
) -> Response:
    """Hand a statement's list over as a file, as it was made."""
    return export_response(
        context, service, form.form, purpose=form.purpose, recipient=form.recipient,
        lane=form.lane, statement_id=statement_id,
    )  # fmt: skip


@router.get("/alerts/{alert_id}/questions")
def show_questions(
    request: Request, context: Context, service: AppStateDep, alert_id: str
) -> Response:
    """Show the form on which a holder's open questions are made a document for their manager."""
    due_on = str(context.now.date() + dt.timedelta(USUAL_ANSWER_DAYS))
    query = services.Query(due_on=due_on)
    return _questions_page(request, context, service, alert_id, query, {})


@router.post("/alerts/{alert_id}/questions")
def make_questions(
    request: Request,
    context: Context,
    service: AppStateDep,
    alert_id: str,
    recipient: Text = "",
    email: Text = "",
    due_on: Text = "",
    reminds: Text = "",
    mail: Text = "",
) -> Response:
    """Give a holder's open questions as a PDF for their line manager, or send it to them."""
    query = services.Query(recipient, email.strip(), due_on, reminds=bool(reminds))
    try:
        if mail:
            query_sent = email_query(context, service, alert_id, query)
            return redirect(f"/queries/{query_sent['query_id']}", "query-sent")
        return drawn(
            service,
            lambda: services.ask_manager(
                context, alert_id, recipient=recipient, marking=service.settings.marking
            ),
        )
    except CardwatchError as refusal:
        return _questions_page(request, context, service, alert_id, query, field_errors(refusal))


def _questions_page(
    request: Request,
    context: Context,
    service: AppStateDep,
    alert_id: str,
    query: services.Query,
    errors: dict[str, str],
) -> Response:
    questions = services.list_questions(context, alert_id)
    alert = services.get_alert(context, alert_id)
    return render(
        request, "questions.html", errors=errors,
        found=alert, asked=questions, query=query, can_send=bool(service.settings.smtp),
        reminder_days=service.settings.remind_queries, most=services.MAX_DECIDED_TOGETHER,
        names=services.names_for_display(context, services.people_of([alert])),
        heads=services.alert_titles(context, [question["alert_id"] for question in questions]),
    )  # fmt: skip
