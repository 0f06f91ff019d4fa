"""Backs a casebook up to a file, and fills an empty one from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardwatch.casebook import Casebook
from cardwatch.casebook.copying import copy_casebook
from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from pathlib import Path


def back_up(casebook: Casebook, path: Path) -> int:
    """Copy the whole casebook to a new file, and check the copy; return how many rows it has.

    Raises:
        CardwatchError: the file exists, or the copy is not whole.
    """
    if path.exists():
        raise CardwatchError(f"{path} exists already; a backup never overwrites one.")
    copy = Casebook(f"sqlite:///{path}")
    try:
        count = copy_casebook(casebook, copy)
        with copy.engine.connect() as connection:
            if connection.exec_driver_sql("PRAGMA integrity_check").scalar() != "ok":
                raise CardwatchError(f"{path} is not whole; copy again.")
    finally:
        copy.close()
    return count


def restore(path: Path, casebook: Casebook) -> int:
    """Fill an empty casebook from a backup; return how many rows that were.

    Raises:
        CardwatchError: there is no backup there, or the casebook is not empty.
    """
    if not path.exists():
        raise CardwatchError(f"There is no backup {path}.")
    copy = Casebook(f"sqlite:///{path}")
    try:
        return copy_casebook(copy, casebook)
    finally:
        copy.close()
