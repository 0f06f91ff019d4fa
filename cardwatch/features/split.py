"""Split purchases: payments that each stay within a limit and together pass it.

A search by sorted keys finds every window of days that qualifies, without a loop over groups;
each is then looked at payment by payment: refunded ones out, the least number that passes the
limit, and how likely chance would make such a sum. Of several windows that end on one day the one
that needs the fewest payments counts, then the one least likely by chance, then the shortest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cardwatch.features.ledger import DAYS_APART
from cardwatch.features.split_chance import HISTORY_DAYS, SMALLEST_CHANCE, spread, window_chances

if TYPE_CHECKING:
    from cardwatch.features.ledger import Codes, Ledger, Numbers

MOST_NEEDED = 12
"""Windows that need more payments than this are told apart by chance alone."""
COLUMNS = {
    "count": 0.0,
    "total_pence": 0.0,
    "limit_pence": 0.0,
    "span_days": 0.0,
    "window_days": 0.0,
    "needed_count": 0.0,
    "holders_count": 0.0,
    "chance_share": 1.0,
    "earlier_count": 0.0,
}
"""What a search says of each row, and the value where no window ends."""


@dataclass(frozen=True)
class Search:
    """Where to look for splits.

    Attributes:
        by: columns that make a group, the buyer's side first, `merchant_id` last.
        limit: column with the limit in pence.
        across: whether several holders have to be in it, none of them over the limit alone.
    """

    by: tuple[str, str]
    limit: str
    across: bool = False


SEARCHES = {
    "limit": Search(("holder_id", "merchant_id"), "single_purchase_limit_pence"),
    "step": Search(("holder_id", "merchant_id"), "step_limit_pence"),
    "unit": Search(("cost_centre", "merchant_id"), "single_purchase_limit_pence", across=True),
}


def find_splits(ledger: Ledger, search: Search) -> pd.DataFrame:
    """Return for each row the best window that ends on its day, with `COLUMNS`.

    Only rows that are part of a qualifying day have one; all purchases of that day share it.
    """
    found = pd.DataFrame(COLUMNS, index=ledger.frame.index)
    limit = ledger.frame[search.limit].to_numpy("float64")
    parts = ledger.is_purchase & (ledger.pence <= limit) & (limit > 0)
    parts &= ~ledger.frame["day_doubled"].to_numpy(bool)
    parts &= (ledger.frame[search.by[0]] != "").to_numpy(bool)
    rows = np.flatnonzero(parts)
    if not len(rows):
        return found
    group = ledger.group(*search.by)
    rows = rows[np.lexsort((rows, ledger.day[rows], group[rows]))]
    windows = _windows(ledger, search, rows, limit)
    if windows.empty:
        return found
    windows = windows.assign(chance_share=window_chances(ledger, search.by, rows, windows))
    best = windows.sort_values(
        ["close", "needed_count", "chance_share", "window_days"], kind="stable"
    ).drop_duplicates("close")
    best = best.assign(earlier_count=_earlier(best))
    # Every purchase of the closing day that is in the window carries it.
    for_row = best.set_index("close").reindex(_closing_of(ledger, group, rows))
    carries = ~(refunded_on(ledger)[rows] <= ledger.day[rows])
    carries &= ledger.pence[rows] <= for_row["limit_pence"].to_numpy()
    values = for_row[list(COLUMNS)].set_axis(rows, axis=0)[carries].dropna(how="all")
    found.loc[values.index, :] = values
    return found


def _closing_of(ledger: Ledger, group: Codes, rows: Codes) -> Codes:
    """Return for each part the position of the last part of its group and day."""
    key = np.stack([group[rows], ledger.day[rows]])
    ends = np.append((key[:, 1:] != key[:, :-1]).any(axis=0), True)
    positions = np.flatnonzero(ends)
    return positions[np.searchsorted(positions, np.arange(len(rows)))]


def _windows(ledger: Ledger, search: Search, rows: Codes, limit: Numbers) -> pd.DataFrame:
    """Return the windows that qualify: position of first and last part, and their figures."""
    group, day = ledger.group(*search.by)[rows], ledger.day[rows]
    key = group * DAYS_APART + day
    sums = np.concatenate([[0.0], np.cumsum(ledger.pence[rows])])
    close = np.unique(_closing_of(ledger, ledger.group(*search.by), rows))
    tops = pd.Series(limit[rows]).groupby(key).transform("max").to_numpy()
    tables = []
    for days in sorted(set(ledger.policy.split_windows_days)):
        first = np.searchsorted(key, key[close] - days)
        over = (sums[close + 1] - sums[first] > tops[close]) & (close > first)
        wide = {"close": close[over], "first": first[over], "window_days": days}
        tables.append(pd.DataFrame(wide | {"limit_pence": tops[close][over]}))
    windows = pd.concat(tables, ignore_index=True)
    return _examined(ledger, search, rows, windows) if len(windows) else windows


def _examined(ledger: Ledger, search: Search, rows: Codes, windows: pd.DataFrame) -> pd.DataFrame:
    """Look at each window payment by payment and keep those that still qualify."""
    sizes = (windows["close"] - windows["first"] + 1).to_numpy()
    window, position = spread(windows["first"].to_numpy(), sizes)
    part = rows[position]
    closed = ledger.day[rows[windows["close"].to_numpy()]][window]
    limit = windows["limit_pence"].to_numpy()
    kept = ~(refunded_on(ledger)[part] <= closed) & (ledger.pence[part] <= limit[window])
    parts = pd.DataFrame(
        {
            "window": window[kept],
            "pence": ledger.pence[part[kept]],
            "day": ledger.day[part[kept]],
            "holder": ledger.group("holder_id")[part[kept]],
        }
    ).sort_values(["window", "pence"], ascending=[True, False], kind="stable")
    running = parts.groupby("window")["pence"].cumsum()
    within = running <= limit[parts["window"]]
    grouped = parts.assign(within=within).groupby("window")
    figures = grouped.agg(
        count=("pence", "size"),
        total_pence=("pence", "sum"),
        start=("day", "min"),
        end=("day", "max"),
        needed_count=("within", "sum"),
        holders_count=("holder", "nunique"),
    )
    figures["needed_count"] += 1
    most = parts.groupby(["window", "holder"])["pence"].sum().groupby("window").max()
    figures = windows.join(figures, how="inner").assign(most=most)
    figures["span_days"] = figures["end"] - figures["start"]
    good = (figures["total_pence"] > figures["limit_pence"]) & (figures["count"] > 1)
    good &= figures["end"] == ledger.day[rows[figures["close"]]]
    if search.across:
        good &= (figures["holders_count"] > 1) & (figures["most"] <= figures["limit_pence"])
    figures["group"] = ledger.group(*search.by)[rows[figures["close"]]]
    return figures[good]


def _earlier(best: pd.DataFrame) -> pd.Series[float]:
    """Count for each closing day the earlier ones of its group in a year, apart from its window."""
    best = best.sort_values(["group", "end"])
    key = (best["group"] * DAYS_APART).to_numpy()
    ends = key + best["end"].to_numpy()
    first = np.searchsorted(ends, ends - HISTORY_DAYS)
    last = np.searchsorted(ends, key + best["start"].to_numpy())
    earlier = np.maximum(last - np.maximum(first, np.searchsorted(ends, key)), 0)
    return pd.Series(earlier.astype("float64"), index=best.index)


def refunded_on(ledger: Ledger) -> Numbers:
    """Return the day on which each purchase was refunded in full, or nan; see `_refunds`."""
    return ledger.once("refunds", lambda: _refunds(ledger))["day"].to_numpy()


def _refunds(ledger: Ledger) -> pd.DataFrame:
    """Return the day on which each purchase was refunded in full, or nan.

    Each refund by a merchant to a holder answers the oldest purchase of that amount before it that
    none has answered yet; a refund that finds no such purchase answers none.
    """
    rows = np.flatnonzero(ledger.is_purchase | ledger.is_refund)
    events = pd.DataFrame(
        {
            "who": ledger.group("holder_id", "merchant_id")[rows],
            "pence": np.abs(ledger.pence[rows]),
            "day": ledger.day[rows],
            "refund": ledger.is_refund[rows],
            "row": rows,
        }
    ).sort_values(["who", "pence", "day", "refund"], kind="stable")
    same = [events["who"], events["pence"]]
    open_count = pd.Series(np.where(events["refund"], -1, 1), events.index).groupby(same).cumsum()
    lowest = open_count.groupby(same).cummin().clip(upper=0)
    unanswering = events["refund"] & (lowest < lowest.groupby(same).shift(fill_value=0))
    events = events[~unanswering]
    events["nth"] = events.groupby(["who", "pence", "refund"]).cumcount()
    bought, back = events[~events["refund"]], events[events["refund"]]
    both = bought.merge(back, on=["who", "pence", "nth"])
    day = np.full(len(ledger), np.nan)
    day[both["row_x"]] = both["day_y"]
    return pd.DataFrame({"day": day}, ledger.frame.index)


def _of(ledger: Ledger, search: str, column: str) -> pd.Series[float]:
    """Return one column of a search."""
    return ledger.once(f"split {search}", lambda: find_splits(ledger, SEARCHES[search]))[column]


def limit_split_count(ledger: Ledger) -> pd.Series[float]:
    """Payments to one merchant that each keep to the holder's limit and together pass it."""
    return _of(ledger, "limit", "count")


