"""Features of cards by the register: of each payment's card, and of each card itself.

A payment's features come from its own day and earlier; a card's from the last day scored and
earlier. Where no register was given, or it does not say, they are 0 and false.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.features.ledger import Flags, Ledger, Whole

    CardFeature = Callable[["OpenCards"], pd.Series[Any]]
    Days = np.ndarray[Any, np.dtype[np.int64]]
    Pence = np.ndarray[Any, np.dtype[np.float64]]

RAISE_DAYS, YEAR_DAYS = 31, 364
"""A limit is raised for a purchase if that comes within a billing cycle of the rise."""


def _days_since(ledger: Ledger, column: str) -> Whole:
    """Return days from a column's day to the payment's; negative before it, 0 without one."""
    since = ledger.column(column).astype("datetime64[D]")
    return np.where(np.isnat(since), 0, ledger.day - since.astype("int64"))


def is_card_unknown(ledger: Ledger) -> Flags:
    """Whether there is a register and the card is not in it."""
    return ~ledger.column("is_card_known")


def days_since_closing(ledger: Ledger) -> Whole:
    """Days since the card was closed; 0 before that."""
    return np.maximum(_days_since(ledger, "card_closed_on"), 0)


def is_after_closing(ledger: Ledger) -> Flags:
    """Whether it was paid after the card was closed, later than late posting explains."""
    late = days_since_closing(ledger) > ledger.policy.closed_card_days
    return late & ledger.is_purchase


def is_before_opening(ledger: Ledger) -> Flags:
    """Whether it was paid before the card was opened."""
    return (_days_since(ledger, "card_opened_on") < 0) & ledger.is_purchase


def days_since_limit_raise(ledger: Ledger) -> Whole:
    """Days since the card's single-purchase limit was last changed."""
    return _days_since(ledger, "card_limit_since")


def limit_before_raise_pence(ledger: Ledger) -> Whole:
    """The single-purchase limit before it was raised within 31 days; otherwise 0."""
    before = ledger.column("card_limit_before_pence")
    raised = ledger.column("card_single_limit_pence") > before
    recent = days_since_limit_raise(ledger) <= RAISE_DAYS
    return np.where(raised & recent, before, 0)


def is_card_replaced(ledger: Ledger) -> Flags:
    """Whether another card of the cardholder was lost, stolen or misused by others before."""
    return ~np.isnat(ledger.column("card_replaced_on"))


def days_since_card_replaced(ledger: Ledger) -> Whole:
    """Days since another card was closed for that reason; 0 if none was."""
    return _days_since(ledger, "card_replaced_on")


@dataclass(frozen=True)
class OpenCards:
    """The cards open on one day, with the payments up to it.

    Attributes:
        frame: one row a card, as `registers.cards_in_force` gives it, index 0, 1, ...
        ledger: the payments matched to the register.
        on: the day.
    """

    frame: pd.DataFrame
    ledger: Ledger
    on: pd.Timestamp

    @cached_property
    def first_day(self) -> int:
        """Day of the first payment known."""
        return int(self.ledger.day.min())

    @cached_property
    def last_day(self) -> int:
        """The day itself, counted from 1970."""
        return int(self.on.to_datetime64().astype("datetime64[D]").astype("int64"))

    @cached_property
    def known_since(self) -> Days:
        """Day from which each card's payments are known: its opening, or the first of the data."""
        opened_on = self.frame["opened_on"].to_numpy().astype("datetime64[D]")
        days = np.where(np.isnat(opened_on), self.first_day, opened_on.astype("int64"))
        return np.maximum(days, self.first_day)

    @cached_property
    def spending(self) -> pd.DataFrame:
        """Purchases and refunds up to the day: card, holder, day, month and pence of each."""
        ledger = self.ledger
        table = pd.DataFrame(
            {
                "card_id": ledger.frame["card_id"],
                "holder_id": ledger.frame["holder_id"],
                "day": ledger.day,
                "month": ledger.month,
                "pence": ledger.pence,
                "is_purchase": ledger.is_purchase,
            }
        )
        return table[(ledger.is_purchase | ledger.is_refund) & (ledger.day <= self.last_day)]

    def of_card(self, figures: pd.Series[Any]) -> Pence:
        """Return for each card a figure by card, or nan."""
        return self.frame["card_id"].map(figures).to_numpy("float64")

    def of_holder(self, figures: pd.Series[Any]) -> Pence:
        """Return for each card a figure by holder, or nan."""
        return self.frame["holder_id"].map(figures).to_numpy("float64")


