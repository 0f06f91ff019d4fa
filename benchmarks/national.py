"""Measures many organisations on each engine: time, efficiency, and whether the bytes agree."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from detection import make_transactions

from cardwatch.executors import processes, this_process
from cardwatch.national import score_many
from cardwatch.partitions import list_partitions, write_partition

ROWS = 34_000
"""Two years of an ordinary force: 1.5 million payments among 44."""
WORKERS = 2


def write_forces(root: Path, count: int) -> None:
    """Write partitions of made-up forces, a statement a month."""
    rows = make_transactions(ROWS)
    for number in range(count):
        months = rows["date"].dt.strftime("%Y-%m").astype("str")
        dearer = rows["amount_pence"] + number
        write_partition(
            str(root), f"Force {number:02}", rows.assign(amount_pence=dearer, file=months)
        )


def result_bytes(folder: Path) -> dict[str, bytes]:
    """Return every file of some results by its path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*.*"))
        if path.is_file()
    }


def main() -> None:
    """Run the same forces in this process and in two, and compare."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        write_forces(root / "forces", count)
        partitions = list_partitions(str(root / "forces"))
        size = sum(partition.size for partition in partitions) / 2**20
        print(f"{count} forces of {ROWS:,} payments, {size:.0f} MiB of Parquet")
        walls = {}
        for name, engine in (("this process", this_process()), ("2 processes", processes(WORKERS))):
            start = time.perf_counter()
            outcomes = list(score_many(partitions, str(root / name), engine=engine))
            walls[name] = time.perf_counter() - start
            seconds = sum(outcome.processor_seconds for outcome in outcomes)
            failed = sum(outcome.outcome != "scored" for outcome in outcomes)
            costs = f"{walls[name]:6.1f} s wall, {seconds:6.1f} s processor"
            print(f"  {name:13} {costs}, {failed} failed")
        one, two = (result_bytes(root / name) for name in walls)
        efficiency = walls["this process"] / walls["2 processes"] / WORKERS
        print(f"  efficiency {efficiency:.2f}; bytes {'agree' if one == two else 'DIFFER'}")


if __name__ == "__main__":
    main()
