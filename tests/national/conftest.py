"""Fixtures of national tests: a folder of small partitions, and the bytes of results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from clusters import ALL

from cardwatch.executors import this_process
from cardwatch.national import score_many
from cardwatch.partitions import list_partitions, write_partition

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from cardwatch.records import CardRegister, Statements

POLICY = "[[single_purchase]]\nfrom = 2020-01-01\npounds = 1000\n"
FORCES = ("Ashdown", "Brackwater", "Caldmoor", "Dunsea")


@pytest.fixture(scope="session")
def forces(
    tmp_path_factory: pytest.TempPathFactory, sample: Statements, sample_cards: CardRegister
) -> Path:
    """Give a folder of four forces with other payments each, one with its own policy and cards."""
    root = tmp_path_factory.mktemp("forces")
    early = sample.transactions[sample.transactions["date"] < "2026-02-01"]
    for number, force in enumerate(FORCES):
        dearer = early.assign(amount_pence=early["amount_pence"] + number)
        own = number == 1
        write_partition(
            str(root), force, dearer,
            policy_text=POLICY if own else "", cards=sample_cards if own else None,
        )  # fmt: skip
    return root


@pytest.fixture(scope="session")
def scored(forces: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the results of the forces, as this process makes them."""
    results = tmp_path_factory.mktemp("scored")
    outcomes = list(
        score_many(list_partitions(str(forces)), str(results), ALL, engine=this_process())
    )
    assert {outcome.outcome for outcome in outcomes} == {"scored"}
    return results


@pytest.fixture(scope="session")
def result_bytes() -> Callable[[Path], dict[str, bytes]]:
    """Give the bytes of every file of some results, by their path."""

    def read(folder: Path) -> dict[str, bytes]:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        return {str(path.relative_to(folder)): path.read_bytes() for path in paths}

    return read
