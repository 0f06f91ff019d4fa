"""Payments on pages and in the API: the list, its CSV, one payment, every rule."""

from __future__ import annotations

import csv
import html
import io
import re
from typing import TYPE_CHECKING, Any

import pytest
from books import lively_month, month
from services import Running, text

from api.web import payments

if TYPE_CHECKING:
    from collections.abc import Callable

SITE = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
STATEMENT = text(*lively_month(10), "2026-10-20,E3,=cmd|calc,5.00,R77")


@pytest.fixture
def page(running: Running) -> Callable[..., Any]:
    """Ask for a page as a role, following where it sends on."""
    running.send(STATEMENT)

    def ask(path: str, role: str = "finance", **data: Any) -> Any:
        method = "POST" if data else "GET"
        return running.client.request(
            method, path, headers=running.of(role) | SITE, data=data or None
        )

    return ask


def test_search_leaves_no_name_in_an_address(page: Callable[..., Any]) -> None:
    found = page("/payments/search", text="new firm")
    assert "firm" not in str(found.url).casefold()
    assert "2 payments fit these filters, £1,850.00 in total" in found.text
    token = re.search(r"search=([^&]+)", str(found.url))
    assert token is not None
    assert page(f"/payments?search={token[1]}", "auditor").status_code == 422


def test_payments_that_are_ticked_stay_from_page_to_page(
    page: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payments, "PAYMENTS_PER_PAGE", 3)
    places = re.findall(r'type="checkbox" value="([^"]+)"', page("/payments").text)
    second = page(f"/payments?page=2&payment={places[1]}").text
    assert "1 more payment is selected on other pages" in second
    assert f'type="hidden" name="payment" value="{places[1]}"' in second
    assert f'value="{places[1]}" checked' in page(f"/payments?payment={places[1]}").text
    assert re.search(r"Payments 4 to 6 of \d+, the newest first", second)


def test_filters_that_are_wrong_are_named(page: Callable[..., Any]) -> None:
    answer = page("/payments?since=soon&at_least=x&at_most=1,000.50")
    assert answer.status_code == 422
    assert "Enter an amount like 500 or 12.50" in answer.text
    assert page("/payments.csv?at_least=x").status_code == 422
    assert "2 payments fit" in page("/payments?at_least=£900&at_most=950.00").text


@pytest.mark.parametrize("more", ["", "/rules"])
@pytest.mark.parametrize(("row", "status"), [(10**19, 422), (-1, 422), ("x", 422), (999, 404)])
def test_no_row_number_makes_a_page_fail(
    page: Callable[..., Any], row: object, status: int, more: str
) -> None:
    """One too large for the database was answered 500."""
    found = re.findall(r"/payments/([0-9a-f]{12})/", page("/payments").text)
    assert page(f"/payments/{found[0]}/{row}{more}").status_code == status


def test_the_filtered_list_as_csv(page: Callable[..., Any]) -> None:
    answer = page("/payments.csv?at_least=900")
    assert 'filename="2026-10 payments.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["Amount (£)"] for row in rows] == ["950.0", "900.0"]
    assert {row["Cardholder"] for row in rows} == {"E1"}
    everything = page("/payments.csv").text
    assert "'=cmd|calc" in everything
    assert '"=cmd' not in everything
    assert not re.search(r"\bE1\b", page("/payments.csv", "psd").text)


def test_a_payment_leads_to_its_alerts_and_rules(page: Callable[..., Any]) -> None:
    listed = page("/payments?at_least=900").text
    place = re.search(r'href="(/payments/[0-9a-f]{12}/\d+)\?at_least=900"', listed)
    assert place is not None
    payment = page(place[1]).text
    assert "2 payments to one merchant on one day, £1,850.00 in total" in payment
    rules = page(f"{place[1]}/rules").text
    assert re.search(r"[1-9]\d* of \d+ rules appl", rules)
    assert "Not met" in rules
    alert = re.search(r'href="/alerts/([0-9a-f]{12})"', payment)
    assert alert is not None
    assert f"{place[1]}?alert={alert[1]}" in page(f"/alerts/{alert[1]}").text


def test_the_way_back_keeps_the_filters_or_the_alert(page: Callable[..., Any]) -> None:
    place = re.search(r'href="(/payments/[0-9a-f]{12}/\d+)', page("/payments").text)
    alert = re.search(r'href="/alerts/([0-9a-f]{12})"', page("/alerts").text)
    assert place is not None
    assert alert is not None
    for sent, kept, back in (
        ("at_least=5&page=2", "?at_least=5&page=2", "/payments?at_least=5&page=2"),
        (f"alert={alert[1]}&state=", f"?alert={alert[1]}&state=", f"/alerts/{alert[1]}?state="),
        ("alert=//elsewhere", "", "/payments"),
        ("done=referred&next=//elsewhere&unit=%22%3E%0D", "?unit=%22%3E%0D",
         "/payments?unit=%22%3E%0D"),
    ):  # fmt: skip
        payment = html.unescape(page(f"{place[1]}?{sent}").text)
        assert f'href="{back}" class="govuk-back-link"' in payment
        assert f'href="{place[1]}/rules{kept}"' in payment
        rules = html.unescape(page(f"{place[1]}/rules?{sent}").text)
        assert f'href="{place[1]}{kept}" class="govuk-back-link"' in rules


def test_payments_in_the_api(running: Running) -> None:
    running.send(STATEMENT)
    first = running.ask("GET", "/v1/payments", params={"limit": 5}).json()
    second = running.ask("GET", "/v1/payments", params={"cursor": first["next"]}).json()
    assert len(first["payments"]) == 5
    assert len(first["payments"] + second["payments"]) == 19
    found = running.ask("POST", "/v1/payments/search", json={"text": "firm"}).json()["payments"]
    assert [row["amount_pence"] for row in found] == [95_000, 90_000]
    path = f"/v1/payments/{found[0]['statement_id']}/{found[0]['row']}"
    assert len(running.ask("GET", path).json()["alerts"]) == 1
    rules = running.ask("GET", f"{path}/rules").json()
    assert rules[0]["fires"]
    assert {"what", "here", "met_at", "met"} == set(rules[0]["compared"][0])
    assert {one["lane"] for one in rules} == {"finance"}


def test_a_month_kept_as_history_is_listed(running: Running) -> None:
    running.send(text(*month(9)), history="true")
    assert len(running.ask("GET", "/v1/payments").json()["payments"]) == 12


def test_the_months_of_a_cardholder_add_up_to_the_payments(page: Callable[..., Any]) -> None:
    alert = re.search(r'href="/alerts/([0-9a-f]{12})"', page("/alerts").text)
    assert alert is not None
    listed = page(f"/payments?since=2026-10-01&until=2026-10-31&same_holder_as={alert[1]}").text
    total = re.search(r"payments fit these filters, (£[0-9,.]+) in total", listed)
    assert total is not None
    year = page(f"/alerts/{alert[1]}/holder").text
    assert re.search(rf"Oct 2026</th>\s*<td[^>]*>\s*{re.escape(total[1])}</td>", year)
