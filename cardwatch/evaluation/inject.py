"""Builds a data set: real payments with injected cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cardwatch.evaluation.dataset import DatasetBuilder, World
from cardwatch.evaluation.inject_benign import (
    plant_bulk,
    plant_instalments,
    plant_late,
    plant_rebilled,
    plant_weekly,
    plant_year_end,
)
from cardwatch.evaluation.inject_moves import plant_duplicates, plant_holder_months, plant_merchants
from cardwatch.evaluation.inject_splits import (
    PART_STYLES,
    plant_across_holders,
    plant_drips,
    plant_spellings,
    plant_splits,
)

if TYPE_CHECKING:
    from cardwatch.policy import Policy

BENIGN_PATTERNS = (
    plant_weekly,
    plant_instalments,
    plant_bulk,
    plant_rebilled,
    plant_year_end,
    plant_late,
)
UNLIMITED_PENCE = np.iinfo("int64").max // 100


@dataclass(frozen=True)
class InjectionPlan:
    """How much of each is planted.

    Attributes:
        splits: matters of each way to split.
        merchants: ways in which payments move to other holders.
        moved_share: share of the payments scored that move, of each way.
        others: holder-months, duplicates and patterns that must stay quiet, of each.
    """

    splits: int = 0
    merchants: tuple[str, ...] = ()
    moved_share: float = 0.008
    others: int = 0


def plant(
    transactions: pd.DataFrame,
    policy: Policy,
    start: pd.Timestamp,
    sowing: InjectionPlan,
    seed: int,
) -> World:
    """Return a world: real payments, rearranged here and there, and what was done.

    Args:
        transactions: real payments, history and all; see `records.TRANSACTION_COLUMNS`.
        policy: whose limits purchases are broken up under.
        start: day from which payments are scored; those before are their history.
        sowing: how much is planted.
        seed: of the generator.
    """
    plot = plot_of(transactions, policy, start, seed)
    if sowing.splits:
        for style in PART_STYLES:
            plant_splits(plot, style, sowing.splits)
        plant_spellings(plot, sowing.splits)
        plant_across_holders(plot, sowing.splits)
        plant_drips(plot, sowing.splits)
    for style in sowing.merchants:
        plant_merchants(plot, style, round(sowing.moved_share * len(plot.asked)))
    if sowing.others:
        plant_holder_months(plot, sowing.others)
        plant_duplicates(plot, sowing.others, across=False)
        plant_duplicates(plot, sowing.others, across=True)
        for quiet in BENIGN_PATTERNS:
            quiet(plot, sowing.others)
    return plot.world()


def shift_days(transactions: pd.DataFrame, policy: Policy, start: pd.Timestamp, seed: int) -> World:
    """Return a world without clusters: what each holder paid a merchant, on other days.

    Each day of a holder with a merchant is moved by a distance of its own, round and round the
    period scored. Counts and amounts stay as they are and what was on one day stays together, but
    which days lie near each other is left to chance: so are the splits over days found here.
    """
    plot = plot_of(transactions, policy, start, seed)
    frame, scored_rows = plot.frame, plot.frame["date"] >= start
    length = int((plot.last - start).days) + 1
    batch = frame["holder_id"] + "\n" + frame["merchant"] + "\n" + frame["date"].astype("str")
    distinct = batch[scored_rows].unique()
    distance = dict(zip(distinct, plot.rng.integers(0, length, len(distinct)), strict=True))
    days = (
        (frame["date"][scored_rows] - start).dt.days + batch[scored_rows].map(distance)
    ) % length
    moved = start + days.astype("timedelta64[D]")
    plot.frame = frame.assign(date=frame["date"].where(~scored_rows, moved.reindex(frame.index)))
    return plot.world()


def plot_of(
    transactions: pd.DataFrame, policy: Policy, start: pd.Timestamp, seed: int
) -> DatasetBuilder:
    """Return the ground: real payments in a fixed order, numbered, with their limits."""
    frame = transactions.sort_values(["date", "file", "row"], kind="stable", ignore_index=True)
    frame = frame.assign(row=np.arange(len(frame)))
    limits = policy.limits_in_force("single_purchase", frame["holder_id"], frame["date"])
    pence: pd.Series[int] = pd.Series(limits["pence"], frame.index)
    limit = pence.where(pence > 0, UNLIMITED_PENCE)
    return DatasetBuilder(frame, limit, start, np.random.default_rng(seed))
