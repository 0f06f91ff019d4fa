"""Verifies the audit chains and signs checkpoints.

Whoever changes, removes, inserts or reorders a past event breaks the chain after it. Whoever cuts
off the newest events, or rewrites a whole chain, is found out only by an earlier checkpoint: so
checkpoints belong in another place, and the key that signs them in a third (docs/casebook.md).
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from cardwatch.casebook.tables import FINANCE, events, metadata
from cardwatch.casebook.work import SEALED, canonical, first_hash, next_hash
from cardwatch.errors import CardwatchError
from cardwatch.quantities import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

    from cardwatch.casebook.work import Work

AT_ONCE = 20_000
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


def verify_chain(work: Work, lane: str) -> ChainCheck:
    """Follow a chain from its first event to its last."""
    owner = work.actor.organisation_id
    question = (
        sa.select(events.c.seq, events.c.body, events.c.hash)
        .where(events.c.organisation_id == owner, events.c.lane == lane)
        .order_by(events.c.seq)
        .execution_options(yield_per=AT_ONCE)
    )
    before, count = first_hash(owner, lane), 0
    seals: Counter[str] = Counter()
    for seq, body, kept in work.connection.execute(question):
        if seq != count + 1:
            fault = f"event {count + 1} is not there"
            return ChainCheck(lane, count, before, count + 1, fault)
        if kept != (after := next_hash(before, body)):
            fault = f"event {seq}, or the one before it, has been changed"
            return ChainCheck(lane, count, before, seq, fault)
        before, count = after, seq
        if '"sealed":' in body or '"unsealed":' in body:
            content = json.loads(body)
            seals.update(content.get("sealed", ()))
            seals.subtract(content.get("unsealed", ()))
    return ChainCheck(lane, count, before, fault=_check_seals(work, lane, seals))


def _check_seals(work: Work, lane: str, seals: Counter[str]) -> str:
    """Return which table's rows are not those that a chain holds the seals of, or nothing."""
    for name in SEALED:
        table = metadata.tables[name]
        question = sa.select(table).where(work.mine(table))
        if "lane" in table.c:
            question = question.where(table.c.lane == lane)
        elif lane != FINANCE:
            continue
        for row in work.rows(question):
            seal = work.seal_of(table, row)
            if seals[seal] < 1:
                return f"a row of {name} is not as it was written"
            seals[seal] -= 1
    gone = sum(seals.values())
    are = plural(gone, "row that was written is", "rows that were written are")
    return f"{gone} {are} missing" if gone else ""


def read_events(
    work: Work,
    lane: str,
    *,
    last: int = 0,
    before: int = 0,
    wanted: Mapping[str, str] | None = None,
) -> Iterator[dict[str, Any]]:
    """Return the events of a chain, the newest first.

    Args:
        work: the work it is done in.
        lane: whose chain.
        last: so many at most; 0 for all.
        before: number of the event before which they lie; 0 for the end.
        wanted: what fields of an event have to be, such as `action`.
    """
    question = sa.select(events.c.body).where(work.mine(events), events.c.lane == lane)
    if before:
        question = question.where(events.c.seq < before)
    for name, value in (wanted or {}).items():  # a body is JSON in one form only
        question = question.where(events.c.body.contains(f'"{name}":{canonical(value)}'))
    question = question.order_by(events.c.seq.desc())
    for row in work.rows(question.limit(last) if last else question):
        yield json.loads(row["body"])


def own_events(
    work: Work, lane: str, *, last: int, before: int = 0, wanted: Mapping[str, str] | None = None
) -> list[dict[str, Any]]:
    """Return the actor's own events of a chain, numbered for them, the newest first.

    For readers who hold a card: what others did with an alert about them, and how many events or
    alerts there are, would tell them that there is one. Arguments as of `read_events`.
    """
    actor = {"actor": work.actor.actor_id}
    events_of = reversed(list(read_events(work, lane, wanted=actor)))
    numbered = [
        {name: value for name, value in event.items() if name in OWN_FIELDS} | {"seq": number}
        for number, event in enumerate(events_of, start=1)
    ]
    fits = [
        event
        for event in reversed(numbered)
        if (not before or event["seq"] < before)
        and all(event[name] == value for name, value in (wanted or {}).items())
    ]
    return fits[:last]


def checkpoint_line(work: Work, key: Ed25519PrivateKey, lane: str) -> str:
    """A signed checkpoint of a chain as a line; empty before its first event."""
    owner = work.actor.organisation_id
    last = work.one(
        sa.select(events.c.seq, events.c.hash)
        .where(work.mine(events), events.c.lane == lane)
        .order_by(events.c.seq.desc())
        .limit(1)
    )
    if last is None:
        return ""
    content = {"organisation": owner, "lane": lane, "seq": last["seq"], "hash": last["hash"]}
    body = canonical(content | {"at": work.now})
    return canonical({"checkpoint": body, "signature": key.sign(body.encode()).hex()})


def sign_checkpoint(work: Work, key: Ed25519PrivateKey, folder: Path) -> list[Path]:
    """Add how far each chain of the work's lanes has come, signed, to a file a chain; return them.

    Raises:
        CardwatchError: a file cannot be written.
    """
    written = []
    for lane in work.lanes:
        path = folder / f"{work.actor.organisation_id}-{lane}.checkpoints"
        line = checkpoint_line(work, key, lane)
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
    work: Work, key: Ed25519PublicKey, lines: Sequence[str], name: str
) -> ChainCheck:
    """Return whether the chain still holds what some checkpoints say of it.

    Args:
        work: the work it is done in.
        key: by which they are checked.
        lines: the checkpoints, as `checkpoint_line` made them.
        name: of the file they come from.

    Raises:
        CardwatchError: there are none, or they are of another organisation or lane.
    """
    lane, said = "", {}
    for number, line in enumerate(lines, start=1):
        try:
            signed = json.loads(line)
            key.verify(bytes.fromhex(signed["signature"]), signed["checkpoint"].encode())
            content = json.loads(signed["checkpoint"])
        except (ValueError, KeyError, TypeError, InvalidSignature):
            fault = f"line {number} of the checkpoints is not as this installation signed it"
            return ChainCheck(lane, 0, "", 1, fault)
        mine = content["organisation"] == work.actor.organisation_id
        if not mine or content["lane"] not in work.lanes or lane not in {"", content["lane"]}:
            raise CardwatchError(f"{name} has the checkpoints of another chain.")
        lane = content["lane"]
        said[content["seq"]] = content["hash"]
    if not said:
        raise CardwatchError(f"{name} has no checkpoint.")
    question = sa.select(events.c.seq, events.c.hash).where(
        work.mine(events), events.c.lane == lane, events.c.seq.between(min(said), max(said))
    )
    found = work.connection.execute(question.execution_options(yield_per=AT_ONCE))
    held = {seq: kept for seq, kept in found if seq in said}
    for seq in sorted(said):
        if held.get(seq) != said[seq]:
            fault = f"event {seq} has changed since a checkpoint was signed"
            return ChainCheck(lane, 0, "", seq, fault)
    return ChainCheck(lane, max(said), said[max(said)])


def public_text(key: Ed25519PublicKey) -> str:
    """A public key as PEM text, for checking checkpoints."""
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
