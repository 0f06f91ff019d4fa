"""Registers in the casebook: versions kept by lane, used in scoring, never altering an alert."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest
import sqlalchemy as sa
from books import approved, month

from cardwatch import services
from cardwatch.casebook import LANES, AuditEvent
from cardwatch.casebook import registers as kept
from cardwatch.casebook.own_keys import own_keys
from cardwatch.casebook.register_content import unpack_register
from cardwatch.errors import CardwatchError, NotAllowed, NotFound
from cardwatch.registers import people_in, person_key, read_cards, read_register
from cardwatch.statements import read_each

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.records import Register
    from cardwatch.statements import ReadingChoices

    At = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

GIFTS = "Employee No,Department,Date of offer,Donor,Details,Accepted or declined,Value,Registered\n"
LUNCH = "E1,Fleet,05/09/2026,Osprey Joinery Ltd,Lunch,Accepted,£40,06/09/2026\n"
LATER = "E2,Fleet,07/09/2026,Osprey Joinery Ltd,Cup,Accepted,£5,08/09/2026\n"
UNREAD = "E3,Fleet,31/13/2026,Foo Ltd,Cup,No,,\n"
CONTRACTS = "Supplier,Reference,Start date,End date\nOsprey Joinery Ltd,C1,01/01/2026,31/12/2026\n"
PAID = ["2026-10-15,E1,OSPREY JOINERY LTD,420.00,P1", "2026-10-16,E2,OSPREY JOINERY LTD,99.00,P2"]
RULE = "gift-accepted-then-paid"


@pytest.fixture
def register(tmp_path: Path, choices: ReadingChoices) -> Callable[..., Register]:
    """Return a function that reads some text as a register."""

    def read_text(text: str, name: str = "gifts.csv", **options: Any) -> Register:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return read_register(path, choices, **options)

    return read_text


def gift_alerts(context: services.ServiceContext) -> list[dict[str, Any]]:
    """Return the alerts that rest on a gift, with all that is kept of each."""
    rows = services.list_alerts(context, services.AlertFilter(lane="psd"))
    details = [services.get_alert(context, row["alert_id"]) for row in rows]
    return [d for d in details if RULE in {r.rule for r in d["raised"].reasons}]


def test_a_version_keeps_what_was_read_and_every_problem(
    at: At, register: Callable[..., Register]
) -> None:
    gifts = register(GIFTS + LUNCH + UNREAD)
    receipt = services.import_register(at("psd"), gifts)
    assert (receipt.outcome, receipt.entries, receipt.unreadable) == ("received", 1, 1)
    version, report = services.get_version(at("psd"), receipt.version_id)
    assert (version.kind, version.file, version.entries) == ("gifts", "gifts.csv", 1)
    assert report == gifts.reports[0]
    assert [problem.code for problem in report.problems] == ["bad_day"]
    with at("psd").work(AuditEvent("consultation", "register"), LANES) as uow:
        stored = unpack_register(kept.get_version(uow, receipt.version_id))
    pd.testing.assert_frame_equal(stored.entries, gifts.entries)


def test_the_same_file_again_is_held(at: At, register: Callable[..., Register]) -> None:
    first = services.import_register(at("psd"), register(GIFTS + LUNCH))
    again = services.import_register(at("psd", days=1), register(GIFTS + LUNCH))
    assert (again.outcome, again.version_id) == ("held", first.version_id)
    assert services.get_register(at("psd"), "gifts").summary.versions == 1


def test_finance_has_its_own_registers_and_no_other(
    at: At, register: Callable[..., Register]
) -> None:
    contracts = services.import_register(at(), register(CONTRACTS, "contracts.csv"))
    gifts = services.import_register(at("psd"), register(GIFTS + LUNCH))
    assert {s.kind for s in services.list_registers(at())} == {"contracts", "companies"}
    assert services.list_registers(at("auditor")) == services.list_registers(at())
    assert services.get_version(at("psd"), contracts.version_id)[0].kind == "contracts"
    for act in (
        lambda: services.import_register(at(), register(GIFTS + LUNCH)),
        lambda: services.list_matches(at()),
        lambda: services.list_registers(at("admin")),
        lambda: services.import_register(at("auditor"), register(CONTRACTS, "contracts.csv")),
    ):
        with pytest.raises(NotAllowed):
            act()
    for unseen in (
        lambda: services.get_version(at(), gifts.version_id),
        lambda: services.get_register(at(), "gifts"),
    ):
        with pytest.raises(NotFound):
            unseen()
    assert [check.fault for check in services.verify_audit(at("psd"))] == ["", ""]


def test_a_statement_is_scored_with_the_registers_held(
    at: At, read: Read, register: Callable[..., Register]
) -> None:
    receipt = services.import_register(at("psd"), register(GIFTS + LUNCH))
    services.receive(at(), read(*month(10), *PAID))
    (alert,) = gift_alerts(at("psd"))
    assert alert["holders"] == ["E1"]
    assert [v["version_id"] for v in alert["registers"]] == [receipt.version_id]
    assert alert["raised"].entries[0].known_on == "2026-09-06"
    for role in ("psd", "finance", "auditor"):
        assert [check.fault for check in services.verify(at(role))] == [""]
    finance = [services.get_alert(at(), a["alert_id"]) for a in services.list_alerts(at())]
    assert all(alert["registers"] == [] for alert in finance)


def test_whom_an_entry_names_does_not_see_the_alert_that_rests_on_it(
    at: At, read: Read, register: Callable[..., Register]
) -> None:
    approvals = "Transaction reference,Approver No,Approved on\nP1,E9,16/10/2026\n"
    services.import_register(at("psd"), register(approvals, "approvals.csv"))
    services.import_register(at("psd"), register(GIFTS + LUNCH.replace("E1,", "E9,")))
    services.receive(at(), read(*month(10), *PAID))
    rows = services.list_alerts(at("psd"), services.AlertFilter(lane="psd"))
    (alert_id,) = [row["alert_id"] for row in rows if row["rule"] == "gift-to-approver"]
    approver = at("psd", person="approver", holder_id="E9")
    seen = {row["alert_id"] for row in services.list_alerts(approver)}
    assert seen == {row["alert_id"] for row in services.list_alerts(at("psd"))} - {alert_id}
    with pytest.raises(NotFound):
        services.get_alert(approver, alert_id)


@pytest.mark.parametrize("name", ["PC Ann Roe", "Poole, Ann", "Ann M Poole"])
def test_whom_an_entry_names_by_name_alone_does_not_see_the_alert_either(
    at: At, read: Read, register: Callable[..., Register], name: str
) -> None:
    """The people register says whose name it is, former names too, whenever it comes."""
    approvals = "Transaction reference,Approver No,Approved on\nP1,E9,16/10/2026\n"
    people = 'Employee No,Name,Former names,Unit\nE9,"Roe, Ann",Poole,Fleet\nE8,Jo Vane,,Fleet\n'
    gifts = "Recipient,Department,Date of offer,Donor,Accepted or declined,Registered\n"
    gifts += f'"{name}",Fleet,05/09/2026,Osprey Joinery Ltd,Accepted,06/09/2026\n'
    services.import_register(at("psd"), register(approvals, "approvals.csv"))
    services.import_register(at("psd"), register(people, "people.csv"))
    services.import_register(at("psd"), register(gifts))
    services.receive(at(), read(*month(10), *PAID))
    rows = services.list_alerts(at("psd"), services.AlertFilter(lane="psd"))
    (alert_id,) = [row["alert_id"] for row in rows if row["rule"] == "gift-to-approver"]
    for holder_id, sees in (("E9", False), ("Ann Roe", False), ("E8", True), ("Ann Vane", True)):
        reader = replace(at("psd"), actor=replace(at("psd").actor, holder_id=holder_id))
        seen = {row["alert_id"] for row in services.list_alerts(reader)}
        assert (alert_id in seen) is sees, holder_id
        assert alert_id not in seen or services.get_alert(reader, alert_id)


SENT = "Payment reference,Approver No,Approved at\n"
CHIEF = (
    "Employee No,Name,Start date,Manager No\nE0,Ann Poole,2020-01-01,\nE9,Jo Vane,2020-01-01,E0\n"
)


@pytest.mark.parametrize(
    ("rule", "approvals", "reader"),
    [
        ("rushed-approval", [f"T{n},E9,21/10/2026 09:00:00" for n in range(24)], "E9"),
        ("rushed-approval", [f"T{n},E9,21/10/2026 09:00:00" for n in range(24)]
         + [f"T{n},E8,22/10/2026 09:{n}:00" for n in range(10, 24)], "E9"),
        ("reciprocal-approval", [f"T{n},E{n % 4 ^ 1},21/10/2026 09:{n + 10}:00"
                                 for n in range(24)], "E1"),
        ("junior-approves-senior", [f"T{n},E9,21/10/2026 09:{n + 10}:00"
                                    for n in range(0, 24, 4)], "E9"),
    ],
)  # fmt: skip
def test_who_approved_payments_does_not_see_the_alert_that_asks_about_approval(
    at: At,
    read: Read,
    register: Callable[..., Register],
    rule: str,
    approvals: list[str],
    reader: str,
) -> None:
    """The register of approvals alone names them: no card register does."""
    services.import_register(at("psd"), register(CHIEF, "people.csv"))
    services.import_register(at("psd"), register(SENT + "\n".join(approvals), "approvals.csv"))
    lines = (f"2026-10-{1 + n:02},E{n % 4},SHOP {n % 5},{20 + n}.50,T{n}" for n in range(24))
    services.receive(at(), read(*lines))
    asked = [row for row in services.list_alerts(at("psd")) if row["rule"] == rule]
    about = [row["alert_id"] for row in asked if reader == "E9" or row["holders"] == ["E0"]]
    assert about
    approver = at("psd", person="approver", holder_id=reader)
    seen = {row["alert_id"] for row in services.list_alerts(approver)}
    assert seen.isdisjoint(about)
    raised = services.get_alert(at("psd"), about[0])["raised"]
    assert "approvals" in {entry.register for entry in raised.entries}, "reviewers see it"


@pytest.mark.parametrize("count", [2, 14])
def test_everybody_whom_the_entries_of_an_alert_name_is_kept_from_it(
    at: At,
    register: Callable[..., Register],
    tmp_path: Path,
    choices: ReadingChoices,
    count: int,
) -> None:
    """Of several entries the last was shown, and twelve of more: the others were not looked at."""
    rows = [
        f"G{n},Fleet,{1 + n:02}/09/2026,Osprey Joinery Ltd,Lunch,Accepted,£40,{2 + n:02}/09/2026"
        for n in range(count)
    ]
    services.import_register(at("psd"), register(GIFTS + "\n".join(rows) + "\n"))
    path = tmp_path / "october.csv"
    path.write_text(
        "Date,Employee ID,Cost Centre,Merchant,Amount,Reference\n"
        "2026-10-15,E1,Fleet,OSPREY JOINERY LTD,420.00,P1\n"
        + "".join(
            f"2026-10-{n:02},E{n % 3},Fleet,SHOP {n % 3},{n}.50,R{n}\n" for n in range(1, 14)
        ),
        encoding="utf-8",
    )
    (statement,) = read_each([path], choices)
    assert isinstance(statement, tuple), statement
    services.receive(at(), statement, is_history=True)
    (pair,) = services.list_matches(at("psd"))
    chosen = {"organisation": pair.organisation, "merchant": pair.merchant}
    services.decide_match(at("psd"), **chosen, decision="same", reason="so")
    later = path.with_name("november.csv")
    later.write_text(path.read_text("utf-8").replace("2026-10", "2026-11"), encoding="utf-8")
    (statement,) = read_each([later], choices)
    assert isinstance(statement, tuple), statement
    services.receive(at(), statement)
    rows_of_rule = [a for a in services.list_alerts(at("psd")) if a["rule"] == "gift-to-unit"]
    (alert_id,) = (row["alert_id"] for row in rows_of_rule)
    for number in range(count):
        reader = replace(at("psd"), actor=replace(at("psd").actor, holder_id=f"G{number}"))
        assert alert_id not in {row["alert_id"] for row in services.list_alerts(reader)}, number
    other = replace(at("psd"), actor=replace(at("psd").actor, holder_id="G99"))
    assert len(services.get_alert(other, alert_id)["raised"].entries) == count


def test_an_initial_and_surname_may_name_whoever_has_both_and_nobody_for_finance(
    at: At, register: Callable[..., Register]
) -> None:
    people = "Employee No,Name,Unit\nE9,Ann Roe,Fleet\nE7,Ben Roe,Fleet\nE8,Jo Vane,Fleet\n"
    services.import_register(at("psd"), register(people, "people.csv"))
    named = set(map(person_key, people_in("gifts", [("Name", "DC A Roe")])))
    with at("psd").work(AuditEvent("consultation", "register")) as uow:
        assert {number for number in ("E7", "E8", "E9") if own_keys(uow, number) & named} == {"E9"}
    with at("finance").work(AuditEvent("consultation", "register")) as uow:
        assert own_keys(uow, "E9") == {"e9"}


def test_a_later_version_alters_no_alert(
    at: At, read: Read, register: Callable[..., Register]
) -> None:
    services.import_register(at("psd"), register(GIFTS + LUNCH))
    services.receive(at(), read(*month(9), *month(10), *PAID))
    before = gift_alerts(at("psd"))
    in_november = LATER.replace("/09/2026", "/11/2026")  # nobody but E2 has paid since
    more = register(GIFTS + in_november, "more gifts.csv")
    approved(at("psd", days=1), lambda by: services.import_register(by, more))
    services.receive(
        at(days=1), read(*month(11), PAID[1].replace("10-16", "11-16").replace("P2", "P3"))
    )
    after = gift_alerts(at("psd"))
    assert [a["raised"] for a in after if a["holders"] == ["E1"]] == [a["raised"] for a in before]
    assert {tuple(a["holders"]) for a in after} == {("E1",), ("E2",)}
    assert [check.fault for check in services.verify(at("psd"))] == ["", ""]


def test_an_entry_that_says_no_day_is_known_from_its_version(
    at: At, register: Callable[..., Register]
) -> None:
    no_day = LATER.replace("08/09/2026", "")
    services.import_register(at("psd"), register(GIFTS + LUNCH))
    more = register(GIFTS + no_day, "more gifts.csv")
    late = approved(at("psd", days=2), lambda by: services.import_register(by, more))
    third = register(GIFTS + no_day, "gifts 3.csv")
    stated = approved(
        at("psd", days=3),
        lambda by: services.import_register(by, third, known_from="2026-09-10"),
    )
    versions = {v.version_id: v for v in services.get_register(at("psd"), "gifts").versions}
    assert versions[late.version_id].known_from == "2026-11-26"
    assert versions[stated.version_id].known_from == "2026-09-10"
    with at("psd").work(AuditEvent("consultation", "register"), LANES) as uow:
        entries = unpack_register(kept.get_version(uow, late.version_id)).entries
    assert str(entries["known_on"][0].date()) == "2026-11-26"


def test_a_version_that_replaces_ends_what_it_lacks(
    at: At, register: Callable[..., Register]
) -> None:
    services.import_register(at("psd"), register(GIFTS + LUNCH + LATER))
    assert services.get_register(at("psd"), "gifts").summary.entries == 2
    later = register(GIFTS + LATER, "new.csv")
    approved(at("psd", days=1), lambda by: services.import_register(by, later, replaces=True))
    assert services.get_register(at("psd"), "gifts").summary.entries == 1


def test_quality_and_unmatched_names_are_shown(
    at: At, read: Read, register: Callable[..., Register]
) -> None:
    other = LUNCH.replace("Osprey Joinery Ltd", "Kittiwake Forge Ltd")
    services.import_register(at("psd"), register(GIFTS + LUNCH + other + UNREAD))
    services.receive(at(), read(*month(10), *PAID))
    detail = services.get_register(at("psd"), "gifts")
    assert detail.quality is not None
    assert (detail.quality.entries, detail.quality.rows_unreadable) == (2, 1)
    assert (detail.unmatched, detail.matched) == (("Kittiwake Forge Ltd",), 1)


def test_a_person_decides_a_pair_once_and_may_take_it_back(
    at: At, read: Read, register: Callable[..., Register]
) -> None:
    services.receive(at(), read(*month(9), PAID[0].replace("10-15", "09-15")), is_history=True)
    services.import_register(at("psd"), register(GIFTS + LUNCH))
    (match,) = services.list_matches(at("psd"))
    assert match.match is not None
    assert (match.match.band, match.decision) == ("strong", "")
    pair = {"organisation": match.organisation, "merchant": match.merchant}
    services.decide_match(at("psd"), **pair, decision="not-the-same", reason="another firm")
    services.receive(at(), read(*month(10), PAID[0]))
    assert gift_alerts(at("psd")) == []
    assert services.list_matches(at("psd"), undecided=True) == []
    assert services.list_matches(at("psd"))[0].reason == "another firm"
    services.decide_match(at("psd"), **pair, decision="undecided", reason="decided too soon")
    assert services.list_matches(at("psd"))[0].decision == ""
    services.receive(at(), read(*month(11), PAID[0].replace("10-15", "11-15")))
    assert len(gift_alerts(at("psd"))) == 1
    assert [check.fault for check in services.verify(at("psd"))] == ["", "", ""]
    for wrong in ({"decision": "maybe", "reason": "so"}, {"decision": "same", "reason": " "}):
        with pytest.raises(CardwatchError):
            services.decide_match(at("psd"), **pair, **wrong)
    events = services.audit_events(at("psd"), lane="psd", last=99, object="match")
    assert [event["action"] for event in events] == ["alteration"] * 2


def test_a_register_and_a_list_say_how_many_match_by_chance(
    at: At, read: Read, register: Callable[..., Register]
) -> None:
    """A gift that is uploaded after the statement: the list that it raises says it too."""
    services.receive(at(), read(*month(10), *PAID))
    assert services.inbox_summary(at("psd"))["by_chance"] == ""
    services.import_register(at("psd"), register(GIFTS + LUNCH))
    pair = {"organisation": "Osprey Joinery Ltd", "merchant": "OSPREY JOINERY"}
    services.decide_match(at("psd"), **pair, decision="same", reason="seen")
    services.check_registers_now(at("psd"))
    chance = services.get_register(at("psd"), "gifts").chance
    assert chance is not None
    assert (chance.entries, chance.pairs) == (1, 1)
    assert services.names_to_review(at("psd")).chances[0].entries == 1
    note = services.inbox_summary(at("psd"))["by_chance"]
    assert note.startswith("By chance alone, this many of every 100 entries would match")
    assert services.inbox_summary(at())["by_chance"] == ""


def test_reviewed_matches_come_as_a_file_too(at: At, register: Callable[..., Register]) -> None:
    text = "Name in register,Merchant,Decision,Reason\nOsprey plc,OSPREY,same,seen the invoice\n"
    services.import_register(at("psd"), register(text, "matches.csv"))
    (match,) = services.list_matches(at("psd"))
    assert (match.organisation, match.decision) == ("Osprey plc", "same")


def test_changed_versions_are_found(at: At, register: Callable[..., Register]) -> None:
    services.import_register(at("psd"), register(GIFTS + LUNCH))
    context = at("psd")
    with context.work(AuditEvent("consultation", "register"), LANES) as uow:
        version = kept.register_versions
        which = uow.scope(version) & (version.c.seq == 1)
        uow.connection.execute(sa.update(version).where(which).values(entries=7))
    faults = [check.fault for check in services.verify_audit(context)]
    assert faults == ["", "a row of register_versions is not as it was written"]


def test_a_damaged_version_of_psd_refuses_nobodys_statement(
    at: At, read: Read, register: Callable[..., Register]
) -> None:
    services.receive(at(), read(*month(9)), is_history=True)
    received = services.import_register(at("psd"), register(GIFTS + LUNCH))
    with at("psd").work(AuditEvent("consultation", "register"), LANES) as uow:
        uow.update(kept.register_versions, kept.register_versions.c.seq == 1, {"content": b"x"})
    receipt = services.receive(at(), read(*month(10), *PAID))
    assert receipt.outcome == "received"
    assert not gift_alerts(at("psd"))
    wanted = {"action": "combination", "object": "register"}
    (event,) = services.audit_events(at("psd"), lane="psd", last=9, **wanted)
    assert (event["id"], event["outcome"]) == (received.version_id, "failed")
    assert not services.audit_events(at(), lane="finance", last=9, object="register")


def test_changed_content_is_found_by_verifying_a_statement(
    at: At, read: Read, register: Callable[..., Register]
) -> None:
    services.receive(at(), read(*month(9)), is_history=True)
    services.import_register(at("psd"), register(GIFTS + LUNCH))
    receipt = services.receive(at(), read(*month(10), *PAID))
    assert not services.verify_statement(at("psd"), receipt.statement_id).fault
    with at("psd").work(AuditEvent("consultation", "register"), LANES) as uow:
        uow.update(kept.register_versions, kept.register_versions.c.seq == 1, {"content": b"x"})
    fault = services.verify_statement(at("psd"), receipt.statement_id).fault
    assert fault == "a version of a register it was scored with has changed"
    assert not services.verify_statement(at(), receipt.statement_id).fault


@pytest.mark.parametrize("reader", ["E1", "Ann Roe", "E5"])
def test_nobody_reads_or_decides_what_is_reviewed_about_an_entry_of_theirs(
    at: At,
    read: Read,
    register: Callable[..., Register],
    tmp_path: Path,
    choices: ReadingChoices,
    reader: str,
) -> None:
    """E5 approves what E1 pays. The name of the firm may be written otherwise."""
    gifts = GIFTS.replace("Employee No", "Employee No,Name")
    gifts += LUNCH.replace("E1,", "E1,Ann Roe,") + LATER.replace("E2", "E2,Bob Day").replace(
        "Osprey Joinery", "Harbour Signs"
    )
    paid = [*PAID, "2026-10-16,E2,HARBOUR SIGNS LTD,99.00,P3"]
    cards = "employee_id,card_number,single_limit,opened_on,approver_id\n"
    cards += "E1,************1111,500,2026-01-20,E5\nE2,************2222,500,2026-01-20,E6\n"
    (tmp_path / "cards.csv").write_text(cards, encoding="utf-8")
    colleague = at("psd")
    subject = at("psd", person="subject", holder_id=reader)
    services.receive(at(), read(*month(10), *paid))
    document = services.pack_cards(read_cards(tmp_path / "cards.csv", choices))
    services.activate_document(at(), "cards", document, "2026-01-01")
    services.import_register(colleague, register(gifts))
    pairs = {one.organisation: one for one in services.list_matches(colleague)}
    own, other = pairs["Osprey Joinery Ltd"], pairs["Harbour Signs Ltd"]
    for one in (own, other):
        pair = {"organisation": one.organisation, "merchant": one.merchant}
        services.decide_match(colleague, **pair, decision="same", reason="so")
    shown = [one.organisation for one in services.list_matches(subject)]
    assert shown == ["Harbour Signs Ltd"]
    for name in ("Osprey Joinery Ltd", "OSPREY  JOINERY LIMITED", "osprey joinery"):
        pair = {"organisation": name, "merchant": own.merchant}
        with pytest.raises(NotAllowed, match="Somebody else has to decide"):
            services.decide_match(subject, **pair, decision="not-the-same", reason="so")
        reviewed = f"Organisation,Merchant,Decision,Reason\n{name},{own.merchant},not-the-same,so\n"
        with pytest.raises(NotAllowed, match="Somebody else has to decide"):
            services.import_register(subject, register(reviewed, "matches.csv"))
    counts = {one.organisation: one.decision for one in services.list_matches(colleague)}
    assert counts == {"Osprey Joinery Ltd": "same", "Harbour Signs Ltd": "same"}
    pair = {"organisation": other.organisation, "merchant": other.merchant}
    services.decide_match(subject, **pair, decision="not-the-same", reason="so")


def test_home_counts_the_names_that_wait_for_a_review(
    at: At, read: Read, register: Callable[..., Register]
) -> None:
    services.receive(at(), read(*month(9), *PAID), is_history=True)
    assert services.show_home(at("psd")).names_count == 0
    services.import_register(at("psd"), register(GIFTS + LUNCH))
    (waiting,) = services.list_matches(at("psd"), undecided=True)
    assert services.show_home(at("psd")).names_count == 1
    assert services.show_home(at()).names_count == 0
    pair = {"organisation": waiting.organisation, "merchant": waiting.merchant}
    services.decide_match(at("psd"), **pair, decision="same", reason="the same address")
    assert services.show_home(at("psd")).names_count == 0
    services.decide_match(at("psd"), **pair, decision="undecided", reason="I was not sure")
    assert services.show_home(at("psd", days=1)).names_count == 1
    assert services.show_home(at("psd", days=999)).names_count == 0


def test_home_counts_no_name_of_the_readers_own_entries(
    at: At, read: Read, register: Callable[..., Register]
) -> None:
    services.receive(at(), read(*month(9), *PAID), is_history=True)
    services.import_register(at("psd"), register(GIFTS + LUNCH))
    subject = at("psd", person=3, holder_id="E1")
    assert services.list_matches(subject) == []
    assert services.show_home(subject).names_count == 0


def test_a_name_in_several_spellings_is_reviewed_once(
    at: At, read: Read, register: Callable[..., Register]
) -> None:
    services.receive(at(), read(*month(9), *PAID), is_history=True)
    spelled = LUNCH.replace("Osprey Joinery Ltd", "OSPREY JOINERY").replace("05/09", "04/09")
    services.import_register(at("psd"), register(GIFTS + LUNCH + spelled))
    (waiting,) = services.list_matches(at("psd"))
    assert waiting.match is not None
    assert waiting.match.entries == 2
    assert services.show_home(at("psd")).names_count == 1
    other = {"organisation": "OSPREY JOINERY", "merchant": waiting.merchant}
    services.decide_match(at("psd"), **other, decision="same", reason="the same address")
    (decided,) = services.list_matches(at("psd"))
    assert decided.decision == "same"
    assert services.list_matches(at("psd"), undecided=True) == []
    first = {"organisation": waiting.organisation, "merchant": waiting.merchant}
    services.decide_match(at("psd"), **first, decision="undecided", reason="I was not sure")
    (again,) = services.list_matches(at("psd"), undecided=True)
    assert again.match is not None
    assert again.match.band != "stated"
    services.receive(at(), read("2026-10-16,E1,OSPREY JOINERY LTD,99.00,P3"))
    assert gift_alerts(at("psd")) == []
