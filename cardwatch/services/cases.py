"""Cases of professional standards: open, fill, read, close; and finance's referrals to them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import sqlalchemy as sa

from cardwatch.alerts import joined_facts
from cardwatch.casebook import PSD, AuditEvent, attachments, case_alerts, cases, pseudonyms
from cardwatch.casebook import alerts as kept
from cardwatch.casebook import referrals as kept_referrals
from cardwatch.casebook.alert_rows import Reveal
from cardwatch.casebook.approvals import require_approval
from cardwatch.casebook.case_chronology import chronology
from cardwatch.casebook.people import display_names
from cardwatch.casebook.rows import ApprovalScope
from cardwatch.casebook.tables import identity_reveals
from cardwatch.errors import CardwatchError
from cardwatch.registers import person_key
from cardwatch.reports import upload_label
from cardwatch.services.authority import check_alerts
from cardwatch.vocabulary import ApprovalKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.case_rows import (
        Attachment,
        AttachmentContent,
        CaseAlert,
        ListedCase,
        ListedReferral,
    )
    from cardwatch.services.answers import CaseDetail, CasePerson, ShownCaseAlert
    from cardwatch.services.context import ServiceContext


@dataclass(frozen=True)
class NewCase:
    """A case that somebody opens.

    Attributes:
        reason: why; also of each alert that it begins with.
        owner: email of who is to see to it; empty for whoever opens it.
    """

    title: str
    reason: str
    alert_ids: tuple[str, ...] = ()
    owner: str = ""


@contextmanager
def _work(context: ServiceContext, action: str, kind: str = "case") -> Iterator[UnitOfWork]:
    """Begin a piece of work on cases.

    Raises:
        NotAllowed: the role is not professional standards.
    """
    with context.work(AuditEvent(action, kind)) as uow:
        context.allow((PSD,), "see cases")
        yield uow


def list_cases(
    context: ServiceContext,
    case_filter: cases.CaseFilter,
    *,
    after: Sequence[float | str] = (),
    offset: int = 0,
    limit: int | None = None,
) -> list[ListedCase]:
    """Return the cases that fit and that the actor may see; see `casebook.cases.find_cases`."""
    with _work(context, "consultation", "cases") as uow:
        return cases.find_cases(uow, case_filter, after=after, offset=offset, limit=limit)


def count_cases(context: ServiceContext, case_filter: cases.CaseFilter) -> int:
    """The number of cases that fit and that the actor may see."""
    with _work(context, "consultation", "cases") as uow:
        return cases.count_cases(uow, case_filter)


def get_case(context: ServiceContext, case_id: str) -> CaseDetail:
    """Return a case whole, with its alerts, people, files and chronology.

    Cardholders stand under a pseudonym unless the actor has asked to see the names in an alert of
    theirs.

    Raises:
        NotAllowed: the role is not professional standards.
        NotFound: there is no such case that the actor may see.
    """
    with _work(context, "consultation") as uow:
        return case_detail(uow, case_id)


def case_name(context: ServiceContext, case_id: str) -> str:
    """The reference and title of a case, by which a request for an approval names it.

    Raises:
        NotAllowed: the role is not professional standards.
        NotFound: there is no such case that the actor may see.
    """
    with _work(context, "consultation") as uow:
        case = cases.find_case(uow, case_id)
        uow.event.object_id = case["case_id"]
        return f"{case['reference']}: {case['title']}"


def case_detail(uow: UnitOfWork, case_id: str) -> CaseDetail:
    """Return a case whole; see `get_case`."""
    case = cases.find_case(uow, case_id)
    uow.event.object_id = case["case_id"]
    rows = case_alerts.list_case_alerts(uow, case["case_id"])
    reveals = _reveals(uow, [row["alert_id"] for row in rows])
    actor_id = uow.actor.actor_id
    revealed = {row["alert_id"] for row in reveals if row["made_by"] == actor_id}
    names, actors = _shown_names(uow, rows, revealed), display_names(uow)
    lines = chronology(rows, cases.list_entries(uow, case["case_id"]), reveals, names, actors)
    shown_alerts = [_shown_alert(row, names) for row in rows]
    whole = {
        **case,
        "made_by": actors.get(case["made_by"], case["made_by"]),
        "closed_by": actors.get(case["closed_by"] or "", case["closed_by"]),
        "alerts": shown_alerts,
        "people": _people(shown_alerts),
        "attachments": [
            {**row, "made_by": actors.get(row["made_by"], row["made_by"])}
            for row in attachments.list_attachments(uow, case["case_id"])
        ],
        "chronology": lines,
        "is_named": revealed >= {row["alert_id"] for row in rows},
    }
    return cast("CaseDetail", whole)


def _checked(uow: UnitOfWork, case_id: str, *, decides: bool = False) -> CaseDetail:
    """Return a case after it was changed, unless that was for the authority alone.

    A case with an alert about a chief officer belongs to one of the authority's people, who alone
    closes it or opens it again; see `services.authority`.

    Raises:
        NotAllowed: the actor does not belong to the authority.
        CardwatchError: its owner does not belong to it.
    """
    case = case_detail(uow, case_id)
    ids = [alert["alert_id"] for alert in case["alerts"]]
    check_alerts(uow, ids, decides=decides, given_to=(case["owner"], "owner"))
    return case


def _reveals(uow: UnitOfWork, alert_ids: Sequence[str]) -> list[Reveal]:
    """Who asked to see names in some alerts, and why, by the ids of who asked."""
    columns = identity_reveals.c
    question = sa.select(identity_reveals).where(
        uow.scope(identity_reveals), columns.alert_id.in_(alert_ids)
    )
    return uow.fetch_all(question.order_by(columns.made_at, columns.made_by), Reveal)


def _people_in(alert: CaseAlert) -> set[str]:
    """The cardholders and approvers that an alert names."""
    raised = alert["raised"]
    holders = {payment.holder_id for payment in raised.payments}
    return {*raised.holders, *raised.approvers, *holders} - {""}


def _shown_names(
    uow: UnitOfWork, alerts: Sequence[CaseAlert], revealed: set[str]
) -> dict[str, str]:
    """The name shown for each person: their own if it was asked for in one of their alerts."""
    people = {alert["alert_id"]: _people_in(alert) for alert in alerts}
    by_name = {person for alert_id in revealed for person in people.get(alert_id, ())}
    return pseudonyms.shown_names(uow, set().union(*people.values()), by_name)


def _shown_alert(alert: CaseAlert, names: Mapping[str, str]) -> ShownCaseAlert:
    """An alert of a case as the actor is shown it."""
    raised = alert["raised"]
    return {
        "alert_id": alert["alert_id"],
        "lane": alert["alert_lane"],
        "state": alert["state"],
        "is_erased": alert["is_erased"],
        "title": raised.title,
        "facts": joined_facts(raised.reasons),
        "first_on": raised.first_on,
        "last_on": raised.last_on,
        "at_stake_pence": raised.at_stake_pence,
        "people": [names[person] for person in (*raised.holders, *raised.approvers)],
        "payments": [
            {
                "date": payment.date,
                "person": names.get(payment.holder_id, payment.holder_id),
                "merchant": payment.merchant,
                "amount_pence": payment.amount_pence,
                "reference": payment.reference or f"{payment.file}, row {payment.row}",
            }
            for payment in raised.payments
        ],
    }


def _people(alerts: Iterable[ShownCaseAlert]) -> list[CasePerson]:
    """The people of a case, each once, with the number of alerts about them."""
    counts: dict[str, int] = {}
    spelled: dict[str, str] = {}
    for alert in alerts:
        for key in {person_key(name): name for name in alert["people"]}.items():
            spelled.setdefault(*key)
            counts[key[0]] = counts.get(key[0], 0) + 1
    return sorted(
        ({"name": spelled[key], "alerts_count": count} for key, count in counts.items()),
        key=lambda person: (-person["alerts_count"], person["name"]),
    )


def open_case(context: ServiceContext, new_case: NewCase) -> CaseDetail:
    """Open a case with some alerts; waiting referrals of these are answered by it.

    Raises:
        NotAllowed: the actor does not decide for professional standards.
        NotFound: there is no such alert that the actor may see, or no such owner.
        CardwatchError: see `casebook.cases.open_case` and `casebook.case_alerts.add_alert`.
    """
    with _work(context, "alteration") as uow:
        case = cases.open_case(
            uow, title=new_case.title, reason=new_case.reason, owner=new_case.owner
        )
        for alert_id in dict.fromkeys(new_case.alert_ids):
            alert = kept.get_alert(uow, alert_id)
            case_alerts.add_alert(uow, case["case_id"], alert, new_case.reason)
        return _checked(uow, case["case_id"])


def add_case_alert(
    context: ServiceContext, case_id: str, alert_id: str, *, reason: str
) -> CaseDetail:
    """Put an alert into a case; see `casebook.case_alerts.add_alert`."""
    with _work(context, "alteration") as uow:
        case_alerts.add_alert(uow, case_id, kept.get_alert(uow, alert_id), reason)
        return _checked(uow, case_id)


def remove_case_alert(
    context: ServiceContext, case_id: str, alert_id: str, *, reason: str
) -> CaseDetail:
    """Take an alert out of a case; see `casebook.case_alerts.remove_alert`.

    Raises:
        NotAllowed: the case is for the authority alone; see `services.authority`.
    """
    with _work(context, "alteration") as uow:
        _checked(uow, case_id, decides=True)
        case_alerts.remove_alert(uow, case_id, alert_id, reason)
        return case_detail(uow, case_id)


def add_case_note(context: ServiceContext, case_id: str, text: str) -> CaseDetail:
    """Add a note to a case; see `casebook.cases.add_note`."""
    with _work(context, "alteration") as uow:
        cases.add_note(uow, case_id, text)
        return case_detail(uow, case_id)


def change_case(context: ServiceContext, case_id: str, update: cases.CaseUpdate) -> CaseDetail:
    """Change the title or owner of a case; see `casebook.cases.change_case`."""
    with _work(context, "alteration") as uow:
        cases.change_case(uow, case_id, update)
        return _checked(uow, case_id)


def close_case(context: ServiceContext, case_id: str, update: cases.CaseUpdate) -> CaseDetail:
    """Close a case with an outcome; see `casebook.cases.close_case`."""
    with _work(context, "alteration") as uow:
        cases.close_case(uow, case_id, update)
        return _checked(uow, case_id, decides=True)


def reopen_case(context: ServiceContext, case_id: str, update: cases.CaseUpdate) -> CaseDetail:
    """Open a closed case again; see `casebook.cases.reopen_case`."""
    with _work(context, "alteration") as uow:
        cases.reopen_case(uow, case_id, update)
        return _checked(uow, case_id, decides=True)


def attach_file(context: ServiceContext, case_id: str, filename: str, content: bytes) -> Attachment:
    """Attach a file to a case; see `casebook.attachments.attach`.

    Args:
        case_id: of the case.
        filename: as it was sent; the name that is kept has no folder.
        content: of the file.
    """
    with _work(context, "alteration", "attachment") as uow:
        attached = attachments.attach(uow, case_id, upload_label(filename, "file"), content)
        uow.event.object_id = attached["attachment_id"]
        return attached


def get_attachment(context: ServiceContext, attachment_id: str) -> AttachmentContent:
    """Return a file of a case with its content; see `casebook.attachments.get_attachment`."""
    with _work(context, "consultation", "attachment") as uow:
        attached = attachments.get_attachment(uow, attachment_id)
        uow.event.object_id = attached["attachment_id"]
        return attached


def find_attachment(context: ServiceContext, attachment_id: str) -> Attachment:
    """Return a file of a case without its content; see `casebook.attachments.find_attachment`."""
    with _work(context, "consultation", "attachment") as uow:
        attached = attachments.find_attachment(uow, attachment_id)
        uow.event.object_id = attached["attachment_id"]
        return attached


def remove_attachment(context: ServiceContext, attachment_id: str, *, reason: str) -> CaseDetail:
    """Erase a file that was attached by mistake; see `casebook.attachments.remove_attachment`.

    Raises:
        NotAllowed: the case is for the authority alone; see `services.authority`.
    """
    with _work(context, "erasure", "attachment") as uow:
        case_id = attachments.remove_attachment(uow, attachment_id, reason)["case_id"]
        case = _checked(uow, case_id, decides=True)
        uow.event.object_id = attachment_id
    context.casebook.checkpoint_wal()
    return case


def reveal_case(context: ServiceContext, case_id: str, *, reason: str) -> None:
    """Let the actor see by name whom the alerts of a case are about; see `reveal_identity`.

    Raises:
        NotAllowed: the role is not professional standards.
        SecondPersonNeeded: the case has several alerts.
        NotFound: there is no such case that the actor may see.
        CardwatchError: no reason is given.
    """
    with _work(context, "consultation", "name") as uow:
        case = cases.find_case(uow, case_id)
        if not reason.strip():
            raise CardwatchError("Enter a reason", field="reason")
        alerts = case_alerts.list_case_alerts(uow, case["case_id"])
        if len(alerts) > 1:
            current = sorted(row["alert_id"] for row in alerts if not row["is_erased"])
            scope = ApprovalScope(case_id=case["case_id"], alert_ids=current, reason=reason)
            require_approval(uow, ApprovalKind.NAMES, scope)
        for alert in alerts:
            pseudonyms.reveal_identity(uow, alert["alert_id"], reason)
            uow.extra_events.append(AuditEvent("consultation", "name", alert["alert_id"]))
        uow.event.object_kind, uow.event.object_id = "case", case["case_id"]


def refer_alert(context: ServiceContext, alert_id: str, *, reason: str) -> str:
    """Refer one of finance's alerts to professional standards; see `casebook.referrals.refer`."""
    with context.work(AuditEvent("disclosure", "referral", purpose="misconduct")) as uow:
        return kept_referrals.refer(uow, kept.get_alert(uow, alert_id), reason)


