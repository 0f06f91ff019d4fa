"""Queries to line managers: the document, its sending, replies and reminders."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardwatch.casebook import FINANCE, AuditEvent, Casebook, people, pseudonyms, queries
from cardwatch.casebook import alerts as kept
from cardwatch.casebook.alert_queries import AlertFilter, find_alerts
from cardwatch.casebook.own_keys import own_keys
from cardwatch.casebook.permissions import may_decide
from cardwatch.casebook.suppressions import day_of
from cardwatch.errors import CardwatchError, NotFound
from cardwatch.registers import person_key
from cardwatch.reports import questions_document, questions_filename
from cardwatch.services.alert_lists import MAX_DECIDED_TOGETHER, decide_each
from cardwatch.services.alerts import clause_behind, people_of
from cardwatch.services.exports import lists_as_raised

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.alert_rows import AlertDetail, ListedAlert
    from cardwatch.casebook.queries import ReplyInput
    from cardwatch.casebook.rows import SentQuery
    from cardwatch.reports import Document
    from cardwatch.services.context import ServiceContext

QUERY_PURPOSE = "finance-assurance"


@dataclass(frozen=True)
class Query:
    """A query to a line manager by e-mail.

    Attributes:
        recipient: their name.
        email: their address.
        due_on: day by which an answer is wanted; empty for none.
        reminds: whether they are reminded after that day, until a reply is recorded.
    """

    recipient: str = ""
    email: str = ""
    due_on: str = ""
    reminds: bool = True


def list_queries(context: ServiceContext, *, open_only: bool = False) -> list[SentQuery]:
    """Return finance's queries that were sent by e-mail, those due first before the others.

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
    with context.snapshot(lanes) as uow:
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
    for actor in casebook.system_actors():
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


def list_questions(context: ServiceContext, alert_id: str) -> list[ListedAlert]:
    """The open alerts of finance about the same people as an alert, and nobody else.

    Raises:
        NotAllowed: the role is not finance.
        NotFound: there is no such alert that the actor may see.
    """
    with context.work(AuditEvent("consultation", "alerts")) as uow:
        context.allow((FINANCE,), "send queries to a line manager")
        return _open_questions(uow, kept.get_alert(uow, alert_id))


def _open_questions(uow: UnitOfWork, alert: AlertDetail) -> list[ListedAlert]:
    """The open alerts of finance about the same people as an alert, and nobody else."""
    filters = AlertFilter(lane=FINANCE, same_holder_as=alert["alert_id"], unanswered=True)
    same_people = people_of([alert])
    return [row for row in find_alerts(uow, filters) if people_of([row]) == same_people]


def send_query(
    context: ServiceContext,
    alert_id: str,
    query: Query,
    send: Callable[[str, Document, str], None],
    *,
    marking: str,
) -> SentQuery:
    """Send finance's open questions about the people of an alert, and record them as asked.

    They are recorded once the message has been sent: what cannot be sent is not asked.

    Args:
        context: who asks; of finance.
        alert_id: one of finance's alerts.
        query: to whom, and by when an answer is wanted.
        send: sends a document; takes its file name, itself, and whom to reply to.
        marking: protective marking.

    Returns:
        The query, whose alerts are recorded as asked.

    Raises:
        CardwatchError: see `ask_manager`; the address is of somebody asked about; no such day; it
            could not be sent.
    """
    event = AuditEvent("disclosure", "questions", purpose=QUERY_PURPOSE)
    decision = kept.DecisionInput(
        reason=f"Query sent by email to {query.recipient.strip()}.",
        state="asked",
        due_on=query.due_on,
    )
    with context.work(event) as uow:
        context.allow((FINANCE,), "send queries to a line manager")
        may_decide(uow, FINANCE, decision.reason)
        kept.check_due(uow, query.due_on)
        filename, document, questions = _questions_for(
            uow, alert_id, recipient=query.recipient, email=query.email, marking=marking
        )
        if len(questions) > MAX_DECIDED_TOGETHER:
            sentence = (
                f"More than {MAX_DECIDED_TOGETHER} alerts are open. Create the document instead."
            )
            raise CardwatchError(sentence, field="email")
        reply_to = people.email_of(uow)
    send(filename, document, reply_to)
    versions = {question["alert_id"]: question["version"] for question in questions}
    with context.work(AuditEvent("alteration", "query")) as uow:
        decide_each(uow, versions, decision)
        day_after = str(day_of(query.due_on) + dt.timedelta(1)) if query.due_on else None
        new_query = queries.NewQuery(
            recipient=query.recipient.strip(),
            email=query.email,
            reply_to=reply_to,
            due_on=query.due_on or None,
            next_reminder_on=day_after if query.reminds else None,
        )
        return queries.get_query(uow, queries.add_query(uow, list(versions), new_query))


