"""Whoever pulls the plug: what was acknowledged is there, and nothing is half or double."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw
import pytest
import sqlalchemy as sa
from books import NOW, SPLIT, assert_whole, month

from cardwatch import services
from cardwatch.casebook import LANES, Actor, Casebook
from cardwatch.casebook.tables import outbox
from cardwatch.registers import read_register

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cardwatch.statements import ReadingChoices

HERE = Path(__file__).parent


class Rounds:
    """Rounds of receiving in a process of its own, each killed or not."""

    def __init__(self, folder: Path, statements: list[Any]) -> None:
        path = folder / "statements"
        path.write_bytes(pickle.dumps(statements))
        command = [sys.executable, str(HERE / "crashing.py"), str(path)]
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent)}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def run(
        self,
        url: str,
        owner: str,
        *,
        act: str = "receive",
        kill_at: int = 0,
        kill_after: float = 0.0,
    ) -> list[str]:
        """Do it in a fork; return what it acknowledged until it ended, and how many calls."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{url} {owner} {kill_at} {act}\n")
        self.process.stdin.flush()
        child = int(self.process.stdout.readline().split()[1])
        if kill_after:
            timer = threading.Timer(kill_after, _kill, [child])
            timer.start()
        told = []
        while not (line := self.process.stdout.readline()).startswith("ended"):
            told.append(line.strip())
        return told


