"""Reads one file in a child process that has limited memory and time and can write nothing.

`serve` runs in a fork server: a process that has loaded the readers and nothing else, which
`cardwatch.tabular.reader_pool` starts. For each file it forks a child, which puts itself under the
limits, reads, answers and ends. Nothing is pickled: orders are lines of JSON, answers are JSON and
Arrow streams. The fork server ends when its orders do, so it does not outlive its parent.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import struct
import sys
from dataclasses import asdict
from hashlib import sha256
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from cardwatch.bounded import read_toml
from cardwatch.errors import FileFaulty, FileRefused
from cardwatch.tabular.detect_format import OLE, ZIP, recognise
from cardwatch.tabular.headings import Headings
from cardwatch.tabular.limited_child import limit_process
from cardwatch.tabular.limits import MIB, Limits
from cardwatch.tabular.table import EXCEL_XML

if TYPE_CHECKING:
    import pyarrow as pa

    from cardwatch.tabular.table import Found

STARTED = b"+"
"""Byte that a fork server sends when it takes a file, so that a crash is attributed to it."""
FRAME = struct.Struct("!iQ")
"""Before each answer: how its child ended, as a process exit code, and the answer's length."""
READ_AGAIN = "Save the data as CSV and try again"


class _NoPandas(MetaPathFinder):
    """Keeps Arrow from loading pandas, which takes 0.2 s a child and is not used here."""

    def find_spec(self, fullname: str, *_: object) -> None:
        """Say that pandas is not installed."""
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname)


def serve() -> None:
    """Run as the fork server: for each order have a child read the file, and pass on its answer."""
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
    """Run as the child of one file: let go of the fork server's pipes, read, answer and end."""
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
                _write_answer(Path(request["path"]), headings, limits, out)
        code = 0
    finally:
        os._exit(code)


def _parse_toml(texts: dict[str, str], limits: Limits) -> bytes:
    """Return the faults that parsing TOML texts shows, by file, as JSON."""
    signal.alarm(limits.wall_seconds)
    limit_process(_address_space() + limits.memory_bytes, limits.cpu_seconds)
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


def _write_answer(path: Path, headings: Headings, limits: Limits, out: BinaryIO) -> None:
    """Write the answer about one file: a line of JSON and, where it is a table, a stream of Arrow.

    The stream is written as it is made: gathered first, its pages took a tenth of the time.
    """
    signal.alarm(limits.wall_seconds)
    cells: pa.Table | None = None
    try:
        header, cells = _read_limited(path, headings, limits)
    except FileRefused as refusal:
        header = {"code": refusal.code, "what": refusal.what}
    except MemoryError:
        reason = f"reading it needed more memory than is allowed. {READ_AGAIN}"
        header = {"code": "too_costly", "what": reason}
    out.write(json.dumps(header).encode() + b"\n")
    if cells is not None:
        import pyarrow as pa  # noqa: PLC0415  the fork server has it

        cells = _with_narrow_codes(cells)
        with pa.ipc.new_stream(out, cells.schema) as writer:
            writer.write_table(cells)


def _with_narrow_codes(cells: pa.Table) -> pa.Table:
    """Return a table whose codes take one or two bytes where that is enough.

    They go through two pipes; most columns of a large statement have few distinct values.
    """
    import pyarrow as pa  # noqa: PLC0415  the fork server has it

    def narrow(column: pa.ChunkedArray) -> pa.DictionaryArray:
        whole = column.combine_chunks()
        fitting = (
            code
            for code in (pa.int8(), pa.int16())
            if len(whole.dictionary) <= 2 ** (code.bit_width - 1)
        )
        codes = whole.indices.cast(next(fitting, pa.int32()))
        return pa.DictionaryArray.from_arrays(codes, whole.dictionary)

    return pa.table([narrow(column) for column in cells.columns], cells.column_names)


def _read_form(data: bytes, file: str, form: str, headings: Headings, limits: Limits) -> Found:
    """Have a file read by the module for its form."""
    from cardwatch.tabular import (  # noqa: PLC0415  the fork server has them
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
) -> tuple[dict[str, object], pa.Table]:
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
    limit_process(limits.memory_for(size=len(data), workbook=packed), limits.cpu_seconds)
    form = recognise(data, file, limits)
    table = _read_form(data, file, form, headings, limits)
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
    return header, table.cells
