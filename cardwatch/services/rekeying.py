"""Replaces keys in the casebook: seals anew what a key seals, and says what needs an older key.

Nothing here knows where keys lie: `cardwatch.key_rotation` does.
"""

from __future__ import annotations

import datetime as dt
import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from cardwatch.casebook import FINANCE, LANES, Actor, AuditEvent, Casebook, documents
from cardwatch.casebook.audit import current_seals, read_events, verify_chain
from cardwatch.casebook.checkpoints import origin_of
from cardwatch.casebook.jobs import QUEUED, RUNNING
from cardwatch.casebook.people import SECRET_BYTES
from cardwatch.casebook.tables import (
    HOLDER_KEYS,
    PSD,
    accounts,
    audit_events,
    import_requests,
    jobs,
    merchants,
    statements,
    transactions,
    uploads,
    webhooks,
)
from cardwatch.casebook.unit_of_work import SYSTEM, append_events
from cardwatch.errors import CardwatchError
from cardwatch.services.scoring_inputs import unpack_cards
from cardwatch.statements.cells import CARD_NAME, TOKEN_START

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from cardwatch.casebook import UnitOfWork


class SealedColumn(NamedTuple):
    """A column that is sealed, and the one by which its rows are known."""

    known_by: sa.Column[Any]
    content: sa.Column[Any]


SEALED_COLUMNS = (
    SealedColumn(accounts.c.person_id, accounts.c.totp),
    SealedColumn(webhooks.c.lane, webhooks.c.secret),
    SealedColumn(uploads.c.upload_id, uploads.c.content),
    SealedColumn(jobs.c.job_id, jobs.c.mark),
)
"""What is sealed with a key outside the database; besides, cookies of sign-ins at a provider are,
for ten minutes."""
ROWS_PER_STEP = 100
SEALS_PER_EVENT = 5_000
KEY_OBJECT = "installation key"
"""Kind of object in audit events: a key or secret of the installation."""
ORGANISATION = "organisation"
_NO_MOMENT = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
"""Reading without an event needs none."""


def record_key_event(casebook: Casebook, action: str, name: str, now: dt.datetime) -> None:
    """Leave an event about a key of the installation in the chain of every organisation."""
    for actor in casebook.system_actors():
        with casebook.work(actor, AuditEvent(action, KEY_OBJECT, name), now, lanes=()):
            pass


def seal_anew(casebook: Casebook, keys: list[Fernet], now: dt.datetime) -> tuple[int, int]:
    """Seal with the newest key what older ones sealed, some rows at a time.

    It can end at any point and be begun again: what is sealed with the newest key is left alone.

    Args:
        casebook: whose rows.
        keys: the newest first.
        now: the moment.

    Returns:
        How many were sealed anew, and how many no key opens.
    """
    count, unopened = 0, 0
    for actor in casebook.system_actors():
        for column in SEALED_COLUMNS:
            names = _sealed_rows(casebook, actor, column)
            for first in range(0, len(names), ROWS_PER_STEP):
                step = names[first : first + ROWS_PER_STEP]
                with casebook.unaudited(actor, now, lanes=LANES, reads=True) as uow:
                    positions = {
                        name: _position(_content(uow, column, name), keys) for name in step
                    }
                unopened += sum(position is None for position in positions.values())
                older = [name for name, position in positions.items() if position]
                if older:
                    # In psd's chain: others would learn that psd has a webhook, or files that wait.
                    event = AuditEvent("alteration", KEY_OBJECT, "seal", chain=PSD)
                    with casebook.work(actor, event, now, lanes=LANES) as uow:
                        count += sum(_seal_row(uow, column, name, keys) for name in older)
                        uow.tell(event, uow.sealed.keys() - {PSD})  # accounts of others
    return count, unopened


