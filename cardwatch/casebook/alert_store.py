"""Stores alerts as raised, which never change, each with an initial state."""

from __future__ import annotations

import hashlib
import math
from dataclasses import asdict, dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import sqlalchemy as sa

from cardwatch.alerts import alert_content, alert_strength
from cardwatch.alerts.answered import compared_merchants
from cardwatch.casebook.alerts import LEFT, is_alert, record_decision
from cardwatch.casebook.own_keys import approvers_of
from cardwatch.casebook.precision import band_of
from cardwatch.casebook.registers import NO_REGISTERS, UsedRegisters, registers_text
from cardwatch.casebook.suppressions import initial_states
from cardwatch.casebook.tables import (
    alert_lists,
    alert_snapshots,
    alert_subjects,
    alert_transactions,
    alerts,
    decisions,
)
from cardwatch.casebook.unit_of_work import SYSTEM, canonical
from cardwatch.errors import Conflict
from cardwatch.registers import people_in, person_key
from cardwatch.vocabulary import AUTOMATIC, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from cardwatch.casebook.alert_rows import DecidedAlert
    from cardwatch.casebook.unit_of_work import Row, UnitOfWork
    from cardwatch.records import Alert, AlertList

SECOND_LOOK_SHARE, SECOND_LOOK_LEAST = 0.01, 5
"""Of what was closed unasked, so much is opened again at random with each statement: the only
unbiased look at what is missed (US Army, AFARS 11-4; docs/casebook.md)."""


@dataclass(frozen=True)
class StoreResult:
    """The result of storing a list of alerts.

    Attributes:
        new: alerts not known before.
        again: alerts that were known: an earlier statement, since corrected, raised them.
        suppressed, answered_before, not_asked: those that begin closed.
        source_corrected: alerts with payments of a corrected statement, not raised again.
        second_look: alerts closed before, or now, that were opened again at random.
    """

    new: int
    again: int
    suppressed: int
    answered_before: int
    not_asked: int
    source_corrected: int
    second_look: int


@dataclass(frozen=True)
class Source:
    """Where a list of alerts comes from.

    Attributes:
        lane: finance or psd.
        statement_id: the statement that raised them.
        places: file and row of each payment to its statement's id and row.
        approvers: holder to everybody who approves what they pay.
        corrects: the statement in whose place it comes, if any.
        registers: the versions of registers it was made with.
        known_by, made_with: of a list that is made again after a register was received: the day by
            which its entries were known, and the documents it was made with; empty for the first.
    """

    lane: str
    statement_id: str
    places: Mapping[tuple[str, int], tuple[str, int]]
    approvers: Mapping[str, Sequence[str]]
    corrects: str | None = None
    registers: UsedRegisters = NO_REGISTERS
    known_by: str = ""
    made_with: str = ""


def alert_text(alert: Alert) -> str:
    """Return an alert as the text that is kept: one form only, byte for byte."""
    return canonical(alert_content(alert))


def list_text(alert_list: AlertList) -> str:
    """Return everything of a list but its alerts as the text that is kept."""
    return canonical(asdict(replace(alert_list, alerts=())))


def texts_sha256(texts: Sequence[str]) -> str:
    """Return a hash of the alerts of a list, in their order."""
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def keep_list(uow: UnitOfWork, source: Source, alert_list: AlertList) -> StoreResult:
    """Keep a statement's alerts of one lane, as they were raised, each with a state.

    A list made after a register was received later stands beside those before it.
    """
    lane, owned = source.lane, {"lane": source.lane, "statement_id": source.statement_id}
    seq = _last_list(uow, source) + 1 if source.known_by else 0
    texts = [alert_text(alert) for alert in alert_list.alerts]
    row: dict[str, object] = {"seq": seq, "content": list_text(alert_list)}
    row |= {"alerts_sha256": texts_sha256(texts), "registers": registers_text(source.registers)}
    row |= {"known_by": source.known_by or None, "made_with": source.made_with or None}
    uow.insert(alert_lists, [owned | row])
    alerts_with_texts = zip(alert_list.alerts, texts, strict=True)
    uow.insert(
        alert_snapshots,
        [
            owned | {"alert_id": a.alert_id, "list_seq": seq, "rank": a.rank, "content": text}
            for a, text in alerts_with_texts
        ],
    )
    known_rows = _known(uow, lane, [alert.alert_id for alert in alert_list.alerts])
    closed = initial_states(uow, lane, alert_list.alerts)
    states = []
    for alert in alert_list.alerts:
        initial_state = closed.get(alert.alert_id, ("open", ""))
        _keep(uow, source, (alert, *initial_state), known_rows.get(alert.alert_id))
        states.append(initial_state[0])
    uow.insert(
        alert_transactions, [row for alert in alert_list.alerts for row in _evidence(source, alert)]
    )
    uow.insert(
        alert_subjects,
        [row for alert in alert_list.alerts for row in _subjects(uow, source, alert)],
    )
    return StoreResult(
        new=len(alert_list.alerts) - len(known_rows),
        again=len(known_rows),
        suppressed=states.count("suppressed"),
        answered_before=states.count("answered-before"),
        not_asked=states.count("not-asked"),
        source_corrected=_mark_corrected(uow, source) if source.corrects else 0,
        second_look=0 if seq else _sample_for_review(uow, source),
    )


