"""Moves real payments to other holders, lets months change hands, and charges twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardwatch.evaluation.dataset import OF_HOLDER
from cardwatch.evaluation.inject_splits import parts_of

if TYPE_CHECKING:
    from cardwatch.evaluation.dataset import DatasetBuilder

FEW_HOLDERS, FEW_USES, TRIES = 6, 3, 50


def plant_merchants(plot: DatasetBuilder, style: str, count: int) -> None:
    """Move real payments to holders of another department who never used the merchant."""
    uses = plot.purchases.groupby("merchant")["holder_id"].agg(["size", "nunique"])
    fits = {
        "special": uses.index[(uses["nunique"] <= FEW_HOLDERS) & (uses["size"] > FEW_USES)],
        "seldom used": uses.index[uses["size"] <= FEW_USES],
    }
    pool = plot.asked[plot.asked["merchant"].isin(fits[style])] if style in fits else plot.asked
    candidates = plot.asked[plot.asked["holder_id"].isin(plot.known)]
    holders = candidates.drop_duplicates("holder_id", keep="last").reset_index(drop=True)
    met = set(zip(plot.purchases["holder_id"], plot.purchases["merchant"], strict=True))
    chosen = plot.sample(pool, count)
    receivers = list(zip(holders["holder_id"], holders["department"], strict=True))
    takers, moved_indices = [], []
    for index, merchant, department in zip(
        chosen.index, chosen["merchant"], chosen["department"], strict=True
    ):
        for choice in plot.rng.integers(len(receivers), size=TRIES).tolist():
            other, elsewhere = receivers[choice]
            if (other, merchant) not in met and (elsewhere != department or not department):
                takers.append(choice)
                moved_indices.append(index)
                break
    rows = chosen.loc[moved_indices].copy()
    plot.take(rows.index)
    rows[OF_HOLDER] = holders.iloc[takers][OF_HOLDER].to_numpy()
    if style == "scaled":
        rows["amount_pence"] *= plot.rng.choice([1, 2, 5], len(rows))
    plot.put(f"merchant, {style}", rows)


def plant_holder_months(plot: DatasetBuilder, count: int) -> None:
    """Let one holder's month be another's, from another department, as if a card changed hands."""
    month = plot.asked["date"].dt.to_period("M")
    sizes = plot.asked.groupby(["holder_id", month]).size()
    busy = sizes[sizes >= 5].index.to_frame(index=False)
    busy = busy[busy["holder_id"].isin(plot.known)]
    order = busy.sample(len(busy), random_state=plot.rng)
    planted: set[str] = set()
    for holder, when in order.itertuples(index=False):
        if len(planted) >= 2 * count:
            break
        donors = order[(order["date"] == when) & ~order["holder_id"].isin({holder, *planted})]
        if holder in planted or donors.empty:
            continue
        donor = donors["holder_id"].iloc[0]
        holder_payments = plot.asked[(plot.asked["holder_id"] == holder) & (month == when)]
        new = plot.asked[(plot.asked["holder_id"] == donor) & (month == when)]
        if set(holder_payments["department"]) & set(new["department"]):
            continue
        plot.take(holder_payments.index.union(new.index))
        planted |= {holder, donor}
        rows = new.copy()
        rows[OF_HOLDER] = holder_payments[OF_HOLDER].iloc[0].to_numpy()
        plot.put("holder's month changed hands", rows, needed=1)


def plant_duplicates(plot: DatasetBuilder, count: int, *, across: bool) -> None:
    """Charge real payments twice within three days, to the same holder or to a colleague."""
    pool = plot.asked[(plot.asked["amount_pence"] >= 5_000) & (plot.asked["date"] < plot.last)]
    colleagues = plot.asked.drop_duplicates(["cost_centre", "holder_id"])
    for _, row in plot.sample(pool, 3 * count).iterrows():
        rows = parts_of(row, [int(row["amount_pence"])], [int(plot.rng.integers(0, 4))])
        if across:
            near = colleagues[
                (colleagues["cost_centre"] == row["cost_centre"])
                & (colleagues["holder_id"] != row["holder_id"])
            ]
            if near.empty or not row["cost_centre"]:
                continue
            other = near.sample(1, random_state=plot.rng)
            rows[OF_HOLDER] = other[OF_HOLDER].to_numpy()
        style = "charged twice, two holders" if across else "charged twice"
        plot.put(style, rows)
        if sum(matter.style == style for matter in plot.matters) >= count:
            break
