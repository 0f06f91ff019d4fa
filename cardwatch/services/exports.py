"""Exports: a statement's list, a case, and a query to a line manager."""

from __future__ import annotations

import datetime as dt
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from cardwatch.casebook import FINANCE, PSD, AuditEvent, people, pseudonyms, queries
from cardwatch.casebook import alerts as kept
from cardwatch.casebook.alert_queries import AlertFilter, find_alerts
from cardwatch.casebook.approvals import require_approval
from cardwatch.casebook.case_alerts import MOST_IN_CASE
from cardwatch.casebook.checkpoints import sign_checkpoint
from cardwatch.casebook.own_keys import own_keys
from cardwatch.casebook.permissions import may_decide
from cardwatch.casebook.rows import ApprovalScope, Export, SentQuery
from cardwatch.casebook.statements import get_statement
from cardwatch.casebook.suppressions import day_of
from cardwatch.casebook.tables import exports
from cardwatch.errors import CardwatchError, NotAllowed, about_field
from cardwatch.records import Statements
from cardwatch.registers import person_key
from cardwatch.reports import (
    HANDED,
    PACK,
    PURPOSES,
    Document,
    ExportCover,
    alert_files,
    alerts_filename,
    case_filename,
    check_drawing,
    pack_alerts,
    questions_document,
    questions_filename,
    write_alerts,
)
from cardwatch.services.alert_lists import MAX_DECIDED_TOGETHER, decide_each
from cardwatch.services.alerts import clause_behind, people_of
from cardwatch.services.authority import check_recipient
from cardwatch.services.context import public_row
from cardwatch.services.reliability import PackContent, reliability_files
from cardwatch.services.scoring_inputs import report_of
from cardwatch.vocabulary import ApprovalKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.alert_rows import AlertDetail, ListedAlert
    from cardwatch.records import AlertList
    from cardwatch.services.context import ServiceContext

EXPORT_FORMATS = (*HANDED, PACK)
"""Forms in which alerts are handed over; a pack has all of the others, and a signed manifest."""
MAX_SELECTED = 1_000
"""Alerts that one file of filtered alerts has at most."""


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


@dataclass(frozen=True)
class ExportFile:
    """A file that is handed over.

    Attributes:
        filename: what it holds and of when, never about whom.
        alert_count: how many alerts it has.
    """

    filename: str
    content: bytes
    alert_count: int


@dataclass(frozen=True)
class ExportRequest:
    """A request for an export: object, purpose, recipient, marking and key.

    Attributes:
        statement_id, lane: whose list, as it was made; or
        alert_ids: alerts that make a case, with everything that is kept of them; or
        filters: alerts that fit, as they were raised.
        key: signs the checkpoint in it, and the manifest of a pack.
    """

    purpose: str
    recipient: str
    marking: str
    key: Ed25519PrivateKey
    statement_id: str = ""
    lane: str = FINANCE
    alert_ids: tuple[str, ...] = ()
    filters: AlertFilter | None = None


def export_alerts(context: ServiceContext, wanted: ExportRequest, form: str) -> ExportFile:
    """Hand alerts over as a file.

    Args:
        context: who hands over.
        wanted: what, why and to whom.
        form: one of `EXPORT_FORMATS`.

    Raises:
        NotAllowed: the lane is not the actor's, or they have not asked to see its names.
        SecondPersonNeeded: it is of professional standards, and nobody else has approved it.
        NotFound: there is no such statement, list or alert.
        CardwatchError: no such purpose or form, nobody is named, a case has too many
            alerts, or one is about a chief officer and it is not addressed to the authority.
    """
    check_request(wanted, form)
    event = AuditEvent("disclosure", "list", purpose=wanted.purpose)
    with context.work(event) as uow:
        context.require_alert_access()
        if wanted.alert_ids:
            event.object_kind = "case"
        cases, raised_lists = _chosen(context, uow, wanted)
        check_recipient(uow, _alert_ids(raised_lists), wanted.recipient)
        _require_approval(uow, wanted, raised_lists)
        lists, read = _called(uow, raised_lists, of_case=not wanted.statement_id)
        handed = _cover(uow, wanted, cases)
        _disclose(uow, handed, next(name for _, name in raised_lists))
        count = sum(len(alert_list.alerts) for alert_list in lists.values())
        event.counts = {"alerts": count}
    filename = _filename(lists, {lane for lane, _ in raised_lists}, cases, form)
    if form == PACK:
        statement_ids = tuple(dict.fromkeys(name for _, name in raised_lists))
        packed = PackContent(lists, statement_ids, read, handed, wanted.key.public_key())
        return ExportFile(filename, packed_alerts(context, packed, wanted.key), count)
    with tempfile.TemporaryDirectory(prefix="cardwatch-") as folder:
        path = Path(folder) / f"alerts{form}"
        write_alerts(path, lists, read, handed)
        return ExportFile(filename, path.read_bytes(), count)


