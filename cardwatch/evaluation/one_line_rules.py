"""One-line rules, one for each injected kind: the findings of a spreadsheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardwatch.evaluation.baselines import same_day_rule, window_rule

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from cardwatch.alerts import ScoringContext

    Items = list[list[int]]

BILL_DAYS, DRIP_DAYS, TEAM_DAYS, MONTHS = 60, 90, 3, 3


def _bought(scored: ScoringContext) -> pd.DataFrame:
    """Return all purchases with what the rules look at, in order of day."""
    frame, ledger = scored.ledger.frame, scored.ledger
    name = frame["merchant"].str.upper().str.split().str.join(" ")
    columns = ["holder_id", "amount_pence", "row", "single_purchase_limit_pence"]
    table = frame[columns].assign(name=name, day=ledger.day, asked=scored.asked)
    return table[ledger.is_purchase]


def _by_money(payments: pd.DataFrame) -> Items:
    """Return single payments that are asked about, most money first."""
    scored_payments = payments[payments["asked"]].sort_values(
        "amount_pence", ascending=False, kind="stable"
    )
    return [[row] for row in scored_payments["row"].tolist()]


def day_rule(scored: ScoringContext) -> Items:
    """Return the same holder, merchant and day, together over the limit, most money first."""
    pence = scored.ledger.frame.set_index("row")["amount_pence"]
    return sorted(same_day_rule(scored), key=lambda rows: -int(pence[rows].sum()))


def bill_rule(scored: ScoringContext) -> Items:
    """Return the same sum to one merchant by another holder within 60 days, most money first."""
    table = _bought(scored)
    before = table.groupby(["name", "amount_pence"])[["day", "holder_id"]].shift()
    again = (table["day"] - before["day"] <= BILL_DAYS) & (
        table["holder_id"] != before["holder_id"]
    )
    return _by_money(table[again])


def first_rule(scored: ScoringContext) -> Items:
    """Return a holder's first payments to a merchant, most money first."""
    table = _bought(scored)
    return _by_money(table[~table.duplicated(["holder_id", "name"])])


def stolen_rule(scored: ScoringContext) -> Items:
    """Return a holder's day at merchants new to them, two payments or more, most money first."""
    table = _bought(scored)
    new = table[~table.duplicated(["holder_id", "name"]) & table["asked"]]
    days = new.groupby(["holder_id", "day"]).agg(
        total=("amount_pence", "sum"), count=("row", "size"), rows=("row", list)
    )
    days = days[days["count"] > 1].sort_values("total", ascending=False, kind="stable")
    return list(days["rows"])


def drip_rule(scored: ScoringContext) -> Items:
    """Return a holder's 90 days with one merchant over twice the limit, most money first."""
    table = _bought(scored)
    table = table[table["amount_pence"] <= table["single_purchase_limit_pence"]]
    table = table[table["asked"]]
    stretch = (table["day"] - table["day"].min()) // DRIP_DAYS
    groups = table.groupby(["holder_id", "name", stretch])
    totals = groups.agg(
        total=("amount_pence", "sum"),
        limit=("single_purchase_limit_pence", "max"),
        days=("day", "nunique"),
        rows=("row", list),
    )
    totals = totals[(totals["total"] > 2 * totals["limit"]) & (totals["days"] > 2)]
    return list(totals.sort_values("total", ascending=False, kind="stable")["rows"])


def team_rule(scored: ScoringContext) -> Items:
    """Return a merchant's three days with several holders, over the limit, most money first."""
    table = _bought(scored)
    table = table[table["asked"]]
    table = table[table["amount_pence"] <= table["single_purchase_limit_pence"]]
    groups = table.groupby(["name", table["day"] // TEAM_DAYS])
    totals = groups.agg(
        total=("amount_pence", "sum"),
        limit=("single_purchase_limit_pence", "max"),
        holders=("holder_id", "nunique"),
        rows=("row", list),
    )
    totals = totals[(totals["total"] > totals["limit"]) & (totals["holders"] > 1)]
    return list(totals.sort_values("total", ascending=False, kind="stable")["rows"])


def monthly_rule(scored: ScoringContext) -> Items:
    """Return the same sum by one holder to one merchant in three months, most money first."""
    table = _bought(scored)
    same = ["holder_id", "name", "amount_pence"]
    months = table.assign(month=table["day"] // 28).drop_duplicates([*same, "month"])
    third = months[months.groupby(same).cumcount() == MONTHS - 1]
    groups = table.groupby(same)["row"].agg(list)
    scored_months = third[third["asked"]].sort_values(
        "amount_pence", ascending=False, kind="stable"
    )
    return [groups[tuple(key)] for key in scored_months[same].itertuples(index=False)]


def refund_rule(scored: ScoringContext) -> Items:
    """Return refunds to a holder who never paid that merchant, most money first."""
    ledger, frame = scored.ledger, scored.ledger.frame
    bought = _bought(scored)
    met = set(zip(bought["holder_id"], bought["name"], strict=True))
    back = frame[ledger.is_refund & scored.asked]
    names = back["merchant"].str.upper().str.split().str.join(" ")
    new = [pair not in met for pair in zip(back["holder_id"], names, strict=True)]
    back = back[np.array(new, bool)].sort_values("amount_pence", kind="stable")
    return [[row] for row in back["row"].tolist()]


ONE_LINE: dict[str, Callable[[ScoringContext], Items]] = {
    "split on a day": day_rule,
    "split in days": window_rule,
    "across holders": team_rule,
    "same bill": bill_rule,
    "slow drip": drip_rule,
    "odd merchant": first_rule,
    "stolen card": stolen_rule,
    "subscription trap": monthly_rule,
    "refund to another card": refund_rule,
}
"""The one-line rule of each kind."""
