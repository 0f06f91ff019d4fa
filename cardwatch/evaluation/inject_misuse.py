"""Injects kinds of misuse, each by two or more generators that share no code.

None of them knows how anything is detected; detection is judged on the generators that it was not
built beside (docs/detection.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cardwatch.evaluation.dataset import OF_HOLDER
from cardwatch.evaluation.inject_splits import each_row, large_purchases, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cardwatch.evaluation.dataset import DatasetBuilder

FIRST_WORDS = ("Aldwick", "Brampton", "Corvane", "Dunmere", "Eskdale", "Farrow", "Glenholt",
               "Hexley", "Ivelet", "Jarrow", "Kestle", "Lorne", "Marwick", "Nettle", "Orrin",
               "Pellow", "Quarles", "Ravenna", "Selwick", "Thorne", "Ullin", "Varley")  # fmt: skip
ODD_TRADES = ("Jewellers", "Tattoo Studio", "Casino", "Golf Club", "Yacht Charter", "Nail Bar",
              "Bridal Wear", "Kennels", "Aquatics", "Betting", "Furs", "Antiques", "Perfumery",
              "Vape Shop", "Piano Sales", "Saddlery", "Watches", "Wine Merchants")  # fmt: skip
SHOPS = ("Electronics", "Trainers", "Phones", "Gaming", "Outlet", "Direct", "Store", "Market",
         "Boutique", "Travel", "Tickets", "Audio")  # fmt: skip
TRIAL_NAMES = ("Fitplan", "Streambox", "Slimwell", "Cloudkeep", "Readly", "Skincarely", "Vpnly",
               "Datebook", "Horoscope", "Photoprint")  # fmt: skip
SMALLEST_BILL_PENCE = 2_000
TYPICAL_UPPER = (0.85, 0.995)
"""A thief's charges lie between these quantiles of what the organisation pays."""


def _name(plot: DatasetBuilder, trades: Sequence[str]) -> str:
    """Return a merchant's name that the data do not have."""
    return f"{plot.rng.choice(FIRST_WORDS)} {plot.rng.choice(trades)} {plot.rng.integers(10, 99)}"


def _known_payments(plot: DatasetBuilder, count: int) -> pd.DataFrame:
    """Return real payments of known holders, one a holder, to take holder and day from."""
    candidates = plot.asked[plot.asked["holder_id"].isin(plot.known)]
    shuffled = candidates.sample(frac=1, random_state=plot.rng)
    return plot.sample(shuffled.drop_duplicates("holder_id"), count)


def _on_their_day(plot: DatasetBuilder, row: pd.Series[Any], latest: pd.Timestamp) -> pd.Timestamp:
    """Return a day on which the payment's holder really paid, no later than some day."""
    days = pd.DatetimeIndex(plot.days[row["holder_id"]])
    early = days[days <= latest]
    return pd.Timestamp(plot.rng.choice(early if len(early) else days))


def _upper_sum(plot: DatasetBuilder) -> int:
    """Return a sum from the upper part of what the organisation pays."""
    low, high = TYPICAL_UPPER
    return int(plot.purchases["amount_pence"].quantile(plot.rng.uniform(low, high)))


