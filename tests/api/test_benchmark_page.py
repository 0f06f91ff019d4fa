"""Forces compared on a page: from files that are not kept, as page, PDF and workbook."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from books import needs_pdf

from cardwatch import services

if TYPE_CHECKING:
    from collections.abc import Callable

    from services import Running

SITE = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
FILES = sorted((Path(__file__).parents[2] / "sample_data" / "aggregates").iterdir())
VALE = "Saltmarsh Vale (invented)"


def _compare(running: Running, files: list[tuple[str, bytes]], status: int, **data: str) -> Any:
    sent = [("files", file) for file in files]
    answer = running.ask("POST", "/benchmark", "auditor", headers=SITE, files=sent, data=data)
    assert answer.status_code == status, answer.text
    return answer


@pytest.fixture
def files() -> list[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in FILES]


def test_the_page_shows_ones_force_among_others(
    serve: Callable[..., Running], files: list[tuple[str, bytes]]
) -> None:
    running = serve(chores=False)
    page = _compare(running, files, 200, force=VALE).text
    for words in ("What a difference does not mean", "Your force and its peers", "Funnel plots",
                  "within chance", "read once and not kept"):  # fmt: skip
        assert words in page
    for words in ("By own policy and by the common policy", "version 2026.1",
                  "Not scored by it: Dunsea (invented).", "Entries of registers",
                  "Card register: open cards with an approver"):  # fmt: skip
        assert words in page
    assert page.count("<svg xmlns") >= 14
    event = services.audit_events(running.context("auditor"), lane="finance", last=1)[0]
    assert (event["object"], event["id"], event["counts"]) == ("benchmark", "", {"files": 14})


def test_a_workbook_is_given(serve: Callable[..., Running], files: list[tuple[str, bytes]]) -> None:
    answer = _compare(serve(chores=False), files, 200, form="xlsx")
    assert "2026-Q3 comparison of forces.xlsx" in answer.headers["content-disposition"]
    assert "About" in openpyxl.load_workbook(io.BytesIO(answer.content)).sheetnames


@needs_pdf
def test_a_pdf_is_given(serve: Callable[..., Running], files: list[tuple[str, bytes]]) -> None:
    assert _compare(serve(chores=False), files, 200, form="pdf").content.startswith(b"%PDF")


@pytest.mark.parametrize(
    ("change", "data", "field", "words"),
    [
        (lambda files: files[:2], {}, "files", "at least 3"),
        (lambda _: [], {}, "files", "at least 3"),
        (lambda files: [*files, ("more.json", b"{}")], {}, "files", "not an aggregate"),
        (lambda files: files, {"force": "Nowhere"}, "force", "no aggregate of Nowhere"),
        (lambda files: files * 8, {}, "", ""),
    ],
)
def test_what_cannot_be_compared_is_named_at_its_field(
    serve: Callable[..., Running],
    files: list[tuple[str, bytes]],
    change: Any,
    data: dict[str, str],
    field: str,
    words: str,
) -> None:
    page = _compare(serve(chores=False), change(files), 422 if field else 400, **data).text
    assert words in page
    assert not field or f'id="{field}-error"' in page


def test_the_api_compares_forces(
    serve: Callable[..., Running], files: list[tuple[str, bytes]]
) -> None:
    running = serve(chores=False)
    sent = [("files", file) for file in files]
    answer = running.ask(
        "POST", "/v1/benchmarks", "auditor", files=sent, data={"force": VALE}
    ).json()
    assert (answer["quarter"], len(answer["peers"])) == ("2026-Q3", 5)
    assert answer["common_policy"]["version"] == "2026.1"
    figures = {figure["figure"]: figure for figure in answer["figures"]}
    assert "Dunsea (invented)" in str(figures["split_alerts"])
    assert "Dunsea (invented)" not in str(figures["common_split_alerts"])
    assert len(figures["cards_with_approver"]["forces"]) == 12
    assert len(figures["alerts"]["forces"]) == 12
    for force in figures["alerts"]["forces"]:
        assert force["low"] <= force["share"] == force["count"] / force["total"] <= force["high"]
    outside = [
        force["organisation"]
        for figure in figures.values()
        for force in figure["forces"]
        if "99.8%" in force["position"]
    ]
    assert outside, "a difference is planted in two forces"
    assert any("not a finding" in sentence for sentence in answer["not_meant"])


def test_the_api_names_what_is_no_aggregate(
    serve: Callable[..., Running], files: list[tuple[str, bytes]]
) -> None:
    running = serve(chores=False)
    changed = files[0][1].replace(b'"purchases": 1', b'"purchases": 2', 1)
    assert changed != files[0][1]
    sent = [("files", file) for file in [("forged.json", changed), *files[1:]]]
    answer = running.ask("POST", "/v1/benchmarks", files=sent)
    assert answer.status_code == 422
    assert "changed after it was signed" in answer.json()["detail"]
    assert running.ask("POST", "/v1/benchmarks", "admin", files=sent).status_code == 403
