"""The last handler of what goes wrong: nothing leaves the service as a traceback."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

from api.errors import CODES, MEDIA, problem
from cardwatch.errors import place_of

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("cardwatch.service")


class TooLarge(Exception):
    """Starlette is about to say in plain text that a body is too large."""


class FaultMiddleware:
    """Turns an error of our own, and Starlette's own refusal of a body, into a problem."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an app."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, and answer for what fails."""
        if scope["type"] != "http":
            await self.app(scope, receive, _hide_traceback(send))
            return
        request_id = scope["state"]["request_id"]
        try:
            await self.app(scope, receive, _refuse_plain_text(send))
        except TooLarge:
            await problem(413, "too_large", CODES["too_large"] + ".")(scope, receive, send)
        except Exception as error:  # noqa: BLE001  the last door
            fault = {"id": request_id, "fault": place_of(error)}
            log.error("%(id)s %(fault)s", fault)  # noqa: TRY400  no values in logs
            response = problem(500, "internal", f"It is in the log under {request_id}.")
            await response(scope, receive, send)


def _refuse_plain_text(send: Send) -> Send:
    """Wrap `send` so that a 413 in plain text raises TooLarge instead."""

    async def send_problem(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 413:
            headers = Headers(raw=message["headers"])
            if headers.get("content-type") != MEDIA:
                raise TooLarge
        await send(message)

    return send_problem


def _hide_traceback(send: Send) -> Send:
    """Wrap `send` so that a failed startup reports its last line, not the traceback."""

    async def send_reason(message: Message) -> None:
        if message["type"] == "lifespan.startup.failed":
            last = message["message"].strip().rpartition("\n")[2]
            message["message"] = last.partition("CardwatchError: ")[2] or message["message"]
        await send(message)

    return send_reason
