"""Notices and reminders: signed, without content, tried again, and never to a stranger."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from books import NOW
from services import OCTOBER, OWN, Running, activate_account, sign_in
from standardwebhooks import Webhook

from api import background
from api.notifications import REFUSED_SUBJECT, SUBJECT, TEXT, send_notice
from cardwatch import services
from cardwatch.casebook import AuditEvent
from cardwatch.casebook.outbox import RETRY_SECONDS
from cardwatch.casebook.tables import people
from cardwatch.errors import CardwatchError, FileRefused
from cardwatch.services.refused_files import ArrivedFile, refuse_arrival

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


MOST_BLOCKS = 50
"""Megabytes that an answer without an end has here."""


@dataclass
class Listener:
    """A system of the organisation's own that notices are sent to."""

    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    address: str = ""


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Run such a system on this machine."""
    held = Listener()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            held.got.append((dict(self.headers), body))
            status = held.answers.pop(0) if held.answers else 204
            self.send_response(status)
            if status == 302:
                self.send_header("Location", held.address)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    held.address = f"http://127.0.0.1:{server.server_port}/cardwatch"
    yield held
    server.shutdown()
    server.server_close()


class UntilIdle(threading.Event):
    """Set, and so over for a task, as soon as the task would wait for something to do."""

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002  nobody waits here
        self.set()
        return True

    def clear(self) -> None:
        """Stay set."""


def _do_chores(running: Running) -> None:
    """Do what the service's own threads do again and again, until each has nothing to do."""
    service = running.client.app.state.service  # type: ignore[attr-defined]
    for task in background.TASKS:  # jobs come before the notices of them
        over = UntilIdle()
        with pytest.MonkeyPatch.context() as changed:
            changed.setattr(service, "wake", over)
            task(service, over)


def _send(running: Running) -> None:
    """Bring a statement, where nothing is done beside answering."""
    files = {"file": ("october.csv", OCTOBER)}
    wait = {"Prefer": "respond-async"}
    sent = running.ask("POST", "/v1/statements", files=files, headers=wait)
    assert sent.status_code == 202


@pytest.mark.parametrize("role", ["admin", "psd"])
def test_a_notice_is_signed_and_says_nothing_of_what_was_found(
    serve: Callable[..., Running], listener: Listener, role: str
) -> None:
    running = serve(webhook_hosts="127.0.0.1", chores=False)
    secret = running.ask("PUT", "/v1/webhook", role, json={"url": listener.address}).json()[
        "secret"
    ]
    other = "psd" if role == "admin" else "admin"
    assert running.ask("GET", "/v1/webhook", other).json() == []
    _send(running)
    _do_chores(running)
    ((headers, body),) = listener.got
    sent = {name.lower(): value for name, value in headers.items()}
    service = running.client.app.state.service  # type: ignore[attr-defined]
    sent["webhook-timestamp"] = str(int(service.clock().timestamp()))
    content = json.loads(body)
    assert set(content) == {"type", "timestamp", "data"}
    assert set(content["data"]) == {"id"}
    assert content["data"]["id"] == sent["webhook-id"]
    with _as_of(service.clock().timestamp()):
        Webhook(secret).verify(body, sent)
    _do_chores(running)
    assert len(listener.got) == 1


@contextmanager
def _as_of(moment: float) -> Iterator[None]:
    """Let the oracle's clock, which refuses what is old, stand where the service's stands."""
    import standardwebhooks.webhooks as oracle  # noqa: PLC0415  to move its clock

    class Context(oracle.datetime):  # type: ignore[name-defined, misc]
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return oracle.datetime.fromtimestamp(moment, tz)

    real = oracle.datetime
    oracle.datetime = Context
    try:
        yield
    finally:
        oracle.datetime = real


