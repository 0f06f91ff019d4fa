"""State of parsing one file: its table, the columns of its fields, decisions, notes and checks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cardwatch.errors import FileRefused
from cardwatch.statements.by_content import take_by_content
from cardwatch.statements.cells import TextColumn
from cardwatch.statements.column_choice import (
    check_twins,
    choose_columns,
    drop_empty_holders,
    drop_shops,
    take_holders_elsewhere,
)
from cardwatch.statements.currencies import check_unread_amounts
from cardwatch.statements.dates import (
    DAY_ZERO,
    DAY_ZERO_1904,
    is_serial,
    read_date,
    utc_midnights,
)
from cardwatch.statements.money_columns import MoneyColumns, money_columns
from cardwatch.statements.profiles import (
    Profile,
    columns_unknown,
    unused_profile,
)
from cardwatch.statements.table_headings import check_headings, distinct_headings, first_table
from cardwatch.statements.words import MOST_LINE_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cardwatch.records import Check
    from cardwatch.tabular import Table

    Days = np.ndarray[Any, np.dtype[np.datetime64]]
    Flags = np.ndarray[Any, np.dtype[np.bool_]]

MOST_LINES = 20
"""Notes stand in no more than this many lines of text above or below the payments."""


@dataclass(frozen=True)
class ReadingChoices:
    """Choices for reading statements.

    Attributes:
        profiles: layouts to try, in order.
        card_key: secret under which card numbers are hashed.
        date_order: decide, day-first or month-first; said here it beats the profile.
        given_count: how many of the profiles, the first, were given for these very files.
    """

    profiles: Sequence[Profile]
    card_key: bytes
    date_order: str = "decide"
    given_count: int = 0


class ParsedSheet:
    """One file on its way: the table, where its columns are, and what was decided."""

    dropped = ""
    """Why the column that has the heading of cardholders is not theirs, where it is not."""

    def __init__(self, table: Table, choices: ReadingChoices) -> None:
        """Choose the layout and take the columns it names.

        Raises:
            FileRefused: it has no headings, or lacks a column that a statement needs.
        """
        self.table, self.choices = first_table(table, choices.profiles), choices
        self.headings = distinct_headings(self.table, choices.card_key)
        self.decisions, self.notes = list(self.table.decisions), list(self.table.notes)
        self.checks: list[Check] = []
        check_headings(self.table, choices.profiles)
        self.profile, missing = choose_columns(self)
        self.positions = self.profile.map(self.headings)
        self.columns = {name: self.column_at(position) for name, position in self.positions.items()}
        self.sources = {name: self.headings[position] for name, position in self.positions.items()}
        self.money: MoneyColumns | None = (
            money_columns(self.headings) if self.profile.is_general else None
        )
        missing = missing or drop_shops(self)
        if missing == ["holder"]:
            missing = take_holders_elsewhere(self)
        self._tell_unused_profiles(is_refused=bool(missing))
        if missing:
            raise self._lacks(missing)
        self._tell_layout()
        check_twins(self)
        take_by_content(self)
        if drop_empty_holders(self) and (missing := take_holders_elsewhere(self)):
            raise self._lacks(missing)
        self.serial, self.from_1904 = self.table.is_workbook or self._has_serial_days(), False

    @cached_property
    def line_amounts(self) -> int | None:
        """The column that says what part of a payment its row is."""
        return money_columns(self.headings).part

    def _tell_layout(self) -> None:
        """Say by which layout the columns are named, unless it comes with cardwatch."""
        if self.table.feed:
            self.sources |= self.table.feed.sources
            self.checks += self.table.feed.checks
        if not self.profile.is_shipped:
            self.decisions.append(f"columns by the profile '{self.profile.name}'")

    def _lacks(self, missing: list[str]) -> FileRefused:
        """Return the refusal of a file without a needed column, with why if a heading says it."""
        if "amount" in missing:
            check_unread_amounts(self)
        why = self.dropped if "holder" in missing else ""
        return columns_unknown(self.table.file, self.headings, self.profile, missing, why)

    def _tell_unused_profiles(self, *, is_refused: bool) -> None:
        """Say which profiles that somebody wrote are not used for the file, and why.

        Raises:
            FileRefused: the file is refused, and one of them was given for it.
        """
        for number, profile in enumerate(self.choices.profiles):
            is_given = number < self.choices.given_count
            if why := unused_profile(profile, self.headings, is_given=is_given):
                if is_refused and is_given:
                    raise FileRefused(self.table.file, "profile_unused", why)
                self.notes.append(why)

    def column(self, name: str) -> TextColumn:
        """Return one field as printed; empty text where the file has no such column."""
        return self.columns.get(name) or TextColumn.absent(len(self.table.rows))

    def column_at(self, position: int) -> TextColumn:
        """Return the column at a position as printed."""
        return TextColumn.of(self.table.cells[str(position)])

    def take(self, name: str, position: int) -> None:
        """Take the column at a position for a field."""
        self.positions[name] = position
        self.columns[name] = self.column_at(position)
        self.sources[name] = self.headings[position]

    def drop(self, name: str) -> int:
        """Take the column of a field from it; return its position."""
        del self.columns[name], self.sources[name]
        return self.positions.pop(name)

    @property
    def unused(self) -> list[int]:
        """Positions of the columns with a heading that serve no field."""
        used_positions = set(self.positions.values())
        return [
            i
            for i, heading in enumerate(self.headings)
            if heading.strip() and i not in used_positions
        ]

    def tidy(self, name: str) -> TextColumn:
        """Return one field with spaces collapsed and card numbers cut."""
        return self.column(name).tidied(self.choices.card_key)

    def parts(self) -> list[tuple[str, slice]]:
        """Return the name of each sheet that the table was read from, and its rows."""
        starts = [part.index for part in self.table.parts]
        ends = [*starts[1:], len(self.table.rows)]
        return [
            (part.name, slice(part.index, end))
            for part, end in zip(self.table.parts, ends, strict=True)
        ]

    def titles(self) -> list[tuple[str, slice]]:
        """Return each line above the headings of a sheet or table, with its rows."""
        return [
            (_line(row), rows)
            for part, (_, rows) in zip(self.table.parts, self.parts(), strict=True)
            for row in part.above
        ]

    def lines(self, rows: Flags) -> list[str]:
        """Return the last of some rows, each as one line of its filled cells."""
        return [
            _line(str(column[row]) for column in self.table.cells.columns)
            for row in np.flatnonzero(rows)[-MOST_LINES:].tolist()
        ]

    def days(self, name: str, order: str, *, from_1904: bool | None = None) -> Days:
        """Return one field as days; NaT where it is not a date.

        Args:
            name: of the field.
            order: day-first, month-first or year-day.
            from_1904: whether bare numbers count from 1904; none for what was decided.
        """
        column = self.column(name)
        days = column.each(lambda text: read_date(text, order, serial=self.serial), "datetime64[D]")
        if self.from_1904 if from_1904 is None else from_1904:
            days += column.each(is_serial, "timedelta64[D]") * (DAY_ZERO_1904 - DAY_ZERO).days
        late, are_utc = utc_midnights(column.used)
        if late and are_utc:
            days += column.each(late.__contains__, "timedelta64[D]")
        return days

    def _has_serial_days(self) -> bool:
        """Return whether every date of a text file is the number that a spreadsheet keeps."""
        texts = [text for text in self.column("date").used if text.strip()]
        if texts and all(map(is_serial, texts)):
            self.decisions.append("dates are the numbers that a spreadsheet keeps for days")
            return True
        return False


def _line(row: Iterable[str]) -> str:
    """Return the filled cells of a row as one line, no longer than a person writes."""
    return " ".join(filter(None, map(str.strip, row)))[:MOST_LINE_CHARACTERS]
