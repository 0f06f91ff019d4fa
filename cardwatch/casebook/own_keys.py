"""The names by which payments and registers know one person, who is linked by one of them.

Somebody is linked by their number, and the next statement may say the cardholder's name alone, or
an entry of a register one of their former names. What is about that name is about them as far as
anybody knows, and is hidden from them too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from cardwatch.casebook.counting import is_visible
from cardwatch.casebook.people_register import people_register
from cardwatch.casebook.tables import HOLDER_KEYS, statements, transactions
from cardwatch.registers import name_forms, person_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardwatch.casebook.unit_of_work import UnitOfWork

    Names = dict[str, str]
    """The keys of one cardholder, by the columns of a statement that say them."""

SHARED = "key_account"
"""Column of what many cardholders may have in common: nobody is known by it beside a name."""
NUMBERS = ("key_holder_id", "key_employee_id")
_read: WeakKeyDictionary[sa.Pool, dict[str, tuple[str, list[Names]]]] = WeakKeyDictionary()
"""By casebook and organisation, the newest statement and the names up to it: all payments have to
be looked through for them."""


def actor_keys(uow: UnitOfWork) -> frozenset[str]:
    """Return the keys by which payments name the actor; none for somebody who holds no card."""
    return own_keys(uow, uow.actor.holder_id)


def own_keys(uow: UnitOfWork, person: str) -> frozenset[str]:
    """Return the keys that name a person of one number or name; none for nobody.

    A name that several people have counts: what is about it may be about this one. The people
    register says more names, where the actor is of professional standards.
    """
    linked_key = person_key(person)
    if not linked_key:
        return frozenset()
    rows, people = _names(uow), people_register(uow)
    keys = {linked_key, *_beside(rows, {linked_key})}
    forms = {person_key(form) for form in name_forms(person)}
    keys |= {key for name in keys | forms for key in people.by_name.get(name, ())}
    keys |= {name for key in keys for name in people.names.get(key, ())}
    unnumbered = [row for row in rows if not any(name in row for name in NUMBERS)]
    return frozenset(keys | {*_beside(unnumbered, keys)})


def hidden_keys(uow: UnitOfWork, approvers: Mapping[str, str]) -> frozenset[str]:
    """Return the keys of those of whom the actor is shown nothing: themselves, whom they approve.

    Args:
        uow: the work it is done in.
        approvers: each cardholder with whoever approves their card.
    """
    keys = actor_keys(uow)
    approved = {
        person_key(holder) for holder, name in approvers.items() if person_key(name) in keys
    }
    return keys | approved


def approver_of(uow: UnitOfWork, approvers: Mapping[str, str], person: str) -> str:
    """Return who approves what a person pays, by whichever of their names is known; or nobody."""
    if person in approvers or not approvers:
        return approvers.get(person, "")
    keys = own_keys(uow, person)
    by_key = ((person_key(holder), approver) for holder, approver in approvers.items())
    return next((approver for key, approver in by_key if key in keys), "")


def _beside(rows: list[Names], keys: set[str]) -> Iterator[str]:
    """Give the keys that stand beside some others in a payment."""
    for row in rows:
        if any(key in keys for name, key in row.items() if name != SHARED):
            yield from (key for name, key in row.items() if name != SHARED)


def _names(uow: UnitOfWork) -> list[Names]:
    """Return the different ways in which payments name cardholders."""
    newest = sa.select(statements.c.seq, statements.c.statement_id).where(uow.scope(statements))
    row = uow.fetch_one(newest.order_by(statements.c.seq.desc()).limit(1))
    latest = f"{row['seq']} {row['statement_id']}" if row else ""
    read = _read.setdefault(uow.connection.engine.pool, {})
    cached = read.get(uow.actor.organisation_id)
    if cached is None or cached[0] != latest:
        columns = [transactions.c[name] for name in HOLDER_KEYS]
        question = sa.select(*columns).where(uow.scope(transactions), is_visible()).distinct()
        rows = [
            {name: person_key(text) for name, text in names.items() if text}
            for names in uow.fetch_all(question)
        ]
        cached = read[uow.actor.organisation_id] = (latest, rows)
    return cached[1]
