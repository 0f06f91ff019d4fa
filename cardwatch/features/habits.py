"""Features of habits: sums at a merchant of one cardholder, repeated splits, cash and vouchers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardwatch.features.amount import is_near_limit
from cardwatch.features.baselines import A_PENNY, newly_doubled
from cardwatch.features.ledger import PAIR
from cardwatch.features.merchant import (
    MERCHANT_YEAR_DAYS,
    is_cash,
    is_gift_card,
    merchant_holders_count,
    worded,
)
from cardwatch.features.split import is_unlikely_split
from cardwatch.features.together import is_billed_per_person

if TYPE_CHECKING:
    from cardwatch.features.ledger import Flags, Ledger, Numbers

ROUND_PENCE = (100, 1_000)
"""Amounts in whole pounds, and in whole tens of pounds, are agreed rather than worked out."""
FEWEST_PAYMENTS = 5
FEWEST_SPLITS = 3
"""Number of splits in a year from which they are a habit of the cardholder."""
WEIGHT = 50
"""Payments by which a usual share is drawn towards that of everybody."""
LEAST_CHANCE = 1e-12


def sole_merchant_surprise(ledger: Ledger) -> Numbers:
    """Amounts at a merchant of this cardholder alone are round, near the limit or ever larger."""
    bought, pence = ledger.is_purchase, ledger.column("amount_pence")
    here = ledger.count(bought, PAIR, MERCHANT_YEAR_DAYS)
    sole = bought & (merchant_holders_count(ledger) == 1) & (here >= FEWEST_PAYMENTS)
    sole &= ~is_billed_per_person(ledger)
    if not sole.any():
        return np.zeros(len(ledger))
    whole = [_improbable(ledger, bought & (pence % size == 0)) for size in ROUND_PENCE]
    surprise = np.maximum(*whole) + _improbable(ledger, is_near_limit(ledger)) + _rising(ledger)
    return np.where(sole, surprise, 0.0)


def _rising(ledger: Ledger) -> Numbers:
    """Return -ln of the chance that the latest days' largest payments here rose in such a row.

    Of k amounts in any order one in k! is rising; every day may begin one.
    """
    from scipy.special import gammaln  # noqa: PLC0415  few statements need it, and it takes long to load

    rows = np.flatnonzero(ledger.is_purchase)
    pair, day, pence = ledger.group(*PAIR), ledger.day, ledger.pence
    rows = rows[np.lexsort((pence[rows], day[rows], pair[rows]))]
    last = np.append((np.diff(pair[rows]) != 0) | (np.diff(day[rows]) != 0), True)
    largest = rows[last]  # of each holder, merchant and day
    same = np.append(False, np.diff(pair[largest]) == 0)
    rises = same & np.append(False, np.diff(pence[largest]) > 0)
    place = np.arange(len(largest))
    length = place - np.maximum.accumulate(np.where(rises, 0, place)) + 1
    days = place - np.maximum.accumulate(np.where(same, 0, place)) + 1
    surprise = np.maximum(gammaln(length + 1) - np.log(days - length + 1), 0.0)
    here = np.zeros(len(ledger))
    here[rows] = surprise[np.cumsum(np.append(0, last[:-1]))]
    return here


def _improbable(ledger: Ledger, sign: Flags) -> Numbers:
    """Return -ln of the chance of as many payments with a sign here in a year.

    The chance is a binomial tail at the rate of the cardholder's own payments, drawn towards that
    of everybody.
    """
    from scipy.special import betainc  # noqa: PLC0415  few statements need it, and it takes long to load

    bought = ledger.is_purchase
    usual = (ledger.count(sign, (), until=1) + 1) / (ledger.count(bought, (), until=1) + WEIGHT)
    usual = ledger.count(sign, PAIR[:1], until=1) + WEIGHT * usual
    usual /= ledger.count(bought, PAIR[:1], until=1) + WEIGHT
    here = ledger.count(bought, PAIR, MERCHANT_YEAR_DAYS)
    seen = ledger.count(sign, PAIR, MERCHANT_YEAR_DAYS)
    # P(X >= k) of a binomial is an incomplete beta function, which takes numbers that are no int.
    tail = betainc(np.maximum(seen, 1), np.maximum(here - seen, 0) + 1, np.minimum(usual, 1.0))
    return np.where(seen > 0, -np.log(np.maximum(tail, LEAST_CHANCE)), 0.0)


def _split_merchants(ledger: Ledger) -> Flags:
    """Return the rows at which a holder's first unlikely split at a merchant ends."""
    return ledger.first_of_kind(is_unlikely_split(ledger), PAIR)


