"""Limits how many requests one person makes in a day, with all their keys, in one process."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from typing import TYPE_CHECKING

from cardwatch.casebook.quotas import quota_reached
from cardwatch.vocabulary import QuotaKind

if TYPE_CHECKING:
    from collections.abc import Callable


class RequestQuota:
    """The requests of each person on the day that it is, from midnight UTC."""

    def __init__(self, limit: int, clock: Callable[[], dt.datetime]) -> None:
        """Begin without any request."""
        self._limit, self._clock = limit, clock
        self._counts: Counter[str] = Counter()
        self._day = clock().astimezone(dt.UTC).date()
        self._lock = threading.Lock()

    def count(self, person_id: str) -> None:
        """Count one request of somebody, or of a key of theirs.

        Raises:
            QuotaReached: they have made as many today as one person may.
        """
        with self._lock:
            if self._of_today()[person_id] >= self._limit:
                raise quota_reached(QuotaKind.REQUESTS, self._limit, self._clock())
            self._counts[person_id] += 1

    def used(self, person_id: str) -> int:
        """Return how many requests somebody has made today, with their keys."""
        with self._lock:
            return self._of_today()[person_id]

    def _of_today(self) -> Counter[str]:
        """The counts of today; those of an earlier day are forgotten."""
        today = self._clock().astimezone(dt.UTC).date()
        if today > self._day:  # a clock that is set back gives nobody the same day twice
            self._day = today
            self._counts.clear()
        return self._counts
