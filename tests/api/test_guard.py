"""What every route has in common: headers, refusals, limits of bodies, and what is written down."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import sys
from typing import TYPE_CHECKING, Any

import anyio
import anyio.lowlevel
import pytest
from books import EQUAL, SPLIT, month
from services import OCTOBER, OWN, PASSWORD, Running, activate_account, routes, serving, sign_in
from starlette.requests import Request

from api.errors import CODES, MEDIA, URN
from api.main import create_app
from api.middleware import COOKIE, DOORS, FILES, HEADERS, OPEN, SAFE, address_of
from api.scim import BASE as SCIM_BASE
from api.scim import SCIM_MEDIA
from api.state import BODY_BYTES, PACK_BYTES, ROWS_BYTES, UPLOAD_BYTES
from api.templating import PAGE_POLICY
from api.web.reference import REFERENCE_POLICY
from cardwatch.casebook import ROLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

METRICS_KEY = "whoever counts"
NOTHING = "000000000000"
ROUTES = [(method, re.sub(r"\{\w+\}", NOTHING, path)) for method, path in routes()]
UNSAFE = [one for one in ROUTES if one[0] not in SAFE]
WITH_BODY = {
    (method.upper(), re.sub(r"\{\w+\}", NOTHING, path)): set(told["requestBody"]["content"])
    for path, methods in create_app().openapi()["paths"].items()
    for method, told in methods.items()
    if "requestBody" in told
}
"""Routes that take a body, with the kinds of body."""
CHUNK = 64 * 1024
FORM = "multipart/form-data; boundary=x"
FORM_BEGINS = b'--x\r\nContent-Disposition: form-data; name="other"; filename="x.csv"\r\n\r\n'


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give one service to all who leave nothing behind."""
    folder = tmp_path_factory.mktemp("guard")
    url = f"sqlite:///{folder / 'casebook.db'}"
    with serving(folder / "home", url, chores=False, metrics_key=METRICS_KEY) as running:
        yield running


def _assert_dressed(answer: Any) -> None:
    """Check what every response has, and that a refusal is a problem of a known code."""
    is_page = answer.headers.get("Content-Type", "").startswith("text/html")
    page_policy = REFERENCE_POLICY if answer.url.path == "/reference" else PAGE_POLICY
    policy = {"Content-Security-Policy": page_policy} if is_page else {}
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS | policy
    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["X-Request-Id"])
    if answer.is_success or answer.is_redirect or is_page:
        return
    if answer.headers["Content-Type"] == SCIM_MEDIA:
        assert answer.url.path.startswith(SCIM_BASE)
        assert answer.json()["status"] == str(answer.status_code)
        assert answer.json()["detail"]
        return
    assert answer.headers["Content-Type"] == MEDIA, answer.text
    told = answer.json() if answer.content else {}
    if told:  # a refused HEAD has none
        assert told["type"] == URN + told["code"]
        assert told["status"] == answer.status_code
        assert told["code"] in CODES or told["title"] == "The file cannot be read"
        assert told["title"]
        assert told["detail"]


@pytest.mark.parametrize("role", ["nobody", *ROLES])
def test_every_route_answers_with_every_header_and_refuses_as_a_problem(
    one: Running, role: str
) -> None:
    headers = {} if role == "nobody" else one.of(role)
    seen = set()
    for method, path in ROUTES:
        if method != "POST" or path != "/v1/erasures":
            answer = one.client.request(method, path, headers=headers, follow_redirects=False)
            _assert_dressed(answer)
            assert answer.status_code < 500, (method, path, answer.text)
            seen.add(answer.headers["X-Request-Id"])
    assert len(seen) == len(ROUTES) - 1


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (("GET", "/v1/nothing"), 404),
        (("GET", "/v1/alerts/"), 404),
        (("GET", "/nothing"), 404),
        (("PATCH", "/v1/alerts"), 405),
        (("HEAD", "/v1/alerts"), 405),
        (("OPTIONS", "/v1/alerts"), 405),
        (("GUESS", "/v1/alerts"), 405),
        (("GET", "/v1/alerts?limit=none"), 422),
        (("GET", "/v1/alerts?cursor=none"), 422),
        (("GET", "/v1/alerts/" + 81 * "a"), 422),
    ],
)
def test_what_there_is_not_is_a_problem_too(
    one: Running, asked: tuple[str, str], status: int
) -> None:
    answer = one.ask(*asked, follow_redirects=False)
    _assert_dressed(answer)
    assert answer.status_code == status


