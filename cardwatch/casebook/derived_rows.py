"""Compares rows that follow from others, which the audit chains hold seals of, with these.

The row of an alert says what its last decision does, and whom it asks about what was raised; the
row of a case what its entries say; a file of a case is what was attached. Whoever changes such a
row by hand leaves the sealed one that it followed from.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from cardwatch.casebook.alerts import LEFT
from cardwatch.casebook.own_keys import are_keys_current, are_names_of_payments
from cardwatch.casebook.tables import (
    PSD,
    alert_snapshots,
    alert_subjects,
    alerts,
    case_alerts,
    case_attachments,
    case_entries,
    cases,
    decisions,
)
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.registers import person_key
from cardwatch.vocabulary import CaseEntryKind, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardwatch.casebook.unit_of_work import Row, UnitOfWork

SNAPSHOT_FACTS = ("tier", "kind", "first_on", "last_on", "at_stake_pence")
"""Fields that both the row of an alert and the alert as it was raised have."""
FIELDS_BY_SUBJECT = {SubjectKind.HOLDER: "holders", SubjectKind.APPROVER: "approvers"}
OF_CASE = ("title", "owner", "outcome")


def derived_fault(uow: UnitOfWork, lane: str) -> str:
    """Return in a sentence which row does not follow from those that are sealed; empty if all do.

    Args:
        uow: the work it is done in; its lanes include this one.
        lane: finance or psd.
    """
    if not are_names_of_payments(uow, lane):
        return "the names by which cardholders are known are not those that payments have"
    fault = next(_alert_faults(uow, lane), "")
    return fault or (next(_case_faults(uow), "") if lane == PSD else "")


def _alert_faults(uow: UnitOfWork, lane: str) -> Iterator[str]:
    """Give what is wrong with alerts, by their decisions and what was raised."""
    raised, are_current = _raised(uow, lane), are_keys_current(uow)
    alert_decisions = _by_alert(uow, decisions, lane, "version", "state", "decided_by", *LEFT)
    subjects = _by_alert(uow, alert_subjects, lane, "kind", "subject_id")
    ids = set()
    for row in uow.fetch_all(sa.select(alerts).where(uow.scope(alerts), alerts.c.lane == lane)):
        alert_id = row["alert_id"]
        ids.add(alert_id)
        if not _follows(
            row, sorted(alert_decisions[alert_id], key=lambda row: int(row["version"]))
        ):
            yield f"alert {alert_id} is not as its last decision says"
        if tuple(row[name] for name in SNAPSHOT_FACTS) not in {
            facts for facts, _ in raised[alert_id]
        }:
            yield f"alert {alert_id} is not as it was raised"
        people = {
            (subject["kind"], subject["subject_id"])
            for subject in subjects[alert_id]
            if subject["kind"] in FIELDS_BY_SUBJECT
        }
        if are_current and people not in [names for _, names in raised[alert_id]]:
            yield f"alert {alert_id} does not name whom it was raised about"
    if gone := (raised.keys() | subjects.keys()) - ids:
        yield f"alert {min(gone)} is not there"


def _by_alert(
    uow: UnitOfWork, table: sa.Table, lane: str, *columns: str
) -> defaultdict[str, list[Row]]:
    """Return some columns of the rows of a table in one lane, by alert."""
    names = ("alert_id", *columns)
    question = sa.select(*(table.c[name] for name in names)).where(
        uow.scope(table), table.c.lane == lane
    )
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for row in uow.fetch_all(question):
        rows[row["alert_id"]].append(row)
    return rows


def _follows(row: Row, alert_decisions: list[Row]) -> bool:
    """Whether an alert's row is what its decisions, in their order, have made of it."""
    if row["version"] != len(alert_decisions) or row["state"] != (
        alert_decisions[-1]["state"] if alert_decisions else "open"
    ):
        return False
    # What the casebook decides by itself changes nothing of what people have left.
    by_people = [row for row in alert_decisions if row["decided_by"] != SYSTEM]
    left = by_people[-1] if by_people else dict.fromkeys(LEFT, "") | {"recovered_pence": 0}
    return all(row[name] == left[name] for name in LEFT)


