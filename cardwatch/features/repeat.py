"""Features of repeats and refunds: equal payments, and refunds without a charge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardwatch.features.baselines import SHRINKAGE
from cardwatch.features.ledger import PAIR
from cardwatch.features.split import refunded_on

if TYPE_CHECKING:
    from cardwatch.features.ledger import Flags, Ledger, Numbers

SAME = (*PAIR, "amount_pence")
SOON_DAYS = 3
BILL_DAYS, YEAR_DAYS = 60, 365
"""A bill paid again by somebody else comes within this (Lextegrity, duplicate spend)."""
BILL_WINDOWS = (1, 7, 21, BILL_DAYS)
"""Windows of days in which an equal payment by another holder is looked for."""
RAREST_SUM = 1e-4
"""A sum rarer than this is as good as unique; how rare exactly, only a long history could tell."""
LEAST_OFTEN = 0.2
"""A merchant counts as at most so many times less given to repeats than others."""
RARELY = 0.05
"""Payments in 60 days; a holder who was to make fewer here pays here rarely."""
UNEXPECTED, LEAST_CHANCE = 0.01, 1e-12
"""A coincidence is unexpected below the first; below the second none is told from another."""
BURST_COUNT = 9
"""Number of payments to one merchant on one day that make a burst (rosie: more than 8 meals)."""


def _standing(ledger: Ledger) -> Flags:
    """Return which purchases were not refunded in full on their own day.

    A charge taken back at once was a mistake put right; days that look loaded twice are left out.
    """
    back = refunded_on(ledger) - ledger.day
    doubled = ledger.column("day_doubled")
    return ledger.is_purchase & ~doubled & ~(back == 0)


def same_day_equal_count(ledger: Ledger) -> Numbers:
    """Equal payments by this cardholder to this merchant on this day."""
    standing = _standing(ledger)
    return np.where(standing, ledger.count(standing, SAME, 0), 0)


def days_before_equal_count(ledger: Ledger) -> Numbers:
    """Equal payments by this cardholder here in the three days before, less refunds."""
    standing, back = _standing(ledger), refunded_on(ledger) - ledger.day
    before = np.zeros(len(ledger))
    for days in range(1, SOON_DAYS + 1):  # of those so long ago, the ones not given back since
        before += ledger.count(standing & ~(back <= days), SAME, days, days)
    return np.where(standing, before, 0)


def _repeated(ledger: Ledger) -> Flags:
    """Return which purchases stand on their day beside an equal one by the same holder."""
    group, standing = ledger.group(*SAME, "date"), _standing(ledger)
    return standing & (np.bincount(group, standing) > 1)[group]


def merchant_equal_before_count(ledger: Ledger) -> Numbers:
    """Earlier payments here with an equal payment by the same cardholder that day."""
    return ledger.count(_repeated(ledger), ("merchant_id",), until=1)


def merchant_equal_share(ledger: Ledger) -> Numbers:
    """Share of this merchant's earlier payments that did, drawn towards that of all merchants."""
    repeated = _repeated(ledger)
    return _drawn(ledger, repeated, ("merchant_id",), _usual(ledger, repeated))


def repeat_surprise(ledger: Ledger) -> Numbers:
    """The same amount was paid again within three days, which is rare at this merchant."""
    again = (same_day_equal_count(ledger) > 1) | (days_before_equal_count(ledger) > 0)
    size = np.log1p(ledger.pence.clip(0) / 2_500)
    return np.where(again, -np.log(merchant_equal_share(ledger)) * size, 0.0)


def equal_amount_holders_count(ledger: Ledger) -> Numbers:
    """Cardholders who paid this merchant exactly this amount on this day."""
    bought = ledger.is_purchase & ~ledger.column("day_doubled")
    first = ledger.first_of_kind(bought, (*SAME, "date"))
    count = ledger.count(first, ("merchant_id", "amount_pence"), 0)
    return np.where(bought, count, 0)


def equal_amounts_total_pence(ledger: Ledger) -> Numbers:
    """Total of what those cardholders paid this merchant on this day, each of them once."""
    return equal_amount_holders_count(ledger) * ledger.pence


def equal_amount_holders_before_share(ledger: Ledger) -> Numbers:
    """Share of this merchant's earlier payments for exactly this amount, as from a price list."""
    bought = ledger.is_purchase
    same = ledger.count(bought, ("merchant_id", "amount_pence"), until=1)
    return same / np.maximum(ledger.count(bought, ("merchant_id",), until=1), 1)


def _sum_share(ledger: Ledger, until: int) -> Numbers:
    """Return the share of the merchant's payments, until some days before, of this very sum.

    With few payments it is drawn towards the share of all payments anywhere that are of this sum,
    so that a price list explains its prices and a round sum explains itself.
    """
    bought = ledger.is_purchase
    anywhere = ledger.count(bought, ("amount_pence",), until=until) + 0.5
    anywhere = np.maximum(anywhere / (ledger.count(bought, (), until=until) + 1), RAREST_SUM)
    here = ledger.count(bought, ("merchant_id", "amount_pence"), until=until)
    total = ledger.count(bought, ("merchant_id",), until=until)
    return (here + SHRINKAGE * anywhere) / (total + SHRINKAGE)