def list_referrals(context: ServiceContext, *, waiting: bool = False) -> list[ListedReferral]:
    """Return finance's referrals with their answers, the newest first.

    Args:
        context: who asks, of professional standards.
        waiting: whether only those without an answer are wanted.

    Raises:
        NotAllowed: the role is not professional standards.
    """
    with _work(context, "consultation", "referrals") as uow:
        actors = display_names(uow)
        rows = kept_referrals.list_referrals(uow, waiting=waiting)
        for row in rows:
            row["made_by"] = actors.get(row["made_by"], row["made_by"])
            row["answered_by"] = actors.get(row["answered_by"] or "", row["answered_by"])
        return rows


def decline_referral(context: ServiceContext, referral_id: str, *, reason: str) -> None:
    """Decline a referral, as no case comes of it; see `casebook.referrals.decline_referral`."""
    with _work(context, "alteration", "referral") as uow:
        kept_referrals.decline_referral(uow, referral_id, reason)


def cases_with_alert(context: ServiceContext, alert_id: str) -> list[ListedCase]:
    """Return the cases that an alert is in, as far as the actor may see them; none to others."""
    if context.actor.role != PSD:
        return []
    with context.snapshot() as uow:
        ids = case_alerts.cases_of_alert(uow, alert_id)
        return [row for row in cases.find_cases(uow, cases.CaseFilter()) if row["case_id"] in ids]
