"""Fixtures of the service: the real app over a real casebook, on either database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fastapi.testclient import TestClient
from services import Clock, Running, open_book

from api.main import create_app
from api.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str
) -> Iterator[Callable[..., Running]]:
    """Start the service on either database, as it is set."""
    started: list[Running] = []

    def start(**settings: Any) -> Running:
        monkeypatch.setenv("CARDWATCH_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("CARDWATCH_DATABASE", database_url)
        chores = settings.pop("chores", True)
        clock = Clock()
        book, keys = open_book(tmp_path / "home", database_url, clock)
        app = create_app(Settings(**{"rate": 1_000_000} | settings), clock, chores=chores)
        client = TestClient(app, base_url="https://testserver")
        client.__enter__()
        started.append(Running(client, book, clock, keys))
        return started[-1]

    yield start
    for one in started:
        one.client.__exit__(None, None, None)
        one.book.close()


@pytest.fixture
def running(serve: Callable[..., Running]) -> Running:
    """Give the service as it is when nothing is set."""
    return serve()
