"""Pages of requests that need two people, and the way from an act that does to its request."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.deps import AppStateDep, Context, VerifiedContext, comparing
from api.errors import is_page, refusal_response
from api.web.base import redirect, render
from api.web.exports import FORMAT_CHOICES
from cardwatch import services
from cardwatch.casebook.rows import Approval, ApprovalScope
from cardwatch.casebook.unit_of_work import as_text
from cardwatch.errors import NotFound, SecondPersonNeeded
from cardwatch.registers import register_kind
from cardwatch.vocabulary import ApprovalKind, ApprovalState

router = APIRouter()
APPROVAL_TITLES: dict[str, str] = {
    ApprovalKind.MEMBERSHIP: "Membership of professional standards",
    ApprovalKind.CARDHOLDER: "Who somebody of professional standards is in statements",
    ApprovalKind.NAMES: "Names in a case",
    ApprovalKind.EXPORT: "Export",
    ApprovalKind.RETENTION: "Shorter retention period",
    ApprovalKind.ERASURE: "Deletion of expired data",
    ApprovalKind.REGISTER: "Version of a register",
}


def show_request(request: Request, refusal: Exception) -> Response:
    """Answer an act that needs another person: the page of its request, or a problem."""
    assert isinstance(refusal, SecondPersonNeeded)
    if is_page(request):
        return redirect(f"/approvals/{refusal.approval_id}")
    return refusal_response(refusal)


@router.get("/approvals")
def list_approvals(request: Request, context: Context) -> Response:
    """Show the requests that the reader may know of."""
    return render(
        request, "approvals.html", rows=services.list_approvals(context), titles=APPROVAL_TITLES,
        now=as_text(context.now),
    )  # fmt: skip


@router.get("/approvals/{approval_id}")
def show_approval(
    request: Request, context: Context, service: AppStateDep, approval_id: str
) -> Response:
    """Show a request, with what its reader can do about it."""
    with comparing(service, context, approval_id):
        approval = services.get_approval(context, approval_id)
    is_own = approval["made_by"] == context.actor.actor_id
    is_current = approval["expires_at"] > as_text(context.now)
    may_repeat = is_own and is_current and approval["state"] == ApprovalState.AGREED
    action, fields = _act(context, approval) if may_repeat else ("", [])
    scope = approval["scope"]
    needs_form = approval["scope"].get("export_of") in {"list", "alerts"}
    return render(
        request, "approval.html", found=approval, scope=scope, titles=APPROVAL_TITLES,
        is_own=is_own, is_current=is_current, action=action, fields=fields, may_repeat=may_repeat,
        case_name=_case_name(context, scope.get("case_id", "")),
        statement_label=_statement_label(context, scope),
        heads=services.alert_titles(context, scope.get("alert_ids", [])),
        forms=FORMAT_CHOICES if needs_form else (), purposes=services.PURPOSES,
        is_open=is_current and approval["state"] == ApprovalState.OPEN,
        register_title=register_kind(scope["register"]).title if "register" in scope else "",
        has_approver=services.has_approver(context),
    )  # fmt: skip


def _case_name(context: Context, case_id: str) -> str:
    """Return a case's name; its id once it is gone, or is not for the reader to see."""
    try:
        return services.case_name(context, case_id) if case_id else ""
    except NotFound:
        return case_id


def _statement_label(context: Context, scope: ApprovalScope) -> str:
    """Return the label of the statement whose list is exported; nothing of any other request."""
    if scope.get("export_of") != "list":
        return ""
    return str(services.get_statement(context, scope["statement_ids"][0])["label"])


def _act(context: Context, approval: Approval) -> tuple[str, list[tuple[str, str]]]:
    """Return where the form that does the approved act goes, and its fields; nowhere for some."""
    scope, kind = approval["scope"], approval["kind"]
    if kind == ApprovalKind.EXPORT:
        return _export(scope)
    if kind == ApprovalKind.MEMBERSHIP:
        return _membership(scope)
    if kind == ApprovalKind.CARDHOLDER:
        return f"/people/{scope['person_id']}/cardholder", _link(scope)
    if kind == ApprovalKind.NAMES:
        return f"/cases/{scope['case_id']}/names", [("why", scope["reason"])]
    if kind == ApprovalKind.RETENTION:
        keeps = services.retention_periods(context) | {scope["retention"]: scope["days"]}
        return "/retention", [(name, str(days)) for name, days in keeps.items()]
    return "/retention/erasure" if kind == ApprovalKind.ERASURE else "", []


def _export(scope: ApprovalScope) -> tuple[str, list[tuple[str, str]]]:
    """Return where the form that exports goes, and its fields.

    A selection of alerts is chosen again by its filters, which are no part of the request.
    """
    fields = [("purpose", scope["purpose"]), ("recipient", scope["recipient"])]
    if scope["export_of"] == "case":
        return f"/cases/{scope['case_id']}/hand-over", fields
    if scope["export_of"] == "list":
        lane = [("lane", scope["lanes"][0])]
        return f"/statements/{scope['statement_ids'][0]}/hand-over", fields + lane
    if "alert_id" not in scope:
        return "", []
    also = [("also", name) for name in scope["alert_ids"] if name != scope["alert_id"]]
    return f"/alerts/{scope['alert_id']}/hand-over", fields + also


def _membership(scope: ApprovalScope) -> tuple[str, list[tuple[str, str]]]:
    """Return where the form that adds a person, or ends their access, goes, and its fields."""
    if scope["ends"]:
        return f"/people/{scope['person_id']}/end", []
    fields = [("name", scope["name"]), ("email", scope["email"]), ("role", scope["role"])]
    return "/people", fields + _link(scope)


def _link(scope: ApprovalScope) -> list[tuple[str, str]]:
    """Return the fields of a form that say who somebody is in statements."""
    no_card = [("holds_no_card", "true")] if scope["holds_no_card"] else []
    return [("holder_id", scope["holder_id"]), *no_card]


@router.post("/approvals/{approval_id}/agreement")
def approve_request(context: VerifiedContext, service: AppStateDep, approval_id: str) -> Response:
    """Approve another person's request, who may then do it once."""
    with comparing(service, context, approval_id):
        services.decide_approval(context, approval_id, agrees=True)
    return redirect(f"/approvals/{approval_id}", "request-approved")


@router.post("/approvals/{approval_id}/refusal")
def reject_request(context: Context, approval_id: str) -> Response:
    """Reject a request, or withdraw one's own."""
    services.decide_approval(context, approval_id, agrees=False)
    return redirect("/approvals", "request-rejected")
