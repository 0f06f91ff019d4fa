"""API keys: each has an owner, and never more rights than the owner has now."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, cast

import sqlalchemy as sa

from cardwatch.casebook.people import (
    SECRET_BYTES,
    chain_of,
    check_gives,
    check_role,
    end_keys_made_by,
    may_give,
)
from cardwatch.casebook.tables import PSD, key_uses, keys, people
from cardwatch.casebook.unit_of_work import SYSTEM, Actor, AuditEvent
from cardwatch.errors import CardwatchError, CasebookBusy, NotAllowed, NotFound

if TYPE_CHECKING:
    from cardwatch.casebook.database import Casebook
    from cardwatch.casebook.rows import Key
    from cardwatch.casebook.unit_of_work import Row, UnitOfWork

LONGEST_KEY_DAYS = 365
MAX_KEY_LINKS = 2
"""Keys between a request and the person who answers for it: a key, or a key made with a key."""
KEY = re.compile(r"cw_([a-z0-9-]{1,40})_([0-9a-f]{12})_([\w-]{43})")


DIRECTORY = "directory"
"""The scope of a key for an identity provider: it reaches the users and groups it keeps alone."""


def create_key(  # noqa: PLR0913  what a form has
    uow: UnitOfWork,
    *,
    name: str,
    role: str,
    days: int,
    can_decide: bool = False,
    scope: str = "",
) -> str:
    """Make an API key; return it whole, once: only a hash of its secret is kept.

    Args:
        name: what it is for.
        role: what it may do, at most.
        days: for which it is valid.
        can_decide: whether it may record decisions too.
        scope: what it is for alone; see `Actor`.

    Raises:
        NotAllowed: the actor may not give that role, or is a key that was made with a key, or one
            that records no decisions and would make one that does.
        CardwatchError: no such role or scope, or longer than a year.
    """
    check_role(role)
    if scope and (scope != DIRECTORY or role != "admin" or can_decide):
        raise CardwatchError(
            "A key with the scope 'directory' has the role admin and decides nothing.",
            field="scope",
        )
    if not 0 < days <= LONGEST_KEY_DAYS:
        raise CardwatchError(f"Enter a number of days from 1 to {LONGEST_KEY_DAYS}.", field="days")
    check_gives(uow, role)
    if can_decide and not uow.actor.can_decide:
        raise NotAllowed("A key that records no decisions cannot make one that does.")
    if len(_links(uow, uow.actor.actor_id)) >= MAX_KEY_LINKS:
        raise NotAllowed("A key cannot create other keys. Sign in to create one.")
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(SECRET_BYTES)
    expires = dt.date.fromisoformat(uow.today) + dt.timedelta(days)
    row = {
        "key_id": key_id,
        "name": name,
        "role": role,
        "secret_sha256": hashlib.sha256(secret.encode()).hexdigest(),
        "can_decide": can_decide,
        "scope": scope,
        "made_by": uow.actor.actor_id,
        "made_at": uow.now,
        "expires_on": str(expires),
    }
    uow.insert(keys, [row])
    uow.event.object_id, uow.event.chain = key_id, chain_of(row)
    return f"cw_{uow.actor.organisation_id}_{key_id}_{secret}"


def list_keys(uow: UnitOfWork) -> list[Key]:
    """Return the keys, without their secrets, each with its owner; those of psd only to psd.

    `owner` is the person who answers for it; `used_on` the day of its last use, none before that.
    """
    public_columns = [column for column in keys.c if column.name != "secret_sha256"]
    question = (
        sa.select(*public_columns, key_uses.c.used_on)
        .outerjoin(key_uses, uow.scope(key_uses) & (key_uses.c.key_id == keys.c.key_id))
        .where(uow.scope(keys))
        .order_by("made_at", "key_id")
    )
    question = question if uow.actor.role == PSD else question.where(keys.c.role != PSD)
    return [
        cast("Key", row | {"owner": person_behind(uow, row["key_id"])})
        for row in uow.fetch_all(question)
    ]


def revoke_key(uow: UnitOfWork, key_id: str) -> None:
    """End a key, at once, and with it the keys that were made with it.

    Raises:
        NotAllowed: the actor may not.
        NotFound: there is no such key.
    """
    key = _find_key(uow, key_id)
    if key is None or (key["role"] == PSD and uow.actor.role != PSD):
        raise NotFound("There is no such API key.")
    check_gives(uow, key["role"])
    uow.update(keys, keys.c.key_id == key_id, {"ended_at": uow.now})
    end_keys_made_by(uow, key_id)
    uow.event.object_id, uow.event.chain = key_id, chain_of(key)


def actor_of_key(casebook: Casebook, text: str, now: dt.datetime) -> Actor:
    """Return who a key speaks for.

    Raises:
        NotAllowed: it is no key, it has ended, or whoever made it no longer has the access that it
            was given; which of them is not said.
    """
    shape = KEY.fullmatch(text)
    refusal = NotAllowed("The key is not valid or has expired.")
    if shape is None:
        raise refusal
    owner, key_id, secret = shape.groups()
    itself = Actor(owner, SYSTEM, "admin")
    with casebook.unaudited(itself, now, reads=True) as uow:
        key = _find_key(uow, key_id)
        actor = key_actor(uow, key_id)
    secret_sha256 = hashlib.sha256(secret.encode()).hexdigest()
    is_right = hmac.compare_digest(secret_sha256, key["secret_sha256"] if key else "")
    if actor is not None and is_right:
        _note_use(casebook, actor, key_id, now)
        return actor
    if key is not None:  # a key that holds no longer, or a guess at one
        with casebook.work(itself, AuditEvent("access", "key", key_id, chain=chain_of(key)), now):
            raise refusal
    raise refusal


def _note_use(casebook: Casebook, actor: Actor, key_id: str, now: dt.datetime) -> None:
    """Keep on which day a key was used last; a use is let pass while somebody else writes."""
    this = key_uses.c.key_id == key_id
    with casebook.unaudited(actor, now, reads=True) as uow:
        last = uow.fetch_one(sa.select(key_uses.c.used_on).where(uow.scope(key_uses), this))
    if last is not None and last["used_on"] >= str(now.astimezone(dt.UTC).date()):
        return
    with suppress(CasebookBusy), casebook.unaudited(actor, now) as uow:
        uow.delete(key_uses, this)
        uow.insert(key_uses, [{"key_id": key_id, "used_on": uow.today}])


def key_actor(uow: UnitOfWork, key_id: str) -> Actor | None:
    """Return the actor that a key is now, or None where it or its maker no longer has access.

    A key is the person who made it, with the role it was given: it ends with their access, sees
    nothing that they may not see about themselves, and does not keep a role that they could no
    longer give. A key that the installation made answers to nobody's access.
    """
    links = _links(uow, key_id)
    if not links:
        return None
    for key, maker in zip(links, [*links[1:], None], strict=True):
        is_live = not key["ended_at"] and key["expires_on"] >= uow.today
        if not is_live or (maker and not may_give(maker["role"], key["role"])):
            return None
    first = links[-1]
    holder_id = made_by = ""
    if first["made_by"] != SYSTEM:
        question = sa.select(people).where(
            uow.scope(people),
            people.c.person_id == first["made_by"],
            people.c.ended_at.is_(None),
            people.c.made_at <= first["made_at"],  # who left and came back has made none since
        )
        person = uow.fetch_one(question)
        if person is None or not may_give(person["role"], first["role"]):
            return None
        holder_id, made_by = person["holder_id"], person["person_id"]
    key = links[0]
    can_decide = key["can_decide"]
    owner = uow.actor.organisation_id
    return Actor(owner, key_id, key["role"], holder_id, can_decide, key["scope"], made_by)


def person_behind(uow: UnitOfWork, actor_id: str) -> str:
    """The person responsible for an action: for a key, the person who created it."""
    links = _links(uow, actor_id)
    if not links:
        return actor_id
    first = links[-1]
    return str(first["key_id"] if first["made_by"] == SYSTEM else first["made_by"])


def actor_now(uow: UnitOfWork, actor: Actor) -> Actor:
    """Return an actor with the role they have now, for work that was asked for earlier.

    Raises:
        NotAllowed: they have access no longer.
    """
    if actor.actor_id == SYSTEM:
        return actor
    question = sa.select(people.c.role, people.c.holder_id).where(
        uow.scope(people), people.c.person_id == actor.actor_id, people.c.ended_at.is_(None)
    )
    person = uow.fetch_one(question)
    if person is not None:
        return Actor(actor.organisation_id, actor.actor_id, **person)
    key = key_actor(uow, actor.actor_id)
    if key is None:
        raise NotAllowed("The person who requested this no longer has access.")
    return key


def gives_now(uow: UnitOfWork, actor_id: str, role: str) -> bool:
    """Return whether somebody who gave access has the access to give it still."""
    if actor_id == SYSTEM:
        return True
    try:
        giver = actor_now(uow, Actor(uow.actor.organisation_id, actor_id, role))
    except NotAllowed:
        return False
    return may_give(giver.role, role)


def _links(uow: UnitOfWork, key_id: str) -> list[Row]:
    """Return a key, the key that it was made with, and so on; nothing for a person."""
    links: list[Row] = []
    key = _find_key(uow, key_id)
    while key is not None and len(links) <= MAX_KEY_LINKS:
        links.append(key)
        key = _find_key(uow, key["made_by"])
    return links


def _find_key(uow: UnitOfWork, key_id: str) -> Row | None:
    return uow.fetch_one(sa.select(keys).where(uow.scope(keys), keys.c.key_id == key_id))
