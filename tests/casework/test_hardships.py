"""What happens to machines and clocks: the casebook ends whole, and goes on."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from books import NOW, SPLIT, assert_whole, month

from cardwatch import services
from cardwatch.casebook import Casebook
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.casebook.key_checks import needed_keys, note_keys
from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from cardwatch.services import ServiceContext

    Context = Callable[..., ServiceContext]
    Read = Callable[..., Any]

MAKES_TABLES = """
import os, signal, sys
import sqlalchemy as sa
from cardwatch.casebook import Casebook, database
number, make = [0], database._engine

def killed(*_):
    number[0] += 1
    if number[0] == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

def engine(*given, **more):
    made = make(*given, **more)
    sa.event.listen(made, "before_cursor_execute", killed)
    return made

database._engine = engine
Casebook(sys.argv[1]).close()
print(number[0])
"""
"""Makes the tables of a casebook, and is killed at one of its statements."""
LONDON = "Europe/London"
MOMENTS = (
    "2024-02-29T23:30:00Z", "2026-03-29T00:59:59Z", "2026-03-29T01:00:00Z", "2026-03-29T23:30:00Z",
    "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-12-31T23:59:59Z", "2028-02-29T12:00:00Z",
)  # fmt: skip
"""Leap days, the hours in which British clocks go on and back, and a year's last second."""


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of a database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    server = request.getfixturevalue("postgresql")
    engine = sa.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP DATABASE IF EXISTS interrupted")
        connection.exec_driver_sql("CREATE DATABASE interrupted")
    engine.dispose()
    return f"{server}/interrupted"


@pytest.mark.each_database
@pytest.mark.parametrize("at_statement", [3, 30, 60])
def test_a_process_killed_while_it_makes_the_tables_leaves_none_or_all(
    empty_url: str, at_statement: int
) -> None:
    command = [sys.executable, "-c", MAKES_TABLES, empty_url, str(at_statement)]
    killed = subprocess.run(command, check=False, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stdout + killed.stderr
    book = Casebook(empty_url)
    assert services.add_organisation(book, "Force", NOW) == "force"
    assert len(book.tables_version) == 4
    book.close()


def _read_only(url: sa.URL) -> Casebook:
    """Open a casebook on a disk, or at a server, that can only be read."""
    book = Casebook(url.render_as_string(hide_password=False))
    statement = (
        "PRAGMA query_only = ON"
        if book.is_sqlite
        else "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"
    )

    def set_up(connection: Any, *_: object) -> None:
        cursor = connection.cursor()
        cursor.execute(statement)
        cursor.close()
        if not book.is_sqlite:
            connection.commit()

    sa.event.listen(book.engine, "connect", set_up)
    book.engine.dispose()  # what is open already was not set up
    return book


def test_where_nothing_can_be_written_nothing_is_done_and_the_next_try_does_all(
    at: Context, read: Read
) -> None:
    finance = at()
    services.receive(finance, read(*month(9)))
    statement = read(*month(10), *SPLIT)
    book = _read_only(finance.casebook.url)
    broken = services.ServiceContext(book, finance.actor, finance.now)
    for act in (
        lambda: services.receive(broken, statement),
        lambda: services.list_alerts(broken),  # reading is an event, so it is refused too
    ):
        with pytest.raises(CardwatchError) as refusal:
            act()
        assert refusal.value.code == "casebook_failed"
        assert_whole(finance)
    book.close()
    assert len(services.list_statements(finance)) == 1
    services.receive(finance, statement)
    assert [check.fault for check in services.verify(finance)] == ["", ""]


def test_a_clock_that_is_set_back_loses_nothing(at: Context, read: Read) -> None:
    """By an hour, and by a year, while statements are received and answered."""
    services.receive(at(), read(*month(10), *SPLIT))
    for days in (-1 / 24, -365, 0, -1):
        finance = at(days=days)
        (alert, *_) = services.list_alerts(finance)
        services.decide(finance, alert["alert_id"], DecisionInput(f"at {days}", state="asked"))
        services.receive(finance, read(*month(11, reference=f"R{days}".replace(".", "x"))))
        assert_whole(finance)
    assert services.list_alerts(at())[0]["state"] == "asked"
    assert not any(check.fault for check in services.verify(at()))
    assert not any(check.fault for check in services.verify_audit(at("auditor")))
    reasons = [one["reason"] for one in services.get_alert(at(), alert["alert_id"])["decisions"]]
    assert reasons == [f"at {days}" for days in (-1 / 24, -365, 0, -1)], "in the order made"


@pytest.fixture
def in_london() -> Iterator[None]:
    """Let the machine's clock be that of London, which is put on and back."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = LONDON
    time.tzset()
    yield
    os.environ.pop("TZ")
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.usefixtures("in_london")
@pytest.mark.parametrize("moment", MOMENTS)
def test_leap_days_and_hours_that_come_twice_or_never_change_nothing(
    at: Context, read: Read, moment: str
) -> None:
    finance = at()
    now = dt.datetime.fromisoformat(moment)
    finance = services.ServiceContext(finance.casebook, finance.actor, now)
    today = now.date()
    lines = [f"{today - dt.timedelta(n)},E{n % 4},SHOP {n % 3},{10 + n}.50,R{n}" for n in range(20)]
    lines += [f"{today},E1,NEW FIRM,{amount}.00,S{amount}" for amount in (900, 950)]
    services.receive(finance, read(*lines))
    (alert, *_) = services.list_alerts(finance)
    year = today + dt.timedelta(365)
    decision = DecisionInput("asked", state="asked", due_on=str(year))
    services.decide(finance, alert["alert_id"], decision)
    (check,) = services.verify(finance)
    assert not check.fault
    detail = services.get_alert(finance, alert["alert_id"])
    assert detail["decisions"][0]["decided_at"] == moment
    assert detail["due_on"] == str(year)
    statement = services.list_statements(finance)[0]
    assert (statement["received_at"], statement["last_on"]) == (moment, str(today))


def test_a_process_begins_while_another_writes(casebook: Casebook, at: Context) -> None:
    """However long that takes: a service that is started again need not wait for a scoring."""
    at()
    url = casebook.url.render_as_string(hide_password=False)
    with casebook.engine.begin():  # on SQLite nobody else can write now
        other = Casebook(url, busy_seconds=0.1)
        assert [row["name"] for row in other.organisations()] == ["Saltmarsh Vale"]
        assert other.tables_version == casebook.tables_version
        other.close()


def test_processes_that_begin_together_keep_the_same_keys_once(
    casebook: Casebook, at: Context
) -> None:
    at()
    present = {"seal.key": {"one"}, "card.key": {"two"}}
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: note_keys(casebook, present), range(8)))
    assert needed_keys(casebook) == present