def _alert_ids(raised_lists: Mapping[tuple[str, str], AlertList]) -> list[str]:
    """Return the ids of the alerts in some lists, in order."""
    alerts = (alert for alert_list in raised_lists.values() for alert in alert_list.alerts)
    return sorted({alert.alert_id for alert in alerts})


def _require_approval(
    uow: UnitOfWork,
    export_request: ExportRequest,
    raised_lists: Mapping[tuple[str, str], AlertList],
) -> None:
    """Refuse an export of professional standards, which names people, that nobody has approved.

    Raises:
        SecondPersonNeeded: it is such a one.
    """
    if uow.actor.role != PSD:
        return
    scope = ApprovalScope(
        export_of="list" if export_request.statement_id else "alerts",
        statement_ids=sorted({name for _, name in raised_lists}),
        lanes=sorted({lane for lane, _ in raised_lists}),
        alert_ids=_alert_ids(raised_lists),
        purpose=export_request.purpose,
        recipient=export_request.recipient.strip(),
    )
    if not export_request.statement_id:  # a list leaves as it was raised, alerts as they stand
        scope["alert_versions"] = kept.versions_of(uow, scope["alert_ids"])
    if export_request.alert_ids:
        scope["alert_id"] = export_request.alert_ids[0]
    require_approval(uow, ApprovalKind.EXPORT, scope)


def _cover(
    uow: UnitOfWork, export_request: ExportRequest, cases: tuple[dict[str, Any], ...]
) -> ExportCover:
    """Return the cover of an export."""
    return ExportCover(
        marking=export_request.marking,
        organisation=people.organisation_name(uow),
        purpose=export_request.purpose,
        recipient=export_request.recipient.strip(),
        made_by=people.email_of(uow),
        made_at=uow.now,
        checkpoint=str(sign_checkpoint(uow, export_request.key, uow.actor.chain) or ""),
        cases=cases,
        is_selection=export_request.filters is not None,
    )


def case_content(uow: UnitOfWork, export_request: ExportRequest) -> tuple[PackContent, int]:
    """Return the alerts of a case for its pack, and how many they are.

    Args:
        uow: the work it is done in.
        export_request: names the alerts that are there; none where all are erased.
    """
    cases = _cases(uow, export_request)
    raised_lists = _lists(uow, cases)
    lists, read = _called(uow, raised_lists, of_case=True)
    handed = _cover(uow, export_request, cases)
    statement_ids = tuple(dict.fromkeys(name for _, name in raised_lists))
    _disclose(uow, handed, next(iter(statement_ids), ""))
    public_key = export_request.key.public_key()
    return PackContent(lists, statement_ids, read, handed, public_key), len(cases)


def packed_alerts(
    context: ServiceContext,
    packed: PackContent,
    key: Ed25519PrivateKey,
    more: Mapping[str, bytes] | None = None,
) -> bytes:
    """Return a pack: alerts in every form, how reliable they are, and other files.

    Args:
        context: who hands it over.
        packed: the alerts; without any their files are left out.
        key: signs the manifest.
        more: the other files, by name.
    """
    files: dict[str, bytes] = {}
    if packed.lists:
        files = alert_files(dict(packed.lists), packed.reading, packed.cover)
        files |= reliability_files(context, packed)
    return pack_alerts(dict(packed.lists), {**files, **(more or {})}, packed.cover, key)


