"""Features of recurring payments: slow totals, similar amounts and monthly charges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardwatch.features.baselines import A_PENNY, SMALLEST_DEVIATION, has_doubled, past_moments
from cardwatch.features.ledger import PAIR
from cardwatch.features.merchant import MERCHANT_YEAR_DAYS, is_billed_in_parts
from cardwatch.features.repeat import SAME
from cardwatch.features.together import is_widely_used

if TYPE_CHECKING:
    from cardwatch.features.ledger import Columns, Flags, Ledger, Numbers, Whole

MONTH_DAYS = 29
"""Thirty days back from a day, the day itself included."""
WEEK_DAYS = 7
"""The widest window that splits are looked for in by default."""
STEADY_COUNT, STEADY_SPREAD = 5, 0.2
"""Five payments or more that vary by a fifth or less (CPGF public-control project, Brazil)."""
SLOW_DAYS = 89
"""Ninety days back from a day, the day itself included."""
SLOW_LEAST_DAYS, USUAL_TIMES = 3, 2
SETTLING_DAYS = 180
"""A merchant first paid so long after the history begins is taken for new."""
OTHER_CHARGES = 2
"""Maximum number of other charges in a month with three equal ones."""
THIRD_MONTH = 3
THIRD_FROM_DAYS, THIRD_TO_DAYS = 55, 68
"""Days from the first of three monthly charges to the third."""
FEWEST_SEEN_DAYS, LEAST_CHANCE = 60.0, 1e-12
MOST_ALIKE = 6.0
"""Maximum evidence of sums that are alike: they may be a price, or a standing order."""
MOST_BETWEEN_DAYS = 40
"""Days from one monthly charge to the next: two in one month are followed by a longer gap."""


def _new_in_year(ledger: Ledger, where: Flags, by: tuple[str, ...]) -> Flags:
    """Return where something holds that held of no earlier row of its group in the year before."""
    return where & (ledger.count(where, by, MERCHANT_YEAR_DAYS, 1) == 0)


def _drips(ledger: Ledger, buyer: str) -> Columns:
    """Return count and total of the 30 days with which a merchant passes the step in a drip.

    That is: each payment within the step, all of 30 days over it, no eight days over it (that
    would be a split), and no 30 days of the year before over it.
    """
    by = (buyer, "merchant_id")
    step = ledger.column("step_limit_pence")
    part = ledger.is_purchase & (ledger.pence <= step) & ~ledger.is_blank(buyer)
    part &= ~ledger.column("day_doubled")
    values = np.where(part | ledger.is_refund, ledger.spent_pence, 0.0)
    month, week = ledger.total(values, by, MONTH_DAYS), ledger.total(values, by, WEEK_DAYS)
    over = part & (month > step)
    drips = _new_in_year(ledger, over, by) & (week <= step)
    count = np.where(drips, ledger.count(part, by, MONTH_DAYS), 0)
    return {"count": count, "total": np.where(drips, month, 0.0)}


def _holder_drips(ledger: Ledger) -> Columns:
    return ledger.once("holder_drips", lambda: _drips(ledger, "holder_id"))


def _unit_drips(ledger: Ledger) -> Columns:
    """Return the drips of cost centres in which the holder's own 30 days stay within the step."""

    def make() -> Columns:
        drips = _drips(ledger, "cost_centre")
        bought = np.where(ledger.is_purchase, ledger.pence, 0.0)
        holder_total = ledger.total(bought, PAIR, MONTH_DAYS)
        alone = holder_total > ledger.column("step_limit_pence")
        return {name: values * ~alone for name, values in drips.items()}

    return ledger.once("unit_drips", make)


def drip_count(ledger: Ledger) -> Numbers:
    """Payments to this merchant in 30 days that together exceed the quotation threshold."""
    return _holder_drips(ledger)["count"]


def drip_total_pence(ledger: Ledger) -> Numbers:
    """Total of the cardholder's payments in those 30 days, less refunds."""
    return _holder_drips(ledger)["total"]


def unit_drip_count(ledger: Ledger) -> Numbers:
    """Its cost centre's payments here in 30 days that together exceed the quotation threshold."""
    return _unit_drips(ledger)["count"]


def unit_drip_total_pence(ledger: Ledger) -> Numbers:
    """Total of the cost centre's payments in those 30 days, less refunds."""
    return _unit_drips(ledger)["total"]


