"""The API reference sends requests with a key, and keeps the key nowhere."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from sites import Visit

from cardwatch import services

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Locator
    from sites import Site
    from steps import Steps

pytestmark = pytest.mark.usefixtures("october")


def _operation(visit: Visit, name: str) -> Locator:
    """Open the details of an operation and return its form."""
    visit.page.get_by_text(f"Fields, answers and an example: {name}", exact=True).click()
    return visit.page.locator("details[open] form").filter(has_text=f"Send {name}")


def _send(form: Locator, says: str) -> str:
    """Send a request; return the answer once it says something."""
    form.get_by_role("button", name="Send request").click()
    answer = form.get_by_role("status")
    expect(answer).to_contain_text(says)
    return answer.inner_text()


def test_an_alert_is_read_and_decided_with_a_key(visit: Callable[[], Steps], office: Site) -> None:
    at = visit()
    admin = office.context("admin")
    key = services.create_key(admin, name="x", role="finance", days=9, can_decide=True)
    alert_id = services.list_alerts(office.context("finance"))[0]["alert_id"]
    at.page.goto("/reference?find=alert_id")
    reading = _operation(at, "get alert")
    _send(reading, "Enter alert_id")
    expect(reading.get_by_label("alert_id")).to_be_focused()
    reading.get_by_label("alert_id").fill(alert_id)
    assert '"code": "sign_in"' in _send(reading, "Status 401")
    at.page.get_by_label("Your key").fill(key)
    text = _send(reading, "Status 200")
    version = json.loads(text[text.index("{") : text.rindex("}") + 1])["version"]

    deciding = _operation(at, "decide alert")
    deciding.get_by_label("alert_id").fill(alert_id)
    deciding.get_by_label("if-match").fill(f'"{version}"')
    body = deciding.get_by_label("Body")
    assert json.loads(body.input_value()) == {
        "reason": "two sites, two orders seen",
        "state": "explained",
    }
    body.fill("{reason}")
    _send(deciding, "The body is not JSON")
    body.fill('{"reason": "two orders seen", "state": "explained"}')
    _send(deciding, "Status 201")
    assert services.get_alert(office.context("finance"), alert_id)["state"] == "explained"

    assert at.judge() == []
    stored = "[localStorage.length, sessionStorage.length, document.cookie].join()"
    assert at.page.evaluate(stored) == "0,0,"
    at.page.reload()
    assert at.page.get_by_label("Your key").input_value() == ""


def test_a_file_and_a_query_are_sent_and_a_session_is_not_used(
    visit: Callable[[], Steps], office: Site
) -> None:
    at = visit()
    at.enter("finance", "/reference?find=statements")
    listing = _operation(at, "list statements")
    _send(listing, "Status 401")
    key = services.create_key(office.context("admin"), name="x", role="finance", days=9)
    at.page.get_by_label("Your key").fill(key)
    assert "october" in _send(listing, "Status 200")
    sending = _operation(at, "receive statement")
    lines = b"Date,Merchant,Amount,Employee ID\n2026-11-02,SHOP,5.00,E1\n"
    file = {"name": "november.csv", "mimeType": "text/csv", "buffer": lines}
    sending.get_by_label("file").set_input_files(file)  # type: ignore[arg-type]
    assert "november" in _send(sending, "Status 20")


def test_without_scripts_the_example_alone_is_shown(chromium: Browser, office: Site) -> None:
    at = Visit(chromium, office, scripts=False)
    at.page.goto("/reference?find=statements")
    at.page.get_by_text("example: list statements").click()
    assert at.page.get_by_text("curl -sS").first.is_visible()
    assert not at.page.get_by_role("button", name="Send request").count()
    assert not at.page.get_by_label("Your key").is_visible()
    at.close()
