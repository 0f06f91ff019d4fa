"""One piece of work: for whom it is done, what it may touch, and the event that tells of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from cardwatch.casebook import tables

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Row = dict[str, Any]
"""One row of an answer, by the names of its columns."""
ROWS_AT_ONCE = 10_000
SYSTEM = "cardwatch"
"""Who decides what the casebook decides by itself."""
ACTIONS = (
    "collection", "alteration", "consultation", "disclosure", "combination", "erasure", "access",
)  # fmt: skip
"""What an event can be: the words of the Data Protection Act 2018, s. 62, and who may come in."""


@dataclass(frozen=True)
class Actor:
    """Who does something: a person or a key of one organisation, with a role.

    Attributes:
        actor_id: of the person or key; no name.
        holder_id: who they are in statements; they see no alert about themselves.
    """

    organisation_id: str
    actor_id: str
    role: str
    holder_id: str = ""

    @property
    def lanes(self) -> tuple[str, ...]:
        """The lanes whose alerts they may see."""
        return tables.ROLES[self.role]

    @property
    def chain(self) -> str:
        """The audit chain in which their doings stand: psd's leave no trace in the other."""
        return tables.PSD if self.role == "psd" else tables.FINANCE


@dataclass
class Event:
    """What one piece of work did, for the audit chain: ids only, no personal data."""

    action: str
    object_kind: str
    object_id: str = ""
    purpose: str = ""
    outcome: str = "done"
    counts: dict[str, int] = field(default_factory=dict)


@dataclass
class Work:
    """One piece of work: a transaction for one actor, with the event that tells of it.

    Attributes:
        lanes: those it may touch: the actor's, or all where the casebook acts by itself.
        now: the moment, as text.
    """

    connection: sa.Connection
    actor: Actor
    lanes: tuple[str, ...]
    now: str
    event: Event
    also: list[tuple[str, Event]] = field(default_factory=list)

    @property
    def today(self) -> str:
        """The day, as text."""
        return self.now[:10]

    def mine(self, *owned: sa.FromClause) -> sa.ColumnElement[bool]:
        """Return what every question to some tables has to ask for: own organisation, own lanes."""
        asked = [table.c.organisation_id == self.actor.organisation_id for table in owned]
        asked += [table.c.lane.in_(self.lanes) for table in owned if "lane" in table.c]
        return sa.and_(*asked)

    def rows(self, question: sa.Select[Any]) -> list[Row]:
        """Return the rows that answer a question."""
        return [dict(row) for row in self.connection.execute(question).mappings()]

    def one(self, question: sa.Select[Any]) -> Row | None:
        """Return the row that answers a question, or nothing."""
        found = self.connection.execute(question).mappings().first()
        return None if found is None else dict(found)

    def add(self, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add rows of the actor's organisation to a table."""
        owner = {"organisation_id": self.actor.organisation_id}
        for first in range(0, len(rows), ROWS_AT_ONCE):
            part = [owner | dict(row) for row in rows[first : first + ROWS_AT_ONCE]]
            self.connection.execute(sa.insert(table), part)

    def change(
        self, table: sa.Table, which: sa.ColumnElement[bool], values: Mapping[str, Any]
    ) -> int:
        """Change the actor's organisation's rows that fit; return how many these were."""
        done = self.connection.execute(
            sa.update(table).where(self.mine(table), which).values(**values)
        )
        return int(done.rowcount)

    def remove(self, table: sa.Table, which: sa.ColumnElement[bool]) -> int:
        """Remove the actor's organisation's rows that fit; return how many these were."""
        done = self.connection.execute(sa.delete(table).where(self.mine(table), which))
        return int(done.rowcount)


def append_event(work: Work, lane: str, event: Event) -> None:
    """Append an event to a chain; see `audit` for how it is verified.

    The hash covers the body, which holds the event's number, and the hash before it.
    """
    assert event.action in ACTIONS
    owner, mine = work.actor.organisation_id, tables.events.c
    if work.connection.dialect.name != "sqlite":
        lock = sa.func.pg_advisory_xact_lock(lock_number("events", owner, lane))
        work.connection.execute(sa.select(lock))
        set_local(work.connection, "lanes", lane)
    work.connection.info["owner"] = owner, frozenset({lane})
    last = work.one(
        sa.select(mine.seq, mine.hash)
        .where(mine.organisation_id == owner, mine.lane == lane)
        .order_by(mine.seq.desc())
        .limit(1)
    )
    seq, before = (last["seq"] + 1, last["hash"]) if last else (1, first_hash(owner, lane))
    content = {
        "seq": seq,
        "at": work.now,
        "actor": work.actor.actor_id,
        "role": work.actor.role,
        "action": event.action,
        "object": event.object_kind,
        "id": event.object_id,
        "purpose": event.purpose,
        "outcome": event.outcome,
        "counts": event.counts,
    }
    body = canonical(content)
    row = {"lane": lane, "seq": seq, "body": body, "hash": next_hash(before, body)}
    work.add(tables.events, [row])


def first_hash(organisation_id: str, lane: str) -> str:
    """Return what the first event of a chain follows."""
    return hashlib.sha256(f"cardwatch chain 1\n{organisation_id}\n{lane}".encode()).hexdigest()


def next_hash(before: str, body: str) -> str:
    """Return the hash of an event that follows another."""
    return hashlib.sha256(f"cardwatch event 1\n{before}\n{body}".encode()).hexdigest()


def canonical(content: object) -> str:
    """Return content as JSON in one form only: keys in order, no spaces, text as it is."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def short_id(*parts: str) -> str:
    """Return twelve hex digits made of some parts: the same parts, the same id."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def set_local(connection: sa.Connection, name: str, value: str) -> None:
    """Set what row-level security asks for, until the transaction ends."""
    setting = sa.func.set_config(f"app.{name}", value, sa.true())
    connection.execute(sa.select(setting))


def lock_number(*parts: str) -> int:
    """Return a number for a lock of PostgreSQL: 63 bits of a hash."""
    return int(hashlib.sha256("\n".join(parts).encode()).hexdigest()[:15], 16)
