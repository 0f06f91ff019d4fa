"""The generated client: typed, and right against a running service."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from books import crowd, leave_out
from conftest import ROOT
from processes import serving_process
from services import text

DOCUMENT = ROOT / "tests" / "golden" / "openapi.json"
GENERATOR = ROOT / ".venv-client" / "bin"
PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
EXAMPLE = re.findall(r"^```python client\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[0]
COUNT = """
import os
from cardwatch_client import AuthenticatedClient
from cardwatch_client.api.alerts import list_alerts
client = AuthenticatedClient(os.environ["SERVICE"], token=os.environ["FINANCE"])
print(len(list_alerts.sync(client=client, limit=200).alerts))
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a client that was generated just now, without a warning."""
    if not (GENERATOR / "openapi-python-client").exists():
        leave_out("CLIENT", "the generator, by 'make client'")
    folder = tmp_path_factory.mktemp("client")
    command = [GENERATOR / "openapi-python-client", "generate", "--fail-on-warning",
               "--path", DOCUMENT,
               "--config", ROOT / "api" / "client.yaml",
               "--output-path", folder / "made"]  # fmt: skip
    environment = os.environ | {"PATH": f"{GENERATOR}:{os.environ['PATH']}"}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder / "made"


def test_the_example_is_typed(client: Path, tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(EXAMPLE, encoding="utf-8")
    wrong = EXAMPLE.replace("alert.at_stake_pence / 100", "alert.at_stake")
    (tmp_path / "wrong.py").write_text(wrong, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-incremental"]
    for name, words in (("example.py", "Success"), ("wrong.py", 'no attribute "at_stake"')):
        ran = subprocess.run(
            [*command, name], env=os.environ | {"MYPYPATH": str(client)}, cwd=tmp_path,
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert words in ran.stdout, ran.stdout


def test_the_example_runs_against_the_service(client: Path, tmp_path: Path) -> None:
    (tmp_path / "october.csv").write_text(text(*crowd(3)), encoding="utf-8")
    environment = os.environ | {"CARDWATCH_HOME": str(tmp_path / "home"), "NO_COLOR": "1"}

    def run(*command: str | Path, **more: str) -> str:
        ran = subprocess.run(
            command, env=environment | more, cwd=tmp_path, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    cardwatch = Path(sys.executable).with_name("cardwatch")
    run(cardwatch, "people", "f@force.example", "--name", "F", "--role", "finance", "--no-card",
        "--new-organisation", "Saltmarsh Vale")  # fmt: skip
    key = run(cardwatch, "keys", "--name", "client", "--role", "finance", "--days", "9").strip()
    with serving_process(environment, tmp_path) as address:
        given = {"SERVICE": address, "FINANCE": key, "PYTHONPATH": str(client)}
        # First as a job, as on a slow machine: the same file again is answered at once.
        later = EXAMPLE.replace("wait=30", "respond-async")
        assert later != EXAMPLE
        as_job = run(GENERATOR / "python", "-c", later, **given).splitlines()
        printed = run(GENERATOR / "python", "-c", EXAMPLE, **given).splitlines()
        assert as_job == printed
        count = int(run(GENERATOR / "python", "-c", COUNT, **given))
    alert_ids = [line.split()[0] for line in printed[:-1]]
    assert len(alert_ids) == len(set(alert_ids)) == count > 2
    assert printed[-1].startswith("refused Invalid cursor")


def test_every_operation_has_a_function(client: Path) -> None:
    document = json.loads((ROOT / "tests" / "golden" / "openapi.json").read_text(encoding="utf-8"))
    operations = {
        operation["operationId"]
        for path in document["paths"].values()
        for operation in path.values()
    }
    made = {path.stem for path in (client / "cardwatch_client" / "api").glob("*/*.py")}
    assert operations <= made