def test_what_does_not_arrive_is_tried_again_for_three_days_and_then_no_more(
    serve: Callable[..., Running], listener: Listener
) -> None:
    running = serve(webhook_hosts="127.0.0.1", chores=False)
    running.ask("PUT", "/v1/webhook", "admin", json={"url": listener.address})
    _send(running)
    listener.answers = [500, 302, 404] + [500] * 20
    _do_chores(running)
    assert len(listener.got) == 1
    for tries, seconds in enumerate(RETRY_SECONDS, start=2):
        running.clock.go(seconds=seconds)
        _do_chores(running)
        assert len(listener.got) == tries
    running.clock.go(days=30)
    _do_chores(running)
    assert len(listener.got) == len(RETRY_SECONDS) + 1
    assert len({headers["webhook-id"] for headers, _ in listener.got}) == 1


def test_a_notice_arrives_late_rather_than_never(
    serve: Callable[..., Running], listener: Listener
) -> None:
    running = serve(webhook_hosts="127.0.0.1", chores=False)
    running.ask("PUT", "/v1/webhook", "admin", json={"url": listener.address})
    _send(running)
    listener.answers = [500]
    _do_chores(running)
    running.clock.go(seconds=RETRY_SECONDS[0])
    _do_chores(running)
    running.clock.go(days=1)
    _do_chores(running)
    assert len(listener.got) == 2


@pytest.mark.parametrize(
    "url",
    ["https://elsewhere.example/x", "http://systems.force.example/x", "ftp://127.0.0.1/x",
     "https://systems.force.example@elsewhere.example/", "https://u:p@systems.force.example/",
     "file:///etc/passwd", "https://", "x", "https://systems.force.example.evil/"],
)  # fmt: skip
def test_notices_go_to_no_stranger(serve: Callable[..., Running], url: str) -> None:
    running = serve(webhook_hosts="systems.force.example, 127.0.0.1", chores=False)
    refused = running.ask("PUT", "/v1/webhook", "admin", json={"url": url})
    assert (refused.status_code, refused.json()["code"]) == (422, "refused")
    assert running.ask("GET", "/v1/webhook", "admin").json() == []


def test_a_receiver_that_answers_slowly_holds_up_nothing_else(
    serve: Callable[..., Running],
) -> None:
    """Taken over, it answers a byte at a time: statements are scored, and psd's notices sent."""
    asked, over = threading.Event(), threading.Event()
    got: list[str] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            got.append(self.path)
            if self.path == "/slow":
                asked.set()
                over.wait(60)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    running = serve(webhook_hosts="127.0.0.1")
    running.ask("PUT", "/v1/webhook", "admin", json={"url": f"{url}/slow"})
    try:
        _send(running)
        assert asked.wait(60)
        running.ask("PUT", "/v1/webhook", "psd", json={"url": f"{url}/quick"})
        files = {"file": ("november.csv", OCTOBER.replace("2026-10", "2026-11"))}
        wait = {"Prefer": "respond-async"}
        place = running.ask("POST", "/v1/statements", files=files, headers=wait).headers["Location"]

        def state() -> str:
            return str(running.ask("GET", place).json()["state"])

        until = time.monotonic() + 60
        while time.monotonic() < until and ("/quick" not in got or state() != "done"):
            time.sleep(0.1)
        assert state() == "done"
        assert got.count("/slow") == 1, "finance's first notice waits for its answer"
        assert "/quick" in got
    finally:
        over.set()
        server.shutdown()
        server.server_close()


def test_an_answer_without_an_end_is_not_read(serve: Callable[..., Running]) -> None:
    """A receiver that was taken over answers for ever, to fill the service's memory."""
    sent_bytes: list[int] = []

    class Endless(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.end_headers()
            with suppress(OSError):
                for _ in range(MOST_BLOCKS):
                    self.wfile.write(bytes(1_000_000))
                    sent_bytes.append(1_000_000)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Endless)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    running = serve(webhook_hosts="127.0.0.1", chores=False)
    settings = running.client.app.state.service.settings  # type: ignore[attr-defined]
    url = f"http://127.0.0.1:{server.server_port}/x"
    notice = {"kind": "list", "made_at": "x", "notice_id": "n", "url": url}
    assert send_notice(settings, notice, "whsec_" + "A" * 43 + "=", NOW)
    server.shutdown()
    server.server_close()
    assert len(sent_bytes) < MOST_BLOCKS


