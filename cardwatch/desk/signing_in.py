"""Authentication: invitations, accounts, sign-in and sessions."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cardwatch.casebook import Actor, Casebook, Event, accounts, sessions
from cardwatch.casebook.sessions import actor_of_session
from cardwatch.casebook.work import SYSTEM
from cardwatch.desk.people import KEEPERS
from cardwatch.errors import NotAllowed

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    from cryptography.fernet import Fernet

    from cardwatch.casebook import Work
    from cardwatch.desk.desk import Desk


def invite(desk: Desk, email: str) -> str:
    """Invite a person to take their account; return the token; see `casebook.accounts.invite`."""
    with desk.work(Event("access", "invitation"), ()) as work:
        desk.allow(KEEPERS, "manage people")
        return accounts.invite(work, email)


def begin_account(
    casebook: Casebook, token: str, now: dt.datetime, seal: Fernet
) -> tuple[str, str]:
    """Return who was invited, and a new secret; see `casebook.accounts.begin_account`."""
    owner, secret = _parts(token)
    with _door(casebook, owner, "invitation", now) as work:
        return accounts.begin_account(work, secret, seal)


def take_account(  # noqa: PLR0913  what a form has
    casebook: Casebook, token: str, *, password: str, code: str, now: dt.datetime, seal: Fernet
) -> None:
    """Set the password of an invited person; see `casebook.accounts.take_account`."""
    owner, secret = _parts(token)
    with _door(casebook, owner, "account", now) as work:
        accounts.take_account(work, secret, password, code, seal)


def sign_in(  # noqa: PLR0913  what a form has, and a browser
    casebook: Casebook,
    owner: str,
    *,
    email: str,
    password: str,
    code: str,
    browser: str,
    now: dt.datetime,
    seal: Fernet,
    held: str = "",
) -> str:
    """Begin a session for a person with password and code; return what their browser is to hold.

    What it held before is ended.

    Raises:
        NotAllowed: something is not right.
    """
    with _door(casebook, owner, "session", now) as work:
        person = accounts.check_account(work, email, password, code, seal)
        return sessions.begin_session(work, person, browser, held)


def sign_in_elsewhere(  # noqa: PLR0913  the same
    casebook: Casebook,
    owner: str,
    *,
    identity: str,
    email: str,
    is_enough: Callable[[str], bool],
    browser: str,
    held: str,
    now: dt.datetime,
) -> str:
    """Begin a session for a person whom an identity provider names; see `sign_in`.

    Args:
        casebook: where.
        owner: the organisation whose provider it is.
        identity: issuer and subject.
        email: as the provider has verified it; empty if it has not.
        is_enough: whether the way in which they signed in there is enough for a role.
        browser: what they sign in with.
        held: session that their browser held before, if any.
        now: the moment, with a time zone.

    Raises:
        NotAllowed: nobody here is known by that account, or the way is not enough.
    """
    with _door(casebook, owner, "session", now) as work:
        person = accounts.bind_identity(work, identity, email)
        if not is_enough(person["role"]):
            raise NotAllowed("Your identity provider must require a second factor.")
        return sessions.begin_session(work, person, browser, held)


def change_password(  # noqa: PLR0913  the same
    desk: Desk, *, password: str, code: str, new: str, seal: Fernet, session_id: str
) -> None:
    """Set a new password for the actor, who gives the old one and a code; end other sessions.

    Raises:
        NotAllowed: something is not right, or it is a key.
        CardwatchError: the new one is too short, too long or too easily guessed.
    """
    with desk.work(Event("access", "account"), ()) as work:
        accounts.change_password(work, password=password, code=code, new=new, seal=seal)
        sessions.end_sessions(work, desk.actor.actor_id, but=session_id)


def list_sessions(desk: Desk) -> list[dict[str, Any]]:
    """Return the actor's own sessions."""
    with desk.work(Event("consultation", "sessions"), ()) as work:
        shown = ("session_id", "made_at", "seen_at", "browser")
        return [{name: row[name] for name in shown} for row in sessions.list_sessions(work)]


def end_session(desk: Desk, session_id: str) -> None:
    """End one of the actor's sessions; see `casebook.sessions.end_session`."""
    with desk.work(Event("access", "session"), ()) as work:
        sessions.end_session(work, session_id)


@contextmanager
def _door(casebook: Casebook, owner: str, what: str, now: dt.datetime) -> Iterator[Work]:
    """Begin a piece of work of somebody who is not known yet.

    Raises:
        NotAllowed: there is no such organisation.
    """
    if owner not in {one["organisation_id"] for one in casebook.organisations()}:
        if what == "session":
            raise NotAllowed(accounts.REFUSAL)
        raise NotAllowed(accounts.NOT_INVITED, field="token")
    with casebook.work(Actor(owner, SYSTEM, "admin"), Event("access", what), now, lanes=()) as work:
        yield work


def _parts(token: str) -> tuple[str, str]:
    """Return the organisation and the secret of an invitation."""
    owner, _, secret = token.partition("_")
    return owner, secret


__all__ = [
    "actor_of_session",
    "begin_account",
    "change_password",
    "end_session",
    "invite",
    "list_sessions",
    "sign_in",
    "sign_in_elsewhere",
    "take_account",
]
