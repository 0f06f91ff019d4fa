"""Registers in the casebook: upload a version, list them, show their quality.

A register belongs to a lane: contracts and companies to finance, everything about people to
professional standards. Whoever may not see a lane is refused in the same words whatever it holds.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from cardwatch.casebook import PSD, AuditEvent
from cardwatch.casebook import registers as kept
from cardwatch.casebook.register_content import content_sha256, pack_register, unpack_register
from cardwatch.casebook.rows import ApprovalScope
from cardwatch.casebook.suppressions import day_of
from cardwatch.casebook.tables import READS, RECEIVES
from cardwatch.errors import CardwatchError, NotAllowed, NotFound
from cardwatch.features.chance_pairs import DECLARED, ChancePairs, chance_pairs
from cardwatch.features.name_matches import name_matches, unmatched_names
from cardwatch.quantities import quantity
from cardwatch.registers import (
    RegisterKind,
    RegisterQuality,
    known_no_earlier,
    register_kind,
    register_kinds,
    register_quality,
)
from cardwatch.services.register_changes import (
    CHANGED,
    LEFT_OUT,
    Comparison,
    ShownChanges,
    find_changes,
    split_own,
    stored_changes,
)
from cardwatch.services.register_checks import queue_check
from cardwatch.services.register_inputs import MATCHES, load_registers
from cardwatch.services.register_matches import hidden_people, payments_beside, record_matches
from cardwatch.services.register_second_person import check_approved, second_upload_needed
from cardwatch.vocabulary import SECOND_PERSON, RegisterOutcome

NO_NAMES: tuple[tuple[str, ...], int, ChancePairs | None] = ((), 0, None)
"""Result of comparing a register's names with payments where either is missing."""
MOST_IN_EVENT = 1_000
"""The most entries that an event names; it counts them all."""

if TYPE_CHECKING:
    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.rows import StoredRegister
    from cardwatch.features import Ledger
    from cardwatch.records import Register, RegisterReport
    from cardwatch.services.context import ServiceContext


@dataclass(frozen=True)
class RegisterReceipt:
    """The result of uploading a register.

    Attributes:
        outcome: received; held, where the same file is the newest version already; or
            second-person, which waits for another person to upload the same.
        entries: rows that are entries.
        nil_returns: rows that say there is nothing to declare.
        unreadable: rows that could not be read.
        dropped: headings of columns that are never taken, each with the reason.
        notes: what a person should know, each a sentence; of one that waits why it does, then
            what it does with each of the first entries.
    """

    version_id: str
    kind: str
    file: str
    outcome: RegisterOutcome
    entries: int
    nil_returns: int
    unreadable: int
    dropped: dict[str, str]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class StoredVersion:
    """One version of a register that is held."""

    version_id: str
    kind: str
    file: str
    sha256: str
    known_from: str
    replaces: bool
    entries: int
    unreadable: int
    received_by: str
    received_at: str


@dataclass(frozen=True)
class RegisterSummary:
    """One kind of register that the actor may see, with how much of it is held.

    Attributes:
        row: what a row of it is.
        owner: who keeps it in the force.
        versions: how many are held.
        entries: entries in use; 0 without a version.
        last_received_at: moment of the newest version; empty without one.
    """

    kind: str
    title: str
    row: str
    owner: str
    lane: str
    versions: int
    entries: int
    last_received_at: str


@dataclass(frozen=True)
class RegisterDetail:
    """One register with its versions and quality.

    Attributes:
        versions: the newest first.
        quality: figures about the entries in use; none without a version.
        unmatched: names in it that are like no merchant of the last 13 months.
        matched: how many of its names are like a merchant.
        chance: how many of its entries tie to payments, and how many would by chance, where people
            declare in it; entries of the actor, and of whom they approve, are left out.
    """

    summary: RegisterSummary
    versions: tuple[StoredVersion, ...]
    quality: RegisterQuality | None
    unmatched: tuple[str, ...]
    matched: int
    chance: ChancePairs | None


