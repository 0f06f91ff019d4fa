"""Who may do what: every route with everybody who may come, and with whose things they ask for.

The routes come from the app itself: one that the table does not know fails.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from books import EQUAL, SPLIT, crowd, month
from services import OCTOBER, OTHER, OWN, Running, routes, serving, text

from api.guard import COOKIE
from cardwatch import desk
from cardwatch.casebook import FINANCE, LANES, PSD, ROLES, Actor, sessions
from cardwatch.casebook.people import find_person
from cardwatch.casebook.work import SYSTEM
from cardwatch.errors import NotAllowed, NotFound
from cardwatch.rules import rule_texts
from cardwatch.statements import ReadingChoices, read_each, shipped_profiles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUBJECT = "subject"
"""A finance person who is signed in, and about whom and whose card there are alerts."""
UNKNOWN = ("anonymous", "expired", "ended")
EVERYBODY = "finance auditor psd admin subject"
READERS = "finance auditor psd subject"
RECEIVERS = "finance psd subject"
KEEPERS = "admin psd"
LIVELY = text(*month(10), *SPLIT, *EQUAL, *crowd(8))
NOTHING = "000000000000"
"""An id that nothing has."""
MINE, THEIRS = "new-merchant", "sole-holder-merchant"
ROWS = [
    {"date": "2026-10-11", "employee_id": "E1", "merchant": "NEW FIRM", "amount": sum_}
    for sum_ in ("900.00", "950.00")
]
FILE = {"file": ("october.csv", OCTOBER)}
CARDS = {"file": ("cards.csv", "card_last4,employee_id,single_limit\n1234,E1,500\n")}
COLUMNS = {"headings": "A\nB\nC\nD", "date": "A", "merchant": "B", "amount": "C",
           "employee_id": "D"}  # fmt: skip
POLICY = {"kind": "policy", "policy": "alerts_per_1000 = {n}\n"}
EXPORT = {"statement_id": "{id}", "form": "json", "purpose": "misconduct", "recipient": "{n}"}
CASE = {"alert_ids": ["{id}"]} | {k: v for k, v in EXPORT.items() if k != "statement_id"}
HANDED = {"form": "json", "purpose": "misconduct", "recipient": "{n}"}


@dataclass(frozen=True)
class May:
    """Who may ask for one thing of a route.

    Attributes:
        finance: who may, where it is finance's or nobody's own.
        psd: who may, where it is professional standards' own.
        of: the kind of thing whose id is asked for, if any.
        sent: what is sent; `{id}` is the thing's, `{version}` an alert's, `{n}` a new number.
        is_used: whether the thing is not as it was once somebody has asked.
        opens: what it answers whoever comes, where no key is asked for.
    """

    finance: str = ""
    psd: str = ""
    of: str = ""
    sent: dict[str, Any] = field(default_factory=dict)
    is_used: bool = False
    opens: int = 0


def _json(**sent: Any) -> dict[str, Any]:
    return {"json": sent}


TABLE: tuple[tuple[str, May], ...] = (
    ("GET /health/live", May(opens=200)),
    ("GET /health/ready", May(opens=200)),
    ("GET /metrics", May(opens=404)),  # its key is none of theirs
    ("GET /sign-in/elsewhere", May(opens=404)),  # no provider is set
    ("GET /sign-in/back", May(opens=401)),
    ("POST /v1/session", May(opens=422)),
    ("POST /v1/account/secret", May(opens=422)),
    ("POST /v1/account", May(opens=422)),
    ("PUT /v1/account",  # with a password that is not theirs
     May(sent={"json": dict.fromkeys(("password", "code", "new"), "x")})),
    ("GET /v1/openapi.json", May(EVERYBODY)),
    ("HEAD /v1/openapi.json", May(EVERYBODY)),
    ("GET /v1/version", May(EVERYBODY)),
    ("GET /v1/session", May(EVERYBODY)),
    ("DELETE /v1/session", May(EVERYBODY)),
    ("GET /v1/sessions", May(EVERYBODY)),
    ("DELETE /v1/sessions/{session_id}", May(SUBJECT, of="session", is_used=True)),
    ("POST /v1/scores", May(READERS, sent=_json(transactions=ROWS, history=False))),
    ("POST /v1/scores/file", May(READERS, sent={"files": FILE})),
    ("POST /v1/statements",
     May(RECEIVERS, sent={"files": FILE, "headers": {"Prefer": "respond-async"}})),
    ("GET /v1/jobs/{job_id}", May("finance", "psd", of="job")),
    ("GET /v1/statements", May(EVERYBODY)),
    ("GET /v1/statements/{statement_id}", May(EVERYBODY, of="statement")),
    ("GET /v1/statements/{statement_id}/problems.csv", May(EVERYBODY, of="statement")),
    ("POST /v1/statements/{statement_id}/verification", May(EVERYBODY, of="statement")),
    ("GET /v1/alerts", May(READERS)),
    ("GET /v1/alerts",
     May("finance auditor psd", "psd", of="alert", sent={"params": {"holder_of": "{id}"}})),
    ("GET /v1/alerts",
     May("finance auditor psd", "psd", of="alert", sent={"params": {"merchant_of": "{id}"}})),
    ("GET /v1/alerts/{alert_id}", May("finance auditor psd", "psd", of="alert")),
    ("POST /v1/alerts/{alert_id}/decisions",
     May("finance", "psd", of="alert",
         sent=_json(reason="so") | {"headers": {"If-Match": '"{version}"'}})),
    ("POST /v1/alerts/{alert_id}/suppressions",
     May("finance", "psd", of="alert", is_used=True, sent=_json(until="2027-03-31", reason="so"))),
    ("POST /v1/alerts/{alert_id}/holds",
     May("finance", "psd", of="alert", is_used=True, sent=_json(reason="so"))),
    ("GET /v1/suppressions", May(READERS)),
    ("DELETE /v1/suppressions/{suppression_id}",
     May("finance", "psd", of="suppression", is_used=True)),
    ("GET /v1/holds", May(READERS)),
    ("DELETE /v1/holds/{hold_id}", May("finance", "psd", of="hold", is_used=True)),
    ("POST /v1/exports", May(READERS, of="statement", sent={"json": EXPORT})),
    ("POST /v1/exports", May("psd", of="statement", sent={"json": EXPORT | {"lane": "psd"}})),
    ("POST /v1/exports",
     May("finance auditor psd", "psd", of="alert", sent={"json": CASE})),
    ("GET /v1/exports", May(READERS)),
    ("GET /v1/precision", May(READERS)),
    ("GET /v1/reconciliation", May(READERS)),
    ("GET /v1/rules", May(READERS)),
    ("GET /v1/rules/{rule_id}", May(READERS, "psd", of="rule")),
    ("GET /v1/policy", May(READERS)),
    ("GET /v1/model", May(READERS)),
    ("GET /v1/settings", May(READERS)),
    ("POST /v1/back-tests", May(READERS, sent={"json": POLICY | {"months": 1}})),
    ("GET /v1/proposals", May(READERS)),
    ("POST /v1/proposals", May(RECEIVERS, sent={"json": POLICY | {"reason": "so"}})),
    ("POST /v1/proposals",
     May("psd", sent=_json(kind="rules", reason="so", rules=rule_texts()))),
    ("POST /v1/proposals/cards", May(RECEIVERS, sent={"files": CARDS, "data": {"reason": "so"}})),
    ("POST /v1/proposals/{proposal_id}/agreement",
     May("finance subject", "psd", of="proposal", is_used=True)),
    ("POST /v1/proposals/{proposal_id}/refusal",
     May("finance subject", "psd", of="proposal", is_used=True)),
    ("GET /v1/people", May(KEEPERS)),
    ("POST /v1/people",
     May("admin", sent=_json(name="x", email="{n}@x.example", role="finance"))),
    ("POST /v1/people", May("psd", sent=_json(name="x", email="{n}@x.example", role="psd"))),
    ("DELETE /v1/people/{person_id}", May("admin", "psd", of="person", is_used=True)),
    ("POST /v1/people/{person_id}/invitation", May("admin", "psd", of="person")),
    ("GET /v1/keys", May(KEEPERS)),
    ("POST /v1/keys", May("admin", sent=_json(name="x", role="auditor"))),
    ("POST /v1/keys", May("psd", sent=_json(name="x", role="psd"))),
    ("DELETE /v1/keys/{key_id}", May("admin", "psd", of="key", is_used=True)),
    ("GET /v1/webhook", May(KEEPERS)),
    ("PUT /v1/webhook", May(KEEPERS, sent=_json(url="http://127.0.0.1:9/"))),
    ("DELETE /v1/webhook", May(KEEPERS)),
    ("GET /v1/audit/events", May(EVERYBODY)),
    ("GET /v1/audit/events", May("psd", sent={"params": {"lane": "psd"}})),
    ("GET /v1/audit/verification", May(EVERYBODY)),
    ("GET /v1/retention", May(EVERYBODY)),
    ("PUT /v1/retention", May("admin", sent=_json(kind="alerts", days=2_557))),
    ("POST /v1/erasures", May("admin")),
    ("GET /static/{name}", May(opens=404)),
    ("GET /help", May(opens=200)),
    ("GET /accessibility", May(opens=200)),
    ("GET /privacy", May(opens=200)),
    ("GET /sign-in", May(opens=200)),
    ("POST /sign-in", May(opens=401)),
    ("GET /account", May(opens=200)),
    ("POST /account", May(opens=422)),
    ("POST /account/password", May(opens=422)),
    ("GET /", May(EVERYBODY)),
    ("POST /sign-out", May(EVERYBODY)),
    ("GET /statements", May(EVERYBODY)),
    ("GET /statements/new", May(RECEIVERS)),
    ("POST /statements/new", May(RECEIVERS, sent={"files": {"files": FILE["file"]}})),
    ("POST /statements/columns", May(RECEIVERS, sent={"data": COLUMNS})),
    ("GET /statements/jobs", May("finance", "psd", of="job", sent={"params": {"job": "{id}"}})),
    ("GET /statements/{statement_id}", May(EVERYBODY, of="statement")),
    ("GET /alerts", May(READERS)),
    ("GET /alerts/{alert_id}", May("finance auditor psd", "psd", of="alert")),
    ("GET /alerts/{alert_id}/holder", May("finance auditor psd", "psd", of="alert")),
    ("GET /alerts/{alert_id}/merchant", May("finance auditor psd", "psd", of="alert")),
    ("POST /alerts/{alert_id}/decision",
     May("finance", "psd", of="alert", sent={"data": {"reason": "so", "seen": "{version}"}})),
    ("POST /alerts/{alert_id}/name",
     May("psd", "psd", of="alert", sent={"data": {"why": "so"}})),
    ("GET /alerts/{alert_id}/hand-over", May("finance auditor psd", "psd", of="alert")),
    ("POST /alerts/{alert_id}/hand-over",
     May("finance auditor psd", "psd", of="alert", sent={"data": HANDED})),
    ("GET /statements/{statement_id}/hand-over", May(READERS, of="statement")),
    ("POST /statements/{statement_id}/hand-over",
     May(READERS, of="statement", sent={"data": HANDED})),
    ("POST /statements/{statement_id}/hand-over",
     May("psd", of="statement", sent={"data": HANDED | {"lane": "psd"}})),
    ("GET /alerts/{alert_id}/questions", May("finance", of="alert")),
    ("POST /alerts/{alert_id}/questions",
     May("finance", of="alert", sent={"data": {"recipient": "Them"}})),
    ("GET /review", May(READERS)),
    ("GET /rules", May(READERS)),
    ("GET /rules/{rule_id}", May(READERS, "psd", of="rule")),
    ("GET /settings", May(READERS)),
    ("POST /settings/proposals/{proposal_id}/agreement",
     May("finance subject", "psd", of="proposal", is_used=True)),
    ("POST /settings/proposals/{proposal_id}/refusal",
     May("finance subject", "psd", of="proposal", is_used=True)),
    ("GET /governance", May(READERS)),
    ("GET /governance.pdf", May(READERS, sent={"params": {"quarter": "2026-Q3"}})),
    ("GET /impact", May(EVERYBODY)),
    ("GET /impact.pdf", May(EVERYBODY)),
    ("GET /audit", May(EVERYBODY)),
    ("GET /people", May(KEEPERS)),
)  # fmt: skip
UNTOLD = {"GET /v1/openapi.json", "HEAD /v1/openapi.json", "GET /v1/version", "GET /v1/session",
          "DELETE /v1/session", "GET /v1/jobs/{job_id}", "GET /statements/jobs", "GET /",
          "POST /sign-out"}  # fmt: skip
"""What leaves no event: it shows nothing but the caller's own, and a key has no session to end."""
VISIBLE: dict[str, tuple[str, str]] = {
    "statement": (EVERYBODY, ""),
    "alert": ("finance auditor psd", "psd"),
    "suppression": ("finance auditor psd", "psd"),
    "hold": ("finance auditor psd", "psd"),
    "proposal": ("finance auditor subject", "psd"),
    "rule": (READERS, "psd"),
    "person": (KEEPERS, KEEPERS),
    "key": (KEEPERS, "psd"),
    "job": ("finance", "psd"),
    "session": (SUBJECT, ""),
}
"""Who may know that a thing of finance's, and of professional standards' own, is there at all."""


