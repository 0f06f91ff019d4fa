"""Context of a command: the casebook, the acting person and row output."""

from __future__ import annotations

import datetime as dt
import json as json_text
import os
import sys
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cardwatch import installation
from cardwatch.cli.terminal_text import printable_json
from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from cardwatch.casebook import Casebook
    from cardwatch.services import ServiceContext

FIXED_COLUMNS = ("_id", "_on", "_pence", "label", "rule", "state")
"""Columns whose words are never cut."""
BEGIN = (
    "There is no casebook yet. Add its first person: cardwatch people EMAIL --name NAME "
    "--role finance --no-card --new-organisation 'NAME OF THE FORCE'."
)
Who = Annotated[
    str | None,
    typer.Option("--as", envvar="CARDWATCH_AS", help="Your email address in the casebook."),
]
Owner = Annotated[
    str | None,
    typer.Option(
        "--organisation",
        envvar="CARDWATCH_ORGANISATION",
        help="The organisation; not needed where the casebook holds one.",
    ),
]
SomeAlert = Annotated[str | None, typer.Argument(help="An alert to show in full.")]
LikeAlert = Annotated[str | None, typer.Argument(help="The alert's id, or its beginning.")]
Reason = Annotated[str, typer.Option(help="Your reason, which is recorded.")]
LaneOption = Annotated[str, typer.Option(help="finance or psd.")]


def _now() -> dt.datetime:
    """Return the moment: the only clock there is."""
    return dt.datetime.now(dt.UTC)


@contextmanager
def open_casebook(*, make: bool = False) -> Iterator[Casebook]:
    """Open the casebook for one command, its keys of people as this version makes them.

    Only some commands may make one.
    """
    from cardwatch.casebook.key_renewal import renew_person_keys

    casebook = installation.open_casebook(make=make)
    if casebook is None:
        raise CardwatchError(BEGIN)
    try:
        renew_person_keys(casebook, _now())
        yield casebook
        installation.note_keys(casebook)  # those that were made on the way too
    finally:
        casebook.close()


@contextmanager
def open_context(
    email: str | None, organisation: str | None, *, system: bool = False, new: str | None = None
) -> Iterator[ServiceContext]:
    """Open the casebook for the acting person: the one named, or the only one.

    Args:
        email: their email address.
        organisation: its name or id.
        system: whether the installation itself acts where nobody is named.
        new: name of an organisation to be added if the casebook holds none.

    Raises:
        CardwatchError: nobody can be told.
    """
    from cardwatch import services
    from cardwatch.casebook import Actor
    from cardwatch.casebook.unit_of_work import SYSTEM

    now = _now()
    with open_casebook(make=bool(new)) as casebook:
        if new:
            services.add_organisation(casebook, new, now)
        owner = _organisation(casebook, new or organisation)
        actor = Actor(owner, SYSTEM, "admin")
        if email or not system:
            actor = services.actor_of_person(casebook, owner, email or None, now)
        yield services.ServiceContext(casebook, actor, now)


def _organisation(casebook: Casebook, requested: str | None) -> str:
    """Return the id of the organisation named, or of the only one."""
    organisations = [(row["organisation_id"], row["name"]) for row in casebook.organisations()]
    if not organisations:
        raise CardwatchError(BEGIN)
    fits = [names[0] for names in organisations if requested is None or requested in names]
    if len(fits) != 1:
        listed_names = ", ".join(name for name, _ in organisations)
        raise CardwatchError(f"Choose an organisation with '--organisation': {listed_names}.")
    return fits[0]


def sign_checkpoint(context: ServiceContext) -> list[Path]:
    """Sign how far the chains of the organisation have come."""
    from cardwatch import services

    key = installation.signing_key()
    return services.checkpoint(context.casebook, context.actor.organisation_id, key, context.now)


def read_text(path: Path) -> str:
    """Return a text file's text, or say that it cannot be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CardwatchError(f"{path} cannot be read.") from error


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes, or say that it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CardwatchError(f"{path} cannot be read: {error.strerror}.") from error


def write_file(path: Path, content: bytes) -> None:
    """Write a file, or say that it cannot be written."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise CardwatchError(f"{path} cannot be written: {error.strerror}.") from error


def write_private(path: Path, text: str) -> None:
    """Write a new file for its owner only, or say that it cannot be written."""
    try:
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as stream:
            stream.write(text)
    except OSError as error:
        raise CardwatchError(f"{path} cannot be written: {error.strerror}.") from error


def print_json(content: object) -> None:
    """Print content as JSON, without a character that a terminal obeys."""
    text = json_text.dumps(content, ensure_ascii=False, indent=2, default=_as_json)
    sys.stdout.write(printable_json(text) + "\n")


def _as_json(value: object) -> object:
    """Return what JSON has no form for: a record as its fields, anything else as text."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)


def print_rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, json: bool) -> None:
    """Print rows: all of them as JSON, or some of their columns as a table."""
    from rich.table import Table

    from cardwatch.cli.output import out

    if json:
        print_json([dict(row) for row in rows])
        return
    table = Table(box=None, pad_edge=False)
    for name in columns:
        heading = name.removesuffix("_id").removesuffix("_pence").replace("_", " ")
        number = isinstance(rows[0].get(name), int) if rows else False
        table.add_column(
            heading, no_wrap=name.endswith(FIXED_COLUMNS), justify="right" if number else "left"
        )
    for row in rows:
        table.add_row(*_cells(row, columns))
    out.print(table if rows else "None.")


def _cells(row: Mapping[str, Any], columns: Sequence[str]) -> Iterator[str]:
    """Return some columns of a row as text."""
    from rich.markup import escape

    from cardwatch.quantities import money

    for name in columns:
        value = row.get(name)
        if name.endswith("pence") and value is not None:
            yield money(value)
        elif isinstance(value, list):
            yield escape(", ".join(map(str, value)))
        elif isinstance(value, bool):
            yield "yes" if value else "no"
        else:
            yield escape("" if value is None else str(value))
