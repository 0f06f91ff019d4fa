"""Injects known cases into an organisation's own history by rearranging its real payments.

Real large purchases are broken into parts, real payments move between holders, whole holder-months
change hands, payments are made twice; and patterns that are no matter at all (weekly suppliers,
instalments, a charge taken back and made again) are laid beside them. Nothing here knows how
anything is detected, and nothing is ever fitted to what is planted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cardwatch.features import purchase_rows

if TYPE_CHECKING:
    Rng = np.random.Generator

LATE = {"quiet: posted late"}
"""Styles whose payments are scored although they are from before."""
ASKED, HISTORY = "asked", "history"
"""Files of a world: what is scored, and what it is compared with."""
KNOWN_PAYMENTS = 20
"""A holder receives planted payments only with so many earlier ones of their own."""
OF_HOLDER = ["holder_id", "card_last4", "card_token", "cost_centre", "unit"]


@dataclass(frozen=True)
class AlertGroup:
    """One planted matter: its style, whose it is, its rows, and how many of them find it."""

    style: str
    holder_id: str
    rows: tuple[int, ...]
    needed: int = 1


@dataclass(frozen=True)
class World:
    """Real payments with planted matters among them; `row` tells every payment apart."""

    transactions: pd.DataFrame
    matters: tuple[AlertGroup, ...]


@dataclass
class DatasetBuilder:
    """Builds a test data set: original payments, removed rows and injected rows.

    Attributes:
        frame: all real payments, `row` numbered through; those from `start` on are scored.
        limit_pence: active single-purchase limit, one per row.
    """

    frame: pd.DataFrame
    limit_pence: pd.Series[int]
    start: pd.Timestamp
    rng: Rng
    gone: set[int] = field(default_factory=set)
    grown: list[pd.DataFrame] = field(default_factory=list)
    matters: list[AlertGroup] = field(default_factory=list)
    used: set[str] = field(default_factory=set)
    next_row: int = 0

    def __post_init__(self) -> None:
        """Look up once what every style asks for."""
        units = self.frame["unit"].str.casefold()
        department = units if (units != units.iloc[0]).any() else self.frame["cost_centre"]
        self.frame = self.frame.assign(department=department)
        self.purchases = self.frame[purchase_rows(self.frame)]
        self.asked = self.purchases[self.purchases["date"] >= self.start]
        before = self.purchases.loc[self.purchases["date"] < self.start, "holder_id"]
        self.known = before.value_counts().loc[lambda n: n >= KNOWN_PAYMENTS].index
        self.days = self.asked.groupby("holder_id")["date"].unique()
        self.last = self.asked["date"].max()
        self.doubled_days = self.frame.loc[self.frame["day_doubled"], "date"].unique()
        self.next_row = int(self.frame["row"].max()) + 1

    def put(self, style: str, rows: pd.DataFrame, *, needed: int = 0) -> None:
        """Put rows into the ground: as one matter that some of them find, or each as its own.

        A matter that is not whole before the payments end, so that nobody could find it, is left
        out. Whether its days look loaded twice is what the real payments of those days say.
        """
        scored = (rows["date"] >= self.start).to_numpy() | (style in LATE)
        if rows.empty or scored.sum() < needed:
            return
        numbers = np.arange(self.next_row, self.next_row + len(rows))
        self.next_row += len(rows)
        doubled = rows["date"].isin(self.doubled_days)
        self.grown.append(
            rows.assign(row=numbers, transaction_id="", file=ASKED, day_doubled=doubled)
        )
        if needed:
            whose = str(rows["holder_id"].iloc[0])
            self.matters.append(AlertGroup(style, whose, tuple(numbers[scored].tolist()), needed))
            return
        self.matters += [
            AlertGroup(style, str(holder), (int(number),))
            for number, holder in zip(numbers[scored], rows["holder_id"][scored], strict=True)
        ]

    def take(self, rows: pd.Index) -> None:
        """Take real rows out."""
        self.gone |= set(rows)

    def sample(self, rows: pd.DataFrame, count: int) -> pd.DataFrame:
        """Return some rows at random that nothing else has used."""
        free = rows[~rows.index.isin(self.gone)]
        return free.sample(min(count, len(free)), random_state=self.rng)

    def world(self) -> World:
        """Return what has become of it."""
        remaining = self.frame[~self.frame.index.isin(self.gone)]
        remaining = remaining.assign(file=np.where(remaining["date"] >= self.start, ASKED, HISTORY))
        combined = pd.concat([remaining, *self.grown], ignore_index=True).drop(columns="department")
        early = combined["date"] < self.start
        late = {row for m in self.matters if m.style in LATE for row in m.rows}
        combined.loc[early & ~combined["row"].isin(late), "file"] = HISTORY
        return World(combined, tuple(self.matters))
