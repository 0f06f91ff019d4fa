"""Rules: files that compare features with the organisation's figures."""

from __future__ import annotations

import datetime as dt
import operator
import re
import string
import tomllib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cardwatch.bounded import read_toml
from cardwatch.errors import FileFaulty
from cardwatch.features import CARD_FEATURES, FEATURES, REGISTERS_READ, name_of
from cardwatch.rarity import BUYING, CHANCES, MONTH_SURPRISE, NOVELTY, SURPRISE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

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
    "limit_use_share",
    "approver_cards",
}
"""Figures of the policy that a rule may name as `policy.<figure>`."""
READABLE = {
    "payment": {name_of(feature) for feature in FEATURES} | CHANCES.keys(),
    "card": {name_of(feature) for feature in CARD_FEATURES},
}
"""Columns a rule can read, by its subject: one payment, or one open card of the register."""
RANKS_BY = {
    "split": "split_surprise",
    "merchant": BUYING,
    "amount": "amount_chance_share",
    "repeat": "repeat_chance_share",
    "timing": "timing_chance_share",
}
"""Default ranking column of each kind; other kinds use the surprise of the whole payment."""
LEVELS, LANES = ("low", "medium", "high"), ("finance", "psd")
RULE_KINDS = ("split", "limit", "spend", "merchant", "amount", "repeat", "timing", "card",
              "pattern",
         "relation", "contract", "approval")  # fmt: skip
