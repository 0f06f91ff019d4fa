"""Features: the columns that rules compare and the forest reads, one function each.

A feature looks at its row's own day and at earlier days, never ahead. A surprise is 0 where all is
ordinary and grows with how unusual a payment is; the forest reads surprises only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from cardwatch.features import (
    amount,
    calendar,
    card,
    contracts,
    dispute,
    gifts,
    habits,
    holder_month,
    interests,
    likelihood,
    merchant,
    novelty,
    recurring,
    relations,
    repeat,
    silent_units,
    spend,
    split,
    staff,
    tenders,
    together,
)
from cardwatch.features.card import CARD_FEATURES, OpenCards, build_card_features
from cardwatch.features.ledger import Ledger, purchase_rows, refund_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np

    from cardwatch.features.card import CardFeature
    from cardwatch.features.ledger import Columns
    from cardwatch.features.registered import Hits

    Feature = Callable[[Ledger], np.ndarray[Any, Any]]

FEATURES: tuple[Feature, ...] = (
    amount.amount_pence,
    amount.limit_pence,
    amount.month_limit_pence,
    amount.step_pence,
    amount.is_purchase,
    amount.is_limit_stated,
    amount.is_month_limit_stated,
    amount.is_step_stated,
    amount.is_spending,
    amount.is_over_limit,
    amount.over_limit_pence,
    amount.is_over_limit_only_with_vat,
    amount.holder_month_spend_pence,
    amount.is_near_limit,
    amount.near_limit_90_days_count,
    amount.near_limit_one_price_share,
    amount.near_limit_surprise,
    amount.is_round_amount,
    amount.round_amount_surprise,
    amount.holder_merchant_largest_before_pence,
    amount.amount_for_holder_surprise,
    amount.amount_for_merchant_surprise,
    amount.amount_for_holder_and_merchant_surprise,
    card.is_card_unknown,
    card.is_after_closing,
    card.days_since_closing,
    card.is_before_opening,
    card.limit_before_raise_pence,
    card.days_since_limit_raise,
    card.is_card_replaced,
    card.days_since_card_replaced,
    calendar.is_non_working_day,
    calendar.non_working_day_surprise,
    calendar.days_since_holder_paid,
    calendar.gap_surprise,
    calendar.holder_day_count,
    calendar.busy_day_surprise,
    calendar.day_total_surprise,
    likelihood.merchant_surprise,
    likelihood.category_surprise,
    likelihood.purpose_surprise,
    merchant.holder_merchant_before_count,
    merchant.merchant_before_count,
    merchant.category_before_count,
    merchant.organisation_before_count,
    merchant.holder_before_count,
    merchant.is_seller_hidden,
    merchant.hidden_seller_surprise,
    merchant.is_foreign,
    merchant.is_blocked_category,
    merchant.is_watched_category,
    merchant.is_cash,
    merchant.is_gift_card,
    merchant.is_billed_in_parts,
    merchant.is_statutory_fee,
    merchant.holder_merchant_year_pence,
    merchant.holder_merchant_year_before_pence,
    merchant.holder_merchant_year_months_count,
    merchant.holder_merchant_year_count,
    merchant.merchant_year_pence,
    merchant.merchant_year_before_pence,
    merchant.merchant_holders_count,
    merchant.organisation_holders_count,
    repeat.same_day_equal_count,
    repeat.days_before_equal_count,
    repeat.merchant_equal_before_count,
    repeat.repeat_surprise,
    repeat.equal_amount_holders_count,
    repeat.equal_amounts_total_pence,
    repeat.equal_amount_holders_before_share,
    repeat.unanswered_refund_pence,
    repeat.holder_history_days,
    repeat.refund_surprise,
    *split.SEARCH_FEATURES,
    split.is_single_need,
    split.is_limit_split_only_with_vat,
    split.is_step_split_only_with_vat,
    split.is_unit_split_only_with_vat,
    split.unit_split_needed_least_share,
    holder_month.holder_month_single_count,
    holder_month.holder_earlier_months_count,
    holder_month.month_merchants_surprise,
    holder_month.month_purposes_surprise,
    holder_month.month_amounts_surprise,
    holder_month.month_free_days_surprise,
    holder_month.month_count_surprise,
    holder_month.month_spend_surprise,
    split.split_surprise,
    split.alias_split_surprise,
    split.step_split_surprise,
    split.unit_split_surprise,
    amount.large_payment_limit_pence,
    amount.hospitality_cap_pence,
    merchant.is_watched_merchant,
    merchant.is_personal_kind,
    merchant.is_watched_kind,
    merchant.is_restricted_item,
    merchant.is_hospitality,
    merchant.is_fuel,
    merchant.holder_fuel_before_count,
    merchant.merchant_category_before_count,
    merchant.merchant_categories_before_count,
    repeat.holder_merchant_day_count,
    repeat.merchant_burst_before_count,
    recurring.drip_count,
    recurring.drip_total_pence,
    recurring.unit_drip_count,
    recurring.unit_drip_total_pence,
    recurring.steady_count,
    recurring.steady_total_pence,
    recurring.equal_months_count,
    recurring.monthly_charges_pence,
    recurring.subscription_year_pence,
    spend.holder_day_pence,
    spend.non_working_day_limit_pence,
    spend.holder_merchant_day_pence,
    spend.holder_year_pence,
    spend.holder_year_before_pence,
    spend.holder_year_limit_pence,
    spend.holder_month_elsewhere_pence,
    spend.holder_best_month_before_pence,
    spend.holder_month_top_share,
    spend.unit_merchant_year_pence,
    spend.unit_merchant_year_share,
    spend.unit_merchant_half_before_count,
    spend.unit_year_count,
    spend.unit_merchants_count,
    spend.year_end_rise_pence,
    dispute.is_dispute_booking,
    dispute.dispute_before_count,
    dispute.is_tiny_charge,
    dispute.tiny_charge_count,
    novelty.is_new_to_holder,
    novelty.holder_novelty_surprise,
    novelty.merchant_rarity_surprise,
    novelty.category_rarity_surprise,
    novelty.trade_rarity_surprise,
    novelty.new_merchants_count,
    novelty.new_merchants_pence,
    novelty.new_merchants_surprise,
    novelty.tried_card_surprise,
    repeat.charged_twice_surprise,
    repeat.other_holder_equal_count,
    repeat.other_bill_surprise,
    repeat.refund_of_others_count,
    repeat.refund_to_other_pence,
    repeat.unanswered_refund_surprise,
    recurring.slow_total_count,
    recurring.slow_total_pence,
    recurring.slow_total_surprise,
    recurring.organisation_total_count,
    recurring.organisation_total_pence,
    recurring.organisation_total_days,
    recurring.organisation_total_span_days,
    recurring.organisation_total_surprise,
    recurring.monthly_charge_surprise,
    together.is_billed_per_person,
    together.merchant_users_count,
    together.merchant_users_share,
    together.is_widely_used,
    together.is_shared_equally,
    split.is_unlikely_split,
    habits.sole_merchant_surprise,
    habits.split_merchants_count,
    habits.split_merchants_surprise,
    habits.is_cash_or_voucher,
    habits.cash_and_vouchers_count,
    habits.cash_and_vouchers_pence,
    habits.cash_and_vouchers_surprise,
    gifts.gift_accepted_count,
    gifts.gift_accepted_days,
    gifts.gift_declined_count,
    gifts.gift_declined_days,
    gifts.gift_possible_count,
    gifts.gift_to_approver_count,
    gifts.gift_to_unit_count,
    gifts.gift_year_count,
    gifts.gift_in_tender_count,
    gifts.gift_recorded_late_count,
    interests.own_interest_count,
    interests.refused_interest_count,
    interests.approver_interest_count,
    interests.interest_review_overdue_count,
    interests.association_count,
    tenders.open_bid_count,
    tenders.panel_bidder_count,
    contracts.is_year_without_contract,
    contracts.contract_count,
    contracts.ended_contract_count,
    contracts.days_since_contract_end,
    contracts.category_contract_count,
    contracts.contract_value_pence,
    contracts.contract_spend_pence,
    contracts.contract_spend_before_pence,
    contracts.closed_company_count,
    staff.days_since_leaving,
    staff.is_after_leaving,
    staff.absent_count,
    staff.leaver_firm_count,
    staff.is_junior_approver,
    staff.is_self_approved,
    staff.reciprocal_count,
    staff.approved_together_count,
    staff.approver_absent_count,
    relations.relation_count,
    silent_units.unit_gift_expected_count,
    silent_units.is_unit_silent,
)

REGISTERS_READ: dict[str, tuple[str, ...]] = {
    "gift_accepted_count": ("gifts",),
    "gift_accepted_days": ("gifts",),
    "gift_declined_count": ("gifts",),
    "gift_declined_days": ("gifts",),
    "gift_possible_count": ("gifts",),
    "gift_to_approver_count": ("gifts",),
    "gift_to_unit_count": ("gifts",),
    "gift_year_count": ("gifts",),
    "gift_in_tender_count": ("gifts", "tenders"),
    "gift_recorded_late_count": ("gifts",),
    "own_interest_count": ("interests",),
    "refused_interest_count": ("interests",),
    "approver_interest_count": ("interests",),
    "interest_review_overdue_count": ("interests",),
    "association_count": ("associations",),
    "open_bid_count": ("tenders",),
    "panel_bidder_count": ("tenders",),
    "is_year_without_contract": ("contracts",),
    "contract_count": ("contracts",),
    "ended_contract_count": ("contracts",),
    "days_since_contract_end": ("contracts",),
    "category_contract_count": ("contracts",),
    "contract_value_pence": ("contracts",),
    "contract_spend_pence": ("contracts",),
    "contract_spend_before_pence": ("contracts",),
    "closed_company_count": ("companies",),
    "days_since_leaving": ("people",),
    "is_after_leaving": ("people",),
    "absent_count": ("absence",),
    "leaver_firm_count": ("people",),
    "is_junior_approver": ("people",),
    "is_self_approved": ("approvals",),
    "reciprocal_count": ("approvals",),
    "approved_together_count": ("approvals",),
    "approver_absent_count": ("absence", "approvals"),
    "unit_gift_expected_count": ("gifts",),
    "is_unit_silent": ("gifts",),
}
"""Features that are 0 without some registers, with those; a rule that reads one needs them."""

ENTRIES_SHOWN: dict[str, Callable[[Ledger], Hits]] = {
    "gift_accepted_count": gifts.accepted_hits,
    "gift_declined_count": gifts.declined_hits,
    "gift_possible_count": gifts.possible_hits,
    "gift_to_approver_count": gifts.approver_hits,
    "gift_to_unit_count": gifts.unit_hits,
    "gift_year_count": gifts.repeated_hits,
    "gift_in_tender_count": gifts.tender_hits,
    "gift_recorded_late_count": gifts.late_hits,
    "own_interest_count": interests.own_interest_hits,
    "refused_interest_count": interests.refused_hits,
    "approver_interest_count": interests.approver_interest_hits,
    "interest_review_overdue_count": interests.overdue_hits,
    "association_count": interests.association_hits,
    "open_bid_count": tenders.open_bid_hits,
    "panel_bidder_count": tenders.panel_hits,
    "contract_count": contracts.contract_hits,
    "ended_contract_count": contracts.ended_hits,
    "category_contract_count": contracts.category_hits,
    "closed_company_count": contracts.company_hits,
    "days_since_leaving": staff.leaving_hits,
    "absent_count": staff.absence_hits,
    "leaver_firm_count": staff.leaver_firm_hits,
    "approver_absent_count": staff.approver_absence_hits,
    "is_junior_approver": staff.latest_approval_hits,
    "is_self_approved": staff.self_approval_hits,
    "reciprocal_count": staff.latest_approval_hits,
    "approved_together_count": staff.batch_hits,
}
"""Features that count entries of a register, with what they counted, for alerts to show."""

MONTH_FEATURES: tuple[str, ...] = (
    "month_merchants_surprise",
    "month_purposes_surprise",
    "month_amounts_surprise",
    "month_free_days_surprise",
    "month_count_surprise",
    "month_spend_surprise",
)
"""Columns that the isolation forest of holders' months reads, in order."""

