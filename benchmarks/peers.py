"""Measures cardwatch beside libraries that do a part of the same work, all in one run.

Each does its task in a process of its own, and the least of three times counts. A library that is
not installed is named as such; `make peers` installs those that cardwatch does not need. Ratios are
of processor seconds: others may be using the processors.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from detection import make_transactions
from peer_tasks import NOT_INSTALLED, TASKS
from speed import HEADINGS, write_statement

from cardwatch.features import FOREST_FEATURES, Ledger, build_features
from cardwatch.policy import load_policy

ROOT = Path(__file__).parents[1]
PYTHONS = (sys.executable, str(ROOT / ".venv-peers" / "bin" / "python"))
"""A library is looked for in cardwatch's own environment, then in that of the peers."""
READ_ROWS, BOOK_ROWS, SPLIT_ROWS, FOREST_ROWS = 1_000_000, 50_000, 50_000, 17_500
DEARER = 8
"""Times the amounts in the search, so that it has something to find."""
QUESTIONS = {
    "reading": f"Reading {READ_ROWS:,} rows of CSV: days and exact pence",
    "workbook": f"Reading a workbook of {BOOK_ROWS:,} rows; the peer reads its cells alone",
    "splits": f"Searching {SPLIT_ROWS:,} payments for splits; peers do a part of it",
    "forest": f"An isolation forest of 1,000 trees on {FOREST_ROWS:,} payments, fitted and scored",
}


def write_inputs(folder: Path) -> None:
    """Write what the tasks read."""
    write_statement(folder / "rows.csv", READ_ROWS, dt.date(2024, 1, 1), 730, 1)
    rows = pd.read_csv(folder / "rows.csv", dtype="str", nrows=BOOK_ROWS)
    for name in ("date", "posting_date"):
        rows[name] = pd.to_datetime(rows[name], format="%d/%m/%Y").dt.date
    rows.assign(amount=rows["amount"].astype(float)).to_excel(
        folder / "rows.xlsx", columns=list(HEADINGS), index=False, engine="xlsxwriter"
    )
    payments = make_transactions(SPLIT_ROWS)
    payments["amount_pence"] *= DEARER
    payments.to_parquet(folder / "payments.parquet")
    names = {"holder_id": "holder", "amount_pence": "pence"}
    table = payments[["date", "holder_id", "merchant", "amount_pence"]].rename(columns=names)
    table.to_csv(folder / "payments.csv", index=False)
    features = build_features(Ledger(make_transactions(FOREST_ROWS), load_policy()))
    np.save(folder / "features.npy", features[list(FOREST_FEATURES)].to_numpy("float32"))


def measure(task: str, library: str, folder: Path) -> dict[str, Any] | None:
    """Do a task in a process of its own; return None where the library is not installed."""
    tasks = Path(__file__).with_name("peer_tasks.py")
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    for python in PYTHONS:
        if not Path(python).exists():
            continue
        command = [python, str(tasks), task, library, str(folder)]
        ran = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False)
        if ran.returncode != NOT_INSTALLED:
            ran.check_returncode()
            told: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
            return told
    return None


def agreement(folder: Path, library: str) -> str:
    """Return how alike a forest's order of the payments is to ours: Spearman's correlation."""
    ranks = [
        pd.Series(np.load(folder / f"scores {name}.npy")).rank() for name in ("cardwatch", library)
    ]
    return f"order alike by {np.corrcoef(*ranks)[0, 1]:.3f}"


def tell(task: str, library: str, told: dict[str, Any], ours: dict[str, Any], folder: Path) -> None:
    """Print a row: what one library took, and how its result compares."""
    ratio = ours["processor"] / told["processor"]
    if task == "forest":
        result = agreement(folder, library)
    elif task == "splits":
        result = f"{told['result']:,} payments flagged"
    else:
        result = "same result" if told["result"] == ours["result"] else "other RESULT"
    print(
        f"  {library + ' ' + told['version']:26} {told['processor']:8.2f} s processor, "
        f"{told['wall']:7.2f} s wall, ratio {ratio:7.3g}; {result}",
        flush=True,
    )


def main() -> None:
    """Do every task with every library."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"Ratios: what cardwatch takes over what the other takes. Load averages {load}")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_inputs(folder)
        for task in sys.argv[1:] or TASKS:
            print(f"\n{QUESTIONS[task]}")
            ours = measure(task, "cardwatch", folder)
            assert ours, "cardwatch is not installed"
            tell(task, "cardwatch", ours, ours, folder)
            for library in [name for name in TASKS[task] if name != "cardwatch"]:
                if told := measure(task, library, folder):
                    tell(task, library, told, ours, folder)
                else:
                    print(f"  {library:26} not installed: not measured (`make peers`)", flush=True)


if __name__ == "__main__":
    main()
