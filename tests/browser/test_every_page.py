"""Every page of every role, in every state, at two widths: seen by axe, and by the browser itself.

A page that this table does not know fails.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import pytest
from fastapi.routing import iter_route_contexts
from sites import EMPTY, OWN, Site, Visit

from api.pages import pages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

READERS = ("finance", "auditor", "psd")
ALL = (*READERS, "admin")
NO_REASON = "It needs a reason"
NO_PAGE = {"/", "/static/{name}", "/governance.pdf", "/impact.pdf", "/samples.csv"}
"""What is sent on, or loaded, and is no page itself."""


@dataclass(frozen=True)
class State:
    """A page in one state.

    Attributes:
        route: the page's route.
        roles: who sees it; `-` is somebody who has not signed in.
        at: its address where it is not the route; `{finance}` and so on are words of `Site.ids`.
        press: the button by which this state is reached, if any.
        fill: what is entered before, by label.
        owner: the force.
        says: words that the page shows, if it is to be told from another state.
    """

    route: str
    roles: tuple[str, ...]
    at: str = ""
    press: str = ""
    fill: dict[str, str] = field(default_factory=dict)
    owner: str = OWN
    says: str = ""


def _empty(route: str, *roles: str) -> State:
    """Return a page of a force that has no statement yet."""
    return State(route, roles or READERS, owner=EMPTY)


def _of(route: str, word: str, *roles: str) -> State:
    """Return the page of one thing."""
    return State(
        route,
        roles or READERS,
        at=route.partition("{")[0] + f"{{{word}}}" + route.partition("}")[2],
    )


PAGES = (
    State("/sign-in", ("-",)),
    State("/sign-in", ("-",), press="Sign in", says="There is a problem"),
    State("/account", ("-",)),
    State("/account", ("-",), press="Continue", says="The invitation is not known here"),
    State("/help", ("-", "finance")),
    State("/accessibility", ("-",)),
    State("/privacy", ("-",)),
    State("/alerts", READERS),
    State("/alerts", ("finance", "psd"), at="/alerts?tier=A&since=2026-10-01&order=money"),
    State("/alerts", ("finance",), at="/alerts?since=soon", says="There is a problem"),
    _empty("/alerts"),
    _of("/alerts/{alert_id}", "finance"),
    _of("/alerts/{alert_id}", "finance_card"),
    _of("/alerts/{alert_id}", "psd", "psd"),
    _of("/alerts/{alert_id}", "psd2", "psd"),
    _of("/alerts/{alert_id}", "psd_card", "psd"),
    _of("/alerts/{alert_id}", "long"),
    State("/alerts/{alert_id}", ("finance",), "/alerts/{finance}", press="Record", says=NO_REASON),
    State("/alerts/{alert_id}", ("psd",), "/alerts/{psd}", press="Show the name", says=NO_REASON),
    State("/alerts/{alert_id}", ("finance",), "/alerts/000000000000", says="There is no alert"),
    _of("/alerts/{alert_id}/holder", "finance"),
    _of("/alerts/{alert_id}/holder", "psd", "psd"),
    _of("/alerts/{alert_id}/holder", "finance_card"),
    _of("/alerts/{alert_id}/holder", "long", "finance"),
    _of("/alerts/{alert_id}/merchant", "finance"),
    _of("/alerts/{alert_id}/merchant", "psd", "psd"),
    _of("/alerts/{alert_id}/merchant", "finance_card"),
    _of("/alerts/{alert_id}/merchant", "long", "finance"),
    _of("/alerts/{alert_id}/hand-over", "finance"),
    _of("/alerts/{alert_id}/hand-over", "psd", "psd"),
    _of("/alerts/{alert_id}/questions", "finance", "finance"),
    _of("/alerts/{alert_id}/questions", "long", "finance"),
    State("/review", READERS),
    _empty("/review", "finance"),
    State("/statements", ALL),
    _empty("/statements", "finance"),
    State("/statements/new", ("finance", "psd")),
    State("/statements/new", ("finance",), press="Continue", says="Select a statement"),
    State("/statements/new", ("admin",), says="This is not yours to see"),
    _of("/statements/{statement_id}", "statement", *ALL),
    _of("/statements/{statement_id}", "long_statement", *ALL),
    State("/statements/jobs", ("finance",), at="/statements/jobs?job={job}"),
    _of("/statements/{statement_id}/hand-over", "statement"),
    State("/governance", ("finance", "psd")),
    _empty("/governance", "finance"),
    State("/impact", ("finance",)),
    State("/rules", READERS),
    State("/rules/{rule_id}", READERS, at="/rules/split-same-day"),
    State("/settings", READERS),
    _empty("/settings", "finance"),
    State("/audit", ("psd", "admin")),
    State("/people", ("admin", "psd")),
    _of("/people/{person_id}", "person", "admin"),
    _of("/people/{person_id}/end", "person", "admin"),
    State("/keys", ("admin",)),
    _of("/keys/{key_id}/end", "key", "admin"),
    State("/account/mine", ("finance",)),
    State("/audit/events", ("auditor",)),
    State("/evaluations", ("auditor",)),
    State("/health", ("admin",)),
    State("/holds", ("finance",)),
    _of("/holds/{hold_id}/end", "hold", "finance"),
    State("/suppressions", ("finance",)),
    _of("/suppressions/{suppression_id}/end", "suppression", "finance"),
    State("/precision", ("finance",)),
    State("/retention", ("admin",)),
    State("/retention/erasure", ("admin",)),
    State("/samples", ("auditor",)),
    State("/settings/model", ("auditor",)),
    State("/settings/propose", ("finance",)),
    State("/settings/propose/cards", ("finance",)),
    State("/settings/propose/model", ("finance",)),
    _of("/settings/proposals/{proposal_id}", "proposal", "finance"),
    State("/settings/try", ("finance",)),
    _of("/trials/{job_id}", "trial", "finance"),
    State("/webhook", ("admin",)),
    State("/webhook/end", ("admin",)),
)  # fmt: skip


@pytest.fixture(scope="module")
def visits(chromium: Browser, served: Site) -> Iterator[Callable[[str, str], Visit]]:
    """Give the browser window of somebody; each has one."""
    with ExitStack() as closing:

        @cache
        def of(role: str, owner: str) -> Visit:
            visit = Visit(chromium, served)
            closing.callback(visit.close)
            if role != "-":
                visit.come_as(role, owner)
            return visit

        yield of


def test_the_table_knows_every_page() -> None:
    shown = {
        one.path
        for one in iter_route_contexts(pages.routes)
        if "GET" in (one.methods or ()) and one.path not in NO_PAGE
    }
    assert {state.route for state in PAGES} == shown


@pytest.mark.parametrize(
    ("state", "role"),
    [(state, role) for state in PAGES for role in state.roles],
    ids=lambda one: one if isinstance(one, str) else f"{one.at or one.route} {one.press}",
)
def test_a_page_is_whole_for_everybody(
    visits: Callable[[str, str], Visit], state: State, role: str
) -> None:
    visit = visits(role, state.owner)
    page = visit.page
    page.goto((state.at or state.route).format_map(visit.site.ids))
    if state.press:
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        for label, value in state.fill.items():
            page.get_by_label(label).fill(value)
        page.get_by_role("button", name=state.press, exact=True).click()
    assert state.says in page.inner_text("main")
    assert page.locator("h1").count() == 1
    assert not visit.judge()