def _steady(ledger: Ledger) -> Columns:
    """Return count and total of the 30 days in which several holders pay like sums past the step.

    The spread is that of the logarithms: for small spreads the coefficient of variation.
    """

    def make() -> Columns:
        by = ("merchant_id",)
        bought = ledger.is_purchase & ~ledger.column("day_doubled")
        count = ledger.count(bought, by, MONTH_DAYS)
        logs = np.where(bought, ledger.log_pence, 0.0)
        mean = ledger.total(logs, by, MONTH_DAYS) / np.maximum(count, 1)
        squares = ledger.total(logs**2, by, MONTH_DAYS) / np.maximum(count, 1)
        total = ledger.total(np.where(bought, ledger.pence, 0.0), by, MONTH_DAYS)
        step = ledger.column("step_limit_pence")
        steady = bought & (count >= STEADY_COUNT) & (step > 0) & (total > step)
        steady &= ledger.count(bought, PAIR, MONTH_DAYS) < count
        steady &= squares - mean**2 <= STEADY_SPREAD**2
        new = _new_in_year(ledger, steady, by)
        return {"count": np.where(new, count, 0), "total": np.where(new, total, 0.0)}

    return ledger.once("steady", make)


def steady_count(ledger: Ledger) -> Numbers:
    """Similar payments by several cardholders here in 30 days, above the quotation threshold."""
    return _steady(ledger)["count"]


def steady_total_pence(ledger: Ledger) -> Numbers:
    """Total of those similar payments."""
    return _steady(ledger)["total"]


def equal_months_count(ledger: Ledger) -> Numbers:
    """Months of the last year in which the cardholder paid exactly this amount here."""
    first = ledger.first_of_kind(ledger.is_purchase, (*SAME, "month"))
    return ledger.count(first, SAME, MERCHANT_YEAR_DAYS)


def _totals(ledger: Ledger, by: tuple[str, ...], limit: Numbers, back: int = SLOW_DAYS) -> Columns:
    """Return what has gone to a merchant in a time, when it adds up to more than a limit.

    What goes beyond twice what the year before would lead one to expect counts, on three days or
    more, each payment within the limit; again only when it has doubled since.

    Args:
        ledger: the payments.
        by: whose payments to the merchant are added up.
        limit: in pence, a row each; 0 for none.
        back: days of the time before the row's own.
    """
    part = ledger.is_purchase & (ledger.pence <= limit) & ~ledger.column("day_doubled")
    values = np.where(part | ledger.is_refund, ledger.spent_pence, 0.0)
    first = ledger.first_of_kind(part, (*by, "date"))
    before = ledger.total(values, by, back + MERCHANT_YEAR_DAYS, back + 1)
    usual = USUAL_TIMES * np.maximum(before, 0) * (back + 1) / MERCHANT_YEAR_DAYS
    now = ledger.total(values, by, back)
    earlier = now - ledger.total(values, by, 0)
    days = ledger.count(first, by, back)
    times = (now - usual) / np.maximum(limit, 1)
    has_begun = days - ledger.count(first, by, 0) < SLOW_LEAST_DAYS
    over = (
        part
        & (limit > 0)
        & (times > 1)
        & (days >= SLOW_LEAST_DAYS)
        & (has_begun | has_doubled(now - usual - A_PENNY, earlier - usual - A_PENNY, limit))
    )
    over &= ~is_billed_in_parts(ledger)
    last = np.zeros(len(ledger), dtype=bool)
    last[ledger.last_rows(part, (*by, "date"))] = True
    over &= last  # a day of many payments is one day
    return {
        "count": np.where(over, ledger.count(part, by, back), 0),
        "total": np.where(over, now, 0.0),
        "times": np.where(over, times, 0.0),
        "paid_days": np.where(over, days, 0),
    }


def _slow(ledger: Ledger) -> Columns:
    """Return a cardholder's totals at a merchant against the single-purchase limit."""

    def make() -> Columns:
        limit = ledger.column("single_purchase_limit_pence").astype("float64")
        totals = _totals(ledger, PAIR, limit)
        usual = _others_pay_as_much(ledger, totals["total"])
        return {name: np.where(usual, 0.0, values) for name, values in totals.items()}

    return ledger.once("slow", make)


