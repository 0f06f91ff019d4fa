"""The service is tested on SQLite; where the database matters, on both (`test_flow.py`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Give the address of a new, empty database."""
    return f"sqlite:///{tmp_path / 'casebook.db'}"
