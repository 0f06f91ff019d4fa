"""Request and response models."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal, get_args

from fastapi import Path
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    FailFast,
    Field,
    JsonValue,
    StringConstraints,
    model_validator,
)

from cardwatch.statements import DATE_ORDERS, FIELDS

State = Literal["open", "asked", "explained", "policy-breach", "confirmed", "data-error"]
AnyState = Literal[State, "suppressed", "answered-before", "not-asked"]
Lane = Literal["finance", "psd"]
Role = Literal["finance", "auditor", "psd", "admin"]
DateOrder = Literal["decide", "day-first", "month-first"]
Purpose = Literal["finance-assurance", "misconduct", "corruption-crime"]
MAX_FIELDS = 64
"""Of one object that is sent; a transaction, the largest, has 22."""
NO_NUL = r"^[^\x00]*$"
"""PostgreSQL keeps no such character, so none is taken."""
WORDS = r"^[^\x00]*[^\s\x00-\x1f][^\x00]*$"
"""The same, and not white space alone."""
EMAIL = r"^[^@\s\x00-\x1f\x7f-\x9f]+@[^@\s\x00-\x1f\x7f-\x9f]+$"
"""Text without control characters, which libraries disagree on as white space."""


def _day(text: str) -> str:
    """Return the text of a day as it stands in the casebook.

    Raises:
        ValueError: it is none.
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
Whole = Annotated[int, BeforeValidator(_whole)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=WORDS)]
Short = Annotated[str, StringConstraints(max_length=200, pattern=NO_NUL)]
Cell = Annotated[str, StringConstraints(max_length=1_000, pattern=NO_NUL)]


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


class Problem(BaseModel):
    """Why something was refused (RFC 9457)."""

    type: str = Field(examples=["urn:cardwatch:problem:not_found"])
    title: str
    status: int
    code: str
    detail: str
    errors: list[dict[Literal["field", "detail"], str]] = Field(
        [], description="The fields of the request, each with its error."
    )


class Transaction(RequestModel):
    """One transaction, every field as text; see `docs/statements.md` for what each may hold."""

    date: Cell
    merchant: Cell
    amount: Cell = ""
    transaction_id: Cell = ""
    posting_date: Cell = ""
    holder_id: Cell = ""
    employee_id: Cell = ""
    account: Cell = ""
    cardholder: Cell = ""
    cardholder_first: Cell = ""
    card_number: Cell = ""
    mcc: Cell = ""
    category: Cell = ""
    cost_centre: Cell = ""
    unit: Cell = ""
    debit: Cell = ""
    credit: Cell = ""
    debit_credit: Cell = ""
    currency: Cell = ""
    original_amount: Cell = ""
    original_currency: Cell = ""
    description: Cell = ""


assert set(Transaction.model_fields) == set(FIELDS)
assert get_args(DateOrder) == DATE_ORDERS
TRANSACTIONS: list[JsonValue] = [
    {"date": "2026-10-11", "employee_id": "E1", "merchant": "NEW FIRM LTD", "amount": amount,
     "transaction_id": number}
    for number, amount in (("S1", "900.00"), ("S2", "950.00"))
]  # fmt: skip


class ToScore(RequestModel):
    """Transactions to score without storing them."""

    transactions: Annotated[list[Transaction], FailFast()] = Field(min_length=1, max_length=20_000)
    history: bool = Field(True, description="Whether to compare them with the casebook's payments.")
    policy: Short = Field("in-force", description="`in-force`, `none`, or a stored policy's hash.")
    model: Short = Field("in-force", description="`in-force`, `none`, or a stored model's hash.")

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"transactions": TRANSACTIONS, "history": False}
            ]
        },
    )  # fmt: skip


class Score(BaseModel):
    """Ranked, explained alerts of the transactions sent; nothing is stored."""

    lists: dict[Lane, dict[str, Any]] = Field(
        description="One list for each lane that the caller sees."
    )
    report: dict[str, Any] = Field(description="What happened to every row.")
    made_with: dict[str, str] = Field(description="Hashes of all inputs.")


class Statement(BaseModel):
    """A stored statement."""

    statement_id: str
    label: str
    sha256: str
    received_at: str
    received_by: str
    corrects: str | None
    superseded_by: str | None
    first_on: str
    last_on: str
    transactions: int
    pence: int
    duplicate_count: int
    is_scored: int
    erased_at: str | None
    layout: str = Field(description="The column profile it was read with.")


