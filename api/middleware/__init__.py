"""Middleware that every request passes on its way to a route, one file each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from api.middleware.access_log import METRICS, AccessLogMiddleware
from api.middleware.authentication import (
    COOKIE,
    DOORS,
    FILES,
    MOST_OF_ADDRESS,
    OPEN,
    OWN_ADDRESS,
    AuthenticationMiddleware,
    SignInMiddleware,
)
from api.middleware.csrf import SAFE, CrossSiteMiddleware
from api.middleware.faults import FaultMiddleware
from api.middleware.headers import HEADERS, HeadersMiddleware
from api.middleware.json_limit import JsonLimitMiddleware
from api.middleware.rate_limit import (
    AtOnceMiddleware,
    OverloadMiddleware,
    RateLimitMiddleware,
    address_of,
)
from api.state import BODY_BYTES

if TYPE_CHECKING:
    from fastapi import FastAPI


OUTERMOST_FIRST = (
    AccessLogMiddleware,
    HeadersMiddleware,
    FaultMiddleware,
    CrossSiteMiddleware,
    OverloadMiddleware,
    AuthenticationMiddleware,
    RateLimitMiddleware,  # after it, as it counts by caller, failures by address
    SignInMiddleware,
    AtOnceMiddleware,
    JsonLimitMiddleware,
)


def add_middleware(app: FastAPI) -> None:
    """Put every middleware around an app, in the order in which a request meets them."""
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=BODY_BYTES)
    for middleware in reversed(OUTERMOST_FIRST):
        app.add_middleware(middleware)
