"""Key files: a key in one file, and in another beside it the keys that it has replaced."""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

OLDER = ".old"
"""Ending of the file with the keys that another file's key has replaced."""


@dataclass(frozen=True)
class OlderKey:
    """A key that was replaced.

    Attributes:
        content: the key; of a signing key the public half alone.
        made_at, replaced_at: its first and last moment (UTC).
        counts: how far the casebook had come when it was replaced: events of each chain for a
            signing key, statements and registers of each organisation for a card key. Missing until
            they are counted. A clock that is wrong changes none of them.
    """

    content: bytes
    made_at: str
    replaced_at: str
    counts: Mapping[str, int] | None = None


def older_path(path: Path) -> Path:
    """The file of the keys that a file's key has replaced."""
    return path.with_name(path.name + OLDER)


def read_older(path: Path) -> tuple[OlderKey, ...]:
    """Return the keys that a file's key has replaced, the oldest first.

    Raises:
        CardwatchError: their file cannot be read.
    """
    file = older_path(path)
    try:
        entries = json.loads(file.read_bytes()) if file.exists() else []
        keys = [
            OlderKey(
                base64.b64decode(entry["key"], validate=True),
                entry["made_at"],
                entry["replaced_at"],
                entry["counts"],
            )
            for entry in entries
        ]
        newest = path.read_bytes() if keys else b""
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CardwatchError(f"{file} cannot be read. Restore it from its copy.") from error
    return tuple(key for key in keys if key.content != newest)


def write_older(path: Path, keys: Iterable[OlderKey]) -> None:
    """Keep the keys that a file's key has replaced; without any the file goes.

    Raises:
        CardwatchError: they cannot be kept.
    """
    entries = [
        {
            "key": base64.b64encode(key.content).decode(),
            "made_at": key.made_at,
            "replaced_at": key.replaced_at,
            "counts": key.counts,
        }
        for key in keys
    ]
    if entries:
        _write(older_path(path), json.dumps(entries, indent=1).encode())
    else:
        older_path(path).unlink(missing_ok=True)


def replace_key(path: Path, new: bytes, retained: bytes, moment: str) -> None:
    """Put a new key in place of a file's, which is kept among the older ones.

    It can end at any point: the older keys are written first, and a key that is both the newest and
    an older one counts as the newest.

    Args:
        path: of the key.
        new: the new key.
        retained: what is kept of the old one.
        moment: now (UTC).

    Raises:
        CardwatchError: it cannot be kept.
    """
    replaced = OlderKey(retained, made_at(path), moment)
    write_older(path, [*(key for key in read_older(path) if key.content != retained), replaced])
    _write(path, new)


def keep_counts(path: Path, counts: Mapping[str, int]) -> None:
    """Keep how far the casebook had come, with the older keys for which it was not counted.

    Raises:
        CardwatchError: it cannot be kept.
    """
    keys = read_older(path)
    if any(key.counts is None for key in keys):
        write_older(
            path, [key if key.counts is not None else replace(key, counts=counts) for key in keys]
        )


def made_at(path: Path) -> str:
    """The moment (UTC) at which a file's key was made."""
    moment = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, for its owner only, so that it outlasts a power cut.

    Raises:
        CardwatchError: it cannot be written.
    """
    try:
        temporary = path.with_name(path.name + ".new")
        with os.fdopen(os.open(temporary, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as f:
            f.write(content)
            f.flush()
            os.fsync(f.fileno())
        temporary.replace(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise CardwatchError(f"{path} cannot be written: {error.strerror}.") from error
