"""The sentences above a list: what a usual month has, and what is far from it."""

from __future__ import annotations

import pytest

from cardwatch.alerts.wording import DRIFT_TIMES, FEWEST_TO_TELL, drift_notes, expected_words


def test_a_list_says_what_a_usual_month_has_and_what_nine_of_ten_have_at_most() -> None:
    assert (
        "A usual month with as many payments has about 8, and 9 of 10 months have at most 12."
        in (expected_words(15, 16, 8.0, 12))
    )
    assert "has fewer than one." in expected_words(2, 2, 0.4)


@pytest.mark.parametrize(
    ("alerts", "expected", "most", "drifts"),
    [
        (24, 8.0, 12, False),
        (25, 8.0, 12, True),
        (DRIFT_TIMES * FEWEST_TO_TELL, 0.1, 1, False),
        (DRIFT_TIMES * FEWEST_TO_TELL + 1, 0.1, 1, True),
        (5, 10.0, 14, False),
        (4, 10.0, 14, True),
        (0, 9.9, 14, False),
        (500, None, None, False),
        (500, 3.0, None, False),
    ],
)
def test_far_more_or_fewer_alerts_than_usual_ask_for_a_review(
    alerts: int, expected: float | None, most: int | None, *, drifts: bool
) -> None:
    assert bool(drift_notes(alerts, expected, most)) == drifts
