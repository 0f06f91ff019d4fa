"""The page that asks for a code before what is sensitive, and goes on with what was entered.

A download is asked for by its address alone: the form with the code leads back to it.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from api.deps import CODE_FIELD, FORM, VerifiedContext
from api.errors import is_page, refusal_response
from api.middleware import OWN_ADDRESS
from api.web.base import FormFields, as_page, redirect, render
from cardwatch.errors import StepUpNeeded

router = APIRouter()
CODE_PATH = "/account/mine/code"


async def ask_for_code(request: Request, refusal: Exception) -> Response:
    """Answer what needs a code: a page that sends the same form again with one, or a problem."""
    assert isinstance(refusal, StepUpNeeded)
    response = refusal_response(refusal)
    is_form = request.headers.get("content-type", "").startswith(FORM)
    has_body = request.headers.get("content-length", "0") != "0"
    has_session = bool(getattr(request.state, "session_id", ""))
    if not is_page(request) or not has_session or (has_body and not is_form):
        return as_page(request, response) if is_page(request) else response
    fields = (await request.form()).multi_items() if has_body else []
    entered = [(name, str(value)) for name, value in fields if name != CODE_FIELD]
    action = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method == "GET":
        action, entered = CODE_PATH, [("next", action)]
    return render(
        request, "step_up.html", status=403, action=action, fields=entered,
        errors={CODE_FIELD: str(refusal)} if refusal.field else {},
        elsewhere=bool(request.app.state.service.settings.oidc_issuer),
    )  # fmt: skip


@router.post(CODE_PATH)
def enter_code(context: VerifiedContext, form: FormFields) -> Response:
    """Go back to the download that needed a code, now that it was given.

    Raises:
        HTTPException: the address is not one of this service (404).
    """
    place = form.get("next", "")
    if not OWN_ADDRESS.fullmatch(place):
        raise HTTPException(404)
    return redirect(place)
