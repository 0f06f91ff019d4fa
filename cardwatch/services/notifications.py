"""Notifications to other systems and people, without content."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from cardwatch.casebook import FINANCE, LANES, PSD, Actor, AuditEvent, Casebook, outbox
from cardwatch.casebook.people import list_people
from cardwatch.errors import NotAllowed

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator

    from cryptography.fernet import MultiFernet

    from cardwatch.casebook import UnitOfWork
    from cardwatch.casebook.rows import Webhook
    from cardwatch.services.context import ServiceContext

N = TypeVar("N")


def set_webhook(context: ServiceContext, url: str, seal: MultiFernet) -> str:
    """Send notices of the actor's lane to an address; return the secret they are signed with.

    Admin sets the finance lane's, professional standards their own.

    Raises:
        NotAllowed: the role sets none.
    """
    lane = _lane(context)
    with context.work(AuditEvent("alteration", "webhook"), (lane,) if lane else ()) as uow:
        _sets(context)
        return outbox.set_webhook(uow, lane, url, seal)


def end_webhook(context: ServiceContext) -> None:
    """Send notices of the actor's lane nowhere any more.

    Raises:
        NotAllowed: the role sets none.
    """
    lane = _lane(context)
    with context.work(AuditEvent("alteration", "webhook"), (lane,)) as uow:
        _sets(context)
        outbox.end_webhook(uow, lane)


def list_webhooks(context: ServiceContext) -> list[Webhook]:
    """Return where notices of the actor's lane are sent.

    Raises:
        NotAllowed: the role sets none.
    """
    lane = _lane(context)
    with context.work(AuditEvent("consultation", "webhook"), (lane,)) as uow:
        _sets(context)
        return outbox.list_webhooks(uow, (lane,))


def due_notices(
    casebook: Casebook,
    clock: Callable[[], dt.datetime],
    is_any: Callable[[UnitOfWork], bool],
    take: Callable[[UnitOfWork], list[N]],
    lanes: tuple[str, ...] = LANES,
) -> Iterator[tuple[Actor, list[N]]]:
    """Take the notices that are due, organisation by organisation, with who acts for each.

    Args:
        casebook: whose they are.
        clock: what tells the moment.
        is_any: whether an organisation has one; asked first, so that nobody waits to write nothing.
        take: takes them.
        lanes: whose.
    """
    for actor in casebook.system_actors():
        with casebook.unaudited(actor, clock(), lanes=lanes, reads=True) as uow:
            waiting = is_any(uow)
        if waiting:
            with casebook.unaudited(actor, clock(), lanes=lanes) as uow:
                notices = take(uow)
            yield actor, notices


def send_due(
    casebook: Casebook,
    lane: str,
    seal: MultiFernet,
    clock: Callable[[], dt.datetime],
    send: Callable[[dict[str, str], str], bool],
) -> int:
    """Send the notices of one lane that are due; return how many arrived.

    Args:
        casebook: whose they are.
        lane: finance or psd.
        seal: opens the secrets.
        clock: what tells the moment.
        send: sends one: given url, id, kind and moment, and the secret; whether it arrived.
    """
    arrived = 0
    due = due_notices(casebook, clock, outbox.is_any_due, outbox.take_due, (lane,))
    for actor, notices in due:
        for notice in notices:
            fields = {name: str(notice[name]) for name in ("url", "notice_id", "kind", "made_at")}
            has_arrived = send(fields, seal.decrypt(notice["secret"].encode()).decode())
            arrived += has_arrived
            with casebook.unaudited(actor, clock(), lanes=(lane,)) as uow:
                (outbox.mark_sent if has_arrived else outbox.mark_failed)(uow, notice)
    return arrived


def reminders_due(casebook: Casebook, clock: Callable[[], dt.datetime]) -> list[str]:
    """Return the email addresses of everybody who works with alerts, once a day for each force."""
    emails: list[str] = []
    for actor in casebook.system_actors():
        with casebook.unaudited(actor, clock()) as uow:
            if outbox.begin_reminder(uow, uow.today):
                people = [person for person in list_people(uow) if not person["ended_at"]]
                emails += [person["email"] for person in people if person["role"] in LANES]
    return emails


def _lane(context: ServiceContext) -> str:
    return PSD if context.actor.role == PSD else FINANCE


def _sets(context: ServiceContext) -> None:
    """Refuse who sets no address; within a piece of work only."""
    if context.actor.role not in {"admin", PSD}:
        raise NotAllowed("Your role cannot set a webhook.")
