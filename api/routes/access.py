"""Signing in and out: with password and code here, or at an identity provider."""

from __future__ import annotations

import html
from contextlib import AbstractContextManager
from typing import Annotated, Any, cast

import pyotp
from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from api import oidc
from api.deps import AppStateDep, Context, VerifiedContext
from api.errors import CODES, problem
from api.middleware import COOKIE, MOST_OF_ADDRESS, OWN_ADDRESS, address_of
from api.schemas.access import (
    AccountActivate,
    Code,
    PasswordChange,
    Secret,
    SignIn,
    Token,
)
from api.schemas.base import Id
from cardwatch import services
from cardwatch.casebook import rows
from cardwatch.casebook.people import normal_email
from cardwatch.casebook.sessions import LONGEST_HOURS
from cardwatch.errors import NotAllowed
from cardwatch.services import answers
from cardwatch.vocabulary import Role

router = APIRouter(tags=["access"])
open_access = APIRouter(tags=["access"])
FLOW = "__Host-cardwatch-flow"
GO_ON = (
    '<!doctype html><html lang="en-GB"><head><title>Signed in - cardwatch</title>'
    '<meta http-equiv="refresh" content="0; url={place}"></head>'
    '<body><p>You are signed in. <a href="{place}">Continue</a></p></body></html>'
)
"""A page of our own after the provider's: straight after another site no strict cookie is sent."""


@open_access.post("/v1/session", status_code=204)
def sign_in(body: SignIn, request: Request, service: AppStateDep) -> Response:
    """Sign in with password and code; the answer sets the session's cookie."""
    try:
        cookie = begin_session(request, service, **body.model_dump())
    except NotAllowed as refusal:
        return problem(401, "sign_in", str(refusal))
    return with_session(Response(status_code=204), cookie)


def begin_session(request: Request, service: AppStateDep, organisation: str, **body: str) -> str:
    """Start a session with email address, password and code; return its cookie.

    Raises:
        NotAllowed: something is not right.
        TooManyAttempts: the account or address has too many failures.
    """
    account = f"{organisation} {normal_email(body['email'])}"
    with service.sign_in_limit.attempt(address_of(request), account):
        return services.sign_in(
            service.casebook,
            organisation,
            **body,
            browser=request.headers.get("user-agent", ""),
            now=service.clock(),
            seal=service.seal,
            held=request.cookies.get(COOKIE, ""),
        )


def own_address(place: str) -> str:
    """Return an address that came with a request if it is one of this service, else home."""
    is_own = OWN_ADDRESS.fullmatch(place) and len(place) <= MOST_OF_ADDRESS
    return place if is_own else "/"


def with_session(response: Response, cookie: str) -> Response:
    """Return a response with the cookie of a new session."""
    response.set_cookie(
        COOKIE, cookie, max_age=LONGEST_HOURS * 3600, path="/",
        secure=True, httponly=True, samesite="strict",
    )  # fmt: skip
    return response


@router.get("/session")
def get_session(context: Context) -> answers.CurrentUser:
    """Show the caller."""
    actor = context.actor
    return {"organisation_id": actor.organisation_id, "actor_id": actor.actor_id,
            "role": cast("Role", actor.role), "lanes": list(actor.lanes)}  # fmt: skip


@router.delete("/session", status_code=204)
def sign_out(request: Request, context: Context) -> Response:
    """Sign out: end the session at once and clear the browser's copy of what it was shown."""
    return without_session(request, context, Response(status_code=204))


def without_session(request: Request, context: Context, response: Response) -> Response:
    """End the caller's session, and return a response that lets the browser forget it."""
    session_id = getattr(request.state, "session_id", None)
    if session_id:
        services.end_session(context, session_id)
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
    response.headers["Clear-Site-Data"] = '"cache", "cookies", "storage"'
    return response


@router.post("/session/code", status_code=204)
def verify_session(body: Code, request: Request, context: Context, service: AppStateDep) -> None:
    """Enter a code: for five minutes the session may do what a code is needed for."""
    actor_id = context.actor.actor_id
    with service.sign_in_limit.attempt(actor_id, actor_id):
        session_id = getattr(request.state, "session_id", "")
        services.step_up(context, session_id, body.code, service.seal)


