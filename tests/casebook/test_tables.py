"""The tables: migrations make what the code knows, and every word in them is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from cardwatch.casebook import Casebook, tables
from cardwatch.cli import admin, audit, casebook, cases

DOCS = (Path(__file__).parents[2] / "docs" / "casebook.md").read_text(encoding="utf-8")


def test_the_migrations_make_the_tables_that_the_code_knows(database_url: str) -> None:
    book = Casebook(database_url)
    with book.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, tables.metadata) == []
    book.close()


@pytest.mark.parametrize("state", tables.STATES)
def test_every_state_is_documented_with_its_meaning(state: str) -> None:
    assert f"| `{state}` | {tables.STATES[state]} |" in DOCS


@pytest.mark.parametrize("role", tables.ROLES)
def test_every_role_is_documented(role: str) -> None:
    assert f"| {role} |" in DOCS


def test_every_setting_is_documented() -> None:
    code = " ".join(
        path.read_text(encoding="utf-8")
        for path in (Path(tables.__file__).parents[1] / "cli").glob("*.py")
    )
    for name in sorted(set(re.findall(r"CARDWATCH_[A-Z]+", code))):
        assert f"`{name}`" in DOCS, name


def test_docs_name_every_command_of_the_casebook() -> None:
    commands = casebook.app.registered_commands + admin.app.registered_commands
    names = [command.name or command.callback.__name__ for command in commands]
    groups = (("audit", audit.app), ("keep", admin.keep_app), ("case", cases.cases_app))
    for group, app in groups:
        names += [f"{group} {command.name}" for command in app.registered_commands]
    assert len(names) > 20
    for name in names:
        assert f"cardwatch {name}" in DOCS, name
