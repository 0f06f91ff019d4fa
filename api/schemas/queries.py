"""Request and response models of queries to line managers."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from api.schemas.base import Day, Name, Reason, RequestModel


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