def test_a_fault_of_our_own_is_a_problem_that_says_nothing_of_it(
    one: Running, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> None:
        raise ValueError("CANARY")

    one.client.app.add_api_route("/v1/fault", fail)  # type: ignore[attr-defined]
    for role in ("finance", "psd"):
        caplog.clear()
        answer = one.ask("GET", "/v1/fault", role)
        _assert_dressed(answer)
        assert (answer.status_code, answer.json()["code"]) == (500, "internal")
        request_id = answer.headers["X-Request-Id"]
        assert request_id in answer.json()["detail"]
        assert f"{request_id} ValueError in test_guard.py" in caplog.text
        assert _lines(caplog)[-1]["status"] == 500
        assert "CANARY" not in answer.text + caplog.text


def test_a_database_that_fails_is_a_problem_and_is_written_down_whoever_asked(
    one: Running, caplog: pytest.LogCaptureFixture
) -> None:
    def rename(old: str, new: str) -> None:
        with one.book.engine.begin() as connection:
            connection.exec_driver_sql(f"ALTER TABLE {old} RENAME TO {new}")

    rename("keys", "gone")
    refused = one.ask("GET", "/v1/holds")
    rename("gone", "keys")
    _assert_dressed(refused)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    rename("legal_holds", "gone")
    caplog.clear()
    answer = one.ask("GET", "/v1/holds", "psd")
    rename("gone", "legal_holds")
    _assert_dressed(answer)
    assert (answer.status_code, answer.json()["code"]) == (503, "casebook_failed")
    assert "casebook.db" not in answer.text
    (line,) = _lines(caplog)
    assert (line["route"], line["status"]) == ("/v1/holds", 503)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://testserver"},
        {"Origin": "https://other.example"},
        {"Origin": "https://testserver.other.example"},
        {"Origin": "https://testserver@other.example"},
        {"Origin": "null"},
    ],
)
def test_no_other_site_makes_a_browser_change_anything(
    one: Running, headers: dict[str, str]
) -> None:
    for method, path in UNSAFE:
        for role in ROLES:
            answer = one.ask(method, path, role, headers=headers, json={})
            _assert_dressed(answer)
            assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://testserver"},
    ],
)
def test_our_own_pages_do(one: Running, headers: dict[str, str]) -> None:
    sent = {"name": "n", "role": "auditor"}
    answer = one.ask("POST", "/v1/keys", "admin", headers=headers, json=sent)
    assert answer.status_code == 201


@pytest.mark.parametrize(("method", "path"), WITH_BODY)
def test_a_body_may_be_as_large_as_said_and_not_a_byte_larger(
    one: Running, method: str, path: str
) -> None:
    limit = _limit(method, path)
    for size in (limit, limit + 1):
        body = _body(method, path, size)
        declared = one.ask(method, path, content=body, headers=_kind(method, path))
        chunks = (body[at : at + CHUNK] for at in range(0, size, CHUNK))
        chunked = one.ask(method, path, content=chunks, headers=_kind(method, path))
        for answer in (declared, chunked):
            _assert_dressed(answer)
            assert (answer.status_code == 413) == (size > limit), answer.text
            assert (answer.json()["code"] == "too_large") == (size > limit)


@pytest.mark.parametrize(("method", "path"), WITH_BODY)
def test_a_body_without_end_is_read_no_further_than_its_limit(
    one: Running, method: str, path: str
) -> None:
    limit = _limit(method, path)
    status, read = _send_without_end(one, method, path, one.of("finance"))
    assert (status, read <= limit + CHUNK) == (413, True)
    length = {"Content-Length": str(limit + 1)}
    assert _send_without_end(one, method, path, one.of("finance") | length) == (413, 0)


def test_nothing_of_a_body_is_read_before_it_is_known_who_sends_it(one: Running) -> None:
    for method, path in UNSAFE:
        if not OPEN & {path, f"{path}:{method}"}:
            for headers in ({}, {"Content-Length": str(2 * UPLOAD_BYTES)}):
                assert _send_without_end(one, method, path, headers) == (401, 0), path
        foreign = one.of("finance") | {"Origin": "https://other.example"}
        assert _send_without_end(one, method, path, foreign) == (403, 0)


