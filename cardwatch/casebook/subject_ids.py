"""Ids of suppliers, cardholders and units: keyed hashes, so that no name is in an address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.counting import counting_payments
from cardwatch.casebook.payment_queries import holder_column
from cardwatch.casebook.tables import (
    HOLDER_KEYS,
    alert_subjects,
    merchants,
    transactions,
)
from cardwatch.errors import NotFound
from cardwatch.merchants import canonical_name
from cardwatch.registers import person_key
from cardwatch.vocabulary import PERSON_KINDS, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from cardwatch.casebook.unit_of_work import UnitOfWork

ID_LENGTH = 12
PERSON_NUMBERS = ("key_holder_id", "key_employee_id")
"""Keys that belong to one person; a name may belong to several."""


@dataclass(frozen=True)
class PersonKeys:
    """The ways in which payments, alerts and registers name one person.

    Attributes:
        person: the one of them that they are shown by.
        keys: as they are compared; see `person_key`.
        spellings: as statements print them; none for somebody who has no payment.
    """

    person: str
    keys: frozenset[str]
    spellings: frozenset[str]


def supplier_id(uow: UnitOfWork, merchant: str) -> str:
    """The id of a merchant, by the name under which it is compared."""
    return uow.keyed("supplier", merchant)[:ID_LENGTH]


def cardholder_id(uow: UnitOfWork, person: str) -> str:
    """The id of a person; it begins as their pseudonym does."""
    return uow.keyed("holder", person_key(person))[:ID_LENGTH]


def unit_id(uow: UnitOfWork, code: str) -> str:
    """The id of a unit, by the code that bears its cost."""
    return uow.keyed("unit", person_key(code))[:ID_LENGTH]


def merchant_of_id(uow: UnitOfWork, identifier: str) -> str:
    """Return the name under which a supplier is compared.

    Raises:
        NotFound: there is no such supplier.
    """
    question = sa.select(merchants.c.name).where(uow.scope(merchants)).distinct()
    for row in uow.fetch_all(question):
        if supplier_id(uow, row["name"]) == identifier:
            return str(row["name"])
    raise NotFound("There is no such supplier.")


def printed_names(uow: UnitOfWork, names: Collection[str]) -> list[str]:
    """How statements print the merchants that are compared under some names, in order."""
    question = sa.select(merchants.c.printed).where(uow.scope(merchants))
    rows = uow.fetch_all(question.where(merchants.c.name.in_(names)))
    return sorted(row["printed"] for row in rows)


def unit_codes(uow: UnitOfWork, identifier: str) -> list[str]:
    """Return the spellings of a unit's code.

    Raises:
        NotFound: there is no such unit.
    """
    codes = counting_payments(uow, [transactions.c.cost_centre], with_psd_holds=True)
    subjects = sa.select(alert_subjects.c.name.label("cost_centre")).where(
        uow.scope(alert_subjects), alert_subjects.c.kind == SubjectKind.COST_CENTRE
    )
    rows = uow.fetch_all(codes.order_by(None).distinct()) + uow.fetch_all(subjects.distinct())
    spellings = {str(row["cost_centre"]) for row in rows if row["cost_centre"]}
    unit = sorted(code for code in spellings if unit_id(uow, code) == identifier)
    if not unit:
        raise NotFound("There is no such unit.")
    return unit


def person_of_id(uow: UnitOfWork, identifier: str, others: Iterable[str] = ()) -> PersonKeys:
    """Return the ways in which a person is named.

    A number brings the names that are nobody else's, and such a name its number.

    Args:
        identifier: id of the person by any of them.
        others: people who may have no payment: those whom registers name.

    Raises:
        NotFound: there is no such person.
    """
    columns = [transactions.c[name] for name in HOLDER_KEYS]
    question = counting_payments(
        uow, [*columns, holder_column().label("best")], with_psd_holds=True
    )
    rows = [
        {name: str(value) for name, value in row.items() if value}
        for row in uow.fetch_all(question.order_by(None).distinct())
    ]
    spellings = {value for row in rows for value in row.values()}
    person = _with_id(uow, identifier, sorted(spellings))
    if not person:
        subjects = sa.select(alert_subjects.c.name).where(
            uow.scope(alert_subjects), alert_subjects.c.kind.in_(PERSON_KINDS)
        )
        names = [row["name"] for row in uow.fetch_all(subjects.distinct())]
        person = _with_id(uow, identifier, [*sorted(names), *others])
        if not person:
            raise NotFound("There is no such cardholder.")
        return PersonKeys(person, frozenset({person_key(person)}), frozenset())
    keys = _keys_together(rows, person_key(person))
    return PersonKeys(
        person, keys, frozenset(text for text in spellings if person_key(text) in keys)
    )


def _with_id(uow: UnitOfWork, identifier: str, names: Iterable[str]) -> str:
    """The first name that has an id; empty if none has."""
    return next((name for name in names if cardholder_id(uow, name) == identifier), "")


def _keys_together(rows: list[dict[str, str]], key: str) -> frozenset[str]:
    """The keys of one person, from the different ways in which payments name cardholders."""
    numbers_of: dict[str, set[str]] = {}
    for row in rows:
        numbers = {person_key(row[name]) for name in PERSON_NUMBERS if name in row}
        for value in row.values():
            numbers_of.setdefault(person_key(value), set()).update(numbers)
    numbers = numbers_of[key] | {key}
    if len(numbers - {key}) > 1 and key not in numbers_of[key]:
        return frozenset({key})  # a name that several people have
    same = {other for other, its in numbers_of.items() if its and its <= numbers}
    return frozenset(numbers | same)


def compared_name(printed: str) -> str:
    """The name under which a merchant is compared."""
    return canonical_name(printed).name
