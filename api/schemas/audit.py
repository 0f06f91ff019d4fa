"""Models of the audit log and of samples."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.base import Day, RequestModel, Short, Whole
from cardwatch.vocabulary import Lane, State


class SampleCreate(RequestModel):
    """A sample for a spot check: of one statement, or of a period."""

    of: Literal["payments", "closed-alerts"] = Field(
        "payments", description="Payments in no alert that the caller sees, or closed alerts."
    )
    count: Whole = Field(59, ge=1, le=500)
    seed: Whole = Field(ge=0, le=999_999_999, description="The same seed draws the same sample.")
    statement_id: Short = ""
    since: Day | Literal[""] = ""
    until: Day | Literal[""] = ""
    by_money: bool = Field(
        False, description="Whether a payment's chance is in proportion to its amount."
    )

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"seed": 20261124, "since": "2026-10-01", "until": "2026-10-31"}]
        },
    )


class DrawnPayment(BaseModel):
    """A payment of a sample; `holder_id` is its cardholder's number, else name, else card."""

    statement_id: str
    label: str
    row: int
    date: str
    merchant: str
    amount_pence: int
    transaction_id: str
    holder_id: str


class DrawnAlert(BaseModel):
    """A closed alert of a sample."""

    alert_id: str
    lane: Lane
    rule: str
    tier: str
    state: State
    last_on: str
    at_stake_pence: int
    holders: list[str]
    approvers: list[str]
    merchants: list[str]
    cost_centres: list[str]


class Sample(BaseModel):
    """A sample and its population."""

    population: int
    pence: int
    population_sha256: str = Field(description="Hash of the population, in order.")
    drawn: list[DrawnPayment] | list[DrawnAlert]


class RetentionPeriods(BaseModel):
    """Retention periods in days, by class of data."""

    transactions: int
    alerts: int
    cases: int
    registers: int
    notices: int
    complaints: int


class RetentionUpdate(RequestModel):
    """A new retention period for one class of data."""

    kind: Literal["transactions", "alerts", "cases", "registers", "notices", "complaints"]
    days: Whole = Field(ge=1, le=36_500)

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"kind": "alerts", "days": 2557}]}
    )


class Erased(BaseModel):
    """The number of deleted transactions."""

    transactions: int
