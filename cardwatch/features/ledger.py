"""The ledger: transactions indexed for features, with sums over any group and window.

Every sum looks back: from a row's own day, or the day before it, as far as a window says. Rows of
one day count together, so their order never matters.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from cardwatch.features.bank_holidays import bank_holidays
from cardwatch.features.shops import shop_code
from cardwatch.merchants import category_name, link_aliases, link_merchants
from cardwatch.policy import LIMIT_KINDS, WEEKDAYS, in_categories
from cardwatch.registers import compared

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from cardwatch.policy import Policy
    from cardwatch.records import Register

    Codes = np.ndarray[Any, np.dtype[np.int64]]
    Positions = np.ndarray[Any, np.dtype[np.int32]]
    Whole = np.ndarray[Any, np.dtype[np.int64]]
    Numbers = np.ndarray[Any, np.dtype[np.float64]]
    Flags = np.ndarray[Any, np.dtype[np.bool_]]
    Texts = np.ndarray[Any, np.dtype[np.object_]]
    Columns = dict[str, np.ndarray[Any, Any]]

Column = TypeVar("Column")
Made = TypeVar("Made")
PAIR = ("holder_id", "merchant_id")
"""The most common grouping: one holder at one merchant."""
DAYS_APART = 1 << 20
"""Room for days in a key that joins group and day."""
OWN_GROUPS = ("month", "category_id", "category_words", "team", "organisation", "purpose_id",
              "size_pence", "size_band", "price_ending", "approval_batch")  # fmt: skip
"""Groupings of rows that are not columns of the frame."""
UNMATCHED: dict[str, Any] = {
    "card_id": "",
    "is_card_known": True,
    "card_single_limit_pence": 0,
    "card_limit_before_pence": 0,
    "card_limit_since": pd.NaT,
    "cards_month_limit_pence": 0,
    "card_opened_on": pd.NaT,
    "card_closed_on": pd.NaT,
    "card_replaced_on": pd.NaT,
    "card_approver_id": "",
}
"""Neutral values of card columns, for data without a register."""
REGISTER_LIMITS = {
    "single_purchase": "card_single_limit_pence",
    "holder_month": "cards_month_limit_pence",
}
"""Limits that the register states beat the policy's: they are what the bank enforces."""
KEPT, KEPT_NUMBERS = 24, 2_000_000
"""Columns of group numbers, orders and window bounds that stay in memory, the ones used last, or
numbers in them if that allows more columns. All of them, about a hundred, would take as much memory
as the features."""
SMALLEST_PENCE = 100
"""Amounts below a pound count as a pound where logarithms are taken."""
BAND = 0.2
"""Width of a band of like sums, in natural logarithms: about a fifth."""


def purchase_rows(transactions: pd.DataFrame) -> Flags:
    """Whether each transaction is a purchase of more than nothing; cash and fees are not."""
    is_purchase = transactions["kind"] == "purchase"
    return (is_purchase & (transactions["amount_pence"] > 0)).to_numpy(bool)


def refund_rows(transactions: pd.DataFrame) -> Flags:
    """Whether each transaction is a merchant's refund."""
    return (transactions["kind"] == "refund").to_numpy(bool)


