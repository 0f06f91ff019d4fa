"""What every page has: who it is for, where they may go, and how it says what is wrong."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from fastapi.responses import HTMLResponse, RedirectResponse

from api.rendering import PAGE_POLICY, environment
from cardwatch.casebook import PSD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import Request
    from starlette.responses import Response

    from api.service import Service
    from cardwatch.casebook import Actor

MENU: dict[str, tuple[tuple[str, str], ...]] = {
    "finance": (("Questions", "/alerts"), ("Statements", "/statements"), ("Rules", "/rules"),
                ("Settings", "/settings"), ("Report", "/governance")),
    "psd": (("Inbox", "/alerts"), ("Statements", "/statements"), ("Rules", "/rules"),
            ("Settings", "/settings"), ("Audit", "/audit"), ("Report", "/governance")),
    "auditor": (("Questions", "/alerts"), ("Statements", "/statements"), ("Rules", "/rules"),
                ("Settings", "/settings"), ("Audit", "/audit"), ("Report", "/governance")),
    "admin": (("Statements", "/statements"), ("Audit", "/audit"), ("People", "/people")),
}  # fmt: skip
"""Where each role goes from any page."""
HOME = {role: places[0][1] for role, places in MENU.items()}


def render(request: Request, template: str, *, status: int = 200, **given: Any) -> Response:  # noqa: ANN401  what a template takes
    """Return a page.

    Args:
        request: what it answers.
        template: its file in `api/templates`.
        status: of the response.
        **given: what the template asks for.
    """
    service: Service = request.app.state.service
    actor: Actor | None = request.state.actor
    path = request.url.path
    nav = [
        {"label": label, "href": href, "is_current": path == href or path.startswith(href + "/")}
        for label, href in (MENU[actor.role] if actor else ())
    ]
    common: dict[str, Any] = {
        "marking": service.settings.marking,
        "organisation": service.name_of(actor.organisation_id) if actor else "",
        "person": actor.role if actor else "",
        "nav": nav,
        "role": actor.role if actor else "",
        "is_psd": actor is not None and actor.role == PSD,
        "errors": {},
    }
    text = environment().get_template(template).render(common | given)
    return HTMLResponse(text, status, {"Content-Security-Policy": PAGE_POLICY})


def as_page(request: Request, made: Response) -> Response:
    """Return a problem as a page that says the same."""
    told = json.loads(bytes(made.body))
    titles = {403: "This is not yours to see", 404: "There is no such page"}
    title = titles.get(made.status_code, "This did not work")
    page = render(
        request, "refused.html", status=made.status_code, title=title, detail=told["detail"]
    )
    page.headers.update({k: v for k, v in made.headers.items() if k in {"allow", "retry-after"}})
    return page


def go(place: str) -> Response:
    """Send a browser on to another page, once what it sent is done."""
    return RedirectResponse(place, 303)


def filled(form: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields of a form that are filled, without the space around them."""
    texts = {name: value.strip() for name, value in form.items() if isinstance(value, str)}
    return {name: value for name, value in texts.items() if value}
