"""Features of novelty: merchants new to the holder and rare in the organisation.

The likelihood ratio asks what others do; of what hardly anybody does it can say nothing. These ask
how seldom the holder meets anything new, and how seldom the organisation meets such a thing, by the
merchant, by the category and by the trade that the merchant's name states.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cardwatch.features.baselines import SHRINKAGE, past_moments
from cardwatch.features.dispute import TINY_PENCE, is_tiny_charge, tiny_charge_count
from cardwatch.features.ledger import DAYS_APART, PAIR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardwatch.features.ledger import Codes, Flags, Ledger, Numbers

NOVELTY_YEAR_DAYS = 365
NEW_BEFORE, PAID_BEFORE = 0.5, 4.0
"""Good-Turing's rate of new merchants is (new + 1/2) / (payments + 4)."""
BURST_DAYS = 2
"""A card in other hands is used up within three days or so."""
FEWEST_SEEN_DAYS = 60.0
FEWEST_PAYMENTS = 5
"""Payments before a run of new merchants without which no rate of them is known."""
FEW_USERS = (0, 1, 2, 4, 8, 16, 32)
"""Numbers of users at which rarity is told apart; what has more is common."""
SHORTEST_STEM, LONGEST_STEM = 4, 6
"""Words of a trade are compared by their first letters: jewel-lers, jewel-lery, jewel-ry."""
NO_TRADE = {"services", "service", "stores", "store", "other", "elsewhere", "classified", "general",
            "products", "supplies", "equipment", "goods", "merchandise", "direct", "marketing",
            "shops", "shop", "international", "national", "company", "system", "systems", "group",
            "centres", "centers", "center", "centre", "online", "limited", "with", "from", "than",
            "more", "line", "lines", "sales", "related", "miscellaneous", "specialty", "special",
            "associations", "organizations", "including", "without", "north", "south", "east",
            "west", "united", "royal", "british", "england", "city", "county"}  # fmt: skip
"""Words of the descriptions that name no trade."""
AIRLINES, AFTER_HOTELS = "3000", "4000"
TRADE_STEMS_FILE, SHOP_WORDS_FILE = "trade_stems.txt", "shop_words.txt"
WORD = re.compile(r"[A-Za-z]{4,}")


def is_new_to_holder(ledger: Ledger) -> Flags:
    """Whether the cardholder had never paid this merchant before this day."""
    return ledger.is_purchase & (ledger.count(ledger.is_purchase, PAIR, until=1) == 0)


def holder_novelty_surprise(ledger: Ledger) -> Numbers:
    """The merchant is new to a cardholder who rarely pays a new one."""
    first = ledger.first_of_kind(ledger.is_purchase, PAIR)
    new = ledger.count(first, PAIR[:1], NOVELTY_YEAR_DAYS, 1)
    lately = ledger.count(ledger.is_purchase, PAIR[:1], NOVELTY_YEAR_DAYS, 1)
    rate = (new + NEW_BEFORE) / (lately + PAID_BEFORE)
    return np.where(is_new_to_holder(ledger), -np.log(rate), 0.0)


def _users_before(ledger: Ledger, name: str, usable: Flags) -> Numbers:
    """Count the holders who had used a merchant or category before each day."""
    first = ledger.first_of_kind(usable, ("holder_id", name))
    return ledger.count(first, (name,), until=1)


def _seldom(ledger: Ledger, users: Numbers, usable: Flags) -> Numbers:
    """Return -ln of the share of the last year's payments for which as few users were known.

    The share is told by the payments before, each as it stood on its own day: so early, when little
    is known and much is new, being new counts for little.
    """
    payments = ledger.count(usable, (), NOVELTY_YEAR_DAYS, 1) + 1
    surprise = np.zeros(len(ledger))
    for most in reversed(FEW_USERS):
        as_few = usable & (users <= most)
        share = (ledger.count(as_few, (), NOVELTY_YEAR_DAYS, 1) + 1) / payments
        surprise = np.where(as_few, -np.log(np.minimum(share, 1.0)), surprise)
    return surprise


def _rarity(ledger: Ledger, name: str) -> Numbers:
    """The rarity of payments to items with as few users; 0 where the holder is a user."""
    usable = ledger.is_purchase & ~ledger.is_blank(name)
    if not usable.any():
        return np.zeros(len(ledger))
    holder_count = ledger.count(usable, ("holder_id", name), until=1)
    return np.where(
        holder_count == 0, _seldom(ledger, _users_before(ledger, name, usable), usable), 0.0
    )


def merchant_rarity_surprise(ledger: Ledger) -> Numbers:
    """The merchant is new to the cardholder, and hardly anybody here uses it."""
    return _rarity(ledger, "merchant_id")


def category_rarity_surprise(ledger: Ledger) -> Numbers:
    """The category is new to the cardholder, and hardly anybody here buys in it."""
    views = [_rarity(ledger, name) for name in ("mcc", "category_words")]
    return np.where(is_new_to_holder(ledger), np.maximum(*views), 0.0)


