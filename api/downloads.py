"""Exports as a file, for API operations and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fastapi import Response

from api.schemas.reports import PublicationCheck
from cardwatch import services
from cardwatch.errors import about_field
from cardwatch.reports import answers_filename, pdf_of, publication_filename, safe_filename
from cardwatch.reports.publication import publication_csv, read_redactions

if TYPE_CHECKING:
    from collections.abc import Callable

    from api.schemas.reports import PublicationForm
    from api.state import Service
    from cardwatch.casebook.case_rows import AttachmentContent
    from cardwatch.reports import Document
    from cardwatch.reports.publication import Redactions
    from cardwatch.services import ServiceContext

CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json",
         "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
         "pdf": "application/pdf", "zip": "application/zip"}  # fmt: skip


def export_response(
    context: ServiceContext,
    service: Service,
    form: str,
    **wanted: Any,  # noqa: ANN401  fields of `services.ExportRequest`
) -> Response:
    """Return what is handed over as a file; see `services.export_alerts`."""
    export_request = services.ExportRequest(
        marking=service.settings.marking, key=service.signing_key, **wanted
    )
    with service.scoring():  # a PDF takes as long as a scoring does
        file = services.export_alerts(context, export_request, f".{form}")
    return as_file(file.content, file.filename)


def case_pack(
    context: ServiceContext, service: Service, case_id: str, purpose: str, recipient: str
) -> Response:
    """Return the pack of a case as a file; see `services.export_case`."""
    export_request = services.ExportRequest(
        purpose, recipient, service.settings.marking, service.signing_key
    )
    with service.scoring():
        file = services.export_case(context, case_id, export_request)
    return as_file(file.content, file.filename)


def publication_check(
    context: ServiceContext, service: Service, *, period: str, redactions: str, over_pounds: int
) -> PublicationCheck:
    """Return what a publication would have and not have; it gives no payment.

    Raises:
        NotAllowed, CardwatchError: see `services.preview_publication` and `read_redactions`.
    """
    listed = _redactions(redactions)
    with service.scoring():
        made = services.preview_publication(context, period, listed, threshold_pounds=over_pounds)
    return PublicationCheck(
        payments=len(made.rows),
        redacted=made.redacted,
        left_out=made.withheld,
        unused=list(made.unused),
    )


def publication_response(
    context: ServiceContext,
    service: Service,
    *,
    period: str,
    redactions: str,
    over_pounds: int,
    form: PublicationForm,
) -> Response:
    """Return a publication as `csv`, or answers to the usual questions as `zip`.

    Raises:
        NotAllowed, CardwatchError: see `services.publish_quarter` and `read_redactions`.
    """
    listed = _redactions(redactions)
    with service.scoring():
        if form == "zip":
            _, content = services.answer_requests(
                context, period, listed, threshold_pounds=over_pounds, key=service.signing_key
            )
            return as_file(content, answers_filename(period))
        made = services.publish_quarter(context, period, listed, threshold_pounds=over_pounds)
    return as_file(publication_csv(made), publication_filename(period))


def _redactions(text: str) -> Redactions:
    with about_field("redactions"):
        return read_redactions(text, "redactions")


def attachment_response(attachment: AttachmentContent) -> Response:
    """Return a file of a case as a download, which no browser shows in a page."""
    headers = {"Content-Disposition": content_disposition(attachment["name"])}
    headers["Content-Type"] = attachment["media_type"]
    return Response(attachment["content"], headers=headers)


def drawn(service: Service, make: Callable[[], tuple[str, Document]]) -> Response:
    """Return a document as a PDF to be kept; it is made once there is a place to draw it in.

    Args:
        service: draws one at a time.
        make: returns the name of the file and the document.
    """
    with service.scoring():
        filename, document = make()
        return as_file(pdf_of(document), filename)


def as_file(content: bytes | str, filename: str) -> Response:
    """Return a file to be kept under a name, whose ending says the form: one of `CONTENT_TYPES`."""
    form = filename.rpartition(".")[2]
    headers = {"Content-Disposition": content_disposition(filename)}
    return Response(content, media_type=CONTENT_TYPES[form], headers=headers)


def content_disposition(filename: str) -> str:
    """Return the header that names a download: in ASCII, and as RFC 5987 has it (RFC 6266)."""
    name = safe_filename(filename)
    return f"attachment; filename=\"{name}\"; filename*=UTF-8''{quote(name, safe='')}"
