"""A service that is told to stop ends in time, and the work is taken up again."""

from __future__ import annotations

import datetime as dt
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from services import OCTOBER, Clock, open_book, serving

from cardwatch import services

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


def _start(home: Path, url: str) -> subprocess.Popen[bytes]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    set_up = os.environ | {"CARDWATCH_HOME": str(home), "CARDWATCH_DATABASE": url}
    command = [sys.executable, "-c", ENDLESS, str(port)]
    return subprocess.Popen(command, env=set_up, cwd=Path(__file__).parents[2])


def _states(book: Casebook) -> list[str]:
    with book.snapshot() as connection:
        return list(connection.exec_driver_sql("SELECT state FROM jobs").scalars())


def _until(book: Casebook, state: str) -> None:
    end = time.monotonic() + HANG_SECONDS
    while _states(book) != [state]:
        assert time.monotonic() < end, _states(book)
        time.sleep(0.1)


def test_a_stop_waits_for_no_scoring_which_is_taken_up_again(tmp_path: Path) -> None:
    home, url = tmp_path / "home", f"sqlite:///{tmp_path / 'casebook.db'}"
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
        process.wait(timeout=HANG_SECONDS)
        assert _states(book) == ["running"]
    finally:
        process.kill()
        process.wait()
    after = dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)
    assert services.do_next_job(book, lambda: after)
    assert _states(book) == ["done"]
