"""Suppressions: alerts that somebody has explained for a time, closed unasked until a day."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from cardwatch.casebook.tables import alerts, subjects, suppressions
from cardwatch.errors import CardwatchError, Conflict, NotAllowed, NotFound
from cardwatch.merchants import canonical_name

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
    content = row["raised"]
    if len({payment["holder_id"] for payment in content["payments"]}) != 1:
        raise CardwatchError("Only an alert about one holder's payments can be suppressed.")
    like = {name: row[name] for name in ("holder_id", "merchant_id", "rule", "lane")}
    mine = suppressions.c
    same = [mine[name] == value for name, value in like.items()]
    held = sa.select(suppressions).where(work.mine(suppressions), *same, mine.ended_at.is_(None))
    if work.one(held.where(mine.expires_on >= work.today)) is not None:
        raise Conflict("Such a suppression holds already. End it first.")
    nth = len(work.rows(sa.select(mine.made_at).where(work.mine(suppressions), *same)))
    found = like | {
        "suppression_id": work.keyed("suppression", *like.values(), work.now, str(nth))[:12],
        "reason": reason,
        "expires_on": until,
        "made_by": work.actor.actor_id,
        "made_at": work.now,
    }
    work.add(suppressions, [found])
    work.event.object_id = found["suppression_id"]
    return found


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
    hidden = work.rows(
        sa.select(alerts.c.holder_id)
        .join(subjects, work.mine(subjects) & (subjects.c.alert_id == alerts.c.alert_id))
        .where(work.mine(alerts), subjects.c.person == person_key(work.actor.holder_id or "-"))
    )
    about = {row["holder_id"] for row in hidden}
    return [row for row in work.rows(question.order_by(*order)) if row["holder_id"] not in about]


def closed_by(work: Work, lane: str, alert: Alert) -> tuple[str, str]:
    """Return the state in which a new alert begins, and the reason if it is closed by itself."""
    mine = suppressions.c
    found = work.one(
        sa.select(suppressions)
        .where(
            work.mine(suppressions),
            mine.lane == lane,
            mine.holder_id == alert.holder_id,
            mine.merchant_id == canonical_name(alert.merchant).name,
            mine.rule == alert.reasons[0].rule,
            mine.expires_on >= work.today,
            mine.ended_at.is_(None),
        )
        .order_by(mine.suppression_id)
        .limit(1)
    )
    if found is not None:
        return "suppressed", f"By suppression {found['suppression_id']}."
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
