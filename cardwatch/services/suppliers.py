"""The page of a supplier: payments, approvers, registers and alerts in one timeline."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from cardwatch.casebook import AuditEvent, payment_queries, subject_ids
from cardwatch.casebook.alert_queries import AlertFilter
from cardwatch.casebook.payment_queries import PaymentFilters
from cardwatch.features.registered import keys_of_payments
from cardwatch.merchants import link_merchants
from cardwatch.services.own_entries import panel_keys
from cardwatch.services.scoring_inputs import active_settings
from cardwatch.services.subject_data import SubjectData, load_subject
from cardwatch.services.subject_rows import (
    RegisterRead,
    Relation,
    SubjectLink,
    SubjectTotals,
    Timeline,
    TimelineRow,
)
from cardwatch.services.subject_timeline import (
    MOST_RELATIONS,
    alert_rows,
    approvals_received,
    check_reader,
    joined_relations,
    registers_missing,
    registers_read,
    timeline_page,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cardwatch.casebook import UnitOfWork
    from cardwatch.policy import Policy
    from cardwatch.services.context import ServiceContext


@dataclass(frozen=True)
class SupplierDetail:
    """Details of one supplier.

    Attributes:
        printed: how statements print it.
        cardholders: how many paid it.
        registers: how much of each register held was compared.
        missing: titles of the registers of which no version is held.
        relations: at most `MOST_RELATIONS`, those of registers first.
        relations_count: how many there are in all.
    """

    supplier: SubjectLink
    printed: tuple[str, ...]
    totals: SubjectTotals
    cardholders: int
    registers: tuple[RegisterRead, ...]
    missing: tuple[str, ...]
    relations: tuple[Relation, ...]
    relations_count: int
    timeline: Timeline


def get_supplier(
    context: ServiceContext, supplier_id: str, *, kind: str = "", page: int = 1
) -> SupplierDetail:
    """Return what is known today of a supplier, and a page of its timeline.

    Args:
        supplier_id: its id.
        kind: what the timeline is limited to; see `subject_timeline.TIMELINE_KINDS`.
        page: number of the timeline's page, from 1.

    Raises:
        NotAllowed: the role is not professional standards'.
        NotFound: there is no such supplier.
        CardwatchError: there is no such kind.
    """
    event = AuditEvent("consultation", "supplier")
    with context.work(event) as uow:
        check_reader(context)
        name, names = _find(uow, active_settings(uow).policy, supplier_id)
        event.object_id = supplier_id
        data = load_subject(uow, PaymentFilters(merchants=names))
        matched = _matched(data)
        rows = [*data.payment_rows(), *(row for _, row in matched), *approvals_received(data)]
        rows += alert_rows(data, AlertFilter(merchants=names))
        relations = joined_relations(_relations(data, matched))
        return SupplierDetail(
            supplier=SubjectLink(supplier_id, name),
            printed=tuple(subject_ids.printed_names(uow, names)),
            totals=data.totals,
            cardholders=len(data.spellings),
            registers=registers_read(data, data.kinds(), Counter(row.kind for _, row in matched)),
            missing=registers_missing(data),
            relations=tuple(relations[:MOST_RELATIONS]),
            relations_count=len(relations),
            timeline=timeline_page(rows, kind, page),
        )


def _find(uow: UnitOfWork, policy: Policy, supplier_id: str) -> tuple[str, tuple[str, ...]]:
    """Return the one name of a supplier, and all names that a scoring takes for the same one.

    Raises:
        NotFound: there is no such supplier.
    """
    frame = pd.DataFrame(payment_queries.first_payments(uow), columns=["merchant", "day"])
    days = pd.to_datetime(frame["day"])
    printed = frame["merchant"].astype("str")
    linked = link_merchants(printed, days, policy.merchant_aliases, policy.payment_processors)
    names = map(subject_ids.compared_name, printed)
    pairs = set(zip(names, linked["merchant_id"], strict=True))
    merchants = sorted({m for pair in pairs for m in pair[1:] if supplier_id in _ids(uow, pair)})
    if not merchants:  # an alert names it, and its payments are erased
        name = subject_ids.merchant_of_id(uow, supplier_id)
        return name, (name,)
    return merchants[0], tuple(sorted({name for name, m in pairs if m in merchants}))


def _ids(uow: UnitOfWork, names: tuple[str, str]) -> list[str]:
    """The ids of a merchant by its name in a statement and by its one name."""
    return [subject_ids.supplier_id(uow, name) for name in names]


def _matched(data: SubjectData) -> list[tuple[int, TimelineRow]]:
    """Return the entries that name the supplier, each once by its surest match, with positions."""
    matched = []
    for kind in data.kinds():
        seen: set[int] = set()
        for position, match in data.linked(kind):
            if position not in seen:
                seen.add(position)
                matched.append((position, data.entry_row(kind, position, match)))
    return matched


def _relations(data: SubjectData, matched: list[tuple[int, TimelineRow]]) -> Iterator[Relation]:
    """Give what ties people to the supplier: payments, approvals, and entries of registers."""
    for holder, paid in data.ledger.frame.groupby("holder_id", sort=True):
        days = str(paid["date"].min().date()), str(paid["date"].max().date())
        pence = int(paid["amount_pence"].sum())
        yield Relation("paid", data.people.link(str(holder)), None, len(paid), pence, *days)
    approved = Counter(keys_of_payments(data.ledger)["approver_key"])
    for approver, count in sorted(approved.items()):
        if person := data.person(approver):
            yield Relation("approved", person, None, count)
    for position, row in matched:
        people = [row.cardholder]
        if row.kind == "tenders":
            panel = data.registers["tenders"].entries["panel"].iloc[position]
            people = [data.person(key) for key in sorted(panel_keys(panel))] or [None]
        for person in people:
            yield Relation(row.kind, person, None, 1, None, row.on, row.on, row.match)
