"""People and API keys, and authentication of keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cardwatch.casebook import PSD, Event, api_keys, people
from cardwatch.casebook.api_keys import actor_of_key
from cardwatch.casebook.people import actor_of_person, add_organisation
from cardwatch.casebook.tables import MANAGES
from cardwatch.desk.desk import shown

if TYPE_CHECKING:
    from cardwatch.desk.desk import Desk

KEEPERS = (*MANAGES, PSD)


def add_person(desk: Desk, **given: str) -> str:
    """Add a person with a role; return their id; see `casebook.people.add_person`."""
    with desk.work(Event("access", "person"), ()) as work:
        return people.add_person(work, **given)


def email_of(desk: Desk) -> str:
    """Return the actor's own email address; the id of a key, which has none."""
    with desk.casebook.quiet(desk.actor, desk.now, reads=True) as work:
        return people.email_of(work)


def who(desk: Desk) -> dict[str, str]:
    """Return what everybody who acts is called, by id; see `casebook.people.who`."""
    with desk.casebook.quiet(desk.actor, desk.now, reads=True) as work:
        return people.who(work)


def end_person(desk: Desk, email: str) -> None:
    """End a person's access, at once; see `casebook.people.end_person`."""
    with desk.work(Event("access", "person"), ()) as work:
        desk.allow(KEEPERS, "manage people")
        people.end_person(work, email)


def list_people(desk: Desk) -> list[dict[str, Any]]:
    """Return the people who have, or had, access.

    Raises:
        NotAllowed: the role keeps no people.
    """
    with desk.work(Event("consultation", "people"), ()) as work:
        desk.allow(KEEPERS, "manage people")
        return [shown(row) for row in people.list_people(work)]


def make_key(desk: Desk, *, name: str, role: str, days: int) -> str:
    """Make an API key; return it whole, this once; see `casebook.api_keys.make_key`."""
    with desk.work(Event("access", "key"), ()) as work:
        return api_keys.make_key(work, name=name, role=role, days=days)


def end_key(desk: Desk, key_id: str) -> None:
    """End a key, at once; see `casebook.api_keys.end_key`."""
    with desk.work(Event("access", "key"), ()) as work:
        desk.allow(KEEPERS, "manage API keys")
        api_keys.end_key(work, key_id)


def list_keys(desk: Desk) -> list[dict[str, Any]]:
    """Return the keys, without their secrets.

    Raises:
        NotAllowed: the role keeps no keys.
    """
    with desk.work(Event("consultation", "keys"), ()) as work:
        desk.allow(KEEPERS, "manage API keys")
        return [shown(row) for row in api_keys.list_keys(work)]


__all__ = [
    "actor_of_key",
    "actor_of_person",
    "add_organisation",
    "add_person",
    "email_of",
    "end_key",
    "end_person",
    "list_keys",
    "list_people",
    "make_key",
]
