"""The forest: kept and loaded the same, and refused if anything about it was changed."""

from __future__ import annotations

import json
import pickle
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import IsolationForest

from cardwatch.errors import ModelRefused
from cardwatch.features import FOREST_FEATURES, Ledger, build_features
from cardwatch.forest import (
    FOREST_FILE,
    MANIFEST_FILE,
    SAMPLES,
    SEED,
    TREES,
    fit_forest,
    load_forest,
    save_forest,
    training_table,
)
from cardwatch.isolation_trees import ARRAYS, MOST_BYTES
from cardwatch.scoring import train

if TYPE_CHECKING:
    from cardwatch.policy import Policy
    from cardwatch.records import Statements

DEMO = Path(__file__).parents[1] / "models" / "demo"
COLUMNS = ("first_surprise", "second_surprise")


@pytest.fixture(scope="module")
def numbers() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(rng.exponential(size=(600, 2)), columns=list(COLUMNS))


@pytest.fixture(scope="module")
def kept(numbers: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    day = pd.Timestamp("2026-01-05")
    rows = pd.DataFrame({"holder_id": "H1", "date": day}, index=numbers.index)
    folder = tmp_path_factory.mktemp("models") / "small"
    save_forest(fit_forest(numbers, COLUMNS, rows), folder)
    return folder


@pytest.fixture
def changed(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "small"))


def resign(folder: Path) -> None:
    """Put the changed file's hash into the manifest, as somebody who changed it would."""
    import hashlib  # noqa: PLC0415  used here only

    manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    digest = hashlib.sha256((folder / FOREST_FILE).read_bytes()).hexdigest()
    manifest["sha256"][FOREST_FILE] = digest
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest), encoding="utf-8")


def test_planted_outliers_are_the_most_unusual_rows(numbers: pd.DataFrame, kept: Path) -> None:
    planted = numbers.copy()
    planted.loc[[10, 200, 300, 599]] = 40.0
    scores = load_forest(kept).unusualness(planted)
    assert set(np.argsort(scores)[-4:]) == {10, 200, 300, 599}
    assert ((scores > 0) & (scores < 1)).all()


def test_a_kept_forest_gives_the_same_scores_bit_for_bit(numbers: pd.DataFrame, kept: Path) -> None:
    first, second = load_forest(kept), load_forest(kept)
    assert (first.unusualness(numbers) == second.unusualness(numbers)).all()


def test_scores_are_scikit_learns_to_the_last_bit() -> None:
    rng, width = np.random.default_rng(2), 15
    columns = [f"surprise_{number}" for number in range(width)]
    fitted = pd.DataFrame(rng.exponential(size=(3_000, width)), columns=columns)
    rows = pd.DataFrame({"holder_id": "H1", "date": pd.Timestamp("2026-01-05")}, fitted.index)
    forest = fit_forest(fitted, columns, rows)
    plain = IsolationForest(n_estimators=TREES, max_samples=SAMPLES, random_state=SEED)
    plain.fit(training_table(fitted, columns))
    table = rng.exponential(3.0, (2_500, width)).astype("float32")
    cuts = np.concatenate([tree.threshold for tree in forest.trees]).astype("float32")
    table[:500] = rng.choice(cuts, (500, width))
    table[500:1_000] = np.nextafter(rng.choice(cuts, (500, width)), np.float32(np.inf))
    table[1_000:1_500] *= rng.random((500, width)) < 0.3
    table[1_500:1_503] = [[np.float32(3e38)], [np.float32(-3e38)], [-0.0]]
    frame = pd.DataFrame(table, columns=columns)
    for part in (frame, frame[:1], frame[700:800]):
        theirs = -plain.score_samples(part.to_numpy())
        assert forest.unusualness(part).tobytes() == theirs.tobytes()


def test_features_explain_the_whole_score_and_name_what_is_unlike_the_others(
    numbers: pd.DataFrame, kept: Path
) -> None:
    forest, planted = load_forest(kept), numbers.copy()
    planted.iloc[[10, 200], 1] = 40.0
    told = forest.contributions(planted)
    depths = -np.log2(forest.unusualness(planted)) * forest.average_depth
    whole = told.sum(axis=1) + depths  # the depth at which payments count on average
    assert whole.to_numpy() == pytest.approx(whole.mean(), abs=1e-9)
    assert set(told.iloc[[10, 200]].idxmax(axis=1)) == {numbers.columns[1]}
    assert (told.iloc[[10, 200], 1] > 1).all()
    assert abs(told.to_numpy()).mean() < 1


def test_a_manifest_that_says_something_else_is_refused(changed: Path) -> None:
    manifest = json.loads((changed / MANIFEST_FILE).read_text(encoding="utf-8"))
    manifest["fitted"]["features"].reverse()
    (changed / MANIFEST_FILE).write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelRefused, match="manifest was changed"):
        load_forest(changed)


