"""The log of complaints and objections: its clock on both sides of each day, and who may see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from books import NOW, erase

from cardwatch import services
from cardwatch.casebook.complaints import NewComplaint
from cardwatch.errors import CardwatchError, Conflict, NotAllowed, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

    Context = Callable[..., services.ServiceContext]

TODAY = str(NOW.date())


def _add(
    context: services.ServiceContext, received_on: str = TODAY, kind: str = "complaint"
) -> str:
    return services.add_complaint(context, NewComplaint(kind, "Jo Bloggs", "why me", received_on))


def test_thirty_days_begin_on_the_day_after(at: Context) -> None:
    complaint_id = _add(at("auditor"))
    assert services.get_complaint(at("auditor"), complaint_id)["due_on"] == "2026-12-24"
    assert not services.get_complaint(at("auditor", days=30), complaint_id)["is_overdue"]
    assert services.get_complaint(at("auditor", days=31), complaint_id)["is_overdue"]
    assert services.show_home(at("auditor", days=30)).overdue_complaints == 0
    assert services.show_home(at("auditor", days=31)).overdue_complaints == 1
    assert services.show_home(at("finance", days=31)).overdue_complaints == 0


@pytest.mark.parametrize(
    ("received_on", "due_on"), [("2026-11-24", "2026-12-24"), ("2026-01-31", "2026-02-28")]
)
def test_an_objection_has_a_calendar_month(at: Context, received_on: str, due_on: str) -> None:
    complaint_id = _add(at("auditor"), received_on, "objection")
    row = services.get_complaint(at("auditor"), complaint_id)
    assert (row["next_step"], row["due_on"]) == ("answer", due_on)


def test_steps_are_recorded_once_in_order(at: Context) -> None:
    auditor = at("auditor")
    complaint_id = _add(auditor, "2026-11-01")
    with pytest.raises(CardwatchError, match="1 November 2026 to today"):
        services.acknowledge_complaint(auditor, complaint_id, "2026-10-31")
    with pytest.raises(CardwatchError, match="to today"):
        services.acknowledge_complaint(auditor, complaint_id, "2026-11-25")
    row = services.acknowledge_complaint(auditor, complaint_id, "2026-11-02")
    assert (row["next_step"], row["due_on"]) == ("answer", None)
    with pytest.raises(Conflict):
        services.acknowledge_complaint(auditor, complaint_id, "2026-11-02")
    with pytest.raises(CardwatchError, match="Enter the answer"):
        services.answer_complaint(auditor, complaint_id, TODAY, " ")
    row = services.answer_complaint(auditor, complaint_id, TODAY, "explained")
    assert (row["next_step"], row["acknowledged_on"]) == ("none", "2026-11-02")
    with pytest.raises(Conflict):
        services.answer_complaint(auditor, complaint_id, TODAY, "again")


def test_an_answer_acknowledges_and_the_oldest_waits_first(at: Context) -> None:
    auditor = at("auditor")
    new, old = _add(auditor), _add(auditor, "2026-11-01")
    listed = [row["complaint_id"] for row in services.list_complaints(auditor)]
    assert listed == [old, new]
    row = services.answer_complaint(auditor, old, TODAY, "explained")
    assert row["acknowledged_on"] == TODAY
    assert services.list_complaints(auditor)[-1]["complaint_id"] == old


@pytest.mark.parametrize(
    ("new", "field"),
    [
        (NewComplaint("wish", "", "why", TODAY), "kind"),
        (NewComplaint("complaint", "", " ", TODAY), "subject"),
        (NewComplaint("complaint", "", "x" * 4_001, TODAY), "subject"),
        (NewComplaint("complaint", "x" * 201, "why", TODAY), "person"),
        (NewComplaint("complaint", "", "why", "soon"), "received_on"),
        (NewComplaint("complaint", "", "why", "2026-11-25"), "received_on"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(at: Context, new: NewComplaint, field: str) -> None:
    with pytest.raises(CardwatchError) as refused:
        services.add_complaint(at("auditor"), new)
    assert refused.value.field == field
    assert services.list_complaints(at("auditor")) == []


def test_only_the_auditor_sees_them_and_events_hold_no_words(at: Context) -> None:
    complaint_id = _add(at("auditor"))
    for role in ("finance", "psd", "admin"):
        with pytest.raises(NotAllowed):
            services.list_complaints(at(role))
        with pytest.raises(NotAllowed):
            services.answer_complaint(at(role), complaint_id, TODAY, "so")
    with pytest.raises(NotFound):
        services.get_complaint(at("auditor", "Other Force"), complaint_id)
    events = services.audit_events(at("auditor"), lane="finance", last=50, object="complaint")
    assert {event["action"] for event in events} == {"collection", "alteration"}
    assert "Bloggs" not in str(events)


def test_an_answered_complaint_goes_at_its_time_and_an_open_one_stays(at: Context) -> None:
    answered, waiting = _add(at("auditor")), _add(at("auditor"))
    services.answer_complaint(at("auditor"), answered, TODAY, "explained")
    erase(at("admin", days=2_557))
    assert len(services.list_complaints(at("auditor"))) == 2
    erase(at("admin", days=2_558))
    assert [r["complaint_id"] for r in services.list_complaints(at("auditor"))] == [waiting]
