"""Files that arrived in a watched folder and were refused, until somebody has dealt with them."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook import uploads
from cardwatch.casebook.rows import RefusedFile
from cardwatch.casebook.tables import refused_files
from cardwatch.casebook.unit_of_work import as_text
from cardwatch.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.fernet import MultiFernet

    from cardwatch.casebook.unit_of_work import UnitOfWork

KEPT_DAYS = 30
"""Days for which the content of a refused file is kept, and its row once it is dealt with."""
NOT_OPEN = "There is no such refused file, or somebody has dealt with it."
REFUSAL_COLUMNS = ("refusal_id", "file", "size_bytes", "received_at", "code", "reason")


def put_refused_file(
    uow: UnitOfWork, facts: Mapping[str, object], content: tuple[bytes, MultiFernet] | None = None
) -> bool:
    """Store a refusal in the lane of whoever received the file.

    The same bytes are one refusal, however often they arrive. A refusal that was dealt with is
    open again when its file comes again.

    Args:
        facts: `file`, `sha256`, `size_bytes`, `code` and `reason`.
        content: its bytes, with the installation's seal, where stating its columns may be enough.

    Returns:
        Whether it is to be announced: it was not open before.
    """
    lane = uow.actor.chain
    refusal_id = uow.keyed("refused file", lane, str(facts["sha256"]))[:12]
    uow.event.object_id = refusal_id
    uow.lock("refused file", refusal_id)
    old = as_text(dt.datetime.fromisoformat(uow.now) - dt.timedelta(KEPT_DAYS))
    uow.delete(refused_files, refused_files.c.settled_at < old)
    question = sa.select(refused_files.c.settled_at)
    row = uow.fetch_one(question.where(uow.scope(refused_files), _is(uow, refusal_id)))
    if row and row["settled_at"] is None:
        return False
    values = dict(facts) | {"received_at": uow.now, "settled_at": None, "settled_by": None}
    if row:
        uow.update(refused_files, _is(uow, refusal_id), values)
    else:
        uow.insert(refused_files, [values | {"lane": lane, "refusal_id": refusal_id}])
    if content is not None:
        until = as_text(dt.datetime.fromisoformat(uow.now) + dt.timedelta(KEPT_DAYS))
        data, seal = content
        uploads.put_refused(uow, refusal_id, str(facts["file"]), data, until, seal)
    return True


def list_refused_files(uow: UnitOfWork) -> list[RefusedFile]:
    """Return the refusals of the actor's lane that nobody has dealt with, the newest first."""
    columns = [refused_files.c[name] for name in REFUSAL_COLUMNS]
    question = sa.select(*columns).where(
        uow.scope(refused_files),
        refused_files.c.lane == uow.actor.chain,
        refused_files.c.settled_at.is_(None),
    )
    newest = question.order_by(refused_files.c.received_at.desc(), refused_files.c.refusal_id)
    rows = uow.fetch_all(newest)
    stored_ids = uploads.list_refused(uow)
    return [
        RefusedFile(**row, has_content=row["refusal_id"] in stored_ids)  # type: ignore[typeddict-item]
        for row in rows
    ]


def open_refused_file(uow: UnitOfWork, refusal_id: str, seal: MultiFernet) -> str:
    """Let a refused file wait until the actor has checked its columns; return the upload's id.

    Raises:
        NotFound: their lane has no open refusal of that id, or its bytes are not kept.
        CardwatchError: too much waits for this person already.
        FileRefused: it is not as it was kept.
    """
    if refusal_id not in {row["refusal_id"] for row in list_refused_files(uow)}:
        raise NotFound(NOT_OPEN)
    uow.event.object_id = refusal_id
    return uploads.copy_refused(uow, refusal_id, seal)


def settle_refused_file(uow: UnitOfWork, refusal_id: str) -> None:
    """Record that the actor has dealt with a refusal, and erase the content kept for it.

    Raises:
        NotFound: their lane has no open refusal of that id.
    """
    values = {"settled_at": uow.now, "settled_by": uow.actor.actor_id}
    open_one = _is(uow, refusal_id) & refused_files.c.settled_at.is_(None)
    if not uow.update(refused_files, open_one, values):
        raise NotFound(NOT_OPEN)
    uow.event.object_id = refusal_id
    uploads.delete_refused(uow, [refusal_id])


def settle_received(uow: UnitOfWork, sha256: str) -> None:
    """Record that refusals are dealt with, as a file of the same bytes was received."""
    same = (refused_files.c.sha256 == sha256) & refused_files.c.settled_at.is_(None)
    question = sa.select(refused_files.c.refusal_id).where(uow.scope(refused_files), same)
    names = [row["refusal_id"] for row in uow.fetch_all(question)]
    if names:
        values = {"settled_at": uow.now, "settled_by": uow.actor.public_id}
        uow.update(refused_files, same, values)
        uploads.delete_refused(uow, names)


def _is(uow: UnitOfWork, refusal_id: str) -> sa.ColumnElement[bool]:
    """Return the condition that a row is this refusal, of the actor's lane."""
    own_lane = refused_files.c.lane == uow.actor.chain
    return own_lane & (refused_files.c.refusal_id == refusal_id)
