"""Dependencies of routes: the service, the caller's context, a cursor."""

from __future__ import annotations

import base64
import binascii
import json
import math
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.exceptions import HTTPException

from api.middleware import COOKIE
from api.sign_in_limit import TooManyAttempts
from api.state import Service
from cardwatch import services
from cardwatch.casebook import Actor
from cardwatch.errors import CardwatchError, Changed, NotAllowed, StepUpNeeded
from cardwatch.services import ServiceContext

if TYPE_CHECKING:
    from collections.abc import Iterator

CODE_FIELD = "step_up_code"
"""The field of a form with a code, beside its own fields."""
FORM = "application/x-www-form-urlencoded"
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


async def _form_code(request: Request) -> str:
    """The code that a page sends with a form that was refused for want of one."""
    if not request.headers.get("content-type", "").startswith(FORM):
        return ""
    return str((await request.form()).get(CODE_FIELD, ""))


def verified_context_of(
    request: Request,
    context: Annotated[ServiceContext, Depends(context_of)],
    code: Annotated[str, Depends(_form_code)],
) -> ServiceContext:
    """The caller's context, where an operation needs a code of the last minutes."""
    require_code(request, context, code)
    return context


def require_code(request: Request, context: ServiceContext, code: str = "") -> None:
    """Refuse a caller whose session has no recent code, nor gets one with this code.

    Args:
        request: what is asked for.
        context: the caller's.
        code: the code that came with it, if any.

    Raises:
        StepUpNeeded: there is none, or it is not right; or it is a key that may not decide.
    """
    service = service_of(request)
    session_id = getattr(request.state, "session_id", "")
    if code and session_id:
        actor_id = context.actor.actor_id
        try:
            with service.sign_in_limit.attempt(actor_id, actor_id):
                services.step_up(context, session_id, code.strip(), service.seal)
        except (NotAllowed, TooManyAttempts) as refusal:
            raise StepUpNeeded(str(refusal), field=CODE_FIELD) from refusal
    services.require_step_up(context, session_id)


def read_cursor(cursor: str) -> list[float | str]:
    """Return the place in a list at which a page begins.

    Raises:
        CardwatchError: the cursor is invalid.
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


@contextmanager
def comparing(service: Service, context: ServiceContext, approval_id: str) -> Iterator[None]:
    """Wait for a place in which to compare, where a request is about a register.

    Raises:
        Busy: none came free in time.
    """
    with ExitStack() as places:
        if services.is_about_register(context, approval_id):
            places.enter_context(service.scoring())
        yield


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
VerifiedContext = Annotated[ServiceContext, Depends(verified_context_of)]
"""The context of what needs a recent code: exports, names, people, keys, approvals, deletion."""
SIGNED_IN = [Security(_key), Security(_session), Depends(current_actor)]
"""Dependencies of every operation that is not open; the first two describe it in the document."""
