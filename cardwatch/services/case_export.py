"""The pack of a case: its alerts, chronology, notes and files, with a signed manifest."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from cardwatch.casebook import PSD, AuditEvent, attachments, cases
from cardwatch.casebook import alerts as kept
from cardwatch.casebook.approvals import require_approval
from cardwatch.casebook.case_chronology import CHRONOLOGY_TITLES
from cardwatch.casebook.rows import ApprovalScope
from cardwatch.errors import NotAllowed
from cardwatch.reports import PACK, PURPOSES, csv_text, safe_filename, safe_text
from cardwatch.services.authority import check_recipient
from cardwatch.services.cases import case_detail
from cardwatch.services.exports import (
    ExportFile,
    case_content,
    check_request,
    packed_alerts,
)
from cardwatch.vocabulary import ApprovalKind, CaseEntryKind

if TYPE_CHECKING:
    from cardwatch.casebook import UnitOfWork
    from cardwatch.services.answers import CaseDetail
    from cardwatch.services.context import ServiceContext
    from cardwatch.services.exports import ExportRequest

CHRONOLOGY_HEADINGS = ("When", "What", "Details", "By", "Alert id")
NOTE_HEADINGS = ("When", "By", "Note")


def export_case(context: ServiceContext, case_id: str, export_request: ExportRequest) -> ExportFile:
    """Hand a whole case over as a pack.

    Args:
        case_id: of the case.
        export_request: why and to whom; its alerts are those of the case.

    Raises:
        NotAllowed: the role is not professional standards, or the actor has not asked to see the
            names in the case.
        SecondPersonNeeded: another person has not approved it.
        NotFound: there is no such case that the actor may see.
        CardwatchError: no such purpose, nobody is named, or it is about a chief officer and not
            addressed to the authority.
    """
    check_request(export_request, PACK)
    event = AuditEvent("disclosure", "case", purpose=export_request.purpose)
    with context.work(event) as uow:
        context.allow((PSD,), "share cases")
        case = case_detail(uow, case_id)
        if not case["is_named"]:
            raise NotAllowed("A case names people. First show the names on the case's page.")
        current = tuple(alert["alert_id"] for alert in case["alerts"] if not alert["is_erased"])
        check_recipient(uow, current, export_request.recipient)
        scope = ApprovalScope(
            export_of="case", case_id=case["case_id"], case_version=case["version"],
            alert_ids=sorted(current), alert_versions=kept.versions_of(uow, sorted(current)),
            attachment_ids=sorted(row["attachment_id"] for row in case["attachments"]),
            purpose=export_request.purpose, recipient=export_request.recipient.strip(),
        )  # fmt: skip
        require_approval(uow, ApprovalKind.EXPORT, scope)
        packed, count = case_content(uow, replace(export_request, alert_ids=current))
        more = _files(uow, case)
        event.counts = {"alerts": count, "attachments": len(case["attachments"])}
        uow.extra_events.append(AuditEvent("disclosure", "case", case["case_id"]))
        text = f"{PURPOSES[export_request.purpose]}, for {export_request.recipient.strip()}"
        row = cases.find_case(uow, case["case_id"])
        cases.add_entry(uow, row, CaseEntryKind.EXPORTED, text)
    content = packed_alerts(context, packed, export_request.key, more)
    return ExportFile(safe_filename(f"psd case {case['reference']}{PACK}"), content, count)


def _files(uow: UnitOfWork, case: CaseDetail) -> dict[str, bytes]:
    """The files of a case besides its alerts, by name."""
    lines = case["chronology"]
    rows = [
        (row["at"], CHRONOLOGY_TITLES[row["kind"]],
         *_texts(row["text"], row["by"], row["alert_id"]))
        for row in lines
    ]  # fmt: skip
    notes = [
        (row["at"], *_texts(row["by"], row["text"]))
        for row in lines
        if row["kind"] == CaseEntryKind.NOTE
    ]
    text = json.dumps(case, ensure_ascii=False, indent=2, sort_keys=True)
    files = {
        "case.json": f"{text}\n".encode(),
        "chronology.csv": csv_text([CHRONOLOGY_HEADINGS, *rows]).encode(),
        "notes.csv": csv_text([NOTE_HEADINGS, *notes]).encode(),
    }
    for number, attachment in enumerate(case["attachments"], start=1):
        content = attachments.get_attachment(uow, attachment["attachment_id"])["content"]
        files[f"attachments/{number:02} {safe_filename(attachment['name'])}"] = content
    return files


def _texts(*texts: str) -> list[str]:
    """Texts that are safe in a spreadsheet."""
    return [safe_text(text) for text in texts]
