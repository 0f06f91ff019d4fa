"""The forest is the one that scikit-learn fits, bit for bit, whatever surrounds the caller."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest
from sklearn.tree._tree import NODE_DTYPE, Tree

from cardwatch import forest as forests
from cardwatch.isolation_trees import (
    TREES_AT_ONCE,
    added_depths,
    counted_depths,
    fit_trees,
    members_of,
    pack_trees,
    unpack_trees,
)

TREES, SAMPLES, SEED = 30, 256, 20261101


def _table(rows: int, columns: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    rng = np.random.default_rng(rows)
    spread = rng.exponential(size=(rows, columns)) * (rng.random((rows, columns)) < 0.4)
    return spread.round(2).astype("float32")


def _nodes(tree: Tree) -> list[bytes]:
    return [tree.__getstate__()["nodes"][name].tobytes() for name in NODE_DTYPE.names]


# 40,000 rows are drawn from by another method of scikit-learn's than 20,000 are.
@pytest.mark.parametrize(("rows", "columns"), [(40_000, 15), (20_000, 15), (600, 6), (100, 3)])
def test_trees_and_depths_are_scikit_learns(rows: int, columns: int) -> None:
    table = _table(rows, columns)
    plain = IsolationForest(
        n_estimators=TREES, max_samples=SAMPLES, contamination="auto", random_state=SEED
    )
    with warnings.catch_warnings():  # of fewer rows than are to be drawn
        warnings.simplefilter("ignore", UserWarning)
        plain.fit(table)
    ours = fit_trees(table, TREES, SAMPLES, SEED)
    theirs = [member.tree_ for member in plain.estimators_]
    assert [_nodes(tree) for tree in ours] == [_nodes(tree) for tree in theirs]
    passed, beyond = plain._decision_path_lengths, plain._average_path_length_per_tree
    for number, tree in enumerate(ours):
        depths = passed[number] + beyond[number] - 1.0
        assert counted_depths(tree).tobytes() == depths.tobytes()


def test_trees_read_again_end_where_they_ended() -> None:
    table = _table(3_000, 6)
    trees = fit_trees(table, TREES, SAMPLES, SEED)
    again = unpack_trees(pack_trees(trees), 6)
    others = np.concatenate([table, table * 3, -table])
    for tree, copied in zip(trees, again, strict=True):
        assert copied.apply(others).tobytes() == tree.apply(others).tobytes()
        assert counted_depths(copied).tobytes() == counted_depths(tree).tobytes()
    assert added_depths(members_of(again), others).tobytes() == (
        added_depths(members_of(trees), others).tobytes()
    )


@pytest.mark.parametrize("trees", [1, TREES_AT_ONCE, TREES_AT_ONCE + 1])
@pytest.mark.parametrize("rows", [0, 1, 100])
def test_trees_asked_together_add_up_what_each_says_alone(trees: int, rows: int) -> None:
    table = _table(600, 6)
    fitted = fit_trees(table, trees, SAMPLES, SEED)
    depths = np.zeros(rows)
    for tree in fitted:
        depths += counted_depths(tree)[tree.apply(table[:rows])]
    assert added_depths(members_of(fitted), table[:rows]).tobytes() == depths.tobytes()


def test_rows_stay_in_a_callers_process(monkeypatch: pytest.MonkeyPatch) -> None:
    table = _table(2_000, 4)
    columns = [f"c{number}" for number in range(4)]
    features = pd.DataFrame(table, columns=columns)
    rows = pd.DataFrame({"holder_id": "H1", "date": pd.Timestamp("2026-01-05")}, features.index)
    seen: list[int] = []
    depths = forests._depths

    def count(
        forest: forests.Forest, part: np.ndarray[tuple[int, ...], np.dtype[np.float32]]
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        seen.append(len(part))  # an append in another process would not be seen here
        return depths(forest, part)

    monkeypatch.setattr(forests, "_depths", count)
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    alone = forests.fit_forest(features, columns, rows).unusualness(features)
    with joblib.parallel_config("loky", n_jobs=2):
        within = forests.fit_forest(features, columns, rows).unusualness(features)
    assert seen == [1_000] * 4
    assert within.tolist() == alone.tolist()


def test_no_forest_no_scikit_learn() -> None:
    code = "import sys, cardwatch.scoring; print('sklearn' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"
