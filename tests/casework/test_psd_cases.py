"""Cases of professional standards: referrals, alerts, notes, files, closing, export and erasing."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import json
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from books import EQUAL, KEY, SPLIT, approved, assert_whole, erase, month, needs_pdf

from cardwatch import services
from cardwatch.casebook import LANES, PSD, Casebook, attachments
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.casebook.attachments import MAX_ATTACHMENT_BYTES, media_type_of
from cardwatch.casebook.cases import CaseFilter, CaseUpdate
from cardwatch.errors import (
    CardwatchError,
    Changed,
    Conflict,
    NotAllowed,
    NotFound,
    SecondPersonNeeded,
)
from cardwatch.reports import check_pack

if TYPE_CHECKING:
    from collections.abc import Callable

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

OFFICE = b"PK\x03\x04\x14\x00 [Content_Types].xml "
PNG = b"\x89PNG\r\n\x1a\n and what follows"


@pytest.fixture
def confirmed(at: Context, read: Read) -> str:
    """Give finance's alert about E1, confirmed, beside one of professional standards."""
    services.receive(at(), read(*month(9)), is_history=True)
    services.receive(at(), read(*month(10), *SPLIT, *EQUAL))
    alert_id = str(services.list_alerts(at(), services.AlertFilter(lane="finance"))[0]["alert_id"])
    services.decide(at(), alert_id, DecisionInput("no quotations were taken", "confirmed"))
    return alert_id


def _psd_alert(at: Context) -> str:
    return str(services.list_alerts(at("psd"), services.AlertFilter(lane=PSD))[0]["alert_id"])


def _colleague(at: Context, holder_id: str = "") -> services.ServiceContext:
    """Return another person of professional standards, who may be a cardholder."""
    psd, email = at("psd"), f"colleague{holder_id}@saltmarsh-vale.example".casefold()
    link = {"holder_id": holder_id} if holder_id else {"holds_no_card": True}
    approved(
        psd,
        lambda person: services.add_person(person, name="colleague", email=email, role=PSD, **link),
    )
    actor = services.actor_of_person(psd.casebook, psd.actor.organisation_id, email, psd.now)
    return services.ServiceContext(psd.casebook, actor, psd.now)


def _open(at: Context, *alert_ids: str, title: str = "Split at New Firm") -> Any:
    return services.open_case(at("psd"), services.NewCase(title, "referred", alert_ids))


def test_a_referral_is_answered_by_a_case_or_declined_and_finance_never_knows(
    at: Context, confirmed: str
) -> None:
    with pytest.raises(NotAllowed):
        services.refer_alert(at("psd"), confirmed, reason="so")
    with pytest.raises(CardwatchError, match="Enter a reason"):
        services.refer_alert(at(), confirmed, reason=" ")
    first = services.refer_alert(at(), confirmed, reason="it goes further")
    with pytest.raises(Conflict, match="already been referred"):
        services.refer_alert(at(), confirmed, reason="again")
    (referral,) = services.get_alert(at(), confirmed)["referrals"]
    assert referral["reason"] == "it goes further"
    assert referral["made_by"] == "finance@saltmarsh-vale.example"
    for role in ("finance", "auditor", "admin"):
        with pytest.raises(NotAllowed):
            services.list_referrals(at(role))
    (waiting,) = services.list_referrals(at("psd"), waiting=True)
    assert (waiting["referral_id"], waiting["alert_id"]) == (first, confirmed)

    before = services.get_alert(at("auditor"), confirmed)
    services.decline_referral(at("psd"), first, reason="known already")
    assert services.get_alert(at("auditor"), confirmed) == before
    with pytest.raises(Conflict, match="already been answered"):
        services.decline_referral(at("psd"), first, reason="again")
    with pytest.raises(NotFound):
        services.decline_referral(at("psd"), "000000000000", reason="so")
    assert services.list_referrals(at("psd"), waiting=True) == []
    services.decide(at(), confirmed, DecisionInput("another invoice came"))
    services.refer_alert(at(), confirmed, reason="new evidence")
    case = _open(at, confirmed)
    assert services.list_referrals(at("psd"), waiting=True) == []
    answers = [one["case_id"] for one in services.list_referrals(at("psd"))]
    assert sorted(answers, key=str) == sorted([case["case_id"], None], key=str)
    assert len(services.get_alert(at(), confirmed)["referrals"]) == 2
    with pytest.raises(Conflict, match="Only a confirmed alert"):
        services.decide(at(), confirmed, DecisionInput("wrong", "explained"))
        services.refer_alert(at(), confirmed, reason="so")
    assert_whole(at("psd"))


