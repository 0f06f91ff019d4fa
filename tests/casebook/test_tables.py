"""The tables: migrations make what the code knows, and every word in them is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from books import NOW

from cardwatch import services
from cardwatch.casebook import Actor, AuditEvent, Casebook, tables
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.cli import admin, alerts, audit, casebook, cases

DOCS = (Path(__file__).parents[2] / "docs" / "casebook.md").read_text(encoding="utf-8")


def test_the_migrations_make_the_tables_that_the_code_knows(database_url: str) -> None:
    book = Casebook(database_url)
    with book.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": False})
        assert compare_metadata(context, tables.metadata) == []
    book.close()


def test_a_release_has_its_tables_written_out() -> None:
    root = Path(tables.__file__).parents[2]
    releases = re.findall(
        r"^## (?!Unreleased)", (root / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE
    )
    migrations = root / "cardwatch" / "casebook" / "migrations" / "versions"
    from_code = "tables.metadata" in (migrations / "v0001.py").read_text("utf-8")
    assert not (releases and from_code), "CONTRIBUTING.md, A release"


@pytest.mark.parametrize("stored", [False, True])
def test_a_flag_is_a_boolean_in_a_row(database_url: str, stored: bool) -> None:  # noqa: FBT001
    book = Casebook(database_url)
    organisation_id = services.add_organisation(book, "Force", NOW)
    actor, event = Actor(organisation_id, SYSTEM, "admin"), AuditEvent("access", "test")
    with book.work(actor, event, NOW) as uow:
        table = tables.holder_names
        values = {"names_id": "n", "field": "f", "subject_id": "s", "visible_to_psd_only": stored}
        uow.insert(table, [values])
        flag = table.c.visible_to_psd_only
        for question in (flag, sa.func.max(flag).label("visible_to_psd_only")):
            (row,) = uow.fetch_all(sa.select(question).where(uow.scope(table)))
            assert row == {"visible_to_psd_only": stored}
            assert isinstance(row["visible_to_psd_only"], bool)
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
    names = [command.callback.__name__ for command in admin.app.registered_commands]
    groups = {
        "audit": audit.app,
        "retention": admin.retention_app,
        "case": cases.cases_app,
        "casebook": admin.casebook_app,
        "statements": casebook.statements_app,
        "alerts": alerts.alerts_app,
    }
    for group, app in groups.items():
        names += [
            f"{group} {command.name or command.callback.__name__}"
            for command in app.registered_commands
        ]
    assert len(names) > 25
    for name in names:
        assert f"cardwatch {name}" in DOCS, name
