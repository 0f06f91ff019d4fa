"""The long proof of the reader: thousands of damaged files, each ends in a table or a sentence."""

from __future__ import annotations

import collections
import resource
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hostile import damaged

from cardwatch.errors import FileRefused
from cardwatch.statements import known_headings, read_statements, shipped_profiles
from cardwatch.tabular import read_tables

if TYPE_CHECKING:
    from cardwatch.statements import ReadingChoices

STATEMENTS = Path(__file__).parents[2] / "sample_data" / "statements"
BASES = ("2025-09.csv", "2026-03.xlsx", "2026-10.csv")
FILES, BATCH = 2_000, 100
GROWTH_MIB = 64


@pytest.mark.prove
def test_thousands_of_damaged_files_end_in_a_table_or_a_sentence(
    tmp_path: Path, choices: ReadingChoices
) -> None:
    rng = np.random.default_rng(20261101)
    bases = [(STATEMENTS / name).read_bytes() for name in BASES]
    known = known_headings(shipped_profiles())
    ends: collections.Counter[str] = collections.Counter()
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()
    for first in range(0, FILES, BATCH):
        paths = []
        for number in range(first, first + BATCH):
            path = tmp_path / f"{number}.dat"
            path.write_bytes(damaged(bases[number % len(bases)], rng))
            paths.append(path)
        for found in read_tables(paths, known):
            ends[found.code if isinstance(found, FileRefused) else "table"] += 1
        read = read_statements(paths, choices)
        assert all(report.refused or report.reconciles for report in read.reports)
        for path in paths:
            path.unlink()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert sum(ends.values()) == FILES
    print(f"\n{FILES:,} damaged files in {time.monotonic() - start:.0f} s, "  # noqa: T201
          f"memory grown by {grown:.0f} MiB: {dict(ends.most_common())}")  # fmt: skip
    assert grown < GROWTH_MIB * 4  # tables held at once; each file is tens of kilobytes
