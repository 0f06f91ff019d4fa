"""The pages, a file a noun; each shows what the desk says, or sends what a form says to it."""

from fastapi import APIRouter
from fastapi.routing import APIRoute

from api.pages import alerts, coming_in, documents, files, handing, settings, statements

pages = APIRouter(include_in_schema=False)
for one in (files, coming_in, statements, alerts, handing, documents, settings):
    for route in one.router.routes:
        assert isinstance(route, APIRoute)
        route.name = f"page_{route.name}"  # the operations have the plain names
    pages.include_router(one.router)
