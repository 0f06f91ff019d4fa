"""Makes the file of card payments that is published, from payments that count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardwatch.casebook import FINANCE, AuditEvent, report_queries
from cardwatch.errors import CardwatchError
from cardwatch.reports.publication import PUBLICATION_COLUMNS, make_publication
from cardwatch.services.governance_report import quarter_span

if TYPE_CHECKING:
    from cardwatch.reports.publication import Publication, Redactions
    from cardwatch.services.context import ServiceContext


def publish_quarter(
    context: ServiceContext, quarter: str, redactions: Redactions, *, threshold_pounds: int
) -> Publication:
    """Return the publication of a quarter's payments.

    Args:
        context: who makes it; finance alone.
        quarter: one that is over, such as `2026-Q3`.
        redactions: what is not published.
        threshold_pounds: a payment is published if it exceeds this.

    Raises:
        NotAllowed: the role is another.
        CardwatchError: the quarter is none, or not over, or has no payment.
    """
    event = AuditEvent("disclosure", "publication")
    with context.work(event) as uow:
        context.allow((FINANCE,), "publish payments")
        span = quarter_span(quarter, context.now.date())
        event.object_id = span.name
        if not span.is_over:
            sentence = f"{quarter} is not over. Choose an earlier one."
            raise CardwatchError(sentence, field="quarter")
        more = [name for name in PUBLICATION_COLUMNS if name not in report_queries.SPENDING]
        more.remove("holder_id")
        payments = report_queries.read_spending(uow, span.first_on, span.last_on, more)
        if payments.empty:
            raise CardwatchError(f"No payment of {quarter} is held.", field="quarter")
        publication = make_publication(payments, redactions, threshold_pounds)
        event.counts = {
            "payments": len(publication.rows),
            "redacted": sum(publication.redacted.values()),
        }
    return publication
