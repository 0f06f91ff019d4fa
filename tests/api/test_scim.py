"""SCIM: an identity provider keeps users and groups; who leaves it is out at once."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from books import activate_cards
from fastapi.testclient import TestClient
from markupsafe import Markup
from matrix import TABLE
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server
from services import OWN

from api.middleware import COOKIE, OPEN
from cardwatch import services
from cardwatch.casebook import PSD, Actor, sessions
from cardwatch.casebook.people import find_person
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.errors import CardwatchError, NotAllowed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from services import Running

    from cardwatch.statements import ReadingChoices

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
JOINED = "joined@force.example"


class Provider:
    """An identity provider that keeps its users and groups here."""

    def __init__(self, running: Running) -> None:
        self.running = running
        key = services.create_key(
            running.context("admin"), name="provider", role="admin", days=9, scope="directory"
        )
        self.client = TestClient(
            running.client.app,
            base_url="https://testserver/scim/v2",
            headers={"Authorization": f"Bearer {key}"},
        )
        self.client.portal = running.client.portal

    def add_user(self, name: str, **more: Any) -> str:
        sent = {"schemas": [USER, ENTERPRISE], "userName": name, "displayName": "Name"} | more
        answer = self.client.post("/Users", json=sent)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def add_group(self, name: str, *members: str, role: str = "") -> str:
        sent = {"schemas": [GROUP], "displayName": name,
                "members": [{"value": one} for one in members]}  # fmt: skip
        answer = self.client.post("/Groups", json=sent)
        assert answer.status_code == 201, answer.text
        group_id = str(answer.json()["id"])
        if role:
            services.set_group_role(self.running.context("admin"), group_id, role)
        return group_id

    def patch(self, path: str, op: str, place: str, value: Any = None) -> Any:
        operation = {"op": op, "path": place} | ({} if value is None else {"value": value})
        sent = {"schemas": [PATCH], "Operations": [operation]}
        return self.client.patch(path, json=sent)

    def role_of(self, email: str) -> str:
        installation = services.ServiceContext(
            self.running.book, Actor(OWN, SYSTEM, "admin"), self.running.clock()
        )
        people = services.list_people(installation)
        return next(
            (one["role"] for one in people if one["email"] == email and not one["ended_at"]), ""
        )


@contextmanager
def _statements_of(running: Running) -> Iterator[list[str]]:
    """Give every statement that the service sends to the database."""
    sent: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        sent.append(statement)

    service = running.client.app.state.service  # type: ignore[attr-defined]
    engines = (service.casebook.engine, running.book.engine)
    for engine in engines:
        sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        for engine in engines:
            sa.event.remove(engine, "before_cursor_execute", note)


class OnceRemoving(SyncSCIMClient):
    """The tester's client; after each check it removes again all that it ever removed."""

    def __init__(self, client: TestClient) -> None:
        super().__init__(client)
        self.removed: dict[str, Any] = {}

    def request(self, method: str, url: str, **more: Any) -> Any:
        answer = self.removed.get(url) if method == "DELETE" else None
        if answer is None:
            answer = super().request(method, url, **more)
        if method == "DELETE" and answer.status_code == 404:
            self.removed[url] = answer
        return answer


@pytest.fixture
def provider(running: Running) -> Provider:
    return Provider(running)


def test_the_protocol_is_as_the_standard_says(provider: Provider) -> None:
    results = check_server(OnceRemoving(provider.client))
    faults = [
        f"{result.title}: {result.reason}"
        for result in results
        if result.status not in {Status.SUCCESS, Status.SKIPPED}
    ]
    assert not faults, "\n".join(faults)
    assert sum(result.status == Status.SUCCESS for result in results) > 60


def _session(running: Running, email: str) -> str:
    with running.book.unaudited(Actor(OWN, SYSTEM, "admin"), running.clock()) as uow:
        return sessions.begin_session(uow, find_person(uow, email), "", running.seal)