def test_a_path_opened_by_mistake_is_closed_by_its_route(
    one: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.middleware.authentication.is_any", lambda *_: True)
    operations = [route for route in ROUTES if route[1].startswith("/v1/")]
    closed = [(m, p) for m, p in operations if not OPEN & {p, f"{p}:{m}"}]
    answers = {f"{m} {p}": one.client.request(m, p) for m, p in closed if "openapi" not in p}
    assert {route for route, answer in answers.items() if answer.status_code != 401} == set()
    assert {answer.json()["code"] for answer in answers.values()} == {"sign_in"}


def _limit(method: str, path: str) -> int:
    """Return how many bytes a route's body may have."""
    if "multipart/form-data" in WITH_BODY[method, path]:
        return UPLOAD_BYTES
    if path in {"/v1/pack/preview", "/v1/back-tests"}:
        return PACK_BYTES
    return ROWS_BYTES if path == "/v1/scores" else BODY_BYTES


def _kind(method: str, path: str) -> dict[str, str]:
    is_form = "multipart/form-data" in WITH_BODY[method, path]
    return {"Content-Type": FORM if is_form else "application/json"}


def _body(method: str, path: str, size: int) -> bytes:
    """Return a body of a size that a route reads whole, and then refuses for what is missing."""
    if "multipart/form-data" in WITH_BODY[method, path]:
        end = b"\r\n--x--\r\n"
        return FORM_BEGINS + b"x" * (size - len(FORM_BEGINS + end)) + end
    return b" " * size


def _send_without_end(
    one: Running, method: str, path: str, headers: dict[str, str]
) -> tuple[int, int]:
    """Send a body that never ends; return the status of the answer and how many bytes were read."""
    told: list[Any] = []
    read = 0

    async def receive() -> dict[str, Any]:
        nonlocal read
        chunk = FORM_BEGINS if not read and (method, path) in WITH_BODY else b" " * CHUNK
        read += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(message: Any) -> None:
        await anyio.lowlevel.checkpoint()
        told.append(message)

    kind = _kind(method, path) if (method, path) in WITH_BODY else {}
    given = {"host": "testserver"} | headers | kind
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(),
        "query_string": b"", "scheme": "https", "http_version": "1.1", "root_path": "",
        "server": ("testserver", 443), "client": ("testclient", 1),
        "headers": [(k.lower().encode(), v.encode()) for k, v in given.items()],
    }  # fmt: skip
    anyio.run(one.client.app, scope, receive, send)
    starts = [message for message in told if message["type"] == "http.response.start"]
    assert len(starts) == 1
    assert {name.lower().encode() for name in HEADERS} <= {name for name, _ in starts[0]["headers"]}
    return int(starts[0]["status"]), read


