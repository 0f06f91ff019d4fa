"""Users and groups of an identity provider (SCIM), and the roles that its groups give."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from cardwatch.casebook import AuditEvent, directory
from cardwatch.casebook.api_keys import DIRECTORY
from cardwatch.casebook.people import CardLink, linked_keys
from cardwatch.casebook.rows import DirectoryUser
from cardwatch.casebook.tables import MANAGES
from cardwatch.errors import NotAllowed
from cardwatch.registers import person_key
from cardwatch.services.people import cardholders_by_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.directory import LinkOf, ProvidedGroup, ProvidedUser
    from cardwatch.casebook.rows import DirectoryGroup, StoredDirectoryUser
    from cardwatch.services.context import ServiceContext

USER, GROUP = "directory-user", "directory-group"


def check_provider(context: ServiceContext) -> None:
    """Refuse whoever is no identity provider, where it reads nothing of the casebook.

    Raises:
        NotAllowed: it is no key of one.
    """
    if context.actor.scope != DIRECTORY:
        with _provider_work(context, "consultation", USER):
            pass


def provided_users(context: ServiceContext) -> list[StoredDirectoryUser]:
    """Return to an identity provider the users that it keeps here.

    Raises:
        NotAllowed: it is no key of an identity provider; so in all functions of one.
    """
    with _provider_work(context, "consultation", USER) as uow:
        return directory.list_users(uow)


def provided_user(context: ServiceContext, user_id: str) -> StoredDirectoryUser:
    """Return to an identity provider one of its users; see `directory.find_user`."""
    with _provider_work(context, "consultation", USER) as uow:
        return directory.find_user(uow, user_id)


def add_provided_user(context: ServiceContext, user: ProvidedUser) -> StoredDirectoryUser:
    """Add a user for an identity provider; see `directory.add_user`."""
    with _provider_work(context, "access", USER) as uow:
        return directory.find_user(uow, directory.add_user(uow, user, _link_of(uow)))


def change_provided_user(
    context: ServiceContext, user_id: str, change: Callable[[StoredDirectoryUser], ProvidedUser]
) -> StoredDirectoryUser:
    """Change a user for an identity provider; see `directory.change_user`."""
    with _provider_work(context, "access", USER) as uow:
        directory.change_user(uow, user_id, change, _link_of(uow))
        return directory.find_user(uow, user_id)


def remove_provided_user(context: ServiceContext, user_id: str) -> None:
    """Remove a user for an identity provider; see `directory.remove_user`."""
    with _provider_work(context, "access", USER) as uow:
        directory.remove_user(uow, user_id)


def provided_groups(context: ServiceContext) -> list[DirectoryGroup]:
    """Return to an identity provider the groups that it keeps here."""
    with _provider_work(context, "consultation", GROUP) as uow:
        return directory.list_groups(uow)


def provided_group(context: ServiceContext, group_id: str) -> DirectoryGroup:
    """Return to an identity provider one of its groups; see `directory.find_group`."""
    with _provider_work(context, "consultation", GROUP) as uow:
        return directory.find_group(uow, group_id)


def add_provided_group(context: ServiceContext, group: ProvidedGroup) -> DirectoryGroup:
    """Add a group for an identity provider; see `directory.add_group`."""
    with _provider_work(context, "access", GROUP) as uow:
        return directory.find_group(uow, directory.add_group(uow, group, _link_of(uow)))


def change_provided_group(
    context: ServiceContext, group_id: str, change: Callable[[DirectoryGroup], ProvidedGroup]
) -> DirectoryGroup:
    """Change a group for an identity provider; see `directory.change_group`."""
    with _provider_work(context, "access", GROUP) as uow:
        directory.change_group(uow, group_id, change, _link_of(uow))
        return directory.find_group(uow, group_id)


def remove_provided_group(context: ServiceContext, group_id: str) -> None:
    """Remove a group for an identity provider; see `directory.remove_group`."""
    with _provider_work(context, "access", GROUP) as uow:
        directory.remove_group(uow, group_id, _link_of(uow))


def list_directory_users(context: ServiceContext) -> list[DirectoryUser]:
    """Return the users that an identity provider keeps here, with what their role waits for.

    Raises:
        NotAllowed: the role keeps no people; so for groups.
    """
    with context.work(AuditEvent("consultation", USER), ()) as uow:
        context.allow(MANAGES, "manage people")
        names = DirectoryUser.__annotations__
        return [
            DirectoryUser(**{name: row[name] for name in names})  # type: ignore[literal-required,typeddict-item]
            for row in directory.list_users(uow)
        ]


def list_directory_groups(context: ServiceContext) -> list[DirectoryGroup]:
    """Return the groups that an identity provider keeps here, with the role that each gives."""
    with context.work(AuditEvent("consultation", GROUP), ()) as uow:
        context.allow(MANAGES, "manage people")
        return directory.list_groups(uow)


def set_group_role(context: ServiceContext, group_id: str, role: str) -> None:
    """Let a group of the identity provider give a role; see `directory.set_group_role`."""
    with context.work(AuditEvent("access", GROUP), ()) as uow:
        context.allow(MANAGES, "manage people")
        directory.set_group_role(uow, group_id, role, _link_of(uow))


@contextmanager
def _provider_work(context: ServiceContext, action: str, object_kind: str) -> Iterator[UnitOfWork]:
    """Begin a piece of work of an identity provider.

    Raises:
        NotAllowed: it is no key of one.
    """
    with context.work(AuditEvent(action, object_kind), ()) as uow:
        if context.actor.scope != DIRECTORY:
            raise NotAllowed("This needs a key with the scope 'directory'.")
        yield uow


def _link_of(uow: UnitOfWork) -> LinkOf:
    """Function that finds somebody in statements; the card register is read once, if needed."""
    by_key: dict[str, str] | None = None

    def link_of(employee_number: str) -> CardLink:
        nonlocal by_key
        if by_key is None:
            taken = linked_keys(uow, is_psd=False)
            by_key = {k: v for k, v in cardholders_by_key(uow).items() if k not in taken}
        number_key = person_key(employee_number) if employee_number else ""
        return CardLink(by_key.pop(number_key, "") if number_key else "")  # each is one user

    return link_of
