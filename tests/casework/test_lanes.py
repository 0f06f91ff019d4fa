"""Nothing of professional standards can be told from what any other role can ask."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pytest
from books import (
    EQUAL,
    NOW,
    SPLIT,
    approved,
    erase,
    export_alerts,
    lively_month,
    month,
    rules_without,
    second_person,
)

from cardwatch import services
from cardwatch.casebook import FINANCE, LANES, PSD, Actor, AuditEvent, Casebook, documents
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.casebook.cases import CaseUpdate
from cardwatch.casebook.unit_of_work import SYSTEM, canonical
from cardwatch.errors import CardwatchError
from cardwatch.registers import read_register, register_kinds
from cardwatch.statements import ReadingChoices, shipped_profiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Read = Callable[..., Any]

OTHERS = ("finance", "auditor", "admin")
CHOICES = ReadingChoices(shipped_profiles(), b"a key for tests, 32 bytes long..")
REGISTERS = {
    "gifts.csv": "Employee No,Department,Date of offer,Donor,Accepted or declined\n"
    "E1,Fleet,05/09/2026,New Firm Ltd,Accepted\nE2,Fleet,05/09/2026,Shop,Declined\n",
    "contracts.csv": "Supplier,Reference,Start date,End date\n"
    "Training Hall Ltd,C1,01/01/2019,31/12/2026\n",
    "contracts-ended.csv": "Supplier,Reference,Start date,End date\n"
    "New Firm Ltd,C2,01/01/2019,31/08/2026\n",
    "interests.csv": "Employee No,Business,Date applied,Status\n"
    "E1,New Firm Ltd,01/01/2019,Refused\nE2,Training Hall Ltd,01/01/2019,Approved\n",
}
"""Registers that name merchants of these months."""
THEIRS = ("gifts.csv", "interests.csv")


def _context(book: Casebook, role: str) -> services.ServiceContext:
    """Return the service context of a role, come in as people do."""
    return services.ServiceContext(
        book, services.actor_of_person(book, "force", f"{role}@force.example", NOW), NOW
    )


def _begin(url: str) -> Casebook:
    """Make a casebook with a person of every role."""
    book = Casebook(url)
    itself = services.ServiceContext(
        book, Actor(services.add_organisation(book, "Force", NOW), SYSTEM, "admin"), NOW
    )
    for role in (*OTHERS, "psd"):
        services.add_person(
            itself, name=role, email=f"{role}@force.example", role=role, holds_no_card=True
        )
    return book


def _versions(book: Casebook) -> list[str]:
    """Return the ids of all versions of registers."""
    psd = _context(book, "psd")
    details = [services.get_register(psd, s.kind) for s in services.list_registers(psd)]
    return [version.version_id for detail in details for version in detail.versions]


def _answer(act: Callable[[], Any]) -> Any:
    """Return what somebody is answered, or the refusal."""
    try:
        return act()
    except CardwatchError as refusal:
        return f"{type(refusal).__name__}: {refusal}"


def _home(at: services.ServiceContext) -> dict[str, Any]:
    """Return the first page; without the hash of rules, of which these months have psd's own."""
    home = asdict(services.show_home(at))
    (home["last_upload"] or {}).pop("made_with", None)
    return home


def _register_questions(
    at: services.ServiceContext, versions: Sequence[str]
) -> list[Callable[[], Any]]:
    """Return everything that somebody can ask about registers."""
    pair = {"organisation": "New Firm Ltd", "merchant": "NEW FIRM"}
    return [
        lambda: services.list_registers(at),
        lambda: services.list_matches(at),
        lambda: services.decide_match(at, **pair, decision="same", reason="so"),
        *(lambda kind=kind: services.get_register(at, kind) for kind in register_kinds()),
        *(lambda version=version: services.get_version(at, version) for version in versions),
    ]


