"""Column profiles that are remembered, and the files that wait until their columns are checked."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cardwatch.casebook import AuditEvent, Casebook, column_profiles, uploads
from cardwatch.casebook.tables import RECEIVES
from cardwatch.errors import CardwatchError, NotAllowed, NotFound
from cardwatch.registers import (
    is_register_profile,
    parse_register_profile,
    register_kind,
    register_profile_toml,
)
from cardwatch.statements import (
    CHOICES,
    Profile,
    changed_profile,
    checked_profile,
    missing_fields,
    parse_profile,
    profile_toml,
    shipped_profiles,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from cryptography.fernet import MultiFernet

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.rows import WaitingUpload
    from cardwatch.services.context import ServiceContext

NEEDS = {
    "date": "Choose the column with the date of the purchase",
    "merchant": "Choose the column with the merchant",
    "amount": "Choose the column with the amount, or the one with debits",
    "holder": "Choose the column that names the cardholder: a number, a name or a card",
}
"""Error messages for required fields without a column."""
NAME_CHARACTERS = 100
NO_PROFILE = "There is no such column profile."
OF_REGISTER = "kind"
"""An option of each register that waits, and of no statement."""
REGISTER_PROFILE = "register"
"""Beside the headings in the id of a profile: a statement may have the same ones."""
FIELD_OF_REFUSAL = {
    "columns_unknown": "",
    "columns_unclear": "",
    "amount_unclear": "amount",
    "decimal_unclear": "decimal",
    "direction_unclear": "positive",
    "date_order_unknown": "date_order",
    "date_order_mixed": "date_order",
    "date_order_wrong": "date_order",
}
"""Refusals that end once somebody has checked the columns, with the field that ends each."""
SETTLED_BY_COLUMNS = frozenset(FIELD_OF_REFUSAL)


@dataclass(frozen=True)
class Upload:
    """A file that waits until its columns are checked."""

    file: str
    content: bytes
    options: dict[str, str]


@dataclass(frozen=True)
class RememberedProfile:
    """A column profile that somebody has saved.

    Attributes:
        is_shared: whether two people have saved it, so that it is used for everybody's files.
        is_own: whether it is used for the actor's files.
        is_of_register: whether it is for files of a register, whose kind is its name.
    """

    profile_id: str
    profile: Profile
    is_shared: bool
    is_own: bool
    is_of_register: bool


def save_profile(context: ServiceContext, text: str) -> None:
    """Remember a column profile for files with its headings, in place of one for the same.

    It is used for the actor's files, and for everybody's of their role once a second person has
    saved the same; see `cardwatch.casebook.column_profiles`.

    Raises:
        NotAllowed: the role receives no statements.
        FileFaulty: it has faults; all are listed.
    """
    with _change(context) as uow:
        _may_receive(context)
        _save(uow, text)


def _save(uow: UnitOfWork, text: str) -> None:
    """Remember a column profile within a piece of work."""
    profile = parse_profile(text, "columns")

    def is_same(other: str) -> bool:
        return _reads_alike(profile, parse_profile(other, "columns"))

    headings = sorted(profile.recognise)
    uow.event.object_id = column_profiles.save_profile(uow, headings, text, is_same)


def _reads_alike(profile: Profile, other: Profile) -> bool:
    """Whether two profiles for the same headings read each file with these alike."""
    headings = sorted(profile.recognise)
    are_columns_same = (
        profile.map(headings) == other.map(headings)
        if headings
        else profile.columns == other.columns
    )
    return are_columns_same and replace(other, name="", columns={}) == replace(
        profile, name="", columns={}
    )


def profile_of_form(
    headings: Sequence[str], chosen: Mapping[str, str], settings: Mapping[str, str]
) -> Profile:
    """Return the profile that somebody has chosen for files with some headings.

    Args:
        headings: all of the file's.
        chosen: the heading of each field; empty where the file has none. Fields that are left out
            are guessed; see `cardwatch.statements.checked_profile`.
        settings: its name and choices, as in `cardwatch.statements.CHOICES`.

    Raises:
        CardwatchError: a field that is needed has no heading, one heading holds two fields, or a
            choice is none.
    """
    _check_chosen(chosen, settings)
    profile = checked_profile(headings, chosen, shipped_profiles(), settings)
    _check_complete(profile, headings)
    return profile


def change_profile(
    context: ServiceContext, profile_id: str, chosen: Mapping[str, str], settings: Mapping[str, str]
) -> None:
    """Save a column profile that is remembered with other columns, or as it is; see `save_profile`.

    Raises:
        NotAllowed: the role receives no statements.
        NotFound: there is none of that id.
        CardwatchError: see `profile_of_form`.
    """
    profile = get_column_profile(context, profile_id)
    _check_chosen(chosen, settings)
    if not settings.get("name", "x"):
        raise CardwatchError("Enter a name", field="name")
    changed = changed_profile(profile, chosen, settings)
    _check_complete(changed, sorted(profile.recognise))
    with _change(context, profile_id) as uow:
        _may_receive(context)
        _save(uow, profile_toml(changed))


def remove_profile(context: ServiceContext, profile_id: str) -> None:
    """Forget a column profile; statements that were read with it stay as they are.

    Raises:
        NotAllowed: the role receives no statements, or others' files are read with it.
        NotFound: there is none of that id.
    """
    with _change(context, profile_id) as uow:
        _may_receive(context)
        column_profiles.remove_profile(uow, profile_id)


def list_profiles(context: ServiceContext) -> list[RememberedProfile]:
    """Return the column profiles of people of the actor's role, those used for the actor's first.

    Raises:
        NotAllowed: the role receives no statements.
    """
    with context.work(AuditEvent("consultation", "layout"), ()) as uow:
        _may_receive(context)
        return _remembered(uow)


def _remembered(uow: UnitOfWork) -> list[RememberedProfile]:
    """Return every column profile that the actor may know of."""
    used, waiting = column_profiles.used_profiles(uow), column_profiles.waiting_profiles(uow)
    remembered = []
    for row in (*used, *waiting):
        is_of_register = is_register_profile(row["content"])
        parse = parse_register_profile if is_of_register else parse_profile
        remembered.append(
            RememberedProfile(
                row["name"],
                parse(row["content"], "columns"),
                is_shared=row["agreed_by"] is not None,
                is_own=row in used,
                is_of_register=is_of_register,
            )
        )
    return remembered


def list_column_profiles(context: ServiceContext) -> list[Profile]:
    """Return the column profiles to read the actor's files with, the first that fits holds."""
    with context.snapshot(()) as uow:
        rows = column_profiles.used_profiles(uow)
    texts = [row["content"] for row in rows]
    return [parse_profile(text, "columns") for text in texts if not is_register_profile(text)]


