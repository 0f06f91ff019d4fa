"""Features of contracts and companies: card payments beside what was agreed, as then known.

Where no such register is given, they are all 0.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cardwatch.features import amount, merchant
from cardwatch.features.registered import (
    CERTAIN_BANDS,
    Hits,
    as_known,
    days_since,
    has_register,
    hits_of,
    links,
    no_hits,
    pairs_by_merchant,
    register_entries,
    shown_pairs,
)
from cardwatch.policy import in_categories
from cardwatch.registers import BANDS, SAME_LETTERS, STATED

if TYPE_CHECKING:
    from cardwatch.features.ledger import Flags, Ledger, Numbers, Whole


def _has_ended(pairs: pd.DataFrame) -> Flags:
    ended: Flags = (pairs["ends_day"].fillna(np.inf) < pairs["day"]).to_numpy()
    return ended


def _contract_pairs(ledger: Ledger, bands: tuple[str, ...] = CERTAIN_BANDS) -> pd.DataFrame:
    """Return the payments to suppliers that have, or had, a contract known on the day."""

    def make() -> pd.DataFrame:
        pairs = pairs_by_merchant(ledger, "contracts", bands=bands)
        return pairs[as_known(pairs)]

    return ledger.once(f"pairs of contracts, {bands}", make)


@hits_of("contracts")
def contract_hits(ledger: Ledger) -> pd.DataFrame:
    """Return the current contracts with the merchant."""
    pairs = _contract_pairs(ledger)
    return pairs[~_has_ended(pairs)]


@hits_of("contracts")
def similar_contract_hits(ledger: Ledger) -> pd.DataFrame:
    """Return the current contracts with the merchant or under a name that is possibly its.

    That there is none is said only where none of these is.
    """
    pairs = _contract_pairs(ledger, BANDS)
    return pairs[~_has_ended(pairs)]


@hits_of("contracts")
def ended_hits(ledger: Ledger) -> pd.DataFrame:
    """Return the contracts with the merchant that had ended, where none was current."""
    pairs = _contract_pairs(ledger)
    current = similar_contract_hits(ledger).count[pairs["row"].to_numpy()] > 0
    return pairs[_has_ended(pairs) & ~current]


def category_hits(ledger: Ledger) -> Hits:
    """Return current contracts for the payment's category, where the merchant has none.

    Of the contracts of one category only the latest is shown: a force has hundreds.
    """

    def make() -> Hits:
        if not has_register(ledger, "contracts"):
            return no_hits(ledger, "contracts")
        codes, categories = ledger.texts("mcc")
        bare = (similar_contract_hits(ledger).count == 0) & ledger.is_purchase
        result = no_hits(ledger, "contracts")
        latest = result.entry.copy()
        entries = register_entries(ledger, "contracts")
        entries = entries[entries["categories"] != ""]
        rows_by_list: dict[str, Whole] = {}  # many contracts list the same categories
        columns = ("entry", "categories", "true_day", "known_day", "ends_day")
        for entry, text, *days in zip(*(entries[name].tolist() for name in columns), strict=True):
            if text not in rows_by_list:
                listed = in_categories(categories, _listed_categories(text))
                rows_by_list[text] = np.flatnonzero(listed[codes] & bare)
            rows = rows_by_list[text]
            day, (true_day, known_day, ends_day) = ledger.day[rows], days
            holds = (day >= true_day) & (day >= known_day)
            holds &= np.isnan(ends_day) | (day <= ends_day)
            result.count[rows[holds]] += 1
            latest[rows[holds]] = entry  # in the order of the register: the last stays
        rows = np.flatnonzero(latest >= 0)
        pairs = shown_pairs(pd.DataFrame({"row": rows, "entry": latest[rows]}))
        return replace(result, entry=latest, pairs=pairs)

    return ledger.once("contracts for the category", make)


def _listed_categories(text: str) -> tuple[str, ...]:
    """Return the codes and ranges of codes in a cell; what is neither is left out."""
    listed = (code.strip() for code in text.split(";"))
    return tuple(code for code in listed if code.replace("-", "").isdecimal())


@hits_of("companies")
def company_hits(ledger: Ledger) -> pd.DataFrame:
    """Return companies of the merchant's name that were dissolved or debarred before."""
    pairs = pairs_by_merchant(ledger, "companies")
    matches = links(ledger, "companies")[1]
    same = np.array(
        [matches[m].band == STATED or matches[m].how == SAME_LETTERS for m in pairs["match"]],
        dtype=bool,
    )
    closed = pairs["status"].isin(["dissolved", "debarred"])
    since = pairs["dissolved_day"].fillna(pairs["true_day"]) < pairs["day"]
    return pairs[same & closed & since & as_known(pairs)]


