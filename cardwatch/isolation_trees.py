"""The trees of an isolation forest: fitted, written as arrays, and built from them again.

Imported only where a forest is fitted or loaded: scikit-learn takes a second to load.
"""

from __future__ import annotations

import copy
import io
import math
import tokenize
import zipfile
import zlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import RandomState
from sklearn.ensemble._gradient_boosting import predict_stages
from sklearn.tree import ExtraTreeRegressor
from sklearn.tree._tree import NODE_DTYPE, Tree
from sklearn.utils.random import sample_without_replacement

if TYPE_CHECKING:
    from collections.abc import Sequence

    Table = np.ndarray[Any, np.dtype[np.float32]]
    Numbers = np.ndarray[Any, np.dtype[np.float64]]
    Members = np.ndarray[Any, np.dtype[np.object_]]

SEEDS_BELOW = np.iinfo(np.int32).max
"""The bound below which scikit-learn draws the seeds of trees."""
ONE_OUTPUT = np.ones(1, np.intp)
LEAF = -1
"""Value that scikit-learn writes as the children of a leaf."""
ARRAYS = {
    "left_child": np.int32, "right_child": np.int32, "feature": np.int32, "threshold": np.float64,
    "n_node_samples": np.int32,
}  # fmt: skip
"""Fields of a node that scoring reads, by scikit-learn's names, with their types here."""
NODE_COUNTS = "node_counts"
TREES_AT_ONCE = 100
"""Trees asked in one call, in which no other thread goes on: 3 ms for 1,000 rows."""
MOST_BYTES = 64 * 2**20
"""Of the arrays of a forest together; 1,000 trees of 256 rows have at most 11 MiB."""


def fit_trees(table: Table, trees: int, samples: int, seed: int) -> tuple[Tree, ...]:
    """Fit the trees of scikit-learn's `IsolationForest`: the same trees, in less time.

    The value of each node is the depth at which a payment that ends there counts.

    scikit-learn gives each tree all rows with weights of 0 and 1, and sets up three generators of
    random numbers for it. Here its builder gets the rows drawn, in their order, and one generator
    is seeded anew: the draws, the trees and the scores are the same to the last bit
    (`tests/test_isolation_trees.py` compares them).

    Args:
        table: a row a payment, a column a feature; finite.
        trees: the number of trees.
        samples: the number of rows drawn for each; all, where there are fewer.
        seed: of the draws and the trees.
    """
    size = min(samples, len(table))
    regressor = ExtraTreeRegressor(
        max_features=1, splitter="random", max_depth=math.ceil(math.log2(max(size, 2)))
    )
    outcomes = RandomState(seed).uniform(size=len(table))
    seeds = RandomState(seed).randint(SEEDS_BELOW, size=trees)
    chance = RandomState(0)
    fitted = []
    for tree_seed in seeds:
        rows = _draw_rows(table.shape, size, tree_seed, chance)
        fitted.append(_fit_tree(regressor, table[rows], outcomes[rows], tree_seed, chance))
    return tuple(fitted)


