"""Evaluates on an organisation's own payments, in a separate low-priority process.

What is planted there never comes near the casebook: the process is given payments, policy and
rules, and gives back figures. It ends with its work, and what memory it took is free again.
"""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from cardwatch.casebook import Event, documents
from cardwatch.casebook import statements as kept
from cardwatch.casebook.counting import is_counting
from cardwatch.casebook.work import canonical
from cardwatch.desk.recipe import (
    SHIPPED,
    read_content,
    recipe_of,
    unpack_policy,
    unpack_rules,
)
from cardwatch.errors import CardwatchError, CasebookBusy, NothingToScore
from cardwatch.evaluation.trial import Plan, evaluate
from cardwatch.statements import name_holders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cardwatch.casebook import Work
    from cardwatch.desk.desk import Desk

SERVE = "import sys; sys.path.insert(0, sys.argv[1]); from cardwatch.desk.measuring import serve; "
SERVE += "serve()"
"""Code that the process runs: this package, at its own path."""
MONTHS = 24
"""Number of newest months read: one half is scored, the half before is its history."""
MOST_PAYMENTS = 40_000
"""Of more payments than these, those of some holders are left out, whole holders at a time: so
many take about three minutes of one core and 1 GiB (measured)."""
SEEDS = 3
MEMORY_BYTES = 4 << 30
NICENESS = 10
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
LOOK_SECONDS = 1.0


def evaluate_own(
    desk: Desk,
    *,
    tell: Callable[[int], None] = lambda _: None,
    is_over: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Measure what would be found in the organisation's own payments: see `evaluation.trial`.

    Args:
        desk: who asks; the lists of the lanes they see are measured, by the active rules.
        tell: called with how many per cent are done.
        is_over: whether to break it off, looked at every second.

    Returns:
        The fields of `Evaluation`; its facts also say how many holders were left out (`holders_of`
        is how many there are) and which rivals could not be measured (`left_out`).

    Raises:
        NotAllowed: the role sees no alerts.
        NothingToScore: there are too few payments.
        CasebookBusy: it was broken off.
        CardwatchError: the process died, most likely of too little memory.
    """
    with desk.work(Event("consultation", "evaluation"), ()) as work:
        desk.sees_alerts()
        table = _newest(work)
        recipe = recipe_of(work, str(desk.now.date()))
        texts = {kind: read_content(work, recipe, kind) for kind in SHIPPED}
    if table.empty:
        raise NothingToScore("No statement has been uploaded yet.")
    together, _ = name_holders(kept.as_read(table))
    holders = together["holder_id"].nunique()
    chosen = _fewer(together)
    rows = io.BytesIO()
    chosen.to_parquet(rows, index=False)
    said = canonical({"lanes": desk.actor.lanes, "seeds": SEEDS}).encode()
    order = documents.pack(texts | {"rows.parquet": rows.getvalue(), "said.json": said})
    told = _apart(order, tell, is_over)
    told["facts"]["holders_of"] = int(holders)
    return told


def _newest(work: Work) -> pd.DataFrame:
    """Return the payments of the newest months held, as `read_window` gives them."""
    held = [row for row in kept.list_statements(work) if is_counting(row)]
    if not held:
        return pd.DataFrame()
    last = max(row["last_on"] for row in held)
    since = pd.Period(last, "M").start_time - pd.DateOffset(months=MONTHS - 1)
    return kept.read_window(work, kept.last_seq(work), str(since.date()), last)


def _fewer(transactions: pd.DataFrame) -> pd.DataFrame:
    """Return the payments of as many whole holders as `MOST_PAYMENTS` allow.

    Holders are taken in the order of a hash of their names, which has nothing to do with what they
    buy: what each of them did stays whole.
    """
    counts = transactions["holder_id"].value_counts()
    order = pd.util.hash_array(counts.index.to_numpy(dtype=object))
    counts = counts.iloc[order.argsort(kind="stable")]
    taken = counts.index[counts.cumsum() <= MOST_PAYMENTS]
    return transactions[transactions["holder_id"].isin(taken)]


def _apart(
    order: bytes, tell: Callable[[int], None], is_over: Callable[[], bool]
) -> dict[str, Any]:
    """Run an evaluation in a separate process; return its answer; see `evaluate_own`."""
    answer: dict[str, Any] = {}
    place = str(Path(__file__).parents[2])
    with subprocess.Popen(  # noqa: S603  our own interpreter, our own words
        [sys.executable, "-I", "-c", SERVE, place],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=ONE_THREAD,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        with _watched(process, is_over):
            try:
                process.stdin.write(order)
                process.stdin.close()
            except BrokenPipeError:
                pass  # it is dead, and its code says so
            for line in process.stdout:
                answer = json.loads(line)
                if "percent" in answer:
                    tell(answer["percent"])
    if "facts" in answer:
        return answer
    if is_over():
        raise CasebookBusy("It was interrupted and has been started again.")
    if answer.get("code") == NothingToScore.code:
        raise NothingToScore(answer["detail"])
    raise CardwatchError("The evaluation stopped early. It may need more memory than is allowed.")


@contextmanager
def _watched(process: subprocess.Popen[bytes], is_over: Callable[[], bool]) -> Iterator[None]:
    """Kill a process when its work is interrupted or its reader has failed."""

    def watch() -> None:
        while process.poll() is None:
            if is_over():
                process.kill()
            ended.wait(LOOK_SECONDS)

    ended = threading.Event()
    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    except BaseException:
        process.kill()  # with nobody reading, it would wait to write for ever
        raise
    finally:
        process.wait()
        ended.set()
        thread.join()


def serve() -> None:
    """Run as the process: read an order, say how far it has come, and give the figures."""
    os.nice(NICENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    files = documents.unpack(sys.stdin.buffer.read())
    said = json.loads(files["said.json"])
    rules = unpack_rules(files["rules"])
    plan = Plan(seeds=said["seeds"], lanes=tuple(said["lanes"]), rules=rules)
    done = 0

    def progress(_: str) -> None:
        nonlocal done
        _say({"percent": 5 + 94 * done // plan.steps})
        done += 1

    transactions = pd.read_parquet(io.BytesIO(files["rows.parquet"]))
    days = ("date", "posting_date")
    transactions = transactions.astype(dict.fromkeys(days, "datetime64[s]"))
    try:
        found = evaluate(transactions, unpack_policy(files["policy"]), plan, progress)
        _say(asdict(found))
    except CardwatchError as refusal:
        _say({"code": refusal.code, "detail": str(refusal)})


def _say(content: dict[str, Any]) -> None:
    sys.stdout.write(canonical(content) + "\n")
    sys.stdout.flush()
