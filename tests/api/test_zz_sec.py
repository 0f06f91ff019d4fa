"""Nothing that the service answers tells somebody that there is an alert about themselves."""

from __future__ import annotations

import random
import re
import secrets
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from books import crowd, lively_month
from matrix import CONTRACTS, GIFTS, TABLE
from services import OWN, Clock, serving, text

from cardwatch import services
from cardwatch.alerts import without_alerts
from cardwatch.casebook import FINANCE, LANES, PSD, Actor, AuditEvent, Casebook, tables
from cardwatch.casebook import alerts as kept
from cardwatch.casebook.alert_store import alert_text, list_text
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.casebook.unit_of_work import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from services import Running

    from cardwatch.casebook import UnitOfWork

SUBJECT = "subject@x.example"
BY_CHANCE = re.compile(rb'name="seed" type="text" value="\d+"|[\d.]+ GiB')
"""The number that a sample begins with, and how much of the disk is free."""
OF_ALERT = ("alerts", "alert_transactions", "alert_subjects", "decisions", "legal_holds",
            "identity_reveals")  # fmt: skip


def _bring(running: Running) -> None:
    """Let two months come, and two registers."""
    for number in (10, 11):
        lines = [*lively_month(number), *(crowd(3) if number == 10 else [])]
        files = {"file": (f"{number}.csv", text(*lines))}
        running.ask("POST", "/v1/statements", files=files, headers={"Prefer": "respond-async"})
        while services.do_next_job(running.book, running.clock, running.seal):
            pass
    for files in (CONTRACTS, GIFTS):
        assert running.ask("POST", "/v1/registers", PSD, files=files).status_code == 201
    while services.do_next_job(running.book, running.clock, running.seal):
        pass


def _work(
    running: Running, subject: services.ServiceContext, chance: random.Random
) -> tuple[set[str], set[str]]:
    """Let colleagues work; return the alerts that the subject sees, and the others."""
    seen = {alert["alert_id"] for alert in services.list_alerts(subject)}
    hidden = set()
    for alert in services.list_alerts(running.context(subject.actor.role)):
        alert_id, colleague = alert["alert_id"], running.context(alert["lane"])
        if alert_id not in seen:
            hidden.add(alert_id)
            if chance.random() < 0.7:
                services.place_hold(colleague, alert_id, reason="so")
            services.decide(colleague, alert_id, DecisionInput("so", "asked"))
            if alert["lane"] == PSD:
                services.reveal_identity(colleague, alert_id, reason="so")
            elif chance.random() < 0.7:
                state = chance.choice(["explained", "policy-breach", "confirmed"])
                services.decide(colleague, alert_id, DecisionInput("so", state))
    return seen, hidden


def _forget(uow: UnitOfWork, hidden: set[str]) -> None:
    """Make the casebook one in which some alerts were never raised."""
    columns = tables.alert_snapshots.c
    question = sa.select(columns.lane, columns.statement_id).where(columns.alert_id.in_(hidden))
    for row in uow.fetch_all(question.where(uow.scope(tables.alert_snapshots)).distinct()):
        lane, name = row["lane"], row["statement_id"]
        left = without_alerts(kept.read_list(uow, lane, name), hidden)
        for table in (tables.alert_lists, tables.alert_snapshots):
            which = (table.c.lane == lane) & (table.c.statement_id == name)
            if table is tables.alert_lists:
                uow.update(table, which, {"content": list_text(left)})
            else:
                uow.delete(table, which)
        owned = {"lane": lane, "statement_id": name, "list_seq": 0}
        rows = [
            {"alert_id": a.alert_id, "rank": a.rank, "content": alert_text(a)} for a in left.alerts
        ]
        uow.insert(tables.alert_snapshots, [owned | one for one in rows])
    for name in OF_ALERT:
        table = tables.metadata.tables[name]
        uow.delete(table, table.c.alert_id.in_(hidden))
    uow.delete(tables.suppressions, tables.suppressions.c.alert_id.in_(hidden))
    uow.sealed.clear(), uow.unsealed.clear()  # as if nothing had been there


def _asked(
    running: Running, ids: dict[str, list[str]], *, is_whole: bool
) -> Iterator[tuple[Any, ...]]:
    """Ask for everything that is read; give each answer but its request's number.

    Where it is not whole, what makes a PDF is left out, as it takes long.
    """
    for route, may in TABLE:
        if not route.startswith("GET ") or "evaluations" in route:
            continue
        if not is_whole and (may.draws or "openapi" in route):
            continue
        for name in ids.get(may.of, ["0" * 12]):
            sent = may.request(route, name, 0, 1, ids["alert"])
            sent["url"] = re.sub(r"\{[^}]*\}", "0" * 12, sent["url"])
            headers = sent.pop("headers", {}) | {"Authorization": "Bearer theirs"}
            answer = running.client.request(headers=headers, follow_redirects=False, **sent)
            told = {
                k: v for k, v in answer.headers.items() if k not in {"x-request-id", "set-cookie"}
            }
            told.pop("content-length", "")
            yield sent["url"], answer.status_code, told, BY_CHANCE.sub(b"", answer.content)


