"""Injects benign patterns, which should raise no alert."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cardwatch.evaluation.inject_splits import parts_of

if TYPE_CHECKING:
    from cardwatch.evaluation.dataset import DatasetBuilder


def routine_payments(plot: DatasetBuilder, low: float, high: float, count: int) -> pd.DataFrame:
    """Return real payments of known holders between two shares of the limit, one a holder."""
    share = plot.purchases["amount_pence"] / plot.limit_pence[plot.purchases.index]
    fits = share.between(low, high) & plot.purchases["holder_id"].isin(plot.known)
    rows = plot.purchases[fits & plot.purchases["holder_id"].isin(plot.days.index)]
    return plot.sample(rows.drop_duplicates("holder_id"), count)


def plant_weekly(plot: DatasetBuilder, count: int) -> None:
    """Let a supplier be paid every week, for all the time there is, about the same sum."""
    first = plot.purchases["date"].sort_values().iloc[len(plot.purchases) // 100]
    weeks = pd.date_range(first, plot.last, freq="7D")
    for _, row in routine_payments(plot, 0.3, 0.7, count).iterrows():
        noise = plot.rng.normal(1, 0.03, len(weeks))
        parts = np.rint(row["amount_pence"] * noise).astype(int)
        days = (weeks - row["date"]).days + int(plot.rng.integers(0, 5))
        plot.put("quiet: weekly supplier", parts_of(row, parts.tolist(), days.tolist()), needed=2)


def plant_instalments(plot: DatasetBuilder, count: int) -> None:
    """Let the same sum be paid every month, for all the time there is."""
    first = plot.purchases["date"].sort_values().iloc[len(plot.purchases) // 100]
    months = pd.date_range(first, plot.last, freq="MS")
    for _, row in routine_payments(plot, 0.1, 0.9, count).iterrows():
        days = (months - row["date"]).days + plot.rng.integers(0, 3, len(months))
        rows = parts_of(row, [int(row["amount_pence"])] * len(months), days.tolist())
        plot.put("quiet: instalments", rows, needed=2)


def plant_bulk(plot: DatasetBuilder, count: int) -> None:
    """Let a holder book at one merchant as many things on a day as they have often done before."""
    by = ["holder_id", "merchant", "date"]
    limit = plot.limit_pence[plot.purchases.index]
    small = plot.purchases[plot.purchases["amount_pence"] <= limit]
    size = small.groupby(by)["amount_pence"].transform("size")
    total = small.groupby(by)["amount_pence"].transform("sum")
    many = small[(size >= 3) & (total > limit[small.index])]
    booked = many.drop_duplicates(by).groupby(by[:2]).size()
    often = booked[booked >= 8].index
    many = many.set_index(by[:2], drop=False)
    for pair in pd.Series(list(often)).sample(min(count, len(often)), random_state=plot.rng):
        past = many.loc[[pair]]
        day = plot.rng.choice(past["date"].unique())
        rows = past[past["date"] == day].reset_index(drop=True)
        later = plot.rng.choice(plot.days[pair[0]]) if pair[0] in plot.days.index else plot.last
        plot.put("quiet: bulk booking", rows.assign(date=pd.Timestamp(later)), needed=2)


def plant_rebilled(plot: DatasetBuilder, count: int) -> None:
    """Let a charge be taken back and made again within days."""
    for _, row in routine_payments(plot, 0.55, 0.95, count).iterrows():
        pence = int(row["amount_pence"])
        moved = row.copy()
        moved["date"] = pd.Timestamp(plot.rng.choice(plot.days[row["holder_id"]]))
        rows = parts_of(moved, [pence, -pence, pence], [0, 1, int(plot.rng.integers(1, 4))])
        rows.loc[1, "kind"] = "refund"
        plot.put("quiet: taken back and charged again", rows, needed=2)


def plant_year_end(plot: DatasetBuilder, count: int) -> None:
    """Let holders buy in March, or in the last month, what they bought in another month as well."""
    month = plot.asked["date"].dt.to_period("M")
    ends = month[plot.asked["date"].dt.month == 3]
    when = ends.iloc[0] if len(ends) else month.max()
    holders = plot.asked["holder_id"][plot.asked["holder_id"].isin(plot.known)].unique()
    for holder in plot.rng.permutation(holders)[:count]:
        holder_purchases = plot.purchases[plot.purchases["holder_id"] == holder]
        limit = plot.limit_pence[holder_purchases.index]
        other = holder_purchases[
            (holder_purchases["date"].dt.to_period("M") != when)
            & (holder_purchases["amount_pence"] <= limit)
        ]
        rows = other.sample(min(len(other), 6), random_state=plot.rng)
        day = np.minimum(rows["date"].dt.day, 28)
        moved = when.to_timestamp() + pd.to_timedelta(day - 1, unit="D")
        plot.put("quiet: year end", rows.assign(date=moved), needed=2)


def plant_late(plot: DatasetBuilder, count: int) -> None:
    """Let a statement bring a payment of two months before."""
    candidates = plot.asked[plot.asked["holder_id"].isin(plot.known)]
    candidates = candidates[candidates["amount_pence"] <= plot.limit_pence[candidates.index] / 2]
    for index, row in plot.sample(candidates, count).iterrows():
        plot.take(pd.Index([index]))
        late = int(plot.rng.integers(40, 70))
        rows = pd.DataFrame([row]).assign(date=row["date"] - pd.Timedelta(days=late))
        plot.put("quiet: posted late", rows)
