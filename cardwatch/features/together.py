"""Features of cardholders who buy together, and of what is billed for each person.

A unit can be hundreds of separate sites, and often no unit is stated. Whether two cardholders are
colleagues shows in what they do: one small cost centre, one approver, or more uncommon merchants in
common than two cardholders with as many would have by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cardwatch.features.baselines import SHRINKAGE
from cardwatch.features.ledger import DAYS_APART, PAIR
from cardwatch.features.merchant import is_billed_in_parts, worded

if TYPE_CHECKING:
    from cardwatch.features.ledger import Codes, Flags, Ledger, Numbers

SMALL_TEAM = 30
"""A cost centre with more cardholders is a directorate or many sites, and says nothing."""
UNCOMMON_USERS = 8
"""A merchant with more users is common: having it in common says little."""
TIE_CHANCE = 0.01
"""Two cardholders buy together if chance gives two of their size as much in common this seldom."""
FEWEST_EQUAL = 2
WIDE_SHARE = 0.1
"""A merchant that more than a tenth of all cardholders pay sells everything (decision 0049)."""
PER_PERSON_SHARE = 0.25
"""A merchant bills for each person if so many of its payments stand beside an equal one."""


@dataclass(frozen=True)
class Ties:
    """Uncommon merchants that pairs of holders have in common, by day.

    Attributes:
        begins, ends: keys of pair and day, in order: a merchant came to be in common, and came to
            have too many users to say anything.
        pairs: distinct pairs, as `first * holders + second`, in order.
        days, expected: the rate of things in common, by day: see `_chance`.
        adopted: keys of holder and day, in order: an uncommon merchant was first used.
    """

    holders: int
    pairs: Codes
    begins: Codes
    ends: Codes
    days: Codes
    expected: Numbers
    adopted: Codes


def _ties(ledger: Ledger) -> Ties:
    """Return the ties between holders, made once."""
    return ledger.once("ties", lambda: _made_ties(ledger))


def _made_ties(ledger: Ledger) -> Ties:
    first = np.flatnonzero(ledger.first_of_kind(ledger.is_purchase, PAIR))
    holder, merchant = ledger.group("holder_id")[first], ledger.group("merchant_id")[first]
    order = np.lexsort((holder, ledger.day[first], merchant))
    holder, merchant, day = holder[order], merchant[order], ledger.day[first][order]
    starts = np.flatnonzero(np.append(True, merchant[1:] != merchant[:-1]))
    sizes = np.diff(np.append(starts, len(merchant)))
    place = np.arange(len(merchant)) - np.repeat(starts, sizes)
    never = int(day.max(initial=0)) + 1
    crowded = np.full(len(starts), never)  # the day on which the merchant becomes a common one
    many = sizes > UNCOMMON_USERS
    crowded[many] = day[starts[many] + UNCOMMON_USERS]
    until = np.repeat(crowded, sizes)
    count = int(holder.max(initial=0)) + 1
    later, earlier = [], []
    for back in range(1, UNCOMMON_USERS):
        which = np.flatnonzero((place >= back) & (place < UNCOMMON_USERS))
        later.append(which)
        earlier.append(which - back)
    later_use, earlier_use = np.concatenate(later), np.concatenate(earlier)
    low, high = (
        np.minimum(holder[later_use], holder[earlier_use]),
        np.maximum(holder[later_use], holder[earlier_use]),
    )
    pairs, which = np.unique(low * count + high, return_inverse=True)
    uncommon_use = np.flatnonzero(place < UNCOMMON_USERS)
    days = np.unique(day)
    begun_count = np.searchsorted(np.sort(day[later_use]), days)  # of pairs, before each day
    adopted = np.searchsorted(np.sort(day[uncommon_use]), days)
    expected = (begun_count + 1) / np.maximum(adopted.astype("float64") ** 2 / 2, 1)
    return Ties(
        holders=count,
        pairs=pairs,
        begins=np.sort(which * DAYS_APART + day[later_use]),
        ends=np.sort(which * DAYS_APART + until[later_use]),
        days=days,
        expected=expected,
        adopted=np.sort(holder[uncommon_use] * DAYS_APART + day[uncommon_use]),
    )


def bought_together(ledger: Ledger, one: Codes, two: Codes, day: Codes) -> Flags:
    """Return which pairs of holders had more in common before a day than chance would give them.

    What is expected is in proportion to the number of uncommon merchants that each has used, as if
    all holders drew from one lot; the chance of as many in common is a Poisson tail.

    Args:
        ledger: the transactions.
        one: numbers of holders, `ledger.group("holder_id")`.
        two: the other holder of each pair.
        day: before which it is asked, one a pair.
    """
    ties = _ties(ledger)
    if not len(ties.pairs):
        return np.zeros(len(one), bool)
    key = np.minimum(one, two) * ties.holders + np.maximum(one, two)
    place = np.minimum(np.searchsorted(ties.pairs, key), len(ties.pairs) - 1)
    start = place * DAYS_APART
    common = np.searchsorted(ties.begins, start + day) - np.searchsorted(ties.begins, start)
    common -= np.searchsorted(ties.ends, start + day) - np.searchsorted(ties.ends, start)
    common = np.where(ties.pairs[place] == key, common, 0)
    if not common.any():
        return np.zeros(len(one), bool)
    from scipy.special import pdtrc  # noqa: PLC0415  few statements need it, and it takes long to load

    sizes = [
        np.searchsorted(ties.adopted, side * DAYS_APART + day)
        - np.searchsorted(ties.adopted, side * DAYS_APART)
        for side in (one, two)
    ]
    rate = ties.expected[np.minimum(np.searchsorted(ties.days, day), len(ties.days) - 1)]
    expected = np.maximum(sizes[0] * sizes[1] * rate, 1e-9)
    return (common > 0) & (pdtrc(np.maximum(common - 1, 0), expected) <= TIE_CHANCE)


def small_team(ledger: Ledger) -> Codes:
    """Return the number of each row's cost centre, or -1 where it is not stated or not small."""
    first = ledger.first_of_kind(ledger.is_purchase, ("holder_id", "team"))
    size = ledger.count(first, ("team",))
    return np.where(ledger.is_blank("team") | (size > SMALL_TEAM), -1, ledger.group("team"))