def _done(
    running: Running, ids: dict[str, list[str]], *, is_whole: bool
) -> Iterator[tuple[Any, ...]]:
    """Let the reader do everything there is to do; give each answer but its request's number.

    What makes alerts again is left out: they are not those of a casebook that was changed by hand.
    """
    own = {"Authorization": "Bearer theirs"}
    for number, (route, may) in enumerate(TABLE):
        is_read = route.startswith(("GET ", "HEAD "))
        left_out = ("verification", "evaluations", "/v1/session", "sign-out")
        if is_read or may.opens or any(part in route for part in left_out):
            continue
        if may.draws and not is_whole:
            continue
        for name in ids.get(may.of, ["0" * 12]):
            version = 0
            if may.of == "alert":
                told = running.client.get(f"/v1/alerts/{name}", headers=own).json()
                version = told.get("version", 0)
            sent = may.request(route, name, version, number, ids["alert"])
            sent["url"] = re.sub(r"\{[^}]*\}", "0" * 12, sent["url"])
            headers = sent.pop("headers", {}) | own
            answer = running.client.request(headers=headers, follow_redirects=False, **sent)
            yield route, name, answer.status_code, BY_CHANCE.sub(b"", answer.content)
    while services.do_next_job(running.book, running.clock, running.seal):
        pass


@pytest.mark.parametrize("role", [FINANCE, PSD, pytest.param("auditor", marks=pytest.mark.prove)])
def test_worlds_with_and_without_alerts_about_the_reader_answer_them_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    _assert_alike(tmp_path, monkeypatch, role, 0)


@pytest.mark.prove
@pytest.mark.parametrize("number", range(1, 98))
def test_a_hundred_pairs_of_worlds_with_and_without_alerts_about_the_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """With the three above; each pair has another reader, and other answers of colleagues."""
    _assert_alike(tmp_path, monkeypatch, (FINANCE, PSD, "auditor")[number % 3], number)


def _draw_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ids, keys and seeds be the same in each world, or nothing could be compared."""
    chance = random.Random(1)
    monkeypatch.setattr(secrets, "token_bytes", lambda size=32: chance.randbytes(size))
    monkeypatch.setattr(secrets, "token_hex", lambda size=32: chance.randbytes(size).hex())
    monkeypatch.setattr(secrets, "token_urlsafe", lambda size=32: chance.randbytes(size).hex())


def _assert_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: str, number: int) -> None:
    """Check that a reader is told the same whether or not there are alerts about them."""
    secret = random.Random(number)
    base = tmp_path / "base"
    base.mkdir()
    with serving(base / "home", f"sqlite:///{base / 'casebook.db'}", chores=False) as running:
        _bring(running)
        alerts = services.list_alerts(running.context(role))
        holders = sorted({holder for alert in alerts for holder in alert["holders"]})
        person = secret.choice(holders) if number else "E1"
        itself = services.ServiceContext(running.book, Actor(OWN, SYSTEM, "admin"), running.clock())
        services.add_person(itself, name="subject", email=SUBJECT, role=role, holder_id=person)
        actor = services.actor_of_person(running.book, OWN, SUBJECT, running.clock())
        subject = services.ServiceContext(running.book, actor, running.clock())
        seen, hidden = _work(running, subject, secret)
        statements = [row["statement_id"] for row in services.list_statements(subject)]
    assert seen
    assert hidden
    monkeypatch.setattr("api.middleware.authentication.actor_of_key", lambda *_: actor)
    answers = []
    for is_without in (False, True):
        home = tmp_path / str(is_without)
        shutil.copytree(base, home)
        url = f"sqlite:///{home / 'casebook.db'}"
        book = Casebook(url)
        if is_without:
            event = AuditEvent("erasure", "alert")
            with book.work(itself.actor, event, Clock()(), lanes=LANES) as uow:
                _forget(uow, hidden)
        _draw_alike(monkeypatch)
        shown = 1 if number else 3
        ids = {"alert": [*sorted(seen)[:shown], *sorted(hidden)[: shown + 1]]}
        ids["statement"] = statements[:shown]
        with serving(home / "home", url, (book, {}), chores=False) as running:
            is_whole = number == 0
            told = list(_asked(running, ids, is_whole=True)) if is_whole else []
            told += _done(running, ids, is_whole=is_whole)
            told += _asked(running, ids, is_whole=False)  # once they have done what they may
            answers.append(told)
    assert sum(status == 200 for _, status, *_ in answers[0]) > 50
    differ = [one for one, other in zip(*answers, strict=True) if one != other]
    assert not differ, differ[:2]

from cardwatch.registers import read_cards
import sys; t = sys.modules[__name__]
CARDS = (
    "employee_id,card_number,single_limit,opened_on,approver_id\n"
    + "".join(
        f"E{n},************{n}{n}{n}{n},500,2026-01-20,E{5 if n < 2 else 6}\n" for n in range(4)
    )
    + "Z0,************7777,500,2026-01-20,E5\n"
)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("role", ["finance", "psd"])
def test_approver(tmp_path, monkeypatch, choices, role, when):
    (tmp_path / "cards.csv").write_text(CARDS)
    cards = services.pack_cards(read_cards(tmp_path / "cards.csv", choices))
    bring = t._bring

    def brought(running):
        if when == "before":
            services.activate_document(running.context("finance"), "cards", cards, "2026-01-01")
        bring(running)
        if when == "after":
            services.activate_document(running.context("finance"), "cards", cards, "2026-01-01")

    monkeypatch.setattr(t, "_bring", brought)

    class R(random.Random):
        def choice(self, seq):
            return "E5" if "E1" in seq else super().choice(seq)

    monkeypatch.setattr(t.random, "Random", R)
    t._assert_alike(tmp_path, monkeypatch, role, 1)