def _lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return what the guard wrote down."""
    return [
        record.args
        for record in caplog.records
        if record.name == "cardwatch.service" and record.levelno == logging.INFO
    ]


def _counted(running: Running) -> str:
    headers = {"Authorization": f"Bearer {METRICS_KEY}"}
    told = running.client.get("/metrics", headers=headers).text
    return "\n".join(line for line in told.splitlines() if "/metrics" not in line)


def test_what_is_written_down_is_the_route_and_never_what_was_asked_for(
    one: Running, caplog: pytest.LogCaptureFixture
) -> None:
    templates = {path for _, path in routes()} - {"/v1/openapi.json"}  # it is FastAPI's own
    for method, path in [*routes(), ("GET", "/v1/CANARY"), ("CANARY", "/v1/alerts")]:
        if "erasures" in path:
            continue
        caplog.clear()
        asked = re.sub(r"\{\w+\}", "CANARY", path) + "?rule=CANARY"
        answer = one.ask(method, asked, headers={"User-Agent": "CANARY"}, follow_redirects=False)
        lines = _lines(caplog)
        if DOORS & {path, f"{path}:{method}"} or path.startswith(FILES):
            assert not lines  # whoever comes in may be of professional standards
            continue
        (line,) = lines
        assert set(line) == {"id", "method", "route", "status", "ms"}
        assert line["id"] == answer.headers["X-Request-Id"]
        assert line["status"] == answer.status_code
        assert line["route"] == (path if path in templates else "none")
        assert line["method"] == (method if method != "CANARY" else "other")
        assert "CANARY" not in caplog.text
    assert "CANARY" not in _counted(one)


def test_a_line_is_json_that_begins_with_its_moment(
    one: Running, capsys: pytest.CaptureFixture[str]
) -> None:
    (handler,) = logging.getLogger("cardwatch").handlers
    assert isinstance(handler, logging.StreamHandler)
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(handler, "stream", sys.stderr)
        one.ask("GET", "/v1/session")
    line = json.loads(capsys.readouterr().err)
    assert list(line) == ["at", "id", "method", "route", "status", "ms"]
    assert dt.datetime.fromisoformat(line["at"]).tzinfo


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_rates_are_counted_for_an_address_or_a_network_of_ipv6(host: str, counted: str) -> None:
    assert address_of(Request({"type": "http", "client": (host, 1)})) == counted


def test_professional_standards_leave_no_line_and_no_count(
    serve: Callable[..., Running], caplog: pytest.LogCaptureFixture
) -> None:
    one = serve(chores=False, metrics_key=METRICS_KEY)
    secret = activate_account(one, "psd")
    before = _counted(one)
    caplog.clear()
    for method, path in ROUTES:
        if not OPEN & {path, f"{path}:{method}"}:
            one.ask(method, path, "psd", json={})
    assert sign_in(one, "psd", secret, code="000000").status_code == 401
    assert sign_in(one, "psd", secret).status_code == 204
    assert one.client.get("/v1/alerts").status_code == 200
    assert one.client.delete("/v1/session").status_code == 204
    assert not _lines(caplog)
    assert _counted(one) == before
    one.ask("GET", "/v1/alerts")
    assert _counted(one) != before


def test_metrics_are_for_whoever_has_their_key(one: Running, running: Running) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer x"},
        one.of("admin"),
    ):
        answer = one.client.get("/metrics", headers=headers)
        _assert_dressed(answer)
        assert answer.status_code == 404
        assert running.client.get("/metrics", headers=headers).status_code == 404  # none is set
    shown = one.client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_KEY}"})
    _assert_dressed(shown)
    assert "cardwatch_requests_total" in shown.text


def test_nothing_that_names_anybody_is_written_down_or_said_in_a_refusal(
    running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    card, name = "4111111111111111", "CANARY JONES"
    lines = [line + f",{name},{card}" for line in (*month(10), *SPLIT, *EQUAL)]
    heading = OCTOBER.partition("\n")[0] + ",Cardholder,Card Number"
    statement = "\n".join([heading, *lines]) + "\n"
    secret = activate_account(running, "finance")
    sign_in(running, "finance", secret)
    session = str(dict(running.client.cookies)[COOKIE])
    running.client.cookies.clear()
    sent = running.send(statement, name="CANARY.csv")
    assert sent.status_code == 201, sent.text
    shown = [
        running.ask("GET", f"/v1/statements/{sent.json()['statement_id']}"),
        running.ask("GET", "/v1/alerts", "psd"),
    ]
    for alert in shown[1].json()["alerts"]:
        path = f"/v1/alerts/{alert['alert_id']}"
        role = alert["lane"]
        shown.append(running.ask("GET", path, role))
        said, match = {"reason": "CANARY"}, {"If-Match": shown[-1].headers["ETag"]}
        shown.append(running.ask("POST", f"{path}/decisions", role, json=said, headers=match))
    listed = {"statement_id": sent.json()["statement_id"], "form": "json"}
    listed |= {"purpose": "misconduct", "recipient": "CANARY"}
    shown.append(running.ask("POST", "/v1/exports", json=listed))
    assert [one.status_code for one in shown if not one.is_success] == []
    email = {"name": "CANARY", "email": "CANARY@x.example", "role": "finance"}
    email |= {"holds_no_card": True}
    assert running.ask("POST", "/v1/people", "admin", json=email).status_code == 201
    wrong = {"CANARY": 1, "name": ["CANARY"], "email": "CANARY", "reason": {"CANARY": card}}
    refused = [
        running.ask("POST", "/v1/people", "admin", json=email),
        running.ask("GET", "/v1/alerts", params={"tier": "CANARY", "limit": "CANARY"}),
        running.ask("POST", "/v1/scores", json={"transactions": [{"date": "CANARY", "x": card}]}),
        running.client.get("/v1/alerts", headers={"Authorization": "Bearer CANARY"}),
        running.client.get("/v1/alerts", headers={"Cookie": f"{COOKIE}={session}x"}),
        *(running.ask(*route, "admin", json={k: v for k, v in wrong.items() if k != "CANARY"})
          for route in WITH_BODY),
    ]  # fmt: skip
    assert [one.status_code for one in refused if one.is_success] == []
    keys = [*running.keys.values(), session, PASSWORD, secret]
    for answer in refused:
        assert not [one for one in ("canary", card) if one in answer.text.casefold()], answer.text
    for answer in [*shown, *refused]:
        assert not [one for one in [card, *keys] if one in answer.text]
    ours = "\n".join(r.getMessage() for r in caplog.records if not r.name.startswith("httpx"))
    assert _lines(caplog)
    told = [f"@{OWN}", *keys, card, "canary", "jones", "new firm"]
    assert not [one for one in told if one in ours.casefold() or one in ours]
