"""Every feature says what it is, has a unit in its name, and is read by somebody."""

from __future__ import annotations

from collections import Counter

import pytest

from cardwatch.features import (
    CARD_FEATURES,
    FAMILIES,
    FEATURES,
    FOREST_FEATURES,
    MONTH_FEATURES,
    meaning_of,
    name_of,
)
from cardwatch.rarity import (
    ALONE,
    BUYING,
    CHANCES,
    MONTH_SURPRISE,
    NEW,
    NOVELTY,
    SURPRISE,
)
from cardwatch.rules import EVIDENCE, Rule, load_rules

LONGEST_MEANING = 140
"""Those of the searches for splits are made of two parts, what is told and of which payments."""
UNITS = ("_pence", "_days", "_count", "_share", "_on", "_at", "_id", "_surprise")
ASKED = ("is_", "has_", "days_since_")
APART = {
    *NEW,
    *ALONE.values(),
    "tried_card_surprise",
    "unit_split_surprise",
    "unanswered_refund_surprise",
    "monthly_charge_surprise",
    "organisation_total_surprise",
}
"""Surprises with a rule of their own, which the forest does not read."""
NAMES = tuple(name_of(feature) for feature in (*FEATURES, *CARD_FEATURES))


@pytest.mark.parametrize("feature", [*FEATURES, *CARD_FEATURES], ids=name_of)
def test_a_feature_says_in_one_sentence_what_it_is(feature: object) -> None:
    meaning = meaning_of(feature)  # type: ignore[arg-type]
    assert meaning.endswith(".")
    assert meaning[0].isupper()
    assert len(meaning) <= LONGEST_MEANING


@pytest.mark.parametrize("name", NAMES)
def test_a_features_name_ends_in_its_unit_or_asks_a_question(name: str) -> None:
    assert name.endswith(UNITS) or name.startswith(ASKED)


def test_no_feature_stands_in_the_list_twice() -> None:
    assert [name for name, count in Counter(NAMES).items() if count > 1] == []


def test_every_feature_is_read_by_a_rule_or_by_the_forest() -> None:
    read = {name for rule in load_rules() for name in (*rule.reads, rule.order)}
    for evidence in EVIDENCE.values():
        read |= {evidence.having, str(evidence.days), evidence.limit}
    read |= {name_of(feature) for family in FAMILIES.values() for feature in family}
    read |= {*MONTH_FEATURES, *NEW, *ALONE.values()}
    assert [name for name in NAMES if name not in read] == []


def test_every_feature_a_family_or_the_forest_reads_is_built() -> None:
    families = [name_of(feature) for family in FAMILIES.values() for feature in family]
    assert set(families) <= set(NAMES)
    assert set(FOREST_FEATURES) <= set(families)
    assert all(name.endswith("_surprise") for name in families)


def test_every_surprise_belongs_to_one_family_save_what_only_psd_may_know_or_stands_apart() -> None:
    families = Counter(name_of(feature) for family in FAMILIES.values() for feature in family)
    families.update(MONTH_FEATURES)
    surprises = {name for name in NAMES if name.endswith("_surprise")}
    assert families.keys() <= surprises
    assert set(families.values()) == {1}
    for name in surprises - families.keys():
        lanes = {rule.lane for rule in load_rules() if name in {*rule.reads, rule.order}}
        assert lanes == {"psd"} or name in APART, name


@pytest.mark.parametrize("rule", load_rules(), ids=lambda rule: rule.id)
def test_what_orders_a_rules_findings_is_built_and_no_secret_of_the_other_lane(rule: Rule) -> None:
    assert rule.order in {*NAMES, *CHANCES, SURPRISE, BUYING, NOVELTY, MONTH_SURPRISE}
    strangers = rule.id == "split-across-strangers"  # who have no link is no secret of psd's
    assert rule.lane == "psd" or strangers or not rule.order.startswith("unit_")
