"""What is sensitive asks for a code of the last minutes, and goes on with what was entered."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pyotp
import pytest
from fastapi.routing import iter_route_contexts
from matrix import NEEDS_CODE, TABLE
from services import OCTOBER, Running, activate_account, sign_in

from api.deps import verified_context_of
from api.main import create_app
from api.middleware import COOKIE
from cardwatch import services

if TYPE_CHECKING:
    from fastapi.dependencies.models import Dependant

HTML = {"Accept": "text/html"}


def _calls(dependant: Dependant) -> set[Any]:
    return {dependant.call}.union(*map(_calls, dependant.dependencies))


def test_the_table_names_every_operation_that_needs_a_code() -> None:
    found = {
        f"{method} {route.path}"
        for route in iter_route_contexts(create_app().routes)
        if hasattr(route, "dependant") and verified_context_of in _calls(route.dependant)
        for method in route.methods or ()
    }
    assert found == NEEDS_CODE


@pytest.fixture
def stale(running: Running) -> tuple[Running, str]:
    """An administrator whose code is older than five minutes, and the secret of their phone."""
    secret = activate_account(running, "admin")
    assert sign_in(running, "admin", secret).status_code == 204
    running.clock.go(minutes=5, seconds=1)
    return running, secret


def _page(running: Running, path: str, **data: str) -> Any:
    return running.client.post(path, data=data, headers=HTML, follow_redirects=False)


def _resend(running: Running, page: str, code: str) -> Any:
    """Send the form of a page that asks for a code, as a browser does."""
    action = unescape(re.findall(r'<form method="post" action="([^"]+)" novalidate>', page)[0])
    hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    fields = {name: unescape(value) for name, value in hidden}
    return _page(running, action, **fields, step_up_code=code)


def _events(running: Running) -> list[tuple[str, str]]:
    events = services.audit_events(running.context("auditor"), lane="finance", last=99)
    return [(event["object"], event["outcome"]) for event in events]


def test_nothing_that_needs_a_code_is_done_in_a_session_without_a_recent_one(
    stale: tuple[Running, str],
) -> None:
    running, _ = stale
    rows = [(route, may) for route, may in TABLE if route in NEEDS_CODE]
    assert {route for route, _ in rows} == NEEDS_CODE
    for route, may in rows:
        answer = running.client.request(**may.request(route, "0" * 12, 1, 1))
        assert answer.status_code == 403, (route, answer.text)
        assert answer.json()["type"] == "urn:cardwatch:problem:step_up", route
    assert running.client.get("/v1/people").status_code == 200
    assert len(running.client.get("/v1/people").json()) == 3


def test_a_code_lets_a_session_go_on_for_five_minutes_and_is_used_once(
    stale: tuple[Running, str],
) -> None:
    running, secret = stale
    key = {"name": "ledger", "role": "auditor"}
    code = pyotp.TOTP(secret).at(running.clock())
    for wrong in ("000000", "", code[:-1]):
        answer = running.client.post("/v1/session/code", json={"code": wrong})
        assert answer.status_code == 403
        assert running.client.post("/v1/keys", json=key).status_code == 403
    assert running.client.post("/v1/session/code", json={"code": code}).status_code == 204
    assert running.client.post("/v1/session/code", json={"code": code}).status_code == 403
    running.clock.go(minutes=5)
    assert running.client.post("/v1/keys", json=key).status_code == 201
    running.clock.go(seconds=1)
    assert running.client.post("/v1/keys", json=key).status_code == 403
    assert ("code", "done") in _events(running)
    assert _events(running).count(("code", "denied")) == 4


@pytest.mark.parametrize(("seconds", "status"), [(60, 201), (61, 401)])
def test_a_clock_that_is_set_back_prolongs_neither_code_nor_session(
    stale: tuple[Running, str], seconds: int, status: int
) -> None:
    running, secret = stale
    code = pyotp.TOTP(secret).at(running.clock())
    assert running.client.post("/v1/session/code", json={"code": code}).status_code == 204
    running.clock.go(seconds=-seconds)
    asked = running.client.post("/v1/keys", json={"name": "x", "role": "auditor"})
    assert asked.status_code == status


def test_a_code_of_one_session_does_not_serve_another(stale: tuple[Running, str]) -> None:
    running, secret = stale
    first = running.client.cookies[COOKIE]
    running.client.cookies.clear()
    assert sign_in(running, "admin", secret).status_code == 204  # a thief's own place is fresh
    running.client.cookies.clear()
    running.client.cookies.set(COOKIE, first)
    assert running.client.post("/v1/erasures").status_code == 403


def test_codes_are_not_guessed_by_whoever_has_taken_over_a_session(
    stale: tuple[Running, str],
) -> None:
    running, secret = stale
    for _ in range(10):
        assert running.client.post("/v1/session/code", json={"code": "1"}).status_code == 403
    code = {"code": pyotp.TOTP(secret).at(running.clock())}
    assert running.client.post("/v1/session/code", json=code).status_code == 429
    page = _page(running, "/keys", name="x", role="auditor", step_up_code=code["code"])
    assert page.status_code == 403
    assert "Enter a code" in page.text


def test_a_page_asks_for_the_code_and_goes_on_with_what_was_entered(
    stale: tuple[Running, str],
) -> None:
    running, secret = stale
    sent = {"name": 'O\'Neill & "Sons"', "email": "new@force.example", "role": "finance",
            "holds_no_card": "true"}  # fmt: skip
    asked = _page(running, "/people", **sent)
    assert asked.status_code == 403
    assert "Enter a code" in asked.text
    again = _resend(running, asked.text, "123")
    assert again.status_code == 403
    assert "This code is incorrect" in again.text
    done = _resend(running, again.text, pyotp.TOTP(secret).at(running.clock()))
    assert done.status_code == 303, done.text
    person = running.client.get(done.headers["location"], headers=HTML)
    assert "O&#39;Neill &amp; &#34;Sons&#34;" in person.text
    faulty = _page(running, "/people", name="x", role="finance", email="no address")
    assert faulty.status_code == 422  # the session is fresh now: the form itself answers
    assert "step_up_code" not in faulty.text


def test_a_correction_needs_a_code_by_either_way_and_a_new_statement_none(
    running: Running,
) -> None:
    secret = activate_account(running, "finance")
    sign_in(running, "finance", secret)
    running.clock.go(minutes=6)
    file = {"file": ("october.csv", OCTOBER)}
    statement = running.client.post("/v1/statements", files=file).json()["statement_id"]
    fields = {"corrects": statement}
    answer = running.client.post("/v1/statements", files=file, data=fields)
    assert (answer.status_code, answer.json()["code"]) == (403, "step_up")
    form = {"files": ("october.csv", OCTOBER)}
    page = running.client.post("/statements/new", files=form, data=fields, headers=HTML)
    assert page.status_code == 422
    assert "Enter the code that your authenticator app shows now" in page.text
    fields["step_up_code"] = pyotp.TOTP(secret).at(running.clock())
    page = running.client.post(
        "/statements/new", files=form, data=fields, headers=HTML, follow_redirects=False
    )
    assert page.status_code == 303


def test_a_key_does_what_needs_a_code_only_if_it_was_made_to_decide(running: Running) -> None:
    admin = running.context("admin")
    plain = services.create_key(admin, name="reads", role="admin", days=9)
    headers = {"Authorization": f"Bearer {plain}"}
    answer = running.client.post("/v1/erasures", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "step_up")
    assert "key that was made to decide" in answer.json()["detail"]
    answer = running.ask("POST", "/v1/erasures", "admin")
    assert (answer.status_code, answer.json()["code"]) == (409, "second_person")
    assert running.ask("POST", "/v1/session/code", "admin", json={"code": "1"}).status_code == 403
    assert _events(running).count(("code", "denied")) == 2


@pytest.fixture
def stale_finance(running: Running) -> tuple[Running, str]:
    """A finance officer whose code is older than five minutes, and the secret of their phone."""
    running.send(OCTOBER)
    secret = activate_account(running, "finance")
    sign_in(running, "finance", secret)
    running.clock.go(minutes=5, seconds=1)
    return running, secret


def test_a_download_leads_to_the_code_form_and_back(stale_finance: tuple[Running, str]) -> None:
    running, secret = stale_finance
    address = "/payments.csv?since=2026-10-01&until=2026-10-31"
    assert running.client.get(address).json()["code"] == "step_up"
    asked = running.client.get(address, headers=HTML)
    assert asked.status_code == 403
    assert "Date" not in asked.text
    wrong = _resend(running, asked.text, "000000")
    assert "This code is incorrect" in wrong.text
    back = _resend(running, wrong.text, pyotp.TOTP(secret).at(running.clock()))
    assert (back.status_code, back.headers["location"]) == (303, address)
    file = running.client.get(back.headers["location"], headers=HTML)
    assert file.headers["content-disposition"].startswith("attachment")


def test_the_code_form_leads_to_no_other_site(stale_finance: tuple[Running, str]) -> None:
    running, secret = stale_finance
    code = {"code": pyotp.TOTP(secret).at(running.clock())}
    assert running.client.post("/v1/session/code", json=code).status_code == 204
    for place in ("https://evil.example/", "//evil.example", "/\\evil.example", "/%2f", "", "x",
                  "javascript:alert(1)", "/a\r\nSet-Cookie: x", "/\t/evil.example"):  # fmt: skip
        answer = _page(running, "/account/mine/code", next=place)
        assert answer.status_code == 404, place
        assert "location" not in answer.headers
