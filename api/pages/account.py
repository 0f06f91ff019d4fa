"""The account page: the person, their password and their sessions."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.deps import At, Serving
from api.pages.page import Sent, field_errors, go, render
from api.sign_in_limit import TooManyAttempts
from cardwatch import desk
from cardwatch.errors import CardwatchError, NotAllowed

router = APIRouter()
MINE = "/account/mine"


@router.get(MINE)
def show_mine(request: Request, at: At) -> Response:
    """Show who somebody is, their sessions, and the form to change their password."""
    return _mine_page(request, at, {})


def _mine_page(
    request: Request, at: At, errors: dict[str, str], *, status: int = 200, is_changed: bool = False
) -> Response:
    sessions = desk.list_sessions(at)
    return render(
        request, "account_mine.html", status=status, errors=errors,
        sessions=sessions, this=getattr(request.state, "session_id", ""), email=desk.email_of(at),
        actor=at.actor, is_changed=is_changed,
    )  # fmt: skip


@router.post("/account/mine/password")
def change_password(request: Request, at: At, service: Serving, sent: Sent) -> Response:
    """Set a new password, with the old one and a code; all other sessions end."""
    actor_id = at.actor.actor_id
    try:
        with service.sign_in_limit.attempt(actor_id, actor_id):
            desk.change_password(
                at, password=sent.get("password", ""), code=sent.get("code", ""),
                new=sent.get("new", ""), seal=service.seal,
                session_id=getattr(request.state, "session_id", ""),
            )  # fmt: skip
    except TooManyAttempts as refusal:
        return _mine_page(request, at, {"password": str(refusal)}, status=429)
    except CardwatchError as refusal:
        status = 403 if isinstance(refusal, NotAllowed) else 422
        return _mine_page(request, at, field_errors(refusal), status=status)
    return _mine_page(request, at, {}, is_changed=True)


@router.post("/account/mine/sessions/{session_id}/end")
def end_session(at: At, session_id: str) -> Response:
    """End one of one's own sessions, at once."""
    desk.end_session(at, session_id)
    return go(MINE)
