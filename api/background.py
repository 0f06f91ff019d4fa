"""Background work: jobs, back-tests, notices, reminders, checkpoints and deletion."""

from __future__ import annotations

import datetime as dt
import logging
from typing import TYPE_CHECKING

from api.notifications import (
    send_notice,
    send_query_reminder,
    send_refusals,
    send_reminders,
)
from cardwatch import services
from cardwatch.casebook import FINANCE, PSD
from cardwatch.errors import place_of

if TYPE_CHECKING:
    import threading

    from api.state import Service
    from cardwatch.casebook.rows import SentQuery

log = logging.getLogger("cardwatch.service")
JOB_POLL_SECONDS = 1.0
CHECKPOINT_SECONDS = 900
"""Checkpoints are signed this often, if anything was done (docs/security.md)."""


def run_background(service: Service, over: threading.Event) -> None:
    """Do what is to be done, again and again, until the service ends."""
    signed_at, erased_on, reminded_on = service.clock(), None, None
    while not over.is_set():
        busy = False
        try:
            busy = services.do_next_job(
                service.background, service.clock, service.seal, (services.STATEMENT,)
            )
            _mail_refusals(service)
            _remind(service)
            now = service.clock()
            if reminded_on != now.date() and _has_come(service.settings.remind_at[1], now):
                reminded_on = now.date()
                _remind_of_queries(service)
            if service.clock() - signed_at >= dt.timedelta(seconds=CHECKPOINT_SECONDS):
                signed_at = service.clock()
                _sign(service)
            services.erase_expired_uploads(service.background, service.clock)
            if erased_on != now.date() and _has_come(service.settings.erase_at, now):
                erased_on = now.date()
                services.purge_due(service.background, service.clock)
        except Exception as error:  # noqa: BLE001  it goes on, whatever one of them does
            log.error("chores: %(fault)s", {"fault": place_of(error)})  # noqa: TRY400  no values in logs
        if not busy:
            service.wake.wait(JOB_POLL_SECONDS)
            service.wake.clear()


def run_long_jobs(service: Service, over: threading.Event) -> None:
    """Do the jobs that no statement waits for, one after the other, until the service ends."""
    while not over.is_set():
        busy = False
        try:
            busy = services.do_next_job(
                service.background, service.clock, service.seal, services.LONG_JOBS, over.is_set
            )
        except Exception as error:  # noqa: BLE001  it goes on, whatever one of them does
            log.error("trials: %(fault)s", {"fault": place_of(error)})  # noqa: TRY400  no values in logs
        if not busy:
            over.wait(JOB_POLL_SECONDS)


def run_finance_notices(service: Service, over: threading.Event) -> None:
    """Send finance's notices until the service ends; see `_run_notices`."""
    _run_notices(service, over, FINANCE)


def run_psd_notices(service: Service, over: threading.Event) -> None:
    """Send the notices of professional standards until the service ends; see `_run_notices`."""
    _run_notices(service, over, PSD)


def _run_notices(service: Service, over: threading.Event, lane: str) -> None:
    """Send the notices of a lane that are due, again and again, until the service ends.

    A receiver that answers a byte at a time holds up no statement, checkpoint or other lane.
    """

    def send(notice: dict[str, str], secret: str) -> bool:
        return send_notice(service.settings, notice, secret, service.clock())

    while service.settings.webhook_hosts and not over.is_set():
        try:
            services.send_due(service.background, lane, service.seal, service.clock, send)
        except Exception as error:  # noqa: BLE001  it goes on, whatever one of them does
            log.error("notices: %(fault)s", {"fault": place_of(error)})  # noqa: TRY400  no values in logs
        over.wait(JOB_POLL_SECONDS)


TASKS = (run_background, run_long_jobs, run_finance_notices, run_psd_notices)
"""Background work of the service, each task in its own thread."""


def _mail_refusals(service: Service) -> None:
    """Announce refused files by e-mail."""
    if service.settings.refused_addresses:
        services.mail_refusals(
            service.background,
            service.clock,
            lambda count: send_refusals(service.settings, count),
        )


def _remind(service: Service) -> None:
    """Send the week's reminder once its day and time have come."""
    now, (day, minute) = service.clock(), service.settings.remind_at
    if not service.settings.smtp or now.weekday() != day or not _has_come(minute, now):
        return
    addresses = services.reminders_due(service.background, service.clock)
    if addresses:
        send_reminders(service.settings, addresses)


def _remind_of_queries(service: Service) -> None:
    """Remind line managers of queries that are past their due day."""

    def send(query: SentQuery) -> bool:
        return send_query_reminder(service.settings, query)

    days = service.settings.remind_queries
    if service.settings.smtp and days:
        services.send_query_reminders(service.background, service.clock, send, days=days)


def _has_come(minute: int | None, now: dt.datetime) -> bool:
    """Return whether a minute of the day has come; none never does."""
    return minute is not None and 60 * now.hour + now.minute >= minute


def _sign(service: Service) -> None:
    """Sign how far every chain has come."""
    for row in service.background.organisations():
        owner, now = row["organisation_id"], service.clock()
        services.checkpoint(service.background, owner, service.signing_key, now)
