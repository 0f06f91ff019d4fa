"""Reads files in child processes with limited memory and time.

The parent starts a nursery: a process that has loaded the readers and nothing else. For each file
the nursery forks a child, which puts itself under the limits, reads, answers and ends. A child
that dies is a refusal, never a crash. Nothing is pickled: orders are lines of JSON, answers are
JSON and Arrow streams. The nursery ends when its orders do, so it does not outlive its parent.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import struct
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from importlib.abc import MetaPathFinder
from pathlib import Path
from queue import Queue
from threading import Lock, Timer
from typing import TYPE_CHECKING, Any, NoReturn, Self

from cardwatch.bounded import read_toml
from cardwatch.errors import FileFaulty, FileRefused
from cardwatch.quantities import quantity
from cardwatch.records import Check
from cardwatch.tabular.detect_format import OLE, ZIP, recognise
from cardwatch.tabular.headings import Headings
from cardwatch.tabular.limits import LIMITS, MIB, Limits
from cardwatch.tabular.table import EXCEL_XML, FeedFacts, Part, Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cardwatch.tabular.table import Found

SERVE_READERS = "from cardwatch.tabular.sandbox import serve; serve()"
ENVIRONMENT = {"MALLOC_ARENA_MAX": "1"}
"""Each thread of Arrow's takes up to 128 MiB of address space otherwise, by chance too many of them
at once, and a file that is in order is refused as too costly."""
TOML_LIMITS = Limits(memory_bytes=64 * MIB, cpu_seconds=2, wall_seconds=10)
"""For a text of settings; its memory is on top of what the nursery has."""
STARTED = b"+"
"""Byte that a reader process sends when it takes a file, so that a crash is attributed to it."""
FRAME = struct.Struct("!iQ")
"""Before each answer: how its child ended, as a process exit code, and the answer's length."""
DIED = (1, b"")
"""The result for a file on which the reader process died."""
SPARE_SECONDS = 60
"""Time to load the readers, beyond the wall clock limit; after it the nursery is taken for dead."""
READ_AGAIN = "Save the data as CSV and try again"


def read_tables(
    paths: Sequence[Path],
    headings: frozenset[str],
    limits: Limits = LIMITS,
    nursery: ReaderPool | None = None,
    needed: Sequence[frozenset[str]] = (),
) -> list[Table | FileRefused]:
    """Return the table in each file, or the reason why there is none, in the order given.

    Args:
        paths: the files; a name is used only to name its file.
        headings: normalised headings of every layout, by which sheet and heading row are found.
        limits: what one file may cost.
        nursery: one that is running; without it, one is started for these files alone.
        needed: for each field that the table has to have, its normalised headings, that of the
            amounts last; sheets that have all of them are read before any other.
    """
    if nursery is None:
        lanes = min(os.cpu_count() or 1, len(paths))
        with ReaderPool(max(lanes, 1)) as new_pool:
            return read_tables(paths, headings, limits, new_pool, needed)
    with ThreadPoolExecutor(nursery.lanes) as pool:
        return list(pool.map(lambda path: nursery.read(path, headings, limits, needed), paths))


