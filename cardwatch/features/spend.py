"""Features of totals by day, month and year, for holders and cost centres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardwatch.features.ledger import PAIR
from cardwatch.features.merchant import MERCHANT_YEAR_DAYS

if TYPE_CHECKING:
    from cardwatch.features.ledger import Codes, Ledger, Numbers, Whole

UNIT_PAIR = ("cost_centre", "merchant_id")
COMPARED_MONTHS = 12
LARGEST_MONTH = 1 << 40
"""Room for a month's pence in a key that joins month and sum."""
MONTHS_ROOM = 1 << 12
YEAR_END_MONTH = 3
"""The financial year of public bodies in the United Kingdom ends on 31 March."""
USUAL_MONTHS, OTHERS_MONTHS = 3.0, 1.5
"""A rise is above three usual months; others rose alike if theirs is above one and a half."""


def holder_year_pence(ledger: Ledger) -> Numbers:
    """The cardholder's spending in a year, up to and including this day, less refunds."""
    return ledger.total(ledger.moved_pence, ("holder_id",), MERCHANT_YEAR_DAYS)


def holder_year_before_pence(ledger: Ledger) -> Numbers:
    """The cardholder's spending in the year to the day before."""
    return ledger.total(ledger.moved_pence, ("holder_id",), MERCHANT_YEAR_DAYS + 1, 1)


def holder_year_limit_pence(ledger: Ledger) -> Whole:
    """The policy's limit for a cardholder's twelve months; 0 if it sets none."""
    return np.full(len(ledger), round(ledger.policy.holder_year_pounds * 100))


def holder_day_pence(ledger: Ledger) -> Numbers:
    """Total of the cardholder's purchases on this day."""
    bought = np.where(ledger.is_purchase, ledger.pence, 0.0)
    return ledger.total(bought, ("holder_id",), 0)


def non_working_day_limit_pence(ledger: Ledger) -> Whole:
    """The policy's limit for a cardholder's weekend day or bank holiday; 0 if it sets none."""
    return np.full(len(ledger), round(ledger.policy.non_working_day_pounds * 100))


def holder_merchant_day_pence(ledger: Ledger) -> Numbers:
    """Total of the cardholder's purchases at this merchant on this day."""
    bought = np.where(ledger.is_purchase, ledger.pence, 0.0)
    return ledger.total(bought, PAIR, 0)


def holder_month_elsewhere_pence(ledger: Ledger) -> Numbers:
    """The cardholder's spending this month so far at other merchants."""
    spent = ledger.moved_pence
    here = ledger.total(spent, (*PAIR, "month"))
    return ledger.total(spent, ("holder_id", "month")) - here


def holder_best_month_before_pence(ledger: Ledger) -> Numbers:
    """The cardholder's largest month of the twelve before."""
    key, spent = _months(ledger)
    best = np.zeros(len(key))
    for back in range(1, COMPARED_MONTHS + 1):
        place = np.searchsorted(key, key - back)
        best = np.maximum(best, np.where(key[place] == key - back, spent[place], 0.0))
    month_codes = ledger.group("holder_id") * MONTHS_ROOM + ledger.month
    return best[np.searchsorted(key, month_codes)]


def holder_month_top_share(ledger: Ledger) -> Numbers:
    """Share of all cardholders' months, of the twelve before, with at least as much spending."""
    months, came_to = _months(ledger)
    key = np.sort(_month_key(months % MONTHS_ROOM, came_to))
    spent = ledger.total(ledger.moved_pence, ("holder_id", "month"))
    holder_keys = _month_key(ledger.month, spent)
    order = np.argsort(holder_keys)
    holder_keys, starts = (
        holder_keys[order],
        ledger.month[order] * LARGEST_MONTH,
    )  # in order: quick to search
    above, month_counts = np.zeros(len(ledger)), np.zeros(len(ledger))
    for back in range(1, COMPARED_MONTHS + 1):
        before = back * LARGEST_MONTH
        last = np.searchsorted(key, starts - before + LARGEST_MONTH)
        above += last - np.searchsorted(key, holder_keys - before)
        month_counts += last - np.searchsorted(key, starts - before)
    share = np.empty(len(ledger))
    share[order] = (above + 1) / (month_counts + 1)
    return share


