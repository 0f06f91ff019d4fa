"""Features of merchants and categories: new, hidden, listed, used by one holder only, recurring."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cardwatch.features.baselines import SHRINKAGE
from cardwatch.merchants import listed_merchants

if TYPE_CHECKING:
    import pandas as pd

    from cardwatch.features.ledger import Flags, Ledger, Numbers

LONG_WORD = 7
"""A word of so many letters is hardly ever part of another by accident."""
SHORT_WORD = 3
GOVERNMENT_CATEGORIES = ("9211-9405",)
"""Courts, fines, taxes, post and other services of government (ISO 18245)."""
COMPANY_FORMS = ("ltd", "limited", "plc", "llp")
"""Words of a company's name that no public body has."""
MERCHANT_YEAR_DAYS = 364
"""A year back from a day, the day itself included."""


def holder_merchant_before_count(ledger: Ledger) -> Numbers:
    """The cardholder's earlier purchases at this merchant."""
    return ledger.count(ledger.is_purchase, ("holder_id", "merchant_id"), until=1)


def merchant_before_count(ledger: Ledger) -> Numbers:
    """All earlier purchases at this merchant."""
    return ledger.count(ledger.is_purchase, ("merchant_id",), until=1)


def category_before_count(ledger: Ledger) -> Numbers:
    """All earlier purchases in this category; -1 where the category is not known."""
    count = ledger.count(ledger.is_purchase, ("category_id",), until=1)
    return np.where(ledger.is_blank("category_id"), -1, count)


def organisation_before_count(ledger: Ledger) -> Numbers:
    """All earlier purchases of the organisation."""
    return ledger.count(ledger.is_purchase, (), until=1)


def holder_before_count(ledger: Ledger) -> Numbers:
    """The cardholder's earlier purchases."""
    return ledger.count(ledger.is_purchase, ("holder_id",), until=1)


def is_seller_hidden(ledger: Ledger) -> Flags:
    """Whether it was paid through a service that does not show the seller."""
    return ledger.column("is_seller_hidden") & ledger.is_purchase


def hidden_seller_surprise(ledger: Ledger) -> Numbers:
    """The seller is not shown, which is rare for this cardholder, and the amount is large."""
    hidden = is_seller_hidden(ledger)
    bought = ledger.is_purchase
    usual = (ledger.count(hidden, (), until=1) + 1) / (ledger.count(bought, (), until=1) + 50)
    holder_count = ledger.count(hidden, ("holder_id",), until=1) + SHRINKAGE * usual
    rate = holder_count / (ledger.count(bought, ("holder_id",), until=1) + SHRINKAGE)
    size = np.log1p(ledger.pence.clip(0) / 5_000)
    return np.where(hidden, -np.log(rate) * size, 0.0)


def is_foreign(ledger: Ledger) -> Flags:
    """Whether the merchant was paid in a foreign currency."""
    return ledger.is_purchase & ~ledger.is_in("original_currency", ("", "GBP"))


def _listed(ledger: Ledger, codes: tuple[str, ...]) -> Flags:
    return ledger.in_categories(codes) & ledger.is_purchase


def says(texts: pd.Series[str], pattern: str) -> Flags:
    """Return in which texts a pattern is found, case ignored, as Python's `re` finds it.

    pandas parses the pattern at each call to see whether Arrow reads it in the same way, which
    takes longer than to search a hundred texts. In plain texts Arrow does: their letters are ASCII,
    `$` is their end, and the pattern may hold no class of spaces, look-around or reference.
    """
    if any("\n" in text or not text.isascii() for text in texts) or "\\\\" in pattern:
        return texts.str.contains(pattern, case=False, regex=True).to_numpy(bool)
    matches = pc.match_substring_regex(pa.array(texts), pattern, ignore_case=True)
    return matches.to_numpy(zero_copy_only=False)


