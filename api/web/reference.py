"""The page of the API's reference: open to everybody, from the OpenAPI document."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.reference import objects, operations
from api.templating import PAGE_POLICY
from api.web.base import render

router = APIRouter()
REFERENCE_POLICY = f"{PAGE_POLICY}; connect-src 'self'"
"""This page alone sends requests of its own, and to this service alone."""


@router.get("/reference")
def show_reference(request: Request) -> Response:
    """Show every operation of the API and every object, or those that a filter leaves."""
    document = request.app.openapi()
    every = operations(document)
    find, tag = (request.query_params.get(name, "")[:100].strip() for name in ("find", "tag"))
    words = find.casefold().split()
    shown = [one for one in every if one.matches(words, tag)]
    tags = list(dict.fromkeys(one.tag for one in every))
    page = render(
        request, "reference.html", find=find, tag=tag, tags=tags, shown=shown, count=len(every),
        objects=[] if words or tag else objects(document), names=document["components"]["schemas"],
        version=document["info"]["version"],
    )  # fmt: skip
    page.headers["Content-Security-Policy"] = REFERENCE_POLICY
    return page
