"""Filters of the list of alerts: as its address has them, and in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from api.pagination import filters_of
from api.search_terms import read_term
from api.web.base import LANE_TITLES, chips, day_faults, nonempty
from api.web.list_queries import ALERT_FILTERS
from api.web.paging import page_asked_for
from cardwatch import services
from cardwatch.casebook import STATES
from cardwatch.errors import CardwatchError
from cardwatch.reports.formatting import day, title
from cardwatch.services.answers import InboxSummary
from cardwatch.vocabulary import KIND_TITLES, TIER_TITLES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fastapi import Request

    from api.state import Service
    from cardwatch.casebook.alert_queries import AlertFilter
    from cardwatch.services import ServiceContext

UNANSWERED_FILTER = "unanswered"
DEFAULT = {"state": UNANSWERED_FILTER}
"""Without filters a list shows what waits for an answer."""
DATE_FILTERS = ("since", "until", "due_by")
ORDERS = {"evidence": "Strength of evidence", "money": "Money at stake", "age": "Oldest first"}
SORTS = {"money": ("At stake", "descending"), "age": ("Last day", "ascending")}
"""The column that an order sorts by, and which way; no column shows the strength of evidence."""


@dataclass(frozen=True)
class AlertFilters:
    """The filters of a list of alerts, as its address has them.

    Attributes:
        chosen: by name, those that are filled.
        term: the words searched for.
        errors: what is wrong with them, by field.
        page: number of the page of the list.
    """

    chosen: dict[str, str]
    term: str
    errors: dict[str, str]
    page: int

    @property
    def query(self) -> str:
        """The query of an address that keeps the filters and page; empty for the default list."""
        filters = {} if self.chosen == DEFAULT else self.chosen or {"state": ""}
        return urlencode(filters | ({"page": str(self.page)} if self.page > 1 else {}))

    def address(self, more: Sequence[tuple[str, str]] = ()) -> str:
        """The address of the page of the list, with something more than filters."""
        return f"/alerts?{'&'.join(filter(None, (self.query, urlencode(more))))}".rstrip("?")

    def to_asked(self, context: ServiceContext) -> AlertFilter:
        """The filters as the casebook takes them.

        Raises:
            NotAllowed, NotFound: see `api.pagination.filters_of`.
        """
        apart = {"snoozed", "at_least", "search"}
        fields: dict[str, Any] = {k: v for k, v in self.chosen.items() if k not in apart}
        if fields.get("state") == UNANSWERED_FILTER:
            fields |= {"state": "", "unanswered": True}
        if "at_least" in self.chosen:
            fields["at_least_pence"] = 100 * int(self.chosen["at_least"])
        fields["text"] = self.term
        return filters_of(context, fields, snoozed=self.chosen.get("snoozed") == "yes")


def read_filters(request: Request, service: Service, context: ServiceContext) -> AlertFilters:
    """Return the filters of an address; without any it is what waits for an answer."""
    params = nonempty(request.query_params)
    chosen = {name: value for name, value in params.items() if name in ALERT_FILTERS}
    if not request.query_params.keys() & set(ALERT_FILTERS):
        chosen = dict(DEFAULT)
    errors = _faults(chosen)
    term = ""
    try:
        term = read_term(service, context.actor, chosen.get("search", ""))
    except CardwatchError as refusal:
        errors["text"] = str(refusal)
    return AlertFilters(chosen, term, errors, page_asked_for(request))


def _faults(chosen: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong with the filters, by field."""
    errors = day_faults(chosen, DATE_FILTERS)
    if not re.fullmatch(r"[0-9]{0,9}", chosen.get("at_least", "")):
        errors["at_least"] = "Enter whole pounds, like 500"
    return errors


def list_address(chosen: Mapping[str, str]) -> str:
    """Return the address of the list with some filters; without any it shows every alert."""
    return f"/alerts?{urlencode(chosen or {'state': ''})}"


def filter_words(context: ServiceContext, around: InboxSummary) -> dict[str, dict[str, str]]:
    """Return the words of the values of each filter that has a list of them.

    Args:
        around: as `services.inbox_summary` gives it.
    """
    return {
        "state": {UNANSWERED_FILTER: "Open or asked"} | {state: title(state) for state in STATES},
        "lane": LANE_TITLES, "tier": TIER_TITLES, "order": ORDERS, "rule": around["rules"],
        "kind": KIND_TITLES, "statement_id": dict(reversed(around["statements"].items())),
        "unit": {unit: unit for unit in services.list_units(context)},
    }  # fmt: skip


def filter_chips(
    filters: AlertFilters, words: Mapping[str, Mapping[str, str]]
) -> list[tuple[str, str]]:
    """Return each filter in words, with the address of the list without it."""
    return chips(
        filters.chosen,
        lambda name, value: (
            _filter_label(name, filters.term or value, words)
            if name == "search"
            else _filter_label(name, value, words)
        ),
        list_address,
        besides=("order",),
    )


def _filter_label(name: str, value: str, words: Mapping[str, Mapping[str, str]]) -> str:
    """Return a filter that was chosen in words."""
    alone = {
        "same_holder_as": "Same cardholder", "same_merchant_as": "Same merchant",
        "assigned_to": "Assigned to me", "snoozed": "Snoozed alerts included",
        "besides": "From earlier statements",
    }  # fmt: skip
    names = {"since": "Last day from", "until": "Last day to", "due_by": "Due by",
             "at_least": "At stake at least", "lane": "List", "statement_id": "Statement",
             "unit": "Cost centre"}  # fmt: skip
    text = words.get(name, {}).get(value, value)
    text = day(value) if name in DATE_FILTERS and not _faults({name: value}) else text
    text = f"£{text}" if name == "at_least" else text
    return alone.get(name, f"{names.get(name, title(name))}: {text}")


def list_headings(chosen: Mapping[str, str]) -> list[str | dict[str, str]]:
    """Return the headings of the list; those by which it can be sorted are links."""
    headings: list[str | dict[str, str]] = [
        "Alert", "Cardholder", "Merchant", "Payments", "At stake", "Last day", "Tier", "State",
    ]  # fmt: skip
    for order, (label, way) in SORTS.items():
        sort = {"sort": way} if chosen.get("order", "evidence") == order else {}
        link = {"label": label, "href": list_address({**chosen, "order": order})}
        headings[headings.index(label)] = link | sort
    return headings
