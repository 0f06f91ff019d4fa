"""Spark as the executor on which many organisations are scored, by `applyInPandas`."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd

from cardwatch.executors import Engine
from cardwatch.national import PartitionLists

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Executor, Future

    from pyspark.sql import SparkSession

    from cardwatch.national import PartitionTask

RESULT_SCHEMA = (
    "alerts_json binary, `table` binary, payments long, alerts long, processor_seconds double, "
    "reason string"
)
"""The columns of `PartitionLists` in Spark's words."""


def spark_cluster(session: SparkSession, most_at_once: int) -> Engine:
    """Return an engine that gives each organisation to Spark as a group of its own.

    Spark does one again whose worker was lost, as often as `spark.task.maxFailures` says.

    Args:
        session: a session whose executors have this version of cardwatch.
        most_at_once: organisations that are with Spark at a time, at best one a core.
    """

    @contextmanager
    def opened() -> Iterator[Executor]:
        with _SparkExecutor(session, most_at_once) as executor:
            yield executor

    return Engine(opened, most_at_once)


class _SparkExecutor(ThreadPoolExecutor):
    """Gives each organisation to Spark, and waits for it in a thread."""

    def __init__(self, session: SparkSession, most_at_once: int) -> None:
        super().__init__(max_workers=most_at_once)
        self._session = session

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:  # noqa: ANN401  as `Executor` has it
        return super().submit(self._run, fn, *args, **kwargs)

    def _run(
        self, score: Callable[[PartitionTask], PartitionLists], task: PartitionTask
    ) -> PartitionLists:
        def scored(_: pd.DataFrame) -> pd.DataFrame:
            return pd.DataFrame([asdict(score(task))])

        name = task.partition.organisation
        rows = self._session.createDataFrame([(name,)], "organisation string")
        (row,) = rows.groupBy("organisation").applyInPandas(scored, RESULT_SCHEMA).collect()
        values = row.asDict()
        binary = {key: bytes(values[key]) for key in ("alerts_json", "table")}
        return PartitionLists(**(values | binary))
