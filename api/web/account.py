"""The account page: the person, their password and their sessions."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.deps import AppStateDep, Context, VerifiedContext
from api.quotas import uses_of
from api.sign_in_limit import TooManyAttempts
from api.web.base import FormFields, field_errors, redirect, render
from cardwatch import services
from cardwatch.errors import CardwatchError, NotAllowed

router = APIRouter()
MINE = "/account/mine"


@router.get(MINE)
def show_mine(request: Request, context: Context) -> Response:
    """Show who somebody is, their sessions, and the form to change their password."""
    return _mine_page(request, context, {})


def _mine_page(
    request: Request,
    context: Context,
    errors: dict[str, str],
    *,
    status: int = 200,
) -> Response:
    sessions = services.list_sessions(context)
    return render(
        request, "account_mine.html", status=status, errors=errors,
        sessions=sessions, this=getattr(request.state, "session_id", ""),
        email=services.email_of(context),
        actor=context.actor,
        holds_no_card=services.holds_no_card(context),
        approved=services.count_approved(context),
        uses=uses_of(request.app.state.service, context.actor),
    )  # fmt: skip


@router.post("/account/mine/password")
def change_password(
    request: Request, context: Context, service: AppStateDep, form: FormFields
) -> Response:
    """Set a new password, with the old one and a code; all other sessions end."""
    actor_id = context.actor.actor_id
    try:
        with service.sign_in_limit.attempt(actor_id, actor_id):
            services.change_password(
                context, password=form.get("password", ""), code=form.get("code", ""),
                new=form.get("new", ""), seal=service.seal,
                session_id=getattr(request.state, "session_id", ""),
            )  # fmt: skip
    except TooManyAttempts as refusal:
        return _mine_page(request, context, {"password": str(refusal)}, status=429)
    except NotAllowed:
        wrong = {"password": "The current password or the code is incorrect."}
        return _mine_page(request, context, wrong, status=403)
    except CardwatchError as refusal:
        return _mine_page(request, context, field_errors(refusal), status=422)
    return redirect(MINE, "password-changed")


@router.post("/account/mine/sessions/{session_id}/end")
def end_session(context: VerifiedContext, session_id: str) -> Response:
    """End one of one's own sessions, at once."""
    services.end_session(context, session_id)
    return redirect(MINE, "session-ended")
