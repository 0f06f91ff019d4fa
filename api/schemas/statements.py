"""Models of statements, jobs and receipts."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, Field

from cardwatch.records import ReadingReport
from cardwatch.services.answers import ImportedStatement
from cardwatch.services.reperformance import AgreementRow
from cardwatch.statements import BY_CONTENT, profile_text, shipped_profiles
from cardwatch.vocabulary import StatementOutcome

if TYPE_CHECKING:
    from cardwatch.statements import StatementPreview as Preview


class StatementDetail(ImportedStatement):
    """A statement with its reading report.

    Attributes:
        layout: the column profile it was read with.
        report: null once the statement is erased.
    """

    report: ReadingReport | None


class Receipt(BaseModel):
    """The result of an import; the same words whatever was found in the statement."""

    statement_id: str = Field(description="Empty while it waits for a second person.")
    label: str
    outcome: StatementOutcome = Field(
        description="`second-person`: it waits until another person asks for the same."
    )
    transactions: int
    duplicate_count: int
    holders: dict[str, int]
    late: int
    notes: list[str]


class IndependentCheck(BaseModel):
    """The result of the independent run over limits, splits and duplicates of a statement."""

    statement_id: str
    label: str
    agrees: bool
    rules: list[AgreementRow]


class PreviewColumn(BaseModel):
    """The column of a field, and why it is taken for it."""

    field: str
    heading: str
    reason: str = Field(description="`by heading`, `by content` or the profile that says so.")


class PreviewPayment(BaseModel):
    """A payment as it would be read."""

    date: str
    holder: str
    merchant: str
    amount_pence: int = Field(description="A charge is positive, a refund negative.")
    direction: Literal["charge", "refund or credit"]


class PreviewTotal(BaseModel):
    """The payments of one direction."""

    payments: int
    pence: int


class Refusal(BaseModel):
    """Why a file cannot be read."""

    code: str
    detail: str


class StatementPreview(BaseModel):
    """How a statement would be read; nothing of it is stored."""

    file: str
    headings: list[str]
    columns: list[PreviewColumn]
    unused: list[str] = Field(description="Headings that serve no field.")
    is_guessed: bool = Field(description="Whether no profile fits, and columns were guessed.")
    payments: list[PreviewPayment] = Field(description="The first five.")
    charges: PreviewTotal
    refunds: PreviewTotal
    report: ReadingReport | None = Field(description="The reading report, if it can be read.")
    refusal: Refusal | None = Field(description="Why it cannot be read with these columns.")
    profile: str = Field(description="A column profile as TOML, to edit and send as `columns`.")


def shown_preview(preview: Preview) -> StatementPreview:
    """Return a preview as the API answers it."""
    guessed = {k: v.heading for k, v in preview.columns.items() if v.reason == BY_CONTENT}
    refusal = preview.refusal
    return StatementPreview(
        file=preview.file,
        headings=list(preview.headings),
        columns=[PreviewColumn(field=k, **asdict(v)) for k, v in preview.columns.items()],
        unused=list(preview.unused),
        is_guessed=preview.is_guessed,
        payments=[PreviewPayment(**asdict(row), direction=row.direction) for row in preview.rows],
        charges=PreviewTotal(**asdict(preview.charges)),
        refunds=PreviewTotal(**asdict(preview.refunds)),
        report=preview.read[1] if preview.read else None,
        refusal=Refusal(code=refusal.code, detail=str(refusal)) if refusal else None,
        profile=profile_text(preview.headings, shipped_profiles(), guessed),
    )
