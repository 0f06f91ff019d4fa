"""The service keeps the contract it publishes: Schemathesis tries every operation of it."""

from __future__ import annotations

import copy
import json
import re
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
import schemathesis
from books import EVALUATED
from conftest import ROOT
from hypothesis import HealthCheck, settings
from hypothesis.errors import FlakyStrategyDefinition
from hypothesis.stateful import run_state_machine_as_test
from schemathesis.config import SchemathesisConfig
from services import OCTOBER, Running, serving

from api.main import create_app
from api.schemas.jobs import Job
from api.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import Message, Receive, Scope, Send

DOCUMENT = create_app(Settings()).openapi()
JUDGED = {
    "receive_statement": "few files of chance are statements",
    "score_file": "the same",
    "score_transactions": "few rows of chance are transactions",
    "propose_cards": "few files of chance are card registers",
    "propose": "few texts of chance are a policy or rules",
    "back_test": "the same",
    "preview_pack": "few texts of chance are a policy pack",
    "propose_pack": "a job of chance is no back-test of a pack",
    "decide_alert": "an ETag, a person or a day of chance is not of this alert, or is past",
    "suppress_alert": "a day of chance is past or years away",
    "list_alerts": "a cursor of chance is none of ours",
    "set_retention": "what is kept for other reasons is not erased sooner",
    "erase": "another administrator has to approve it",
    "approve_request": "no key approves",
    "reject_request": "what was decided is not decided again",
    "set_webhook": "notices go to no host that was not allowed when the service was set up",
    "compare": "few files of chance are aggregates of forces",
    "preview_publication": "a period of chance has no payments",
    "publish": "a period of chance has no payments, and few texts of chance are redactions",
    "draw_sample": "from a span of chance there is nothing to draw",
    "activate_account": "a password of chance is easy to guess",
    "list_payments": "a cursor of chance is none of ours",
    "search_payments": "the same",
    "search_alerts": "the same",
    "decide_alerts": "a version, a person or a day of chance is not of these alerts, or is past",
    "create_key": "a key for the directory has one role",
    "add_person": "who may decide is a cardholder of the force, or is said to hold no card",
    "set_cardholder": "the same",
    "preview_statement": "few files of chance are statements",
    "import_register": "few files of chance are registers",
    "export_list": "a PDF takes libraries that a machine may lack",
    "export_case": "the same",
    "add_complaint": "a day after today, or before the law was in force",
    "acknowledge_complaint": "a day before it was received, or after today",
    "answer_complaint": "the same",
    "send_query": "this service sends no e-mail",
    "change_case": "an ETag of chance is not of this case",
    "close_case": "the same",
    "reopen_case": "the same",
    "list_cases": "a cursor of chance is none of ours",
}
"""Operations that may refuse what is well formed (422), and why."""
VALID = ["2xx", "401", "403", "404", "409", "429"]
CONFIG = {
    "checks": {
        "positive_data_acceptance": {"expected-statuses": VALID},
        "negative_data_rejection": {"expected-statuses": ["4xx"]},  # 413 is one, and no 5xx is
    },
    "operations": [
        {"include-operation-id": name,
         "checks": {"positive_data_acceptance":
                    {"expected-statuses": [*VALID, "412", "422", "428"]}}}
        for name in JUDGED
    ],
}  # fmt: skip


class Door:
    """The app that runs at the moment, as Schemathesis comes to it."""

    app: Any = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def named() -> Message:
            """Give statements, which Schemathesis names 'file', a name that has an ending."""
            message = await receive()
            if message["type"] == "http.request":
                message["body"] = message["body"].replace(b'filename="file"', b"filename=aa.csv")
            return message

        if scope["type"] == "http":
            await self.app(scope, named, send)


SCHEMA = schemathesis.openapi.from_dict(
    copy.deepcopy(DOCUMENT), config=SchemathesisConfig.from_dict(CONFIG)
)
SCHEMA.app = Door()
ROLES = {"people": "admin", "audit": "psd", "complaints": "auditor"}
"""By subject, the role that may do most; elsewhere it is finance."""
OPEN = {"sign_in", "start_account", "activate_account", "live", "ready"}


