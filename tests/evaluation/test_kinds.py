"""Every kind in one list: planted by several generators, read in one order, beside its own rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from cardwatch.evaluation.dataset import ASKED, AlertGroup
from cardwatch.evaluation.inject_misuse import GENERATORS
from cardwatch.evaluation.kinds import (
    ALL_KINDS,
    LENGTHS,
    LOST_AMONG,
    VIEWS,
    _places,
    kind_of,
    plant_all,
    read_lists,
    rows_of,
    seen_as,
)
from cardwatch.evaluation.measure import NOT_FOUND
from cardwatch.evaluation.one_line_rules import ONE_LINE
from cardwatch.scoring import score

if TYPE_CHECKING:
    from cardwatch.evaluation.dataset import World
    from cardwatch.evaluation.kinds import KindRow
    from cardwatch.policy import Policy
    from cardwatch.records import Statements

START = pd.Timestamp("2026-05-01")


@pytest.fixture(scope="module")
def world(sample: Statements, sample_policy: Policy) -> World:
    return plant_all(sample.transactions, sample_policy, START, 3)


@pytest.fixture(scope="module")
def table(world: World, sample_policy: Policy) -> dict[str, KindRow]:
    scoring = score(world.transactions, sample_policy, asked_files=[ASKED])
    return {row.kind: row for row in rows_of([read_lists(world, scoring)], 100_000, VIEWS[0])}


def test_every_kind_has_two_generators_at_least_and_a_one_line_rule() -> None:
    assert GENERATORS.keys() == ONE_LINE.keys()
    assert all(len(generators) >= 2 for generators in GENERATORS.values())


def test_every_generator_plants_and_no_row_belongs_to_two_matters(world: World) -> None:
    rows = [row for matter in world.matters for row in matter.rows]
    assert len(rows) == len(set(rows))
    assert {kind_of(matter) for matter in world.matters} == GENERATORS.keys()
    planted = {matter.style for matter in world.matters}
    assert len(planted) >= sum(map(len, GENERATORS.values())) - 2, "the sample is small"


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_every_matter_is_planted_whole_and_not_all_of_them_at_the_end(
    seed: int, sample: Statements, sample_policy: Policy
) -> None:
    world = plant_all(sample.transactions, sample_policy, START, seed)
    assert all(len(matter.rows) >= matter.needed for matter in world.matters)
    dates = world.transactions.set_index("row")["date"]
    firsts = [min(dates[list(matter.rows)]) for matter in world.matters]
    assert np.mean(np.array(firsts) < START + (dates.max() - START) / 2) > 0.3


@pytest.mark.parametrize("seed", [3, 4, 5, 6])
def test_a_drip_that_the_end_of_the_payments_leaves_within_the_limit_is_no_matter(
    seed: int, sample: Statements, sample_policy: Policy
) -> None:
    world = plant_all(sample.transactions, sample_policy, START, seed)
    drips = [matter for matter in world.matters if matter.style.startswith("slow drip")]
    payments = world.transactions.set_index("row")
    limits = sample_policy.limits_in_force(
        "single_purchase", payments["holder_id"], payments["date"]
    )
    limit_pence = pd.Series(limits["pence"], payments.index)
    assert drips
    for matter in drips:
        rows = list(matter.rows)
        assert payments["amount_pence"][rows].sum() > limit_pence[rows].max()


def test_a_planted_payment_looks_loaded_twice_only_on_a_day_that_does(
    sample: Statements, sample_policy: Policy
) -> None:
    """Payments of such days lend their holder and sum to matters of other days."""
    days = sorted(sample.transactions["date"][sample.transactions["date"] >= START].unique())[::2]
    doubled = sample.transactions["date"].isin(days)
    world = plant_all(sample.transactions.assign(day_doubled=doubled), sample_policy, START, 3)
    flagged = world.transactions["day_doubled"]
    pd.testing.assert_series_equal(
        flagged, world.transactions["date"].isin(days), check_names=False
    )


def test_the_same_seed_plants_the_same(
    world: World, sample: Statements, sample_policy: Policy
) -> None:
    again = plant_all(sample.transactions, sample_policy, START, 3)
    pd.testing.assert_frame_equal(again.transactions, world.transactions)
    assert again.matters == world.matters


def test_the_table_counts_all_kinds_and_says_where_a_one_line_rule_finds_more(
    table: dict[str, KindRow],
) -> None:
    assert table.keys() == {ALL_KINDS, *GENERATORS}
    assert table[ALL_KINDS].planted == sum(table[kind].planted for kind in GENERATORS)
    assert table[ALL_KINDS].recalls[-1].share > 0.4, "36 cases, and 35 places to find them in"
    for row in table.values():
        assert [r.per_1000 for r in row.recalls] == [*LENGTHS]
        worse = any(b.share > a.share for a, b in zip(row.recalls, row.one_line, strict=True))
        assert worse == bool(row.verdict)


def test_nothing_is_said_of_what_another_lane_asks(world: World, sample_policy: Policy) -> None:
    scoring = score(world.transactions, sample_policy, asked_files=[ASKED], lanes=("finance",))
    hidden = frozenset({"across holders"})
    rows = rows_of([read_lists(world, scoring)], 100_000, VIEWS[0], left_out=hidden)
    assert hidden.isdisjoint({row.kind for row in rows})


@pytest.mark.parametrize("view", VIEWS)
def test_a_poorer_view_shows_less_and_can_still_be_planted(
    sample: Statements, sample_policy: Policy, view: str
) -> None:
    seen = seen_as(sample.transactions, view, START)
    assert list(seen.columns) == list(sample.transactions.columns)
    assert plant_all(seen, sample_policy, START, 3).matters
    if view == VIEWS[1]:
        assert (seen[["unit", "cost_centre", "category", "mcc", "description"]] == "").all().all()


def test_a_case_that_is_lost_among_many_payments_is_not_found() -> None:
    bill = AlertGroup("bill, equal", "h", (1, 2), needed=2)
    drip = AlertGroup("drip, weekly", "h", (3, 4, 5))

    def places(*items: range | list[int]) -> list[float]:
        return _places(items, (bill, drip), 1_000)

    just = [1, 2, *range(100, 98 + 2 * LOST_AMONG)]
    assert len(just) == 2 * LOST_AMONG
    assert places(just) == [1, NOT_FOUND]
    assert places([*just, 99]) == [NOT_FOUND, NOT_FOUND], "one more payment than it may have"
    assert places([*just, 99], [1, 2]) == [2, NOT_FOUND], "a later item shows it"
    assert places([1, 100], [3]) == [NOT_FOUND, 2], "half of a bill shows none"
    mixed = [1, 2, 3, *range(100, 100 + LOST_AMONG)]
    assert places(mixed) == [1, NOT_FOUND], "each case by its own payments"
