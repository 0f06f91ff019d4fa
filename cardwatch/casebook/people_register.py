"""The people register as the casebook itself reads it: every name and post of each number."""

from __future__ import annotations

from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from cardwatch.casebook.register_content import read_version
from cardwatch.casebook.registers import list_versions
from cardwatch.casebook.tables import PSD
from cardwatch.errors import NotFound
from cardwatch.registers import names_of, person_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    import sqlalchemy as sa

    from cardwatch.casebook.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class PeopleRegister:
    """The people register, whichever version says it; keys are as `person_key` makes them.

    Attributes:
        names: of each person by the key of their number: every name, in each form.
        by_name: the keys of the numbers of whoever has a whole name.
        by_initial: the same of whoever has an initial and a surname.
        by_post: the keys of the numbers of whoever has, or had, a post or grade, in small letters.
    """

    names: Mapping[str, AbstractSet[str]] = field(default_factory=dict)
    by_name: Mapping[str, AbstractSet[str]] = field(default_factory=dict)
    by_initial: Mapping[str, AbstractSet[str]] = field(default_factory=dict)
    by_post: Mapping[str, AbstractSet[str]] = field(default_factory=dict)


PEOPLE_COLUMNS = ("employee_id", "person", "former_names", "post", "grade")
_read: WeakKeyDictionary[sa.Pool, dict[str, tuple[str, PeopleRegister]]] = WeakKeyDictionary()
"""By casebook and organisation, the versions of the register and what they say."""


def people_register(uow: UnitOfWork) -> PeopleRegister:
    """Return the people register; an empty one where the actor is not of professional standards.

    What finance sees must not depend on it.
    """
    is_theirs = uow.actor.role == PSD
    versions = [row["version_id"] for row in list_versions(uow, "people")] if is_theirs else []
    if not versions:
        return PeopleRegister()
    owner, latest = uow.actor.organisation_id, " ".join(versions)
    by_owner = _read.setdefault(uow.connection.engine.pool, {})
    cached = by_owner.get(owner)
    if cached is None or cached[0] != latest:
        cached = by_owner[owner] = (latest, _joined(uow, versions))
    return cached[1]


def _joined(uow: UnitOfWork, versions: Sequence[str]) -> PeopleRegister:
    """Return what all versions say together; one that is damaged says nothing."""
    names: dict[str, set[str]] = defaultdict(set)
    by_name: dict[str, set[str]] = defaultdict(set)
    by_initial: dict[str, set[str]] = defaultdict(set)
    by_post: dict[str, set[str]] = defaultdict(set)
    for version_id in versions:
        with suppress(NotFound):  # the psd chain says that it is damaged
            entries = read_version(uow, version_id)[0].entries
            for number, person, former, *posts in zip(
                *(entries[name].tolist() for name in PEOPLE_COLUMNS), strict=True
            ):
                key = person_key(number)
                for name in names_of(person, former):
                    first, last = name.split()
                    initial = f"{first[0]}{last}"
                    names[key] |= {person_key(name), initial}
                    by_name[person_key(name)].add(key)
                    by_initial[initial].add(key)
                for post in filter(None, posts):
                    by_post[" ".join(post.casefold().split())].add(key)
    return PeopleRegister(names, by_name, by_initial, by_post)
