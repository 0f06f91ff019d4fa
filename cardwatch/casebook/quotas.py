"""Daily quotas: how much each person may upload and export in a day, with all their keys.

What somebody has used is counted for them alone. Nobody else's use shows in it, and it shows to
nobody else.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.tables import daily_uses
from cardwatch.errors import QuotaReached
from cardwatch.vocabulary import QuotaKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cardwatch.casebook.database import Casebook
    from cardwatch.casebook.unit_of_work import Actor, UnitOfWork

QUOTA_WORDS = {
    QuotaKind.REQUESTS: "requests",
    QuotaKind.UPLOADS: "uploaded files",
    QuotaKind.UPLOAD_MIB: "MiB of uploaded files",
    QuotaKind.EXPORTS: "exports",
}
"""Unit of each quota, in words."""
DAY_SECONDS = 86_400
BYTES_PER_MIB = 1024 * 1024


def use_quota(
    casebook: Casebook,
    actor: Actor,
    amounts: Mapping[QuotaKind, int],
    limits: Mapping[QuotaKind, int],
    now: dt.datetime,
) -> None:
    """Count what somebody does today, all of it or, beyond a limit, nothing.

    Args:
        casebook: where it is counted.
        actor: whose use it is; a key's is that of whoever made it.
        amounts: what is used; of `UPLOAD_MIB` in bytes.
        limits: of a day, in the units of `QuotaKind`.
        now: the moment, with a time zone; a day begins at midnight UTC.

    Raises:
        QuotaReached: it would exceed one of the limits.
    """
    with casebook.unaudited(actor, now) as uow:
        uow.lock("daily-uses", actor.responsible_id)
        used_today = _used_today(uow)
        for kind, amount in amounts.items():
            unit = BYTES_PER_MIB if kind == QuotaKind.UPLOAD_MIB else 1
            if used_today.get(kind, 0) + amount > limits[kind] * unit:
                raise quota_reached(kind, limits[kind], now)
        for kind, amount in amounts.items():
            this = (daily_uses.c.person_id == actor.responsible_id) & (daily_uses.c.kind == kind)
            values = {"used_on": uow.today, "amount": used_today.get(kind, 0) + amount}
            if not uow.update(daily_uses, this, values):
                row = {"person_id": actor.responsible_id, "kind": kind.value}
                uow.insert(daily_uses, [row | values])


def used_today(casebook: Casebook, actor: Actor, now: dt.datetime) -> dict[QuotaKind, int]:
    """Return what somebody has used today; of `UPLOAD_MIB` in bytes."""
    with casebook.unaudited(actor, now, reads=True) as uow:
        return _used_today(uow)


def _used_today(uow: UnitOfWork) -> dict[QuotaKind, int]:
    theirs = uow.scope(daily_uses) & (daily_uses.c.person_id == uow.actor.responsible_id)
    question = sa.select(daily_uses).where(theirs, daily_uses.c.used_on == uow.today)
    return {QuotaKind(row["kind"]): row["amount"] for row in uow.fetch_all(question)}


def quota_reached(kind: QuotaKind, limit: int, now: dt.datetime) -> QuotaReached:
    """Return the refusal of somebody who has used up a quota; they may go on after midnight UTC."""
    midnight = now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    seconds = DAY_SECONDS - int((now - midnight).total_seconds())
    return QuotaReached(f"{limit:,} {QUOTA_WORDS[kind]}", seconds)
