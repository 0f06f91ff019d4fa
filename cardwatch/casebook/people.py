"""Organisations, the people who work with the casebook, and the keys of machines."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import secrets
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.tables import (
    KEEPS_DAYS,
    MANAGES,
    PSD,
    ROLES,
    accounts,
    keys,
    organisations,
    people,
    sessions,
)
from cardwatch.casebook.work import SYSTEM, Actor, Event, canonical
from cardwatch.errors import CardwatchError, Conflict, NotAllowed, NotFound

if TYPE_CHECKING:
    from cardwatch.casebook.database import Casebook
    from cardwatch.casebook.work import Row, Work

LONGEST_KEY_DAYS = 365
SECRET_BYTES = 32
KEY = re.compile(r"cw_([a-z0-9-]{1,40})_([0-9a-f]{12})_([\w-]{43})")


def add_organisation(casebook: Casebook, name: str, now: dt.datetime) -> str:
    """Add an organisation; return its id, made of its name: small letters and hyphens.

    Raises:
        CardwatchError: the name has no letter, or there is one of that id.
    """
    owner = re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:40]
    if not owner:
        raise CardwatchError("An organisation's name needs letters.")
    if any(one["organisation_id"] == owner for one in casebook.organisations()):
        raise CardwatchError(f"There is an organisation '{owner}' already.")
    actor = Actor(owner, SYSTEM, "admin")
    with casebook.work(actor, Event("access", "organisation", owner), now) as work:
        row = {"name": name, "made_at": work.now, "keeps": canonical(KEEPS_DAYS)}
        work.add(organisations, [row | {"secret": secrets.token_hex(SECRET_BYTES)}])
    return owner


def add_person(work: Work, *, name: str, email: str, role: str, holder_id: str = "") -> str:
    """Add a person with a role; return their id.

    Raises:
        NotAllowed: the actor may not give that role.
        CardwatchError: no such role, or no email.
        Conflict: there is a person with that email.
    """
    check_person(role=role, email=email)
    check_gives(work, role)
    email = email.strip().casefold()
    known = work.one(sa.select(people).where(work.mine(people), people.c.email == email))
    if known and not known["ended_at"]:
        raise Conflict("There is a person with that email address already.", field="email")
    person = work.keyed("person", email)[:12]
    row = {"name": name, "role": role, "holder_id": holder_id, "made_at": work.now}
    if known:  # somebody who had access comes back, perhaps in another role
        work.change(people, people.c.person_id == person, row | {"ended_at": None})
    else:
        work.add(people, [row | {"person_id": person, "email": email}])
    work.event.object_id = person
    if PSD in {role, known and known["role"]}:
        work.event.chain = PSD
    return person


def check_person(*, role: str, email: str) -> None:
    """Refuse a role there is not, and what is no email address.

    Raises:
        CardwatchError: it is such a one.
    """
    _check_role(role)
    if "@" not in email:
        raise CardwatchError(
            "Enter an email address in the correct format, like name@example.com", field="email"
        )


def _check_role(role: str) -> None:
    """Refuse a role that does not exist.

    Raises:
        CardwatchError: it does not.
    """
    if not role:
        raise CardwatchError("Choose a role", field="role")
    if role not in ROLES:
        raise CardwatchError(f"A role is one of {', '.join(ROLES)}, not '{role}'.", field="role")


def check_gives(work: Work, role: str) -> None:
    """Refuse whoever may not give a role to a person or key.

    Admin gives every role but psd; psd gives psd. The first psd person of an organisation is added
    at the command line, by whoever runs the installation.

    Raises:
        NotAllowed: they may not.
    """
    actor = work.actor
    if role == PSD:
        living = sa.select(people.c.person_id).where(
            work.mine(people), people.c.role == PSD, people.c.ended_at.is_(None)
        )
        first = actor.actor_id == SYSTEM and work.one(living) is None
        if actor.role != PSD and not first:
            raise NotAllowed("Only professional standards can give that role.")
    elif actor.role not in MANAGES:
        raise NotAllowed("Only an admin can give that role.")


def end_person(work: Work, email: str) -> None:
    """End a person's access, at once.

    Raises:
        NotAllowed: the actor may not.
        NotFound: nobody of that email has access.
    """
    person = find_person(work, email)
    check_gives(work, person["role"])
    which = people.c.person_id == person["person_id"]
    work.change(people, which, {"ended_at": work.now})
    for table in (sessions, accounts):
        work.remove(table, table.c.person_id == person["person_id"])
    work.event.object_id = person["person_id"]
    work.event.chain = chain_of(person)


def find_person(work: Work, email: str) -> Row:
    """Return the person of an email address, or of an id, who has access.

    Raises:
        NotFound: there is none.
    """
    found = work.one(
        sa.select(people).where(
            work.mine(people),
            (people.c.email == email.strip().casefold()) | (people.c.person_id == email),
            people.c.ended_at.is_(None),
        )
    )
    if found is None:
        raise NotFound("Nobody of that email address has access.")
    return found


def list_people(work: Work) -> list[Row]:
    """Return the people who have, or had, access, by name."""
    return work.rows(sa.select(people).where(work.mine(people)).order_by("name", "person_id"))


def email_of(work: Work) -> str:
    """Return the actor's own email address; the id of a key, which has none."""
    own = people.c.person_id == work.actor.actor_id
    found = work.one(sa.select(people.c.email).where(work.mine(people), own))
    return str(found["email"]) if found else work.actor.actor_id


