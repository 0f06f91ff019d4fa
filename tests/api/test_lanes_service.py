"""Nothing of professional standards can be told from what the service answers anybody else."""

from __future__ import annotations

import copy
import faulthandler
import itertools
import os
import random
import re
import secrets
import shutil
import statistics
import time
from collections import defaultdict
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from books import crowd, lively_month, month, rules_without
from matrix import ROWS, TABLE, May
from services import OWN, Running, activate_account, routes, serving, sign_in, text

from api.middleware import OPEN
from cardwatch import installation, services
from cardwatch.casebook import FINANCE, LANES, PSD, Actor, Casebook
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.services import evaluation_runner
from cardwatch.statements import ReadingChoices, read_each, shipped_profiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    Table = Sequence[tuple[str, May]]

OTHERS = ("finance", "auditor", "admin")
METRICS_KEY = "whoever counts"
HOOK, PSD_HOOK = "http://127.0.0.1:9/finance", "http://127.0.0.1:9/psd"
SETTINGS = {"chores": False, "metrics_key": METRICS_KEY, "webhook_hosts": "127.0.0.1"}
STATEMENTS = [("10.csv", text(*lively_month(10), *crowd(1))), ("11.csv", text(*lively_month(11)))]
FREE = rb"[\d.]+ GiB|"  # of the disk, and where the casebook is
NOTHING = "000000000000"
FORMS = ("csv", "xlsx", "json", "pdf", "zip")
PAIRS = int(os.environ.get("CARDWATCH_WORLD_PAIRS", "2"))
"""Pairs of worlds in a run; ten where a change is to land."""
QUICK = tuple(one for one in TABLE if "evaluations" not in one[0])
"""All but what runs a process of its own for seconds."""
HEAVY = ("verification", "openapi", "benchmark", "scores/file")
"""Parts of routes that take a tenth of a second and more: with what makes a PDF, one pair of ten
asks for them."""
POLICIES = [f"alerts_per_1000 = {number}\n" for number in range(1, 9)]
REGISTERS = {
    "gifts.csv": "Employee No,Date of offer,Donor,Accepted or declined\n"
    "E1,2026-09-05,New Firm Ltd,Accepted\nE2,2026-09-05,Shop,Declined\n",
    "interests.csv": "Employee No,Business,Date applied,Status\n"
    "E1,New Firm Ltd,01/01/2019,Refused\nE2,Training Hall Ltd,01/01/2019,Approved\n",
}
"""Registers of professional standards that name merchants of these months."""
PLACES = ("/v1/alerts", "/alerts", "/review")
"""Where the list of alerts is, with the same filters."""
LISTS = ("alerts", "statements", "suppressions", "holds", "exports", "precision", "reconciliation",
         "rules", "settings", "proposals")  # fmt: skip


@dataclass
class Base:
    """A casebook that both worlds of a pair begin with."""

    folder: Path
    keys: dict[tuple[str, str], str]
    secret: str


@dataclass
class World:
    """One of two worlds: what runs there, and everything that the others were told in it."""

    running: Running
    folder: Path
    caught: pytest.LogCaptureFixture
    ids: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    told: list[Any] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def ask(self, role: str, method: str, path: str, **more: Any) -> Any:
        """Ask as somebody else, and keep all of the answer but its request's number."""
        answer = self.running.ask(method, path, role, follow_redirects=False, **more)
        headers = {k: v for k, v in answer.headers.items() if k != "x-request-id"}
        if "set-cookie" in headers:  # a client's library tells of the real day
            headers["set-cookie"] = re.sub("expires=[^;]*", "", headers["set-cookie"])
        asked = f"{role} {method} {path} {more.get('params')} {more.get('json')}"
        content = re.sub(FREE + re.escape(bytes(self.folder)), b"", answer.content)
        self.told.append((asked, answer.status_code, headers, content))
        return answer

    def work_off(self) -> None:
        """Do what waits in the queue."""
        while services.do_next_job(self.running.book, self.running.clock, self.running.seal):
            pass


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Base]:
    folder = tmp_path_factory.mktemp("base")
    url = f"sqlite:///{folder / 'casebook.db'}"
    with serving(folder / "home", url, **SETTINGS) as running:
        for role in LANES:  # a second of each, to agree to what the first proposes
            giver, now = running.context("admin"), running.clock()
            if role == PSD:  # a key counts as whoever made it
                itself = services.ServiceContext(running.book, Actor(OWN, SYSTEM, "admin"), now)
                services.add_person(
                    itself, name="second", email="second@x.example", role=role, holds_no_card=True
                )
                second = services.actor_of_person(running.book, OWN, "second@x.example", now)
                giver = services.ServiceContext(running.book, second, now)
            key = services.create_key(giver, name="second", role=role, days=90, can_decide=True)
            running.keys[OWN, f"second {role}"] = key
        secret = activate_account(running, "psd")
        assert running.ask("PUT", "/v1/webhook", "admin", json={"url": HOOK}).status_code == 200
        path = folder / "history.csv"
        path.write_text(text(*month(8)), encoding="utf-8")
        read = read_each([path], ReadingChoices(shipped_profiles(), b"k" * 32))[0]
        assert isinstance(read, tuple), read
        services.receive(running.context(FINANCE), read, is_history=True)
        yield Base(folder, running.keys, secret)


