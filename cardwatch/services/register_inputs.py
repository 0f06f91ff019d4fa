"""Registers as a scoring uses them: versions joined by kind, and decisions about names."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from cardwatch.casebook import PSD
from cardwatch.casebook import registers as kept
from cardwatch.casebook.register_content import read_version
from cardwatch.casebook.unit_of_work import canonical
from cardwatch.errors import NotFound
from cardwatch.features.name_matches import compared_pair
from cardwatch.records import Register, RegisterReport
from cardwatch.registers import join_registers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.rows import MatchDecision
    from cardwatch.services.context import ServiceContext

MATCHES = "matches"
"""The kind of register that holds what people decided about names."""


def split_unreadable(
    uow: UnitOfWork, used: kept.UsedRegisters
) -> tuple[kept.UsedRegisters, tuple[str, ...]]:
    """Return what can be used, and the ids of professional standards' versions that cannot.

    One that is not as it was kept must not refuse the statement: whoever has it may not know of it.
    A version that finance sees is not left out, and `load_registers` refuses it.
    """
    unreadable = {
        version.version_id for version in used.versions if _is_unreadable(uow, version.version_id)
    }
    kept_versions = (one for one in used.versions if one.version_id not in unreadable)
    return replace(used, versions=tuple(kept_versions)), tuple(sorted(unreadable))


def _is_unreadable(uow: UnitOfWork, version_id: str) -> bool:
    """Whether a version that professional standards alone may see is not as it was kept."""
    try:
        read_version(uow, version_id)
    except NotFound:
        return bool(kept.get_version(uow, version_id)["lane"] == PSD)
    return False


def actor_registers(context: ServiceContext) -> tuple[Register, ...]:
    """Return the registers of the actor's lanes, as a scoring of today uses them."""
    lanes = context.actor.lanes
    with context.snapshot(lanes) as uow:
        return load_registers(uow, kept.visible_registers(uow))


def registers_then(
    uow: UnitOfWork, statement_id: str, *, fresh: bool = False
) -> tuple[Register, ...]:
    """Return the registers that a statement was scored with, as far as the actor may see them.

    Arguments and errors as of `load_registers`.
    """
    used = kept.registers_of_list(uow, kept.visible_lane(uow), statement_id)
    return load_registers(uow, used, fresh=fresh)


def load_registers(
    uow: UnitOfWork, used: kept.UsedRegisters, *, fresh: bool = False
) -> tuple[Register, ...]:
    """Return registers, one a kind, each made of its versions.

    Args:
        used: which versions.
        fresh: whether each is read from the database again and compared with its hash.

    Raises:
        NotFound: a version is not kept any more, or is not as it was.
    """
    by_kind: dict[str, list[Register]] = {}
    replaced: dict[str, int] = {}
    for version in used.versions:
        register, replaces = read_version(uow, version.version_id, fresh=fresh)
        versions = by_kind.setdefault(register.kind, [])
        if replaces:
            replaced[register.kind] = len(versions)
        versions.append(register)
    registers = [join_registers(by_kind[kind], replaced.get(kind, 0)) for kind in sorted(by_kind)]
    rows = kept.list_matches(uow, used.matches) if used.matches else []
    return (*registers, matches_register(rows)) if rows else tuple(registers)


def current_matches(rows: Iterable[MatchDecision]) -> dict[tuple[str, str], MatchDecision]:
    """Return the last decision of each pair of a register's name and a merchant.

    A decision counts for every spelling of the name: the pair has it as names are compared.
    """
    return {compared_pair(row["organisation"], row["merchant"]): row for row in rows}


def matches_register(rows: Sequence[MatchDecision]) -> Register:
    """Return decisions about names as the register that the matcher reads."""
    pairs = sorted(current_matches(rows).values(), key=lambda row: int(row["seq"]))
    decided = [row for row in pairs if row["decision"] != kept.UNDECIDED]
    names = ("organisation", "merchant", "decision", "reason", "decided_by")
    columns = {name: [str(dict(row)[name]) for row in decided] for name in names}
    entries = pd.DataFrame(columns, dtype="str")
    on = pd.to_datetime([row["decided_at"][:10] for row in decided]).astype("datetime64[s]")
    entries = entries.assign(decided_on=on, true_from=on, known_on=on, file="", row=0)
    entries["true_until"] = pd.Series(pd.NaT, entries.index).astype("datetime64[s]")
    lines = canonical([{name: dict(row)[name] for name in names} for row in decided])
    report = RegisterReport(
        kind=MATCHES, file="", sha256=hashlib.sha256(lines.encode()).hexdigest(), form="",
        columns={}, dropped={}, unused=(), decisions=(), notes=(), rows=len(decided),
        entries=len(decided), nil_returns=0, blank=0, headings=0, problems=(),
    )  # fmt: skip
    return Register(MATCHES, entries, (report,))
