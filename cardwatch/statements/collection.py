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
    from cardwatch.tabular import Limits, Nursery, Table

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
    held: list[_Held] = []
    reports: list[ReadingReport] = []
    profiles = choices.profiles
    tables = read_tables(files, known_headings(profiles), needed=needed_headings(profiles))
    shown = [_short_name(path, files) for path in files]
    for number, found in enumerate(_named(shown, tables, choices.card_key)):
        try:
            held.append(_read_once(found, choices, held))
            held[-1].is_history = number >= first_history
            reports.append(held[-1].report)
        except FileRefused as refusal:
            if len(files) == 1:
                raise
            digest = "" if isinstance(found, FileRefused) else found.sha256
            reports.append(ReadingReport(refusal.file, digest, refused=refusal.what))
    if not held:
        empty = pd.DataFrame(columns=list(TRANSACTION_COLUMNS))
        return Statements(empty, tuple(reports), ("no file could be read",))
    notes = _overlaps(held, overlap)
    read = {one.report.file: one.report for one in held}
    reports = [read.get(report.file, report) for report in reports]
    together, told = name_holders([one.frame for one in held])
    return Statements(together, tuple(reports), tuple(notes + told + _gaps(together)))


def read_each(
    paths: Sequence[Path],
    choices: ReadingChoices,
    *,
    names: Sequence[str] = (),
    limits: Limits = LIMITS,
    nursery: Nursery | None = None,
) -> list[FileRefused | tuple[pd.DataFrame, ReadingReport]]:
    """Return for each file its transactions and reading report, or why it is refused.

    The frames have a column for each way in which a file names its holders, in place of
    `holder_id`; `name_holders` joins several.

    Args:
        paths: files, or folders whose files are all read.
        choices: layouts, card key and date order.
        names: names for the files in place of their own.
        limits: what one file may cost.
        nursery: one that is running; without it, one is started for these files alone.

    Raises:
        FileRefused: a path does not exist.
    """
    files = list_files(paths)
    profiles = choices.profiles
    needed = needed_headings(profiles)
    tables = read_tables(files, known_headings(profiles), limits, nursery, needed)
    each: list[FileRefused | tuple[pd.DataFrame, ReadingReport]] = []
    shown = names or [_short_name(path, files) for path in files]
    for found in _named(shown, tables, choices.card_key):
        try:
            if isinstance(found, FileRefused):
                raise found
            each.append(read_statement(found, choices))
        except FileRefused as refusal:
            each.append(refusal)
    return each


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
        said = pd.DataFrame({"date": frame["date"], "pence": frame["amount_pence"]})
        said["merchant"] = fold_key("merchant", frame["merchant"])
        if by_reference:
            said["reference"] = frame["transaction_id"]
        if key:
            said["holder"] = fold_key(key, frame[key])
        return pd.util.hash_pandas_object(said, index=False)

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
        mine = self.counts(key, by_reference=both)
        theirs = other.counts(key, by_reference=both)
        return sum(min(mine[row], theirs[row]) for row in mine.keys() & theirs.keys())


def _named(
    names: Sequence[str], tables: list[Table | FileRefused], key: bytes
) -> list[Table | FileRefused]:
    """Return the tables and refusals under names fit to be shown.

    A card number in the name of a file or sheet is cut as it would be in a cell.
    """
    named: list[Table | FileRefused] = []
    for shown, found in zip(names, tables, strict=True):
        name = redact_cards(shown, key)
        if isinstance(found, FileRefused):
            named.append(FileRefused(name, found.code, found.what))
        else:
            decisions = tuple(redact_cards(text, key) for text in found.decisions)
            notes = tuple(redact_cards(text, key) for text in found.notes)
            named.append(replace(found, file=name, decisions=decisions, notes=notes))
    return named


def _short_name(path: Path, files: Sequence[Path]) -> str:
    """Return a file's name, with as many of its folders as tell it from the others."""
    for parts in range(1, len(path.parts)):
        if sum(other.parts[-parts:] == path.parts[-parts:] for other in files) == 1:
            return "/".join(path.parts[-parts:])
    return str(path)


def _read_once(found: Table | FileRefused, choices: ReadingChoices, held: Sequence[_Held]) -> _Held:
    """Read a table, unless it was refused already or another file holds its rows.

    Raises:
        FileRefused: it is no statement, or the same statement as one read before.
    """
    if isinstance(found, FileRefused):
        raise found
    for other in held:
        if found.sha256 == other.report.sha256:
            what = f"the same file as {other.report.file}, byte for byte; counted once"
            raise FileRefused(found.file, "same_bytes", what)
    one = _Held(*read_statement(found, choices))
    for other in held:
        shared = one.shared(other)
        if shared:
            one.overlaps.append((other.report.file, shared))
        if shared > SAME_ROWS_SHARE * len(one.frame):
            what = (
                f"{shared} of its {quantity(len(one.frame), 'row')} "
                f"{plural(shared, 'is', 'are')} those of {other.report.file}; counted once"
            )
            raise FileRefused(found.file, "same_rows", what)
    return one


def _overlaps(held: Sequence[_Held], overlap: str) -> list[str]:
    """Report rows that two files share; if asked to, take them out of the later file.

    Rows of history that the statements hold are always taken out. A row counts as often as it
    stands in the file in which it stands most often.
    """
    history = {one.report.file for one in held if one.is_history}
    notes = []
    for one in held:
        for other, count in one.overlaps:
            once = overlap == "once" or (one.is_history and other not in history)
            done = "counted once" if once else "kept in both; '--overlap once' drops them"
            rows = quantity(count, "row")
            notes.append(f"{rows} of {one.report.file} also in {other}: {done}")
    if notes:
        _count_once(held, everywhere=overlap == "once")
    return notes


def _count_once(held: Sequence[_Held], *, everywhere: bool) -> None:
    """Drop from each file the rows that the files before it hold already.

    Unless `everywhere`, only from history what the statements hold.
    """
    key = next((k for k in held[0].keys if all(k in one.keys for one in held)), "")
    by_reference = all(one.has_references for one in held)
    kept: Counter[int] = Counter()
    for one in held:
        hashes = one.hashes(key, by_reference=by_reference)
        if everywhere or one.is_history:
            nth = hashes.groupby(hashes).cumcount()
            one.frame = one.frame[(nth >= hashes.map(kept).fillna(0)).to_numpy()]
        if everywhere or not one.is_history:
            kept |= one.counts(key, by_reference=by_reference)
        pence = int(one.frame["amount_pence"].sum())
        dropped = one.report.transactions - len(one.frame)
        one.report = replace(
            one.report, transactions=len(one.frame), elsewhere=dropped, pence=pence
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
