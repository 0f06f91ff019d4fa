"""The shapes of what is sent and answered; every field says what it is."""

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
AnyState = Literal[State, "suppressed", "not-asked"]
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
"""What is white space is not agreed on among control characters, so that none is taken."""


def _day(text: str) -> str:
    """Return the text of a day as it stands in the casebook.

    Raises:
        ValueError: it is none.
    """
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        raise ValueError("enter a date like 2026-10-01")
    return str(dt.date.fromisoformat(text))


def _whole(given: object) -> object:
    """Return a number without its fraction where that is nothing: JSON tells 3.0 from 3 no more."""
    return int(given) if isinstance(given, float) and given.is_integer() else given


Reason = Annotated[
    str, StringConstraints(min_length=1, max_length=2_000, pattern=WORDS),
    Field(description="Why; it is kept with what is done.", examples=["two orders seen"]),
]  # fmt: skip
Day = Annotated[
    str,
    AfterValidator(_day),
    Field(
        description="A day, 2026-10-01.",
        json_schema_extra={"format": "date"},
        examples=["2026-10-01"],
    ),
]
Id = Annotated[str, Path(max_length=80, pattern=r"^[0-9A-Za-z_-]+$", examples=["ba0e7c01d2f3"])]
Whole = Annotated[int, BeforeValidator(_whole)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=WORDS)]
Short = Annotated[str, StringConstraints(max_length=200, pattern=NO_NUL)]
Cell = Annotated[str, StringConstraints(max_length=1_000, pattern=NO_NUL)]


class Sent(BaseModel):
    """What is sent: nothing beyond its fields is taken, and no text for a number."""

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
        [], description="The fields of the request that it is about, each with what is wrong."
    )


class Transaction(Sent):
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


class ToScore(Sent):
    """Transactions to be scored and not kept."""

    transactions: Annotated[list[Transaction], FailFast()] = Field(min_length=1, max_length=20_000)
    history: bool = Field(True, description="Whether they are compared with the casebook's.")
    policy: Short = Field("in-force", description="`in-force`, `none`, or a kept policy's hash.")
    model: Short = Field("in-force", description="`in-force`, `none`, or a kept model's hash.")

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"transactions": TRANSACTIONS, "history": False}
            ]
        },
    )  # fmt: skip


class Score(BaseModel):
    """Ranked, explained alerts of what was sent; nothing of it was kept."""

    lists: dict[Lane, dict[str, Any]] = Field(description="One list a lane that the caller sees.")
    report: dict[str, Any] = Field(description="What happened to every row.")
    made_with: dict[str, str] = Field(description="Hashes of everything that was used.")


class Statement(BaseModel):
    """A statement that is held."""

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
    held_before: int
    is_scored: int
    erased_at: str | None
    layout: str = Field(description="The column profile by which it was read.")


class StatementWhole(Statement):
    """A statement with its reading report."""

    report: dict[str, Any]


class Receipt(BaseModel):
    """What became of a statement; the same words whatever was found in it."""

    statement_id: str
    label: str
    outcome: Literal["received", "held", "rows-held"]
    transactions: int
    held_before: int
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
    """What checking a statement found; `fault` is empty where all is as it was."""

    statement_id: str
    label: str
    fault: str
    alerts: int
    note: str


class AlertShort(BaseModel):
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
    holders: list[str] = Field(description="Ids of the cardholders it asks about.")
    approvers: list[str] = Field(description="Ids of the approvers it asks about, if it does.")
    merchants: list[str] = Field(description="Names under which its merchants are compared.")
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


class AlertPage(BaseModel):
    """Alerts in order, and where the next page begins."""

    alerts: list[AlertShort]
    next: str | None = Field(description="The cursor of the next page; none on the last.")


