"""Measures the casebook: receiving with years behind it, and 44 forces with two years each."""

from __future__ import annotations

import datetime as dt
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from detection import make_transactions

from cardwatch import services
from cardwatch.casebook import Actor, Casebook
from cardwatch.records import ReadingReport

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    Read = tuple[pd.DataFrame, ReadingReport]

MONTH_ROWS, FORCES, MONTHS = 1_500, 44, 24
YEARS = (1, 10)
NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
TIMES = 3


def months_of(name: str, months: int, rows: int) -> Iterator[Read]:
    """Return months of made-up statements, the last ending with 2026, as `read_each` gives them.

    Each year is like the one before, a few pence dearer: however many there are, the holders and
    what they buy are the same.
    """
    year = make_transactions(12 * rows)
    year = year.assign(key_employee_id=year["holder_id"]).drop(columns="holder_id")
    for back in range(months, 0, -1):
        month = np.datetime64("2027-01") - np.timedelta64(back, "M")
        part = year.iloc[(12 - back % 12) % 12 * rows :].head(rows).reset_index(drop=True)
        day = np.arange(rows) * 27 // rows
        date = (month.astype("M8[D]") + day).astype("datetime64[s]")
        label = f"{name}-{month}.csv"
        pence = part["amount_pence"] - back // 12
        values = {"date": date, "posting_date": date, "amount_pence": pence, "file": label}
        report = ReadingReport(label, f"{name}{back}", rows=rows, transactions=rows)
        yield part.assign(**values, row=np.arange(2, rows + 2)), report


def begin(book: Casebook, name: str) -> services.ServiceContext:
    """Return finance's service context of a new organisation."""
    owner = services.add_organisation(book, name, NOW)
    return services.ServiceContext(book, Actor(owner, "finance", "finance"), NOW)


def bench_years(folder: Path) -> None:
    """Receive the same month after one year of history, and after ten."""
    print("a month of 1,500 rows received and scored, processor seconds (least of three)")
    least = {}
    for years in YEARS:
        seconds = []
        for number in range(TIMES):
            book = Casebook(f"sqlite:///{folder / f'years{years}-{number}.db'}")
            at = begin(book, "Force")
            *before, last = months_of("force", 12 * years + 1, MONTH_ROWS)
            for one in before:
                services.receive(at, one, is_history=True)
            start = time.process_time()
            services.receive(at, last)
            seconds.append(time.process_time() - start)
            book.close()
        least[years] = min(seconds)
        print(f"  after {years:>2} years of history  {least[years]:6.2f}")
    print(f"  ratio                    {least[YEARS[-1]] / least[YEARS[0]]:6.2f}")


def bench_forces(folder: Path) -> None:
    """Load, score and verify many forces in one casebook."""
    rows = 1_500_000 // FORCES // MONTHS
    path = folder / "forces.db"
    book = Casebook(f"sqlite:///{path}")
    contexts, loading, scoring = [], 0.0, 0.0
    for number in range(FORCES):
        at = begin(book, f"Force {number}")
        *before, last = months_of(f"force{number}", MONTHS, rows)
        start = time.perf_counter()
        for one in before:
            services.receive(at, one, is_history=True)
        loading += time.perf_counter() - start
        start = time.perf_counter()
        services.receive(at, last)
        scoring += time.perf_counter() - start
        contexts.append(at)
    count = FORCES * MONTHS * rows
    size = path.stat().st_size / 2**20
    print(f"{FORCES} forces, {FORCES * MONTHS:,} statements, {count:,} payments: {size:,.0f} MiB")
    print(f"  kept as history   {loading:7.1f} s   {loading / FORCES / (MONTHS - 1):.3f} each")
    print(f"  newest scored     {scoring:7.1f} s   {scoring / FORCES:.2f} each")
    for again, words in ((False, "rows verified"), (True, "alerts made again")):
        start = time.perf_counter()
        checks = [check for at in contexts for check in services.verify(at, again=again)]
        seconds = time.perf_counter() - start
        faults, alerts = sum(bool(c.fault) for c in checks), sum(c.alerts for c in checks)
        print(f"  {words:17} {seconds:7.1f} s   {faults} faults, {alerts:,} alerts")
    book.close()


def main() -> None:
    """Run both."""
    with tempfile.TemporaryDirectory() as place:
        bench_years(Path(place))
        if "--years" not in sys.argv:
            bench_forces(Path(place))


if __name__ == "__main__":
    main()
