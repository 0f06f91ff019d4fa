"""Stored documents by hash: policies, rule sets, models, card registers."""

from __future__ import annotations

import hashlib
import io
import zipfile
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.tables import KINDS, documents, in_force, layouts, proposals
from cardwatch.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardwatch.casebook.work import Row, Work


def keep_document(work: Work, kind: str, content: bytes) -> str:
    """Keep a document unless it is there; return its hash."""
    digest = document_sha256(kind, content)
    known = sa.select(documents.c.kind).where(work.mine(documents), documents.c.sha256 == digest)
    if work.one(known) is None:
        row = {"sha256": digest, "kind": kind, "content": content, "made_at": work.now}
        work.add(documents, [row])
    return digest


def document_sha256(kind: str, content: bytes) -> str:
    """Return the hash by which a document of a kind is kept."""
    assert kind in KINDS
    return hashlib.sha256(kind.encode() + b"\n" + content).hexdigest()


def find_document(work: Work, kind: str, sha256: str) -> str:
    """Return the whole hash of the document of a kind whose hash begins as given.

    It was active, or was proposed in a lane that the work touches: what the other lane alone
    proposed is not found.

    Raises:
        NotFound: there is none, or there are several.
    """
    fits = documents.c.sha256.startswith(sha256, autoescape=True) & (documents.c.kind == kind)
    known = [
        sa.exists().where(work.mine(table), table.c.sha256 == documents.c.sha256)
        for table in (in_force, proposals)
    ]
    question = sa.select(documents.c.sha256).where(work.mine(documents), fits, sa.or_(*known))
    found = work.rows(question.limit(2))
    if len(found) != 1:
        raise NotFound(f"There is no {kind} '{sha256}'.")
    return str(found[0]["sha256"])


def read_document(work: Work, sha256: str) -> bytes:
    """Return a document by its hash.

    Raises:
        NotFound: it is not kept here, or is not what its hash says.
    """
    question = sa.select(documents).where(work.mine(documents), documents.c.sha256 == sha256)
    found = work.one(question)
    if found is None:
        raise NotFound(f"There is no document {sha256[:12]}.")
    content = bytes(found["content"])
    if document_sha256(found["kind"], content) != sha256:
        raise NotFound(f"Document {sha256[:12]} does not match its stored hash.")
    return content


def put_in_force(work: Work, kind: str, content: bytes, holds_from: str) -> str:
    """Store a document and activate it from a day; return its hash."""
    digest = keep_document(work, kind, content)
    mine = in_force.c
    last = work.one(
        sa.select(sa.func.max(mine.seq).label("seq")).where(work.mine(in_force), mine.kind == kind)
    )
    row = {
        "kind": kind,
        "seq": ((last and last["seq"]) or 0) + 1,
        "sha256": digest,
        "holds_from": holds_from,
        "put_by": work.actor.public_id,
        "put_at": work.now,
    }
    work.add(in_force, [row])
    return digest


def sha256_in_force(work: Work, kind: str, day: str) -> str | None:
    """Return the hash of the active document on a day: the last put of those that hold by then.

    Before the first of them holds, the first holds: a register begun today says of last month more
    than nothing does.
    """
    mine = in_force.c
    question = sa.select(in_force).where(work.mine(in_force), mine.kind == kind)
    found = work.rows(question.order_by(mine.holds_from, mine.seq))
    held = [row for row in found if row["holds_from"] <= day] or found[:1]
    return held[-1]["sha256"] if held else None


def list_in_force(work: Work) -> list[Row]:
    """Return every document that was ever activated, in the order of its kind and time."""
    question = sa.select(in_force).where(work.mine(in_force))
    return work.rows(question.order_by(in_force.c.kind, in_force.c.seq))


def keep_layout(work: Work, name: str, content: str) -> None:
    """Remember a column profile under its name, in place of one of that name."""
    row = {"content": content, "made_by": work.actor.actor_id, "made_at": work.now}
    if not work.change(layouts, layouts.c.name == name, row):
        work.add(layouts, [row | {"name": name}])


def list_layouts(work: Work) -> list[Row]:
    """Return the column profiles that were remembered, the newest first."""
    question = sa.select(layouts).where(work.mine(layouts))
    return work.rows(question.order_by(layouts.c.made_at.desc(), layouts.c.name))


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
