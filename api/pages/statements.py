"""Pages of statements: bring some, check columns once, read what happened to every row."""

from __future__ import annotations

import tomllib

import anyio.to_thread
from fastapi import APIRouter, Request, Response
from starlette.datastructures import UploadFile

from api.deps import At, Serving
from api.pages.page import files_of, filled, go, render
from api.service import UPLOAD_BYTES
from api.uploads import read_upload
from cardwatch import desk
from cardwatch.casebook.tables import RECEIVES
from cardwatch.errors import CardwatchError, ColumnsUnknown, NotAllowed
from cardwatch.statements import FIELDS, profile_text, shipped_profiles

router = APIRouter()
MOST_FILES = 24
KEPT = ("corrects", "history", "date_order", "jobs")
"""What was said of files, and became of others, while columns are checked."""
NEEDED = ("date", "merchant", "amount", "employee_id", "cardholder", "card_number", "holder_id")
"""Fields that nearly every file has, asked for first."""


@router.get("/statements")
def list_statements(request: Request, at: At) -> Response:
    """List the statements held, the newest first."""
    held = list(reversed(desk.list_statements(at)))
    may = at.actor.role in RECEIVES
    return render(request, "statements.html", statements=held, may_receive=may)


@router.get("/statements/new")
def show_upload(request: Request, at: At) -> Response:
    """Show the form for bringing statements."""
    if at.actor.role not in RECEIVES:
        raise NotAllowed("This role receives no statements.")
    return _upload_page(request, at, {})


def _upload_page(request: Request, at: At, errors: dict[str, str]) -> Response:
    held = [{"value": "", "label": "None: these are new"}]
    held += [
        {"value": row["statement_id"], "label": row["label"]}
        for row in reversed(desk.list_statements(at))
        if row["superseded_by"] is None
    ]
    return render(request, "statements_new.html", held=held, errors=errors)


@router.post("/statements/new", max_body_size=MOST_FILES * UPLOAD_BYTES)
async def receive(request: Request, at: At, service: Serving) -> Response:
    """Take statements: each is read at once and put in the queue; say what became of each."""
    async with request.form(max_files=MOST_FILES) as form:
        given = (files_of(form), filled(form))
        return await anyio.to_thread.run_sync(_receive_all, request, at, service, *given)


def _receive_all(
    request: Request, at: At, service: Serving, files: list[UploadFile], said: dict[str, str]
) -> Response:
    """Read each file and put it in the queue; show what became of each."""
    if not files:
        return _upload_page(request, at, {"files": "Select a statement"})
    if said.get("corrects") and len(files) > 1:
        return _upload_page(request, at, {"files": "One statement corrects one other"})
    jobs = said.get("jobs", "").split()
    unknown: list[ColumnsUnknown] = []
    for file in files:
        try:
            read = read_upload(service, at, file, "", said.get("date_order", "decide"))
            job = desk.ask_receive(
                at, read, corrects=said.get("corrects"), is_history="history" in said
            )
            jobs.append(job["job_id"])
        except ColumnsUnknown as refusal:
            unknown.append(refusal)
        except NotAllowed:
            raise
        except CardwatchError as refusal:
            if len(files) == 1 and not jobs:
                return _upload_page(request, at, {"files": str(refusal)})
            jobs.append(desk.note_refusal(at, refusal)["job_id"])
    service.wake.set()
    if unknown:
        return _columns_page(request, at, unknown, said | {"jobs": " ".join(jobs)}, {})
    return go("/statements/jobs?" + "&".join(f"job={name}" for name in jobs))


@router.get("/statements/jobs")
def show_jobs(request: Request, at: At) -> Response:
    """Say what became of statements: the same words whatever was found in them."""
    names = request.query_params.getlist("job")[:MOST_FILES]
    told = [desk.get_job(at, name) for name in names]
    waits = any(one["state"] in {"queued", "running"} for one in told)
    return render(request, "statements_jobs.html", jobs=told, waits=waits)


def _columns_page(
    request: Request,
    at: At,
    unknown: list[ColumnsUnknown],
    sent: dict[str, str],
    errors: dict[str, str],
) -> Response:
    """Show which heading may hold which field, to be checked once; the first file is asked about.

    What was said of the files, and became of others that came with them, goes on with the form.
    """
    first = unknown[0]
    guess = tomllib.loads(profile_text(first.headings, shipped_profiles())).get("columns", {})
    guessed = {} if errors else {field: found[0] for field, found in guess.items() if found}
    same = [one.file for one in unknown if one.headings == first.headings]
    return render(
        request, "statements_columns.html", status=422,
        fields=FIELDS, headings=[h for h in first.headings if h], needed=NEEDED,
        files=same, others=[one.file for one in unknown if one.file not in same],
        jobs=[desk.get_job(at, name) for name in sent.get("jobs", "").split()],
        sent=guessed | sent, kept=KEPT, errors=errors,
    )  # fmt: skip


@router.post("/statements/columns", max_body_size=MOST_FILES * UPLOAD_BYTES)
async def keep_columns(request: Request, at: At, service: Serving) -> Response:
    """Remember which heading holds which field; take the files that come with it."""
    async with request.form(max_files=MOST_FILES) as form:
        given = (files_of(form), filled(form))
        return await anyio.to_thread.run_sync(_keep_columns, request, at, service, *given)


def _keep_columns(
    request: Request, at: At, service: Serving, files: list[UploadFile], sent: dict[str, str]
) -> Response:
    headings = [one.strip() for one in sent.get("headings", "").split("\n")]
    chosen = {field: heading for field, heading in sent.items() if field in FIELDS}
    try:
        desk.keep_columns(at, headings=headings, chosen=chosen)
    except NotAllowed:
        raise
    except CardwatchError as refusal:
        names = sent.get("file", "statement").split("\n")
        unknown = [ColumnsUnknown(one.strip(), headings, [], []) for one in names]
        return _columns_page(request, at, unknown, sent, {"date": str(refusal)})
    if not files:
        return go("/statements/new")
    return _receive_all(request, at, service, files, {k: sent[k] for k in KEPT if k in sent})


@router.get("/statements/{statement_id}")
def show_statement(request: Request, at: At, statement_id: str) -> Response:
    """Show one statement with its reading report."""
    found = desk.get_statement(at, statement_id)
    return render(request, "statement.html", found=found, report=found["report"])
