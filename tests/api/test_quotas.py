"""What one person may use in a day: theirs alone, keys included, and told to nobody else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from services import OCTOBER

from cardwatch import services

if TYPE_CHECKING:
    from collections.abc import Callable

    from services import Running

PAGE = {"Accept": "text/html"}


def _export(running: Running, role: str = "finance", **more: Any) -> Any:
    sent = {
        "statement_id": "0" * 12,
        "form": "json",
        "purpose": "finance-assurance",
        "recipient": "x",
    }
    return running.ask("POST", "/v1/exports", role, json=sent, **more)


def _is_told(answer: Any, limit: str) -> bool:
    """Whether an answer says which limit is reached and when to come again: after midnight."""
    seconds = int(answer.headers["retry-after"])
    assert seconds == (14 * 60 + 30) * 60, "it is half past nine"
    assert answer.json()["code"] == "too_many"
    return answer.status_code == 429 and limit in answer.json()["detail"]


def test_files_of_a_day_are_limited_for_each_person(serve: Callable[..., Running]) -> None:
    running = serve(quota_uploads=2)
    assert running.send(OCTOBER).status_code == 201
    assert running.send("no statement", "other.csv").status_code == 422, "counted as well"
    assert _is_told(running.send(OCTOBER), "2 uploaded files")
    scored = {"files": {"file": ("october.csv", OCTOBER)}}
    assert _is_told(running.ask("POST", "/v1/scores/file", **scored), "2 uploaded files")
    assert running.ask("GET", "/v1/alerts").status_code == 200, "nothing else is refused"
    assert running.send(OCTOBER, role="psd").status_code == 200, "theirs is their own"
    running.clock.go(hours=14, minutes=29, seconds=59)
    assert running.send(OCTOBER).status_code == 429
    running.clock.go(seconds=1)
    assert running.send(OCTOBER).status_code == 200, "a new day"


@pytest.mark.parametrize(
    ("content_type", "file"),
    [
        ("multipart/form-data", 'filename="october.csv"'),
        ("Multipart/Form-Data", 'filename="october.csv"'),
        (" multipart/form-data ", 'filename="october.csv"'),
        ("multipart/form-data", 'filename=""'),
        ("multipart/form-data", "filename*=UTF-8''october.csv"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/statements", "/v1/scores/file", "/statements/new"])
def test_no_form_of_a_request_has_files_that_are_not_counted(
    serve: Callable[..., Running], content_type: str, file: str, path: str
) -> None:
    running = serve(quota_uploads=2)
    name = "files" if path == "/statements/new" else "file"
    part = f'Content-Disposition: form-data; name="{name}"; {file}\r\nContent-Type: text/csv'
    body = f"--x\r\n{part}\r\n\r\n{OCTOBER}\r\n--x--\r\n"
    headers = {"Content-Type": f"{content_type}; boundary=x"}
    answers = [
        running.ask("POST", path, content=body, headers=headers, follow_redirects=False)
        for _ in range(3)
    ]
    assert answers[-1].status_code == 429 or {one.status_code for one in answers} <= {400, 422}
    if answers[-1].status_code == 422:
        assert services.list_statements(running.context("finance")) == []


def test_a_publication_is_an_export(serve: Callable[..., Running]) -> None:
    """It has every payment of a period."""
    running = serve(quota_exports=2)
    sent = {"period": "2026-Q3", "redactions": "", "over_pounds": 0, "form": "csv"}
    assert running.ask("POST", "/v1/publications", json=sent).status_code == 422, "none is held"
    assert running.ask("POST", "/publication/file", data=sent).status_code == 422
    for answer in (
        running.ask("POST", "/v1/publications", json=sent),
        running.ask("POST", "/publication/file", data=sent),
    ):
        assert _is_told(answer, "2 exports")
    looked = running.ask("POST", "/v1/publications/preview", json={"period": "2026-Q3"})
    assert looked.status_code == 422, "to look at what would be published is no export"
    assert running.ask("POST", "/publication", data=sent).status_code == 422


def test_bytes_of_a_day_are_limited_and_what_is_refused_costs_nothing(
    serve: Callable[..., Running],
) -> None:
    running = serve(quota_upload_mib=1)
    large = OCTOBER + "\n" * (1024 * 1024 - len(OCTOBER) - 100)
    for _ in range(2):
        refused = running.send(OCTOBER + "\n" * (1024 * 1024))
        assert _is_told(refused, "1 MiB of uploaded files")
    assert running.send(large).status_code == 422, "and yet counted"
    assert _is_told(running.send(OCTOBER), "1 MiB of uploaded files")


def test_exports_of_a_day_are_limited_by_every_way_out(serve: Callable[..., Running]) -> None:
    running = serve(quota_exports=3)
    assert running.ask("GET", "/payments.csv").status_code == 200
    assert _export(running).status_code == 404, "one that is asked for counts"
    assert running.ask("POST", "/subject-access", data={"holder": "x"}).status_code != 429
    for answer in (_export(running), running.ask("GET", "/payments.csv")):
        assert _is_told(answer, "3 exports")
    page = running.ask("GET", "/payments.csv", headers=PAGE)
    assert (page.status_code, page.headers["retry-after"]) == (429, str((14 * 60 + 30) * 60))
    assert "You have reached your limit of 3 exports a day" in page.text
    assert _export(running, "psd").status_code == 404, "theirs is their own"


def test_a_key_uses_the_quota_of_whoever_made_it(serve: Callable[..., Running]) -> None:
    """Many keys are no more than one person."""
    running = serve(quota_exports=2, quota_requests=7)
    maker = running.context("psd")
    more = [services.create_key(maker, name=name, role="psd", days=9) for name in "ab"]
    assert _export(running, "psd").status_code == 404
    for key, status in zip(more, (403, 403), strict=True):
        answer = _export(running, "psd", headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == status, "without a code it is none"
    assert _export(running, "psd").status_code == 404
    assert _is_told(_export(running, "psd"), "2 exports")
    for key in more:
        headers = {"Authorization": f"Bearer {key}"}
        answer = running.client.get("/v1/alerts", headers=headers)
    assert answer.status_code == 200
    assert _is_told(running.ask("GET", "/v1/alerts", "psd"), "7 requests")
    assert running.ask("GET", "/v1/alerts").status_code == 200, "nobody else's"


def test_a_clock_that_is_set_back_gives_nobody_a_day_twice(serve: Callable[..., Running]) -> None:
    running = serve(quota_requests=2)
    for status in (200, 200, 429):
        assert running.ask("GET", "/v1/version").status_code == status
    running.clock.go(days=-1)
    assert running.ask("GET", "/v1/version").status_code == 429


def test_what_somebody_has_used_stands_on_their_own_page_alone(
    serve: Callable[..., Running],
) -> None:
    running = serve(quota_uploads=500, quota_upload_mib=2_048, quota_exports=200)
    before = {
        role: running.ask("GET", "/account/mine", role, headers=PAGE).text
        for role in ("finance", "auditor", "admin")
    }
    running.send(OCTOBER, role="psd")
    _export(running, "psd")
    page = running.ask("GET", "/account/mine", "psd", headers=PAGE).text
    for text in ("1 of 500", "1 of 2,048", "1 of 200", "3 of 1,000,000"):
        assert text in page
    for role, text in before.items():
        now = running.ask("GET", "/account/mine", role, headers=PAGE).text
        assert now == text.replace("1 of 1,000,000", "2 of 1,000,000"), role
