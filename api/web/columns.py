"""Pages of columns: check those of a file that waits, and keep the column profiles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from api.deps import AppStateDep, Context
from api.templating import field_title
from api.uploads import choices_of, open_kept
from api.web.base import MOST_FILES, AllFields, confirm, field_errors, redirect, render
from cardwatch import services
from cardwatch.errors import CardwatchError, FileRefused, NotFound
from cardwatch.registers import register_kind
from cardwatch.services import Upload
from cardwatch.statements import CHOICES, FIELDS, plain_headings, preview_table, profile_toml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from api.state import Service
    from cardwatch.services import RememberedProfile, ServiceContext
    from cardwatch.statements import Profile, StatementPreview
    from cardwatch.tabular import Table

router = APIRouter()
REQUIRED_FIELDS = (
    "date",
    "merchant",
    "amount",
    "employee_id",
    "cardholder",
    "card_number",
    "holder_id",
)
"""Fields that nearly every file has, asked for first."""
CHOICE_LABELS = {
    "date_order": ("Order of the dates", {
        "decide": "Detect from the file",
        "day-first": "Day first: 31/10/2026",
        "month-first": "Month first: 10/31/2026",
    }),
    "positive": ("What an amount without a minus sign is", {
        "decide": "Detect from the file",
        "charge": "A charge",
        "refund": "A refund or credit",
    }),
    "decimal": ("Sign between pounds and pence", {
        "decide": "Detect from the file",
        "point": "A point: 1,234.50",
        "comma": "A comma: 1.234,50",
    }),
    "holders": ("Cardholders", {
        "named": "The file names them",
        "none": "The file names nobody: payments are grouped by department",
    }),
    "day_numbers": ("Numbers in place of dates", {
        "decide": "Detect from the file",
        "1900": "Counted from 1900, as most spreadsheets do",
        "1904": "Counted from 1904, as Excel for Mac once did",
    }),
}  # fmt: skip
"""Label of each choice of a profile, and of its values."""


@dataclass(frozen=True)
class _Step:
    """A file whose columns are checked, and what came with it.

    Attributes:
        uploads: ids of the files that wait, this one first.
        jobs: ids of the jobs of files that were taken already.
    """

    uploads: list[str]
    jobs: list[str]
    upload: Upload
    table: Table


def columns_address(uploads: Sequence[str], jobs: Sequence[str]) -> str:
    """Return the address of the page that asks for the columns of files that wait."""
    return "/statements/columns?" + urlencode({"upload": uploads, "job": jobs}, doseq=True)


def jobs_address(jobs: Sequence[str]) -> str:
    """Return the address of the page that says what became of files."""
    return "/statements/jobs?" + urlencode({"job": jobs}, doseq=True)


@router.get("/statements/columns")
def show_columns(request: Request, context: Context, service: AppStateDep) -> Response:
    """Show how the first file that waits would be read, with its columns guessed."""
    names = request.query_params.getlist("upload")[:MOST_FILES]
    jobs = request.query_params.getlist("job")[:MOST_FILES]
    step = _open_step(service, context, names, jobs)
    if isinstance(step, str):
        return redirect(step)
    order = step.upload.options.get("date_order", "decide")
    preview = preview_table(step.table, choices_of(service, context, [], order))
    columns = preview.guesses if preview.read is None else preview.columns
    form = {field: guess.heading for field, guess in columns.items()}
    return _page(request, context, step, preview, form | {"date_order": order})


@router.post("/statements/columns")
def check_columns(
    request: Request, context: Context, service: AppStateDep, form: AllFields
) -> Response:
    """Preview a file again with other columns, read it with them, or discard it."""
    uploads = form.get("uploads", "").split()[:MOST_FILES]
    jobs = form.get("jobs", "").split()[:MOST_FILES]
    step = _open_step(service, context, uploads, jobs)
    if isinstance(step, str):
        return redirect(step)
    if form.get("action") == "discard":
        services.discard_upload(context, step.uploads[0])
        return redirect(_next_address(step.uploads[1:], step.jobs), "file-discarded")
    try:
        profile = _profile_of(service, step, form)
    except CardwatchError as refusal:
        preview = replace(preview_table(step.table, choices_of(service, context, [], "decide")),
                          read=None)  # fmt: skip
        return _page(request, context, step, preview, form, field_errors(refusal))
    preview = preview_table(step.table, choices_of(service, context, [profile], "decide"))
    if form.get("action") != "read" or preview.read is None:
        return _page(request, context, step, preview, form, _preview_errors(preview))
    try:
        _import(service, context, step, preview, profile)
    except CardwatchError as refusal:
        errors = field_errors(refusal, dict.fromkeys((refusal.field,), "") if refusal.field else {})
        return _page(request, context, step, preview, form, errors)
    return redirect(_next_address(step.uploads[1:], step.jobs))


def _profile_of(service: Service, step: _Step, form: Mapping[str, str]) -> Profile:
    """Return the profile that a form describes.

    Raises:
        CardwatchError: a field that is needed is missing, or a choice is none.
    """
    chosen, settings = _of_form(form)
    name = f"columns of {step.upload.file}"[-services.NAME_CHARACTERS :]
    headings = plain_headings(step.table, service.card_key)
    return services.profile_of_form(headings, chosen, {"name": name} | settings)


def _of_form(form: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the headings and the choices of a form."""
    chosen = {field: heading for field, heading in form.items() if field in FIELDS}
    return chosen, {name: form[name] for name in CHOICES if form.get(name)}


