"""Stores versions of registers, each in its kind's lane, and what people decided about names."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.permissions import may_decide
from cardwatch.casebook.rows import MatchDecision, StoredRegister, StoredRegisterContent
from cardwatch.casebook.tables import (
    FINANCE,
    PSD,
    alert_lists,
    match_decisions,
    register_versions,
)
from cardwatch.casebook.unit_of_work import canonical
from cardwatch.errors import CardwatchError, NotFound

if TYPE_CHECKING:
    from cardwatch.casebook.unit_of_work import UnitOfWork

SAME, NOT_THE_SAME, CANNOT_TELL, UNDECIDED = MATCH_DECISIONS = (
    "same",
    "not-the-same",
    "cannot-tell",
    "undecided",
)
"""Decisions about a name in a register and a merchant; the last takes one back."""


@dataclass(frozen=True)
class RegisterVersion:
    """One version of a register that a list of alerts was made with."""

    version_id: str
    kind: str
    sha256: str


@dataclass(frozen=True)
class UsedRegisters:
    """The registers that the list of one lane was made with.

    Attributes:
        versions: in the order received.
        matches: number of the last decision about names that counted; 0 where none did.
    """

    versions: tuple[RegisterVersion, ...] = ()
    matches: int = 0


NO_REGISTERS = UsedRegisters()


@dataclass(frozen=True)
class RegisterFile:
    """One version of a register as it came.

    Attributes:
        lane: to which its kind belongs.
        sha256: of the file's bytes.
        known_from: day from which entries count as known that say none; empty where each counts
            from the day on which it became true.
        replaces: whether entries of earlier versions that it lacks are used no more.
        entries: how many were read.
        unreadable: how many rows could not be read.
        content: it as it was read, packed.
        content_sha256: of that.
    """

    kind: str
    lane: str
    file: str
    sha256: str
    known_from: str
    replaces: bool
    entries: int
    unreadable: int
    content: bytes
    content_sha256: str


def keep_version(uow: UnitOfWork, register: RegisterFile) -> str:
    """Keep a version of a register in its lane; return its id.

    The event of the work has to be in the chain of that lane.
    """
    seq = last_seq(uow, register.lane) + 1
    version_id = uow.keyed("register", register.kind, register.sha256, str(seq))[:12]
    row = asdict(register) | {
        "version_id": version_id,
        "seq": seq,
        "known_from": register.known_from or None,
        "replaces": register.replaces,
        "received_by": uow.actor.public_id if register.lane != PSD else uow.actor.actor_id,
        "received_at": uow.now,
    }
    uow.insert(register_versions, [row])
    return version_id


def used_registers(uow: UnitOfWork, lane: str) -> UsedRegisters:
    """Return the versions held of which the list of a lane may know.

    Finance's list is made with finance's registers alone, and without decisions about names.
    """
    versions = tuple(
        RegisterVersion(row["version_id"], row["kind"], row["sha256"])
        for row in list_versions(uow)
        if lane == PSD or row["lane"] == lane
    )
    return UsedRegisters(versions, last_match(uow) if lane == PSD else 0)


def visible_registers(uow: UnitOfWork) -> UsedRegisters:
    """Return the versions held that the work may know of, as a scoring of today uses them."""
    return used_registers(uow, visible_lane(uow))


def visible_lane(uow: UnitOfWork) -> str:
    """The lane whose list was made with all the registers that the work may know of."""
    return PSD if PSD in uow.lanes else FINANCE


def registers_text(used: UsedRegisters) -> str:
    """Return what a list was made with as the text that is kept."""
    return canonical(asdict(used))


def parse_registers(text: str) -> UsedRegisters:
    """Return what a list was made with from what is kept of it."""
    content = json.loads(text)
    versions = tuple(RegisterVersion(**version) for version in content["versions"])
    return UsedRegisters(versions, content["matches"])


def registers_of_list(uow: UnitOfWork, lane: str, statement_id: str) -> UsedRegisters:
    """Return the registers that a statement's list was made with when it was scored.

    Raises:
        NotFound: the statement made no such list.
    """
    is_list = (alert_lists.c.lane == lane) & (alert_lists.c.statement_id == statement_id)
    is_list &= alert_lists.c.seq == 0
    row = uow.fetch_one(sa.select(alert_lists.c.registers).where(uow.scope(alert_lists), is_list))
    if row is None:
        raise NotFound(f"There is no list of statement '{statement_id}'.")
    return parse_registers(row["registers"])


def is_any_erased(uow: UnitOfWork, used: UsedRegisters) -> bool:
    """Whether a version that a list was made with is not kept any more."""
    ids = {row["version_id"] for row in list_versions(uow)}
    return any(version.version_id not in ids for version in used.versions)


def last_seq(uow: UnitOfWork, lane: str) -> int:
    """Return the number of a lane's newest version, 0 before the first."""
    newest = sa.select(sa.func.max(register_versions.c.seq).label("seq"))
    is_of_lane = register_versions.c.lane == lane
    row = uow.fetch_one(newest.where(uow.scope(register_versions), is_of_lane))
    return int((row and row["seq"]) or 0)


