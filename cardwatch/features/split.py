"""Split purchases: payments that each stay within a limit and together pass it.

A search by sorted keys finds every window of days that qualifies, without a loop over groups;
each is then looked at payment by payment: refunded ones out, the least number that passes the
limit, and how likely chance would make such a sum. Of several windows that end on one day the one
that needs the fewest payments counts, then the one least likely by chance, then the shortest.
The same search looks among one holder's payments to one merchant, to names that look like one
merchant, to merchants of one category, and among the holders of one cost centre.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cardwatch.features.ledger import DAYS_APART, PAIR, spread
from cardwatch.features.split_chance import HISTORY_DAYS, window_chances

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.features.ledger import Codes, Ledger, Numbers

LIKENESS_TO_SPLIT = 8.0
"""Where the evidence for a split starts to count from; see `_evidence`."""
STANDING_MONTHS = 6
"""After a like sum in so many months of the last year a payment is a standing one."""
COLUMNS = {
    "count": 0.0,
    "total_pence": 0.0,
    "limit_pence": 0.0,
    "span_days": 0.0,
    "window_days": 0.0,
    "needed_count": 0.0,
    "needed_pence": 0.0,
    "needed_bookings_count": 0.0,
    "several_count": 0.0,
    "chance_share": 1.0,
    "earlier_count": 0.0,
}
"""What a search says of each row, and the value where no window ends."""


@dataclass(frozen=True)
class Search:
    """Where to look for splits.

    Attributes:
        by: what makes a group, the buyer's side first, the seller's second.
        limit: column with the limit in pence.
        several: column of which there have to be several values, or nothing.
        several_needed: whether the fewest payments that pass the limit have to be of several, with
            standing payments no part of them.
        only_days: the only window, in place of the policy's.
        what: the payments that it finds, in words.
        pattern: whose pattern their chance is told by, in words.
        columns: those of `COLUMNS` that are features.
    """

    by: tuple[str, str]
    limit: str
    what: str
    pattern: str
    columns: tuple[str, ...]
    several: str = ""
    several_needed: bool = False
    only_days: int | None = None


FACTS = ("count", "total_pence", "limit_pence", "span_days")
SEARCHES = {
    "limit": Search(
        by=("holder_id", "merchant_id"),
        limit="single_purchase_limit_pence",
        what="payments to one merchant that each keep to the holder's limit and together pass it",
        pattern="the holder's own pattern",
        columns=(*FACTS, "needed_count", "chance_share", "earlier_count"),
    ),
    "alias": Search(
        by=("holder_id", "alias_id"),
        limit="single_purchase_limit_pence",
        what="payments to names that look like one merchant and that together pass the limit",
        pattern="the holder's own pattern",
        columns=(*FACTS, "needed_count", "chance_share", "earlier_count", "several_count"),
        several="merchant_id",
    ),
    "category": Search(
        by=("holder_id", "category_id"),
        limit="single_purchase_limit_pence",
        what="payments on one day to merchants of one category that together pass the limit",
        pattern="the holder's own pattern",
        columns=(*FACTS[:3], "needed_count", "chance_share", "several_count"),
        several="merchant_id",
        only_days=0,
    ),
    "step": Search(
        by=("holder_id", "merchant_id"),
        limit="step_limit_pence",
        what="payments by one holder to one merchant within days that together pass the quote step",
        pattern="the holder's own pattern",
        columns=(*FACTS, "earlier_count"),
    ),
    "unit": Search(
        by=("cost_centre", "merchant_id"),
        limit="single_purchase_limit_pence",
        what="payments by several holders of one cost centre to one merchant that pass the limit",
        pattern="the cost centre's own pattern",
        columns=(*FACTS, "needed_count", "chance_share", "earlier_count", "several_count"),
        several="holder_id",
        several_needed=True,
    ),
}
MEANINGS = {
    "count": "Number of {what}.",
    "total_pence": "What they come to: {what}.",
    "limit_pence": "The limit that was in force when they ended: {what}.",
    "span_days": "Days from the first to the last, 0 is one day, of {what}.",
    "needed_count": "Least number that passes the limit of {what}.",
    "chance_share": "Chance that as many days come to as much by {pattern}.",
    "earlier_count": "Earlier days in a year on which such a window ended: {what}.",
    "several_count": "Holders or merchants among which they are spread: {what}.",
}


def find_splits(ledger: Ledger, search: Search) -> pd.DataFrame:
    """Return for each row the best window that ends on its day, with `COLUMNS`.

    Only rows that are part of a qualifying day have one; all purchases of that day share it.
    """
    found = pd.DataFrame(COLUMNS, index=ledger.frame.index)
    limit = ledger.frame[search.limit].to_numpy("float64")
    parts = ledger.is_purchase & (ledger.pence <= limit) & (limit > 0)
    parts &= ~ledger.frame["day_doubled"].to_numpy(bool)
    if search.several_needed:
        parts &= is_single_need(ledger).to_numpy()
    parts &= ~np.logical_or.reduce([ledger.is_blank(name) for name in search.by])
    rows = np.flatnonzero(parts)
    if not len(rows):
        return found
    group = ledger.group(*search.by)
    rows = rows[np.lexsort((rows, ledger.day[rows], group[rows]))]
    windows = _windows(ledger, search, rows, limit)
    if windows.empty:
        return found
    windows = windows.assign(chance_share=window_chances(ledger, search.by, rows, windows))
    best = _best(windows, search)
    # Every purchase of the closing day that is in the window carries it.
    closing = _closing_of(ledger, group, rows)
    ended = np.isin(closing, best["close"])
    rows, for_row = rows[ended], best.set_index("close").loc[closing[ended]]
    carries = ~(refunded_on(ledger)[rows] <= ledger.day[rows])
    carries &= ledger.pence[rows] <= for_row["limit_pence"].to_numpy()
    found.loc[rows[carries], :] = for_row[list(COLUMNS)].to_numpy("float64")[carries]
    return found


def _best(windows: pd.DataFrame, search: Search) -> pd.DataFrame:
    """Return of the windows that end on one day the one that counts, with its habit."""
    windows = windows.sort_values(
        ["close", "needed_count", "chance_share", "window_days"], kind="stable"
    )
    # A habit is one whether or not the earlier windows were spread among several as well.
    ended = windows.drop_duplicates("close")
    if search.several:
        windows = windows[windows["several_count"] > 1]
    best = windows.drop_duplicates("close")
    return best.assign(earlier_count=_earlier(ended, best))


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
    only = search.only_days
    for days in sorted(set(ledger.policy.split_windows_days)) if only is None else [only]:
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
            "several": ledger.group(search.several or "holder_id")[part[kept]],
            "booking": ledger.group("cost_centre", "purpose_id")[part[kept]],
        }
    ).sort_values(["window", "pence"], ascending=[True, False], kind="stable")
    before = parts.groupby("window")["pence"].cumsum() - parts["pence"]
    # The fewest that pass the limit, largest first; of equal ones each may be the last of them.
    needed = parts[before <= limit[parts["window"]]].groupby("window")["pence"]
    may_be = parts[parts["pence"] >= parts["window"].map(needed.min())].groupby("window")
    figures = parts.groupby("window").agg(
        count=("pence", "size"),
        total_pence=("pence", "sum"),
        start=("day", "min"),
        end=("day", "max"),
        several_count=("several", "nunique"),
    )
    figures["needed_count"], figures["needed_pence"] = needed.size(), needed.sum()
    figures["needed_bookings_count"] = may_be["booking"].nunique()
    figures["needed_several"] = may_be["several"].nunique()
    figures = windows.join(figures, how="inner")
    figures["span_days"] = figures["end"] - figures["start"]
    good = (figures["total_pence"] > figures["limit_pence"]) & (figures["count"] > 1)
    good &= figures["end"] == ledger.day[rows[figures["close"]]]
    if search.several_needed:
        good &= figures["needed_several"] > 1
    figures["group"] = ledger.group(*search.by)[rows[figures["close"]]]
    return figures[good]


def _earlier(ended: pd.DataFrame, best: pd.DataFrame) -> Numbers:
    """Count the days in a year before each window on which another of its group ended."""
    ends = np.sort((ended["group"] * DAYS_APART + ended["end"]).to_numpy())
    key, start, end = (best[name].to_numpy() for name in ("group", "start", "end"))
    key = key * DAYS_APART
    first = np.searchsorted(ends, np.maximum(key + end - HISTORY_DAYS, key))
    return np.maximum(np.searchsorted(ends, key + start) - first, 0).astype("float64")


def is_single_need(ledger: Ledger) -> pd.Series[bool]:
    """Whether the holder did not pay a like sum here in six months of the last year already."""
    like = (*PAIR, "size_band")
    first = ledger.first_of_kind(ledger.is_purchase, (*like, "month"))
    months = ledger.count(first, like, HISTORY_DAYS, until=1)
    return ledger.series(ledger.is_purchase & (months < STANDING_MONTHS))


def refunded_on(ledger: Ledger) -> Numbers:
    """Return the day on which each purchase was refunded in full, or nan; see `_refunds`."""
    return ledger.once("refunds", lambda: _refunds(ledger))["day"].to_numpy()


def _refunds(ledger: Ledger) -> pd.DataFrame:
    """Return the day on which each purchase was refunded in full, or nan.

    Each refund by a merchant to a holder answers the latest purchase of that amount before it that
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
    step = pd.Series(np.where(events["refund"], -1, 1), events.index)
    level = step.groupby([events["who"], events["pence"]]).cumsum() + events["refund"]
    events = events.assign(level=level)  # as brackets: each closes the last one open
    by = ["who", "pence", "level"]
    events["nth"] = events.groupby([*by, "refund"]).cumcount()
    bought, back = events[~events["refund"]], events[events["refund"]]
    both = bought.merge(back, on=[*by, "nth"])
    day = np.full(len(ledger), np.nan)
    day[both["row_x"]] = both["day_y"]
    return pd.DataFrame({"day": day}, ledger.frame.index)


