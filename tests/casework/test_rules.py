"""A rule in words has the figures of the active policy, and shows nobody another's list."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from cardwatch import services
from cardwatch.errors import NotAllowed, NotFound
from cardwatch.policy import Policy, load_policy
from cardwatch.rules import load_rules
from cardwatch.services.policy_figures import FIGURE_LABELS, LIMIT_LABELS, figures_read

if TYPE_CHECKING:
    from collections.abc import Callable

    Context = Callable[..., services.ServiceContext]

POLICY = "[[single_purchase]]\nfrom = 2020-01-01\npounds = 750\n"


def test_conditions_have_the_figures_in_force(at: Context) -> None:
    document = services.pack_policy(f"materiality_pounds = 40.0\n{POLICY}", "policy.toml")
    services.activate_document(at(), "policy", document, "2026-01-01")
    detail = services.get_rule(at(), "split-same-day")
    assert ("Single-purchase limit", "£750 since 1 January 2020") in detail.figures
    assert all(what and met_at for what, met_at in detail.conditions)
    assert detail.toml.count("[[when]]") == len(detail.rule.when) == len(detail.conditions)
    asked_alone = services.get_rule(at(), "unusual-amount")
    assert ("Smallest payment to ask about on its own", "£40") in asked_alone.figures


def test_a_rule_of_another_list_is_not_found(at: Context) -> None:
    hidden = next(rule.id for rule in load_rules() if rule.lane == "psd")
    assert services.get_rule(at("psd"), hidden).rule.lane == "psd"
    with pytest.raises(NotFound):
        services.get_rule(at(), hidden)
    with pytest.raises(NotAllowed):
        services.get_rule(at("admin"), "split-same-day")


def test_every_number_of_the_policy_has_a_label() -> None:
    numbers = {name for name, kind in Policy.__annotations__.items() if kind in {"int", "float"}}
    assert {one.name for one in FIGURE_LABELS} == numbers
    assert all(one.value(load_policy()) for one in FIGURE_LABELS)


def test_every_rule_is_read_in_words() -> None:
    policy, today = load_policy(), dt.date(2026, 11, 1)
    for rule in load_rules():
        read = (*rule.reads, *(str(condition.than) for condition in rule.when))
        assert all(label and value for label, value in figures_read(policy, read, today))
    assert len(LIMIT_LABELS) == 3
