"""What a version of a register leaves out or changes is seen before it counts, and told after."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from books import NOW, approved, second_person

from cardwatch import services
from cardwatch.casebook import LANES, AuditEvent, Casebook, tables
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.errors import Conflict, NotAllowed, SecondPersonNeeded
from cardwatch.registers import read_register
from cardwatch.services.register_changes import find_changes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.records import Register
    from cardwatch.statements import ReadingChoices

    At = Callable[..., services.ServiceContext]
    Make = Callable[..., Register]

GIFTS = "Employee No,Date of offer,Donor,Details,Accepted or declined,Registered\n"
LUNCH = "E1,05/09/2026,Osprey Joinery Ltd,Lunch,Accepted,06/09/2026\n"
CUP = "E2,07/09/2026,Kittiwake Forge Ltd,Cup,Accepted,08/09/2026\n"
PEOPLE = "Employee No,Name,Former names,Unit,Line manager No,Date started,Date left\n"
STAFF = ("E1,Bob Baker,,Fleet,E9,01/01/2020,\n", "E2,Ann Cole,,Fleet,E9,01/01/2020,\n")
CONTRACTS = "Supplier,Reference,Start date,End date\n"


@pytest.fixture
def register(tmp_path: Path, choices: ReadingChoices) -> Make:
    """Return a function that reads some text as a register."""

    def read_text(*lines: str, name: str = "gifts.csv", **options: Any) -> Register:
        path = tmp_path / name
        path.write_text("".join(lines), encoding="utf-8")
        return read_register(path, choices, **options)

    return read_text


def _asked(context: services.ServiceContext, register: Register, **given: Any) -> str:
    """Return the id of the request that an upload makes."""
    with pytest.raises(SecondPersonNeeded) as needed:
        services.import_register(context, register, **given)
    return needed.value.approval_id


def _told(changes: Any) -> list[tuple[str, str, dict[str, tuple[str, str]]]]:
    return [
        (
            one["effect"],
            one["subject"],
            {field["heading"]: (field["before"], field["after"]) for field in one["fields"]},
        )
        for one in changes
    ]


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        ((CUP,), [("left-out", "e1", "Osprey Joinery Ltd", "")]),
        (
            (LUNCH.replace("Osprey Joinery", "Heron Paper"), CUP),
            [("changed", "e1", "Osprey Joinery Ltd", "Heron Paper Ltd")],
        ),
        ((LUNCH.replace("05/09", "06/09"), CUP), [("left-out", "e1", "Osprey Joinery Ltd", ""),
                                                  ("added", "e1", "", "Osprey Joinery Ltd")]),
    ],
)  # fmt: skip
def test_one_of_psd_takes_no_entry_away_alone(
    at: At, register: Make, after: tuple[str, ...], expected: list[tuple[str, ...]]
) -> None:
    """Before, one upload left a gift out, and no later alert rested on it."""
    first = services.import_register(at("psd"), register(GIFTS, LUNCH, CUP))
    later = register(GIFTS, *after, name="later.csv")
    request = _asked(at("psd"), later, replaces=True)
    assert services.get_register(at("psd"), "gifts").versions[0].version_id == first.version_id
    approver = second_person(at("psd"))
    shown = services.get_approval(approver, request)
    assert [
        (what, who, *fields["Donor"]) for what, who, fields in _told(shown["changes"])
    ] == expected
    services.decide_approval(approver, request, agrees=True)
    receipt = services.import_register(at("psd"), later, replaces=True)
    assert receipt.outcome == "received"
    lost = [one for one in expected if one[0] != "added"]
    changes = services.version_changes(approver, receipt.version_id)
    assert [change.effect for change in changes.changes] == [one[0] for one in lost]
    (event,) = services.audit_events(
        at("psd"), lane="psd", last=1, object="register", id=receipt.version_id, outcome="done",
        action="collection",
    )  # fmt: skip
    counts = event["counts"]
    assert counts["left_out"] + counts["changed"] == len(lost)
    assert event["entries"] == [f"{first.version_id} 2"]


def test_the_same_entries_need_one_person(at: At, register: Make) -> None:
    services.import_register(at("psd"), register(GIFTS, LUNCH, CUP))
    same = register(GIFTS, CUP, LUNCH, name="same.csv")
    assert services.import_register(at("psd"), same, replaces=True).outcome == "received"


def test_who_approves_a_people_register_sees_what_it_says_of_people(at: At, register: Make) -> None:
    """Before, they saw the numbers of rows and a hash."""
    services.import_register(at("psd"), register(PEOPLE, *STAFF, name="people.csv"))
    after = (
        "E1,Bob Baker,Ann Cole,Estates,E3,01/01/2020,\n",
        "E2,Ann Cole,,Fleet,E9,01/01/2020,31/10/2026\n",
        "E5,Cat Dove,,Fleet,E9,01/11/2026,\n",
    )
    request = _asked(at("psd"), register(PEOPLE, *after, name="people2.csv"))
    approver = second_person(at("psd"))
    told = {who: (what, fields) for what, who, fields in _told(
        services.get_approval(approver, request)["changes"]
    )}  # fmt: skip
    what, fields = told["e1"]
    assert what == "changed"
    assert fields == {
        "Former names": ("", "Ann Cole"), "Unit": ("Fleet", "Estates"),
        "Manager No": ("e9", "e3"),
    }  # fmt: skip
    assert told["e2"][1]["Left"] == ("", "31 October 2026")
    assert (told["e5"][0], told["e5"][1]["Name"]) == ("added", ("", "Cat Dove"))


@pytest.mark.parametrize("given", [{"replaces": True}, {"known_from": "2026-01-01"}])
def test_what_was_approved_is_taken_in_no_other_way(
    at: At, register: Make, given: dict[str, Any]
) -> None:
    """Before, the bytes of the file alone were bound: it could replace all others too."""
    services.import_register(at("psd"), register(PEOPLE, *STAFF, name="people.csv"))
    attack = register(PEOPLE, STAFF[0].replace(",,Fleet", ",Ann Cole,Fleet"), name="people2.csv")
    services.decide_approval(second_person(at("psd")), _asked(at("psd"), attack), agrees=True)
    _asked(at("psd"), attack, **given)
    assert len(services.get_register(at("psd"), "people").versions) == 1
    assert services.import_register(at("psd"), attack).outcome == "received"


def test_a_file_that_is_read_otherwise_was_not_approved(at: At, register: Make) -> None:
    """The same bytes with the day and month turned round are other entries."""
    services.import_register(at("psd"), register(GIFTS, LUNCH, CUP))
    gone = LUNCH.replace("05/09", "04/09")
    request = _asked(at("psd"), register(GIFTS, gone, name="n.csv"), replaces=True)
    services.decide_approval(second_person(at("psd")), request, agrees=True)
    other = register(GIFTS, gone, name="n.csv")
    other.entries.loc[0, "organisation"] = "Somebody else"
    _asked(at("psd"), other, replaces=True)


def test_what_waits_is_not_exchanged_by_hand(at: At, register: Make) -> None:
    services.import_register(at("psd"), register(GIFTS, LUNCH, CUP))
    request = _asked(at("psd"), register(GIFTS, CUP, name="n.csv"), replaces=True)
    itself, approvals = at(SYSTEM), tables.approvals
    event = AuditEvent("access", "test")
    with itself.casebook.work(itself.actor, event, itself.now, lanes=LANES) as uow:
        which = uow.scope(approvals) & (approvals.c.approval_id == request)
        uow.connection.execute(sa.update(approvals).where(which).values(content=b"other"))
    for ask in (
        lambda by: services.get_approval(by, request),
        lambda by: services.decide_approval(by, request, agrees=True),
    ):
        with pytest.raises(Conflict, match="not as it was kept"):
            ask(second_person(at("psd")))


def test_nobody_approves_that_an_entry_about_them_goes(at: At, register: Make) -> None:
    services.import_register(at("psd"), register(GIFTS, LUNCH, CUP))
    request = _asked(at("psd"), register(GIFTS, CUP, name="n.csv"), replaces=True)
    subject = at("psd", person="subject", holder_id="E1")
    assert services.get_approval(subject, request)["changes"] == []
    with pytest.raises(NotAllowed, match="about you"):
        services.decide_approval(subject, request, agrees=True)
    services.decide_approval(second_person(at("psd")), request, agrees=True)


def test_of_many_changes_the_first_are_shown_and_all_are_counted(at: At, register: Make) -> None:
    lines = [f"E{number},Bob Baker,,Fleet,E9,01/01/2020,\n" for number in range(600)]
    services.import_register(at("psd"), register(PEOPLE, *lines, name="people.csv"))
    renamed = [line.replace("Fleet", "Estates") for line in lines]
    request = _asked(at("psd"), register(PEOPLE, *renamed, name="n.csv"), replaces=True)
    shown = services.get_approval(second_person(at("psd")), request)
    assert len(shown["changes"]) == 500
    assert shown["change_counts"] == {"left_out": 0, "changed": 600, "added": 0}


NAMED_GIFTS = GIFTS.replace("Employee No,", "Employee No,Name,")
NAMED = (LUNCH.replace("E1,", "E1,Bob Baker,"), CUP.replace("E2,", "E2,Ann Cole,"))


@pytest.mark.parametrize("holder_id", ["Bob Baker", ""])
@pytest.mark.parametrize("printed", ["Bob Baker", "B Baker"])
@pytest.mark.parametrize(
    "after", [(NAMED[1],), (NAMED[0].replace("Osprey Joinery", "Heron Paper"), NAMED[1])]
)
def test_nobody_approves_what_is_about_their_name(
    at: At, register: Make, after: tuple[str, ...], holder_id: str, printed: str
) -> None:
    """Before, of a changed entry only the fields that differ said about whom it is.

    And whoever holds no card had no name.
    """
    lines = [line.replace("Bob Baker", printed) for line in (*NAMED, *after)]
    services.import_register(at("psd"), register(NAMED_GIFTS, *lines[:2]))
    request = _asked(at("psd"), register(NAMED_GIFTS, *lines[2:], name="n.csv"), replaces=True)
    email = "bob@force.example"
    services.add_person(
        at(SYSTEM), name="Bob Baker", email=email, role="psd", holder_id=holder_id,
        holds_no_card=not holder_id,
    )  # fmt: skip
    actor = services.actor_of_person(at().casebook, at().actor.organisation_id, email, NOW)
    subject = services.ServiceContext(at().casebook, actor, NOW)
    assert services.get_approval(subject, request)["changes"] == []
    with pytest.raises(NotAllowed, match="about you"):
        services.decide_approval(subject, request, agrees=True)
    (shown,) = services.get_approval(second_person(at("psd")), request)["changes"]
    assert (shown["name"], shown["day"]) == (printed, "2026-09-05")


def test_what_is_not_kept_any_more_is_not_approved(at: At, register: Make) -> None:
    """Before, a request whose content somebody had taken out was approved unseen."""
    services.import_register(at("psd"), register(GIFTS, LUNCH, CUP))
    request = _asked(at("psd"), register(GIFTS, CUP, name="n.csv"), replaces=True)
    itself, approvals = at(SYSTEM), tables.approvals
    event = AuditEvent("access", "test")
    with itself.casebook.work(itself.actor, event, itself.now, lanes=LANES) as uow:
        which = uow.scope(approvals) & (approvals.c.approval_id == request)
        uow.connection.execute(sa.update(approvals).where(which).values(content=None))
    with pytest.raises(Conflict, match="not kept any more"):
        services.decide_approval(second_person(at("psd")), request, agrees=True)


def test_what_another_version_has_overtaken_is_not_approved(at: At, register: Make) -> None:
    """What the second person was shown is no longer what it would do."""
    services.import_register(at("psd"), register(GIFTS, LUNCH, CUP))
    request = _asked(at("psd"), register(GIFTS, CUP, name="n.csv"), replaces=True)
    hat = CUP.replace("Cup", "Hat")
    other = register(GIFTS, hat, name="hat.csv")
    approved(at("psd"), lambda by: services.import_register(by, other))
    with pytest.raises(Conflict, match="newer version"):
        services.decide_approval(second_person(at("psd")), request, agrees=True)
    later = register(GIFTS, CUP, name="n.csv")
    assert _asked(at("psd"), later, replaces=True) != request


def test_the_file_stays_no_longer_than_the_request(at: At, register: Make) -> None:
    services.import_register(at("psd"), register(GIFTS, LUNCH, CUP))
    later = register(GIFTS, CUP, name="n.csv")
    refused = _asked(at("psd"), later, replaces=True)
    services.decide_approval(second_person(at("psd")), refused, agrees=False)
    approved(at("psd"), lambda by: services.import_register(by, later, replaces=True))
    expired = _asked(at("psd"), register(GIFTS, LUNCH, name="x.csv"), replaces=True)
    assert "changes" not in services.get_approval(at("psd"), refused)
    assert "changes" in services.get_approval(at("psd"), expired)
    assert "changes" not in services.get_approval(at("psd", days=8), expired)
    with at("psd").work(AuditEvent("access", "test"), LANES) as uow:
        held = sa.select(tables.approvals.c.approval_id).where(
            uow.scope(tables.approvals), tables.approvals.c.content.is_not(None)
        )
        assert uow.fetch_all(held) == []


CURRENT = ("Osprey Ltd,C1,01/01/2026,31/12/2026\n", "Heron Ltd,C2,01/01/2026,31/12/2026\n")
LATER_END = "Osprey Ltd,C1,01/01/2026,31/12/2029\n"


@pytest.mark.parametrize(
    ("lines", "replaces", "said"),
    [
        (CURRENT[1:], True, "Left out: Osprey Ltd, c1"),
        ((LATER_END, CURRENT[1]), True, "End date from '31 December 2026' to '31 December 2029'"),
        ((LATER_END,), False, "Added: Osprey Ltd, c1"),
        (("Shell Company Ltd,C9,01/01/2025,31/12/2029\n",), False, "Added: Shell Company Ltd, c9"),
    ],
)
def test_two_of_finance_change_the_contracts_in_use(
    at: At, register: Make, lines: tuple[str, ...], said: str, *, replaces: bool
) -> None:
    """Whoever changes, leaves out or adds a contract alone could hide what is paid by card."""
    services.import_register(at(), register(CONTRACTS, *CURRENT, name="contracts.csv"))
    later = register(CONTRACTS, *lines, name="contracts2.csv")
    assert services.import_register(at("psd"), later, replaces=replaces).outcome == "second-person"
    for _ in range(2):  # nobody is their own second person, or that of professional standards
        waiting = services.import_register(at(), later, replaces=replaces)
        assert (waiting.outcome, waiting.version_id) == ("second-person", "")
        assert any(said in note for note in waiting.notes), waiting.notes
    otherwise = {"replaces": replaces, "known_from": "2026-01-02"}
    assert services.import_register(at(person=2), later, **otherwise).outcome == waiting.outcome
    assert services.get_register(at(), "contracts").summary.versions == 1
    receipt = services.import_register(at(person=2), later, replaces=replaces)
    assert receipt.outcome == "received"
    assert services.get_register(at(), "contracts").summary.versions == 2


def test_professional_standards_confirm_the_contracts_of_the_only_person_of_finance(
    at: At, register: Make
) -> None:
    services.import_register(at(), register(CONTRACTS, *CURRENT, name="contracts.csv"))
    later = register(CONTRACTS, CURRENT[1], name="contracts2.csv")
    assert services.import_register(at(), later, replaces=True).outcome == "second-person"
    otherwise = services.import_register(at("psd"), later, replaces=True, known_from="2026-01-02")
    assert (otherwise.outcome, otherwise.version_id) == ("second-person", "")
    assert services.import_register(at("psd"), later, replaces=True).outcome == "received"
    (newest, _) = services.get_register(at(), "contracts").versions
    assert newest.received_by != at("psd").actor.actor_id
    assert [one.fault for one in services.verify_audit(at("psd"))] == ["", ""]


def test_one_person_backdates_no_contract(at: At, register: Make) -> None:
    """Before, the same file once more with an earlier day covered what was paid until then."""
    first = register(CONTRACTS, *CURRENT, name="contracts.csv")
    services.import_register(at(), first, known_from="2026-11-01")
    same, attack = register(CONTRACTS, *CURRENT, name="contracts.csv"), {"known_from": "2026-01-01"}
    waiting = services.import_register(at(), same, **attack)
    assert waiting.outcome == "second-person"
    assert "as it changes 2 entries." in waiting.notes[0]
    changed = "Changed: Osprey Ltd, c1: Known from from '1 November 2026' to '1 January 2026'"
    assert waiting.notes[1] == changed
    assert services.import_register(at(), same, **attack).outcome == "second-person"
    assert services.get_register(at(), "contracts").summary.versions == 1
    receipt = services.import_register(at(person=2), same, **attack)
    assert receipt.outcome == "received"
    changes = services.version_changes(at(), receipt.version_id)
    assert changes.counts == {"left_out": 0, "changed": 2, "added": 0}


@pytest.mark.parametrize("known_from", ["", "2026-11-20"])
def test_a_contract_that_is_known_no_earlier_needs_nobody(
    at: At, register: Make, known_from: str
) -> None:
    first = register(CONTRACTS, *CURRENT, name="contracts.csv")
    services.import_register(at(), first, known_from="2026-11-01")
    same = register(CONTRACTS, *reversed(CURRENT), name="contracts2.csv")
    receipt = services.import_register(at(), same, known_from=known_from)
    assert receipt.outcome == "received"


def test_one_of_psd_backdates_no_entry(at: At, register: Make) -> None:
    """An interest or gift that was known then raises no alert about what was recorded late."""
    lines = [line.rpartition(",")[0] + ",\n" for line in (LUNCH, CUP)]
    services.import_register(at("psd"), register(GIFTS, *lines), known_from="2026-11-01")
    same, attack = register(GIFTS, *lines), {"known_from": "2026-09-05"}
    request = _asked(at("psd"), same, **attack)
    shown = services.get_approval(second_person(at("psd")), request)
    assert shown["change_counts"] == {"left_out": 0, "changed": 2, "added": 0}
    fields = {"Known from": ("1 November 2026", "5 September 2026")}
    assert [one[2] for one in _told(shown["changes"])] == [fields, fields]
    services.decide_approval(second_person(at("psd")), request, agrees=True)
    assert services.import_register(at("psd"), same, **attack).outcome == "received"


@pytest.mark.parametrize("replaces", [False, True])
@pytest.mark.parametrize("beside", [(), STAFF, STAFF[1:]])
def test_one_of_psd_changes_nobody_alone(
    at: At, register: Make, beside: tuple[str, ...], *, replaces: bool
) -> None:
    """Before, the same person in another unit needed nobody where the register was not whole."""
    services.import_register(at("psd"), register(PEOPLE, *STAFF, name="people.csv"))
    moved = STAFF[0].replace("Fleet,E9", "Estates,E2")
    later = register(PEOPLE, *beside, moved, name="people2.csv")
    request = _asked(at("psd"), later, replaces=replaces)
    shown = services.get_approval(second_person(at("psd")), request)
    assert ("changed", "e1", {"Unit": ("Fleet", "Estates"), "Manager No": ("e9", "e2")}) in _told(
        shown["changes"]
    )
    assert services.get_register(at("psd"), "people").summary.versions == 1


def test_one_of_psd_adds_somebody_who_is_new(at: At, register: Make) -> None:
    services.import_register(at("psd"), register(PEOPLE, *STAFF, name="people.csv"))
    joined = register(PEOPLE, *STAFF, "E5,Cat Dove,,Fleet,E9,01/11/2026,\n", name="people2.csv")
    assert services.import_register(at("psd"), joined).outcome == "received"


def test_a_register_that_waits_says_only_what_it_does(at: At, register: Make) -> None:
    """Before, how the file was read stood among its entries, and none was counted too."""
    services.import_register(at(), register(CONTRACTS, *CURRENT, name="contracts.csv"))
    lines = (LATER_END, "Kite Ltd,C3,01/01/2026,31/12/2026\n")
    later = register(CONTRACTS, *lines, name="contracts2.csv")
    why, *effects = services.import_register(at(), later, replaces=True).notes
    assert why == (
        "A second person is needed: contracts2.csv can hide payments from alerts, as it leaves out "
        "1 entry, changes 1 entry and adds 1 entry. Another person of finance, or somebody of "
        "professional standards, has to upload the same file with the same choices within 7 days."
    )
    assert effects == [
        "Left out: Heron Ltd, c2",
        "Changed: Osprey Ltd, c1: End date from '31 December 2026' to '31 December 2029'",
        "Added: Kite Ltd, c3",
    ]
    one = register(CONTRACTS, lines[1], name="contracts3.csv")
    why, *effects = services.import_register(at(), one).notes
    assert "as it adds 1 entry. Another" in why
    assert effects == ["Added: Kite Ltd, c3"]


def test_finance_is_told_what_its_register_leaves_out(at: At, register: Make) -> None:
    services.import_register(at(), register(CONTRACTS, *CURRENT, name="contracts.csv"))
    later = register(CONTRACTS, CURRENT[1], name="contracts2.csv")
    services.import_register(at(person=2), later, replaces=True)
    receipt = services.import_register(at(), later, replaces=True)
    assert receipt.outcome == "received"
    assert "1 entry of earlier versions left out, 0 changed" in receipt.notes
    (change,) = services.version_changes(at(), receipt.version_id).changes
    assert (change.effect, change.subject) == ("left-out", "c1")


COMPANIES = "Company name,Company number,Status,Dissolved,As of\n"


def test_two_of_finance_take_a_dissolved_company_out(at: At, register: Make) -> None:
    """A newer snapshot of companies needs nobody, unless one that was dissolved is so no more."""
    gone = "Osprey Ltd,01234567,dissolved,01/03/2026,01/04/2026\n"
    heron = "Heron Ltd,07654321,active,,01/04/2026\n"
    services.import_register(at(), register(COMPANIES, gone, heron, name="companies.csv"))
    closed = heron.replace("active,,", "dissolved,01/05/2026,")
    newer = register(COMPANIES, gone, closed, name="companies2.csv")
    assert services.import_register(at(), newer, replaces=True).outcome == "received"
    living = closed, gone.replace("dissolved,01/03/2026", "active,")
    hiding = register(COMPANIES, *living, name="companies3.csv")
    assert services.import_register(at(), hiding, replaces=True).outcome == "second-person"
    assert services.import_register(at(person=2), hiding, replaces=True).outcome == "received"


def test_one_of_psd_adds_no_entry_that_is_not_so(at: At, register: Make) -> None:
    """The first version is one person's: before it no alert could rest on the register."""
    services.import_register(at("psd"), register(GIFTS, LUNCH))
    untrue = register(GIFTS, CUP, name="more.csv")
    with pytest.raises(SecondPersonNeeded) as needed:
        services.import_register(at("psd"), untrue)
    shown = services.get_approval(second_person(at("psd")), needed.value.approval_id)
    assert [change["effect"] for change in shown["changes"]] == ["added"]
    assert (
        approved(at("psd"), lambda by: services.import_register(by, untrue)).outcome == "received"
    )


def test_whoever_looks_at_changes_keeps_nobody_from_writing(
    at: At, register: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A register of thousands takes a second to compare; others upload and decide meanwhile."""
    psd, finance = at("psd"), at()
    services.import_register(psd, register(GIFTS, LUNCH, CUP))
    same = register(GIFTS, CUP, LUNCH, name="same.csv")
    version = services.import_register(psd, same, replaces=True).version_id
    request = _asked(psd, register(GIFTS, CUP, name="n.csv"), replaces=True)
    other = Casebook(str(finance.casebook.url.render_as_string(hide_password=False)),
                     busy_seconds=0.1)  # fmt: skip
    writes: list[int] = []

    def compare_and_write(*given: Any, **named: Any) -> Any:
        services.list_statements(replace(finance, casebook=other))  # its event is written
        writes.append(1)
        return find_changes(*given, **named)

    for module in ("approvals", "register_changes"):
        monkeypatch.setattr(f"cardwatch.services.{module}.find_changes", compare_and_write)
    assert services.version_changes(psd, version).changes == ()
    assert services.get_approval(psd, request)["change_counts"]["left_out"] == 1
    assert len(writes) == 2
    other.close()