@dataclass(frozen=True)
class Comer:
    """Whoever sends a request: who they are, and for which organisation."""

    name: str
    organisation: str = OWN


@dataclass(frozen=True)
class Thing:
    """A thing that is asked for: whose it is."""

    thing_id: str
    organisation: str
    lane: str


COMERS = [
    *(Comer(name) for name in (*UNKNOWN, *EVERYBODY.split())),
    *(Comer(role, OTHER) for role in ROLES),
]


class World:
    """Two forces in one service, with a thing of every kind in each lane of each."""

    def __init__(self, running: Running, folder: Path) -> None:
        self.running = running
        self.numbers = itertools.count(1)
        self.made: defaultdict[str, set[Thing]] = defaultdict(set)
        self.held = ""
        self.pool: dict[tuple[str, str], list[str]] = {}
        self.standing: dict[tuple[str, str, str], Thing] = {}
        self.old = {name: self._old_key(ends=name == "ended") for name in ("expired", "ended")}
        self.second: dict[tuple[str, str], desk.Desk] = {}
        itself = self._itself(OWN)
        desk.add_person(itself, name="x", email="subject@x.example", role=FINANCE, holder_id="E1")
        for owner, lines in ((OWN, LIVELY), (OTHER, LIVELY.replace(".00,", ".01,"))):
            path = folder / "october.csv"
            path.write_text(lines, encoding="utf-8")
            read = read_each([path], ReadingChoices(shipped_profiles(), b"k" * 32))[0]
            assert isinstance(read, tuple), read
            desk.receive(running.desk(FINANCE, owner), read)
            for lane in LANES:
                self._begin(owner, lane)

    def headers(self, comer: Comer) -> dict[str, str]:
        """Return the headers with which somebody comes."""
        if comer.name == "anonymous":
            return {}
        if comer.name == SUBJECT:
            try:
                sessions.actor_of_session(self.running.book, self.held, self.running.clock())
            except NotAllowed:  # they have not come in yet, or have gone out
                self.held = self._session(OWN, "subject@x.example")
            return {"Cookie": f"{COOKIE}={self.held}"}
        key = self.old.get(comer.name) or self.running.keys[comer.organisation, comer.name]
        return {"Authorization": f"Bearer {key}"}

    def things(self, may: May) -> list[Thing | None]:
        """Return what may be asked for: of either force, in either lane, or nothing at all."""
        if not may.of:
            return [None]
        if may.of == "rule":
            return [Thing(MINE, "", FINANCE), Thing(THEIRS, "", PSD)]
        lanes = LANES if may.of != "statement" else (FINANCE,)
        return [self.standing[may.of, owner, lane] for owner in (OWN, OTHER) for lane in lanes]

    def fresh(self, kind: str, owner: str, lane: str) -> Thing:
        """Make a new thing of a kind."""
        made = getattr(self, f"_new_{kind}")(owner, lane)
        thing = Thing(made, owner, lane)
        self.made[kind].add(thing)
        return thing

    def ask(self, route: str, may: May, comer: Comer, thing_id: str) -> Any:
        """Send a request as somebody; return the response."""
        method, _, path = route.partition(" ")
        words = {"{id}": thing_id, "{n}": str(next(self.numbers)), "{version}": "0"}
        if may.of == "alert":
            words["{version}"] = str(self._version(comer.organisation, thing_id))
        sent = json.dumps({k: v for k, v in may.sent.items() if k != "files"})
        for word, value in words.items():
            sent = sent.replace(word, value)
        more = json.loads(sent)
        more["headers"] = more.get("headers", {}) | self.headers(comer)
        if "files" in may.sent:
            more["files"] = may.sent["files"]
        address = path.partition("{")[0] + thing_id + path.partition("}")[2] if may.of else path
        return self.running.client.request(
            method, path if "{" not in path else address, follow_redirects=False, **more
        )

    def events(self, owner: str) -> int:
        """Return how many events an organisation's chains have."""
        with self.running.book.snapshot() as connection:
            question = "SELECT COUNT(*) FROM events WHERE organisation_id = ?"
            return int(connection.exec_driver_sql(question, (owner,)).scalar() or 0)

    def hidden_from(self, comer: Comer) -> set[str]:
        """Return ids that nobody of this name may ever be shown."""
        return {
            one.thing_id
            for kind, things in self.made.items()
            for one in things
            if one.organisation != comer.organisation
            or (one.lane == PSD and comer.name not in _knowing(kind, PSD))
        } - {
            one.thing_id for one in self.made["statement"] if one.organisation == comer.organisation
        }

    def _begin(self, owner: str, lane: str) -> None:
        """Let there be a thing of every kind that stands, whoever asks for it."""
        alerts = [
            one for one in desk.list_alerts(self.running.desk(PSD, owner)) if one["lane"] == lane
        ]
        self.pool[owner, lane] = [
            one["alert_id"] for one in alerts if one["rule"] != "equal-amounts-across-holders"
        ]
        about = [one["alert_id"] for one in alerts if one["holder_id"] == "E1"]
        first = (about or self.pool[owner, lane])[0]
        self.pool[owner, lane].remove(first)
        self._keep("alert", Thing(first, owner, lane))
        working = self.running.desk(lane, owner)
        desk.unmask(self.running.desk(PSD, owner), first, reason="standing")
        ended = desk.suppress(working, first, until="2027-01-31", reason="standing")
        self._keep("suppression", Thing(ended["suppression_id"], owner, lane))
        self._keep("hold", Thing(desk.hold(working, first, reason="standing"), owner, lane))
        giver = self.running.desk("admin" if lane == FINANCE else PSD, owner)
        desk.add_person(giver, name="second", email=f"{lane}@x.example", role=lane)
        actor = desk.actor_of_person(
            self.running.book, owner, f"{lane}@x.example", self.running.clock()
        )
        self.second[owner, lane] = desk.Desk(self.running.book, actor, self.running.clock())
        job = desk.ask_back_test(working, "policy", b"alerts_per_1000 = 9\n", 1)
        self._keep("job", Thing(job["job_id"], owner, lane))
        statement = desk.list_statements(working)[0]["statement_id"]
        self._keep("statement", Thing(statement, owner, FINANCE))
        for kind in ("proposal", "person", "key", "session"):
            self._keep(kind, self.fresh(kind, owner, lane))

    def _keep(self, kind: str, thing: Thing) -> None:
        self.standing[kind, thing.organisation, thing.lane] = thing
        self.made[kind].add(thing)

    def _new_alert(self, owner: str, lane: str) -> str:
        return self.pool[owner, lane].pop()

    def _new_suppression(self, owner: str, lane: str) -> str:
        name = self._new_alert(owner, lane)
        working = self.running.desk(lane, owner)
        made = desk.suppress(working, name, until="2027-01-31", reason="so")
        return str(made["suppression_id"])

    def _new_hold(self, owner: str, lane: str) -> str:
        return desk.hold(self.running.desk(lane, owner), self._new_alert(owner, lane), reason="so")

    def _new_proposal(self, owner: str, lane: str) -> str:
        policy = f"alerts_per_1000 = {next(self.numbers)}\n".encode()
        made = desk.propose(self.second[owner, lane], "policy", policy, holds_from="", reason="so")
        return str(made["proposal_id"])

    def _new_person(self, owner: str, lane: str) -> str:
        giver = self.running.desk("admin" if lane == FINANCE else PSD, owner)
        email = f"{next(self.numbers)}@x.example"
        return desk.add_person(giver, name="x", email=email, role=lane)

    def _new_key(self, owner: str, lane: str) -> str:
        giver = self.running.desk("admin" if lane == FINANCE else PSD, owner)
        return desk.make_key(giver, name="x", role=lane, days=9).split("_")[2]

    def _new_session(self, owner: str, lane: str) -> str:
        person = (
            "subject@x.example" if (owner, lane) == (OWN, FINANCE) else f"{lane}@{owner}.example"
        )
        cookie = self._session(owner, person)
        return desk.actor_of_session(self.running.book, cookie, self.running.clock())[1]

    def _session(self, owner: str, email: str) -> str:
        """Begin a session of a person as signing in does; return what their browser holds."""
        actor = Actor(owner, SYSTEM, "admin")
        with self.running.book.quiet(actor, self.running.clock()) as work:
            return sessions.begin_session(work, find_person(work, email), "")

    def _old_key(self, *, ends: bool) -> str:
        """Make a key that held once: its day is past, or it was ended."""
        now = self.running.clock() - dt.timedelta(days=9)
        before = desk.Desk(self.running.book, self.running.desk("admin").actor, now)
        key = desk.make_key(before, name="old", role=FINANCE, days=90 if ends else 1)
        if ends:
            desk.end_key(before, key.split("_")[2])
        return key

    def _itself(self, owner: str) -> desk.Desk:
        return desk.Desk(self.running.book, Actor(owner, SYSTEM, "admin"), self.running.clock())

    def _version(self, owner: str, alert_id: str) -> int:
        with suppress(NotFound):
            return int(desk.get_alert(self.running.desk(PSD, owner), alert_id)["version"])
        return 0