def is_year_without_contract(ledger: Ledger) -> Flags:
    """Whether it takes a year's payments over the quotation threshold and no contract is known.

    Only the first such payment in a year: the total of twelve months may fall and rise again.
    """
    if not has_register(ledger, "contracts"):
        return np.zeros(len(ledger), dtype=bool)
    is_known = ledger.day >= register_entries(ledger, "contracts")["known_day"].min()
    step = amount.step_pence(ledger)
    exceeds = (merchant.merchant_year_pence(ledger) > step) & (step > 0)
    exceeds &= merchant.merchant_year_before_pence(ledger) <= step
    exceeds &= is_known & ledger.is_purchase & (similar_contract_hits(ledger).count == 0)
    earlier = ledger.count(exceeds, ("merchant_id",), 364, 1)
    is_first = exceeds & (earlier == 0)
    keys = pd.DataFrame({"merchant": ledger.group("merchant_id"), "day": ledger.day})[is_first]
    is_first[keys.index[keys.duplicated()]] = False  # of one day's payments the first
    return is_first


def contract_count(ledger: Ledger) -> Numbers:
    """Current contracts with this merchant."""
    return contract_hits(ledger).count


def ended_contract_count(ledger: Ledger) -> Numbers:
    """Contracts with this merchant that had ended, where none was current."""
    return ended_hits(ledger).count


def days_since_contract_end(ledger: Ledger) -> Numbers:
    """Days since the latest contract with this merchant ended, where none was current; else 0."""
    return days_since(ledger, ended_hits(ledger), "ends_day")


def category_contract_count(ledger: Ledger) -> Numbers:
    """Current contracts with others for the category of this payment."""
    return category_hits(ledger).count


def contract_value_pence(ledger: Ledger) -> Numbers:
    """Value of the current contract with this merchant; 0 without one, or if it is not stated."""
    current = contract_hits(ledger)
    if not current.count.any():
        return np.zeros(len(ledger))
    values = register_entries(ledger, "contracts")["value"].to_numpy("float64")
    return np.where(current.count == 1, values[np.maximum(current.entry, 0)], 0.0)


def contract_spend_pence(ledger: Ledger) -> Numbers:
    """Pence paid to this merchant by all cards since its current contract began; 0 without one."""
    current = contract_hits(ledger)
    if not current.count.any():
        return np.zeros(len(ledger))
    starts = register_entries(ledger, "contracts")["true_day"].to_numpy()
    rows = np.flatnonzero(current.count == 1).astype("int32")
    spent = np.zeros(len(ledger))
    by = ("merchant_id",)
    spent[rows] = ledger.total_from(ledger.spent_pence, by, rows, starts[current.entry[rows]])
    return spent


def contract_spend_before_pence(ledger: Ledger) -> Numbers:
    """Pence paid to this merchant since its current contract began, up to the day before."""
    same_day = ledger.total(ledger.spent_pence, ("merchant_id",), 0)
    return np.where(contract_hits(ledger).count == 1, contract_spend_pence(ledger) - same_day, 0.0)


def closed_company_count(ledger: Ledger) -> Numbers:
    """Companies of exactly this merchant's name that were dissolved or debarred before."""
    return company_hits(ledger).count
