"""Routes of cases of professional standards, and of finance's referrals to them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, File, Header, Query, Response, UploadFile

from api.deps import AppStateDep, Context, VerifiedContext, version_of
from api.downloads import attachment_response, case_pack
from api.pagination import one_page
from api.quotas import ExportContext
from api.schemas.base import Id
from api.schemas.cases import (
    CaseAlertChange,
    CaseClose,
    CaseCreate,
    CaseExport,
    CasePage,
    CaseReason,
    CaseSearch,
    CaseUpdate,
    NoteCreate,
    ReferralCreated,
)
from api.state import UPLOAD_BYTES
from cardwatch import services
from cardwatch.casebook import case_rows, cases
from cardwatch.casebook.attachments import MAX_ATTACHMENT_BYTES, MEDIA_TYPES
from cardwatch.services.answers import CaseDetail

router = APIRouter(tags=["cases"])
READ: dict[str, Any] = {
    "headers": {"ETag": {"schema": {"type": "string"}, "description": "Its version, `If-Match`."}},
    "links": {"attachment": {"operationId": "get_attachment", "parameters": {
        "attachment_id": "$response.body#/attachments/0/attachment_id"}}},
}  # fmt: skip
MADE: dict[str, Any] = READ | {
    "links": {
        name: {"operationId": name, "parameters": {"case_id": "$response.body#/case_id"}}
        for name in ("get_case", "add_note", "attach_file")
    }
}
IfMatch = Annotated[str | None, Header(max_length=50, description="The case's ETag.")]
BINARY = {"schema": {"type": "string", "format": "binary"}}


@router.post("/cases/search", response_model=CasePage)
def list_cases(body: CaseSearch, context: Context) -> dict[str, object]:
    """List the cases that fit, the newest first, a page at a time."""
    owner = services.email_of(context) if body.owner else ""
    case_filter = cases.CaseFilter(state=body.state or "", owner=owner, text=body.text)
    rows, after = one_page(
        lambda place, most: services.list_cases(context, case_filter, after=place, limit=most),
        cursor=body.cursor,
        limit=body.limit,
    )
    return {"cases": rows, "next": after or None}


@router.post("/cases", status_code=201, responses={201: MADE})
def open_case(body: CaseCreate, context: Context, response: Response) -> CaseDetail:
    """Open a case, with alerts of either lane or without."""
    new_case = services.NewCase(body.title, body.reason, tuple(body.alert_ids), body.owner)
    return _answer(response, services.open_case(context, new_case))


@router.get("/cases/{case_id}", responses={200: READ})
def get_case(case_id: Id, context: Context, response: Response) -> CaseDetail:
    """Show a case whole, by its id or reference."""
    return _answer(response, services.get_case(context, case_id))


@router.put("/cases/{case_id}", responses={200: READ})
def change_case(
    case_id: Id, body: CaseUpdate, context: Context, response: Response, if_match: IfMatch = None
) -> CaseDetail:
    """Change the title or owner of a case."""
    seen = version_of(if_match)
    update = cases.CaseUpdate(body.reason, seen, title=body.title, owner=body.owner)
    return _answer(response, services.change_case(context, case_id, update))


@router.post("/cases/{case_id}/alerts")
def add_case_alert(
    case_id: Id, body: CaseAlertChange, context: Context, response: Response
) -> CaseDetail:
    """Put an alert into a case; a waiting referral of the alert is answered by it."""
    return _answer(
        response, services.add_case_alert(context, case_id, body.alert_id, reason=body.reason)
    )


@router.post("/cases/{case_id}/removals")
def remove_case_alert(
    case_id: Id, body: CaseAlertChange, context: Context, response: Response
) -> CaseDetail:
    """Take an alert out of a case; that it was there is kept."""
    return _answer(
        response, services.remove_case_alert(context, case_id, body.alert_id, reason=body.reason)
    )


@router.post("/cases/{case_id}/notes")
def add_note(case_id: Id, body: NoteCreate, context: Context, response: Response) -> CaseDetail:
    """Add a note to a case."""
    return _answer(response, services.add_case_note(context, case_id, body.text))


@router.post("/cases/{case_id}/attachments", status_code=201, max_body_size=UPLOAD_BYTES)
def attach_file(
    case_id: Id,
    context: Context,
    file: Annotated[UploadFile, File(description="PDF, PNG, JPEG, DOCX, XLSX, TXT, CSV or EML.")],
) -> case_rows.Attachment:
    """Attach a file of at most 10 MB to a case; it is kept as it is and never opened."""
    content = file.file.read(MAX_ATTACHMENT_BYTES + 1)
    return services.attach_file(context, case_id, file.filename or "", content)


@router.get(
    "/attachments/{attachment_id}", response_class=Response,
    responses={200: {"content": dict.fromkeys(sorted(set(MEDIA_TYPES.values())), BINARY)}},
)  # fmt: skip
def get_attachment(attachment_id: Id, context: ExportContext) -> Response:
    """Download a file of a case."""
    return attachment_response(services.get_attachment(context, attachment_id))


@router.post("/attachments/{attachment_id}/removal", responses={200: READ})
def remove_attachment(
    attachment_id: Id, body: CaseReason, context: VerifiedContext, response: Response
) -> CaseDetail:
    """Erase a file that was attached to a case by mistake; the chronology keeps its name and hash.

    A case with an alert on legal hold keeps its files.
    """
    return _answer(response, services.remove_attachment(context, attachment_id, reason=body.reason))


@router.post("/cases/{case_id}/closure", responses={200: READ})
def close_case(
    case_id: Id, body: CaseClose, context: Context, response: Response, if_match: IfMatch = None
) -> CaseDetail:
    """Close a case with an outcome."""
    update = cases.CaseUpdate(body.reason, version_of(if_match), outcome=body.outcome)
    return _answer(response, services.close_case(context, case_id, update))


@router.post("/cases/{case_id}/reopening", responses={200: READ})
def reopen_case(
    case_id: Id, body: CaseReason, context: Context, response: Response, if_match: IfMatch = None
) -> CaseDetail:
    """Open a closed case again."""
    update = cases.CaseUpdate(body.reason, version_of(if_match))
    return _answer(response, services.reopen_case(context, case_id, update))


@router.post("/cases/{case_id}/names", status_code=204)
def show_case_names(case_id: Id, body: CaseReason, context: VerifiedContext) -> None:
    """Show the caller the names of the people in a case; their reason is recorded."""
    services.reveal_case(context, case_id, reason=body.reason)


@router.post(
    "/cases/{case_id}/exports", response_class=Response,
    responses={200: {"content": {"application/zip": BINARY}}},
)  # fmt: skip
def export_case(
    case_id: Id, body: CaseExport, context: ExportContext, service: AppStateDep
) -> Response:
    """Export a whole case as a pack with a signed manifest."""
    return case_pack(context, service, case_id, body.purpose, body.recipient)


@router.post("/alerts/{alert_id}/referrals", response_model=ReferralCreated, status_code=201)
def refer_alert(alert_id: Id, body: CaseReason, context: Context) -> dict[str, str]:
    """Refer one of finance's confirmed alerts to professional standards."""
    return {"referral_id": services.refer_alert(context, alert_id, reason=body.reason)}


@router.get("/referrals")
def list_referrals(
    context: Context,
    *,
    waiting: Annotated[
        bool, Query(description="Only those without an answer.", examples=[True])
    ] = False,
) -> list[case_rows.ListedReferral]:
    """List finance's referrals with their answers, the newest first."""
    return services.list_referrals(context, waiting=waiting)


@router.post("/referrals/{referral_id}/refusal", status_code=204)
def decline_referral(referral_id: Id, body: CaseReason, context: Context) -> None:
    """Decline a referral, as no case comes of it; the person who referred it is not told."""
    services.decline_referral(context, referral_id, reason=body.reason)


def _answer(response: Response, case: CaseDetail) -> CaseDetail:
    """Return a case with its ETag."""
    response.headers["ETag"] = f'"{case["version"]}"'
    return case
