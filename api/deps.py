"""Dependencies of routes: the service, the caller's context, a cursor."""

from __future__ import annotations

import base64
import binascii
import json
import math
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.exceptions import HTTPException

from api.middleware import COOKIE
from api.state import Service
from cardwatch.casebook import Actor
from cardwatch.errors import CardwatchError, Changed
from cardwatch.services import ServiceContext

_key = HTTPBearer(auto_error=False, description="A key made with `cardwatch keys`.")
_session = APIKeyCookie(name=COOKIE, auto_error=False, description="A session of a person.")


def service_of(request: Request) -> Service:
    """The service's state."""
    service: Service = request.app.state.service
    return service


def current_actor(request: Request) -> Actor:
    """The caller, whom the middleware identified before the body was read.

    Raises:
        HTTPException: nobody is signed in (401), though the middleware let the request through.
    """
    actor: Actor | None = request.state.actor
    if actor is None:
        raise HTTPException(401)
    return actor


def context_of(request: Request, actor: Annotated[Actor, Depends(current_actor)]) -> ServiceContext:
    """The caller's context."""
    service = service_of(request)
    return ServiceContext(service.casebook, actor, service.clock())


def read_cursor(cursor: str) -> list[float | str]:
    """Return the place in a list at which a page begins.

    Raises:
        CardwatchError: it is none.
    """
    if not cursor:
        return []
    try:
        place = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise CardwatchError("Invalid cursor. Start at the first page.", field="cursor") from error
    if not isinstance(place, list) or not all(map(_is_kept, place)):
        raise CardwatchError("Invalid cursor. Start at the first page.", field="cursor")
    return place


def _is_kept(value: object) -> bool:
    """Return whether a database could hold a value of a cursor."""
    if isinstance(value, str):
        return value.isprintable()
    return type(value) in {int, float} and math.isfinite(value) and abs(value) < 2**53  # type: ignore[arg-type]


def make_cursor(place: list[float | str]) -> str:
    """Encode a place in a list as an opaque cursor."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


def version_of(if_match: str | None) -> int:
    """Return the version that an ETag names.

    Raises:
        HTTPException: there is none (428).
        Changed: it is no ETag of ours.
    """
    if if_match is None:
        raise HTTPException(428)
    text = if_match.strip().removeprefix("W/").strip('"')
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise Changed("This ETag is not of what you read. Get it again.")
    return int(text)


AppStateDep = Annotated[Service, Depends(service_of)]
Context = Annotated[ServiceContext, Depends(context_of)]
SIGNED_IN = [Security(_key), Security(_session), Depends(current_actor)]
"""What every operation asks for that is not open; the first two describe it in the document."""
