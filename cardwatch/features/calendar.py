"""Features of days: weekends and bank holidays, gaps, busy days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardwatch.features.baselines import SHRINKAGE
from cardwatch.features.repeat import holder_history_days

if TYPE_CHECKING:
    from cardwatch.features.ledger import Flags, Ledger, Numbers

LONGEST_GAP_DAYS, FEWEST_DAYS = 90, 30
"""Longer gaps surprise no more, since early in the history there can be none; and the days of
history that a holder's usual gap is told from at least."""


def is_non_working_day(ledger: Ledger) -> Flags:
    """Whether it was a weekend or a bank holiday."""
    return ledger.is_non_working


def non_working_day_surprise(ledger: Ledger) -> Numbers:
    """This cardholder rarely pays on weekends or bank holidays."""
    free, bought = ledger.is_non_working & ledger.is_purchase, ledger.is_purchase
    usual = (ledger.count(free, (), until=1) + 1) / (ledger.count(bought, (), until=1) + 20)
    holder_count = ledger.count(free, ("holder_id",), until=1) + SHRINKAGE * usual
    rate = holder_count / (ledger.count(bought, ("holder_id",), until=1) + SHRINKAGE)
    return np.where(free, -np.log(rate), 0.0)


def days_since_holder_paid(ledger: Ledger) -> Numbers:
    """Days since the cardholder's last earlier payment; 0 if there is none."""
    last = ledger.last_day(ledger.is_purchase, ("holder_id",))
    return np.nan_to_num(ledger.day - last)


def gap_surprise(ledger: Ledger) -> Numbers:
    """The card had not been used for much longer than usual."""
    gap = days_since_holder_paid(ledger)
    purchases = ledger.count(ledger.is_purchase, ("holder_id",), 365, 1)
    history_days = np.clip(holder_history_days(ledger), FEWEST_DAYS, 365)
    usual = (history_days + FEWEST_DAYS) / (purchases + SHRINKAGE)
    gap = np.minimum(gap, LONGEST_GAP_DAYS)
    return np.where(ledger.is_purchase, np.maximum(gap / usual - 1, 0), 0.0)


def holder_day_count(ledger: Ledger) -> Numbers:
    """The cardholder's purchases on this day."""
    return ledger.count(ledger.is_purchase, ("holder_id",), 0)


def busy_day_surprise(ledger: Ledger) -> Numbers:
    """The cardholder rarely makes this many payments in a day."""
    today = holder_day_count(ledger)
    first = ledger.first_of_kind(ledger.is_purchase, ("holder_id", "date"))
    days = ledger.count(first, ("holder_id",), until=1)
    usual = (ledger.count(ledger.is_purchase, ("holder_id",), until=1) + 2 * SHRINKAGE) / (
        days + SHRINKAGE
    )
    surprise = np.maximum((today - usual) / np.sqrt(usual), 0)
    return np.where(ledger.is_purchase, surprise, 0.0)


def day_total_surprise(ledger: Ledger) -> Numbers:
    """The cardholder rarely spends this much in a day."""
    spent = np.where(ledger.is_purchase, ledger.pence, 0.0)
    today = np.log(np.maximum(ledger.total(spent, ("holder_id",), 0), 100))
    first = ledger.first_of_kind(ledger.is_purchase, ("holder_id", "date"))
    total = np.where(first, today, 0.0)
    mean = np.full(len(ledger), np.log(8_000))
    variance = np.full(len(ledger), 1.3**2)
    for by in ((), ("holder_id",)):
        days = ledger.count(first, by, until=1)
        group_mean = ledger.total(total, by, until=1) / np.maximum(days, 1)
        spread = np.maximum(
            ledger.total(total**2, by, until=1) / np.maximum(days, 1) - group_mean**2, 0
        )
        weight = days / (days + SHRINKAGE)
        variance = weight * spread + (1 - weight) * variance
        mean = weight * group_mean + (1 - weight) * mean
    above = (today - mean) / np.maximum(np.sqrt(variance), 0.3)
    return np.where(ledger.is_purchase, np.maximum(above, 0), 0.0)
