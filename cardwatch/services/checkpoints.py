"""Checkpoints of the audit chains: signing them, requests to witnesses, and checking them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardwatch.casebook import LANES, Actor, AuditEvent, Casebook
from cardwatch.casebook import checkpoints as stored
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.reports import PACK, check_pack
from cardwatch.services.context import ServiceContext
from cardwatch.transparency import VerifierKey, parse_note, parse_notes

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

    from cardwatch.casebook.audit import ChainCheck


PACK_WITHOUT_CHECKPOINT = (
    "{name} is as this installation signed it. It has no checkpoint, as whoever exported it holds "
    "a card: compare the audit log with a checkpoint of that day."
)


def checkpoint(
    casebook: Casebook, organisation_id: str, key: Ed25519PrivateKey, now: dt.datetime
) -> list[Path]:
    """Sign how far an organisation's chains have come; return the files, one a chain."""
    if casebook.checkpoints is None:
        return []
    itself = ServiceContext(casebook, Actor(organisation_id, SYSTEM, "admin"), now)
    with itself.work(AuditEvent("access", "checkpoint"), LANES) as uow:
        return stored.write_checkpoints(uow, key, casebook.checkpoints)


def witness_request(
    context: ServiceContext, key: Ed25519PrivateKey, *, lane: str, since: int = 0
) -> str:
    """Return a checkpoint of a chain for a witness, with the proof that the chain only grew.

    Args:
        key: signs the checkpoint.
        lane: whose chain.
        since: events of the newest checkpoint that the witness cosigned, 0 for none.

    Raises:
        NotAllowed: the actor holds a card, or the chain is not theirs.
        CardwatchError: the chain has fewer events.
    """
    with context.work(AuditEvent("consultation", "checkpoint"), context.chains) as uow:
        check_verifies(context)
        if lane not in uow.lanes:
            raise NotAllowed("Your role cannot read this audit chain.")
        return str(stored.witness_request(uow, key, lane, since))


def verify_checkpoints(
    context: ServiceContext,
    own_keys: Ed25519PublicKey | stored.InstallationKeys,
    path: Path,
    witness_keys: Sequence[VerifierKey] = (),
) -> ChainCheck:
    """Check that a chain still holds what a file of checkpoints, or a pack, says of it.

    Args:
        context: who checks.
        own_keys: of this installation, with those it has replaced.
        path: the file.
        witness_keys: where some are given, each of them has to have cosigned each checkpoint, and
            the installation's own key, which whoever rewrites history may have, counts for nothing.

    Raises:
        NotAllowed: the actor holds a card.
        CardwatchError: the file cannot be read, or is of another organisation or lane; something
            in a pack is not as it was signed.
    """
    if not isinstance(own_keys, stored.InstallationKeys):
        own_keys = stored.InstallationKeys(own_keys)
    try:
        if path.suffix == PACK:
            publics = (own_keys.public, *(key.public for key in own_keys.retired))
            checkpoint_text = check_pack(path, *publics)["checkpoint"]
            if not checkpoint_text:
                raise CardwatchError(PACK_WITHOUT_CHECKPOINT.format(name=path.name))
            notes = [parse_note(checkpoint_text)]
        else:
            notes = parse_notes(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise CardwatchError(f"{path} cannot be read.") from error
    event = AuditEvent("consultation", "audit", purpose="verification")
    with context.work(event, context.chains) as uow:
        check_verifies(context)
        return stored.check_checkpoints(uow, notes, witness_keys or own_keys, path.name)


def chain_keys(context: ServiceContext, key: Ed25519PublicKey) -> list[VerifierKey]:
    """The public keys of the chains that the actor may read, for a witness."""
    owner = context.actor.organisation_id
    return [VerifierKey(stored.origin_of(owner, lane), key) for lane in context.chains]


def check_verifies(context: ServiceContext) -> None:
    """Refuse somebody who holds a card: the number of events tells what others do about them.

    Raises:
        NotAllowed: they hold one.
    """
    if context.actor.holder_id:
        raise NotAllowed("Somebody who holds no card has to verify the audit chain.")
