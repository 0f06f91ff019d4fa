"""Models of jobs, and of their answers: a receipt, a back-test, an evaluation or a failure."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from api.schemas.statements import Receipt


class ChangedAlert(BaseModel):
    """An alert that a change adds or removes."""

    alert_id: str
    title: str
    holders: list[str]
    approvers: list[str]
    last_on: str
    at_stake_pence: int
    tier: Literal["A", "B", "C"]
    merchant: str
    fact: str
    cost_centres: list[str]


class ListChange(BaseModel):
    """Changes to one list of a statement."""

    before: int = Field(description="How many alerts the list shows today.")
    after: int = Field(description="How many it would show.")
    newly_asked: list[ChangedAlert]
    no_longer_asked: list[ChangedAlert]


class StatementChange(BaseModel):
    """Changes to one statement; a list that the caller does not see is null."""

    statement_id: str
    label: str
    last_on: str
    finance: ListChange | None = None
    psd: ListChange | None = None


class UnitChange(BaseModel):
    """Alerts added and removed in one unit."""

    unit: str = Field(description="Empty for all units together.")
    newly_asked: int
    no_longer_asked: int
    holders_newly_asked: int


class BackTest(BaseModel):
    """Past statements scored with the active settings, and with those that are tested."""

    kind: Literal["policy", "rules", "pack"]
    sha256: str
    document: str = Field(description="What was tested, as it can be proposed.")
    statements: list[StatementChange]
    units: dict[Literal["finance", "psd"], list[UnitChange]]


class ShareFound(BaseModel):
    """Share of the invented cases that is found in a list of some length, with a 95% interval."""

    per_1000: float = Field(description="Length of the list: alerts for each 1,000 payments.")
    share: float
    low: float
    high: float


class FoundByStyle(BaseModel):
    """How well one way to rank finds one kind of invented split purchase."""

    limit_pence: int
    style: str
    ranker: str
    planted: int
    precision: float
    base_rate: float
    recalls: list[ShareFound]


class FoundByKind(BaseModel):
    """How much of one kind of misuse, or of all, is found, beside a simple rule for it."""

    limit_pence: int
    view: str
    kind: str
    planted: int
    recalls: list[ShareFound]
    one_line: list[ShareFound] = Field(description="What the simple rule finds.")
    by_generator: dict[str, list[float]]
    facts_per_1000: float
    verdict: str


class OrdinaryBusiness(BaseModel):
    """Invented payments that should raise no alert, and how many did."""

    limit_pence: int
    style: str
    planted: int
    alerts: int


class CalledRare(BaseModel):
    """How often payments of a month are called rare, over how often they should be."""

    month: str = Field(description="Or `all`.")
    payments: int
    ratios: dict[str, float] = Field(description="By the share that should be called this rare.")


class AlertVolume(BaseModel):
    """Alerts on the payments without invented cases."""

    limit_pence: int
    found_per_1000: float
    shown_per_1000: float
    shown_per_holder_month: float
    tiers_a_b_per_1000: float
    splits: int
    splits_without_clusters: int = Field(description="Splits once the days are shuffled.")
    psd_per_1000: float | None = None


class EvaluationFacts(BaseModel):
    """Facts of an evaluation."""

    payments: int
    history: int
    holders: int
    holders_of: int = Field(description="How many cardholders there are; some may be left out.")
    first_on: str = Field(alias="from")
    last_on: str = Field(alias="to")
    seeds: list[int]
    limits_pence: list[int]
    made_by: dict[str, str] = Field(description="Hashes of what scored, by kind.")
    left_out: list[str] = Field(description="Ways to rank that could not be measured here.")


class Evaluation(BaseModel):
    """Result of an evaluation with invented cases in a copy of the payments."""

    facts: EvaluationFacts
    rows: list[FoundByStyle]
    quiet: list[OrdinaryBusiness]
    chance: list[CalledRare]
    volume: list[AlertVolume]
    stability: dict[str, float] = Field(
        description="Share of the first 200 that other seeds of the model have in common."
    )
    kinds: list[FoundByKind] = Field(default=[])


class JobFailure(BaseModel):
    """Why a job failed."""

    code: str
    detail: str
    file: str = Field(default="", description="The file it was about; empty if about none.")
    error_number: str | None = Field(
        default=None, description="Where nobody foresaw it: the number under which the log has it."
    )


class Job(BaseModel):
    """Work that takes longer than a request; `answer` once it is done or has failed."""

    job_id: str
    kind: Literal["statement", "back-test", "evaluation"]
    made_at: str
    state: Literal["queued", "running", "done", "failed"]
    percent: int
    answer: Receipt | BackTest | Evaluation | JobFailure | None = Field(
        description="By kind: a receipt, a back-test or an evaluation; of a job that failed, why."
    )
