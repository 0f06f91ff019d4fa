"""Commands of the audit chains: verification, reading, checkpoints and witnesses."""

from __future__ import annotations

import datetime as dt
import json as json_text
import sys
from dataclasses import asdict
from pathlib import Path  # noqa: TC003  Typer reads the annotations
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cardwatch import installation
from cardwatch.cli.context import (
    LaneOption,
    Owner,
    Who,
    open_context,
    print_rows,
    read_bytes,
    read_text,
    sign_checkpoint,
    write_file,
    write_private,
)
from cardwatch.cli.noun_group import NounGroup
from cardwatch.cli.options import FAULTY, AsJson
from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from cardwatch.transparency import Note

app = typer.Typer(
    cls=NounGroup, no_args_is_help=True, help="Verify, read and sign the audit chains."
)


@app.command("verify", epilog="Example: cardwatch audit verify force-finance.checkpoints")
def audit_verify(
    checkpoints: Annotated[
        list[Path] | None, typer.Argument(help="Checkpoint files to compare the chains with.")
    ] = None,
    witness_key: Annotated[
        list[Path] | None,
        typer.Option(help="Public key of a witness, who has to have cosigned the checkpoints."),
    ] = None,
    timestamp: Annotated[
        Path | None, typer.Option(help="Time-stamp of the checkpoint, a .tsr file; needs --tsa.")
    ] = None,
    tsa: Annotated[
        Path | None, typer.Option(help="PEM certificates of the time-stamping authority.")
    ] = None,
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Check each audit chain from its first event, and name the first event that was changed."""
    from cardwatch import services
    from cardwatch.transparency import parse_verifier_keys

    if timestamp and (not tsa or len(checkpoints or []) != 1):
        raise typer.BadParameter("give one checkpoint and --tsa with it", param_hint="--timestamp")
    keys = [key for path in witness_key or [] for key in parse_verifier_keys(read_text(path))]
    with open_context(person, organisation) as context:
        checked = [("audit log", chain_check) for chain_check in services.verify_audit(context)]
        own_keys = installation.verifying_keys()
        for path in checkpoints or []:
            chain_check = services.verify_checkpoints(context, own_keys, path, keys)
            checked.append((path.name, chain_check))
    rows = [asdict(chain_check) | {"checked": name} for name, chain_check in checked]
    if timestamp and tsa and checkpoints:
        rows.append(_timestamp_row(rows[-1]["lane"], checkpoints[0], timestamp, tsa))
    columns = ("lane", "checked", "events", "broken_at", "fault", "stamped_at")
    print_rows(rows, columns, json=json)
    if any(row["fault"] for row in rows):
        raise typer.Exit(FAULTY)


def _timestamp_row(lane: str, path: Path, timestamp: Path, tsa: Path) -> dict[str, Any]:
    """The result of checking a time-stamp, as a row beside those of the chains."""
    from cardwatch.transparency import check_timestamp, parse_checkpoint

    text = _newest_note(path).text
    row: dict[str, Any] = {"lane": lane, "checked": timestamp.name, "broken_at": 0, "fault": ""}
    row["events"] = parse_checkpoint(text).size
    try:
        moment = check_timestamp(text.encode(), read_bytes(timestamp), read_bytes(tsa))
    except CardwatchError as refusal:
        return row | {"fault": str(refusal)}
    return row | {"stamped_at": moment.isoformat()}


def _newest_note(path: Path) -> Note:
    """The newest checkpoint of a file."""
    from cardwatch.transparency import parse_notes

    return parse_notes(read_text(path))[-1]


@app.command("list", epilog="Example: cardwatch audit list --last 50")
def audit_list(
    last: Annotated[int, typer.Option(help="Number of events, the newest first.")] = 50,
    lane: LaneOption = "finance",
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Show the newest events: who did what, when and to what."""
    from cardwatch import services

    with open_context(person, organisation) as context:
        events = services.audit_events(context, lane=lane, last=last)
    print_rows(
        events, ("seq", "at", "actor", "role", "action", "object", "id", "outcome"), json=json
    )


@app.command("siem", epilog="Example: cardwatch audit siem --since 1200 >> events.jsonl")
def audit_siem(
    since: Annotated[
        int, typer.Option(min=0, help="Number of the last event that the SIEM has.")
    ] = 0,
    person: Who = None,
    organisation: Owner = None,
) -> None:
    """Print finance's audit events for a SIEM, in OCSF 1.6.0: one a line, the oldest first.

    Go on from `metadata.sequence` of the last line; at most 10,000 events are printed at once.
    """
    from cardwatch import services

    with open_context(person, organisation, system=True) as context:
        events = services.siem_events(context, since)
    sys.stdout.writelines(json_text.dumps(event, ensure_ascii=False) + "\n" for event in events)


@app.command("exports", epilog="Example: cardwatch audit exports")
def audit_exports(person: Who = None, organisation: Owner = None, json: AsJson = False) -> None:
    """List exports: what was shared, why, with whom and by whom."""
    from cardwatch import services

    with open_context(person, organisation) as context:
        exports = services.list_exports(context)
    columns = ("made_at", "statement_id", "purpose", "recipient", "made_by")
    print_rows(exports, columns, json=json)


@app.command("checkpoint", epilog="Example: cardwatch audit checkpoint")
def audit_checkpoint(organisation: Owner = None, json: AsJson = False) -> None:
    """Sign a checkpoint of each audit chain in the folder CARDWATCH_CHECKPOINTS."""
    with open_context(None, organisation, system=True) as context:
        files = sign_checkpoint(context)
    print_rows([{"file": str(path)} for path in files], ("file",), json=json)


@app.command("key", epilog="Example: cardwatch audit key > public.pem")
def audit_key(json: AsJson = False) -> None:
    """Print the public key for checking the checkpoints."""
    from cardwatch.casebook.checkpoints import public_text

    text = public_text(installation.signing_key().public_key())
    _print_text(text, "key", json=json)


@app.command("log-keys", epilog="Example: cardwatch audit log-keys > force.keys")
def audit_log_keys(person: Who = None, organisation: Owner = None, json: AsJson = False) -> None:
    """Print the public keys of the audit chains, by which a witness knows them."""
    from cardwatch import services

    with open_context(person, organisation, system=True) as context:
        keys = services.chain_keys(context, installation.signing_key().public_key())
    lines = "".join(f"{key}\n" for key in keys)
    _print_text(lines, "keys", json=json)


@app.command("witness-request", epilog="Example: cardwatch audit witness-request > request.txt")
def audit_witness_request(
    lane: LaneOption = "finance",
    since: Annotated[
        int, typer.Option(help="Events of the newest checkpoint that the witness cosigned.")
    ] = 0,
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Print a checkpoint with the proof that the chain only grew, for a witness to cosign."""
    from cardwatch import services

    with open_context(person, organisation) as context:
        text = services.witness_request(context, installation.signing_key(), lane=lane, since=since)
    _print_text(text, "request", json=json)


@app.command(
    "witness-key", epilog="Example: cardwatch audit witness-key audit.example/witness witness.key"
)
def audit_witness_key(
    name: Annotated[str, typer.Argument(help="Name of the witness, without spaces and plus.")],
    file: Annotated[Path, typer.Argument(help="The file to write the private key to.")],
    json: AsJson = False,
) -> None:
    """Create a witness's private key on the witness's own machine, and print its public key."""
    from cardwatch.transparency import COSIGNATURE, VerifierKey, new_signing_key, parse_signing_key

    text = new_signing_key(name)
    write_private(file, text)
    _, key = parse_signing_key(text)
    _print_text(f"{VerifierKey(name, key.public_key(), COSIGNATURE)}\n", "key", json=json)


@app.command(
    "cosign",
    epilog="Example: cardwatch audit cosign request.txt --key witness.key --log-key force.keys "
    "--state witness.json > cosigned.note",
)
def audit_cosign(
    request: Annotated[
        Path, typer.Argument(help="What 'cardwatch audit witness-request' printed.")
    ],
    key: Annotated[Path, typer.Option(help="The witness's private key.")],
    log_key: Annotated[list[Path], typer.Option(help="Public keys of the logs it witnesses.")],
    state: Annotated[
        Path, typer.Option(help="File of the checkpoints cosigned last; made at first use.")
    ],
    json: AsJson = False,
) -> None:
    """Cosign a checkpoint of another machine, if its log continues what was cosigned before."""
    from cardwatch.transparency import (
        cosign_request,
        parse_request,
        parse_signing_key,
        parse_verifier_keys,
    )

    log_keys = [item for path in log_key for item in parse_verifier_keys(read_text(path))]
    moment = int(dt.datetime.now(dt.UTC).timestamp())
    signer, text = parse_signing_key(read_text(key)), read_text(request)
    note = cosign_request(
        parse_request(text), signer, log_keys=log_keys, state=state, moment=moment
    )
    _print_text(str(note), "note", json=json)


@app.command("timestamp-request", epilog="Example: cardwatch audit timestamp-request cosigned.note")
def audit_timestamp_request(
    note: Annotated[Path, typer.Argument(help="File of a checkpoint; its newest is stamped.")],
    json: AsJson = False,
) -> None:
    """Write a request of RFC 3161 beside a checkpoint, to be time-stamped elsewhere."""
    from cardwatch.transparency import timestamp_request

    file = note.with_name(note.name + ".tsq")
    write_file(file, timestamp_request(_newest_note(note).text.encode()))
    print_rows([{"file": str(file)}], ("file",), json=json)


def _print_text(text: str, name: str, *, json: bool) -> None:
    """Print text as it is, or in JSON under a name."""
    sys.stdout.write(json_text.dumps({name: text}) + "\n" if json else text)
