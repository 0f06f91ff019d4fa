"""Suppressions: alerts that are closed unasked until a day, by hand or since one was explained."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from cardwatch.alerts.answered import Answer, compared_merchants, find_answered, person_key
from cardwatch.casebook.tables import alert_subjects, alerts, suppressions
from cardwatch.casebook.work import Event, canonical
from cardwatch.errors import CardwatchError, Conflict, NotAllowed, NotFound
from cardwatch.vocabulary import SubjectKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardwatch.casebook.work import Row, Work
    from cardwatch.records import Alert

LONGEST_SUPPRESSION_DAYS = 366


def suppress(work: Work, row: Mapping[str, Any], *, until: str, reason: str) -> Row:
    """Let alerts like one be closed unasked until a day: of its rule, its holder and its merchant.

    Args:
        work: the work it is done in.
        row: the alert, as `get_alert` gives it.
        until: the last day.
        reason: why.

    Raises:
        NotAllowed, CardwatchError, Conflict: see `check_suppression`.
    """
    check_suppression(work, row, until=until, reason=reason)
    created = _add(work, row, {"reason": reason, "expires_on": until})
    work.event.object_id = created["suppression_id"]
    return _as_listed(created)


def _add(work: Work, row: Mapping[str, Any], values: Mapping[str, Any]) -> Row:
    """Add a suppression of alerts like one; return it as it is kept."""
    like, mine = _suppressed_by(row), suppressions.c
    same = [mine[name] == value for name, value in like.items()]
    nth = len(work.rows(sa.select(mine.made_at).where(work.mine(suppressions), *same)))
    created = (
        like
        | {
            "suppression_id": work.keyed("suppression", *like.values(), work.now, str(nth))[:12],
            "kind": row["kind"],
            "alert_id": None,
            "most_pence": None,
            "made_by": work.actor.actor_id,
            "made_at": work.now,
        }
        | dict(values)
    )
    work.add(suppressions, [created])
    return created


def keep_answer(work: Work, row: Mapping[str, Any], *, until: str, most_pence: int) -> None:
    """Let alerts that ask what one did be closed unasked until a day, as it was explained.

    Nothing is kept of facts against policy, which are listed whole, nor of alerts about cards; nor
    again where the answer to this alert is kept already.

    Args:
        work: the work it is done in.
        row: the alert with its decisions, as `get_alert` gives it.
        until: the last day.
        most_pence: the sum up to which alerts like it are not asked about again.
    """
    if row["is_fact"] or not row["merchants"] or current_answer(work, row) is not None:
        return
    reason = row["decisions"][-1]["reason"]
    values = {"alert_id": row["alert_id"], "most_pence": most_pence}
    created = _add(work, row, values | {"reason": reason, "expires_on": until})
    work.also.append(_event(work, created["suppression_id"]))


def drop_answer(work: Work, row: Mapping[str, Any]) -> None:
    """End what the answer to an alert closes, since it is answered otherwise now."""
    kept = current_answer(work, row)
    if kept is not None:
        which = suppressions.c.suppression_id == kept["suppression_id"]
        work.change(suppressions, which, {"ended_at": work.now})
        work.also.append(_event(work, kept["suppression_id"]))


def _event(work: Work, suppression_id: str) -> Event:
    """The audit event of a suppression that is kept or ended with a decision."""
    return Event("alteration", "suppression", suppression_id, chain=work.actor.chain)


def current_answer(work: Work, row: Mapping[str, Any]) -> Row | None:
    """The suppression that the answer to an alert has made, while it is active."""
    mine = suppressions.c
    own = (mine.alert_id == row["alert_id"]) & (mine.lane == row["lane"])
    return work.one(
        sa.select(suppressions).where(work.mine(suppressions), own, _is_active(work.today))
    )


def check_suppression(work: Work, row: Mapping[str, Any], *, until: str, reason: str) -> None:
    """Refuse a suppression that cannot be made; arguments as of `suppress`.

    Raises:
        NotAllowed: the role decides nothing.
        CardwatchError: no reason; a day past or more than a year away; it is about several holders.
        Conflict: alerts like it are suppressed already.
    """
    may_decide(work, row["lane"], reason)
    days = (day_of(until, "until") - day_of(work.today)).days
    if not 0 < days <= LONGEST_SUPPRESSION_DAYS:
        raise CardwatchError("Enter a date after today, within a year.", field="until")
    if not is_suppressible(row):
        raise CardwatchError("Only alerts about one cardholder's payments can be suppressed.")
    if current_suppression(work, row) is not None:
        raise Conflict("Alerts like this are already suppressed. End that suppression first.")


def is_suppressible(row: Mapping[str, Any]) -> bool:
    """Whether alerts like one can be suppressed: it is about one cardholder's payments."""
    return len(row["holders"]) == 1 and bool(row["merchants"])


