"""Line items are shown on the alert, on the payment, in the API and in the CSV of payments."""

from __future__ import annotations

import csv
import html
import io
import re
from typing import TYPE_CHECKING, Any

import pytest
from books import EQUAL, HEADINGS, SPLIT, month

from cardwatch import services
from cardwatch.statements import read_each

if TYPE_CHECKING:
    from pathlib import Path

    from services import Running

    from cardwatch.statements import ReadingChoices

SITE = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
HOSTILE = "<b>=1+1 rafters</b>"
LINES = [
    f"{HEADINGS},VAT,Split Amount,Details",
    *(f"{line},,{line.split(',')[3]}," for line in month(10, 40)),
    f"{SPLIT[0]},100.00,600.00,{HOSTILE}",
    f"{SPLIT[0]},50.00,300.00,Tiles",
    f"{SPLIT[1]},0.00,950.00,",
    f"{EQUAL[0]},,250.00,Course of A Person",
    f"{EQUAL[0]},,35.00,Lunch",
    *(f"{line},,285.00," for line in EQUAL[1:]),
]
ITEMS = [
    {"description": HOSTILE, "amount_pence": 60_000, "vat_pence": 10_000},
    {"description": "Tiles", "amount_pence": 30_000, "vat_pence": 5_000},
]


@pytest.fixture
def alert_id(running: Running, choices: ReadingChoices, tmp_path: Path) -> str:
    """Receive a statement with line items; return the alert about the payment that has them."""
    (tmp_path / "october.csv").write_text("\n".join(LINES) + "\n", encoding="utf-8")
    (statement,) = read_each([tmp_path / "october.csv"], choices)
    assert isinstance(statement, tuple)
    services.receive(running.context("finance"), statement)
    alerts = running.ask("GET", "/v1/alerts", "finance").json()["alerts"]
    return str(next(a["alert_id"] for a in alerts if "NEW FIRM" in a["merchant"].upper()))


def page(running: Running, path: str, role: str = "finance") -> str:
    answer = running.ask("GET", path, role, headers=SITE)
    assert answer.status_code == 200, answer.text
    assert "<b>=1+1" not in answer.text
    return html.unescape(answer.text)


def test_an_alert_shows_the_line_items(running: Running, alert_id: str) -> None:
    raised: dict[str, Any] = running.ask("GET", f"/v1/alerts/{alert_id}", "finance").json()[
        "raised"
    ]
    assert [paid["line_items"] for paid in raised["payments"]] == [ITEMS, []]
    shown = page(running, f"/alerts/{alert_id}")
    assert all(text in shown for text in ("Line items", HOSTILE, "£600.00", "£50.00"))


def test_a_payment_shows_its_vat_and_line_items(running: Running, alert_id: str) -> None:
    shown = page(running, f"/alerts/{alert_id}")
    place = re.search(r'href="(/payments/[0-9a-f]{12}/\d+)[?"]', shown)
    assert place is not None
    detail = running.ask("GET", f"/v1{place[1]}", "finance").json()
    assert (detail["vat"], detail["line_items"]) == ("100.00", ITEMS)
    shown = page(running, place[1])
    assert all(text in shown for text in ("Line items", "Tiles", "£300.00", "£100.00"))


def test_professional_standards_see_no_free_text_of_items(running: Running, alert_id: str) -> None:
    assert alert_id
    payments = running.ask("GET", "/v1/payments", "psd").json()["payments"]
    alerts = running.ask("GET", "/v1/alerts", "psd").json()["alerts"]
    listed = next(alert for alert in alerts if alert["lane"] == "psd")
    alert = running.ask("GET", f"/v1/alerts/{listed['alert_id']}", "psd").json()
    raised = [paid for paid in alert["raised"]["payments"] if paid["line_items"]]
    for rows, amounts in ((payments, [25_000, 3_500, 60_000, 30_000]), (raised, [25_000, 3_500])):
        items = [item for paid in rows for item in paid["line_items"]]
        assert [item["amount_pence"] for item in items] == amounts
    shown = page(running, f"/alerts/{listed['alert_id']}", "psd")
    assert "Line items" in shown
    for text in ("Tiles", "rafters", "A Person"):
        assert not any(text in str(content) for content in (payments, alert, shown))


def test_the_csv_of_payments_has_line_items(running: Running, alert_id: str) -> None:
    assert alert_id
    answer = running.ask("GET", "/payments.csv?at_least=900", "finance", headers=SITE)
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    lines = {row["Row"]: row["Line items"].splitlines() for row in rows}
    assert [
        text for found in lines.values() for text in (found or [""]) if "rafters" not in text
    ] == ["", "Tiles, £300.00, VAT £50.00"]
    assert all(float(number).is_integer() for number in lines)