"""Kinds of rule; lists can be filtered and counted by them."""
STATUSES, ROLES = ("stable", "trial"), ("raises", "adds", "weakens")
REQUIRED_KEYS: dict[str, type] = {
    "id": str, "title": str, "kind": str, "level": str, "status": str, "lane": str, "role": str,
    "since": dt.date, "evidence": str, "fact": str, "why": str, "ask": list, "innocent": list,
    "sources": list, "when": list, "example": list,
}  # fmt: skip
OPTIONAL_KEYS: dict[str, type] = {
    "weakens": list, "ranks_by": str, "ranked_with": str, "subject": str, "is_policy_fact": bool,
    "room": object, "at_stake": str,
}  # fmt: skip
RULE_TEXTS = ("title", "fact", "why")
SHORTEST_TEXT = 10
LEAST_ROOM, MOST_ROOM = 0.1, 10
"""Least and most room of a rule, as a multiple of that of others of its level."""
FIGURE = re.compile(r"\{\w+(?::[^{}|]+\|[^{}|]+)?\}")
"""A figure in a fact: a feature's name, with the words that go with one and with several."""
ACCUSING = re.compile(r"\b(?:fraud\w*|suspect\w*|offen[cd]\w*|guilty)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Evidence:
    """Which neighbours of a payment belong to its matter.

    Attributes:
        by: columns in which they equal it; empty for the payment alone.
        days: how many days back they reach, or the feature that says so.
        having: feature that has to hold of them.
        limit: feature with the sum that none of them passes, for the parts of a split.
        joins: whether matters that share a payment are one (`rows`), all of the group (`group`),
            either (`both`), or those of one merchant that share a cardholder (`holders`).
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
    "refund_day": Evidence(PAIR, having="unanswered_refund_pence"),
    "holder_merchant_month": Evidence(PAIR, 29, joins="group"),
    "unit_merchant_month": Evidence(UNIT_PAIR, 29, joins="group"),
    "merchant_month": Evidence(("merchant_id",), 29),
    "holder_day": Evidence(("holder_id",)),
    "same_bill": Evidence(("merchant_id", "amount_pence"), 60, joins="holders"),
    "new_merchants": Evidence(("holder_id",), 2, "is_new_to_holder"),
    "holder_merchant_quarter": Evidence(PAIR, 89, joins="group"),
    "merchant_total": Evidence(
        ("merchant_id",), "organisation_total_span_days", joins="group"
    ),
    "disputes": Evidence(("holder_id",), 30, "is_dispute_booking", joins="group"),
    "tiny_charge": Evidence(("holder_id",), 2, "is_tiny_charge"),
    "over_limit": Evidence(PAIR, having="is_over_limit"),
    "limit_split": Evidence(
        PAIR, "limit_split_span_days", joins="both", limit="limit_split_limit_pence"
    ),
    "step_split": Evidence(PAIR, "step_split_span_days", limit="step_split_limit_pence"),
    "unit_split": Evidence(
        ("organisation", "merchant_id"), "unit_split_span_days", "is_single_need",
        limit="unit_split_limit_pence",
    ),
    "alias_split": Evidence(
        ("holder_id", "alias_id"), "alias_split_span_days", limit="alias_split_limit_pence"
    ),
    "category_split": Evidence(("holder_id", "category_id"), limit="category_split_limit_pence"),
    "split_habit": Evidence(
        PAIR, "limit_split_span_days", joins="group", limit="limit_split_limit_pence"
    ),
    "equal_payments": Evidence((*PAIR, "amount_pence"), 3),
    "equal_across_holders": Evidence(("merchant_id", "amount_pence")),
    "holder_month": Evidence(("holder_id", "month"), 31, "is_single_need", joins="group"),
    "near_limit": Evidence(("holder_id",), 90, "is_near_limit", joins="group"),
    "holder_merchant_year": Evidence(PAIR, 364, "is_spending", joins="group"),
    "splits_of_holder": Evidence(("holder_id",), 364, "is_unlikely_split", joins="group"),
    "cash_and_vouchers": Evidence(("holder_id",), 364, "is_cash_or_voucher", joins="group"),
    "unlisted_card": Evidence(("holder_id",), 31, "is_card_unknown", joins="group"),
    "closed_card": Evidence(("card_id",), 31, "is_after_closing", joins="group"),
    "related": Evidence(PAIR, 364, "relation_count", joins="group"),
    "after_leaving": Evidence(("holder_id",), 89, "is_after_leaving", joins="group"),
    "absent": Evidence(("holder_id",), 89, "absent_count", joins="group"),
    "self_approved": Evidence(("holder_id",), 89, "is_self_approved", joins="group"),
    "approver_absent": Evidence(("holder_id",), 89, "approver_absent_count", joins="group"),
    "junior_approved": Evidence(("holder_id",), 89, "is_junior_approver", joins="group"),
    "each_other_approved": Evidence(("holder_id",), 89, "reciprocal_count", joins="group"),
    "approval_batch": Evidence(("approval_batch",), 62, joins="group"),
    "unopened_card": Evidence(("card_id",), 31, "is_before_opening", joins="group"),
}  # fmt: skip
CARD_EVIDENCE = {
    "card": "card_id",
    "cards_of_holder": "key_holder",
    "cards_of_approver": "key_approver",
}
"""Which cards belong to one matter: those equal in a column of the register."""


@dataclass(frozen=True)
class Condition:
    """One comparison: a feature with a number, a figure of the policy or another feature."""

    feature: str
    comparison: str
    than: float | str

    def holds(
        self, features: Mapping[str, Any] | pd.DataFrame, policy: Policy | None = None
    ) -> Any:  # noqa: ANN401  a flag or a column of them
        """Return where the comparison holds."""
        than: Any = self.than
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
    """One rule as its file says it; the words are explained in `docs/rules.md`.

    Attributes:
        room: how many times the room in a list it has that others of its level have.
        at_stake: the column of pence by which, of findings as strong, the larger comes first.
    """

    id: str
    title: str
    kind: str
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
    ranks_by: str = ""
    subject: str = "payment"
    ranked_with: str = ""
    is_policy_fact: bool = False
    room: float = 1.0
    at_stake: str = ""

    @property
    def group(self) -> str:
        """The group of rules that share a part of a list: what it is ranked with, else its kind."""
        return self.ranked_with or self.kind

    @property
    def order(self) -> str:
        """The column that says how strong a finding of the rule is."""
        return self.ranks_by or RANKS_BY.get(self.kind, SURPRISE)

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """Features that the rule compares or prints, in order of mention."""
        feature_names = [c.feature for c in self.when]
        thresholds = (str(c.than) for c in self.when)
        feature_names += [name for name in thresholds if name in READABLE[self.subject]]
        return tuple(dict.fromkeys([*feature_names, *placeholders(self.fact)]))

    @cached_property
    def registers(self) -> frozenset[str]:
        """The registers without which it never fires."""
        return frozenset(kind for name in self.reads for kind in REGISTERS_READ.get(name, ()))

    @cached_property
    def text(self) -> str:
        """All that the rule says, in one text, by which rule sets are told apart."""
        return repr(self)

    def fires(self, features: Mapping[str, Any] | pd.DataFrame, policy: Policy) -> Flags:
        """Return for each payment, or card, whether every condition holds.

        Where one condition holds nowhere, the features of those after it are not read.
        """
        flags: Flags = np.asarray(self.when[0].holds(features, policy))
        for condition in self.when[1:]:
            if not flags.any():
                break
            flags = flags & np.asarray(condition.holds(features, policy))
        return flags

    def decides(self, figures: Mapping[str, float]) -> bool:
        """Return whether the rule fires for one case's figures."""
        return all(bool(condition.holds(figures)) for condition in self.when)


def placeholders(template: str) -> list[str]:
    """Return the names in braces in a template."""
    return [name for _, name, _, _ in string.Formatter().parse(template) if name]


def parse_rule(text: str, file: str, *, is_shipped: bool = False) -> Rule:
    """Return the rule that a TOML text describes.

    Args:
        text: the TOML.
        file: its name.
        is_shipped: whether it comes with cardwatch, so that its size needs no check.

    Raises:
        FileFaulty: with every fault found, each naming its place.
    """
    content = tomllib.loads(text) if is_shipped else read_toml(text, file)
    faults = _shape_faults(content, file)
    if faults:
        raise FileFaulty(file, faults)
    conditions = tuple(Condition(w["feature"], w["is"], w["than"]) for w in content["when"])
    examples = tuple(Example(e["case"], e["fires"], dict(e["given"])) for e in content["example"])
    plain = {key: content[key] for key in REQUIRED_KEYS if key not in {"when", "example"}}
    lists = {k: tuple(v) for k, v in plain.items() if isinstance(v, list)}
    weakens = tuple(content.get("weakens", ()))
    more = {
        "weakens": weakens,
        "subject": content.get("subject", "payment"),
        "ranks_by": content.get("ranks_by", ""),
        "ranked_with": content.get("ranked_with", ""),
        "is_policy_fact": content.get("is_policy_fact", False),
        "room": float(content.get("room", 1)),
        "at_stake": content.get("at_stake", ""),
    }
    rule = Rule(**(plain | lists | more), when=conditions, examples=examples)
    if faults := _example_faults(rule):
        raise FileFaulty(file, faults)
    return rule


def _shape_faults(content: dict[str, Any], file: str) -> list[str]:
    """Return what is missing, unknown or of the wrong kind, else what is said badly."""
    faults = [f"'{key}' is missing" for key in REQUIRED_KEYS if key not in content]
    keys = REQUIRED_KEYS | OPTIONAL_KEYS
    unknown = sorted(content.keys() - keys.keys())
    faults += [f"unknown setting '{key}'" for key in unknown]
    for key, kind in keys.items():
        if key in content and not isinstance(content[key], kind):
            faults.append(f"'{key}' must be {'a list' if kind is list else 'a ' + kind.__name__}")
    return faults or _content_faults(content, file)


def _content_faults(content: dict[str, Any], file: str) -> list[str]:
    """Return what is wrong with what a complete rule says."""
    subject = content.get("subject", "payment")
    if subject not in READABLE:
        return [f"subject must be one of {', '.join(READABLE)}, not '{subject}'"]
    choices = {"kind": RULE_KINDS, "level": LEVELS, "lane": LANES, "status": STATUSES}
    choices["role"] = ROLES if subject == "payment" else ROLES[:1]
    choices["evidence"] = tuple(EVIDENCE if subject == "payment" else CARD_EVIDENCE)
    faults = [
        f"{key} must be one of {', '.join(allowed)}, not '{content[key]}'"
        for key, allowed in choices.items()
        if content[key] not in allowed
    ]
    orders = READABLE[subject] | {SURPRISE, BUYING, NOVELTY, MONTH_SURPRISE}
    if content.get("ranks_by", SURPRISE) not in orders:
        faults.append(f"ranks_by: '{content['ranks_by']}' is not a feature")
    pence = {name for name in READABLE[subject] if name.endswith("_pence")} | {""}
    if content.get("at_stake", "") not in pence:
        faults.append(f"at_stake: '{content['at_stake']}' is not a feature in pence")
    room = content.get("room", 1)
    if (
        isinstance(room, bool)
        or not isinstance(room, int | float)
        or not LEAST_ROOM <= room <= MOST_ROOM
    ):
        faults.append(f"room is a number from {LEAST_ROOM} to {MOST_ROOM}")
    if f"{content['id']}.toml" != file:
        faults.append(f"its id '{content['id']}' does not match its file name")
    if (content["role"] == "weakens") != bool(content.get("weakens")):
        faults.append("'weakens' must name rules if the role is weakens, and only then")
    faults += _text_faults(content)
    for number, condition in enumerate(content["when"], start=1):
        condition_faults = _condition_faults(condition, READABLE[subject])
        faults += [f"when {number}: {fault}" for fault in condition_faults]
    faults += [
        f"example {number} needs exactly case, fires and given"
        for number, example in enumerate(content["example"], start=1)
        if not isinstance(example, dict) or example.keys() != {"case", "fires", "given"}
    ]
    return faults


def _text_faults(content: dict[str, Any]) -> list[str]:
    """Return what is wrong with what a person reads."""
    faults = [f"'{key}' is too short" for key in RULE_TEXTS if len(content[key]) < SHORTEST_TEXT]
    for key in ("ask", "innocent", "sources"):
        texts = content[key]
        if not texts or not all(isinstance(t, str) and len(t) >= SHORTEST_TEXT for t in texts):
            faults.append(f"'{key}' needs at least one specific text")
    if ACCUSING.search(_own_words(content)):
        faults.append(
            "an alert is a question: remove words such as fraud, suspect, offender or guilty"
        )
    readable = READABLE[content.get("subject", "payment")]
    if re.search(r"[{}]", FIGURE.sub("", content["fact"])):
        return [*faults, "fact: put only the name of a feature in braces, or {n:payment|payments}"]
    fact_names = placeholders(content["fact"])
    return faults + [
        f"fact: '{name}' is not a feature" for name in fact_names if name not in readable
    ]


def _own_words(content: dict[str, Any]) -> str:
    """Return the texts a person reads, without the titles of sources."""
    return " ".join(
        [*(content[k] for k in RULE_TEXTS), *map(str, content["ask"] + content["innocent"])]
    )


def _condition_faults(condition: object, readable: AbstractSet[str]) -> list[str]:
    """Return what is wrong with one condition of a rule that can read some features."""
    if not isinstance(condition, dict) or condition.keys() != {"feature", "is", "than"}:
        return ["it needs exactly feature, is and than"]
    faults = []
    if condition["feature"] not in readable:
        faults.append(f"'{condition['feature']}' is not a feature")
    if condition["is"] not in COMPARISONS:
        faults.append(f"'is' must be one of {', '.join(COMPARISONS)}")
    than = condition["than"]
    comparable = POLICY_FIGURES | readable
    if isinstance(than, str) and than.removeprefix("policy.") not in comparable:
        faults.append(f"'{than}' is neither a feature nor a figure of the policy")
    elif not isinstance(than, str | int | float):
        faults.append("'than' must be a number, a feature or policy.<figure>")
    return faults


def _example_faults(rule: Rule) -> list[str]:
    """Return what the examples show to be wrong."""
    faults = []
    compared_names = {c.feature for c in rule.when}
    compared_names |= {c.than for c in rule.when if isinstance(c.than, str)}
    if {True, False} != {example.fires for example in rule.examples}:
        faults.append("add at least one example that raises an alert and one that does not")
    for example in rule.examples:
        if example.given.keys() != compared_names:
            faults.append(
                f"example '{example.case}' must give exactly {', '.join(sorted(compared_names))}"
            )
        elif rule.decides(example.given) != example.fires:
            faults.append(f"example '{example.case}' has another result than it states")
    return faults