def _knowing(kind: str, lane: str) -> list[str]:
    """Return who may know of a thing of a kind and lane."""
    return VISIBLE[kind][LANES.index(lane)].split()


def _may(may: May, comer: Comer, thing: Thing | None) -> bool:
    """Return whether somebody may ask for something."""
    if thing is None:
        return comer.name in may.finance.split()
    is_theirs = thing.organisation in {comer.organisation, ""}
    return is_theirs and comer.name in (may.finance, may.psd)[LANES.index(thing.lane)].split()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("matrix")
    url = f"sqlite:///{folder / 'casebook.db'}"
    with serving(folder / "home", url, chores=False, webhook_hosts="127.0.0.1") as running:
        yield World(running, folder)


def test_the_table_knows_every_route_and_no_other() -> None:
    assert {route for route, _ in TABLE} == {f"{method} {path}" for method, path in routes()}


@pytest.mark.parametrize(("route", "may"), TABLE, ids=[route for route, _ in TABLE])
def test_nobody_is_let_in_but_who_may_and_what_is_not_theirs_is_not_there(
    world: World, route: str, may: May
) -> None:
    wrong = [
        f"{comer.name} of {comer.organisation} for {thing}: {fault}"
        for comer in COMERS
        for thing in world.things(may)
        if (fault := _fault(world, route, may, comer, thing))
    ]
    assert not wrong, "\n".join(wrong)


