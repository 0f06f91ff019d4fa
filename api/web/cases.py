"""Pages of cases of professional standards, and of finance's referrals to them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from api.deps import AppStateDep, Context, VerifiedContext
from api.downloads import attachment_response, case_pack
from api.quotas import ExportContext
from api.search_terms import read_term, with_term
from api.state import UPLOAD_BYTES
from api.web.base import (
    Files,
    FormFields,
    chips,
    field_errors,
    form_errors,
    nonempty,
    number,
    redirect,
    render,
    sent_form,
    shown_again,
    subjects_for,
)
from api.web.exports import share_page
from api.web.list_queries import as_query, list_params
from api.web.paging import numbered_page
from cardwatch import services
from cardwatch.casebook import FINANCE, PSD
from cardwatch.casebook.attachments import MAX_ATTACHMENT_BYTES, MAX_ATTACHMENTS, MEDIA_TYPES
from cardwatch.casebook.case_chronology import CHRONOLOGY_TITLES
from cardwatch.casebook.case_rows import ListedCase
from cardwatch.casebook.cases import OPEN_CASE, CaseFilter, CaseUpdate
from cardwatch.casebook.referrals import REFERRED_STATE
from cardwatch.errors import CardwatchError, NotAllowed
from cardwatch.vocabulary import CASE_OUTCOMES

router = APIRouter()
CASES_PER_PAGE = 25
CASE_FILTERS = ("state", "owner", "search")
CASE_STATE_TITLES = {"open": "Open", "closed": "Closed"}
OUTCOME_CHOICES = [{"value": name, "label": label} for name, label in CASE_OUTCOMES.items()]
NEW_CASE, DECLINE = "new", "decline"
"""Choices for an alert besides the open cases."""


def _check_role(context: Context) -> None:
    """Refuse other roles than professional standards.

    Raises:
        NotAllowed: the role is another.
    """
    if context.actor.role != PSD:
        raise NotAllowed("Your role cannot see cases.")


@router.get("/cases")
def list_cases(request: Request, context: Context, service: AppStateDep) -> Response:
    """Show the cases that fit some filters, the newest first."""
    params = nonempty(request.query_params)
    chosen = {name: value for name, value in params.items() if name in CASE_FILTERS}
    term, errors = "", form_errors(request)
    page = numbered_page(request, _address(chosen), 0, CASES_PER_PAGE)
    rows: list[ListedCase] = []
    waiting = services.list_referrals(context, waiting=True)
    try:
        term = read_term(service, context.actor, chosen.get("search", ""))
        owner = services.email_of(context) if "owner" in chosen else ""
        case_filter = CaseFilter(state=chosen.get("state", ""), owner=owner, text=term)
        count = services.count_cases(context, case_filter)
        page = numbered_page(request, _address(chosen), count, CASES_PER_PAGE)
        rows = services.list_cases(context, case_filter, offset=page.offset, limit=page.size)
    except CardwatchError as refusal:
        errors |= field_errors(refusal)
    words = {
        "owner": "My cases",
        "search": f"Search: {term}" if term else "Search",
    } | CASE_STATE_TITLES
    return render(
        request, "cases.html", errors=errors, rows=rows, chosen=chosen,
        term=sent_form(request).get("text", term),
        states=CASE_STATE_TITLES, waiting=waiting,
        chips=chips(chosen, lambda name, value: words.get(name, words.get(value, value)), _address),
        page=page,
    )  # fmt: skip


def _address(chosen: dict[str, str]) -> str:
    """Return the address of the list with some filters."""
    return f"/cases?{urlencode(chosen)}".rstrip("?")


@router.post("/cases/search")
@shown_again(list_cases)
def search_cases(
    request: Request, context: Context, service: AppStateDep, form: FormFields
) -> Response:
    """Go to the cases with some words in the reference or title; the words are sealed."""
    _check_role(context)
    filters = {name: value for name, value in form.items() if name in CASE_FILTERS}
    return redirect(_address(with_term(service, context.actor, filters, form.get("text", ""))))


@router.get("/cases/new")
def show_opening(request: Request, context: Context) -> Response:
    """Show the form that opens a case without an alert."""
    _check_role(context)
    return render(
        request, "case_new.html", assignees=services.list_assignees(context),
        own_email=services.email_of(context),
    )  # fmt: skip


@router.post("/cases/new")
@shown_again(show_opening)
def open_case(request: Request, context: Context, form: FormFields) -> Response:
    """Open a case without an alert."""
    new_case = services.NewCase(
        form.get("title", ""), form.get("reason", ""), owner=form.get("owner", "")
    )
    case = services.open_case(context, new_case)
    return redirect(f"/cases/{case['case_id']}", "case-opened")


@router.get("/cases/{case_id}")
def show_case(request: Request, context: Context, case_id: str) -> Response:
    """Show a case: alerts, people, chronology, notes, files and how it is closed."""
    case = services.get_case(context, case_id)
    alert_ids = [alert["alert_id"] for alert in case["alerts"] if not alert["is_erased"]]
    return render(
        request, "case.html", case=case, outcomes=OUTCOME_CHOICES,
        subjects=subjects_for(context, alert_ids),
        outcome_titles=CASE_OUTCOMES, kinds=CHRONOLOGY_TITLES, endings=",".join(MEDIA_TYPES),
        most_files=MAX_ATTACHMENTS, is_open=case["state"] == OPEN_CASE,
    )  # fmt: skip


def _seen(form: dict[str, str]) -> int:
    """The version of the case that a form was made for."""
    return number(form.get("seen", ""))


@router.post("/cases/{case_id}/notes")
@shown_again(show_case, {"reason": "note"})
def add_note(request: Request, context: Context, case_id: str, form: FormFields) -> Response:
    """Add a note to a case."""
    services.add_case_note(context, case_id, form.get("note", ""))
    return redirect(f"/cases/{case_id}", "note-added")


@router.post("/cases/{case_id}/attachments", max_body_size=UPLOAD_BYTES)
@shown_again(show_case, {"file": "files"})
def attach_file(request: Request, context: Context, case_id: str, files: Files) -> Response:
    """Attach a file to a case."""
    if not files:
        raise CardwatchError("Select a file", field="files")
    content = files[0].file.read(MAX_ATTACHMENT_BYTES + 1)
    services.attach_file(context, case_id, files[0].filename or "", content)
    return redirect(f"/cases/{case_id}", "file-attached")


@router.get("/attachments/{attachment_id}")
def get_attachment(context: ExportContext, attachment_id: str) -> Response:
    """Give a file of a case as a download."""
    return attachment_response(services.get_attachment(context, attachment_id))


@router.get("/attachments/{attachment_id}/removal")
def show_removal(request: Request, context: Context, attachment_id: str) -> Response:
    """Show the form that removes a file from a case."""
    attached = services.find_attachment(context, attachment_id)
    case = services.get_case(context, attached["case_id"])
    return render(request, "attachment_removal.html", attached=attached, case=case)


@router.post("/attachments/{attachment_id}/removal")
@shown_again(show_removal)
def remove_attachment(
    request: Request, context: VerifiedContext, attachment_id: str, form: FormFields
) -> Response:
    """Remove a file from a case, for a reason that is kept."""
    case = services.remove_attachment(context, attachment_id, reason=form.get("reason", ""))
    return redirect(f"/cases/{case['case_id']}", "file-removed")


@router.post("/cases/{case_id}/names")
@shown_again(show_case, {"reason": "why"})
def show_names(
    request: Request, context: VerifiedContext, case_id: str, form: FormFields
) -> Response:
    """Show by name whom the alerts of a case are about, for a reason that is kept."""
    services.reveal_case(context, case_id, reason=form.get("why", ""))
    return redirect(f"/cases/{case_id}", "names-shown")


@router.post("/cases/{case_id}/removals")
@shown_again(show_case, {"reason": "removal"})
def remove_alert(request: Request, context: Context, case_id: str, form: FormFields) -> Response:
    """Take an alert out of a case."""
    if not form.get("alert"):
        raise CardwatchError("Choose an alert", field="alert")
    services.remove_case_alert(context, case_id, form["alert"], reason=form.get("removal", ""))
    return redirect(f"/cases/{case_id}", "alert-removed")


@router.post("/cases/{case_id}/closure")
@shown_again(show_case, {"reason": "closing"})
def close_case(request: Request, context: Context, case_id: str, form: FormFields) -> Response:
    """Close a case with an outcome."""
    update = CaseUpdate(form.get("closing", ""), _seen(form), outcome=form.get("outcome", ""))
    services.close_case(context, case_id, update)
    return redirect(f"/cases/{case_id}", "case-closed")


@router.post("/cases/{case_id}/reopening")
@shown_again(show_case, {"reason": "reopening"})
def reopen_case(request: Request, context: Context, case_id: str, form: FormFields) -> Response:
    """Open a closed case again."""
    update = CaseUpdate(form.get("reopening", ""), _seen(form))
    services.reopen_case(context, case_id, update)
    return redirect(f"/cases/{case_id}", "case-reopened")


@router.get("/cases/{case_id}/change")
def show_change(request: Request, context: Context, case_id: str) -> Response:
    """Show the form that changes the title or owner of a case."""
    case = services.get_case(context, case_id)
    assignees = services.list_assignees(context)
    return render(request, "case_change.html", case=case, assignees=assignees)


@router.post("/cases/{case_id}/change")
@shown_again(show_change)
def change_case(request: Request, context: Context, case_id: str, form: FormFields) -> Response:
    """Change the title or owner of a case."""
    update = CaseUpdate(
        form.get("reason", ""), _seen(form), form.get("title", ""), form.get("owner", "")
    )
    services.change_case(context, case_id, update)
    return redirect(f"/cases/{case_id}", "case-changed")


@router.get("/cases/{case_id}/hand-over")
def show_sharing(request: Request, context: Context, case_id: str) -> Response:
    """Show the form on which a whole case is shared as a pack."""
    case = services.get_case(context, case_id)
    return share_page(
        request, back=f"/cases/{case['case_id']}", forms=(),
        what=f"{case['reference']}: {case['title']}", is_named=case["is_named"],
    )  # fmt: skip


@router.post("/cases/{case_id}/hand-over")
@shown_again(show_sharing)
def share_case(
    request: Request,
    context: ExportContext,
    service: AppStateDep,
    case_id: str,
    form: FormFields,
) -> Response:
    """Share a whole case as a pack with a signed manifest."""
    return case_pack(context, service, case_id, form.get("purpose", ""), form.get("recipient", ""))


@router.get("/referrals")
def list_referrals(request: Request, context: Context) -> Response:
    """Show finance's referrals with their answers."""
    referrals = services.list_referrals(context)
    references = {
        case["case_id"]: case["reference"] for case in services.list_cases(context, CaseFilter())
    }
    heads = services.alert_titles(context, {row["alert_id"] for row in referrals})
    return render(
        request, "referrals.html", referrals=referrals, heads=heads, references=references
    )


