"""Fixtures of the service: the real app over a real casebook, on either database."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from services import Running, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def serve(tmp_path: Path, database_url: str) -> Iterator[Callable[..., Running]]:
    """Start the service on either database, as it is set."""
    with ExitStack() as started:
        yield lambda **settings: started.enter_context(
            serving(tmp_path / "home", database_url, **settings)
        )


@pytest.fixture
def running(serve: Callable[..., Running]) -> Running:
    """Give the service as it is when nothing is set."""
    return serve()