class ReaderPool:
    """Processes that have loaded the readers, and stay to have one file after another read.

    Threads may share it. Each lane has one file read at a time; a file waits while none is free. A
    process that dies is started anew, and the file that it was at is refused.
    """

    def __init__(self, lanes: int = 1) -> None:
        """Start the processes.

        Args:
            lanes: how many files may be read at the same time.
        """
        self.lanes = lanes
        self._folder = tempfile.TemporaryDirectory()
        self._free: Queue[_Worker] = Queue()
        for _ in range(lanes):
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
            ValueError: the nursery is closed.
        """
        order = {
            "path": str(path.absolute()),
            "known": sorted(known_headings),
            "needed": [sorted(headings) for headings in needed],
            "limits": asdict(limits),
        }
        lane = self._free.get()
        try:
            code, answer = lane.ask(json.dumps(order).encode() + b"\n", limits.wall_seconds)
        finally:
            self._free.put(lane)
        return _answer(path.name, code, answer, limits)

    def check_toml(self, texts: Mapping[str, str], limits: Limits = TOML_LIMITS) -> None:
        """Parse TOML texts that somebody sent in one child, before they are parsed here.

        Args:
            texts: by the names of their files.
            limits: what all of them together may cost.

        Raises:
            FileFaulty: one is no TOML or exceeds a bound, or they exceed the child's limits.
            ValueError: the nursery is closed.
        """
        order = {"toml": dict(texts), "limits": asdict(limits)}
        lane = self._free.get()
        try:
            code, answer = lane.ask(json.dumps(order).encode() + b"\n", limits.wall_seconds)
        finally:
            self._free.put(lane)
        if code != 0:
            file = next(iter(texts)) if len(texts) == 1 else quantity(len(texts), "file")
            raise FileFaulty(file, ["reading it takes too much memory or time"])
        for file, faults in json.loads(answer).items():
            raise FileFaulty(file, faults)

    def close(self) -> None:
        """End the processes, each after the file that it is at."""
        with self._closing:
            for lane in [self._free.get() for _ in range(self.lanes)]:
                lane.close()
                self._free.put(lane)  # so that who waits for it is told
        self._folder.cleanup()

    def __enter__(self) -> Self:
        """Give the nursery itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


class _Worker:
    """One process of a nursery: it is asked for one file at a time, and started anew if it dies."""

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
            raise ValueError("the nursery is closed")
        return subprocess.Popen(  # noqa: S603  our own interpreter, our own words
            [sys.executable, "-I", "-c", SERVE_READERS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            env=ENVIRONMENT,
        )

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
    import pyarrow as pa  # noqa: PLC0415  the nursery shares this module and loads it itself

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


class _NoPandas(MetaPathFinder):
    """Keeps Arrow from loading pandas, which takes 0.2 s a child and is not used here."""

    def find_spec(self, fullname: str, *_: object) -> None:
        """Say that pandas is not installed."""
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname)


def serve() -> None:
    """Run as the nursery: for each order have a child read the file, and pass on its answer."""
    sys.meta_path.insert(0, _NoPandas())
    import python_calamine  # noqa: F401, PLC0415  loaded once, for every child

    from cardwatch.tabular import (  # noqa: PLC0415  the same
        csv_reader,  # noqa: F401
        excel_xml,  # noqa: F401
        feeds,  # noqa: F401
        json_records,  # noqa: F401
        web_page,  # noqa: F401
        workbook,  # noqa: F401
    )

    out = sys.stdout.buffer
    for order in sys.stdin.buffer:
        out.write(STARTED)
        out.flush()
        code, answer = _fork_and_read(order)
        out.write(FRAME.pack(code, len(answer)))
        out.write(answer)
        out.flush()
        del answer  # it may be large, and the next order far off


def _fork_and_read(order: bytes) -> tuple[int, bytes]:
    """Fork a child for one order; return how it ended, and its answer."""
    reads, writes = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reads)
        _worker_main(order, writes)
    os.close(writes)
    with os.fdopen(reads, "rb") as answers:
        answer = answers.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), answer


def _worker_main(order: bytes, writes: int) -> NoReturn:
    """Run as the child of one file: let go of the nursery's pipes, read, answer and end."""
    code = 1
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for pipe in (sys.stdin.fileno(), sys.stdout.fileno()):
            os.dup2(nothing, pipe)
        request = json.loads(order)
        limits = Limits(**request["limits"])
        with os.fdopen(writes, "wb") as out:
            if "toml" in request:
                out.write(_parse_toml(request["toml"], limits))
            else:
                needed = [frozenset(names) for names in request["needed"]]
                headings = Headings(frozenset(request["known"]), needed)
                out.writelines(_read(Path(request["path"]), headings, limits))
        code = 0
    finally:
        os._exit(code)


