"""Reads many statements as one: the same file twice, overlaps, gaps, one key for holders."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from cardwatch.errors import FileRefused
from cardwatch.records import TRANSACTION_COLUMNS, ReadingReport, Statements
from cardwatch.statements.profiles import HOLDER_FIELDS, known_headings
from cardwatch.statements.reading import ReadingChoices, read_statement
from cardwatch.tabular import read_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cardwatch.tabular import Table

SAME_ROWS_SHARE = 0.9
"""Above this share of rows already held, a file is the same statement under another name."""
HOLDER_WORDS = {
    "holder_id": "the holder column",
    "employee_id": "employee number",
    "account": "card account",
    "cardholder": "cardholder name",
    "card_number": "card number",
}


def list_files(paths: Sequence[Path]) -> list[Path]:
    """Return files and the files directly in folders, by name, each once; hidden ones left out.

    Raises:
        FileRefused: a path does not exist, or there is no file in any of them.
    """
    files: dict[Path, None] = {}
    for path in paths:
        if not path.exists():
            raise FileRefused(path.name, "missing", "there is no such file or folder")
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        files.update((p, None) for p in inside if p.is_file() and not p.name.startswith("."))
    if not files:
        raise FileRefused(paths[0].name if paths else "", "missing", "there is no file in it")
    return list(files)


def read_statements(
    paths: Sequence[Path], choices: ReadingChoices, *, overlap: str = "keep"
) -> Statements:
    """Return the transactions of files and folders, with what happened to every row.

    Files that cannot be read are reported as refused; the others are read all the same.

    Args:
        paths: files, or folders whose files are all read.
        choices: layouts, card key and date order.
        overlap: keep rows that two files share, or count them `once`.

    Raises:
        FileRefused: a path does not exist; or one file was given and it was refused.
    """
    files = list_files(paths)
    tables = read_tables(files, known_headings(choices.profiles))
    frames: list[pd.DataFrame] = []
    reports: list[ReadingReport] = []
    seen: dict[str, str] = {}
    held: list[pd.Series[int]] = []
    for found in tables:
        try:
            frame, report = _read_once(found, choices, seen)
            if len(files) > 1:
                rows = _row_keys(frame)
                _refuse_same_rows(report, rows, held, frames)
                held.append(rows)
        except FileRefused as refusal:
            if len(files) == 1:
                raise
            digest = "" if isinstance(found, FileRefused) else found.sha256
            reports.append(ReadingReport(refusal.file, digest, refused=refusal.what))
            continue
        seen[report.sha256] = report.file
        frames.append(frame)
        reports.append(report)
    if not frames:
        empty = pd.DataFrame(columns=list(TRANSACTION_COLUMNS))
        return Statements(empty, tuple(reports), ("no file could be read",))
    notes = _overlaps(frames, held, overlap)
    together = pd.concat(frames, ignore_index=True)
    notes += _choose_holder_key(together, frames) + _gaps(together)
    return Statements(together[list(TRANSACTION_COLUMNS)], tuple(reports), tuple(notes))


def _read_once(
    found: Table | FileRefused, choices: ReadingChoices, seen: dict[str, str]
) -> tuple[pd.DataFrame, ReadingReport]:
    """Read a table unless it was refused already or its bytes have been read before."""
    if isinstance(found, FileRefused):
        raise found
    if found.sha256 in seen:
        what = f"the same file as {seen[found.sha256]}, byte for byte; counted once"
        raise FileRefused(found.file, "same_bytes", what)
    return read_statement(found, choices)


def _row_keys(frame: pd.DataFrame) -> pd.Series[int]:
    """Return for every distinct row of a file how often it stands there, by a hash of the row."""
    keys = [c for c in HOLDER_FIELDS if f"key_{c}" in frame]
    best = f"key_{keys[0]}" if keys else "card_token"
    hashed = pd.util.hash_pandas_object(
        frame[["date", "merchant", "amount_pence", "transaction_id", best]], index=False
    )
    return hashed.value_counts(sort=False)


def _shared(one: pd.Series[int], other: pd.Series[int]) -> pd.Series[int]:
    """Return the rows that two files share and how often."""
    both = one.index.intersection(other.index)
    return pd.Series(np.minimum(one.reindex(both), other.reindex(both)), index=both)


def _refuse_same_rows(
    report: ReadingReport,
    rows: pd.Series[int],
    held: Sequence[pd.Series[int]],
    frames: Sequence[pd.DataFrame],
) -> None:
    """Refuse a file nearly all of whose rows another file holds already.

    Raises:
        FileRefused: it is the same statement under another name.
    """
    for other, frame in zip(held, frames, strict=True):
        shared = int(_shared(rows, other).sum())
        if shared > SAME_ROWS_SHARE * report.transactions:
            what = (
                f"{shared} of its {report.transactions} rows are those of "
                f"{frame['file'].iloc[0]}; counted once"
            )
            raise FileRefused(report.file, "same_rows", what)


def _overlaps(
    frames: list[pd.DataFrame], held: Sequence[pd.Series[int]], overlap: str
) -> list[str]:
    """Report rows that two files share; take them out of the later file if asked to."""
    notes = []
    for (i, one), (j, other) in itertools.combinations(enumerate(held), 2):
        shared = _shared(one, other)
        if shared.empty:
            continue
        first, second = frames[i]["file"].iloc[0], frames[j]["file"].iloc[0]
        done = "counted once" if overlap == "once" else "kept in both; '--overlap once' drops them"
        notes.append(f"{int(shared.sum())} rows stand both in {first} and in {second}: {done}")
        if overlap == "once":
            frames[j] = _without(frames[j], shared)
    return notes


def _without(frame: pd.DataFrame, shared: pd.Series[int]) -> pd.DataFrame:
    """Return a file's rows without the first ones of each kind that another file holds."""
    keys = [c for c in HOLDER_FIELDS if f"key_{c}" in frame]
    best = f"key_{keys[0]}" if keys else "card_token"
    hashed = pd.util.hash_pandas_object(
        frame[["date", "merchant", "amount_pence", "transaction_id", best]], index=False
    )
    nth = hashed.groupby(hashed).cumcount()
    return frame[nth >= hashed.map(shared).fillna(0)]


