"""Figures about the quality of a register, for its owner: gaps, late entries, silent units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cardwatch.registers.descriptions import register_kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardwatch.records import Register

LATE_DAYS = 28
"""An entry is late if it was recorded so many days after it became true."""


@dataclass(frozen=True)
class RegisterQuality:
    """Figures about one register; no names.

    Attributes:
        gaps: field to the number of entries without it, for fields that each entry should have.
        late_entries: entries recorded more than 28 days after they became true.
        reviews_overdue: entries whose review date has passed and that have not ended.
        last_entry_on: the latest day on which an entry became known; empty without any.
        silent_units: units that spend and have neither an entry nor a nil return.
    """

    kind: str
    title: str
    owner: str
    entries: int
    nil_returns: int
    rows_unreadable: int
    gaps: dict[str, int]
    late_entries: int
    reviews_overdue: int
    last_entry_on: str
    silent_units: tuple[str, ...]


def register_quality(
    register: Register, on: pd.Timestamp, spending_units: Iterable[str] = ()
) -> RegisterQuality:
    """Return the figures about one register.

    Args:
        register: its entries and reports.
        on: the day for which reviews are overdue.
        spending_units: units that spend, to name those of which the register holds nothing; only
            registers in which each unit should record something name any.
    """
    kind, entries = register_kind(register.kind), register.entries
    gaps = {name: int(_is_blank(entries[name]).sum()) for name in kind.expects}
    late = (entries["known_on"] - entries["true_from"]).dt.days > LATE_DAYS
    overdue = np.zeros(len(entries), dtype=bool)
    if "review_on" in entries:
        current = entries["decision"].isin(["approved", "applied", ""]) & entries["ended_on"].isna()
        overdue = ((entries["review_on"] < on) & current).to_numpy()
    silent: tuple[str, ...] = ()
    if kind.kind in {"gifts", "interests"} and "unit" in entries:
        heard = {unit.casefold() for unit in (*entries["unit"], *register.nil_units)}
        silent = tuple(sorted({u for u in spending_units if u and u.casefold() not in heard}))
    last = entries["known_on"].max()
    return RegisterQuality(
        kind=kind.kind,
        title=kind.title,
        owner=kind.owner,
        entries=len(entries),
        nil_returns=sum(report.nil_returns for report in register.reports),
        rows_unreadable=sum(len(report.problems) for report in register.reports),
        gaps={name: count for name, count in gaps.items() if count},
        late_entries=int(late.sum()),
        reviews_overdue=int(overdue.sum()),
        last_entry_on="" if pd.isna(last) else str(last.date()),
        silent_units=silent,
    )


def incomplete_entries(register: Register) -> pd.Series[bool]:
    """Return which entries lack a value that each should have."""
    entries = register.entries
    expected = register_kind(register.kind).expects
    blank = [_is_blank(entries[name]) for name in expected]
    return pd.concat(blank, axis=1).any(axis=1) if blank else pd.Series(False, entries.index)  # noqa: FBT003


def _is_blank(values: pd.Series[Any]) -> pd.Series[bool]:
    """Return which values say nothing: no text, no day, no sum, or a choice that is unclear."""
    if values.dtype.kind == "M":
        return values.isna()
    if values.dtype.kind == "i":
        return values == 0
    return values.isin(["", "unknown"])
