"""One table of text cells with where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

    from cardwatch.records import Check

EXCEL_XML = "excel_xml"
WORKBOOKS = frozenset({"xls", "xlsx", "ods", EXCEL_XML})
"""The forms of workbooks, whose cells have types."""


@dataclass(frozen=True)
class Part:
    """One sheet of a table, or the whole of a text file.

    Attributes:
        name: the sheet's name; empty for a text file.
        index: position of its first row among the table's rows.
        row: that row's number in its sheet or file, from 1.
        above: the filled cells of each row above its headings.
        label: how people are told of it: `sheet 'Feb'`, `table 2`; empty for a text file.
    """

    name: str
    index: int
    row: int
    above: tuple[tuple[str, ...], ...] = ()
    label: str = ""


@dataclass(frozen=True)
class FeedFacts:
    """Facts about a table that was made from a bank feed, whose headings are fields.

    Attributes:
        name: the feed's form and version, for people.
        sources: field to where it stands in the feed.
        checks: the counts and totals that were checked.
        lines: the line of each row; empty where the form has no lines.
        faults: for each problem code the positions of the rows that have it.
        holders: named; or none, where the feed names nobody.
    """

    name: str
    sources: dict[str, str]
    checks: tuple[Check, ...]
    lines: tuple[int, ...]
    faults: dict[str, list[int]]
    holders: str


@dataclass(frozen=True)
class Table:
    """A table as read: every cell is text, nothing is interpreted.

    Attributes:
        file: name of the file, without its folders.
        sha256: hash of the file's bytes.
        form: csv, html, json, xls, xlsx, ods or excel_xml; or that of a bank feed, such as vcf.
        headings: the heading row as printed, one a column; an empty one stays empty.
        heading_row: its row in the file, from 1; 0 where the file has none.
        cells: a column of dictionary-encoded text for each heading, named "0", "1", ...
        rows: row number in the file of each row of `cells`; of several sheets a running number.
        decisions: encoding, separator and sheet chosen, each a sentence.
        notes: sheets left unread, by name and size.
        parts: the sheets that it was read from, in order.
        long_rows: positions of rows with more cells than headings, as a comma too many makes them.
        separator: what separates the cells of a text file.
        feed: what is known of it where it is a bank feed.
    """

    file: str
    sha256: str
    form: str
    headings: tuple[str, ...]
    heading_row: int
    cells: pa.Table
    rows: range
    decisions: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    long_rows: tuple[int, ...] = ()
    separator: str = ""
    feed: FeedFacts | None = None

    def place(self, index: int) -> str:
        """Return where a row stands if its number does not say: its line, or its sheet and row."""
        if self.feed and self.feed.lines:
            return f"line {self.feed.lines[index]}"
        if len(self.parts) < 2:
            return ""
        part = next(part for part in reversed(self.parts) if part.index <= index)
        return f"{part.label}, row {part.row + index - part.index}"

    @property
    def is_workbook(self) -> bool:
        """Whether cells had types, so that serial day numbers can be dates."""
        return self.form in WORKBOOKS


@dataclass(frozen=True)
class Found:
    """The parts of a `Table` that one reader produces."""

    headings: list[str]
    heading_row: int
    cells: pa.Table
    decisions: list[str]
    notes: list[str]
    parts: list[Part]
    long_rows: list[int]
    separator: str = ""
    feed: FeedFacts | None = None
