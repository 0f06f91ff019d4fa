"""Pages for signing in and out, setting up an account, and help."""

from __future__ import annotations

import datetime as dt
import json
import re
from calendar import monthrange
from typing import Annotated

import pyotp
from fastapi import APIRouter, Form, Query, Request, Response

from api.deps import AppStateDep, Context
from api.middleware import COOKIE, MOST_OF_ADDRESS
from api.routes.access import (
    begin_session,
    invitation_attempt,
    own_address,
    with_session,
    without_session,
)
from api.sign_in_limit import TooManyAttempts
from api.web.approvals import APPROVAL_TITLES
from api.web.base import HOME, field_errors, redirect, render
from cardwatch import services
from cardwatch.casebook.people import organisation_id
from cardwatch.casebook.tables import KEEPS_DAYS, STATES
from cardwatch.errors import CardwatchError, NotAllowed

router = APIRouter()
Text = Annotated[str, Form(max_length=1_000)]
Following = Annotated[str, Query(alias="next", max_length=MOST_OF_ADDRESS)]
SECRET = re.compile(r"[A-Z2-7]{16,64}")


@router.get("/sign-in")
def show_sign_in(request: Request, service: AppStateDep, following: Following = "") -> Response:
    """Show the form for signing in, which leads back to the page that was asked for."""
    return _sign_in_page(request, service, {"next": following}, {})


def show_unsent(request: Request, refusal: Response) -> Response:
    """Show what to do with a form that was sent after the session had ended."""
    return render(request, "unsent.html", status=refusal.status_code)


def _sign_in_page(
    request: Request, service: AppStateDep, form: dict[str, str], errors: dict[str, str]
) -> Response:
    is_one = len(service.casebook.organisations()) == 1
    has_ended = bool(form.get("next", "")) and COOKIE in request.cookies and not errors
    elsewhere = bool(service.settings.oidc_issuer)
    return render(
        request, "sign_in.html", status=401 if errors else 200,
        form=form, errors=errors, is_one_organisation=is_one, elsewhere=elsewhere,
        has_ended=has_ended,
    )  # fmt: skip


@router.post("/sign-in")
def sign_in(
    request: Request,
    service: AppStateDep,
    organisation: Text = "",
    email: Text = "",
    password: Text = "",
    code: Text = "",
    following: Annotated[str, Form(alias="next", max_length=MOST_OF_ADDRESS)] = "",
) -> Response:
    """Sign in with password and code, and go to the page that was asked for."""
    form = {"organisation": organisation, "email": email, "next": following}
    try:
        cookie = begin_session(
            request,
            service,
            _organisation_id(service, organisation),
            email=email,
            password=password,
            code=code.strip(),
        )
    except (NotAllowed, TooManyAttempts) as refusal:
        return _sign_in_page(request, service, form, {"email": str(refusal)})
    return with_session(redirect(own_address(following)), cookie)


def _organisation_id(service: AppStateDep, organisation: str) -> str:
    """Return the id of an organisation as it was entered: the only one where nothing was."""
    organisations = service.casebook.organisations()
    if not organisation.strip() and len(organisations) == 1:
        return str(organisations[0]["organisation_id"])
    return organisation_id(organisation)


@router.get("/")
def show_home(request: Request, context: Context) -> Response:
    """Show what waits and which months are covered; admin goes to the statements."""
    if not context.actor.lanes:
        return redirect(HOME[context.actor.role])
    home = services.show_home(context)
    months = [month.month for month in home.months]
    last_days = {month: monthrange(int(month[:4]), int(month[5:]))[1] for month in months}
    return render(
        request, "home.html", home=home, last_days=last_days, approval_titles=APPROVAL_TITLES,
        yesterday=str(context.now.date() - dt.timedelta(1)),
    )  # fmt: skip


@router.post("/sign-out")
def sign_out(request: Request, context: Context) -> Response:
    """Sign out: end the session at once and clear the browser's copy of what it was shown."""
    return without_session(request, context, redirect("/sign-in", "signed-out"))


@router.get("/account")
def show_account(request: Request) -> Response:
    """Show the form on which somebody who was invited gives their token."""
    return render(request, "account_token.html", form={})


@router.post("/account")
def start_account(request: Request, service: AppStateDep, token: Text = "") -> Response:
    """Show a secret for an authenticator app, and the form for a password."""
    try:
        with invitation_attempt(request, service, token):
            email, secret = services.start_account(
                service.casebook, token.strip(), service.clock(), service.seal
            )
    except CardwatchError as refusal:
        errors = field_errors(refusal, otherwise="token")
        return render(request, "account_token.html", form={"token": token}, errors=errors)
    return _password_page(request, token.strip(), email, secret, {})


@router.post("/account/password")
def activate_account(
    request: Request,
    service: AppStateDep,
    token: Text = "",
    email: Text = "",
    secret: Text = "",
    password: Text = "",
    code: Text = "",
) -> Response:
    """Set a password with the first code of the authenticator app."""
    try:
        with invitation_attempt(request, service, token):
            services.activate_account(
                service.casebook, token, password=password, code=code.strip(),
                now=service.clock(), seal=service.seal,
            )  # fmt: skip
    except CardwatchError as refusal:
        errors = field_errors(refusal, {"token": ""})
        return _password_page(request, token, email, secret, errors)
    return redirect("/sign-in", "account")


def _password_page(
    request: Request, token: str, email: str, secret: str, errors: dict[str, str]
) -> Response:
    if not SECRET.fullmatch(secret):  # it comes back from the form, and is shown alone
        raise CardwatchError("Start again with your invitation.")
    address = pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name="cardwatch")
    return render(
        request, "account_password.html",
        token=token, email=email, secret=secret, address=address, errors=errors,
    )  # fmt: skip


@router.get("/help")
def show_help(request: Request) -> Response:
    """Show how the work goes, step by step."""
    return render(request, "help.html", states=STATES)


@router.get("/accessibility")
def show_accessibility(request: Request) -> Response:
    """Show the accessibility statement."""
    return render(request, "accessibility.html")


@router.get("/privacy")
def show_privacy(request: Request, service: AppStateDep) -> Response:
    """Show the privacy notice, with the retention periods of the organisation where it is known."""
    actor = request.state.actor
    keeps = [
        json.loads(organisation["keeps"])
        for organisation in service.casebook.organisations()
        if actor is None or organisation["organisation_id"] == actor.organisation_id
    ]
    return render(
        request, "privacy.html", keeps=keeps[0] if len(keeps) == 1 else KEEPS_DAYS,
        contact=service.settings.privacy_contact, basis=service.settings.privacy_basis,
    )  # fmt: skip
