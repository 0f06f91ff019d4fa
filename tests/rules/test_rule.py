"""Rules: every example decided as its file says, and every fault of a file named."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cardwatch.alerts.wording import fact
from cardwatch.errors import FileFaulty
from cardwatch.policy import load_policy
from cardwatch.rules import (
    CARD_EVIDENCE,
    EVIDENCE,
    Rule,
    load_rules,
    placeholders,
    rule_page,
    rules_page,
)
from cardwatch.rules.rule import RULE_KINDS, Example, parse_rule
from cardwatch.vocabulary import BY_HAND_KIND, KIND_TITLES

ROOT = Path(__file__).parents[2]
RULES = load_rules()
CASES = [(rule, example) for rule in RULES for example in rule.examples]
GOOD = (resources.files("cardwatch.rules") / "files" / "split-same-day.toml").read_text("utf-8")
NAME = "split-same-day.toml"


@pytest.mark.parametrize(("rule", "example"), CASES, ids=[f"{r.id}: {e.case}" for r, e in CASES])
def test_a_rule_decides_its_example_as_its_file_says(rule: Rule, example: Example) -> None:
    assert rule.decides(example.given) is example.fires


def test_a_rule_fires_where_all_conditions_hold_and_reads_no_further_than_it_has_to() -> None:
    rule = next(rule for rule in RULES if len(rule.when) > 2)
    read = []

    class Columns(dict[str, Any]):
        def __getitem__(self, name: str) -> Any:
            read.append(name)
            return super().__getitem__(name)

    chance = np.random.default_rng(7)
    for _ in range(50):
        columns = Columns({name: chance.integers(0, 4, 30) * 1_000 for name in rule.reads})
        holds = [condition.holds(columns, load_policy()) for condition in rule.when]
        read.clear()
        fires = rule.fires(columns, load_policy())
        assert fires.tolist() == np.logical_and.reduce(holds).tolist()
        if not holds[0].any():
            assert set(read) <= {rule.when[0].feature, rule.when[0].than}


def test_there_are_rules_of_every_kind_the_first_release_promises() -> None:
    assert sum(rule.role == "raises" for rule in RULES) >= 15
    assert {rule.lane for rule in RULES} == {"finance", "psd"}
    assert {rule.role for rule in RULES} == {"raises", "adds", "weakens"}


@pytest.mark.parametrize(
    ("change", "to", "fault"),
    [
        ('level    = "high"', 'level    = "urgent"', "level must be one of low, medium, high"),
        ('lane     = "finance"', 'lane     = "all"', "lane must be one of finance, psd"),
        ('role     = "raises"', 'role     = "weakens"', "'weakens' must name rules"),
        ('evidence = "limit_split"', 'evidence = "all"', "evidence must be one of"),
        ('kind     = "split"', 'kind     = "parts"', "kind must be one of split, limit,"),
        ('kind     = "split"', "", "'kind' is missing"),
        (
            'evidence = "limit_split"',
            'evidence = "limit_split"\nranks_by = "split_strength"',
            "ranks_by: 'split_strength' is not a feature",
        ),
        ("room     = 4", 'at_stake = "split_surprise"', "is not a feature in pence"),
        ("room     = 4", "at_stake = []", "'at_stake' must be a str"),
        ("room     = 4", "ranks_by = []", "'ranks_by' must be a str"),
        ("room     = 4", "subject = []", "'subject' must be a str"),
        ("room     = 4", 'weakens = "new-merchant"', "'weakens' must be a list"),
        ("room     = 4", 'is_policy_fact = "yes"', "'is_policy_fact' must be a bool"),
        ("room     = 4", "room     = 0.05", "room is a number from 0.1 to 10"),
        ("room     = 4", "room     = true", "room is a number from 0.1 to 10"),
        ('id       = "split-same-day"', 'id       = "split"', "does not match its file name"),
        ('why      = "', 'why      = ""\nwhy_not = "', "unknown setting 'why_not'"),
        ("since    = 2026-11-01", 'since    = "lately"', "'since' must be a date"),
        ("{limit_split_count} payments", "{limit_split_counts} payments", "is not a feature"),
        ("{limit_split_count} payments", "{limit_split_count:>9999999999}", "only the name"),
        ("{limit_split_count} payments", "{limit_split_count!r}", "only the name"),
        ("{limit_split_count} payments", "{limit_split_count:payment}", "only the name"),
        ("{limit_split_count} payments", "{limit_split_count:{x}|payments}", "only the name"),
        ("{limit_split_count} payments", "{limit_split_count.real}", "only the name"),
        ("{limit_split_count} payments", "{ payments", "only the name"),
        (
            'feature = "limit_split_count"',
            'feature = "split_count"',
            "'split_count' is not a feature",
        ),
        ('is      = "=="', 'is      = "="', "'is' must be one of"),
        ('than    = "policy.habit_windows"', 'than    = "policy.habits"', "neither a feature nor"),
        ("fires = true", "fires = false", "has another result than it states"),
        ("limit_split_span_days = 0, ", "", "must give exactly"),
        ("Was this one order", "Is this fraud, and was this one order", "an alert is a question"),
    ],
)
def test_a_faulty_rule_is_refused_with_its_fault(change: str, to: str, fault: str) -> None:
    assert change in GOOD
    with pytest.raises(FileFaulty, match=r"(?s)fault") as refused:
        parse_rule(GOOD.replace(change, to), NAME)
    assert any(fault in found for found in refused.value.faults), refused.value.faults


def test_a_rules_findings_are_ordered_by_what_it_names_else_by_what_its_kind_is_about() -> None:
    assert parse_rule(GOOD, NAME).order == "split_surprise"
    for column in ("alias_split_surprise", "amount_chance_share", "buying_surprise"):
        named = GOOD.replace('kind     = "split"', f'kind     = "split"\nranks_by = "{column}"')
        assert parse_rule(named, NAME).order == column
    for kind, column in (("merchant", "buying_surprise"), ("limit", "payment_surprise")):
        other = GOOD.replace('kind     = "split"', f'kind     = "{kind}"')
        assert parse_rule(other, NAME).order == column


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_what_a_rule_says_of_one_is_in_the_singular(rule: Rule) -> None:
    may_be_one = {c.feature for c in rule.when if (c.comparison, c.than) == (">=", 1)}
    figures = {name: 1 if name in may_be_one else 2 for name in placeholders(rule.fact)}
    said = fact(rule.fact, figures)
    assert not re.search(r"(?<![\d,.£])1 (?:current |open )?(?!was|has|is|business)\w+s\b", said), (
        said
    )


def test_all_faults_of_a_rule_are_listed_at_once() -> None:
    bad = GOOD.replace('level    = "high"', 'level    = "urgent"')
    bad = bad.replace('lane     = "finance"', 'lane     = "all"').replace(
        'is      = "=="', 'is = "="'
    )
    with pytest.raises(FileFaulty) as refused:
        parse_rule(bad, NAME)
    assert len(refused.value.faults) == 3


def test_a_rule_without_a_quiet_example_is_refused() -> None:
    only_fires = GOOD.replace("fires = false", "fires = true")
    with pytest.raises(FileFaulty, match="one that does not"):
        parse_rule(only_fires, NAME)


def test_a_rule_that_says_nothing_of_innocence_is_refused() -> None:
    start = GOOD.index("innocent = [")
    end = GOOD.index("]", start) + 1
    with pytest.raises(FileFaulty, match="'innocent' needs at least one"):
        parse_rule(GOOD[:start] + "innocent = []" + GOOD[end:], NAME)


def test_text_that_is_not_toml_is_refused_in_one_sentence() -> None:
    with pytest.raises(FileFaulty, match="not valid TOML"):
        parse_rule("id = ", NAME)


@pytest.mark.parametrize(
    ("change", "to", "fault"),
    [
        ('subject  = "card"', 'subject  = "holder"', "subject must be one of payment, card"),
        ('subject  = "card"', "", "'holder_open_cards_count' is not a feature"),
        ('role     = "raises"', 'role     = "adds"', "role must be one of raises"),
        ('evidence = "cards_of_holder"', 'evidence = "payment"', "evidence must be one of card,"),
        (
            "{holder_open_cards_count} open",
            "{amount_pence} open",
            "'amount_pence' is not a feature",
        ),
    ],
)
def test_a_rule_about_cards_reads_cards_only(change: str, to: str, fault: str) -> None:
    name = "many-cards-one-person.toml"
    good = (resources.files("cardwatch.rules") / "files" / name).read_text("utf-8")
    assert change in good
    with pytest.raises(FileFaulty) as refused:
        parse_rule(good.replace(change, to), name)
    assert any(fault in found for found in refused.value.faults), refused.value.faults


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_page_of_a_rule_says_everything_a_finance_officer_needs(rule: Rule) -> None:
    page = rule_page(rule)
    for text in (rule.title, rule.why, *rule.ask, *rule.innocent, *rule.sources, *rule.reads):
        assert text in page
    assert all(example.case in page for example in rule.examples)


def test_the_committed_page_of_rules_is_the_one_made_from_the_files() -> None:
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert page == rules_page(RULES), "run 'make docs'"


def test_every_kind_of_evidence_is_used() -> None:
    for subject, kinds in (("payment", EVIDENCE), ("card", CARD_EVIDENCE)):
        assert {rule.evidence for rule in RULES if rule.subject == subject} == set(kinds)


def test_every_kind_of_rule_has_a_name_by_which_pages_filter() -> None:
    assert {rule.kind for rule in load_rules()} | set(RULE_KINDS) == set(KIND_TITLES) - {
        BY_HAND_KIND
    }
