"""Forces compared: size is respected, what is planted is found, and no sentence accuses."""

from __future__ import annotations

import dataclasses
import io
import re
from pathlib import Path

import numpy as np
import openpyxl
import pytest
from typer.testing import CliRunner

from cardwatch.cli import app
from cardwatch.errors import CardwatchError
from cardwatch.reports.aggregate import Aggregate, CommonPolicy, SharePair, read_aggregate
from cardwatch.reports.benchmark import (
    FunnelPoint,
    change_interval,
    change_words,
    common_policy,
    make_funnels,
    nearest_peers,
    percent,
)
from cardwatch.reports.benchmark_document import benchmark_document
from cardwatch.reports.document_xlsx import document_xlsx
from cardwatch.reports.funnel_plot import HEIGHT, MARGIN, WIDTH, funnel_svg

FILES = sorted((Path(__file__).parents[2] / "sample_data" / "aggregates").iterdir())
VALE = "Saltmarsh Vale (invented)"


@pytest.fixture(scope="module")
def aggregates() -> list[Aggregate]:
    return [read_aggregate(path.name, path.read_bytes()) for path in FILES]


def _force(name: str, count: int, total: int) -> Aggregate:
    return Aggregate(
        organisation=name, quarter="2026-Q3", made_on="2026-10-14", cardwatch="1", threshold=10,
        purchases=total, pounds=1_000, cardholders=20, uncovered_days=0, months=(), categories=(),
        shares={"alerts": SharePair(count, total)}, public_key="00" * 32,
    )  # fmt: skip


def test_a_small_force_is_no_outlier_for_being_small() -> None:
    """Forces alike but for size: as many small ones as large ones lie outside."""
    rng = np.random.default_rng(7)
    sizes = [200] * 300 + [20_000] * 300
    forces = [
        _force(f"{number}", int(rng.binomial(size, 0.03)), size)
        for number, size in enumerate(sizes)
    ]
    (funnel,) = make_funnels(forces)
    for size in (200, 20_000):
        points = [point for point in funnel.points if point.total == size]
        outside = sum(point.verdict != "within limits" for point in points) / len(points)
        assert outside < 0.07, size


def test_what_is_planted_is_outside(aggregates: list[Aggregate]) -> None:
    outside = {
        (point.organisation, funnel.indicator)
        for funnel in make_funnels(aggregates)
        for point in funnel.points
        if "99.8%" in point.verdict
    }
    assert outside == {
        ("Kingsmere (invented)", "alerts"),
        ("Holmshire (invented)", "just_under"),
        ("Greyvale (invented)", "split_alerts"),
        ("Inglemoor (invented)", "cards_with_approver"),
    }


def test_a_lenient_policy_shows_beside_the_common_one(aggregates: list[Aggregate]) -> None:
    """Greyvale asks about few splits by its own limits; its payments are like the others'."""
    document = benchmark_document(aggregates, marking="OFFICIAL", made_on="2026-11-29")
    section = next(s for s in document.sections if s.title.startswith("By own policy"))
    assert "National purchasing-card pack (invented), version 2026.1" in section.text[0]
    assert "Not scored by it: Dunsea (invented)." in section.text
    rows = {row[:2]: row[2:] for row in section.tables[0].rows}
    own, common = rows["Greyvale (invented)", "Split purchase"]
    assert float(own.split("%")[0]) < 0.7 * float(common.split("%")[0])
    assert " to " in own
    assert " to " in common
    assert rows["Dunsea (invented)", "Split purchase"][1] == "Not shared"


def test_only_forces_scored_by_one_pack_are_compared_by_it(aggregates: list[Aggregate]) -> None:
    """The attack: a pack of its own, of the same name, by which a force looks better."""
    newest = [one for one in aggregates if one.quarter == "2026-Q3"]
    policy = common_policy(newest)
    assert policy is not None
    own_pack = dataclasses.replace(policy, sha256="f" * 64)
    changed = [
        dataclasses.replace(one, common_policy=own_pack) if one.organisation == VALE else one
        for one in newest
    ]
    assert common_policy(changed) == policy
    for funnel in make_funnels(changed):
        names = {point.organisation for point in funnel.points}
        assert (VALE in names) <= (not funnel.indicator.startswith("common_"))
    without = [dataclasses.replace(one, common_policy=None) for one in newest]
    assert common_policy(without) is None
    assert not any(f.indicator.startswith("common_") for f in make_funnels(without))


