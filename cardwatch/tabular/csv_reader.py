"""Reads delimited text: separator, ragged rows. Runs in the limited child only."""

import contextlib
import csv
import io
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv

from cardwatch.errors import FileRefused
from cardwatch.tabular.encoding import decode
from cardwatch.tabular.fixed_width import fixed_width_rows
from cardwatch.tabular.headings import SEARCHED_ROWS, Headings, find_headings, first_rows
from cardwatch.tabular.limits import Limits
from cardwatch.tabular.table import Found, Part

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", "^": "carets",
              "~": "tildes"}  # fmt: skip
SAMPLE_CHARACTERS = 1024 * 1024
FEW_AMOUNTS = 5
"""Fewer amounts than this may all have pence by chance."""
SINGLE_QUOTED = re.compile(r"'[^'\r\n]*'(?:([,;\t|])'[^'\r\n]*'(?=\1|\r?\n))+\r?\n'")
"""Headings of which each stands in single quotation marks, and a row that begins with one."""
PENCE_AT_END, CUT_AMOUNT = re.compile(r"[.,]\d\d$"), re.compile(r"-?\d+[.,]?\d?")


def choose_separator(sample: str) -> str:
    """Return the separator under which most rows of the sample have the same count of cells."""

    def constancy(separator: str) -> tuple[float, int]:
        widths: Counter[int] = Counter()
        with contextlib.suppress(csv.Error):  # the sample's end may cut a quoted cell
            widths.update(len(row) for row in _rows(sample, separator) if row)
        several = {width: count for width, count in widths.items() if width > 1}
        width = max(several, key=lambda w: (several[w], w), default=0)
        return several.get(width, 0) / max(widths.total(), 1), width

    present_separators = [
        separator for separator in SEPARATORS if separator != "," and separator in sample
    ]
    return max([",", *present_separators], key=constancy)


def _rows(text: str, separator: str, *, padded: bool = False) -> Iterator[list[str]]:
    quote = "'" if SINGLE_QUOTED.match(text) else '"'
    return csv.reader(
        io.StringIO(text, newline=""),
        delimiter=separator,
        quotechar=quote,
        skipinitialspace=padded,
    )


def is_padded(sample: str, separator: str) -> bool:
    """Return whether a space stands between each separator and the quotation mark after it.

    The quotation marks are then still those of cells, and no part of their text.
    """
    return f'{separator} "' in sample and f'{separator}"' not in sample


def read_delimited(data: bytes, file: str, headings: Headings, limits: Limits) -> Found:
    """Return the headings, the rows after them, and what was decided.

    Raises:
        FileRefused: the text is over a limit or no table.
    """
    text, encoding = decode(data, file)
    csv.field_size_limit(limits.cell_characters)
    if fixed := fixed_width_rows(text, headings):
        return _read_fixed(text, encoding, *fixed, file, limits)
    padded = is_padded(sample := text[:SAMPLE_CHARACTERS], separator := choose_separator(sample))
    decided = [f"text encoding {encoding}", f"cells separated by {SEPARATORS[separator]}"]
    data = data if encoding == "utf-8" else text.encode()
    try:
        first = first_rows(_rows(sample, separator, padded=padded))
        headings_found = find_headings(first, headings)
        heading_index, names = headings_found.last, headings_found.names
        _check_shape(0, max(map(len, first)), file, limits)
        even = None if padded else _read_even(data, separator, first, heading_index)
        cells, long_rows = even, []
        if cells is None:
            every = _rows(text, separator, padded=padded)
            rows = list(itertools.islice(every, heading_index + 1, heading_index + 2 + limits.rows))
            cells, long_rows = columns_of(rows, names, file, limits), too_long(rows, names)
    except csv.Error as error:
        reason = (
            f"a cell is longer than {limits.cell_characters:,} characters, or a quotation mark "
            "is never closed. Export the file again"
        )
        raise FileRefused(file, "cell_too_long", reason) from error
    check_size(cells, file, limits)
    _check_quotes(cells, separator, file)
    _check_end(text, cells, separator, file)
    parts = [Part("", 0, heading_index + 2, filled_cells(first[: headings_found.first]))]
    return Found(
        names,
        heading_index + 1,
        cells,
        decided,
        _end_notes(text, cells),
        parts,
        long_rows,
        separator,
    )


def _read_fixed(  # noqa: PLR0913, PLR0917  what is known of a text in columns
    text: str, encoding: str, start: int, rows: list[list[str]], file: str, limits: Limits
) -> Found:
    """Return a text whose columns stand below each other; see `read_delimited`."""
    names, body = rows[start], rows[start + 1 :]
    cells = columns_of(body, names, file, limits)
    check_size(cells, file, limits)
    _check_end(text, cells, "\0", file)
    decided = [f"text encoding {encoding}", "columns of a fixed width"]
    part = Part("", 0, start + 2, filled_cells(rows[:start]))
    return Found(names, start + 1, cells, decided, [], [part], [])


def too_long(rows: Sequence[Sequence[str]], headings: Sequence[str]) -> list[int]:
    """Return the positions of rows that have more cells than headings.

    Either a cell beyond the headings is filled, or the row is longer than most: an unquoted comma
    pushes its cells to the right though the last of them are empty.
    """
    width = len(headings)
    usual = Counter(len(row) for row in rows if row).most_common(1)
    longest = max(width, usual[0][0] if usual else 0)
    return [
        i
        for i, row in enumerate(rows)
        if len(row) > longest or (len(row) > width and any(cell.strip() for cell in row[width:]))
    ]


