"""The API's reference page is complete, open without a key, and asks for nothing elsewhere."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from jsonschema_rs import Draft202012Validator

from api.reference import objects, operations

if TYPE_CHECKING:
    from services import Running

SITE = {"Accept": "text/html"}


def test_it_is_open_and_complete(running: Running) -> None:
    answer = running.client.get("/reference", headers=SITE)
    assert answer.status_code == 200
    document = running.client.app.openapi()  # type: ignore[attr-defined]
    for path, content in document["paths"].items():
        for method in content:
            assert f">{method.upper()} {path}</code>" in answer.text
    for name in document["components"]["schemas"]:
        assert f'id="object-{name}"' in answer.text
    links = set(re.findall(r'href="#(object-\w+)"', answer.text))
    assert links <= set(re.findall(r'id="(object-\w+)"', answer.text))
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert not re.search(r'(src|href)="https?:', answer.text)


def test_it_is_filtered_by_words_and_subject(running: Running) -> None:
    page = running.client.get("/reference?find=POST+decisions", headers=SITE).text
    assert "POST /v1/alerts/{alert_id}/decisions</code>" in page
    assert "GET /v1/people</code>" not in page
    page = running.client.get("/reference?tag=people", headers=SITE).text
    assert "GET /v1/people</code>" in page
    assert "/v1/alerts</code>" not in page
    assert (
        "No operation has these words"
        in running.client.get("/reference?find=%3Cscript%3E", headers=SITE).text
    )


def test_every_operation_has_a_meaning_and_an_example(running: Running) -> None:
    document = running.client.app.openapi()  # type: ignore[attr-defined]
    every = operations(document)
    assert all(one.meaning and one.example.startswith("curl") and one.answers for one in every)
    decided = next(one for one in every if one.name == "decide_alert")
    assert '"reason"' in decided.example
    assert {one.name for one in objects(document)} == set(document["components"]["schemas"])


def test_every_sample_body_is_valid_for_its_operation(running: Running) -> None:
    document = running.client.app.openapi()  # type: ignore[attr-defined]
    samples = [one for one in operations(document) if one.sample]
    assert len(samples) > 15
    for one in samples:
        content = document["paths"][one.path][one.method.lower()]["requestBody"]["content"]
        schema = content[one.media]["schema"] | {"components": document["components"]}
        Draft202012Validator(schema).validate(json.loads(one.sample))


def test_each_field_has_the_control_of_its_type(running: Running) -> None:
    every = {one.name: one for one in operations(running.client.app.openapi())}  # type: ignore[attr-defined]
    files = [field.name for field in every["receive_statement"].body if field.is_file]
    choices = {field.name: field.choices for field in every["list_alerts"].parameters}
    assert files == ["file"]
    assert choices["tier"] == ("A", "B", "C")
    assert choices["snoozed"] == ("true", "false")
    assert choices["tag"] == ()
