"""Organisations, and the people who work with the casebook."""

from __future__ import annotations

import datetime as dt
import re
import secrets
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.own_keys import own_keys
from cardwatch.casebook.rows import Assignee, Person
from cardwatch.casebook.tables import (
    FINANCE,
    KEEPS_DAYS,
    MANAGES,
    PSD,
    RECEIVES,
    ROLES,
    accounts,
    keys,
    organisations,
    people,
    sessions,
)
from cardwatch.casebook.unit_of_work import SYSTEM, Actor, AuditEvent, as_text, canonical
from cardwatch.errors import CardwatchError, Conflict, NotAllowed, NotFound
from cardwatch.registers import PERSON_KEYS, has_look_alikes, person_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardwatch.casebook.database import Casebook
    from cardwatch.casebook.unit_of_work import UnitOfWork

SECRET_BYTES = 32
OTHERS_NEEDED = 2
"""Others of professional standards needed to add or remove somebody: one asks, one approves."""
EMAIL = (
    r"^[^@\s\x00-\x1f\x7f-\x9f\"(),:;<>?\[\\\]]+@[^@\s\x00-\x1f\x7f-\x9f\"(),:;<>?\[\\\]]*"
    r"[^@\s\x00-\x1f\x7f-\x9f\"(),:;<>?\[\\\].]$"
)
"""An email address: no white space, and nothing that a mail header reads as several or as code."""
MAX_EMAIL_CHARACTERS = 200
INVITED_LATELY_DAYS = 30
"""Days for which a new person is not independent of their inviter: they could be the same."""


def add_organisation(casebook: Casebook, name: str, now: dt.datetime) -> str:
    """Add an organisation; return its id, made of its name: small letters and hyphens.

    Raises:
        CardwatchError: the name has no letter, or there is one of that id.
    """
    owner = organisation_id(name)
    if not owner:
        raise CardwatchError("Enter an organisation name with letters.")
    if any(existing["organisation_id"] == owner for existing in casebook.organisations()):
        raise CardwatchError(
            f"The organisation '{owner}' already exists. Leave out '--new-organisation' to add "
            "people to it. To invite one of its people, give their email address and '--invite'."
        )
    actor = Actor(owner, SYSTEM, "admin")
    with casebook.work(actor, AuditEvent("access", "organisation", owner), now) as uow:
        row = {"name": name, "made_at": uow.now, "keeps": canonical(KEEPS_DAYS)}
        row |= {"person_keys": PERSON_KEYS, "secret": secrets.token_hex(SECRET_BYTES)}
        uow.insert(organisations, [row])
    return owner


