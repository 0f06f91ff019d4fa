"""Makes the keys by which people are known anew, once another version of cardwatch makes others.

Whoever is in an alert is told apart from its reader by these keys. Until all are of one version an
alert could be shown to whom it is about, so they are made anew before anybody works.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from cardwatch.casebook.alert_store import alert_people
from cardwatch.casebook.alerts import alert_from
from cardwatch.casebook.own_keys import are_keys_current, keep_names_anew
from cardwatch.casebook.tables import (
    PSD,
    alert_subjects,
    case_alerts,
    case_subjects,
    organisations,
)
from cardwatch.casebook.unit_of_work import SYSTEM, Actor, AuditEvent
from cardwatch.registers import PERSON_KEYS, person_key
from cardwatch.vocabulary import LANES, PERSON_KINDS

if TYPE_CHECKING:
    import datetime as dt

    from cardwatch.casebook.database import Casebook
    from cardwatch.casebook.unit_of_work import UnitOfWork

NewKeys = defaultdict[str, set[str]]
"""Keys of this version by those of the version before."""


def renew_person_keys(casebook: Casebook, now: dt.datetime) -> None:
    """Make the keys of people anew in each organisation whose keys another version made.

    Args:
        casebook: that was opened.
        now: the moment, with a time zone.
    """
    for row in casebook.organisations():
        if row["person_keys"] == PERSON_KEYS:
            continue
        actor = Actor(row["organisation_id"], SYSTEM, "admin")
        event = AuditEvent("alteration", "person-keys")
        with casebook.work(actor, event, now, lanes=LANES) as uow:
            uow.lock("person-keys")  # of processes that begin together one makes them
            if are_keys_current(uow):
                event.outcome = "held"
                continue
            keep_names_anew(uow)
            _key_cases_anew(uow, _key_alerts_anew(uow))
            uow.update(organisations, sa.true(), {"person_keys": PERSON_KEYS})


def _key_alerts_anew(uow: UnitOfWork) -> NewKeys:
    """Key those whom alerts are about by their names, of which several may have one key now."""
    are_people = alert_subjects.c.kind.in_(PERSON_KINDS)
    question = sa.select(alert_subjects).where(uow.scope(alert_subjects), are_people)
    new_keys: NewKeys = defaultdict(set)
    rows: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in uow.fetch_all(question.order_by(alert_subjects.c.name)):
        key = person_key(row["name"])
        new_keys[row["subject_id"]].add(key)
        rows[row["lane"], row["alert_id"], row["kind"], key] = row | {"subject_id": key}
    uow.delete(alert_subjects, are_people)
    uow.insert(alert_subjects, list(rows.values()))
    return new_keys


def _key_cases_anew(uow: UnitOfWork, new_keys: NewKeys) -> None:
    """Key whom the alerts of cases are about, or were about, by the copies of these alerts.

    A copy does not name the approvers of its cardholders, who are known by other alerts. A key for
    which there is no name stays as it was.
    """
    are_people = case_subjects.c.kind.in_(PERSON_KINDS)
    keys: set[tuple[str, str, str, str]] = set()
    for row in uow.fetch_all(sa.select(case_subjects).where(uow.scope(case_subjects), are_people)):
        for key in new_keys.get(row["subject_id"], {row["subject_id"]}):
            keys.add((row["case_id"], row["alert_id"], row["kind"], key))
    for row in uow.fetch_all(sa.select(case_alerts).where(uow.scope(case_alerts))):
        copied = json.loads(row["content"])
        people = alert_people(alert_from(copied["raised"]), {}) if copied else {}
        keys |= {
            (row["case_id"], row["alert_id"], str(kind), person_key(name))
            for kind, names in people.items()
            for name in names
        }
    columns = ("case_id", "alert_id", "kind", "subject_id")
    uow.delete(case_subjects, are_people)
    uow.insert(
        case_subjects,
        [{"lane": PSD} | dict(zip(columns, found, strict=True)) for found in sorted(keys)],
    )
