"""Reads a JSON text that lists one object a payment. Runs in the limited child only."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NoReturn, TypeGuard

from cardwatch.errors import FileRefused
from cardwatch.quantities import quantity
from cardwatch.tabular.csv_reader import check_size, columns_of
from cardwatch.tabular.encoding import decode
from cardwatch.tabular.headings import Headings, normalise_heading
from cardwatch.tabular.limits import Limits
from cardwatch.tabular.table import Found, Part
from cardwatch.tabular.workbook import cell_text

WHOLE_NUMBER = re.compile(r"-?\d+")
JSON_LINES = re.compile(r"\s*\{.*\}[ \t]*\r?\n\s*\{")
"""Objects one to a line, as some programs write records."""
NO_TEXT = re.compile("[\0\ud800-\udfff]")
"""Characters that no cell can hold."""
WRAPPERS = frozenset({"fields", "attributes", "node", "properties"})
"""Names of objects that only hold the cells of a record."""
FURTHER = frozenset({"more", "next"})
"""Words of names that say whether records follow elsewhere."""
COUNT_WORDS = frozenset(
    {"count", "records", "results", "rows", "items", "transactions", "expenses"}
)
PAGED = frozenset({"page", "limit", "offset", "cursor", "size", "per"})
EXPORT_FLAT = "Export the payments as CSV or XLSX, or as one list of flat records"


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


def read_records(data: bytes, file: str, headings: Headings, limits: Limits) -> Found:  # noqa: ARG001
    """Return the records of a JSON text as a table, names as headings.

    The text is a list of objects, one to a line without commas perhaps, an object with exactly one
    such list, or one with the names of columns and a list of rows. An object in a record
    becomes columns such as `merchant.name`; a list of plain values in it becomes one cell.

    Args:
        data: the file.
        file: its name.
        headings: not needed, since every record names its own cells.
        limits: what it may cost.

    Raises:
        FileRefused: it is cut off or damaged, nests deeper, names a cell twice, holds a part of
            its records only, or is over a limit.
    """
    text, encoding = decode(data, file)
    records, envelope = _records(_parse(text, file), file)
    rows = [_flat(record, file) for record in records]
    names = _names(rows)
    cells = columns_of(([row.get(name, "") for name in names] for row in rows), names, file, limits)
    check_size(cells, file, limits)
    above = tuple((name, text) for name, text in envelope.items() if text)
    decided = [f"{quantity(len(rows), 'record')} of JSON, text encoding {encoding}"]
    return Found(names, 0, cells, decided, [], [Part("", 0, 1, above)], [])


def _names(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """Return the names of all cells; not one that is empty wherever no object stands under it."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    objects = {name.partition(".")[0] for name in names if "." in name}
    filled = {name for row in rows for name, text in row.items() if text}
    return [name for name in names if name in filled or name not in objects]


def _parse(text: str, file: str) -> object:
    """Return what a JSON text says, numbers as they are written.

    Raises:
        FileRefused: it is cut off or damaged, nests too deep or names a value twice.
    """

    def refuse_constant(name: str) -> NoReturn:
        raise ValueError(name)

    decoder = json.JSONDecoder(
        object_pairs_hook=_object,
        parse_float=_Number,
        parse_int=_Number,
        parse_constant=refuse_constant,
    )
    try:
        if JSON_LINES.match(text):
            return [decoder.decode(line) for line in text.split("\n") if line.strip()]
        return decoder.decode(text)
    except (ValueError, RecursionError) as error:
        reason = (
            "the JSON is cut off or damaged, nests too deep or gives one name two values. "
            "Export it again"
        )
        raise FileRefused(file, "damaged", reason) from error


def _object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """Return an object.

    Raises:
        ValueError: it has two values under one name.
    """
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError("two values under one name")
    return values


def _records(content: object, file: str) -> tuple[list[dict[str, object]], dict[str, str]]:
    """Return the records and what stands beside their list.

    Raises:
        FileRefused: there is no list of objects, or more than one; or what stands beside it says
            that there are further records.
    """
    inside = dict(_inside(content)) if isinstance(content, dict) else {"": content}
    inside = _with_rows(inside)
    lists = [value for value in inside.values() if _is_records(value)]
    beside = {name: value for name, value in inside.items() if not _is_records(value)}
    if len(lists) != 1:
        reason = f"this is JSON with {len(lists)} lists of records where 1 is expected"
        raise FileRefused(file, "json", f"{reason}. {EXPORT_FLAT}")
    (records,) = lists
    if any(map(_may_hold_records, beside.items())):
        reason = "this is JSON with further lists or objects beside its list of records"
        raise FileRefused(file, "json", f"{reason}. {EXPORT_FLAT}")
    envelope = {name: _text(value) for name, value in beside.items() if _is_plain(value)}
    _check_complete(envelope, len(records), file)
    return records, envelope


