"""Passes an uploaded file to the readers under a generated name; the original is a label."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from api.state import READING
from cardwatch import services
from cardwatch.errors import FileFaulty, FileRefused, about_field
from cardwatch.policy_pack import open_pack
from cardwatch.registers import (
    parse_register_profile,
    read_cards,
    read_groups,
    read_registers,
)
from cardwatch.reports import upload_label
from cardwatch.reports.aggregate import MAX_AGGREGATE_BYTES
from cardwatch.statements import (
    open_table,
    parse_profile,
    preview_statement,
    read_each,
    redact_cards,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd
    from starlette.datastructures import UploadFile

    from api.state import Service
    from cardwatch.records import CardRegister, ReadingReport, Register
    from cardwatch.registers import GroupFile
    from cardwatch.services import ServiceContext, Upload
    from cardwatch.services.benchmarks import Benchmark
    from cardwatch.statements import Profile, ReadingChoices, StatementPreview
    from cardwatch.tabular import Table

UPLOAD_SUFFIXES = (
    *(".csv", ".txt", ".tsv", ".xls", ".xlsx", ".ods", ".html", ".htm", ".json", ".vcf", ".xml"),
    *(".ofx", ".qfx", ".sta", ".mt940", ".940", ".dat", ".gl1025", ".kr1025"),
)
FILE_NAME_BYTES = 200
"""A length that every file system accepts: a label may have four bytes a character."""


def read_upload(
    service: Service, context: ServiceContext, file: UploadFile, columns: str, date_order: str
) -> tuple[pd.DataFrame, ReadingReport]:
    """Return the transactions of an uploaded file and its reading report.

    Args:
        service: whose readers read it.
        file: as it came.
        columns: a column profile as TOML, for files whose headings are not known; else empty.
        date_order: decide, day-first or month-first.

    Raises:
        FileRefused: nothing of it can be read; the reason says what to do.
        FileFaulty: the column profile has faults.
    """
    own_profiles = _own_profiles(service, columns)
    label = label_of(file.filename or "")
    choices = choices_of(service, context, own_profiles, date_order)
    with _saved(file, "upload") as path:
        (reading,) = read_each(
            [path], choices, names=[label], limits=READING, readers=service.readers
        )
    if isinstance(reading, FileRefused):
        raise reading
    if own_profiles:
        services.save_profile(context, columns)
    return reading


def compare_uploads(
    service: Service, context: ServiceContext, uploads: Sequence[UploadFile], force: str
) -> Benchmark:
    """Return a comparison of the forces whose aggregates are uploaded; see `compare_forces`."""
    files = [
        (upload_label(file.filename or "", "aggregate"), file.file.read(MAX_AGGREGATE_BYTES + 1))
        for file in uploads
    ]
    with service.scoring():
        return services.compare_forces(
            context, files, force=force, marking=service.settings.marking
        )


def choices_of(
    service: Service, context: ServiceContext, own_profiles: Sequence[Profile], date_order: str
) -> ReadingChoices:
    """Return the choices for reading a file: profiles given for it, those remembered, the rest."""
    choices = service.choices([*own_profiles, *services.list_column_profiles(context)], date_order)
    return replace(choices, given_count=len(own_profiles))


def preview_upload(
    service: Service, context: ServiceContext, file: UploadFile, columns: str, date_order: str
) -> StatementPreview:
    """Return how an uploaded file would be read, keeping nothing; arguments as of `read_upload`.

    Raises:
        FileRefused: it holds no table, or has no heading row.
        FileFaulty: the column profile has faults.
    """
    services.note_preview(context)
    choices = choices_of(service, context, _own_profiles(service, columns), date_order)
    label = label_of(file.filename or "")
    with _saved(file, "upload") as path:
        return preview_statement(path, choices, name=label, limits=READING, readers=service.readers)


def keep_upload(
    service: Service, context: ServiceContext, file: UploadFile, options: Mapping[str, str]
) -> str:
    """Keep an uploaded file until its columns are checked; return its id."""
    file.file.seek(0)
    content, label = file.file.read(), label_of(file.filename or "")
    name = redact_cards(label, service.card_key)
    return services.keep_upload(context, name, content, options, service.seal)


def open_kept(service: Service, context: ServiceContext, upload: Upload) -> Table:
    """Return the table of a file that waits until its columns are checked.

    Raises:
        FileRefused: it holds none.
    """
    with tempfile.TemporaryDirectory(prefix="cardwatch-") as folder:
        path = Path(folder) / "upload"
        path.write_bytes(upload.content)
        choices = choices_of(service, context, [], "decide")
        return open_table(path, choices, name=upload.file, limits=READING, readers=service.readers)


def _own_profiles(service: Service, columns: str) -> list[Profile]:
    """Return the column profile that came with a file, if one did.

    Raises:
        FileFaulty: it has faults.
    """
    if not columns.strip():
        return []
    service.check_texts({"columns": columns}, "columns")
    with about_field("columns"):
        profile = parse_profile(columns, "columns")
    if profile.holder_strip:  # a pattern of strangers may run for ever
        fault = "holder_strip is taken from a file of the installation only"
        raise FileFaulty("columns", [fault], field="columns")
    return [profile]


def read_register(service: Service, file: UploadFile) -> CardRegister:
    """Return an uploaded card register.

    Raises:
        FileRefused: nothing of it can be read; the reason says what to do.
    """
    label = label_of(file.filename or "")
    with _saved(file, label) as path:
        choices = service.choices([], "decide")
        return read_cards(path, choices, limits=READING, readers=service.readers)


def read_register_file(
    service: Service,
    context: ServiceContext,
    file: UploadFile,
    kind: str,
    date_order: str,
    columns: str = "",
) -> Register:
    """Return an uploaded register other than that of cards; its columns are remembered.

    Args:
        service: whose readers read it.
        file: as it came.
        kind: which register it is; empty to tell by its name and headings.
        date_order: decide, day-first or month-first.
        columns: a column profile as TOML, where its headings are not known; else empty.

    Raises:
        FileRefused: nothing of it can be read; the reason says what to do.
        FileFaulty: the column profile has faults.
        CardwatchError: there is no such register.
    """
    profiles = []
    if columns.strip():
        service.check_texts({"columns": columns}, "columns")
        with about_field("columns"):
            profiles = [parse_register_profile(columns, "columns")]
    label = label_of(file.filename or "")
    with _saved(file, label) as path:
        register = _register_at(service, context, path, kind, date_order, profiles)
    for profile in profiles:
        services.save_register_profile(context, profile)
    return register


def read_kept_register(
    service: Service, context: ServiceContext, upload: Upload, profiles: Sequence[Profile]
) -> Register:
    """Return the register in a file that waits until its columns are stated.

    Args:
        service: whose readers read it.
        upload: the file, with the options of its form.
        profiles: columns that were stated, if they were.

    Raises:
        FileRefused: nothing of it can be read; the reason says what to do.
    """
    with tempfile.TemporaryDirectory(prefix="cardwatch-") as folder:
        path = Path(folder) / _short(upload.file)
        path.write_bytes(upload.content)
        kind, order = upload.options["kind"], upload.options["date_order"]
        return _register_at(service, context, path, kind, order, profiles)


def _register_at(
    service: Service,
    context: ServiceContext,
    path: Path,
    kind: str,
    date_order: str,
    profiles: Sequence[Profile],
) -> Register:
    """Return the register in a file, by columns that are stated for it or remembered."""
    choices = service.choices([], date_order)
    remembered = services.list_register_profiles(context)
    with about_field("file"):
        (register,) = read_registers(
            [path],
            choices,
            kind=kind,
            limits=READING,
            readers=service.readers,
            profiles=[*profiles, *remembered],
            given_count=len(profiles),
        )
    return register


def read_group_file(service: Service, file: UploadFile) -> GroupFile:
    """Return the groups of cardholders in an uploaded file; it is gone once it is read.

    Raises:
        FileRefused: nothing of it can be read, or it names no cardholder or group.
    """
    label = label_of(file.filename or "")
    with _saved(file, label) as path, about_field("file"):
        choices = service.choices([], "decide")
        return read_groups(path, choices, limits=READING, readers=service.readers)


def read_pack(service: Service, content: bytes) -> bytes:
    """Return a policy pack as it came, once its signature is right and its TOML can be parsed.

    Raises:
        CardwatchError: it is no pack, was changed after it was signed, or holds no TOML.
    """
    service.check_texts(open_pack("pack.json", content).texts, "pack")
    return content


@contextmanager
def _saved(file: UploadFile, name: str) -> Iterator[Path]:
    """Give a file as it came under a name, in a folder that goes afterwards."""
    with tempfile.TemporaryDirectory(prefix="cardwatch-") as folder:
        path = Path(folder) / _short(name)
        with path.open("wb") as out:
            shutil.copyfileobj(file.file, out)
        yield path


def _short(name: str) -> str:
    """Return the end of a name that every file system takes."""
    return name.encode()[-FILE_NAME_BYTES:].decode("utf-8", "ignore")


def label_of(name: str) -> str:
    """Return a file's name as it may be shown: no folder, no control character, not too long.

    Raises:
        FileRefused: its ending is of no file that is read.
    """
    label = upload_label(name, "statement")
    if Path(label).suffix.lower() not in UPLOAD_SUFFIXES:
        reason = (
            "this kind of file cannot be read. Upload CSV, Excel or a bank feed: its name ends in "
            f"{', '.join(UPLOAD_SUFFIXES)}"
        )
        raise FileRefused(label, "unknown_ending", reason)
    return label
