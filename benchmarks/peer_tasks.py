"""Does one task with one library, in a process of its own; `benchmarks/peers.py` compares them.

python benchmarks/peer_tasks.py reading polars FOLDER

Peers may be in another environment than cardwatch, so everything is imported where it is used.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import importlib.metadata
import json
import resource
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Work = Callable[[], Any]
    """What is measured; it returns what peers have to agree on, or what they may differ in."""

REPEATS, LONG_SECONDS = 3, 10
"""What takes so long of processor is not done again."""
LIMIT_PENCE, WINDOW_DAYS = 100_000, 7
TREES, SAMPLES, SEED = 1000, 256, 20261101
NOT_INSTALLED = 3
"""The exit code where the library is not installed."""


def read_by_cardwatch(folder: Path) -> Work:
    """Every row checked, in a process with limited memory and time."""
    from cardwatch.statements import ReadingChoices, read_statements, shipped_profiles

    choices = ReadingChoices(shipped_profiles(), b"benchmark key of 32 bytes length")

    def work() -> list[Any]:
        rows = read_statements([folder / "rows.csv"], choices).transactions
        dates = rows["date"]
        pence = int(rows["amount_pence"].sum())
        return [len(rows), pence, str(dates.min().date()), str(dates.max().date())]

    return work


def read_by_polars(folder: Path) -> Work:
    """Texts, dates and decimals."""
    import polars as pl

    def work() -> list[Any]:
        rows = pl.read_csv(folder / "rows.csv", infer_schema=False).with_columns(
            pl.col("date", "posting_date").str.to_date("%d/%m/%Y"),
            pl.col("amount").cast(pl.Decimal(18, 2)),
        )
        pence, dates = int(rows["amount"].sum() * 100), rows["date"]
        return [len(rows), pence, str(dates.min()), str(dates.max())]

    return work


def read_by_duckdb(folder: Path) -> Work:
    """Texts, dates and decimals."""
    import duckdb

    typed = {"date": "DATE", "posting_date": "DATE", "amount": "DECIMAL(18, 2)"}

    def work() -> list[Any]:
        database = duckdb.connect()
        database.execute(
            "CREATE TABLE statement AS SELECT * FROM "
            "read_csv(?, header = true, all_varchar = false, dateformat = '%d/%m/%Y', types = ?)",
            [str(folder / "rows.csv"), typed | dict.fromkeys(TEXTS, "VARCHAR")],
        )
        rows, pounds, first, last = database.execute(
            "SELECT count(*), sum(amount), min(date), max(date) FROM statement"
        ).fetchall()[0]
        return [rows, int(pounds * 100), str(first), str(last)]

    return work


def read_by_pandas(folder: Path) -> Work:
    """Texts, dates and decimals."""
    import pandas as pd
    import pyarrow as pa

    decimal = pd.ArrowDtype(pa.decimal128(18, 2))

    def work() -> list[Any]:
        rows = pd.read_csv(folder / "rows.csv", dtype="str", engine="pyarrow")
        for name in ("date", "posting_date"):
            rows[name] = pd.to_datetime(rows[name], format="%d/%m/%Y")
        rows["amount"] = rows["amount"].astype(decimal)
        pence, dates = int(rows["amount"].sum() * 100), rows["date"]
        return [len(rows), pence, str(dates.min().date()), str(dates.max().date())]

    return work


TEXTS = (
    "transaction_id", "holder_id", "merchant", "mcc", "category", "cost_centre", "currency",
)  # fmt: skip


def book_by_cardwatch(folder: Path) -> Work:
    """Every row checked, and what number formats print looked at."""
    from cardwatch.statements import ReadingChoices, read_statements, shipped_profiles

    choices = ReadingChoices(shipped_profiles(), b"benchmark key of 32 bytes length")
    return lambda: len(read_statements([folder / "rows.xlsx"], choices).transactions)


def book_by_calamine(folder: Path) -> Work:
    """The cells alone, neither typed nor checked."""
    from python_calamine import CalamineWorkbook

    def work() -> int:
        sheet = CalamineWorkbook.from_path(str(folder / "rows.xlsx")).get_sheet_by_index(0)
        return len(sheet.to_python()) - 1

    return work


def splits_by_cardwatch(folder: Path) -> Work:
    """One of the searches: refunds, habits, the fewest parts and chance are looked at as well."""
    import pandas as pd

    from cardwatch.features import Ledger
    from cardwatch.features.split import SEARCHES, find_splits
    from cardwatch.policy import load_policy

    rows = pd.read_parquet(folder / "payments.parquet")

    def work() -> int:
        return int((find_splits(ledgers.pop(), SEARCHES["limit"])["count"] > 0).sum())

    ledgers = [Ledger(rows, load_policy()) for _ in range(REPEATS)]
    return work


def splits_by_duckdb(folder: Path) -> Work:
    """A window of days for each cardholder and merchant, and no more."""
    import duckdb

    database = duckdb.connect()
    database.execute(
        "CREATE TABLE payments AS SELECT * FROM read_csv(?, types = {'date': 'DATE'})",
        [str(folder / "payments.csv")],
    )
    windows = f"""
        SELECT count(*) FROM (
            SELECT sum(pence) OVER days AS total, count(*) OVER days AS parts FROM payments
            WHERE pence BETWEEN 1 AND {LIMIT_PENCE}
            WINDOW days AS (PARTITION BY holder, merchant ORDER BY date
                            RANGE BETWEEN INTERVAL {WINDOW_DAYS} DAYS PRECEDING AND CURRENT ROW))
        WHERE total > {LIMIT_PENCE} AND parts > 1"""  # noqa: S608  figures of this file
    return lambda: database.execute(windows).fetchall()[0][0]


def splits_by_pydit(folder: Path) -> Work:
    """Running totals of 30 days for each cardholder and merchant."""
    import pandas as pd
    from pydit.functions.split_transactions import check_for_split_transactions

    rows = pd.read_csv(folder / "payments.csv", parse_dates=["date"])
    rows = pd.DataFrame(
        {
            "date": rows["date"],
            "supplier": rows["holder"] + " " + rows["merchant"],
            "amount": rows["pence"] / 100,
        }
    )

    def work() -> int:
        flagged = check_for_split_transactions(rows, [LIMIT_PENCE / 100])
        return int((flagged["highest_limit_hit_above"] > 0).sum())

    return work


def forest_by_cardwatch(folder: Path) -> Work:
    """Trees on the drawn rows by scikit-learn's own builder."""
    import pandas as pd

    from cardwatch.forest import fit_forest

    table = _features(folder)
    names = [f"feature {number}" for number in range(table.shape[1])]
    rows = pd.DataFrame({"holder_id": "E1", "date": pd.Timestamp("2026-11-01")}, range(len(table)))
    columns = dict(zip(names, table.T, strict=True))
    return lambda: fit_forest(columns, names, rows).unusualness(columns)


