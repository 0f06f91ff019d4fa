"""Lists of alerts: search, units, totals, neighbours in the list, decisions on several at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from made_alerts import ALONE, BOTH, CARD, LINES, THEIRS, raise_alerts

from cardwatch import services
from cardwatch.casebook import Actor
from cardwatch.casebook.alert_queries import AlertFilter
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.errors import CardwatchError, Changed, NotAllowed, NotFound
from cardwatch.statements import read_each

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.statements import ReadingChoices

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]


@pytest.fixture(autouse=True)
def kept(at: Context, read: Read) -> str:
    """Give the statement whose payments the alerts are about."""
    receipt = services.receive(at(), read(*LINES), is_history=True)
    raise_alerts(at(), receipt)
    return receipt.statement_id


def ids(at: services.ServiceContext, **filters: Any) -> list[str]:
    return sorted(
        row["alert_id"] for row in services.list_alerts(at, services.AlertFilter(**filters))
    )


@pytest.mark.each_database
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("e1", [BOTH]),
        ("E2", [BOTH]),
        ("roofing", [BOTH]),
        ("TILE SHOP 0235", [ALONE, BOTH]),
        ("tile", [ALONE, BOTH]),
        ("e4", [CARD]),
        ("unit e4", [CARD]),
        ("bbbb", [CARD]),
        ("unit", [ALONE, BOTH, CARD]),
        ("nobody", []),
        ("%", []),
    ],
)
def test_search_by_any_of_several_names(at: Context, text: str, expected: list[str]) -> None:
    assert ids(at(), text=text) == sorted(expected)


def test_search_takes_psd_pseudonyms_only(at: Context) -> None:
    psd = at("psd")
    shown = services.names_for_display(psd, {"E1", "E2"})
    assert ids(psd, text=shown["E1"]) == sorted([BOTH, THEIRS])
    assert ids(psd, text=shown["E2"]) == [BOTH]
    found = services.list_alerts(psd, services.AlertFilter(text="E1"))
    pseudonyms = services.names_for_display(psd, services.people_of(found))
    assert all("E1" in pseudonyms[name] or "E1" in row["cost_centres"][0]
               for row in found for name in row["holders"])  # fmt: skip


def test_no_search_finds_an_alert_about_the_reader(at: Context) -> None:
    reader = at().actor
    for person, visible in (("E1", [CARD]), ("E2", [ALONE, CARD]), ("E4", [ALONE, BOTH])):
        own = Actor(reader.organisation_id, reader.actor_id, "finance", person)
        asks = services.ServiceContext(at().casebook, own, at().now)
        assert ids(asks, text="e") == sorted(visible)
        assert services.count_alerts(asks, AlertFilter(text="e"))[0] == len(visible)
        assert f"UNIT {person}" not in services.list_units(asks)


def test_names_of_cardholders_beside_their_numbers(
    at: Context, choices: ReadingChoices, tmp_path: Path
) -> None:
    path = tmp_path / "named.csv"
    path.write_text(
        "Date,Employee ID,Cardholder,Merchant,Amount\n2026-09-01,E1,Ann Baker,SHOP,5.00\n"
        "2026-09-02,E1,Ann Cook,SHOP,6.00\n2026-09-02,E2,,SHOP,7.00\n",
        encoding="utf-8",
    )
    (named,) = read_each([path], choices)
    assert isinstance(named, tuple), named
    services.receive(at(), named, is_history=True)
    shown = {"E1": "Ann Cook (E1)", "E2": "E2", "E4": "E4"}
    assert services.names_for_display(at(), set(shown)) == shown
    assert ids(at(), text="ann cook") == [BOTH]
    assert ids(at("psd"), text="ann cook") == []


def test_units_and_totals_follow_the_filter(at: Context) -> None:
    assert services.list_units(at()) == ["UNIT E1", "UNIT E2", "UNIT E3", "UNIT E4"]
    assert ids(at(), unit="UNIT E2") == [BOTH]
    assert services.count_alerts(at(), AlertFilter(unit="UNIT E2")) == (1, 82_216)
    assert services.count_alerts(at(), AlertFilter()) == (3, 83_416)
    assert services.count_alerts(at("psd"), AlertFilter()) == (4, 156_632)


@pytest.mark.each_database
@pytest.mark.parametrize("order", ["evidence", "money", "age"])
def test_next_and_previous_walk_the_list(at: Context, order: str) -> None:
    """PostgreSQL compares a place with columns of its types only."""
    filters = AlertFilter(order=order)
    listed = [
        row["alert_id"] for row in services.list_alerts(at(), services.AlertFilter(order=order))
    ]
    walked, place = [], ()
    while rows := services.list_alerts(
        at(), services.AlertFilter(order=order), after=place, limit=1
    ):
        walked.append(rows[0]["alert_id"])
        place = json.loads(json.dumps(rows[0]["place"]))
    assert walked == listed
    for before, alert_id, after in zip(["", *listed], listed, [*listed[1:], ""], strict=False):
        assert services.adjacent_alerts(at(), filters, alert_id) == (before, after)


def test_a_decided_alert_keeps_its_place(at: Context) -> None:
    filters = AlertFilter(order="money", unanswered=True)
    listed = [
        row["alert_id"] for row in services.list_alerts(at(), services.AlertFilter(order="money"))
    ]
    services.decide(at(), listed[1], DecisionInput("seen", "explained"))
    assert services.adjacent_alerts(at(), filters, listed[1]) == (listed[0], listed[2])
    assert services.adjacent_alerts(at(), filters, listed[0]) == ("", listed[2])
    assert services.adjacent_alerts(at(), filters, THEIRS) == ("", "")


def test_one_decision_on_several_alerts(at: Context) -> None:
    versions = {BOTH: 0, CARD: 0}
    assert services.decide_together(at(), versions, DecisionInput("one contract", "explained")) == 2
    for alert_id in versions:
        alert = services.get_alert(at(), alert_id)
        assert (alert["state"], alert["version"]) == ("explained", 1)
        assert alert["decisions"][0]["reason"] == "one contract"
    assert services.get_alert(at(), ALONE)["state"] == "open"
    done = {
        row["id"]
        for row in services.audit_events(at(), lane="finance", last=20)
        if row["action"] == "alteration"
    }
    assert {BOTH, CARD} <= done
    assert [check.fault for check in services.verify_audit(at())] == [""]


@pytest.mark.parametrize(
    ("versions", "decision", "refusal"),
    [
        ({}, DecisionInput("so", "explained"), CardwatchError),
        ({BOTH: 0}, DecisionInput("so"), CardwatchError),
        ({BOTH: 0}, DecisionInput(" ", "explained"), CardwatchError),
        ({BOTH: 0, ALONE: 3}, DecisionInput("so", "explained"), Changed),
        ({BOTH: 0, THEIRS: 0}, DecisionInput("so", "explained"), NotFound),
        (
            {BOTH: 0} | {f"{n:012}": 0 for n in range(60)},
            DecisionInput("so", "explained"),
            CardwatchError,
        ),
    ],
)
def test_decisions_are_all_recorded_or_none(
    at: Context, versions: dict[str, int], decision: DecisionInput, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        services.decide_together(at(), versions, decision)
    assert services.get_alert(at(), BOTH)["version"] == 0


def test_psd_decides_its_own_alerts_only(at: Context) -> None:
    with pytest.raises(NotAllowed):
        services.decide_together(at("psd"), {BOTH: 0, THEIRS: 0}, DecisionInput("so", "explained"))
    assert services.decide_together(at("psd"), {THEIRS: 0}, DecisionInput("so", "explained")) == 1


def test_assignees_are_of_the_readers_role(at: Context) -> None:
    at("psd")
    assert [one["email"] for one in services.list_assignees(at())] == [
        "finance@saltmarsh-vale.example"
    ]
    assert [one["email"] for one in services.list_assignees(at("psd"))] == [
        "psd@saltmarsh-vale.example"
    ]
