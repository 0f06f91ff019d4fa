"""Which payments count, and what is past its time: one answer, whoever asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from books import erase, month, receive_as_two

from cardwatch import services
from cardwatch.casebook import AuditEvent, report_queries
from cardwatch.casebook import statements as kept

if TYPE_CHECKING:
    from collections.abc import Callable

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

DAYS = ("2026-09-01", "2026-11-30")


def _counted(at: Context) -> tuple[int, int]:
    """Return the pence of the payments that scoring and the report count."""
    with at().work(AuditEvent("consultation", "statements")) as uow:
        scored = kept.read_window(uow, kept.last_seq(uow), *DAYS)
        reported = report_queries.read_spending(uow, *DAYS)
    return int(scored["amount_pence"].sum()), int(reported["amount_pence"].sum())


def _pence(lines: list[str]) -> int:
    return sum(round(float(line.split(",")[3]) * 100) for line in lines)


def test_scoring_and_report_count_the_same(at: Context, read: Read) -> None:
    september, october = month(9), month(10)
    first = services.receive(at(), read(*september, *october[:6]), is_history=True)
    services.receive(at(), read(*october), is_history=True)  # six of them a second time
    assert _counted(at) == (_pence([*september, *october]),) * 2
    changed = [*september[:-1], september[-1].replace(".50", ".75")]
    corrected = read(*changed, *october[:6])
    receive_as_two(at, corrected, corrects=first.statement_id)
    assert _counted(at) == (_pence([*changed, *october]),) * 2


@pytest.mark.parametrize(("days", "expired"), [(2_557, 0), (2_558, 1)])
def test_what_is_shown_as_expired_is_what_is_erased(
    at: Context, read: Read, days: int, expired: int
) -> None:
    services.receive(at(), read("2026-11-24,E1,SHOP,10.00,R1"), is_history=True)
    assert len(services.list_expired(at("admin", days=days))) == expired
    assert erase(at("admin", days=days)) == expired
    assert not services.list_expired(at("admin", days=days))
