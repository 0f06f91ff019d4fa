"""Recall and precision say what a reader of the list would have found."""

from __future__ import annotations

import pytest

from cardwatch.evaluation.dataset import AlertGroup
from cardwatch.evaluation.measure import NOT_FOUND, PER_1000, find_matters_in, recalls

MATTERS = (
    AlertGroup("split", "A", (1, 2, 3), needed=2),
    AlertGroup("split", "B", (4, 5), needed=2),
    AlertGroup("other", "C", (6,)),
)


def test_places_count_every_alert_read_before_and_pass_over_other_styles() -> None:
    items = [[90], [6], [1, 2], [91, 92], [4, 5]]
    found = find_matters_in(items, MATTERS, "split", payments=1000)
    assert found.places == (2, 4)
    assert found.precision == pytest.approx((1 / 2 + 2 / 4) / 2)
    assert found.base_rate == pytest.approx(2 / 4)


def test_too_few_of_a_matters_rows_do_not_find_it_and_count_as_a_false_alarm() -> None:
    found = find_matters_in([[1], [1, 2]], MATTERS, "split", payments=1000)
    assert found.places == (2, NOT_FOUND)


def test_a_matter_found_again_costs_nothing_more() -> None:
    found = find_matters_in([[1, 2], [2, 3], [4, 5]], MATTERS, "split", payments=2000)
    assert found.places == (0.5, 1.0)


def test_an_empty_list_finds_nothing() -> None:
    found = find_matters_in([], MATTERS, "split", payments=10)
    assert found.places == (NOT_FOUND, NOT_FOUND)
    assert found.precision == 0


def test_recall_grows_with_the_list_and_its_interval_holds_it() -> None:
    items = [[row] for row in range(100, 140)]
    items[0], items[20] = [1, 2], [4, 5]
    found = find_matters_in(items, MATTERS, "split", payments=4000)
    told = recalls([found])
    assert [recall.per_1000 for recall in told] == list(PER_1000)
    shares = [recall.share for recall in told]
    assert shares == sorted(shares)
    assert shares[0] == 0.5
    assert shares[-1] == 1.0
    assert all(recall.low <= recall.share <= recall.high for recall in told)
