"""People and API keys, and authentication of keys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cardwatch.alerts.answered import person_key
from cardwatch.casebook import PSD, Event, api_keys, people
from cardwatch.casebook.api_keys import actor_of_key
from cardwatch.casebook.people import actor_of_person, add_organisation
from cardwatch.casebook.tables import MANAGES
from cardwatch.desk.desk import shown
from cardwatch.desk.recipe import read_recipe, recipe_of
from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from cardwatch.casebook import Work
    from cardwatch.desk.desk import Desk

KEEPERS = (*MANAGES, PSD)


def add_person(  # noqa: PLR0913  what is known of a person
    desk: Desk,
    *,
    name: str,
    email: str,
    role: str,
    holder_id: str = "",
    holds_no_card: bool = False,
) -> str:
    """Add a person with a role; return their id; see `casebook.people.add_person`.

    Raises:
        CardwatchError: the cardholder is not in the card register in force.
    """
    with desk.work(Event("access", "person"), ()) as work:
        link = people.CardLink(_registered(work, holder_id), holds_no_card)
        return people.add_person(work, name=name, email=email, role=role, link=link)


def set_link(desk: Desk, email: str, *, holder_id: str = "", holds_no_card: bool = False) -> None:
    """Set who a person is in statements; see `casebook.people.set_link`.

    Raises:
        CardwatchError: the cardholder is not in the card register in force.
    """
    with desk.work(Event("access", "person"), ()) as work:
        desk.allow(KEEPERS, "keeps no people")
        link = people.CardLink(_registered(work, holder_id), holds_no_card)
        people.set_link(work, email, link)


def list_cardholders(desk: Desk) -> list[str]:
    """Return the holders and approvers of the card register in force, by id; none without one.

    Raises:
        NotAllowed: the role keeps no people.
    """
    with desk.work(Event("consultation", "cards"), ()) as work:
        desk.allow(KEEPERS, "keeps no people")
        return _cardholders(work)


def _cardholders(work: Work) -> list[str]:
    """Return the holders and approvers of the card register in force, by id."""
    recipe = replace(recipe_of(work, work.today), policy="", model="")
    cards = read_recipe(work, recipe).cards
    if cards is None:
        return []
    named = {*cards.cards["holder_id"], *cards.cards["approver_id"]}
    return sorted(str(one) for one in named if one)


def _registered(work: Work, holder_id: str) -> str:
    """Return a cardholder as the card register in force names them; as typed where there is none.

    Raises:
        CardwatchError: the register does not name them.
    """
    known = {person_key(one): one for one in _cardholders(work)}
    if holder_id and known and person_key(holder_id) not in known:
        raise CardwatchError("Choose a cardholder from the card register", field="holder_id")
    return known.get(person_key(holder_id), holder_id.strip())


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


def make_key(desk: Desk, *, name: str, role: str, days: int, can_decide: bool = False) -> str:
    """Make an API key; return it whole, this once; see `casebook.api_keys.make_key`."""
    with desk.work(Event("access", "key"), ()) as work:
        return api_keys.make_key(work, name=name, role=role, days=days, can_decide=can_decide)


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
    "list_cardholders",
    "list_keys",
    "list_people",
    "make_key",
    "set_link",
]
