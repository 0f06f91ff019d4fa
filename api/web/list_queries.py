"""Part of a page's address that leads back to the list or alert from which somebody came."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import Request

ALERT_ID = re.compile(r"[0-9a-f]{12}")
ALERT_FILTERS = ("state", "lane", "tier", "kind", "rule", "unit", "statement_id", "besides",
                 "same_holder_as", "same_merchant_as", "at_least", "since", "until", "due_by",
                 "tag", "assigned_to", "snoozed", "search", "order")  # fmt: skip
PAYMENT_FILTERS = ("statement_id", "unit", "since", "until", "at_least", "at_most",
                   "same_holder_as", "same_merchant_as", "search")  # fmt: skip


def list_params(request: Request) -> dict[str, str]:
    """Return the filters and page of a list, and the alert, that an address keeps; nothing else.

    Their values are as they were sent: the list checks its filters, and `alert` is an alert's id.
    """
    kept = {*ALERT_FILTERS, *PAYMENT_FILTERS, "page", "alert"}
    params = {name: value for name, value in request.query_params.items() if name in kept}
    if not ALERT_ID.fullmatch(params.get("alert", "")):
        params.pop("alert", None)
    return params


def as_query(params: Mapping[str, str]) -> str:
    """Return parameters as an address ends with them; empty without any."""
    return f"?{urlencode(params)}" if params else ""