def import_register(
    context: ServiceContext, register: Register, *, known_from: str = "", replaces: bool = False
) -> RegisterReceipt:
    """Keep a file of a register as its newest version; later scorings use it.

    A job looks at the statements of the last twelve months again; see `register_checks`.

    Entries that say when they were recorded are known from that day. Others are known from
    `known_from`; without it those of the first version from the day on which they became true,
    those of a later one from today, so that nothing is taken as known before it came.

    A later version of contracts or companies may need a second person, who uploads the same file
    with the same choices: see `register_second_person`. Until then nothing is kept of it.

    Args:
        context: who uploads it.
        register: one file, as `cardwatch.registers.read_register` gives it.
        known_from: see above.
        replaces: whether entries of earlier versions that this one lacks are used no more.

    Raises:
        NotAllowed: the role may not see such a register, or uploads nothing.
        SecondPersonNeeded: it is professional standards', and nobody has approved what it does: see
            `register_second_person`.
        CardwatchError: the day is none, or the file has no entry and no nil return.
    """
    kind, report = register_kind(register.kind), register.reports[0]
    if known_from:
        day_of(known_from, "known_from")
    event = AuditEvent("collection", "register", chain=_chain(context, kind))
    with (
        context.casebook.import_lock(context.actor.organisation_id),
        context.work(event) as uow,
    ):
        _check_upload(context, kind, report)
        if kind.kind == MATCHES:
            queue_check(uow, (PSD,))
            return _import_matches(uow, register)
        versions = kept.list_versions(uow, kind.kind)
        if versions and _is_same(versions[-1], report, known_from, replaces=replaces):
            event.outcome, event.object_id = "held", versions[-1]["version_id"]
            return _receipt(report, versions[-1]["version_id"], "held")
        day = known_from or (uow.today if versions else "")
        taken = known_no_earlier(register, dt.date.fromisoformat(day)) if day else register
        comparison = find_changes(uow, versions, taken, replaces=replaces)
        scope = ApprovalScope(known_from=known_from, replaces=replaces, follows=comparison.last)
        if kind.lane == PSD:
            check_approved(uow, register, comparison, scope)
        elif versions and (why := second_upload_needed(uow, register, comparison, scope)):
            event.outcome, event.chain = SECOND_PERSON, context.actor.chain
            return _receipt(report, "", SECOND_PERSON, why)
        event.object_id = _keep(uow, kind, taken, day, replaces=replaces)
        queue_check(uow, {kind.lane, PSD})
        notes = _record_changes(uow, report, comparison, replaces=replaces)
        return _receipt(report, event.object_id, "received", notes)


def _check_upload(context: ServiceContext, kind: RegisterKind, report: RegisterReport) -> None:
    """Refuse a register that the actor may not upload, and one without an entry.

    Raises:
        NotAllowed, CardwatchError: it is such a one.
    """
    context.allow(RECEIVES, "upload registers")
    if kind.lane not in context.actor.lanes:
        raise NotAllowed("Your role cannot upload this register.")
    if not report.entries and not report.nil_returns:
        sentence = f"{report.file} has no entry. Check the file and its columns."
        raise CardwatchError(sentence, field="file")


def _record_changes(
    uow: UnitOfWork, report: RegisterReport, comparison: Comparison, *, replaces: bool
) -> tuple[str, ...]:
    """Let the event say what a version has, and does with those in use; return the latter."""
    uow.event.counts = {"entries": report.entries, "unreadable": len(report.problems)}
    if not replaces and not comparison.changed:
        return ()
    uow.event.counts |= comparison.counts()
    lost = comparison.lost()
    uow.event.entries = [
        " ".join(map(str, comparison.place_of(found))) for found in lost[:MOST_IN_EVENT]
    ]
    effects = [found.effect for found in split_own(uow, lost)[0]]
    if not effects:
        return ()
    left_out = quantity(effects.count(LEFT_OUT), "entry", "entries")
    return (f"{left_out} of earlier versions left out, {effects.count(CHANGED):,} changed",)


def uploadable_kinds(context: ServiceContext) -> list[RegisterKind]:
    """Return the registers that the actor uploads; asked before their file is read.

    Raises:
        NotAllowed: the role uploads none.
    """
    with context.work(AuditEvent("consultation", "registers"), ()):
        context.allow(RECEIVES, "upload registers")
    return _visible_kinds(context)


def _visible_kinds(context: ServiceContext) -> list[RegisterKind]:
    """Return the kinds of the actor's lanes; what was decided about names is no register."""
    return [
        kind
        for kind in register_kinds().values()
        if kind.lane in context.actor.lanes and kind.kind != MATCHES
    ]


def list_registers(context: ServiceContext) -> list[RegisterSummary]:
    """Return each kind of register of the actor's lanes, with how much of it is held.

    Raises:
        NotAllowed: the role sees no registers.
    """
    with context.work(AuditEvent("consultation", "registers")) as uow:
        context.allow(READS, "see registers")
        rows = kept.list_versions(uow)
        registers = {r.kind: r for r in load_registers(uow, kept.visible_registers(uow))}
    return [
        _summary(kind, [row for row in rows if row["kind"] == kind.kind], registers.get(kind.kind))
        for kind in _visible_kinds(context)
    ]


def get_register(context: ServiceContext, kind_name: str) -> RegisterDetail:
    """Return one register with its versions, its quality, and the names that match no merchant.

    Raises:
        NotAllowed: the role sees no registers.
        NotFound: there is no such kind that the actor may see.
    """
    event = AuditEvent("consultation", "register")
    with context.work(event) as uow:
        context.allow(READS, "see registers")
        kind = register_kinds().get(kind_name)
        if kind is None or kind.lane not in context.actor.lanes:
            raise NotFound(f"There is no register '{kind_name}'.")
        event.object_id = kind.kind
    with context.snapshot() as uow:
        rows = kept.list_versions(uow, kind.kind)
        used = kept.visible_registers(uow)
        registers = {register.kind: register for register in load_registers(uow, used)}
        ledger = payments_beside(uow, registers) if rows else None
        hidden = hidden_people(uow) if kind.kind in DECLARED else frozenset()
    register = registers.get(kind.kind)
    quality, names = None, NO_NAMES
    if register is not None:
        units = ledger.frame["cost_centre"].unique() if ledger is not None else ()
        quality = register_quality(register, pd.Timestamp(context.now.date()), units)
        if ledger is not None and kind.kind != MATCHES:
            names = _names_beside(ledger, kind.kind, hidden)
    versions = tuple(_stored(row) for row in reversed(rows))
    return RegisterDetail(_summary(kind, rows, register), versions, quality, *names)


