"""Suppressions: alerts that close automatically until a day, by hand or since one was explained."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any, cast

import sqlalchemy as sa

from cardwatch.alerts.answered import Answer, compared_merchants, find_answered
from cardwatch.casebook.alert_rows import AlertDetail, AlertRow, Suppression, SuppressionRow
from cardwatch.casebook.own_keys import hidden_keys
from cardwatch.casebook.permissions import check_records, may_decide
from cardwatch.casebook.tables import alert_subjects, alerts, suppressions
from cardwatch.casebook.unit_of_work import AuditEvent, canonical
from cardwatch.errors import CardwatchError, Conflict, NotFound
from cardwatch.registers import person_key
from cardwatch.vocabulary import RAISED_BY_HAND, SubjectKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cardwatch.casebook.unit_of_work import Row, UnitOfWork
    from cardwatch.records import Alert

LONGEST_SUPPRESSION_DAYS = 366


def suppress(uow: UnitOfWork, row: AlertDetail, *, until: str, reason: str) -> Suppression:
    """Close later alerts of the rule, holder and merchant of one automatically until a day.

    Args:
        row: the alert, as `get_alert` gives it.
        until: the last day.
        reason: why.

    Raises:
        NotAllowed, CardwatchError, Conflict: see `check_suppression`.
    """
    check_suppression(uow, row, until=until, reason=reason)
    created = _add(uow, row, {"reason": reason, "expires_on": until})
    uow.event.object_id = created["suppression_id"]
    return _as_listed(created)


def _add(uow: UnitOfWork, row: AlertRow, values: Mapping[str, Any]) -> Row:
    """Add a suppression of alerts like one; return it as it is kept."""
    like, columns = _suppressed_by(row), suppressions.c
    same = [columns[name] == value for name, value in like.items()]
    nth = len(uow.fetch_all(sa.select(columns.made_at).where(uow.scope(suppressions), *same)))
    created = (
        like
        | {
            "suppression_id": uow.keyed("suppression", *like.values(), uow.now, str(nth))[:12],
            "kind": row["kind"],
            "alert_id": None,
            "most_pence": None,
            "made_by": uow.actor.actor_id,
            "made_at": uow.now,
            "ended_at": None,
        }
        | dict(values)
    )
    uow.insert(suppressions, [created])
    return created


def keep_answer(uow: UnitOfWork, row: AlertDetail, *, until: str, most_pence: int) -> None:
    """Close later alerts that ask what one did automatically until a day, as it was explained.

    Nothing is kept of facts against policy, which are listed whole, nor of alerts about cards; nor
    again where the answer to this alert is kept already.

    Args:
        row: the alert with its decisions, as `get_alert` gives it.
        until: the last day.
        most_pence: the sum up to which alerts like it are not asked about again.
    """
    if row["rule"] == RAISED_BY_HAND:
        return
    if row["is_fact"] or not row["merchants"] or current_answer(uow, row) is not None:
        return
    reason = row["decisions"][-1]["reason"]
    values = {"alert_id": row["alert_id"], "most_pence": most_pence}
    created = _add(uow, row, values | {"reason": reason, "expires_on": until})
    uow.extra_events.append(_event(uow, created["suppression_id"]))


def drop_answer(uow: UnitOfWork, row: AlertDetail) -> None:
    """End what the answer to an alert closes, since it is answered otherwise now."""
    answer = current_answer(uow, row)
    if answer is not None:
        which = suppressions.c.suppression_id == answer["suppression_id"]
        uow.update(suppressions, which, {"ended_at": uow.now})
        uow.extra_events.append(_event(uow, answer["suppression_id"]))


def _event(uow: UnitOfWork, suppression_id: str) -> AuditEvent:
    """The audit event of a suppression that is kept or ended with a decision."""
    return AuditEvent("alteration", "suppression", suppression_id, chain=uow.actor.chain)


def current_answer(uow: UnitOfWork, row: AlertRow) -> SuppressionRow | None:
    """The suppression that the answer to an alert has made, while it is active."""
    columns = suppressions.c
    same_alert = (columns.alert_id == row["alert_id"]) & (columns.lane == row["lane"])
    question = sa.select(suppressions).where(uow.scope(suppressions), same_alert)
    return uow.fetch_one(question.where(_is_active(uow.today)), SuppressionRow)


def check_suppression(uow: UnitOfWork, row: AlertRow, *, until: str, reason: str) -> None:
    """Refuse a suppression that cannot be made; arguments as of `suppress`.

    Raises:
        NotAllowed: the role decides nothing.
        CardwatchError: no reason; a day past or more than a year away; it is about several holders.
        Conflict: alerts like it are suppressed already.
    """
    may_decide(uow, row["lane"], reason)
    days = (day_of(until, "until") - day_of(uow.today)).days
    if not 0 < days <= LONGEST_SUPPRESSION_DAYS:
        raise CardwatchError("Enter a date after today, within a year.", field="until")
    if not is_suppressible(row):
        raise CardwatchError("Only alerts about one cardholder's payments can be suppressed.")
    if current_suppression(uow, row) is not None:
        raise Conflict("Alerts like this are already suppressed. End that suppression first.")


def is_suppressible(row: AlertRow) -> bool:
    """Whether alerts like one can be suppressed: a rule's, about one cardholder's payments."""
    return len(row["holders"]) == 1 and bool(row["merchants"]) and row["rule"] != RAISED_BY_HAND


def current_suppression(uow: UnitOfWork, row: AlertRow) -> SuppressionRow | None:
    """The suppression of alerts like one that has neither ended nor expired, if there is one."""
    if not is_suppressible(row):
        return None
    columns = suppressions.c
    same = [columns[name] == value for name, value in _suppressed_by(row).items()]
    question = sa.select(suppressions).where(uow.scope(suppressions), *same)
    by_hand = question.where(columns.alert_id.is_(None), _is_active(uow.today))
    return uow.fetch_one(by_hand, SuppressionRow)


def _suppressed_by(row: AlertRow) -> dict[str, str]:
    """The columns of a suppression that say which alerts it is about."""
    return {
        "holders": canonical(row["holders"]),
        "merchants": canonical(row["merchants"]),
        "rule": row["rule"],
        "lane": row["lane"],
    }


def end_suppression(uow: UnitOfWork, suppression_id: str) -> None:
    """End a suppression before its day.

    Raises:
        NotAllowed: the actor is a key that records no decisions.
        NotFound: there is no such suppression of the actor's lane.
    """
    check_records(uow)
    columns = suppressions.c
    which = (columns.suppression_id == suppression_id) & (columns.lane == uow.actor.role)
    visible_ids = {row["suppression_id"] for row in list_suppressions(uow)}
    still = which & columns.suppression_id.in_(visible_ids) & columns.ended_at.is_(None)
    if not uow.update(suppressions, still, {"ended_at": uow.now}):
        raise NotFound("There is no such suppression.")
    uow.event.object_id = suppression_id


def list_suppressions(uow: UnitOfWork) -> list[Suppression]:
    """Return the suppressions of the actor's lanes, those about themselves left out."""
    question = sa.select(suppressions).where(uow.scope(suppressions))
    order = (suppressions.c.made_at, suppressions.c.suppression_id)
    hidden = _hidden_holders(uow)
    listed = map(_as_listed, uow.fetch_all(question.order_by(*order)))
    return [row for row in listed if hidden.isdisjoint(map(person_key, row["holders"]))]


