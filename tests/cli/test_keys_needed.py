"""A casebook says which keys it needs: none is made beside data that needs another."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest
from books import HEADINGS, SPLIT, month
from typer.testing import CliRunner

from cardwatch import installation
from cardwatch.cli import app
from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an installation with a statement, and a backup of it beside."""
    place = tmp_path / "home"
    monkeypatch.setenv("CARDWATCH_HOME", str(place))
    monkeypatch.delenv("CARDWATCH_DATABASE", raising=False)
    statement = tmp_path / "october.csv"
    statement.write_text("\n".join([HEADINGS, *month(10), *SPLIT]) + "\n", encoding="utf-8")
    given = ("--name", "F", "--role", "finance", "--no-card", "--new-organisation", "Force")
    assert _run("people", "f@force.example", *given).exit_code == 0
    assert _run("statements", "import", str(statement)).exit_code == 0
    backup = _run("casebook", "backup", str(tmp_path / "backup.db"), "--json")
    assert json.loads(backup.stdout)[0]["needs_keys"] == "card.key"
    return place


def _is_told(result: Result) -> bool:
    return result.exit_code != 0 and "card.key" in result.output + str(result.exception)


@pytest.mark.parametrize("key", ["gone", "another"])
def test_a_restore_without_its_key_says_so(home: Path, tmp_path: Path, key: str) -> None:
    shutil.move(home, tmp_path / "old home")
    if key == "another":
        installation.card_key()
    assert _is_told(_run("casebook", "restore", str(tmp_path / "backup.db")))
    assert _is_told(_run("casebook", "verify"))
    assert _is_told(_run("casebook", "check"))
    assert _is_told(_run("statements", "import", str(tmp_path / "october.csv")))
    assert (home / "card.key").exists() == (key == "another")
    shutil.copy(tmp_path / "old home" / "card.key", home / "card.key")
    assert _run("casebook", "verify").exit_code == 0


def test_no_key_is_made_beside_data_that_needs_another(home: Path) -> None:
    (home / "card.key").unlink()
    with pytest.raises(CardwatchError, match="Restore it from its copy"):
        installation.card_key()
    assert not (home / "card.key").exists()
    assert _run("casebook", "upgrade", "--accept-keys").exit_code == 0
    assert len(installation.card_key()) == 32
