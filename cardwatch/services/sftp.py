"""Fetches statements from an SFTP server into a watched folder: each whole, and once.

A file is fetched once its size has not changed for a while, under another name, compared with the
server's size and time, and only then delivered. What was fetched is remembered by name, size and
time, and by content, so that a file that stays on the server is not delivered again.
"""

from __future__ import annotations

import asyncio
import fnmatch
import hashlib
import importlib.util
import json
import os
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from cardwatch.errors import CardwatchError
from cardwatch.quantities import quantity
from cardwatch.services.drop_folder import NAME_BYTES, TAKING, UNFINISHED, sync_folder
from cardwatch.tabular import LIMITS, MIB, check_private

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardwatch.services.drop_folder import DropFolder

CHUNK_BYTES = 64 * 1024
CONNECT_SECONDS = 30
WHOLE_LOOK_SECONDS = 1_800
"""For all files of one look; a server that stops answering ends it sooner."""
KEEPALIVE_SECONDS = 15
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 5.0, 3_600.0
"""Waits after a look that failed: doubled with each failure."""
FETCHED = ".fetched.json"
MOST_REMEMBERED = 10_000
"""Files remembered that the server has no more, the newest: some come back under another name."""
ANNOUNCED_FAILURES = 3
"""A connection that fails is announced after so many tries, some 15 seconds later."""
KEEP, REMOVE, MOVE = AFTERWARDS = ("keep", "remove", "move")


@dataclass(frozen=True)
class SftpSource:
    """An SFTP server and what is fetched from it.

    Attributes:
        host_key: its public key in OpenSSH form; any other server is refused.
        key_file: our private key; none where there is a password.
        passphrase_file: has the passphrase of the private key.
        password_file: has our password.
        folder: the server's folder.
        pattern: names of the files that are fetched.
        afterwards: whether a fetched file stays on the server, is removed or is moved.
        moved_to: folder of the server for files that were fetched.
        every_seconds: between looks.
    """

    host: str
    user: str
    host_key: str
    port: int = 22
    key_file: Path | None = None
    passphrase_file: Path | None = None
    password_file: Path | None = None
    folder: str = "."
    pattern: str = "*"
    afterwards: str = KEEP
    moved_to: str = ""
    every_seconds: float = 300

    def check(self) -> None:
        """Refuse settings with which nothing could be fetched.

        Raises:
            CardwatchError: the library is not installed, a secret is missing or others may read
                it, or the host key is none.
        """
        if importlib.util.find_spec("asyncssh") is None:
            raise CardwatchError("SFTP needs pip install 'cardwatch[arrivals]'.")
        if (self.key_file is None) == (self.password_file is None):
            raise CardwatchError("Set either key_file or password_file for SFTP.")
        if self.afterwards not in AFTERWARDS or (self.afterwards == MOVE) != bool(self.moved_to):
            raise CardwatchError("Set afterwards to keep, remove, or move with moved_to.")
        for path in (self.key_file, self.passphrase_file, self.password_file):
            if path is not None:
                check_private(path)
        self.options()

    def options(self) -> dict[str, object]:
        """Return how to connect, with the secrets.

        Raises:
            CardwatchError: a key cannot be read.
        """
        import asyncssh  # noqa: PLC0415  only who fetches has it

        password = _secret(self.password_file)
        try:
            host_key = asyncssh.import_public_key(self.host_key)
        except asyncssh.KeyImportError as error:
            sentence = "host_key is no public key. Ask the bank for it, as 'ssh-ed25519 AAAA...'."
            raise CardwatchError(sentence) from error
        try:
            keys = [asyncssh.read_private_key(self.key_file, _secret(self.passphrase_file))] if (
                self.key_file
            ) else None  # fmt: skip
        except (asyncssh.KeyImportError, asyncssh.KeyEncryptionError) as error:
            sentence = "key_file is no private key, or its passphrase is another."
            raise CardwatchError(sentence) from error
        return {
            "host": self.host, "port": self.port, "username": self.user, "password": password,
            "client_keys": keys, "known_hosts": ([host_key], [], []), "agent_path": None,
            "config": None, "connect_timeout": CONNECT_SECONDS, "login_timeout": CONNECT_SECONDS,
            "keepalive_interval": KEEPALIVE_SECONDS,
        }  # fmt: skip


@dataclass(frozen=True)
class _RemoteFile:
    """A file of the server, as it was listed."""

    name: str
    size: int
    changed_at: int

    @property
    def key(self) -> str:
        """Its name, size and time: another version of a file has another."""
        return f"{self.name}\n{self.size}\n{self.changed_at}"