def _odd_category(plot: DatasetBuilder) -> str:
    """Return a category that hardly anybody here has used; none where none is said."""
    category_counts = plot.purchases["category"].value_counts()
    category_counts = category_counts[category_counts.index != ""]
    return (
        str(plot.rng.choice(category_counts.index[-max(len(category_counts) // 10, 1) :]))
        if len(category_counts)
        else ""
    )


def same_bill_one_day(plot: DatasetBuilder, count: int) -> None:
    """Let another holder pay a real bill on the same day."""
    _same_bill(plot, "same bill, one day", count, (0, 0))


def same_bill_days_apart(plot: DatasetBuilder, count: int) -> None:
    """Let another holder pay a real bill again within six weeks."""
    _same_bill(plot, "same bill, days apart", count, (1, 42))


def _same_bill(plot: DatasetBuilder, style: str, count: int, days: tuple[int, int]) -> None:
    last = plot.last - pd.Timedelta(days=days[1])
    bills = plot.asked[plot.asked["amount_pence"] >= SMALLEST_BILL_PENCE]
    bills = bills[bills["date"] <= last].drop_duplicates(["merchant", "amount_pence"], keep=False)
    known_holders = plot.asked[plot.asked["holder_id"].isin(plot.known)].drop_duplicates(
        "holder_id"
    )
    for _, bill in each_row(plot.sample(bills, count)):
        other_holders = known_holders[known_holders["holder_id"] != bill["holder_id"]]
        near = other_holders[
            (other_holders["department"] == bill["department"]) & (bill["department"] != "")
        ]
        chosen = near if len(near) else other_holders
        if chosen.empty:
            continue
        chosen = chosen.sample(1, random_state=plot.rng)
        later = int(plot.rng.integers(days[0], days[1] + 1))
        again = parts_of(bill, [int(bill["amount_pence"])], [later])
        again[OF_HOLDER] = chosen[OF_HOLDER].to_numpy()
        plot.put(style, again, needed=1)


def same_bill_retyped(plot: DatasetBuilder, count: int) -> None:
    """Let two holders pay one invented bill to a merchant that several have used."""
    users = plot.purchases.groupby("merchant")["holder_id"].nunique()
    shared = plot.asked[plot.asked["merchant"].isin(users.index[users >= 3])]
    known_holders = plot.asked[plot.asked["holder_id"].isin(plot.known)].drop_duplicates(
        "holder_id"
    )
    for _, row in each_row(plot.sample(shared, count)):
        pence = int(row["amount_pence"] * plot.rng.uniform(0.6, 1.6)) + 1_003
        bill = parts_of(row, [pence, pence], [0, int(plot.rng.integers(0, 20))])
        two = known_holders.sample(2, random_state=plot.rng)
        bill[OF_HOLDER] = two[OF_HOLDER].to_numpy()
        plot.put("same bill, invented", bill[bill["date"] <= plot.last], needed=2)


def odd_trade(plot: DatasetBuilder, count: int) -> None:
    """Let holders pay a merchant whose name says a trade that nobody here buys from."""
    for _, row in each_row(_known_payments(plot, count)):
        odd = parts_of(row, [_upper_sum(plot)], [0])
        odd["merchant"], odd["category"] = _name(plot, ODD_TRADES), _odd_category(plot)
        odd["mcc"] = "5944" if (plot.purchases["mcc"] != "").any() else ""
        plot.put("odd merchant, odd trade", odd.assign(description=""), needed=1)


def odd_category(plot: DatasetBuilder, count: int) -> None:
    """Move the organisation's rarest merchants' payments, with their category, to somebody else."""
    uses = plot.purchases.groupby("merchant")["holder_id"].agg(["size", "nunique"])
    rare = plot.asked[plot.asked["merchant"].isin(uses.index[uses["size"] == 1])]
    category = plot.purchases["category"].map(plot.purchases["category"].value_counts())
    rare = rare.assign(seldom=category[rare.index]).sort_values("seldom", kind="stable")
    rare = rare.head(max(8 * count, len(rare) // 10)).drop(columns="seldom")
    known_holders = plot.asked[plot.asked["holder_id"].isin(plot.known)].drop_duplicates(
        "holder_id"
    )
    for index, row in each_row(plot.sample(rare, count)):
        other = known_holders[known_holders["department"] != row["department"]]
        other = (
            other if len(other) else known_holders[known_holders["holder_id"] != row["holder_id"]]
        )
        moved = parts_of(row, [max(int(row["amount_pence"]), _upper_sum(plot))], [0])
        if other.empty:
            continue
        moved[OF_HOLDER] = other.sample(1, random_state=plot.rng)[OF_HOLDER].to_numpy()
        plot.take(pd.Index([index]))
        plot.put("odd merchant, moved", moved, needed=1)


def drip_unequal(plot: DatasetBuilder, count: int) -> None:
    """Break large purchases into payments of any rhythm and size over some months."""
    for index, row in each_row(large_purchases(plot, count)):
        limit = int(plot.limit_pence[index])
        total = max(int(row["amount_pence"]), int(1.6 * limit))
        number = int(plot.rng.integers(max(4, -(-total // limit) + 1), 13))
        share = np.minimum(plot.rng.dirichlet(np.full(number, 3.0)) * total, limit)
        days = np.cumsum([0, *np.rint(plot.rng.gamma(1.2, 9.0, number - 1)).astype(int) + 2])
        rows = parts_of(row, np.maximum(np.rint(share), 500).astype(int).tolist(), days.tolist())
        rows["merchant"] = _name(plot, ("Services", "Works", "Supplies", "Consulting"))
        _put_over_limit(plot, "slow drip, unequal", rows, limit)


def _put_over_limit(plot: DatasetBuilder, style: str, rows: pd.DataFrame, limit_pence: int) -> None:
    """Plant a drip up to the last day, if by then it has exceeded the limit: else it is nothing."""
    so_far = rows[rows["date"] <= plot.last]
    if so_far["amount_pence"].sum() > limit_pence:
        plot.put(style, so_far, needed=3)


def drip_growing(plot: DatasetBuilder, count: int) -> None:
    """Let holders pay a new merchant sums that grow from payment to payment."""
    last = plot.last - pd.Timedelta(days=90)
    for index, row in each_row(_known_payments(plot, count)):
        limit = int(plot.limit_pence[index])
        sums: list[int] = []
        pence = limit * plot.rng.uniform(0.15, 0.35)
        while sum(sums) < 2.2 * limit and len(sums) < 14:
            sums.append(int(min(pence, 0.97 * limit)))
            pence *= plot.rng.uniform(1.1, 1.45)
        first = row.copy()
        first["date"] = _on_their_day(plot, row, last)
        days = np.cumsum([0, *plot.rng.integers(4, 19, len(sums) - 1)])
        rows = parts_of(first, sums, days.tolist())
        rows["merchant"] = _name(plot, ("Group", "Partners", "Maintenance", "Logistics"))
        _put_over_limit(plot, "slow drip, growing", rows, limit)


def stolen_spree(plot: DatasetBuilder, count: int) -> None:
    """Let a card be used two to five times in two days at shops new to the account."""
    for _, row in each_row(_known_payments(plot, count)):
        number = int(plot.rng.integers(2, 6))
        first = row.copy()
        first["date"] = _on_their_day(plot, row, plot.last - pd.Timedelta(days=2))
        sums = [_upper_sum(plot) for _ in range(number)]
        rows = parts_of(first, sums, sorted(plot.rng.integers(0, 2, number).tolist()))
        rows["merchant"] = [_name(plot, SHOPS) for _ in range(number)]
        rows["category"] = [_odd_category(plot) for _ in range(number)]
        plot.put("stolen card, spree", rows.assign(description=""), needed=1)


def stolen_tested(plot: DatasetBuilder, count: int) -> None:
    """Let a card be tried with a pound or two, then used at others' merchants for some days."""
    met = set(zip(plot.purchases["holder_id"], plot.purchases["merchant"], strict=True))
    large_payments = plot.asked[
        plot.asked["amount_pence"] >= plot.asked["amount_pence"].quantile(0.8)
    ]
    for _, row in each_row(_known_payments(plot, count)):
        holder = row["holder_id"]
        first = row.copy()
        first["date"] = _on_their_day(plot, row, plot.last - pd.Timedelta(days=5))
        fits = large_payments[[(holder, name) not in met for name in large_payments["merchant"]]]
        number = int(plot.rng.integers(2, 4))
        if len(fits) < number:
            continue
        sampled = fits.sample(number, random_state=plot.rng)
        tried = parts_of(first, [int(plot.rng.integers(50, 220))], [0])
        tried["merchant"] = _name(plot, ("Donate", "Charity", "Parking"))
        stolen_payments = sampled.reset_index(drop=True)
        stolen_payments["date"] = first["date"] + pd.to_timedelta(
            sorted(plot.rng.integers(0, 5, len(stolen_payments)).tolist()), unit="D"
        )
        stolen_payments[OF_HOLDER] = [row[OF_HOLDER].to_list()] * len(stolen_payments)
        plot.put(
            "stolen card, tested", pd.concat([tried, stolen_payments], ignore_index=True), needed=1
        )


def trap_after_trial(plot: DatasetBuilder, count: int) -> None:
    """Let a trial for a pound or so become a monthly charge."""
    for _, row in each_row(_known_payments(plot, count)):
        first = row.copy()
        first["date"] = _on_their_day(plot, row, plot.last - pd.Timedelta(days=130))
        price = int(plot.rng.choice([1999, 2499, 2999, 3495, 4999, 5990]))
        sums = [int(plot.rng.choice([100, 195, 250])), *[price] * 4]
        days = [0, 14, 44, 75, 105]
        rows = parts_of(first, sums, days)
        rows["merchant"] = f"{plot.rng.choice(TRIAL_NAMES)} {plot.rng.integers(10, 99)}"
        plot.put("subscription trap, trial", rows[rows["date"] <= plot.last], needed=2)


def trap_after_order(plot: DatasetBuilder, count: int) -> None:
    """Let a one-off order be followed by a charge every four weeks, under the shop's name."""
    for _, row in each_row(_known_payments(plot, count)):
        first = row.copy()
        first["date"] = _on_their_day(plot, row, plot.last - pd.Timedelta(days=110))
        price = int(plot.rng.integers(799, 3_999))
        sums = [int(price * plot.rng.uniform(2, 6)), price, price, price, int(price * 1.2)]
        days = [0, *np.cumsum([int(plot.rng.integers(5, 20)), 28, 28, 28]).tolist()]
        rows = parts_of(first, sums, days)
        rows["merchant"] = _name(plot, ("Club", "Members", "Plus"))
        plot.put("subscription trap, order", rows[rows["date"] <= plot.last], needed=2)


def refund_elsewhere(plot: DatasetBuilder, count: int) -> None:
    """Let a real charge be refunded to another holder's card, whole."""
    _refunds(plot, "refund to another card, whole", count, whole=True)


def refund_in_part(plot: DatasetBuilder, count: int) -> None:
    """Let most of a real charge be refunded to another holder's card."""
    _refunds(plot, "refund to another card, part", count, whole=False)


def _refunds(plot: DatasetBuilder, style: str, count: int, *, whole: bool) -> None:
    paid = plot.asked[plot.asked["amount_pence"] >= 5_000]
    paid = paid[paid["date"] <= plot.last - pd.Timedelta(days=25)]
    known_holders = plot.asked[plot.asked["holder_id"].isin(plot.known)].drop_duplicates(
        "holder_id"
    )
    met = set(zip(plot.purchases["holder_id"], plot.purchases["merchant"], strict=True))
    for _, row in each_row(plot.sample(paid, count)):
        strangers = [(holder, row["merchant"]) not in met for holder in known_holders["holder_id"]]
        if not any(strangers):
            continue
        share = 1.0 if whole else plot.rng.uniform(0.5, 0.95)
        back = parts_of(row, [-int(row["amount_pence"] * share)], [int(plot.rng.integers(2, 25))])
        other = known_holders[strangers].sample(1, random_state=plot.rng)
        back[OF_HOLDER] = other[OF_HOLDER].to_numpy()
        plot.put(style, back.assign(kind="refund"), needed=1)


def day_split_known(plot: DatasetBuilder, count: int) -> None:
    """Break large purchases into two to four payments on one day, at the same merchant."""
    for index, row in each_row(large_purchases(plot, count)):
        limit = int(plot.limit_pence[index])
        fewest = max(2, -(-int(row["amount_pence"]) // limit))
        shares = plot.rng.dirichlet(np.full(fewest + int(plot.rng.random() < 0.3), 8.0))
        sums = np.minimum(np.rint(shares * row["amount_pence"]), limit).astype(int)
        if sums.sum() > limit:
            rows = parts_of(row, sums.tolist(), [0] * len(sums))
            plot.put("split on a day, known merchant", rows, needed=2)


def day_split_new(plot: DatasetBuilder, count: int) -> None:
    """Let holders pay a merchant new to everybody twice or thrice on a day, over the limit."""
    for index, row in each_row(_known_payments(plot, count)):
        limit = int(plot.limit_pence[index])
        number = int(plot.rng.integers(2, 4))
        sums = plot.rng.uniform(1.05 / number, 0.99, number) * limit
        rows = parts_of(row, sums.astype(int).tolist(), [0] * number)
        rows["merchant"] = _name(plot, ("Contractors", "Joinery", "Printers", "Hire"))
        plot.put("split on a day, new merchant", rows, needed=2)


def days_split_known(plot: DatasetBuilder, count: int) -> None:
    """Break large purchases into payments two to six days apart in all."""
    for index, row in each_row(large_purchases(plot, count)):
        limit = int(plot.limit_pence[index])
        fewest = max(2, -(-int(row["amount_pence"]) // limit))
        sums = np.full(fewest, int(row["amount_pence"]) // fewest)
        sums = np.minimum(sums * plot.rng.uniform(0.9, 1.1, fewest), limit).astype(int)
        days = sorted([0, *plot.rng.integers(1, 7, fewest - 1).tolist()])
        if sums.sum() > limit:
            plot.put("split in days, known merchant", parts_of(row, sums.tolist(), days), needed=2)


def days_split_new(plot: DatasetBuilder, count: int) -> None:
    """Let holders pay a merchant new to them just below the limit, twice within a week."""
    for index, row in each_row(_known_payments(plot, count)):
        limit = int(plot.limit_pence[index])
        sums = (plot.rng.uniform(0.8, 0.99, 2) * limit).astype(int)
        rows = parts_of(row, sums.tolist(), [0, int(plot.rng.integers(1, 7))])
        rows["merchant"] = _name(plot, ("Builders", "Fabrication", "Signs", "Catering"))
        plot.put("split in days, new merchant", rows[rows["date"] <= plot.last], needed=2)


def across_colleagues(plot: DatasetBuilder, count: int) -> None:
    """Let two or three holders who share merchants pay one new merchant within three days."""
    pairs = plot.asked.drop_duplicates(["merchant", "holder_id"])
    users = pairs.groupby("merchant")["holder_id"].size()
    pairs = pairs[pairs["merchant"].map(users).between(2, 6)]
    for index, row in each_row(plot.sample(pairs, count)):
        limit = int(plot.limit_pence[index])
        team = pairs[pairs["merchant"] == row["merchant"]].drop_duplicates("holder_id")
        number = min(len(team), int(plot.rng.integers(2, 4)))
        sums = (plot.rng.uniform(0.6, 0.98, number) * limit).astype(int)
        rows = parts_of(row, sums.tolist(), sorted(plot.rng.integers(0, 4, number).tolist()))
        rows[OF_HOLDER] = team.sample(number, random_state=plot.rng)[OF_HOLDER].to_numpy()
        rows["merchant"] = _name(plot, ("Surveys", "Events Hire", "Training", "Plant"))
        plot.put("across holders, new merchant", rows[rows["date"] <= plot.last], needed=2)


def across_known(plot: DatasetBuilder, count: int) -> None:
    """Break large purchases among other holders of the department, or of the whole."""
    known_holders = plot.asked[plot.asked["holder_id"].isin(plot.known)].drop_duplicates(
        "holder_id"
    )
    for index, row in each_row(large_purchases(plot, count)):
        limit = int(plot.limit_pence[index])
        number = max(2, -(-int(row["amount_pence"]) // limit))
        sums = [int(row["amount_pence"]) // number] * number
        team = known_holders[
            (known_holders["department"] == row["department"]) & (row["department"] != "")
        ]
        team = team if len(team) >= number else known_holders
        if len(team) < number:
            continue
        team = team.sample(number, random_state=plot.rng)
        rows = parts_of(row, sums, sorted(plot.rng.integers(0, 3, number).tolist()))
        rows[OF_HOLDER] = team[OF_HOLDER].to_numpy()
        plot.put("across holders, known merchant", rows[rows["date"] <= plot.last], needed=2)


GENERATORS: dict[str, tuple[Callable[[DatasetBuilder, int], None], ...]] = {
    "split on a day": (day_split_known, day_split_new),
    "split in days": (days_split_known, days_split_new),
    "across holders": (across_colleagues, across_known),
    "same bill": (same_bill_one_day, same_bill_days_apart, same_bill_retyped),
    "slow drip": (drip_unequal, drip_growing),
    "odd merchant": (odd_trade, odd_category),
    "stolen card": (stolen_spree, stolen_tested),
    "subscription trap": (trap_after_trial, trap_after_order),
    "refund to another card": (refund_elsewhere, refund_in_part),
}
"""Each kind with its generators; a style's name begins with its kind's."""


def plant_kinds(plot: DatasetBuilder, kind_count: int) -> None:
    """Plant about so many matters of every kind, shared among its generators."""
    for generators in GENERATORS.values():
        for number, generate in enumerate(generators):
            generate(plot, kind_count // len(generators) + (number < kind_count % len(generators)))