def _found(ledger: Ledger, search: str) -> pd.DataFrame:
    """Return what a search says of the rows at which a window ends."""

    def make() -> pd.DataFrame:
        found = find_splits(ledger, SEARCHES[search])
        return found[found["count"] > 0]

    return ledger.once(f"split {search}", make)


def _of(ledger: Ledger, search: str, column: str) -> pd.Series[float]:
    """Return one column of a search, a row each."""
    found = _found(ledger, search)[column]
    return found.reindex(ledger.frame.index, fill_value=COLUMNS[column])


def _feature(search: str, column: str) -> Callable[[Ledger], pd.Series[float]]:
    """Return the feature that is one column of a search."""

    def read(ledger: Ledger) -> pd.Series[float]:
        return _of(ledger, search, column)

    found = SEARCHES[search]
    read.__name__ = f"{search}_split_{column}"
    read.__doc__ = MEANINGS[column].format(what=found.what, pattern=found.pattern)
    return read


SEARCH_FEATURES = tuple(
    _feature(name, column) for name, search in SEARCHES.items() for column in search.columns
)
"""One feature for each column that a search names, such as `limit_split_total_pence`."""


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


def split_surprise(ledger: Ledger) -> pd.Series[float]:
    """Payments to one merchant look like parts of one purchase over the limit."""
    return _evidence(ledger, "limit")