def _others_pay_as_much(ledger: Ledger, total: Numbers) -> Flags:
    """Return where another has paid a shop for everything as much, less refunds, in as many days.

    Args:
        ledger: the payments.
        total: of the cardholder's payments here in those days, in pence; 0 where nothing is asked.
    """
    holder, spent = ledger.group("holder_id"), ledger.spent_pence * ~ledger.column("day_doubled")
    found = np.zeros(len(ledger), dtype=bool)
    for row in np.flatnonzero((total > 0) & is_widely_used(ledger)):
        near = ledger.window_rows(int(row), ("merchant_id",), SLOW_DAYS)
        paid = np.bincount(holder[near], spent[near])
        paid[holder[row]] = 0
        found[row] = paid.max() >= total[row]
    return found


def _organisation_totals(ledger: Ledger) -> Columns:
    """Return totals of all cardholders against the quotation threshold that none exceeds alone.

    They are of 90 days, else of a year. What is usual at a merchant has to be known: it is new, or
    the history reaches back another year.
    """

    def make() -> Columns:
        here, spent = ("merchant_id",), ledger.spent_pence
        limit = ledger.column("step_limit_pence").astype("float64")
        begin = ledger.first_day(("organisation",))
        is_new = ledger.first_day(here) - begin >= SETTLING_DAYS
        found: Columns = {
            name: np.zeros(len(ledger)) for name in ("count", "total", "times", "days")
        }
        for back in (MERCHANT_YEAR_DAYS, SLOW_DAYS):
            totals = _totals(ledger, here, limit, back)
            totals["days"] = np.full(len(ledger), back + 1)
            alone = ledger.total(spent, PAIR, back) > limit
            counts = (totals["times"] > 0) & (ledger.count(alone, here, back) == 0)
            counts &= is_new | (ledger.day - begin > back + MERCHANT_YEAR_DAYS)
            found = {name: np.where(counts, totals[name], found[name]) for name in found}
        return found

    return ledger.once("organisation_totals", make)


def organisation_total_count(ledger: Ledger) -> Numbers:
    """All payments here, where together they newly exceed the quotation threshold."""
    return _organisation_totals(ledger)["count"]


def organisation_total_pence(ledger: Ledger) -> Numbers:
    """Total of all cardholders' payments here over those days, less refunds."""
    return _organisation_totals(ledger)["total"]


def organisation_total_days(ledger: Ledger) -> Numbers:
    """Days over which all payments here are added up: 90, or a year."""
    return _organisation_totals(ledger)["days"]


def organisation_total_span_days(ledger: Ledger) -> Whole:
    """Days before the last payment from which all payments here are added up."""
    return np.maximum(_organisation_totals(ledger)["days"] - 1, 0).astype("int64")


def organisation_total_surprise(ledger: Ledger) -> Numbers:
    """All payments together newly exceed the quotation threshold at a merchant rare here.

    No cardholder's payments do so alone.
    """
    return _total_surprise(ledger, _organisation_totals(ledger)["times"])


def _total_surprise(ledger: Ledger, times: Numbers) -> Numbers:
    """Return how far totals exceed a limit, as a logarithm, and how rare their merchants are."""
    surprise = 2 * (np.log(np.maximum(times, 1)) + _merchant_rarity(ledger))
    return np.where(times > 0, np.maximum(surprise, 0.01), 0.0)


def slow_total_count(ledger: Ledger) -> Numbers:
    """The cardholder's payments here in 90 days, when their total exceeds the limit or doubles."""
    return _slow(ledger)["count"]


def slow_total_pence(ledger: Ledger) -> Numbers:
    """Total of the cardholder's payments here in those 90 days, less refunds."""
    return _slow(ledger)["total"]


def _merchant_rarity(ledger: Ledger) -> Numbers:
    """Return how many times more cardholders there are than use the merchant, as a logarithm."""
    bought = ledger.is_purchase
    users = ledger.count(ledger.first_of_kind(bought, PAIR), ("merchant_id",))
    holders = ledger.count(ledger.first_of_kind(bought, ("holder_id",)), ())
    return np.maximum(np.log((holders + 1) / (np.maximum(users, 1) + 1)), 0)


def slow_total_surprise(ledger: Ledger) -> Numbers:
    """Small payments add up in 90 days, oftener than the cardholder paid here, and of like sums.

    The chance of so many days with the merchant by the rate of the year before, and that of sums so
    alike, count beside how few here use the merchant. Each time that the cardholder's payments
    added up in the year before, anywhere, takes from it: a card with which bills are paid has such
    totals at merchant after merchant.
    """
    times = _slow(ledger)["times"]
    if not (times > 0).any():
        return np.zeros(len(ledger))
    before = ledger.count(times > 0, ("holder_id",), MERCHANT_YEAR_DAYS, 1)
    surprise = _total_surprise(ledger, times) + _oftener(ledger) + _alike(ledger) - np.log1p(before)
    return np.where(times > 0, np.maximum(surprise, 0.01), 0.0)


