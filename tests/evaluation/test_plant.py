"""Planting rearranges real payments, the same for the same seed, and says truly what it did."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from cardwatch.evaluation.dataset import ASKED, HISTORY
from cardwatch.evaluation.inject import InjectionPlan, plant, shift_days
from cardwatch.evaluation.inject_splits import PART_STYLES

if TYPE_CHECKING:
    from cardwatch.evaluation.dataset import World
    from cardwatch.policy import Policy
    from cardwatch.records import Statements

START = pd.Timestamp("2026-05-01")
EVERYTHING = InjectionPlan(
    splits=3, merchants=("moved", "scaled", "special", "seldom used"), others=4
)


@pytest.fixture(scope="module")
def world(sample: Statements, sample_policy: Policy) -> World:
    return plant(sample.transactions, sample_policy, START, EVERYTHING, seed=5)


def _rows(world: World, style: str) -> list[pd.DataFrame]:
    table = world.transactions.set_index("row", drop=False)
    return [table.loc[list(m.rows)] for m in world.matters if m.style == style]


def test_the_same_seed_plants_the_same_and_another_seed_another(
    world: World, sample: Statements, sample_policy: Policy
) -> None:
    again = plant(sample.transactions, sample_policy, START, EVERYTHING, seed=5)
    other = plant(sample.transactions, sample_policy, START, EVERYTHING, seed=6)
    pd.testing.assert_frame_equal(again.transactions, world.transactions)
    assert again.matters == world.matters
    assert other.matters != world.matters


def test_every_payment_has_a_number_of_its_own_and_lies_in_history_or_is_scored(
    world: World,
) -> None:
    assert world.transactions["row"].is_unique
    late = {row for m in world.matters if m.style == "quiet: posted late" for row in m.rows}
    early = world.transactions["date"] < START
    scored = world.transactions["file"] == ASKED
    assert set(world.transactions["file"]) == {ASKED, HISTORY}
    posted_late = set(world.transactions["row"][early & scored])
    assert posted_late
    assert posted_late <= late
    assert not (~early & ~scored).any()


def test_what_is_looked_for_is_scored(world: World) -> None:
    scored = set(world.transactions["row"][world.transactions["file"] == ASKED])
    for matter in world.matters:
        assert set(matter.rows) <= scored


@pytest.mark.parametrize("style", PART_STYLES)
def test_parts_keep_to_the_limit_and_pass_it_together_within_a_week(
    world: World, sample_policy: Policy, style: str
) -> None:
    matters = _rows(world, f"split, {style}")
    assert len(matters) == 3
    for rows in matters:
        limits = sample_policy.limits_in_force("single_purchase", rows["holder_id"], rows["date"])
        assert (rows["amount_pence"] <= limits["pence"]).all()
        assert rows["amount_pence"].sum() > limits["pence"].max()
        assert (rows["date"].max() - rows["date"].min()).days <= 7
        assert rows[["holder_id", "merchant"]].drop_duplicates().shape[0] == 1


def test_a_split_across_holders_has_a_part_for_each_in_one_cost_centre(world: World) -> None:
    for rows in _rows(world, "split, across holders"):
        assert rows["holder_id"].is_unique
        assert len(set(rows["cost_centre"])) == 1


def test_a_moved_payment_goes_to_a_holder_who_never_used_the_merchant(
    world: World, sample: Statements
) -> None:
    met = set(zip(sample.transactions["holder_id"], sample.transactions["merchant"], strict=True))
    for rows in _rows(world, "merchant, moved"):
        assert (rows["holder_id"].iat[0], rows["merchant"].iat[0]) not in met


def test_nothing_is_lost_where_payments_only_move(
    sample: Statements, sample_policy: Policy
) -> None:
    moved = plant(
        sample.transactions, sample_policy, START, InjectionPlan(merchants=("moved",)), seed=2
    )
    for column in ("amount_pence", "merchant", "date"):
        before = sample.transactions[column].sort_values(ignore_index=True)
        after = moved.transactions[column].sort_values(ignore_index=True)
        assert before.tolist() == after.tolist()


def test_shuffled_days_keep_every_sum_of_a_holder_at_a_merchant(
    sample: Statements, sample_policy: Policy
) -> None:
    shifted = shift_days(sample.transactions, sample_policy, START, seed=3).transactions
    by = ["holder_id", "merchant"]
    before = sample.transactions.groupby(by)["amount_pence"].sum()
    pd.testing.assert_series_equal(shifted.groupby(by)["amount_pence"].sum(), before)
    assert shifted["date"].max() <= sample.transactions["date"].max()
    assert (shifted["date"] >= START).sum() == (sample.transactions["date"] >= START).sum()
