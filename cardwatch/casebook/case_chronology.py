"""The chronology of a case: everything that is dated in it, in one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardwatch.casebook.case_rows import ChronologyRow
from cardwatch.quantities import money
from cardwatch.vocabulary import CASE_OUTCOMES, CaseEntryKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cardwatch.casebook.alert_rows import Reveal
    from cardwatch.casebook.case_rows import CaseAlert, CaseEntry

ENTRY_TITLES = {
    CaseEntryKind.OPENED: "Case opened",
    CaseEntryKind.CHANGED: "Case changed",
    CaseEntryKind.ALERT_ADDED: "Alert added to the case",
    CaseEntryKind.ALERT_REMOVED: "Alert removed from the case",
    CaseEntryKind.NOTE: "Note",
    CaseEntryKind.ATTACHMENT: "File attached",
    CaseEntryKind.ATTACHMENT_REMOVED: "File removed",
    CaseEntryKind.EXPORTED: "Case shared",
    CaseEntryKind.CLOSED: "Case closed",
    CaseEntryKind.REOPENED: "Case reopened",
}
CHRONOLOGY_TITLES = {str(kind): title for kind, title in ENTRY_TITLES.items()} | {
    "payment": "Payment",
    "alert-raised": "Alert raised",
    "decision": "Decision",
    "referral": "Referred by finance",
    "name-shown": "Name shown",
}
"""Title of each kind of line."""


def chronology(
    alerts: Sequence[CaseAlert],
    entries: Sequence[CaseEntry],
    reveals: Sequence[Reveal],
    holders: Mapping[str, str],
    names: Mapping[str, str],
) -> list[ChronologyRow]:
    """Everything that is dated in a case, the oldest first.

    Args:
        alerts: of the case: their payments, each once, their decisions and referrals.
        entries: what was done in the case.
        reveals: who asked to see names in its alerts.
        holders: the name shown for each cardholder.
        names: the name of whoever acts, by id.
    """
    lines = [*_payments(alerts, holders), *_alert_lines(alerts)]
    lines += [
        ("name-shown", row["made_at"], row["reason"], row["made_by"], row["alert_id"])
        for row in reveals
    ]
    lines += [
        (entry["kind"], entry["made_at"], _entry_text(entry, before), entry["made_by"],
         entry["object_id"] if entry["kind"].startswith("alert-") else "")
        for before, entry in zip([None, *entries], entries, strict=False)
    ]  # fmt: skip
    rows = [
        ChronologyRow(at=at, kind=kind, text=text, by=names.get(by, by), alert_id=alert_id)
        for kind, at, text, by, alert_id in lines
    ]
    return sorted(rows, key=lambda row: row["at"])  # stable: entries of one second keep their order


Line = tuple[str, str, str, str, str]
"""Kind, day or moment, text, actor and alert of a line."""


def _payments(alerts: Sequence[CaseAlert], holders: Mapping[str, str]) -> list[Line]:
    """The payments of alerts, each once."""
    lines: dict[tuple[str, int], Line] = {}
    for alert in alerts:
        for payment in alert["raised"].payments:
            holder = holders.get(payment.holder_id, payment.holder_id)
            text = f"{money(payment.amount_pence)} to {payment.merchant} by {holder}"
            line = ("payment", payment.date, text, "", alert["alert_id"])
            lines.setdefault((payment.file, payment.row), line)
    return list(lines.values())


def _alert_lines(alerts: Sequence[CaseAlert]) -> Iterator[Line]:
    """Lines about alerts: raised, decided, referred."""
    for alert in alerts:
        alert_id = alert["alert_id"]
        yield "alert-raised", alert["raised_at"], alert["raised"].title, "", alert_id
        for decision in alert["decisions"]:
            text = f"{decision['state'].replace('-', ' ').capitalize()}: {decision['reason']}"
            yield "decision", decision["decided_at"], text, decision["decided_by"], alert_id
        for referral in alert["referrals"]:
            made_by = referral["made_by"]
            yield "referral", referral["made_at"], referral["reason"], made_by, alert_id


def _entry_text(entry: CaseEntry, before: CaseEntry | None) -> str:
    """An entry in words: its reason or note, and what it changed."""
    parts = []
    if entry["kind"] == CaseEntryKind.CLOSED:
        parts.append(CASE_OUTCOMES[entry["outcome"]])
    if before and entry["title"] != before["title"]:
        parts.append(f"Title: {entry['title']}")
    if before and entry["owner"] != before["owner"]:
        parts.append(f"Owner: {entry['owner'] or 'nobody'}")
    return ". ".join([*parts, entry["text"]])