def _chosen(
    context: ServiceContext, uow: UnitOfWork, export_request: ExportRequest
) -> tuple[tuple[dict[str, Any], ...], dict[tuple[str, str], AlertList]]:
    """Return what is kept of the alerts of a case, and the lists by lane and statement."""
    if export_request.alert_ids:
        cases = _cases(uow, export_request)
        return cases, _lists(uow, cases)
    if export_request.filters is not None:
        return (), _lists(uow, _selection(uow, export_request))
    context.require_lane(export_request.lane)
    name = get_statement(uow, export_request.statement_id)["statement_id"]
    return (), {(export_request.lane, name): kept.read_list(uow, export_request.lane, name)}


def _selection(uow: UnitOfWork, export_request: ExportRequest) -> list[ListedAlert]:
    """Return the alerts that fit the filters, and write down that each leaves.

    Raises:
        NotAllowed: professional standards have not asked to see the names in one of them.
        CardwatchError: none fits, or too many.
    """
    assert export_request.filters is not None
    rows = find_alerts(uow, export_request.filters, limit=MAX_SELECTED + 1)
    if not 1 <= len(rows) <= MAX_SELECTED:
        raise CardwatchError(f"Choose filters that 1 to {MAX_SELECTED:,} alerts fit.")
    for row in rows:
        if uow.actor.role == PSD and not pseudonyms.is_revealed(uow, row["alert_id"]):
            raise NotAllowed(
                "A list names people. On each alert's page, ask first to see the name, or share "
                "the list of a statement."
            )
        uow.extra_events.append(
            AuditEvent("disclosure", "alert", row["alert_id"], purpose=export_request.purpose)
        )
    return rows


def _filename(
    lists: Mapping[str, AlertList],
    lanes: set[str],
    cases: Sequence[Mapping[str, Any]],
    form: str,
) -> str:
    """Return what the file is called: a case by its alerts, a list by its months."""
    if cases:
        return case_filename([case["alert_id"] for case in cases], lanes, form)
    return alerts_filename(lists, lanes, form)


def check_request(export_request: ExportRequest, form: str) -> None:
    """Refuse what cannot be handed over, before anything is written down.

    Raises:
        CardwatchError: with the field that is wrong.
    """
    check_purpose(export_request.purpose, export_request.recipient)
    if form not in EXPORT_FORMATS:
        valid_names = ", ".join(EXPORT_FORMATS)
        sentence = f"'{form}' is not a list format. Use a file name that ends in {valid_names}."
        raise CardwatchError(sentence, field="form")
    if len(export_request.alert_ids) > MOST_IN_CASE:
        raise CardwatchError(
            f"Choose at most {MOST_IN_CASE} alerts for one case.", field="alert_ids"
        )
    if form in {".pdf", PACK}:
        with about_field("form"):
            check_drawing()


def check_purpose(purpose: str, recipient: str) -> None:
    """Refuse an export without a purpose that is known, or without a recipient.

    Raises:
        CardwatchError: with the field that is wrong.
    """
    if purpose not in PURPOSES:
        valid_names = ", ".join(PURPOSES)
        sentence = f"Choose a purpose: {valid_names}, not '{purpose}'."
        raise CardwatchError(sentence if purpose else "Choose a purpose", field="purpose")
    if not recipient.strip():
        raise CardwatchError("Enter the recipient", field="recipient")


