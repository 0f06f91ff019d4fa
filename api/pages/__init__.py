"""The pages, a file a noun; each shows what the desk says, or sends what a form says to it."""

from fastapi import APIRouter

from api.pages import alerts, coming_in, files, settings, statements

pages = APIRouter(include_in_schema=False)
for one in (files, coming_in, statements, alerts, settings):
    pages.include_router(one.router)
