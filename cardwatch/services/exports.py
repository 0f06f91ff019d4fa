"""Exports: a statement's list, a case, and chosen alerts."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from cardwatch.casebook import FINANCE, PSD, AuditEvent, people, pseudonyms
from cardwatch.casebook import alerts as kept
from cardwatch.casebook.alert_queries import AlertFilter, find_alerts
from cardwatch.casebook.approvals import require_approval
from cardwatch.casebook.case_alerts import MOST_IN_CASE
from cardwatch.casebook.checkpoints import sign_checkpoint
from cardwatch.casebook.rows import ApprovalScope, Export
from cardwatch.casebook.statements import get_statement, newest_scored
from cardwatch.casebook.tables import exports
from cardwatch.errors import CardwatchError, NotAllowed, about_field
from cardwatch.records import Statements
from cardwatch.reports import (
    HANDED,
    PACK,
    PURPOSES,
    ExportCover,
    alert_files,
    alerts_filename,
    case_filename,
    check_drawing,
    pack_alerts,
    write_alerts,
)
from cardwatch.services.authority import check_recipient
from cardwatch.services.reliability import PackContent, reliability_files
from cardwatch.services.scoring_inputs import report_of
from cardwatch.vocabulary import ApprovalKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.alert_rows import ListedAlert
    from cardwatch.records import AlertList
    from cardwatch.services.context import ServiceContext

EXPORT_FORMATS = (*HANDED, PACK)
"""Forms in which alerts are handed over; a pack has all of the others, and a signed manifest."""
MAX_SELECTED = 1_000
"""Alerts that one file of filtered alerts has at most."""


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
    """Return the cover of an export.

    It has no checkpoint for somebody who holds a card: the number of events tells what others do
    about them.
    """
    holds_card = bool(uow.actor.holder_id)
    note = None if holds_card else sign_checkpoint(uow, export_request.key, uow.actor.chain)
    return ExportCover(
        marking=export_request.marking,
        organisation=people.organisation_name(uow),
        purpose=export_request.purpose,
        recipient=export_request.recipient.strip(),
        made_by=people.email_of(uow),
        made_at=uow.now,
        checkpoint=str(note or ""),
        cases=cases,
        is_selection=export_request.filters is not None,
    )


def case_content(uow: UnitOfWork, export_request: ExportRequest) -> tuple[PackContent, int]:
    """Return the alerts of a case for its pack, and how many they are.

    Args:
        export_request: names the alerts that are there; none where all are erased.
    """
    cases = _cases(uow, export_request)
    raised_lists = lists_as_raised(uow, cases)
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
        return cases, lists_as_raised(uow, cases)
    if export_request.filters is not None:
        return (), lists_as_raised(uow, _selection(uow, export_request))
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


def lists_as_raised(
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
        uow.insert(exports, [disclosure | {"disclosure_id": uow.event.object_id}])


@contextmanager
def whole_export(
    context: ServiceContext, what: str, *, purpose: str, recipient: str
) -> Iterator[UnitOfWork]:
    """Work in which all payments are read to be given away; that they are is recorded at its end.

    Raises:
        CardwatchError: there is no such purpose or no recipient.
    """
    check_purpose(purpose, recipient)
    with context.work(AuditEvent("disclosure", what, purpose=purpose)) as uow:
        yield uow
        record_export(uow, newest_scored(uow)["statement_id"], purpose, recipient, what)


def list_exports(context: ServiceContext) -> list[Export]:
    """Return what was handed over, as far as the actor may know: why, to whom."""
    with context.work(AuditEvent("consultation", "disclosures")) as uow:
        context.require_alert_access()
        question = sa.select(exports).where(uow.scope(exports))
        if context.actor.holder_id:  # others may have exported alerts about them
            question = question.where(exports.c.made_by == context.actor.actor_id)
        order = (exports.c.made_at, exports.c.disclosure_id)
        return uow.fetch_all(question.order_by(*order), Export)
