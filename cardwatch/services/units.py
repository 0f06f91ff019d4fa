"""The page of a unit, summed: cardholders, suppliers, register coverage and alerts by state."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from cardwatch.casebook import AuditEvent, alert_queries, subject_ids
from cardwatch.casebook.alert_queries import AlertFilter
from cardwatch.casebook.payment_queries import PaymentFilters
from cardwatch.registers import RegisterQuality, person_key, register_quality
from cardwatch.services.subject_data import SubjectData, load_subject
from cardwatch.services.subject_rows import Relation, SubjectLink, SubjectTotals
from cardwatch.services.subject_timeline import (
    MOST_RELATIONS,
    check_reader,
    registers_missing,
    surest,
)

if TYPE_CHECKING:
    from cardwatch.services.context import ServiceContext


@dataclass(frozen=True)
class UnitSupplier:
    """Payments of a unit's cards to one supplier, and entries of its people that name it.

    Attributes:
        entries: by register, entries about people of the unit that name the supplier.
        match: the surest match of them; empty without any.
    """

    supplier: SubjectLink
    payments: int
    pence: int
    cardholders: int
    entries: dict[str, int]
    match: str


@dataclass(frozen=True)
class UnitDetail:
    """Details of one unit, summed.

    Attributes:
        codes: spellings of its code in statements.
        cardholders: by money, at most `MOST_RELATIONS`, with their payments.
        suppliers: those that entries name first, then by money; at most `MOST_RELATIONS`.
        coverage: figures about what registers hold of the unit, one a register that names units.
        missing: titles of the registers of which no version is held.
        alerts: how many alerts there are in each state.
    """

    unit: SubjectLink
    codes: tuple[str, ...]
    totals: SubjectTotals
    cardholders: tuple[Relation, ...]
    cardholders_count: int
    suppliers: tuple[UnitSupplier, ...]
    suppliers_count: int
    coverage: tuple[RegisterQuality, ...]
    missing: tuple[str, ...]
    alerts: dict[str, int]


def get_unit(context: ServiceContext, unit_id: str) -> UnitDetail:
    """Return what is known today of a unit.

    Raises:
        NotAllowed: the role is not professional standards'.
        NotFound: there is no such unit.
    """
    event = AuditEvent("consultation", "unit")
    with context.work(event) as uow:
        check_reader(context)
        codes = tuple(subject_ids.unit_codes(uow, unit_id))
        event.object_id = unit_id
        data = load_subject(uow, PaymentFilters(units=codes))
        cardholders, suppliers = _cardholders(data), _suppliers(data, codes)
        return UnitDetail(
            unit=SubjectLink(unit_id, codes[0]),
            codes=codes,
            totals=data.totals,
            cardholders=tuple(cardholders[:MOST_RELATIONS]),
            cardholders_count=len(cardholders),
            suppliers=tuple(suppliers[:MOST_RELATIONS]),
            suppliers_count=len(suppliers),
            coverage=_coverage(data, codes),
            missing=registers_missing(data),
            alerts=alert_queries.count_by_state(uow, AlertFilter(units=codes)),
        )


def _cardholders(data: SubjectData) -> list[Relation]:
    """Return who pays for the unit, the most money first."""
    relations = []
    for holder, paid in data.ledger.frame.groupby("holder_id", sort=True):
        days = str(paid["date"].min().date()), str(paid["date"].max().date())
        pence = int(paid["amount_pence"].sum())
        person = data.people.link(str(holder))
        relations.append(Relation("paid", person, None, len(paid), pence, *days))
    return sorted(
        relations, key=lambda r: (-(r.pence or 0), r.cardholder.id if r.cardholder else "")
    )


def _suppliers(data: SubjectData, codes: tuple[str, ...]) -> list[UnitSupplier]:
    """Return whom the unit's cards pay, those whom entries of its people name first."""
    entries: dict[str, Counter[str]] = {}
    bands: dict[str, list[str]] = {}
    for kind in data.kinds():
        about_unit = _about_unit(data, kind, codes)
        for position, match in data.linked(kind):
            if about_unit[position]:
                entries.setdefault(match.merchant, Counter())[kind] += 1
                bands.setdefault(match.merchant, []).append(match.band)
    suppliers = [
        UnitSupplier(
            supplier=data.supplier(str(merchant)),
            payments=len(paid),
            pence=int(paid["amount_pence"].sum()),
            cardholders=int(paid["holder_id"].nunique()),
            entries=dict(sorted(entries.get(str(merchant), {}).items())),
            match=surest(bands.get(str(merchant), [])),
        )
        for merchant, paid in data.ledger.frame.groupby("merchant_id", sort=True)
    ]
    return sorted(suppliers, key=lambda s: (not s.entries, -s.pence, s.supplier.name))


def _about_unit(data: SubjectData, kind: str, codes: tuple[str, ...]) -> list[bool]:
    """Which entries of a register are about the unit: its code, or one of its cardholders."""
    entries = data.registers[kind].entries
    units = {person_key(code) for code in codes}
    named = entries["unit"] if "unit" in entries else [""] * len(entries)
    return [
        person_key(str(unit)) in units or key in data.spellings
        for unit, key in zip(named, data.person_keys(kind), strict=True)
    ]


def _coverage(data: SubjectData, codes: tuple[str, ...]) -> tuple[RegisterQuality, ...]:
    """Return figures about what each register that names units holds of this one."""
    units = {person_key(code) for code in codes}
    figures = []
    for _, register in sorted(data.registers.items()):
        entries = register.entries
        if "unit" not in entries:
            continue
        is_own = [person_key(str(unit)) in units for unit in entries["unit"]]
        nil_units = tuple(unit for unit in register.nil_units if person_key(unit) in units)
        own = replace(register, entries=entries[is_own], nil_units=nil_units, reports=())
        quality = register_quality(own, pd.Timestamp(data.uow.today), codes[:1])
        figures.append(replace(quality, nil_returns=len(nil_units)))
    return tuple(figures)
