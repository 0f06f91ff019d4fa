"""Limits how many requests one caller makes, has under way, and how many wait at once."""

from __future__ import annotations

from collections import Counter
from ipaddress import IPv4Address, ip_address, ip_network
from typing import TYPE_CHECKING

import anyio.to_thread
from starlette.requests import Request

from api.errors import CODES, problem, refusal_response
from api.middleware.check import CheckMiddleware
from api.middleware.csrf import SAFE
from cardwatch.errors import QuotaReached

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from api.state import Service
    from cardwatch.casebook import Actor

HEALTH = ("/health/live", "/health/ready")
MOST_WAITING = 20
"""Requests that may wait for one of the 40 threads; the next is refused at once."""
MOST_AT_ONCE, MOST_AT_ONCE_UNKNOWN = 60, 20
"""Requests with a body of one person, with all keys they made, and of one address, under way at
once: a body may take minutes to arrive, and a process has 200 connections."""
OVERLOADED = "Too many requests are waiting. Try again in a few seconds."


class OverloadMiddleware(CheckMiddleware):
    """Refuses at once what would wait long for a thread, except for health."""

    async def refusal(self, request: Request) -> Response | None:
        """Return the refusal of one request more than may wait."""
        threads = anyio.to_thread.current_default_thread_limiter().statistics()
        if threads.tasks_waiting < MOST_WAITING or request.url.path in HEALTH:
            return None
        return problem(503, "busy", OVERLOADED)


class RateLimitMiddleware(CheckMiddleware):
    """Counts requests by caller, and by address where the caller is not known."""

    async def refusal(self, request: Request) -> Response | None:
        """Return the refusal of somebody with too many requests."""
        service: Service = request.app.state.service
        actor: Actor | None = request.state.actor
        if not service.allows(_caller(request)):
            return problem(429, "too_many", CODES["too_many"] + ".")
        try:
            if actor:
                service.requests.count(actor.responsible_id)
        except QuotaReached as refusal:
            return refusal_response(refusal)
        return None


class AtOnceMiddleware:
    """Refuses a body of somebody of whom many are still arriving or worked on."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an app."""
        self.app = app
        self._under_way: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or refuse it before anything of its body is read."""
        if scope["type"] != "http" or scope["method"] in SAFE:
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        actor: Actor | None = request.state.actor
        caller = actor.responsible_id if actor else _caller(request)
        most = MOST_AT_ONCE if actor else MOST_AT_ONCE_UNKNOWN
        if self._under_way[caller] >= most:
            await problem(429, "too_many", CODES["too_many"] + ".")(scope, receive, send)
            return
        self._under_way[caller] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._under_way[caller] -= 1
            if not self._under_way[caller]:
                del self._under_way[caller]


def _caller(request: Request) -> str:
    """Return by what one caller is told from others: their id, else where they come from."""
    actor: Actor | None = request.state.actor
    return actor.actor_id if actor else f"address {address_of(request)}"


def address_of(request: Request) -> str:
    """Return where a request comes from, as its rate is counted.

    It is an address of IPv4, or a network of IPv6, as one place has 2^64 addresses of that.
    """
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ip_network((int(address), 64), strict=False))
