"""A star of facts without names for Power BI and Excel: payments and alerts, and what they are by.

`docs/exports.md` says what each column holds.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from cardwatch.merchants import category_name
from cardwatch.partitions import parquet_bytes
from cardwatch.reports.as_csv import csv_text, safe_text

if TYPE_CHECKING:
    from collections.abc import Iterator

CSV_NUMBERS = (int, Decimal)
NOT_RECORDED = "Not recorded"
EXACT_POUNDS = pd.ArrowDtype(pa.decimal128(14, 2))
ARROW_DAY = pd.ArrowDtype(pa.date32())
FACT_PAYMENT_COLUMNS = ("date", "kind", "mcc", "category", "unit", "cost_centre", "amount_pence",
                   "cardholder_key", "merchant_key")  # fmt: skip
"""Columns of payments that `make_facts` reads."""
FACT_ALERT_COLUMNS = ("alert_id", "raised_on", "last_on", "decided_on", "kind", "rule", "tier",
                      "state", "at_stake_pence", "recovered_pence")  # fmt: skip
"""Columns of alerts that `make_facts` reads."""
CATEGORY_NAMES, UNIT_NAMES = ("category_code", "category"), ("unit", "cost_centre")


def make_facts(payments: pd.DataFrame, alerts: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the tables of the star by name.

    Args:
        payments: those that count, each once, with `FACT_PAYMENT_COLUMNS`; days as text, and people
            and merchants by keys that say no name.
        alerts: those of finance, with `FACT_ALERT_COLUMNS`; no decision is an empty day.
    """
    paid = payments.fillna("").assign(
        category_code=lambda rows: rows["mcc"].replace("", NOT_RECORDED),
        unit=lambda rows: rows["unit"].replace("", NOT_RECORDED),
        cost_centre=lambda rows: rows["cost_centre"].replace("", NOT_RECORDED),
    )
    names = {code: category_name(code) for code in paid["mcc"].unique()}
    names_of_codes = paid["mcc"].map(names).where(lambda name: name != "", paid["category"])
    paid["category"] = names_of_codes.astype("str").replace("", NOT_RECORDED)
    categories, units = (
        _dimension(paid, "category_key", CATEGORY_NAMES),
        _dimension(paid, "unit_key", UNIT_NAMES),
    )
    paid = paid.merge(categories, on=list(CATEGORY_NAMES)).merge(units, on=list(UNIT_NAMES))
    by_day = ["date", "cardholder_key", "merchant_key", "amount_pence", "kind"]
    paid = paid.sort_values([*by_day, "category_key", "unit_key"], ignore_index=True)
    paid["amount_pounds"] = _pounds(paid["amount_pence"])
    columns = ["date", "kind", "category_key", "unit_key", "cardholder_key", "merchant_key",
               "amount_pounds"]  # fmt: skip
    raised = alerts.sort_values("alert_id", ignore_index=True)
    raised["at_stake_pounds"] = _pounds(raised["at_stake_pence"])
    raised["recovered_pounds"] = _pounds(raised["recovered_pence"])
    fact_alerts = raised[[*FACT_ALERT_COLUMNS[:-2], "at_stake_pounds", "recovered_pounds"]]
    days = pd.concat(
        [paid["date"], *(fact_alerts[name] for name in ("raised_on", "last_on", "decided_on"))]
    )
    return {
        "dates": _dates(days[days != ""]),
        "categories": categories,
        "units": units,
        "payments": _days(paid[columns], "date"),
        "alerts": _days(fact_alerts, "raised_on", "last_on", "decided_on"),
    }


def facts_files(tables: dict[str, pd.DataFrame]) -> Iterator[tuple[str, bytes]]:
    """Yield each table as Parquet and as CSV, with the name of its file."""
    for name, table in tables.items():
        yield f"{name}.parquet", parquet_bytes(table)
        yield f"{name}.csv", csv_text([list(table), *_cells(table)]).encode()


def _dimension(payments: pd.DataFrame, key: str, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return the distinct values of some columns in order, numbered from 1."""
    names = list(columns)
    table = payments[names].drop_duplicates().sort_values(names, ignore_index=True)
    table.insert(0, key, range(1, len(table) + 1))
    return table


def _dates(days: pd.Series[str]) -> pd.DataFrame:
    """Return a row a day from the first to the last month, as calendars of Power BI are whole."""
    months = pd.to_datetime(days).dt.to_period("M")
    every = pd.date_range(months.min().start_time, months.max().end_time.normalize())
    start = every.year - (every.month < 4)
    table = pd.DataFrame({
        "date": every.strftime("%Y-%m-%d"),
        "year": every.year,
        "quarter": [f"{day.year}-Q{day.quarter}" for day in every],
        "month": every.strftime("%Y-%m"),
        "financial_year": [f"{year}/{(year + 1) % 100:02}" for year in start],
        "weekday": every.day_of_week + 1,
    })  # fmt: skip
    return _days(table, "date")


def _days(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Return a table with days of text as days; an empty one is missing."""
    days = {
        name: pd.to_datetime(table[name].replace("", None)).astype(ARROW_DAY) for name in columns
    }
    return table.assign(**days)


def _pounds(pence: pd.Series[int]) -> pd.Series:
    """Return whole pence as exact pounds."""
    return pd.Series([Decimal(int(value)).scaleb(-2) for value in pence], dtype=EXACT_POUNDS)


def _cells(table: pd.DataFrame) -> Iterator[list[str | int | Decimal]]:
    """Yield the rows of a table for CSV: days and pounds in plain text, no formula."""
    for row in table.itertuples(index=False):
        yield [
            "" if pd.isna(cell) else cell if isinstance(cell, CSV_NUMBERS) else safe_text(str(cell))
            for cell in row
        ]