def alias_split_surprise(ledger: Ledger) -> pd.Series[float]:
    """Payments to names that look like one merchant look like parts of one purchase."""
    return _evidence(ledger, "alias")


def step_split_surprise(ledger: Ledger) -> pd.Series[float]:
    """Payments to one merchant look like parts of one purchase over the quote step."""
    return _evidence(ledger, "step")


def unit_split_surprise(ledger: Ledger) -> pd.Series[float]:
    """Payments by several holders of one cost centre look like parts of one purchase."""
    return _evidence(ledger, "unit")


def _evidence(ledger: Ledger, search: str) -> pd.Series[float]:
    """Return how much speaks for one purchase in parts, in steps of about a half, 0 for no split.

    For it: chance seldom makes such a sum; the fewest payments that pass the limit are few and as
    large as it allows; the window is spread over days. Against it: those payments are booked to
    several cost centres or purposes; the same has happened before. What else was bought there in
    those days speaks neither way. The weights are round figures chosen by judgement, and no
    detector was fitted to planted cases (docs/detection.md).
    """
    table = _found(ledger, search)
    needed, limit = table["needed_count"].clip(lower=1), table["limit_pence"].clip(lower=1)
    filled = table["needed_pence"] / (limit * needed)
    bookings = table["needed_bookings_count"].clip(lower=1)
    points = -0.5 * np.log10(table["chance_share"])
    points += 2 * np.log2(filled.clip(lower=1e-3)) - needed
    points += (table["span_days"] > 0) - 2 * np.log2(bookings)
    points -= 2 * np.log1p(table["earlier_count"])
    strength = (points + LIKENESS_TO_SPLIT).clip(lower=0.01)
    return strength.reindex(ledger.frame.index, fill_value=0.0)
