"""Compares rates between groups of cardholders, and tells a difference from chance.

Each group is compared with all others of its column. What chance alone does is taken from the same
cardholders with the groups dealt out again at random, among cardholders with about as many
payments. A cardholder's payments and alerts stay together, so that one person with many alerts
makes no difference between groups by itself, and neither do groups that pay more often.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from cardwatch.reports.aggregate import FEWEST_HOLDERS, MOST_OF_ONE, USUAL_THRESHOLD, split_small

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    Codes = np.ndarray[Any, np.dtype[np.int64]]
    Numbers = np.ndarray[Any, np.dtype[np.float64]]

COUNTED = ("payments", "alerts", "queried", "answered", "upheld")
"""Counts of each cardholder that are compared, in the order of `MEASURES`."""
DEALS = 1_999
"""How often groups are dealt out again: a chance of 1 in 2,000 is the smallest that can be seen."""
CHANCE_LEVEL = 0.03
"""Chance that a report names any difference where there is none."""
DEALING_SEED = 20_100
"""Seed of the dealing, so that the same cardholders and groups give the same figures."""
STRATA = 5
"""Cardholders are dealt within fifths by their number of payments."""
FEWEST_EXPECTED = 5.0
"""Expected count below which a group is not compared: its rate is mostly chance."""
NINETEEN_OF_TWENTY = 1.645
"""Normal quantile of 95 %, for the ratio that would be noticed in 19 of 20 years."""
POISSON_SHIFT = 3 / 8
"""Twice the root of a Poisson count plus this has a variance of about 1 (Anscombe 1948)."""


@dataclass(frozen=True)
class Measure:
    """One rate: what is counted, and out of what, both columns of `COUNTED`."""

    name: str
    count: str
    total: str


MEASURES = (
    Measure("alerts", "alerts", "payments"),
    Measure("queries", "queried", "alerts"),
    Measure("upheld", "upheld", "answered"),
)


@dataclass(frozen=True)
class GroupCell:
    """Total of a group's cardholders, of one measure, before anything is hidden.

    Attributes:
        counted_holders: cardholders with at least one of the counted.
        largest: count of the cardholder who has most.
    """

    name: str
    holders: int
    count: int
    total: int
    counted_holders: int
    largest: int


@dataclass(frozen=True)
class GroupRate:
    """A group's rate beside that of all others of its column.

    Attributes:
        measure: name of one of `MEASURES`.
        rate, others_rate: counted for each of the total.
        low, high: between which the rate would lie by chance alone; none where the group is too
            small to be compared.
        chance: how often dealing alone gives as large a difference in any group compared.
        noticed_ratio: times the rate of the others from which a higher rate would be noticed in 19
            of 20 years; none where no ratio would be.
    """

    measure: str
    column: str
    group: str
    holders: int
    count: int
    total: int
    rate: float
    others_rate: float
    low: float | None = None
    high: float | None = None
    chance: float = 1.0
    noticed_ratio: float | None = None

    @property
    def is_compared(self) -> bool:
        """Whether it was large enough to be compared."""
        return self.low is not None

    @property
    def differs(self) -> bool:
        """Whether its rate differs by more than chance explains."""
        return self.is_compared and self.chance <= CHANCE_LEVEL

    @property
    def ratio(self) -> float:
        """Its rate as a multiple of that of the others."""
        return self.rate / self.others_rate if self.others_rate else float("inf")


def compare_groups(
    counts: pd.DataFrame, groups: pd.DataFrame, *, deals: int = DEALS
) -> list[GroupRate]:
    """The rates of every group that is large enough to be shown, each held against chance.

    Args:
        counts: a row a cardholder, with the columns of `COUNTED`.
        groups: the same rows, a column of group names each; empty where the group is not known.
        deals: how often groups are dealt out again.
    """
    names_by_column = {str(column): sorted(set(groups[str(column)]) - {""}) for column in groups}
    labels = [
        (column, name)
        for column, names in names_by_column.items()
        if len(names) > 1
        for name in names
    ]
    if not labels:
        return []
    comparison = _Comparison(counts, groups, labels)
    nulls = comparison.dealt(deals)
    return [
        rate
        for number, measure in enumerate(MEASURES)
        for column in names_by_column
        for rate in comparison.rates(number, measure, column, nulls)
    ]


class _Comparison:
    """All groups of all columns at once, as rows of a matrix of members."""

    def __init__(
        self, counts: pd.DataFrame, groups: pd.DataFrame, labels: Sequence[tuple[str, str]]
    ) -> None:
        """Lay out who belongs to which group.

        Args:
            counts: see `compare_groups`.
            groups: see `compare_groups`.
            labels: column and name of each group.
        """
        self.labels = list(labels)
        self.values = counts[list(COUNTED)].to_numpy(dtype=np.float64)
        self.members = np.stack(
            [(groups[column] == name).to_numpy(dtype=np.float64) for column, name in labels]
        )
        columns = np.array([column for column, _ in labels])
        self.same_column = (columns[:, None] == columns[None, :]).astype(np.float64)
        sums = self.values.sum(axis=0)
        self.spread = np.array([self._dispersion(measure, sums) for measure in MEASURES])
        self.strata = _strata(counts["payments"].to_numpy())
        self.sums = self.members @ self.values
        expected, _, _ = self._expected(self.sums)
        enough_holders = self.members.sum(axis=1) >= USUAL_THRESHOLD
        self.is_compared = enough_holders[:, None] & (expected >= FEWEST_EXPECTED)
        self.statistics = self._statistics(self.sums)

    def _dispersion(self, measure: Measure, sums: Numbers) -> float:
        """How much more than chance alone cardholders differ: Pearson's statistic for a row.

        It only brings the three measures to one scale; what is significant comes from dealing.
        """
        count, total = (COUNTED.index(name) for name in (measure.count, measure.total))
        if not sums[count]:
            return 1.0
        expected = self.values[:, total] * sums[count] / sums[total]
        excess = ((self.values[:, count] - expected) ** 2).sum() / expected.sum()
        return max(float(excess), 0.1)

    def _expected(self, sums: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """Return expected and actual counts and shares of the total: a row a group, by measure."""
        totals = self.same_column @ sums
        columns = [
            (COUNTED.index(measure.count), COUNTED.index(measure.total)) for measure in MEASURES
        ]
        counted = np.stack([sums[:, count] for count, _ in columns], axis=1)
        shares = np.stack(
            [sums[:, total] / np.maximum(totals[:, total], 1) for _, total in columns], axis=1
        )
        expected = shares * np.stack([totals[:, count] for count, _ in columns], axis=1)
        return expected, counted, shares

    def _scale(self, shares: Numbers) -> Numbers:
        """Standard deviation of half the statistic before it is divided by it."""
        return np.sqrt(self.spread[None, :] * np.maximum(1 - shares, 1e-9)) / 2

    def _statistics(self, sums: Numbers) -> Numbers:
        """How far each group's count lies from what is expected, in standard deviations.

        Roots even out the variance of counts, so that small groups do not swamp the others.
        """
        expected, counted, shares = self._expected(sums)
        distance = np.sqrt(counted + POISSON_SHIFT) - np.sqrt(expected + POISSON_SHIFT)
        return distance / self._scale(shares)

    def dealt(self, deals: int) -> Numbers:
        """The largest statistic of any group compared, in each dealing, the largest first.

        One that holds for the largest holds for every group and measure: this is the correction
        for looking at several (Westfall and Young 1993, single-step max T).
        """
        rng = np.random.default_rng(DEALING_SEED)
        in_strata = np.argsort(self.strata, kind="stable")
        order = np.empty_like(in_strata)
        largest = np.zeros(deals)
        if not self.is_compared.any():
            return largest
        for number in range(deals):
            order[in_strata] = np.lexsort((rng.random(len(self.strata)), self.strata))
            statistics = np.abs(self._statistics(self.members @ self.values[order]))
            largest[number] = statistics[self.is_compared].max()
        return np.sort(largest)[::-1]

    def rates(self, number: int, measure: Measure, column: str, nulls: Numbers) -> list[GroupRate]:
        """The groups of a column by one measure that are large enough to be shown."""
        rows = [row for row, (name, _) in enumerate(self.labels) if name == column]
        cells = {row: self._cell(row, measure) for row in rows}
        shared, _ = split_small(list(cells.values()), _is_large)
        shared_names = {cell.name for cell in shared}
        return [
            self._rate(row, number, measure, nulls)
            for row in rows
            if cells[row].name in shared_names
        ]

    def _cell(self, row: int, measure: Measure) -> GroupCell:
        """Total of a group, of one measure."""
        count, total = (COUNTED.index(name) for name in (measure.count, measure.total))
        is_member = (self.members[row] > 0) & (self.values[:, total] > 0)
        counted = self.values[is_member, count]
        return GroupCell(
            name=self.labels[row][1],
            holders=int(is_member.sum()),
            count=int(counted.sum()),
            total=int(self.values[is_member, total].sum()),
            counted_holders=int((counted > 0).sum()),
            largest=int(counted.max(initial=0)),
        )

    def _rate(self, row: int, number: int, measure: Measure, nulls: Numbers) -> GroupRate:
        """A group's rate, held against chance where it is large enough."""
        column, group = self.labels[row]
        cell = self._cell(row, measure)
        sums = self.same_column[row] @ self.sums
        count_sum, total_sum = (
            float(sums[COUNTED.index(name)]) for name in (measure.count, measure.total)
        )
        rate = GroupRate(
            measure=measure.name,
            column=column,
            group=group,
            holders=cell.holders,
            count=cell.count,
            total=cell.total,
            rate=cell.count / cell.total,
            others_rate=(count_sum - cell.count) / max(total_sum - cell.total, 1),
        )
        if not self.is_compared[row, number]:
            return rate
        share = cell.total / total_sum
        scale = float(self._scale(np.array([[share] * len(MEASURES)]))[0, number])
        # The limit is the order statistic that `chance` reaches `CHANCE_LEVEL` at, so that a rate
        # lies outside its range exactly where it is said to differ.
        limit = float(nulls[int(CHANCE_LEVEL * (len(nulls) + 1)) - 1])
        middle = np.sqrt(share * count_sum + POISSON_SHIFT)
        low, high = (_squared(middle + side * limit * scale) for side in (-1, 1))
        noticed = _squared(middle + (limit + NINETEEN_OF_TWENTY) * scale) / count_sum
        reached = int((nulls >= abs(self.statistics[row, number])).sum())
        return replace(
            rate,
            low=low / cell.total,
            high=high / cell.total,
            chance=(reached + 1) / (len(nulls) + 1),
            noticed_ratio=(
                noticed * (1 - share) / (share * (1 - noticed)) if noticed < 1 else None
            ),
        )


def _squared(root: float) -> float:
    """The count whose root, evened out, is this; none is below 0."""
    return max(max(root, 0.0) ** 2 - POISSON_SHIFT, 0.0)


def _strata(payments: Numbers) -> Codes:
    """Number of the fifth that each cardholder belongs to by payments."""
    ranks: Codes = np.argsort(np.argsort(payments, kind="stable"), kind="stable")
    strata: Codes = ranks * STRATA // max(len(payments), 1)
    return strata


def _is_large(cells: Sequence[GroupCell]) -> bool:
    """Whether groups together may be shown: enough people, counted and not counted, none alone."""
    count = sum(cell.count for cell in cells)
    rest = sum(cell.total - cell.count for cell in cells)
    return (
        sum(cell.holders for cell in cells) >= USUAL_THRESHOLD
        and min(count, rest) >= USUAL_THRESHOLD
        and sum(cell.counted_holders for cell in cells) >= FEWEST_HOLDERS
        and max(cell.largest for cell in cells) <= MOST_OF_ONE * count
    )
