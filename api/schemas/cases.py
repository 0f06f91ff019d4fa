"""Models of cases of professional standards, and of referrals to them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.alerts import Purpose
from api.schemas.base import WORDS, AnyState, Id, Lane, Name, Reason, RequestModel, Short, Whole

CaseState = Literal["open", "closed"]
Outcome = Literal[
    "no-further-action", "management-action", "misconduct-proceedings", "criminal-investigation",
    "passed-on",
]  # fmt: skip


class CaseHead(BaseModel):
    """A case without what is in it."""

    case_id: str
    lane: Lane
    reference: str = Field(examples=["C-2026-0001"])
    number: int = Field(description="Of its year; some numbers are left out by chance.")
    title: str
    owner: str = Field(description="Email address of who is to see to it; empty for nobody.")
    state: CaseState
    outcome: Outcome | Literal[""] = Field(description="Empty while it is open.")
    version: int = Field(description="The number of its last entry; also its ETag.")
    made_by: str
    made_at: str
    closed_by: str | None
    closed_at: str | None


class CaseSummary(CaseHead):
    """A case as lists show it."""

    alerts_count: int


class CasePage(BaseModel):
    """Cases, the newest first, and where the next page begins."""

    cases: list[CaseSummary]
    next: str | None = Field(description="The cursor of the next page; null on the last.")


class CasePayment(BaseModel):
    """A payment of an alert in a case."""

    date: str
    person: str = Field(description="Its cardholder, as the caller is shown them.")
    merchant: str
    amount_pence: int
    reference: str


class CaseAlert(BaseModel):
    """An alert of a case; a copy of it once it is erased."""

    alert_id: str
    lane: Lane
    state: AnyState
    is_erased: bool
    title: str
    facts: list[str]
    first_on: str
    last_on: str
    at_stake_pence: int
    people: list[str] = Field(description="Whom it is about, as the caller is shown them.")
    payments: list[CasePayment]


class CasePerson(BaseModel):
    """Somebody whom alerts of a case are about, as the caller is shown them."""

    name: str
    alerts_count: int


class Attachment(BaseModel):
    """A file attached to a case."""

    attachment_id: str
    case_id: str
    lane: Lane
    name: str
    media_type: str
    size: int = Field(description="In bytes.")
    sha256: str
    made_by: str
    made_at: str


class ChronologyRow(BaseModel):
    """A line of a case's chronology."""

    at: str = Field(description="A day for payments, else a moment.")
    kind: str = Field(examples=["payment", "decision", "note"])
    text: str
    by: str = Field(description="Who did it; empty for payments and alerts raised.")
    alert_id: str = Field(description="The alert it is about; empty where there is none.")


class Case(CaseHead):
    """A case whole."""

    alerts: list[CaseAlert]
    people: list[CasePerson]
    attachments: list[Attachment]
    chronology: list[ChronologyRow] = Field(description="Everything dated in it, oldest first.")
    is_named: bool = Field(description="Whether the caller asked to see the names in all alerts.")


class CaseCreate(RequestModel):
    """A case to open. Waiting referrals of its alerts are answered by it."""

    title: Name
    reason: Reason
    alert_ids: list[Id] = Field([], max_length=50)
    owner: Short = Field("", description="Email address; empty for the caller.")

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"title": "Split purchases", "reason": "referred",
                                         "alert_ids": ["ba0e7c01d2f3"]}]},
    )  # fmt: skip


class CaseSearch(RequestModel):
    """Words to search cases by; sent in a body, as a title may name somebody."""

    text: Annotated[str, StringConstraints(max_length=100, pattern=WORDS)] | Literal[""] = Field(
        "", description="Part of a reference or title."
    )
    state: CaseState | None = None
    owner: Literal["me"] | None = Field(None, description="Only the caller's own.")
    limit: Whole = Field(50, ge=1, le=200)
    cursor: Annotated[str, StringConstraints(max_length=500)] = ""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "C-2026", "state": "open"}]}
    )


class CaseUpdate(RequestModel):
    """A new title or owner of a case, and why."""

    reason: Reason
    title: Name | None = Field(None, description="Null for no change.")
    owner: Short | None = Field(
        None, description="Email address; empty for nobody; null for no change."
    )


class CaseAlertChange(RequestModel):
    """An alert to be put into a case, or taken out of it, and why."""

    alert_id: Id
    reason: Reason

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"alert_id": "ba0e7c01d2f3", "reason": "same unit"}]},
    )


class NoteCreate(RequestModel):
    """A note of a case; it is never changed."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=10_000, pattern=WORDS)]

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "asked for the order book"}]}
    )


class CaseClose(RequestModel):
    """The outcome with which a case is closed, and why."""

    outcome: Outcome
    reason: Reason


class CaseReason(RequestModel):
    """The reason for what is done with a case, an alert or a referral."""

    reason: Reason

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "it goes further"}]}
    )


class CaseExport(RequestModel):
    """An export of a whole case: purpose and recipient."""

    purpose: Purpose
    recipient: Name


class ReferralCreated(BaseModel):
    """A referral that was made."""

    referral_id: str


class Referral(BaseModel):
    """A referral by finance, with the answer of professional standards."""

    referral_id: str
    alert_id: str
    reason: str
    made_by: str
    made_at: str
    case_id: str | None = Field(description="The case that its alert was put into, if any.")
    answer: str | None = Field(description="The reason of the answer; null while it waits.")
    answered_by: str | None
    answered_at: str | None
