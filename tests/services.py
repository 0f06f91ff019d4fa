"""What tests of the service share: a force that runs it, and who may come to it."""

from __future__ import annotations

import datetime as dt
import functools
from collections import defaultdict
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pyotp
import pytest
from books import EQUAL, HEADINGS, SPLIT, month, second_person
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient

from api.main import create_app
from api.settings import Settings
from cardwatch import services
from cardwatch.casebook import ROLES, Actor, Casebook
from cardwatch.casebook.unit_of_work import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography.fernet import MultiFernet
    from fastapi import FastAPI

PASSWORD = "orchard gravel violin seven"  # noqa: S105  of nobody
OWN, OTHER = "saltmarsh-vale", "another-force"


class Clock:
    """A moment that moves only when it is told to."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def go(self, **by: float) -> None:
        self.now += dt.timedelta(**by)


@dataclass
class Running:
    """A service that runs, and who may come to it."""

    client: TestClient
    book: Casebook
    clock: Clock
    keys: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def seal(self) -> MultiFernet:
        """The seal of the installation."""
        seal: MultiFernet = cast("FastAPI", self.client.app).state.service.seal
        return seal

    def of(self, role: str, organisation: str = OWN) -> dict[str, str]:
        """Return the headers with which a role comes."""
        return {"Authorization": f"Bearer {self.keys[organisation, role]}"}

    def ask(self, method: str, path: str, role: str = "finance", **more: Any) -> Any:
        """Send a request as a role; return the response."""
        headers = self.of(role, more.pop("organisation", OWN)) | more.pop("headers", {})
        return self.client.request(method, path, headers=headers, **more)

    def send(self, text: str, name: str = "october.csv", role: str = "finance", **data: str) -> Any:
        """Upload a statement; return the response."""
        return self.ask("POST", "/v1/statements", role, files={"file": (name, text)}, data=data)

    def context(self, role: str, organisation: str = OWN) -> services.ServiceContext:
        """Return the service context of a role."""
        actor = services.actor_of_key(self.book, self.keys[organisation, role], self.clock())
        return services.ServiceContext(self.book, actor, self.clock())


def text(*lines: str) -> str:
    """Return a statement of some lines."""
    return "\n".join([HEADINGS, *lines]) + "\n"


OCTOBER = text(*month(10), *SPLIT, *EQUAL)
"""A statement with an alert in either lane."""


FIRST_BOOKS: dict[dt.datetime, tuple[bytes, dict[tuple[str, str], str]]] = {}
"""The file of a new casebook of two forces, and its keys, by the moment it was made."""


def open_book(home: Path, url: str, clock: Clock) -> tuple[Casebook, dict[tuple[str, str], str]]:
    """Make a casebook of two forces, with a person and a key of every role in each.

    On SQLite it is a copy of the first that was made, as making one takes half a second.
    """
    home.mkdir(exist_ok=True)
    if not url.startswith("sqlite:///"):
        return _new_book(url, clock)
    file = Path(url.removeprefix("sqlite:///"))
    if clock() not in FIRST_BOOKS:
        book, keys = _new_book(url, clock)
        book.close()
        FIRST_BOOKS[clock()] = file.read_bytes(), keys
    content, keys = FIRST_BOOKS[clock()]
    file.write_bytes(content)
    return Casebook(url), dict(keys)


def _new_book(url: str, clock: Clock) -> tuple[Casebook, dict[tuple[str, str], str]]:
    book, keys = Casebook(url), {}
    for name in ("Saltmarsh Vale", "Another Force"):
        owner = services.add_organisation(book, name, clock())
        itself = services.ServiceContext(book, Actor(owner, SYSTEM, "admin"), clock())
        for role in ROLES:
            services.add_person(
                itself, name=role, email=f"{role}@{owner}.example", role=role, holds_no_card=True
            )
            giver = itself
            if role in {"psd", "admin"}:  # what needs two people, a person has to answer for
                actor = services.actor_of_person(book, owner, f"{role}@{owner}.example", clock())
                giver = services.ServiceContext(book, actor, clock())
            keys[owner, role] = services.create_key(
                giver, name=role, role=role, days=90, can_decide=True
            )
    return book, keys


@functools.cache
def routes() -> tuple[tuple[str, str], ...]:
    """Return the method and path of every route of the app, whether its document has it or not."""
    found = iter_route_contexts(create_app().routes)
    return tuple(sorted((method, str(one.path)) for one in found for method in one.methods or ()))


@dataclass
class LentClock:
    """Tells the time of whoever has the app at the moment."""

    of: Clock

    def __call__(self) -> dt.datetime:
        return self.of()


UNLIMITED = dict.fromkeys(
    ("rate", "quota_requests", "quota_uploads", "quota_upload_mib", "quota_exports"), 1_000_000
)
"""What one test does is more than a person does in a day."""
APPS: dict[tuple[object, ...], list[tuple[FastAPI, LentClock]]] = defaultdict(list)
"""Apps that nobody runs, by their settings: making one takes 0.3 s, and only clocks differ."""


@contextmanager
def app_with(clock: Clock, settings: Settings, *, chores: bool) -> Iterator[FastAPI]:
    """Lend an app that tells the time by a clock."""
    free = APPS[settings, chores]
    if not free:
        lent = LentClock(clock)
        free.append((create_app(settings, lent, chores=chores), lent))
    app, lent = free.pop()
    lent.of = clock
    try:
        yield app
    finally:
        free.append((app, lent))


@contextmanager
def serving(
    home: Path,
    url: str,
    held: tuple[Casebook, dict[tuple[str, str], str]] | None = None,
    *,
    chores: bool = True,
    **settings: Any,
) -> Iterator[Running]:
    """Run the service over a new casebook, or over one that is held, with its keys."""
    clock = Clock()
    book, keys = held or open_book(home, url, clock)
    chosen = Settings(**UNLIMITED | settings)
    with (
        closing(book),
        app_with(clock, chosen, chores=chores) as app,
        pytest.MonkeyPatch.context() as changed,
    ):
        changed.setenv("CARDWATCH_HOME", str(home))
        changed.setenv("CARDWATCH_DATABASE", url)
        with TestClient(app, base_url="https://testserver") as client:
            yield Running(client, book, clock, keys)


def approve_all(running: Running, role: str) -> None:
    """Let a second person approve what waits for them."""
    approver = second_person(running.context(role))
    for row in services.list_approvals(approver):
        if row["state"] == "open":
            services.decide_approval(approver, row["approval_id"], agrees=True)


def activate_account(running: Running, role: str, organisation: str = OWN) -> str:
    """Let a person take their account; return the secret of their phone."""
    owner, email = organisation, f"{role}@{organisation}.example"
    giver = "psd" if role == "psd" else "admin"
    people = running.ask("GET", "/v1/people", giver, organisation=owner).json()
    person = next(one["person_id"] for one in people if one["email"] == email)
    path = f"/v1/people/{person}/invitation"
    token = running.ask("POST", path, giver, organisation=owner).json()["token"]
    begun = running.client.post("/v1/account/secret", json={"token": token}).json()
    code = pyotp.TOTP(begun["secret"]).at(running.clock())
    taken = {"token": token, "password": PASSWORD, "code": code}
    assert running.client.post("/v1/account", json=taken).status_code == 204
    running.clock.go(seconds=60)
    return str(begun["secret"])


def sign_in(running: Running, role: str, secret: str, **changed: str) -> Any:
    """Sign in as a person; return the response."""
    sent = {"organisation": OWN, "email": f"{role}@{OWN}.example", "password": PASSWORD}
    sent |= {"code": pyotp.TOTP(secret).at(running.clock())} | changed
    return running.client.post("/v1/session", json=sent)