def test_another_pack_in_the_quarter_before_is_no_change(aggregates: list[Aggregate]) -> None:
    other = CommonPolicy("Older", "Owner", "2025.1", "0" * 64)
    mixed = [
        dataclasses.replace(one, common_policy=other) if one.quarter == "2026-Q2" else one
        for one in aggregates
    ]
    before, after = (
        {
            point.organisation
            for funnel in make_funnels(some)
            if funnel.indicator == "common_split_alerts"
            for point in funnel.points
            if point.earlier is not None
        }
        for some in (aggregates, mixed)
    )
    assert before == {"Northwick Metropolitan (invented)"}
    assert after == set()


def test_files_of_both_versions_are_compared(aggregates: list[Aggregate]) -> None:
    """A force that has not upgraded: its file names no pack and no register."""
    old = [
        dataclasses.replace(
            one, common_policy=None, registers={},
            shares={n: p for n, p in one.shares.items() if n in {"alerts", "refunds"}},
        ) if one.organisation == VALE else one
        for one in aggregates
    ]  # fmt: skip
    document = benchmark_document(old, marking="OFFICIAL", made_on="2026-11-29", organisation=VALE)
    entries = next(s for s in document.sections if s.title == "Registers").tables[0].rows
    assert {row[0]: row[1:] for row in entries}[VALE] == ("Not shared",) * 3
    text = next(s for s in document.sections if s.title.startswith("By own policy")).text
    assert f"Not scored by it: Dunsea (invented), {VALE}." in text


def test_changes_stand_beside(aggregates: list[Aggregate]) -> None:
    funnel = next(one for one in make_funnels(aggregates) if one.indicator == "alerts")
    earlier = {point.organisation for point in funnel.points if point.earlier is not None}
    assert earlier == {VALE, "Northwick Metropolitan (invented)"}


def test_the_interval_of_a_change_is_newcombes() -> None:
    """Newcombe 1998, table II, example (a): 56/70 and 48/80 by method 10."""
    change = change_interval(SharePair(56, 70), SharePair(48, 80))
    assert change == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_a_change_within_chance_is_called_so(aggregates: list[Aggregate]) -> None:
    document = benchmark_document(
        aggregates, marking="OFFICIAL", made_on="2026-11-29", organisation=VALE
    )
    own = next(s for s in document.sections if s.title == "Your force and its peers").tables[0]
    changes = [row[own.headings.index("Change")] for row in own.rows]
    assert any("within chance" in words for words in changes)
    grown = FunnelPoint("x", 300, 1_000, 0, 1, "", SharePair(100, 1_000))
    assert change_words(grown).endswith(": higher")
    assert change_words(dataclasses.replace(grown, earlier=SharePair(600, 1_000))).endswith("lower")
    assert not change_words(dataclasses.replace(grown, earlier=None))


def test_peers_are_the_nearest_in_size(aggregates: list[Aggregate]) -> None:
    peers = nearest_peers(aggregates, VALE)
    assert peers[:2] == ["Ashdown (invented)", "Brackwater (invented)"]
    with pytest.raises(CardwatchError, match=r"of Nowhere .* Choose one of Ashdown"):
        nearest_peers(aggregates, "Nowhere")


def test_too_few_or_double_files_are_refused(aggregates: list[Aggregate]) -> None:
    with pytest.raises(CardwatchError, match="at least 3"):
        make_funnels(aggregates[:2])
    with pytest.raises(CardwatchError, match="twice"):
        make_funnels([*aggregates, aggregates[0]])


def test_the_document_says_what_it_does_not_mean(aggregates: list[Aggregate]) -> None:
    document = benchmark_document(
        aggregates, marking="OFFICIAL", made_on="2026-11-29", organisation=VALE
    )
    assert document.sections[0].title == "What a difference does not mean"
    text = str(document).lower()
    for word in ("fraud", "suspect", "offender", "worst", "league"):
        assert word not in text
    shared = [f for f in make_funnels(aggregates) if VALE in {p.organisation for p in f.points}]
    assert shared
    marked = sum("(your force)" in str(section.tables) for section in document.sections)
    assert marked == len(shared)


