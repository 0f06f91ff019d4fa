"""Counts each request and writes it down: its route, never its path or who made it."""

from __future__ import annotations

import logging
import secrets
import time
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram

from api.middleware.authentication import DOORS, is_any
from cardwatch.casebook import PSD

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from cardwatch.casebook import Actor

log = logging.getLogger("cardwatch.service")
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
METRICS = CollectorRegistry()
COUNT = Counter("cardwatch_requests", "Requests.", ("method", "route", "status"), registry=METRICS)
TOOK = Histogram("cardwatch_request_seconds", "Time taken.", ("route",), registry=METRICS)


class AccessLogMiddleware:
    """Gives each request an id, and logs it once it is answered."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an app."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through and log it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start_time, state = time.perf_counter(), scope.setdefault("state", {})
        state.update(request_id=secrets.token_hex(8), actor=None, status=500)

        async def send_noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                state["status"] = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_noted)
        finally:
            _log_request(scope, time.perf_counter() - start_time)


def _log_request(scope: Scope, seconds: float) -> None:
    """Count and log a request.

    What professional standards do leaves no mark here either, unless it failed; nor does coming
    in, which may be theirs: the chain of whoever it is tells of it.
    """
    actor: Actor | None = scope["state"]["actor"]
    status = scope["state"]["status"]
    is_unseen = actor.role == PSD if actor else is_any(DOORS, scope)
    if is_unseen and status < 500:
        return
    templates: dict[str, str] = scope["app"].state.templates
    route = templates.get(getattr(scope.get("route"), "name", ""), "none")
    method = scope["method"] if scope["method"] in METHODS else "other"
    COUNT.labels(method, route, status).inc()
    TOOK.labels(route).observe(seconds)
    fields = {"id": scope["state"]["request_id"], "method": method, "route": route,
            "status": status, "ms": round(1000 * seconds)}  # fmt: skip
    log.info("%(method)s %(route)s %(status)s", fields)
