"""Alerts about chief officers go to the named authority, whoever of psd looks."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest
from books import EQUAL, KEY, SPLIT, approved, month, needs_pdf

from cardwatch import services
from cardwatch.casebook import PSD
from cardwatch.casebook.alert_queries import AlertFilter
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.casebook.cases import CaseUpdate
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.registers import read_register

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.statements import ReadingChoices

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

OFFICE = "Office of the Commissioner"
REVIEWER = "reviewer@saltmarsh-vale.example"
POLICY = f"""[chief_officers]
authority = "{OFFICE}"
people = ["{REVIEWER}"]
"""
GIFTS = "Employee No,Unit,Date of offer,Donor,Accepted or declined,Registered\n"
GIFT = "{},Fleet,05/09/2026,New Firm Ltd,Accepted,06/09/2026\n"


@pytest.fixture
def reviewer(at: Context) -> services.ServiceContext:
    """Give somebody of the authority, who has the role of professional standards."""
    psd = at("psd")
    approved(
        psd,
        lambda person: services.add_person(
            person, name="reviewer", email=REVIEWER, role=PSD, holds_no_card=True
        ),
    )
    actor = services.actor_of_person(psd.casebook, psd.actor.organisation_id, REVIEWER, psd.now)
    return services.ServiceContext(psd.casebook, actor, psd.now)


@pytest.fixture
def world(
    at: Context, read: Read, tmp_path: Path, choices: ReadingChoices
) -> Callable[[str], dict[str, str]]:
    """Return a function that sets who counts as a chief officer and gives psd's alerts by rule."""

    def make(who: str) -> dict[str, str]:
        services.receive(at(), read(*month(9)), is_history=True)
        people = "Employee No,Name,Rank,Unit\nE1,Ann Roe,Chief Constable,Fleet\nE2,Jo Vane,PC,\n"
        for name, text in (("people.csv", people), ("gifts.csv", GIFTS + GIFT.format("E1"))):
            (tmp_path / name).write_text(text, encoding="utf-8")
            services.import_register(at("psd"), read_register(tmp_path / name, choices))
        services.activate_document(
            at(), "policy", (POLICY + who).encode(), effective_from="2020-01-01"
        )
        services.receive(at(), read(*month(10), *SPLIT, *EQUAL))
        rows = services.list_alerts(at("psd"), services.AlertFilter(lane=PSD))
        return {row["rule"]: row["alert_id"] for row in rows}

    return make


@pytest.mark.parametrize("who", ['holders = ["e1"]', 'posts = ["chief  constable"]'])
def test_only_the_authority_decides_about_a_chief_officer(
    at: Context, reviewer: services.ServiceContext, world: Callable[[str], dict[str, str]], who: str
) -> None:
    """By number, or by a rank that the people register has."""
    alert_id = world(who)["gift-accepted-then-paid"]
    psd = at("psd")
    assert services.get_alert(psd, alert_id)["authority"] == OFFICE
    assert services.alert_titles(psd, [alert_id])[alert_id]["authority"] == OFFICE
    services.decide(psd, alert_id, DecisionInput("looked at the entry"))
    for refused in (
        DecisionInput("no matter", "explained"),
        DecisionInput("later", snoozed_until="2026-12-01"),
        DecisionInput("repaid", recovered_pence=100),
    ):
        with pytest.raises(NotAllowed, match="only the people of Office of the Commissioner"):
            services.decide(psd, alert_id, refused)
    with pytest.raises(NotAllowed):
        services.decide_together(psd, {alert_id: 1}, DecisionInput("all", "explained"))
    with pytest.raises(NotAllowed):
        services.suppress(psd, alert_id, until="2026-12-31", reason="known")
    with pytest.raises(CardwatchError, match="Choose one of the people of Office") as refusal:
        services.decide(
            psd, alert_id, DecisionInput("mine", assigned_to="psd@saltmarsh-vale.example")
        )
    assert refusal.value.field == "assigned_to"
    given = services.decide(psd, alert_id, DecisionInput("theirs", assigned_to=REVIEWER))
    assert (given["assigned_to"], given["state"]) == (REVIEWER, "open")
    done = services.decide(reviewer, alert_id, DecisionInput("asked and answered", "explained"))
    assert done["state"] == "explained"


