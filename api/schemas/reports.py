"""Models of comparisons of forces, publications and answers to requests for information."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.schemas.base import NO_NUL, RequestModel


class ForceShare(BaseModel):
    """One force's share."""

    organisation: str
    count: int = Field(description="Rounded to the nearest 5, as `total` is.")
    total: int
    share: float
    low: float = Field(description="Exact 95% interval.")
    high: float
    position: str = Field(description="Where it lies among all forces, in words.")
    change: str = Field(description="Against the quarter before, in words; empty without one.")


class ForceFigure(BaseModel):
    """One figure of all forces that share it, the largest first."""

    figure: str
    title: str
    together: float = Field(description="The share of all forces together.")
    widened: float = Field(description="How many times as wide as chance's own the limits are.")
    forces: list[ForceShare]


class ComparedPolicy(BaseModel):
    """The policy pack by which forces were scored alike."""

    name: str
    owner: str
    version: str
    sha256: str = Field(description="Of the pack's signed file.")


class Comparison(BaseModel):
    """Forces compared."""

    quarter: str
    peers: list[str] = Field(description="The forces nearest in size to the one named.")
    not_meant: list[str] = Field(description="What a difference does not mean.")
    common_policy: ComparedPolicy | None = Field(
        description="The pack behind figures that begin with `common_`; null without one."
    )
    figures: list[ForceFigure]


PublicationForm = Literal["csv", "zip"]


class PublicationPreview(RequestModel):
    """The payments of a period whose publication is looked at before it is made."""

    period: Annotated[str, StringConstraints(max_length=20, pattern=NO_NUL)] = Field(
        description="A quarter or financial year that is over."
    )
    redactions: Annotated[str, StringConstraints(max_length=200_000)] = Field(
        "", description="TOML: merchants to redact, cards to leave out."
    )
    over_pounds: Annotated[int, Field(ge=0, le=1_000_000)] = 500

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"period": "2026-Q3"}]}
    )


class PublicationCreate(PublicationPreview):
    """The payments of a period as they are published, or answers to the usual questions."""

    form: PublicationForm = Field(description="`csv`, or `zip` for answers to usual questions.")

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"period": "2026-Q3", "form": "csv"}]}
    )


class PublicationCheck(BaseModel):
    """Summary of a publication: counts, and what was left out."""

    payments: int
    redacted: dict[str, int] = Field(description="Number of redacted rows by reason.")
    left_out: int = Field(description="Payments left out whole. Do not publish this number.")
    unused: list[str] = Field(description="Entries of the redactions that fit no payment.")
