"""Lists each pair of a register's organisation and a merchant, for a person to review."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cardwatch.features.chance_pairs import DECLARED
from cardwatch.features.gifts import GIFT_DAYS
from cardwatch.features.registered import (
    as_known,
    is_telling,
    links,
    pairs_by_merchant,
    with_payers,
)
from cardwatch.merchants import canonical_name
from cardwatch.registers import BANDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet

    from cardwatch.features.ledger import Ledger
    from cardwatch.records import Register


@dataclass(frozen=True)
class NameMatch:
    """One name in a register with a merchant that may be the same organisation.

    Attributes:
        register: gifts, interests, contracts and so on.
        organisation: the name in the register.
        merchant: the merchant's one name.
        band: stated, strong or possible.
        score: the weight of the words shared.
        words: the words shared, or how it matched where no word is.
        only_register: words that only the register's name has.
        only_merchant: words that only the merchant's name has.
        entries: how many entries have the name.
        true_on: first day from which one of them is true; empty where none says.
        known_on: first day from which one of them is known.
        waiting: payments by people who declared it, or approved by them, about which no rule asks
            until somebody has confirmed that the two names are one.
    """

    register: str
    organisation: str
    merchant: str
    band: str
    score: float
    words: str
    only_register: str
    only_merchant: str
    entries: int
    true_on: str
    known_on: str
    waiting: int


def name_matches(ledger: Ledger, hidden: AbstractSet[str] = frozenset()) -> list[NameMatch]:
    """Return each pair of a register's organisation and a merchant once.

    Spellings that are one name when names are compared are one organisation, under the first of
    them: a decision counts for all of them.

    Those for which payments wait come first, then the surest.

    Args:
        ledger: the payments, with the registers.
        hidden: keys of people whose payments are not counted as waiting.
    """
    rows: list[NameMatch] = []
    for kind, register in _registers_with_names(ledger):
        linked, matches = links(ledger, kind)
        waiting = _waiting(ledger, kind, hidden)
        entries_by_pair: dict[tuple[str, str], list[int]] = {}
        first: dict[tuple[str, str], int] = {}
        for entry, number in zip(linked["entry"], linked["match"], strict=True):
            pair = compared_pair(matches[number].organisation, matches[number].merchant)
            entries_by_pair.setdefault(pair, []).append(entry)
            first.setdefault(pair, number)
        for pair, positions in entries_by_pair.items():
            link, entries = matches[first[pair]], register.entries.iloc[positions]
            rows.append(
                NameMatch(
                    register=kind,
                    organisation=link.organisation,
                    merchant=link.merchant,
                    band=link.band,
                    score=link.score,
                    words=", ".join(word for word, _ in link.shared) or link.how,
                    only_register=", ".join(link.only_register),
                    only_merchant=", ".join(link.only_merchant),
                    entries=len(positions),
                    true_on=_first_day(entries["true_from"]),
                    known_on=_first_day(entries["known_on"]),
                    waiting=len(waiting.get(pair, ())),
                )
            )
    order = {band: number for number, band in enumerate(BANDS)}
    return sorted(
        rows,
        key=lambda r: (
            not r.waiting, order[r.band], -r.score, r.register, r.organisation, r.merchant
        ),
    )  # fmt: skip


def compared_pair(organisation: str, merchant: str) -> tuple[str, str]:
    """Return an organisation's name as decisions about it are compared, with the merchant."""
    return canonical_name(organisation).name, merchant


def matched_names(ledger: Ledger) -> set[tuple[str, str]]:
    """Return the pairs that `name_matches` gives, in every spelling."""
    return {
        (match.organisation, match.merchant)
        for kind, _ in _registers_with_names(ledger)
        for match in links(ledger, kind)[1]
    }


def _registers_with_names(ledger: Ledger) -> Iterator[tuple[str, Register]]:
    """Give each register whose entries name organisations, after its kind."""
    for kind, register in ledger.registers.items():
        if kind != "matches" and "organisation" in register.entries:
            yield kind, register


def _waiting(
    ledger: Ledger, kind: str, hidden: AbstractSet[str]
) -> dict[tuple[str, str], set[int]]:
    """Return the payments that wait for each pair of names to be confirmed, by their rows."""
    rows_by_pair: dict[tuple[str, str], set[int]] = {}
    if kind not in DECLARED:
        return rows_by_pair
    matches = links(ledger, kind)[1]
    for by in ("holder_key", "approver_key"):
        pairs = with_payers(ledger, pairs_by_merchant(ledger, kind, by, BANDS), by)
        ends = pairs["until_day"].fillna(np.inf)
        if kind == "gifts":
            ends = ends.clip(upper=pairs["true_day"] + GIFT_DAYS)
        bears = as_known(pairs) & (pairs["day"] <= ends).to_numpy()
        pairs = pairs[bears & ~is_telling(pairs) & ~pairs[by].isin(hidden).to_numpy()]
        for row, match in zip(pairs["row"], pairs["match"], strict=True):
            pair = compared_pair(matches[match].organisation, matches[match].merchant)
            rows_by_pair.setdefault(pair, set()).add(row)
    return rows_by_pair


def _first_day(days: pd.Series[Any]) -> str:
    """Return the first of some days; empty where there is none."""
    first = days.min()
    return "" if pd.isna(first) else str(first.date())


def unmatched_names(ledger: Ledger, kind: str) -> list[str]:
    """Return the names in a register that match no merchant, each once, in alphabetical order."""
    entries = ledger.registers[kind].entries
    if "organisation" not in entries:
        return []
    linked = set(links(ledger, kind)[0]["entry"].tolist())
    is_matched = [number in linked for number in range(len(entries))]
    names = entries["organisation"][[not matched for matched in is_matched]]
    spellings = {name.casefold(): name for name in sorted(set(names) - {""})}
    return sorted(spellings.values(), key=str.casefold)
