"""A session that has ended: people are told, come back to their page, and lose no form unawares."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Any

import pyotp
import pytest
from services import OWN, PASSWORD, Running, activate_account, sign_in

from api.middleware import COOKIE

if TYPE_CHECKING:
    from httpx import Response

HTML = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin"}
ENDED = "Your session has ended"
FOREIGN = ("https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)",
           "/\t/evil.example", "/alerts\r\nSet-Cookie: a=b", "/alerts /",
           f"/{1_100 * 'a'}")  # fmt: skip


@pytest.fixture
def ended(running: Running) -> tuple[Running, str]:
    """A finance officer whose session has ended unnoticed, and the secret of their phone."""
    secret = activate_account(running, "finance")
    assert sign_in(running, "finance", secret).status_code == 204
    running.clock.go(minutes=61)
    return running, secret


def _get(running: Running, path: str) -> Any:
    return running.client.get(path, headers=HTML, follow_redirects=False)


def _enter(running: Running, secret: str, place: str | None) -> Response:
    """Sign in on the page, with an address to go to afterwards, as its form sends it."""
    fields = {"organisation": OWN, "email": f"finance@{OWN}.example", "password": PASSWORD,
              "code": pyotp.TOTP(secret).at(running.clock())}  # fmt: skip
    fields |= {} if place is None else {"next": place}
    answer: Any = running.client.post("/sign-in", data=fields, headers=HTML, follow_redirects=False)
    return answer


def test_it_is_said_and_the_page_that_was_asked_for_follows(ended: tuple[Running, str]) -> None:
    running, secret = ended
    asked = "/alerts?state=unanswered&order=money"
    sent = _get(running, asked)
    assert sent.status_code == 303
    page = _get(running, sent.headers["location"]).text
    assert ENDED in page
    hidden = re.search(r'name="next" value="([^"]*)"', page)
    assert hidden is not None
    place = html.unescape(hidden[1])
    assert place == asked
    wrong = running.client.post("/sign-in", data={"organisation": OWN, "next": place}, headers=HTML)
    assert hidden[0] in wrong.text
    assert ENDED not in wrong.text
    assert _enter(running, secret, place).headers["location"] == asked


def test_who_had_no_session_is_not_told_that_it_ended(running: Running) -> None:
    secret = activate_account(running, "finance")
    address = _get(running, "/statements").headers["location"]
    assert ENDED not in _get(running, address).text
    assert _enter(running, secret, "/statements").headers["location"] == "/statements"


def test_who_signs_out_or_comes_home_is_told_the_right_thing(ended: tuple[Running, str]) -> None:
    running, secret = ended
    assert ENDED in _get(running, _get(running, "/").headers["location"]).text
    assert _enter(running, secret, None).headers["location"] == "/"
    out = running.client.post("/sign-out", headers=HTML)
    assert "You have signed out" in out.text
    assert ENDED not in out.text


@pytest.mark.parametrize("place", FOREIGN)
def test_no_address_leads_to_another_site(running: Running, place: str) -> None:
    secret = activate_account(running, "finance")
    answer = _enter(running, secret, place)
    assert answer.headers.get("location", "/") == "/"
    elsewhere = running.client.get("/sign-in", params={"next": place}, headers=HTML)
    assert 'href="https://evil' not in elsewhere.text


def test_a_form_sent_too_late_is_not_saved_and_says_how_to_send_it_again(
    ended: tuple[Running, str],
) -> None:
    running, secret = ended
    form = {"reason": "seen", "materiality_pounds": "30"}
    late = running.client.post("/settings/policy", data=form, headers=HTML)
    assert late.status_code == 401
    assert late.headers["content-type"].startswith("text/html")
    assert ENDED in late.text
    assert "was not saved" in late.text
    assert _enter(running, secret, None).status_code == 303
    again = running.client.post("/settings/policy", data=form, headers=HTML)  # as reloading does
    assert again.status_code == 200
    assert "Propose this policy" in again.text


def test_other_systems_get_a_problem_and_no_page(ended: tuple[Running, str]) -> None:
    running, _ = ended
    answer = running.client.post("/v1/erasures")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    running.client.cookies.delete(COOKIE)
    answer = running.client.get("/v1/alerts")
    assert "Authorization: Bearer" in answer.json()["detail"]
