"""What begins or ends on a day or at a moment: each tried on both sides of it."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from books import SPLIT, erase, month

from cardwatch import services
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.casebook.payment_queries import PaymentFilters
from cardwatch.casebook.statements import list_statements, read_window
from cardwatch.casebook.unit_of_work import AuditEvent
from cardwatch.errors import NotAllowed, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

LAST_DAY = dt.date(2026, 10, 13)
"""The last day of the statement `october`."""


@pytest.fixture
def october(at: Context, read: Read) -> str:
    """Give the alert of a statement of October whose last payment is of the 13th."""
    services.receive(at(), read(*month(10), *SPLIT, f"{LAST_DAY},E2,SHOP 1,4.00,LAST"))
    return str(services.list_alerts(at())[0]["alert_id"])


def days_after(at: Context, day: dt.date) -> int:
    """Return how many days a day lies after the first moment of these tests."""
    return (day - at("admin").now.date()).days


@pytest.mark.parametrize(("more", "count"), [(0, 0), (1, 15)])
def test_payments_are_kept_to_the_last_of_their_days(
    at: Context, october: str, more: int, count: int
) -> None:
    services.decide(at(), october, DecisionInput("so", "explained"))
    days = services.retention_periods(at("admin"))["transactions"]
    passed = days_after(at, LAST_DAY) + days + more
    assert erase(at("admin", days=passed)) == count
    payments = services.list_payments(at(days=passed), PaymentFilters(), limit=99)
    assert len(payments) == 15 - count


@pytest.mark.parametrize("more", [0, 1])
def test_answered_alerts_are_kept_to_the_last_of_their_days(
    at: Context, october: str, more: int
) -> None:
    services.decide(at(), october, DecisionInput("so", "explained"))
    last = services.get_alert(at(), october)["last_on"]
    days = services.retention_periods(at("admin"))["alerts"]
    passed = days_after(at, dt.date.fromisoformat(last)) + days + more
    erase(at("admin", days=passed))
    if more:
        with pytest.raises(NotFound):
            services.get_alert(at(days=passed), october)
    else:
        assert services.get_alert(at(days=passed), october)["state"] == "explained"


@pytest.mark.parametrize("days_before", [400, 401])
def test_history_reaches_back_400_days(at: Context, read: Read, days_before: int) -> None:
    """Thirteen months: the same month of the year before is in, with some days to spare."""
    before = str(dt.date(2026, 10, 1) - dt.timedelta(days_before))
    services.receive(at(), read(f"{before},E9,OLD SHOP,1.00,OLD"), is_history=True)
    lines = (f"2026-10-{1 + day // 9:02},E1,SHOP,{day}.00,R{day}" for day in range(1, 29))
    services.receive(at(), read(*lines))
    with at().work(AuditEvent("consultation", "statements"), ()) as uow:
        statement = list_statements(uow)[-1]
        table = read_window(uow, statement["seq"], statement["window_from"], "2026-10-31")
    assert (before in set(table["date"].astype(str))) == (days_before == 400)


@pytest.mark.parametrize("days", [30, 31])
def test_a_key_works_on_its_last_day_and_not_after(at: Context, days: int) -> None:
    key = services.create_key(at("admin"), name="feed", role="finance", days=30)
    now = at(days=days).now
    if days == 30:
        assert services.actor_of_key(at().casebook, key, now).role == "finance"
    else:
        with pytest.raises(NotAllowed):
            services.actor_of_key(at().casebook, key, now)


@pytest.mark.parametrize(("days", "is_closed"), [(30, True), (31, False)])
def test_a_suppression_closes_alerts_to_its_last_day_and_not_after(
    at: Context, read: Read, october: str, days: int, *, is_closed: bool
) -> None:
    last_day = str(at(days=30).now.date())
    services.suppress(at(), october, until=last_day, reason="contract 17")
    again = [line.replace("2026-10-", "2026-11-").replace(",S", ",T") for line in SPLIT]
    services.receive(at(days=days), read(*month(11), *again))
    (alert,) = (row for row in services.list_alerts(at()) if row["first_on"] > "2026-11")
    # The first that is closed by itself is opened again for a second look.
    assert bool(alert["is_second_look"]) == is_closed


@pytest.mark.parametrize("more", [0, 1])
def test_a_suppression_is_kept_to_the_last_of_its_days(
    at: Context, october: str, more: int
) -> None:
    expires = at(days=30).now.date()
    services.suppress(at(), october, until=str(expires), reason="contract 17")
    days = days_after(at, expires) + services.retention_periods(at("admin"))["alerts"] + more
    erase(at("admin", days=days))
    assert len(services.list_suppressions(at(days=days))) == 1 - more


@pytest.mark.parametrize("days", [7, 8])
def test_what_is_snoozed_is_left_out_to_that_day_and_not_after(
    at: Context, october: str, days: int
) -> None:
    day = str(at(days=7).now.date())
    services.decide(at(), october, DecisionInput("on leave", snoozed_until=day))
    today = str(at(days=days).now.date())
    listed = services.list_alerts(at(days=days), services.AlertFilter(awake_on=today))
    assert (october in {row["alert_id"] for row in listed}) == (days == 8)
