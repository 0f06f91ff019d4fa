"""Gathers the payments of a feed as rows of a table, with the checks that prove it complete."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyarrow as pa

from cardwatch.errors import FileRefused
from cardwatch.records import Check
from cardwatch.tabular.csv_reader import check_size
from cardwatch.tabular.table import FeedFacts, Found, Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from cardwatch.tabular.feeds.layout import Layout
    from cardwatch.tabular.limits import Limits

REQUIRED_COLUMNS = ("date", "merchant", "debit_credit", "amount")
ASK_AGAIN = "Ask the issuer or bank to send it again"
CHARGE, REFUND = "charge", "refund"


def incomplete(file: str, subject: str, *, declared: object, counted: object) -> FileRefused:
    """Return the refusal of a feed that does not hold what it declares."""
    sentence = (
        f"it declares {declared} {subject} and holds {counted}, so a part of it is missing, "
        f"doubled or altered. {ASK_AGAIN}"
    )
    return FileRefused(file, "incomplete", sentence)


def cut_off(file: str, missing: str) -> FileRefused:
    """Return the refusal of a feed without its end."""
    return FileRefused(file, "incomplete", f"it has no {missing}, so it is cut off. {ASK_AGAIN}")


def doubled(file: str, subject: str, *, count: int) -> FileRefused:
    """Return the refusal of a feed that holds something twice."""
    sentence = f"it holds the same {subject} {count} times where 1 is expected. {ASK_AGAIN}"
    return FileRefused(file, "doubled", sentence)


def out_of_sequence(file: str, subject: str, *, expected: object, seen: object) -> FileRefused:
    """Return the refusal of a feed whose records are not in their order."""
    sentence = f"{subject} {expected} is expected where {seen} stands. {ASK_AGAIN}"
    return FileRefused(file, "out_of_sequence", sentence)


@dataclass
class FeedRows:
    """The payments of one feed while it is read.

    Attributes:
        file: its name.
        layout: where its fields stand.
        name: the form with its version, for people.
        holders: named; or none, where the feed names nobody and payments stand by unit.
        rows: for each payment its fields.
        lines: the line of each; empty where the form has no lines.
        faults: for each problem code the rows that have it.
    """

    file: str
    layout: Layout
    name: str
    holders: str = "named"
    rows: list[dict[str, str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    faults: dict[str, list[int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)

    def add(self, fields: Mapping[str, str], line: int = 0) -> None:
        """Add a payment; a refund's original amount has a minus as it is printed elsewhere."""
        row = dict(fields)
        if row.get("debit_credit") == REFUND and row.get("original_amount", "").strip("0."):
            row["original_amount"] = f"-{row['original_amount'].lstrip('-')}"
        self.rows.append(row)
        if line:
            self.lines.append(line)

    def fault(self, code: str) -> None:
        """Say that the row that is added next is a problem; the first problem of a row counts."""
        if not self.is_next_faulty:
            self.faults.setdefault(code, []).append(len(self.rows))

    @property
    def is_next_faulty(self) -> bool:
        """Whether the row that is added next is a problem."""
        return any(len(self.rows) in rows[-1:] for rows in self.faults.values())

    def compare(self, subject: str, declared: int, counted: int) -> None:
        """Refuse the feed if a count that it declares is not what it holds.

        Raises:
            FileRefused: they differ.
        """
        if declared != counted:
            raise incomplete(self.file, subject, declared=f"{declared:,}", counted=f"{counted:,}")

    def passed(self, name: str, sentence: str) -> None:
        """Add a check that the feed passed."""
        self.checks.append(Check(name, passed=True, sentence=sentence))

    def not_declared(self, declared: str = "no counts or totals") -> None:
        """Say that nothing in the feed shows whether it is complete."""
        note = f"the feed declares {declared}, so a missing or altered payment would not be noticed"
        self.notes.append(note)

    def found(self, limits: Limits) -> Found:
        """Return the payments as a table.

        Raises:
            FileRefused: there are none, or too many, or a text is longer than any is.
        """
        if not self.rows:
            raise FileRefused(self.file, "no_transactions", "it holds no payment")
        names = dict.fromkeys(name for row in self.rows for name, text in row.items() if text)
        headings = [*REQUIRED_COLUMNS, *(name for name in names if name not in REQUIRED_COLUMNS)]
        columns = [
            pa.array([row.get(name, "") for row in self.rows], pa.string()).dictionary_encode()
            for name in headings
        ]
        cells = pa.table(columns, names=[str(i) for i in range(len(headings))])
        check_size(cells, self.file, limits)
        facts = FeedFacts(
            self.name,
            self._sources(headings),
            tuple(self.checks),
            tuple(self.lines),
            self.faults,
            self.holders,
        )
        part = Part("", 0, 1)
        return Found(
            headings, 0, cells, [f"read as {self.name}"], self.notes, [part], [], feed=facts
        )

    def _sources(self, headings: Iterable[str]) -> dict[str, str]:
        """Return where each field stands in the feed, those of a payment's own record first."""
        places: dict[str, str] = {}
        for record, fields in reversed(self.layout.records.items()):
            for name, place in fields.items():
                places[name] = f"{record}, {place.label}"
        places["debit_credit"] = next(
            (places[name] for name in ("direction", "type_code") if name in places),
            places["amount"],
        )
        return {name: places[name] for name in headings if name in places}