@dataclass
class SftpPull:
    """Fetches from a server into a folder, again and again.

    Attributes:
        source: what is fetched.
        folder: where to; locked by this process.
        announced: what is wrong, as somebody was told last; empty if all was well, and none if
            nothing was told yet.
    """

    source: SftpSource
    folder: DropFolder
    announced: str | None = None
    _seen: dict[str, float] = field(default_factory=dict)
    _failures: int = 0
    _next_at: float = 0
    _is_lasting: bool = False
    _trouble: str = ""

    def look(self, now: float, *, is_due: bool = False) -> list[str]:
        """Fetch the files that are complete, if it is time to; return sentences on what went wrong.

        Args:
            now: seconds on a clock that only goes on.
            is_due: whether to look whenever the last look was.
        """
        import asyncssh  # noqa: PLC0415  only who fetches has it

        if now < self._next_at and not is_due:
            return []
        try:
            problems = asyncio.run(self._look(now))
        except (asyncssh.Error, OSError, TimeoutError) as error:
            self._failures += 1
            self._trouble = _sentence(error, self.source.host)
            self._is_lasting = isinstance(error, _lasting_errors())
            wait = min(FIRST_WAIT_SECONDS * 2 ** (self._failures - 1), LONGEST_WAIT_SECONDS)
            self._next_at = now + wait
            return [f"{self._trouble} The next try is in {wait:.0f} seconds."]
        self._failures, self._next_at = 0, now + self.source.every_seconds
        self._trouble, self._is_lasting = " ".join(dict.fromkeys(problems)), True
        return problems

    def change(self, *, is_last: bool = False) -> str | None:
        """Return what is wrong, or empty text if all is well, where that was not announced yet.

        Nothing otherwise. A connection that breaks off counts from the third time on.

        Args:
            is_last: whether there is no further look, so that the first time counts.
        """
        is_known = not self._failures or self._is_lasting or self._failures >= ANNOUNCED_FAILURES
        return self._trouble if (is_known or is_last) and self._trouble != self.announced else None

    async def _look(self, now: float) -> list[str]:
        """Fetch the files that are complete over one connection."""
        import asyncssh  # noqa: PLC0415  the same

        problems: list[str] = []
        options = self.source.options()
        async with (
            asyncio.timeout(WHOLE_LOOK_SECONDS),
            asyncssh.connect(**options) as connection,
            connection.start_sftp_client() as server,
        ):
            files, unfit = _listed(await server.readdir(self.source.folder), self.source.pattern)
            if unfit:
                count = quantity(unfit, "file")
                problems.append(
                    f"{count} on {self.source.host} cannot be fetched: larger than "
                    f"{LIMITS.text_bytes // MIB} MiB, or with a name that no file here may have."
                )
            fetched, contents = self._remember(files, now)
            for file in files:
                if file.key not in fetched:
                    is_settled = now - self._seen[file.key] >= self.folder.settle_seconds
                    if not is_settled or not self.folder.has_room():
                        continue
                    sha256 = await self._fetch(server, file, contents)
                    if not sha256:
                        continue
                    contents.add(sha256)
                    fetched[file.key] = sha256
                    self._write_fetched(fetched)
                problems += await self._finish(server, file, fetched[file.key])
            self._write_fetched(fetched)
        return problems

    def _remember(self, files: list[_RemoteFile], now: float) -> tuple[dict[str, str], set[str]]:
        """Note since when each file is as it is; return what was fetched, by file and content."""
        fetched = self._read_fetched()
        contents, listed = set(fetched.values()), {file.key for file in files}
        for key in [key for key in fetched if key not in listed][:-MOST_REMEMBERED]:
            del fetched[key]
        self._seen = {key: self._seen.get(key, now) for key in sorted(listed)}
        return fetched, contents

    async def _fetch(self, server: Any, file: _RemoteFile, contents: set[str]) -> str:  # noqa: ANN401  a client of asyncssh
        """Fetch a file and deliver it, unless its content was fetched before; return its hash.

        Nothing is returned, or delivered, if it has changed on the server meanwhile.
        """
        path = str(PurePosixPath(self.source.folder) / file.name)
        half, digest, size = self.folder.begin_delivery(), hashlib.sha256(), 0
        try:
            async with server.open(path, "rb") as remote:
                with half.open("wb") as local:
                    while size <= file.size and (chunk := await remote.read(CHUNK_BYTES)):
                        local.write(chunk)
                        digest.update(chunk)
                        size += len(chunk)
                    local.flush()
                    os.fsync(local.fileno())
            facts = await server.stat(path)
            if size != file.size or (facts.size, int(facts.mtime or 0)) != (
                file.size,
                file.changed_at,
            ):
                self._seen.pop(file.key, None)
                return ""
            sha256 = digest.hexdigest()
            if sha256 not in contents:
                self.folder.deliver(half, file.name, sha256)
            return sha256
        finally:
            half.unlink(missing_ok=True)

    async def _finish(self, server: Any, file: _RemoteFile, sha256: str) -> list[str]:  # noqa: ANN401  the same
        """Remove or move a fetched file on the server; return a sentence if the server refuses."""
        import asyncssh  # noqa: PLC0415  the same

        path = PurePosixPath(self.source.folder) / file.name
        try:
            if self.source.afterwards == REMOVE:
                await server.remove(str(path))
            elif self.source.afterwards == MOVE:
                target = PurePosixPath(self.source.moved_to) / file.name
                if await server.exists(str(target)):
                    target = target.with_name(f"{target.stem} {sha256[:8]}{target.suffix}")
                await server.rename(str(path), str(target))
        except asyncssh.SFTPError as error:
            if isinstance(error, asyncssh.SFTPConnectionLost | asyncssh.SFTPNoConnection):
                raise
            return [f"A fetched file stays on {self.source.host}: it cannot be moved or removed."]
        return []

    @property
    def _fetched_path(self) -> Path:
        return self.folder.path / TAKING / FETCHED

    def _read_fetched(self) -> dict[str, str]:
        """Return hashes of what was fetched, by name, size and time; empty if that is lost.

        Then files are fetched again, and the casebook knows them by their bytes.
        """
        try:
            return dict(json.loads(self._fetched_path.read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError):
            return {}

    def _write_fetched(self, fetched: dict[str, str]) -> None:
        """Remember what was fetched: whole, or as it was before."""
        text = json.dumps(fetched, ensure_ascii=False, indent=1)
        half = self._fetched_path.with_name(f"{FETCHED}.new")
        half.write_text(text, encoding="utf-8")
        half.replace(self._fetched_path)
        sync_folder(self._fetched_path.parent)


def _listed(entries: Iterable[Any], pattern: str) -> tuple[list[_RemoteFile], int]:
    """Return the files that fit a pattern, the earliest first, and how many cannot be fetched."""
    files, unfit = [], 0
    for entry in entries:
        name, facts = str(entry.filename), entry.attrs
        is_file = facts.type == 1  # SSH_FILEXFER_TYPE_REGULAR
        is_ready = not name.startswith(".") and not name.lower().endswith(UNFINISHED)
        if not is_file or not is_ready or not fnmatch.fnmatchcase(name, pattern):
            continue
        is_safe = "/" not in name and "\\" not in name and name.isprintable()
        size = -1 if facts.size is None else facts.size  # a server may leave it out
        if is_safe and len(name.encode()) <= NAME_BYTES and 0 <= size <= LIMITS.text_bytes:
            files.append(_RemoteFile(name, int(size), int(facts.mtime or 0)))
        else:
            unfit += 1
    return sorted(files, key=lambda file: (file.changed_at, file.name)), unfit


def _secret(path: Path | None) -> str | None:
    """Return what a file of secrets says, without the end of its line."""
    return None if path is None else path.read_text(encoding="utf-8").rstrip("\r\n")


def _lasting_errors() -> tuple[type[Exception], ...]:
    """Return the errors that another try does not mend."""
    import asyncssh  # noqa: PLC0415  only who fetches has it

    return (
        asyncssh.HostKeyNotVerifiable,
        asyncssh.PermissionDenied,
        asyncssh.SFTPNoSuchFile,
        asyncssh.SFTPPermissionDenied,
    )


def _sentence(error: Exception, host: str) -> str:
    """Return why a look failed, without what the server said."""
    import asyncssh  # noqa: PLC0415  only who fetches has it

    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return f"{host} has another host key than the settings name. Nothing was fetched."
    if isinstance(error, asyncssh.PermissionDenied):
        return f"{host} did not accept our key or password. Nothing was fetched."
    if isinstance(error, asyncssh.SFTPNoSuchFile | asyncssh.SFTPPermissionDenied):
        return f"The folder on {host} is not there, or may not be read."
    return f"The connection to {host} failed or broke off ({type(error).__name__})."
