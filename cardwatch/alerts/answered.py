"""Recognises questions that were answered: same kind, cardholders and merchant, no larger."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardwatch.merchants import canonical_name
from cardwatch.registers import person_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardwatch.records import Alert

    Pattern = tuple[str | frozenset[str], ...]

MORE_OFTEN = 2
"""Alike alerts are asked about again from this many times the number explained in one list."""


@dataclass(frozen=True)
class Answer:
    """An alert that somebody has explained.

    Attributes:
        kind: what its leading rule is about.
        holders: its cardholders, as `person_key`.
        merchants: its merchants, as `compared_merchants`.
        most_pence: the sum up to which alerts like it ask the same again.
        statement: in which it was asked.
    """

    alert_id: str
    kind: str
    holders: frozenset[str]
    merchants: frozenset[str]
    most_pence: int
    statement: str


def find_answered(alerts: Sequence[Alert], answers: Sequence[Answer]) -> dict[str, str]:
    """Return the alerts of one list that ask what was answered before.

    It is asked anew when it changes: a larger sum, another kind, cardholder or merchant, or more
    than twice as many in one list as were explained in one. Facts against policy, and alerts about
    cards alone, are never taken for answered.

    Args:
        alerts: of one list.
        answers: those that still hold.

    Returns:
        The id of the answered alert, by the id of the alert that repeats it.
    """
    alike: dict[Pattern, list[Answer]] = {}
    in_one = Counter((_pattern(answer), answer.statement) for answer in answers)
    most: dict[Pattern, int] = {}
    for answer in answers:
        pattern = _pattern(answer)
        alike.setdefault(pattern[:2], []).append(answer)
        most[pattern] = max(most.get(pattern, 0), in_one[pattern, answer.statement])
    repeats: dict[str, Answer] = {}
    for alert in alerts:
        merchants = frozenset(compared_merchants(alert))
        same = alike.get((alert.kind, frozenset(map(person_key, alert.holders))), ())
        for answer in same if merchants and not alert.is_fact else ():
            if merchants <= answer.merchants and alert.at_stake_pence <= answer.most_pence:
                repeats[alert.alert_id] = answer
                break
    now = Counter(_pattern(answer) for answer in repeats.values())
    return {
        alert_id: answer.alert_id
        for alert_id, answer in repeats.items()
        if now[_pattern(answer)] <= MORE_OFTEN * most[_pattern(answer)]
    }


def _pattern(answer: Answer) -> Pattern:
    """Return what alerts have in common that ask the same, but for their size."""
    return answer.kind, answer.holders, answer.merchants


def compared_merchants(alert: Alert) -> list[str]:
    """The names under which an alert's merchants are compared from one statement to another."""
    return sorted({canonical_name(payment.merchant).name for payment in alert.payments})
