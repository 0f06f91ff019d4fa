"""Hides people in registers' entries and line items until somebody has a reason to see them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from cardwatch.casebook import pseudonyms
from cardwatch.registers import NUMBER_FIELDS, fields_by_heading, person_key

if TYPE_CHECKING:
    from collections.abc import Collection

    from cardwatch.casebook import UnitOfWork
    from cardwatch.records import EntryShown, LineItem

NAME_FIELDS = ("person", "surname", "forenames", "former_names", "email", "panel", "details",
               "contract_owner", "nature", "relation")  # fmt: skip
"""Fields that hold names, or free text that may."""
HIDDEN_VALUE = "Not shown until you ask for the name"


def masked_entry(
    uow: UnitOfWork, entry: EntryShown, named: Collection[str] = (), person: str = ""
) -> EntryShown:
    """Return an entry of a register, as an alert shows it, without the people in it.

    Args:
        entry: as it is kept.
        named: keys of the people whom the actor may see by name.
        person: key of the person whom the entry is about; empty where it names none for certain.
    """
    fields = fields_by_heading(entry.register)
    facts = []
    for heading, value in entry.facts:
        field = fields[heading].name if heading in fields else ""
        if field in NUMBER_FIELDS and person_key(value) not in named:
            facts.append((heading, pseudonyms.pseudonym(uow, value)))
        elif field in NAME_FIELDS and person not in named:
            facts.append((heading, HIDDEN_VALUE))
        else:
            facts.append((heading, value))
    return replace(entry, facts=tuple(facts))


def masked_item(item: LineItem) -> LineItem:
    """Return a line item without its description, which is free text and may name people."""
    return replace(item, description=HIDDEN_VALUE if item.description else "")
