"""Request and response models of complaints and objections."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.base import WORDS, Day, RequestModel, Short

LongText = Annotated[str, StringConstraints(min_length=1, max_length=4_000, pattern=WORDS)]
ComplaintKind = Literal["complaint", "objection"]


class ComplaintCreate(RequestModel):
    """A complaint or objection about the use of personal data."""

    kind: ComplaintKind
    person: Short = Field(default="", description="Who it is from, and how to answer them.")
    subject: LongText = Field(description="What it is about.")
    received_on: Day

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "kind": "complaint",
                    "person": "a cardholder",
                    "subject": "no answer to a request for data",
                    "received_on": "2026-10-01",
                }
            ]
        },
    )


class AcknowledgementCreate(RequestModel):
    """The day on which a complaint was acknowledged."""

    acknowledged_on: Day


class AnswerCreate(RequestModel):
    """The answer to a complaint or objection, and its day."""

    answered_on: Day
    answer: LongText


class Complaint(BaseModel):
    """A complaint or objection, and the day by which the law asks for its next step."""

    complaint_id: str
    kind: ComplaintKind
    person: str
    subject: str
    received_on: str
    acknowledged_on: str | None
    answered_on: str | None
    answer: str
    made_by: str
    made_at: str
    next_step: Literal["acknowledge", "answer", "none"]
    due_on: str | None
    is_overdue: bool
