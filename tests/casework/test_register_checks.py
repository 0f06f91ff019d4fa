"""A register received later raises new alerts about earlier statements, and changes no old one."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from books import NOW, SEAL, approved, erase, export_alerts, month

from cardwatch import services
from cardwatch.casebook import AuditEvent
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.registers import read_register
from cardwatch.services.register_checks import REGISTER_CHECK

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.statements import ReadingChoices

    At = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]
    Bring = Callable[..., services.RegisterReceipt]

GIFTS = "Employee No,Department,Date of offer,Donor,Accepted or declined,Registered\n"
LUNCH = "E1,Fleet,05/09/2026,Osprey Joinery Ltd,Accepted,06/09/2026\n"
LATER = "E2,Fleet,16/10/2026,Osprey Joinery Ltd,Accepted,20/11/2026\n"
CONTRACTS = "Supplier,Reference,Start date,End date\n"
ENDED = "Osprey Joinery Ltd,C1,01/01/2026,31/08/2026\n"
PAID = ["2026-10-15,E1,OSPREY JOINERY LTD,420.00,P1", "2026-10-16,E2,OSPREY JOINERY LTD,99.00,P2"]
RULE = "gift-accepted-then-paid"


@pytest.fixture
def bring(at: At, tmp_path: Path, choices: ReadingChoices) -> Bring:
    """Return a function that imports some text as a register, and does what waits then."""

    def import_text(
        role: str, text: str, name: str = "gifts.csv", *, days: int = 0, check: bool = True
    ) -> services.RegisterReceipt:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        register = read_register(path, choices)
        receipt = approved(at(role, days=days), lambda by: services.import_register(by, register))
        if check:
            services.check_registers_now(at(role, days=days))
        return receipt

    return import_text


def details(context: services.ServiceContext, lane: str = "psd") -> list[dict[str, Any]]:
    """Return everything that is kept of the alerts of a lane, by the day of their last payment."""
    rows = services.list_alerts(context, services.AlertFilter(lane=lane, order="age"))
    return [dict(services.get_alert(context, row["alert_id"])) for row in rows]


def by_rule(context: services.ServiceContext, rule: str, lane: str = "psd") -> list[dict[str, Any]]:
    """Return the alerts of a lane of which a rule is a reason."""
    found = details(context, lane)
    return [d for d in found if rule in {reason.rule for reason in d["raised"].reasons}]


def test_a_later_gift_raises_a_new_alert_and_alters_none(at: At, read: Read, bring: Bring) -> None:
    bring("psd", GIFTS + LUNCH)
    services.receive(at(), read(*month(9), *month(10), *PAID))
    services.check_registers_now(at())
    (first,) = by_rule(at("psd"), RULE)
    services.decide(at("psd"), first["alert_id"], DecisionInput("seen", "explained"))
    before, finance = details(at("psd")), details(at(), "finance")
    bring("psd", GIFTS + LUNCH + LATER, "gifts 2.csv", days=3)
    after = {d["alert_id"]: d for d in details(at("psd", days=3))}
    assert [after[d["alert_id"]]["raised"] for d in before] == [d["raised"] for d in before]
    assert [after[d["alert_id"]]["state"] for d in before] == [d["state"] for d in before]
    (new,) = [d for d in after.values() if d["alert_id"] not in {b["alert_id"] for b in before}]
    assert (new["holders"], new["state"], new["lane"]) == (["E2"], "open", "psd")
    assert RULE in {reason.rule for reason in new["raised"].reasons}
    assert list(new["raised"].later) == [
        "Raised on 27 November 2026, after the gifts register of 27 November 2026 was received.",
        "The entry in row 3 of gifts 2.csv became known on 20 November 2026, after the payment.",
    ]
    assert new["raised"].entries[0].true_on == "2026-10-16"
    assert not first["raised"].later
    assert details(at(days=3), "finance") == finance
    assert [check.fault for check in services.verify(at("psd"))] == [""]
    assert services.state_counts(at("psd"))["unreconciled"] == 0
    assert [check.fault for check in services.verify_audit(at("psd"))] == ["", ""]


def test_the_same_news_twice_raises_nothing_twice(at: At, read: Read, bring: Bring) -> None:
    services.receive(at(), read(*month(9), *month(10), *PAID))
    bring("psd", GIFTS + LUNCH + LATER)
    raised = [d["raised"] for d in details(at("psd"))]
    assert len(by_rule(at("psd"), RULE)) == 2
    bring("psd", GIFTS + LUNCH + LATER, days=1)
    bring("psd", GIFTS + LUNCH + LATER + "E3,Fleet,07/09/2026,Nobody Ltd,Accepted,\n", days=2)
    assert [d["raised"] for d in details(at("psd", days=2))] == raised
    assert [check.fault for check in services.verify(at("psd"))] == [""]


def test_a_confirmed_match_looks_at_earlier_months(at: At, read: Read, bring: Bring) -> None:
    services.receive(at(), read(*month(9), *month(10), *PAID))
    bring("psd", GIFTS + LUNCH.replace("Osprey Joinery Ltd", "Osprey Fittings"))
    assert by_rule(at("psd"), RULE) == []
    pair = {"organisation": "Osprey Fittings", "merchant": "OSPREY JOINERY"}
    services.decide_match(at("psd"), **pair, decision="same", reason="seen the invoice")
    services.check_registers_now(at("psd"))
    (alert,) = by_rule(at("psd"), RULE)
    assert alert["raised"].entries[0].match == "stated"


def test_a_gift_recorded_after_the_payment_counts_once_the_statement_is_kept(
    at: At, read: Read, bring: Bring
) -> None:
    bring("psd", GIFTS + LATER)
    services.receive(at(), read(*month(9), *month(10), *PAID))
    assert by_rule(at("psd"), RULE) == []
    services.check_registers_now(at())
    (alert,) = by_rule(at("psd"), RULE)
    assert "after the gifts register of 24 November 2026" in alert["raised"].later[0]


def test_a_contract_goes_to_finance_and_a_gift_does_not(at: At, read: Read, bring: Bring) -> None:
    services.receive(at(), read(*month(9), *month(10), *PAID))
    bring("psd", GIFTS + LUNCH)
    assert not any(d["raised"].later for d in details(at(), "finance"))
    bring("finance", CONTRACTS + ENDED, "contracts.csv", days=1)
    later = [d for d in details(at(days=1), "finance") if d["raised"].later]
    assert later
    assert "the contracts register of 25 November 2026" in later[0]["raised"].later[0]
    assert [v["kind"] for v in later[0]["registers"]] == ["contracts"]
    events = services.audit_events(
        at(), lane="finance", last=9, object="alerts", action="collection"
    )
    assert len(events) == 2  # the statement's, and that of the contract


def test_a_check_that_is_broken_off_is_taken_up_again(at: At, read: Read, bring: Bring) -> None:
    services.receive(at(), read(*month(9), PAID[0].replace("10-15", "09-15")))
    services.receive(at(), read(*month(10), PAID[1]))
    bring("psd", GIFTS + LUNCH + LATER, check=False)
    book, turns = at().casebook, itertools.count()
    kinds = (REGISTER_CHECK,)
    assert services.do_next_job(book, lambda: NOW, SEAL, kinds, lambda: next(turns) == 1)
    assert [d["holders"] for d in by_rule(at("psd"), RULE)] == [["E1"]]
    assert not services.do_next_job(book, lambda: NOW, SEAL, kinds)
    assert services.do_next_job(book, lambda: NOW + dt.timedelta(minutes=1), SEAL, kinds)
    assert [d["holders"] for d in by_rule(at("psd"), RULE)] == [["E1"], ["E2"]]
    assert not services.do_next_job(book, lambda: NOW + dt.timedelta(minutes=9), SEAL, kinds)
    assert [check.fault for check in services.verify(at("psd"))] == ["", ""]


def test_a_list_of_a_statement_holds_what_came_later(at: At, read: Read, bring: Bring) -> None:
    receipt = services.receive(at(), read(*month(9), *month(10), *PAID))
    bring("psd", GIFTS + LUNCH)
    with at("psd").work(AuditEvent("consultation", "alerts")) as uow:
        whole = services.alerts.kept.read_list(uow, "psd", receipt.statement_id)
    assert [alert.rank for alert in whole.alerts] == list(range(1, len(whole.alerts) + 1))
    assert whole.alerts[-1].later
    assert "1 alert was raised later, after a register was received." in whole.notes


@pytest.mark.usefixtures("pdf_libraries")
def test_a_pack_names_the_rows_of_registers_and_their_files(
    at: At, read: Read, bring: Bring
) -> None:
    services.receive(at(), read(*month(9), *month(10), *PAID))
    receipt = bring("psd", GIFTS + LUNCH)
    version, _ = services.get_version(at("psd"), receipt.version_id)
    (alert,) = by_rule(at("psd"), RULE)
    services.reveal_identity(at("psd"), alert["alert_id"], reason="case 12")
    content, _ = export_alerts(at("psd"), alert_ids=(alert["alert_id"],), form=".zip")
    with zipfile.ZipFile(io.BytesIO(content)) as pack:
        manifest = json.loads(pack.read("manifest.json"))
        lists = json.loads(pack.read("alerts.json"))["lists"]
        evidence = pack.read("alerts.json").decode()
    row = {"register": "gifts", "file": "gifts.csv", "row": 2, "sha256": version.sha256}
    assert manifest["register_rows"] == [row]
    assert [e["sha256"] for one in lists.values() for e in one["alerts"][0]["entries"]] == [
        version.sha256
    ]
    assert "after the gifts register of 24 November 2026" in evidence


def test_a_statement_of_more_than_a_year_ago_is_left_alone(
    at: At, read: Read, bring: Bring
) -> None:
    old = (line.replace("2026-", "2025-") for line in [*month(9), *month(10), *PAID])
    services.receive(at(), read(*old))
    bring("psd", GIFTS + LUNCH.replace("/2026", "/2025"))
    assert by_rule(at("psd"), RULE) == []


def test_old_versions_are_erased_but_for_the_newest_and_those_of_kept_alerts(
    at: At, read: Read, bring: Bring
) -> None:
    bring("psd", GIFTS + LUNCH)
    bring(
        "psd",
        "Employee No,Business,Date applied,Status\nE1,Foo,01/01/2019,Approved\n",
        "interests.csv",
    )
    services.receive(at(), read(*month(9), *month(10), *PAID))
    bring("psd", GIFTS + LATER, "gifts 2.csv", days=1)
    bring("psd", GIFTS + LATER + LUNCH, "gifts 3.csv", days=2)
    erase(at("admin", days=2_600))

    def files(days: int) -> list[str]:
        detail = services.get_register(at("psd", days=days), "gifts")
        return [version.file for version in detail.versions]

    assert files(2_600) == ["gifts 3.csv", "gifts 2.csv", "gifts.csv"], "open alerts rest on them"
    for alert in details(at("psd", days=2_600)):
        role = "psd" if alert["lane"] == "psd" else "finance"
        decision = DecisionInput("seen", "explained")
        services.decide(at(role, days=2_600), alert["alert_id"], decision)
    erase(at("admin", days=2_601))
    assert files(2_601) == ["gifts 3.csv"]
    assert services.get_register(at("psd", days=2_601), "interests").summary.versions == 1
    assert [check.fault for check in services.verify_audit(at("psd"))] == ["", ""]


def test_the_job_is_in_nobodys_list(at: At, read: Read, bring: Bring) -> None:
    services.receive(at(), read(*month(9), *month(10), *PAID))
    bring("psd", GIFTS + LUNCH, check=False)
    assert [services.list_trials(at(role)) for role in ("finance", "psd", "admin")] == [[], [], []]


def test_an_alert_of_a_corrected_statement_is_raised_again(
    at: At, read: Read, bring: Bring
) -> None:
    receipt = services.receive(at(), read(*month(9), *month(10), *PAID))
    bring("psd", GIFTS + LATER)
    (first,) = by_rule(at("psd"), RULE)
    corrected = read(*month(9), *month(10), *PAID, "2026-10-20,E3,SHOP 1,4.00,N1")
    services.receive(at(days=1), corrected, corrects=receipt.statement_id)
    services.check_registers_now(at(days=1))
    (again,) = by_rule(at("psd", days=1), RULE)
    assert again["alert_id"] == first["alert_id"]
    assert (again["source_corrected_by"], again["statement_id"] != first["statement_id"]) == (
        None,
        True,
    )