def test_a_case_is_for_professional_standards_alone(at: Context, confirmed: str) -> None:
    case = _open(at, confirmed)
    for role in ("finance", "auditor", "admin"):
        for act in (
            lambda c: services.get_case(c, case["case_id"]),
            lambda c: services.list_cases(c, CaseFilter()),
            lambda c: services.add_case_note(c, case["case_id"], "x"),
            lambda c: services.open_case(c, services.NewCase("x", "so")),
            lambda c: services.attach_file(c, case["case_id"], "a.txt", b"x"),
            lambda c: services.get_attachment(c, "000000000000"),
        ):
            with pytest.raises(NotAllowed):
                act(at(role))
        assert services.cases_with_alert(at(role), confirmed) == []
    with pytest.raises(NotFound):
        services.get_case(at("psd", "Another Force"), case["case_id"])
    assert [one["reference"] for one in services.cases_with_alert(at("psd"), confirmed)] == [
        case["reference"]
    ]


def test_what_is_done_in_a_case_is_in_its_chronology(at: Context, confirmed: str) -> None:
    services.refer_alert(at(), confirmed, reason="it goes further")
    case_id = _open(at, confirmed)["case_id"]
    theirs = _psd_alert(at)
    services.add_case_alert(at("psd"), case_id, theirs, reason="the same unit")
    with pytest.raises(Conflict, match="already in the case"):
        services.add_case_alert(at("psd"), case_id, theirs, reason="again")
    services.add_case_note(at("psd"), case_id, "asked for the order book")
    services.attach_file(at("psd"), case_id, "orders.csv", b"order,day\r\n")
    services.remove_case_alert(at("psd"), case_id, theirs, reason="another matter")
    with pytest.raises(NotFound):
        services.remove_case_alert(at("psd"), case_id, theirs, reason="again")
    case = services.get_case(at("psd"), case_id)
    assert (case["state"], case["owner"]) == ("open", "psd@saltmarsh-vale.example")
    assert [one["alert_id"] for one in case["alerts"]] == [confirmed]
    shown = json.dumps([case["alerts"], case["chronology"], case["people"]])
    assert not re.search(r"\bE1\b", shown)
    (person,) = case["people"]
    assert person["name"].startswith("Person ")
    assert not case["is_named"]
    with pytest.raises(CardwatchError, match="Enter a reason"):
        services.reveal_case(at("psd"), case_id, reason="")
    services.reveal_case(at("psd"), case_id, reason="interview")
    case = services.get_case(at("psd"), case_id)
    assert case["is_named"]
    assert [one["name"] for one in case["people"]] == ["E1"]
    update = CaseUpdate("the sergeant leads", title="Split purchases", owner="")
    services.change_case(at("psd"), case_id, update)
    closing = CaseUpdate("advice was given", outcome="management-action")
    closed = services.close_case(at("psd"), case_id, closing)
    assert (closed["state"], closed["outcome"]) == ("closed", "management-action")
    for act in (
        lambda: services.add_case_note(at("psd"), case_id, "late"),
        lambda: services.attach_file(at("psd"), case_id, "late.txt", b"late"),
        lambda: services.add_case_alert(at("psd"), case_id, theirs, reason="late"),
        lambda: services.close_case(at("psd"), case_id, closing),
    ):
        with pytest.raises(Conflict, match="is closed"):
            act()
    opened = services.reopen_case(at("psd"), case_id, CaseUpdate("a witness came"))
    assert (opened["state"], opened["outcome"], opened["closed_at"]) == ("open", "", None)
    lines = [(row["kind"], row["text"]) for row in opened["chronology"]]
    assert lines[:3] == [
        ("payment", "£900.00 to NEW FIRM by E1"),
        ("payment", "£950.00 to NEW FIRM by E1"),
        ("alert-raised", opened["alerts"][0]["title"]),
    ]
    assert [kind for kind, _ in lines[3:]] == [
        "decision", "referral", "name-shown", "opened", "alert-added", "alert-added", "note",
        "attachment", "alert-removed", "changed", "closed", "reopened",
    ]  # fmt: skip
    assert ("changed", "Title: Split purchases. Owner: nobody. the sergeant leads") in lines
    management = "Reflective practice or other management action. advice was given"
    assert ("closed", management) in lines
    assert_whole(at("psd"))


