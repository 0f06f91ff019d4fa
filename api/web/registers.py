"""Pages of registers: upload, versions, quality, and the review of names."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response

from api.deps import AppStateDep, Context
from api.downloads import as_file
from api.state import UPLOAD_BYTES
from api.uploads import read_register_file
from api.web.base import AllFields, Files, FormFields, field_errors, nonempty, redirect, render
from api.web.paging import numbered_page
from cardwatch import services
from cardwatch.casebook import PSD
from cardwatch.casebook.unit_of_work import short_id
from cardwatch.errors import CardwatchError
from cardwatch.registers import register_kind, template_text
from cardwatch.vocabulary import SECOND_PERSON

router = APIRouter()
MOST_MATCHES = 100
"""The most names that the page of reviews lists."""
DECISION_LABELS = {
    "same": "The same organisation",
    "not-the-same": "Not the same",
    "cannot-tell": "Cannot tell",
    "undecided": "Take the decision back",
}


@router.get("/registers")
def list_registers(request: Request, context: Context) -> Response:
    """Show the registers that somebody may see."""
    summaries = services.list_registers(context)
    return render(request, "registers.html", summaries=summaries)


@router.get("/registers/new")
def show_register_upload(request: Request, context: Context) -> Response:
    """Show the form for a register."""
    return _upload_page(request, context, {}, {})


def _upload_page(
    request: Request,
    context: Context,
    form: Mapping[str, str],
    errors: dict[str, str],
    effects: tuple[str, ...] = (),
) -> Response:
    """Show the form for a register; beside an error what the file does with entries in use."""
    kinds = services.uploadable_kinds(context)
    return render(
        request, "registers_new.html", kinds=kinds, form=form, errors=errors, effects=effects
    )


@router.post("/registers/new", max_body_size=UPLOAD_BYTES)
def upload(
    request: Request, context: Context, service: AppStateDep, files: Files, form: FormFields
) -> Response:
    """Keep a register as its newest version, and say what happened to every row."""
    services.uploadable_kinds(context)
    if not files:
        return _upload_page(request, context, form, {"files": "Select a register"})
    try:
        order = form.get("date_order", "decide")
        register = read_register_file(service, files[0], form.get("kind", ""), order)
        receipt = services.import_register(
            context,
            register,
            known_from=form.get("known_from", ""),
            replaces="replaces" in form,
        )
    except CardwatchError as refusal:
        return _upload_page(request, context, form, field_errors(refusal, {"file": "files"}))
    if receipt.outcome == SECOND_PERSON:
        why, *effects = receipt.notes
        return _upload_page(request, context, form, {"files": why}, tuple(effects))
    if not receipt.version_id:
        return redirect("/registers/matches")
    return redirect(f"/registers/versions/{receipt.version_id}?outcome={receipt.outcome}")


@router.get("/registers/versions/{version_id}")
def show_version(
    request: Request, context: Context, service: AppStateDep, version_id: str
) -> Response:
    """Show one version with every row that could not be read."""
    version, report = services.get_version(context, version_id)
    kind = register_kind(version.kind)
    with service.scoring():
        shown = services.version_changes(context, version_id)
    return render(
        request, "register_version.html", version=version, report=report,
        title=kind.title, shown=shown,
        outcome=request.query_params.get("outcome", ""),
        may_review=kind.lane == PSD and "organisation" in kind.expects,
    )  # fmt: skip


@router.get("/registers/matches")
def list_matches(request: Request, context: Context, service: AppStateDep) -> Response:
    """Show names in registers beside merchants, one of them to be decided."""
    return _matches_page(request, context, service, {}, {})


@router.post("/registers/matches")
def decide_match(
    request: Request, context: Context, service: AppStateDep, form: AllFields
) -> Response:
    """Record whether a name in a register and a merchant are one."""
    try:
        services.decide_match(
            context,
            organisation=form.get("organisation", ""),
            merchant=form.get("merchant", ""),
            decision=form.get("decision", ""),
            reason=form.get("reason", ""),
        )
    except CardwatchError as refusal:
        errors = field_errors(refusal)
        if "decision" in errors:
            errors["decision"] = "Select what you decide"
        return _matches_page(request, context, service, nonempty(form), errors)
    return redirect("/registers/matches", "match-decided")


def _matches_page(
    request: Request,
    context: Context,
    service: AppStateDep,
    form: Mapping[str, str],
    errors: dict[str, str],
) -> Response:
    """Show the names to review; the one chosen, or the first undecided, with a form."""
    with service.scoring():
        matches = services.list_matches(context)
    by_id = {short_id(match.organisation, match.merchant): match for match in matches}
    undecided = [name for name, match in by_id.items() if not match.decision]
    pair = request.query_params.get("pair", "")
    if errors:
        pair = short_id(form.get("organisation", ""), form.get("merchant", ""))
    elif pair not in by_id:
        pair = undecided[0] if undecided else ""
    show = "decided" if request.query_params.get("show") == "decided" else "undecided"
    listed = {n: m for n, m in by_id.items() if bool(m.decision) == (show == "decided")}
    page = numbered_page(request, f"/registers/matches?show={show}", len(listed), MOST_MATCHES)
    return render(
        request, "matches.html", page=page,
        listed=dict(list(listed.items())[page.offset : page.offset + page.size]),
        counts={"undecided": len(undecided), "decided": len(by_id) - len(undecided)}, show=show,
        chosen=by_id.get(pair), pair=pair, labels=DECISION_LABELS, form=form, errors=errors,
        supplier_ids=services.supplier_ids(context, {m.merchant for m in matches}),
    )  # fmt: skip


@router.get("/registers/{kind}")
def show_register(request: Request, context: Context, service: AppStateDep, kind: str) -> Response:
    """Show one register: its versions, its quality, and names that match no merchant."""
    with service.scoring():
        detail = services.get_register(context, kind)
        newest = detail.versions[0].version_id if detail.versions else ""
        lost = services.version_changes(context, newest).counts if newest else {}
    fields = {field.name: field.headings[0] for field in register_kind(kind).fields}
    return render(
        request, "register.html", detail=detail, summary=detail.summary, fields=fields,
        is_theirs=detail.summary.lane == PSD, lost=lost,
    )  # fmt: skip


@router.get("/registers/{kind}/template.csv")
def get_template(context: Context, kind: str) -> Response:
    """Download an empty register: a row of headings."""
    services.uploadable_kinds(context)
    return as_file(template_text(register_kind(kind)).encode(), f"{kind}.csv")
