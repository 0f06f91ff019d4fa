"""The order of alerts: by what each is about, lower for whatever weakens it."""

from __future__ import annotations

import dataclasses
import itertools
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from made_alerts import make_alert

from cardwatch.alerts import ranking
from cardwatch.alerts.grouping import AlertGroup
from cardwatch.alerts.ranking import alert_order, rank_alerts
from cardwatch.features.split import taken_back
from cardwatch.rules import load_rules
from cardwatch.rules.rule import Condition

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.alerts.grouping import Finding
    from cardwatch.records import Alert
    from cardwatch.rules import Rule
    from cardwatch.scoring import ScoringResult

RULES = {rule.id: rule for rule in load_rules()}
ALWAYS, NEVER = Condition("amount_pence", ">", 0), Condition("amount_pence", "<", 0)


def _weakening(rule: Rule, number: int, when: Condition = ALWAYS) -> Rule:
    """Return a rule that weakens another one wherever its condition holds."""
    like = next(r for r in RULES.values() if r.role == "weakens")
    return dataclasses.replace(like, id=f"weak-{number}", weakens=(rule.id,), when=(when,))


def _split_alerts(scoring: ScoringResult, *weakening: Rule) -> list[Alert]:
    return rank_alerts(scoring.scored, [RULES["split-same-day"], *weakening], "finance")


@pytest.mark.parametrize(("count", "tier"), [(0, "A"), (1, "B"), (2, "C"), (3, "C")])
def test_each_rule_that_weakens_an_alert_lowers_it_by_one_level_and_the_lowest_stays(
    scored_month: Callable[[str], ScoringResult], count: int, tier: str
) -> None:
    rule = RULES["split-same-day"]
    weak = [_weakening(rule, number) for number in range(count)]
    quiet = _weakening(rule, 9, NEVER)
    alerts = _split_alerts(scored_month("2026-10"), *weak, quiet)
    assert alerts
    for alert in alerts:
        assert alert.tier == tier
        assert [reason.rule for reason in alert.weakened_by] == [rule.id for rule in weak]


def test_a_rule_that_weakens_another_rule_leaves_an_alert_alone(
    scored_month: Callable[[str], ScoringResult],
) -> None:
    other = _weakening(RULES["split-few-days"], 1)
    alerts = _split_alerts(scored_month("2026-10"), other)
    assert alerts == _split_alerts(scored_month("2026-10"))


def test_what_orders_a_rule_orders_its_alerts_and_changes_nothing_else(
    scored_month: Callable[[str], ScoringResult],
) -> None:
    scored = scored_month("2026-10").scored
    rule = RULES["unusual-payment"]
    plain, other = (
        rank_alerts(scored, [dataclasses.replace(rule, ranks_by=column)], "finance")
        for column in ("payment_surprise", "round_amount_surprise")
    )
    assert len(plain) > 2
    assert {a.alert_id for a in plain} == {a.alert_id for a in other}
    assert [a.chance for a in plain] != [a.chance for a in other]


def test_questions_stand_by_evidence_then_facts_whatever_order_they_came_in(
    scored_month: Callable[[str], ScoringResult],
) -> None:
    alerts = scored_month("2026-10").lists["finance"].alerts
    assert sorted(alerts, key=lambda alert: alert.alert_id) != [*alerts]
    again = sorted(sorted(alerts, key=lambda alert: alert.alert_id), key=alert_order)
    assert again == [*alerts]
    assert [alert.rank for alert in alerts] == [*range(1, len(alerts) + 1)]
    questions = [alert.chance for alert in alerts if not alert.is_fact]
    assert questions == sorted(questions)
    assert [alert.is_fact for alert in alerts] == sorted(alert.is_fact for alert in alerts)


