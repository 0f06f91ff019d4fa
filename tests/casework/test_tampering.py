"""Whoever changes a row of the casebook by hand is found by `cardwatch audit verify`."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pyotp
import pytest
import sqlalchemy as sa
from books import EQUAL, SPLIT, approved, erase, month
from cryptography.fernet import Fernet, MultiFernet

from cardwatch import services
from cardwatch.casebook import LANES, AuditEvent, tables
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.casebook.cases import CaseUpdate
from cardwatch.casebook.complaints import NewComplaint
from cardwatch.casebook.key_renewal import renew_person_keys
from cardwatch.casebook.unit_of_work import SEALED, SEALED_FOR_PSD, SYSTEM, canonical
from cardwatch.registers import PERSON_KEYS, person_key

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cardwatch.casebook import UnitOfWork

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]


@pytest.fixture
def worked(at: Context, read: Read) -> Context:
    """Give a casebook in which everything was done once."""
    first = services.receive(at(), read(*month(10), *SPLIT, *EQUAL))
    finance, psd = at(), at("psd")
    alert_id = services.list_alerts(finance)[0]["alert_id"]
    theirs = services.list_alerts(psd, services.AlertFilter(lane="psd"))[0]["alert_id"]
    email = "finance@saltmarsh-vale.example"
    services.decide(
        finance, alert_id,
        DecisionInput("so", "explained", assigned_to=email, tags="a b", recovered_pence=500),
    )  # fmt: skip
    services.suppress(finance, alert_id, until="2027-03-31", reason="known")
    services.place_hold(finance, alert_id, reason="appeal")
    services.place_hold(psd, theirs, reason="appeal")
    case_id = services.open_case(psd, services.NewCase("t", "so", (theirs, alert_id)))["case_id"]
    services.attach_file(psd, case_id, "a.txt", b"x")
    services.add_case_note(psd, case_id, "note")
    services.remove_case_alert(psd, case_id, alert_id, reason="not theirs")
    services.add_case_alert(psd, case_id, alert_id, reason="it is")
    services.close_case(psd, case_id, CaseUpdate("so", outcome="passed-on"))
    services.reopen_case(psd, case_id, CaseUpdate("so"))
    services.close_case(psd, case_id, CaseUpdate("so", outcome="no-further-action"))
    services.add_complaint(at("auditor"), NewComplaint("complaint", "them", "so", "2026-10-20"))
    services.receive(at(), read(*month(10), *SPLIT, *EQUAL, *month(11)))
    services.receive(at(), read(*month(10), *SPLIT, *EQUAL, SPLIT[0].replace("S1", "S3")),
                     corrects=first.statement_id)  # fmt: skip
    return at


def _faults(at: Context) -> list[str]:
    return [check.fault for check in services.verify_audit(at("psd")) if check.fault]


def _by_hand(at: Context, change: Callable[[UnitOfWork], None]) -> None:
    """Change rows as whoever opens the database can."""
    itself = at(SYSTEM)
    event = AuditEvent("access", "test")
    with itself.casebook.work(itself.actor, event, itself.now, lanes=LANES) as uow:
        change(uow)


CHANGES: Sequence[tuple[str, dict[str, object]]] = (
    ("alerts", {"recovered_pence": 0}), ("alerts", {"tags": "c"}), ("alerts", {"assigned_to": ""}),
    ("alerts", {"state": "open"}), ("alerts", {"version": 0}), ("alerts", {"kind": "x"}),
    ("alerts", {"at_stake_pence": 1}), ("alerts", {"last_on": "2020-01-01"}),
    ("alerts", {"due_on": "2026-12-01"}),
    ("alert_subjects", {"kind": "holder", "subject_id": "x"}),
    ("cases", {"title": "x"}), ("cases", {"state": "open"}), ("cases", {"outcome": "passed-on"}),
    ("cases", {"owner": "x@y.example"}), ("cases", {"closed_at": None}), ("cases", {"version": 1}),
    ("case_attachments", {"content": b"y"}),
    ("legal_holds", {"reason": "x"}), ("legal_holds", {"made_by": "x"}),
    ("suppressions", {"reason": "x"}), ("suppressions", {"expires_on": "2026-12-01"}),
    ("complaints", {"subject": "x"}), ("complaints", {"received_on": "2026-10-21"}),
)  # fmt: skip


REMOVED = ("holder_names", "alerts", "alert_subjects", "cases", "case_alerts", "case_attachments",
           "legal_holds", "suppressions", "complaints")  # fmt: skip
ONE_OF = {"alerts": ("state", "explained"), "alert_subjects": ("kind", "merchant")}
"""Of these tables a row is changed that has this value."""


def test_rows_that_were_changed_or_removed_by_hand_are_found(worked: Context) -> None:
    """Each by itself; then all is as it was, and nothing is found."""
    for name, values in (*CHANGES, *((name, {}) for name in REMOVED)):
        table = tables.metadata.tables[name]
        rows: list[dict[str, Any]] = []

        def spoil(
            uow: UnitOfWork,
            table: sa.Table = table,
            values: dict[str, object] = values,
            rows: list[dict[str, Any]] = rows,
        ) -> None:
            question = sa.select(table).where(uow.scope(table)).order_by(*table.primary_key)
            if values and table.name in ONE_OF:
                column, value = ONE_OF[table.name]
                question = question.where(table.c[column] == value)
            rows += uow.fetch_all(question)[: 1 if values else None]
            assert rows
            for row in rows:
                _delete(uow, table, row)
            if values:
                _insert(uow, table, [rows[0] | values])

        def mend(
            uow: UnitOfWork,
            table: sa.Table = table,
            values: dict[str, object] = values,
            rows: list[dict[str, Any]] = rows,
        ) -> None:
            if values:
                _delete(uow, table, rows[0] | values)
            _insert(uow, table, rows)

        _by_hand(worked, spoil)
        assert _faults(worked), (name, values)
        _by_hand(worked, mend)
    assert _faults(worked) == []


def _delete(uow: UnitOfWork, table: sa.Table, row: dict[str, Any]) -> None:
    """Remove a row without its seal."""
    key = [column for column in table.primary_key if column.name in row]
    same = sa.and_(*(column == row[column.name] for column in key))
    assert uow.connection.execute(sa.delete(table).where(uow.scope(table), same)).rowcount == 1


def _insert(uow: UnitOfWork, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Add rows without their seals."""
    owner = {"organisation_id": uow.actor.organisation_id}
    uow.connection.execute(sa.insert(table), [owner | row for row in rows])


