"""Measures a month's scoring as a ratio to reading and the forest alone."""

from __future__ import annotations

import csv
import datetime as dt
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from cardwatch.alerts import ScoringContext, rank_alerts
from cardwatch.features import FOREST_FEATURES, Ledger, build_features
from cardwatch.forest import fit_forest
from cardwatch.policy import load_policy
from cardwatch.rarity import UNUSUALNESS, chances, surprise_shares
from cardwatch.rules import load_rules
from cardwatch.statements import ReadingChoices, read_statements, shipped_profiles

if TYPE_CHECKING:
    from collections.abc import Callable

HISTORY_ROWS, HISTORY_MONTHS, MONTH_ROWS = 35_000, 24, 1_500
HOLDERS, MERCHANTS = 300, 4_000
HEADINGS = (
    "transaction_id", "date", "posting_date", "holder_id", "merchant", "mcc", "category",
    "cost_centre", "amount", "currency",
)  # fmt: skip
T = TypeVar("T")


def write_statement(path: Path, rows: int, first: dt.date, days: int, seed: int) -> None:
    """Write a made-up statement: holders with favourites, prices spread by merchant."""
    rng = np.random.default_rng(seed)
    holder = rng.integers(0, HOLDERS, rows)
    merchant = (holder * 13 + np.minimum(rng.geometric(0.08, rows), MERCHANTS)) % MERCHANTS
    merchant = np.where(rng.random(rows) < 0.3, rng.zipf(1.6, rows) % 200, merchant)
    pence = np.exp(rng.normal(3.2 + merchant % 7 / 4, 0.8)) * 100
    day = rng.integers(0, days, rows)
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(HEADINGS)
        for i in range(rows):
            date = first + dt.timedelta(days=int(day[i]))
            writer.writerow(
                [
                    f"{seed:03d}{i:08d}",
                    f"{date:%d/%m/%Y}",
                    f"{date + dt.timedelta(days=2):%d/%m/%Y}",
                    f"E{holder[i]:04d}",
                    f"Merchant {merchant[i]} Ltd",
                    f"{5000 + merchant[i] % 900:04d}",
                    f"Category {merchant[i] % 90}",
                    f"CC{holder[i] % 30:02d}",
                    f"{min(pence[i], 4e6) / 100:.2f}",
                    "GBP",
                ]
            )


def bench_scoring(folder: Path, choices: ReadingChoices) -> None:
    """Show where the time of a month's scoring goes, and its ratio to the forest alone."""
    history = folder / "history"
    history.mkdir()
    for month in range(HISTORY_MONTHS):
        first = dt.date(2024 + month // 12, month % 12 + 1, 1)
        name = f"{first:%Y-%m}.csv"
        write_statement(history / name, HISTORY_ROWS // HISTORY_MONTHS, first, 28, 10 + month)
    newest = folder / "2026-01.csv"
    write_statement(newest, MONTH_ROWS, dt.date(2026, 1, 1), 28, 99)
    stages = score_in_stages(newest, history, choices)
    together = sum(stages.values())
    alone = stages["reading 25 files"] + stages["forest: fit"] + stages["forest: score"]
    print(f"\nScoring {MONTH_ROWS:,} rows against {HISTORY_ROWS:,}, wall seconds")
    for name, seconds in stages.items():
        print(f"  {name:26} {seconds:6.2f}")
    print(f"  {'together':26} {together:6.2f}")
    print(f"  {'reading and forest alone':26} {alone:6.2f}   ratio {together / alone:.2f}")
    start = time.perf_counter()
    command = [sys.executable, "-m", "cardwatch", "score", newest, "--history", history, "--json"]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    print(f"  {'the command as a whole':26} {time.perf_counter() - start:6.2f}")


def score_in_stages(newest: Path, history: Path, choices: ReadingChoices) -> dict[str, float]:
    """Score a month step by step as `cardwatch.scoring.score` does, and time each step."""
    stages: dict[str, float] = {}

    def timed(name: str, work: Callable[[], T]) -> T:
        start = time.perf_counter()
        result = work()
        stages[name] = time.perf_counter() - start
        return result

    policy, rules = load_policy(), load_rules()
    read = timed("reading 25 files", lambda: read_statements([newest, history], choices))
    ledger = timed("ledger", lambda: Ledger(read.transactions, policy))
    features = timed("features", lambda: build_features(ledger))
    asked = (ledger.frame["file"] == newest.name).to_numpy()
    rows = ledger.frame[~asked]
    forest = timed("forest: fit", lambda: fit_forest(features[~asked], FOREST_FEATURES, rows))
    features[UNUSUALNESS] = timed("forest: score", lambda: forest.unusualness(features))
    shares = timed("chance", lambda: surprise_shares(features, ~asked))
    columns = {str(name): values.to_numpy() for name, values in features.items()}
    columns |= chances(shares, ~asked)
    scored = ScoringContext(ledger, columns, shares, asked, ~asked)
    timed("rules and alerts", lambda: [rank_alerts(scored, rules, n) for n in ("finance", "psd")])
    return stages


def main() -> None:
    """Run the benchmark."""
    choices = ReadingChoices(shipped_profiles(), b"benchmark key of 32 bytes length")
    with tempfile.TemporaryDirectory() as folder:
        bench_scoring(Path(folder), choices)


if __name__ == "__main__":
    main()
