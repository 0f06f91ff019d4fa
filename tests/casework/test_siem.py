"""Audit events for a SIEM: valid by the published schema, in order, and without a trace of psd."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
from books import EQUAL, SPLIT, month
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from cardwatch import services
from cardwatch.casebook import PSD
from cardwatch.errors import NotAllowed, NotFound
from cardwatch.services.siem import OCSF_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from cardwatch.services import ServiceContext

    Context = Callable[..., ServiceContext]

SCHEMA = OcsfJsonSchemaEmbedded(get_ocsf_schema(OCSF_VERSION)).get_class_schema("entity_management")


@pytest.fixture
def force(at: Context, read: Callable[..., Any]) -> Context:
    """A force with alerts in both lanes, and an attempt at what is not there."""
    services.receive(at(), read("october.csv", *month(10), *SPLIT, *EQUAL))
    with pytest.raises(NotFound):
        services.get_alert(at(), "000000000000")
    return at


def test_every_event_is_valid_and_a_refusal_is_a_failure(force: Context) -> None:
    events = services.siem_events(force("auditor"), 0)
    validator = jsonschema_rs.validator_for(SCHEMA)
    assert [error for event in events for error in validator.iter_errors(event)] == []
    assert not validator.is_valid(events[0] | {"class_uid": "3004"}), "the schema refuses"
    assert {event["status_id"] for event in events} == {1, 2}
    assert {event["metadata"]["uid"] for event in events if event["status_id"] == 2}


def test_the_next_answer_goes_on_where_the_last_one_ended(force: Context) -> None:
    first = services.siem_events(force("auditor"), 0)
    numbers = [event["metadata"]["sequence"] for event in first]
    assert numbers == [*range(1, len(first) + 1)]
    later = services.siem_events(force("auditor"), numbers[-1])
    assert [event["metadata"]["sequence"] for event in later] == [numbers[-1] + 1], "the reading"
    assert services.siem_events(force("auditor"), numbers[2])[0] == first[3]


def test_what_professional_standards_do_leaves_nothing(force: Context) -> None:
    alert_id = services.list_alerts(force(PSD), services.AlertFilter(lane=PSD))[0]["alert_id"]
    before = services.siem_events(force("auditor"), 0)
    services.get_alert(force(PSD), alert_id)
    services.open_case(force(PSD), services.NewCase("a case", "so", (alert_id,)))
    after = services.siem_events(force("auditor"), 0)
    assert after[: len(before)] == before
    assert len(after) == len(before) + 1, "the reading"
    assert alert_id not in json.dumps(after)
    assert PSD not in {g["name"] for e in after for g in e["actor"]["user"].get("groups", ())}


def test_nobody_who_holds_a_card_reads_how_many_events_there_are(force: Context) -> None:
    finance = force()
    holder = replace(finance, actor=replace(finance.actor, holder_id="E1"))
    with pytest.raises(NotAllowed, match="no card"):
        services.siem_events(holder, 0)
