"""Commands of administration: people, keys, backup, verification, holds and deletion."""

from __future__ import annotations

import datetime as dt
import json as json_text
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from cardwatch import installation
from cardwatch.cli.opening import (
    LaneOption,
    LikeAlert,
    Owner,
    Reason,
    Who,
    open_casebook,
    open_desk,
    print_rows,
    sign_checkpoint,
)
from cardwatch.cli.options import FAULTY, AsJson, busy

NewFile = Annotated[Path, typer.Argument(help="The file to write.")]
Email = Annotated[str | None, typer.Argument(help="Their email address.")]

app = typer.Typer()
audit_app = typer.Typer(no_args_is_help=True, help="Verify, read and sign the audit chains.")
keep_app = typer.Typer(no_args_is_help=True, help="Retention periods, legal holds and deletion.")


@app.command(epilog="Example: cardwatch people finance@force.example --name Finance --role finance")
def people(
    email: Email = None,
    name: Annotated[str, typer.Option(help="Their name.")] = "",
    role: Annotated[str, typer.Option(help="finance, auditor, psd or admin.")] = "",
    holder: Annotated[
        str,
        typer.Option(
            help="Their name or number in statements: they see no alert about themselves."
        ),
    ] = "",
    no_card: Annotated[
        bool, typer.Option("--no-card", help="They hold no card and approve no payments.")
    ] = False,
    invite: Annotated[
        bool,
        typer.Option(
            "--invite", help="Let them sign in: print an invitation to set up their account."
        ),
    ] = False,
    end: Annotated[bool, typer.Option("--end", help="End their access at once.")] = False,
    new: Annotated[
        str | None, typer.Option("--new-organisation", help="Add this organisation with them.")
    ] = None,
    who: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Add, invite or remove a person, or list people; the first person creates the casebook."""
    from cardwatch import desk
    from cardwatch.casebook.people import check_person
    from cardwatch.cli.printing import err

    if new and not email:
        raise typer.BadParameter("it needs a first person", param_hint="--new-organisation")
    links = bool(holder) or no_card
    adds = bool(email) and not end and (bool(role) or not (invite or links))
    if adds and email:
        check_person(role=role, email=email)
    with open_desk(who, organisation, system=True, new=new) as at:
        if email and end:
            desk.end_person(at, email)
        elif adds and email:
            desk.add_person(
                at, name=name, email=email, role=role, holder_id=holder, holds_no_card=no_card
            )
        elif email and links:
            desk.set_link(at, email, holder_id=holder, holds_no_card=no_card)
        token = desk.invite(at, email) if email and invite else ""
        found = desk.list_people(at)
    if token:
        err.print("Their invitation. Copy it now; it expires after seven days:")
        sys.stdout.write((json_text.dumps({"token": token}) if json else token) + "\n")
        return
    _print_people(found, json=json)


def _print_people(people: list[dict[str, Any]], *, json: bool) -> None:
    """Print people; warn of those of whom it is not stated who they are in statements."""
    from cardwatch.cli.printing import err

    print_rows(people, ("email", "name", "role", "holder_id", "made_at", "ended_at"), json=json)
    for one in people:
        if not (one["holder_id"] or one["holds_no_card"] or one["ended_at"]):
            err.print(
                f"It is not stated who {one['email']} is in statements: "
                "use '--holder', or '--no-card'.",
                markup=False,
            )


@app.command(epilog="Example: cardwatch keys --name ledger --role auditor --days 90")
def keys(
    name: Annotated[str, typer.Option(help="Create a key for this system.")] = "",
    role: Annotated[str, typer.Option(help="finance, auditor, psd or admin.")] = "auditor",
    days: Annotated[int, typer.Option(help="Days for which it holds, at most 365.")] = 90,
    decides: Annotated[
        bool, typer.Option("--decides", help="Let it record decisions too.")
    ] = False,
    end: Annotated[str | None, typer.Option(help="End this key, at once.")] = None,
    who: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Create an API key, which is shown once, or revoke or list keys."""
    from cardwatch import desk
    from cardwatch.cli.printing import err

    with open_desk(who, organisation, system=True) as at:
        if end:
            desk.end_key(at, end)
        elif name:
            text = desk.make_key(at, name=name, role=role, days=days, can_decide=decides)
            err.print("The key, shown this once:")
            sys.stdout.write((json_text.dumps({"key": text}) if json else text) + "\n")
            return
        found = desk.list_keys(at)
    columns = ("key_id", "name", "role", "owner", "used_on", "expires_on", "ended_at")
    print_rows(found, columns, json=json)


@app.command(epilog="Example: cardwatch backup /media/safe/2026-11-24.db")
def backup(path: NewFile, json: AsJson = False) -> None:
    """Copy the whole casebook to a new file, and check the copy."""
    from cardwatch import desk

    with open_casebook() as casebook, busy("Copying"):
        rows = desk.back_up(casebook, path, dt.datetime.now(dt.UTC))
    needs = ", ".join(installation.fingerprints())
    row = {"file": str(path), "rows": rows, "needs_keys": needs}
    print_rows([row], ("file", "rows", "needs_keys"), json=json)


@app.command(epilog="Example: cardwatch restore /media/safe/2026-11-24.db")
def restore(
    path: Annotated[Path, typer.Argument(help="The backup.")], json: AsJson = False
) -> None:
    """Fill an empty casebook from a backup."""
    from cardwatch import desk

    with open_casebook(make=True) as casebook, busy("Copying"):
        rows = desk.restore(path, casebook, dt.datetime.now(dt.UTC))
        faults = installation.check_keys(casebook)
    print_rows([{"file": str(path), "rows": rows}], ("file", "rows"), json=json)
    _end_if_faulty(faults)


@app.command(epilog="Example: cardwatch verify")
def verify(
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="Check rows, totals and hashes only; alerts are not reproduced."
        ),
    ] = False,
    who: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Check that statements are as received, and that every alert can be reproduced exactly."""
    from cardwatch import desk

    with open_desk(who, organisation) as at, busy("Verifying"):
        found = [asdict(one) for one in desk.verify(at, again=not quick)]
        faults = installation.check_keys(at.casebook)
    print_rows(found, ("label", "alerts", "fault", "note", "statement_id"), json=json)
    _end_if_faulty(faults)
    if any(one["fault"] for one in found):
        raise typer.Exit(FAULTY)


def _end_if_faulty(faults: list[str]) -> None:
    """Print which keys are missing, and end with the code that says so, if any are."""
    from cardwatch.cli.printing import err

    for fault in faults:
        err.print(fault, markup=False)
    if faults:
        raise typer.Exit(FAULTY)


@app.command(epilog="Example: cardwatch upgrade --serve-as cardwatch")
def upgrade(
    serve_as: Annotated[
        str, typer.Option(help="A role of PostgreSQL that may work with the tables, not own them.")
    ] = "",
    accept_keys: Annotated[
        bool,
        typer.Option(
            "--accept-keys", help="Go on without keys that are lost: those here take their place."
        ),
    ] = False,
    json: AsJson = False,
) -> None:
    """Make the casebook's tables or bring them up to this version, as the role that owns them."""
    from cardwatch.casebook.key_checks import forget_keys

    with open_casebook(make=True) as casebook:
        if serve_as:
            casebook.let_serve(serve_as)
        if accept_keys:
            forget_keys(casebook)
        made = {"tables": casebook.tables_version, "served_as": serve_as}
    print_rows([made], ("tables", "served_as"), json=json)


