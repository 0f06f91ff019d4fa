"""What tests of the casebook and the services share: a moment, and lines of small statements."""

from __future__ import annotations

import base64
import datetime as dt
import os
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import pytest
import sqlalchemy as sa
from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cardwatch import services
from cardwatch.casebook import LANES, PSD, Actor, AuditEvent, tables
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.errors import SecondPersonNeeded
from cardwatch.policy_pack import PolicyPack
from cardwatch.registers import read_cards
from cardwatch.rules import rule_texts
from cardwatch.services import ServiceContext

if TYPE_CHECKING:
    import random
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.statements import ReadingChoices

R = TypeVar("R")
NOW = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)
SEAL = MultiFernet([Fernet(base64.urlsafe_b64encode(bytes(32)))])
"""Of no installation."""
HEADINGS = "Date,Employee ID,Merchant,Amount,Reference"


def month(number: int, count: int = 12, reference: str = "R") -> list[str]:
    """Return an ordinary month of four holders as lines of a statement."""
    return [
        f"2026-{number:02}-{1 + day % 27:02},E{day % 4},SHOP {day % 3},{10 + day}.50,"
        f"{reference}{number}{day}"
        for day in range(count)
    ]


SPLIT = ["2026-10-11,E1,NEW FIRM,900.00,S1", "2026-10-11,E1,NEW FIRM,950.00,S2"]
"""Two payments that pass the assumed limit together."""
EQUAL = [f"2026-10-12,E{n},TRAINING HALL,285.00,Q{n}" for n in range(4)]
"""The same sum of four holders on one day: what professional standards are told of."""

_SHARES = [{"per_1000": n, "share": s, "low": s / 2, "high": s} for n, s in
          ((0.25, 0.0), (0.5, 0.25), (1.0, 0.5), (5.0, 1.0), (10.0, 1.0))]  # fmt: skip
_ROW = {"limit_pence": 100_000, "style": "split, equal", "planted": 4, "precision": 0.5,
       "base_rate": 0.1, "recalls": _SHARES}  # fmt: skip
_FACTS = {"payments": 300, "history": 400, "holders": 9, "holders_of": 12, "seeds": [11],
         "from": "2026-04-01", "to": "2026-10-31", "limits_pence": [100_000],
         "made_by": {"policy": "ab"}, "left_out": ["ECOD on surprises"]}  # fmt: skip
EVALUATED = {
    "facts": _FACTS,
    "rows": [_ROW | {"ranker": name} for name in ("cardwatch", "same-day rule")],
    "quiet": [{"limit_pence": 100_000, "style": "weekly supplier", "planted": 40, "alerts": 1}],
    "chance": [{"month": "all", "payments": 300, "ratios": {"0.01": 1.5}}],
    "volume": [{"limit_pence": 100_000, "found_per_1000": 9.0, "shown_per_1000": 5.0,
                "shown_per_holder_month": 0.1, "splits": 5, "splits_without_clusters": 2,
                "tiers_a_b_per_1000": 8.0}],
    "stability": {},
}  # fmt: skip
"""What an evaluation answers, in short."""


def lively_month(number: int) -> list[str]:
    """Return a month of 2026 with what either lane is told of."""
    lines = "\n".join([*SPLIT, *EQUAL]).replace("2026-10", f"2026-{number:02}")
    lines = lines.replace(",S", f",S{number}").replace(",Q", f",Q{number}")
    return [*month(number), *lines.splitlines()]


def crowd(count: int) -> list[str]:
    """Return lines of October with several alerts of one holder each in either lane.

    Some holders split a payment; others alone use a firm, where thirty might.
    """
    holders = (f"2026-10-{1 + n % 27:02},P{n},SHOP {n % 3},{20 + n}.{n:02},P{n}" for n in range(30))
    alone = (
        f"2026-10-{1 + 4 * k:02},P{n},{chr(75 + n) * 5} WORKS,{450 + k}.00,L{n}{k}"
        for n in range(count)
        for k in range(6)
    )
    split = (
        f"2026-10-{13 + n},Z{n},{chr(65 + n) * 5} FIRM,{amount}.00,T{n}{amount}"
        for n in range(count)
        for amount in (900, 950)
    )
    return [*holders, *alone, *split]


def rules_without(secret: random.Random) -> dict[str, str]:
    """Return the rules as professional standards may have them: some of their own are gone."""
    theirs = [
        name
        for name, text in rule_texts().items()
        if 'lane     = "psd"' in text and not name.startswith("split-across-")
    ]  # finance's rules name those
    gone = secret.sample(theirs, secret.randint(1, len(theirs)))
    return {name: text for name, text in rule_texts().items() if name not in gone}


def receive_as_two(
    at: Callable[..., ServiceContext], statement: Any, **choices: Any
) -> services.Receipt:
    """Receive what needs two people: one of finance asks for it, then another."""
    first = services.receive(at(), statement, **choices)
    assert first.outcome == "second-person", first
    return services.receive(at(person=2), statement, **choices)


