"""Fills a casebook with the invented force, for trying the pages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from cardwatch import installation, services
from cardwatch.casebook import ROLES, Actor
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.errors import CardwatchError, FileRefused
from cardwatch.registers import read_cards, read_registers
from cardwatch.statements import ReadingChoices, read_each, shipped_profiles

if TYPE_CHECKING:
    import datetime as dt

    from cardwatch.casebook import Casebook
    from cardwatch.records import Register

FORCE = "Saltmarsh Vale Police"
PEOPLE = {role: role for role in ROLES} | {"second-finance": "finance", "second-psd": "psd"}
"""The role of each person by their name: two of those who approve what another proposes."""
SINCE = "2025-09-01"
"""Day of the first statement."""
DECIDED_UNTIL = "2026-09-01"
"""Day of the last decision about names that is kept; later ones are for who tries the pages."""


def sample_folder() -> Path:
    """Return the folder of the sample data.

    Raises:
        CardwatchError: it is missing.
    """
    places = [Path(__file__).parents[n] / "sample_data" for n in (1, 2)]
    folder = next((place for place in places if place.is_dir()), None)
    if folder is None:
        raise CardwatchError(
            "The sample data is not installed. Run this from a copy of the repository."
        )
    return folder


def fill_casebook(now: dt.datetime) -> dict[str, str]:
    """Fill the installation's casebook with the invented force, unless it is; invite its people.

    The policy, every register, some decisions about names and every statement but the newest are
    kept, and the last two of these are scored: the newest is for whoever tries the pages to upload,
    and so are the later decisions.

    Args:
        now: the moment.

    Returns:
        The invitation of each person by their email address: one of each role, then second persons.

    Raises:
        CardwatchError: the casebook is another force's.
    """
    casebook = installation.open_casebook(make=True)
    assert casebook is not None
    try:
        itself = _force(casebook, now)
        emails = _people(itself)
        finance, psd = (_context_of(itself, emails[name]) for name in ("finance", "psd"))
        if not services.list_statements(finance):
            _keep_year(finance, psd)
        return {email: services.invite(itself, email) for email in emails.values()}
    finally:
        casebook.close()


def _force(casebook: Casebook, now: dt.datetime) -> services.ServiceContext:
    """Return the context of the casebook itself; the invented force is added where missing.

    Raises:
        CardwatchError: the casebook is another force's.
    """
    organisations = casebook.organisations()
    if organisations and organisations[0]["name"] != FORCE:
        raise CardwatchError("This casebook belongs to another force. Choose another folder.")
    owner = (
        organisations[0]["organisation_id"]
        if organisations
        else services.add_organisation(casebook, FORCE, now)
    )
    return services.ServiceContext(casebook, Actor(owner, SYSTEM, "admin"), now)


def _people(itself: services.ServiceContext) -> dict[str, str]:
    """Return the email address of each of the force's people; those who are missing are added."""
    owner = itself.actor.organisation_id
    emails = {name: f"{name}@{owner}.example" for name in PEOPLE}
    there = {person["email"] for person in services.list_people(itself)}
    for name, email in emails.items():
        if email not in there:
            services.add_person(
                itself,
                name=name.replace("-", " ").capitalize(),
                email=email,
                role=PEOPLE[name],
                holds_no_card=True,
            )
    return emails


def _context_of(itself: services.ServiceContext, email: str) -> services.ServiceContext:
    """Return the context of one of the force's people."""
    owner = itself.actor.organisation_id
    actor = services.actor_of_person(itself.casebook, owner, email, itself.now)
    return services.ServiceContext(itself.casebook, actor, itself.now)


def _keep_year(finance: services.ServiceContext, psd: services.ServiceContext) -> None:
    """Keep the force's policy, registers and statements; score the last two before the newest."""
    sample = sample_folder()
    choices = ReadingChoices(shipped_profiles(), installation.card_key())
    policy = (sample / "policy.toml").read_text(encoding="utf-8")
    cards = read_cards(sample / "cards.csv", choices)
    services.activate_document(
        finance, "policy", services.pack_policy(policy, "policy.toml"), SINCE
    )
    services.activate_document(finance, "cards", services.pack_cards(cards), SINCE)
    for register in read_registers(sorted((sample / "registers").iterdir()), choices):
        services.import_register(psd, _decided_by_then(register))
    *statement_files, _ = sorted((sample / "statements").iterdir())
    scored = {path.name for path in statement_files[-2:]}
    for read in read_each(statement_files, choices):
        if isinstance(read, FileRefused):
            raise read
        services.receive(finance, read, is_history=read[1].file not in scored)


def _decided_by_then(register: Register) -> Register:
    """A register; of decisions about names those of before the newest scored statement alone."""
    if register.kind != "matches":
        return register
    entries = register.entries
    return replace(register, entries=entries[entries["decided_on"] <= DECIDED_UNTIL])
