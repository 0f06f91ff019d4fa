"""Reasons that say nearly the same are joined for people, and none is lost."""

from __future__ import annotations

from cardwatch.alerts import joined_facts
from cardwatch.alerts.reasons import SAID_BY, SAME_TOTAL
from cardwatch.records import Reason
from cardwatch.rules import load_rules


def _reason(rule: str, fact: str, **figures: float) -> Reason:
    return Reason(rule, rule, fact, "why", ("ask?",), ("none",), dict(figures))


def test_facts_with_the_same_opening_are_one_sentence() -> None:
    opening = "3 payments to one merchant within 7 days, £7,600.85 in total"
    rest = "together they exceed the £5,000 limit."
    reasons = [
        _reason("step-split", f"{opening}; purchases of £5,000 or more need quotations."),
        _reason("split-few-days", f"{opening}; {rest}"),
    ]
    assert joined_facts(reasons) == [
        f"{opening}; purchases of £5,000 or more need quotations; {rest}"
    ]


def test_a_fact_that_another_gives_is_left_out() -> None:
    first = _reason("new-and-rare", "The cardholder's first payment to this merchant.")
    again = _reason("new-to-holder", "This cardholder had not paid this merchant before.")
    other = _reason("round-amount", "£500 in one payment.")
    assert joined_facts([first, again, other]) == [first.fact, other.fact]
    assert joined_facts([again, other]) == [again.fact, other.fact]


def test_the_leading_reason_is_never_left_out() -> None:
    lead = _reason("unusual-merchant", "Earlier purchases here: 0.")
    more = _reason("new-and-rare", "The cardholder's first payment to this merchant.")
    assert joined_facts([lead, more])[0] == lead.fact


def test_a_slow_total_of_the_same_sum_is_not_repeated() -> None:
    split = _reason("split-few-days", "A; b.", limit_split_total_pence=230_145.0)
    slow = _reason("slow-total", "C.", slow_total_pence=230_145.0)
    other = _reason("slow-total", "C.", slow_total_pence=400_000.0)
    assert joined_facts([split, slow]) == ["A; b."]
    assert joined_facts([split, other]) == ["A; b.", "C."]


def test_only_rules_that_exist_are_named() -> None:
    rules = {rule.id for rule in load_rules()}
    assert {*SAID_BY, SAME_TOTAL, *(name for names in SAID_BY.values() for name in names)} <= rules
