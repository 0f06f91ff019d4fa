"""Daily quotas are counted together by all processes of a service."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from cardwatch.casebook.quotas import use_quota
from cardwatch.errors import QuotaReached
from cardwatch.vocabulary import QuotaKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.casebook import Casebook


def test_ten_at_once_use_no_more_than_there_is(casebook: Casebook, at: Callable[..., Any]) -> None:
    """As processes do: each counts in a transaction of its own."""
    context = at()

    def use(_: int) -> bool:
        try:
            use_quota(
                casebook, context.actor, {QuotaKind.UPLOADS: 1}, {QuotaKind.UPLOADS: 7}, context.now
            )
        except QuotaReached:
            return False
        return True

    with ThreadPoolExecutor(10) as threads:
        assert sum(threads.map(use, range(10))) == 7