def card_month_limit_pence(cards: OpenCards) -> pd.Series[int]:
    """The card's monthly limit; 0 if the register has none."""
    return cards.frame["month_limit_pence"]


def card_highest_month_pence(cards: OpenCards) -> pd.Series[float]:
    """The card's highest month in a year, less refunds."""
    spent = cards.spending[cards.spending["day"] >= cards.last_day - YEAR_DAYS]
    # What names a holder and no card may have been any of theirs.
    by_card = spent.groupby(["card_id", "month"])["pence"].sum().groupby("card_id").max()
    loose = spent[spent["card_id"] == ""]
    by_holder = loose.groupby(["holder_id", "month"])["pence"].sum().groupby("holder_id").max()
    highest = np.nan_to_num(cards.of_card(by_card)) + np.nan_to_num(cards.of_holder(by_holder))
    return pd.Series(np.maximum(highest, 0))


def card_limit_use_share(cards: OpenCards) -> pd.Series[float]:
    """The card's highest month in a year as a share of its monthly limit; 0 without a limit."""
    limit = card_month_limit_pence(cards).to_numpy("float64")
    highest = card_highest_month_pence(cards).to_numpy()
    return pd.Series(np.where(limit > 0, highest / np.maximum(limit, 1), 0.0))


def card_known_days(cards: OpenCards) -> pd.Series[int]:
    """Days for which the card was open and its payments are known."""
    return pd.Series(np.maximum(cards.last_day - cards.known_since, 0), dtype="int64")


def card_unused_days(cards: OpenCards) -> pd.Series[float]:
    """Days since the last purchase, or since the card was opened or the statements begin."""
    bought = cards.spending[cards.spending["is_purchase"]]
    loose = bought[bought["card_id"] == ""]
    last = np.fmax(
        cards.of_card(bought.groupby("card_id")["day"].max()),
        cards.of_holder(loose.groupby("holder_id")["day"].max()),
    )
    return pd.Series(cards.last_day - np.fmax(last, cards.known_since))


def holder_open_cards_count(cards: OpenCards) -> pd.Series[int]:
    """Open cards of the same cardholder."""
    return cards.frame.groupby("key_holder")["card_id"].transform("size")


def is_card_own_approver(cards: OpenCards) -> pd.Series[bool]:
    """Whether the register names the cardholder as the approver."""
    return cards.frame["is_own_approver"]


def approver_cards_count(cards: OpenCards) -> pd.Series[int]:
    """Open cards with the same approver; 0 if none is named."""
    count = cards.frame.groupby("key_approver")["card_id"].transform("size")
    return count.where(cards.frame["key_approver"] != "", 0)


CARD_FEATURES: tuple[CardFeature, ...] = (
    card_month_limit_pence,
    card_highest_month_pence,
    card_limit_use_share,
    card_known_days,
    card_unused_days,
    holder_open_cards_count,
    is_card_own_approver,
    approver_cards_count,
)
"""Features of cards, which rules with the subject card read."""


def build_card_features(cards: OpenCards) -> pd.DataFrame:
    """Return every feature of every open card, a column each, beside what the register says."""
    features = {f.__name__: f(cards).to_numpy() for f in CARD_FEATURES}
    return cards.frame.assign(**features)
