"""Rarity of each payment as a share of the organisation's own past payments.

Each surprise becomes the share of reference payments at least as surprising (a conformal p-value:
Bates et al. 2023). Within a family the smallest counts; families are multiplied (Fisher 1932).
Both are held against the same figure for the reference payments, so that however many features
there are and however they hang together, a share is a share of payments and no independence is
claimed (docs/detection.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cardwatch.features import FAMILIES, MONTH_FEATURES, name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cardwatch.features.ledger import Columns

    Numbers = np.ndarray[Any, np.dtype[np.float64]]
    Codes = np.ndarray[Any, np.dtype[np.int64]]
    Flags = np.ndarray[Any, np.dtype[np.bool_]]

NOVELTY = "novelty_surprise"
"""The column that orders payments by novelty: the sum of the log shares of `NEW`."""
NEW = ("holder_novelty_surprise", "merchant_rarity_surprise", "category_rarity_surprise",
       "trade_rarity_surprise")  # fmt: skip
"""Views of what is new, each the logarithm of a share: the holder's and the organisation's."""
NEW_SUM = "amount_for_holder_surprise"
"""With them counts how far the sum lies in the tail of the holder's own."""
ALONE = {
    "burst_chance_share": "new_merchants_surprise",
    "twice_chance_share": "charged_twice_surprise",
    "bill_chance_share": "other_bill_surprise",
    "slow_chance_share": "slow_total_surprise",
    "sole_chance_share": "sole_merchant_surprise",
}
"""Shares of single surprises that belong to no family of the forest's."""
UNUSUALNESS, SURPRISE, BUYING = "unusualness", "payment_surprise", "buying_surprise"
"""Columns beside the shares: the forest's score; and what orders payments, the logarithms of the
shares of all families added up, and of merchant and purpose alone."""
MONTH_UNUSUALNESS, MONTH_SURPRISE = "month_unusualness", "month_surprise"
"""The same of the holder's month so far: the second forest's score, and the sum of logarithms."""
TAIL_SHARE = 0.025
"""Chance left out on either side of a 95 % interval."""
CHANCES: dict[str, str] = {
    "payment_chance_share": "Share of comparable payments that are at least as unusual as a whole",
    "merchant_chance_share": "Share of comparable payments with as unusual a merchant",
    "amount_chance_share": "Share of comparable payments with as unusual an amount",
    "sum_chance_share": "Share of comparable payments with as unusual a round or near-limit amount",
    "timing_chance_share": "Share of comparable payments at as unusual a time",
    "repeat_chance_share": "Share of comparable payments with as unusual a repeat or refund",
    "split_chance_share": "Share of comparable payments that end as unusual a split",
    "novelty_chance_share": "Share of comparable payments as new to cardholder and organisation",
    "burst_chance_share": "Share of comparable payments with as unusual a run of new merchants",
    "twice_chance_share": "Share of comparable payments with as unusual a repeated amount",
    "bill_chance_share": "Share of comparable payments as unlikely to equal another cardholder's",
    "slow_chance_share": "Share of comparable payments with as unusual a total over the limit",
    "sole_chance_share": "Share of comparable payments at a merchant of one cardholder with as "
    "unusual amounts",
    "month_chance_share": "Share of cardholders' earlier months as unlike the months before",
}
"""Columns that rules may read beside the features, with their meanings."""


def share_at_least(values: Numbers, reference: Numbers) -> Numbers:
    """Return for each value the share of reference values at least as high, never 0."""
    ranked = np.sort(reference)
    above = len(ranked) - np.searchsorted(ranked, values, side="left")
    return (above + 1) / (len(ranked) + 1)


def surprise_shares(features: Mapping[str, Any], reference: Flags) -> Columns:
    """Return each surprise as a share of reference payments; 1 where there is no surprise.

    The forest's `unusualness` is one more if it is a column of `features`.
    """
    names = [name_of(feature) for family in FAMILIES.values() for feature in family]
    if UNUSUALNESS in features:
        names.append(UNUSUALNESS)
    return _shares(features, names, reference)


def _shares(features: Mapping[str, Any], names: Iterable[str], compared: Flags | Codes) -> Columns:
    """Return columns as shares of some of their rows; 1 where a value is not above 0."""
    shares = {}
    for name in names:
        values = np.asarray(features[name], dtype="float64")
        shares[name] = np.where(values > 0, share_at_least(values, values[compared]), 1.0)
    return shares


def chances(shares: Columns, reference: Flags) -> Columns:
    """Return the columns of `CHANCES` that speak of a payment, and what orders payments."""
    ranks = {}
    for family, members in FAMILIES.items():
        names = [name_of(feature) for feature in members]
        best = np.min([shares[name] for name in names], axis=0)
        ranks[family] = np.where(best < 1, share_at_least(-best, -best[reference]), 1.0)
    columns = {f"{family}_chance_share": rank for family, rank in ranks.items()}
    unlike = -np.log(ranks["merchant"]) - np.log(ranks["purpose"])
    product = -np.log(np.stack(list(ranks.values()))).sum(axis=0)
    if UNUSUALNESS in shares:
        product -= np.log(shares[UNUSUALNESS])
    columns["merchant_chance_share"] = share_at_least(unlike, unlike[reference])
    columns["payment_chance_share"] = share_at_least(product, product[reference])
    chance_columns = {name: columns[name] for name in CHANCES if name in columns}
    return chance_columns | {SURPRISE: product, BUYING: unlike}


def novelty_chances(features: Mapping[str, Any], reference: Flags) -> Columns:
    """Return the shares of what is new and of single surprises, and what orders new payments."""
    shares = _shares(features, (NEW_SUM, *ALONE.values()), reference)
    new = np.asarray(features["is_new_to_holder"], dtype=bool)
    product = np.sum([np.asarray(features[name]) for name in NEW], axis=0)
    product = np.where(new, product - np.log(shares[NEW_SUM]), 0.0)
    columns = {name: shares[surprise] for name, surprise in ALONE.items()}
    columns["novelty_chance_share"] = np.where(
        product > 0, share_at_least(product, product[reference]), 1.0
    )
    return columns | {NOVELTY: product}


def month_chances(features: Mapping[str, Any], ends: Codes) -> Columns:
    """Return `month_chance_share` and what orders months: merchants, purposes and the forest.

    Args:
        features: columns, a row a payment; `month_unusualness` among them where there is a forest.
        ends: rows at which the earlier months of holders ended.
    """
    views = [name for name in (*MONTH_FEATURES[:2], MONTH_UNUSUALNESS) if name in features]
    product = -np.log(np.stack(list(_shares(features, views, ends).values()))).sum(axis=0)
    share = share_at_least(product, product[ends]) if len(ends) else np.ones(len(product))
    return {"month_chance_share": share, MONTH_SURPRISE: product}


def exact_interval(count: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share of which a count was seen (Clopper and Pearson 1934).

    Its ends are quantiles of beta distributions, which are inverse incomplete beta functions.
    The true share lies outside at most one time in twenty, however small the total is.

    Args:
        count: how many of the total, from 0 to all.
        total: how many in all; without any, every share from 0 to 1 is possible.
    """
    from scipy.special import betaincinv  # noqa: PLC0415  few statements need it, and it takes long to load

    low = float(betaincinv(count, total - count + 1, TAIL_SHARE)) if count else 0.0
    high = 1.0 if count == total else float(betaincinv(count + 1, total - count, 1 - TAIL_SHARE))
    return low, high