def _draw_rows(
    shape: tuple[int, int], size: int, seed: int, chance: RandomState
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return the rows that scikit-learn's bagging draws for a tree, in the order of the table.

    Args:
        shape: of the table.
        size: how many are drawn.
        seed: of the tree.
        chance: a generator that is seeded here; a new one would take as long as the tree.
    """
    chance.seed(seed)
    count, width = shape
    sample_without_replacement(width, width, random_state=chance)  # columns are drawn first
    return np.sort(sample_without_replacement(count, size, random_state=chance))


def _fit_tree(
    regressor: ExtraTreeRegressor, table: Table, outcomes: Numbers, seed: int, chance: RandomState
) -> Tree:
    """Fit one tree to the rows drawn for it, as scikit-learn's bagging does.

    Args:
        regressor: how it is to be fitted.
        table: the rows.
        outcomes: what the splits pretend to predict.
        seed: of the tree.
        chance: as of `_draw_rows`.
    """
    chance.seed(seed)
    chance.seed(chance.randint(SEEDS_BELOW))
    member = copy.copy(regressor)
    member.random_state = chance
    member._fit(table, outcomes, check_input=False)  # noqa: SLF001  `fit` without checks
    tree = member.tree_
    tree.value[:, 0, 0] = counted_depths(tree)
    return tree


def counted_depths(tree: Tree) -> Numbers:
    """Return the depth at which a payment that ends at each node of a tree counts.

    The splits passed, and what a search among the rows that ended there would need on average
    (Liu, Ting and Zhou 2008, section 3).
    """
    return tree.compute_node_depths() + average_depths(tree.n_node_samples) - 1.0


def members_of(trees: Sequence[Tree]) -> Members:
    """Return trees as `added_depths` asks them: a row a tree."""
    members = np.empty((len(trees), 1), dtype=object)
    members[:, 0] = [SimpleNamespace(tree_=tree) for tree in trees]
    return members


def added_depths(members: Members, table: Table) -> Numbers:
    """Return the depths at which the rows of a table count, added up tree by tree.

    scikit-learn's loop over boosted trees adds up the values of the nodes in which rows end: the
    same sum to the last bit as tree after tree, without a call and two arrays for each.

    Args:
        members: the trees, as `members_of` gives them.
        table: a row a payment, a column a feature; finite.
    """
    depths = np.zeros((len(table), 1))
    for first in range(0, len(members), TREES_AT_ONCE):
        predict_stages(members[first : first + TREES_AT_ONCE], table, 1.0, depths)
    return depths[:, 0]


def splits_saved(trees: Sequence[Tree], table: Table) -> Numbers:
    """Return how many splits sooner each feature lets the trees single a row out, on average.

    At each node a payment counts, on average over the rows the tree was fitted to, at some depth;
    what a split on the row's way changes of it is put down to the feature that splits (Saabas 2014,
    the path-dependent explanation of a tree). A row's features together are the depth at which a
    payment counts on average, less its own: they add up to what the score is made of.

    Args:
        trees: as of `fit_trees`.
        table: a row a payment, a column a feature; finite.

    Returns:
        a row a payment, a column a feature, in splits; below 0 where a feature is ordinary.
    """
    counts = np.array([tree.node_count for tree in trees])
    starts = np.cumsum(counts) - counts
    nodes = np.concatenate([tree.__getstate__()["nodes"] for tree in trees])
    level = np.concatenate([tree.compute_node_depths() for tree in trees]).astype(np.int64)
    depth = np.concatenate([tree.value[:, 0, 0] for tree in trees])
    own_tree = np.repeat(starts, counts)
    left, right = nodes["left_child"] + own_tree, nodes["right_child"] + own_tree
    is_split, rows = nodes["left_child"] != LEAF, nodes["n_node_samples"]
    by_level = [np.flatnonzero(is_split & (level == at)) for at in range(1, level.max() + 1)]
    for split in by_level[::-1]:
        below, beside = left[split], right[split]
        both = depth[below] * rows[below] + depth[beside] * rows[beside]
        depth[split] = both / rows[split]
    saved = np.zeros((len(nodes), table.shape[1]))
    for split in by_level:
        for child in (left[split], right[split]):
            saved[child] = saved[split]
            saved[child, nodes["feature"][split]] += depth[split] - depth[child]
    total = np.zeros(table.shape)
    for tree, start in zip(trees, starts, strict=True):
        total += saved[start + tree.apply(table)]
    return total / len(trees)


def average_depths(counts: np.ndarray[Any, Any]) -> Numbers:
    """Return the average depth of an unsuccessful search in a tree of so many rows.

    Liu, Ting and Zhou (2008), eq. 1, computed in scikit-learn's order of operations.
    """
    counts = np.asarray(counts, np.float64)
    many = np.maximum(counts, 3.0)
    depths = 2.0 * (np.log(many - 1.0) + np.euler_gamma) - 2.0 * (many - 1.0) / many
    return np.where(counts > 2, depths, (counts == 2).astype(np.float64))


def pack_trees(trees: Sequence[Tree]) -> bytes:
    """Return what scoring reads of some trees, as compressed arrays of numpy's own format."""
    nodes = np.concatenate([tree.__getstate__()["nodes"] for tree in trees])
    arrays: dict[str, Any] = {name: nodes[name].astype(kind) for name, kind in ARRAYS.items()}
    arrays[NODE_COUNTS] = np.array([tree.node_count for tree in trees], np.int32)
    file = io.BytesIO()
    np.savez_compressed(file, allow_pickle=False, **arrays)
    return file.getvalue()


