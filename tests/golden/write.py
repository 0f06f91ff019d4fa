"""Writes the golden list again, after a change of detection that is meant."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from cardwatch.policy import load_policy
from cardwatch.reports import as_json
from cardwatch.scoring import score
from cardwatch.statements import ReadingChoices, read_statements, shipped_profiles

HERE = Path(__file__).parent
SAMPLE = HERE.parents[1] / "sample_data"


def main() -> None:
    """Score October 2026 and write what the test compares."""
    choices = ReadingChoices(shipped_profiles(), b"a key for tests, 32 bytes long..")
    sample = read_statements([SAMPLE / "statements"], choices)
    policy = load_policy(SAMPLE / "policy.toml")
    scoring = score(sample.transactions, policy, asked_files=["2026-10.csv"])
    plain = {lane: dataclasses.replace(m, made_by={}) for lane, m in scoring.lists.items()}
    text = as_json(plain, dataclasses.replace(sample, reports=()))
    (HERE / "sample-2026-10.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
