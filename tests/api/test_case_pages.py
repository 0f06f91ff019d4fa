"""Cases over HTTP: versions, refusals, and hostile files that only ever come back as downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from books import needs_pdf
from services import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from services import Running

SITE = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
HTML = b"<html><script>alert(1)</script>"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("cases")
    url = f"sqlite:///{folder / 'casebook.db'}"
    with serving(folder / "home", url, chores=False) as made:
        yield made


def _open(running: Running, title: str = "A case") -> Any:
    sent = {"title": title, "reason": "so"}
    answer = running.ask("POST", "/v1/cases", "psd", json=sent)
    assert answer.status_code == 201, answer.text
    assert answer.headers["ETag"] == '"1"'
    return answer.json()


def test_a_stale_version_changes_nothing(running: Running) -> None:
    path = f"/v1/cases/{_open(running)['case_id']}"
    assert running.ask("POST", f"{path}/notes", "psd", json={"text": "x"}).status_code == 200
    closing = {"outcome": "passed-on", "reason": "so"}
    for headers, status in (({}, 428), ({"If-Match": '"1"'}, 412), ({"If-Match": '"x"'}, 412)):
        answer = running.ask("POST", f"{path}/closure", "psd", json=closing, headers=headers)
        assert answer.status_code == status
    fresh = {"If-Match": '"2"'}
    assert running.ask("POST", f"{path}/closure", "psd", json=closing, headers=fresh).is_success
    late = running.ask("POST", f"{path}/notes", "psd", json={"text": "late"})
    assert (late.status_code, late.json()["code"]) == (409, "conflict")
    page = running.ask(
        "POST", path.removeprefix("/v1") + "/reopening", "psd",
        data={"reopening": "so", "seen": "1"}, headers=SITE,
    )  # fmt: skip
    assert page.status_code == 422
    assert "Somebody else has changed this case" in page.text


@pytest.mark.parametrize(("name", "content"), [
    ("picture.png", HTML), ("page.html", HTML), ("..\\x.svg", b"<svg/>"),
    ("x.pdf\r\n.exe", b"%PDF-"), ("none", b"x"), ("empty.txt", b""), ("nul.txt", b"a\0b"),
])  # fmt: skip
def test_a_file_of_another_kind_is_refused_at_its_field(
    running: Running, name: str, content: bytes
) -> None:
    case_id = _open(running)["case_id"]
    answer = running.ask(
        "POST", f"/v1/cases/{case_id}/attachments", "psd", files={"file": (name, content)}
    )
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"file"}
    page = running.ask(
        "POST", f"/cases/{case_id}/attachments", "psd", files={"files": (name, content)},
        headers=SITE,
    )  # fmt: skip
    assert page.status_code == 422
    assert 'id="files-error"' in page.text
    whole = running.ask("GET", f"/v1/cases/{case_id}", "psd").json()
    assert whole["attachments"] == []


def test_a_file_comes_back_as_a_download_under_a_plain_name(running: Running) -> None:
    case_id = _open(running)["case_id"]
    name = '../../etc/"a\u202e<b>\u00e9.txt'
    sent = running.ask(
        "POST", f"/v1/cases/{case_id}/attachments", "psd", files={"file": (name, HTML)}
    )
    assert sent.status_code == 201, sent.text
    assert "/" not in sent.json()["name"]
    assert "\u202e" not in sent.json()["name"]
    for path in ("/v1/attachments/", "/attachments/"):
        back = running.ask("GET", path + sent.json()["attachment_id"], "psd")
        assert back.content == HTML
        assert back.headers["content-type"] == "text/plain"
        assert back.headers["x-content-type-options"] == "nosniff"
        disposition = back.headers["content-disposition"]
        assert disposition.startswith("attachment; ")
        assert not set(disposition) & set("\r\n<>/\\")
    page = running.ask("GET", f"/cases/{case_id}", "psd", headers=SITE)
    assert "<b>" not in page.text


def test_a_file_is_removed_from_its_page_for_a_reason(running: Running) -> None:
    case_id = _open(running)["case_id"]
    sent = running.ask(
        "POST", f"/v1/cases/{case_id}/attachments", "psd", files={"file": ("a.txt", b"x")}
    )
    place = f"/attachments/{sent.json()['attachment_id']}"
    shown = running.ask("GET", f"/cases/{case_id}", "psd", headers=SITE)
    assert f'href="{place}/removal"' in shown.text
    assert running.ask("GET", f"{place}/removal", "psd", headers=SITE).status_code == 200
    bare = running.ask("POST", f"{place}/removal", "psd", data={"reason": ""}, headers=SITE)
    assert bare.status_code == 422
    assert 'id="reason-error"' in bare.text
    gone = running.ask("POST", f"{place}/removal", "psd", data={"reason": "wrong"}, headers=SITE)
    assert "File removed" in gone.text
    assert f"{place}/removal" not in gone.text
    assert running.ask("GET", f"/v1{place}", "psd").status_code == 404
    late = running.ask("POST", f"/v1{place}/removal", "psd", json={"reason": "again"})
    assert late.status_code == 404


def test_a_title_that_is_markup_stays_text(running: Running) -> None:
    case_id = _open(running, "<img src=x onerror=alert(1)>")["case_id"]
    for path in (f"/cases/{case_id}", "/cases", f"/cases/{case_id}/hand-over"):
        page = running.ask("GET", path, "psd", headers=SITE).text
        assert "<img" not in page
        assert "&lt;img" in page


def test_cases_are_searched_a_page_at_a_time(running: Running) -> None:
    for number in range(3):
        _open(running, f"Needle {number}")
    seen, cursor = [], ""
    while cursor is not None:
        sent = {"text": "needle", "limit": 2, "cursor": cursor}
        page = running.ask("POST", "/v1/cases/search", "psd", json=sent).json()
        seen += [one["title"] for one in page["cases"]]
        cursor = page["next"]
    assert sorted(seen) == ["Needle 0", "Needle 1", "Needle 2"]
    shown = running.ask("POST", "/cases/search", "psd", data={"text": "NEEDLE 1"}, headers=SITE)
    assert "Needle 1" in shown.text
    assert "Needle 2" not in shown.text
    assert "eedle" not in str(shown.url)


@needs_pdf
def test_a_request_names_its_case_by_reference(running: Running) -> None:
    case = _open(running, "Hospitality of one supplier")
    page = running.ask(
        "POST", f"/cases/{case['case_id']}/hand-over", "psd", headers=SITE,
        data={"purpose": "misconduct", "recipient": "The authority"},
    )  # fmt: skip
    assert "/approvals/" in str(page.url), page.text
    assert f"{case['reference']}: Hospitality of one supplier" in page.text
    assert f">{case['case_id']}<" not in page.text
