"""The isolation forest: fit, score, explain, save, load. Nobody else touches scikit-learn.

It is imported where a forest is fitted or loaded: rules alone need no second for it.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from dataclasses import dataclass, fields
from functools import cached_property
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from cardwatch.errors import ModelRefused

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sklearn.tree._tree import Tree

    Numbers = np.ndarray[Any, np.dtype[np.float64]]

TREES, SAMPLES = 1000, 256
"""With 100 trees one alert in six changes with the seed; with 1,000 one in thirty (measured)."""
SEED = 20261101
LIBRARIES = ("scikit-learn", "numpy")
FOREST_FILE, MANIFEST_FILE, CARD_FILE = "forest.npz", "manifest.json", "CARD.md"
FEWEST_ROWS = 500
REFERENCE_ROWS, TOLERANCE = 16, 1e-9
"""Rows whose scores a manifest keeps, and by how much a score may differ when it is loaded."""


@dataclass(frozen=True)
class Forest:
    """A fitted forest and what it was fitted on.

    Attributes:
        features: columns it reads, in order.
        rows, holders: how many it was fitted on.
        first_on, last_on: the period of those rows.
        data_sha256: hash of the numbers it was fitted on.
        typical: median of each feature in those rows.
    """

    trees: tuple[Tree, ...]
    features: tuple[str, ...]
    rows: int
    holders: int
    first_on: str
    last_on: str
    data_sha256: str
    typical: tuple[float, ...]

    @cached_property
    def members(self) -> np.ndarray[Any, np.dtype[np.object_]]:
        """The trees as they are asked all together."""
        from cardwatch.isolation_trees import members_of  # noqa: PLC0415  a second to import

        return members_of(self.trees)

    @cached_property
    def average_depth(self) -> float:
        """The average depth of an unsuccessful search in a tree of all rows drawn for it."""
        from cardwatch.isolation_trees import average_depths  # noqa: PLC0415  a second to import

        return float(average_depths(self.trees[0].n_node_samples[:1])[0])

    def unusualness(self, features: Mapping[str, Any] | pd.DataFrame) -> Numbers:
        """Score how unusual each row is, 0 to 1, higher more unusual; 0.5 is ordinary.

        It is the anomaly score of Liu, Ting and Zhou (2008), eq. 2.
        """
        return _score(self, _matrix(features, self.features))

    def contributions(self, features: pd.DataFrame) -> pd.DataFrame:
        """Return how many splits sooner each feature lets the trees single each row out.

        By path depth; see `splits_saved` (docs/decisions/0132).
        """
        from cardwatch.isolation_trees import splits_saved  # noqa: PLC0415  a second to import

        saved = splits_saved(self.trees, _matrix(features, self.features))
        return pd.DataFrame(saved, features.index, self.features)


def fit_forest(
    features: Mapping[str, Any] | pd.DataFrame,
    columns: Sequence[str],
    rows: pd.DataFrame,
    seed: int = SEED,
) -> Forest:
    """Return a forest fitted to some rows.

    Args:
        features: columns by name, a row a payment.
        columns: those the forest is to read.
        rows: the payments themselves, same index, for what the model says of itself.
        seed: of the forest's own chance; another one shows how much hangs on it.
    """
    return fit_table(training_table(features, columns), columns, rows, seed)


def training_table(
    features: Mapping[str, Any] | pd.DataFrame, columns: Sequence[str]
) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Return the numbers that a forest is fitted to, in an order that only they decide.

    The same payments from other files give the same table, and so the same forest.
    """
    table = _matrix(features, columns)
    return table[np.lexsort(table.T[::-1])]


def fit_table(
    table: np.ndarray[Any, np.dtype[np.float32]],
    columns: Sequence[str],
    rows: pd.DataFrame,
    seed: int = SEED,
) -> Forest:
    """Return a forest fitted to a table as `training_table` gives it; see `fit_forest`."""
    from cardwatch.isolation_trees import fit_trees  # noqa: PLC0415  a second to import

    return Forest(
        trees=fit_trees(table, TREES, SAMPLES, seed),
        features=tuple(columns),
        rows=len(table),
        holders=int(rows["holder_id"].nunique()),
        first_on=str(rows["date"].min().date()),
        last_on=str(rows["date"].max().date()),
        data_sha256=hashlib.sha256(table.tobytes()).hexdigest(),
        typical=tuple(np.median(table, axis=0).tolist()),
    )


