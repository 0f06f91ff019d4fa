"""The alerts of a case. Each is copied, so that the case is whole once the alert is erased.

A copy follows its alert while that is there. Alerts of professional standards are held as long as
the case is; finance's are erased at their time, as one that outlived it would tell finance of the
case.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from cardwatch.casebook.alerts import alert_from, is_alert
from cardwatch.casebook.case_rows import AlertReferral, CaseAlert, CopiedDecision
from cardwatch.casebook.cases import add_entry, case_to_change
from cardwatch.casebook.referrals import answer_waiting
from cardwatch.casebook.tables import (
    PSD,
    alert_snapshots,
    alert_subjects,
    alerts,
    case_alerts,
    case_entries,
    case_subjects,
    decisions,
    legal_holds,
    referrals,
)
from cardwatch.casebook.unit_of_work import AuditEvent, canonical
from cardwatch.errors import CardwatchError, Conflict, NotFound
from cardwatch.vocabulary import CaseEntryKind

if TYPE_CHECKING:
    from collections.abc import Collection

    from cardwatch.casebook.alert_rows import AlertDetail
    from cardwatch.casebook.unit_of_work import UnitOfWork

MOST_IN_CASE = 50
"""Maximum number of alerts in one case."""


def add_alert(uow: UnitOfWork, case_id: str, alert: AlertDetail, reason: str) -> None:
    """Put an alert of either lane into a case; that answers its referral, if one waits.

    Raises:
        NotAllowed, NotFound: see `cases.case_to_change`.
        Conflict: the case is closed, or has the alert.
        CardwatchError: no reason is given, or the case has too many alerts.
    """
    case = case_to_change(uow, case_id, reason)
    alert_id, alert_lane = alert["alert_id"], alert["lane"]
    present = _ids(uow, case["case_id"])
    if alert_id in present:
        raise Conflict("This alert is already in the case.")
    if len(present) >= MOST_IN_CASE:
        raise CardwatchError(f"A case has at most {MOST_IN_CASE} alerts.", field="alert_id")
    row = {"lane": PSD, "case_id": case["case_id"], "alert_id": alert_id}
    content = canonical(_copy(uow, alert_lane, alert_id))
    uow.insert(case_alerts, [row | {"alert_lane": alert_lane, "content": content}])
    _copy_subjects(uow, case["case_id"], alert_lane, alert_id)
    add_entry(uow, case, CaseEntryKind.ALERT_ADDED, reason, object_id=alert_id)
    answer_waiting(uow, alert_id, case["case_id"], reason)
    uow.extra_events.append(AuditEvent("combination", "alert", alert_id))


def remove_alert(uow: UnitOfWork, case_id: str, alert_id: str, reason: str) -> None:
    """Take an alert out of a case, with the copy of it; that it was there is kept.

    Raises:
        NotAllowed, Conflict, CardwatchError: see `cases.case_to_change`.
        NotFound: there is no such case for the actor, or no such alert in it.
    """
    case = case_to_change(uow, case_id, reason)
    for table in (case_alerts, case_subjects):
        same = (table.c.case_id == case["case_id"]) & (table.c.alert_id == alert_id)
        if not uow.delete(table, same) and table is case_alerts:
            raise NotFound(f"There is no alert '{alert_id}' in this case.")
    add_entry(uow, case, CaseEntryKind.ALERT_REMOVED, reason, object_id=alert_id)


def list_case_alerts(uow: UnitOfWork, case_id: str) -> list[CaseAlert]:
    """Return the alerts of a case as they are now, or as they were when they were erased."""
    question = sa.select(case_alerts).where(
        uow.scope(case_alerts), case_alerts.c.case_id == case_id
    )
    listed = []
    for row in uow.fetch_all(question.order_by(case_alerts.c.alert_id)):
        current = _copy(uow, row["alert_lane"], row["alert_id"])
        content: dict[str, Any] = json.loads(row["content"]) if current is None else current
        fields = {"alert_id": row["alert_id"], "alert_lane": row["alert_lane"]}
        fields |= {"raised": alert_from(content["raised"]), "is_erased": current is None}
        listed.append(cast("CaseAlert", content | fields))
    return sorted(listed, key=lambda alert: (alert["raised"].last_on, alert["alert_id"]))


def _ids(uow: UnitOfWork, case_id: str) -> set[str]:
    """The ids of the alerts of a case."""
    question = sa.select(case_alerts.c.alert_id).where(
        uow.scope(case_alerts), case_alerts.c.case_id == case_id
    )
    return {row["alert_id"] for row in uow.fetch_all(question)}


def cases_of_alert(uow: UnitOfWork, alert_id: str) -> set[str]:
    """The ids of the cases that an alert is in, whoever may see them."""
    question = sa.select(case_alerts.c.case_id).where(
        uow.scope(case_alerts), case_alerts.c.alert_id == alert_id
    )
    return {row["case_id"] for row in uow.fetch_all(question)}


def held_by_cases(uow: UnitOfWork) -> set[tuple[str, str]]:
    """The lane and id of the alerts of professional standards that a case keeps."""
    question = sa.select(case_alerts.c.alert_lane, case_alerts.c.alert_id).where(
        uow.scope(case_alerts), case_alerts.c.alert_lane == PSD
    )
    return {(row["alert_lane"], row["alert_id"]) for row in uow.fetch_all(question)}


def is_case_held(uow: UnitOfWork, case_id: str) -> bool:
    """Whether an alert that is, or was, in a case, of either lane, is on legal hold."""
    same = (
        uow.scope(case_entries, legal_holds)
        & (case_entries.c.case_id == case_id)
        & (case_entries.c.kind == CaseEntryKind.ALERT_ADDED)
        & (legal_holds.c.alert_id == case_entries.c.object_id)
        & legal_holds.c.ended_at.is_(None)
    )
    return uow.fetch_one(sa.select(legal_holds.c.hold_id).where(same).limit(1)) is not None


def refresh_copies(uow: UnitOfWork, erased: Collection[tuple[str, str]]) -> None:
    """Let cases copy alerts as they are now, before they are erased: lanes and ids."""
    question = sa.select(case_alerts.c.case_id, case_alerts.c.alert_lane, case_alerts.c.alert_id)
    for row in uow.fetch_all(question.where(uow.scope(case_alerts))):
        alert_lane, alert_id = row["alert_lane"], row["alert_id"]
        if (alert_lane, alert_id) not in erased:
            continue
        same = (case_alerts.c.case_id == row["case_id"]) & (case_alerts.c.alert_id == alert_id)
        uow.update(case_alerts, same, {"content": canonical(_copy(uow, alert_lane, alert_id))})
        _copy_subjects(uow, row["case_id"], alert_lane, alert_id)


def _copy(uow: UnitOfWork, alert_lane: str, alert_id: str) -> dict[str, Any] | None:
    """An alert as it is now, as JSON, to be kept in a case; none once it is erased."""
    fields = sa.select(alerts.c.raised_at, alerts.c.state, alert_snapshots.c.content).join(
        alert_snapshots,
        uow.scope(alert_snapshots)
        & (alert_snapshots.c.lane == alerts.c.lane)
        & (alert_snapshots.c.statement_id == alerts.c.statement_id)
        & (alert_snapshots.c.alert_id == alerts.c.alert_id),
    )
    row = uow.fetch_one(fields.where(uow.scope(alerts), is_alert(alerts, alert_lane, alert_id)))
    if row is None:
        return None
    decision_names = ("state", "reason", "decided_by", "decided_at")
    decided = sa.select(*(decisions.c[name] for name in decision_names)).where(
        uow.scope(decisions), is_alert(decisions, alert_lane, alert_id)
    )
    referral_names = ("reason", "made_by", "made_at")
    referred = sa.select(*(referrals.c[name] for name in referral_names)).where(
        uow.scope(referrals), is_alert(referrals, alert_lane, alert_id)
    )
    return {
        "raised": json.loads(row["content"]),
        "raised_at": row["raised_at"],
        "state": row["state"],
        "decisions": uow.fetch_all(decided.order_by(decisions.c.version), CopiedDecision),
        "referrals": uow.fetch_all(referred.order_by(referrals.c.made_at), AlertReferral),
    }


def _copy_subjects(uow: UnitOfWork, case_id: str, alert_lane: str, alert_id: str) -> None:
    """Let a case keep whom an alert is about now, beside those it has been about since."""
    columns = case_subjects.c
    copied = sa.select(columns.kind, columns.subject_id).where(
        uow.scope(case_subjects), columns.case_id == case_id, columns.alert_id == alert_id
    )
    present = {(row["kind"], row["subject_id"]) for row in uow.fetch_all(copied)}
    current = sa.select(alert_subjects.c.kind, alert_subjects.c.subject_id).where(
        uow.scope(alert_subjects), is_alert(alert_subjects, alert_lane, alert_id)
    )
    owned = {"lane": PSD, "case_id": case_id, "alert_id": alert_id}
    new = [row for row in uow.fetch_all(current) if (row["kind"], row["subject_id"]) not in present]
    if new:
        uow.insert(case_subjects, [owned | row for row in new])
