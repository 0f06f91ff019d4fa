"""The Power Query text: it follows the API's pages to the last one, and asks for nothing else.

The text is M, which runs in Excel and Power BI alone. What it takes from the API is read out of it
and held against the running service.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from books import crowd
from conftest import ROOT
from services import text

from api.main import create_app
from api.settings import Settings

if TYPE_CHECKING:
    from services import Running

QUERY = (ROOT / "deploy" / "power-query" / "cardwatch.pq").read_text(encoding="utf-8")
CALLS = re.findall(r'InPounds\(Pages\("([^"]+)", "(\w+)"\), "(\w+)"', QUERY)
CURSOR, NEXT = (
    re.findall(r"filters & \[(\w+) = cursor\]", QUERY),
    re.findall(r"if answer\[(\w+)\] = null then null else Page", QUERY),
)
LIMIT = re.findall(r'\[(\w+) = "(\d+)"\]', QUERY)[0]


def test_the_text_reads_both_lists() -> None:
    assert [(path, name) for path, name, _ in CALLS] == [
        ("/v1/alerts", "alerts"), ("/v1/payments", "payments"),
    ]  # fmt: skip
    assert (CURSOR, NEXT) == (["cursor"], ["next"])


@pytest.mark.parametrize(("path", "name", "pence"), CALLS)
def test_every_page_comes_once(running: Running, path: str, name: str, pence: str) -> None:
    assert running.send(text(*crowd(8))).status_code == 201
    rows, cursor = [], None
    for _ in range(100):
        asked = {LIMIT[0]: "3"} | ({CURSOR[0]: cursor} if cursor else {})
        page = running.ask("GET", path, "auditor", params=asked).json()
        rows += page[name]
        cursor = page[NEXT[0]]
        if cursor is None:
            break
    whole = running.ask("GET", path, "auditor", params={LIMIT[0]: LIMIT[1]}).json()[name]
    assert rows == whole
    assert len(rows) > 6
    assert all(isinstance(row[pence], int) for row in rows)


def test_a_refusal_has_the_fields_the_text_shows(running: Running) -> None:
    fields = re.findall(r"Content\[(\w+)\]", QUERY)
    answer = running.client.get(CALLS[0][0], headers={"Authorization": "Bearer nobody's"})
    assert answer.status_code == 401
    assert fields
    assert all(answer.json()[field] for field in fields)


def test_the_key_is_not_in_an_address() -> None:
    assert 'Headers = [Authorization = "Bearer " & CardwatchKey' in QUERY
    operations = create_app(Settings()).openapi()["paths"]
    for path, _, _ in CALLS:
        names = {parameter["name"] for parameter in operations[path]["get"]["parameters"]}
        assert {CURSOR[0], LIMIT[0]} <= names