def keep_by_hand(uow: UnitOfWork, source: Source, alert: Alert) -> None:
    """Keep an alert that a person raised. It has rank 0: it belongs to no list that is made again.

    Raises:
        Conflict: these payments were raised by hand in this lane before.
    """
    uow.lock("alert", source.lane, alert.alert_id)
    if _known(uow, source.lane, [alert.alert_id]):
        raise Conflict(f"Alert {alert.alert_id} about these payments was raised by hand before.")
    owned = {"lane": source.lane, "statement_id": source.statement_id}
    row = {"alert_id": alert.alert_id, "list_seq": 0, "rank": alert.rank}
    row |= {"content": alert_text(alert)}
    uow.insert(alert_snapshots, [owned | row])
    _keep(uow, source, (alert, "open", ""), None)
    uow.insert(alert_transactions, _evidence(source, alert))
    uow.insert(alert_subjects, _subjects(uow, source, alert))


def _last_list(uow: UnitOfWork, source: Source) -> int:
    """Return the number of a statement's newest list of one lane."""
    columns = alert_lists.c
    newest = sa.select(sa.func.max(columns.seq).label("seq")).where(
        uow.scope(alert_lists),
        columns.lane == source.lane,
        columns.statement_id == source.statement_id,
    )
    row = uow.fetch_one(newest)
    return int((row and row["seq"]) or 0)


def _keep(
    uow: UnitOfWork, source: Source, raised_as: tuple[Alert, str, str], stored_row: Row | None
) -> None:
    """Keep what is asked of an alert now, with the state in which it begins and why.

    What the casebook closed by itself is looked at anew; what people decided stands.
    """
    alert, state, why = raised_as
    lane, alert_row = source.lane, _row(alert) | {"statement_id": source.statement_id}
    by_itself = stored_row is None or (
        stored_row["decided_by"] == SYSTEM and stored_row["state"] in AUTOMATIC
    )
    if stored_row is None:
        stored_row = {"alert_id": alert.alert_id, "version": 0, "state": "open"}
        initial_values = {"lane": lane, "is_second_look": False, **dict.fromkeys(LEFT, ""),
                          "recovered_pence": 0}  # fmt: skip
        initial_values |= {
            "state": "open",
            "version": 0,
            "raised_at": uow.now,
            "source_corrected_by": None,
        }
        uow.insert(alerts, [alert_row | initial_values])
    else:
        alert_row["source_corrected_by"] = None
        uow.update(alerts, is_alert(alerts, lane, alert.alert_id), alert_row)
        for table in (alert_transactions, alert_subjects):
            uow.delete(table, is_alert(table, lane, alert.alert_id))
    if by_itself and stored_row["state"] != state:
        changes = {"state": state, "reason": why or "Raised again.", "decided_by": SYSTEM}
        record_decision(uow, lane, cast("DecidedAlert", stored_row), changes)


def _known(uow: UnitOfWork, lane: str, names: list[str]) -> dict[str, Row]:
    """Return those of some alerts that were raised before, with who decided last."""
    same = uow.scope(decisions) & (decisions.c.alert_id == alerts.c.alert_id)
    same &= (decisions.c.lane == alerts.c.lane) & (decisions.c.version == alerts.c.version)
    question = (
        sa.select(alerts.c.alert_id, alerts.c.version, alerts.c.state, decisions.c.decided_by)
        .outerjoin(decisions, same)
        .where(uow.scope(alerts), alerts.c.lane == lane, alerts.c.alert_id.in_(names))
    )
    return {row["alert_id"]: row for row in uow.fetch_all(question.with_for_update(of=alerts))}


