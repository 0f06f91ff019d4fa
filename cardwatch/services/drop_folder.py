"""Takes statements that arrive in a folder: never half a file, each once, with a receipt beside it.

A file that is complete is moved to `.taking`, received, given a receipt and moved to `received` or
`refused`. Whenever the process ends between, the next one goes on from `.taking`: the casebook
knows a file by its bytes, so it is received once.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import stat
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from cardwatch.errors import (
    CardwatchError,
    CasebookBusy,
    CasebookFailed,
    Conflict,
    FileRefused,
    NotAllowed,
)
from cardwatch.reports import upload_label
from cardwatch.services.jobs import receive_now
from cardwatch.services.refused_files import ArrivedFile, refuse_arrival
from cardwatch.statements import read_each, redact_cards
from cardwatch.tabular import decrypted, is_encrypted
from cardwatch.vocabulary import SECOND_PERSON

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pandas as pd
    from cryptography.fernet import MultiFernet

    from cardwatch.records import ReadingReport
    from cardwatch.services.context import ServiceContext
    from cardwatch.statements import ReadingChoices
    from cardwatch.tabular import PgpKeys, ReaderPool

    _Outcome = FileRefused | tuple[pd.DataFrame, ReadingReport]
    _Arrival = tuple[Path, ArrivedFile, _Outcome]

RECEIVED, REFUSED, TAKING = "received", "refused", ".taking"
OWN_FOLDERS = (RECEIVED, REFUSED, TAKING)
WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
RECEIPT = ".receipt.json"
HALF = ".half-"
"""Beginning of the name of a file that is being fetched."""
UNFINISHED = (".part", ".partial", ".filepart", ".tmp", ".temp", ".uploading", ".crdownload")
"""Endings under which programs write a file that is not complete yet."""
NAME_BYTES = 200
"""Of a file's name, so that there is room for the ending of its receipt."""
AT_ONCE = 100
"""Files taken in one pass, the earliest statement first; the others wait for the next."""


@dataclass(frozen=True)
class ArrivalReader:
    """Choices and keys with which files of a watched folder are read.

    Attributes:
        choices: layouts, card key and date order.
        seal: keeps the cells of a refused file unreadable in the database.
        readers: a pool that is running; without it, one is started for each pass.
        keys: with which files encrypted with PGP are decrypted.
    """

    choices: ReadingChoices
    seal: MultiFernet
    readers: ReaderPool | None = None
    keys: PgpKeys | None = None


