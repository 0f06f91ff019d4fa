"""The doctor says what is wrong with what a casebook stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from book_fixtures import new_database

from cardwatch.casebook import Casebook, health
from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from pathlib import Path


def _ill(book: Casebook) -> set[str]:
    return {one.what for one in health.examine(book) if not one.is_well}


def test_a_new_casebook_is_well_but_for_checkpoints_it_does_not_write(casebook: Casebook) -> None:
    assert _ill(casebook) <= {"checkpoints", "free disk"}


@pytest.mark.parametrize(
    ("version", "is_well"),
    [
        ("3.40.1", False),
        ("3.44.5", False),
        ("3.44.6", True),
        ("3.50.7", True),
        ("3.51.2", False),
        ("3.51.3", True),
        ("3.53.4", True),
        ("4.0.0", True),
    ],
)
def test_a_sqlite_that_can_damage_the_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, *, is_well: bool
) -> None:
    book = Casebook(f"sqlite:///{tmp_path / 'book.db'}")
    library = type("library", (), {"sqlite_version": version})
    monkeypatch.setattr(health, "sqlite_library", lambda: library)
    assert ("SQLite" not in _ill(book)) == is_well
    book.close()


def test_a_file_that_others_may_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "book.db"
    book = Casebook(f"sqlite:///{path}", checkpoints=tmp_path.parent / "elsewhere")
    assert "file permissions" not in _ill(book)
    path.chmod(0o644)
    assert "file permissions" in _ill(book)
    book.close()


def test_a_role_that_row_security_does_not_bind_is_named(postgresql: str) -> None:
    url = new_database(postgresql)
    Casebook(url).close()
    almighty = Casebook(url.replace("app@", "owner@"))
    assert "database role" in _ill(almighty)
    with almighty.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE alerts NO FORCE ROW LEVEL SECURITY")
    assert "row security" in _ill(almighty)
    almighty.close()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("db.force.example/c", {"sslmode": "verify-full", "sslrootcert": "system"}),
        ("/c?host=db.force.example", {"sslmode": "verify-full", "sslrootcert": "system"}),
        ("db.force.example/c?sslrootcert=/etc/ca.pem", {"sslmode": "verify-full"}),
        ("db.force.example/c?sslmode=disable", {}),
        ("localhost/c", {}),
        ("/c?host=/run/postgresql", {}),
    ],
)
def test_a_database_over_a_network_is_reached_encrypted_and_checked_unless_said_otherwise(
    address: str, expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[dict[str, str]] = []

    def connect(*_: object, **arguments: str) -> None:
        given.append(arguments)
        raise psycopg.OperationalError

    monkeypatch.setattr(psycopg, "connect", connect)
    monkeypatch.setattr("psycopg.Connection.connect", connect)
    with pytest.raises(CardwatchError):
        Casebook(f"postgresql+psycopg://user@{address}")
    ssl = {name: value for name, value in given[0].items() if name.startswith("ssl")}
    said = {name: ssl[name] for name in expected}
    assert said == expected
    assert ssl.get("sslmode", "") in {expected.get("sslmode", ""), "disable"}


@pytest.mark.parametrize(
    ("host", "sslmode", "is_well"),
    [
        ("127.0.0.1", "prefer", True),
        ("/run/postgresql", "prefer", True),
        ("database.force.example", "prefer", False),
        ("database.force.example", "require", False),
        ("database.force.example", "verify-full", True),
    ],
)
def test_a_way_to_the_database_that_others_could_read_is_named(
    host: str, sslmode: str, *, is_well: bool
) -> None:
    assert health.way_to(host, sslmode).is_well == is_well
