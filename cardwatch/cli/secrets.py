"""Commands of the installation's own keys and secrets: listed with their age, and replaced."""

from __future__ import annotations

import datetime as dt
import json as json_text
import sys
from enum import StrEnum
from pathlib import Path  # noqa: TC003  Typer reads the annotations
from typing import Annotated

import typer

from cardwatch.cli.context import (
    Owner,
    open_casebook,
    open_context,
    print_json,
    print_rows,
    write_private,
)
from cardwatch.cli.noun_group import NounGroup
from cardwatch.cli.options import AsJson, busy

app = typer.Typer(
    cls=NounGroup,
    no_args_is_help=True,
    help="List and replace the installation's own keys; none is shown.",
)


class SecretName(StrEnum):
    """Keys that can be replaced."""

    CARD = "card"
    SEAL = "seal"
    SIGNING = "signing"
    ORGANISATION = "organisation"


@app.command("list", epilog="Example: cardwatch secrets list")
def list_secrets(json: AsJson = False) -> None:
    """List the keys with their use and age, and how many old ones are still needed."""
    from cardwatch import key_rotation

    with open_casebook() as casebook:
        rows = key_rotation.list_keys(casebook, dt.datetime.now(dt.UTC))
    columns = ("name", "organisation_id", "use", "made_at", "age_days", "older")
    print_rows(rows, columns, json=json)


@app.command("rotate", epilog="Example: cardwatch secrets rotate seal")
def rotate(
    name: Annotated[SecretName, typer.Argument(help="Which of them.")],
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Replace a key by a new one; what is sealed is sealed anew, and no alert changes."""
    from cardwatch import key_rotation
    from cardwatch.services.rekeying import replace_organisation_secret

    now = dt.datetime.now(dt.UTC)
    if name is SecretName.ORGANISATION:
        with open_context(None, organisation, system=True) as context, busy("Sealing"):
            owner = context.actor.organisation_id
            count = replace_organisation_secret(context.casebook, owner, context.now)
        sentences = [f"{count:,} rows sealed anew. Pseudonyms of cardholders have changed."]
    else:
        with open_casebook() as casebook, busy("Sealing"):
            sentences = key_rotation.rotate(casebook, name, now)
    _print_sentences(f"The {name} key is replaced.", sentences, json=json)


@app.command("finish", epilog="Example: cardwatch secrets finish")
def finish(json: AsJson = False) -> None:
    """Take up a replacement that was stopped, and destroy old keys that nothing needs."""
    from cardwatch import key_rotation

    with open_casebook() as casebook, busy("Sealing"):
        sentences = key_rotation.finish(casebook, dt.datetime.now(dt.UTC))
    _print_sentences("Nothing is left to be done." if not sentences else "", sentences, json=json)


@app.command("backup-key", epilog="Example: cardwatch secrets backup-key backup.key")
def backup_key(
    file: Annotated[Path, typer.Argument(help="The file to write the private key to.")],
    json: AsJson = False,
) -> None:
    """Create a private key for encrypted backups, and print its public key."""
    from cardwatch.services.backup import new_backup_key

    private, public = new_backup_key()
    write_private(file, private + "\n")
    sys.stdout.write(json_text.dumps({"key": public}) + "\n" if json else public + "\n")


def _print_sentences(first: str, sentences: list[str], *, json: bool) -> None:
    """Print what was done."""
    from cardwatch.cli.output import out

    lines = [first, *sentences] if first else sentences
    if json:
        print_json({"done": lines})
        return
    for line in lines:
        out.print(line, markup=False)
