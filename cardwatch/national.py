"""Scores many organisations, each a partition, on an executor of choice.

A result is written as soon as it is there, with the hashes of everything that made it. An
organisation that fails is named and the others stand; a second run does what is missing. The bytes
of a result do not depend on the executor or the number of workers.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from cardwatch import __version__
from cardwatch.errors import CardwatchError, place_of
from cardwatch.executors import Engine, processes
from cardwatch.partitions import (
    TABLE_FILE,
    FileStore,
    organisation_folder,
    parquet_bytes,
    read_partition,
)
from cardwatch.policy import load_policy, parse_policy
from cardwatch.reports.as_json import lists_content
from cardwatch.rules import load_rules, rules_sha256
from cardwatch.scoring import score

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from concurrent.futures import Future

    from cardwatch.partitions import Partition
    from cardwatch.records import AlertList

ALERTS_FILE = "alerts.json"
WORKER_LOST = "its worker process was lost"


@dataclass(frozen=True)
class NationalSettings:
    """Settings with which all organisations are scored.

    Attributes:
        since: statements whose last payment is on this day or later are scored, against all of the
            organisation's payments; empty for each organisation's newest statement.
        policy_text: the policy of organisations without their own, as a file holds it; empty for
            the defaults.
        lanes: those of which lists are made.
    """

    since: str = ""
    policy_text: str = ""
    lanes: tuple[str, ...] = ("finance",)


@dataclass(frozen=True)
class PartitionTask:
    """The work on one organisation, as it is sent to a worker."""

    partition: Partition
    settings: NationalSettings
    rules_sha256: str
    cardwatch: str = __version__

    @property
    def inputs(self) -> dict[str, Any]:
        """The names and hashes of everything that makes the result."""
        return {
            "cardwatch": self.cardwatch,
            "files": dict(self.partition.files),
            "lanes": list(self.settings.lanes),
            "policy": hashlib.sha256(self.settings.policy_text.encode()).hexdigest(),
            "rules": self.rules_sha256,
            "since": self.settings.since,
        }


@dataclass(frozen=True)
class PartitionLists:
    """The result of one organisation, as it comes from a worker; a reason where it failed."""

    alerts_json: bytes = b""
    table: bytes = b""
    payments: int = 0
    alerts: int = 0
    processor_seconds: float = 0.0
    reason: str = ""


@dataclass(frozen=True)
class PartitionOutcome:
    """Outcome for one organisation.

    Attributes:
        outcome: `scored`, `unchanged` where an earlier run made the same, or `failed`.
        payments, alerts: how many were scored, and raised in all lanes that were asked for.
        processor_seconds: what it cost in this run.
        reason: why it failed.
    """

    organisation: str
    outcome: str
    payments: int = 0
    alerts: int = 0
    processor_seconds: float = 0.0
    reason: str = ""


def score_many(
    partitions: Sequence[Partition],
    results: str,
    settings: NationalSettings | None = None,
    *,
    engine: Engine | None = None,
) -> Iterator[PartitionOutcome]:
    """Score organisations and write each one's alerts; tell of each as it is done.

    Args:
        partitions: as `list_partitions` gives them.
        results: folder or address to which `organisation=NAME/alerts.json` (the lists whole, with
            hashes) and `alerts.parquet` (a row an alert) are written.
        settings: what they are scored with.
        engine: on what; by default one process a processor of this machine.

    Yields:
        An outcome an organisation, in the order in which they are done.

    Raises:
        CardwatchError: the policy has faults, or a result cannot be written.
    """
    settings = settings or NationalSettings()
    parse_policy(settings.policy_text, "policy.toml")
    store, rules = FileStore(results), rules_sha256(load_rules())
    tasks: deque[PartitionTask] = deque()
    for partition in sorted(partitions, key=lambda p: (-p.size, p.organisation)):
        task = PartitionTask(partition, settings, rules)
        earlier = _earlier_outcome(store, task)
        if earlier is None:
            tasks.append(task)
        else:
            yield earlier
    for task, lists in _run(tasks, engine or processes()):
        yield _keep(store, task, lists)


def score_partition(task: PartitionTask) -> PartitionLists:
    """Score one organisation, wherever the worker runs; a refusal is a value."""
    start = time.process_time()
    try:
        lists, payments = _score(task)
    except CardwatchError as refusal:
        return PartitionLists(reason=str(refusal))
    table = parquet_bytes(alert_table(task.partition.organisation, lists))
    content = {
        "organisation": task.partition.organisation,
        "inputs": task.inputs,
        "payments": payments,
        "table_sha256": hashlib.sha256(table).hexdigest(),
        "lists": lists_content(lists),
    }
    text = json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
    count = sum(len(alert_list.alerts) for alert_list in lists.values())
    seconds = time.process_time() - start
    return PartitionLists(text.encode(), table, payments, count, seconds)


def alert_table(organisation: str, lists: dict[str, AlertList]) -> pd.DataFrame:
    """Return a row an alert, for whoever reads tables; `alerts.json` has all of it."""
    rows = [
        {
            "organisation": organisation,
            "lane": lane,
            "alert_id": alert.alert_id,
            "rank": alert.rank,
            "tier": alert.tier,
            "kind": alert.kind,
            "rule": alert.reasons[0].rule,
            "title": alert.title,
            "first_on": alert.first_on,
            "last_on": alert.last_on,
            "at_stake_pence": alert.at_stake_pence,
            "payments": len(alert.payments),
            "holders": len(alert.holders),
            "shown": alert.shown,
        }
        for lane, alert_list in lists.items()
        for alert in alert_list.alerts
    ]
    types = dict.fromkeys(("rank", "at_stake_pence", "payments", "holders"), "int64")
    names = ("organisation", "lane", "alert_id", "rank", "tier", "kind", "rule", "title",
             "first_on", "last_on", "at_stake_pence", "payments", "holders", "shown")  # fmt: skip
    texts = [name for name in names if name not in types and name != "shown"]
    frame = pd.DataFrame(rows, columns=list(names))
    return frame.astype(types | dict.fromkeys(texts, "str") | {"shown": "bool"})


def _score(task: PartitionTask) -> tuple[dict[str, AlertList], int]:
    """Return one organisation's lists, and how many payments were scored."""
    if task.cardwatch != __version__ or task.rules_sha256 != rules_sha256(load_rules()):
        raise CardwatchError(f"A worker has cardwatch {__version__}, not {task.cardwatch}.")
    content, settings = read_partition(task.partition), task.settings
    text = settings.policy_text
    policy = content.policy or (parse_policy(text, "policy.toml") if text else load_policy())
    last_days = content.transactions.groupby("file")["date"].max()
    since = pd.Timestamp(settings.since) if settings.since else last_days.max()
    scored_files = sorted(last_days.index[last_days >= since])
    if not scored_files:
        raise CardwatchError(f"There are no payments on or after {settings.since}.")
    scoring = score(
        content.transactions,
        policy,
        cards=content.cards,
        asked_files=scored_files,
        lanes=settings.lanes,
    )
    return scoring.lists, int(scoring.scored.asked.sum())


