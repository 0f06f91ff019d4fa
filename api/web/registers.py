"""Pages of registers: upload, versions, quality, and the review of names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response

from api.deps import AppStateDep, Context
from api.downloads import as_file
from api.state import UPLOAD_BYTES, Service
from api.uploads import keep_upload, read_kept_register, read_register_file
from api.web.base import AllFields, Files, FormFields, field_errors, nonempty, redirect, render
from api.web.paging import numbered_page
from cardwatch import services
from cardwatch.casebook import PSD
from cardwatch.casebook.unit_of_work import short_id
from cardwatch.errors import CardwatchError, NotAllowed, RegisterUnknown
from cardwatch.registers import (
    chosen_profile,
    guessed_columns,
    register_kind,
    register_kinds,
    template_text,
)
from cardwatch.vocabulary import SECOND_PERSON

if TYPE_CHECKING:
    from starlette.datastructures import UploadFile

    from cardwatch.records import Register

router = APIRouter()
MATCHES_PER_PAGE = 100
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
        request, "registers_new.html", kinds=kinds, form=form, errors=errors, effects=effects,
        waiting=services.list_uploads(context, of_register=True),
    )  # fmt: skip


@router.post("/registers/new", max_body_size=UPLOAD_BYTES)
def upload(
    request: Request, context: Context, service: AppStateDep, files: Files, form: FormFields
) -> Response:
    """Keep a register as its newest version, and say what happened to every row."""
    kinds = {kind.kind for kind in services.uploadable_kinds(context)}
    if not files:
        return _upload_page(request, context, form, {"files": "Select a register"})
    options = {name: form.get(name, "") for name in ("kind", "known_from")}
    options |= {
        "date_order": form.get("date_order", "decide"),
        "replaces": form.get("replaces", ""),
    }
    try:
        register = read_register_file(
            service, context, files[0], options["kind"], options["date_order"]
        )
    except RegisterUnknown as refusal:
        if not refusal.kind:
            errors = {"files": str(refusal), "kind": "Choose which register it is"}
            return _upload_page(request, context, form, errors)
        if refusal.kind not in kinds:
            raise NotAllowed("Your role cannot upload this register.") from refusal
        options["kind"] = refusal.kind
        return _kept_for_columns(request, context, service, files[0], options)
    except CardwatchError as refusal:
        return _upload_page(request, context, form, field_errors(refusal, {"file": "files"}))
    return _imported(request, context, register, options)


def _kept_for_columns(
    request: Request,
    context: Context,
    service: Service,
    file: UploadFile,
    options: Mapping[str, str],
) -> Response:
    """Keep a register until its columns are stated, and go on to where that is done."""
    try:
        upload_id = keep_upload(service, context, file, options)
    except CardwatchError as refusal:
        return _upload_page(request, context, options, field_errors(refusal, {"file": "files"}))
    return redirect(f"/registers/columns?upload={upload_id}")


def _imported(
    request: Request, context: Context, register: Register, form: Mapping[str, str]
) -> Response:
    """Import a register with the choices of its form, and say what became of it."""
    try:
        receipt = services.import_register(
            context,
            register,
            known_from=form.get("known_from", ""),
            replaces=bool(form.get("replaces")),
        )
    except CardwatchError as refusal:
        return _upload_page(request, context, form, field_errors(refusal, {"file": "files"}))
    if receipt.outcome == SECOND_PERSON:
        why, *effects = receipt.notes
        return _upload_page(request, context, form, {"files": why}, tuple(effects))
    if not receipt.version_id:
        return redirect("/registers/matches")
    return redirect(f"/registers/versions/{receipt.version_id}?outcome={receipt.outcome}")


@router.get("/registers/columns")
def show_register_columns(request: Request, context: Context, service: AppStateDep) -> Response:
    """Ask for the columns of a register whose headings are not known, with guesses filled in."""
    upload_id = request.query_params.get("upload", "")
    waiting_file, refusal = _waiting(service, context, upload_id)
    headings = refusal.headings if refusal else ()  # none where they were stated meanwhile
    form = guessed_columns(register_kind(waiting_file.options["kind"]), headings)
    return _columns_page(request, (upload_id, waiting_file), headings, form, {})


def _waiting(
    service: Service, context: Context, upload_id: str
) -> tuple[services.Upload, RegisterUnknown | None]:
    """Return a register that waits, and why it cannot be read yet.

    Raises:
        NotFound: no register of that id waits for the caller.
        CardwatchError: it cannot be read for another reason.
    """
    upload = services.open_upload(context, upload_id, service.seal, of_register=True)
    try:
        read_kept_register(service, context, upload, ())
    except RegisterUnknown as refusal:
        return upload, refusal
    return upload, None


def _columns_page(
    request: Request,
    upload: tuple[str, services.Upload],
    headings: Sequence[str],
    form: Mapping[str, str],
    errors: dict[str, str],
) -> Response:
    """Show the form for the columns of a register, if its headings are not known."""
    upload_id, waiting_file = upload
    kind = register_kind(waiting_file.options["kind"])
    offered = [h for h in headings if h and not kind.dropped_because(h)]
    dropped = {h: why for h in headings if h and (why := kind.dropped_because(h))}
    return render(
        request, "registers_columns.html", kind=kind, file=waiting_file.file, upload_id=upload_id,
        headings=list(dict.fromkeys(offered)), dropped=dropped, form=form, errors=errors,
        needed={name for group in kind.needs for name in group},
    )  # fmt: skip


@router.post("/registers/columns")
def state_register_columns(
    request: Request, context: Context, service: AppStateDep, form: AllFields
) -> Response:
    """Read a register with the columns that somebody has stated, and remember them; or discard."""
    upload_id = form.get("upload", "")
    if form.get("action") == "discard":
        services.open_upload(context, upload_id, service.seal, of_register=True)  # nobody else's
        services.discard_upload(context, upload_id)
        return redirect("/registers/new", "file-discarded")
    waiting_file, refusal = _waiting(service, context, upload_id)
    profiles = []
    if refusal is not None:
        fields = {field.name for field in register_kind(refusal.kind).fields}
        chosen = {name: heading for name, heading in form.items() if name in fields}
        try:
            profiles = [chosen_profile(refusal.kind, refusal.headings, chosen)]
            register = read_kept_register(service, context, waiting_file, profiles)
        except CardwatchError as fault:
            errors = field_errors(fault, {"file": ""})
            return _columns_page(
                request, (upload_id, waiting_file), refusal.headings, chosen, errors
            )
    else:
        register = read_kept_register(service, context, waiting_file, ())
    for profile in profiles:
        services.save_register_profile(context, profile)
    services.discard_upload(context, upload_id)
    return _imported(request, context, register, waiting_file.options)


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
        names = services.names_to_review(context)
    matches = names.matches
    by_id = {short_id(match.organisation, match.merchant): match for match in matches}
    undecided = [name for name, match in by_id.items() if not match.decision]
    pair = request.query_params.get("pair", "")
    if errors:
        pair = short_id(form.get("organisation", ""), form.get("merchant", ""))
    elif pair not in by_id:
        pair = undecided[0] if undecided else ""
    show = "decided" if request.query_params.get("show") == "decided" else "undecided"
    listed = {n: m for n, m in by_id.items() if bool(m.decision) == (show == "decided")}
    page = numbered_page(request, f"/registers/matches?show={show}", len(listed), MATCHES_PER_PAGE)
    return render(
        request, "matches.html", page=page,
        listed=dict(list(listed.items())[page.offset : page.last]),
        counts={"undecided": len(undecided), "decided": len(by_id) - len(undecided)}, show=show,
        chances=names.chances, titles={kind: k.title for kind, k in register_kinds().items()},
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