class StatementDetail(Statement):
    """A statement with its reading report."""

    report: dict[str, Any]


class Receipt(BaseModel):
    """The result of an import; the same words whatever was found in the statement."""

    statement_id: str = Field(description="Empty while it waits for a second person.")
    label: str
    outcome: Literal["received", "held", "rows-held", "second-person"] = Field(
        description="`second-person`: it waits until another person asks for the same."
    )
    transactions: int
    duplicate_count: int
    holders: dict[str, int]
    late: int
    notes: list[str]


class Job(BaseModel):
    """Work that takes longer than a request; `answer` once it is done or has failed."""

    job_id: str
    kind: Literal["statement", "back-test", "evaluation"]
    made_at: str
    state: Literal["queued", "running", "done", "failed"]
    percent: int
    answer: dict[str, Any] | None


class Check(BaseModel):
    """The result of verifying a statement; `fault` is empty where nothing has changed."""

    statement_id: str
    label: str
    fault: str
    alerts: int
    note: str


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
    is_fact: int = Field(description="1 for a fact against a stated limit or list, else 0.")
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
    state: AnyState
    version: int
    is_second_look: int
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


class Alert(BaseModel):
    """One alert in full: a reason to ask, not a finding."""

    alert_id: str
    lane: Lane
    statement_id: str
    raised_at: str
    state: AnyState
    version: int = Field(description="The number of its last decision; also its ETag.")
    is_second_look: int
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
    raised: dict[str, Any] | None = Field(
        description="The alert as raised: payments, reasons, comparisons, what to ask."
    )
    decisions: list[dict[str, Any]]
    neighbours: list[dict[str, Any]] = Field(
        description="Other payments on its days, to its merchants or by its cardholders."
    )
    related: list[dict[str, Any]] = Field(
        description="Other alerts that share a cardholder, approver or merchant with it."
    )
    made_by: dict[str, str] | None = Field(description="Hashes of all inputs.")
    registers: list[dict[str, str]] = Field(
        description="Versions of registers that its list was made with: id, kind and hash."
    )


class Decision(RequestModel):
    """A decision, note, assignment or due date."""

    reason: Reason
    state: State | Literal[""] = Field(
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
    version: Annotated[Whole, Field(ge=0, le=10**9)]


class SharedDecision(RequestModel):
    """One decision on several alerts."""

    alerts: list[AlertVersion] = Field(min_length=1, max_length=50)
    reason: Reason
    state: State

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"alerts": [{"alert_id": "ba0e7c01d2f3", "version": 0}],
                                         "reason": "one contract", "state": "explained"}]},
    )  # fmt: skip


class DecidedCount(BaseModel):
    """How many alerts a decision was recorded on."""

    alerts: int


class AlertSearch(RequestModel):
    """Words to search alerts by, with filters; sent in a body, so that no name is in an address."""

    text: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=WORDS)] = Field(
        description="Part of a cardholder, merchant or unit as shown, or an id's beginning."
    )
    lane: Lane | None = None
    state: AnyState | None = None
    tier: Literal["A", "B", "C"] | None = None
    kind: Short = ""
    unit: Short = ""
    order: Literal["evidence", "money", "age"] = "evidence"
    limit: Annotated[Whole, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, StringConstraints(max_length=500)] = ""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "Oxbarrow", "state": "open"}]}
    )


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
    limit: Annotated[Whole, Field(ge=1, le=500)] = 100
    cursor: Annotated[str, StringConstraints(max_length=500)] = ""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "Oxbarrow"}]}
    )


class SuppressionCreate(RequestModel):
    """The end and reason of a suppression of alerts like one."""

    until: Day
    reason: Reason

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"until": "2027-03-31", "reason": "contract 17"}]},
    )


class Suppression(BaseModel):
    """Alerts of the same cardholders and merchants that are closed unasked until a day.

    Of one rule where somebody suppressed them; of one kind, up to a sum, where one was explained.
    """

    suppression_id: str
    lane: Lane
    holders: list[str]
    merchants: list[str]
    kind: str
    rule: str
    alert_id: str | None = None
    most_pence: int | None = None
    reason: str
    expires_on: str
    made_by: str
    made_at: str
    ended_at: str | None = None


class HoldCreate(RequestModel):
    """The reason for a legal hold."""

    reason: Reason

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "case 12"}]}
    )


class Hold(BaseModel):
    """A legal hold on an alert and its payments."""

    hold_id: str
    lane: Lane
    alert_id: str
    reason: str
    made_by: str
    made_at: str
    ended_at: str | None


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