def _sealed_rows(casebook: Casebook, actor: Actor, column: SealedColumn) -> list[str]:
    """By what the rows that have something sealed are known."""
    table, known_by = column.content.table, column.known_by
    with casebook.unaudited(actor, _NO_MOMENT, lanes=LANES, reads=True) as uow:
        question = sa.select(known_by).where(uow.scope(table), column.content.is_not(None))
        return [str(row[known_by.name]) for row in uow.fetch_all(question.order_by(known_by))]


def _content(uow: UnitOfWork, column: SealedColumn, name: str) -> str | bytes | None:
    """Sealed content of a row; none if it is gone."""
    which = uow.scope(column.content.table) & (column.known_by == name)
    row = uow.fetch_one(sa.select(column.content).where(which))
    return row[column.content.name] if row else None


def _position(content: str | bytes | None, keys: list[Fernet]) -> int | None:
    """Which of the keys has sealed something: 0 for the newest, None for none of them."""
    if not content:
        return 0
    for position, key in enumerate(keys):
        try:
            key.extract_timestamp(content)
        except InvalidToken:
            continue
        return position
    return None


def _seal_row(uow: UnitOfWork, column: SealedColumn, name: str, keys: list[Fernet]) -> int:
    """Seal a row anew, unless somebody has changed it since; return how many rows that were."""
    content = _content(uow, column, name)
    if not content or not _position(content, keys):
        return 0
    sealed = MultiFernet(keys).rotate(content)
    value = sealed.decode() if isinstance(content, str) else sealed
    is_same = (column.known_by == name) & (column.content == content)
    return uow.update(column.content.table, is_same, {column.content.name: value})


def known_cards(casebook: Casebook) -> frozenset[str]:
    """The beginnings of the hashes of all cards that statements and card registers name."""
    starts: set[str] = set()
    for actor in casebook.system_actors():
        with casebook.unaudited(actor, _NO_MOMENT, reads=True) as uow:
            starts.update(_token_starts(uow))
    return frozenset(starts)


def _token_starts(uow: UnitOfWork) -> Iterator[str]:
    """The beginnings of the hashes of an organisation's cards, in columns of cards and names."""
    start = sa.func.substr(transactions.c.card_token, 1, TOKEN_START).label("start")
    for row in uow.fetch_all(sa.select(start).where(uow.scope(transactions)).distinct()):
        yield row["start"]
    for column in (merchants.c.printed, *(transactions.c[name] for name in HOLDER_KEYS)):
        question = sa.select(column.label("text")).where(uow.scope(column.table))
        question = question.where(column.contains("card ending ")).distinct()
        for row in uow.fetch_all(question):
            yield from CARD_NAME.findall(row["text"])
    cards = _newest_register(uow)
    if cards is not None:
        register = unpack_cards(documents.read_document(uow, cards["sha256"])).cards
        for name in ("card_token", "card_id"):
            yield from register[name].str[:TOKEN_START].unique()


def _newest_register(uow: UnitOfWork) -> dict[str, Any] | None:
    """The card register that was activated last."""
    registers = [row for row in documents.list_active(uow) if row["kind"] == "cards"]
    return dict(registers[-1]) if registers else None


def card_counts(casebook: Casebook) -> dict[str, int]:
    """How many statements and card registers each organisation has received."""
    counts = {}
    for actor in casebook.system_actors():
        owner = actor.organisation_id
        with casebook.unaudited(actor, _NO_MOMENT, reads=True) as uow:
            newest = sa.select(sa.func.max(statements.c.seq).label("seq"))
            row, cards = uow.fetch_one(newest.where(uow.scope(statements))), _newest_register(uow)
        counts[f"{owner}/statements"] = int((row and row["seq"]) or 0)
        counts[f"{owner}/cards"] = cards["seq"] if cards else 0
    return counts