def save_register_profile(context: ServiceContext, profile: Profile) -> None:
    """Remember the columns of a register's files with some headings; see `save_profile`.

    Args:
        context: for whose files.
        profile: as `cardwatch.registers.chosen_profile` gives it.

    Raises:
        NotAllowed: the role may not upload such a register.
    """
    with _change(context) as uow:
        context.allow(RECEIVES, "upload registers")
        if register_kind(profile.name).lane not in context.actor.lanes:
            raise NotAllowed("Your role cannot upload this register.")
        text = register_profile_toml(profile)

        def is_same(other: str) -> bool:
            return other == text

        places = [REGISTER_PROFILE, profile.name, *sorted(profile.recognise)]
        uow.event.object_id = column_profiles.save_profile(uow, places, text, is_same)


def list_register_profiles(context: ServiceContext) -> list[Profile]:
    """Return the profiles of registers to read the actor's files with, their own first."""
    with context.snapshot(()) as uow:
        texts = [row["content"] for row in column_profiles.used_profiles(uow)]
    return [parse_register_profile(text, "columns") for text in texts if is_register_profile(text)]


def get_column_profile(context: ServiceContext, profile_id: str) -> Profile:
    """Return a column profile of statements that is remembered.

    Raises:
        NotAllowed: the role receives no statements.
        NotFound: there is none of that id.
    """
    with context.work(AuditEvent("consultation", "layout", profile_id), ()) as uow:
        remembered = _get_remembered(context, uow, profile_id)
        if remembered.is_of_register:
            raise NotFound(NO_PROFILE)
        return remembered.profile


def get_remembered_profile(context: ServiceContext, profile_id: str) -> RememberedProfile:
    """Return a column profile of statements or registers that is remembered.

    Raises:
        NotAllowed: the role receives no statements.
        NotFound: there is none of that id.
    """
    with context.work(AuditEvent("consultation", "layout", profile_id), ()) as uow:
        return _get_remembered(context, uow, profile_id)


def _get_remembered(context: ServiceContext, uow: UnitOfWork, profile_id: str) -> RememberedProfile:
    _may_receive(context)
    for remembered in _remembered(uow):
        if remembered.profile_id == profile_id:
            return remembered
    raise NotFound(NO_PROFILE)


