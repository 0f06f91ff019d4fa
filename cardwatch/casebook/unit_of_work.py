"""Unit of work: the actor, the organisation and lanes it may touch, and its audit event."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
from collections import defaultdict
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, overload

import sqlalchemy as sa

from cardwatch.casebook import tables
from cardwatch.errors import CasebookBusy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from cardwatch.vocabulary import Lane

Row = dict[str, Any]
"""One row of an answer, by the names of its columns."""
Select = sa.Select[Any]
"""A SELECT, whatever its columns."""
R = TypeVar("R")
"""A kind of row: a class of `rows` or `alert_rows`."""
ROWS_AT_ONCE = 10_000
ALL: frozenset[str] = frozenset({"*"})
"""In place of some columns of a table: every one."""
SEALED: dict[str, tuple[str, ...]] = {
    "organisations": ("name", "made_at", "keeps", "person_keys"),
    "people": ("person_id", "name", "email", "role", "holder_id", "holds_no_card", "made_at",
               "ended_at", "identity"),
    "accounts": ("person_id", "password", "totp", "totp_step", "invited_sha256", "invited_until",
                 "invited_by", "taken_at", "inviters"),
    "keys": ("key_id", "name", "role", "secret_sha256", "can_decide", "scope", "made_by",
             "made_at", "expires_on", "ended_at"),
    "directory_groups": ("group_id", "name", "external_id", "role", "made_at", "changed_at"),
    "directory_users": ("user_id", "user_name", "email", "name", "employee_number", "is_active",
                        "content", "role", "waits_for", "made_at", "changed_at"),
    "directory_members": ("group_id", "user_id"),
    "active_documents": ("kind", "seq", "sha256", "effective_from", "activated_by",
                         "activated_at"),
    "column_profiles": ("name", "content", "role", "made_by", "made_at", "agreed_by"),
    "proposals": ("lane", "proposal_id", "kind", "sha256", "effective_from", "reason", "made_by",
                  "made_at", "state", "decided_by", "decided_at"),
    "approvals": ("lane", "approval_id", "kind", "scope", "state", "made_by", "made_at",
                  "expires_at", "decided_by", "decided_at", "used_at"),
    "import_requests": ("role", "request_id", "made_by", "made_at"),
    "webhooks": ("lane", "url", "made_by", "made_at"),
    "statements": ("statement_id", "seq", "sha256", "label", "received_by", "received_at",
                   "corrects", "superseded_seq", "first_on", "last_on", "transactions", "pence",
                   "duplicate_count", "rows_sha256", "report", "is_scored", "window_from",
                   "input_sha256", "erased_at"),
    "alert_lists": ("lane", "statement_id", "seq", "content", "alerts_sha256", "registers",
                    "known_by"),
    "alert_snapshots": ("lane", "statement_id", "alert_id", "list_seq", "rank", "content"),
    "decisions": ("lane", "alert_id", "version", "state", "reason", "assigned_to", "due_on",
                  "snoozed_until", "tags", "recovered_pence", "decided_by", "decided_at"),
    "identity_reveals": ("lane", "alert_id", "made_by", "reason", "made_at"),
    "register_versions": ("lane", "version_id", "kind", "seq", "file", "sha256", "known_from",
                          "replaces", "entries", "unreadable", "content_sha256", "received_by",
                          "received_at"),
    "match_decisions": ("lane", "seq", "organisation", "merchant", "decision", "reason",
                        "decided_by", "decided_at"),
    "exports": ("lane", "disclosure_id", "statement_id", "purpose", "recipient", "made_by",
                    "made_at"),
    "queries": ("lane", "query_id", "recipient", "email", "reply_to", "due_on", "sent_by",
                "sent_at"),
    "query_replies": ("lane", "query_id", "seq", "replied_by", "replied_on", "text",
                      "recorded_by", "recorded_at"),
    "case_entries": ("lane", "case_id", "version", "kind", "object_id", "text", "title", "owner",
                     "outcome", "made_by", "made_at"),
    "case_attachments": ("lane", "attachment_id", "case_id", "name", "media_type", "size",
                         "sha256", "made_by", "made_at"),
    "referrals": ("lane", "referral_id", "alert_id", "version", "reason", "made_by", "made_at"),
    "legal_holds": ("lane", "hold_id", "alert_id", "reason", "made_by", "made_at", "ended_at"),
    "suppressions": ("lane", "suppression_id", "holders", "merchants", "kind", "rule", "alert_id",
                     "most_pence", "reason", "expires_on", "made_by", "made_at", "ended_at"),
    "complaints": ("complaint_id", "kind", "person", "subject", "received_on", "acknowledged_on",
                   "answered_on", "answer", "made_by", "made_at"),
    "referral_answers": ("lane", "referral_id", "case_id", "reason", "made_by", "made_at"),
}  # fmt: skip
"""Tables whose rows the chains hold seals of, and the columns that are sealed."""
SEALED_FOR_PSD: dict[str, tuple[str, ...]] = {
    "statements": ("statement_id", "made_with"),
    "alert_lists": ("lane", "statement_id", "seq", "made_with"),
}
"""Columns that name psd's rules among others: where they say something, psd's chain has a second
seal of the row, as finance's must not change with these rules."""
PSD_DOCUMENTS = ("rules", tables.ORDER_KINDS[tables.PSD])
"""Kinds of document of which only professional standards see when each was activated."""
SYSTEM = "cardwatch"
"""The actor of automatic decisions."""
ACTIONS = (
    "collection", "alteration", "consultation", "disclosure", "combination", "erasure", "access",
)  # fmt: skip
"""Kinds of audit event: those of the Data Protection Act 2018, s. 62, and access."""