def organisation_id(name: str) -> str:
    """Return the id of an organisation: its name in small letters and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")[:40]


def normal_email(email: str) -> str:
    """Return the one form of an email address by which people are looked up and limits count."""
    plain = unicodedata.normalize("NFKC", email).casefold()
    return unicodedata.normalize("NFKC", plain).strip()


def is_email(email: str) -> bool:
    """Whether a text is one email address to which a reminder can be sent.

    One that looks like another person's, by a letter of another alphabet or what is not printed,
    is none: who approved something is told by it.
    """
    plain = normal_email(email)
    is_plain = plain.isprintable() and not has_look_alikes(plain)
    return is_plain and len(plain) <= MAX_EMAIL_CHARACTERS and bool(re.fullmatch(EMAIL, plain))


@dataclass(frozen=True)
class CardLink:
    """Who somebody is in statements, or that they are in none.

    Attributes:
        holder_id: the cardholder; empty if none is stated.
        holds_no_card: whether it is stated that they hold no card and approve none.
    """

    holder_id: str = ""
    holds_no_card: bool = False

    def columns(self) -> dict[str, str | int]:
        """The columns of a person that say it."""
        return {"holder_id": self.holder_id, "holds_no_card": self.holds_no_card}


def add_person(uow: UnitOfWork, *, name: str, email: str, role: str, link: CardLink) -> str:
    """Add a person with a role; return their id.

    Raises:
        NotAllowed: the actor may not give that role.
        CardwatchError: no such role, or no email; see also `check_link`.
        Conflict: there is a person with that email; or see `check_alone`.
    """
    check_person(role=role, email=email)
    email = normal_email(email)
    existing = uow.fetch_one(sa.select(people).where(uow.scope(people), people.c.email == email))
    person = existing["person_id"] if existing else uow.keyed("person", email)[:12]
    check_gives(uow, role, membership_of=person)
    check_link(role, link)
    if existing and not existing["ended_at"]:
        raise Conflict("A person with that email address already exists.", field="email")
    check_alone(uow, link, person_id=person, is_psd=role == PSD)
    row = {"name": name, "role": role, "made_at": uow.now} | link.columns()
    if existing:  # somebody who had access comes back, perhaps in another role
        uow.update(people, people.c.person_id == person, row | {"ended_at": None})
    else:
        uow.insert(people, [row | {"person_id": person, "email": email}])
    uow.event.object_id = person
    if existing:  # keys of an earlier time here stay ended, whatever the role is now
        end_keys_made_by(uow, person)
    former_role = existing["role"] if existing else role
    if PSD in {role, former_role}:
        uow.event.chain = PSD
    _tell_crossing(uow, person, former_role, role)
    return person


def _tell_crossing(uow: UnitOfWork, person_id: str, former_role: str, role: str) -> None:
    """Let finance's chain have an event of somebody who joins or leaves professional standards.

    Their row has a seal in each chain. Finance reads of one who leaves what it reads of a stranger,
    and of one who joins not who it is.
    """
    if (role == PSD) != (former_role == PSD):
        named = "" if role == PSD else person_id
        uow.tell(AuditEvent("access", "person", named), {FINANCE})


@dataclass(frozen=True)
class NewPerson:
    """Details of a person who gets access for the first time, again, or in another role.

    Attributes:
        email: in its normal form.
    """

    name: str
    email: str
    role: str
    link: CardLink


def add_new_people(uow: UnitOfWork, new_people: Sequence[NewPerson]) -> list[AuditEvent]:
    """Add people together, none of professional standards; return an event of each.

    Raises:
        NotAllowed, CardwatchError: see `add_person`.
    """
    rows = []
    for new in new_people:
        check_person(role=new.role, email=new.email)
        check_gives(uow, new.role)
        check_link(new.role, new.link)
        row = {"name": new.name, "email": new.email, "role": new.role, "made_at": uow.now}
        person_id = uow.keyed("person", new.email)[:12]
        rows.append(row | new.link.columns() | {"person_id": person_id})
    uow.insert(people, rows)
    return [AuditEvent("access", "person", str(row["person_id"])) for row in rows]


def change_people(uow: UnitOfWork, changes: Sequence[tuple[Person, NewPerson]]) -> list[AuditEvent]:
    """Give people another role, or access again who had it; return the events of each.

    Keys of an earlier time here stay ended, whatever the role is now.

    Raises:
        NotAllowed, CardwatchError: see `add_person`.
    """
    rows, events = [], []
    back = {person["person_id"] for person, _ in changes if person["ended_at"]}
    for person, new in changes:
        check_gives(uow, new.role)
        check_link(new.role, new.link)
        person_id = person["person_id"]
        moments = {"made_at": uow.now if person_id in back else person["made_at"]}
        names = {"name": new.name if person_id in back else person["name"], "role": new.role}
        row: dict[str, object] = {"person_id": person_id, "ended_at": None}
        rows.append(row | moments | names | dict(new.link.columns()))
        is_psd = PSD in {new.role, person["role"]}
        events.append(AuditEvent("access", "person", person_id, chain=PSD if is_psd else ""))
        _tell_crossing(uow, person_id, person["role"], new.role)
    uow.update_each(people, "person_id", rows)
    for person_id in _key_makers(uow, sorted(back)):
        end_keys_made_by(uow, person_id)
    return events


def check_link(role: str, link: CardLink) -> None:
    """Refuse a role that decides without who they are in statements, and one who is two things.

    Raises:
        CardwatchError: it is such a one.
    """
    if link.holder_id and link.holds_no_card:
        raise CardwatchError(
            "Choose a cardholder, or state that they hold no card", field="holder_id"
        )
    if role in RECEIVES and not link.holder_id and not link.holds_no_card:
        raise CardwatchError(
            "Choose who they are in statements, or state that they hold no card",
            field="holder_id",
        )


def linked_keys(uow: UnitOfWork, *, is_psd: bool) -> dict[str, str]:
    """Return who is which cardholder, of professional standards or of all others: key to id."""
    same_side = people.c.role == PSD if is_psd else people.c.role != PSD
    question = sa.select(people.c.person_id, people.c.holder_id).where(
        uow.scope(people), people.c.ended_at.is_(None), same_side, people.c.holder_id != ""
    )
    return {person_key(row["holder_id"]): row["person_id"] for row in uow.fetch_all(question)}


def check_alone(uow: UnitOfWork, link: CardLink, *, person_id: str, is_psd: bool) -> None:
    """Refuse to make somebody a cardholder whom somebody else is already.

    Nobody sees an alert about themselves: whoever made all reviewers one cardholder would hide from
    them all what is about that one. Others than professional standards are not compared with them,
    which would tell who these are.

    Raises:
        Conflict: somebody else with access is that cardholder.
    """
    keys = own_keys(uow, link.holder_id)
    linked = linked_keys(uow, is_psd=is_psd)
    if {linked[key] for key in keys & linked.keys()} - {person_id}:
        raise Conflict(
            "Somebody else who uses cardwatch is already this cardholder. Choose another.",
            field="holder_id",
        )


def set_link(uow: UnitOfWork, email: str, link: CardLink) -> None:
    """Set who a person is in statements.

    Raises:
        NotAllowed: the actor may not keep that person.
        NotFound: nobody of that email has access.
        CardwatchError: see `check_link`.
        Conflict: see `check_alone`.
    """
    person = find_person(uow, email)
    check_gives(uow, person["role"], membership_of=person["person_id"])
    check_link(person["role"], link)
    if person["person_id"] == uow.actor.actor_id:
        raise NotAllowed("Somebody else has to set who you are in statements.")
    is_psd = person["role"] == PSD
    check_alone(uow, link, person_id=person["person_id"], is_psd=is_psd)
    uow.update(people, people.c.person_id == person["person_id"], link.columns())
    uow.event.object_id, uow.event.chain = person["person_id"], chain_of(person)


def check_person(*, role: str, email: str) -> None:
    """Refuse a role there is not, and what is no email address.

    Raises:
        CardwatchError: it is such a one.
    """
    check_role(role)
    if not is_email(email):
        raise CardwatchError(
            "Enter an email address in the correct format, like name@example.com", field="email"
        )


def check_role(role: str) -> None:
    """Refuse a role that does not exist.

    Raises:
        CardwatchError: it does not.
    """
    if not role:
        raise CardwatchError("Choose a role", field="role")
    if role not in ROLES:
        raise CardwatchError(f"Choose a role: {', '.join(ROLES)}, not '{role}'.", field="role")


def check_gives(uow: UnitOfWork, role: str, *, membership_of: str = "") -> None:
    """Refuse an actor who may not give a role to a person or key.

    Admin gives every role but psd; psd gives psd. Whoever runs the installation gives psd's role,
    invites to it and ends it, at the command line, while fewer than two others have it: there is
    nobody then who could ask and nobody who could approve.

    Args:
        role: which role.
        membership_of: the id of the person whose role it is; none for a key.

    Raises:
        NotAllowed: they may not.
    """
    actor = uow.actor
    if role == PSD:
        living = sa.select(people.c.person_id).where(
            uow.scope(people), people.c.role == PSD, people.c.ended_at.is_(None)
        )
        others = uow.fetch_all(living.where(people.c.person_id != membership_of))
        are_too_few = len(others) < (OTHERS_NEEDED if membership_of else 1)
        if not may_give(actor.role, role) and not (actor.actor_id == SYSTEM and are_too_few):
            raise NotAllowed("Only professional standards can give that role.")
    elif not may_give(actor.role, role):
        raise NotAllowed("Only an administrator can give that role.")


def may_give(giver_role: str, role: str) -> bool:
    """Whether somebody of a role may give another to a person or key."""
    return giver_role == PSD if role == PSD else giver_role in MANAGES


def end_person(uow: UnitOfWork, email: str) -> None:
    """End a person's access, at once: their sessions, account, identity elsewhere, and keys.

    Raises:
        NotAllowed: the actor may not.
        NotFound: nobody of that email has access.
    """
    person = find_person(uow, email)
    check_gives(uow, person["role"], membership_of=person["person_id"])
    end_access(uow, person)


def end_access(uow: UnitOfWork, person: Person) -> None:
    """End a person's access, whoever may decide it; see `end_person`."""
    (event,) = end_access_of_each(uow, [person])
    uow.event.counts |= event.counts
    uow.event.object_id, uow.event.chain = event.object_id, event.chain


