"""Request and response models of complaints and objections."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from api.schemas.base import WORDS, Day, RequestModel, Short
from cardwatch.vocabulary import ComplaintKind

LongText = Annotated[str, StringConstraints(min_length=1, max_length=4_000, pattern=WORDS)]


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
