"""Professional standards' journeys in a browser: their inbox, a name asked for, a case."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING

import pytest
from books import needs_pdf, second_person
from sites import OWN
from steps import in_every_way, in_every_way_once_proved, write

from cardwatch import services
from cardwatch.casebook import Actor
from cardwatch.casebook.unit_of_work import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steps import Steps

HOLDER = re.compile(r"\b[EPZ]\d\b")
"""Whoever pays in the statements of the tests, by their own name."""
GIFTS = """Employee No,Department,Date of offer,Donor,Accepted or declined,Registered
E1,Fleet,05/10/2026,Training Hall Ltd,Accepted,06/10/2026
E9,Fleet,,,Nil return,
E2,Fleet,05/10/2026,Golden Oak Golf Club,Declined,06/10/2026
"""
pytestmark = pytest.mark.usefixtures("october")


@in_every_way
def test_the_inbox_is_filtered_sorted_and_cleared(visit: Callable[[], Steps]) -> None:
    at = visit()
    at.enter("psd")
    at.sees("Inbox", "10 alerts are waiting for an answer")
    assert not HOLDER.search(at.said())
    assert len(at.rows("Alerts, in order")) == 10
    at.press("Filter and order")
    at.choose("List", "Professional standards")
    at.type("At stake at least", "1200")
    at.press("Apply filters")
    assert len(at.rows("Alerts, in order")) == 4
    at.sees("List: Professional standards", "At stake at least: £1200")
    at.press("Remove filter: At stake at least: £1200")
    at.press("At stake")
    at.sees("List: Professional standards")
    money = [re.findall(r"£([\d,]+)", row) for row in at.rows("Alerts, in order")]
    pounds = [int(one[-1].replace(",", "")) for one in money if one]
    assert pounds == sorted(pounds, reverse=True)
    assert len(pounds) == 5
    at.press("Clear all")
    assert len(at.rows("Alerts, in order")) == 10
    at.press("Filter and order")
    at.choose("Tier", "A: against policy")
    at.choose("State", "Confirmed")
    at.press("Apply filters")
    at.sees("No alert matches the filters")
    at.press("Show the alerts that wait for an answer")
    at.sees("10 alerts are waiting for an answer")


@needs_pdf
@in_every_way
def test_a_case_from_the_inbox_to_a_pack(visit: Callable[[], Steps]) -> None:
    at = visit()
    at.enter("psd", "/alerts?lane=psd&order=money")
    at.press("in twelve months")
    place = at.page.url
    assert not HOLDER.search(at.said())
    for page in ("The cardholder's year on one page", "Who uses this merchant"):
        at.press(page)
        at.sees("Spent")
        assert not HOLDER.search(at.said())
        at.press("Back")
    at.press("Share this alert")
    at.sees("give a reason to see the names")
    at.press("Back")

    at.press("Show by name whom this is about")
    at.press("Show the name")
    at.sees("There is a problem", "Enter a reason")
    at.type("Why you need the name", "case 12")
    at.press("Show the name")
    assert HOLDER.search(at.said())
    at.press("Who has seen this")
    at.sees(f"psd@{OWN}.example")
    assert "case 12" in at.rows("Who asked to see the name")[0]

    at.type("Reason", "waits for the register of interests")
    at.press("Assign, set a due date, snooze, tag, or record money recovered")
    at.choose("Assigned to", f"psd@{OWN}.example")
    at.type("Due", "2026-12-18")
    at.type("Snooze: leave out of lists until", "2026-12-10")
    at.type("Tags", "case-12 interests")
    at.press("Save")
    at.sees("Snoozed until", "10 December 2026", "due 18 December 2026", "case-12 interests",
            "waits for the register of interests")  # fmt: skip
    at.page.goto("/alerts?lane=psd")
    assert len(at.rows("Alerts, in order")) == 4
    at.page.goto("/alerts?tag=case-12&snoozed=yes")
    assert len(at.rows("Alerts, in order")) == 1
    at.site.clock.go(days=17)
    at.enter("psd", "/alerts?lane=psd")
    assert len(at.rows("Alerts, in order")) == 5, "its time is over"

    at.page.goto(place)
    at.actions = 0
    at.type("Reason", "it goes to the appropriate authority")
    at.choose("Confirmed")
    at.press("Save")
    assert at.actions <= 3
    at.sees("it goes to the appropriate authority")
    at.press("Share this alert")
    at.choose("Misconduct (UK GDPR)")
    at.type("Recipient", "Appropriate authority")
    at.press("Share")
    request = at.page.url
    approver = second_person(at.site.context("psd"))
    services.decide_approval(approver, request.rpartition("/")[2], agrees=True)
    at.page.goto(request)
    pack = zipfile.ZipFile(io.BytesIO(at.download("Do it now")))
    assert {"manifest.json", "manifest.sig"} < set(pack.namelist())
    assert pack.testzip() is None


@needs_pdf
@in_every_way_once_proved
def test_finance_refers_and_a_case_is_opened_filled_and_closed(
    visit: Callable[[], Steps], tmp_path: Path
) -> None:
    (tmp_path / "orders.csv").write_text("order,day\n")
    at = visit()
    at.enter("finance", "/alerts?kind=split&state=")
    at.page.locator("main tbody a").first.click()
    at.choose("Confirmed")
    at.type("Reason", "no quotations were taken")
    at.press("Save")
    at.press("Refer to professional standards")
    at.press("Refer")
    at.sees("There is a problem", "Enter a reason")
    at.type("Reason", "it goes further")
    at.press("Refer")
    at.sees("The alert is referred to professional standards")
    at.sees("Referred", f"finance@{OWN}.example", "it goes further")
    place = at.page.url

    theirs = visit()
    theirs.enter("psd", "/")
    theirs.press("1 referral by finance")
    theirs.sees("it goes further")
    theirs.press("Answer")
    theirs.choose("A new case")
    theirs.type("Title of a new case", "Split purchases")
    theirs.type("Reason", "to be looked at")
    theirs.press("Save")
    theirs.sees("The alert is in this case", "Split purchases", "C-2026-", "Referred by finance")
    assert not HOLDER.search(theirs.said())
    theirs.type("Note", "asked for the order book")
    theirs.press("Add note")
    theirs.sees("The note is in the chronology", "asked for the order book")
    theirs.select(tmp_path / "orders.csv")
    theirs.press("Attach file")
    theirs.sees("The file is attached", "orders.csv", "File attached")
    theirs.press("Share this case")
    theirs.sees("give a reason to see the names")
    theirs.press("Back")
    theirs.press("Show by name whom this is about")
    theirs.type("Why you need the names", "interview")
    theirs.press("Show the names")
    theirs.sees("Names are shown, and your reason is recorded")
    assert HOLDER.search(theirs.said())
    theirs.choose("Reflective practice or other management action")
    theirs.type("Reason for closing", "advice was given")
    theirs.press("Close case")
    theirs.sees("Closed", "advice was given")
    theirs.press("Share this case")
    theirs.choose("Misconduct (UK GDPR)")
    theirs.type("Recipient", "Appropriate authority")
    theirs.press("Share")
    theirs.sees("Nothing has been done yet", "must approve this first", "Appropriate authority")
    request = theirs.page.url
    second = visit()
    services.add_person(
        services.ServiceContext(at.site.book, Actor(OWN, SYSTEM, "admin"), at.site.clock()),
        name="Second", email=f"second-psd@{OWN}.example", role="psd",
        holds_no_card=True,
    )  # fmt: skip
    second.enter("second-psd", "/")
    second.press("Export")
    second.sees("Appropriate authority", "Misconduct")
    second.press("Approve")
    second.sees("Approved")
    theirs.page.goto(request)
    theirs.sees("Your request is approved")
    pack = zipfile.ZipFile(io.BytesIO(theirs.download("Do it now")))
    assert {"case.json", "chronology.csv", "attachments/01 orders.csv"} < set(pack.namelist())
    theirs.page.goto("/cases")
    assert len(theirs.rows("Cases, the newest first")) == 1

    at.page.goto(place)
    at.sees("it goes further")
    assert "Case" not in at.said()


@in_every_way
def test_from_a_register_of_gifts_to_a_reviewed_name_and_an_alert(
    visit: Callable[[], Steps], tmp_path: Path
) -> None:
    """Three cardholders pay TRAINING HALL; one of them recorded a lunch with it."""
    at = visit()
    at.enter("psd")
    at.go("Registers")
    at.press("Upload a register")
    at.select(write(tmp_path, "gifts.csv", GIFTS))
    at.press("Upload")
    at.sees("Register uploaded", "Entries", "2", "Every row was read")
    at.press("Review the names in it")
    at.sees("Is “Training Hall Ltd” the merchant “TRAINING HALL”?", "1 payment by people")
    at.choose("The same organisation")
    at.type("Reason", "The hall at the station")
    at.press("Save the decision")
    at.sees("Decision saved")
    for _ in range(600):
        at.page.goto("/alerts?lane=psd&order=age")
        if "accepted a gift or hospitality" in at.said():
            break
        at.page.wait_for_timeout(100)
    at.press("The cardholder accepted a gift or hospitality")
    at.sees("Training Hall Ltd", "A person has confirmed that the two are one", "gifts.csv, row 2")
    assert not HOLDER.search(at.said())
    assert at.actions <= 16
