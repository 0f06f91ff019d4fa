"""Authentication: invitations, accounts, sign-in and sessions."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from cardwatch.casebook import Actor, AuditEvent, Casebook, accounts, sessions
from cardwatch.casebook.rows import Session
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.errors import NotAllowed, StepUpNeeded
from cardwatch.services.people import KEEPERS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    from cryptography.fernet import MultiFernet

    from cardwatch.casebook import UnitOfWork
    from cardwatch.services.context import ServiceContext


def invite(context: ServiceContext, email: str) -> str:
    """Invite a person to take their account; return the token; see `casebook.accounts.invite`."""
    with context.work(AuditEvent("access", "invitation"), ()) as uow:
        context.allow(KEEPERS, "manage people")
        return accounts.invite(uow, email)


def start_account(
    casebook: Casebook, token: str, now: dt.datetime, seal: MultiFernet
) -> tuple[str, str]:
    """Return who was invited, and a new secret; see `casebook.accounts.start_account`."""
    owner, secret = _parts(token)
    with _door(casebook, owner, "invitation", now) as uow:
        return accounts.start_account(uow, secret, seal)


def activate_account(  # noqa: PLR0913  what a form has
    casebook: Casebook, token: str, *, password: str, code: str, now: dt.datetime, seal: MultiFernet
) -> None:
    """Set the password of an invited person; see `casebook.accounts.activate_account`."""
    owner, secret = _parts(token)
    with _door(casebook, owner, "account", now) as uow:
        accounts.activate_account(uow, secret, password, code, seal)


def sign_in(  # noqa: PLR0913  what a form has, and a browser
    casebook: Casebook,
    owner: str,
    *,
    email: str,
    password: str,
    code: str,
    browser: str,
    now: dt.datetime,
    seal: MultiFernet,
    held: str = "",
) -> str:
    """Begin a session for a person with password and code; return what their browser is to hold.

    What it held before is ended.

    Raises:
        NotAllowed: something is not right.
    """
    with _door(casebook, owner, "session", now) as uow:
        person = accounts.check_account(uow, email, password, code, seal)
        return sessions.begin_session(uow, person, browser, seal, held=held)


def sign_in_with_provider(  # noqa: PLR0913  the same
    casebook: Casebook,
    owner: str,
    *,
    identity: str,
    email: str,
    is_enough: Callable[[str], bool],
    browser: str,
    held: str,
    now: dt.datetime,
    provider: sessions.ProviderSignIn,
    seal: MultiFernet,
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
        provider: how they signed in there.
        seal: of the installation, which marks the session.

    Raises:
        NotAllowed: nobody here is known by that account, or the way is not enough.
    """
    with _door(casebook, owner, "session", now) as uow:
        person = accounts.bind_identity(uow, identity, email)
        if not is_enough(person["role"]):
            raise NotAllowed("Your identity provider must require a second factor.")
        return sessions.begin_session(uow, person, browser, seal, held=held, provider=provider)


def end_provider_sessions(
    casebook: Casebook, owner: str, logout: sessions.ProviderLogout, now: dt.datetime
) -> None:
    """End the sessions that an identity provider has ended, at once.

    Nothing is said of whether there were any; see `casebook.sessions.end_provider_sessions`.

    Raises:
        NotAllowed: the token was taken before.
    """
    with _door(casebook, owner, "session", now) as uow:
        sessions.end_provider_sessions(uow, logout)


def change_password(  # noqa: PLR0913  the same
    context: ServiceContext,
    *,
    password: str,
    code: str,
    new: str,
    seal: MultiFernet,
    session_id: str,
) -> None:
    """Set a new password for the actor, who gives the old one and a code; end other sessions.

    Raises:
        NotAllowed: something is not right, or it is a key.
        CardwatchError: the new one is too short, too long or too easily guessed.
    """
    with context.work(AuditEvent("access", "account"), ()) as uow:
        accounts.change_password(uow, password=password, code=code, new=new, seal=seal)
        sessions.end_sessions(uow, context.actor.actor_id, but=session_id)


def step_up(context: ServiceContext, session_id: str, code: str, seal: MultiFernet) -> None:
    """Let a session do for some minutes what needs a recent code.

    Raises:
        NotAllowed: the code is not right or was used, or it is a key.
    """
    with context.work(AuditEvent("access", "code"), ()) as uow:
        accounts.check_code(uow, code, seal)
        sessions.set_verified(uow, session_id, seal)


def require_step_up(context: ServiceContext, session_id: str) -> None:
    """Refuse a session without a recent code, and a key that was not made to decide.

    A machine has no phone: what needs a person's code, the person who makes a key allows it.

    Args:
        session_id: their session; empty for a key.

    Raises:
        StepUpNeeded: it is such a one.
    """
    if session_id:
        with context.snapshot(()) as uow:
            if not sessions.is_verified(uow, session_id):
                raise StepUpNeeded("Enter the code that your authenticator app shows now.")
    elif not context.actor.can_decide:
        with context.work(AuditEvent("access", "code"), ()):
            raise StepUpNeeded(
                "This needs a person's code. Sign in, or use a key that was made to decide."
            )


def list_sessions(context: ServiceContext) -> list[Session]:
    """Return the actor's own sessions."""
    with context.work(AuditEvent("consultation", "sessions"), ()) as uow:
        return [
            Session(
                session_id=row["session_id"],
                made_at=row["made_at"],
                seen_at=row["seen_at"],
                browser=row["browser"],
            )
            for row in sessions.list_sessions(uow)
        ]


def end_session(context: ServiceContext, session_id: str) -> None:
    """End one of the actor's sessions; see `casebook.sessions.end_session`."""
    with context.work(AuditEvent("access", "session"), ()) as uow:
        sessions.end_session(uow, session_id)


@contextmanager
def _door(
    casebook: Casebook, owner: str, object_kind: str, now: dt.datetime
) -> Iterator[UnitOfWork]:
    """Begin a piece of work of somebody who is not known yet.

    Raises:
        NotAllowed: there is no such organisation.
    """
    if owner not in {organisation["organisation_id"] for organisation in casebook.organisations()}:
        if object_kind == "session":
            raise NotAllowed(accounts.REFUSAL)
        raise NotAllowed(accounts.NOT_INVITED, field="token")
    with casebook.work(
        Actor(owner, SYSTEM, "admin"), AuditEvent("access", object_kind), now, lanes=()
    ) as uow:
        yield uow


def _parts(token: str) -> tuple[str, str]:
    """Return the organisation and the secret of an invitation."""
    owner, _, secret = token.partition("_")
    return owner, secret
