"""Findings become matters: what shares a payment is one, and so are the splits of one pair."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from cardwatch.alerts.matters import find_matters
from cardwatch.features.ledger import PAIR
from cardwatch.rules import load_rules

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.scoring import Scoring

RULES = {rule.id: rule for rule in load_rules()}


def test_two_splits_of_one_holder_at_one_merchant_are_one_matter_however_far_apart(
    scored_month: Callable[[str], Scoring],
) -> None:
    scored = scored_month("2026-10").scored
    ledger, rule = scored.ledger, RULES["split-same-day"]
    pair, bought = ledger.group(*PAIR), np.flatnonzero(ledger.is_purchase)
    first, other = bought[0], bought[pair[bought] != pair[bought[0]]][0]
    later = bought[pair[bought] == pair[first]][-1]
    assert ledger.day[later] > ledger.day[first] + ledger.policy.split_windows_days[-1]
    matters = find_matters(ledger, scored.features, [(rule, np.array([first, other, later]))])
    assert [{f.row for f in matter.findings} for matter in matters] == [{first, later}, {other}]


def test_a_drip_over_a_month_does_not_swallow_the_split_within_it(
    scored_month: Callable[[str], Scoring],
) -> None:
    scored = scored_month("2026-10").scored
    ledger, features = scored.ledger, scored.features
    split = np.flatnonzero(RULES["split-same-day"].fires(features, ledger.policy))[:1]
    fired = [(RULES["split-same-day"], split), (RULES["drip-30-day"], split)]
    assert len(find_matters(ledger, features, fired)) == 2