def _kill(child: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it was quicker
        os.kill(child, signal.SIGKILL)


@pytest.fixture
def statements(read: Callable[..., Any]) -> list[Any]:
    return [read(*month(9), *[line.replace("-10-", "-09-").replace(",S", ",A") for line in SPLIT]),
            read(*month(10), *SPLIT)]  # fmt: skip


@pytest.fixture
def rounds(tmp_path: Path, statements: list[Any]) -> Iterator[Rounds]:
    made = Rounds(tmp_path, statements)
    with made.process:
        yield made
        made.process.kill()


@pytest.mark.parametrize("count", [8, pytest.param(100, marks=pytest.mark.prove)])
def test_a_process_killed_while_receiving_loses_and_doubles_nothing(
    rounds: Rounds, database_url: str, statements: list[Any], count: int
) -> None:
    chance, whole, calls = random.Random(11), 0.0, 0
    book = Casebook(database_url)
    for number in range(count):
        owner = services.add_organisation(book, f"Force {number}", NOW)
        at = services.ServiceContext(book, Actor(owner, "test", "finance"), NOW)
        if not number:
            start = time.perf_counter()
            told = rounds.run(database_url, owner)
            whole, calls = time.perf_counter() - start, int(told[-1].split()[1])
        elif number % 2:
            told = rounds.run(database_url, owner, kill_at=chance.randint(1, calls))
        else:
            told = rounds.run(database_url, owner, kill_after=chance.uniform(0.05, whole))
        held = [one["statement_id"] for one in services.list_statements(at)]
        assert {line for line in told if not line.startswith("calls")} <= set(held)
        assert_whole(at)
        for statement in statements:
            services.receive(at, statement)
        assert len(services.list_statements(at)) == len(statements)
        assert_whole(at)
    book.close()


GIFTS = (
    "Employee No,Date of offer,Donor,Accepted or declined,Registered\n"
    "E1,05/09/2026,Osprey Joinery Ltd,Accepted,06/09/2026\n"
    "E2,07/09/2026,Osprey Joinery Ltd,Accepted,20/11/2026\n"
)
PAID = ["2026-{}-15,E1,OSPREY JOINERY LTD,420.00,P1", "2026-{}-16,E2,OSPREY JOINERY LTD,99.00,P2"]


@pytest.mark.parametrize("count", [2, pytest.param(60, marks=pytest.mark.prove)])
def test_a_check_killed_after_a_register_came_loses_and_doubles_nothing(
    rounds: Rounds,
    database_url: str,
    read: Callable[..., Any],
    tmp_path: Path,
    choices: ReadingChoices,
    count: int,
) -> None:
    (tmp_path / "gifts.csv").write_text(GIFTS, encoding="utf-8")
    gifts = read_register(tmp_path / "gifts.csv", choices)
    months = [read(*month(number), *[line.format(f"{number:02}") for line in PAID])
              for number in (9, 10)]  # fmt: skip
    chance, calls, whole = random.Random(7), 0, None
    book = Casebook(database_url)
    for number in range(count):
        owner = services.add_organisation(book, f"Force {number}", NOW)
        psd = services.ServiceContext(book, Actor(owner, "test", "psd"), NOW)
        for statement in months:
            services.receive(psd, statement)
        services.import_register(psd, gifts)
        first = _raised(psd)
        if whole is None:
            calls = int(rounds.run(database_url, owner, act="check")[-1].split()[1])
            whole = _raised(psd)
            assert len(whole) > len(first)
            continue
        rounds.run(database_url, owner, act="check", kill_at=chance.randint(1, calls))
        between = _raised(psd)
        assert all(between.count(alert) == 1 and alert in whole for alert in between)
        assert all(alert in between for alert in first)
        later = replace(psd, now=NOW + dt.timedelta(minutes=30))
        services.check_registers_now(later)
        assert _raised(later) == whole
    book.close()


def _raised(psd: services.ServiceContext) -> list[str]:
    """Return what was raised in professional standards' lane, once the casebook has been checked.

    And the notices of it: none is lost or sent twice.
    """
    assert {check.fault for check in services.verify(psd)} == {""}
    assert [check.fault for check in services.verify_audit(psd)] == ["", ""]
    assert services.state_counts(psd)["unreconciled"] == 0
    details = [
        services.get_alert(psd, row["alert_id"])
        for row in services.list_alerts(psd, services.AlertFilter(lane="psd"))
    ]
    alerts = [repr(d["raised"].reasons) + d["last_on"] + d["holders"][0] for d in details]
    with psd.casebook.snapshot() as connection:
        psd.casebook.set_tenant(connection, psd.actor.organisation_id, LANES)
        is_own = outbox.c.organisation_id == psd.actor.organisation_id
        is_own &= outbox.c.lane.in_(LANES)
        notices = connection.scalar(sa.select(sa.func.count()).where(is_own)) or 0
    return [*sorted(alerts), *(f"notice {n}" for n in range(notices))]


# A power cut: a file system that keeps what was synced, and of the rest what chance will have.


class PowerCut(Exception):
    """The light is out."""


class CutFile(apsw.VFSFile):
    """A file whose writes are remembered until they are synced."""

    def __init__(self, world: CutDisk, name: Any, flags: Any) -> None:
        self.world = world
        self.path = name.filename() if isinstance(name, apsw.URIFilename) else name
        world.durable.setdefault(self.path, bytearray())
        world.waiting.setdefault(self.path, [])
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        if self.world.is_lit():
            self.world.waiting[self.path].append((offset, bytes(data)))
            super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        if self.world.is_lit():
            self.world.waiting[self.path].append((size, None))
            super().xTruncate(size)

    def xSync(self, flags: int) -> None:  # noqa: N802
        if self.world.is_lit():
            super().xSync(flags)
            for change in self.world.waiting[self.path]:
                _write(self.world.durable[self.path], *change)
            self.world.waiting[self.path].clear()


class CutDisk(apsw.VFS):
    """A disk that loses power at its so many-th writing."""

    def __init__(self, name: str, cut_at: int) -> None:
        self.cut_at, self.steps = cut_at, 0
        self.durable: dict[str, bytearray] = {}
        self.waiting: dict[str, list[tuple[int, bytes | None]]] = {}
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: Any) -> CutFile:  # noqa: N802
        return CutFile(self, name, flags)

    def is_lit(self) -> bool:
        """Count one more writing; the light goes out at one of them, and stays out."""
        self.steps += 1
        if self.steps == self.cut_at:
            raise PowerCut
        return not self.cut_at or self.steps < self.cut_at

    def survivors(self, chance: random.Random) -> dict[str, bytes]:
        """Return what each file holds afterwards."""
        left = {}
        for path, content in self.durable.items():
            image = bytearray(content)
            for change in self.waiting[path]:
                if chance.random() < 0.5:
                    _write(image, *change)
            left[path] = bytes(image)
        return left