def _live(world: World, base: Base, secret: random.Random | None) -> None:
    """Let two months come and finance work; professional standards do as `secret` has it."""
    running = world.running
    running.clock.go(days=1)
    chance = random.Random(1)
    for number, (name, statement) in enumerate(STATEMENTS):
        if secret is not None:
            _change_rules(world, secret)
        files, prefer = {"file": (name, statement)}, {"Prefer": "respond-async"}
        job = world.ask("finance", "POST", "/v1/statements", files=files, headers=prefer).json()
        world.ids["job"].add(job["job_id"])
        world.work_off()
        done = world.ask("finance", "GET", f"/v1/jobs/{job['job_id']}").json()
        world.ids["statement"].add(done["answer"]["statement_id"])
        for alert in world.ask("finance", "GET", "/v1/alerts").json()["alerts"]:
            path, match = f"/v1/alerts/{alert['alert_id']}", {"If-Match": f'"{alert["version"]}"'}
            world.ids["alert"].add(alert["alert_id"])
            said = {"reason": "so", "state": chance.choice(["asked", "explained", "confirmed"])}
            world.ask("finance", "POST", f"{path}/decisions", json=said, headers=match)
            world.ask("finance", "POST", f"{path}/referrals", json={"reason": "so"})
        if secret is not None and (number == 0 or secret.random() < 0.5):
            _work_unseen(world, base, secret)
        running.clock.go(minutes=5)


def _change_rules(world: World, secret: random.Random) -> None:
    """Let professional standards have other rules of their own, by one's word and another's."""
    if secret.random() < 0.5:
        return
    sent = {"kind": "rules", "reason": "theirs", "rules": rules_without(secret)}
    made = world.running.ask("POST", "/v1/proposals", "psd", json=sent)
    assert made.status_code == 201, made.text
    name = made.json()["proposal_id"]
    agreed = world.running.ask("POST", f"/v1/proposals/{name}/agreement", "second psd")
    assert agreed.status_code == 200, agreed.text
    world.ids["proposal"].add(name)


def _answer_unseen(world: World, secret: random.Random, ask: Callable[..., Any]) -> None:
    """Let professional standards decide, hold and suppress what is theirs."""
    for alert in ask("GET", "/v1/alerts", params={"lane": "psd"})["alerts"]:
        path, match = f"/v1/alerts/{alert['alert_id']}", {"If-Match": f'"{alert["version"]}"'}
        world.ids["alert"].add(alert["alert_id"])
        ask("GET", path)
        for page in ("", "/holder", "/merchant", "/hand-over"):
            ask("GET", path.removeprefix("/v1") + page)
        ask("POST", path.removeprefix("/v1") + "/name", data={"why": "so"})
        said = {"reason": "so", "state": secret.choice(["asked", "confirmed", "explained"])}
        if secret.random() < 0.6:
            ask("POST", f"{path}/decisions", json=said, headers=match)
        if secret.random() < 0.6:
            ask("POST", f"{path}/holds", json={"reason": "case"})
        if secret.random() < 0.6:
            ask("POST", f"{path}/suppressions", json={"until": "2027-02-01", "reason": "so"})