def test_a_model_card_says_what_it_cannot_do(kept: Path) -> None:
    card = (kept / "CARD.md").read_text(encoding="utf-8")
    assert "Cannot do" in card
    assert "never a finding" in card


@pytest.mark.parametrize("name", [FOREST_FILE, MANIFEST_FILE])
def test_a_model_with_a_file_missing_is_refused(changed: Path, name: str) -> None:
    (changed / name).unlink()
    with pytest.raises(ModelRefused, match="not complete"):
        load_forest(changed)


def test_every_changed_byte_is_noticed(changed: Path) -> None:
    data = bytearray((changed / FOREST_FILE).read_bytes())
    for place in range(0, len(data), len(data) // 40):
        other = data.copy()
        other[place] ^= 1
        (changed / FOREST_FILE).write_bytes(other)
        with pytest.raises(ModelRefused):
            load_forest(changed)


def test_a_pickle_under_the_forests_name_is_refused_unread(changed: Path) -> None:
    (changed / FOREST_FILE).write_bytes(pickle.dumps({"a": 1}))
    resign(changed)
    with pytest.raises(ModelRefused):
        load_forest(changed)


def rewrite(folder: Path, **changes: np.ndarray) -> None:
    """Put other arrays into the forest file, with a manifest that agrees."""
    with np.load(folder / FOREST_FILE) as file:
        arrays = {name: file[name].copy() for name in file.files} | changes
    np.savez_compressed(folder / FOREST_FILE, **arrays)
    resign(folder)


@pytest.mark.parametrize("place", [1_000_000, -3, 0])
@pytest.mark.parametrize("field", ["feature", "left_child", "right_child"])
def test_a_tree_that_points_outside_itself_is_refused(
    changed: Path, field: str, place: int
) -> None:
    with np.load(changed / FOREST_FILE) as file:
        third = int(file["node_counts"][:3].sum())  # where the fourth tree begins
        values = file[field].copy()
    values[third] = place if (field, place) != ("feature", 0) else 2
    rewrite(changed, **{field: values})
    with pytest.raises(ModelRefused, match=r"damaged tree \(3\)"):
        load_forest(changed)


@pytest.mark.parametrize(
    "changes",
    [
        {"node_counts": np.array([5], np.int32)},
        {"node_counts": np.array([2**31 - 1] * 3, np.int32)},
        {"node_counts": np.array([-1, 1], np.int32)},
        {"node_counts": np.array([], np.int32)},
        {name: np.array([], kind) for name, kind in {**ARRAYS, "node_counts": np.int32}.items()},
        {"threshold": np.array([np.nan])},
        {"threshold": np.zeros((1, 1))},
        {"feature": np.array(["x"])},
        {"feature": np.array([None], object)},
        {"more": np.zeros(3)},
    ],
)
def test_something_else_than_a_forest_is_refused(
    changed: Path, changes: dict[str, np.ndarray]
) -> None:
    rewrite(changed, **changes)
    with pytest.raises(ModelRefused, match="its file"):
        load_forest(changed)


def test_a_forest_that_unpacks_to_more_than_any_has_is_refused_unread(changed: Path) -> None:
    rewrite(changed, threshold=np.zeros(MOST_BYTES // 8))
    assert (changed / FOREST_FILE).stat().st_size < MOST_BYTES // 100
    with pytest.raises(ModelRefused, match="larger than any forest"):
        load_forest(changed)


def test_a_model_of_another_library_version_is_used_if_it_scores_the_same(changed: Path) -> None:
    manifest = json.loads((changed / MANIFEST_FILE).read_text(encoding="utf-8"))
    manifest["libraries"]["numpy"] = "0.1"
    (changed / MANIFEST_FILE).write_text(json.dumps(manifest), encoding="utf-8")
    assert load_forest(changed).rows == 600
    manifest["reference"]["scores"][3] += 1e-6
    (changed / MANIFEST_FILE).write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelRefused, match="scores do not match"):
        load_forest(changed)


@pytest.mark.parametrize(
    "reference",
    [None, {}, {"rows": [], "scores": []}, {"rows": "x", "scores": 1}, {"rows": [[1.0, "x"]]}],
)
def test_a_manifest_without_reference_scores_is_refused(changed: Path, reference: object) -> None:
    manifest = json.loads((changed / MANIFEST_FILE).read_text(encoding="utf-8"))
    manifest["reference"] = reference
    (changed / MANIFEST_FILE).write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(ModelRefused, match="no reference scores"):
        load_forest(changed)


def test_the_demonstration_model_is_what_fitting_it_again_gives(
    sample: Statements, sample_policy: Policy
) -> None:
    kept_demo = load_forest(DEMO)
    again = train(sample.transactions, sample_policy)
    assert kept_demo.data_sha256 == again.data_sha256, "run 'make model'"
    features = build_features(Ledger(sample.transactions, sample_policy))
    assert kept_demo.features == FOREST_FEATURES
    assert (kept_demo.unusualness(features) == again.unusualness(features)).all()
