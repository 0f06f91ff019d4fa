"""Reads a file that says to which groups cardholders belong, for equality monitoring.

It is read for one report and not kept. A column is a group column if it has a few different values;
names, days and free text are not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from cardwatch.errors import FileRefused
from cardwatch.quantities import quantity
from cardwatch.registers.cards import WHO, compared, headings_of
from cardwatch.statements import redact_cards
from cardwatch.statements.cells import TextColumn
from cardwatch.tabular import LIMITS, normalise_heading, read_tables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cardwatch.statements import ReadingChoices
    from cardwatch.tabular import Limits, ReaderPool, Table

MAX_GROUP_COLUMNS = 8
MAX_GROUPS = 30
"""Most different values of a group column."""
MAX_GROUP_CHARACTERS = 60
KEY_FIELDS = tuple(field for field in WHO if field != "card_number")
"""Fields by which a cardholder is recognised, the best first; a card number names no person."""


@dataclass(frozen=True)
class GroupFile:
    """Cardholders and their groups, as one file says.

    Attributes:
        sha256: hash of the file's bytes.
        key_heading: heading of the column that names the cardholder.
        groups: a row a cardholder, by key as keys are compared; a column a group column, by its
            heading; empty where the group is not stated, or two rows contradict each other.
        notes: what a person should know before relying on it.
    """

    file: str
    sha256: str
    key_heading: str
    groups: pd.DataFrame
    notes: tuple[str, ...]


def read_groups(
    path: Path,
    choices: ReadingChoices,
    *,
    limits: Limits = LIMITS,
    readers: ReaderPool | None = None,
) -> GroupFile:
    """Return the groups in a file.

    Args:
        path: CSV of any separator, XLSX, XLS or ODS.
        choices: its card key, by which card numbers in a heading are cut.
        limits: what the file may cost.
        readers: a pool that is running; without it, one is started for this file alone.

    Raises:
        FileRefused: it is not there, is no table, names no cardholder or has no group column.
    """
    name = redact_cards(path.name, choices.card_key)
    if not path.is_file():
        raise FileRefused(name, "missing", "there is no such file")
    key_headings = [normalise_heading(h) for field in KEY_FIELDS for h in headings_of(field)]
    table = read_tables([path], frozenset(key_headings), limits, readers)[0]
    if isinstance(table, FileRefused):
        raise FileRefused(name, table.code, table.what)
    table = replace(
        table,
        file=name,
        headings=tuple(redact_cards(h, choices.card_key).strip() for h in table.headings),
    )
    key = _key_column(table, key_headings)
    frame = _texts(table)
    frame.insert(0, "key", compared(frame.pop(table.headings[key])))
    frame = frame[frame["key"] != ""]
    headings, notes = _group_columns(frame.drop(columns="key"))
    if not headings:
        reason = f"no column has 2 to {MAX_GROUPS} groups, each of several cardholders"
        raise FileRefused(name, "no_group_column", reason)
    by_key = frame.groupby("key")[headings]
    contradicts = by_key.transform("nunique") > 1
    groups = frame[headings].mask(contradicts, "").assign(key=frame["key"])
    count = int(contradicts.any(axis=1).groupby(frame["key"]).any().sum())
    if count:
        notes.append(f"Rows contradict each other for {quantity(count, 'cardholder')}.")
    return GroupFile(
        name, table.sha256, table.headings[key],
        groups.drop_duplicates("key").set_index("key"), tuple(notes),
    )  # fmt: skip


def _key_column(table: Table, key_headings: Sequence[str]) -> int:
    """Position of the column that names the cardholder.

    Raises:
        FileRefused: there is none.
    """
    names = [normalise_heading(heading) for heading in table.headings]
    for heading in key_headings:
        if heading in names:
            return names.index(heading)
    preferred = ", ".join(f"'{headings_of(field)[0]}'" for field in KEY_FIELDS)
    reason = f"no column names the cardholder. Give it the heading {preferred}"
    raise FileRefused(table.file, "no_cardholder_column", reason)


def _texts(table: Table) -> pd.DataFrame:
    """The cells as text with single spaces, by heading; of two alike, and of none, the first."""
    columns: dict[str, pd.Series[str]] = {}
    for position, heading in enumerate(table.headings):
        texts = TextColumn.of(table.cells[str(position)]).texts()
        if heading and heading not in columns:
            columns[heading] = texts.str.split().str.join(" ")
    return pd.DataFrame(columns)


def _group_columns(frame: pd.DataFrame) -> tuple[list[str], list[str]]:
    """The headings of group columns, and sentences about the columns that are none."""
    headings: list[str] = []
    notes: list[str] = []
    for heading in map(str, frame):
        texts = frame.loc[frame[heading] != "", heading]
        count = texts.nunique()
        if count > MAX_GROUPS or texts.str.len().max() > MAX_GROUP_CHARACTERS or count < 2:
            notes.append(
                f"The column '{heading}' was not used: it has no 2 to {MAX_GROUPS} groups."
            )
        elif len(headings) == MAX_GROUP_COLUMNS:
            notes.append(f"The column '{heading}' was not used: {MAX_GROUP_COLUMNS} are the most.")
        else:
            headings.append(heading)
    return headings, notes
