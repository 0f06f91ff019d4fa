"""Queries to line managers after they were sent: replies and reminders."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from cardwatch.casebook import FINANCE, Actor, AuditEvent, Casebook, queries
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.errors import NotFound

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from cardwatch.casebook.queries import ReplyInput
    from cardwatch.casebook.rows import SentQuery
    from cardwatch.services.context import ServiceContext

QUERY_PURPOSE = "finance-assurance"


def list_queries(context: ServiceContext, *, open_only: bool = False) -> list[SentQuery]:
    """Return finance's queries that were sent by e-mail, the one due first at the head.

    Raises:
        NotAllowed: the role sees no alerts.
    """
    with context.work(AuditEvent("consultation", "queries")) as uow:
        context.require_alert_access()
        return queries.list_queries(uow, open_only=open_only)


def get_query(context: ServiceContext, query_id: str) -> SentQuery:
    """Return a query with its replies.

    Raises:
        NotAllowed: the role sees no alerts.
        NotFound: there is no such query that the actor may see.
    """
    with context.work(AuditEvent("consultation", "query")) as uow:
        context.require_alert_access()
        return queries.get_query(uow, query_id)


def queries_about(context: ServiceContext, alert_id: str) -> list[SentQuery]:
    """The queries that ask about an alert the actor has been shown; no event beside that."""
    lanes = context.actor.lanes
    with context.casebook.unaudited(context.actor, context.now, lanes=lanes, reads=True) as uow:
        return [row for row in queries.list_queries(uow) if alert_id in row["alert_ids"]]


def record_reply(context: ServiceContext, query_id: str, reply: ReplyInput) -> SentQuery:
    """Record a reply to a query; see `casebook.queries.record_reply`.

    The alerts stay as they are: what the reply means for each is decided on it.
    """
    with context.work(AuditEvent("alteration", "query")) as uow:
        context.require_alert_access()
        return queries.record_reply(uow, query_id, reply)


def send_query_reminders(
    casebook: Casebook,
    clock: Callable[[], dt.datetime],
    send: Callable[[SentQuery], bool],
    *,
    days: int,
) -> int:
    """Remind line managers whose due day has passed; return how many reminders were sent.

    A reminder is recorded before it is sent, so that no second process sends it too. One that
    fails is taken back and tried again on the next day.

    Args:
        casebook: whose they are.
        clock: what tells the moment.
        send: sends one; whether the mail server took it.
        days: between the reminders of one query.
    """
    count = 0
    for row in casebook.organisations():
        actor = Actor(row["organisation_id"], SYSTEM, "admin")
        with casebook.unaudited(actor, clock(), lanes=(FINANCE,), reads=True) as uow:
            overdue = queries.due_reminders(uow)
        for query in overdue:
            event = AuditEvent("disclosure", "query", query["query_id"], purpose=QUERY_PURPOSE)
            with suppress(NotFound), casebook.work(actor, event, clock(), lanes=(FINANCE,)) as uow:
                queries.schedule_reminder(uow, query, days, count=1)
            if event.outcome != "done":
                continue
            if send(query):
                count += 1
                continue
            event = AuditEvent("disclosure", "query", query["query_id"], QUERY_PURPOSE, "failed")
            with casebook.work(actor, event, clock(), lanes=(FINANCE,)) as uow:
                queries.schedule_reminder(uow, query, 1, count=-1)
    return count
