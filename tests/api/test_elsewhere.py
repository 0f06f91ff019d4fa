"""Tokens of an identity provider: only one that it made for us, now and for this sign-in counts."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import TYPE_CHECKING, Any, Self

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from joserfc.jws import JWSRegistry
from services import OWN

from api import oidc
from api.middleware import COOKIE
from cardwatch.errors import NotAllowed

if TYPE_CHECKING:
    from collections.abc import Callable

    from services import Running

ISSUER, CLIENT = "https://provider.example", "cardwatch"
SET = {"oidc_issuer": ISSUER, "oidc_client": CLIENT, "oidc_secret": "s", "oidc_organisation": OWN,
       "oidc_acr": "any"}  # fmt: skip
KEY = RSAKey.generate_key(2048, {"kid": "1"})
DESCRIBED = {"issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/a",
             "token_endpoint": f"{ISSUER}/t", "jwks_uri": f"{ISSUER}/k"}  # fmt: skip


def _by_hand(claims: dict[str, Any], algorithm: str, secret: bytes) -> str:
    """Return a token as somebody makes it who has no key of the provider's."""
    parts = ({"alg": algorithm, "kid": "1"}, claims)
    text = ".".join(_base64(json.dumps(part).encode()) for part in parts)
    seal = hmac.new(secret, text.encode(), hashlib.sha256).digest() if secret else b""
    return f"{text}.{_base64(seal)}"


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _token(claims: dict[str, Any], algorithm: str = "RS256", key: Any = KEY) -> str:
    taken = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    return jwt.encode({"alg": algorithm, "kid": "1"}, claims, key, registry=taken)


def _finish(
    running: Running,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[dict[str, Any]], str],
    described: dict[str, str] = DESCRIBED,
    again: str = "",
) -> str:
    """Come back from a provider that answers with a token; return the session."""

    class Answer:
        def __init__(self, content: Any) -> None:
            self.json = lambda: content

    class Client:
        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def fetch_token(self, *_: object, **__: object) -> dict[str, str]:
            return {"id_token": token}

    keys = {"keys": [KEY.as_dict(private=False)]}
    answers = {f"{ISSUER}/.well-known/openid-configuration": described, f"{ISSUER}/k": keys}
    monkeypatch.setattr(oidc.httpx2, "get", lambda url, **_: Answer(answers[url]))
    monkeypatch.setattr(oidc, "_client", lambda *_: Client())
    service = running.client.app.state.service  # type: ignore[attr-defined]
    now = int(time.time())
    claims = {"iss": ISSUER, "sub": "s", "aud": CLIENT, "exp": now + 60, "iat": now, "nonce": "n",
              "email": f"finance@{OWN}.example", "email_verified": True}  # fmt: skip
    token = make(claims)
    flow = json.dumps(
        {"state": "x", "nonce": "n", "verifier": "v", "session": "", "again": again}
    ).encode()
    return oidc.handle_callback(
        service,
        place="https://testserver/sign-in/back",
        query={"state": "x", "code": "c"},
        flow=service.seal.encrypt(flow).decode(),
        browser="",
    )


LOGOUT = {"events": {oidc.LOGOUT_EVENT: {}}, "jti": "1"}


def _log_out(running: Running, changed: dict[str, Any], key: Any = KEY) -> Any:
    """Say as the provider that a session there has ended; return the answer."""
    now = int(running.clock().timestamp())
    claims = {"iss": ISSUER, "aud": CLIENT, "iat": now, "exp": now + 60} | LOGOUT | changed
    claims = {name: value for name, value in claims.items() if value is not None}
    token = _token(claims, key=key)
    return running.client.post("/sign-in/provider-logout", data={"logout_token": token})


