"""Notifications to other systems and people, without content."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cardwatch.casebook import FINANCE, LANES, PSD, Actor, Casebook, Event, notices
from cardwatch.casebook.people import list_people
from cardwatch.casebook.work import SYSTEM
from cardwatch.desk.desk import shown
from cardwatch.errors import NotAllowed

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable

    from cryptography.fernet import Fernet

    from cardwatch.desk.desk import Desk


def set_webhook(desk: Desk, url: str, seal: Fernet) -> str:
    """Send notices of the actor's lane to an address; return the secret they are signed with.

    Admin sets the finance lane's, professional standards their own.

    Raises:
        NotAllowed: the role sets none.
    """
    lane = _lane(desk)
    with desk.work(Event("alteration", "webhook"), (lane,) if lane else ()) as work:
        _sets(desk)
        return notices.set_webhook(work, lane, url, seal)


def end_webhook(desk: Desk) -> None:
    """Send notices of the actor's lane nowhere any more.

    Raises:
        NotAllowed: the role sets none.
    """
    lane = _lane(desk)
    with desk.work(Event("alteration", "webhook"), (lane,)) as work:
        _sets(desk)
        notices.end_webhook(work, lane)


def list_webhooks(desk: Desk) -> list[dict[str, Any]]:
    """Return where notices of the actor's lane are sent.

    Raises:
        NotAllowed: the role sets none.
    """
    lane = _lane(desk)
    with desk.work(Event("consultation", "webhook"), (lane,)) as work:
        _sets(desk)
        return [shown(row) for row in notices.list_webhooks(work, (lane,))]


def send_due(
    casebook: Casebook,
    seal: Fernet,
    clock: Callable[[], dt.datetime],
    send: Callable[[dict[str, str], str], bool],
) -> int:
    """Send the notices that are due; return how many arrived.

    Args:
        casebook: whose they are.
        seal: opens the secrets.
        clock: what tells the moment.
        send: sends one: given url, id, kind and moment, and the secret; whether it arrived.
    """
    arrived = 0
    for row in casebook.organisations():
        itself = Actor(row["organisation_id"], SYSTEM, "admin")
        with casebook.quiet(itself, clock(), lanes=LANES, reads=True) as work:
            waiting = notices.is_any_due(work)
        if not waiting:
            continue
        with casebook.quiet(itself, clock(), lanes=LANES) as work:
            taken = notices.take_due(work)
        for notice in taken:
            told = {name: str(notice[name]) for name in ("url", "notice_id", "kind", "made_at")}
            has_arrived = send(told, seal.decrypt(notice["secret"].encode()).decode())
            arrived += has_arrived
            with casebook.quiet(itself, clock(), lanes=LANES) as work:
                (notices.mark_sent if has_arrived else notices.mark_failed)(work, notice)
    return arrived


def to_remind(casebook: Casebook, clock: Callable[[], dt.datetime]) -> list[str]:
    """Return the email addresses of everybody who works with alerts, once a day for each force."""
    found: list[str] = []
    for row in casebook.organisations():
        itself = Actor(row["organisation_id"], SYSTEM, "admin")
        with casebook.quiet(itself, clock()) as work:
            if notices.begin_reminder(work, work.today):
                people = [one for one in list_people(work) if not one["ended_at"]]
                found += [one["email"] for one in people if one["role"] in LANES]
    return found


def _lane(desk: Desk) -> str:
    return PSD if desk.actor.role == PSD else FINANCE


def _sets(desk: Desk) -> None:
    """Refuse who sets no address; within a piece of work only."""
    if desk.actor.role not in {"admin", PSD}:
        raise NotAllowed("Your role cannot set a webhook.")
