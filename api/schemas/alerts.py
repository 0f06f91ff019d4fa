"""Models of alerts, suppressions, holds and exports."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.base import WORDS, Day, Id, Name, Reason, RequestModel, Short, Whole
from cardwatch import records
from cardwatch.casebook.alert_rows import DecisionMade, Neighbour, RelatedAlert
from cardwatch.casebook.case_rows import AlertReferral
from cardwatch.vocabulary import DecidedState, Lane, State

Purpose = Literal["finance-assurance", "misconduct", "corruption-crime"]


class AlertSummary(BaseModel):
    """An alert as lists show it."""

    alert_id: str
    lane: Lane
    statement_id: str
    raised_at: str
    tier: str
    kind: str
    rule: str
    band: str
    is_fact: bool = Field(description="Whether it is a fact against a stated limit or list.")
    holders: list[str] = Field(description="Ids of the cardholders it is about.")
    approvers: list[str] = Field(description="Ids of the approvers it is about, if any.")
    merchants: list[str] = Field(description="Names under which its merchants are compared.")
    cost_centres: list[str] = Field(description="Codes of the units that bear the cost.")
    title: str = Field(description="What its leading rule looks for.")
    fact: str = Field(description="What its leading rule found, with figures.")
    merchant: str = Field(description="The merchant as last printed, or how many there are.")
    payments_count: int = Field(description="Payments it asks about; 0 for one about cards.")
    first_on: str
    last_on: str
    at_stake_pence: int
    strength: float
    expected_precision: float
    state: State
    version: int
    is_second_look: bool
    assigned_to: str
    due_on: str
    snoozed_until: str
    tags: str
    recovered_pence: int = Field(description="Money recovered so far, by refund or repayment.")
    source_corrected_by: str | None = Field(
        description="The correction of a statement with its payments that did not raise it again."
    )


class AlertPage(BaseModel):
    """Alerts in order, and where the next page begins."""

    alerts: list[AlertSummary]
    next: str | None = Field(description="The cursor of the next page; null on the last.")


class AlertDetail(BaseModel):
    """One alert in full: a reason to ask, not a finding."""

    alert_id: str
    lane: Lane
    statement_id: str
    raised_at: str
    state: State
    version: int = Field(description="The number of its last decision; also its ETag.")
    is_second_look: bool
    assigned_to: str
    due_on: str
    snoozed_until: str
    tags: str
    recovered_pence: int = Field(description="Money recovered so far, by refund or repayment.")
    source_corrected_by: str | None = Field(
        description="The correction of a statement with its payments that did not raise it again."
    )
    holders: list[str] = Field(description="Ids of the cardholders it asks about.")
    approvers: list[str] = Field(description="Ids of the approvers it asks about, if it does.")
    merchants: list[str] = Field(description="Names under which its merchants are compared.")
    cost_centres: list[str] = Field(description="Codes of the units that bear the cost.")
    clause: str = Field(description="The clause of the card policy; empty where none is given.")
    raised: records.Alert = Field(
        description="The alert as raised: payments, reasons, comparisons, what to ask."
    )
    decisions: list[DecisionMade]
    neighbours: list[Neighbour]
    related: list[RelatedAlert]
    referrals: list[AlertReferral] = Field(
        description="When it was referred to professional standards, by whom and why."
    )
    made_by: dict[str, str] | None = Field(description="Hashes of all inputs.")
    registers: list[dict[str, str]] = Field(
        description="Versions of registers that its list was made with: id, kind and hash."
    )


class Decision(RequestModel):
    """A decision, note, assignment or due date."""

    reason: Reason
    state: DecidedState | Literal[""] = Field(
        "", description="The new state; empty to leave it unchanged."
    )
    assigned_to: Short | None = Field(
        None, description="Email address; empty for nobody; null for no change."
    )
    due_on: Day | Literal[""] | None = Field(
        None, description="Empty for none; null for no change."
    )
    snoozed_until: Day | Literal[""] | None = Field(
        None, description="The last day on which lists leave it out."
    )
    tags: Short | None = Field(None, description="Tags separated by spaces; null for no change.")
    recovered_pence: Annotated[int, Field(ge=0, le=10**12)] | None = Field(
        None, description="Money recovered so far, by refund or repayment; null for no change."
    )

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "two sites, two orders seen",
                                         "state": "explained"}]},
    )  # fmt: skip


class AlertVersion(RequestModel):
    """An alert, and the number of the last decision on it that somebody has seen."""

    alert_id: Id
    version: Whole = Field(ge=0, le=10**9)


class SharedDecision(RequestModel):
    """One decision on several alerts."""

    alerts: list[AlertVersion] = Field(min_length=1, max_length=50)
    reason: Reason
    state: DecidedState

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"alerts": [{"alert_id": "ba0e7c01d2f3", "version": 0}],
                                         "reason": "one contract", "state": "explained"}]},
    )  # fmt: skip


class DecidedCount(BaseModel):
    """How many alerts a decision was recorded on."""

    alerts: int


class PaymentPlace(RequestModel):
    """A payment: its statement and its row there."""

    statement_id: Id
    row: Whole = Field(ge=0, le=10**9)


class AlertCreate(RequestModel):
    """A question about payments that somebody raises by hand."""

    payments: list[PaymentPlace] = Field(min_length=1, max_length=50)
    question: Reason

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"payments": [{"statement_id": "ba0e7c01d2f3", "row": 2}],
                                         "question": "Was this for the training day?"}]},
    )  # fmt: skip


class AlertRaised(BaseModel):
    """The id of an alert that was raised by hand."""

    alert_id: str


class AlertSearch(RequestModel):
    """Words to search alerts by, with filters; sent in a body, so that no name is in an address."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=WORDS)] = Field(
        description="Part of a cardholder, merchant or unit as shown, or an id's beginning."
    )
    lane: Lane | None = None
    state: State | None = None
    tier: Literal["A", "B", "C"] | None = None
    kind: Short = ""
    unit: Short = ""
    order: Literal["evidence", "money", "age"] = "evidence"
    limit: Whole = Field(50, ge=1, le=200)
    cursor: Annotated[str, StringConstraints(max_length=500)] = ""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "Oxbarrow", "state": "open"}]}
    )


class SuppressionCreate(RequestModel):
    """The end and reason of a suppression of alerts like one."""

    until: Day
    reason: Reason

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"until": "2027-03-31", "reason": "contract 17"}]},
    )


class HoldCreate(RequestModel):
    """The reason for a legal hold."""

    reason: Reason

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "case 12"}]}
    )


class ExportCreate(RequestModel):
    """An export of a statement's list or of a case: format, purpose and recipient."""

    statement_id: Short = Field("", description="The statement whose list is exported.")
    lane: Lane = "finance"
    alert_ids: list[Id] = Field(
        [], max_length=50, description="The alerts of a case, instead of a list."
    )
    form: Literal["csv", "xlsx", "json", "pdf", "zip"] = Field(
        "xlsx", description="`zip` is an evidence pack: all other formats and a signed manifest."
    )
    purpose: Purpose
    recipient: Name

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"statement_id": "ba0e7c01d2f3", "form": "csv",
                          "purpose": "finance-assurance", "recipient": "Chief finance officer"},
                         {"alert_ids": ["3f2a0c5d7e81"], "form": "zip",
                          "purpose": "misconduct", "recipient": "Professional standards"}]
        },
    )  # fmt: skip
