"""Measures many organisations on each engine, one worker killed on the way; bytes have to agree.

PYTHONPATH=tests python benchmarks/national.py 44
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import sys
import tempfile
import time
import warnings
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import dask
from clusters import DaskCluster, loky_workers, spark_session, spark_workers
from detection import make_transactions

from cardwatch.executors import Engine, dask_cluster, processes, this_process
from cardwatch.national import score_many
from cardwatch.partitions import list_partitions, write_partition
from cardwatch.spark_engine import spark_cluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cardwatch.partitions import Partition

    Kill = Callable[[], object] | None

ROWS = 34_000
"""Two years of an ordinary force: 1.5 million payments among 44."""
WORKERS = 2
KILL_AFTER = 3
"""Forces that are done when a worker is killed."""


def write_forces(root: Path, count: int) -> None:
    """Write partitions of made-up forces, each with payments of its own, a statement a month."""
    for number in range(count):
        rows = make_transactions(ROWS + number)
        months = rows["date"].dt.strftime("%Y-%m").astype("str")
        write_partition(str(root), f"Force {number:02}", rows.assign(file=months))


def result_bytes(folder: Path) -> dict[str, bytes]:
    """Return every file of some results by its path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*.*"))
        if path.is_file()
    }


@contextmanager
def engines(folder: Path) -> Iterator[dict[str, tuple[Engine, Kill]]]:
    """Give each engine that is at hand, and what kills one of its workers."""
    with ExitStack() as stack:
        cluster = DaskCluster(folder)
        stack.callback(cluster.stop)
        stack.enter_context(dask.config.set(cluster.settings))
        at_hand: dict[str, tuple[Engine, Kill]] = {
            "this process": (this_process(), None),
            "2 processes (loky)": (processes(WORKERS), lambda: kill(loky_workers())),
            "Dask over TLS": (dask_cluster(cluster.address), cluster.workers[0].kill),
        }
        if shutil.which("java") and importlib.util.find_spec("pyspark"):
            session = spark_session()
            stack.callback(session.stop)
            engine = spark_cluster(session, WORKERS)
            at_hand["Spark, applyInPandas"] = (engine, lambda: kill(spark_workers()))
        yield at_hand


def kill(workers: list[int]) -> None:
    """Kill the first of some processes."""
    os.kill(workers[0], signal.SIGKILL)


def run(partitions: list[Partition], results: Path, engine: Engine, kill_one: Kill) -> str:
    """Score all forces, and return what it cost in words."""
    start, seconds, failed = time.perf_counter(), 0.0, 0
    outcomes = score_many(partitions, str(results), engine=engine)
    for number, outcome in enumerate(outcomes, start=1):
        seconds += outcome.processor_seconds
        failed += outcome.outcome != "scored"
        if number == KILL_AFTER and kill_one:
            kill_one()
    wall = time.perf_counter() - start
    return f"{wall:6.1f} s wall, {seconds:6.1f} s processor, {failed} failed"


def main() -> None:
    """Run the same forces on every engine, and compare."""
    warnings.simplefilter("ignore")
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        write_forces(root / "forces", count)
        partitions = list_partitions(str(root / "forces"))
        size = sum(partition.size for partition in partitions) / 2**20
        payments = sum(ROWS + number for number in range(count))
        print(f"{count} forces, {payments:,} payments, {size:.0f} MiB of Parquet", flush=True)
        first: dict[str, bytes] = {}
        with engines(root) as at_hand:
            for name, (engine, kill_one) in at_hand.items():
                cost = run(partitions, root / name, engine, kill_one)
                made = result_bytes(root / name)
                first = first or made
                agreement = "bytes agree" if made == first else "bytes DIFFER"
                lost = "one worker killed" if kill_one else "none killed"
                print(f"  {name:21} {cost}, {lost}, {len(made)} files, {agreement}", flush=True)


if __name__ == "__main__":
    main()
