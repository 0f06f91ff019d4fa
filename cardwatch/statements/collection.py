"""Reads many statements as one: the same file twice, overlaps, gaps, one key for holders."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pandas as pd

from cardwatch.errors import FileRefused
from cardwatch.quantities import plural, quantity
from cardwatch.records import TRANSACTION_COLUMNS, ReadingReport, Statements
from cardwatch.statements.cells import redact_cards
from cardwatch.statements.holder_keys import fold_key, name_holders
from cardwatch.statements.profiles import HOLDER_FIELDS, known_headings, needed_headings
from cardwatch.statements.reading import read_statement
from cardwatch.tabular import LIMITS, read_tables

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cardwatch.statements.sheet import ReadingChoices
    from cardwatch.tabular import Limits, ReaderPool, Table

SAME_ROWS_SHARE = 0.9
"""Above this share of rows already held, a file is the same statement under another name."""


def list_files(paths: Sequence[Path]) -> list[Path]:
    """Return files and the files directly in folders, by name, each once; hidden ones left out.

    Raises:
        FileRefused: a path does not exist, or there is no file in any of them.
    """
    files: dict[Path, Path] = {}
    for path in paths:
        if not path.exists():
            raise FileRefused(path.name, "missing", "there is no such file or folder")
        inside = sorted(path.iterdir()) if path.is_dir() else [path]
        real = [p for p in inside if p.is_file() and not p.name.startswith(".")]
        files |= {p.resolve(): p for p in real if p.resolve() not in files}
    if not files:
        raise FileRefused(paths[0].name if paths else "", "missing", "there is no file in it")
    return list(files.values())


def read_statements(
    paths: Sequence[Path],
    choices: ReadingChoices,
    *,
    history: Sequence[Path] = (),
    overlap: str = "keep",
) -> Statements:
    """Return the transactions of files and folders, with what happened to every row.

    Files that cannot be read are reported as refused; the others are read all the same.

    Args:
        paths: files, or folders whose files are all read.
        choices: layouts, card key and date order.
        history: earlier files or folders. Rows that they share with the statements are always
            counted once, as the statements'.
        overlap: keep rows that two files share, or count them `once`.

    Raises:
        FileRefused: a path does not exist; or one file was given and it was refused.
    """
    files = list_files([*paths, *history])
    first_history = len(list_files(paths))
    read_files: list[_Held] = []
    reports: list[ReadingReport] = []
    profiles = choices.profiles
    tables = read_tables(files, known_headings(profiles), needed=needed_headings(profiles))
    short_names = [_short_name(path, files) for path in files]
    for number, table in enumerate(_named(short_names, tables, choices.card_key)):
        try:
            read_files.append(_read_once(table, choices, read_files))
            read_files[-1].is_history = number >= first_history
            reports.append(read_files[-1].report)
        except FileRefused as refusal:
            if len(files) == 1:
                raise
            digest = "" if isinstance(table, FileRefused) else table.sha256
            reports.append(ReadingReport(refusal.file, digest, refused=refusal.what))
    if not read_files:
        empty = pd.DataFrame(columns=list(TRANSACTION_COLUMNS))
        return Statements(empty, tuple(reports), ("no file could be read",))
    notes = _overlaps(read_files, overlap)
    read = {read_file.report.file: read_file.report for read_file in read_files}
    reports = [read.get(report.file, report) for report in reports]
    together, holder_notes = name_holders([read_file.frame for read_file in read_files])
    return Statements(together, tuple(reports), tuple(notes + holder_notes + _gaps(together)))


def read_each(
    paths: Sequence[Path],
    choices: ReadingChoices,
    *,
    names: Sequence[str] = (),
    limits: Limits = LIMITS,
    readers: ReaderPool | None = None,
) -> list[FileRefused | tuple[pd.DataFrame, ReadingReport]]:
    """Return for each file its transactions and reading report, or why it is refused.

    The frames have a column for each way in which a file names its holders, in place of
    `holder_id`; `name_holders` joins several.

    Args:
        paths: files, or folders whose files are all read.
        choices: layouts, card key and date order.
        names: names for the files in place of their own.
        limits: what one file may cost.
        readers: a pool that is running; without it, one is started for these files alone.

    Raises:
        FileRefused: a path does not exist.
    """
    files = list_files(paths)
    profiles = choices.profiles
    needed = needed_headings(profiles)
    tables = read_tables(files, known_headings(profiles), limits, readers, needed)
    outcomes: list[FileRefused | tuple[pd.DataFrame, ReadingReport]] = []
    file_names = names or [_short_name(path, files) for path in files]
    for table in _named(file_names, tables, choices.card_key):
        try:
            if isinstance(table, FileRefused):
                raise table
            outcomes.append(read_statement(table, choices))
        except FileRefused as refusal:
            outcomes.append(refusal)
    return outcomes


@dataclass
class _Held:
    """One file that was read: its rows, its report, and how many rows earlier files hold of it."""

    frame: pd.DataFrame
    report: ReadingReport
    is_history: bool = False
    overlaps: list[tuple[str, int]] = field(default_factory=list)
    _counts: dict[tuple[str, bool], Counter[int]] = field(default_factory=dict)

    @property
    def keys(self) -> list[str]:
        """Return the columns that say who paid, the best first."""
        return [f"key_{field}" for field in HOLDER_FIELDS if f"key_{field}" in self.frame]

    @property
    def has_references(self) -> bool:
        """Whether its payments have the issuer's references."""
        return bool((self.frame["transaction_id"] != "").any())

    def hashes(self, key: str, *, by_reference: bool) -> pd.Series[int]:
        """Return a hash of what each row says, its holder by one of the keys.

        Texts are compared in small letters. References are left out where another file has none.
        """
        frame = self.frame
        hashed_columns = pd.DataFrame({"date": frame["date"], "pence": frame["amount_pence"]})
        hashed_columns["merchant"] = fold_key("merchant", frame["merchant"])
        if by_reference:
            hashed_columns["reference"] = frame["transaction_id"]
        if key:
            hashed_columns["holder"] = fold_key(key, frame[key])
        return pd.util.hash_pandas_object(hashed_columns, index=False)

    def common_key(self, other: _Held) -> str:
        """Return the best key that both files have, or nothing."""
        return next((key for key in self.keys if key in other.keys), "")

    def counts(self, key: str, *, by_reference: bool) -> Counter[int]:
        """Count each distinct row of the file, by its hash."""
        how = (key, by_reference)
        if how not in self._counts:
            self._counts[how] = Counter(self.hashes(key, by_reference=by_reference).tolist())
        return self._counts[how]

    def shared(self, other: _Held) -> int:
        """The number of rows that two files share."""
        key = self.common_key(other)
        both = self.has_references and other.has_references
        own_counts = self.counts(key, by_reference=both)
        theirs = other.counts(key, by_reference=both)
        return sum(min(own_counts[row], theirs[row]) for row in own_counts.keys() & theirs.keys())