@pytest.mark.parametrize(
    ("role", "leaves"),
    [("finance", "replaced"), ("auditor", "deleted"), ("admin", "deactivated"),
     (PSD, "deactivated"), (PSD, "deleted")],
)  # fmt: skip
def test_who_leaves_the_provider_is_out_at_once_with_their_keys(
    provider: Provider, role: str, leaves: str
) -> None:
    running, email = provider.running, f"{role}@{OWN}.example"
    running.client.cookies.set(COOKIE, _session(running, email))
    actor = services.actor_of_person(running.book, OWN, email, running.clock())
    key = ""
    if role in {"admin", PSD}:
        theirs = services.ServiceContext(running.book, actor, running.clock())
        key = services.create_key(theirs, name="theirs", role=role, days=9)
    user_id = provider.add_user(email)
    assert running.client.get("/v1/session").status_code == 200
    if leaves == "deactivated":
        answer = provider.patch(f"/Users/{user_id}", "Replace", "active", value=False)
    elif leaves == "replaced":
        sent = {"schemas": [USER], "userName": email, "active": False}
        answer = provider.client.put(f"/Users/{user_id}", json=sent)
    else:
        answer = provider.client.delete(f"/Users/{user_id}")
    assert answer.is_success, answer.text
    assert running.client.get("/v1/session").status_code == 401
    assert not provider.role_of(email)
    if key:
        with pytest.raises(NotAllowed):
            services.actor_of_key(running.book, key, running.clock())


def test_groups_give_and_take_the_roles_that_admin_chose(provider: Provider) -> None:
    user_id = provider.add_user(JOINED)
    first = provider.add_group("Auditors", user_id)
    assert not provider.role_of(JOINED), "no role was chosen"
    services.set_group_role(provider.running.context("admin"), first, "auditor")
    assert provider.role_of(JOINED) == "auditor"
    second = provider.add_group("Admins", role="admin")
    members = [{"value": user_id}]
    assert provider.patch(f"/Groups/{second}", "Add", "members", members).status_code == 200
    assert provider.role_of(JOINED) == "auditor", "of several the one that may do least"
    provider.patch(f"/Groups/{first}", "Remove", f'members[value eq "{user_id}"]')
    assert provider.role_of(JOINED) == "admin"
    assert provider.client.delete(f"/Groups/{second}").status_code == 204
    assert not provider.role_of(JOINED)


def test_finance_waits_until_it_is_known_who_they_are_in_statements(provider: Provider) -> None:
    admin = provider.running.context("admin")
    user_id = provider.add_user(JOINED)
    provider.add_group("Finance", user_id, role="finance")
    (user,) = services.list_directory_users(admin)
    assert (user["role"], user["waits_for"]) == ("finance", "a cardholder")
    assert not provider.role_of(JOINED)
    services.add_person(admin, name="x", email=JOINED, role="finance", holds_no_card=True)
    provider.patch(f"/Users/{user_id}", "replace", "displayName", "Another")
    assert not services.list_directory_users(admin)[0]["waits_for"]
    page = provider.running.ask(
        "GET", "/people/directory", "admin", headers={"Accept": "text/html"}
    )
    assert JOINED in Markup(page.text).striptags()  # noqa: S704  nobody is shown it
    assert "Finance" in page.text


def test_a_role_that_is_taken_ends_even_while_the_next_one_waits(provider: Provider) -> None:
    user_id = provider.add_user(JOINED)
    admins = provider.add_group("Admins", user_id, role="admin")
    finance = provider.add_group("Finance", role="finance")
    provider.running.client.cookies.set(COOKIE, _session(provider.running, JOINED))
    assert provider.running.client.get("/v1/people").status_code == 200
    provider.patch(f"/Groups/{finance}", "add", "members", [{"value": user_id}])
    provider.patch(f"/Groups/{admins}", "remove", "members")
    assert provider.role_of(JOINED) == ""
    assert provider.running.client.get("/v1/people").status_code == 401
    (user,) = services.list_directory_users(provider.running.context("admin"))
    assert (user["role"], user["waits_for"]) == ("finance", "a cardholder")


def test_a_staff_number_makes_one_person_a_cardholder(
    provider: Provider, tmp_path: Path, choices: ReadingChoices
) -> None:
    """Or a provider with one number for all would hide an alert about it from everybody."""
    cards = "employee_id,card_last4,single_limit\nE1,1111,500\n"
    activate_cards(provider.running.context("finance"), tmp_path, choices, cards)
    users = [
        provider.add_user(f"{name}@force.example", **{ENTERPRISE: {"employeeNumber": "E1"}})
        for name in "ab"
    ]
    provider.add_group("Checkers", *users, role="finance")
    admin = provider.running.context("admin")
    linked = [one["email"] for one in services.list_people(admin) if one["holder_id"] == "E1"]
    assert len(linked) == 1
    waits = {one["email"]: one["waits_for"] for one in services.list_directory_users(admin)}
    assert sorted(waits.values()) == ["", "a cardholder"]
    assert waits[linked[0]] == ""
    third = provider.add_user("c@force.example", **{ENTERPRISE: {"employeeNumber": "E1"}})
    provider.add_group("Others", third, role="finance")
    assert provider.role_of("c@force.example") == ""


