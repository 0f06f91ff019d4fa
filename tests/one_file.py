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


def read(path: Path, *profiles: str) -> tuple[Statements, ReadingReport]:
    """Read a file with column profiles beside those that are shipped."""
    own = [parse_profile(text, "ours.toml") for text in profiles]
    choices = ReadingChoices([*own, *shipped_profiles()], CHOICES.card_key)
    statements = read_statements([path], choices)
    (report,) = statements.reports
    assert report.reconciles
    return statements, report


def refusal(path: Path, *profiles: str) -> FileRefused:
    """Return why a file is refused."""
    with pytest.raises(FileRefused) as caught:
        read(path, *profiles)
    return caught.value