def limit_split_total_pence(ledger: Ledger) -> pd.Series[float]:
    """What those payments come to."""
    return _of(ledger, "limit", "total_pence")


def limit_split_limit_pence(ledger: Ledger) -> pd.Series[float]:
    """The limit for one purchase that was in force when they ended."""
    return _of(ledger, "limit", "limit_pence")


def limit_split_span_days(ledger: Ledger) -> pd.Series[float]:
    """Days from the first of those payments to the last; 0 is one day."""
    return _of(ledger, "limit", "span_days")


def limit_split_needed_count(ledger: Ledger) -> pd.Series[float]:
    """Least number of those payments that passes the limit."""
    return _of(ledger, "limit", "needed_count")


def limit_split_chance_share(ledger: Ledger) -> pd.Series[float]:
    """Chance that as many days come to as much by the holder's own pattern."""
    return _of(ledger, "limit", "chance_share")


def limit_split_earlier_count(ledger: Ledger) -> pd.Series[float]:
    """Earlier days in a year on which such a window ended, for the same holder and merchant."""
    return _of(ledger, "limit", "earlier_count")


def _only_with_vat(ledger: Ledger, search: str, limit: str) -> pd.Series[bool]:
    """Return whether a window passes its limit only if the limit is meant with VAT, not said."""
    total = _of(ledger, search, "total_pence")
    return (total > 0) & (total <= ledger.frame[limit])