def end_access_of_each(uow: UnitOfWork, persons: Sequence[Person]) -> list[AuditEvent]:
    """End the access of people, whoever may decide it; return an event of each; see `end_person`.

    Args:
        persons: so many that one statement may name them.
    """
    ids = [person["person_id"] for person in persons]
    uow.update(people, people.c.person_id.in_(ids), {"ended_at": uow.now, "identity": None})
    for table in (sessions, accounts):
        uow.delete(table, table.c.person_id.in_(ids))
    makers = _key_makers(uow, ids)
    events = []
    for person in persons:
        person_id = person["person_id"]
        count = end_keys_made_by(uow, person_id) if person_id in makers else 0
        event = AuditEvent("access", "person", person_id, chain=chain_of(person))
        event.counts["keys"] = count
        events.append(event)
    return events


def _key_makers(uow: UnitOfWork, person_ids: Sequence[str]) -> set[str]:
    """Return which people have made keys that have not ended."""
    question = sa.select(keys.c.made_by).where(
        uow.scope(keys), keys.c.made_by.in_(person_ids), keys.c.ended_at.is_(None)
    )
    return {row["made_by"] for row in uow.fetch_all(question)}


def end_keys_made_by(uow: UnitOfWork, maker_id: str) -> int:
    """End the keys that a person or key made, and the keys made with those; return how many."""
    makers, ended = [maker_id], 0
    while makers:
        question = sa.select(keys.c.key_id).where(
            uow.scope(keys), keys.c.made_by.in_(makers), keys.c.ended_at.is_(None)
        )
        makers = [row["key_id"] for row in uow.fetch_all(question)]
        ended += uow.update(keys, keys.c.key_id.in_(makers), {"ended_at": uow.now})
    return ended