def _cases(uow: UnitOfWork, export_request: ExportRequest) -> tuple[dict[str, Any], ...]:
    """Return everything that is kept of the alerts of a case, and write down that each leaves."""
    field_names = ("alert_id", "lane", "statement_id", "state", "assigned_to", "due_on", "tags",
            "recovered_pence", "decisions", "neighbours", "related")  # fmt: skip
    alerts = {
        alert["alert_id"]: alert
        for alert in (kept.get_alert(uow, name) for name in export_request.alert_ids)
    }
    cases = []
    for alert_id, alert in alerts.items():
        cases.append(
            {field: value for field, value in alert.items() if field in field_names}
            | {"seen": pseudonyms.access_log(uow, alert_id)}
        )
        uow.extra_events.append(
            AuditEvent("disclosure", "alert", alert_id, purpose=export_request.purpose)
        )
    return tuple(cases)


def _lists(
    uow: UnitOfWork, alerts: Sequence[Mapping[str, Any]]
) -> dict[tuple[str, str], AlertList]:
    """Return some alerts as they were raised: by lane and statement, in that order."""
    only = {alert["alert_id"] for alert in alerts}
    places = dict.fromkeys((alert["lane"], alert["statement_id"]) for alert in alerts)
    return {place: kept.read_list(uow, *place, only=only) for place in places}


def _called(
    uow: UnitOfWork, raised_lists: Mapping[tuple[str, str], AlertList], *, of_case: bool
) -> tuple[dict[str, AlertList], Statements]:
    """Return lists by what they are called, and how their statements were read."""
    rows = {name: get_statement(uow, name) for _, name in raised_lists}
    lists = {
        f"{lane} list of {rows[name]['label']}" if of_case else lane: alert_list
        for (lane, name), alert_list in raised_lists.items()
    }
    reports = (report_of(row["report"]) for row in rows.values())
    return lists, Statements(pd.DataFrame(), tuple(report for report in reports if report))


def _disclose(uow: UnitOfWork, handed: ExportCover, statement_id: str) -> None:
    """Write down that alerts are handed over; the same again within a second is one."""
    record_export(uow, statement_id, handed.purpose, handed.recipient, *map(str, handed.cases))


def record_export(
    uow: UnitOfWork, statement_id: str, purpose: str, recipient: str, *more: str
) -> None:
    """Write down that something is handed over; the same again within a second is one.

    Args:
        uow: the work it is done in.
        statement_id: the statement it is about, or the newest of several.
        purpose: one of `PURPOSES`.
        recipient: to whom.
        more: what else tells it from other exports.
    """
    disclosure = {"statement_id": statement_id, "purpose": purpose,
            "recipient": recipient.strip(), "lane": uow.actor.chain,
            "made_by": uow.actor.actor_id, "made_at": uow.now}  # fmt: skip
    uow.event.object_id = uow.keyed("disclosure", *disclosure.values(), *more)[:12]
    same = exports.c.disclosure_id == uow.event.object_id
    if uow.fetch_one(sa.select(exports.c.lane).where(uow.scope(exports), same)) is None:
        uow.insert_sealed(exports, [disclosure | {"disclosure_id": uow.event.object_id}])


def list_exports(context: ServiceContext) -> list[Export]:
    """Return what was handed over, as far as the actor may know: why, to whom."""
    with context.work(AuditEvent("consultation", "disclosures")) as uow:
        context.require_alert_access()
        question = sa.select(exports).where(uow.scope(exports))
        if context.actor.holder_id:  # others may have exported alerts about them
            question = question.where(exports.c.made_by == context.actor.actor_id)
        order = (exports.c.made_at, exports.c.disclosure_id)
        return [public_row(row) for row in uow.fetch_all(question.order_by(*order), Export)]


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
    event = AuditEvent("disclosure", "questions", purpose="finance-assurance")
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
    event = AuditEvent("disclosure", "questions", purpose="finance-assurance")
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
        for alert_list in _lists(uow, open_questions).values()
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
    document = questions_document(
        [(raised[question["alert_id"]], clause_behind(uow, question)) for question in questions],
        marking=marking,
        organisation=people.organisation_name(uow),
        recipient=recipient.strip(),
        day=uow.today,
    )
    return questions_filename(alert_ids), document, questions
