"""Verifies the audit chains and signs checkpoints.

Whoever changes, removes, inserts or reorders a past event breaks the chain after it. Whoever cuts
off the newest events, or rewrites a whole chain, is found out only by an earlier checkpoint: so
checkpoints belong in another place, and the key that signs them in a third (docs/casebook.md).
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from cardwatch.casebook.tables import FINANCE, audit_events, metadata
from cardwatch.casebook.unit_of_work import SEALED, canonical, first_hash, next_hash
from cardwatch.errors import CardwatchError
from cardwatch.quantities import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

    from cardwatch.casebook.rows import Event
    from cardwatch.casebook.unit_of_work import UnitOfWork

EVENTS_PER_QUERY = 20_000
OWN_FIELDS = ("at", "actor", "role", "action", "object", "id", "purpose", "outcome")
"""What a reader who holds a card is told of their own events: no count, no seal."""


@dataclass(frozen=True)
class ChainCheck:
    """The result of verifying one chain.

    Attributes:
        events: how many follow each other without a break.
        last_hash: of the last of them.
        broken_at: number of the first event that does not fit, 0 where all do.
        fault: what is wrong, in a sentence; empty where nothing is.
    """

    lane: str
    events: int
    last_hash: str
    broken_at: int = 0
    fault: str = ""


def verify_chain(uow: UnitOfWork, lane: str) -> ChainCheck:
    """Follow a chain from its first event to its last."""
    owner = uow.actor.organisation_id
    question = (
        sa.select(audit_events.c.seq, audit_events.c.body, audit_events.c.hash)
        .where(audit_events.c.organisation_id == owner, audit_events.c.lane == lane)
        .order_by(audit_events.c.seq)
        .execution_options(yield_per=EVENTS_PER_QUERY)
    )
    before, count = first_hash(owner, lane), 0
    seals: Counter[str] = Counter()
    for seq, body, stored_hash in uow.connection.execute(question):
        if seq != count + 1:
            fault = f"event {count + 1} is not there"
            return ChainCheck(lane, count, before, count + 1, fault)
        if stored_hash != (after := next_hash(before, body)):
            fault = f"event {seq}, or the one before it, has been changed"
            return ChainCheck(lane, count, before, seq, fault)
        before, count = after, seq
        if '"sealed":' in body or '"unsealed":' in body:
            content = json.loads(body)
            seals.update(content.get("sealed", ()))
            seals.subtract(content.get("unsealed", ()))
    return ChainCheck(lane, count, before, fault=_check_seals(uow, lane, seals))


def _check_seals(uow: UnitOfWork, lane: str, seals: Counter[str]) -> str:
    """Return which table's rows are not those that a chain holds the seals of, or nothing."""
    for name in SEALED:
        table = metadata.tables[name]
        question = sa.select(table).where(uow.scope(table))
        if "lane" in table.c:
            question = question.where(table.c.lane == lane)
        elif lane != FINANCE:
            continue
        for row in uow.fetch_all(question):
            seal = uow.seal_of(table, row)
            if seals[seal] < 1:
                return f"a row of {name} is not as it was written"
            seals[seal] -= 1
    gone = sum(seals.values())
    are = plural(gone, "row that was written is", "rows that were written are")
    return f"{gone} {are} missing" if gone else ""


def read_events(
    uow: UnitOfWork,
    lane: str,
    *,
    last: int = 0,
    before: int = 0,
    wanted: Mapping[str, str] | None = None,
) -> Iterator[Event]:
    """Return the events of a chain, the newest first.

    Args:
        uow: the work it is done in.
        lane: whose chain.
        last: so many at most; 0 for all.
        before: number of the event before which they lie; 0 for the end.
        wanted: what fields of an event have to be, such as `action`.
    """
    question = sa.select(audit_events.c.body).where(
        uow.scope(audit_events), audit_events.c.lane == lane
    )
    if before:
        question = question.where(audit_events.c.seq < before)
    for name, value in (wanted or {}).items():  # a body is JSON in one form only
        question = question.where(audit_events.c.body.contains(f'"{name}":{canonical(value)}'))
    question = question.order_by(audit_events.c.seq.desc())
    for row in uow.fetch_all(question.limit(last) if last else question):
        yield json.loads(row["body"])


