"""Verifies and reads the audit chains.

Whoever changes, removes, inserts or reorders a past event breaks the chain after it. Whoever cuts
off the newest events, or rewrites a whole chain, is found out by an earlier checkpoint
(`checkpoints`).
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import sqlalchemy as sa

from cardwatch.casebook.derived_rows import derived_fault
from cardwatch.casebook.tables import audit_events, metadata
from cardwatch.casebook.unit_of_work import (
    SEALED,
    SEALED_FOR_PSD,
    canonical,
    first_hash,
    next_hash,
    sealed_columns,
)
from cardwatch.quantities import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardwatch.casebook.rows import Event
    from cardwatch.casebook.unit_of_work import UnitOfWork

EVENTS_PER_QUERY = 20_000
OWN_FIELDS = ("at", "actor", "role", "action", "object", "id", "purpose", "outcome")
"""Fields that a reader who holds a card sees of their own events: no count, no seal."""


@dataclass(frozen=True)
class ChainCheck:
    """The result of verifying one chain.

    Attributes:
        events: how many follow each other without a break.
        last_hash: of the last of them.
        broken_at: number of the first event that does not fit, 0 where all do.
        fault: what is wrong, in a sentence; empty where nothing is.
    """

    lane: str
    events: int
    last_hash: str
    broken_at: int = 0
    fault: str = ""


def verify_chain(uow: UnitOfWork, lane: str) -> ChainCheck:
    """Follow a chain from its first event to its last."""
    owner = uow.actor.organisation_id
    question = (
        sa.select(audit_events.c.seq, audit_events.c.body, audit_events.c.hash)
        .where(audit_events.c.organisation_id == owner, audit_events.c.lane == lane)
        .order_by(audit_events.c.seq)
        .execution_options(yield_per=EVENTS_PER_QUERY)
    )
    before, count = first_hash(owner, lane), 0
    seals: Counter[str] = Counter()
    with closing(uow.connection.execute(question)) as rows:
        for seq, body, stored_hash in rows:
            if seq != count + 1:
                fault = f"event {count + 1} is not there"
                return ChainCheck(lane, count, before, count + 1, fault)
            if stored_hash != (after := next_hash(before, body)):
                fault = f"event {seq}, or the one before it, has been changed"
                return ChainCheck(lane, count, before, seq, fault)
            before, count = after, seq
            if '"sealed":' in body or '"unsealed":' in body:
                content = json.loads(body)
                seals.update(content.get("sealed", ()))
                seals.subtract(content.get("unsealed", ()))
    fault = _check_seals(uow, lane, seals) or derived_fault(uow, lane)
    return ChainCheck(lane, count, before, fault=fault)


def current_seals(uow: UnitOfWork, lane: str) -> Iterator[tuple[str, str]]:
    """The seal of each row that a chain has to hold the seal of, with the name of its table."""
    for name in SEALED:
        table = metadata.tables[name]
        question = sealed_columns(table).where(uow.scope(table))
        if "lane" in table.c and name not in SEALED_FOR_PSD:
            question = question.where(table.c.lane == lane)
        for chain, seal in uow.seals_of(table, uow.fetch_all(question)):
            if chain == lane:
                yield name, seal


def _check_seals(uow: UnitOfWork, lane: str, seals: Counter[str]) -> str:
    """Return which table's rows are not those that a chain holds the seals of, or nothing."""
    for name, seal in current_seals(uow, lane):
        if seals[seal] < 1:
            return f"a row of {name} is not as it was written"
        seals[seal] -= 1
    if any(count < 0 for count in seals.values()):  # cardwatch itself changed or erased it since
        return "a row was changed by hand, and changed again or erased since"
    gone = sum(seals.values())
    are = plural(gone, "row that was written is", "rows that were written are")
    return f"{gone} {are} missing" if gone else ""


def read_events(  # noqa: PLR0913  bounds on both sides
    uow: UnitOfWork,
    lane: str,
    *,
    last: int = 0,
    skip: int = 0,
    before: int = 0,
    after: int = 0,
    wanted: Mapping[str, str] | None = None,
) -> Iterator[Event]:
    """Return the events of a chain, the newest first.

    Args:
        lane: whose chain.
        last: so many at most; 0 for all.
        skip: how many of the newest are left out.
        before: number of the event before which they lie; 0 for the end.
        after: number of the event after which they lie; 0 for the first.
        wanted: what fields of an event have to be, such as `action`.
    """
    fits = _fits(uow, lane, before, wanted or {})
    question = sa.select(audit_events.c.body).where(fits, audit_events.c.seq > after)
    question = question.order_by(audit_events.c.seq.desc()).offset(skip)
    for row in uow.fetch_all(question.limit(last) if last else question):
        yield json.loads(row["body"])


def count_events(
    uow: UnitOfWork, lane: str, *, before: int = 0, wanted: Mapping[str, str] | None = None
) -> tuple[int, int]:
    """Return how many events of a chain fit, and the number of the newest of them; 0 without any.

    Arguments as of `read_events`.
    """
    question = sa.select(sa.func.count(), sa.func.max(audit_events.c.seq))
    question = question.where(_fits(uow, lane, before, wanted or {}))
    count, newest = uow.connection.execute(question).one()
    return count, newest or 0


def _fits(
    uow: UnitOfWork, lane: str, before: int, wanted: Mapping[str, str]
) -> sa.ColumnElement[bool]:
    """Condition that an event of a chain lies before another and is what is wanted."""
    fits = uow.scope(audit_events) & (audit_events.c.lane == lane)
    if before:
        fits &= audit_events.c.seq < before
    for name, value in wanted.items():  # a body is JSON in one form only
        fits &= audit_events.c.body.contains(f'"{name}":{canonical(value)}')
    return fits


def own_events(
    uow: UnitOfWork,
    lane: str,
    *,
    before: int = 0,
    wanted: Mapping[str, str] | None = None,
) -> list[Event]:
    """Return the actor's own events of a chain, numbered for them, the newest first.

    For readers who hold a card: what others did with an alert about them, and how many events or
    alerts there are, would tell them that there is one. Arguments as of `read_events`.
    """
    actor = {"actor": uow.actor.actor_id}
    events_of = reversed(list(read_events(uow, lane, wanted=actor)))
    numbered = [
        (number, {name: value for name, value in event.items() if name in OWN_FIELDS})
        for number, event in enumerate(events_of, start=1)
    ]
    return [
        cast("Event", event | {"seq": number})
        for number, event in reversed(numbered)
        if (not before or number < before)
        and all(event[name] == value for name, value in (wanted or {}).items())
    ]
