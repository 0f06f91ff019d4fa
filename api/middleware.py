"""Middleware: authentication, CSRF, rate limit, security headers and access log.

Whatever is not named as open asks for a key or a session before its body is read.
"""

from __future__ import annotations

import logging
import secrets
import time
from ipaddress import IPv4Address, ip_address, ip_network
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio.to_thread
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse

from api.errors import (
    CODES,
    MEDIA,
    is_page,
    matches_route,
    methods_of,
    problem,
    refusal_response,
)
from api.json_bodies import limit_json
from cardwatch.casebook import PSD
from cardwatch.casebook.api_keys import actor_of_key
from cardwatch.casebook.sessions import actor_of_session
from cardwatch.errors import CasebookFailed, NotAllowed, place_of

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from api.state import Service
    from cardwatch.casebook import Actor

log = logging.getLogger("cardwatch.service")
COOKIE = "__Host-cardwatch"
DOORS = frozenset({
    "/v1/session:POST", "/v1/account:POST", "/v1/account/secret:POST", "/sign-in",
    "/sign-in/elsewhere", "/sign-in/back", "/account", "/account/password", "/help",
    "/accessibility", "/privacy", "/reference",
})  # fmt: skip
"""Where people come in, of whatever role: a path, or one method of it."""
OPEN = DOORS | {"/health/live", "/health/ready", "/metrics"}
"""Paths open without authentication, besides the files that pages load."""
HEALTH = ("/health/live", "/health/ready")
MOST_WAITING = 20
"""So many requests may wait for one of the 40 threads; the next is told at once to come again."""
OVERLOADED = "Too many requests are waiting. Try again in a few seconds."
FILES = "/static/"
SIGN_IN = "/sign-in"
TOO_MANY = CODES["too_many"] + "."
METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
"""On every response, whatever it is."""

METRICS = CollectorRegistry()
COUNT = Counter("cardwatch_requests", "Requests.", ("method", "route", "status"), registry=METRICS)
TOOK = Histogram("cardwatch_request_seconds", "Time taken.", ("route",), registry=METRICS)


class TooLarge(Exception):
    """FastAPI is about to say in plain text that a body is too large."""


class AccessMiddleware:
    """The app around the app."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an app."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, _hide_traceback(send))
            return
        start_time, request_id = time.perf_counter(), secrets.token_hex(8)
        scope.setdefault("state", {}).update(request_id=request_id, actor=None, status=500)

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                scope["state"]["status"] = message["status"]
                _add_headers(message, request_id)
            await send(message)

        try:
            refusal = await self._refusal(scope)
            await (refusal or self.app)(scope, limit_json(scope, receive), answer)
        except TooLarge:
            await problem(413, "too_large", CODES["too_large"] + ".")(scope, receive, answer)
        except Exception as error:  # noqa: BLE001  the last door
            fault = {"id": request_id, "fault": place_of(error)}
            log.error("%(id)s %(fault)s", fault)  # noqa: TRY400  no values in logs
            response = problem(500, "internal", f"It is in the log under {request_id}.")
            await response(scope, receive, answer)
        finally:
            _log_request(scope, time.perf_counter() - start_time)

    async def _refusal(self, scope: Scope) -> Response | None:
        """Say who comes, and return a refusal if they may not go on."""
        request = Request(scope)
        service: Service = scope["app"].state.service
        address = address_of(request)
        if request.method not in SAFE and not _is_same_site(request):
            return problem(403, "cross_site", CODES["cross_site"] + ".")
        if _is_overloaded() and scope["path"] not in HEALTH:
            return problem(503, "busy", OVERLOADED)
        try:
            if not _is_any(OPEN, scope):
                actor = await anyio.to_thread.run_sync(_identify, service, request)
                scope["state"]["actor"] = actor
        except CasebookFailed as error:
            return refusal_response(error)
        except NotAllowed as error:
            allowed = service.allows(f"address {address}")
            return _told(request, str(error)) if allowed else problem(429, "too_many", TOO_MANY)
        actor = scope["state"]["actor"]
        if not service.allows(actor.actor_id if actor else f"address {address}"):
            return problem(429, "too_many", TOO_MANY)
        return None


def _is_overloaded() -> bool:
    """Whether so many requests wait for a thread that one more would wait for long."""
    threads = anyio.to_thread.current_default_thread_limiter().statistics()
    return threads.tasks_waiting >= MOST_WAITING


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


def _hide_traceback(send: Send) -> Send:
    """Wrap `send` so that a failed startup reports its last line, not the traceback."""

    async def tell(message: Message) -> None:
        if message["type"] == "lifespan.startup.failed":
            last = message["message"].strip().rpartition("\n")[2]
            message["message"] = last.partition("CardwatchError: ")[2] or message["message"]
        await send(message)

    return tell


def _told(request: Request, why: str) -> Response | None:
    """Response to an unauthenticated request, or None where the router answers (405)."""
    if not matches_route(request) and methods_of(request):
        return None  # no route takes this method, and the path says so to whoever asks
    if is_page(request) and request.method in SAFE:
        return RedirectResponse(SIGN_IN, 303)
    return problem(401, "sign_in", why)


def _add_headers(message: Message, request_id: str) -> None:
    """Add to a response what every one has to say, unless it says it itself.

    Raises:
        TooLarge: it is FastAPI's own, of a body that is too large.
    """
    headers = MutableHeaders(raw=message["headers"])
    if message["status"] == 413 and headers.get("content-type") != MEDIA:
        raise TooLarge
    for name, value in (HEADERS | {"X-Request-Id": request_id}).items():
        headers.setdefault(name, value)


def _log_request(scope: Scope, seconds: float) -> None:
    """Count a request and write it down: its route, never its path or who made it.

    What professional standards do leaves no mark here either, unless it failed; nor does coming
    in, which may be theirs: the chain of whoever it is tells of it.
    """
    actor: Actor | None = scope["state"]["actor"]
    status = scope["state"]["status"]
    is_unseen = actor.role == PSD if actor else _is_any(DOORS, scope)
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


def _is_any(places: frozenset[str], scope: Scope) -> bool:
    """Return whether a request goes to one of some places, or for a file that pages load."""
    path = scope["path"]
    return path.startswith(FILES) or bool(places & {path, f"{path}:{scope['method']}"})


def _identify(service: Service, request: Request) -> Actor:
    """Return who a request speaks for: by its key, else by its session.

    Raises:
        NotAllowed: by neither.
    """
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme:
        if scheme.casefold() != "bearer":
            raise NotAllowed("Send the key as 'Authorization: Bearer KEY'.")
        return actor_of_key(service.casebook, key.strip(), service.clock())
    cookie = request.cookies.get(COOKIE, "")
    actor, session_id = actor_of_session(service.casebook, cookie, service.clock())
    request.state.session_id = session_id
    return actor


def _is_same_site(request: Request) -> bool:
    """Return whether an unsafe request comes from our own pages, or from no browser at all."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
