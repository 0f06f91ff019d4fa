"""Routes of queries to line managers: send, list, and record replies."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.deps import AppStateDep, Context
from api.query_email import email_query
from api.routes.alerts import AlertId
from api.schemas.base import Id
from api.schemas.queries import QueryCreate, ReplyCreate
from cardwatch import services
from cardwatch.casebook import rows
from cardwatch.casebook.queries import ReplyInput

router = APIRouter(tags=["queries"])


@router.post("/alerts/{alert_id}/queries", status_code=201)
def send_query(
    alert_id: AlertId, body: QueryCreate, context: Context, service: AppStateDep
) -> rows.SentQuery:
    """Send the open alerts about the people of an alert to their line manager by e-mail."""
    query = services.Query(body.recipient, body.email, body.due_on or "", reminds=body.reminds)
    return email_query(context, service, alert_id, query)


@router.get("/queries")
def list_queries(
    context: Context,
    is_open: Annotated[
        bool, Query(description="Only those that wait for a reply.", examples=[False])
    ] = True,
) -> list[rows.SentQuery]:
    """List queries with their age, those due first before the others."""
    return services.list_queries(context, open_only=is_open)


@router.get("/queries/{query_id}")
def get_query(query_id: Id, context: Context) -> rows.SentQuery:
    """Show a query with its replies."""
    return services.get_query(context, query_id)


@router.post("/queries/{query_id}/replies", status_code=201)
def record_reply(query_id: Id, body: ReplyCreate, context: Context) -> rows.SentQuery:
    """Record a reply to a query; the alerts stay as they are."""
    reply = ReplyInput(body.replied_by, body.text, body.replied_on or "")
    return services.record_reply(context, query_id, reply)