def _fill_cases(world: World, secret: random.Random, ask: Callable[..., Any]) -> None:
    """Let professional standards answer finance's referrals and work on cases."""
    theirs = sorted(alert["alert_id"] for alert in ask("GET", "/v1/alerts")["alerts"])
    for referral in ask("GET", "/v1/referrals", params={"waiting": True}):
        if secret.random() < 0.5:
            ask("POST", f"/v1/referrals/{referral['referral_id']}/refusal", json={"reason": "so"})
            continue
        alert_ids = sorted({referral["alert_id"], *secret.sample(theirs, min(2, len(theirs)))})
        sent = {"title": "a case", "reason": "so", "alert_ids": alert_ids}
        case_id = ask("POST", "/v1/cases", json=sent)["case_id"]
        world.ids["case"].add(case_id)
        world.ids["referral"].add(referral["referral_id"])
        path = f"/v1/cases/{case_id}"
        ask("POST", f"{path}/notes", json={"text": "a note"})
        ask("POST", f"{path}/names", json={"reason": "so"})
        attached = ask("POST", f"{path}/attachments", files={"file": ("a.txt", b"x")})
        world.ids["attachment"].add(attached["attachment_id"])
        ask("GET", path.removeprefix("/v1"))


def _decide_names(secret: random.Random, ask: Callable[..., Any]) -> None:
    """Let professional standards say of a merchant whether it is a firm of their registers."""
    for match in ask("GET", "/v1/matches")[:2]:
        decided = {name: match[name] for name in ("organisation", "merchant")}
        decided |= {"decision": secret.choice(["same", "not-the-same"]), "reason": "so"}
        ask("POST", "/v1/matches/decisions", json=decided)


def _work_unseen(world: World, base: Base, secret: random.Random) -> None:
    """Let professional standards do, as chance has it, everything that is theirs alone."""
    running = world.running

    def ask(method: str, path: str, **more: Any) -> Any:
        answer = running.ask(method, path, "psd", **more)
        assert answer.status_code < 500, answer.text
        return answer.json() if answer.content[:1] in {b"{", b"["} else {}

    _answer_unseen(world, secret, ask)
    _fill_cases(world, secret, ask)
    for kind in ("hold", "suppression"):
        world.ids[kind].update(one[f"{kind}_id"] for one in ask("GET", f"/v1/{kind}s"))
    for statement in ask("GET", "/v1/statements")[1:]:
        listed = {"statement_id": statement["statement_id"], "form": "csv", "lane": "psd"}
        ask("POST", "/v1/exports", json=listed | {"purpose": "corruption-crime", "recipient": "x"})
    ask("POST", "/v1/keys", json={"name": "theirs", "role": "psd"})
    keys = [one["key_id"] for one in ask("GET", "/v1/keys") if one["name"] == "theirs"]
    world.ids["key"].update(keys)
    if secret.random() < 0.5:
        ask("DELETE", f"/v1/keys/{keys[0]}")
    policy = {"kind": "policy", "policy": secret.choice(POLICIES)}
    made = ask("POST", "/v1/proposals", json=policy | {"reason": "theirs"})
    world.ids["proposal"].add(made["proposal_id"])
    ask("PUT", "/v1/webhook", json={"url": PSD_HOOK})
    if secret.random() < 0.5:
        ask("POST", "/v1/scores", json={"transactions": ROWS})
        job = ask("POST", "/v1/back-tests", json=policy | {"months": 1})
        world.ids["job"].add(job["job_id"])
    for name in secret.sample(sorted(REGISTERS), 1):
        ask("POST", "/v1/registers", files={"file": (name, REGISTERS[name])})
    _decide_names(secret, ask)
    world.work_off()
    ask(
        "POST", "/v1/statements", files={"file": STATEMENTS[0]}, headers={"Prefer": "respond-async"}
    )
    world.work_off()
    assert sign_in(running, "psd", base.secret, code="000000").status_code == 401
    if secret.random() < 0.8:
        assert sign_in(running, "psd", base.secret).status_code == 204
        assert running.client.get("/v1/alerts").status_code == 200
        running.client.cookies.clear()
    for method, path in routes():
        is_read = method == "GET" and "{" not in path and path not in OPEN
        if is_read and secret.random() < 0.2:
            running.ask(method, path, "psd", follow_redirects=False)


