"""Stored documents by hash: policies, rule sets, models, card registers."""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.rows import ActiveDocument
from cardwatch.casebook.tables import (
    DOCUMENT_KINDS,
    ORDER_KINDS,
    POLICY_PACK,
    active_documents,
    documents,
    proposals,
)
from cardwatch.casebook.unit_of_work import AuditEvent
from cardwatch.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardwatch.casebook.unit_of_work import UnitOfWork


def keep_document(uow: UnitOfWork, kind: str, content: bytes) -> str:
    """Keep a document unless it is there; return its hash. One that is damaged is mended."""
    digest = document_sha256(kind, content)
    same = documents.c.sha256 == digest
    existing = uow.fetch_one(sa.select(documents.c.content).where(uow.scope(documents), same))
    if existing is None:
        row = {"sha256": digest, "kind": kind, "content": content, "made_at": uow.now}
        uow.insert(documents, [row])
    elif bytes(existing["content"]) != content:
        uow.update(documents, same, {"kind": kind, "content": content})
    return digest


def document_sha256(kind: str, content: bytes) -> str:
    """Return the hash by which a document of a kind is kept."""
    assert kind in {*DOCUMENT_KINDS, POLICY_PACK, *ORDER_KINDS.values()}
    return hashlib.sha256(kind.encode() + b"\n" + content).hexdigest()


def find_document(uow: UnitOfWork, kind: str, sha256: str) -> str:
    """Return the whole hash of the document of a kind whose hash begins as given.

    It was active, or was proposed in a lane that the work touches: what the other lane alone
    proposed is not found.

    Raises:
        NotFound: there is none, or there are several.
    """
    fits = documents.c.sha256.startswith(sha256, autoescape=True) & (documents.c.kind == kind)
    is_referenced = [
        sa.exists().where(uow.scope(table), table.c.sha256 == documents.c.sha256)
        for table in (active_documents, proposals)
    ]
    question = sa.select(documents.c.sha256).where(
        uow.scope(documents), fits, sa.or_(*is_referenced)
    )
    rows = uow.fetch_all(question.limit(2))
    if len(rows) != 1:
        raise NotFound(f"There is no {kind} '{sha256}'.")
    return str(rows[0]["sha256"])


def read_document(uow: UnitOfWork, sha256: str) -> bytes:
    """Return a document by its hash.

    Raises:
        NotFound: it is not kept here, or is not what its hash says.
    """
    question = sa.select(documents).where(uow.scope(documents), documents.c.sha256 == sha256)
    document_row = uow.fetch_one(question)
    if document_row is None:
        raise NotFound(f"There is no document {sha256[:12]}.")
    content = bytes(document_row["content"])
    if document_sha256(document_row["kind"], content) != sha256:
        raise NotFound(f"Document {sha256[:12]} does not match its stored hash.")
    return content


def activate_document(uow: UnitOfWork, kind: str, content: bytes, effective_from: str) -> str:
    """Store a document and activate it from a day; return its hash."""
    digest = keep_document(uow, kind, content)
    columns = active_documents.c
    last = uow.fetch_one(
        sa.select(sa.func.max(columns.seq).label("seq")).where(
            uow.scope(active_documents), columns.kind == kind
        )
    )
    row = {
        "kind": kind,
        "seq": ((last and last["seq"]) or 0) + 1,
        "sha256": digest,
        "effective_from": effective_from,
        "activated_by": uow.actor.public_id,
        "activated_at": uow.now,
    }
    uow.insert(active_documents, [row])
    chains = set(uow.chains_of(active_documents, [row])) - {uow.chain}
    uow.tell(AuditEvent("alteration", kind, digest), chains)
    return digest


def active_sha256(uow: UnitOfWork, kind: str, day: str) -> str | None:
    """Return the hash of the active document of a kind on a day; see `active_hashes`."""
    return active_hashes(uow, (kind,), day).get(kind)


def active_hashes(uow: UnitOfWork, kinds: Sequence[str], day: str) -> dict[str, str]:
    """Return the hash of the active document of each kind on a day, as far as there is one.

    It is the last put of those that hold by then. Before the first of them holds, the first holds:
    a register begun today says of last month more than nothing does.
    """
    columns = active_documents.c
    question = sa.select(active_documents).where(
        uow.scope(active_documents), columns.kind.in_(kinds)
    )
    hashes: dict[str, str] = {}
    for row in uow.fetch_all(question.order_by(columns.effective_from, columns.seq)):
        if row["effective_from"] <= day or row["kind"] not in hashes:
            hashes[row["kind"]] = row["sha256"]
    return hashes


def list_active(uow: UnitOfWork) -> list[ActiveDocument]:
    """Return every document that was ever activated, in the order of its kind and time."""
    question = sa.select(active_documents).where(uow.scope(active_documents))
    return uow.fetch_all(
        question.order_by(active_documents.c.kind, active_documents.c.seq), ActiveDocument
    )


def pack(files: Mapping[str, bytes]) -> bytes:
    """Return several files as one, the same bytes for the same files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name), files[name])
    return packed.getvalue()


def unpack(content: bytes) -> dict[str, bytes]:
    """Return the files that were packed."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
