"""Alerts about chief officers and their offices, which a named authority alone decides.

Everybody else who could decide them is in the chief officers' own chain. The policy says who counts
and who the authority is (`policy.ChiefOfficers`). Only alerts of professional standards are so
marked: what finance sees does not depend on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.people import email_of
from cardwatch.casebook.people_register import people_register
from cardwatch.casebook.tables import PSD, alert_subjects
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.registers import person_key
from cardwatch.vocabulary import PERSON_KINDS, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Collection

    from cardwatch.casebook.unit_of_work import UnitOfWork
    from cardwatch.policy import ChiefOfficers


def for_authority(
    uow: UnitOfWork, chief_officers: ChiefOfficers, alert_ids: Collection[str]
) -> set[str]:
    """Return the ids of those alerts of professional standards that go to the authority.

    They name a chief officer, as a cardholder, an approver or in an entry of a register, or their
    office bears the cost.
    """
    if not chief_officers.authority or PSD not in uow.lanes or uow.actor.role != PSD:
        return set()
    columns = alert_subjects.c
    units = [unit.casefold().strip() for unit in chief_officers.units]
    is_office = (columns.kind == SubjectKind.COST_CENTRE) & (
        sa.func.lower(columns.subject_id).in_(units)
    )
    is_officer = columns.kind.in_(PERSON_KINDS) & columns.subject_id.in_(
        officer_keys(uow, chief_officers)
    )
    question = sa.select(columns.alert_id).where(
        uow.scope(alert_subjects),
        columns.lane == PSD,
        columns.alert_id.in_(alert_ids),
        is_office | is_officer,
    )
    return {row["alert_id"] for row in uow.fetch_all(question.distinct())}


def check_authority(
    uow: UnitOfWork,
    chief_officers: ChiefOfficers,
    alert_ids: Collection[str],
    *,
    decides: bool,
    given_to: tuple[str, str] = ("", ""),
) -> None:
    """Refuse what only the authority may do with its alerts, and whoever else gets one.

    Anybody of professional standards may note something on such an alert, or give it to the
    authority's people.

    Args:
        chief_officers: as the policy has them.
        alert_ids: of the alerts it is done with; others than the authority's are not looked at.
        decides: whether it is more than a note or an assignment.
        given_to: email of whoever is to see to it, empty for nobody, and the field that says so.

    Raises:
        NotAllowed: the actor decides, and does not belong to the authority.
        CardwatchError: the person it is assigned to does not belong to it.
    """
    if not for_authority(uow, chief_officers, alert_ids):
        return
    theirs = {email.casefold() for email in chief_officers.people}
    if decides and email_of(uow).casefold() not in theirs:
        raise NotAllowed(
            "This is about a chief officer or their office: only the people of "
            f"{chief_officers.authority} decide it. Assign it to one of them."
        )
    email, field = given_to
    if email and email.casefold() not in theirs:
        sentence = (
            "This is about a chief officer or their office. Choose one of the people of "
            f"{chief_officers.authority}: {', '.join(chief_officers.people)}."
        )
        raise CardwatchError(sentence, field=field)


def officer_keys(uow: UnitOfWork, chief_officers: ChiefOfficers) -> set[str]:
    """Return the keys that name a chief officer."""
    register = people_register(uow)
    keys = {person_key(holder) for holder in chief_officers.holders}
    for post in chief_officers.posts:
        keys |= register.by_post.get(" ".join(post.casefold().split()), set())
    return keys.union(*(register.names.get(key, ()) for key in keys))
