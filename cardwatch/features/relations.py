"""Features from registers about a cardholder and a merchant: gifts, interests and tenders."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardwatch.features import gifts, interests, tenders

if TYPE_CHECKING:
    from cardwatch.features.ledger import Ledger, Numbers

RELATIONS = (
    gifts.accepted_hits,
    gifts.declined_hits,
    gifts.approver_hits,
    gifts.unit_hits,
    gifts.repeated_hits,
    gifts.tender_hits,
    gifts.late_hits,
    interests.own_interest_hits,
    interests.refused_hits,
    interests.approver_interest_hits,
    interests.association_hits,
    tenders.panel_hits,
)
"""Entries that tie a payment's cardholder, approver or unit to its merchant."""


def relation_count(ledger: Ledger) -> Numbers:
    """Entries of registers that tie the cardholder, approver or unit to this merchant."""
    return np.sum([hits(ledger).count for hits in RELATIONS], axis=0)
