"""Retention periods, legal holds and deletion."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.alerts import is_alert, not_about
from cardwatch.casebook.counting import is_visible
from cardwatch.casebook.suppressions import may_decide
from cardwatch.casebook.tables import (
    KEEPS_DAYS,
    MANAGES,
    PSD,
    alert_subjects,
    alerts,
    decisions,
    evidence,
    holds,
    lists,
    merchants,
    organisations,
    outbox,
    raised,
    statements,
    suppressions,
    transactions,
)
from cardwatch.casebook.work import canonical
from cardwatch.errors import CardwatchError, Conflict, NotAllowed, NotFound
from cardwatch.vocabulary import AUTOMATIC, CLOSED_BY_PERSON

if TYPE_CHECKING:
    from cardwatch.casebook.work import Row, Work

LEAST_DAYS = {"transactions": 800, "alerts": 800, "notices": 1}
"""Twice the window a scoring reads, so that erasing never changes what is found."""


def keeps_days(work: Work) -> dict[str, int]:
    """Return for how many days each class of data is kept."""
    found = work.one(sa.select(organisations.c.keeps).where(work.mine(organisations)))
    return json.loads(found["keeps"]) if found else dict(KEEPS_DAYS)


def first_days_kept(work: Work) -> dict[str, str]:
    """The first day of which each class of data is kept today; what ended before it is erased."""
    today = dt.date.fromisoformat(work.today)
    return {kind: str(today - dt.timedelta(days)) for kind, days in keeps_days(work).items()}


def list_expired(work: Work) -> list[Row]:
    """Return the statements whose payments are past their time and not yet erased."""
    expired = _has_expired(first_days_kept(work)["transactions"])
    question = sa.select(statements).where(work.mine(statements), expired)
    return work.rows(question.where(statements.c.erased_at.is_(None)).order_by(statements.c.seq))


def _has_expired(first_day: str) -> sa.ColumnElement[bool]:
    """Condition that a statement ended before the first day of which payments are kept."""
    return statements.c.last_on < first_day


def set_keeps(work: Work, kind: str, days: int) -> None:
    """Set for how many days a class of data is kept.

    Raises:
        NotAllowed: the role sets nothing.
        CardwatchError: there is no such class, or it would be too short.
    """
    if work.actor.role not in MANAGES:
        raise NotAllowed("Only an administrator can change retention periods.")
    if kind not in KEEPS_DAYS:
        sentence = f"Choose a class of data: {', '.join(KEEPS_DAYS)}, not '{kind}'."
        raise CardwatchError(sentence, field="kind")
    if days < LEAST_DAYS[kind]:
        sentence = f"{kind.capitalize()} are kept for at least {LEAST_DAYS[kind]} days."
        raise CardwatchError(sentence, field="days")
    keeps = canonical(keeps_days(work) | {kind: days})
    work.change(organisations, sa.true(), {"keeps": keeps})


def hold(work: Work, alert_id: str, lane: str, reason: str) -> str:
    """Keep an alert and its payments beyond their time; return the hold's id.

    Raises:
        NotAllowed: the role holds nothing.
        CardwatchError: no reason is given.
        Conflict: it is held already.
    """
    may_decide(work, lane, reason)
    if current_hold(work, alert_id, lane) is not None:
        raise Conflict("This alert is already on legal hold.")
    same = (holds.c.lane == lane) & (holds.c.alert_id == alert_id)
    known = work.rows(sa.select(holds.c.ended_at).where(work.mine(holds), same))
    found = work.keyed("hold", lane, alert_id, work.now, str(len(known)))[:12]
    row = {"lane": lane, "hold_id": found, "alert_id": alert_id, "reason": reason}
    work.add(holds, [row | {"made_by": work.actor.actor_id, "made_at": work.now}])
    work.event.object_id = found
    return found


def current_hold(work: Work, alert_id: str, lane: str) -> Row | None:
    """The hold that keeps an alert, if there is one that has not ended."""
    same = (holds.c.lane == lane) & (holds.c.alert_id == alert_id) & holds.c.ended_at.is_(None)
    return work.one(sa.select(holds).where(work.mine(holds), same))


def end_hold(work: Work, hold_id: str) -> None:
    """End a hold.

    Raises:
        NotFound: there is no such hold of the actor's lane.
    """
    which = (holds.c.hold_id == hold_id) & (holds.c.lane == work.actor.role)
    which &= not_about(work, holds)
    if not work.change(holds, which & holds.c.ended_at.is_(None), {"ended_at": work.now}):
        raise NotFound("There is no such legal hold.")
    work.event.object_id = hold_id


def list_holds(work: Work) -> list[Row]:
    """Return the holds of the actor's lanes, in the order made."""
    question = sa.select(holds).where(work.mine(holds), not_about(work, holds))
    return work.rows(question.order_by(holds.c.made_at, holds.c.hold_id))


