"""The policy as a form in pounds: its values, and the TOML of a changed policy."""

from __future__ import annotations

import datetime as dt
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cardwatch.alerts import pounds
from cardwatch.errors import CardwatchError
from cardwatch.policy import (
    ALWAYS,
    LARGEST_POUNDS,
    MAX_CLAUSE,
    VAT_WORDS,
    default_policy_text,
    load_policy,
    parse_policy,
    setting_fault,
)
from cardwatch.services.policy_figures import (
    CLAUSE_LABELS,
    FIGURE_LABELS,
    LIMIT_LABELS,
    LIST_LABELS,
)
from cardwatch.toml_text import policy_toml

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class PolicyForm:
    """The policy's form as it is shown.

    Attributes:
        values: what stands in each field, by its name.
        assumed: the sum in pounds that is assumed for each limit that the policy does not state.
    """

    values: dict[str, str]
    assumed: dict[str, str]


def policy_form_of(text: str, today: dt.date) -> PolicyForm:
    """The form of a policy: its values, and what is assumed where it states no limit.

    Args:
        text: the active policy as TOML.
        today: the day on which limits apply.
    """
    assumed = {
        key: pounds(getattr(load_policy(), key)[0].pence)
        for key in LIMIT_LABELS
        if key not in tomllib.loads(text)
    }
    return PolicyForm(policy_values(text, today), assumed)


def policy_values(text: str, today: dt.date) -> dict[str, str]:
    """The values of the policy's form: figures, lists one entry a line, clauses, general limits.

    A limit that the policy does not state has no value: a form that is sent back as it is states
    nothing, and the sum that is assumed can be stated by entering it.

    Args:
        text: the active policy as TOML.
        today: the day on which limits apply.
    """
    policy = parse_policy(text, "policy.toml")
    values = {one.name: f"{getattr(policy, one.name):.12g}" for one in FIGURE_LABELS}
    values |= {name: "\n".join(map(str, getattr(policy, name))) for name in LIST_LABELS}
    for kind in CLAUSE_LABELS:  # in one line, as a browser sends it back
        values[f"clause_{kind}"] = " ".join(policy.clauses.get(kind, "").split())
    for key in LIMIT_LABELS:
        values |= {f"{key}_pounds": "", f"{key}_vat": "unknown"}
        for entry in policy.entries_in_force(key, today):
            if entry.stated and not entry.holders:
                values |= {f"{key}_pounds": f"{entry.pence / 100:.12g}", f"{key}_vat": entry.vat}
    return values


def changed_policy(text: str, form: Mapping[str, str], today: dt.date) -> str:
    """The TOML of a policy with what a form changes; comments of the text are not kept.

    Args:
        text: the active policy as TOML.
        form: its fields by name; those that are missing stay as they are.
        today: a limit without a day of its own applies from here on; the first that is stated
            applies to earlier payments too.

    Raises:
        CardwatchError: a field is wrong, which it names, or nothing is changed.
        FileFaulty: the policy has other faults.
    """
    settings = tomllib.loads(text)
    before = policy_values(text, today)
    changed = {name for name, value in form.items() if before.get(name, "") != _plain(value)}
    for figure in FIGURE_LABELS:
        if figure.name in changed:
            settings[figure.name] = _number(figure.name, form[figure.name])
    for name in LIST_LABELS:
        if name in changed:
            settings[name] = _entries(name, form[name])
    for key in LIMIT_LABELS:
        if changed & {f"{key}_pounds", f"{key}_vat", f"{key}_from"}:
            entries = settings.get(key, [])
            since = today if entries else ALWAYS
            settings[key] = _with_limit(entries, _limit(key, form, before, since))
    for kind in CLAUSE_LABELS:
        name = f"clause_{kind}"
        clause = " ".join(form.get(name, before[name]).split())
        if clause != before[name]:
            settings["clauses"] = _with_clause(settings.get("clauses", {}), kind, clause)
    if settings == tomllib.loads(text):
        raise CardwatchError("Change a figure, a list or a clause first.")
    written = policy_toml(settings)
    parse_policy(written, "policy.toml")
    return written


