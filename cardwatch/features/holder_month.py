"""Features of a holder's month so far: whether it is unlike the holder's months before it.

Each adds up something over the holder's purchases of the month, to the row's own day, and holds it
against what the holder's earlier months would give; little history is drawn towards what is usual
in the organisation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardwatch.features.baselines import SHRINKAGE
from cardwatch.features.likelihood import log_ratios
from cardwatch.features.split import is_single_need

if TYPE_CHECKING:
    from cardwatch.features.ledger import Ledger, Numbers

LEAST_RATIO, MOST_RATIO = -3.0, 8.0
"""A single payment's log ratio counts no more than this: one odd payment is no odd month."""
MONTH = ("holder_id", "month")
PRIOR_MONTHS = 3.0
SPREAD_OF_MONTHS = 0.5
"""Months of one holder differ by about half their mean, beyond what chance makes."""


def holder_month_single_count(ledger: Ledger) -> Numbers:
    """The cardholder's one-off purchases this month so far."""
    return ledger.count(is_single_need(ledger), MONTH)


def holder_earlier_months_count(ledger: Ledger) -> Numbers:
    """The cardholder's purchases in earlier months."""
    bought = ledger.is_purchase
    return ledger.count(bought, MONTH[:1]) - ledger.count(bought, MONTH)


def month_merchants_surprise(ledger: Ledger) -> Numbers:
    """This month's merchants fit the cardholder much less than usual."""
    return _shift(ledger, _ratio(ledger, "merchant_id"))


def month_purposes_surprise(ledger: Ledger) -> Numbers:
    """This month's categories and purposes fit the cardholder much less than usual."""
    ratio = np.maximum(_ratio(ledger, "category_id"), _ratio(ledger, "purpose_id"))
    return _shift(ledger, ratio)


def month_amounts_surprise(ledger: Ledger) -> Numbers:
    """The cardholder's payments this month are larger than usual."""
    return _shift(ledger, ledger.log_pence)


def month_free_days_surprise(ledger: Ledger) -> Numbers:
    """More of this month was paid on weekends and bank holidays than is usual."""
    return _shift(ledger, ledger.is_non_working.astype("float64"))


def month_count_surprise(ledger: Ledger) -> Numbers:
    """The cardholder made more payments this month than usual."""
    return _excess(ledger, np.ones(len(ledger)), 1.0)


def month_spend_surprise(ledger: Ledger) -> Numbers:
    """The cardholder spent more this month than usual."""
    spent = np.where(ledger.is_purchase, ledger.pence, 0.0)
    usual = ledger.total(spent, ()) / np.maximum(ledger.count(ledger.is_purchase, ()), 1)
    return _excess(ledger, spent, usual)


def _ratio(ledger: Ledger, name: str) -> Numbers:
    return np.clip(log_ratios(ledger)[name], LEAST_RATIO, MOST_RATIO)


def _month_and_before(ledger: Ledger, values: Numbers) -> tuple[Numbers, Numbers]:
    """Return sums over the holder's purchases of the month so far, and of the months before."""
    counted = np.where(ledger.is_purchase, values, 0.0)
    month = ledger.total(counted, MONTH)
    return month, ledger.total(counted, ("holder_id",)) - month


def _shift(ledger: Ledger, values: Numbers) -> Numbers:
    """Return by how many standard errors the month's mean lies above the holder's own."""
    everybody = ledger.is_purchase
    count = np.maximum(ledger.count(everybody, (), until=1), 1)
    mean = ledger.total(np.where(everybody, values, 0.0), (), until=1) / count
    square = ledger.total(np.where(everybody, values**2, 0.0), (), until=1) / count
    usual = np.maximum(square - mean**2, 1e-6)
    ones, before = _month_and_before(ledger, np.ones(len(ledger)))
    now, past = _month_and_before(ledger, values)
    squares = _month_and_before(ledger, values**2)[1]
    holder_mean = (past + SHRINKAGE * mean) / (before + SHRINKAGE)
    second = (squares + SHRINKAGE * (usual + mean**2)) / (before + SHRINKAGE)
    variance = np.maximum(second - holder_mean**2, usual / 10)
    error = np.sqrt(variance * np.maximum(ones, 1) * (1 + ones / (before + SHRINKAGE)))
    shift = (now - ones * holder_mean) / error
    return np.where(everybody, np.maximum(shift, 0), 0.0)


def _excess(ledger: Ledger, values: Numbers, size: float | Numbers) -> Numbers:
    """Return by how many deviations the month's sum lies above the holder's usual month.

    Args:
        ledger: the transactions.
        values: what is added up.
        size: what one payment adds, about, by what is known on its day.
    """
    now, past = _month_and_before(ledger, values)
    first = ledger.first_of_kind(ledger.is_purchase, MONTH)
    months = ledger.count(first, ("holder_id",)) - ledger.count(first, MONTH)
    holders = ledger.count(ledger.first_of_kind(ledger.is_purchase, ("holder_id",)), ())
    general = ledger.total(np.where(ledger.is_purchase, values, 0.0), ())
    general /= np.maximum(ledger.count(first, ()), np.maximum(holders, 1))
    usual = (past + PRIOR_MONTHS * general) / (months + PRIOR_MONTHS)
    deviation = np.sqrt(usual * size + (SPREAD_OF_MONTHS * usual) ** 2)
    excess = (now - usual) / np.maximum(deviation, 1e-9)
    return np.where(ledger.is_purchase, np.maximum(excess, 0), 0.0)