def erase(work: Work) -> int:
    """Delete expired data and not held; the work's lanes have to be all.

    What only a psd hold keeps goes from the sight of the others at its time, as if it were erased:
    a row that outlived its time would tell them that somebody holds it.

    Returns:
        How many transactions went, from the sight of the others at least.
    """
    first = first_days_kept(work)
    held = {
        (row["lane"], row["alert_id"])
        for row in work.rows(
            sa.select(holds.c.lane, holds.c.alert_id).where(
                work.mine(holds), holds.c.ended_at.is_(None)
            )
        )
    }
    count = _erase_transactions(work, first["transactions"], held)
    used = work.mine(transactions) & (transactions.c.merchant == merchants.c.printed)
    work.remove(merchants, ~sa.exists().where(used))
    _erase_alerts(work, first["alerts"], held)
    work.remove(outbox, outbox.c.made_at < first["notices"])
    return count


def _erase_transactions(work: Work, before: str, held: set[tuple[str, str]]) -> int:
    """Erase the transactions of statements that ended before a day; return how many.

    Those that only psd goes on seeing count as erased, which they are for everybody else.
    """
    ended = _has_expired(before)
    names = work.rows(sa.select(statements.c.statement_id).where(work.mine(statements), ended))
    kept: dict[str, dict[int, set[str]]] = {row["statement_id"]: {} for row in names}
    known = work.mine(evidence) & evidence.c.statement_id.in_(kept)
    for row in work.rows(sa.select(evidence).where(known)):
        if (row["lane"], row["alert_id"]) in held:
            kept[row["statement_id"]].setdefault(row["row"], set()).add(row["lane"])
    count, seen = 0, is_visible()
    for name, rows in kept.items():
        mine = transactions.c.statement_id == name
        count += work.remove(transactions, mine & seen & transactions.c.row.not_in(rows))
        work.remove(transactions, mine & ~seen & transactions.c.row.not_in(rows))
        theirs = [row for row, lanes in rows.items() if lanes == {PSD}]
        hidden = mine & seen & transactions.c.row.in_(theirs)
        count += work.change(transactions, hidden, {"is_kept_for_psd": 1})
        which = (statements.c.statement_id == name) & statements.c.erased_at.is_(None)
        work.change(statements, which, {"erased_at": work.now, "report": "{}"})
    return count


def _erase_alerts(work: Work, before: str, held: set[tuple[str, str]]) -> None:
    """Erase alerts that ended before a day and were answered or closed.

    One that is still open, or held, stays, whatever its age.
    """
    settled = (*CLOSED_BY_PERSON, *AUTOMATIC)
    old = work.rows(
        sa.select(alerts.c.lane, alerts.c.alert_id).where(
            work.mine(alerts), alerts.c.last_on < before, alerts.c.state.in_(settled)
        )
    )
    gone = [row for row in old if (row["lane"], row["alert_id"]) not in held]
    for row in gone:
        for table in (alerts, evidence, alert_subjects):
            work.remove(table, is_alert(table, row["lane"], row["alert_id"]))
        for table in (raised, decisions):
            work.remove_sealed(table, is_alert(table, row["lane"], row["alert_id"]))
    work.remove(suppressions, suppressions.c.expires_on < before)
    erased = sa.select(statements.c.statement_id).where(
        work.mine(statements), statements.c.erased_at.is_not(None)
    )
    left = sa.exists().where(
        work.mine(raised),
        raised.c.lane == lists.c.lane,
        raised.c.statement_id == lists.c.statement_id,
    )
    work.remove_sealed(lists, lists.c.statement_id.in_(erased) & ~left)
