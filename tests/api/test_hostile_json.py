"""JSON with more parts than anything takes is refused before it is parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from api.middleware.json_limit import MAX_BRACKETS
from api.state import ROWS_BYTES

if TYPE_CHECKING:
    from services import Running

MANY_FIELDS = ",".join(f'"f{n}":1' for n in range(60))
BODIES = {
    "lists": (413, "[" + "[]," * (ROWS_BYTES // 3 - 2) + "[]]"),
    "objects": (413, '{"transactions":[' + "{}," * MAX_BRACKETS + "{}]}"),
    "numbers": (413, "[" + "1.5," * (ROWS_BYTES // 4 - 2) + "1]"),
    "keys": (413, "{" + ",".join(f'"{n}":1' for n in range(600_000)) + "}"),
    "nesting": (413, "[" * (ROWS_BYTES - 1)),
    "nesting within the count": (400, "[" * (MAX_BRACKETS - 1)),
    "fields": (422, "{" + ",".join(f'"f{n}":1' for n in range(400_000)) + "}"),
    "faults": (422, '{"transactions":[' + ",".join([f"{{{MANY_FIELDS}}}"] * 8_000) + "]}"),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_body_is_refused_in_few_words(running: Running, name: str) -> None:
    status, body = BODIES[name]
    assert len(body) <= ROWS_BYTES
    for head in ({"Content-Type": "application/json"}, {"Content-Type": "application/merge+json"}):
        answer = running.ask("POST", "/v1/scores", content=body, headers=head)
        assert answer.status_code in {status, 422}, answer.text[:500]
        assert answer.headers["content-type"] == "application/problem+json"
        assert len(answer.content) < 20_000
    assert running.ask("GET", "/v1/session").status_code == 200
