"""Parts that the pages of suppliers, cardholders and units share: alerts, registers, paging."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from cardwatch.casebook import PSD, alert_queries
from cardwatch.errors import CardwatchError
from cardwatch.features.registered import has_register
from cardwatch.features.staff import approval_rows
from cardwatch.registers import BANDS, register_kinds, register_quality
from cardwatch.services.register_inputs import MATCHES
from cardwatch.services.subject_rows import RegisterRead, Relation, Timeline, TimelineRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from cardwatch.casebook.alert_queries import AlertFilter
    from cardwatch.services.context import ServiceContext
    from cardwatch.services.subject_data import SubjectData

ROWS_PER_PAGE = 50
"""Rows of a timeline on one page."""
MOST_RELATIONS = 50
"""Relations that a page lists."""
MOST_SUBJECT_ALERTS = 500
"""Alerts that a timeline has at most, the first in the order to be asked in."""
APPROVALS = "approvals"
TIMELINE_KINDS = ("payments", "registers", "approvals", "alerts")
"""Kinds to which a timeline can be limited."""


def check_reader(context: ServiceContext) -> None:
    """Refuse everybody but professional standards; within a piece of work only.

    Raises:
        NotAllowed: they are somebody else.
    """
    context.allow((PSD,), "see this page")


def timeline_page(rows: Iterable[TimelineRow], kind: str, page: int) -> Timeline:
    """Return one page of a timeline, the newest first.

    Args:
        rows: of all pages, in any order.
        kind: one of `TIMELINE_KINDS`; empty for all.
        page: its number, from 1; past the last it is the last.

    Raises:
        CardwatchError: there is no such kind.
    """
    if kind and kind not in TIMELINE_KINDS:
        raise CardwatchError(f"Choose one of {', '.join(TIMELINE_KINDS)}.", field="kind")
    chosen = [row for row in rows if kind in {"", _kind_of(row)}]
    chosen.sort(key=lambda row: (row.kind, row.text, row.place, row.source, row.alert_id))
    chosen.sort(key=lambda row: row.on, reverse=True)
    pages = max(-(-len(chosen) // ROWS_PER_PAGE), 1)
    page = min(page, pages)
    first = ROWS_PER_PAGE * (page - 1)
    return Timeline(tuple(chosen[first : first + ROWS_PER_PAGE]), len(chosen), page, pages)


def _kind_of(row: TimelineRow) -> str:
    """Kind under which a row is shown: one of `TIMELINE_KINDS`."""
    others = {"payment": "payments", "approvals": "approvals", "alert": "alerts"}
    return others.get(row.kind, "registers")


def alert_rows(data: SubjectData, alert_filter: AlertFilter) -> list[TimelineRow]:
    """Return alerts as rows of a timeline: what each asks, and how it was answered."""
    alerts = alert_queries.find_alerts(data.uow, alert_filter, limit=MOST_SUBJECT_ALERTS)
    ids = [alert["alert_id"] for alert in alerts]
    titles = alert_queries.alert_titles(data.uow, ids)
    decided = alert_queries.decided_days(data.uow, ids)
    rows = []
    for alert in alerts:
        people = [*alert["holders"], *alert["approvers"]]
        several = len(people) != 1
        rows.append(
            TimelineRow(
                on=alert["last_on"],
                kind="alert",
                text=titles[alert["alert_id"]]["title"],
                cardholder=None if several else data.people.link(people[0]),
                supplier=data.supplier(alert["merchants"][0])
                if len(alert["merchants"]) == 1
                else None,
                amount_pence=alert["at_stake_pence"] or None,
                state=alert["state"],
                decided_on=decided.get(alert["alert_id"], ""),
                alert_id=alert["alert_id"],
            )
        )
    return rows


def approvals_received(data: SubjectData) -> list[TimelineRow]:
    """Return the approvals of some payments; those by who is hidden are left out."""
    if not has_register(data.ledger, APPROVALS):
        return []
    approved, payments = approval_rows(data.ledger), data.payment_rows()
    columns = (approved[name] for name in ("row", "entry", "approver_id"))
    rows = []
    for number, entry, approver in zip(*columns, strict=True):
        if other := data.person(approver):
            row, payment = data.entry_row(APPROVALS, int(entry), None), payments[number]
            rows.append(
                replace(
                    row,
                    text="Payment approved",
                    cardholder=other,
                    place=payment.place,
                    amount_pence=payment.amount_pence,
                )
            )
    return rows


def names_people(data: SubjectData, kind: str) -> bool:
    """Return whether a register names people whom its entries are about."""
    entries = data.registers[kind].entries
    columns = ("employee_id", "approver_id", "panel")
    return kind != MATCHES and any(name in entries for name in columns)


def registers_read(
    data: SubjectData, kinds: Iterable[str], matched: Mapping[str, int]
) -> tuple[RegisterRead, ...]:
    """Return how much of each register held was compared.

    Args:
        data: of the subject.
        kinds: the registers that can concern it.
        matched: entries that concern it, by register.
    """
    today = pd.Timestamp(data.uow.today)
    units = list(data.ledger.texts("cost_centre")[1])
    qualities = {kind: register_quality(data.registers[kind], today, units) for kind in kinds}
    return tuple(
        RegisterRead(
            kind=kind,
            title=quality.title,
            entries=quality.entries,
            unreadable=quality.rows_unreadable,
            silent_units=quality.silent_units,
            matched=matched.get(kind, 0),
        )
        for kind, quality in sorted(qualities.items())
    )


def registers_missing(data: SubjectData) -> tuple[str, ...]:
    """Return the titles of the registers of which no version is held."""
    kinds = register_kinds()
    return tuple(kinds[k].title for k in sorted(kinds) if k not in {*data.registers, MATCHES})


def joined_relations(relations: Iterable[Relation]) -> list[Relation]:
    """Return relations of the same two and kind as one: those of registers first, then by money."""
    by_pair: dict[tuple[object, ...], Relation] = {}
    for relation in relations:
        key = relation.how, relation.cardholder, relation.supplier
        before = by_pair.get(key)
        by_pair[key] = _together(before, relation) if before else relation
    return sorted(by_pair.values(), key=_weight)


def _weight(relation: Relation) -> tuple[object, ...]:
    """The place of a relation in a list: the surest match first, then the most money."""
    bands = (*BANDS, "")
    other = relation.cardholder or relation.supplier
    money = relation.pence or 0
    name = other.id if other else ""
    return bands.index(relation.match), -money, -relation.count, relation.how, name


def _together(one: Relation, other: Relation) -> Relation:
    """Return two relations as one: counts and money added, the surest match."""
    days = sorted(filter(None, (one.first_on, one.last_on, other.first_on, other.last_on)))
    pence = None if one.pence is None else one.pence + (other.pence or 0)
    return replace(
        one,
        count=one.count + other.count,
        pence=pence,
        first_on=days[0] if days else "",
        last_on=days[-1] if days else "",
        match=surest((one.match, other.match)),
    )


def surest(bands: Sequence[str]) -> str:
    """The surest of some bands; empty without any."""
    return next((band for band in BANDS if band in bands), "")