@dataclass(frozen=True)
class Actor:
    """The actor: a person or an API key of one organisation, with a role.

    Attributes:
        actor_id: of the person or key; no name.
        holder_id: who they are in statements; they see no alert about themselves.
        can_decide: whether they may record decisions; a key may not unless it was made so.
        scope: what a key is for alone, such as `directory`; empty where its role says it all.
        made_by: the person who made a key; empty for a person, and a key of the installation.
    """

    organisation_id: str
    actor_id: str
    role: str
    holder_id: str = ""
    can_decide: bool = True
    scope: str = ""
    made_by: str = ""

    @property
    def responsible_id(self) -> str:
        """Whose use it is: the person who acts, or who made the key that does."""
        return self.made_by or self.actor_id

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """The lanes whose alerts they may see."""
        return tables.ROLES[self.role]

    @property
    def rule_lanes(self) -> tuple[Lane, ...]:
        """The lanes whose rules they may see: everybody those of finance."""
        return (*self.lanes, tables.FINANCE)

    @property
    def public_id(self) -> str:
        """The id that others may read: who belongs to professional standards is not for them."""
        return SYSTEM if self.role == tables.PSD else self.actor_id

    @property
    def chain(self) -> str:
        """The audit chain in which their doings stand: psd's leave no trace in the other."""
        return tables.PSD if self.role == "psd" else tables.FINANCE


@dataclass
class AuditEvent:
    """An event for the audit chain: ids only, no personal data.

    Attributes:
        chain: the chain it stands in; the actor's own where none is said.
        entries: of a register, that it tells of: version and row of each.
    """

    action: str
    object_kind: str
    object_id: str = ""
    purpose: str = ""
    outcome: str = "done"
    counts: dict[str, int] = field(default_factory=dict)
    chain: str = ""
    entries: list[str] = field(default_factory=list)


