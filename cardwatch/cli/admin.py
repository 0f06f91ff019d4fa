"""Commands of administration: people, keys, backup, verification, holds and deletion."""

from __future__ import annotations

import datetime as dt
import json as json_text
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cardwatch import installation
from cardwatch.cli.context import (
    LikeAlert,
    Owner,
    Reason,
    Who,
    open_casebook,
    open_context,
    print_rows,
    read_text,
)
from cardwatch.cli.options import FAULTY, AsJson, busy

if TYPE_CHECKING:
    from cardwatch.casebook.rows import ListedPerson

NewFile = Annotated[Path, typer.Argument(help="The file to write.")]
Email = Annotated[str | None, typer.Argument(help="Their email address.")]

app = typer.Typer()
casebook_app = typer.Typer(
    no_args_is_help=True, help="Back up, restore, verify, upgrade, check or export the casebook."
)
retention_app = typer.Typer(
    no_args_is_help=True, help="Retention periods, legal holds and deletion."
)


@app.command(
    epilog="Example: cardwatch people finance@force.example --name F --role finance --no-card"
)
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
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Add, invite or remove a person, or list people; the first person creates the casebook."""
    from cardwatch import services
    from cardwatch.casebook.people import check_person
    from cardwatch.cli.output import err

    if new and not email:
        raise typer.BadParameter("add its first person with it", param_hint="--new-organisation")
    links = bool(holder) or no_card
    adds = bool(email) and not end and (bool(role) or not (invite or links))
    if adds and email:
        check_person(role=role, email=email)
    with open_context(person, organisation, system=True, new=new) as context:
        if email and end:
            services.end_person(context, email)
        elif adds and email:
            services.add_person(
                context, name=name, email=email, role=role, holder_id=holder, holds_no_card=no_card
            )
        elif email and links:
            services.set_link(context, email, holder_id=holder, holds_no_card=no_card)
        token = services.invite(context, email) if email and invite else ""
        person_rows = services.list_people(context)
    if token:
        err.print("Their invitation. Copy it now; it expires after seven days:")
        sys.stdout.write((json_text.dumps({"token": token}) if json else token) + "\n")
        return
    _print_people(person_rows, json=json)


def _print_people(people: list[ListedPerson], *, json: bool) -> None:
    """Print people; warn of those of whom it is not stated who they are in statements."""
    from cardwatch.cli.output import err

    print_rows(people, ("email", "name", "role", "holder_id", "made_at", "ended_at"), json=json)
    for person in people:
        if not (person["holder_id"] or person["holds_no_card"] or person["ended_at"]):
            err.print(
                f"It is not stated who {person['email']} is in statements: "
                "use '--holder', or '--no-card'.",
                markup=False,
            )
        if person["is_like_cardholder"]:
            err.print(
                f"It is stated that {person['email']} holds no card, but a cardholder or approver "
                "has a name like theirs. If they are that person, use '--holder'.",
                markup=False,
            )


@app.command(epilog="Example: cardwatch keys --name ledger --role auditor --days 90")
def keys(
    name: Annotated[str, typer.Option(help="Create a key for this system.")] = "",
    role: Annotated[str, typer.Option(help="finance, auditor, psd or admin.")] = "auditor",
    days: Annotated[int, typer.Option(help="Days until it expires, at most 365.")] = 90,
    decides: Annotated[
        bool,
        typer.Option(
            "--decides", help="Let it record decisions, and do what asks a person for a code."
        ),
    ] = False,
    scope: Annotated[
        str,
        typer.Option(
            help="directory: for an identity provider, with the role admin; SCIM and nothing else."
        ),
    ] = "",
    end: Annotated[str | None, typer.Option(help="Revoke this key at once.")] = None,
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Create an API key, which is shown once, or revoke or list keys."""
    from cardwatch import services
    from cardwatch.cli.output import err

    with open_context(person, organisation, system=True) as context:
        if end:
            services.revoke_key(context, end)
        elif name:
            text = services.create_key(
                context, name=name, role=role, days=days, can_decide=decides, scope=scope
            )
            err.print("The key. Copy it now; it is not shown again:")
            sys.stdout.write((json_text.dumps({"key": text}) if json else text) + "\n")
            return
        key_rows = services.list_keys(context)
    columns = ("key_id", "name", "role", "owner", "used_on", "expires_on", "ended_at")
    print_rows(key_rows, columns, json=json)


