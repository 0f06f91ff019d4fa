"""Users and groups that an identity provider keeps here (SCIM), and the access they give.

The provider reads what it wrote itself and nothing else: its answers are the same whoever belongs
to professional standards. It ends anybody's access, and gives every role but theirs.
"""

from __future__ import annotations

import secrets
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.people import CardLink, add_person, chain_of, check_link, end_access
from cardwatch.casebook.rows import DirectoryGroup, Person, StoredDirectoryUser
from cardwatch.casebook.tables import (
    PSD,
    RECEIVES,
    directory_groups,
    directory_members,
    directory_users,
    people,
)
from cardwatch.casebook.unit_of_work import AuditEvent
from cardwatch.errors import CardwatchError, Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cardwatch.casebook.unit_of_work import UnitOfWork

    LinkOf = Callable[[str], CardLink]  # finds who an employee number is in statements, or nobody

GROUP_ROLES = ("auditor", "finance", "admin")
"""Roles that a group may give; of several the first holds, which may do least."""
EMAIL_ADDRESS, CARDHOLDER = WAITS_FOR = ("an email address", "a cardholder")
"""What a role may wait for."""


@dataclass(frozen=True)
class ProvidedUser:
    """What an identity provider says of a user.

    Attributes:
        user_name: by which it knows them.
        email: normal form; empty if it names none.
        content: all that it reads again, as JSON.
    """

    user_name: str
    email: str
    name: str
    employee_number: str
    is_active: bool
    content: str


@dataclass(frozen=True)
class ProvidedGroup:
    """What an identity provider says of a group; `members` are ids of users."""

    name: str
    external_id: str
    members: tuple[str, ...]


def list_users(uow: UnitOfWork) -> list[StoredDirectoryUser]:
    """Return the users that the provider keeps here, in the order in which they came."""
    question = sa.select(directory_users).where(uow.scope(directory_users))
    return uow.fetch_all(question.order_by("made_at", "user_id"), StoredDirectoryUser)


def find_user(uow: UnitOfWork, user_id: str) -> StoredDirectoryUser:
    """Return a user that the provider keeps here.

    Raises:
        NotFound: there is none of that id.
    """
    this = uow.scope(directory_users) & (directory_users.c.user_id == user_id)
    user = uow.fetch_one(sa.select(directory_users).where(this), StoredDirectoryUser)
    if user is None:
        raise NotFound("There is no such user.")
    uow.event.object_id = user["user_id"]
    return user


def add_user(uow: UnitOfWork, provided: ProvidedUser, link_of: LinkOf) -> str:
    """Add a user, without a role until they are in a group that gives one; return their id.

    Raises:
        Conflict: there is a user of that name or email address.
    """
    uow.lock("directory")
    user_id = secrets.token_hex(6)
    _check_unique(uow, provided, user_id)
    moments = {"role": "", "waits_for": "", "made_at": uow.now}
    uow.insert(directory_users, [_columns(uow, provided) | moments | {"user_id": user_id}])
    uow.event.object_id = user_id
    _settle(uow, user_id, link_of)
    return user_id


def change_user(
    uow: UnitOfWork,
    user_id: str,
    change: Callable[[StoredDirectoryUser], ProvidedUser],
    link_of: LinkOf,
) -> None:
    """Change a user; who is active no longer has no access from now on.

    Another email address is another person here: the access of the former ends.

    Raises:
        NotFound: there is none of that id.
        Conflict: there is another user of that name or email address.
    """
    uow.lock("directory")
    before = find_user(uow, user_id)
    provided = change(before)
    _check_unique(uow, provided, user_id)
    values = _columns(uow, provided)
    if provided.email != before["email"]:
        _end(uow, before["email"])
        values["role"] = ""
    uow.update(directory_users, directory_users.c.user_id == user_id, values)
    _settle(uow, user_id, link_of)


def remove_user(uow: UnitOfWork, user_id: str) -> None:
    """Remove a user, and end their access.

    Raises:
        NotFound: there is none of that id.
    """
    uow.lock("directory")
    user = find_user(uow, user_id)
    _end(uow, user["email"])
    for table in (directory_members, directory_users):
        uow.delete(table, table.c.user_id == user_id)


