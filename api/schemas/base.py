"""Parts that request and response models share: types of fields, and refusals."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Literal

from fastapi import Path
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

DateOrder = Literal["decide", "day-first", "month-first"]
MAX_FIELDS = 64
"""Of one object that is sent; a transaction, the largest, has 22."""
NO_NUL = r"^[^\x00]*$"
"""PostgreSQL keeps no such character, so none is taken."""
WORDS = r"^[^\x00]*[^\s\x00-\x1f][^\x00]*$"
"""The same, and not white space alone."""


def _day(text: str) -> str:
    """Return the text of a day as it stands in the casebook.

    Raises:
        ValueError: it is not valid.
    """
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        raise ValueError("enter a date like 2026-10-01")
    return str(dt.date.fromisoformat(text))


def _whole(value: object) -> object:
    """Return a number without its fraction where that is nothing: JSON tells 3.0 from 3 no more."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Reason = Annotated[
    str, StringConstraints(min_length=1, max_length=2_000, pattern=WORDS),
    Field(description="The reason, which is recorded.", examples=["two orders seen"]),
]  # fmt: skip
Day = Annotated[
    str,
    AfterValidator(_day),
    Field(
        description="A date like 2026-10-01.",
        json_schema_extra={"format": "date"},
        examples=["2026-10-01"],
    ),
]
Id = Annotated[str, Path(max_length=80, pattern=r"^[0-9A-Za-z_-]+$", examples=["ba0e7c01d2f3"])]
RowNumber = Annotated[int, Path(ge=0, le=10**9, description="The payment's row there.")]
Whole = Annotated[int, BeforeValidator(_whole)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=WORDS)]
Short = Annotated[str, StringConstraints(max_length=200, pattern=NO_NUL)]


class RequestModel(BaseModel):
    """Base of request models: unknown fields and text for numbers are refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _check_field_count(cls, content: object) -> object:
        """Refuse content with so many fields that their messages would fill the memory."""
        if isinstance(content, dict) and len(content) > MAX_FIELDS:
            raise ValueError(f"has more than {MAX_FIELDS} fields")
        return content


class ProblemDetails(BaseModel):
    """Why something was refused (RFC 9457)."""

    type: str = Field(examples=["urn:cardwatch:problem:not_found"])
    title: str
    status: int
    code: str
    detail: str
    errors: list[dict[Literal["field", "detail"], str]] = Field(
        [], description="The fields of the request, each with its error."
    )