def test_admin_is_not_told_by_what_a_role_waits_for_who_is_in_professional_standards(
    provider: Provider,
) -> None:
    psd, nobody = f"{PSD}@{OWN}.example", "n@force.example"
    members = [provider.add_user(email) for email in (psd, nobody)]
    provider.add_group("Finance", *members, role="finance")
    users = services.list_directory_users(provider.running.context("admin"))
    assert [user["waits_for"] for user in users] == ["a cardholder"] * 2
    provider.patch(f"/Users/{members[0]}", "replace", "displayName", "Another")
    assert provider.role_of(psd) == PSD


def test_an_access_that_admin_ended_stays_so(provider: Provider) -> None:
    user_id = provider.add_user(JOINED)
    provider.add_group("Auditors", user_id, role="auditor")
    services.end_person(provider.running.context("admin"), JOINED)
    provider.patch(f"/Users/{user_id}", "replace", "displayName", "Another")
    assert not provider.role_of(JOINED)
    provider.patch(f"/Users/{user_id}", "replace", "active", value=False)
    provider.patch(f"/Users/{user_id}", "replace", "active", value=True)
    assert provider.role_of(JOINED) == "auditor"


@pytest.mark.parametrize("address", ["?a?a@", "a@b,c@d", "x y@z", "@", "a" * 200 + "@b"])
def test_a_role_waits_for_an_address_that_mail_can_reach(provider: Provider, address: str) -> None:
    provider.add_group("Auditors", provider.add_user(address), role="auditor")
    (user,) = services.list_directory_users(provider.running.context("admin"))
    assert (user["email"], user["waits_for"]) == ("", "an email address")


def test_another_address_is_another_person(provider: Provider) -> None:
    user_id = provider.add_user(JOINED)
    provider.add_group("Auditors", user_id, role="auditor")
    provider.patch(f"/Users/{user_id}", "replace", "userName", "other@force.example")
    assert not provider.role_of(JOINED)
    assert provider.role_of("other@force.example") == "auditor"


def test_no_group_gives_the_role_of_professional_standards(provider: Provider) -> None:
    group_id = provider.add_group("Standards", provider.add_user(JOINED))
    with pytest.raises(CardwatchError):
        services.set_group_role(provider.running.context("admin"), group_id, PSD)
    sent = {"role": PSD}
    path = f"/v1/directory/groups/{group_id}/role"
    assert provider.running.ask("PUT", path, "admin", json=sent).status_code == 422
    assert not provider.role_of(JOINED)


def _provision(provider: Provider, email: str) -> list[tuple[int, str]]:
    """Do all that a provider may do with a user; return what it is answered, without ids."""
    user_id = provider.add_user(email)
    group_id = provider.add_group("Auditors", user_id, role="auditor")
    answers = [
        provider.client.get("/Users", params={"filter": f'userName eq "{email}"'}),
        provider.client.post("/Users", json={"schemas": [USER], "userName": email}),
        provider.patch(f"/Users/{user_id}", "replace", "displayName", "Another"),
        provider.patch(f"/Groups/{group_id}", "remove", "members"),
        provider.patch(f"/Users/{user_id}", "replace", "active", value=False),
        provider.client.get(f"/Users/{user_id}"),
        provider.client.delete(f"/Users/{user_id}"),
        provider.client.get(f"/Users/{user_id}"),
    ]
    return [
        (one.status_code, one.text.replace(user_id, "U").replace(group_id, "G")) for one in answers
    ]


def test_a_provider_is_answered_the_same_whoever_belongs_to_professional_standards(
    provider: Provider,
) -> None:
    running = provider.running
    psd, finance, nobody = f"{PSD}@{OWN}.example", f"finance@{OWN}.example", "n@force.example"
    person_id = services.actor_of_person(running.book, OWN, psd, running.clock()).actor_id
    answered = {
        email: [(status, text.replace(email, "E")) for status, text in _provision(provider, email)]
        for email in (psd, finance, nobody)
    }
    assert answered[psd] == answered[finance] == answered[nobody]
    events = running.ask("GET", "/v1/audit/events", "admin").json()
    assert person_id not in str(events)
    assert provider.role_of(psd) == ""


