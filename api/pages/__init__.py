"""The pages, one file per noun; each shows data from the services or passes a form to them."""

from fastapi import APIRouter
from fastapi.routing import APIRoute

from api.pages import (
    account,
    alerts,
    audit,
    coming_in,
    documents,
    files,
    handing,
    holds,
    keeping,
    payments,
    people,
    proposing,
    samples,
    settings,
    statements,
    suppressions,
    trying,
)

pages = APIRouter(include_in_schema=False)
NOUNS = (files, coming_in, account, statements, payments, handing, alerts, holds, suppressions,
         documents, settings, trying, proposing, samples, people, keeping, audit)  # fmt: skip
for one in NOUNS:
    for route in one.router.routes:
        assert isinstance(route, APIRoute)
        route.name = f"page_{route.name}"  # the operations have the plain names
    pages.include_router(one.router)
