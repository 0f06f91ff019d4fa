"""Models of payments and of the rules applied to them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.base import WORDS, Day, RequestModel, Whole
from cardwatch.services.answers import ShownPayment


class PaymentPage(BaseModel):
    """Payments, the newest first, and where the next page begins."""

    payments: list[ShownPayment]
    next: str | None = Field(description="The cursor of the next page; none on the last.")


class PaymentSearch(RequestModel):
    """Words to search payments by; sent in a body, so that no name is in an address."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=WORDS)] = Field(
        description="Part of a cardholder, merchant, unit or reference as shown."
    )
    since: Day | None = None
    until: Day | None = None
    limit: Whole = Field(100, ge=1, le=500)
    cursor: Annotated[str, StringConstraints(max_length=500)] = ""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "Oxbarrow"}]}
    )