def _answers(
    book: Casebook, names: list[str], again: Sequence[Any] = (), versions: Sequence[str] = ()
) -> str:
    """Return everything that the other roles are answered, whatever they ask, as one text.

    Args:
        book: the casebook.
        names: alerts of both lanes, to be asked for.
        again: statements that they bring once more.
        versions: of registers, in the other world at least.
    """
    told: list[Any] = []

    def ask(act: Callable[[], Any]) -> None:
        told.append(_answer(act))

    for role in (*OTHERS, *OTHERS):  # and again, once admin has erased
        at = _context(book, role)
        for act in (services.list_statements, services.list_alerts, services.rule_precision,
                    services.state_counts,
                    services.list_suppressions, services.list_holds, services.list_people,
                    services.list_keys, services.list_trials, services.list_refused_uploads,
                    services.list_refused_files,
                    _home,
                    services.retention_periods, services.verify_audit):  # fmt: skip
            ask(lambda act=act, at=at: act(at))
        ask(lambda at=at: list(services.verify(at)))
        for lane in LANES:
            ask(lambda at=at, lane=lane: services.list_alerts(at, services.AlertFilter(lane=lane)))
            ask(lambda at=at, lane=lane: services.audit_events(at, lane=lane, last=10**6))
        for name in names:
            ask(lambda at=at, name=name: services.get_alert(at, name))
            ask(lambda at=at, name=name: export_alerts(at, alert_ids=(name,)))
            ask(lambda at=at, name=name: services.ask_manager(
                at, name, recipient="x", marking="OFFICIAL"
            ))  # fmt: skip
            ask(lambda at=at, name=name: services.place_hold(at, name, reason="so"))
            ask(lambda at=at, name=name: services.refer_alert(at, name, reason="again"))
            ask(lambda at=at, name=name: services.cases_with_alert(at, name))
            ask(lambda at=at, name=name: services.decide(at, name, DecisionInput("so", "asked")))
            ask(
                lambda at=at, name=name: services.suppress(
                    at, name, until="2027-02-01", reason="so"
                )
            )
        ask(lambda at=at: services.list_exports(at))
        ask(lambda at=at: services.list_referrals(at))
        told += map(_answer, _register_questions(at, versions))
        for one in again:
            ask(lambda at=at, one=one: asdict(services.receive(at, one)))
        for statement in services.list_statements(at):
            ask(lambda at=at, s=statement: services.get_statement(at, s["statement_id"]))
            for lane in LANES:
                ask(lambda at=at, s=statement, lane=lane: export_alerts(
                    at, s["statement_id"], lane=lane
                ))  # fmt: skip
        ask(lambda at=at: erase(at))
    return json.dumps(told, indent=1, default=repr, sort_keys=True)


def _import(context: services.ServiceContext, name: str, folder: Path) -> services.RegisterReceipt:
    """Import a register, as two people where it needs them."""
    (folder / name).write_text(REGISTERS[name], encoding="utf-8")
    register = read_register(folder / name, CHOICES)
    receipt = approved(context, lambda by: services.import_register(by, register))
    if receipt.outcome == "second-person":
        return services.import_register(second_person(context), register)
    return receipt


def _live(
    book: Casebook,
    chance: random.Random,
    read: list[Any],
    *,
    secret: random.Random | None,
    folder: Path,
) -> list[str]:
    """Let months come and people work; professional standards do as `secret` has it, or nothing.

    Returns:
        Ids of all alerts of both lanes, for others to ask for.
    """
    names: set[str] = set()
    for statement in read:
        if secret is not None:  # they have rules of their own, here and there
            texts = rules_without(secret)
            with _context(book, "psd").work(AuditEvent("alteration", "rules"), ()) as uow:
                documents.activate_document(uow, "rules", canonical(texts).encode(), "2020-01-01")
            for name in secret.sample(THEIRS, secret.randint(1, len(THEIRS))):
                _import(_context(book, "psd"), name, folder)
        services.receive(_context(book, "finance"), statement)
        for one in services.list_alerts(_context(book, "finance")):
            names.add(one["alert_id"])
            if chance.random() < 0.5:
                said = DecisionInput("so", chance.choice(["asked", "explained", "confirmed"]))
                services.decide(_context(book, "finance"), one["alert_id"], said)
                if said.state == "confirmed":
                    services.refer_alert(_context(book, "finance"), one["alert_id"], reason="so")
        if secret is not None:
            _work_unseen(book, secret)
    _import(_context(book, "finance"), "contracts-ended.csv", folder)
    services.check_registers_now(_context(book, "finance"))
    names |= {alert["alert_id"] for alert in services.list_alerts(_context(book, "finance"))}
    return sorted(names)


def _fill_cases(psd: services.ServiceContext, secret: random.Random) -> None:
    """Let professional standards decline referrals, or put their alerts into cases."""
    for referral in services.list_referrals(psd, waiting=True):
        if secret.random() < 0.5:
            services.decline_referral(psd, referral["referral_id"], reason="so")
            continue
        new_case = services.NewCase("a case", "so", (referral["alert_id"],))
        case_id = services.open_case(psd, new_case)["case_id"]
        services.add_case_note(psd, case_id, "a note")
        services.attach_file(psd, case_id, "a.txt", b"x")
        for one in services.list_alerts(psd, services.AlertFilter(lane=PSD))[:1]:
            services.add_case_alert(psd, case_id, one["alert_id"], reason="so")
        if secret.random() < 0.5:
            services.close_case(psd, case_id, CaseUpdate("so", outcome="passed-on"))


