"""Pagination of alert lists, for API operations and pages."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from api.deps import make_cursor, read_cursor
from cardwatch import desk
from cardwatch.casebook.finding import Asked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardwatch.desk import Desk


def filters_of(at: Desk, chosen: Mapping[str, Any], *, snoozed: bool) -> Asked:
    """Return the filters of a list of alerts.

    Args:
        at: who asks.
        chosen: fields of `casebook.finding.Asked`; `same_holder_as` and `same_merchant_as` name an
            alert in place of a cardholder or merchant, so that no name stands in an address;
            whatever `assigned_to` says, it is the caller.
        snoozed: whether those that are snoozed are shown too.

    Raises:
        NotAllowed, NotFound: see `desk.get_alert`.
    """
    wanted = {name: value for name, value in chosen.items() if value}
    for filter_name in ("same_holder_as", "same_merchant_as"):
        if alert_id := wanted.get(filter_name):
            wanted[filter_name] = desk.get_alert(at, alert_id)["alert_id"]
    if not snoozed:
        wanted["awake_on"] = str(at.now.date())
    if "assigned_to" in wanted:
        wanted["assigned_to"] = desk.email_of(at)
    return Asked(**wanted)


def page_of(
    at: Desk, filters: Asked, *, cursor: str, limit: int
) -> tuple[list[dict[str, Any]], str]:
    """Return one page of the alerts that fit, and where the next begins, if there is one.

    Args:
        at: who asks.
        filters: as `filters_of` gives them.
        cursor: where the page begins; empty for the first.
        limit: the most on a page.

    Raises:
        NotAllowed, CardwatchError: see `desk.list_alerts` and `read_cursor`.
    """
    rows = desk.list_alerts(at, after=read_cursor(cursor), limit=limit + 1, **asdict(filters))
    more = len(rows) > limit
    return rows[:limit], make_cursor(rows[limit - 1]["place"]) if more else ""


def with_titles(at: Desk, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of alerts with their title, leading fact, merchant and number of payments."""
    heads = desk.headlines(at, [row["alert_id"] for row in rows])
    return [row | heads[row["alert_id"]] for row in rows]
