"""The reliability statement answers fifteen questions from the pack alone."""

from __future__ import annotations

import hashlib
import io
import json
import re
import shutil
import subprocess
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from books import EQUAL, SPLIT, export_alerts, month, needs_pdf

from cardwatch import __version__, services
from cardwatch.casebook import LANES
from cardwatch.casebook.alerts import DecisionInput
from cardwatch.services import reliability

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Context = Callable[..., services.ServiceContext]
    Read = Callable[..., Any]

pytestmark = needs_pdf
QUESTIONS = {
    1: ("Which program and versions", f"cardwatch {__version__}"),
    2: ("known limits or faults", "payments were for one need or several"),
    3: ("Which tests were passed", "checks of the database passed at 2026-11-24T09:30"),
    4: ("as they were received", "agree with those of the day it came"),
    5: (
        "made again just now",
        "every alert was made again from the payments, policy",
    ),
    6: ("Did anything independent", "a second program, which shares no code with the rules, found"),
    7: ("Which clock", "offset from another clock are not recorded"),
    8: ("Who changed the policy", "effective from 2026-01-01, activated at 2026-11-24T09:30"),
    9: ("Who has seen", "Only professional standards can include it"),
    10: ("Who decided what", "explained"),
    11: ("What was left out", "chosen alerts of its statements, not all of them"),
    12: ("checked by hand", "openssl pkeyutl -verify"),
    13: ("do the alerts not say", "a question, not a finding"),
    14: ("How often are such alerts upheld", "0 of 1 answered alerts were upheld here"),
    15: ("Who is responsible", "made it for CFO"),
}


@pytest.fixture
def asked(at: Context, read: Read) -> str:
    """Give a decided alert of finance, in a casebook with an alert of professional standards."""
    policy = services.pack_policy("unusual_one_in = 900\n", "policy.toml")
    services.activate_document(at(), "policy", policy, "2026-01-01")
    services.receive(at(), read(*month(9)), is_history=True)
    services.receive(at(), read(*month(10), *SPLIT, *EQUAL))
    alert_id = str(services.list_alerts(at(), services.AlertFilter(lane="finance"))[0]["alert_id"])
    services.decide(at(), alert_id, DecisionInput(reason="Two orders.", state="explained"))
    return alert_id


def unpacked(content: bytes, folder: Path) -> dict[str, bytes]:
    """Unpack a pack, of which alone every answer has to come."""
    with zipfile.ZipFile(io.BytesIO(content)) as pack:
        pack.extractall(folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_every_question_is_answered_from_the_pack_alone(
    at: Context, asked: str, tmp_path: Path
) -> None:
    content, _ = export_alerts(at(), form=".zip", alert_ids=(asked,))
    files = unpacked(content, tmp_path / "pack")
    text = re.sub(r"\s+", " ", files["reliability.txt"].decode())
    questions = json.loads(files["reliability.json"])["questions"]
    assert {one["number"] for one in questions} == QUESTIONS.keys()
    for one in questions:
        question, answer = QUESTIONS[one["number"]]
        assert question in one["question"]
        assert answer.casefold() in " ".join(one["answer"]).casefold(), one
        assert f"{one['number']}. {one['question']}" in text
        assert all(re.sub(r"\s+", " ", sentence) in text for sentence in one["answer"])
        assert one["is_known"] or one["answer"][0] == "Not known."
    assert [one["number"] for one in questions if not one["is_known"]] == [9]


def test_its_hashes_and_signature_hold_by_ordinary_tools(
    at: Context, asked: str, tmp_path: Path
) -> None:
    content, _ = export_alerts(at(), form=".zip", alert_ids=(asked,))
    files = unpacked(content, tmp_path / "pack")
    hashes = json.loads(files["manifest.json"])["files"]
    assert hashes.keys() == files.keys() - {"manifest.json", "manifest.sig"}
    assert {name: hashlib.sha256(files[name]).hexdigest() for name in hashes} == hashes
    lines = " ".join(json.loads(files["reliability.json"])["questions"][11]["answer"])
    command = re.search(r"xxd .*? signature\.bin(?= Compare)", lines)
    assert command is not None
    if not all(map(shutil.which, ("openssl", "xxd", "sh"))):
        pytest.skip("openssl, xxd and a shell are not all here")

    def checks() -> bool:
        found = subprocess.run(["sh", "-c", command[0]], cwd=tmp_path / "pack", capture_output=True,  # noqa: S607
                               check=False)  # fmt: skip
        return found.returncode == 0

    assert checks()
    (tmp_path / "pack" / "manifest.json").write_bytes(files["manifest.json"] + b" ")
    assert not checks()


def test_what_cannot_be_answered_is_said_not_to_be_known(
    at: Context, asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reliability, "is_installed", lambda: False)
    monkeypatch.setattr(reliability, "MOST_CHECKED", 0)
    content, _ = export_alerts(at(), form=".zip", alert_ids=(asked,))
    questions = json.loads(unpacked(content, tmp_path / "pack")["reliability.json"])["questions"]
    assert questions[5]["answer"] == [
        "Not known.", "The independent run is not installed here (extra `evidence`)."
    ]  # fmt: skip
    assert questions[4]["answer"] == ["1 further statement not checked for this pack."]


def test_a_changed_alert_is_not_confirmed(at: Context, asked: str, tmp_path: Path) -> None:
    with at().casebook.engine.begin() as connection:
        at().casebook.set_tenant(connection, at().actor.organisation_id, LANES)
        connection.exec_driver_sql("UPDATE statements SET pence = pence + 1 WHERE is_scored = 1")
    content, _ = export_alerts(at(), form=".zip", alert_ids=(asked,))
    questions = json.loads(unpacked(content, tmp_path / "pack")["reliability.json"])["questions"]
    assert "not confirmed" in questions[4]["answer"][0]
    assert "total received" in questions[3]["answer"][0]


def test_a_pack_of_finance_says_nothing_of_professional_standards(
    at: Context, asked: str, tmp_path: Path
) -> None:
    theirs = str(
        services.list_alerts(at(PSD_ROLE), services.AlertFilter(lane=PSD_ROLE))[0]["alert_id"]
    )
    content, _ = export_alerts(at(), form=".zip", alert_ids=(asked,))
    files = unpacked(content, tmp_path / "pack")
    text = files["reliability.json"].decode()
    assert theirs not in text
    assert "psd" not in text


PSD_ROLE = "psd"
