"""One process of the service takes no more memory than it may, and goes on where it is refused."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest
from processes import free_port, states_of_jobs
from services import OCTOBER, Clock, open_book, serving

HANG_SECONDS = 60
GREEDY = """
import sys
import uvicorn
from cardwatch.services import jobs
jobs.receive = lambda *_, **__: bytearray(int(sys.argv[2]) << 20)
uvicorn.run("api.main:app", host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
"""
"""A service in which a scoring takes as much memory as it is told to."""


@pytest.mark.skipif(sys.platform != "linux", reason="no other system keeps to the limit")
def test_what_takes_more_memory_than_there_is_fails_alone(tmp_path: Path) -> None:
    home, url = tmp_path / "home", f"sqlite:///{tmp_path / 'casebook.db'}"
    book, keys = open_book(home, url, Clock())
    with serving(home, url, (book, keys), chores=False) as running:
        files = {"file": ("october.csv", OCTOBER)}
        running.ask("POST", "/v1/statements", files=files, headers={"Prefer": "respond-async"})
        port = free_port()
        set_up = {"CARDWATCH_HOME": str(home), "CARDWATCH_DATABASE": url}
        set_up |= {"CARDWATCH_MEMORY_MIB": "1024"}
        with subprocess.Popen(
            [sys.executable, "-c", GREEDY, str(port), "2048"],
            env=os.environ | set_up,
            cwd=Path(__file__).parents[2],
        ) as server:
            end = time.monotonic() + HANG_SECONDS
            try:
                while states_of_jobs(book) != ["failed"]:
                    assert time.monotonic() < end, states_of_jobs(book)
                    assert server.poll() is None
                    time.sleep(0.1)
                assert httpx2.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200
            finally:
                server.kill()
