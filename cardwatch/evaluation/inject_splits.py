"""Splits real large purchases: in several styles, spellings, between holders, and slowly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cardwatch.evaluation.dataset import OF_HOLDER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cardwatch.evaluation.dataset import DatasetBuilder, Rng

LEAST_OVER, MOST_OVER = 1.05, 3.5
"""A purchase is broken up if it comes to so many times the limit (docs/detection.md)."""
LEAST_LIKE, FEW_KNOWN = 0.2, 20
"""Where hardly any purchase is over the limit, those of so much of it are made larger."""
SPLIT_DAYS = 7


def near_limit_parts(total: int, limit: int, rng: Rng) -> list[int]:
    """Return parts just below the limit and a rest."""
    parts = []
    while total > limit:
        part = int(limit * rng.uniform(0.9, 0.995))
        parts.append(part)
        total -= part
    return [*parts, total]


def equal_parts(total: int, limit: int, rng: Rng) -> list[int]:
    """Return the fewest equal parts, or one more."""
    count = -(-total // limit) + int(rng.random() < 0.3)
    return [total // count] * (count - 1) + [total - total // count * (count - 1)]


def uneven_parts(total: int, limit: int, rng: Rng) -> list[int]:
    """Return the fewest parts of any size, or one more."""
    count = -(-total // limit) + int(rng.random() < 0.5)
    for _ in range(1000):
        shares = rng.dirichlet(np.full(count, 2.0))
        parts = np.maximum(np.rint(shares * total).astype(int), 100)
        if parts.max() <= limit:
            return [int(part) for part in parts]
    return equal_parts(total, limit, rng)


PART_STYLES: dict[str, Callable[[int, int, Rng], list[int]]] = {
    "near the limit": near_limit_parts,
    "equal": equal_parts,
    "uneven": uneven_parts,
}


def large_purchases(plot: DatasetBuilder, count: int) -> pd.DataFrame:
    """Return real purchases over the limit, one a holder and merchant, at days that are scored.

    Where there are too few, as where the bank refuses them, holders' real larger purchases are made
    as many times the limit as real ones are elsewhere, or else as any between. One made in the
    history is moved to a later day on which its holder really bought something.
    """
    over = plot.purchases["amount_pence"] / plot.limit_pence[plot.purchases.index]
    pair = plot.purchases["holder_id"] + "\n" + plot.purchases["merchant"]
    free = ~pair.isin(plot.used) & plot.purchases["holder_id"].isin(plot.days.index)
    real = pair[free & over.between(LEAST_OVER, MOST_OVER)].drop_duplicates().index
    rows = plot.sample(plot.purchases.loc[real], count)
    plot.take(rows.index)
    plot.used |= set(pair[rows.index])
    if len(rows) < count:
        free &= ~pair.isin(plot.used)
        like = pair[free & over.between(LEAST_LIKE, 1)].drop_duplicates().index
        more = plot.sample(plot.purchases.loc[like], count - len(rows))
        real_ratios = over[over.between(LEAST_OVER, MOST_OVER)].to_numpy()
        times = (
            plot.rng.choice(real_ratios, len(more))
            if len(real_ratios) >= FEW_KNOWN
            else plot.rng.uniform(LEAST_OVER, MOST_OVER, len(more))
        )
        pence = np.rint(plot.limit_pence[more.index] * times).astype("int64")
        plot.used |= set(pair[more.index])
        rows = pd.concat([rows, more.assign(amount_pence=pence)])
    days = [
        date if date >= plot.start else plot.rng.choice(plot.days[holder])
        for date, holder in zip(rows["date"], rows["holder_id"], strict=True)
    ]
    return rows.assign(date=pd.to_datetime(pd.Series(days, rows.index)))


def each_row(rows: pd.DataFrame) -> Iterator[tuple[int, pd.Series[Any]]]:
    """Return each row with its place in the ground."""
    return ((int(rows.index[index]), rows.iloc[index]) for index in range(len(rows)))


def parts_of(row: pd.Series[Any], parts: Sequence[int], days: Sequence[int]) -> pd.DataFrame:
    """Return a purchase as several, so many days after its own."""
    rows = pd.DataFrame([row] * len(parts)).reset_index(drop=True)
    rows["amount_pence"] = list(parts)
    rows["date"] = row["date"] + pd.to_timedelta(list(days), unit="D")
    return rows.astype({"amount_pence": "int64"})


def few_days(plot: DatasetBuilder, count: int) -> list[int]:
    """Return days for so many parts: all on one day, or within a week."""
    if plot.rng.random() < 0.3:
        return [0] * count
    return sorted([0, *plot.rng.integers(0, SPLIT_DAYS, count - 1).tolist()])


def broken_up(plot: DatasetBuilder, index: int, row: pd.Series[Any], style: str) -> pd.DataFrame:
    """Return a purchase in parts of a style, on one day or within a week."""
    parts = PART_STYLES[style](int(row["amount_pence"]), int(plot.limit_pence[index]), plot.rng)
    return parts_of(row, parts, few_days(plot, len(parts)))


def plant_splits(plot: DatasetBuilder, style: str, count: int) -> None:
    """Break large purchases into parts within a week."""
    for index, row in each_row(large_purchases(plot, count)):
        plot.put(f"split, {style}", broken_up(plot, index, row, style), needed=2)


def plant_spellings(plot: DatasetBuilder, count: int) -> None:
    """Break large purchases into parts under several spellings of one merchant."""
    for index, row in each_row(large_purchases(plot, count)):
        rows = broken_up(plot, index, row, plot.rng.choice(list(PART_STYLES)))
        spelled = [row["merchant"]]
        spelled += [respell(row["merchant"], plot.rng) for _ in range(len(rows) - 1)]
        plot.put("split, several spellings", rows.assign(merchant=spelled), needed=2)


def respell(name: str, rng: Rng) -> str:
    """Return a merchant's name as another till, branch or web shop might print it."""
    words = name.split()
    tails = ["ltd", "limited", "uk", "online", "plc", str(rng.integers(2, 999)).zfill(4)]
    ways: list[Callable[[], str]] = [
        lambda: f"{name} {rng.choice(tails)}",
        lambda: f"{rng.choice(['sumup  *', 'sq *', 'zettle_*', 'www.'])}{name}",
        lambda: f"{name.replace(' ', '')}.co.uk",
        lambda: name[: max(len(name) - int(rng.integers(1, 5)), 6)],
        lambda: f"{name} {rng.choice(['leeds', 'birmingham', 'bristol', 'london'])}",
        lambda: f"{name}-{rng.integers(10**5, 10**7)}",
        lambda: " ".join([words[0], *(word[:4] for word in words[1:])]),
        lambda: _slip(name, rng),
    ]
    return str(ways[int(rng.integers(len(ways)))]())


