"""Compares the rules' firings with those of the independent re-performance, one by one.

What a rule asks of chance and of the words of merchants is left out on the rules' side, since the
independent run does not know it; every other condition is compared, with the figures.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cardwatch.features import FEATURES, FeatureColumns, name_of
from cardwatch.independent import reperform
from cardwatch.policy import LIMIT_KINDS
from cardwatch.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cardwatch.features.ledger import Flags, Ledger
    from cardwatch.policy import Policy
    from cardwatch.rules import Rule

NOT_REPERFORMED = frozenset(
    {
        "limit_split_chance_share",
        "alias_split_chance_share",
        "category_split_chance_share",
        "twice_chance_share",
        "bill_chance_share",
        "is_billed_in_parts",
        "is_statutory_fee",
    }
)
"""Features whose conditions the independent run leaves out: shares of chance, and words."""
FACT_COLUMNS = {
    "count": "count",
    "total_pence": "total",
    "limit_pence": "limit_pence",
    "span_days": "span",
    "needed_count": "needed",
    "earlier_count": "earlier",
    "several_count": "merchants",
}
"""Figures of a firing, each with the independent run's column."""
FEATURE_NAMES = {name_of(feature) for feature in FEATURES}
SPLIT_SEARCHES = ("limit", "alias", "category", "step")
FACTS: dict[str, dict[str, str]] = {
    search: {
        fact: name for fact in FACT_COLUMNS if (name := f"{search}_split_{fact}") in FEATURE_NAMES
    }
    for search in SPLIT_SEARCHES
} | {
    "single": {"total_pence": "amount_pence", "limit_pence": "limit_pence"},
    "month": {"total_pence": "holder_month_spend_pence", "limit_pence": "month_limit_pence"},
    "same day": {"count": "same_day_equal_count", "total_pence": "amount_pence"},
    "days before": {"count": "days_before_equal_count", "total_pence": "amount_pence"},
    "others": {"count": "other_holder_equal_count", "total_pence": "amount_pence"},
}
"""Features that state the figures of a firing, by what it is about; others are 0, a count 1."""
REPERFORMED = {
    "over-single-limit": "single",
    "single-only-with-vat": "single",
    "over-month-limit": "month",
    "split-same-day": "limit",
    "split-few-days": "limit",
    "split-usual": "limit",
    "split-habit": "limit",
    "only-with-vat": "limit",
    "many-parts": "limit",
    "split-several-names": "alias",
    "many-parts-several-names": "alias",
    "split-across-merchants": "category",
    "step-split": "step",
    "step-only-with-vat": "step",
    "exact-duplicate": "same day",
    "near-duplicate": "days before",
    "same-bill-two-holders": "others",
}
"""Rules that are performed again, each with what its firings are about."""
Firing = tuple[int, ...]
"""Number of the payment, and its figures in the order of `FACT_COLUMNS`."""


@dataclass(frozen=True)
class RuleAgreement:
    """The comparison of one rule, or of the windows of one search for splits.

    Attributes:
        rule: its id, or `search: ` and what is searched.
        firings: how many payments the rule fires at, without what is left out of it.
        only_by_rules: file and row of payments at which only cardwatch has such a firing.
        only_independent: those at which only the independent run has it.
        note: why it was not compared; empty if it was.
    """

    rule: str
    firings: int = 0
    only_by_rules: tuple[tuple[str, int], ...] = ()
    only_independent: tuple[tuple[str, int], ...] = ()
    note: str = ""

    @property
    def agrees(self) -> bool:
        """Whether both have the same firings, or were not compared."""
        return not self.only_by_rules and not self.only_independent