class Export(BaseModel):
    """An export."""

    disclosure_id: str
    lane: Lane
    statement_id: str
    purpose: str
    recipient: str
    made_by: str
    made_at: str


class Precision(BaseModel):
    """How often one rule's alerts in one band of evidence were upheld.

    `low` and `high` are the exact 95 % interval of `share`. `expected` begins at one in seven, and
    orders the list once `orders` is true.
    """

    rule: str
    band: str
    answered: int
    upheld: int
    share: float
    low: float
    high: float
    expected: float
    orders: bool


class Rule(BaseModel):
    """An active rule."""

    id: str
    title: str
    kind: str
    level: str
    lane: Lane
    status: str
    role: str
    why: str
    ask: list[str]
    innocent: list[str]
    sources: list[str]
    reads: list[str]
    when: list[str]


class RuleRequirement(BaseModel):
    """One condition of a rule in words."""

    what: str = Field(description="What is compared.")
    met_at: str = Field(description="The value at which the condition is met.")


class PolicyFigure(BaseModel):
    """One figure of the active policy in words."""

    label: str
    value: str


class RuleDetail(Rule):
    """An active rule in words, with the figures of the active policy that it uses."""

    clause: str = Field(description="The clause of the card policy; empty where none is given.")
    conditions: list[RuleRequirement]
    figures: list[PolicyFigure]


class PolicyInForce(BaseModel):
    """The active policy on a day: its text and every figure."""

    sha256: str
    is_shipped: bool
    text: str
    figures: dict[str, Any]


class Model(BaseModel):
    """The active anomaly model."""

    status: Literal["loaded", "none", "refused"]
    sha256: str
    why: str = ""
    features: list[str] = Field([], description="The columns it reads, in order.")
    rows: int | None = None
    holders: int | None = None
    first_on: str = ""
    last_on: str = ""
    data_sha256: str = ""


class InForce(BaseModel):
    """An activated document."""

    kind: str
    seq: int
    sha256: str
    effective_from: str
    activated_by: str
    activated_at: str


class ToPropose(RequestModel):
    """A policy, rule set or model to activate from a day, once somebody else approves."""

    kind: Literal["policy", "rules", "model"]
    reason: Reason
    effective_from: Day | Literal[""] = Field("", description="Today if empty.")
    policy: Annotated[str, StringConstraints(max_length=200_000)] | None = Field(
        None, description="The policy as TOML."
    )
    rules: dict[Short, Annotated[str, StringConstraints(max_length=50_000)]] | None = Field(
        None, description="All rule files, by name."
    )

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"kind": "policy", "reason": "new limits from April",
                          "effective_from": "2027-04-01", "policy": "alerts_per_1000 = 10\n"}]
        },
    )  # fmt: skip


class BackTestCreate(RequestModel):
    """A policy or rule set to test on past statements."""

    kind: Literal["policy", "rules"]
    months: Whole = Field(3, ge=1, le=24, description="Number of newest scored statements.")
    policy: Annotated[str, StringConstraints(max_length=200_000)] | None = None
    rules: dict[Short, Annotated[str, StringConstraints(max_length=50_000)]] | None = None

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"kind": "policy", "months": 2,
                                         "policy": "alerts_per_1000 = 10\n"}]},
    )  # fmt: skip


class Proposal(BaseModel):
    """A document that somebody proposed."""

    proposal_id: str
    lane: Lane
    kind: str
    sha256: str
    effective_from: str
    reason: str
    made_by: str
    made_at: str
    state: Literal["open", "agreed", "refused"]
    decided_by: str | None
    decided_at: str | None


class Person(BaseModel):
    """A person who has, or had, access."""

    person_id: str
    name: str
    email: str
    role: Role
    holder_id: str
    holds_no_card: int = Field(description="1 where it is stated that they hold no card.")
    made_at: str
    ended_at: str | None
    identity: str | None


class PersonCreate(RequestModel):
    """A person to give access to."""

    name: Name
    email: Annotated[str, StringConstraints(max_length=200, pattern=EMAIL)]
    role: Role
    holder_id: Short = Field(
        "", description="Who they are in statements: one of the card register, if it is in force."
    )
    holds_no_card: bool = Field(
        False, description="That they hold no card; finance and psd need one or the other."
    )

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "Finance desk", "email": "desk@force.example",
                                         "role": "finance", "holds_no_card": True}]},
    )  # fmt: skip


