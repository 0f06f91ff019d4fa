"""Files attached to cases, kept as they came. They are never opened: not parsed, not unpacked."""

from __future__ import annotations

import hashlib
import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from cardwatch.casebook.case_alerts import is_case_held
from cardwatch.casebook.case_rows import Attachment, AttachmentContent
from cardwatch.casebook.cases import add_entry, case_to_change, not_about_actor
from cardwatch.casebook.tables import PSD, case_attachments
from cardwatch.errors import CardwatchError, Conflict, NotFound
from cardwatch.quantities import quantity
from cardwatch.vocabulary import CaseEntryKind

if TYPE_CHECKING:
    from cardwatch.casebook.unit_of_work import UnitOfWork

MIB = 1024 * 1024
MAX_ATTACHMENT_BYTES = 10 * MIB
MAX_ATTACHMENTS = 25
MAX_CASE_BYTES = 100 * MIB
"""All attachments of a case: a pack of it is made in memory."""
OFFICE = "application/vnd.openxmlformats-officedocument."
MEDIA_TYPES = {
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".docx": f"{OFFICE}wordprocessingml.document",
    ".xlsx": f"{OFFICE}spreadsheetml.sheet",
    ".txt": "text/plain",
    ".csv": "text/csv",
    ".eml": "message/rfc822",
}
"""The media type of each kind of file that can be attached, by the ending of its name."""
SIGNATURES = {
    ".pdf": b"%PDF-",
    ".png": b"\x89PNG\r\n\x1a\n",
    ".jpg": b"\xff\xd8\xff",
    ".jpeg": b"\xff\xd8\xff",
    ".docx": b"PK\x03\x04",
    ".xlsx": b"PK\x03\x04",
}
"""The bytes that a file of each kind begins with; the others are text."""
OFFICE_PARTS = {".docx": b"word/document.xml", ".xlsx": b"xl/workbook.xml"}
"""A part that each kind of Office file has; the names in a ZIP file are not compressed."""
MACROS = b"vbaProject.bin"
NOT_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f\x7f]")
MAIL_HEADER = re.compile(rb"[!-9;-~]+:[^\r\n]*\r?\n")
"""The first line of a message (RFC 5322): a header field."""


def media_type_of(name: str, content: bytes) -> str:
    """The media type of a file, which its name and its content have to agree on.

    Args:
        name: of the file.
        content: looked at for signatures only.

    Raises:
        CardwatchError: files of this kind cannot be attached, or the content is of another kind.
    """
    ending = PurePath(name).suffix.lower()
    kinds = "PDF, PNG, JPEG, DOCX, XLSX, TXT, CSV or EML"
    if ending not in MEDIA_TYPES:
        raise CardwatchError(f"Choose a file of one of these kinds: {kinds}.", field="file")
    if not content:
        raise CardwatchError("The file is empty.", field="file")
    if not _fits(ending, content):
        sentence = f"The file's name ends in {ending}, but its content is of another kind."
        raise CardwatchError(sentence, field="file")
    if ending in OFFICE_PARTS and MACROS in content:
        raise CardwatchError("The file has macros. Attach a copy without them.", field="file")
    return MEDIA_TYPES[ending]


def _fits(ending: str, content: bytes) -> bool:
    """Whether some content is of the kind that an ending says."""
    if ending in SIGNATURES:
        parts = (b"[Content_Types].xml", OFFICE_PARTS[ending]) if ending in OFFICE_PARTS else ()
        return content.startswith(SIGNATURES[ending]) and all(part in content for part in parts)
    if NOT_TEXT.search(content):
        return False
    return ending != ".eml" or MAIL_HEADER.match(content) is not None


def attach(uow: UnitOfWork, case_id: str, name: str, content: bytes) -> Attachment:
    """Attach a file to a case; return it.

    Args:
        case_id: of the case.
        name: of the file, as it may be shown.
        content: at most `MAX_ATTACHMENT_BYTES`.

    Raises:
        NotAllowed, NotFound, Conflict: see `cases.case_to_change`.
        CardwatchError: it is too large, of a kind that is not taken, or attached already; the case
            has too many files.
    """
    if len(content) > MAX_ATTACHMENT_BYTES:
        size = MAX_ATTACHMENT_BYTES // MIB
        raise CardwatchError(f"The file is larger than {size} MB.", field="file")
    media_type = media_type_of(name, content)
    case = case_to_change(uow, case_id, name)
    digest = hashlib.sha256(content).hexdigest()
    _check_room(uow, case["case_id"], digest, len(content))
    attachment_id = uow.keyed("attachment", case["case_id"], digest)[:12]
    row: Attachment = {
        "lane": PSD,
        "attachment_id": attachment_id,
        "case_id": case["case_id"],
        "name": name,
        "media_type": media_type,
        "size": len(content),
        "sha256": digest,
        "made_by": uow.actor.actor_id,
        "made_at": uow.now,
    }
    uow.insert(case_attachments, [{**row, "content": content}])
    add_entry(uow, case, CaseEntryKind.ATTACHMENT, name, object_id=attachment_id)
    return row