def current_suppression(work: Work, row: Mapping[str, Any]) -> Row | None:
    """The suppression of alerts like one that has neither ended nor expired, if there is one."""
    if not is_suppressible(row):
        return None
    mine = suppressions.c
    same = [mine[name] == value for name, value in _suppressed_by(row).items()]
    question = sa.select(suppressions).where(work.mine(suppressions), *same)
    return work.one(question.where(mine.alert_id.is_(None), _is_active(work.today)))


def _suppressed_by(row: Mapping[str, Any]) -> dict[str, str]:
    """The columns of a suppression that say which alerts it is about."""
    return {
        "holders": canonical(row["holders"]),
        "merchants": canonical(row["merchants"]),
        "rule": row["rule"],
        "lane": row["lane"],
    }


def end_suppression(work: Work, suppression_id: str) -> None:
    """End a suppression before its day.

    Raises:
        NotFound: there is no such suppression of the actor's lane.
    """
    mine = suppressions.c
    which = (mine.suppression_id == suppression_id) & (mine.lane == work.actor.role)
    known = {row["suppression_id"] for row in list_suppressions(work)}
    still = which & mine.suppression_id.in_(known) & mine.ended_at.is_(None)
    if not work.change(suppressions, still, {"ended_at": work.now}):
        raise NotFound("There is no such suppression.")
    work.event.object_id = suppression_id


def list_suppressions(work: Work) -> list[Row]:
    """Return the suppressions of the actor's lanes, those about themselves left out."""
    question = sa.select(suppressions).where(work.mine(suppressions))
    order = (suppressions.c.made_at, suppressions.c.suppression_id)
    hidden = _hidden_holders(work)
    listed = map(_as_listed, work.rows(question.order_by(*order)))
    return [row for row in listed if hidden.isdisjoint(map(person_key, row["holders"]))]


def _as_listed(row: Row) -> Row:
    """Return a suppression with its cardholders and merchants as lists."""
    return row | {name: json.loads(row[name]) for name in ("holders", "merchants")}


def count_active(work: Work, lane: str, day: str) -> int:
    """Return how many suppressions made by hand were active on a day, but for the actor's own."""
    by_hand = (suppressions.c.lane == lane) & suppressions.c.alert_id.is_(None)
    question = sa.select(suppressions.c.suppression_id).where(
        work.mine(suppressions), by_hand, _is_active(day)
    )
    active = {row["suppression_id"] for row in work.rows(question)}
    return sum(row["suppression_id"] in active for row in list_suppressions(work))


def _is_active(day: str) -> sa.ColumnElement[bool]:
    """Condition that a suppression was made by a day, had not expired, and was not ended by it."""
    mine = suppressions.c
    still = mine.ended_at.is_(None) | (sa.func.substr(mine.ended_at, 1, 10) > day)
    return (sa.func.substr(mine.made_at, 1, 10) <= day) & (mine.expires_on >= day) & still