def test_refused_cases_leave_nothing(at: Context, confirmed: str) -> None:
    for new_case, match in (
        (services.NewCase(" ", "so"), "Enter a title"),
        (services.NewCase("x" * 201, "so"), "200 characters"),
        (services.NewCase("x\r\ny", "so"), "one line"),
        (services.NewCase("x", " "), "Enter a reason"),
        (services.NewCase("x", "so", owner="finance@saltmarsh-vale.example"), "Nobody"),
        (services.NewCase("x", "so", ("000000000000",)), "no alert"),
    ):
        with pytest.raises(CardwatchError, match=match):
            services.open_case(at("psd"), new_case)
    assert services.list_cases(at("psd"), CaseFilter()) == []
    case_id = _open(at, confirmed)["case_id"]
    with pytest.raises(CardwatchError, match="Choose an outcome"):
        services.close_case(at("psd"), case_id, CaseUpdate("so", outcome="guilty"))
    for note in (" ", "x" * 10_001):
        with pytest.raises(CardwatchError, match="Enter a note"):
            services.add_case_note(at("psd"), case_id, note)


def test_references_run_through_a_year_with_gaps_that_say_nothing(at: Context) -> None:
    made = [_open(at, title=f"Case {n}")["reference"] for n in range(30)]
    numbers = [int(one.removeprefix("C-2026-")) for one in made]
    assert numbers == sorted(set(numbers))
    assert 30 < numbers[-1] < 60
    assert _open(lambda *given: at(*given, days=40))["reference"].startswith("C-2027-000")
    listed = services.list_cases(at("psd"), CaseFilter(), limit=10)
    rest = services.list_cases(at("psd"), CaseFilter(), after=listed[-1]["place"])
    assert len({one["case_id"] for one in (*listed, *rest)}) == 31
    assert [one["reference"] for one in services.list_cases(at("psd"), CaseFilter(text="c-2027"))]
    assert len(services.list_cases(at("psd"), CaseFilter(text="CASE 2"))) == 11
    services.close_case(at("psd"), made[3].lower(), CaseUpdate("so", outcome="passed-on"))
    assert len(services.list_cases(at("psd"), CaseFilter(state="closed"))) == 1


def test_two_people_do_not_overwrite_each_other(at: Context, confirmed: str) -> None:
    case = _open(at, confirmed)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda n: services.add_case_note(at("psd"), case["case_id"], f"note {n}"),
                      range(8)))  # fmt: skip
    now = services.get_case(at("psd"), case["case_id"])
    assert now["version"] == case["version"] + 8
    closing = CaseUpdate("so", seen=case["version"], outcome="passed-on")
    with pytest.raises(Changed):
        services.close_case(_colleague(at), case["case_id"], closing)
    seen = CaseUpdate("so", seen=now["version"], outcome="passed-on")
    assert services.close_case(at("psd"), case["case_id"], seen)["state"] == "closed"
    assert_whole(at("psd"))


def test_nobody_sees_a_case_or_referral_about_themselves(at: Context, confirmed: str) -> None:
    services.refer_alert(at(), confirmed, reason="so")
    subject = _colleague(at, "E1")
    assert services.list_referrals(subject) == []
    case = _open(at, _psd_alert(at), title="Equal amounts")
    assert services.list_cases(subject, CaseFilter()) == []  # one of four it is about
    other = _open(at, title="No alert yet")
    attached = services.attach_file(at("psd"), other["case_id"], "a.txt", b"x")
    assert services.get_case(subject, other["case_id"])["state"] == "open"
    with pytest.raises(NotFound):
        services.add_case_alert(subject, other["case_id"], confirmed, reason="so")
    services.add_case_alert(at("psd"), other["case_id"], confirmed, reason="so")
    for act in (
        lambda: services.get_case(subject, other["case_id"]),
        lambda: services.get_case(subject, case["reference"]),
        lambda: services.get_attachment(subject, attached["attachment_id"]),
        lambda: services.find_attachment(subject, attached["attachment_id"]),
        lambda: services.remove_attachment(subject, attached["attachment_id"], reason="so"),
        lambda: services.add_case_note(subject, other["case_id"], "x"),
        lambda: services.reveal_case(subject, case["case_id"], reason="so"),
    ):
        with pytest.raises(NotFound):
            act()
    assert services.list_cases(subject, CaseFilter()) == []
    finance_subject = at(person="subject", holder_id="E1")
    with pytest.raises(NotFound):
        services.refer_alert(finance_subject, confirmed, reason="so")


