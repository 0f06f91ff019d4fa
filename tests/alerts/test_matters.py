"""Findings become matters: what shares a payment is one, and so are the splits of one pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardwatch.alerts.grouping import group_findings
from cardwatch.features.ledger import PAIR
from cardwatch.policy import load_policy
from cardwatch.rules import load_rules
from cardwatch.scoring import score
from cardwatch.statements import name_holders, read_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.scoring import ScoringResult
    from cardwatch.statements import ReadingChoices

RULES = {rule.id: rule for rule in load_rules()}


def test_two_splits_of_one_holder_at_one_merchant_are_one_matter_however_far_apart(
    scored_month: Callable[[str], ScoringResult],
) -> None:
    scored = scored_month("2026-10").scored
    ledger, rule = scored.ledger, RULES["split-same-day"]
    pair, bought = ledger.group(*PAIR), np.flatnonzero(ledger.is_purchase)
    first, other = bought[0], bought[pair[bought] != pair[bought[0]]][0]
    later = bought[pair[bought] == pair[first]][-1]
    assert ledger.day[later] > ledger.day[first] + ledger.policy.split_windows_days[-1]
    matters = group_findings(ledger, scored.features, [(rule, np.array([first, other, later]))])
    assert [{f.row for f in matter.findings} for matter in matters] == [{first, later}, {other}]


def test_a_drip_over_a_month_does_not_swallow_the_split_within_it(
    scored_month: Callable[[str], ScoringResult],
) -> None:
    scored = scored_month("2026-10").scored
    ledger, features = scored.ledger, scored.features
    split = np.flatnonzero(RULES["split-same-day"].fires(features, ledger.policy))[:1]
    fired = [(RULES["split-same-day"], split), (RULES["drip-30-day"], split)]
    assert len(group_findings(ledger, features, fired)) == 2


def test_findings_of_one_day_share_what_belongs_to_them(choices: ReadingChoices) -> None:
    row = {"date": "2026-10-11", "employee_id": "E1", "merchant": "SHOP"}
    rows = [row | {"amount": f"{400 + at}.00", "transaction_id": str(at)} for at in range(1_000)]
    table, _ = name_holders([read_rows("october", rows, choices)[0]])
    scored = score(table, load_policy()).scored
    fired = [(rule, np.flatnonzero(scored.ledger.is_purchase)) for rule in RULES.values()]
    fired = [(rule, at) for rule, at in fired if rule.subject == "payment"]
    matters = group_findings(scored.ledger, scored.columns, fired)
    findings = [one for matter in matters for one in matter.findings]
    assert len(findings) > 10_000
    kept = {id(one.evidence): len(one.evidence) for one in findings}
    assert sum(kept.values()) < 100 * len(rows), "a large day takes memory by its square"


def test_bills_that_one_cardholder_shares_with_others_at_a_merchant_are_asked_about_once(
    choices: ReadingChoices,
) -> None:
    bills = [("E1", "E2", "400.10"), ("E2", "E3", "510.20"), ("E4", "E5", "620.30")]
    rows = [
        {"date": "2026-10-11", "employee_id": holder, "merchant": "LODGE", "amount": pounds,
         "transaction_id": f"{holder}{pounds}"}
        for *two, pounds in bills
        for holder in two
    ]  # fmt: skip
    rows.append(rows[-1] | {"merchant": "OTHER", "employee_id": "E1", "transaction_id": "x"})
    table, _ = name_holders([read_rows("october", rows, choices)[0]])
    scored = score(table, load_policy()).scored
    rule = RULES["same-bill-two-holders"]
    everything = np.flatnonzero(scored.ledger.is_purchase)
    matters = group_findings(scored.ledger, scored.columns, [(rule, everything)])
    holders = scored.ledger.frame["holder_id"]
    assert sorted(sorted(set(holders.iloc[matter.rows])) for matter in matters) == [
        ["E1"], ["E1", "E2", "E3"], ["E4", "E5"]
    ]  # fmt: skip