def _work_unseen(book: Casebook, secret: random.Random) -> None:
    """Let professional standards read, decide, suppress, hold and make keys as chance has it."""
    psd = _context(book, "psd")
    for one in services.list_alerts(psd):
        services.get_alert(psd, one["alert_id"])
        if one["lane"] != PSD:
            continue
        for act in (
            lambda n=one["alert_id"]: services.decide(psd, n, DecisionInput("so", "confirmed")),
            lambda n=one["alert_id"]: services.place_hold(psd, n, reason="case"),
            lambda n=one["alert_id"]: export_alerts(psd, alert_ids=(n,)),
            lambda n=one["alert_id"]: services.suppress(psd, n, until="2027-01-01", reason="so"),
        ):
            if secret.random() < 0.5:
                with contextlib.suppress(CardwatchError):  # such a one may stand already
                    act()
    _fill_cases(psd, secret)
    services.list_registers(psd)
    for match in services.list_matches(psd):
        pair = {"organisation": match.organisation, "merchant": match.merchant}
        decision = secret.choice(["same", "not-the-same", "undecided"])
        services.decide_match(psd, **pair, decision=decision, reason="so")
    if secret.random() < 0.5:
        services.create_key(psd, name="theirs", role="psd", days=10)
    for act in (
        services.rule_precision,
        services.state_counts,
        services.list_suppressions,
        services.list_holds,
    ):
        act(psd)


@pytest.mark.parametrize("pairs", [1, pytest.param(200, marks=pytest.mark.prove)])
def test_worlds_that_differ_in_the_psd_lane_alone_give_others_the_same_bytes(
    tmp_path: Path, read: Read, pairs: int
) -> None:
    base = tmp_path / "base.db"
    book = _begin(f"sqlite:///{base}")
    services.receive(_context(book, "finance"), read(*month(8)), is_history=True)
    _import(_context(book, "finance"), "contracts.csv", tmp_path)
    book.close()
    old = [line.replace("2026-1", "2019-1") for line in (*month(10), *SPLIT, *EQUAL)]
    months = [read(*old), *(read(*lively_month(number)) for number in (9, 10, 11))]
    saved_again = read(*old[3:], "2019-10-30,E1,SHOP 1,4.00,N1", name="saved again.csv")
    differed = 0
    for pair in range(pairs):
        told, theirs = [], []
        versions: list[str] = []
        for number, secret in enumerate((random.Random(pair), None)):
            folder = tmp_path / f"world{number}"
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            shutil.copy(base, folder / "book.db")
            book = Casebook(f"sqlite:///{folder / 'book.db'}")
            chance = random.Random(1000 + pair)
            names = _live(book, chance, chance.sample(months, 3), secret=secret, folder=folder)
            psd = services.list_alerts(_context(book, "psd"), services.AlertFilter(lane=PSD))
            theirs.append(psd)
            some = random.Random(pair).sample(names, min(4, len(names)))
            asked = [*some, *sorted(alert["alert_id"] for alert in theirs[0])]
            versions = versions or _versions(book)
            told.append(_answers(book, asked, [saved_again], versions))
            book.close()
        assert told[0] == told[1]
        assert FINANCE in told[0]
        assert "after the contracts register of 24 November 2026 was received." in told[0]
        differed += theirs[0] != theirs[1]
    assert differed > pairs // 2


def test_what_only_a_psd_hold_keeps_vanishes_for_the_others_at_its_time(
    tmp_path: Path, read: Read
) -> None:
    said, base = [], tmp_path / "base.db"
    _begin(f"sqlite:///{base}").close()
    old = read(*(line.replace("2026-1", "2016-1") for line in (*month(10), *SPLIT, *EQUAL)))
    for number in range(2):
        shutil.copy(base, tmp_path / f"book{number}.db")
        book = Casebook(f"sqlite:///{tmp_path / f'book{number}.db'}")
        services.receive(_context(book, "finance"), old)
        psd = _context(book, "psd")
        theirs = services.list_alerts(psd, services.AlertFilter(lane=PSD))[0]["alert_id"]
        if number:
            services.place_hold(psd, theirs, reason="case 12")
        for one in services.list_alerts(psd):
            role = "psd" if one["lane"] == PSD else "finance"
            services.decide(_context(book, role), one["alert_id"], DecisionInput("so", "explained"))
        said.append(_answers(book, [theirs]))
        left = services.list_alerts(psd, services.AlertFilter(lane=PSD))
        assert len(left) == number
        assert services.list_alerts(_context(book, "finance")) == []
        with book.snapshot() as connection:
            book.set_tenant(connection, "force", LANES)
            rows = connection.exec_driver_sql(
                "SELECT visible_to_psd_only FROM transactions"
            ).scalars()
            assert list(rows) == [1] * 4 * number
        assert [check.fault for check in services.verify(psd)] == [""]
        book.close()
    assert said[0] == said[1]