def own_events(
    uow: UnitOfWork,
    lane: str,
    *,
    last: int,
    before: int = 0,
    wanted: Mapping[str, str] | None = None,
) -> list[Event]:
    """Return the actor's own events of a chain, numbered for them, the newest first.

    For readers who hold a card: what others did with an alert about them, and how many events or
    alerts there are, would tell them that there is one. Arguments as of `read_events`.
    """
    actor = {"actor": uow.actor.actor_id}
    events_of = reversed(list(read_events(uow, lane, wanted=actor)))
    numbered = [
        (number, {name: value for name, value in event.items() if name in OWN_FIELDS})
        for number, event in enumerate(events_of, start=1)
    ]
    fits = [
        cast("Event", event | {"seq": number})
        for number, event in reversed(numbered)
        if (not before or number < before)
        and all(event[name] == value for name, value in (wanted or {}).items())
    ]
    return fits[:last]


def checkpoint_line(uow: UnitOfWork, key: Ed25519PrivateKey, lane: str) -> str:
    """A signed checkpoint of a chain as a line; empty before its first event."""
    owner = uow.actor.organisation_id
    last = uow.fetch_one(
        sa.select(audit_events.c.seq, audit_events.c.hash)
        .where(uow.scope(audit_events), audit_events.c.lane == lane)
        .order_by(audit_events.c.seq.desc())
        .limit(1)
    )
    if last is None:
        return ""
    content = {"organisation": owner, "lane": lane, "seq": last["seq"], "hash": last["hash"]}
    body = canonical(content | {"at": uow.now})
    return canonical({"checkpoint": body, "signature": key.sign(body.encode()).hex()})


def sign_checkpoint(uow: UnitOfWork, key: Ed25519PrivateKey, folder: Path) -> list[Path]:
    """Add how far each chain of the work's lanes has come, signed, to a file a chain; return them.

    Raises:
        CardwatchError: a file cannot be written.
    """
    written = []
    for lane in uow.lanes:
        path = folder / f"{uow.actor.organisation_id}-{lane}.checkpoints"
        line = checkpoint_line(uow, key, lane)
        if not line:
            continue
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        except OSError as error:
            raise CardwatchError(f"{path} cannot be written: {error.strerror}.") from error
        written.append(path)
    return written


def check_checkpoints(
    uow: UnitOfWork, key: Ed25519PublicKey, lines: Sequence[str], name: str
) -> ChainCheck:
    """Return whether the chain still holds what some checkpoints say of it.

    Args:
        uow: the work it is done in.
        key: by which they are checked.
        lines: the checkpoints, as `checkpoint_line` made them.
        name: of the file they come from.

    Raises:
        CardwatchError: there are none, or they are of another organisation or lane.
    """
    lane, signed_hashes = "", {}
    for number, line in enumerate(lines, start=1):
        try:
            signed = json.loads(line)
            key.verify(bytes.fromhex(signed["signature"]), signed["checkpoint"].encode())
            content = json.loads(signed["checkpoint"])
        except (ValueError, KeyError, TypeError, InvalidSignature):
            fault = f"line {number} of the checkpoints is not as this installation signed it"
            return ChainCheck(lane, 0, "", 1, fault)
        is_own_organisation = content["organisation"] == uow.actor.organisation_id
        if (
            not is_own_organisation
            or content["lane"] not in uow.lanes
            or lane not in {"", content["lane"]}
        ):
            raise CardwatchError(f"{name} has the checkpoints of another chain.")
        lane = content["lane"]
        signed_hashes[content["seq"]] = content["hash"]
    if not signed_hashes:
        raise CardwatchError(f"{name} has no checkpoint.")
    question = sa.select(audit_events.c.seq, audit_events.c.hash).where(
        uow.scope(audit_events),
        audit_events.c.lane == lane,
        audit_events.c.seq.between(min(signed_hashes), max(signed_hashes)),
    )
    event_rows = uow.connection.execute(question.execution_options(yield_per=EVENTS_PER_QUERY))
    stored_hashes = {seq: event_hash for seq, event_hash in event_rows if seq in signed_hashes}
    for seq in sorted(signed_hashes):
        if stored_hashes.get(seq) != signed_hashes[seq]:
            fault = f"event {seq} has changed since a checkpoint was signed"
            return ChainCheck(lane, 0, "", seq, fault)
    return ChainCheck(lane, max(signed_hashes), signed_hashes[max(signed_hashes)])


def public_text(key: Ed25519PublicKey) -> str:
    """A public key as PEM text, for checking checkpoints."""
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