@router.get("/alerts/{alert_id}/case")
def show_choice(request: Request, context: Context, alert_id: str) -> Response:
    """Show the form that puts an alert into a case, or declines its referral."""
    _check_role(context)
    alert = services.get_alert(context, alert_id)
    present = {case["case_id"] for case in services.cases_with_alert(context, alert["alert_id"])}
    open_cases = services.list_cases(context, CaseFilter(state=OPEN_CASE))
    return render(
        request, "case_choice.html", alert=alert,
        cases=[case for case in open_cases if case["case_id"] not in present],
        waiting=_waiting(context, alert["alert_id"]),
    )  # fmt: skip


def _waiting(context: Context, alert_id: str) -> list[dict[str, Any]]:
    """The referrals of an alert that wait for an answer."""
    rows = services.list_referrals(context, waiting=True)
    return [{**row} for row in rows if row["alert_id"] == alert_id]


@router.post("/alerts/{alert_id}/case")
@shown_again(show_choice)
def choose_case(request: Request, context: Context, alert_id: str, form: FormFields) -> Response:
    """Put an alert into a new case or an open one, or decline its referral."""
    _check_role(context)
    choice, reason = form.get("choice", ""), form.get("reason", "")
    if not choice:
        raise CardwatchError("Choose a case", field="choice")
    alert_id = services.get_alert(context, alert_id)["alert_id"]
    if choice == NEW_CASE:
        new_case = services.NewCase(form.get("title", ""), reason, (alert_id,))
        choice = services.open_case(context, new_case)["case_id"]
    elif choice == DECLINE:
        for row in _waiting(context, alert_id):
            services.decline_referral(context, row["referral_id"], reason=reason)
        return redirect("/referrals", "referral-declined")
    else:
        services.add_case_alert(context, choice, alert_id, reason=reason)
    return redirect(f"/cases/{choice}", "alert-added")


@router.get("/alerts/{alert_id}/referral")
def show_referral(request: Request, context: Context, alert_id: str) -> Response:
    """Show the form that refers an alert to professional standards."""
    alert = services.get_alert(context, alert_id)
    if not context.actor.role == alert["lane"] == FINANCE:
        raise NotAllowed("Your role cannot refer this alert.")
    is_confirmed = alert["state"] == REFERRED_STATE
    heads = services.alert_titles(context, [alert["alert_id"]])
    return render(
        request, "referral.html", alert=alert,
        is_confirmed=is_confirmed, head=heads[alert["alert_id"]],
    )  # fmt: skip


@router.post("/alerts/{alert_id}/referral")
@shown_again(show_referral)
def refer_alert(request: Request, context: Context, alert_id: str, form: FormFields) -> Response:
    """Refer an alert to professional standards."""
    services.refer_alert(context, alert_id, reason=form.get("reason", ""))
    return redirect(f"/alerts/{alert_id}{as_query(list_params(request))}", "referred")
