"""Alerts about several people: each is about all of them, and of nobody else."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from books import EQUAL, KEY, export_alerts, month, needs_pdf

from cardwatch import services
from cardwatch.casebook import Actor, AuditEvent, documents
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.casebook.queries import ReplyInput
from cardwatch.errors import CardwatchError, NotFound
from cardwatch.reports.subject_access import REDACTED
from cardwatch.statements import read_each

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.casebook.rows import SentQuery
    from cardwatch.statements import ReadingChoices

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

BILLS = [
    "2026-10-05,E1,ROOFING CO,732.16,B1",
    "2026-10-09,E2,ROOFING CO,732.16,B2",
    "2026-10-07,E7,DENTAL LAB,655.31,B3",
    "2026-10-12,E8,DENTAL LAB,655.31,B4",
]
"""Two bills, each paid by two cardholders; nobody paid both."""
GROUPS = [*EQUAL, *(f"2026-10-20,G{n},PAINTBALL PARK,264.00,P{n}" for n in range(4))]
"""Two groups of four cardholders, each paying the same sum at one place."""


def ordinary(number: int) -> list[str]:
    """An ordinary month of twelve cardholders at four shops."""
    return [
        f"2026-{number:02}-{1 + n % 27:02},E{n % 12},SHOP {n % 4},{10 + (n * 37) % 89}."
        f"{(n * 13 + number) % 100:02},R{number}-{n}"
        for n in range(130)
    ]


def put_policy(finance: services.ServiceContext, text: str) -> None:
    """Make a policy the active one, as if two people had agreed to it."""
    with finance.work(AuditEvent("alteration", "policy"), ()) as uow:
        documents.activate_document(uow, "policy", text.encode(), "2020-01-01")


@pytest.fixture
def bills(at: Context, read: Read) -> dict[str, dict[str, Any]]:
    """The two alerts about a bill paid twice, by the merchant of each."""
    before = [line for number in range(1, 10) for line in ordinary(number)]
    services.receive(at(), read(*before), is_history=True)
    services.receive(at(), read(*ordinary(10), *BILLS))
    rows = [row for row in services.list_alerts(at()) if len(row["holders"]) == 2]
    return {row["merchants"][0]: row for row in rows}


def test_an_alert_names_each_of_its_cardholders(bills: dict[str, dict[str, Any]]) -> None:
    assert {name: row["holders"] for name, row in bills.items()} == {
        "ROOFING CO": ["E1", "E2"],
        "DENTAL LAB": ["E7", "E8"],
    }


@needs_pdf
def test_a_reply_about_two_people_names_only_whose_pack_it_is(
    at: Context, bills: dict[str, dict[str, Any]]
) -> None:
    query = services.Query("The Manager", "manager@force.example")
    alert_id = bills["ROOFING CO"]["alert_id"]
    sent = services.send_query(at(), alert_id, query, lambda *_: None, marking="OFFICIAL")
    reply = ReplyInput("The Manager", "E2 paid it first, E1 again")
    services.record_reply(at(), sent["query_id"], reply)
    pack = services.make_subject_access_pack(at("auditor"), ["E1"], marking="OFFICIAL", key=KEY)
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        (shown,) = json.loads(archive.read("data.json"))["queries"]
    assert shown["replies"][0]["text"] == f"{REDACTED} paid it first, E1 again"


def test_a_line_managers_document_is_about_the_people_of_its_alert_alone(
    at: Context, bills: dict[str, dict[str, Any]]
) -> None:
    roofing = bills["ROOFING CO"]["alert_id"]

    def ask(recipient: str) -> Any:
        return services.ask_manager(at(), roofing, recipient=recipient, marking="OFFICIAL")[1]

    text = repr(ask("Head of estates"))
    assert dict(ask("Head of estates").facts)["Payments of"] == "E1, E2"
    assert "ROOFING CO" in text
    for other in ("DENTAL", "E7", "E8", "655.31"):
        assert other not in text
    for recipient in ("E1", "e 2"):
        with pytest.raises(CardwatchError, match="goes to their line manager"):
            ask(recipient)
    assert [row["alert_id"] for row in services.list_questions(at(), roofing)] == [roofing]


def test_other_alerts_are_those_that_share_a_person_or_a_merchant(
    at: Context, read: Read, bills: dict[str, dict[str, Any]]
) -> None:
    split = ["2026-11-11,E2,NEW FIRM,900.00,S1", "2026-11-11,E2,NEW FIRM,950.00,S2"]
    services.receive(at(), read(*ordinary(11), *split))
    (alone,) = services.list_alerts(at(), services.AlertFilter(rule="split-same-day"))
    roofing, dental = (bills[name]["alert_id"] for name in ("ROOFING CO", "DENTAL LAB"))
    related = {row["alert_id"] for row in services.get_alert(at(), roofing)["related"]}
    assert alone["alert_id"] in related
    assert dental not in related
    for shown, hidden in ((roofing, dental), (dental, roofing)):
        same = {
            row["alert_id"]
            for row in services.list_alerts(at(), services.AlertFilter(same_holder_as=shown))
        }
        assert shown in same
        assert hidden not in same
    same = {
        row["alert_id"]
        for row in services.list_alerts(
            at(), services.AlertFilter(same_holder_as=alone["alert_id"])
        )
    }
    assert {alone["alert_id"], roofing} <= same
    assert dental not in same
    asked = {row["alert_id"] for row in services.list_questions(at(), alone["alert_id"])}
    assert alone["alert_id"] in asked
    assert roofing not in asked, "an alert about E1 as well is not for E2's manager alone"


def test_two_groups_with_nobody_in_common_do_not_list_each_other(at: Context, read: Read) -> None:
    services.receive(at(), read(*month(9)), is_history=True)
    services.receive(at(), read(*month(10), *GROUPS))
    rows = services.list_alerts(
        at("psd"), services.AlertFilter(lane="psd", rule="equal-amounts-across-holders")
    )
    first, second = sorted(rows, key=lambda row: row["holders"])
    assert first["holders"] == ["E0", "E1", "E2", "E3"]
    assert second["holders"] == ["G0", "G1", "G2", "G3"]
    for own, other in ((first, second), (second, first)):
        whole = services.get_history(at("psd"), own["alert_id"])
        assert other["alert_id"] not in {row["alert_id"] for row in whole["related"]}
        masks = [whole["names"][name] for name in own["holders"]]
        assert len(set(masks)) == len(masks)
        assert not set(masks) & set(own["holders"])


@pytest.mark.parametrize("person", ["E1", "E2"])
def test_nobody_sees_an_alert_about_themselves_and_others(
    at: Context, bills: dict[str, dict[str, Any]], person: str
) -> None:
    owner = at().actor.organisation_id
    own = services.ServiceContext(at().casebook, Actor(owner, "self", "finance", person), at().now)
    roofing = bills["ROOFING CO"]["alert_id"]
    assert roofing not in {row["alert_id"] for row in services.list_alerts(own)}
    assert bills["DENTAL LAB"]["alert_id"] in {row["alert_id"] for row in services.list_alerts(own)}
    for refused in (
        lambda: services.get_alert(own, roofing),
        lambda: services.get_history(own, roofing),
        lambda: services.decide(own, roofing, DecisionInput("seen", "explained")),
        lambda: services.suppress(own, roofing, until="2027-03-31", reason="two sites"),
        lambda: services.place_hold(own, roofing, reason="case 12"),
        lambda: export_alerts(own, alert_ids=(roofing,), key=KEY),
        lambda: services.ask_manager(own, roofing, recipient="X", marking=""),
    ):
        with pytest.raises(NotFound):
            refused()


def test_only_alerts_about_one_cardholder_can_be_suppressed(
    at: Context, bills: dict[str, dict[str, Any]]
) -> None:
    with pytest.raises(CardwatchError, match="one cardholder"):
        services.suppress(
            at(), bills["ROOFING CO"]["alert_id"], until="2027-03-31", reason="two sites"
        )


def test_a_suppression_of_two_merchants_closes_no_others(at: Context, read: Read) -> None:
    """Two merchants of one cardholder are these two, and not any two."""

    def month_of(number: int, *merchants: str) -> list[str]:
        days = (f"2026-{number:02}-{day:02}" for day in (3, 11, 19))
        bought = (f"{day},E1,{name}" for day in days for name in merchants)
        return [f"{row},{980 + n}.00,{number}-{n}" for n, row in enumerate(bought)]

    put_policy(at(), "[[holder_month]]\nfrom = 2020-01-01\npounds = 5000\n")
    services.receive(at(), read(*month(9)), is_history=True)
    services.receive(at(), read(*month_of(10, "ALPHA NORTH", "BRAVO SOUTH")))
    (over,) = services.list_alerts(at(), services.AlertFilter(rule="over-month-limit"))
    assert over["merchants"] == ["ALPHA NORTH", "BRAVO SOUTH"]
    made = services.suppress(at(), over["alert_id"], until="2027-03-31", reason="two sites")
    assert made["merchants"] == over["merchants"]
    assert services.list_suppressions(at())[0]["merchants"] == over["merchants"]
    closed = []
    for number, names in ((11, ("CHARLIE EAST", "DELTA WEST")), (12, ("BRAVO SOUTH",) * 2)):
        kept = services.receive(at(days=60), read(*month_of(number, *names)))
        rows = services.list_alerts(
            at(), services.AlertFilter(statement_id=kept.statement_id, rule="over-month-limit")
        )
        (over,) = (services.get_alert(at(), row["alert_id"]) for row in rows)
        closed.append("suppressed" in {decision["state"] for decision in over["decisions"]})
    assert closed == [False, True]


SHARED = Path(__file__).parents[3] / "shared" / "cases" / "alerts"


@pytest.mark.skipif(not SHARED.exists(), reason="needs the inputs that failed")
def test_the_two_bills_that_failed(at: Context, choices: ReadingChoices) -> None:
    services.receive(at(), read_each([SHARED / "house-two-bills.csv"], choices)[0])
    people = [row["holders"] for row in services.list_alerts(at()) if len(row["holders"]) > 1]
    assert ["E1", "E2"] in people
    assert ["E7", "E8"] in people


@pytest.mark.skipif(not SHARED.exists(), reason="needs the inputs that failed")
def test_a_query_about_two_goes_to_neither_and_asks_about_both_alone(
    at: Context, choices: ReadingChoices
) -> None:
    services.receive(at(), read_each([SHARED / "house-two-bills.csv"], choices)[0])
    alert = next(row for row in services.list_alerts(at()) if row["holders"] == ["E1", "E2"])
    at("auditor", person="second", holder_id="E2")
    letters: list[str] = []

    def ask(recipient: str, email: str) -> SentQuery:
        return services.send_query(
            at(), alert["alert_id"], services.Query(recipient, email),
            lambda name, _, reply_to: letters.append(f"{name} {reply_to}"), marking="OFFICIAL",
        )  # fmt: skip

    for recipient, email in (("e2", "x@y.example"),
                             ("Them", "auditorsecond@saltmarsh-vale.example")):  # fmt: skip
        with pytest.raises(CardwatchError, match="goes to their line manager"):
            ask(recipient, email)
    assert not letters
    assert ask("Them", "manager@saltmarsh-vale.example")["alert_ids"]
    assert len(letters) == 1
    asked = [row for row in services.list_alerts(at()) if row["state"] == "asked"]
    assert alert["alert_id"] in {row["alert_id"] for row in asked}
    assert all(row["holders"] == ["E1", "E2"] for row in asked)
