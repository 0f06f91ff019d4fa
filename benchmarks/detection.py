"""Measures detection: features and rules, forests, growth with rows, memory, a whole scoring."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd

from cardwatch.features import FOREST_FEATURES, MONTH_FEATURES, Ledger, build_features
from cardwatch.features.split import SEARCHES, find_splits
from cardwatch.forest import fit_forest
from cardwatch.policy import load_policy
from cardwatch.records import TRANSACTION_COLUMNS
from cardwatch.rules import load_rules
from cardwatch.scoring import score

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.scoring import ScoringResult

ROWS = 300_000
GROWTH = (375_000, 750_000, 1_500_000, 3_000_000)
MILLION = 1_000_000
SCORED = 304_000
ROWS_A_HOLDER, MERCHANTS_A_HOLDER = 100, 8
DAYS = 730
T = TypeVar("T")


def make_transactions(rows: int) -> pd.DataFrame:
    """Return made-up transactions: holders with favourites, two years, all columns filled."""
    rng = np.random.default_rng(rows)
    holders = max(rows // ROWS_A_HOLDER, 50)
    merchants = holders * MERCHANTS_A_HOLDER
    holder = rng.integers(0, holders, rows)
    merchant = (holder * 13 + np.minimum(rng.geometric(0.08, rows), 200)) % merchants
    merchant = np.where(rng.random(rows) < 0.3, rng.zipf(1.6, rows) % 200, merchant)
    pence = np.exp(rng.normal(3.2 + merchant % 7 / 4, 0.8)) * 100
    letters = [[n * 7919 // 26**place % 26 for place in range(5)] for n in range(merchants)]
    names = pd.Series(["".join(chr(65 + at) for at in word) + " TRADING" for word in letters])
    codes = pd.Series([f"{5000 + n}" for n in range(90)])
    filled = {
        "date": np.datetime64("2024-01-01") + np.sort(rng.integers(0, DAYS, rows)).astype("m8[D]"),
        "holder_id": pd.Series([f"E{n:06d}" for n in range(holders)]).take(holder).to_numpy(),
        "merchant": names.take(merchant).to_numpy(),
        "mcc": codes.take(merchant % 90).to_numpy(),
        "cost_centre": pd.Series([f"C{n}" for n in range(holders)]).take(holder // 9).to_numpy(),
        "amount_pence": np.minimum(pence, 4e6).astype("int64"),
        "original_currency": "GBP",
        "kind": "purchase",
        "day_doubled": False,
        "file": "made.csv",
        "row": np.arange(rows),
    }
    frame = pd.DataFrame({name: filled.get(name, "") for name in TRANSACTION_COLUMNS})
    frame["posting_date"] = frame["date"]
    texts = frame.columns[[isinstance(frame[name].iat[0], str) for name in frame]]
    return frame.astype(dict.fromkeys(texts, "str") | {"date": "datetime64[s]"})


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Return the wall time of some work, in seconds, and what it gave."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def features_and_rules(transactions: pd.DataFrame) -> tuple[Ledger, pd.DataFrame]:
    """Build every feature and ask every rule that needs features alone."""
    policy = load_policy()
    ledger = Ledger(transactions, policy)
    features = build_features(ledger)
    for rule in load_rules():
        if rule.subject == "payment" and set(rule.reads) <= set(features.columns):
            rule.fires(features, policy)
    return ledger, features


def score_all(transactions: pd.DataFrame) -> ScoringResult:
    """Score all payments against each other, as without history."""
    return score(transactions, load_policy())


def both_forests(ledger: Ledger, features: pd.DataFrame) -> None:
    """Fit both forests to all rows and score all rows."""
    ends = ledger.last_rows(ledger.is_purchase, ("holder_id", "month"))
    fit_forest(features, FOREST_FEATURES, ledger.frame).unusualness(features)
    months = fit_forest(features.iloc[ends], MONTH_FEATURES, ledger.frame.iloc[ends])
    months.unusualness(features)


def bench_against_forests() -> None:
    """Compare features and rules with both forests, and time one split search."""
    transactions = make_transactions(ROWS)
    work, (ledger, features) = timed(lambda: features_and_rules(transactions))
    forests, _ = timed(lambda: both_forests(ledger, features))
    fresh = Ledger(transactions, load_policy())
    search, _ = timed(lambda: find_splits(fresh, SEARCHES["limit"]))
    print(f"{ROWS:,} payments, wall seconds")
    print(f"  features and rules               {work:7.2f}")
    print(f"  both forests, fitted and scored  {forests:7.2f}   ratio {work / forests:.2f}")
    print(f"  one split search of those        {search:7.2f}")


def bench_growth() -> None:
    """Show how the time grows with the rows, each size in a process of its own, and the memory.

    The ratio is that of processor seconds: others may be using the processors.
    """
    print("\nfeatures and rules          wall s    cpu s    ratio   peak MiB, rows included")
    before = 0.0
    for rows in (*GROWTH, MILLION):
        command = [sys.executable, __file__, str(rows)]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds, used, memory = map(float, answer.stdout.split())
        ratio = f"{used / before:7.2f}" if before and rows != MILLION else "       "
        print(f"  {rows:>10,} payments    {seconds:8.1f} {used:8.1f}  {ratio}   {memory:8.0f}")
        before = used


def bench_scoring() -> None:
    """Show what the lists of a large organisation take, features, forests and alerts included."""
    command = [sys.executable, __file__, str(SCORED), "score"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, used, memory = map(float, answer.stdout.split())
    print(f"\n{SCORED:,} payments scored against each other: {seconds:.1f} s wall, {used:.1f} s "
          f"processor (aim: 58), {memory:,.0f} MiB at most (aim: 1,720)")  # fmt: skip


def measure_one(rows: int, work: Callable[[pd.DataFrame], object]) -> None:
    """Print wall and processor seconds, and the peak memory, of one size."""
    transactions = make_transactions(rows)
    started = time.process_time()
    seconds, _ = timed(lambda: work(transactions))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(seconds, time.process_time() - started, peak / 1024)


def main() -> None:
    """Run every benchmark, or one size of the growth."""
    if len(sys.argv) > 1:
        whole = "score" in sys.argv
        measure_one(int(sys.argv[1]), score_all if whole else features_and_rules)
        return
    bench_against_forests()
    bench_growth()
    bench_scoring()


if __name__ == "__main__":
    main()
