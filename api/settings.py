"""Settings of the service from its environment, with defaults."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Annotated, LiteralString
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    PositiveInt,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from cardwatch.errors import CardwatchError
from cardwatch.installation import MARKING
from cardwatch.vocabulary import QuotaKind

if TYPE_CHECKING:
    from collections.abc import Mapping

REMINDER_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NEEDED_WITH = {"oidc_client": "oidc_issuer", "oidc_secret": "oidc_issuer",
               "oidc_organisation": "oidc_issuer", "oidc_acr": "oidc_issuer",
               "smtp": "mail_refused", "mail_from": "smtp"}  # fmt: skip
"""Settings that another one cannot do without."""
TIME_OF_DAY = r"([01]?\d|2[0-3]):[0-5]\d"

PRIVACY_BASIS = (
    "A task in the public interest: to look after public money (UK GDPR, Article 6(1)(e)). Where a "
    "crime is looked into, Part 3 of the Data Protection Act 2018 applies."
)
"""The usual lawful basis of a police force; an organisation with another sets its own."""


def _in_form(pattern: str, meaning: LiteralString) -> AfterValidator:
    """Validator that refuses a text of another form, with what it has to be; empty is not set."""

    def check(text: str) -> str:
        if text and not re.fullmatch(pattern, text, re.ASCII):
            raise PydanticCustomError("form", meaning)
        return text

    return AfterValidator(check)


ISSUER = _in_form(
    r"https://.+|http://(127\.0\.0\.1|\[::1\]|localhost)(:\d+)?(/.*)?", "begins with https://"
)
MAIL_SERVER = _in_form("smtps?://.+", "begins with smtp:// or smtps://")
ADDRESSES = _in_form(
    r"[^@\s,]+@[^@\s,]+(, ?[^@\s,]+@[^@\s,]+)*", "is email addresses with commas between"
)
WEEKLY = _in_form(
    rf"({'|'.join(REMINDER_WEEKDAYS)}) {TIME_OF_DAY}", "is a day and a time such as 'mon 08:00'"
)
DAILY = _in_form(TIME_OF_DAY, "is a time such as '02:30'")
LEAST_MEMORY_MIB = 512
"""Memory of an idle process, with room to read one file."""


def _is_enough(mib: int) -> int:
    """Refuse a limit under which no process begins; 0 is none."""
    if 0 < mib < LEAST_MEMORY_MIB:
        raise PydanticCustomError(
            "form", "is 0 for no limit, or {least} or more", {"least": LEAST_MEMORY_MIB}
        )
    return mib


MEMORY = AfterValidator(_is_enough)
Secret = Annotated[str, Field(repr=False)]


class Settings(BaseModel):
    """Settings of the service; each is read from `CARDWATCH_` and its name in capitals.

    Attributes:
        rate: requests a minute that one person, key or address may make.
        memory_mib: most memory of one process, without its readers, in MiB; 0 for no limit.
        quota_requests: requests a day that one person may make, keys included, in each process.
        quota_uploads, quota_upload_mib: files a day that they may upload, and their size in MiB.
        quota_exports: exports a day that they may ask for.
        oidc_issuer, oidc_client, oidc_secret: identity provider; none without an issuer.
        oidc_organisation: whose people sign in there.
        oidc_acr: what `acr` or `amr` has to say for everybody; `any` leaves that to the provider.
        oidc_psd_acr: what it has to say for professional standards besides.
        webhook_hosts: hosts to which notices may be sent, with commas between.
        mail_refused: addresses, with commas between, that are told when a watched folder refuses a
            file; nobody without it.
        smtp: mail server, `smtp://HOST:PORT` or `smtps://USER:PASSWORD@HOST`; none without it.
        mail_from: sender of reminders.
        remind: day and time (UTC) of the weekly reminder.
        remind_queries: days between reminders of a query that is past its due day; 0 for none.
        erase: time of day (UTC) at which expired data is deleted; by hand only without it.
        marking: protective marking at the head and foot of every page, and of what is handed over.
        privacy_contact: whom people ask about their data: the data protection officer's address.
        privacy_basis: the lawful basis, as the privacy notice says it.
        metrics_key: who may read the metrics shows this; nobody without it.
    """

    model_config = ConfigDict(frozen=True, validate_default=True)

    rate: PositiveInt = 3_000
    memory_mib: Annotated[int, Field(ge=0), MEMORY] = 0
    quota_requests: PositiveInt = 200_000
    quota_uploads: PositiveInt = 500
    quota_upload_mib: PositiveInt = 2_048
    quota_exports: PositiveInt = 200
    oidc_issuer: Annotated[str, ISSUER] = ""
    oidc_client: str = ""
    oidc_secret: Secret = ""
    oidc_organisation: str = ""
    oidc_acr: str = ""
    oidc_psd_acr: str = ""
    webhook_hosts: str = ""
    mail_refused: Annotated[str, ADDRESSES] = ""
    smtp: Annotated[Secret, MAIL_SERVER] = ""
    mail_from: str = ""
    remind: Annotated[str, WEEKLY] = "mon 08:00"
    remind_queries: NonNegativeInt = 7
    erase: Annotated[str, DAILY] = ""
    marking: str = MARKING
    privacy_contact: str = ""
    privacy_basis: str = PRIVACY_BASIS
    metrics_key: Secret = ""

    @field_validator(*NEEDED_WITH)
    @classmethod
    def _check_needed(cls, value: str, info: ValidationInfo) -> str:
        """Refuse a setting that is missing; one that was refused itself counts as set."""
        needs_it = NEEDED_WITH[info.field_name or ""]
        if not value and info.data.get(needs_it, "refused"):
            raise PydanticCustomError("needed", "is needed with {it}", {"it": _variable(needs_it)})
        return value

    @property
    def quotas(self) -> dict[QuotaKind, int]:
        """Limit of one person's use in a day, by kind."""
        return {
            QuotaKind.REQUESTS: self.quota_requests,
            QuotaKind.UPLOADS: self.quota_uploads,
            QuotaKind.UPLOAD_MIB: self.quota_upload_mib,
            QuotaKind.EXPORTS: self.quota_exports,
        }

    @property
    def remind_at(self) -> tuple[int, int]:
        """Day of the week of the reminder, Monday is 0, and its minute of the day."""
        day, _, time = self.remind.partition(" ")
        return REMINDER_WEEKDAYS.index(day), _minute(time)

    @property
    def refused_addresses(self) -> list[str]:
        """Addresses that are told when a watched folder refuses a file."""
        return [text.strip() for text in self.mail_refused.split(",") if text.strip()]

    @property
    def erase_at(self) -> int | None:
        """Minute of the day of the erasing, if it is not left to somebody's hand."""
        return _minute(self.erase) if self.erase else None


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of an environment; a variable that is empty counts as missing.

    Raises:
        CardwatchError: some cannot be meant; every one is named.
    """
    variables = {name: environment.get(_variable(name)) for name in Settings.model_fields}
    try:
        return Settings.model_validate({name: text for name, text in variables.items() if text})
    except ValidationError as error:
        faults = [
            f"{_variable(str(fault['loc'][0]))} {fault['msg'][0].lower()}{fault['msg'][1:]}"
            for fault in error.errors()
        ]
        raise CardwatchError("; ".join(faults) + ".") from None


def _variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"CARDWATCH_{name.upper()}"


def _minute(time: str) -> int:
    """Which minute of the day a time such as 08:00 is."""
    hours, _, minutes = time.partition(":")
    return 60 * int(hours) + int(minutes)


def is_loopback(url: str) -> bool:
    """Return whether an address is on this machine."""
    return urlsplit(url).hostname in {"127.0.0.1", "::1", "localhost"}