@pytest.fixture
def filled(at: Context, monkeypatch: pytest.MonkeyPatch) -> Context:
    """Give a casebook with a row of every sealed table: those of psd where there is a choice.

    Made up, they follow from nothing, which is checked elsewhere.
    """
    monkeypatch.setattr("cardwatch.casebook.audit.derived_fault", lambda *_: "")
    at("finance"), at("psd")
    given = {"lane": "psd", "role": "psd", "kind": "rules", "email": "x@y.example"}

    def fill(uow: UnitOfWork) -> None:
        for name in SEALED:
            table = tables.metadata.tables[name]
            values = {
                column.name: given.get(column.name, _made_up(column, "x"))
                for column in table.c
                if column.name != "organisation_id"
            }
            if name != "organisations":
                uow.insert(table, [values])

    itself = at(SYSTEM)
    event = AuditEvent("access", "test", chain="psd")
    with itself.casebook.work(itself.actor, event, itself.now, lanes=LANES) as uow:
        uow.extra_events.append(AuditEvent("access", "test", chain="finance"))
        fill(uow)
    assert _faults(at) == []
    return at


def _made_up(column: sa.Column[Any], text: str) -> object:
    """Return a value that a column takes."""
    if isinstance(column.type, sa.LargeBinary):
        return text.encode()
    if isinstance(column.type, tables.Flag):
        return text == "x"
    return text if isinstance(column.type, sa.Text) else len(text)


HELD_ELSEWHERE = {("statements", "statement_id"), ("register_versions", "content"),
                  ("case_attachments", "content")}  # fmt: skip
"""A statement that has payments keeps its id; a content is held by its hash."""


@pytest.mark.parametrize("name", SEALED)
def test_no_column_of_a_sealed_table_is_changed_unseen(filled: Context, name: str) -> None:
    """Each column that is sealed, one at a time, as whoever opens the database can."""
    table = tables.metadata.tables[name]
    assert SEALED[name]
    for column in dict.fromkeys((*SEALED[name], *SEALED_FOR_PSD.get(name, ()))):
        if (name, column) in HELD_ELSEWHERE:
            continue
        kept: list[dict[str, Any]] = []

        def spoil(uow: UnitOfWork, column: str = column, kept: list[dict[str, Any]] = kept) -> None:
            kept += uow.fetch_all(sa.select(table).where(uow.scope(table)))
            row = kept[0]
            _replace(uow, table, row, row | {column: _other(table.c[column], row[column])})

        def mend(uow: UnitOfWork, column: str = column, kept: list[dict[str, Any]] = kept) -> None:
            row = kept[0]
            _replace(uow, table, row | {column: _other(table.c[column], row[column])}, row)

        _by_hand(filled, spoil)
        assert _faults(filled), (name, column)
        _by_hand(filled, mend)
    assert _faults(filled) == []


