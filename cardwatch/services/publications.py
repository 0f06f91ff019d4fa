"""Makes the file of card payments that is published, and answers to the usual requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardwatch.casebook import FINANCE, AuditEvent, people, report_queries
from cardwatch.errors import CardwatchError
from cardwatch.features import purchase_rows
from cardwatch.merchants import canonical_name
from cardwatch.reports import quarter_figures
from cardwatch.reports.aggregate import USUAL_THRESHOLD
from cardwatch.reports.document_xlsx import document_xlsx
from cardwatch.reports.information_request import (
    RequestFigures,
    answers_document,
    document_text,
)
from cardwatch.reports.pack import pack_of
from cardwatch.reports.publication import (
    PUBLICATION_COLUMNS,
    make_publication,
    publication_csv,
    withheld_rows,
)
from cardwatch.services.aggregates import suppressed_cells, suppressed_figures
from cardwatch.services.governance_report import period_span, read_coverage

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from cardwatch.casebook import UnitOfWork
    from cardwatch.records import AlertRecord
    from cardwatch.reports import Coverage, Document, Span
    from cardwatch.reports.publication import Publication, Redactions
    from cardwatch.services.context import ServiceContext

MOST_POUNDS = 1_000_000


def check_publishes(context: ServiceContext) -> None:
    """Refuse a role that publishes no payments.

    Raises:
        NotAllowed: it is another than finance.
    """
    with context.work(AuditEvent("consultation", "publication")):
        context.allow((FINANCE,), "publish payments")


def publish_quarter(
    context: ServiceContext, period: str, redactions: Redactions, *, threshold_pounds: int
) -> Publication:
    """Return the publication of a period's payments.

    Args:
        context: who makes it; finance alone.
        period: one that is over, such as `2026-Q3` or `2025/26`.
        redactions: what is not published.
        threshold_pounds: a payment is published if it exceeds this.

    Raises:
        NotAllowed: the role is another.
        CardwatchError: the period is none, or not over, or has no payment.
    """
    return _publication(context, "disclosure", period, redactions, threshold_pounds)


def preview_publication(
    context: ServiceContext, period: str, redactions: Redactions, *, threshold_pounds: int
) -> Publication:
    """Return what `publish_quarter` would, to be counted and not handed on; same errors."""
    return _publication(context, "consultation", period, redactions, threshold_pounds)


def _publication(
    context: ServiceContext, action: str, period: str, redactions: Redactions, pounds: int
) -> Publication:
    event = AuditEvent(action, "publication")
    with context.work(event) as uow:
        _, payments = _read(context, uow, period, pounds)
        publication = make_publication(payments, redactions, pounds)
        event.counts = _counts(publication)
    return publication


def answer_requests(
    context: ServiceContext,
    period: str,
    redactions: Redactions,
    *,
    threshold_pounds: int,
    key: Ed25519PrivateKey,
) -> tuple[Publication, bytes]:
    """Return answers to the usual freedom-of-information questions, as a pack of files.

    Args:
        context: who makes it; finance alone.
        period: one that is over, such as `2026-Q3` or `2025/26`.
        redactions: what is not published, in figures as in the list of payments.
        threshold_pounds: a payment is listed if it exceeds this.
        key: signs the pack's manifest.

    Returns:
        The publication that is in it, and the pack: a draft as text and workbook, and the payments.

    Raises:
        NotAllowed, CardwatchError: see `publish_quarter`.
    """
    event = AuditEvent("disclosure", "answer pack")
    with context.work(event) as uow:
        span, payments = _read(context, uow, period, threshold_pounds)
        alerts, coverage = report_queries.read_alerts(uow), read_coverage(uow, span)
        figures = request_figures(span, payments, (alerts, coverage), redactions, threshold_pounds)
        document = answers_document(
            figures, organisation=people.organisation_name(uow), made_on=uow.today
        )
        event.counts = _counts(figures.publication)
    return figures.publication, pack_of(answer_files(figures, document), {"period": period}, key)


def answer_files(figures: RequestFigures, document: Document) -> dict[str, bytes]:
    """Return the files of the answers by name."""
    return {
        "answers.txt": document_text(document).encode(),
        "answers.xlsx": document_xlsx(document),
        "payments.csv": publication_csv(figures.publication).encode(),
    }


def request_figures(
    span: Span,
    payments: pd.DataFrame,
    checked: tuple[Sequence[AlertRecord], Coverage],
    redactions: Redactions,
    threshold_pounds: int,
) -> RequestFigures:
    """Return the figures of the answers, without payments that are left out whole.

    Args:
        span: the period.
        payments: its payments, each once, with `PUBLICATION_COLUMNS` and `SPENDING`.
        checked: finance's alerts, and how far statements cover the period.
        redactions: what is not published.
        threshold_pounds: a payment is listed if it exceeds this.
    """
    is_withheld, _ = withheld_rows(payments, redactions)
    public = payments[~is_withheld]
    purchases = public[purchase_rows(public)]
    names = {}
    for printed in purchases["merchant"].unique():
        name = canonical_name(printed).name
        reason = redactions.merchants.get(name)
        names[printed] = f"Redacted: {reason}" if reason else name
    figures = suppressed_figures(
        quarter_figures(span, public, *checked), purchases, USUAL_THRESHOLD
    )
    return RequestFigures(
        period=span.name,
        first_on=span.first_on,
        last_on=span.last_on,
        spending=figures,
        merchants=suppressed_cells(purchases, purchases["merchant"].map(names), USUAL_THRESHOLD)
        if figures.purchases
        else (),
        publication=make_publication(payments, redactions, threshold_pounds),
        threshold_pounds=threshold_pounds,
    )


def _read(
    context: ServiceContext, uow: UnitOfWork, period: str, threshold_pounds: int
) -> tuple[Span, pd.DataFrame]:
    """Return the days of a period and its payments, for finance alone."""
    context.allow((FINANCE,), "publish payments")
    if not 0 <= threshold_pounds <= MOST_POUNDS:
        sentence = f"Enter whole pounds from 0 to {MOST_POUNDS:,}."
        raise CardwatchError(sentence, field="over_pounds")
    span = period_span(period, context.now.date())
    uow.event.object_id = span.name
    more = [name for name in PUBLICATION_COLUMNS if name not in report_queries.SPENDING]
    more.remove("holder_id")
    payments = report_queries.read_spending(uow, span.first_on, span.last_on, more)
    if payments.empty:
        raise CardwatchError(f"No payment of {period} is held.", field="period")
    return span, payments


def _counts(publication: Publication) -> dict[str, int]:
    """Return the numbers that the audit log has of a publication."""
    return {"payments": len(publication.rows), "redacted": sum(publication.redacted.values())}
