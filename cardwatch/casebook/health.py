"""Health checks of the database, the disk and the settings."""

from __future__ import annotations

import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from cardwatch.casebook.database import is_this_machine, sqlite_library
from cardwatch.casebook.tables import metadata

if TYPE_CHECKING:
    from cardwatch.casebook.database import Casebook

LEAST_FREE_BYTES = 1 << 30
PATCHED_SQLITE = (3, 51, 3)
BACKPORTED = {(3, 44): 6, (3, 50): 7}
"""SQLite 3.7.0 to 3.51.2 can damage a WAL when several write and it starts anew (sqlite.org,
WAL-reset bug); these versions of older branches have it mended."""
NETWORK = {"nfs", "nfs4", "cifs", "smb3", "fuse.sshfs", "9p"}
OLDEST_POSTGRESQL = 15


@dataclass(frozen=True)
class Finding:
    """One thing looked at: whether it is well, and what was seen or is to be done."""

    what: str
    is_well: bool
    seen: str


def examine(casebook: Casebook, *, quickly: bool = False) -> list[Finding]:
    """Return everything that was looked at, in a fixed order.

    Args:
        casebook: what is examined.
        quickly: whether to leave out what reads the whole file.
    """
    findings = _sqlite(casebook, quickly=quickly) if casebook.is_sqlite else _postgresql(casebook)
    folder = casebook.checkpoints
    detail = f"signed, in {folder}" if folder else "none are written: set CARDWATCH_CHECKPOINTS"
    if folder and casebook.is_sqlite and folder.absolute().is_relative_to(_folder(casebook)):
        detail += "; copy them to another machine, away from the casebook"
    return [*findings, Finding("checkpoints", folder is not None, detail)]


def _folder(casebook: Casebook) -> Path:
    return Path(str(casebook.url.database)).absolute().parent


def _sqlite(casebook: Casebook, *, quickly: bool) -> list[Finding]:
    version_text = sqlite_library().sqlite_version
    first, second, third = map(int, version_text.split("."))
    mended = (first, second, third) >= PATCHED_SQLITE or third >= BACKPORTED.get(
        (first, second), 1 << 30
    )
    version_text += (
        "" if mended else ": it can damage the file; install pysqlite3 or a newer Python"
    )
    with casebook.engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
        whole = "" if quickly else connection.exec_driver_sql("PRAGMA integrity_check").scalar()
    path = Path(str(casebook.url.database))
    mode = stat.S_IMODE(path.stat().st_mode)
    free = shutil.disk_usage(path.absolute().parent).free
    kind, is_written = _file_system(path), pragmas["synchronous"] == 2
    where = "over a network, which can damage the file" if kind in NETWORK else "on this machine"
    return [
        Finding("SQLite", mended, version_text),
        Finding("journal", pragmas["journal_mode"] == "wal", f"{pragmas['journal_mode']}"),
        Finding("synchronous", is_written, "full" if is_written else "set it to FULL"),
        Finding(
            "foreign keys", pragmas["foreign_keys"] == 1, "on" if pragmas["foreign_keys"] else "off"
        ),
        *([] if quickly else [Finding("integrity", whole == "ok", f"{whole}")]),
        Finding("file permissions", not mode & 0o077, _access(mode)),
        Finding("free disk", free >= LEAST_FREE_BYTES, f"{free / 2**30:.1f} GiB"),
        Finding("file system", kind not in NETWORK, f"{kind or 'not known'}, {where}"),
    ]


def _access(mode: int) -> str:
    """Say who can open a file of some permissions."""
    who = "others than its owner can open it: set 600" if mode & 0o077 else "for its owner alone"
    return f"{mode:o}, {who}"


def _file_system(path: Path) -> str:
    """Return the kind of file system a file is on, where the system tells."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return ""
    best, kind = -1, ""
    for line in mounts.read_text(encoding="utf-8", errors="replace").splitlines():
        place, filesystem = line.split()[1:3]
        if path.absolute().is_relative_to(place) and len(place) > best:
            best, kind = len(place), filesystem
    return kind


def _postgresql(casebook: Casebook) -> list[Finding]:
    with casebook.engine.connect() as connection:
        server_settings = {
            name: str(connection.execute(sa.text(f"SHOW {name}")).scalar())
            for name in ("server_version_num", "fsync", "synchronous_commit", "full_page_writes")
        }
        role = connection.execute(
            sa.text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        ).scalar()
        owned = connection.execute(
            sa.text("SELECT count(*) FROM pg_tables WHERE tableowner = current_user")
        ).scalar()
        forced = connection.execute(
            sa.text("SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity")
        ).scalars()
        missing = sorted(metadata.tables.keys() - set(forced))
        driver_connection: Any = connection.connection.driver_connection
        way = way_to(
            driver_connection.info.host,
            driver_connection.info.get_parameters().get("sslmode", "prefer"),
        )
    major = int(server_settings["server_version_num"]) // 10_000
    role_detail = (
        "it sees every organisation's rows; use another role" if role else "bound by row security"
    )
    role_detail += (
        "; it owns the tables, and 'cardwatch casebook upgrade --serve-as' lets another serve"
        if owned
        else ""
    )
    return [
        Finding("PostgreSQL", major >= OLDEST_POSTGRESQL, str(major)),
        *(
            Finding(name, server_settings[name] == "on", server_settings[name])
            for name in ("fsync", "synchronous_commit", "full_page_writes")
        ),
        way,
        Finding("database role", not role, role_detail),
        Finding("row security", not missing, ", ".join(missing) or "forced on every table"),
    ]


def way_to(host: str, sslmode: str) -> Finding:
    """Return whether nobody between here and a database's host can read or change what passes."""
    is_near = is_this_machine(host)
    detail = f"to {host or 'this machine'}, sslmode {sslmode}"
    detail += "" if is_near else "; over a network it must be verify-full"
    return Finding("connection", is_near or sslmode == "verify-full", detail)
