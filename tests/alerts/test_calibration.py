"""Evidence is how seldom a finding of its kind comes as strong: alike for every kind."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np
import pytest

from cardwatch.alerts.calibration import A_LEVEL, FLOOD, calibrating, rarity, weigh_findings
from cardwatch.rules import load_rules
from cardwatch.rules.rule import Condition

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.alerts import ScoringContext
    from cardwatch.rules import Rule
    from cardwatch.scoring import ScoringResult

RULES = {rule.id: rule for rule in load_rules()}


def _weigh(scored: ScoringContext, *rules: Rule) -> dict[str, np.ndarray]:
    fires = {rule.id: rule.fires(scored.columns, scored.ledger.policy) for rule in rules}
    return weigh_findings(scored, rules, fires, [])


def test_evidence_of_three_comes_once_in_a_thousand_payments_of_the_past() -> None:
    past = np.random.default_rng(5).exponential(1, 400)
    found = rarity(np.sort(past), past, 40_000)
    assert (np.diff(found) >= 0).all()
    assert (found >= 3).sum() == pytest.approx(40, abs=2)


def test_beyond_all_of_the_past_a_stronger_finding_has_more_evidence_still() -> None:
    past = np.random.default_rng(5).exponential(1, 400)
    found = rarity(past.max() * np.array([1.0, 1.1, 2.0, 9.0]), past, 40_000)
    assert (np.diff(found) > 0).all()
    assert np.isfinite(found).all()


def test_where_the_past_is_all_alike_what_is_stronger_still_has_a_chance_above_none() -> None:
    found = rarity(np.array([7.0, 7.1, 1e6]), np.full(40, 7.0), 40_000)
    assert (np.diff(found) > 0).all()
    assert (10.0 ** -(found + 2) > 0).all()
    assert found[1] < 5, "a little more than what comes often is no wonder"


@pytest.mark.parametrize("past", [[], [1.0], [1.0, 2.0]])
def test_with_hardly_any_past_findings_stay_in_order_and_none_is_beyond_one_in_all(
    past: list[float],
) -> None:
    found = rarity(np.array([0.5, 3.0, 30.0]), np.array(past), 999)
    assert (np.diff(found) > 0).all()
    assert found[-1] == pytest.approx(3, abs=1e-3)


def test_every_kind_has_about_as_many_findings_of_some_evidence_in_the_past(
    scored_month: Callable[[str], ScoringResult],
) -> None:
    scored = scored_month("2026-10").scored
    always = Condition("amount_pence", ">", 0)
    rules = [
        dataclasses.replace(RULES["unusual-payment"], id=name, kind=name, ranked_with="",
                            when=(always,), ranks_by=column)
        for name, column in (
            ("amount", "amount_for_holder_surprise"),
            ("merchant", "merchant_surprise"),
            ("spend", "amount_for_merchant_surprise"),
        )
    ]  # fmt: skip
    past = calibrating(scored)
    alone = dataclasses.replace(scored, asked=np.zeros(len(past), bool))
    for found in _weigh(alone, *rules).values():
        often = (found[past] >= 2).sum() / past.sum()
        assert 0.003 <= often <= 0.03, "equal ones of one day count once in the past"


def test_a_kind_that_floods_the_statements_takes_no_more_than_its_room(
    scored_month: Callable[[str], ScoringResult],
) -> None:
    scored = scored_month("2026-10").scored
    flood = dataclasses.replace(RULES["unusual-payment"], when=(Condition("is_purchase", "==", 1),))
    flooded = {"payment_surprise": scored.columns["payment_surprise"] + 50 * scored.asked}
    more = dataclasses.replace(scored, columns={**scored.columns, **flooded})
    found = _weigh(more, flood)[flood.id][scored.asked]
    for evidence in (1.0, 1.5, 2.0):
        room = FLOOD * 10**-evidence * len(found)
        assert (found >= evidence).sum() <= 1.5 * room + 1, "payments of one day count once"
    assert (_weigh(scored, flood)[flood.id][scored.asked] >= 1.5).sum() > 0


def test_a_level_is_worth_a_factor(scored_month: Callable[[str], ScoringResult]) -> None:
    scored, rule = scored_month("2026-10").scored, RULES["unusual-payment"]
    medium, high = (
        _weigh(scored, dataclasses.replace(rule, level=level))[rule.id]
        for level in ("medium", "high")
    )
    fired = medium > 0
    assert fired.any()
    assert np.allclose(high[fired] - medium[fired], np.log10(A_LEVEL))


def test_a_rule_with_more_room_has_so_many_times_more(
    scored_month: Callable[[str], ScoringResult],
) -> None:
    scored, rule = scored_month("2026-10").scored, RULES["unusual-payment"]
    usual, more = (
        _weigh(scored, dataclasses.replace(rule, room=room))[rule.id] for room in (1.0, 3.0)
    )
    fired = usual > 0
    assert fired.any()
    assert np.allclose(more[fired] - usual[fired], np.log10(3.0))
