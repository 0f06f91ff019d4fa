"""Sends notices to other systems (Standard Webhooks), and reminders and queries by e-mail."""

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
from email.utils import parseaddr
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import httpx2

from api.settings import is_loopback
from cardwatch.alerts import prose_day
from cardwatch.casebook.people import is_email
from cardwatch.errors import CardwatchError
from cardwatch.quantities import plural, quantity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from api.settings import Settings
    from cardwatch.casebook.rows import SentQuery

WEBHOOK_TIMEOUT_SECONDS = 15
HTTPS_PORT = 443
SAFE_ADDRESS = re.compile(r"[!-~]{1,500}")
CONTROL_CHARACTER = re.compile(r"%(?:[01][0-9a-f]|7f)", re.IGNORECASE)
"""One that is written with a per cent sign: a line feed in a path is in no address of ours."""
SUBJECT = "cardwatch: time to look"
TEXT = """Please look at your list in cardwatch.

This message is sent every week, whether or not there is anything new in the list.
"""
REFUSED_SUBJECT = "cardwatch: a statement was refused"
REFUSED_TEXT = """{files} arrived in the watched folder and {were} refused.

Sign in to cardwatch: Home and Statements show which, why, and what to do.
"""
QUERY_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,190}")
QUERY_SUBJECT = "Query about card payments"
QUERY_FILE = "questions about card payments.pdf"
QUERY_TEXT = """{organisation} asks you about card payments in your area.

The questions are in the attached document. If you did not expect this message, do not open it or
reply: phone your finance team first, on a number that you already have.

Please answer them in the document and send it back{by}, by replying to this message. Do not pass it
on to a cardholder it is about. A question is a reason to ask, not a finding.
"""

REMINDER_SUBJECT = "Reminder: query about card payments"
REMINDER_TEXT = """A query about card payments in your area was sent to you on {sent}. An answer was
asked for by {due}. No reply has been recorded yet.

Please answer the questions in the document that came with it, and send it back by replying to this
message. Do not pass it on to a cardholder it is about. A question is a reason to ask, not a
finding. If you have replied already, you need do nothing.
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
        with httpx2.stream(
            "POST", notice["url"], content=body, headers=headers,
            timeout=WEBHOOK_TIMEOUT_SECONDS, follow_redirects=False,
        ) as answer:  # fmt: skip
            return bool(answer.is_success)  # what it answers besides is not read: it may be endless
    except (httpx2.HTTPError, httpx2.InvalidURL, CardwatchError):
        return False


def sign(secret: str, text: str) -> str:
    """Return the signature of a notice under a secret that begins with `whsec_`."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def send_reminders(settings: Settings, addresses: Sequence[str]) -> None:
    """Send everybody the same words, each alone; what no header can hold is left out.

    Raises:
        OSError: the mail server does not answer, or does not take them.
    """
    fit = filter(is_email, addresses)
    messages = [_message(settings, address, SUBJECT, TEXT) for address in fit]
    _send(settings, messages)


def send_refusals(settings: Settings, count: int) -> bool:
    """Tell the addresses of the settings that files were refused, each alone.

    The message has no name, reason or sum: it goes where nobody has signed in.

    Args:
        settings: with the mail server and the addresses.
        count: how many files.

    Returns:
        Whether the mail server took every message.
    """
    text = REFUSED_TEXT.format(files=quantity(count, "file"), were=plural(count, "was", "were"))
    messages = [
        _message(settings, address, REFUSED_SUBJECT, text) for address in settings.refused_addresses
    ]
    try:
        _send(settings, messages)
    except OSError:
        return False
    return True


def check_query_address(settings: Settings, address: str) -> None:
    """Refuse an address to which no query may go: only those of the sender's own domain are.

    Raises:
        CardwatchError: it is not an address of the organisation, or email is not set up here.
    """
    if not settings.smtp:
        raise CardwatchError("This installation sends no email", field="email")
    domain = parseaddr(settings.mail_from)[1].rpartition("@")[2].casefold()
    if not QUERY_ADDRESS.fullmatch(address) or address.rpartition("@")[2].casefold() != domain:
        sentence = f"Enter an email address of your organisation, which ends in @{domain}"
        raise CardwatchError(sentence, field="email")


def send_query(
    settings: Settings, address: str, *, sender: tuple[str, str], due_on: str, content: bytes
) -> None:
    """Send a line manager a document with questions; the message itself says nothing of them.

    It says who sends it: a document from an address that nobody knows is not opened.

    Args:
        settings: with the mail server.
        address: see `check_query_address`.
        sender: name of the organisation, and address of who asks; empty where that is none.
        due_on: day by which an answer is wanted; empty for none.
        content: the document, a PDF.

    Raises:
        CardwatchError: the mail server does not answer, or does not take it.
    """
    organisation, reply_to = sender
    text = QUERY_TEXT.format(
        by=f" by {prose_day(due_on)}" if due_on else "",
        organisation=organisation,
    )
    message = _message(settings, address, QUERY_SUBJECT, text, reply_to)
    message.add_attachment(content, maintype="application", subtype="pdf", filename=QUERY_FILE)
    try:
        _send(settings, [message])
    except OSError as error:  # smtplib's own are of this kind
        sentence = "The mail server did not take the query. Nothing was sent or recorded as asked."
        raise CardwatchError(sentence, field="email") from error


def send_query_reminder(settings: Settings, query: SentQuery) -> bool:
    """Remind a line manager of a query; return whether the mail server took the message.

    The message says less than the query's document: neither whom nor what it is about.
    """
    sent_day, due_day = prose_day(query["sent_at"][:10]), prose_day(query["due_on"] or "")
    text = REMINDER_TEXT.format(sent=sent_day, due=due_day)
    message = _message(settings, query["email"], REMINDER_SUBJECT, text, query["reply_to"])
    try:
        _send(settings, [message])
    except OSError:
        return False
    return True


def _message(
    settings: Settings, address: str, subject: str, text: str, reply_to: str = ""
) -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, settings.mail_from, address
    if QUERY_ADDRESS.fullmatch(reply_to):
        message["Reply-To"] = reply_to
    message.set_content(text)
    return message


def _send(settings: Settings, messages: Sequence[EmailMessage]) -> None:
    """Send messages over one connection to the mail server, each whatever becomes of the others.

    Raises:
        OSError: it does not answer, or does not take one of them.
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
        refusal: OSError | None = None
        for message in messages:
            try:
                mail.send_message(message)
            except (smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError) as error:
                refusal = error  # of this address alone
    if refusal is not None:
        raise refusal