def split_merchants_count(ledger: Ledger) -> Numbers:
    """Merchants at which the cardholder's payments first were an unlikely split, in a year.

    It is 0 but on the days on which the count first reaches 3, 6, 12 and so on.
    """
    first = _split_merchants(ledger)
    count = ledger.count(first, PAIR[:1], MERCHANT_YEAR_DAYS)
    new = newly_doubled(ledger, first, count, FEWEST_SPLITS, by=PAIR[:1], back=MERCHANT_YEAR_DAYS)
    return np.where(new, count, 0.0)


def split_merchants_surprise(ledger: Ledger) -> Numbers:
    """The cardholder's payments are splits at more merchants than those of others."""
    count = split_merchants_count(ledger)
    if not count.any():
        return np.zeros(len(ledger))
    from scipy.special import pdtrc  # noqa: PLC0415  few statements need it, and it takes long to load

    first, bought = _split_merchants(ledger), ledger.is_purchase
    usual = (ledger.count(first, (), until=1) + 1) / (ledger.count(bought, (), until=1) + WEIGHT)
    expected = usual * ledger.count(bought, PAIR[:1], MERCHANT_YEAR_DAYS)
    tail = pdtrc(np.maximum(count - 1, 0), expected)
    return np.where(count > 0, -np.log(np.maximum(tail, LEAST_CHANCE)), 0.0)


def is_cash_or_voucher(ledger: Ledger) -> Flags:
    """Whether it is cash, something close to cash, a gift card or voucher, or a refund of such."""
    policy = ledger.policy
    sells = ledger.in_categories(policy.cash_categories) | worded(ledger, policy.gift_card_words)
    return _pays_cash_or_voucher(ledger) | (sells & ledger.is_refund)


def _pays_cash_or_voucher(ledger: Ledger) -> Flags:
    return is_cash(ledger) | is_gift_card(ledger)


def cash_and_vouchers_count(ledger: Ledger) -> Numbers:
    """The cardholder's payments for cash and vouchers in twelve months.

    It is 0 but on the days on which their total newly exceeds the single-purchase limit, or twice,
    four times and so on as much.
    """
    count = ledger.count(_pays_cash_or_voucher(ledger), PAIR[:1], MERCHANT_YEAR_DAYS)
    return np.where(_cash_and_vouchers_times(ledger) > 0, count, 0.0)


def cash_and_vouchers_pence(ledger: Ledger) -> Numbers:
    """Total of the cardholder's payments for cash and vouchers in twelve months, less refunds."""
    counts = is_cash_or_voucher(ledger) & ~ledger.column("day_doubled")
    spent = np.where(ledger.is_refund, ledger.spent_pence, ledger.pence)  # cash is no purchase
    return ledger.total(np.where(counts, spent, 0.0), PAIR[:1], MERCHANT_YEAR_DAYS)


def cash_and_vouchers_surprise(ledger: Ledger) -> Numbers:
    """Cash and vouchers of one cardholder add up to more than the limit, which few others buy."""
    times = _cash_and_vouchers_times(ledger)
    if not times.any():
        return np.zeros(len(ledger))
    first = ledger.first_of_kind(_pays_cash_or_voucher(ledger), PAIR[:1])
    holders = ledger.count(ledger.first_of_kind(ledger.is_purchase, PAIR[:1]), ())
    rarity = np.log((holders + 1) / (ledger.count(first, ()) + 1))
    return np.where(times > 0, np.log(np.maximum(times, 1.0)) + np.maximum(rarity, 0.01), 0.0)


def _cash_and_vouchers_times(ledger: Ledger) -> Numbers:
    """Return how many times the limit a cardholder's cash and vouchers are, where this is new."""
    limit = ledger.column("single_purchase_limit_pence").astype("float64")
    bought, total = _pays_cash_or_voucher(ledger), cash_and_vouchers_pence(ledger)
    last = np.zeros(len(ledger), dtype=bool)
    last[ledger.last_rows(bought, (*PAIR[:1], "date"))] = True
    part = last & (limit > 0)
    new = newly_doubled(ledger, part, total - A_PENNY, limit, by=PAIR[:1], back=MERCHANT_YEAR_DAYS)
    return np.where(new, total / np.maximum(limit, 1), 0.0)