@pytest.mark.parametrize(
    ("table", "flag", "stored"),
    [
        ("statements", "is_scored", 1),
        ("statements", "is_scored", 0),
        ("people", "holds_no_card", 0),
    ],
)
def test_a_flag_is_no_third_value_unseen(
    at: Context, read: Read, monkeypatch: pytest.MonkeyPatch, table: str, flag: str, stored: int
) -> None:
    """Whoever writes 2, which is neither, is found out by the seal, whichever it was before."""
    monkeypatch.setattr("cardwatch.casebook.audit.derived_fault", lambda *_: "")
    services.receive(at(), read(*month(9)), is_history=True)
    services.receive(at(), read(*month(10)))
    given = {"name": "Ann", "email": "ann@x.example", "role": "auditor"}
    services.add_person(at("admin"), **given, holder_id="E77")
    assert _faults(at) == []

    def spoil(uow: UnitOfWork) -> None:
        change = f"UPDATE {table} SET {flag} = 2 WHERE {flag} = {stored}"  # noqa: S608
        assert uow.connection.exec_driver_sql(change).rowcount

    _by_hand(at, spoil)
    assert _faults(at)


def _other(column: sa.Column[Any], value: object) -> object:
    """Return another value of a column; of a lane or role the other one."""
    if column.name in {"lane", "role"}:
        return "finance" if value == "psd" else "psd"
    return _made_up(column, f"{value}x" if isinstance(value, str) else "another")


def _replace(
    uow: UnitOfWork, table: sa.Table, before: dict[str, Any], after: dict[str, Any]
) -> None:
    """Put one row in place of another, without seals."""
    if table.name == "organisations":
        uow.connection.execute(sa.update(table).where(uow.scope(table)).values(**after))
        return
    _delete(uow, table, before)
    _insert(uow, table, [after])


ADDED = ("holder_names", "column_profiles", "people", "accounts", "keys", "approvals", "proposals",
         "active_documents", "webhooks", "directory_groups", "directory_users", "directory_members",
         "import_requests")  # fmt: skip


@pytest.mark.parametrize("name", ADDED)
def test_a_row_that_was_added_by_hand_is_found(at: Context, name: str) -> None:
    """A person, key, approval or name that no event and no payment tells of."""
    at("psd")
    table = tables.metadata.tables[name]

    def add(uow: UnitOfWork) -> None:
        given = {"organisation_id": uow.actor.organisation_id, "lane": "finance"}
        row = {one.name: given.get(one.name, _made_up(one, "x")) for one in table.c}
        _insert(uow, table, [row])

    assert _faults(at) == []
    _by_hand(at, add)
    assert _faults(at), name


@pytest.mark.parametrize("values", [{"role": "auditor"}, {"holder_id": "E7"}, {"name": "other"}])
def test_what_was_changed_by_hand_is_found_after_cardwatch_changed_it(
    at: Context, values: dict[str, str]
) -> None:
    """Ending the person does not cover what was done to their row before."""
    email = "finance@saltmarsh-vale.example"
    people = tables.people
    at()

    def change(uow: UnitOfWork) -> None:
        which = uow.scope(people) & (people.c.email == email)
        uow.connection.execute(sa.update(people).where(which).values(**values))

    _by_hand(at, change)
    services.end_person(at("admin"), email)
    assert _faults(at)


def test_an_alteration_is_found_after_its_row_expired(worked: Context) -> None:
    """Deletion at the end of its time does not cover it either."""
    complaints = tables.complaints
    admin = worked("admin")

    def change(uow: UnitOfWork) -> None:
        which = uow.scope(complaints)
        new = {"answered_on": "2010-01-01"}
        uow.connection.execute(sa.update(complaints).where(which).values(**new))

    _by_hand(worked, change)
    erase(admin)
    assert _faults(worked)


