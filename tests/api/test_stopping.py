"""A service that is told to stop ends in time, and the work is taken up again."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from book_fixtures import database_url  # noqa: F401  both databases
from processes import free_port, states_of_jobs
from services import OCTOBER, Clock, open_book, serving

from cardwatch import installation, services

if TYPE_CHECKING:
    from cardwatch.casebook import Casebook

ENDLESS = """
import sys, time
import uvicorn
from cardwatch.services import jobs
jobs.receive = lambda *_, **__: time.sleep(3600)
uvicorn.run("api.main:app", host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""
"""A service in which a scoring never ends."""
HANG_SECONDS = 60
STOP_SECONDS = 20
"""What operators and `compose.yaml` are told that a stop takes at most."""


def _start(home: Path, url: str) -> subprocess.Popen[bytes]:
    port = free_port()
    set_up = os.environ | {"CARDWATCH_HOME": str(home), "CARDWATCH_DATABASE": url}
    command = [sys.executable, "-c", ENDLESS, str(port)]
    return subprocess.Popen(command, env=set_up, cwd=Path(__file__).parents[2])


def _until(book: Casebook, state: str) -> None:
    end = time.monotonic() + HANG_SECONDS
    while states_of_jobs(book) != [state]:
        assert time.monotonic() < end, states_of_jobs(book)
        time.sleep(0.1)


def test_a_stop_waits_for_no_scoring_which_is_taken_up_again(
    tmp_path: Path,
    database_url: str,  # noqa: F811
) -> None:
    home, url = tmp_path / "home", database_url
    book, keys = open_book(home, url, Clock())
    with serving(home, url, (book, keys), chores=False) as running:
        files = {"file": ("october.csv", OCTOBER)}
        later = {"Prefer": "respond-async"}
        asked = running.ask("POST", "/v1/statements", files=files, headers=later)
        assert asked.status_code == 202
    process = _start(home, url)
    try:
        _until(book, "running")
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=STOP_SECONDS)
        assert states_of_jobs(book) == ["running"]
    finally:
        process.kill()
        process.wait()
    after = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)
    assert services.do_next_job(book, lambda: after, installation.seal(home))
    assert states_of_jobs(book) == ["done"]
    book.close()
