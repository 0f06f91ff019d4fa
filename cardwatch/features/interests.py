"""Features of business interests, second jobs and associations, as the registers then said.

Where no such register is given, they are all 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardwatch.features.registered import as_known, hits_of, telling_pairs

if TYPE_CHECKING:
    import pandas as pd

    from cardwatch.features.ledger import Flags, Ledger, Numbers

ALLOWED, NOT_ALLOWED = ("approved", "applied"), ("refused", "withdrawn", "lapsed")
"""Decisions under which an interest may be pursued, or is at least awaiting one; and the others."""


def _current(pairs: pd.DataFrame) -> Flags:
    """Return which entries were known on the day of the payment and had not ended."""
    ended = pairs["until_day"].fillna(np.inf) < pairs["day"]
    current: Flags = as_known(pairs) & ~ended.to_numpy()
    return current


@hits_of("interests")
def own_interest_hits(ledger: Ledger) -> pd.DataFrame:
    """Return the cardholder's own current interests in the merchant."""
    return _current_interests(ledger, "holder_key")


@hits_of("interests")
def approver_interest_hits(ledger: Ledger) -> pd.DataFrame:
    """Return the approver's current interests in the merchant."""
    return _current_interests(ledger, "approver_key")


def _current_interests(ledger: Ledger, by: str) -> pd.DataFrame:
    """Return current interests of the holder or approver in the merchant."""
    pairs = telling_pairs(ledger, "interests", by)
    allowed = pairs["decision"].isin(ALLOWED).to_numpy()
    return pairs[_current(pairs) & allowed]


@hits_of("interests")
def refused_hits(ledger: Ledger) -> pd.DataFrame:
    """Return the cardholder's refused, withdrawn or lapsed interests in the merchant."""
    pairs = telling_pairs(ledger, "interests", "holder_key")
    refused = pairs["decision"].isin(NOT_ALLOWED).to_numpy()
    decided = pairs["decided_day"].fillna(pairs["true_day"]) <= pairs["day"]
    return pairs[as_known(pairs) & refused & decided.to_numpy()]


@hits_of("interests")
def overdue_hits(ledger: Ledger) -> pd.DataFrame:
    """Return the cardholder's interests in the merchant that were past their review."""
    pairs = _current_interests(ledger, "holder_key")
    return pairs[pairs["review_day"] < pairs["day"]]


@hits_of("associations")
def association_hits(ledger: Ledger) -> pd.DataFrame:
    """Return the cardholder's declared associations with the merchant."""
    pairs = telling_pairs(ledger, "associations", "holder_key")
    return pairs[_current(pairs)]


def own_interest_count(ledger: Ledger) -> Numbers:
    """Business interests in this merchant that the cardholder has declared and that are current."""
    return own_interest_hits(ledger).count


def refused_interest_count(ledger: Ledger) -> Numbers:
    """The cardholder's interests in this merchant that were refused, withdrawn or have lapsed."""
    return refused_hits(ledger).count


def approver_interest_count(ledger: Ledger) -> Numbers:
    """Business interests in this merchant that the approver has declared and that are current."""
    return approver_interest_hits(ledger).count


def interest_review_overdue_count(ledger: Ledger) -> Numbers:
    """The cardholder's interests in this merchant whose review date had passed."""
    return overdue_hits(ledger).count


def association_count(ledger: Ledger) -> Numbers:
    """Associations with this merchant that the cardholder has declared and that are current."""
    return association_hits(ledger).count