def _check_room(uow: UnitOfWork, case_id: str, digest: str, size: int) -> None:
    """Refuse a file that a case has, or has no room for.

    Raises:
        CardwatchError: it is such a one.
    """
    attached = list_attachments(uow, case_id)
    if digest in {row["sha256"] for row in attached}:
        raise CardwatchError("This file is already attached to the case.", field="file")
    if len(attached) >= MAX_ATTACHMENTS:
        sentence = f"A case has at most {quantity(MAX_ATTACHMENTS, 'file')}."
        raise CardwatchError(sentence, field="file")
    if sum(row["size"] for row in attached) + size > MAX_CASE_BYTES:
        sentence = f"The files of a case have at most {MAX_CASE_BYTES // MIB} MB together."
        raise CardwatchError(sentence, field="file")


def remove_attachment(uow: UnitOfWork, attachment_id: str, reason: str) -> Attachment:
    """Erase a file that was attached by mistake; return what it was, without its content.

    The case's chronology keeps its name, its hash, who removed it and why.

    Raises:
        NotAllowed, CardwatchError: see `cases.case_to_change`.
        NotFound: there is none of that id in a case that the actor may see.
        Conflict: the case is closed, or an alert in it is on legal hold.
    """
    attached = find_attachment(uow, attachment_id)
    case = case_to_change(uow, attached["case_id"], reason)
    if is_case_held(uow, case["case_id"]):
        sentence = "An alert in this case is on legal hold. End the hold before you remove a file."
        raise Conflict(sentence)
    same = case_attachments.c.attachment_id == attachment_id
    if not uow.delete(case_attachments, same):
        raise NotFound(f"There is no attachment '{attachment_id}'.")
    text = f"{attached['name']}, SHA-256 {attached['sha256']}. {reason}"
    add_entry(uow, case, CaseEntryKind.ATTACHMENT_REMOVED, text, object_id=attachment_id)
    return attached


def find_attachment(uow: UnitOfWork, attachment_id: str) -> Attachment:
    """Return a file without its content.

    Raises:
        NotFound: there is none of that id in a case that the actor may see.
    """
    question = sa.select(*_columns()).where(
        uow.scope(case_attachments),
        not_about_actor(uow, case_attachments),
        case_attachments.c.attachment_id == attachment_id,
    )
    row = uow.fetch_one(question, Attachment)
    if row is None:
        raise NotFound(f"There is no attachment '{attachment_id}'.")
    return row


def _columns() -> list[sa.Column[Any]]:
    """The columns of an attachment without its content."""
    return [column for column in case_attachments.c if column.name != "content"]


def list_attachments(uow: UnitOfWork, case_id: str) -> list[Attachment]:
    """Return the files of a case without their content, in the order attached."""
    question = sa.select(*_columns()).where(
        uow.scope(case_attachments), case_attachments.c.case_id == case_id
    )
    order = (case_attachments.c.made_at, case_attachments.c.attachment_id)
    return uow.fetch_all(question.order_by(*order), Attachment)


def get_attachment(uow: UnitOfWork, attachment_id: str) -> AttachmentContent:
    """Return a file with its content, once that is what was attached.

    Raises:
        NotFound: there is none of that id in a case that the actor may see.
        CardwatchError: its content has changed since it was attached.
    """
    same = case_attachments.c.attachment_id == attachment_id
    question = sa.select(case_attachments).where(
        uow.scope(case_attachments), not_about_actor(uow, case_attachments), same
    )
    row = uow.fetch_one(question, AttachmentContent)
    if row is None:
        raise NotFound(f"There is no attachment '{attachment_id}'.")
    if hashlib.sha256(row["content"]).hexdigest() != row["sha256"]:
        raise CardwatchError("This file is not as it was attached.")
    return row
