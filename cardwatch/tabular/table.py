"""One table of text cells with where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Table:
    """A table as read: every cell is text, nothing is interpreted.

    Attributes:
        file: name of the file, without its folders.
        sha256: hash of the file's bytes.
        form: csv, xls, xlsx or ods.
        headings: the heading row as printed, one a column; an empty one stays empty.
        heading_row: its row in the file, from 1; 0 where the file has none.
        cells: a column of dictionary-encoded text for each heading, named "0", "1", ...
        rows: row number in the file of each row of `cells`.
        decisions: encoding, separator and sheet chosen, each a sentence.
        notes: sheets left unread, by name and size.
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

    @property
    def is_workbook(self) -> bool:
        """Whether cells had types, so that serial day numbers can be dates."""
        return self.form != "csv"


@dataclass(frozen=True)
class Found:
    """What a reader found in a file's bytes: the parts of a `Table` that it knows."""

    headings: list[str]
    heading_row: int
    cells: pa.Table
    decisions: list[str]
    notes: list[str]
