"""Keeps the forests that a service fitted last, by the hash of what they were fitted to."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from cardwatch.forest import Forest, fit_table, training_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

MOST_FORESTS = 4
"""Forests kept: those of payments and of months of two histories, at most 45 MB each."""


class FittedForests:
    """Forests by the hash of their numbers, the columns, and what they say of their rows.

    A forest is kept whole, so that a scoring that finds its own gives the same bytes. What differs
    in anything is fitted anew. Threads may share it.
    """

    def __init__(self, most: int = MOST_FORESTS) -> None:
        """Keep at most so many, those used last."""
        self._most = most
        self._forests: OrderedDict[tuple[object, ...], Forest] = OrderedDict()
        self._lock = threading.Lock()
        self.fitted_count = 0

    def fit(
        self, features: Mapping[str, Any], columns: Sequence[str], rows: pd.DataFrame
    ) -> Forest:
        """Return what `fit_forest` returns for the same rows, fitted at most once while kept."""
        table = training_table(features, columns)
        dates = rows["date"]
        key = (
            hashlib.sha256(table.tobytes()).hexdigest(),
            tuple(columns),
            int(rows["holder_id"].nunique()),
            dates.min(),
            dates.max(),
        )
        with self._lock:
            forest = self._forests.get(key)
            if forest is not None:
                self._forests.move_to_end(key)
                return forest
        forest = fit_table(table, columns, rows)  # outside: others need not wait for it
        with self._lock:
            self.fitted_count += 1
            self._forests[key] = forest
            while len(self._forests) > self._most:
                self._forests.popitem(last=False)
        return forest

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._forests)