def test_the_rarer_or_dearer_of_two_questions_stands_first_whatever_their_tiers(
    scored_month: Callable[[str], ScoringResult],
) -> None:
    alert = scored_month("2026-10").lists["finance"].alerts[0]
    worst_to_best = [
        dataclasses.replace(alert, chance=chance, at_stake_pence=pence)
        for chance, pence in ((0.5, 10_000), (0.5, 400_000), (1e-3, 400_000), (1e-6, 400_000))
    ]
    for worse, better in itertools.pairwise(worst_to_best):
        assert alert_order(better) < alert_order(worse)
        tiers = dataclasses.replace(worse, tier="A"), dataclasses.replace(better, tier="C")
        assert alert_order(tiers[1]) < alert_order(tiers[0])
        assert alert_order(worse) < alert_order(dataclasses.replace(better, is_fact=True))


def test_facts_against_policy_are_all_shown_and_take_no_room_from_questions(
    scored_month: Callable[[str], ScoringResult],
) -> None:
    scored = scored_month("2026-10").scored
    fact = dataclasses.replace(RULES["over-single-limit"], when=(ALWAYS,), evidence="payment")
    rules = [fact, RULES["split-same-day"]]
    alerts = rank_alerts(scored, rules, "finance")
    facts = [alert for alert in alerts if alert.is_fact]
    bought = scored.ledger.is_purchase & scored.asked & ~taken_back(scored.ledger)
    assert len(facts) == bought.sum()
    assert all(alert.shown for alert in facts)
    questions = [alert for alert in alerts if not alert.is_fact]
    assert [a.alert_id for a in questions] == [
        a.alert_id for a in rank_alerts(scored, rules[1:], "finance")
    ]


