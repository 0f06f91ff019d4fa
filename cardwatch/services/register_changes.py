"""What a version of a register does with the entries in use: left out, changed, added."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardwatch.alerts.entries import entry_facts
from cardwatch.casebook import registers as kept
from cardwatch.casebook.own_keys import actor_keys
from cardwatch.casebook.register_content import read_version
from cardwatch.errors import NotFound
from cardwatch.registers import fields_by_heading, people_in, person_key
from cardwatch.services.register_inputs import load_registers, split_unreadable

if TYPE_CHECKING:
    import pandas as pd

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.rows import StoredRegister
    from cardwatch.records import Register

LEFT_OUT, CHANGED, ADDED = CHANGE_KINDS = ("left-out", "changed", "added")
PLACES = frozenset({"known_on", "file", "row", "sha256"})
"""Columns of where an entry stands; all others are what it says."""
ENTRY_SUBJECTS = ("employee_id", "person", "reference", "organisation")
"""Fields that say whom or what an entry is about, the surest first."""


@dataclass(frozen=True)
class FieldChange:
    """One field of an entry, in use until now and by the version; empty where it says nothing."""

    heading: str
    before: str
    after: str


@dataclass(frozen=True)
class EntryChange:
    """What a version of a register does with one entry.

    Attributes:
        effect: left-out, changed or added.
        subject: whom or what it is about.
        version_id: the version that has the entry in use until now; empty for one that is added.
        row: in the file of that version; of an entry that is added in the file itself.
        fields: those that differ; of an entry that is left out or added all that are filled.
    """

    effect: str
    subject: str
    version_id: str
    row: int
    fields: tuple[FieldChange, ...]


def find_changes(
    uow: UnitOfWork, versions: list[StoredRegister], register: Register, *, replaces: bool
) -> list[EntryChange]:
    """Return what a version does with the entries in use, those that it leaves out first.

    An entry is changed where the version has one of the same person or organisation and day in its
    place; in the people register, one of the same person.

    Args:
        uow: the work it is done in.
        versions: of the same register, before it, in the order received.
        register: the version.
        replaces: whether entries that it lacks are used no more.
    """
    before = _in_use(uow, versions)
    entries = register.entries
    facts = [str(name) for name in entries if name not in PLACES]
    stored = [] if before is None else _as_texts(before.entries, facts)
    texts = _as_texts(entries, facts)
    gone, new = _without(stored, texts), _without(texts, stored)
    is_people = register.kind == "people"
    if not replaces:  # what is in use stays so; of a person it tells what is new
        gone = list(range(len(stored))) if is_people else []
    pairs: dict[int, int] = {}
    if before is not None:
        ways: list[tuple[str, ...]] = [("true_from",), ()] if is_people else [("true_from",)]
        pairs = _pairs((before.entries, gone), (entries, new), ways)
    left_out = sorted(set(gone) - set(pairs.values())) if replaces else []
    version_ids = {row["sha256"]: row["version_id"] for row in reversed(versions)}
    last = versions[-1]["version_id"] if versions else ""

    def change(effect: str, old: int | None, new_place: int | None) -> EntryChange:
        assert before is not None or old is None
        old_row = None if old is None or before is None else before.entries.iloc[old]
        new_row = None if new_place is None else entries.iloc[new_place]
        place = new_row if old_row is None else old_row
        assert place is not None
        version_id = "" if old_row is None else version_ids.get(str(old_row.get("sha256")), last)
        fields = _fields(register.kind, old_row, new_row)
        return EntryChange(effect, _who(place), version_id, int(place["row"]), fields)

    return [
        *(change(LEFT_OUT, old, None) for old in left_out),
        *(change(CHANGED, pairs[place], place) for place in new if place in pairs),
        *(change(ADDED, None, place) for place in new if place not in pairs),
    ]


def _in_use(uow: UnitOfWork, versions: list[StoredRegister]) -> Register | None:
    """Return the entries that versions of one register have in use; those that can be read."""
    versions_used = kept.UsedRegisters(
        tuple(
            kept.RegisterVersion(row["version_id"], row["kind"], row["sha256"]) for row in versions
        )
    )
    registers = load_registers(uow, split_unreadable(uow, versions_used)[0])
    return registers[0] if registers else None


def _as_texts(entries: pd.DataFrame, facts: list[str]) -> list[tuple[str, ...]]:
    """Return what each entry says."""
    return list(zip(*(entries[name].astype(str) for name in facts), strict=True))


def _without(texts: list[tuple[str, ...]], other_texts: list[tuple[str, ...]]) -> list[int]:
    """Return the places of entries that others have not."""
    excluded = set(other_texts)
    return [place for place, text in enumerate(texts) if text not in excluded]


def _pairs(
    before: tuple[pd.DataFrame, list[int]],
    after: tuple[pd.DataFrame, list[int]],
    ways: list[tuple[str, ...]],
) -> dict[int, int]:
    """Return which entry takes the place of which: of the same person or organisation, each once.

    Args:
        before: entries in use, and the places of those to be paired.
        after: entries of a version, the same.
        ways: columns in which both have to agree besides, the best way first.
    """
    pairs: dict[int, int] = {}
    for columns in ways:
        waiting: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        for place in sorted(set(before[1]) - set(pairs.values())):
            waiting[_key(before[0].iloc[place], columns)].append(place)
        for place in after[1]:
            places = waiting[_key(after[0].iloc[place], columns)] if place not in pairs else []
            if places:
                pairs[place] = places.pop(0)
    return pairs


def _key(row: pd.Series, columns: tuple[str, ...]) -> tuple[str, ...]:
    return (person_key(_who(row)), *(str(row[name]) for name in columns))


def _who(row: pd.Series) -> str:
    """Return whom or what an entry is about, by the first field that says it."""
    return next((str(row[name]) for name in ENTRY_SUBJECTS if row.get(name)), "")


def _fields(
    kind: str, before: pd.Series | None, after: pd.Series | None
) -> tuple[FieldChange, ...]:
    """Return the fields in which two entries differ, in the order of the register."""
    old = {} if before is None else dict(entry_facts(kind, before))
    new = {} if after is None else dict(entry_facts(kind, after))
    return tuple(
        FieldChange(heading, old.get(heading, ""), new.get(heading, ""))
        for heading in fields_by_heading(kind)
        if old.get(heading, "") != new.get(heading, "")
    )


def count_changes(changes: list[EntryChange]) -> dict[str, int]:
    """How many entries are left out, changed and added."""
    counts = Counter(change.effect for change in changes)
    return {effect.replace("-", "_"): counts[effect] for effect in CHANGE_KINDS}


def split_own(
    uow: UnitOfWork, kind: str, changes: list[EntryChange]
) -> tuple[list[EntryChange], list[EntryChange]]:
    """Return the changes that are about nobody but others, and those that are about the actor."""
    keys = actor_keys(uow)

    def is_own(change: EntryChange) -> bool:
        values = [
            (field.heading, text) for field in change.fields for text in (field.before, field.after)
        ]
        people = people_in(kind, [(heading, text) for heading, text in values if text])
        return any(person_key(name) in keys for name in (change.subject, *people))

    own_changes = [change for change in changes if keys and is_own(change)]
    return [change for change in changes if change not in own_changes], own_changes


def stored_changes(uow: UnitOfWork, version_id: str) -> list[EntryChange]:
    """Return the entries that a stored version leaves out or changes; none about the actor.

    One that does not replace those before it does neither.

    Raises:
        NotFound: there is none that the actor may see, or it is not as it was kept.
    """
    row = kept.get_version(uow, version_id)
    if not row["replaces"]:
        return []
    register, _ = read_version(uow, row["version_id"])
    versions = versions_until(uow, row["kind"], row["version_id"])[:-1]
    changes = find_changes(uow, versions, register, replaces=True)
    visible, _ = split_own(
        uow, row["kind"], [change for change in changes if change.effect != ADDED]
    )
    return visible


def versions_until(uow: UnitOfWork, kind: str, version_id: str) -> list[StoredRegister]:
    """Return the versions of a register up to one of them; none where that is empty.

    Raises:
        NotFound: that one is not there.
    """
    versions = kept.list_versions(uow, kind)
    ids = [row["version_id"] for row in versions]
    if version_id and version_id not in ids:
        raise NotFound(f"There is no version '{version_id}' of a register.")
    return versions[: ids.index(version_id) + 1] if version_id else []
