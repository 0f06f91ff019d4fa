"""The rules: files of comparisons, their loader and their page."""

from cardwatch.rules.catalogue import (
    load_rules,
    meanings,
    read_rules,
    rule_page,
    rule_texts,
    rule_title,
    rules_page,
    rules_sha256,
)
from cardwatch.rules.rule import CARD_EVIDENCE, EVIDENCE, LEVELS, Evidence, Rule, placeholders

__all__ = [
    "CARD_EVIDENCE",
    "EVIDENCE",
    "LEVELS",
    "Evidence",
    "Rule",
    "load_rules",
    "meanings",
    "placeholders",
    "read_rules",
    "rule_page",
    "rule_texts",
    "rule_title",
    "rules_page",
    "rules_sha256",
]