def needs_card_key(casebook: Casebook, counts: Mapping[str, int]) -> bool:
    """Whether cards are still known by hashes of a key that was replaced at such `card_counts`."""
    for actor in casebook.system_actors():
        owner = actor.organisation_id
        with casebook.unaudited(actor, _NO_MOMENT, reads=True) as uow:
            question = (
                sa.select(transactions.c.row)
                .join(statements, transactions.c.statement_id == statements.c.statement_id)
                .where(uow.scope(transactions, statements), transactions.c.card_token != "")
                .where(statements.c.seq <= counts.get(f"{owner}/statements", 0))
            )
            cards = _newest_register(uow)
            has_register = cards is not None and cards["seq"] <= counts.get(f"{owner}/cards", 0)
            if has_register or uow.fetch_one(question.limit(1)):
                return True
    return False


def check_nothing_waits(casebook: Casebook) -> None:
    """Refuse while statements that were read wait to be scored: they have hashes of the old key.

    Raises:
        CardwatchError: some wait.
    """
    for actor in casebook.system_actors():
        with casebook.unaudited(actor, _NO_MOMENT, reads=True) as uow:
            waits = (jobs.c.kind == "statement") & jobs.c.state.in_((QUEUED, RUNNING))
            if uow.fetch_one(sa.select(jobs.c.job_id).where(uow.scope(jobs), waits).limit(1)):
                raise CardwatchError(
                    "Statements wait to be scored. Replace the card key when they are done."
                )


def chain_sizes(casebook: Casebook) -> dict[str, int]:
    """How many events each audit chain has, by the chain's name in checkpoints."""
    sizes = {}
    for actor in casebook.system_actors():
        for lane in LANES:
            with casebook.unaudited(actor, _NO_MOMENT, lanes=(lane,), reads=True) as uow:
                last = sa.select(sa.func.max(audit_events.c.seq).label("seq"))
                row = uow.fetch_one(last.where(uow.scope(audit_events)))
            sizes[origin_of(actor.organisation_id, lane)] = int((row and row["seq"]) or 0)
    return sizes


def replace_organisation_secret(casebook: Casebook, organisation_id: str, now: dt.datetime) -> int:
    """Replace an organisation's secret, and seal every row anew; return how many that were.

    The chains get events that take back the old seals and hold the new ones, so that nothing needs
    the old secret. All of it is one transaction: a part of it never stays.

    Raises:
        CardwatchError: a chain does not verify; sealing it anew would hide what was changed.
    """
    actor = Actor(organisation_id, SYSTEM, "admin")
    event = AuditEvent("alteration", KEY_OBJECT, ORGANISATION)
    with casebook.work(actor, event, now, lanes=LANES) as uow:
        uow.lock("secret")
        for lane in LANES:
            if fault := verify_chain(uow, lane).fault:
                raise CardwatchError(f"The audit chain does not verify: {fault}. Find out why.")
        uow.delete(import_requests, sa.true())  # they are known by the old secret
        old_seals = {lane: [seal for _, seal in current_seals(uow, lane)] for lane in LANES}
        uow.replace_secret(secrets.token_hex(SECRET_BYTES))
        new_seals = {lane: [seal for _, seal in current_seals(uow, lane)] for lane in LANES}
        for lane in LANES:
            for first in range(0, len(old_seals[lane]), SEALS_PER_EVENT):
                part = slice(first, first + SEALS_PER_EVENT)
                uow.unsealed.setdefault(lane, []).extend(old_seals[lane][part])
                uow.sealed[lane] = new_seals[lane][part]
                append_events(uow, [AuditEvent("alteration", KEY_OBJECT, ORGANISATION, chain=lane)])
    return sum(map(len, new_seals.values()))


def secret_replaced_at(casebook: Casebook, organisation_id: str) -> str:
    """When an organisation's secret was replaced last; empty if it never was."""
    actor = Actor(organisation_id, SYSTEM, "admin")
    with casebook.unaudited(actor, _NO_MOMENT, lanes=(FINANCE,), reads=True) as uow:
        events = read_events(
            uow, FINANCE, last=1, wanted={"object": KEY_OBJECT, "id": ORGANISATION}
        )
        return next((event["at"] for event in events), "")