def _preview_errors(preview: StatementPreview) -> dict[str, str]:
    """Return why a file cannot be read with the columns that were chosen, by field."""
    if preview.refusal is None:
        return {}
    return {services.FIELD_OF_REFUSAL.get(preview.refusal.code, ""): str(preview.refusal)}


def _open_step(
    service: Service, context: ServiceContext, uploads: Sequence[str], jobs: Sequence[str]
) -> _Step | str:
    """Return the first of some files that still waits; else where to go on.

    A file that cannot be opened any more is put beside what became of the others.

    Raises:
        NotFound: none of them waits for the caller, and no other file was taken.
    """
    names, seen_jobs = list(uploads), list(jobs)
    while names:
        try:
            upload = services.open_upload(context, names[0], service.seal)
            return _Step(names, seen_jobs, upload, open_kept(service, context, upload))
        except NotFound:
            if len(names) == 1 and not seen_jobs:
                raise
        except FileRefused as refusal:
            services.discard_upload(context, names[0])
            seen_jobs.append(services.note_refusal(context, refusal, service.seal)["job_id"])
        names = names[1:]
    return _next_address(names, seen_jobs)


def _next_address(uploads: Sequence[str], jobs: Sequence[str]) -> str:
    """Return where somebody goes on: the next file, what became of files, or a new upload."""
    if uploads:
        return columns_address(uploads, jobs)
    return jobs_address(jobs) if jobs else "/statements/new"


def _import(
    service: Service,
    context: ServiceContext,
    step: _Step,
    preview: StatementPreview,
    profile: Profile,
) -> None:
    """Import a file with its columns, remember these, and import the others that have the same."""
    assert preview.read is not None
    _queue(service, context, step, (step.uploads[0], step.upload), preview)
    services.save_profile(context, profile_toml(profile))
    choices = choices_of(service, context, [], "decide")
    for name in step.uploads[1:]:
        try:
            upload = services.open_upload(context, name, service.seal)
            other = preview_table(open_kept(service, context, upload), choices)
            if other.read is not None and not other.is_guessed:
                _queue(service, context, step, (name, upload), other)
                step.uploads.remove(name)
        except CardwatchError:  # it is told of when it is its turn
            continue
    service.wake.set()


def _queue(
    service: Service,
    context: ServiceContext,
    step: _Step,
    waited: tuple[str, Upload],
    preview: StatementPreview,
) -> None:
    """Queue a file that waited, given with its id, for import, and erase it."""
    assert preview.read is not None
    name, upload = waited
    job = services.queue_import(
        context, preview.read, service.seal,
        corrects=upload.options.get("corrects"), is_history="history" in upload.options,
    )  # fmt: skip
    step.jobs.append(job["job_id"])
    services.discard_upload(context, name)


