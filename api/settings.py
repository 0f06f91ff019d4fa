"""Settings of the service from its environment, with defaults."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cardwatch.errors import CardwatchError
from cardwatch.installation import MARKING

if TYPE_CHECKING:
    from collections.abc import Mapping

REMINDER_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Settings:
    """Settings of the service; each is read from `CARDWATCH_` and its name in capitals.

    Attributes:
        rate: requests a minute that one person, key or address may make.
        oidc_issuer, oidc_client, oidc_secret: identity provider; none without an issuer.
        oidc_organisation: whose people sign in there.
        oidc_acr: what `acr` or `amr` has to say for everybody; `any` leaves that to the provider.
        oidc_psd_acr: what it has to say for professional standards besides.
        webhook_hosts: hosts to which notices may be sent, with commas between.
        smtp: mail server, `smtp://HOST:PORT` or `smtps://USER:PASSWORD@HOST`; none without it.
        mail_from: sender of reminders.
        remind: day and time (UTC) of the weekly reminder.
        remind_queries: days between reminders of a query that is past its due day; 0 for none.
        erase: time of day (UTC) at which what is past its time is erased; by hand only without it.
        marking: protective marking at the head and foot of every page, and of what is handed over.
        metrics_key: who may read the metrics shows this; nobody without it.
    """

    rate: int = 3_000
    oidc_issuer: str = ""
    oidc_client: str = ""
    oidc_secret: str = field(default="", repr=False)
    oidc_organisation: str = ""
    oidc_acr: str = ""
    oidc_psd_acr: str = ""
    webhook_hosts: str = ""
    smtp: str = field(default="", repr=False)
    mail_from: str = ""
    remind: str = "mon 08:00"
    remind_queries: int = 7
    erase: str = ""
    marking: str = MARKING
    metrics_key: str = field(default="", repr=False)

    @property
    def remind_at(self) -> tuple[int, int]:
        """Day of the week of the reminder, Monday is 0, and its minute of the day."""
        day, _, time = self.remind.partition(" ")
        return REMINDER_WEEKDAYS.index(day), minute_of(time)

    @property
    def erase_at(self) -> int | None:
        """Minute of the day of the erasing, if it is not left to somebody's hand."""
        return minute_of(self.erase) if self.erase else None


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of an environment.

    Raises:
        CardwatchError: one of them cannot be meant; every fault is named.
    """
    variables = {
        setting.name: environment.get(f"CARDWATCH_{setting.name.upper()}", "")
        for setting in fields(Settings)
    }
    faults = []
    if variables["rate"] and not (variables["rate"].isdecimal() and int(variables["rate"])):
        faults.append("CARDWATCH_RATE is a whole number of requests a minute")
        variables["rate"] = ""
    values = {
        name: int(text) if name == "rate" else text for name, text in variables.items() if text
    }
    settings = Settings(**values)  # type: ignore[arg-type]
    faults += _faults(settings)
    if faults:
        raise CardwatchError("; ".join(faults) + ".")
    return settings


def _faults(settings: Settings) -> list[str]:
    """Return what cannot be meant."""
    faults = []
    if settings.oidc_issuer:
        needed = ("oidc_client", "oidc_secret", "oidc_organisation", "oidc_acr")
        faults += [
            f"CARDWATCH_{name.upper()} is needed with an issuer"
            for name in needed
            if not getattr(settings, name)
        ]
        if urlsplit(settings.oidc_issuer).scheme != "https" and not is_loopback(
            settings.oidc_issuer
        ):
            faults.append("CARDWATCH_OIDC_ISSUER begins with https://")
    if settings.smtp:
        if urlsplit(settings.smtp).scheme not in {"smtp", "smtps"}:
            faults.append("CARDWATCH_SMTP begins with smtp:// or smtps://")
        if not settings.mail_from:
            faults.append("CARDWATCH_MAIL_FROM is needed with a mail server")
    times = {
        "remind_at": "CARDWATCH_REMIND is a day and a time such as 'mon 08:00'",
        "erase_at": "CARDWATCH_ERASE is a time such as '02:30'",
    }
    for name, message in times.items():
        try:
            getattr(settings, name)
        except ValueError:
            faults.append(message)
    return faults


def minute_of(text: str) -> int:
    """Return which minute of the day a time such as 08:00 is.

    Raises:
        ValueError: it is no time of day.
    """
    time = dt.datetime.strptime(text, "%H:%M")  # noqa: DTZ007  a time of day has no zone
    return 60 * time.hour + time.minute


def is_loopback(url: str) -> bool:
    """Return whether an address is on this machine."""
    return urlsplit(url).hostname in {"127.0.0.1", "::1", "localhost"}
