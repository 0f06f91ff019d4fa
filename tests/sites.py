"""What tests in a browser share: a service that listens, what it holds, and who comes to it."""

from __future__ import annotations

import os
import shutil
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import axe_playwright_python
import pytest
import uvicorn
from books import EVALUATED, lively_month, second_person
from cryptography.fernet import Fernet
from playwright.sync_api import sync_playwright
from services import Clock, text

from api.main import create_app
from api.middleware import COOKIE
from api.settings import Settings
from cardwatch import installation, services
from cardwatch.casebook import PSD, ROLES, Actor, Casebook, jobs, sessions
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.casebook.cases import CaseUpdate
from cardwatch.casebook.complaints import NewComplaint
from cardwatch.casebook.directory import ProvidedGroup, ProvidedUser
from cardwatch.casebook.people import find_person
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.cli.demo import fill_casebook, sample_folder
from cardwatch.errors import SecondPersonNeeded
from cardwatch.statements import ReadingChoices, profile_toml, read_each, shipped_profiles

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (1280, 320)
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OWN, EMPTY = "saltmarsh-vale-police", "no-statements-yet"
LONG = "W" * 90
"""A word that is wider than a narrow screen."""
REASON = f"Somebody wrote a long reason. {LONG} {'It goes on and on. ' * 20}"


@dataclass
class Site:
    """A service that listens, and its casebook.

    Attributes:
        ids: alerts, statements and jobs that pages are asked for, by the words of addresses.
        judged: contents, colours of words and what a narrow screen alone shows that axe has judged.
    """

    address: str
    book: Casebook
    clock: Clock
    home: Path
    ids: dict[str, str] = field(default_factory=dict)
    judged: set[str] = field(default_factory=set)

    def context(self, role: str, owner: str = OWN) -> services.ServiceContext:
        """Return the service context of the person of a role."""
        email = f"{role}@{owner}.example"
        actor = services.actor_of_person(self.book, owner, email, self.clock())
        return services.ServiceContext(self.book, actor, self.clock())

    @property
    def seal(self) -> Fernet:
        """What the service keeps the secrets of phones with."""
        return Fernet((self.home / "seal.key").read_bytes())

    def read(self, path: Path) -> Any:
        """Return what a statement says."""
        choices = ReadingChoices(shipped_profiles(), (self.home / "card.key").read_bytes())
        return read_each([path], choices)[0]

    def cookie(self, role: str, owner: str) -> dict[str, str]:
        """Begin a session of somebody, as signing in does; return what their browser holds."""
        with self.book.unaudited(Actor(owner, SYSTEM, "admin"), self.clock()) as uow:
            person = find_person(uow, f"{role}@{owner}.example")
            value = sessions.begin_session(uow, person, "", installation.seal(self.home))
        return {"name": COOKIE, "value": value, "url": self.address.replace("http:", "https:")}


def open_office(home: Path) -> Path:
    """Make the casebook of a force that has people, two of finance, and nothing else."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("CARDWATCH_HOME", str(home))
        changed.delenv("CARDWATCH_DATABASE", raising=False)
        book = installation.open_casebook(make=True)
    assert book is not None
    owner = services.add_organisation(book, "Saltmarsh Vale Police", clock())
    itself = services.ServiceContext(book, Actor(owner, SYSTEM, "admin"), clock())
    for name, role in [*zip(ROLES, ROLES, strict=True), ("second", "finance")]:
        services.add_person(
            itself,
            name=name.capitalize(),
            email=f"{name}@{owner}.example",
            role=role,
            holds_no_card=True,
        )
    book.close()
    return home


def browser_here() -> str | None:
    """Return where this machine's browser is, if it has one."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


@contextmanager
def browsing(path: str) -> Iterator[Browser]:
    """Run a browser, without a screen."""
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


def make_force(home: Path) -> list[str]:
    """Make a casebook of the invented force, as `make try` does; return its invitations."""
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("CARDWATCH_HOME", str(home))
        changed.delenv("CARDWATCH_DATABASE", raising=False)
        return list(fill_casebook(Clock()()).values())


