"""Reads delimited text: encoding, separator, ragged rows. Runs in the limited child only."""

import contextlib
import csv
import io
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from cardwatch.errors import FileRefused
from cardwatch.tabular.headings import SEARCHED_ROWS, find_heading_row
from cardwatch.tabular.limits import Limits
from cardwatch.tabular.recognise import BOMS
from cardwatch.tabular.table import Found

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
SAMPLE_CHARACTERS = 1024 * 1024


def decode(data: bytes, file: str) -> tuple[str, str]:
    """Return the whole file as text and the encoding used: UTF-8, else cp1252, else a guess.

    One wrong byte anywhere decides for the whole file.

    Raises:
        FileRefused: no encoding fits.
    """
    marked = next((name for bom, name in BOMS.items() if data.startswith(bom)), None)
    for encoding in (marked,) if marked else ("utf-8", "cp1252"):
        try:
            return data.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    from charset_normalizer import from_bytes  # noqa: PLC0415  slow to import, seldom needed

    best = from_bytes(data).best()
    if best is None or marked:
        raise FileRefused(file, "encoding", "its text encoding is not known. Export it as UTF-8")
    return str(best), best.encoding


def choose_separator(sample: str) -> str:
    """Return the separator under which most rows of the sample have the same count of cells."""

    def constancy(separator: str) -> tuple[float, int]:
        widths: Counter[int] = Counter()
        with contextlib.suppress(csv.Error):  # the sample's end may cut a quoted cell
            widths.update(len(row) for row in _rows(sample, separator) if row)
        several = {width: count for width, count in widths.items() if width > 1}
        width = max(several, key=lambda w: (several[w], w), default=0)
        return several.get(width, 0) / max(widths.total(), 1), width

    return max(SEPARATORS, key=constancy)


def _rows(text: str, separator: str) -> Iterator[list[str]]:
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator)


def read_delimited(data: bytes, file: str, known: frozenset[str], limits: Limits) -> Found:
    """Return the headings, the rows after them, and what was decided.

    Raises:
        FileRefused: the text is over a limit or no table.
    """
    text, encoding = decode(data, file)
    csv.field_size_limit(limits.cell_characters)
    sample = text[:SAMPLE_CHARACTERS]
    separator = choose_separator(sample)
    decided = [f"text in {encoding}", f"cells separated by {SEPARATORS[separator]}"]
    if encoding != "utf-8":
        data = text.encode()
    try:
        first = list(itertools.islice(_rows(sample, separator), SEARCHED_ROWS))
        at, _ = find_heading_row(first, known)
        _check_shape(0, max(map(len, first)), file, limits)
        cells = _read_even(data, separator, first, at)
        if cells is None:
            rest = itertools.islice(_rows(text, separator), at + 1, None)
            cells = columns_of(rest, first[at], file, limits)
    except csv.Error as error:
        what = (
            f"a cell is longer than {limits.cell_characters:,} characters, or a quotation mark "
            "is never closed. Export the file again"
        )
        raise FileRefused(file, "cell_too_long", what) from error
    check_size(cells, file, limits)
    _check_quotes(cells, separator, file)
    return Found(first[at], at + 1, cells, decided, [])


def _read_even(data: bytes, separator: str, first: list[list[str]], at: int) -> pa.Table | None:
    """Read quickly a table of which every row has the same count of cells; else give nothing.

    Tested equal to the standard library's reader, which reads the rest.
    """
    width = len(first[at])
    if any(len(row) != width for row in first):
        return None
    names = [str(i) for i in range(width)]
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(column_names=names, block_size=4 << 20),
            parse_options=arrow_csv.ParseOptions(
                delimiter=separator, newlines_in_values=b'"' in data, ignore_empty_lines=False
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    with ThreadPoolExecutor() as pool:  # Arrow lets go of the interpreter while it encodes
        columns = pool.map(lambda name: table[name].combine_chunks().dictionary_encode(), names)
        return pa.table(list(columns), names=names).slice(at + 1)


def _check_quotes(cells: pa.Table, separator: str, file: str) -> None:
    """Refuse a table in which a cell has whole rows in it: a quotation mark was never closed.

    Raises:
        FileRefused: there is such a cell; rows would be lost in it without a word.
    """
    for column in cells.columns:
        values = column.combine_chunks().dictionary
        for text in values.filter(pc.match_substring(values, "\n")).to_pylist():
            lines = text.splitlines()[1:]
            if any(line.count(separator) >= max(cells.num_columns - 1, 1) for line in lines):
                what = "a quotation mark is never closed, so that rows run together in one cell"
                raise FileRefused(file, "quotes", f"{what}. Export the file again")


def columns_of(
    rows: Iterable[Sequence[str]], headings: Sequence[str], file: str, limits: Limits
) -> pa.Table:
    """Return rows of text as dictionary-encoded columns "0", "1", ...; short rows are filled.

    There are at least as many columns as headings, even where there are no rows.

    Raises:
        FileRefused: too many columns or rows.
    """
    kept = list(itertools.islice(rows, limits.rows + 1))
    width = max(map(len, [headings, *kept]))
    _check_shape(len(kept), width, file, limits)
    filled = ((*row, *[""] * (width - len(row))) for row in kept)
    columns = zip(*filled, strict=True) if kept else [()] * width
    encoded = [pa.array(column, pa.string()).dictionary_encode() for column in columns]
    return pa.table(encoded, names=list(map(str, range(len(encoded)))))


def check_size(cells: pa.Table, file: str, limits: Limits) -> None:
    """Refuse a table with too many rows or columns, or a cell longer than a cell can be.

    Raises:
        FileRefused: one of them is over its limit.
    """
    _check_shape(cells.num_rows, cells.num_columns, file, limits)
    for column in cells.columns:
        for chunk in column.chunks:
            longest = pc.max(pc.utf8_length(chunk.dictionary)).as_py() or 0
            if longest > limits.cell_characters:
                what = f"a cell is longer than {limits.cell_characters:,} characters"
                raise FileRefused(file, "cell_too_long", what)


def _check_shape(rows: int, columns: int, file: str, limits: Limits) -> None:
    if columns > limits.columns:
        what = f"it has over {limits.columns} columns. Check that it is a card statement"
        raise FileRefused(file, "too_wide", what)
    if rows > limits.rows:
        raise FileRefused(file, "too_long", f"it has over {limits.rows:,} rows. Split it")