def test_psds_rules_are_no_part_of_what_finance_can_compare(at: Context, read: Read) -> None:
    """What made a statement's alerts names psd's rules: its seal is in psd's chain alone."""
    services.receive(at(), read(*month(10), *SPLIT))
    finance, psd = at(), at("psd")

    def spoil(uow: UnitOfWork) -> None:
        which = uow.scope(tables.statements)
        uow.connection.execute(sa.update(tables.statements).where(which).values(made_with="{}"))

    _by_hand(at, spoil)
    faults = {check.lane: check.fault for check in services.verify_audit(psd)}
    assert faults == {"finance": "", "psd": "a row of statements is not as it was written"}
    assert [check.fault for check in services.verify_audit(finance)] == [""]


KEYS_SHA256 = "557262ef3e06"
"""Of the keys of some names, by the version in `PERSON_KEYS`."""


def test_keys_of_people_change_with_their_version_only() -> None:
    """Stored keys are compared with new ones: whoever changes the keys changes `PERSON_KEYS`."""
    names = ["E 1", "Ann ROE", "Zo\u00eb O'Neil-Smith", "\uff21\uff22\uff11", "\u0410\u041d",
             "Stra\u00dfe", "card ending 1234"]  # fmt: skip
    keys = canonical([PERSON_KEYS.partition(",")[0], *map(person_key, names)])
    assert hashlib.sha256(keys.encode()).hexdigest()[:12] == KEYS_SHA256


def test_a_version_that_compares_names_otherwise_finds_no_change_by_hand(
    at: Context, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its keys are made anew as it opens the casebook, and compared from then on."""
    services.receive(at(), read(*month(10), *SPLIT, *EQUAL))
    for module in ("own_keys", "derived_rows", "alert_store", "people", "key_renewal"):
        name = f"cardwatch.casebook.{module}"
        monkeypatch.setattr(f"{name}.person_key", lambda text: f"new {person_key(text)}")
    for module in ("own_keys", "people", "key_renewal"):
        monkeypatch.setattr(f"cardwatch.casebook.{module}.PERSON_KEYS", "another")
    assert _faults(at) == []
    renew_person_keys(at().casebook, at().now)
    assert _faults(at) == []
    services.receive(at(), read(*month(11)))
    assert _faults(at) == []

    def add(uow: UnitOfWork) -> None:
        row = {"names_id": "n", "field": "key_employee_id", "subject_id": "new e1"}
        row |= {"organisation_id": uow.actor.organisation_id, "visible_to_psd_only": 0}
        _insert(uow, tables.holder_names, [row])

    _by_hand(at, add)
    assert _faults(at)


def test_coming_and_going_leaves_the_chains_whole(at: Context) -> None:
    """People, keys, accounts, proposals, approvals, holds and webhooks change, all by cardwatch."""
    admin, psd, finance = at("admin"), at("psd"), at()
    at("psd", person=2), at(person=2)
    for role, context in (("finance", admin), ("psd", psd)):
        email = f"new.{role}@x.example"

        def add(by: services.ServiceContext, role: str = role, email: str = email) -> str:
            return services.add_person(by, name="n", email=email, role=role, holds_no_card=True)

        approved(context, add)
        _take_account(context, services.invite(context, email))
        assert _faults(at) == []
        key = services.create_key(context, name="k", role=role, days=3)
        services.revoke_key(context, key.split("_")[2])

        def link(by: services.ServiceContext, email: str = email) -> None:
            services.set_link(by, email, holder_id="E3")

        def end(by: services.ServiceContext, email: str = email) -> None:
            services.end_person(by, email)

        approved(context, link)
        approved(context, end)
        assert _faults(at) == []
        approved(context, add)
        assert _faults(at) == []
    for one, other in ((finance, at(person=2)), (psd, at("psd", person=2))):
        content = f"materiality_pounds = {len(one.actor.role) * 10}.0\n".encode()
        made = services.propose(one, "policy", content, effective_from="", reason="so")
        services.decide_proposal(other, made["proposal_id"], agrees=True)
        assert _faults(at) == []
    approved(admin, lambda by: services.retention_periods(by, kind="notices", days=60))
    erase(admin)
    assert _faults(at) == []


def _take_account(context: services.ServiceContext, token: str) -> None:
    """Set a password and a code as whoever was invited."""
    seal = MultiFernet([Fernet(Fernet.generate_key())])
    book, now = context.casebook, context.now
    secret = services.start_account(book, token, now, seal)[1]
    code = pyotp.TOTP(secret).at(now)
    password = "an unlikely sentence of words"  # noqa: S105  of a test
    services.activate_account(book, token, password=password, code=code, now=now, seal=seal)
