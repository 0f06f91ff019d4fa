"""Conditions by which alerts are found by their cardholder, merchant or unit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.pseudonyms import holder_names, pseudonym
from cardwatch.casebook.tables import PSD, alert_subjects, alerts
from cardwatch.merchants import canonical_name
from cardwatch.vocabulary import ASKED_ABOUT, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cardwatch.casebook.unit_of_work import Row, UnitOfWork

SEARCHED = (*ASKED_ABOUT, SubjectKind.MERCHANT, SubjectKind.COST_CENTRE)
MAX_SUBJECTS = 20_000
"""The most subjects one search names: PostgreSQL takes 65,535 values in a statement."""
ID_START = re.compile(r"[0-9a-f]{4,12}")


def has_subject(uow: UnitOfWork, kind: SubjectKind, ids: Iterable[str]) -> sa.ColumnElement[bool]:
    """The condition that a row of `alerts` has one of some subjects of a kind."""
    subjects = alert_subjects.c
    return sa.exists().where(
        uow.scope(alert_subjects),
        subjects.lane == alerts.c.lane,
        subjects.alert_id == alerts.c.alert_id,
        subjects.kind == kind,
        subjects.subject_id.in_(list(ids)),
    )


def matches_text(uow: UnitOfWork, text: str) -> sa.ColumnElement[bool]:
    """The condition that an alert has a cardholder, merchant or unit with some words in its name.

    Names are compared as the actor is shown them: professional standards search cardholders by
    their pseudonyms, so that a search does not reveal who stands behind one. The beginning of an
    alert's id fits too.

    Args:
        text: the words; a merchant may be typed as any statement prints it.
    """
    term = text.strip().casefold()
    compared = canonical_name(text).name.casefold()
    subjects = alert_subjects.c
    question = (
        sa.select(subjects.kind, subjects.subject_id, subjects.name)
        .where(uow.scope(alert_subjects), subjects.kind.in_(SEARCHED))
        .distinct()
        .order_by(subjects.kind, subjects.subject_id)
    )
    matching: dict[str, set[str]] = {}
    rows = uow.fetch_all(question)
    people = [row["name"] for row in rows if row["kind"] in ASKED_ABOUT]
    names = {} if uow.actor.role == PSD else holder_names(uow, people)
    for row in rows:
        is_merchant = row["kind"] == SubjectKind.MERCHANT
        name = _shown_name(uow, row, names).casefold()
        if term in name or (is_merchant and compared and compared in name):
            matching.setdefault(row["kind"], set()).add(row["subject_id"])
    conditions = [
        has_subject(uow, SubjectKind(kind), sorted(ids)[:MAX_SUBJECTS])
        for kind, ids in matching.items()
    ]
    if ID_START.fullmatch(term):
        conditions.append(alerts.c.alert_id.startswith(term))
    return sa.or_(sa.false(), *conditions)


def _shown_name(uow: UnitOfWork, subject: Row, names: Mapping[str, str]) -> str:
    """The name of a subject as the actor is shown it in lists; `names` are those of people."""
    name = str(subject["name"])
    if subject["kind"] not in ASKED_ABOUT:
        return name
    return pseudonym(uow, name) if uow.actor.role == PSD else names.get(name, name)
