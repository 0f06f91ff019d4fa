"""Request and response models of queries to line managers."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.base import Day, Lane, Name, Reason, RequestModel


class QueryCreate(RequestModel):
    """A query to a line manager: to whom, and by when an answer is wanted."""

    recipient: Name = Field(description="Name of the line manager.")
    email: Name = Field(
        description="Their address, of the domain that this installation sends from.",
        examples=["manager@force.example"],
    )
    due_on: Day | None = Field(None, description="The day by which an answer is wanted.")
    reminds: bool = Field(
        True, description="Whether they are reminded after that day, until a reply is recorded."
    )


class ReplyCreate(RequestModel):
    """A reply to a query."""

    replied_by: Name = Field(description="Name of the person who replied.")
    text: Reason = Field(description="What they replied.")
    replied_on: Day | None = Field(None, description="The day of the reply; today without it.")

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"replied_by": "Line manager", "text": "Two sites, two orders."}]
        },
    )


class QueryReply(BaseModel):
    """A reply to a query, as somebody recorded it."""

    seq: int
    replied_by: str
    replied_on: str
    text: str
    recorded_by: str
    recorded_at: str


class SentQuery(BaseModel):
    """A query that was sent; open until a reply is recorded or each of its alerts is answered."""

    query_id: str
    lane: Lane
    recipient: str
    email: str
    reply_to: str
    due_on: str | None
    sent_by: str
    sent_at: str
    next_reminder_on: str | None
    reminders: int = Field(description="How many reminders were sent.")
    alert_ids: list[str]
    replies: list[QueryReply]
    is_open: bool
    age_days: int = Field(description="Days since it was sent.")
    overdue_days: int = Field(description="Days since its due day, 0 before it.")
