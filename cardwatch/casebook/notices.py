"""The outbox of notices: address of each lane, due notices and retries."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from cardwatch.casebook.tables import outbox, reminders, webhooks
from cardwatch.casebook.work import as_text

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

    from cardwatch.casebook.work import Row, Work

RETRY_SECONDS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Waits after each failure, about 75 hours together (Standard Webhooks 1.0.0)."""
HELD_SECONDS = 60
"""Seconds before another worker may take a notice that was not sent."""
AT_ONCE = 20


def set_webhook(work: Work, lane: str, url: str, seal: Fernet) -> str:
    """Send a lane's notices to an address from now on; return the secret they are signed with.

    Notices of before stay unsent.
    """
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    row = {"url": url, "secret": seal.encrypt(secret.encode()).decode()}
    row |= {"made_by": work.actor.actor_id, "made_at": work.now}
    work.event.chain = lane
    if not work.change(webhooks, webhooks.c.lane == lane, row):
        work.add(webhooks, [row | {"lane": lane}])
    return secret


def end_webhook(work: Work, lane: str) -> bool:
    """Send a lane's notices nowhere any more; return whether they were sent anywhere."""
    work.event.chain = lane
    return bool(work.remove(webhooks, webhooks.c.lane == lane))


def list_webhooks(work: Work, lanes: tuple[str, ...]) -> list[Row]:
    """Return where the notices of some lanes are sent, without the secrets."""
    shown = [webhooks.c[name] for name in ("lane", "url", "made_by", "made_at")]
    question = sa.select(*shown).where(work.mine(webhooks), webhooks.c.lane.in_(lanes))
    return work.rows(question.order_by(webhooks.c.lane))


def put_notice(work: Work, lane: str, name: str, kind: str) -> None:
    """Put a notice of a lane in the outbox, unless it waits there, to be sent where they go."""
    notice = {"lane": lane, "notice_id": work.keyed("notice", lane, name)[:12], "kind": kind}
    waits = outbox.c.notice_id == notice["notice_id"]
    if work.one(sa.select(outbox.c.notice_id).where(work.mine(outbox), waits)) is not None:
        return
    work.add(outbox, [notice | {"made_at": work.now, "next_at": work.now, "tries": 0}])


def is_any_due(work: Work) -> bool:
    """Return whether a notice is due."""
    return work.one(_due(work).limit(1)) is not None


def take_due(work: Work) -> list[Row]:
    """Take the notices that are due, each with its address and sealed secret."""
    question = _due(work).order_by(outbox.c.made_at, outbox.c.notice_id).limit(AT_ONCE)
    found = work.rows(question.with_for_update(skip_locked=True, of=outbox))
    for row in found:
        work.change(outbox, _is(row), {"next_at": _later(work, HELD_SECONDS)})
    return found


def _due(work: Work) -> sa.Select[Any]:
    """Return the question for the notices that are due."""
    same = work.mine(webhooks) & (webhooks.c.lane == outbox.c.lane)
    return (
        sa.select(outbox, webhooks.c.url, webhooks.c.secret)
        .join(webhooks, same)
        .where(
            work.mine(outbox),
            outbox.c.sent_at.is_(None),
            outbox.c.tries <= len(RETRY_SECONDS),
            outbox.c.next_at <= work.now,
            outbox.c.made_at >= webhooks.c.made_at,
        )
    )


def mark_sent(work: Work, row: Row) -> None:
    """Keep that a notice has arrived."""
    work.change(outbox, _is(row), {"sent_at": work.now, "tries": row["tries"] + 1})


def mark_failed(work: Work, row: Row) -> None:
    """Keep that a notice has not arrived, and when it is tried again, if it is."""
    waits = RETRY_SECONDS[min(row["tries"], len(RETRY_SECONDS) - 1)]
    work.change(outbox, _is(row), {"tries": row["tries"] + 1, "next_at": _later(work, waits)})


def begin_reminder(work: Work, day: str) -> bool:
    """Return whether today's reminder is still to be sent, and leave it to whoever asks first."""
    try:
        with work.connection.begin_nested():
            work.add(reminders, [{"sent_on": day}])
    except IntegrityError:
        return False
    return True


def _is(row: Row) -> sa.ColumnElement[bool]:
    """Return the condition that a row of the outbox is this one."""
    return (outbox.c.lane == row["lane"]) & (outbox.c.notice_id == row["notice_id"])


def _later(work: Work, seconds: int) -> str:
    return as_text(dt.datetime.fromisoformat(work.now) + dt.timedelta(seconds=seconds))
