"""Hands alerts over as a file, for the operation and for the page alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import Response

from cardwatch import desk
from cardwatch.reports import pdf_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.service import Service
    from cardwatch.desk import Desk
    from cardwatch.reports import Document

FORMS = {"csv": "text/csv; charset=utf-8", "json": "application/json",
         "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
         "pdf": "application/pdf", "zip": "application/zip"}  # fmt: skip


def handed_over(at: Desk, service: Service, form: str, **wanted: Any) -> Response:  # noqa: ANN401  fields of `desk.Wanted`
    """Return what is handed over as a file; see `desk.hand_over`."""
    asked = desk.Wanted(marking=service.settings.marking, key=service.signing_key, **wanted)
    with service.scoring():  # a PDF takes as long as a scoring does
        content, _ = desk.hand_over(at, asked, f".{form}")
    return as_file(content, form)


def drawn(service: Service, make: Callable[[], Document]) -> Response:
    """Return a document as a PDF to be kept; it is made once there is a place to draw it in."""
    with service.scoring():
        return as_file(pdf_of(make()), "pdf")


def as_file(content: bytes, form: str) -> Response:
    """Return a file to be kept; its name says nothing of what it holds."""
    headers = {"Content-Disposition": f'attachment; filename="cardwatch.{form}"'}
    return Response(content, media_type=FORMS[form], headers=headers)