def described_stems() -> frozenset[str]:
    """Return the beginnings of the words that describe trades: ISO 18245's, and those of shops.

    The standard's are told by its library; shops and crafts are named as on maps, in the words that
    they put over their doors (`SHOP_WORDS_FILE`, with its source).
    """
    import iso18245  # noqa: PLC0415  `make docs` alone needs it

    words = {
        word.lower()
        for code in iso18245.get_all_mccs()
        if not AIRLINES <= code.mcc < AFTER_HOTELS  # names of single airlines, cars and hotels
        for word in WORD.findall(str(code.iso_description or ""))
    }
    shops = (resources.files("cardwatch.features") / SHOP_WORDS_FILE).read_text(encoding="utf-8")
    words |= {word for word in shops.splitlines() if not word.startswith("#")}
    return frozenset(word[:LONGEST_STEM] for word in words - NO_TRADE)


@cache
def trade_stems() -> frozenset[str]:
    """Return what `described_stems` gives, from the table that is made of it.

    The library looks through all its codes for each, which takes as long as scoring ten rows.
    """
    table = resources.files("cardwatch.features") / TRADE_STEMS_FILE
    return frozenset(table.read_text(encoding="utf-8").split())


def _trades(
    names: np.ndarray[tuple[int], np.dtype[np.object_]], shops: Sequence[str]
) -> tuple[Codes, list[str]]:
    """Return for names which of them has which trade, as pairs: a stem, or a known shop's code."""
    stems, which, trades = trade_stems(), [], []
    for number, (name, code) in enumerate(zip(names, shops, strict=True)):
        for word in {word.lower() for word in WORD.findall(str(name))} - NO_TRADE:
            shortest = min(len(word), LONGEST_STEM)
            if word[:shortest] in stems and len(word) >= SHORTEST_STEM:
                which.append(number)
                trades.append(word[:shortest])
        if code:
            which.append(number)
            trades.append(code)
    return np.array(which, dtype="int64"), trades


def trade_rarity_surprise(ledger: Ledger) -> Numbers:
    """The merchant is new to the cardholder, in a trade that hardly anybody here buys from."""
    codes, names = ledger.texts("merchant_id")
    which, trades = _trades(names, ledger.shops)
    if not len(which):
        return np.zeros(len(ledger))
    stems = pd.factorize(pd.Series(trades))[0]
    rows = np.flatnonzero(ledger.is_purchase)
    table = pd.DataFrame({"name": which, "stem": stems}).merge(
        pd.DataFrame({"name": codes[rows], "row": rows}), on="name"
    )
    stem, row = table["stem"].to_numpy(), table["row"].to_numpy()
    day, holder = ledger.day[row], ledger.group("holder_id")[row]
    order = np.argsort(day, kind="stable")
    pair = holder * (stems.max() + 1) + stem
    is_repeat = np.zeros(len(row), dtype=bool)
    is_repeat[order] = pd.Series(pair[order]).duplicated().to_numpy()
    keys = np.sort(stem[~is_repeat] * DAYS_APART + day[~is_repeat])
    start = stem * DAYS_APART
    users = np.searchsorted(keys, start + day) - np.searchsorted(keys, start)
    fewest = np.full(len(ledger), np.inf)
    np.minimum.at(fewest, row, users)
    rarest = _seldom(ledger, fewest, np.isfinite(fewest))
    return np.where(is_new_to_holder(ledger), rarest, 0.0)


def _first_payments(ledger: Ledger) -> Flags:
    """Return the largest payment of each day on which a cardholder first pays a merchant."""
    new, pair = is_new_to_holder(ledger), ledger.group(*PAIR)
    largest = np.zeros(len(ledger))
    np.maximum.at(largest, pair[new], ledger.pence[new])
    return ledger.first_of_kind(new & (ledger.pence == largest[pair]), PAIR)


def new_merchants_count(ledger: Ledger) -> Numbers:
    """Merchants new to the cardholder that were paid on this day and the two before."""
    count = ledger.count(_first_payments(ledger), PAIR[:1], BURST_DAYS)
    return np.where(ledger.is_purchase, count, 0)


def new_merchants_pence(ledger: Ledger) -> Numbers:
    """Total of first payments to new merchants on this day and the two before."""
    paid = np.where(_first_payments(ledger), ledger.pence, 0.0)
    return np.where(ledger.is_purchase, ledger.total(paid, PAIR[:1], BURST_DAYS), 0.0)


