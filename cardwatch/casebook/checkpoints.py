"""Checkpoints of the audit chains: signed notes of how long a chain is and what it holds.

Whoever has the database and the signing key can rewrite a chain so that nothing in it shows that.
A checkpoint that left the machine before, or that somebody else cosigned, shows it: the tree over
the rewritten events has another root (docs/decisions/0038-merkle-checkpoints.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization

from cardwatch.casebook.audit import EVENTS_PER_QUERY, ChainCheck
from cardwatch.casebook.tables import audit_events
from cardwatch.errors import CardwatchError
from cardwatch.transparency import (
    Checkpoint,
    Frontier,
    Note,
    VerifierKey,
    WitnessRequest,
    leaf_hash,
    parse_checkpoint,
    prove_consistency,
    sign_note,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

    from cardwatch.casebook.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class RetiredKey:
    """The public half of a key that signed checkpoints once.

    Attributes:
        events: how many events each chain had when it was replaced, by the chain's name: a longer
            chain it cannot have signed. Missing until they are counted.
    """

    public: Ed25519PublicKey
    events: Mapping[str, int] | None


@dataclass(frozen=True)
class InstallationKeys:
    """The public keys of an installation: of the key that signs now, and of those before it."""

    public: Ed25519PublicKey
    retired: tuple[RetiredKey, ...] = ()

    def signers(self, checkpoint: Checkpoint) -> list[VerifierKey]:
        """The keys that can have signed a checkpoint."""
        older = [
            key.public
            for key in self.retired
            if key.events is None or checkpoint.size <= key.events.get(checkpoint.origin, 0)
        ]
        return [VerifierKey(checkpoint.origin, public) for public in (self.public, *older)]


_frontiers: dict[tuple[str, str, str], tuple[Frontier, str]] = {}
"""By database, organisation and lane: the tree as it was last signed here, and its last hash."""


def origin_of(organisation_id: str, lane: str) -> str:
    """The name of a chain in checkpoints, and of the key that signs them."""
    return f"cardwatch/{organisation_id}/{lane}"


def sign_checkpoint(uow: UnitOfWork, key: Ed25519PrivateKey, lane: str) -> Note | None:
    """Sign how far a chain has come; nothing before its first event."""
    tree = _tree_of(uow, lane)
    if not tree.size:
        return None
    origin = origin_of(uow.actor.organisation_id, lane)
    return sign_note(str(Checkpoint(origin, tree.size, tree.root())), origin, key)


def _tree_of(uow: UnitOfWork, lane: str) -> Frontier:
    """The tree of a chain: only events that came since it was last signed here are read."""
    place = (str(uow.connection.engine.url), uow.actor.organisation_id, lane)
    last_tree, last_hash = _frontiers.get(place, (Frontier(), ""))
    tree = Frontier(last_tree.size, last_tree.roots)
    if tree.size and last_hash not in _event_hashes(uow, lane, first=tree.size, last=tree.size):
        tree = Frontier()
    for event_hash in _event_hashes(uow, lane, first=tree.size + 1):
        tree.add(_leaf(event_hash))
        last_hash = event_hash
    _frontiers[place] = tree, last_hash
    return tree


def _event_hashes(
    uow: UnitOfWork, lane: str, *, first: int = 1, last: int | None = None
) -> Iterator[str]:
    """The hashes of a chain's events, in order."""
    question = sa.select(audit_events.c.hash).where(
        uow.scope(audit_events), audit_events.c.lane == lane, audit_events.c.seq >= first
    )
    if last is not None:
        question = question.where(audit_events.c.seq <= last)
    question = question.order_by(audit_events.c.seq)
    question = question.execution_options(yield_per=EVENTS_PER_QUERY)
    with uow.connection.execute(question) as rows:
        for row in rows:
            yield str(row[0])


def _leaf(event_hash: str) -> bytes:
    """The leaf of an event: its hash in the chain covers its body and all events before it."""
    return leaf_hash(event_hash.encode())


