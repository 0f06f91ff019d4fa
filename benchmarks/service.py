"""Loads the service from another process, over loopback: python benchmarks/service.py [minutes].

A hundred-row scoring at twenty requests a second, from a fixed timetable, so that a slow answer
does not slow the asking; lists and pages over a casebook of a million transactions; a statement
of 50,000 rows from upload to alerts.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import numpy as np
import pandas as pd
from detection import make_transactions

from cardwatch import services
from cardwatch.casebook import Actor, Casebook
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.forest import load_forest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PORT, RATE, ROWS = 8799, 20, 100
ADDRESS = f"http://127.0.0.1:{PORT}"
ASKED = 100
PAGES = ("/alerts", "/alerts?order=money&tier=A", "/review", "/statements", "/settings", "/audit")
ALERT_PAGES = ("/alerts/{}", "/alerts/{}/holder", "/alerts/{}/merchant")
NOW = dt.datetime(2026, 11, 25, 9, 0, tzinfo=dt.UTC)


def rows_of(frame: pd.DataFrame, month: str, name: str) -> list[dict[str, str]]:
    """Return some made-up transactions as rows of a statement of one month."""
    table = pd.DataFrame(
        {
            "date": [f"{month}-{1 + 27 * at // len(frame):02}" for at in range(len(frame))],
            "employee_id": frame["holder_id"].to_numpy(),
            "merchant": frame["merchant"].to_numpy(),
            "amount": (frame["amount_pence"] / 100).map("{:.2f}".format).to_numpy(),
            "transaction_id": [f"{name}-{at}" for at in range(len(frame))],
        }
    )
    return table.to_dict("records")


def as_csv(lines: list[dict[str, str]]) -> bytes:
    """Return transactions as a statement."""
    heads = "Date,Employee ID,Merchant,Amount,Reference"
    return "\n".join([heads, *(",".join(one.values()) for one in lines)]).encode()


def make_book(home: Path) -> str:
    """Make a casebook with the demonstration model in force; return a key of finance's."""
    book = Casebook(f"sqlite:///{home / 'casebook.db'}")
    owner = services.add_organisation(book, "Load Police", NOW)
    itself = services.ServiceContext(book, Actor(owner, SYSTEM, "admin"), NOW)
    key = services.create_key(itself, name="load", role="finance", days=90)
    finance = services.ServiceContext(book, services.actor_of_key(book, key, NOW), NOW)
    model = services.pack_forest(load_forest(ROOT / "models" / "demo"), "demo")
    services.activate_document(finance, "model", model, "2025-01-01")
    book.close()
    return key


