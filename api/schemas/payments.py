"""Models of payments and of the rules applied to them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.base import WORDS, AnyState, Day, Lane, RequestModel, Whole
from cardwatch.records import LineItem


class PaymentRow(BaseModel):
    """A payment as lists show it."""

    statement_id: str
    label: str = Field(description="Name of its statement's file.")
    row: int = Field(description="Its row there, the first line being 1.")
    date: str
    posting_date: str | None
    holder: str = Field(description="Its cardholder, as the caller is shown them.")
    card_last4: str
    unit: str
    cost_centre: str
    merchant: str = Field(description="As printed.")
    mcc: str
    category: str
    amount_pence: int
    currency: str
    kind: str
    transaction_id: str = Field(description="The source's own reference.")
    vat: str = Field(description="VAT in the amount, in pounds; empty where it is not said.")
    line_items: list[LineItem] = Field(description="Line items, where the statement has them.")


class PaymentPage(BaseModel):
    """Payments, the newest first, and where the next page begins."""

    payments: list[PaymentRow]
    next: str | None = Field(description="The cursor of the next page; none on the last.")


class PaymentAlert(BaseModel):
    """An alert that a payment is evidence of."""

    alert_id: str
    lane: Lane
    state: AnyState
    last_on: str


class PaymentDetail(PaymentRow):
    """One payment with the alerts it is evidence of."""

    alerts: list[PaymentAlert]


class RuleCondition(BaseModel):
    """One condition of a rule, for one payment."""

    what: str
    here: str
    met_at: str
    met: bool


class PaymentRule(BaseModel):
    """What one rule says of one payment."""

    rule: str
    title: str
    lane: Lane
    fires: bool = Field(description="Whether all of its conditions are met.")
    fact: str = Field(description="What it found; empty where it does not fire.")
    compared: list[RuleCondition]


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