class PersonCreated(BaseModel):
    """A person who was added."""

    person_id: str


class Invitation(BaseModel):
    """An invitation to set up an account; shown only once."""

    token: str


class ToLink(RequestModel):
    """Who somebody is in statements."""

    holder_id: Short = ""
    holds_no_card: bool = False

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"holder_id": "E1"}]})


class Key(BaseModel):
    """An API key without its secret."""

    key_id: str
    name: str
    role: Role
    can_decide: int = Field(description="1 if it may record decisions.")
    owner: str = Field(description="The person who answers for it, or the key if the installation.")
    used_on: str | None = Field(description="The day of its last use.")
    made_by: str
    made_at: str
    expires_on: str
    ended_at: str | None


class ApiKeyCreate(RequestModel):
    """An API key to create."""

    name: Name
    role: Role
    days: Whole = Field(90, ge=1, le=365)
    can_decide: bool = Field(False, description="Whether it may record decisions.")

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "ledger system", "role": "finance", "days": 90}]},
    )


class NewKey(BaseModel):
    """An API key; shown only once."""

    key: str


class ToSignIn(RequestModel):
    """Password and code of a person."""

    organisation: Short
    email: Short
    password: Annotated[str, StringConstraints(max_length=128)]
    code: Annotated[str, StringConstraints(max_length=10)]

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"organisation": "saltmarsh-vale",
                                         "email": "finance@saltmarsh-vale.example",
                                         "password": "four words in no order",
                                         "code": "123456"}]},
    )  # fmt: skip


class CurrentUser(BaseModel):
    """The caller."""

    organisation_id: str
    actor_id: str
    role: Role
    lanes: list[Lane]


class Session(BaseModel):
    """One of the caller's sessions."""

    session_id: str
    made_at: str
    seen_at: str
    browser: str


class Token(RequestModel):
    """An invitation."""

    token: Short

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"token": "saltmarsh-vale_x"}]}
    )


class Secret(BaseModel):
    """The secret for an authenticator app, and the same as an address to be shown as a QR code."""

    email: str
    secret: str
    address: str


class AccountActivate(RequestModel):
    """The password somebody chooses, and the first code of their authenticator app."""

    token: Short
    password: Annotated[str, StringConstraints(max_length=1_000)]
    code: Annotated[str, StringConstraints(max_length=10)]

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"token": "saltmarsh-vale_x",
                                         "password": "four words in no order",
                                         "code": "123456"}]},
    )  # fmt: skip


class ToChange(RequestModel):
    """A new password, with the old one and a code."""

    password: Annotated[str, StringConstraints(max_length=128)]
    code: Annotated[str, StringConstraints(max_length=10)]
    new: Annotated[str, StringConstraints(max_length=1_000)]

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"password": "four words in no order", "code": "123456",
                                         "new": "four other words in no order"}]},
    )  # fmt: skip


class Webhook(BaseModel):
    """The webhook of the caller's lane."""

    lane: Lane
    url: str
    made_by: str
    made_at: str


class ToWebhook(RequestModel):
    """A webhook for the caller's lane: an https address on an allowed host."""

    url: Annotated[str, StringConstraints(max_length=500)]

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"url": "https://systems.force.example/cardwatch"}]},
    )


class WebhookSecret(BaseModel):
    """The secret that signs notices (Standard Webhooks); shown only once."""

    secret: str


class ChainCheck(BaseModel):
    """The result of verifying one audit chain."""

    model_config = ConfigDict(extra="allow")

    lane: Lane
    events: int
    fault: str


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


class Sample(BaseModel):
    """A sample and its population."""

    population: int
    pence: int
    population_sha256: str = Field(description="Hash of the population, in order.")
    drawn: list[dict[str, Any]]


class RetentionPeriods(BaseModel):
    """Retention periods in days, by class of data."""

    transactions: int
    alerts: int
    notices: int


class RetentionUpdate(RequestModel):
    """A new retention period for one class of data."""

    kind: Literal["transactions", "alerts", "notices"]
    days: Whole = Field(ge=1, le=36_500)

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"kind": "alerts", "days": 2557}]}
    )


class Erased(BaseModel):
    """The number of deleted transactions."""

    transactions: int


class Version(BaseModel):
    """The version of cardwatch."""

    cardwatch: str
    tables: str
    database: Literal["sqlite", "postgresql"]


class Health(BaseModel):
    """Whether the service is alive, or ready."""

    status: Literal["ok", "failed"]
