"""Files that give one person the name of another, and so would hide alerts from them.

Nobody sees an alert about themselves, by whichever of their names payments and registers have given
(`own_keys`). So a file that says that a cardholder and a reviewer are one hides from the reviewer
what is about the cardholder. It is kept once two people bring it.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.own_keys import NUMBERS, names_of_payment
from cardwatch.casebook.people_register import PEOPLE_COLUMNS, people_register
from cardwatch.casebook.tables import holder_names
from cardwatch.registers import names_of, person_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from cardwatch.casebook.unit_of_work import UnitOfWork

OF_ONE_PERSON = (*NUMBERS, "key_cardholder", "key_card_number")
"""Columns of what belongs to one person: a card may be used by several, and its last four digits
are those of others too."""
KEYS_AT_ONCE = 10_000
"""SQLite takes 32,766 values in one question."""
Beside = dict[str, set[str]]
"""Values that occur together with a name or number in payments, itself included, by column."""


def row_of_others(uow: UnitOfWork, payments: pd.DataFrame) -> int:
    """Return the first row that names together cardholders whom payments name apart; 0 for none.

    Two names are apart where payments have both, never together, and one of them beside another of
    the other's column: number E3 and the name Baker, where Baker has stood beside E1. What only
    professional standards see is not looked at, whoever asks.

    Args:
        payments: with `row` and `HOLDER_KEYS`, as they are received.
    """
    distinct_rows = payments[["row", *OF_ONE_PERSON]].drop_duplicates(list(OF_ONE_PERSON))
    rows = {
        names_of_payment(payment): int(payment["row"])
        for payment in distinct_rows.to_dict("records")
    }
    several = {names: row for names, row in rows.items() if len({key for _, key in names}) > 1}
    beside = _beside(uow, sorted({key for names in several for _, key in names}))
    return min((row for names, row in several.items() if _are_apart(names, beside)), default=0)


def _are_apart(names: Sequence[tuple[str, str]], beside: Mapping[str, Beside]) -> bool:
    """Return whether two columns of a payment name cardholders who are known apart."""
    for (column, key), (other_column, other) in itertools.combinations(names, 2):
        known, other_known = beside.get(key), beside.get(other)
        if key == other or not known or not other_known:
            continue
        is_together = any(other in keys for keys in known.values())
        through_card = "key_card_number" in (column, other_column)
        if not is_together and (through_card or known.get(other_column) or other_known.get(column)):
            return True
    return False


def rows_that_share_names(uow: UnitOfWork, entries: pd.DataFrame) -> list[int]:
    """Return the rows that give somebody who has a name the name of somebody else.

    Two people may have one name: a number that is new, with one name, is not looked at.

    Args:
        uow: the work it is done in, of professional standards.
        entries: of a version of the people register that is about to be kept.
    """
    known = people_register(uow)
    names_by_number: dict[str, dict[str, int]] = defaultdict(dict)
    columns = (entries[name].tolist() for name in (*PEOPLE_COLUMNS[:3], "row"))
    for number, person, former, row in zip(*columns, strict=True):
        for name in names_of(person, former):
            names_by_number[person_key(number)].setdefault(person_key(name), int(row))
    numbers_of: defaultdict[str, set[str]] = defaultdict(set)
    for number, names in names_by_number.items():
        for name in names:
            numbers_of[name] |= {number, *known.by_name.get(name, ())}
    paid = _beside(uow, sorted({*numbers_of, *names_by_number}))
    for name in numbers_of:
        numbers_of[name] |= set().union(*(paid.get(name, {}).get(one, set()) for one in NUMBERS))
    return sorted(
        row
        for number, names in names_by_number.items()
        for name, row in names.items()
        if (numbers_of[name] - {number} or len(names.keys() & paid.keys()) > 1)
        and number not in known.by_name.get(name, ())
        and name not in paid.get(number, {}).get("key_cardholder", ())
        and (len(names) > 1 or number in known.names or number in paid)
    )


def _beside(uow: UnitOfWork, keys: Sequence[str]) -> dict[str, Beside]:
    """Return what payments that everybody sees have beside each of some names and numbers."""
    columns_by_key: dict[str, Beside] = {}
    names, names_beside = holder_names, holder_names.alias()
    question = (
        sa.select(
            names.c.subject_id, names_beside.c.field, names_beside.c.subject_id.label("beside")
        )
        .join(names_beside, uow.scope(names_beside) & (names_beside.c.names_id == names.c.names_id))
        .where(
            uow.scope(names),
            names.c.visible_to_psd_only == 0,
            names.c.field.in_(OF_ONE_PERSON),
            names_beside.c.field.in_(OF_ONE_PERSON),
        )
        .distinct()
    )
    for first in range(0, len(keys), KEYS_AT_ONCE):
        part = names.c.subject_id.in_(keys[first : first + KEYS_AT_ONCE])
        for row in uow.fetch_all(question.where(part)):
            columns = columns_by_key.setdefault(row["subject_id"], defaultdict(set))
            columns[row["field"]].add(row["beside"])
    return columns_by_key
