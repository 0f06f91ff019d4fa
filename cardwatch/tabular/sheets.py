"""Chooses the sheets of a workbook: all with the same headings, and no summary in their place."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from cardwatch.errors import FileRefused
from cardwatch.quantities import plural, quantity
from cardwatch.tabular.csv_reader import check_size, columns_of, filled_cells
from cardwatch.tabular.headings import (
    DAY_SHAPE,
    HeadingRows,
    Headings,
    find_headings,
    normalise_heading,
)
from cardwatch.tabular.limits import Limits
from cardwatch.tabular.table import Found, Part

SUMMARY = re.compile(
    r"\b(?:summary|pivot|overview|totals?|dash ?board|chart|graph|guid\w+|notes?|lookups?|key|"
    r"contents|index|cover|read ?me|instructions?)\b",
    re.IGNORECASE,
)
"""Names of sheets that hold no payments of their own."""
DAY_CELL = re.compile(rf"{DAY_SHAPE}(?:[T ].*)?")
MONEY_CELL = re.compile(r"[-+(£ ]*\d[\d,]*(?:\.\d{1,2})?\)?(?: ?[CD]R)?", re.IGNORECASE)
"""A cell that is a day, and one that may be an amount."""
NUMBER_CELL = re.compile(r"-?\d+(\.\d+)?")
"""A cell with a number; its one group are pence."""
SMALL_ROWS, SMALL_SHARE = 3, 0.1
"""A sheet with other headings is left unread if it has this many rows, or this share, or fewer."""
VERSION_ROWS, VERSION_SHARE = 8, 0.8
"""Sheets that share so many rows, and such a share, amounts left out, are versions of one list."""
SHARED_SHARE = 0.5
"""Two sheets of which one has this share of its rows in the others may be one another's copy."""


@dataclass
class Sheet:
    """One sheet as text.

    Attributes:
        number: its place in the workbook, from 1.
        rows: every row, each cell as text.
        hidden: whether a person who opens the workbook does not see it.
        headings: what headings are looked for.
        noun: what it is, a sheet of a workbook or a table of a web page.
    """

    number: int
    name: str
    rows: list[list[str]]
    hidden: bool
    headings: Headings
    noun: str = "sheet"

    @cached_property
    def found(self) -> HeadingRows:
        """Its headings as printed, and where they stand."""
        return find_headings(self.rows, self.headings)

    @property
    def label(self) -> str:
        """How people are told of it: `sheet 'Feb'`, `table 2`."""
        return self.name if self.noun == "table" else f"{self.noun} '{self.name}'"

    @cached_property
    def names(self) -> list[str]:
        """Its headings as they are compared, without empty ones at the end."""
        names = list(map(normalise_heading, self.found.names))
        while names and not names[-1]:
            names.pop()
        return names

    @cached_property
    def amount_columns(self) -> frozenset[int]:
        """Positions of the columns of amounts: by heading and a number, or else those with pence.

        Where no number has pence either, those of numbers.
        """
        named = {i for i, name in enumerate(self.names) if self.headings.is_amount(name)}
        with_number = frozenset(
            i
            for i in named
            if any(NUMBER_CELL.fullmatch(row[i]) for row in self.body if i < len(row))
        )
        if with_number:
            return with_number
        numbers = [
            (i, number[1])
            for row in self.body
            for i, cell in enumerate(row)
            if (number := NUMBER_CELL.fullmatch(cell))
        ]
        return frozenset(i for i, pence in numbers if pence) or frozenset(i for i, _ in numbers)

    @property
    def body(self) -> list[list[str]]:
        """The rows after its headings."""
        return self.rows[self.found.last + 1 :]

    @cached_property
    def counts(self) -> Counter[tuple[str, ...]]:
        """How often each filled row stands in it."""
        return Counter(key for row in self.body if (key := _key(row)))

    @cached_property
    def without_money(self) -> Counter[tuple[str, ...]]:
        """How often each row with a day stands in it, amounts and other numbers left out."""
        return Counter(
            tuple("" if MONEY_CELL.fullmatch(cell.strip()) else cell for cell in key)
            for key in self.counts.elements()
            if any(DAY_CELL.fullmatch(cell.strip()) for cell in key)
        )

    @cached_property
    def size(self) -> int:
        """The number of filled rows after its headings."""
        return sum(1 for row in self.body if _key(row))

    @cached_property
    def needs_met(self) -> int:
        """How many of the needed fields its headings have."""
        return self.headings.needs_met([name for name in self.names if name])

    @property
    def is_whole(self) -> bool:
        """Whether its headings have every needed field."""
        return self.needs_met == len(self.headings.needed)

    @property
    def is_list(self) -> bool:
        """Whether it holds payments under every needed heading, that of amounts by its words."""
        *others, _ = self.headings.needed or [frozenset()]
        has_others = Headings(frozenset(), others).needs_met(self.names) == len(others)
        by_words = has_others and any(map(self.headings.is_amount, self.names))
        return self.is_whole or (by_words and has_payments(self.body))

    def rank(self) -> tuple[int, ...]:
        """How likely it is to hold the payments: needed fields and rows before other headings."""
        headings_count = 0 if self.headings.needed and self.is_whole else self.found.known_count
        is_visible = not self.hidden
        return self.is_whole, is_visible, self.needs_met, headings_count, self.size, -self.number


