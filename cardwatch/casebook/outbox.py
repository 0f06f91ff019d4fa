"""The outbox of notices: address of each lane, due notices and retries."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from cardwatch.casebook.rows import MailNotice, Notice, Webhook
from cardwatch.casebook.tables import outbox, reminders, webhooks
from cardwatch.casebook.unit_of_work import as_text

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

    from cardwatch.casebook.unit_of_work import UnitOfWork

RETRY_SECONDS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Waits after each failure, about 75 hours together (Standard Webhooks 1.0.0)."""
HELD_SECONDS = 60
"""Seconds before another worker may take a notice that was not sent."""
NOTICES_PER_RUN = 20
MAIL = "refused-by-mail"
"""Kind of the notice that becomes an e-mail about a refused file, and goes to no webhook."""
MAIL_DAYS = 3
"""Days after which a refused file is announced by e-mail no more."""


def set_webhook(uow: UnitOfWork, lane: str, url: str, seal: MultiFernet) -> str:
    """Send a lane's notices to an address from now on; return the secret they are signed with.

    Notices of before stay unsent.
    """
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    row = {"url": url, "secret": seal.encrypt(secret.encode()).decode()}
    row |= {"made_by": uow.actor.actor_id, "made_at": uow.now}
    uow.event.chain = lane
    if not uow.update(webhooks, webhooks.c.lane == lane, row):
        uow.insert(webhooks, [row | {"lane": lane}])
    return secret


def end_webhook(uow: UnitOfWork, lane: str) -> bool:
    """Send a lane's notices nowhere any more; return whether they were sent anywhere."""
    uow.event.chain = lane
    return bool(uow.delete(webhooks, webhooks.c.lane == lane))


def list_webhooks(uow: UnitOfWork, lanes: tuple[str, ...]) -> list[Webhook]:
    """Return where the notices of some lanes are sent, without the secrets."""
    public_columns = [webhooks.c[name] for name in ("lane", "url", "made_by", "made_at")]
    question = sa.select(*public_columns).where(uow.scope(webhooks), webhooks.c.lane.in_(lanes))
    return uow.fetch_all(question.order_by(webhooks.c.lane), Webhook)


def put_notice(uow: UnitOfWork, lane: str, name: str, kind: str) -> None:
    """Put a notice of a lane in the outbox, unless it waits there, to be sent where they go."""
    notice = {"lane": lane, "notice_id": uow.keyed("notice", lane, name)[:12], "kind": kind}
    waits = outbox.c.notice_id == notice["notice_id"]
    if uow.fetch_one(sa.select(outbox.c.notice_id).where(uow.scope(outbox), waits)) is not None:
        return
    uow.insert(outbox, [notice | {"made_at": uow.now, "next_attempt_at": uow.now, "tries": 0}])


def is_any_due(uow: UnitOfWork) -> bool:
    """Return whether a notice is due."""
    return uow.fetch_one(_due(uow).limit(1)) is not None


def take_due(uow: UnitOfWork) -> list[Notice]:
    """Take the notices that are due, each with its address and sealed secret."""
    question = _due(uow).order_by(outbox.c.made_at, outbox.c.notice_id).limit(NOTICES_PER_RUN)
    notices = uow.fetch_all(question.with_for_update(skip_locked=True, of=outbox), Notice)
    for row in notices:
        uow.update(outbox, _is(row), {"next_attempt_at": _later(uow, HELD_SECONDS)})
    return notices


def _due(uow: UnitOfWork) -> sa.Select[Any]:
    """Return the question for the notices that are due."""
    same = uow.scope(webhooks) & (webhooks.c.lane == outbox.c.lane)
    return (
        sa.select(outbox, webhooks.c.url, webhooks.c.secret)
        .join(webhooks, same)
        .where(
            outbox.c.kind != MAIL,
            outbox.c.made_at >= webhooks.c.made_at,
            *_unsent(uow),
        )
    )


def _unsent(uow: UnitOfWork) -> tuple[sa.ColumnElement[bool], ...]:
    """Return the conditions that a notice is to be sent, or sent again, by now."""
    return (
        uow.scope(outbox),
        outbox.c.sent_at.is_(None),
        outbox.c.tries <= len(RETRY_SECONDS),
        outbox.c.next_attempt_at <= uow.now,
    )


def _mail_due(uow: UnitOfWork) -> sa.Select[Any]:
    """Return the question for the notices that are due by e-mail."""
    oldest = as_text(dt.datetime.fromisoformat(uow.now) - dt.timedelta(MAIL_DAYS))
    due = sa.select(outbox).where(outbox.c.kind == MAIL, outbox.c.made_at >= oldest, *_unsent(uow))
    return due.order_by(outbox.c.made_at, outbox.c.notice_id)


def is_any_mail_due(uow: UnitOfWork) -> bool:
    """Return whether a notice is due by e-mail."""
    return uow.fetch_one(_mail_due(uow).limit(1)) is not None


def take_mail_due(uow: UnitOfWork) -> list[MailNotice]:
    """Take the notices that are due by e-mail: one message announces all of them."""
    notices = uow.fetch_all(_mail_due(uow).with_for_update(skip_locked=True), MailNotice)
    for row in notices:
        uow.update(outbox, _is(row), {"next_attempt_at": _later(uow, HELD_SECONDS)})
    return notices


def mark_sent(uow: UnitOfWork, row: MailNotice) -> None:
    """Keep that a notice has arrived."""
    uow.update(outbox, _is(row), {"sent_at": uow.now, "tries": row["tries"] + 1})


def mark_failed(uow: UnitOfWork, row: MailNotice) -> None:
    """Keep that a notice has not arrived, and when it is tried again, if it is."""
    waits = RETRY_SECONDS[min(row["tries"], len(RETRY_SECONDS) - 1)]
    uow.update(outbox, _is(row), {"tries": row["tries"] + 1, "next_attempt_at": _later(uow, waits)})


def begin_reminder(uow: UnitOfWork, day: str) -> bool:
    """Return whether today's reminder is still to be sent, and leave it to whoever asks first."""
    try:
        with uow.connection.begin_nested():
            uow.insert(reminders, [{"sent_on": day}])
    except IntegrityError:
        return False
    return True


def _is(row: MailNotice) -> sa.ColumnElement[bool]:
    """Return the condition that a row of the outbox is this one."""
    return (outbox.c.lane == row["lane"]) & (outbox.c.notice_id == row["notice_id"])


def _later(uow: UnitOfWork, seconds: int) -> str:
    return as_text(dt.datetime.fromisoformat(uow.now) + dt.timedelta(seconds=seconds))