@dataclass(frozen=True)
class Delivery:
    """Outcome for one file, as its receipt says.

    Attributes:
        file: its name, with card numbers cut.
        sha256: hash of its bytes.
        outcome: received; held, the same bytes; rows-held, the same rows; or refused.
        statement_id: the statement that holds its rows; empty where it is refused.
        refused: why it was not received; empty where it was.
        code: the refusal's code.
    """

    file: str
    sha256: str
    size_bytes: int
    at: str
    outcome: str
    statement_id: str = ""
    refused: str = ""
    code: str = ""
    form: str = ""
    transactions: int = 0
    pence: int = 0
    first_on: str = ""
    last_on: str = ""
    problems: int = 0
    checks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class DropFolder:
    """A folder into which statements are put.

    Attributes:
        path: the folder.
        settle_seconds: a file is complete once it has not changed for so long.
        marker: ending of a file that says that another is complete; none where it is empty.
    """

    path: Path
    settle_seconds: float
    marker: str = ""
    _seen: dict[str, tuple[tuple[int, int, int], float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the folders for what was taken.

        Raises:
            CardwatchError: it is no folder, nothing can be written in it, or one of these folders
                is somebody else's.
        """
        if not self.path.is_dir():
            raise CardwatchError(f"There is no folder '{self.path.name}'.")
        try:
            for name in OWN_FOLDERS:
                place = self.path / name
                place.mkdir(exist_ok=True)
                self._check_own(name)
                place.chmod(stat.S_IMODE(place.lstat().st_mode) & ~WRITABLE_BY_OTHERS)
        except OSError as error:
            sentence = f"The folder '{self.path.name}' cannot be written in ({error.strerror})."
            raise CardwatchError(sentence) from error

    def _check_own(self, name: str) -> None:
        """Refuse a folder for what was taken in which somebody else could have written.

        Whoever may put statements into the watched folder may also rename what is in it. They
        could write receipts of statements that never came, and have files moved elsewhere.

        Raises:
            CardwatchError: it is a link, or another account's.
        """
        facts = (self.path / name).lstat()
        if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.geteuid():
            raise CardwatchError(
                f"'{name}' in the folder '{self.path.name}' is a link or another account's. Move "
                "it elsewhere, find out who made it, and start again."
            )

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other process from taking files of this folder.

        Raises:
            CardwatchError: another process does so already.
        """
        with (self.path / TAKING / ".lock").open("w", encoding="ascii") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                sentence = f"The folder '{self.path.name}' is watched by another process."
                raise CardwatchError(sentence) from error
            yield

    def take_complete(self, now: float) -> list[Path]:
        """Move the files that are complete to `.taking`; return those in it, by name.

        Args:
            now: seconds on a clock that only goes on.

        Raises:
            CardwatchError: a folder for what was taken is somebody else's.
        """
        for name in OWN_FOLDERS:
            self._check_own(name)
        waiting = self._waiting()
        self._seen = {name: sighting for name, sighting in self._seen.items() if name in waiting}
        free = AT_ONCE - len(self._taken())
        for name, path in waiting.items():
            if free > 0 and self._is_complete(path, now) and self._claim(path):
                self._seen.pop(name, None)
                free -= 1
        return self._taken()

    def _waiting(self) -> dict[str, Path]:
        """Return the files that wait, by name."""
        return {
            entry.name: self.path / entry.name
            for entry in sorted(os.scandir(self.path), key=lambda entry: entry.name)
            if entry.is_file(follow_symlinks=False)
            and not entry.name.startswith(".")
            and not entry.name.lower().endswith(UNFINISHED)
            and not (self.marker and entry.name.endswith(self.marker))
        }

    def _taken(self) -> list[Path]:
        """Return the files in `.taking`, by name; a link that took the place of one is left out."""
        return sorted(
            path
            for path in (self.path / TAKING).iterdir()
            if not path.name.startswith(".") and stat.S_ISREG(path.lstat().st_mode)
        )

    def _is_complete(self, path: Path, now: float) -> bool:
        """Return whether a file has come whole: its marker is there, or it changes no more."""
        if self.marker:
            return path.with_name(path.name + self.marker).exists()
        try:
            facts = path.stat()
        except FileNotFoundError:
            return False
        state = (facts.st_size, facts.st_mtime_ns, facts.st_ino)
        last_state, since = self._seen.get(path.name, (None, now))
        if last_state != state:
            self._seen[path.name] = (state, now)
            return self.settle_seconds <= 0 and not _is_written(path)
        return now - since >= self.settle_seconds and not _is_written(path)

    def _claim(self, path: Path) -> bool:
        """Move a file to `.taking`, unless one of its name is there; return whether it is."""
        target = self.path / TAKING / _fit_name(path.name)
        if target.exists():
            return False
        try:
            path.rename(target)
        except FileNotFoundError:
            return False
        if self.marker:
            path.with_name(path.name + self.marker).unlink(missing_ok=True)
        return True

    def has_room(self) -> bool:
        """Return whether `.taking` has room for another file."""
        return len(self._taken()) < AT_ONCE

    def begin_delivery(self) -> Path:
        """Return where a file may be written that is then delivered; remains of others are erased.

        Only whoever has locked the folder may ask.
        """
        for path in (self.path / TAKING).glob(f"{HALF}*"):
            path.unlink()
        return self.path / TAKING / f"{HALF}{secrets.token_hex(8)}"

    def deliver(self, half: Path, name: str, sha256: str) -> None:
        """Let a whole file that was written where `begin_delivery` says be received next."""
        target = self.path / TAKING / name
        if target.exists():
            target = target.with_name(f"{target.stem} {sha256[:8]}{target.suffix}")
        half.replace(target)
        sync_folder(target.parent)

    def keep(self, path: Path, delivery: Delivery) -> None:
        """Write the receipt of a file in `.taking`, and move it to where it belongs.

        The receipt comes first, whole: a process that ends between leaves the file in `.taking`,
        and the receipt of what was done stays as it was written.

        Raises:
            CardwatchError: the folder where it belongs is somebody else's.
        """
        name = REFUSED if delivery.outcome == "refused" else RECEIVED
        self._check_own(name)
        place = self.path / name
        target = place / path.name
        if target.exists():  # another file of this name came before
            target = place / f"{path.stem} {delivery.sha256[:8]}{path.suffix}"
        receipt = target.with_name(target.name + RECEIPT)
        if not receipt.exists() or target.exists() or not _is_of(receipt, delivery.sha256):
            text = json.dumps(asdict(delivery), ensure_ascii=False, indent=2, sort_keys=True)
            half = place / f".{secrets.token_hex(8)}"
            half.write_text(text + "\n", encoding="utf-8")
            half.replace(receipt)
        path.replace(target)


def _fit_name(name: str) -> str:
    """Return the name under which a file is taken: its own, unless no receipt or page could say it.

    A file system takes names that are no text, hide characters, or leave no room for an ending.
    """
    if name.isprintable() and len(name.encode()) <= NAME_BYTES:
        return name
    label = upload_label(name, "statement").encode()[-NAME_BYTES:].decode("utf-8", "ignore")
    return label.lstrip(". ") or "statement"


def sync_folder(folder: Path) -> None:
    """Let what was renamed in a folder outlast a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_of(receipt: Path, sha256: str) -> bool:
    """Return whether a receipt is that of some bytes."""
    with suppress(ValueError, OSError):
        return bool(json.loads(receipt.read_text(encoding="utf-8")).get("sha256") == sha256)
    return False


def _is_written(path: Path) -> bool:
    """Return whether some process on this machine has a file open to write in it.

    Linux gives a read lease only on files that nobody writes in. Where leases are not to be had,
    nothing is known and the file's size and time decide alone.
    """
    if not hasattr(fcntl, "F_SETLEASE"):
        return False
    try:
        with path.open("rb") as file:
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
            fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def receive_folder(
    context: ServiceContext, folder: DropFolder, reader: ArrivalReader, now: float
) -> list[Delivery]:
    """Receive the complete files of a folder, the earliest statement first.

    A file that could not be received because the casebook was busy or failed stays in `.taking`.

    Args:
        context: who receives them.
        folder: where they are.
        reader: what they are read with.
        now: seconds on a clock that only goes on.

    Raises:
        NotAllowed: the role receives no statements.
    """
    paths = folder.take_complete(now)
    if not paths:
        return []
    deliveries = []
    with ExitStack() as plaintexts:
        arrivals = _read_arrivals(paths, reader, plaintexts)
        for path, file, outcome in sorted(
            arrivals,
            key=lambda item: "" if isinstance(item[2], FileRefused) else item[2][1].first_on,
        ):
            delivery = _receive_one(context, file, outcome, reader.seal)
            if delivery is not None:
                folder.keep(path, delivery)
                deliveries.append(delivery)
    return deliveries


def _read_arrivals(
    paths: list[Path], reader: ArrivalReader, plaintexts: ExitStack
) -> list[_Arrival]:
    """Return for each file what arrived, decrypted where it was encrypted, and its reading.

    Args:
        paths: the files.
        reader: what they are read with.
        plaintexts: keeps what was decrypted until the files are received.
    """
    arrivals: list[_Arrival] = []
    readable: list[tuple[Path, str, Path]] = []
    for path in paths:
        name = redact_cards(path.name, reader.choices.card_key)
        try:
            is_plain = not is_encrypted(path)
            source = path if is_plain else plaintexts.enter_context(decrypted(path, reader.keys))
            readable.append((path, name, source))
        except FileRefused as refusal:
            outcome = FileRefused(name, refusal.code, refusal.what)
            arrivals.append((path, _arrived_file(name, path), outcome))
    sources, names = [source for *_, source in readable], [name for _, name, _ in readable]
    outcomes = read_each(sources, reader.choices, names=names, readers=reader.readers)
    return arrivals + [
        (path, _arrived_file(name, source), outcome)
        for (path, name, source), outcome in zip(readable, outcomes, strict=True)
    ]


def _arrived_file(name: str, source: Path) -> ArrivedFile:
    """Return a file with the hash of its bytes, decrypted where that succeeded."""
    with source.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return ArrivedFile(name, digest.hexdigest(), file.tell(), source)


def _receive_one(
    context: ServiceContext,
    file: ArrivedFile,
    outcome: _Outcome,
    seal: MultiFernet,
) -> Delivery | None:
    """Receive one file; nothing where the casebook could not, and it is to be tried again."""
    facts: dict[str, Any] = {
        "file": file.name,
        "sha256": file.sha256,
        "size_bytes": file.size_bytes,
        "at": context.now.isoformat(timespec="seconds"),
    }
    try:
        if isinstance(outcome, FileRefused):
            raise outcome
        receipt = receive_now(context, outcome)
        if receipt.outcome == SECOND_PERSON:  # whom a folder cannot be
            raise Conflict(receipt.notes[0])
    except (CasebookBusy, CasebookFailed):
        return None
    except NotAllowed:
        raise
    except CardwatchError as refusal:
        refuse_arrival(context, file, refusal, seal)
        return Delivery(**facts, outcome="refused", refused=str(refusal), code=refusal.code)
    report = outcome[1]
    return Delivery(
        **facts,
        outcome=receipt.outcome,
        statement_id=receipt.statement_id,
        form=report.form,
        transactions=report.transactions,
        pence=report.pence,
        first_on=report.first_on,
        last_on=report.last_on,
        problems=len(report.problems),
        checks=tuple(check.sentence for check in report.checks),
        notes=tuple(receipt.notes or report.notes),
    )