def _month_key(month: Codes, spent: Numbers) -> Codes:
    """Return keys in the order of month and sum."""
    return month * LARGEST_MONTH + spent.clip(0, LARGEST_MONTH - 1).astype("int64")


def _months(ledger: Ledger) -> tuple[Codes, Numbers]:
    """Return the holders' months, each a key of holder and month, in order, and their sums."""

    def make() -> tuple[Codes, Numbers]:
        key = ledger.group("holder_id") * MONTHS_ROOM + ledger.month
        months, which = np.unique(key, return_inverse=True)
        return months, np.bincount(which, ledger.moved_pence).astype("float64")

    return ledger.once("holder_months", make)


def unit_merchant_year_pence(ledger: Ledger) -> Numbers:
    """The cost centre's spending here in a year, up to and including this day."""
    spent = ledger.total(ledger.moved_pence, UNIT_PAIR, MERCHANT_YEAR_DAYS)
    return np.where(ledger.is_blank("cost_centre"), 0.0, spent)


def unit_merchant_year_share(ledger: Ledger) -> Numbers:
    """Share of the cost centre's year paid to this merchant; 0 without a cost centre."""
    everywhere = ledger.total(ledger.moved_pence, ("cost_centre",), MERCHANT_YEAR_DAYS)
    here = unit_merchant_year_pence(ledger)
    return np.where(everywhere > 0, here / np.maximum(everywhere, 1), 0.0).clip(0, 1)


def unit_merchant_half_before_count(ledger: Ledger) -> Numbers:
    """Payments in the year before when this merchant already had half of the spending."""
    half = ledger.is_purchase & (unit_merchant_year_share(ledger) >= 0.5)
    return ledger.count(half, UNIT_PAIR, MERCHANT_YEAR_DAYS + 1, 1)


def unit_year_count(ledger: Ledger) -> Numbers:
    """The cost centre's purchases in a year, up to and including this day."""
    bought = ledger.is_purchase & ~ledger.is_blank("cost_centre")
    return ledger.count(bought, ("cost_centre",), MERCHANT_YEAR_DAYS)


def unit_merchants_count(ledger: Ledger) -> Numbers:
    """Merchants that the cost centre had paid by this day."""
    bought = ledger.is_purchase & ~ledger.is_blank("cost_centre")
    first = ledger.first_of_kind(bought, UNIT_PAIR)
    return ledger.count(first, ("cost_centre",))


def year_end_rise_pence(ledger: Ledger) -> Numbers:
    """Spending here this March above three usual months, unless others rose as well."""
    spent = ledger.moved_pence
    holder_month, own_usual = _month_and_usual(ledger, spent, ("holder_id",))
    everybody, all_usual = _month_and_usual(ledger, spent, ())
    risen = everybody - holder_month > OTHERS_MONTHS * (all_usual - own_usual)
    is_general_rise = (all_usual > own_usual) & risen
    march = ledger.is_purchase & ((ledger.month + 1) % 12 == YEAR_END_MONTH)
    rise = holder_month - USUAL_MONTHS * own_usual
    return np.where(march & (own_usual > 0) & ~is_general_rise, np.maximum(rise, 0), 0.0)


def _month_and_usual(
    ledger: Ledger, spent: Numbers, group_names: tuple[str, ...]
) -> tuple[Numbers, Numbers]:
    """Return what went to the merchant this month so far, and in a month of the eleven before."""
    by = (*group_names, "merchant_id")
    month = ledger.total(spent, (*by, "month"))
    return month, (ledger.total(spent, by, MERCHANT_YEAR_DAYS) - month) / (COMPARED_MONTHS - 1)