def _two_sessions(running: Running, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Sign in twice at the provider, by its sessions `a` and `b`."""
    return [
        _finish(running, monkeypatch, lambda claims, sid=sid: _token(claims | {"sid": sid}))  # type: ignore[misc]
        for sid in "ab"
    ]


def _is_open(running: Running, session: str) -> bool:
    running.client.cookies.set(COOKIE, session)
    return bool(running.client.get("/v1/session").status_code == 200)


@pytest.mark.parametrize(
    ("ended", "left"),
    [({"sub": "s"}, [False, False]), ({"sid": "a"}, [False, True]),
     ({"sub": "s", "sid": "b"}, [True, False]), ({"sub": "other"}, [True, True]),
     ({"sid": "c"}, [True, True]), ({"sub": "other", "sid": "a"}, [True, True])],
)  # fmt: skip
def test_sessions_end_when_the_provider_says_so(
    serve: Callable[..., Running],
    monkeypatch: pytest.MonkeyPatch,
    ended: dict[str, Any],
    left: list[bool],
) -> None:
    running = serve(**SET)
    held = _two_sessions(running, monkeypatch)
    assert [_is_open(running, session) for session in held] == [True, True]
    answer = _log_out(running, ended)
    assert (answer.status_code, answer.text) == (200, ""), "whoever it is"
    assert [_is_open(running, session) for session in held] == left


def test_a_logout_token_ends_sessions_once(
    serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has read one cannot keep somebody from signing in again."""
    running = serve(**SET)
    before, _ = _two_sessions(running, monkeypatch)
    assert _log_out(running, {"sub": "s"}).status_code == 200
    assert not _is_open(running, before)
    again, _ = _two_sessions(running, monkeypatch)
    for claims in ({"sub": "s"}, {"sub": "s", "sid": "a"}, {"sid": "a"}):
        assert _log_out(running, claims).status_code == 400, "the same jti"
        assert _is_open(running, again)
    assert _log_out(running, {"sub": "s", "jti": "2"}).status_code == 200
    assert not _is_open(running, again)


@pytest.mark.parametrize("ended", [{"sub": "s"}, {"sub": "s", "sid": "a"}])
def test_a_session_of_which_the_provider_named_none_ends_with_its_person(
    serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch, ended: dict[str, Any]
) -> None:
    running = serve(**SET)
    session = _finish(running, monkeypatch, _token)
    assert _is_open(running, session)
    assert _log_out(running, {"sid": "a"} | {"jti": "of no person"}).status_code == 200
    assert _is_open(running, session), "a session alone names nobody here"
    assert _log_out(running, ended).status_code == 200
    assert not _is_open(running, session)


@pytest.mark.parametrize(
    "changed",
    [{"iss": "https://other.example"}, {"aud": "other"}, {"exp": 1}, {"exp": 10**18},
     {"exp": None}, {"iat": None}, {"iat": 9_999_999_999}, {"events": {}},
     {"events": None}, {"events": "x"}, {"nonce": "n"}, {"jti": None}, {"sub": None},
     {"key": "another"}],
)  # fmt: skip
def test_a_logout_token_that_the_provider_did_not_make_for_us_ends_nothing(
    serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any]
) -> None:
    running = serve(**SET)
    held = _two_sessions(running, monkeypatch)
    key = RSAKey.generate_key(2048, {"kid": "1"}) if changed.pop("key", "") else KEY
    assert _log_out(running, {"sub": "s"} | changed, key).status_code == 400
    assert all(_is_open(running, session) for session in held)


@pytest.mark.parametrize("audience", [CLIENT, [CLIENT], [CLIENT, "other"]])
def test_a_token_for_us_begins_a_session(
    serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch, audience: Any
) -> None:
    running = serve(**SET)
    more = {"aud": audience, "azp": CLIENT}
    session = _finish(running, monkeypatch, lambda claims: _token(claims | more))
    running.client.cookies.set(COOKIE, session)
    assert running.client.get("/v1/session").json()["role"] == "finance"


@pytest.mark.parametrize(
    ("age", "is_fresh"),
    [(0, True), (300, True), (301, False), (-31, False), (None, False)],
)
def test_a_session_may_do_what_needs_a_code_if_the_provider_asked_for_factors_just_now(
    serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch, age: Any, is_fresh: Any
) -> None:
    running = serve(**SET)
    now = int(running.clock().timestamp())
    when = now - age if isinstance(age, int) else age

    def make(claims: dict[str, Any]) -> str:
        return _token(claims | ({} if when is None else {"auth_time": when}))

    session = _finish(running, monkeypatch, make)
    running.client.cookies.set(COOKIE, session)
    sent = {"statement_id": "0" * 12, "form": "json", "purpose": "audit", "recipient": "x"}
    answer = running.client.post("/v1/exports", json=sent)
    assert (answer.json()["code"] != "step_up") == is_fresh
    if is_fresh:
        _finish(running, monkeypatch, make, again="yes")
    else:
        with pytest.raises(NotAllowed):
            _finish(running, monkeypatch, make, again="yes")


@pytest.mark.parametrize(
    "changed",
    [{"iss": "https://other.example"}, {"aud": "other"}, {"aud": "other", "azp": CLIENT},
     {"azp": "other"}, {"nonce": "other"}, {"nonce": None}, {"exp": 1}, {"exp": None},
     {"iat": 9_999_999_999}, {"nbf": 9_999_999_999}, {"sub": None}, {"aud": None}],
)  # fmt: skip
def test_a_token_that_is_not_for_us_now_opens_nothing(
    serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch, changed: dict[str, Any]
) -> None:
    running = serve(**SET)

    def make(claims: dict[str, Any]) -> str:
        said = claims | changed
        return _token({name: value for name, value in said.items() if value is not None})

    with pytest.raises(NotAllowed):
        _finish(running, monkeypatch, make)


@pytest.mark.parametrize(
    "make",
    [
        lambda claims: _token(claims, key=RSAKey.generate_key(2048, {"kid": "1"})),
        lambda claims: _by_hand(claims, "HS256", KEY.as_pem(private=False)),
        lambda claims: _token(claims, "RS512"),
        lambda claims: _by_hand(claims, "none", b""),
        lambda claims: _token(claims)[:-8] + "AAAAAAAA",
        lambda _: "no.token",
    ],
    ids=["another key", "our key as a secret", "another hash", "none", "changed", "no token"],
)
def test_a_token_that_the_provider_did_not_sign_opens_nothing(
    serve: Callable[..., Running],
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[dict[str, Any]], str],
) -> None:
    running = serve(**SET)
    with pytest.raises(NotAllowed):
        _finish(running, monkeypatch, make)


@pytest.mark.parametrize(
    "changed",
    [{"issuer": f"{ISSUER}/"}, {"jwks_uri": "http://provider.example/k"}, {"token_endpoint": ""}],
)
def test_a_provider_that_says_it_is_another_is_not_asked(
    serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch, changed: dict[str, str]
) -> None:
    running = serve(**SET)
    with pytest.raises(NotAllowed):
        _finish(running, monkeypatch, _token, DESCRIBED | changed)