def _plain(text: str) -> str:
    """A field without the space around it or its lines, a pound sign or separators of thousands."""
    lines = [line.strip() for line in text.replace("£", "").splitlines()]
    plain = "\n".join(filter(None, lines))
    return plain.replace(",", "") if plain.replace(",", "").replace(".", "").isdecimal() else plain


def _number(name: str, text: str) -> int | float:
    """A figure from its field.

    Raises:
        CardwatchError: it is no number, or one that the policy does not take.
    """
    default = tomllib.loads(default_policy_text())[name]
    try:
        value = float(_plain(text))
    except ValueError:
        raise CardwatchError("Enter a number like 500 or 12.50", field=name) from None
    number = int(value) if isinstance(default, int) and value.is_integer() else value
    if fault := setting_fault(name, number):
        raise CardwatchError(f"The figure {fault.removeprefix(name).strip()}", field=name)
    return number


def _entries(name: str, text: str) -> list[str] | list[int]:
    """A list from its field, one entry a line.

    Raises:
        CardwatchError: an entry is one that the policy does not take.
    """
    lines = list(filter(None, map(str.strip, text.splitlines())))
    is_days = name == "split_windows_days"
    if is_days and not all(line.isascii() and line.isdecimal() for line in lines):
        raise CardwatchError("Enter whole numbers of days, one a line", field=name)
    entries: Any = [int(line[:9]) for line in lines] if is_days else lines
    if fault := setting_fault(name, entries):
        raise CardwatchError(f"The list {fault.removeprefix(name).strip()}", field=name)
    return entries


def _with_clause(clauses: Mapping[str, str], kind: str, text: str) -> dict[str, str]:
    """Clauses of the card policy with that of a kind of alerts, or without it where it is empty.

    Raises:
        CardwatchError: it is one that the policy does not take.
    """
    other_clauses = {name: clause for name, clause in clauses.items() if name != kind}
    if text and setting_fault("clauses", {kind: text}):
        sentence = f"Enter the number or words of the clause, {MAX_CLAUSE} characters at most"
        raise CardwatchError(sentence, field=f"clause_{kind}")
    return other_clauses | ({kind: text} if text else {})


def _limit(
    key: str, form: Mapping[str, str], before: Mapping[str, str], default_since: dt.date
) -> dict[str, Any]:
    """A limit for everybody from its fields, from a day on where none is entered.

    Raises:
        CardwatchError: its sum, its day or its VAT is wrong.
    """
    try:
        pounds = float(_plain(form.get(f"{key}_pounds", "")))
    except ValueError:
        raise CardwatchError("Enter an amount like 1000", field=f"{key}_pounds") from None
    if not 0 < pounds <= LARGEST_POUNDS:
        sentence = f"Enter an amount above 0 and at most {LARGEST_POUNDS:,}"
        raise CardwatchError(sentence, field=f"{key}_pounds")
    day = form.get(f"{key}_from", "").strip()
    try:
        since = dt.date.fromisoformat(day) if day else default_since
    except ValueError:
        sentence = "Enter a date like 2027-04-01"
        raise CardwatchError(sentence, field=f"{key}_from") from None
    vat = form.get(f"{key}_vat", before.get(f"{key}_vat", "unknown"))
    if vat not in VAT_WORDS:
        raise CardwatchError("Choose whether it includes VAT", field=f"{key}_vat")
    return {"from": since, "pounds": int(pounds) if pounds.is_integer() else pounds, "vat": vat}


def _with_limit(entries: list[dict[str, Any]], new: dict[str, Any]) -> list[dict[str, Any]]:
    """Entries of a limit with a new one for everybody, in place of one from the same day."""
    return [entry for entry in entries if entry.get("holders") or entry["from"] != new["from"]] + [
        new
    ]