def _write(image: bytearray, offset: int, data: bytes | None) -> None:
    if data is None:
        del image[offset:]
        return
    if len(image) < offset:
        image.extend(bytes(offset - len(image)))
    image[offset : offset + len(data)] = data


@pytest.fixture
def said(tmp_path: Path, statements: list[Any]) -> tuple[Path, list[list[tuple[str, Any]]]]:
    """Give a casebook, and what is said to the database when statements come, by transaction."""
    path = tmp_path / "book.db"
    book = Casebook(f"sqlite:///{path}")
    owner = services.add_organisation(book, "Force", NOW)
    book.close()
    before = Path(shutil.copy(path, tmp_path / "before.db"))
    book = Casebook(f"sqlite:///{path}")
    works: list[list[tuple[str, Any]]] = []

    def note(*given: Any) -> None:
        statement, parameters = given[2], given[3]
        if statement.startswith("BEGIN"):
            works.append([])
        if works and not statement.startswith("PRAGMA"):
            works[-1].append((statement, parameters))

    sa.event.listen(book.engine, "before_cursor_execute", note)
    at = services.ServiceContext(book, Actor(owner, "bringer", "finance"), NOW)
    for statement in statements:
        services.receive(at, statement)
    book.close()
    return before, [uow for uow in works if any("INSERT" in text for text, _ in uow)]


def _replay(
    path: Path, works: list[Any], synchronous: str, cut_at: int, pages: int = 20
) -> tuple[CutDisk, int]:
    """Say the same to a disk that fails; return it, and how many works were acknowledged."""
    name = f"cut{synchronous}{cut_at}"
    disk, done = CutDisk(name, cut_at), 0
    disk.durable[str(path)] = bytearray(path.read_bytes())
    try:
        connection = apsw.Connection(str(path), vfs=name)
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", f"synchronous={synchronous}",
                       f"wal_autocheckpoint={pages}"):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}").fetchall()
        for uow in works:
            for text, parameters in uow:
                many = parameters if isinstance(parameters, list) else [parameters]
                for one in many or [()]:
                    connection.execute(text, one).fetchall()
            connection.execute("COMMIT")
            done += 1
        connection.close()
    except (PowerCut, apsw.Error):
        disk.cut_at = disk.cut_at or 1  # dark: what is closed now writes nothing more
    return disk, done


@pytest.mark.parametrize("cuts", [40, pytest.param(500, marks=pytest.mark.prove)])
@pytest.mark.parametrize("synchronous", ["FULL", "NORMAL"])
def test_a_power_cut_loses_nothing_acknowledged_with_full_and_something_with_normal(
    tmp_path: Path, said: tuple[Path, list[Any]], synchronous: str, cuts: int
) -> None:
    before, works = said
    chance, lost, cut = random.Random(23), 0, 0
    whole, _ = _replay(Path(shutil.copy(before, tmp_path / "whole.db")), works, synchronous, 0)
    for number in range(cuts):
        path = Path(shutil.copy(before, tmp_path / f"cut{number}.db"))
        cut_at, pages = chance.randint(1, whole.steps), chance.choice([20, 1000])
        disk, done = _replay(path, works, synchronous, cut_at, pages)
        cut += 1
        folder = tmp_path / f"after{number}"
        folder.mkdir()
        for name, content in disk.survivors(chance).items():
            (folder / Path(name).name).write_bytes(content)
        found = apsw.Connection(str(folder / path.name))
        assert found.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        held = found.execute("SELECT COUNT(*) FROM audit_events").fetchall()[0][0]
        lost += held < _events(works[:done], before)
        found.close()
        shutil.rmtree(folder)
        for left in tmp_path.glob(f"cut{number}.db*"):
            left.unlink()
    print(f"\n{synchronous}: {lost} of {cut} power cuts lost something acknowledged")  # noqa: T201
    assert (lost == 0) == (synchronous == "FULL")


def _events(works: list[Any], before: Path) -> int:
    """Return how many events there have to be after some works."""
    connection = apsw.Connection(str(before))
    began = connection.execute("SELECT COUNT(*) FROM audit_events").fetchall()[0][0]
    connection.close()
    return began + sum("INTO audit_events" in text for uow in works for text, _ in uow)