def _key(row: Sequence[str]) -> tuple[str, ...]:
    """Return a row to be compared: without empty cells at its end."""
    end = len(row)
    while end and not row[end - 1].strip():
        end -= 1
    return tuple(row[:end])


def is_payment(row: Sequence[str]) -> bool:
    """Return whether a row has a day and something like an amount in it, as no heading row has."""
    cells = [cell.strip() for cell in row]
    return any(map(DAY_CELL.fullmatch, cells)) and any(map(MONEY_CELL.fullmatch, cells))


def has_payments(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether several of some rows look like payments."""
    return sum(map(is_payment, rows)) > 1


def choose_sheets(sheets: Sequence[Sheet], file: str) -> tuple[list[Sheet], list[str]]:
    """Return the sheets to be read as one, and a note for each that is not.

    Every visible sheet with the headings of the best one is read. A sheet whose rows are those of
    the others is left out. Of hidden sheets only name and size are noted.

    Raises:
        FileRefused: none is filled; or other sheets hold payments under other headings; or sheets
            repeat a part of one another.
    """
    filled = [sheet for sheet in sheets if sheet.rows]
    if not filled:
        raise FileRefused(file, "empty", "the workbook has no filled sheet")
    if len(filled) == 1:
        return filled, []
    best = max(filled, key=Sheet.rank)
    same = [sheet for sheet in filled if _joins(sheet, best)]
    _check_others(filled, same, best, file)
    copies = _copies(same, file)
    _check_versions([sheet for sheet in same if sheet not in copies], file)
    chosen = [sheet for sheet in same if sheet not in copies]
    notes = [
        f"{sheet.label} repeats the rows of other {sheet.noun}s; they are counted once"
        for sheet in copies
    ]
    notes += [
        f"{'hidden ' if sheet.hidden else ''}{sheet.label} was not read: "
        f"{quantity(len(sheet.rows), 'row')}"
        for sheet in filled
        if sheet not in same
    ]
    return chosen, notes + _repeated(chosen)


def _repeated(chosen: Sequence[Sheet]) -> list[str]:
    """Return a note for each small sheet of which every row stands in the other sheets too.

    A sheet for each cardholder may repeat a row of another; a copy of some rows is counted twice.
    """
    notes = []
    for sheet in chosen:
        if not 0 < sheet.size <= SMALL_ROWS:
            continue
        rows_elsewhere = {key for other in chosen if other is not sheet for key in other.counts}
        if sheet.counts.keys() <= rows_elsewhere:
            rows = quantity(sheet.size, "row")
            notes.append(
                f"{sheet.label} has {rows} that {plural(sheet.size, 'stands', 'stand')} in another "
                f"{sheet.noun} too, and is counted: if it is a copy, take it out"
            )
    return notes


def _joins(sheet: Sheet, best: Sheet) -> bool:
    """Return whether a sheet is read together with the best one."""
    if sheet is best:
        return True
    is_nearly_whole = best.needs_met >= len(best.headings.needed) - 1  # amounts are known by words
    is_recognised = best.found.known_count > 0 and is_nearly_whole
    return (
        is_recognised and sheet.hidden == best.hidden and sorted(sheet.names) == sorted(best.names)
    )


def _check_others(filled: list[Sheet], same: list[Sheet], best: Sheet, file: str) -> None:
    """Refuse a workbook in which sheets with other headings hold payments too.

    Raises:
        FileRefused: there is such a sheet, or one on which the best one goes on without headings.
    """
    for sheet in filled:
        small = sheet.size <= max(SMALL_ROWS, SMALL_SHARE * best.size)
        other = sheet not in same and not sheet.hidden and best.headings.needed
        if other and sheet.is_list and not small and not SUMMARY.search(sheet.name):
            reason = (
                f"{best.noun}s {best.number} and {sheet.number} both hold payments, under "
                "different headings. Save each as a file of its own, or give them the same headings"
            )
            raise FileRefused(file, "sheets_differ", reason)
        if other and not sheet.is_whole and _goes_on(sheet, best):
            reason = (
                f"{sheet.noun} {sheet.number} holds payments without headings, as if {best.noun} "
                f"{best.number} went on there. Give it the same headings, or put its rows in that "
                f"{best.noun}"
            )
            raise FileRefused(file, "sheets_differ", reason)


def _goes_on(sheet: Sheet, best: Sheet) -> bool:
    """Return whether a sheet has payments from its first row on, in as many columns as another."""
    filled = [key for row in sheet.rows if (key := _key(row))]
    return is_payment(filled[0]) and max(map(len, filled)) == len(best.names)


def _check_versions(same: Sequence[Sheet], file: str) -> None:
    """Refuse sheets of which one is another version of the next: the same payments, other amounts.

    Raises:
        FileRefused: there are two.
    """
    for i, sheet in enumerate(same):
        for other in same[:i]:
            smaller = min(sheet.size, other.size)
            shared = (sheet.without_money & other.without_money).total()
            if shared >= max(VERSION_ROWS, VERSION_SHARE * smaller):
                reason = (
                    f"{sheet.noun}s {other.number} and {sheet.number} have {shared} payments of "
                    "the same day, in part with other amounts, as two versions of one list do. "
                    "Take out the one that does not hold"
                )
                raise FileRefused(file, "sheets_repeat", reason)


def _copies(same: list[Sheet], file: str) -> list[Sheet]:
    """Return the sheets whose rows are exactly those of the others.

    Raises:
        FileRefused: a sheet repeats most rows of others, but not all.
    """
    copies: list[Sheet] = []
    for sheet in sorted(same, key=lambda candidate: (-candidate.size, -candidate.number)):
        other_counts: Counter[tuple[str, ...]] = Counter()
        for other in same:
            if other is not sheet and other not in copies:
                other_counts.update(other.counts)
        shared = (sheet.counts & other_counts).total()
        if sheet.size > SMALL_ROWS and shared > SHARED_SHARE * sheet.size:
            if shared < sheet.size:
                reason = (
                    f"{sheet.noun} {sheet.number} repeats {shared} of its {sheet.size} rows from "
                    f"other {sheet.noun}s. Take out the {sheet.noun} that gathers the others"
                )
                raise FileRefused(file, "sheets_repeat", reason)
            copies.append(sheet)
    return copies


def join_sheets(
    chosen: Sequence[Sheet], count: int, notes: list[str], file: str, limits: Limits
) -> Found:
    """Return some sheets with the same headings as one table.

    Args:
        chosen: the sheets.
        count: how many there are in the file.
        notes: what was left unread.
        file: its name.
        limits: what it may cost.

    Raises:
        FileRefused: it has too many rows or columns, or too long a cell.
    """
    first = chosen[0]
    rows: list[list[str]] = []
    parts: list[Part] = []
    for sheet in chosen:
        above = filled_cells(sheet.rows[: sheet.found.first])
        parts.append(Part(sheet.name, len(rows), sheet.found.last + 2, above, sheet.label))
        rows += _in_order(sheet, first)
    names = first.found.names
    cells = columns_of(rows, names, file, limits)
    check_size(cells, file, limits)
    decided = []
    if len(chosen) > 1:
        listed = ", ".join(sheet.label.removeprefix("sheet ") for sheet in chosen)
        decided = [f"{len(chosen)} of {count} {first.noun}s with the same headings: {listed}"]
    elif count > 1:
        named = "" if first.noun == "table" else f", '{first.name}'"
        decided = [f"{first.noun} {first.number} of {count}{named}"]
    return Found(names, first.found.last + 1, cells, decided, notes, parts, [])


def _in_order(sheet: Sheet, first: Sheet) -> list[list[str]]:
    """Return a sheet's rows with its columns in the order of the first sheet's."""
    if sheet.names == first.names:
        return sheet.body
    order = [sheet.names.index(name) for name in first.names]
    return [[row[i] if i < len(row) else "" for i in order] for row in sheet.body]
