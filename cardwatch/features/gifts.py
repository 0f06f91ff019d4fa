"""Features of gifts and hospitality: offered by a merchant that is paid, as the register then said.

Where no register of gifts is given, they are all 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardwatch.features.registered import (
    CERTAIN_BANDS,
    Hits,
    as_known,
    has_register,
    hits,
    links,
    no_hits,
    pairs_by_merchant,
    register_entries,
)
from cardwatch.registers import POSSIBLE, STATED

if TYPE_CHECKING:
    import pandas as pd

    from cardwatch.features.ledger import Flags, Ledger, Numbers

GIFT_DAYS, REPEAT_DAYS = 180, 365
"""A gift bears on payments of the half year after it; several in a year are a habit."""


def _given_before(pairs: pd.DataFrame, days: int = GIFT_DAYS) -> Flags:
    """Return which gifts were offered and recorded in so many days before the payment."""
    recent: Flags = as_known(pairs) & (pairs["day"] - pairs["true_day"] <= days).to_numpy()
    return recent


def accepted_hits(ledger: Ledger) -> Hits:
    """Return gifts that the cardholder accepted from the merchant in the half year before."""
    return ledger.once("accepted gifts", lambda: _decided_hits(ledger, "accepted", CERTAIN_BANDS))


def declined_hits(ledger: Ledger) -> Hits:
    """Return gifts that the cardholder declined from the merchant in the half year before."""
    return ledger.once("declined gifts", lambda: _decided_hits(ledger, "declined", CERTAIN_BANDS))


def possible_hits(ledger: Ledger) -> Hits:
    """Return offers to the cardholder whose donor has a name only like the merchant's."""
    return ledger.once("possible gifts", lambda: _decided_hits(ledger, "", (POSSIBLE,)))


def _decided_hits(ledger: Ledger, decision: str, bands: tuple[str, ...]) -> Hits:
    """Return offers to the cardholder that were decided so; any decision if it is empty."""
    if not has_register(ledger, "gifts"):
        return no_hits(ledger, "gifts")
    pairs = pairs_by_merchant(ledger, "gifts", "holder_key", bands)
    decided = (pairs["decision"] == decision) if decision else (pairs["decision"] != "")
    return hits(ledger, "gifts", pairs[_given_before(pairs) & decided.to_numpy()])


def approver_hits(ledger: Ledger) -> Hits:
    """Return gifts from the merchant that the approver accepted in the half year before."""

    def make() -> Hits:
        if not has_register(ledger, "gifts"):
            return no_hits(ledger, "gifts")
        pairs = pairs_by_merchant(ledger, "gifts", "approver_key")
        decided = (pairs["decision"] == "accepted").to_numpy()
        itself = (pairs["approver_key"] == pairs["holder_key"]).to_numpy()
        return hits(ledger, "gifts", pairs[_given_before(pairs) & decided & ~itself])

    return ledger.once("gifts to approvers", make)


def unit_hits(ledger: Ledger) -> Hits:
    """Return gifts from the merchant that others of the cardholder's unit accepted before."""

    def make() -> Hits:
        if not has_register(ledger, "gifts"):
            return no_hits(ledger, "gifts")
        pairs = pairs_by_merchant(ledger, "gifts", "unit_key", (STATED,))
        decided = (pairs["decision"] == "accepted").to_numpy()
        itself = (pairs["person_key"] == pairs["holder_key"]).to_numpy()
        return hits(ledger, "gifts", pairs[_given_before(pairs) & decided & ~itself])

    return ledger.once("gifts to the unit", make)


def repeated_hits(ledger: Ledger) -> Hits:
    """Return gifts that the cardholder was offered by the merchant in the year before."""

    def make() -> Hits:
        if not has_register(ledger, "gifts"):
            return no_hits(ledger, "gifts")
        pairs = pairs_by_merchant(ledger, "gifts", "holder_key")
        return hits(ledger, "gifts", pairs[_given_before(pairs, REPEAT_DAYS)])

    return ledger.once("repeated gifts", make)


def tender_hits(ledger: Ledger) -> Hits:
    """Return gifts that the cardholder was offered by a bidder while its tender was open."""

    def make() -> Hits:
        if not (has_register(ledger, "gifts") and has_register(ledger, "tenders")):
            return no_hits(ledger, "gifts")
        pairs = pairs_by_merchant(ledger, "gifts", "holder_key")
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
        history = both["known_day_of_tender"] <= both["day"]
        return hits(ledger, "gifts", both[during & history])

    return ledger.once("gifts in a tender", make)


def late_hits(ledger: Ledger) -> Hits:
    """Return gifts to the cardholder from before the payment that were recorded after it only."""

    def make() -> Hits:
        if not has_register(ledger, "gifts"):
            return no_hits(ledger, "gifts")
        pairs = pairs_by_merchant(ledger, "gifts", "holder_key")
        before = (pairs["true_day"] <= pairs["day"]) & (pairs["known_day"] > pairs["day"])
        recent = pairs["day"] - pairs["true_day"] <= GIFT_DAYS
        return hits(ledger, "gifts", pairs[before & recent])

    return ledger.once("gifts recorded late", make)


def _days_after(ledger: Ledger, match: Hits) -> Numbers:
    """Return days from the gift shown to the payment; 0 without one."""
    if not match.count.any():
        return np.zeros(len(ledger))
    offered = register_entries(ledger, match.kind)["true_day"].to_numpy()
    return np.where(match.count > 0, ledger.day - offered[np.maximum(match.entry, 0)], 0.0)


def gift_accepted_count(ledger: Ledger) -> Numbers:
    """Gifts that the cardholder accepted from this merchant in the 180 days before."""
    return accepted_hits(ledger).count


def gift_accepted_days(ledger: Ledger) -> Numbers:
    """Days since the cardholder accepted the latest of these gifts; 0 without one."""
    return _days_after(ledger, accepted_hits(ledger))


def gift_declined_count(ledger: Ledger) -> Numbers:
    """Gifts that the cardholder declined from this merchant in the 180 days before."""
    return declined_hits(ledger).count


def gift_declined_days(ledger: Ledger) -> Numbers:
    """Days since the cardholder declined the latest of these gifts; 0 without one."""
    return _days_after(ledger, declined_hits(ledger))


def gift_possible_count(ledger: Ledger) -> Numbers:
    """Offers to the cardholder in the 180 days before by a donor whose name is only similar."""
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
