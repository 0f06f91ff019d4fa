"""One file that is read alone, or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conftest import CHOICES

from cardwatch.errors import FileRefused
from cardwatch.statements import ReadingChoices, read_statements, shipped_profiles
from cardwatch.statements.profiles import parse_profile

if TYPE_CHECKING:
    from pathlib import Path

    from cardwatch.records import ReadingReport, Statements


def read(
    path: Path, *profiles: str, date_order: str = "decide"
) -> tuple[Statements, ReadingReport]:
    """Read a file with column profiles beside those that are shipped."""
    own = [parse_profile(text, "ours.toml") for text in profiles]
    choices = ReadingChoices([*own, *shipped_profiles()], CHOICES.card_key, date_order)
    statements = read_statements([path], choices)
    (report,) = statements.reports
    assert report.reconciles
    return statements, report


def refusal(path: Path, *profiles: str, date_order: str = "decide") -> FileRefused:
    """Return why a file is refused."""
    with pytest.raises(FileRefused) as caught:
        read(path, *profiles, date_order=date_order)
    return caught.value


def pence_of(path: Path, *profiles: str) -> list[int]:
    """Return the amounts of a file's payments."""
    pence: list[int] = read(path, *profiles)[0].transactions["amount_pence"].tolist()
    return pence


def days_of(path: Path, *profiles: str) -> list[str]:
    """Return the days of a file's payments."""
    return [str(day.date()) for day in read(path, *profiles)[0].transactions["date"]]


def notes_of(path: Path) -> str:
    """Return the notes on a file, a line each."""
    return "\n".join(read(path)[1].notes)
