"""Measures how much of two processors a run over many forces uses: wall time and processor time.

PYTHONPATH=tests python benchmarks/efficiency.py [forces] [rounds]

Each run is a process of its own: one worker held to one processor, two workers on two, in turn.
Wall time counts only on a machine with nothing else on it; what share of its processors a run was
given says whether that was so. Processor time counts on any machine: what two workers take more
than one is lost to starting them and to passing results, whatever else runs.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from national import result_bytes, write_forces

from cardwatch.executors import processes
from cardwatch.national import score_many
from cardwatch.partitions import list_partitions

FORCES, ROUNDS, WORKERS = 8, 3, 2
IDLE_SHARE = 0.95
"""With less of its processors than this a run's wall time says how busy the machine was."""


def processor_seconds() -> float:
    """Return the processor seconds of this process and its ended children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def run(forces: Path, results: Path, workers: int) -> dict[str, float]:
    """Score every force with some workers, on as many processors; return what that took."""
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:workers])
    start, used = time.perf_counter(), processor_seconds()
    outcomes = list(
        score_many(list_partitions(str(forces)), str(results), engine=processes(workers))
    )
    assert all(outcome.outcome == "scored" for outcome in outcomes)
    wall = time.perf_counter() - start
    scoring = sum(outcome.processor_seconds for outcome in outcomes)
    return {"wall": wall, "processor": processor_seconds() - used, "scoring": scoring}


def measure(root: Path, workers: int, number: int) -> dict[str, float]:
    """Do one run in a process of its own."""
    command = [sys.executable, __file__, "run", str(root / "forces")]
    command += [str(root / f"results-{workers}-{number}"), str(workers)]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    told: dict[str, float] = json.loads(ran.stdout.splitlines()[-1])
    return told


def tell(name: str, runs: list[dict[str, float]], workers: int) -> dict[str, float]:
    """Print the least of some runs, and return it."""
    least = {key: min(one[key] for one in runs) for key in runs[0]}
    share = max(one["processor"] / (one["wall"] * workers) for one in runs)
    print(
        f"  {name:12} {least['wall']:7.1f} s wall, {least['processor']:7.1f} s processor, of which "
        f"{least['scoring']:.1f} scoring; given {share:.0%} of its processors"
    )
    return least | {"share": share}


def main(forces: int, rounds: int) -> None:
    """Compare one worker with two over the same forces."""
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        write_forces(root / "forces", forces)
        runs: dict[int, list[dict[str, float]]] = {1: [], WORKERS: []}
        for number in range(rounds):
            for workers, measured in runs.items():
                measured.append(measure(root, workers, number))
        first, *others = sorted(root.glob("results-*"))
        assert all(result_bytes(one) == result_bytes(first) for one in others), "bytes differ"
        load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
        print(f"{forces} full forces, least of {rounds} in turn; load averages {load}")
        one = tell("one worker", runs[1], 1)
        two = tell("two workers", runs[WORKERS], WORKERS)
        by_processor = one["processor"] / two["processor"]
        print(f"  efficiency by processor time {by_processor:.2f}: the rest is lost to sharing")
        by_wall = one["wall"] / (WORKERS * two["wall"])
        if min(one["share"], two["share"]) >= IDLE_SHARE:
            print(f"  efficiency by wall time {by_wall:.2f} (aim: at least 0.8)")
        else:
            print(f"  efficiency by wall time {by_wall:.2f}, which says nothing: others used the "
                  "processors as well")  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:
        print(json.dumps(run(Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4]))))
    else:
        given = list(map(int, sys.argv[1:3]))
        main(*(given + [FORCES, ROUNDS][len(given) :]))
