"""The tables: every released schema comes up to today's, with its data."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from books import NOW

from cardwatch import desk
from cardwatch.casebook import Actor, Casebook, tables
from cardwatch.cli import casebook, keeping

RELEASED = sorted((Path(__file__).parent / "released").glob("*.sql"))
MIGRATIONS = Path(tables.__file__).parent / "migrations" / "versions"
DOCS = (Path(__file__).parents[2] / "docs" / "casebook.md").read_text(encoding="utf-8")


def test_the_migrations_make_the_tables_that_the_code_knows(database_url: str) -> None:
    book = Casebook(database_url)
    with book.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, tables.metadata) == []
    book.close()


def test_every_migration_but_the_newest_has_a_released_casebook_to_be_tried_on() -> None:
    versions = sorted(re.findall(r"v(\d+)", " ".join(p.stem for p in MIGRATIONS.glob("v*.py"))))
    assert [path.stem for path in RELEASED] == versions


@pytest.mark.parametrize("released", RELEASED, ids=lambda path: path.stem)
def test_a_released_casebook_comes_up_with_its_data(released: Path, tmp_path: Path) -> None:
    path = tmp_path / "book.db"
    connection = sa.create_engine(f"sqlite:///{path}").raw_connection()
    connection.executescript(released.read_text(encoding="utf-8"))  # type: ignore[attr-defined]
    connection.close()
    book = Casebook(f"sqlite:///{path}")
    psd = desk.Desk(book, Actor("force", "psd", "psd"), NOW)
    assert [one.fault for one in desk.verify_audit(psd)] == ["", ""]
    assert [one.fault for one in desk.verify(psd, again=False)] == ["", ""]
    assert desk.reconciled(psd)["unreconciled"] == 0
    states = {one["state"] for one in desk.list_alerts(psd)}
    assert {"explained", "open"} <= states
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
    commands = casebook.app.registered_commands + keeping.app.registered_commands
    names = [command.name or command.callback.__name__ for command in commands]
    for group, app in (("audit", keeping.audit_app), ("keep", keeping.keep_app)):
        names += [f"{group} {command.name}" for command in app.registered_commands]
    assert len(names) > 20
    for name in names:
        assert f"cardwatch {name}" in DOCS, name
