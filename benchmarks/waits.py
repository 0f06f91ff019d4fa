"""Measures what a person or a worker waits for: a month, ten rows, a request of a hundred rows.

Figures are processor seconds, the least and the median of some: others may use the processors.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from detection import make_transactions
from peer_tasks import processor_seconds
from speed import HISTORY_ROWS, MONTH_ROWS, write_statement

from cardwatch.fitted_forests import FittedForests
from cardwatch.policy import load_policy
from cardwatch.scoring import score

if TYPE_CHECKING:
    from collections.abc import Callable

TIMES, REQUESTS = 3, 60


def tell(what: str, used: list[float], aim: str) -> None:
    """Print the least and the median."""
    least, middle = min(used), sorted(used)[len(used) // 2]
    print(f"  {what:46} {least:7.3f} {middle:7.3f}   {aim}", flush=True)


def used_by(work: Callable[[], object]) -> float:
    """Return the processor seconds of some work, processes that it starts included."""
    before = processor_seconds()
    work()
    return processor_seconds() - before


def bench_month() -> None:
    """Score a month against two years, with forests fitted and with forests that are kept."""
    transactions = make_transactions(HISTORY_ROWS + MONTH_ROWS)  # in order of day
    files = ["history.csv"] * HISTORY_ROWS + ["month.csv"] * MONTH_ROWS
    transactions = transactions.assign(file=files).astype({"file": "str"})
    policy, kept = load_policy(), FittedForests()
    fitted: list[float] = []
    again: list[float] = []
    score(transactions, policy, asked_files=["month.csv"], fit=kept.fit)
    for _ in range(TIMES):
        fitted.append(used_by(lambda: score(transactions, policy, asked_files=["month.csv"])))
        again.append(
            used_by(lambda: score(transactions, policy, asked_files=["month.csv"], fit=kept.fit))
        )
    tell(f"a month of {MONTH_ROWS:,} against {HISTORY_ROWS:,}, score()", fitted, "aim 2.2")
    tell("the same where a service has kept the forests", again, "")


def bench_ten_rows(folder: Path) -> None:
    """Run the command on ten rows."""
    path = folder / "ten.csv"
    write_statement(path, 10, dt.date(2026, 1, 1), 28, 1)
    command = [sys.executable, "-m", "cardwatch", "score", str(path), "--json"]
    quiet = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]

    def run() -> None:
        os.waitpid(os.posix_spawn(sys.executable, command, os.environ, file_actions=quiet), 0)

    run()
    tell("`cardwatch score` on ten rows", [used_by(run) for _ in range(TIMES)], "aim 1.1")


def bench_requests(folder: Path) -> None:
    """Ask a service in this process to score a hundred rows; what asks is counted with it."""
    os.environ |= {"CARDWATCH_HOME": str(folder), "CARDWATCH_RATE": "1000000",
                   "CARDWATCH_QUOTA_REQUESTS": "1000000"}  # fmt: skip
    from service import ROWS, make_book, rows_of  # noqa: PLC0415  the service reads its home
    from starlette.testclient import TestClient  # noqa: PLC0415

    from api.main import app  # noqa: PLC0415

    logging.disable()
    headers = {"Authorization": f"Bearer {make_book(folder)}"}
    made = make_transactions(REQUESTS * ROWS)
    used = []
    with TestClient(app, base_url="http://127.0.0.1") as client:
        for number in range(REQUESTS):
            part = made.iloc[number * ROWS : (number + 1) * ROWS]
            body = {"transactions": rows_of(part, "2026-11", f"L{number}"), "history": False}
            started = time.process_time()
            client.post("/v1/scores", json=body, headers=headers).raise_for_status()
            used.append(time.process_time() - started)
    tell(f"a request to score {ROWS} rows, its client included", used[5:], "aim 0.035")


def main() -> None:
    """Run every benchmark."""
    print(f"{'processor seconds':48} {'least':>7} {'median':>7}")
    bench_month()
    with tempfile.TemporaryDirectory() as place:
        bench_ten_rows(Path(place))
        bench_requests(Path(place))


if __name__ == "__main__":
    main()