def unpack_trees(data: bytes, width: int) -> tuple[Tree, ...]:
    """Return the trees that `pack_trees` wrote, once each is known to stay within itself.

    scikit-learn follows the indices of a tree unchecked: one that points outside would read any
    memory.

    Args:
        data: as of `pack_trees`.
        width: the number of columns of the tables that the trees are to read.

    Raises:
        ValueError: the data is no trees, or a tree is damaged; it says which.
    """
    arrays = _read_arrays(data)
    counts = arrays.pop(NODE_COUNTS)
    total = int(counts.sum(dtype=np.int64))
    if (
        not len(counts)
        or (counts < 1).any()
        or any(len(values) != total for values in arrays.values())
    ):
        raise ValueError("has trees of another size than it says")
    starts = np.cumsum(counts, dtype=np.int64) - counts
    node = np.arange(total) - np.repeat(starts, counts)
    left, right = arrays["left_child"], arrays["right_child"]
    beyond = np.repeat(counts, counts)
    is_leaf = (left == LEAF) & (right == LEAF)
    is_split = (left > node) & (right > node) & (left < beyond) & (right < beyond)
    is_split &= (arrays["feature"] >= 0) & (arrays["feature"] < width)
    is_split &= np.isfinite(arrays["threshold"])
    is_sound = (is_leaf | is_split) & (arrays["n_node_samples"] >= 1)
    if not is_sound.all():
        number = int(np.searchsorted(starts, int(np.argmin(is_sound)), side="right")) - 1
        raise ValueError(f"has a damaged tree ({number})")
    nodes = np.zeros(total, NODE_DTYPE)
    for name, values in arrays.items():
        nodes[name] = values
    return tuple(_tree(part, width) for part in np.split(nodes, starts[1:]))


def _read_arrays(data: bytes) -> dict[str, np.ndarray[Any, Any]]:
    """Return the arrays of a forest, each of one dimension and of its type.

    Raises:
        ValueError: the data is something else, or far larger than a forest.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
                raise ValueError("is larger than any forest")
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            arrays = {name: np.asarray(file[name]) for name in file.files}
    except (
        zipfile.BadZipFile,
        zlib.error,
        OSError,
        EOFError,
        KeyError,
        RuntimeError,  # an encrypted entry, or one packed otherwise
        MemoryError,  # a header that says too many rows
        tokenize.TokenError,  # a damaged header
    ) as error:
        raise ValueError(f"cannot be read ({type(error).__name__})") from error
    kinds = {**ARRAYS, NODE_COUNTS: np.int32}
    if {name: values.dtype for name, values in arrays.items()} != kinds or any(
        values.ndim != 1 for values in arrays.values()
    ):
        raise ValueError("has something else than trees")
    return arrays


def _tree(nodes: np.ndarray[Any, Any], width: int) -> Tree:
    """Return a tree of scikit-learn's that has these nodes; of a depth that nothing reads."""
    tree = Tree(width, ONE_OUTPUT, 1)
    tree.__setstate__({
        "max_depth": len(nodes), "node_count": len(nodes), "nodes": nodes.copy(),
        "values": np.zeros((len(nodes), 1, 1)),
    })  # fmt: skip
    tree.value[:, 0, 0] = counted_depths(tree)
    return tree
