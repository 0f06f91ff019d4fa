"""Finance's month in a browser: statements brought, questions answered, lists handed over.

Counted as in the design: from the list to a recorded answer at most 4 actions; the first upload
with its columns at most 10, and each month after at most 3.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from books import lively_month, month, needs_pdf
from playwright.sync_api import expect
from services import PASSWORD, text
from steps import in_every_way, in_every_way_once_proved, write

from api.web import alerts
from cardwatch import services

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from steps import Steps

OWN_WORDS = "Wann,Wer,Wo,Wieviel,Beleg"
"""Headings that no shipped layout has."""


@in_every_way
def test_a_month_from_sign_in_to_a_recorded_answer(
    visit: Callable[[], Steps], tmp_path: Path
) -> None:
    good = write(tmp_path, "october.csv", text(*lively_month(10), "2026-10-31,E1,SHOP,ten,R99"))
    bad = write(tmp_path, "broken.csv", text("2026-10-40,E1,SHOP,12.00,R1"))
    at = visit()
    at.sign_in("finance")
    at.press("Upload this month's statements")
    at.select(good, bad)
    at.press("Continue")
    at.until_scored()
    at.sees("october.csv", "18 payments were received", "broken.csv", "row 2, column Date")
    at.page.reload()
    at.sees("18 payments were received", "row 2, column Date")
    at.press("Read what happened to every row")
    at.sees("Rows that could not be read", "not an amount in whole pence")
    assert len(at.rows("Rows that could not be read")) == 1

    at.go("Statements")
    at.press("Upload statements")
    at.select(good)
    at.press("Continue")
    at.until_scored()
    at.sees("This file was already uploaded. Nothing has changed.")

    at.press("Go to the alerts")
    at.sees("1 alert is waiting for an answer, with £1,850.00 at stake")
    at.actions = 0
    at.page.locator("main tbody a").first.click()
    at.actions += 1
    at.choose("Explained")
    at.type("Reason", "two sites, two orders")
    at.press("Save")
    assert at.actions <= 4, "U7: from the list to a recorded answer"
    at.sees("two sites, two orders", "History")
    at.go("Alerts")
    at.sees("No alert is waiting for an answer")


@in_every_way
def test_an_unknown_layout_is_read_without_choosing_the_file_twice(
    visit: Callable[[], Steps], tmp_path: Path
) -> None:
    rows = {n: "\n".join([OWN_WORDS, *lively_month(n)]) for n in (9, 10, 11)}
    files = {n: write(tmp_path, f"2026-{n}.csv", rows[n]) for n in rows}
    known = write(tmp_path, "known.csv", text(*month(8)))
    at = visit()
    at.sign_in("finance")
    at.actions = 0
    at.press("Upload this month's statements")
    at.select(files[9], known, files[10])
    at.press("Continue")
    at.sees("2026-9.csv has a layout that we do not know yet", "Next: 2026-10.csv")
    at.sees("First payments", "Charges", "Refunds and credits", "Columns not used", "Beleg")
    assert len(at.rows("First payments")) == 5
    if at.scripts:
        assert not at.judge(), "axe, at 320 and 1280 pixels"
    at.press("Read it")
    at.until_scored()
    at.sees("2026-9.csv", "2026-10.csv", "known.csv", "12 payments were received")
    at.press("Go to the alerts")
    at.sees("waiting for an answer")
    assert at.actions <= 10, "U11: from the first upload, with its columns, to its alerts"

    at.actions = 0
    at.press("Upload statements")
    at.select(files[11])
    at.press("Continue")
    assert at.actions <= 3, "U11: the next month's upload"
    at.until_scored()
    at.sees("18 payments were received", "Columns by the profile 'columns of 2026-9.csv'")


@in_every_way_once_proved
def test_columns_are_previewed_again_after_a_change(
    visit: Callable[[], Steps], tmp_path: Path
) -> None:
    headings = "Transaction Date,Merchant,Amount,MCC,Cost Centre,Wer"
    path = write(tmp_path, "own.csv", f"{headings}\n01/02/2026,SHOP,5.00,5411,CC1,E1\n")
    at = visit()
    at.enter("finance", "/statements/new")
    at.select(path)
    at.press("Continue")
    for label, heading in (
        ("Day of the purchase (needed)", "Transaction Date"),
        ("Merchant as printed (needed)", "Merchant"),
        ("Billed amount, signed (needed, or debit and credit)", "Amount"),
        ("The cardholder's staff number", ""),
    ):
        assert at.chosen(label) == heading
    at.sees("Not readable yet: choose the column for cardholder")
    at.press("Read it")
    at.sees("There is a problem", "Choose the column that names the cardholder")
    at.choose("The cardholder's staff number", "Wer")
    at.press("Preview")
    at.sees("There is a problem", "do not show whether days or months come first")
    at.choose("Order of the dates", "month-first")
    at.press("Preview")
    at.sees("2 Jan 2026")
    at.choose("Order of the dates", "day-first")
    at.press("Preview again")
    at.sees("1 Feb 2026", "£5.00", "Charge", "Columns not used")
    at.press("Read it")
    at.until_scored()
    at.sees("own.csv", "1 payment was received")


@in_every_way_once_proved
def test_a_file_that_waits_is_found_again_and_discarded(
    visit: Callable[[], Steps], tmp_path: Path
) -> None:
    path = write(tmp_path, "own.csv", f"{OWN_WORDS}\n2026-10-01,E1,SHOP,5.00,R1\n")
    at = visit()
    at.enter("finance", "/statements/new")
    at.select(path)
    at.press("Continue")
    at.press("Back")
    at.press("Check the columns of own.csv")
    at.press("Discard this file")
    at.sees("The file is discarded", "Upload statements")
    at.sees_none("own.csv")


def test_the_confirmation_is_the_same_whatever_was_found(
    visit: Callable[[], Steps], tmp_path: Path
) -> None:
    at = visit()
    at.enter("finance", "/statements/new")
    told = []
    for number, lines in ((9, month(9)), (10, lively_month(10)), (11, month(11, 18))):
        at.select(write(tmp_path, f"{number}.csv", text(*lines)))
        at.press("Continue")
        at.until_scored()
        told.append(re.sub(r"\d+\.csv|2026-\d\d-\d\d", "it", at.said()))
        at.page.goto("/statements/new")
    assert told[1] == told[2]
    assert services.list_alerts(at.site.context("finance"))


@pytest.mark.usefixtures("october")
def test_by_keyboard_alone_from_sign_in_to_a_recorded_answer(visit: Callable[[], Steps]) -> None:
    at = visit()
    email = at.activate_account("finance")
    at.page.goto("/")
    for label, typed in (("Email address", email), ("Password", PASSWORD),
                         ("Code from your authenticator app", at.code())):  # fmt: skip
        at.tab_to(label)
        at.page.keyboard.type(typed)
    at.tab_to("Sign in")
    at.leave_by("Space")
    at.sees("Home", "Waiting for an answer")
    at.tab_to("5 alerts")
    at.leave_by("Enter")
    at.sees("Alerts", "waiting for an answer")
    at.tab_to("Skip to main content")
    at.page.keyboard.press("Enter")
    at.tab_to("Filter and order")
    at.page.keyboard.press("Space")
    at.tab_to("At stake at least")
    at.page.keyboard.type("1500")
    at.leave_by("Enter")
    at.sees("At stake at least: £1500")
    at.tab_to("2 payments to one merchant")
    at.leave_by("Enter")
    at.sees("Why this alert was raised")
    at.tab_to("No decision now")
    for _ in range(2):
        at.page.keyboard.press("ArrowDown")
    at.tab_to("Reason")
    at.page.keyboard.type("two sites, two orders")
    at.tab_to("Save")
    at.leave_by("Enter")
    at.sees("History", "two sites, two orders")


def test_files_are_dropped_where_scripts_run(visit: Callable[[], Steps]) -> None:
    at = visit()
    at.enter("finance", "/statements/new")
    dropped = at.page.evaluate_handle(
        """files => {
          const held = new DataTransfer();
          for (const [name, text] of files) held.items.add(new File([text], name));
          return held;
        }""",
        [["september.csv", text(*month(9))], ["october.csv", text(*lively_month(10))]],
    )
    place = at.page.locator(".govuk-file-upload-button")
    for kind in ("dragenter", "dragover", "drop"):
        place.dispatch_event(kind, {"dataTransfer": dropped})
    expect(place).to_contain_text("2 files")
    at.press("Continue")
    at.until_scored()
    at.sees("september.csv", "october.csv", "18 payments were received")


@in_every_way_once_proved
@pytest.mark.usefixtures("october")
def test_what_to_ask_is_printed_with_every_fact(visit: Callable[[], Steps]) -> None:
    at = visit()
    at.enter("finance")
    at.press("Print these with what to ask")
    shown = at.said()
    at.page.emulate_media(media="print")
    at.sees("What to ask", "£1,850.00", "E1", "NEW FIRM")
    printed = at.page.inner_text("body")
    facts = [line for line in shown.splitlines() if line.strip()]
    assert not [line for line in facts if line not in printed]
    assert "OFFICIAL" in printed
    assert not at.page.get_by_role("navigation", name="Menu").is_visible()
    at.page.emulate_media(media="screen")
    at.press("Back")
    at.press("2 payments to one merchant")
    at.page.emulate_media(media="print")
    at.sees("£1,850.00", "Why this alert was raised", "NEW FIRM", "What to ask",
            "Possible explanations")  # fmt: skip
    assert not at.page.get_by_role("button", name="Save").is_visible()
    assert at.page.pdf(format="A4").startswith(b"%PDF-")


@needs_pdf
@in_every_way_once_proved
@pytest.mark.usefixtures("october")
def test_a_question_is_handed_over_and_asked_of_a_line_manager(
    visit: Callable[[], Steps],
) -> None:
    at = visit()
    at.enter("finance")
    at.page.locator("main tbody a").first.click()
    at.press("Share this alert")
    at.press("Share")
    at.sees("There is a problem")
    at.choose("Finance assurance (UK GDPR)")
    at.type("Recipient", "CFO")
    at.choose("Excel")
    assert at.download("Share").startswith(b"PK")
    at.press("Back")
    at.press("Query to the line manager")
    at.type("Name of the line manager", "Their manager")
    assert at.download("Create document").startswith(b"%PDF-")
    at.go("Statements")
    at.press("october.csv")
    at.press("Share the alerts of this statement")
    at.choose("Finance assurance (UK GDPR)")
    at.type("Recipient", "CFO")
    at.choose("CSV")
    assert "NEW FIRM" in at.download("Share").decode("utf-8-sig")


@pytest.mark.usefixtures("october")
def test_a_page_of_alerts_is_ticked_at_once(visit: Callable[[], Steps]) -> None:
    at = visit()
    at.enter("finance")
    boxes = at.page.locator("tbody input[type=checkbox]")
    count = boxes.count()
    assert count > 1
    at.press("Select all on this page")
    assert at.page.locator("tbody input:checked").count() == count
    boxes.first.uncheck()
    at.press("Select all on this page")
    at.press("Select none")
    assert at.page.locator("tbody input:checked").count() == 0
    at.press("Select all on this page")
    at.press("Decide on the selected alerts")
    at.sees(f"Decide on {count} alerts")


@in_every_way
@pytest.mark.usefixtures("october")
def test_ticks_of_several_pages_are_decided_once(
    visit: Callable[[], Steps], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alerts, "ALERTS_PER_PAGE", 2)
    at = visit()
    at.enter("finance", "/alerts?order=money")
    at.sees("Alerts 1 to 2 of 5")
    facts = [at.page.locator("tbody th").first.inner_text()]
    at.page.locator("tbody input").first.check()
    at.press("Page 3")
    facts += [at.page.locator("tbody th").first.inner_text()]
    at.page.locator("tbody input").first.check()
    at.press("Previous page")
    at.sees("Alerts 3 to 4 of 5", "2 more alerts are selected on other pages")
    at.press("Page 1")
    assert at.page.locator("tbody input:checked").count() == 1
    at.sees("1 more alert is selected on other pages")
    at.press("Decide on the selected alerts")
    at.sees("Decide on 2 alerts", *facts)
    at.press("Back")
    at.sees("Alerts 1 to 2 of 5", "1 more alert is selected on other pages")
    at.press("Decide on the selected alerts")
    at.choose("Explained")
    at.type("Reason", "one contract")
    at.press("Record on 2 alerts")
    at.sees("Decision recorded on 2 alerts")
    at.press("Next page")
    at.sees_none("selected on other pages")


@pytest.mark.usefixtures("october")
@pytest.mark.parametrize("visit", [(320, True)], indirect=True)
def test_on_a_narrow_screen_the_fact_has_the_whole_width(visit: Callable[[], Steps]) -> None:
    at = visit()
    at.enter("finance")
    fact = at.page.locator("tbody th").first.bounding_box()
    assert fact is not None
    assert fact["width"] > 250
    at.page.goto("/")
    cell = at.page.get_by_role("cell", name="Covered").first.bounding_box()
    assert cell is not None
    assert cell["x"] + cell["width"] <= 320
