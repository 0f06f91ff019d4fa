"""One rule for people to read: its conditions in words, with the figures of the active policy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardwatch.alerts import compared
from cardwatch.casebook import AuditEvent
from cardwatch.casebook.tables import READS
from cardwatch.errors import NotFound
from cardwatch.services.policy_figures import figures_read
from cardwatch.services.scoring_inputs import active_inputs, load_inputs

if TYPE_CHECKING:
    from cardwatch.rules import Rule
    from cardwatch.services.context import ServiceContext


@dataclass(frozen=True)
class RuleDetail:
    """A rule with its conditions in words.

    Attributes:
        rule: the rule itself.
        conditions: for each condition what is compared, and when it is met.
        figures: label and value of each figure of the active policy that it uses.
        toml: its conditions as its file has them.
        clause: the clause of the card policy it rests on; empty where none is given.
    """

    rule: Rule
    conditions: tuple[tuple[str, str], ...]
    figures: tuple[tuple[str, str], ...]
    toml: str
    clause: str


def get_rule(context: ServiceContext, rule_id: str) -> RuleDetail:
    """Return one active rule of the actor's lanes in words, with the figures of today's policy.

    Raises:
        NotFound: there is no such rule for the actor.
    """
    with context.work(AuditEvent("consultation", "rules"), ()) as uow:
        context.allow(READS, "read settings")
        inputs = load_inputs(uow, active_inputs(uow, uow.today))
    visible = (rule for rule in inputs.rules if rule.lane in context.actor.rule_lanes)
    rule = next((rule for rule in visible if rule.id == rule_id), None)
    if rule is None:
        raise NotFound("There is no such rule.")
    read = (*rule.reads, *(str(condition.than) for condition in rule.when))
    return RuleDetail(
        rule=rule,
        conditions=tuple((what, met_at) for what, _, met_at in compared(rule, {}, inputs.policy)),
        figures=figures_read(inputs.policy, read, context.now.date()),
        toml=conditions_toml(rule),
        clause=inputs.policy.clause_of(rule.id, rule.kind),
    )


def conditions_toml(rule: Rule) -> str:
    """The conditions of a rule as TOML."""
    parts = []
    for condition in rule.when:
        than = condition.than
        value = f'"{than}"' if isinstance(than, str) else str(than).lower()
        parts.append(
            f'[[when]]\nfeature = "{condition.feature}"\nis = "{condition.comparison}"\n'
            f"than = {value}\n"
        )
    return "\n".join(parts)
