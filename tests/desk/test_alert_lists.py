"""Lists of alerts: search, units, totals, neighbours in the list, decisions on several at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from made_alerts import ALONE, BOTH, CARD, LINES, THEIRS, raise_alerts

from cardwatch import desk
from cardwatch.casebook import Actor
from cardwatch.casebook.alerts import Said
from cardwatch.casebook.finding import Asked
from cardwatch.errors import CardwatchError, Changed, NotAllowed, NotFound
from cardwatch.statements import read_each

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.statements import ReadingChoices

    At = Callable[..., desk.Desk]
    Read = Callable[..., Any]


@pytest.fixture(autouse=True)
def kept(at: At, read: Read) -> str:
    """Give the statement whose payments the alerts are about."""
    receipt = desk.receive(at(), read(*LINES), is_history=True)
    raise_alerts(at(), receipt)
    return receipt.statement_id


def ids(at: desk.Desk, **filters: Any) -> list[str]:
    return sorted(row["alert_id"] for row in desk.list_alerts(at, **filters))


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
def test_search_by_any_of_several_names(at: At, text: str, expected: list[str]) -> None:
    assert ids(at(), text=text) == sorted(expected)


def test_search_takes_psd_pseudonyms_only(at: At) -> None:
    psd = at("psd")
    shown = desk.mask(psd, {"E1", "E2"})
    assert ids(psd, text=shown["E1"]) == sorted([BOTH, THEIRS])
    assert ids(psd, text=shown["E2"]) == [BOTH]
    found = desk.list_alerts(psd, text="E1")
    pseudonyms = desk.mask(psd, desk.people_of(found))
    assert all("E1" in pseudonyms[name] or "E1" in row["cost_centres"][0]
               for row in found for name in row["holders"])  # fmt: skip


def test_no_search_finds_an_alert_about_the_reader(at: At) -> None:
    reader = at().actor
    for person, visible in (("E1", [CARD]), ("E2", [ALONE, CARD]), ("E4", [ALONE, BOTH])):
        own = Actor(reader.organisation_id, reader.actor_id, "finance", person)
        asks = desk.Desk(at().casebook, own, at().now)
        assert ids(asks, text="e") == sorted(visible)
        assert desk.count_alerts(asks, Asked(text="e"))[0] == len(visible)
        assert f"UNIT {person}" not in desk.list_units(asks)


def test_names_of_cardholders_beside_their_numbers(
    at: At, choices: ReadingChoices, tmp_path: Path
) -> None:
    path = tmp_path / "named.csv"
    path.write_text(
        "Date,Employee ID,Cardholder,Merchant,Amount\n2026-09-01,E1,Ann Baker,SHOP,5.00\n"
        "2026-09-02,E1,Ann Cook,SHOP,6.00\n2026-09-02,E2,,SHOP,7.00\n",
        encoding="utf-8",
    )
    (named,) = read_each([path], choices)
    assert isinstance(named, tuple), named
    desk.receive(at(), named, is_history=True)
    shown = {"E1": "Ann Cook (E1)", "E2": "E2", "E4": "E4"}
    assert desk.mask(at(), set(shown)) == shown
    assert ids(at(), text="ann cook") == [BOTH]
    assert ids(at("psd"), text="ann cook") == []


def test_units_and_totals_follow_the_filter(at: At) -> None:
    assert desk.list_units(at()) == ["UNIT E1", "UNIT E2", "UNIT E3", "UNIT E4"]
    assert ids(at(), unit="UNIT E2") == [BOTH]
    assert desk.count_alerts(at(), Asked(unit="UNIT E2")) == (1, 82_216)
    assert desk.count_alerts(at(), Asked()) == (3, 83_416)
    assert desk.count_alerts(at("psd"), Asked()) == (4, 156_632)


@pytest.mark.parametrize("order", ["evidence", "money", "age"])
def test_next_and_previous_walk_the_list(at: At, order: str) -> None:
    filters = Asked(order=order)
    listed = [row["alert_id"] for row in desk.list_alerts(at(), order=order)]
    for before, alert_id, after in zip(["", *listed], listed, [*listed[1:], ""], strict=False):
        assert desk.adjacent_alerts(at(), filters, alert_id) == (before, after)


def test_a_decided_alert_keeps_its_place(at: At) -> None:
    filters = Asked(order="money", unanswered=True)
    listed = [row["alert_id"] for row in desk.list_alerts(at(), order="money")]
    desk.decide(at(), listed[1], Said("seen", "explained"))
    assert desk.adjacent_alerts(at(), filters, listed[1]) == (listed[0], listed[2])
    assert desk.adjacent_alerts(at(), filters, listed[0]) == ("", listed[2])
    assert desk.adjacent_alerts(at(), filters, THEIRS) == ("", "")


def test_one_decision_on_several_alerts(at: At) -> None:
    versions = {BOTH: 0, CARD: 0}
    assert desk.decide_together(at(), versions, Said("one contract", "explained")) == 2
    for alert_id in versions:
        alert = desk.get_alert(at(), alert_id)
        assert (alert["state"], alert["version"]) == ("explained", 1)
        assert alert["decisions"][0]["reason"] == "one contract"
    assert desk.get_alert(at(), ALONE)["state"] == "open"
    done = {
        row["id"]
        for row in desk.audit_events(at(), lane="finance", last=20)
        if row["action"] == "alteration"
    }
    assert {BOTH, CARD} <= done
    assert [check.fault for check in desk.verify_audit(at())] == [""]


@pytest.mark.parametrize(
    ("versions", "decision", "refusal"),
    [
        ({}, Said("so", "explained"), CardwatchError),
        ({BOTH: 0}, Said("so"), CardwatchError),
        ({BOTH: 0}, Said(" ", "explained"), CardwatchError),
        ({BOTH: 0, ALONE: 3}, Said("so", "explained"), Changed),
        ({BOTH: 0, THEIRS: 0}, Said("so", "explained"), NotFound),
        ({BOTH: 0} | {f"{n:012}": 0 for n in range(60)}, Said("so", "explained"), CardwatchError),
    ],
)
def test_decisions_are_all_recorded_or_none(
    at: At, versions: dict[str, int], decision: Said, refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        desk.decide_together(at(), versions, decision)
    assert desk.get_alert(at(), BOTH)["version"] == 0


def test_psd_decides_its_own_alerts_only(at: At) -> None:
    with pytest.raises(NotAllowed):
        desk.decide_together(at("psd"), {BOTH: 0, THEIRS: 0}, Said("so", "explained"))
    assert desk.decide_together(at("psd"), {THEIRS: 0}, Said("so", "explained")) == 1


def test_assignees_are_of_the_readers_role(at: At) -> None:
    at("psd")
    assert [one["email"] for one in desk.list_assignees(at())] == ["finance@saltmarsh-vale.example"]
    assert [one["email"] for one in desk.list_assignees(at("psd"))] == [
        "psd@saltmarsh-vale.example"
    ]
