"""Usual values of a group, shrunk to those beyond it, and when a total has doubled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardwatch.features.ledger import SMALLEST_PENCE

if TYPE_CHECKING:
    from cardwatch.features.ledger import Columns, Flags, Ledger, Numbers

SHRINKAGE = 5.0
"""Weight, in payments, of what is usual beyond the group (docs/detection.md)."""
SMALLEST_DEVIATION = 0.15
"""Spread of log amounts below which a fixed price would make every penny unusual."""
A_PENNY = 1
"""A total exceeds a limit when it is a penny more."""
START_MEAN, START_DEVIATION = np.log(5_000), 1.3
"""Log pence before anything is known: purchase cards pay about 50 pounds, widely spread."""


def past_moments(ledger: Ledger, *levels: tuple[str, ...], pence: Numbers | None = None) -> Columns:
    """Return mean and standard deviation of log pence of purchases on earlier days.

    Args:
        ledger: the transactions.
        levels: groups from the widest to the narrowest; each is shrunk to the one before, the
            first to the whole organisation.
        pence: sums to look at in place of the purchases, one a row, 0 where there is none.

    Returns:
        `count` of the narrowest group, `mean` and `deviation`, one a row.
    """
    mean = np.full(len(ledger), START_MEAN)
    variance = np.full(len(ledger), START_DEVIATION**2)
    count = np.zeros(len(ledger))
    there, logs = ledger.is_purchase, ledger.log_pence
    if pence is not None:
        there, logs = pence > 0, np.log(np.maximum(pence, SMALLEST_PENCE))
    values = np.where(there, logs, 0.0)
    for by in ((), *levels):
        count = ledger.count(there, by, until=1)
        total = ledger.total(values, by, until=1)
        squares = ledger.total(values**2, by, until=1)
        # Around the wider mean, so that a group's own mean and spread come from the same sums.
        group_mean = total / np.maximum(count, 1)
        spread = np.maximum(squares / np.maximum(count, 1) - group_mean**2, 0)
        weight = count / (count + SHRINKAGE)
        between = weight * (1 - weight) * (group_mean - mean) ** 2
        variance = weight * spread + (1 - weight) * variance + between
        mean = weight * group_mean + (1 - weight) * mean
    deviation = np.maximum(np.sqrt(variance), SMALLEST_DEVIATION)
    return {"count": count, "mean": mean, "deviation": deviation}


def amount_surprise(ledger: Ledger, *levels: tuple[str, ...]) -> Numbers:
    """Deviations by which a purchase is above the usual; 0 below, or without a baseline."""
    usual = past_moments(ledger, *levels)
    above = (ledger.log_pence - usual["mean"]) / usual["deviation"]
    return np.where(ledger.is_purchase, np.maximum(above, 0), 0.0)


def has_doubled(total: Numbers, before: Numbers, figure: Numbers | float) -> Flags:
    """Return where a total has reached 1, 2, 4, 8 and so on times a figure, and before had not.

    Args:
        total: up to this day; less `A_PENNY`, where it has to exceed the figure.
        before: up to the day before, in the same way.
        figure: what both are held against, above 0.
    """
    return _steps(total, figure) > _steps(before, figure)


def newly_doubled(  # noqa: PLR0913  a total, its figure, and the window in which it is new
    ledger: Ledger,
    where: Flags,
    total: Numbers,
    figure: Numbers | float,
    *,
    by: tuple[str, ...],
    back: int,
) -> Flags:
    """Return where a total has reached 1, 2, 4, 8 and so on times a figure for the first time.

    As payments of long ago leave the time that is added up, the same total is reached again and
    again: what the group had reached on an earlier day of that time is not new.

    Args:
        ledger: the payments.
        where: rows that count.
        total: up to the row's day; less `A_PENNY`, where it has to exceed the figure.
        figure: what it is held against, above 0.
        by: columns that make a group.
        back: days of the time before the row's own.
    """
    steps = _steps(total, figure)
    new = np.zeros(len(ledger), dtype=bool)
    for step in np.unique(steps[where & (steps >= 0)]):
        reached = where & (steps >= step)
        new |= reached & (steps == step) & (ledger.count(reached, by, back, 1) == 0)
    return new


def _steps(total: Numbers, figure: Numbers | float) -> Numbers:
    """Return how often a total has doubled since it reached a figure; -1 below that."""
    return np.floor(np.log2(np.maximum(total / np.maximum(figure, 1), 0.5)))