def _inside(content: Mapping[str, object]) -> Iterable[tuple[str, object]]:
    """Give the values of an object and of the objects in it, those under dotted names."""
    for name, value in content.items():
        if isinstance(value, dict):
            yield from ((f"{name}.{inner}", v) for inner, v in value.items())
        else:
            yield name, value


def _with_rows(inside: dict[str, object]) -> dict[str, object]:
    """Return what an object holds, its rows and the names of their columns as records.

    There is one list of distinct names and one of rows that are as long.
    """
    names = [
        (key, value)
        for key, value in inside.items()
        if isinstance(value, list) and value and all(type(name) is str for name in value)
    ]
    rows = [
        (key, value)
        for key, value in inside.items()
        if isinstance(value, list) and value and all(isinstance(row, list) for row in value)
    ]
    if len(names) != 1 or len(rows) != 1:
        return inside
    (names_key, columns), (rows_key, lists) = names[0], rows[0]
    if len(set(columns)) < len(columns) or any(len(row) != len(columns) for row in lists):
        return inside
    records = [dict(zip(columns, row, strict=True)) for row in lists]
    return {k: v for k, v in inside.items() if k != names_key} | {rows_key: records}


def _is_records(value: object) -> TypeGuard[list[dict[str, object]]]:
    """Return whether a value is a list of objects."""
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)


def _may_hold_records(item: tuple[str, object]) -> bool:
    """Return whether what stands beside a list of records, by its name, may hold more of them."""
    name, value = item
    is_link = "links" in name.lower()  # where the next page is to be had, as APIs say it
    return bool(value) and not (is_link or _is_plain(value) or _is_list_of_plain(value))


def _is_plain(value: object) -> bool:
    """Return whether a value is a text, a number, true, false or null."""
    return value is None or isinstance(value, bool | str)


def _check_complete(envelope: Mapping[str, str], count: int, file: str) -> None:
    """Refuse one page of several, by what stands beside the list.

    Raises:
        FileRefused: it names a next page, or says that there are more records than it holds.
    """
    words = {name: set(normalise_heading(name).split()) for name in envelope}
    is_paged = any(PAGED & names for names in words.values())
    for name, text in envelope.items():
        number = int(text) if WHOLE_NUMBER.fullmatch(text) and len(text) < 10 else None
        is_count = COUNT_WORDS & words[name] or (is_paged and "total" in words[name])
        goes_on = FURTHER & words[name] and text not in {"", "false", "0"}
        pages = "pages" in words[name] and number is not None and number > 1
        if goes_on or pages or (is_count and not PAGED & words[name] and (number or 0) > count):
            reason = (
                f"it holds {quantity(count, 'record')} and says that there are more, as one page "
                "of several does. Export all of them at once"
            )
            raise FileRefused(file, "incomplete", reason)


def _flat(record: Mapping[str, object], file: str) -> dict[str, str]:
    """Return the cells of a record by their names.

    Raises:
        FileRefused: an object in it holds another, or a list holds objects or lists.
    """
    cells = {}
    for name, value in _inside(record):
        if isinstance(value, dict | list) and not _is_list_of_plain(value):
            reason = "this is JSON whose records hold lists of records, or objects in objects"
            raise FileRefused(file, "json", f"{reason}. {EXPORT_FLAT}")
        wrapper, _, inner = name.partition(".")
        heading = inner if wrapper in WRAPPERS and inner not in record else name
        if heading in cells:
            reason = f"its records give two values under one name, '{heading}'"
            raise FileRefused(file, "json", f"{reason}. {EXPORT_FLAT}")
        cells[heading] = ", ".join(map(_text, value)) if isinstance(value, list) else _text(value)
    if any(map(NO_TEXT.search, (*cells, *cells.values()))):
        reason = "it has characters that are no text. Export it again"
        raise FileRefused(file, "zero_bytes", reason)
    return cells


def _is_list_of_plain(value: object) -> bool:
    """Return whether a value is a list in which there is neither an object nor a list."""
    return isinstance(value, list) and all(map(_is_plain, value))


def _text(value: object) -> str:
    """Return a plain value as the text of a cell.

    Whole numbers keep all their digits; others are read as a cell of a workbook is, and keep their
    point, which says that they are no pence.
    """
    if isinstance(value, _Number):
        text = value if WHOLE_NUMBER.fullmatch(value) else cell_text(float(value))
        return f"{text}.0" if "." in value and "." not in text else str(text)
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
