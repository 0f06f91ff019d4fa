"""Nobody hides alerts about a cardholder from colleagues by giving them the cardholder's name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from books import EQUAL, SPLIT, month, second_person

from cardwatch import services
from cardwatch.casebook import LANES, AuditEvent
from cardwatch.casebook.tables import holder_names, transactions
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.errors import Conflict, SecondPersonNeeded
from cardwatch.registers import read_register
from cardwatch.statements import read_each

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.records import Register
    from cardwatch.statements import ReadingChoices

    Context = Callable[..., services.ServiceContext]
    ReadAs = Callable[..., Any]

NAMES = {"E0": "Zed Ash", "E1": "Bob Baker", "E2": "Ann Cole", "E3": "Cat Dove"}
BOTH = "Employee ID,Cardholder"


@pytest.fixture
def read_as(tmp_path: Path, choices: ReadingChoices) -> ReadAs:
    """Read a statement whose payments name cardholders in the columns that are given."""

    def read(headings: str, *lines: str) -> Any:
        path = tmp_path / f"statement-{len(list(tmp_path.iterdir()))}.csv"
        whole = f"Date,{headings},Merchant,Amount,Reference"
        path.write_text("\n".join([whole, *lines, ""]), encoding="utf-8")
        (found,) = read_each([path], choices)
        assert isinstance(found, tuple), found
        return found

    return read


def _month(headings: str, *more: str, number: int = 10) -> list[str]:
    """Return a month that names each cardholder in some columns."""
    lines = []
    for line in [*month(number), *more]:
        day, holder, *rest = line.split(",")
        cells = {
            "Employee ID": holder,
            "Cardholder": NAMES[holder],
            BOTH: f"{holder},{NAMES[holder]}",
        }
        lines.append(",".join([day, cells[headings], *rest]))
    return lines


def _about(context: services.ServiceContext, *holders: str) -> list[str]:
    """Return the ids of the alerts that somebody sees about cardholders."""
    found = services.list_alerts(context)
    return [one["alert_id"] for one in found if set(one["holders"]) & set(holders)]


@pytest.mark.parametrize(
    ("known_by", "headings", "reviewer"),
    [
        ("Employee ID", "Employee ID,Cardholder ID", "E3,E1"),
        ("Employee ID", "Employee ID,Cardholder ID", "E1,E3"),
        ("Employee ID", BOTH, "E3,E1"),
        (BOTH, "Employee ID,Cardholder ID", "E3,E1"),
        (BOTH, BOTH, "E3,Bob Baker"),
        ("Cardholder", "Cardholder,Cardholder ID", "Cat Dove,Bob Baker"),
    ],
)
@pytest.mark.parametrize("day", ["2026-08-20", "2026-10-20"])
def test_one_person_blinds_no_colleague_by_naming_them_beside_a_cardholder(
    at: Context, read_as: ReadAs, known_by: str, headings: str, reviewer: str, day: str
) -> None:
    """Before, one small file for all reviewers left nobody who saw the alert."""
    services.receive(at(), read_as(known_by, *_month(known_by, *SPLIT)))
    link = "Cat Dove" if known_by == "Cardholder" else "E3"
    reviewers = [at(role, person="reviewer", holder_id=link) for role in ("finance", "psd")]
    before = [_about(one, "E1", "Bob Baker") for one in reviewers]
    assert all(before)
    attack, is_history = read_as(headings, f"{day},{reviewer},SHOP 1,1.00,P1"), "-08-" in day
    for _ in range(2):  # the same person is never the second one
        receipt = services.receive(at(), attack, is_history=is_history)
        assert receipt.outcome == "second-person"
        assert "row 2 gives one cardholder" in receipt.notes[0]
    assert [_about(one, "E1", "Bob Baker") for one in reviewers] == before
    second = services.receive(at(person=2), attack, is_history=is_history)
    assert second.outcome == "received", "two people say that they are one"


@pytest.mark.parametrize(
    ("known_by", "headings", "line"),
    [
        ("Employee ID", BOTH, "E3,Cat Dove"),  # a name that is new
        ("Cardholder", BOTH, "E3,Cat Dove"),  # a number that is new
        (BOTH, BOTH, "E9,Bob Baker"),  # somebody new who has the same name
        (BOTH, BOTH, "E3,Cat Smith"),  # a new name after a wedding
        (BOTH, BOTH, "E3,CAT  DOVE"),
        (BOTH, "Employee ID,Account", "E3,E1"),  # an account may be everybody's
        ("Employee ID", "Employee ID,Cardholder ID", "E3,H3"),
    ],
)
def test_what_statements_say_every_month_needs_one_person(
    at: Context, read_as: ReadAs, known_by: str, headings: str, line: str
) -> None:
    services.receive(at(), read_as(known_by, *_month(known_by)))
    later = read_as(headings, f"2026-11-20,{line},SHOP 1,1.00,P1")
    assert services.receive(at(), later).outcome == "received"


@pytest.mark.parametrize(
    "number",
    [
        "\uff251", "\u04151", "\u03951", "E\u06f1", "\U0001d404\U0001d7cf", "E1\ufe0f", "E1\u0301",
        "E1\U000e0041", "\u3164E1", "E\u200b1", "e 1",
    ],
)  # fmt: skip
def test_a_number_that_looks_the_same_is_the_same_person(
    at: Context, read: Callable[..., Any], number: str
) -> None:
    """Before, whoever brings the file could see and answer what is about them."""
    split = [line.replace("E1", number) for line in SPLIT]
    services.receive(at(), read(*month(10), *split))
    subject = at("finance", person="subject", holder_id="E1")
    colleague = at("finance", person="colleague", holder_id="E9")
    assert services.list_alerts(colleague)
    assert services.list_alerts(subject) == []


def test_numbers_alone_then_names_alone_then_both_need_one_person(
    at: Context, read_as: ReadAs
) -> None:
    for number, headings in enumerate(("Employee ID", "Cardholder", BOTH), 8):
        statement = read_as(headings, *_month(headings, number=number))
        assert services.receive(at(), statement).outcome == "received"


def test_names_that_psd_alone_see_ask_nobody_for_a_second_person(
    at: Context, read_as: ReadAs
) -> None:
    """Or whoever uploads could find out what a hold of professional standards keeps."""
    services.receive(at(), read_as(BOTH, *_month(BOTH)))
    itself = at(SYSTEM)
    event = AuditEvent("erasure", "data")
    with itself.casebook.work(itself.actor, event, itself.now, lanes=LANES) as uow:
        for table in (transactions, holder_names):
            uow.update(table, table.c.visible_to_psd_only == 0, {"visible_to_psd_only": 1})
    attack = read_as(BOTH, "2026-11-20,E3,Bob Baker,SHOP 1,1.00,P1")
    assert services.receive(at(), attack).outcome == "received"


@pytest.fixture
def people(tmp_path: Path, choices: ReadingChoices) -> Callable[..., Register]:
    """Read a people register of some rows."""

    def read(*rows: str) -> Register:
        path = tmp_path / f"people-{len(list(tmp_path.iterdir()))}.csv"
        path.write_text(
            "\n".join(["Employee Number,Name,Former names", *rows, ""]), encoding="utf-8"
        )
        return read_register(path, choices, kind="people")

    return read


@pytest.mark.parametrize(
    ("before", "attack", "known_by"),
    [
        ((), ("E1,Bob Baker,Ann Cole;Cat Dove",), BOTH),
        ((), ("E1,Bob Baker,", "E1,Cat Dove,"), BOTH),
        ((), ("E3,Cat Dove,", "E1,Bob Baker,Cat Dove"), BOTH),
        (("E3,Cat Dove,", "E1,Bob Baker,"), ("E1,Cat Dove,",), BOTH),
        (("E3,Cat Dove,", "E1,Bob Baker,"), ("E3,Cat Dove,Bob Baker",), "Cardholder"),
    ],
)
def test_one_of_psd_blinds_no_colleague_by_a_people_register(
    at: Context,
    read_as: ReadAs,
    people: Callable[..., Register],
    before: tuple[str, ...],
    attack: tuple[str, ...],
    known_by: str,
) -> None:
    services.receive(at(), read_as(known_by, *_month(known_by, *SPLIT)))
    evil = at("psd", person="evil", holder_id="E1")
    if before:
        services.import_register(evil, people(*before))
    reviewer = at("psd", person="reviewer", holder_id="E3")
    seen = _about(reviewer, "E1", "Bob Baker")
    assert seen
    register = people(*attack)
    with pytest.raises(SecondPersonNeeded) as refusal:
        services.import_register(evil, register)
    assert _about(reviewer, "E1", "Bob Baker") == seen
    approval = services.get_approval(evil, refusal.value.approval_id)
    assert approval["scope"]["rows"]
    services.decide_approval(second_person(evil), refusal.value.approval_id, agrees=True)
    assert services.import_register(evil, register).outcome == "received"


@pytest.mark.parametrize(
    ("later", "rows"),
    [
        (("E0,Zed Ash,", "E7,Bob Baker,"), None),  # as before, and somebody new of the same name
        (("E0,Zed Ash,", "E1,Bob Baker,Bob Bread"), []),  # a former name that is new
        (("E3,Cat Smith,Cat Dove",), []),
        (("E3,Cat Smith,Dove",), []),
    ],
)
def test_one_person_adds_people_and_two_change_them(
    at: Context,
    read_as: ReadAs,
    people: Callable[..., Register],
    later: tuple[str, ...],
    rows: list[int] | None,
) -> None:
    """A name that is new gives nobody the name of another, and is a change all the same."""
    services.receive(at(), read_as(BOTH, *_month(BOTH, *EQUAL)))
    first = people(*(f"{number},{name}," for number, name in NAMES.items()))
    assert services.import_register(at("psd"), first).outcome == "received"
    version = people(*later)
    if rows is not None:
        with pytest.raises(SecondPersonNeeded) as needed:
            services.import_register(at("psd"), version)
        approval_id = needed.value.approval_id
        assert services.get_approval(at("psd"), approval_id)["scope"]["rows"] == rows
        services.decide_approval(second_person(at("psd")), approval_id, agrees=True)
    assert services.import_register(at("psd"), version).outcome == "received"


@pytest.mark.parametrize("role", ["finance", "auditor"])
def test_two_people_with_access_are_never_one_cardholder(at: Context, role: str) -> None:
    """Before, admin could blind all of finance to an alert by making each its cardholder."""
    giver = at("admin")
    at(role, person="subject", holder_id="E1")
    colleague = at(role, person="colleague", holder_id="E3")
    email = f"{role}colleague@saltmarsh-vale.example"
    with pytest.raises(Conflict, match="Somebody else who uses cardwatch") as refusal:
        services.set_link(giver, email, holder_id=" e1 ")
    assert refusal.value.field == "holder_id"
    with pytest.raises(Conflict):
        services.add_person(giver, name="n", email="n@x.example", role=role, holder_id="E1")
    same = {one["email"]: one["holder_id"] for one in services.list_people(giver)}
    assert same[email] == colleague.actor.holder_id
    services.end_person(giver, f"{role}subject@saltmarsh-vale.example")
    services.set_link(giver, email, holder_id="E1")


def test_who_is_of_psd_is_not_told_by_a_cardholder_that_is_taken(at: Context) -> None:
    at("psd", person="subject", holder_id="E1")
    services.add_person(at("admin"), name="n", email="n@x.example", role="finance", holder_id="E1")


CARDS = {"E0": "1000", "E1": "1001", "E2": "1002", "E3": "1003"}


def _with_cards() -> list[str]:
    """Return a month that names each cardholder and card."""
    rows = [line.split(",") for line in [*month(10), *SPLIT]]
    return [",".join([day, NAMES[e], CARDS[e], *rest]) for day, e, *rest in rows]


def test_a_colleagues_card_needs_a_second_person(at: Context, read_as: ReadAs) -> None:
    headings = "Cardholder,Card Number"
    services.receive(at(), read_as(headings, *_with_cards()))
    reviewers = [at(role, person="reviewer", holder_id="Cat Dove") for role in LANES]
    before = [_about(one, "Bob Baker") for one in reviewers]
    assert all(before)
    attack = read_as(headings, "2026-10-20,Bob Baker,1003,SHOP 1,1.00,P1")
    assert services.receive(at(), attack).outcome == "second-person"
    assert [_about(one, "Bob Baker") for one in reviewers] == before
    new_card = read_as(headings, "2026-11-20,Bob Baker,1009,SHOP 1,1.00,P1")
    assert services.receive(at(), new_card).outcome == "received"


def test_a_card_joins_nobody_in_two_steps(at: Context, read_as: ReadAs) -> None:
    services.receive(at(), read_as(BOTH, *_month(BOTH)))
    services.receive(at(), read_as("Cardholder", *_month("Cardholder", *SPLIT, number=11)))
    reviewers = [at(role, person="reviewer", holder_id="E3") for role in LANES]
    before = [_about(one, "E1", "Bob Baker") for one in reviewers]
    assert all(before)
    card = "4929 1234 1234 1003"
    for headings, name in (
        ("Employee ID,Card Number", "E3"),
        ("Cardholder,Card Number", "Bob Baker"),
    ):
        services.receive(at(), read_as(headings, f"2026-11-20,{name},{card},SHOP 1,1.00,{name}"))
    assert [_about(one, "E1", "Bob Baker") for one in reviewers] == before


@pytest.mark.parametrize("row", ["E1,Cat Dove,", "E3,Bob Baker,", "E3,Cat Dove,Bob Baker"])
def test_a_first_people_register_gives_nobody_a_name_that_payments_know(
    at: Context, read_as: ReadAs, people: Callable[..., Register], row: str
) -> None:
    services.receive(at(), read_as(BOTH, *_month(BOTH)))
    services.receive(at(), read_as("Cardholder", *_month("Cardholder", *SPLIT, number=11)))
    uploader = at("psd", person="uploader", holder_id="E1")
    reviewer = at("psd", person="reviewer", holder_id="E3")
    seen = _about(reviewer, "E1", "Bob Baker")
    assert seen
    with pytest.raises(SecondPersonNeeded):
        services.import_register(uploader, people(row))
    assert _about(reviewer, "E1", "Bob Baker") == seen


def test_two_people_are_not_one_cardholder_under_two_names(at: Context, read_as: ReadAs) -> None:
    services.receive(at(), read_as(BOTH, *_month(BOTH, *SPLIT)))
    at("finance", person="subject", holder_id="E1")
    at("finance", person="colleague", holder_id="E3")
    with pytest.raises(Conflict, match="cardholder"):
        services.set_link(
            at("admin"), "financecolleague@saltmarsh-vale.example", holder_id="Bob Baker"
        )
