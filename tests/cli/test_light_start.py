"""A small statement is scored without loading what it does not need."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from typer.main import get_command

from cardwatch.cli import app, named_command

if TYPE_CHECKING:
    from pathlib import Path

NOT_NEEDED = (
    "sklearn", "joblib", "sqlalchemy", "distributed", "weasyprint", "scipy",
    "holidays.countries", "xlsxwriter",
)  # fmt: skip
PROGRAM = f"""
import sys
from cardwatch.cli import app
sys.argv = ["cardwatch", "score", sys.argv[1], "--json"]
app(standalone_mode=False)
print(*(name for name in {NOT_NEEDED} if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "later"])
def test_ten_rows_load_no_model_or_database(tmp_path: Path, *, is_first: bool) -> None:
    rows = [f"2026-10-{day:02},E{day % 2},SHOP {day % 3},1{day}.50" for day in range(1, 11)]
    file = tmp_path / "ten.csv"
    file.write_text("\n".join(["Date,Employee ID,Merchant,Amount", *rows]) + "\n", "utf-8")
    command = [sys.executable, "-c", PROGRAM, str(file)]
    env = os.environ | {"CARDWATCH_HOME": str(tmp_path / "home")}
    for _ in range(1 if is_first else 2):  # the first time there is no key yet
        ran = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    assert '"payments_count": 10' in ran.stdout
    assert ran.stderr.splitlines()[-1].strip() == ""


def test_a_start_of_the_services_loads_no_statistics_or_model() -> None:
    program = "import sys, cardwatch.services; print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    loaded = set(ran.stdout.split())
    assert "cardwatch.services" in loaded
    assert not loaded & {"scipy.stats", "sklearn", "weasyprint", "matplotlib"}


def test_one_command_is_built_as_all_are() -> None:
    every = vars(get_command(app))["commands"]
    assert len(every) > 30
    for name, command in every.items():
        alone = get_command(named_command(name))
        assert list(vars(alone)["commands"]) == [name]
        assert [p.opts for p in vars(alone)["commands"][name].params] == [
            p.opts for p in command.params
        ]
        assert vars(alone)["commands"][name].help == command.help


@pytest.mark.parametrize("name", ["", "--help", "scroe", "-h"])
def test_without_such_a_command_all_are_built(name: str) -> None:
    assert named_command(name) is app