def examples() -> dict[str, tuple[Any, Any]]:
    """Return every example of the document, with the schema that it is an example of."""
    found: dict[str, tuple[Any, Any]] = {}

    def add(label: str, schema: Any) -> None:
        name = schema.get("$ref", "").rpartition("/")[2]
        told = DOCUMENT["components"]["schemas"].get(name, schema)
        of = [told, *told.get("anyOf", ()), *told.get("properties", {}).values()]
        for at, example in enumerate(e for one in of for e in one.get("examples", ())):
            place = next(one for one in of if example in one.get("examples", ()))
            found[f"{label} {at}"] = place, example

    for path in DOCUMENT["paths"].values():
        for operation in path.values():
            name = operation["operationId"]
            for one in operation.get("parameters", ()):
                add(f"{name} {one['name']}", one["schema"])
            for kind, body in operation.get("requestBody", {"content": {}})["content"].items():
                add(f"{name} {kind}", body["schema"])
    return found


EXAMPLES = examples()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give a service that holds a statement with an alert in either lane."""
    home = tmp_path_factory.mktemp("contract")
    with serving(home, f"sqlite:///{home / 'casebook.db'}") as running:
        assert running.send(OCTOBER).status_code == 201
        Door.app = running.client.app
        yield running


def who(running: Running, operation: Any, role: str = "") -> dict[str, str]:
    """Return the headers with which an operation is tried."""
    told = operation.definition.raw
    if told["operationId"] in OPEN:
        return {}
    return running.of(role or ROLES.get(told["tags"][0], "finance"))


@SCHEMA.hook
def map_body(_: Any, body: Any) -> Any:
    """Let every other upload be a statement: few of chance are."""
    is_upload = isinstance(body, dict) and isinstance(body.get("file"), str)
    return {"file": OCTOBER, "reason": "chance"} if is_upload and chance(body) else body


def chance(body: dict[str, Any]) -> bool:
    """Return whether a body is one of the half to be replaced; the same body, the same."""
    return bool(zlib.crc32(repr(body).encode("utf-8", "replace")) % 2)


def tried(examples: int) -> Any:
    return settings(max_examples=examples, deadline=None, derandomize=True, database=None,
                    suppress_health_check=list(HealthCheck))  # fmt: skip


@SCHEMA.parametrize()
@tried(5)
def test_every_operation_keeps_its_contract(case: Any, service: Running) -> None:
    """Try each operation as the role that may do most.

    Beside the examples of chance, Schemathesis tries each limit and each way to be wrong that the
    document names, some fifty requests an operation. More of chance would take CI ten minutes on
    two cores; they are tried under prove, as each role.
    """
    case.call_and_validate(headers=who(service, case.operation), base_url="https://testserver")


@pytest.mark.prove
@pytest.mark.parametrize("role", ["finance", "psd", "admin"])
@SCHEMA.parametrize()
@tried(500)
def test_every_operation_keeps_its_contract_for_each_role(
    case: Any, service: Running, role: str
) -> None:
    case.call_and_validate(
        headers=who(service, case.operation, role), base_url="https://testserver"
    )


Journey = SCHEMA.as_state_machine()


def walk(running: Running, role: str, examples: int) -> set[tuple[str, int]]:
    """Go along the links as a role; return every operation that was come to, with its status."""
    come_to: set[tuple[str, int]] = set()

    class Along(Journey):  # type: ignore[misc, valid-type]
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": who(running, case.operation, role)}

        def before_call(self, case: Any) -> None:
            """Leave out what finds nothing or is refused wherever it is of chance."""
            if case.operation.definition.raw["operationId"] == "list_alerts":
                case.query = {}
            if isinstance(case.body, dict):
                for name in ("assigned_to", "due_on"):
                    case.body.pop(name, None)

        def after_call(self, response: Any, case: Any) -> None:
            come_to.add((case.operation.definition.raw["operationId"], response.status_code))

    for _ in range(3):
        # The service remembers earlier examples, so that one tried again may go another way.
        with suppress(FlakyStrategyDefinition):
            run_state_machine_as_test(
                Along, settings=settings(tried(examples), stateful_step_count=10)
            )
            return come_to
    pytest.fail("no walk came to its end")


def test_ways_of_chance_along_the_links(service: Running) -> None:
    come_to = walk(service, "finance", 60)
    assert ("receive_statement", 200) in come_to


OPERATIONS = {
    operation["operationId"]: (method, path, operation)
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}


def follow(running: Running, begun: str, answer: Any, link: str, **sent: Any) -> Any:
    """Go from one operation's answer along a link, as the document describes it."""
    told = OPERATIONS[begun][2]["responses"][str(answer.status_code)]["links"][link]
    method, path, operation = OPERATIONS[told["operationId"]]
    where = {one["name"]: one["in"] for one in operation["parameters"]}
    given: dict[str, dict[str, str]] = {"path": {}, "query": {}, "header": {}}
    for name, expression in told["parameters"].items():
        if expression.startswith("$response.header."):
            value = answer.headers[expression.removeprefix("$response.header.")]
        else:
            value = answer.json()
            for step in expression.removeprefix("$response.body#/").split("/"):
                value = value[int(step) if step.isdecimal() else step]
        given[where[name]][name] = value
    return running.ask(method, path.format_map(given["path"]), params=given["query"],
                       headers=given["header"], **sent)  # fmt: skip