def ask_manager(
    context: ServiceContext, alert_id: str, *, recipient: str, marking: str
) -> tuple[str, Document]:
    """The name and content of finance's open questions about the people of an alert.

    They are about the same people and nobody else: an alert that also asks about another person,
    or about one of several alone, is left out.

    Args:
        context: who asks; of finance.
        alert_id: one of finance's alerts.
        recipient: the line manager; never one of the people asked about.
        marking: protective marking.

    Raises:
        NotAllowed: the role is not finance.
        NotFound: there is no such alert that the actor may see.
        CardwatchError: nobody is named, somebody asked about is, or nothing is left to ask.
    """
    event = AuditEvent("disclosure", "questions", purpose=QUERY_PURPOSE)
    with context.work(event) as uow:
        context.allow((FINANCE,), "send queries to a line manager")
        filename, document, _ = _questions_for(uow, alert_id, recipient=recipient, marking=marking)
        return filename, document


def _questions_for(
    uow: UnitOfWork, alert_id: str, *, recipient: str, email: str = "", marking: str
) -> tuple[str, Document, list[ListedAlert]]:
    """Return a query's file name and document, and the alerts in it; see `ask_manager`.

    Args:
        uow: its event becomes that of the query.
        alert_id: one of finance's alerts.
        recipient: the line manager.
        email: their address; empty where it is not sent.
        marking: protective marking.
    """
    alert = kept.get_alert(uow, alert_id)
    if not recipient.strip():
        raise CardwatchError("Enter the line manager's name", field="recipient")
    uow.event.object_id = alert["alert_id"]
    asked_about = set(map(person_key, people_of([alert])))
    cardholder = people.holder_of(uow, email) if email else ""
    for field, name in (("recipient", recipient), ("email", cardholder)):
        if own_keys(uow, name) & asked_about:
            sentence = "Choose somebody else. A query about a person goes to their line manager."
            raise CardwatchError(sentence, field=field)
    open_questions = _open_questions(uow, alert)
    raised = {
        raised_alert.alert_id: raised_alert
        for alert_list in lists_as_raised(uow, open_questions).values()
        for raised_alert in alert_list.alerts
    }
    questions = [question for question in open_questions if question["alert_id"] in raised]
    if not questions:
        raise CardwatchError("There are no open alerts about this cardholder.")
    alert_ids = [question["alert_id"] for question in questions]
    uow.extra_events += [
        AuditEvent("disclosure", "alert", alert_id, purpose=uow.event.purpose)
        for alert_id in alert_ids
    ]
    asked_alert = raised[alert_ids[0]]
    persons = dict.fromkeys((*asked_alert.holders, *asked_alert.approvers))
    names = pseudonyms.holder_names(uow, persons)
    document = questions_document(
        [(raised[question["alert_id"]], clause_behind(uow, question)) for question in questions],
        marking=marking,
        parties=(people.organisation_name(uow), recipient.strip()),
        people=", ".join(names.get(person, person) for person in persons),
        day=uow.today,
    )
    return questions_filename(alert_ids), document, questions
