"""Who may do what: every route with everybody who may come, and with whose things they ask for.

The routes come from the app itself: one that the table does not know fails.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from books import EQUAL, SPLIT, approved, crowd, month
from matrix import (
    COLUMNS,
    COMPLAINT,
    CONTRACTS,
    EVERYBODY,
    GIFTS,
    KEEPERS,
    READERS,
    RECEIVERS,
    SUBJECT,
    TABLE,
    UNKNOWN_LAYOUT,
    May,
)
from services import OCTOBER, OTHER, OWN, Running, routes, serving, text

from api.middleware import COOKIE
from cardwatch import services
from cardwatch.casebook import FINANCE, LANES, PSD, Actor, sessions
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.casebook.complaints import NewComplaint
from cardwatch.casebook.directory import ProvidedGroup
from cardwatch.casebook.people import find_person
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.errors import FileRefused, NotAllowed, SecondPersonNeeded
from cardwatch.registers import read_register
from cardwatch.services.refused_files import ArrivedFile, refuse_arrival
from cardwatch.statements import ReadingChoices, profile_toml, read_each, shipped_profiles

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cryptography.fernet import Fernet

pytestmark = pytest.mark.xdist_group("matrix")  # what they share is made once

UNKNOWN = ("anonymous", "expired", "ended")
LIVELY = text(*month(10), *SPLIT, *EQUAL, *crowd(12))
WITH_UNIT = "Date,Employee ID,Merchant,Amount,Cost Centre\n2025-01-10,E7,OLD FIRM,7.00,CC1\n"
NOTHING = "000000000000"
"""An id that nothing has."""
MINE, THEIRS = "new-merchant", "sole-holder-merchant"
UNTOLD = {"GET /v1/openapi.json", "HEAD /v1/openapi.json", "GET /v1/version", "GET /v1/session",
          "DELETE /v1/session", "GET /v1/jobs/{job_id}", "GET /statements/jobs",
          "GET /trials/{job_id}", "GET /", "POST /sign-out", "POST /alerts/search",
          "POST /payments/search", "POST /cases/search", "GET /cases/new",
          "POST /account/mine/code"}  # fmt: skip
"""What leaves no event: it shows nothing but the caller's own, and a key has no session to end."""
ONE_LANE = {
    "statement": FINANCE,
    "query": FINANCE,
    "complaint": FINANCE,
    "group": FINANCE,
    "case": PSD,
    "attachment": PSD,
    "referral": PSD,
    "supplier": PSD,
    "cardholder": PSD,
    "unit": PSD,
}
"""Kinds of things that one lane alone has."""
VISIBLE: dict[str, tuple[str, str]] = {
    "statement": (EVERYBODY, ""),
    "alert": ("finance auditor psd", "psd"),
    "suppression": ("finance auditor psd", "psd"),
    "hold": ("finance auditor psd", "psd"),
    "query": ("finance auditor psd", ""),
    "proposal": ("finance auditor subject", "psd"),
    "rule": (READERS, "psd"),
    "register": (EVERYBODY, EVERYBODY),
    "version": (READERS, "psd"),
    "approval": ("admin", "psd"),
    "person": (KEEPERS, KEEPERS),
    "key": (KEEPERS, "psd"),
    "job": ("finance", "psd"),
    "case": ("", "psd"),
    "attachment": ("", "psd"),
    "referral": ("", EVERYBODY),  # finance made it: its id stands in their chain
    "supplier": ("", "psd"),
    "cardholder": ("", "psd"),
    "unit": ("", "psd"),
    "session": (SUBJECT, ""),
    "complaint": ("auditor", ""),
    "group": ("admin", ""),
    "upload": ("finance", "psd"),
    "register_upload": ("finance", "psd"),
    "refusal": (RECEIVERS, "psd"),
    "profile": ("finance subject", "psd"),
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
    *(Comer(role, OTHER) for role in (PSD, "admin")),
]
"""Of the other force, which has the same things, those alone who may do most."""


