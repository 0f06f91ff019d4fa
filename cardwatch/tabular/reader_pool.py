"""Has files read by child processes with limited memory and time.

A pool holds fork servers: processes that have loaded the readers and nothing else
(`cardwatch.tabular.sandbox`), each of which forks a child a file. A child that dies is a refusal,
never a crash.
"""

from __future__ import annotations

import json
import os
import signal
import struct
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from queue import Queue
from threading import Lock, Timer
from typing import TYPE_CHECKING, Any, Self

from cardwatch.errors import FileFaulty, FileRefused
from cardwatch.quantities import quantity
from cardwatch.records import Check
from cardwatch.tabular.limited_child import start_child
from cardwatch.tabular.limits import LIMITS, MIB, Limits
from cardwatch.tabular.sandbox import FRAME, READ_AGAIN, STARTED
from cardwatch.tabular.table import FeedFacts, Part, Table

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence
    from pathlib import Path

SERVE_READERS = "from cardwatch.tabular.sandbox import serve; serve()"
ENVIRONMENT = {"MALLOC_ARENA_MAX": "1"}
"""Each thread of Arrow's takes up to 128 MiB of address space otherwise, by chance too many of them
at once, and a file that is in order is refused as too costly."""
TOML_LIMITS = Limits(memory_bytes=64 * MIB, cpu_seconds=2, wall_seconds=10)
"""For a text of settings; its memory is on top of what the
fork server has."""
DIED = (1, b"")
"""The result for a file on which the fork server died."""
SPARE_SECONDS = 60
"""Time to load the readers, beyond the wall clock limit; then a fork server is taken for dead."""


def read_tables(
    paths: Sequence[Path],
    headings: frozenset[str],
    limits: Limits = LIMITS,
    readers: ReaderPool | None = None,
    needed: Sequence[frozenset[str]] = (),
) -> list[Table | FileRefused]:
    """Return the table in each file, or the reason why there is none, in the order given.

    Args:
        paths: the files; a name is used only to name its file.
        headings: normalised headings of every layout, by which sheet and heading row are found.
        limits: what one file may cost.
        readers: a pool that is running; without it, one is started for these files alone.
        needed: for each field that the table has to have, its normalised headings, that of the
            amounts last; sheets that have all of them are read before any other.
    """
    if readers is None:
        workers = min(os.cpu_count() or 1, len(paths))
        with ReaderPool(max(workers, 1)) as new_pool:
            return read_tables(paths, headings, limits, new_pool, needed)
    with ThreadPoolExecutor(readers.workers) as pool:
        return list(pool.map(lambda path: readers.read(path, headings, limits, needed), paths))


