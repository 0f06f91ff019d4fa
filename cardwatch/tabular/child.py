"""Reads files in child processes with limited memory and time, so that no file harms us.

The parent starts a nursery: a process that has loaded the readers and nothing else. For each file
the nursery forks a child, which puts itself under the limits, reads, answers and ends. A child
that dies is a refusal, never a crash. Nothing is pickled: answers are JSON and Arrow streams.
"""

import json
import os
import resource
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from cardwatch.errors import FileRefused
from cardwatch.tabular.limits import LIMITS, MIB, Limits
from cardwatch.tabular.recognise import OLE, WORKBOOKS, ZIP, recognise
from cardwatch.tabular.table import Table

NURSERY = "from cardwatch.tabular.child import serve; serve()"
FRAME = struct.Struct("!iQ")
"""Before each answer: how its child ended, as a process exit code, and the answer's length."""
READ_AGAIN = "Save the data as CSV and try again"


def read_tables(
    paths: Sequence[Path], known: frozenset[str], limits: Limits = LIMITS
) -> list[Table | FileRefused]:
    """Return the table in each file, or the reason why there is none, in the order given.

    Args:
        paths: the files; a name is used only to name its file.
        known: normalised headings of every layout, by which sheet and heading row are found.
        limits: what one file may cost.
    """
    lanes = min(os.cpu_count() or 1, len(paths))
    shares = [paths[lane::lanes] for lane in range(lanes)]
    with ThreadPoolExecutor(max(lanes, 1)) as pool:
        answers = list(pool.map(lambda share: _run(share, known, limits), shares))
    return [answers[i % lanes][i // lanes] for i in range(len(paths))]


def _run(paths: Sequence[Path], known: frozenset[str], limits: Limits) -> list[Table | FileRefused]:
    """Have one nursery read some files and take its answers as they come."""
    order = {
        "paths": [str(path.absolute()) for path in paths],
        "known": sorted(known),
        "limits": asdict(limits),
    }
    with (
        tempfile.TemporaryDirectory() as empty,
        subprocess.Popen(  # noqa: S603  our own interpreter, our own words
            [sys.executable, "-I", "-c", NURSERY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=empty,
            env={},
        ) as nursery,
    ):
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        nursery.stdin.write(json.dumps(order).encode())
        nursery.stdin.close()
        answers: list[Table | FileRefused] = []
        for path in paths:
            frame = nursery.stdout.read(FRAME.size)
            code, size = FRAME.unpack(frame) if len(frame) == FRAME.size else (1, 0)
            answers.append(_answer(path.name, code, nursery.stdout.read(size), limits))
        return answers


def _answer(file: str, code: int, answer: bytes, limits: Limits) -> Table | FileRefused:
    """Turn what one child said, or how it died, into a table or a refusal."""
    if code in {-signal.SIGXCPU, -signal.SIGALRM}:
        what = f"reading it took over {limits.cpu_seconds} seconds. {READ_AGAIN}"
        return FileRefused(file, "too_slow", what)
    if code != 0:
        what = f"reading it needed more memory than is allowed, or it is damaged. {READ_AGAIN}"
        return FileRefused(file, "too_costly", what)
    line, _, stream = answer.partition(b"\n")
    header = json.loads(line)
    if "code" in header:
        return FileRefused(file, header["code"], header["what"])
    import pyarrow as pa  # noqa: PLC0415  the nursery shares this module and loads it itself

    cells = pa.ipc.open_stream(stream).read_all()
    cells.validate()
    at = header["heading_row"]
    return Table(
        file=file,
        sha256=header["sha256"],
        form=header["form"],
        headings=tuple(header["headings"]),
        heading_row=at,
        cells=cells,
        rows=range(at + 1, at + 1 + cells.num_rows),
        decisions=tuple(header["decisions"]),
        notes=tuple(header["notes"]),
    )


def serve() -> None:
    """Run as the nursery: read the order, have a child read each file, pass on its answer."""
    import python_calamine  # noqa: F401, PLC0415  loaded once, for every child

    from cardwatch.tabular import delimited, workbook  # noqa: F401, PLC0415  the same

    order = json.load(sys.stdin)
    limits = Limits(**order["limits"])
    for path in map(Path, order["paths"]):
        reads, writes = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reads)
            with os.fdopen(writes, "wb") as out:
                out.writelines(_read(path, frozenset(order["known"]), limits))
            os._exit(0)
        os.close(writes)
        with os.fdopen(reads, "rb") as answers:
            answer = answers.read()
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.buffer.write(FRAME.pack(code, len(answer)))
        sys.stdout.buffer.write(answer)
        sys.stdout.buffer.flush()


def _read(path: Path, known: frozenset[str], limits: Limits) -> Iterator[bytes]:
    """Run as the child of one file: give the answer, a line of JSON and perhaps a stream."""
    try:
        header, stream = _read_limited(path, known, limits)
    except FileRefused as refusal:
        header, stream = {"code": refusal.code, "what": refusal.what}, b""
    except MemoryError:
        what = f"reading it needed more memory than is allowed. {READ_AGAIN}"
        header, stream = {"code": "too_costly", "what": what}, b""
    yield json.dumps(header).encode() + b"\n"
    yield stream


def _limit(size: int, *, workbook: bool, limits: Limits) -> None:
    """Put this process under its limits."""
    memory = limits.memory_for(size=size, workbook=workbook)
    cpu = limits.cpu_seconds
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.alarm(limits.wall_seconds)


def _read_limited(
    path: Path, known: frozenset[str], limits: Limits
) -> tuple[dict[str, object], bytes]:
    """Recognise and read one file under the limits."""
    file = path.name
    try:
        if path.stat().st_size > limits.text_bytes:
            what = f"it is larger than {limits.text_bytes // MIB} MiB. Split it by month"
            raise FileRefused(file, "too_large", what)
        data = path.read_bytes()
    except OSError as error:
        raise FileRefused(file, "unreadable", f"it cannot be opened ({error.strerror})") from error
    packed = data.startswith((ZIP, OLE))
    if packed and len(data) > limits.workbook_bytes:
        what = f"the workbook is larger than {limits.workbook_bytes // MIB} MiB. Save it as CSV"
        raise FileRefused(file, "too_large", what)
    _limit(len(data), workbook=packed, limits=limits)
    form = recognise(data, file, limits)
    is_workbook = form in WORKBOOKS
    from cardwatch.tabular import delimited, workbook  # noqa: PLC0415  the nursery loaded them

    reader = workbook.read_workbook if is_workbook else delimited.read_delimited
    found = reader(data, file, known, limits)
    import pyarrow as pa  # noqa: PLC0415  the same

    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, found.cells.schema) as writer:
        writer.write_table(found.cells)
    unnamed = [""] * max(found.cells.num_columns - len(found.headings), 0)
    header = {
        "sha256": sha256(data).hexdigest(),
        "form": form,
        "headings": [*found.headings, *unnamed],
        "heading_row": found.heading_row,
        "decisions": found.decisions,
        "notes": found.notes,
    }
    return header, sink.getvalue()
