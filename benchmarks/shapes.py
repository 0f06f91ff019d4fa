"""Measures inputs of unusual shapes beside ordinary ones: none may cost many times as much.

Names built to look alike, one holder with everything, merchants that are all distinct, ten years.
Ratios are of processor seconds: others may be using the processors.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from detection import make_transactions

from cardwatch.merchants import link_merchants
from cardwatch.policy import load_policy
from cardwatch.scoring import score

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES, ROWS, MANY_ROWS = 100_000, 20_000, 100_000
LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
TEN_YEARS = 3_650


def distinct_names(make: Callable[[random.Random], str], count: int) -> pd.Series[str]:
    """Return different names in one shape."""
    chance, names = random.Random(1), dict[str, None]()  # noqa: S311  the same each time
    while len(names) < count:
        names[make(chance)] = None
    return pd.Series([*names], dtype="str")


def letters(chance: random.Random, count: int) -> str:
    """Return some letters by chance."""
    return "".join(chance.choices(LETTERS, k=count))


ALIKE: dict[str, Callable[[random.Random], str]] = {
    "random letters": lambda chance: letters(chance, 9),
    "HOTEL and six letters": lambda chance: f"HOTEL {letters(chance, 6)}",
    "four equal first letters": lambda chance: f"HOTE{letters(chance, 7)}",
    "three words, then a tail": lambda chance: f"NORTH STREET HOTEL {letters(chance, 7)}",
    "300 letters": lambda chance: letters(chance, 300),
}


def processor_seconds(work: Callable[[], object]) -> float:
    """Return the processor seconds of some work in this process."""
    started = time.process_time()
    work()
    return time.process_time() - started


def bench_names() -> None:
    """Join names that are built to be alike."""
    print(f"{NAMES:,} distinct names joined, processor seconds (aim: 10 each)")
    days = pd.Series(pd.date_range("2024-01-01", periods=NAMES, freq="min").astype("M8[s]"))
    for shape, make in ALIKE.items():
        names = distinct_names(make, NAMES)
        print(f"  {shape:26} {processor_seconds(lambda n=names: link_merchants(n, days)):6.2f}")


def shapes(rows: int) -> dict[str, pd.DataFrame]:
    """Return as many payments in each shape."""
    ordinary = make_transactions(rows)
    apart = distinct_names(ALIKE["random letters"], rows).to_numpy()
    days = np.datetime64("2016-01-01") + (np.arange(rows) * TEN_YEARS // rows).astype("m8[D]")
    days = days.astype("M8[s]")
    return {
        "ordinary": ordinary,
        "one holder with everything": ordinary.assign(holder_id="E1").astype({"holder_id": "str"}),
        "all merchants distinct": ordinary.assign(merchant=pd.array(apart, dtype="str")),
        "ten years": ordinary.assign(date=days, posting_date=days),
        "all names alike": ordinary.assign(
            merchant=distinct_names(ALIKE["HOTEL and six letters"], rows).array
        ),
    }


def bench_shapes(rows: int) -> None:
    """Score payments in each shape without history."""
    print(f"\n{rows:,} payments scored, processor seconds (aim: twice the ordinary at most)")
    score(make_transactions(1_000), load_policy())  # what is loaded at first is no shape's
    ordinary = 0.0
    for shape, transactions in shapes(rows).items():
        seconds = processor_seconds(lambda rows=transactions: score(rows, load_policy()))
        ordinary = ordinary or seconds
        print(f"  {shape:26} {seconds:6.2f}   ratio {seconds / ordinary:.2f}", flush=True)


if __name__ == "__main__":
    bench_names()
    for count in (ROWS, MANY_ROWS):
        bench_shapes(count)
