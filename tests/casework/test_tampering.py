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


def test_what_is_done_by_the_services_fits(worked: Context) -> None:
    assert _faults(worked) == []


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


@pytest.mark.parametrize(("name", "values"), CHANGES, ids=lambda value: str(value)[:40])
def test_a_row_that_was_changed_by_hand_is_found(
    worked: Context, name: str, values: dict[str, object]
) -> None:
    table = tables.metadata.tables[name]

    def change(uow: UnitOfWork) -> None:
        keys = [column for column in table.primary_key if column.name != "organisation_id"]
        question = sa.select(*keys).where(uow.scope(table)).order_by(*keys)
        if name == "alerts":
            question = question.where(table.c.state == "explained")
        if name == "alert_subjects":
            question = question.where(table.c.kind == "merchant")
        row = uow.fetch_all(question.limit(1))[0]
        same = sa.and_(*(column == row[column.name] for column in keys))
        assert uow.update(table, same, values) == 1

    _by_hand(worked, change)
    assert _faults(worked), "nothing was found"


@pytest.mark.parametrize(
    "name",
    ["alerts", "alert_subjects", "cases", "case_alerts", "case_attachments", "legal_holds",
     "suppressions", "complaints"],
)  # fmt: skip
def test_rows_that_were_removed_by_hand_are_found(worked: Context, name: str) -> None:
    table = tables.metadata.tables[name]
    _by_hand(worked, lambda uow: assert_removed(uow, table))
    assert _faults(worked), "nothing was found"


def assert_removed(uow: UnitOfWork, table: sa.Table) -> None:
    """Remove all rows of a table."""
    assert uow.delete(table, sa.true())
