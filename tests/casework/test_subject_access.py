"""The subject-access pack: whole for one person, silent about everybody else and about psd."""

from __future__ import annotations

import io
import json
import random
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from books import KEY, activate_cards, approved, export_alerts, lively_month, month, needs_pdf

from cardwatch import services
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.casebook.queries import ReplyInput
from cardwatch.errors import CardwatchError, NotAllowed, NotFound
from cardwatch.reports.subject_access import EXEMPTIONS, REDACTED, redacted
from cardwatch.statements import read_each

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.statements import ReadingChoices

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

pytestmark = needs_pdf


def _pack(context: services.ServiceContext, *identifiers: str) -> bytes:
    return services.make_subject_access_pack(
        context, identifiers or ("E1",), marking="OFFICIAL", key=KEY
    )


def _data(pack: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        assert "your data.pdf" in archive.namelist()
        content: dict[str, Any] = json.loads(archive.read("data.json"))
        return content


@pytest.fixture
def force(at: Context, read: Read) -> Context:
    """Give a casebook with October, in which finance has decided and shared."""
    services.receive(at(), read(*month(9), name="september.csv"), is_history=True)
    services.receive(at(), read(*lively_month(10), name="october.csv"))
    (alert,) = [one for one in services.list_alerts(at()) if one["holders"] == ["E1"]]
    query = services.Query("The Manager", "manager@saltmarsh-vale.example", "2026-12-01")
    sent = services.send_query(at(), alert["alert_id"], query, lambda *_: None, marking="OFFICIAL")
    reply = ReplyInput("The Manager", "The Manager saw the goods")
    services.record_reply(at(), sent["query_id"], reply)
    text = "asked finance@saltmarsh-vale.example, who knows Jo Bloggs"
    services.decide(at(), alert["alert_id"], DecisionInput(text, "explained"))
    export_alerts(at(), alert_ids=(alert["alert_id"],))
    return at


@pytest.mark.parametrize("identifier", ["000123", "123"])
def test_payments_of_which_a_statement_names_the_card_alone_are_the_persons(
    at: Context, tmp_path: Path, choices: ReadingChoices, read: Read, identifier: str
) -> None:
    """The card register says whose; a number is the same without its zeros.

    One statement says less than the other, and the card is open: a pack failed where that was so.
    """
    activate_cards(
        at(),
        tmp_path,
        choices,
        "employee_id,card_number,single_limit,opened_on\n"
        "000123,************1111,500,2026-01-20\n000124,************2222,500,2026-01-20\n",
    )
    lines = [
        f"2026-10-{day},2026-10-{day + 1},************{'1111' if day % 2 else '2222'},SHOP,{day}.50"
        for day in range(10, 24)
    ]
    path = tmp_path / "october.csv"
    headings = "Date,Posting Date,Card Number,Merchant,Amount"
    path.write_text("\n".join([headings, *lines, ""]), encoding="utf-8")
    (statement,) = read_each([path], choices)
    assert isinstance(statement, tuple), statement
    services.receive(at(), statement)
    services.receive(at(), read(*(line.replace(",E1,", ",123,") for line in month(11))))
    data = _data(_pack(at("auditor"), identifier))
    dates = [payment["date"] for payment in data["payments"]]
    assert len([day for day in dates if day < "2026-11"]) == 7
    assert len([day for day in dates if day > "2026-11"]) == 3
    assert [card["card_last4"] for card in data["cards"]] == ["1111"]


def test_a_pack_is_whole_for_its_person_and_names_nobody_else(force: Context) -> None:
    data = _data(_pack(force("auditor"), "e1"))
    lines = [line for n in (9, 10) for line in (month(n) if n == 9 else lively_month(10))]
    own = [line for line in lines if line.split(",")[1] == "E1"]
    assert len(data["payments"]) == len(own)
    assert {payment["label"] for payment in data["payments"]} == {"september.csv", "october.csv"}
    (alert,) = data["alerts"]
    assert len(alert["payments"]) == 2
    assert [decision["by"] for decision in alert["decisions"]] == ["finance", "finance"]
    assert all(REDACTED in decision["reason"] for decision in alert["decisions"])
    (query,) = data["queries"]
    assert query["replies"][0]["text"] == f"{REDACTED} saw the goods"
    assert {look["action"] for look in data["looks"]} >= {"alteration", "disclosure"}
    assert data["shared"][0]["recipient"] == "CFO"
    text = json.dumps(data)
    assert "The Manager" not in text
    assert "saltmarsh-vale.example" not in text
    assert not any(f'"{other}"' in text for other in ("E0", "E2", "E3"))
    event = services.audit_events(force("auditor"), lane="finance", last=1)[0]
    assert (event["object"], event["counts"]["alerts"]) == ("subject access", 1)
    assert "E1" not in json.dumps(event)


@pytest.mark.parametrize("pairs", [1, pytest.param(20, marks=pytest.mark.prove)])
def test_worlds_that_differ_in_psd_alone_give_the_same_pack(force: Context, pairs: int) -> None:
    before = _pack(force("auditor"))
    psd = force("psd")
    person = {"name": "Some Body", "email": "p@x.example", "role": "psd", "holder_id": "E1"}
    approved(psd, lambda giver: services.add_person(giver, **person))
    theirs = [
        one
        for one in services.list_alerts(psd, services.AlertFilter(lane="psd"))
        if "E1" in one["holders"]
    ]
    services.place_hold(psd, theirs[0]["alert_id"], reason="case")
    for pair in range(pairs):
        secret = random.Random(pair)
        for one in services.list_alerts(psd):
            services.get_alert(psd, one["alert_id"])
            services.reveal_identity(psd, one["alert_id"], reason="case")
            if one["lane"] == "psd" and (pair == 0 or secret.random() < 0.8):
                state = secret.choice(["confirmed", "asked"])
                services.decide(psd, one["alert_id"], DecisionInput("E1, a case", state))
                export_alerts(psd, alert_ids=(one["alert_id"],))
        assert _pack(force("auditor")) == before


def test_who_may_make_one(force: Context) -> None:
    for role in ("finance", "psd", "admin"):
        with pytest.raises(NotAllowed):
            _pack(force(role))
    with pytest.raises(NotAllowed, match="Somebody else"):
        _pack(force("auditor", person="own", holder_id="E1"))
    with pytest.raises(NotFound):
        _pack(force("auditor"), "nobody")
    with pytest.raises(CardwatchError, match="Enter a number"):
        _pack(force("auditor"), " ")


def test_several_people_under_one_name_are_refused(
    at: Context, choices: Any, tmp_path: Any
) -> None:
    from cardwatch.statements import read_each  # noqa: PLC0415  one test alone

    lines = ["Date,Employee ID,Cardholder,Merchant,Amount"]
    lines += [f"2026-10-0{1 + n},E{n},Jo Bloggs,SHOP,1{n}.00" for n in range(2)]
    path = tmp_path / "names.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    services.receive(at(), read_each([path], choices)[0])
    with pytest.raises(CardwatchError, match="several cardholders"):
        _pack(at("auditor"), "Jo Bloggs")
    assert len(_data(_pack(at("auditor"), "E0"))["payments"]) == 1


def test_the_note_on_what_is_left_out_names_no_reason_of_this_case() -> None:
    assert "neither say" in EXEMPTIONS[1]


def test_redaction_takes_whole_names_alone() -> None:
    assert redacted("Ann Roe and ANN ROE, not Ann Roebuck", {"Ann Roe"}) == (
        f"{REDACTED} and {REDACTED}, not Ann Roebuck"
    )
    assert redacted("nobody", set()) == "nobody"
