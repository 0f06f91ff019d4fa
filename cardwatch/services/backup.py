"""Backs a casebook up to a file, and fills an empty one from it."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from cardwatch.casebook import AuditEvent, Casebook
from cardwatch.casebook.backup import copy_casebook
from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence
    from types import ModuleType

AGE_HEADER = b"age-encryption.org/v1"
"""How an encrypted backup begins."""


def back_up(casebook: Casebook, path: Path, now: dt.datetime) -> int:
    """Copy the whole casebook to a new file, and check the copy; return how many rows it has.

    Raises:
        CardwatchError: the file exists, there is nothing to copy, or the copy is not whole.
    """
    _check_new(path)
    _note_backup(casebook, now)
    partial = path.with_name(f"{path.name}.partial")  # half a backup has never its name
    partial.unlink(missing_ok=True)
    try:
        copy = Casebook(f"sqlite:///{partial}")
        try:
            count = _fill(casebook, copy)
        finally:
            copy.close()
        _check_new(path)
        partial.rename(path)
    except OSError as error:
        raise CardwatchError(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        partial.unlink(missing_ok=True)
        for turn in path.parent.glob(f"{partial.name}.*.turn"):
            turn.unlink()
    return count


def _note_backup(casebook: Casebook, now: dt.datetime) -> None:
    """Leave an event of a backup.

    Raises:
        CardwatchError: there is nothing to copy.
    """
    if not casebook.organisations():
        raise CardwatchError("The casebook is empty, so there is nothing to back up.")
    _tell(casebook, AuditEvent("disclosure", "backup"), now)


def _fill(casebook: Casebook, copy: Casebook) -> int:
    """Copy a casebook into an empty one of SQLite, and check that; return how many rows it has.

    Raises:
        CardwatchError: the copy is not whole.
    """
    count = copy_casebook(casebook, copy)
    with copy.snapshot() as connection:
        if connection.exec_driver_sql("PRAGMA integrity_check").scalar() != "ok":
            raise CardwatchError("The copy is not complete. Copy it again.")
    copy.checkpoint_wal()
    return count


@contextmanager
def _without_name(path: Path) -> Iterator[Casebook]:
    """Open a casebook in one file of SQLite, and take every name of it away.

    Its content goes with this process, however that ends. All of it has to be done through the
    one connection that is open already: another would find nothing under the name.
    """
    copy = Casebook(f"sqlite:///{path}")
    try:
        with copy.snapshot() as connection:
            connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
        for name in path.parent.iterdir():
            name.unlink()
        yield copy
    finally:
        copy.close()


def _check_new(path: Path) -> None:
    """Refuse a name that a file has.

    Raises:
        CardwatchError: it has.
    """
    if path.exists():
        raise CardwatchError(
            f"{path} already exists. A backup never overwrites a file. Choose another name."
        )


def back_up_encrypted(
    casebook: Casebook, path: Path, recipients: Sequence[str], folder: Path, now: dt.datetime
) -> int:
    """Copy the whole casebook to a new file that the holders of some keys alone can open.

    Args:
        casebook: what is copied.
        path: of the new file, in the format of age (age-encryption.org).
        recipients: public keys such as `age1...`; each of their owners can open it.
        folder: on whose disk the copy lies, without a name, until it is encrypted.
        now: the moment.

    Returns:
        How many rows it has.

    Raises:
        CardwatchError: see `back_up`; a key is none, or the file cannot be written.
    """
    age = _age()
    try:
        keys = [age.x25519.Recipient.from_str(recipient) for recipient in recipients]
    except age.RecipientError as error:
        raise CardwatchError("A backup key begins with age1. Copy it whole.") from error
    _check_new(path)
    with tempfile.TemporaryDirectory(dir=folder) as place:
        plain = Path(place) / "backup.db"
        with _new_file(plain) as reading, _without_name(plain) as copy:
            _note_backup(casebook, now)
            count = _fill(casebook, copy)
            try:
                with _new_file(path) as writing:
                    age.encrypt_io(reading, writing, keys)
            except OSError as error:
                path.unlink(missing_ok=True)
                raise CardwatchError(f"{path} cannot be written: {error.strerror}.") from error
    return count


def new_backup_key() -> tuple[str, str]:
    """Return a new private key that opens encrypted backups, and its public key.

    Raises:
        CardwatchError: what encrypts is not installed.
    """
    key = _age().x25519.Identity.generate()
    return str(key), str(key.to_public())


def _decrypt(path: Path, private_key: str, writing: BinaryIO) -> None:
    """Decrypt a backup into a file.

    Raises:
        CardwatchError: the key is none or another, or the file is not whole.
    """
    age = _age()
    lines = [line.strip() for line in private_key.splitlines()]
    try:
        keys = [age.x25519.Identity.from_str(line) for line in lines if line.startswith("AGE-")]
        with path.open("rb") as reading:
            age.decrypt_io(reading, writing, keys)
        writing.flush()
    except (age.IdentityError, age.DecryptError, OSError) as error:
        raise CardwatchError(
            f"{path} cannot be opened with this key, or is not whole. Nothing was restored."
        ) from error


def _new_file(path: Path) -> BinaryIO:
    """Open a file that was not there, for its owner only."""
    return os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "w+b")


def _file_to_be_named(path: Path) -> BinaryIO:
    """Open a new file for its owner only, which has no name yet where the system can do so."""
    try:
        file = os.open(path.parent, getattr(os, "O_TMPFILE", 0) | os.O_RDWR, 0o600)
    except OSError:
        return _new_file(path)
    return os.fdopen(file, "w+b")


def _give_name(file: BinaryIO, path: Path) -> None:
    """Give a file from `_file_to_be_named` its name."""
    if path.exists():
        return
    folder = os.open(path.parent, os.O_RDONLY)
    try:  # with a folder, as link() alone would link to the symbolic link
        source = f"/proc/self/fd/{file.fileno()}"
        os.link(source, path.name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def _age() -> ModuleType:
    """The module that encrypts.

    Raises:
        CardwatchError: it is not installed.
    """
    try:
        return import_module("pyrage")
    except ImportError as error:
        raise CardwatchError(
            "Encrypted backups need pyrage: install cardwatch[backups]."
        ) from error


def restore(path: Path, casebook: Casebook, now: dt.datetime, private_key: str = "") -> int:
    """Fill an empty casebook from a backup; return how many rows that were.

    Args:
        path: of the backup.
        casebook: what is filled.
        now: the moment.
        private_key: opens an encrypted backup.

    Raises:
        CardwatchError: there is no backup there, or the casebook is not empty; the backup is
            encrypted, and the key is missing or another.
    """
    try:
        with path.open("rb") as file:
            is_encrypted = file.read(len(AGE_HEADER)) == AGE_HEADER
    except OSError as error:
        raise CardwatchError(f"There is no backup {path}.") from error
    if is_encrypted and not private_key:
        raise CardwatchError(f"{path} is encrypted. Give the file of its key with '--key'.")
    with tempfile.TemporaryDirectory() as place:
        named = Path(place) / "backup.db"
        count = _restore_through(named, path, casebook, private_key if is_encrypted else "")
    _tell(casebook, AuditEvent("collection", "backup"), now)
    return count


def _restore_through(named: Path, path: Path, casebook: Casebook, private_key: str) -> int:
    """Fill a casebook from a copy of a backup, which has a name for a moment; return its rows.

    Args:
        named: the name, in a folder of its own.
        path: of the backup.
        casebook: what is filled.
        private_key: opens an encrypted backup; empty for one that is not.

    Raises:
        CardwatchError: see `restore`.
    """
    with _file_to_be_named(named) as plain:
        if private_key:
            _decrypt(path, private_key, plain)
        else:  # the backup itself is left as it is
            with path.open("rb") as backup:
                shutil.copyfileobj(backup, plain)
            plain.flush()
        _give_name(plain, named)
        with _without_name(named) as copy:
            if not copy.organisations():
                raise CardwatchError(f"{path} holds no casebook, or half of one.")
            return copy_casebook(copy, casebook)


def _tell(casebook: Casebook, event: AuditEvent, now: dt.datetime) -> None:
    """Leave an event in the chain of every organisation."""
    for actor in casebook.system_actors():
        with casebook.work(actor, event, now, lanes=()):
            pass
