"""A pool stays: it reads file after file, for several threads, and outlives what kills it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import openpyxl
import pytest
from processes import children, in_memory

from cardwatch.errors import FileRefused
from cardwatch.registers import read_cards
from cardwatch.statements import read_each
from cardwatch.tabular import LIMITS, Limits, ReaderPool, Table, read_tables, reader_pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from cardwatch.statements import ReadingChoices

SAMPLE = Path(__file__).parents[2] / "sample_data"
KNOWN = frozenset({"date", "holder", "merchant", "amount"})
GOOD = "Date,Holder,Merchant,Amount\n2026-01-05,H1,A shop,12.00\n2026-01-06,H1,B shop,3.50\n"
SMALL = Limits(memory_bytes=512 * 1024 * 1024, cpu_seconds=10, wall_seconds=30)

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/fd").exists(), reason="looks at processes in /proc"
)


def is_running(process: int) -> bool:
    """Whether a process has not ended; one that ended and was not waited for has no command."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes() != b""
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(true: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.01)


def killed(process: int) -> None:
    os.kill(process, signal.SIGKILL)


def processes(readers: ReaderPool) -> list[int]:
    """Return the process of each worker; none may be reading."""
    return [worker._process.pid for worker in readers._free.queue if worker._process is not None]


def open_files(process: int) -> dict[str, str]:
    """Return what stands behind each of a process's file descriptors."""
    return {fd.name: str(fd.readlink()) for fd in Path(f"/proc/{process}/fd").iterdir()}


