"""The rows that the casebook answers with about cases and referrals; see `rows`."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from cardwatch.records import Alert


class AlertReferral(TypedDict):
    """A referral as its alert shows it: never what became of it."""

    reason: str
    made_by: str
    made_at: str


class Referral(AlertReferral):
    """An alert that finance referred to professional standards."""

    lane: str
    referral_id: str
    alert_id: str
    version: int


class ListedReferral(AlertReferral):
    """A referral with its answer: `case_id` is None while it waits, and where it was declined."""

    referral_id: str
    alert_id: str
    case_id: str | None
    answer: str | None
    answered_by: str | None
    answered_at: str | None


class Case(TypedDict):
    """A case of professional standards."""

    lane: str
    case_id: str
    reference: str
    number: int
    title: str
    owner: str
    state: str
    outcome: str
    version: int
    made_by: str
    made_at: str
    closed_by: str | None
    closed_at: str | None


class ListedCase(Case):
    """A case of a list, with the place after which the next page begins."""

    alerts_count: int
    place: list[float | str]


class CaseEntry(TypedDict):
    """Something that was done in a case, with its title, owner and outcome since."""

    lane: str
    case_id: str
    version: int
    kind: str
    object_id: str
    text: str
    title: str
    owner: str
    outcome: str
    made_by: str
    made_at: str


class Attachment(TypedDict):
    """A file attached to a case, without its content."""

    lane: str
    attachment_id: str
    case_id: str
    name: str
    media_type: str
    size: int
    sha256: str
    made_by: str
    made_at: str


class AttachmentContent(Attachment):
    """A file attached to a case."""

    content: bytes


class CopiedDecision(TypedDict):
    """A decision on an alert as a case keeps it."""

    state: str
    reason: str
    decided_by: str
    decided_at: str


class CopiedAlert(TypedDict):
    """What a case keeps of an alert."""

    raised: Alert
    raised_at: str
    state: str
    decisions: list[CopiedDecision]
    referrals: list[AlertReferral]


class CaseAlert(CopiedAlert):
    """An alert of a case; `is_erased` once the copy is all that is left of it."""

    alert_id: str
    alert_lane: str
    is_erased: bool


class ChronologyRow(TypedDict):
    """A line of a chronology: `at` is a day for payments, else a moment."""

    at: str
    kind: str
    text: str
    by: str
    alert_id: str
