"""Stands before every route: who is it, may they go on, and what every response has to say.

Whatever is not named as open asks for a key or a session before its body is read.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import anyio.to_thread
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.requests import Request

from api.errors import CODES, MEDIA, problem, refusal_response
from cardwatch.casebook import PSD
from cardwatch.casebook.people import actor_of_key
from cardwatch.casebook.sessions import actor_of_session
from cardwatch.errors import CasebookFailed, NotAllowed, place_of

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from api.service import Service
    from cardwatch.casebook import Actor

log = logging.getLogger("cardwatch.service")
COOKIE = "__Host-cardwatch"
OPEN = frozenset({
    "/health/live", "/health/ready", "/metrics", "/v1/session:POST", "/v1/account",
    "/v1/account/secret", "/sign-in", "/sign-in/back",
})  # fmt: skip
"""What is open to whoever comes: a path, or one method of it."""
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


class Guard:
    """The app around the app."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an app."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = time.perf_counter()
        request_id = secrets.token_hex(8)
        scope.setdefault("state", {}).update(request_id=request_id, actor=None)
        answer = _Answer(scope, receive, send)
        try:
            refusal = await self._refusal(scope)
            if refusal is not None:
                await refusal(scope, receive, answer)
            else:
                await self.app(scope, receive, answer)
        except Exception as error:  # noqa: BLE001  the last door
            log.error("%s %s", request_id, place_of(error))  # noqa: TRY400  no values in logs
            made = problem(500, "internal", f"It is in the log under {request_id}.")
            await made(scope, receive, answer)
        finally:
            self._note(scope, answer.status, time.perf_counter() - begun)

    async def _refusal(self, scope: Scope) -> Response | None:
        """Say who comes, and return a refusal if they may not go on."""
        request = Request(scope)
        service: Service = scope["app"].state.service
        address = request.client.host if request.client else ""
        if request.method not in SAFE and not _is_same_site(request):
            return problem(403, "cross_site", CODES["cross_site"] + ".")
        path = scope["path"]
        try:
            if not OPEN & {path, f"{path}:{request.method}"}:
                actor = await anyio.to_thread.run_sync(_identify, service, request)
                scope["state"]["actor"] = actor
        except CasebookFailed as error:
            return refusal_response(error)
        except NotAllowed as error:
            if service.allows(f"address {address}"):
                return problem(401, "sign_in", str(error))
            return problem(429, "too_many", CODES["too_many"] + ".")
        actor = scope["state"]["actor"]
        if not service.allows(actor.actor_id if actor else f"address {address}"):
            return problem(429, "too_many", CODES["too_many"] + ".")
        return None

    @staticmethod
    def _note(scope: Scope, status: int, seconds: float) -> None:
        """Count a request and write it down: its route, never its path or who made it.

        What professional standards do leaves no mark here either, unless it failed.
        """
        actor: Actor | None = scope["state"].get("actor")
        if actor is not None and actor.role == PSD and status < 500:
            return
        route = getattr(scope.get("route"), "path", "none")
        COUNT.labels(scope["method"], route, status).inc()
        TOOK.labels(route).observe(seconds)
        said = {"id": scope["state"]["request_id"], "method": scope["method"], "route": route,
                "status": status, "ms": round(1000 * seconds)}  # fmt: skip
        log.info(json.dumps(said))


class _Answer:
    """Sends the response to one request, with what every response has to say."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope, self.receive, self.send = scope, receive, send
        self.status, self.is_over = 500, False

    async def __call__(self, message: Message) -> None:
        """Send one part of it; what Starlette says of a large body in plain text, as a problem."""
        if self.is_over:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            given = {name.lower(): value for name, value in message["headers"]}
            if self.status == 413 and given.get(b"content-type") != MEDIA.encode():
                response = problem(413, "too_large", CODES["too_large"] + ".")
                await response(self.scope, self.receive, self)
                self.is_over = True
                return
            more = HEADERS | {"X-Request-Id": self.scope["state"]["request_id"]}
            message["headers"] += [
                (name.lower().encode(), value.encode())
                for name, value in more.items()
                if name.lower().encode() not in given
            ]
        await self.send(message)


def _identify(service: Service, request: Request) -> Actor:
    """Return who a request speaks for: by its key, else by its session.

    Raises:
        NotAllowed: by neither.
    """
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme:
        if scheme.casefold() != "bearer":
            raise NotAllowed("A key is sent as 'Authorization: Bearer KEY'.")
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
