"""The page that asks for a code before what is sensitive, and goes on with what was entered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from api.deps import CODE_FIELD, FORM
from api.errors import is_page, refusal_response
from api.web.base import as_page, render
from cardwatch.errors import StepUpNeeded

if TYPE_CHECKING:
    from fastapi import Request, Response


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
    return render(
        request, "step_up.html", status=403, action=action, fields=entered,
        errors={CODE_FIELD: str(refusal)} if refusal.field else {},
        elsewhere=bool(request.app.state.service.settings.oidc_issuer),
    )  # fmt: skip