def write_checkpoints(uow: UnitOfWork, key: Ed25519PrivateKey, folder: Path) -> list[Path]:
    """Add how far each chain of the work's lanes has come, signed, to a file a chain; return them.

    Raises:
        CardwatchError: a file cannot be written.
    """
    written = []
    for lane in uow.lanes:
        path = folder / f"{uow.actor.organisation_id}-{lane}.checkpoints"
        note = sign_checkpoint(uow, key, lane)
        if note is None:
            continue
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with path.open("a", encoding="utf-8") as file:
                file.write(f"{note}\n")
        except OSError as error:
            raise CardwatchError(f"{path} cannot be written: {error.strerror}.") from error
        written.append(path)
    return written


def witness_request(
    uow: UnitOfWork, key: Ed25519PrivateKey, lane: str, since: int
) -> WitnessRequest:
    """Sign how far a chain has come, with the proof that it continues its first events.

    Args:
        key: signs the checkpoint.
        lane: whose chain.
        since: events of the newest checkpoint that the witness cosigned, 0 for none.

    Raises:
        CardwatchError: the chain has no event, or fewer than those.
    """
    leaves = [_leaf(event_hash) for event_hash in _event_hashes(uow, lane)]
    note = sign_checkpoint(uow, key, lane)
    if note is None or not 0 <= since <= len(leaves):
        raise CardwatchError(f"The audit chain has {len(leaves)} events.", field="since")
    return WitnessRequest(since, tuple(prove_consistency(leaves, since)), note)


def check_checkpoints(
    uow: UnitOfWork,
    notes: Sequence[Note],
    keys: Sequence[VerifierKey] | InstallationKeys,
    name: str,
) -> ChainCheck:
    """Check that a chain still holds what some checkpoints say of it.

    Args:
        notes: the checkpoints, all of one chain.
        keys: of witnesses, each of whom has to have signed each of the checkpoints, or those of
            the installation, of which one has to have.
        name: of the file they come from.

    Raises:
        CardwatchError: there are none, or they are of another organisation or lane.
    """
    signed_roots: dict[int, bytes] = {}
    lane = ""
    origins = {origin_of(uow.actor.organisation_id, lane): lane for lane in uow.lanes}
    for number, note in enumerate(notes, start=1):
        checkpoint = parse_checkpoint(note.text)
        unsigned = _unsigned(note, checkpoint, keys)
        if origins.get(checkpoint.origin) not in ({lane} if lane else set(uow.lanes)):
            raise CardwatchError(f"{name} has the checkpoints of another chain.")
        lane = origins[checkpoint.origin]
        if unsigned:
            return ChainCheck(lane, 0, "", 1, f"checkpoint {number} is not signed by {unsigned}")
        if signed_roots.setdefault(checkpoint.size, checkpoint.root) != checkpoint.root:
            fault = f"two checkpoints of {checkpoint.size} events differ: history was rewritten"
            return ChainCheck(lane, 0, "", 1, fault)
    if not signed_roots:
        raise CardwatchError(f"{name} has no checkpoint.")
    return _compare(uow, lane, signed_roots)


def _unsigned(
    note: Note, checkpoint: Checkpoint, keys: Sequence[VerifierKey] | InstallationKeys
) -> str:
    """The name of a key that has not signed a checkpoint and had to; empty if there is none."""
    if isinstance(keys, InstallationKeys):
        is_signed = any(note.is_signed_by(key) for key in keys.signers(checkpoint))
        return "" if is_signed else checkpoint.origin
    return next((key.name for key in keys if not note.is_signed_by(key)), "")


def _compare(uow: UnitOfWork, lane: str, signed_roots: dict[int, bytes]) -> ChainCheck:
    """Compare a chain with the roots that were signed, by size."""
    tree, last_hash, good_size = Frontier(), "", 0
    for event_hash in _event_hashes(uow, lane, last=max(signed_roots)):
        tree.add(_leaf(event_hash))
        last_hash = event_hash
        if tree.size in signed_roots:
            if tree.root() != signed_roots[tree.size]:
                fault = (
                    f"the events from {good_size + 1} to {tree.size} are not those that were signed"
                )
                return ChainCheck(lane, good_size, "", good_size + 1, fault)
            good_size = tree.size
    if tree.size < max(signed_roots):
        fault = f"a checkpoint was signed of {max(signed_roots)} events, and {tree.size} are left"
        return ChainCheck(lane, tree.size, "", tree.size + 1, fault)
    return ChainCheck(lane, good_size, last_hash)


def public_text(key: Ed25519PublicKey) -> str:
    """A public key as PEM text, for checking packs."""
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()
