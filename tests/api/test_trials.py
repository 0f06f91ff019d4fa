"""Trials of a service under what happens to machines: stops, many at once, large statements.

They take minutes and run under `make prove`; docs/measurements.md has their figures.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import sqlalchemy as sa
from book_fixtures import new_database
from processes import free_port
from services import OWN, UNLIMITED, Clock, open_book, serving, text

from cardwatch import services
from cardwatch.casebook import Actor, tables
from cardwatch.casebook.unit_of_work import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from services import Running

    from cardwatch.casebook import Casebook

pytestmark = pytest.mark.prove
STOPS, STOP_SECONDS = 20, 20.0
WAIT_SECONDS = 900
MIB = 1024 * 1024


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of a new casebook on either database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'casebook.db'}"
    return new_database(request.getfixturevalue("postgresql"))


def statement(rows: int, number: int = 0) -> str:
    """Return a statement of a month: 1,500 cardholders, 4,000 merchants, no row twice."""
    chance = random.Random(number)
    lines = (
        f"2026-10-{1 + row % 28:02},E{chance.randrange(1_500)},MERCHANT {chance.randrange(4_000)} "
        f"LTD,{chance.randrange(500, 40_000) / 100:.2f},R{number}X{row}"
        for row in range(rows)
    )
    return text(*lines)


@contextmanager
def _running(
    home: Path, url: str, workers: int = 1
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run the service in a process of its own; give it, and its address, once it is ready."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "api.main:app", "--port", str(port),
               "--workers", str(workers), "--no-access-log", "--log-level", "warning",
               "--timeout-graceful-shutdown", "8"]  # fmt: skip
    set_up = {f"CARDWATCH_{name.upper()}": str(most) for name, most in UNLIMITED.items()}
    set_up |= {"CARDWATCH_HOME": str(home), "CARDWATCH_DATABASE": url}
    address = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        command, env=os.environ | set_up, cwd=Path(__file__).parents[2], start_new_session=True
    )
    try:
        end = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                httpx2.get(f"{address}/health/ready", timeout=60).raise_for_status()
                break
            except httpx2.HTTPError:
                assert time.monotonic() < end
                time.sleep(0.1)
        yield process, address
    finally:
        with suppress(ProcessLookupError):  # with its workers and readers
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _tell(capsys: pytest.CaptureFixture[str], figures: str) -> None:
    """Print the figures of a trial."""
    with capsys.disabled():
        print(f"\n{figures}")  # noqa: T201


def _job(book: Casebook) -> dict[str, Any] | None:
    """Return the job that is not done, if there is one."""
    itself = Actor(OWN, SYSTEM, "admin")
    with book.unaudited(itself, dt.datetime.now(dt.UTC), reads=True) as uow:
        waiting = tables.jobs.c.state.in_(("queued", "running"))
        columns = (tables.jobs.c.job_id, tables.jobs.c.state, tables.jobs.c.percent)
        return uow.fetch_one(sa.select(*columns).where(uow.scope(tables.jobs), waiting))


def _let_begin_again(book: Casebook) -> None:
    """Let a job that was broken off be taken up at once, as if it never was."""
    with book.unaudited(Actor(OWN, SYSTEM, "admin"), dt.datetime.now(dt.UTC)) as uow:
        values = {"leased_until": "2000-01-01T00:00:00Z", "tries": 0}
        uow.update(tables.jobs, tables.jobs.c.state == "running", values)


def _check_whole(running: Running, rows: int) -> None:
    """Check that so many payments are held, each with what belongs to it."""
    finance = running.context("finance")
    assert sum(row["transactions"] for row in services.list_statements(finance)) == rows
    faults = [check.fault for check in services.verify(finance, again=False) if check.fault]
    faults += [check.fault for check in services.verify_audit(running.context("auditor"))]
    assert not any(faults), faults


def test_a_stop_at_any_moment_of_a_large_scoring_ends_in_time_and_loses_nothing(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, number, stops = 120_000, 0, []
    chance = random.Random(18)
    home = tmp_path / "home"
    book, keys = open_book(home, url, Clock())
    with serving(home, url, (book, keys), chores=False) as running:
        while len(stops) < STOPS:
            if _job(book) is None:
                number += 1
                files = {"file": (f"{number}.csv", statement(rows, number))}
                asked = running.ask(
                    "POST", "/v1/statements", files=files, headers={"Prefer": "respond-async"}
                )
                assert asked.status_code == 202, asked.text
            with _running(home, url) as (process, _):
                while (job := _job(book)) is None or job["state"] != "running":
                    time.sleep(0.05)
                time.sleep(chance.uniform(0, 20))
                begun = time.monotonic()
                process.send_signal(signal.SIGTERM)
                process.wait(timeout=120)
                stops.append(time.monotonic() - begun)
            _let_begin_again(book)
        with _running(home, url):
            end = time.monotonic() + WAIT_SECONDS
            while _job(book) is not None:
                assert time.monotonic() < end
                time.sleep(0.5)
        _check_whole(running, rows * number)
    _tell(
        capsys, f"{len(stops)} stops: {sorted(round(stop, 1) for stop in stops)} s, {number} scored"
    )
    assert max(stops) < STOP_SECONDS


def test_fifty_different_uploads_at_once_are_all_received(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each comes again, as the answer says, where it was told that the service is busy."""
    home = tmp_path / "home"
    book, keys = open_book(home, url, Clock())
    with serving(home, url, (book, keys), chores=False) as running:
        refused: list[int] = []

        def upload(number: int) -> float:
            begun = time.monotonic()
            content = statement(500, number)
            while True:
                files = {"file": (f"{number}.csv", content)}
                answer = httpx2.post(
                    f"{address}/v1/statements", files=files, headers=running.of("finance"),
                    timeout=600,
                )  # fmt: skip
                if answer.status_code != 503:
                    assert answer.status_code in {201, 202}, answer.text
                    return time.monotonic() - begun
                refused.append(answer.status_code)
                time.sleep(int(answer.headers["retry-after"]))

        with _running(home, url, workers=2) as (_, address), ThreadPoolExecutor(50) as threads:
            begun = time.monotonic()
            seconds = sorted(threads.map(upload, range(50)))
            while _job(book) is not None:
                assert time.monotonic() < begun + WAIT_SECONDS
                time.sleep(0.5)
            whole = time.monotonic() - begun
        _check_whole(running, 50 * 500)
    _tell(
        capsys,
        f"50 at once: {seconds[24]:.1f} s median, {seconds[-1]:.1f} s, {len(refused)} x 503, "
        f"all received after {whole:.0f} s",
    )


def test_a_statement_of_200000_rows_is_received_and_scored(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    book, keys = open_book(home, url, Clock())
    with serving(home, url, (book, keys)) as running:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        begun = time.monotonic()
        answer = running.send(statement(200_000))
        assert answer.status_code in {201, 202}, answer.text
        while _job(book) is not None:
            assert time.monotonic() < begun + WAIT_SECONDS
            time.sleep(0.5)
        seconds = time.monotonic() - begun
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        _check_whole(running, 200_000)
    _tell(capsys, f"200,000 rows: {seconds:.0f} s, {before} MiB before and {peak} MiB at most")
