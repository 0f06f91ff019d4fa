"""Holders that no column names in every row: above the headings, in sections, by sheet, merged."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from cardwatch.statements import cells
from cardwatch.statements.cells import TextColumn
from cardwatch.statements.profiles import HOLDER_FIELDS
from cardwatch.statements.words import is_period, plain_word, word_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cardwatch.statements.sheet import ParsedSheet
    from cardwatch.tabular import Table

    Flags = np.ndarray[Any, np.dtype[np.bool_]]

LABELLED = re.compile(r"\s*([^:\d]{2,40}?)\s*(?::|\s-\s)\s*(.*)", re.DOTALL)
"""A label, a colon, and perhaps what it labels."""
HOLDER_TEXT_FIELDS = ("cardholder", "card_number")
PAYMENT_CELLS = 3
"""A payment has a day, a merchant and an amount."""
CONTINUATION = re.compile(
    r"\s*[(\[-]?\s*\b(?:continued|cont(?:'?d)?)\b\.?[)\]]?\s*$", re.IGNORECASE
)
"""What a heading over the next page adds to a name."""
FILLED_DOWN = 0.5
"""Empty cells after a holder are that holder's if there are this many for each name."""


def label_of(text: str) -> tuple[str, str]:
    """Return the field that a cell such as `Cardholder: A Roe` labels, and what it says of it."""
    match = LABELLED.fullmatch(text)
    label, value = (match[1], match[2].strip()) if match else (text, "")
    word = plain_word(label)
    if match is None and not text.strip().endswith(":") and word == "name":
        return "", ""
    return next((f for f in HOLDER_TEXT_FIELDS if word in word_set("labels", f)), ""), value


def labelled(row: Sequence[str]) -> dict[str, str]:
    """Return the fields that the filled cells of a row label, such as `Cardholder:` and a name."""
    values: dict[str, str] = {}
    filled = [cell for cell in row if cell.strip()]
    for i, cell in enumerate(filled):
        field, value = label_of(cell)
        following = filled[i + 1] if i + 1 < len(filled) else ""
        if not value and following and not label_of(following)[0]:
            value = following
        if field and value:
            values.setdefault(field, CONTINUATION.sub("", value))
    return values


def holders_elsewhere(table: Table) -> tuple[dict[str, TextColumn], str]:
    """Return holder and card of every row where no column names them, and where they stand.

    They are looked for above the headings of each sheet, in section rows such as `Cardholder: A
    Roe`, and in the names of sheets that are no months or numbers. Nothing where they are in none.
    """
    above = [_merged(map(labelled, part.above)) for part in table.parts]
    fields = [name for name in HOLDER_TEXT_FIELDS if any(name in values for values in above)]
    if fields:
        starts = [part.index for part in table.parts]
        columns = {
            name: _spread(starts, [values.get(name, "") for values in above], table)
            for name in fields
        }
        return columns, "the cells above the headings"
    sections = _sections(table)
    if sections:
        return sections, "the rows above each section"
    names = [part.name for part in table.parts]
    if len(names) > 1 and not any(map(is_period, names)):
        starts = [part.index for part in table.parts]
        return {"cardholder": _spread(starts, names, table)}, "the names of the sheets"
    return {}, ""


def _merged(values: Iterable[dict[str, str]]) -> dict[str, str]:
    """Return the fields of several rows, the first that names one."""
    merged: dict[str, str] = {}
    for fields in values:
        merged = fields | merged
    return merged


def _sections(table: Table) -> dict[str, TextColumn]:
    """Return holder and card by the section in which each row stands.

    Nothing where rows stand before the first label, as the labels then close their sections.
    """
    rows: set[int] = set()
    for column in map(TextColumn.of, table.cells.columns):
        labels = [i for i, text in enumerate(column.values) if text and label_of(text)[0]]
        rows |= set(np.flatnonzero(np.isin(column.codes, labels)).tolist())
    section_labels: dict[int, dict[str, str]] = {}
    for row in sorted(rows):
        cells_of_row = [str(column[row].as_py()) for column in table.cells.columns]
        if values := labelled(cells_of_row):
            section_labels[row] = values
    columns: dict[str, TextColumn] = {}
    if not rows or _is_filled_before(table, min(section_labels, default=0)):
        return columns
    for name in HOLDER_TEXT_FIELDS:
        starts = [row for row, values in section_labels.items() if name in values]
        if starts:
            columns[name] = _spread(starts, [section_labels[row][name] for row in starts], table)
    return columns


def _is_filled_before(table: Table, row: int) -> bool:
    """Return whether more than a line of text stands above a row: a payment, most likely."""
    above = table.cells.slice(0, row)
    filled = sum(TextColumn.of(column).matches(cells.FILLED) for column in above.columns)
    return bool(np.any(filled >= PAYMENT_CELLS))


def _spread(starts: Sequence[int], values: Sequence[str], table: Table) -> TextColumn:
    """Return a column in which each value stands from its row on; empty before the first."""
    nearest = np.searchsorted(starts, np.arange(len(table.rows)), side="right")
    return TextColumn(nearest.astype(np.int32), pa.array(["", *values], pa.string()))


def fill_down(sheet: ParsedSheet, rows: Flags) -> None:
    """Fill empty holder cells with the holder above, where the file names each once, as a group.

    Each name stands once, the first payment has one, and there are at least half as many empty
    cells as names; a name that comes again would show that empty cells are missing ones.

    Args:
        sheet: the file; its column is changed.
        rows: which rows are payments.
    """
    names = [name for name in HOLDER_FIELDS if name in sheet.columns]
    filled_cells = {name: sheet.columns[name].matches(cells.FILLED) for name in names}
    nobody = rows & ~np.logical_or.reduce([*filled_cells.values(), np.zeros(len(rows), dtype=bool)])
    for name, filled in filled_cells.items():
        column = sheet.columns[name]
        if not nobody.any() or (rows & ~filled & ~nobody).any():
            continue  # another column names the holder of a row that is empty here
        holder_codes = column.codes[rows & filled]
        empty = int((rows & ~filled).sum())
        first = bool(filled[rows][0])
        once = len(np.unique(holder_codes)) == len(holder_codes)
        if first and once and empty and empty >= FILLED_DOWN * len(holder_codes):
            last = np.maximum.accumulate(np.where(filled, np.arange(len(filled)), 0))
            sheet.columns[name] = TextColumn(column.codes[last], column.distinct)
            sheet.decisions.append(
                f"'{sheet.sources[name]}' names each cardholder once, above their payments"
            )


def whole_name(first: str, name: str) -> str:
    """Return a first name before a last one; a name of several words that has it stays alone."""
    words = re.sub(r"[.,\s]+", " ", name.casefold()).split()
    has_first = len(words) > 1 and first.casefold().strip(" .") in words
    return name if has_first else f"{first} {name}".strip()


def fold_name(text: str) -> str:
    """Return a name as it is compared: small letters, single spaces, the last name last.

    `ROE, A` is `a roe`. A name without a comma keeps the order of its words, since two people may
    be named by the same words in another order.
    """
    last, comma, first = text.partition(",")
    plain = f"{first} {last}" if comma and first.strip() and "," not in first else text
    return " ".join(re.sub(r"[.\s]+", " ", plain.casefold()).split())