def _ask_everything(world: World, ids: dict[str, list[str]], *, is_repeated: bool) -> None:
    """Let each of the others ask for everything there is, by ids of both worlds.

    Where it is repeated they ask for what can be read before they have done anything, too.
    """
    reads = [one for one in TABLE if one[0].startswith(("GET", "HEAD"))]
    rest = [one for one in TABLE if one not in reads and "webhook" not in one[0]]
    for role in OTHERS:
        if is_repeated:
            _walk(world, role, reads, ids)
            _ask_otherwise(world, role, ids, PLACES)
        _walk(world, role, rest, ids)
        _do_otherwise(world, role, ids)
        world.work_off()
    for role in OTHERS:  # once they have done what they may
        _walk(world, role, reads, ids)
        _ask_otherwise(world, role, ids, PLACES if is_repeated else PLACES[:1])


def _ask_in_turn(world: World, ids: dict[str, list[str]], turn: int) -> None:
    """Let one of the others ask for each thing there is: in the next pair it is another."""
    roles = itertools.cycle(OTHERS[turn % 3 :] + OTHERS[: turn % 3])
    table = [
        (route, may)
        for route, may in QUICK
        if turn % 10 == 0 or not (may.draws or any(part in route for part in HEAVY))
    ]
    reads = [one for one in table if one[0].startswith(("GET", "HEAD"))]
    rest = [one for one in table if one not in reads and "webhook" not in one[0]]
    for one in rest:
        _walk(world, next(roles), [one], ids)
    handed = {"statement_id": ids["statement"][0], "purpose": "misconduct", "recipient": "x"}
    for lane, form in itertools.product(LANES, ("csv", "xlsx", "json")):
        world.ask(next(roles), "POST", "/v1/exports", json=handed | {"lane": lane, "form": form})
    for start in ("none", *"0123456789abcdef"[turn % 4 :: 4]):
        known = {"policy": start, "model": "in-force"}
        world.ask(next(roles), "POST", "/v1/scores", json={"transactions": ROWS} | known)
    world.work_off()
    for one in reads:
        _walk(world, next(roles), [one], ids)
    for asked, path in zip(_questions(ids), itertools.cycle(("/v1/alerts", "/alerts", "/review"))):
        world.ask(next(roles), "GET", path, params=asked)
    for role, path in itertools.product(OTHERS, LISTS):
        world.ask(role, "GET", f"/v1/{path}")
    for path, lane in itertools.product(("/v1/audit/events", "/audit/events"), LANES):
        world.ask(next(roles), "GET", path, params={"lane": lane, "last": 1000})


def _walk(world: World, role: str, table: Table, ids: dict[str, list[str]]) -> None:
    """Let somebody ask for what a table has, operations and pages, whether they may or not."""
    for route, may in table:
        for name in ids[may.of] if may.of else [""]:
            version = 0
            if may.of == "alert" and not route.startswith("GET"):
                told = world.ask(role, "GET", f"/v1/alerts/{name}").json()
                version = told.get("version", 0)
            asked = may.request(route, name, version, next(world.numbers))
            if not may.opens:
                world.ask(role, asked.pop("method"), asked.pop("url"), **asked)


def _ask_otherwise(
    world: World, role: str, ids: dict[str, list[str]], places: Sequence[str]
) -> None:
    """Let somebody ask for the list of alerts in every way there is, at some of its places."""
    for asked, path in itertools.product(_questions(ids), places):
        world.ask(role, "GET", path, params=asked)
    for order in ("evidence", "money", "age"):
        cursor = ""
        while cursor is not None:
            asked = {"order": order, "limit": 1, "cursor": cursor}
            cursor = world.ask(role, "GET", "/v1/alerts", params=asked).json().get("next")
    for path, lane in itertools.product(("/v1/audit/events", "/audit/events"), LANES):
        world.ask(role, "GET", path, params={"lane": lane, "last": 1000})


def _questions(ids: dict[str, list[str]]) -> Iterator[dict[str, Any]]:
    """Give what may be asked of the list of alerts."""
    for of, words in (
        ("alert", ("same_holder_as", "same_merchant_as")),
        ("statement", ("statement_id",)),
    ):
        yield from ({word: one} for word, one in itertools.product(words, ids[of]))
    for lane in LANES:
        yield {"lane": lane}
    yield from (
        {"state": "confirmed"}, {"tier": "B"}, {"rule": "equal-amounts-across-holders"},
        {"kind": "split"}, {"since": "2026-11-01"}, {"until": "2026-10-31"},
        {"at_least_pence": 1_000}, {"assigned_to": "me"}, {"snoozed": False},
    )  # fmt: skip


