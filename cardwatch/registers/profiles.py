"""Column profiles of registers: the heading of each field in files with exactly some headings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rapidfuzz import fuzz

from cardwatch.bounded import read_toml
from cardwatch.errors import CardwatchError, FileFaulty
from cardwatch.registers.descriptions import register_kind, register_kinds
from cardwatch.statements import Profile
from cardwatch.tabular import normalise_heading
from cardwatch.toml_text import toml_string

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardwatch.registers.descriptions import RegisterKind

FIRST_LINE = "register = "
"""Beginning of the text of a register's profile; that of a statement never has it."""
LIKELY = 65
"""A heading this alike (rapidfuzz ratio, 0 to 100) is guessed to be a field's, to be checked."""
PROFILE_SETTINGS = frozenset({"register", "recognise", "columns"})


def is_register_profile(text: str) -> bool:
    """Whether a column profile that is remembered is of registers."""
    return text.startswith(FIRST_LINE)


def chosen_profile(kind_name: str, headings: Sequence[str], chosen: Mapping[str, str]) -> Profile:
    """Return the profile of a register's files with some headings; its name is the register's.

    Args:
        kind_name: the register: gifts, interests and so on.
        headings: all of the file's.
        chosen: the heading of each field; empty, or left out, where the file has none.

    Raises:
        CardwatchError: a field that is needed has no heading, a heading is not in the file, serves
            two fields, or is one that is never taken.
    """
    kind, columns_used = register_kind(kind_name), set[str]()
    names = {normalise_heading(heading) for heading in headings} - {""}
    for name, heading in chosen.items():
        column = normalise_heading(heading)
        if name not in {field.name for field in kind.fields}:
            raise CardwatchError(f"The register of {kind.kind} has no field '{name}'.")
        if column and column not in names:
            raise CardwatchError(f"The file has no column '{heading}'.", field=name)
        if column and kind.dropped_because(heading):
            raise CardwatchError(f"'{heading}' is never taken.", field=name)
        if column in columns_used:
            raise CardwatchError("This column is already chosen for another field.", field=name)
        columns_used |= {column} - {""}
    columns: dict[str, tuple[str, ...]] = {
        field.name: (chosen[field.name],) for field in kind.fields if chosen.get(field.name)
    }
    for group in kind.needs:
        if not any(name in columns for name in group):
            alternatives = " or ".join(f"'{kind.field(name).headings[0]}'" for name in group)
            raise CardwatchError(f"Choose the column for {alternatives}", field=group[0])
    return Profile(kind.kind, columns, frozenset(names))


def parse_register_profile(text: str, file: str) -> Profile:
    """Return the register's profile that a TOML text describes; its name is the register's.

    Raises:
        FileFaulty: it has faults; all that do not follow from others are listed.
    """
    content = read_toml(text, file)
    kind, recognise = content.get("register"), content.get("recognise")
    columns = content.get("columns")
    faults = [f"unknown setting '{key}'" for key in sorted(content.keys() - PROFILE_SETTINGS)]
    if kind not in register_kinds():
        faults.append(f"register must be one of {', '.join(register_kinds())}")
    if not isinstance(recognise, list) or not all(isinstance(one, str) for one in recognise):
        faults.append("recognise must be a list of the file's headings")
    if not isinstance(columns, dict) or not all(isinstance(c, str) for c in columns.values()):
        faults.append("[columns] must be a table of fields, each with a heading")
    if not faults:
        assert isinstance(kind, str)
        assert isinstance(recognise, list)
        assert isinstance(columns, dict)
        try:
            return chosen_profile(kind, recognise, columns)
        except CardwatchError as fault:
            faults.append(f"{fault.field}: {fault}" if fault.field else str(fault))
    raise FileFaulty(file, faults)


def register_profile_toml(profile: Profile) -> str:
    """Return a register's profile as TOML, to be read again by `parse_register_profile`."""
    recognise = ", ".join(map(toml_string, sorted(profile.recognise)))
    lines = [f"{FIRST_LINE}{toml_string(profile.name)}", f"recognise = [{recognise}]", "[columns]"]
    lines += [f"{name} = {toml_string(columns[0])}" for name, columns in profile.columns.items()]
    return "\n".join(lines) + "\n"


def guessed_columns(kind: RegisterKind, headings: Sequence[str]) -> dict[str, str]:
    """Return the heading that each field of a register probably has; none twice, none dropped."""
    offered = ["" if kind.dropped_because(heading) else heading for heading in headings]
    guesses = {name: headings[place] for name, place in kind.profile.map(offered).items()}
    unused_headings = [
        heading for heading in offered if heading and heading not in guesses.values()
    ]
    likely = sorted(
        (-max(fuzz.ratio(normalise_heading(heading), known) for known in names), field, heading)
        for field, names in kind.profile.names.items()
        for heading in unused_headings
    )
    for likeness, field, heading in likely:
        if -likeness >= LIKELY and field not in guesses and heading not in guesses.values():
            guesses[field] = heading
    return guesses


def register_profile_text(kind: RegisterKind, headings: Sequence[str]) -> str:
    """Return a profile for a file's headings as TOML, with guesses filled in, ready to edit."""
    guesses = guessed_columns(kind, headings)
    unused = [h for h in headings if h and h not in guesses.values()]
    listed = [toml_string(heading) for heading in headings if heading]
    lines = [
        f"{FIRST_LINE}{toml_string(kind.kind)}",
        "# The heading of each field, exactly as in the file; leave out what the file has not.",
        f"# Headings not used yet: {', '.join(map(toml_string, unused)) or 'none'}",
        f"recognise = [{', '.join(listed)}]",
        "",
        "[columns]",
    ]
    for field in kind.fields:
        heading = toml_string(guesses.get(field.name, ""))
        lines.append(f"{field.name} = {heading}  # {field.meaning}")
    return "\n".join(lines) + "\n"