@contextmanager
def listening(home: Path, *, chores: bool) -> Iterator[Site]:
    """Run the service over a folder, in a thread of its own."""
    clock = Clock()
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("CARDWATCH_HOME", str(home))
        changed.delenv("CARDWATCH_DATABASE", raising=False)
        app = create_app(Settings(rate=1_000_000), clock, chores=chores)
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="on"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        book = installation.open_casebook()
        assert book is not None
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Site(f"http://127.0.0.1:{port}", book, clock, home)
    finally:
        server.should_exit = True
        thread.join()
        book.close()


def bring_newest(site: Site) -> str:
    """Bring the newest month of the invented force; return its statement."""
    newest = max((sample_folder() / "statements").iterdir())
    return services.receive(site.context("finance"), site.read(newest)).statement_id


def fill_months(site: Site) -> None:
    """Bring the newest month of the invented force; let a second force have nothing."""
    site.ids["statement"] = bring_newest(site)
    for lane in ("finance", PSD):
        alerts = services.list_alerts(
            site.context(PSD), services.AlertFilter(lane=lane, state="open")
        )
        site.ids[lane], site.ids[f"{lane}2"] = (one["alert_id"] for one in alerts[:2])
        alerts += services.list_alerts(
            site.context(PSD), services.AlertFilter(lane=lane)
        )  # beyond the budget too
        cards = [one["alert_id"] for one in alerts if not one["at_stake_pence"]]
        site.ids[f"{lane}_card"] = cards[0]
    services.reveal_identity(site.context(PSD), site.ids["psd2"], reason="case 12")
    at, admin = site.context("finance"), site.context("admin")
    one, alone = [
        one for one in services.list_alerts(at) if len(one["holders"]) == 1 and one["merchants"]
    ][:2]
    site.ids["alone"] = alone["alert_id"]
    site.ids["hold"] = services.place_hold(at, one["alert_id"], reason="case 12")
    site.ids["person"] = next(
        one["person_id"] for one in services.list_people(admin) if one["role"] == "auditor"
    )
    services.create_key(admin, name="ledger", role="auditor", days=90)
    site.ids["key"] = services.list_keys(admin)[0]["key_id"]
    policy = services.pack_policy("alerts_per_1000 = 4\n", "policy.toml")
    proposed = services.propose(at, "policy", policy, effective_from="", reason="fewer")
    site.ids["proposal"] = proposed["proposal_id"]
    site.ids["trial"] = services.queue_back_test(at, "policy", policy, 1, installation.seal())[
        "job_id"
    ]
    owner = services.add_organisation(site.book, "No statements yet", site.clock())
    itself = services.ServiceContext(site.book, Actor(owner, SYSTEM, "admin"), site.clock())
    for role in ROLES:
        services.add_person(
            itself, name=role, email=f"{role}@{owner}.example", role=role, holds_no_card=True
        )


def fill_long(site: Site) -> None:
    """Bring a statement whose words are long, and say much about its alert; let jobs wait."""
    at = site.context("finance")
    folder = site.home / "statements"
    folder.mkdir()
    path = folder / f"{'long-' * 20}november.csv"
    lines = (
        "\n".join(lively_month(11)).replace("NEW FIRM", f"{LONG} {LONG}").replace("E1,", f"{LONG},")
    )
    path.write_text(text(*lines.splitlines(), f"2026-11-31,{LONG},X,{LONG},R9"), encoding="utf-8")
    kept = services.receive(at, site.read(path))
    site.ids |= {"long_statement": kept.statement_id, "long_label": kept.label}
    alert = next(
        one for one in services.list_alerts(at) if any(LONG in name for name in one["merchants"])
    )
    site.ids["long"] = alert["alert_id"]
    said = DecisionInput(REASON, "asked", at_email(at), "2026-12-24", "", " ".join(8 * ["a" * 20]))
    services.decide(at, alert["alert_id"], said)
    query = services.Query(f"Manager {LONG}", f"{LONG}@force.example", "2026-12-24")
    sent = services.send_query(at, alert["alert_id"], query, lambda *_: None, marking="OFFICIAL")
    site.ids["query"] = sent["query_id"]
    ended = services.suppress(at, alert["alert_id"], until="2027-01-31", reason=REASON)
    site.ids["suppression"] = ended["suppression_id"]
    later = folder / "december.csv"
    later.write_text(text(*lively_month(12)), encoding="utf-8")
    site.ids["job"] = services.queue_import(at, site.read(later), installation.seal())["job_id"]