@pytest.mark.parametrize(("name", "content", "kind"), [
    ("a.PDF", b"%PDF-1.7 x", "application/pdf"),
    ("a.png", PNG, "image/png"),
    ("a.jpeg", b"\xff\xd8\xff\xe0 x", "image/jpeg"),
    ("a.txt", "Grüße".encode("cp1252"), "text/plain"),
    ("a.csv", b"\xef\xbb\xbfa,b\r\n", "text/csv"),
    ("a.eml", b"Subject: an order\r\n\r\ntext", "message/rfc822"),
    ("a.docx", OFFICE + b"word/document.xml",
     "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("a.xlsx", OFFICE + b"xl/workbook.xml",
     "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
])  # fmt: skip
def test_a_file_is_known_by_name_and_content(name: str, content: bytes, kind: str) -> None:
    assert media_type_of(name, content) == kind


@pytest.mark.parametrize(("name", "content"), [
    ("a.png", b"<html><script>alert(1)</script>"),
    ("a.html", b"<html>"),
    ("a.svg", b"<svg/>"),
    ("a.pdf", b"MZ\x90\x00 program"),
    ("a.txt", b"MZ\x90\x00 program"),
    ("a.eml", b"<html>"),
    ("a.zip", OFFICE),
    ("a.docx", OFFICE + b"xl/workbook.xml"),
    ("a.docx", OFFICE + b"word/document.xml word/vbaProject.bin"),
    ("a.pdf.exe", b"%PDF-1.7"),
    ("pdf", b"%PDF-1.7"),
    ("a.txt", b""),
])  # fmt: skip
def test_a_file_of_another_kind_is_refused(name: str, content: bytes) -> None:
    with pytest.raises(CardwatchError) as refusal:
        media_type_of(name, content)
    assert refusal.value.field == "file"


def test_files_are_bounded_kept_as_they_came_and_never_unpacked(
    at: Context, confirmed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case_id = _open(at, confirmed)["case_id"]
    with io.BytesIO() as out:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bomb:
            bomb.writestr("[Content_Types].xml", "x")
            bomb.writestr("word/document.xml", b"\0" * 30_000_000)
        packed = out.getvalue()
    hostile = "..\\..\\etc/pass\r\nwd\u202e/plan\x00.docx"
    attached = services.attach_file(at("psd"), case_id, hostile, packed)
    assert attached["name"] == "plan.docx"
    kept = services.get_attachment(at("psd"), attached["attachment_id"])
    assert (kept["content"], kept["sha256"]) == (packed, hashlib.sha256(packed).hexdigest())
    with pytest.raises(CardwatchError, match="already attached"):
        services.attach_file(at("psd"), case_id, "again.docx", packed)
    with pytest.raises(CardwatchError, match="larger than 10 MB"):
        services.attach_file(at("psd"), case_id, "a.txt", b"x" * (MAX_ATTACHMENT_BYTES + 1))
    monkeypatch.setattr(attachments, "MAX_CASE_BYTES", len(packed) + 1)
    with pytest.raises(CardwatchError, match="together"):
        services.attach_file(at("psd"), case_id, "a.txt", b"xy")
    monkeypatch.setattr(attachments, "MAX_ATTACHMENTS", 1)
    with pytest.raises(CardwatchError, match="at most 1 file"):
        services.attach_file(at("psd"), case_id, "a.txt", b"x")
    (listed,) = services.get_case(at("psd"), case_id)["attachments"]
    assert "content" not in listed


SECRET = b"a colleague's medical note 5512"


def test_a_file_attached_by_mistake_is_erased_and_the_chronology_says_so(
    at: Context, confirmed: str, casebook: Casebook
) -> None:
    case_id = _open(at, confirmed)["case_id"]
    attached = services.attach_file(at("psd"), case_id, "note.txt", SECRET)
    attachment_id, digest = attached["attachment_id"], hashlib.sha256(SECRET).hexdigest()
    files = list(Path(casebook.engine.url.database or "").parent.glob("casebook.db*"))
    assert any(SECRET in path.read_bytes() for path in files) == casebook.is_sqlite
    with pytest.raises(CardwatchError, match="Enter a reason"):
        services.remove_attachment(at("psd"), attachment_id, reason=" ")
    for role in ("finance", "auditor", "admin"):
        with pytest.raises(NotAllowed):
            services.remove_attachment(at(role), attachment_id, reason="so")
    case = services.remove_attachment(at("psd"), attachment_id, reason="of another case")
    assert case["attachments"] == []
    last = case["chronology"][-1]
    assert (last["kind"], last["by"]) == ("attachment-removed", case["made_by"])
    for words in ("note.txt", digest, "of another case"):
        assert words in last["text"]
    with pytest.raises(NotFound):
        services.get_attachment(at("psd"), attachment_id)
    with pytest.raises(NotFound):
        services.remove_attachment(at("psd"), attachment_id, reason="again")
    assert not any(SECRET in path.read_bytes() for path in files)
    events = services.audit_events(at("psd"), lane=PSD, last=50, action="erasure")
    assert [row["id"] for row in events if row["outcome"] == "done"] == [attachment_id]
    assert {row["object"] for row in events} == {"attachment"}
    again = services.attach_file(at("psd"), case_id, "note.txt", SECRET)
    assert services.get_attachment(at("psd"), again["attachment_id"])["content"] == SECRET
    assert_whole(at("psd"))


def test_a_file_of_a_closed_case_or_one_under_a_hold_stays(at: Context, confirmed: str) -> None:
    case_id = _open(at, confirmed)["case_id"]
    attachment_id = services.attach_file(at("psd"), case_id, "a.txt", b"x")["attachment_id"]
    hold = services.place_hold(at(), confirmed, reason="appeal")  # finance's own hold counts too
    for _ in range(2):  # the second time with the alert taken out of the case
        with pytest.raises(Conflict, match="legal hold"):
            services.remove_attachment(at("psd"), attachment_id, reason="so")
        with contextlib.suppress(NotFound):
            services.remove_case_alert(at("psd"), case_id, confirmed, reason="so")
    services.end_hold(at(), hold)
    services.close_case(at("psd"), case_id, CaseUpdate("so", outcome="passed-on"))
    with pytest.raises(Conflict, match="closed"):
        services.remove_attachment(at("psd"), attachment_id, reason="so")
    assert services.get_attachment(at("psd"), attachment_id)["content"] == b"x"
    services.reopen_case(at("psd"), case_id, CaseUpdate("so"))
    assert services.remove_attachment(at("psd"), attachment_id, reason="so")["attachments"] == []


@needs_pdf
def test_a_pack_made_later_has_no_file_that_was_removed(
    at: Context, confirmed: str, tmp_path: Path
) -> None:
    case_id = _open(at, confirmed)["case_id"]
    attachment_id = services.attach_file(at("psd"), case_id, "n.txt", SECRET)["attachment_id"]
    services.reveal_case(at("psd"), case_id, reason="hearing")
    request = services.ExportRequest("misconduct", "Appropriate authority", "OFFICIAL", KEY)
    with pytest.raises(SecondPersonNeeded):  # it is asked for while the file is there
        services.export_case(at("psd"), case_id, request)
    services.remove_attachment(at("psd"), attachment_id, reason="of another case")
    file = approved(at("psd"), lambda psd: services.export_case(psd, case_id, request))
    path = tmp_path / "case.zip"
    path.write_bytes(file.content)
    check_pack(path, KEY.public_key())
    with zipfile.ZipFile(path) as pack:
        assert not [name for name in pack.namelist() if name.startswith("attachments/")]
        assert SECRET not in b"".join(pack.read(name) for name in pack.namelist())
        assert "of another case" in pack.read("chronology.csv").decode("utf-8-sig")


@needs_pdf
def test_a_case_is_shared_as_a_pack_that_shows_any_change(
    at: Context, confirmed: str, tmp_path: Path
) -> None:
    case_id = _open(at, confirmed, _psd_alert(at))["case_id"]
    services.add_case_note(at("psd"), case_id, "=cmd|' /C calc'!A0")
    services.attach_file(at("psd"), case_id, "photo.png", PNG)
    request = services.ExportRequest("misconduct", "Appropriate authority", "OFFICIAL", KEY)
    with pytest.raises(NotAllowed, match="show the names"):
        services.export_case(at("psd"), case_id, request)
    approved(at("psd"), lambda psd: services.reveal_case(psd, case_id, reason="hearing"))
    for role in ("finance", "auditor", "admin"):
        with pytest.raises(NotAllowed):
            services.export_case(at(role), case_id, request)
    file = approved(at("psd"), lambda psd: services.export_case(psd, case_id, request))
    case = services.get_case(at("psd"), case_id)
    assert file.filename == f"psd case {case['reference']}.zip"
    assert file.alert_count == 2
    path = tmp_path / "case.zip"
    path.write_bytes(file.content)
    manifest = check_pack(path, KEY.public_key())
    with zipfile.ZipFile(path) as pack:
        files = {name: pack.read(name) for name in pack.namelist()}
    assert {"alerts.pdf", "alerts.xlsx", "case.json", "chronology.csv", "notes.csv",
            "attachments/01 photo.png"} < set(files)  # fmt: skip
    for name, digest in manifest["files"].items():
        assert hashlib.sha256(files[name]).hexdigest() == digest
    assert (
        json.loads(files["case.json"])["attachments"][0]["sha256"]
        == hashlib.sha256(files["attachments/01 photo.png"]).hexdigest()
    )
    notes = list(csv.reader(io.StringIO(files["notes.csv"].decode("utf-8-sig"))))
    assert notes[1][2] == "'=cmd|' /C calc'!A0"
    assert not services.verify_checkpoints(at("psd"), KEY.public_key(), path).fault
    assert case["chronology"][-1]["kind"] == "exported"
    files["attachments/01 photo.png"] += b"x"
    with zipfile.ZipFile(path, "w") as pack:
        for name, content in files.items():
            pack.writestr(name, content)
    with pytest.raises(CardwatchError, match=r"photo\.png is not as it was signed"):
        check_pack(path, KEY.public_key())
    assert_whole(at("psd"))


def test_a_case_outlives_its_alerts_and_expires_by_its_own_time(
    at: Context, confirmed: str, casebook: Casebook
) -> None:
    theirs = _psd_alert(at)
    case_id = _open(at, confirmed, theirs)["case_id"]
    services.attach_file(at("psd"), case_id, "a.txt", b"x")
    services.decide(at(), confirmed, DecisionInput("repaid"))
    services.decide(at("psd"), theirs, DecisionInput("seen", "confirmed"))
    for kind, days in (("alerts", 800), ("transactions", 800), ("cases", 1_000)):
        approved(
            at("admin"),
            lambda admin, kind=kind, days=days: services.retention_periods(
                admin, kind=kind, days=days
            ),
        )
    erase(at("admin", days=1_000))
    later = at("psd", days=1_000)
    assert services.list_alerts(at(days=1_000)) == []
    assert [one["alert_id"] for one in services.list_alerts(later)] == [theirs]
    case = services.get_case(later, case_id)
    gone = {one["alert_id"]: one["is_erased"] for one in case["alerts"]}
    assert gone == {confirmed: True, theirs: False}
    assert any("repaid" in row["text"] for row in case["chronology"])
    assert sum(row["kind"] == "payment" for row in case["chronology"]) == 6
    subject = _colleague(at, "E1")
    assert services.list_cases(subject, CaseFilter()) == []
    assert [check.fault for check in services.verify_audit(later)] == ["", ""]
    services.close_case(later, case_id, CaseUpdate("so", outcome="passed-on"))
    hold = services.place_hold(later, theirs, reason="appeal")
    erase(at("admin", days=2_100))
    assert services.get_case(at("psd", days=2_100), case_id)["state"] == "closed"
    services.end_hold(later, hold)
    erase(at("admin", days=2_101))
    with pytest.raises(NotFound):
        services.get_case(at("psd", days=2_101), case_id)
    assert services.list_alerts(at("psd", days=2_101)) == []
    with casebook.snapshot() as connection:
        casebook.set_tenant(connection, "saltmarsh-vale", LANES)
        for table in ("cases", "case_entries", "case_alerts", "case_subjects", "case_attachments"):
            count = connection.exec_driver_sql(f"SELECT COUNT(*) FROM {table}").scalar()  # noqa: S608
            assert count == 0, table
    assert [check.fault for check in services.verify_audit(at("psd", days=2_101))] == ["", ""]
