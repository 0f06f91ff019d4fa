"""People and API keys, and authentication of keys."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from cardwatch.casebook import PSD, AuditEvent, api_keys, own_keys, people
from cardwatch.casebook.approvals import require_approval
from cardwatch.casebook.own_keys import named_like_cardholders
from cardwatch.casebook.rows import ApprovalScope, ListedPerson
from cardwatch.casebook.tables import MANAGES
from cardwatch.errors import CardwatchError
from cardwatch.registers import person_key
from cardwatch.services.scoring_inputs import active_inputs, load_inputs
from cardwatch.vocabulary import ApprovalKind

if TYPE_CHECKING:
    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.rows import Key
    from cardwatch.services.context import ServiceContext

KEEPERS = (*MANAGES, PSD)


def add_person(  # noqa: PLR0913  what is known of a person
    context: ServiceContext,
    *,
    name: str,
    email: str,
    role: str,
    holder_id: str = "",
    holds_no_card: bool = False,
) -> str:
    """Add a person with a role; return their id; see `casebook.people.add_person`.

    Raises:
        SecondPersonNeeded: the role is that of professional standards.
        CardwatchError: the cardholder is not in the active card register.
    """
    with context.work(AuditEvent("access", "person"), (context.actor.chain,)) as uow:
        link = people.CardLink(_registered(uow, holder_id), holds_no_card)
        person_id = people.add_person(uow, name=name, email=email, role=role, link=link)
        if role == PSD:
            scope = ApprovalScope(
                person_id=person_id, email=people.normal_email(email), name=name, role=role,
                holder_id=link.holder_id, holds_no_card=holds_no_card, ends=False,
            )  # fmt: skip
            require_approval(uow, ApprovalKind.MEMBERSHIP, scope)
        return person_id


def set_link(
    context: ServiceContext, email: str, *, holder_id: str = "", holds_no_card: bool = False
) -> None:
    """Set who a person is in statements; see `casebook.people.set_link`.

    Raises:
        SecondPersonNeeded: they are of professional standards, and would see other alerts by it.
        CardwatchError: the cardholder is not in the active card register.
    """
    with context.work(AuditEvent("access", "person"), (context.actor.chain,)) as uow:
        context.allow(KEEPERS, "manage people")
        link = people.CardLink(_registered(uow, holder_id), holds_no_card)
        people.set_link(uow, email, link)
        person = people.find_person(uow, email)
        if person["role"] == PSD:
            scope = ApprovalScope(
                person_id=person["person_id"], email=person["email"], name=person["name"],
                role=person["role"], holder_id=link.holder_id, holds_no_card=holds_no_card,
            )  # fmt: skip
            require_approval(uow, ApprovalKind.CARDHOLDER, scope)


def list_cardholders(context: ServiceContext) -> list[str]:
    """Return the holders and approvers of the active card register, by id; none without one.

    Raises:
        NotAllowed: the role keeps no people.
    """
    with context.work(AuditEvent("consultation", "cards"), ()) as uow:
        context.allow(KEEPERS, "manage people")
        return _cardholders(uow)


def _cardholders(uow: UnitOfWork) -> list[str]:
    """Return the holders and approvers of the active card register, by id."""
    recipe = replace(active_inputs(uow, uow.today), policy="", model="")
    cards = load_inputs(uow, recipe).cards
    if cards is None:
        return []
    person_ids = {*cards.cards["holder_id"], *cards.cards["approver_id"]}
    return sorted(str(person_id) for person_id in person_ids if person_id)


def cardholders_by_key(uow: UnitOfWork) -> dict[str, str]:
    """Return the holders and approvers of the active card register, by what tells people apart.

    Without a register nothing says whose number one is.
    """
    return {person_key(cardholder): cardholder for cardholder in _cardholders(uow)}


def _registered(uow: UnitOfWork, holder_id: str) -> str:
    """Return a cardholder as the active card register names them; as typed where there is none.

    Raises:
        CardwatchError: the register does not name them.
    """
    by_key = cardholders_by_key(uow)
    if holder_id and by_key and person_key(holder_id) not in by_key:
        raise CardwatchError("Choose a cardholder from the card register", field="holder_id")
    return by_key.get(person_key(holder_id), holder_id.strip())


def email_of(context: ServiceContext) -> str:
    """Return the actor's own email address; the id of a key, which has none."""
    with context.snapshot(()) as uow:
        return people.email_of(uow)


def holds_no_card(context: ServiceContext) -> bool:
    """Whether it is stated that the actor holds no card and approves no payments."""
    with context.snapshot(()) as uow:
        return people.holds_no_card(uow)


def count_approved(context: ServiceContext) -> int:
    """Return of how many cardholders the card register in force says that the actor approves."""
    with context.snapshot(()) as uow:
        return len(own_keys.approved_by_actor(uow))


def display_names(context: ServiceContext) -> dict[str, str]:
    """Return what everybody who acts is called, by id; see `casebook.people.display_names`."""
    with context.snapshot(()) as uow:
        return people.display_names(uow)


def end_person(context: ServiceContext, email: str) -> None:
    """End a person's access, at once; see `casebook.people.end_person`.

    Raises:
        SecondPersonNeeded: they are of professional standards.
    """
    with context.work(AuditEvent("access", "person"), (context.actor.chain,)) as uow:
        context.allow(KEEPERS, "manage people")
        person = people.find_person(uow, email)
        if person["role"] == PSD and context.actor.role == PSD:
            scope = ApprovalScope(
                person_id=person["person_id"], email=person["email"], name=person["name"],
                role=person["role"], ends=True,
            )  # fmt: skip
            require_approval(uow, ApprovalKind.MEMBERSHIP, scope)
        people.end_person(uow, email)


def list_people(context: ServiceContext) -> list[ListedPerson]:
    """Return the people who have, or had, access.

    Of those stated to hold no card it says who is named like a cardholder or approver: they could
    see alerts about themselves, or about somebody whose card they approve.

    Raises:
        NotAllowed: the role keeps no people.
    """
    with context.work(AuditEvent("consultation", "people"), ()) as uow:
        context.allow(KEEPERS, "manage people")
        rows = people.list_people(uow)
        names = {
            row["person_id"]: (row["name"], re.sub("[._]", " ", row["email"].partition("@")[0]))
            for row in rows
            if row["holds_no_card"] and not row["ended_at"]
        }
        alike = named_like_cardholders(uow, names, cardholders_by_key(uow))
        return [ListedPerson(**row, is_like_cardholder=row["person_id"] in alike) for row in rows]


def create_key(  # noqa: PLR0913  what a form has
    context: ServiceContext,
    *,
    name: str,
    role: str,
    days: int,
    can_decide: bool = False,
    scope: str = "",
) -> str:
    """Make an API key; return it whole, this once; see `casebook.api_keys.create_key`."""
    with context.work(AuditEvent("access", "key"), ()) as uow:
        return api_keys.create_key(
            uow, name=name, role=role, days=days, can_decide=can_decide, scope=scope
        )


def revoke_key(context: ServiceContext, key_id: str) -> None:
    """End a key, at once; see `casebook.api_keys.revoke_key`."""
    with context.work(AuditEvent("access", "key"), ()) as uow:
        context.allow(KEEPERS, "manage API keys")
        api_keys.revoke_key(uow, key_id)


def list_keys(context: ServiceContext) -> list[Key]:
    """Return the keys, without their secrets.

    Raises:
        NotAllowed: the role keeps no keys.
    """
    with context.work(AuditEvent("consultation", "keys"), ()) as uow:
        context.allow(KEEPERS, "manage API keys")
        return api_keys.list_keys(uow)
