"""Sends notices to other systems (Standard Webhooks) and reminders by e-mail, without content."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import re
import smtplib
import ssl
from email.message import EmailMessage
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import httpx2

from api.settings import is_loopback
from cardwatch.errors import CardwatchError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from api.settings import Settings

WEBHOOK_TIMEOUT_SECONDS = 15
HTTPS_PORT = 443
SAFE_ADDRESS = re.compile(r"[!-~]{1,500}")
CONTROL_CHARACTER = re.compile(r"%(?:[01][0-9a-f]|7f)", re.IGNORECASE)
"""One that is written with a per cent sign: a line feed in a path is in no address of ours."""
SUBJECT = "cardwatch: time to look"
TEXT = """Please look at your list in cardwatch.

This message is sent every week, whether or not there is anything new in the list.
"""


def check_address(settings: Settings, address: str) -> None:
    """Refuse an address to which no notice may go.

    Raises:
        CardwatchError: it is not https, or of a host or port that is not allowed, or has characters
            that are in no address.
    """
    if not SAFE_ADDRESS.fullmatch(address) or CONTROL_CHARACTER.search(address):
        raise CardwatchError("Enter an address without spaces or control characters", field="url")
    try:
        url = urlsplit(address)
        port = url.port
    except ValueError as error:
        raise CardwatchError("Enter an address that begins with https://", field="url") from error
    allowed = {host.strip() for host in settings.webhook_hosts.split(",")} - {""}
    host = url.hostname or ""
    is_any_port = port in {None, HTTPS_PORT} or is_loopback(address)
    names = {f"{host}:{port}"} | ({host} if is_any_port else set())
    if not names & allowed or url.username or url.password:
        raise CardwatchError(
            "Enter an address on a host that this installation allows.", field="url"
        )
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.geturl())):
        raise CardwatchError("Enter an address that begins with https://", field="url")


def send_notice(
    settings: Settings, notice: Mapping[str, str], secret: str, now: dt.datetime
) -> bool:
    """Send one notice, signed as Standard Webhooks 1.0.0 has it; return whether it arrived.

    The body has a kind, a moment and an id: no name, no sum, no lane.
    """
    body = json.dumps({"type": f"cardwatch.{notice['kind']}", "timestamp": notice["made_at"],
                       "data": {"id": notice["notice_id"]}})  # fmt: skip
    timestamp = str(int(now.timestamp()))
    headers = {
        "webhook-id": notice["notice_id"],
        "webhook-timestamp": timestamp,
        "webhook-signature": sign(secret, f"{notice['notice_id']}.{timestamp}.{body}"),
        "content-type": "application/json",
    }
    try:
        check_address(settings, notice["url"])
        answer = httpx2.post(
            notice["url"], content=body, headers=headers,
            timeout=WEBHOOK_TIMEOUT_SECONDS, follow_redirects=False,
        )  # fmt: skip
    except (httpx2.HTTPError, httpx2.InvalidURL, CardwatchError):
        return False
    return answer.is_success


def sign(secret: str, text: str) -> str:
    """Return the signature of a notice under a secret that begins with `whsec_`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def send_reminders(settings: Settings, addresses: Sequence[str]) -> None:
    """Send everybody the same words, each alone.

    Raises:
        OSError: the mail server does not answer, or does not take them.
    """
    server = urlsplit(settings.smtp)
    context, host = ssl.create_default_context(), server.hostname or ""
    port = server.port or 0
    mail = (
        smtplib.SMTP(host, port, timeout=WEBHOOK_TIMEOUT_SECONDS)
        if server.scheme == "smtp"
        else smtplib.SMTP_SSL(host, port, timeout=WEBHOOK_TIMEOUT_SECONDS, context=context)
    )
    with mail:
        if server.scheme == "smtp" and not is_loopback(settings.smtp):
            mail.starttls(context=context)
        if server.username:
            mail.login(unquote(server.username), unquote(server.password or ""))
        for address in addresses:
            message = EmailMessage()
            message["Subject"], message["From"], message["To"] = (
                SUBJECT,
                settings.mail_from,
                address,
            )
            message.set_content(TEXT)
            mail.send_message(message)
