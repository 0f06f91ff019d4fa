"""The history that a statement is compared with: from which day, and which payments."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cardwatch.casebook import statements as kept

if TYPE_CHECKING:
    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.statements import IncomingStatement

HISTORY_WINDOW_DAYS = 400
"""Days of history that a scoring reads, so that its cost does not grow with the years kept. It is
thirteen months: what comes yearly is seen again; detection was measured with twelve."""
LATE_SHARE = 0.05
"""A statement begins on the day before which this share of its payments lie; these are late."""


def window_from(rows: pd.DataFrame) -> str:
    """Return the first day of the history that a statement is compared with."""
    start = dt.date.fromisoformat(begins_on(rows)) - dt.timedelta(HISTORY_WINDOW_DAYS)
    return min(str(start), str(rows["date"].min()))


def table_of(arrival: IncomingStatement, before: pd.DataFrame) -> pd.DataFrame:
    """Return what the scoring of a statement reads, as `read_window` will give it once kept.

    Args:
        arrival: the statement.
        before: history that it is compared with, as `read_window` gives it.
    """
    new = arrival.rows.astype({"day_doubled": bool})
    new = new.assign(seq=arrival.seq, label=arrival.label, statement_id=arrival.statement_id)
    new = new.assign(is_scored=True)
    table = pd.concat([before, new[list(before.columns)]], ignore_index=True)
    not_scored = ~table["is_scored"].astype(bool)
    order = np.lexsort([table["seq"], not_scored])  # as `counting_payments` has them
    return table.iloc[order].drop_duplicates("identity", ignore_index=True)


def history_before(uow: UnitOfWork, arrival: IncomingStatement, since: str) -> pd.DataFrame:
    """Return what a statement is compared with: what counts before it, without what it corrects."""
    before = kept.read_window(uow, arrival.seq - 1, since, str(arrival.rows["date"].max()))
    return before[before["statement_id"] != arrival.corrects]


def begins_on(rows: pd.DataFrame) -> str:
    """Return the day on which a statement begins, late payments left aside."""
    days = rows["date"].sort_values(ignore_index=True)
    return str(days.iloc[int(LATE_SHARE * len(days))])
