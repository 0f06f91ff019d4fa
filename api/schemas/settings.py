"""Models of policies, rules, models and proposals."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.base import Day, Id, Reason, RequestModel, Short, Whole
from cardwatch.vocabulary import Lane

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
