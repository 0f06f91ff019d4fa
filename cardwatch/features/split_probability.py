"""Probability of a window's total: a compound Poisson model of the buyer's usual pattern."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardwatch.features.baselines import past_moments
from cardwatch.features.ledger import DAYS_APART, expand_runs, take_rows

if TYPE_CHECKING:
    from cardwatch.features.ledger import Codes, Columns, Ledger, Numbers

CELLS = 60
"""Cells into which a window's total is cut for the chance of it."""
PRIOR_DAYS, PRIOR_BATCHES = 60.0, 3.0
"""Weight of what is general against the buyer's own days with this seller (docs/detection.md)."""
HISTORY_DAYS = 365
WINDOWS_AT_ONCE = 20_000
"""For so many windows the distributions are held together: 60 MB, where all could take 500."""
SMALLEST_CHANCE = 1e-12


def window_chances(ledger: Ledger, by: tuple[str, str], rows: Codes, windows: Columns) -> Numbers:
    """Return the chance that a window comes to its total by the buyer's own pattern.

    Compound Poisson over day totals: days with the merchant come at the rate they have come, days'
    totals are drawn from those there have been. The rate is shrunk to the buyer's general one, the
    totals to those of the buyer's days anywhere and of anybody's with the merchant, in equal parts,
    so that a new merchant is judged by the others and by what it sells. All of it is taken from
    before the window. Purchases come in bursts, and with single payments as the unit almost
    everything would look impossible (docs/detection.md). The distribution is built by Panjer's
    recursion (Panjer 1981, ASTIN Bulletin 12) on `CELLS` cells.
    """
    batch_keys, batch_starts = np.unique(
        ledger.group(*by)[rows] * DAYS_APART + ledger.day[rows], return_index=True
    )
    batches = np.add.reduceat(ledger.pence[rows], batch_starts)
    key = windows["group"] * DAYS_APART
    start = key + windows["start"]
    first = np.searchsorted(batch_keys, np.maximum(start - HISTORY_DAYS, key))
    earlier = np.searchsorted(batch_keys, start) - first
    row = rows[windows["first"]]
    buyer, totals = by[:1], _day_totals(ledger, by)
    history_days = np.clip(ledger.day[row] - ledger.first_day(buyer)[row], 1, HISTORY_DAYS)
    bought = ledger.count(totals > 0, buyer, HISTORY_DAYS, 1)[row]
    merchants = np.maximum(_merchants_before(ledger, by)[row], 1)
    general = np.maximum(bought, 1) / merchants / history_days
    rate = (earlier + general * PRIOR_DAYS) / (history_days + PRIOR_DAYS)
    rate *= windows["window_days"] + 1
    total = windows["total_pence"]
    table = {"total": total, "rate": rate, "first": first, "earlier": earlier}
    for number, side in enumerate(by):
        usual = past_moments(ledger, (side,), pence=totals)
        table |= {f"{name}_{number}": usual[name][row] for name in ("mean", "deviation")}
    chunks = [slice(n, n + WINDOWS_AT_ONCE) for n in range(0, len(row), WINDOWS_AT_ONCE)]
    return np.concatenate([_tails(take_rows(table, part), batches) for part in chunks])


def _tails(windows: Columns, batches: Numbers) -> Numbers:
    """Return the chance that each window comes to its total.

    Args:
        windows: `total`, the `rate` of batches in the window, `mean` and `deviation` of day totals
            of the buyer (0) and of anybody at the seller (1), and where the pair's earlier batches
            lie: the `first` one and how many `earlier`.
        batches: totals of days, group by group.
    """
    total = windows["total"]
    usual = [_severity(windows[f"mean_{n}"], windows[f"deviation_{n}"], total) for n in (0, 1)]
    severity = np.mean(usual, axis=0) * PRIOR_BATCHES
    window, position = expand_runs(windows["first"], windows["earlier"])
    cell = np.ceil(batches[position] / windows["total"][window] * CELLS).astype(int)
    np.add.at(severity, (window, np.clip(cell, 1, CELLS)), 1.0)
    severity /= severity.sum(axis=1, keepdims=True)
    return _compound_tail(windows["rate"], severity)


def _day_totals(ledger: Ledger, by: tuple[str, str]) -> Numbers:
    """Return what a buyer's day with a seller comes to, on its last purchase; 0 on other rows."""
    bought = np.where(ledger.is_purchase, ledger.pence, 0.0)
    last = ledger.last_rows(ledger.is_purchase, (*by, "date"))
    totals = np.zeros(len(ledger))
    totals[last] = ledger.total(bought, by, since=0)[last]
    return totals


def _severity(mean: Numbers, deviation: Numbers, total: Numbers) -> Numbers:
    """Return a log-normal distribution of day totals over cells 1 to `CELLS` of a total."""
    from scipy.special import ndtr  # noqa: PLC0415  few statements need it, and it takes long to load

    edges = np.log(np.maximum(total[:, None] * np.arange(CELLS) / CELLS, 1.0))
    below = ndtr((edges - mean[:, None]) / deviation[:, None])
    below[:, 0] = 0.0
    spread = np.diff(np.concatenate([below, np.ones((len(total), 1))], axis=1), axis=1)
    return np.concatenate([np.zeros((len(total), 1)), np.maximum(spread, 0)], axis=1)


def _compound_tail(rate: Numbers, severity: Numbers) -> Numbers:
    """Return the chance that a compound Poisson sum reaches the last cell."""
    steps = np.arange(severity.shape[1])
    weighted = severity * steps
    density = np.zeros_like(severity)
    density[:, 0] = np.exp(-rate)
    for k in range(1, CELLS):
        mixed = (weighted[:, 1 : k + 1] * density[:, k - 1 :: -1][:, :k]).sum(axis=1)
        density[:, k] = rate / k * mixed
    return np.clip(1 - density[:, :CELLS].sum(axis=1), SMALLEST_CHANCE, 1.0)


def _merchants_before(ledger: Ledger, by: tuple[str, str]) -> Numbers:
    """Return for each row how many merchants its buyer has met before its day."""
    first = ledger.first_of_kind(ledger.is_purchase, by)
    return ledger.count(first, by[:1], until=1)
