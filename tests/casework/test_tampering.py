"""Whoever changes a row of the casebook by hand is found by `cardwatch audit verify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from books import EQUAL, SPLIT, month

from cardwatch import services
from cardwatch.casebook import LANES, AuditEvent, tables
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.casebook.cases import CaseUpdate
from cardwatch.casebook.complaints import NewComplaint
from cardwatch.casebook.unit_of_work import SYSTEM

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
    theirs = services.list_alerts(psd, lane="psd")[0]["alert_id"]
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


REMOVED = ("alerts", "alert_subjects", "cases", "case_alerts", "case_attachments", "legal_holds",
           "suppressions", "complaints")  # fmt: skip
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
                assert uow.delete(table, _same(table, row)) == 1
            if values:
                uow.insert(table, [rows[0] | values])

        def mend(
            uow: UnitOfWork,
            table: sa.Table = table,
            values: dict[str, object] = values,
            rows: list[dict[str, Any]] = rows,
        ) -> None:
            if values:
                assert uow.delete(table, _same(table, rows[0] | values)) == 1
            uow.insert(table, rows)

        _by_hand(worked, spoil)
        assert _faults(worked), (name, values)
        _by_hand(worked, mend)
    assert _faults(worked) == []


def _same(table: sa.Table, row: dict[str, Any]) -> sa.ColumnElement[bool]:
    """Return the condition that a row has the key of another."""
    return sa.and_(*(column == row[column.name] for column in table.primary_key))
