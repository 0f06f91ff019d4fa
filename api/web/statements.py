"""Pages of statements: upload, check columns, and the report of every row."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from api.deps import CODE_FIELD, AppStateDep, Context, require_code
from api.state import UPLOAD_BYTES
from api.uploads import keep_upload, label_of, read_upload
from api.web.base import (
    MOST_FILES,
    Files,
    FormFields,
    chips,
    day_faults,
    field_errors,
    nonempty,
    redirect,
    render,
)
from api.web.columns import columns_address, jobs_address
from api.web.paging import numbered_page
from cardwatch import services
from cardwatch.casebook.rows import JobAnswer
from cardwatch.casebook.tables import RECEIVES
from cardwatch.errors import CardwatchError, FileRefused, NotAllowed, StepUpNeeded
from cardwatch.independent import is_installed
from cardwatch.reports.formatting import day
from cardwatch.services.answers import ImportedStatement
from cardwatch.vocabulary import SECOND_PERSON

router = APIRouter()
UPLOAD_OPTIONS = ("corrects", "history", "date_order")
"""Fields of the upload form that stay with a file until its columns are checked."""
STATEMENTS_PER_PAGE = 50
STATEMENT_STATES = {"scored": "Scored", "history": "History", "superseded": "Superseded"}
STATEMENT_FILTERS = {"state": "State", "layout": "Source", "since": "Days from", "until": "Days to"}


@router.get("/statements")
def list_statements(request: Request, context: Context) -> Response:
    """List the statements held that were chosen, the newest first."""
    all_statements = list(reversed(services.list_statements(context)))
    chosen = {k: v for k, v in nonempty(request.query_params).items() if k in STATEMENT_FILTERS}
    errors = day_faults(chosen, ("since", "until"))
    matching = [] if errors else [row for row in all_statements if _fits(row, chosen)]

    def words(name: str, value: str) -> str:
        filter_text = {"state": STATEMENT_STATES.get(value, value), "layout": _source(value)}.get(
            name, value
        )
        is_day = name in {"since", "until"} and name not in errors
        return f"{STATEMENT_FILTERS[name]}: {day(value) if is_day else filter_text}"

    page = numbered_page(request, _list_address(chosen), len(matching), STATEMENTS_PER_PAGE)
    statements_shown = matching[page.offset : page.offset + page.size]
    may_receive = context.actor.role in RECEIVES
    layouts = {row["layout"] for row in all_statements}
    return render(
        request, "statements.html", errors=errors, held=all_statements, chosen=chosen, page=page,
        refused=services.list_refused_uploads(context) if may_receive else [],
        arrivals=services.list_refused_files(context) if may_receive else [],
        statements=[(row, STATEMENT_STATES[_state(row)]) for row in statements_shown],
        states=STATEMENT_STATES,
        sources={name: _source(name) for name in sorted(layouts - {""})},
        chips=chips(chosen, words, _list_address),
    )  # fmt: skip


def _list_address(chosen: dict[str, str]) -> str:
    return f"/statements?{urlencode(chosen)}" if chosen else "/statements"


def _state(statement: ImportedStatement) -> str:
    """Return what a statement is kept for."""
    if statement["superseded_by"]:
        return "superseded"
    return "scored" if statement["is_scored"] else "history"


def _source(layout: str) -> str:
    """Return what a column profile is called; one for whatever no other fits has no name."""
    return "Other" if layout == "any" else layout


def _fits(statement: ImportedStatement, chosen: dict[str, str]) -> bool:
    """Return whether a statement fits the filters; of a period, whether it has a day in it."""
    return (
        chosen.get("state", _state(statement)) == _state(statement)
        and chosen.get("layout", statement["layout"]) == statement["layout"]
        and chosen.get("since", "") <= statement["last_on"]
        and statement["first_on"] <= chosen.get("until", statement["first_on"])
    )


@router.get("/statements/new")
def show_upload(request: Request, context: Context) -> Response:
    """Show the form for uploading statements; with `history`, for earlier months."""
    if context.actor.role not in RECEIVES:
        raise NotAllowed("Your role cannot upload statements.")
    is_history = "history" in request.query_params
    form = {"history": "true"} if is_history else {}
    return _upload_page(request, context, {}, form, is_open=is_history)


def _upload_page(
    request: Request,
    context: Context,
    errors: dict[str, str],
    form: dict[str, str] | None = None,
    *,
    is_open: bool = False,
) -> Response:
    """Show the form for uploading statements; `is_open` shows the choices that few files need."""
    statement_options = [{"value": "", "label": "None: these are new"}]
    statement_options += [
        {"value": row["statement_id"], "label": row["label"]}
        for row in reversed(services.list_statements(context))
        if row["superseded_by"] is None
    ]
    return render(
        request, "statements_new.html", held=statement_options, errors=errors, form=form or {},
        waiting=services.list_uploads(context),
        is_open=is_open or not errors.keys() <= {"files", ""},
    )  # fmt: skip


@router.post("/statements/new", max_body_size=MOST_FILES * UPLOAD_BYTES)
def receive(
    request: Request, context: Context, service: AppStateDep, files: Files, said: FormFields
) -> Response:
    """Take statements: each is read at once and put in the queue; say what became of each."""
    if not files:
        chosen = any(name in said for name in UPLOAD_OPTIONS)
        return _upload_page(request, context, {"files": "Select a statement"}, said, is_open=chosen)
    if said.get("corrects") and len(files) > 1:
        return _upload_page(
            request,
            context,
            {"files": "Choose one file to correct one statement"},
            said,
            is_open=True,
        )
    if errors := _code_errors(request, context, said):
        return _upload_page(request, context, errors, said, is_open=True)
    jobs: list[str] = []
    uploads: list[str] = []
    options = {name: said[name] for name in UPLOAD_OPTIONS if name in said}
    for file in files:
        try:
            read = read_upload(service, context, file, "", said.get("date_order", "decide"))
            job = services.queue_import(
                context,
                read,
                service.seal,
                corrects=said.get("corrects"),
                is_history="history" in said,
            )
            if job["job_id"] in jobs:
                reason = "the same file as another of these, byte for byte; counted once"
                raise FileRefused(label_of(file.filename or ""), "same_bytes", reason)
            jobs.append(job["job_id"])
        except CardwatchError as refusal:
            try:
                if refusal.code not in services.SETTLED_BY_COLUMNS:
                    raise
                uploads.append(keep_upload(service, context, file, options))
            except CardwatchError as last_refusal:
                errors = field_errors(last_refusal, {"file": "files"})
                if len(files) == 1:
                    return _upload_page(request, context, errors, said)
                jobs.append(services.note_refusal(context, last_refusal, service.seal)["job_id"])
    service.wake.set()
    return redirect(columns_address(uploads, jobs) if uploads else jobs_address(jobs))


def _code_errors(request: Request, context: Context, said: dict[str, str]) -> dict[str, str]:
    """Return what is wrong with the code of a correction; nothing where none is needed."""
    try:
        if said.get("corrects"):
            require_code(request, context, said.get(CODE_FIELD, ""))
    except StepUpNeeded as refusal:
        return {CODE_FIELD: str(refusal)}
    return {}


@router.post("/statements/refused/{refusal_id}/columns")
def open_refused_file(context: Context, service: AppStateDep, refusal_id: str) -> Response:
    """Let a refused file wait until its columns are checked, and show these."""
    upload_id = services.open_refused_file(context, refusal_id, service.seal)
    return redirect(columns_address([upload_id], []))


@router.post("/statements/refused/{refusal_id}/settlement")
def settle_refused_file(context: Context, refusal_id: str) -> Response:
    """Mark a refused file as dealt with."""
    services.settle_refused_file(context, refusal_id)
    return redirect("/statements", "file-settled")


@router.get("/statements/jobs")
def show_jobs(request: Request, context: Context) -> Response:
    """Say what became of statements: the same words whatever was found in them."""
    names = request.query_params.getlist("job")[:MOST_FILES]
    jobs = [services.get_job(context, name) for name in names]
    waits = any(job_row["state"] in {"queued", "running"} for job_row in jobs)
    failed = [job for job in jobs if job["state"] == "failed" or _is_waiting(job)]
    if waits:
        heading = "Statements are being scored"
    elif len(failed) == len(jobs):
        heading = "Statements not uploaded"
    else:
        heading = "Some statements were not uploaded" if failed else "Statements uploaded"
    return render(
        request, "statements_jobs.html", jobs=jobs, waits=waits, heading=heading,
        files=services.file_names(context, names),
    )  # fmt: skip


def _is_waiting(job: JobAnswer) -> bool:
    """Return whether a statement waits for a second person."""
    return bool(job["answer"]) and job["answer"].get("outcome") == SECOND_PERSON


@router.get("/statements/{statement_id}")
def show_statement(request: Request, context: Context, statement_id: str) -> Response:
    """Show one statement with its reading report."""
    statement = services.get_statement(context, statement_id)
    return render(
        request,
        "statement.html",
        found=statement,
        report=statement["report"],
        runs_independently=is_installed(),
    )