def find_person(uow: UnitOfWork, email: str) -> Person:
    """Return the person of an email address, or of an id, who has access.

    Raises:
        NotFound: there is none.
    """
    person = uow.fetch_one(
        sa.select(people).where(
            uow.scope(people),
            (people.c.email == normal_email(email)) | (people.c.person_id == email),
            people.c.ended_at.is_(None),
        ),
        Person,
    )
    if person is None or (person["role"] == PSD and not _sees_psd(uow.actor)):
        raise NotFound("Nobody with that email address has access.")
    return person


def inviters(uow: UnitOfWork, person_id: str) -> set[str]:
    """Return a person, and whoever invited them lately, or invited those who did."""
    since = dt.datetime.fromisoformat(uow.now) - dt.timedelta(INVITED_LATELY_DAYS)
    question = sa.select(accounts.c.inviters).where(
        uow.scope(accounts),
        accounts.c.person_id == person_id,
        accounts.c.taken_at >= as_text(since),
    )
    account = uow.fetch_one(question)
    return {person_id, *(account["inviters"].split() if account else ())}


def check_independent(uow: UnitOfWork, one: str, other: str) -> None:
    """Refuse two people of whom one person could have both accounts.

    Raises:
        NotAllowed: one was lately invited by the other, or both by the same person.
    """
    if inviters(uow, one) & inviters(uow, other):
        raise NotAllowed(
            "One of you was invited by the other, or both by the same person, in the last 30 days. "
            "Ask somebody else, or the people who run cardwatch."
        )


def holder_of(uow: UnitOfWork, email: str) -> str:
    """Return the cardholder that somebody with an email address is; empty if nobody says so.

    Others than professional standards are not told of theirs: an answer would say who they are.
    """
    fits = uow.scope(people) & (people.c.email == normal_email(email))
    if not _sees_psd(uow.actor):
        fits &= people.c.role != PSD
    row = uow.fetch_one(sa.select(people.c.holder_id).where(fits, people.c.ended_at.is_(None)))
    return str(row["holder_id"] or "") if row else ""


