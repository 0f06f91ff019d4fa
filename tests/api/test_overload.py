"""While others write, or too many come, a service says so, and its health answers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio
import pytest
from book_fixtures import database_url  # noqa: F401  both databases
from services import OWN, Running

from api.middleware.rate_limit import MOST_AT_ONCE, MOST_AT_ONCE_UNKNOWN
from cardwatch import services
from cardwatch.casebook import FINANCE, Casebook
from cardwatch.casebook.unit_of_work import lock_number
from cardwatch.errors import CasebookBusy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from anyio.abc import TaskStatus

READERS = 90
HANG_SECONDS = 60


@contextmanager
def _writing(book: Casebook) -> Iterator[None]:
    """Hold what every writer needs."""
    with book.engine.begin() as connection:  # on SQLite this alone is the lock
        if not book.is_sqlite:
            number = lock_number("events", FINANCE, OWN)
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({number})")
        yield
        connection.rollback()


def test_health_answers_and_others_are_told_to_come_again_while_a_lock_is_held(
    serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.state.WAITING_SECONDS", 4.0)
    running = serve(chores=False)
    for role in ("finance", "auditor"):
        assert running.ask("GET", "/v1/alerts", role).status_code == 200
    with ThreadPoolExecutor(READERS) as pool, _writing(running.book):
        asked = [pool.submit(running.ask, "GET", "/v1/alerts") for _ in range(READERS)]
        while not any(one.done() for one in asked):  # told at once, while others wait
            for path in ("/health/live", "/health/ready"):
                assert running.client.get(path).status_code == 200
        answers = [one.result() for one in asked]
    for answer in answers:
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert any("Too many requests are waiting" in one.text for one in answers)
    assert running.ask("GET", "/v1/alerts").status_code == 200


def _new_key(running: Running, role: str) -> dict[str, str]:
    """Return the headers of one key more that an administrator has made."""
    email = f"admin@{OWN}.example"
    actor = services.actor_of_person(running.book, OWN, email, running.clock())
    giver = services.ServiceContext(running.book, actor, running.clock())
    key = services.create_key(giver, name="one more", role=role, days=9)
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize(
    ("path", "role", "most"),
    [("/sign-in", "", MOST_AT_ONCE_UNKNOWN), ("/v1/statements", "finance", MOST_AT_ONCE)],
)
def test_bodies_that_never_arrive_keep_nobody_else_out(
    serve: Callable[..., Running], path: str, role: str, most: int
) -> None:
    """Or two hundred of them take every connection of a process. Somebody may have many keys."""
    running = serve(chores=False)
    sent_by = [{}] if not role else [_new_key(running, role) for _ in range(3)]
    headers = {"host": "testserver", "sec-fetch-site": "same-origin", "content-length": "99"}
    form = (b"content-type", b"application/x-www-form-urlencoded")
    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(),
        "scheme": "https", "query_string": b"", "http_version": "1.1", "root_path": "",
        "server": ("testserver", 443), "client": ("testclient", 1),
    }  # fmt: skip
    answered: list[int] = []

    async def one_more(key: dict[str, str], *, task_status: TaskStatus[None]) -> None:
        """Send a request of which the body is waited for, or which is answered at once."""
        raw = [(name.lower().encode(), text.encode()) for name, text in (headers | key).items()]

        async def hang() -> dict[str, object]:
            task_status.started()
            await anyio.sleep_forever()
            raise AssertionError

        async def send(message: dict[str, object]) -> None:
            if message["type"] == "http.response.start":
                answered.append(int(str(message["status"])))
                task_status.started()

        await running.client.app(scope | {"headers": [*raw, form]}, hang, send)

    async def attack() -> None:
        with anyio.fail_after(HANG_SECONDS):
            async with anyio.create_task_group() as tasks:
                for number in range(most + 1):
                    await tasks.start(one_more, sent_by[number % len(sent_by)])
                tasks.cancel_scope.cancel()

    assert running.client.portal
    running.client.portal.call(attack)
    assert answered == [429]
    asked = running.ask("POST", "/v1/statements", role or "finance")
    assert asked.status_code == 422, "once they are gone, the same caller is heard again"


def test_a_turn_that_somebody_else_has_is_waited_for_so_long_alone(casebook: Casebook) -> None:
    address = casebook.url.render_as_string(hide_password=False)
    hurried = Casebook(address, busy_seconds=0.2)
    with casebook.import_lock(OWN), pytest.raises(CasebookBusy), hurried.import_lock(OWN):
        pass
    with hurried.import_lock(OWN):
        pass
    hurried.close()