def approver(ledger: Ledger) -> Codes:
    """Return the number of each row's approver by the card register, or -1 where none is known."""
    codes = ledger.group("card_approver_id")
    first = ledger.first_of_kind(ledger.is_purchase, ("holder_id", "card_approver_id"))
    size = ledger.count(first, ("card_approver_id",))
    unknown = ledger.is_blank("card_approver_id") | (size > ledger.policy.approver_cards)
    return np.where(unknown, -1, codes)


def is_billed_per_person(ledger: Ledger) -> Flags:
    """Whether the merchant bills for each person: by its words, purpose or usual equal payments."""
    return ledger.once("billed per person", lambda: _billed_per_person(ledger))


def _billed_per_person(ledger: Ledger) -> Flags:
    is_worded = is_billed_in_parts(ledger) | worded(ledger, ledger.policy.bulk_words, "description")
    bought = ledger.is_purchase
    day = ledger.group("merchant_id", "amount_pence", "date")
    beside = bought & (np.bincount(day, bought)[day] > 1)
    share = (ledger.count(beside, (), until=1) + 1) / (ledger.count(bought, (), until=1) + 50)
    for by in (("category_id",), ("purpose_id",), ("merchant_id",)):
        is_stated = bought & ~ledger.is_blank(by[0])
        here = ledger.count(beside & is_stated, by, until=1) + SHRINKAGE * share
        share = np.where(
            is_stated, here / (ledger.count(is_stated, by, until=1) + SHRINKAGE), share
        )
    return is_worded | (bought & (share >= PER_PERSON_SHARE))


def _joins_equal_payments(ledger: Ledger) -> Flags:
    """Return the rows of holders whose payments often equal another's on the day: travellers."""
    bought = ledger.is_purchase
    same = ("merchant_id", "amount_pence", "date")
    one = ledger.first_of_kind(bought, ("holder_id", *same))
    day = ledger.group(*same)
    shared = bought & (np.bincount(day, one)[day] > 1)
    usual = (ledger.count(shared, (), until=1) + 1) / (ledger.count(bought, (), until=1) + 50)
    own = ledger.count(shared, PAIR[:1], until=1) + SHRINKAGE * usual
    rate = own / (ledger.count(bought, PAIR[:1], until=1) + SHRINKAGE)
    return bought & (rate >= PER_PERSON_SHARE)


def is_shared_equally(ledger: Ledger) -> Flags:
    """Whether this day's equal payments by several cardholders look like one purchase shared.

    Not where the merchant bills for each person, nor where a cardholder paid the amount twice that
    day, as for two places, nor for cardholders who often travel together.
    """
    bought = ledger.is_purchase & ~ledger.column("day_doubled")
    same = ("merchant_id", "amount_pence", "date")
    by_place = bought & (ledger.count(bought, ("holder_id", *same), 0) > 1)
    apart = bought & (by_place | _joins_equal_payments(ledger))
    alone = ledger.count(bought, same, 0) < FEWEST_EQUAL
    return bought & ~alone & ~is_billed_per_person(ledger) & (ledger.count(apart, same, 0) == 0)


def merchant_users_count(ledger: Ledger) -> Numbers:
    """Cardholders who had paid this merchant before this day."""
    users = ledger.first_of_kind(ledger.is_purchase, PAIR)
    return ledger.count(users, ("merchant_id",), until=1)


def merchant_users_share(ledger: Ledger) -> Numbers:
    """Share of the cardholders known before this day who had paid this merchant."""
    holders = ledger.first_of_kind(ledger.is_purchase, ("holder_id",))
    known = ledger.count(holders, (), until=1)
    return merchant_users_count(ledger) / np.maximum(known, 1)


def is_widely_used(ledger: Ledger) -> Flags:
    """Whether more than eight cardholders, and a tenth of all, had paid this merchant before."""
    is_common = merchant_users_count(ledger) > UNCOMMON_USERS
    return is_common & (merchant_users_share(ledger) > WIDE_SHARE)
