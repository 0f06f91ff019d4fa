"""Content of a version of a register: packed for storage, and read again."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pandas as pd

from cardwatch.casebook import documents
from cardwatch.casebook.registers import get_version
from cardwatch.casebook.unit_of_work import canonical
from cardwatch.errors import NotFound
from cardwatch.records import Problem, Register, RegisterReport

if TYPE_CHECKING:
    from cardwatch.casebook.rows import StoredRegisterContent
    from cardwatch.casebook.unit_of_work import UnitOfWork

MOST_VERSIONS = 32
_read: dict[tuple[str, str], tuple[Register, bool]] = {}
"""Versions read last, by organisation and id: they are read at each scoring."""


def read_version(uow: UnitOfWork, version_id: str, *, fresh: bool = False) -> tuple[Register, bool]:
    """Return one version, and whether it replaces those before it."""
    key = uow.actor.organisation_id, version_id
    if fresh or key not in _read:
        row = get_version(uow, version_id)
        if len(_read) >= MOST_VERSIONS:
            _read.clear()
        _read[key] = unpack_register(row), row["replaces"]
    return _read[key]


def forget_versions() -> None:
    """Forget the versions read last, as a new process has read none."""
    _read.clear()


def pack_register(register: Register) -> bytes:
    """Return one file of a register to be kept."""
    table = io.BytesIO()
    register.entries.to_parquet(table, index=False)
    facts = {"report": asdict(register.reports[0]), "nil_units": register.nil_units}
    return documents.pack(
        {"entries.parquet": table.getvalue(), "facts.json": canonical(facts).encode()}
    )


def unpack_register(row: StoredRegisterContent) -> Register:
    """Return a version as it was read.

    Raises:
        NotFound: it is not as it was kept.
    """
    content = bytes(row["content"])
    if content_sha256(content) != row["content_sha256"]:
        raise NotFound(f"Version {row['version_id']} does not match its stored hash.")
    return unpack_content(row["kind"], content)


def unpack_content(kind: str, content: bytes) -> Register:
    """Return one file of a register that was packed."""
    files = documents.unpack(content)
    facts: dict[str, Any] = json.loads(files["facts.json"])
    entries = pd.read_parquet(io.BytesIO(files["entries.parquet"]))
    days = [name for name in entries if entries[name].dtype.kind == "M"]
    entries = entries.astype(dict.fromkeys(days, "datetime64[s]"))
    report = facts["report"]
    report["problems"] = tuple(Problem(**problem) for problem in report["problems"])
    for name in ("unused", "decisions", "notes"):
        report[name] = tuple(report[name])
    return Register(kind, entries, (RegisterReport(**report),), tuple(facts["nil_units"]))


def content_sha256(content: bytes) -> str:
    """Return the hash by which the content of a version is known."""
    return hashlib.sha256(content).hexdigest()
