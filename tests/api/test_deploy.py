"""What is deployed: the compose file, and the script that makes the database's role."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import yaml
from books import leave_out
from conftest import ROOT
from typer.testing import CliRunner

from api.settings import Settings
from api.state import MIB, UPLOAD_BYTES
from cardwatch import cli
from cardwatch.casebook import Casebook
from cardwatch.casebook.health import examine
from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from pathlib import Path

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Any] = COMPOSE["services"]
SHARED = {"CARDWATCH_DATABASE", "CARDWATCH_HOME", "CARDWATCH_CHECKPOINTS"}
PASSWORDS = {"POSTGRES_PASSWORD", "CARDWATCH_OWNER_PASSWORD", "CARDWATCH_ROLE_PASSWORD"}
NAMES = SHARED | {f"CARDWATCH_{name.upper()}" for name in Settings.model_fields}


def test_only_the_proxy_is_reached_from_outside() -> None:
    assert [name for name, one in SERVICES.items() if "ports" in one] == ["proxy"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert SERVICES["database"]["networks"] == ["inside"]
    for name in ("proxy", "service", "tables"):
        assert SERVICES[name]["read_only"], name
        assert SERVICES[name]["cap_drop"] == ["ALL"]


def test_the_proxy_lets_statements_through_and_lets_connections_go_before_the_service_does() -> (
    None
):
    told = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
    size, keeps = re.search(r"max_size (\d+)MiB", told), re.search(r"keepalive (\d+)s", told)
    assert size
    assert int(size[1]) * MIB > UPLOAD_BYTES
    (ends,) = (one for one in SERVICES["service"]["command"] if "timeout-keep-alive" in one)
    assert keeps
    assert int(keeps[1]) < int(ends.partition("=")[2])
    assert "protocols h1 h2\n" in told
    assert SERVICES["proxy"]["ports"] == ["443:443"]  # h3 would need UDP


def test_whatever_the_compose_file_names_is_there() -> None:
    for one in SERVICES.values():
        for file in one.get("env_file", ()):
            assert (ROOT / f"{file}.example").is_file()
        for volume in one.get("volumes", ()):
            source = volume.partition(":")[0]
            assert (ROOT / source).exists() if source[0] == "." else source in COMPOSE["volumes"]
        assert set(one["networks"]) <= COMPOSE["networks"].keys()


def test_no_example_has_a_password_and_each_sets_what_the_service_knows() -> None:
    for path in (ROOT / "deploy").glob("*.env.example"):
        if path.name == "images.env.example":
            continue  # settings of Compose itself: tests/test_release.py
        for line in path.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            if line and not line.startswith("#"):
                assert not value or urlsplit(value).password == "PASSWORD"  # noqa: S105  a blank
                assert name in NAMES | PASSWORDS


def test_the_service_begins_in_the_image_as_in_the_compose_file() -> None:
    image = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    for option in ("api.main:app", "--no-access-log", "--no-server-header"):
        assert option in image
        assert option in SERVICES["service"]["command"]
    assert "COPY api ./api" in image
    assert "USER 10001" in image


def test_the_script_makes_one_role_that_owns_the_tables_and_one_that_serves(
    postgresql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("psql") is None:
        leave_out("POSTGRESQL", "postgresql-client")
    server = urlsplit(postgresql.replace("+psycopg", ""))
    given = {"PGHOST": str(server.hostname), "PGPORT": str(server.port), "POSTGRES_USER": "owner"}
    script = [str(ROOT / "deploy" / "database.sh")]
    for name in sorted(PASSWORDS - {"POSTGRES_PASSWORD"}):
        refused = subprocess.run(
            script, env=os.environ | given, check=False, capture_output=True, cwd=tmp_path
        )
        assert name.encode() in refused.stderr
        given |= {name: 'it\'s; a "password"'}
    subprocess.run(script, env=os.environ | given, check=True, capture_output=True, cwd=tmp_path)
    served, owned = (
        postgresql.replace("owner@", f"{name}@") + "/cardwatch"
        for name in ("cardwatch", "cardwatch_owner")
    )
    with pytest.raises(CardwatchError, match="permission denied"):
        Casebook(served)
    monkeypatch.setenv("CARDWATCH_DATABASE", owned)
    done = CliRunner().invoke(cli.app, SERVICES["tables"]["command"][1:])
    assert done.exit_code == 0, done.output
    seen = {}
    for url in (served, owned):
        book = Casebook(url)
        found = {one.what: one for one in examine(book)}
        assert found["database role"].is_well
        assert found["row security"].is_well
        seen[url] = found["database role"].seen
        book.close()
    assert "it owns the tables" in seen[owned]
    assert "it owns the tables" not in seen[served]
