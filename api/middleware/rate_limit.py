"""Limits how many requests one caller makes, and how many wait at once."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address, ip_network
from typing import TYPE_CHECKING

import anyio.to_thread

from api.errors import CODES, problem, refusal_response
from api.middleware.check import CheckMiddleware
from cardwatch.errors import QuotaReached

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from api.state import Service
    from cardwatch.casebook import Actor

HEALTH = ("/health/live", "/health/ready")
MOST_WAITING = 20
"""Requests that may wait for one of the 40 threads; the next is refused at once."""
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
        if not service.allows(actor.actor_id if actor else f"address {address_of(request)}"):
            return problem(429, "too_many", CODES["too_many"] + ".")
        try:
            if actor:
                service.requests.count(actor.responsible_id)
        except QuotaReached as refusal:
            return refusal_response(refusal)
        return None


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
