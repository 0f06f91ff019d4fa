"""The page an auditor follows: every command on it is run as it stands, against a real service."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from books import SPLIT, month
from conftest import ROOT
from processes import serving_process
from services import text

from api.errors import CODES

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
SETUP, STEPS, PYTHON = (
    "\n".join(re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
    for kind in ("sh setup", "sh", "python")
)
ALIKE = PYTHON.replace("import httpx\n", "import httpx2 as httpx\n")
"""The example with the library of the tests, whose calls are the same."""


def test_the_page_runs_as_it_stands(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("test of docs/api.md: install curl")
    (tmp_path / "october.csv").write_text(text(*month(10), *SPLIT), encoding="utf-8")
    later = [line.replace("2026-10", "2026-11").replace(",S", ",T") for line in SPLIT]
    (tmp_path / "november.csv").write_text(text(*month(11), *later), encoding="utf-8")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "CARDWATCH_HOME": str(tmp_path / "home"), "NO_COLOR": "1"}

    def run(script: str, **more: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607  whichever is installed
            env=environment | more, cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    keys = run(SETUP + '\necho "$FINANCE $AUDITOR"').split("\n")[-2].split()
    given = dict(zip(("FINANCE", "AUDITOR"), keys, strict=True))
    with serving_process(environment, tmp_path) as address:
        run(STEPS, SERVICE=address, **given)
        printed = subprocess.run(
            [sys.executable, "-c", ALIKE], env=environment | given | {"SERVICE": address},
            cwd=tmp_path, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip

    def said(name: str) -> Any:
        return json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))

    assert len(said("scored")["lists"]["finance"]["alerts"]) == 1
    assert len(said("rows")["lists"]["finance"]["alerts"]) == 1
    assert said("receipt")["outcome"] == "received"
    assert said("decided")["state"] == "explained"
    assert (said("again")["fault"], said("again")["alerts"]) == ("", 1)
    assert [one["fault"] for one in said("chain")] == [""]
    assert [line.split()[0] for line in printed.splitlines()] == ["£1,850.00"] * 2


def test_the_python_example_has_twenty_lines() -> None:
    lines = [line for line in PYTHON.splitlines() if line and not line.startswith("import")]
    assert len(lines) <= 20


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_documented_with_its_meaning(code: str) -> None:
    assert f"| `{code}` | {CODES[code]} |" in PAGE
