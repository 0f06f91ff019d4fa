"""Another version that compares names otherwise shows nobody what is about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from books import EQUAL, SPLIT, approved, month

from cardwatch import services
from cardwatch.casebook import LANES, PSD, AuditEvent
from cardwatch.casebook.cases import CaseFilter
from cardwatch.casebook.key_renewal import renew_person_keys
from cardwatch.casebook.tables import alert_subjects, case_subjects
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.registers import person_key
from cardwatch.vocabulary import PERSON_KINDS

if TYPE_CHECKING:
    from collections.abc import Callable

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

SAME = {"e2": "e1"}
"""People who are one to the version that comes."""


def _new_key(text: str) -> str:
    key = person_key(text)
    return f"new {SAME.get(key, key)}" if key else ""


@pytest.fixture
def upgrade(at: Context, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a function that opens the casebook with the version that comes."""

    def open_anew() -> None:
        for module in ("own_keys", "alert_store", "derived_rows", "people", "key_renewal"):
            monkeypatch.setattr(f"cardwatch.casebook.{module}.person_key", _new_key)
        monkeypatch.setattr("cardwatch.registers.persons.person_key", _new_key)
        for module in ("own_keys", "people", "key_renewal"):
            monkeypatch.setattr(f"cardwatch.casebook.{module}.PERSON_KEYS", "another")
        renew_person_keys(at().casebook, at().now)

    return open_anew


def _keys(at: Context, table: sa.Table, alert_id: str) -> list[tuple[str, str]]:
    """Return the people of an alert, by kind and key."""
    with at("psd").work(AuditEvent("consultation", "test"), LANES) as uow:
        columns = (table.c.kind, table.c.subject_id)
        of_alert = uow.scope(table) & (table.c.alert_id == alert_id)
        question = sa.select(*columns).where(of_alert, table.c.kind.in_(PERSON_KINDS))
        return sorted((row["kind"], row["subject_id"]) for row in uow.fetch_all(question))


def _alert_of_several(at: Context) -> str:
    """Return the id of an alert of professional standards' about E0 to E3."""
    return str(services.list_alerts(at("psd"), services.AlertFilter(lane=PSD))[0]["alert_id"])


def test_two_people_of_an_alert_who_have_one_key_since_hide_it_both(
    at: Context, read: Read, upgrade: Callable[[], None]
) -> None:
    """Before, each statement was refused from then on, as a row of the alert was there twice."""
    services.receive(at(), read(*month(10), *SPLIT, *EQUAL))
    alert_id = _alert_of_several(at)
    holders = [("holder", f"e{number}") for number in range(4)]
    assert _keys(at, alert_subjects, alert_id) == holders
    upgrade()
    expected = [("holder", f"new e{number}") for number in (0, 1, 3)]
    assert _keys(at, alert_subjects, alert_id) == expected
    subject = at("psd", person="subject", holder_id="E2")
    assert alert_id not in {
        row["alert_id"] for row in services.list_alerts(subject, services.AlertFilter(lane=PSD))
    }
    assert services.receive(at(), read(*month(11))).outcome == "received"
    assert [check.fault for check in services.verify_audit(at("psd"))] == ["", ""]


@pytest.mark.parametrize("is_erased", [False, True])
def test_a_case_stays_hidden_from_whom_its_alert_was_about(
    at: Context, read: Read, upgrade: Callable[[], None], *, is_erased: bool
) -> None:
    """Whom a case was about was told by the keys of before, also once the alert was erased."""
    services.receive(at(), read(*month(10), *SPLIT, *EQUAL))
    alert_id = _alert_of_several(at)
    new_case = services.NewCase("Equal sums", "seen", (alert_id,))
    approved(at("psd"), lambda by: services.open_case(by, new_case))
    if is_erased:
        itself, event = at(SYSTEM), AuditEvent("erasure", "data")
        with itself.casebook.work(itself.actor, event, itself.now, lanes=LANES) as uow:
            uow.delete(alert_subjects, alert_subjects.c.alert_id == alert_id)
    subject = at("psd", person="subject", holder_id="E3")
    assert services.list_cases(subject, CaseFilter()) == []
    upgrade()
    assert services.list_cases(subject, CaseFilter()) == []
    assert len(services.list_cases(at("psd"), CaseFilter())) == 1
    assert {("holder", f"new e{number}") for number in (0, 1, 3)} <= {
        *_keys(at, case_subjects, alert_id)
    }


def test_keys_that_are_current_are_left_and_nothing_is_told(at: Context, read: Read) -> None:
    services.receive(at(), read(*month(10), *EQUAL))
    count = len(services.audit_events(at("psd"), lane="finance", last=1_000))
    renew_person_keys(at().casebook, at().now)
    assert len(services.audit_events(at("psd"), lane="finance", last=1_000)) == count
