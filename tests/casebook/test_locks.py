"""Two connections to one file of SQLite in a process, as the service has, and other processes."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from typing import TYPE_CHECKING

from cardwatch.casebook import Casebook, people

if TYPE_CHECKING:
    from pathlib import Path

NOW = dt.datetime(2026, 11, 30, 9, tzinfo=dt.UTC)
VISIT = """import sqlite3, sys
book = sqlite3.connect(sys.argv[1])
print(*[name for name, in book.execute("SELECT name FROM organisations")], sep=", ")
book.close()
"""
"""What a backup program or the shell of SQLite does beside the service: open, read and close."""


def _visit(path: Path) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", VISIT, str(path)], check=True, capture_output=True, text=True
    )
    return set(done.stdout.strip().split(", "))


def test_what_is_written_after_another_program_was_there_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "casebook.db"
    first = Casebook(f"sqlite:///{path}")
    people.add_organisation(first, "First Force", NOW)
    second = Casebook(f"sqlite:///{path}")  # the service has one for its background work
    assert _visit(path) == {"First Force"}
    people.add_organisation(first, "Second Force", NOW)
    people.add_organisation(second, "Third Force", NOW)
    assert _visit(path) == {"First Force", "Second Force", "Third Force"}
    first.close()
    second.close()


def test_a_file_that_is_there_is_opened_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "casebook.db"
    Casebook(f"sqlite:///{path}").close()
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    Casebook(f"sqlite:///{path}").close()
    assert path.stat().st_mode & 0o777 == 0o640