def _slip(name: str, rng: Rng) -> str:
    """Return a name with one letter left out or doubled."""
    position = int(rng.integers(1, max(len(name) - 1, 2)))
    return (
        name[:position] + name[position + 1 :]
        if rng.random() < 0.5
        else name[:position] + name[position - 1 :]
    )


def plant_across_holders(plot: DatasetBuilder, count: int) -> None:
    """Break large purchases among the holders of one cost centre, a part each."""
    centres = plot.asked[plot.asked["cost_centre"] != ""]
    colleagues = centres.drop_duplicates(["cost_centre", "holder_id"]).groupby("cost_centre")
    several = {centre: rows for centre, rows in colleagues if len(rows) > 1}
    planted = 0
    for index, row in each_row(large_purchases(plot, 6 * count)):
        unit_holders = several.get(row["cost_centre"])
        if unit_holders is None or planted == count:
            plot.gone.discard(index)
            continue
        unit_holders = unit_holders[unit_holders["holder_id"] != row["holder_id"]]
        limit = int(plot.limit_pence[index])
        parts = uneven_parts(int(row["amount_pence"]), limit, plot.rng)
        if len(unit_holders) < len(parts) - 1:
            plot.gone.discard(index)
            continue
        days = np.minimum(few_days(plot, len(parts)), 3)
        rows = parts_of(row, parts, days.tolist())
        team = unit_holders.sample(len(parts) - 1, random_state=plot.rng)[OF_HOLDER].to_numpy()
        rows.loc[1:, OF_HOLDER] = team
        plot.put("split, across holders", rows, needed=2)
        planted += 1


def plant_drips(plot: DatasetBuilder, count: int) -> None:
    """Break large purchases into four to ten parts over one to three months."""
    for index, row in each_row(large_purchases(plot, count)):
        number = int(plot.rng.integers(4, 11))
        parts = equal_parts(int(row["amount_pence"]), int(plot.limit_pence[index]), plot.rng)
        number = max(number, len(parts))
        share = plot.rng.dirichlet(np.full(number, 30.0)) * row["amount_pence"]
        days = np.cumsum([0, *plot.rng.integers(7, 15, number - 1)])
        rows = parts_of(row, np.rint(share).astype(int).tolist(), days.tolist())
        plot.put("slow drip", rows[rows["date"] <= plot.last], needed=3)
