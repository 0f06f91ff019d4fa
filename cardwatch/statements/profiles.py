"""Column profiles: which heading holds which field, and the choices a layout needs."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from cardwatch.bounded import read_toml
from cardwatch.errors import ColumnsUnknown, FileFaulty, FileRefused
from cardwatch.statements.cells import read_date, read_pence
from cardwatch.tabular import normalise_heading

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

FIELDS: dict[str, str] = {
    "transaction_id": "the issuer's own reference",
    "date": "day of the purchase (needed)",
    "posting_date": "day the issuer booked it",
    "holder_id": "whatever names the holder, if the file has such a column",
    "employee_id": "the holder's staff number",
    "account": "name of the card account",
    "cardholder": "the holder's name, or last name",
    "cardholder_first": "the holder's first name, joined to the last",
    "card_number": "the card, full, masked or last four digits",
    "merchant": "merchant as printed (needed)",
    "mcc": "merchant category code",
    "category": "merchant category in words",
    "cost_centre": "who bears the cost",
    "unit": "department; also the cost centre where there is none",
    "amount": "billed amount, signed (needed, or debit and credit)",
    "debit": "charges, where they have a column of their own",
    "credit": "refunds, where they have a column of their own",
    "debit_credit": "a mark that says debit or credit, where amounts have no sign",
    "currency": "currency billed",
    "original_amount": "amount at the merchant",
    "original_currency": "currency at the merchant",
    "description": "what it was for",
}
HOLDER_FIELDS = ("holder_id", "employee_id", "account", "cardholder", "card_number")
"""Columns that can say who paid, the best first."""
SETTINGS = {"name", "recognise", "date_order", "positive", "end_mark", "holder_strip", "columns"}
DATE_ORDERS = ("decide", "day-first", "month-first")
SIGNS = ("decide", "charge", "refund")
TEXTS = ("name", "date_order", "positive", "end_mark", "holder_strip")


@dataclass(frozen=True)
class Profile:
    """One layout. `columns` lists for each field its headings, the preferred first.

    Attributes:
        recognise: normalised headings that a file must have for this layout; empty fits any.
        date_order: day-first, month-first, or decide from the file's own dates.
        positive: what an amount without a minus is: charge, refund, or decide by majority.
        end_mark: a cell after which nothing more is data.
        holder_strip: pattern taken off the end of a holder, where spellings differ by it.
    """

    name: str
    columns: dict[str, tuple[str, ...]]
    recognise: frozenset[str] = frozenset()
    date_order: str = "decide"
    positive: str = "charge"
    end_mark: str = ""
    holder_strip: str = ""

    def map(self, headings: Sequence[str]) -> dict[str, int]:
        """Return for each field found the position of its column; a column serves one field."""
        seen = [normalise_heading(heading) for heading in headings]
        found: dict[str, int] = {}
        for field, choices in self.columns.items():
            places = (seen.index(n) for n in map(normalise_heading, choices) if n in seen)
            at = next((place for place in places if place not in found.values()), None)
            if at is not None:
                found[field] = at
        return found


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
    if content.get("date_order", "decide") not in DATE_ORDERS:
        faults.append(f"date_order is one of {', '.join(DATE_ORDERS)}")
    if content.get("positive", "charge") not in SIGNS:
        faults.append(f"positive is one of {', '.join(SIGNS)}")
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
    wanted = content.get("recognise", [])
    recognise = frozenset(map(normalise_heading, [wanted] if isinstance(wanted, str) else wanted))
    plain = {k: v for k, v in content.items() if k not in {"columns", "recognise", "name"}}
    name = str(content.get("name", file))
    return Profile(name=name, columns=listed, recognise=recognise, **plain)


def _kind_faults(content: dict[str, Any]) -> list[str]:
    """Return which settings hold another kind of thing than they should."""
    faults = [f"{key} has to be text" for key in TEXTS if not isinstance(content.get(key, ""), str)]
    columns, recognise = content.get("columns", {}), content.get("recognise", [])
    if not isinstance(columns, dict):
        return [*faults, "[columns] has to be a table"]
    lists = {"recognise": recognise, **{f"[columns] {k}": v for k, v in columns.items()}}
    for key, value in lists.items():
        texts = value if isinstance(value, list) else [value]
        if not all(isinstance(text, str) for text in texts):
            faults.append(f"{key} has to be a heading or a list of headings")
    return faults


@cache
def shipped_profiles() -> tuple[Profile, ...]:
    """Return the layouts that come with cardwatch, the most particular first, `any` last."""
    files = (resources.files("cardwatch.statements") / "layouts").iterdir()
    profiles = [
        parse_profile(file.read_text(encoding="utf-8"), file.name)
        for file in files
        if file.name.endswith(".toml")
    ]
    return tuple(sorted(profiles, key=lambda p: (-len(p.recognise), p.name)))


def known_headings(profiles: Sequence[Profile]) -> frozenset[str]:
    """Return every heading of some layouts, normalised, by which a heading row is found."""
    return frozenset(
        normalise_heading(heading)
        for profile in profiles
        for choices in profile.columns.values()
        for heading in choices
    )


def choose_profile(
    file: str, headings: Sequence[str], profiles: Sequence[Profile]
) -> tuple[Profile, dict[str, int]]:
    """Return the first profile that fits a file's headings, and where its columns are.

    Raises:
        ColumnsUnknown: none fits; it says what is missing and what is nearest.
        FileRefused: there are no headings; what stands in their place is not shown.
    """
    seen = frozenset(map(normalise_heading, headings))
    fitting = [profile for profile in profiles if profile.recognise <= seen]
    for profile in fitting:
        found = profile.map(headings)
        if not missing_fields(found):
            return profile, found
    if any(read_date(h, "day-first", serial=False) or read_pence(h, ".") for h in headings):
        what = (
            "its first row looks like a payment and not like headings. "
            "Export it again with a heading row"
        )
        raise FileRefused(file, "no_headings", what)
    closest = min(fitting, key=lambda p: len(missing_fields(p.map(headings))))
    missing = missing_fields(closest.map(headings))
    fields = {need: HOLDER_FIELDS if need == "holder" else (need,) for need in missing}
    raise ColumnsUnknown(file, headings, missing, nearest_headings(headings, fields, closest))


def missing_fields(found: dict[str, int]) -> list[str]:
    """Return which of date, holder, merchant and amount a mapping lacks."""
    amounts = ("amount", "original_amount", "debit")
    needs = {
        "date": "date" in found,
        "holder": any(field in found for field in HOLDER_FIELDS),
        "merchant": "merchant" in found,
        "amount": any(field in found for field in amounts),
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
    seen = {normalise_heading(heading): heading for heading in headings if heading.strip()}
    lines = []
    for need, fields in missing.items():
        wanted = [normalise_heading(h) for f in fields for h in profile.columns.get(f, ())]
        scored = {
            name: max(difflib.SequenceMatcher(None, name, w).ratio() for w in wanted)
            for name in seen
            if wanted
        }
        best = sorted(scored, key=lambda name: (-scored[name], name))[:2]
        near = [f"'{seen[name]}'" for name in best if scored[name] >= 0.5]
        if near:
            lines.append(f"for {need} perhaps {' or '.join(near)}")
    return lines


def closest_profile(headings: Sequence[str], profiles: Sequence[Profile]) -> Profile:
    """The profile that recognises most of a file's columns: the needed ones first, then the rest.

    Args:
        headings: of the file, as printed.
        profiles: to choose from; one of them has to fit any file.
    """
    seen = frozenset(map(normalise_heading, headings))
    mapped = [(profile, profile.map(headings)) for profile in profiles if profile.recognise <= seen]
    return min(mapped, key=lambda pair: (len(missing_fields(pair[1])), -len(pair[1])))[0]


def guess_columns(headings: Sequence[str], profiles: Sequence[Profile]) -> dict[str, str]:
    """The heading of each field that some profile recognises, as the file prints it."""
    found = closest_profile(headings, profiles).map(headings)
    return {field: headings[place] for field, place in found.items()}


def checked_profile(
    headings: Sequence[str], chosen: Mapping[str, str], profiles: Sequence[Profile]
) -> Profile:
    """The profile of files with some headings, once somebody has checked their columns.

    It knows no less than the profile that is closest: its choices of signs and dates stay, fields
    that were not asked about keep their guess, and columns that a later file has beside these
    headings are recognised as before.

    Args:
        headings: all of the file's, as printed.
        chosen: the heading of each field that was asked about; empty where the file has none.
        profiles: the profiles that come with cardwatch.
    """
    closest = closest_profile(headings, profiles)
    seen = frozenset(normalise_heading(heading) for heading in headings if heading.strip())
    used = set(filter(None, chosen.values()))
    guesses = {
        field: heading
        for field, heading in guess_columns(headings, profiles).items()
        if field not in chosen and heading not in used
    }
    columns = {}
    for field in FIELDS:
        heading = chosen.get(field) or guesses.get(field)
        others = [
            choice
            for choice in closest.columns.get(field, ())
            if normalise_heading(choice) not in seen
        ]
        columns[field] = (*((heading,) if heading else ()), *others)
    filled = {field: choices for field, choices in columns.items() if choices}
    return replace(closest, name="columns", recognise=seen, columns=filled)


def profile_toml(profile: Profile) -> str:
    """Write a profile as TOML, to be read again by `parse_profile`."""
    lines = [f"name = {_quoted(profile.name)}", f"recognise = {_listed(sorted(profile.recognise))}"]
    lines += [f"{name} = {_quoted(getattr(profile, name))}" for name in TEXTS[1:]]
    lines += ["[columns]"]
    lines += [f"{field} = {_listed(choices)}" for field, choices in profile.columns.items()]
    return "\n".join(lines) + "\n"


def _listed(texts: Sequence[str]) -> str:
    """Return texts as a TOML list."""
    return f"[{', '.join(map(_quoted, texts))}]"


def profile_text(headings: Sequence[str], profiles: Sequence[Profile]) -> str:
    """Return a column profile for these headings as TOML, ready to edit.

    Fields found are filled in; the others stand empty, with the headings not used listed.
    """
    best = closest_profile(headings, profiles)
    found = best.map(headings)
    used = {headings[at] for at in found.values()}
    unused = [heading for heading in headings if heading.strip() and heading not in used]
    lines = [
        "# Which heading of the file holds what. Write each heading as the file prints it.",
        f"# Headings not used yet: {', '.join(map(_quoted, unused)) or 'none'}",
        'name = "our statement"',
        f"recognise = [{', '.join(_quoted(h) for h in headings if h.strip())}]",
        "",
        "# decide, day-first or month-first",
        f"date_order = {_quoted(best.date_order)}",
        "# an amount without a minus is a charge or a refund; or decide, by which there are more",
        f"positive = {_quoted(best.positive)}",
        "# a cell after which nothing is data; a pattern taken off the end of a holder",
        f"end_mark = {_quoted(best.end_mark)}",
        f"holder_strip = {_quoted(best.holder_strip)}",
        "",
        "[columns]",
    ]
    for field, meaning in FIELDS.items():
        heading = _quoted(headings[found[field]]) if field in found else '""'
        lines.append(f"{field} = {heading}  # {meaning}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """Return a text as a TOML string."""
    plain = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in plain) + '"'
