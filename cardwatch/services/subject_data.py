"""Payments and registers about one supplier, cardholder or unit, as far as they may be shown.

Only professional standards are shown it. Nobody is shown what registers say of themselves, or of
somebody whose card they approve: such entries are left out before anything is counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd
import sqlalchemy as sa

from cardwatch.alerts import entry_shown
from cardwatch.casebook import payment_queries, pseudonyms, subject_ids
from cardwatch.casebook import registers as kept
from cardwatch.casebook import statements as kept_statements
from cardwatch.casebook.own_keys import hidden_keys
from cardwatch.features.registered import links, register_entries
from cardwatch.registers import person_key
from cardwatch.services.entry_masks import masked_entry
from cardwatch.services.own_entries import entries_about
from cardwatch.services.register_inputs import MATCHES, load_registers, split_unreadable
from cardwatch.services.register_matches import ledger_of
from cardwatch.services.scoring_inputs import active_inputs, load_inputs
from cardwatch.services.subject_rows import SubjectLink, SubjectTotals, TimelineRow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.payment_queries import PaymentFilters
    from cardwatch.features import Ledger
    from cardwatch.records import Register
    from cardwatch.registers import OrganisationMatch
    from cardwatch.services.scoring_inputs import LoadedInputs

NEWEST_PAYMENTS = 10_000
"""The newest payments that are read; pages say so where there are more."""


class PeopleShown:
    """How people are shown to the actor: by pseudonym, or by name once they gave a reason."""

    def __init__(self, uow: UnitOfWork) -> None:
        """Find out who is shown by name, and of whom nothing is shown."""
        self._uow = uow
        self.named = pseudonyms.revealed_people(uow)
        self.hidden = hidden_keys(uow)
        self._links: dict[str, SubjectLink | None] = {}

    def link(self, person: str) -> SubjectLink | None:
        """Return a person's id and the name shown; none for nobody, and for who is hidden."""
        key = person_key(person)
        if not key or key in self.hidden:
            return None
        if key not in self._links:
            revealed = {person} if key in self.named else ()
            shown = pseudonyms.shown_names(self._uow, {person}, revealed)[person]
            self._links[key] = SubjectLink(subject_ids.cardholder_id(self._uow, person), shown)
        return self._links[key]


