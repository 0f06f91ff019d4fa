"""Routes of health, version and metrics."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

import anyio.to_thread
from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException

from api.deps import AppStateDep, Context
from api.middleware import METRICS
from api.schemas.health import Health, Version
from cardwatch import __version__

if TYPE_CHECKING:
    from api.state import Service

router = APIRouter(tags=["health"])
open_health = APIRouter(tags=["health"])


@open_health.get("/health/live", response_model=Health)
async def live() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@open_health.get("/health/ready", response_model=Health)
async def ready(request: Request) -> dict[str, str]:
    """Say that the casebook answers; 503 where it does not."""
    service: Service = request.app.state.service  # a dependency would wait for a thread
    await anyio.to_thread.run_sync(service.background.organisations, limiter=service.health_threads)
    return {"status": "ok"}


@open_health.get("/metrics", response_class=Response, include_in_schema=False)
def metrics(request: Request, service: AppStateDep) -> Response:
    """Give counts and times by route to a caller with the metrics key."""
    bearer_key = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
    key = service.settings.metrics_key.encode()
    if not key or not hmac.compare_digest(bearer_key, key):
        raise HTTPException(404)
    return Response(generate_latest(METRICS), media_type=CONTENT_TYPE_LATEST)


@router.get("/version", response_model=Version)
def get_version(context: Context) -> dict[str, str]:
    """Show the version of cardwatch."""
    kind = "sqlite" if context.casebook.is_sqlite else "postgresql"
    return {"cardwatch": __version__, "tables": context.casebook.tables_version, "database": kind}
