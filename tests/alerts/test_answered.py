"""Nobody is asked twice what was explained, and everybody anew when it changes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from cardwatch.alerts.answered import Answer, compared_merchants, find_answered
from cardwatch.registers import person_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.records import Alert
    from cardwatch.scoring import ScoringResult


@pytest.fixture(scope="module")
def alert(scored_month: Callable[[str], ScoringResult]) -> Alert:
    alerts = scored_month("2026-10").lists["finance"].alerts
    return next(a for a in alerts if a.payments and not a.is_fact and len(a.merchants) == 1)


def _answer(alert: Alert, statement: str = "s1", times: float = 1.5) -> Answer:
    return Answer(
        alert.alert_id,
        alert.kind,
        frozenset(map(person_key, alert.holders)),
        frozenset(compared_merchants(alert)),
        round(alert.at_stake_pence * times),
        statement,
    )


def _again(alert: Alert, **changes: object) -> Alert:
    return dataclasses.replace(alert, **{"alert_id": "again", **changes})  # type: ignore[arg-type]


def test_the_same_is_not_asked_again(alert: Alert) -> None:
    assert find_answered([_again(alert)], [_answer(alert)]) == {"again": alert.alert_id}
    names = tuple(f" {name.upper()} " for name in alert.holders)
    assert find_answered([_again(alert, holders=names)], [_answer(alert)])


@pytest.mark.parametrize(
    "changes",
    [
        {"kind": "another"},
        {"holders": ("somebody else",)},
        {"is_fact": True},
        {"payments": (), "merchants": ()},
    ],
)
def test_what_has_changed_is_asked_anew(alert: Alert, changes: dict[str, object]) -> None:
    assert find_answered([_again(alert, **changes)], [_answer(alert)]) == {}


def test_a_second_holder_or_merchant_is_a_change(alert: Alert) -> None:
    both = (*alert.holders, "somebody else")
    assert find_answered([_again(alert, holders=both)], [_answer(alert)]) == {}
    other = dataclasses.replace(alert.payments[0], merchant="ANOTHER FIRM ENTIRELY")
    assert find_answered([_again(alert, payments=(*alert.payments, other))], [_answer(alert)]) == {}


def test_a_larger_sum_is_asked_anew_and_the_largest_answer_counts(alert: Alert) -> None:
    answer = _answer(alert)
    for pence, is_held in ((answer.most_pence, True), (answer.most_pence + 1, False)):
        larger = _again(alert, at_stake_pence=pence)
        assert bool(find_answered([larger], [answer])) == is_held
        assert find_answered([larger], [answer, dataclasses.replace(answer, most_pence=10**9)])


def test_more_than_twice_as_many_in_one_list_are_asked_anew(alert: Alert) -> None:
    again = [_again(alert, alert_id=f"again {n}") for n in range(3)]
    assert len(find_answered(again[:2], [_answer(alert)])) == 2
    assert find_answered(again, [_answer(alert)]) == {}
    assert find_answered(again, [_answer(alert), _answer(alert, "s2")]) == {}, "one in each list"
    assert len(find_answered(again, [_answer(alert), _answer(alert)])) == 3
