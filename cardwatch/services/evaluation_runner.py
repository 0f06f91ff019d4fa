"""Evaluates on an organisation's own payments, in a separate low-priority process.

What is planted there never comes near the casebook: the process is given payments, policy and
rules, and gives back figures. It ends with its work, and what memory it took is free again.
"""

from __future__ import annotations

import io
import json
import os
import sys
import threading
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, cast

import pandas as pd

from cardwatch.casebook import AuditEvent, documents
from cardwatch.casebook import statements as kept
from cardwatch.casebook.counting import is_counting
from cardwatch.casebook.own_keys import hidden_keys
from cardwatch.casebook.unit_of_work import canonical
from cardwatch.errors import CardwatchError, CasebookBusy, NothingToScore
from cardwatch.evaluation.benchmark import Plan, evaluate
from cardwatch.registers import match_cards, person_key
from cardwatch.services.scoring_inputs import (
    SHIPPED,
    active_inputs,
    load_inputs,
    read_content,
    unpack_policy,
    unpack_rules,
)
from cardwatch.statements import name_holders
from cardwatch.tabular.limited_child import limit_process, start_child

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator

    from cardwatch.casebook import UnitOfWork
    from cardwatch.services.answers import OwnEvaluation
    from cardwatch.services.context import ServiceContext

SERVE = "from cardwatch.services.evaluation_runner import serve; serve()"
EVALUATION_MONTHS = 24
"""Number of newest months read: one half is scored, the half before is its history."""
MOST_PAYMENTS = 40_000
"""Of more payments than these, those of some holders are left out, whole holders at a time: so
many take about three minutes of one core and 1 GiB (measured)."""
SEEDS = 3
MEMORY_BYTES = 4 << 30
NICENESS = 10
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
CANCEL_POLL_SECONDS = 1.0


def evaluate_own(
    context: ServiceContext,
    *,
    tell: Callable[[int], None] = lambda _: None,
    is_over: Callable[[], bool] = lambda: False,
) -> OwnEvaluation:
    """Measure what would be found in the organisation's own payments: see `evaluation.benchmark`.

    Payments of somebody who asks, and on cards that they approve, are left out: alerts are counted.

    Args:
        context: who asks; the lists of the lanes they see are measured, by the active rules.
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
    with context.work(AuditEvent("consultation", "evaluation"), ()) as uow:
        context.require_alert_access()
        table = _newest(uow)
        recipe = active_inputs(uow, str(context.now.date()))
        texts = {kind: read_content(uow, recipe, kind) for kind in SHIPPED}
        hidden, cards = hidden_keys(uow), load_inputs(uow, replace(recipe, model="")).cards
    if table.empty:
        raise NothingToScore("No statement has been uploaded yet.")
    together, _ = name_holders(kept.as_read(table))
    named = match_cards(together, cards) if hidden and cards else together
    together = together[~named["holder_id"].map(person_key).isin(hidden)]
    holders = together["holder_id"].nunique()
    chosen = _fewer(together)
    rows = io.BytesIO()
    chosen.to_parquet(rows, index=False)
    instructions = canonical({"lanes": context.actor.lanes, "seeds": SEEDS}).encode()
    order = documents.pack(texts | {"rows.parquet": rows.getvalue(), "said.json": instructions})
    evaluation = _apart(order, tell, is_over)
    evaluation["facts"]["holders_of"] = int(holders)
    return evaluation


def _newest(uow: UnitOfWork) -> pd.DataFrame:
    """Return the payments of the newest months held, as `read_window` gives them."""
    counting_rows = [row for row in kept.list_statements(uow) if is_counting(row)]
    if not counting_rows:
        return pd.DataFrame()
    last = max(row["last_on"] for row in counting_rows)
    since = pd.Period(last, "M").start_time - pd.DateOffset(months=EVALUATION_MONTHS - 1)
    return kept.read_window(uow, kept.last_seq(uow), str(since.date()), last)


def _fewer(transactions: pd.DataFrame) -> pd.DataFrame:
    """Return the payments of as many whole holders as `MOST_PAYMENTS` allow.

    Holders are taken in the order of a hash of their names, which has nothing to do with what they
    buy: what each of them did stays whole.
    """
    counts = transactions["holder_id"].value_counts()
    order = pd.util.hash_array(counts.index.to_numpy(dtype=object))
    counts = counts.iloc[order.argsort(kind="stable")]
    chosen_holders = counts.index[counts.cumsum() <= MOST_PAYMENTS]
    return transactions[transactions["holder_id"].isin(chosen_holders)]


def _apart(
    order: bytes, report_percent: Callable[[int], None], is_over: Callable[[], bool]
) -> OwnEvaluation:
    """Run an evaluation in a separate process; return its answer; see `evaluate_own`."""
    answer: dict[str, Any] = {}
    with start_child(SERVE, ONE_THREAD) as process:
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
                    report_percent(answer["percent"])
    if "facts" in answer:
        return cast("OwnEvaluation", answer)
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
            ended.wait(CANCEL_POLL_SECONDS)

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
    limit_process(MEMORY_BYTES)
    files = documents.unpack(sys.stdin.buffer.read())
    instructions = json.loads(files["said.json"])
    rules = unpack_rules(files["rules"])
    plan = Plan(seeds=instructions["seeds"], lanes=tuple(instructions["lanes"]), rules=rules)
    done = 0

    def progress(_: str) -> None:
        nonlocal done
        _say({"percent": 5 + 94 * done // plan.steps})
        done += 1

    transactions = pd.read_parquet(io.BytesIO(files["rows.parquet"]))
    days = ("date", "posting_date")
    transactions = transactions.astype(dict.fromkeys(days, "datetime64[s]"))
    try:
        evaluation = evaluate(transactions, unpack_policy(files["policy"]), plan, progress)
        _say(asdict(evaluation))
    except CardwatchError as refusal:
        _say({"code": refusal.code, "detail": str(refusal)})


def _say(content: dict[str, Any]) -> None:
    sys.stdout.write(canonical(content) + "\n")
    sys.stdout.flush()
