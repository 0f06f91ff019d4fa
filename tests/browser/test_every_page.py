"""Every page of every role, in every state, at two widths: seen by axe, and by the browser itself.

A page that this table does not know fails.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fastapi.routing import iter_route_contexts
from services import text
from sites import AXE, EMPTY, LONG, OWN, REASON, Site, Visit

from api.web import pages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _pytest.mark import ParameterSet
    from playwright.sync_api import Browser

READERS = ("finance", "auditor", "psd")
ALL = (*READERS, "admin")
NO_REASON = "Enter a reason"
PROBLEM = "There is a problem"
AGGREGATES = tuple(sorted((Path(__file__).parents[2] / "sample_data" / "aggregates").iterdir()))
LONG_NAME = f"{'long-' * 18}file.csv"
STRANGE = (LONG_NAME, f"Wann,Wer,{LONG},Wieviel\n2026-10-01,E1,SHOP,5.00\n")
GUESSED = (LONG_NAME, f"Wann,Wer,{LONG},Wieviel\n" + "2026-10-01,E1,SHOP,5.00\n" * 2)
UNREAD = (LONG_NAME, text("2026-10-40,E1,SHOP,12.00,R1"))
GIFT = "E1,,,Nil return\nE1,soon,New Firm Ltd,Accepted\n"  # one person uploads what adds no entry
GIFTS = ("gifts.csv", f"Employee No,Date of offer,Donor,Accepted or declined\n{GIFT}")
STRANGE_GIFTS = ("gifts.csv", f"Wer,Wann,{LONG},Was\nE1,2026-10-01,Firm Ltd,x\n")
GROUPS = ("groups.csv", f"Staff Number,{LONG}\nE1,F\nE2,M\n")
INVITED = {"Invitation": "{invitation}"}

NO_PAGE = {"/static/{name}", "/governance.pdf", "/governance/registers.pdf", "/impact.pdf",
           "/samples.csv", "/payments.csv",
           "/registers/{kind}/template.csv", "/attachments/{attachment_id}"}  # fmt: skip
"""What is sent on, or loaded, and is no page itself."""


@dataclass(frozen=True)
class State:
    """A page in one state.

    Attributes:
        route: the page's route.
        roles: who sees it; `-` is somebody who has not signed in.
        at: its address where it is not the route; `{finance}` and so on are words of `Site.ids`.
        press: the button by which this state is reached, if any.
        fill: what is entered before, by label, with the words of `Site.ids`.
        file: name and text of a file that is selected before, if any.
        paths: files that are selected before, if any.
        then: the button that is pressed next, if any.
        owner: the force.
        says: words that the page shows, if it is to be told from another state.
    """

    route: str
    roles: tuple[str, ...]
    at: str = ""
    press: str = ""
    fill: dict[str, str] = field(default_factory=dict)
    file: tuple[str, str] = ("", "")
    paths: tuple[Path, ...] = ()
    then: str = ""
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


def _wrong(route: str, role: str, press: str = "", says: str = PROBLEM, **more: Any) -> State:
    """Return a page as it is once a form on it was not in order, with what it says of it."""
    return State(route, (role,), press=press, says=says, **more)


PAGES = (
    State("/sign-in", ("-",)),
    State("/sign-in", ("-",), press="Sign in", says="There is a problem"),
    State("/account", ("-",)),
    State("/account", ("-",), press="Continue", says="The invitation is not valid"),
    State("/account", ("-",), press="Continue", fill=INVITED, says="Choose a password"),
    _wrong("/account", "-", "Continue", fill=INVITED, then="Set up account"),
    State("/help", ("-", "finance")),
    State("/accessibility", ("-",)),
    State("/privacy", ("-",)),
    State("/reference", ("-", "finance")),
    State("/reference", ("-",), at="/reference?find=nothing+like+it", says="No operation has"),
    State("/", READERS, says="Waiting for an answer"),
    _empty("/"),
    State("/alerts", READERS),
    State("/alerts", ("finance", "psd"), at="/alerts?tier=A&since=2026-10-01&order=money"),
    State("/alerts", ("finance",), at="/alerts?since=soon", says="There is a problem"),
    _empty("/alerts"),
    State("/alerts", ("finance",), at="/alerts?search=x", says="Search again"),
    State("/alerts", READERS, at="/alerts?decided=2&state=", says="Decision recorded on 2 alerts"),
    State("/alerts", ("finance",), press="Search", fill={"Search alerts": LONG},
          says="alerts fit these filters"),
    State("/alerts/decisions", ("finance",),
          at="/alerts/decisions?alert={finance}&alert={finance_card}&alert={long}"),
    State("/alerts/decisions", ("psd",), at="/alerts/decisions?alert={psd}"),
    State("/alerts/decisions", ("finance",), says="Select 1 to 50 alerts"),
    _wrong("/alerts/decisions", "finance", "Record on 1 alert",
           at="/alerts/decisions?alert={finance_card}"),
    State("/alerts/export", READERS, at="/alerts/export?kind=split"),
    _wrong("/alerts/export", "finance", "Share", at="/alerts/export?kind=split"),
    _of("/alerts/{alert_id}", "finance"),
    _of("/alerts/{alert_id}", "finance_card"),
    _of("/alerts/{alert_id}", "psd", "psd"),
    _of("/alerts/{alert_id}", "psd2", "psd"),
    _of("/alerts/{alert_id}", "psd_card", "psd"),
    _of("/alerts/{alert_id}", "long"),
    State("/alerts/{alert_id}", ("finance", "auditor"), says="Saved: confirmed",
          at="/alerts/{long}?saved={long_version}&order=money"),
    _wrong("/alerts/{alert_id}", "finance", "Save", at="/alerts/{finance}", says=NO_REASON),
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
    _wrong("/alerts/{alert_id}/hand-over", "finance", "Share", at="/alerts/{long}/hand-over"),
    _wrong("/alerts/{alert_id}/questions", "finance", "Create document",
           at="/alerts/{long}/questions"),
    _of("/alerts/{alert_id}/questions", "finance", "finance"),
    _of("/alerts/{alert_id}/questions", "long", "finance"),
    State("/alerts/new", ("finance", "psd"),
          at="/alerts/new?payment={statement}:2&payment={statement}:3"),
    State("/alerts/new", ("finance",), says="Select 1 to 50 payments"),
    _wrong("/alerts/new", "finance", "Raise alert", "Enter a question",
           at="/alerts/new?payment={long_statement}:2"),
    _of("/alerts/{alert_id}", "by_hand", "finance", "psd"),
    _of("/alerts/{alert_id}/case", "confirmed", "psd"),
    _wrong("/alerts/{alert_id}/case", "psd", "Save", "Choose a case", at="/alerts/{psd2}/case"),
    _of("/alerts/{alert_id}/referral", "confirmed", "finance"),
    State("/alerts/{alert_id}/referral", ("finance",), at="/alerts/{finance}/referral",
          says="Only a confirmed alert can be referred"),
    _wrong("/alerts/{alert_id}/referral", "finance", "Refer", NO_REASON,
           at="/alerts/{confirmed}/referral"),
    _of("/alerts/{alert_id}", "confirmed", "finance", "psd"),
    State("/referrals", ("psd",)),
    _empty("/referrals", "psd"),
    State("/cases", ("psd",)),
    _empty("/cases", "psd"),
    State("/cases", ("psd",), at="/cases?state=closed&owner=me"),
    State("/cases", ("psd",), press="Search", fill={"Search cases": LONG}, says="Search:"),
    State("/cases", ("psd",), at="/cases?search=x", says="Search again"),
    State("/cases", ("finance",), says="You do not have access to this page"),
    State("/cases/new", ("psd",)),
    _wrong("/cases/new", "psd", "Open case", "Enter a title",
           fill={"Reason": "so"}),
    _of("/cases/{case_id}", "case", "psd"),
    _of("/cases/{case_id}", "closed_case", "psd"),
    _wrong("/cases/{case_id}", "psd", "Add note", "Enter a note", at="/cases/{case}"),
    _wrong("/cases/{case_id}", "psd", "Attach file", "Select a file", at="/cases/{case}"),
    _wrong("/cases/{case_id}", "psd", "Close case", "Choose an outcome", at="/cases/{case}"),
    _wrong("/cases/{case_id}", "psd", "Remove alert", "Choose an alert", at="/cases/{case}"),
    _wrong("/cases/{case_id}", "psd", "Show the names", NO_REASON, at="/cases/{case}"),
    _of("/cases/{case_id}/change", "case", "psd"),
    _wrong("/cases/{case_id}/change", "psd", "Save", NO_REASON, at="/cases/{case}/change"),
    _of("/cases/{case_id}/hand-over", "case", "psd"),
    _wrong("/cases/{case_id}/hand-over", "psd", "Share", at="/cases/{closed_case}/hand-over"),
    _of("/attachments/{attachment_id}/removal", "attachment", "psd"),
    _wrong("/attachments/{attachment_id}/removal", "psd", "Remove file", NO_REASON,
           at="/attachments/{attachment}/removal"),
    State("/payments", READERS),
    _empty("/payments"),
    State("/payments", ("finance",), at="/payments?search=x", says="Search again"),
    State("/payments", ("finance",), press="Search", fill={"Search payments": LONG},
          says=f"Search: {LONG}"),
    State("/payments", ("finance", "psd"), says="Same cardholder",
          at="/payments?same_holder_as={finance}&since=2026-10-01&at_least=5&unit=CC1"),
    _wrong("/payments", "finance", at="/payments?since=soon&at_least=x"),
    State("/payments/{statement_id}/{row}", READERS, at="/payments/{statement}/2"),
    State("/payments/{statement_id}/{row}", ("finance",), at="/payments/{long_statement}/2"),
    State("/payments/{statement_id}/{row}/rules", READERS, says="Rules that do not apply",
          at="/payments/{statement}/2/rules"),
    State("/review", READERS),
    _empty("/review", "finance"),
    State("/statements", ALL),
    _empty("/statements", "finance"),
    State("/statements/new", ("finance", "psd")),
    State("/statements/new", ("finance",), press="Continue", says="Select a statement"),
    _wrong("/statements/new", "finance", "Continue", "row 2, column Date", file=UNREAD),
    State("/statements/columns", ("finance",), at="/statements/new", press="Continue",
          file=STRANGE, says="Not readable yet"),
    State("/statements/columns", ("finance",), at="/statements/new", press="Continue",
          file=GUESSED, says="First payments"),
    _wrong("/statements/columns", "finance", "Continue", "Choose the column", at="/statements/new",
           file=STRANGE, then="Read it"),
    State("/statements/profiles", ("finance",), says="long-name"),
    _empty("/statements/profiles", "finance", "psd"),
    State("/statements/profiles/{profile_id}", ("finance",), at="/statements/profiles/{profile}"),
    _wrong("/statements/profiles/{profile_id}", "finance", "Save profile", "Enter a name",
           at="/statements/profiles/{profile}", fill={"Name": ""}),
    State("/statements/profiles/{profile_id}/removal", ("finance",),
          at="/statements/profiles/{profile}/removal"),
    State("/statements/new", ("admin",), says="You do not have access to this page"),
    _empty("/registers", "finance"),
    State("/registers", READERS),
    State("/registers/new", ("finance", "psd")),
    _wrong("/registers/new", "psd", "Upload", "Select a register"),
    State("/registers/versions/{version_id}", ("psd",), at="/registers/new", press="Upload",
          file=GIFTS, says="Register uploaded"),
    State("/registers/columns", ("psd",), at="/registers/new", press="Upload",
          file=STRANGE_GIFTS, says="Choose the column of each field"),
    _wrong("/registers/columns", "psd", "Upload", "Choose the column for", at="/registers/new",
           file=STRANGE_GIFTS, then="Upload"),
    State("/registers/{kind}", READERS, at="/registers/contracts"),
    State("/registers/{kind}", ("psd",), at="/registers/gifts"),
    State("/registers/matches", ("psd",)),
    _of("/suppliers/{supplier_id}", "supplier", "psd"),
    _of("/suppliers/{supplier_id}", "long_supplier", "psd"),
    State("/suppliers/{supplier_id}", ("finance",), at="/suppliers/{supplier}",
          says="You do not have access to this page"),
    _of("/cardholders/{cardholder_id}", "cardholder", "psd"),
    _of("/cardholders/{cardholder_id}", "long_cardholder", "psd"),
    State("/cardholders/{cardholder_id}", ("psd",), at="/cardholders/{cardholder}?kind=alerts",
          says="Alerts"),
    _of("/units/{unit_id}", "unit", "psd"),
    _of("/statements/{statement_id}", "statement", *ALL),
    _of("/statements/{statement_id}", "long_statement", *ALL),
    State("/statements/{statement_id}", ("auditor",), at="/statements/{statement}",
          press="Verify with the independent run", says="A second program found the same limits"),
    State("/statements/jobs", ("finance",), at="/statements/jobs?job={job}",
          says="december.csv: Queued"),
    State("/statements/jobs", ("finance",), says="Not uploaded",
          at="/statements/jobs?job={received}&job={held}&job={unreceived}"),
    _wrong("/statements/{statement_id}/hand-over", "finance", "Share",
           at="/statements/{long_statement}/hand-over"),
    _of("/statements/{statement_id}/hand-over", "statement"),
    State("/governance", ("finance", "psd")),
    _empty("/governance", "finance"),
    _wrong("/governance", "finance", at="/governance?quarter=x"),
    State("/benchmark", READERS),
    _empty("/benchmark", "auditor"),
    State("/benchmark", ("auditor",), press="Compare forces", says="Funnel plots",
          fill={"Your force": "Saltmarsh Vale (invented)"}, paths=AGGREGATES),
    _wrong("/benchmark", "auditor", "Compare forces"),
    State("/publication", ("finance",)),
    _empty("/publication", "finance"),
    State("/publication", ("finance",), press="Show what would be redacted",
          says="What would be published",
          fill={"Quarter or financial year": "2026-Q3",
                "What is redacted or left out": '[[leave_out]]\nholder = "nobody"'}),
    _wrong("/publication", "finance", "Show what would be redacted",
           fill={"Quarter or financial year": "x"}),
    State("/governance/registers", ("psd",)),
    _empty("/governance/registers", "psd"),
    _wrong("/governance/registers", "psd", at="/governance/registers?quarter=x"),
    State("/equality", READERS),
    _empty("/equality", "auditor"),
    _wrong("/equality", "finance", at="/equality?quarter=x"),
    _wrong("/equality", "auditor", "Compare groups"),
    State("/equality", ("auditor",), press="Compare groups", file=GROUPS,
          says="There are too few alerts"),
    State("/complaints", ("auditor",), says="overdue"),
    _empty("/complaints", "auditor"),
    _wrong("/complaints", "auditor", "Record"),
    _of("/complaints/{complaint_id}", "complaint", "auditor"),
    _wrong("/complaints/{complaint_id}", "auditor", "Record answer", at="/complaints/{complaint}"),
    State("/subject-access", ("auditor",)),
    _wrong("/subject-access", "auditor", "Create the pack"),
    State("/impact", ("finance",)),
    State("/rules", READERS),
    State("/rules/{rule_id}", READERS, at="/rules/split-same-day"),
    State("/settings", READERS),
    _empty("/settings", "finance"),
    State("/audit", ("psd", "admin")),
    State("/people", ("admin", "psd")),
    _of("/people/{person_id}", "person", "admin"),
    _of("/people/{person_id}/end", "person", "admin"),
    _of("/people/{person_id}", "long_person", "admin"),
    State("/people/{person_id}", ("admin",), at="/people/{long_person}",
          press="Create an invitation", says="Copy the invitation now: it will not be shown again"),
    _wrong("/people", "admin", "Add person"),
    State("/people/directory", ("admin",)),
    _wrong("/people/directory", "admin", "Save the role"),
    State("/approvals", ("admin", "psd")),
    _of("/approvals/{approval_id}", "approval", "psd"),
    State("/approvals/{approval_id}", ("psd",), at="/approvals/{approved}", says="is approved"),
    _of("/approvals/{approval_id}", "erasure", "admin"),
    State("/keys", ("admin",)),
    _of("/keys/{key_id}/end", "key", "admin"),
    _wrong("/keys", "admin", "Create key"),
    State("/account/mine", ("finance",)),
    _wrong("/account/mine", "psd", "Change password"),
    State("/audit/events", ("auditor",)),
    State("/audit/events", ("auditor",), at="/audit/events?object=none", says="No event matches"),
    State("/audit", ("admin",), press="Verify {long_label}", says="is as it was received"),
    _empty("/audit", "auditor"),
    State("/evaluations", ("auditor",)),
    State("/evaluations", ("finance",), says="Failed"),
    _of("/trials/{job_id}", "evaluation", "finance"),
    _of("/trials/{job_id}", "evaluated", "finance"),
    _of("/trials/{job_id}", "unevaluated", "finance"),
    State("/health", ("admin",)),
    _of("/alerts/{alert_id}/hold", "finance2", "finance"),
    _of("/alerts/{alert_id}/hold", "long", "finance"),
    _of("/alerts/{alert_id}/hold", "psd", "psd"),
    _wrong("/alerts/{alert_id}/hold", "finance", "Put on legal hold", at="/alerts/{finance2}/hold"),
    _of("/alerts/{alert_id}/suppression", "alone", "finance"),
    _of("/alerts/{alert_id}/suppression", "long", "finance"),
    _of("/alerts/{alert_id}/suppression", "psd_card", "psd"),
    _wrong("/alerts/{alert_id}/suppression", "finance", "Continue",
           at="/alerts/{alone}/suppression"),
    State("/alerts/{alert_id}/suppression", ("finance",), at="/alerts/{alone}/suppression",
          press="Continue", fill={"Until": "2027-03-01", "Reason": REASON},
          says="will close automatically until 1 March 2027"),
    State("/queries", READERS),
    State("/queries", ("finance",), at="/queries?all=yes"),
    _empty("/queries", "finance"),
    _of("/queries/{query_id}", "query", *READERS),
    _wrong("/queries/{query_id}", "finance", "Record reply", at="/queries/{query}"),
    State("/holds", ("finance",)),
    _empty("/holds", "finance"),
    _empty("/suppressions", "finance"),
    _empty("/precision", "auditor"),
    _empty("/keys", "admin"),
    _empty("/samples", "auditor"),
    _of("/holds/{hold_id}/end", "hold", "finance"),
    State("/suppressions", ("finance",)),
    _of("/suppressions/{suppression_id}/end", "suppression", "finance"),
    State("/precision", ("finance",)),
    State("/retention", ("admin",)),
    _wrong("/retention", "admin", "Save retention periods", fill={"Transactions, in days": "x"}),
    State("/retention/erasure", ("admin",)),
    State("/samples", ("auditor",)),
    _wrong("/samples", "auditor", "Draw the sample", fill={"Seed": "x"}),
    State("/samples", ("auditor",), says="Seed 7",
          at="/samples?seed=7&statement_id={statement}&count=20"),
    State("/settings/model", ("auditor",)),
    State("/settings/pack", ("auditor", "psd")),
    _wrong("/settings/pack", "psd", "Test pack"),
    _wrong("/settings/pack", "psd", "Test pack", file=STRANGE),
    State("/settings/policy", ("finance", "psd")),
    _wrong("/settings/policy", "finance", "Continue"),
    State("/settings/policy", ("finance",), press="Continue", says="Single-purchase limit",
          fill={"Single-purchase limit": "750"}),
    State("/settings/propose", ("finance",)),
    State("/settings/propose/cards", ("finance",)),
    _wrong("/settings/propose", "finance", "Propose change"),
    _wrong("/settings/propose/cards", "finance", "Propose change"),
    _wrong("/settings/propose/cards", "finance", "Propose change", file=STRANGE),
    State("/settings/propose/model", ("finance",)),
    _of("/settings/proposals/{proposal_id}", "proposal", "finance"),
    _of("/settings/proposals/{proposal_id}", "long_proposal", "finance"),
    State("/settings/proposals/{proposal_id}", ("finance",), at="/settings/proposals/{refused}",
          says="Rejected"),
    State("/settings/proposals/{proposal_id}", ("psd",), at="/settings/proposals/{refused}",
          says="There is no proposal"),
    State("/settings/try", ("finance",)),
    _wrong("/settings/try", "finance", "Test change", fill={"Policy": "nothing"}),
    _wrong("/settings/try", "psd", "Test change", file=STRANGE),
    _of("/trials/{job_id}", "tried", "finance"),
    _of("/trials/{job_id}", "untried", "finance"),
    _of("/trials/{job_id}", "trial", "finance"),
    State("/webhook", ("admin",)),
    _wrong("/webhook", "admin", "Save webhook"),
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
            visit.context.add_init_script(path=AXE)  # to send it again for each page takes longer
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


BROKEN = """() => {
  const broken = [];
  const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    for (const word of text.data.matchAll(/[^\\s@._/*-]+/g)) {
      const range = document.createRange();
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map(one => Math.round(one.top)));
      if (lines.size > 1 && word[0].length <= 16) broken.push(word[0]);
    }
  }
  return broken;
}"""
"""Words that stand on two lines, though a column has room for them."""


@pytest.mark.parametrize("width", [1160, 1180, 1280])
def test_a_table_breaks_no_word(visits: Callable[[str, str], Visit], width: int) -> None:
    for role, place in (("finance", "/alerts"), ("psd", "/alerts"), ("auditor", "/audit/events")):
        page = visits(role, OWN).page
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(place, timeout=60_000)
        assert page.evaluate(BROKEN) == []


def _looks() -> Iterator[ParameterSet]:
    """Give each page with who sees it: the first of them each time, the others when proved."""
    for state in PAGES:
        for number, role in enumerate(state.roles):
            yield pytest.param(state, role, marks=[pytest.mark.prove] if number else [])


@pytest.mark.parametrize(
    ("state", "role"),
    list(_looks()),
    ids=lambda one: (
        one if isinstance(one, str) else f"{one.at or one.route} {one.press} {one.then}"
    ),
)
def test_a_page_is_whole_for_everybody(
    visits: Callable[[str, str], Visit], state: State, role: str
) -> None:
    visit = visits(role, state.owner)
    page = visit.page
    page.goto((state.at or state.route).format_map(visit.site.ids), timeout=60_000)
    if state.press:
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        for label, value in state.fill.items():
            page.get_by_label(label, exact=True).fill(value.format_map(visit.site.ids))
        name, content = state.file
        if name:
            sent = {"name": name, "mimeType": "text/csv", "buffer": content.encode()}
            page.locator("input[type=file]").set_input_files(sent)
        if state.paths:
            page.locator("input[type=file]").set_input_files(state.paths)
        for button in filter(None, (state.press, state.then)):
            name = button.format_map(visit.site.ids)
            page.get_by_role("button", name=name, exact=True).click()
    assert state.says in page.inner_text("main")
    assert page.locator("h1").count() == 1
    assert not visit.judge()
