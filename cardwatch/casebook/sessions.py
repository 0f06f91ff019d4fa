"""Sessions: stored in the database, so that they can be ended at once.

Each bears a mark that only the seal of this installation makes. Whoever can write in the database
and has no key can end sessions, and begin none.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.marks import is_marked, mark_of
from cardwatch.casebook.people import chain_of
from cardwatch.casebook.rows import Person, Session
from cardwatch.casebook.tables import PSD, people, provider_logouts, sessions
from cardwatch.casebook.unit_of_work import SYSTEM, Actor, as_text
from cardwatch.errors import NotAllowed, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.fernet import MultiFernet

    from cardwatch.casebook.database import Casebook
    from cardwatch.casebook.unit_of_work import UnitOfWork

IDLE_MINUTES, PSD_IDLE_MINUTES, LONGEST_HOURS = 60, 15, 12
"""A session ends when it is not used for so long, and in any case after half a day."""
TOLD_MINUTES = 1
"""Its last use is written down this often."""
VERIFIED_MINUTES = 5
"""Minutes for which a code allows what is sensitive (OWASP ASVS 5.0, 7.5.3)."""
AHEAD_SECONDS = 60
"""What began later than now by more, as when a clock was set back, has ended: it would go on for as
long again."""
MOST_SESSIONS = 5
"""Of one person; one more ends the oldest."""
BROWSER_CHARACTERS = 120
MARK_FIELDS = ("session_id", "person_id", "made_at", "verified_at")
"""Fields of a session in its mark, with the organisation."""
SESSION = re.compile(r"([a-z0-9-]{1,40})_([\w-]{43})")


@dataclass(frozen=True)
class ProviderSignIn:
    """How a person signed in at their identity provider.

    Attributes:
        verified_at: when they gave a factor there; empty if the provider does not say.
        session: its own session, by which it says later that it has ended; empty for none.
    """

    verified_at: str = ""
    session: str = ""


def begin_session(  # noqa: PLR0913  what a browser and a provider say
    uow: UnitOfWork,
    person: Person,
    browser: str,
    seal: MultiFernet,
    *,
    held: str = "",
    provider: ProviderSignIn | None = None,
) -> str:
    """Begin a session for a person who has signed in; return what their browser is to hold.

    What it held before is ended, and so are their oldest if they have too many.

    Args:
        person: who has signed in.
        browser: what they signed in with.
        seal: of the installation, which marks the session.
        held: the session that their browser held before.
        provider: how they signed in at their identity provider; not given where they gave a
            password and code here.
    """
    secret, before = secrets.token_urlsafe(32), _session_id(held.partition("_")[2])
    oldest = as_text(dt.datetime.fromisoformat(uow.now) - dt.timedelta(hours=LONGEST_HOURS))
    uow.delete(sessions, (sessions.c.made_at < oldest) | (sessions.c.session_id == before))
    theirs = _newest_first(uow, person["person_id"])
    too_many = [session["session_id"] for session in theirs[MOST_SESSIONS - 1 :]]
    uow.delete(sessions, sessions.c.session_id.in_(too_many))
    row = {"session_id": _session_id(secret), "person_id": person["person_id"]}
    row |= {"made_at": uow.now, "verified_at": provider.verified_at if provider else uow.now}
    more = {"seen_at": uow.now, "browser": browser[:BROWSER_CHARACTERS]}
    more["provider_session"] = provider.session if provider else ""
    more["mark"] = _mark(uow, row, seal)
    uow.insert(sessions, [row | more])
    uow.event.object_id, uow.event.chain = person["person_id"], chain_of(person)
    return f"{uow.actor.organisation_id}_{secret}"


def actor_of_session(
    casebook: Casebook, text: str, now: dt.datetime, seal: MultiFernet
) -> tuple[Actor, str]:
    """Return who a browser's session speaks for, and its id.

    Raises:
        NotAllowed: there is none, it has ended, or it was not begun by this installation.
    """
    refusal = NotAllowed(
        "Sign in, or send a key as 'Authorization: Bearer KEY'. There is no session, or it has "
        "expired."
    )
    shape = SESSION.fullmatch(text)
    if shape is None:
        raise refusal
    owner, session_id = shape[1], _session_id(shape[2])
    itself = Actor(owner, SYSTEM, "admin")
    with casebook.unaudited(itself, now, reads=True) as uow:
        session_row = uow.fetch_one(
            sa.select(
                *(sessions.c[name] for name in (*MARK_FIELDS, "seen_at", "mark")),
                *(column for column in people.c if column.name not in MARK_FIELDS),
            )
            .join(people, uow.scope(people) & (people.c.person_id == sessions.c.person_id))
            .where(
                uow.scope(sessions),
                sessions.c.session_id == session_id,
                people.c.ended_at.is_(None),
            )
        )
    if session_row is None or not _is_ours(owner, session_row, seal):
        raise refusal
    idle = PSD_IDLE_MINUTES if session_row["role"] == PSD else IDLE_MINUTES
    seen_at, made_at = (
        dt.datetime.fromisoformat(session_row[name]) for name in ("seen_at", "made_at")
    )
    earliest_begin = -dt.timedelta(seconds=AHEAD_SECONDS)
    is_idle = not earliest_begin <= now - seen_at <= dt.timedelta(minutes=idle)
    if is_idle or not earliest_begin <= now - made_at <= dt.timedelta(hours=LONGEST_HOURS):
        raise refusal
    if now - seen_at > dt.timedelta(minutes=TOLD_MINUTES):
        with casebook.unaudited(itself, now) as uow:
            uow.update(sessions, sessions.c.session_id == session_id, {"seen_at": uow.now})
    return Actor(
        owner, session_row["person_id"], session_row["role"], session_row["holder_id"]
    ), session_id


def set_verified(uow: UnitOfWork, session_id: str, seal: MultiFernet) -> None:
    """Record that the actor has given a code in one of their sessions."""
    theirs = (sessions.c.person_id == uow.actor.actor_id) & (sessions.c.session_id == session_id)
    row = uow.fetch_one(sa.select(sessions).where(uow.scope(sessions), theirs))
    if row is not None:
        verified = {"verified_at": uow.now}
        mark = _mark(uow, {**row, **verified}, seal)
        uow.update(sessions, theirs, {**verified, "mark": mark})


def is_verified(uow: UnitOfWork, session_id: str) -> bool:
    """Whether the actor has given a code in one of their sessions within the last minutes."""
    now = dt.datetime.fromisoformat(uow.now)
    earliest = now - dt.timedelta(minutes=VERIFIED_MINUTES)
    latest = now + dt.timedelta(seconds=AHEAD_SECONDS)
    recent = sa.select(sessions.c.session_id).where(
        uow.scope(sessions),
        sessions.c.person_id == uow.actor.actor_id,
        sessions.c.session_id == session_id,
        sessions.c.verified_at.between(as_text(earliest), as_text(latest)),
    )
    return uow.fetch_one(recent) is not None


def list_sessions(uow: UnitOfWork) -> list[Session]:
    """Return the sessions of the actor, the newest first."""
    return _newest_first(uow, uow.actor.actor_id)


def _newest_first(uow: UnitOfWork, person_id: str) -> list[Session]:
    is_theirs = sessions.c.person_id == person_id
    question = sa.select(sessions).where(uow.scope(sessions), is_theirs)
    return uow.fetch_all(
        question.order_by(sessions.c.made_at.desc(), sessions.c.session_id), Session
    )


def end_session(uow: UnitOfWork, session_id: str) -> None:
    """End a session of the actor's, at once.

    Raises:
        NotFound: they have none of that id.
    """
    is_actors = sessions.c.person_id == uow.actor.actor_id
    if not uow.delete(sessions, is_actors & (sessions.c.session_id == session_id)):
        raise NotFound("There is no such session.")


@dataclass(frozen=True)
class ProviderLogout:
    """Content of a logout token of an identity provider.

    Attributes:
        identity: issuer and subject; empty for whoever has the session.
        session: the provider's own session; empty for all sessions of that person.
        jti: the token's own id.
        expires_at: until when the token holds.
    """

    identity: str
    session: str
    jti: str
    expires_at: dt.datetime


def end_provider_sessions(uow: UnitOfWork, logout: ProviderLogout) -> None:
    """End what an identity provider says has ended, once for each of its tokens.

    A session whose sign-in named no session of the provider ends with any of its person's.

    Raises:
        NotAllowed: the token was taken before.
    """
    jti_sha256 = hashlib.sha256(logout.jti.encode()).hexdigest()
    uow.lock("provider-logouts")
    uow.delete(provider_logouts, provider_logouts.c.expires_at < uow.now)
    same = uow.scope(provider_logouts) & (provider_logouts.c.jti_sha256 == jti_sha256)
    if uow.fetch_one(sa.select(provider_logouts.c.jti_sha256).where(same)):
        raise NotAllowed("The logout token was used before.")
    row = {"jti_sha256": jti_sha256, "expires_at": as_text(logout.expires_at)}
    uow.insert(provider_logouts, [row])
    identity, session = logout.identity, logout.session
    theirs = sa.select(people).where(
        uow.scope(people),
        people.c.identity == identity
        if identity
        else people.c.person_id.in_(
            sa.select(sessions.c.person_id).where(
                uow.scope(sessions), sessions.c.provider_session == session
            )
        ),
    )
    person = uow.fetch_one(theirs, Person)
    if person is None:
        return
    ended = sessions.c.person_id == person["person_id"]
    if session:
        ended &= sessions.c.provider_session.in_((session, "") if identity else (session,))
    uow.event.counts["sessions"] = uow.delete(sessions, ended)
    uow.event.object_id, uow.event.chain = person["person_id"], chain_of(person)


def end_sessions(uow: UnitOfWork, person_id: str, *, but: str) -> None:
    """End all sessions of a person but one, at once."""
    theirs = sessions.c.person_id == person_id
    uow.delete(sessions, theirs & (sessions.c.session_id != but))


def _mark(uow: UnitOfWork, session: Mapping[str, object], seal: MultiFernet) -> str:
    """Return the mark of a session as it is to be."""
    facts = (session[name] for name in MARK_FIELDS)
    return mark_of(seal, uow.actor.organisation_id, *facts)


def _is_ours(organisation_id: str, session: Mapping[str, object], seal: MultiFernet) -> bool:
    """Whether the mark of a session was made of it as it stands, by a key of this installation."""
    facts = (session[name] for name in MARK_FIELDS)
    return is_marked(seal, str(session["mark"]), organisation_id, *facts)


def _session_id(secret: str) -> str:
    """Return the id of a session: a hash of what the browser holds."""
    return hashlib.sha256(secret.encode()).hexdigest()[:32]
