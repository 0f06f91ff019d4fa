"""What a rule is: a file that compares features with the organisation's figures."""

from __future__ import annotations

import datetime as dt
import operator
import re
import string
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cardwatch.chance import CHANCES
from cardwatch.errors import FileFaulty
from cardwatch.features import FEATURES, name_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from cardwatch.policy import Policy

    Flags = np.ndarray[Any, np.dtype[np.bool_]]

COMPARISONS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}
POLICY_FIGURES = {
    "habit_windows",
    "unusual_share",
    "materiality_pence",
    "near_limit_payments",
    "dormant_days",
}
"""Figures of the policy that a rule may name as `policy.<figure>`."""
READABLE = {name_of(feature) for feature in FEATURES} | CHANCES.keys()
LEVELS, LANES = ("low", "medium", "high"), ("finance", "psd")
STATUSES, ROLES = ("stable", "trial"), ("raises", "adds", "weakens")
NEEDED: dict[str, type] = {
    "id": str, "title": str, "level": str, "status": str, "lane": str, "role": str,
    "since": dt.date, "evidence": str, "fact": str, "why": str, "ask": list, "innocent": list,
    "sources": list, "when": list, "example": list,
}  # fmt: skip
TEXTS = ("title", "fact", "why")
SHORTEST_TEXT = 10
ACCUSING = re.compile(r"\b(?:fraud\w*|suspect\w*|offen[cd]\w*|guilty)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Evidence:
    """Which neighbours of a payment belong to its matter.

    Attributes:
        by: columns in which they equal it; empty for the payment alone.
        days: how many days back they reach, or the feature that says so.
        having: feature that has to hold of them.
        limit: feature with the sum that none of them passes, for the parts of a split.
        joins: whether matters that share a payment are one (`rows`), or all of the group (`group`).
    """

    by: tuple[str, ...] = ()
    days: int | str = 0
    having: str = "is_purchase"
    joins: str = "rows"
    limit: str = ""


PAIR, UNIT_PAIR = ("holder_id", "merchant_id"), ("cost_centre", "merchant_id")
EVIDENCE = {
    "payment": Evidence(having=""),
    "merchant_day": Evidence(PAIR),
    "over_limit": Evidence(PAIR, having="is_over_limit"),
    "limit_split": Evidence(PAIR, "limit_split_span_days", limit="limit_split_limit_pence"),
    "step_split": Evidence(PAIR, "step_split_span_days", limit="step_split_limit_pence"),
    "unit_split": Evidence(UNIT_PAIR, "unit_split_span_days", limit="unit_split_limit_pence"),
    "split_habit": Evidence(
        PAIR, "limit_split_span_days", joins="group", limit="limit_split_limit_pence"
    ),
    "equal_payments": Evidence((*PAIR, "amount_pence"), 3),
    "equal_across_holders": Evidence(("merchant_id", "amount_pence")),
    "holder_month": Evidence(("holder_id", "month"), 31, "is_spending", joins="group"),
    "near_limit": Evidence(("holder_id",), 90, "is_near_limit", joins="group"),
    "holder_merchant_year": Evidence(PAIR, 364, "is_spending", joins="group"),
}  # fmt: skip


@dataclass(frozen=True)
class Condition:
    """One comparison: a feature with a number, a figure of the policy or another feature."""

    feature: str
    comparison: str
    than: float | str

    def holds(self, features: Mapping[str, Any], policy: Policy | None = None) -> Any:  # noqa: ANN401  a flag or a column of them
        """Return where the comparison holds."""
        than = self.than
        if isinstance(than, str) and than.startswith("policy."):
            than = features[than] if than in features else getattr(policy, than[len("policy.") :])
        elif isinstance(than, str):
            than = features[than]
        return COMPARISONS[self.comparison](features[self.feature], than)

    def __str__(self) -> str:
        """Return the comparison as its file has it."""
        return f"{self.feature} {self.comparison} {self.than}"


@dataclass(frozen=True)
class Example:
    """One case a rule has to decide as its file says."""

    case: str
    fires: bool
    given: dict[str, float]


@dataclass(frozen=True)
class Rule:
    """One rule as its file says it; the words are explained in `docs/rules.md`."""

    id: str
    title: str
    level: str
    status: str
    lane: str
    role: str
    since: dt.date
    evidence: str
    fact: str
    why: str
    ask: tuple[str, ...]
    innocent: tuple[str, ...]
    sources: tuple[str, ...]
    when: tuple[Condition, ...]
    examples: tuple[Example, ...]
    weakens: tuple[str, ...] = ()

    @property
    def reads(self) -> tuple[str, ...]:
        """Features that the rule compares or prints, in order of mention."""
        named = [c.feature for c in self.when]
        named += [c.than for c in self.when if isinstance(c.than, str) and c.than in READABLE]
        return tuple(dict.fromkeys([*named, *placeholders(self.fact)]))

    def fires(self, features: pd.DataFrame, policy: Policy) -> Flags:
        """Return for each payment whether every condition holds."""
        columns = {name: features[name].to_numpy() for name in self.reads}
        holds = [condition.holds(columns, policy) for condition in self.when]
        return np.logical_and.reduce(holds)

    def decides(self, given: Mapping[str, float]) -> bool:
        """Return whether the rule fires for one case's figures."""
        return all(bool(condition.holds(given)) for condition in self.when)


def placeholders(template: str) -> list[str]:
    """Return the names in braces in a template."""
    return [name for _, name, _, _ in string.Formatter().parse(template) if name]


def parse_rule(text: str, file: str) -> Rule:
    """Return the rule that a TOML text describes.

    Raises:
        FileFaulty: with every fault found, each naming its place.
    """
    try:
        content: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FileFaulty(file, [f"it is not TOML: {error}"]) from error
    faults = _shape_faults(content, file)
    if faults:
        raise FileFaulty(file, faults)
    conditions = tuple(Condition(w["feature"], w["is"], w["than"]) for w in content["when"])
    examples = tuple(Example(e["case"], e["fires"], dict(e["given"])) for e in content["example"])
    plain = {key: content[key] for key in NEEDED if key not in {"when", "example"}}
    lists = {k: tuple(v) for k, v in plain.items() if isinstance(v, list)}
    weakens = tuple(content.get("weakens", ()))
    rule = Rule(**(plain | lists), when=conditions, examples=examples, weakens=weakens)
    if faults := _example_faults(rule):
        raise FileFaulty(file, faults)
    return rule


def _shape_faults(content: dict[str, Any], file: str) -> list[str]:
    """Return what is missing, unknown or of the wrong kind, else what is said badly."""
    faults = [f"'{key}' is missing" for key in NEEDED if key not in content]
    unknown = sorted(content.keys() - NEEDED.keys() - {"weakens"})
    faults += [f"unknown setting '{key}'" for key in unknown]
    for key, kind in NEEDED.items():
        if key in content and not isinstance(content[key], kind):
            faults.append(f"'{key}' has to be {'a list' if kind is list else 'a ' + kind.__name__}")
    return faults or _content_faults(content, file)


def _content_faults(content: dict[str, Any], file: str) -> list[str]:
    """Return what is wrong with what a complete rule says."""
    choices = {"level": LEVELS, "lane": LANES, "status": STATUSES, "role": ROLES}
    faults = [
        f"{key} is one of {', '.join(allowed)}, not '{content[key]}'"
        for key, allowed in (choices | {"evidence": tuple(EVIDENCE)}).items()
        if content[key] not in allowed
    ]
    if f"{content['id']}.toml" != file:
        faults.append(f"its id '{content['id']}' is not its file's name")
    if (content["role"] == "weakens") != bool(content.get("weakens")):
        faults.append("'weakens' names rules exactly where the role is weakens")
    faults += _text_faults(content)
    for number, condition in enumerate(content["when"], start=1):
        faults += [f"when {number}: {fault}" for fault in _condition_faults(condition)]
    faults += [
        f"example {number} needs exactly case, fires and given"
        for number, example in enumerate(content["example"], start=1)
        if not isinstance(example, dict) or example.keys() != {"case", "fires", "given"}
    ]
    return faults


def _text_faults(content: dict[str, Any]) -> list[str]:
    """Return what is wrong with what a person reads."""
    faults = [f"'{key}' says too little" for key in TEXTS if len(content[key]) < SHORTEST_TEXT]
    for key in ("ask", "innocent", "sources"):
        texts = content[key]
        if not texts or not all(isinstance(t, str) and len(t) >= SHORTEST_TEXT for t in texts):
            faults.append(f"'{key}' needs at least one specific text")
    if ACCUSING.search(_own_words(content)):
        faults.append("an alert is a question: no fraud, suspect, offender or guilty")
    named = placeholders(content["fact"])
    return faults + [f"fact: '{name}' is no feature" for name in named if name not in READABLE]


def _own_words(content: dict[str, Any]) -> str:
    """Return the texts a person reads, without the titles of sources."""
    return " ".join([*(content[k] for k in TEXTS), *map(str, content["ask"] + content["innocent"])])


def _condition_faults(condition: object) -> list[str]:
    """Return what is wrong with one condition."""
    if not isinstance(condition, dict) or condition.keys() != {"feature", "is", "than"}:
        return ["it needs exactly feature, is and than"]
    faults = []
    if condition["feature"] not in READABLE:
        faults.append(f"'{condition['feature']}' is no feature")
    if condition["is"] not in COMPARISONS:
        faults.append(f"is has to be one of {', '.join(COMPARISONS)}")
    than = condition["than"]
    known = POLICY_FIGURES | READABLE
    if isinstance(than, str) and than.removeprefix("policy.") not in known:
        faults.append(f"'{than}' is neither a feature nor a figure of the policy")
    elif not isinstance(than, str | int | float):
        faults.append("than has to be a number, a feature or policy.<figure>")
    return faults


def _example_faults(rule: Rule) -> list[str]:
    """Return what the examples show to be wrong."""
    faults = []
    wanted = {c.feature for c in rule.when}
    wanted |= {c.than for c in rule.when if isinstance(c.than, str)}
    if {True, False} != {example.fires for example in rule.examples}:
        faults.append("at least one example has to fire and one to stay quiet")
    for example in rule.examples:
        if example.given.keys() != wanted:
            faults.append(
                f"example '{example.case}' has to give exactly {', '.join(sorted(wanted))}"
            )
        elif rule.decides(example.given) != example.fires:
            faults.append(f"example '{example.case}' is not decided as it says")
    return faults