@contextmanager
def serving(home: Path, workers: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the service in processes of its own."""
    command = [sys.executable, "-m", "uvicorn", "api.main:app", "--port", str(PORT),
               "--no-access-log", "--workers", str(workers), "--log-level", "warning"]  # fmt: skip
    environment = os.environ | {
        "CARDWATCH_HOME": str(home),
        "CARDWATCH_RATE": "1000000",
        "CARDWATCH_QUOTA_REQUESTS": "1000000",
    }
    environment |= {"OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL) as server:
        for _ in range(300):
            try:
                httpx2.get(f"{ADDRESS}/health/ready").raise_for_status()
                break
            except httpx2.HTTPError:
                time.sleep(0.1)
        yield server
        server.terminate()


def memory_mib(server: subprocess.Popen[bytes]) -> float:
    """Return the memory of the service's processes together."""
    listed = subprocess.run(
        ["ps", "-o", "rss=", "--pid", str(server.pid), "--ppid", str(server.pid)],  # noqa: S607
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return sum(map(int, listed.split())) / 1024


async def load(headers: dict[str, str], seconds: float) -> list[tuple[int, float]]:
    """Send scorings at the rate, each at its time; return status and seconds of each."""
    made = make_transactions(50 * ROWS)
    bodies = [
        {
            "transactions": rows_of(made.iloc[n * ROWS : (n + 1) * ROWS], "2026-11", f"L{n}"),
            "history": False,
        }
        for n in range(50)
    ]
    told: list[tuple[int, float]] = []
    async with httpx2.AsyncClient(base_url=ADDRESS, headers=headers, timeout=60) as client:
        begun = time.perf_counter()

        async def ask(number: int) -> None:
            due = begun + number / RATE
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            answer = await client.post("/v1/scores", json=bodies[number % len(bodies)])
            told.append((answer.status_code, time.perf_counter() - due))

        await asyncio.gather(*(ask(number) for number in range(int(seconds * RATE))))
    return told


def figures(times: list[float]) -> str:
    """Return median, 95th percentile and maximum in milliseconds."""
    middle, high, most = (1000 * np.quantile(times, q) for q in (0.5, 0.95, 1.0))
    return f"median {middle:.0f} ms, p95 {high:.0f} ms, maximum {most:.0f} ms"


def bench_scorings(minutes: float, workers: int) -> None:
    """Measure scorings of a hundred rows."""
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        headers = {"Authorization": f"Bearer {make_book(home)}"}
        with serving(home, workers) as server:
            asyncio.run(load(headers, 10))
            before = memory_mib(server)
            told = asyncio.run(load(headers, 60 * minutes))
            grown = memory_mib(server) - before
    wrong = sum(status != 200 for status, _ in told)
    print(f"{workers} process(es): {len(told):,} scorings of {ROWS} rows at {RATE} a second")
    print(f"  {figures([seconds for _, seconds in told])}; {wrong} not answered 200")
    print(f"  memory {before:.0f} MiB, {grown:+.0f} MiB over {minutes:g} minutes", flush=True)


def bench_pages(months: int, each: int) -> None:
    """Measure list pages over many transactions, and a large statement from upload to alerts."""
    year = make_transactions(12 * each)
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        headers = {"Authorization": f"Bearer {make_book(home)}"}
        with (
            serving(home, 1) as server,
            httpx2.Client(base_url=ADDRESS, headers=headers, timeout=900) as client,
        ):
            for number in range(months):
                month = f"{2025 + number // 12}-{number % 12 + 1:02}"
                part = year.iloc[number % 12 * each :].head(each)
                lines = rows_of(part, month, str(number))
                seconds = send(client, as_csv(lines), is_history=number < months - 2)
            print(f"the last of {months} statements of {each:,} rows, upload to alerts: "
                  f"{seconds:.1f} s; memory {memory_mib(server):.0f} MiB", flush=True)  # fmt: skip
            alerts = client.get("/v1/alerts", params={"limit": 50}).json()["alerts"]
            newest = client.get("/v1/statements").json()[-1]["statement_id"]
            for order in ("evidence", "money", "age"):
                ask_often(client, [f"/v1/alerts?limit=50&order={order}"])
            for path in (*PAGES, f"/statements/{newest}"):
                ask_often(client, [path])
            for path in ALERT_PAGES:
                ask_often(client, [path.format(one["alert_id"]) for one in alerts])
            raised = sum(client.get("/v1/reconciliation").json().values())
            print(f"  over {months * each:,} transactions and {raised:,} alerts")


def send(client: httpx2.Client, statement: bytes, *, is_history: bool) -> float:
    """Upload a statement and wait until it is scored; return the seconds that took."""
    begun = time.perf_counter()
    answer = client.post(
        "/v1/statements",
        files={"file": ("statement.csv", statement)},
        data={"history": str(is_history).lower()},
    )
    answer.raise_for_status()
    job = answer.json()
    while answer.status_code == 202 and job["state"] in {"queued", "running"}:
        time.sleep(0.2)
        job = client.get(f"/v1/jobs/{job['job_id']}").json()
    return time.perf_counter() - begun


def ask_often(client: httpx2.Client, paths: list[str]) -> None:
    """Ask for a page of some things a hundred times in all; print the seconds that took."""
    times = []
    for path in itertools.islice(itertools.cycle(paths), ASKED):
        begun = time.perf_counter()
        client.get(path).raise_for_status()
        times.append(time.perf_counter() - begun)
    print(f"  {paths[0]}: {figures(times)}", flush=True)


if __name__ == "__main__":
    for processes in (1, 2):
        bench_scorings(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0, processes)
    bench_pages(20, 50_000)
