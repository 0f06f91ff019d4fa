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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Name each operation of the contract apart: Schemathesis's own names are alike to pytest."""
    for item in items:
        if hasattr(item, "operation_label") and item.parent is not None:
            item._id = item.parent.id.child(item.name)
