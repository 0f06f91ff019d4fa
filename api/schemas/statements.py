"""Models of statements, jobs and receipts."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, Field


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


class Check(BaseModel):
    """The result of verifying a statement; `fault` is empty where nothing has changed."""

    statement_id: str
    label: str
    fault: str
    alerts: int
    note: str


class AgreementRow(BaseModel):
    """The comparison of one rule with the independent run."""

    rule: str = Field(description="A rule, or `search:` and what its splits are searched by.")
    firings: int = Field(description="Payments at which it fires, before what rests on chance.")
    result: str = Field(description="`agreed`, `not agreed`, or `not run:` and why.")
    rows: str = Field(description="Rows of the statement that differ, with commas.")


class IndependentCheck(BaseModel):
    """The result of the independent run over limits, splits and duplicates of a statement."""

    statement_id: str
    label: str
    agrees: bool
    rules: list[AgreementRow]


class Job(BaseModel):
    """Work that takes longer than a request; `answer` once it is done or has failed."""

    job_id: str
    kind: Literal["statement", "back-test", "evaluation"]
    made_at: str
    state: Literal["queued", "running", "done", "failed"]
    percent: int
    answer: dict[str, Any] | None