def test_the_workbook_has_every_table(aggregates: list[Aggregate]) -> None:
    document = benchmark_document(aggregates, marking="OFFICIAL", made_on="2026-11-29")
    book = openpyxl.load_workbook(io.BytesIO(document_xlsx(document)))
    tables = [table for section in document.sections for table in section.tables]
    assert len(book.sheetnames) == 1 + len(tables)
    sheet = book.worksheets[1]
    assert [cell.value for cell in sheet[1]] == list(tables[0].headings)
    assert sheet.max_row == 1 + len(tables[0].rows)


def test_a_plot_has_no_styles_and_no_markup_of_others(aggregates: list[Aggregate]) -> None:
    hostile = [
        dataclasses.replace(one, organisation=f"<script>{one.organisation}&") for one in aggregates
    ]
    for funnel in make_funnels(hostile):
        svg = funnel_svg(funnel)
        assert "style" not in svg
        assert "<script" not in svg
        assert svg.count("<circle") == len(funnel.points)
        assert svg == funnel_svg(funnel)


def test_the_command_shows_the_funnel(tmp_path: Path) -> None:
    paths = [str(path) for path in FILES]
    out = ["--out", str(tmp_path / "b.xlsx"), "--out", str(tmp_path / "b.svg")]
    ran = CliRunner().invoke(app, ["benchmark", *paths, "--force", VALE, *out])
    assert ran.exit_code == 0, ran.output
    assert "Alerts per purchase" in ran.output
    assert (tmp_path / "b.xlsx").stat().st_size > 5_000
    read = [read_aggregate(path.name, path.read_bytes()) for path in FILES]
    drawn = {f"b-{funnel.indicator}.svg" for funnel in make_funnels(read)}
    assert {path.name for path in tmp_path.glob("b-*.svg")} == drawn
    assert {"b-common_split_alerts.svg", "b-cards_with_approver.svg"} <= drawn


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_no_name_and_no_figure_is_broken_however_narrow_the_terminal_is(
    columns: str, aggregates: list[Aggregate], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    ran = CliRunner().invoke(app, ["benchmark", *map(str, FILES), "--force", VALE])
    assert ran.exit_code == 0, ran.output
    document = benchmark_document(
        aggregates, marking="OFFICIAL", made_on="2026-11-29", organisation=VALE
    )
    cells = [
        cell
        for section in document.sections
        for table in section.tables
        for row in (table.headings, *table.rows)
        for cell in row
    ]
    assert {word for cell in cells for word in cell.split()} <= set(ran.output.split())


def test_shares_below_a_tenth_have_two_decimals_and_others_one() -> None:
    shares = (0.0, 0.0063, 0.0999, 0.09996, 0.1, 0.5, 0.9071, 1.0)
    assert list(map(percent, shares)) == [
        "0.00%", "0.63%", "9.99%", "10.0%", "10.0%", "50.0%", "90.7%", "100.0%",
    ]  # fmt: skip


def test_every_point_of_a_plot_is_within_its_axes_and_can_be_told_apart(
    aggregates: list[Aggregate],
) -> None:
    """Shares near 100% and a force fifty times as large as another would lie on one spot."""
    for funnel in make_funnels(aggregates):
        svg = funnel_svg(funnel)
        across, down = (
            [float(n) for n in re.findall(rf'{c}="([0-9.]+)"', svg)] for c in ("cx", "cy")
        )
        assert min(across) >= MARGIN, funnel.indicator
        assert max(across) <= WIDTH - MARGIN, funnel.indicator
        assert min(down) >= MARGIN, funnel.indicator
        assert max(down) <= HEIGHT - MARGIN, funnel.indicator
        assert max(down) - min(down) > 20, funnel.indicator
        assert np.median(across) - min(across) > 100, funnel.indicator


def test_what_is_outside_stands_together(aggregates: list[Aggregate]) -> None:
    document = benchmark_document(aggregates, marking="OFFICIAL", made_on="2026-11-29")
    table = next(s for s in document.sections if s.title == "Outside the limits").tables[0]
    outside = [
        point for funnel in make_funnels(aggregates) for point in funnel.points
        if point.verdict != "within limits"
    ]  # fmt: skip
    assert [row[0] for row in table.rows] == [point.organisation for point in outside]
    assert [row[4] for row in table.rows] == [point.verdict for point in outside]
    alike = [_force(f"{number}", 30, 1_000) for number in range(5)]
    document = benchmark_document(alike, marking="OFFICIAL", made_on="2026-11-29")
    table = next(s for s in document.sections if s.title == "Outside the limits").tables[0]
    assert (table.rows, table.empty) == ((), "No force is outside them.")