def _fault(world: World, route: str, may: May, comer: Comer, thing: Thing | None) -> str:
    """Return what is wrong with the answer to somebody who asks for something, or nothing."""
    is_allowed = _may(may, comer, thing)
    if is_allowed and may.is_used and thing is not None:
        thing = world.fresh(may.of, thing.organisation, thing.lane)
    before = world.events(comer.organisation)
    answer = world.ask(route, may, comer, thing.thing_id if thing else "")
    told = f"{answer.status_code} {answer.text[:300]}"
    if may.opens:
        return "" if answer.status_code == may.opens else told
    if comer.name in UNKNOWN:
        return "" if answer.status_code == 401 else told
    if not is_allowed:
        differs = thing is not None and _differs_from_nothing(
            world, route, may, comer, thing, answer
        )
        return told if answer.status_code not in {403, 404} or differs else ""
    shown = [one for one in world.hidden_from(comer) if one in answer.text]
    has_event = world.events(comer.organisation) > before or route in UNTOLD
    done = answer.is_success or answer.status_code == 303
    return "" if done and not shown and has_event else f"{told} {shown} {has_event}"


def _differs_from_nothing(
    world: World, route: str, may: May, comer: Comer, thing: Thing, answer: Any
) -> bool:
    """Return whether a refusal tells somebody of a thing that they may not know of."""
    if thing.organisation == comer.organisation and comer.name in _knowing(may.of, thing.lane):
        return False
    name = NOTHING.ljust(len(thing.thing_id), "0")
    nothing = world.ask(route, may, comer, name)
    said = answer.text.replace(thing.thing_id, name)
    return (answer.status_code, said) != (nothing.status_code, nothing.text)


def test_a_correction_of_another_forces_statement_is_one_of_nothing(running: Running) -> None:
    files = {"file": ("october.csv", OCTOBER)}
    theirs = running.ask("POST", "/v1/statements", organisation=OTHER, files=files).json()
    told = []
    for corrected in (theirs["statement_id"], NOTHING):
        answer = running.send(OCTOBER, corrects=corrected)
        told.append((answer.status_code, answer.text.replace(corrected, NOTHING)))
    assert told[0] == told[1]
    assert told[0][0] == 404