def activate_cards(
    context: ServiceContext, folder: Path, choices: ReadingChoices, text: str
) -> None:
    """Activate a card register of some text from the beginning of 2026."""
    path = folder / "cards.csv"
    path.write_text(text, encoding="utf-8")
    content = services.pack_cards(read_cards(path, choices))
    services.activate_document(context, "cards", content, "2026-01-01")


def assert_whole(at: ServiceContext) -> None:
    """Check that a casebook is consistent: rows, lists, alerts, chains, and the file itself."""
    book, owner = at.casebook, at.actor.organisation_id
    psd = ServiceContext(book, Actor(owner, "test", "psd"), at.now)
    assert [one.fault for one in services.verify(psd, again=False)] == [
        "" for _ in services.list_statements(psd)
    ]
    assert [one.fault for one in services.verify_audit(psd)] == ["", ""]
    assert services.state_counts(psd)["unreconciled"] == 0
    with book.snapshot() as connection:
        book.set_tenant(connection, owner, LANES)

        def names(table: str, more: str = "") -> list[str]:
            question = f"SELECT statement_id FROM {table} {more} ORDER BY statement_id"  # noqa: S608
            return list(connection.exec_driver_sql(question).scalars())

        scored = names("statements", "WHERE is_scored = 1")
        assert names("alert_lists", "WHERE lane = 'finance'") == scored
        assert names("alert_lists", "WHERE lane = 'psd'") == scored
        assert len(set(names("transactions"))) == len(names("statements"))
        notices = connection.exec_driver_sql("SELECT COUNT(*) FROM outbox").scalar()
        assert notices == 2 * len(scored)
        if book.is_sqlite:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []


KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


def second_person(context: ServiceContext, number: int = 2) -> ServiceContext:
    """Return another person of the same role, whom nobody invited."""
    actor = context.actor
    event = AuditEvent("access", "person", chain=PSD if actor.role == PSD else "")
    itself = Actor(actor.organisation_id, SYSTEM, "admin")
    with context.casebook.work(itself, event, context.now, lanes=()) as uow:
        email = f"{actor.role}{number}@approves.example"
        person_id = uow.keyed("person", email)[:12]
        row = {"name": email, "email": email, "role": actor.role, "holder_id": ""}
        row |= {"holds_no_card": 1, "person_id": person_id, "made_at": uow.now}
        same = uow.scope(tables.people) & (tables.people.c.person_id == person_id)
        if uow.fetch_one(sa.select(tables.people).where(same)) is None:
            uow.insert(tables.people, [row])
    person = Actor(actor.organisation_id, person_id, actor.role)
    return ServiceContext(context.casebook, person, context.now)


def approved(context: ServiceContext, act: Callable[[ServiceContext], R]) -> R:
    """Do what may need two people, once a second person has approved it."""
    try:
        return act(context)
    except SecondPersonNeeded as needed:
        approver = second_person(context)
        services.decide_approval(approver, needed.approval_id, agrees=True)
    return act(context)


def erase(context: ServiceContext) -> int:
    """Delete expired data with the approval of a second person."""
    return approved(context, services.erase)


def export_alerts(
    at: ServiceContext, statement_id: str = "", form: str = ".json", **given: Any
) -> tuple[bytes, int]:
    """Hand a list or a case over as a test wants it."""
    said = {"purpose": "finance-assurance", "recipient": "CFO", "marking": "OFFICIAL", "key": KEY}
    wanted = services.ExportRequest(statement_id=statement_id, **said | given)
    file = approved(at, lambda person: services.export_alerts(person, wanted, form))
    return file.content, file.alert_count


PACK_KEY = Ed25519PrivateKey.from_private_bytes(b"p" * 32)


def policy_pack() -> PolicyPack:
    """Return an invented policy pack with the shipped rules."""
    return PolicyPack(
        name="Pack (invented)",
        owner="Owner (invented)",
        version="2027.1",
        published_on="2026-11-01",
        review_on="2027-11-01",
        policy=(
            "materiality_pounds = 30.0\nnear_limit_payments = 3\n"
            "[[single_purchase]]\nfrom = 2026-01-01\npounds = 500\n"
        ),
        rules=rule_texts(),
    )


def leave_out(part: str, packages: str) -> NoReturn:
    """Skip the tests of an optional part that is not installed; under `.ci/run` fail them.

    All skips come from here, so that pytest's summary has one line for each part.

    Args:
        part: PDF, BROWSER or POSTGRESQL.
        packages: what to install, by Debian's names.
    """
    needed = f"CARDWATCH_NEEDS_{part}" in os.environ
    (pytest.fail if needed else pytest.skip)(f"{part} tests: install {packages}")


needs_pdf = pytest.mark.usefixtures("pdf_libraries")
"""For tests that make a PDF."""
