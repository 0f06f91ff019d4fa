"""The independent re-performance: limits, splits and duplicates again, in SQL of its own.

It imports nothing that scores: docs/verification.md says in words what it computes, and
`firings.sql` is written from those words alone. What a statement holds reaches the database as
columns and never as part of a query; the database reads no file and no network.
"""

from __future__ import annotations

from importlib import resources
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pandas as pd

from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

INPUT_COLUMNS = ("number", "day", "holder", "merchant", "alias", "category", "pence", "kind",
                   "doubled", "card_single_pence", "card_month_pence")  # fmt: skip
"""Columns of the payments: `day` is counted from 1970, sums are pence, 0 for no card limit."""
FIRING_COLUMNS = ("search", "rule", "number", "count", "total", "limit_pence", "span", "needed",
                  "earlier", "merchants")  # fmt: skip
"""Columns of the firings: payments together, their total, the limit, days from first to last, the
fewest that exceed the limit, earlier days in a year, and merchants; 0 for what does not apply."""
LIMIT_COLUMNS = {"entry": "int64", "kind": "object", "since": "int64", "holder": "object",
                 "pence": "int64", "vat": "object", "stated": "bool"}  # fmt: skip
EXTRA = "evidence"
LIMITED: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "memory_limit": "1GB",
    "threads": "2",
}
"""Settings of the database, which are locked before it is given anything."""


def is_installed() -> bool:
    """Whether the database that it runs in is installed."""
    return find_spec("duckdb") is not None


def require_database() -> None:
    """Refuse an installation without the database that it runs in.

    Raises:
        CardwatchError: it is not installed.
    """
    if not is_installed():
        raise CardwatchError(
            f"The independent run needs duckdb. Install it with: pip install 'cardwatch[{EXTRA}]'"
        )


def reperform(
    payments: pd.DataFrame,
    limits: Iterable[Mapping[str, Any]],
    *,
    split_windows_days: Sequence[int],
    materiality_pence: int,
    habit_days: int,
) -> pd.DataFrame:
    """Return which payments exceed a limit, end a split or repeat another, and by what figures.

    Args:
        payments: a frame with `INPUT_COLUMNS`, in which `number` follows day, file and row.
        limits: the policy's entries, in its order, with `LIMIT_COLUMNS`; no `holder` is everybody.
        split_windows_days: days that the windows of splits reach back.
        materiality_pence: pence below which a repeat is not asked about.
        habit_days: earlier days in a year up to which a split is no habit.

    Returns:
        A frame with `FIRING_COLUMNS`, ordered by all of them. Of windows of one day that need
        equally few payments there is a row each.

    Raises:
        CardwatchError: the database is not installed, or the payments are too many for its memory.
    """
    require_database()
    import duckdb  # noqa: PLC0415  an extra

    tables = {
        "payments": payments[list(INPUT_COLUMNS)],
        "limits": _limit_table(limits),
        "split_windows": pd.DataFrame({"days": sorted(set(split_windows_days))}),
        "figures": pd.DataFrame(
            {"materiality_pence": [materiality_pence], "habit_days": [habit_days]}
        ),
    }
    query = (resources.files("cardwatch.independent") / "firings.sql").read_text(encoding="utf-8")
    with duckdb.connect(":memory:", config=LIMITED) as database:
        database.execute("SET lock_configuration = true")
        for name, table in tables.items():
            database.register(name, table)
        try:
            return database.execute(query).df()
        except duckdb.OutOfMemoryException as error:
            raise CardwatchError(
                "The independent run has 1 GB, and these payments need more. Verify without it."
            ) from error


def _limit_table(limits: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Return the policy's entries as a table; one without any entry has its columns."""
    rows = pd.DataFrame(list(limits), columns=list(LIMIT_COLUMNS))
    return rows.astype(LIMIT_COLUMNS)
