"""Every refusal as `application/problem+json` (RFC 9457), with a type that stays the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import Match

from api import scim
from api.sign_in_limit import TooManyAttempts
from api.state import Busy
from cardwatch.errors import (
    CardwatchError,
    CasebookFailed,
    Changed,
    ColumnsUnknown,
    Conflict,
    FileFaulty,
    FileRefused,
    NotAllowed,
    NotFound,
    QuotaReached,
    RegisterUnknown,
    SecondPersonNeeded,
)
from cardwatch.registers import register_kind, register_profile_text
from cardwatch.statements import profile_text, shipped_profiles

if TYPE_CHECKING:
    from collections.abc import Callable

    from fastapi import FastAPI, Request

MEDIA = "application/problem+json"
URN = "urn:cardwatch:problem:"
STATUS: dict[type[CardwatchError], int] = {
    SecondPersonNeeded: 409,
    NotAllowed: 403,
    NotFound: 404,
    Conflict: 409,
    Changed: 412,
    CasebookFailed: 503,
    Busy: 503,
    TooManyAttempts: 429,
    QuotaReached: 429,
}
"""Every other refusal is 422: what was sent cannot be worked with."""
STATUS_OF_CODE = {kind.code: status for kind, status in STATUS.items()} | {"internal": 500}
"""The same for what came of a job, of which the code is kept."""
CODES: dict[str, str] = {
    "refused": "The request cannot be processed; `detail` says why",
    "faulty": "A policy, rule set or column profile has faults, all listed in `faults`",
    "model_refused": "The model failed its checks and is not loaded",
    "nothing_to_score": "There are no transactions to score",
    "not_allowed": "The role does not allow it",
    "step_up": "The operation needs a code of the last five minutes, sent to `/v1/session/code`, "
    "or a key that may decide",
    "second_person": "Another person with the same role must approve it first; `approval_id` names "
    "the request",
    "not_found": "The object does not exist, or the caller may not see it",
    "conflict": "The request conflicts with what is stored",
    "changed": "Somebody else has changed it; read it again",
    "casebook_failed": "The database failed; nothing was stored; try again",
    "sign_in": "There is no key or session, or it has expired",
    "cross_site": "The request came from another site",
    "too_many": "Too many requests; `Retry-After` says when to try again",
    "too_large": "The body is too large for this operation",
    "busy": "Too many statements are being scored; try again",
    "invalid_request": "Fields are missing or wrong, all listed in `errors`",
    "no_route": "There is no such path",
    "no_method": "The path does not support this method",
    "no_version": "The operation needs `If-Match` with the ETag of the version read",
    "broken_off": "A job was interrupted three times",
    "internal": "An internal error; the log has details under the request's id",
}
"""Codes of problems with their meaning; a file that cannot be read has codes of its own."""
BY_STATUS = {401: "sign_in", 404: "no_route", 405: "no_method", 413: "too_large", 428: "no_version"}


def problem(status: int, code: str, detail: str, **more: object) -> Response:
    """Return a problem as a response."""
    content: dict[str, object] = {"type": URN + code, "status": status, "code": code}
    content |= {"title": CODES.get(code, "The file cannot be read"), "detail": detail} | more
    headers = {"Retry-After": "5"} if status in {429, 503} else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(json.dumps(content, ensure_ascii=False), status, headers, MEDIA)


def refusal_response(refusal: CardwatchError) -> Response:
    """Return a refusal of cardwatch as a response."""
    status = next((s for kind, s in STATUS.items() if isinstance(refusal, kind)), 422)
    if isinstance(refusal, CasebookFailed):  # its sentence names the database
        return problem(status, refusal.code, CODES[refusal.code] + ".")
    more = _more(refusal)
    if refusal.field:
        more["errors"] = [{"field": refusal.field, "detail": str(refusal)}]
    response = problem(status, refusal.code, str(refusal), **more)
    if isinstance(refusal, QuotaReached):
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def _more(refusal: CardwatchError) -> dict[str, Any]:
    """Return what a refusal says beside its sentence."""
    if isinstance(refusal, ColumnsUnknown):
        if not isinstance(refusal, RegisterUnknown):
            profile = profile_text(refusal.headings, shipped_profiles())
        else:
            kind = refusal.kind
            profile = register_profile_text(register_kind(kind), refusal.headings) if kind else ""
        return {"file": refusal.file, "headings": list(refusal.headings),
                "missing": list(refusal.missing), "nearest": list(refusal.nearest),
                "profile": profile}  # fmt: skip
    if isinstance(refusal, SecondPersonNeeded):
        return {"approval_id": refusal.approval_id}
    if isinstance(refusal, FileRefused):
        return {"file": refusal.file}
    return {"faults": list(refusal.faults)} if isinstance(refusal, FileFaulty) else {}


def is_page(request: Request) -> bool:
    """Return whether a browser asks for a page, and no other system for an answer."""
    is_own = request.url.path.startswith("/v1/")
    return not is_own and "text/html" in request.headers.get("accept", "")


def add_handlers(app: FastAPI, show: Callable[[Request, Response], Response]) -> None:
    """Let every refusal of an app be a problem, or for a browser a page that says the same.

    Args:
        app: whose refusals.
        show: makes a page of a problem.
    """

    def told(request: Request, response: Response) -> Response:
        if request.url.path.startswith(scim.BASE):
            return scim.problem_as_scim(response)
        return show(request, response) if is_page(request) else response

    @app.exception_handler(scim.ScimRefused)
    def refused_by_scim(_request: Request, error: scim.ScimRefused) -> Response:
        return scim.refusal_as_scim(error)

    @app.exception_handler(CardwatchError)
    def refused(request: Request, error: CardwatchError) -> Response:
        return told(request, refusal_response(error))

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        errors = [
            {"field": "/".join(map(str, fault["loc"][1:])), "detail": fault["msg"]}
            for fault in error.errors()
        ]
        detail = CODES["invalid_request"] + "."
        return told(request, problem(422, "invalid_request", detail, errors=errors))

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        code = BY_STATUS.get(error.status_code, "refused")
        response = problem(error.status_code, code, CODES[code] + ".")
        response.headers.update(error.headers or {})
        if error.status_code == 405:
            response.headers["Allow"] = ", ".join(methods_of(request))
        return told(request, response)


def methods_of(request: Request) -> list[str]:
    """Return every method that a request's path takes; a route knows of its own alone.

    A path that is written out in full is not also an id: `search` names no alert.
    """
    in_full = [
        route for route in iter_route_contexts(request.app.routes) if route.path == request.url.path
    ]
    written = {name for route in in_full for name in route.methods or ()}
    return [
        name
        for name in ("DELETE", "GET", "PATCH", "POST", "PUT")
        if (name in written if written else matches_route(request, name))
    ]


def matches_route(request: Request, method: str = "") -> bool:
    """Return whether a route takes a request, or would by another method."""
    scope = {**request.scope, "method": method or request.method}
    return any(route.matches(scope)[0] == Match.FULL for route in request.app.router.routes)
