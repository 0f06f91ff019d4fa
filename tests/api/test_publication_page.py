"""Payments published on the page and by the API: what is redacted is shown before it is made."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest
from books import month
from services import text

if TYPE_CHECKING:
    from services import Running

SITE = {"Sec-Fetch-Site": "same-origin", "Accept": "text/html"}
LIST = """
[[redact]]
merchant = "new firm"
reason = "personal data"
[[leave_out]]
holder = "E3"
[[leave_out]]
card_last4 = "9999"
"""
ROWS = (*month(8), "2026-08-11,E1,NEW FIRM,900.00,S1", "2026-08-12,E3,HIDDEN PLACE,950.00,S2")


@pytest.fixture
def held(running: Running) -> Running:
    """Give a service that holds August."""
    assert running.send(text(*ROWS)).status_code == 201
    return running


def _page(running: Running, **data: str) -> Any:
    sent = {"period": "2026-Q3", "redactions": LIST} | data
    path = "/publication/file" if "form" in data else "/publication"
    return running.ask("POST", path, headers=SITE, data=sent)


def test_the_page_shows_first_what_is_redacted(held: Running) -> None:
    page = _page(held)
    assert page.status_code == 200
    for words in (
        "personal data",
        "fit no payment of the period",
        "9999",
        "Do not publish the number left out",
    ):
        assert words in page.text
    assert "HIDDEN PLACE" not in page.text
    assert "merchant = &#34;new firm&#34;" in page.text, "the list stays in the form"


def test_the_page_gives_the_file_and_the_answers(held: Running) -> None:
    file = _page(held, form="csv")
    assert "2026-Q3 payments.csv" in file.headers["content-disposition"]
    assert "Redacted: personal data" in file.text
    assert not {"NEW FIRM", "HIDDEN PLACE", "E3"} & set(file.text.replace('"', ",").split(","))
    answers = _page(held, form="zip")
    assert "2026-Q3 answers.zip" in answers.headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answers.content)) as pack:
        assert pack.read("payments.csv").decode() == file.content.decode()
        assert {"answers.txt", "answers.xlsx"} <= set(pack.namelist())


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"period": "2026-Q4"}, "period"),
        ({"period": "yesterday"}, "period"),
        ({"redactions": "redact = 1"}, "redactions"),
        ({"redactions": "a" * 300_000}, ""),
        ({"over_pounds": "-1"}, "over_pounds"),
        ({"over_pounds": "1" * 30}, "over_pounds"),
    ],
)
def test_what_is_wrong_is_named_at_its_field(
    held: Running, data: dict[str, str], field: str
) -> None:
    page = _page(held, **data)
    assert page.status_code in {413, 422}
    assert not field or f'id="{field}-error"' in page.text


def test_the_api_gives_the_same(held: Running) -> None:
    sent = {"period": "2026-Q3", "redactions": LIST}
    check = held.ask("POST", "/v1/publications/preview", json=sent)
    assert check.json() == {
        "payments": 1, "redacted": {"personal data": 1}, "left_out": 1, "unused": ["9999"],
    }  # fmt: skip
    file = held.ask("POST", "/v1/publications", json=sent | {"form": "csv"})
    assert file.content == _page(held, form="csv").content
    for role in ("auditor", "psd", "admin"):
        assert held.ask("POST", "/v1/publications/preview", role, json=sent).status_code == 403
        wanted = sent | {"form": "csv"}
        assert held.ask("POST", "/v1/publications", role, json=wanted).status_code == 403