def _choose_holder_key(together: pd.DataFrame, frames: Sequence[pd.DataFrame]) -> list[str]:
    """Set `holder_id` by the best key that all files have; say which, and what it cannot do."""
    having = [{c for c in HOLDER_FIELDS if f"key_{c}" in frame} for frame in frames]
    common = set.intersection(*having)
    key = next((c for c in HOLDER_FIELDS if c in common), None)
    if key is not None:
        holder = together[f"key_{key}"]
        notes = [f"holders are told apart by {HOLDER_WORDS[key]}"]
    else:
        holder = pd.Series("", index=together.index)
        notes = ["the files name holders in different ways, so one holder may stand under two"]
    for field in HOLDER_FIELDS:
        if f"key_{field}" in together:
            holder = holder.where(holder != "", together[f"key_{field}"].fillna(""))
    together["holder_id"] = holder
    if key == "card_number" and holder.str.fullmatch(r"card ending \d{4}").any():
        notes.append("only the last four digits are known: two cards can share them")
    return notes


def _gaps(together: pd.DataFrame) -> list[str]:
    """Name the months between the first and the last that have far fewer rows than the others."""
    months = together["date"].dt.to_period("M")
    counts = months.value_counts()
    whole = pd.period_range(months.min(), months.max(), freq="M")[1:-1]
    counts = counts.reindex(whole, fill_value=0)
    thin = counts[counts < 0.1 * counts.median()]
    return [
        f"{month} has {count} rows where other months have about {int(counts.median())}: "
        "is a statement missing?"
        for month, count in sorted(thin.items())
    ]
