"""Refuses JSON bodies with more parts than any operation takes, before they are parsed.

A parsed value takes many times the memory of its text: eight MiB of `[],[],` are 200 MiB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BRACKETS = 50_000
"""Objects and lists of one body: 20,000 transactions, and room for brackets in their texts."""
MAX_COMMAS = 500_000
"""22 fields of each transaction, and room for commas in their texts."""
FORM_TYPES = ("multipart/form-data", "application/x-www-form-urlencoded")


class JsonLimitMiddleware:
    """Counts the parts of a body as it arrives."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an app."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through with a limit on its body."""
        is_http = scope["type"] == "http"
        await self.app(scope, _limited(scope, receive) if is_http else receive, send)


def _limited(scope: Scope, receive: Receive) -> Receive:
    """Wrap `receive` so that a body other than a form is refused (413) once it has too many parts.

    How deep it is nested is limited by the parser of Python, which builds nothing on the way down.
    """
    if (
        Headers(scope=scope).get("content-type", "").partition(";")[0].strip().casefold()
        in FORM_TYPES
    ):
        return receive
    brackets = commas = 0

    async def receive_limited() -> Message:
        nonlocal brackets, commas
        message = await receive()
        body: bytes = message.get("body", b"")
        brackets += body.count(b"[") + body.count(b"{")
        commas += body.count(b",")
        if brackets > MAX_BRACKETS or commas > MAX_COMMAS:
            raise HTTPException(413)
        return message

    return receive_limited
