"""A small statement is scored without loading what it does not need."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

NOT_NEEDED = (
    "sklearn", "joblib", "sqlalchemy", "distributed", "weasyprint", "scipy.sparse.csgraph",
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
