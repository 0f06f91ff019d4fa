"""Backs a casebook up to a file, and fills an empty one from it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from cardwatch.casebook import Actor, AuditEvent, Casebook
from cardwatch.casebook.backup import copy_casebook
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    import datetime as dt


def back_up(casebook: Casebook, path: Path, now: dt.datetime) -> int:
    """Copy the whole casebook to a new file, and check the copy; return how many rows it has.

    Raises:
        CardwatchError: the file exists, there is nothing to copy, or the copy is not whole.
    """
    if path.exists():
        raise CardwatchError(
            f"{path} already exists. A backup never overwrites a file. Choose another name."
        )
    if not casebook.organisations():
        raise CardwatchError("The casebook is empty, so there is nothing to back up.")
    _tell(casebook, AuditEvent("disclosure", "backup"), now)
    try:
        copy = Casebook(f"sqlite:///{path}")
        try:
            count = copy_casebook(casebook, copy)
            with copy.snapshot() as connection:
                if connection.exec_driver_sql("PRAGMA integrity_check").scalar() != "ok":
                    raise CardwatchError(f"{path} is not complete. Copy it again.")
        finally:
            copy.close()
    except CardwatchError:
        path.unlink(missing_ok=True)  # half a backup is none
        raise
    finally:
        for turn in path.parent.glob(f"{path.name}.*.turn"):
            turn.unlink()
    return count


def restore(path: Path, casebook: Casebook, now: dt.datetime) -> int:
    """Fill an empty casebook from a backup; return how many rows that were.

    Raises:
        CardwatchError: there is no backup there, or the casebook is not empty.
    """
    if not path.exists():
        raise CardwatchError(f"There is no backup {path}.")
    with tempfile.TemporaryDirectory() as place:  # the backup itself is left as it is
        copied_file = shutil.copy(path, Path(place) / "backup.db")
        copy = Casebook(f"sqlite:///{copied_file}", make=False)
        try:
            count = copy_casebook(copy, casebook)
        finally:
            copy.close()
    _tell(casebook, AuditEvent("collection", "backup"), now)
    return count


def _tell(casebook: Casebook, event: AuditEvent, now: dt.datetime) -> None:
    """Leave an event in the chain of every organisation."""
    for row in casebook.organisations():
        with casebook.work(Actor(row["organisation_id"], SYSTEM, "admin"), event, now, lanes=()):
            pass