def _raised(
    uow: UnitOfWork, lane: str
) -> defaultdict[str, list[tuple[tuple[object, ...], set[tuple[str, str]]]]]:
    """Return the facts of each alert as it was raised, and whom it asks about; by alert."""
    raised = defaultdict(list)
    question = sa.select(alert_snapshots.c.alert_id, alert_snapshots.c.content).where(
        uow.scope(alert_snapshots), alert_snapshots.c.lane == lane
    )
    for alert_id, text in uow.connection.execute(question.execution_options(yield_per=1_000)):
        content: dict[str, Any] = json.loads(text)
        names = {
            (str(kind), person_key(name))
            for kind, field in FIELDS_BY_SUBJECT.items()
            for name in content.get(field, ())
        }
        raised[alert_id].append((tuple(content[name] for name in SNAPSHOT_FACTS), names))
    return raised


def _case_faults(uow: UnitOfWork) -> Iterator[str]:
    """Give what is wrong with cases, by their entries, and with their files."""
    entries: defaultdict[str, list[Row]] = defaultdict(list)
    question = sa.select(case_entries).where(uow.scope(case_entries))
    for row in uow.fetch_all(question.order_by(case_entries.c.version)):
        entries[row["case_id"]].append(row)
    alert_ids: defaultdict[str, set[str]] = defaultdict(set)
    pairs = sa.select(case_alerts.c.case_id, case_alerts.c.alert_id).where(uow.scope(case_alerts))
    for row in uow.fetch_all(pairs):
        alert_ids[row["case_id"]].add(row["alert_id"])
    stored = {
        row["case_id"]: row for row in uow.fetch_all(sa.select(cases).where(uow.scope(cases)))
    }
    for case_id in sorted(stored.keys() | entries.keys()):
        case, entries_of_case = stored.get(case_id), entries[case_id]
        if case is None or not entries_of_case or not _is_as_entered(case, entries_of_case):
            yield f"case {case_id} is not as its entries say"
        if alert_ids[case_id] != _alerts_entered(entries_of_case):
            yield f"case {case_id} has not the alerts that its entries say"
    yield from _changed_files(uow)


def _changed_files(uow: UnitOfWork) -> list[str]:
    """Return what is wrong with files of cases; one is read at a time."""
    columns = case_attachments.c
    question = sa.select(columns.attachment_id, columns.sha256, columns.content).where(
        uow.scope(case_attachments)
    )
    rows = uow.connection.execute(question.execution_options(yield_per=1))
    return [
        f"attachment {attachment_id} is not as it was attached"
        for attachment_id, sha256, content in rows
        if hashlib.sha256(content).hexdigest() != sha256
    ]


def _is_as_entered(row: Row, entries: list[Row]) -> bool:
    """Whether a case's row is what its entries have made of it."""
    first, last = entries[0], entries[-1]
    turns = [
        one for one in entries if one["kind"] in {CaseEntryKind.CLOSED, CaseEntryKind.REOPENED}
    ]
    is_closed = bool(turns) and turns[-1]["kind"] == CaseEntryKind.CLOSED
    closed = (turns[-1]["made_by"], turns[-1]["made_at"]) if is_closed else (None, None)
    return (
        all(row[name] == last[name] for name in OF_CASE)
        and row["version"] == last["version"] == len(entries)
        and (row["made_by"], row["made_at"]) == (first["made_by"], first["made_at"])
        and row["state"] == ("closed" if is_closed else "open")
        and (row["closed_by"], row["closed_at"]) == closed
    )


def _alerts_entered(entries: list[Row]) -> set[str]:
    """Return the alerts that entries have put into a case and not taken out since."""
    present: set[str] = set()
    for entry in entries:
        if entry["kind"] == CaseEntryKind.ALERT_ADDED:
            present.add(entry["object_id"])
        elif entry["kind"] == CaseEntryKind.ALERT_REMOVED:
            present.discard(entry["object_id"])
    return present
