"""Fixtures of casebook and services: both databases, people of every role, small statements."""

from __future__ import annotations

import datetime as dt
import itertools
import os
import shutil
import socket
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy
from books import HEADINGS, NOW, leave_out, lively_month
from typer.testing import CliRunner

from cardwatch import services
from cardwatch.casebook import ROLES, Actor, Casebook
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.cli import app
from cardwatch.errors import CardwatchError
from cardwatch.reports import check_drawing
from cardwatch.statements import read_each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from cardwatch.records import ReadingReport
    from cardwatch.statements import ReadingChoices

    Read = tuple[pd.DataFrame, ReadingReport]

_numbers = itertools.count(1)
_read: dict[tuple[str, tuple[str, ...]], Read] = {}


@pytest.fixture
def casebook(database_url: str) -> Iterator[Casebook]:
    """Give a new, empty casebook on either database."""
    opened = Casebook(database_url)
    yield opened
    opened.close()


@pytest.fixture
def at(casebook: Casebook) -> Callable[..., services.ServiceContext]:
    """Give the service context of a role, in an organisation that is made when first asked for."""
    made: dict[tuple[str, str], Actor] = {}

    def of(
        role: str = "finance", organisation: str = "Saltmarsh Vale", **given: object
    ) -> services.ServiceContext:
        now = NOW + dt.timedelta(days=float(str(given.get("days", 0))))
        owner = organisation.casefold().replace(" ", "-")
        if not any(one["organisation_id"] == owner for one in casebook.organisations()):
            services.add_organisation(casebook, organisation, NOW)
        if role == SYSTEM:
            return services.ServiceContext(casebook, Actor(owner, SYSTEM, "admin"), now)
        who = role + str(given.get("person", ""))
        if (owner, who) not in made:
            assert role in ROLES
            itself = services.ServiceContext(casebook, Actor(owner, SYSTEM, "admin"), NOW)
            email = f"{who}@{owner}.example"
            holder_id = str(given.get("holder_id", ""))
            services.add_person(
                itself, name=who, email=email, role=role, holder_id=holder_id,
                holds_no_card=not holder_id,
            )  # fmt: skip
            made[owner, who] = services.actor_of_person(casebook, owner, email, NOW)
        return services.ServiceContext(casebook, made[owner, who], now)

    return of


@pytest.fixture
def read(tmp_path: Path, choices: ReadingChoices) -> Callable[..., Read]:
    """Read a statement of some lines: day, holder, merchant, pounds, and a reference if any.

    What another test has read is not read again.
    """
    number = itertools.count(1)

    def made(*lines: str, name: str = "") -> Read:
        path = tmp_path / (name or f"statement-{next(number)}.csv")
        path.write_text("\n".join([HEADINGS, *lines]) + "\n", encoding="utf-8")
        if (path.name, lines) not in _read:
            found = read_each([path], choices)[0]
            assert isinstance(found, tuple), found
            _read[path.name, lines] = found
        frame, report = _read[path.name, lines]
        return frame.copy(), replace(report)

    return made


@pytest.fixture
def received_january(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Callable[..., Read]
) -> None:
    """Give the command a casebook of one force, with a month kept as history."""
    monkeypatch.setenv("CARDWATCH_HOME", str(tmp_path / "home"))
    new = ["people", "a@x.example", "--name", "a", "--role", "finance", "--no-card",
           "--new-organisation", "Saltmarsh Vale"]  # fmt: skip
    assert CliRunner().invoke(app, new).exit_code == 0
    read(*lively_month(1), name="january.csv")
    received = CliRunner().invoke(
        app, ["statements", "import", str(tmp_path / "january.csv"), "--history"]
    )
    assert received.exit_code == 0, received.output


@pytest.fixture(scope="session")
def pdf_libraries() -> None:
    """Leave the test out where a PDF cannot be made."""
    try:
        check_drawing()
    except CardwatchError:
        leave_out("PDF", "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Run a PostgreSQL of our own, and give the address of its server."""
    programs = _postgresql_programs()
    if programs is None:
        leave_out("POSTGRESQL", "postgresql")
    memory = os.environ.get("PYTEST_DEBUG_TEMPROOT")
    folder = Path(tempfile.mkdtemp(prefix="cardwatch-postgresql-", dir=memory))
    user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root
    if user:
        shutil.chown(folder, user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(program: str, *arguments: str) -> None:
        command = [str(programs / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(
            command, check=True, user=user, cwd="/", stdout=subprocess.DEVNULL, timeout=120
        )

    run("initdb", "-U", "owner", "--auth=trust", "-E", "UTF8", "--no-sync")
    settings = f"-p {port} -c listen_addresses=127.0.0.1 -c max_connections=50 -k {folder}"
    settings += " -c max_wal_size=128MB"  # what is written ahead lies in memory too
    run("pg_ctl", "-o", settings, "-l", str(folder / "log"), "-w", "start")
    try:
        yield f"postgresql+psycopg://owner@127.0.0.1:{port}"
    finally:
        run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def first_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the file of a new casebook on SQLite, as making one takes long."""
    file = tmp_path_factory.mktemp("first") / "casebook.db"
    Casebook(f"sqlite:///{file}").close()
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of a new, empty casebook: a file of SQLite, or one of PostgreSQL."""
    if request.param == "sqlite":
        file = tmp_path / "casebook.db"
        shutil.copy(request.getfixturevalue("first_file"), file)
        yield f"sqlite:///{file}"
        return
    server = request.getfixturevalue("postgresql")
    made = new_database(server)
    yield made
    drop_database(server, made)


def new_database(server: str) -> str:
    """Make a casebook on PostgreSQL, and give its address for a role that only serves.

    It is a copy of the first one, as bringing an empty database up to this version takes long.
    """
    engine = sqlalchemy.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    name = f"book{next(_numbers)}"
    with engine.connect() as connection:
        if not connection.exec_driver_sql("SELECT 1 FROM pg_roles WHERE rolname = 'app'").all():
            connection.exec_driver_sql("CREATE ROLE app LOGIN")
            connection.exec_driver_sql("CREATE ROLE keeper LOGIN")
            connection.exec_driver_sql("CREATE DATABASE first_book OWNER keeper")
            kept = Casebook(f"{server.replace('owner@', 'keeper@')}/first_book")
            kept.grant_service_role("app")
            kept.close()
        connection.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE first_book OWNER keeper")
    engine.dispose()
    return f"{server.replace('owner@', 'app@')}/{name}"


def drop_database(server: str, address: str) -> None:
    """Remove a casebook on PostgreSQL: thousands of tests would leave gigabytes in memory."""
    name = address.rpartition("/")[2]
    engine = sqlalchemy.create_engine(f"{server}/postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    engine.dispose()


def _postgresql_programs() -> Path | None:
    """Return the folder of PostgreSQL's programs, the newest, or nothing."""
    on_path = shutil.which("initdb")
    if on_path and shutil.which("pg_ctl"):
        return Path(on_path).parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None
