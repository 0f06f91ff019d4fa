"""Column profiles: which heading holds which field, and the choices a layout needs."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from cardwatch.bounded import read_toml
from cardwatch.errors import ColumnsUnknown, FileFaulty
from cardwatch.statements.heading_words import with_made_headings
from cardwatch.statements.money_columns import money_columns
from cardwatch.statements.words import word_set
from cardwatch.tabular import normalise_heading, without_pound_mark

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FIELDS: dict[str, str] = {
    "transaction_id": "the issuer's own reference",
    "date": "day of the purchase (needed)",
    "posting_date": "day the issuer posted it",
    "holder_id": "the cardholder's name or number",
    "employee_id": "the cardholder's staff number",
    "account": "name of the card account",
    "cardholder": "the cardholder's name, or last name",
    "cardholder_first": "the cardholder's first name",
    "card_number": "the card, full, masked or last four digits",
    "merchant": "merchant as printed (needed)",
    "mcc": "merchant category code",
    "category": "merchant category in words",
    "cost_centre": "cost centre",
    "unit": "department; also used as the cost centre if there is none",
    "amount": "billed amount, signed (needed, or debit and credit)",
    "debit": "charges, if they have a separate column",
    "credit": "refunds, if they have a separate column",
    "debit_credit": "debit or credit, if amounts have no sign",
    "currency": "currency billed",
    "original_amount": "amount at the merchant",
    "original_currency": "currency at the merchant",
    "description": "what it was for",
}
HOLDER_FIELDS = ("holder_id", "employee_id", "account", "cardholder", "card_number")
"""Columns that can say who paid, the best first."""
NEAR = 0.75
"""A heading is hinted at only if it is so much like one that is known."""
DATE_ORDERS = ("decide", "day-first", "month-first")
CHOICES = {
    "date_order": DATE_ORDERS,
    "positive": ("decide", "charge", "refund"),
    "decimal": ("decide", "point", "comma"),
    "holders": ("named", "none"),
    "day_numbers": ("decide", "1900", "1904"),
}
"""Settings of a profile that are one of several words; the first is taken where it says nothing."""
LEDGER_SIDES = {"dr": "debit", "cr": "credit"}
"""How ledgers head their two columns in short."""
PROFILE_TEXTS = ("name", *CHOICES, "end_mark", "holder_strip")
SETTINGS = {*PROFILE_TEXTS, "recognise", "booked", "columns"}


@dataclass(frozen=True)
class Profile:
    """One layout. `columns` lists for each field its headings, the preferred first.

    Attributes:
        recognise: normalised headings that a file must have for this layout; empty fits any.
        date_order: day-first, month-first, or decide from the file's own dates.
        positive: what an amount without a minus is: charge, refund, or decide by the evidence.
        decimal: point or comma between pounds and pence, or decide from the file's amounts.
        holders: named in the file, or none where it names nobody.
        day_numbers: the year from which numbers in place of days count in a text, or decide.
        booked: words of a status column that mean a payment is booked.
        end_mark: a cell after which nothing more is data.
        holder_strip: pattern taken off the end of a holder, where spellings differ by it.
        is_shipped: whether it comes with cardwatch. It then fits any file that has its headings;
            a profile that somebody wrote fits only files with those headings and no others.
    """

    name: str
    columns: dict[str, tuple[str, ...]]
    recognise: frozenset[str] = frozenset()
    date_order: str = "decide"
    positive: str = "decide"
    decimal: str = "decide"
    holders: str = "named"
    day_numbers: str = "decide"
    booked: tuple[str, ...] = ()
    end_mark: str = ""
    holder_strip: str = ""
    is_shipped: bool = False

    @property
    def is_general(self) -> bool:
        """Whether it fits any file, so that its columns of money are chosen by their words."""
        return self.is_shipped and not self.recognise

    @cached_property
    def all_columns(self) -> dict[str, tuple[str, ...]]:
        """The headings of each field, those that words make among them where it fits any file."""
        return with_made_headings(self.columns) if self.is_general else self.columns

    @cached_property
    def names(self) -> dict[str, tuple[str, ...]]:
        """`all_columns`, normalised."""
        return {
            field: tuple(map(normalise_heading, choices))
            for field, choices in self.all_columns.items()
        }

    def fits(self, headings: Sequence[str]) -> bool:
        """Return whether a file with these headings may have this layout."""
        names = {normalise_heading(heading) for heading in headings} - {""}
        if self.is_shipped or not self.recognise:
            return self.recognise <= names
        return self.recognise == names

    def map(self, headings: Sequence[str]) -> dict[str, int]:
        """Return for each field found the position of its column; a column serves one field.

        A currency after a heading is no part of it. `Dr` and `Cr` are columns of charges and
        refunds only beside each other: one alone may hold marks.
        """
        names = [normalise_heading(heading) for heading in headings]
        if self.is_general and LEDGER_SIDES.keys() <= set(names):
            names = [LEDGER_SIDES.get(name, name) for name in names]
        plain = [without_pound_mark(name) for name in names]
        positions = dict(money_columns(headings).fields) if self.is_general else {}
        for field, choice_names in self.names.items():
            if field in positions:
                continue
            places = [names.index(name) for name in choice_names if name in names]
            places += [plain.index(name) for name in choice_names if name in plain]
            free = (place for place in places if place not in positions.values())
            if (place := next(free, None)) is not None:
                positions[field] = place
        return positions


def load_profile(path: Path) -> Profile:
    """Return the profile in a TOML file.

    Raises:
        FileFaulty: it cannot be read, or has faults; all are listed.
    """
    try:
        return parse_profile(path.read_text(encoding="utf-8-sig"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise FileFaulty(path.name, [f"it cannot be read: {error}"]) from error


def parse_profile(text: str, file: str) -> Profile:
    """Return the profile that a TOML text describes; see `load_profile`."""
    content = read_toml(text, file)
    columns = content.get("columns", {})
    if faults := _kind_faults(content):
        raise FileFaulty(file, faults)
    faults = [f"unknown setting '{key}'" for key in content.keys() - SETTINGS]
    faults += [f"unknown field '{key}' in [columns]" for key in columns.keys() - FIELDS.keys()]
    for setting, choices in CHOICES.items():
        if content.get(setting, choices[0]) not in choices:
            faults.append(f"{setting} must be one of {', '.join(choices)}")
    try:
        re.compile(content.get("holder_strip", ""))
    except re.error as error:
        faults.append(f"holder_strip is not a pattern: {error}")
    if faults:
        raise FileFaulty(file, sorted(faults))
    listed = {
        field: (value,) if isinstance(value, str) else tuple(value)
        for field, value in columns.items()
        if value
    }
    recognise = frozenset(map(normalise_heading, _listed(content.get("recognise", []))))
    plain = {k: v for k, v in content.items() if k in PROFILE_TEXTS and k != "name"}
    return Profile(
        name=str(content.get("name", file)),
        columns=listed,
        recognise=recognise,
        booked=tuple(_listed(content.get("booked", []))),
        **plain,
    )


def _listed(value: str | list[str]) -> list[str]:
    """Return one text or several as a list."""
    return [value] if isinstance(value, str) else value


def _kind_faults(content: dict[str, Any]) -> list[str]:
    """Return which settings hold another kind of thing than they should."""
    faults = [
        f"{key} must be text" for key in PROFILE_TEXTS if not isinstance(content.get(key, ""), str)
    ]
    columns, recognise = content.get("columns", {}), content.get("recognise", [])
    if not isinstance(columns, dict):
        return [*faults, "[columns] must be a table"]
    booked = content.get("booked", [])
    lists = {
        "recognise": recognise,
        "booked": booked,
        **{f"[columns] {k}": v for k, v in columns.items()},
    }
    for key, value in lists.items():
        texts = value if isinstance(value, list) else [value]
        if not all(isinstance(text, str) for text in texts):
            kind = "word" if key == "booked" else "heading"
            faults.append(f"{key} must be a {kind} or a list of {kind}s")
    return faults


@cache
def shipped_profiles() -> tuple[Profile, ...]:
    """Return the layouts that come with cardwatch, the most particular first, `any` last."""
    files = (resources.files("cardwatch.statements") / "layouts").iterdir()
    profiles = [
        replace(parse_profile(file.read_text(encoding="utf-8"), file.name), is_shipped=True)
        for file in files
        if file.name.endswith(".toml")
    ]
    return tuple(sorted(profiles, key=lambda p: (-len(p.recognise), p.name)))


def known_headings(profiles: Sequence[Profile]) -> frozenset[str]:
    """Return every heading of some layouts, normalised, by which a heading row is found."""
    return frozenset(
        name for profile in profiles for names in profile.names.values() for name in names
    )


def needed_headings(profiles: Sequence[Profile]) -> list[frozenset[str]]:
    """Return for each field that a statement has to have the headings that some layout gives it.

    Days of posting serve where there are no others, and a bank's texts may be of merchants.
    """
    fields = [("date", "posting_date"), ("merchant",), ("amount", "original_amount", "debit")]
    date, merchant, amount = (
        frozenset(
            name for profile in profiles for field in group for name in profile.names.get(field, ())
        )
        for group in fields
    )
    return [date, merchant | word_set("narratives", "headings"), amount]


def choose_profile(
    headings: Sequence[str], profiles: Sequence[Profile]
) -> tuple[Profile, list[str]]:
    """Return the first profile that fits a file's headings, and what it lacks of the four needs.

    One that lacks nothing comes before one that lacks the holder, who may be named elsewhere.
    """
    fitting = [profile for profile in profiles if profile.fits(headings)] or list(profiles)
    missing = [missing_fields(profile.map(headings)) for profile in fitting]
    for least in ([], ["holder"]):
        if least in missing:
            return fitting[missing.index(least)], least
    closest = min(range(len(fitting)), key=lambda i: len(missing[i]))
    return fitting[closest], missing[closest]


def unused_profile(profile: Profile, headings: Sequence[str], *, is_given: bool) -> str:
    """Return why a profile that somebody wrote is not used for a file; empty if it is, or is far.

    One that was given for the file is always told of; one that is remembered only if its headings
    are nearly the file's.

    Args:
        profile: the profile.
        headings: of the file, as printed.
        is_given: whether it was given for this file.
    """
    if profile.is_shipped or profile.fits(headings):
        return ""
    names = {name: heading for heading in headings if (name := normalise_heading(heading))}
    absent, further = profile.recognise - names.keys(), names.keys() - profile.recognise
    shared = len(profile.recognise & names.keys())
    if not is_given and shared < NEAR * len(profile.recognise | names.keys()):
        return ""
    parts = []
    if absent:
        parts.append(f"the file has no {', '.join(map(repr, sorted(absent)))}")
    if further:
        parts.append(f"it does not know {', '.join(repr(names[name]) for name in sorted(further))}")
    return (
        f"the profile '{profile.name}' is not used, since it is for exactly its headings: "
        f"{'; '.join(parts)}. List the file's headings under 'recognise' to use it"
    )


def columns_unknown(
    file: str, headings: Sequence[str], profile: Profile, missing: Sequence[str], why: str = ""
) -> ColumnsUnknown:
    """Return the refusal of a file that lacks columns, with what is nearest to them.

    Args:
        file: its name.
        headings: of the file.
        profile: the layout that suits it best.
        missing: the fields that it lacks.
        why: why a column that has the heading of one of them was not taken.
    """
    fields = {need: HOLDER_FIELDS if need == "holder" else (need,) for need in missing}
    used = set(profile.map(headings).values())
    unused = [heading for place, heading in enumerate(headings) if place not in used]
    hints = [*filter(None, [why]), *nearest_headings(unused, fields, profile)]
    if list(missing) == ["holder"]:
        hints.append('if the file names nobody, write holders = "none" in the profile')
    return ColumnsUnknown(file, headings, missing, hints)


def missing_fields(mapping: dict[str, int]) -> list[str]:
    """Return which of date, holder, merchant and amount a mapping lacks."""
    amounts = ("amount", "original_amount", "debit")
    needs = {
        "date": "date" in mapping,
        "holder": any(field in mapping for field in HOLDER_FIELDS),
        "merchant": "merchant" in mapping,
        "amount": any(field in mapping for field in amounts),
    }
    return [need for need, has in needs.items() if not has]


def nearest_headings(
    headings: Sequence[str], missing: Mapping[str, Sequence[str]], profile: Profile
) -> list[str]:
    """Say which headings look most like those that were wanted.

    Args:
        headings: the headings seen.
        missing: each need that no heading serves, with the fields that would.
        profile: where the headings of those fields are listed.
    """
    heading_by_name = {
        normalise_heading(heading): heading for heading in headings if heading.strip()
    }
    lines = []
    for need, fields in missing.items():
        field_headings = [normalise_heading(h) for f in fields for h in profile.columns.get(f, ())]
        scored = {
            name: max(difflib.SequenceMatcher(None, name, w).ratio() for w in field_headings)
            for name in heading_by_name
            if field_headings
        }
        best = sorted(scored, key=lambda name: (-scored[name], name))[:2]
        near = [f"'{heading_by_name[name]}'" for name in best if scored[name] >= NEAR]
        if near:
            lines.append(f"for {need} perhaps {' or '.join(near)}")
    return lines


def closest_profile(headings: Sequence[str], profiles: Sequence[Profile]) -> Profile:
    """The profile that recognises most of a file's columns: the needed ones first, then the rest.

    Args:
        headings: of the file, as printed.
        profiles: to choose from; one of them has to fit any file.
    """
    mapped = [(profile, profile.map(headings)) for profile in profiles if profile.fits(headings)]
    return min(mapped, key=lambda pair: (len(missing_fields(pair[1])), -len(pair[1])))[0]


def guess_columns(headings: Sequence[str], profiles: Sequence[Profile]) -> dict[str, str]:
    """The heading of each field that some profile recognises, as the file prints it."""
    mapping = closest_profile(headings, profiles).map(headings)
    return {field: headings[place] for field, place in mapping.items()}


def checked_profile(
    headings: Sequence[str],
    chosen: Mapping[str, str],
    profiles: Sequence[Profile],
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Profile:
    """The profile of files with some headings, once somebody has checked their columns.

    It knows no less than the profile that is closest: its choices of signs and dates stay, fields
    that were not asked about keep their guess, and columns that a later file has beside these
    headings are recognised as before.

    Args:
        headings: all of the file's, as printed.
        chosen: the heading of each field that was asked about; empty where the file has none.
        profiles: the profiles that come with cardwatch.
        settings: name and choices of the profile that somebody has stated, as in `CHOICES`.
    """
    closest = closest_profile(headings, profiles)
    stated: dict[str, Any] = {"name": "columns"} | dict(settings)
    normalised = frozenset(normalise_heading(heading) for heading in headings if heading.strip())
    chosen_headings = set(filter(None, chosen.values()))
    guesses = {
        field: heading
        for field, heading in guess_columns(headings, profiles).items()
        if field not in chosen and heading not in chosen_headings
    }
    columns = {}
    for field in FIELDS:
        heading = chosen.get(field) or guesses.get(field)
        other_choices = [
            choice
            for choice in closest.columns.get(field, ())
            if normalise_heading(choice) not in normalised
        ]
        columns[field] = (*((heading,) if heading else ()), *other_choices)
    filled = {field: choices for field, choices in columns.items() if choices}
    return replace(closest, **stated, recognise=normalised, columns=filled, is_shipped=False)


def changed_profile(
    profile: Profile, chosen: Mapping[str, str], settings: Mapping[str, str]
) -> Profile:
    """The profile with other headings for its fields, and other settings.

    Args:
        profile: one that is remembered.
        chosen: the heading of each field among those that it recognises; empty where there is none.
        settings: name and choices, as in `CHOICES`.
    """
    columns = {}
    for field in FIELDS:
        others = [
            choice
            for choice in profile.columns.get(field, ())
            if normalise_heading(choice) not in profile.recognise
        ]
        choices = (*filter(None, [chosen.get(field)]), *others)
        if choices:
            columns[field] = choices
    stated: dict[str, Any] = dict(settings)
    return replace(profile, **stated, columns=columns)


def profile_toml(profile: Profile) -> str:
    """Write a profile as TOML, to be read again by `parse_profile`."""
    lines = [
        f"name = {_quoted(profile.name)}",
        f"recognise = {_toml_array(sorted(profile.recognise))}",
    ]
    lines += [f"{name} = {_quoted(getattr(profile, name))}" for name in PROFILE_TEXTS[1:]]
    lines += [f"booked = {_toml_array(profile.booked)}"] if profile.booked else []
    lines += ["[columns]"]
    lines += [f"{field} = {_toml_array(choices)}" for field, choices in profile.columns.items()]
    return "\n".join(lines) + "\n"


def _toml_array(texts: Sequence[str]) -> str:
    """Return texts as a TOML list."""
    return f"[{', '.join(map(_quoted, texts))}]"


def profile_text(
    headings: Sequence[str],
    profiles: Sequence[Profile],
    by_content: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """Return a column profile for these headings as TOML, ready to edit.

    Fields found are filled in; the others stand empty, with the headings not used listed.

    Args:
        headings: of the file.
        profiles: layouts that know headings.
        by_content: headings of fields that were guessed by what stands under them.
    """
    best = closest_profile(headings, profiles)
    by_heading = {field: headings[place] for field, place in best.map(headings).items()}
    guesses = dict(by_content) | by_heading
    used_headings = set(guesses.values())
    unused = [heading for heading in headings if heading.strip() and heading not in used_headings]
    lines = [
        "# The heading of each field. Write each heading exactly as in the file.",
        f"# Headings not used yet: {', '.join(map(_quoted, unused)) or 'none'}",
        'name = "our statement"',
        f"recognise = [{', '.join(_quoted(h) for h in headings if h.strip())}]",
        "",
        "# decide, day-first or month-first",
        f"date_order = {_quoted(best.date_order)}",
        "# charge or refund: the meaning of an amount without a minus; or decide",
        f"positive = {_quoted(best.positive)}",
        "# point or comma before the pence, or decide",
        f"decimal = {_quoted(best.decimal)}",
        "# named; or none, if the file names nobody and payments are grouped by unit",
        f"holders = {_quoted(best.holders)}",
        "# 1900 or 1904: from when numbers in place of days count in a text; or decide",
        f"day_numbers = {_quoted(best.day_numbers)}",
        "# more words of a status column that mean posted",
        f"booked = [{', '.join(map(_quoted, best.booked))}]",
        "# a cell after which nothing is data; a pattern taken off the end of a holder",
        f"end_mark = {_quoted(best.end_mark)}",
        f"holder_strip = {_quoted(best.holder_strip)}",
        "",
        "[columns]",
    ]
    for field, meaning in FIELDS.items():
        reason = ", guessed by content" if field in guesses and field not in by_heading else ""
        lines.append(f"{field} = {_quoted(guesses.get(field, ''))}  # {meaning}{reason}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Return a text as a TOML string."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in plain) + '"'