def who(work: Work) -> dict[str, str]:
    """Return what everybody who acts is called, by id: an email address, or the name of a key."""
    persons = work.rows(sa.select(people.c.person_id, people.c.email).where(work.mine(people)))
    made = work.rows(sa.select(keys.c.key_id, keys.c.name).where(work.mine(keys)))
    named = {one["person_id"]: one["email"] for one in persons}
    return named | {one["key_id"]: f"key '{one['name']}'" for one in made}


def organisation_name(work: Work) -> str:
    """Return the name of the actor's organisation."""
    found = work.one(sa.select(organisations.c.name).where(work.mine(organisations)))
    return str(found["name"]) if found else ""


def make_key(work: Work, *, name: str, role: str, days: int) -> str:
    """Make an API key; return it whole, once: only a hash of its secret is kept.

    Raises:
        NotAllowed: the actor may not give that role.
        CardwatchError: no such role, or longer than a year.
    """
    _check_role(role)
    if not 0 < days <= LONGEST_KEY_DAYS:
        raise CardwatchError(f"A key is valid for 1 to {LONGEST_KEY_DAYS} days.", field="days")
    check_gives(work, role)
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(SECRET_BYTES)
    expires = dt.date.fromisoformat(work.today) + dt.timedelta(days)
    row = {
        "key_id": key_id,
        "name": name,
        "role": role,
        "secret_sha256": hashlib.sha256(secret.encode()).hexdigest(),
        "made_by": work.actor.actor_id,
        "made_at": work.now,
        "expires_on": str(expires),
    }
    work.add(keys, [row])
    work.event.object_id, work.event.chain = key_id, chain_of(row)
    return f"cw_{work.actor.organisation_id}_{key_id}_{secret}"


def list_keys(work: Work) -> list[Row]:
    """Return the keys, without their secrets; those of psd only to psd."""
    shown = [column for column in keys.c if column.name != "secret_sha256"]
    question = sa.select(*shown).where(work.mine(keys)).order_by("made_at", "key_id")
    return work.rows(question if work.actor.role == PSD else question.where(keys.c.role != PSD))


def end_key(work: Work, key_id: str) -> None:
    """End a key, at once.

    Raises:
        NotAllowed: the actor may not.
        NotFound: there is no such key.
    """
    found = work.one(sa.select(keys.c.role).where(work.mine(keys), keys.c.key_id == key_id))
    if found is None or (found["role"] == PSD and work.actor.role != PSD):
        raise NotFound("There is no such key.")
    check_gives(work, found["role"])
    work.change(keys, keys.c.key_id == key_id, {"ended_at": work.now})
    work.event.object_id, work.event.chain = key_id, chain_of(found)


def actor_of_key(casebook: Casebook, text: str, now: dt.datetime) -> Actor:
    """Return who a key speaks for.

    Raises:
        NotAllowed: it is no key, or it holds no longer; which of them is not said.
    """
    shape = KEY.fullmatch(text)
    refusal = NotAllowed("The key is not known here, or it holds no longer.")
    if shape is None:
        raise refusal
    owner, key_id, secret = shape.groups()
    itself = Actor(owner, SYSTEM, "admin")
    with casebook.quiet(itself, now, reads=True) as work:
        found = work.one(sa.select(keys).where(work.mine(keys), keys.c.key_id == key_id))
        today = work.today
    given = hashlib.sha256(secret.encode()).hexdigest()
    known = hmac.compare_digest(given, found["secret_sha256"] if found else "")
    if found is not None and known and not found["ended_at"] and found["expires_on"] >= today:
        return Actor(owner, key_id, found["role"])
    if found is not None:  # a key that holds no longer, or a guess at one
        with casebook.work(itself, Event("access", "key", key_id, chain=chain_of(found)), now):
            raise refusal
    raise refusal


def actor_now(work: Work, actor: Actor) -> Actor:
    """Return an actor with the role they have now, for work that was asked for earlier.

    Raises:
        NotAllowed: they have access no longer.
    """
    person = sa.select(people.c.role, people.c.holder_id).where(
        work.mine(people), people.c.person_id == actor.actor_id, people.c.ended_at.is_(None)
    )
    key = sa.select(keys.c.role).where(
        work.mine(keys),
        keys.c.key_id == actor.actor_id,
        keys.c.ended_at.is_(None),
        keys.c.expires_on >= work.today,
    )
    found = work.one(person) or work.one(key)
    if found is None:
        raise NotAllowed("Whoever asked for this has access no longer.")
    return Actor(actor.organisation_id, actor.actor_id, **found)


def actor_of_person(casebook: Casebook, owner: str, email: str | None, now: dt.datetime) -> Actor:
    """Return who a person is, by their email address; without one, the only person there is.

    Raises:
        NotFound: nobody of that address has access, or there are several people or none.
    """
    event = Event("access", "person")
    with casebook.work(Actor(owner, SYSTEM, "admin"), event, now) as work:
        if email is None:
            living = [one for one in list_people(work) if not one["ended_at"]]
            if len(living) != 1:
                raise NotFound("Say who you are with '--as EMAIL', or set CARDWATCH_AS.")
            found = living[0]
        else:
            found = find_person(work, email)
        event.object_id, event.chain = found["person_id"], chain_of(found)
    return Actor(owner, found["person_id"], found["role"], found["holder_id"])


def chain_of(found: Row | None) -> str:
    """Return the chain that holds what a person or key does: psd's coming and going is psd's."""
    return PSD if found and found["role"] == PSD else ""