def _page(
    request: Request,
    context: ServiceContext,
    step: _Step,
    preview: StatementPreview,
    form: Mapping[str, str],
    errors: dict[str, str] | None = None,
) -> Response:
    """Show a file's columns, how it would be read, and the form to change them."""
    waiting = {row["upload_id"]: row["file"] for row in services.list_uploads(context)}
    report = preview.read[1] if preview.read else None
    return render(
        request, "statements_columns.html", preview=preview, report=report,
        fields=FIELDS, needed=REQUIRED_FIELDS, choices=CHOICE_LABELS, form=form,
        headings=[heading for heading in preview.headings if heading], errors=errors or {},
        uploads=" ".join(step.uploads), job_ids=" ".join(step.jobs),
        others=[waiting[name] for name in step.uploads[1:] if name in waiting],
        jobs=[services.get_job(context, name) for name in step.jobs],
        is_changed=request.method == "POST",
    )  # fmt: skip


@router.get("/statements/profiles")
def list_profiles(request: Request, context: Context) -> Response:
    """List the column profiles that are remembered."""
    profiles = [
        (remembered, _name_of(remembered), _titled_columns(remembered))
        for remembered in services.list_profiles(context)
    ]
    return render(request, "column_profiles.html", profiles=profiles)


@router.get("/statements/profiles/{profile_id}")
def show_profile(request: Request, context: Context, profile_id: str) -> Response:
    """Show a column profile with the form to change it."""
    profile = services.get_column_profile(context, profile_id)
    return _profile_page(request, profile_id, profile, _sent_of(profile), {})


@router.post("/statements/profiles/{profile_id}")
def change_profile(
    request: Request, context: Context, profile_id: str, form: AllFields
) -> Response:
    """Change a column profile for files with its headings."""
    chosen, settings = _of_form(form)
    try:
        services.change_profile(
            context, profile_id, chosen, settings | {"name": form.get("name", "")}
        )
    except CardwatchError as refusal:
        errors = field_errors(refusal)
        profile = services.get_column_profile(context, profile_id)
        return _profile_page(request, profile_id, profile, form, errors)
    return redirect("/statements/profiles", "profile-saved")


@router.get("/statements/profiles/{profile_id}/removal")
def ask_removal(request: Request, context: Context, profile_id: str) -> Response:
    """Ask whether a column profile is to be forgotten."""
    remembered = services.get_remembered_profile(context, profile_id)
    return confirm(
        request,
        f"Remove the profile {_name_of(remembered)}?",
        "/statements/profiles",
        "Files with its headings will ask for their columns again, unless two people have saved a "
        "profile for them. Statements and registers that were read with it stay as they are.",
        "Remove profile",
    )


@router.post("/statements/profiles/{profile_id}/removal")
def remove_profile(context: Context, profile_id: str) -> Response:
    """Forget a column profile."""
    services.remove_profile(context, profile_id)
    return redirect("/statements/profiles", "profile-removed")


def _name_of(remembered: RememberedProfile) -> str:
    """Return what pages call a column profile."""
    name = remembered.profile.name
    return f"Register of {register_kind(name).title.lower()}" if remembered.is_of_register else name


def _titled_columns(remembered: RememberedProfile) -> dict[str, str]:
    """Return the heading of each field, by what pages call it, in the files of a profile."""
    profile = remembered.profile
    if not remembered.is_of_register:
        return {field_title(field): heading for field, heading in _columns_of(profile).items()}
    kind = register_kind(profile.name)
    return {kind.field(name).headings[0]: headings[0] for name, headings in profile.columns.items()}


def _columns_of(profile: Profile) -> dict[str, str]:
    """Return the heading of each field in the files that a profile is for."""
    headings = sorted(profile.recognise)
    return {field: headings[place] for field, place in profile.map(headings).items()}


def _sent_of(profile: Profile) -> dict[str, str]:
    """Return what a form would say for a profile."""
    return _columns_of(profile) | {name: getattr(profile, name) for name in ("name", *CHOICES)}


def _profile_page(
    request: Request,
    profile_id: str,
    profile: Profile,
    form: Mapping[str, str],
    errors: dict[str, str],
) -> Response:
    """Show the form of a column profile."""
    return render(
        request, "column_profile.html", profile=profile, profile_id=profile_id, form=form,
        fields=FIELDS, needed=REQUIRED_FIELDS, choices=CHOICE_LABELS, errors=errors,
        headings=sorted(profile.recognise),
    )  # fmt: skip
