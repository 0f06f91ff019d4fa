"""The rows that the casebook answers with about cases and referrals; see `rows`."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from cardwatch.records import Alert
from cardwatch.vocabulary import CaseOutcome, CaseState, Lane, State


class AlertReferral(TypedDict):
    """A referral as its alert shows it: never what became of it."""

    reason: str
    made_by: str
    made_at: str


class Referral(AlertReferral):
    """An alert that finance referred to professional standards."""

    lane: Lane
    referral_id: str
    alert_id: str
    version: int


class ListedReferral(AlertReferral):
    """A referral by finance, with the answer of professional standards.

    Attributes:
        case_id: the case that its alert was put into, if any.
        answer: the reason of the answer; none while it waits.
    """

    referral_id: str
    alert_id: str
    case_id: str | None
    answer: str | None
    answered_by: str | None
    answered_at: str | None


class Case(TypedDict):
    """A case of professional standards.

    Attributes:
        number: of its year; some numbers are left out by chance.
        owner: email address of who is to see to it; empty for nobody.
        outcome: empty while it is open.
        version: the number of its last entry; also its ETag.
    """

    lane: Lane
    case_id: str
    reference: str
    number: int
    title: str
    owner: str
    state: CaseState
    outcome: CaseOutcome | Literal[""]
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

    lane: Lane
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
    """A file attached to a case.

    Attributes:
        size: in bytes.
    """

    lane: Lane
    attachment_id: str
    case_id: str
    name: str
    media_type: str
    size: int
    sha256: str
    made_by: str
    made_at: str


class AttachmentContent(Attachment):
    """A file attached to a case, with its content."""

    content: bytes


class CopiedDecision(TypedDict):
    """A decision on an alert as a case keeps it."""

    state: str
    reason: str
    decided_by: str
    decided_at: str


class CopiedAlert(TypedDict):
    """Copy of an alert in a case."""

    raised: Alert
    raised_at: str
    state: State
    decisions: list[CopiedDecision]
    referrals: list[AlertReferral]


class CaseAlert(CopiedAlert):
    """An alert of a case; `is_erased` once the copy is all that is left of it."""

    alert_id: str
    alert_lane: Lane
    is_erased: bool


class ChronologyRow(TypedDict):
    """A line of a case's chronology.

    Attributes:
        at: a day for payments, else a moment.
        kind: payment, decision, note and so on.
        by: who did it; empty for payments and alerts raised.
        alert_id: the alert it is about; empty where there is none.
    """

    at: str
    kind: str
    text: str
    by: str
    alert_id: str
