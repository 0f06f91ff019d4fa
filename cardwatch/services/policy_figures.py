"""The figures and lists of a policy as people read and state them: label, unit and hint."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardwatch.alerts import pounds, prose_day
from cardwatch.policy import ALWAYS
from cardwatch.quantities import quantity
from cardwatch.vocabulary import BY_HAND_KIND, KIND_TITLES

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from cardwatch.policy import Limit, Policy


@dataclass(frozen=True)
class Figure:
    """One figure of a policy.

    Attributes:
        name: its key in the policy.
        label: what people call it.
        unit: pounds, days, number, or share of a limit.
        group: the heading under which it is stated.
        hint: what follows from it; empty where the label says it.
    """

    name: str
    label: str
    unit: str
    group: str
    hint: str = ""

    def value(self, policy: Policy) -> str:
        """The figure of a policy in words."""
        value = getattr(policy, self.name)
        if self.unit == "pounds":
            return pounds(value * 100) if value else "Off"
        if self.unit == "share":
            return f"{value:.0%}"
        return quantity(value, "day") if self.unit == "days" else f"{value:,g}"


OFF = "0 turns it off."
THRESHOLDS, BUDGET, CARDS = "Thresholds", "Alert budget", "Cards"
FIGURE_LABELS = (
    Figure("materiality_pounds", "Smallest payment to ask about on its own", "pounds", THRESHOLDS),
    Figure("unusual_one_in", "A payment counts as unusual from 1 in", "number", THRESHOLDS,
           "1000 means that at most 1 in 1,000 comparable payments is as unusual."),
    Figure("large_payment_pounds", "Ask about every payment of this much or more", "pounds",
           THRESHOLDS, OFF),
    Figure("holder_year_pounds", "Ask about a cardholder's total in twelve months above", "pounds",
           THRESHOLDS, OFF),
    Figure("non_working_day_pounds", "Ask about a day's total on a weekend or bank holiday from",
           "pounds", THRESHOLDS, f"Only where that is rare for the cardholder. {OFF}"),
    Figure("hospitality_cap_pounds", "Ask about hospitality at one merchant in one day above",
           "pounds", THRESHOLDS, OFF),
    Figure("near_limit_share", "A payment is just below the limit from this share of it", "share",
           THRESHOLDS, "0.95 means from 95% of the limit up to the limit."),
    Figure("near_limit_payments", "Ask about this many payments just below the limit in 90 days",
           "number", THRESHOLDS),
    Figure("habit_windows",
           "More earlier split purchases at one merchant in a year than this are a habit",
           "number", THRESHOLDS),
    Figure("round_pounds", "A round amount is a multiple of", "pounds", THRESHOLDS),
    Figure("dormant_days", "A card counts as unused after this many days", "days", CARDS),
    Figure("closed_card_days",
           "Payments may be posted this many days after a card was closed", "days", CARDS),
    Figure("limit_times_use", "Ask about a monthly limit above this many times the highest month",
           "number", CARDS),
    Figure("approver_cards", "Ask about an approver of more open cards than", "number", CARDS),
    Figure("alerts_per_1000", "Alerts to show for each 1,000 payments", "number", BUDGET),
    Figure("alerts_at_least", "Alerts to show at least", "number", BUDGET),
    Figure("alerts_per_holder_month", "Alerts to show at most about one cardholder in one month",
           "number", BUDGET),
    Figure("answered_days", "Do not ask again about an explained alert for this many days",
           "days", BUDGET, OFF),
    Figure("answered_times",
           "Ask again sooner where the sum is more than this many times as large", "number",
           BUDGET),
)  # fmt: skip
"""Every figure of a policy that is one number, in the order of the form."""
LIMIT_LABELS = {
    "single_purchase": "Single-purchase limit",
    "holder_month": "Monthly limit",
    "step": "Quotation threshold",
}
CLAUSE_LABELS = {kind: title for kind, title in KIND_TITLES.items() if kind != BY_HAND_KIND}
"""Kinds of alerts that may rest on a clause of the card policy."""
LIST_LABELS = {
    "watched_merchants": "Merchants to ask about at every payment",
    "blocked_categories": "Blocked categories",
    "watched_categories": "Watched categories",
    "cash_categories": "Categories of cash, or what can be turned into cash",
    "bulk_categories": "Categories that bill per person, night or journey",
    "statutory_fee_categories": "Categories of statutory fees and taxes",
    "personal_categories": "Categories often used privately",
    "hospitality_categories": "Categories of hospitality",
    "fuel_categories": "Categories of fuel",
    "restricted_words": "Words for restricted items",
    "blocked_words": "Words for blocked kinds of merchant",
    "cash_words": "Words for cash and what is close to it",
    "gift_card_words": "Words for gift cards",
    "bulk_words": "Words for what is billed per person, night or journey",
    "statutory_fee_words": "Words for public bodies that charge statutory fees",
    "personal_words": "Words for what is often private",
    "hospitality_words": "Words for hospitality",
    "fuel_words": "Words for fuel",
    "payment_processors": "Payment services that do not show the seller",
    "working_days": "Working days",
    "split_windows_days": "Periods added up for a split, in days after the first payment",
}
"""Every list of a policy, in the order of the form."""
DERIVED = {
    "materiality_pence": "materiality_pounds",
    "unusual_share": "unusual_one_in",
    "limit_use_share": "limit_times_use",
    "hospitality_cap_pence": "hospitality_cap_pounds",
    "large_payment_limit_pence": "large_payment_pounds",
    "holder_year_limit_pence": "holder_year_pounds",
    "non_working_day_limit_pence": "non_working_day_pounds",
}
"""The figure behind a value that is computed from it."""


def limit_words(limit: Limit) -> str:
    """One limit in words: `£1,000 since 1 April 2020, including VAT`; always, without a day."""
    vat = {"included": ", including VAT", "excluded": ", excluding VAT"}.get(limit.vat, "")
    whose = f", for {quantity(len(limit.holders), 'cardholder')}" if limit.holders else ""
    source = "" if limit.stated else " (default: your policy states none)"
    since = "" if limit.since == ALWAYS else f" since {prose_day(str(limit.since))}"
    return f"{pounds(limit.pence)}{since}{vat}{whose}{source}"


@dataclass(frozen=True)
class PolicyChange:
    """One setting that a policy changes, before and after."""

    label: str
    before: str
    after: str


def policy_changes(before: Policy, after: Policy) -> list[PolicyChange]:
    """The settings in which two policies differ, in words: limits, figures, lists, clauses."""
    rows = [
        *(
            (label, _limits(before, key), _limits(after, key))
            for key, label in LIMIT_LABELS.items()
        ),
        *((one.label, one.value(before), one.value(after)) for one in FIGURE_LABELS),
        *((label, *_list_words(before, after, key)) for key, label in LIST_LABELS.items()),
        *_name_changes(before, after),
    ]
    return [PolicyChange(*row) for row in rows if row[1] != row[2]]


def _limits(policy: Policy, key: str) -> str:
    """Every entry of a limit in words, those of everybody first, and from when none is known."""
    first = policy.no_limit_before(key)
    entries = sorted(getattr(policy, key), key=lambda limit: (bool(limit.holders), limit.since))
    none_before = f"none before {prose_day(str(first))}" if first else ""
    return "; ".join(filter(None, [*map(limit_words, entries), none_before]))


def _list_words(before: Policy, after: Policy, key: str) -> tuple[str, str]:
    """Items that a list loses and gains; the whole lists where only their order differs."""
    old, new = list(map(str, getattr(before, key))), list(map(str, getattr(after, key)))
    if old == new:
        return "", ""
    lost, gained = ([e for e in old if e not in new], [e for e in new if e not in old])
    if not lost and not gained:
        return ", ".join(old), ", ".join(new)
    return (
        f"Includes {', '.join(lost)}" if lost else "Does not include these",
        f"Includes {', '.join(gained)}" if gained else "Does not include these",
    )


def _name_changes(before: Policy, after: Policy) -> list[tuple[str, str, str]]:
    """The organisation, its country, other names of merchants, and clauses."""
    rows = [
        ("Organisation", before.organisation or "None", after.organisation or "None"),
        ("Country", before.country, after.country),
    ]
    aliases = (before.merchant_aliases, after.merchant_aliases)
    for label, (old, new), titles in (
        ("Other name of a merchant", aliases, {}),
        ("Clause of the card policy", (before.clauses, after.clauses), CLAUSE_LABELS),
    ):
        rows += [
            (f"{label}: {titles.get(name, name)}", old.get(name, "None"), new.get(name, "None"))
            for name in sorted(old.keys() | new.keys())
        ]
    return rows


def figures_read(
    policy: Policy, names: Iterable[str], today: dt.date
) -> tuple[tuple[str, str], ...]:
    """The figures of a policy behind some features and settings, as label and value.

    Args:
        policy: the active one.
        names: features that a rule reads, and `policy.` settings that it compares with.
        today: the day on which limits apply.
    """
    names = [name.removeprefix("policy.") for name in names]
    wanted = {DERIVED.get(name, name) for name in names}
    limits = [
        (LIMIT_LABELS[key], limit_words(entry))
        for key in dict.fromkeys(filter(None, map(_limit_of, names)))
        for entry in policy.entries_in_force(key, today)
    ]
    figures = [(one.label, one.value(policy)) for one in FIGURE_LABELS if one.name in wanted]
    return (*limits, *figures)


def _limit_of(name: str) -> str:
    """The limit that a feature measures, or nothing."""
    if name.startswith("step_"):
        return "step"
    if name.startswith("month_limit"):
        return "holder_month"
    return "single_purchase" if name.startswith(("limit_split", "limit_pence")) else ""