def list_versions(uow: UnitOfWork, kind: str = "") -> list[StoredRegister]:
    """Return the versions of the work's lanes without their content, in the order received."""
    columns = [column for column in register_versions.c if column.name != "content"]
    question = sa.select(*columns).where(uow.scope(register_versions))
    if kind:
        question = question.where(register_versions.c.kind == kind)
    order = (register_versions.c.lane, register_versions.c.seq)
    return uow.fetch_all(question.order_by(*order), StoredRegister)


def get_version(uow: UnitOfWork, version_id: str) -> StoredRegisterContent:
    """Return a version of the work's lanes, with its content, by its id or the beginning of it.

    Raises:
        NotFound: there is none, or there are several.
    """
    fits = register_versions.c.version_id.startswith(version_id, autoescape=True)
    rows = uow.fetch_all(
        sa.select(register_versions).where(uow.scope(register_versions), fits).limit(2),
        StoredRegisterContent,
    )
    if len(rows) != 1 or not version_id:
        raise NotFound(
            f"There is no version '{version_id}' of a register. It may have been deleted at the "
            "end of its time."
        )
    return rows[0]


def record_match(
    uow: UnitOfWork, *, organisation: str, merchant: str, decision: str, reason: str
) -> int:
    """Record whether a name in a register and a merchant are one; return the decision's number.

    It is remembered for the pair; a later decision of the same pair takes its place.

    Raises:
        NotAllowed: the actor decides nothing in the lane of professional standards.
        CardwatchError: no reason is given, or there is no such decision.
    """
    may_decide(uow, PSD, reason)
    if decision not in MATCH_DECISIONS:
        sentence = f"Choose one of {', '.join(MATCH_DECISIONS)}, not '{decision}'."
        raise CardwatchError(sentence, field="decision")
    if not organisation.strip() or not merchant.strip():
        raise CardwatchError("Enter the name in the register and the merchant.", field="merchant")
    seq = last_match(uow) + 1
    row = {"lane": PSD, "seq": seq, "organisation": organisation, "merchant": merchant}
    row |= {"decision": decision, "reason": reason}
    row |= {"decided_by": uow.actor.actor_id, "decided_at": uow.now}
    uow.insert(match_decisions, [row])
    uow.event.object_id = str(seq)
    return seq


def last_match(uow: UnitOfWork) -> int:
    """Return the number of the newest decision about names, 0 before the first."""
    newest = sa.select(sa.func.max(match_decisions.c.seq).label("seq"))
    row = uow.fetch_one(newest.where(uow.scope(match_decisions)))
    return int((row and row["seq"]) or 0)


def list_matches(uow: UnitOfWork, until: int | None = None) -> list[MatchDecision]:
    """Return the decisions about names in the order made.

    Args:
        until: number of the last that counts; all without it.
    """
    question = sa.select(match_decisions).where(uow.scope(match_decisions))
    if until is not None:
        question = question.where(match_decisions.c.seq <= until)
    return uow.fetch_all(question.order_by(match_decisions.c.seq), MatchDecision)