def _parse_toml(texts: dict[str, str], limits: Limits) -> bytes:
    """Return the faults that parsing TOML texts shows, by file, as JSON."""
    signal.alarm(limits.wall_seconds)
    _set_limits(_address_space() + limits.memory_bytes, limits.cpu_seconds)
    faults: dict[str, tuple[str, ...]] = {}
    for file, text in texts.items():
        try:
            read_toml(text, file)
        except FileFaulty as refusal:
            faults[file] = refusal.faults
            break
    return json.dumps(faults).encode()


def _address_space() -> int:
    """Bytes of address space this process has; its peak memory where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except FileNotFoundError:  # macOS
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return pages * resource.getpagesize()


def _read(path: Path, headings: Headings, limits: Limits) -> Iterator[bytes]:
    """Give the answer about one file: a line of JSON and perhaps a stream."""
    signal.alarm(limits.wall_seconds)
    try:
        header, stream = _read_limited(path, headings, limits)
    except FileRefused as refusal:
        header, stream = {"code": refusal.code, "what": refusal.what}, b""
    except MemoryError:
        reason = f"reading it needed more memory than is allowed. {READ_AGAIN}"
        header, stream = {"code": "too_costly", "what": reason}, b""
    yield json.dumps(header).encode() + b"\n"
    yield stream


def _limit(size: int, *, workbook: bool, limits: Limits) -> None:
    """Put this process under its limits."""
    memory = limits.memory_for(size=size, workbook=workbook)
    _set_limits(memory, limits.cpu_seconds)


def _set_limits(memory: int, cpu: int) -> None:
    """Limit this process's address space and time, and let it write no file."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _read_form(data: bytes, file: str, form: str, headings: Headings, limits: Limits) -> Found:
    """Have a file read by the module for its form."""
    from cardwatch.tabular import (  # noqa: PLC0415  the nursery has them
        csv_reader,
        excel_xml,
        feeds,
        json_records,
        web_page,
        workbook,
    )

    if form in feeds.FEEDS:
        return feeds.read_feed(data, file, form, limits)
    readers = {
        "csv": csv_reader.read_delimited,
        "html": web_page.read_web_page,
        "mime": web_page.read_mime,
        "json": json_records.read_records,
        EXCEL_XML: excel_xml.read_excel_xml,
    }
    return readers.get(form, workbook.read_workbook)(data, file, headings, limits)


def _read_limited(
    path: Path, headings: Headings, limits: Limits
) -> tuple[dict[str, object], bytes]:
    """Recognise and read one file under the limits."""
    file = path.name
    try:
        if path.stat().st_size > limits.text_bytes:
            reason = f"it is larger than {limits.text_bytes // MIB} MiB. Split it by month"
            raise FileRefused(file, "too_large", reason)
        data = path.read_bytes()
    except OSError as error:
        raise FileRefused(file, "unreadable", f"it cannot be opened ({error.strerror})") from error
    packed = data.startswith((ZIP, OLE))
    if packed and len(data) > limits.workbook_bytes:
        reason = f"the workbook is larger than {limits.workbook_bytes // MIB} MiB. Save it as CSV"
        raise FileRefused(file, "too_large", reason)
    _limit(len(data), workbook=packed, limits=limits)
    form = recognise(data, file, limits)
    table = _read_form(data, file, form, headings, limits)
    import pyarrow as pa  # noqa: PLC0415  the same

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.cells.schema) as writer:
        writer.write_table(table.cells)
    unnamed = [""] * max(table.cells.num_columns - len(table.headings), 0)
    header = {
        "sha256": sha256(data).hexdigest(),
        "form": form,
        "headings": [*table.headings, *unnamed],
        "heading_row": table.heading_row,
        "decisions": table.decisions,
        "notes": table.notes,
        "parts": [asdict(part) for part in table.parts],
        "long_rows": table.long_rows,
        "separator": table.separator,
        "feed": asdict(table.feed) if table.feed else None,
    }
    return header, sink.getvalue()