@app.command(epilog="Example: cardwatch doctor")
def doctor(json: AsJson = False) -> None:
    """Check the database, the disk and the settings."""
    from cardwatch.casebook.doctor import examine

    with open_casebook() as casebook:
        found = [asdict(one) for one in examine(casebook)]
        faults = installation.check_keys(casebook)
    seen = " ".join(faults) or "those that the casebook was written with"
    found.append({"what": "keys", "is_well": not faults, "seen": seen})
    print_rows(found, ("what", "is_well", "seen"), json=json)
    if not all(one["is_well"] for one in found):
        raise typer.Exit(FAULTY)


@audit_app.command("verify", epilog="Example: cardwatch audit verify force-finance.checkpoints")
def audit_verify(
    checkpoints: Annotated[
        list[Path] | None, typer.Argument(help="Checkpoint files to compare the chains with.")
    ] = None,
    who: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Check each audit chain from its first event, and name the first event that was changed."""
    from cardwatch import desk

    with open_desk(who, organisation) as at:
        found = desk.verify_audit(at)
        public = installation.signing_key().public_key()
        for path in checkpoints or []:
            found.append(desk.verify_checkpoints(at, public, path))
    print_rows([asdict(one) for one in found], ("lane", "events", "broken_at", "fault"), json=json)
    if any(one.fault for one in found):
        raise typer.Exit(FAULTY)


@audit_app.command("list", epilog="Example: cardwatch audit list --last 50")
def audit_list(
    last: Annotated[int, typer.Option(help="Number of events, the newest first.")] = 50,
    lane: LaneOption = "finance",
    who: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Show the newest events: who did what, when and to what."""
    from cardwatch import desk

    with open_desk(who, organisation) as at:
        found = desk.audit_events(at, lane=lane, last=last)
    print_rows(
        found, ("seq", "at", "actor", "role", "action", "object", "id", "outcome"), json=json
    )


@audit_app.command("exports", epilog="Example: cardwatch audit exports")
def audit_exports(who: Who = None, organisation: Owner = None, json: AsJson = False) -> None:
    """List exports: what was shared, why, with whom and by whom."""
    from cardwatch import desk

    with open_desk(who, organisation) as at:
        found = desk.list_disclosures(at)
    shown = ("made_at", "statement_id", "purpose", "recipient", "made_by")
    print_rows(found, shown, json=json)


@audit_app.command("checkpoint", epilog="Example: cardwatch audit checkpoint")
def audit_checkpoint(organisation: Owner = None, json: AsJson = False) -> None:
    """Sign a checkpoint of each audit chain in the folder CARDWATCH_CHECKPOINTS."""
    with open_desk(None, organisation, system=True) as at:
        files = sign_checkpoint(at)
    print_rows([{"file": str(path)} for path in files], ("file",), json=json)


@audit_app.command("key", epilog="Example: cardwatch audit key > public.pem")
def audit_key(json: AsJson = False) -> None:
    """Print the public key for checking the checkpoints."""
    from cardwatch.casebook.audit import public_text

    text = public_text(installation.signing_key().public_key())
    sys.stdout.write(json_text.dumps({"key": text}) + "\n" if json else text)


@keep_app.command("days", epilog="Example: cardwatch keep days transactions 2557")
def keep_days(
    kind: Annotated[str | None, typer.Argument(help="transactions, alerts or notices.")] = None,
    days: Annotated[int | None, typer.Argument(help="Retention period in days.")] = None,
    who: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Show or set the retention period of each class of data."""
    from cardwatch import desk

    with open_desk(who, organisation, system=True) as at:
        if kind and days is None:
            raise typer.BadParameter("enter the number of days", param_hint="DAYS")
        found = desk.keeps(at, kind=kind, days=days)
    print_rows([found], tuple(found), json=json)


@keep_app.command("hold", epilog="Example: cardwatch keep hold 3f2a --reason 'case 12'")
def keep_hold(
    alert: LikeAlert = None,
    reason: Reason = "",
    end: Annotated[str | None, typer.Option(help="End this hold.")] = None,
    who: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Put an alert and its payments on legal hold, end a hold, or list holds."""
    from cardwatch import desk

    with open_desk(who, organisation) as at:
        if end:
            desk.end_hold(at, end)
        elif alert:
            desk.hold(at, alert, reason=reason)
        found = desk.list_holds(at)
    shown = ("hold_id", "lane", "alert_id", "reason", "made_at", "ended_at")
    print_rows(found, shown, json=json)


@keep_app.command("erase", epilog="Example: cardwatch keep erase")
def keep_erase(who: Who = None, organisation: Owner = None, json: AsJson = False) -> None:
    """Delete expired data that is not on hold."""
    from cardwatch import desk

    with open_desk(who, organisation, system=True) as at:
        done = desk.erase(at)
    print_rows([{"transactions": done}], ("transactions",), json=json)