FAMILIES: dict[str, tuple[Feature, ...]] = {
    "merchant": (likelihood.merchant_surprise, merchant.hidden_seller_surprise),
    "purpose": (likelihood.category_surprise, likelihood.purpose_surprise),
    "amount": (
        amount.amount_for_holder_surprise,
        amount.amount_for_merchant_surprise,
        amount.amount_for_holder_and_merchant_surprise,
    ),
    "sum": (amount.near_limit_surprise, amount.round_amount_surprise),
    "timing": (
        calendar.non_working_day_surprise,
        calendar.gap_surprise,
        calendar.busy_day_surprise,
        calendar.day_total_surprise,
    ),
    "repeat": (repeat.repeat_surprise, repeat.refund_surprise),
    "split": (split.split_surprise, split.alias_split_surprise, split.step_split_surprise),
}
"""Surprises that look at one thing from several sides; the split one is not for the forest.

None may rest on what only the psd lane may know, such as splits across holders: the chances that
finance reads come from them.
"""


def name_of(feature: Feature | CardFeature) -> str:
    """Return a feature's name, which is its column's."""
    return feature.__name__


def meaning_of(feature: Feature | CardFeature) -> str:
    """Return what a feature says, the first line of its docstring."""
    return (feature.__doc__ or "").strip().split("\n")[0]


