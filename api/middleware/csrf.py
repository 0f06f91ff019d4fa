"""Refuses what another site makes a browser send."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from api.errors import CODES, problem
from api.middleware.check import CheckMiddleware

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class CrossSiteMiddleware(CheckMiddleware):
    """Refuses methods that change something unless our own pages, or no browser, send them."""

    async def refusal(self, request: Request) -> Response | None:
        """Return the refusal of an unsafe request from another site."""
        if request.method in SAFE or _is_same_site(request):
            return None
        return problem(403, "cross_site", CODES["cross_site"] + ".")


def _is_same_site(request: Request) -> bool:
    """Return whether an unsafe request comes from our own pages, or from no browser at all."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
