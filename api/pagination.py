"""Pagination of lists, for API operations and pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, cast

from api.deps import make_cursor, read_cursor
from cardwatch import services
from cardwatch.casebook.alert_queries import AlertFilter
from cardwatch.casebook.alert_rows import AlertDetail, ListedAlert
from cardwatch.services.answers import ListedPayment, TitledAlert

R = TypeVar("R", bound=Mapping[str, object])
"""A kind of row."""

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cardwatch.casebook.payment_queries import PaymentFilters
    from cardwatch.services import ServiceContext


class AlertRows(TypedDict):
    """A page of alerts, and where the next begins."""

    alerts: list[TitledAlert]
    next: str | None


class PaymentRows(TypedDict):
    """A page of payments, and where the next begins."""

    payments: list[ListedPayment]
    next: str | None


def filters_of(
    context: ServiceContext, chosen: Mapping[str, object], *, snoozed: bool
) -> AlertFilter:
    """Return the filters of a list of alerts.

    Args:
        chosen: fields of `casebook.alert_queries.AlertFilter`; `same_holder_as` and
            `same_merchant_as` name an alert in place of a cardholder or merchant, so that no name
            stands in an address; whatever `assigned_to` says, it is the caller.
        snoozed: whether those that are snoozed are shown too.

    Raises:
        NotAllowed, NotFound: see `services.get_alert`.
    """
    fields: dict[str, Any] = {name: value for name, value in chosen.items() if value}
    for filter_name in ("same_holder_as", "same_merchant_as"):
        if alert_id := fields.get(filter_name):
            fields[filter_name] = services.get_alert(context, alert_id)["alert_id"]
    if not snoozed:
        fields["awake_on"] = str(context.now.date())
    if "assigned_to" in fields:
        fields["assigned_to"] = services.email_of(context)
    return AlertFilter(**fields)


def one_page(
    fetch: Callable[[Sequence[float | str], int], list[R]], *, cursor: str, limit: int
) -> tuple[list[R], str]:
    """Return one page of rows, and where the next begins; empty if there is none.

    Args:
        fetch: gives rows, each with its `place`, after a place and not more than a number.
        cursor: where the page begins; empty for the first.
        limit: the most on a page.

    Raises:
        CardwatchError: see `read_cursor`, and what `fetch` refuses.
    """
    rows = fetch(read_cursor(cursor), limit + 1)
    more = len(rows) > limit
    return rows[:limit], make_cursor(
        cast("list[float | str]", rows[limit - 1]["place"])
    ) if more else ""


def page_of(
    context: ServiceContext, filters: AlertFilter, *, cursor: str, limit: int
) -> tuple[list[ListedAlert], str]:
    """Return one page of the alerts that fit, and where the next begins, if there is one.

    Args:
        filters: as `filters_of` gives them.
        cursor: where the page begins; empty for the first.
        limit: the most on a page.

    Raises:
        NotAllowed, CardwatchError: see `services.list_alerts` and `read_cursor`.
    """
    return one_page(
        lambda after, most: services.list_alerts(context, filters, after=after, limit=most),
        cursor=cursor,
        limit=limit,
    )


def payments_page(
    context: ServiceContext, filters: PaymentFilters, *, cursor: str, limit: int
) -> tuple[list[ListedPayment], str]:
    """Return one page of the payments that fit, and where the next begins; see `page_of`.

    Raises:
        NotAllowed, NotFound, CardwatchError: see `services.list_payments` and `read_cursor`.
    """
    return one_page(
        lambda after, most: services.list_payments(context, filters, after=after, limit=most),
        cursor=cursor,
        limit=limit,
    )


def with_titles(
    context: ServiceContext, rows: Sequence[ListedAlert] | Sequence[AlertDetail]
) -> list[TitledAlert]:
    """Return rows of alerts with their title, leading fact, merchant and number of payments."""
    heads = services.alert_titles(context, [row["alert_id"] for row in rows])
    return [cast("TitledAlert", {**row, **heads[row["alert_id"]]}) for row in rows]