class Alert(BaseModel):
    """One alert whole: a reason to ask, not a finding."""

    alert_id: str
    lane: Lane
    statement_id: str
    raised_at: str
    state: AnyState
    version: int = Field(description="Of its decisions; its ETag.")
    is_second_look: int
    assigned_to: str
    due_on: str
    snoozed_until: str
    tags: str
    holders: list[str] = Field(description="Ids of the cardholders it asks about.")
    approvers: list[str] = Field(description="Ids of the approvers it asks about, if it does.")
    merchants: list[str] = Field(description="Names under which its merchants are compared.")
    raised: dict[str, Any] | None = Field(
        description="As it was raised: payments, reasons, comparisons, what to ask."
    )
    decisions: list[dict[str, Any]]
    neighbours: list[dict[str, Any]] = Field(
        description="Other payments of its days, to its merchants or by its holders."
    )
    related: list[dict[str, Any]] = Field(
        description="Other alerts that share a cardholder, approver or merchant with it."
    )
    made_by: dict[str, str] | None = Field(description="Hashes of everything that made it.")


class Decision(Sent):
    """What somebody decides, notes, assigns or sets a day for."""

    reason: Reason
    state: State | Literal[""] = Field("", description="The new state; empty to leave it.")
    assigned_to: Short | None = Field(
        None, description="Email; empty for nobody; null to leave it."
    )
    due_on: Day | Literal[""] | None = Field(None, description="Empty for none; null to leave it.")
    snoozed_until: Day | Literal[""] | None = Field(None, description="Lists leave it out so long.")
    tags: Short | None = Field(None, description="Words with spaces between; null to leave them.")

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "two sites, two orders seen",
                                         "state": "explained"}]},
    )  # fmt: skip


class ToSuppress(Sent):
    """For how long alerts like one are closed unasked, and why."""

    until: Day
    reason: Reason

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"until": "2027-03-31", "reason": "contract 17"}]},
    )


class Suppression(BaseModel):
    """Alerts of one rule, cardholder and merchant that are closed unasked until a day."""

    suppression_id: str
    lane: Lane
    holder_id: str
    merchants: list[str]
    rule: str
    reason: str
    expires_on: str
    made_by: str
    made_at: str
    ended_at: str | None = None


class ToHold(Sent):
    """Why an alert is kept beyond its time."""

    reason: Reason

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reason": "case 12"}]}
    )


class Hold(BaseModel):
    """An alert kept beyond its time, with its payments."""

    hold_id: str
    lane: Lane
    alert_id: str
    reason: str
    made_by: str
    made_at: str
    ended_at: str | None


class ToExport(Sent):
    """What is handed over, in which form, why and to whom: a statement's list, or a case."""

    statement_id: Short = Field("", description="Whose list, as it was made.")
    lane: Lane = "finance"
    alert_ids: list[Id] = Field([], max_length=50, description="Of a case, in place of a list.")
    form: Literal["csv", "xlsx", "json", "pdf", "zip"] = Field(
        "xlsx", description="`zip` is a pack: all other forms, and a signed manifest."
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
    """A list that was handed over."""

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
    """A rule in force."""

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


class PolicyInForce(BaseModel):
    """The policy in force on a day: its text and every figure."""

    sha256: str
    is_shipped: bool
    text: str
    figures: dict[str, Any]


class Model(BaseModel):
    """The isolation forest in force."""

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
    """A document that was put in force."""

    kind: str
    seq: int
    sha256: str
    holds_from: str
    put_by: str
    put_at: str


class ToPropose(Sent):
    """A policy, rule set or model that is to hold from a day, once somebody else agrees."""

    kind: Literal["policy", "rules", "model"]
    reason: Reason
    holds_from: Day | Literal[""] = Field("", description="Today if none is said.")
    policy: Annotated[str, StringConstraints(max_length=200_000)] | None = Field(
        None, description="The policy as TOML."
    )
    rules: dict[Short, Annotated[str, StringConstraints(max_length=50_000)]] | None = Field(
        None, description="The files of all rules, by name."
    )

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"kind": "policy", "reason": "new limits from April",
                          "holds_from": "2027-04-01", "policy": "alerts_per_1000 = 10\n"}]
        },
    )  # fmt: skip


