"""How rare each payment is beside the organisation's own past payments, as a share.

Each surprise becomes the share of reference payments at least as surprising (a conformal p-value:
Bates et al. 2023). Within a family the smallest counts; families are multiplied (Fisher 1932).
Both are held against the same figure for the reference payments, so that however many features
there are and however they hang together, a share is a share of payments and no independence is
claimed (docs/detection.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cardwatch.features import FAMILIES, name_of

if TYPE_CHECKING:
    Numbers = np.ndarray[Any, np.dtype[np.float64]]
    Flags = np.ndarray[Any, np.dtype[np.bool_]]

UNUSUALNESS = "unusualness"
CHANCES: dict[str, str] = {
    "payment_chance_share": "Share of comparable payments at least as unusual, all taken together",
    "merchant_chance_share": "Share of comparable payments with as unusual a merchant",
    "amount_chance_share": "Share of comparable payments with as unusual an amount",
    "sum_chance_share": "Share of comparable payments with as unusual a round or near-limit sum",
    "timing_chance_share": "Share of comparable payments at as unusual a time",
    "repeat_chance_share": "Share of comparable payments with as unusual a repeat or refund",
    "split_chance_share": "Share of comparable payments that end as unusual a split",
}
"""Columns that rules may read beside the features, with their meanings."""


def share_at_least(values: Numbers, reference: Numbers) -> Numbers:
    """Return for each value the share of reference values at least as high, never 0."""
    ranked = np.sort(reference)
    above = len(ranked) - np.searchsorted(ranked, values, side="left")
    return (above + 1) / (len(ranked) + 1)


def surprise_shares(features: pd.DataFrame, reference: Flags) -> pd.DataFrame:
    """Return each surprise as a share of reference payments; 1 where there is no surprise.

    The forest's `unusualness` is one more if it is a column of `features`.
    """
    names = [name_of(feature) for family in FAMILIES.values() for feature in family]
    if UNUSUALNESS in features:
        names.append(UNUSUALNESS)
    shares = {}
    for name in names:
        values = features[name].to_numpy("float64")
        shares[name] = np.where(values > 0, share_at_least(values, values[reference]), 1.0)
    return pd.DataFrame(shares, features.index)


def chances(shares: pd.DataFrame, reference: Flags) -> pd.DataFrame:
    """Return the columns of `CHANCES` for each payment."""
    columns, product = {}, np.zeros(len(shares))
    for family, members in FAMILIES.items():
        names = [name_of(feature) for feature in members]
        best = shares[names].min(axis=1).to_numpy()
        rank = np.where(best < 1, share_at_least(-best, -best[reference]), 1.0)
        columns[f"{family}_chance_share"] = rank
        product -= np.log(rank)
    if UNUSUALNESS in shares:
        product -= np.log(shares[UNUSUALNESS].to_numpy())
    columns["payment_chance_share"] = share_at_least(product, product[reference])
    return pd.DataFrame(columns, shares.index)[list(CHANCES)]