def _mark_corrected(uow: UnitOfWork, source: Source) -> int:
    """Mark alerts with payments of a corrected statement that it was corrected; return how many.

    Their state stays: only a person says that a question does not arise any more.
    """
    columns = alerts.c
    has_payments = sa.exists().where(
        uow.scope(alert_transactions),
        alert_transactions.c.lane == columns.lane,
        alert_transactions.c.alert_id == columns.alert_id,
        alert_transactions.c.statement_id == source.corrects,
    )
    which = (columns.lane == source.lane) & (columns.statement_id != source.statement_id)
    which &= (columns.statement_id == source.corrects) | has_payments
    return uow.update(alerts, which, {"source_corrected_by": source.statement_id})


def _row(alert: Alert) -> dict[str, Any]:
    """Return what the table of alerts says of an alert as it was last raised."""
    return {
        "alert_id": alert.alert_id,
        "tier": alert.tier,
        "kind": alert.kind,
        "rule": alert.reasons[0].rule,
        "band": band_of(alert.chance),
        "is_fact": alert.is_fact,
        "first_on": alert.first_on,
        "last_on": alert.last_on,
        "at_stake_pence": alert.at_stake_pence,
        "strength": alert_strength(alert),
    }


def _sample_for_review(uow: UnitOfWork, source: Source) -> int:
    """Reopen a random sample of automatically closed alerts for review; return the number."""
    question = (
        sa.select(alerts.c.alert_id, alerts.c.version)
        .where(uow.scope(alerts), alerts.c.lane == source.lane, alerts.c.state.in_(AUTOMATIC))
        .order_by(alerts.c.alert_id)
        .with_for_update()
    )
    pool = uow.fetch_all(question)
    count = min(max(SECOND_LOOK_LEAST, math.ceil(SECOND_LOOK_SHARE * len(pool))), len(pool))
    digest = hashlib.sha256(f"{source.lane}\n{source.statement_id}".encode()).digest()
    random = np.random.default_rng(list(digest))
    for index in sorted(random.permutation(len(pool))[:count].tolist()):
        changes = {
            "state": "open",
            "is_second_look": True,
            "reason": "Reopened at random for review.",
            "decided_by": SYSTEM,
        }
        record_decision(uow, source.lane, pool[index], changes)
    return count


def _evidence(source: Source, alert: Alert) -> list[dict[str, Any]]:
    """Return where the payments of an alert are kept."""
    positions = [source.places[payment.file, payment.row] for payment in alert.payments]
    owned = {"lane": source.lane, "alert_id": alert.alert_id}
    return [owned | {"statement_id": name, "row": row} for name, row in positions]


def alert_people(
    alert: Alert, approvers: Mapping[str, Sequence[str]]
) -> dict[SubjectKind, tuple[str, ...]]:
    """The people of an alert by kind, as it names them.

    Args:
        alert: as it is raised.
        approvers: person to everybody who approves what they pay.
    """
    asked_about = (*alert.holders, *alert.approvers)
    return {
        SubjectKind.HOLDER: alert.holders,
        SubjectKind.APPROVER: alert.approvers,
        SubjectKind.APPROVER_OF_HOLDER: tuple(
            approver for person in asked_about for approver in approvers.get(person, ())
        ),
        SubjectKind.NAMED_IN_ENTRY: tuple(
            chain.from_iterable(people_in(entry.register, entry.facts) for entry in alert.entries)
        ),
    }


def is_about(alert: Alert, keys: AbstractSet[str]) -> bool:
    """Whether an alert asks about a person of some keys, or rests on an entry that names one."""
    names = chain.from_iterable(alert_people(alert, {}).values())
    return not keys.isdisjoint(map(person_key, names))


def _subjects(uow: UnitOfWork, source: Source, alert: Alert) -> list[dict[str, str]]:
    """Rows of `alert_subjects`, one for each person, merchant or cost centre of an alert."""
    owned = {"lane": source.lane, "alert_id": alert.alert_id}
    approvers = {
        person: approvers_of(uow, source.approvers, person, source.lane)
        for person in (*alert.holders, *alert.approvers)
    }
    names = {
        (kind, person_key(name)): name
        for kind, people in alert_people(alert, approvers).items()
        for name in people
    }
    names |= {(SubjectKind.MERCHANT, name): name for name in compared_merchants(alert)}
    names |= {(SubjectKind.COST_CENTRE, code): code for code in alert.cost_centres}
    return [
        owned | {"kind": str(kind), "subject_id": subject_id, "name": name}
        for (kind, subject_id), name in sorted(names.items())
    ]