@dataclass
class UnitOfWork:
    """One piece of work: a transaction for one actor, with the event that tells of it.

    Attributes:
        lanes: those it may touch: the actor's, or all where the casebook acts by itself.
        now: the moment, as text.
        extra_events: further events, for what is done in a lane that is not the actor's.
        sealed, unsealed: by lane, seals of rows that were written, and of rows that were erased.
        is_unaudited: whether it leaves no event, and so may change machinery alone.
    """

    connection: sa.Connection
    actor: Actor
    lanes: tuple[str, ...]
    now: str
    event: AuditEvent
    extra_events: list[AuditEvent] = field(default_factory=list)
    sealed: dict[str, list[str]] = field(default_factory=dict)
    unsealed: dict[str, list[str]] = field(default_factory=dict)
    is_unaudited: bool = False

    @cached_property
    def _secret(self) -> bytes:
        """The secret of the organisation, which nobody replaces before this work is done."""
        self.lock("secret", shared=True)
        organisation = self.fetch_one(
            sa.select(tables.organisations.c.secret).where(self.scope(tables.organisations))
        )
        return str(organisation["secret"]).encode() if organisation else b""

    def keyed(self, *parts: str) -> str:
        """Return 32 hex digits made of some parts and the organisation's secret."""
        text = "\n".join(parts).encode()
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()[:32]

    def seals_of(
        self, table: sa.Table, rows: Sequence[Mapping[str, Any]], changed: AbstractSet[str] = ALL
    ) -> Iterator[tuple[str, str]]:
        """Give the seals of rows, each after its chain; they change with every sealed value.

        Args:
            table: whose rows.
            rows: with all sealed columns.
            changed: columns; seals that depend on none of them are left out.
        """
        names = SEALED[table.name]
        if changed is ALL or changed & set(names):
            for chain, row in zip(self.chains_of(table, rows), rows, strict=True):
                yield chain, self._seal("seal", table, row, names)
        for_psd = SEALED_FOR_PSD.get(table.name, ())
        if changed is ALL or changed & set(for_psd):
            for row in rows if for_psd else ():
                if row.get(for_psd[-1]):
                    yield tables.PSD, self._seal("seal for psd", table, row, for_psd)

    def _seal(self, use: str, table: sa.Table, row: Mapping[str, Any], names: Sequence[str]) -> str:
        """Return the seal of a row: a flag is sealed as it is stored, 0 or 1."""
        values = {name: row.get(name) for name in names}
        flags = {name: int(value) for name, value in values.items() if isinstance(value, bool)}
        return self.keyed(use, table.name, canonical(values | flags))

    def chains_of(self, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> list[str]:
        """Return the chain that holds the seal of each row: who may know of it reads that chain."""
        if table is tables.accounts:
            question = sa.select(tables.people.c.person_id).where(
                self.scope(tables.people), tables.people.c.role == tables.PSD
            )
            members = {row["person_id"] for row in self.fetch_all(question)}
            are_psd = [row["person_id"] in members for row in rows]
        elif table is tables.active_documents:
            are_psd = [row["kind"] in PSD_DOCUMENTS for row in rows]
        else:
            are_psd = [tables.PSD in {row.get("lane"), row.get("role")} for row in rows]
        return [tables.PSD if is_psd else tables.FINANCE for is_psd in are_psd]

    def _note_seals(
        self,
        seals: dict[str, list[str]],
        table: sa.Table,
        rows: Sequence[Mapping[str, Any]],
        changed: AbstractSet[str] = ALL,
    ) -> None:
        """Let the event of each row's chain hold its seals, or take them back."""
        for chain, seal in self.seals_of(table, rows, changed):
            seals.setdefault(chain, []).append(seal)

    @property
    def chain(self) -> str:
        """The chain that the event of this work stands in."""
        return self.event.chain or self.actor.chain

    def tell(self, event: AuditEvent, chains: Iterable[str]) -> None:
        """Add an event to chains: what this work's own says of another chain's rows, or instead."""
        self.extra_events += [replace(event, chain=chain) for chain in sorted(chains)]

    def _sealed_rows(self, table: sa.Table, which: sa.ColumnElement[bool]) -> list[Row]:
        """Return rows of a sealed table, which nobody else changes before this work is done."""
        question = sealed_columns(table).where(self.scope(table), which)
        never_change = table.name in tables.RIGHTS  # a lock needs the right to change them
        return self.fetch_all(question if never_change else question.with_for_update())

    @property
    def today(self) -> str:
        """The day, as text."""
        return self.now[:10]

    def scope(self, *owned: sa.FromClause) -> sa.ColumnElement[bool]:
        """WHERE condition: the actor's organisation and lanes."""
        clauses = [table.c.organisation_id == self.actor.organisation_id for table in owned]
        clauses += [table.c.lane.in_(self.lanes) for table in owned if "lane" in table.c]
        return sa.and_(*clauses)

    @overload
    def fetch_all(self, question: Select) -> list[Row]: ...

    @overload
    def fetch_all(self, question: Select, kind: type[R]) -> list[R]: ...

    def fetch_all(self, question: Select, kind: object = dict) -> list[Any]:  # noqa: ARG002  for types
        """Return the rows that answer a question, of a kind from `rows` where one is named.

        The organisation, the same in all of them, is left out.
        """
        return [_without_owner(row) for row in self.connection.execute(question).mappings()]

    @overload
    def fetch_one(self, question: Select) -> Row | None: ...

    @overload
    def fetch_one(self, question: Select, kind: type[R]) -> R | None: ...

    def fetch_one(self, question: Select, kind: object = dict) -> Any:  # noqa: ARG002  the same
        """Return the row that answers a question, or nothing; see `fetch_all`."""
        row_mapping = self.connection.execute(question).mappings().first()
        return None if row_mapping is None else _without_owner(row_mapping)

    def insert(self, table: sa.Table, rows: Sequence[Mapping[str, object]]) -> None:
        """Add rows of the actor's organisation to a table; events hold the seals of `SEALED`."""
        self._may_change(table)
        owner = {"organisation_id": self.actor.organisation_id}
        for first in range(0, len(rows), ROWS_AT_ONCE):
            part = [owner | dict(row) for row in rows[first : first + ROWS_AT_ONCE]]
            self.connection.execute(sa.insert(table), part)
        if table.name in SEALED:
            self._note_seals(self.sealed, table, rows)

    def update(
        self, table: sa.Table, which: sa.ColumnElement[bool], values: Mapping[str, object]
    ) -> int:
        """Update the organisation's matching rows, and their seals; return the row count."""
        self._may_change(table)
        sealed = {*SEALED.get(table.name, ()), *SEALED_FOR_PSD.get(table.name, ())}
        rows = self._sealed_rows(table, which) if (changed := values.keys() & sealed) else None
        if rows is not None:
            self._note_seals(self.unsealed, table, rows, changed)
            self._note_seals(self.sealed, table, [row | dict(values) for row in rows], changed)
        cursor_result = self.connection.execute(
            sa.update(table).where(self.scope(table), which).values(**values)
        )
        return _check_count(int(cursor_result.rowcount), rows)

    def update_each(self, table: sa.Table, key: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Update rows of the organisation, each with its own values.

        Args:
            table: whose rows.
            key: the column by which each row is found; every row names it.
            rows: the values of each, of the same columns.
        """
        self._may_change(table)
        if not rows:
            return
        if table.name in SEALED:
            changes = {row[key]: row for row in rows}
            before = self._sealed_rows(table, table.c[key].in_(changes))
            self._note_seals(self.unsealed, table, before)
            self._note_seals(self.sealed, table, [row | dict(changes[row[key]]) for row in before])
        values: dict[str, Any] = {
            name: sa.bindparam(f"new_{name}") for name in rows[0] if name != key
        }
        question = sa.update(table).where(self.scope(table), table.c[key] == sa.bindparam("old"))
        parameters = [
            {"old": row[key]} | {f"new_{name}": row[name] for name in values} for row in rows
        ]
        self.connection.execute(question.values(**values), parameters)

    def delete(self, table: sa.Table, which: sa.ColumnElement[bool]) -> int:
        """Remove the actor's organisation's rows that fit, and take back their seals.

        Returns:
            How many these were.
        """
        self._may_change(table)
        rows = self._sealed_rows(table, which) if table.name in SEALED else None
        if rows is not None:
            self._note_seals(self.unsealed, table, rows)
        cursor_result = self.connection.execute(sa.delete(table).where(self.scope(table), which))
        return _check_count(int(cursor_result.rowcount), rows)

    def lock(self, *parts: str, shared: bool = False) -> None:
        """Let others who lock the same wait until this work is done; SQLite has one writer.

        Args:
            *parts: what is locked.
            shared: whether others who share it need not wait.
        """
        if self.connection.dialect.name != "sqlite":
            number = lock_number(*parts, self.actor.organisation_id)
            lock = sa.func.pg_advisory_xact_lock_shared if shared else sa.func.pg_advisory_xact_lock
            self.connection.execute(sa.select(lock(number)))

    def replace_secret(self, secret: str) -> None:
        """Put a new secret in place of the organisation's."""
        self.update(tables.organisations, sa.true(), {"secret": secret})
        self.__dict__.pop("_secret", None)

    def _may_change(self, table: sa.Table) -> None:
        """Without an event nothing is changed but machinery."""
        assert not self.is_unaudited or table.name in tables.PASSING


def sealed_columns(table: sa.Table) -> Select:
    """Question for the sealed columns of a table, without the content of files."""
    names = dict.fromkeys((*SEALED[table.name], *SEALED_FOR_PSD.get(table.name, ())))
    return sa.select(*(table.c[name] for name in names))


def _without_owner(row: sa.RowMapping) -> Row:
    """Return a row as a dictionary, without its organisation."""
    values = dict(row)
    values.pop("organisation_id", None)
    return values


def _check_count(count: int, rows: Sequence[Row] | None) -> int:
    """Return how many rows were changed; they have to be those whose seals were noted, if any were.

    PostgreSQL changes a row too that another work has added since these were read and locked.

    Raises:
        CasebookBusy: they are others; nothing is kept, and the same may succeed later.
    """
    if rows is not None and count != len(rows):
        raise CasebookBusy("Others have changed the same data just now. Try again.")
    return count


def append_events(uow: UnitOfWork, events: Sequence[AuditEvent]) -> None:
    """Append events to their chains, in their order; see `audit` for how these are verified.

    Chains are locked in one order, as two that wait for each other would both fail.

    The hash of each covers the body, which holds the event's number, and the hash before it.
    """
    by_lane: defaultdict[str, list[AuditEvent]] = defaultdict(list)
    for event in events:
        by_lane[event.chain or uow.actor.chain].append(event)
    for lane in sorted(by_lane):
        _append_to_chain(uow, lane, by_lane[lane])


def _append_to_chain(uow: UnitOfWork, lane: str, events: Sequence[AuditEvent]) -> None:
    """Append events to one chain; the first holds the seals of what was written in its lane."""
    owner, columns = uow.actor.organisation_id, tables.audit_events.c
    uow.lock("events", lane)
    if uow.connection.dialect.name != "sqlite":
        set_local(uow.connection, "lanes", lane)
    uow.connection.info["owner"] = owner, frozenset({lane})
    last = uow.fetch_one(
        sa.select(columns.seq, columns.hash)
        .where(columns.organisation_id == owner, columns.lane == lane)
        .order_by(columns.seq.desc())
        .limit(1)
    )
    seq, before = (last["seq"], last["hash"]) if last else (0, first_hash(owner, lane))
    rows = []
    for event in events:
        assert event.action in ACTIONS
        seq += 1
        body = canonical(_event_content(uow, lane, seq, event))
        before = next_hash(before, body)
        rows.append({"lane": lane, "seq": seq, "body": body, "hash": before})
    uow.insert(tables.audit_events, rows)


def _event_content(uow: UnitOfWork, lane: str, seq: int, event: AuditEvent) -> dict[str, object]:
    """Content of an event, and the seals that wait for one of its lane."""
    content: dict[str, object] = {
        "seq": seq,
        "at": uow.now,
        "actor": uow.actor.public_id if lane == tables.FINANCE else uow.actor.actor_id,
        "role": "" if lane == tables.FINANCE and uow.actor.role == tables.PSD else uow.actor.role,
        "action": event.action,
        "object": event.object_kind,
        "id": event.object_id,
        "purpose": event.purpose,
        "outcome": event.outcome,
        "counts": event.counts,
    }
    if event.entries:
        content["entries"] = event.entries
    for name, seals in (("sealed", uow.sealed), ("unsealed", uow.unsealed)):
        if seals.get(lane):
            content[name] = sorted(seals.pop(lane))
    return content


def first_hash(organisation_id: str, lane: str) -> str:
    """Return what the first event of a chain follows."""
    return hashlib.sha256(f"cardwatch chain 1\n{organisation_id}\n{lane}".encode()).hexdigest()


def next_hash(before: str, body: str) -> str:
    """Return the hash of an event that follows another."""
    return hashlib.sha256(f"cardwatch event 1\n{before}\n{body}".encode()).hexdigest()


def canonical(content: object) -> str:
    """Return content as JSON in one form only: keys in order, no spaces, text as it is."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def as_text(moment: dt.datetime) -> str:
    """Return a moment as the casebook's text: UTC, to the second."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def short_id(*parts: str) -> str:
    """Return twelve hex digits made of parts that are no secret: the same parts, the same id."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def set_local(connection: sa.Connection, name: str, value: str) -> None:
    """Set what row-level security asks for, until the transaction ends."""
    setting = sa.func.set_config(f"app.{name}", value, sa.true())
    connection.execute(sa.select(setting))


def lock_number(*parts: str) -> int:
    """Return a number for a lock of PostgreSQL: 63 bits of a hash."""
    return int(hashlib.sha256("\n".join(parts).encode()).hexdigest()[:15], 16)
