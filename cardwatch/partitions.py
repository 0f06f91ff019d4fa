"""Partitions: each organisation's payments as Parquet, one file a year, with its policy and cards.

    FOLDER/organisation=NAME/2026.parquet    payments of a year, with `TRANSACTION_COLUMNS`
                             policy.toml     the organisation's figures, if it has its own
                             cards.parquet   its card register, with `CARD_COLUMNS`, if it has one

The folder may be any that pyarrow reaches: a local one, or an address such as `s3://bucket/forces`.
"""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from cardwatch.errors import CardwatchError
from cardwatch.policy import Policy, load_policy, parse_policy
from cardwatch.records import CARD_COLUMNS, TRANSACTION_COLUMNS, CardRegister, ReadingReport

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER_PREFIX = "organisation="
POLICY_FILE, CARDS_FILE = "policy.toml", "cards.parquet"
TABLE_FILE = "alerts.parquet"
"""A result, which may have been written beside the payments."""
YEAR_FILE = re.compile(r"\d{4}\.parquet")
PARTITION_DAYS = ("date", "posting_date", "opened_on", "closed_on", "effective_from")
PARTITION_WHOLE = ("amount_pence", "row", "single_limit_pence", "month_limit_pence")
PARTITION_FLAGS = ("day_doubled", "is_own_approver")


@dataclass(frozen=True)
class Partition:
    """One organisation's files.

    Attributes:
        organisation: its name.
        root: the folder or address above all organisations.
        folder: the name of the organisation's own below it.
        files: the name of each file there, with the hash of its bytes.
        size: bytes of all of them.
    """

    organisation: str
    root: str
    folder: str
    files: tuple[tuple[str, str], ...]
    size: int


@dataclass(frozen=True)
class PartitionContent:
    """Content of a partition; no policy where the organisation has stated none."""

    transactions: pd.DataFrame
    policy: Policy | None
    cards: CardRegister | None


class FileStore:
    """Files below one folder or address, through pyarrow's file systems."""

    def __init__(self, root: str) -> None:
        """Open the folder or address.

        Raises:
            CardwatchError: pyarrow does not know that kind of address.
        """
        self.root = root
        try:
            if "://" in root:
                self._system, self._base = fs.FileSystem.from_uri(root)
            else:
                self._system, self._base = fs.LocalFileSystem(), str(Path(root).absolute())
        except (OSError, pa.ArrowException) as error:
            raise CardwatchError(f"{root} cannot be opened.") from error

    def list_paths(self) -> tuple[list[str], list[str]]:
        """Return the paths of all files below the folder, and of all folders, in order.

        A link that leads nowhere is a file. Both are empty if there is no folder.

        Raises:
            CardwatchError: it cannot be listed.
        """
        try:
            chosen = fs.FileSelector(self._base, recursive=True, allow_not_found=True)
            entries = self._system.get_file_info(chosen)
        except (OSError, pa.ArrowException) as error:
            raise CardwatchError(f"{self.root} cannot be listed.") from error
        start = len(self._base.rstrip("/")) + 1
        paths = {is_folder: sorted(e.path[start:] for e in entries
                                   if (e.type == fs.FileType.Directory) == is_folder)
                 for is_folder in (False, True)}  # fmt: skip
        return paths[False], paths[True]

    def read(self, path: str) -> bytes:
        """Return the bytes of a file.

        Raises:
            CardwatchError: it cannot be read.
        """
        try:
            with self._system.open_input_stream(f"{self._base}/{path}", compression=None) as file:
                content: bytes = file.read()
        except (OSError, pa.ArrowException) as error:
            raise CardwatchError(f"{path} cannot be read.") from error
        return content

    def write(self, path: str, content: bytes) -> None:
        """Write a file whole, under another name first: nobody sees half of it.

        Raises:
            CardwatchError: it cannot be written.
        """
        target = f"{self._base}/{path}"
        try:
            self._system.create_dir(target.rsplit("/", 1)[0], recursive=True)
            with self._system.open_output_stream(f"{target}.part", compression=None) as file:
                file.write(content)
            self._system.move(f"{target}.part", target)
        except (OSError, pa.ArrowException) as error:
            raise CardwatchError(f"{path} cannot be written.") from error


def organisation_folder(organisation: str) -> str:
    """Return the name of an organisation's folder, from which its name can be read again."""
    return FOLDER_PREFIX + quote(organisation, safe=" ()&',-").replace(".", "%2E")


def list_partitions(root: str) -> list[Partition]:
    """Return the partitions below a folder or address, by the name of their organisation.

    An empty folder and a file that cannot be read are listed, so that the organisation is missed.

    Raises:
        CardwatchError: there is none, or the folder cannot be listed.
    """
    store = FileStore(root)
    files, folders = store.list_paths()
    by_folder: dict[str, list[str]] = {
        folder: [] for folder in folders if folder.startswith(FOLDER_PREFIX) and "/" not in folder
    }
    for path in files:
        folder, _, name = path.partition("/")
        is_ours = name == POLICY_FILE or (name.endswith(".parquet") and name != TABLE_FILE)
        if folder.startswith(FOLDER_PREFIX) and is_ours:
            by_folder.setdefault(folder, []).append(name)
    partitions = []
    for folder, names in by_folder.items():
        hashes, size = [], 0
        for name in names:
            try:
                content = store.read(f"{folder}/{name}")
            except CardwatchError:  # the organisation fails when it is its turn; the others stand
                hashes.append((name, ""))
                continue
            hashes.append((name, hashlib.sha256(content).hexdigest()))
            size += len(content)
        organisation = unquote(folder.removeprefix(FOLDER_PREFIX))
        partitions.append(Partition(organisation, root, folder, tuple(hashes), size))
    if not partitions:
        raise CardwatchError(f"{root} has no partitions: no folder such as organisation=NAME.")
    partitions.sort(key=lambda partition: partition.organisation)
    for earlier, later in pairwise(partitions):
        if earlier.organisation == later.organisation:
            raise CardwatchError(f"{root} has two folders of {later.organisation}. Remove one.")
    return partitions