@casebook_app.command(epilog="Example: cardwatch casebook backup /media/safe/2026-11-24.db")
def backup(
    path: NewFile,
    encrypt_to: Annotated[
        list[str] | None,
        typer.Option(help="Public key whose owner alone can open the backup, age1...; repeatable."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Copy the whole casebook to a new file, and check the copy."""
    from cardwatch import services
    from cardwatch.services.backup import back_up_encrypted

    now = dt.datetime.now(dt.UTC)
    with open_casebook() as casebook, busy("Copying"):
        if encrypt_to:
            rows = back_up_encrypted(casebook, path, encrypt_to, installation.home(), now)
        else:
            rows = services.back_up(casebook, path, now)
    needs = ", ".join(installation.needed_files())
    row = {"file": str(path), "rows": rows, "needs_keys": needs}
    print_rows([row], ("file", "rows", "needs_keys"), json=json)


@casebook_app.command(epilog="Example: cardwatch casebook restore /media/safe/2026-11-24.db")
def restore(
    path: Annotated[Path, typer.Argument(help="The backup.")],
    key: Annotated[
        Path | None, typer.Option(help="File of the private key of an encrypted backup.")
    ] = None,
    json: AsJson = False,
) -> None:
    """Fill an empty casebook from a backup."""
    from cardwatch import services

    private_key = read_text(key) if key else ""
    with open_casebook(make=True) as casebook, busy("Copying"):
        rows = services.restore(path, casebook, dt.datetime.now(dt.UTC), private_key)
        faults = installation.check_keys(casebook)
        faults += services.chain_faults(casebook, dt.datetime.now(dt.UTC))
    print_rows([{"file": str(path), "rows": rows}], ("file", "rows"), json=json)
    _end_if_faulty(faults)


@casebook_app.command(epilog="Example: cardwatch casebook verify")
def verify(
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="Check rows, totals and hashes only; alerts are not reproduced."
        ),
    ] = False,
    independent: Annotated[
        bool,
        typer.Option(
            "--independent",
            help="Find limits, splits and duplicates again by a second program, rule by rule.",
        ),
    ] = False,
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Check that statements are as received, and that every alert can be reproduced exactly."""
    from cardwatch import services

    if independent:
        _verify_independently(person, organisation, json=json)
        return
    with open_context(person, organisation) as context, busy("Verifying"):
        checks = [asdict(check) for check in services.verify(context, again=not quick)]
        faults = installation.check_keys(context.casebook)
    print_rows(checks, ("label", "alerts", "fault", "note", "statement_id"), json=json)
    _end_if_faulty(faults)
    if any(check["fault"] for check in checks):
        raise typer.Exit(FAULTY)


def _verify_independently(email: Who, organisation: Owner, *, json: bool) -> None:
    """Print for each statement and rule whether the second program agrees, and where not."""
    from cardwatch import services

    with open_context(email, organisation) as context, busy("Verifying"):
        checks = list(services.verify_all_independently(context))
    rows = [
        {"label": check.label, **row} for check in checks for row in services.agreement_rows(check)
    ]
    print_rows(rows, ("label", "rule", "firings", "result", "rows"), json=json)
    if not all(check.agrees for check in checks):
        raise typer.Exit(FAULTY)


def _end_if_faulty(faults: list[str]) -> None:
    """Print which keys are missing, and end with the code that says so, if any are."""
    from cardwatch.cli.output import err

    for fault in faults:
        err.print(fault, markup=False)
    if faults:
        raise typer.Exit(FAULTY)


@casebook_app.command(epilog="Example: cardwatch casebook upgrade --serve-as cardwatch")
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
    """Create or upgrade the casebook's tables, as the role that owns them."""
    from cardwatch.casebook.key_checks import forget_keys

    with open_casebook(make=True) as casebook:
        if serve_as:
            casebook.grant_service_role(serve_as)
        if accept_keys:
            forget_keys(casebook)
        status = {"tables": casebook.tables_version, "served_as": serve_as}
    print_rows([status], ("tables", "served_as"), json=json)


@casebook_app.command("check", epilog="Example: cardwatch casebook check")
def check(json: AsJson = False) -> None:
    """Check the database, the disk and the settings."""
    from cardwatch.casebook.health import examine

    with open_casebook() as casebook:
        findings = [asdict(finding) for finding in examine(casebook)]
        faults = installation.check_keys(casebook)
    detail = " ".join(faults) or "those that the casebook was written with"
    findings.append({"what": "keys", "is_well": not faults, "seen": detail})
    print_rows(findings, ("what", "is_well", "seen"), json=json)
    if not all(finding["is_well"] for finding in findings):
        raise typer.Exit(FAULTY)


@retention_app.command("show", epilog="Example: cardwatch retention show")
def show_retention(person: Who = None, organisation: Owner = None, json: AsJson = False) -> None:
    """Show the retention period of each class of data."""
    _print_periods(person, organisation, json=json)


@retention_app.command("set", epilog="Example: cardwatch retention set transactions 2557")
def set_retention(
    kind: Annotated[str, typer.Argument(help="transactions, alerts or notices.")],
    days: Annotated[int, typer.Argument(help="Retention period in days.")],
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Set the retention period of a class of data."""
    _print_periods(person, organisation, kind, days, json=json)


def _print_periods(
    person: Who,
    organisation: Owner,
    kind: str | None = None,
    days: int | None = None,
    *,
    json: bool,
) -> None:
    from cardwatch import services

    with open_context(person, organisation, system=True) as context:
        periods = services.retention_periods(context, kind=kind, days=days)
    print_rows([periods], tuple(periods), json=json)


@retention_app.command("hold", epilog="Example: cardwatch retention hold 3f2a --reason 'case 12'")
def hold(
    alert: LikeAlert = None,
    reason: Reason = "",
    end: Annotated[str | None, typer.Option(help="End this hold.")] = None,
    person: Who = None,
    organisation: Owner = None,
    json: AsJson = False,
) -> None:
    """Put an alert and its payments on legal hold, end a hold, or list holds."""
    from cardwatch import services

    with open_context(person, organisation) as context:
        if end:
            services.end_hold(context, end)
        elif alert:
            services.place_hold(context, alert, reason=reason)
        holds = services.list_holds(context)
    columns = ("hold_id", "lane", "alert_id", "reason", "made_at", "ended_at")
    print_rows(holds, columns, json=json)


@retention_app.command("purge", epilog="Example: cardwatch retention purge")
def purge(person: Who = None, organisation: Owner = None, json: AsJson = False) -> None:
    """Delete expired data that is not on hold."""
    from cardwatch import services

    with open_context(person, organisation, system=True) as context:
        erased_count = services.erase(context)
    print_rows([{"transactions": erased_count}], ("transactions",), json=json)
