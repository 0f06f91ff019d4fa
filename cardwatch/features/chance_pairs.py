"""How many entries of a register would tie to payments if their people were others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cardwatch.features.gifts import GIFT_DAYS
from cardwatch.features.registered import (
    as_known,
    has_register,
    is_telling,
    keys_of_payments,
    pairs_by_merchant,
    register_entries,
    with_payers,
)
from cardwatch.registers import STATED, STRONG

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    import pandas as pd

    from cardwatch.features.ledger import Ledger

DECLARED = ("gifts", "interests", "associations")
"""Registers whose entries a person declares about themselves."""


@dataclass(frozen=True)
class ChancePairs:
    """How many entries a register would seem to tie to payments if its people were others.

    Attributes:
        kind: the register.
        entries: entries that name a person.
        pairs: entries whose person has paid a merchant of that name while a rule looks at them,
            and which tie the two by themselves (`is_telling`).
        by_chance: the mean number of such entries when people are shuffled, where the names are one
            by a strong match alone.
        per_hundred: the same for each 100 entries.
        stated_per_hundred: the mean for each 100 entries where it is stated that the names are one,
            mostly by a person who reviewed them.
    """

    kind: str
    entries: int
    pairs: int
    by_chance: float
    per_hundred: float
    stated_per_hundred: float


def declared_chances(ledger: Ledger, hidden: AbstractSet[str] = frozenset()) -> list[ChancePairs]:
    """Return the chance pairs of each register given in which people declare about themselves."""
    return [chance_pairs(ledger, kind, hidden) for kind in DECLARED if has_register(ledger, kind)]


def chance_pairs(
    ledger: Ledger, kind: str, hidden: AbstractSet[str] = frozenset(), *, is_bounded: bool = True
) -> ChancePairs:
    """Return how many entries of a register tie to payments, and how many would by chance.

    The people of the register are given the cards of others (a permutation test under the
    hypothesis that who declared what has nothing to do with who paid whom). The mean is that over
    all shuffles, not over some: a shuffle gives each person any card with the same probability, so
    that an entry ties in as large a share of them as the share of cardholders who paid its
    merchant. Payments count on the days on which a rule would look at the entry, as it then was
    known and true.

    Args:
        ledger: the payments, with the register.
        kind: of the register.
        hidden: keys of people who are left out, with their entries and their payments.
        is_bounded: count only pairs that tie a person to a merchant by themselves, as rules do;
            else every stated or strong match.
    """
    persons = register_entries(ledger, kind)["person_key"]
    holders = {*keys_of_payments(ledger)["holder_key"].unique()} - hidden
    total = int(((persons != "") & ~persons.isin(hidden)).sum())
    payers = _payers(ledger, kind, is_bounded=is_bounded)
    payers = payers[~payers["person_key"].isin(hidden) & ~payers["holder_key"].isin(hidden)]
    is_tied = payers["person_key"] == payers["holder_key"]
    counts = {band: int((payers["band"] == band).sum()) for band in (STRONG, STATED)}
    by_chance = {band: count / max(len(holders), 1) for band, count in counts.items()}
    each = 100 / total if total else 0.0
    return ChancePairs(
        kind=kind,
        entries=total,
        pairs=len(payers[is_tied].drop_duplicates(["band", "entry"])),
        by_chance=round(by_chance[STRONG], 3),
        per_hundred=round(each * by_chance[STRONG], 3),
        stated_per_hundred=round(each * by_chance[STATED], 3),
    )


def _payers(ledger: Ledger, kind: str, *, is_bounded: bool) -> pd.DataFrame:
    """Return everybody who paid an entry's merchant while it bore on it, once for each entry.

    A gift bears on the payments of the half year after it, other entries until they end.
    """
    pairs = pairs_by_merchant(ledger, kind)
    pairs = pairs[(pairs["person_key"] != "").to_numpy()]
    until = pairs["until_day"].fillna(np.inf)
    if kind == "gifts":
        until = until.clip(upper=pairs["true_day"] + GIFT_DAYS)
    pairs = pairs[as_known(pairs) & (pairs["day"] <= until).to_numpy()]
    if is_bounded:
        pairs = with_payers(ledger, pairs, "holder_key")
        pairs = pairs[is_telling(pairs)]
    return pairs[["band", "entry", "person_key", "holder_key"]].drop_duplicates()
