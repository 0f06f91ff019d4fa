"""Parts that statements of bank accounts share: names of accounts, balances that must follow."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from cardwatch.tabular.feeds.rows import CHARGE, REFUND, incomplete, out_of_sequence

if TYPE_CHECKING:
    from cardwatch.tabular.feeds.rows import FeedRows

ACCOUNT_AMOUNT = re.compile(r"\d{1,15}(?:\.\d{0,5})?", re.ASCII)
NO_HOLDERS = "none"
CREDITS_NOTE = (
    "money that comes into the account is counted as payments to it; a refund is one that the bank "
    "marks as a card payment or a reversal"
)


def note_account(feed: FeedRows) -> None:
    """Say of a feed of accounts what its payments are: whose, and what came into an account."""
    if not any(row.get("card_number") for row in feed.rows):
        feed.holders = NO_HOLDERS
    if any(row["kind"] == "payment" for row in feed.rows):
        feed.notes.append(CREDITS_NOTE)


def account_label(number: str) -> str:
    """Return how an account is named: by its last four characters, never its whole number."""
    plain = re.sub(r"\W", "", number)
    return f"account ending {plain[-4:]}" if plain else ""


def read_money(text: str) -> Decimal | None:
    """Return an amount without a sign, or none where the text is not one."""
    try:
        return Decimal(text) if ACCOUNT_AMOUNT.fullmatch(text) else None
    except InvalidOperation:
        return None


def plain_money(amount: Decimal) -> str:
    """Return an amount with at least two decimals as text."""
    return format(amount if amount != round(amount, 2) else round(amount, 2), "f")


def signed(amount: Decimal, *, is_credit: bool) -> Decimal:
    """Return an amount as the balance of an account changes by it."""
    return amount if is_credit else -amount


def follow(feed: FeedRows, opening: Decimal, moved: Decimal, closing: Decimal) -> None:
    """Refuse a statement whose closing balance does not follow from its entries.

    Raises:
        FileRefused: it does not.
    """
    if opening + moved != closing:
        raise incomplete(
            feed.file,
            "pounds as its closing balance",
            declared=plain_money(closing),
            counted=f"{plain_money(opening + moved)} by its opening balance and entries",
        )


def follow_on(feed: FeedRows, before: Decimal, opening: Decimal) -> None:
    """Refuse a statement whose opening balance is not the closing one of the statement before.

    Raises:
        FileRefused: it is not.
    """
    if before != opening:
        raise out_of_sequence(
            feed.file,
            "an opening balance of",
            expected=plain_money(before),
            seen=plain_money(opening),
        )


def direction(*, is_credit: bool) -> str:
    """Return charge for money that goes out of the account and refund for money that comes in."""
    return REFUND if is_credit else CHARGE
