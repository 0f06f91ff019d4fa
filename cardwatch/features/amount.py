"""Features of amounts: against limits, and against what is usual for holder and merchant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardwatch.features.baselines import amount_surprise
from cardwatch.features.ledger import PAIR

if TYPE_CHECKING:
    from cardwatch.features.ledger import Flags, Ledger, Numbers, Whole

NEAR_LIMIT_WINDOW_DAYS = 90
ROUND_SHRINKAGE = 20.0


def amount_pence(ledger: Ledger) -> Whole:
    """The amount paid."""
    return ledger.column("amount_pence")


def limit_pence(ledger: Ledger) -> Whole:
    """The cardholder's single-purchase limit on that day."""
    return ledger.column("single_purchase_limit_pence")


def month_limit_pence(ledger: Ledger) -> Whole:
    """The cardholder's monthly limit."""
    return ledger.column("holder_month_limit_pence")


def step_pence(ledger: Ledger) -> Whole:
    """The quotation threshold: purchases of this amount or more need quotations."""
    return ledger.column("step_limit_pence")


def is_purchase(ledger: Ledger) -> Flags:
    """Whether it is a purchase, not a refund, a fee or an entry of the bank."""
    return ledger.is_purchase


def is_limit_stated(ledger: Ledger) -> Flags:
    """Whether the organisation has stated its single-purchase limit."""
    return ledger.column("is_single_purchase_stated")


def is_month_limit_stated(ledger: Ledger) -> Flags:
    """Whether the organisation has stated its monthly limit."""
    return ledger.column("is_holder_month_stated")


def is_step_stated(ledger: Ledger) -> Flags:
    """Whether the organisation has stated its quotation threshold."""
    return ledger.column("is_step_stated")


def is_spending(ledger: Ledger) -> Flags:
    """Whether it counts as spending: a purchase or a merchant's refund."""
    return ledger.is_purchase | ledger.is_refund


def over_limit_pence(ledger: Ledger) -> Whole:
    """Amount by which one purchase exceeds the limit; 0 where there was no limit."""
    limit = limit_pence(ledger)
    over = amount_pence(ledger) - limit
    return np.where((limit > 0) & ledger.is_purchase & (over > 0), over, 0)


def is_over_limit(ledger: Ledger) -> Flags:
    """Whether one purchase exceeds the cardholder's limit."""
    return over_limit_pence(ledger) > 0


def is_over_limit_only_with_vat(ledger: Ledger) -> Flags:
    """Whether it exceeds the limit only if the limit includes VAT, which is not stated."""
    sure = ledger.column("single_purchase_sure_limit_pence")
    return (over_limit_pence(ledger) > 0) & (amount_pence(ledger) <= sure)


def holder_month_spend_pence(ledger: Ledger) -> Numbers:
    """The cardholder's spending this month so far, less refunds."""
    return ledger.total(ledger.moved_pence, ("holder_id", "month"))


def large_payment_limit_pence(ledger: Ledger) -> Whole:
    """The amount from which the policy reviews every payment; 0 if it sets none."""
    return np.full(len(ledger), round(ledger.policy.large_payment_pounds * 100))


def hospitality_cap_pence(ledger: Ledger) -> Whole:
    """The policy's cap on hospitality at one merchant in a day; 0 if it sets none."""
    return np.full(len(ledger), round(ledger.policy.hospitality_cap_pounds * 100))


def is_near_limit(ledger: Ledger) -> Flags:
    """Whether a purchase is just below or at the cardholder's limit."""
    limit, paid = limit_pence(ledger), amount_pence(ledger)
    near = (paid >= limit * ledger.policy.near_limit_share) & (limit > 0) & (paid <= limit)
    return near & ledger.is_purchase


def near_limit_90_days_count(ledger: Ledger) -> Numbers:
    """The cardholder's payments just below the limit in 90 days."""
    near = is_near_limit(ledger)
    return ledger.count(near, ("holder_id",), NEAR_LIMIT_WINDOW_DAYS)


def near_limit_one_price_share(ledger: Ledger) -> Numbers:
    """Share of payments just below the limit in 90 days that are for exactly this amount."""
    near = is_near_limit(ledger)
    same = ledger.count(near, ("holder_id", "amount_pence"), NEAR_LIMIT_WINDOW_DAYS)
    return same / np.maximum(near_limit_90_days_count(ledger), 1)


def near_limit_surprise(ledger: Ledger) -> Numbers:
    """Payments just below the limit are rare for this cardholder and merchant."""
    near = is_near_limit(ledger)
    surprise = np.zeros(len(ledger))
    for by in (("holder_id",), ("merchant_id",)):
        before = ledger.count(near, by, until=1)
        purchases = ledger.count(ledger.is_purchase, by, until=1)
        surprise += -np.log((before + 0.2) / (purchases + 10))
    return np.where(near, surprise / 2, 0.0)


def is_round_amount(ledger: Ledger) -> Flags:
    """Whether the amount is round."""
    pence = ledger.policy.round_pounds * 100
    return (ledger.pence % pence == 0) & ledger.is_purchase


def round_amount_surprise(ledger: Ledger) -> Numbers:
    """Round amounts are rare at this merchant."""
    is_round = is_round_amount(ledger)
    everywhere = ledger.count(is_round, (), until=1)
    all_purchases = ledger.count(ledger.is_purchase, (), until=1)
    usual = (everywhere + 1) / (all_purchases + ROUND_SHRINKAGE)
    here = ledger.count(is_round, ("merchant_id",), until=1) + ROUND_SHRINKAGE * usual
    purchases = ledger.count(ledger.is_purchase, ("merchant_id",), until=1) + ROUND_SHRINKAGE
    return np.where(is_round, -np.log(here / purchases), 0.0)


def amount_for_holder_surprise(ledger: Ledger) -> Numbers:
    """The amount is high for this cardholder."""
    return amount_surprise(ledger, ("holder_id",))


def amount_for_merchant_surprise(ledger: Ledger) -> Numbers:
    """The amount is high for this merchant, for any cardholder."""
    return amount_surprise(ledger, ("category_id",), ("merchant_id",))


def holder_merchant_largest_before_pence(ledger: Ledger) -> Numbers:
    """The cardholder's largest earlier purchase at this merchant."""
    bought = np.where(ledger.is_purchase, ledger.pence, 0.0)
    return ledger.largest(bought, PAIR, until=1)


def amount_for_holder_and_merchant_surprise(ledger: Ledger) -> Numbers:
    """The amount is high for this cardholder at this merchant."""
    return amount_surprise(ledger, ("merchant_id",), ("holder_id", "merchant_id"))
