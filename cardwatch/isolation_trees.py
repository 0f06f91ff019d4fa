"""Fits the trees of an isolation forest, each to the rows drawn for it and no others.

Imported only where a forest is fitted: scikit-learn takes a second to load.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np
from numpy.random import RandomState
from sklearn.ensemble import IsolationForest
from sklearn.ensemble._iforest import _average_path_length
from sklearn.utils.random import sample_without_replacement

if TYPE_CHECKING:
    Table = np.ndarray[Any, np.dtype[np.float32]]
    Numbers = np.ndarray[Any, np.dtype[np.float64]]
    Codes = np.ndarray[Any, np.dtype[np.int64]]
    Tree = Any  # scikit-learn has no types

SEEDS_BELOW = np.iinfo(np.int32).max
"""The bound below which scikit-learn draws the seeds of trees."""


def fit_trees(table: Table, trees: int, samples: int, seed: int) -> IsolationForest:
    """Fit scikit-learn's isolation forest to a table: the same forest, in less time.

    scikit-learn gives each tree all rows with weights of 0 and 1, and sets up three generators of
    random numbers for it. Here its builder gets the rows drawn, in their order, and one generator
    is seeded anew: the draws, the trees and the scores are the same to the last bit
    (`tests/test_isolation_trees.py` compares them).

    Args:
        table: a row a payment, a column a feature; finite.
        trees: the number of trees.
        samples: the number of rows drawn for each.
        seed: of the draws and the trees.

    Returns:
        The forest that `IsolationForest.fit` gives.
    """
    sample_size = min(samples, len(table))
    forest = IsolationForest(
        n_estimators=1, max_samples=sample_size, contamination="auto", random_state=seed
    )
    # A caller's joblib context would ship the table to other processes.
    with joblib.parallel_config("sequential"):
        forest.fit(table)  # sets up all but the trees; its one tree is fitted again below
    outcomes = RandomState(seed).uniform(size=len(table))
    seeds = RandomState(seed).randint(SEEDS_BELOW, size=trees)
    chance = RandomState(0)
    fitted = [_fit_tree(forest, table, outcomes, tree_seed, chance) for tree_seed in seeds]
    leaves = _average_path_length(np.arange(sample_size + 1))  # of a leaf with so many rows
    forest.set_params(n_estimators=trees, max_samples=samples)
    vars(forest).update(
        _seeds=seeds,
        estimators_=[tree for tree, _ in fitted],
        estimators_features_=[columns for _, columns in fitted],
        _average_path_length_per_tree=tuple(leaves[t.tree_.n_node_samples] for t, _ in fitted),
        _decision_path_lengths=tuple(t.tree_.compute_node_depths() for t, _ in fitted),
    )
    return forest


def _fit_tree(
    forest: IsolationForest, table: Table, outcomes: Numbers, seed: int, chance: RandomState
) -> tuple[Tree, Codes]:
    """Fit one tree as scikit-learn's bagging does.

    Args:
        forest: whose tree it is to be.
        table: as of `fit_trees`.
        outcomes: what the splits pretend to predict.
        seed: of its draw.
        chance: a generator that is seeded here; a new one would take as long as the tree.

    Returns:
        The tree, and the columns it reads in their order, which are all.
    """
    chance.seed(seed)
    count, width = table.shape
    columns = sample_without_replacement(width, width, random_state=chance)
    # A weight for each row puts the drawn ones in the order of the table.
    rows = np.sort(sample_without_replacement(count, forest.max_samples_, random_state=chance))
    chance.seed(seed)
    own_seed = chance.randint(SEEDS_BELOW)
    chance.seed(own_seed)
    tree = copy.copy(forest.estimator_)
    tree.random_state = chance
    tree._fit(table[rows], outcomes[rows], check_input=False)  # noqa: SLF001  `fit` without checks
    tree.random_state = own_seed
    return tree, columns
