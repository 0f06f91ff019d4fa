"""The service: `uvicorn api.main:app`."""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import threading
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from api.background import TASKS
from api.deps import SIGNED_IN
from api.errors import MEDIA, add_handlers
from api.memory import limit_memory
from api.middleware import add_middleware
from api.quotas import count_uploads
from api.routes import ROUTERS, open_router
from api.schemas.base import ProblemDetails
from api.settings import Settings, read_settings
from api.state import Service
from api.stopping import end_in_time
from api.web import pages
from api.web.approvals import show_request
from api.web.base import as_page
from api.web.sign_in import show_unsent
from api.web.step_up import ask_for_code
from cardwatch import __version__
from cardwatch.errors import SecondPersonNeeded, StepUpNeeded

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

ABOUT = (
    "Finds split purchases and unusual merchants in procurement-card statements, and explains "
    "each alert. An alert is a reason to ask, not a finding."
)


JOIN_SECONDS = 8.0
"""How long a stop waits for a job; an unfinished job is taken up after the next start."""
FIELD_MEANINGS = re.compile(r"^ {4}([a-z0-9_, ]+): (.*(?:\n {8}.*)*)", re.MULTILINE)
"""A field in the `Attributes` of a docstring, with what is said of it."""


def create_app(
    settings: Settings | None = None,
    clock: Callable[[], dt.datetime] | None = None,
    *,
    chores: bool = True,
) -> FastAPI:
    """Return the service.

    Args:
        settings: those of the environment if not given.
        clock: what tells the moment, with a time zone.
        chores: whether its own thread does jobs and sends notices.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service = Service(settings or read_settings(), clock)
        _set_up_process(service.settings)
        app.state.service = service
        over = threading.Event()
        work = TASKS if chores else ()
        threads = [
            threading.Thread(target=task, args=(service, over), daemon=True) for task in work
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            over.set()
            service.wake.set()
            until = time.monotonic() + JOIN_SECONDS
            for thread in threads:
                thread.join(max(until - time.monotonic(), 0))
            service.close()

    app = _Service(
        title="cardwatch",
        summary="Alerts about procurement-card payments",
        description=ABOUT,
        version=__version__,
        lifespan=lifespan,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    add_middleware(app)
    _add_answers(app)
    _add_routes(app)
    app.state.templates = {route.name: route.path for route in iter_route_contexts(app.routes)}
    return app


def _set_up_process(settings: Settings) -> None:
    """Limit what this process takes, and in which time it ends."""
    limit_memory(settings.memory_mib)
    end_in_time()


def _add_answers(app: FastAPI) -> None:
    """Let refusals be problems, or pages for a browser."""
    add_handlers(app, as_page)
    app.state.show_unsent = show_unsent
    app.add_exception_handler(StepUpNeeded, ask_for_code)
    app.add_exception_handler(SecondPersonNeeded, show_request)


def _add_routes(app: FastAPI) -> None:
    """Add every operation of the service, and the pages."""
    refusals: dict[int | str, dict[str, Any]] = {
        "4XX": _problem("The request was refused; `code` and `detail` say why."),
        "503": _problem("The database failed, or the service is busy."),
    }
    for router in ROUTERS:
        app.include_router(
            router,
            prefix="/v1",
            responses=refusals,
            dependencies=[*SIGNED_IN, Depends(count_uploads)],
        )
    app.include_router(open_router, responses=refusals)
    app.include_router(pages)


def _operation_id(route: APIRoute) -> str:
    return route.name


def _problem(description: str) -> dict[str, object]:
    """The description of a refusal in the OpenAPI document."""
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {"description": description, "content": {MEDIA: {"schema": schema}}}


class _Service(FastAPI):
    """The app; its document is written so that generators make a whole client of it."""

    def openapi(self) -> dict[str, Any]:
        """Return the document: the model of refusals once, and files as generators know them."""
        document = super().openapi()
        schemas = document["components"]["schemas"]
        schemas["ProblemDetails"] = ProblemDetails.model_json_schema()
        for body in schemas.values():
            _describe_fields(body)
            for value in body.get("properties", {}).values():
                for part in (value, value.get("items", {})):
                    if "contentMediaType" in part:
                        part["format"] = "binary"
        return document


def _describe_fields(schema: dict[str, Any]) -> None:
    """Move what a record's docstring says of its fields to the fields."""
    meaning, _, attributes = schema.get("description", "").partition("\n\nAttributes:\n")
    if attributes:
        schema["description"] = meaning
    for names, text in FIELD_MEANINGS.findall(attributes):
        for name in names.split(", "):
            if name in schema["properties"]:  # the other attributes are computed
                words = " ".join(text.split())
                schema["properties"][name]["description"] = words[0].upper() + words[1:]


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line of JSON: its moment, and what was said."""
        timestamp = dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(
            timespec="milliseconds"
        )
        fields = record.args if isinstance(record.args, dict) else {"said": record.getMessage()}
        return json.dumps({"at": timestamp} | fields)


_log, _handler = logging.getLogger("cardwatch"), logging.StreamHandler()
_log.setLevel(logging.INFO)
_handler.setFormatter(_Lines())
_log.addHandler(_handler)
app = create_app()
