"""The ledger: transactions made ready for features, with sums over any group and window.

Every sum looks back: from a row's own day, or the day before it, as far as a window says. Rows of
one day count together, so their order never matters.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import holidays
import numpy as np
import pandas as pd

from cardwatch.merchants import category_name, link_merchants
from cardwatch.policy import LIMITS, in_categories

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.policy import Policy

    Codes = np.ndarray[Any, np.dtype[np.int64]]
    Numbers = np.ndarray[Any, np.dtype[np.float64]]
    Flags = np.ndarray[Any, np.dtype[np.bool_]]

DAYS_APART = 1 << 20
"""Room for days in a key that joins group and day."""
ORDER = ["date", "file", "row"]
SMALLEST_PENCE = 100
"""Amounts below a pound count as a pound where logarithms are taken."""


class Ledger:
    """Transactions in a fixed order, coded by holder, merchant and the like.

    Attributes:
        frame: transactions sorted by day, file and row, with `merchant_id`, `is_seller_hidden`
            and the limits in force added. Its index is 0, 1, ...; features have the same.
        policy: the organisation's figures.
    """

    def __init__(self, transactions: pd.DataFrame, policy: Policy) -> None:
        """Sort the transactions, name their merchants and look up their limits."""
        frame = transactions.sort_values(ORDER, kind="stable", ignore_index=True)
        names = link_merchants(
            frame["merchant"], frame["date"], policy.merchant_aliases, policy.payment_processors
        )
        limits = {}
        for name in LIMITS:
            found = policy.limits_in_force(name, frame["holder_id"], frame["date"])
            limits[f"{name}_limit_pence"] = found["pence"]
            limits[f"{name}_sure_limit_pence"] = found["sure_pence"]
            limits[f"is_{name}_stated"] = found["stated"]
        self.frame = frame.assign(**names, **limits)
        self.policy = policy
        self._groups: dict[tuple[str, ...], Codes] = {}
        self._keys: dict[tuple[str, ...], tuple[Codes, Codes]] = {}
        self._bounds: dict[tuple[tuple[str, ...], int | None, str], Codes] = {}
        self._made: dict[str, pd.DataFrame] = {}

    def once(self, name: str, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        """Return what `make` gives, made once for this ledger: several features share a search."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def __len__(self) -> int:
        """Return the number of transactions."""
        return len(self.frame)

    def series(self, values: object, name: str = "") -> pd.Series[Any]:
        """Return values in row order as a column on the ledger's index."""
        return pd.Series(values, index=self.frame.index, name=name or None)

    @cached_property
    def day(self) -> Codes:
        """Day of each row, counted from 1970."""
        return self.frame["date"].to_numpy().astype("datetime64[D]").astype("int64")

    @cached_property
    def month(self) -> Codes:
        """Month of each row, counted from 1970."""
        return self.frame["date"].to_numpy().astype("datetime64[M]").astype("int64")

    @cached_property
    def pence(self) -> Numbers:
        """Amount of each row."""
        return self.frame["amount_pence"].to_numpy("float64")

    @cached_property
    def is_purchase(self) -> Flags:
        """Whether each row is a purchase of more than nothing."""
        return (self.frame["kind"] == "purchase").to_numpy() & (self.pence > 0)

    @cached_property
    def is_refund(self) -> Flags:
        """Whether each row is a merchant's refund."""
        return (self.frame["kind"] == "refund").to_numpy()

    @cached_property
    def log_pence(self) -> Numbers:
        """Natural logarithm of each row's amount."""
        return np.log(np.maximum(self.pence, SMALLEST_PENCE))

    @cached_property
    def is_non_working(self) -> Flags:
        """Whether each row's day is a weekend or bank holiday where the organisation is."""
        dates = self.frame["date"]
        working = dates.dt.day_name().str[:3].isin(self.policy.working_days)
        years = range(dates.dt.year.min(), dates.dt.year.max() + 1)
        free = holidays.country_holidays("GB", subdiv=self.policy.country, years=years)
        return ~working.to_numpy() | dates.dt.date.isin(list(free)).to_numpy()

    @cached_property
    def category_id(self) -> pd.Series[str]:
        """Category of each row: its code, else its words in lower case, else empty."""
        return self.frame["mcc"].where(
            self.frame["mcc"] != "", self.frame["category"].str.casefold()
        )

    @cached_property
    def category_words(self) -> pd.Series[str]:
        """Merchant and category in words, for lists that work by words."""
        named = self.frame["mcc"].map({c: category_name(c) for c in self.frame["mcc"].unique()})
        return self.frame["merchant"] + " / " + self.frame["category"] + " / " + named

    def in_categories(self, codes: tuple[str, ...]) -> Flags:
        """Return whether each row's category code is in a list of codes and ranges."""
        return in_categories(self.frame["mcc"], codes).to_numpy()

    def group(self, *names: str) -> Codes:
        """Return for each row the number of its group: rows equal in all the named columns.

        Names are columns of the frame, or `month`, `category_id`, `amount_pence` and the like.
        """
        if names not in self._groups:
            codes = np.zeros(len(self), dtype="int64")
            for name in names:
                own = {"month": self.month, "category_id": self.category_id}
                values: Any = own[name] if name in own else self.frame[name]
                part, distinct = pd.factorize(values)
                codes = pd.factorize(codes * (len(distinct) + 1) + part)[0]
            self._groups[names] = codes.astype("int64")
        return self._groups[names]

    def _sorted(self, by: tuple[str, ...]) -> tuple[Codes, Codes]:
        """Return the order of rows by group and day, and the sorted keys."""
        if by not in self._keys:
            key = self.group(*by) * DAYS_APART + self.day
            order = np.argsort(key, kind="stable")
            self._keys[by] = order, key[order]
        return self._keys[by]

    def total(
        self, values: object, by: tuple[str, ...], since: int | None = None, until: int = 0
    ) -> Numbers:
        """Return for each row a sum over the rows of its group in a window of days.

        Args:
            values: what to add up, one a row.
            by: columns that make a group.
            since: first day of the window, in days before the row's; none for the very first.
            until: last day of the window, in days before the row's: 0 for its own, 1 for the one
                before.
        """
        order, _ = self._sorted(by)
        sums = np.concatenate([[0.0], np.cumsum(np.asarray(values, dtype="float64")[order])])
        first, last = self._bound(by, since, "left"), self._bound(by, until, "right")
        return sums[np.maximum(first, last)] - sums[first]

    def _bound(
        self, by: tuple[str, ...], days: int | None, side: Literal["left", "right"]
    ) -> Codes:
        """Return for each row where, in the order of its group and day, a window begins or ends.

        Args:
            by: columns that make a group.
            days: how many days before the row's; none for the first of all.
            side: left of the rows of that day, or right of them.
        """
        if (by, days, side) not in self._bounds:
            order, keys = self._sorted(by)
            day = self.day[order]
            wanted = keys - day if days is None else keys - days  # in order: quick to search
            found = np.empty(len(order), dtype="int64")
            found[order] = np.searchsorted(keys, wanted, side)
            self._bounds[by, days, side] = found
        return self._bounds[by, days, side]

    def count(
        self, where: object, by: tuple[str, ...], since: int | None = None, until: int = 0
    ) -> Numbers:
        """Return for each row how many rows of its group in a window have a property."""
        return np.rint(self.total(np.asarray(where, dtype=bool), by, since, until))

    def last_day(self, where: object, by: tuple[str, ...]) -> Numbers:
        """Return for each row its group's latest earlier day with the property, or nan."""
        order, keys = self._sorted(by)
        holds = np.asarray(where, dtype=bool)[order]
        latest = np.maximum.accumulate(np.where(holds, np.arange(len(order)), -1))
        first, before = self._bound(by, None, "left"), self._bound(by, 0, "left") - 1
        found = np.where(before >= first, latest[before], -1)
        day = keys[np.maximum(found, 0)] - self.group(*by) * DAYS_APART
        return np.where(found >= first, day, np.nan)

    def first_of_kind(self, where: object, by: tuple[str, ...]) -> Flags:
        """Return whether each row has the property and no earlier row of its group has.

        Of several on one day the first in the ledger's order is taken.
        """
        holds = np.asarray(where, dtype=bool)
        rank = pd.Series(holds).groupby(self.group(*by)).cumsum().to_numpy()
        return holds & (rank == 1)