def compare(
    ledger: Ledger,
    rules: Sequence[Rule] | None = None,
    compared_rows: Flags | None = None,
) -> list[RuleAgreement]:
    """Compare every firing of the rules with the independent run's, both ways.

    Args:
        ledger: the transactions with their merchants.
        rules: the rules in use; the shipped ones if not given.
        compared_rows: the payments that are compared; all if not given.

    Raises:
        CardwatchError: the independent run is not installed.
    """
    firings, columns = _independent_firings(ledger), FeatureColumns(ledger)
    shipped = {rule.id: rule for rule in load_rules()}
    by_id = shipped if rules is None else {rule.id: rule for rule in rules}
    compared = np.ones(len(ledger), bool) if compared_rows is None else compared_rows
    places = list(zip(ledger.frame["file"], ledger.frame["row"], strict=True))
    agreements = []
    for rule_id in (*SPLIT_SEARCHES, *REPERFORMED):
        rule, about = by_id.get(rule_id), REPERFORMED.get(rule_id, rule_id)
        name = rule_id if rule_id in REPERFORMED else f"search: {rule_id}"
        if rule_id in REPERFORMED and (rule is None or rule.when != shipped[rule_id].when):
            why = "its conditions are the organisation's own" if rule else "the rule is not in use"
            agreements.append(RuleAgreement(name, note=why))
            continue
        facts = _facts(columns, about)
        fires = _fires(rule, columns, ledger.policy) if rule else facts["count"] > 0
        by_rules = set(_rows(facts, fires & compared))
        candidates = {firing for firing in firings.get(rule_id, ()) if compared[firing[0]]}
        # Where windows need equally few payments chance chooses: the other candidates are none.
        if about in SPLIT_SEARCHES:
            chosen, windows = set(_rows(facts, facts["count"] > 0)), firings.get(about, set())
            decided = {firing[0] for firing in chosen & windows}
            candidates = {f for f in candidates if f in chosen or f[0] not in decided}
        agreements.append(
            RuleAgreement(
                name,
                len(by_rules),
                tuple(places[number] for number in sorted({f[0] for f in by_rules - candidates})),
                tuple(places[number] for number in sorted({f[0] for f in candidates - by_rules})),
            )
        )
    return agreements


def _fires(rule: Rule, columns: FeatureColumns, policy: Policy) -> Flags:
    """Return where every condition of a rule holds that the independent run has as well."""
    conditions = [c for c in rule.when if c.feature not in NOT_REPERFORMED]
    return np.logical_and.reduce([condition.holds(columns, policy) for condition in conditions])


def _facts(
    columns: FeatureColumns, about: str
) -> dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Return the figures of firings, a row each payment."""
    features = FACTS[about]
    rows = len(columns["amount_pence"])
    usual = {"count": int(about == "single")}
    return {
        name: columns[features[name]].astype("int64")
        if name in features
        else np.full(rows, usual.get(name, 0))
        for name in FACT_COLUMNS
    }


def _rows(facts: Mapping[str, np.ndarray[tuple[int], np.dtype[np.int64]]],
          which: Flags) -> Iterator[Firing]:  # fmt: skip
    """Return the firings of some payments."""
    numbers = np.flatnonzero(which)
    columns = [facts[name][numbers].tolist() for name in FACT_COLUMNS]
    return zip(numbers.tolist(), *columns, strict=True)


def _independent_firings(ledger: Ledger) -> dict[str, set[Firing]]:
    """Return the independent run's firings by rule, and its windows by search."""
    frame, policy = ledger.frame, ledger.policy
    payments = pd.DataFrame(
        {
            "number": np.arange(len(frame)),
            "day": ledger.day,
            "holder": frame["holder_id"],
            "merchant": frame["merchant_id"],
            "alias": frame["alias_id"],
            "category": frame["mcc"].where(frame["mcc"] != "", frame["category"].str.casefold()),
            "pence": frame["amount_pence"],
            "kind": frame["kind"],
            "doubled": frame["day_doubled"],
            "card_single_pence": frame["card_single_limit_pence"],
            "card_month_pence": frame["cards_month_limit_pence"],
        }
    )
    table = reperform(
        payments,
        _limit_rows(policy),
        split_windows_days=policy.split_windows_days,
        materiality_pence=policy.materiality_pence,
        habit_days=policy.habit_windows,
    )
    firings: dict[str, set[Firing]] = {}
    for rule, part in table.groupby("rule"):
        about = REPERFORMED.get(str(rule), str(rule))
        # Figures that no feature states are left out; of the others 0 where they do not apply.
        stated = {column: int(fact in FACTS[about]) for fact, column in FACT_COLUMNS.items()}
        stated |= {"count": 1}
        figures = [
            part["number"],
            *(part[column] * is_stated for column, is_stated in stated.items()),
        ]
        rows = zip(*(column.astype("int64").tolist() for column in figures), strict=True)
        firings[str(rule)] = set(rows)
    return firings


def _limit_rows(policy: Policy) -> Iterator[dict[str, object]]:
    """Return the policy's limits as rows, one for each cardholder of an entry."""
    epoch = pd.Timestamp(0)
    for kind in LIMIT_KINDS:
        for entry, limit in enumerate(getattr(policy, kind)):
            for holder in limit.holders or (None,):
                yield {
                    "entry": entry, "kind": kind, "since": (pd.Timestamp(limit.since) - epoch).days,
                    "holder": holder, "pence": limit.pence, "vat": limit.vat,
                    "stated": limit.stated,
                }  # fmt: skip