def expand_runs(first: Codes, sizes: Codes) -> tuple[Codes, Codes]:
    """Return for runs of positions, by first and size, each position and the run it is of."""
    run = np.repeat(np.arange(len(sizes)), sizes)
    offset = np.arange(len(run)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return run, first[run] + offset


def take_rows(columns: Columns, which: Codes | Flags | slice) -> Columns:
    """Return some rows of columns."""
    return {name: values[which] for name, values in columns.items()}


def _limits(frame: pd.DataFrame, policy: Policy) -> dict[str, Any]:
    """Return columns of each payment's limits: its card's in the register, else the policy's."""
    columns: dict[str, Any] = {}
    for name in LIMIT_KINDS:
        limits = policy.limits_in_force(name, frame["holder_id"], frame["date"])
        register_limit = frame.get(REGISTER_LIMITS.get(name))
        if register_limit is not None and (register_limit > 0).any():
            stated = register_limit.to_numpy() > 0
            limits = {
                "pence": np.where(stated, register_limit, limits["pence"]),
                "sure_pence": np.where(stated, register_limit, limits["sure_pence"]),
                "stated": limits["stated"] | stated,
            }
        columns[f"{name}_limit_pence"] = limits["pence"]
        columns[f"{name}_sure_limit_pence"] = limits["sure_pence"]
        columns[f"is_{name}_stated"] = limits["stated"]
    return columns


class Ledger:
    """Transactions in a fixed order, coded by holder, merchant and the like.

    Attributes:
        frame: transactions sorted by day, file and row, with `merchant_id`, `is_seller_hidden`
            and the active limits added. Its index is 0, 1, ...; features have the same.
        policy: the organisation's figures.
        registers: the registers given besides the cards, by kind.
        known_by: a day in days since 1970: entries known by then count from when they were true.
            Before every payment, so that an entry counts from the day on which it was known.
        asked_files: files whose payments are asked about; none for all of them.
    """

    def __init__(
        self,
        transactions: pd.DataFrame,
        policy: Policy,
        registers: Mapping[str, Register] | None = None,
        *,
        known_by: float = -np.inf,
        asked_files: Sequence[str] = (),
    ) -> None:
        """Sort the transactions, name their merchants and look up their limits."""
        files = pd.factorize(transactions["file"], sort=True)[0]
        order = np.lexsort((transactions["row"], files, transactions["date"]))
        in_order = (order[1:] > order[:-1]).all()  # taking the rows of all columns takes its time
        frame = (transactions if in_order else transactions.take(order)).reset_index(drop=True)
        more: dict[str, Any] = {k: value for k, value in UNMATCHED.items() if k not in frame}
        names = link_merchants(
            frame["merchant"], frame["date"], policy.merchant_aliases, policy.payment_processors
        )
        more |= {str(name): values for name, values in names.items()}
        more["alias_id"] = link_aliases(frame["holder_id"], names["merchant_id"], frame["date"])
        more |= _limits(frame, policy) | {"approval_batch": ""}
        self.frame = pd.concat([frame, pd.DataFrame(more, frame.index)], axis=1)
        self.policy = policy
        self.registers = dict(registers or {})
        self.known_by, self.asked_files = known_by, tuple(asked_files)
        self._rows = len(frame)  # asked for often, and a frame takes its time to tell
        self._most_kept = max(KEPT, KEPT_NUMBERS // max(self._rows, 1))
        self._kept: dict[tuple[object, ...], Any] = {}
        self._made: dict[str, Any] = {}

    @cached_property
    def reference(self) -> pd.Series[str]:
        """Reference of each payment, as those in registers are compared."""
        return compared(self.frame["transaction_id"])

    @cached_property
    def approval_batch(self) -> pd.Series[str]:
        """The approver and minute in which each payment was approved; empty if not known."""
        if "approvals" not in self.registers:
            return pd.Series("", self.frame.index, dtype="str")
        entries = self.registers["approvals"].entries.drop_duplicates("payment", keep="last")
        moments = entries["approved_at"].to_numpy().astype("datetime64[m]")
        minutes = pd.Series(np.datetime_as_string(moments), entries.index, dtype="str")
        batches = pd.Series((entries["approver_id"] + " " + minutes).to_numpy(), entries["payment"])
        return self.reference.map(batches).fillna("").astype("str")

    def once(self, name: str, make: Callable[[], Made]) -> Made:
        """Return what `make` gives, made once for this ledger: several features share a search."""
        if name not in self._made:
            self._made[name] = make()
        result: Made = self._made[name]
        return result

    def _keep(self, key: tuple[object, ...], make: Callable[[], Column]) -> Column:
        """Return the column that `make` gives, made again if it was let go; see `KEPT`."""
        column: Column = self._kept.pop(key) if key in self._kept else make()
        self._kept[key] = column  # the last of all: the first is the one used longest ago
        if len(self._kept) > self._most_kept:
            del self._kept[next(iter(self._kept))]
        return column

    def __len__(self) -> int:
        """Return the number of transactions."""
        return self._rows

    def column(self, name: str) -> np.ndarray[Any, Any]:
        """Return a column of the frame that holds numbers, days or flags."""
        return self.once(f"column {name}", lambda: np.asarray(self.frame[name]))

    @cached_property
    def is_asked(self) -> Flags:
        """Whether each payment is asked about."""
        return (
            self.is_in("file", self.asked_files) if self.asked_files else np.ones(len(self), bool)
        )

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
        return purchase_rows(self.frame)

    @cached_property
    def is_refund(self) -> Flags:
        """Whether each row is a merchant's refund."""
        return refund_rows(self.frame)

    @cached_property
    def moved_pence(self) -> Numbers:
        """Pence that each row adds to spending: purchases less refunds."""
        return np.where(self.is_purchase | self.is_refund, self.pence, 0.0)

    @cached_property
    def spent_pence(self) -> Numbers:
        """Pence each row adds to spending at a merchant: purchases, and refunds of earlier ones.

        A refund counts up to what the cardholder has paid the merchant by that day, less what was
        refunded already. One that comes before its payment can be made up (decision 0128).
        """
        if not self.is_refund.any():
            return self.moved_pence
        pair = self.group("holder_id", "merchant_id")
        order = np.lexsort((self.is_refund, self.day, pair))  # of one day the purchases first
        groups = pd.Series(self.moved_pence[order]).groupby(pair[order])
        so_far = groups.cumsum()
        paid = so_far - so_far.groupby(pair[order]).cummin().clip(upper=0)
        spent = np.empty(len(self))
        spent[order] = paid - paid.groupby(pair[order]).shift(fill_value=0.0)
        return spent

    @cached_property
    def log_pence(self) -> Numbers:
        """Natural logarithm of each row's amount."""
        return np.log(np.maximum(self.pence, SMALLEST_PENCE))

    @cached_property
    def is_non_working(self) -> Flags:
        """Whether each row's day is a weekend or bank holiday where the organisation is."""
        weekday = np.array(WEEKDAYS)[(self.day + 3) % 7]  # 1970 began on a Thursday
        years = range(1970 + self.month.min() // 12, 1971 + self.month.max() // 12)
        free = bank_holidays(self.policy.country, years)
        days = np.array(free, dtype="datetime64[D]").astype("int64")
        return ~np.isin(weekday, self.policy.working_days) | np.isin(self.day, days)

    @cached_property
    def category_id(self) -> Texts:
        """Category of each row: its code, else its words in lower case, else empty."""
        words = self._changed("category", str.casefold)
        return np.where(self.is_blank("mcc"), words, self._changed("mcc", str))

    @cached_property
    def category_words(self) -> Texts:
        """Category of each row in words, in lower case."""
        return self._changed("category", lambda text: text.casefold().strip())

    @cached_property
    def team(self) -> Texts:
        """The cost centre, in one spelling: cardholders who may buy together."""
        return self._changed("cost_centre", lambda text: " ".join(text.casefold().split()))

    def _changed(self, name: str, change: Callable[[str], str]) -> Texts:
        """Return a column of the frame with its texts changed, each distinct one once."""
        codes, distinct = self.texts(name)
        return np.array([change(text) for text in distinct], dtype=object)[codes]

    @cached_property
    def organisation(self) -> Codes:
        """The whole organisation as one group."""
        return np.zeros(len(self), dtype="int64")

    @cached_property
    def size_pence(self) -> Codes:
        """Amount of each row without its sign."""
        return np.abs(self.column("amount_pence"))

    @cached_property
    def size_band(self) -> Codes:
        """Number of the band of like sums that each row's amount lies in."""
        logs = np.log(np.maximum(self.size_pence.astype("float64"), SMALLEST_PENCE))
        return np.rint(logs / BAND).astype("int64")

    @cached_property
    def price_ending(self) -> Codes:
        """Pence beyond the pounds of each amount, whole fives and tens of pounds apart."""
        pence = self.size_pence
        whole = np.where(pence % 1_000 == 0, 101, np.where(pence % 500 == 0, 100, pence % 100))
        return whole.astype("int64")

    @cached_property
    def purpose_id(self) -> Texts:
        """The booked purpose of each row, in lower case."""
        return self._changed("description", lambda text: text.casefold().strip())

    def texts(self, name: str) -> tuple[Codes, np.ndarray[Any, Any]]:
        """Return a column of the frame or one of `OWN_GROUPS` as numbers, and what each stands for.

        Texts are looked at once: groups are made of numbers, lists of words read each text once.
        """

        def make() -> tuple[Codes, np.ndarray[Any, Any]]:
            values = getattr(self, name) if name in OWN_GROUPS else self.frame[name]
            # Of the array: a series makes an index of what is distinct first.
            codes, distinct = pd.factorize(getattr(values, "array", values), use_na_sentinel=False)
            return codes, np.asarray(distinct)

        return self.once(f"texts {name}", make)

    def is_in(self, name: str, texts: tuple[str, ...]) -> Flags:
        """Return which rows have one of some texts there."""

        def make() -> Flags:
            codes, distinct = self.texts(name)
            return np.array([text in texts for text in distinct], dtype=bool)[codes]

        return self.once(f"{name} in {texts}", make)

    def is_blank(self, name: str) -> Flags:
        """Return which rows have no text there."""
        return self.is_in(name, ("",))

    def in_categories(self, listed: tuple[str, ...]) -> Flags:
        """Return whether each row's category code is in a list of codes and ranges.

        Where a statement states no code, that of the shop with whose name the merchant's begins
        counts in its place.
        """
        codes, distinct = self.once("category codes", self._category_codes)
        return in_categories(distinct, listed)[codes]

    def _category_codes(self) -> tuple[Codes, np.ndarray[Any, Any]]:
        """Return each row's category code, or its shop's, as a number, and what each stands for."""
        codes, distinct = self.texts("mcc")
        is_blank = self.is_blank("mcc")
        if not is_blank.any():
            return codes, distinct
        shops = np.array(self.shops, dtype=object)[self.texts("merchant_id")[0]]
        return pd.factorize(np.where(is_blank, shops, distinct[codes]))

    @cached_property
    def shops(self) -> list[str]:
        """The category code of each merchant of `texts` as a known shop; empty for others."""
        return [shop_code(str(name)) for name in self.texts("merchant_id")[1]]

    def group(self, *names: str) -> Codes:
        """Return for each row the number of its group: rows equal in all the named columns.

        Names are columns of the frame or of `OWN_GROUPS`.
        """

        def make() -> Codes:
            parts = [self.texts(name)[0] for name in names]
            codes, *more_parts = parts or [np.zeros(len(self), dtype="int64")]
            for part in more_parts:
                codes = pd.factorize(codes * (part.max(initial=0) + 1) + part)[0]
            return codes

        return self._keep(("group", names), make)

    def words(self, *more: str) -> tuple[Codes, pd.Series[str]]:
        """Return what each row says of merchant and category, for lists that work by words.

        Args:
            more: columns to be added to that.

        Returns:
            For each row the number of its text, and the texts, each once.
        """
        names = ("merchant", "category", "mcc", *more)

        def make() -> tuple[Codes, pd.Series[str]]:
            codes = self.group(*names)
            first = np.unique(codes, return_index=True)[1]
            columns = [self.texts(name) for name in names]
            rows = zip(*(texts.take(of[first]).tolist() for of, texts in columns), strict=True)
            phrases = [
                (where, kind, category_name(code), *rest) for where, kind, code, *rest in rows
            ]
            return codes, pd.Series([" / ".join(texts) for texts in phrases], dtype="str")

        return self.once(f"words {more}", make)

    def largest(self, values: Numbers, by: tuple[str, ...], until: int = 0) -> Numbers:
        """Return for each row the largest value of its group so far, 0 without any.

        Args:
            values: one a row, none below 0.
            by: columns that make a group.
            until: last day that counts, in days before the row's, as in `total`.
        """
        order = self._order(by)
        distinct, places = np.unique(values, return_inverse=True)
        # Groups are in order, so that a place in the next one is above all of the one before.
        starts = self.group(*by)[order] * len(distinct)
        most = distinct[np.maximum.accumulate(starts + places[order]) - starts]
        first, last = self._begin(by, None), self._begin(by, until - 1) - 1
        return np.where(last >= first, most[last], 0.0)

    def first_day(self, by: tuple[str, ...], where: Flags | None = None) -> Any:  # noqa: ANN401  days, or days and nan
        """Return for each row the first day of its group, or of those with a property, else nan."""
        group, order = self.group(*by), self._order(by)
        if where is None:
            return self.day[order[self._begin(by, None)]]
        rows = order[where[order]][::-1]  # of a group's days the first is written last
        first = np.full(len(self), np.nan)
        first[group[rows]] = self.day[rows]
        return first[group]

    def last_rows(self, where: Flags, by: tuple[str, ...]) -> Codes:
        """Return the last row with the property of each group, in the ledger's order."""
        rows, group = np.flatnonzero(where), self.group(*by)
        last = np.zeros(len(self), dtype="int64")
        last[group[rows]] = rows  # of a group's rows the last is written last
        return rows[last[group[rows]] == rows]

    def window_slice(
        self, row: int, by: tuple[str, ...], days: int | None = None
    ) -> tuple[int, int]:
        """Return where the rows that `window_rows` gives begin and end in the order of their group.

        Rows of one group and day have the same span.
        """
        keys = self._keys(by)
        start = self.group(*by)[row] * DAYS_APART
        today = start + self.day[row]
        first = start if days is None else today - days
        return int(keys.searchsorted(first, "left")), int(keys.searchsorted(today, "right"))

    def window_rows(self, row: int, by: tuple[str, ...], days: int | None = None) -> Positions:
        """Return the rows of a row's group from so many days before to its own day, in order."""
        return self._order(by)[slice(*self.window_slice(row, by, days))]

    def _key(self, by: tuple[str, ...]) -> Codes:
        """Return for each row its group and day in one number."""
        return self.group(*by) * DAYS_APART + self.day

    def _order(self, by: tuple[str, ...]) -> Positions:
        """Return the order of rows by group and day."""
        return self._keep(
            ("order", by), lambda: np.argsort(self._key(by), kind="stable").astype("int32")
        )

    def _keys(self, by: tuple[str, ...]) -> Codes:
        """Return the rows' groups and days, each in one number, in order."""
        return self._keep(("keys", by), lambda: self._key(by)[self._order(by)])

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
        added = np.asarray(values, dtype="float64")
        if not added.any():  # nothing of that kind was paid: a small statement has most kinds not
            return np.zeros(len(self))
        sums = np.zeros(len(self) + 1)
        np.cumsum(added[self._order(by)], out=sums[1:])
        first, last = self._begin(by, since), self._begin(by, until - 1)
        return sums[np.maximum(first, last)] - sums[first]

    def total_from(
        self, values: object, by: tuple[str, ...], rows: Positions, first_days: Numbers
    ) -> Numbers:
        """Return for some rows a sum over the rows of their group from a day to their own.

        Args:
            values: what to add up, one a row of the ledger.
            by: columns that make a group.
            rows: for which a sum is wanted.
            first_days: the first day of each sum, counted from 1970 and not after the row's own.
        """
        sums = np.zeros(len(self) + 1)
        np.cumsum(np.asarray(values, dtype="float64")[self._order(by)], out=sums[1:])
        starts = self._key(by)[rows] - self.day[rows] + first_days.astype("int64")
        return sums[self._begin(by, -1)[rows]] - sums[np.searchsorted(self._keys(by), starts)]

    def _begin(self, by: tuple[str, ...], days: int | None) -> Positions:
        """Return for each row where, in the order of its group and day, a window begins.

        A window that ends so many days before a row's ends where the next day's begins.

        Args:
            by: columns that make a group.
            days: how many days before the row's; none for the first of all.
        """

        def make() -> Positions:
            order, keys = self._order(by), self._keys(by)
            # In order, so that the search is quick.
            start_keys = keys - (self.day[order] if days is None else days)
            starts = np.empty(len(order), dtype="int32")
            starts[order] = np.searchsorted(keys, start_keys)
            return starts

        return self._keep(("begin", by, days), make)

    def count(
        self, where: object, by: tuple[str, ...], since: int | None = None, until: int = 0
    ) -> Numbers:
        """Return for each row how many rows of its group in a window have a property."""
        return self.total(np.asarray(where, dtype=bool), by, since, until)

    def last_day(self, where: object, by: tuple[str, ...]) -> Numbers:
        """Return for each row its group's latest earlier day with the property, or nan."""
        order, keys = self._order(by), self._keys(by)
        holds = np.asarray(where, dtype=bool)[order]
        latest = np.maximum.accumulate(np.where(holds, np.arange(len(order)), -1))
        first, before = self._begin(by, None), self._begin(by, 0) - 1
        position = np.where(before >= first, latest[before], -1)
        day = keys[np.maximum(position, 0)] - self.group(*by) * DAYS_APART
        return np.where(position >= first, day, np.nan)

    def first_of_kind(self, where: object, by: tuple[str, ...]) -> Flags:
        """Return whether each row has the property and no earlier row of its group has.

        Of several on one day the first in the ledger's order is taken.
        """
        holds = np.asarray(where, dtype=bool)
        rows = np.flatnonzero(holds)[::-1]  # of a group's rows the first is written last
        group, row = self.group(*by)[rows], np.zeros(len(self), dtype="int64")
        row[group] = rows
        first = np.zeros(len(self), dtype=bool)
        first[row[group]] = True
        return first