class World:
    """Two forces in one service, with a thing of every kind in each lane of each."""

    def __init__(self, running: Running, folder: Path) -> None:
        self.running = running
        self.folder = folder
        self.numbers = itertools.count(1)
        self.made: defaultdict[str, set[Thing]] = defaultdict(set)
        self.held = ""
        self.pool: dict[tuple[str, str], list[str]] = {}
        self.standing: dict[tuple[str, str, str], Thing] = {}
        self.old = {name: self._old_key(ends=name == "ended") for name in ("expired", "ended")}
        self.second: dict[tuple[str, str], services.ServiceContext] = {}
        itself = self._itself(OWN)
        services.add_person(
            itself, name="x", email="subject@x.example", role=FINANCE, holder_id="E1"
        )
        for owner, lines in ((OWN, LIVELY), (OTHER, LIVELY.replace(".00,", ".01,"))):
            path = folder / "october.csv"
            path.write_text(lines, encoding="utf-8")
            read = read_each([path], ReadingChoices(shipped_profiles(), b"k" * 32))[0]
            assert isinstance(read, tuple), read
            services.receive(running.context(FINANCE, owner), read)
            path.write_text(WITH_UNIT, encoding="utf-8")
            before = read_each([path], ReadingChoices(shipped_profiles(), b"k" * 32))[0]
            assert isinstance(before, tuple), before
            services.receive(running.context(FINANCE, owner), before, is_history=True)
            for lane in LANES:
                self._begin(owner, lane)

    def headers(self, comer: Comer) -> dict[str, str]:
        """Return the headers with which somebody comes."""
        if comer.name == "anonymous":
            return {}
        if comer.name == SUBJECT:
            try:
                sessions.actor_of_session(
                    self.running.book, self.held, self.running.clock(), self.running.seal
                )
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
        if may.of == "register":
            return [Thing("contracts", "", FINANCE), Thing("gifts", "", PSD)]
        lanes = (ONE_LANE[may.of],) if may.of in ONE_LANE else LANES
        return [self.standing[may.of, owner, lane] for owner in (OWN, OTHER) for lane in lanes]

    def fresh(self, kind: str, owner: str, lane: str) -> Thing:
        """Make a new thing of a kind."""
        made = getattr(self, f"_new_{kind}")(owner, lane)
        thing = Thing(made, owner, lane)
        self.made[kind].add(thing)
        return thing

    def ask(self, route: str, may: May, comer: Comer, thing_id: str) -> Any:
        """Send a request as somebody; return the response."""
        version = self._version(comer.organisation, thing_id) if may.of == "alert" else 0
        own = comer.organisation
        alert_ids = [self.standing["alert", own, lane].thing_id for lane in LANES]
        asked = may.request(route, thing_id, version, next(self.numbers), alert_ids)
        headers = asked.pop("headers", {}) | self.headers(comer)
        return self.running.client.request(**asked, headers=headers, follow_redirects=False)

    def events(self, owner: str) -> int:
        """Return how many events an organisation's chains have."""
        return self._number("SELECT COUNT(*) FROM audit_events WHERE organisation_id = ?", owner)

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
            one
            for one in services.list_alerts(self.running.context(PSD, owner))
            if one["lane"] == lane
        ]
        self.pool[owner, lane] = [
            one["alert_id"] for one in alerts if one["rule"] != "equal-amounts-across-holders"
        ]
        about = [one["alert_id"] for one in alerts if one["holders"] == ["E1"]]
        first = (about or self.pool[owner, lane])[0]
        self.pool[owner, lane].remove(first)
        self._keep("alert", Thing(first, owner, lane))
        working = self.running.context(lane, owner)
        services.reveal_identity(self.running.context(PSD, owner), first, reason="standing")
        ended = services.suppress(working, first, until="2027-01-31", reason="standing")
        self._keep("suppression", Thing(ended["suppression_id"], owner, lane))
        self._keep(
            "hold", Thing(services.place_hold(working, first, reason="standing"), owner, lane)
        )
        giver = self.running.context("admin", owner) if lane == FINANCE else self._itself(owner)
        services.add_person(
            giver, name="second", email=f"{lane}@x.example", role=lane, holds_no_card=True
        )
        actor = services.actor_of_person(
            self.running.book, owner, f"{lane}@x.example", self.running.clock()
        )
        self.second[owner, lane] = services.ServiceContext(
            self.running.book, actor, self.running.clock()
        )
        job = services.queue_back_test(
            working, "policy", b"alerts_per_1000 = 9\n", 1, self.running.seal
        )
        self._keep("job", Thing(job["job_id"], owner, lane))
        statement = services.list_statements(working)[0]["statement_id"]
        self._keep("statement", Thing(statement, owner, FINANCE))
        if lane == FINANCE:
            self._keep("query", Thing(self._query(working, first), owner, lane))
        kinds = ("proposal", "person", "key", "session", "version", "upload", "refusal", "approval")
        for kind in (*kinds, "profile", "register_upload"):
            self._keep(kind, self.fresh(kind, owner, lane))
        if lane == FINANCE:
            self._keep("complaint", self.fresh("complaint", owner, lane))
            self._keep("group", self.fresh("group", owner, lane))
        for kind in ("case", "attachment", "referral") if lane == PSD else ():
            self._keep(kind, self.fresh(kind, owner, lane))
        if lane == PSD:
            for kind, links in zip(("supplier", "cardholder", "unit"),
                                   self._subjects(owner), strict=True):  # fmt: skip
                self._keep(kind, Thing(links[0].id, owner, lane))

    def _subjects(self, owner: str) -> tuple[tuple[services.SubjectLink, ...], ...]:
        """Return the supplier, cardholder and unit of the one payment that has a unit."""
        psd = self.running.context(PSD, owner)
        first = services.list_statements(psd)[-1]["statement_id"]
        links = services.subject_links(psd, [f"{first}:2"])
        return links.suppliers, links.cardholders, links.units

    def _keep(self, kind: str, thing: Thing) -> None:
        self.standing[kind, thing.organisation, thing.lane] = thing
        self.made[kind].add(thing)

    def _query(self, working: services.ServiceContext, alert_id: str) -> str:
        query = services.Query("Them", "them@force.example", "2026-12-04")
        sent = services.send_query(working, alert_id, query, lambda *_: None, marking="x")
        return sent["query_id"]

    def _new_alert(self, owner: str, lane: str) -> str:
        return self.pool[owner, lane].pop()

    def _new_case(self, owner: str, lane: str) -> str:
        alert_id = self.standing["alert", owner, FINANCE].thing_id
        new_case = services.NewCase("a case", "so", (alert_id,))
        return str(services.open_case(self.running.context(lane, owner), new_case)["case_id"])

    def _new_attachment(self, owner: str, lane: str) -> str:
        working = self.running.context(lane, owner)
        new_case = services.NewCase("a case of files", "so")  # no alert of it is on hold
        case_id = services.open_case(working, new_case)["case_id"]
        return services.attach_file(working, case_id, "a.txt", b"x")["attachment_id"]

    def _new_referral(self, owner: str, lane: str) -> str:
        assert lane == PSD
        name, working = self._new_alert(owner, FINANCE), self.running.context(FINANCE, owner)
        services.decide(working, name, DecisionInput("so", "confirmed"))
        return services.refer_alert(working, name, reason="so")

    def _new_suppression(self, owner: str, lane: str) -> str:
        name = self._new_alert(owner, lane)
        working = self.running.context(lane, owner)
        made = services.suppress(working, name, until="2027-01-31", reason="so")
        return str(made["suppression_id"])

    def _new_hold(self, owner: str, lane: str) -> str:
        return services.place_hold(
            self.running.context(lane, owner), self._new_alert(owner, lane), reason="so"
        )

    def _new_proposal(self, owner: str, lane: str) -> str:
        policy = f"alerts_per_1000 = {next(self.numbers)}\n".encode()
        made = services.propose(
            self.second[owner, lane], "policy", policy, effective_from="", reason="so"
        )
        return str(made["proposal_id"])

    def _new_complaint(self, owner: str, lane: str) -> str:
        assert lane == FINANCE  # it belongs to no lane
        new = NewComplaint(**COMPLAINT | {"subject": str(next(self.numbers))})
        return services.add_complaint(self.running.context("auditor", owner), new)

    def _new_group(self, owner: str, lane: str) -> str:
        assert lane == FINANCE  # it belongs to no lane
        admin = self.running.context("admin", owner)
        provider = replace(admin, actor=replace(admin.actor, scope="directory"))
        return services.add_provided_group(provider, ProvidedGroup("x", "", ()))["group_id"]

    def _new_person(self, owner: str, lane: str) -> str:
        giver = self.running.context("admin" if lane == FINANCE else PSD, owner)
        email = f"{next(self.numbers)}@x.example"
        new = {"name": "x", "email": email, "role": lane, "holds_no_card": True}
        return approved(giver, lambda person: services.add_person(person, **new))

    def _new_approval(self, owner: str, lane: str) -> str:
        number = next(self.numbers)
        new = {"name": "x", "email": f"{number}@x.example", "role": PSD, "holds_no_card": True}
        with pytest.raises(SecondPersonNeeded) as needed:
            if lane == FINANCE:
                admin = self.running.context("admin", owner)
                services.retention_periods(admin, kind="alerts", days=2_556 - number % 1_700)
            else:
                services.add_person(self.running.context(PSD, owner), **new)
        return needed.value.approval_id

    def _new_key(self, owner: str, lane: str) -> str:
        giver = self.running.context("admin" if lane == FINANCE else PSD, owner)
        return services.create_key(giver, name="x", role=lane, days=9).split("_")[2]

    def _new_version(self, owner: str, lane: str) -> str:
        name, content = (CONTRACTS if lane == FINANCE else GIFTS)["file"]
        path = self.folder / name
        path.write_text(f"{content}\n{next(self.numbers)}", encoding="utf-8")
        register = read_register(path, ReadingChoices(shipped_profiles(), b"k" * 32))
        return services.import_register(self.running.context(lane, owner), register).version_id

    def _new_upload(self, owner: str, lane: str) -> str:
        seal: Fernet = self.running.client.app.state.service.seal  # type: ignore[attr-defined]
        context = self.running.context(lane, owner)
        return services.keep_upload(context, "unknown.csv", UNKNOWN_LAYOUT.encode(), {}, seal)

    def _new_register_upload(self, owner: str, lane: str) -> str:
        seal: Fernet = self.running.client.app.state.service.seal  # type: ignore[attr-defined]
        kind = "gifts" if lane == PSD else "contracts"
        options = {"kind": kind, "known_from": "", "replaces": "", "date_order": "decide"}
        context, content = self.running.context(lane, owner), UNKNOWN_LAYOUT.encode()
        return services.keep_upload(context, "unknown.csv", content, options, seal)

    def _new_refusal(self, owner: str, lane: str) -> str:
        seal: Fernet = self.running.client.app.state.service.seal  # type: ignore[attr-defined]
        context, content = self.running.context(lane, owner), b"x" * next(self.numbers)
        source = self.folder / "unknown.csv"
        source.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        file = ArrivedFile("unknown.csv", digest, len(content), source)
        refuse_arrival(context, file, FileRefused("unknown.csv", "columns_unknown", "so"), seal)
        return next(
            row["refusal_id"]
            for row in services.list_refused_files(context)
            if row["size_bytes"] == len(content)
        )

    def _new_profile(self, owner: str, lane: str) -> str:
        context = self.running.context(lane, owner)
        headings = [*"ABCD", str(next(self.numbers))]
        profile = services.profile_of_form(headings, COLUMNS, {})
        services.save_profile(context, profile_toml(profile))
        return next(
            remembered.profile_id
            for remembered in services.list_profiles(context)
            if headings[-1] in remembered.profile.recognise
        )

    def _new_session(self, owner: str, lane: str) -> str:
        person = (
            "subject@x.example" if (owner, lane) == (OWN, FINANCE) else f"{lane}@{owner}.example"
        )
        cookie = self._session(owner, person)
        running = self.running
        return services.actor_of_session(running.book, cookie, running.clock(), running.seal)[1]

    def _session(self, owner: str, email: str) -> str:
        """Begin a session of a person as signing in does; return what their browser holds."""
        actor = Actor(owner, SYSTEM, "admin")
        with self.running.book.unaudited(actor, self.running.clock()) as uow:
            return sessions.begin_session(uow, find_person(uow, email), "", self.running.seal)

    def _old_key(self, *, ends: bool) -> str:
        """Make a key that held once: its day is past, or it was ended."""
        now = self.running.clock() - dt.timedelta(days=9)
        before = services.ServiceContext(
            self.running.book, self.running.context("admin").actor, now
        )
        key = services.create_key(before, name="old", role=FINANCE, days=90 if ends else 1)
        if ends:
            services.revoke_key(before, key.split("_")[2])
        return key

    def _itself(self, owner: str) -> services.ServiceContext:
        return services.ServiceContext(
            self.running.book, Actor(owner, SYSTEM, "admin"), self.running.clock()
        )

    def _version(self, owner: str, alert_id: str) -> int:
        question = "SELECT version FROM alerts WHERE organisation_id = ? AND alert_id = ?"
        return self._number(question, owner, alert_id)

    def _number(self, question: str, *parameters: str) -> int:
        """Return the number that the database itself answers, so that nothing is told of it."""
        with self.running.book.snapshot() as connection:
            return int(connection.exec_driver_sql(question, parameters).scalar() or 0)


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
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr("cardwatch.services.jobs.MOST_BACK_TESTS", 99)  # none is done here
    mail = {"smtp": "smtp://127.0.0.1:9", "mail_from": "cardwatch@force.example"}
    with serving(folder / "home", url, chores=False, webhook_hosts="127.0.0.1", **mail) as running:
        yield World(running, folder)
    monkeypatch.undo()


def test_the_table_knows_every_route_and_no_other() -> None:
    assert {route for route, _ in TABLE} == {f"{method} {path}" for method, path in routes()}


@pytest.mark.parametrize(("route", "may"), TABLE, ids=[route for route, _ in TABLE])
def test_nobody_is_let_in_but_who_may_and_what_is_not_theirs_is_not_there(
    world: World, route: str, may: May, request: pytest.FixtureRequest
) -> None:
    if may.draws:
        request.getfixturevalue("pdf_libraries")
    wrong = [
        f"{comer.name} of {comer.organisation} for {thing}: {fault}"
        for comer in COMERS
        for thing in world.things(may)[: 1 if comer.name in UNKNOWN else None]
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
    has_event |= answer.status_code == may.refused  # nothing was done
    done = answer.is_success or answer.status_code in {303, may.refused}
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
