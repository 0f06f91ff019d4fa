"""Features of gifts and hospitality: offered by a merchant that is paid, as the register then said.

Where no register of gifts is given, they are all 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardwatch.features.registered import (
    CERTAIN_BANDS,
    as_known,
    days_since,
    hits_of,
    is_telling,
    links,
    pairs_by_merchant,
    register_entries,
    telling_pairs,
    with_payers,
)
from cardwatch.registers import BANDS, STATED

if TYPE_CHECKING:
    import pandas as pd

    from cardwatch.features.ledger import Flags, Ledger, Numbers

GIFT_DAYS, REPEAT_DAYS = 180, 365
"""A gift bears on payments of the half year after it; several in a year are a habit."""


def _given_before(pairs: pd.DataFrame, days: int = GIFT_DAYS) -> Flags:
    """Return which gifts were offered and recorded in so many days before the payment."""
    recent: Flags = as_known(pairs) & (pairs["day"] - pairs["true_day"] <= days).to_numpy()
    return recent


@hits_of("gifts")
def accepted_hits(ledger: Ledger) -> pd.DataFrame:
    """Return gifts that the cardholder accepted from the merchant in the half year before."""
    return _decided_pairs(ledger, "accepted")


@hits_of("gifts")
def declined_hits(ledger: Ledger) -> pd.DataFrame:
    """Return gifts that the cardholder declined from the merchant in the half year before."""
    return _decided_pairs(ledger, "declined")


@hits_of("gifts")
def possible_hits(ledger: Ledger) -> pd.DataFrame:
    """Return offers to the cardholder by a donor that nobody has confirmed to be the merchant.

    Its name is only like the merchant's, or is the same and many cardholders pay that merchant.
    """
    offers = pairs_by_merchant(ledger, "gifts", "holder_key", BANDS)
    pairs = with_payers(ledger, offers, "holder_key")
    is_decided = (pairs["decision"] != "").to_numpy()
    return pairs[_given_before(pairs) & is_decided & ~is_telling(pairs)]


def _decided_pairs(ledger: Ledger, decision: str) -> pd.DataFrame:
    """Return offers to the cardholder that were decided so."""
    pairs = telling_pairs(ledger, "gifts", "holder_key")
    return pairs[_given_before(pairs) & (pairs["decision"] == decision).to_numpy()]


@hits_of("gifts")
def approver_hits(ledger: Ledger) -> pd.DataFrame:
    """Return gifts from the merchant that the approver accepted in the half year before."""
    pairs = telling_pairs(ledger, "gifts", "approver_key")
    decided = (pairs["decision"] == "accepted").to_numpy()
    is_holder = (pairs["approver_key"] == pairs["holder_key"]).to_numpy()
    return pairs[_given_before(pairs) & decided & ~is_holder]


@hits_of("gifts")
def unit_hits(ledger: Ledger) -> pd.DataFrame:
    """Return gifts from the merchant that others of the cardholder's unit accepted before."""
    pairs = pairs_by_merchant(ledger, "gifts", "unit_key", (STATED,))
    decided = (pairs["decision"] == "accepted").to_numpy()
    is_holder = (pairs["person_key"] == pairs["holder_key"]).to_numpy()
    return pairs[_given_before(pairs) & decided & ~is_holder]


@hits_of("gifts")
def repeated_hits(ledger: Ledger) -> pd.DataFrame:
    """Return gifts that the cardholder was offered by the merchant in the year before."""
    pairs = telling_pairs(ledger, "gifts", "holder_key")
    return pairs[_given_before(pairs, REPEAT_DAYS)]


@hits_of("gifts", "tenders")
def tender_hits(ledger: Ledger) -> pd.DataFrame:
    """Return gifts that the cardholder was offered by a bidder while its tender was open."""
    pairs = telling_pairs(ledger, "gifts", "holder_key")
    pairs = pairs[as_known(pairs)]
    bids = links(ledger, "tenders")[0]
    bids = bids[bids["band"].isin(CERTAIN_BANDS)][["entry", "merchant_code"]]
    tenders = register_entries(ledger, "tenders")[
        ["entry", "opens_day", "closes_day", "awarded_day", "known_day"]
    ]
    bids = bids.merge(tenders, on="entry").drop(columns="entry")
    both = pairs.merge(bids, on="merchant_code", suffixes=("", "_of_tender"))
    ends = both["awarded_day"].fillna(both["closes_day"]).fillna(np.inf)
    during = (both["true_day"] >= both["opens_day"]) & (both["true_day"] <= ends)
    is_known = both["known_day_of_tender"] <= both["day"]
    return both[during & is_known]


@hits_of("gifts")
def late_hits(ledger: Ledger) -> pd.DataFrame:
    """Return gifts to the cardholder from before the payment that were recorded after it only."""
    pairs = telling_pairs(ledger, "gifts", "holder_key")
    before = (pairs["true_day"] <= pairs["day"]) & (pairs["recorded_day"] > pairs["day"])
    recent = pairs["day"] - pairs["true_day"] <= GIFT_DAYS
    return pairs[before & recent]


def gift_accepted_count(ledger: Ledger) -> Numbers:
    """Gifts that the cardholder accepted from this merchant in the 180 days before."""
    return accepted_hits(ledger).count


def gift_accepted_days(ledger: Ledger) -> Numbers:
    """Days since the cardholder accepted the latest gift from this merchant; 0 without one."""
    return days_since(ledger, accepted_hits(ledger), "true_day")


def gift_declined_count(ledger: Ledger) -> Numbers:
    """Gifts that the cardholder declined from this merchant in the 180 days before."""
    return declined_hits(ledger).count


def gift_declined_days(ledger: Ledger) -> Numbers:
    """Days since the cardholder declined the latest gift from this merchant; 0 without one."""
    return days_since(ledger, declined_hits(ledger), "true_day")


def gift_possible_count(ledger: Ledger) -> Numbers:
    """Offers to the cardholder in the 180 days before by a donor who may be this merchant."""
    return possible_hits(ledger).count


def gift_to_approver_count(ledger: Ledger) -> Numbers:
    """Gifts from this merchant that the approver accepted in the 180 days before."""
    return approver_hits(ledger).count


def gift_to_unit_count(ledger: Ledger) -> Numbers:
    """Gifts from this merchant that others of the unit accepted in the 180 days before."""
    return unit_hits(ledger).count


def gift_year_count(ledger: Ledger) -> Numbers:
    """Offers of this merchant to the cardholder in the 365 days before, accepted or declined."""
    return repeated_hits(ledger).count


def gift_in_tender_count(ledger: Ledger) -> Numbers:
    """Offers of this merchant to the cardholder while it was bidding in an open tender."""
    return tender_hits(ledger).count


def gift_recorded_late_count(ledger: Ledger) -> Numbers:
    """Gifts of this merchant from the 180 days before that were recorded after the payment."""
    return late_hits(ledger).count