def test_a_webhook_that_is_ended_gets_nothing(
    serve: Callable[..., Running], listener: Listener
) -> None:
    running = serve(webhook_hosts="127.0.0.1", chores=False)
    running.ask("PUT", "/v1/webhook", "admin", json={"url": listener.address})
    assert running.ask("DELETE", "/v1/webhook", "admin").status_code == 204
    _send(running)
    _do_chores(running)
    assert listener.got == []
    assert running.ask("PUT", "/v1/webhook", json={"url": listener.address}).status_code == 403


@dataclass
class Mailbox:
    """What a mail server was given."""

    mails: list[tuple[list[str], bytes]] = field(default_factory=list)
    unknown: str = ""

    async def handle_RCPT(  # noqa: N802  the library's
        self, _: Any, __: Any, envelope: Any, address: str, *___: Any
    ) -> str:
        if address == self.unknown:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: Any, __: Any, envelope: Any) -> str:  # noqa: N802  the library's
        self.mails.append((envelope.rcpt_tos, envelope.content))
        return "250 OK"


@contextmanager
def _mail_server(box: Mailbox) -> Iterator[str]:
    """Run a mail server on this machine; give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mail = Controller(box, hostname="127.0.0.1", port=port)
    mail.start()
    try:
        yield f"smtp://127.0.0.1:{port}"
    finally:
        mail.stop()


def test_everybody_is_reminded_once_a_week_in_the_same_words_whatever_there_is(
    serve: Callable[..., Running],
) -> None:
    box = Mailbox()
    with _mail_server(box) as smtp:
        running = serve(
            smtp=smtp, mail_from="cardwatch@force.example", remind="wed 08:00", chores=False
        )
        _do_chores(running)  # a Tuesday
        assert box.mails == []
        running.clock.go(days=1, hours=-2)
        _do_chores(running)  # before its time
        assert box.mails == []
        running.clock.go(hours=2)
        _do_chores(running)
        _do_chores(running)
        told = sorted(to for tos, _ in box.mails for to in tos)
        expected = [f"{role}@{owner}.example" for owner in ("another-force", OWN)
                    for role in ("finance", "psd")]  # fmt: skip
        assert told == sorted(expected)
        _send(running)
        running.clock.go(days=7)
        _do_chores(running)
        assert len(box.mails) == 8
        for _, content in box.mails:
            read = message_from_bytes(content)
            assert read["Subject"] == SUBJECT
            sent = read.get_payload(decode=True)
            assert isinstance(sent, bytes)
            assert sent.decode().replace("\r\n", "\n") == TEXT


@pytest.mark.parametrize("address", ['.:"@]:a@)', "?a?a@", "=?utf-8?q?x=0a?=@b", "a@b,c@d"])
def test_an_address_that_is_none_silences_nobody(
    serve: Callable[..., Running], address: str
) -> None:
    box = Mailbox(unknown=f"finance@{OWN}.example")
    with _mail_server(box) as smtp:
        running = serve(
            smtp=smtp, mail_from="cardwatch@force.example", remind="tue 08:00", chores=False
        )
        admin = running.context("admin")
        with pytest.raises(CardwatchError, match="email address"):
            services.add_person(admin, name="x", email=address, role="finance", holds_no_card=True)
        with running.book.work(admin.actor, AuditEvent("access", "person"), admin.now) as uow:
            row = {"person_id": "0" * 12, "name": "x", "email": address, "role": "finance",
                   "made_at": uow.now, "holder_id": "", "holds_no_card": 1}  # fmt: skip
            uow.insert(people, [row])  # as an earlier version may have
        _do_chores(running)
    told = sorted(to for tos, _ in box.mails for to in tos)
    assert told == sorted([*(f"{role}@another-force.example" for role in ("finance", "psd")),
                           f"psd@{OWN}.example"])  # fmt: skip


def test_a_refused_file_is_announced_by_webhook_and_mail_without_its_name(
    serve: Callable[..., Running], listener: Listener, tmp_path: Path
) -> None:
    box, to = Mailbox(), "cards@force.example, it@force.example"
    with _mail_server(box) as smtp:
        running = serve(
            smtp=smtp, mail_from="cardwatch@force.example", mail_refused=to, chores=False,
            webhook_hosts="127.0.0.1",
        )  # fmt: skip
        running.ask("PUT", "/v1/webhook", "admin", json={"url": listener.address})
        file = ArrivedFile("October E1.csv", "0" * 64, 1, tmp_path / "x")
        seal = running.client.app.state.service.seal  # type: ignore[attr-defined]
        refusal = FileRefused(file.name, "damaged", "it is damaged")
        for role in ("finance", "finance", "psd"):
            refuse_arrival(running.context(role), file, refusal, seal)
        _do_chores(running)
        _do_chores(running)
    assert [json.loads(body)["type"] for _, body in listener.got] == ["cardwatch.refused"]
    assert sorted(box_to for tos, _ in box.mails for box_to in tos) == to.split(", ")
    for _, content in box.mails:
        message = message_from_bytes(content)
        assert message["Subject"] == REFUSED_SUBJECT
        text = message.get_payload(decode=True)
        assert isinstance(text, bytes)
        assert b"1 file arrived in the watched folder and was refused" in text
        assert b"October" not in content + listener.got[0][1]


def test_what_is_past_its_time_is_erased_once_its_time_of_day_has_come(
    serve: Callable[..., Running],
) -> None:
    running = serve(erase="10:15", chores=False)

    def erasures() -> int:
        asked = {"action": "erasure"}
        return len(running.ask("GET", "/v1/audit/events", "admin", params=asked).json())

    _do_chores(running)
    assert not erasures()  # it is 9:30
    running.clock.go(hours=1)
    _do_chores(running)
    _do_chores(running)  # as another process would
    assert erasures() == 1
    running.clock.go(days=1)
    _do_chores(running)
    assert erasures() == 2


def _asking(serve: Callable[..., Running], smtp: str) -> tuple[Running, str, dict[str, str]]:
    """Receive a statement with a mail server set up, and sign in as finance.

    Returns:
        The service, the address of the query about the first alert, and a browser's headers.
    """
    running = serve(smtp=smtp, mail_from="cardwatch@force.example")
    assert running.send(OCTOBER).is_success
    assert sign_in(running, "finance", activate_account(running, "finance")).status_code == 204
    (alert,) = running.ask("GET", "/v1/alerts").json()["alerts"]
    path = f"/alerts/{alert['alert_id']}/questions"
    return running, path, {"Sec-Fetch-Site": "same-origin"}


@pytest.mark.usefixtures("pdf_libraries")
def test_a_query_is_sent_by_email_and_its_alerts_are_recorded_as_asked(
    serve: Callable[..., Running],
) -> None:
    box = Mailbox()
    with _mail_server(box) as smtp:
        running, path, headers = _asking(serve, smtp)
        sent = {"recipient": "The Manager", "email": "manager@force.example",
                "due_on": "2026-12-04", "mail": "yes"}  # fmt: skip
        answer = running.client.post(path, data=sent, headers=headers)
        assert answer.status_code == 200, answer.text
    ((to, content),) = box.mails
    assert to == ["manager@force.example"]
    mail = message_from_bytes(content, policy=policy.default)
    assert mail["Reply-To"] == f"finance@{OWN}.example"
    text = mail.get_body().get_content()
    assert "by 4 December 2026" in text
    (file,) = mail.iter_attachments()
    assert file.get_content().startswith(b"%PDF")
    assert text.startswith("Saltmarsh Vale asks you about card payments")
    assert "phone your finance team first" in text
    assert file.get_filename() == "questions about card payments.pdf"
    (alert,) = running.ask("GET", "/v1/alerts").json()["alerts"]
    assert (alert["state"], alert["due_on"]) == ("asked", "2026-12-04")
    for name in (*alert["holders"], *alert["merchants"]):
        assert name not in text + str(mail["Subject"])


@pytest.mark.usefixtures("pdf_libraries")
@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"email": "manager@elsewhere.example"}, "which ends in @force.example"),
        ({"email": "manager@force.example\r\nBcc: x@y.example"}, "which ends in @force.example"),
        ({"email": ""}, "which ends in @force.example"),
        ({"recipient": " "}, "Enter the line manager"),
        ({"due_on": "2026-11-01"}, "from today to a year from now"),
        ({"email": "holder@force.example"}, "goes to their line manager"),
        ({"recipient": "x" * 201}, "at most 200"),
    ],
)
def test_a_query_that_may_not_be_sent_is_neither_sent_nor_recorded(
    serve: Callable[..., Running], changed: dict[str, str], told: str
) -> None:
    box = Mailbox()
    with _mail_server(box) as smtp:
        running, path, headers = _asking(serve, smtp)
        (alert,) = running.ask("GET", "/v1/alerts").json()["alerts"]
        holder = {"name": "x", "email": "holder@force.example", "role": "finance",
                  "holder_id": alert["holders"][0]}  # fmt: skip
        assert running.ask("POST", "/v1/people", "admin", json=holder).status_code == 201
        sent = {"recipient": "The Manager", "email": "manager@force.example", "due_on": "",
                "mail": "yes"}  # fmt: skip
        answer = running.client.post(path, data=sent | changed, headers=headers)
        assert answer.status_code == 422
        assert told in answer.text
    assert box.mails == []
    assert running.ask("GET", "/v1/alerts").json()["alerts"][0]["state"] == "open"


@pytest.mark.usefixtures("pdf_libraries")
def test_a_query_that_the_mail_server_does_not_take_is_not_recorded(
    serve: Callable[..., Running],
) -> None:
    with _mail_server(Mailbox()) as smtp:
        pass  # nobody listens there any more
    running, path, headers = _asking(serve, smtp)
    sent = {"recipient": "The Manager", "email": "manager@force.example", "mail": "yes"}
    answer = running.client.post(path, data=sent, headers=headers)
    assert answer.status_code == 422
    assert "Nothing was sent or recorded as asked" in answer.text
    assert running.ask("GET", "/v1/alerts").json()["alerts"][0]["state"] == "open"


@pytest.mark.usefixtures("pdf_libraries")
def test_a_query_is_sent_by_the_api_and_its_manager_reminded_without_content(
    serve: Callable[..., Running],
) -> None:
    box = Mailbox()
    with _mail_server(box) as smtp:
        running, path, _ = _asking(serve, smtp)
        (alert,) = running.ask("GET", "/v1/alerts").json()["alerts"]
        sent = {"recipient": "The Manager", "email": "manager@force.example",
                "due_on": "2026-12-04"}  # fmt: skip
        path = f"/v1/alerts/{alert['alert_id']}/queries"
        wrong = running.ask("POST", path, json=sent | {"email": "manager@elsewhere.example"})
        assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "email")
        query = running.ask("POST", path, json=sent)
        assert query.status_code == 201, query.text
        assert query.json()["alert_ids"] == [alert["alert_id"]]
        running.clock.go(days=11)
        _do_chores(running)
        assert running.ask("GET", "/v1/queries").json()[0]["reminders"] == 1
        _do_chores(running)
    (_, (to, content)) = box.mails
    assert to == ["manager@force.example"]
    mail = message_from_bytes(content, policy=policy.default)
    text = mail.get_body().get_content()
    assert "was sent to you on 24 November 2026" in text
    assert "by 4 December 2026" in text
    assert not list(mail.iter_attachments())
    for name in (*alert["holders"], *alert["merchants"]):
        assert name not in text + str(mail["Subject"])
    reply = f"/v1/queries/{query.json()['query_id']}/replies"
    answer = running.ask("POST", reply, json={"replied_by": "The Manager", "text": "two sites"})
    assert (answer.status_code, answer.json()["is_open"]) == (201, False)
    assert running.ask("GET", "/v1/queries").json() == []
    assert len(running.ask("GET", "/v1/queries?is_open=false").json()) == 1