@needs_pdf
def test_a_case_about_a_chief_officer_is_the_authoritys_and_its_pack_is_addressed_to_it(
    at: Context, reviewer: services.ServiceContext, world: Callable[[str], dict[str, str]]
) -> None:
    alert_id = world('holders = ["E1"]')["gift-accepted-then-paid"]
    psd = at("psd")
    with pytest.raises(CardwatchError, match="Choose one of the people") as refusal:
        services.open_case(psd, services.NewCase("A gift", "seen", (alert_id,)))
    assert refusal.value.field == "owner"
    case = services.open_case(psd, services.NewCase("A gift", "seen", (alert_id,), REVIEWER))
    with pytest.raises(CardwatchError, match="Choose one of the people"):
        update = CaseUpdate("mine", owner="psd@saltmarsh-vale.example")
        services.change_case(psd, case["case_id"], update)
    with pytest.raises(NotAllowed):
        services.close_case(psd, case["case_id"], CaseUpdate("done", outcome="no-further-action"))
    attached = services.attach_file(psd, case["case_id"], "a.txt", b"x")["attachment_id"]
    for act in (
        lambda who: services.remove_attachment(who, attached, reason="so"),
        lambda who: services.remove_case_alert(who, case["case_id"], alert_id, reason="so"),
    ):  # nor is the authority's case emptied
        with pytest.raises(NotAllowed):
            act(psd)
    assert services.remove_attachment(reviewer, attached, reason="so")["attachments"] == []
    services.reveal_case(reviewer, case["case_id"], reason="to write to the commissioner")
    wrong = services.ExportRequest("misconduct", "Deputy chief constable", "OFFICIAL", KEY)
    with pytest.raises(CardwatchError, match=f"Address it to {OFFICE}") as refusal:
        services.export_case(reviewer, case["case_id"], wrong)
    assert refusal.value.field == "recipient"
    statement_id = services.get_alert(reviewer, alert_id)["statement_id"]
    for choice in (
        {"alert_ids": (alert_id,)},
        {"filters": AlertFilter(lane=PSD, rule="gift-accepted-then-paid")},
        {"statement_id": statement_id, "lane": PSD},
    ):  # nor does the alert leave without its case
        with pytest.raises(CardwatchError, match=f"Address it to {OFFICE}") as refusal:
            services.export_alerts(reviewer, dataclasses.replace(wrong, **choice), ".json")
        assert refusal.value.field == "recipient"


def test_an_office_counts_by_its_unit_and_others_go_to_nobody(
    at: Context, world: Callable[[str], dict[str, str]]
) -> None:
    """These payments name no unit, so nothing of a unit is marked; and anybody may decide."""
    alert_id = world('units = ["CC110"]')["gift-accepted-then-paid"]
    assert services.get_alert(at("psd"), alert_id)["authority"] == ""
    done = services.decide(at("psd"), alert_id, DecisionInput("answered", "explained"))
    assert done["state"] == "explained"


def test_finance_sees_and_decides_as_if_nobody_counted(
    at: Context, world: Callable[[str], dict[str, str]]
) -> None:
    world('posts = ["Chief Constable"]')
    rows = services.list_alerts(at(), services.AlertFilter(lane="finance"))
    titles = services.alert_titles(at(), [row["alert_id"] for row in rows])
    assert {title["authority"] for title in titles.values()} == {""}
    about = next(row for row in rows if row["holders"] == ["E1"])
    assert services.decide(at(), about["alert_id"], DecisionInput("quoted", "explained"))


def test_only_the_authority_decides_a_name_that_a_chief_officer_has_declared(
    at: Context, reviewer: services.ServiceContext, world: Callable[[str], dict[str, str]]
) -> None:
    """Or somebody of their chain says that it is another firm, and no later alert rests on it."""
    world('posts = ["chief constable"]')
    pair = {"organisation": "New Firm Ltd", "merchant": "NEW FIRM", "reason": "so"}
    with pytest.raises(NotAllowed, match=f"only the people of {OFFICE}"):
        services.decide_match(at("psd"), **pair, decision="not-the-same")
    other = pair | {"organisation": "Another Ltd"}
    services.decide_match(at("psd"), **other, decision="not-the-same")
    services.decide_match(reviewer, **pair, decision="same")