def forest_by_scikit_learn(folder: Path) -> Work:
    """Its own isolation forest."""
    from sklearn.ensemble import IsolationForest

    table = _features(folder)
    given = {"n_estimators": TREES, "max_samples": SAMPLES, "random_state": SEED, "n_jobs": 1}
    return lambda: -IsolationForest(**given).fit(table).score_samples(table)


def forest_by_pyod(folder: Path) -> Work:
    """The forest of a library of many detectors."""
    from pyod.models.iforest import IForest

    table = _features(folder)
    given = {"n_estimators": TREES, "max_samples": SAMPLES, "random_state": SEED, "n_jobs": 1}

    def work() -> Any:  # noqa: ANN401  an array
        detector = IForest(**given)
        detector.fit(table)
        return detector.decision_function(table)

    return work


def forest_by_coniferest(folder: Path) -> Work:
    """The forest of a library for rare objects in the sky."""
    from coniferest.isoforest import IsolationForest

    table = _features(folder).astype("float64")

    def work() -> Any:  # noqa: ANN401  an array
        forest = IsolationForest(TREES, SAMPLES, n_jobs=1, random_seed=SEED)
        return -forest.fit(table).score_samples(table)

    return work


def _features(folder: Path) -> Any:  # noqa: ANN401  an array
    """Return the features of the payments, a row each."""
    import numpy as np

    return np.load(folder / "features.npy")


TASKS: dict[str, dict[str, Callable[[Path], Work]]] = {
    "reading": {
        "cardwatch": read_by_cardwatch,
        "polars": read_by_polars,
        "duckdb": read_by_duckdb,
        "pandas": read_by_pandas,
    },
    "workbook": {"cardwatch": book_by_cardwatch, "python-calamine": book_by_calamine},
    "splits": {
        "cardwatch": splits_by_cardwatch,
        "duckdb": splits_by_duckdb,
        "pydit-jceresearch": splits_by_pydit,
    },
    "forest": {
        "cardwatch": forest_by_cardwatch,
        "scikit-learn": forest_by_scikit_learn,
        "pyod": forest_by_pyod,
        "coniferest": forest_by_coniferest,
    },
}
"""By task the libraries that do it, by the names under which they are installed."""


def processor_seconds() -> float:
    """Return the processor seconds of this process and its ended children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main(task: str, library: str, folder: Path) -> None:
    """Print the least of some runs, and what the task gave; keep scores in a file."""
    warnings.simplefilter("ignore")
    try:
        work = TASKS[task][library](folder)
    except ModuleNotFoundError:
        sys.exit(NOT_INSTALLED)
    processor, wall = [], []
    result: Any = None
    for _ in range(REPEATS):
        start, used = time.perf_counter(), processor_seconds()
        result = work()
        processor.append(processor_seconds() - used)
        wall.append(time.perf_counter() - start)
        if processor[-1] > LONG_SECONDS:
            break
    if task == "forest":
        import numpy as np

        np.save(folder / f"scores {library}.npy", result)
        result = len(result)
    answer = {
        "version": importlib.metadata.version(library),
        "processor": min(processor),
        "wall": min(wall),
        "result": result,
    }
    print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