def read_partition(partition: Partition) -> PartitionContent:
    """Return what a partition holds.

    Raises:
        CardwatchError: a file is missing, is not as it was listed, has other columns, or a Parquet
            file is not named by its year.
    """
    store, folder = FileStore(partition.root), partition.folder
    contents = {}
    for name, sha256 in partition.files:
        if not (YEAR_FILE.fullmatch(name) or name in {POLICY_FILE, CARDS_FILE}):
            sentence = (
                f"{name} is not named by its year, such as 2026.parquet. Rename or remove it."
            )
            raise CardwatchError(sentence)
        contents[name] = store.read(f"{folder}/{name}")
        if hashlib.sha256(contents[name]).hexdigest() != sha256:
            raise CardwatchError(f"{name} was changed while it was in use. Run the command again.")
    years = [
        _frame(name, content, TRANSACTION_COLUMNS)
        for name, content in contents.items()
        if YEAR_FILE.fullmatch(name)
    ]
    if not years:
        raise CardwatchError("There are no payments: no file such as 2026.parquet.")
    policy = None
    if POLICY_FILE in contents:
        policy = _policy(contents[POLICY_FILE])
    cards = None
    if CARDS_FILE in contents:
        register = _frame(CARDS_FILE, contents[CARDS_FILE], CARD_COLUMNS)
        report = ReadingReport(CARDS_FILE, dict(partition.files)[CARDS_FILE], cards=len(register))
        cards = CardRegister(register, report)
    return PartitionContent(pd.concat(years, ignore_index=True), policy, cards)


def write_partition(
    root: str,
    organisation: str,
    transactions: pd.DataFrame,
    *,
    policy_text: str = "",
    cards: CardRegister | None = None,
) -> int:
    """Write an organisation's payments, one file a year; return how many files were written.

    Args:
        root: the folder or address above all organisations.
        organisation: its name.
        transactions: a frame with `TRANSACTION_COLUMNS`.
        policy_text: its policy as a file holds it; empty for none.
        cards: its card register.

    Raises:
        CardwatchError: a file cannot be written.
    """
    store, folder = FileStore(root), organisation_folder(organisation)
    files: dict[str, bytes] = {}
    ordered = transactions[list(TRANSACTION_COLUMNS)].sort_values(
        ["date", "file", "row"], kind="stable"
    )
    for year, part in ordered.groupby(ordered["date"].dt.year):
        files[f"{year:04}.parquet"] = parquet_bytes(part)
    if policy_text:
        files[POLICY_FILE] = policy_text.encode()
    if cards is not None:
        files[CARDS_FILE] = parquet_bytes(cards.cards[list(CARD_COLUMNS)])
    for name, content in files.items():
        store.write(f"{folder}/{name}", content)
    return len(files)


def parquet_bytes(frame: pd.DataFrame) -> bytes:
    """Return a frame as Parquet: the same rows give the same bytes."""
    out = io.BytesIO()
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(table, out, compression="zstd")
    return out.getvalue()


def _policy(content: bytes) -> Policy:
    """Return the policy in a file."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CardwatchError(f"{POLICY_FILE} is not text in UTF-8.") from error
    return parse_policy(text, POLICY_FILE) if text.strip() else load_policy()


def _frame(name: str, content: bytes, columns: Mapping[str, str]) -> pd.DataFrame:
    """Return a Parquet file as a frame with some columns, each of its type, pence exact.

    Raises:
        CardwatchError: it is no Parquet file, or a column is missing or of another type.
    """
    try:
        table = pq.read_table(io.BytesIO(content))
        missing = [column for column in columns if column not in table.column_names]
        if missing:
            raise CardwatchError(f"{name} has no column {', '.join(missing)}.")
        wanted = pa.schema([(column, _type(column)) for column in columns])
        frame: pd.DataFrame = table.select(list(columns)).cast(wanted).to_pandas()
    except (OSError, pa.ArrowException) as error:
        reason = f"{name} cannot be read as Parquet with the columns of a partition."
        raise CardwatchError(reason) from error
    texts = [c for c in columns if c not in (*PARTITION_DAYS, *PARTITION_WHOLE, *PARTITION_FLAGS)]
    needed = [c for c in columns if c in (*PARTITION_WHOLE, *PARTITION_FLAGS, "date")]
    if frame[needed].isna().any(axis=None):
        raise CardwatchError(f"{name} has empty values in {', '.join(needed)}.")
    filled = frame.fillna(dict.fromkeys(texts, ""))
    return filled.astype(dict.fromkeys(texts, "str"))


def _type(column: str) -> pa.DataType:
    """Return the type of a column in a partition."""
    if column in PARTITION_DAYS:
        return pa.timestamp("s")
    if column in PARTITION_WHOLE:
        return pa.int64()
    return pa.bool_() if column in PARTITION_FLAGS else pa.string()