FOREST_FEATURES: tuple[str, ...] = tuple(
    name_of(feature)
    for family, features in FAMILIES.items()
    if family != "split"
    for feature in features
)
"""Columns the isolation forest reads, in order."""


_BY_NAME: dict[str, Feature] = {name_of(feature): feature for feature in FEATURES}


class FeatureColumns(Mapping[str, "np.ndarray[Any, Any]"]):
    """Columns of a ledger by name: every feature, each computed when it is first read, and more.

    A small statement needs half of the features: most rules fail at their first condition.
    """

    def __init__(self, ledger: Ledger, more: Columns | None = None) -> None:
        """Take the ledger whose rows the columns describe.

        Args:
            ledger: the transactions.
            more: columns beside the features, a value a row.
        """
        self._ledger = ledger
        self._columns = dict(more or {})

    def __or__(self, more: Columns) -> FeatureColumns:
        """Return these columns with more beside them; what was computed is not computed again."""
        return FeatureColumns(self._ledger, self._columns | more)

    def __getitem__(self, name: str) -> np.ndarray[Any, Any]:
        """Return a column."""
        if name not in self._columns:
            self._columns[name] = _BY_NAME[name](self._ledger)
        return self._columns[name]

    def __contains__(self, name: object) -> bool:
        """Return whether there is such a column."""
        return name in self._columns or name in _BY_NAME

    def __iter__(self) -> Iterator[str]:
        """Return the names of the columns: all features in order, then the others."""
        return iter(dict.fromkeys((*_BY_NAME, *self._columns)))

    def __len__(self) -> int:
        """Return the number of columns."""
        return len(self._columns.keys() | _BY_NAME.keys())


def build_features(ledger: Ledger) -> pd.DataFrame:
    """Return every feature of every row: a frame on the ledger's index, a column a feature."""
    columns = dict(FeatureColumns(ledger))
    return pd.DataFrame(columns, ledger.frame.index, copy=False)  # a copy would double the memory


__all__ = [
    "CARD_FEATURES",
    "ENTRIES_SHOWN",
    "FAMILIES",
    "FEATURES",
    "FOREST_FEATURES",
    "MONTH_FEATURES",
    "REGISTERS_READ",
    "FeatureColumns",
    "Ledger",
    "OpenCards",
    "build_card_features",
    "build_features",
    "meaning_of",
    "name_of",
    "purchase_rows",
    "refund_rows",
]