def fill_jobs(site: Site) -> None:
    """Let jobs be over, well and not, with long words; each is named in `ids`."""
    at = site.context("finance")
    note = {"title": REASON, "holders": [LONG], "approvers": [], "merchant": LONG,
            "last_on": "2026-10-11", "tier": "A", "at_stake_pence": 185_000,
            "fact": REASON}  # fmt: skip
    asked = {"before": 3, "after": 3, "newly_asked": [note], "no_longer_asked": [note]}
    statement = {"label": LONG, "last_on": "2026-10-31", "finance": asked}
    counts = {"unit": LONG, "holders_newly_asked": 1, "newly_asked": 1, "no_longer_asked": 1}
    tried = {"kind": "policy", "sha256": LONG, "document": LONG, "statements": [statement],
             "units": {"finance": [counts | {"unit": ""}, counts]}}  # fmt: skip
    styled = [row | {"style": f"split, {LONG}"} for row in EVALUATED["rows"]]
    received = {"label": f"{LONG}.csv", "outcome": "received", "transactions": 1_800, "late": 3,
                "statement_id": site.ids["statement"], "notes": [LONG]}  # fmt: skip
    failed = {"code": "refused", "detail": f"{LONG}.csv: {REASON}"}
    for name, kind, answer in (
        ("tried", "back-test", tried),
        ("untried", "back-test", failed),
        ("evaluated", "evaluation", EVALUATED | {"rows": [*EVALUATED["rows"], *styled]}),
        ("unevaluated", "evaluation", failed),
        ("received", "statement", received),
        ("held", "statement", received | {"outcome": "held", "notes": []}),
        ("unreceived", "statement", failed),
    ):
        with site.book.unaudited(at.actor, at.now) as uow:
            job = jobs.put_job(
                uow, jobs.NewJob(kind, b"", name), once=name, seal=installation.seal()
            )
            jobs.finish_job(uow, job["job_id"], answer, failed=answer == failed)
        site.ids[name] = job["job_id"]
    evaluation = services.queue_evaluation(at, installation.seal())
    site.ids["evaluation"] = evaluation["job_id"]


def fill_people(site: Site) -> None:
    """Invite somebody who has not come yet; let there be long names, and proposals decided on."""
    at, admin = site.context("finance"), site.context("admin")
    person = services.add_person(
        admin, name=f"{LONG} Long", email="long@x.example", role="finance", holds_no_card=True
    )
    chosen = {"date": "a", "merchant": LONG, "amount": "c", "employee_id": "d"}
    name = f"columns of {'long-name' * 9}.csv"
    profile = services.profile_of_form(["a", LONG, "c", "d"], chosen, {"name": name})
    services.save_profile(at, profile_toml(profile))
    site.ids["profile"] = services.list_profiles(at)[0].profile_id
    site.ids["long_person"], site.ids["invitation"] = person, services.invite(admin, person)
    services.create_key(admin, name=LONG, role="auditor", days=90)
    provider = services.ServiceContext(
        site.book, replace(admin.actor, scope="directory"), admin.now
    )
    sent = ProvidedUser(f"{LONG}@force.example", "", LONG, "", is_active=True, content="{}")
    user_id = services.add_provided_user(provider, sent)["user_id"]
    group = services.add_provided_group(provider, ProvidedGroup(LONG, "", (user_id,)))
    services.set_group_role(admin, group["group_id"], "finance")
    policy = services.pack_policy(f"# {LONG}\nalerts_per_1000 = 6\n", "policy.toml")
    long = services.propose(at, "policy", policy, effective_from="", reason=REASON)
    site.ids["long_proposal"] = long["proposal_id"]
    refused = services.propose(at, "policy", policy, effective_from="2027-04-01", reason="later")
    services.decide_proposal(at, refused["proposal_id"], agrees=False)
    site.ids["refused"] = refused["proposal_id"]
    services.place_hold(at, site.ids["long"], reason=REASON)
    late = NewComplaint("complaint", LONG, REASON, "2026-09-01")
    site.ids["complaint"] = services.add_complaint(site.context("auditor"), late)


