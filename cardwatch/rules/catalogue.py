"""All rules, loaded once from their files, and the page that documents them."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

from cardwatch.errors import FileFaulty
from cardwatch.features import CARD_FEATURES, FEATURES, meaning_of, name_of
from cardwatch.rarity import CHANCES
from cardwatch.rules.rule import LEVELS, Rule, parse_rule
from cardwatch.vocabulary import BY_HAND_KIND, KIND_TITLES, RAISED_BY_HAND

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROLE_WORDS = {
    "raises": "raises an alert",
    "adds": "adds a reason to an alert, never raises one",
    "weakens": "lowers an alert",
}


@cache
def load_rules() -> tuple[Rule, ...]:
    """Return every shipped rule, the most pressing first, then by id.

    Raises:
        FileFaulty: with the faults of all files at once.
    """
    return read_rules(rule_texts(), are_shipped=True)


def rule_texts() -> dict[str, str]:
    """Return the files of the shipped rules, by name."""
    files = (resources.files("cardwatch.rules") / "files").iterdir()
    return {f.name: f.read_text(encoding="utf-8") for f in files if f.name.endswith(".toml")}


def read_rules(texts: Mapping[str, str], *, are_shipped: bool = False) -> tuple[Rule, ...]:
    """Return the rules of some files, the most pressing first, then by id.

    Args:
        texts: what each file holds, by its name.
        are_shipped: whether they come with cardwatch, so that their size needs no check.

    Raises:
        FileFaulty: with the faults of all files at once.
    """
    rules, faults = [], []
    for name in sorted(texts):
        try:
            rules.append(parse_rule(texts[name], name, is_shipped=are_shipped))
        except FileFaulty as error:
            faults += [f"{name}: {fault}" for fault in error.faults]
    ids = {rule.id for rule in rules}
    faults += [
        f"{rule.id}.toml: weakens '{other}', which is not a rule"
        for rule in rules
        for other in rule.weakens
        if other not in ids
    ]
    if faults:
        raise FileFaulty("rules", faults)
    order = {"raises": 0, "adds": 1, "weakens": 2}
    return tuple(sorted(rules, key=lambda r: (order[r.role], -LEVELS.index(r.level), r.id)))


def rules_sha256(rules: Iterable[Rule]) -> str:
    """Return a hash of the rules, by which a result names the rule set that made it."""
    return hashlib.sha256("\n".join(rule.text for rule in rules).encode()).hexdigest()


def rule_title(rule_id: str) -> str:
    """Title of a rule of cardwatch; the id of another in words."""
    if rule_id == RAISED_BY_HAND:
        return KIND_TITLES[BY_HAND_KIND]
    titles = {rule.id: rule.title for rule in load_rules()}
    return titles.get(rule_id, rule_id.replace("-", " ").capitalize())


@cache
def meanings() -> dict[str, str]:
    """Return what each thing that rules compare is, in a sentence, by its name."""
    meaning_by_name = {name_of(f): meaning_of(f) for f in FEATURES}
    meaning_by_name |= {name_of(f): meaning_of(f) for f in CARD_FEATURES}
    return meaning_by_name | {name: text + "." for name, text in CHANCES.items()}


def rule_page(rule: Rule) -> str:
    """Return one rule whole, as Markdown."""

    def listed(items: Iterable[str]) -> str:
        return "\n".join(f"- {item}" for item in items)

    about = ", about a card in the register" if rule.subject == "card" else ""
    weakens = f"\n\nIt lowers: {', '.join(rule.weakens)}." if rule.weakens else ""
    return f"""## {rule.id}

**{rule.title}** Kind {rule.kind}, level {rule.level}, {rule.lane} lane, {rule.status}, {ROLE_WORDS[rule.role]}{about}, since {rule.since}.{weakens}

{rule.why}

It says: "{rule.fact}"

The rule applies when all of these are true:

{listed(f"`{c}`" for c in rule.when)}

Ask:

{listed(rule.ask)}

Possible explanations:

{listed(rule.innocent)}

It reads:

{listed(f"`{name}`: {meanings()[name]}" for name in rule.reads)}

Examples:

{listed(f"{e.case}: {'fires' if e.fires else 'stays quiet'}" for e in rule.examples)}

Sources:

{listed(rule.sources)}
"""  # noqa: E501  a page, not code


def rules_page(rules: Iterable[Rule]) -> str:
    """Return the page of all rules, as Markdown: a table, then each rule whole."""
    rules = tuple(rules)
    rows = "\n".join(
        f"| [{r.id}](#{r.id}) | {r.title} | {r.kind} | {r.level} | {r.lane} | {r.role} |"
        for r in rules
    )
    pages = "\n".join(rule_page(rule) for rule in rules)
    return f"""# The rules

Made from the files in `cardwatch/rules/files/` by `make docs`; do not edit this page.

A rule compares features with the organisation's own figures and never computes. A rule that
*raises* makes an alert. One that *adds* gives another reason and never makes an alert alone. One
that *weakens* lowers the alerts of the rules it names.

| rule | title | kind | level | lane | role |
|---|---|---|---|---|---|
{rows}

{pages}"""
