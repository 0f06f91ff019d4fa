"""Who comes in: keys, accounts with codes, sessions that end at once, and an identity provider."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pyotp
import pytest
import sqlalchemy as sa
from services import OTHER, OWN, PASSWORD, Running, activate_account, sign_in

from api.middleware import COOKIE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def _me(running: Running) -> Any:
    return running.client.get("/v1/session")


def test_a_person_takes_their_account_signs_in_and_out(running: Running) -> None:
    secret = activate_account(running, "finance")
    assert _me(running).status_code == 401
    answer = sign_in(running, "finance", secret)
    assert answer.status_code == 204
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}={OWN}_")
    assert {"HttpOnly", "Secure", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "Domain" not in cookie
    assert _me(running).json()["role"] == "finance"
    (session,) = running.client.get("/v1/sessions").json()
    held = dict(running.client.cookies)
    out = running.client.delete("/v1/session")
    assert out.headers["clear-site-data"] == '"cache", "cookies", "storage"'
    running.client.cookies.update(held)
    assert _me(running).status_code == 401
    assert session["session_id"] not in held[COOKIE]


@pytest.mark.parametrize(
    "changed",
    [{"password": PASSWORD + "x"}, {"code": "000000"}, {"code": "x"}, {"organisation": OTHER},
     {"email": "nobody@saltmarsh-vale.example"}, {"organisation": "no-such"},
     {"email": f"auditor@{OWN}.example"}],
)  # fmt: skip
def test_whatever_is_wrong_is_refused_in_the_same_words(
    running: Running, changed: dict[str, str]
) -> None:
    secret = activate_account(running, "finance")
    refused = sign_in(running, "finance", secret, **changed)
    assert (refused.status_code, refused.json()["code"]) == (401, "sign_in")
    told = "Email address, password or code is incorrect or has expired."
    assert refused.json()["detail"] == told
    assert "set-cookie" not in refused.headers


def test_no_code_is_taken_twice(running: Running) -> None:
    secret = activate_account(running, "finance")
    assert sign_in(running, "finance", secret).status_code == 204
    assert sign_in(running, "finance", secret).status_code == 401
    running.clock.go(seconds=30)
    assert sign_in(running, "finance", secret).status_code == 204


@pytest.mark.parametrize(
    ("password", "told"),
    [("short", "15 to 128"), ("x" * 129, "15 to 128"), ("passwordpassword", "easy to guess"),
     ("finance@saltmarsh-vale.example", "easy to guess"), ("a" * 20, "easy to guess"),
     ("CardWatch Saltmarsh Vale", "easy to guess"),
     ("Heckenschere283", "list of stolen"), ("menofhonors 2312", "list of stolen"),
     ("MENOFHONORS2312", "list of stolen")],
)  # fmt: skip
def test_a_password_that_can_be_guessed_is_refused_and_the_invitation_stays(
    running: Running, password: str, told: str
) -> None:
    people = running.ask("GET", "/v1/people", "admin").json()
    person = next(one["person_id"] for one in people if one["role"] == "finance")
    path = f"/v1/people/{person}/invitation"
    token = running.ask("POST", path, "admin").json()["token"]
    secret = running.client.post("/v1/account/secret", json={"token": token}).json()["secret"]
    sent = {"token": token, "password": password, "code": pyotp.TOTP(secret).at(running.clock())}
    refused = running.client.post("/v1/account", json=sent)
    assert refused.status_code == 422
    assert told in refused.json()["detail"]
    good = running.client.post("/v1/account", json=sent | {"password": PASSWORD})
    assert good.status_code == 204
    assert running.client.post("/v1/account", json=sent).status_code == 403
    running.clock.go(days=8)
    old = running.ask("POST", path, "admin").json()["token"]
    running.clock.go(days=8)
    assert running.client.post("/v1/account/secret", json={"token": old}).status_code == 403


def test_admin_cannot_take_the_account_of_professional_standards(running: Running) -> None:
    everybody = running.ask("GET", "/v1/people", "psd").json()
    person = next(one["person_id"] for one in everybody if one["role"] == "psd")
    refused = running.ask("POST", f"/v1/people/{person}/invitation", "admin")
    assert refused.status_code == 404
    made = running.ask("POST", "/v1/keys", "admin", json={"name": "k", "role": "psd"})
    assert made.status_code == 403


@pytest.mark.parametrize(("role", "minutes"), [("psd", 15), ("finance", 60)])
def test_a_session_ends_when_it_is_not_used_and_after_half_a_day(
    running: Running, role: str, minutes: int
) -> None:
    secret = activate_account(running, role)
    sign_in(running, role, secret)
    running.clock.go(minutes=minutes)
    assert _me(running).status_code == 200
    running.clock.go(minutes=minutes, seconds=1)
    assert _me(running).status_code == 401
    sign_in(running, role, secret)
    begun = running.clock()
    while running.clock() - begun <= dt.timedelta(hours=12) - dt.timedelta(minutes=minutes):
        running.clock.go(minutes=minutes - 1)
        assert _me(running).status_code == 200
    left = begun + dt.timedelta(hours=12) - running.clock()
    assert left <= dt.timedelta(minutes=minutes)
    running.clock.go(seconds=left.total_seconds())
    assert _me(running).status_code == 200
    running.clock.go(seconds=1)
    assert _me(running).status_code == 401, "used a second ago, and begun half a day ago"


def test_what_is_ended_is_ended_at_the_next_request(running: Running) -> None:
    secret = activate_account(running, "finance")
    sign_in(running, "finance", secret)
    first = dict(running.client.cookies)
    running.client.cookies.clear()
    running.clock.go(minutes=1)
    sign_in(running, "finance", secret)
    listed = running.client.get("/v1/sessions").json()
    assert len(listed) == 2
    gone = running.client.delete(f"/v1/sessions/{listed[1]['session_id']}")
    assert gone.status_code == 204
    assert _me(running).status_code == 200
    own = dict(running.client.cookies)
    running.client.cookies.clear()
    running.client.cookies.update(first)
    assert _me(running).status_code == 401
    running.client.cookies.update(own)
    people = running.ask("GET", "/v1/people", "admin").json()
    person = next(one["person_id"] for one in people if one["role"] == "finance")
    assert running.ask("DELETE", f"/v1/people/{person}", "admin").status_code == 204
    assert _me(running).status_code == 401
    assert sign_in(running, "finance", secret).status_code == 401


@pytest.mark.parametrize("name", ["person_id", "made_at", "verified_at", "session_id", "mark"])
def test_a_session_that_somebody_writes_into_the_database_is_none(
    running: Running, name: str
) -> None:
    """Or whoever can write there could act as anybody, with a code that seems to be given."""
    secret = activate_account(running, "finance")
    sign_in(running, "finance", secret)
    cookie = running.client.cookies[COOKIE]
    with running.book.engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE sessions SET {name} = {name}"))  # noqa: S608
    assert _me(running).status_code == 200
    forged = {
        "person_id": "(SELECT person_id FROM people WHERE role = 'psd' LIMIT 1)",
        "made_at": "'2099-01-01T00:00:00+00:00'",
        "verified_at": "'2099-01-01T00:00:00+00:00'",
        "session_id": f"'{hashlib.sha256(b'x' * 43).hexdigest()[:32]}'",
        "mark": "''",
    }
    with running.book.engine.begin() as connection:
        connection.execute(sa.text(f"UPDATE sessions SET {name} = {forged[name]}"))  # noqa: S608
    if name == "session_id":
        cookie = f"{OWN}_{'x' * 43}"
    refused = running.client.get("/v1/session", headers={"Cookie": f"{COOKIE}={cookie}"})
    assert refused.status_code == 401


def test_a_code_that_is_given_marks_its_session_anew(running: Running) -> None:
    secret = activate_account(running, "finance")
    sign_in(running, "finance", secret)
    running.clock.go(minutes=6)
    code = pyotp.TOTP(secret).at(running.clock())
    assert running.client.post("/v1/session/code", json={"code": code}).status_code == 204
    assert _me(running).status_code == 200


def test_a_new_password_needs_the_old_one_and_a_code_and_ends_other_sessions(
    running: Running,
) -> None:
    secret = activate_account(running, "finance")
    sign_in(running, "finance", secret)
    first = dict(running.client.cookies)
    running.client.cookies.clear()
    running.clock.go(seconds=30)
    sign_in(running, "finance", secret)
    running.clock.go(seconds=30)
    new = "harbour lantern biscuit nine"
    code = pyotp.TOTP(secret).at(running.clock())
    good = {"password": PASSWORD, "code": code, "new": new}
    for changed, status in (
        ({"password": new}, 403), ({"code": "000000"}, 403), ({"new": "passwordpassword"}, 422),
        ({"new": "Heckenschere283"}, 422),
    ):  # fmt: skip
        refused = running.client.put("/v1/account", json=good | changed)
        assert refused.status_code == status, refused.text
    assert running.ask("PUT", "/v1/account", json=good).status_code == 403
    assert running.client.put("/v1/account", json=good).status_code == 204
    assert _me(running).status_code == 200
    running.client.cookies.clear()
    running.client.cookies.update(first)
    assert _me(running).status_code == 401
    running.clock.go(seconds=30)
    assert sign_in(running, "finance", secret, password=new).status_code == 204


def test_a_sixth_session_ends_the_oldest(running: Running) -> None:
    secret = activate_account(running, "finance")
    begun = []
    for _ in range(6):
        running.client.cookies.clear()
        running.clock.go(seconds=30)
        assert sign_in(running, "finance", secret).status_code == 204
        begun.append(dict(running.client.cookies))
    known = []
    for held in begun:
        running.client.cookies.clear()
        running.client.cookies.update(held)
        known.append(_me(running).status_code)
    assert known == [401, 200, 200, 200, 200, 200]


def test_who_signs_in_again_has_one_session(running: Running) -> None:
    secret = activate_account(running, "finance")
    sign_in(running, "finance", secret)
    first = dict(running.client.cookies)
    running.clock.go(seconds=30)
    sign_in(running, "finance", secret)
    assert len(running.client.get("/v1/sessions").json()) == 1
    running.client.cookies.clear()
    running.client.cookies.update(first)
    assert _me(running).status_code == 401


def test_a_key_that_is_ended_or_out_of_date_opens_nothing(running: Running) -> None:
    made = running.ask(
        "POST", "/v1/keys", "admin", json={"name": "k", "role": "auditor", "days": 2}
    )
    headers = {"Authorization": f"Bearer {made.json()['key']}"}
    assert running.client.get("/v1/session", headers=headers).json()["role"] == "auditor"
    listed = running.ask("GET", "/v1/keys", "admin").json()
    key = next(one["key_id"] for one in listed if one["name"] == "k")
    assert all("secret" not in name for one in listed for name in one)
    running.clock.go(days=3)
    assert running.client.get("/v1/session", headers=headers).status_code == 401
    running.clock.go(days=-3)
    assert running.ask("DELETE", f"/v1/keys/{key}", "admin").status_code == 204
    assert running.client.get("/v1/session", headers=headers).status_code == 401


@pytest.mark.parametrize(
    "given", ["Basic eDp5", "Bearer", "Bearer x", "Bearer cw_a_b_c", "Bearer é"]
)
def test_what_is_no_key_is_refused(running: Running, given: str) -> None:
    refused = running.client.get("/v1/alerts", headers={"Authorization": given.encode("latin-1")})
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")


def test_tries_to_sign_in_are_limited_for_one_account_and_one_address(running: Running) -> None:
    secret = activate_account(running, "finance")
    told = [sign_in(running, "finance", secret, code="000000").status_code for _ in range(12)]
    assert set(told) == {401, 429}
    refused = sign_in(running, "finance", secret)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")


def test_requests_are_limited_for_each_who_comes(serve: Callable[..., Running]) -> None:
    running = serve(rate=20)
    told = [running.ask("GET", "/v1/session").status_code for _ in range(30)]
    assert told == [200] * 20 + [429] * 10
    assert running.ask("GET", "/v1/session", "auditor").status_code == 200


@pytest.fixture
def provider() -> Iterator[str]:
    """Run an identity provider on this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(sys.executable).parent / "oidc-provider-mock"
    command = [str(program), "--port", str(port), "--host", "127.0.0.1"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        address = f"http://127.0.0.1:{port}"
        for _ in range(100):
            with contextlib.suppress(httpx2.HTTPError):
                httpx2.get(f"{address}/.well-known/openid-configuration")
                break
            time.sleep(0.1)
        yield address
        server.terminate()


def _elsewhere(running: Running, provider: str, **claims: Any) -> Any:
    """Sign in at the provider as somebody of whom it says these things; return the response."""
    subject = claims.pop("sub", "subject-1")
    httpx2.put(f"{provider}/users/{subject}", json=claims).raise_for_status()
    begun = running.client.get("/sign-in/elsewhere", follow_redirects=False)
    assert begun.status_code == 303, begun.text
    place = begun.headers["location"]
    asked = parse_qs(urlsplit(place).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["nonce"]
    back = httpx2.post(place, data={"sub": subject}).headers["location"]
    return running.client.get(back.removeprefix("https://testserver"))


def _set(provider: str, **more: str) -> dict[str, str]:
    return {"oidc_issuer": provider, "oidc_client": "cardwatch", "oidc_secret": "s",
            "oidc_organisation": OWN, "oidc_acr": "any"} | more  # fmt: skip


def test_whom_the_provider_names_is_bound_to_that_account(
    serve: Callable[..., Running], provider: str
) -> None:
    running = serve(**_set(provider))
    email = f"finance@{OWN}.example"
    came = _elsewhere(running, provider, email=email, email_verified=True)
    assert came.status_code == 200, came.text
    assert _me(running).json()["role"] == "finance"
    running.client.cookies.clear()
    again = _elsewhere(running, provider, email="changed@x.example", email_verified=True)
    assert again.status_code == 200
    running.client.cookies.clear()
    stranger = _elsewhere(running, provider, sub="subject-2", email=email, email_verified=True)
    assert (stranger.status_code, stranger.json()["code"]) == (401, "sign_in")
    assert _me(running).status_code == 401


@pytest.mark.parametrize(
    "claims", [{"email_verified": False}, {}, {"email": "nobody@x.example", "email_verified": True}]
)
def test_whom_it_does_not_vouch_for_stays_outside(
    serve: Callable[..., Running], provider: str, claims: dict[str, Any]
) -> None:
    running = serve(**_set(provider))
    came = _elsewhere(running, provider, **{"email": f"finance@{OWN}.example"} | claims)
    assert came.status_code == 401
    assert _me(running).status_code == 401


def test_professional_standards_need_what_is_set_of_the_provider(
    serve: Callable[..., Running], provider: str
) -> None:
    running = serve(**_set(provider, oidc_psd_acr="mfa"))
    email = f"psd@{OWN}.example"
    came = _elsewhere(running, provider, email=email, email_verified=True)
    assert came.status_code == 401
    assert _me(running).status_code == 401
    told = running.ask("GET", "/v1/audit/events?lane=psd", "psd").json()
    assert [one["outcome"] for one in told if one["object"] == "session"] == ["denied"]
    people = running.ask("GET", "/v1/people", "psd").json()
    assert all(one["identity"] is None for one in people)
    finance = _elsewhere(
        running, provider, sub="f", email=f"finance@{OWN}.example", email_verified=True
    )
    assert finance.status_code == 200


def test_everybody_needs_what_is_set_of_the_provider_for_everybody(
    serve: Callable[..., Running], provider: str
) -> None:
    running = serve(**_set(provider, oidc_acr="mfa"))
    email = f"finance@{OWN}.example"
    assert _elsewhere(running, provider, email=email, email_verified=True).status_code == 401


def test_no_other_site_begins_a_sign_in(serve: Callable[..., Running], provider: str) -> None:
    running = serve(**_set(provider))
    for site, status in (("cross-site", 403), ("same-site", 403), ("none", 303)):
        headers = {"Sec-Fetch-Site": site}
        begun = running.client.get("/sign-in/elsewhere", headers=headers, follow_redirects=False)
        assert begun.status_code == status


def test_a_browser_brings_back_only_what_it_began(
    serve: Callable[..., Running], provider: str
) -> None:
    running = serve(**_set(provider))
    begun = running.client.get("/sign-in/elsewhere", follow_redirects=False)
    state = re.search(r"state=([^&]+)", begun.headers["location"])
    assert state is not None
    for query in ("", "?code=x", "?code=x&state=other", f"?code=guess&state={state[1]}"):
        assert running.client.get(f"/sign-in/back{query}").status_code == 401
    running.client.cookies.clear()
    assert running.client.get(f"/sign-in/back?code=x&state={state[1]}").status_code == 401


def test_without_a_provider_there_is_none(running: Running) -> None:
    refused = running.client.get("/sign-in/elsewhere", follow_redirects=False)
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
