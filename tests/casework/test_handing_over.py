"""Handing over: every form says why and to whom, and a pack shows any change."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from books import EQUAL, KEY, SPLIT, export_alerts, month, needs_pdf

from cardwatch import services
from cardwatch.casebook import PSD
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.errors import CardwatchError, NotAllowed, NotFound
from cardwatch.reports import check_pack, pdf_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]


@pytest.fixture
def asked(at: Context, read: Read) -> str:
    """Give the finance alert of a casebook with one of each lane."""
    services.receive(at(), read(*month(9)), is_history=True)
    services.receive(at(), read(*month(10), *SPLIT, *EQUAL))
    return str(services.list_alerts(at(), services.AlertFilter(lane="finance"))[0]["alert_id"])


def test_a_list_says_for_what_and_to_whom_and_is_logged(at: Context, asked: str) -> None:
    name = services.list_statements(at())[1]["statement_id"]
    for given in ({"purpose": "curiosity"}, {"recipient": " "}, {"form": ".exe"},
                  {"alert_ids": ("x",) * 51}):  # fmt: skip
        with pytest.raises(CardwatchError):
            export_alerts(at(), name, **given)
    with pytest.raises(NotAllowed):
        export_alerts(at(), name, lane=PSD)
    with pytest.raises(NotFound):
        export_alerts(at(), "none")
    for form in (".csv", ".xlsx", ".json"):
        content, count = export_alerts(at(), name, form)
        assert count == len(services.list_alerts(at(), services.AlertFilter(statement_id=name)))
        assert len(content) > 100
        if form == ".csv":
            assert content.decode().rstrip().endswith('"OFFICIAL"')
        if form == ".xlsx":
            book = openpyxl.load_workbook(io.BytesIO(content))
            assert "OFFICIAL" in str(book["Alerts"].oddHeader.center.text)
            assert ("Shared with", "CFO") in list(book["About this list"].values)
    assert asked in content.decode()
    assert json.loads(content)["handed_over"]["recipient"] == "CFO"
    told = [e for e in services.audit_events(at(), lane="finance", last=99)
            if e["action"] == "disclosure"]  # fmt: skip
    assert [e["outcome"] for e in told] == ["done"] * 3 + ["not-found", "denied"]


def test_a_case_holds_everything_that_is_kept_of_its_alerts(at: Context, asked: str) -> None:
    services.decide(at(), asked, DecisionInput("two sites", "explained"))
    content, count = export_alerts(at(), alert_ids=(asked[:8],))
    told = json.loads(content)
    (case,) = told["cases"]
    assert (count, case["alert_id"], case["state"]) == (1, asked, "explained")
    assert case["decisions"][0]["reason"] == "two sites"
    assert case["seen"] == []  # who has seen it is for professional standards alone
    (made,) = told["lists"].values()
    assert [one["alert_id"] for one in made["alerts"]] == [asked]
    book = openpyxl.load_workbook(
        io.BytesIO(export_alerts(at(), form=".xlsx", alert_ids=(asked,))[0])
    )
    assert [row[3] for row in book["Decisions"].values] == ["Note", "two sites"]
    theirs = services.list_alerts(at("psd"), services.AlertFilter(lane=PSD))[0]["alert_id"]
    with pytest.raises(NotFound):
        export_alerts(at(), alert_ids=(asked, theirs))
    with pytest.raises(NotAllowed):
        export_alerts(at("admin"), alert_ids=(asked,))
    services.get_alert(at("psd"), theirs)
    content, count = export_alerts(
        at("psd"), alert_ids=(asked, theirs), purpose="misconduct", recipient="a case"
    )
    assert count == 2
    assert json.loads(content)["cases"][1]["seen"]
    assert all(
        any(e["action"] == "disclosure" for e in services.get_history(at("psd"), name)["seen"])
        for name in (asked, theirs)
    )
    assert theirs not in json.dumps(services.audit_events(at(), lane="finance", last=99))


@needs_pdf
def test_a_pack_of_somebody_who_holds_a_card_tells_no_number_of_events(
    at: Context, asked: str, tmp_path: Path
) -> None:
    """What others do about them would be counted in it."""
    content, _ = export_alerts(at(person="x", holder_id="E2"), form=".zip", alert_ids=(asked,))
    path = tmp_path / "pack.zip"
    path.write_bytes(content)
    assert check_pack(path, KEY.public_key())["checkpoint"] == ""
    with zipfile.ZipFile(path) as pack:
        for name in pack.namelist():
            assert b"cardwatch/saltmarsh-vale/finance" not in pack.read(name)
    with pytest.raises(CardwatchError, match="has no checkpoint"):
        services.verify_checkpoints(at(), KEY.public_key(), path)


@needs_pdf
def test_a_pack_shows_any_change_and_where_the_chain_was(
    at: Context, asked: str, tmp_path: Path
) -> None:
    content, _ = export_alerts(at(), form=".zip", alert_ids=(asked,))
    path = tmp_path / "pack.zip"
    path.write_bytes(content)
    said = check_pack(path, KEY.public_key())
    assert set(said["files"]) == {
        *(f"alerts.{form}" for form in ("csv", "json", "pdf", "xlsx")),
        *("reliability.txt", "reliability.json", "signing-key.pem"),
    }
    assert (said["purpose"], said["recipient"]) == ("finance-assurance", "CFO")
    assert {"policy", "rules"} <= {key for made in said["made_by_lists"].values() for key in made}
    assert not services.verify_checkpoints(at(), KEY.public_key(), path).fault
    with zipfile.ZipFile(io.BytesIO(content)) as pack:
        files = {name: pack.read(name) for name in pack.namelist()}
    changes = [(name, files[name] + b"00") for name in files]
    changes += [("more.txt", b"x"), ("manifest.json", b"{}"), ("manifest.sig", b"00")]
    for name, changed in changes:
        with zipfile.ZipFile(path, "w") as pack:
            for one, text in (files | {name: changed}).items():
                pack.writestr(one, text)
        with pytest.raises(CardwatchError, match="not as"):
            check_pack(path, KEY.public_key())
    path.write_bytes(b"no pack")
    with pytest.raises(CardwatchError, match="not as"):
        check_pack(path, KEY.public_key())


@needs_pdf
def test_questions_for_a_line_manager_are_of_one_holder_and_never_go_to_them(
    at: Context, asked: str
) -> None:
    def questions(recipient: str, role: str = "finance") -> Any:
        return services.ask_manager(at(role), asked, recipient=recipient, marking="OFFICIAL")[1]

    made = questions("Their manager")
    assert ("Payments of", "E1") in made.facts
    assert dict(made.facts)["Alerts"] == "1"
    assert pdf_of(made).startswith(b"%PDF-")
    assert pdf_of(made) == pdf_of(questions("Their manager"))
    for recipient in ("", " ", "E1", "e 1"):
        with pytest.raises(CardwatchError):
            questions(recipient)
    with pytest.raises(NotAllowed):
        questions("Their manager", "psd")
    services.decide(at(), asked, DecisionInput("seen", "explained"))
    with pytest.raises(CardwatchError, match="no open alerts"):
        questions("Their manager")


def test_a_pack_that_is_missing_is_not_called_changed(tmp_path: Path) -> None:
    with pytest.raises(CardwatchError, match="cannot be opened"):
        check_pack(tmp_path / "none.zip")