class ReaderPool:
    """Processes that have loaded the readers, and stay to have one file after another read.

    Threads may share it. Each process has one file read at a time; a file waits while none is free.
    A process that dies is started anew, and the file that it was at is refused.
    """

    def __init__(self, workers: int = 1) -> None:
        """Start the processes.

        Args:
            workers: how many files may be read at the same time.
        """
        self.workers = workers
        self._folder = tempfile.TemporaryDirectory()
        self._free: Queue[_Worker] = Queue()
        for _ in range(workers):
            self._free.put(_Worker(self._folder.name))
        self._closing = Lock()

    def read(
        self,
        path: Path,
        known_headings: frozenset[str],
        limits: Limits = LIMITS,
        needed: Sequence[frozenset[str]] = (),
    ) -> Table | FileRefused:
        """Return the table in one file, or why there is none; arguments as of `read_tables`.

        Raises:
            ValueError: the pool is closed.
        """
        order = {
            "path": str(path.absolute()),
            "known": sorted(known_headings),
            "needed": [sorted(headings) for headings in needed],
            "limits": asdict(limits),
        }
        code, answer = self._ask(order, limits)
        return _answer(path.name, code, answer, limits)

    def check_toml(self, texts: Mapping[str, str], limits: Limits = TOML_LIMITS) -> None:
        """Parse TOML texts that somebody sent in one child, before they are parsed here.

        Args:
            texts: by the names of their files.
            limits: what all of them together may cost.

        Raises:
            FileFaulty: one is no TOML or exceeds a bound, or they exceed the child's limits.
            ValueError: the pool is closed.
        """
        order = {"toml": dict(texts), "limits": asdict(limits)}
        code, answer = self._ask(order, limits)
        if code != 0:
            file = next(iter(texts)) if len(texts) == 1 else quantity(len(texts), "file")
            raise FileFaulty(file, ["reading it takes too much memory or time"])
        for file, faults in json.loads(answer).items():
            raise FileFaulty(file, faults)

    def _ask(self, order: Mapping[str, object], limits: Limits) -> tuple[int, bytes]:
        """Give an order to a process that is free; return how its child ended, and its answer."""
        worker = self._free.get()
        try:
            return worker.ask(json.dumps(order).encode() + b"\n", limits.wall_seconds)
        finally:
            self._free.put(worker)

    def close(self) -> None:
        """End the processes, each after the file that it is at."""
        with self._closing:
            for worker in [self._free.get() for _ in range(self.workers)]:
                worker.close()
                self._free.put(worker)  # so that who waits for it is told
        self._folder.cleanup()

    def __enter__(self) -> Self:
        """Give the pool itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


class _Worker:
    """One fork server: it is asked for one file at a time, and started anew if it dies."""

    def __init__(self, folder: str) -> None:
        """Start the process in an empty folder."""
        self._folder = folder
        self._closed = False
        self._process: subprocess.Popen[bytes] | None = self._start()

    def ask(self, order: bytes, seconds: int) -> tuple[int, bytes]:
        """Read the exit status of the child of one file, and its answer.

        A process that died before it began the file says nothing about the file: a new one is
        asked, once.
        """
        return self._try(order, seconds) or self._try(order, seconds) or DIED

    def close(self) -> None:
        """End the process for good."""
        self._closed = True
        self._end()

    def _start(self) -> subprocess.Popen[bytes]:
        """Start a process, which loads the readers while we go on."""
        if self._closed:
            raise ValueError("the pool is closed")
        return start_child(SERVE_READERS, ENVIRONMENT, folder=self._folder)

    def _end(self) -> None:
        """End the process; it holds nothing that would be lost."""
        if self._process is not None:
            with suppress(BrokenPipeError), self._process:  # this closes its pipes and waits
                self._process.kill()
        self._process = None

    def _try(self, order: bytes, seconds: int) -> tuple[int, bytes] | None:
        """Give one order; return what comes of it, or nothing if the file was not begun.

        Whatever goes wrong ends the process, so that no answer is left in it for the next file.
        """
        self._process = self._process or self._start()
        orders, answers = self._process.stdin, self._process.stdout
        assert orders is not None
        assert answers is not None
        watch = Timer(seconds + SPARE_SECONDS, self._process.kill)
        watch.start()
        has_begun, size, answer = False, -1, b""
        try:
            orders.write(order)
            orders.flush()
            has_begun = answers.read(len(STARTED)) == STARTED
            code, size = FRAME.unpack(answers.read(FRAME.size))
            answer = answers.read(size)
        except (BrokenPipeError, struct.error):
            pass  # it is dead
        finally:
            watch.cancel()
            if len(answer) != size:
                self._end()
        if len(answer) == size:
            return code, answer
        return DIED if has_begun else None


def _answer(file: str, code: int, answer: bytes, limits: Limits) -> Table | FileRefused:
    """Turn what one child said, or how it died, into a table or a refusal."""
    if code in {-signal.SIGXCPU, -signal.SIGALRM}:
        reason = f"reading it took over {limits.cpu_seconds} seconds. {READ_AGAIN}"
        return FileRefused(file, "too_slow", reason)
    if code != 0:
        reason = f"it is damaged, or reading it needed more memory than is allowed. {READ_AGAIN}"
        return FileRefused(file, "too_costly", reason)
    line, _, stream = answer.partition(b"\n")
    header = json.loads(line)
    if "code" in header:
        return FileRefused(file, header["code"], header["what"])
    import pyarrow as pa  # noqa: PLC0415  not needed where nothing is read

    cells = pa.ipc.open_stream(stream).read_all()
    cells.validate()
    heading_row = header["heading_row"]
    return Table(
        file=file,
        sha256=header["sha256"],
        form=header["form"],
        headings=tuple(header["headings"]),
        heading_row=heading_row,
        cells=cells,
        rows=range(heading_row + 1, heading_row + 1 + cells.num_rows),
        decisions=tuple(header["decisions"]),
        notes=tuple(header["notes"]),
        parts=tuple(
            Part(**part | {"above": tuple(map(tuple, part["above"]))}) for part in header["parts"]
        ),
        long_rows=tuple(header["long_rows"]),
        separator=header["separator"],
        feed=_feed_facts(header["feed"]),
    )


def _feed_facts(facts: dict[str, Any] | None) -> FeedFacts | None:
    """Return what a child said of a bank feed; none for any other file."""
    if facts is None:
        return None
    checks = tuple(Check(**check) for check in facts["checks"])
    return FeedFacts(**facts | {"checks": checks, "lines": tuple(facts["lines"])})
