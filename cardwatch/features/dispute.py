"""Features of stolen cards: disputes that the bank recorded, and possible test charges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cardwatch.features.merchant import merchant_before_count, says

if TYPE_CHECKING:
    from cardwatch.features.ledger import Flags, Ledger, Numbers

DISPUTE_WORDS = r"\b(?:disputed?|fraud)\b"
"""A bank's own words for a charge that is disputed; its other adjustments say less."""
DISPUTE_DAYS = 30
TINY_PENCE = 200
"""A charge by which somebody tries whether a card works is a pound or two."""
TINY_DAYS = 2


def is_dispute_booking(ledger: Ledger) -> Flags:
    """Whether the bank recorded a dispute: a credit for one, or its reversal."""
    adjusted = ledger.is_in("kind", ("adjustment",))
    if not adjusted.any():
        return adjusted
    codes, merchants = ledger.texts("merchant")
    return says(pd.Series(merchants, dtype="str"), DISPUTE_WORDS)[codes] & adjusted


def dispute_before_count(ledger: Ledger) -> Numbers:
    """Disputes that the bank recorded for this cardholder in the 30 days before."""
    booked = is_dispute_booking(ledger)
    return ledger.count(booked, ("holder_id",), DISPUTE_DAYS, 1)


def is_tiny_charge(ledger: Ledger) -> Flags:
    """Whether it is a charge of £2 or less at a merchant new to the organisation."""
    new = merchant_before_count(ledger) == 0
    return new & ledger.is_purchase & (ledger.pence <= TINY_PENCE)


def tiny_charge_count(ledger: Ledger) -> Numbers:
    """The cardholder's charges of £2 or less at other new merchants, in three days."""
    tiny = is_tiny_charge(ledger)
    everywhere = ledger.count(tiny, ("holder_id",), TINY_DAYS)
    here = ledger.count(tiny, ("holder_id", "merchant_id"), TINY_DAYS)
    return np.where(ledger.is_purchase, everywhere - here, 0)
