"""Files that wait until somebody has checked their columns: an hour at most, for them alone.

A refused file of a watched folder waits a month at most, for anybody of its lane.
"""

from __future__ import annotations

import datetime as dt
import json
import secrets
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.rows import WaitingUpload
from cardwatch.casebook.tables import uploads
from cardwatch.casebook.unit_of_work import as_text, canonical
from cardwatch.errors import CardwatchError, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardwatch.casebook.unit_of_work import UnitOfWork

WAITING_MINUTES = 60
WAITING_BYTES = 100 * 1024 * 1024
"""Bytes of files that may wait for one person at once."""
REFUSED_OWNER = "refused-file"
"""Whose a refused file is, in place of a person: any of its lane may state its columns."""
NOT_KEPT = "This file is not kept any more. Upload it again."
SHOWN_COLUMNS = ("upload_id", "file", "size_bytes", "expires_at", "options")


def put_upload(
    uow: UnitOfWork, file: str, content: bytes, size_bytes: int, options: Mapping[str, str]
) -> str:
    """Store a file until its columns are checked; return its id.

    Args:
        file: its name as it may be shown.
        content: its bytes, sealed.
        size_bytes: how many they were before.
        options: what the sender chose for it.

    Raises:
        CardwatchError: too much waits for this person already.
    """
    erase_expired(uow)
    waiting = sum(row["size_bytes"] for row in list_uploads(uow))
    if waiting + size_bytes > WAITING_BYTES:
        sentence = (
            f"{file}: too many files are waiting for their columns. Check or discard those first, "
            "then upload this one again"
        )
        raise CardwatchError(sentence, field="file")
    upload_id = secrets.token_hex(6)
    expires_at = dt.datetime.fromisoformat(uow.now) + dt.timedelta(minutes=WAITING_MINUTES)
    row = {"upload_id": upload_id, "made_by": uow.actor.actor_id, "made_at": uow.now}
    row |= {"file": file, "options": canonical(dict(options)), "expires_at": as_text(expires_at)}
    uow.insert(uploads, [row | {"size_bytes": size_bytes, "content": content}])
    return upload_id


def get_upload(uow: UnitOfWork, upload_id: str) -> tuple[str, bytes, dict[str, str]]:
    """Return the name, the sealed bytes and the options of a file that waits for the actor.

    Raises:
        NotFound: none of that id waits for them.
    """
    question = sa.select(uploads).where(_own(uow), uploads.c.upload_id == upload_id)
    row = uow.fetch_one(question)
    if row is None:
        raise NotFound(NOT_KEPT)
    return row["file"], bytes(row["content"]), json.loads(row["options"])


def list_uploads(uow: UnitOfWork) -> list[WaitingUpload]:
    """Return the files that wait for the actor, without their content, the oldest first."""
    columns = [uploads.c[name] for name in SHOWN_COLUMNS]
    question = sa.select(*columns).where(_own(uow))
    return uow.fetch_all(question.order_by(uploads.c.made_at, uploads.c.upload_id), WaitingUpload)


def delete_upload(uow: UnitOfWork, upload_id: str) -> int:
    """Erase a file that waits for the actor; return how many there were."""
    is_own = uploads.c.made_by == uow.actor.actor_id
    return uow.delete(uploads, is_own & (uploads.c.upload_id == upload_id))


def put_refused(
    uow: UnitOfWork, refusal_id: str, file: str, content: bytes, storage: tuple[int, str]
) -> None:
    """Store the sealed bytes of a refused file, until somebody states its columns.

    Args:
        refusal_id: of the refusal.
        file: its name as it may be shown.
        content: its bytes, sealed.
        storage: how many bytes they were before, and the moment at which they are erased.
    """
    delete_refused(uow, [refusal_id])
    size_bytes, expires_at = storage
    row = {"upload_id": refusal_id, "made_by": REFUSED_OWNER, "made_at": uow.now, "file": file}
    row |= {"options": canonical({}), "expires_at": expires_at}
    uow.insert(uploads, [row | {"size_bytes": size_bytes, "content": content}])


def list_refused(uow: UnitOfWork) -> set[str]:
    """Return the refusals whose files are kept."""
    is_kept = (uploads.c.made_by == REFUSED_OWNER) & sa.not_(_expired(uow))
    question = sa.select(uploads.c.upload_id).where(uow.scope(uploads), is_kept)
    return {row["upload_id"] for row in uow.fetch_all(question)}


def copy_refused(uow: UnitOfWork, refusal_id: str) -> str:
    """Let a refused file wait for the actor until they have checked its columns; return its id.

    Raises:
        NotFound: its bytes are not kept.
        CardwatchError: too much waits for this person already.
    """
    is_kept = (uploads.c.made_by == REFUSED_OWNER) & (uploads.c.upload_id == refusal_id)
    question = sa.select(uploads).where(uow.scope(uploads), is_kept, sa.not_(_expired(uow)))
    row = uow.fetch_one(question)
    if row is None:
        raise NotFound(NOT_KEPT)
    return put_upload(uow, row["file"], bytes(row["content"]), row["size_bytes"], {})


def delete_refused(uow: UnitOfWork, refusal_ids: Sequence[str]) -> None:
    """Erase the bytes of refused files."""
    uow.delete(uploads, (uploads.c.made_by == REFUSED_OWNER) & uploads.c.upload_id.in_(refusal_ids))


def is_any_expired(uow: UnitOfWork) -> bool:
    """Return whether a file of the organisation has waited for too long."""
    question = sa.select(uploads.c.upload_id).where(uow.scope(uploads), _expired(uow)).limit(1)
    return uow.fetch_one(question) is not None


def erase_expired(uow: UnitOfWork) -> int:
    """Erase the organisation's files that have waited for too long; return how many."""
    return uow.delete(uploads, _expired(uow))


def _own(uow: UnitOfWork) -> sa.ColumnElement[bool]:
    """Return the condition that a file waits for the actor, and still may."""
    is_own = uploads.c.made_by == uow.actor.actor_id
    return sa.and_(uow.scope(uploads), is_own, sa.not_(_expired(uow)))


def _expired(uow: UnitOfWork) -> sa.ColumnElement[bool]:
    return uploads.c.expires_at <= uow.now
