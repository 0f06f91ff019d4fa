"""Who a request comes from, and that nobody unknown goes further than what is open.

Whatever is not named as open asks for a key or a session before its body is read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

import anyio.to_thread
from starlette.responses import RedirectResponse

from api import scim
from api.errors import is_page, matches_route, methods_of, problem, refusal_response
from api.middleware.check import CheckMiddleware
from api.middleware.csrf import SAFE
from cardwatch.casebook import AuditEvent
from cardwatch.casebook.api_keys import actor_of_key
from cardwatch.casebook.sessions import actor_of_session
from cardwatch.errors import CardwatchError, CasebookFailed, NotAllowed

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import Scope

    from api.state import Service
    from cardwatch.casebook import Actor

COOKIE = "__Host-cardwatch"
HELP = frozenset({"/help", "/accessibility", "/privacy", "/reference"})
"""Pages for everybody, on which whoever has signed in has their menu."""
DOORS = HELP | frozenset({
    "/v1/session:POST", "/v1/account:POST", "/v1/account/secret:POST", "/sign-in",
    "/sign-in/elsewhere", "/sign-in/back", "/sign-in/provider-logout", "/account",
    "/account/password",
})  # fmt: skip
"""Where people come in, of whatever role: a path, or one method of it."""
OPEN = DOORS | {"/health/live", "/health/ready", "/metrics"}
"""Paths open without authentication, besides the files that pages load."""
FILES = "/static/"
SIGN_IN = "/sign-in"
OWN_ADDRESS = re.compile(r"/[a-z][!-\[\]-~]*")
"""A path of this service: neither `//host`, nor `/\\host`, which browsers read as another site."""
MOST_OF_ADDRESS = 1_000
"""Characters of an address to which somebody comes back after they have signed in."""


class AuthenticationMiddleware(CheckMiddleware):
    """Sets `request.state.actor`, or the reason why there is none; refuses nobody itself."""

    async def refusal(self, request: Request) -> Response | None:
        """Identify the caller; refuse only where the database fails and the page needs it."""
        is_open = is_any(OPEN, request.scope)
        if is_open and (request.scope["path"] not in HELP or COOKIE not in request.cookies):
            return None
        service: Service = request.app.state.service
        try:
            request.state.actor = await anyio.to_thread.run_sync(_identify, service, request)
        except CasebookFailed as error:
            return None if is_open else refusal_response(error)
        except NotAllowed as error:
            request.state.sign_in_refusal = str(error)
        return None


class SignInMiddleware(CheckMiddleware):
    """Refuses whoever is not known, wherever a path is not open."""

    async def refusal(self, request: Request) -> Response | None:
        """Return the refusal of somebody unknown.

        A browser that asks for a page is sent to sign in, and comes back to it. One that sends a
        form is told how to send it again: nothing of a body is read before somebody is known.
        """
        if request.state.actor is not None and request.state.actor.scope:
            return await _refuse_outside_scope(request)
        if request.state.actor is not None or is_any(OPEN, request.scope):
            return None
        if not matches_route(request) and methods_of(request):
            return None  # no route takes this method, and the path says so to whoever asks
        if is_page(request) and request.method in SAFE:
            return RedirectResponse(_sign_in_address(request), 303)
        refusal = problem(401, "sign_in", request.state.sign_in_refusal)
        if is_page(request):
            shown: Response = request.app.state.show_unsent(request, refusal)
            return shown
        return refusal


def _sign_in_address(request: Request) -> str:
    """Return the address of the sign-in page, which names the page that was asked for."""
    place = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    is_known = OWN_ADDRESS.fullmatch(place) and len(place) <= MOST_OF_ADDRESS
    if not is_known and COOKIE not in request.cookies:
        return SIGN_IN
    return f"{SIGN_IN}?next={quote(place if is_known else '/', safe='/')}"


async def _refuse_outside_scope(request: Request) -> Response | None:
    """Return the refusal of a key that comes to what it was not made for; it leaves an event."""
    if request.url.path.startswith(f"{scim.BASE}/"):
        return None
    service: Service = request.app.state.service
    actor: Actor = request.state.actor

    def refuse() -> None:
        event = AuditEvent("access", "key", actor.actor_id)
        with service.casebook.work(actor, event, service.clock()):
            raise NotAllowed("This key is for an identity provider alone.")

    try:
        await anyio.to_thread.run_sync(refuse)
    except CardwatchError as refusal:
        return refusal_response(refusal)
    return None


def is_any(places: frozenset[str], scope: Scope) -> bool:
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
    actor, session_id = actor_of_session(service.casebook, cookie, service.clock(), service.seal)
    request.state.session_id = session_id
    return actor
