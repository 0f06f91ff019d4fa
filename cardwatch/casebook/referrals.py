"""Referrals: finance's confirmed alerts that professional standards are asked to look at.

The referral is finance's row. The answer is a row of professional standards, which nobody else
reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from cardwatch.casebook.alerts import not_about
from cardwatch.casebook.case_rows import ListedReferral, Referral
from cardwatch.casebook.permissions import may_decide
from cardwatch.casebook.tables import FINANCE, PSD, referral_answers, referrals
from cardwatch.casebook.unit_of_work import AuditEvent
from cardwatch.errors import Conflict, NotFound

if TYPE_CHECKING:
    from cardwatch.casebook.alert_rows import AlertDetail
    from cardwatch.casebook.unit_of_work import UnitOfWork

REFERRED_STATE = "confirmed"
"""The state of an alert that can be referred: further action is needed."""


def refer(uow: UnitOfWork, alert: AlertDetail, reason: str) -> str:
    """Refer one of finance's alerts to professional standards; return the referral's id.

    It can be referred again once there is a later decision on it, whatever became of the first.

    Raises:
        NotAllowed: the actor does not decide in finance.
        CardwatchError: no reason is given.
        Conflict: the alert is not confirmed, or was referred since its last decision.
    """
    may_decide(uow, FINANCE, reason)
    if alert["state"] != REFERRED_STATE:
        raise Conflict("Only a confirmed alert can be referred. Record that decision first.")
    referral_id = uow.keyed("referral", alert["alert_id"], str(alert["version"]))[:12]
    uow.lock("referral", referral_id)
    same = referrals.c.referral_id == referral_id
    if uow.fetch_one(sa.select(referrals.c.lane).where(uow.scope(referrals), same)) is not None:
        raise Conflict(
            "This alert has already been referred. Record a decision that says what is new before "
            "you refer it again."
        )
    row: Referral = {
        "lane": FINANCE,
        "referral_id": referral_id,
        "alert_id": alert["alert_id"],
        "version": alert["version"],
        "reason": reason,
        "made_by": uow.actor.actor_id,
        "made_at": uow.now,
    }
    uow.insert(referrals, [row])
    uow.event.object_id = referral_id
    event = AuditEvent("disclosure", "alert", alert["alert_id"], purpose="misconduct")
    uow.extra_events.append(event)
    return referral_id


def list_referrals(uow: UnitOfWork, *, waiting: bool = False) -> list[ListedReferral]:
    """Return the referrals with their answers, the newest first; those about the actor left out.

    Args:
        waiting: whether only those without an answer are wanted.
    """
    names = ("referral_id", "alert_id", "reason", "made_by", "made_at")
    answers = referral_answers.c
    question = (
        sa.select(
            *(referrals.c[name] for name in names),
            answers.case_id,
            answers.reason.label("answer"),
            answers.made_by.label("answered_by"),
            answers.made_at.label("answered_at"),
        )
        .outerjoin(
            referral_answers,
            uow.scope(referral_answers) & (answers.referral_id == referrals.c.referral_id),
        )
        .where(uow.scope(referrals), not_about(uow, referrals))
        .order_by(referrals.c.made_at.desc(), referrals.c.referral_id)
    )
    still = question.where(answers.made_at.is_(None)) if waiting else question
    return uow.fetch_all(still, ListedReferral)


def decline_referral(uow: UnitOfWork, referral_id: str, reason: str) -> None:
    """Decline a referral, as no case comes of it; the person who referred it is not told.

    Raises:
        NotAllowed: the actor does not decide for professional standards.
        CardwatchError: no reason is given.
        NotFound: there is no such referral that the actor may see.
        Conflict: it was answered already.
    """
    may_decide(uow, PSD, reason)
    if referral_id not in {row["referral_id"] for row in list_referrals(uow)}:
        raise NotFound(f"There is no referral '{referral_id}'.")
    uow.event.object_id = referral_id
    _answer(uow, referral_id, None, reason)


def answer_waiting(uow: UnitOfWork, alert_id: str, case_id: str, reason: str) -> None:
    """Answer the referrals of an alert that wait by the case that it was put into."""
    for row in list_referrals(uow, waiting=True):
        if row["alert_id"] == alert_id:
            _answer(uow, row["referral_id"], case_id, reason)


def _answer(uow: UnitOfWork, referral_id: str, case_id: str | None, reason: str) -> None:
    """Write an answer down.

    Raises:
        Conflict: there is one.
    """
    uow.lock("referral", referral_id)
    same = referral_answers.c.referral_id == referral_id
    question = sa.select(referral_answers.c.lane).where(uow.scope(referral_answers), same)
    if uow.fetch_one(question) is not None:
        raise Conflict("This referral has already been answered.")
    row = {"lane": PSD, "referral_id": referral_id, "case_id": case_id, "reason": reason}
    uow.insert(referral_answers, [row | {"made_by": uow.actor.actor_id, "made_at": uow.now}])