def _score(forest: Forest, table: np.ndarray[Any, Any]) -> Numbers:
    """Return the scores that scikit-learn gives negated, to the last bit, sooner.

    For each tree it sets its threads up anew, which takes longer than a hundred rows do. Here few
    rows ask all trees in one thread, and many are shared out over the processors: depths that trees
    on several threads add up in the order in which these end change their last bits from run to
    run. Shared memory is required, not preferred: inside a caller's joblib context the rows and
    trees would go to other processes.
    """
    from cardwatch.isolation_trees import added_depths  # noqa: PLC0415  a second to import

    count = min(os.cpu_count() or 1, len(table) // FEWEST_ROWS)
    depths = (
        _depths_in_threads(forest, table, count)
        if count > 1
        else added_depths(forest.members, table)
    )
    return 2.0 ** -(depths / (len(forest.trees) * forest.average_depth))


def _depths_in_threads(forest: Forest, table: np.ndarray[Any, Any], count: int) -> Numbers:
    """Return what `_depths` gives, the rows shared out over some threads."""
    import joblib  # noqa: PLC0415  a third of a second to import

    depths = joblib.Parallel(n_jobs=count, require="sharedmem")(
        joblib.delayed(_depths)(forest, part) for part in np.array_split(table, count)
    )
    return np.concatenate(depths)


def _depths(forest: Forest, table: np.ndarray[Any, Any]) -> Numbers:
    """Return what `added_depths` gives, beside other threads: scikit-learn lets them go on."""
    depths = np.zeros(len(table))
    for tree in forest.trees:
        depths += tree.predict(table)[:, 0]
    return depths


def _matrix(
    features: Mapping[str, Any] | pd.DataFrame, columns: Sequence[str]
) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.stack([np.asarray(features[name], "float32") for name in columns], axis=1)


def save_forest(forest: Forest, folder: Path) -> None:
    """Write a model folder: the forest, its manifest, and a card a person can read."""
    from cardwatch.isolation_trees import pack_trees  # noqa: PLC0415  a second to import

    folder.mkdir(parents=True, exist_ok=True)
    (folder / FOREST_FILE).write_bytes(pack_trees(forest.trees))
    facts = {f.name: getattr(forest, f.name) for f in fields(forest) if f.name != "trees"}
    manifest = {
        "name": folder.name,
        "settings": {"trees": TREES, "samples": SAMPLES, "seed": SEED},
        "fitted": facts,
        "libraries": {library: metadata.version(library) for library in LIBRARIES},
        "sha256": {FOREST_FILE: _sha256(folder / FOREST_FILE), "fitted": _facts_sha256(facts)},
        "reference": _reference(forest),
    }
    text = json.dumps(manifest, indent=2, sort_keys=True)
    (folder / MANIFEST_FILE).write_text(text + "\n", encoding="utf-8")
    (folder / CARD_FILE).write_text(_card(folder.name, forest), encoding="utf-8")


def load_forest(folder: Path) -> Forest:
    """Return the forest in a model folder once every check of it has passed.

    Hashes, then what the file holds and every tree's structure, then known scores: a forest that
    was changed is refused before it scores anything. The file is arrays of numbers: it names no
    types, and nothing in it can run. Versions of libraries need not agree: a
    forest that gives the reference rows the scores its manifest keeps is the same forest.

    Raises:
        ModelRefused: any check fails; it says which.
    """
    name = folder.name
    try:
        manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
        facts, sha256, settings = manifest["fitted"], manifest["sha256"], manifest["settings"]
        reference = manifest["reference"]
        data = (folder / FOREST_FILE).read_bytes()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelRefused(name, f"its folder is not complete ({type(error).__name__})") from error
    if hashlib.sha256(data).hexdigest() != sha256.get(FOREST_FILE):
        raise ModelRefused(name, f"{FOREST_FILE} does not match its manifest")
    if _facts_sha256(facts) != sha256.get("fitted"):
        raise ModelRefused(name, "its manifest was changed")
    trees = _unpack(name, data, len(facts["features"]))
    if len(trees) != settings["trees"]:
        raise ModelRefused(name, "its number of trees does not match its manifest")
    lists = {name: tuple(facts[name]) for name in ("features", "typical")}
    forest = Forest(trees=trees, **(facts | lists))
    _check_scores(name, forest, reference)
    return forest


def _unpack(name: str, data: bytes, width: int) -> tuple[Tree, ...]:
    """Return the trees of a forest file.

    Raises:
        ModelRefused: the file has something else, or a tree that points outside itself.
    """
    from cardwatch.isolation_trees import unpack_trees  # noqa: PLC0415  a second to import

    try:
        return unpack_trees(data, width)
    except ValueError as error:
        raise ModelRefused(name, f"its file {error}") from error


def _reference(forest: Forest) -> dict[str, list[object]]:
    """Make rows by chance, none of them a payment, and score them."""
    size = (REFERENCE_ROWS, len(forest.features))
    rows = np.random.default_rng(SEED).exponential(size=size).round(3)
    scores = _score(forest, rows.astype("float32"))
    return {"rows": rows.tolist(), "scores": scores.round(12).tolist()}


def _check_scores(name: str, forest: Forest, reference: Mapping[str, Any]) -> None:
    """Refuse a forest that scores the reference rows of its manifest otherwise than it did.

    Raises:
        ModelRefused: a score differs, or the manifest has no such rows.
    """
    try:
        rows = np.array(reference["rows"], "float32")
        expected = np.array(reference["scores"], "float64")
    except (KeyError, TypeError, ValueError) as error:
        raise ModelRefused(name, "its manifest has no reference scores") from error
    if rows.shape != (REFERENCE_ROWS, len(forest.features)) or expected.shape != rows.shape[:1]:
        raise ModelRefused(name, "its manifest has no reference scores")
    if not np.allclose(_score(forest, rows), expected, rtol=0, atol=TOLERANCE):
        raise ModelRefused(name, "its scores do not match those in its manifest")


def _facts_sha256(facts: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _card(name: str, forest: Forest) -> str:
    """Return the model card: what it is, what it was fitted on, what it cannot do."""
    listed = "\n".join(f"- `{feature}`" for feature in forest.features)
    days = (dt.date.fromisoformat(forest.last_on) - dt.date.fromisoformat(forest.first_on)).days
    return f"""# Model card: {name}

An isolation forest (Liu, Ting and Zhou 2008; scikit-learn) that scores how unusual a card payment
is compared with the payments it was trained on. It sees numbers only, and no names.

| | |
|---|---|
| payments trained on | {forest.rows:,} of {forest.holders:,} holders |
| period | {forest.first_on} to {forest.last_on} ({days} days) |
| trees, payments a tree, seed | {TREES}, {SAMPLES}, {SEED} |
| hash of the training data | `{forest.data_sha256}` |

## Purpose

Ordering payments that deserve a question, together with the rules. A high score is a reason to
look, never a finding about a person. No decision may rest on it alone.

## Cannot do

It has not been trained on known misuse. A practice that has always existed looks
ordinary to it. It scores single payments; splits are found by the split search, not by it.

## Features, in order

{listed}
"""
