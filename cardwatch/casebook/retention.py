"""Retention periods, legal holds and deletion."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.alert_rows import Hold
from cardwatch.casebook.alerts import is_alert, not_about
from cardwatch.casebook.approvals import clear_expired
from cardwatch.casebook.case_alerts import held_by_cases, refresh_copies
from cardwatch.casebook.cases import CLOSED_CASE
from cardwatch.casebook.counting import is_visible
from cardwatch.casebook.own_keys import keep_names_anew
from cardwatch.casebook.permissions import check_records, may_decide
from cardwatch.casebook.registers import list_versions, parse_registers
from cardwatch.casebook.rows import Statement
from cardwatch.casebook.tables import (
    KEEPS_DAYS,
    MANAGES,
    PSD,
    alert_lists,
    alert_snapshots,
    alert_subjects,
    alert_transactions,
    alerts,
    approvals,
    case_alerts,
    case_attachments,
    case_entries,
    case_subjects,
    cases,
    complaints,
    decisions,
    legal_holds,
    merchants,
    organisations,
    outbox,
    queries,
    query_alerts,
    query_replies,
    referral_answers,
    referrals,
    register_versions,
    statements,
    suppressions,
    transactions,
)
from cardwatch.casebook.unit_of_work import canonical
from cardwatch.errors import CardwatchError, Conflict, NotAllowed, NotFound
from cardwatch.vocabulary import AUTOMATIC, CLOSED_BY_PERSON

if TYPE_CHECKING:
    from cardwatch.casebook.unit_of_work import UnitOfWork

LEAST_DAYS = {
    "transactions": 800,
    "alerts": 800,
    "cases": 800,
    "registers": 800,
    "notices": 1,
    "complaints": 365,
}
"""Of payments and alerts twice the window a scoring reads: erasing never changes what is found. A
case is erased after the year in which it was opened, so no reference is given twice."""


def keeps_days(uow: UnitOfWork) -> dict[str, int]:
    """Return for how many days each class of data is kept."""
    organisation = uow.fetch_one(sa.select(organisations.c.keeps).where(uow.scope(organisations)))
    return KEEPS_DAYS | (json.loads(organisation["keeps"]) if organisation else {})


def first_days_kept(uow: UnitOfWork) -> dict[str, str]:
    """The first day of which each class of data is kept today; what ended before it is erased."""
    today = dt.date.fromisoformat(uow.today)
    return {kind: str(today - dt.timedelta(days)) for kind, days in keeps_days(uow).items()}


def list_expired(uow: UnitOfWork) -> list[Statement]:
    """Return the statements whose payments are past their time and not yet erased."""
    expired = _has_expired(first_days_kept(uow)["transactions"])
    question = sa.select(statements).where(uow.scope(statements), expired)
    return uow.fetch_all(
        question.where(statements.c.erased_at.is_(None)).order_by(statements.c.seq), Statement
    )


def _has_expired(first_day: str) -> sa.ColumnElement[bool]:
    """Condition that a statement ended before the first day of which payments are kept."""
    return statements.c.last_on < first_day


def set_keeps(uow: UnitOfWork, kind: str, days: int) -> None:
    """Set for how many days a class of data is kept.

    Raises:
        NotAllowed: the role sets nothing.
        CardwatchError: there is no such class, or it would be too short.
    """
    if uow.actor.role not in MANAGES:
        raise NotAllowed("Only an administrator can change retention periods.")
    if kind not in KEEPS_DAYS:
        sentence = f"Choose a class of data: {', '.join(KEEPS_DAYS)}, not '{kind}'."
        raise CardwatchError(sentence, field="kind")
    if days < LEAST_DAYS[kind]:
        sentence = f"{kind.capitalize()} are kept for at least {LEAST_DAYS[kind]} days."
        raise CardwatchError(sentence, field="days")
    keeps = canonical(keeps_days(uow) | {kind: days})
    uow.update(organisations, sa.true(), {"keeps": keeps})


def hold(uow: UnitOfWork, alert_id: str, lane: str, reason: str) -> str:
    """Keep an alert and its payments beyond their time; return the hold's id.

    Raises:
        NotAllowed: the role holds nothing.
        CardwatchError: no reason is given.
        Conflict: it is held already.
    """
    may_decide(uow, lane, reason)
    if current_hold(uow, alert_id, lane) is not None:
        raise Conflict("This alert is already on legal hold.")
    same = (legal_holds.c.lane == lane) & (legal_holds.c.alert_id == alert_id)
    earlier_holds = uow.fetch_all(
        sa.select(legal_holds.c.ended_at).where(uow.scope(legal_holds), same)
    )
    hold_id = uow.keyed("hold", lane, alert_id, uow.now, str(len(earlier_holds)))[:12]
    row = {"lane": lane, "hold_id": hold_id, "alert_id": alert_id, "reason": reason}
    uow.insert(legal_holds, [row | {"made_by": uow.actor.actor_id, "made_at": uow.now}])
    uow.event.object_id = hold_id
    return hold_id


def current_hold(uow: UnitOfWork, alert_id: str, lane: str) -> Hold | None:
    """The hold that keeps an alert, if there is one that has not ended."""
    same = (
        (legal_holds.c.lane == lane)
        & (legal_holds.c.alert_id == alert_id)
        & legal_holds.c.ended_at.is_(None)
    )
    return uow.fetch_one(sa.select(legal_holds).where(uow.scope(legal_holds), same), Hold)


def end_hold(uow: UnitOfWork, hold_id: str) -> None:
    """End a hold.

    Raises:
        NotAllowed: the actor is a key that records no decisions.
        NotFound: there is no such hold of the actor's lane.
    """
    check_records(uow)
    which = (legal_holds.c.hold_id == hold_id) & (legal_holds.c.lane == uow.actor.role)
    which &= not_about(uow, legal_holds)
    if not uow.update(legal_holds, which & legal_holds.c.ended_at.is_(None), {"ended_at": uow.now}):
        raise NotFound("There is no such legal hold.")
    uow.event.object_id = hold_id


def list_holds(uow: UnitOfWork) -> list[Hold]:
    """Return the holds of the actor's lanes, in the order made."""
    question = sa.select(legal_holds).where(uow.scope(legal_holds), not_about(uow, legal_holds))
    return uow.fetch_all(question.order_by(legal_holds.c.made_at, legal_holds.c.hold_id), Hold)


