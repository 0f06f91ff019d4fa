"""Models of policies, rules, models and proposals."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.base import Day, Id, Lane, Reason, RequestModel, Short, Whole
from cardwatch.policy import Policy

PackText = Annotated[str, StringConstraints(max_length=1024 * 1024)]
"""The text of a pack's file."""
PACK_EXAMPLE = '{"schema": "cardwatch policy pack", "format": 1}'
"""The beginning of a pack: a whole one has every rule."""


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
    figures: Policy


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


class PackFacts(BaseModel):
    """What a policy pack says of itself."""

    name: str
    owner: str
    version: str
    published_on: str
    review_on: str
    fingerprint: str = Field(description="Of the owner's key. Confirm it with the owner.")
    sha256: str


class PolicyDifference(BaseModel):
    """A setting in which two policies differ."""

    label: str
    before: str
    after: str


class RuleChanges(BaseModel):
    """Ids of rules that are added, removed and changed, of the lists that you see."""

    added: list[str]
    removed: list[str]
    changed: list[str]


class ActivePack(BaseModel):
    """The pack behind the active policy, and what differs from it here."""

    pack: PackFacts
    is_review_due: bool
    own_figures: list[PolicyDifference] = Field(
        description="The pack's figure before, the organisation's own after."
    )
    own_rules: RuleChanges


class PackPreview(BaseModel):
    """What a pack would change here."""

    pack: PackFacts
    before_after: list[PolicyDifference] = Field(description="Of the active policy.")
    own_figures: list[PolicyDifference] = Field(description="Own figures that stay on top.")
    rules: RuleChanges
    notes: list[str]


class PackUpload(RequestModel):
    """A policy pack."""

    pack: PackText

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"pack": PACK_EXAMPLE}]}
    )


class PackProposal(RequestModel):
    """A pack to activate, once somebody else approves."""

    job_id: Id = Field(description="Your back-test of the pack.")
    reason: Reason
    effective_from: Day | Literal[""] = Field("", description="Today if empty.")

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"job_id": "0f3a5c7e9b12", "reason": "national pack 2027.1"}]
        },
    )


class ProposalCreate(RequestModel):
    """A policy, rule set, model or order of alerts to activate, once somebody else approves."""

    kind: Literal["policy", "rules", "model", "order-by-answers", "order-by-evidence"] = Field(
        description="The orders are of your own list: by the answers so far, or by evidence alone. "
        "They hold from the day of approval."
    )
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
    """A policy, rule set or pack to test on past statements."""

    kind: Literal["policy", "rules", "pack"]
    months: Whole = Field(3, ge=1, le=24, description="Number of newest scored statements.")
    policy: Annotated[str, StringConstraints(max_length=200_000)] | None = None
    rules: dict[Short, Annotated[str, StringConstraints(max_length=50_000)]] | None = None
    pack: PackText | None = None

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
