"""Changes to the entries in use by a version of a register: left out, changed, added."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import pandas as pd

from cardwatch.alerts.entries import entry_facts
from cardwatch.alerts.wording import prose_day
from cardwatch.casebook import registers as kept
from cardwatch.casebook.own_keys import hidden_keys, keys_of_own_name
from cardwatch.casebook.register_content import read_version
from cardwatch.errors import NotFound
from cardwatch.registers import (
    fields_by_heading,
    names_people,
    people_in,
    person_key,
    register_kind,
)
from cardwatch.services.register_inputs import load_registers, split_unreadable

if TYPE_CHECKING:
    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.rows import StoredRegister
    from cardwatch.records import Register

Entry = Mapping[str, object]
"""One entry of a register, by the names of its columns."""
LEFT_OUT, CHANGED, ADDED = CHANGE_KINDS = ("left-out", "changed", "added")
MOST_SHOWN = 500
"""Number of changes shown; all are counted."""
PLACES = frozenset({"known_on", "file", "row", "sha256"})
"""Columns of where an entry stands; all others are what it says."""
ENTRY_SUBJECTS = ("employee_id", "person", "reference", "organisation")
"""Fields that say whom or what an entry is about, the surest first."""
ENTRY_NAMES = ("person", "organisation")
"""Fields that say its name in words."""


@dataclass(frozen=True)
class FieldChange:
    """One field of an entry, in use until now and by the version; empty where it says nothing."""

    heading: str
    before: str
    after: str


@dataclass(frozen=True)
class EntryChange:
    """Change of one entry by a version of a register.

    Attributes:
        effect: left-out, changed or added.
        subject: whom or what it is about.
        name: the person, or else the organisation, that it names; empty where it names none.
        day: on which it became true; empty where it says none.
        version_id: the version that has the entry in use until now; empty for one that is added.
        row: in the file of that version; of an entry that is added in the file itself.
        fields: those that differ; of an entry that is left out or added all that are filled.
    """

    effect: str
    subject: str
    name: str
    day: str
    version_id: str
    row: int
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True)
class ShownChanges:
    """Changes by a version of a register, without those about the actor.

    Attributes:
        counts: how many entries are left out, changed and added.
        changes: the first of them.
    """

    counts: dict[str, int]
    changes: tuple[EntryChange, ...]


@dataclass(frozen=True)
class FoundChange:
    """A change by the whole entry before and after, either of which may not be there.

    Attributes:
        people: the keys of everybody whom they name.
    """

    effect: str
    old: Entry | None
    new: Entry | None
    people: frozenset[str]


@dataclass(frozen=True)
class Comparison:
    """A version of a register beside the entries in use, by their places.

    Attributes:
        before: the entries in use.
        after: the entries of the version.
        left_out: places in `before`.
        changed: places in both.
        added: places in `after`.
        version_ids: of the version that has each entry in use, by the hash of its file.
        last: the version before this one; empty if there is none.
    """

    kind: str
    before: list[Entry]
    after: list[Entry]
    left_out: list[int]
    changed: list[tuple[int, int]]
    added: list[int]
    version_ids: dict[str, str]
    last: str

    def counts(self) -> dict[str, int]:
        """How many entries are left out, changed and added."""
        return {
            "left_out": len(self.left_out),
            "changed": len(self.changed),
            "added": len(self.added),
        }

    def lost(self) -> list[FoundChange]:
        """Return the entries that are left out, then those that are changed."""
        changes = [self._found(LEFT_OUT, old=self.before[old]) for old in self.left_out]
        return changes + [
            self._found(CHANGED, self.before[old], self.after[new]) for old, new in self.changed
        ]

    def all_changes(self) -> list[FoundChange]:
        """Return the same, then the entries that are added."""
        return self.lost() + [self._found(ADDED, new=self.after[new]) for new in self.added]

    def _found(
        self, effect: str, old: Entry | None = None, new: Entry | None = None
    ) -> FoundChange:
        """Return a change with everybody whom it names."""
        entries = [entry for entry in (old, new) if entry is not None]
        facts = [
            (field.headings[0], str(entry[field.name]))
            for entry in entries
            for field in register_kind(self.kind).fields
            if names_people(field) and entry.get(field.name)
        ]
        people = [*map(_who, entries), *people_in(self.kind, facts)]
        return FoundChange(effect, old, new, frozenset(map(person_key, people)))

    def place_of(self, found: FoundChange) -> tuple[str, int]:
        """Return the version and row where an entry stands; no version for one that is added."""
        entry = found.new if found.old is None else found.old
        assert entry is not None
        is_new = found.old is None
        version_id = "" if is_new else self.version_ids.get(str(entry.get("sha256")), self.last)
        return version_id, int(str(entry["row"]))

    def shown(self, found_changes: list[FoundChange]) -> ShownChanges:
        """Return changes as they are shown, the first of them only."""
        effects = Counter(found.effect for found in found_changes)
        counts = {kind.replace("-", "_"): effects[kind] for kind in CHANGE_KINDS}
        return ShownChanges(counts, tuple(map(self._change, found_changes[:MOST_SHOWN])))

    def _change(self, found: FoundChange) -> EntryChange:
        """Return one change in words."""
        entry = found.new if found.old is None else found.old
        assert entry is not None
        old, new = (
            {} if one is None else dict(entry_facts(self.kind, one))
            for one in (found.old, found.new)
        )
        version_id, row = self.place_of(found)
        return EntryChange(
            effect=found.effect,
            subject=_who(entry),
            name=next((str(entry[name]) for name in ENTRY_NAMES if entry.get(name)), ""),
            day=_day(entry),
            version_id=version_id,
            row=row,
            fields=_fields(self.kind, old, new) or _known_from(found),
        )


def find_changes(
    uow: UnitOfWork, versions: list[StoredRegister], register: Register, *, replaces: bool
) -> Comparison:
    """Compare a version with the entries in use.

    An entry is changed where the version has one of the same person or organisation and day in its
    place; in the people register, one of the same person, even beside one that stays in use. It is
    changed too where the version has it as it was, but known from an earlier day.

    Args:
        versions: of the same register, before it, in the order received.
        register: the version, each entry known from the day on which it will be.
        replaces: whether entries that it lacks are used no more.
    """
    used = _in_use(uow, versions)
    entries = register.entries
    facts = [str(name) for name in entries if name not in PLACES]
    stored = [] if used is None else _as_texts(used.entries, facts)
    texts = _as_texts(entries, facts)
    gone, new = _without(stored, texts) if replaces else [], _without(texts, stored)
    before, after = [] if used is None else _as_entries(used), _as_entries(register)
    is_people = register.kind == "people"
    ways: list[tuple[str, ...]] = [("true_from",), ()] if is_people else [("true_from",)]
    pairs = _pairs((before, gone), (after, new), ways)
    if is_people:
        rest = [place for place in new if place not in pairs]
        pairs |= _pairs((before, list(range(len(before)))), (after, rest), ways)
    changed = [(pairs[place], place) for place in new if place in pairs]
    old_places = {text: place for place, text in enumerate(stored)}
    same = [(old_places[text], place) for place, text in enumerate(texts) if text in old_places]
    return Comparison(
        kind=register.kind,
        before=before,
        after=after,
        left_out=sorted(set(gone) - set(pairs.values())),
        changed=changed
        + [(old, place) for old, place in same if _is_known_earlier(before[old], after[place])],
        added=[place for place in new if place not in pairs],
        version_ids={row["sha256"]: row["version_id"] for row in reversed(versions)},
        last=versions[-1]["version_id"] if versions else "",
    )


def _is_known_earlier(old: Entry, new: Entry) -> bool:
    """Return whether an entry counts as known from an earlier day than it did."""
    was, will_be = old["known_on"], new["known_on"]
    if not isinstance(was, pd.Timestamp):  # it stays so; see `join_registers`
        return False
    return not isinstance(will_be, pd.Timestamp) or will_be < was


def _as_entries(register: Register) -> list[Entry]:
    """Return the entries of a register, each by the names of its columns."""
    return cast("list[Entry]", register.entries.to_dict("records"))


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
    before: tuple[list[Entry], list[int]],
    after: tuple[list[Entry], list[int]],
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
        waiting: defaultdict[tuple[str, ...], deque[int]] = defaultdict(deque)
        for place in sorted(set(before[1]) - set(pairs.values())):
            waiting[_key(before[0][place], columns)].append(place)
        for place in after[1]:
            places = waiting[_key(after[0][place], columns)] if place not in pairs else ()
            if places:
                pairs[place] = places.popleft()
    return pairs


def _key(entry: Entry, columns: tuple[str, ...]) -> tuple[str, ...]:
    return (person_key(_who(entry)), *(str(entry[name]) for name in columns))


def _who(entry: Entry) -> str:
    """Return whom or what an entry is about, by the first field that says it."""
    return next((str(entry[name]) for name in ENTRY_SUBJECTS if entry.get(name)), "")


def _day(entry: Entry) -> str:
    """Return the day on which an entry became true; nothing where it says none."""
    moment = entry.get("true_from")
    return str(moment.date()) if isinstance(moment, pd.Timestamp) else ""


def _fields(kind: str, old: dict[str, str], new: dict[str, str]) -> tuple[FieldChange, ...]:
    """Return the fields in which two entries differ, in the order of the register."""
    return tuple(
        FieldChange(heading, old.get(heading, ""), new.get(heading, ""))
        for heading in fields_by_heading(kind)
        if old.get(heading, "") != new.get(heading, "")
    )


def _known_from(found: FoundChange) -> tuple[FieldChange, ...]:
    """Return the days from which an entry is known, where nothing else of it differs."""
    if found.old is None or found.new is None:
        return ()
    days = (found.old["known_on"], found.new["known_on"])
    was, will_be = (
        prose_day(str(day.date())) if isinstance(day, pd.Timestamp) else "" for day in days
    )
    return (FieldChange("Known from", was, will_be),)


def split_own(
    uow: UnitOfWork, changes: list[FoundChange]
) -> tuple[list[FoundChange], list[FoundChange]]:
    """Return the changes of entries about others, then of those about whom `hidden_keys` names."""
    keys = hidden_keys(uow) | keys_of_own_name(uow)
    own_changes = [found for found in changes if found.people & keys]
    return [found for found in changes if not found.people & keys], own_changes


def stored_changes(uow: UnitOfWork, version_id: str) -> ShownChanges:
    """Return the entries that a stored version leaves out or changes; none about the actor.

    Raises:
        NotFound: there is none that the actor may see, or it is not as it was kept.
    """
    row = kept.get_version(uow, version_id)
    register, replaces = read_version(uow, row["version_id"])
    versions = versions_until(uow, row["kind"], row["version_id"])[:-1]
    comparison = find_changes(uow, versions, register, replaces=replaces)
    return comparison.shown(split_own(uow, comparison.lost())[0])


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
