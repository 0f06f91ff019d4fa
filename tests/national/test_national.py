"""Many organisations: same bytes from every engine; what fails is named, the rest stands."""

from __future__ import annotations

import json
import os
import shutil
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from clusters import ALL
from typer.testing import CliRunner

from cardwatch.cli import app
from cardwatch.errors import CardwatchError
from cardwatch.executors import Engine, dask_cluster, processes, this_process
from cardwatch.national import WORKER_LOST, NationalSettings, score_many
from cardwatch.partitions import list_partitions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor
    from pathlib import Path

    Bytes = Callable[[Path], dict[str, bytes]]


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_same_bytes_from_processes(
    forces: Path, scored: Path, tmp_path: Path, result_bytes: Bytes, workers: int
) -> None:
    partitions = list_partitions(str(forces))
    list(score_many(partitions, str(tmp_path), ALL, engine=processes(workers)))
    assert result_bytes(tmp_path) == result_bytes(scored)
    assert len(result_bytes(scored)) == 8


def test_a_result_names_what_made_it(forces: Path, scored: Path) -> None:
    partitions = {one.organisation: one for one in list_partitions(str(forces))}
    for name, partition in partitions.items():
        folder = scored / f"organisation={name}"
        content = json.loads((folder / "alerts.json").read_text())
        assert content["inputs"]["files"] == dict(partition.files)
        assert content["lists"]["finance"]["made_by"]["rules"]
        alerts = sum(len(lane["alerts"]) for lane in content["lists"].values())
        assert pq.read_table(folder / "alerts.parquet").num_rows == alerts
    own = json.loads((scored / "organisation=Brackwater" / "alerts.json").read_text())
    assert own["lists"]["finance"]["made_by"]["cards"] == own["inputs"]["files"]["cards.parquet"]


def test_a_second_run_does_what_is_missing(
    forces: Path, scored: Path, tmp_path: Path, result_bytes: Bytes
) -> None:
    shutil.copytree(scored, tmp_path, dirs_exist_ok=True)
    (tmp_path / "organisation=Ashdown" / "alerts.json").unlink()
    (tmp_path / "organisation=Caldmoor" / "alerts.parquet").write_bytes(b"cut off")
    outcomes = score_many(list_partitions(str(forces)), str(tmp_path), ALL, engine=this_process())
    by_name = {outcome.organisation: outcome.outcome for outcome in outcomes}
    assert by_name == {
        "Ashdown": "scored", "Brackwater": "unchanged", "Caldmoor": "scored",
        "Dunsea": "unchanged",
    }  # fmt: skip
    assert result_bytes(tmp_path) == result_bytes(scored)


def test_other_settings_are_another_run(forces: Path, scored: Path, tmp_path: Path) -> None:
    shutil.copytree(scored, tmp_path, dirs_exist_ok=True)
    partitions = list_partitions(str(forces))[:1]
    for settings in (
        NationalSettings(lanes=ALL.lanes, since="2025-12-15"),
        NationalSettings(lanes=("finance",)),
        NationalSettings(lanes=ALL.lanes, policy_text="unusual_one_in = 3000\n"),
    ):
        (outcome,) = score_many(partitions, str(tmp_path), settings, engine=this_process())
        assert outcome.outcome == "scored", settings


def test_a_failed_force_is_named(
    forces: Path, scored: Path, tmp_path: Path, result_bytes: Bytes
) -> None:
    broken = tmp_path / "forces"
    shutil.copytree(forces, broken)
    (broken / "organisation=Caldmoor" / "2026.parquet").write_bytes(b"damaged")
    results = tmp_path / "results"
    partitions = list_partitions(str(broken))
    outcomes = list(score_many(partitions, str(results), ALL, engine=processes(2)))
    failed = [outcome for outcome in outcomes if outcome.outcome == "failed"]
    assert [(one.organisation, "cannot be read" in one.reason) for one in failed] == [
        ("Caldmoor", True)
    ]
    expected = result_bytes(scored)
    made = result_bytes(results)
    assert made == {path: expected[path] for path in made}
    assert len(made) == 6


def _killing(most_kills: int) -> tuple[Engine, list[int]]:
    """Return an engine whose worker is killed as it begins, the first so many times."""
    inner, kills = processes(2), []

    @contextmanager
    def opened() -> Iterator[Executor]:
        with inner.open_executor() as executor:
            submit = executor.submit

            def submit_and_kill(function: Any, /, *given: Any, **named: Any) -> Any:
                future = submit(function, *given, **named)
                if len(kills) < most_kills and given[0].partition.organisation == "Brackwater":
                    worker = next(iter(executor._processes))  # type: ignore[attr-defined]
                    kills.append(worker)
                    os.kill(worker, signal.SIGKILL)
                return future

            executor.submit = submit_and_kill  # type: ignore[method-assign]
            yield executor

    return Engine(opened, inner.most_at_once), kills


