"""Spark gives the same bytes by `applyInPandas`, also where a worker is killed on the way."""

from __future__ import annotations

import os
import shutil
import signal
from typing import TYPE_CHECKING, Any

import pytest
from clusters import ALL, spark_session, spark_workers

from cardwatch.national import score_many
from cardwatch.partitions import list_partitions
from cardwatch.spark_engine import spark_cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Bytes = Callable[[Path], dict[str, bytes]]

pytest.importorskip("pyspark", reason="pip install pyspark")
pytestmark = [
    pytest.mark.skipif(not shutil.which("java"), reason="Spark needs Java"),
    pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::ResourceWarning"),
]


@pytest.fixture(scope="module")
def session() -> Iterator[Any]:
    """Give a Spark of two cores on this machine, which tries each piece twice."""
    running = spark_session()
    yield running
    running.stop()


def test_same_bytes_from_spark(
    forces: Path, scored: Path, tmp_path: Path, session: Any, result_bytes: Bytes
) -> None:
    partitions = list_partitions(str(forces))
    outcomes = list(score_many(partitions, str(tmp_path), ALL, engine=spark_cluster(session, 2)))
    assert {outcome.outcome for outcome in outcomes} == {"scored"}, outcomes
    assert result_bytes(tmp_path) == result_bytes(scored)


def test_a_lost_spark_worker_changes_nothing(
    forces: Path, scored: Path, tmp_path: Path, session: Any, result_bytes: Bytes
) -> None:
    partitions = list_partitions(str(forces))
    running = score_many(partitions, str(tmp_path), ALL, engine=spark_cluster(session, 2))
    first = next(running)
    os.kill(spark_workers()[0], signal.SIGKILL)
    outcomes = [first, *running]
    assert {outcome.outcome for outcome in outcomes} == {"scored"}, outcomes
    assert result_bytes(tmp_path) == result_bytes(scored)