def _run(
    tasks: deque[PartitionTask], engine: Engine
) -> Iterator[tuple[PartitionTask, PartitionLists]]:
    """Do the tasks; what a lost worker took with it is done again, each by itself."""
    suspects: deque[PartitionTask] = deque()
    while tasks:
        yield from _drain(tasks, suspects, engine, engine.most_at_once)
    for task in suspects:
        lost_again: deque[PartitionTask] = deque()
        yield from _drain(deque([task]), lost_again, engine, 1)
        for lost_task in lost_again:
            yield lost_task, PartitionLists(reason=WORKER_LOST)


def _drain(
    tasks: deque[PartitionTask], suspects: deque[PartitionTask], engine: Engine, most: int
) -> Iterator[tuple[PartitionTask, PartitionLists]]:
    """Do tasks on one opened executor until none is left, or the executor is lost."""
    running: dict[Future[PartitionLists], PartitionTask] = {}
    with engine.open_executor() as executor:
        is_lost = False
        while running or (tasks and not is_lost):
            while tasks and not is_lost and (not most or len(running) < most):
                task = tasks.popleft()
                try:
                    running[executor.submit(score_partition, task)] = task
                except BrokenExecutor:
                    tasks.appendleft(task)
                    is_lost = True
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                task, error = running.pop(future), future.exception()
                if isinstance(error, BrokenExecutor):
                    suspects.append(task)
                    is_lost = True
                elif error is None:
                    yield task, future.result()
                else:
                    yield task, PartitionLists(reason=f"error: {place_of(error)}")


def _keep(store: FileStore, task: PartitionTask, lists: PartitionLists) -> PartitionOutcome:
    """Write a result, the JSON last: it says that the result is whole."""
    name = task.partition.organisation
    if lists.reason:
        return PartitionOutcome(name, "failed", reason=lists.reason)
    folder = organisation_folder(name)
    store.write(f"{folder}/{TABLE_FILE}", lists.table)
    store.write(f"{folder}/{ALERTS_FILE}", lists.alerts_json)
    return PartitionOutcome(
        name, "scored", lists.payments, lists.alerts, round(lists.processor_seconds, 2)
    )


def _earlier_outcome(store: FileStore, task: PartitionTask) -> PartitionOutcome | None:
    """Return what an earlier run made of the same inputs, if it is there whole."""
    folder = organisation_folder(task.partition.organisation)
    try:
        content: dict[str, Any] = json.loads(store.read(f"{folder}/{ALERTS_FILE}"))
        table_sha256 = hashlib.sha256(store.read(f"{folder}/{TABLE_FILE}")).hexdigest()
        is_same = content["inputs"] == task.inputs and content["table_sha256"] == table_sha256
        count = sum(len(alert_list["alerts"]) for alert_list in content["lists"].values())
        payments = int(content["payments"])
    except (CardwatchError, ValueError, KeyError, TypeError, AttributeError):
        return None  # none yet, or not as we write it: it is made again
    if not is_same:
        return None
    return PartitionOutcome(task.partition.organisation, "unchanged", payments, count)
