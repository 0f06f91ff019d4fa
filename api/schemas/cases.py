"""Models of cases of professional standards, and of referrals to them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.alerts import Purpose
from api.schemas.base import WORDS, Id, Name, Reason, RequestModel, Short, Whole
from cardwatch.casebook.case_rows import Case
from cardwatch.vocabulary import CaseOutcome, CaseState


class CaseSummary(Case):
    """A case as lists show it.

    Attributes:
        number: of its year; some numbers are left out by chance.
        owner: email address of who is to see to it; empty for nobody.
        outcome: empty while it is open.
        version: the number of its last entry; also its ETag.
    """

    alerts_count: int


class CasePage(BaseModel):
    """Cases, the newest first, and where the next page begins."""

    cases: list[CaseSummary]
    next: str | None = Field(description="The cursor of the next page; null on the last.")


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

    outcome: CaseOutcome
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