def keep_upload(
    context: ServiceContext,
    file: str,
    content: bytes,
    options: Mapping[str, str],
    seal: MultiFernet,
) -> str:
    """Keep a file until its columns are checked, sealed, for an hour at most; return its id.

    Args:
        context: who brought it; nobody else sees it.
        file: its name as it may be shown.
        content: its bytes.
        options: what was chosen for it.
        seal: keeps its cells unreadable in the database.

    Raises:
        NotAllowed: the role receives no statements.
        CardwatchError: too much waits for this person already.
    """
    with context.work(AuditEvent("collection", "upload"), ()) as uow:
        _may_receive(context)
        uow.event.object_id = uploads.put_upload(uow, file, content, options, seal)
        return uow.event.object_id


def open_upload(
    context: ServiceContext, upload_id: str, seal: MultiFernet, *, of_register: bool = False
) -> Upload:
    """Return a file that waits until its columns are checked.

    Args:
        context: for whom.
        upload_id: of the file.
        seal: with which it was kept.
        of_register: whether it is to be a register, and else a statement.

    Raises:
        NotAllowed: the role receives no statements.
        NotFound: it does not wait, or waits for somebody else, or is of the other sort.
        FileRefused: it is not as it was kept.
    """
    with context.work(AuditEvent("consultation", "upload", upload_id), ()) as uow:
        _may_receive(context)
        file, content, options = uploads.get_upload(uow, upload_id, seal)
        if (OF_REGISTER in options) != of_register:
            raise NotFound(uploads.NOT_KEPT)
    return Upload(file, content, options)


def discard_upload(context: ServiceContext, upload_id: str) -> None:
    """Erase a file that waits until its columns are checked, if it is the actor's.

    Raises:
        NotAllowed: the role receives no statements.
    """
    with context.work(AuditEvent("erasure", "upload", upload_id), ()) as uow:
        _may_receive(context)
        uploads.delete_upload(uow, upload_id)


def list_uploads(context: ServiceContext, *, of_register: bool = False) -> list[WaitingUpload]:
    """Return the statements, or registers, of the actor's that wait for their columns."""
    with context.snapshot(()) as uow:
        rows = uploads.list_uploads(uow)
    return [row for row in rows if (OF_REGISTER in json.loads(row["options"])) == of_register]


def note_preview(context: ServiceContext) -> None:
    """Record that somebody is shown how a file would be read.

    Raises:
        NotAllowed: the role receives no statements.
    """
    with context.work(AuditEvent("consultation", "upload"), ()):
        _may_receive(context)


def erase_expired_uploads(casebook: Casebook, clock: Callable[[], dt.datetime]) -> int:
    """Erase files of every organisation that have waited for an hour; return how many."""
    count = 0
    for actor in casebook.system_actors():
        with casebook.unaudited(actor, clock(), reads=True) as uow:
            is_any = uploads.is_any_expired(uow)
        if is_any:
            with casebook.unaudited(actor, clock()) as uow:
                count += uploads.erase_expired(uow)
    return count


def _change(context: ServiceContext, profile_id: str = "") -> AbstractContextManager[UnitOfWork]:
    """Begin a change of a column profile."""
    return context.work(AuditEvent("alteration", "layout", profile_id), ())


def _may_receive(context: ServiceContext) -> None:
    """Refuse who receives no statements; within a piece of work only."""
    context.allow(RECEIVES, "upload statements")


def _check_chosen(chosen: Mapping[str, str], settings: Mapping[str, str]) -> None:
    """Refuse one heading for two fields, and a choice that is none.

    Raises:
        CardwatchError: there is one.
    """
    headings: set[str] = set()
    for field, heading in chosen.items():
        if heading in headings:
            raise CardwatchError("This column is already chosen for another field.", field=field)
        headings |= {heading} - {""}
    for name, choices in CHOICES.items():
        if settings.get(name, choices[0]) not in choices:
            raise CardwatchError("Choose one of the list", field=name)
    if len(settings.get("name", "")) > NAME_CHARACTERS:
        raise CardwatchError(f"Use at most {NAME_CHARACTERS} characters", field="name")


def _check_complete(profile: Profile, headings: Sequence[str]) -> None:
    """Refuse a profile that lacks a field that is needed.

    Raises:
        CardwatchError: it does.
    """
    missing = missing_fields(profile.map(headings))
    missing = [need for need in missing if need != "holder" or profile.holders != "none"]
    if missing:
        field = {"holder": "employee_id"}.get(missing[0], missing[0])
        raise CardwatchError(NEEDS[missing[0]], field=field)
