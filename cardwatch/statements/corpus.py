"""Reads a folder of files and compares each result with what is expected."""

from __future__ import annotations

import csv
import tomllib
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from cardwatch.errors import FileFaulty, FileRefused
from cardwatch.statements.collection import read_each
from cardwatch.statements.holder_keys import name_holders

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from cardwatch.records import ReadingReport
    from cardwatch.statements.sheet import ReadingChoices

EXPECTATIONS = ("expectations.toml", "expectations.csv")
"""Files in a folder that say what is right for the others."""
IGNORED_SUFFIXES = (".md", ".toml")
"""Files that are about a corpus and no part of it."""


@dataclass(frozen=True)
class Outcome:
    """The result of reading one file of a corpus.

    Attributes:
        file: its path within the folder.
        refused: code of the refusal; empty where it was read.
        rows: transactions.
        pence: their sum, refunds below zero.
        first_on, last_on: their first and last day.
        refunds: transactions below zero.
        holders: how many holders there are.
        problems: rows that could not be read.
        not_booked: rows that are pending, declined or void.
        totals: total rows that agree with the rows above them.
    """

    file: str
    refused: str = ""
    rows: int = 0
    pence: int = 0
    first_on: str = ""
    last_on: str = ""
    refunds: int = 0
    holders: int = 0
    problems: int = 0
    not_booked: int = 0
    totals: int = 0
    reconciles: bool = True


FIGURES = tuple(field.name for field in fields(Outcome) if field.name != "file")


def read_corpus(folder: Path, choices: ReadingChoices) -> list[Outcome]:
    """Return what comes of each file in a folder and the folders in it, by path.

    Args:
        folder: files of any kind; hidden ones and those about the corpus are left out.
        choices: layouts, card key and order of dates.

    Raises:
        FileRefused: the folder does not exist or holds no file.
    """
    paths = corpus_files(folder)
    results = read_each(paths, choices)
    names = [path.relative_to(folder).as_posix() for path in paths]
    return [_outcome(name, result) for name, result in zip(names, results, strict=True)]


def corpus_files(folder: Path) -> list[Path]:
    """Return the files of a corpus, by path.

    Raises:
        FileRefused: the folder does not exist or holds no file.
    """
    paths = [
        path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.suffix not in IGNORED_SUFFIXES
        and path.name not in EXPECTATIONS
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    ]
    if not paths:
        raise FileRefused(folder.name, "missing", "there is no file in it")
    return paths


def _outcome(name: str, result: FileRefused | tuple[pd.DataFrame, ReadingReport]) -> Outcome:
    """Return what came of one file."""
    if isinstance(result, FileRefused):
        return Outcome(name, refused=result.code)
    frame, report = result
    together, _ = name_holders([frame])
    return Outcome(
        file=name,
        rows=report.transactions,
        pence=report.pence,
        first_on=report.first_on,
        last_on=report.last_on,
        refunds=int((together["amount_pence"] < 0).sum()),
        holders=int(together["holder_id"].nunique()),
        problems=len(report.problems),
        not_booked=report.not_booked,
        totals=sum(total.agrees for total in report.totals),
        reconciles=report.reconciles,
    )


def load_expectations(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what a folder's expectations file says of each file; nothing where there is none.

    TOML has a table for each file; CSV has a column `file` and one for each figure, empty where
    nothing is expected.

    Raises:
        FileFaulty: it cannot be read, or names a figure that is not known.
    """
    path = next((folder / name for name in EXPECTATIONS if (folder / name).is_file()), None)
    if path is None:
        return {}
    try:
        text = path.read_text(encoding="utf-8-sig")
        expected = tomllib.loads(text) if path.suffix == ".toml" else _from_csv(text)
    except (OSError, ValueError, KeyError) as error:
        raise FileFaulty(path.name, [f"it cannot be read: {error}"]) from error
    strange = sorted({name for figures in expected.values() for name in figures} - set(FIGURES))
    if strange:
        raise FileFaulty(path.name, [f"unknown figure '{name}'" for name in strange])
    return expected


def _from_csv(text: str) -> dict[str, dict[str, Any]]:
    """Return expectations from CSV: whole numbers as such."""
    expected: dict[str, dict[str, Any]] = {}
    for row in csv.DictReader(text.splitlines()):
        figures = {k: v for k, v in row.items() if k != "file" and v not in {"", None}}
        words = {"refused", "first_on", "last_on"}
        expected[row["file"]] = {k: v if k in words else int(v) for k, v in figures.items()}
    return expected


def differences(
    outcomes: Sequence[Outcome], expected: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[str]]:
    """Return for each file how it differs from what is expected, a sentence each.

    A file whose rows do not add up differs whatever is expected. A file that is expected and not
    there differs too.
    """
    figures_by_file = {outcome.file: asdict(outcome) for outcome in outcomes}
    differing: dict[str, list[str]] = {}
    for name, figures in figures_by_file.items():
        lines = [
            f"{figure} is {figures[figure]!r}, expected {value!r}"
            for figure, value in expected.get(name, {}).items()
            if figures[figure] != value
        ]
        if not figures["reconciles"]:
            lines.append("its rows do not add up")
        if lines:
            differing[name] = lines
    return differing | {name: ["it is missing"] for name in expected if name not in figures_by_file}
