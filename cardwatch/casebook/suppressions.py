"""Suppressions: alerts that somebody has explained for a time, closed unasked until a day."""

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
        NotAllowed: the role decides nothing.
        CardwatchError: no reason; a day past or more than a year away; it is about several holders.
        Conflict: such a suppression holds already.
    """
    may_decide(work, row["lane"], reason)
    days = (day_of(until) - day_of(work.today)).days
    if not 0 < days <= LONGEST_SUPPRESSION_DAYS:
        raise CardwatchError("A suppression ends on a later day, within a year.")
    if len(row["holders"]) != 1 or not row["merchants"]:
        raise CardwatchError("Only alerts about one cardholder's payments can be suppressed.")
    like = {
        "holder_id": row["holders"][0],
        "merchants": canonical(row["merchants"]),
        "rule": row["rule"],
        "lane": row["lane"],
    }
    mine = suppressions.c
    same = [mine[name] == value for name, value in like.items()]
    held = sa.select(suppressions).where(work.mine(suppressions), *same, mine.ended_at.is_(None))
    if work.one(held.where(mine.expires_on >= work.today)) is not None:
        raise Conflict("Such a suppression holds already. End it first.")
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
            mine.expires_on >= work.today,
            mine.ended_at.is_(None),
        )
        .order_by(mine.suppression_id)
    )
    for row in current if len(alert.holders) == 1 and merchants else ():
        is_same_holder = person_key(row["holder_id"]) == person_key(alert.holders[0])
        if is_same_holder and merchants <= set(json.loads(row["merchants"])):
            return "suppressed", f"By suppression {row['suppression_id']}."
    if not alert.shown:
        return "not-asked", "Beyond the budget of the list or the cap for its holder."
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
        raise NotAllowed("This role records no decisions on such an alert.")
    if not reason.strip():
        raise CardwatchError("It needs a reason, which is kept with it.")
    try:
        reason.encode()
    except UnicodeEncodeError as error:
        raise CardwatchError("The reason has a character that is none.") from error


def person_key(name: str) -> str:
    """Return a person's name or number as it is compared."""
    return "".join(name.casefold().split())


def day_of(text: str) -> dt.date:
    """Return a day from its text.

    Raises:
        CardwatchError: it is none.
    """
    try:
        return dt.date.fromisoformat(text)
    except ValueError as error:
        raise CardwatchError(f"'{text}' is no day such as 2026-10-01.") from error
