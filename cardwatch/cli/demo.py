"""Fills a casebook with the invented force, for trying the pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cardwatch import installation, services
from cardwatch.casebook import ROLES, Actor
from cardwatch.casebook.unit_of_work import SYSTEM
from cardwatch.errors import CardwatchError, FileRefused
from cardwatch.registers import read_cards
from cardwatch.statements import ReadingChoices, read_each, shipped_profiles

if TYPE_CHECKING:
    import datetime as dt

    from cardwatch.casebook import Casebook

FORCE = "Saltmarsh Vale Police"
SINCE = "2025-09-01"
"""Day of the first statement."""


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

    The policy, the card register and every statement but the newest are kept, and the last of these
    is scored: the newest is for whoever tries the pages to bring.

    Args:
        now: the moment.

    Returns:
        The invitation of each person by their email address: one of each role.

    Raises:
        CardwatchError: the casebook is another force's.
    """
    casebook = installation.open_casebook(make=True)
    assert casebook is not None
    try:
        contexts = _people(casebook, now)
        if not services.list_statements(contexts["finance"]):
            _keep_year(contexts["finance"])
        return {
            services.email_of(context): services.invite(
                contexts["psd" if role == "psd" else "admin"], services.email_of(context)
            )
            for role, context in contexts.items()
        }
    finally:
        casebook.close()


def _people(casebook: Casebook, now: dt.datetime) -> dict[str, services.ServiceContext]:
    """The service context of each role's person; people and force are added where missing.

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
    system_context = services.ServiceContext(casebook, Actor(owner, SYSTEM, "admin"), now)
    contexts = {}
    for role in ROLES:
        email = f"{role}@{owner}.example"
        if not organisations:
            services.add_person(
                system_context, name=role.capitalize(), email=email, role=role, holds_no_card=True
            )
        actor = services.actor_of_person(casebook, owner, email, now)
        contexts[role] = services.ServiceContext(casebook, actor, now)
    return contexts


def _keep_year(context: services.ServiceContext) -> None:
    """Keep the force's policy, register and statements; the last before the newest is scored."""
    sample = sample_folder()
    choices = ReadingChoices(shipped_profiles(), installation.card_key())
    policy = (sample / "policy.toml").read_text(encoding="utf-8")
    cards = read_cards(sample / "cards.csv", choices)
    services.activate_document(
        context, "policy", services.pack_policy(policy, "policy.toml"), SINCE
    )
    services.activate_document(context, "cards", services.pack_cards(cards), SINCE)
    *statement_files, _ = sorted((sample / "statements").iterdir())
    for read in read_each(statement_files, choices):
        if isinstance(read, FileRefused):
            raise read
        services.receive(context, read, is_history=read[1].file != statement_files[-1].name)