def erase(uow: UnitOfWork) -> int:
    """Delete expired data and not held; the work's lanes have to be all.

    What only a psd hold keeps goes from the sight of the others at its time, as if it were erased:
    a row that outlived its time would tell them that somebody holds it.

    Returns:
        How many transactions went, from the sight of the others at least.
    """
    first = first_days_kept(uow)
    held_alerts = {
        (row["lane"], row["alert_id"])
        for row in uow.fetch_all(
            sa.select(legal_holds.c.lane, legal_holds.c.alert_id).where(
                uow.scope(legal_holds), legal_holds.c.ended_at.is_(None)
            )
        )
    }
    _erase_cases(uow, first["cases"], held_alerts)
    held_alerts |= held_by_cases(uow)
    count = _erase_transactions(uow, first["transactions"], held_alerts)
    is_used = uow.scope(transactions) & (transactions.c.merchant == merchants.c.printed)
    uow.delete(merchants, ~sa.exists().where(is_used))
    _erase_alerts(uow, first["alerts"], held_alerts)
    _erase_registers(uow, first["registers"])
    uow.delete(outbox, outbox.c.made_at < first["notices"])
    uow.delete(complaints, complaints.c.answered_on < first["complaints"])
    uow.delete(approvals, approvals.c.made_at < first["alerts"])
    clear_expired(uow)
    return count


def _erase_transactions(uow: UnitOfWork, before: str, held_alerts: set[tuple[str, str]]) -> int:
    """Erase the transactions of statements that ended before a day; return how many.

    Those that only psd goes on seeing count as erased, which they are for everybody else.
    """
    ended = _has_expired(before)
    names = uow.fetch_all(sa.select(statements.c.statement_id).where(uow.scope(statements), ended))
    held_lanes: dict[str, dict[int, set[str]]] = {row["statement_id"]: {} for row in names}
    is_evidence = uow.scope(alert_transactions) & alert_transactions.c.statement_id.in_(held_lanes)
    for row in uow.fetch_all(sa.select(alert_transactions).where(is_evidence)):
        if (row["lane"], row["alert_id"]) in held_alerts:
            held_lanes[row["statement_id"]].setdefault(row["row"], set()).add(row["lane"])
    count, hidden_count, visible = 0, 0, is_visible()
    for name, rows in held_lanes.items():
        is_statement = transactions.c.statement_id == name
        count += uow.delete(transactions, is_statement & visible & transactions.c.row.not_in(rows))
        hidden_count += uow.delete(
            transactions, is_statement & ~visible & transactions.c.row.not_in(rows)
        )
        theirs = [row for row, lanes in rows.items() if lanes == {PSD}]
        hidden = is_statement & visible & transactions.c.row.in_(theirs)
        count += uow.update(transactions, hidden, {"visible_to_psd_only": True})
        which = (statements.c.statement_id == name) & statements.c.erased_at.is_(None)
        uow.update(statements, which, {"erased_at": uow.now, "report": "{}"})
    if count or hidden_count:
        keep_names_anew(uow)
    return count


