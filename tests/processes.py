"""What tests see of processes, in /proc, and of a service that runs in one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
from conftest import ROOT
from services import OWN

from cardwatch.casebook import LANES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardwatch.casebook import Casebook


def children(parent: int) -> dict[int, str]:
    """Return the state of each child of a process; Z is a zombie."""
    found = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, its_parent = stat.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
        if int(its_parent) == parent:
            found[int(stat.parent.name)] = state
    return found


def in_memory(process: int) -> int:
    """Return how many bytes of memory a process holds."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def free_port() -> int:
    """Return a port of this machine that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def states_of_jobs(book: Casebook) -> list[str]:
    """Return the state of each job of a casebook."""
    with book.snapshot() as connection:
        book.set_tenant(connection, OWN, LANES)
        return list(connection.exec_driver_sql("SELECT state FROM jobs").scalars())


@contextmanager
def serving_process(environment: dict[str, str], folder: Path) -> Iterator[str]:
    """Run the service as `make serve` does; give its address."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "api.main:app", "--port", str(port),
               "--no-access-log", "--app-dir", str(ROOT)]  # fmt: skip
    with (
        (folder / "service.log").open("wb") as log,
        subprocess.Popen(command, env=environment, cwd=folder, stderr=log) as server,
    ):
        address = f"http://127.0.0.1:{port}"
        for _ in range(300):
            try:
                httpx2.get(f"{address}/health/live")
                break
            except httpx2.HTTPError:
                time.sleep(0.1)
        try:
            yield address
        finally:  # without, a failure would wait for a server that never ends
            server.terminate()
