"""Pagination of alert lists, for API operations and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from api.deps import make_cursor, read_cursor
from cardwatch import desk

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardwatch.desk import Desk


def page_of(
    at: Desk, chosen: Mapping[str, Any], *, cursor: str, limit: int, snoozed: bool
) -> tuple[list[dict[str, Any]], str]:
    """Return one page of the alerts that were chosen, and where the next begins, if there is one.

    Args:
        at: who asks.
        chosen: fields of `casebook.finding.Asked`; `same_holder_as` and `same_merchant_as` name an
            alert in place of a cardholder or merchant, so that no name stands in an address;
            whatever `assigned_to` says, it is the caller.
        cursor: where the page begins; empty for the first.
        limit: the most on a page.
        snoozed: whether those that are snoozed are shown too.

    Raises:
        NotAllowed, NotFound, CardwatchError: see `desk.list_alerts`, `desk.get_alert` and
            `read_cursor`.
    """
    wanted = {name: value for name, value in chosen.items() if value}
    for filter_name in ("same_holder_as", "same_merchant_as"):
        if alert_id := wanted.get(filter_name):
            wanted[filter_name] = desk.get_alert(at, alert_id)["alert_id"]
    if not snoozed:
        wanted["awake_on"] = str(at.now.date())
    if "assigned_to" in wanted:
        wanted["assigned_to"] = desk.email_of(at)
    found = desk.list_alerts(at, after=read_cursor(cursor), limit=limit + 1, **wanted)
    more = len(found) > limit
    return found[:limit], make_cursor(found[limit - 1]["place"]) if more else ""