class ToTry(Sent):
    """A policy or rule set to be tried on past statements."""

    kind: Literal["policy", "rules"]
    months: Whole = Field(3, ge=1, le=24, description="How many of the newest scored statements.")
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
    holds_from: str
    reason: str
    made_by: str
    made_at: str
    state: Literal["open", "agreed", "refused"]
    decided_by: str | None
    decided_at: str | None


class Person(BaseModel):
    """Somebody who has, or had, access."""

    person_id: str
    name: str
    email: str
    role: Role
    holder_id: str
    made_at: str
    ended_at: str | None
    identity: str | None


class ToAdd(Sent):
    """Somebody who is to have access."""

    name: Name
    email: Annotated[str, StringConstraints(max_length=200, pattern=EMAIL)]
    role: Role
    holder_id: Short = Field("", description="Who they are in statements.")

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "Finance desk", "email": "desk@force.example",
                                         "role": "finance"}]},
    )  # fmt: skip


class Added(BaseModel):
    """Somebody who was added."""

    person_id: str


class Invitation(BaseModel):
    """An invitation to take one's account; shown this once."""

    token: str


class Key(BaseModel):
    """A key for a machine, without its secret."""

    key_id: str
    name: str
    role: Role
    made_by: str
    made_at: str
    expires_on: str
    ended_at: str | None


class ToKey(Sent):
    """A key that is to be made."""

    name: Name
    role: Role
    days: Whole = Field(90, ge=1, le=365)

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "ledger system", "role": "finance", "days": 90}]},
    )


class NewKey(BaseModel):
    """A key, shown this once."""

    key: str


class ToSignIn(Sent):
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


class Me(BaseModel):
    """Who the caller is."""

    organisation_id: str
    actor_id: str
    role: Role
    lanes: list[Lane]


class Session(BaseModel):
    """A session of the caller's own."""

    session_id: str
    made_at: str
    seen_at: str
    browser: str


class Token(Sent):
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


class ToTake(Sent):
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


class ToChange(Sent):
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
    """Where notices of the caller's lane are sent."""

    lane: Lane
    url: str
    made_by: str
    made_at: str


class ToWebhook(Sent):
    """Where notices of the caller's lane are to be sent: an https address of a host allowed."""

    url: Annotated[str, StringConstraints(max_length=500)]

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"url": "https://systems.force.example/cardwatch"}]},
    )


class WebhookSecret(BaseModel):
    """The secret that notices are signed with (Standard Webhooks); shown this once."""

    secret: str


class ChainCheck(BaseModel):
    """What verifying one audit chain found."""

    model_config = ConfigDict(extra="allow")

    lane: Lane
    events: int
    fault: str


class ToDraw(Sent):
    """What is to be drawn for a dip test: of one statement, or of a span of days."""

    of: Literal["payments", "closed-alerts"] = Field(
        "payments", description="Payments in no alert that the caller sees, or closed alerts."
    )
    count: Whole = Field(59, ge=1, le=500)
    seed: Whole = Field(ge=0, le=999_999_999, description="By it the same are drawn again.")
    statement_id: Short = ""
    since: Day | Literal[""] = ""
    until: Day | Literal[""] = ""
    by_money: bool = Field(False, description="A payment's chance goes with its sum.")

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"seed": 20261124, "since": "2026-10-01", "until": "2026-10-31"}]
        },
    )


class Sample(BaseModel):
    """What was drawn, and of what."""

    population: int
    pence: int
    population_sha256: str = Field(description="Of what was drawn from, in order.")
    drawn: list[dict[str, Any]]


class Keeps(BaseModel):
    """For how many days each class of data is kept."""

    transactions: int
    alerts: int
    notices: int


class ToKeep(Sent):
    """For how many days one class of data is to be kept."""

    kind: Literal["transactions", "alerts", "notices"]
    days: Whole = Field(ge=1, le=36_500)

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"kind": "alerts", "days": 2557}]}
    )


class Erased(BaseModel):
    """How many transactions were erased."""

    transactions: int


class Version(BaseModel):
    """Which cardwatch this is."""

    cardwatch: str
    tables: str
    database: Literal["sqlite", "postgresql"]


class Health(BaseModel):
    """Whether the service lives, or is ready."""

    status: Literal["ok", "failed"]
