"""Files that wait until somebody has checked their columns: an hour at most, for them alone.

A refused file of a watched folder waits a month at most, for anybody of its lane. Each is sealed
with a key outside the database, together with whose it is and what was chosen for it: whoever can
write in the database can exchange neither.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import secrets
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from cardwatch.casebook.rows import WaitingUpload
from cardwatch.casebook.tables import uploads
from cardwatch.casebook.unit_of_work import as_text, canonical
from cardwatch.errors import CardwatchError, FileRefused, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography.fernet import MultiFernet

    from cardwatch.casebook.unit_of_work import Row, UnitOfWork

WAITING_MINUTES = 60
WAITING_BYTES = 100 * 1024 * 1024
"""Bytes of files that may wait for one person at once."""
REFUSED_OWNER = "refused-file"
"""Whose a refused file is, in place of a person: any of its lane may state its columns."""
NOT_KEPT = "This file is not kept any more. Upload it again."
NOT_AS_KEPT = (
    "the file was changed in the database while it waited, or was sealed with another key. Upload "
    "it again, and tell your administrator"
)
SEALED_WITH = ("upload_id", "made_by", "file", "options")
"""Fields of a waiting file that are sealed with its content, beside its organisation."""
DIGEST_BYTES = 32
SHOWN_COLUMNS = ("upload_id", "file", "size_bytes", "expires_at", "options")


def put_upload(
    uow: UnitOfWork, file: str, content: bytes, options: Mapping[str, str], seal: MultiFernet
) -> str:
    """Store a file until its columns are checked; return its id.

    Args:
        file: its name as it may be shown.
        content: its bytes.
        options: what the sender chose for it.
        seal: of the installation.

    Raises:
        CardwatchError: too much waits for this person already.
    """
    erase_expired(uow)
    waiting = sum(row["size_bytes"] for row in list_uploads(uow))
    if waiting + len(content) > WAITING_BYTES:
        sentence = (
            f"{file}: too many files are waiting for their columns. Check or discard those first, "
            "then upload this one again"
        )
        raise CardwatchError(sentence, field="file")
    upload_id = secrets.token_hex(6)
    expires_at = dt.datetime.fromisoformat(uow.now) + dt.timedelta(minutes=WAITING_MINUTES)
    row = {"upload_id": upload_id, "made_by": uow.actor.actor_id, "made_at": uow.now}
    row |= {"file": file, "options": canonical(dict(options)), "expires_at": as_text(expires_at)}
    uow.insert(uploads, [_sealed(uow, row, content, seal)])
    return upload_id


def get_upload(
    uow: UnitOfWork, upload_id: str, seal: MultiFernet
) -> tuple[str, bytes, dict[str, str]]:
    """Return the name, the bytes and the options of a file that waits for the actor.

    Raises:
        NotFound: none of that id waits for them.
        FileRefused: it is not as it was kept.
    """
    question = sa.select(uploads).where(_own(uow), uploads.c.upload_id == upload_id)
    row = uow.fetch_one(question)
    if row is None:
        raise NotFound(NOT_KEPT)
    return row["file"], _opened(uow, row, seal), json.loads(row["options"])


def list_uploads(uow: UnitOfWork) -> list[WaitingUpload]:
    """Return the files that wait for the actor, without their content, the oldest first."""
    columns = [uploads.c[name] for name in SHOWN_COLUMNS]
    question = sa.select(*columns).where(_own(uow))
    return uow.fetch_all(question.order_by(uploads.c.made_at, uploads.c.upload_id), WaitingUpload)


def delete_upload(uow: UnitOfWork, upload_id: str) -> int:
    """Erase a file that waits for the actor; return how many there were."""
    is_own = uploads.c.made_by == uow.actor.actor_id
    return uow.delete(uploads, is_own & (uploads.c.upload_id == upload_id))


def put_refused(  # noqa: PLR0913, PLR0917  what is kept of a file, and until when
    uow: UnitOfWork, refusal_id: str, file: str, content: bytes, expires_at: str, seal: MultiFernet
) -> None:
    """Store the bytes of a refused file, sealed, until somebody states its columns.

    Args:
        refusal_id: of the refusal.
        file: its name as it may be shown.
        content: its bytes.
        expires_at: the moment at which they are erased.
        seal: of the installation.
    """
    delete_refused(uow, [refusal_id])
    row = {"upload_id": refusal_id, "made_by": REFUSED_OWNER, "made_at": uow.now, "file": file}
    row |= {"options": canonical({}), "expires_at": expires_at}
    uow.insert(uploads, [_sealed(uow, row, content, seal)])


def list_refused(uow: UnitOfWork) -> set[str]:
    """Return the refusals whose files are kept."""
    is_kept = (uploads.c.made_by == REFUSED_OWNER) & sa.not_(_expired(uow))
    question = sa.select(uploads.c.upload_id).where(uow.scope(uploads), is_kept)
    return {row["upload_id"] for row in uow.fetch_all(question)}


def copy_refused(uow: UnitOfWork, refusal_id: str, seal: MultiFernet) -> str:
    """Let a refused file wait for the actor until they have checked its columns; return its id.

    Raises:
        NotFound: its bytes are not kept.
        CardwatchError: too much waits for this person already.
        FileRefused: it is not as it was kept.
    """
    is_kept = (uploads.c.made_by == REFUSED_OWNER) & (uploads.c.upload_id == refusal_id)
    question = sa.select(uploads).where(uow.scope(uploads), is_kept, sa.not_(_expired(uow)))
    row = uow.fetch_one(question)
    if row is None:
        raise NotFound(NOT_KEPT)
    return put_upload(uow, row["file"], _opened(uow, row, seal), {}, seal)


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


def _sealed(
    uow: UnitOfWork, row: Mapping[str, Any], content: bytes, seal: MultiFernet
) -> dict[str, Any]:
    """Return a row of a file that waits, with its content sealed."""
    sealed = seal.encrypt(_digest(uow, row) + content)
    return {**row, "size_bytes": len(content), "content": sealed}


def _opened(uow: UnitOfWork, row: Row, seal: MultiFernet) -> bytes:
    """Return the bytes of a file that waits.

    Raises:
        FileRefused: no key of the installation has sealed them as those of this row.
    """
    from cryptography.fernet import InvalidToken  # noqa: PLC0415  the command has no uploads

    try:
        opened = seal.decrypt(bytes(row["content"]))
    except InvalidToken:
        opened = b""
    if not hmac.compare_digest(opened[:DIGEST_BYTES], _digest(uow, row)):
        raise FileRefused(row["file"], "damaged", NOT_AS_KEPT)
    return opened[DIGEST_BYTES:]


def _digest(uow: UnitOfWork, row: Mapping[str, Any]) -> bytes:
    """Return a hash of what is sealed with the content of a file that waits."""
    sealed = [uow.actor.organisation_id, *(row[name] for name in SEALED_WITH)]
    return hashlib.sha256(json.dumps(sealed).encode()).digest()


def _own(uow: UnitOfWork) -> sa.ColumnElement[bool]:
    """Return the condition that a file waits for the actor, and still may."""
    is_own = uploads.c.made_by == uow.actor.actor_id
    return sa.and_(uow.scope(uploads), is_own, sa.not_(_expired(uow)))


def _expired(uow: UnitOfWork) -> sa.ColumnElement[bool]:
    return uploads.c.expires_at <= uow.now