def test_a_key_of_a_provider_reaches_nothing_else(provider: Provider) -> None:
    wrong = []
    for route, may in TABLE:
        method, _, path = route.partition(" ")
        if (
            may.opens
            or path.startswith(("/scim/v2", "/static"))
            or {path, f"{path}:{method}"} & OPEN
        ):
            continue
        filled = path.replace("{", "").replace("}", "")
        answer = provider.client.request(method, f"https://testserver{filled}")
        if answer.status_code != 403:
            wrong.append(f"{route}: {answer.status_code}")
    assert not wrong


@pytest.mark.parametrize(
    "sent",
    [
        {"userName": "a\x00b"}, {"userName": "a", "externalId": "\x00"}, {"userName": "x" * 501},
        {"userName": "\ud800"}, {"userName": "a", "externalId": "\ud800"}, {"userName": ["a"]}, {},
        {"userName": None},
        {"userName": "a", "emails": "a@b"}, {"userName": "a", "active": {}},
    ],
)  # fmt: skip
def test_what_cannot_be_a_user_is_refused_and_nothing_is_kept(
    provider: Provider, sent: dict[str, Any]
) -> None:
    content = json.dumps({"schemas": [USER]} | sent)
    headers = {"Content-Type": "application/scim+json"}
    answer = provider.client.post("/Users", content=content, headers=headers)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/scim+json"
    assert provider.client.get("/Users").json()["totalResults"] == 0


@pytest.mark.parametrize(
    "condition", ["x" * 501, "(" * 240 + "active pr" + ")" * 240, "userName eq", 'nothing eq "a"']
)
def test_a_filter_that_cannot_be_read_is_refused(provider: Provider, condition: str) -> None:
    provider.add_user(JOINED)
    for answer in (
        provider.client.get("/Users", params={"filter": condition}),
        provider.client.post("/.search", json={"filter": condition}),
    ):
        assert answer.status_code in {400, 200}
        assert answer.status_code == 400 or condition.startswith("(")


def test_a_request_that_would_hold_the_casebook_for_long_is_refused(provider: Provider) -> None:
    user_id = provider.add_user(JOINED)
    emails = [{"value": f"{number}@x.example"} for number in range(2_500)]
    operations = [{"op": "add", "path": "emails", "value": [email]} for email in emails]
    for body in (operations, operations[:50], [{"op": "add", "path": "emails", "value": emails}]):
        sent = {"schemas": [PATCH], "Operations": body}
        assert provider.client.patch(f"/Users/{user_id}", json=sent).status_code == 400
    sent = {"schemas": [USER], "userName": "x", "emails": emails}
    assert provider.client.post("/Users", json=sent).status_code == 400
    assert "emails" not in provider.client.get(f"/Users/{user_id}").json()


def test_a_member_who_is_no_user_is_refused(provider: Provider) -> None:
    sent = {"schemas": [GROUP], "displayName": "G", "members": [{"value": "nobody"}]}
    assert provider.client.post("/Groups", json=sent).status_code == 400
    assert provider.client.get("/Groups").json()["totalResults"] == 0


def test_a_group_takes_as_many_statements_however_many_are_in_it(running: Running) -> None:
    """Nobody else writes while its members are let in or put out, in one transaction."""
    provider, admin = Provider(running), running.context("admin")
    emails = [f"{number}@x.example" for number in range(24)]
    users = [provider.add_user(email, emails=[{"value": email}]) for email in emails]
    counts = []
    for size in (3, 24):
        members = [{"value": one} for one in users[:size]]
        group = provider.add_group(f"of {size}", role="auditor")
        with _statements_of(running) as sent:
            assert provider.patch(f"/Groups/{group}", "add", "members", members).is_success
        counts.append([len(sent)])
        assert {provider.role_of(email) for email in emails[:size]} == {"auditor"}
        with _statements_of(running) as sent:
            assert provider.client.delete(f"/Groups/{group}").status_code == 204
        counts[-1].append(len(sent))
        assert {provider.role_of(email) for email in emails} == {""}
        group = provider.add_group(f"of {size} again", *users[:size])
        with _statements_of(running) as sent:
            services.set_group_role(admin, group, "auditor")
        counts[-1].append(len(sent))
        assert provider.client.delete(f"/Groups/{group}").status_code == 204
    assert counts[1] == pytest.approx(counts[0], abs=3), "but for those who are new, or come back"
