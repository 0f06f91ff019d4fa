"""The whole evaluation on the invented force: figures, rivals, files, and refusals."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from cardwatch.errors import NothingToScore
from cardwatch.evaluation.benchmark import OURS, Plan, _findings, evaluate
from cardwatch.evaluation.dataset import ASKED
from cardwatch.evaluation.inject import InjectionPlan, plant
from cardwatch.evaluation.plots import draw
from cardwatch.scoring import score

if TYPE_CHECKING:
    from cardwatch.evaluation.benchmark import Evaluation
    from cardwatch.policy import Policy
    from cardwatch.records import Statements

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def found(sample: Statements, sample_policy: Policy) -> Evaluation:
    plan = Plan(start=dt.date(2026, 5, 1), seeds=1)
    return evaluate(sample.transactions, sample_policy, plan)


def test_splits_are_found_before_the_rivals_find_them(found: Evaluation) -> None:
    for style in ("split, near the limit", "split, equal", "split, uneven"):
        rows = {row.ranker: row for row in found.rows if row.style == style}
        ours = rows.pop(OURS)
        assert ours.recalls[-1].share >= 0.75, style
        assert rows.keys() == {"same-day rule", "7-day rule by money"}
        assert all(ours.precision >= row.precision for row in rows.values()), style


def test_what_is_looked_for_in_another_lane_is_not_told_of(
    sample: Statements, sample_policy: Policy
) -> None:
    start, sowing = pd.Timestamp("2026-05-01"), InjectionPlan(splits=2)
    world = plant(sample.transactions, sample_policy, start, sowing, 11)
    scoring = score(world.transactions, sample_policy, asked_files=[ASKED], lanes=("finance",))
    theirs = "split, across holders"
    assert theirs in {matter.style for matter in world.matters}
    told = {style for (style, _), _ in _findings(world, scoring, sowing)}
    assert "split, equal" in told
    assert theirs not in told


def test_moved_payments_stand_high_above_their_base_rate(found: Evaluation) -> None:
    row = next(r for r in found.rows if (r.style, r.ranker) == ("merchant, moved", OURS))
    assert row.precision > 20 * row.base_rate


def test_weekly_suppliers_stay_quiet(found: Evaluation) -> None:
    weekly = next(one for one in found.quiet if one.style == "weekly supplier")
    assert weekly.planted >= 30
    assert weekly.alerts <= 1


def test_plots_are_the_same_bytes_for_the_same_figures(found: Evaluation, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    first = [path.read_bytes() for path in draw(found, tmp_path)]
    assert first == [path.read_bytes() for path in draw(found, tmp_path)]
    assert all(picture.startswith(b"<?xml") for picture in first)


def test_without_history_there_is_nothing_to_evaluate(
    sample: Statements, sample_policy: Policy
) -> None:
    with pytest.raises(NothingToScore, match="before 2025-09-01"):
        evaluate(sample.transactions, sample_policy, Plan(start=dt.date(2025, 9, 1)))


def test_the_command_refuses_what_it_cannot_evaluate_in_one_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "cardwatch", "evaluate", ROOT / "sample_data" / "statements"]
    command += ["--from", "2027-01-01"]
    env = os.environ | {"CARDWATCH_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    answer = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert answer.returncode == 3
    assert "An evaluation needs at least" in answer.stderr
    assert "Traceback" not in answer.stderr