def fill_cases(site: Site) -> None:
    """Let finance refer alerts; let cases be open with everything in them, closed, and referred."""
    at, psd = site.context("finance"), site.context(PSD)
    other, confirmed = [
        one["alert_id"]
        for one in services.list_alerts(at, services.AlertFilter(state="open"))
        if one["is_fact"]
    ][:2]
    for alert_id in (other, confirmed, site.ids["long"]):
        decided = services.decide(at, alert_id, DecisionInput(REASON, "confirmed"))
        services.refer_alert(at, alert_id, reason=REASON)
    site.ids |= {"confirmed": confirmed, "long_version": str(decided["version"])}
    places = [(site.ids["long_statement"], row) for row in (2, 3)]
    site.ids["by_hand"] = services.raise_by_hand(at, places, question=REASON)
    alert_ids = (site.ids["long"], site.ids["psd"])
    case_id = services.open_case(psd, services.NewCase(LONG, REASON, alert_ids))["case_id"]
    services.add_case_note(psd, case_id, REASON)
    attached = services.attach_file(psd, case_id, f"{LONG}.txt", b"a file")
    site.ids["attachment"] = attached["attachment_id"]
    site.ids["case"] = case_id
    closed = services.open_case(psd, services.NewCase("Gifts", REASON))["case_id"]
    services.close_case(psd, closed, CaseUpdate(REASON, outcome="management-action"))
    site.ids["closed_case"] = closed
    links = services.subject_links(psd, [site.ids["long"]])
    site.ids["long_supplier"] = links.suppliers[0].id
    site.ids["long_cardholder"] = links.cardholders[0].id
    links = services.subject_links(psd, [site.ids["psd"], site.ids["finance"]])
    site.ids["supplier"], site.ids["cardholder"] = links.suppliers[0].id, links.cardholders[0].id
    site.ids["unit"] = links.units[0].id
    (declined,) = [
        one["referral_id"]
        for one in services.list_referrals(psd, waiting=True)
        if one["alert_id"] == other
    ]
    services.decline_referral(psd, declined, reason=REASON)
    _ask_for_approvals(site, psd)


def _ask_for_approvals(site: Site, psd: services.ServiceContext) -> None:
    """Let a second of professional standards approve one request, and one wait for each role."""
    wanted = services.ExportRequest(
        "misconduct", LONG, "OFFICIAL", installation.signing_key(),
        statement_id=site.ids["statement"], lane=PSD,
    )  # fmt: skip
    asks = {
        "approved": lambda: services.export_alerts(psd, wanted, ".csv"),
        "approval": lambda: services.reveal_case(psd, site.ids["case"], reason=REASON),
        "erasure": lambda: services.erase(site.context("admin")),
    }
    for name, ask in asks.items():
        with pytest.raises(SecondPersonNeeded) as needed:
            ask()
        site.ids[name] = needed.value.approval_id
    services.decide_approval(second_person(psd), site.ids["approved"], agrees=True)


def at_email(at: services.ServiceContext) -> str:
    """Return the email address of the person in a service context."""
    return services.email_of(at)


