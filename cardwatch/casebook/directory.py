"""Users and groups that an identity provider keeps here (SCIM), and the access they give.

The provider reads what it wrote itself and nothing else: its answers are the same whoever belongs
to professional standards. It ends anybody's access, and gives every role but theirs.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.people import (
    CardLink,
    NewPerson,
    add_new_people,
    change_people,
    end_access_of_each,
)
from cardwatch.casebook.rows import DirectoryGroup, Person, StoredDirectoryUser
from cardwatch.casebook.tables import (
    PSD,
    RECEIVES,
    directory_groups,
    directory_members,
    directory_users,
    people,
)
from cardwatch.errors import CardwatchError, Conflict, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cardwatch.casebook.unit_of_work import UnitOfWork

    LinkOf = Callable[[str], CardLink]  # finds who an employee number is in statements, or nobody

GROUP_ROLES = ("auditor", "finance", "admin")
"""Roles that a group may give; of several the first holds, which may do least."""
EMAIL_ADDRESS, CARDHOLDER = WAITS_FOR = ("an email address", "a cardholder")
"""Reasons for which a role may wait."""


USERS_AT_ONCE = 1_000
"""Users whom one statement names."""


@dataclass(frozen=True)
class ProvidedUser:
    """A user as an identity provider describes them.

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
    """A group as an identity provider describes it; `members` are ids of users."""

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
    members: defaultdict[str, list[str]] = defaultdict(list)
    for row in member_rows:
        members[row["group_id"]].append(row["user_id"])
    for group in groups:
        group["members"] = members[group["group_id"]]
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
    known = sa.select(directory_users.c.user_id).where(uow.scope(directory_users))
    if after - {row["user_id"] for row in uow.fetch_all(known)}:
        raise CardwatchError("A member of the group is not a user here.", field="members")
    departed = sorted(before - after)
    for first in range(0, len(departed), USERS_AT_ONCE):
        part = departed[first : first + USERS_AT_ONCE]
        uow.delete(directory_members, this & directory_members.c.user_id.in_(part))
    joined = sorted(after - before)
    uow.insert(directory_members, [{"group_id": group_id, "user_id": user} for user in joined])
    _settle_each(uow, sorted(before ^ after), link_of)


@dataclass
class _Changes:
    """Changes to some users, to be written together.

    Attributes:
        ended: people whose access ends.
        new: people who have access for the first time.
        again: people who have access again, or another role, with their user's name.
        settled: users by the role that was called for, and what it waits for.
    """

    ended: list[Person] = field(default_factory=list)
    new: list[NewPerson] = field(default_factory=list)
    again: list[tuple[Person, NewPerson]] = field(default_factory=list)
    settled: defaultdict[tuple[str, str], list[str]] = field(
        default_factory=lambda: defaultdict(list)
    )


def _settle(uow: UnitOfWork, user_id: str, link_of: LinkOf) -> None:
    """Let a user have the access that their groups call for now; see `_settle_each`."""
    _settle_each(uow, [user_id], link_of)


def _settle_each(uow: UnitOfWork, user_ids: Sequence[str], link_of: LinkOf) -> None:
    """Let users have the access that their groups call for now, in few statements for many.

    A role that admin gave or ended by hand stays so until the groups call for another. A role that
    the groups gave goes when they call for another, even while that one waits.
    """
    for first in range(0, len(user_ids), USERS_AT_ONCE):
        part = user_ids[first : first + USERS_AT_ONCE]
        these = uow.scope(directory_users) & directory_users.c.user_id.in_(part)
        users = uow.fetch_all(sa.select(directory_users).where(these), StoredDirectoryUser)
        roles, persons = _called_for(uow, part), _persons(uow, [user["email"] for user in users])
        changes = _Changes()
        for user in users:
            role = roles.get(user["user_id"], "") if user["is_active"] else ""
            _decide(changes, user, role, persons.get(user["email"]), link_of)
        _write(uow, changes)


