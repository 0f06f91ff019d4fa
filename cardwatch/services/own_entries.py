"""Finds the entries of registers that are about somebody, so that they are not shown to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cardwatch.features.registered import register_entries
from cardwatch.registers import comparable_name, name_forms, names_in, person_key
from cardwatch.services.register_inputs import MATCHES

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from cardwatch.features import Ledger
    from cardwatch.records import Register

PERSON_COLUMNS = ("employee_id", "approver_id", "person")


def panel_keys(text: str) -> frozenset[str]:
    """Return the keys of the people on a panel."""
    return frozenset(map(person_key, text.replace(",", ";").split(";"))) - {""}


def entries_about(register: Register, ledger: Ledger, people: AbstractSet[str]) -> list[bool]:
    """Return for each entry of a register whether it names one of some people.

    Args:
        register: what was decided about names is about nobody.
        ledger: with the registers.
        people: their keys.
    """
    entries = register.entries
    if register.kind == MATCHES or not len(entries):
        return [False] * len(entries)
    keyed = register_entries(ledger, register.kind)
    columns = [keyed[name] for name in ("person_key",) if name in keyed]
    columns += [entries[name] for name in PERSON_COLUMNS if name in entries]
    about = [
        any(person_key(form) in people for text in row for form in (str(text), *name_forms(text)))
        for row in zip(*columns, strict=True)
    ]
    if "panel" in entries:
        about = [
            is_about or bool(panel_keys(panel) & people)
            for is_about, panel in zip(about, entries["panel"], strict=True)
        ]
    return about


def organisations_of(ledger: Ledger, people: AbstractSet[str]) -> frozenset[str]:
    """Return the organisations that entries about some people name, as names are compared."""
    texts = {
        str(text)
        for register in ledger.registers.values()
        if people and "organisation" in register.entries
        for text in register.entries["organisation"][entries_about(register, ledger, people)]
    }
    return compared_organisations(texts)


def compared_organisations(texts: Iterable[str]) -> frozenset[str]:
    """Return the organisations in some cells, as names are compared."""
    return frozenset(comparable_name(name).name for text in texts for name in names_in(text))
