"""Features of tenders: card payments to bidders while a tender is open, as the register then said.

Where no register of tenders is given, they are all 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardwatch.features.registered import (
    as_known,
    hits_of,
    is_telling,
    pairs_by_merchant,
    with_payers,
)
from cardwatch.registers import STATED

if TYPE_CHECKING:
    import pandas as pd

    from cardwatch.features.ledger import Flags, Ledger, Numbers


def _open(pairs: pd.DataFrame) -> Flags:
    """Return which tenders were open on the day of the payment: until the award, else the close."""
    ends = pairs["awarded_day"].fillna(pairs["closes_day"]).fillna(np.inf)
    is_open: Flags = as_known(pairs) & (pairs["day"] <= ends).to_numpy()
    return is_open


@hits_of("tenders")
def open_bid_hits(ledger: Ledger) -> pd.DataFrame:
    """Return open tenders in which the merchant is stated to bid."""
    pairs = pairs_by_merchant(ledger, "tenders", bands=(STATED,))
    return pairs[_open(pairs)]


@hits_of("tenders")
def panel_hits(ledger: Ledger) -> pd.DataFrame:
    """Return open tenders of the merchant on whose panel the cardholder sits."""
    pairs = pairs_by_merchant(ledger, "tenders")
    panels = [
        holder in panel.replace(",", ";").split(";")
        for holder, panel in zip(pairs["holder_key"], pairs["panel"], strict=True)
    ]
    pairs = pairs[_open(pairs) & np.array(panels, dtype=bool)]
    pairs = with_payers(ledger, pairs, "holder_key")
    return pairs[is_telling(pairs)]


def open_bid_count(ledger: Ledger) -> Numbers:
    """Open tenders in which this merchant is stated to be a bidder."""
    return open_bid_hits(ledger).count


def panel_bidder_count(ledger: Ledger) -> Numbers:
    """Open tenders in which this merchant bids and the cardholder evaluates the bids."""
    return panel_hits(ledger).count
