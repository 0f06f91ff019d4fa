"""Fills a casebook with the invented force, for somebody who wants to try the pages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cardwatch import installation
from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    import datetime as dt

FORCE = "Saltmarsh Vale Police"
WORK = ("finance", "psd", "auditor", "admin")


def sample_folder() -> Path:
    """Return the folder of the sample data.

    Raises:
        CardwatchError: it is not there.
    """
    places = [Path(__file__).parents[n] / "sample_data" for n in (1, 2)]
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        raise CardwatchError("The sample data is not installed; run this from a checkout.")
    return found


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
    from cardwatch import desk
    from cardwatch.casebook import Actor
    from cardwatch.casebook.work import SYSTEM
    from cardwatch.registers import read_cards
    from cardwatch.statements import ReadingChoices, read_each, shipped_profiles

    sample = sample_folder()
    choices = ReadingChoices(shipped_profiles(), installation.card_key())
    casebook = installation.open_casebook(make=True)
    assert casebook is not None
    try:
        held = [(row["organisation_id"], row["name"]) for row in casebook.organisations()]
        if held and held[0][1] != FORCE:
            raise CardwatchError("This casebook is another force's. Give a folder of its own.")
        owner = held[0][0] if held else desk.add_organisation(casebook, FORCE, now)
        itself = desk.Desk(casebook, Actor(owner, SYSTEM, "admin"), now)
        emails = {role: f"{role}@{owner}.example" for role in WORK}
        if not held:
            for role, email in emails.items():
                desk.add_person(itself, name=role.capitalize(), email=email, role=role)
        actors = {
            role: desk.actor_of_person(casebook, owner, email, now)
            for role, email in emails.items()
        }
        desks = {role: desk.Desk(casebook, actor, now) for role, actor in actors.items()}
        if not desk.list_statements(desks["finance"]):
            *history, last, _ = sorted((sample / "statements").iterdir())
            policy = (sample / "policy.toml").read_text(encoding="utf-8")
            register = desk.pack_cards(read_cards(sample / "cards.csv", choices))
            for kind, content in (("policy", desk.pack_policy(policy, "policy.toml")),
                                  ("cards", register)):  # fmt: skip
                desk.put_in_force(desks["finance"], kind, content, "2025-09-01")
            for read in read_each([*history, last], choices):
                assert isinstance(read, tuple)
                is_history = read[1].file != last.name
                desk.receive(desks["finance"], read, is_history=is_history)
        return {
            email: desk.invite(desks["psd"] if role == "psd" else desks["admin"], email)
            for role, email in emails.items()
        }
    finally:
        casebook.close()
