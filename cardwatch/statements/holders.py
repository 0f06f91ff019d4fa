"""Holders that no column names in every row: above the headings, in sections, by sheet, merged."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from cardwatch.statements.cells import TextColumn
from cardwatch.statements.words import is_period, plain_word, word_set

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cardwatch.tabular import Table

    Flags = np.ndarray[Any, np.dtype[np.bool_]]

LABELLED = re.compile(r"\s*([^:\d]{2,40}?)\s*(?::|\s-\s)\s*(.*)", re.DOTALL)
"""A label, a colon, and perhaps what it labels."""
NAME_AND_CARD = re.compile(
    r"\s*([^\W\d_][^\d:*\u2022#]{3,40}?)[\s,(-]+"
    r"((?:[*\u2022#]{2,4}|[xX]{4})(?:[ -]?(?:[*\u2022#]{2,4}|[xX]{4}))*[ -]?\d{4})\)?\s*"
)
"""A name and the masked number of a card, as a heading of a section."""
NAME_WORDS = range(2, 5)
"""Number of words in a person's name."""
HOLDER_TEXT_FIELDS = ("cardholder", "card_number")
CONTINUATION = re.compile(
    r"\s*[(\[-]?\s*\b(?:continued|cont(?:'?d)?)\b\.?[)\]]?\s*$", re.IGNORECASE
)
"""Words that a heading over the next page adds to a name."""


def label_of(text: str) -> tuple[str, str]:
    """Return the field that a cell such as `Cardholder: A Roe` labels, and what it says of it."""
    if pair := NAME_AND_CARD.fullmatch(text):
        return "cardholder", pair[1].strip()
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
        if pair := NAME_AND_CARD.fullmatch(cell):
            values.setdefault("card_number", pair[2])
        if field and value:
            values.setdefault(field, CONTINUATION.sub("", value))
    return values


def titled_name(row: Sequence[str]) -> str:
    """Return the name in a title such as `Cardholder statement: A Roe`; empty if it is of none.

    It is too little to say who paid, and enough to ask where the rows say another.
    """
    text = " ".join(cell.strip() for cell in row if cell.strip())
    match = LABELLED.fullmatch(text)
    label, value = (match[1], match[2]) if match else ("", "")
    words = [word for word in plain_word(value).split() if not is_period(word)]
    is_name = len(words) in NAME_WORDS and not word_set("labels", "no_name") & set(words)
    return value if is_name and plain_word(label) in word_set("labels", "title") else ""


def labelled_holders(table: Table, payments: Flags) -> tuple[set[str], int]:
    """Return the cardholders whom labels name, and how many labels stand between rows.

    Args:
        table: the file.
        payments: rows with a day, which name no section whatever their cells say.
    """
    above = [labelled(row) for part in table.parts for row in part.above]
    sections = [fields for fields in _sections(table, payments).values() if "cardholder" in fields]
    names = {fields["cardholder"] for fields in [*above, *sections] if "cardholder" in fields}
    return names, len(sections)


def holders_elsewhere(table: Table, payments: Flags) -> tuple[dict[str, TextColumn], str]:
    """Return holder and card of every row where no column names them, and where they stand.

    They are looked for above the headings of each sheet and in section rows such as `Cardholder: A
    Roe`, together, and then in the names of sheets that are no months or numbers. Nothing where
    they are in none. A sheet without a label names nobody where another has one.

    Args:
        table: the file.
        payments: rows with a day and an amount, which name no section whatever their cells say.
    """
    above = {part.index: _merged(map(labelled, part.above)) for part in table.parts}
    fields = {field for values in above.values() for field in values}
    above = {row: values or dict.fromkeys(fields, "") for row, values in above.items() if fields}
    sections = _sections(table, payments)
    if not above and sections and payments[: min(sections)].any():
        sections = {}  # rows stand before the first label, as the labels close their sections
    if above or sections:
        places = ["the cells above the headings"] * bool(above)
        places += ["the rows above each section"] * bool(sections)
        for row, values in sections.items():
            above[row] = above.get(row, {}) | values
        return _by_sections(above, table, payments), " and ".join(places)
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


def _sections(table: Table, payments: Flags) -> dict[int, dict[str, str]]:
    """Return the fields that each row above a section labels, by its position."""
    rows: set[int] = set()
    other_rows = np.flatnonzero(~payments)
    for column in map(TextColumn.of, table.cells.columns) if len(other_rows) else ():
        codes, first = np.unique(column.codes[other_rows], return_index=True)
        texts = column.picked(other_rows[first])
        labels = [i for i, text in zip(codes, texts, strict=True) if text and label_of(text)[0]]
        rows |= set(other_rows[np.isin(column.codes[other_rows], labels)].tolist())
    labels_of_rows = {
        row: labelled([str(column[row].as_py()) for column in table.cells.columns])
        for row in sorted(rows)
    }
    return {row: values for row, values in labels_of_rows.items() if values}


def _by_sections(
    labels: dict[int, dict[str, str]], table: Table, payments: Flags
) -> dict[str, TextColumn]:
    """Return holder and card of every row by the labels above it.

    Labels without a payment between them are of one section. A cardholder ends the card of the one
    before; a further card is the same cardholder's.
    """
    columns: dict[str, TextColumn] = {}
    starts: list[int] = []
    states: list[dict[str, str]] = []
    for row in sorted(labels):
        is_further = bool(states) and not payments[starts[-1] : row].any()
        starts_anew = not states or ("cardholder" in labels[row] and not is_further)
        states.append(labels[row] if starts_anew else states[-1] | labels[row])
        starts.append(row)
    for name in HOLDER_TEXT_FIELDS:
        if any(name in values for values in states):
            columns[name] = _spread(starts, [values.get(name, "") for values in states], table)
    return columns


def _spread(starts: Sequence[int], values: Sequence[str], table: Table) -> TextColumn:
    """Return a column in which each value stands from its row on; empty before the first."""
    nearest = np.searchsorted(starts, np.arange(len(table.rows)), side="right")
    return TextColumn(nearest.astype(np.int32), pa.array(["", *values], pa.string()))


def whole_name(first: str, name: str) -> str:
    """Return a first name before a last one; a name of several words that has it stays alone."""
    words = re.sub(r"[.,\s]+", " ", name.casefold()).split()
    has_first = len(words) > 1 and first.casefold().strip(" .") in words
    return name if has_first else f"{first} {name}".strip()


def name_words(name: str) -> set[str]:
    """Return the words of a name in small letters; a number of an employee has none."""
    return set(re.findall(r"\b[^\W\d_]+\b", name.casefold()))


def fold_name(text: str) -> str:
    """Return a name as it is compared: small letters, single spaces, the last name last.

    `ROE, A` is `a roe`. A name without a comma keeps the order of its words, since two people may
    be named by the same words in another order.
    """
    last, comma, first = text.partition(",")
    plain = f"{first} {last}" if comma and first.strip() and "," not in first else text
    return " ".join(re.sub(r"[.\s]+", " ", plain.casefold()).split())