@dataclass(frozen=True)
class SubjectData:
    """The payments of one supplier, cardholder or unit beside the registers held.

    Attributes:
        filters: which payments count for it.
        ledger: the newest of them, `NEWEST_PAYMENTS` at most.
        places: the statement of each, by file and row.
        registers: by kind, without entries about people who are hidden from the actor.
        versions: id of the version, by kind and hash of its file.
    """

    uow: UnitOfWork
    filters: PaymentFilters
    loaded: LoadedInputs
    people: PeopleShown
    ledger: Ledger
    places: dict[tuple[str, int], str]
    registers: dict[str, Register]
    versions: dict[tuple[str, str], str]

    @cached_property
    def totals(self) -> SubjectTotals:
        """How many payments count, and their pence together."""
        read = len(self.ledger)
        pence = int(self.ledger.frame["amount_pence"].sum())
        if read < NEWEST_PAYMENTS:
            return SubjectTotals(read, pence, read)
        return SubjectTotals(*payment_queries.count_payments(self.uow, self.filters), read)

    @cached_property
    def spellings(self) -> dict[str, str]:
        """The number or name of each cardholder as statements print it, by its key."""
        return {person_key(name): str(name) for name in self.ledger.texts("holder_id")[1]}

    def person(self, key: str) -> SubjectLink | None:
        """Return the person of a key, as they are shown."""
        return self.people.link(self.spellings.get(key, key))

    def person_keys(self, kind: str) -> list[str]:
        """The person of each entry of a register; empty where it names none for certain."""
        entries = register_entries(self.ledger, kind)
        keys: list[str] = list(entries["person_key"]) if "person_key" in entries else []
        return keys or [""] * len(entries)

    def linked(self, kind: str) -> list[tuple[int, OrganisationMatch]]:
        """The entries of a register that name a merchant of these payments, with how it matched."""
        frame, matches = links(self.ledger, kind)
        return [(int(e), matches[m]) for e, m in zip(frame["entry"], frame["match"], strict=True)]

    def kinds(self) -> list[str]:
        """The registers that name organisations, in the order of their names."""
        return [
            k for k, one in self.registers.items() if k != MATCHES and "organisation" in one.entries
        ]

    def supplier(self, merchant: str, printed: str = "") -> SubjectLink:
        """Return a merchant's id and name, as a statement prints it if that is given."""
        return SubjectLink(subject_ids.supplier_id(self.uow, merchant), printed or merchant)

    def entry_row(self, kind: str, position: int, match: OrganisationMatch | None) -> TimelineRow:
        """Return an entry of a register as a row of a timeline, its people as they are shown."""
        register = self.registers[kind]
        shown, person = entry_shown(register, position, match), self.person_keys(kind)[position]
        facts = masked_entry(self.uow, shown, self.people.named, person).facts
        until = register.entries["true_until"].iloc[position]
        return TimelineRow(
            on=shown.true_on or shown.known_on, kind=kind,
            text="; ".join(f"{heading}: {value}" for heading, value in facts),
            cardholder=self.person(person),
            supplier=self.supplier(match.merchant) if match else None,
            version_id=self.versions.get((kind, shown.sha256), ""),
            source=f"{shown.file}, row {shown.row}",
            true_on=shown.true_on, until_on="" if pd.isna(until) else str(until.date()),
            known_on=shown.known_on, match=shown.match, matched_by=shown.matched_by,
        )  # fmt: skip

    def payment_rows(self) -> list[TimelineRow]:
        """Return the payments as rows of a timeline."""
        frame = self.ledger.frame
        names = ("date", "file", "row", "kind", "holder_id", "merchant_id", "merchant",
                 "amount_pence", "transaction_id")  # fmt: skip
        return [
            TimelineRow(
                on=str(date.date()), kind="payment", text=kind, cardholder=self.people.link(holder),
                supplier=self.supplier(merchant, printed), amount_pence=int(pence),
                place=f"{self.places[file, int(row)]}:{int(row)}", source=reference,
            )
            for date, file, row, kind, holder, merchant, printed, pence, reference in zip(
                *(frame[name] for name in names), strict=True
            )
        ]  # fmt: skip


def load_subject(uow: UnitOfWork, filters: PaymentFilters) -> SubjectData:
    """Return the newest payments that fit some filters, beside the registers held today."""
    loaded = load_inputs(uow, replace(active_inputs(uow, uow.today), model=""))
    people = PeopleShown(uow)
    used, _ = split_unreadable(uow, kept.visible_registers(uow))
    registers = {register.kind: register for register in load_registers(uow, used)}
    which = sa.and_(sa.true(), *filters.conditions(uow))
    table = kept_statements.read_newest(uow, which, NEWEST_PAYMENTS)
    ledger = ledger_of(table, loaded, registers)
    if people.hidden:
        registers = {
            kind: _without(register, ledger, people.hidden) for kind, register in registers.items()
        }
        ledger = ledger_of(table, loaded, registers)
    places = {
        (str(label), int(row)): str(statement)
        for label, row, statement in zip(
            table["label"], table["row"], table["statement_id"], strict=True
        )
    }
    versions = {(v.kind, v.sha256): v.version_id for v in reversed(used.versions)}
    return SubjectData(uow, filters, loaded, people, ledger, places, registers, versions)


def people_in_registers(registers: Iterable[Register]) -> list[str]:
    """Return the numbers by which registers name people, in order."""
    names = {
        str(name)
        for register in registers
        for column in ("employee_id", "approver_id")
        if column in register.entries
        for name in register.entries[column].unique()
    }
    return sorted(names - {""})


def _without(register: Register, ledger: Ledger, hidden: frozenset[str]) -> Register:
    """Return a register without its entries about some people."""
    about = entries_about(register, ledger, hidden)
    if not any(about):
        return register
    left = register.entries[[not one for one in about]].reset_index(drop=True)
    return replace(register, entries=left)
