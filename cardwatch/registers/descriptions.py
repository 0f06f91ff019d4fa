"""Descriptions of registers from the files in `files/`: fields, headings, lane, needs."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from cardwatch.errors import CardwatchError
from cardwatch.registers.persons import name_forms
from cardwatch.statements import Profile
from cardwatch.tabular import normalise_heading

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NUMBER_FIELDS = ("employee_id", "approver_id", "manager_id")
"""Fields that hold the number of a person."""
FIELD_TYPES = {
    "code": "a number or code, compared without spaces and capitals",
    "text": "text",
    "person": "a person's name",
    "people": "employee numbers with semicolons between them",
    "organisation": "an organisation, alone or within a sentence",
    "company": "a Companies House number",
    "choice": "one of a few words",
    "money": "pounds",
    "day": "a day",
    "moment": "a day with the time",
    "list": "texts with semicolons between them",
}
"""The types of fields, each with its meaning."""


@dataclass(frozen=True)
class RegisterField:
    """One field of a register.

    Attributes:
        name: its column in the entries.
        kind: one of `FIELD_TYPES`.
        meaning: what it holds, in a clause.
        headings: headings by which it is recognised, the preferred first.
        choices: the words of a choice, each with the pattern of the spellings that mean it.
    """

    name: str
    kind: str
    meaning: str
    headings: tuple[str, ...]
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class DroppedColumn:
    """Headings of columns that are never taken, with the reason."""

    pattern: str
    why: str


@dataclass(frozen=True)
class RegisterKind:
    """One kind of register.

    Attributes:
        kind: its name: gifts, interests, contracts and so on.
        lane: whose rules read it; what psd's registers hold never shows to finance.
        file_names: parts of a file's name by which it is recognised.
        true_from: fields with the day from which an entry is true, the first that is filled.
        true_until: the field with the last such day; empty where entries do not end.
        known_on: the field with the day from which the entry is known; empty where it has none.
        needs: fields of which a file, and each row, has to have one of each group.
        expects: fields whose absence in a row is counted as a gap in quality.
        dropped: columns that are not taken.
    """

    kind: str
    title: str
    row: str
    owner: str
    lane: str
    file_names: tuple[str, ...]
    fields: tuple[RegisterField, ...]
    true_from: tuple[str, ...]
    true_until: str
    known_on: str
    needs: tuple[tuple[str, ...], ...]
    expects: tuple[str, ...]
    dropped: tuple[DroppedColumn, ...]

    @property
    def profile(self) -> Profile:
        """The column profile that finds its fields by heading."""
        return Profile(self.title, {field.name: field.headings for field in self.fields})

    def field(self, name: str) -> RegisterField:
        """Return one field by its name."""
        return next(field for field in self.fields if field.name == name)

    def dropped_because(self, heading: str) -> str:
        """Return why a column is not taken; empty if nothing forbids it."""
        name = normalise_heading(heading)
        return next((d.why for d in self.dropped if re.search(d.pattern, name)), "")


@cache
def register_kinds() -> dict[str, RegisterKind]:
    """Return every kind of register by its name, in the order of the names."""
    folder = resources.files("cardwatch.registers") / "files"
    texts = {f.name: f.read_text(encoding="utf-8") for f in folder.iterdir()}
    forbidden = (resources.files("cardwatch.registers") / "dropped.toml").read_text("utf-8")
    everywhere = tomllib.loads(forbidden)["dropped"]
    kinds = {}
    for name in sorted(texts):
        if name.endswith(".toml"):
            kind = name.removesuffix(".toml")
            kinds[kind] = _kind(kind, tomllib.loads(texts[name]), everywhere)
    return kinds


def _kind(kind: str, content: dict[str, Any], everywhere: list[dict[str, str]]) -> RegisterKind:
    """Return the kind that a file describes."""
    fields = tuple(
        RegisterField(
            name,
            field["type"],
            field["meaning"],
            tuple(field["headings"]),
            tuple(field.get("choices", {}).items()),
        )
        for name, field in content["fields"].items()
    )
    return RegisterKind(
        kind=kind,
        title=content["title"],
        row=content["row"],
        owner=content["owner"],
        lane=content["lane"],
        file_names=tuple(content["file_names"]),
        fields=fields,
        true_from=tuple(content["true_from"]),
        true_until=content.get("true_until", ""),
        known_on=content.get("known_on", ""),
        needs=tuple(tuple(group) for group in content["needs"]),
        expects=tuple(content["expects"]),
        dropped=tuple(DroppedColumn(**d) for d in [*content.get("dropped", []), *everywhere]),
    )


def register_kind(name: str) -> RegisterKind:
    """Return one kind of register.

    Raises:
        CardwatchError: there is no such kind.
    """
    kinds = register_kinds()
    if name not in kinds:
        raise CardwatchError(f"'{name}' is not a register. Choose one of {', '.join(kinds)}.")
    return kinds[name]


@cache
def fields_by_heading(kind: str) -> dict[str, RegisterField]:
    """Return the field that each heading of an entry, as it is shown, stands for."""
    return {field.headings[0]: field for field in register_kind(kind).fields}


def field_words(kind: str, name: str) -> str:
    """A field of a register within a sentence, such as `end date`."""
    return register_kind(kind).field(name).headings[0].lower()


def names_people(field: RegisterField) -> bool:
    """Whether a field of an entry names people, by their numbers or names; see `people_in`."""
    return field.name in NUMBER_FIELDS or field.kind in {"person", "people"}


def people_in(kind: str, facts: Iterable[tuple[str, str]]) -> list[str]:
    """Return the people whom an entry names, by their number or name; names in one form too.

    Args:
        kind: of the register.
        facts: heading and value of each field of the entry that is filled.
    """
    fields, people = fields_by_heading(kind), []
    for heading, value in facts:
        field = fields[heading]
        if field.name in NUMBER_FIELDS:
            people.append(value)
        elif field.kind == "person":
            people += [value, *name_forms(value)]
        elif field.kind == "people":
            people += [number.strip() for number in value.split(";") if number.strip()]
    return people


def recognise_kind(file: str, headings: Sequence[str]) -> RegisterKind | None:
    """Return the kind of register in a file: by its name, else by its headings; none if neither.

    One whose headings fit comes first; where none fit, its name alone may tell.

    Args:
        file: the file's name.
        headings: its headings as printed.
    """
    fitting = [kind for kind in register_kinds().values() if has_needed(kind, headings)]
    name = file.casefold()
    by_name = [kind for kind in fitting if any(part in name for part in kind.file_names)]
    if len(by_name) == 1:
        return by_name[0]
    if not fitting:
        kinds_named = [
            k for k in register_kinds().values() if any(part in name for part in k.file_names)
        ]
        return kinds_named[0] if len(kinds_named) == 1 else None
    counts = {kind.kind: len(kind.profile.map(headings)) for kind in by_name or fitting}
    best = [kind for kind, count in counts.items() if count == max(counts.values())]
    return register_kinds()[best[0]] if len(best) == 1 else None


def has_needed(kind: RegisterKind, headings: Sequence[str]) -> bool:
    """Return whether headings serve every need of a register."""
    positions = kind.profile.map(headings)
    return all(any(name in positions for name in group) for group in kind.needs)


def template_text(kind: RegisterKind) -> str:
    """Return an empty register as CSV: a row of headings, ready to be filled in."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow([f.headings[0] for f in kind.fields])
    return text.getvalue()


LAYOUTS_HEAD = """# Layouts of the registers

Made from the files in `cardwatch/registers/files/` by `make docs`; do not edit this page.
`cardwatch registers template KIND` prints the headings of the first column as a CSV file.
"""


def layouts_page() -> str:
    """Return the page of all layouts, as Markdown: a table for each register."""
    return "\n".join([LAYOUTS_HEAD, *map(_layout, register_kinds().values())])


def _layout(kind: RegisterKind) -> str:
    """Return the layout of one register, as Markdown."""
    needs = ", ".join(" or ".join(f"`{name}`" for name in group) for group in kind.needs)
    lines = [
        f"## {kind.kind}: {kind.title}",
        "",
        f"A row is {kind.row}. Owner: {kind.owner}. Read by rules of: {kind.lane}.",
        f"Needed: {needs}.",
        "",
        "| heading | field | type | what it holds | headings it is also read from |",
        "|---|---|---|---|---|",
    ]
    for field in kind.fields:
        first, *rest = field.headings
        cells = (first, f"`{field.name}`", FIELD_TYPES[field.kind], field.meaning)
        lines.append(f"| {' | '.join(cells)} | {', '.join(rest) or '-'} |")
    return "\n".join([*lines, ""])