def list_groups(uow: UnitOfWork) -> list[DirectoryGroup]:
    """Return the groups that the provider keeps here, each with its members."""
    question = sa.select(directory_groups).where(uow.scope(directory_groups))
    groups = uow.fetch_all(question.order_by("made_at", "group_id"), DirectoryGroup)
    member_rows = uow.fetch_all(
        sa.select(directory_members).where(uow.scope(directory_members)).order_by("user_id")
    )
    for group in groups:
        group["members"] = [
            row["user_id"] for row in member_rows if row["group_id"] == group["group_id"]
        ]
    return groups


def find_group(uow: UnitOfWork, group_id: str) -> DirectoryGroup:
    """Return a group that the provider keeps here.

    Raises:
        NotFound: there is none of that id.
    """
    group = next((group for group in list_groups(uow) if group["group_id"] == group_id), None)
    if group is None:
        raise NotFound("There is no such group.")
    uow.event.object_id = group_id
    return group


def add_group(uow: UnitOfWork, provided: ProvidedGroup, link_of: LinkOf) -> str:
    """Add a group, which gives no role until admin lets it; return its id.

    Raises:
        CardwatchError: a member is no user here.
    """
    uow.lock("directory")
    group_id = secrets.token_hex(6)
    row = {"group_id": group_id, "role": "", "made_at": uow.now}
    row |= {"name": provided.name, "external_id": provided.external_id, "changed_at": uow.now}
    uow.insert(directory_groups, [row])
    uow.event.object_id = group_id
    _set_members(uow, group_id, provided.members, link_of)
    return group_id


def change_group(
    uow: UnitOfWork,
    group_id: str,
    change: Callable[[DirectoryGroup], ProvidedGroup],
    link_of: LinkOf,
) -> None:
    """Change a group; who joins or leaves it has the role of their groups from now on.

    Raises:
        NotFound: there is none of that id.
        CardwatchError: a member is no user here.
    """
    uow.lock("directory")
    provided = change(find_group(uow, group_id))
    values = {"name": provided.name, "external_id": provided.external_id, "changed_at": uow.now}
    uow.update(directory_groups, directory_groups.c.group_id == group_id, values)
    _set_members(uow, group_id, provided.members, link_of)


def remove_group(uow: UnitOfWork, group_id: str, link_of: LinkOf) -> None:
    """Remove a group; its members keep the roles of their other groups alone.

    Raises:
        NotFound: there is none of that id.
    """
    uow.lock("directory")
    members = find_group(uow, group_id)["members"]
    for table in (directory_members, directory_groups):
        uow.delete(table, table.c.group_id == group_id)
    _settle_each(uow, members, link_of)


def set_group_role(uow: UnitOfWork, group_id: str, role: str, link_of: LinkOf) -> None:
    """Let a group give its members a role, or none, at once.

    Raises:
        CardwatchError: no group gives that role: professional standards need a second person.
        NotFound: there is no group of that id.
    """
    if role and role not in GROUP_ROLES:
        raise CardwatchError(
            "A group can give the roles auditor, finance or admin. Professional standards add "
            "their own people.",
            field="role",
        )
    uow.lock("directory")
    group = find_group(uow, group_id)
    uow.update(directory_groups, directory_groups.c.group_id == group_id, {"role": role})
    _settle_each(uow, group["members"], link_of)


def _set_members(uow: UnitOfWork, group_id: str, members: Sequence[str], link_of: LinkOf) -> None:
    """Let a group have these members; settle the access of who joined or left.

    Raises:
        CardwatchError: one is no user here.
    """
    this = directory_members.c.group_id == group_id
    question = sa.select(directory_members.c.user_id).where(uow.scope(directory_members), this)
    before, after = {row["user_id"] for row in uow.fetch_all(question)}, set(members)
    if after - {user["user_id"] for user in list_users(uow)}:
        raise CardwatchError("A member of the group is not a user here.", field="members")
    uow.delete(directory_members, this & directory_members.c.user_id.in_(before - after))
    joined = sorted(after - before)
    uow.insert(directory_members, [{"group_id": group_id, "user_id": user} for user in joined])
    _settle_each(uow, sorted(before ^ after), link_of)


def _settle_each(uow: UnitOfWork, user_ids: Sequence[str], link_of: LinkOf) -> None:
    for user_id in user_ids:
        _settle(uow, user_id, link_of)