def _do_otherwise(world: World, role: str, ids: dict[str, list[str]]) -> None:
    """Let somebody take lists away in every form, and score by every policy that is kept."""
    handed = {"statement_id": ids["statement"][0], "purpose": "misconduct", "recipient": role}
    for lane, form in itertools.product(LANES, FORMS):
        world.ask(role, "POST", "/v1/exports", json=handed | {"lane": lane, "form": form})
    for start in ("none", *"0123456789abcdef"):  # policies that are kept, by their hash
        known = {"policy": start, "model": "in-force"}
        world.ask(role, "POST", "/v1/scores", json={"transactions": ROWS} | known)


def _heard(world: World, before: dict[str, float]) -> None:
    """Keep what others hear beside answers: log lines, counts, notices and reminders."""
    lines = [r.args for r in world.caught.records if r.name.startswith("cardwatch")]
    world.told.append([dict(line) | {"id": "", "ms": 0} for line in lines])
    after = _counted(world.running)
    world.told.append({k: v - before.get(k, 0) for k, v in after.items() if v != before.get(k, 0)})
    sent: list[dict[str, str]] = []

    def send(told: dict[str, str], _: str) -> bool:
        sent.append(told)
        return True

    book, clock = world.running.book, world.running.clock
    for lane in LANES:
        services.send_due(book, lane, installation.seal(), clock, send)
    world.told.append([one for one in sent if one["url"] == HOOK])
    assert world.told[-1], "finance hears of its lists"
    world.told.append(services.reminders_due(book, clock))
    with book.snapshot() as connection:
        question = "SELECT * FROM outbox WHERE lane = 'finance' ORDER BY notice_id"
        world.told.append([tuple(row) for row in connection.exec_driver_sql(question)])


def _counted(running: Running) -> dict[str, float]:
    """Return every count of the metrics; how long things took is not compared here."""
    headers = {"Authorization": f"Bearer {METRICS_KEY}"}
    told = running.client.get("/metrics", headers=headers).text
    lines = [line.rsplit(" ", 1) for line in told.splitlines() if not line.startswith("#")]
    shown = ("cardwatch_requests_total", "cardwatch_request_seconds_count")
    return {k: float(v) for k, v in lines if k.startswith(shown) and "/metrics" not in k}


@contextmanager
def _drawn_alike() -> Iterator[None]:
    """Let keys, secrets and seeds be the same in each world, or nothing could be compared."""
    chance = random.Random(1)
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(secrets, "token_bytes", lambda size=32: chance.randbytes(size))
        changed.setattr(secrets, "randbelow", chance.randrange)
        yield


@contextmanager
def _measured_once() -> Iterator[None]:
    """Let the same rows, rules and reader be evaluated once: each takes a process some seconds."""
    with pytest.MonkeyPatch.context() as changed:
        measured: dict[bytes, Any] = {}
        measure = evaluation_runner._apart

        def once(order: bytes, *more: Any) -> Any:
            if order not in measured:
                measured[order] = measure(order, *more)
            return copy.deepcopy(measured[order])

        changed.setattr(evaluation_runner, "_apart", once)
        yield


@contextmanager
def _pair(
    base: Base,
    folder: Path,
    caught: pytest.LogCaptureFixture,
    secret: random.Random,
    most: int = 2,
    *,
    turn: int | None = None,
    is_repeated: bool = True,
) -> Iterator[tuple[World, World]]:
    """Give two worlds in which the others have done and asked the same, while they run.

    They ask for so many things of each kind at most: each of them for everything, or, where there
    is a turn, one of them for each.
    """
    worlds: list[World] = []
    chosen: list[str] = []
    with ExitStack() as running:
        running.enter_context(_measured_once())
        for number, theirs in enumerate((secret, None)):
            home = folder / f"{number}"
            shutil.rmtree(home, ignore_errors=True)
            shutil.copytree(base.folder, home)
            url = f"sqlite:///{home / 'casebook.db'}"
            held = Casebook(url), base.keys
            one = running.enter_context(serving(home / "home", url, held, **SETTINGS))
            caught.clear()
            worlds.append(World(one, home, caught))
            before = _counted(one)
            _live(worlds[-1], base, theirs)
            # In either world the ids of the first are asked for, where there are more.
            ids = defaultdict(lambda: [NOTHING])
            for kind, names in worlds[0].ids.items():
                held = sorted(names)
                ids[kind] = random.Random(len(held)).sample(held, min(most, len(held)))
            if turn is not None:
                chosen = chosen or _one_of_each_lane(worlds[0])
                ids["alert"] = chosen
            ids["rule"] = ["new-merchant", "equal-amounts-across-holders", "own-approver"]
            with _drawn_alike():
                if turn is None:
                    _ask_everything(worlds[-1], ids, is_repeated=is_repeated)
                else:
                    _ask_in_turn(worlds[-1], ids, turn)
                _heard(worlds[-1], before)
                for role in OTHERS:
                    _walk(worlds[-1], role, [one for one in TABLE if "webhook" in one[0]], ids)
        yield worlds[0], worlds[1]


