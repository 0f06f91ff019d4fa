"""The page of a cardholder: purchases, registers, approvals and alerts in one timeline."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cardwatch.casebook import AuditEvent, payment_queries, subject_ids
from cardwatch.casebook import registers as kept
from cardwatch.casebook.alert_queries import AlertFilter
from cardwatch.casebook.payment_queries import PaymentFilters
from cardwatch.errors import NotFound
from cardwatch.features.registered import has_register
from cardwatch.registers import person_key
from cardwatch.services.own_entries import panel_keys
from cardwatch.services.register_inputs import MATCHES, load_registers, split_unreadable
from cardwatch.services.subject_data import (
    SubjectData,
    load_subject,
    people_in_registers,
)
from cardwatch.services.subject_rows import (
    RegisterRead,
    Relation,
    SubjectLink,
    SubjectTotals,
    Timeline,
    TimelineRow,
)
from cardwatch.services.subject_timeline import (
    APPROVALS,
    MOST_RELATIONS,
    alert_rows,
    approvals_received,
    check_reader,
    joined_relations,
    names_people,
    registers_missing,
    registers_read,
    timeline_page,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.subject_ids import PersonKeys
    from cardwatch.registers import OrganisationMatch
    from cardwatch.services.context import ServiceContext

MOST_APPROVALS_GIVEN = 500
"""The newest approvals by a person that their timeline shows."""


@dataclass(frozen=True)
class CardholderDetail:
    """Details of one cardholder, or of somebody who approves or whom a register names.

    Attributes:
        units: of their payments.
        approvals_given: how many approvals of theirs the register has; the timeline shows the
            newest 500.
        registers: how much of each register held was compared.
        missing: titles of the registers of which no version is held.
        relations: at most `MOST_RELATIONS`, those of registers first.
        relations_count: how many there are in all.
    """

    cardholder: SubjectLink
    units: tuple[SubjectLink, ...]
    totals: SubjectTotals
    approvals_given: int
    registers: tuple[RegisterRead, ...]
    missing: tuple[str, ...]
    relations: tuple[Relation, ...]
    relations_count: int
    timeline: Timeline


def get_cardholder(
    context: ServiceContext, cardholder_id: str, *, kind: str = "", page: int = 1
) -> CardholderDetail:
    """Return what is known today of a cardholder, and a page of their timeline.

    Nobody is shown themselves, or somebody whose card they approve.

    Args:
        cardholder_id: their id.
        kind: what the timeline is limited to; see `subject_timeline.TIMELINE_KINDS`.
        page: number of the timeline's page, from 1.

    Raises:
        NotAllowed: the role is not professional standards'.
        NotFound: there is no such cardholder whom the actor may see.
        CardwatchError: there is no such kind.
    """
    event = AuditEvent("consultation", "cardholder")
    with context.work(event) as uow:
        check_reader(context)
        person = _find(uow, cardholder_id)
        data = load_subject(uow, PaymentFilters(holders=tuple(sorted(person.spellings))))
        if person.keys & data.people.hidden:
            raise NotFound("There is no such cardholder.")
        event.object_id = cardholder_id
        entries = _entries(data, person)
        received, given, given_count = approvals_received(data), *_given(data, person)
        rows = [*data.payment_rows(), *(row for _, row in entries), *received, *given]
        rows += alert_rows(data, AlertFilter(people=tuple(sorted(person.keys))))
        relations = joined_relations(
            [*_firms(data, entries), *_approvals(received, "approved-by"),
             *_approvals(given, "approver-of"), *_cards(data, person)]
        )  # fmt: skip
        link = data.people.link(person.person)
        assert link is not None  # who is hidden was refused
        return CardholderDetail(
            cardholder=replace(link, id=cardholder_id),
            units=_units(data),
            totals=data.totals,
            approvals_given=given_count,
            registers=registers_read(
                data,
                [kind for kind in data.registers if names_people(data, kind)],
                Counter(row.kind for _, row in entries)
                + Counter({APPROVALS: len(received) + given_count}),
            ),
            missing=registers_missing(data),
            relations=tuple(relations[:MOST_RELATIONS]),
            relations_count=len(relations),
            timeline=timeline_page(rows, kind, page),
        )


def _find(uow: UnitOfWork, cardholder_id: str) -> PersonKeys:
    """Return the ways in which a person is named; registers are read where no payment has them."""
    try:
        return subject_ids.person_of_id(uow, cardholder_id)
    except NotFound:
        used, _ = split_unreadable(uow, kept.visible_registers(uow))
        others = people_in_registers(load_registers(uow, used))
        return subject_ids.person_of_id(uow, cardholder_id, others)


def _entries(data: SubjectData, person: PersonKeys) -> list[tuple[int, TimelineRow]]:
    """Return the entries about a person, with the merchant of theirs that each names, if any."""
    rows = []
    for kind in data.registers:
        if kind in {MATCHES, APPROVALS}:
            continue
        matches: dict[int, OrganisationMatch] = {}
        if kind in data.kinds():
            for position, match in data.linked(kind):
                matches.setdefault(position, match)
        keys: list[frozenset[str]] = [frozenset({key}) for key in data.person_keys(kind)]
        if kind == "tenders":
            keys = [panel_keys(panel) for panel in data.registers[kind].entries["panel"]]
        rows += [
            (position, data.entry_row(kind, position, matches.get(position)))
            for position, about in enumerate(keys)
            if about & person.keys
        ]
    return rows


def _given(data: SubjectData, person: PersonKeys) -> tuple[list[TimelineRow], int]:
    """Return the newest approvals that a person gave, and how many there are in all."""
    if not has_register(data.ledger, APPROVALS):
        return [], 0
    entries = data.registers[APPROVALS].entries.reset_index(drop=True)
    theirs = entries[entries["approver_id"].isin(person.keys)]
    newest = theirs.sort_values("approved_at", kind="stable").tail(MOST_APPROVALS_GIVEN)
    references = tuple(sorted({str(text) for text in newest["payment"] if text}))
    filters = PaymentFilters(references=references)
    limit = 2 * MOST_APPROVALS_GIVEN
    found_rows = payment_queries.find_payments(data.uow, filters, limit=limit) if references else []
    payments = {person_key(row["transaction_id"]): row for row in found_rows}
    rows = []
    for position, reference in zip(newest.index, newest["payment"], strict=True):
        payment = payments.get(reference)
        holder = str(payment["holder_id"] or "") if payment else ""
        if person_key(holder) in data.people.hidden:
            continue
        row = data.entry_row(APPROVALS, int(position), None)
        place = f"{payment['statement_id']}:{payment['row']}" if payment else ""
        pence = payment["amount_pence"] if payment else None
        other = data.people.link(holder)
        rows.append(replace(row, text="Approved a payment of theirs", cardholder=other, place=place,
                            amount_pence=pence))  # fmt: skip
    return rows, len(theirs) - len(newest) + len(rows)


def _firms(data: SubjectData, entries: list[tuple[int, TimelineRow]]) -> Iterator[Relation]:
    """Give what ties a person to suppliers: payments, and entries that name one they paid."""
    for merchant, paid in data.ledger.frame.groupby("merchant_id", sort=True):
        days = str(paid["date"].min().date()), str(paid["date"].max().date())
        pence = int(paid["amount_pence"].sum())
        yield Relation("paid", None, data.supplier(str(merchant)), len(paid), pence, *days)
    for _, row in entries:
        if row.supplier is not None:
            yield Relation(row.kind, None, row.supplier, 1, None, row.on, row.on, row.match)


def _approvals(rows: list[TimelineRow], how: str) -> Iterator[Relation]:
    """Give whom somebody approved, or by whom they were approved."""
    for row in rows:
        if row.cardholder is not None:
            yield Relation(how, row.cardholder, None, 1, None, row.on, row.on)


def _cards(data: SubjectData, person: PersonKeys) -> Iterator[Relation]:
    """Give who approves a person's card, and whose cards they approve, by the card register."""
    pairs = ((h, approver) for h, names in data.loaded.approvers.items() for approver in names)
    for holder, approver in sorted(pairs):
        if person_key(holder) in person.keys and (other := data.people.link(approver)):
            yield Relation("card-approved-by", other, None, 1)
        if person_key(approver) in person.keys and (other := data.people.link(holder)):
            yield Relation("approves-card-of", other, None, 1)


def _units(data: SubjectData) -> tuple[SubjectLink, ...]:
    """Return the units of a person's payments, in order."""
    codes = sorted({str(code) for code in data.ledger.texts("cost_centre")[1]} - {""})
    return tuple(SubjectLink(subject_ids.unit_id(data.uow, code), code) for code in codes)