def _named(
    names: Sequence[str], tables: list[Table | FileRefused], key: bytes
) -> list[Table | FileRefused]:
    """Return the tables and refusals under names fit to be shown.

    A card number in the name of a file or sheet is cut as it would be in a cell.
    """
    renamed: list[Table | FileRefused] = []
    for file_name, table in zip(names, tables, strict=True):
        name = redact_cards(file_name, key)
        if isinstance(table, FileRefused):
            renamed.append(FileRefused(name, table.code, table.what))
        else:
            decisions = tuple(redact_cards(text, key) for text in table.decisions)
            notes = tuple(redact_cards(text, key) for text in table.notes)
            renamed.append(replace(table, file=name, decisions=decisions, notes=notes))
    return renamed


def _short_name(path: Path, files: Sequence[Path]) -> str:
    """Return a file's name, with as many of its folders as tell it from the others."""
    for parts in range(1, len(path.parts)):
        if sum(other.parts[-parts:] == path.parts[-parts:] for other in files) == 1:
            return "/".join(path.parts[-parts:])
    return str(path)


def _read_once(
    table: Table | FileRefused, choices: ReadingChoices, earlier_files: Sequence[_Held]
) -> _Held:
    """Read a table, unless it was refused already or another file holds its rows.

    Raises:
        FileRefused: it is no statement, or the same statement as one read before.
    """
    if isinstance(table, FileRefused):
        raise table
    for other in earlier_files:
        if table.sha256 == other.report.sha256:
            reason = f"the same file as {other.report.file}, byte for byte; counted once"
            raise FileRefused(table.file, "same_bytes", reason)
    read_file = _Held(*read_statement(table, choices))
    for other in earlier_files:
        shared = read_file.shared(other)
        if shared:
            read_file.overlaps.append((other.report.file, shared))
        if shared > SAME_ROWS_SHARE * len(read_file.frame):
            reason = (
                f"{shared} of its {quantity(len(read_file.frame), 'row')} "
                f"{plural(shared, 'is', 'are')} those of {other.report.file}; counted once"
            )
            raise FileRefused(table.file, "same_rows", reason)
    return read_file


def _overlaps(read_files: Sequence[_Held], overlap: str) -> list[str]:
    """Report rows that two files share; if asked to, take them out of the later file.

    Rows of history that the statements hold are always taken out. A row counts as often as it
    stands in the file in which it stands most often.
    """
    history = {read_file.report.file for read_file in read_files if read_file.is_history}
    notes = []
    for read_file in read_files:
        for other, count in read_file.overlaps:
            once = overlap == "once" or (read_file.is_history and other not in history)
            treatment = "counted once" if once else "kept in both; '--overlap once' drops them"
            rows = quantity(count, "row")
            notes.append(f"{rows} of {read_file.report.file} also in {other}: {treatment}")
    if notes:
        _count_once(read_files, everywhere=overlap == "once")
    return notes


def _count_once(read_files: Sequence[_Held], *, everywhere: bool) -> None:
    """Drop from each file the rows that the files before it hold already.

    Unless `everywhere`, only from history what the statements hold.
    """
    key = next(
        (k for k in read_files[0].keys if all(k in read_file.keys for read_file in read_files)), ""
    )
    by_reference = all(read_file.has_references for read_file in read_files)
    counted: Counter[int] = Counter()
    for read_file in read_files:
        hashes = read_file.hashes(key, by_reference=by_reference)
        if everywhere or read_file.is_history:
            nth = hashes.groupby(hashes).cumcount()
            read_file.frame = read_file.frame[(nth >= hashes.map(counted).fillna(0)).to_numpy()]
        if everywhere or not read_file.is_history:
            counted |= read_file.counts(key, by_reference=by_reference)
        pence = int(read_file.frame["amount_pence"].sum())
        dropped = read_file.report.transactions - len(read_file.frame)
        read_file.report = replace(
            read_file.report, transactions=len(read_file.frame), elsewhere=dropped, pence=pence
        )


def _gaps(together: pd.DataFrame) -> list[str]:
    """Name the months between the first and the last that have far fewer rows than the others."""
    months = together["date"].dt.to_period("M")
    counts = months.value_counts()
    whole = pd.period_range(months.min(), months.max(), freq="M")[1:-1]
    counts = counts.reindex(whole, fill_value=0)
    thin = counts[counts < 0.1 * counts.median()]
    return [
        f"{month} has {quantity(count, 'row')} where other months have about "
        f"{int(counts.median())}: is a statement missing?"
        for month, count in sorted(thin.items())
    ]