def check_assignee(uow: UnitOfWork, email: str, lane: str) -> None:
    """Refuse to assign an alert to somebody who does not decide in its lane.

    Somebody with another role is refused in the words for a stranger: what they are is not told.

    Raises:
        NotFound: nobody of that address has the role of the lane.
    """
    if find_person(uow, email)["role"] != lane:
        raise NotFound("Nobody with that email address has access.")


def _sees_psd(actor: Actor) -> bool:
    """Whether somebody may know who belongs to professional standards: they, and who runs it."""
    return actor.role == PSD or actor.actor_id == SYSTEM


def shares_role(uow: UnitOfWork) -> bool:
    """Whether anybody else has the actor's role, and so could approve what they propose."""
    others = sa.select(people.c.person_id).where(
        uow.scope(people),
        people.c.role == uow.actor.role,
        people.c.ended_at.is_(None),
        people.c.person_id != uow.actor.responsible_id,
    )
    return uow.fetch_one(others.limit(1)) is not None


def list_people(uow: UnitOfWork) -> list[Person]:
    """Return the people who have, or had, access, by name; psd's only to psd."""
    question = sa.select(people).where(uow.scope(people)).order_by("name", "person_id")
    return uow.fetch_all(
        question if _sees_psd(uow.actor) else question.where(people.c.role != PSD), Person
    )


def list_assignees(uow: UnitOfWork) -> list[Assignee]:
    """The `name` and `email` of those who have access in the actor's own role, by name."""
    person_columns = people.c
    question = sa.select(person_columns.name, person_columns.email).where(
        uow.scope(people), person_columns.role == uow.actor.role, person_columns.ended_at.is_(None)
    )
    return uow.fetch_all(question.order_by(person_columns.name, person_columns.email), Assignee)


def email_of(uow: UnitOfWork) -> str:
    """Return the actor's own email address; the id of a key, which has none."""
    is_actor = people.c.person_id == uow.actor.actor_id
    person = uow.fetch_one(sa.select(people.c.email).where(uow.scope(people), is_actor))
    return str(person["email"]) if person else uow.actor.actor_id


def holds_no_card(uow: UnitOfWork) -> bool:
    """Whether it is stated that the actor holds no card and approves no payments."""
    is_actor = people.c.person_id == uow.actor.actor_id
    person = uow.fetch_one(sa.select(people.c.holds_no_card).where(uow.scope(people), is_actor))
    return bool(person and person["holds_no_card"])


def display_names(uow: UnitOfWork) -> dict[str, str]:
    """Return what everybody who acts is called, by id: an email address, or the name of a key."""
    persons = uow.fetch_all(sa.select(people.c.person_id, people.c.email).where(uow.scope(people)))
    key_rows = uow.fetch_all(sa.select(keys.c.key_id, keys.c.name).where(uow.scope(keys)))
    emails = {person["person_id"]: person["email"] for person in persons}
    return emails | {key_row["key_id"]: f"key '{key_row['name']}'" for key_row in key_rows}


def organisation_name(uow: UnitOfWork) -> str:
    """Return the name of the actor's organisation."""
    organisation = uow.fetch_one(sa.select(organisations.c.name).where(uow.scope(organisations)))
    return str(organisation["name"]) if organisation else ""


def actor_of_person(casebook: Casebook, owner: str, email: str | None, now: dt.datetime) -> Actor:
    """Return who a person is, by their email address; without one, the only person there is.

    Raises:
        NotFound: nobody of that address has access, or there are several people or none.
    """
    event = AuditEvent("access", "person")
    with casebook.work(Actor(owner, SYSTEM, "admin"), event, now) as uow:
        if email is None:
            living = [candidate for candidate in list_people(uow) if not candidate["ended_at"]]
            if len(living) != 1:
                raise NotFound("Give your email address with '--as EMAIL', or set CARDWATCH_AS.")
            person = living[0]
        else:
            person = find_person(uow, email)
        event.object_id, event.chain = person["person_id"], chain_of(person)
    return Actor(owner, person["person_id"], person["role"], person["holder_id"])


def chain_of(person_or_key: Mapping[str, object] | None) -> str:
    """Return the chain that holds what a person or key does: psd's coming and going is psd's."""
    return PSD if person_or_key and person_or_key["role"] == PSD else ""
