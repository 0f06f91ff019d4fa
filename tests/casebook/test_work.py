"""A piece of work is kept whole or not at all, says whose rows it touches, and leaves one event."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from books import NOW, SPLIT, month

from cardwatch import services
from cardwatch.casebook import FINANCE, LANES, PSD, Actor, AuditEvent, tables
from cardwatch.casebook.database import Casebook
from cardwatch.casebook.unit_of_work import UnitOfWork
from cardwatch.errors import CardwatchError, CasebookBusy, NotAllowed

if TYPE_CHECKING:
    from collections.abc import Callable

    Context = Callable[..., services.ServiceContext]

ALERTS = tables.alerts


def _events(at: services.ServiceContext, lane: str = FINANCE) -> list[dict[str, object]]:
    return services.audit_events(at, lane=lane, last=1000)


@pytest.mark.parametrize(
    "question",
    [
        sa.select(ALERTS),
        sa.select(sa.func.count()).select_from(ALERTS),
        sa.select(ALERTS.c.alert_id).where(ALERTS.c.organisation_id == "another"),
        sa.select(ALERTS.c.alert_id).where(ALERTS.c.organisation_id == "saltmarsh-vale"),
        sa.select(ALERTS.c.alert_id).where(
            ALERTS.c.organisation_id == "saltmarsh-vale", ALERTS.c.lane == PSD
        ),
        sa.select(ALERTS.c.alert_id).where(
            ALERTS.c.organisation_id == "saltmarsh-vale", ALERTS.c.lane.in_(LANES)
        ),
        sa.delete(ALERTS),
        sa.update(ALERTS).values(state="open").where(ALERTS.c.state == "asked"),
        sa.select(ALERTS.c.alert_id).where(
            ALERTS.c.organisation_id == "saltmarsh-vale",
            ALERTS.c.lane == FINANCE,
            sa.exists().where(tables.alert_transactions.c.alert_id == ALERTS.c.alert_id),
        ),
    ],
    ids=range(9),
)
def test_a_question_that_does_not_say_whose_rows_it_wants_is_never_asked(
    at: Context, question: sa.Select[tuple[str]]
) -> None:
    finance = at()
    with (
        pytest.raises(AssertionError, match="does not say whose"),
        finance.work(AuditEvent("consultation", "alerts")) as uow,
    ):
        uow.connection.execute(question)


def test_every_piece_of_work_leaves_one_event_in_the_chain_of_whoever_does_it(at: Context) -> None:
    finance, psd = at(), at("psd")
    for who, lane in ((finance, FINANCE), (psd, PSD)):
        before = len(_events(psd, lane))
        for act in (
            services.list_alerts,
            services.list_statements,
            services.rule_precision,
            services.list_suppressions,
        ):
            act(who)
        more = 5 if lane == PSD else 4  # psd's reading of the chain is an event as well
        assert len(_events(psd, lane)) == before + more


def test_what_professional_standards_do_leaves_no_event_where_others_read(at: Context) -> None:
    finance, psd = at(), at("psd")
    before = len(_events(finance))
    services.list_alerts(psd)
    services.list_suppressions(psd)
    assert len(_events(finance)) == before + 1  # finance's own reading of the chain


def test_work_that_fails_leaves_nothing_and_no_event(at: Context) -> None:
    finance = at()
    before = len(_events(finance))
    row = {"lane": FINANCE, "notice_id": "n", "kind": "list", "made_at": "x", "tries": 0,
           "next_attempt_at": "x"}  # fmt: skip
    with pytest.raises(RuntimeError), finance.work(AuditEvent("alteration", "notice")) as uow:
        uow.insert(tables.outbox, [row])
        raise RuntimeError
    with finance.work(AuditEvent("consultation", "notice")) as uow:
        assert uow.fetch_all(sa.select(tables.outbox).where(uow.scope(tables.outbox))) == []
    assert len(_events(finance)) == before + 2


def test_a_refusal_leaves_nothing_but_an_event_that_says_so(at: Context) -> None:
    with pytest.raises(NotAllowed):
        services.list_alerts(at("admin"))
    denied = [one for one in _events(at("auditor")) if one["outcome"] == "denied"]
    assert [(one["role"], one["object"]) for one in denied] == [("admin", "alerts")]


def test_no_event_holds_a_name_an_address_a_merchant_or_a_reason(
    at: Context, read: Callable[..., object]
) -> None:
    finance = at()
    services.receive(finance, read(*month(10), *SPLIT, name="Jo Bloggs.csv"))  # type: ignore[arg-type]
    found = services.list_alerts(finance)[0]["alert_id"]
    from cardwatch.casebook.alerts import DecisionInput  # noqa: PLC0415  beside its use

    services.decide(finance, found, DecisionInput("told by Jo", "asked"))
    text = repr(_events(finance)) + repr(_events(at("psd"), PSD))
    for secret in ("Bloggs", "E1", "NEW FIRM", "told by", "@"):
        assert secret not in text, secret
    # An amount is looked for as a number of its own: a random id may hold its digits.
    assert not {"950", "95000"} & set(re.findall(r"\w+", text))


def test_organisations_never_see_each_other(at: Context, read: Callable[..., object]) -> None:
    here, there = at(), at("finance", "Another Force")
    statement = read(*month(10), *SPLIT)
    services.receive(here, statement)  # type: ignore[arg-type]
    name = services.list_alerts(here)[0]["alert_id"]
    assert services.list_alerts(there) == []
    assert services.list_statements(there) == []
    with pytest.raises(CardwatchError, match="no alert"):
        services.get_alert(there, name)
    assert services.receive(there, statement).outcome == "received"  # type: ignore[arg-type]


def test_row_level_security_holds_where_a_question_is_asked_past_the_desk(
    postgresql: str, read: Callable[..., object]
) -> None:
    from book_fixtures import new_database  # noqa: PLC0415  only where there is PostgreSQL

    book = Casebook(new_database(postgresql))
    for name in ("One", "Two"):
        owner = services.add_organisation(book, name, NOW)
        services.receive(
            services.ServiceContext(book, Actor(owner, "p", "finance"), NOW),
            read(*month(10), *SPLIT),  # type: ignore[arg-type]
        )
    with book.engine.begin() as connection:
        for table in ("transactions", "alerts", "audit_events", "people"):
            assert connection.exec_driver_sql(f"SELECT * FROM {table}").all() == []  # noqa: S608
        book.set_tenant(connection, "one", (FINANCE,))
        rows = connection.exec_driver_sql("SELECT DISTINCT organisation_id FROM transactions")
        assert [tuple(row) for row in rows] == [("one",)]
        lanes = connection.exec_driver_sql("SELECT DISTINCT lane FROM audit_events").scalars()
        assert list(lanes) == [FINANCE]
        with pytest.raises(sa.exc.DBAPIError, match="row-level security"):
            connection.exec_driver_sql(
                "INSERT INTO audit_events (organisation_id, lane, seq, body, hash) "
                "VALUES ('two', 'finance', 99, '', '')"
            )
    book.close()


@pytest.mark.parametrize("change", ["UPDATE audit_events SET body = ''", "DELETE FROM audit_events",
                                    "UPDATE alert_snapshots SET content = ''"])  # fmt: skip
def test_the_database_itself_refuses_to_change_what_is_append_only(
    at: Context, read: Callable[..., object], change: str
) -> None:
    finance = at()
    services.receive(finance, read(*month(10), *SPLIT))  # type: ignore[arg-type]
    with (
        pytest.raises(sa.exc.DBAPIError, match=r"never changed|permission denied"),
        finance.casebook.engine.begin() as connection,
    ):
        finance.casebook.set_tenant(connection, finance.actor.organisation_id, LANES)
        connection.exec_driver_sql(change)


def test_a_role_that_only_serves_cannot_take_away_what_guards_the_tables(
    postgresql: str, read: Callable[..., object]
) -> None:
    from book_fixtures import new_database  # noqa: PLC0415  only where there is PostgreSQL

    url = new_database(postgresql)
    serving, owning = Casebook(url), Casebook(url.replace("app@", "keeper@"))
    owner = services.add_organisation(serving, "One", NOW)
    services.receive(
        services.ServiceContext(serving, Actor(owner, "p", "finance"), NOW),
        read(*month(10), *SPLIT),  # type: ignore[arg-type]
    )

    def refusal(book: Casebook, change: str) -> str:
        with pytest.raises(sa.exc.DBAPIError) as refused, book.engine.begin() as connection:
            book.set_tenant(connection, owner, LANES)
            connection.exec_driver_sql(change)
        return str(refused.value.orig)

    for change in (
        "DELETE FROM audit_events", "UPDATE alert_snapshots SET content = ''",
        "TRUNCATE audit_events",
        "ALTER TABLE audit_events DISABLE TRIGGER ALL", "DROP POLICY owner ON alerts",
        "ALTER TABLE alerts DISABLE ROW LEVEL SECURITY", "CREATE TABLE more (x text)",
        "UPDATE alembic_version SET version_num = ''",
    ):  # fmt: skip
        assert "permission denied" in (said := refusal(serving, change)) or "must be owner" in said
    assert "never changed" in refusal(owning, "DELETE FROM audit_events")
    serving.close()
    owning.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://x/y", "sqlite:////"])
def test_a_casebook_that_could_be_lost_or_is_neither_database_is_refused(url: str) -> None:
    with pytest.raises(CardwatchError):
        Casebook(url)


def test_organisations_are_listed_while_somebody_writes(
    casebook: Casebook, at: Callable[..., services.ServiceContext]
) -> None:
    with at("finance").work(AuditEvent("access", "x")):
        assert len(casebook.organisations()) == 1


@pytest.mark.parametrize("first", LANES)
def test_chains_are_locked_in_one_order_whatever_event_is_first(at: Context, first: str) -> None:
    """Before, two works that began with different chains waited for each other on PostgreSQL."""
    context = at()
    (other,) = set(LANES) - {first}
    with context.work(AuditEvent("access", "person", chain=first), LANES) as uow:
        uow.extra_events.append(AuditEvent("access", "person", chain=other))
        locked: list[tuple[str, ...]] = []
        uow.lock = lambda *parts, shared=False: locked.append(parts)  # type: ignore[method-assign]  # noqa: ARG005
    assert [parts for parts in locked if parts[0] == "events"] == [
        ("events", lane) for lane in LANES
    ]


def test_a_row_that_comes_between_reading_and_changing_is_never_changed_without_its_seal(
    at: Context, casebook: Casebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another work adds a person at the very moment in which all auditors are renamed."""
    if casebook.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    admin, people = at("admin"), tables.people
    at("auditor")
    read_rows = UnitOfWork._sealed_rows

    def read_and_wait(
        uow: UnitOfWork, table: sa.Table, which: sa.ColumnElement[bool]
    ) -> list[dict[str, object]]:
        rows = read_rows(uow, table, which)
        monkeypatch.setattr(UnitOfWork, "_sealed_rows", read_rows)
        services.add_person(admin, name="n", email="late@x.example", role="auditor")
        return rows

    monkeypatch.setattr(UnitOfWork, "_sealed_rows", read_and_wait)
    with (
        pytest.raises(CasebookBusy),
        casebook.work(admin.actor, AuditEvent("alteration", "people"), admin.now) as uow,
    ):
        uow.update(people, people.c.role == "auditor", {"name": "x"})
    assert [one.fault for one in services.verify_audit(at("auditor"))] == [""]
