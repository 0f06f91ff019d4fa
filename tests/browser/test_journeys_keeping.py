"""Journeys of auditors, governance and admin in a browser."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import pytest
from books import needs_pdf
from services import PASSWORD
from sites import OWN
from steps import Steps, in_every_way, in_every_way_once_proved, write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Browser
    from sites import Site

LOOSE = "[[single_purchase]]\nfrom = 2020-01-01\npounds = 5000\n"
pytestmark = pytest.mark.usefixtures("october")


@in_every_way
def test_a_change_is_tried_compared_and_agreed_to_by_another(visit: Callable[[], Steps]) -> None:
    auditor, finance, second = visit(), visit(), visit()
    auditor.enter("auditor", "/settings/try")
    auditor.type("Policy", "nothing")
    auditor.press("Test change")
    auditor.sees("There is a problem")
    auditor.type("Policy", LOOSE)
    auditor.type("How many of the newest statements", "1")
    auditor.press("Test change")
    auditor.until("Back-test")
    auditor.sees("Alerts removed: 5 with £9,250.00 at stake", "New alerts: none")
    auditor.sees_none("Propose this change")

    finance.enter("finance", "/settings")
    finance.press("Test a change on past statements")
    finance.type("Policy", LOOSE)
    finance.type("How many of the newest statements", "1")
    finance.press("Test change")
    finance.until("Back-test")
    finance.press("Propose this change")
    finance.press("Propose change")
    finance.sees("There is a problem")
    finance.type("Reason", "the limit was raised")
    finance.press("Propose change")
    finance.sees("Another person in your role must approve", f"by finance@{OWN}.example")
    assert finance.page.get_by_role("button", name="Agree").count() == 0

    second.enter("second", "/settings")
    second.press("Policy: the limit was raised")
    second.sees(f"by finance@{OWN}.example", "Single-purchase limit", "£5,000 since 1 January 2020")
    second.page.get_by_text("Changes in the file, line by line").click()
    second.sees("pounds = 5000")
    second.press("Approve and activate")
    second.sees("Approved")

    auditor.go("Settings")
    assert f"second@{OWN}.example" in auditor.rows("Settings that were activated")[0]
    auditor.press("Policy: the limit was raised")
    auditor.sees("Approved", f"by second@{OWN}.example")


@in_every_way
def test_an_auditor_goes_through_rules_model_and_the_chain(visit: Callable[[], Steps]) -> None:
    at = visit()
    at.enter("auditor", "/alerts")
    at.press("2 payments to one merchant")
    at.sees("Why this alert was raised")
    at.sees_none("Record the answer")
    at.go("Rules")
    at.press("Split purchase: payments on one day")
    at.sees("The rule applies when all of these are true", "Sources")
    at.press("Back")
    at.press("How often alerts were upheld")
    at.sees("No alert has been answered yet")
    at.go("Settings")
    at.press("Anomaly model")
    at.sees("There is no model yet")

    at.go("Audit")
    at.sees("Finance: the log is complete", "Each alert has exactly one state")
    at.press("Verify october.csv")
    at.sees("october.csv is as it was received", "5 alerts were made again exactly as before")
    at.press("Back")
    at.press("See the events")
    at.press("Filter")
    at.type("Who (email address)", f"auditor@{OWN}.example")
    at.press("Apply filters")
    assert {f"auditor@{OWN}.example" in row for row in at.rows("Events")} == {True}
    at.press("Back")

    at.press("Draw a sample for a spot check")
    at.type("Seed", "x")
    at.press("Draw the sample")
    at.sees("There is a problem")
    at.choose("Statement", "october.csv")
    at.type("Seed", "7")
    at.press("Draw the sample")
    at.sees("59 drawn from", "Seed 7", "fewer than 5.0% of these payments")
    drawn = at.rows("What was drawn")
    file = at.download("Download it as CSV").decode("utf-8-sig")
    assert len(drawn) == len(list(csv.reader(io.StringIO(file)))) - 1 == 59


@needs_pdf
@in_every_way_once_proved
def test_the_quarter_is_reported_on(visit: Callable[[], Steps]) -> None:
    at = visit()
    at.enter("finance", "/governance")
    at.choose("Quarter", "Q4 2026")
    at.press("Show report")
    at.sees("Alerts about this quarter", "Oct 2026")
    at.sees_none("NEW FIRM", "E1")
    assert at.download("Download as PDF").startswith(b"%PDF-")


@in_every_way_once_proved
def test_admin_keeps_people_keys_and_times(visit: Callable[[], Steps]) -> None:
    at = visit()
    at.enter("admin", "/people")
    at.press("Add person")
    at.sees("There is a problem")
    at.type("Name", "Newcomer")
    at.type("Email address", f"new@{OWN}.example")
    at.choose("Finance")
    at.choose("They hold no card and approve no payments")
    at.press("Add person")
    at.press("Create an invitation")
    token = re.search(rf"{OWN}_[\w-]+", at.said())
    assert token is not None
    at.sees("Copy the invitation now: it will not be shown again")
    their = visit()
    their.take_up(token[0])
    their.sees("Sign in")
    at.press("End their access")
    at.press("End their access")
    assert any("Newcomer" in row and "Ended" in row for row in at.rows("Who has access, or had it"))
    their.type("Email address", f"new@{OWN}.example")
    their.type("Password", PASSWORD)
    their.type("Code from your authenticator app", their.code())
    their.press("Sign in")
    their.sees("There is a problem")

    at.press("API keys")
    at.type("What it is for", "ledger")
    at.choose("Auditor")
    at.press("Create key")
    at.sees("Copy the key now: it will not be shown again", "cw_")
    at.press("End the key ledger")
    at.press("Revoke key")
    assert "Ended" in at.rows("Keys")[0]
    at.press("Back")
    at.press("How long data is kept")
    at.sees("No statement has expired")
    at.go("Health")
    at.sees("Journal", "Foreign keys")


@in_every_way
def test_an_alert_is_put_on_legal_hold_and_the_hold_ended(visit: Callable[[], Steps]) -> None:
    at = visit()
    at.enter("finance", "/settings")
    at.press("Legal holds")
    at.sees("There are no legal holds")
    at.press("choose an alert")
    at.press("2 payments to one merchant")
    at.press("Put on legal hold")
    at.press("Put on legal hold")
    at.sees("There is a problem", "Enter a reason")
    at.type("Reason", "case 12")
    at.press("Put on legal hold")
    at.sees("Legal hold", "Since 24 November 2026")

    auditor = visit()
    auditor.enter("auditor", "/holds")
    auditor.sees("case 12", f"finance@{OWN}.example", "Active")
    auditor.sees_none("choose an alert")

    at.press("End the legal hold")
    at.sees("End this legal hold?", "Reason for the hold: “case 12”.")
    at.press("No, go back")
    at.press("End the legal hold: case 12")
    at.press("End the legal hold")
    assert "Ended" in at.rows("Legal holds")[0]


@in_every_way
def test_alerts_like_one_are_suppressed_after_a_second_look(visit: Callable[[], Steps]) -> None:
    at = visit()
    at.enter("finance", "/suppressions")
    at.sees("No alerts are suppressed")
    at.press("choose an alert")
    at.press("2 payments to one merchant")
    place = at.page.url
    at.press("Suppress alerts like this")
    at.type("Reason", "contract 17")
    at.press("Continue")
    at.sees("There is a problem", "Enter a date")
    at.type("Until", "2027-03-01")
    at.press("Continue")
    at.sees("Alerts of this rule about this cardholder at this merchant will close automatically "
            "until 1 March 2027.", "contract 17")  # fmt: skip
    at.press("Suppress these alerts")
    assert "1 Mar 2027" in at.rows("Suppressions")[0]

    at.page.goto(place)
    at.sees("Suppressed until 1 March 2027")
    at.press("End the suppression of alerts like this")
    at.sees("End this suppression?", "contract 17")
    at.press("End the suppression")
    assert "Ended" in at.rows("Suppressions")[0]
    at.page.goto(place)
    at.sees("Suppress alerts like this")


@pytest.mark.prove
def test_an_evaluation_is_asked_for_and_read(chromium: Browser, working: Site) -> None:
    at = Steps(chromium, working, 1280, scripts=True)
    at.enter("auditor", "/evaluations")
    at.press("Evaluate with the active policy")
    at.sees("In progress")
    at.until("Evaluation results")
    at.sees("Found by cardwatch", "Your payments without invented cases")
    assert not at.judge()
    at.close()


@needs_pdf
@in_every_way_once_proved
def test_an_auditor_answers_for_data_protection(visit: Callable[[], Steps], tmp_path: Path) -> None:
    at = visit()
    at.enter("auditor", "/governance")
    at.press("Equality monitoring")
    at.sees("What a difference means", "Compare groups of people")
    groups = write(tmp_path, "groups.csv", "Staff Number,Sex\nE1,F\nE2,M\nE3,F\n")
    at.select(groups)
    at.press("Compare groups")
    at.sees("There are too few alerts or cardholders")
    at.press("Back")
    at.press("Answer a subject-access request")
    at.press("Create the pack")
    at.sees("Enter a number or name of the person")
    at.type("Cardholder", "E1")
    assert at.download("Create the pack").startswith(b"PK")

    at.page.goto("/complaints")
    at.choose("Complaint")
    at.type("Received on", "2026-10-01")
    at.press("Record")
    at.sees("Enter what it is about")
    at.type("What it is about", "no answer to my request")
    at.press("Record")
    at.sees("no answer to my request", "31 October 2026")
    at.page.goto("/")
    at.press("1 complaint or objection")
    at.sees("overdue")
    at.press("Complaint of 1 October 2026")
    at.type("Acknowledged on", "2026-11-02")
    at.press("Record acknowledgement")
    at.sees("2 November 2026")
    at.type("Answer", "The pack was sent.")
    at.press("Record answer")
    at.sees("The pack was sent.")
    at.sees_none("Record the answer")
    at.page.goto("/")
    at.sees_none("complaint or objection")


@in_every_way_once_proved
def test_a_code_is_asked_for_after_five_minutes_and_what_was_entered_is_kept(
    visit: Callable[[], Steps], office: Site
) -> None:
    at = visit()
    at.sign_in("admin")
    at.page.goto("/keys")
    office.clock.go(minutes=6)
    before = at.actions
    at.type("What it is for", "journal")
    at.choose("Auditor")
    at.press("Create key")
    at.sees("Enter a code")
    if at.scripts:
        assert not at.judge()
    at.type("Code from your authenticator app", "000000")
    at.press("Continue")
    at.sees("There is a problem", "This code is incorrect")
    at.type("Code from your authenticator app", at.code())
    at.press("Continue")
    at.sees("Copy the key now: it will not be shown again", "journal")
    assert at.actions - before == 7  # two of them for the code, two for a wrong one