def test_facts_stand_by_evidence_with_that_of_a_question_too_far_down_to_be_shown(
    scored_month: Callable[[str], ScoringResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    scored = scored_month("2026-10").scored
    small = dataclasses.replace(scored.ledger.policy, alerts_per_1000=0, alerts_at_least=0)
    question = RULES["unusual-payment"]
    fact = dataclasses.replace(
        RULES["over-single-limit"],
        when=(ALWAYS,),
        evidence="payment",
        ranks_by="round_amount_surprise",
    )
    alone = {a.payments: a.chance for a in rank_alerts(scored, [fact], "finance")}
    asked = {a.payments: a.chance for a in rank_alerts(scored, [question], "finance")}
    monkeypatch.setattr(scored.ledger, "policy", small)
    both = rank_alerts(scored, [question, fact], "finance")
    assert all(alert.is_fact and alert.shown for alert in both)
    assert {a.payments: a.chance for a in both} == {
        payments: min(chance, asked.get(payments, 1.0)) for payments, chance in alone.items()
    }
    assert [a.chance for a in both] == sorted(a.chance for a in both)
    assert [payments in asked for payments in alone] != sorted(
        (payments in asked for payments in alone), reverse=True
    ), "the questions' payments are the rarest anyway"


def test_a_question_about_the_payments_of_a_fact_is_one_alert_with_it(
    scored_month: Callable[[str], ScoringResult],
) -> None:
    scored = scored_month("2026-10").scored
    question = RULES["unusual-payment"]
    fact = dataclasses.replace(RULES["over-single-limit"], when=question.when, evidence="payment")
    both = rank_alerts(scored, [question, fact], "finance")
    alone = rank_alerts(scored, [question], "finance")
    assert len(both) == len(alone) > 2
    for alert in both:
        assert [reason.rule for reason in alert.reasons][:2] == [fact.id, question.id]
    assert [a.payments for a in both if a.shown] == [a.payments for a in alone if a.shown]


def test_every_alert_says_what_kind_of_matter_its_leading_rule_is_about(
    scored_month: Callable[[str], ScoringResult],
) -> None:
    for made in scored_month("2026-10").lists.values():
        for alert in made.alerts:
            assert alert.kind == RULES[alert.reasons[0].rule].kind


def test_a_matter_is_named_for_what_is_definite_and_stays_as_pressing_as_before(
    scored_month: Callable[[str], ScoringResult],
) -> None:
    scored = scored_month("2026-10").scored
    always = dataclasses.replace(RULES["unusual-payment"], when=(ALWAYS,), level="medium")
    split = dataclasses.replace(RULES["split-same-day"], level="low")
    led = [
        alert
        for alert in rank_alerts(scored, [always, split], "finance")
        if {reason.rule for reason in alert.reasons} == {always.id, split.id}
    ]
    assert led
    assert {(alert.reasons[0].rule, alert.kind, alert.tier) for alert in led} == {
        (split.id, "split", "B")
    }


def test_the_strongest_evidence_still_orders() -> None:
    rule = SimpleNamespace(id="some-rule", evidence="payment")
    finding = SimpleNamespace(rule=rule, row=0)
    basis = cast("ranking.Basis", SimpleNamespace(weighed={"some-rule": np.array([400.0])}))
    matter = AlertGroup((cast("Finding", finding),), np.array([0]))
    chance = ranking._case_chance(basis, matter)
    assert chance > 0  # 10**-400 would be 0, which has no logarithm


@pytest.mark.parametrize(
    ("evidence", "chance", "leads"), [("same_bill", 1e-1, 2), ("equal_payments", 1e-4, 1)]
)
def test_the_last_of_equal_payments_tells_whether_two_holders_paid_a_bill_or_a_price(
    evidence: str, chance: float, leads: int
) -> None:
    rule = SimpleNamespace(id="some-rule", evidence=evidence, kind="duplicate", level="low")
    window = {"rule": rule, "pence": 5_000.0}  # 60 days hold two of them, never all three
    second = SimpleNamespace(row=1, evidence=np.array([0, 1]), **window)
    third = SimpleNamespace(row=2, evidence=np.array([1, 2]), **window)
    weighed = {"some-rule": np.array([0.0, 4.0, 1.0])}
    basis = cast("ranking.Basis", SimpleNamespace(weighed=weighed, context=(), fires={}))
    matter = AlertGroup(cast("tuple[Finding, ...]", (second, third)), np.array([0, 1, 2]))
    assert ranking._case_chance(basis, matter) == pytest.approx(chance)
    assert ranking._lead(basis, matter)[1].row == leads  # the fact and the chance are of one


def _part(kind: str, rule: str, pence: list[int], chance: float, tier: str = "B") -> Alert:
    """Return an alert of one cardholder and merchant about the first of their payments."""
    whole = make_alert(f"{rule:12}"[:12], (0,), "a.csv")
    payments = tuple(
        dataclasses.replace(whole.payments[0], row=row, amount_pence=amount)
        for row, amount in enumerate(pence)
    )
    reason = dataclasses.replace(whole.reasons[0], rule=rule, title=rule)
    return dataclasses.replace(
        whole, kind=kind, title=rule, reasons=(reason,), payments=payments, chance=chance,
        at_stake_pence=sum(pence), tier=tier,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("split", "reasons"),
    [
        (_part("split", "split-few-days", [500, 500], 1e-4), [["split-few-days", "slow-total"]]),
        (_part("split", "split-few-days", [500, 500], 1e-2), [["slow-total", "split-few-days"]]),
        (_part("split", "split-few-days", [500, 499], 1e-4), [["split-few-days"], ["slow-total"]]),
    ],
    ids=["half, and rarer", "half", "less than half"],
)
def test_a_split_that_is_most_of_a_total_is_one_question_with_it(
    split: Alert, reasons: list[list[str]]
) -> None:
    total = _part("spend", "slow-total", [500, 500, 1_000], 1e-3)
    total = dataclasses.replace(total, payments=(*split.payments, total.payments[2]))
    alerts = ranking._alike_joined([total, split])
    assert [[reason.rule for reason in alert.reasons] for alert in alerts] == reasons
    assert [alert.title for alert in alerts] == [names[0] for names in reasons]
    if len(alerts) == 1:
        assert alerts[0].payments == total.payments
        assert alerts[0].at_stake_pence == total.at_stake_pence
        assert alerts[0].chance == min(split.chance, total.chance)
