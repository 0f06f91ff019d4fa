"""How long data is kept: deleted when it expired, unless it is held or still open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from books import SPLIT, erase, month

from cardwatch import services
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.errors import CardwatchError, NotAllowed, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

OLD = [line.replace("2026-10", "2016-10") for line in (*month(10), *SPLIT)]


@pytest.fixture
def old(at: Context, read: Read) -> str:
    """Give the alert of a statement that is past its time, and one that is not beside it."""
    services.receive(at(), read(*OLD))
    services.receive(at(), read(*month(11)))
    return str(services.list_alerts(at())[0]["alert_id"])


def test_what_is_past_its_time_goes_and_the_rest_stays(at: Context, old: str) -> None:
    services.decide(at(), old, DecisionInput("so", "explained"))
    assert erase(at("admin")) == 14
    assert erase(at("admin")) == 0
    assert services.list_alerts(at()) == []
    first, second = services.list_statements(at())
    assert first["erased_at"]
    assert second["erased_at"] is None
    assert [check.note for check in services.verify(at())] == ["deleted when it expired", ""]
    assert [check.fault for check in services.verify(at())] == ["", ""]


def test_an_open_alert_is_never_erased(at: Context, old: str) -> None:
    erase(at("admin"))
    assert services.get_alert(at(), old)["raised"].payments


def test_a_month_that_was_deleted_is_not_shown_as_one_without_spending(
    at: Context, read: Read
) -> None:
    september, october = (
        [line.replace("2026-", "2016-") for line in (*month(number, 20), *more)]
        for number, more in ((9, []), (10, SPLIT))
    )
    services.receive(at(), read(*september), is_history=True)
    services.receive(at(), read(*october))
    (alert,) = services.list_alerts(at())

    def months() -> list[tuple[bool, bool]]:
        shown = services.get_history(at(), alert["alert_id"])["holder"]["months"]
        return [(month["has_statement"], month["payments"] > 0) for month in shown]

    assert months() == [(True, True), (True, True)]
    services.place_hold(at(), alert["alert_id"], reason="case 12")
    erase(at("admin"))
    assert months() == [(False, False), (False, True)]


def test_a_hold_beats_its_time_and_ends(at: Context, old: str) -> None:
    services.decide(at(), old, DecisionInput("so", "explained"))
    held = services.place_hold(at(), old, reason="case 12")
    with pytest.raises(CardwatchError, match="already"):
        services.place_hold(at(), old, reason="case 13")
    assert erase(at("admin")) == 12
    assert services.get_alert(at(), old)["state"] == "explained"
    with pytest.raises(NotFound):
        services.end_hold(at("psd"), held)
    services.end_hold(at(), held)
    assert erase(at("admin")) == 2
    with pytest.raises(NotFound):
        services.get_alert(at(), old)
    assert [one["ended_at"] is None for one in services.list_holds(at())] == [False]


def test_the_erasing_is_logged_and_who_erases_is_admin(at: Context, old: str) -> None:
    assert old
    with pytest.raises(NotAllowed):
        services.erase(at())
    erase(at("admin"))
    events = services.audit_events(at("auditor"), lane="finance", last=99)
    told = [(e["action"], e["outcome"], e["counts"]) for e in events if e["action"] == "erasure"]
    assert told == [("erasure", "done", {"transactions": 14}), ("erasure", "denied", {})]


def test_how_long_is_set_by_an_admin_and_never_below_what_scoring_reads(
    at: Context, old: str
) -> None:
    assert old
    assert (
        services.retention_periods(at("admin"), kind="transactions", days=5000)["transactions"]
        == 5000
    )
    assert erase(at("admin")) == 0
    for kind, days in (("transactions", 400), ("alerts", 0), ("diaries", 5000)):
        with pytest.raises(CardwatchError):
            services.retention_periods(at("admin"), kind=kind, days=days)
    with pytest.raises(NotAllowed):
        services.retention_periods(at(), kind="alerts", days=5000)
    assert services.retention_periods(at())["transactions"] == 5000


def test_each_day_it_is_erased_once_for_every_force(at: Context, old: str) -> None:
    services.decide(at(), old, DecisionInput("so", "explained"))
    other = "Another Force"
    at("admin", other)
    for day in (0, 0, 1):
        services.purge_due(at().casebook, lambda day=day: at(days=day).now)
    assert services.list_statements(at())[0]["erased_at"]
    for force in ("Saltmarsh Vale", other):
        events = services.audit_events(at("admin", force), lane="finance", last=100)
        assert sum(one["action"] == "erasure" for one in events) == 2
