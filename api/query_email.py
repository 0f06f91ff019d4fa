"""Sends a query to a line manager by e-mail, for the page and the API alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from api.notifications import check_query_address, send_query
from cardwatch import services
from cardwatch.reports import pdf_of

if TYPE_CHECKING:
    from api.state import Service
    from cardwatch.casebook.rows import SentQuery
    from cardwatch.reports import Document


def email_query(
    context: services.ServiceContext, service: Service, alert_id: str, query: services.Query
) -> SentQuery:
    """Send the document of a query by e-mail, and record its alerts as asked.

    Raises:
        CardwatchError: see `check_query_address` and `services.send_query`.
    """
    check_query_address(service.settings, query.email)

    organisation = service.name_of(context.actor.organisation_id)

    def send(_filename: str, document: Document, reply_to: str) -> None:
        with service.scoring():
            content = pdf_of(document)
        send_query(
            service.settings, query.email, sender=(organisation, reply_to), due_on=query.due_on,
            content=content,
        )  # fmt: skip

    reminds = query.reminds and service.settings.remind_queries > 0
    return services.send_query(
        context, alert_id, replace(query, reminds=reminds), send, marking=service.settings.marking
    )