@router.get("/sessions")
def list_sessions(context: Context) -> list[rows.Session]:
    """List the caller's own sessions."""
    return services.list_sessions(context)


@router.delete("/sessions/{session_id}", status_code=204)
def end_session(session_id: Id, context: VerifiedContext) -> None:
    """End one of the caller's own sessions at once."""
    services.end_session(context, session_id)


@router.put("/account", status_code=204)
def change_password(
    body: PasswordChange, request: Request, context: Context, service: AppStateDep
) -> Response:
    """Set a new password with the old one and a code; all other sessions of the caller end."""
    actor_id = context.actor.actor_id  # it is known, so that it does not matter from where
    with service.sign_in_limit.attempt(actor_id, actor_id):
        services.change_password(
            context,
            password=body.password,
            code=body.code,
            new=body.new,
            seal=service.seal,
            session_id=getattr(request.state, "session_id", ""),
        )
    return Response(status_code=204)


@open_access.post("/v1/account/secret", response_model=Secret)
def start_account(body: Token, request: Request, service: AppStateDep) -> Any:  # noqa: ANN401
    """Give an invited person a secret for their authenticator app."""
    with invitation_attempt(request, service, body.token):
        email, secret = services.start_account(
            service.casebook, body.token, service.clock(), service.seal
        )
    address = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name="cardwatch")
    return {"email": email, "secret": secret, "address": address}


@open_access.post("/v1/account", status_code=204)
def activate_account(body: AccountActivate, request: Request, service: AppStateDep) -> Response:
    """Set a password with the first code of the authenticator app."""
    with invitation_attempt(request, service, body.token):
        services.activate_account(
            service.casebook,
            body.token,
            password=body.password,
            code=body.code,
            now=service.clock(),
            seal=service.seal,
        )
    return Response(status_code=204)


def invitation_attempt(
    request: Request, service: AppStateDep, token: str
) -> AbstractContextManager[None]:
    """Count an attempt with an invitation if it fails; see `SignInLimit.attempt`."""
    return service.sign_in_limit.attempt(address_of(request), token.strip())


@open_access.get("/sign-in/elsewhere", response_class=RedirectResponse, include_in_schema=False)
def sign_in_with_provider(request: Request, service: AppStateDep) -> Response:
    """Redirect a browser to the identity provider, unless another site asked for it."""
    if request.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        return problem(403, "cross_site", CODES["cross_site"] + ".")
    back, session_cookie = str(request.url_for("come_back")), request.cookies.get(COOKIE, "")
    is_again = "again" in request.query_params
    following = own_address(request.query_params.get("next", ""))
    place, flow = oidc.authorise_url(
        service, back, session_cookie, is_again=is_again, following=following
    )
    response = RedirectResponse(place, 303)
    response.set_cookie(
        FLOW, flow, max_age=oidc.FLOW_SECONDS, path="/",
        secure=True, httponly=True, samesite="lax",
    )  # fmt: skip
    return response


@open_access.get("/sign-in/back", response_class=HTMLResponse, include_in_schema=False)
def come_back(request: Request, service: AppStateDep) -> Response:
    """Receive a browser from the identity provider and start its session."""
    flow = request.cookies.get(FLOW, "")
    try:
        cookie = oidc.handle_callback(
            service,
            place=str(request.url_for("come_back")),
            query=dict(request.query_params),
            flow=flow,
            browser=request.headers.get("user-agent", ""),
        )
    except NotAllowed as refusal:
        return problem(401, "sign_in", str(refusal))
    page = GO_ON.format(place=html.escape(oidc.page_after(service, flow)))
    response = with_session(HTMLResponse(page), cookie)
    response.delete_cookie(FLOW, path="/", secure=True, httponly=True, samesite="lax")
    return response


@open_access.post("/sign-in/provider-logout", include_in_schema=False)
def end_provider_sessions(
    service: AppStateDep, logout_token: Annotated[str, Form(max_length=16_000)]
) -> Response:
    """Receive from the identity provider that a session there has ended; ours end with it."""
    try:
        oidc.end_sessions(service, logout_token)
    except NotAllowed as refusal:
        return problem(400, "refused", str(refusal))
    return Response(status_code=200)