def worded(ledger: Ledger, words: tuple[str, ...], *more: str) -> Flags:
    """Return which rows say one of some words, whole and case ignored; see `Ledger.words`.

    Long words count at the end of a longer one as well, as web shops write them: `bestvouchers`.
    """
    codes, texts = ledger.words(*more)
    said = ledger.once(f"said {more}", lambda: "\n".join(texts).lower())
    if said.isascii():  # a pattern of words that nobody says takes longer to read than to look
        words = tuple(word for word in words if word.lower() in said or not word.isascii())
    if not words:
        return np.zeros(len(ledger), bool)
    whole = [re.escape(word) for word in words]
    ends = [re.escape(word) for word in words if len(word) >= LONG_WORD and word.isalpha()]
    # Not \b: beside a word such as "(uk)" or "£50" there is no boundary of a word.
    pattern = rf"(?:^|\W)(?:{'|'.join(whole)})(?:\W|$)"
    pattern += rf"|(?:{'|'.join(ends)})\b" if ends else ""

    def make() -> Flags:
        return says(texts, pattern)[codes]

    return ledger.once(f"worded {pattern} {more}", make)


def _uncoded(ledger: Ledger, words: tuple[str, ...]) -> Flags:
    """Return which purchases say one of some words and have no category code that says better."""
    return worded(ledger, words) & ledger.is_blank("mcc") & ledger.is_purchase


def is_blocked_category(ledger: Ledger) -> Flags:
    """Whether the policy blocks the merchant's category, or words of it where there is no code."""
    policy = ledger.policy
    return _listed(ledger, policy.blocked_categories) | _uncoded(ledger, policy.blocked_words)


def is_watched_category(ledger: Ledger) -> Flags:
    """Whether the merchant's category is on the policy's watched list."""
    return _listed(ledger, ledger.policy.watched_categories)


def is_personal_kind(ledger: Ledger) -> Flags:
    """Whether the merchant or category is of a kind often used privately."""
    is_worded = worded(ledger, ledger.policy.personal_words) & ledger.is_purchase
    return _listed(ledger, ledger.policy.personal_categories) | is_worded


def is_watched_kind(ledger: Ledger) -> Flags:
    """Whether the category is watched, or the merchant is of a kind often used privately."""
    return is_watched_category(ledger) | is_personal_kind(ledger)


def is_watched_merchant(ledger: Ledger) -> Flags:
    """Whether the merchant is on the policy's watch list."""
    policy = ledger.policy
    codes, names = ledger.texts("merchant_id")
    listed = listed_merchants(names, policy.watched_merchants, policy.merchant_aliases)
    return listed[codes] & ledger.is_purchase


def is_restricted_item(ledger: Ledger) -> Flags:
    """Whether the merchant, category or purpose names goods that the policy restricts."""
    is_worded = worded(ledger, ledger.policy.restricted_words, "description")
    return is_worded & ledger.is_purchase


def is_hospitality(ledger: Ledger) -> Flags:
    """Whether the merchant is a restaurant, caterer or similar."""
    is_worded = worded(ledger, ledger.policy.hospitality_words) & ledger.is_purchase
    return _listed(ledger, ledger.policy.hospitality_categories) | is_worded


def is_fuel(ledger: Ledger) -> Flags:
    """Whether the merchant, category or purpose names fuel for vehicles."""
    is_worded = worded(ledger, ledger.policy.fuel_words, "description") & ledger.is_purchase
    return _listed(ledger, ledger.policy.fuel_categories) | is_worded


def holder_fuel_before_count(ledger: Ledger) -> Numbers:
    """The cardholder's earlier purchases of fuel."""
    return ledger.count(is_fuel(ledger), ("holder_id",), until=1)


def merchant_category_before_count(ledger: Ledger) -> Numbers:
    """Earlier purchases at this merchant in this category; -1 where the category is not known."""
    count = ledger.count(ledger.is_purchase, ("merchant_id", "category_id"), until=1)
    return np.where(ledger.is_blank("category_id"), -1, count)


def merchant_categories_before_count(ledger: Ledger) -> Numbers:
    """Categories of earlier payments to this merchant."""
    categorised = ledger.is_purchase & ~ledger.is_blank("category_id")
    first = ledger.first_of_kind(categorised, ("merchant_id", "category_id"))
    return ledger.count(first, ("merchant_id",), until=1)