def _settle(uow: UnitOfWork, user_id: str, link_of: LinkOf) -> None:
    """Let a user have the access that their groups call for now.

    A role that admin gave or ended by hand stays so until the groups call for another. A role that
    the groups gave goes when they call for another, even while that one waits.
    """
    this = uow.scope(directory_users) & (directory_users.c.user_id == user_id)
    user = uow.fetch_one(sa.select(directory_users).where(this), StoredDirectoryUser)
    assert user is not None
    role = _called_for(uow, user_id) if user["is_active"] else ""
    waits_for = ""
    if not user["is_active"] or (user["role"] and not role):
        _end(uow, user["email"], but_psd=bool(user["is_active"]))
    elif role and (role != user["role"] or user["waits_for"]):
        waits_for = _give(uow, user, role, link_of)
        if waits_for and user["role"] not in {"", role}:
            _end(uow, user["email"], but_psd=True)
    values = {"role": role, "waits_for": waits_for}
    uow.update(directory_users, directory_users.c.user_id == user_id, values)


def _called_for(uow: UnitOfWork, user_id: str) -> str:
    """Return the role that the groups of a user call for, or nothing."""
    question = (
        sa.select(directory_groups.c.role)
        .join(
            directory_members,
            uow.scope(directory_members)
            & (directory_members.c.group_id == directory_groups.c.group_id),
        )
        .where(uow.scope(directory_groups), directory_members.c.user_id == user_id)
    )
    roles = {row["role"] for row in uow.fetch_all(question)}
    return next((role for role in GROUP_ROLES if role in roles), "")


def _give(uow: UnitOfWork, user: StoredDirectoryUser, role: str, link_of: LinkOf) -> str:
    """Give a user a role; return what that waits for, or nothing."""
    email = user["email"]
    if not email:
        return EMAIL_ADDRESS
    person = _person(uow, email)
    if person is not None and person["role"] == role:
        return ""
    is_psd = person is not None and person["role"] == PSD
    link = link_of(user["employee_number"])
    if person is not None and not is_psd and (person["holder_id"] or person["holds_no_card"]):
        link = CardLink(person["holder_id"], bool(person["holds_no_card"]))
    if role in RECEIVES and not (link.holder_id or link.holds_no_card):
        return CARDHOLDER  # of somebody in professional standards too, as of a stranger
    if is_psd:
        return ""
    with _event_of_person(uow):
        if person is None:
            add_person(uow, name=user["name"], email=email, role=role, link=link)
        else:
            check_link(role, link)
            values = {"role": role} | link.columns()
            uow.update(people, people.c.person_id == person["person_id"], values)
            uow.event.object_id = person["person_id"]
    return ""


def _end(uow: UnitOfWork, email: str, *, but_psd: bool = False) -> None:
    """End the access of the person of an address, if there is one."""
    person = _person(uow, email)
    if person is None or (but_psd and person["role"] == PSD):
        return
    with _event_of_person(uow):
        end_access(uow, person)
        uow.event.chain = chain_of(person)


@contextmanager
def _event_of_person(uow: UnitOfWork) -> Iterator[None]:
    """Record what is done with a person as an event of its own, in the chain that may tell of it.

    The provider's event stays the same whoever the person is.
    """
    directory_event, uow.event = uow.event, AuditEvent("access", "person")
    yield
    uow.extra_events.append(uow.event)
    uow.event = directory_event


def _person(uow: UnitOfWork, email: str) -> Person | None:
    """Return the person of an email address who has access, whatever their role."""
    is_theirs = (people.c.email == email) & people.c.ended_at.is_(None)
    return uow.fetch_one(sa.select(people).where(uow.scope(people), is_theirs), Person)


def _check_unique(uow: UnitOfWork, provided: ProvidedUser, user_id: str) -> None:
    """Refuse a user whose name or email address another has.

    Raises:
        Conflict: it is such a one.
    """
    same = directory_users.c.user_name == _columns(uow, provided)["user_name"]
    if provided.email:
        same |= directory_users.c.email == provided.email
    others = uow.scope(directory_users) & same & (directory_users.c.user_id != user_id)
    if uow.fetch_one(sa.select(directory_users.c.user_id).where(others)):
        raise Conflict("A user with that userName or email address already exists.")


def _columns(uow: UnitOfWork, provided: ProvidedUser) -> dict[str, object]:
    """The columns of a user that the provider sets."""
    return {
        "user_name": provided.user_name.casefold(),
        "email": provided.email,
        "name": provided.name,
        "employee_number": provided.employee_number,
        "is_active": int(provided.is_active),
        "content": provided.content,
        "changed_at": uow.now,
    }
