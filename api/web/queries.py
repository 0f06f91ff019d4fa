"""Pages of queries to line managers: which wait for a reply, and the reply to each."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.deps import AppStateDep, Context
from api.web.base import FormFields, redirect, render, shown_again
from cardwatch import services
from cardwatch.casebook import FINANCE
from cardwatch.casebook.queries import ReplyInput

router = APIRouter()


@router.get("/queries")
def list_queries(request: Request, context: Context, service: AppStateDep) -> Response:
    """Show the queries that wait for a reply, or with `all` every query."""
    is_whole = bool(request.query_params.get("all"))
    queries = services.list_queries(context, open_only=not is_whole)
    return render(
        request, "queries.html", queries=queries, is_whole=is_whole,
        can_send=bool(service.settings.smtp),
    )  # fmt: skip


@router.get("/queries/{query_id}")
def show_query(request: Request, context: Context, service: AppStateDep, query_id: str) -> Response:
    """Show a query, its replies, and the form that records one."""
    query = services.get_query(context, query_id)
    return render(
        request, "query.html", query=query,
        heads=services.alert_titles(context, query["alert_ids"]),
        may_record=context.actor.role == FINANCE, reminder_days=service.settings.remind_queries,
        today=str(context.now.date()),
    )  # fmt: skip


@router.post("/queries/{query_id}")
@shown_again(show_query)
def record_reply(
    request: Request, context: Context, service: AppStateDep, query_id: str, form: FormFields
) -> Response:
    """Record a reply to a query."""
    fields = {name: form.get(name, "") for name in ("replied_by", "text", "replied_on")}
    services.record_reply(context, query_id, ReplyInput(**fields))
    return redirect(f"/queries/{query_id}", "reply-recorded")
