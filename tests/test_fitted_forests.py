"""Fitted forests kept: the same bytes as fitted anew, bounded, and nothing but the same rows."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from cardwatch.fitted_forests import FittedForests
from cardwatch.forest import fit_forest
from cardwatch.reports.as_json import lists_content
from cardwatch.scoring import score

if TYPE_CHECKING:
    from cardwatch.policy import Policy
    from cardwatch.records import Statements

COLUMNS = ("first", "second")


def _features(seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.exponential(size=400) for name in COLUMNS}


@pytest.fixture
def rows() -> pd.DataFrame:
    return pd.DataFrame({"holder_id": ["H1"] * 400, "date": pd.Timestamp("2026-01-05")})


def test_a_kept_forest_is_the_fitted_one(rows: pd.DataFrame) -> None:
    forests, features = FittedForests(), _features(1)
    first = forests.fit(features, COLUMNS, rows)
    plain = fit_forest(features, COLUMNS, rows)
    assert forests.fit(features, COLUMNS, rows) is first
    assert forests.fitted_count == 1
    assert np.array_equal(first.unusualness(features), plain.unusualness(features))
    assert first.data_sha256 == plain.data_sha256


def test_the_order_of_rows_does_not_matter(rows: pd.DataFrame) -> None:
    forests, features = FittedForests(), _features(1)
    first = forests.fit(features, COLUMNS, rows)
    backwards = {name: values[::-1] for name, values in features.items()}
    assert forests.fit(backwards, COLUMNS, rows) is first


def test_what_differs_is_fitted_anew(rows: pd.DataFrame) -> None:
    forests, features = FittedForests(), _features(1)
    first = forests.fit(features, COLUMNS, rows)
    changed = {**features, "second": features["second"].copy()}
    changed["second"][7] += 1
    later = rows.assign(date=pd.Timestamp("2026-01-06"))
    others = [
        forests.fit(changed, COLUMNS, rows),
        forests.fit(features, COLUMNS[::-1], rows),
        forests.fit(features, COLUMNS, later),
        forests.fit(features, COLUMNS, rows.assign(holder_id=["H1", "H2"] * 200)),
    ]
    assert all(other is not first for other in others)
    assert others[2].last_on == "2026-01-06"


def test_the_oldest_leaves_first(rows: pd.DataFrame) -> None:
    forests = FittedForests(most=2)
    first = forests.fit(_features(1), COLUMNS, rows)
    forests.fit(_features(2), COLUMNS, rows)
    assert forests.fit(_features(1), COLUMNS, rows) is first
    forests.fit(_features(3), COLUMNS, rows)
    assert len(forests) == 2
    assert forests.fit(_features(1), COLUMNS, rows) is first


def test_threads_share_it(rows: pd.DataFrame) -> None:
    forests, features = FittedForests(), _features(1)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: forests.fit(features, COLUMNS, rows), range(8)))
    scores = [forest.unusualness(features) for forest in made]
    assert all(np.array_equal(scores[0], other) for other in scores)
    assert len(forests) == 1


def test_a_scoring_gives_the_same_bytes(sample: Statements, sample_policy: Policy) -> None:
    forests = FittedForests()
    asked = ["2026-10.csv"]
    plain = score(sample.transactions, sample_policy, asked_files=asked)
    for _ in range(2):
        kept = score(sample.transactions, sample_policy, asked_files=asked, fit=forests.fit)
        assert lists_content(kept.lists) == lists_content(plain.lists)
    assert forests.fitted_count == len(forests) > 0