class Visit:
    """Somebody at a browser of some width, with scripts or without; watches what goes wrong."""

    def __init__(
        self, browser: Browser, site: Site, *, width: int = 1280, scripts: bool = True
    ) -> None:
        self.site, self.scripts = site, scripts
        self.context: BrowserContext = browser.new_context(
            viewport={"width": width, "height": 900}, java_script_enabled=scripts,
            base_url=site.address,
        )  # fmt: skip
        self.faults: list[str] = []
        self.context.on("request", self._asked)
        self.context.on("console", self._told)
        self.context.on("weberror", lambda error: self.faults.append(str(error.error)))
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(10_000)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.site.address, "data:", "blob:")):
            self.faults.append(f"asked for {request.url}")

    def _told(self, message: Any) -> None:
        expected = "the server responded with a status of 4"  # a page that says what is wrong
        if message.type == "error" and expected not in message.text:
            self.faults.append(message.text)

    def come_as(self, role: str, owner: str = OWN) -> None:
        """Be somebody who has signed in."""
        self.context.add_cookies([self.site.cookie(role, owner)])  # type: ignore[list-item]

    def judge(self) -> list[str]:
        """Return what is wrong with the page at either width: what it told, what axe finds.

        Contrast takes axe longest: it is judged where words have colours and a size that no page
        had before. On the narrow screen the rules of sizes are, and all where it shows more.
        """
        assert self.scripts, "axe is a script, and would never end"
        page, wrong = self.page, list(self.faults)
        self.faults.clear()
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE.read_text(encoding="utf-8"))
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.evaluate(OPENED)
            wrong += [f"{width}: wider than the screen: {one}" for one in page.evaluate(WIDER)]
            content, is_narrow = page.inner_html("main") + str(width), width != WIDTHS[0]
            seen = {*page.evaluate(MORE if is_narrow else SHADES), content} - self.site.judged
            of_sizes = {"runOnly": {"type": "rule", "values": SIZES}} if seen == {content} else {}
            rules = {"rules": {"color-contrast": {"enabled": not is_narrow and seen != {content}}}}
            if content in seen:
                wrong += page.evaluate(FAULTS, AXE_OPTIONS | (of_sizes if is_narrow else rules))
            self.site.judged |= seen
        return wrong

    def close(self) -> None:
        """Close the browser's window; nothing may have gone wrong in it."""
        self.context.close()
        assert not self.faults, self.faults


AXE_OPTIONS = {"runOnly": {"type": "tag", "values": RULES}, "preload": False,
               "resultTypes": ["violations"]}  # fmt: skip
FAULTS = """options => axe.run(document, options).then(told => told.violations.map(
  one => one.id + ": " + one.nodes[0].html.slice(0, 200)))"""
"""What axe finds."""
OPENED = "document.querySelectorAll('details').forEach(one => { one.open = true; })"
"""What is folded is judged too."""
SIZES = ["target-size", "scrollable-region-focusable"]
SHADES = """() => {
  window.shown = new Set([...document.querySelectorAll("body *")]);
  window.shown.forEach(one => { if (!one.checkVisibility()) window.shown.delete(one); });
  const behind = one => {
    for (; one; one = one.parentElement) {
      const { backgroundColor, backgroundImage } = getComputedStyle(one);
      if (backgroundColor + backgroundImage !== "rgba(0, 0, 0, 0)none")
        return backgroundColor + backgroundImage;
    }
    return "";
  };
  const shade = one => {
    const { color, fontSize, fontWeight, opacity, textShadow, position } = getComputedStyle(one);
    return [color, fontSize, fontWeight, opacity, textShadow, position, behind(one)].join();
  };
  const hasWords = one => [...one.childNodes].some(part => part.nodeType === 3 && part.data.trim());
  return [...new Set([...window.shown].filter(hasWords).map(shade))];
}"""
"""What contrast depends on, for every element with words of its own; it keeps what is seen."""
MORE = """() => [...document.querySelectorAll("body *")]
  .filter(one => one.checkVisibility() && !window.shown.has(one)).map(one => one.outerHTML)"""
"""What is seen that was not when the shades were taken."""
WIDER = """() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  return [...document.querySelectorAll("body *")]
    .filter(one => one.getBoundingClientRect().right > width + 1 && !one.closest(".cw-table"))
    .slice(0, 3).map(one => one.outerHTML.slice(0, 160)).concat("the page");
}"""
"""What stands out of the screen; a table may, as it moves in a region of its own."""