def charged_twice_surprise(ledger: Ledger) -> Numbers:
    """The cardholder paid exactly this amount here within three days, which is rare.

    How often equal payments come on one day says nothing of how often they come days apart.
    """
    on_day, before = same_day_equal_count(ledger) > 1, days_before_equal_count(ledger) > 0
    # A merchant of thousands of payments would make every sum seem rarer than anybody can tell.
    of_this_sum = np.maximum(_sum_share(ledger, SOON_DAYS + 1), RAREST_SUM)
    chance = np.ones(len(ledger))
    for again, repeated in ((on_day, _repeated(ledger)), (before, before)):
        share = np.minimum(of_this_sum * _given_to(ledger, repeated), 1.0)
        chance = np.where(again, np.minimum(chance, share), chance)
    return -np.log(chance)


def _given_to(ledger: Ledger, flags: Flags) -> Numbers:
    """Return how often something holds of payments here: of all, or of the cardholder's if more.

    The merchant's share of all earlier payments is drawn towards everybody's, and the cardholder's
    towards the merchant's.
    """
    usual = _usual(ledger, flags)
    often = np.maximum(_drawn(ledger, flags, ("merchant_id",), usual), LEAST_OFTEN * usual)
    return np.maximum(often, _drawn(ledger, flags, PAIR, often))


def _drawn(ledger: Ledger, flags: Flags, by: tuple[str, ...], towards: Numbers) -> Numbers:
    """Return the share of a group's earlier purchases of which something holds, drawn towards one.

    Args:
        ledger: the payments.
        flags: where it holds.
        by: columns that make the group.
        towards: the share that a group without purchases has.
    """
    here = ledger.count(flags, by, until=1) + SHRINKAGE * towards
    return here / (ledger.count(ledger.is_purchase, by, until=1) + SHRINKAGE)


def _usual(ledger: Ledger, flags: Flags) -> Numbers:
    """Return the share of all earlier purchases of which something holds."""
    return (ledger.count(flags, (), until=1) + 1) / (
        ledger.count(ledger.is_purchase, (), until=1) + 50
    )


def _equal_by_others(ledger: Ledger, days: int) -> Numbers:
    """Count equal payments by others to the merchant in a window, including this day."""
    standing = _standing(ledger)
    everybody = ledger.count(standing, ("merchant_id", "amount_pence"), days)
    return np.where(standing, everybody - ledger.count(standing, SAME, days), 0)


def other_holder_equal_count(ledger: Ledger) -> Numbers:
    """Other cardholders' payments of exactly this amount here, in the 60 days before or today."""
    return _equal_by_others(ledger, BILL_DAYS)


def other_bill_surprise(ledger: Ledger) -> Numbers:
    """Another cardholder paid exactly this amount here within 60 days, an unlikely coincidence.

    Two chances are multiplied: that payments apart from each other come to one sum within so few
    days (see `_coincidence`), and how often sums have come twice here that should not have. Each
    further equal payment in 60 days makes the sum a price rather than a bill.
    """
    standing = _standing(ledger)
    by_others = _equal_by_others(ledger, BILL_DAYS)
    chance = _coincidence(ledger)
    unexpected = (by_others > 0) & (chance < UNEXPECTED)
    more = np.maximum(by_others - 1, 0) + np.maximum(ledger.count(standing, SAME, BILL_DAYS) - 1, 0)
    usual = _usual(ledger, unexpected)
    by_ending = _drawn(ledger, unexpected, ("price_ending",), usual) / usual
    chance = chance * _given_to(ledger, unexpected) * by_ending
    surprise = -np.log(chance) - 2 * np.log1p(more)
    return np.where(standing & (by_others > 0), np.maximum(surprise, 0.01), 0.0)


def _holder_pays_here(ledger: Ledger) -> Numbers:
    """Return how many payments the holder was to make to this merchant in 60 days.

    Who pays somewhere often meets an equal sum by accident; whom a bill reached by mistake does
    not. It is the holder's own share of the year before, drawn towards everybody's. Below
    `RARELY` no more is told from it: a merchant new to a holder is nothing rare.
    """
    bought = ledger.is_purchase

    def in_year(by: tuple[str, ...]) -> Numbers:
        return ledger.count(bought, by, YEAR_DAYS, 1)

    usual = (in_year(("merchant_id",)) + 0.5) / (in_year(()) + 1)
    holder_payments = in_year(PAIR[:1])
    share = (in_year(PAIR) + SHRINKAGE * usual) / (holder_payments + SHRINKAGE)
    history_days = np.clip(holder_history_days(ledger), BILL_DAYS, YEAR_DAYS)
    return np.maximum(share * holder_payments * BILL_DAYS / history_days, RARELY)