def _as_listed(row: Row) -> Suppression:
    """Return a suppression with its cardholders and merchants as lists."""
    return cast(
        "Suppression", row | {name: json.loads(row[name]) for name in ("holders", "merchants")}
    )


def count_active(uow: UnitOfWork, lane: str, day: str) -> int:
    """Return how many suppressions made by hand were active on a day, but for the actor's own."""
    by_hand = (suppressions.c.lane == lane) & suppressions.c.alert_id.is_(None)
    question = sa.select(suppressions.c.suppression_id).where(
        uow.scope(suppressions), by_hand, _is_active(day)
    )
    active = {row["suppression_id"] for row in uow.fetch_all(question)}
    return sum(row["suppression_id"] in active for row in list_suppressions(uow))


def _is_active(day: str) -> sa.ColumnElement[bool]:
    """Condition that a suppression was made by a day, had not expired, and was not ended by it."""
    columns = suppressions.c
    still = columns.ended_at.is_(None) | (sa.func.substr(columns.ended_at, 1, 10) > day)
    return (sa.func.substr(columns.made_at, 1, 10) <= day) & (columns.expires_on >= day) & still


def _hidden_holders(uow: UnitOfWork) -> set[str]:
    """The actor, and the cardholders whose payments they approve, as `person_key`."""
    keys = hidden_keys(uow)
    if not keys:
        return set()
    holder, approver = alert_subjects.alias("holder"), alert_subjects.alias("approver")
    question = sa.select(holder.c.subject_id).where(
        uow.scope(holder, approver),
        holder.c.lane == approver.c.lane,
        holder.c.alert_id == approver.c.alert_id,
        holder.c.kind == SubjectKind.HOLDER,
        approver.c.kind == SubjectKind.APPROVER_OF_HOLDER,
        approver.c.subject_id.in_(keys),
    )
    return {*keys, *(row["subject_id"] for row in uow.fetch_all(question))}


def initial_states(
    uow: UnitOfWork, lane: str, raised_alerts: Sequence[Alert]
) -> dict[str, tuple[str, str]]:
    """Return which alerts of a list begin closed: by id, the state and the reason.

    Args:
        lane: of the list.
        raised_alerts: its alerts.
    """
    columns = suppressions.c
    same_alert = (alerts.c.lane == columns.lane) & (alerts.c.alert_id == columns.alert_id)
    rows = uow.fetch_all(
        sa.select(suppressions, alerts.c.statement_id)
        .outerjoin(alerts, sa.and_(uow.scope(alerts), same_alert))
        .where(uow.scope(suppressions), columns.lane == lane, _is_active(uow.today))
        .order_by(columns.suppression_id)
    )
    active = [_as_listed(row) for row in rows]
    answered = find_answered(raised_alerts, [_answer(row) for row in active if row["alert_id"]])
    closed = {}
    for alert in raised_alerts:
        by_hand = _suppression_of(alert, active)
        earlier = answered.get(alert.alert_id)
        if by_hand:
            closed[alert.alert_id] = "suppressed", f"By suppression {by_hand}."
        elif earlier not in {None, alert.alert_id}:
            reason = f"The same was explained in alert {earlier}, and nothing has changed since."
            closed[alert.alert_id] = "answered-before", reason
        elif not alert.shown:
            reason = "Beyond the list's budget or the limit of alerts for one cardholder."
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
