"""The form of a middleware that lets a request through or refuses it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from starlette.requests import Request

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send


class CheckMiddleware(ABC):
    """Asks `refusal` about each HTTP request before anything of its body is read."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an app."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or refuse it."""
        refusal = await self.refusal(Request(scope)) if scope["type"] == "http" else None
        await (refusal or self.app)(scope, receive, send)

    @abstractmethod
    async def refusal(self, request: Request) -> Response | None:
        """Return the refusal of a request, or None where it may go on."""