@pytest.mark.filterwarnings("ignore:A worker stopped:UserWarning")
def test_a_lost_worker_changes_nothing(
    forces: Path, scored: Path, tmp_path: Path, result_bytes: Bytes
) -> None:
    engine, kills = _killing(1)
    outcomes = list(score_many(list_partitions(str(forces)), str(tmp_path), ALL, engine=engine))
    assert {outcome.outcome for outcome in outcomes} == {"scored"}
    assert len(kills) == 1
    assert result_bytes(tmp_path) == result_bytes(scored)


@pytest.mark.filterwarnings("ignore:A worker stopped:UserWarning")
def test_a_force_that_loses_its_worker_twice_is_named(forces: Path, tmp_path: Path) -> None:
    engine, _ = _killing(9)
    outcomes = list(score_many(list_partitions(str(forces)), str(tmp_path), ALL, engine=engine))
    by_name = {outcome.organisation: (outcome.outcome, outcome.reason) for outcome in outcomes}
    assert by_name.pop("Brackwater") == ("failed", WORKER_LOST)
    assert set(by_name.values()) == {("scored", "")}


def test_a_stopped_run_keeps_what_is_done(forces: Path, tmp_path: Path) -> None:
    partitions = list_partitions(str(forces))
    begun = score_many(partitions, str(tmp_path), ALL, engine=this_process())
    first = next(begun)
    begun.close()  # type: ignore[attr-defined]
    again = list(score_many(partitions, str(tmp_path), ALL, engine=this_process()))
    unchanged = {outcome.organisation for outcome in again if outcome.outcome == "unchanged"}
    assert first.organisation in unchanged
    assert len(again) == 4


@pytest.mark.parametrize("address", ["tcp://10.1.2.3:8786", "scheduler:8786", "ftp://here"])
def test_an_open_scheduler_elsewhere_is_refused(address: str) -> None:
    with pytest.raises(CardwatchError):
        dask_cluster(address)


def test_the_command_tells_of_each(forces: Path, tmp_path: Path) -> None:
    command = ["national", str(forces), "--out", str(tmp_path), "--workers", "1"]
    first = CliRunner().invoke(app, command)
    assert first.exit_code == 0, first.output
    assert first.output.count(": scored, ") == 4
    second = CliRunner().invoke(app, [*command, "--json"])
    lines = [json.loads(line) for line in second.stdout.splitlines() if line.startswith("{")]
    assert {line["outcome"] for line in lines} == {"unchanged"}


@pytest.mark.parametrize("harm", ["empty folder", "another name", "a link to nowhere", "by month"])
def test_a_force_without_readable_payments_is_missed(
    forces: Path, tmp_path: Path, harm: str
) -> None:
    """Before, a force whose files had other names was left out of the run in silence."""
    given = tmp_path / "forces"
    shutil.copytree(forces, given)
    folder = given / "organisation=Ashdown"
    for file in list(folder.iterdir()):
        if harm == "another name":
            file.rename(folder / f"payments {file.name}")
        elif harm == "by month":
            (folder / "2026-01").mkdir(exist_ok=True)
            file.rename(folder / "2026-01" / file.name)
        else:
            file.unlink()
    if harm == "a link to nowhere":
        (folder / "2026.parquet").symlink_to(tmp_path / "nowhere")
    outcomes = score_many(list_partitions(str(given)), str(given), ALL, engine=this_process())
    assert [o.organisation for o in outcomes if o.outcome == "failed"] == ["Ashdown"]
    again = score_many(list_partitions(str(given)), str(given), ALL, engine=this_process())
    assert [o.outcome for o in again if o.organisation != "Ashdown"] == ["unchanged"] * 3


def test_the_command_names_what_failed(forces: Path, tmp_path: Path) -> None:
    broken = tmp_path / "forces"
    shutil.copytree(forces / "organisation=Dunsea", broken / "organisation=Dunsea")
    shutil.copytree(forces / "organisation=Dunsea", broken / "organisation=Empty")
    for path in (broken / "organisation=Empty").iterdir():
        path.write_bytes(b"")
    command = ["national", str(broken), "--out", str(tmp_path / "out"), "--workers", "1"]
    ran = CliRunner().invoke(app, command)
    assert ran.exit_code == 4, ran.output
    assert "Failed: Empty." in ran.output
