"""Queries to line managers: which were sent, their replies, and the reminders that are due."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, cast

import sqlalchemy as sa

from cardwatch.casebook.alerts import not_about
from cardwatch.casebook.permissions import may_decide
from cardwatch.casebook.rows import QueryReply, SentQuery
from cardwatch.casebook.suppressions import day_of
from cardwatch.casebook.tables import FINANCE, alerts, queries, query_alerts, query_replies
from cardwatch.errors import CardwatchError, NotFound
from cardwatch.vocabulary import UNANSWERED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardwatch.casebook.unit_of_work import Row, UnitOfWork


@dataclass(frozen=True)
class NewQuery:
    """A query that was sent by e-mail.

    Attributes:
        recipient: name of the manager who is asked.
        email: their address.
        reply_to: address that they answer to.
        due_on: day by which an answer is wanted.
        next_reminder_on: day of the first reminder; none where nobody is reminded.
    """

    recipient: str
    email: str
    reply_to: str
    due_on: str | None
    next_reminder_on: str | None


@dataclass(frozen=True)
class ReplyInput:
    """A reply to a query.

    Attributes:
        replied_by: name of who answered.
        text: what they answered.
        replied_on: the day; empty for today.
    """

    replied_by: str
    text: str
    replied_on: str = ""


def add_query(uow: UnitOfWork, alert_ids: Sequence[str], query: NewQuery) -> str:
    """Record a query of finance that was sent; return its id.

    Args:
        alert_ids: the alerts it asks about.
        query: to whom it was sent.
    """
    query_id = uow.keyed("query", uow.now, query.email, *alert_ids)[:12]
    owner = {"lane": FINANCE, "query_id": query_id}
    sender = {"sent_by": uow.actor.actor_id, "sent_at": uow.now, "reminders": 0}
    uow.insert(queries, [owner | asdict(query) | sender])
    uow.insert(query_alerts, [owner | {"alert_id": alert_id} for alert_id in alert_ids])
    return query_id


def list_queries(uow: UnitOfWork, *, open_only: bool = False) -> list[SentQuery]:
    """Return the queries that the actor may see, those due first before the others.

    A query about several alerts is hidden from whoever may not know of one of them.
    """
    rows = uow.fetch_all(sa.select(queries).where(uow.scope(queries)))
    links = uow.fetch_all(
        sa.select(query_alerts, alerts.c.state, not_about(uow, query_alerts).label("is_shown"))
        .outerjoin(alerts, uow.scope(alerts) & _is_alert_of(query_alerts))
        .where(uow.scope(query_alerts))
        .order_by(query_alerts.c.alert_id)
    )
    hidden = {link["query_id"] for link in links if not link["is_shown"]}
    replies = uow.fetch_all(
        sa.select(query_replies).where(uow.scope(query_replies)).order_by(query_replies.c.seq)
    )
    listed = [_as_listed(uow, row, links, replies) for row in rows if row["query_id"] not in hidden]
    visible = [row for row in listed if row["is_open"] or not open_only]
    return sorted(
        visible, key=lambda row: (not row["is_open"], row["due_on"] or "9", row["sent_at"])
    )


def _is_alert_of(table: sa.FromClause) -> sa.ColumnElement[bool]:
    """Condition that an alert is the one that a row names."""
    return (alerts.c.lane == table.c.lane) & (alerts.c.alert_id == table.c.alert_id)


def _as_listed(
    uow: UnitOfWork, row: Row, links: Sequence[Row], replies: Sequence[Row]
) -> SentQuery:
    """A query with its alerts, its replies and its age."""
    query_links = [link for link in links if link["query_id"] == row["query_id"]]
    own_replies = [
        {name: reply[name] for name in QueryReply.__annotations__}
        for reply in replies
        if reply["query_id"] == row["query_id"]
    ]
    today = day_of(uow.today)
    more = {
        "alert_ids": [link["alert_id"] for link in query_links],
        "replies": own_replies,
        "is_open": not own_replies and any(link["state"] in UNANSWERED for link in query_links),
        "age_days": (today - day_of(row["sent_at"][:10])).days,
        "overdue_days": max((today - day_of(row["due_on"])).days, 0) if row["due_on"] else 0,
    }
    return cast("SentQuery", {**row, **more})


def get_query(uow: UnitOfWork, query_id: str) -> SentQuery:
    """Return a query.

    Raises:
        NotFound: there is no such query that the actor may see.
    """
    for row in list_queries(uow):
        if row["query_id"] == query_id:
            uow.event.object_id = query_id
            return row
    raise NotFound("There is no such query.")


def record_reply(uow: UnitOfWork, query_id: str, reply: ReplyInput) -> SentQuery:
    """Record a reply to a query, after which no reminder is sent; return the query.

    Raises:
        NotFound: there is no such query that the actor may see.
        NotAllowed: the role decides nothing there.
        CardwatchError: no name, no text, or no day from when it was sent to today.
    """
    query = get_query(uow, query_id)
    if not reply.replied_by.strip():
        raise CardwatchError("Enter the name of the person who replied", field="replied_by")
    if not reply.text.strip():
        raise CardwatchError("Enter the reply", field="text")
    may_decide(uow, query["lane"], f"{reply.replied_by} {reply.text}")
    day = str(day_of(reply.replied_on or uow.today, "replied_on"))
    if not query["sent_at"][:10] <= day <= uow.today:
        sentence = "Enter a date from the day the query was sent to today."
        raise CardwatchError(sentence, field="replied_on")
    row = {"lane": query["lane"], "query_id": query_id, "seq": len(query["replies"]) + 1}
    row |= {"replied_by": reply.replied_by.strip(), "replied_on": day, "text": reply.text.strip()}
    uow.insert(query_replies, [row | {"recorded_by": uow.actor.actor_id, "recorded_at": uow.now}])
    return get_query(uow, query_id)


def due_reminders(uow: UnitOfWork) -> list[SentQuery]:
    """Return the open queries of which a reminder is due today."""
    return [
        row
        for row in list_queries(uow, open_only=True)
        if (row["next_reminder_on"] or "9") <= uow.today
    ]


def schedule_reminder(uow: UnitOfWork, query: SentQuery, days: int, *, count: int) -> None:
    """Set when the next reminder of a query is due.

    Args:
        query: as it was read; somebody may have reminded since.
        days: from today.
        count: how many reminders are counted as sent with it, less those that failed.

    Raises:
        NotFound: a reminder has been sent since the query was read.
    """
    same = (queries.c.query_id == query["query_id"]) & (queries.c.lane == query["lane"])
    same &= queries.c.next_reminder_on == query["next_reminder_on"]
    next_day = str(day_of(uow.today) + dt.timedelta(days))
    values = {"next_reminder_on": next_day, "reminders": query["reminders"] + count}
    if not uow.update(queries, same, values):
        raise NotFound("The reminder has been sent already.")
    query["next_reminder_on"], query["reminders"] = next_day, query["reminders"] + count