def _oftener(ledger: Ledger) -> Numbers:
    """Return -ln of the chance of so many days with this merchant in 90, by the year before them.

    A Poisson tail at the cardholder's own rate here, by its fourth root: days come together.
    """
    from scipy.special import pdtrc  # noqa: PLC0415  few statements need it, and it takes long to load

    first = ledger.first_of_kind(ledger.is_purchase, (*PAIR, "date"))
    history_days = ledger.day - ledger.first_day(PAIR[:1]) - SLOW_DAYS
    history_days = np.clip(history_days, FEWEST_SEEN_DAYS, MERCHANT_YEAR_DAYS)
    before = ledger.count(first, PAIR, SLOW_DAYS + MERCHANT_YEAR_DAYS, SLOW_DAYS + 1)
    usual = (before + 0.5) / history_days * (SLOW_DAYS + 1)
    chance = pdtrc(np.maximum(_slow(ledger)["paid_days"] - 1, 0), usual)
    return -np.log(np.maximum(chance, LEAST_CHANCE)) / 4


def _alike(ledger: Ledger) -> Numbers:
    """Return -ln of the chance that sums of 90 days here vary as little, by their logarithms.

    A chi-squared tail with the spread of the cardholder's sums or the merchant's, the smaller.
    """
    from scipy.special import chdtr  # noqa: PLC0415  few statements need it, and it takes long to load

    bought = ledger.is_purchase
    logs = np.where(bought, ledger.log_pence, 0.0)
    count = np.maximum(ledger.count(bought, PAIR, SLOW_DAYS), 2)
    total, squares = ledger.total(logs, PAIR, SLOW_DAYS), ledger.total(logs**2, PAIR, SLOW_DAYS)
    spread = np.maximum(squares - total**2 / count, count * SMALLEST_DEVIATION**2)
    usual = np.minimum(*(past_moments(ledger, (name,))["deviation"] for name in PAIR))
    surprise = -np.log(np.maximum(chdtr(count - 1, spread / usual**2), LEAST_CHANCE))
    return np.minimum(surprise, MOST_ALIKE)


def _third_monthly_charges(ledger: Ledger) -> Columns:
    """Return where a third equal charge comes two months after the first, and how they began.

    The cardholder has paid the merchant for three months at most, and hardly anything else. `began`
    tells where one charge of another sum came first, and no other: a trial, or an order.
    """

    def make() -> Columns:
        bought = ledger.is_purchase
        equal, all_here = ledger.count(bought, SAME), ledger.count(bought, PAIR)
        first_equal, first_here = ledger.first_day(SAME, bought), ledger.first_day(PAIR, bought)
        days = ledger.day - first_equal
        third = bought & (equal == THIRD_MONTH)
        third &= (days >= THIRD_FROM_DAYS) & (days <= THIRD_TO_DAYS)
        third &= ledger.count(bought, SAME, MOST_BETWEEN_DAYS) > 1
        third &= all_here <= THIRD_MONTH + OTHER_CHARGES
        third &= ledger.day - first_here <= SLOW_DAYS
        began = third & (all_here == THIRD_MONTH + 1) & (first_here < first_equal)
        return {"third": third, "began": began}

    return ledger.once("third_monthly_charges", make)


def monthly_charge_surprise(ledger: Ledger) -> Numbers:
    """A third equal monthly charge, at a merchant recently new to the cardholder and rare here."""
    charges = _third_monthly_charges(ledger)
    return np.where(charges["third"], 1 + _merchant_rarity(ledger) + 2 * charges["began"], 0.0)


def monthly_charges_pence(ledger: Ledger) -> Numbers:
    """Total of three equal monthly charges, on the third of them."""
    return np.where(_third_monthly_charges(ledger)["third"], THIRD_MONTH * ledger.pence, 0.0)


def subscription_year_pence(ledger: Ledger) -> Numbers:
    """Yearly cost of a monthly charge in its third month that a trial or an order came before."""
    return np.where(_third_monthly_charges(ledger)["began"], 12 * ledger.pence, 0.0)
