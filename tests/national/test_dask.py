"""A real Dask cluster over TLS gives the same bytes, also where a worker is lost on the way."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from clusters import ALL, DaskCluster

from cardwatch.errors import CardwatchError
from cardwatch.executors import dask_cluster
from cardwatch.national import score_many
from cardwatch.partitions import list_partitions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

distributed = pytest.importorskip("distributed", reason="pip install 'cardwatch[dask]'")
dask = pytest.importorskip("dask")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskCluster]:
    """Give a cluster of two workers that speaks TLS alone."""
    running = DaskCluster(tmp_path_factory.mktemp("cluster"))
    yield running
    running.stop()


def test_same_bytes_from_dask(
    forces: Path,
    scored: Path,
    tmp_path: Path,
    cluster: DaskCluster,
    result_bytes: Callable[[Path], dict[str, bytes]],
) -> None:
    partitions = list_partitions(str(forces))
    with dask.config.set(cluster.settings):
        outcomes = list(
            score_many(partitions, str(tmp_path), ALL, engine=dask_cluster(cluster.address))
        )
    assert {outcome.outcome for outcome in outcomes} == {"scored"}, outcomes
    assert result_bytes(tmp_path) == result_bytes(scored)


def test_no_certificate_nothing_sent(forces: Path, tmp_path: Path, cluster: DaskCluster) -> None:
    partitions = list_partitions(str(forces))
    with pytest.raises(CardwatchError, match=r"no certificates.*TLS__CA_FILE"):
        list(score_many(partitions, str(tmp_path), ALL, engine=dask_cluster(cluster.address)))
    assert not list(tmp_path.iterdir())


def test_a_lost_dask_worker_changes_nothing(
    forces: Path,
    scored: Path,
    tmp_path: Path,
    cluster: DaskCluster,
    result_bytes: Callable[[Path], dict[str, bytes]],
) -> None:
    partitions = list_partitions(str(forces))
    with dask.config.set(cluster.settings):
        running = score_many(partitions, str(tmp_path), ALL, engine=dask_cluster(cluster.address))
        first = next(running)
        cluster.workers[0].kill()
        time.sleep(0.1)
        outcomes = [first, *running]
    assert {outcome.outcome for outcome in outcomes} == {"scored"}, outcomes
    assert result_bytes(tmp_path) == result_bytes(scored)
