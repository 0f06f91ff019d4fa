"""Suppressions: similar alerts close automatically until a day."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from cardwatch.casebook.tables import alert_subjects, suppressions
from cardwatch.casebook.work import canonical
from cardwatch.errors import CardwatchError, Conflict, NotAllowed, NotFound
from cardwatch.merchants import canonical_name
from cardwatch.vocabulary import SubjectKind

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    like, mine = _suppressed_by(row), suppressions.c
    same = [mine[name] == value for name, value in like.items()]
    nth = len(work.rows(sa.select(mine.made_at).where(work.mine(suppressions), *same)))
    created = like | {
        "suppression_id": work.keyed("suppression", *like.values(), work.now, str(nth))[:12],
        "reason": reason,
        "expires_on": until,
        "made_by": work.actor.actor_id,
        "made_at": work.now,
    }
    work.add(suppressions, [created])
    work.event.object_id = created["suppression_id"]
    return created | {"merchants": row["merchants"]}


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
    return work.one(question.where(_is_active(work.today)))


def _suppressed_by(row: Mapping[str, Any]) -> dict[str, str]:
    """The columns of a suppression that say which alerts it is about."""
    return {
        "holder_id": row["holders"][0],
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
    return [
        row | {"merchants": json.loads(row["merchants"])}
        for row in work.rows(question.order_by(*order))
        if person_key(row["holder_id"]) not in hidden
    ]


def count_active(work: Work, lane: str, day: str) -> int:
    """The number of a lane's suppressions active on a day, without those about the actor."""
    question = sa.select(suppressions.c.suppression_id).where(
        work.mine(suppressions), suppressions.c.lane == lane, _is_active(day)
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


def compared_merchants(alert: Alert) -> list[str]:
    """The names under which an alert's merchants are compared from one statement to another."""
    return sorted({canonical_name(payment.merchant).name for payment in alert.payments})


def closed_by(work: Work, lane: str, alert: Alert) -> tuple[str, str]:
    """Return the state in which a new alert begins, and the reason if it is closed by itself."""
    mine, merchants = suppressions.c, set(compared_merchants(alert))
    current = work.rows(
        sa.select(suppressions)
        .where(
            work.mine(suppressions),
            mine.lane == lane,
            mine.rule == alert.reasons[0].rule,
            _is_active(work.today),
        )
        .order_by(mine.suppression_id)
    )
    for row in current if len(alert.holders) == 1 and merchants else ():
        is_same_holder = person_key(row["holder_id"]) == person_key(alert.holders[0])
        if is_same_holder and merchants <= set(json.loads(row["merchants"])):
            return "suppressed", f"By suppression {row['suppression_id']}."
    if not alert.shown:
        return "not-asked", "Beyond the list's budget or the limit of alerts for one cardholder."
    return "open", ""


def may_decide(work: Work, lane: str, reason: str) -> None:
    """Refuse whoever decides nothing in a lane, and what comes without a reason.

    Finance decides its own queries, professional standards theirs; these may read finance's, and
    leave no mark on them.

    Raises:
        NotAllowed: the role decides nothing there.
        CardwatchError: no reason is given.
    """
    if work.actor.role != lane:
        raise NotAllowed("Your role cannot decide on this alert.")
    if not reason.strip():
        raise CardwatchError("Enter a reason", field="reason")
    try:
        reason.encode()
    except UnicodeEncodeError as error:
        raise CardwatchError(
            "The reason has a character that cannot be saved.", field="reason"
        ) from error


def person_key(name: str) -> str:
    """Return a person's name or number as it is compared."""
    return "".join(name.casefold().split())


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