def _hidden_holders(work: Work) -> set[str]:
    """The actor, and the cardholders whose payments they approve, as `person_key`."""
    if not work.actor.holder_id:
        return set()
    own = person_key(work.actor.holder_id)
    holder, approver = alert_subjects.alias("holder"), alert_subjects.alias("approver")
    question = sa.select(holder.c.subject_id).where(
        work.mine(holder, approver),
        holder.c.lane == approver.c.lane,
        holder.c.alert_id == approver.c.alert_id,
        holder.c.kind == SubjectKind.HOLDER,
        approver.c.kind == SubjectKind.APPROVER_OF_HOLDER,
        approver.c.subject_id == own,
    )
    return {own, *(row["subject_id"] for row in work.rows(question))}


def find_closed(work: Work, lane: str, made: Sequence[Alert]) -> dict[str, tuple[str, str]]:
    """Return which alerts of a list begin closed: by id, the state and the reason.

    Args:
        work: the work it is done in.
        lane: of the list.
        made: its alerts.
    """
    mine = suppressions.c
    asked = (alerts.c.lane == mine.lane) & (alerts.c.alert_id == mine.alert_id)
    rows = work.rows(
        sa.select(suppressions, alerts.c.statement_id)
        .outerjoin(alerts, sa.and_(work.mine(alerts), asked))
        .where(work.mine(suppressions), mine.lane == lane, _is_active(work.today))
        .order_by(mine.suppression_id)
    )
    active = [_as_listed(row) for row in rows]
    answered = find_answered(made, [_answer(row) for row in active if row["alert_id"]])
    closed = {}
    for alert in made:
        by_hand = _suppression_of(alert, active)
        earlier = answered.get(alert.alert_id)
        if by_hand:
            closed[alert.alert_id] = "suppressed", f"By suppression {by_hand}."
        elif earlier not in {None, alert.alert_id}:
            reason = f"The same was explained in alert {earlier}, and nothing has changed since."
            closed[alert.alert_id] = "answered-before", reason
        elif not alert.shown:
            reason = "Beyond the budget of the list or the cap for its holder."
            closed[alert.alert_id] = "not-asked", reason
    return closed


def _answer(row: Mapping[str, Any]) -> Answer:
    """Return an answer as alerts are compared with it."""
    return Answer(
        alert_id=row["alert_id"],
        kind=row["kind"],
        holders=frozenset(map(person_key, row["holders"])),
        merchants=frozenset(row["merchants"]),
        most_pence=row["most_pence"],
        statement=row["statement_id"] or "",
    )


def _suppression_of(alert: Alert, active: Sequence[Mapping[str, Any]]) -> str:
    """Return the id of the suppression made by hand that closes an alert; empty if none does."""
    merchants = set(compared_merchants(alert))
    if len(alert.holders) != 1 or not merchants:
        return ""
    holder, rule = person_key(alert.holders[0]), alert.reasons[0].rule
    for row in active:
        by_hand = row["alert_id"] is None and row["rule"] == rule
        same_holder = [holder] == [*map(person_key, row["holders"])]
        if by_hand and same_holder and merchants <= set(row["merchants"]):
            return str(row["suppression_id"])
    return ""


def may_decide(work: Work, lane: str, reason: str) -> None:
    """Refuse whoever decides nothing in a lane, and what comes without a reason.

    Finance decides its own queries, professional standards theirs; these may read finance's, and
    leave no mark on them.

    Raises:
        NotAllowed: the role decides nothing there.
        CardwatchError: no reason is given.
    """
    if work.actor.role != lane:
        raise NotAllowed("This role records no decisions on such an alert.")
    if not work.actor.can_decide:
        raise NotAllowed("This key records no decisions. Sign in, or make a key that may.")
    if not reason.strip():
        raise CardwatchError("Enter a reason", field="reason")
    try:
        reason.encode()
    except UnicodeEncodeError as error:
        raise CardwatchError(
            "The reason has a character that cannot be saved.", field="reason"
        ) from error


def day_of(text: str, field: str = "") -> dt.date:
    """Convert an ISO date.

    Args:
        text: the date, such as 2026-10-01.
        field: the field in which it was sent.

    Raises:
        CardwatchError: it is not a date.
    """
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        sentence = f"'{text}' is not a date. Use the form 2026-10-01." if text else "Enter a date"
        raise CardwatchError(sentence, field=field) from error