def new_merchants_surprise(ledger: Ledger) -> Numbers:
    """The cardholder paid new merchants more, or more of them, within three days than usual.

    That is the chance of so many new merchants in three days by the holder's own rate of a year,
    by its root, since errands come together, times how far each sum lies in the tail of the
    holder's own, and the chance that sums rise so from day to day: a card is tried with a little
    before it is used for much.
    """
    first = _first_payments(ledger)
    count = new_merchants_count(ledger)
    before = ledger.count(ledger.is_purchase, PAIR[:1], until=BURST_DAYS + 1)
    burst = first & (count > 1) & (before >= FEWEST_PAYMENTS)
    if not burst.any():
        return np.zeros(len(ledger))
    from scipy.special import pdtrc  # noqa: PLC0415  few statements need it, and it takes long to load

    usual = _usually_in_burst(ledger, first)
    sums = _sums_of_burst(ledger, first)
    # The Poisson tail by scipy.special: scipy.stats takes as long to load as a statement to score.
    with np.errstate(divide="ignore"):
        surprise = -np.log(pdtrc(np.maximum(count - 1, 0), usual)) / 2 + sums
    return np.where(burst, surprise + _rise_of_burst(ledger, first), 0.0)


def _rise_of_burst(ledger: Ledger, first: Flags) -> Numbers:
    """Return -ln of the chance that first payments in a burst exceed those of the day before.

    Of k sums that fall on days in any order, n, m ... a day, one in k! / (n! m! ...) rises so.
    """
    from scipy.special import gammaln  # noqa: PLC0415  few statements need it, and it takes long to load

    rows = np.flatnonzero(first)
    days, place = np.unique(
        ledger.group("holder_id")[rows] * DAYS_APART + ledger.day[rows], return_inverse=True
    )
    lowest, highest = np.full(len(days), np.inf), np.zeros(len(days))
    np.minimum.at(lowest, place, ledger.pence[rows])
    np.maximum.at(highest, place, ledger.pence[rows])
    count = np.bincount(place).astype("float64")
    # Day by day backwards: nothing but the day itself at first.
    total, orders, next_lowest = count.copy(), gammaln(count + 1), lowest.copy()
    rises, is_several = np.ones(len(days), dtype=bool), np.zeros(len(days), dtype=bool)
    for back in range(1, BURST_DAYS + 1):
        before = np.minimum(np.searchsorted(days, days - back), len(days) - 1)
        there = days[before] == days - back
        rises &= ~there | (highest[before] < next_lowest)
        total += np.where(there, count[before], 0)
        orders += np.where(there, gammaln(count[before] + 1), 0.0)
        next_lowest = np.where(there, lowest[before], next_lowest)
        is_several |= there
    surprise = np.where(rises & is_several, gammaln(total + 1) - orders, 0.0)
    evidence = np.zeros(len(ledger))
    evidence[rows] = surprise[place]
    return evidence


def tried_card_surprise(ledger: Ledger) -> Numbers:
    """A tiny charge at a merchant new to everybody comes before one new to the cardholder.

    That is the chance of such a charge within three days, times how far each sum paid to a new
    merchant in these days lies in the tail of the holder's own. The chance is made of how often the
    cardholder pays, how often so little (who travels does), and how often that is to a merchant
    which is new to everybody.
    """
    is_large = ledger.pence >= ledger.policy.materiality_pence
    first, bought = _first_payments(ledger) & is_large, ledger.is_purchase
    tried = first & (tiny_charge_count(ledger) > 0)
    if not tried.any():
        return np.zeros(len(ledger))
    tiny, unseen = bought & (ledger.pence <= TINY_PENCE), is_tiny_charge(ledger)

    def before(where: Flags, by: tuple[str, ...] = ()) -> Numbers:
        return ledger.count(where, by, until=BURST_DAYS + 1)

    usual = (before(tiny) + 1) / (before(bought) + 1)
    share = before(tiny, PAIR[:1]) + SHRINKAGE * usual
    share /= before(bought, PAIR[:1]) + SHRINKAGE
    share *= (before(unseen) + 1) / (before(tiny) + 1)
    chance = np.minimum(share * _usually_in_burst(ledger, bought), 1.0)
    return np.where(tried, -np.log(chance) + _sums_of_burst(ledger, first), 0.0)


def _usually_in_burst(ledger: Ledger, where: Flags) -> Numbers:
    """Return how many payments of a kind the holder makes in three days, by the year before."""
    history_days = ledger.day - ledger.first_day(PAIR[:1])
    history_days = np.clip(history_days, FEWEST_SEEN_DAYS, NOVELTY_YEAR_DAYS)
    before = ledger.count(where, PAIR[:1], NOVELTY_YEAR_DAYS, BURST_DAYS + 1)
    usual: Numbers = (before + 1) / history_days * (BURST_DAYS + 1)
    return usual


def _sums_of_burst(ledger: Ledger, first: Flags) -> Numbers:
    """Return how far the first payments of three days lie in the tails of the holder's sums."""
    tails = np.where(first, np.maximum(_tail(ledger) - 1, 0), 0.0)
    return ledger.total(tails, PAIR[:1], BURST_DAYS)


def _tail(ledger: Ledger) -> Numbers:
    """Return minus the logarithm of the share of the holder's sums that would be as large."""
    from scipy.special import log_ndtr  # noqa: PLC0415  few statements need it, and it takes long to load

    usual = past_moments(ledger, ("holder_id",))
    return -log_ndtr(-(ledger.log_pence - usual["mean"]) / usual["deviation"])