def is_cash(ledger: Ledger) -> Flags:
    """Whether it is cash, or something close to cash."""
    policy = ledger.policy
    cash = _listed(ledger, policy.cash_categories) | _uncoded(ledger, policy.cash_words)
    withdrawals = ledger.is_in("kind", ("cash",)) & (ledger.pence > 0)
    return cash | withdrawals


def is_gift_card(ledger: Ledger) -> Flags:
    """Whether the merchant or its category names gift cards or vouchers."""
    return worded(ledger, ledger.policy.gift_card_words) & ledger.is_purchase


def is_billed_in_parts(ledger: Ledger) -> Flags:
    """Whether the merchant is of a kind that bills per person, night or journey."""

    def make() -> Flags:
        is_worded = worded(ledger, ledger.policy.bulk_words)
        return _listed(ledger, ledger.policy.bulk_categories) | is_worded

    return ledger.once("billed in parts", make)


def is_statutory_fee(ledger: Ledger) -> Flags:
    """Whether the merchant is a public body whose fees or taxes nobody else charges.

    A name alone is soon given: it counts where no category code says that the merchant is of
    another kind and nothing says that it is a company. An abbreviation of three letters, which has
    many meanings, has to be the whole name.
    """
    words = ledger.policy.statutory_fee_words
    codes, names = ledger.texts("merchant_id")
    whole = np.array([name.casefold() in words for name in names], dtype=bool)[codes]
    named = whole | worded(ledger, tuple(word for word in words if len(word) > SHORT_WORD))
    named &= ledger.is_blank("mcc") | ledger.in_categories(GOVERNMENT_CATEGORIES)
    named &= ~worded(ledger, COMPANY_FORMS)
    return _listed(ledger, ledger.policy.statutory_fee_categories) | named


def holder_merchant_year_pence(ledger: Ledger) -> Numbers:
    """The cardholder's spending with this merchant in a year, up to and including this day."""
    by = ("holder_id", "merchant_id")
    return ledger.total(ledger.spent_pence, by, MERCHANT_YEAR_DAYS)


def holder_merchant_year_before_pence(ledger: Ledger) -> Numbers:
    """The cardholder's spending with this merchant in the year to the day before."""
    by = ("holder_id", "merchant_id")
    return ledger.total(ledger.spent_pence, by, MERCHANT_YEAR_DAYS + 1, 1)


def holder_merchant_year_months_count(ledger: Ledger) -> Numbers:
    """Months of the last year in which the cardholder paid this merchant."""
    by = ("holder_id", "merchant_id")
    first = ledger.first_of_kind(ledger.is_purchase, (*by, "month"))
    return ledger.count(first, by, MERCHANT_YEAR_DAYS)


def merchant_year_pence(ledger: Ledger) -> Numbers:
    """All cardholders' spending with this merchant in a year, up to and including this day."""
    return ledger.total(ledger.spent_pence, ("merchant_id",), MERCHANT_YEAR_DAYS)


def merchant_year_before_pence(ledger: Ledger) -> Numbers:
    """All cardholders' spending with this merchant in the year to the day before."""
    return ledger.total(ledger.spent_pence, ("merchant_id",), MERCHANT_YEAR_DAYS + 1, 1)


def merchant_holders_count(ledger: Ledger) -> Numbers:
    """Cardholders who had paid this merchant by this day."""
    first = ledger.first_of_kind(ledger.is_purchase, ("holder_id", "merchant_id"))
    return ledger.count(first, ("merchant_id",))


def holder_merchant_year_count(ledger: Ledger) -> Numbers:
    """The cardholder's purchases at this merchant in a year, up to and including this day."""
    by = ("holder_id", "merchant_id")
    return ledger.count(ledger.is_purchase, by, MERCHANT_YEAR_DAYS)


def organisation_holders_count(ledger: Ledger) -> Numbers:
    """Cardholders known by this day."""
    first = ledger.first_of_kind(ledger.is_purchase, ("holder_id",))
    return ledger.count(first, ())
