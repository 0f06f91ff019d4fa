"""While others write, or too many come, a service says so, and its health answers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from book_fixtures import database_url  # noqa: F401  both databases
from services import OWN, Running

from cardwatch.casebook import FINANCE, Casebook
from cardwatch.casebook.unit_of_work import lock_number
from cardwatch.errors import CasebookBusy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

READERS = 90


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


def test_a_turn_that_somebody_else_has_is_waited_for_so_long_alone(casebook: Casebook) -> None:
    address = casebook.url.render_as_string(hide_password=False)
    hurried = Casebook(address, busy_seconds=0.2)
    with casebook.import_lock(OWN), pytest.raises(CasebookBusy), hurried.import_lock(OWN):
        pass
    with hurried.import_lock(OWN):
        pass
    hurried.close()