def _names_beside(
    ledger: Ledger, kind_name: str, hidden: frozenset[str]
) -> tuple[tuple[str, ...], int, ChancePairs | None]:
    """Return the names that match no merchant, how many do, and what chance explains of these."""
    matches = [match for match in name_matches(ledger) if match.register == kind_name]
    matched = len({match.organisation.casefold() for match in matches})
    chance = chance_pairs(ledger, kind_name, hidden) if kind_name in DECLARED else None
    return tuple(unmatched_names(ledger, kind_name)), matched, chance


def get_version(context: ServiceContext, version_id: str) -> tuple[StoredVersion, RegisterReport]:
    """Return one version of a register with its reading report: what happened to every row.

    Raises:
        NotAllowed: the role sees no registers.
        NotFound: there is none that the actor may see.
    """
    event = AuditEvent("consultation", "register")
    with context.work(event) as uow:
        context.allow(READS, "see registers")
        row = kept.get_version(uow, version_id)
        event.object_id = row["version_id"]
    return _stored(row), unpack_register(row).reports[0]


def version_changes(context: ServiceContext, version_id: str) -> ShownChanges:
    """Return the entries that a version leaves out or changes; see `register_changes`.

    Raises:
        NotAllowed: the role sees no registers.
        NotFound: there is none that the actor may see.
    """
    event = AuditEvent("consultation", "register")
    with context.work(event) as uow:
        context.allow(READS, "see registers")
        event.object_id = kept.get_version(uow, version_id)["version_id"]
    with context.snapshot() as uow:
        return stored_changes(uow, event.object_id)


def _chain(context: ServiceContext, kind: RegisterKind) -> str:
    """Return the chain for the event of an upload: its register's, or the actor's own."""
    return kind.lane if kind.lane in context.actor.lanes else context.actor.chain


def _is_same(
    row: StoredRegister, report: RegisterReport, known_from: str, *, replaces: bool
) -> bool:
    """Return whether a version is the same file, taken in the same way."""
    is_as_stated = not known_from or row["known_from"] == known_from
    return bool(row["sha256"] == report.sha256 and is_as_stated and row["replaces"] == replaces)


def _keep(
    uow: UnitOfWork, kind: RegisterKind, register: Register, known_from: str, *, replaces: bool
) -> str:
    """Keep one version, whose entries are known from a day on if they say none; return its id."""
    report, content = register.reports[0], pack_register(register)
    return kept.keep_version(
        uow,
        kept.RegisterFile(
            kind=kind.kind,
            lane=kind.lane,
            file=report.file,
            sha256=report.sha256,
            known_from=known_from,
            replaces=replaces,
            entries=report.entries,
            unreadable=len(report.problems),
            content=content,
            content_sha256=content_sha256(content),
        ),
    )


def _import_matches(uow: UnitOfWork, register: Register) -> RegisterReceipt:
    """Record the decisions in a file of reviewed matches."""
    report, entries = register.reports[0], register.entries
    names = ("organisation", "merchant", "decision", "reason")
    record_matches(uow, zip(*(entries[name] for name in names), strict=True))
    uow.event.object_id, uow.event.counts = "", {"decisions": len(entries)}
    return _receipt(report, "", "received")


def _receipt(
    report: RegisterReport,
    version_id: str,
    outcome: RegisterOutcome,
    change_notes: tuple[str, ...] = (),
) -> RegisterReceipt:
    """Return the receipt of a file; how it was read is not told of one that waits."""
    reading = () if outcome == SECOND_PERSON else (*report.decisions, *report.notes)
    return RegisterReceipt(
        version_id=version_id,
        kind=report.kind,
        file=report.file,
        outcome=outcome,
        entries=report.entries,
        nil_returns=report.nil_returns,
        unreadable=len(report.problems),
        dropped=report.dropped,
        notes=(*change_notes, *reading),
    )


def _summary(
    kind: RegisterKind, rows: list[StoredRegister], register: Register | None
) -> RegisterSummary:
    return RegisterSummary(
        kind=kind.kind,
        title=kind.title,
        row=kind.row,
        owner=kind.owner,
        lane=kind.lane,
        versions=len(rows),
        entries=len(register.entries) if register is not None else 0,
        last_received_at=rows[-1]["received_at"] if rows else "",
    )


def _stored(row: StoredRegister) -> StoredVersion:
    return StoredVersion(
        version_id=row["version_id"],
        kind=row["kind"],
        file=row["file"],
        sha256=row["sha256"],
        known_from=row["known_from"] or "",
        replaces=row["replaces"],
        entries=row["entries"],
        unreadable=row["unreadable"],
        received_by=row["received_by"],
        received_at=row["received_at"],
    )