def is_limit_split_only_with_vat(ledger: Ledger) -> pd.Series[bool]:
    """Whether they pass the limit only if it is meant with VAT, which is not said."""
    return _only_with_vat(ledger, "limit", "single_purchase_sure_limit_pence")


def is_step_split_only_with_vat(ledger: Ledger) -> pd.Series[bool]:
    """Whether they pass the quote step only if it is meant with VAT, which is not said."""
    return _only_with_vat(ledger, "step", "step_sure_limit_pence")


def is_unit_split_only_with_vat(ledger: Ledger) -> pd.Series[bool]:
    """Whether they pass the limit together only if it is meant with VAT, which is not said."""
    return _only_with_vat(ledger, "unit", "single_purchase_sure_limit_pence")


def step_split_count(ledger: Ledger) -> pd.Series[float]:
    """Payments by one holder to one merchant within days that together pass the quote step."""
    return _of(ledger, "step", "count")


def step_split_total_pence(ledger: Ledger) -> pd.Series[float]:
    """What those payments come to."""
    return _of(ledger, "step", "total_pence")


def step_split_limit_pence(ledger: Ledger) -> pd.Series[float]:
    """The quote step that was in force when they ended."""
    return _of(ledger, "step", "limit_pence")


def step_split_span_days(ledger: Ledger) -> pd.Series[float]:
    """Days from the first of those payments to the last; 0 is one day."""
    return _of(ledger, "step", "span_days")


def step_split_earlier_count(ledger: Ledger) -> pd.Series[float]:
    """Earlier days in a year on which such a window ended, for the same holder and merchant."""
    return _of(ledger, "step", "earlier_count")


def unit_split_count(ledger: Ledger) -> pd.Series[float]:
    """Payments by several holders of one cost centre to one merchant that pass the limit."""
    return _of(ledger, "unit", "count")


def unit_split_total_pence(ledger: Ledger) -> pd.Series[float]:
    """What those payments come to."""
    return _of(ledger, "unit", "total_pence")


def unit_split_limit_pence(ledger: Ledger) -> pd.Series[float]:
    """The limit for one purchase that was in force when they ended."""
    return _of(ledger, "unit", "limit_pence")


def unit_split_span_days(ledger: Ledger) -> pd.Series[float]:
    """Days from the first of those payments to the last; 0 is one day."""
    return _of(ledger, "unit", "span_days")


def unit_split_holders_count(ledger: Ledger) -> pd.Series[float]:
    """Holders among whom those payments are spread."""
    return _of(ledger, "unit", "holders_count")


def unit_split_needed_count(ledger: Ledger) -> pd.Series[float]:
    """Least number of those payments that passes the limit."""
    return _of(ledger, "unit", "needed_count")


def unit_split_chance_share(ledger: Ledger) -> pd.Series[float]:
    """Chance that as many days come to as much by the cost centre's own pattern."""
    return _of(ledger, "unit", "chance_share")


def unit_split_earlier_count(ledger: Ledger) -> pd.Series[float]:
    """Earlier days in a year on which such a window ended, for that cost centre and merchant."""
    return _of(ledger, "unit", "earlier_count")


def split_surprise(ledger: Ledger) -> pd.Series[float]:
    """Few payments are enough to pass the limit together, and chance seldom makes such a sum."""
    needed, chance = limit_split_needed_count(ledger), limit_split_chance_share(ledger)
    few = MOST_NEEDED - needed.clip(upper=MOST_NEEDED)
    rare = -np.log(chance) / -np.log(SMALLEST_CHANCE)
    return (few + rare).where(needed > 0, 0.0)  # by the payments needed, then by chance
