"""Shows the entries of registers that an alert rests on, with both days and how names matched."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import pandas as pd

from cardwatch.alerts.wording import prose_day
from cardwatch.features import ENTRIES_SHOWN
from cardwatch.features.registered import links
from cardwatch.quantities import money
from cardwatch.records import EntryShown
from cardwatch.registers import ONE_SLIP, STATED, people_in, register_kind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

    from cardwatch.features import Ledger
    from cardwatch.records import Register
    from cardwatch.registers import OrganisationMatch
    from cardwatch.rules import Rule

    Flags = np.ndarray[Any, np.dtype[np.bool_]]

MOST_ENTRIES = 12
"""Entries that an alert shows, unless more are needed to show everybody whom they name: each of
these people is kept from the alert."""


def entries_shown(
    ledger: Ledger, rules: Sequence[Rule], rows: Sequence[int], fires: Mapping[str, Flags]
) -> tuple[EntryShown, ...]:
    """Return the entries on which some rules rest, each once for a rule.

    Args:
        ledger: the payments, with the registers.
        rules: those that give an alert its reasons.
        rows: the payments that it is about.
        fires: where each rule fires, by its id.
    """
    entries: dict[tuple[str, str, int], EntryShown] = {}
    for rule in rules if ledger.registers else ():
        for name in (feature for feature in rule.reads if feature in ENTRIES_SHOWN):
            hits = ENTRIES_SHOWN[name](ledger)
            for row in (row for row in rows if fires[rule.id][row]):
                for pair in hits.entries_of(row):
                    key = (rule.id, hits.kind, pair[0])
                    if key not in entries:
                        entries[key] = _entry(ledger, rule.id, hits.kind, pair)
    return tuple(_most_telling(list(entries.values())))


def _most_telling(entries: list[EntryShown]) -> list[EntryShown]:
    """Return the entries to show, in their order: of people whom none before names, then others."""
    named: set[str] = set()
    places: list[int] = []
    for place, entry in enumerate(entries):
        people = set(people_in(entry.register, entry.facts))
        if not people <= named:
            places.append(place)
        named |= people
    telling, room = set(places), max(MOST_ENTRIES - len(places), 0)
    remaining = (place for place in range(len(entries)) if place not in telling)
    return [entries[place] for place in sorted([*places, *islice(remaining, room)])]


def _entry(ledger: Ledger, rule: str, kind: str, pair: tuple[int, ...]) -> EntryShown:
    """Return an entry that a feature counted for a payment as it is shown; see `Hits`."""
    position, match, payers, people_known = pair
    link = links(ledger, kind)[1][match] if match >= 0 else None
    entry = entry_shown(ledger.registers[kind], position, link, rule)
    if not payers:
        return entry
    return replace(entry, matched_by=f"{entry.matched_by} {chance_words(payers, people_known)}")


def chance_words(payers: int, people_known: int) -> str:
    """Return how many people would fit an entry in place of its own, in a sentence.

    Args:
        payers: who paid the merchant from the entry's day on, the entry's own person among them.
        people_known: all who pay or approve.
    """
    if payers == 1:
        return f"Of {people_known:,} people, nobody else paid this merchant since."
    return f"Of {people_known:,} people, {payers:,} paid this merchant since."


def entry_shown(
    register: Register, position: int, link: OrganisationMatch | None = None, rule: str = ""
) -> EntryShown:
    """Return one entry of a register as it is shown, with both days and where it stands.

    Args:
        register: with the entry.
        position: of the entry among its entries.
        link: how its organisation matched a merchant; none where no name was matched.
        rule: the rule that rests on it, if any.
    """
    kind, row = register.kind, register.entries.iloc[position]
    return EntryShown(
        register=kind,
        rule=rule,
        file=str(row["file"]),
        row=int(row["row"]),
        true_on=_day(row["true_from"]),
        known_on=_day(row["known_on"]),
        facts=tuple(entry_facts(kind, row)),
        match=link.band if link else "",
        matched_by=match_words(link) if link else "",
        sha256=row.get("sha256", register.reports[0].sha256 if register.reports else ""),
    )


def entry_facts(kind: str, row: pd.Series[Any] | Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the fields of an entry that are filled, by the heading of each."""
    facts = []
    for field in register_kind(kind).fields:
        value = row.get(field.name, "")
        if field.kind in {"day", "moment"}:
            text = "" if pd.isna(value) else prose_day(_day(value))
        elif field.kind == "money":
            text = money(value) if value else ""
        else:
            text = str(value)
        if text:
            facts.append((field.headings[0], text))
    return facts


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."


def _day(moment: Any) -> str:  # noqa: ANN401  a moment of pandas, or none
    return "" if pd.isna(moment) else str(moment.date())


def match_words(match: OrganisationMatch) -> str:
    """Return how a name in a register matched a merchant, in a sentence."""
    if match.band == STATED:
        return _sentence(match.how)
    if match.how == ONE_SLIP:
        return f"The names have {match.how}."
    shared = ", ".join(word for word, _ in match.shared)
    text = f"Words in both names: {shared}." if shared else "The names have the same letters."
    only = [
        f"only in the {place}: {', '.join(words)}"
        for place, words in (("register", match.only_register), ("statement", match.only_merchant))
        if words
    ]
    return f"{text} {_sentence('; '.join(only))}" if only else text
