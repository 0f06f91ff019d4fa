"""Split purchases: payments that are each within a limit and together exceed it.

A search by sorted keys finds every window of days that qualifies, without a loop over groups;
each is then looked at payment by payment: refunded ones out, the least number that passes the
limit, and how likely chance would make such a sum. Of several windows that end on one day the one
that needs the fewest payments counts, then the one least likely by chance, then the shortest.
The same search looks among one holder's payments to one merchant, to names that look like one
merchant, to merchants of one category, and among the holders of one cost centre.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cardwatch.features.ledger import DAYS_APART, PAIR, expand_runs, take_rows
from cardwatch.features.split_probability import HISTORY_DAYS, window_chances
from cardwatch.features.together import (
    approver,
    bought_together,
    is_billed_per_person,
    merchant_users_share,
    small_team,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.features.ledger import Codes, Columns, Flags, Ledger, Numbers

LIKENESS_TO_SPLIT = 8.0
"""Offset of the evidence for a split; see `_evidence`."""
TOGETHER = 3.0
"""Points for a split between holders who buy together; for others those of an unused merchant."""
LEAST_SHARE = 0.001
"""Share of holders below which a merchant is as good as unused."""
FEW_PARTS, UNLIKELY = 3, 0.02
"""A split of few parts whose total the usual pattern makes less than once in 50 such periods."""
STANDING_MONTHS = 6
"""Months of the last year with a similar amount that make a payment a regular one."""
SPLIT_DEFAULTS = {
    "count": 0.0,
    "total_pence": 0.0,
    "limit_pence": 0.0,
    "span_days": 0.0,
    "window_days": 0.0,
    "needed_count": 0.0,
    "needed_pence": 0.0,
    "needed_least_pence": 0.0,
    "needed_bookings_count": 0.0,
    "several_count": 0.0,
    "pairs_count": 0.0,
    "chance_share": 1.0,
    "earlier_count": 0.0,
}
"""Columns of a search result, with the value for rows where no window ends."""


@dataclass(frozen=True)
class Search:
    """Where to look for splits.

    Attributes:
        by: what makes a group, the buyer's side first, the seller's second.
        limit: column with the limit in pence.
        several: column of which there have to be several values, or nothing.
        several_needed: whether the fewest payments that pass the limit have to be of several, with
            standing payments no part of them.
        booked_by: columns that tell what a payment was for; several cardholders' cost centres
            differ anyway.
        only_days: the only window, in place of the policy's.
        what: the payments that it finds, in words.
        pattern: whose pattern their chance is told by, in words.
        columns: those of `SPLIT_DEFAULTS` that are features.
    """

    by: tuple[str, str]
    limit: str
    what: str
    pattern: str
    columns: tuple[str, ...]
    several: str = ""
    several_needed: bool = False
    booked_by: tuple[str, ...] = ("cost_centre", "purpose_id")
    only_days: int | None = None


SPLIT_FACTS = ("count", "total_pence", "limit_pence", "span_days")
SEARCHES = {
    "limit": Search(
        by=("holder_id", "merchant_id"),
        limit="single_purchase_limit_pence",
        what="payments to one merchant, each within the limit, that together exceed it",
        pattern="this cardholder's usual pattern",
        columns=(*SPLIT_FACTS, "needed_count", "chance_share", "earlier_count"),
    ),
    "alias": Search(
        by=("holder_id", "alias_id"),
        limit="single_purchase_limit_pence",
        what="payments to similar merchant names that together exceed the limit",
        pattern="this cardholder's usual pattern",
        columns=(*SPLIT_FACTS, "needed_count", "chance_share", "earlier_count", "several_count"),
        several="merchant_id",
    ),
    "category": Search(
        by=("holder_id", "category_id"),
        limit="single_purchase_limit_pence",
        what="payments on one day to merchants of one category that together exceed the limit",
        pattern="this cardholder's usual pattern",
        columns=(*SPLIT_FACTS[:3], "needed_count", "chance_share", "several_count"),
        several="merchant_id",
        only_days=0,
    ),
    "step": Search(
        by=("holder_id", "merchant_id"),
        limit="step_limit_pence",
        what="payments to one merchant over a few days that together exceed the quotation "
        "threshold",
        pattern="this cardholder's usual pattern",
        columns=(*SPLIT_FACTS, "earlier_count"),
    ),
    "unit": Search(
        by=("organisation", "merchant_id"),
        limit="single_purchase_limit_pence",
        what="payments by several cardholders to one merchant that together exceed the limit",
        pattern="the organisation's usual pattern",
        columns=(
            *SPLIT_FACTS,
            "needed_count",
            "chance_share",
            "earlier_count",
            "several_count",
            "pairs_count",
        ),
        several="holder_id",
        several_needed=True,
        booked_by=("purpose_id",),
    ),
}
MEANINGS = {
    "count": "Number of {what}.",
    "total_pence": "Total of {what}.",
    "limit_pence": "Limit on the last day of {what}.",
    "span_days": "Days between first and last payment.",
    "needed_count": "Smallest number of {what}.",
    "chance_share": "Chance of a total this high in a period of this length, on {pattern}.",
    "earlier_count": "Earlier days in a year with {what}.",
    "several_count": "Number of cardholders or merchants of {what}.",
    "pairs_count": "Pairs of cardholders who buy together among those of {what}.",
}


def find_splits(ledger: Ledger, search: Search) -> Columns:
    """Return for each row the best window that ends on its day, by the names of `SPLIT_DEFAULTS`.

    Only rows that are part of a qualifying day have one; all purchases of that day share it.
    """
    table = np.tile([*SPLIT_DEFAULTS.values()], (len(ledger), 1))
    _search(ledger, search, table)
    return dict(zip(SPLIT_DEFAULTS, table.T, strict=True))


def _search(ledger: Ledger, search: Search, table: Numbers) -> None:
    """Write what a search says of the rows that carry a window into a table of `SPLIT_DEFAULTS`."""
    limit = ledger.column(search.limit).astype("float64")
    parts = ledger.is_purchase & (ledger.pence <= limit) & (limit > 0)
    parts &= ~ledger.column("day_doubled")
    if search.several_needed:
        parts &= is_single_need(ledger)
    parts &= ~np.logical_or.reduce([ledger.is_blank(name) for name in search.by])
    rows = np.flatnonzero(parts)
    if not len(rows):
        return
    group = ledger.group(*search.by)
    rows = rows[np.lexsort((rows, ledger.day[rows], group[rows]))]
    windows = _windows(ledger, search, rows, limit)
    if not len(windows["close"]):
        return
    windows["chance_share"] = window_chances(ledger, search.by, rows, windows)
    best = _best(windows, search)
    # Every purchase of the closing day that is in the window carries it.
    closing = _closing_of(ledger, group, rows)
    ended = np.isin(closing, best["close"])
    rows, for_row = rows[ended], take_rows(best, np.searchsorted(best["close"], closing[ended]))
    carries = ~(refunded_on(ledger)[rows] <= ledger.day[rows])
    carries &= ledger.pence[rows] <= for_row["limit_pence"]
    table[rows[carries]] = np.stack([for_row[name] for name in SPLIT_DEFAULTS], axis=1)[carries]


def _best(windows: Columns, search: Search) -> Columns:
    """Return of the windows that end on one day the one that counts, with its habit."""
    ranked = ("window_days", "chance_share", "needed_count", "close")
    windows = take_rows(windows, np.lexsort([windows[name] for name in ranked]))
    # A habit is one whether or not the earlier windows were spread among several as well.
    ended = take_rows(windows, np.unique(windows["close"], return_index=True)[1])
    if search.several:
        windows = take_rows(windows, windows["several_count"] > 1)
    best = take_rows(windows, np.unique(windows["close"], return_index=True)[1])
    return best | {"earlier_count": _earlier(ended, best)}


def _closing_of(ledger: Ledger, group: Codes, rows: Codes) -> Codes:
    """Return for each part the position of the last part of its group and day."""
    key = np.stack([group[rows], ledger.day[rows]])
    ends = np.append((key[:, 1:] != key[:, :-1]).any(axis=0), True)
    positions = np.flatnonzero(ends)
    return positions[np.searchsorted(positions, np.arange(len(rows)))]


def _windows(ledger: Ledger, search: Search, rows: Codes, limit: Numbers) -> Columns:
    """Return the windows that qualify: position of first and last part, and their figures."""
    group, day = ledger.group(*search.by)[rows], ledger.day[rows]
    key = group * DAYS_APART + day
    sums = np.concatenate([[0.0], np.cumsum(ledger.pence[rows])])
    close = np.unique(_closing_of(ledger, ledger.group(*search.by), rows))
    starts = np.searchsorted(key, key[close])  # of the closing days themselves
    tops = np.maximum.reduceat(limit[rows], starts)
    only, wide = search.only_days, []
    for days in sorted(set(ledger.policy.split_windows_days)) if only is None else [only]:
        first = np.searchsorted(key, key[close] - days)
        over = (sums[close + 1] - sums[first] > tops) & (close > first)
        wide.append((close[over], first[over], np.full(over.sum(), days), tops[over]))
    names = ("close", "first", "window_days", "limit_pence")
    windows = dict(zip(names, map(np.concatenate, zip(*wide, strict=True)), strict=True))
    return _examined(ledger, search, rows, windows)


def _examined(ledger: Ledger, search: Search, rows: Codes, windows: Columns) -> Columns:
    """Look at each window payment by payment and keep those that still qualify."""
    window, position = expand_runs(windows["first"], windows["close"] - windows["first"] + 1)
    part, closed = rows[position], ledger.day[rows[windows["close"]]]
    qualifies = ~(refunded_on(ledger)[part] <= closed[window])
    qualifies &= ledger.pence[part] <= windows["limit_pence"][window]
    there, window = np.unique(window[qualifies], return_inverse=True)
    windows, part = take_rows(windows, there), part[qualifies]
    order = np.lexsort((-ledger.pence[part], window))
    window, part = window[order], part[order]
    pence, day, count = ledger.pence[part], ledger.day[part], np.bincount(window)
    starts = np.cumsum(count) - count
    # The fewest that pass the limit, largest first; of equal ones each may be the last of them.
    before = np.cumsum(pence) - pence
    needed = before - before[starts][window] <= windows["limit_pence"][window]
    needed_count = np.bincount(window[needed], minlength=len(count))
    may_be = pence >= pence[starts + needed_count - 1][window]
    several = ledger.group(search.several or "holder_id")[part]
    booking = ledger.group(*search.booked_by)[part]
    figures = windows | {
        "group": ledger.group(*search.by)[rows[windows["close"]]],
        "count": count,
        "total_pence": np.bincount(window, pence),
        "start": np.minimum.reduceat(day, starts),
        "end": np.maximum.reduceat(day, starts),
        "several_count": _distinct(window, several),
        "needed_count": needed_count,
        "needed_pence": np.bincount(window[needed], pence[needed]),
        "needed_least_pence": pence[starts + needed_count - 1],
        "needed_bookings_count": _distinct(window[may_be], booking[may_be]),
        "pairs_count": np.zeros(len(count)),
    }
    figures["span_days"] = figures["end"] - figures["start"]
    good = (figures["total_pence"] > figures["limit_pence"]) & (count > 1)
    good &= figures["end"] == closed[there]
    if search.several_needed:
        good &= _distinct(window[may_be], several[may_be]) > 1
        needed_rows = (window[may_be], part[may_be])
        figures["pairs_count"] = _together(ledger, *needed_rows, figures["start"], good)
    return take_rows(figures, good)


def _together(ledger: Ledger, window: Codes, part: Codes, start: Codes, good: Flags) -> Numbers:
    """Count for each window the pairs of holders who are colleagues by all that is known.

    Args:
        ledger: the transactions.
        window: of each part, the number of its window.
        part: rows that may be needed to exceed the limit.
        start: first day of each window.
        good: which windows are looked at.
    """
    if not good.any():
        return np.zeros(len(start))
    window, part = window[good[window]], part[good[window]]
    holder = ledger.group("holder_id")[part]
    table = {"window": window, "holder": holder, "part": part}
    first = np.unique(np.stack([window, holder]), axis=1, return_index=True)[1]
    table = take_rows(table, first)  # each holder of a window once, window by window
    size = np.bincount(table["window"], minlength=len(start))[table["window"]]
    place = np.searchsorted(table["window"], table["window"])
    one, two = expand_runs(np.arange(len(first)) + 1, place + size - np.arange(len(first)) - 1)
    first_part, second_part = table["part"][one], table["part"][two]
    same = np.zeros(len(one), bool)
    for circle in (small_team(ledger), approver(ledger)):
        same |= (circle[first_part] == circle[second_part]) & (circle[first_part] >= 0)
    same |= bought_together(
        ledger, table["holder"][one], table["holder"][two], start[table["window"][one]]
    )
    return np.bincount(table["window"][one[same]], minlength=len(start)).astype("float64")


def _distinct(window: Codes, values: Codes) -> Codes:
    """Return for each window how many distinct values its parts have."""
    room = values.max(initial=0) + 1
    return np.bincount(np.unique(window * room + values) // room)


def _earlier(ended: Columns, best: Columns) -> Numbers:
    """Count the days in a year before each window on which another of its group ended."""
    ends = np.sort(ended["group"] * DAYS_APART + ended["end"])
    key, start, end = best["group"] * DAYS_APART, best["start"], best["end"]
    first = np.searchsorted(ends, np.maximum(key + end - HISTORY_DAYS, key))
    return np.maximum(np.searchsorted(ends, key + start) - first, 0).astype("float64")


def is_single_need(ledger: Ledger) -> Flags:
    """Whether it is no regular payment: no similar amount here in six months of the last year."""
    like = (*PAIR, "size_band")
    first = ledger.first_of_kind(ledger.is_purchase, (*like, "month"))
    months = ledger.count(first, like, HISTORY_DAYS, until=1)
    return ledger.is_purchase & (months < STANDING_MONTHS)


def refunded_on(ledger: Ledger) -> Numbers:
    """Return the day on which each purchase was refunded in full, or nan; see `_refunds`."""
    return ledger.once("refunds", lambda: _refunds(ledger))


def taken_back(ledger: Ledger) -> Flags:
    """Return which purchases were refunded in full on their own day: mistakes put right at once."""
    return refunded_on(ledger) == ledger.day


def _refunds(ledger: Ledger) -> Numbers:
    """Return the day on which each purchase was refunded in full, or nan.

    Each refund by a merchant to a holder answers the latest purchase of that amount before it that
    none has answered yet; a refund that finds no such purchase answers none. What is asked about
    is answered by what comes with it: a refund that came before its charge can be made up.
    """
    same, refund, asked = ledger.group(*PAIR, "size_pence"), ledger.is_refund, ledger.is_asked
    rows = np.flatnonzero((ledger.is_purchase | refund) & np.isin(same, same[refund]))
    rows = rows[np.lexsort((refund[rows], ledger.day[rows]))]  # of one day the charges first
    day = np.full(len(ledger), np.nan)
    unanswered: dict[tuple[int, bool], list[int]] = defaultdict(list)
    for row, group in zip(rows.tolist(), same[rows].tolist(), strict=True):
        if not refund[row]:
            unanswered[group, bool(asked[row])].append(row)
            continue
        charges = unanswered[group, False]
        if asked[row]:  # rows are in order of day
            charges = max(charges, unanswered[group, True], key=lambda these: these[-1:])
        if charges:
            day[charges.pop()] = ledger.day[row]
    return day


def _found(ledger: Ledger, search: str) -> Columns:
    """Return what a search says of the rows at which a window ends."""

    def make() -> Columns:
        splits = find_splits(ledger, SEARCHES[search])
        rows = np.flatnonzero(splits["count"] > 0)
        return take_rows(splits, rows) | {"row": rows}

    return ledger.once(f"split {search}", make)


def _of(ledger: Ledger, search: str, column: str) -> Numbers:
    """Return one column of a search, a row each."""
    splits = _found(ledger, search)
    values = np.full(len(ledger), SPLIT_DEFAULTS[column])
    values[splits["row"]] = splits[column]
    return values


def _feature(search: str, column: str) -> Callable[[Ledger], Numbers]:
    """Return the feature that is one column of a search."""

    def read(ledger: Ledger) -> Numbers:
        return _of(ledger, search, column)

    searched = SEARCHES[search]
    read.__name__ = f"{search}_split_{column}"
    read.__doc__ = MEANINGS[column].format(what=searched.what, pattern=searched.pattern)
    return read


SEARCH_FEATURES = tuple(
    _feature(name, column) for name, search in SEARCHES.items() for column in search.columns
)
"""One feature for each column that a search names, such as `limit_split_total_pence`."""


def is_unlikely_split(ledger: Ledger) -> Flags:
    """Whether a split of at most three parts ends here that chance and prices seldom make."""
    needed, chance = (_of(ledger, "limit", name) for name in ("needed_count", "chance_share"))
    unlikely = (needed > 0) & (needed <= FEW_PARTS) & (chance <= UNLIKELY)
    return unlikely & ~is_billed_per_person(ledger)


def _only_with_vat(ledger: Ledger, search: str, limit: str) -> Flags:
    """Return whether a window passes its limit only if the limit is meant with VAT, not said."""
    total = _of(ledger, search, "total_pence")
    return (total > 0) & (total <= ledger.column(limit))


def is_limit_split_only_with_vat(ledger: Ledger) -> Flags:
    """Whether they exceed the limit only if it includes VAT, which is not stated."""
    return _only_with_vat(ledger, "limit", "single_purchase_sure_limit_pence")


def is_step_split_only_with_vat(ledger: Ledger) -> Flags:
    """Whether they exceed the threshold only if it includes VAT, which is not stated."""
    return _only_with_vat(ledger, "step", "step_sure_limit_pence")


def is_unit_split_only_with_vat(ledger: Ledger) -> Flags:
    """Whether together they exceed the limit only if it includes VAT, which is not stated."""
    return _only_with_vat(ledger, "unit", "single_purchase_sure_limit_pence")


def unit_split_needed_least_share(ledger: Ledger) -> Numbers:
    """Smallest of several cardholders' payments that are needed to exceed the limit, as its share.

    A payment of a few pounds that only tips a total of others over the limit is no part of a
    purchase that was shared out.
    """
    least, limit = (_of(ledger, "unit", name) for name in ("needed_least_pence", "limit_pence"))
    return least / np.maximum(limit, 1)


def split_surprise(ledger: Ledger) -> Numbers:
    """Payments to one merchant look like parts of one purchase over the limit."""
    return _evidence(ledger, "limit")


def alias_split_surprise(ledger: Ledger) -> Numbers:
    """Payments to names that look like one merchant look like parts of one purchase."""
    return _evidence(ledger, "alias")


def step_split_surprise(ledger: Ledger) -> Numbers:
    """Payments to one merchant look like parts of one purchase over the quotation threshold."""
    return _evidence(ledger, "step")


def unit_split_surprise(ledger: Ledger) -> Numbers:
    """Payments by several cardholders look like parts of one purchase."""
    return _evidence(ledger, "unit")


def _evidence(ledger: Ledger, search: str) -> Numbers:
    """Points for one purchase in parts, in steps of about a half; 0 for no split.

    For it: chance seldom makes such a sum; the fewest payments that pass the limit are few and as
    large as it allows; several holders are of one cost centre. Against it: they are booked to
    several purposes, or one holder's to several cost centres; the same has happened before; one of
    several holders' payments is far smaller than the others. What else was bought there in those
    days, and on how many days, speaks neither way. The weights are round figures chosen by
    judgement, and no detector was fitted to planted cases (docs/detection.md).
    """
    table = _found(ledger, search)
    needed, limit = np.maximum(table["needed_count"], 1), np.maximum(table["limit_pence"], 1)
    needed_pence = np.maximum(table["needed_pence"], 1)
    points = -0.5 * np.log10(table["chance_share"])
    points += 2 * np.log2(needed_pence / (limit * needed)) - needed
    points -= 2 * np.log1p(table["earlier_count"])
    points -= 2 * np.log2(np.maximum(table["needed_bookings_count"], 1))
    if SEARCHES[search].several_needed:  # colleagues buy together more often than strangers do
        seldom = -np.log10(np.maximum(merchant_users_share(ledger)[table["row"]], LEAST_SHARE))
        points += np.where(table["pairs_count"] > 0, TOGETHER, seldom)
        points += np.log2(np.maximum(table["needed_least_pence"], 1) * needed / needed_pence)
    strength = np.zeros(len(ledger))
    strength[table["row"]] = np.maximum(points + LIKENESS_TO_SPLIT, 0.01)
    return strength
