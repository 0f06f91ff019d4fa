"""Previews how a file is read: its columns with the reason of each, its first rows, its totals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from cardwatch.errors import ColumnsUnknown, FileRefused
from cardwatch.statements.cells import redact_cards
from cardwatch.statements.guesses import BY_HEADING, Guess, guess_fields
from cardwatch.statements.holder_keys import name_holders
from cardwatch.statements.profiles import (
    checked_profile,
    columns_unknown,
    known_headings,
    missing_fields,
    needed_headings,
    shipped_profiles,
)
from cardwatch.statements.reading import read_statement
from cardwatch.statements.table_headings import distinct_headings
from cardwatch.tabular import LIMITS, read_tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from cardwatch.records import ReadingReport
    from cardwatch.statements.sheet import ReadingChoices
    from cardwatch.tabular import Limits, ReaderPool, Table

PREVIEW_ROWS = 5


@dataclass(frozen=True)
class PreviewRow:
    """A payment as it would be read; a charge is positive, a refund negative."""

    date: str
    holder: str
    merchant: str
    amount_pence: int

    @property
    def direction(self) -> Literal["charge", "refund or credit"]:
        """Charge, or refund or credit."""
        return "charge" if self.amount_pence >= 0 else "refund or credit"


@dataclass(frozen=True)
class SideTotal:
    """How many payments of one direction there are, and their sum."""

    payments: int
    pence: int


@dataclass(frozen=True)
class StatementPreview:
    """How a file would be read; nothing of it is stored.

    Attributes:
        file: its name.
        headings: all of its headings, each distinct.
        guesses: for each field a guess of its heading, whatever profile is used.
        columns: for each field the heading it is read from, and the reason.
        unused: headings that serve no field.
        is_guessed: whether no profile fits, and the guesses were used.
        rows: the first payments.
        charges, refunds: totals by direction.
        read: transactions and reading report, as `read_each` gives them.
        refusal: why it cannot be read with these columns.
    """

    file: str
    headings: tuple[str, ...]
    guesses: dict[str, Guess]
    columns: dict[str, Guess]
    unused: tuple[str, ...] = ()
    is_guessed: bool = False
    rows: tuple[PreviewRow, ...] = ()
    charges: SideTotal = SideTotal(0, 0)
    refunds: SideTotal = SideTotal(0, 0)
    read: tuple[pd.DataFrame, ReadingReport] | None = None
    refusal: FileRefused | None = None


def preview_statement(
    path: Path,
    choices: ReadingChoices,
    *,
    name: str = "",
    limits: Limits = LIMITS,
    readers: ReaderPool | None = None,
) -> StatementPreview:
    """Return how a file would be read; see `open_table` and `preview_table`."""
    table = open_table(path, choices, name=name, limits=limits, readers=readers)
    return preview_table(table, choices)


def open_table(
    path: Path,
    choices: ReadingChoices,
    *,
    name: str = "",
    limits: Limits = LIMITS,
    readers: ReaderPool | None = None,
) -> Table:
    """Return the table of a file.

    Args:
        path: the file.
        choices: layouts and card key.
        name: a name for the file in place of its own.
        limits: what it may cost.
        readers: a pool that is running.

    Raises:
        FileRefused: it holds no table.
    """
    profiles = choices.profiles
    headings, needed = known_headings(profiles), needed_headings(profiles)
    (table,) = read_tables([path], headings, limits, readers, needed)
    file = redact_cards(name or path.name, choices.card_key)
    if isinstance(table, FileRefused):
        raise FileRefused(file, table.code, table.what)
    decisions = tuple(redact_cards(text, choices.card_key) for text in table.decisions)
    notes = tuple(redact_cards(text, choices.card_key) for text in table.notes)
    return replace(table, file=file, decisions=decisions, notes=notes)


def plain_headings(table: Table, card_key: bytes) -> tuple[str, ...]:
    """Return a table's headings as they may be shown: each distinct and on one line."""
    return tuple(" ".join(heading.split()) for heading in distinct_headings(table, card_key))


def preview_table(table: Table, choices: ReadingChoices) -> StatementPreview:
    """Return how a table would be read; with guessed columns where its layout is not known.

    Args:
        table: of a file, see `open_table`.
        choices: layouts, card key and date order. A profile given for the file stands first.

    Raises:
        FileRefused: it has no heading row, or is a bank feed that holds no payment.
    """
    headings = plain_headings(table, choices.card_key)
    guesses = {} if table.feed else guess_fields(table, headings, shipped_profiles())
    empty = StatementPreview(table.file, headings, guesses, guesses)
    try:
        return _previewed(empty, read_statement(table, choices))
    except ColumnsUnknown:
        chosen = {name: guess.heading for name, guess in guesses.items()}
        profile = checked_profile(headings, chosen, shipped_profiles())
        if missing := missing_fields(profile.map(headings)):
            return _refused(empty, columns_unknown(table.file, headings, profile, missing))
    except FileRefused as refusal:
        if refusal.code == "no_headings" or table.feed:
            raise
        return _refused(empty, refusal)
    guessed = replace(choices, profiles=(profile, *choices.profiles))
    try:
        return replace(_previewed(empty, read_statement(table, guessed)), is_guessed=True)
    except FileRefused as refusal:
        return _refused(empty, refusal)


def _refused(empty: StatementPreview, refusal: FileRefused) -> StatementPreview:
    """Return the preview of a file that cannot be read with its columns."""
    return replace(empty, unused=_unused(empty.headings, empty.guesses), refusal=refusal)


def _previewed(
    empty: StatementPreview, read: tuple[pd.DataFrame, ReadingReport]
) -> StatementPreview:
    """Return the preview of a file that was read."""
    frame, report = read
    payments, _ = name_holders([frame])
    first = payments.head(PREVIEW_ROWS)
    texts = (first["date"], first["holder_id"], first["merchant"], first["amount_pence"].tolist())
    amounts = payments["amount_pence"]
    charges, refunds = (
        SideTotal(len(side), int(side.sum())) for side in (amounts[amounts >= 0],
                                                           amounts[amounts < 0])
    )  # fmt: skip
    columns = {
        name: Guess(" ".join(heading.split()), _reason(empty, report, name, heading))
        for name, heading in report.columns.items()
    }
    return replace(
        empty,
        columns=columns,
        unused=_unused(empty.headings, columns),
        rows=tuple(
            PreviewRow(str(date.date()), holder, merchant, pence)
            for date, holder, merchant, pence in zip(*texts, strict=True)
        ),
        charges=charges,
        refunds=refunds,
        read=read,
    )


def _reason(empty: StatementPreview, report: ReadingReport, name: str, heading: str) -> str:
    """Return why a heading is that of a field."""
    guess = empty.guesses.get(name)
    if guess and guess.heading == " ".join(heading.split()):
        return guess.reason
    is_shipped = report.layout in {profile.name for profile in shipped_profiles()}
    return BY_HEADING if is_shipped or not empty.guesses else f"by the profile '{report.layout}'"


def _unused(headings: Sequence[str], columns: Mapping[str, Guess]) -> tuple[str, ...]:
    """Return the headings that serve no field."""
    used = {guess.heading for guess in columns.values()}
    return tuple(heading for heading in headings if heading and heading not in used)