def _decide(
    changes: _Changes,
    user: StoredDirectoryUser,
    role: str,
    person: Person | None,
    link_of: LinkOf,
) -> None:
    """Decide what is to be done with a user and the person they are here, if any.

    Args:
        changes: what is decided is added to it.
        user: whom the provider keeps.
        role: that their groups call for; empty for none.
        person: of their email address, whether or not they have access now.
        link_of: finds who somebody is in statements.
    """
    living = person if person is not None and not person["ended_at"] else None
    has_role, waits_for = user["role"], ""
    if not user["is_active"] or (has_role and not role):
        if living and not (user["is_active"] and living["role"] == PSD):
            changes.ended.append(living)
    elif role and (role != has_role or user["waits_for"]):
        waits_for = _give(changes, user, role, person, link_of)
        if waits_for and has_role not in {"", role} and living and living["role"] != PSD:
            changes.ended.append(living)
    if (role, waits_for) != (has_role, user["waits_for"]):
        changes.settled[role, waits_for].append(user["user_id"])


def _give(
    changes: _Changes,
    user: StoredDirectoryUser,
    role: str,
    person: Person | None,
    link_of: LinkOf,
) -> str:
    """Decide to give a user a role; return what that waits for, or nothing."""
    email = user["email"]
    if not email:
        return EMAIL_ADDRESS
    living = person if person is not None and not person["ended_at"] else None
    if living is not None and living["role"] == role:
        return ""
    is_psd = living is not None and living["role"] == PSD
    link = link_of(user["employee_number"])
    if living is not None and not is_psd and (living["holder_id"] or living["holds_no_card"]):
        link = CardLink(living["holder_id"], living["holds_no_card"])
    if role in RECEIVES and not (link.holder_id or link.holds_no_card):
        return CARDHOLDER  # of somebody in professional standards too, as of a stranger
    if is_psd:
        return ""
    new = NewPerson(user["name"], email, role, link)
    if person is None:
        changes.new.append(new)
    else:
        changes.again.append((person, new))
    return ""


def _write(uow: UnitOfWork, changes: _Changes) -> None:
    """Do what was decided, with an event of each person in the chain that may tell of them.

    The provider's event stays the same whoever the people are.
    """
    if changes.ended:
        uow.extra_events += end_access_of_each(uow, changes.ended)
    if changes.new:
        uow.extra_events += add_new_people(uow, changes.new)
    if changes.again:
        uow.extra_events += change_people(uow, changes.again)
    for (role, waits_for), user_ids in changes.settled.items():
        these = directory_users.c.user_id.in_(user_ids)
        uow.update(directory_users, these, {"role": role, "waits_for": waits_for})


def _called_for(uow: UnitOfWork, user_ids: Sequence[str]) -> dict[str, str]:
    """Return the role that the groups of each user call for, where they call for one."""
    question = (
        sa.select(directory_members.c.user_id, directory_groups.c.role)
        .join(
            directory_members,
            uow.scope(directory_members)
            & (directory_members.c.group_id == directory_groups.c.group_id),
        )
        .where(uow.scope(directory_groups), directory_members.c.user_id.in_(user_ids))
    )
    called: dict[str, str] = {}
    for row in uow.fetch_all(question):
        roles = {row["role"], called.get(row["user_id"], "")} & set(GROUP_ROLES)
        if roles:
            called[row["user_id"]] = min(roles, key=GROUP_ROLES.index)
    return called


def _end(uow: UnitOfWork, email: str) -> None:
    """End the access of the person of an address, if there is one who has it."""
    person = _persons(uow, [email]).get(email)
    if person is not None and not person["ended_at"]:
        uow.extra_events += end_access_of_each(uow, [person])


def _persons(uow: UnitOfWork, emails: Sequence[str]) -> dict[str, Person]:
    """Return the people of some email addresses, whatever their role, by address."""
    these = uow.scope(people) & people.c.email.in_([email for email in emails if email])
    rows = uow.fetch_all(sa.select(people).where(these), Person)
    return {row["email"]: row for row in rows}


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
        "is_active": provided.is_active,
        "content": provided.content,
        "changed_at": uow.now,
    }