def test_links_lead_from_an_upload_to_a_decision(running: Running) -> None:
    received = running.send(OCTOBER)
    statement = follow(running, "receive_statement", received, "statement")
    assert statement.json()["transactions"] == 18
    listed = follow(running, "receive_statement", received, "alerts")
    alert = follow(running, "list_alerts", listed, "alert")
    said = {"reason": "two sites, two orders", "state": "explained"}
    decided = follow(running, "get_alert", alert, "decide", json=said)
    assert (decided.status_code, decided.json()["state"]) == (201, "explained")
    noted = follow(running, "decide_alert", decided, "decide", json={"reason": "a note"})
    assert (noted.status_code, noted.json()["version"]) == (201, 2)


@pytest.mark.prove
@pytest.mark.parametrize("role", ["finance", "psd", "admin"])
def test_a_long_way_along_the_links(service: Running, role: str) -> None:
    walk(service, role, 200)


def test_the_published_document_is_the_golden_one() -> None:
    golden = (ROOT / "tests" / "golden" / "openapi.json").read_text(encoding="utf-8")
    assert json.loads(golden) == DOCUMENT, "python tests/golden/write.py, if it is meant"


SECRETS = {"secret", "token", "key", "password", "totp", "totp_step", "content", "person_keys",
           "invited_sha256", "browser_sha256", "mark"}  # fmt: skip
SHOWN_ONCE = {"Secret.secret", "WebhookSecret.secret", "Invitation.token", "NewKey.key"}


def test_an_answer_has_no_secret_but_what_is_shown_once() -> None:
    schemas = DOCUMENT["components"]["schemas"]
    answers = [
        answer
        for path in DOCUMENT["paths"].values()
        for operation in path.values()
        for answer in operation["responses"].values()
    ]
    names, seen = set(re.findall(r"schemas/(\w+)", json.dumps(answers))), set()
    while names - seen:
        seen |= names
        names |= set(re.findall(r"schemas/(\w+)", json.dumps([schemas[name] for name in names])))
    fields = {f"{name}.{field}" for name in names for field in schemas[name].get("properties", ())}
    assert {field for field in fields if field.partition(".")[2] in SECRETS} == SHOWN_ONCE


@pytest.mark.parametrize("label", EXAMPLES)
def test_an_example_is_what_its_schema_says(label: str) -> None:
    schema, example = EXAMPLES[label]
    whole = schema | {"components": DOCUMENT["components"]}
    jsonschema_rs.validator_for(whole, validate_formats=True).validate(example)


def test_every_operation_that_takes_something_has_an_example() -> None:
    shown = {label.split()[0] for label in EXAMPLES}
    takes = {
        operation["operationId"]
        for path in DOCUMENT["paths"].values()
        for operation in path.values()
        if "requestBody" in operation or operation.get("parameters")
    }
    assert takes <= shown


def test_no_answer_is_an_object_without_fields() -> None:
    def untyped(part: Any, place: str) -> Iterator[str]:
        if isinstance(part, dict):
            has_fields = {"properties", "patternProperties", "additionalProperties"} & part.keys()
            if part.get("type") == "object" and (
                not has_fields or part.get("additionalProperties") is True
            ):
                yield place
            for name, inner in part.items():
                yield from untyped(inner, f"{place}/{name}")
        for number, inner in enumerate(part if isinstance(part, list) else ()):
            yield from untyped(inner, f"{place}/{number}")

    exported = "/paths//v1/exports/post/responses/200/content/application/json/schema"
    assert list(untyped(DOCUMENT, "")) == [exported]  # a file, which the archive describes


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (EVALUATED, "Evaluation"),
        ({"code": "refused", "detail": "no"}, "JobFailure"),
        ({"kind": "policy", "sha256": "", "document": "", "statements": [], "units": {}},
         "BackTest"),
    ],
)  # fmt: skip
def test_the_answer_of_a_job_has_the_fields_of_its_kind(answer: dict[str, Any], kind: str) -> None:
    job = {"job_id": "a", "kind": "evaluation", "made_at": "", "state": "done", "percent": 100}
    told = Job.model_validate(job | {"answer": answer})
    assert type(told.answer).__name__ == kind
    shown = told.model_dump(mode="json", by_alias=True)["answer"]
    assert shown.items() >= {k: v for k, v in answer.items() if not isinstance(v, list)}.items()