def filled_cells(rows: Iterable[Sequence[str]]) -> tuple[tuple[str, ...], ...]:
    """Return the filled cells of each row that has any."""
    filled = (tuple(cell for cell in row if cell.strip()) for row in rows)
    return tuple(row for row in filled if row)


def _read_even(
    data: bytes, separator: str, first: list[list[str]], heading_index: int
) -> pa.Table | None:
    """Read quickly a table of which every row has the same count of cells; else give nothing.

    Tested equal to the standard library's reader, which reads the rest.
    """
    width = len(first[heading_index])
    begins = data[:SAMPLE_CHARACTERS].decode(errors="replace")
    if any(len(row) != width for row in first) or SINGLE_QUOTED.match(begins):
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
    if not width or not table.num_rows:
        return None
    columns = [table[name].dictionary_encode().combine_chunks() for name in names]
    return pa.table(columns, names=names).slice(heading_index + 1)


def _check_quotes(cells: pa.Table, separator: str, file: str) -> None:
    """Refuse a table in which a cell has whole rows in it: a quotation mark was never closed.

    Raises:
        FileRefused: there is such a cell; rows would be lost in it without a word.
    """
    for position, column in enumerate(cells.columns):
        values = column.combine_chunks().dictionary
        for text in values.filter(pc.match_substring(values, "\n")).to_pylist():
            lines = text.splitlines()[1:]
            whole = any(line.count(separator) >= max(cells.num_columns - 1, 1) for line in lines)
            # the mark that opens a later row's cell at the same place closes this one
            begun = lines[-1].endswith('"') and lines[-1].count(separator) >= max(position, 1)
            if whole or begun:
                reason = "a quotation mark is never closed, so rows run together in one cell"
                raise FileRefused(file, "quotes", f"{reason}. Export the file again")


def _check_end(text: str, cells: pa.Table, separator: str, file: str) -> None:
    """Refuse a text that breaks off in its last row, as a transfer that was cut short leaves it.

    It has no line end there, and either a quotation mark is open, the last amount lacks the two
    decimals of all others, or the row has fewer cells than all others and begins as they do.

    Raises:
        FileRefused: it does.
    """
    if text.endswith(("\n", "\r")) or cells.num_rows < 2:
        return
    last_row = [str(column[-1].as_py()) for column in cells.columns]
    cell = next((cell for cell in reversed(last_row) if cell), "").replace('"', '""')
    is_open = text.endswith((f'{separator}"{cell}', f'{separator} "{cell}', f'{separator}"'))
    if is_open or _is_cut_amount(cells) or _is_cut_row(text, cells, separator):
        reason = "its last row breaks off in the middle. Export it or have it sent again"
        raise FileRefused(file, "damaged", reason)


def _end_notes(text: str, cells: pa.Table) -> list[str]:
    """Return a note where a text may break off in its last amount: alone it has no pence."""
    if text.endswith(("\n", "\r")) or cells.num_rows <= FEW_AMOUNTS:
        return []
    *above, last = map(str, cells.columns[-1].to_pylist())
    if not CUT_AMOUNT.fullmatch(last) or not all(map(PENCE_AT_END.search, above)):
        return []
    note = "the file ends in an amount without pence, as no other is, and without a line end"
    return [f"{note}. If it was cut off there, export it again"]


def _is_cut_amount(cells: pa.Table) -> bool:
    """Return whether the last cell lacks the two decimals that all above it have, zeros too."""
    *above, last = map(str, cells.columns[-1].to_pylist())
    return bool(
        CUT_AMOUNT.fullmatch(last)
        and all(map(PENCE_AT_END.search, above))
        and any(text.endswith("0") for text in above)
    )


def _is_cut_row(text: str, cells: pa.Table, separator: str) -> bool:
    """Return whether the last row alone lacks cells, and begins with a part of a day or number."""
    lines = text[-SAMPLE_CHARACTERS:].splitlines()[-SEARCHED_ROWS:]
    counts = {line.count(separator) for line in lines[1:-1]}
    count = lines[-1].count(separator)
    if len(counts) != 1 or count >= min(counts) or min(counts) + 1 != cells.num_columns:
        return False
    shapes = [re.sub(r"\d", "9", line.partition(separator)[0]) for line in lines[-2:]]
    return "9" in shapes[1] and shapes[0].startswith(shapes[1])


def columns_of(
    rows: Iterable[Sequence[str]], headings: Sequence[str], file: str, limits: Limits
) -> pa.Table:
    """Return rows of text as dictionary-encoded columns "0", "1", ...; short rows are filled.

    There are at least as many columns as headings, even where there are no rows.

    Raises:
        FileRefused: too many columns or rows.
    """
    limited_rows = list(itertools.islice(rows, limits.rows + 1))
    width = max(map(len, [headings, *limited_rows]))
    _check_shape(len(limited_rows), width, file, limits)
    columns = list(itertools.zip_longest(*limited_rows, fillvalue=""))
    columns += [("",) * len(limited_rows)] * (width - len(columns))
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
                reason = f"a cell is longer than {limits.cell_characters:,} characters"
                raise FileRefused(file, "cell_too_long", reason)


def _check_shape(rows: int, columns: int, file: str, limits: Limits) -> None:
    if columns > limits.columns:
        reason = f"it has over {limits.columns} columns. Check that it is a card statement"
        raise FileRefused(file, "too_wide", reason)
    if rows > limits.rows:
        raise FileRefused(file, "too_long", f"it has over {limits.rows:,} rows. Split it")