def _erase_alerts(uow: UnitOfWork, before: str, held_alerts: set[tuple[str, str]]) -> None:
    """Erase alerts that ended before a day and were answered or closed.

    One that is still open, or held, stays, whatever its age.
    """
    settled = (*CLOSED_BY_PERSON, *AUTOMATIC)
    old = uow.fetch_all(
        sa.select(alerts.c.lane, alerts.c.alert_id).where(
            uow.scope(alerts), alerts.c.last_on < before, alerts.c.state.in_(settled)
        )
    )
    gone = {(row["lane"], row["alert_id"]) for row in old} - held_alerts
    refresh_copies(uow, gone)
    for lane, alert_id in sorted(gone):
        of_alert = is_alert(referrals, lane, alert_id)
        referral_ids = sa.select(referrals.c.referral_id).where(uow.scope(referrals), of_alert)
        uow.delete(referral_answers, referral_answers.c.referral_id.in_(referral_ids))
        for table in (alerts, alert_transactions, alert_subjects, query_alerts):
            uow.delete(table, is_alert(table, lane, alert_id))
        for table in (alert_snapshots, decisions, referrals):
            uow.delete(table, is_alert(table, lane, alert_id))
    for table in (queries, query_replies):
        asks = uow.scope(query_alerts) & (query_alerts.c.query_id == table.c.query_id)
        uow.delete(table, ~sa.exists().where(asks))
    uow.delete(suppressions, suppressions.c.expires_on < before)
    erased = sa.select(statements.c.statement_id).where(
        uow.scope(statements), statements.c.erased_at.is_not(None)
    )
    is_over = alert_lists.c.statement_id.in_(erased) & ~_has_alerts(uow)
    uow.delete(alert_lists, is_over)


def _has_alerts(uow: UnitOfWork) -> sa.ColumnElement[bool]:
    """Condition that an alert of a list is kept."""
    return sa.exists().where(
        uow.scope(alert_snapshots),
        alert_snapshots.c.lane == alert_lists.c.lane,
        alert_snapshots.c.statement_id == alert_lists.c.statement_id,
        alert_snapshots.c.list_seq == alert_lists.c.seq,
    )


def _erase_cases(uow: UnitOfWork, before: str, held_alerts: set[tuple[str, str]]) -> None:
    """Erase cases closed before a day, unless an alert in them is on legal hold."""
    question = sa.select(case_alerts.c.case_id, case_alerts.c.alert_lane, case_alerts.c.alert_id)
    kept_cases = {
        row["case_id"]
        for row in uow.fetch_all(question.where(uow.scope(case_alerts)))
        if (row["alert_lane"], row["alert_id"]) in held_alerts
    }
    expired = (cases.c.state == CLOSED_CASE) & (cases.c.closed_at < before)
    old = sa.select(cases.c.case_id).where(uow.scope(cases), expired)
    for case_id in sorted({row["case_id"] for row in uow.fetch_all(old)} - kept_cases):
        for table in (case_entries, case_attachments):
            uow.delete(table, table.c.case_id == case_id)
        for table in (case_alerts, case_subjects, cases):
            uow.delete(table, table.c.case_id == case_id)


def _erase_registers(uow: UnitOfWork, before: str) -> None:
    """Erase versions of registers that came before a day.

    The newest of each register stays, since statements are scored with it, and so does one by which
    an alert of its own lane was raised that is kept. An alert of professional standards keeps none
    of finance's: finance would see that somebody needs it.
    """
    lists = sa.select(alert_lists.c.lane, alert_lists.c.registers).where(
        uow.scope(alert_lists), _has_alerts(uow)
    )
    needed = {
        (row["lane"], version.version_id)
        for row in uow.fetch_all(lists)
        for version in parse_registers(row["registers"]).versions
    }
    versions = list_versions(uow)
    newest = {row["kind"]: row["version_id"] for row in versions}
    for row in versions:
        name = row["version_id"]
        is_needed = name == newest[row["kind"]] or (row["lane"], name) in needed
        if row["received_at"] < before and not is_needed:
            which = (register_versions.c.lane == row["lane"]) & (
                register_versions.c.version_id == name
            )
            uow.delete(register_versions, which)
