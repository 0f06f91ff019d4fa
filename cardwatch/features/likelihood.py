"""How much better a payment's merchant fits another holder than this one.

For every payment two chances are compared: that some typical holder of the organisation pays this
merchant, and that this holder does, by their own past and by the holders who buy most like them.
The logarithm of the ratio is high where others use the merchant and neither the holder nor their
neighbours do. Neighbours are found by what is bought, not by department: departments are renamed
and cards move (docs/detection.md). Counts are those of the days before; neighbours and the usual
shares are those of the months before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

if TYPE_CHECKING:
    from cardwatch.features.ledger import Codes, Ledger, Numbers

NEIGHBOURS = 30
OWN_WEIGHT = 20.0
"""Weight, in payments, of the background against the holder's own past."""
NEIGHBOUR_SHARE = 0.9
NEW_BACKGROUND = 0.7
RARE_SHARE = 1e-5
"""Share of payments that a merchant unknown so far is taken to have."""


def merchant_surprise(ledger: Ledger) -> pd.Series[float]:
    """Neither this holder nor those who buy most like them use this merchant."""
    return ledger.once("likelihood", lambda: _likelihoods(ledger))["merchant_id"]


def category_surprise(ledger: Ledger) -> pd.Series[float]:
    """Neither this holder nor those who buy most like them buy this kind of thing."""
    return ledger.once("likelihood", lambda: _likelihoods(ledger))["category_id"]


def new_merchant_rate(ledger: Ledger) -> Numbers:
    """Return the rate at which each row's holder has met new merchants: (new + 1) / (n + 4)."""
    first = ledger.first_of_kind(ledger.is_purchase, ("holder_id", "merchant_id"))
    met = ledger.count(first, ("holder_id",), until=1)
    return (met + 1) / (ledger.count(ledger.is_purchase, ("holder_id",), until=1) + 4)


def _likelihoods(ledger: Ledger) -> pd.DataFrame:
    """Return the log ratio for merchant and category of each row, 0 where it is no purchase."""
    rate = new_merchant_rate(ledger)
    ratios = {"merchant_id": np.zeros(len(ledger)), "category_id": np.zeros(len(ledger))}
    holder, bought = ledger.group("holder_id"), ledger.is_purchase
    for month in np.unique(ledger.month)[1:]:
        before, now = (
            bought & (ledger.month < month),
            np.flatnonzero(bought & (ledger.month == month)),
        )
        if not len(now) or not before.any():
            continue
        tables = {name: _counts(holder, ledger.group(name), before) for name in ratios}
        weights = _neighbours(list(tables.values()))
        for name, table in tables.items():
            item = ledger.group(name)[now]
            own = ledger.count(bought, ("holder_id", name), until=1)[now]
            paid = ledger.count(bought, ("holder_id",), until=1)[now]
            ratios[name][now] = _ratio(table, weights, (holder[now], item), (own, paid, rate[now]))
    ratios["category_id"][(ledger.category_id == "").to_numpy()] = 0.0
    ratios = {name: np.maximum(ratio, 0) for name, ratio in ratios.items()}
    return pd.DataFrame(ratios, ledger.frame.index)


def _counts(holder: Codes, item: Codes, rows: np.ndarray[Any, np.dtype[np.bool_]]) -> Any:  # noqa: ANN401  scipy has no types
    """Return how often each holder has paid each item, as a sparse table."""
    shape = (holder.max() + 1, item.max() + 1)
    return sparse.coo_array((np.ones(rows.sum()), (holder[rows], item[rows])), shape).tocsr()


def _neighbours(tables: list[Any]) -> Any:  # noqa: ANN401  scipy has no types
    """Return for each holder equal weights on the holders most alike.

    Likeness is the cosine of logarithmic counts of merchants and categories, weighted down for
    what everybody buys (tf-idf).
    """
    profiles = sparse.hstack([table.log1p() for table in tables]).tocsr()
    holders = int((np.diff(profiles.indptr) > 0).sum())  # those who join later change nothing
    users = np.bincount(profiles.indices, minlength=profiles.shape[1])
    profiles = profiles.multiply(np.log((1 + holders) / (1 + users))).tocsr()
    length = np.sqrt(profiles.multiply(profiles).sum(axis=1))
    profiles = profiles.multiply(1 / np.maximum(length, 1e-12)[:, None]).tocsr()
    alike = (profiles @ profiles.T).toarray()
    np.fill_diagonal(alike, -1)
    size = len(alike)
    count = min(NEIGHBOURS, size - 1)
    if count < 1:
        return sparse.csr_array((size, size))
    # Ties go to the holder that comes first, so that the result does not depend on the machine.
    nearest = np.argsort(-np.round(alike, 9), axis=1, kind="stable")[:, :count]
    real = np.take_along_axis(alike, nearest, axis=1) > 0
    rows = np.repeat(np.arange(size), count)[real.ravel()]
    share = np.repeat(1 / np.maximum(real.sum(axis=1), 1), count)[real.ravel()]
    return sparse.csr_array((share, (rows, nearest.ravel()[real.ravel()])), (size, size))


def _ratio(
    table: Any,  # noqa: ANN401  scipy has no types
    weights: Any,  # noqa: ANN401  scipy has no types
    at: tuple[Codes, Codes],
    past: tuple[Numbers, Numbers, Numbers],
) -> Numbers:
    """Return ln(typical holder's chance / this holder's chance) for pairs of holder and item."""
    own, paid, rate = past
    totals = table.sum(axis=1)
    shares = table.multiply((1 / np.maximum(totals, 1))[:, None]).tocsr()
    typical = np.maximum(shares.sum(axis=0) / max((totals > 0).sum(), 1), RARE_SHARE)[at[1]]
    nearby = _pairs((weights @ shares).tocsr(), at)
    everywhere = (table.sum(axis=0) / table.sum())[at[1]]
    background = NEIGHBOUR_SHARE * nearby + (1 - NEIGHBOUR_SHARE) * everywhere
    used = (own + OWN_WEIGHT * background) / (paid + OWN_WEIGHT)
    new = rate * (NEW_BACKGROUND * background + (1 - NEW_BACKGROUND) * RARE_SHARE) + 1e-9
    return np.log(typical / np.where(own > 0, used, new))


def _pairs(table: Any, at: tuple[Codes, Codes]) -> Numbers:  # noqa: ANN401  scipy has no types
    """Return single cells of a sparse table."""
    table.sum_duplicates()
    width = table.shape[1]
    keys = np.repeat(np.arange(table.shape[0]), np.diff(table.indptr)) * width + table.indices
    wanted = at[0] * width + at[1]
    place = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
    if not len(keys):
        return np.zeros(len(wanted))
    return np.where(keys[place] == wanted, table.data[place], 0.0)