def _coincidence(ledger: Ledger) -> Numbers:
    """Return the chance that another holder's payment so near by equals this one by accident.

    It is how many others paid the merchant in some days, times the share of this sum, times how
    many payments this cardholder was to make there in those days, in the window in which that is
    least: bills paid a day apart are less likely to meet by accident than two months apart.
    """
    bought, standing = ledger.is_purchase, _standing(ledger)
    least = np.ones(len(ledger))
    pays_here = _holder_pays_here(ledger)
    for days in BILL_WINDOWS:
        other_payments = ledger.count(bought, ("merchant_id",), days) - ledger.count(
            bought, PAIR, days
        )
        usually = np.clip(other_payments * _sum_share(ledger, days + 1), LEAST_CHANCE, 1.0)
        usually = usually * np.minimum(pays_here * (days + 1) / (BILL_DAYS + 1), 1.0)
        matched = standing & (_equal_by_others(ledger, days) > 0)
        least = np.where(matched, np.minimum(least, usually), least)
    return least


def refund_of_others_count(ledger: Ledger) -> Numbers:
    """Charges of this refund's size by other holders at this merchant in the 60 days before."""
    same = ("merchant_id", "size_pence")
    bought = ledger.is_purchase
    everybody = ledger.count(bought, same, BILL_DAYS)
    holder_count = ledger.count(bought, ("holder_id", *same), BILL_DAYS)
    return np.where(ledger.is_refund, everybody - holder_count, 0)


def refund_to_other_pence(ledger: Ledger) -> Numbers:
    """A refund by a merchant that another paid as much in 60 days, and the cardholder never.

    Where the cardholder had a charge of its size elsewhere it counts only if another cardholder's
    charge here was of exactly this size: it may have come under another name.
    """
    bought = ledger.is_purchase
    elsewhere = ledger.count(bought, ("holder_id", "size_pence")) > 0
    apart = ledger.is_refund & (ledger.count(bought, PAIR) == 0)
    apart &= ~elsewhere | (refund_of_others_count(ledger) > 0)
    back = np.zeros(len(ledger))
    for row in np.flatnonzero(apart):
        near = ledger.window_rows(int(row), ("merchant_id",), BILL_DAYS)
        size = -ledger.pence[row]
        if (ledger.pence[near[bought[near]]] >= size).any():  # all of them others'
            back[row] = size
    return back


def unanswered_refund_surprise(ledger: Ledger) -> Numbers:
    """The refund has no earlier charge by the cardholder; it is large, and rare here."""
    size = np.maximum(unanswered_refund_pence(ledger), refund_to_other_pence(ledger))
    loose = size > 0
    usual = (ledger.count(loose, (), until=1) + 1) / (
        ledger.count(ledger.is_refund, (), until=1) + 5
    )
    here = ledger.count(loose, ("merchant_id",), until=1) + usual
    often = here / (ledger.count(ledger.is_refund, ("merchant_id",), until=1) + 1)
    others_evidence = np.log1p(refund_of_others_count(ledger)) * 4
    return np.where(loose, np.log1p(size / 2_500) - np.log(often) + others_evidence, 0.0)


def holder_merchant_day_count(ledger: Ledger) -> Numbers:
    """The cardholder's purchases at this merchant on this day."""
    bought = ledger.is_purchase & ~ledger.column("day_doubled")
    return np.where(bought, ledger.count(bought, PAIR, 0), 0)


def merchant_burst_before_count(ledger: Ledger) -> Numbers:
    """Earlier payments here that were one of nine or more by one cardholder on one day."""
    burst = holder_merchant_day_count(ledger) >= BURST_COUNT
    return ledger.count(burst, ("merchant_id",), until=1)


def unanswered_refund_pence(ledger: Ledger) -> Numbers:
    """A refund larger than any of the cardholder's charges here that matches no charge elsewhere.

    Marketplaces print a refund under the seller's name and the charge under their own.
    """
    charges = np.where(ledger.is_purchase, ledger.pence, 0.0)
    answered = -ledger.pence <= ledger.largest(charges, PAIR)
    answered |= ledger.count(ledger.is_purchase, ("holder_id", "size_pence")) > 0
    return np.where(ledger.is_refund & ~answered, -ledger.pence, 0.0)


def holder_history_days(ledger: Ledger) -> Numbers:
    """Days since the cardholder's first known payment."""
    return ledger.day - ledger.first_day(("holder_id",))


def refund_surprise(ledger: Ledger) -> Numbers:
    """The refund is large and has no earlier charge of that size."""
    has_history = holder_history_days(ledger) >= 90
    refund = np.where(has_history, unanswered_refund_pence(ledger), 0.0)
    return np.log1p(refund / 2_500)