def _one_of_each_lane(world: World) -> list[str]:
    """Return an alert that others may see, and one that they may not, where there is such a one."""
    asked = [{"lane": lane} for lane in LANES]
    lists = [world.running.ask("GET", "/v1/alerts", "psd", params=one).json() for one in asked]
    return [min(alert["alert_id"] for alert in one["alerts"]) for one in lists if one["alerts"]]


def _assert_same(with_theirs: World, without: World) -> bool:
    """Check that both worlds told the others the same; return whether their alerts differ.

    By chance they do not, where the rules that professional standards have taken out raise none.
    """
    differ = [
        (one, other)
        for one, other in zip(with_theirs.told, without.told, strict=True)
        if one != other
    ]
    assert not differ, differ[:3]
    assert with_theirs.ids["hold"] | with_theirs.ids["key"]
    theirs = [
        world.running.ask("GET", "/v1/alerts", "psd").text for world in (with_theirs, without)
    ]
    return bool(theirs[0] != theirs[1])


@pytest.mark.prove
def test_worlds_that_differ_in_what_psd_does_give_others_the_same_bytes(
    base: Base, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with _pair(base, tmp_path, caplog, random.Random(1_000), is_repeated=False) as worlds:
        assert _assert_same(*worlds), "there is something to hide"


@pytest.mark.prove
def test_worlds_with_more_of_each_kind_give_others_the_same_bytes(
    base: Base, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with _pair(base, tmp_path, caplog, random.Random(1_000), most=5) as worlds:
        assert _assert_same(*worlds), "there is something to hide"


def test_pairs_of_worlds_give_others_the_same_bytes(
    base: Base, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    faulthandler.cancel_dump_traceback_later()  # ten pairs take longer than what hangs may
    differed = 0
    for number in range(1, PAIRS + 1):
        with _pair(base, tmp_path, caplog, random.Random(1_000 + number), turn=number) as worlds:
            differed += _assert_same(*worlds)
    assert differed >= PAIRS / 2, "there is something to hide in most of them"


@pytest.mark.prove
@pytest.mark.parametrize("tens", range(10))
def test_a_hundred_pairs_of_worlds_differ_neither_in_bytes_nor_in_time(
    base: Base, tmp_path: Path, caplog: pytest.LogCaptureFixture, tens: int
) -> None:
    faulthandler.cancel_dump_traceback_later()  # ten pairs take longer than what hangs may
    differences, differed = [], 0
    for number in range(10 * tens, 10 * tens + 10):
        with _pair(base, tmp_path, caplog, random.Random(1_000 + number), turn=number) as worlds:
            differed += _assert_same(*worlds)
            differences += [_difference_in_time(worlds, path) for path in LISTS]
    assert abs(statistics.median(differences)) < 0.005
    assert differed > 5, "there is something to hide in most of ten"


def _difference_in_time(worlds: tuple[World, World], path: str) -> float:
    """Return how many seconds longer a list takes for finance in the first world; less is below 0.

    Each is asked twice, the second time in the other order, and the quicker time counts.
    """
    times = [[_seconds(world, path) for world in order] for order in (worlds, worlds[::-1])]
    return min(times[0][0], times[1][1]) - min(times[0][1], times[1][0])


def _seconds(world: World, path: str) -> float:
    """Return how long a list takes for finance."""
    begun = time.perf_counter()
    assert world.running.ask("GET", f"/v1/{path}").status_code == 200
    return time.perf_counter() - begun