class SlowFile:
    """A file whose reader waits until it is told what stands in it."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path

    def finish(self, text: str) -> None:
        with self.path.open("w") as end:  # opens when its reader does
            end.write(text)


@pytest.fixture
def good(tmp_path: Path) -> Path:
    (tmp_path / "good.csv").write_text(GOOD)
    return tmp_path / "good.csv"


@pytest.fixture
def slow(tmp_path: Path) -> SlowFile:
    return SlowFile(tmp_path / "slow.csv")


@pytest.fixture
def readers() -> Iterator[ReaderPool]:
    """Give a pool of one worker, after which there are no more processes than before."""
    before = children(os.getpid()).keys()
    with ReaderPool() as one:
        yield one
    assert children(os.getpid()).keys() == before


@pytest.fixture
def two_workers() -> Iterator[ReaderPool]:
    before = children(os.getpid()).keys()
    with ReaderPool(workers=2) as one:
        yield one
    assert children(os.getpid()).keys() == before


def is_good(found: Table | FileRefused) -> bool:
    return isinstance(found, Table) and found.cells.num_rows == 2


def code_of(found: Table | FileRefused) -> str:
    return found.code if isinstance(found, FileRefused) else "read"


def test_many_files_leave_one_process_with_no_more_memory_and_no_zombies(
    readers: ReaderPool, tmp_path: Path, good: Path
) -> None:
    large = tmp_path / "large.csv"
    large.write_text(GOOD + "2026-01-07,H2,C shop,1.00\n" * 100_000)
    order = [large, *[good] * 20]
    (process,) = processes(readers)
    sizes = []
    for _ in range(4):
        found = [readers.read(path, KNOWN) for path in order]
        assert isinstance(found[0], Table)
        assert found[0].cells.num_rows == 100_002
        assert all(map(is_good, found[1:]))
        sizes.append(in_memory(process))
        assert processes(readers) == [process]
        assert children(process) == {}
        assert len(open_files(process)) == 3
    assert sizes[-1] - sizes[0] < 2 * 1024 * 1024


def test_answers_are_those_of_read_tables(
    two_workers: ReaderPool, tmp_path: Path, good: Path
) -> None:
    (tmp_path / "page.csv").write_text("<html>")
    paths = [*sorted((SAMPLE / "statements").iterdir()), good, tmp_path / "page.csv"]
    paths.append(tmp_path / "gone.csv")
    for one, other in zip(
        read_tables(paths, KNOWN), read_tables(paths, KNOWN, LIMITS, two_workers), strict=True
    ):
        if isinstance(one, Table):
            assert one == other
        else:
            assert isinstance(other, FileRefused)
            assert (one.file, one.code, one.what) == (other.file, other.code, other.what)


def test_statements_and_registers_are_read_through_a_running_pool(
    readers: ReaderPool, choices: ReadingChoices
) -> None:
    statement = SAMPLE / "statements" / "2025-09.csv"
    (process,) = processes(readers)
    (found,) = read_each([statement], choices, readers=readers)
    assert isinstance(found, tuple)
    assert found[1].reconciles
    assert len(read_cards(SAMPLE / "cards.csv", choices, readers=readers).cards)
    (refused,) = read_each([statement], choices, limits=Limits(text_bytes=10), readers=readers)
    assert isinstance(refused, FileRefused)
    assert refused.code == "too_large"
    with pytest.raises(FileRefused, match="larger"):
        read_cards(SAMPLE / "cards.csv", choices, limits=Limits(text_bytes=10), readers=readers)
    assert processes(readers) == [process]


def test_a_file_is_read_while_another_thread_reads_a_slow_one(
    two_workers: ReaderPool, slow: SlowFile, good: Path
) -> None:
    with ThreadPoolExecutor(1) as other:
        being_read = other.submit(two_workers.read, slow.path, KNOWN)
        assert all(is_good(two_workers.read(good, KNOWN)) for _ in range(5))
        assert not being_read.done()
        slow.finish(GOOD)
        assert is_good(being_read.result())


def test_each_thread_gets_the_answers_to_its_own_files(
    two_workers: ReaderPool, tmp_path: Path
) -> None:
    def read_mine(thread: int) -> list[Table | FileRefused]:
        paths = []
        for number in range(10):
            paths.append(tmp_path / f"{thread}-{number}.csv")
            paths[-1].write_text(GOOD.replace("A shop", paths[-1].name))
        return read_tables(paths, KNOWN, LIMITS, two_workers)

    with ThreadPoolExecutor(4) as threads:
        for thread, tables in enumerate(threads.map(read_mine, range(4))):
            for number, table in enumerate(tables):
                assert isinstance(table, Table)
                assert table.file == f"{thread}-{number}.csv"
                assert table.cells.column(2)[0].as_py() == table.file


@pytest.mark.parametrize("loaded", [True, False], ids=["waiting", "still loading"])
def test_a_pool_killed_between_files_costs_no_file(
    readers: ReaderPool, good: Path, *, loaded: bool
) -> None:
    if loaded:
        assert is_good(readers.read(good, KNOWN))
    (process,) = processes(readers)
    killed(process)
    assert is_good(readers.read(good, KNOWN))
    assert processes(readers) != [process]


def test_a_file_at_which_the_pool_is_killed_is_refused_and_those_after_it_read(
    readers: ReaderPool, slow: SlowFile, good: Path
) -> None:
    (process,) = processes(readers)
    with ThreadPoolExecutor(1) as other:
        reading = other.submit(read_tables, [good, slow.path, good], KNOWN, LIMITS, readers)
        with slow.path.open("w"):  # its reader has begun
            killed(process)
            first, second, third = reading.result()
    assert is_good(first)
    assert code_of(second) == "too_costly"
    assert is_good(third)
    assert processes(readers) != [process]


def test_a_pool_that_dies_at_every_start_refuses_the_file(
    readers: ReaderPool, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(processes(readers)[0])
    with monkeypatch.context() as patched:
        patched.setattr(reader_pool, "SERVE_READERS", "raise MemoryError")
        assert code_of(readers.read(good, KNOWN)) == "too_costly"
    assert is_good(readers.read(good, KNOWN))


def test_a_pool_that_hangs_is_ended(
    readers: ReaderPool, slow: SlowFile, good: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert is_good(readers.read(good, KNOWN))
    monkeypatch.setattr(reader_pool, "SPARE_SECONDS", 1)
    with ThreadPoolExecutor(1) as other:
        (process,) = processes(readers)
        reading = other.submit(readers.read, slow.path, KNOWN, Limits(wall_seconds=1))
        with slow.path.open("w"):
            os.kill(process, signal.SIGSTOP)
            assert code_of(reading.result()) == "too_costly"
    monkeypatch.undo()
    assert is_good(readers.read(good, KNOWN))


def test_a_file_that_never_ends_is_stopped_by_the_clock(
    readers: ReaderPool, slow: SlowFile, good: Path
) -> None:
    (process,) = processes(readers)
    assert code_of(readers.read(slow.path, KNOWN, Limits(wall_seconds=1))) == "too_slow"
    assert is_good(readers.read(good, KNOWN))
    assert processes(readers) == [process]


def test_a_bomb_is_refused_and_the_pool_lives_on(
    readers: ReaderPool, tmp_path: Path, good: Path
) -> None:
    book = openpyxl.Workbook()
    book.active.cell(1, 1, "Date")
    book.active.cell(1_048_576, 16_384, "far")
    book.save(tmp_path / "far.xlsx")
    (process,) = processes(readers)
    for _ in range(3):
        assert code_of(readers.read(tmp_path / "far.xlsx", KNOWN, SMALL)) == "too_costly"
        assert is_good(readers.read(good, KNOWN, SMALL))
    assert processes(readers) == [process]
    assert children(process) == {}


def test_a_child_holds_neither_the_orders_nor_the_answers_of_its_pool(
    readers: ReaderPool, slow: SlowFile
) -> None:
    (process,) = processes(readers)
    pipes = {file for file in open_files(process).values() if file.startswith("pipe:")}
    with ThreadPoolExecutor(1) as other:
        reading = other.submit(readers.read, slow.path, KNOWN)
        with slow.path.open("w") as end:
            (reader,) = children(process)
            held = open_files(reader)
            working_folder = Path(f"/proc/{reader}/cwd").readlink()
            environment = Path(f"/proc/{reader}/environ").read_bytes()
            contents = list(working_folder.iterdir())
            end.write(GOOD)
        assert is_good(reading.result())
    assert len(pipes) == 2
    assert held["0"] == held["1"] == held["2"] == os.devnull
    assert not pipes & set(held.values())
    assert str(working_folder) == readers._folder.name
    assert contents == []
    assert environment == b"MALLOC_ARENA_MAX=1\0", "nothing of the parent's environment"


def test_a_pool_ends_with_its_parent() -> None:
    code = (
        "import time; from cardwatch.tabular import ReaderPool; "
        "pool = ReaderPool(2); print(flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        servers = children(parent.pid)
        parent.kill()
    assert len(servers) == 2
    wait_until(lambda: not any(is_running(process) for process in servers))


def test_a_closed_pool_has_finished_its_file_and_reads_no_more(slow: SlowFile, good: Path) -> None:
    readers = ReaderPool()
    with ThreadPoolExecutor(3) as others:
        reading = others.submit(readers.read, slow.path, KNOWN)
        with slow.path.open("w") as end:
            closing = [others.submit(readers.close) for _ in range(2)]
            end.write(GOOD)
        assert is_good(reading.result())
        for one in closing:
            one.result()
    with pytest.raises(ValueError, match="closed"):
        readers.read(good, KNOWN)
    assert not Path(readers._folder.name).exists()


@pytest.mark.parametrize("name", ["2025-09.csv", "2026-03.xlsx", "2026-10.csv"])
def test_what_reading_needs_is_loaded_before_there_is_a_file(name: str) -> None:
    code = (
        f"{reader_pool.SERVE_READERS}; import sys; before = set(sys.modules); "
        "from pathlib import Path; "
        "from cardwatch.tabular.sandbox import Headings, Limits, _read_limited; "
        "_read_limited(Path(sys.argv[1]), Headings(frozenset()), Limits()); "
        "print(*set(sys.modules) - before)"
    )
    order = [sys.executable, "-I", "-c", code, str(SAMPLE / "statements" / name)]
    ended = subprocess.run(order, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    late = [module for module in ended.stdout.decode().split() if module[:9] != "encodings"]
    assert late == []
