"""Dependencies of routes: the service, the caller's context, a cursor."""

from __future__ import annotations

import base64
import binascii
import json
import math
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer

from api.guard import COOKIE
from api.service import Service
from cardwatch.desk import Desk
from cardwatch.errors import CardwatchError

_key = HTTPBearer(auto_error=False, description="A key made with `cardwatch keys`.")
_session = APIKeyCookie(name=COOKIE, auto_error=False, description="A session of a person.")


def service_of(request: Request) -> Service:
    """The service's state."""
    service: Service = request.app.state.service
    return service


def desk_of(request: Request) -> Desk:
    """The caller's context, as the middleware authenticated it."""
    service = service_of(request)
    actor = request.state.actor
    assert actor is not None, "a route that is open asks for no desk"
    return Desk(service.casebook, actor, service.clock())


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


def _is_kept(one: object) -> bool:
    """Return whether a database could hold a value of a cursor."""
    if isinstance(one, str):
        return one.isprintable()
    return type(one) in {int, float} and math.isfinite(one) and abs(one) < 2**53  # type: ignore[arg-type]


def make_cursor(place: list[float | str]) -> str:
    """Encode a place in a list as an opaque cursor."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode()


Serving = Annotated[Service, Depends(service_of)]
At = Annotated[Desk, Depends(desk_of)]
SIGNED_IN = [Security(_key), Security(_session)]
