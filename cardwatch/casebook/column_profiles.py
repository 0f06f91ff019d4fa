"""Column profiles that are remembered: each for its maker's files, until a second person agrees.

A profile says which column is the amount, which the cardholder, and what is a refund. One that is
wrong hides payments, so what one person has saved is used for nobody else's files. Once another
person of the role saves the same for the same headings, it is used for everybody's of that role.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.api_keys import actor_now, person_behind
from cardwatch.casebook.people import check_independent
from cardwatch.casebook.rows import Layout
from cardwatch.casebook.tables import PSD, column_profiles
from cardwatch.casebook.unit_of_work import Actor, short_id
from cardwatch.errors import NotAllowed, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from cardwatch.casebook.unit_of_work import UnitOfWork

MOST_PROFILES = 100
"""Profiles that are remembered for one person alone, the newest; colleagues look through them."""


def save_profile(
    uow: UnitOfWork, headings: Sequence[str], content: str, is_same: Callable[[str], bool]
) -> str:
    """Remember a column profile for the actor's files, in place of theirs for the same headings.

    Args:
        headings: of the files it is for; none for any file, of which a person has one profile.
        content: the profile as TOML.
        is_same: tells whether another content reads files alike.

    Returns:
        The id under which it is kept.
    """
    person = person_behind(uow, uow.actor.actor_id)
    parts = sorted(headings)
    shared_id = short_id("shared", uow.actor.role, *parts)
    row = {"content": content, "role": uow.actor.role, "made_by": person, "made_at": uow.now}
    ids = {
        short_id("own", uow.actor.role, maker, *parts)
        for maker in _makers(uow) - {person}
        if _confirms(uow, person, maker)
    }
    agreed = next((waiting for waiting in _rows(uow, ids) if is_same(waiting["content"])), None)
    own_id = short_id("own", uow.actor.role, person, *parts)
    if agreed is None:
        _put(uow, own_id, row | {"agreed_by": None})
        _remove_oldest(uow, person)
        return own_id
    uow.delete(column_profiles, column_profiles.c.name.in_([own_id, agreed["name"]]))
    _put(uow, shared_id, row | {"agreed_by": agreed["made_by"]})
    return shared_id


def _put(uow: UnitOfWork, name: str, row: Mapping[str, str | None]) -> None:
    """Keep a profile under an id, in place of one that is there."""
    if not uow.update(column_profiles, column_profiles.c.name == name, row):
        uow.insert(column_profiles, [{**row, "name": name}])


def _makers(uow: UnitOfWork) -> set[str]:
    """Return who has access in the actor's role and has saved a profile that nobody else has."""
    question = sa.select(column_profiles.c.made_by).where(uow.scope(column_profiles), _waits(uow))
    return {
        row["made_by"]
        for row in uow.fetch_all(question.distinct())
        if _has_role(uow, row["made_by"])
    }


def _waits(uow: UnitOfWork) -> sa.ColumnElement[bool]:
    """Return the condition that a profile is for the files of one person of the actor's role."""
    return (column_profiles.c.role == uow.actor.role) & column_profiles.c.agreed_by.is_(None)


def _remove_oldest(uow: UnitOfWork, person: str) -> None:
    """Forget what is beyond the newest profiles of a person."""
    own = [
        row["name"] for row in _profiles(uow, _waits(uow) & (column_profiles.c.made_by == person))
    ]
    if extra := own[MOST_PROFILES:]:
        uow.delete(column_profiles, column_profiles.c.name.in_(extra))


def _confirms(uow: UnitOfWork, person: str, other: str) -> bool:
    """Whether somebody of the actor's role may be the second person; of psd independent ones."""
    try:
        if uow.actor.role == PSD:
            check_independent(uow, person, other)
    except NotAllowed:
        return False
    return True


def _has_role(uow: UnitOfWork, person: str) -> bool:
    """Whether a person has access in the actor's role."""
    try:
        actor = Actor(uow.actor.organisation_id, person, uow.actor.role)
        return actor_now(uow, actor).role == uow.actor.role
    except NotAllowed:
        return False


def used_profiles(uow: UnitOfWork) -> list[Layout]:
    """Return the profiles by which the actor's files are read: their own first, the newest first.

    Then come those on which two people agree.
    """
    person = person_behind(uow, uow.actor.actor_id)
    is_own, is_shared = (
        column_profiles.c.made_by == person,
        column_profiles.c.agreed_by.is_not(None),
    )
    rows = _profiles(uow, is_own | is_shared)
    return sorted(rows, key=lambda row: row["agreed_by"] is not None)


def waiting_profiles(uow: UnitOfWork) -> list[Layout]:
    """Return the profiles that others who have access saved for their files, and nobody else."""
    makers = _makers(uow) - {person_behind(uow, uow.actor.actor_id)}
    return _profiles(uow, _waits(uow) & column_profiles.c.made_by.in_(makers))


def _rows(uow: UnitOfWork, ids: Collection[str]) -> list[Layout]:
    """Return the profiles of some ids."""
    return _profiles(uow, column_profiles.c.name.in_(ids))


def _profiles(uow: UnitOfWork, which: sa.ColumnElement[bool]) -> list[Layout]:
    """Return profiles of the actor's role, the newest first."""
    question = sa.select(column_profiles).where(
        uow.scope(column_profiles), column_profiles.c.role == uow.actor.role, which
    )
    order = (column_profiles.c.made_at.desc(), column_profiles.c.name)
    return uow.fetch_all(question.order_by(*order), Layout)


def remove_profile(uow: UnitOfWork, name: str) -> None:
    """Forget a profile of the actor's own.

    Raises:
        NotFound: there is none of that id.
        NotAllowed: it is a colleague's, or two people agree on it: others' files would be read
            otherwise.
    """
    person = person_behind(uow, uow.actor.actor_id)
    row = next(iter(_rows(uow, [name])), None)
    if row is None:
        raise NotFound("There is no such column profile.")
    if row["agreed_by"]:
        raise NotAllowed(
            "Two people saved this column profile. To replace it, two people save another for the "
            "same headings."
        )
    if row["made_by"] != person:
        raise NotAllowed("A colleague saved this column profile for their own files.")
    uow.delete(column_profiles, column_profiles.c.name == name)
